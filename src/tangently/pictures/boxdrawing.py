"""Draw a small graph in box characters.

The layered layout of the SVG, in cells instead of pixels. What differs is the wires, which can only go level and
upright: the gap between two columns is a *channel*, and each wire that changes its row there gets a track of its own
(Hashimoto & Stevens, "Wire routing by optimizing channel assignment", 1971: the first track that is free). A wire
that leaves a row must turn off before another one enters that row, which orders the tracks; where two wires swap rows
there is no such order, and nothing is drawn. A wire that passes under another is interrupted, so a joint (├) always
means the same value.

Everything is computed for a flow to the right, as (along, across); only the canvas knows whether the page is turned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor

from rich.cells import cell_len

from tangently.pictures.arrangement import MARKS, Direction, spread
from tangently.pictures.layering import Extent, Link, Placement, place
from tangently.pictures.model import Arc, Diagram, Vertex, cards, printable

LONGEST = 30  # cells of a text in the drawing
FRAMES = {"input": "┌─┐│└┘", "operation": "╭─╮│╰╯", "output": "╔═╗║╚╝", "group": "┏━┓┃┗┛"}
DIRECTIONS: tuple[Direction, ...] = ("right", "down")
UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
STROKES = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"

Span = tuple[str, str]  # a text and its style: "name", "value", "gradient", "local", "wire" or ""
Cell = tuple[int, int]
Net = tuple[str, int]  # ("fan", source): the wires that leave a vertex; ("link", i): one wire further on


def draw(diagram: Diagram, width: int) -> tuple[list[list[Span]], Direction] | None:
    """The rows of the drawing and its direction: to the right if that fits the width, else down the page, else none."""
    for direction in DIRECTIONS:
        rows = _draw(diagram, direction == "down")
        if rows and max(sum(cell_len(text) for text, _ in row) for row in rows) <= width:
            return rows, direction
    return None


# --- what is written


@dataclass(frozen=True, slots=True)
class _Item:
    """A vertex in cells: its rows of text and its size with the frame. A constant has no frame."""

    vertex: Vertex
    rows: list[Span]
    width: int
    height: int


def _item(vertex: Vertex, card: tuple[str | None, str | None], ports: int, down: bool) -> _Item:
    named = vertex.name is not None and vertex.name != vertex.label
    texts = [(f"{vertex.name} = {vertex.label}" if named else vertex.label, "name" if vertex.name else "")]
    marks = MARKS["down" if down else "right"]
    for text, mark, style in zip(card, marks, ("value", "gradient")):
        if text is not None:
            texts.append((f"{mark} {text}", style))
    rows = [(clip(text, LONGEST), style) for text, style in texts]
    frame = (0, 0) if vertex.role == "constant" else (4, 2)
    width, height = max(cell_len(text) for text, _ in rows) + frame[0], len(rows) + frame[1]
    return _Item(vertex, rows, max(width, 2 * ports - 1 if down else 0), max(height, 0 if down else ports))


def clip(text: str, cells: int) -> str:
    """At most so many cells of a text.

    >>> clip("abcdef", 4), clip("漢字漢字", 5), clip("ab", 4)
    ('abc…', '漢字…', 'ab')
    """
    text = " ".join(printable(text).split())
    if cell_len(text) <= cells:
        return text
    while cell_len(text) > cells - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _tags(arc: Arc, down: bool) -> list[Span]:
    forward, backward = MARKS["down" if down else "right"]
    rows = [
        (None if arc.value is None else f"{forward} {arc.value}", "value"),
        (None if arc.gradient is None else f"{backward} {arc.gradient}", "gradient"),
        (arc.local, "local"),
    ]
    return [(clip(text, LONGEST), style) for text, style in rows if text]


# --- the plan: columns, rows and tracks


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything in whole cells: the row and column of each vertex, the stops of each arc, the tracks of each gap."""

    down: bool
    items: list[_Item]
    ends: list[tuple[int, int]]
    tagged: list[list[Span]]
    rows: list[int]
    routes: list[list[Cell]]
    labels: tuple[int, ...]
    starts: list[int]
    widths: list[int]
    tracks: list[dict[Net, int]]
    columns: list[int]


