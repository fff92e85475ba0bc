"""Bounds on all of a punctured neighborhood: Taylor models with a ball as remainder, and extended intervals.

`near(f, x, point, side, radius)` encloses f for every distance 0 < t ≤ r at once, where ball arithmetic alone says
nothing, because 0/0 or 1/0 stands somewhere. Each node of the graph gets two descriptions, which help each other out:

* a *model*  tᵛ (c₀ + c₁t + … + cₙ₋₁tⁿ⁻¹ + R tⁿ), valid on (0, r], with a rational v, balls cᵢ, and one ball R
  that holds the remainder at every t (Taylor models: M. Berz, K. Makino, Reliable Computing 4, 1998; a smooth function
  of a model is expanded at c₀, with Lagrange's remainder over the whole range). A quotient subtracts the powers v: that
  is how sin(x)/x cancels. A leading coefficient is dropped only if it is 0 by an identity, never because it is small.
* a *span* [lo, hi] of extended reals, for what is unbounded: 1/t is in [1/r, ∞], so atan(1/t) is in [atan(1/r), π/2].

Logarithms are powers as small as one likes: t^(1/64) log t is bounded on (0, r]. An exponential of -b/tᵖ is below
every power, so it gets the model t¹⁶·R. Roots of t are powers of τ after t = τ^q. A value that may not be defined
somewhere on (0, r] is None, and so is all that uses it; a branch that is not taken asks nobody.

Glossary: t the distance, r the radius, T the ball [0, r], v the power, c coefficients, R the remainder, n the order.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tangently.differentiation import expand, tangent
from tangently.enclosure import MissingEnclosure, enclose, precision
from tangently.errors import TangentlyError, UnsupportedError
from tangently.expr import CONST, TABLE, Expr, const, depends, substitute, symbol, toposort

if TYPE_CHECKING:
    from flint import arb

BITS = 256
SMALL = Fraction(1, 64)  # the power of t that makes log t bounded
FLAT = 16  # the power of t below which an exponential decay stays
RISING = frozenset({
    "exp", "exp2", "expm1", "cbrt", "arctan", "tanh", "sinh", "arcsinh", "erf", "sigmoid", "softplus",
})  # fmt: skip
SERIES = {
    "sin": "sin", "cos": "cos", "tan": "tan", "log": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "erf": "erf", "erfc": "erfc", "gamma": "gamma", "lambertw": "lambertw",
}  # fmt: skip  # rows whose power series flint has
BOUNDED = frozenset({"sin", "cos"})


@dataclass(frozen=True)
class Model:
    """tᵛ (Σ cᵢtⁱ + R tⁿ) for 0 < t ≤ r."""

    v: Fraction
    c: tuple[arb, ...]
    rest: arb


@dataclass(frozen=True)
class Bound:
    """What is known of a value on (0, r]: a model (None: none), and lo ≤ value ≤ hi (±inf: no bound)."""

    model: Model | None
    lo: arb
    hi: arb


@dataclass(frozen=True)
class Scope:
    """The neighborhood: its radius, the order of expansion, and an identity test for values at the point."""

    r: arb
    order: int
    vanishes: Callable[[Expr, int], bool]

    @property
    def T(self) -> arb:
        from flint import arb

        return arb(self.r / 2, self.r / 2)

    def power(self, v: Fraction | int) -> arb:
        """rᵛ."""
        from flint import arb

        return self.r ** (arb(Fraction(v).numerator) / Fraction(v).denominator)


# ---------------------------------------------------------------- models


def _zero() -> arb:
    from flint import arb

    return arb(0)


def cofactor(s: Scope, m: Model) -> arb:
    """A ball of Σ cᵢtⁱ + R tⁿ over the neighborhood."""
    return _at(s, (*m.c, m.rest))


def shorten(s: Scope, m: Model, n: int) -> Model:
    """The model with n coefficients; the others go into the remainder."""
    if n >= len(m.c):
        return m
    return Model(m.v, m.c[:n], cofactor(s, Model(m.v, m.c[n:], m.rest)))


def aligned(s: Scope, m: Model, v: Fraction) -> Model:
    """The model with the lower power v in front."""
    gap = m.v - v
    whole = math.floor(gap)
    if gap == whole:
        return Model(v, ((_zero(),) * whole + m.c)[: s.order + whole], m.rest)
    head = s.power(gap - whole)
    return Model(v, (_zero(),) * whole, _hull(_zero(), head.upper()) * cofactor(s, m))


def plus(s: Scope, a: Model, b: Model) -> Model:
    low = min(a.v, b.v)
    a, b = aligned(s, a, low), aligned(s, b, low)
    n = min(len(a.c), len(b.c))
    a, b = shorten(s, a, n), shorten(s, b, n)
    return Model(low, tuple(x + y for x, y in zip(a.c, b.c)), a.rest + b.rest)


def times(s: Scope, a: Model, b: Model) -> Model:
    n = min(len(a.c), len(b.c), s.order)
    a, b = shorten(s, a, n), shorten(s, b, n)
    sums = [_zero()] * (2 * n)
    for i, x in enumerate(a.c):
        if not x.is_zero():
            for j, y in enumerate(b.c):
                sums[i + j] += x * y
    pa, pb = _at(s, a.c), _at(s, b.c)
    rest = a.rest * pb + b.rest * pa + a.rest * b.rest * (s.T**n if n else 1) + _at(s, sums[n:])
    return Model(a.v + b.v, tuple(sums[:n]), rest)


def _at(s: Scope, c: Sequence[arb]) -> arb:
    """Σ cᵢ tⁱ over the neighborhood, power by power, which keeps the sign of each."""
    total, edge = _zero(), _zero() + 1
    for k, x in enumerate(c):
        total += x * _hull(_zero(), edge) if k else x
        edge *= s.r
    return total


def constant(s: Scope, value: arb) -> Model:
    return Model(Fraction(0), (value, *[_zero()] * (s.order - 1)), _zero())


def stripped(s: Scope, m: Model, node: Expr | None = None) -> Model:
    """The model without leading coefficients that are 0: exactly, or by an identity at the point."""
    while m.c and (m.c[0].is_zero() or (node is not None and m.c[0].contains(0) and _vanishes(s, node, m.v))):
        m = Model(m.v + 1, m.c[1:], m.rest)
    return m


def _vanishes(s: Scope, node: Expr, v: Fraction) -> bool:
    """Is the coefficient of tᵛ, the v-th derivative but for a factor, 0 by an identity?"""
    return v >= 0 and v.denominator == 1 and s.vanishes(node, int(v))


def span_of(s: Scope, m: Model) -> tuple[arb, arb]:
    """The bounds that a model gives."""
    from flint import arb

    c = cofactor(s, m)
    if not c.is_finite():
        return arb.neg_inf(), arb.pos_inf()
    if m.v == 0:
        return c.lower(), c.upper()
    edge = s.power(m.v)
    if m.v > 0:
        b = _hull(_zero(), edge.upper()) * c
        return (_zero() if c >= 0 else b.lower()), (_zero() if c <= 0 else b.upper())
    low = (edge.lower() * c.lower()).lower() if c >= 0 else arb.neg_inf()
    return low, ((edge.lower() * c.upper()).upper() if c <= 0 else arb.pos_inf())


def _hull(a: arb, b: arb) -> arb:
    return a.union(b)


# ---------------------------------------------------------------- bounds


def known(s: Scope, m: Model | None, lo: arb | None = None, hi: arb | None = None) -> Bound:
    """The bound from a model and a span, the better of both."""
    from flint import arb

    m = None if m is None else stripped(s, m)
    low, high = arb.neg_inf(), arb.pos_inf()
    if lo is not None and not lo.is_nan():
        low = lo
    if hi is not None and not hi.is_nan():
        high = hi
    if m is not None and cofactor(s, m).is_finite():
        a, b = span_of(s, m)
        return Bound(m, a if a > low else low, b if b < high else high)
    return Bound(_constant_model(low, high), low, high)


def _constant_model(lo: arb, hi: arb) -> Model | None:
    return Model(Fraction(0), (), _hull(lo, hi)) if lo.is_finite() and hi.is_finite() else None


def _ball(b: Bound) -> arb | None:
    return _hull(b.lo, b.hi) if b.lo.is_finite() and b.hi.is_finite() else None


def sign_of(s: Scope, b: Bound, node: Expr | None = None) -> int | None:
    """The sign that the value has on all of (0, r]; None where it is not known."""
    if b.lo > 0 or b.hi < 0:
        return 1 if b.lo > 0 else -1
    if b.model is None:
        return None
    m = stripped(s, b.model, node)
    if m.rest.is_zero() and all(c.is_zero() for c in m.c):
        return 0
    c = cofactor(s, m)
    return 1 if c > 0 else (-1 if c < 0 else None)


def total(s: Scope, a: Bound, b: Bound) -> Bound:
    m = plus(s, a.model, b.model) if a.model and b.model else None
    return known(s, m, (a.lo + b.lo).lower(), (a.hi + b.hi).upper())


def negative(s: Scope, a: Bound) -> Bound:
    m = a.model
    return Bound(None if m is None else Model(m.v, tuple(-c for c in m.c), -m.rest), -a.hi, -a.lo)


def product(s: Scope, a: Bound, b: Bound) -> Bound:
    if (a.lo == 0 and a.hi == 0) or (b.lo == 0 and b.hi == 0):
        return known(s, constant(s, _zero()))
    m = times(s, a.model, b.model) if a.model and b.model else None
    if a.hi <= 0 or b.hi <= 0:
        flip = negative(s, product(s, negative(s, a), b) if a.hi <= 0 else product(s, a, negative(s, b)))
        return known(s, m, flip.lo, flip.hi)
    if a.lo >= 0 and b.lo >= 0:
        return known(s, m, (a.lo * b.lo).lower(), (a.hi * b.hi).upper())
    corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    if not all(c.is_finite() for c in corners):
        return known(s, m)
    return known(s, m, min(c.lower() for c in corners), max(c.upper() for c in corners))


def inverse(s: Scope, a: Bound, node: Expr) -> Bound | None:
    """1/a where a has one sign on (0, r]; there a is not 0."""
    sign = sign_of(s, a, node)
    if not sign:
        return None
    if sign < 0:
        turned = inverse(s, negative(s, a), TABLE["neg"](node))
        return None if turned is None else negative(s, turned)
    m = None
    if a.model is not None:
        lead = stripped(s, a.model, node)
        unit = Model(Fraction(0), lead.c, lead.rest)
        opened = composed(s, Fraction(-1), unit) if cofactor(s, unit) > 0 else None
        m = None if opened is None else Model(-lead.v, opened.c, opened.rest)
    return known(s, m, (1 / a.hi).lower(), (1 / a.lo).upper() if a.lo > 0 else None)


# ---------------------------------------------------------------- smooth functions of models


_derivatives: dict[str, tuple[Expr, list[Expr]]] = {}  # rows, by name, with their derivatives found so far


def _taylor(key: Any, at: arb, n: int) -> list[arb]:
    """The first n + 1 Taylor coefficients of a function at a ball: a row by its name, or a rational power."""
    if isinstance(key, Fraction):
        return _binomial(key, at, n)
    if key in SERIES:
        return _series(SERIES[key], at, n)
    if key not in _derivatives:
        z = symbol("z")
        _derivatives[key] = z, [TABLE[key](z)]
    z, found = _derivatives[key]
    while len(found) <= n:
        found.append(tangent([found[-1]], {z: const(1)})[0])
    values = enclose(found[: n + 1], {z: at}, precision=BITS)
    return [v / math.factorial(k) for k, v in enumerate(values)]


def _binomial(p: Fraction, at: arb, n: int) -> list[arb]:
    """(c + h)ᵖ = Σ C(p, k) cᵖ⁻ᵏ hᵏ."""
    found, power = [], at ** _number(p) if p != -1 else 1 / at
    for k in range(n + 1):
        found.append(power)
        power = power * _number((p - k) / (k + 1)) / at
    return found


def _series(method: str, at: arb, n: int) -> list[arb]:
    import flint

    before, flint.ctx.cap = flint.ctx.cap, n + 1
    try:
        found = getattr(flint.arb_series([at, 1]), method)().coeffs()
    finally:
        flint.ctx.cap = before
    return [*found, *[_zero()] * (n + 1 - len(found))]


def composed(s: Scope, key: Any, u: Model) -> Model | None:
    """φ(u) for a model with v = 0: Σ φ⁽ᵏ⁾(c₀)/k! (u - c₀)ᵏ, and Lagrange's remainder over the range of u."""
    n, whole = len(u.c), cofactor(s, u)
    if not whole.is_finite():
        return None
    last = _taylor(key, whole, n)[n]
    if not last.is_finite():
        return composed(s, key, shorten(s, u, n - 1)) if n else None
    if n == 0:
        return Model(Fraction(0), (), last)
    at = _taylor(key, u.c[0], n - 1)
    step = Model(Fraction(0), (_zero(), *u.c[1:]), u.rest)
    slope = cofactor(s, Model(Fraction(0), u.c[1:], u.rest)) if n > 1 else u.rest
    sums = Model(Fraction(0), (at[n - 1], *[_zero()] * (n - 1)), _zero())
    for d in reversed(at[: n - 1]):
        sums = times(s, sums, step)
        sums = Model(sums.v, (sums.c[0] + d, *sums.c[1:]), sums.rest)
    return Model(Fraction(0), sums.c, sums.rest + last * slope**n)


