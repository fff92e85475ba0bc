"""Asymptotic bounds: low(t) ≤ f(t) ≤ high(t) from some point on, where f itself oscillates.

The ends are multiseries without oscillators; None is no bound on that side. Interval arithmetic on them compares by
leading terms, as M. Eberl does in Isabelle's real_asymp (ISSAC 2019). If both ends have the same limit, so has f: the
squeeze theorem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flint import fmpq

from tangently.asymptotics.multiseries import ONE, ZERO, Undefined, Unknown, Value, is_number

if TYPE_CHECKING:
    from tangently.asymptotics.germs import Near


@dataclass(frozen=True, eq=False)
class Band:
    """From `low` to `high`; None is no bound."""

    low: Value | None
    high: Value | None

    @property
    def exact(self) -> bool:
        return self.low is not None and self.low is self.high


def smaller(N: Near, a: Value | None, b: Value | None) -> Value | None:
    """The smaller of two lower ends."""
    if a is None or b is None:
        return None
    return a if N.order(a, b) <= 0 else b


def larger(N: Near, a: Value | None, b: Value | None) -> Value | None:
    """The larger of two upper ends."""
    if a is None or b is None:
        return None
    return a if N.order(a, b) >= 0 else b


def total(N: Near, a: Band, b: Band) -> Band:
    ends = lambda x, y: None if x is None or y is None else N.add(x, y)
    return Band(ends(a.low, b.low), ends(a.high, b.high))


def negative(N: Near, a: Band) -> Band:
    turned = lambda x: None if x is None else N.neg(x)
    return Band(turned(a.high), turned(a.low))


def difference(N: Near, a: Band, b: Band) -> Band:
    return total(N, a, negative(N, b))


def definite(N: Near, a: Band) -> int:
    """1 if nowhere negative, -1 if nowhere positive, 0 if not known."""
    if a.low is not None and N.sign(a.low) >= 0:
        return 1
    return -1 if a.high is not None and N.sign(a.high) <= 0 else 0


def multiply(N: Near, a: Band, b: Band) -> Band:
    signs = definite(N, a), definite(N, b)
    if signs[0] < 0:
        return negative(N, multiply(N, negative(N, a), b))
    if signs[1] < 0:
        return negative(N, multiply(N, a, negative(N, b)))
    if signs == (1, 1):
        high = None if a.high is None or b.high is None else N.mul(a.high, b.high)
        return Band(N.mul(a.low, b.low), high)
    if signs[0]:
        return _scaled(N, a, b)
    if signs[1]:
        return _scaled(N, b, a)
    ends = (a.low, a.high, b.low, b.high)
    if any(x is None for x in ends):
        return Band(None, None)
    products = [N.mul(x, y) for x in ends[:2] for y in ends[2:]]
    low = high = products[0]
    for p in products[1:]:
        low, high = smaller(N, low, p), larger(N, high, p)
    return Band(low, high)


def _scaled(N: Near, a: Band, b: Band) -> Band:
    """a ≥ 0, b of both signs."""
    ends = lambda y: None if a.high is None or y is None else N.mul(a.high, y)
    return Band(ends(b.low), ends(b.high))


def quotient(N: Near, a: Band, b: Band) -> Band:
    for low, high, flip in ((b.low, b.high, False), (b.high, b.low, True)):
        if low is not None and (N.sign(low) > 0) != flip and N.sign(low) != 0:
            near = N.div(ONE, low)
            far: Value = ZERO if high is None else N.div(ONE, high)
            return multiply(N, a, Band(near, far) if flip else Band(far, near))
    if definite(N, b) and definite(N, a):  # b comes near to 0 again and again, but keeps its sign
        if definite(N, b) < 0:
            return negative(N, quotient(N, a, negative(N, b)))
        if definite(N, a) < 0:
            return negative(N, quotient(N, negative(N, a), b))
        return Band(ZERO if b.high is None else N.div(a.low, b.high), None)
    return Band(None, None)


def absolute(N: Near, a: Band) -> Band:
    sign = definite(N, a)
    if sign:
        return a if sign > 0 else negative(N, a)
    high = None if a.low is None or a.high is None else larger(N, N.neg(a.low), a.high)
    return Band(ZERO, high)


def circular(place: int) -> Callable[[Near, Band], Band]:
    """sin (place 0) or cos (1): between -1 and 1; and |sin u − sin v| ≤ |u − v|, where the band is narrow."""

    def bounds(N: Near, a: Band) -> Band:
        if a.low is None or a.high is None or N.growth(a.low) > 0:
            return Band(fmpq(-1), ONE)
        width = N.sub(a.high, a.low)
        if N.growth(width) >= 0:
            return Band(fmpq(-1), ONE)
        center = N.sincos(a.low)[place]
        return Band(N.sub(center, width), N.add(center, width))

    return bounds


def power_of(N: Near, a: Band, b: Band) -> Band:
    """aᵇ: whole constant powers by products, otherwise exp(b log a) of a base that is not negative."""
    r = b.low
    if b.exact and is_number(r) and type(r) is fmpq and r.q == 1:
        return _whole_power(N, a, int(r.p))
    if definite(N, a) <= 0:
        if N.whole_band(b) and a.high is not None and a.low is not None:
            size = power_of(N, absolute(N, a), b)
            return Band(None if size.high is None else N.neg(size.high), size.high)
        raise Unknown("a power of something that is negative again and again")
    logarithm = Band(
        None if a.low is None or N.is_zero(a.low) else N.log(a.low), None if a.high is None else N.log(a.high)
    )
    exponent = multiply(N, b, logarithm)
    return Band(
        ZERO if exponent.low is None else N.exp(exponent.low), None if exponent.high is None else N.exp(exponent.high)
    )


def _whole_power(N: Near, a: Band, n: int) -> Band:
    if n < 0:
        return quotient(N, Band(ONE, ONE), _whole_power(N, a, -n))
    if n == 0:
        return Band(ONE, ONE)
    base = absolute(N, a) if n % 2 == 0 else a
    ends = lambda x: None if x is None else N.power(x, fmpq(n)) if not N.is_zero(x) else ZERO
    return Band(ends(base.low), ends(base.high))


def monotone(
    N: Near, f: Callable[[Any, Value], Value], a: Band, rising: bool, reach: tuple[Value | None, Value | None]
) -> Band:
    """An increasing or decreasing f of a band. Where an end is open, the reach of f is the bound."""
    first, last = (a.low, a.high) if rising else (a.high, a.low)
    return Band(_end(N, f, first, reach[0]), _end(N, f, last, reach[1]))


def _end(N: Near, f: Callable[[Any, Value], Value], end: Value | None, otherwise: Value | None) -> Value | None:
    if end is None:
        return otherwise
    try:
        return f(N, end)
    except Undefined:
        if otherwise is None and N.is_zero(end):
            return None  # log 0: no bound
        raise
