"""Curves of one number that do not lie: broken where f breaks, shaded where f swings faster than a line can show.

A curve is first looked at in columns about as wide as a pixel. Where f turns several times inside a column, no line
through samples means anything (the samples of sin(1/x) near 0 look like noise, or by chance like a calm curve), so
these columns are drawn as the range that f covers in them. What is left is traced by `sampling.trace_curve`, between
the places where it is known to break. Floats lie too: where rounding has eaten the value, as in (1 - cos x)/x² at
10⁻⁸ or x (√(x² + 1) - x) at 10⁹, a few probes differ from the ball of the same expression, and then every value is the
middle of a ball.

Glossary: u the coordinate that is drawn, x = to_x(u) the variable (they differ on a logarithmic axis).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.errors import InputError, TangentlyError
from tangently.expr import INPUT, Expr, const, evaluate, inputs_of, substitute
from tangently.pictures.sampling import (
    COUNT,
    Curve,
    Function,
    _grows,
    _heights,
    choose_interval,
    sample,
    trace_curve,
)
from tangently.pictures.style import BLUE, WHITE, _for_matplotlib, plain, settable, symbol_tex
from tangently.printing import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, EACH, CLOSER = 360, 12, 72  # columns of a picture, samples in each, and in each that turns too often
TURNS = 3  # in one column: more than a line can show
FINE = 4 * COUNT  # samples of the lines
MARGIN = 0.002  # of the width, left free beside a place where f breaks; a circle covers it
SHARP = (128, 512, 2048)  # bits that are tried where floats are not to be trusted
CALM = 40  # turns of a curve that can still be followed
WINDOWS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4)


# ---------------------------------------------------------------- the function of a number


def of_number(
    expr: Any, x: Expr, call: Any = None, values: Mapping[str, float] | None = None, near: float = 0.0
) -> Function:
    """The function of one number that an expression is; the callable, where it is the whole of it (it branches).

    >>> from tangently.expr import symbol
    >>> import tangently.primitives
    >>> x, a = symbol("x"), symbol("a")
    >>> of_number(a * x, x, values={"a": 3})(2.0)
    6.0
    """
    if not isinstance(expr, Expr) or (x not in inputs_of([expr]) and callable(call)):
        return call
    given = given_values(expr, [x], values or {})
    known = substitute([expr], {n: const(float(v)) for n, v in given.items()})[0]

    def f(v: Any) -> Any:
        return evaluate([known], {x: v})[0]

    f.expression = known  # type: ignore[attr-defined]
    f.variable = x  # type: ignore[attr-defined]
    return f if given or not callable(call) or _agree(f, call, near) else call


def _agree(f: Function, call: Function, near: float) -> bool:
    """Does the expression give what the callable gives? Of a function that branches it may be one branch."""
    middle = near if math.isfinite(near) else math.copysign(20.0, near)
    x = middle + np.array([-2.7, -1.3, -0.37, -0.1, 0.1, 0.37, 1.3, 2.7]) * max(1.0, abs(middle) / 10)
    return bool(np.allclose(sample(f, x), sample(call, x), rtol=1e-6, atol=1e-9, equal_nan=True))


def given_values(expr: Expr, moving: Sequence[Expr], values: Mapping[str, float]) -> dict[Expr, float]:
    """The numbers for the inputs that do not move."""
    others = [n for n in inputs_of([expr]) if n not in moving and n.params[0].value is None]
    missing = [n.name for n in others if n.name not in values]
    if missing:
        names = ", ".join(map(str, missing))
        raise InputError(f"the picture has no values for {names}; give them, values={{'{missing[0]}': 1.0}}")
    return {n: values[str(n.name)] for n in others}


def trusted(f: Function, low: float, high: float) -> Function:
    """The function as it is where floats give what the balls give, and else evaluated in balls."""
    if not hasattr(f, "expression"):
        return f
    probes = np.concatenate([np.linspace(low, high, 13)[1:-1] + 1e-3 * (high - low), _close_to_zero(low, high)])
    balls, floats = sharp(f), sample(f, probes)
    values = np.array([balls(p) for p in probes.tolist()])
    both = np.isfinite(values) & np.isfinite(floats)
    height = np.ptp(np.quantile(values[both], (0.1, 0.9))) if both.any() else 0.0
    size = max(height, 1e-9 * np.abs(values[both]).max(initial=0.0))
    return balls if both.any() and (np.abs(values - floats)[both] > 0.003 * size).any() else f


def _close_to_zero(low: float, high: float) -> np.ndarray:
    """A few places near the middle, where limits are taken and where cancellation is worst."""
    middle, width = (low + high) / 2, high - low
    return middle + width / COLUMNS * np.array([-3.3, -1.2, 1.3, 3.2])


def sharp(f: Function) -> Function:
    """The middles of balls: right to the last digits, whatever cancels; NaN where nothing finite is proven."""
    from tangently.enclosure import enclose

    def value(v: Any) -> float:
        try:
            for bits in SHARP:
                [y] = enclose([f.expression], {f.variable: float(v)}, precision=bits)  # type: ignore[attr-defined]
                if y.is_finite() and float(y.rad()) <= 1e-6 * abs(float(y.mid())) + 1e-300:
                    return float(y.mid())
        except (TangentlyError, OverflowError):
            return float(sample(f, v))
        return math.nan

    return value


def value_at(f: Function, point: Any, x: float) -> float:
    """f at a point as mathematics has it: NaN where a part is not defined, though floats go on (e^(-1/0²) = 0)."""
    if hasattr(f, "expression"):
        from tangently.enclosure import enclose

        try:
            here = enclose([point], {})[0] if isinstance(point, Expr) else x
            [y] = enclose([f.expression], {f.variable: here})  # type: ignore[attr-defined]
        except TangentlyError:
            return float(sample(f, x))
        if not y.is_finite():
            return math.nan
        if float(y.rad()) <= 1e-9 * (1 + abs(float(y.mid()))):
            return float(y.mid())
    return float(sample(f, x))


# ---------------------------------------------------------------- where to look


def window(f: Function, a: float, *, sides: Sequence[int] = (-1, 1)) -> tuple[float, float]:
    """Around a point: what `choose_interval` takes, unless a wild spot at the point itself has made it tiny.

    >>> window(np.exp, 0.0), window(lambda x: np.sin(1 / x), 0.0)
    ((-2.0, 2.0), (-2.0, 2.0))
    """
    scale = max(1.0, abs(a) / 10)
    low, high = choose_interval(f, a)
    calm = _calm(f, a, low, high)
    if high - low < 0.1 * scale or not calm:
        half = next((w * scale for w in WINDOWS if _calm(f, a, a - w * scale, a + w * scale)), (high - low) / 2)
        low, high = a - half, a + half
    return one_sided(low, high, a, sides)


def one_sided(low: float, high: float, a: float, sides: Sequence[int]) -> tuple[float, float]:
    """Of the side that is not asked for, only a little."""
    if tuple(sides) == (1,):
        return max(low, a - 0.25 * (high - a)), high
    return (low, min(high, a + 0.25 * (a - low))) if tuple(sides) == (-1,) else (low, high)


def _calm(f: Function, a: float, low: float, high: float) -> bool:
    """Can the curve be followed, but for a spot around the point?"""
    x, y = _columns(f, low, high)
    turns = _turns(y)
    away = np.abs(x[:, 0] - a) > 0.15 * (high - low)
    return bool((turns >= TURNS).mean() < 0.3 and turns[away].sum() <= CALM)


# ---------------------------------------------------------------- tracing


class Stroke(NamedTuple):
    """What is drawn of f: lines, and `shade`, one array of rows (u, low, high) for every stretch too wild for a line.

    `low` and `high` bound what is worth showing.
    """

    curves: tuple[Curve, ...]
    shade: tuple[np.ndarray, ...]
    low: float
    high: float


def stroke(f: Function, low: float, high: float, breaks: Sequence[float] = ()) -> Stroke:
    """The curve between two numbers, cut at the places in `breaks`.

    >>> found = stroke(np.sin, 0.0, 6.0)
    >>> len(found.curves), found.shade, round(found.low, 3), round(found.high, 3)
    (1, (), -1.0, 1.0)
    """
    x, y = _columns(f, low, high)
    if np.isnan(y).all():
        raise InputError(f"f has no finite value between {low:g} and {high:g}; give a domain=(low, high) where it has")
    wild = _wild(y)
    edges = np.linspace(low, high, COLUMNS + 1)
    shade = tuple(_range_of(f, edges, run) for run in _runs(wild))
    curves = tuple(c for part in _parts(edges, wild, breaks) if (c := _line(f, *part, high - low)))
    return Stroke(curves, shade, *_span(curves, shade, y, _grows(f, x.ravel(), y.ravel())))


def _columns(f: Function, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Samples in columns, each shifted a little differently, so that no period of f meets them in step."""
    shift = np.modf(0.618034 * np.arange(1, COLUMNS + 1))[0]
    places = (np.arange(EACH)[None, :] + shift[:, None]) / EACH
    x = low + (np.arange(COLUMNS)[:, None] + places) * ((high - low) / COLUMNS)
    return x, sample(f, x)