def _regular(s: Scope, m: Model | None) -> Model | None:
    """The model with v = 0 in front, where the value stays bounded."""
    return None if m is None or m.v < 0 else aligned(s, m, Fraction(0))


@functools.cache
def _is_analytic(name: str) -> bool:
    """Is the row analytic wherever its derivatives have finite balls: without kinks and jumps?"""
    row = TABLE[name]
    manners = {manner for _, _, manner in row.breaks(symbol("z"))} if row.breaks else set()
    return not manners & {"kink", "jump"} and any(row.partials)


def smooth(s: Scope, name: str, u: Bound) -> Bound | None:
    """A row of one operand: as a Taylor model where it is analytic, by its ball, by monotonicity."""
    enclosure = TABLE[name].enclosure
    if enclosure is None:
        return None
    regular, whole = _regular(s, u.model), _ball(u)
    m = composed(s, name, regular) if regular is not None and _is_analytic(name) else None
    lo = hi = None
    if whole is not None:
        y = enclosure(whole)
        lo, hi = (y.lower(), y.upper()) if y.is_finite() else (None, None)
    if name in RISING:
        lo, hi = enclosure(u.lo).lower(), enclosure(u.hi).upper()  # these rows have a value everywhere
    if name in BOUNDED and lo is None:
        lo, hi = _zero() - 1, _zero() + 1
    if m is None and (lo is None or lo.is_nan()) and (hi is None or hi.is_nan()):
        return None
    return known(s, m, lo, hi)


