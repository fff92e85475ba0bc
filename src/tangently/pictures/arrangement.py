"""Where everything in a drawn graph goes: boxes, wires, and each piece of text, in pixels.

Both renderers (SVG and matplotlib) draw this and decide nothing. No renderer is asked how wide a text is: widths come
from a table that is on the wide side for every common sans-serif face (it has the advances of DejaVu Sans, the widest
of them), so boxes are large enough wherever the picture is shown.

A wire is level inside a column and curves only in the gaps between columns. Labels live in columns, each with a band
of its own, so wires of other arcs cannot touch them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from tangently.pictures.layering import Extent, Link, Placement, place
from tangently.pictures.model import Arc, Diagram, Vertex, cards, printable

Direction = Literal["right", "down"]
Kind = Literal["name", "operation", "value", "gradient", "local", "note"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

SIZES: dict[Kind, float] = {"name": 15, "operation": 13, "value": 12, "gradient": 12, "local": 11.5, "note": 11}
MARKS = {"right": ("→", "←"), "down": ("↓", "↑")}
MARGIN, GAP, PAD, LINE, CLEAR = 14.0, 12.0, 9.0, 16.0, 5.0
HEAD, PORT, STACK = 8.0, 8.0, 4.0  # arrow head; distance of ports; offset of the sheet behind a group
LONGEST = {"name": 28, "operation": 34, "value": 24, "gradient": 24, "local": 30, "note": 80}

_HYPHEN = re.compile(r"(?<![\w.)])-(?=[\d.∞(\w])")  # one that is a sign
_WIDTHS = {
    0.29: "'ijl",
    0.35: " ,.IJ/:;\\|·′",
    0.42: "-()[]tf!r²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉ₙₖᵢⱼⁿ",
    0.56: '"*_`szc?L∂∫⁻⁺‖',
    0.66: "FkvxyPTYaeo$0123456789ESbdghnpqu{}KΣσ∘√ℓαβγδε",
    0.79: "ABVXZCRUNH&DGOQ∇∑",
    0.86: "w#+<=>^~M×→←↓↑−≤≥≠∞⊙⊤",
}


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def center(self) -> Point:
        return self.left + self.width / 2, self.top + self.height / 2

    def meets(self, other: Box) -> bool:
        """Whether the two overlap by more than a hair."""
        apart = self.right <= other.left + 0.01 or other.right <= self.left + 0.01
        return not (apart or self.bottom <= other.top + 0.01 or other.bottom <= self.top + 0.01)


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `x` is where its anchor is, `y` the base line."""

    x: float
    y: float
    text: str
    kind: Kind
    anchor: Anchor = "middle"

    @property
    def box(self) -> Box:
        width, size = measure(self.text, self.kind), SIZES[self.kind]
        left = self.x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        return Box(left, self.y - 0.8 * size, width, 1.04 * size)


@dataclass(frozen=True, slots=True)
class PlacedVertex:
    vertex: Vertex
    box: Box
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class PlacedArc:
    """`wire` is a start and then pieces: one point for a line, three for a cubic curve. The head sits at its end."""

    arc: Arc
    wire: tuple[tuple[Point, ...], ...]
    tip: Point
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    direction: Direction
    vertices: tuple[PlacedVertex, ...]
    arcs: tuple[PlacedArc, ...]
    notes: tuple[Text, ...]


# --- text


@cache
def _advances() -> dict[str, float]:
    return {letter: width for width, letters in _WIDTHS.items() for letter in letters}


def measure(text: str, kind: Kind) -> float:
    """The width of a text in pixels, on the safe side.

    >>> measure("x", "value") < measure("W", "value") < measure("漢", "value")
    True
    """
    return SIZES[kind] * (1.13 if kind == "name" else 1.0) * sum(_advance(letter) for letter in text)


def _advance(letter: str) -> float:
    known = _advances().get(letter)
    if known is not None:
        return known
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn"):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.2
    return 0.72 if letter.isalpha() and letter not in "mW" and ord(letter) < 0x2000 else 1.02


def shorten(text: str, kind: Kind) -> str:
    """At most as many characters as a label of this kind may have. The tooltip has the rest.

    >>> shorten("a" * 50, "value")
    'aaaaaaaaaaaaaaaaaaaaaaa…'
    """
    text = _HYPHEN.sub("−", " ".join(printable(text).split()))
    return text if len(text) <= LONGEST[kind] else text[: LONGEST[kind] - 1].rstrip() + "…"