def _draw(diagram: Diagram, down: bool) -> list[list[Span]] | None:
    plan = _plan(diagram, down)
    if plan is None:
        return None
    canvas = _Canvas(down)
    for i in range(len(plan.ends)):
        _draw_wire(canvas, plan, i)
        _draw_tags(canvas, plan, i)
    for i, item in enumerate(plan.items):
        _draw_item(canvas, item, *canvas.turn(*_corner(plan, i)))
    return canvas.read()


def _plan(diagram: Diagram, down: bool) -> _Plan | None:
    arcs, shown = sorted(diagram.arcs, key=lambda arc: arc.order), cards(diagram)
    number = {vertex.id: i for i, vertex in enumerate(diagram.vertices)}
    ends = [(number[arc.source], number[arc.target]) for arc in arcs]
    arriving = Counter(target for _, target in ends)
    items = [_item(vertex, shown[vertex.id], arriving[i], down) for i, vertex in enumerate(diagram.vertices)]
    tagged = [_tags(arc, down) for arc in arcs]
    nodes, labels = [_extent(item, down) for item in items], [_tag_extent(rows, down) for rows in tagged]
    links = [Link(*pair, label) for pair, label in zip(ends, labels)]
    placed = place(nodes, links, 3 if down else 2, lambda wires: 0.0)
    rows, routes = [floor(across) for _, across in placed.nodes], _ported(placed, ends, items, down)
    gaps = _gaps(len(placed.columns), routes, ends)
    tracks = [_assign(nets) for nets in gaps]
    if None in tracks:
        return None
    widths = [floor(column.end - column.start) for column in placed.columns]
    found = [track for track in tracks if track is not None]
    starts = _starts(widths, found)
    columns = [column for column, _ in placed.nodes]
    return _Plan(down, items, ends, tagged, rows, routes, placed.labels, starts, widths, found, columns)


