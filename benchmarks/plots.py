"""The picture of the ratios: one line for each scenario, one mark for each library, time on a logarithmic scale.

A mark's place is the library's time over tangently's, so tangently is the line at 1 and what lies to its right is
slower. Marks that would cover each other are put side by side: in the order of their times each goes to the lane,
nearest to the middle of its line, whose last mark is far enough away. A mark that misses its target trails a line
to the place where it should have been.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any

from .harness import Row

PANELS = {
    "hessians": "Hessians", "sparse": "Sparse Hessians", "adbench": "ADBench", "first-order": "First-order gradients",
    "backends": "Backends", "descent": "Descent",
}  # fmt: skip
READ_AS = "Time of each library over that of tangently: to the right of the blue line, tangently is faster"
WIDTH, LINE, HEAD, FOOT = 9.6, 0.33, 0.42, 1.55  # inches: of the figure, a scenario, a panel's title, axis and legend
LANES = (0.0, 0.26, -0.26, 0.42, -0.42)  # in lines, from the middle of one
APART = 0.022  # of the width of the axis: marks nearer than that need lanes of their own


@dataclass(frozen=True)
class Mark:
    """How a library is drawn: its shape tells it without its color."""

    label: str
    word: str  # in the name of the competitor, lower case
    shape: str
    color: str
    hollow: bool = False


def marks() -> list[Mark]:
    from tangently.pictures.style import GREY, INK, VERMILLION

    return [
        Mark("written by hand", "by hand", "D", INK),
        Mark("asdex", "asdex", "h", VERMILLION, hollow=True),
        Mark("JAX", "jax", "o", VERMILLION),
        Mark("PyTorch", "torch", "s", VERMILLION, hollow=True),
        Mark("PyTensor", "pytensor", "^", GREY),
        Mark("CasADi", "casadi", "v", GREY, hollow=True),
        Mark("autograd", "autograd", "P", GREY),
        Mark("SymPy", "sympy", "X", INK, hollow=True),
        Mark("symengine", "symengine", "*", INK),
    ]


def mark_of(against: str, known: Sequence[Mark]) -> Mark | None:
    return next((mark for mark in known if mark.word in against.lower()), None)


def lanes(places: Sequence[float], apart: float) -> list[float]:
    """An offset for each of the sorted places, so that marks in one lane keep their distance.

    >>> lanes([0.0, 0.1, 2.0], 0.5)
    [0.0, 0.26, 0.0]
    """
    last = [float("-inf")] * len(LANES)
    found = []
    for x in places:
        lane = next((k for k, end in enumerate(last) if x - end >= apart), last.index(min(last)))
        last[lane] = x
        found.append(LANES[lane])
    return found


def drawn(rows: Sequence[Row], part: str, known: Sequence[Mark]) -> dict[str, list[Row]]:
    """The rows of a panel by scenario: ratios of times to libraries that have a mark."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.part == part and row.ratio and row.unit == "×" and mark_of(row.against, known):
            found.setdefault(row.scenario, []).append(row)
    return found


def limits_of(rows: Sequence[Row]) -> tuple[float, float]:
    """The ends of the axis as powers of ten, with a margin; 1 is always inside."""
    exponents = [0.0, *(-log10(row.ratio) for row in rows if row.ratio)]
    return min(exponents) - 0.25, max(exponents) + 0.25


def short(scenario: str) -> str:
    """The name without what the panel's title has said, and without sizes beyond the first (the table has them).

    >>> short("structured Hessian of logistic regression, n = 200, 400 rows")
    'structured logistic regression, n = 200'
    """
    for said in ("sparse Hessian of ", "Hessian of ", "gradient of "):
        scenario = scenario.replace(said, "")
    return re.sub(r", [\d,]+ (rows|weights)", "", scenario)


