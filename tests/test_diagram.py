"""Pictures of computational graphs: nothing overlaps, nothing is lost or untrue, everything is the same twice."""

from __future__ import annotations

import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text as RichText

from tangently.errors import InputError
from tangently.pictures import boxdrawing
from tangently.pictures.arrangement import Box, Layout, Point, measure
from tangently.pictures.diagram import Arc, Diagram, Theme, Vertex, collapse, layout, to_matplotlib, to_svg, walk
from tangently.pictures.layering import Extent, Link, inversions, place, rank_nodes
from tangently.pictures.model import arc_element
from tangently.pictures.narration import describe, formulas, phrases
from tangently.pictures.terminal import to_text

SVG = "{http://www.w3.org/2000/svg}"


# --- the graphs


def _short(number: float) -> str:
    return f"{number:.4g}"


class Tape:
    """A little reverse sweep, so that the numbers in the pictures are right."""

    def __init__(self) -> None:
        self.vertices: list[Vertex] = []
        self.values: dict[str, float] = {}
        self.arcs: list[tuple[str, str, int, float, str]] = []

    def leaf(self, name: str, value: float, role: str = "input") -> str:
        label = name if role == "input" else _short(value)
        self.vertices.append(Vertex(name, label, role, name=name if role == "input" else None))
        self.values[name] = value
        return name

    def op(self, id: str, label: str, value: float, *operands: tuple[str, float, str], **fields) -> str:
        self.vertices.append(Vertex(id, label, **fields))
        self.values[id] = value
        self.arcs += [(source, id, i, slope, text) for i, (source, slope, text) in enumerate(operands)]
        return id

    def diagram(self, output: str, title: str = "") -> Diagram:
        gradients = Counter({output: 1.0})
        arcs = []
        for source, target, order, slope, text in reversed(self.arcs):
            back = gradients[target] * slope
            gradients[source] += back
            value = self.values[source]
            arcs.append(Arc(source, target, _short(value), text, _short(back), repr(value), None, repr(back), order))
        vertices = [
            replace(v, value=_short(self.values[v.id]), gradient=_short(gradients[v.id])) for v in self.vertices
        ]
        return Diagram(tuple(vertices), tuple(reversed(arcs)), title, (output,))


def cube() -> Diagram:
    tape = Tape()
    x = tape.leaf("x", 2.0)
    h = tape.op("h", "x²", 4.0, (x, 4.0, "2x = 4"), name="h")
    g = tape.op("g", "+", 5.0, (h, 1.0, "1"), (tape.leaf("one", 1.0, "constant"), 1.0, "1"), name="g")
    f = tape.op("f", "x³", 125.0, (g, 75.0, "3g² = 75"), name="f", role="output")
    return tape.diagram(f, "f(x) = (x² + 1)³")


def polynomial() -> Diagram:
    tape = Tape()
    x, y = tape.leaf("x", 3.0), tape.leaf("y", -2.0)
    xx = tape.op("xx", "x²", 9.0, (x, 6.0, "2x = 6"))
    xxy = tape.op("xxy", "×", -18.0, (xx, -2.0, "y = -2"), (y, 9.0, "x² = 9"))
    yy = tape.op("yy", "x²", 4.0, (y, -4.0, "2y = -4"))
    xyy = tape.op("xyy", "×", 12.0, (x, 4.0, "y² = 4"), (yy, 3.0, "x = 3"))
    both = tape.op("both", "+", -6.0, (xxy, 1.0, "1"), (xyy, 1.0, "1"))
    f = tape.op(
        "f", "+", -4.0, (both, 1.0, "1"), (tape.leaf("two", 2.0, "constant"), 1.0, "1"), name="f", role="output"
    )
    return tape.diagram(f, "f(x, y) = x²y + xy² + 2")


