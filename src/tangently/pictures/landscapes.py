"""Pictures of landscapes: contours or a surface of a function, its critical points, and the paths of descents on it.

Heights are shown by the scale that lets most of the picture be read (`Relief`): evenly spaced levels, powers of ten
above the lowest value where the range is large (Rosenbrock), or powers of ten on both sides of 0. Where a function has
no value the picture stays white.

Blue is a value (the points of a path), vermillion a gradient; paths of several methods differ by color, dash and
marker, kinds of critical points by their markers. A path that leaves the picture is cut there, and the picture says
where it went. In a slice, points are drawn where they fall, and the picture says how much of the path the slice holds.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.descent.landscapes import Landscape
from tangently.descent.trajectory import Trajectory, counted
from tangently.errors import InputError
from tangently.pictures.sampling import contour_levels, trace_curve
from tangently.pictures.style import (
    ARROWS,
    BLUE,
    GREY,
    INK,
    LIGHT,
    RAMP,
    VERMILLION,
    WHITE,
    framed,
    halo,
    house,
    legend_above,
    own_axes,
    plain,
    plain_ticks,
    ramp,
    shown,
    symbol_tex,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PURPLE, END = "#7d2e68", "#f2c200"
MARKED = 60  # points of a path that each have a marker
ARROWED = 8  # steps of a path that have their gradient
NUMBERED = 6
NAMED_LEVELS = 14


class Look(NamedTuple):
    """How one of several paths is told apart."""

    color: str
    marker: str
    dash: Any


LOOKS = (
    Look(INK, "o", "-"),
    Look("#b34700", "s", (0, (5, 1.6))),
    Look("#00664b", "^", (0, (5, 1.4, 1, 1.4))),
    Look(PURPLE, "D", (0, (1.2, 1.2))),
    Look("#8a6100", "v", (0, (7, 1.2, 1, 1.2, 1, 1.2))),
    Look("#5f5f5f", "P", (0, (3, 1, 1, 1))),
)
KINDS = {  # marker and face of the kinds of critical points
    "minimum": ("v", BLUE),
    "maximum": ("^", WHITE),
    "saddle": ("X", WHITE),
    "degenerate": ("s", GREY),
}


# ---------------------------------------------------------------- heights


@dataclass(frozen=True)
class Relief:
    """How heights become levels: evenly ("linear"), or by powers of ten above `base` ("log") or around 0 ("symlog")."""

    scale: str
    base: float
    levels: np.ndarray
    unit: float = 1.0  # the smallest height that is told from the base

    def height(self, z: Any) -> np.ndarray:
        """Where a value stands on a surface."""
        z = np.asarray(z, float)
        if self.scale == "linear":
            return z
        above = z - self.base if self.scale == "log" else z
        if self.scale == "log":
            return np.log10(np.maximum(above, self.unit))
        return np.sign(above) * np.log10(1 + np.abs(above) / self.unit)

    def value(self, height: float) -> float:
        """The value at a height."""
        if self.scale == "linear":
            return height
        if self.scale == "log":
            return self.base + 10.0**height
        return math.copysign(self.unit * (10.0 ** abs(height) - 1), height)


def relief(z: np.ndarray, lowest: float = math.inf, count: int = 12, floor: float = 0.004) -> Relief:
    """The scale that shows most. `lowest` is the smallest value that is known besides those of the grid; `floor` is
    the share of the values that lie below the lowest power of ten.

    >>> relief(np.linspace(0, 10, 50), count=5).levels.tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    >>> relief(np.geomspace(0.01, 1e4, 60)).levels.tolist()
    [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0]
    """
    values = z[np.isfinite(z)]
    if not values.size or not np.ptp(values) > 1e-12 * np.abs(values).max():
        return Relief("linear", 0.0, np.array([]))
    low, high = min(float(values.min()), lowest), float(values.max())
    middle = float(np.median(np.abs(values)))
    if low < 0 < high and min(-low, high) > 100 * middle > 0:
        return _around_zero(values, low, high, middle)
    base = 0.0 if 0 <= low < 0.2 * float(np.median(values)) else low
    rise = values - base
    if high - base > 40 * max(float(np.quantile(rise, 0.25)), 1e-300):
        return _above(rise, base, high, floor)
    return Relief("linear", low, contour_levels(z, count))


def _above(rise: np.ndarray, base: float, high: float, floor: float) -> Relief:
    top = high - base
    positive = rise[rise > 1e-12 * top]
    first, last = math.floor(math.log10(float(np.quantile(positive, floor)))), math.ceil(math.log10(top))
    first = max(first, last - 12)
    leads = (1.0, 3.0) if last - first <= 7 else (1.0,)
    steps = [float(f"{lead:g}e{k}") for k in range(first, last + 1) for lead in leads]
    # one level above the highest value would be an empty band
    levels = [s for s in steps if s <= top * (1 + 1e-9)] if len(steps) > 3 else steps
    return Relief("log", base, base + np.array(levels), levels[0])


def _around_zero(values: np.ndarray, low: float, high: float, middle: float) -> Relief:
    unit = 10.0 ** math.floor(math.log10(max(middle, 1e-9 * max(-low, high))))
    powers = lambda top: [unit * 10.0**k for k in range(1 + max(0, int(math.log10(max(top, unit) / unit))))]
    levels = [*(-v for v in reversed(powers(-low))), 0.0, *powers(high)]
    return Relief("symlog", 0.0, np.array(levels), unit)


# ---------------------------------------------------------------- the whole picture


def plot_landscape(
    land: Landscape,
    ax: Any = None,
    *,
    paths: Any = None,
    kind: str = "contour",
    levels: int | Sequence[float] | None = None,
    arrows: int | None = None,
    quadratic: int | None = None,
    points: bool = True,
    numbers: bool | None = None,
    labels: Sequence[str] | None = None,
    view: tuple[float, float] = (32.0, -58.0),
    title: str | None = None,
) -> Any:
    """Draw a landscape with paths: `paths` are trajectories (the landscape's own where left out, () for none).

    kind="contour" or "surface" (it may stand first); a function of one number, or a slice of one dimension, is a curve.
    `arrows`: how many steps show their gradient; `quadratic`: the step whose quadratic model is drawn; `points`: mark
    critical points; `numbers`: write the numbers of some steps; `labels`: names of the paths in the legend.
    """
    if isinstance(ax, str):
        ax, kind = None, ax
    runs = runs_of(land, paths)
    names = names_of(runs, labels)
    if kind not in ("contour", "surface"):
        raise InputError(f"kind={kind!r}; 'contour' or 'surface' was wanted")
    if kind == "surface" and len(land.axes) == 1:
        raise InputError("a function of one number has a curve, no surface: leave kind out")
    if kind == "surface":
        return _surface(land, ax, runs, names, view, title, points)
    one = len(runs) == 1
    arrows = (ARROWED if one else 0) if arrows is None else arrows
    numbers = one if numbers is None else numbers
    with house():
        flat = len(land.axes) == 1
        ax = own_axes(6.6, 4.6) if ax is None and flat else own_axes(6.4, 5.6) if ax is None else shown(ax)
        draw = _curve if flat else _contours
        draw(ax, land, runs, names, levels, arrows, quadratic, points, numbers)
        if title:
            ax.set_title(title, pad=26 if ax.get_legend() else 6)
    return ax


def runs_of(land: Landscape, paths: Any) -> tuple[Trajectory, ...]:
    runs = land.trajectories if paths is None else (paths,) if isinstance(paths, Trajectory) else tuple(paths)
    for t in runs:
        if not isinstance(t, Trajectory):
            raise InputError(f"got paths={paths!r:.60}; trajectories were wanted, as minimize returns")
        if t.problem.size != land.problem.size:
            raise InputError(
                f"a path of {t.problem.size} numbers on a landscape of {land.problem.size}: the same was wanted"
            )
    return runs


def names_of(runs: Sequence[Trajectory], labels: Sequence[str] | None) -> list[str]:
    """What the legend calls the paths: the method, and the rate where methods repeat."""
    if labels is not None:
        if len(labels) != len(runs):
            raise InputError(f"got {len(labels)} labels for {len(runs)} paths; one for each was wanted")
        return list(labels)
    repeated = len({t.method for t in runs}) < len(runs)
    rate = lambda t: f", rate {plain(t.settings['rate'])}" if isinstance(t.settings.get("rate"), (int, float)) else ""
    names = [f"{t.method}{rate(t) if repeated else ''}" for t in runs]
    return [f"{k}. {name}" if names.count(name) > 1 else name for k, name in enumerate(names, 1)]


def steps_said(t: Trajectory) -> str:
    return counted(t.count, "step")


def look_of(k: int) -> Look:
    """The colors come again, with other markers and dashes.

    >>> len({look_of(k) for k in range(20)})
    20
    """
    n = len(LOOKS)
    other = LOOKS[(k + k // n) % n]
    return Look(LOOKS[k % n].color, other.marker, other.dash)


def axis_name(label: str) -> str:
    """Names as mathematics; descriptions as they are."""
    bare, _, index = label.partition("[")
    if not label.replace("_", "").replace("[", "").replace("]", "").replace(", ", "").isalnum() or len(label) > 12:
        return label
    return f"${symbol_tex(bare)}$" if not index else f"${symbol_tex(bare)}_{{{index.rstrip(']')}}}$"


def _holding(land: Landscape, runs: Sequence[Trajectory]) -> list[str]:
    """How much of each path a slice holds."""
    if land.slice.whole or not runs:
        return []
    what = "line" if len(land.axes) == 1 else "plane"
    share = lambda v: f"{math.floor(1000 * v) / 10:g} %"
    held = [(land.slice.held(t.path), land.slice.followed(t.path)) for t in runs]
    if len(runs) == 1:
        return [
            f"the {what} holds {share(held[0][0])} of the path (squared distance), {share(held[0][1])} of its steps"
        ]
    shares = ", ".join(f"{share(a)} of {name}" for (a, _), name in zip(held, names_of(runs, None)))
    return textwrap.wrap(f"the {what} holds of the paths (squared distance): {shares}", 76)


# ---------------------------------------------------------------- two dimensions


def _contours(
    ax: Axes, land: Landscape, runs: Sequence[Trajectory], names: Sequence[str], levels: Any, arrows: int,
    quadratic: int | None, points: bool, numbers: bool,
) -> None:  # fmt: skip
    _frame(ax, land, runs)
    lowest = min([v for t in runs for v in t.history.values if math.isfinite(v)], default=math.inf)
    scaled = _relief(land, levels, lowest)
    draw_levels(ax, land, scaled, _taken(land, runs, points))
    titled(ax, f"contours of {land.words}")
    for k, (t, name) in enumerate(zip(runs, names)):
        draw_path(ax, land, t, look_of(k), name, single=len(runs) == 1, numbers=numbers)
        if arrows:
            _gradients(ax, land, t, arrows)
    if quadratic is not None and runs:
        _quadratic(ax, land, runs[0], quadratic)
    if points:
        draw_points(ax, land)
    plain_ticks(ax)
    legend_above(ax)


def _relief(land: Landscape, levels: Any, lowest: float) -> Relief:
    if levels is None or isinstance(levels, int):
        return relief(land.values, lowest, levels or 12)
    return Relief("linear", 0.0, np.unique(np.asarray(levels, float)))


def _frame(ax: Axes, land: Landscape, runs: Sequence[Trajectory]) -> None:
    framed(ax)
    ax.grid(visible=False)
    (x0, x1), (y0, y1) = land.box
    ax.set(xlim=(x0, x1), ylim=(y0, y1))
    if 1 / 3 < (x1 - x0) / (y1 - y0) < 3:
        ax.set_aspect("equal")
    if not 1e-4 < max(abs(x0), abs(x1)) < 1e6:
        ax.locator_params(axis="x", nbins=5)  # long numbers
    x, y = map(axis_name, land.slice.labels)
    ax.set_xlabel("\n".join([x, *_holding(land, runs)]))
    ax.set_ylabel(y)


def draw_levels(ax: Axes, land: Landscape, scaled: Relief, taken: np.ndarray) -> None:
    """Filled bands, darker where higher, with their values where they cover nothing that is `taken`."""
    x, y = land.axes
    shrunk = 1.0 if np.abs(scaled.levels).max(initial=0.0) < 1e200 else 1e-100  # contourf's own ends are ±1e250
    z, heights = np.ma.masked_invalid(land.values) * shrunk, scaled.levels * shrunk
    _draw_undefined(ax, land)
    if len(heights) < 2:
        ax.text(0.03, 0.95, flat_words(land), transform=ax.transAxes, va="top", path_effects=halo())
        return
    colors = ramp(RAMP)(np.linspace(0, 0.8, len(heights) + 1))
    ax.contourf(x, y, z, heights, colors=colors, extend="both", zorder=0)
    lines = ax.contour(x, y, z, heights, colors="#4f7f9c", linewidths=0.6, linestyles="-", zorder=1)
    named = heights if len(heights) <= NAMED_LEVELS else heights[:: math.ceil(len(heights) / NAMED_LEVELS)]
    kept = [v for v in named if v in lines.levels]
    written = _level_text(ax, scaled.levels, shrunk)
    for text in ax.clabel(lines, kept, fmt=written, fontsize=7.5, colors=INK, inline=False):
        at = _fractions(np.array([text.get_position()]), land.box)
        text.set_path_effects(halo(2.2))
        if (at < 0.025).any() or (at > 0.975).any() or (np.abs(taken - at) < (0.045, 0.035)).all(axis=1).any():
            text.remove()
        else:
            taken = np.concatenate([taken, at])


def flat_words(land: Landscape) -> str:
    """What there is to say where no level is told from another."""
    good = land.values[np.isfinite(land.values)]
    if not good.size:
        return "no finite value here"
    value = plain(float(good.mean()))
    return f"constant: {value}" if good.size == land.values.size else f"{value} where it has a value"


def _draw_undefined(ax: Axes, land: Landscape) -> None:
    """Hatches where f has no value, which the lowest band would look like."""
    lost = ~np.isfinite(land.values)
    if not lost.any() or lost.all():
        return
    from matplotlib import rc_context

    with rc_context({"hatch.color": "#c4c4c4", "hatch.linewidth": 0.6}):
        ax.contourf(*land.axes, lost.astype(float), [0.5, 1.5], colors="none", hatches=["////"], zorder=0.1)
        ax.fill([], [], facecolor=WHITE, hatch="////", edgecolor="#c4c4c4", lw=0, label="no value")
    titled(ax, "hatched where there is no value")


def _level_text(ax: Axes, levels: np.ndarray, shrunk: float) -> Callable[[float], str]:
    """Numbers of levels; where four digits do not tell them apart, how far they lie above the lowest."""
    if len({plain(float(v)) for v in levels}) == len(levels):
        return lambda v: plain(v / shrunk)
    base = float(levels[0])
    ax.text(0.02, 0.02, f"lines: f − {base!r}", transform=ax.transAxes, fontsize=8, path_effects=halo())
    return lambda v: plain(v / shrunk - base, 3)


def _fractions(s: np.ndarray, box: Sequence[tuple[float, float]]) -> np.ndarray:
    """Places as parts of the box."""
    low, high = np.array(box).T
    return (s - low) / (high - low)


def _taken(land: Landscape, runs: Sequence[Trajectory], points: bool) -> np.ndarray:
    """Places that numbers of levels should keep away from: the paths, and the critical points."""
    rows = [np.zeros((0, 2))]
    for t in runs:
        s = _fractions(land.slice.coordinates(t.path), land.box)
        rows += [a + (b - a) * np.linspace(0, 1, 20)[:, None] for a, b in pairwise(s[:200])]
    if points and len(land.points):
        rows.append(_fractions(land.slice.coordinates(np.array([p.coordinates for p in land.points])), land.box))
    return np.concatenate(rows)


def draw_points(ax: Axes, land: Landscape, height: Any = None) -> None:
    """The critical points, a marker for each kind; those that are not proven hollow."""
    found = list(land.points)
    for kind, (marker, face) in KINDS.items():
        for proven in (True, False):
            here = [p for p in found if p.kind == kind and p.proven == proven]
            if not here:
                continue
            where = land.slice.coordinates(np.array([p.coordinates for p in here])).T
            words = kind if len(here) == 1 else f"{len(here)} {kind if kind == 'degenerate' else plural(kind)}"
            look: Any = {"ms": 9 if kind != "degenerate" else 7, "mfc": face if proven else "none", "mec": INK}
            label = words + ("" if proven else " (not proven)")
            heights = () if height is None else (height(np.array([p.value for p in here])),)
            ax.plot(*where, *heights, marker, ls="none", mew=1.1, zorder=4.5, label=label, **look)
            titled(ax, f"{label} at {', '.join(_pair(p.coordinates) for p in here[:9])}")


def plural(kind: str) -> str:
    """
    >>> plural("minimum"), plural("saddle")
    ('minima', 'saddles')
    """
    return kind[:-2] + "a" if kind.endswith("um") else kind + "s"


def _pair(values: Any) -> str:
    """
    >>> _pair([1.5, -2.0]), _pair([3.0])
    ('(1.5, −2)', '3')
    """
    inner = ", ".join(plain(float(v)) for v in np.ravel(values))
    return inner if np.size(values) == 1 else f"({inner})"


# ---------------------------------------------------------------- paths


def draw_path(
    ax: Any, land: Landscape, t: Trajectory, look: Look, name: str, *, single: bool, numbers: bool = False
) -> None:
    """The path with its points, where it began and ended; where it leaves the picture, an arrow says so."""
    s = land.slice.coordinates(t.path)
    shown_, gone = _within(s, land.box)
    color = BLUE if single else look.color
    label = f"{name}, {steps_said(t)}"
    line: Any = {"color": look.color, "ls": look.dash, "lw": 1.4}
    dots: Any = {"marker": look.marker, "ms": 4.6, "mew": 0.6, "mec": WHITE, "mfc": color}
    ax.plot(*shown_.T, **line, zorder=3, path_effects=halo(2.4))
    ax.plot(*shown_[apart(shown_, land.box)].T, **dots, ls="none", zorder=3.1)
    ax.plot([], [], label=label, **line, **dots)
    ax.plot(*s[0], "o", ms=8.5, mfc=WHITE, mec=INK, mew=1.4, zorder=5)
    if gone is None:
        ax.plot(*s[-1], "*", ms=14, mfc=END if single else color, mec=INK, mew=0.9, zorder=6)
    else:
        _leaves(ax, land, t, shown_, s, gone)
    if numbers:
        _numbers(ax, t, shown_, land.box)
    went = f"from {_pair(s[0])} to {_pair(s[-1])}" if gone is None else f"from {_pair(s[0])}, leaving the picture"
    titled(ax, f"{label}: {went}, f from {plain(float(t.history.values[0]))} to {plain(t.last.value)}")


def apart(s: np.ndarray, box: Sequence[tuple[float, float]], least: float = 0.018) -> np.ndarray:
    """The numbers of points that are each some way from the one marked before, at most MARKED of them and the last."""
    at, chosen = _fractions(s, box), [0]
    for k in range(1, len(s)):
        if np.abs(at[k] - at[chosen[-1]]).max() >= least:
            chosen.append(k)
    kept = chosen[: 2 * MARKED] if len(chosen) > 2 * MARKED else chosen
    return np.array(kept)


def _within(s: np.ndarray, box: Sequence[tuple[float, float]]) -> tuple[np.ndarray, int | None]:
    """The points until the path leaves for good, and the number of the first outside (None where it ends inside)."""
    inside = np.all([(a <= c) & (c <= b) for c, (a, b) in zip(s.T, box)], axis=0)
    if inside[-1]:
        return s, None
    first = int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0
    return s[: first + 1], first


def _leaves(ax: Any, land: Landscape, t: Trajectory, drawn: np.ndarray, s: np.ndarray, gone: int) -> None:
    """Words at the lower edge (of a curve at the upper one): when it left, and where it ended."""
    k = t.steps[gone].k if gone < len(t.steps) else t.count
    begun, end = f"leaves at step {k}; after {steps_said(t)}", f"f = {plain(t.last.value)} at {_pair(s[-1])}"
    had = sum(text.get_gid() == "leaves" for text in ax.texts)
    flat = len(land.axes) == 1
    box = {"boxstyle": "round,pad=0.25", "fc": WHITE, "ec": "none", "alpha": 0.85}
    side: Any = {"ha": "center", "va": "top"} if flat else {"ha": "left", "va": "bottom"}
    place = (0.5, 0.98 - 0.12 * had) if flat else (0.02, 0.02 + 0.11 * had)
    ax.annotate(
        f"{begun}\n{end}", place, xycoords="axes fraction", fontsize=8.5, bbox=box, zorder=8, gid="leaves", **side
    )
    titled(ax, f"{begun} {end}")


def _numbers(ax: Any, t: Trajectory, s: np.ndarray, box: Sequence[tuple[float, float]]) -> None:
    """The numbers of the first steps that stand apart from each other."""
    size = np.array([b - a for a, b in box])
    placed: list[np.ndarray] = []
    for k, point in enumerate(s):
        at = (point - [a for a, _ in box]) / size
        if len(placed) >= NUMBERED or not ((at >= 0.02) & (at <= 0.95)).all():
            continue
        if any(np.abs(at - p).max() < 0.06 for p in placed):
            continue
        placed.append(at)
        number = t.steps[k].k if k < len(t.steps) else t.count
        away = _aside(s, k, size)
        look: Any = {
            "fontsize": 8.5,
            "color": INK,
            "path_effects": halo(2.4),
            "zorder": 7,
            "ha": "center",
            "va": "center",
        }
        ax.annotate(str(number), point, tuple(11 * away), "data", "offset points", **look)


def _aside(s: np.ndarray, k: int, size: np.ndarray) -> np.ndarray:
    """A direction across the path, on the side of its turn's outside."""
    before = (s[k] - s[k - 1]) / size if k else np.zeros(2)
    after = (s[k + 1] - s[k]) / size if k + 1 < len(s) else np.zeros(2)
    unit = lambda v: v / (np.linalg.norm(v) or 1.0)
    outward = unit(before) - unit(after)
    along = unit(unit(before) + unit(after))
    across = np.array([-along[1], along[0]]) if along.any() else np.array([0.0, 1.0])
    if k and np.linalg.norm(outward) > 0.5:  # beside the tip of a turn, whose outside is the gradient's
        x, y = unit(outward)
        return np.array([0.35 * x - 0.94 * y, 0.94 * x + 0.35 * y])
    return across if across[1] > 0 else -across


def _gradients(ax: Axes, land: Landscape, t: Trajectory, count: int) -> None:
    """∇f (uphill) at steps that stand apart, lengths ∝ ‖∇f‖^½."""
    rows = _spread(land, t, count)
    if not rows:
        return
    x = land.slice.coordinates(np.array([s.x for s in rows]))
    g = np.array([s.gradient for s in rows]) @ land.slice.directions.T
    size = np.array([b - a for a, b in land.box])
    norms = np.hypot(*g.T)
    relative = g / size  # in units of the sides, so that an arrow looks as long in every direction
    unit = relative / np.hypot(*relative.T)[:, None]
    length = 0.13 * np.sqrt(norms / norms.max())
    u, v = (unit * length[:, None] * (size if ax.get_aspect() == "auto" else size.min())).T
    if ax.get_aspect() != "auto":
        u, v = (g / norms[:, None] * (length * size.min())[:, None]).T
    head: Any = {"units": "inches", "width": 0.026, "headwidth": 4.2, "headlength": 5.0, "headaxislength": 4.4}
    look = {"color": VERMILLION, "edgecolor": WHITE, "linewidth": 0.5, "zorder": 3.5}
    ax.quiver(*x.T, u, v, **ARROWS, **head, **look)
    gradient_key(ax)
    titled(ax, "the gradients at some steps, pointing uphill")


def gradient_key(ax: Axes) -> None:
    """What an arrow in the color of gradients means, for the legend."""
    look: Any = {"color": VERMILLION, "marker": r"$\rightarrow$", "ms": 13, "mew": 0.2, "ls": "none"}
    ax.plot([], [], label=r"gradient $\nabla f$, uphill", **look)


def _spread(land: Landscape, t: Trajectory, count: int) -> list[Any]:
    """Steps whose points are inside and stand apart."""
    size = np.array([b - a for a, b in land.box])
    low = np.array([a for a, _ in land.box])
    chosen: list[Any] = []
    places: list[np.ndarray] = []
    for s in t.steps:
        at = (land.slice.coordinates(s.x) - low) / size
        if ((at < 0) | (at > 1)).any() or any(np.abs(at - p).max() < 0.05 for p in places):
            continue
        if s.norm > 0 and np.isfinite(s.norm) and np.abs(s.gradient @ land.slice.directions.T).max() > 0:
            chosen.append(s)
            places.append(at)
        if len(chosen) == count:
            break
    return chosen


# ---------------------------------------------------------------- the quadratic model


class Model(NamedTuple):
    """f + g·d + ½ dᵀHd around a point of a path, in the coordinates of the slice."""

    k: int
    at: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    def values(self, s: np.ndarray) -> np.ndarray:
        d = s - self.at
        return self.value + d @ self.gradient + 0.5 * np.einsum("...i,ij,...j", d, self.hessian, d)

    @property
    def eigenvalues(self) -> np.ndarray:
        return np.linalg.eigvalsh(self.hessian)

    @property
    def lowest(self) -> np.ndarray | None:
        """Where the model is lowest, if it is lowest anywhere."""
        values = self.eigenvalues
        return self.at - np.linalg.solve(self.hessian, self.gradient) if values[0] > 1e-12 * abs(values[-1]) else None


def model_at(land: Landscape, t: Trajectory, step: int) -> Model:
    """The model at a step (negative: from the end), whose Hessian comes from products where there are many numbers."""
    k = step if step >= 0 else t.count + 1 + step
    found = next((s for s in t.steps if s.k == k), t.last if k == t.count else None)
    if found is None:
        kept = f"; kept are {t.steps[0].k} to {t.steps[-1].k}, thinned out" if t.steps else ""
        raise InputError(f"quadratic={step}: there is no such step in {steps_said(t)}{kept}")
    d, p = land.slice.directions, land.problem
    H = d @ p.hessian(found.x) @ d.T if p.size <= 50 else np.array([[p.hvp(found.x, u) @ v for v in d] for u in d])
    return Model(k, land.slice.coordinates(found.x), found.value, found.gradient @ d.T, (H + H.T) / 2)


def _quadratic(ax: Axes, land: Landscape, t: Trajectory, step: int) -> None:
    """Level lines of the model: through its point, or, at a stationary one, around it."""
    model = model_at(land, t, step)
    if not np.isfinite(model.hessian).all() or not model.hessian.any():
        return
    x, y = np.meshgrid(*(np.linspace(a, b, 201) for a, b in land.box))
    z = model.values(np.stack([x, y], axis=-1))
    heights = _model_levels(model, land)
    if len(heights):
        ax.contour(x, y, z, heights, colors=PURPLE, linewidths=1.3, linestyles=[(0, (4, 2))], zorder=2.5)
    shape = ", ".join(plain(float(v), 3) for v in model.eigenvalues)
    ax.plot([], [], color=PURPLE, ls=(0, (4, 2)), lw=1.3, label=f"quadratic model at step {model.k} (λ = {shape})")
    lowest = model.lowest
    if lowest is not None and all(a < c < b for c, (a, b) in zip(lowest, land.box)):
        ax.plot(*lowest, "+", ms=10, mew=1.6, color=PURPLE, zorder=6.5)
    titled(ax, f"level lines of the quadratic model at step {model.k}, whose Hessian has the eigenvalues {shape}")


def _model_levels(model: Model, land: Landscape) -> np.ndarray:
    reach = 0.12 * min(b - a for a, b in land.box)
    bend = 0.5 * float(np.abs(model.eigenvalues).max()) * reach**2
    lowest = model.lowest
    drop = model.value - float(model.values(lowest)) if lowest is not None else math.inf
    if lowest is not None and drop < 0.2 * bend:
        return model.value - drop + bend * np.array([0.25, 1.0])
    if lowest is not None:
        return model.value - drop * np.array([0.75, 0.0])
    still = np.linalg.norm(model.gradient) * reach < 0.2 * bend
    return model.value + bend * np.array([-1.0, 1.0]) if still else np.array([model.value])


# ---------------------------------------------------------------- one dimension


def _curve(
    ax: Axes, land: Landscape, runs: Sequence[Trajectory], names: Sequence[str], levels: Any, arrows: int,
    quadratic: int | None, points: bool, numbers: bool,
) -> None:  # fmt: skip
    framed(ax)
    x, y = _broken_curve(land)
    name = axis_name(land.slice.labels[0])
    ax.plot(x, y, color=BLUE, lw=1.9, label=f"$f({name.strip('$')})$" if land.slice.whole else "$f$", zorder=2)
    ax.set(xlim=land.box[0], ylim=_heights(land, runs))
    if not np.isfinite(y).any():
        ax.text(0.03, 0.95, flat_words(land), transform=ax.transAxes, va="top")
    ax.set_xlabel("\n".join([name, *_holding(land, runs)]))
    titled(ax, f"curve of {land.words}")
    if points:
        draw_points(ax, land, lambda v: v)
    for k, (t, label) in enumerate(zip(runs, names)):
        _path_on_curve(ax, land, t, look_of(k), label, arrows, len(runs) == 1, numbers)
    if quadratic is not None and runs:
        _parabola(ax, land, model_at(land, runs[0], quadratic))
    plain_ticks(ax)
    legend_above(ax)


def _broken_curve(land: Landscape) -> tuple[np.ndarray, np.ndarray]:
    """The curve; of a function of one number cut at its poles and jumps, and ending where it ends."""
    p = land.problem
    if p.size > 1 or not np.isfinite(land.values).any():
        return land.axes[0], land.values
    curve = trace_curve(lambda s: p.value(land.slice.point([s])), *land.box[0], len(land.axes[0]))
    return curve.x, curve.y


def _heights(land: Landscape, runs: Sequence[Trajectory]) -> tuple[float, float]:
    y = land.values[np.isfinite(land.values)]
    if not y.size:
        return 0.0, 1.0
    low, high = float(y.min()), float(y.max())
    a, b = np.quantile(y, (0.1, 0.9)).tolist()
    if high - low > 12 * (b - a) > 0:  # near a pole
        low, high = max(low, a - (b - a)), min(high, b + (b - a))
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room


def _path_on_curve(
    ax: Axes, land: Landscape, t: Trajectory, look: Look, name: str, tangents: int, single: bool, numbers: bool
) -> None:
    """The points on the curve in their order, with tangents at the first ones that stand apart."""
    s = land.slice.coordinates(t.path)
    values = np.array([*(step.value for step in t.steps), t.last.value])
    low, high = ax.get_ylim()
    box = [*land.box, (low, high)]
    both = np.stack([s[:, 0], values], axis=1)
    drawn, gone = _within(both, box)
    label = f"{name}, {steps_said(t)}"
    line: Any = {"color": look.color if not single else GREY, "ls": look.dash, "lw": 0.9}
    dots: Any = {"marker": look.marker, "ms": 5.4, "mec": WHITE, "mew": 0.8, "mfc": BLUE if single else look.color}
    ax.plot(*(stairs(drawn) if land.slice.whole else drawn).T, zorder=2.6, **line)
    ax.plot(*drawn[apart(drawn, box)].T, ls="none", zorder=3.4, **dots)
    ax.plot([], [], label=label, **line, **dots)
    ax.plot(*both[0], "o", ms=8.5, mfc=WHITE, mec=INK, mew=1.4, zorder=5)
    if gone is None:
        ax.plot(*both[-1], "*", ms=13, mfc=END, mec=INK, mew=0.9, zorder=6)
    else:
        _leaves(ax, land, t, drawn, s, gone)
    if tangents:
        _tangents(ax, land, t, box, tangents)
    if numbers:
        _numbers(ax, t, drawn, box)
    titled(ax, f"{label}: from {plain(float(s[0, 0]))} to {plain(float(s[-1, 0]))}, "
               f"f from {plain(float(values[0]))} to {plain(float(values[-1]))}")  # fmt: skip


def stairs(points: np.ndarray) -> np.ndarray:
    """Across to the next x, then to the curve there.

    >>> stairs(np.array([[0.0, 4.0], [1.0, 1.0]])).tolist()
    [[0.0, 4.0], [1.0, 4.0], [1.0, 1.0]]
    """
    corners = np.stack([points[1:, 0], points[:-1, 1]], axis=1)
    woven = np.stack([corners, points[1:]], axis=1).reshape(-1, 2)
    return np.concatenate([points[:1], woven])


def _tangents(ax: Axes, land: Landscape, t: Trajectory, box: Sequence[tuple[float, float]], count: int) -> None:
    """A piece of the tangent at each of some points, equally long to the eye."""
    size = np.array([b - a for a, b in box])
    low = np.array([a for a, _ in box])
    places: list[np.ndarray] = []
    for step in t.steps:
        point = np.array([float(land.slice.coordinates(step.x)[0]), step.value])
        at = (point - low) / size
        if ((at < 0) | (at > 1)).any() or any(np.abs(at - p).max() < 0.05 for p in places) or len(places) == count:
            continue
        places.append(at)
        slope = np.array([1.0, float(step.gradient @ land.slice.directions[0])])
        half = 0.11 * slope / np.linalg.norm(slope / size)
        label = "tangents" if len(places) == 1 else None
        ax.plot(*np.stack([point - half, point + half], axis=1), color=VERMILLION, lw=1.5, zorder=3.2, label=label)
    if places:
        titled(ax, "tangents at some of its points")


def _parabola(ax: Axes, land: Landscape, model: Model) -> None:
    x = land.axes[0]
    label = f"quadratic model at step {model.k} ($f'' = {plain(float(model.hessian[0, 0]), 3)}$)"
    ax.plot(x, model.values(x[:, None]), color=PURPLE, ls=(0, (4, 2)), lw=1.3, label=label, zorder=2.4)
    titled(ax, label.replace("$", ""))


# ---------------------------------------------------------------- in space


def _surface(
    land: Landscape, ax: Any, runs: Sequence[Trajectory], names: Sequence[str], view: tuple[float, float],
    title: str | None, points: bool,
) -> Any:  # fmt: skip
    """The graph with the paths lying on it; heights by the same scale as levels."""
    if ax is not None and not hasattr(ax, "plot_surface"):
        raise InputError('got flat Axes for a surface; figure.add_subplot(projection="3d") was wanted')
    with house(**{"axes.grid": True}):
        ax = own_axes(7.0, 5.8, projection="3d") if ax is None else shown(ax)
        ax.computed_zorder = False
        lowest = min([v for t in runs for v in t.history.values if math.isfinite(v)], default=math.inf)
        beside = () if land.slice.whole else np.concatenate([[], *(t.history.values for t in runs)])
        scaled = relief(np.append(land.values, beside), lowest, floor=0.03)
        _draw_sheet(ax, land, scaled, _highest(scaled, beside))
        if points:
            draw_points(ax, land, scaled.height)
        for k, (t, name) in enumerate(zip(runs, names)):
            _path_in_space(ax, land, t, scaled, look_of(k), name, single=len(runs) == 1)
        _frame_space(ax, land, runs, scaled, view)
        if title:
            ax.set_title(title)
        if ax.get_legend_handles_labels()[0]:
            head: Any = {"title": "\n".join(_holding(land, runs)) or None, "title_fontsize": 8.5, "alignment": "left"}
            ax.legend(loc="upper left", bbox_to_anchor=(0.0, 1.03), fontsize=8.5, **head)
    return ax


def _highest(scaled: Relief, values: Any) -> float | None:
    """The height of the highest point of paths that do not lie on the sheet."""
    found = scaled.height(values)
    return float(found[np.isfinite(found)].max()) if np.isfinite(found).any() else None


def _draw_sheet(ax: Any, land: Landscape, scaled: Relief, ceiling: float | None) -> None:
    x, y = np.meshgrid(*land.axes)
    z = scaled.height(land.values)
    if not np.isfinite(z).any():
        ax.text2D(0.5, 0.5, flat_words(land), transform=ax.transAxes, ha="center")
        return
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    a, b = np.nanquantile(z, (0.05, 0.9)).tolist()
    if scaled.scale == "linear" and high - low > 12 * (b - a) > 0:
        low, high = max(low, a - (b - a)), min(high, b + (b - a))
    step = max(1, len(land.axes[0]) // 50)
    look = {
        "rstride": step,
        "cstride": step,
        "edgecolor": "#2f6f93",
        "linewidth": 0.2,
        "antialiased": True,
        "alpha": 0.85,
    }
    room = 0.25 * (high - low)
    top = high if ceiling is None else max(high, ceiling)
    ax.plot_surface(x, y, np.clip(z, low, high), cmap=ramp(RAMP), vmin=low, vmax=high + room, **look)
    ax.set_zlim(low - 0.02 * (high - low or 1.0), top + 0.05 * (top - low or 1.0))


def _path_in_space(
    ax: Any, land: Landscape, t: Trajectory, scaled: Relief, look: Look, name: str, *, single: bool
) -> None:
    s = land.slice.coordinates(t.path)
    values = np.array([*(step.value for step in t.steps), t.last.value])
    low, high = ax.get_zlim()
    z = scaled.height(values)
    inside = np.all([(a <= c) & (c <= b) for c, (a, b) in zip(s.T, land.box)], axis=0)
    seen = np.isfinite(z) & inside
    label = f"{name}, {steps_said(t)}" + ("" if inside[-1] else ", leaves the picture")
    line: Any = {"color": look.color, "ls": look.dash, "lw": 1.7, "zorder": 10, "path_effects": halo(2.6)}
    dots: Any = {"marker": look.marker, "ms": 4.4, "mec": WHITE, "mew": 0.6}
    drawn = np.column_stack([s, np.clip(z, low, high)])[seen]
    if len(drawn):
        dots["markevery"] = apart(drawn, [*land.box, (low, high)], 0.03).tolist()
    ax.plot(*drawn.T, label=label, **line, **dots)
    if seen[0]:
        ax.plot(*[[c] for c in s[0]], [z[0]], "o", ms=7.5, mfc=WHITE, mec=INK, mew=1.3, zorder=19)
    if seen[-1]:
        face = END if single else look.color
        ax.plot(*[[c] for c in s[-1]], [z[-1]], "*", ms=13, mfc=face, mec=INK, mew=0.9, zorder=20)
    titled(ax, f"{label}: f from {plain(float(values[0]))} to {plain(float(values[-1]))}")


def _frame_space(
    ax: Any, land: Landscape, runs: Sequence[Trajectory], scaled: Relief, view: tuple[float, float]
) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    x, y = (axis_name(label) for label in land.slice.labels)
    ax.set(xlim=land.box[0], ylim=land.box[1])
    ax.set_xlabel(x, labelpad=8, fontsize=9)
    ax.set_ylabel(y, labelpad=8, fontsize=9)
    ax.set_zlabel("$f$")
    ax.view_init(*view)
    ax.set_box_aspect(None, zoom=0.96)
    ax.tick_params(labelsize=8, pad=1, labelfontfamily="DejaVu Sans")
    ax.xaxis.set_major_locator(MaxNLocator(6, prune="upper"))  # whose last number would stand on the first of y
    ax.yaxis.set_major_locator(MaxNLocator(6, prune="lower"))
    if scaled.scale == "log":
        ax.zaxis.set_major_locator(MaxNLocator(6, integer=True))
    if scaled.scale == "symlog":
        heights = scaled.height(scaled.levels[np.abs(scaled.levels) != scaled.unit])  # too near to 0 for its number
        ax.zaxis.set_major_locator(FixedLocator(heights[:: math.ceil(len(heights) / 9)].tolist()))
    if scaled.scale != "linear" or not 1e-4 < np.abs(ax.get_zlim()).max() < 1e6:
        ax.zaxis.set_major_formatter(FuncFormatter(lambda v, _: plain(scaled.value(v))))
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0.975, 0.975, 0.975, 1.0))
        axis._axinfo["grid"].update(color=LIGHT, linewidth=0.6)  # mplot3d has no public way
    for line in _holding(land, runs):
        titled(ax, line)
    titled(ax, f"surface of {land.words}")


__all__ = [
    "LOOKS",
    "Look",
    "Model",
    "Relief",
    "axis_name",
    "look_of",
    "model_at",
    "names_of",
    "plot_landscape",
    "relief",
    "runs_of",
    "stairs",
    "steps_said",
]
