"""Partial derivatives that are polynomials with rational coefficients: the factors that all of them share.

Written out, x⁴ - 2x²y + y² does not show that its partial derivatives share x² - y; the greatest common divisor does
(`flint.fmpq_mpoly`: W. Hart et al., FLINT, 2023). Where such a factor is 0 every point is critical (`fields`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tangently.expr import CONST, Expr, const, toposort

TERMS = 400  # of a polynomial that is written out
POWER = 40


def shared(entries: Sequence[Expr], xs: Sequence[Expr]) -> tuple[Counter[Expr], list[Expr]] | None:
    """The irreducible common factors with their powers, and what is left of each entry; None where there are none.

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> shared([2 * x + 2 * y - 2, 2 * x + 2 * y - 2], [x, y])
    (Counter({sub(add(x, y), 1): 1}), [2, 2])
    """
    from flint import fmpq_mpoly_ctx

    ring = fmpq_mpoly_ctx.get([f"x{k}" for k in range(len(xs))], "lex")
    found = [_polynomial(e, xs, ring) for e in entries]
    if any(p is None for p in found):
        return None
    common = found[0]
    for p in found[1:]:
        common = common.gcd(p)
    if common == 0 or common.is_constant():
        return None
    _, factors = common.factor()
    powers = Counter({_expression(h, xs): int(k) for h, k in factors})
    whole = math.prod((h**k for h, k in factors), start=ring.constant(1))
    return powers, [_expression(p / whole, xs) for p in found]


def _polynomial(y: Expr, xs: Sequence[Expr], ring: Any) -> Any:
    done: dict[Expr, Any] = dict(zip(xs, ring.gens()))
    for node in toposort([y]):
        if node in done:
            continue
        made = _row(node, [done[a] for a in node.args], ring)
        if made is None or len(made) > TERMS:
            return None
        done[node] = made
    return done[y]


def _row(node: Expr, args: Sequence[Any], ring: Any) -> Any:
    """One row as an operation of the ring; None for a row that is none."""
    from flint import fmpq

    name = node.op.name
    if node.op is CONST:
        if node.shape or not math.isfinite(node.value):
            return None
        value = Fraction(node.value)
        return ring.constant(fmpq(value.numerator, value.denominator))
    if name in ("add", "sub", "mul", "neg", "square"):
        ways = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a}
        return args[0] * args[0] if name == "square" else ways[name](*args)
    if name == "div" and args[1].is_constant() and args[1] != 0:
        return args[0] / args[1]
    if name == "pow" and node.args[1].op is CONST and node.args[1].value in range(1, POWER):
        return args[0] ** int(node.args[1].value)
    return None


def _expression(p: Any, xs: Sequence[Expr]) -> Expr:
    """The polynomial as a sum of its terms, those with a positive coefficient first."""
    terms = [(Fraction(int(c.p), int(c.q)), powers) for powers, c in p.to_dict().items()]
    found: Expr | None = None
    for c, powers in sorted(terms, key=lambda t: t[0] < 0):
        term = _term(abs(c), powers, xs)
        found = (term if c > 0 else -term) if found is None else found + term if c > 0 else found - term
    return const(0) if found is None else found


def _term(c: Fraction, powers: Sequence[Any], xs: Sequence[Expr]) -> Expr:
    factors = [x if k == 1 else x ** int(k) for x, k in zip(xs, powers) if k]
    number = const(c.numerator) if c.denominator == 1 else const(c.numerator) / const(c.denominator)
    if not factors:
        return number
    return math.prod(factors[1:], start=factors[0] if c == 1 else number * factors[0])


__all__ = ["shared"]
