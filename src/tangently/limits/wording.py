"""Why a limit is what it is, in sentences that a teacher would accept."""

from __future__ import annotations

import math
from typing import Any

from tangently.asymptotics import constants as K
from tangently.asymptotics.germs import Behavior, Near
from tangently.asymptotics.multiseries import GermError, Series, is_number
from tangently.asymptotics.telling import expression, leading_term
from tangently.expr import TABLE, Expr
from tangently.printing import to_text


def reasons(root: Expr, x: Expr, point: Any, side: int, found: Behavior) -> tuple[str, ...]:
    """The steps: what f looks like near the point, and what follows."""
    if found.exists is False:
        return found.why
    if found.why == ("squeeze",):
        return _squeezed(x, point, side, found)
    return _leading(root, x, point, side, found)


def distance(x: Expr, point: Any, side: int) -> tuple[Expr, bool]:
    """What grows or shrinks: h = |x − point| and True, or |x| and False at ±∞."""
    if isinstance(point, float):
        return (x if point > 0 else TABLE["neg"](x)), False
    if isinstance(point, K.Exact) or point:
        a = K.to_expr(point)
        return (TABLE["sub"](x, a) if side > 0 else TABLE["sub"](a, x)), True
    return (x if side > 0 else TABLE["neg"](x)), True


def _leading(root: Expr, x: Expr, point: Any, side: int, found: Behavior) -> tuple[str, ...]:
    near, value = found.near, found.value
    assert near is not None and value is not None
    if is_number(value):
        return (f"{near_text(x, point, side)} the function is constant: {K.show(value)}",)
    h, small = distance(x, point, side)
    return (f"{near_text(x, point, side)} f = {_terms(near, value, h, small)}   ({method(near, value)})", conclusion(near, value))


DISPLAY = 400  # steps of work for terms that nothing depends on


def _terms(near: Near, value: Any, h: Expr, small: bool) -> str:
    """Two terms where they are within reach, else the leading one: later ones are for the eye only."""
    with near.limited(DISPLAY):
        try:
            shown, more = expression(near, value, h, small=small, terms=2)
        except (GermError, K.Undecided, RecursionError):
            shown, more = leading_term(near, value, h, small), True
    return to_text(shown) + (" + …" if more else "")


def near_text(x: Expr, point: Any, side: int) -> str:
    if isinstance(point, float):
        return f"as {x.name} → {'∞' if point > 0 else '-∞'},"
    return f"just {'right' if side > 0 else 'left'} of {x.name} = {K.show(point)},"


def method(near: Near, value: Any) -> str:
    """Which kind of expansion it is."""
    scales = []
    while type(value) is Series:
        first = value.term(0)
        scales.append(value.scale)
        value = first[1] if first else None
    if any(s.height is None for s in scales):
        return "multiseries: terms ordered by growth, exponentials over powers over logarithms"
    return "series in logarithms and powers" if any(s.height for s in scales) else "power series"


def conclusion(near: Near, value: Any) -> str:
    found = near.limit(value)
    if isinstance(found, float):
        return f"the leading term grows without bound, to {'∞' if found > 0 else '-∞'}"
    if not near.nonzero(found):
        return "every term tends to 0, and so does f"
    return f"every other term tends to 0, so f tends to the constant {K.show(found)}"


def _squeezed(x: Expr, point: Any, side: int, found: Behavior) -> tuple[str, ...]:
    near, band = found.near, found.band
    assert near is not None
    if band is None:
        return ("the squeeze theorem",)
    h, small = distance(x, point, side)
    ends = [None if e is None else expression(near, e, h, small=small, terms=2) for e in (band.low, band.high)]
    low, high = ["" if e is None else to_text(e[0]) + (" + …" if e[1] else "") for e in ends]
    between = f"{low} ≤ f ≤ {high}" if low and high else f"f ≥ {low}" if low else f"f ≤ {high}"
    told = f"{near_text(x, point, side)} what oscillates stays within bounds: {between}"
    limit = found.limit
    if isinstance(limit, float) and math.isinf(limit):
        return told, f"the bound tends to {'∞' if limit > 0 else '-∞'}, and takes f with it"
    return told, f"both bounds tend to {K.show(limit)}: by the squeeze theorem so does f"
