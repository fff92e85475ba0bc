"""What an operand can be: numbers, names, everything in brackets and bars, and the signs that stand before one.

A bar opens where an operand is wanted, and closes where an operator is, if a bar is open: ||x| - 1| is read rightly.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from ..errors import ParseError
from .calls import named
from .cursor import (
    BARS,
    ROOTS,
    ROUNDINGS,
    Cursor,
    Operand,
    Step,
    applies,
    expression,
    leftover,
    listed,
    need,
    operand,
    shown,
    unclosed,
    whole_number,
)
from .tokens import Token
from .tree import CONDITIONAL, NOT, POWER, SIGN, Node, join


def number(cursor: Cursor) -> Node:
    """An int stays an int; what has a point or an exponent is a float. Both have bounds."""
    token = cursor.take()
    digits = token.text.replace("_", "")
    value = whole_number(cursor, token, digits) if digits.isdigit() else float(digits)
    if value == math.inf:
        raise cursor.error("This number is too large.", token, "It may reach 1.8e308. Write inf for infinity.")
    return Node("number", token.start, token.end, value=value)


def fraction(cursor: Cursor) -> Node:
    """½ is 1/2, and 2½ is 2 + 1/2."""
    token = cursor.take()
    over, under = unicodedata.normalize("NFKC", token.text[-1]).split("⁄")
    parts = [Node("number", token.start, token.end, value=int(digits)) for digits in (over, under)]
    half = join("/", *parts, form="grouped")
    if not token.text[:-1]:
        return half
    whole = whole_number(cursor, token, token.text[:-1])
    return join("+", replace(parts[0], value=whole), half, form="grouped")


def brackets(cursor: Cursor) -> Step:
    """(x + 1), or a vector (a, b)."""
    opener = cursor.take()
    items = yield listed(cursor, opener)
    start, end = opener.start, cursor.before.end
    if len(items) == 1 and cursor.tokens[cursor.at - 2].text != ",":
        return replace(items[0], start=start, end=end, form="grouped")
    return array(cursor, items, start, end)


def square(cursor: Cursor) -> Step:
    """[1, 2, 3], [[1, 2], [3, 4]]."""
    opener = cursor.take()
    items = yield listed(cursor, opener)
    return array(cursor, items, opener.start, cursor.before.end)


def array(cursor: Cursor, items: Sequence[Node], start: int, end: int) -> Node:
    """Rows of equal length become one node; anything else that is regular is left for the functions to stack."""
    shapes = {item.value if item.kind == "array" else None for item in items}
    if shapes == {None} or (None in shapes and all(item.kind != "number" for item in items)):
        return Node("array", start, end, tuple(items), (len(items),))
    if len(shapes) > 1:
        hint = "Give every row as many entries as the first."
        raise ParseError("The rows of this array differ in length.", cursor.text, start, hint)
    parts = tuple(part for item in items for part in item.parts)
    return Node("array", start, end, parts, (len(items), *items[0].value))


def braces(cursor: Cursor) -> Step:
    """{x + 1} as in TeX, or a function in pieces: {x^2 if x < 0; x otherwise}."""
    opener = cursor.take()
    cursor.open.append("{")
    first = yield expression(cursor, CONDITIONAL + 1)
    while cursor.sees("if"):
        first = yield pieces(cursor, first, opener)
    if not cursor.skip("}"):
        raise leftover(cursor)
    cursor.open.pop()
    return replace(first, start=opener.start, end=cursor.before.end, form="grouped")


def pieces(cursor: Cursor, first: Node, opener: Token) -> Step:
    """The pieces of a function from `if` on, or Python's conditional."""
    need(cursor, "where", cursor.take())
    cases = [(first, (yield expression(cursor, CONDITIONAL + 1)))]
    last = (yield expression(cursor, CONDITIONAL)) if cursor.skip("else") else None
    while last is None:
        if not cursor.skip(";", ","):
            hint = "End with what holds elsewhere: {a if condition; b otherwise}."
            raise cursor.error("These pieces leave the rest open.", opener, hint)
        value = yield expression(cursor, CONDITIONAL + 1)
        if cursor.skip("if"):
            cases.append((value, (yield expression(cursor, CONDITIONAL + 1))))
        else:
            last = value
            cursor.skip("otherwise", "else")
    for value, condition in reversed(cases):
        last = join("conditional", condition, value, last)
    return last


def bars(cursor: Cursor) -> Step:
    """|x| and ‖x‖; ||x|| is the norm too, for on numbers the two agree."""
    opener = cursor.take()
    cursor.open.append(opener.text)
    inside = yield expression(cursor)
    if not cursor.skip(opener.text):
        raise unclosed(cursor, opener.text, opener)
    cursor.open.pop()
    node = Node("call", opener.start, cursor.before.end, (inside,), (need(cursor, BARS[opener.text], opener), ()))
    if is_double(cursor, node, inside) and "norm" in cursor.functions:
        cursor.note(f"read {cursor.source(node)} as the norm")
        node = replace(node, value=("norm", ()), parts=inside.parts)
    return order_of_norm(cursor, node) if cursor.token.kind == "subscript" and node.value[0] == "norm" else node


