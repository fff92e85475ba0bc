"""Points of the line, known exactly or by a ball; and balls of an expression at a point, node by node.

A point is a float's value, an exact expression without inputs (π/2, √2), or a ball that holds one root and no other.
Two points whose balls overlap at the working precision of `BITS` bits are taken for one.

Whether a constant is 0 is decided by a ball that excludes 0, or by an identity (the simplified expression is 0).
Where neither is found up to `DEEP` bits, `vanishes` says so with its second answer, and whoever relies on it must not
call the result proven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tangently.enclosure import ball, enclose, precision
from tangently.errors import TangentlyError
from tangently.expr import CONST, INPUT, TABLE, Expr, const, substitute, toposort
from tangently.simplification import simplify

if TYPE_CHECKING:
    from flint import arb

BITS = 256  # the working precision: about 77 digits
DEEP = 4096
LEAVES = (CONST, INPUT)


@dataclass(frozen=True, eq=False)
class Point:
    """A point: its nearest float, a ball around it, and its exact expression where there is one."""

    at: float
    ball: Any
    exact: Expr | None = None

    @property
    def finite(self) -> bool:
        return math.isfinite(self.at)


def point_of(exact: Expr) -> Point:
    """The point that an expression without inputs is.

    >>> import tangently.primitives
    >>> point_of(TABLE["sqrt"](const(2))).at
    1.4142135623730951
    """
    exact = tidy(exact)
    held = number(exact)
    return Point(float(held.mid()), held, exact)


def rooted(held: arb) -> Point:
    """The point of which only a ball is known."""
    return Point(float(held.mid()), held)


def end(value: float) -> Point:
    """A float, exactly; or an infinite end of an interval."""
    return point_of(const(int(value) if value.is_integer() else value)) if math.isfinite(value) else Point(
        value, ball(value))  # fmt: skip


def number(expr: Expr, bits: int = BITS) -> arb:
    """The ball of an expression without inputs."""
    return ball(expr.value) if expr.op is CONST else enclose([expr], {}, precision=bits)[0]


def tidy(expr: Expr) -> Expr:
    """An exact constant as a person writes it: 2π/π is 2, √8 is 2√2."""
    if expr.op is CONST:
        return expr
    from tangently.asymptotics import constants

    try:
        return constants.to_expr(constants.from_expr(expr))
    except (TangentlyError, ArithmeticError, ValueError):
        return simplify(expr, cancel=True)  # a constant outside their reach


def same(a: Point, b: Point) -> bool:
    """Are they the same point, as far as their balls tell?"""
    return a.at == b.at and not math.isfinite(a.at) if not (a.finite and b.finite) else bool(a.ball.overlaps(b.ball))


def before(a: Point, b: Point) -> bool:
    return not same(a, b) and (a.at < b.at or bool(a.ball < b.ball))


def rational(value: Any) -> Fraction | None:
    """An exact constant of a graph as a fraction, where it is one."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return Fraction(value)


def written(q: Fraction) -> Expr:
    """A fraction as an expression: a whole number, or a quotient of two."""
    if q.denominator == 1:
        return const(q.numerator)
    return TABLE["div"](const(q.numerator), const(q.denominator))


def vanishes(expr: Expr) -> tuple[bool, bool]:
    """Is this constant 0, and is that proven?

    >>> import tangently.primitives
    >>> vanishes(TABLE["sqrt"](const(2)) - 1.4142135623730951), vanishes(TABLE["sub"](const(3), 3))
    ((False, True), (True, True))
    """
    for bits in (BITS, DEEP):
        held = number(expr, bits)
        if not held.is_finite():
            return False, False
        if held > 0 or held < 0:
            return False, True
        if held == 0 or (bits == BITS and _simply_zero(expr)):
            return True, True
    return True, False


def _simply_zero(expr: Expr) -> bool:
    """By the laws of exact constants: √8 - 2√2 is 0."""
    from tangently.asymptotics import constants

    try:
        return constants.is_zero(constants.from_expr(expr))
    except (TangentlyError, ArithmeticError, ValueError):
        return False  # no proof, which is no statement that it is not 0


def at(expr: Expr, x: Expr, p: Point) -> Expr | None:
    """The expression with the point in place of x, where the point is known exactly."""
    return None if p.exact is None else substitute([expr], {x: p.exact})[0]


# ---------------------------------------------------------------- balls, node by node


class Program:
    """An expression of one input, ready to be evaluated on many balls: the order and the constants are found once."""

    def __init__(self, expr: Expr, x: Expr) -> None:
        order = toposort([expr])
        place = {node: k for k, node in enumerate(order)}
        self.x = place.get(x)
        self.start: list[Any] = [ball(n.value) if n.op is CONST else None for n in order]
        inner = [(k, n) for k, n in enumerate(order) if n.op not in LEAVES]
        self.steps: list[Any] = [(k, enclosure_of(n), [place[a] for a in n.args]) for k, n in inner]

    def __call__(self, held: arb) -> arb:
        """The ball of the expression for x in a ball."""
        values: list[Any] = self.start.copy()
        if self.x is not None:
            values[self.x] = held
        for k, enclosed, places in self.steps:
            values[k] = enclosed(*[values[j] for j in places])
        return values[-1]


class NoBalls(TangentlyError):
    """An expression that has no ball arithmetic."""


def enclosure_of(node: Expr) -> Any:
    """The row's ball arithmetic. Raises NoBalls where it has none."""
    if node.op.enclosure is None:
        raise NoBalls(f"{node.op.name} has no enclosure in the table, so nothing can be proven about it")
    return node.op.enclosure


def extend(exprs: Sequence[Expr], known: dict[Expr, Any]) -> None:
    """Add the balls of the expressions, and of what they are made of, to those that are known."""
    for node in toposort(exprs, stop=known.__contains__):
        if node not in known:
            constant = node.op is CONST
            known[node] = ball(node.value) if constant else enclosure_of(node)(*[known[a] for a in node.args])


def varies(expr: Expr) -> bool:
    """Does the expression have an input?"""
    return any(n.op is INPUT for n in toposort([expr]))


__all__ = [
    "BITS", "NoBalls", "Point", "Program", "at", "before", "end", "extend", "number", "point_of", "precision",
    "rational", "rooted", "same", "tidy", "vanishes", "varies", "written",
]  # fmt: skip
