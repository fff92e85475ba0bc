"""The data of a computational graph: what every renderer (SVG, text, matplotlib) reads, and nothing else.

A *vertex* is a value: an input, a constant, the result of an operation, or a whole named function folded into one
("group"). An *arc* carries a value forward into an operation, and a gradient back out of it: the gradient that
arrives at its target, times the local derivative ∂target/∂source. The total gradient of a vertex is the sum over
its outgoing arcs, which is the chain rule. All texts are ready to show: four digits in `value`, all of them in
`full_value`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tangently.errors import InputError

Role = Literal["input", "constant", "operation", "output", "group"]
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SAFE = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class Vertex:
    """A value. `id` is of letters, digits, `_` and `.` (a hyphen joins ids in the SVG, so it may not be in one).

    `group` is the path of the named functions that made the value, outermost first: "layer/relu". A part may end in
    "#3" to tell one call of a function from another; the number is not shown.
    """

    id: str
    label: str
    role: Role = "operation"
    name: str | None = None
    value: str | None = None
    full_value: str | None = None
    shape: tuple[int, ...] | None = None
    gradient: str | None = None
    full_gradient: str | None = None
    detail: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Arc:
    """An operand: `order` is its position among the operands of `target`."""

    source: str
    target: str
    value: str | None = None
    local: str | None = None
    gradient: str | None = None
    full_value: str | None = None
    full_local: str | None = None
    full_gradient: str | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Diagram:
    """A computational graph. Vertices are in topological order: every arc goes from an earlier to a later one.

    >>> Diagram((Vertex("x", "x", "input"), Vertex("y", "x²")), (Arc("x", "y"),), outputs=("y",)).outputs
    ('y',)
    >>> Diagram((Vertex("y", "x²"), Vertex("x", "x", "input")), (Arc("x", "y"),))
    Traceback (most recent call last):
    tangently.errors.InputError: the arc from 'x' to 'y' goes backward; list the vertices in topological order
    """

    vertices: tuple[Vertex, ...]
    arcs: tuple[Arc, ...] = ()
    title: str = ""
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        places = {vertex.id: place for place, vertex in enumerate(self.vertices)}
        for problem in _problems(self, places):
            raise InputError(problem)


def _problems(diagram: Diagram, places: dict[str, int]) -> Iterator[str]:
    if len(places) < len(diagram.vertices):
        twice = Counter(vertex.id for vertex in diagram.vertices).most_common(1)[0][0]
        yield f"the vertex id {twice!r} is there twice; give every vertex its own id"
    for name in places:
        if not _SAFE.fullmatch(name):
            yield f"the vertex id {name!r} is not safe in XML; use letters, digits, '_' and '.' only"
    for name in diagram.outputs:
        if name not in places:
            yield f"the output {name!r} is no vertex of the diagram; list only ids of vertices"
    for arc in diagram.arcs:
        if arc.source not in places or arc.target not in places:
            yield f"the arc from {arc.source!r} to {arc.target!r} names a vertex that is not there; add the vertex"
        elif places[arc.source] >= places[arc.target]:
            yield f"the arc from {arc.source!r} to {arc.target!r} goes backward; list the vertices in topological order"
    if len({(arc.source, arc.target, arc.order) for arc in diagram.arcs}) < len(diagram.arcs):
        yield "two arcs have the same source, target and order; number the operands of a vertex 0, 1, 2, …"


def printable(text: str) -> str:
    """The text without characters that XML forbids or a terminal obeys.

    >>> printable("a\\x1b[2Jb")
    'a�[2Jb'
    """
    return _CONTROL.sub("\ufffd", text)


def incoming(diagram: Diagram) -> dict[str, list[Arc]]:
    """The arcs into each vertex, in the order of its operands."""
    arcs: dict[str, list[Arc]] = {vertex.id: [] for vertex in diagram.vertices}
    for arc in sorted(diagram.arcs, key=lambda arc: arc.order):
        arcs[arc.target].append(arc)
    return arcs


def outgoing(diagram: Diagram) -> dict[str, list[Arc]]:
    """The arcs out of each vertex."""
    arcs: dict[str, list[Arc]] = {vertex.id: [] for vertex in diagram.vertices}
    for arc in diagram.arcs:
        arcs[arc.source].append(arc)
    return arcs


def cards(diagram: Diagram) -> dict[str, tuple[str | None, str | None]]:
    """The value and the gradient that a vertex itself must show, because no arc does or no single arc can.

    Inputs and outputs show both: they are the question and the answer. Any other vertex that is used more than once
    shows its gradient, which is the sum of what its arcs bring.
    """
    uses: dict[str, int] = defaultdict(int)
    for arc in diagram.arcs:
        uses[arc.source] += 1
    ends = set(diagram.outputs)

    def card(vertex: Vertex) -> tuple[str | None, str | None]:
        end = vertex.role in ("input", "output") or vertex.id in ends
        value = vertex.value if end and vertex.value != vertex.label else None
        return value, vertex.gradient if end or uses[vertex.id] > 1 else None

    return {vertex.id: card(vertex) for vertex in diagram.vertices}


def vertex_element(vertex: Vertex, part: str = "") -> str:
    """The id of a vertex, or of its part "forward" or "backward", in the SVG."""
    return f"v-{vertex.id}" + (f"-{part}" if part else "")


def arc_element(arc: Arc, part: str = "") -> str:
    """The id of an arc, or of its part "forward", "backward" or "local", in the SVG."""
    return f"a-{arc.source}-{arc.target}-{arc.order}" + (f"-{part}" if part else "")
