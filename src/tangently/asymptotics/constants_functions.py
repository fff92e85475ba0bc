"""Functions of exact constants: each one by the identities that a textbook has, else an atom of its row.

    e^(q·log a + …) = a^q…      log Π aᵉ = Σ e·log a      sin(a + πr) by the addition theorem
    sinh, cosh, tanh, arsinh, … by exp and log            Γ, ψ shifted into (0, 1], reflected where it gives radicals

What a function has no value for is a ValueError; what can't be decided is Undecided. Formulas: NIST Digital Library of
Mathematical Functions, 4.21 (angles), 5.4 and 5.5 (Γ, ψ), 25.6 (ζ).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flint import arb, fmpq

from tangently.asymptotics.constants_angles import cos_pi, rational_angle, sin_pi
from tangently.asymptotics.constants_core import (
    COS,
    EULER,
    EXP,
    HALF,
    LOG,
    MINUS,
    ONE,
    ONLY,
    PI,
    POSITIVE,
    PRECISIONS,
    PRIME,
    ROW,
    SIN,
    SUM,
    TWO,
    ZERO,
    Atom,
    Exact,
    Monomial,
    Number,
    Undecided,
    add,
    as_number,
    atom,
    ball,
    collected,
    compare,
    content,
    div,
    ends,
    inverse,
    monomial,
    mul,
    neg,
    of_monomial,
    scale,
    sign,
    sub,
    term,
    terms_of,
    to_float,
    total_of,
    watchers,
    whole_power,
)  # fmt: skip
from tangently.asymptotics.constants_radicals import factors, rational_power, root_of_sum
from tangently.enclosure import precision
from tangently.expr import Primitive
from tangently.primitives import TABLE

PI_NUMBER = term(ONE, (atom(PI), ONE))
EULER_NUMBER = term(ONE, (atom(EULER), ONE))
E_NUMBER = term(ONE, (atom(EXP, ONLY), ONE))
ELEMENTARY = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 12})  # denominators r.q for which sin πr is written in radicals
WRITTEN = 4096  # the largest power of an algebraic sum that is multiplied out
SHIFTS = 200  # steps of Γ(q + 1) = q·Γ(q)


# ---------------------------------------------------------------- exponentials, logarithms, powers


def exp(c: Number) -> Number:
    """eᶜ.

    >>> exp(log(fmpq(8)) / 3 + 2), exp(fmpq(0))
    (2e², 1)
    """
    powers: dict[Atom, fmpq] = {}
    found = ONE
    for m, q in terms_of(c).items():
        base = _base(m)
        if base is None:
            powers[atom(EXP, m)] = q
        else:
            found = mul(found, power(base, q))
    return mul(found, term(ONE, *powers.items())) if powers else found


def _base(m: Monomial) -> Number | None:
    """eᵐ where that is known: e^(ln a) = a, e^(W(x)) = x/W(x)."""
    if len(m.factors) != 1 or m.factors[0][1] != 1:
        return None
    a = m.factors[0][0]
    if a.kind == LOG:
        return a.data
    return div(a.data[1][0], of_monomial(m)) if a.kind == ROW and a.data[0].name == "lambertw" else None


def log(c: Number) -> Number:
    """ln c for c > 0.

    >>> log(fmpq(12)), log(1 / E_NUMBER), log(PI_NUMBER / 2)
    (2 ln 2 + ln 3, -1, ln π − ln 2)
    """
    _needs(sign(c) > 0, "a logarithm of a number that is not positive", c)
    if type(c) is fmpq:
        return _log_rational(c)
    pairs = terms_of(c)
    if len(pairs) == 1:
        [(m, q)] = pairs.items()
        return total_of([_log_rational(abs(q)), *[scale(_log_atom(a), e) for a, e in m.factors]])
    return _log_sum(c)  # type: ignore[arg-type]


@lru_cache(maxsize=1 << 11)
def _log_rational(q: fmpq) -> Number:
    over, under = factors(int(q.p)), factors(int(q.q))
    pairs = [*over, *((p, -e) for p, e in under)]
    return collected({monomial([(atom(LOG, fmpq(p)), ONE)]): fmpq(e) for p, e in pairs})


def _log_atom(a: Atom) -> Number:
    """ln |a|"""
    if a.kind == EXP:
        return of_monomial(a.data)
    if a.kind == SUM and len(a.data.terms) > 1:
        return _log_sum(a.data)
    if a.kind == PRIME:
        return _log_rational(fmpq(a.data))
    alone = a.data if a.kind == SUM else term(ONE, (a, ONE))
    if a.kind == ROW and a.data[0].name == "lambertw" and sign(a.data[1][0]) > 0:  # ln W(x) = ln x − W(x)
        return sub(log(a.data[1][0]), alone)
    return term(ONE, (atom(LOG, alone if sign(alone) > 0 else neg(alone)), ONE))


@lru_cache(maxsize=1 << 10)
def _log_sum(c: Exact) -> Number:
    """By content; of an algebraic number and its inverse the one above 1: ln(2 − √3) = −ln(2 + √3)."""
    q, m, S = content(c)
    outside = total_of([_log_rational(q), *[scale(_log_atom(a), e) for a, e in m.factors]])
    if type(S) is not Exact or len(S.terms) == 1:
        return add(outside, log(S))
    if S.algebraic and compare(S, ONE) < 0:
        other = inverse(S)
        if not any(a.kind == SUM and e < 0 for n in terms_of(other) for a, e in n.factors):
            return sub(outside, log(other))
    return add(outside, term(ONE, (atom(LOG, S), ONE)))


def power(a: Number, b: Number) -> Number:
    """aᵇ: for a > 0, for a whole number b, and 0ᵇ for b > 0. Else a ValueError.

    >>> power(fmpq(8), fmpq(-1, 2)), power(3 + 2 * sqrt(fmpq(2)), fmpq(1, 2)), power(fmpq(2), PI_NUMBER)
    (√2/4, 1 + √2, 2^π)
    """
    if type(b) is fmpq and b.q == 1:
        return _whole(a, int(b.p))
    s = sign(a)
    if s == 0:
        _needs(sign(b) > 0, "a power of 0 with a negative exponent", a)
        return ZERO
    _needs(s > 0, "a power of a negative number with an exponent that is no whole number", a)
    if type(b) is not fmpq:
        return exp(mul(b, log(a)))
    if type(a) is fmpq:
        return rational_power(a, b)
    return _rational_power(a, b)  # type: ignore[arg-type]


def _whole(a: Number, n: int) -> Number:
    if n == 0:
        return ONE
    if type(a) is fmpq:
        _needs(bool(a) or n > 0, "a power of 0 with a negative exponent", a)
        return rational_power(a, fmpq(n)) if a > 0 else scale(rational_power(-a, fmpq(n)), ONE if n % 2 == 0 else MINUS)
    pairs = terms_of(a)
    if len(pairs) == 1:
        [(m, q)] = pairs.items()
        _needs(n > 0 or sign(a) != 0, "a power of 0 with a negative exponent", a)
        return mul(_whole(q, n), term(ONE, *[(x, e * n) for x, e in m.factors]))
    if ((abs(n) > 4 and not a.algebraic) or abs(n) > WRITTEN) and sign(a):  # type: ignore[union-attr]
        q, m, S = content(a)  # type: ignore[arg-type]
        outside = mul(_whole(q, n), term(ONE, *[(x, e * n) for x, e in m.factors]))
        several = len(terms_of(S)) > 1
        return mul(outside, term(ONE, (atom(SUM, S), fmpq(n))) if several else _whole(S, n))
    return whole_power(a, n)


def _rational_power(a: Exact, e: fmpq) -> Number:
    """aᵉ for a > 0, one factor after the other by its size."""
    if len(a.terms) > 1:
        q, m, S = content(a)
        outside = mul(rational_power(q, e), term(ONE, *[(_size_of(x), k * e) for x, k in m.factors]))
        return mul(outside, root_of_sum(S, e) if type(S) is Exact and len(S.terms) > 1 else power(S, e))
    [(m, q)] = a.terms.items()
    return mul(rational_power(abs(q), e), term(ONE, *[(_size_of(x), k * e) for x, k in m.factors]))


def _size_of(a: Atom) -> Atom:
    """|a| as an atom."""
    alone = Exact({monomial([(a, ONE)]): ONE})
    return a if a.kind in POSITIVE or sign(alone) > 0 else atom(SUM, Exact({monomial([(a, ONE)]): MINUS}))


def sqrt(c: Number) -> Number:
    """√c for c ≥ 0.

    >>> sqrt(fmpq(8)), sqrt(PI_NUMBER), sqrt(2 - sqrt(fmpq(3)))
    (2√2, √π, (√6 − √2)/2)
    """
    return power(c, HALF)


def cbrt(c: Number) -> Number:
    """The real cube root: ∛(−8) = −2."""
    s = sign(c)
    return ZERO if s == 0 else (power(c, fmpq(1, 3)) if s > 0 else neg(power(neg(c), fmpq(1, 3))))


def _needs(holds: bool, what: str, c: Number) -> None:
    if not holds:
        raise ValueError(f"{what} has no real value: {c!r}")


# ---------------------------------------------------------------- angles


def oriented(c: Number) -> tuple[fmpq, Number]:
    """±1 and ±c, with the same second part for c and −c: by the sign of the coefficient of the oldest monomial."""
    if type(c) is fmpq:
        return (ONE, c) if c >= 0 else (MINUS, -c)
    pairs = terms_of(c)
    first = min(pairs, key=lambda m: [(a.serial, e) for a, e in m.factors])
    return (ONE, c) if pairs[first] > 0 else (MINUS, neg(c))


def sin(c: Number) -> Number:
    """sin c.

    >>> sin(PI_NUMBER / 6), sin(PI_NUMBER / 2 - 1), sin(fmpq(-1))
    (1/2, cos 1, −sin 1)
    """
    r, rest = rational_angle(c)
    if not rest:
        return sin_pi(r)
    s, a = _of_angle(rest)
    return add(mul(s, cos_pi(r)), mul(a, sin_pi(r))) if r else s


def cos(c: Number) -> Number:
    """cos c.

    >>> cos(PI_NUMBER), cos(fmpq(-1)), cos(1 + PI_NUMBER)
    (-1, cos 1, −cos 1)
    """
    r, rest = rational_angle(c)
    if not rest:
        return cos_pi(r)
    s, a = _of_angle(rest)
    return sub(mul(a, cos_pi(r)), mul(s, sin_pi(r))) if r else a


@lru_cache(maxsize=1 << 11)
def _of_angle(c: Number) -> tuple[Number, Number]:
    """sin c and cos c of an angle without a multiple of π; of arctan x and arcsin x in x."""
    flip, angle = oriented(c)
    inner = _single(angle)
    if inner is not None and inner.kind == ROW and inner.data[0].name in ("arctan", "arcsin"):
        x = inner.data[1][0]
        if inner.data[0].name == "arcsin":
            return scale(x, flip), sqrt(sub(ONE, mul(x, x)))
        length = sqrt(add(ONE, mul(x, x)))
        return scale(div(x, length), flip), inverse(length)
    return term(flip, (atom(SIN, angle), ONE)), term(ONE, (atom(COS, angle), ONE))


def _single(c: Number) -> Atom | None:
    """The atom that c is, if it is one."""
    if type(c) is Exact and len(c.terms) == 1:
        [(m, q)] = c.terms.items()
        if q == 1 and len(m.factors) == 1 and m.factors[0][1] == 1:
            return m.factors[0][0]
    return None


def tan(c: Number) -> Number:
    """tan c; a ValueError at a pole.

    >>> tan(PI_NUMBER / 3), tan(3 * PI_NUMBER / 4)
    (√3, -1)
    """
    below = cos(c)
    _needs(type(below) is not fmpq or bool(below), "tan at an odd multiple of π/2", c)
    return div(sin(c), below)


@functools.cache
def _angles_by_sine() -> dict[Number, fmpq]:
    """sin πr → r for 0 ≤ r ≤ 1/2 and the denominators with radicals."""
    return {sin_pi(r): r for r in _first_quadrant()}


@functools.cache
def _angles_by_tangent() -> dict[Number, fmpq]:
    return {div(sin_pi(r), cos_pi(r)): r for r in _first_quadrant() if r != HALF}


def _first_quadrant() -> list[fmpq]:
    return [fmpq(k, n) for n in sorted(ELEMENTARY) for k in range(n // 2 + 1) if math.gcd(k, n) == 1]


def asin(c: Number) -> Number:
    """arcsin c for −1 ≤ c ≤ 1.

    >>> asin(fmpq(1, 2)), asin(-sqrt(fmpq(2)) / 2)
    (π/6, −π/4)
    """
    inner = _single(c)
    if inner is not None and inner.kind in (SIN, COS) and not _oscillates(c):
        a = inner.data if inner.kind == SIN else sub(scale(PI_NUMBER, HALF), inner.data)
        turned, n = _turned_back(a)
        return scale(turned, ONE if n % 2 == 0 else MINUS)
    return _by_table(c, _angles_by_sine(), "arcsin", ONE)


def _turned_back(a: Number) -> tuple[Number, int]:
    """a − nπ in [−π/2, π/2), and n."""
    n = floor(add(div(a, PI_NUMBER), HALF))
    return sub(a, scale(PI_NUMBER, fmpq(n))), n


def acos(c: Number) -> Number:
    """arccos c = π/2 − arcsin c."""
    return sub(scale(PI_NUMBER, HALF), asin(c))


def _by_table(c: Number, table: dict[Number, fmpq], name: str, bound: Number | None) -> Number:
    if _oscillates(c):
        flip, size = oriented(c)
        return scale(opaque(TABLE[name], size), flip)
    s = sign(c)
    if s == 0:
        return ZERO
    size = c if s > 0 else neg(c)
    if bound is not None:
        _needs(compare(size, bound) <= 0, f"{name} of a number beyond ±1", c)
    r = table.get(size)
    found = scale(PI_NUMBER, r) if r is not None else opaque(TABLE[name], size)
    return found if s > 0 else neg(found)


def _oscillates(c: Number) -> bool:
    return type(c) is Exact and bool(c.keys)


def atan(c: Number) -> Number:
    """arctan c; what is above 1 by π/2 − arctan(1/c).

    >>> atan(sqrt(fmpq(3))), atan(fmpq(2)) + atan(fmpq(1, 2))
    (π/3, π/2)
    """
    if _oscillates(c):
        return _by_table(c, {}, "arctan", None)
    a = _angle_of_tangent(c)
    if a is not None:
        return _turned_back(a)[0]
    s = sign(c)
    size = c if s >= 0 else neg(c)
    simple = type(size) is fmpq or size.algebraic or len(terms_of(size)) == 1  # type: ignore[union-attr]
    if size not in _angles_by_tangent() and simple and compare(size, ONE) > 0:
        return scale(sub(scale(PI_NUMBER, HALF), atan(inverse(size))), fmpq(s))
    return _by_table(c, _angles_by_tangent(), "arctan", None)


def _angle_of_tangent(c: Number) -> Number | None:
    """a where c is sin a/cos a, π/2 − a where it is cos a/sin a."""
    pairs = list(terms_of(c).items())
    if len(pairs) != 1 or pairs[0][1] != 1:
        return None
    exponents = {(a.kind, a.data): e for a, e in pairs[0][0].factors}
    for (kind, data), e in exponents.items():
        if len(exponents) == 2 and kind == SIN and abs(e) == 1 and exponents.get((COS, data)) == -e:
            return data if e == 1 else sub(scale(PI_NUMBER, HALF), data)
    return None


def arctan2(y: Number, x: Number) -> Number:
    """The angle of the point (x, y), in (−π, π]."""
    s, t = sign(y), sign(x)
    _needs(bool(s or t), "the angle of (0, 0)", ZERO)
    if t == 0:
        return scale(PI_NUMBER, HALF * s)
    angle = atan(div(y, x))
    return angle if t > 0 else add(angle, PI_NUMBER if s >= 0 else neg(PI_NUMBER))


# ---------------------------------------------------------------- hyperbolic functions


def sinh(c: Number) -> Number:
    """(eᶜ − e⁻ᶜ)/2"""
    e = exp(c)
    return scale(sub(e, inverse(e)), HALF)


def cosh(c: Number) -> Number:
    """(eᶜ + e⁻ᶜ)/2"""
    e = exp(c)
    return scale(add(e, inverse(e)), HALF)


def tanh(c: Number) -> Number:
    """1 − 2/(e²ᶜ + 1)

    >>> tanh(log(fmpq(2)))
    3/5
    """
    return sub(ONE, scale(inverse(add(exp(scale(c, TWO)), ONE)), TWO))


def asinh(c: Number) -> Number:
    return log(add(c, sqrt(add(mul(c, c), ONE))))


def acosh(c: Number) -> Number:
    _needs(compare(c, ONE) >= 0, "arcosh of a number below 1", c)
    return log(add(c, sqrt(sub(mul(c, c), ONE))))


def atanh(c: Number) -> Number:
    _needs(sign(sub(ONE, mul(c, c))) > 0, "artanh of a number that is not between −1 and 1", c)
    return scale(sub(log(add(ONE, c)), log(sub(ONE, c))), HALF)


# ---------------------------------------------------------------- gamma and its family


def gamma(c: Number) -> Number:
    """Γ(c); a ValueError at 0, −1, −2, …

    >>> gamma(fmpq(5)), gamma(fmpq(-1, 2)), gamma(fmpq(3, 4))
    (24, −2√π, π √2/Γ(¼))
    """
    whole, start = _shifted(c)
    if whole is None:
        return opaque(TABLE["gamma"], c)
    if type(start) is fmpq and start == 1 and whole < 0:
        raise ValueError(f"Γ has a pole at {c}")
    if start == 1:
        return fmpq(math.factorial(whole))
    rising = functools.reduce(mul, [add(start, fmpq(k)) for k in _steps(whole)], ONE)
    base = _gamma_base(start)
    return mul(base, rising) if whole >= 0 else div(base, rising)


def _steps(n: int) -> range:
    """k for which Γ(s + n) = Γ(s)·Π (s + k), or, for n < 0, Γ(s)/Π (s + k)."""
    return range(n) if n >= 0 else range(n, 0)


def _shifted(c: Number) -> tuple[int | None, Number]:
    """n and s with c = s + n, where the rational part of s is in (0, 1]; n is None where that is too far."""
    q = terms_of(c).get(ONLY, ZERO)
    n = int(q.ceil()) - 1
    limit = 8 if type(c) is not fmpq else (SHIFTS if c.q != 1 else 10 * SHIFTS)
    if abs(n) > limit or len(terms_of(c)) > 2:
        return None, c
    return n, sub(c, fmpq(n))


@lru_cache(maxsize=1 << 10)
def _gamma_base(s: Number) -> Number:
    """Γ on (0, 1], by reflection below 1/2 where sin πs is a radical."""
    if type(s) is not fmpq:
        return opaque(TABLE["gamma"], s)
    if s == HALF:
        return sqrt(PI_NUMBER)
    if s > HALF and int(s.q) in ELEMENTARY:
        return div(PI_NUMBER, mul(sin_pi(s), _gamma_base(1 - s)))
    if s == fmpq(1, 6):  # duplication: Γ(1/6)·Γ(2/3) = 2^(2/3)·√π·Γ(1/3)
        third = whole_power(_gamma_base(fmpq(1, 3)), 2)
        return mul(third, mul(rational_power(fmpq(2), fmpq(-1, 3)), sqrt(div(fmpq(3), PI_NUMBER))))
    return opaque(TABLE["gamma"], s)


def loggamma(c: Number) -> Number:
    """ln |Γ(c)|.

    >>> loggamma(fmpq(1, 2)), loggamma(fmpq(4))
    (ln(π)/2, ln 2 + ln 3)
    """
    if type(c) is fmpq and abs(c) > SHIFTS:
        return opaque(TABLE["loggamma"], c)
    found = gamma(c)
    return log(found if sign(found) > 0 else neg(found))


def digamma(c: Number) -> Number:
    """ψ(c); by Gauss's theorem for denominators 2, 3, 4 and 6.

    >>> digamma(fmpq(1)), digamma(fmpq(1, 2)), digamma(fmpq(4))
    (−γ, −γ − 2 ln 2, 11/6 − γ)
    """
    whole, start = _shifted(c)
    if whole is None:
        return opaque(TABLE["digamma"], c)
    if start == 1 and whole < 0:
        raise ValueError(f"the digamma function has a pole at {c}")
    steps = total_of([inverse(add(start, fmpq(k))) for k in _steps(whole)])
    base = _digamma_base(start)
    return add(base, steps) if whole >= 0 else sub(base, steps)


def _digamma_base(s: Number) -> Number:
    if s == 1:
        return neg(EULER_NUMBER)
    if type(s) is not fmpq or s.q not in (2, 3, 4, 6):
        return opaque(TABLE["digamma"], s)
    m = int(s.q)
    cotangent = div(cos_pi(s), sin_pi(s))
    angles = [mul(cos_pi(2 * k * s), log(sin_pi(fmpq(k, m)))) for k in range(1, (m - 1) // 2 + 1)]
    logs = sub(scale(total_of(angles), TWO), log(fmpq(2 * m)))
    return total_of([neg(EULER_NUMBER), scale(mul(PI_NUMBER, cotangent), -HALF), logs])


def polygamma(n: int, c: Number) -> Number:
    """ψₙ(c), the n-th derivative of ψ.

    >>> polygamma(1, fmpq(1)), polygamma(1, fmpq(5, 2))
    (π²/6, π²/2 − 40/9)
    """
    if n == 0:
        return digamma(c)
    whole, start = _shifted(c)
    if whole is None:
        return opaque(TABLE["polygamma"], fmpq(n), c)
    if start == 1 and whole < 0:
        raise ValueError(f"the polygamma function has a pole at {c}")
    factor = fmpq((-1) ** n * math.factorial(n))
    steps = scale(total_of([whole_power(add(start, fmpq(k)), -n - 1) for k in _steps(whole)]), factor)
    base = _polygamma_base(n, start)
    return add(base, steps) if whole >= 0 else sub(base, steps)


def _polygamma_base(n: int, s: Number) -> Number:
    if s not in (ONE, HALF) or (n % 2 == 0 and "zeta" not in TABLE):
        return opaque(TABLE["polygamma"], fmpq(n), s)
    factor = -((-1) ** n) * math.factorial(n) * (1 if s == 1 else 2 ** (n + 1) - 1)
    return scale(zeta(fmpq(n + 1)), fmpq(factor))


def zeta(c: Number) -> Number:
    """ζ(c): powers of π at 2, 4, 6, …, rationals at 0, −1, −2, …; a ValueError at 1.

    >>> zeta(fmpq(2)), zeta(fmpq(-1))
    (π²/6, -1/12)
    """
    if type(c) is fmpq and c.q == 1 and abs(c) <= SHIFTS:
        n = int(c.p)
        _needs(n != 1, "ζ at 1", c)
        if n <= 0:
            return -HALF if n == 0 else -fmpq.bernoulli(1 - n) / (1 - n)
        if n % 2 == 0:
            size = abs(fmpq.bernoulli(n)) * fmpq(2) ** (n - 1) / math.factorial(n)
            return scale(whole_power(PI_NUMBER, n), size)
    return opaque(TABLE["zeta"], c)


def beta(a: Number, b: Number) -> Number:
    """Γ(a)·Γ(b)/Γ(a + b)"""
    return div(mul(gamma(a), gamma(b)), gamma(add(a, b)))


def _odd(name: str, back: str = "") -> Callable[[Number], Number]:
    """An odd row: f(−c) = −f(c), and f(0) = 0. `back` names the row of which it is the inverse: erf(erfinv c) = c."""

    def at(c: Number) -> Number:
        s, size = oriented(c)
        inner = _single(size)
        if inner is not None and inner.kind == ROW and inner.data[0].name == back:
            return scale(inner.data[1][0], s)
        return scale(opaque(TABLE[name], size), s) if size else ZERO

    return at


erf = _odd("erf", "erfinv")


def bessel(name: str, n: Number, c: Number) -> Number:
    """A Bessel function; of the orders ±1/2 in elementary functions (DLMF 10.16.1, 10.39.1, 10.39.2).

    >>> bessel("besselj", HALF, PI_NUMBER / 2), bessel("besselj", fmpq(0), fmpq(0))
    (2/π, 1)
    """
    if type(n) is fmpq and abs(n) == HALF and sign(c) > 0:
        wave, twin, flip, size = HALVES[name]
        found = mul(wave(c) if n > 0 else scale(twin(c), flip), sqrt(mul(size, inverse(mul(PI_NUMBER, c)))))
        return mul(found, PI_NUMBER) if name == "besselk" else found
    return opaque(TABLE[name], n, c)


def _decay(c: Number) -> Number:
    return exp(neg(c))


HALVES: dict[str, tuple[Any, Any, fmpq, fmpq]] = {  # of order 1/2, of order −1/2, its sign, the number below the root
    "besselj": (sin, cos, ONE, TWO), "bessely": (lambda c: neg(cos(c)), sin, ONE, TWO),
    "besseli": (sinh, cosh, ONE, TWO), "besselk": (_decay, _decay, ONE, HALF),
}  # fmt: skip


def erfc(c: Number) -> Number:
    """1 − erf c"""
    return sub(ONE, erf(c))


def lambertw(c: Number) -> Number:
    """W(c) for c ≥ −1/e: W(q·e^q) = q.

    >>> lambertw(E_NUMBER), lambertw(fmpq(0))
    (1, 0)
    """
    if not c:
        return ZERO
    [(m, q), *more] = terms_of(c).items()
    if not more and q >= -1 and m.factors == ((atom(EXP, ONLY), q),):
        return q
    return opaque(TABLE["lambertw"], c)


# ---------------------------------------------------------------- rows in general


def opaque(row: Primitive, *args: Number) -> Number:
    """The row's value at these constants as an atom, or the rational that its ball says exactly."""
    found = _finite(row, args)
    if found is None:
        raise _no_value(row, args)
    if found.is_exact() and not any(map(_oscillates, args)):
        mantissa, exponent = (int(k) for k in found.man_exp())
        if abs(exponent) < 4096:
            return fmpq(mantissa) * TWO**exponent
    return term(ONE, (atom(ROW, (row, tuple(args))), ONE))