def panel(ax: Any, title: str, scenarios: dict[str, list[Row]], ends: tuple[float, float], known: list[Mark]) -> None:
    from tangently.pictures.style import BLUE, LIGHT

    for k, rows in enumerate(scenarios.values()):
        if k % 2 == 0:
            ax.axhspan(k - 0.5, k + 0.5, color=LIGHT, alpha=0.35, lw=0)
        line_of_marks(ax, k, rows, APART * (ends[1] - ends[0]), known)
    ax.axvline(1, color=BLUE, lw=1.8, zorder=2)
    ax.set(xscale="log", xlim=(10 ** ends[0], 10 ** ends[1]), ylim=(len(scenarios) - 0.5, -0.5))
    ax.set_yticks(range(len(scenarios)), [short(name) for name in scenarios])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_title(title, loc="left", fontweight="bold")


def line_of_marks(ax: Any, k: int, rows: list[Row], apart: float, known: list[Mark]) -> None:
    from tangently.pictures.style import VERMILLION, WHITE

    ordered = sorted(rows, key=lambda row: -(row.ratio or 0))
    offsets = lanes([-log10(row.ratio or 1) for row in ordered], apart)
    for row, offset in zip(ordered, offsets):
        mark = mark_of(row.against, known)
        if not row.ratio or not mark:
            continue
        if row.verdict == "✗" and row.limit:
            ax.plot([1 / row.ratio, 1 / row.limit], [k + offset] * 2, color=VERMILLION, lw=1, ls=":", zorder=3)
        size = 8 if mark.shape == "*" else 5.5
        face = WHITE if mark.hollow else mark.color
        ax.plot(1 / row.ratio, k + offset, mark.shape, ms=size, mfc=face, mec=mark.color, mew=1.1, zorder=4)


def legend(figure: Any, used: Sequence[Mark], missed: bool) -> None:
    from matplotlib.lines import Line2D

    from tangently.pictures.style import BLUE, VERMILLION, WHITE

    handles = [Line2D([], [], color=BLUE, lw=1.8, label="tangently")]
    for mark in used:
        face = WHITE if mark.hollow else mark.color
        size = 8 if mark.shape == "*" else 5.5
        handles.append(Line2D([], [], ls="", marker=mark.shape, ms=size, mfc=face, mec=mark.color, label=mark.label))
    if missed:
        handles.append(Line2D([], [], color=VERMILLION, lw=1, ls=":", label="to a target that was missed"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, columnspacing=1.4, handletextpad=0.5)


def picture(rows: Sequence[Row]) -> Any:
    """The figure; its width is fixed and its height grows with the number of scenarios."""
    from tangently.pictures.style import house, own_figure, titled

    known = marks()
    panels = {title: drawn(rows, part, known) for part, title in PANELS.items()}
    panels = {title: scenarios for title, scenarios in panels.items() if scenarios}
    shown = [row for scenarios in panels.values() for found in scenarios.values() for row in found]
    heights = [len(scenarios) * LINE + HEAD for scenarios in panels.values()]
    with house():
        figure = own_figure(WIDTH, sum(heights) + FOOT)
        if panels:
            grid = figure.add_gridspec(len(panels), 1, height_ratios=[len(s) for s in panels.values()])
            axes = [figure.add_subplot(grid[k]) for k in range(len(panels))]
            for ax, (title, scenarios) in zip(axes, panels.items()):
                panel(ax, title, scenarios, limits_of(shown), known)
                titled(ax, f"{title}: {len(scenarios)} scenarios, each library's time over that of tangently")
            figure.suptitle(READ_AS, x=0.01, ha="left", fontsize=10.5)
        used = [mark for mark in known if any(mark_of(row.against, known) is mark for row in shown)]
        legend(figure, used, any(row.verdict == "✗" for row in shown))
    return figure


def save(rows: Sequence[Row], path: Path) -> None:
    from tangently.pictures.style import house

    told = "Time of each library over the time of tangently, by scenario; the table beside it has the figures."
    with house(**{"svg.hashsalt": "tangently"}):
        picture(rows).savefig(path, metadata={"Title": "Benchmarks", "Description": told, "Date": None})
