"""Pictures of functions and their derivatives: curves, contours, surfaces, matrices.

`plot` looks at the arguments of a function and chooses. A function of one number is drawn with its tangent and
secants, and its derivative below. A function of two numbers, or of an array with two entries, is drawn as contours with
its gradient, or as a surface with its tangent plane. Of any other function `along=` draws a line or a plane through a
point. Each piece is a function too: without `ax` it makes a figure of its own; with `ax` it adds itself.

Blue is a value, vermillion a derivative, grey a construction; what color tells, a label, dash or marker tells too.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.errors import DomainError, InputError, TangentlyError, TraceError
from tangently.pictures.sampling import (
    Curve,
    choose_box,
    choose_interval,
    contour_levels,
    round_step,
    sample,
    trace_curve,
)
from tangently.pictures.saving import figure_svg, save_figure
from tangently.pictures.style import (
    BLUE,
    DIVERGING,
    GREY,
    INK,
    LIGHT,
    RAMP,
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
    shown,
    symbol_tex,
    tex,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Function = Callable[..., Any]
Interval = tuple[float, float]
MOST = 8  # kinks that are marked; more would hide the curve
ARROWS = {"angles": "xy", "scale_units": "xy", "scale": 1}  # lengths and directions in the units of the axes
GRID = 101  # samples along each side of a plane
DRAWABLE = (
    "What can be drawn: a function of one number; of two numbers; of an array with two entries (give at=[x0, x1]); "
    "and of anything larger a line through a point, at=point and along=u, or a plane, along=(u, v), "
    "with directions u and v of the point's shape"
)


def plot(
    f: Any,
    ax: Axes | None = None,
    *,
    at: Any = None,
    domain: Any = None,
    order: int = 1,
    secants: Sequence[float] | None = None,
    along: Any = None,
    surface: bool = False,
    **options: Any,
) -> Any:
    """Draw a function. One number: an array of Axes, f above its derivatives; two: contours or a `surface`.

    `at` is the point of the tangent (or the gradient); `domain` is (low, high), or a pair of them for two numbers;
    `order` is how many derivatives are drawn below f; `secants` are their steps h, () for none; `along` is a direction
    or two, for a line or a plane through `at`. Further options go to the piece that is drawn. Where `ax` is given,
    only the main picture is drawn, into it, and it is returned.

    >>> upper, lower = plot("3x^2 - 4x", at=1)
    >>> [line.get_label() for line in upper.lines][1]
    'tangent $y = 2 x - 3$'
    """
    from tangently.function import as_function

    function = as_function(f)
    if along is not None:
        function, at = _through(function, at, along)
    function, at, size = _of_numbers(function, at)
    if size == 1:
        return _stacked(function, ax, at, domain, order, secants, **options)
    draw = plot_surface if surface else plot_contour
    return draw(function, ax, at=at, domain=domain, **options)


# ---------------------------------------------------------------- what kind of function it is


def _parameters(f: Function) -> list[inspect.Parameter] | None:
    """The arguments that must be given; None where the signature does not tell."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return [p for p in found if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def _of_numbers(f: Function, at: Any) -> tuple[Function, Any, int]:
    """The function as one of one or two numbers, the point as a number or a pair, and which of both."""
    arguments = _parameters(f)
    count = len(arguments) if arguments is not None else len(at) if isinstance(at, tuple) else 1
    if isinstance(at, dict) and arguments is not None:
        at = tuple(at[p.name] for p in arguments if p.name in at)
    if count == 1:
        at = at[0] if isinstance(at, tuple) and len(at) == 1 else at
        size = np.size(at) if at is not None else _probed_size(f)
        if np.ndim(at) == 0 and size == 1:
            return f, None if at is None else _number(at, "at"), 1
        if np.shape(at) in ((), (2,)) and size == 2:
            return _paired(f), None if at is None else tuple(float(v) for v in at), 2
    if count == 2 and (at is None or np.shape(at) == (2,)):
        return f, None if at is None else tuple(_number(v, "at") for v in at), 2
    where = "" if at is None else f" at {at!r:.60}"
    plural = "" if count == 1 else "s"
    raise InputError(f"got a function of {count} argument{plural}{where}, which is no line or plane. {DRAWABLE}")


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"got {name}={value!r:.60}; a number was wanted") from error


