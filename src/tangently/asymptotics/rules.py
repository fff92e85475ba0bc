"""The asymptotic column of the table: how each row acts on multiseries, and on bounds.

A `Rule` has `value`, the row on multiseries near the point (`N`, a `tangently.asymptotics.germs.Near`), and `bounds`,
what it does to an interval of them: "+" increasing, "-" decreasing, or a function of the intervals. Structure is
decided by direction: a sign, a comparison or a floor looks at the leading term on this side of the point, and never
at the point itself.

Special functions are in `rules_special`. Source: NIST Digital Library of Mathematical Functions, chapters 4 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.bounds import (
    Band,
    absolute,
    circular,
    difference,
    larger,
    multiply,
    power_of,
    quotient,
    smaller,
    total,
)
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
from tangently.expr import TABLE

if TYPE_CHECKING:
    from tangently.asymptotics.germs import Near

HALF = fmpq(1, 2)


@dataclass(frozen=True)
class Rule:
    """One row of the column. `selective`: operands that could not be computed are handed over as they are."""

    value: Callable[..., Value]
    bounds: str | Callable[..., Any] | None = None
    range: tuple[Number | None, Number | None] = (None, None)  # of all the values, for bounds
    selective: bool = False


RULES: dict[str, Rule] = {}


def rule(name: str, value: Callable[..., Value], bounds: Any = None, **fields: Any) -> None:
    RULES[name] = Rule(value, bounds, **fields)


def pi() -> Number:
    return K.PI


# ---------------------------------------------------------------- arithmetic


def _power(N: Near, a: Value, b: Value) -> Value:
    if is_number(b):
        whole = type(b) is fmpq and b.q == 1
        if whole and b == 0:
            return ONE
        if whole or N.sign(a) > 0 or N.is_zero(a):
            return N.power(a, b)
        raise Undefined("a negative number to a power that is not whole has no real value")
    return _general_power(N, a, b)


def _general_power(N: Near, a: Value, b: Value) -> Value:
    if N.is_zero(a):
        if N.sign(b) > 0:
            return ZERO
        raise Undefined("0 to a power that is not positive")
    if N.sign(a) > 0:
        return N.exp(N.mul(b, N.log(a)))
    if not N.whole(b):
        N.whole_only = True
        raise Undefined("a negative number to a power that varies has a real value at whole numbers only")
    size = N.exp(N.mul(b, N.log(N.neg(a))))
    return N.mul(size, N.sincos(N.mul(K.PI, b))[1])  # (-1)ⁿ = cos πn


def _root3(N: Near, v: Value) -> Value:
    sign = N.sign(v)
    if sign == 0:
        return ZERO
    root = N.power(v if sign > 0 else N.neg(v), fmpq(1, 3))
    return root if sign > 0 else N.neg(root)


def _sqrt(N: Near, v: Value) -> Value:
    if is_number(v) and K.is_oscillating(v):
        return N.power(v, HALF)
    if N.sign(v) < 0:
        raise Undefined("the square root of a negative number")
    return N.power(v, HALF)


rule("add", lambda N, a, b: N.add(a, b), total)
rule("sub", lambda N, a, b: N.sub(a, b), difference)
rule("mul", lambda N, a, b: N.mul(a, b), multiply)
rule("div", lambda N, a, b: N.div(a, b), quotient)
rule("neg", lambda N, a: N.neg(a), "-")
rule("pow", _power, power_of)
rule("square", lambda N, a: N.mul(a, a), lambda N, a: multiply(N, absolute(N, a), absolute(N, a)))
rule("reciprocal", lambda N, a: N.div(ONE, a), lambda N, a: quotient(N, Band(ONE, ONE), a))
rule("sqrt", _sqrt, "+", range=(ZERO, None))
rule("cbrt", _root3, "+")
rule("hypot", lambda N, a, b: _sqrt(N, N.add(N.mul(a, a), N.mul(b, b))))
rule("abs", lambda N, a: N.neg(a) if N.sign(a) < 0 else a, absolute)

# ---------------------------------------------------------------- exponentials and logarithms


def _base(b: int) -> Number:
    return K.log(fmpq(b))


def _logistic(N: Near, v: Value) -> Value:
    return N.div(ONE, N.add(ONE, N.exp(N.neg(v))))


def _softplus(N: Near, v: Value) -> Value:
    return N.log(N.add(ONE, N.exp(v)))


def _sinh(N: Near, v: Value) -> Value:
    return N.mul(HALF, N.sub(N.exp(v), N.exp(N.neg(v))))


def _cosh(N: Near, v: Value) -> Value:
    return N.mul(HALF, N.add(N.exp(v), N.exp(N.neg(v))))


def _tanh(N: Near, v: Value) -> Value:
    return N.sub(ONE, N.div(fmpq(2), N.add(ONE, N.exp(N.mul(fmpq(2), v)))))


def _logaddexp(N: Near, a: Value, b: Value) -> Value:
    return N.log(N.add(N.exp(a), N.exp(b)))


rule("exp", lambda N, v: N.exp(v), "+", range=(ZERO, None))
rule("exp2", lambda N, v: N.exp(N.mul(_base(2), v)), "+", range=(ZERO, None))
rule("expm1", lambda N, v: N.sub(N.exp(v), ONE), "+", range=(fmpq(-1), None))
rule("log", lambda N, v: N.log(v), "+")
rule("log2", lambda N, v: N.div(N.log(v), _base(2)), "+")
rule("log10", lambda N, v: N.div(N.log(v), _base(10)), "+")
rule("log1p", lambda N, v: N.log(N.add(ONE, v)), "+")
rule("logaddexp", _logaddexp, lambda N, a, b: Band(
    None if a.low is None or b.low is None else _logaddexp(N, a.low, b.low),
    None if a.high is None or b.high is None else _logaddexp(N, a.high, b.high)))  # fmt: skip
rule("sigmoid", _logistic, "+", range=(ZERO, ONE))
rule("softplus", _softplus, "+", range=(ZERO, None))
rule("silu", lambda N, v: N.mul(v, _logistic(N, v)))
rule("sinh", _sinh, "+")
rule("cosh", _cosh, lambda N, v: N.increasing(_cosh, absolute(N, v), (ONE, None)))
rule("tanh", _tanh, "+", range=(fmpq(-1), ONE))

# ---------------------------------------------------------------- circular functions and their inverses


def _tan(N: Near, v: Value) -> Value:
    s, c = N.sincos(v)
    return N.div(s, c)


def _quadratic(p: tuple[Number, Number, Number], r: Number, first: Number, second: Number) -> Coefficients:
    """Taylor coefficients of ∫ p(u)^r, p a quadratic, from the value and the slope at 0: p y' = r p' y for y = p^r."""
    found = [first, second]
    slopes = [second]

    def coefficient(k: int) -> Number:
        while len(found) <= k:
            n = len(slopes) - 1  # y_{n+1} = ((r − n) p₁ y_n + (2r − n + 1) p₂ y_{n−1}) / (p₀ (n + 1))
            before = slopes[n - 1] if n else ZERO
            top = K.add(
                K.mul(K.mul(K.add(r, fmpq(-n)), p[1]), slopes[n]),
                K.mul(K.mul(K.add(K.mul(fmpq(2), r), fmpq(1 - n)), p[2]), before),
            )
            slopes.append(K.div(top, K.mul(p[0], fmpq(n + 1))))
            found.append(K.div(slopes[-1], fmpq(len(slopes))))
        return found[k]

    return coefficient


def _square(c: Number) -> Number:
    return K.mul(c, c)


def _atan_at(c: Number) -> Coefficients:
    p0 = K.add(ONE, _square(c))
    return _quadratic((p0, K.mul(fmpq(2), c), ONE), fmpq(-1), K.atan(c), K.div(ONE, p0))


def _asin_at(c: Number) -> Coefficients:
    p0 = K.sub(ONE, _square(c))
    slope = K.div(ONE, K.sqrt(p0))
    return _quadratic((p0, K.mul(fmpq(-2), c), fmpq(-1)), fmpq(-1, 2), K.asin(c), slope)


def _asinh_at(c: Number) -> Coefficients:
    p0 = K.add(ONE, _square(c))
    root = K.sqrt(p0)
    return _quadratic((p0, K.mul(fmpq(2), c), ONE), fmpq(-1, 2), K.log(K.add(c, root)), K.div(ONE, root))


def _atan(N: Near, v: Value) -> Value:
    def infinite(N: Near, v: Value) -> Value:
        quarter = K.mul(HALF, K.PI)
        return N.sub(quarter if N.sign(v) > 0 else K.mul(fmpq(-1), quarter), _atan(N, N.div(ONE, v)))

    return N.analytic("arctan", v, _atan_at, infinite)


def _edge(N: Near, v: Value) -> int:
    """Where v goes for arcsin: ±1 at an edge of [-1, 1] (and inside it), 0 inside; outside it there is no value."""
    for edge in (1, -1):
        inside = N.sign(N.sub(ONE, N.mul(fmpq(edge), v)))
        if inside < 0:
            raise Undefined("arcsin or arccos of a number outside [-1, 1]")
        if inside == 0 or N.growth(N.sub(ONE, N.mul(fmpq(edge), v))) < 0:
            return edge
    return 0


def _acos_near_one(N: Near, v: Value) -> Value:
    """arccos v = 2 arcsin √((1 − v)/2), for v → 1."""
    return N.mul(fmpq(2), N.analytic("arcsin", _sqrt(N, N.mul(HALF, N.sub(ONE, v))), _asin_at))


def _acos(N: Near, v: Value) -> Value:
    edge = _edge(N, v)
    if edge > 0:
        return _acos_near_one(N, v)
    if edge < 0:
        return N.sub(K.PI, _acos_near_one(N, N.neg(v)))
    return N.sub(K.mul(HALF, K.PI), N.analytic("arcsin", v, _asin_at))


def _asin(N: Near, v: Value) -> Value:
    edge = _edge(N, v)
    return N.sub(K.mul(HALF, K.PI), _acos(N, v)) if edge else N.analytic("arcsin", v, _asin_at)


def _asinh(N: Near, v: Value) -> Value:
    def infinite(N: Near, v: Value) -> Value:
        if N.sign(v) < 0:
            return N.neg(infinite(N, N.neg(v)))
        return N.log(N.add(v, N.power(N.add(N.mul(v, v), ONE), HALF)))

    return N.analytic("arcsinh", v, _asinh_at, infinite)


def _acosh(N: Near, v: Value) -> Value:
    if N.sign(N.sub(v, ONE)) < 0:
        raise Undefined("arcosh of a number below 1")
    return N.log(N.add(v, _sqrt(N, N.sub(N.mul(v, v), ONE))))


def _atanh(N: Near, v: Value) -> Value:
    return N.mul(HALF, N.log(N.div(N.add(ONE, v), N.sub(ONE, v))))


def _direction(N: Near, y: Value, x: Value) -> Value:
    side = N.sign(x)
    up = N.sign(y)
    if side == 0:
        if up == 0:
            raise Undefined("the direction of (0, 0)")
        return K.mul(fmpq(up, 2), K.PI)
    angle = _atan(N, N.div(y, x))
    return angle if side > 0 else N.add(angle, K.mul(fmpq(1 if up >= 0 else -1), K.PI))


rule("sin", lambda N, v: N.sincos(v)[0], circular(0))
rule("cos", lambda N, v: N.sincos(v)[1], circular(1))
rule("tan", _tan, lambda N, a: Band(None, None))
rule("arcsin", _asin, "+")
rule("arccos", _acos, "-")
rule("arctan", _atan, "+", range=(None, None))
rule("arcsinh", _asinh, "+")
rule("arccosh", _acosh, "+")
rule("arctanh", _atanh, "+")
rule("arctan2", _direction)

# ---------------------------------------------------------------- structure, by direction


def _truth(yes: bool) -> Number:
    return ONE if yes else ZERO


def compared(name: str, holds: Callable[[int], bool]) -> None:
    def bounds(N: Near, a: Band, b: Band) -> Band:
        return N.decided(difference(N, a, b), holds)

    rule(name, lambda N, a, b: _truth(holds(N.order(a, b))), bounds)


compared("gt", lambda s: s > 0)
compared("ge", lambda s: s >= 0)
compared("lt", lambda s: s < 0)
compared("le", lambda s: s <= 0)
compared("eq", lambda s: s == 0)
compared("ne", lambda s: s != 0)


def _both(N: Near, a: Any, b: Any) -> Value:
    """False if one is false, whatever is known of the other."""
    for x in (a, b):
        if is_known(x) and N.is_zero(x):
            return ZERO
    return _truth(N.nonzero(N.known(a)) and N.nonzero(N.known(b)))


def _either(N: Near, a: Any, b: Any) -> Value:
    for x in (a, b):
        if is_known(x) and not N.is_zero(x):
            return ONE
    return _truth(N.nonzero(N.known(a)) or N.nonzero(N.known(b)))


def is_known(x: Any) -> bool:
    return not isinstance(x, Exception)


def _where(N: Near, c: Any, a: Any, b: Any) -> Value:
    return N.known(a if not N.is_zero(N.known(c)) else b)


def _either_branch(N: Near, c: Band, a: Band, b: Band) -> Band:
    if c.low is not None and c.low is c.high:
        return b if N.is_zero(c.low) else a
    return Band(smaller(N, a.low, b.low), larger(N, a.high, b.high))


rule("logical_and", _both, selective=True)
rule("logical_or", _either, selective=True)
rule("logical_not", lambda N, a: _truth(N.is_zero(a)))
rule("isnan", lambda N, a: ONE if isinstance(a, Undefined) else N.known(a) and ZERO, selective=True)
rule("where", _where, _either_branch, selective=True)


def _larger(N: Near, a: Value, b: Value) -> Value:
    return a if N.order(a, b) >= 0 else b


def _smaller(N: Near, a: Value, b: Value) -> Value:
    return a if N.order(a, b) <= 0 else b


def _floor(N: Near, v: Value) -> Value:
    infinite, c, small = N.split(v)
    if not is_number(infinite):
        return N.floor_infinite(v)
    if K.is_oscillating(c):
        return N.jumps(c)
    below = K.floor(c)
    whole = not N.nonzero(K.sub(c, fmpq(below)))
    return fmpq(below - 1 if whole and N.sign(small) < 0 else below)


def _ceil(N: Near, v: Value) -> Value:
    return N.neg(_floor(N, N.neg(v)))


def _trunc(N: Near, v: Value) -> Value:
    return _floor(N, v) if N.sign(v) >= 0 else _ceil(N, v)


def _rint(N: Near, v: Value) -> Value:
    """The nearest whole number, halves to even: v identically a half is the only case where that matters."""
    up = _floor(N, N.add(v, HALF))
    if is_number(v) and is_number(up) and not N.nonzero(K.sub(up, K.add(v, HALF))) and int(up.p) % 2:
        return K.sub(up, ONE)
    return up


def _remainder(N: Near, a: Value, b: Value) -> Value:
    return N.sub(a, N.mul(b, _floor(N, N.div(a, b))))


def _step(N: Near, v: Value) -> Value:
    return _truth(N.sign(v) >= 0)


def _relu(N: Near, v: Value) -> Value:
    return v if N.sign(v) > 0 else ZERO


def _leaky(N: Near, v: Value, a: Value) -> Value:
    return v if N.sign(v) > 0 else N.mul(a, v)


def _elu(N: Near, v: Value, a: Value) -> Value:
    return v if N.sign(v) > 0 else N.mul(a, N.sub(N.exp(v), ONE))


for _name in ("maximum", "at_least"):
    rule(_name, _larger, lambda N, a, b: Band(larger(N, a.low, b.low), larger(N, a.high, b.high)))
for _name in ("minimum", "at_most"):
    rule(_name, _smaller, lambda N, a, b: Band(smaller(N, a.low, b.low), smaller(N, a.high, b.high)))
rule("sign", lambda N, v: fmpq(N.sign(v)), "+", range=(fmpq(-1), ONE))
rule("step", _step, "+", range=(ZERO, ONE))
rule("relu", _relu, "+", range=(ZERO, None))
rule("leaky_relu", _leaky)
rule("elu", _elu)
rule("clip", lambda N, v, low, high: _smaller(N, _larger(N, v, low), high), lambda N, v, low, high: Band(
    smaller(N, larger(N, v.low, low.low), high.low), smaller(N, larger(N, v.high, low.high), high.high)))  # fmt: skip


def _rounded(by: Callable[[Near, Value], Value], low: int, high: int) -> Callable[..., Band]:
    """Rounding moves by less than one: where the end itself can't be rounded, that is the bound."""

    def bounds(N: Near, v: Band) -> Band:
        return Band(N.attempt(by, v.low, low), N.attempt(by, v.high, high))

    return bounds