def network() -> Diagram:
    """Two inputs, three hidden units, one output; values are shapes."""
    shapes = {"x": (2,), "W1": (3, 2), "b1": (3,), "W2": (1, 3), "b2": (1,), "y": (1,)}
    leaves = {name: Vertex(name, name, "input", name, str(s), shape=s, gradient=str(s)) for name, s in shapes.items()}

    def op(id: str, label: str, size: str, **fields) -> Vertex:
        return Vertex(id, label, value=size, gradient=size, **fields)

    vertices = (
        *(leaves[name] for name in ("W1", "x", "b1", "W2", "b2", "y")),
        op("m1", "@", "(3,)", group="layer#1"),
        op("z1", "+", "(3,)", name="z1", group="layer#1"),
        op("h", "relu", "(3,)", name="h", group="layer#1"),
        op("m2", "@", "(1,)", group="layer#2"),
        op("out", "+", "(1,)", name="ŷ", group="layer#2"),
        op("e", "−", "(1,)"),
        Vertex("loss", "sum of squares", "output", "loss", "0.4235", "0.42351111", gradient="1"),
    )
    pairs = [("W1", "m1", "⊗ x"), ("x", "m1", "W1ᵀ"), ("m1", "z1", "I"), ("b1", "z1", "I"), ("z1", "h", "diag(z1 > 0)")]
    pairs += [("W2", "m2", "⊗ h"), ("h", "m2", "W2ᵀ"), ("m2", "out", "I"), ("b2", "out", "I"), ("out", "e", "I")]
    pairs += [("y", "e", "−I"), ("e", "loss", "2e")]
    values = {vertex.id: vertex.value for vertex in vertices}
    seen: Counter[str] = Counter()
    arcs = []
    for source, target, local in pairs:
        arcs.append(Arc(source, target, values[source], local, values[source], order=seen[target]))
        seen[target] += 1
    return Diagram(vertices, tuple(arcs), "a 2-3-1 network", ("loss",))


def diamond() -> Diagram:
    tape = Tape()
    u = tape.op("u", "exp", 1.649, (tape.leaf("x", 0.5), 1.649, "exp x = 1.649"), name="u")
    left = tape.op("l", "sin", 0.997, (u, -0.0778, "cos u = -0.0778"))
    right = tape.op("r", "log", 0.5, (u, 0.6065, "1/u = 0.6065"))
    square = tape.op("s", "×", 2.718, (u, 1.649, "u = 1.649"), (u, 1.649, "u = 1.649"))
    t = tape.op("t", "+", 1.497, (left, 1.0, "1"), (right, 1.0, "1"), name="t")
    y = tape.op(
        "y", "/", 0.55, (t, 0.3679, "1/s = 0.3679"), (square, -0.2026, "-t/s² = -0.2026"), name="y", role="output"
    )
    return tape.diagram(y, "a diamond")


def skips(count: int = 12) -> Diagram:
    tape = Tape()
    made = [tape.leaf("x", 1.0)]
    for i in range(count):
        made.append(tape.op(f"h{i}", "tanh", 1 / (i + 2), (made[-1], 0.5, "0.5"), name=f"h{i}"))
    return tape.diagram(tape.op("y", "sum", 3.0, *[(h, 1.0, "1") for h in made], name="y", role="output"), "skips")


def dense(count: int = 7) -> Diagram:
    tape = Tape()
    made = [tape.leaf("x", 1.0)]
    for i in range(count):
        made.append(tape.op(f"h{i}", "Σ", 1.0, *[(h, 0.3, f"w{j}{i} = 0.3") for j, h in enumerate(made)], name=f"h{i}"))
    return tape.diagram(made[-1], "dense")


def fan_in(count: int = 25) -> Diagram:
    tape = Tape()
    leaves = [tape.leaf(f"x{i}", float(i)) for i in range(count)]
    return tape.diagram(tape.op("y", "sum", 300.0, *[(x, 1.0, "1") for x in leaves], role="output"))


def fan_out(count: int = 9) -> Diagram:
    tape = Tape()
    x = tape.leaf("x", 1.0)
    waves = [tape.op(f"s{i}", "sin", 0.1 * i, (x, 0.3, "cos x = 0.3")) for i in range(count)]
    return tape.diagram(tape.op("y", "sum", 3.6, *[(s, 1.0, "1") for s in waves], name="y", role="output"))


def unicode() -> Diagram:
    tape = Tape()
    a = tape.op("n", "softmax", 0.2, (tape.leaf("alpha", 2.0), 0.16, "σ(1−σ) <&> \"q\" 'p'"), name="損失関数")
    b = tape.op("m", "∑ᵢ x̂ᵢ²", 3.0, (a, 1.0, "]]> ∂ = 1"), name="ℓ_with_a_very_long_name_indeed_it_is_far_too_long")
    return tape.diagram(tape.op("o", "‖x‖₂", 3.0, (b, 1.0, "x/‖x‖"), name="[bold]norm", role="output"), 'ü <&> "title"')


