"""Computational graphs as pictures: the front door to the data model, and the SVG renderer.

Every edge carries two numbers: the value that goes forward (→, blue), and the gradient that comes back (←, vermillion),
which is what arrives at its head times the local derivative in grey italics. `layering` places the graph,
`arrangement` turns that into boxes, wires and texts, and this module writes them down as SVG.

The SVG stands alone and can also be put into a page as it is. Colors are presentation attributes, never `style`, so a
strict content security policy lets them through and a page's own style sheet still overrides them; structure is drawn
in `currentColor` and follows the page into dark mode. Each value is a `<g>` with the id `v-<id>`, each arc one with
`a-<source>-<target>-<order>`; their parts that appear later end in `-forward`, `-backward` and `-local`. `walk` names
the same ids, so a page can step through the computation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax import saxutils

from tangently.pictures.arrangement import (
    HEAD,
    SIZES,
    STACK,
    Box,
    Direction,
    Kind,
    Layout,
    PlacedArc,
    PlacedVertex,
    Point,
    Text,
    layout,
    rounding,
)
from tangently.pictures.collapsing import collapse
from tangently.pictures.model import Arc, Diagram, Vertex, arc_element, printable, vertex_element
from tangently.pictures.narration import WalkStep, describe, formulas, phrases, walk
from tangently.pictures.plotting import to_matplotlib

__all__ = [
    "Arc",
    "Diagram",
    "Layout",
    "Theme",
    "Vertex",
    "WalkStep",
    "collapse",
    "describe",
    "layout",
    "to_matplotlib",
    "to_svg",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colors. Structure and names take `currentColor`; `background` is for pictures that leave the page."""

    forward: str = "#0072B2"
    backward: str = "#D55E00"
    background: str | None = None
    font: str = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


LIGHT = Theme()


