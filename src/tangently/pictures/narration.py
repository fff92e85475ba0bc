"""A graph in words: the formula of each vertex, the steps forward and back, and the text alternative of a picture.

The forward walk computes each value once, in topological order. The backward walk is the reverse sweep: vertices in
the reverse order, each handing its total gradient, times a local derivative, to every operand (Linnainmaa 1970). Each
step says in a sentence what happens, and names the SVG elements that appear with it, so a page can step through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tangently.pictures.model import Arc, Diagram, Vertex, arc_element, cards, incoming, outgoing, vertex_element

LONG = 20  # characters; an unnamed operand with a longer formula is called by its id
TOLD = 40  # steps that the text alternative tells in full
_INFIX = frozenset("+−-×*·⋅/÷@⊙⊗∘^%<≤>≥≠") | {"**", "//", "=="}
_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⋅ⁿˣᵀ⊤′"
_PATTERN = re.compile(rf"[x(]?·?\)?([{_POWERS}]+)")


@dataclass(frozen=True, slots=True)
class WalkStep:
    """One step: the SVG elements that it reveals, and the sentence that tells it."""

    direction: Literal["forward", "backward"]
    elements: tuple[str, ...]
    text: str


def phrases(diagram: Diagram) -> dict[str, str]:
    """What to call each vertex: the user's own name, else its formula if that is short, else its id.

    >>> x, s = Vertex("x", "x", "input", name="x"), Vertex("s", "x²")
    >>> phrases(Diagram((x, s, Vertex("y", "+"), Vertex("z", "tanh")),
    ...     (Arc("x", "s"), Arc("s", "y"), Arc("x", "y", order=1), Arc("y", "z"))))["z"]
    'tanh(x² + x)'
    """
    return _name_all(diagram, formulas={})


def formulas(diagram: Diagram) -> dict[str, str]:
    """The formula of each vertex in terms of what its operands are called."""
    found: dict[str, str] = {}
    _name_all(diagram, found)
    return found


def _name_all(diagram: Diagram, formulas: dict[str, str]) -> dict[str, str]:
    operands = incoming(diagram)
    called: dict[str, str] = {}
    for vertex in diagram.vertices:
        formula = _formula(vertex, [called[arc.source] for arc in operands[vertex.id]])
        formulas[vertex.id] = formula
        called[vertex.id] = vertex.name or (formula if len(formula) <= LONG else vertex.id)
    return called


def _formula(vertex: Vertex, operands: list[str]) -> str:
    label, power = vertex.label, _PATTERN.fullmatch(vertex.label)
    if not operands:
        return label if vertex.role != "constant" else (vertex.value or label)
    if power and len(operands) == 1:
        return _closed(operands[0]) + power[1]
    if label in _INFIX:
        loose = label in "+−-"
        parts = [part if label == "+" or (loose and not i) else _closed(part) for i, part in enumerate(operands)]
        return f" {label} ".join(parts) if len(parts) > 1 else label + _closed(parts[0])
    if " " not in label and (label[:1].isalpha() or label[:1] in "_∑∏√∫⊕"):
        return f"{label}({', '.join(operands)})"
    return f"{label} of {', '.join(operands)}"


def _closed(text: str) -> str:
    """In parentheses, unless it is a single word, power or call already."""
    depth = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == " " and not depth:
            return f"({text})"
    return text


def walk(diagram: Diagram, prefix: str = "") -> tuple[WalkStep, ...]:
    """The steps forward in topological order, then backward from the outputs to the inputs.

    >>> x, y = Vertex("x", "x", "input", "x", "3", gradient="6"), Vertex("y", "x²", "output", "y", "9", gradient="1")
    >>> steps = walk(Diagram((x, y), (Arc("x", "y", "3", "2x = 6", "6"),), outputs=("y",)))
    >>> for step in steps: print(step.text)
    forward: x = 3
    forward: y = x² = 9
    backward: start at the output with ∂y/∂y = 1
    backward: ∂y/∂y = 1, times ∂y/∂x = 2x = 6, gives ∂y/∂x = 6
    """
    return (*_forward(diagram, prefix), *_backward(diagram, prefix))


def _forward(diagram: Diagram, prefix: str) -> Iterator[WalkStep]:
    operands, shown, formula, called = incoming(diagram), cards(diagram), formulas(diagram), phrases(diagram)
    for vertex in diagram.vertices:
        arcs = operands[vertex.id]
        elements = [arc_element(arc) for arc in arcs]
        elements += [arc_element(arc, "forward") for arc in arcs if arc.value is not None]
        elements += [vertex_element(vertex)] + [vertex_element(vertex, "forward")] * (shown[vertex.id][0] is not None)
        sides = [called[vertex.id], formula[vertex.id], vertex.value or ""]
        told = " = ".join(dict.fromkeys(side for side in sides if side))
        yield WalkStep("forward", tuple(prefix + e for e in elements), f"forward: {told}")


def _backward(diagram: Diagram, prefix: str) -> Iterator[WalkStep]:
    operands, shown, called = incoming(diagram), cards(diagram), phrases(diagram)
    vertices = {vertex.id: vertex for vertex in diagram.vertices}
    uses = {name: len(arcs) for name, arcs in outgoing(diagram).items()}
    left = dict(uses)
    hidden = {name for name, (_, gradient) in shown.items() if gradient is not None}
    end = called[diagram.outputs[0]] if len(diagram.outputs) == 1 else "out"
    for vertex in reversed(diagram.vertices):
        if vertex.id in hidden:  # nothing arrived, so the sweep begins here
            hidden.remove(vertex.id)
            start = f"backward: start at the output with {slope(end, called[vertex.id])} = {vertex.gradient}"
            yield WalkStep("backward", (prefix + vertex_element(vertex, "backward"),), start)
        for arc in operands[vertex.id]:
            left[arc.source] -= 1
            last = not left[arc.source]
            elements = [arc_element(arc, "local")] * (arc.local is not None)
            elements += [arc_element(arc, "backward")] * (arc.gradient is not None)
            if elements and last and arc.source in hidden:
                hidden.remove(arc.source)
                elements.append(vertex_element(vertices[arc.source], "backward"))
            if elements:
                text = _handed(arc, vertex, vertices[arc.source], called, end, last, uses[arc.source])
                yield WalkStep("backward", tuple(prefix + e for e in elements), f"backward: {text}")


def _handed(arc: Arc, vertex: Vertex, source: Vertex, called: dict[str, str], end: str, last: bool, uses: int) -> str:
    """The sentence for the gradient that one arc hands back."""
    there, here = called[vertex.id], called[source.id]
    to = slope(end, here)
    if arc.gradient is None:
        return f"{slope(there, here)} = {arc.local}"
    arriving = f"{slope(end, there)} = {vertex.gradient}" if vertex.gradient else slope(end, there)
    local = f", times {slope(there, here)} = {arc.local}," if arc.local else ""
    if uses < 2:
        return f"{arriving}{local} gives {to} = {arc.gradient}"
    total = f"; the sum is {to} = {source.gradient}" if last and source.gradient else ""
    return f"{arriving}{local} adds {arc.gradient} to {to}{total}"


def slope(of: str, by: str) -> str:
    """A derivative in Leibniz notation."""
    return f"∂{_closed(of)}/∂{_closed(by)}"


def describe(diagram: Diagram) -> str:
    """The graph in words, for the text alternative of a picture."""
    count = f"{_plural(len(diagram.vertices), 'vertex', 'vertices')} and {_plural(len(diagram.arcs), 'arc', 'arcs')}"
    steps = walk(diagram)
    told = [step.text for step in steps[:TOLD]]
    more = [f"and {len(steps) - TOLD} more steps"] if len(steps) > TOLD else []
    return ". ".join([f"Computational graph with {count}", *told, *more]) + "."


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