rule("floor", _floor, _rounded(_floor, -1, 0))
rule("ceil", _ceil, _rounded(_ceil, 0, 1))
rule("trunc", _trunc, _rounded(_trunc, -1, 1))
rule("rint", _rint, _rounded(_rint, -1, 1))


def _remainder_bounds(N: Near, a: Band, b: Band) -> Band:
    """Between 0 and the divisor."""
    if b.low is not None and N.sign(b.low) > 0:
        return Band(ZERO, b.high)
    if b.high is not None and N.sign(b.high) < 0:
        return Band(b.low, ZERO)
    raise Unknown("the remainder by a number that may be 0")


rule("remainder", _remainder, _remainder_bounds)

# ---------------------------------------------------------------- error functions


def gauss_at(c: Number, sign: int) -> Coefficients:
    """erf (sign 1), erfc (-1) or erfi (0) at c.

    The derivative g = ±2/√π·exp(∓(c+u)²) has (n+1) g_{n+1} = ∓2(c g_n + g_{n−1}), the upper signs for erf and erfc.
    """
    turn = 1 if sign == 0 else -1
    scale = K.div(fmpq(2 * (sign or 1)), K.sqrt(K.PI))
    slopes = [K.mul(scale, K.exp(K.mul(fmpq(turn), _square(c))))]
    first = K.apply(TABLE[{1: "erf", -1: "erfc", 0: "erfi"}[sign]], c)

    def coefficient(k: int) -> Number:
        if k == 0:
            return first
        while len(slopes) < k:
            n = len(slopes) - 1
            before = slopes[n - 1] if n else ZERO
            top = K.add(K.mul(c, slopes[n]), before)
            slopes.append(K.mul(fmpq(2 * turn, n + 1), top))
        return K.div(slopes[k - 1], fmpq(k))

    return coefficient