def _probed_size(f: Function) -> int:
    """Whether f takes a number or an array with two entries, by asking it for both."""
    for size, probe in ((1, 0.6180339887), (2, np.array([0.6180339887, 0.4142135623]))):
        try:
            found = f(probe)
        except DomainError:
            return size
        except (TangentlyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
            continue
        if np.size(found) == 1:
            return size
    raise InputError(f"the function takes neither a number nor an array with two entries. {DRAWABLE}")


def _paired(f: Function) -> Function:
    """A function of an array with two entries as one of two numbers, which can be traced and takes grids."""
    first, second = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    def pair(x0: Any, x1: Any) -> Any:
        return f(x0 * first + x1 * second)

    pair.pointwise = lambda x0, x1: getattr(f, "pointwise", f)(np.stack([x0, x1]))  # type: ignore[attr-defined]
    pair.__name__ = _name(f)
    pair.formula = lambda: _formula(f, (2,))  # type: ignore[attr-defined]
    return pair


def _through(f: Function, at: Any, along: Any) -> tuple[Function, Any]:
    """The function on the line or plane through a point, in steps s and t along the directions."""
    if at is None:
        raise InputError("along= was given without at=; give the point that the line or plane goes through")
    point = np.asarray(at, float)
    directions = np.asarray(along, float)
    if directions.shape not in (point.shape, (2, *point.shape)) or not np.isfinite(directions).all():
        raise InputError(
            f"got along= of shape {directions.shape} for a point of shape {point.shape}; "
            "one direction of the point's shape was wanted for a line, or a pair of them for a plane"
        )
    spread = isinstance(at, tuple)
    call = lambda x: f(*(x[i] for i in range(len(point)))) if spread else f(x)
    if directions.shape == point.shape:
        line = lambda t: call(point + t * directions)
        return line, 0.0
    u, v = directions
    plane = lambda s, t: call(point + s * u + t * v)
    return plane, (0.0, 0.0)


def _name(f: Function) -> str:
    name = getattr(f, "__name__", "f")
    return "f" if name in ("formula", "line", "plane") or len(name) > 12 or not name.isidentifier() else name


def _variables(f: Function, count: int) -> list[str]:
    names = [p.name for p in _parameters(f) or []]
    return names if len(names) == count else ["x", "y"][:count]


def _formula(f: Function, shape: tuple[int, ...] | None = None) -> Any:
    """What f computes, as an expression; only where it needs no point to be known."""
    if hasattr(f, "formula") and shape is None and not isinstance(f, partial):
        return f.formula()
    from tangently.compiled import abstract_recording
    from tangently.function import Expression
    from tangently.simplification import simplify

    recording = abstract_recording(f, None if shape is None else [shape])
    if len(recording.outputs) != 1 or recording.outputs[0].shape != ():
        raise TraceError("a formula with one number as its value was wanted")
    return Expression(simplify(recording.outputs[0]), {})


# ---------------------------------------------------------------- one number


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


def _interval(f: Function, at: float | None, domain: Any) -> Interval:
    if domain is None:
        return choose_interval(f, 0.0 if at is None else at)
    low, high = _bounds(domain)
    return low, high


def _bounds(domain: Any) -> Interval:
    try:
        low, high = (float(v) for v in domain)
    except (TypeError, ValueError) as error:
        raise InputError(f"got domain={domain!r:.60}; two numbers were wanted: domain=(low, high)") from error
    if not (low < high and math.isfinite(high - low)):
        raise InputError(f"got domain={domain!r:.60}; a finite low below a finite high was wanted")
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
    return f"{symbol_tex(_name(f))}{marks}({at or symbol_tex(_variables(f, 1)[0])})"


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
    found = [(_neat(x, span), left, right) for x, left, right in slopes.jumps if apart(x)]
    return [Kink(x, y, left, right) for x, left, right in found if np.isfinite(y := float(sample(f, x)))]


def _neat(x: float, span: float) -> float:
    """The round number that bisection came near."""
    near = 0.0 if abs(x) < 1e-9 * span else float(f"{x:.6g}")
    return near if abs(near - x) < 1e-9 * span else float(x)


def _stacked(
    f: Function, ax: Axes | None, at: float | None, domain: Any, order: int, secants: Any, title: str | None = None
) -> Any:
    """The function with tangent and secants; below it, in Axes of their own, its derivatives."""
    if not 0 <= order <= 4:
        raise InputError(f"got order={order!r}; a whole number from 0 (no derivative) to 4 was wanted")
    with house():
        axes = [shown(ax)] if ax is not None else _column(order + 1)
        interval = _interval(f, at, domain)
        curve = trace_curve(f, *interval)
        slope = _slope(f, 1, float(curve.x[np.nanargmin(np.abs(curve.y))]))
        slopes = trace_curve(partial(_within, f, slope.of), *interval)
        kinks = _kinks(f, curve, slopes) if slope.exact else []
        _draw_upper(axes[0], f, curve, slope, kinks, at, secants)
        for k, lower in enumerate(axes[1:], 1):
            _draw_lower(lower, f, curve, interval, k, at)
        if title:
            axes[0].set_title(title, pad=26, loc="left")
        for above in axes[:-1]:
            above.tick_params(labelbottom=False)
        axes[-1].set_xlabel(f"${symbol_tex(_variables(f, 1)[0])}$")
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
    room = 0.015 * (interval[1] - interval[0])
    ax.set_xlim(interval[0] - room, interval[1] + room)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color="#b3b3b3", lw=0.8, zorder=1)
    if at is not None:
        ax.axvline(at, color=GREY, lw=0.8, ls=(0, (1, 2.5)), zorder=1)
    legend_above(ax)