def bare() -> Diagram:
    """No values, no gradients."""
    vertices = (Vertex("a", "a", "input"), Vertex("b", "b", "input"), Vertex("c", "×"), Vertex("d", "d", "constant"))
    return Diagram(vertices, (Arc("a", "c"), Arc("b", "c", order=1)), outputs=("c",))


def chain(count: int, labels: tuple[str, ...] = ("sin",), group: str | None = None) -> Diagram:
    vertices = [Vertex("x", "x", "input", "x", "1")]
    vertices += [
        Vertex(f"v{i}", labels[i % len(labels)], value="0.5", gradient="0.1", group=group) for i in range(count)
    ]
    arcs = [Arc(a.id, b.id, "0.5", "0.3", "0.1") for a, b in pairwise(vertices)]
    return Diagram(tuple(vertices), tuple(arcs), "chain", (vertices[-1].id,))


def deep(count: int = 30) -> Diagram:
    """Layers with a weight each and a nested activation."""
    vertices, arcs, previous = [Vertex("x", "x", "input", "x", "(3,)")], [], "x"
    inner = ("@", "×", "tanh", "+", "×", "+")
    for k in range(count):
        vertices.append(Vertex(f"W{k}", f"W{k}", "input", f"W{k}", "(3, 3)"))
        for j, label in enumerate(inner):
            path = f"layer#{k}" + ("/gelu" if 0 < j < 5 else "")
            made = Vertex(
                f"n{k}_{j}", label, name=f"h{k}" if j == 5 else None, value="(3,)", gradient="(3,)", group=path
            )
            vertices.append(made)
            arcs.append(Arc(previous, made.id, "(3,)", None, "(3,)"))
            if not j:
                arcs.append(Arc(f"W{k}", made.id, "(3, 3)", None, "(3, 3)", order=1))
            previous = made.id
    vertices.append(Vertex("loss", "mean", "output", "loss", "0.25", gradient="1"))
    return Diagram(tuple(vertices), (*arcs, Arc(previous, "loss", "(3,)", "1/3", "(3,)")), "deep", ("loss",))


GRAPHS: dict[str, Callable[[], Diagram]] = {
    "cube": cube,
    "polynomial": polynomial,
    "network": network,
    "diamond": diamond,
    "skips": skips,
    "dense": dense,
    "fan_in": fan_in,
    "fan_out": fan_out,
    "unicode": unicode,
    "bare": bare,
    "empty": lambda: Diagram((), ()),
    "one": lambda: Diagram((Vertex("c", "3", "constant", value="3"),), outputs=("c",)),
    "chain": lambda: collapse(chain(1000, ("sin", "×", "+")), 24),
    "deep": lambda: collapse(deep(), 24),
    "layers": lambda: collapse(deep(), 100),
}
every_graph = pytest.mark.parametrize("name", GRAPHS)
both_ways = pytest.mark.parametrize("direction", ["right", "down"])


@st.composite
def diagrams(draw) -> Diagram:
    """Random graphs: any number of operands, values used many times or not at all, nested functions, some twice."""
    size = draw(st.integers(0, 14))
    paths = st.sampled_from([None, None, "f", "g", "f/h", "f#2", "f#2/h", "g/k/m"])
    vertices, arcs = [], []
    for i in range(size):
        operands = draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else []
        role = "operation" if operands else draw(st.sampled_from(["input", "constant"]))
        name = draw(st.sampled_from([None, f"name{i}", "η" * 12]))
        vertices.append(
            Vertex(
                f"v{i}",
                draw(st.sampled_from(["+", "×", "tanh", "x²"])),
                role,
                name,
                "1.5",
                gradient="-2",
                group=draw(paths),
            )
        )
        arcs += [
            Arc(f"v{s}", f"v{i}", "1.5", draw(st.sampled_from([None, "1", "2x = 4.123"])), "3", order=o)
            for o, s in enumerate(operands)
        ]
    outputs = tuple(f"v{i}" for i in ([size - 1, 0] if size else [])[: draw(st.integers(0, 2))])
    return Diagram(tuple(vertices), tuple(arcs), "random", tuple(dict.fromkeys(outputs)))


