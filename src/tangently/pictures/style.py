"""The house style of figures: colors, fonts, frames, and how numbers, lines and formulas are set in type.

The style is a context, never a change of the global settings; figures are made without pyplot, so none stays open.
Matplotlib reads most settings when an artist is made, so what is made inside `house()` keeps its looks afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError, TangentlyError, a_type

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION = "#0072B2", "#D55E00"  # a value going forward, a gradient going back
INK, GREY, LIGHT, WHITE = "#262626", "#737373", "#e6e6e6", "#ffffff"
SECANTS = ("#a6a6a6", "#7f7f7f", "#595959")  # the smaller the step, the darker
RAMP = ("#f4f9fc", "#c5dff0", "#86bbdc", "#3d90c3", "#0072B2")  # lightness falls evenly: order is seen
DIVERGING = (VERMILLION, "#f0b48a", WHITE, "#8dbfdd", BLUE)  # negative, zero, positive
ARROWS: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1}  # in the units of the axes
LONGEST = 90  # characters of LaTeX; a longer formula would not fit into a legend

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#8c8c8c",
    "axes.facecolor": WHITE,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.unicode_minus": True,
    "figure.facecolor": WHITE,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "stix",
    "text.color": INK,
    "text.parse_math": True,
    "text.usetex": False,
    "xtick.color": "#8c8c8c",
    "xtick.labelcolor": INK,
    "ytick.color": "#8c8c8c",
    "ytick.labelcolor": INK,
}


def house(**more: Any) -> AbstractContextManager[None]:
    """The style as a context: `with house(): …`."""
    import matplotlib

    settings: Any = {**STYLE, **more}
    return matplotlib.rc_context(settings)


# ---------------------------------------------------------------- figures and frames


def own_figure(width: float = 6.6, height: float = 4.2) -> Figure:
    """A figure that belongs to no window manager, and that a notebook shows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure._repr_png_ = partial(notebook_png, figure)  # type: ignore[attr-defined]
    return figure


def own_axes(width: float = 6.6, height: float = 4.2, **options: Any) -> Axes:
    return shown(own_figure(width, height).add_subplot(**options))


def shown(ax: Axes) -> Axes:
    """Axes whose figure appears where they are the value of a notebook cell."""
    ax._repr_png_ = partial(notebook_png, ax.figure)  # type: ignore[attr-defined]
    return ax


def figure_of(drawn: Any) -> Any:
    """The figure of a Figure, an Axes, or an array of Axes."""
    first = drawn.flat[0] if hasattr(drawn, "flat") else drawn
    if hasattr(first, "savefig"):
        return first
    if hasattr(first, "get_figure"):
        return first.get_figure(root=True) if _has_roots(first) else first.get_figure()
    raise InputError(f"got {a_type(drawn)}; a Figure, an Axes or an array of Axes was wanted, as plot returns")


def _has_roots(artist: Any) -> bool:
    """Since matplotlib 3.10 an Axes in a subfigure tells its whole figure."""
    import inspect

    return "root" in inspect.signature(artist.get_figure).parameters


def notebook_png(figure: Any) -> tuple[bytes, dict[str, int]]:
    """The picture at twice the density of the screen, and the size to show it at."""
    import io

    buffer = io.BytesIO()
    with house():
        figure.savefig(buffer, format="png", dpi=200)
    width, height = figure.get_size_inches() * 100
    return buffer.getvalue(), {"width": round(width), "height": round(height)}


class Panels(np.ndarray):
    """An array of Axes whose figure a notebook shows."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        return notebook_png(self.flat[0].figure) if self.size and hasattr(self.flat[0], "figure") else None


def panels(axes: Any) -> Panels:
    array = np.empty(len(axes), object)
    array[:] = [shown(ax) for ax in axes]
    return array.view(Panels)


def framed(ax: Axes) -> None:
    """Thin spines and a light grid, also in Axes that were given."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(color=LIGHT, lw=0.6)
    ax.tick_params(labelsize=9, length=3, width=0.7, labelfontfamily="DejaVu Sans")


def plain_ticks(ax: Axes) -> None:
    """Numbers that are large or small with their own exponents: one above the Axes would stand in the legend."""
    from matplotlib.ticker import FuncFormatter

    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        most = max(abs(low), abs(high))
        if not 1e-4 < most < 1e6 and high - low > 0.01 * most:
            axis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, position: int | None = None) -> str:
    return plain(value)


def titled(ax: Axes, text: str) -> None:
    """The text alternative of what is drawn; a label that the Axes had is kept."""
    had = ax.get_label()
    ax.set_label(f"{had}; {text}" if had and text not in str(had) else text)  # type: ignore[arg-type]


