"""The tree of a formula: one kind of node, and the table of operators that grammar, evaluator and echo share.

A node is a kind, its parts, perhaps a value, and the stretch of the text that it came from:

    number       value: int, float, True, False, None or ...         (a literal)
    constant     value: "pi", "e", "tau", "inf", "euler_gamma" or "catalan"
    name         value: the name of an argument
    call         value: (function, keyword names); the parts of the keywords come last
    array        value: the shape; parts: the entries in row order   [[1, 2], [3, x]] is one node of shape (2, 2)
    index        parts: the array, then one part per axis            slice: three parts, None where left out
    compare      value: the signs; parts: one more than signs        a < b < c is one node, so b is computed once
    conditional  parts: condition, value if true, value otherwise
    transpose    one part
    juxtapose    two parts side by side, x y; value "·" where the dot was written out
    + - * / ...  the other operators go by their own spelling; .* ./ .^ are entry by entry where * / ^ are of matrices

Trees are walked with an explicit stack: a sum of ten thousand terms is ten thousand levels deep.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

LARGEST_DIGITS = 300  # of a whole number that is written out

# How tightly an operator binds: the larger, the tighter. The grammar and the echo use the same numbers.
LOOSEST, CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POWER, POSTFIX, ATOM = range(0, 120, 10)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """One node of a formula; `form` remembers how it was written, for the notes on ambiguous spellings."""

    kind: str
    start: int
    end: int
    parts: tuple[Node, ...] = ()
    value: Any = None
    form: str = ""  # "grouped": in brackets of its own; "bare": a function without brackets, sin 2x

    def __repr__(self) -> str:  # the parts are left out: a deep tree would exhaust the stack
        return f"Node({self.kind!r}, {self.start}:{self.end}, value={self.value!r}, {len(self.parts)} parts)"


class Operator(NamedTuple):
    """A row of the table: how tightly it binds, how the echo spells it, and what computes it."""

    binding: int
    spelling: str
    compute: Callable[..., Any] | str  # a name is looked up among the functions


def power(base: Any, exponent: Any) -> Any:
    """base ** exponent, without Python's huge integers and NumPy's integers that wrap around."""
    if wraps_around(base):
        base = base.astype(float)
    elif isinstance(base, int) and (
        wraps_around(exponent) or (isinstance(exponent, int) and too_large(base, exponent))
    ):
        base = float(base)
    return base**exponent


def wraps_around(value: Any) -> bool:
    """Is this an integer of NumPy's, or an array of them?"""
    return type(value).__module__ == "numpy" and value.dtype.kind in "iu"


def too_large(base: int, exponent: int) -> bool:
    """Does base ** exponent leave the range of a double? Decided from the lengths, never by computing it."""
    return abs(base) > 1 and exponent > 0 and (abs(base).bit_length() - 1) * exponent >= 1024


OPERATORS: dict[str, Operator] = {
    "or": Operator(OR, " or ", "logical_or"),
    "and": Operator(AND, " and ", "logical_and"),
    "not": Operator(NOT, "not ", "logical_not"),
    "+": Operator(SUM, " + ", operator.add),
    "-": Operator(SUM, " - ", operator.sub),
    "*": Operator(PRODUCT, "*", operator.mul),
    "/": Operator(PRODUCT, "/", operator.truediv),
    "//": Operator(PRODUCT, "//", operator.floordiv),
    "%": Operator(PRODUCT, " % ", operator.mod),
    "@": Operator(PRODUCT, " @ ", operator.matmul),
    ".*": Operator(PRODUCT, " .* ", operator.mul),
    "./": Operator(PRODUCT, " ./ ", operator.truediv),
    "negative": Operator(SIGN, "-", operator.neg),
    "**": Operator(POWER, "**", power),
    ".^": Operator(POWER, ".^", power),
}

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def join(kind: str, *parts: Node, value: Any = None, form: str = "") -> Node:
    """A node that covers the text of its parts."""
    start, end = min(part.start for part in parts), max(part.end for part in parts)
    return Node(kind, start, end, parts, value, form)


def postorder(root: Node) -> list[Node]:
    """Every node after its parts, the parts from left to right."""
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(node.parts)
    return order[::-1]


def fold(root: Node, visit: Callable[[Node, list[Result]], Result]) -> Result:
    """Compute a value for the root from the values of the parts, bottom-up."""
    values: list[Result] = []
    for node in postorder(root):
        first = len(values) - len(node.parts)
        values[first:] = [visit(node, values[first:])]
    return values[0]