# --- the layout


def _bezier(start: Point, piece: tuple[Point, ...]) -> Iterator[Point]:
    steps = 24
    for i in range(steps + 1):
        t = i / steps
        if len(piece) == 1:
            yield tuple(a + t * (b - a) for a, b in zip(start, piece[0]))
        else:
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(w * p[k] for w, p in zip(weights, (start, *piece))) for k in (0, 1))


def _points(wire: tuple[tuple[Point, ...], ...]) -> list[Point]:
    return [point for before, piece in pairwise(wire) for point in _bezier(before[-1], piece)]


def _inside(point: Point, box: Box, margin: float) -> bool:
    x, y = point
    return box.left + margin < x < box.right - margin and box.top + margin < y < box.bottom - margin


def _around(point: Point) -> Box:
    return Box(point[0] - 1, point[1] - 1, 2, 2)


def check_layout(drawn: Layout) -> None:
    vertices = [vertex.box for vertex in drawn.vertices]
    labels = [text.box for arc in drawn.arcs for text in arc.texts] + [note.box for note in drawn.notes]
    boxes = vertices + labels
    for i, box in enumerate(boxes):
        assert not [other for other in boxes[:i] if box.meets(other)]
        assert box.left >= 0
        assert box.top >= 0
        assert box.right <= drawn.width
        assert box.bottom <= drawn.height
    for vertex in drawn.vertices:
        for i, text in enumerate(vertex.texts):
            assert text.box.left >= vertex.box.left
            assert text.box.right <= vertex.box.right
            assert text.box.top >= vertex.box.top
            assert text.box.bottom <= vertex.box.bottom
            assert not [other for other in vertex.texts[:i] if text.box.meets(other.box)]
    for arc in drawn.arcs:
        points = _points(arc.wire)
        own = {v.vertex.id: v.box for v in drawn.vertices if v.vertex.id in (arc.arc.source, arc.arc.target)}
        others = [box for box in boxes if box not in own.values()]
        assert not [(arc.arc, box) for box in others for point in points if _inside(point, box, 0.6)]
        assert own[arc.arc.source].meets(_around(points[0]))
        assert own[arc.arc.target].meets(_around(arc.tip))
        assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in points)


@every_graph
@both_ways
def test_nothing_overlaps_or_is_cut_off(name, direction):
    check_layout(layout(GRAPHS[name](), direction))


@given(diagrams())
@settings(max_examples=60, deadline=None)
def test_nothing_overlaps_in_random_graphs(diagram):
    check_layout(layout(diagram, "right"))
    check_layout(layout(diagram, "down"))


@every_graph
@both_ways
def test_arcs_follow_the_flow(name, direction):
    drawn = layout(GRAPHS[name](), direction)
    axis = 0 if direction == "right" else 1
    for arc in drawn.arcs:
        along = [point[axis] for point in _points(arc.wire)]
        assert all(b >= a - 1e-6 for a, b in pairwise(along))


def test_a_spine_is_straight():
    """The layers of a deep network are on one line: their weights stand beside it."""
    drawn = layout(collapse(deep(12), 40))
    groups = [v.box.top + v.box.height / 2 for v in drawn.vertices if v.vertex.role == "group"]
    assert len(groups) == 12
    assert max(groups) - min(groups) < 1


def test_no_crossings_where_none_are_needed():
    drawn = layout(fan_out())
    heights = [v.box.top for v in drawn.vertices if v.vertex.label == "sin"]
    assert heights == sorted(heights)


@pytest.mark.parametrize("places", [[], [0], [3, 2, 1, 0], [0, 1, 2], [2, 0, 2, 1, 1]])
def test_inversions(places):
    slow = sum(a > b for i, a in enumerate(places) for b in places[i + 1 :])
    assert inversions(places, 5) == slow


def test_ranks_are_short():
    links = [Link(0, 1), Link(1, 2), Link(2, 3), Link(4, 5), Link(5, 3)]
    assert rank_nodes(6, links) == [0, 1, 2, 3, 1, 2]