def tail(k: int) -> Number:
    """(−1)ᵏ (2k − 1)!!/2ᵏ, the coefficients of erfc x·e^(x²)·x√π in 1/x²."""
    return fmpq((-1) ** k * factorial(2 * k), factorial(k) * 4**k)


def _erfc_infinite(N: Near, v: Value) -> Value:
    if N.sign(v) < 0:
        return N.sub(fmpq(2), _erfc_infinite(N, N.neg(v)))
    inverse = N.div(ONE, v)
    front = N.mul(K.div(ONE, K.sqrt(K.PI)), N.mul(N.exp(N.neg(N.mul(v, v))), inverse))
    return N.mul(front, N.compose(tail, N.mul(inverse, inverse)))


def _erf_infinite(N: Near, v: Value) -> Value:
    return N.sub(ONE, _erfc_infinite(N, v)) if N.sign(v) > 0 else N.sub(_erfc_infinite(N, N.neg(v)), ONE)


def _erfc(N: Near, v: Value) -> Value:
    return N.analytic("erfc", v, lambda c: gauss_at(c, -1), _erfc_infinite)


def _erf(N: Near, v: Value) -> Value:
    return N.analytic("erf", v, lambda c: gauss_at(c, 1), _erf_infinite)


def _gelu(N: Near, v: Value) -> Value:
    scaled = N.mul(K.div(fmpq(-1), K.sqrt(fmpq(2))), v)
    return N.mul(HALF, N.mul(v, _erfc(N, scaled)))


rule("erf", _erf, "+", range=(fmpq(-1), ONE))
rule("erfc", _erfc, "-", range=(ZERO, fmpq(2)))
rule("gelu", _gelu)

__all__ = ["RULES", "Rule", "rule"]
