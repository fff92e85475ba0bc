"""Why a limit is what it is, in sentences that a teacher would accept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tangently.asymptotics import constants as K
from tangently.asymptotics.germs import Behavior, Fixed, Near, shown
from tangently.asymptotics.multiseries import GermError, Series, is_number
from tangently.asymptotics.telling import Sight, expression, leading_term, sight_of
from tangently.expr import Expr
from tangently.printing import to_text

DISPLAY = 400  # steps of work for terms that nothing depends on


def reasons(x: Expr, point: Any, side: int, found: Behavior) -> tuple[str, ...]:
    """The steps: what f looks like near the point, and what follows."""
    sight = sight_of(x, point, side)
    where = place(x, point, sight)
    if found.sequences:
        return _by_sequences(x, sight, found)
    if found.exists is False:
        return found.why
    if found.band is not None:
        return _squeezed(sight, where, found)
    return _leading(sight, where, found)


def place(x: Expr, point: Any, sight: Sight) -> str:
    """The words for where we are."""
    if isinstance(point, float):
        return f"as {x.name} → {'∞' if point > 0 else '-∞'},"
    if sight.h is x:
        return f"near {x.name} = 0,"
    a = K.show(point)
    step = f"{x.name} + {a[1:]}" if a.startswith(("-", "−")) else f"{x.name} − {a if _simple(a) else f'({a})'}"
    return f"near {x.name} = {a}, with {sight.h.name} = {step},"


def _simple(text: str) -> bool:
    return not any(c in text[1:] for c in "+-−")


def _leading(sight: Sight, where: str, found: Behavior) -> tuple[str, ...]:
    near, value = found.near, found.value
    assert near is not None
    assert value is not None
    if is_number(value):
        return (f"{where} the function is constant: {shown(value)}",)
    return (f"{where} f = {_terms(near, value, sight)}   ({method(value)})", conclusion(near, value))


def _terms(near: Near, value: Any, sight: Sight) -> str:
    """Two terms where they are within reach, else the leading one: later ones are for the eye only."""
    with near.limited(DISPLAY):
        try:
            terms, more = expression(near, value, sight)
        except (GermError, K.Undecided, RecursionError):
            terms, more = leading_term(near, value, sight), True
    return to_text(terms) + (" + …" if more else "")


def method(value: Any) -> str:
    """Which kind of expansion it is."""
    scales, fractional = [], False
    while type(value) is Series:
        first = value.term(0)
        scales.append(value.scale)
        fractional = fractional or (first is not None and (isinstance(first[0], K.Exact) or first[0].q != 1))
        value = first[1] if first else None
    if any(s.height is None for s in scales):
        return "multiseries: terms ordered by growth, exponentials before powers before logarithms"
    if any(s.height for s in scales):
        return "series in powers and logarithms"
    return "series in fractional powers" if fractional else "power series"


def conclusion(near: Near, value: Any) -> str:
    found = near.limit(value)
    if isinstance(found, float):
        return f"the leading term grows without bound, to {shown(found)}"
    if not near.nonzero(found):
        return "every term tends to 0, and so does f"
    return f"every other term tends to 0, so f tends to the constant {shown(found)}"


def _squeezed(sight: Sight, where: str, found: Behavior) -> tuple[str, ...]:
    near, band = found.near, found.band
    assert near is not None
    assert band is not None
    low, high = ("" if e is None else _terms(near, e, sight) for e in (band.low, band.high))
    between = f"{low} ≤ f ≤ {high}" if low and high else f"f ≥ {low}" if low else f"f ≤ {high}"
    told = f"{where} what oscillates stays within bounds: {between}"
    limit = found.limit
    if isinstance(limit, float) and math.isinf(limit):
        return told, f"the bound tends to {shown(limit)}, and takes f with it"
    return told, f"both bounds tend to {shown(limit)}: by the squeeze theorem so does f"


def _by_sequences(x: Expr, sight: Sight, found: Behavior) -> tuple[str, ...]:
    near = found.near
    assert near is not None
    if found.exists:
        [(first, limit), *_] = found.sequences
        classes = f"{x.name} = {K.show(first.period)}k + r, r = 0, …, {int(first.period.p) - 1}"
        return (f"along every class {classes} f tends to {shown(limit)}: together they are all whole numbers",)
    told = [f"{_points(x, sight, near, fixed)} f tends to {shown(limit)}" for fixed, limit in found.sequences]
    end = "two sequences with different limits" if len(told) > 1 else "next to the poles it is another"
    return (*found.why, *told, f"{end}: there is no limit")


def _points(x: Expr, sight: Sight, near: Near, fixed: Fixed) -> str:
    """The sequence: the phase is k times the period plus the offset."""
    if near.whole_input:
        phase = str(x.name)
    else:
        phase = _terms(near, near.phases[0].series, sight)
    offset = f" + {K.show(fixed.offset)}" if near.nonzero(fixed.offset) else ""
    period = K.show(fixed.period)
    multiple = "k" if period == "1" else f"{period}k" if _simple(period) and "/" not in period else f"k·{period}"
    return f"at the points where {phase} = {multiple}{offset} (k = 1, 2, 3, …)"


def merged(sides: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """The lines of several sides, each with its side in front; what both say is said once."""
    if len(sides) == 1:
        return sides[0][1]
    if len({lines for _, lines in sides}) == 1:
        return ("from both sides: " + sides[0][1][0], *sides[0][1][1:]) if sides[0][1] else ()
    return tuple(f"from the {name}: {line}" for name, lines in sides for line in lines)
