"""Multiseries as formulas: the leading terms as an expression of the variable.

t → +∞ is what the series are in; people think in x, or in h = x − a near a point a. `Sight` says how t is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.multiseries import ONE, ZERO, Field, Scale, Series, Value, is_number
from tangently.expr import TABLE, Expr, symbol

TERMS = 2  # of a series that are shown


@dataclass(frozen=True)
class Sight:
    """t = 1/|h| near a point (`small`), t = |h| at ±∞; h has the sign `side`."""

    h: Expr
    small: bool
    side: int

    @property
    def size(self) -> Expr:
        return self.h if self.side > 0 else TABLE["neg"](self.h)

    @property
    def t(self) -> Expr:
        return TABLE["div"](1, self.size) if self.small else self.size


def scale_expression(field: Field, scale: Scale, sight: Sight, depth: int = 3) -> Expr:
    """The scale as an expression of the variable."""
    if scale.height is not None:
        found = sight.t
        for _ in range(scale.height):
            found = TABLE["log"](found)
        return found
    return TABLE["exp"](expression(field, scale.log, sight, depth - 1)[0]) if depth else symbol("…")


def expression(field: Field, v: Value, sight: Sight, depth: int = 3, terms: int = TERMS) -> tuple[Expr, bool]:
    """The first terms of a multiseries as an expression of the variable, and whether there are more."""
    if is_number(v):
        return K.to_expr(v), False
    assert isinstance(v, Series)
    parts: list[Expr] = []
    for k in range(terms):
        term = v.term(k)
        if term is None:
            return _sum(parts), False
        part, cut = _term(field, v.scale, term, sight, depth)
        parts.append(part)
        if cut:
            return _sum(parts), True
    return _sum(parts), v.term(terms) is not None


def _term(field: Field, scale: Scale, term: tuple[Any, Value], sight: Sight, depth: int) -> tuple[Expr, bool]:
    e, c = term
    coefficient, more = expression(field, c, sight, depth)
    if field.sign_of(e) == 0:
        return coefficient, more
    if scale.height == 0:
        return _power_of_variable(field, coefficient, e, sight), more
    return _times(field, coefficient, scale_expression(field, scale, sight, depth), e), more


def _power_of_variable(field: Field, coefficient: Expr, e: Any, sight: Sight) -> Expr:
    """tᵉ in powers of h: a whole power of a negative h takes the sign out."""
    e = K.neg(e) if sight.small else e
    if sight.side > 0 or type(e) is not fmpq or e.q != 1:
        return _times(field, coefficient, sight.size, e)
    return _times(field, TABLE["neg"](coefficient) if int(e.p) % 2 else coefficient, sight.h, e)


def _times(field: Field, coefficient: Expr, b: Expr, e: Any) -> Expr:
    below = field.sign_of(e) < 0
    size = K.neg(e) if below else e
    power = b if type(size) is fmpq and size == 1 else TABLE["pow"](b, K.to_expr(size))
    return TABLE["div" if below else "mul"](coefficient, power)


def leading_term(field: Field, v: Value, sight: Sight) -> Expr:
    """The leading monomial with its constant."""
    monomial, c = field.lead(v)
    found = K.to_expr(c)
    for scale, e in monomial:
        found = TABLE["mul"](found, _term(field, scale, (e, ONE), sight, 1)[0])
    return found


def _sum(parts: list[Expr]) -> Expr:
    total = parts[0] if parts else K.to_expr(ZERO)
    for part in parts[1:]:
        total = TABLE["add"](total, part)
    return total


def sight_of(x: Expr, point: Any, side: int) -> Sight:
    """How the distance from the point is written: x itself at 0 and ±∞, elsewhere h = x − a."""
    if isinstance(point, float):
        return Sight(x, False, 1 if point > 0 else -1)
    if type(point) is fmpq and point == 0:
        return Sight(x, True, side)
    return Sight(symbol("h" if x.name != "h" else "k"), True, side)