def to_svg(
    diagram: Diagram,
    *,
    direction: Direction = "right",
    theme: Theme = LIGHT,
    legend: bool = True,
    prefix: str = "",
) -> str:
    """Draw the diagram as SVG. Several in one page need a `prefix` each, to keep their ids apart.

    >>> svg = to_svg(Diagram((Vertex("x", "x", "input", "x", "3"), Vertex("y", "x²")), (Arc("x", "y", "3"),)))
    >>> svg.startswith("<svg"), 'id="a-x-y-0-forward"' in svg
    (True, True)
    """
    drawn = layout(diagram, direction, legend=legend)
    told = _tooltips(diagram)
    width, height = _number(drawn.width), _number(drawn.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="computational-graph" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" aria-labelledby="{prefix}graph-title {prefix}graph-desc" '
        f'font-family={saxutils.quoteattr(theme.font)} font-variant="tabular-nums" fill="currentColor">',
        f'<title id="{prefix}graph-title">{escape(diagram.title or "Computational graph")}</title>',
        f'<desc id="{prefix}graph-desc">{escape(describe(diagram))}</desc>',
        *(
            [f'<rect class="background" width="{width}" height="{height}" fill="{theme.background}"/>']
            * bool(theme.background)
        ),
        *(_arc(arc, drawn.direction, theme, told, prefix) for arc in drawn.arcs),
        *(_vertex(vertex, theme, told, prefix) for vertex in drawn.vertices),
        _group("legend", "", [_text(text, theme) for text in drawn.notes]) if drawn.notes else "",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Text for XML."""
    return saxutils.escape(printable(text))


def _number(value: float) -> str:
    """At most one decimal: a tenth of a pixel is not seen.

    >>> _number(3.04), _number(2.96), _number(-0.01)
    ('3', '3', '0')
    """
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.0f}"


def _group(classes: str, name: str, parts: Iterable[str]) -> str:
    identity = f'id="{name}" ' if name else ""
    return f'<g {identity}class="{classes}">{"".join(parts)}</g>'


# --- vertices


def _vertex(placed: PlacedVertex, theme: Theme, told: dict[str, str], prefix: str) -> str:
    vertex = placed.vertex
    own = [text for text in placed.texts if text.kind in ("name", "operation")]
    parts = [f"<title>{escape(told[vertex.id])}</title>", _shape(placed), *(_text(text, theme) for text in own)]
    for text in placed.texts:
        if text.kind in ("value", "gradient"):
            side = "forward" if text.kind == "value" else "backward"
            parts.append(_group(side, prefix + vertex_element(vertex, side), [_text(text, theme)]))
    return _group(f"vertex role-{vertex.role}", prefix + vertex_element(vertex), parts)


def _shape(placed: PlacedVertex) -> str:
    """Roles differ in shape, not only in color: sharp input, dashed constant, round operation, double output, stack."""
    role, box = placed.vertex.role, placed.box
    radius = rounding(placed.vertex, box)
    if role == "group":
        sheet = Box(box.left, box.top, box.width - STACK, box.height - STACK)
        return _sheet_behind(box, radius) + _rect(sheet, radius, "0.06")
    if role == "output":
        inner = Box(box.left + 3, box.top + 3, box.width - 6, box.height - 6)
        return _rect(box, radius, "0") + _rect(inner, radius - 2, "0.06")
    dashes = ' stroke-dasharray="3 3"' if role == "constant" else ""
    return _rect(box, radius, "0.06" if role == "operation" else "0", dashes)


def _sheet_behind(box: Box, radius: float) -> str:
    """The visible edge of the sheet behind a group: half its right corner, its corner, and half its bottom edge."""
    top, left, r = box.top + STACK, box.left + STACK, radius
    path = (
        f"M {_number(box.right - STACK)} {_number(top + 2)} "
        f"Q {_number(box.right)} {_number(top + 4)} {_number(box.right)} {_number(top + r)} "
        f"V {_number(box.bottom - r)} A {_number(r)} {_number(r)} 0 0 1 {_number(box.right - r)} {_number(box.bottom)} "
        f"H {_number(left + r)} "
        f"Q {_number(left + 4)} {_number(box.bottom)} {_number(left + 2)} {_number(box.bottom - STACK)}"
    )
    return f'<path class="sheet" d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.55"/>'


def _rect(box: Box, radius: float, shade: str, extra: str = "") -> str:
    x, y, width, height, r = (_number(v) for v in (box.left, box.top, box.width, box.height, radius))
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="{r}" fill="currentColor" '
        f'fill-opacity="{shade}" stroke="currentColor" stroke-opacity="0.55"{extra}/>'
    )


# --- arcs


def _arc(placed: PlacedArc, direction: Direction, theme: Theme, told: dict[str, str], prefix: str) -> str:
    arc = placed.arc
    sides = {"value": "forward", "gradient": "backward", "local": "local"}
    parts = [
        f"<title>{escape(told[arc_element(arc)])}</title>",
        f'<path class="wire" d="{_path(placed)}" fill="none" stroke="currentColor" stroke-opacity="0.45" '
        'stroke-width="1.2"/>',
        f'<path class="head" d="{_head(placed.tip, direction)}" fill="currentColor" fill-opacity="0.6"/>',
    ]
    for text in placed.texts:
        side = sides[text.kind]
        parts.append(_group(side, prefix + arc_element(arc, side), [_text(text, theme)]))
    return _group("arc", prefix + arc_element(arc), parts)


def _path(placed: PlacedArc) -> str:
    def points(piece: tuple[Point, ...]) -> str:
        return " ".join(f"{_number(x)} {_number(y)}" for x, y in piece)

    (start,), *pieces = placed.wire
    return f"M {points((start,))} " + " ".join(("C " if len(piece) > 1 else "L ") + points(piece) for piece in pieces)


def _head(tip: Point, direction: Direction) -> str:
    x, y = tip
    back, half = HEAD, HEAD / 2 - 0.5
    corners = (
        [(x - half, y - back), (x + half, y - back)]
        if direction == "down"
        else [(x - back, y - half), (x - back, y + half)]
    )
    return "M " + " L ".join(f"{_number(a)} {_number(b)}" for a, b in [tip, *corners]) + " Z"


# --- text


def _text(text: Text, theme: Theme) -> str:
    looks: dict[Kind, str] = {
        "name": 'class="name" font-weight="700"',
        "operation": 'class="operation"',
        "value": f'class="value" fill="{theme.forward}"',
        "gradient": f'class="gradient" fill="{theme.backward}"',
        "local": 'class="derivative" font-style="italic" fill-opacity="0.66"',
        "note": 'class="note" fill-opacity="0.66"',
    }
    anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    place = f'x="{_number(text.x)}" y="{_number(text.y)}"'
    return f'<text {place} {looks[text.kind]} font-size="{SIZES[text.kind]:g}"{anchor}>{escape(text.text)}</text>'


def _tooltips(diagram: Diagram) -> dict[str, str]:
    """In full what the labels show in four digits, for each vertex id and arc element."""
    called, formula = phrases(diagram), formulas(diagram)
    told = {vertex.id: _vertex_tooltip(vertex, called[vertex.id], formula[vertex.id]) for vertex in diagram.vertices}
    for arc in diagram.arcs:
        there, here = called[arc.target], called[arc.source]
        rows = [
            (f"{here} to {there}", "", True),
            ("→ value ", arc.full_value or arc.value, False),
            (f"local derivative ∂({there})/∂({here}) = ", arc.full_local or arc.local, False),
            ("← gradient ", arc.full_gradient or arc.gradient, False),
        ]
        told[arc_element(arc)] = "\n".join(f"{head}{text or ''}" for head, text, always in rows if text or always)
    return told


def _vertex_tooltip(vertex: Vertex, called: str, formula: str) -> str:
    shape = str(vertex.shape) if vertex.shape else None
    rows = [
        ("", f"{called} = {formula}" if formula != called else called),
        ("", vertex.detail),
        ("→ value ", vertex.full_value or vertex.value),
        ("shape ", shape if shape != vertex.value else None),
        ("← gradient ", vertex.full_gradient or vertex.gradient),
        ("made by ", vertex.group),
    ]
    return "\n".join(head + text for head, text in rows if text)