def _draw_curve(ax: Axes, f: Function, curve: Curve) -> None:
    found = formula_tex(lambda: _formula(f))
    label = _derivative_name(f, 0) + (f" = {found}" if found else "")
    height = curve.high - curve.low
    shown_part = np.clip(curve.y, curve.low - 9 * height, curve.high + 9 * height) if curve.unbounded else curve.y
    ax.plot(curve.x, shown_part, color=BLUE, lw=2.3, zorder=3, label=f"${label}$")
    titled(ax, f"graph of {_said(f, found)} from {plain(curve.x[0])} to {plain(curve.x[-1])}")


def _said(f: Function, found: str | None) -> str:
    """The function in the text alternative: as a line of text, where it has a formula."""
    head = f"{_name(f)}({', '.join(p.name for p in _parameters(f) or [])})"
    return f"{head} = {_formula(f)}" if found else head


def _spoken(equation: str) -> str:
    """The equation of a line for the text alternative: without what only sets it."""
    return re.sub(r"\\mathrm|[{}]", "", equation).replace(r" \times ", "·").replace("\\", "").replace("-", "−")


def _steps(secants: Sequence[float] | None, interval: Interval) -> list[float]:
    """The steps given, or three round ones that fit the picture."""
    if secants is None:
        half = (interval[1] - interval[0]) / 2
        first = round_step(half * 0.5)
        return [first, first / 2, first / 10]
    steps = [_number(h, "secants") for h in secants]
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
    y, variable = _value_at(f, at, curve), symbol_tex(_variables(f, 1)[0])
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