def legend_above(ax: Axes) -> int:
    """The legend over the Axes, where it covers no curve, in as few rows as their width allows; how many these are."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return 0
    settle(ax)
    room = ax.get_window_extent().width / figure_of(ax).dpi * 72
    widths = [text_box(label, 9.5)[0] + 40 for label in labels]
    fits = lambda n: sum(max(part) for part in _by_columns(widths, n)) < room
    columns = next((n for n in range(len(labels), 1, -1) if fits(n)), 1)
    placed = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2, "borderpad": 0.2}
    ax.legend(handles, labels, ncols=columns, columnspacing=1.4, handlelength=1.9, handletextpad=0.6, **placed)
    settle(ax)
    return math.ceil(len(labels) / columns)


def settle(ax: Axes) -> None:
    """Lay the figure out, where sides must be equal: only then is it known how large such Axes are.

    matplotlib measures what stands around Axes before it shrinks them to equal sides, so one pass leaves too
    little room.
    """
    if ax.get_aspect() != "auto":
        figure_of(ax).draw_without_rendering()


def _by_columns(widths: Sequence[float], count: int) -> list[list[float]]:
    """As matplotlib fills a legend: column by column, the first ones longer by one."""
    return [part.tolist() for part in np.array_split(np.asarray(widths), count)]


def text_box(text: str, size: float) -> tuple[float, float, float]:
    """Width, depth below the base line and height above it, in points, of a line of text or mathematics."""
    from matplotlib.textpath import TextPath

    box = TextPath((0, 0), text, size=size, usetex=False).get_extents()
    return float(box.width), float(max(-box.y0, 0.0)), float(max(box.y1, 0.0))


def halo(width: float = 2.5) -> list[Any]:
    """A white edge around text, so that it is read over lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=WHITE)]


def ramp(colors: Sequence[str]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("house", list(colors))


# ---------------------------------------------------------------- numbers and mathematics in type


def plain(value: float, digits: int = 4) -> str:
    """A number as text with a real minus sign.

    >>> plain(-0.33333), plain(2.0), plain(1234567.0)
    ('−0.3333', '2', '1.235e6')
    """
    text = f"{value + 0.0:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    return (mantissa + (f"e{int(exponent)}" if exponent else "")).replace("-", "−")


def tex(value: float, digits: int = 4) -> str:
    r"""A number as mathematics.

    >>> tex(-0.5), tex(1.5e-7), tex(1e8), tex(math.inf)
    ('-0.5', '1.5 \\times 10^{-7}', '10^{8}', '\\infty')
    """
    if not math.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty" if value < 0 else r"\mathrm{undefined}"
    mantissa, _, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    if not exponent:
        return mantissa
    lead = {"1": "", "-1": "-"}.get(mantissa, rf"{mantissa} \times ")
    return f"{lead}10^{{{int(exponent)}}}"


def line_tex(slope: float, x: float, y: float, variable: str = "x", height: str = "y") -> str:
    """The line through (x, y) with a slope, as an equation.

    >>> line_tex(2.0, 1.0, -1.0), line_tex(-1.0, 0.0, 0.0), line_tex(0.0, 3.0, 5.0), line_tex(math.inf, 0.0, 0.0)
    ('y = 2 x - 3', 'y = -x', 'y = 5', 'x = 0')
    """
    if not math.isfinite(slope):
        return f"{variable} = {tex(x)}"
    constant = y - slope * x
    if abs(constant) < 1e-12 * (abs(y) + abs(slope * x)):  # what rounding left of zero
        constant = 0.0
    if not slope:
        return f"{height} = {tex(constant)}"
    times = {1.0: "", -1.0: "-"}.get(float(f"{slope:.4g}"), f"{tex(slope)} ")
    tail = f" {'+' if constant > 0 else '-'} {tex(abs(constant))}" if constant else ""
    return f"{height} = {times}{variable}{tail}"


def symbol_tex(name: str) -> str:
    r"""A name as mathematics, as formulas print it; words upright.

    >>> symbol_tex("x0"), symbol_tex("theta"), symbol_tex("loss")
    ('x_{0}', '\\theta', '\\mathrm{loss}')
    """
    from tangently.expr import symbol
    from tangently.printing import to_latex

    found = to_latex(symbol(name))
    return found if settable(found) else rf"\mathrm{{{name.replace('_', ' ')}}}"


def _for_matplotlib(latex: str) -> str:
    """Commands that matplotlib does not know, in ones that it does."""
    for command, known in ((r"\lvert", "|"), (r"\rvert", "|"), (r"\lVert", r"\|"), (r"\rVert", r"\|")):
        latex = latex.replace(command, known)
    return latex


def settable(formula: str) -> bool:
    """Whether the formula is short enough, and in the part of LaTeX that matplotlib sets."""
    from matplotlib.mathtext import MathTextParser

    if len(formula) > LONGEST:
        return False
    try:
        MathTextParser("path").parse(f"${formula}$")
    except ValueError:
        return False
    return True


def formula_tex(get: Callable[[], Any]) -> str | None:
    """The LaTeX of a formula that `get` finds, if there is one that holds everywhere and can be set."""
    try:
        formula = get()
        text = None if formula.holds else _for_matplotlib(formula.latex())
    except (TangentlyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None  # a picture does not need the formula: arrays, branches and black boxes have none
    return text if text and settable(text) else None