def _finite(row: Primitive, args: tuple[Number, ...]) -> arb | None:
    if row.enclosure is None:
        raise Undecided(args[0] if args else ZERO, 0, f"{row.name} has no enclosure in the table")
    from tangently.asymptotics.constants_ranges import ranges

    for bits in PRECISIONS[:4]:
        with precision(bits):
            found = row.enclosure(*[ranges(c) if _oscillates(c) else ball(c, bits) for c in args])
        if found.is_finite():
            return found
    return None


def _no_value(row: Primitive, args: tuple[Number, ...]) -> Exception:
    """A ValueError where the row's domain is left at the nearest floats, else Undecided."""
    numbers = [to_float(c) for c in args]
    if not any(map(_oscillates, args)) and (row.domain is None or not row.domain(*numbers)):
        return ValueError(f"{row.name} has no real value at {', '.join(map(repr, args))}")
    return Undecided(args[0], 0, f"{row.name} at {', '.join(map(repr, args))} has no finite ball")


def apply(row: Primitive, *args: Any) -> Number:
    """The row of the table at exact constants.

    >>> apply(TABLE["hypot"], 3, 4), apply(TABLE["log2"], 8)
    (5, 3)
    """
    numbers = tuple([as_number(c) for c in args])
    known = FUNCTIONS.get(row.name)
    if known is not None:
        return known(*numbers)
    return opaque(row, *numbers)


