"""Pictures of limits: the curve near the point, what it tends to from each side, and the ε-δ band.

The horizontal band holds the heights within ε of the limit, the vertical one the places within δ of the point, where δ
is the one that `limit.delta(ε)` proves: inside it the curve leaves the box to the left and right, never above or below.
Where no δ is proven none is drawn, and the caption says so. Circles follow the convention: filled where the point
belongs to the graph, hollow where it does not. At ±∞ the axis is as long, or as logarithmic, as it takes to see the
curve settle. `plot_continuity` and `plot_differentiability` are in `breaks`.

Glossary: a the point, L the limit, u the coordinate that is drawn; x = to_x(u) is the variable (they differ on a
logarithmic axis only).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError, TangentlyError
from tangently.expr import Expr, evaluate, inputs_of
from tangently.pictures.breaks import plot_continuity, plot_differentiability
from tangently.pictures.sampling import Function, round_step, sample
from tangently.pictures.strokes import (
    Stroke,
    bounded,
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
    BLUE,
    GREY,
    INK,
    framed,
    halo,
    house,
    legend_above,
    own_axes,
    plain,
    plain_ticks,
    symbol_tex,
    text_box,
    titled,
)
from tangently.printing import Layout, call, equation, name, number, to_latex, to_text, tree, words
from tangently.printing.nodes import Atom, Row, Script, big, cases, fenced, flat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tangently.limits.results import Limit
    from tangently.pictures.rays import Path

SHARES = (0.15, 0.08, 0.3, 0.04)  # of the height that ε may take; the first whose δ can be seen is drawn
MEMBERS = 40.0  # of a sequence that are drawn
ENDS = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e6, 1e9, 1e12, 1e18, 1e30, 1e60, 1e120, 1e300)
FAMILY = (-1.0, 0.0, 1.0, 2.0)  # values of a parameter
LINEAR = 1e3  # the longest axis that is not logarithmic
BAND, BOX = "#d9d9d9", "#9a9a9a"


# ---------------------------------------------------------------- the statement


def statement(limit: Limit, named: bool = False) -> Layout:
    """lim f = L as a tree of layout, for every printer; `named`: with f(x) in place of its formula.

    >>> from tangently.expr import symbol
    >>> from tangently.limits.results import Limit
    >>> import tangently.primitives
    >>> x = symbol("x")
    >>> to_text(statement(Limit(1 / x, x, 0, "+", math.inf, None, True, "exact", (), ())))
    'lim_(x → 0⁺) 1/x = ∞'
    """
    known = not named and is_formula(limit.function, limit.variable)
    body = tree(limit.function) if known else call(name("f"), *map(name, moving(limit)))
    left = big("lim", equation(_variable(limit), target(limit), "→"), body)
    if getattr(limit, "cases", ()):
        rows = [(_result(c.limit), words(c.condition)) for c in limit.cases]
        return equation(left, cases(*rows))
    if limit.exists:
        return equation(left, _result(limit))
    return Row((left, words("does not exist" if limit.exists is False else "is undecided")), " ")


def _result(limit: Limit) -> Layout:
    """The value, or that there is none."""
    if limit.exists:
        return layout_of(limit.exact if limit.exact is not None else limit.value)
    return words("none" if limit.exists is False else "undecided")


def moving(limit: Limit) -> tuple[str, ...]:
    """The names of what moves: one variable, or several."""
    found = limit.variable if isinstance(limit.variable, (tuple, list)) else (limit.variable,)
    return tuple(str(x.name or "x") for x in found)


def shown_variable(limit: Limit) -> str:
    """x, or (x, y)."""
    names = moving(limit)
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _variable(limit: Limit) -> Layout:
    return listed(list(map(name, moving(limit))))


def listed(parts: Sequence[Layout]) -> Layout:
    """One thing by itself, several in parentheses."""
    if len(parts) == 1:
        return parts[0]
    comma = Atom(", ", "text")
    return fenced(Row(tuple(p for part in parts for p in (comma, part))[1:]))


def target(limit: Limit, plain: bool = False) -> Layout:
    """The point, with the sign of a one-sided limit (not with `plain`)."""
    if isinstance(limit.point, (tuple, list)):
        return listed([flat(layout_of(p)) for p in limit.point])
    point = flat(layout_of(limit.point))
    if plain or limit.direction == "both" or math.isinf(place(limit.point)):
        return point
    return Script(point, None, Atom("+" if limit.direction == "+" else "−", "operator"))


def layout_of(value: Any) -> Layout:
    """A value, exact or a number, as layout."""
    return tree(value) if isinstance(value, Expr) else number(float(value), digits=10)


def place(point: Any) -> float:
    """The number that a point is; NaN for one of several coordinates."""
    if isinstance(point, (tuple, list)):
        return math.nan
    return float(evaluate([point], {})[0]) if isinstance(point, Expr) else float(point)


def said(value: Any) -> str:
    """A value in a line of text: exact where that is short, else four digits."""
    if isinstance(value, Expr):
        text = to_text(value)
        return text if len(text) <= 16 else short_number(place(value))
    return short_number(float(value))


# ---------------------------------------------------------------- the scene


@dataclass(frozen=True)
class Scene:
    """What is drawn: f as a function of u between low and high, the point `at` in u (±inf for a limit there)."""

    limit: Limit
    f: Function  # of x
    at: float
    low: float
    high: float
    log: int = 0  # ±1: u = ±log₁₀|x|
    dots: bool = False  # f is defined at whole numbers only

    def to_x(self, u: Any) -> Any:
        return self.log * 10.0 ** np.abs(u) if self.log else u

    def to_u(self, x: float) -> float:
        return self.log * math.log10(abs(x)) if self.log else x

    def g(self, u: Any) -> Any:
        return sample(self.f, self.to_x(np.asarray(u, float)))

    @property
    def sides(self) -> tuple[int, ...]:
        return tuple(s.side for s in self.limit.sides) or (-1, 1)


def plot_limit(
    limit: Limit,
    ax: Axes | None = None,
    *,
    epsilon: float | None = None,
    domain: Any = None,
    values: Mapping[str, float] | None = None,
) -> Figure:
    """Draw a limit: the curve near the point, the one-sided values, and the ε-band with its proven δ.

    `epsilon` is the half height of the band (left out: a round number that fits the picture), `domain` the (low, high)
    that is shown, `values` numbers for parameters. Returns the figure.
    """
    with house():
        if len(moving(limit)) > 1:
            return _plot_paths(limit, ax, values)
        if parameters(limit) and values is None:
            return _plot_family(limit, ax, domain)
        scene = _scene(limit, domain, values)
        ax = ax if ax is not None else own_axes(6.8, 4.4)
        scene, band = _with_band(scene, epsilon, fixed=domain is not None)
        _draw(ax, scene, band)
        return ax.figure  # type: ignore[return-value]


def _plot_paths(limit: Limit, ax: Axes | None, values: Mapping[str, float] | None) -> Figure:
    """A limit of two variables: f along paths into the point."""
    from tangently.pictures.rays import draw_paths, finish_paths, function_of_two

    variables: Any = limit.variable
    f = function_of_two(limit.function, variables, values)
    at = [place(p) for p in limit.point]
    if not all(map(math.isfinite, at)):
        raise InputError("a limit of two variables is drawn at a finite point; this one lies at infinity")
    ax = draw_paths(ax, f, at, moving(limit), limit.value, _ways(limit, at))
    words_ = "all paths end at one height" if limit.exists else "paths end at different heights: no limit"
    words_ = words_ if limit.exists is not None else "undecided: paths alone prove no limit"
    said_ = f"{to_text(statement(limit))}, {limit.how}. {words_}"
    finish_paths(ax, moving(limit), f"{_title(limit)}    ({limit.how})", words_, said_)
    return ax.figure  # type: ignore[return-value]


def parameters(limit: Limit) -> list[str]:
    """The names of what does not move and has no value."""
    if not is_formula(limit.function, limit.variable):
        return []
    return [str(n.name) for n in inputs_of([limit.function]) if n is not limit.variable and n.params[0].value is None]


def _plot_family(limit: Limit, ax: Axes | None, domain: Any) -> Figure:
    """A limit with parameters: one curve for each of a few values of the first, the others 1."""
    from tangently.pictures.subject import bounds

    first, *others = parameters(limit)
    at = place_or(limit.point, 0.0)
    low, high = bounds(domain) if domain is not None else _near_or_far(at)
    ax = ax if ax is not None else own_axes(6.8, 4.4)
    functions = [
        of_number(limit.function, limit.variable, None, {first: v} | dict.fromkeys(others, 1.0)) for v in FAMILY
    ]
    cut = [at] if math.isfinite(at) else []
    found = [(v, _stroke_or_none(f, low, high, cut)) for v, f in zip(FAMILY, functions)]
    drawn = [(v, s) for v, s in found if s is not None]
    if not drawn:
        raise InputError(f"f has no value for {first} = {FAMILY}; give values={{'{first}': …}} for which it has")
    scene = Scene(limit, functions[0], at, low, high)
    _frame(ax, scene, _family_span([s for _, s in drawn]))
    for k, (v, found_) in enumerate(drawn):
        draw_stroke(ax, found_, f"{first} = {plain(v)}", ls=("-", (0, (7, 2)), (0, (4, 2)), (0, (1.5, 1.5)))[k % 4])
    if math.isfinite(at):
        ax.axvline(at, color=GREY, lw=0.8, ls=(0, (1, 2.5)), zorder=1)
    rest = f", {', '.join(others)} = 1" if others else ""
    _finish(ax, scene, None, f"one curve for each value of {first}{rest}")
    return ax.figure  # type: ignore[return-value]


def _family_span(found: Sequence[Stroke]) -> list[float]:
    """The heights of all curves, but for one that shoots far beyond the others."""
    lows, highs = sorted(s.low for s in found), sorted(s.high for s in found)
    if len(found) == 1:
        return [lows[0], highs[0]]
    spread = highs[-2] - lows[1]
    low = lows[0] if lows[1] - lows[0] <= 2 * spread else lows[1]
    return [low, highs[-1] if highs[-1] - highs[-2] <= 2 * spread else highs[-2]]


def place_or(point: Any, other: float) -> float:
    """The number that a point is; another where it depends on parameters."""
    return other if isinstance(point, Expr) and inputs_of([point]) else place(point)


def _near_or_far(at: float) -> tuple[float, float]:
    if math.isfinite(at):
        return at - 2 * max(1.0, abs(at) / 10), at + 2 * max(1.0, abs(at) / 10)
    return (0.0, 4.0) if at > 0 else (-4.0, 0.0)


def _stroke_or_none(f: Function, low: float, high: float, cut: Sequence[float]) -> Stroke | None:
    try:
        return stroke(trusted(f, low, high), low, high, cut)
    except InputError:  # no value for this parameter
        return None


def _ways(limit: Any, at: Sequence[float]) -> list[Path]:
    """The curved paths on which the limit was looked at, as functions of the distance along them."""
    from tangently.pictures.rays import Path

    def along(path: Any, k: int) -> Any:
        return lambda t: sample(lambda v: evaluate([path.coordinates[k]], {path.parameter: v})[0], t) - at[k]

    known = [p for p in getattr(limit, "paths", ()) if p.defined and p.exists]
    return [Path(p.text, along(p, 0), along(p, 1), True) for p in known]


def _scene(limit: Limit, domain: Any, values: Mapping[str, float] | None) -> Scene:
    at = place(limit.point)
    f = of_number(limit.function, limit.variable, limit.callable, values, near=at)
    dots = bool(getattr(limit, "integers", False))
    if domain is not None:
        from tangently.pictures.subject import bounds

        scene = Scene(limit, f, at, *bounds(domain), dots=dots)
    elif math.isinf(at) and dots:
        return Scene(limit, lambda n: f(np.round(n)), at, 1.0, MEMBERS, dots=True)  # between members there is nothing
    elif math.isinf(at):
        scene = _tail(Scene(limit, f, at, 0.0, 1.0, dots=dots))
    else:
        scene = Scene(limit, f, at, *window(f, at, sides=[s.side for s in limit.sides] or (-1, 1)))
    return replace(scene, f=_trusted(scene))


def _trusted(scene: Scene) -> Function:
    """Floats where they are right; balls where something cancels in the part that is seen."""
    if not scene.log:
        return trusted(scene.f, scene.low, scene.high)
    decades = np.linspace(scene.low, scene.high, 9)
    spans = zip(scene.to_x(decades[:-1]), scene.to_x(decades[1:]))
    return next((found for a, b in spans if (found := trusted(scene.f, min(a, b), max(a, b))) is not scene.f), scene.f)


def _tail(scene: Scene) -> Scene:
    """An axis towards ±∞ on which the curve is seen to settle, or to swing a few times."""
    sign = 1 if scene.at > 0 else -1
    infinite = _infinite(scene.limit)
    for end in (20.0, 10.0, 5.0, 3.0) if infinite else ENDS:
        tried = _stretch(scene, sign, end)
        if _settles(replace(tried, f=_trusted(tried))):
            return tried
    return _stretch(scene, sign, 2.0 if infinite else 1e12 if scene.limit.exists else 50.0)


def _stretch(scene: Scene, sign: int, end: float) -> Scene:
    if end <= LINEAR:
        ends = sorted((0.0, sign * end))
        return replace(scene, low=ends[0], high=ends[1], log=0)
    ends = sorted((0.0, sign * math.log10(end)))
    return replace(scene, low=ends[0], high=ends[1], log=sign)


def _settles(scene: Scene) -> bool:
    """Is the last third within a seventh of the height from the limit? Without a limit: does f turn a few times?"""
    y = scene.g(np.linspace(scene.low, scene.high, 241)[1:-1])
    y = y if scene.at > 0 else y[::-1]
    finite, limit = y[np.isfinite(y)], scene.limit
    if finite.size < 40 or not np.isfinite(y[160:]).any():
        return False
    if limit.exists and _infinite(limit):
        return bool(np.median(np.abs(finite - finite[0])) > 0.04 * np.ptp(finite))
    if limit.exists:
        return bool(np.nanmax(np.abs(y[160:] - limit.value)) <= 0.15 * _height(scene)) or not np.ptp(finite)
    step = np.sign(np.diff(finite))
    return limit.exists is False and int((step[1:] * step[:-1] < 0).sum()) >= 5


def _infinite(limit: Limit) -> bool:
    return limit.value is not None and math.isinf(limit.value)


# ---------------------------------------------------------------- the band


@dataclass(frozen=True)
class Band:
    """ε and the δ that is proven for it (at ±∞ the bound N); `delta` is None where none is, and `note` says why."""

    level: float
    epsilon: float
    delta: float | None
    note: str = ""


def _with_band(scene: Scene, epsilon: float | None, *, fixed: bool) -> tuple[Scene, Band | None]:
    """ε of a size that fits, and a window in which its δ is seen."""
    limit = scene.limit
    if not limit.exists or limit.value is None or math.isinf(limit.value) or scene.dots:
        return scene, None
    height = _height(scene)
    if epsilon is not None:
        tries = [epsilon]
    else:
        tries = [round_step(share * height) for share in SHARES] if height > 0 else [round_step(0.3 * _size(limit))]
    bands = []
    for size in tries:
        bands.append(_band(limit, size))
        if bands[-1].delta is None or _seen(scene, bands[-1].delta):
            return scene, bands[-1]
    return scene if fixed else _zoomed(scene, bands[0]), bands[0]


def _size(limit: Limit) -> float:
    return abs(limit.value or 0.0) or 1.0


def _height(scene: Scene) -> float:
    """How far the values that matter spread: those on the sides asked for, without what shoots off."""
    y = _spread_samples(scene) if math.isinf(scene.at) else scene.g(np.linspace(*_asked(scene), 401)[1:-1])
    y = y[np.isfinite(y)]
    return float(np.ptp(np.quantile(y, (0.05, 0.95)))) if y.size else 0.0


def _spread_samples(scene: Scene) -> np.ndarray:
    """Towards ±∞, as many values in each decade from 1 on."""
    far = abs(scene.to_x(scene.high if scene.at > 0 else scene.low))
    return sample(scene.f, math.copysign(1.0, scene.at) * np.geomspace(1.0, max(far, 2.0), 241))


def _band(limit: Limit, epsilon: float) -> Band:
    level = float(limit.value)  # type: ignore[arg-type]
    try:
        return Band(level, epsilon, abs(limit.delta(epsilon)))
    except InputError:
        raise
    except TangentlyError as error:
        return Band(level, epsilon, None, str(error))


def _seen(scene: Scene, delta: float) -> bool:
    """Is the vertical band wide enough to be seen, and does it end within the window?"""
    if math.isinf(scene.at):
        edge = scene.to_u(delta) if delta > 0 else 0.0
        return scene.low + 0.05 * scene.high < edge < 0.9 * scene.high or not edge
    half = (scene.high - scene.low) / 2
    return 0.06 * half <= delta <= 0.9 * half


def _zoomed(scene: Scene, band: Band) -> Scene:
    """A window of another width, where δ would else be a hair, or lie outside."""
    if band.delta is None or not band.delta or math.isinf(scene.at):
        return _longer(scene, band)
    width = (scene.high - scene.low) / 2
    if band.delta < width:
        half = 8 * band.delta
        low, high = max(scene.low, scene.at - half), min(scene.high, scene.at + half)
        return replace(scene, low=low, high=high)
    return scene


def _longer(scene: Scene, band: Band) -> Scene:
    """Towards ±∞: an axis that goes on beyond N."""
    if not band.delta or math.isfinite(scene.at):
        return scene
    sign = 1 if scene.at > 0 else -1
    longer = _stretch(scene, sign, 2 * band.delta if 2 * band.delta <= LINEAR else band.delta**1.25)
    return replace(longer, f=_trusted(longer)) if longer.high - longer.low > scene.high - scene.low else scene


# ---------------------------------------------------------------- drawing


def _draw(ax: Axes, scene: Scene, band: Band | None) -> None:
    found, marks = stroke(scene.g, *_asked(scene), [scene.at]), _marks(scene)
    heights = [found.low, found.high, *_near(found, marks)]
    if band is not None:
        heights += [band.level - 1.3 * band.epsilon, band.level + 1.3 * band.epsilon]
    _frame(ax, scene, heights)
    _draw_curve(ax, scene, found)
    _draw_other_side(ax, scene, found)
    _draw_asymptotes(ax, scene, marks)
    for mark in [m for m in marks if m.y in heights]:
        circle(ax, mark.x, mark.y, filled=mark.filled, label=mark.label)
    if band is not None:
        _draw_band(ax, scene, band)
    _finish(ax, scene, band)


def _near(found: Stroke, marks: Sequence[Mark]) -> list[float]:
    """The heights of the circles, but for one so far away that it would press the curve flat."""
    height = (found.high - found.low) or abs(found.high) or 1.0
    return [m.y for m in marks if found.low - 3 * height <= m.y <= found.high + 3 * height]


def _frame(ax: Axes, scene: Scene, heights: Sequence[float]) -> None:
    low, high = min(heights), max(heights)
    room = 0.07 * (high - low) or 0.5 * abs(high) or 1.0
    ax.set_ylim(low - room, high + room)
    edge = 0.01 * (scene.high - scene.low)
    ax.set_xlim(scene.low - edge, scene.high + edge)


def _draw_curve(ax: Axes, scene: Scene, found: Stroke) -> None:
    label = curve_label(scene.limit.function, scene.limit.variable)
    if scene.dots:
        n = np.unique(np.round(scene.to_x(np.linspace(scene.low, scene.high, 200))))
        y = sample(scene.f, n)
        ax.plot([scene.to_u(v) if v else 0.0 for v in n], y, "o", ms=3.2, color=BLUE, zorder=3, label=label)
        return
    draw_stroke(ax, found, label)


def _asked(scene: Scene) -> tuple[float, float]:
    """The part of the window on the sides that the limit is about."""
    low, high = scene.low, scene.high
    if scene.sides == (1,) and low < scene.at < high:
        return scene.at, high
    return (low, scene.at) if scene.sides == (-1,) and low < scene.at < high else (low, high)


def _draw_other_side(ax: Axes, scene: Scene, found: Stroke) -> None:
    """What f does on the side that the limit is not about: paler and thinner."""
    low, high = _asked(scene)
    for a, b in ((scene.low, low), (high, scene.high)):
        y = scene.g(np.linspace(a, b, 41)[1:-1])
        if b - a > 0.01 * (scene.high - scene.low) and ((y > found.low) & (y < found.high)).any():
            other = stroke(scene.g, a, b, [scene.at])._replace(low=found.low, high=found.high)
            draw_stroke(ax, other, "the other side", alpha=0.45, lw=1.5)


@dataclass(frozen=True)
class Mark:
    """A circle: filled where the point belongs to the graph."""

    x: float
    y: float
    filled: bool
    label: str


def _marks(scene: Scene) -> list[Mark]:
    """The limits (hollow, unless f takes that value there) and the value of f at the point."""
    if math.isinf(scene.at) or scene.log:
        return []
    here = value_at(scene.f, scene.limit.point, scene.at)
    ends = {s.side: s for s in scene.limit.sides if s.value is not None and math.isfinite(s.value)}
    marks = [Mark(scene.at, float(v), False, text) for v, text in _ends_of(scene.limit, ends)]
    same = [m for m in marks if math.isclose(m.y, here, rel_tol=1e-9, abs_tol=1e-12)]
    kept = [m for m in marks if m not in same]
    if math.isfinite(here):
        words_ = f"f({said(scene.limit.point)}) = {short_number(here)}"
        kept.append(Mark(scene.at, here, True, f"{words_}, {same[0].label}" if same else words_))
    elif kept:
        kept[0] = replace(kept[0], label=f"{kept[0].label}; f has no value at {said(scene.limit.point)}")
    return kept


def _ends_of(limit: Limit, ends: Mapping[int, Any]) -> list[tuple[float, str]]:
    """One value for the limit, or one from each side."""
    value = lambda s: said(s.exact if s.exact is not None else s.value)
    if limit.exists and limit.value is not None:
        one = next(iter(ends.values()), None)
        where = {"+": " from the right", "-": " from the left"}.get(limit.direction, "")
        return [(limit.value, f"limit {value(one)}{where}")] if one else []
    return [(s.value, f"{_SIDES[side]} {value(s)}") for side, s in sorted(ends.items())]


_SIDES = {-1: "from the left", 1: "from the right"}


def _draw_asymptotes(ax: Axes, scene: Scene, marks: Sequence[Mark]) -> None:
    """A dashed line where f goes to ±∞, or that f goes to; dotted ones at the heights of two different sides."""
    limit = scene.limit
    look: dict[str, Any] = {"color": GREY, "lw": 1.2, "ls": (0, (6, 3)), "zorder": 2}
    if math.isinf(scene.at):
        if limit.value is not None and math.isfinite(limit.value):
            exact = limit.exact if limit.exact is not None else limit.value
            ax.axhline(limit.value, label=f"asymptote y = {said(exact)}", **look)
        return
    if any(s.value is not None and math.isinf(s.value) for s in limit.sides):
        words_ = f"asymptote {limit.variable.name} = {said(limit.point)}"
        ax.axvline(scene.at, label=words_, **look)
    else:
        ax.axvline(scene.at, color=GREY, lw=0.8, ls=(0, (1, 2.5)), zorder=1)
    for mark in marks if len(marks) > 1 else ():
        ax.axhline(mark.y, color=GREY, lw=0.8, ls=(0, (1, 2.5)), zorder=1)


def _draw_band(ax: Axes, scene: Scene, band: Band) -> None:
    low, high = band.level - band.epsilon, band.level + band.epsilon
    name_ = said(scene.limit.exact if scene.limit.exact is not None else scene.limit.value)
    label = f"within ε = {plain(band.epsilon)} of {name_}"
    ax.axhspan(low, high, fc=BAND, alpha=0.45, lw=0, zorder=0.6, label=label)
    for y in (low, high):
        ax.axhline(y, color=GREY, lw=0.9, ls=(0, (5, 3)), zorder=1.2)
    _name_levels(ax, [(low, "L − ε"), (band.level, f"L = {name_}"), (high, "L + ε")])
    if band.delta is not None:
        _draw_delta(ax, scene, band)


def _name_levels(ax: Axes, levels: Sequence[tuple[float, str]]) -> None:
    """The heights at the right edge, outside the axes; pushed apart where they would touch."""
    low, high = ax.get_ylim()
    tall = ax.get_window_extent().height / ax.figure.dpi * 72 or 220.0
    gap = 11.5 / tall
    at = [(y - low) / (high - low) for y, _ in levels]
    middle = at[1]
    places = [min(at[0], middle - gap), middle, max(at[2], middle + gap)]
    for (_, text), y in zip(levels, places):
        ax.text(1.008, y, text, transform=ax.transAxes, color=INK, fontsize=9, va="center", clip_on=False)


def _draw_delta(ax: Axes, scene: Scene, band: Band) -> None:
    """The vertical band, the box where both meet, and the names of its edges."""
    x0, x1 = _reach(scene, band)
    edge: dict[str, Any] = {"color": INK, "lw": 0.9, "ls": (0, (1.5, 2)), "zorder": 1.2}
    ax.axvspan(x0, x1, fc=BAND, alpha=0.45, lw=0, zorder=0.6, label=_delta_label(scene, band))
    ax.fill_between(
        [x0, x1], band.level - band.epsilon, band.level + band.epsilon, fc=BOX, alpha=0.35, lw=0, zorder=0.7
    )
    ends = [u for u in (x0, x1) if scene.low < u < scene.high]
    for u in ends:
        ax.axvline(u, **edge)
    _name_edges(ax, scene, ends)


def _reach(scene: Scene, band: Band) -> tuple[float, float]:
    """The ends of the vertical band, in the coordinate that is drawn."""
    delta = band.delta or 0.0
    if math.isinf(scene.at):
        edge = scene.to_u(math.copysign(delta, scene.at)) if delta > 1 or not scene.log else 0.0
        return (edge, scene.high + 1) if scene.at > 0 else (scene.low - 1, edge)
    return (scene.at - delta * (-1 in scene.sides), scene.at + delta * (1 in scene.sides))


def _delta_label(scene: Scene, band: Band) -> str:
    delta = bounded(band.delta or 0.0, up=math.isinf(scene.at))
    if math.isinf(scene.at):
        sign = ">" if scene.at > 0 else "< −"
        return f"{scene.limit.variable.name} {sign}{' ' if sign == '>' else ''}N, N = {delta} (proven)"
    return f"within δ = {delta} of {said(scene.limit.point)} (proven)"


def _name_edges(ax: Axes, scene: Scene, ends: Sequence[float]) -> None:
    """a − δ and a + δ at the foot of their lines, where both have room."""
    if math.isinf(scene.at):
        texts = ["N" if scene.at > 0 else "−N"] * len(ends)
    else:
        a = said(scene.limit.point)
        texts = [f"{a} {'−' if u < scene.at else '+'} δ" if a != "0" else "−δ" if u < scene.at else "δ" for u in ends]
    width = 0.11 * (scene.high - scene.low)
    if len(ends) == 2 and ends[1] - ends[0] < width:
        return
    for u, text in zip(ends, texts):
        side = "right" if u < scene.at and math.isfinite(scene.at) else "left"
        shift = -4 if side == "right" else 4
        options = {"textcoords": "offset points", "ha": side, "va": "bottom", "fontsize": 9, "zorder": 7}
        ax.annotate(
            text, (u, 0.015), xycoords=ax.get_xaxis_transform(), xytext=(shift, 0), path_effects=halo(), **options
        )


def _finish(ax: Axes, scene: Scene, band: Band | None, words_: str = "") -> None:
    words_ = words_ or caption(scene.limit, band)
    framed(ax)
    _ticks(ax, scene)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color="#b3b3b3", lw=0.8, zorder=1)
    ax.set_xlabel(f"${symbol_tex(scene.limit.variable.name or 'x')}$\n{words_}", linespacing=1.5)
    titled(ax, f"{to_text(statement(scene.limit))}, {scene.limit.how}. {words_}")
    title, rows = f"{_title(scene.limit)}    ({scene.limit.how})", legend_above(ax)
    ax.set_title(title, loc="left", pad=5 + 15.5 * rows + text_box(title, 11.5)[1], fontsize=11.5)


def _title(limit: Limit) -> str:
    """The statement as mathematics, or as text, or with f for a formula that is too long for a title."""
    found = set_tex(to_latex(statement(limit)))
    if found:
        return found.replace(r"\frac", r"\dfrac")
    text = to_text(statement(limit))
    if len(text) <= 76:
        return text
    return to_text(statement(limit, named=True))


def _ticks(ax: Axes, scene: Scene) -> None:
    plain_ticks(ax)
    if not scene.log:
        return
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    sign = "" if scene.log > 0 else "−"
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda u, _: f"${sign}10^{{{abs(round(u))}}}$"))


def minus(text: str) -> str:
    """What stands after something that this is taken from.

    >>> minus("2"), minus("−2"), minus("0"), minus("1 + √2")
    (' − 2', ' + 2', '', ' − (1 + √2)')
    """
    if text == "0":
        return ""
    if " " in text:
        return f" − ({text})"
    return f" + {text[1:]}" if text[0] in "−-" else f" − {text}"


def caption(limit: Limit, band: Band | None) -> str:
    """What the picture shows, in a sentence."""
    if getattr(limit, "cases", ()) or (limit.exists and limit.value is None):
        return "for these values of the parameters"
    x = shown_variable(limit)
    if band is not None:
        return _band_caption(limit, band, x)
    if limit.exists is None:
        return "undecided: the picture proves nothing"
    if limit.exists is False and limit.left is not None and limit.right is not None and limit.left != limit.right:
        return f"no limit: from the left f tends to {said(limit.left)}, from the right to {said(limit.right)}"
    if limit.exists is False:
        return "no limit: f comes close to different values again and again"
    if limit.value is not None and math.isfinite(limit.value):
        told = f"f({x}) tends to {said(limit.value)}"
        return f"{told} over the whole numbers" if limit.integers else f"{told}; for this band no δ could be proven"
    return f"f({x}) grows beyond every bound" if limit.value == math.inf else f"f({x}) falls below every bound"


def _band_caption(limit: Limit, band: Band, x: str) -> str:
    level, epsilon = said(limit.exact if limit.exact is not None else limit.value), plain(band.epsilon)
    if band.delta is None:
        return f"for ε = {epsilon} no δ could be proven, so none is drawn"
    delta = bounded(band.delta, up=math.isinf(place(limit.point)))
    delta = delta if math.isinf(place(limit.point)) else f"δ = {delta}"
    return f"proven: {nearness(limit, delta)} implies |f({x}){minus(level)}| < ε = {epsilon}"


def nearness(limit: Limit, delta: str) -> str:
    """The places that a δ (at ±∞ an N) speaks of: 0 < |x − 2| < δ, x > N."""
    x, a, end = limit.variable.name or "x", said(limit.point), place(limit.point)
    if math.isinf(end):
        return f"{x} > {delta}" if end > 0 else f"{x} < −{delta}"
    left = f"−{x}" if a == "0" else f"{a} − {x}"
    away = {"+": f"{x}{minus(a)}", "-": left}.get(limit.direction, f"|{x}{minus(a)}|")
    return f"0 < {away} < {delta}"


__all__ = [
    "caption", "layout_of", "minus", "moving", "nearness", "place", "plot_continuity", "plot_differentiability",
    "plot_limit", "said", "shown_variable", "statement", "target",
]  # fmt: skip