def test_a_long_chain_is_laid_out():
    """Without recursion, in linear time."""
    count = 20_000
    placed = place([Extent(10, 5, 5)] * count, [Link(i, i + 1) for i in range(count - 1)], 4, lambda wires: 2)
    assert len(placed.columns) == 2 * count - 1


def test_widths_grow_with_the_text():
    assert measure("", "value") == 0
    assert measure("x̂", "value") == measure("x", "value")


# --- SVG


def _parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


@every_graph
@both_ways
def test_svg_is_well_formed_with_unique_ids(name, direction):
    diagram = GRAPHS[name]()
    root = _parse(to_svg(diagram, direction=direction))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title") is not None
    assert set(root.get("aria-labelledby", "").split()) <= set(ids)
    assert not [element for element in root.iter() if element.get("style")]
    assert {f"v-{vertex.id}" for vertex in diagram.vertices} <= set(ids)
    assert {arc_element(arc) for arc in diagram.arcs} <= set(ids)


@every_graph
def test_pictures_are_the_same_twice(name):
    make = GRAPHS[name]
    assert to_svg(make()) == to_svg(make())
    assert to_text(make()) == to_text(make())
    assert walk(make()) == walk(make())


def test_svg_marks_both_directions_by_sign_and_color():
    svg = to_svg(cube())
    arc = next(g for g in _parse(svg).iter(f"{SVG}g") if g.get("id") == "a-g-f-0")
    texts = {text.text: text for text in arc.iter(f"{SVG}text")}
    assert texts["→ 5"].get("fill") == "#0072B2"
    assert texts["← 75"].get("fill") == "#D55E00"
    assert texts["3g² = 75"].get("font-style") == "italic"
    assert arc.get("class") == "arc"
    assert "75.0" in (arc.findtext(f"{SVG}title") or "")


def test_prefix_and_theme():
    svg = to_svg(cube(), prefix="p1-", theme=Theme(forward="#111111", background="white"), legend=False)
    root = _parse(svg)
    assert all(e.get("id", "p1-").startswith("p1-") for e in root.iter())
    assert "#111111" in svg
    assert "#0072B2" not in svg
    assert 'class="background"' in svg
    assert "local derivative</text>" not in svg
    steps = {element for step in walk(cube(), prefix="p1-") for element in step.elements}
    assert steps <= {e.get("id") for e in root.iter()}


def test_hostile_text_is_escaped():
    hostile = "<script>alert(1)</script>&\"'"
    diagram = Diagram((Vertex("a", hostile, "input", hostile, hostile, detail=hostile),), title=hostile)
    svg = to_svg(diagram)
    assert "<script" not in svg
    assert hostile in (_parse(svg).findtext(f"{SVG}title") or "")


def test_control_characters_do_not_break_the_xml():
    svg = to_svg(Diagram((Vertex("a", "a\x00b\x1b[0m\ud800", "input", value="1\n2"),), title="\x07"))
    assert _parse(svg).findtext(f"{SVG}title") == "\ufffd"
    assert "\x1b" not in to_text(Diagram((Vertex("a", "a\x1b[0m", "input"),), title="\x1b[0m"))


# --- words and steps


@every_graph
def test_walk_covers_every_element(name):
    diagram = GRAPHS[name]()
    root = _parse(to_svg(diagram))
    drawn = {e.get("id") for e in root.iter(f"{SVG}g") if e.get("id")}
    walked = [element for step in walk(diagram) for element in step.elements]
    assert set(walked) == drawn
    assert len(walked) == len(drawn)


@given(diagrams())
@settings(max_examples=60, deadline=None)
def test_walk_covers_every_element_of_random_graphs(diagram):
    drawn = {e.get("id") for e in _parse(to_svg(diagram)).iter(f"{SVG}g") if e.get("id")}
    assert Counter(e for step in walk(diagram) for e in step.elements) == Counter(drawn)


def test_walk_tells_the_chain_rule():
    assert [step.text for step in walk(cube())] == [
        "forward: x = 2",
        "forward: h = x² = 4",
        "forward: 1",
        "forward: g = h + 1 = 5",
        "forward: f = g³ = 125",
        "backward: start at the output with ∂f/∂f = 1",
        "backward: ∂f/∂f = 1, times ∂f/∂g = 3g² = 75, gives ∂f/∂g = 75",
        "backward: ∂f/∂g = 75, times ∂g/∂h = 1, gives ∂f/∂h = 75",
        "backward: ∂f/∂g = 75, times ∂g/∂1 = 1, gives ∂f/∂1 = 75",
        "backward: ∂f/∂h = 75, times ∂h/∂x = 2x = 4, gives ∂f/∂x = 300",
    ]