def _turns(y: np.ndarray) -> np.ndarray:
    """How often f turns in each column, by amounts that can be seen."""
    finite = y[np.isfinite(y)]
    if not finite.size:
        return np.zeros(len(y), int)
    a, b = np.quantile(finite, (0.05, 0.95))
    step = np.diff(np.clip(y, a - 0.5 * (b - a), b + 0.5 * (b - a)), axis=1)  # up one side of a pole, down the other
    step = np.where(np.abs(step) > 0.004 * (b - a), np.sign(step), 0.0)
    return (step[:, 1:] * step[:, :-1] < 0).sum(axis=1)


def _wild(y: np.ndarray) -> np.ndarray:
    """The columns that no line can show, with their neighbors, and small gaps between them."""
    wild = _turns(y) >= TURNS
    reach = np.convolve(wild, np.ones(5), "same") > 0
    return np.convolve(reach, np.ones(3), "same") > 2.5 if wild.any() else wild


def _runs(marked: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stretches of columns that are marked: first, and one after the last."""
    for mark, group in groupby(range(len(marked)), key=lambda k: bool(marked[k])):
        members = list(group)
        if mark:
            yield members[0], members[-1] + 1


def _range_of(f: Function, edges: np.ndarray, run: tuple[int, int]) -> np.ndarray:
    """Rows (u, low, high) over a stretch: what f covers in each column and in the two beside it."""
    left, right = edges[run[0] : run[1]], edges[run[0] + 1 : run[1] + 1]
    shift = np.modf(0.618034 * np.arange(1, CLOSER + 1) + 0.1)[0]
    y = sample(f, left[:, None] + (right - left)[:, None] * shift[None, :])
    with np.errstate(all="ignore"):
        low, high = (
            np.nanmin(np.where(np.isnan(y), np.inf, y), axis=1),
            np.nanmax(np.where(np.isnan(y), -np.inf, y), axis=1),
        )
    low, high = _widened(low, np.minimum), _widened(high, np.maximum)
    rows = np.stack([(left + right) / 2, low, high], axis=1)
    rows[0, 0], rows[-1, 0] = left[0], right[-1]
    return rows[np.isfinite(rows).all(axis=1)]


def _widened(values: np.ndarray, least: Any) -> np.ndarray:
    before, after = np.concatenate([values[:1], values[:-1]]), np.concatenate([values[1:], values[-1:]])
    return least(least(before, after), values)


def _parts(edges: np.ndarray, wild: np.ndarray, breaks: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Between the wild stretches and the breaks."""
    margin = MARGIN * (edges[-1] - edges[0])
    for first, last in _runs(~wild):
        start, end = float(edges[first]), float(edges[last])
        inside = sorted(b for b in breaks if start - margin < b < end + margin)
        cuts = [start, *[c for b in inside for c in (b - margin, b + margin)], end]
        yield from ((a, b) for a, b in zip(cuts[::2], cuts[1::2]) if b - a > margin)


def _line(f: Function, low: float, high: float, width: float) -> Curve | None:
    try:
        with np.errstate(all="ignore"):  # two sides of a pole that are both beyond the largest float
            return trace_curve(f, low, high, count=max(24, round(FINE * (high - low) / width)))
    except InputError:  # no value in this part
        return None


def _span(curves: Sequence[Curve], shade: Sequence[np.ndarray], y: np.ndarray, grows: bool) -> tuple[float, float]:
    """The heights worth showing: all, or the middle ones where f grows without bound."""
    if grows or any(c.unbounded for c in curves):
        return _heights(y, True)
    lows = [c.low for c in curves] + [float(s[:, 1].min()) for s in shade if len(s)]
    highs = [c.high for c in curves] + [float(s[:, 2].max()) for s in shade if len(s)]
    return min(lows), max(highs)


# ---------------------------------------------------------------- drawing


def draw_stroke(ax: Axes, found: Stroke, label: str, color: str = BLUE, **look: Any) -> None:
    """Lines and shaded ranges; one entry of the legend for each of both."""
    room = 9 * ((found.high - found.low) or 1.0)
    for k, curve in enumerate(found.curves):
        y = np.clip(curve.y, found.low - room, found.high + room)
        options = {"color": color, "lw": 2.3, "zorder": 3, "label": label if not k else None, **look}
        ax.plot(curve.x, y, **options)
    for k, rows in enumerate(found.shade):
        words = "its range, where it swings too fast" if not k else None
        low, high = (np.clip(rows[:, j], found.low - room, found.high + room) for j in (1, 2))
        ax.fill_between(rows[:, 0], low, high, fc=color, alpha=0.3, lw=0, zorder=2.8, label=words)
        for edge in (low, high):
            ax.plot(rows[:, 0], edge, color=color, lw=0.8, zorder=2.9)


def circle(ax: Axes, x: float, y: float, *, filled: bool, label: str | None = None, color: str = BLUE) -> None:
    """A point by the convention of textbooks: filled where it belongs to the graph, hollow where it does not."""
    face = color if filled else WHITE
    ax.plot([x], [y], "o", ms=7, mfc=face, mec=color, mew=1.7, zorder=6, label=label, ls="none", clip_on=False)


def set_tex(latex: str) -> str | None:
    """LaTeX as matplotlib can set it, between dollars; None where it can't."""
    known = _for_matplotlib(latex).replace(r"\tfrac", r"\frac")
    known = re.sub(r"(?<=[\w})]) (?=\\(?:a?r?c?(?:sin|cos|tan)|ln|log|exp)\b)", r"\\, ", known)  # x ln x, with room
    return f"${known}$" if settable(known) else None


def curve_label(function: Any, x: Expr) -> str:
    """f(x) = its formula, where that is short enough to be set."""
    head = f"f({symbol_tex(x.name or 'x')})"
    if not is_formula(function, x):
        return f"${head}$"
    text = to_text(function)
    return set_tex(f"{head} = {to_latex(function)}") or (f"${head}$ = {text}" if len(text) <= 56 else f"${head}$")


def bounded(value: float, up: bool = False, digits: int = 4) -> str:
    """A proven number cut to a few digits on the safe side: a δ down, a bound N up.

    >>> bounded(0.42049), bounded(10.6667, up=True), bounded(2.0), bounded(1.23456e-7)
    ('0.4204', '10.67', '2', '1.234e−7')
    """
    if not value or not math.isfinite(value):
        return short_number(value)
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    near = float(f"{value:.{digits}g}")
    wrong = near < value if up else near > value
    return plain(near + unit * (1 if up else -1) if wrong else near, digits)


def is_formula(function: Any, x: Any) -> bool:
    """Is it known what f computes? Of a black box only the name is."""
    return isinstance(function, Expr) and (function.op is not INPUT or function is x)


def short_number(value: float) -> str:
    """A value in a label: ∞, a number of four digits."""
    return "∞" if value == math.inf else "−∞" if value == -math.inf else plain(value)


__all__ = [
    "Stroke", "bounded", "circle", "curve_label", "draw_stroke", "given_values", "is_formula",
    "of_number", "one_sided", "set_tex", "sharp", "short_number", "stroke", "trusted", "value_at", "window",
]  # fmt: skip
