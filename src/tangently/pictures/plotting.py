"""The same drawing in a matplotlib Axes, for `.plot()` and for PNG and PDF. A pixel of the layout is a data unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tangently.pictures.arrangement import (
    HEAD,
    SIZES,
    STACK,
    Box,
    Direction,
    Layout,
    PlacedArc,
    PlacedVertex,
    Text,
    layout,
    rounding,
)
from tangently.pictures.model import Diagram
from tangently.pictures.style import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 96.0  # pixels to the inch: the layout's pixels are those of CSS
SHADE, EDGE, WIRE = "#f2f2f2", "#737373", "#8c8c8c"
LOOKS: dict[str, dict[str, Any]] = {
    "name": {"weight": "bold"},
    "operation": {},
    "value": {"color": "#0072B2"},
    "gradient": {"color": "#D55E00"},
    "local": {"color": "#595959", "style": "italic"},
    "note": {"color": "#595959"},
}


def to_matplotlib(
    diagram: Diagram, ax: Axes | None = None, *, direction: Direction = "right", legend: bool = True
) -> Axes:
    """Draw the diagram in `ax`, or in a figure of the right size. A text is as large as its box in the given Axes."""
    drawn = layout(diagram, direction, legend=legend)
    ax = ax or _own_axes(drawn)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(0, drawn.width)
    ax.set_ylim(drawn.height, 0)
    if diagram.title:
        ax.set_title(diagram.title, fontsize=11)
    points = _points_per_pixel(ax, drawn)
    for arc in drawn.arcs:
        _draw_arc(ax, arc, direction, points)
    for vertex in drawn.vertices:
        _draw_vertex(ax, vertex, points)
    for text in drawn.notes:
        _draw_text(ax, text, points)
    return ax


def _own_axes(drawn: Layout) -> Axes:
    from matplotlib.figure import Figure

    room = 30.0  # for the title
    figure = Figure(figsize=(drawn.width / DOTS, (drawn.height + room) / DOTS), dpi=DOTS)
    return figure.add_axes((0, 0, 1, drawn.height / (drawn.height + room)))


def _points_per_pixel(ax: Axes, drawn: Layout) -> float:
    extent = ax.get_window_extent()
    scale = min(extent.width / drawn.width, extent.height / drawn.height)
    return scale * 72.0 / figure_of(ax).dpi


def _draw_text(ax: Axes, text: Text, points: float) -> None:
    sides = {"start": "left", "middle": "center", "end": "right"}
    size = SIZES[text.kind] * points
    place = {"ha": sides[text.anchor], "va": "baseline", "parse_math": False}
    ax.text(text.x, text.y, text.text, fontsize=size, family="DejaVu Sans", **place, **LOOKS[text.kind])


def _draw_arc(ax: Axes, placed: PlacedArc, direction: Direction, points: float) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    corners = [point for piece in placed.wire for point in piece]
    codes = [Path.MOVETO] + [Path.CURVE4 if len(piece) > 1 else Path.LINETO for piece in placed.wire[1:] for _ in piece]
    ax.add_patch(PathPatch(Path(corners, codes), fill=False, edgecolor=WIRE, linewidth=1.2 * points))
    (x, y), half = placed.tip, HEAD / 2 - 0.5
    back = (
        [(x - half, y - HEAD), (x + half, y - HEAD)]
        if direction == "down"
        else [(x - HEAD, y - half), (x - HEAD, y + half)]
    )
    ax.add_patch(Polygon([placed.tip, *back], closed=True, facecolor=EDGE, linewidth=0))
    for text in placed.texts:
        _draw_text(ax, text, points)


def _draw_vertex(ax: Axes, placed: PlacedVertex, points: float) -> None:
    role, box = placed.vertex.role, placed.box
    radius = rounding(placed.vertex, box)
    if role == "group":
        front = Box(box.left, box.top, box.width - STACK, box.height - STACK)
        _draw_box(ax, replace(front, left=box.left + STACK, top=box.top + STACK), radius, points)
        box = front
    if role == "output":
        _draw_box(ax, box, radius, points, fill="white")
        box, radius = Box(box.left + 3, box.top + 3, box.width - 6, box.height - 6), radius - 2
    line = "--" if role == "constant" else "-"
    _draw_box(ax, box, radius, points, fill="white" if role in ("input", "constant") else SHADE, linestyle=line)
    for text in placed.texts:
        _draw_text(ax, text, points)


def _draw_box(ax: Axes, box: Box, radius: float, points: float, fill: str = SHADE, linestyle: str = "-") -> None:
    from matplotlib.patches import FancyBboxPatch

    style = f"round,pad=0,rounding_size={radius}"
    look = {"facecolor": fill, "edgecolor": EDGE, "linewidth": points, "linestyle": linestyle}
    ax.add_patch(FancyBboxPatch((box.left, box.top), box.width, box.height, boxstyle=style, **look))
