"""A limit of two variables as a picture: f along straight rays and parabolas into the point, over the distance from it.

Where all paths meet in one height there may be a limit; where two of them end at different heights there is none. Rays
alone would mislead: x²y/(x⁴ + y²) tends to 0 along every ray and to ½ along a parabola (Peano's example).

Glossary: r the distance from the point, θ the angle of a ray.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangently.errors import InputError
from tangently.expr import Expr, const, evaluate, substitute
from tangently.pictures.sampling import Function, _heights, sample
from tangently.pictures.strokes import circle, given_values
from tangently.pictures.style import BLUE, GREY, INK, framed, halo, own_axes, plain_ticks, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANGLES = (0, 30, 60, 90, 120, 150, 180, 240, 300)
DASHES: tuple[Any, ...] = ("-", (0, (7, 2)), (0, (4, 2)), (0, (6, 2, 1.5, 2)), (0, (2, 1.5)))
REACH, COUNT, MORE = 1.0, 400, 8


class Path(NamedTuple):
    """A way into the point: its name, and its direction of travel as functions of the distance along it."""

    name: str
    dx: Callable[[np.ndarray], np.ndarray]
    dy: Callable[[np.ndarray], np.ndarray]
    curved: bool = False


def paths(x: str, y: str) -> list[Path]:
    """Rays at several angles, and two parabolas."""
    made = [_ray(angle) for angle in ANGLES]
    return [
        *made,
        Path(f"{y} = {x}²", lambda t: t, lambda t: t * t, True),
        Path(f"{x} = {y}²", lambda t: t * t, lambda t: t, True),
    ]


def _ray(angle: int) -> Path:
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return Path(f"{angle}°", lambda t: c * t, lambda t: s * t)


def function_of_two(expr: Expr, variables: Sequence[Expr], values: Mapping[str, float] | None = None) -> Function:
    """f as a function of two numbers."""
    if len(variables) != 2:
        raise InputError(f"a limit of {len(variables)} variables has no picture; one of two can be drawn")
    given = given_values(expr, variables, values or {})
    known = substitute([expr], {n: const(float(v)) for n, v in given.items()})[0]
    return lambda a, b: evaluate([known], dict(zip(variables, (a, b))))[0]


def draw_paths(
    ax: Axes | None,
    f: Function,
    at: Sequence[float],
    names: Sequence[str],
    level: float | None,
    more: Sequence[Path] = (),
) -> Axes:
    """f along every path over the distance from the point; the limit, where there is one, as a hollow circle.

    `more` are paths that matter for this function, such as the two that disprove a limit.
    """
    ax = ax if ax is not None else own_axes(6.8, 4.4)
    t = np.linspace(0.0, REACH, COUNT + 1)[1:]
    ways = [*paths(*names), *more[:MORE]]
    heights = [sample(f, at[0] + w.dx(t), at[1] + w.dy(t)) for w in ways]
    low, high = _span(np.stack(heights), level)
    ax.set_ylim(low, high)
    ax.set_xlim(0.0, 1.14 * REACH)
    for k, (way, y) in enumerate(zip(ways, heights)):
        dash = (0, (1, 1)) if way.curved else DASHES[k % len(DASHES)]
        r = np.hypot(way.dx(t), way.dy(t))
        ax.plot(
            r[r <= REACH * 1.000001],
            y[r <= REACH * 1.000001],
            color=GREY if way.curved else BLUE,
            lw=1.8,
            ls=dash,
            zorder=3,
        )
    _name_ends(ax, ways, heights)
    if level is not None and math.isfinite(level):
        circle(ax, 0.0, level, filled=False)
    return ax


def _span(y: np.ndarray, level: float | None) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    if not finite.size:
        raise InputError("f has no finite value along the rays into the point")
    far = np.ptp(finite) > 20 * (np.ptp(np.quantile(finite, (0.1, 0.9))) or math.inf)
    low, high = _heights(finite, bool(far))
    ends = [low, high] + ([level] if level is not None and math.isfinite(level) else [])
    room = 0.08 * (max(ends) - min(ends)) or 0.5 * abs(high) or 1.0
    return min(ends) - room, max(ends) + room


def _name_ends(ax: Axes, ways: Sequence[Path], heights: Sequence[np.ndarray]) -> None:
    """The names at the right ends; paths that end together share a line of text."""
    low, high = ax.get_ylim()
    found: dict[float, list[str]] = {}
    for way, y in sorted(zip(ways, heights), key=lambda p: float(np.nan_to_num(p[1][-1]))):
        if not way.curved and low < y[-1] < high:
            near = next((h for h in found if abs(h - y[-1]) < 0.045 * (high - low)), float(y[-1]))
            found.setdefault(near, []).append(way.name)
    for height, unsorted in found.items():
        names = sorted(unsorted, key=lambda name: int(name[:-1]))
        text = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        ax.text(1.01 * REACH, height, text, fontsize=8, color=INK, va="center", path_effects=halo(), clip_on=False)


def finish_paths(ax: Axes, names: Sequence[str], title: str, caption: str, said: str) -> None:
    """Frame, title, and what the picture shows."""
    from matplotlib.lines import Line2D

    framed(ax)
    plain_ticks(ax)
    point = f"distance from the point\n{caption}"
    ax.set_xlabel(point, linespacing=1.5)
    keys = [Line2D([], [], color=BLUE, lw=1.8), Line2D([], [], color=GREY, lw=1.8, ls=(0, (1, 1)))]
    placed = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2, "borderpad": 0.2}
    curved = "along parabolas and other curves"
    ax.legend(keys, ["along rays at these angles", curved], ncols=2, **placed)
    ax.set_title(title, loc="left", pad=28, fontsize=11.5)
    titled(ax, said)


__all__ = ["Path", "draw_paths", "finish_paths", "function_of_two", "paths"]