def lines(vertex: Vertex, card: tuple[str | None, str | None], direction: Direction) -> list[tuple[str, Kind]]:
    """What is written in a vertex, from the top: its name, its operation, and its value and gradient if it shows them.

    >>> lines(Vertex("h", "tanh", name="h"), (None, "0.5"), "right")
    [('h', 'name'), ('tanh', 'operation'), ('← 0.5', 'gradient')]
    """
    forward, backward = MARKS[direction]
    value, gradient = card
    plain = vertex.name is None or vertex.name == vertex.label
    bold = plain and vertex.role == "input"
    rows: list[tuple[str, Kind]] = [] if plain else [(vertex.name or "", "name")]
    rows.append((vertex.label, "name" if bold else "operation"))
    if value is not None:
        rows.append((f"{forward} {value}", "value"))
    if gradient is not None:
        rows.append((f"{backward} {gradient}", "gradient"))
    return [(shorten(text, kind), kind) for text, kind in rows]


def tags(arc: Arc, direction: Direction) -> list[tuple[str, Kind]]:
    """What is written on an arc: the value above its wire; the gradient, and the local derivative, below."""
    forward, backward = MARKS[direction]
    rows: list[tuple[str | None, Kind]] = [
        (None if arc.value is None else f"{forward} {arc.value}", "value"),
        (None if arc.gradient is None else f"{backward} {arc.gradient}", "gradient"),
        (arc.local, "local"),
    ]
    return [(shorten(text, kind), kind) for text, kind in rows if text]


# --- sizes


def _vertex_size(vertex: Vertex, rows: list[tuple[str, Kind]], ports: int, down: bool) -> tuple[float, float]:
    width = max(measure(text, kind) for text, kind in rows) + 2 * PAD
    height = LINE * len(rows) + 2 * (PAD if len(rows) == 1 else PAD - 3)
    needed = (ports - 1) * PORT + 2 * PAD
    rounding = 10 if vertex.role in ("operation", "group") else 0
    behind = STACK if vertex.role == "group" else 0
    width = max(width + rounding, height, needed if down else 0) + behind
    return width, max(height, 0 if down else needed) + behind


def rounding(vertex: Vertex, box: Box) -> float:
    """The radius of the corners: roles differ in shape, not only in color."""
    if vertex.role == "operation":
        return min(box.width, box.height, 40.0) / 2
    return {"input": 3.0, "constant": 4.0, "output": 6.0, "group": 10.0}[vertex.role]


def _tag_extent(rows: list[tuple[str, Kind]], down: bool) -> Extent:
    above = [measure(text, kind) for text, kind in rows if kind == "value"]
    below = [measure(text, kind) for text, kind in rows if kind != "value"]
    if down:
        return Extent(LINE * max(len(above), len(below)) + 2, _side(above), _side(below))
    return Extent(max([*above, *below], default=0.0), _stack(above), _stack(below))


def _side(widths: list[float]) -> float:
    return max(widths) + CLEAR + 2 if widths else 0.0


def _stack(widths: list[float]) -> float:
    return LINE * len(widths) + CLEAR - 2 if widths else 0.0


def _channel(wires: list[tuple[float, float]]) -> float:
    """Steep wires get a wider gap, so that no curve looks like a cliff."""
    return min(90.0, 22.0 + 0.22 * max((abs(a - b) for a, b in wires), default=0.0))


# --- the layout


