"""Functions of one number: the curve, tangents and secants, derivatives, Taylor polynomials.

A tangent is drawn where there is one. At a kink there are two, one from each side; at a jump or pole none, and the
error says so. A derivative is exact where the function can be traced, and is else called an estimate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.errors import DomainError, InputError, TangentlyError, TraceError
from tangently.pictures.sampling import COUNT, Curve, choose_interval, round_step, sample, trace_curve
from tangently.pictures.style import (
    BLUE,
    GREY,
    INK,
    SECANTS,
    VERMILLION,
    WHITE,
    formula_tex,
    framed,
    halo,
    house,
    legend_above,
    line_tex,
    own_axes,
    own_figure,
    panels,
    plain,
    plain_ticks,
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
    number,
    of_numbers,
    said,
    variables,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COARSE = 161  # samples of a derivative by differences
MOST = 8  # kinks that are marked; more would hide the curve


class Slope(NamedTuple):
    """A derivative as a function of numbers, its order, its formula in LaTeX, and whether it is exact."""

    of: Function
    order: int
    tex: str | None
    exact: bool


def _slope(f: Function, order: int, probe: float) -> Slope:
    """The exact derivative; by differences where the function can't be followed."""
    from tangently.function import derivative

    exact = derivative(f, order=order)
    try:
        exact(probe)
    except TraceError:
        from tangently.quotients import extrapolate

        return Slope(lambda x: extrapolate(f, float(x), order).value, order, None, False)
    except TangentlyError:  # no value at this point; elsewhere it may have one
        return Slope(exact, order, None, True)
    return Slope(exact, order, formula_tex(lambda: derivative(f, order=order).formula), True)


def _traced_slope(f: Function, order: int, curve: Curve) -> tuple[Slope, Curve]:
    """The derivative and its curve; a coarse one where every value costs many of the function."""
    slope = _slope(f, order, float(curve.x[np.nanargmin(np.abs(curve.y))]))
    count = COUNT if slope.exact else COARSE
    return slope, trace_curve(partial(_within, f, slope.of), *_ends(curve), count=count)


def _interval(f: Function, at: float | None, domain: Any) -> Interval:
    if domain is None:
        return choose_interval(f, 0.0 if at is None else at)
    low, high = bounds(domain)
    return low, high


def _value_at(f: Function, at: float, curve: Curve) -> float:
    """The height of the point, where there can be a tangent."""
    value = float(f(at))
    if len(curve.jumps) and np.abs(curve.jumps[:, 0] - at).min() < 1e-9 * np.ptp(curve.x):
        raise DomainError(f"f jumps at {at:g}: there is no tangent there; choose another point at=")
    if not math.isfinite(value):
        raise DomainError(f"f({at:g}) is {value}: there is no tangent there; choose another point at=")
    return value


def _derivative_name(f: Function, order: int, at: str = "") -> str:
    marks = ("", "′", "″", "‴")[order] if order < 4 else f"^{{({order})}}"
    return f"{symbol_tex(name_of(f))}{marks}({at or symbol_tex(variables(f, 1)[0])})"


def _limits(ax: Axes, low: float, high: float, points: Sequence[float] = ()) -> None:
    """The range of heights, with the points that must be seen and some room."""
    low, high = min([low, *points]), max([high, *points])
    room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    ax.set_ylim(low - room, high + room)


class Kink(NamedTuple):
    """A place where the slope jumps."""

    x: float
    y: float
    left: float
    right: float


def _kinks(f: Function, curve: Curve, slopes: Curve) -> list[Kink]:
    """Where the slope jumps and the function does not."""
    span = float(np.ptp(curve.x))
    apart = lambda x: not len(curve.jumps) or np.abs(curve.jumps[:, 0] - x).min() > 1e-9 * span
    found = [(_neat(x, span), *_neat_slopes(left, right)) for x, left, right in slopes.jumps if apart(x)]
    return [Kink(x, y, left, right) for x, left, right in found if np.isfinite(y := float(sample(f, x)))]


def _neat_slopes(left: float, right: float) -> Interval:
    """Slopes a hair beside the kink, as those at it: 1e-16 beside 1 is 0."""
    size = max(abs(left), abs(right))
    return _neat(left, size), _neat(right, size)