def test_walk_adds_up_what_is_used_twice():
    last = [step.text for step in walk(diamond()) if "∂y/∂u" in step.text and "adds" in step.text]
    assert len(last) == 4
    assert last[-1].endswith("; the sum is ∂y/∂u = -0.4737")


@pytest.mark.parametrize(
    ("label", "operands", "formula"),
    [
        ("+", ["a", "b"], "a + b"),
        ("×", ["a + b", "c"], "(a + b) × c"),
        ("−", ["a + b", "c − d"], "a + b − (c − d)"),
        ("−", ["a + b"], "−(a + b)"),
        ("x²", ["a + b"], "(a + b)²"),
        ("ᵀ", ["W"], "Wᵀ"),
        ("tanh", ["f(a, b)"], "tanh(f(a, b))"),
        ("sum of squares", ["e"], "sum of squares of e"),
    ],
)
def test_formulas(label, operands, formula):
    leaves = tuple(Vertex(f"v{i}", text, "input", name=text) for i, text in enumerate(operands))
    arcs = tuple(Arc(leaf.id, "y", order=i) for i, leaf in enumerate(leaves))
    assert formulas(Diagram((*leaves, Vertex("y", label)), arcs))["y"] == formula


def test_long_formulas_are_called_by_id():
    called = phrases(chain(30, ("tanh",)))
    assert called["v0"] == "tanh(x)"
    assert max(map(len, called.values())) <= 20


def test_description_is_bounded():
    assert len(describe(chain(1000))) < 10_000
    assert describe(cube()).startswith("Computational graph with 5 vertices and 4 arcs. forward: x = 2.")


# --- folding


def check_folded(diagram: Diagram, folded: Diagram, limit: int) -> None:
    """A Diagram is acyclic by construction: its arcs go forward in the order of its vertices, or it raises."""
    assert len(folded.vertices) <= limit
    kept = {vertex.id: vertex for vertex in folded.vertices}
    assert {vertex.role for vertex in folded.vertices if vertex.id not in {v.id for v in diagram.vertices}} <= {"group"}
    assert all(kept[v.id] == v for v in diagram.vertices if v.id in kept)
    assert set(folded.outputs) <= set(kept)
    assert bool(folded.outputs) == bool(diagram.outputs)
    original = {(arc.source, arc.target, arc.order): arc for arc in diagram.arcs}
    for arc in folded.arcs:
        if kept[arc.source].role != "group" and kept[arc.target].role != "group":
            assert original[arc.source, arc.target, arc.order] == arc


@given(diagrams(), st.integers(9, 13))
@settings(max_examples=150, deadline=None)
def test_folding_random_graphs(diagram, limit):
    check_folded(diagram, collapse(diagram, limit), limit)


def test_a_small_graph_is_left_alone():
    assert collapse(cube()) is not None
    assert collapse(cube()) == cube()


def test_functions_fold_from_the_inside():
    folded = collapse(deep(12), 60)
    assert Counter(v.label for v in folded.vertices if v.role == "group") == {"gelu ×4 operations": 12}
    folded = collapse(deep(12), 40)
    assert Counter(v.label for v in folded.vertices if v.role == "group") == {"layer ×6 operations": 12}
    assert [v.name for v in folded.vertices if v.role == "group"] == [f"h{i}" for i in range(12)]
    assert {v.detail for v in folded.vertices if v.role == "group"} == {"2 ×, 2 +, 1 @, 1 tanh"}


def test_a_function_that_is_not_convex_is_split():
    """f needs something from outside that needs something from f: one vertex for f would be a cycle."""
    around = [Vertex(f"o{i}", "+") for i in range(10)]
    vertices = (Vertex("f1", "×", group="f"), Vertex("f2", "×", group="f"), *around)
    vertices += (Vertex("f3", "×", group="f"), Vertex("f4", "×", group="f"))
    names = [v.id for v in vertices]
    arcs = [Arc(a, b) for a, b in pairwise(names)] + [Arc("f1", "f3", order=1)]
    folded = collapse(Diagram(vertices, tuple(arcs)), 12)
    assert [v.label for v in folded.vertices if v.role == "group"] == ["f ×2 operations"] * 2