def floor(c: Number) -> int:
    """⌊c⌋, proven.

    >>> floor(PI_NUMBER), floor(-sqrt(fmpq(2))), floor(fmpq(7, 2))
    (3, -2, 3)
    """
    if type(c) is fmpq:
        return int(c.floor())
    for bits in PRECISIONS:
        found = ball(c, bits)
        if found.is_finite():
            low, high = (_whole_below(end) for end in ends(found, bits))
            if low == high:
                for k in (low, low + 1) if watchers else ():  # the floor holds on the conditions low ≤ c < low + 1
                    sign(sub(c, fmpq(k)))
                return low
            if high == low + 1 and bits >= 256:
                return high if sign(sub(c, fmpq(high))) >= 0 else low
    raise Undecided(c, 0, f"the floor of {c!r} could not be decided")


def _whole_below(x: arb) -> int:
    """⌊x⌋ of an exact ball."""
    mantissa, exponent = (int(k) for k in x.man_exp())
    if exponent > 1 << 20:
        raise Undecided(ZERO, 0, f"the whole part of a number beyond 2^{exponent} is too long")
    return mantissa << exponent if exponent >= 0 else mantissa >> -exponent


def ceil(c: Number) -> int:
    """⌈c⌉, proven."""
    return -floor(neg(c))