def _draw_lower(ax: Axes, f: Function, curve: Curve, interval: Interval, order: int, at: float | None) -> None:
    """A derivative; open circles at the ends of its jumps, a point at `at`."""
    slope = _slope(f, order, float(curve.x[np.nanargmin(np.abs(curve.y))]))
    below = trace_curve(partial(_within, f, slope.of), *interval)
    head = _derivative_name(f, order)
    bare = f"${head}$" if slope.exact else f"${head}$, estimated by differences"
    label = f"${head} = {slope.tex}$" if slope.tex else bare
    ax.plot(below.x, below.y, color=VERMILLION, lw=1.7, zorder=3, label=label)
    titled(ax, f"below, its derivative of order {order}" if order > 1 else "below, its derivative")
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
    function, _, size = _of_numbers(function, at)
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
    ax.set_xlabel(f"${symbol_tex(_variables(function, 1)[0])}$")
    return function, ax, interval


def plot_tangent(f: Any, ax: Axes | None = None, *, at: float, domain: Any = None) -> Axes:
    """The tangent at a point, its equation in the legend; at a kink one from each side.

    >>> plot_tangent("x^2", at=3).get_legend_handles_labels()[1][1]
    'tangent $y = 6 x - 9$'
    """
    with house():
        own = ax is None
        function, ax, ends = _prepared(f, ax, at, domain)
        limits = ax.get_ylim()
        slope = _slope(function, 1, float(at))
        near = trace_curve(partial(_within, function, slope.of), *ends)
        curve = trace_curve(function, *ends)
        kinks = _kinks(function, curve, near) if slope.exact else []
        _draw_tangent(ax, function, float(at), slope, kinks, curve)
        return _added(ax, ends, limits if own else None, float(at))


def plot_secants(
    f: Any, ax: Axes | None = None, *, at: float, secants: Sequence[float] | None = None, domain: Any = None
) -> Axes:
    """The lines through (at, f(at)) and (at + h, f(at + h)) for steps h; their slopes are the difference quotients."""
    with house():
        own = ax is None
        function, ax, ends = _prepared(f, ax, at, domain)
        low, high = ax.get_ylim()
        seen = _draw_secants(ax, function, float(at), _steps(secants, ends), ends, chosen=secants is not None)
        titled(ax, f"secants through the point at {plain(float(at))}")
        return _added(ax, ends, (min([low, *seen]), max([high, *seen])) if own else None, float(at))


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
        function, at, size = _of_numbers(as_function(f), at)
        if size != 1:
            raise InputError("the derivative of a function of one number is drawn; of two numbers, see plot_contour")
        ax = own_axes() if ax is None else shown(ax)
        interval = _interval(function, at, domain)
        _draw_lower(ax, function, trace_curve(function, *interval), interval, order, at)
        ax.set_xlabel(f"${symbol_tex(_variables(function, 1)[0])}$")
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
        own.set_xlabel(f"${symbol_tex(_variables(taylor.function, 1)[0])}$")
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
    px, py = (x[end] - x[0]) / (x[-1] - x[0]), (y[end] - heights[0]) / (heights[1] - heights[0])
    while any(abs(px - a) < 0.03 and abs(py - b) < 0.05 for a, b in taken):
        py += 0.05 if py < 0.5 else -0.05
    taken.append((px, py))
    place = {"transform": ax.transAxes, "ha": "left" if px > 0.97 else "center", "va": "center", "clip_on": False}
    ax.text(px + (0.012 if px > 0.97 else 0), py, name, color=color, fontsize=9, path_effects=halo(), zorder=6, **place)


# ---------------------------------------------------------------- two numbers


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
        function, at = _through(function, at, along)
    function, at, size = _of_numbers(function, at)
    if size != 2:
        raise InputError("got a function of one number; contours and surfaces want two. plot draws it as a curve")
    gradient, bend = _gradient(function, at or (0.3, 0.2))
    box = choose_box(gradient, bend, at or (0.0, 0.0)) if domain is None else _box(domain)
    x, y = np.meshgrid(*(np.linspace(*side, count) for side in box))
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
    return _bounds(sides[0]), _bounds(sides[1])


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
    found = formula_tex(lambda: _formula(plane.f)) if x == f"${symbol_tex(_variables(plane.f, 2)[0])}$" else None
    if found and not ax.get_title():
        ax.set_title(f"${symbol_tex(_name(plane.f))}({x.strip('$')}, {y.strip('$')}) = {found}$")
    titled(ax, f"contours of {_said(plane.f, found)} with its gradient")