def test_independent_calls_stay_apart():
    vertices, arcs = [Vertex("x", "x", "input")], []
    for k in range(3):
        for j in range(5):
            vertices.append(Vertex(f"v{k}_{j}", "sin", group="wave"))
            arcs.append(Arc(f"v{k}_{j - 1}" if j else "x", f"v{k}_{j}"))
    folded = collapse(Diagram(tuple(vertices), tuple(arcs)), 9)
    assert [v.label for v in folded.vertices] == ["x", *["wave ×5 operations"] * 3]


def test_a_chain_is_elided_at_whole_repetitions():
    folded = collapse(chain(1000, ("sin", "×", "+")), 24)
    labels = [vertex.label for vertex in folded.vertices]
    gap = next(i for i, label in enumerate(labels) if label.startswith("…"))
    hidden = int(re.sub(r"\D", "", labels[gap]))
    assert hidden + len(labels) - 1 == 1001
    assert hidden % 3 == 0
    assert labels[gap - 3 : gap] == labels[gap + 1 : gap + 4]


def test_many_inputs_and_outputs_are_elided():
    folded = collapse(fan_in(1000), 30)
    assert [v.label for v in folded.vertices if v.role == "group"] == ["… 991 more inputs …"]
    arc = next(arc for arc in folded.arcs if arc.source.startswith("group"))
    assert (arc.value, arc.gradient, arc.local) == ("991 values", "991 gradients", None)
    outs = tuple(Vertex(f"y{i}", "sin", "output") for i in range(100))
    many = Diagram(
        (Vertex("x", "x", "input"), *outs), tuple(Arc("x", v.id) for v in outs), "", tuple(v.id for v in outs)
    )
    folded = collapse(many, 30)
    assert [v.label for v in folded.vertices if v.role == "group"] == ["… 91 more outputs …"]
    assert len(folded.outputs) == 10


def test_gradients_of_merged_arcs_are_added():
    """x goes into the function twice, and elsewhere once."""
    inner = tuple(Vertex(f"f{i}", "+", group="f") for i in range(10))
    vertices = (Vertex("x", "x", "input", gradient="7"), *inner, Vertex("y", "+"))
    arcs = [Arc(a.id, b.id) for a, b in pairwise(inner)]
    arcs += [Arc("x", "f0", "1", gradient="2", full_gradient="2.25"), Arc("x", "f5", "1", gradient="3", order=1)]
    arcs += [Arc("f9", "y"), Arc("x", "y", "1", gradient="2", order=1)]
    folded = collapse(Diagram(vertices, tuple(arcs)), 9)
    arc = next(arc for arc in folded.arcs if arc.source == "x" and arc.target != "y")
    assert (arc.value, arc.gradient, arc.full_gradient) == ("1", "5.25", "5.25")


@pytest.mark.parametrize("group", [None, "f", "f/g"])
def test_folding_is_fast_and_not_recursive(group):
    diagram = chain(100_000, ("sin", "×"), group)
    limit = sys.getrecursionlimit()
    start = time.perf_counter()
    sys.setrecursionlimit(200)
    try:
        folded = collapse(diagram)
        to_svg(folded)
        to_text(folded)
    finally:
        sys.setrecursionlimit(limit)
    assert time.perf_counter() - start < 20
    check_folded(diagram, folded, 60)


# --- text


@every_graph
@pytest.mark.parametrize("width", [40, 100])
def test_text_fits_the_width(name, width):
    text = to_text(GRAPHS[name](), width)
    title = GRAPHS[name]().title
    assert all(cell_len(line) <= max(width, 53) for line in text.splitlines() if line != title)


@every_graph
def test_color_only_adds_color(name):
    diagram = GRAPHS[name]()
    plain = RichText.from_markup(to_text(diagram, color=True)).plain
    assert [line.rstrip() for line in plain.splitlines()] == to_text(diagram).splitlines()


@given(diagrams())
@settings(max_examples=60, deadline=None)
def test_text_of_random_graphs(diagram):
    text = to_text(diagram, 120)
    assert all(vertex.name is None or vertex.name in text for vertex in diagram.vertices)


