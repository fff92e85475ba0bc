"""The limit of a quotient of two functions that are analytic at the point, by the orders of their zeros there.

Sums, products and quotients are brought to one fraction top/bottom, tan u with them as sin u/cos u. If both are
analytic at c, top = a·(x - c)ⁿ + …, bottom = b·(x - c)ᵐ + … with a, b ≠ 0 the first derivatives that do not vanish
(over n!, m!). So the limit is 0 for n > m, a/b for n = m, and for n < m infinite with the sign of a·b·(±1)ⁿ⁺ᵐ:
l'Hôpital's rule, read off Taylor's formula. It takes microseconds where it applies; whatever else there is goes to
`tangently.limits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tangently.differentiation import tangent
from tangently.expr import CONST, TABLE, Expr, const, is_number, toposort
from tangently.simplification import simplify
from tangently.smoothness.cells import settle_at
from tangently.smoothness.points import Point, at, number, tidy, vanishes

ORDER = 5  # zeros of a higher order are left to the engine
NODES = 60  # a larger fraction, too

Fraction = tuple[Expr, Expr]


def derivative_of(formula: Expr, x: Expr, order: int = 1) -> Expr:
    """dⁿ/dxⁿ of a formula, simplified; isolated points where only the formula has no value are passed over."""
    for _ in range(order):
        formula = simplify(tangent([formula], {x: const(1)})[0], cancel=True)
    return formula


def quotient_limit(formula: Expr, x: Expr, p: Point, side: int) -> Expr | float | None:
    """The limit from one side: an exact expression, ±inf, or None where the formula is no such quotient.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> from tangently.smoothness.points import end
    >>> x = symbol("x")
    >>> quotient_limit(TABLE["sin"](x) / x, x, end(0.0), 1), quotient_limit(1 / x, x, end(0.0), -1)
    (1, -inf)
    """
    top, bottom = fraction(formula)
    if p.exact is None or bottom.op is CONST or len(toposort([top, bottom])) > NODES:
        return None
    below = leading(bottom, x, p)
    above = leading(top, x, p) if below is not None else None
    if above is None or below is None:
        return None
    (n, a), (m, b) = above, below
    if n > m:
        return const(0)
    if n == m:
        return tidy(TABLE["div"](a, b))
    sign = 1 if (number(a) > 0) == (number(b) > 0) else -1
    return sign * math.inf * (side if (n + m) % 2 else 1)


def leading(u: Expr, x: Expr, p: Point) -> tuple[int, Expr] | None:
    """The order of the zero of an analytic u, and its first derivative that does not vanish over the factorial."""
    for k in range(ORDER + 1):
        found = settle_at(u, x, p)
        if not found.analytic or found.form is None:
            return None
        value = at(found.form, x, p)
        assert value is not None
        zero, proven = vanishes(value)
        if not proven:
            return None
        if not zero:
            return k, tidy(TABLE["div"](value, math.factorial(k)))
        u = derivative_of(u, x)
    return None


# ---------------------------------------------------------------- one fraction


def fraction(formula: Expr) -> Fraction:
    """A formula of sums, products and quotients as one top and bottom."""
    done: dict[Expr, Fraction] = {}
    for node in toposort([formula]):
        rule = RULES.get(node.op.name)
        parts = [done[a] for a in node.args]
        found = rule(node, *parts) if rule is not None else None
        done[node] = found or (node, const(1))
    return done[formula]


def _sum(node: Expr, a: Fraction, b: Fraction) -> Fraction:
    op = node.op
    if a[1] is b[1]:
        return op(a[0], b[0]), a[1]
    return op(_by(a[0], b[1]), _by(b[0], a[1])), _by(a[1], b[1])


def _by(a: Expr, b: Expr) -> Expr:
    return TABLE["mul"](a, b)


def _power(node: Expr, a: Fraction, b: Fraction) -> Fraction | None:
    """A whole power; a negative one turns the fraction over."""
    power = node.args[1]
    if power.op is not CONST or type(power.value) is not int:
        return None
    top, bottom = a if power.value > 0 else a[::-1]
    n = abs(power.value)
    return tuple(u if is_number(u, 1) else TABLE["pow"](u, n) for u in (top, bottom))  # type: ignore[return-value]


RULES: dict[str, Callable[..., Any]] = {
    "add": _sum,
    "sub": _sum,
    "neg": lambda node, a: (TABLE["neg"](a[0]), a[1]),
    "mul": lambda node, a, b: (_by(a[0], b[0]), _by(a[1], b[1])),
    "div": lambda node, a, b: (_by(a[0], b[1]), _by(a[1], b[0])),
    "reciprocal": lambda node, a: (a[1], a[0]),
    "square": lambda node, a: (_by(a[0], a[0]), _by(a[1], a[1])),
    "pow": _power,
    "tan": lambda node, a: (TABLE["sin"](node.args[0]), TABLE["cos"](node.args[0])),
}

__all__ = ["derivative_of", "fraction", "leading", "quotient_limit"]
