"""One-sided slopes at a point, and how often the derivative can be taken across it.

The slope from one side is the limit of the difference quotient (f(x) - b)/(x - c), where b is what f tends to from
that side. Beside the point f has a formula of analytic rows (`cells`); if its derivative has a limit L at c, the
quotient has the limit L too, by the mean value theorem. So a derivative that is continuous up to c settles it by its
value there; otherwise the quotient is handed to `tangently.limits`, and after it the derivative.

Across the point f is as smooth as its two formulas fit: Cᵏ where their derivatives agree up to order k at c. One
formula for both sides is analytic there, also where it is a quotient of analytic functions with a hole (a removable
singularity of a meromorphic function); R(x)·exp(g(x)) with rational R and g and g → -∞ has all derivatives 0
(Cauchy's example).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tangently.expr import TABLE, Expr, const, depends, toposort
from tangently.simplification import simplify
from tangently.smoothness.cells import settle_at
from tangently.smoothness.points import NoBalls, Point, vanishes
from tangently.smoothness.sides import NOWHERE, Local, Tendency, equal, from_value, tendency
from tangently.smoothness.valuations import derivative_of

ORDERS = 8  # orders to which two formulas are compared
ASKED = 3  # orders for which limits of derivatives are asked for
RATIONAL = ("add", "sub", "mul", "div", "neg", "reciprocal", "square", "pow")


@dataclass(frozen=True)
class Slopes:
    """The slopes on both sides, and the values that the quotients were taken from."""

    left: Tendency
    right: Tendency

    @property
    def known(self) -> tuple[Tendency, ...]:
        """Of the sides on which the function has values."""
        return tuple(s for s in (self.left, self.right) if s.defined)


def slopes(here: Local, base: Tendency | None = None) -> Slopes:
    """The slopes of the two sides, from `base` (left out: each from its own limit)."""
    found = [
        NOWHERE if f is None or not t.defined else slope(f, here.x, here.point, side, base or t)
        for f, t, side in zip(here.formulas, (here.left, here.right), (-1, 1))
    ]
    return Slopes(*found)


def slope(formula: Expr, x: Expr, p: Point, side: int, base: Tendency) -> Tendency:
    """The one-sided slope of a formula that tends to `base`."""
    if not base.finite:
        return Tendency(None, exists=False, how=base.how, why="f has no finite limit on this side, so no slope either")
    moved = derivative_of(formula, x)
    direct = continuous_value(moved, x, p, "f′ is continuous up to the point, so its value there is the slope")
    if direct is not None:
        return direct
    if p.exact is None or base.exact is None:
        return tendency(moved, x, p, side)
    over = TABLE["sub"](x, p.exact)
    quotient = simplify(TABLE["div"](TABLE["sub"](formula, base.exact), over), cancel=True)
    found = tendency(quotient, x, p, side)
    return found if found.exists is not None else tendency(moved, x, p, side)


def continuous_value(formula: Expr, x: Expr, p: Point, why: str) -> Tendency | None:
    """The value of a formula that is continuous at the point; None where it is not known to be."""
    try:
        found = settle_at(formula, x, p)
    except NoBalls:
        return None
    return from_value(found, x, p, why) if found.regular else None


# ---------------------------------------------------------------- kinds


def kind_of(found: Slopes) -> str:
    """In words, for a function that is continuous at the point."""
    known = found.known
    if any(s.exists is None for s in known):
        return "undecided"
    if any(s.exists is False for s in known):
        return "oscillating-quotient"
    values = [s.value for s in known]
    if all(v is not None and math.isinf(v) for v in values):
        return "vertical" if len(set(values)) == 1 else "cusp"
    if not all(s.finite for s in known):
        return "kink"
    agree, _ = equal(known[0], known[-1])
    return "differentiable" if agree else ("kink" if agree is False else "undecided")


# ---------------------------------------------------------------- how smooth


@dataclass(frozen=True)
class Order:
    """Of what class Cᵏ a differentiable function is: k, and a sentence; 0 where f′ has no limit; None undecided."""

    k: float | None
    why: str


def order_of(here: Local, found: Slopes) -> Order:
    """How smooth a function is at a point at which it is differentiable."""
    flat = [None if f is None else _without_flat(f, here, side) for f, side in zip(here.formulas, (-1, 1))]
    sides = [f for f in flat if f is not None]
    answer = _of_sides(here, found, sides)
    if all(a is b for a, b in zip(flat, here.formulas)):
        return answer
    return Order(answer.k, f"{answer.why}; a power of e that beats every pole adds nothing")


def _of_sides(here: Local, found: Slopes, sides: list[Expr]) -> Order:
    if len(sides) == 2 and sides[0] is sides[1] and _meromorphic(sides[0], here):
        return Order(math.inf, "one formula holds on both sides, and it is analytic once its hole is filled")
    analytic = [settle_at(f, here.x, here.point).analytic for f in sides]
    if all(analytic):
        return _compared(here, sides)
    return _by_limits(here, found)


def _compared(here: Local, sides: list[Expr]) -> Order:
    """Two analytic formulas, derivative by derivative."""
    if len(sides) == 1 or sides[0] is sides[1] or _identical(sides):
        return Order(math.inf, "the formula is analytic at the point")
    left, right = sides
    for k in range(1, ORDERS + 1):
        left, right = derivative_of(left, here.x), derivative_of(right, here.x)
        a, b = (continuous_value(f, here.x, here.point, "") for f in (left, right))
        if a is None or b is None or not equal(a, b)[0]:
            return Order(k - 1, f"the derivatives of order {k} on the two sides differ")
    return Order(ORDERS, f"the derivatives agree at least to order {ORDERS}")


def _identical(sides: list[Expr]) -> bool:
    difference = simplify(TABLE["sub"](*sides), cancel=True)
    return not depends(toposort([difference]), _inputs(difference)) and vanishes(difference) == (True, True)


def _inputs(expr: Expr) -> list[Expr]:
    return [n for n in toposort([expr]) if n.op.name == "input"]


def _by_limits(here: Local, found: Slopes) -> Order:
    """By the limits of the derivatives from both sides."""
    for k in range(1, ASKED + 1):
        limits = [
            tendency(derivative_of(f, here.x, k), here.x, here.point, side)
            for f, side in zip(here.formulas, (-1, 1))
            if f is not None
        ]
        if any(t.exists is None for t in limits):
            return Order(k - 1 if k > 1 else None, f"what the derivative of order {k} does is not decided")
        if not all(t.finite for t in limits) or not equal(limits[0], limits[-1])[0]:
            return Order(k - 1, f"the derivative of order {k} has no common finite limit")
    return Order(ASKED, f"the derivatives have limits at least to order {ASKED}")


def _meromorphic(formula: Expr, here: Local) -> bool:
    """Analytic but for quotients of analytic parts: with a finite limit, a removable singularity at most."""
    order = toposort([formula])
    moving = depends(order, [here.x])
    broken: set[Expr] = set()
    for node in order:
        if node not in moving or not node.args:
            continue
        if any(a in broken for a in node.args):
            if not _rational_node(node):
                return False
            broken.add(node)
        else:
            met = settle_at(node, here.x, here.point).met
            if met and (not _rational_node(node) or set(met) != {"pole"}):
                return False
            broken |= {node} if met else set()
    return True


def _rational_node(node: Expr) -> bool:
    if node.op.name == "pow":
        return node.args[1].op.name == "const" and float(node.args[1].value).is_integer()
    return node.op.name in RATIONAL


def _without_flat(formula: Expr, here: Local, side: int) -> Expr:
    """The formula without the terms all of whose derivatives tend to 0."""
    if formula.op.name in ("add", "sub"):
        return TABLE[formula.op.name](*[_without_flat(term, here, side) for term in formula.args])
    return const(0) if _flat(formula, here, side) else formula


def _flat(formula: Expr, here: Local, side: int) -> bool:
    """Is it R(x)·exp(g(x)), or a quotient of these, with rational R and g where g → -∞?"""
    factors, powers = [formula], []
    while factors:
        node = factors.pop()
        if node.op.name == "mul":
            factors += node.args
        elif node.op.name == "div":
            factors += [node.args[0]]
            if not _rational(node.args[1]):
                return False
        elif node.op.name == "exp" and _rational(node.args[0]):
            powers.append(node.args[0])
        elif not _rational(node):
            return False
    return len(powers) == 1 and tendency(powers[0], here.x, here.point, side).value == -math.inf


def _rational(expr: Expr) -> bool:
    return all(_rational_node(n) for n in toposort([expr]) if n.args)


__all__ = ["Order", "Slopes", "continuous_value", "derivative_of", "kind_of", "order_of", "slope", "slopes"]