def _neat(x: float, span: float) -> float:
    """The round number that bisection came near."""
    near = 0.0 if abs(x) < 1e-9 * span else float(f"{x:.6g}")
    return near if abs(near - x) < 1e-9 * span else float(x)


def plot_stacked(
    f: Function, ax: Axes | None, at: float | None, domain: Any, order: int, secants: Any, title: str | None = None
) -> Any:
    """The function with tangent and secants; below it, in Axes of their own, its derivatives."""
    if not 0 <= order <= 4:
        raise InputError(f"got order={order!r}; a whole number from 0 (no derivative) to 4 was wanted")
    with house():
        axes = [shown(ax)] if ax is not None else _column(order + 1)
        interval = _interval(f, at, domain)
        curve = trace_curve(f, *interval)
        slope, slopes = _traced_slope(f, 1, curve)
        kinks = _kinks(f, curve, slopes) if slope.exact else []
        _draw_upper(axes[0], f, curve, slope, kinks, at, secants)
        for k, lower in enumerate(axes[1:], 1):
            _draw_lower(lower, f, *((slope, slopes) if k == 1 else _traced_slope(f, k, curve)), at)
        if title:
            axes[0].set_title(title, pad=26, loc="left")
        for above in axes[:-1]:
            above.tick_params(labelbottom=False)
        axes[-1].set_xlabel(f"${symbol_tex(variables(f, 1)[0])}$")
    return axes[0] if ax is not None else panels(axes)


def _column(count: int) -> list[Any]:
    """Axes above each other that share x, the first the highest."""
    heights = [3.0, *[1.9] * (count - 1)]
    figure = own_figure(6.6, 1.1 + 1.05 * sum(heights))
    return list(np.atleast_1d(figure.subplots(count, 1, sharex=True, height_ratios=heights)))


def _within(f: Function, df: Function, x: Any) -> np.ndarray:
    """A derivative where the function has a value: 1/x is no slope of log x at −1."""
    return np.where(np.isfinite(sample(f, x)), sample(df, x), np.nan)


def _draw_upper(
    ax: Axes,
    f: Function,
    curve: Curve,
    slope: Slope,
    kinks: list[Kink],
    at: float | None,
    secants: Sequence[float] | None,
) -> None:
    points = [curve.low, curve.high]
    interval = _ends(curve)
    _draw_curve(ax, f, curve)
    if at is not None:
        points += _draw_tangent(ax, f, at, slope, kinks, curve)
        if secants is not None or not _kink_at(kinks, at, interval):
            points += _draw_secants(ax, f, at, _steps(secants, interval), interval, chosen=secants is not None)
    points += _mark_kinks(ax, [k for k in kinks if k is not _kink_at(kinks, at, interval)], curve.high - curve.low)
    _limits(ax, curve.low, curve.high, points)
    _finish(ax, interval, at)


def _ends(curve: Curve) -> Interval:
    return float(curve.x[0]), float(curve.x[-1])


def _finish(ax: Axes, interval: Interval, at: float | None = None) -> None:
    """Frame, zero line, the place of the point, legend."""
    framed(ax)
    plain_ticks(ax)
    room = 0.015 * (interval[1] - interval[0])
    ax.set_xlim(interval[0] - room, interval[1] + room)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color="#b3b3b3", lw=0.8, zorder=1)
    if at is not None:
        ax.axvline(at, color=GREY, lw=0.8, ls=(0, (1, 2.5)), zorder=1)
    legend_above(ax)


def _draw_curve(ax: Axes, f: Function, curve: Curve) -> None:
    found = formula_tex(lambda: formula_of(f))
    label = _derivative_name(f, 0) + (f" = {found}" if found else "")
    height = curve.high - curve.low
    shown_part = np.clip(curve.y, curve.low - 9 * height, curve.high + 9 * height) if curve.unbounded else curve.y
    ax.plot(curve.x, shown_part, color=BLUE, lw=2.3, zorder=3, label=f"${label}$")
    titled(ax, f"graph of {said(f, found)} from {plain(curve.x[0])} to {plain(curve.x[-1])}")


def _spoken(equation: str) -> str:
    """The equation of a line for the text alternative: without what only sets it."""
    return re.sub(r"\\mathrm|[{}]", "", equation).replace(r" \times ", "·").replace("\\", "").replace("-", "−")


