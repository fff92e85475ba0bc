"""Sines and cosines of rational multiples of π: radicals for the angles of textbooks, else atoms of the first octant.

cos πr and sin πr are 2-periodic, cos is even, sin is odd, cos π(1 − r) = −cos πr, and cos πr = sin π(1/2 − r): so r in
[0, 1/4] is enough. Radicals for the denominators 1, 2, 3, 4, 5, 6, 8, 10 and 12 (Abramowitz & Stegun, 4.3.46).
"""

from __future__ import annotations

from functools import lru_cache

from flint import fmpq

from tangently.asymptotics.constants_core import (
    COSPI,
    HALF,
    ONE,
    PI,
    SINPI,
    ZERO,
    Exact,
    Number,
    add,
    atom,
    collected,
    monomial,
    mul,
    neg,
    scale,
    sub,
    term,
    terms_of,
)  # fmt: skip
from tangently.asymptotics.constants_radicals import rational_power, root_of_sum

QUARTER = fmpq(1, 4)


def cos_pi(r: fmpq) -> Number:
    """cos πr.

    >>> cos_pi(fmpq(1, 3)), cos_pi(fmpq(3, 4)), cos_pi(fmpq(1, 5))
    (1/2, −√2/2, (1 + √5)/4)
    """
    r = abs(r - 2 * ((r + 1) / 2).floor())  # into [-1, 1], and cos is even
    if r > HALF:
        return neg(cos_pi(1 - r))
    return _cos(r) if r <= QUARTER else _sin(HALF - r)


def sin_pi(r: fmpq) -> Number:
    """sin πr.

    >>> sin_pi(fmpq(1, 6)), sin_pi(fmpq(-1, 4)), sin_pi(fmpq(7))
    (1/2, −√2/2, 0)
    """
    return cos_pi(r - HALF)


def _root(n: int) -> Number:
    return rational_power(fmpq(n), HALF)


def _nested(a: int, b: int, n: int) -> Number:
    """√(a + b√n)"""
    g = abs(fmpq(a).gcd(fmpq(b)))
    inner = add(fmpq(a) / g, scale(_root(n), fmpq(b) / g))
    assert type(inner) is Exact
    return mul(rational_power(g, HALF), root_of_sum(inner, HALF))


@lru_cache(maxsize=256)
def _cos(r: fmpq) -> Number:
    """cos πr for 0 ≤ r ≤ 1/4."""
    match (int(r.p), int(r.q)):
        case (0, 1):
            return ONE
        case (1, 4):
            return scale(_root(2), HALF)
        case (1, 5):
            return scale(add(ONE, _root(5)), QUARTER)
        case (1, 6):
            return scale(_root(3), HALF)
        case (1, 8):
            return scale(_nested(2, 1, 2), HALF)
        case (1, 10):
            return scale(_nested(10, 2, 5), QUARTER)
        case (1, 12):
            return scale(add(_root(6), _root(2)), QUARTER)
    return term(ONE, (atom(COSPI, r), ONE))


@lru_cache(maxsize=256)
def _sin(r: fmpq) -> Number:
    """sin πr for 0 ≤ r < 1/4."""
    match (int(r.p), int(r.q)):
        case (0, 1):
            return ZERO
        case (1, 5):
            return scale(_nested(10, -2, 5), QUARTER)
        case (1, 6):
            return HALF
        case (1, 8):
            return scale(_nested(2, -1, 2), HALF)
        case (1, 10):
            return scale(sub(_root(5), ONE), QUARTER)
        case (1, 12):
            return scale(sub(_root(6), _root(2)), QUARTER)
    return term(ONE, (atom(SINPI, r), ONE))


def rational_angle(c: Number) -> tuple[fmpq, Number]:
    """c = r·π + rest, with the rational r that the form shows.

    >>> from tangently.asymptotics.constants import PI_NUMBER
    >>> rational_angle(1 + PI_NUMBER / 3)
    (1/3, 1)
    """
    pi = monomial([(atom(PI), ONE)])
    pairs = terms_of(c)
    return pairs.get(pi, ZERO), collected({m: q for m, q in pairs.items() if m is not pi})