def is_double(cursor: Cursor, outer: Node, inner: Node) -> bool:
    """||x||: bars that touch on both sides."""
    touching = (inner.start, inner.end) == (outer.start + 1, outer.end - 1)
    sizes = [node.kind == "call" and node.value[0] == "abs" for node in (outer, inner)]
    return touching and all(sizes) and cursor.text[inner.start] == cursor.text[inner.end - 1] == "|"


def order_of_norm(cursor: Cursor, node: Node) -> Node:
    """‖x‖₂ is the norm, ‖x‖₁ the sum of the sizes."""
    order = "".join(re.findall(r"[A-Za-z0-9]", unicodedata.normalize("NFKC", cursor.take().text)))
    if order not in ("1", "2", "F"):
        hint = "Write it out, such as sum(abs(x)^p)^(1/p)."
        raise cursor.error(f"A norm of order {order} has no sign here.", cursor.before, hint)
    node = replace(node, end=cursor.before.end)
    if order != "1":
        return node
    sizes = replace(node, value=(need(cursor, "abs", cursor.before), ()))
    return replace(node, parts=(sizes,), value=(need(cursor, "sum", cursor.before), ()))


def rounding(cursor: Cursor) -> Step:
    """⌊x⌋ and ⌈x⌉."""
    opener = cursor.take()
    (inside,) = yield listed(cursor, opener, one_only)
    key = need(cursor, ROUNDINGS[opener.text], opener)
    return Node("call", opener.start, cursor.before.end, (inside,), (key, ()))


def one_only(cursor: Cursor) -> Step:
    inside = yield expression(cursor)
    if cursor.sees(","):
        raise leftover(cursor)
    return inside


def minus(cursor: Cursor) -> Step:
    sign = cursor.take()
    inside = yield expression(cursor, SIGN)
    return replace(join("negative", inside), start=sign.start)


def plus(cursor: Cursor) -> Step:
    cursor.take()
    return (yield expression(cursor, SIGN))


def negation(cursor: Cursor) -> Step:
    need(cursor, "logical_not", sign := cursor.take())
    inside = yield expression(cursor, NOT)
    return replace(join("not", inside), start=sign.start)


def root(cursor: Cursor) -> Step:
    """√x: the root reaches over the next factor only."""
    sign = cursor.take()
    inside = yield expression(cursor, POWER)
    after = cursor.token
    if inside.kind == "number" and after.kind == "name" and not applies(cursor):
        start, number = shown(cursor, sign), cursor.source(inside)
        cursor.note(f"read {start}{number}{after.text} as {start}({number})·{after.text}")
    return root_node(cursor, sign, inside, Node("number", sign.start, sign.end, value=ROOTS[sign.text]))


def root_node(cursor: Cursor, sign: Token, inside: Node, order: Node) -> Node:
    """sqrt, cbrt, or a power 1/n."""
    key = {2: "sqrt", 3: "cbrt"}.get(order.value) if order.kind == "number" else None
    end = max(inside.end, sign.end)
    if key in cursor.functions:
        return Node("call", sign.start, end, (inside,), (key, ()))
    one = Node("number", sign.start, sign.end, value=1)
    return replace(join("**", inside, join("/", one, order)), start=sign.start, end=end, form="grouped")


def tex_fraction(cursor: Cursor) -> Step:
    r"""\frac{a}{b}."""
    sign = cursor.take()
    parts = []
    for _ in range(2):
        if not cursor.sees("{"):
            raise cursor.error(r"\frac needs two pairs of braces.", sign, r"Write \frac{a}{b}.")
        parts.append((yield braces(cursor)))
    return replace(join("/", *parts, form="grouped"), start=sign.start)


def tex_root(cursor: Cursor) -> Step:
    r"""\sqrt{x}, \sqrt[3]{x}."""
    sign = cursor.take()
    order = Node("number", sign.start, sign.end, value=2)
    if cursor.sees("["):
        (order,) = yield listed(cursor, cursor.take(), one_only)
    if not cursor.sees("{", "("):
        raise cursor.error(r"\sqrt needs braces.", sign, r"Write \sqrt{x}.")
    inside = yield operand(cursor)
    return root_node(cursor, sign, inside, order)


OPERANDS: dict[str, Operand] = {
    "name": named,
    "number": number,
    "fraction": fraction,
    "(": brackets,
    "[": square,
    "{": braces,
    "-": minus,
    "+": plus,
    "not": negation,
    "frac": tex_fraction,
    "sqrt": tex_root,
    **dict.fromkeys(BARS, bars),
    **dict.fromkeys(ROUNDINGS, rounding),
    **dict.fromkeys(ROOTS, root),
}