def _steps(secants: Sequence[float] | None, interval: Interval) -> list[float]:
    """The steps given, or three round ones that fit the picture."""
    if secants is None:
        half = (interval[1] - interval[0]) / 2
        first = round_step(half * 0.5)
        return [first, first / 2, first / 10]
    steps = [number(h, "secants") for h in secants]
    if not all(math.isfinite(h) and h for h in steps):
        raise InputError(f"got secants={list(secants)!r:.60}; steps h that are finite and not 0 were wanted")
    return steps


def _draw_secants(ax: Axes, f: Function, at: float, steps: list[float], ends: Interval, chosen: bool) -> list[float]:
    """Lines through (at, f(at)) and (at + h, f(at + h)); the heights that must be seen."""
    y, heights = float(f(at)), []
    dashes = ("--", (0, (6, 2, 1.5, 2)), (0, (1.5, 1.5)))
    for k, h in enumerate(steps):
        other = float(f(at + h)) if chosen else float(sample(f, at + h))
        if not math.isfinite(other):
            continue
        slope = (other - y) / h
        look = {"color": SECANTS[k % 3], "ls": dashes[k % 3], "lw": 1.2, "zorder": 2.5}
        label = f"secant $h = {tex(h)}$, slope ${tex(slope)}$"
        ax.plot(ends, [y + slope * (x - at) for x in ends], label=label, **look)
        ax.plot([at + h], [other], "o", ms=4.5, mfc=WHITE, mec=SECANTS[k % 3], mew=1.3, zorder=3.5)
        heights.append(other)
    return heights


def _kink_at(kinks: list[Kink], at: float | None, ends: Interval) -> Kink | None:
    near = 1e-9 * (ends[1] - ends[0])
    return next((k for k in kinks if at is not None and abs(k.x - at) < near), None)


def _draw_tangent(ax: Axes, f: Function, at: float, slope: Slope, kinks: list[Kink], curve: Curve) -> list[float]:
    """The tangent; at a kink one from each side. The heights that must be seen."""
    ends = _ends(curve)
    y, variable = _value_at(f, at, curve), symbol_tex(variables(f, 1)[0])
    kink = _kink_at(kinks, at, ends)
    sides = [("left tangent", kink.left, (ends[0], at)), ("right tangent", kink.right, (at, ends[1]))] if kink else []
    for name, m, part in sides or [("tangent", float(slope.of(at)), ends)]:
        equation = line_tex(m, at, y, variable)
        said = name if slope.exact else f"{name} (estimated)"
        dash = {"left tangent": (0, (6, 3)), "right tangent": (0, (2, 1.5))}.get(name, "-")
        look = {"color": VERMILLION, "lw": 1.5, "ls": dash, "zorder": 4, "label": f"{said} ${equation}$"}
        titled(ax, f"{said} at {plain(at)}: {_spoken(equation)}")
        if math.isfinite(m):
            ax.plot(part, [y + m * (x - at) for x in part], **look)
        else:
            ax.axvline(at, **look)
    ax.plot([at], [y], "o", ms=6.5, color=VERMILLION, mec=WHITE, mew=1.0, zorder=5)
    return [y]


def _mark_kinks(ax: Axes, kinks: list[Kink], height: float) -> list[float]:
    """An open circle at each kink, and the slopes on both sides on its outer side, where room is made for them."""
    heights = []
    for k in kinks[:MOST]:
        ax.plot([k.x], [k.y], "o", ms=6, mfc=WHITE, mec=BLUE, mew=1.4, zorder=4.5)
        titled(ax, f"kink at {plain(k.x)}: left slope {plain(k.left)}, right slope {plain(k.right)}")
        if len(kinks) <= 3:
            side = 1 if k.left >= k.right else -1
            text = f"slope ${tex(k.left)}$ left, ${tex(k.right)}$ right"
            place = {"xytext": (0, side * 8), "textcoords": "offset points", "ha": "center"}
            place["va"] = "bottom" if side > 0 else "top"
            ax.annotate(text, (k.x, k.y), fontsize=9, color=INK, path_effects=halo(), zorder=6, **place)
            heights.append(k.y + side * 0.08 * height)
    return heights