def _extent(item: _Item, down: bool) -> Extent:
    along, across = (item.height, item.width) if down else (item.width, item.height)
    return Extent(along, (across - 1) // 2, across // 2)


def _tag_extent(rows: list[Span], down: bool) -> Extent:
    above = [cell_len(text) for text, style in rows if style == "value"]
    below = [cell_len(text) for text, style in rows if style != "value"]
    if down:
        return Extent(max(1, len(below)), max(above, default=-1) + 1, max(below, default=-1) + 1)
    return Extent(max([*above, *below], default=0) + 2, len(above), len(below))


def _ported(placed: Placement, ends: list[tuple[int, int]], items: list[_Item], down: bool) -> list[list[Cell]]:
    """The stops of every arc in whole rows; at its target, each has a row to itself."""
    routes = [[(column, floor(across)) for column, across in route] for route in placed.routes]
    sides: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for i, (_, target) in enumerate(ends):
        sides[target].append((routes[i][-2][1], i))
    for target, wanted in sides.items():
        extent, row = _extent(items[target], down), routes[wanted[0][1]][-1][1]
        low, high, inset = row - int(extent.before), row + int(extent.after), len(wanted) < extent.before + extent.after
        wanted.sort()
        spots = spread([across for across, _ in wanted], low + inset, high - inset, 1)
        for (_, i), spot in zip(wanted, spots):
            routes[i][-1] = (routes[i][-1][0], floor(spot))
    return routes


def _gaps(count: int, routes: list[list[Cell]], ends: list[tuple[int, int]]) -> list[dict[Net, tuple[int, set[int]]]]:
    """For each gap its nets: the row on which each comes in, and the rows on which it goes out."""
    gaps: list[dict[Net, tuple[int, set[int]]]] = [{} for _ in range(count)]
    for i, route in enumerate(routes):
        for (column, row), (_, following) in pairwise(route):
            gaps[column].setdefault(_net(column, i, route, ends), (row, set()))[1].add(following)
    return gaps


def _net(column: int, i: int, route: list[Cell], ends: list[tuple[int, int]]) -> Net:
    return ("fan", ends[i][0]) if column == route[0][0] else ("link", i)


def _assign(nets: dict[Net, tuple[int, set[int]]]) -> dict[Net, int] | None:
    """A track for every net that changes rows, or None if two nets swap rows."""
    bent = {net: (row, outs) for net, (row, outs) in nets.items() if outs != {row}}
    entry = {row: net for net, (row, _) in bent.items()}
    after = {net: {entry[out] for out in outs if entry.get(out, net) != net} for net, (_, outs) in bent.items()}
    taken: list[list[tuple[int, int]]] = []
    tracks: dict[Net, int] = {}
    waiting = sorted(bent, key=lambda net: _eagerness(*bent[net]))
    while waiting:
        net = next((net for net in waiting if after[net] <= tracks.keys()), None)
        if net is None:
            return None
        waiting.remove(net)
        row, outs = bent[net]
        span = min(row, *outs), max(row, *outs)
        first = max((tracks[other] + 1 for other in after[net]), default=0)
        free = (t for t in range(first, len(taken)) if all(b < span[0] or a > span[1] for a, b in taken[t]))
        tracks[net] = next(free, max(first, len(taken)))
        taken.extend([] for _ in range(tracks[net] + 1 - len(taken)))
        taken[tracks[net]].append(span)
    return tracks


def _eagerness(row: int, outs: set[int]) -> tuple[bool, int]:
    """Of wires that go down the lowest turns first, of those that go up the highest: so they do not cross."""
    down = max(outs) > row
    return down, -row if down else row


def _starts(widths: list[int], tracks: list[dict[Net, int]]) -> list[int]:
    starts = [0]
    for width, used in zip(widths, tracks):
        starts.append(starts[-1] + width + max(used.values(), default=-1) + 3)
    return starts[:-1]


# --- ink


@dataclass(slots=True)
class _Canvas:
    """Letters, and beneath them the strokes of wires, by source: wires of different sources never join."""

    down: bool
    letters: dict[Cell, Span] = field(default_factory=dict)
    strokes: dict[Cell, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def turn(self, along: int, across: int) -> Cell:
        return (along, across) if self.down else (across, along)

    def stroke(self, along: int, across: int, source: int, sides: int) -> None:
        if self.down:  # left and up change places, and so do right and down
            pairs = ((LEFT, UP), (UP, LEFT), (RIGHT, DOWN), (DOWN, RIGHT))
            sides = sum(b for a, b in pairs if sides & a)
        cell = self.strokes[self.turn(along, across)]
        cell[source] = cell.get(source, 0) | sides

    def write(self, row: int, column: int, text: str, style: str) -> None:
        for letter in text:
            cells = cell_len(letter)
            if not cells:  # a combining mark belongs to the letter before it
                self.letters[row, column - 1] = (self.letters.get((row, column - 1), ("", ""))[0] + letter, style)
            for extra in range(cells):
                self.letters[row, column + extra] = ("" if extra else letter, style)
            column += cells

    def read(self) -> list[list[Span]]:
        inked = [*self.letters, *self.strokes]
        rows, columns = [row for row, _ in inked], [column for _, column in inked]
        page = range(min(columns), max(columns) + 1)
        return [_merged([self._cell((row, column)) for column in page]) for row in range(min(rows), max(rows) + 1)]

    def _cell(self, cell: Cell) -> Span:
        if cell in self.letters:
            return self.letters[cell]
        sides = list(self.strokes.get(cell, {}).values())
        return (STROKES[sides[0]] if len(sides) == 1 else "│", "wire") if sides else (" ", "")


def _merged(cells: list[Span]) -> list[Span]:
    """Neighbors of one style become one text, and blanks at the end go."""
    while cells and cells[-1][0] == " ":
        cells = cells[:-1]
    merged: list[Span] = []
    for text, style in cells:
        if merged and merged[-1][1] == style:
            merged[-1] = (merged[-1][0] + text, style)
        else:
            merged.append((text, style))
    return merged


def _corner(plan: _Plan, i: int) -> Cell:
    """Where the frame of a vertex begins: it is centered in its column."""
    extent, column = _extent(plan.items[i], plan.down), plan.columns[i]
    return plan.starts[column] + (plan.widths[column] - int(extent.along)) // 2, plan.rows[i] - int(extent.before)


def _draw_item(canvas: _Canvas, item: _Item, row: int, column: int) -> None:
    top = row + (item.height - len(item.rows)) // 2
    for i, (text, style) in enumerate(item.rows):
        canvas.write(top + i, column + (item.width - cell_len(text)) // 2, text, style)
    if item.vertex.role in FRAMES:
        a, level, b, upright, c, d = FRAMES[item.vertex.role]
        canvas.write(row, column, a + level * (item.width - 2) + b, "")
        canvas.write(row + item.height - 1, column, c + level * (item.width - 2) + d, "")
        for i in range(1, item.height - 1):
            canvas.write(row + i, column, upright, "")
            canvas.write(row + i, column + item.width - 1, upright, "")


def _draw_wire(canvas: _Canvas, plan: _Plan, i: int) -> None:
    (source, target), route = plan.ends[i], plan.routes[i]
    at = _corner(plan, source)[0] + int(_extent(plan.items[source], plan.down).along)
    tip = _corner(plan, target)[0] - 1
    for (column, row), (following, out) in pairwise(route):
        end = tip if following == route[-1][0] else plan.starts[following] + plan.widths[following] - 1
        track = plan.tracks[column].get(_net(column, i, route, plan.ends))
        if row != out and track is not None:
            turn = plan.starts[column] + plan.widths[column] + 1 + track
            _level(canvas, source, row, at, turn - 1)
            _upright(canvas, source, turn, row, out)
            _level(canvas, source, out, turn + 1, end)
        else:
            _level(canvas, source, out, at, end)
        at = end + 1
    canvas.write(*canvas.turn(tip, route[-1][1]), "▼" if plan.down else "▶", "wire")


def _level(canvas: _Canvas, source: int, row: int, start: int, end: int) -> None:
    for along in range(start, end + 1):
        canvas.stroke(along, row, source, LEFT | RIGHT)


def _upright(canvas: _Canvas, source: int, along: int, start: int, end: int) -> None:
    toward, back = (DOWN, UP) if end > start else (UP, DOWN)
    canvas.stroke(along, start, source, LEFT | toward)
    for row in range(min(start, end) + 1, max(start, end)):
        canvas.stroke(along, row, source, UP | DOWN)
    canvas.stroke(along, end, source, RIGHT | back)


def _draw_tags(canvas: _Canvas, plan: _Plan, i: int) -> None:
    """Above and below a level wire; left and right of an upright one."""
    column, row = plan.routes[i][plan.labels[i]]
    start, width = plan.starts[column], plan.widths[column]
    above = [span for span in plan.tagged[i] if span[1] == "value"]
    below = [span for span in plan.tagged[i] if span[1] != "value"]
    first = start + (width - len(below)) // 2
    for text, style in above:
        place = (start + (width - 1) // 2, row - 1 - cell_len(text)) if plan.down else (row - 1, start + 1)
        canvas.write(*place, text, style)
    for k, (text, style) in enumerate(below):
        canvas.write(*((first + k, row + 2) if plan.down else (row + 1 + k, start + 1)), text, style)
