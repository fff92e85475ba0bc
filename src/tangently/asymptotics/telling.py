"""Multiseries in words and formulas: the leading terms as an expression of the variable."""

from __future__ import annotations

from typing import Any

from tangently.asymptotics import constants as K
from tangently.asymptotics.multiseries import ONE, ZERO, Field, Scale, Series, Value, is_number
from tangently.expr import TABLE, Expr, symbol

TERMS = 2  # of a series that are shown


def scale_expression(field: Field, scale: Scale, t: Expr, depth: int = 3, small: bool = False) -> Expr:
    """The scale as an expression of t, or of the distance 1/t."""
    if scale.height is not None:
        t = TABLE["div"](1, t) if small else t
        for _ in range(scale.height):
            t = TABLE["log"](t)
        return t
    return TABLE["exp"](expression(field, scale.log, t, depth - 1, small=small)[0]) if depth else symbol("…")


def expression(
    field: Field, v: Value, t: Expr, depth: int = 3, terms: int = TERMS, small: bool = False
) -> tuple[Expr, bool]:
    """The first terms of a multiseries as an expression of t (with `small`, t is the distance), and whether there are more."""
    if is_number(v):
        return K.to_expr(v), False
    assert isinstance(v, Series)
    parts: list[Expr] = []
    more = False
    for k in range(terms):
        term = v.term(k)
        if term is None:
            break
        part, cut = _term(field, v.scale, term, t, depth, small)
        parts.append(part)
        if cut:
            return _sum(parts), True
    else:
        more = v.term(terms) is not None
    return _sum(parts), more


def _term(field: Field, scale: Scale, term: tuple[Any, Value], t: Expr, depth: int, small: bool) -> tuple[Expr, bool]:
    e, c = term
    coefficient, more = expression(field, c, t, depth, small=small)
    if field.sign_of(e) == 0:
        return coefficient, more
    powers_of_t = scale.height == 0 and small  # written in the distance: t^-2 is h²
    b = t if powers_of_t else scale_expression(field, scale, t, depth, small)
    e = K.neg(e) if powers_of_t else e
    below = field.sign_of(e) < 0
    size = K.neg(e) if below else e
    power = b if type(size) is not K.Exact and size == 1 else TABLE["pow"](b, K.to_expr(size))
    return TABLE["div" if below else "mul"](coefficient, power), more


def leading_term(field: Field, v: Value, t: Expr, small: bool) -> Expr:
    """The leading monomial with its constant."""
    monomial, c = field.lead(v)
    found = K.to_expr(c)
    for scale, e in monomial:
        found = TABLE["mul"](found, _term(field, scale, (e, ONE), t, 1, small)[0])
    return found


def _sum(parts: list[Expr]) -> Expr:
    total = parts[0] if parts else K.to_expr(ZERO)
    for part in parts[1:]:
        total = TABLE["add"](total, part)
    return total


def series_text(field: Field, v: Value, name: str = "t") -> str:
    """The leading terms as text."""
    from tangently.printing import to_text

    shown, more = expression(field, v, symbol(name))
    return to_text(shown) + (" + …" if more else "")