def _draw_lower(ax: Axes, f: Function, slope: Slope, below: Curve, at: float | None) -> None:
    """A derivative; open circles at the ends of its jumps, a point at `at`."""
    head, interval = _derivative_name(f, slope.order), _ends(below)
    bare = f"${head}$" if slope.exact else f"${head}$, estimated by differences"
    label = f"${head} = {slope.tex}$" if slope.tex else bare
    ax.plot(below.x, below.y, color=VERMILLION, lw=1.7, zorder=3, label=label)
    titled(ax, f"graph of the derivative {_spoken(head)}" + ("" if slope.exact else ", estimated"))
    span = interval[1] - interval[0]
    ends = [(_neat(x, span), y) for x, left, right in below.jumps[:MOST] for y in (left, right)]
    ax.plot(*(np.array(ends).T if ends else ([], [])), "o", ms=5, mfc=WHITE, mec=VERMILLION, mew=1.3, zorder=4)
    broken = any(abs(x - at) < 1e-9 * span for x, _ in ends) if at is not None else True
    heights = [] if broken else _mark_slope(ax, f, slope, float(at))  # type: ignore[arg-type]
    _limits(ax, below.low, below.high, heights)
    _finish(ax, interval, at)


def _mark_slope(ax: Axes, f: Function, slope: Slope, at: float) -> list[float]:
    value = float(sample(slope.of, at))
    if not math.isfinite(value):
        return []
    nearby = sample(slope.of, [at - 1e-3, at + 1e-3])
    falling = bool(nearby[1] < nearby[0])
    text = f"${_derivative_name(f, slope.order, tex(at))} = {tex(value)}$"
    ax.plot([at], [value], "o", ms=6.5, color=VERMILLION, mec=WHITE, mew=1.0, zorder=5)
    place = {"xytext": (9, 4 if falling else -4), "textcoords": "offset points", "va": "bottom" if falling else "top"}
    ax.annotate(text, (at, value), fontsize=10, color=INK, path_effects=halo(), zorder=6, **place)
    return [value]


# ---- the pieces


def _prepared(f: Any, ax: Axes | None, at: Any, domain: Any) -> tuple[Function, Any, Interval]:
    """A function of one number, Axes with its curve where none are given, and the interval."""
    from tangently.function import as_function

    function = as_function(f)
    function, _, size = of_numbers(function, at)
    if size != 1:
        raise InputError("a function of two numbers has no tangent line; plot_contour and plot_surface draw it")
    if ax is not None:
        filled = domain is None and ax.has_data()
        return function, shown(ax), ax.get_xlim() if filled else _interval(function, at, domain)
    interval = _interval(function, at, domain)
    ax, curve = own_axes(), trace_curve(function, *interval)
    _draw_curve(ax, function, curve)
    points = [] if at is None else [_value_at(function, float(at), curve)]
    _limits(ax, curve.low, curve.high, points)
    ax.set_xlabel(f"${symbol_tex(variables(function, 1)[0])}$")
    return function, ax, interval


def plot_tangent(f: Any, ax: Axes | None = None, *, at: float, domain: Any = None) -> Axes:
    """The tangent at a point, its equation in the legend; at a kink one from each side.

    >>> plot_tangent("x^2", at=3).get_legend_handles_labels()[1][1]
    'tangent $y = 6 x - 9$'
    """
    with house():
        function, axes, ends = _prepared(f, ax, at, domain)
        limits = axes.get_ylim()
        curve = trace_curve(function, *ends)
        slope, slopes = _traced_slope(function, 1, curve)
        kinks = _kinks(function, curve, slopes) if slope.exact else []
        _draw_tangent(axes, function, float(at), slope, kinks, curve)
        return _added(axes, ends, limits if ax is None else None, float(at))


def plot_secants(
    f: Any, ax: Axes | None = None, *, at: float, secants: Sequence[float] | None = None, domain: Any = None
) -> Axes:
    """The lines through (at, f(at)) and (at + h, f(at + h)) for steps h; their slopes are the difference quotients."""
    with house():
        function, axes, ends = _prepared(f, ax, at, domain)
        low, high = axes.get_ylim()
        seen = _draw_secants(axes, function, float(at), _steps(secants, ends), ends, chosen=secants is not None)
        titled(axes, f"secants through the point at {plain(float(at))}")
        return _added(axes, ends, (min([low, *seen]), max([high, *seen])) if ax is None else None, float(at))


