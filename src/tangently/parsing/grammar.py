"""Text to a reading: the scanner, the names and the grammar in order, and the checks that need the whole tree.

From loose to tight (the numbers are in `tree`):

    a if c else b    or    and    not    < <= == ...    + -    * / @ and side by side    -x    ^    x! x' x[0] x.T

The rules of the grammar are two tables: `operands.OPERANDS` and `operators.EXTENSIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import ParseError
from .cursor import Cursor, expression, leftover, run
from .names import Functions, head, heard, is_mark, nearest, prepare
from .operands import OPERANDS
from .operators import EXTENSIONS
from .tokens import Token, check_brackets, scan
from .tree import Node, fold, postorder, power, too_large


class Reading(NamedTuple):
    """What a text was read as."""

    name: str | None
    arguments: tuple[str, ...]
    root: Node
    notes: tuple[str, ...]


def read(text: str, functions: Functions) -> Reading:
    """Read a text; every failure is a ParseError that points at its place."""
    tokens = scan(text)
    check_brackets(tokens, text)
    name, declared, body = head(tokens, text)
    functions = heard(functions, body, standing(body))
    body, notes = prepare(body, text, functions, declared)
    cursor = Cursor(text, body, functions, declared, standing(body), OPERANDS, EXTENSIONS, notes)
    root = whole(cursor)
    check_integers(root, text)
    arguments = declared if declared is not None else free_names(root)
    check_names(root, text, name, arguments, declared)
    return Reading(name, arguments, root, tuple(dict.fromkeys(notes)))


def standing(tokens: list[Token]) -> frozenset[str]:
    """The names that stand on their own somewhere: not before a bracket, not as the T of a transpose."""
    return frozenset(
        token.text
        for index, token in enumerate(tokens)
        if token.kind == "name" and tokens[index + 1].text != "(" and not is_mark(tokens, index)
    )


def whole(cursor: Cursor) -> Node:
    """The tree of the whole body."""
    if cursor.token.kind == "end":
        raise cursor.error("There is no formula here.", hint="Write one, such as x^2 + 3x.")
    root = run(expression(cursor))
    if cursor.token.kind != "end":
        raise leftover(cursor)
    return root


def free_names(root: Node) -> tuple[str, ...]:
    """The names of a tree in the order in which the text has them; coordinates in their own."""
    names = sorted((node for node in postorder(root) if node.kind == "name"), key=lambda node: node.start)
    return in_order(dict.fromkeys(node.value for node in names))


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names as they come, but x, y, z in this order, and x1, x2, x10 as well: (-1.2, 1) is (x, y) in 100(y - x^2)^2.

    >>> in_order(["y", "a", "x", "b"]), in_order(["w_10", "w_9", "x"])
    (('x', 'a', 'y', 'b'), ('w_9', 'w_10', 'x'))
    """
    given = list(names)
    ranked = [coordinate(name) for name in given]
    waiting = {
        kind: iter(sorted((rank, name) for (k, rank), name in zip(ranked, given) if k == kind)) for kind, _ in ranked
    }
    return tuple(next(waiting[kind])[1] for kind, _ in ranked)


def coordinate(name: str) -> tuple[str, int]:
    """Which coordinates a name belongs to, and its place among them."""
    if name in ("x", "y", "z"):
        return "xyz", ord(name)
    numbered = re.fullmatch(r"(.*?\D)(\d+)", name)
    return (numbered[1], int(numbered[2])) if numbered else (name, 0)


def check_names(
    root: Node, text: str, name: str | None, arguments: tuple[str, ...], declared: tuple[str, ...] | None
) -> None:
    """Nothing is defined by itself, and with a declared list every name is on it."""
    for node in postorder(root):
        if node.kind == "name" and node.value == name and name not in (declared or ()):
            hint = "Use another name on one of the sides."
            raise ParseError(f"{name} is defined by itself.", text, node.start, hint)
        if node.kind == "name" and node.value not in arguments:
            close = nearest(node.value, arguments)
            hint = f"Did you mean {close}? " if close else ""
            hint += f"To make it an argument write {name}({', '.join((*arguments, node.value))}) = ..."
            raise ParseError(f"{node.value} is not an argument of {name}.", text, node.start, hint)


def check_integers(root: Node, text: str) -> None:
    """No constant of whole numbers may leave the range of a double, so that 9^9^9^9 is refused at once."""

    def visit(node: Node, parts: list[int | None]) -> int | None:
        if node.kind == "number":
            return node.value if type(node.value) is int else None
        if None in parts or node.kind not in INTEGER:
            return None
        if node.kind == "**" and parts[1] < 0:  # type: ignore[operator]
            return None
        value = None if node.kind == "**" and too_large(*parts) else INTEGER[node.kind](*parts)  # type: ignore[arg-type]
        if value is None or abs(value) >= 2**1024:
            hint = "Write it as a logarithm, or with smaller numbers."
            raise ParseError("This number is larger than 1.8e308, the largest of a double.", text, node.start, hint)
        return value

    fold(root, visit)


INTEGER = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "juxtapose": int.__mul__,
    "negative": int.__neg__,
    "**": power,
}
