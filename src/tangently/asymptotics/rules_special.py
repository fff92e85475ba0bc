"""The asymptotic column of the special functions: gamma and its kin, exponential integrals, Bessel, Lambert W, zeta.

At an ordinary point: the Taylor series from the row's own derivatives. At infinity: the asymptotic series, which
determines the leading term although it diverges. At a pole or branch point: the recurrence that leads away from it,
or the expansion.

Sources: NIST Digital Library of Mathematical Functions, 5.7, 5.11, 5.15 (gamma, digamma, polygamma), 6.6, 6.12
(exponential integrals), 7.12 (error functions), 10.8, 10.17, 10.25, 10.31, 10.40 (Bessel), 25.2 (zeta); R. Corless,
G. Gonnet, D. Hare, D. Jeffrey, D. Knuth, On the Lambert W function, Adv. Comput. Math. 5, 1996, sections 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.multiseries import (
    ONE,
    ZERO,
    Coefficients,
    Number,
    Undefined,
    Unknown,
    Value,
    factorial,
    is_number,
)
from tangently.asymptotics.rules import HALF, gauss_at, rule, tail

if TYPE_CHECKING:
    from tangently.asymptotics.germs import Near

# ---------------------------------------------------------------- gamma and its logarithmic derivatives


def _slopes(m: int) -> Callable[[Near, Value, int], Value]:
    """The k-th derivative over k! of log Γ (m = 0), ψ (1), ψ₁ (2), …"""
    return lambda N, v, k: N.mul(fmpq(1, factorial(k)), _polygamma(N, fmpq(m + k - 1), v))


def bernoulli(n: int) -> Number:
    return fmpq.bernoulli(n)


def _stirling(k: int) -> Number:
    """Coefficient of u = v⁻² in v·(log Γ(v) − (v − ½) log v + v − ½ log 2π)."""
    return bernoulli(2 * k + 2) / ((2 * k + 2) * (2 * k + 1))


def _loggamma_infinite(N: Near, v: Value) -> Value:
    steps = _steps(N, v)
    if steps and N.sign(v) > 0:  # log Γ(v) = log Γ(v − n) + Σ log(v − j): arguments that differ by n meet
        result = _loggamma(N, N.interned(N.sub(v, fmpq(steps))))
        for j in range(1, steps + 1):
            result = N.add(result, N.log(N.sub(v, fmpq(j))))
        for j in range(0, -steps):
            result = N.sub(result, N.log(N.add(v, fmpq(j))))
        return result
    if N.sign(v) < 0:
        return N.sub(N.log(K.PI), N.add(N.log(_size(N, N.sincos(N.mul(K.PI, v))[0])), _loggamma_of_shift(N, v)))
    inverse = N.div(ONE, v)
    series = N.mul(inverse, N.compose(_stirling, N.mul(inverse, inverse)))
    constant = K.mul(HALF, K.add(K.log(fmpq(2)), K.log(K.PI)))
    return N.add(N.sub(N.mul(N.sub(v, HALF), N.log(v)), v), N.add(constant, series))


def _loggamma_of_shift(N: Near, v: Value) -> Value:
    return _loggamma_infinite(N, N.sub(ONE, v))


def _steps(N: Near, v: Value) -> int:
    """How many whole steps the constant part of a short v is from [0, 1): by so much it is shifted (a few at most)."""
    if not N.short(v):
        return 0
    c = N.split(v)[1]
    n = K.floor(c) if not K.is_oscillating(c) else 0
    return n if abs(n) <= 8 else 0


def _size(N: Near, v: Value) -> Value:
    return v if N.sign(v) >= 0 else N.neg(v)


def _pole(N: Near, v: Value) -> int | None:
    """n where v → −n, a pole of Γ; None elsewhere."""
    infinite, c, small = N.split(v)
    if not is_number(infinite) or type(c) is not fmpq or c.q != 1 or c > 0:
        return None
    if not is_number(small) or N.nonzero(small):
        return int(-c.p)
    raise Undefined("Γ has a pole there")


def _gamma(N: Near, v: Value) -> Value:
    n = _pole(N, v)
    if n is not None:  # Γ(v) = Γ(v + n + 1)/(v (v + 1) … (v + n))
        product: Value = ONE
        for j in range(n + 1):
            product = N.mul(product, N.add(v, fmpq(j)))
        return N.div(_gamma(N, N.add(v, fmpq(n + 1))), product)
    if N.growth(v) > 0 and N.sign(v) < 0:
        beside = N.mul(N.sincos(N.mul(K.PI, v))[0], _gamma(N, N.sub(ONE, v)))
        return N.div(K.PI, beside)
    return N.analytic("gamma", v, N.taylor_of("gamma"), lambda N, v: N.exp(_loggamma(N, v)))


def _loggamma(N: Near, v: Value) -> Value:
    n = _pole(N, v)
    if n is not None:
        result = _loggamma(N, N.add(v, fmpq(n + 1)))
        for j in range(n + 1):
            result = N.sub(result, N.log(_size(N, N.add(v, fmpq(j)))))
        return result
    return N.analytic("loggamma", v, N.taylor_of("loggamma"), _loggamma_infinite, _slopes(0))


def _digamma_tail(k: int) -> Number:
    return -bernoulli(2 * k + 2) / (2 * k + 2)


def _digamma_infinite(N: Near, v: Value) -> Value:
    if N.sign(v) < 0:  # ψ(v) = ψ(1 − v) − π cot πv
        s, c = N.sincos(N.mul(K.PI, v))
        return N.sub(_digamma_infinite(N, N.sub(ONE, v)), N.mul(K.PI, N.div(c, s)))
    inverse = N.div(ONE, v)
    square = N.mul(inverse, inverse)
    tail = N.mul(square, N.compose(_digamma_tail, square))
    return N.add(N.sub(N.log(v), N.mul(HALF, inverse)), tail)


def _digamma(N: Near, v: Value) -> Value:
    n = _pole(N, v)
    if n is not None:
        result = _digamma(N, N.add(v, fmpq(n + 1)))
        for j in range(n + 1):
            result = N.sub(result, N.div(ONE, N.add(v, fmpq(j))))
        return result
    return N.analytic("digamma", v, N.taylor_of("digamma"), _digamma_infinite, _slopes(1))


def _polygamma_infinite(m: int) -> Callable[[Near, Value], Value]:
    def infinite(N: Near, v: Value) -> Value:
        if N.sign(v) < 0:
            raise Unknown("polygamma far to the left")
        tail = lambda k: bernoulli(2 * k) * factorial(2 * k + m - 1) / factorial(2 * k) if k else fmpq(factorial(m - 1))
        inverse = N.div(ONE, v)
        series = N.compose(tail, N.mul(inverse, inverse))
        total = N.add(series, N.mul(fmpq(factorial(m), 2), inverse))
        return N.mul(fmpq((-1) ** (m + 1)), N.mul(N.power(inverse, fmpq(m)), total))

    return infinite


def _polygamma(N: Near, order: Value, v: Value) -> Value:
    if type(order) is not fmpq or order.q != 1 or order < 0:
        raise Unknown("polygamma of an order that varies")
    m = int(order.p)
    if m == 0:
        return _digamma(N, v)
    n = _pole(N, v)
    if n is not None:  # ψ_m(v) = ψ_m(v + 1) − (−1)^m m!/v^(m+1)
        result = _polygamma(N, order, N.add(v, fmpq(n + 1)))
        for j in range(n + 1):
            step = N.power(N.div(ONE, N.add(v, fmpq(j))), fmpq(m + 1))
            result = N.sub(result, N.mul(fmpq((-1) ** m * factorial(m)), step))
        return result
    return N.analytic(f"polygamma{m}", v, N.taylor_of("polygamma", order), _polygamma_infinite(m), _slopes(m + 1))


rule("gamma", _gamma)
rule("loggamma", _loggamma)
rule("digamma", _digamma)
rule("polygamma", _polygamma)


# ---------------------------------------------------------------- exponential integrals


def _every(k: int) -> Number:
    return fmpq(factorial(k))


def _ei_infinite(N: Near, v: Value) -> Value:
    inverse = N.div(ONE, v)
    return N.mul(N.mul(N.exp(v), inverse), N.compose(_every, inverse))


def _ei_entire(k: int) -> Number:
    return fmpq(1, k * factorial(k)) if k else ZERO


def _at_zero(N: Near, v: Value) -> bool:
    return N.growth(v) < 0


def _ei(N: Near, v: Value) -> Value:
    if _at_zero(N, v):
        if is_number(v):
            raise Undefined("Ei has no value at 0")
        return N.add(N.add(K.EULER_GAMMA, N.log(_size(N, v))), N.compose(_ei_entire, v))
    return N.analytic("Ei", v, N.taylor_of("Ei"), _ei_infinite, N.slopes_of("Ei"))


def _alternating(first: int) -> Coefficients:
    """(−1)ᵏ (2k + first)!"""
    return lambda k: fmpq((-1) ** k * factorial(2 * k + first))


_EVEN, _ODD = _alternating(0), _alternating(1)


def _auxiliary(N: Near, v: Value) -> tuple[Value, Value]:
    """f and g with Si v = π/2 − f cos v − g sin v, Ci v = f sin v − g cos v."""
    inverse = N.div(ONE, v)
    square = N.mul(inverse, inverse)
    return N.mul(inverse, N.compose(_EVEN, square)), N.mul(square, N.compose(_ODD, square))


def _si_infinite(N: Near, v: Value) -> Value:
    if N.sign(v) < 0:
        return N.neg(_si_infinite(N, N.neg(v)))
    f, g = _auxiliary(N, v)
    s, c = N.sincos(v)
    return N.sub(K.mul(HALF, K.PI), N.add(N.mul(f, c), N.mul(g, s)))


def _ci_infinite(N: Near, v: Value) -> Value:
    f, g = _auxiliary(N, _positive(N, v, "Ci"))
    s, c = N.sincos(v)
    return N.sub(N.mul(f, s), N.mul(g, c))


def _positive(N: Near, v: Value, name: str) -> Value:
    if N.sign(v) <= 0:
        raise Undefined(f"{name} of a number that is not positive")
    return v


def _si_entire(k: int) -> Number:
    return fmpq((-1) ** (k // 2), k * factorial(k)) if k % 2 else ZERO


def _ci_entire(k: int) -> Number:
    return fmpq((-1) ** (k // 2), k * factorial(k)) if k and k % 2 == 0 else ZERO


def _si(N: Near, v: Value) -> Value:
    return N.compose(_si_entire, v) if _at_zero(N, v) else N.analytic("Si", v, N.taylor_of("Si"), _si_infinite)


def _ci(N: Near, v: Value) -> Value:
    if _at_zero(N, v):
        return N.add(N.add(K.EULER_GAMMA, N.log(v)), N.compose(_ci_entire, v))
    return N.analytic("Ci", _positive(N, v, "Ci"), N.taylor_of("Ci"), _ci_infinite)


rule("Ei", _ei)
rule("li", lambda N, v: _ei(N, N.log(v)))
rule("Si", _si)
rule("Ci", _ci)

# ---------------------------------------------------------------- imaginary error function


def _erfi_infinite(N: Near, v: Value) -> Value:
    if N.sign(v) < 0:
        return N.neg(_erfi_infinite(N, N.neg(v)))
    inverse = N.div(ONE, v)
    front = N.mul(K.div(ONE, K.sqrt(K.PI)), N.mul(N.exp(N.mul(v, v)), inverse))
    return N.mul(front, N.compose(_growing_tail, N.mul(inverse, inverse)))


def _growing_tail(k: int) -> Number:
    return tail(k) * (-1) ** k


rule("erfi", lambda N, v: N.analytic("erfi", v, lambda c: gauss_at(c, 0), _erfi_infinite), "+")


def _erfinv_at(c: Number) -> Coefficients:
    """At 0: Σ cₖ (√π u/2)^(2k+1)/(2k + 1), with c₀ = 1 and cₖ = Σ c_m c_{k−1−m}/((m + 1)(2m + 1))."""
    if type(c) is not fmpq or c != 0:
        raise Unknown("the inverse error function away from 0")
    found = [ONE]

    def coefficient(k: int) -> Number:
        if k % 2 == 0:
            return ZERO
        while len(found) <= k // 2:
            n = len(found)
            found.append(sum((found[m] * found[n - 1 - m] / ((m + 1) * (2 * m + 1)) for m in range(n)), ZERO))
        return K.mul(found[k // 2] / k, K.power(K.mul(HALF, K.sqrt(K.PI)), fmpq(k)))

    return coefficient


rule("erfinv", lambda N, v: N.analytic("erfinv", v, _erfinv_at), "+")

# ---------------------------------------------------------------- Bessel functions of constant order


def _order(N: Near, n: Value) -> Number:
    if not is_number(n) or K.is_oscillating(n):
        raise Unknown("a Bessel function of an order that varies")
    return n


def _whole_order(n: Number) -> int | None:
    return int(n.p) if type(n) is fmpq and n.q == 1 else None


def _ascending(N: Near, n: Number, v: Value, sign: int) -> Value:
    """(v/2)ⁿ Σ (sign)ᵏ (v/2)²ᵏ/(k! Γ(n + k + 1)): I for sign 1, J for sign −1."""
    half = N.mul(HALF, v)
    lead = K.gamma(K.add(n, ONE))

    def coefficient(k: int) -> Number:
        below: Number = fmpq(factorial(k))
        for j in range(1, k + 1):
            below = K.mul(below, K.add(n, fmpq(j)))
        return K.div(fmpq(sign**k), K.mul(below, lead))

    key = ("ascending", n, sign)
    coefficients = N.remember(key, (), lambda: coefficient)
    power = ONE if not N.nonzero(n) else N.power(half, n)
    return N.mul(power, N.compose(coefficients, N.mul(half, half)))


def _second_kind(N: Near, n: int, v: Value, sign: int) -> Value:
    """K_n (sign 1) and Y_n (sign −1) near 0, for a whole n ≥ 0 (DLMF 10.31.1, 10.8.1)."""
    half = N.mul(HALF, v)
    square = N.mul(half, half)
    finite: Value = ZERO
    for k in range(n):
        term = fmpq(factorial(n - 1 - k), factorial(k)) * (-sign) ** k
        finite = N.add(finite, N.mul(term, N.power(square, fmpq(k)) if k else ONE))
    above = N.power(half, fmpq(n)) if n else ONE
    finite = N.div(N.mul(HALF, finite), above) if n else ZERO

    def digammas(k: int) -> Number:
        both = K.add(K.digamma(fmpq(k + 1)), K.digamma(fmpq(n + k + 1)))
        return K.mul(fmpq(sign**k, factorial(k) * factorial(n + k)), both)

    coefficients = N.remember(("second", n, sign), (), lambda: digammas)
    infinite = N.mul(HALF, N.mul(above, N.compose(coefficients, square)))
    first = _ascending(N, fmpq(n), v, sign)
    logarithmic = N.mul(N.log(half), first)
    if sign > 0:
        return N.add(finite, N.mul(fmpq((-1) ** n), N.sub(infinite, logarithmic)))
    total = N.sub(N.sub(logarithmic, finite), infinite)
    return N.mul(K.div(fmpq(2), K.PI), total)


def _hankel(n: Number) -> Coefficients:
    """a_k(n) = (4n² − 1²)(4n² − 3²)…(4n² − (2k − 1)²)/(k! 8ᵏ)."""
    found: list[Number] = [ONE]
    four = K.mul(fmpq(4), K.mul(n, n))

    def coefficient(k: int) -> Number:
        while len(found) <= k:
            j = len(found)
            found.append(K.mul(found[-1], K.div(K.sub(four, fmpq((2 * j - 1) ** 2)), fmpq(8 * j))))
        return None if type(found[k]) is fmpq and found[k] == 0 else found[k]  # of half an odd order the series ends

    return coefficient


def _signed(a: Coefficients, pick: Callable[[int], tuple[int, int]]) -> Coefficients:
    """Coefficients picked from a, with signs."""

    def coefficient(k: int) -> Number | None:
        index, sign = pick(k)
        found = a(index)
        return None if found is None else K.mul(fmpq(sign), found)

    return coefficient


def _modified_infinite(n: Number, sign: int) -> Callable[[Near, Value], Value]:
    """I (sign 1) and K (sign −1) at +∞."""

    def infinite(N: Near, v: Value) -> Value:
        whole = _whole_order(n)
        if N.sign(v) < 0:
            if sign < 0 or whole is None:
                raise Undefined("this Bessel function has no real value at a negative number")
            return N.mul(fmpq((-1) ** whole), infinite(N, N.neg(v)))
        a = N.remember(("hankel", n), (), lambda: _hankel(n))
        signed = N.remember(("hankel", n, sign), (), lambda: _signed(a, lambda k: (k, (-sign) ** k)))
        series = N.compose(signed, N.div(ONE, v))
        root = N.power(N.mul(K.mul(fmpq(2), K.PI), v) if sign > 0 else N.mul(K.div(fmpq(2), K.PI), v), fmpq(-1, 2))
        return N.mul(N.mul(root, N.exp(v if sign > 0 else N.neg(v))), series)

    return infinite


def _circular_infinite(n: Number, second: bool) -> Callable[[Near, Value], Value]:
    """J and Y at +∞: √(2/πv) (P cos ω − Q sin ω) and (P sin ω + Q cos ω), ω = v − nπ/2 − π/4."""

    def infinite(N: Near, v: Value) -> Value:
        whole = _whole_order(n)
        if N.sign(v) < 0:
            if second or whole is None:
                raise Undefined("this Bessel function has no real value at a negative number")
            return N.mul(fmpq((-1) ** whole), infinite(N, N.neg(v)))
        a = N.remember(("hankel", n), (), lambda: _hankel(n))
        even = N.remember(("even", n), (), lambda: _signed(a, lambda k: (2 * k, (-1) ** k)))
        odd = N.remember(("odd", n), (), lambda: _signed(a, lambda k: (2 * k + 1, (-1) ** k)))
        inverse = N.div(ONE, v)
        square = N.mul(inverse, inverse)
        P, Q = N.compose(even, square), N.mul(inverse, N.compose(odd, square))
        angle = K.mul(K.PI, K.add(K.mul(HALF, n), fmpq(1, 4)))
        s, c = N.sincos(N.sub(v, angle))
        waves = N.add(N.mul(P, s), N.mul(Q, c)) if second else N.sub(N.mul(P, c), N.mul(Q, s))
        return N.mul(N.power(N.mul(K.mul(HALF, K.PI), v), fmpq(-1, 2)), waves)

    return infinite


def _first(name: str, sign: int) -> Callable[[Near, Value, Value], Value]:
    def value(N: Near, order: Value, v: Value) -> Value:
        n = _order(N, order)
        whole = _whole_order(n)
        if whole is not None and whole < 0:  # I₋ₙ = Iₙ, J₋ₙ = (−1)ⁿ Jₙ
            return N.mul(fmpq(sign**whole if sign > 0 else (-1) ** whole), value(N, fmpq(-whole), v))
        if _at_zero(N, v) and not is_number(v):
            return _ascending(N, n, v, sign)
        infinite = _modified_infinite(n, 1) if sign > 0 else _circular_infinite(n, False)
        return N.analytic(f"{name}{n!r}", v, N.taylor_of(name, n), infinite)

    return value


def _second(name: str, sign: int) -> Callable[[Near, Value, Value], Value]:
    def value(N: Near, order: Value, v: Value) -> Value:
        n = _order(N, order)
        _positive(N, v, "this Bessel function")
        whole = _whole_order(n)
        if whole is not None and whole < 0:
            return N.mul(fmpq(1 if sign > 0 else (-1) ** whole), value(N, fmpq(-whole), v))
        if _at_zero(N, v):
            if whole is None:
                return _by_first_kind(N, n, v, sign)
            return _second_kind(N, whole, v, sign)
        infinite = _modified_infinite(n, -1) if sign > 0 else _circular_infinite(n, True)
        return N.analytic(f"{name}{n!r}", v, N.taylor_of(name, n), infinite)

    return value


def _by_first_kind(N: Near, n: Number, v: Value, sign: int) -> Value:
    """K_n = π/2 (I₋ₙ − Iₙ)/sin nπ, Y_n = (Jₙ cos nπ − J₋ₙ)/sin nπ."""
    plus, minus = _ascending(N, n, v, sign), _ascending(N, K.neg(n), v, sign)
    angle = K.mul(K.PI, n)
    if sign > 0:
        return N.mul(K.div(K.mul(HALF, K.PI), K.sin(angle)), N.sub(minus, plus))
    return N.mul(K.div(ONE, K.sin(angle)), N.sub(N.mul(K.cos(angle), plus), minus))


def _spherical(N: Near, order: Value, v: Value) -> Value:
    """jₙ(v) = √(π/2v) J_{n+½}(v), of the parity of n."""
    n = _whole_order(_order(N, order))
    if n is None or n < 0:
        raise Unknown("a spherical Bessel function of such an order")
    if N.sign(v) < 0:
        return N.mul(fmpq((-1) ** n), _spherical(N, order, N.neg(v)))
    if N.is_zero(v):
        return ZERO if n else ONE
    half = _first("besselj", -1)(N, K.add(fmpq(n), HALF), v)
    return N.mul(N.power(N.div(K.mul(HALF, K.PI), v), HALF), half)


rule("spherical_jn", _spherical)
rule("besseli", _first("besseli", 1))
rule("besselj", _first("besselj", -1))
rule("besselk", _second("besselk", 1))
rule("bessely", _second("bessely", -1))

# ---------------------------------------------------------------- Lambert W, zeta, beta


ZETA_TERMS = 8


def _tree(k: int) -> Number:
    """W(u) = Σ (−k)^(k−1)/k! uᵏ."""
    return fmpq((-k) ** (k - 1), factorial(k)) if k else ZERO


def _branch() -> Coefficients:
    """W = Σ μ_k pᵏ, p = √(2(e v + 1)), at the branch point −1/e (Corless et al., 4.22–4.25)."""
    mu, alpha = [fmpq(-1), ONE], [fmpq(2), fmpq(-1)]

    def coefficient(k: int) -> Number:
        while len(mu) <= k:
            n = len(mu)
            alpha.append(sum((mu[j] * mu[n + 1 - j] for j in range(2, n)), ZERO))
            first = fmpq(n - 1, n + 1) * (mu[n - 2] / 2 + alpha[n - 2] / 4)
            mu.append(first - alpha[n] / 2 - mu[n - 1] / (n + 1))
        return mu[k]

    return coefficient


_BRANCH = _branch()


def _stirling_first(n: int, k: int) -> int:
    """Unsigned Stirling numbers of the first kind."""
    row = [1]
    for m in range(n):
        row = [(row[j - 1] if j else 0) + m * (row[j] if j < len(row) else 0) for j in range(len(row) + 1)]
    return row[k]


def _lambert_infinite(N: Near, v: Value) -> Value:
    """L₁ − L₂ + Σ (−1)ˡ [l+m, l+1]/m! L₁^(−l−m) L₂^m, with L₁ = log v, L₂ = log log v (Corless et al., 4.19)."""
    first = N.log(v)
    second = N.log(first)
    inverse = N.div(ONE, first)
    ratio = N.mul(second, inverse)

    def power(m: int) -> Any:
        if m == 0:
            return ZERO
        inner = N.remember(
            ("lambert", m), (), lambda: lambda l: fmpq((-1) ** l * _stirling_first(l + m, l + 1), factorial(m))
        )
        return N.compose(inner, inverse)

    return N.add(N.sub(first, second), N.powers(power, ratio))


def _lambert(N: Near, v: Value) -> Value:
    if _at_zero(N, v):
        return N.compose(_tree, v)
    above = N.add(N.mul(K.E, v), ONE)
    if N.sign(above) < 0:
        raise Undefined("Lambert W of a number below -1/e")
    if N.growth(above) < 0:
        return N.compose(_BRANCH, N.power(N.mul(fmpq(2), above), HALF))
    return N.analytic("lambertw", v, N.taylor_of("lambertw"), _lambert_infinite)


def _zeta(N: Near, v: Value) -> Value:
    beside = N.sub(v, ONE)
    if N.growth(beside) < 0:
        if is_number(beside):
            raise Undefined("ζ has a pole at 1")
        return N.add(N.div(ONE, beside), N.cut_off(K.EULER_GAMMA, beside, "later Laurent coefficients of ζ at 1"))
    return N.analytic("zeta", v, N.taylor_of("zeta"), _zeta_infinite)


def _zeta_infinite(N: Near, v: Value) -> Value:
    """1 + 2⁻ᵛ + 3⁻ᵛ + …: more than ZETA_TERMS terms are not known."""
    if N.sign(v) < 0:
        raise Unknown("ζ far to the left")
    total: Value = ONE
    for n in range(2, ZETA_TERMS + 1):
        total = N.add(total, N.exp(N.neg(N.mul(K.log(fmpq(n)), v))))
    return N.until(total, N.exp(N.neg(N.mul(K.log(fmpq(ZETA_TERMS + 1)), v))), "later terms of ζ")


def _beta(N: Near, a: Value, b: Value) -> Value:
    return N.div(N.mul(_gamma(N, a), _gamma(N, b)), _gamma(N, N.add(a, b)))


rule("lambertw", _lambert, "+")
rule("zeta", _zeta)
rule("beta", _beta)