def _added(ax: Axes, ends: Interval, limits: Interval | None, at: float) -> Axes:
    if limits:
        ax.set_ylim(*limits)
    _finish(ax, ends, at)
    return ax


def plot_derivative(
    f: Any, ax: Axes | None = None, *, at: float | None = None, order: int = 1, domain: Any = None
) -> Axes:
    """The derivative of a function of one number, broken at its jumps; its formula in the legend."""
    from tangently.function import as_function

    with house():
        function, at, size = of_numbers(as_function(f), at)
        if size != 1:
            raise InputError("the derivative of a function of one number is drawn; of two numbers, see plot_contour")
        ax = own_axes() if ax is None else shown(ax)
        curve = trace_curve(function, *_interval(function, at, domain))
        if at is not None:
            _value_at(function, at, curve)
        _draw_lower(ax, function, *_traced_slope(function, order, curve), at)
        ax.set_xlabel(f"${symbol_tex(variables(function, 1)[0])}$")
        return ax


def plot_taylor(taylor: Any, ax: Axes | None = None, *, domain: Any = None, title: str | None = None) -> Axes:
    """A function of one number and its Taylor polynomials of every order up to the last, named at their ends."""
    if not isinstance(taylor.at, float):
        raise InputError(f"got a Taylor polynomial about {taylor.at!r:.60}; one of a function of one number was wanted")
    with house():
        own = own_axes() if ax is None else shown(ax)
        interval = _interval(taylor.function, taylor.at, domain)
        curve = trace_curve(taylor.function, *interval)
        _draw_curve(own, taylor.function, curve)
        height = curve.high - curve.low or 1.0
        _draw_polynomials(own, taylor, interval, (curve.low - 0.25 * height, curve.high + 0.25 * height))
        own.set_ylim(curve.low - 0.25 * height, curve.high + 0.25 * height)
        own.set_xlabel(f"${symbol_tex(variables(taylor.function, 1)[0])}$")
        own.plot([taylor.at], [taylor.coefficients[0]], "o", ms=6.5, color=VERMILLION, mec=WHITE, zorder=5)
        titled(own, f"Taylor polynomials about {plain(taylor.at)} up to order {len(taylor.coefficients) - 1}")
        _finish(own, interval)
        if title:
            own.set_title(title, pad=26, loc="left")
    return own


def _draw_polynomials(ax: Axes, taylor: Any, ends: Interval, heights: Interval) -> None:
    """Each polynomial that differs from the one before; the last one vermillion, the others greys with dashes."""
    orders = [k for k, c in enumerate(taylor.coefficients) if k and c] or [0]
    x = np.linspace(*ends, 401)
    dashes = ((0, (1.5, 1.5)), (0, (4, 2)), (0, (6, 2, 1.5, 2)), (0, (8, 2)))
    taken: list[tuple[float, float]] = []
    for i, k in enumerate(orders):
        y = np.polynomial.Polynomial(taylor.coefficients[: k + 1])(x - taylor.at)
        color, width, dash = (VERMILLION, 1.5, "-") if k == orders[-1] else (GREY, 1.1, dashes[i % 4])
        ax.plot(x, y, label=f"order {k}", color=color, lw=width, ls=dash, zorder=4)
        _name_end(ax, x, y, f"{k}", heights, taken, color)


def _name_end(
    ax: Axes, x: np.ndarray, y: np.ndarray, name: str, heights: Interval, taken: list[tuple[float, float]], color: str
) -> None:
    """The order of a polynomial, where its curve leaves the picture; pushed aside where one stands already."""
    inside = np.flatnonzero((y > heights[0]) & (y < heights[1]))
    if not inside.size:
        return
    end = inside[-1]
    px = float((x[end] - x[0]) / (x[-1] - x[0]))
    py = float((y[end] - heights[0]) / (heights[1] - heights[0]))
    while any(abs(px - a) < 0.03 and abs(py - b) < 0.05 for a, b in taken):
        py += 0.05 if py < 0.5 else -0.05
    taken.append((px, py))
    place = {"transform": ax.transAxes, "ha": "left" if px > 0.97 else "center", "va": "center", "clip_on": False}
    ax.text(px + (0.012 if px > 0.97 else 0), py, name, color=color, fontsize=9, path_effects=halo(), zorder=6, **place)