def _truth(holds: Callable[[int], bool]) -> Callable[[Number, Number], Number]:
    return lambda a, b: ONE if holds(compare(a, b)) else ZERO


def _absolute(c: Number) -> Number:
    return c if sign(c) >= 0 else neg(c)


def _order(n: Number) -> int:
    if type(n) is not fmpq or n.q != 1:
        raise ValueError(f"the order of polygamma is a whole number; got {n!r}")
    return int(n.p)


def _log_of(base: int) -> Callable[[Number], Number]:
    return lambda c: div(log(c), log(fmpq(base)))


def _rint(c: Number) -> Number:
    """The nearest whole number, halves to even."""
    low = floor(add(c, HALF))
    return fmpq(low - 1 if low % 2 and sub(fmpq(low), c) == HALF else low)


def _remainder(a: Number, b: Number) -> Number:
    return sub(a, mul(b, fmpq(floor(div(a, b)))))


def _on_two_sides(left: Callable[[Number, Number], Number]) -> Callable[..., Number]:
    return lambda c, alpha=ZERO: c if sign(c) > 0 else left(c, alpha)


def _larger(a: Number, b: Number) -> Number:
    return a if compare(a, b) >= 0 else b


def _smaller(a: Number, b: Number) -> Number:
    return a if compare(a, b) <= 0 else b


