"""Functions that can't be traced: what their values tell about one point, as an estimate.

The one-sided limits, and the slopes as limits of difference quotients, are extrapolated from values
(`tangently.extrapolation`); two numbers count as equal when they are within the errors of their estimates. On an
interval nothing can be said of such a function: between any two points that were tried it may jump.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tangently.enclosure import ball
from tangently.errors import TangentlyError, UnsupportedError
from tangently.expr import Expr, const, symbol
from tangently.smoothness.cells import AtPoint
from tangently.smoothness.points import Point
from tangently.smoothness.reading import Subject
from tangently.smoothness.sides import NOWHERE, Local, Tendency

SHARP = 1e-4  # a relative error up to which a slope is believed


def opaque(f: Callable[[float], float]) -> Subject:
    """The function as a name; its formula is not known."""
    name = symbol(getattr(f, "__name__", "f"))
    return Subject(name, symbol("x"), f, name)


def refuse(f: Any, reason: Exception) -> UnsupportedError:
    name = getattr(f, "__name__", "the function")
    return UnsupportedError(
        f"{name} can't be traced ({reason}), and on an interval values prove nothing; ask at= one point, or write it "
        "with operations that can be traced"
    )


def watched(f: Callable[[float], float], x: Expr, p: Point) -> Local:
    """The function at a point, from its values."""
    value = value_of(f, p.at)
    held = AtPoint(None, None, ("pole",), False, (getattr(f, "__name__", "f"),))
    if value is not None:
        held = AtPoint(const(value), ball(value), ("jump",), False)
    left, right = (extrapolated(f, p.at, side) for side in (-1, 1))
    return Local(x, p, x, held, (None, None), left, right)


def value_of(f: Callable[[float], float], x: float) -> float | None:
    """f(x), or None where it has none."""
    try:
        found = float(f(x))
    except (ArithmeticError, ValueError, TypeError, IndexError, KeyError, TangentlyError):
        return None
    return found if math.isfinite(found) else None


def extrapolated(f: Callable[[float], float], point: float, side: int) -> Tendency:
    """What the values tend to from one side."""
    from tangently.limits import limit

    one = next(s for s in limit(f, point, "+" if side > 0 else "-").sides if s.side == side)
    if not one.defined:
        return NOWHERE
    return Tendency(one.value, one.exact, one.exists, one.how, one.why[-1] if one.why else "", error=one.error)


def slope_from(f: Callable[[float], float], point: float, base: float, side: int) -> Tendency:
    """The slope on one side: Richardson's differences on that side, or else the limit of the difference quotient."""
    from tangently.quotients import extrapolate

    try:
        found = extrapolate(lambda x: f(x) if side * (x - point) > 0 else (base if x == point else math.nan), point)
    except TangentlyError:
        return extrapolated(lambda h: (f(point + h) - base) / h, 0.0, side)
    if found.error <= SHARP * (1 + abs(found.value)):
        why = "one-sided differences, extrapolated"
        return Tendency(found.value, how="estimated", why=why, error=max(found.error, 1e-9))
    return extrapolated(lambda h: (f(point + h) - base) / h, 0.0, side)


__all__ = ["extrapolated", "opaque", "refuse", "slope_from", "value_of", "watched"]