def _axis_names(f: Function) -> tuple[str, str]:
    x, y = _variables(f, 2)
    if f.__name__ == "<lambda>" and (x, y) == ("s", "t"):
        return "$s$  (steps along the first direction)", "$t$  (steps along the second direction)"
    return f"${symbol_tex(x)}$", f"${symbol_tex(y)}$"


def _draw_levels(ax: Axes, plane: Plane, levels: int | Sequence[float]) -> None:
    heights = contour_levels(plane.z, levels) if isinstance(levels, int) else np.sort(np.asarray(levels, float))
    if len(heights) < 2:
        ax.text(0.5, 0.5, f"constant: {plain(float(np.nanmean(plane.z)))}", transform=ax.transAxes, ha="center")
        return
    z = np.ma.masked_invalid(plane.z)
    ax.contourf(plane.x, plane.y, z, heights, colors=_shades(len(heights) + 1), extend="both", zorder=0)
    lines = ax.contour(plane.x, plane.y, z, heights, colors="#4f7f9c", linewidths=0.7, linestyles="-", zorder=1)
    for text in ax.clabel(lines, fmt=plain, fontsize=8, colors=INK, inline=True, inline_spacing=3):
        text.set_path_effects(halo(2.0))


def _shades(count: int) -> Any:
    return _ramp(RAMP)(np.linspace(0, 0.86, count))


def _ramp(colors: Sequence[str]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("house", list(colors))


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


def _gradient_at(plane: Plane, at: Sequence[float]) -> np.ndarray:
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
        ax.quiver(*at, u, v, **ARROWS, **head, color=VERMILLION, edgecolor=WHITE, linewidth=0.8, zorder=5)
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


def _say_beside(ax: Axes, plane: Plane, at: Sequence[float], g: np.ndarray, text: str) -> None:
    """Words on the side that the arrow leaves free, turned inward where the edge is near."""
    (x0, x1), (y0, y1) = plane.box
    px, py = (at[0] - x0) / (x1 - x0), (at[1] - y0) / (y1 - y0)
    right = px < 0.35 or (px <= 0.65 and not g[0] > 0)
    above = py < 0.15 or (py <= 0.85 and not g[1] > 0)
    place = {"ha": "left" if right else "right", "va": "bottom" if above else "top", "textcoords": "offset points"}
    box = {"boxstyle": "round,pad=0.25", "fc": WHITE, "ec": "none", "alpha": 0.82}
    ax.annotate(text, at, (8 if right else -8, 8 if above else -8), fontsize=10, color=INK, bbox=box, zorder=7, **place)


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
    ax.plot_surface(plane.x, plane.y, z, cmap=_ramp(RAMP), vmin=low, vmax=high + 0.2 * (high - low), **look)
    return low, high


def _draw_tangent_plane(ax: Any, plane: Plane, low: float, high: float) -> None:
    """A patch of the plane z = f(a) + ∇f·(x − a), as large as the heights allow."""
    at = np.array(plane.at)
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
    name = symbol_tex(_name(plane.f))
    ax.set(xlabel=x, ylabel=y, zlabel=f"${name}$", xlim=plane.box[0], ylim=plane.box[1])
    ax.view_init(*view)
    ax.set_box_aspect(None, zoom=1.08)
    ax.tick_params(labelsize=8, pad=1, labelfontfamily="DejaVu Sans")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0.975, 0.975, 0.975, 1.0))
        axis._axinfo["grid"].update(color=LIGHT, linewidth=0.6)  # mplot3d has no public way
    found = formula_tex(lambda: _formula(plane.f))
    if title or found:
        ax.set_title(title or f"${name}({x.strip('$')}, {y.strip('$')}) = {found}$")
    titled(ax, f"surface of {_said(plane.f, found)}, heights {plain(heights[0])} to {plain(heights[1])}")


