"""How a text was read, in Python's spelling with the fewest brackets: 2x² sin x is 2*x**2*sin(x).

The echo is itself a formula, and reading it gives the same tree. Where arrays are meant (a transpose, @ or a written
dot), a product of things side by side is shown as a dot, because * would multiply elementwise.
"""

from __future__ import annotations

from collections.abc import Callable

from .tree import (
    ATOM,
    COMPARISON,
    CONDITIONAL,
    LOOSEST,
    OPERATORS,
    POSTFIX,
    POWER,
    PRODUCT,
    SUM,
    Node,
    fold,
    postorder,
)

Piece = tuple[str, int]  # some text, and how tightly it holds together


def render(root: Node) -> str:
    """The echo of a tree."""
    dots = speaks_of_matrices(root)
    return fold(root, lambda node, parts: piece(node, parts, "·" if dots else "*"))[0]


def speaks_of_matrices(root: Node) -> bool:
    """Does the formula write a transpose, an @ or a dot, so that values side by side are a matrix product?"""
    return any(node.kind in ("transpose", "@") or node.value == "·" for node in postorder(root))


def piece(node: Node, parts: list[Piece], product: str) -> Piece:
    if node.kind == "juxtapose":
        scalar = any(part.kind in ("number", "constant") for part in node.parts)
        return infix("*" if scalar else product, PRODUCT, parts)
    if node.kind in OPERATORS:
        return operator(node, parts)
    return PIECES[node.kind](node, parts)


def wrap(part: Piece, floor: int) -> str:
    """Brackets around what holds together less tightly than `floor`."""
    return part[0] if part[1] >= floor else f"({part[0]})"


def infix(spelling: str, binding: int, parts: list[Piece]) -> Piece:
    return wrap(parts[0], binding) + spelling + wrap(parts[1], binding + 1), binding


def operator(node: Node, parts: list[Piece]) -> Piece:
    row = OPERATORS[node.kind]
    if len(parts) == 1:
        return row.spelling + wrap(parts[0], row.binding), row.binding
    if node.kind == "**":  # from right to left, and the exponent may carry a sign
        return f"{wrap(parts[0], POWER + 1)}**{wrap(parts[1], POWER - 10)}", POWER
    return infix(row.spelling, row.binding, parts)


def number(node: Node, parts: list[Piece]) -> Piece:
    return ("..." if node.value is ... else repr(node.value)), ATOM


def word(node: Node, parts: list[Piece]) -> Piece:
    return node.value, ATOM


def call(node: Node, parts: list[Piece]) -> Piece:
    name, keywords = node.value
    plain = len(parts) - len(keywords)
    heads = [""] * plain + [f"{keyword}=" for keyword in keywords]
    return f"{name}({', '.join(head + text for head, (text, _) in zip(heads, parts))})", ATOM


def array(node: Node, parts: list[Piece]) -> Piece:
    texts = [text for text, _ in parts]
    for length in reversed(node.value):
        texts = [f"[{', '.join(texts[at : at + length])}]" for at in range(0, len(texts), length)]
    return texts[0], ATOM


def index(node: Node, parts: list[Piece]) -> Piece:
    return f"{postfixed(node, parts)}[{', '.join(text for text, _ in parts[1:])}]", ATOM


def transpose(node: Node, parts: list[Piece]) -> Piece:
    return f"{postfixed(node, parts)}.T", ATOM


def postfixed(node: Node, parts: list[Piece]) -> str:
    """Something before [0] or .T; a number needs brackets there, for 2.T would be cut as 2. and T."""
    return f"({parts[0][0]})" if node.parts[0].kind == "number" else wrap(parts[0], POSTFIX)


def slice_(node: Node, parts: list[Piece]) -> Piece:
    bounds = [
        "" if part.kind == "number" and part.value is None else text for part, (text, _) in zip(node.parts, parts)
    ]
    return ":".join(bounds if bounds[2] else bounds[:2]), LOOSEST


def compare(node: Node, parts: list[Piece]) -> Piece:
    first, *rest = (wrap(part, SUM) for part in parts)
    return first + "".join(f" {sign} {text}" for sign, text in zip(node.value, rest)), COMPARISON


def conditional(node: Node, parts: list[Piece]) -> Piece:
    condition, value, other = parts
    floor = CONDITIONAL + 10
    return f"{wrap(value, floor)} if {wrap(condition, floor)} else {wrap(other, CONDITIONAL)}", CONDITIONAL


PIECES: dict[str, Callable[[Node, list[Piece]], Piece]] = {
    "number": number,
    "constant": word,
    "name": word,
    "call": call,
    "array": array,
    "index": index,
    "transpose": transpose,
    "slice": slice_,
    "compare": compare,
    "conditional": conditional,
}
