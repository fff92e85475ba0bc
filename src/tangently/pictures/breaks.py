"""Pictures of continuity and differentiability: every break and every corner marked by its kind, and named.

The curve is cut where it is known to break and never joined across. A jump has a bracket of its height, a hole a hollow
circle, a pole a dashed line, a wild spot (sin(1/x) at 0) a hatched column; a corner has a tangent from each side, with
its slope. What a mark means is also said in words, on labels above the curve that make room for one another.

Glossary: c the place of a break, u a label's place in the width of the axes, from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError
from tangently.expr import Expr
from tangently.pictures.sampling import Function, sample
from tangently.pictures.strokes import (
    MARGIN,
    Stroke,
    circle,
    curve_label,
    draw_stroke,
    is_formula,
    of_number,
    set_tex,
    short_number,
    stroke,
    trusted,
    value_at,
    window,
)
from tangently.pictures.style import (
    GREY,
    INK,
    LIGHT,
    VERMILLION,
    framed,
    halo,
    house,
    legend_above,
    line_tex,
    own_axes,
    plain,
    plain_ticks,
    symbol_tex,
    text_box,
    titled,
)
from tangently.printing import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tangently.smoothness.results import Continuity, Differentiability, Discontinuity, Roughness

ROWS = 3  # of labels above the curve; what does not fit into them keeps its mark only
LABEL = 8.5  # points
WIDE = (-10.0, 10.0)  # what is shown of an interval without an end


@dataclass(frozen=True)
class Place:
    """Where the curve is special: its place in words, what is said about it."""

    at: float
    text: str


@dataclass(frozen=True)
class View:
    """What is drawn: f between low and high."""

    f: Function
    variable: Expr
    low: float
    high: float


def plot_continuity(result: Continuity, ax: Axes | None = None, *, domain: Any = None) -> Figure:
    """Draw f on the interval (or around the point) with its discontinuities. Returns the figure."""
    with house():
        breaks = [d.at for d in result.discontinuities]
        view = _view(result, domain, breaks)
        ax = ax if ax is not None else own_axes(6.8, 4.4)
        seen = [d for d in result.discontinuities if view.low <= d.at <= view.high]
        found = stroke(view.f, view.low, view.high, [*breaks, *result.accumulating])
        heights = [h for d in seen for h in _heights_of(d) if _close(found, h)]
        places = [Place(d.at, f"{where(d)}: {_kind(d)}") for d in seen]
        places += [Place(p, f"{plain(p)}: infinitely many") for p in result.accumulating]
        _frame(ax, view, [found.low, found.high, *heights], places)
        draw_stroke(ax, found, curve_label(result.function, view.variable))
        _draw_gaps(ax, view, result.undefined)
        for d in seen:
            _DRAW.get(d.kind, _draw_open_question)(ax, view, d)
        for p in result.accumulating:
            ax.axvline(p, color=GREY, lw=1.0, ls=(0, (1, 2)), zorder=2)
        _finish(ax, view, _title_of(result), continuity_caption(result))
        return ax.figure  # type: ignore[return-value]


def plot_differentiability(result: Differentiability, ax: Axes | None = None, *, domain: Any = None) -> Figure:
    """Draw f with its tangents: one where it is differentiable, one from each side where it is not."""
    if not isinstance(result.variable, Expr) or result.variable.shape != ():
        raise InputError(
            "a picture of tangents needs a function of one number; of several use tangently.plot(f, at=…, along=…)"
        )
    with house():
        points = corners(result)
        view = _view(result, domain, [p.at for p in points])
        ax = ax if ax is not None else own_axes(6.8, 4.4)
        seen = [p for p in points if view.low <= p.at <= view.high]
        torn = [p.at for p in seen if p.kind in ("discontinuous", "undefined-removable", "undefined-nonremovable")]
        found = stroke(view.f, view.low, view.high, torn)
        places = [Place(p.at, f"{where(p)}: {p.kind}") for p in seen if p.kind != "smooth"]
        _frame(ax, view, [found.low, found.high], places)
        draw_stroke(ax, found, curve_label(result.function, view.variable))
        for k, p in enumerate(seen):
            _draw_tangents(ax, view, found, p, alone=len(seen) == 1, named=k == 0)
        _finish(ax, view, _smooth_title(result), smooth_caption(result))
        return ax.figure  # type: ignore[return-value]


# ---------------------------------------------------------------- what is seen


def _view(result: Any, domain: Any, breaks: Sequence[float]) -> View:
    near = (
        _number(result.at)
        if result.at is not None
        else sum(result.on) / 2
        if all(map(math.isfinite, result.on))
        else 0.0
    )
    f = of_number(result.function, result.variable, result.callable, near=near)
    if domain is not None:
        from tangently.pictures.subject import bounds

        low, high = bounds(domain)
    elif result.on is not None:
        low, high = _shown_part(result.on, breaks)
    else:
        low, high = window(f, _number(result.at))
    return View(trusted(f, low, high), result.variable, low, high)


def _number(at: Any) -> float:
    return float(np.asarray(at[0] if isinstance(at, (tuple, list)) and len(at) == 1 else at))


def _shown_part(on: tuple[float, float], breaks: Sequence[float]) -> tuple[float, float]:
    """The interval; of one without an end the part that holds the breaks, or a few units."""
    reach = max([*(abs(b) for b in breaks), 5.0]) * 2
    low = on[0] if math.isfinite(on[0]) else (min(on[1] - reach, -reach) if math.isfinite(on[1]) else -reach)
    high = on[1] if math.isfinite(on[1]) else max(low + reach, reach)
    return low, high


def where(point: Any) -> str:
    """The place of a break: exact where it is known so and short."""
    text = to_text(point.exact) if isinstance(point.exact, Expr) else ""
    return text if text and len(text) <= 12 else plain(point.at)


def _heights_of(d: Discontinuity) -> list[float]:
    limit = d.left if d.left is not None else d.right
    return [float(v) for v in (d.left, d.right, d.value, limit) if v is not None and math.isfinite(v)]


def _close(found: Stroke, height: float) -> bool:
    span = (found.high - found.low) or abs(found.high) or 1.0
    return found.low - 3 * span <= height <= found.high + 3 * span


def _kind(d: Discontinuity) -> str:
    if d.kind == "jump" and d.height is not None:
        return f"jump of {short_number(d.height)}"
    return {"removable": "hole", "infinite": "infinite", "essential": "essential"}.get(d.kind, "undecided")


# ---------------------------------------------------------------- the frame and the labels


def _frame(ax: Axes, view: View, heights: Sequence[float], places: Sequence[Place]) -> None:
    """Axes with a strip for the labels above the curve."""
    low, high = min(heights), max(heights)
    room = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
    edge = 0.015 * (view.high - view.low)
    ax.set_xlim(view.low - edge, view.high + edge)
    rows = _rows(ax, places)
    count = max((row + 1 for row in rows.values()), default=0)
    strip = 0.075 * count
    ax.set_ylim(low - room, high + room + strip / (1 - strip) * (high - low + 2 * room))
    for place, row in rows.items():
        _write(ax, place, 1 - 0.075 * row - 0.012)


def _rows(ax: Axes, places: Sequence[Place]) -> dict[Place, int]:
    """A row for each label in which it touches no other; labels that find none are left out."""
    width = ax.get_window_extent().width / ax.figure.dpi * 72
    ends = [-1.0] * ROWS
    found: dict[Place, int] = {}
    for place in sorted(places, key=lambda p: p.at):
        left = _left_edge(ax, place, width)
        row = next((k for k, end in enumerate(ends) if left > end), None)
        if row is not None:
            found[place], ends[row] = row, left + text_box(place.text, LABEL)[0] / width + 0.02
    return found


def _left_edge(ax: Axes, place: Place, width: float) -> float:
    """Where a label begins, in the width of the axes: centered over its place, but inside."""
    low, high = ax.get_xlim()
    half = text_box(place.text, LABEL)[0] / width / 2
    return min(max((place.at - low) / (high - low) - half, 0.002), 1 - 2 * half - 0.002)


def _write(ax: Axes, place: Place, height: float) -> None:
    width = ax.get_window_extent().width / ax.figure.dpi * 72
    look = {"fontsize": LABEL, "color": INK, "va": "top", "ha": "left", "zorder": 8, "path_effects": halo(3)}
    ax.text(_left_edge(ax, place, width), height, place.text, transform=ax.transAxes, **look)
    ax.plot([place.at] * 2, [height - 0.05, 0.0], color=LIGHT, lw=0.9, zorder=0.5, transform=ax.get_xaxis_transform())


def _finish(ax: Axes, view: View, title: str, caption: str) -> None:
    framed(ax)
    plain_ticks(ax)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color="#b3b3b3", lw=0.8, zorder=1)
    ax.set_xlabel(f"${symbol_tex(view.variable.name or 'x')}$\n{caption}", linespacing=1.5)
    titled(ax, f"{title.replace('$', '')}. {caption}")
    rows = legend_above(ax)
    ax.set_title(title, loc="left", pad=5 + 15.5 * rows + text_box(title, 11)[1], fontsize=11)


# ---------------------------------------------------------------- discontinuities


def _sides(d: Discontinuity) -> list[float]:
    return [float(v) for v in dict.fromkeys((d.left, d.right)) if v is not None and math.isfinite(v)]


def _circles(ax: Axes, d: Discontinuity) -> None:
    """Hollow where a side ends without taking its value, filled at f itself."""
    held = d.value is not None and math.isfinite(d.value)
    same = lambda y: held and math.isclose(y, d.value, rel_tol=1e-9, abs_tol=1e-12)  # type: ignore[arg-type]
    for y in _sides(d):
        if not same(y) and _visible(ax, y):
            circle(ax, d.at, y, filled=False, label=_once(ax, "not taken there"))
    if held and _visible(ax, d.value):  # type: ignore[arg-type]
        circle(ax, d.at, float(d.value), filled=True, label=_once(ax, "value there"))  # type: ignore[arg-type]


def _visible(ax: Axes, y: float) -> bool:
    low, high = ax.get_ylim()
    return low <= y <= high


def _once(ax: Axes, label: str) -> str | None:
    """A label for the legend, unless it has it."""
    return None if label in ax.get_legend_handles_labels()[1] else label


def _draw_hole(ax: Axes, view: View, d: Discontinuity) -> None:
    _circles(ax, d)


def _draw_jump(ax: Axes, view: View, d: Discontinuity) -> None:
    """Circles, and beside them a bracket of the height."""
    if d.left is not None and d.right is not None:
        x, tick = d.at, 0.008 * (view.high - view.low)
        ax.plot([x, x], [d.left, d.right], color=GREY, lw=1.1, zorder=2.5, label=_once(ax, "height of a jump"))
        for y in (d.left, d.right):
            ax.plot([x - tick, x + tick], [y, y], color=GREY, lw=1.1, zorder=2.5)
    _circles(ax, d)


def _draw_pole(ax: Axes, view: View, d: Discontinuity) -> None:
    ax.axvline(d.at, color=GREY, lw=1.2, ls=(0, (6, 3)), zorder=2, label=_once(ax, "asymptote"))
    _circles(ax, d)


def _draw_wild(ax: Axes, view: View, d: Discontinuity) -> None:
    half = 0.008 * (view.high - view.low)
    label = _once(ax, "no limit from a side")
    ax.axvspan(d.at - half, d.at + half, fc="none", ec=GREY, hatch="////", lw=0.0, zorder=3.2, label=label)
    _circles(ax, d)


def _draw_open_question(ax: Axes, view: View, d: Discontinuity) -> None:
    ax.axvline(d.at, color=GREY, lw=1.2, ls=(0, (1, 2)), zorder=2, label=_once(ax, "not decided"))
    _circles(ax, d)


_DRAW: dict[str, Any] = {
    "removable": _draw_hole,
    "jump": _draw_jump,
    "infinite": _draw_pole,
    "essential": _draw_wild,
}


def _draw_gaps(ax: Axes, view: View, gaps: Sequence[tuple[float, float]]) -> None:
    """Parts of the interval where f has no value."""
    for a, b in gaps:
        look = {"fc": "#f2f2f2", "ec": "#cccccc", "hatch": "\\\\", "lw": 0.0, "zorder": 0.4}
        ax.axvspan(max(a, view.low), min(b, view.high), label=_once(ax, "f has no value"), **look)


def _title_of(result: Continuity) -> str:
    verdict = {True: "is continuous", False: "is not continuous", None: "may or may not be continuous"}
    place = f"at {short_number(result.at)}" if result.at is not None else f"on {interval(result.on)}"
    return f"{_name(result)} {verdict[result.continuous]} {place}    ({result.how})"


def interval(on: tuple[float, float] | None) -> str:
    """[a, b], or with round brackets at an infinite end.

    >>> interval((-2.0, math.inf))
    '[−2, ∞)'
    """
    low, high = on or (-math.inf, math.inf)
    left, right = "[" if math.isfinite(low) else "(", "]" if math.isfinite(high) else ")"
    return f"{left}{short_number(low)}, {short_number(high)}{right}"


def _name(result: Any) -> str:
    found = set_tex(to_latex(result.function)) if is_formula(result.function, result.variable) else None
    text = found.replace(r"\frac", r"\dfrac") if found and len(found) < 70 else ""
    return text or f"$f({symbol_tex(result.variable.name or 'x')})$"


def continuity_caption(result: Continuity) -> str:
    """The three conditions at a point; on an interval what was found, and whether it is all."""
    if result.at is not None:
        return "\n".join(str(c) for c in result.conditions)
    count = len(result.discontinuities)
    found = {0: "no discontinuity", 1: "one discontinuity"}.get(count, f"{count} discontinuities")
    more = f", infinitely many at {', '.join(plain(p) for p in result.accumulating)}" if result.accumulating else ""
    return f"{found}{more}; {'proven: there is no other' if result.complete else 'not proven to be all'}"


# ---------------------------------------------------------------- tangents


def corners(result: Differentiability) -> list[Roughness]:
    """The points of a result: those of an interval, or the one that was asked about."""
    from tangently.smoothness.results import Roughness

    if result.on is not None:
        return list(result.points)
    left, right = (result.left, result.right) if result.derivative is None else (float(result.derivative),) * 2
    exact = result.exact if isinstance(result.exact, Expr) else None
    return [Roughness(_number(result.at), result.kind, exact, left, right, result.how)]


def _draw_tangents(ax: Axes, view: View, found: Stroke, p: Roughness, *, alone: bool, named: bool) -> None:
    """A line where both slopes agree, a half line from each side where they do not; and the point."""
    ends = _ends(view, p)
    here = value_at(view.f, p.exact, p.at) if p.exact is not None else float(sample(view.f, p.at))
    joined = p.left is not None and p.left == p.right and math.isfinite(p.left) and ends[0] == ends[1]
    if joined:
        _draw_half(ax, view, p, ends[0], p.left, 0, alone)
    for side, slope, y in () if joined else ((-1, p.left, ends[0]), (1, p.right, ends[1])):
        if slope is not None and math.isfinite(y):
            _draw_half(ax, view, p, y, slope, side, alone)
    for y in dict.fromkeys(v for v in ends if math.isfinite(v)):
        if not math.isclose(y, here, rel_tol=1e-9, abs_tol=1e-12):
            circle(ax, p.at, y, filled=False)
    if math.isfinite(here) and _visible(ax, here):
        circle(ax, p.at, here, filled=True, color=VERMILLION)


def _ends(view: View, p: Roughness) -> tuple[float, float]:
    """What f tends to from the left and right: its value where it is continuous, else the curve a hair away."""
    if p.kind not in ("discontinuous", "undefined-removable", "undefined-nonremovable"):
        y = float(sample(view.f, p.at))
        return y, y
    step = 1e-3 * MARGIN * (view.high - view.low)
    y = sample(view.f, np.array([p.at - 2 * step, p.at - step, p.at + step, p.at + 2 * step]))
    left, right = 2 * y[1] - y[0], 2 * y[2] - y[3]
    if abs(left - right) <= 1e-6 * (1 + abs(left)):
        left = right = (left + right) / 2
    return float(left), float(right)


def _draw_half(ax: Axes, view: View, p: Roughness, y: float, slope: float | None, side: int, alone: bool) -> None:
    """The tangent from one side (0: both), as far as the picture goes, or a short piece where there are many."""
    assert slope is not None
    reach = (view.high - view.low) * (1.0 if alone else 0.08)
    dash = {0: "-", -1: (0, (6, 3)), 1: (0, (2, 1.5))}[side]
    name = {0: "tangent", -1: "from the left", 1: "from the right"}[side]
    equation = line_tex(slope, p.at, y, symbol_tex(view.variable.name or "x"))
    said = f"slope {short_number(slope)}" if math.isfinite(slope) else f"slope {short_number(slope)}: vertical"
    text = f"{name}: ${equation}$, {said}" if alone else None
    look: dict[str, Any] = {"color": VERMILLION, "lw": 1.6, "ls": dash, "zorder": 4, "label": text}
    if math.isinf(slope):
        low, high = ax.get_ylim()
        tall = (high - low) * (1.0 if alone else 0.12)
        ax.plot([p.at, p.at], [y, y + tall * math.copysign(1.0, slope) * (side or 1)], **look)
    else:
        xs = np.array([p.at - reach * (side <= 0), p.at + reach * (side >= 0)])
        ax.plot(xs, y + slope * (xs - p.at), **look)


def _smooth_title(result: Differentiability) -> str:
    if result.on is not None:
        verdict = {True: "is differentiable", False: "is not differentiable", None: "may or may not be differentiable"}
        return f"{_name(result)} {verdict[result.differentiable]} on {interval(result.on)}    ({result.how})"
    order = "" if result.order is None else f" ($C^{{{_power(result.order)}}}$)"
    return f"{_name(result)} at {short_number(_number(result.at))}: {result.kind}{order}    ({result.how})"


def _power(order: float) -> str:
    return r"\infty" if math.isinf(order) else str(int(order))


def smooth_caption(result: Differentiability) -> str:
    """The derivative, or both slopes, or why there is none."""
    if result.on is not None:
        count = len(result.points)
        found = {0: "no corner", 1: "one point"}.get(count, f"{count} points") + (
            " without a derivative" if count else ""
        )
        return f"{found}; {'proven: there is no other' if result.complete else 'not proven to be all'}"
    if result.derivative is not None:
        return f"the slopes from both sides agree: the derivative is {short_number(float(result.derivative))}"
    if result.left is None and result.right is None:
        return "the slopes of the secants have no limit from either side"
    if result.kind == "undefined-removable" and result.left == result.right:
        return f"f has no value there; with the hole filled the slope is {short_number(result.left)}"  # type: ignore[arg-type]
    say = lambda s: "none" if s is None else short_number(s)
    return f"slope from the left {say(result.left)}, from the right {say(result.right)}: no derivative"


__all__ = ["continuity_caption", "corners", "interval", "plot_continuity", "plot_differentiability", "smooth_caption"]