def _logistic(c: Number) -> Number:
    return inverse(add(ONE, exp(neg(c))))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "add": add, "sub": sub, "mul": mul, "div": div, "neg": neg, "pow": power, "reciprocal": inverse,
    "square": lambda c: mul(c, c), "sqrt": sqrt, "cbrt": cbrt,
    "exp": exp, "exp2": lambda c: power(TWO, c), "expm1": lambda c: sub(exp(c), ONE),
    "log": log, "log2": _log_of(2), "log10": _log_of(10), "log1p": lambda c: log(add(ONE, c)),
    "sin": sin, "cos": cos, "tan": tan, "arcsin": asin, "arccos": acos, "arctan": atan, "arctan2": arctan2,
    "sinh": sinh, "cosh": cosh, "tanh": tanh, "arcsinh": asinh, "arccosh": acosh, "arctanh": atanh,
    "hypot": lambda a, b: sqrt(add(mul(a, a), mul(b, b))),
    "logaddexp": lambda a, b: log(add(exp(a), exp(b))),
    "gamma": gamma, "loggamma": loggamma, "digamma": digamma, "polygamma": lambda n, c: polygamma(_order(n), c),
    "zeta": zeta, "erf": erf, "erfc": erfc, "lambertw": lambertw, "beta": beta, "pi": lambda: PI_NUMBER,
    "euler_gamma": lambda: EULER_NUMBER,
    "erfi": _odd("erfi"), "erfinv": _odd("erfinv", "erf"), "Si": _odd("Si"),
    **{name: functools.partial(bessel, name) for name in HALVES},
    "abs": _absolute, "sign": lambda c: fmpq(sign(c)), "floor": lambda c: fmpq(floor(c)),
    "ceil": lambda c: fmpq(ceil(c)), "trunc": lambda c: fmpq(floor(c) if sign(c) >= 0 else ceil(c)),
    "rint": _rint, "remainder": _remainder, "maximum": _larger, "minimum": _smaller, "at_least": _larger,
    "at_most": _smaller, "clip": lambda c, low, high: _smaller(_larger(c, low), high),
    "step": lambda c: ONE if sign(c) >= 0 else ZERO, "relu": _on_two_sides(lambda c, _: ZERO),
    "leaky_relu": _on_two_sides(lambda c, alpha: mul(alpha, c)),
    "elu": _on_two_sides(lambda c, alpha: mul(alpha, sub(exp(c), ONE))),
    "sigmoid": _logistic, "softplus": lambda c: log(add(ONE, exp(c))), "silu": lambda c: mul(c, _logistic(c)),
    "gelu": lambda c: scale(mul(c, add(ONE, erf(mul(c, sqrt(HALF))))), HALF),
    "gt": _truth(lambda s: s > 0), "ge": _truth(lambda s: s >= 0), "lt": _truth(lambda s: s < 0),
    "le": _truth(lambda s: s <= 0), "eq": _truth(lambda s: s == 0), "ne": _truth(lambda s: s != 0),
    "logical_and": lambda a, b: ONE if a and b else ZERO, "logical_or": lambda a, b: ONE if a or b else ZERO,
    "logical_not": lambda a: ZERO if a else ONE, "where": lambda c, a, b: a if c else b,
}  # fmt: skip
