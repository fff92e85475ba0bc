"""Functions of two numbers: contours with the gradient, and surfaces with the tangent plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.errors import DomainError, InputError, TangentlyError, TraceError
from tangently.pictures.sampling import choose_box, contour_levels, sample
from tangently.pictures.style import (
    ARROWS,
    BLUE,
    INK,
    LIGHT,
    RAMP,
    VERMILLION,
    WHITE,
    formula_tex,
    framed,
    halo,
    house,
    own_axes,
    plain,
    ramp,
    shown,
    symbol_tex,
    tex,
    titled,
)
from tangently.pictures.subject import (
    Function,
    Interval,
    bounds,
    formula_of,
    name_of,
    of_numbers,
    said,
    through,
    variables,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 101  # samples along each side of a plane


class Plane(NamedTuple):
    """A function of two numbers on a box: samples, and what is known at the point."""

    f: Function
    gradient: Function
    box: tuple[Interval, Interval]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    at: tuple[float, float] | None


def _plane(f: Any, at: Any, domain: Any, along: Any, count: int) -> Plane:
    from tangently.function import as_function

    function = as_function(f)
    if along is not None:
        function, at = through(function, at, along)
    function, at, size = of_numbers(function, at)
    if size != 2:
        raise InputError("got a function of one number; contours and surfaces want two. plot draws it as a curve")
    gradient, bend = _gradient(function, at or (0.3, 0.2))
    box: Any = choose_box(gradient, bend, at or (0.0, 0.0)) if domain is None else _box(domain)
    x, y = np.meshgrid(*(np.linspace(low, high, count) for low, high in box))
    z = sample(function, x, y)
    if np.isnan(z).all():
        raise InputError(f"f has no finite value in the box {box}; give domain=((x0, x1), (y0, y1)) where it has")
    if at is not None and not math.isfinite(float(function(*at))):
        raise DomainError(f"f{at} is not finite; choose another point at=")
    return Plane(function, gradient, box, x, y, z, at)


def _box(domain: Any) -> tuple[Interval, Interval]:
    sides = tuple(domain) if np.ndim(domain) == 2 else (domain, domain)
    if len(sides) != 2:
        raise InputError(f"got domain={domain!r:.60}; (low, high) for both, or ((x0, x1), (y0, y1)), was wanted")
    return bounds(sides[0]), bounds(sides[1])


def _gradient(f: Function, probe: tuple[float, float]) -> tuple[Function, Function]:
    """Gradient and Hessian as functions of two numbers, NaN where there is none; differences for a black box."""
    from tangently.function import grad, hessian
    from tangently.quotients import numeric_gradient

    exact = grad(f)
    try:
        exact(*probe)
    except TraceError:
        return _or_nan(lambda *p: numeric_gradient(lambda z: f(*z), np.array(p)).value, (2,)), _or_nan(math.nan, (2, 2))
    except TangentlyError:  # no value at this point; elsewhere it may have one
        return _or_nan(exact, (2,)), _or_nan(hessian(f), (2, 2))
    return _or_nan(exact, (2,)), _or_nan(hessian(f), (2, 2))


def _or_nan(df: Any, shape: tuple[int, ...]) -> Function:
    def call(*point: float) -> np.ndarray:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(df(*point), float).reshape(shape)
        except (DomainError, ArithmeticError, ValueError):
            return np.full(shape, np.nan)

    return call if callable(df) else lambda *point: np.full(shape, df)


def plot_contour(
    f: Any,
    ax: Axes | None = None,
    *,
    at: Any = None,
    domain: Any = None,
    along: Any = None,
    levels: int | Sequence[float] = 12,
    arrows: int = 13,
    title: str | None = None,
) -> Axes:
    """Contours, darker where higher, with a field of gradient arrows (`arrows` along a side, 0 for none).

    The arrows of the field point along the gradient; their lengths are compressed (∝ ‖∇f‖^½) so that all are seen.
    At the point: the contour through it, and across that the gradient, the direction of steepest ascent.
    """
    with house():
        plane = _plane(f, at, domain, along, GRID)
        ax = own_axes(6.2, 5.6) if ax is None else shown(ax)
        _frame_plane(ax, plane)
        _draw_levels(ax, plane, levels)
        if arrows:
            _draw_field(ax, plane, arrows)
        if plane.at is not None:
            _draw_point(ax, plane)
        if title:
            ax.set_title(title)
    return ax


def _frame_plane(ax: Axes, plane: Plane) -> None:
    framed(ax)
    ax.grid(visible=False)
    (x0, x1), (y0, y1) = plane.box
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
    if 1 / 3 < (x1 - x0) / (y1 - y0) < 3:  # where the sides are alike, gradients look perpendicular
        ax.set_aspect("equal")
    x, y = _axis_names(plane.f)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    found = formula_tex(lambda: formula_of(plane.f)) if x == f"${symbol_tex(variables(plane.f, 2)[0])}$" else None
    if found and not ax.get_title():
        ax.set_title(f"${symbol_tex(name_of(plane.f))}({x.strip('$')}, {y.strip('$')}) = {found}$")
    titled(ax, f"contours of {said(plane.f, found)} with its gradient")


def _axis_names(f: Function) -> tuple[str, str]:
    x, y = variables(f, 2)
    if f.__name__ == "<lambda>" and (x, y) == ("s", "t"):
        return "$s$  (steps along the first direction)", "$t$  (steps along the second direction)"
    return f"${symbol_tex(x)}$", f"${symbol_tex(y)}$"


def _draw_levels(ax: Axes, plane: Plane, levels: int | Sequence[float]) -> None:
    heights = contour_levels(plane.z, levels) if isinstance(levels, int) else np.sort(np.asarray(levels, float))
    if len(heights) < 2:
        ax.text(0.03, 0.95, f"constant: {plain(float(np.nanmean(plane.z)))}", transform=ax.transAxes)
        return
    z = np.ma.masked_invalid(plane.z)
    ax.contourf(plane.x, plane.y, z, heights, colors=_shades(len(heights) + 1), extend="both", zorder=0)
    lines = ax.contour(plane.x, plane.y, z, heights, colors="#4f7f9c", linewidths=0.7, linestyles="-", zorder=1)
    for text in ax.clabel(lines, fmt=plain, fontsize=8, colors=INK, inline=True, inline_spacing=3):
        text.set_path_effects(halo(2.0))


def _shades(count: int) -> Any:
    return ramp(RAMP)(np.linspace(0, 0.86, count))


def _draw_field(ax: Axes, plane: Plane, count: int) -> None:
    """Arrows along the gradient at the middles of a grid of cells."""
    sides = [np.linspace(low, high, 2 * count + 1)[1::2] for low, high in plane.box]
    x, y = (a.ravel() for a in np.meshgrid(*sides))
    g = np.array([plane.gradient(a, b) for a, b in zip(x.tolist(), y.tolist())])
    size = np.hypot(*g.T)
    good = np.isfinite(size) & (size > 0)
    if not good.any():
        return
    most = float(np.quantile(size[good], 0.95))
    length = np.minimum(1, size[good] / most) ** 0.5 * 0.8 * min(s[1] - s[0] for s in sides)
    u, v = (g[good] / size[good, None] * length[:, None]).T
    head = {"width": 0.0028, "headwidth": 4.2, "headlength": 5, "headaxislength": 4.5}
    ax.quiver(x[good], y[good], u, v, **ARROWS, **head, pivot="mid", color=VERMILLION, alpha=0.75, zorder=2)


def _gradient_at(plane: Plane, at: tuple[float, float]) -> np.ndarray:
    """The gradient at the point; NaN at a kink, where the slopes on both sides do not come together."""
    gaps = []
    for part in (1e-6, 1e-9):
        steps = np.diag([part * max(high - low, abs(a)) for (low, high), a in zip(plane.box, at)])
        gaps.append([(plane.gradient(*(at + h)) - plane.gradient(*(at - h)))[i] for i, h in enumerate(steps)])
    wide, narrow = np.abs(gaps)
    kinked = narrow > 0.5 * np.maximum(wide, 1e-9)
    return np.full(2, np.nan) if kinked.any() else plane.gradient(*at)


def _draw_point(ax: Axes, plane: Plane) -> None:
    """The point, the contour through it, its gradient, and what that says."""
    at = plane.at or (0.0, 0.0)
    g, value = _gradient_at(plane, at), float(plane.f(*at))
    size = float(np.hypot(*g))
    if np.nanmin(plane.z) < value < np.nanmax(plane.z):
        z = np.ma.masked_invalid(plane.z)
        ax.contour(plane.x, plane.y, z, [value], colors=INK, linewidths=1.5, zorder=2.5)
    if size > 0:
        length = 0.2 * min(high - low for low, high in plane.box)
        u, v = g / size * length
        head = {"width": 0.009, "headwidth": 3.6, "headlength": 4.2, "headaxislength": 3.9}
        look = {"color": VERMILLION, "edgecolor": WHITE, "linewidth": 0.8, "zorder": 5}
        ax.quiver([at[0]], [at[1]], [u], [v], **ARROWS, **head, **look)
    ax.plot(*at, "o", ms=7.5, color=BLUE, mec=WHITE, mew=1.2, zorder=6)
    lines = _gradient_text(at, g, size, value)
    said = f"and the gradient {_pair(g)}" if math.isfinite(size) else "and there is no gradient"
    titled(ax, f"at {_pair(at)} the value is {plain(value)} {said}")
    _say_beside(ax, plane, at, g, lines)


def _pair(values: Any) -> str:
    return "(" + ", ".join(plain(float(v)) for v in values) + ")"


def _gradient_text(at: Sequence[float], g: np.ndarray, size: float, value: float) -> str:
    point = f"({tex(at[0])}, {tex(at[1])})"
    if not math.isfinite(size):
        return f"$f{point} = {tex(value)}$\nno gradient: a kink"
    if not size:
        return f"$f{point} = {tex(value)}$\n$\\nabla f = 0$: stationary"
    return f"$\\nabla f{point} = ({tex(g[0])}, {tex(g[1])})$\nsteepest ascent, slope ${tex(size)}$"


def _say_beside(ax: Axes, plane: Plane, at: tuple[float, float], g: np.ndarray, text: str) -> None:
    """Words on the side that the arrow leaves free, turned inward where the edge is near."""
    (x0, x1), (y0, y1) = plane.box
    px, py = (at[0] - x0) / (x1 - x0), (at[1] - y0) / (y1 - y0)
    right = px < 0.35 or (px <= 0.65 and not g[0] > 0)
    above = py < 0.15 or (py <= 0.85 and not g[1] > 0)
    place: dict[str, Any] = {"ha": "left" if right else "right", "va": "bottom" if above else "top"}
    box = {"boxstyle": "round,pad=0.25", "fc": WHITE, "ec": "none", "alpha": 0.82}
    offset = (8 if right else -8, 8 if above else -8)
    ax.annotate(text, at, offset, "data", "offset points", bbox=box, fontsize=10, color=INK, zorder=7, **place)


def plot_surface(
    f: Any,
    ax: Any = None,
    *,
    at: Any = None,
    domain: Any = None,
    along: Any = None,
    view: tuple[float, float] = (28.0, -58.0),
    title: str | None = None,
) -> Any:
    """The graph of a function of two numbers as a surface, with the tangent plane at the point.

    `ax` must be three-dimensional: figure.add_subplot(projection="3d"). `view` is (elevation, azimuth) in degrees.
    """
    if ax is not None and not hasattr(ax, "plot_surface"):
        raise InputError('got flat Axes for a surface; figure.add_subplot(projection="3d") was wanted')
    with house(**{"axes.grid": True}):
        plane = _plane(f, at, domain, along, 61)
        ax = own_axes(6.6, 5.4, projection="3d") if ax is None else shown(ax)
        ax.computed_zorder = False  # the tangent plane is seen through the surface, whichever is in front
        low, high = _draw_surface(ax, plane)
        _frame_space(ax, plane, view, (low, high), title)
        if plane.at is not None:
            _draw_tangent_plane(ax, plane, low, high)
    return ax


def _draw_surface(ax: Any, plane: Plane) -> Interval:
    """The surface, cut where single values would flatten all others."""
    low, high = float(np.nanmin(plane.z)), float(np.nanmax(plane.z))
    a, b = np.nanquantile(plane.z, (0.1, 0.9)).tolist()
    if high - low > 12 * (b - a) > 0:
        low, high = max(low, a - (b - a)), min(high, b + (b - a))
    z = np.clip(plane.z, low, high)
    look = {"rstride": 2, "cstride": 2, "edgecolor": "#2f6f93", "linewidth": 0.25, "antialiased": True, "alpha": 0.88}
    ax.plot_surface(plane.x, plane.y, z, cmap=ramp(RAMP), vmin=low, vmax=high + 0.2 * (high - low), **look)
    return low, high


def _draw_tangent_plane(ax: Any, plane: Plane, low: float, high: float) -> None:
    """A patch of the plane z = f(a) + ∇f·(x − a), as large as the heights allow."""
    at = plane.at or (0.0, 0.0)
    g, value = _gradient_at(plane, at), float(plane.f(*at))
    ax.plot(*[[v] for v in at], [value], "o", ms=7, color=VERMILLION, mec=WHITE, zorder=20)
    if not np.isfinite(g).all():
        return
    half = 0.3 * np.array([b - a for a, b in plane.box])
    rise = float(np.abs(g) @ half)
    half *= min(1.0, 0.6 * (high - low) / rise) if rise else 1.0
    u, v = np.meshgrid([-1.0, 1.0], [-1.0, 1.0])
    z = value + g[0] * half[0] * u + g[1] * half[1] * v
    look = {"color": VERMILLION, "alpha": 0.45, "edgecolor": VERMILLION, "linewidth": 1.0, "shade": False, "zorder": 10}
    ax.plot_surface(at[0] + half[0] * u, at[1] + half[1] * v, z, **look)
    titled(ax, f"tangent plane at {_pair(at)}: value {plain(value)}, slopes {_pair(g)}")


def _frame_space(ax: Any, plane: Plane, view: tuple[float, float], heights: Interval, title: str | None) -> None:
    x, y = _axis_names(plane.f)
    name = symbol_tex(name_of(plane.f))
    ax.set(xlabel=x, ylabel=y, zlabel=f"${name}$", xlim=plane.box[0], ylim=plane.box[1])
    ax.view_init(*view)
    ax.set_box_aspect(None, zoom=1.08)
    ax.tick_params(labelsize=8, pad=1, labelfontfamily="DejaVu Sans")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0.975, 0.975, 0.975, 1.0))
        axis._axinfo["grid"].update(color=LIGHT, linewidth=0.6)  # mplot3d has no public way
    found = formula_tex(lambda: formula_of(plane.f))
    if title or found:
        ax.set_title(title or f"${name}({x.strip('$')}, {y.strip('$')}) = {found}$")
    titled(ax, f"surface of {said(plane.f, found)}, heights {plain(heights[0])} to {plain(heights[1])}")