# ---------------------------------------------------------------- matrices, bars, errors


def plot_hessian(
    hessian: Any, labels: Sequence[str] | None = None, ax: Axes | None = None, *, title: str | None = None
) -> Any:
    """A symmetric matrix with its numbers, vermillion below zero and blue above; for 2×2 also ½dᵀHd and its axes.

    >>> matrix, bowl = plot_hessian([[1.0, 0.5], [0.5, 2.0]], ["x", "y"])
    >>> [t.get_text() for t in matrix.texts]
    ['1', '0.5', '0.5', '2']
    """
    h = np.asarray(hessian, float)
    if h.ndim != 2 or h.shape[0] != h.shape[1] or not h.size or not np.isfinite(h).all():
        raise InputError(
            f"got a matrix of shape {h.shape}; a square one of finite entries was wanted, as hessian gives"
        )
    names = list(labels) if labels is not None else [f"x{i}" for i in range(len(h))]
    if len(names) != len(h):
        raise InputError(f"got {len(names)} labels for a {len(h)}×{len(h)} matrix; one for each row was wanted")
    with house():
        double = len(h) == 2 and ax is None
        figure = own_figure(7.4, 3.7) if double else None
        axes = list(figure.subplots(1, 2)) if figure else [own_axes(4.6, 4.2) if ax is None else shown(ax)]
        _draw_matrix(axes[0], h, names)
        if double:
            _draw_quadratic(axes[1], (h + h.T) / 2, names)
        if title:
            axes[0].set_title(title)
    return panels(axes) if double else axes[0]