# ---------------------------------------------------------------- rows with a rule of their own

Rule = Callable[[Scope, Expr, Sequence[Bound]], Bound | None]


def _exp(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    [u] = xs
    found = smooth(s, "exp", u)
    if found is None or u.model is None or u.model.v >= 0:
        return found
    lead = stripped(s, u.model)
    top = cofactor(s, lead).upper()
    size = -top * s.power(lead.v).lower()  # b/rᵖ
    if not (top < 0 and size * -_number(lead.v) > FLAT):  # t⁻¹⁶ exp(-b/tᵖ) rises up to t = r
        return found
    peak = (-size).exp() / s.power(FLAT)
    return known(s, Model(Fraction(FLAT), (), _hull(_zero(), peak.upper())), found.lo, found.hi)


def _number(v: Fraction) -> arb:
    from flint import arb

    return arb(v.numerator) / v.denominator


def _log(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    """log(tᵛ c) = v log t + log c."""
    from flint import arb

    [u] = xs
    if sign_of(s, u, node.args[0]) != 1:
        return None
    spread = (u.lo.log().lower() if u.lo > 0 else arb.neg_inf(), u.hi.log().upper())
    if u.model is None:
        return known(s, None, *spread)
    lead = stripped(s, u.model, node.args[0])
    rest = composed(s, "log", Model(Fraction(0), lead.c, lead.rest))
    if rest is None:
        return known(s, None, *spread)
    if lead.v == 0:
        return known(s, rest, *spread)
    return known(s, plus(s, times(s, constant(s, _number(lead.v)), _log_t(s)), rest), *spread)


def _log_over(base: int | None) -> Rule:
    """log₂, log₁₀, and log(1 + u) (no base)."""

    def rule(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
        if base is None:
            shifted = TABLE["add"](const(1), node.args[0])
            return _log(s, TABLE["log"](shifted), [total(s, _exact(s, 1), xs[0])])
        found = _log(s, TABLE["log"](node.args[0]), xs)
        return None if found is None else product(s, found, known(s, constant(s, 1 / (_zero() + base).log())))

    return rule


def _log_t(s: Scope) -> Model:
    """log t = t^-s (tˢ log t); tˢ log t falls from 0 to -1/(s e) at t = exp(-1/s), and rises from there."""
    from flint import arb

    power = _number(SMALL)
    edge = s.power(SMALL) * s.r.log()
    if s.r.log() * power <= -1:
        return Model(-SMALL, (), _hull(_zero(), edge.lower()))
    return Model(-SMALL, (), _hull((-1 / (power * arb.const_e())).lower(), edge.upper().max(_zero())))


def _to_power(s: Scope, u: Bound, p: Fraction, node: Expr) -> Bound | None:
    """uᵖ for a rational p: tᵛᵖ cᵖ."""
    if p.denominator == 1 and 0 <= p <= 64:
        return _repeated(s, u, int(p))
    sign = sign_of(s, u, node)
    if p.denominator == 1 and p < 0:
        below = _to_power(s, u, -p, node)
        return None if below is None else inverse(s, below, TABLE["pow"](node, int(-p)))
    if sign == 0 and p > 0:
        return known(s, constant(s, _zero()))
    if sign != 1:
        return _edge(s, u, p)
    lo = _real_power(u.lo, p, 0) if p > 0 else _real_power(u.hi, p, 0)
    hi = _real_power(u.hi, p, 1) if p > 0 else (_real_power(u.lo, p, 1) if u.lo > 0 else None)
    return known(s, _power_model(s, u, p, node), lo, hi)


def _edge(s: Scope, u: Bound, p: Fraction) -> Bound | None:
    """A root of what is never negative but may be 0."""
    return known(s, None, _zero(), _real_power(u.hi, p, 1)) if u.lo >= 0 and p > 0 else None


def _power_model(s: Scope, u: Bound, p: Fraction, node: Expr) -> Model | None:
    if u.model is None:
        return None
    lead = stripped(s, u.model, node)
    opened = composed(s, p, Model(Fraction(0), lead.c, lead.rest)) if cofactor(s, lead) > 0 else None
    return None if opened is None else Model(lead.v * p, opened.c, opened.rest)


def _real_power(a: arb, p: Fraction, up: int) -> arb | None:
    """The end of a span to a power."""
    if a == 0 or not a.is_finite():
        return _zero() if (a == 0) == (p > 0) else (a if up else None)
    y = a ** _number(p)
    return y.upper() if up else y.lower()


def _repeated(s: Scope, u: Bound, n: int) -> Bound:
    found, square = known(s, constant(s, _zero() + 1)), u
    while n:
        found = product(s, found, square) if n & 1 else found
        square, n = product(s, square, square) if n > 1 else square, n >> 1
    return found


def _pow(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    """aᵇ: a rational power, or exp(b log a)."""
    p = _rational(node.args[1])
    if p is not None:
        return _to_power(s, xs[0], p, node.args[0])
    log = TABLE["log"](node.args[0])
    exponent = _log(s, log, xs[:1]) if log.args else None
    if exponent is None:
        return None
    inner = product(s, xs[1], exponent)
    return _exp(s, node, [inner])


def _rational(node: Expr) -> Fraction | None:
    if node.op is CONST and node.shape == () and isinstance(node.value, (int, float)) and math.isfinite(node.value):
        return Fraction(node.value)
    if node.op is TABLE["div"] and all(a.op is CONST and type(a.value) is int for a in node.args):
        return Fraction(node.args[0].value, node.args[1].value) if node.args[1].value else None
    return None


def _div(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    below = inverse(s, xs[1], node.args[1])
    if below is None:
        return None
    above = xs[0]
    if above.model is not None:
        above = Bound(stripped(s, above.model, node.args[0]), above.lo, above.hi)
    return product(s, above, below)


def _abs(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    [u] = xs
    sign = sign_of(s, u, node.args[0])
    if sign is not None:
        return u if sign >= 0 else negative(s, u)
    top = u.hi if u.hi > -u.lo else -u.lo
    return known(s, _size_model(s, u.model), _zero(), top)


def _size_model(s: Scope, m: Model | None) -> Model | None:
    if m is None:
        return None
    c = cofactor(s, m)
    return Model(m.v, (), _hull(_zero(), abs(c).upper()))


def _exact(s: Scope, value: int) -> Bound:
    return known(s, constant(s, _zero() + value))


def _unsure(s: Scope, lo: int, hi: int) -> Bound:
    return known(s, None, _zero() + lo, _zero() + hi)


def _sign(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    sign = sign_of(s, xs[0], node.args[0])
    return _unsure(s, -1, 1) if sign is None else _exact(s, sign)


def _step(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    sign = sign_of(s, xs[0], node.args[0])
    return _unsure(s, 0, 1) if sign is None else _exact(s, int(sign >= 0))


def _compared(holds: Callable[[int], bool]) -> Rule:
    def rule(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
        difference = TABLE["sub"](*node.args)
        sign = sign_of(s, total(s, xs[0], negative(s, xs[1])), difference)
        return _unsure(s, 0, 1) if sign is None else _exact(s, int(holds(sign)))

    return rule


def _extreme(sense: int) -> Rule:
    def rule(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
        sign = sign_of(s, total(s, xs[0], negative(s, xs[1])), TABLE["sub"](*node.args))
        if sign is not None:
            return xs[0] if sign * sense >= 0 else xs[1]
        a, b = xs
        if sense > 0:
            return known(s, None, a.lo if a.lo > b.lo else b.lo, a.hi if a.hi > b.hi else b.hi)
        return known(s, None, a.lo if a.lo < b.lo else b.lo, a.hi if a.hi < b.hi else b.hi)

    return rule


def _relu(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    return _extreme(1)(s, TABLE["maximum"](node.args[0], const(0)), [xs[0], _exact(s, 0)])


def _floor(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    """Constant where u stays between two whole numbers; u may come up to one without reaching it."""
    [u] = xs
    if not (u.lo.is_finite() and u.hi.is_finite()):
        return total(s, u, _unsure(s, -1, 0))
    low, high = u.lo.floor(), u.hi.floor()
    if high == low + 1:
        whole = known(s, constant(s, high))
        sign = sign_of(s, total(s, u, negative(s, whole)), TABLE["sub"](node.args[0], _whole(high)))
        low, high = (low, low) if sign == -1 else ((high, high) if sign in (0, 1) else (low, high))
    return known(s, constant(s, low)) if low == high else total(s, u, _unsure(s, -1, 0))


def _whole(v: arb) -> Expr:
    found = v.unique_fmpz()
    return const(0 if found is None else int(found))


def _ceil(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    found = _floor(s, TABLE["floor"](TABLE["neg"](node.args[0])), [negative(s, xs[0])])
    return None if found is None else negative(s, found)


def _cbrt(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    third, sign = Fraction(1, 3), sign_of(s, xs[0], node.args[0])
    if sign is None:
        return smooth(s, "cbrt", xs[0])
    if sign >= 0:
        return _to_power(s, xs[0], third, node.args[0])
    turned = _to_power(s, negative(s, xs[0]), third, TABLE["neg"](node.args[0]))
    return None if turned is None else negative(s, turned)


def _tan(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    sine, cosine = smooth(s, "sin", xs[0]), smooth(s, "cos", xs[0])
    if sine is None or cosine is None:
        return None
    parts = TABLE["sin"](*node.args), TABLE["cos"](*node.args)
    return _div(s, TABLE["div"](*parts), [sine, cosine])


def _gamma(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    """Γ(u) = Γ(u + 1)/u, again and again, until u is positive."""
    u, one, inner = xs[0], _exact(s, 1), node.args[0]
    below = one
    for _ in range(16):
        if u.lo > 0.5:
            break
        part = inverse(s, u, inner)
        if part is None:
            return None
        below, u, inner = product(s, below, part), total(s, u, one), TABLE["add"](inner, const(1))
    found = smooth(s, "gamma", u)
    return None if found is None else product(s, found, below)


RULES: Mapping[str, Rule] = {
    "add": lambda s, node, xs: total(s, *xs),
    "sub": lambda s, node, xs: total(s, xs[0], negative(s, xs[1])),
    "neg": lambda s, node, xs: negative(s, xs[0]),
    "mul": lambda s, node, xs: product(s, *xs),
    "div": _div,
    "reciprocal": lambda s, node, xs: inverse(s, xs[0], node.args[0]),
    "pow": _pow,
    "square": lambda s, node, xs: _repeated(s, xs[0], 2),
    "sqrt": lambda s, node, xs: _to_power(s, xs[0], Fraction(1, 2), node.args[0]),
    "cbrt": _cbrt,
    "exp": _exp,
    "log": _log,
    "log2": _log_over(2),
    "log10": _log_over(10),
    "log1p": _log_over(None),
    "tan": _tan,
    "gamma": _gamma,
    "abs": _abs,
    "sign": _sign,
    "step": _step,
    "relu": _relu,
    "floor": _floor,
    "ceil": _ceil,
    "maximum": _extreme(1),
    "minimum": _extreme(-1),
    "at_least": _extreme(1),
    "at_most": _extreme(-1),
    "gt": _compared(lambda sign: sign > 0),
    "ge": _compared(lambda sign: sign >= 0),
    "lt": _compared(lambda sign: sign < 0),
    "le": _compared(lambda sign: sign <= 0),
    "eq": _compared(lambda sign: sign == 0),
    "ne": _compared(lambda sign: sign != 0),
}


# ---------------------------------------------------------------- the walk


def near(f: Expr, x: Expr, point: Any, side: int, radius: arb, *, order: int = 8, root: int = 1) -> Bound | None:
    """Bounds of f that hold for all distances 0 < t ≤ radius from the point (at ±∞: t = 1/|x|); None: not proven.

    Expansions are in powers of the `root`-th root of t.

    >>> import tangently.primitives
    >>> from flint import arb
    >>> from tangently.expr import TABLE, const, symbol
    >>> x = symbol("x")
    >>> found = near(TABLE["sin"](x) / x, x, const(0), 1, arb(0.125))
    >>> found.lo.str(4, radius=False), found.hi.str(4, radius=False)
    ('0.9974', '1.000')
    """
    with precision(BITS):
        scope = Scope(radius.root(root) if root > 1 else radius, order, _identity(x, point, root))
        nodes = toposort(expand([f]))
        moving = depends(nodes, [x])
        done: dict[Expr, Bound | None] = {x: _path(scope, point, side, root)}
        for node in nodes:
            if node not in done:
                done[node] = _bound(scope, node, done, node in moving)
        return done[nodes[-1]] if nodes else None


def _path(s: Scope, point: Any, side: int, root: int) -> Bound:
    """x = a ± t, or ±1/t, where t is a power of the variable of the models."""
    one = _zero() + 1
    if not isinstance(point, Expr):
        sign = one if point > 0 else -one
        return known(s, Model(Fraction(-root), (sign, *[_zero()] * (s.order - 1)), _zero()))
    center = enclose([point], {}, precision=BITS)[0]
    tail = [_zero()] * s.order
    m = Model(Fraction(0), (center, *tail[: root - 1], one * side, *tail), _zero())
    return known(s, shorten(s, m, s.order + root))


def _bound(s: Scope, node: Expr, done: Mapping[Expr, Bound | None], moves: bool) -> Bound | None:
    if not moves:
        value = enclose([node], {}, precision=BITS)[0]
        return known(s, constant(s, value)) if value.is_finite() else None
    if node.op.name == "where":
        return _where(s, [done[a] for a in node.args])
    xs = [done[a] for a in node.args]
    bounds = [b for b in xs if b is not None]
    if len(bounds) < len(xs):
        return None
    try:
        rule = RULES.get(node.op.name)
        return rule(s, node, bounds) if rule is not None else _other(s, node, bounds)
    except (MissingEnclosure, UnsupportedError, ValueError, OverflowError):
        return None  # a row without derivative or enclosure: nothing is proven of it


def _where(s: Scope, xs: Sequence[Bound | None]) -> Bound | None:
    """The branch that holds on all of the neighborhood, else both."""
    condition, a, b = xs
    if condition is None:
        return None
    if condition.lo > 0 or condition.hi < 0:
        return a
    if condition.lo == 0 and condition.hi == 0:
        return b
    if a is None or b is None:
        return None
    return known(s, None, a.lo if a.lo < b.lo else b.lo, a.hi if a.hi > b.hi else b.hi)


def _other(s: Scope, node: Expr, xs: Sequence[Bound]) -> Bound | None:
    """Any other row: smooth in one operand, or by the enclosure of its table row."""
    if len(xs) == 1 and not node.params:
        return smooth(s, node.op.name, xs[0])
    balls = [_ball(x) for x in xs]
    if node.op.enclosure is None or any(b is None for b in balls):
        return None
    y = node.op.enclosure(*balls)
    return known(s, None, y.lower(), y.upper()) if y.is_finite() else None


@functools.lru_cache(maxsize=16)
def _identity(x: Expr, point: Any, root: int) -> Callable[[Expr, int], bool]:
    """Is the k-th derivative of a node 0 at the point, by an identity? Asked again at every radius, so kept."""

    @functools.lru_cache(maxsize=256)
    def vanishes(node: Expr, k: int) -> bool:
        if not isinstance(point, Expr) or k % root:
            return False
        try:
            for _ in range(k // root):
                node = tangent([node], {x: const(1)})[0]
            return _is_zero(substitute([node], {x: point})[0])
        except (TangentlyError, ArithmeticError, ValueError, KeyError):
            return False  # not decided: the coefficient stays

    return vanishes


def _is_zero(value: Expr) -> bool:
    from tangently.asymptotics import constants

    return bool(constants.is_zero(constants.from_expr(value)))


__all__ = ["Bound", "Model", "near"]