def layout(diagram: Diagram, direction: Direction = "right", *, legend: bool = True) -> Layout:
    """Place every vertex, wire and text.

    >>> x, y = Vertex("x", "x", "input", "x", "3"), Vertex("y", "x²", "output", "y", "9")
    >>> drawn = layout(Diagram((x, y), (Arc("x", "y", "3", "2x = 6", "6"),)))
    >>> [text.text for text in drawn.arcs[0].texts]
    ['→ 3', '← 6', '2x = 6']
    >>> drawn.vertices[0].box.right < drawn.vertices[1].box.left
    True
    """
    shown = cards(diagram)
    plan = _plan(diagram, [lines(vertex, shown[vertex.id], direction) for vertex in diagram.vertices], direction)
    vertices = [
        PlacedVertex(vertex, box, _write(vertex, box, rows))
        for vertex, box, rows in zip(diagram.vertices, plan.boxes, plan.written)
    ]
    arcs = [PlacedArc(arc, *_wire(plan, i), _tag_texts(plan, i)) for i, arc in enumerate(plan.arcs)]
    return _framed(vertices, arcs, _legend(plan) if legend else [], direction)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The placement and what is needed to draw it. Arcs are in the order of operands; `ends` are their vertices."""

    down: bool
    vertices: tuple[Vertex, ...]
    arcs: list[Arc]
    ends: list[tuple[int, int]]
    written: list[list[tuple[str, Kind]]]
    tagged: list[list[tuple[str, Kind]]]
    boxes: list[Box]
    placed: Placement
    ports: list[tuple[float, float]]


def _plan(diagram: Diagram, written: list[list[tuple[str, Kind]]], direction: Direction) -> _Plan:
    down = direction == "down"
    number = {vertex.id: i for i, vertex in enumerate(diagram.vertices)}
    arcs = sorted(diagram.arcs, key=lambda arc: arc.order)
    ends = [(number[arc.source], number[arc.target]) for arc in arcs]
    tagged = [tags(arc, direction) for arc in arcs]
    sizes = _sizes(diagram.vertices, ends, written, down)
    nodes = [Extent(h, w / 2, w / 2) if down else Extent(w, h / 2, h / 2) for w, h in sizes]
    placed = place(nodes, [Link(*pair, _tag_extent(rows, down)) for pair, rows in zip(ends, tagged)], GAP, _channel)
    centers = [_turn((placed.columns[column].middle, across), down) for column, across in placed.nodes]
    boxes = [Box(x - w / 2, y - h / 2, w, h) for (x, y), (w, h) in zip(centers, sizes)]
    ports = _ports(ends, placed, [max(1.0, (w if down else h) / 2 - PAD) for w, h in sizes])
    return _Plan(down, diagram.vertices, arcs, ends, written, tagged, boxes, placed, ports)


def _turn(point: Point, down: bool) -> Point:
    return (point[1], point[0]) if down else point


def _sizes(
    vertices: Sequence[Vertex], ends: list[tuple[int, int]], written: list[list[tuple[str, Kind]]], down: bool
) -> list[Point]:
    leaving, arriving = Counter(source for source, _ in ends), Counter(target for _, target in ends)
    ports = [max(arriving[i], min(leaving[i], 12)) for i in range(len(vertices))]
    return [_vertex_size(*parts, down) for parts in zip(vertices, written, ports)]


def _write(vertex: Vertex, box: Box, rows: list[tuple[str, Kind]]) -> tuple[Text, ...]:
    sheet = STACK if vertex.role == "group" else 0.0
    x, y = box.center[0] - sheet / 2, box.center[1] - sheet / 2
    first = y - LINE * len(rows) / 2
    return tuple(Text(x, first + LINE * (i + 0.77), text, kind) for i, (text, kind) in enumerate(rows))


def _tag_texts(plan: _Plan, i: int) -> tuple[Text, ...]:
    """The texts on an arc, around its wire in the column that carries its label."""
    column, across = plan.placed.routes[i][plan.placed.labels[i]]
    middle = plan.placed.columns[column].middle
    below = [row for row in plan.tagged[i] if row[1] != "value"]
    texts = []
    for text, kind in plan.tagged[i]:
        row = below.index((text, kind)) if kind != "value" else 0
        if plan.down:
            base = (
                middle + 4.5 + LINE * (row if kind != "value" else 0) - LINE * (len(below) - 1) / 2 * (kind != "value")
            )
            side = -CLEAR - 2 if kind == "value" else CLEAR + 2
            texts.append(Text(across + side, base, text, kind, "end" if kind == "value" else "start"))
        else:
            base = across - CLEAR if kind == "value" else across + CLEAR + 9 + LINE * row
            texts.append(Text(middle, base, text, kind))
    return tuple(texts)


def _legend(plan: _Plan) -> list[tuple[str, Kind]]:
    """The key to the marks that occur."""
    kinds = {kind for rows in (*plan.tagged, *plan.written) for _, kind in rows}
    forward, backward = MARKS["down" if plan.down else "right"]
    told: list[tuple[str, Kind]] = [
        (f"{forward} value", "value"),
        (f"{backward} gradient", "gradient"),
        ("local derivative", "local"),
    ]
    return [(text, kind) for text, kind in told if kind in kinds]


def _framed(
    vertices: list[PlacedVertex], arcs: list[PlacedArc], legend: list[tuple[str, Kind]], direction: Direction
) -> Layout:
    """Shift everything into a frame that begins at 0, with the legend at the bottom."""
    boxes = [vertex.box for vertex in vertices] + [text.box for arc in arcs for text in arc.texts]
    boxes += [Box(x, y, 0, 0) for arc in arcs for piece in arc.wire for x, y in piece]
    boxes = boxes or [Box(0, 0, 0, 0)]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    dx, dy = MARGIN - left, MARGIN - top
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    notes, x = [], MARGIN
    if not vertices:
        legend = [("no vertices", "note")]
    for text, kind in legend:
        notes.append(Text(x, height + 12, text, kind, "start"))
        x += measure(text, kind) + 18
    moved = tuple(replace(v, box=_move_box(v.box, dx, dy), texts=_move_texts(v.texts, dx, dy)) for v in vertices)
    wires = tuple(_move_arc(arc, dx, dy) for arc in arcs)
    size = max(width, x - 18 + MARGIN), height + (26 if notes else 0)
    return Layout(*size, direction, moved, wires, tuple(notes))


def _move_box(box: Box, dx: float, dy: float) -> Box:
    return replace(box, left=box.left + dx, top=box.top + dy)


def _move_texts(texts: tuple[Text, ...], dx: float, dy: float) -> tuple[Text, ...]:
    return tuple(replace(text, x=text.x + dx, y=text.y + dy) for text in texts)


def _move_arc(arc: PlacedArc, dx: float, dy: float) -> PlacedArc:
    wire = tuple(tuple((x + dx, y + dy) for x, y in piece) for piece in arc.wire)
    return PlacedArc(arc.arc, wire, (arc.tip[0] + dx, arc.tip[1] + dy), _move_texts(arc.texts, dx, dy))


# --- wires


def _wire(plan: _Plan, i: int) -> tuple[tuple[tuple[Point, ...], ...], Point]:
    """The pieces of a wire, level in columns and curved between them, and the tip of its head."""
    (first, *stops, last), columns = plan.placed.routes[i], plan.placed.columns
    source, target = plan.ends[i]
    leave, enter = plan.ports[i]
    start = (plan.boxes[source].bottom if plan.down else plan.boxes[source].right) - _inset(plan, source, leave)
    tip = (plan.boxes[target].top if plan.down else plan.boxes[target].left) + _inset(plan, target, enter)
    at, previous = (start, leave), columns[first[0]]
    pieces: list[tuple[Point, ...]] = [(at,)]
    for column, across in stops:
        pieces += _bow((previous.end, at[1]), (columns[column].start, across))
        at, previous = (columns[column].end, across), columns[column]
    pieces += _bow((previous.end, at[1]), (columns[last[0]].start - HEAD, enter))
    pieces.append(((tip - HEAD + 1, enter),))
    return tuple(tuple(_turn(p, plan.down) for p in piece) for piece in _joined(pieces)), _turn((tip, enter), plan.down)


def _inset(plan: _Plan, v: int, port: float) -> float:
    """How far a rounded corner recedes at a port."""
    box = plan.boxes[v]
    near = min(port - box.left, box.right - port) if plan.down else min(port - box.top, box.bottom - port)
    radius = rounding(plan.vertices[v], box)
    return radius - math.sqrt(max(0.0, radius**2 - (radius - near) ** 2)) if near < radius else 0.0


def _bow(start: Point, end: Point) -> list[tuple[Point, ...]]:
    """A line to the start of a gap, and a curve across it that is level at both ends."""
    middle = (start[0] + end[0]) / 2
    level = abs(start[1] - end[1]) < 0.05
    return [(start,), (end,)] if level else [(start,), ((middle, start[1]), (middle, end[1]), end)]


def _joined(pieces: list[tuple[Point, ...]]) -> list[tuple[Point, ...]]:
    """Lines that continue each other become one."""
    joined = pieces[:1]
    for i, piece in enumerate(pieces[1:], 1):
        after = pieces[i + 1] if i + 1 < len(pieces) else piece * 2
        straight = len(piece) == len(after) == 1 and abs(pieces[i - 1][-1][1] - after[0][1]) < 0.05
        if not straight and piece != joined[-1][-1:]:
            joined.append(piece)
    return joined


def _ports(ends: list[tuple[int, int]], placed: Placement, halves: list[float]) -> list[tuple[float, float]]:
    """Where each arc leaves its source and enters its target: straight ahead if it can, and apart from the others."""
    sides: dict[tuple[int, bool], list[tuple[float, int]]] = defaultdict(list)
    for i, (source, target) in enumerate(ends):
        sides[source, False].append((placed.routes[i][1][1], i))
        sides[target, True].append((placed.routes[i][-2][1], i))
    ports: dict[tuple[int, bool], float] = {}
    for (v, entering), wanted in sides.items():
        wanted.sort()
        center, half = placed.nodes[v][1], halves[v]
        spots = spread([across for across, _ in wanted], center - half, center + half, PORT)
        ports.update(((i, entering), spot) for (_, i), spot in zip(wanted, spots))
    return [(ports[i, False], ports[i, True]) for i in range(len(ends))]


def spread(wanted: Sequence[float], low: float, high: float, step: float) -> list[float]:
    """The places nearest to the wanted ones (in order) that are between low and high, and a step apart if they fit.

    >>> spread([-50, 0, 1, 50], -20, 20, 8)
    [-20, 0, 8, 20]
    >>> spread([5], -20, 20, 8)
    [5]
    """
    step = min(step, (high - low) / max(1, len(wanted) - 1))
    spots, least = [], low
    for across in wanted:
        spots.append(max(least, min(across, high)))
        least = spots[-1] + step
    most = high
    for i in range(len(spots) - 1, -1, -1):
        spots[i] = min(spots[i], most)
        most = spots[i] - step
    return spots