def _draw_matrix(ax: Axes, h: np.ndarray, names: Sequence[str]) -> None:
    n, most = len(h), float(np.abs(h).max()) or 1.0
    edges = np.arange(n + 1) - 0.5  # a mesh stays vectors; an image would be refused by a page with a strict policy
    ax.pcolormesh(edges, edges, h, cmap=_ramp(DIVERGING), vmin=-most, vmax=most)
    ax.set(ylim=(n - 0.5, -0.5), aspect="equal")
    if n <= 12:
        texts = [plain(value, 4 if n < 4 else 3 if n < 7 else 2) for value in h.flat]
        size = min(12.0, 330 / n / max(map(len, texts)))  # points: the longest number fits its cell
        for (i, j), value in np.ndenumerate(h):
            color = WHITE if abs(value) > 0.75 * most else INK
            ax.text(j, i, texts[i * n + j], ha="center", va="center", color=color, fontsize=size)
    shown_names = [f"${symbol_tex(name)}$" for name in names] if n <= 30 else []
    ax.set_xticks(range(len(shown_names)), shown_names)
    ax.set_yticks(range(len(shown_names)), shown_names)
    ax.tick_params(length=0, labelsize=10.5, top=False, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    values = np.linalg.eigvalsh((h + h.T) / 2)
    few = ", ".join(map(plain, values)) if n <= 4 else f"{plain(values[0])} … {plain(values[-1])}"
    ax.set_xlabel(f"eigenvalues {few}" if n > 1 else f"eigenvalue {few}")
    titled(ax, f"Hessian, a {n}×{n} matrix with eigenvalues from {plain(values[0])} to {plain(values[-1])}")


def _draw_quadratic(ax: Axes, h: np.ndarray, names: Sequence[str]) -> None:
    """Level lines of ½dᵀHd, an ellipse where it curves one way, and the eigenvectors with their eigenvalues."""
    d = np.linspace(-1.25, 1.25, 121)
    x, y = np.meshgrid(d, d)
    q = 0.5 * (h[0, 0] * x**2 + 2 * h[0, 1] * x * y + h[1, 1] * y**2)
    most = float(np.abs(q).max())
    if most:
        heights = np.linspace(-most, most, 18)
        ax.contourf(x, y, q, heights, cmap=_ramp(DIVERGING), vmin=-1.6 * most, vmax=1.6 * most, zorder=0)
        ax.contour(x, y, q, heights, colors="#6b6b6b", linewidths=0.5, linestyles="-", zorder=1)
    values, vectors = np.linalg.eigh(h)
    for value, v in zip(values, vectors.T):
        v = v if v[np.argmax(np.abs(v))] > 0 else -v
        ax.quiver(0, 0, *(0.8 * v), **ARROWS, width=0.009, color=INK, zorder=3)
        text = f"$\\lambda = {tex(float(value))}$"
        ax.text(*(0.98 * v), text, ha="center", va="center", fontsize=10, path_effects=halo(3), zorder=4)
    framed(ax)
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    ax.set_title(r"$\frac{1}{2}\, d^{T} H\, d$: " + _shape(values))
    ax.set_xlabel(f"step in ${symbol_tex(names[0])}$")
    ax.set_ylabel(f"step in ${symbol_tex(names[1])}$")
    titled(ax, f"its quadratic form: {_shape(values)}")


def _shape(values: np.ndarray) -> str:
    tiny = 1e-12 * np.abs(values).max()
    up, down = (values > tiny).any(), (values < -tiny).any()
    flat = (np.abs(values) <= tiny).any()
    if up and down:
        return "saddle"
    return ("valley" if flat else "bowl") if up else ("ridge" if flat else "dome") if down else "flat"


def plot_importance(
    names: Sequence[str], values: Any, ax: Axes | None = None, *, most: int = 20, title: str | None = None
) -> Axes:
    """|∂loss/∂input| as bars, the largest above, the signed value at the end; a hatched bar is a negative one."""
    slopes = np.asarray(values, float).ravel()
    if len(names) != len(slopes) or not len(slopes) or not np.isfinite(slopes).all():
        raise InputError(f"got {len(names)} names and {len(slopes)} values; one finite value for each name was wanted")
    order = np.argsort(-np.abs(slopes), kind="stable")[:most]
    with house():
        ax = own_axes(6.4, 0.9 + 0.3 * len(order)) if ax is None else shown(ax)
        picked, rows = slopes[order], range(len(order))
        bars = ax.barh(rows, np.abs(picked), height=0.68, color=VERMILLION, edgecolor=WHITE, linewidth=0)
        for row, bar, value in zip(rows, bars, picked):
            if value < 0:
                bar.set(facecolor="#f0b48a", hatch="////", edgecolor=VERMILLION)
            ax.annotate(plain(value), (abs(value), row), (4, 0), textcoords="offset points", va="center", fontsize=9)
        _frame_bars(ax, [names[i] for i in order], len(slopes), title)
    titled(ax, "importance: " + ", ".join(f"{names[i]} {plain(slopes[i])}" for i in order))
    return ax


def _frame_bars(ax: Axes, names: Sequence[str], total: int, title: str | None) -> None:
    framed(ax)
    ax.grid(visible=False, axis="y")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.12)
    left_out = total - len(names)
    more = f"; {left_out} smaller ones not shown" if left_out else ""
    ax.set_xlabel(rf"$|\partial\,\mathrm{{loss}}/\partial\,\mathrm{{input}}|$  (hatched: negative slope{more})")
    if title:
        ax.set_title(title, loc="left")


def plot_sweep(sweep: Any, ax: Axes | None = None) -> Axes:
    """The error of difference quotients against the step, as `StepSweep.plot` draws it, in the house style."""
    with house():
        ax = own_axes(6.8, 4.4) if ax is None else shown(ax)
        sweep.plot(ax)
        framed(ax)
        titled(ax, f"error of difference quotients at {plain(sweep.x)} against the step h")
    return ax


__all__ = [
    "figure_svg", "plot", "plot_contour", "plot_derivative", "plot_hessian", "plot_importance", "plot_secants",
    "plot_surface", "plot_sweep", "plot_tangent", "plot_taylor", "save_figure",
]  # fmt: skip