class StrictCanvas(boxdrawing._Canvas):
    """Refuses ink on ink, save for arrow heads and square crossings."""

    def write(self, row: int, column: int, text: str, style: str) -> None:
        assert not any((row, column + k) in self.letters for k in range(cell_len(text)))
        super().write(row, column, text, style)

    def read(self):
        assert {self.letters[cell][0] for cell in self.letters.keys() & self.strokes.keys()} <= {"▶", "▼"}
        level, upright = boxdrawing.LEFT | boxdrawing.RIGHT, boxdrawing.UP | boxdrawing.DOWN
        crossings = [sorted(nets.values()) for nets in self.strokes.values() if len(nets) > 1]
        assert all(crossing == sorted([level, upright]) for crossing in crossings)
        return super().read()


@given(diagrams())
@settings(max_examples=100, deadline=None)
def test_drawings_in_the_terminal_have_no_ink_on_ink(diagram):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxdrawing, "_Canvas", StrictCanvas)
        to_text(diagram, 500)
        to_text(diagram, 60)


def test_wires_that_swap_rows_are_not_drawn():
    assert boxdrawing._assign({("link", 0): (0, {4}), ("link", 1): (4, {0})}) is None
    assert boxdrawing._assign({("link", 0): (0, {4}), ("link", 1): (4, {8})}) == {("link", 1): 0, ("link", 0): 1}


def test_text_of_the_cube():
    expected = """\
f(x) = (x² + 1)³
┌───────┐                                                        ╔════════╗
│   x   │   → 2      ╭────────╮   → 4     ╭───────╮   → 5        ║ f = x³ ║
│  → 2  │───────────▶│ h = x² │──────────▶│ g = + │─────────────▶║ → 125  ║
│ ← 300 │   ← 300    ╰────────╯   ← 75  ┌▶╰───────╯   ← 75       ║  ← 1   ║
└───────┘   2x = 4                1     │             3g² = 75   ╚════════╝
                                        │
                                  → 1   │
                         1──────────────┘
                                  ← 75
                                  1

on each wire: → value, ← gradient, local derivative"""
    assert to_text(cube()) == expected


def test_large_graphs_are_tables():
    lines = to_text(deep(4)).splitlines()
    assert lines[1].split() == ["value", "formula", "→", "value", "local", "derivatives", "←", "gradient"]
    assert len(lines) == 3 + len(deep(4).vertices)


# --- matplotlib


@pytest.mark.parametrize("name", ["cube", "network", "deep", "empty", "one"])
@both_ways
def test_matplotlib_draws_every_text(name, direction, tmp_path):
    diagram = GRAPHS[name]()
    ax = to_matplotlib(diagram, direction=direction)
    drawn = layout(diagram, direction)
    wanted = Counter(t.text for part in (*drawn.vertices, *drawn.arcs) for t in part.texts)
    wanted.update(note.text for note in drawn.notes)
    assert Counter(text.get_text() for text in ax.texts) == wanted
    ax.figure.savefig(tmp_path / "graph.png")
    ax.figure.savefig(tmp_path / "graph.pdf")


def test_matplotlib_texts_fit_their_boxes():
    ax = to_matplotlib(network())
    ax.figure.canvas.draw()
    drawn = layout(network())
    boxes = {t.text: t.box for part in (*drawn.vertices, *drawn.arcs) for t in part.texts}
    for text in ax.texts:
        if text.get_text() in boxes:
            assert text.get_window_extent().width <= boxes[text.get_text()].width + 1


# --- the model


@pytest.mark.parametrize(
    ("vertices", "arcs", "outputs", "message"),
    [
        (("a", "a"), (), (), "twice"),
        (("a-b",), (), (), "not safe"),
        (("a",), (), ("b",), "no vertex"),
        (("a",), (Arc("a", "b"),), (), "not there"),
        (("a", "b"), (Arc("b", "a"),), (), "backward"),
        (("a", "b"), (Arc("a", "b"), Arc("a", "b")), (), "same source"),
    ],
)
def test_a_diagram_says_what_is_wrong(vertices, arcs, outputs, message):
    with pytest.raises(InputError, match=message):
        Diagram(tuple(Vertex(v, v) for v in vertices), arcs, outputs=outputs)
