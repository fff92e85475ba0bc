"""Special functions: erf and its relatives, gamma and its relatives, integrals of elementary functions, W, ζ, Bessel's.

Arrays are computed by `scipy.special`, imported when one is first used; derivatives from the NIST Digital
Library of Mathematical Functions: 4.13 (W), 5.2, 5.12, 5.15 (gamma, beta, polygamma), 6.2 (integrals), 7.2, 7.17 (error
functions), 10.6, 10.29, 10.51 (Bessel functions), 25.2 (zeta). A function that is not elementary and that JavaScript
would need a library for has no JavaScript form: live pages leave it out and say so.

The order of a Bessel function or of a polygamma function is a constant: the derivative by it is no function that the
table has, and asking for it is an error.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from tangently.errors import UnsupportedError
from tangently.expr import CONST, TABLE, Expr, const, is_number
from tangently.primitives.elementary import between_turns, cos, exp, log, monotone, positive, power_ball
from tangently.primitives.kinds import Rule, elementwise

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_ROOT_PI_OVER_TWO = math.sqrt(math.pi) / 2
_BRANCH_POINT = -math.exp(-1)  # of Lambert's W; this float lies just below -1/e


def _by_order(name: str) -> Any:
    """In place of the derivative by an order, which would be a function of its own."""

    def partial(*_: Any) -> Any:
        raise UnsupportedError(
            f"the derivative of {name} by its order is not in the table; "
            "give the order as a number, or leave it out of wrt="
        )

    return partial


def _not_a_pole(x: Any) -> Any:
    return (x > 0) | (x != np.floor(x))


_poles = {
    "domain": _not_a_pole,
    "domain_text": "a number that is not 0, -1, -2, …",
    "breaks": lambda x: (("pole", x, "pole"),),
}


def _between_poles(x: Any) -> bool:
    return bool(x > 0 or not x.contains_integer())


def _lowest(x: Any) -> list[Any]:
    """The one x > 0 with ψ(x) = 0, where Γ and ln Γ, which are convex there, are lowest (DLMF 5.4.20)."""
    return [type(x)("1.46163214496836234126265954233 +/- 1e-29")]


def _loggamma_ball(x: Any) -> Any:
    """ln|Γ| is convex between poles (its second derivative is ψ₁ > 0): below its chord, above its tangents."""
    plain = lambda x: x.lgamma() if x > 0 else abs(x.gamma()).log()
    if x > 0:
        return between_turns(plain, _lowest)(x)
    if x.is_exact() or not _between_poles(x):
        return plain(x)
    slopes = x.lower().digamma(), x.upper().digamma()
    found = plain(x.lower()).union(plain(x.upper()))
    if slopes[0] > 0 or slopes[1] < 0:
        return found
    return found.union(plain(x.mid()) - abs(x.mid().digamma()) * x.rad())


def _gamma_ball(x: Any) -> Any:
    """Γ keeps its sign between poles, so that there it is ±|Γ|."""
    if x > 0:
        return between_turns(lambda x: x.gamma(), _lowest)(x)
    if x.is_exact() or not _between_poles(x):
        return x.gamma()
    log = _loggamma_ball(x)
    size = log.lower().exp().union(log.upper().exp())
    return size if x.mid().gamma() > 0 else -size


# JavaScript has no erf or gamma: these are the names of helpers that the JavaScript back end defines.
erf = elementwise(
    "erf",
    python="math.erf({0})",
    numpy="special.erf({0})",
    javascript="erf({0})",
    sympy="erf({0})",
    partials=[lambda y, x: _TWO_OVER_ROOT_PI * exp(-(x**2))],
    shown=("fn", "erf", 0),
    rules=(Rule("error function", r"(\operatorname{erf} u)' = \frac{2}{\sqrt\pi} e^{-u^2}\, u'"),),
    enclosure=monotone(lambda x: x.erf()),
    calls=("erf",),
)
erfc = elementwise(
    "erfc",
    python="math.erfc({0})",
    numpy="special.erfc({0})",
    javascript="erfc({0})",
    sympy="erfc({0})",
    partials=[lambda y, x: -_TWO_OVER_ROOT_PI * exp(-(x**2))],
    shown=("fn", "erfc", 0),
    rules=(Rule("complementary error function", r"(\operatorname{erfc} u)' = -\frac{2}{\sqrt\pi} e^{-u^2}\, u'"),),
    enclosure=monotone(lambda x: x.erfc()),
    calls=("erfc",),
)
gamma = elementwise(
    "gamma",
    python="math.gamma({0})",
    numpy="special.gamma({0})",
    javascript="gamma({0})",
    sympy="gamma({0})",
    partials=[lambda y, x: y * digamma(x)],
    shown=("fn", "Γ", 0),
    rules=(Rule("gamma function", r"\Gamma(u)' = \Gamma(u)\, \psi(u)\, u'"),),
    enclosure=_gamma_ball,
    calls=("gamma",),
    samples=((0.7,), (2.5,), (-1.3,)),
    **_poles,
)
loggamma = elementwise(
    "loggamma",
    python="math.lgamma({0})",
    numpy="special.gammaln({0})",
    javascript="loggamma({0})",
    sympy="loggamma({0})",
    partials=[lambda y, x: digamma(x)],
    shown=("fn", "ln", ("fn", "Γ", 0)),
    rules=(Rule("logarithm of gamma", r"(\ln\Gamma(u))' = \psi(u)\, u'"),),
    enclosure=_loggamma_ball,
    calls=("lgamma", "gammaln", "loggamma"),
    samples=((0.7,), (2.5,), (11.0,)),
    **_poles,
)


digamma = elementwise(
    "digamma",
    python="float(special.digamma({0}))",
    numpy="special.digamma({0})",
    javascript="digamma({0})",
    sympy="digamma({0})",
    partials=[lambda y, x: polygamma(1, x)],
    shown=("fn", "ψ", 0),
    rules=(Rule("digamma function", r"\psi(u)' = \psi_1(u)\, u'"),),
    enclosure=monotone(lambda x: x.digamma(), _between_poles),
    calls=("psi", "digamma"),
    samples=((0.7,), (2.5,), (11.0,)),
    **_poles,
)


def _order_zero(_p: Any, n: Expr, x: Expr) -> Expr | None:
    return digamma(x) if is_number(n, 0) else None


def _polygamma_ball(n: Any, x: Any) -> Any:
    """Monotone for x > 0, and for an even order, where its derivative is a sum of even powers, between all poles."""
    if not (n.is_exact() and n.is_integer() and 0 < n < 1000) or not x > -1000:
        return monotone(lambda x: x.digamma(), _between_poles)(x) if n == 0 else x.nan()
    pieces = _between_poles if (n / 2).is_integer() else lambda x: x > 0
    return monotone(functools.partial(_shifted_zeta, n), pieces)(x)


def _shifted_zeta(n: Any, x: Any) -> Any:
    """(-1)ⁿ⁺¹ n! ζ(n + 1, x); a negative x is first shifted to the right, ζ(s, x) = x⁻ˢ + ζ(s, x + 1)."""
    order = int(float(n))
    total, sign = type(x)(0), 1 if order % 2 else -1
    while not x > 0:
        total, x = total + x ** -(order + 1), x + 1
    return sign * type(x)(order).fac() * (total + (n + 1).zeta(x))


polygamma = elementwise(
    "polygamma",
    python="float(special.polygamma({0}, {1}))",
    numpy="special.polygamma({0}, {1})",
    javascript="polygamma({0}, {1})",
    sympy="polygamma({0}, {1})",
    partials=[_by_order("polygamma"), lambda y, n, x: polygamma(n + 1, x)],
    simplify=_order_zero,
    shown=("indexed", "ψ", "polygamma", 0, 1),
    rules=(Rule("polygamma function", r"\psi_n(u)' = \psi_{n+1}(u)\, u'"),),
    enclosure=_polygamma_ball,
    domain=lambda n, x: _not_a_pole(x),
    domain_text="a number that is not 0, -1, -2, …",
    breaks=lambda n, x: (("pole", x, "pole"),),
    calls=("polygamma",),
    samples=((1, 0.7), (2, 2.5)),
)


# ---------------------------------------------------------------- inverse error function, imaginary error function


def function(name: str, partial: Any, rule: str, latex: str, *, call: str, ball: Any, **fields: Any) -> Any:
    """A row for a function of one variable that `scipy.special` has."""
    fields.setdefault("shown", ("fn", name, 0))
    fields.setdefault("javascript", None)
    fields.setdefault("sympy", f"{name}({{0}})")
    return elementwise(
        name,
        python=fields.pop("python", f"float({call})"),
        numpy=fields.pop("numpy", call),
        partials=[partial],
        rules=(Rule(rule, latex),),
        enclosure=ball,
        **fields,
    )


erfi = function(
    "erfi",
    lambda y, x: _TWO_OVER_ROOT_PI * exp(x**2),
    "imaginary error function",
    r"(\operatorname{erfi} u)' = \frac{2}{\sqrt\pi} e^{u^2}\, u'",
    call="special.erfi({0})",
    ball=monotone(lambda x: x.erfi()),
    javascript="erfi({0})",
    calls=("erfi",),
)
erfinv = function(
    "erfinv",
    lambda y, x: _ROOT_PI_OVER_TWO * exp(y**2),
    "inverse error function",
    r"(\operatorname{erfinv} u)' = \frac{\sqrt\pi}{2} e^{\operatorname{erfinv}(u)^2}\, u'",
    call="special.erfinv({0})",
    ball=monotone(lambda x: x.erfinv()),
    javascript="erfinv({0})",
    domain=lambda x: np.abs(x) < 1,
    domain_text="a number between -1 and 1",
    breaks=lambda x: (("zero", 1 - x, "pole"), ("zero", 1 + x, "pole")),
    calls=("erfinv",),
)

# ---------------------------------------------------------------- integrals


def _farthest_turns(offset: float, x: Any) -> list[Any]:
    """The points (k + offset)·π that Si or Ci turn at, on each side of 0 the first few in x.

    The integrals between these points alternate in sign and get smaller, so that no later turn reaches as far.
    """
    pi, low = type(x).pi(), x.abs_lower()
    first = (low / pi - offset).floor().max(type(x)(0 if offset else 1))
    right = [(first + k + offset) * pi for k in range(3)]
    return [*right, *[-t for t in right]]


def _sine_quotient(node: Expr) -> Any:
    """j₀ is written as what it is, sin x / x."""
    return ("frac", ("fn", "sin", 1), 1) if is_number(node.args[0], 0) else ("indexed", "j", "spherical_jn", 0, 1)


def _spherical_ball(n: Any, x: Any) -> Any:
    """jₙ is at most 1 and its slope at most 1/2, by Poisson's integral of e^(ixt) Pₙ(t) over (-1, 1) (DLMF 10.54.2)."""
    if not _is_order(n, 0):
        return x.nan()
    half, near = type(x)(0.5), x.abs_lower()
    reach = _least(type(x)(1), _amplitude(n + half, near) * (type(x).pi() / (2 * near)).sqrt())
    return _bounded(functools.partial(_spherical_series, n), x, reach, half)


def _spherical_series(n: Any, x: Any) -> Any:
    """xⁿ/(2n + 1)!! ₀F₁(n + 3/2, -x²/4): an entire function, so that a ball that holds 0 is as good as any other."""
    order = int(float(n))
    odd = type(x)(math.prod(range(2 * order + 1, 1, -2)))
    return power_ball(x, n) / odd * (-power_ball(x, type(x)(2)) / 4).hypgeom_0f1(n + type(x)(1.5))


def _amplitude(n: Any, x: Any) -> Any:
    """√(J² + Y²) at x > 0: it falls as x grows (Nicholson's integral, DLMF 10.9.30), so it bounds J and Y from x on."""
    j, y = x.bessel_j(n), x.bessel_y(n)
    return (j * j + y * y).sqrt()


def _least(*bounds: Any) -> Any:
    """The least of the upper bounds that are finite."""
    return functools.reduce(lambda a, b: a.min(b), [b.upper() for b in bounds if b.is_finite()], type(bounds[0])("inf"))


def _bounded(f: Any, x: Any, reach: Any, slope: Any) -> Any:
    """f on a ball where |f| ≤ reach and |f′| ≤ slope: what it gives itself, within both bounds."""
    if x.is_exact():
        return f(x)
    unit, found = type(x)(0, 1), f(x)
    for bound in (unit * reach, f(x.mid()) + unit * (slope * x.rad())):
        if bound.is_finite():
            found = found.intersection(bound) if found.is_finite() else bound
    return found


def _is_order(n: Any, least: int) -> bool:
    """Is this ball a whole number that can be the order of a function?"""
    return bool(n.is_exact() and n.is_integer() and least <= n < 1000)


def _in_precision_of_last(f: Any) -> Any:
    """SciPy computes this function in double precision only: the result takes the precision of the operand again."""
    return lambda *xs: np.asarray(f(*xs)).astype(np.asarray(1.0 * xs[-1]).dtype)


def _spherical_jn(n: Any, x: Any) -> Any:
    import scipy.special

    return scipy.special.spherical_jn(n, x)


spherical_jn = elementwise(
    "spherical_jn",
    python="float(special.spherical_jn({0}, {1}))",
    numpy="special.spherical_jn({0}, {1})",
    array=_in_precision_of_last(_spherical_jn),
    javascript=None,
    sympy="jn({0}, Abs({1})) * sign({1}) ** ({0})",  # SymPy's value has the wrong sign left of 0
    partials=[
        _by_order("spherical_jn"),
        lambda y, n, x: -spherical_jn(1, x) if is_number(n, 0) else _spherical_slope(n, x),
    ],
    shown=_sine_quotient,
    rules=(Rule("spherical Bessel function", r"j_n(u)' = \frac{n\, j_{n-1}(u) - (n + 1)\, j_{n+1}(u)}{2n + 1}\, u'"),),
    enclosure=_spherical_ball,
    calls=("spherical_jn",),
    samples=((0, 0.7), (0, -2.5), (1, 1.3), (2, 4.2)),
)


def _spherical_slope(n: Any, x: Any) -> Any:
    """The order below 0 has the factor 0: where n is not one number, it is kept from being asked for."""
    below = n - 1 if type(n) is int or (type(n) is Expr and _whole_order(n)) else TABLE["maximum"](n - 1, 0)
    return (n * spherical_jn(below, x) - (n + 1) * spherical_jn(n + 1, x)) / (2 * n + 1)


Ei = function(
    "Ei",
    lambda y, x: exp(x) / x,
    "exponential integral",
    r"\operatorname{Ei}(u)' = \frac{e^u}{u}\, u'",
    call="special.expi({0})",
    ball=monotone(lambda x: x.ei(), lambda x: x > 0 or x < 0),
    domain=lambda x: x != 0,
    domain_text="a number that is not 0",
    breaks=lambda x: (("zero", x, "pole"),),
    calls=("expi",),
)
li = function(
    "li",
    lambda y, x: 1 / log(x),
    "logarithmic integral",
    r"\operatorname{li}(u)' = \frac{u'}{\ln u}",
    call="special.expi(np.log({0}))",
    python="float(special.expi(math.log({0})))",
    ball=monotone(lambda x: x.li(), lambda x: x > 1 or x < 1),
    domain=lambda x: (x >= 0) & (x != 1),
    domain_text="a number that is not negative and not 1",
    breaks=lambda x: (("zero", x, "edge"), ("zero", x - 1, "pole")),
)
Si = function(
    "Si",
    lambda y, x: spherical_jn(0, x),
    "sine integral",
    r"\operatorname{Si}(u)' = \frac{\sin u}{u}\, u'",
    call="special.sici({0})[0]",
    ball=between_turns(lambda x: x.si(), functools.partial(_farthest_turns, 0)),
)
Ci = function(
    "Ci",
    lambda y, x: cos(x) / x,
    "cosine integral",
    r"\operatorname{Ci}(u)' = \frac{\cos u}{u}\, u'",
    call="special.sici({0})[1]",
    python="(float(special.sici({0})[1]) if {0} > 0 else math.nan)",
    numpy="np.where({0} > 0, special.sici({0})[1], np.nan)",
    ball=between_turns(lambda x: x.ci(), functools.partial(_farthest_turns, 0.5)),
    **positive,
)

# ---------------------------------------------------------------- Lambert's W


def _lambertw(x: Any) -> Any:
    import scipy.special

    return np.where(x > _BRANCH_POINT, scipy.special.lambertw(x).real, np.nan)


lambertw = function(
    "lambertw",
    lambda y, x: exp(-y) / (1 + y),
    "Lambert's W",
    r"W(u)' = \frac{e^{-W(u)}}{1 + W(u)}\, u'",
    call="special.lambertw({0}).real",
    python=f"(float(special.lambertw({{0}}).real) if {{0}} > {_BRANCH_POINT} else math.nan)",
    numpy=f"np.where({{0}} > {_BRANCH_POINT}, special.lambertw({{0}}).real, np.nan)",
    array=_in_precision_of_last(_lambertw),
    ball=monotone(lambda x: x.lambertw()),
    javascript="lambertw({0})",
    sympy="LambertW({0})",
    shown=("fn", "W", 0),
    domain=lambda x: x > _BRANCH_POINT,
    domain_text="a number above -1/e",
    breaks=lambda x: (("zero", x + exp(const(-1)), "edge"),),
    calls=("lambertw",),
)

# ---------------------------------------------------------------- zeta


def _zeta_falls(x: Any) -> bool:
    """ζ′ < 0 right of 1, and left of 1 by its Laurent series (DLMF 25.2.4): -1/(x - 1)² outweighs the rest."""
    return bool(x > 1 or (x >= -2 and x < 1))


def _zeta_ball(n: Any, x: Any) -> Any:
    """The nth derivative of ζ: right of 1 a sum of terms of one sign, which shrink as x grows."""
    if not _is_order(n, 0):
        return x.nan()
    return monotone(functools.partial(_zeta_coefficient, n), lambda x: x > 1)(x)


def _zeta_coefficient(n: Any, x: Any) -> Any:
    """n! times a coefficient of the Taylor series of ζ at x, which `arb` computes for a ball x."""
    from flint import arb_series, ctx

    order, before = int(float(n)), ctx.cap
    ctx.cap = max(before, order + 1)
    try:
        return arb_series([x, 1], order + 1).zeta()[order] * type(x)(order).fac()
    finally:
        ctx.cap = before


def _zeta_float(n: float, x: float) -> float:
    """SciPy has no derivative of ζ: the middle of a ball, computed with twice the digits of a float."""
    from flint import arb, ctx

    if n == 0 or x == 1 or not math.isfinite(x):
        return zeta(float(x)) if n == 0 else (math.nan if x != math.inf else 0.0)
    before, ctx.prec = ctx.prec, 128
    try:
        return float(_zeta_ball(arb(n), arb(x)).mid())
    finally:
        ctx.prec = before


zeta = function(
    "zeta",
    lambda y, x: zeta_derivative(1, x),
    "zeta function",
    r"\zeta(u)' = \zeta'(u)\, u'",
    call="special.zeta({0})",
    ball=monotone(lambda x: x.zeta(), _zeta_falls),
    javascript="zeta({0})",
    shown=("fn", "ζ", 0),
    domain=lambda x: x != 1,
    domain_text="a number that is not 1",
    breaks=lambda x: (("zero", x - 1, "pole"),),
    calls=("zeta", "_riemann_zeta"),
)
zeta_derivative = elementwise(
    "zeta_derivative",
    python=None,
    numpy=None,
    scalar=_zeta_float,
    array=_in_precision_of_last(np.vectorize(_zeta_float, otypes=[float])),
    javascript=None,
    partials=[_by_order("zeta_derivative"), lambda y, n, x: zeta_derivative(n + 1, x)],
    simplify=lambda p, n, x: zeta(x) if is_number(n, 0) else None,
    shown=("nth", "ζ", "zeta_derivative", 0, 1),
    rules=(Rule("derivative of the zeta function", r"\zeta^{(n)}(u)' = \zeta^{(n+1)}(u)\, u'"),),
    enclosure=_zeta_ball,
    domain=lambda n, x: x != 1,
    domain_text="a number that is not 1",
    breaks=lambda n, x: (("zero", x - 1, "pole"),),
    samples=((1, 2.5), (1, -0.7), (2, 0.4)),
)

# ---------------------------------------------------------------- beta


def _beta_ball(a: Any, b: Any) -> Any:
    """Of positive numbers: it falls with each, as the integral of tᵃ⁻¹(1 - t)ᵇ⁻¹ over (0, 1)."""
    return a.gamma() * b.gamma() * (a + b).rgamma() if a > 0 and b > 0 else a.nan()


beta = elementwise(
    "beta",
    python="(float(special.beta({0}, {1})) if {0} > 0 and {1} > 0 else math.nan)",
    numpy="np.where(({0} > 0) & ({1} > 0), special.beta({0}, {1}), np.nan)",
    javascript="beta({0}, {1})",
    sympy="beta({0}, {1})",
    partials=[
        lambda y, a, b: y * (digamma(a) - digamma(a + b)),
        lambda y, a, b: y * (digamma(b) - digamma(a + b)),
    ],
    shown=("fn", "B", 0, 1),
    rules=(Rule("beta function", r"\mathrm{B}(u, v)' = \mathrm{B}(u, v) \bigl((\psi(u) - \psi(u + v))\, u' + "
                r"(\psi(v) - \psi(u + v))\, v'\bigr)"),),
    enclosure=monotone(_beta_ball),
    domain=lambda a, b: (a > 0) & (b > 0),
    domain_text="two positive numbers",
    breaks=lambda a, b: (("zero", a, "pole"), ("zero", b, "pole")),
    calls=("beta",),
    samples=((0.7, 1.3), (2.5, 0.4), (3.2, 4.1)),
)  # fmt: skip

# ---------------------------------------------------------------- Bessel functions


def _whole_order(n: Expr) -> bool:
    return n.op is CONST and n.shape == () and n.value == math.floor(n.value)


_real_order = {
    "breaks": lambda n, x: (
        () if _whole_order(n) else (("zero", x, "edge" if n.op is CONST and n.value >= 0 else "pole"),)
    ),
    "domain": lambda n, x: (x > 0) | (n == np.floor(n)) | ((x == 0) & (n >= 0)),
    "domain_text": "a positive number (any number, where the order is whole)",
    "everywhere": lambda n, x: _whole_order(n),
}
_right_of_zero = {
    "breaks": lambda n, x: (("zero", x, "pole"),),
    "domain": lambda n, x: (x > 0) & (n == n),
    "domain_text": "a positive number",
}


def bessel(name: str, letter: str, slope: Any, rule: str, latex: str, mirror: int, **fields: Any) -> Any:
    """The row of a Bessel function of real order n; `mirror` is s in f₋ₙ = sⁿ fₙ for whole n (DLMF 10.4, 10.27)."""

    def _mirrored(_p: Any, n: Expr, x: Expr) -> Expr | None:
        if not _whole_order(n) or n.value >= 0:
            return None
        found = row(-n.value, x)
        return -found if mirror < 0 and n.value % 2 else found

    call = f"special.{letter.lower()}v({{0}}, {{1}})"
    row = elementwise(
        name,
        python=f"float({call})",
        numpy=call,
        sympy=f"{name}({{0}}, {{1}})",
        partials=[_by_order(name), slope],
        simplify=_mirrored,
        shown=("indexed", letter, name, 0, 1),
        rules=(Rule(rule, latex),),
        calls=(f"{letter.lower()}v",),
        samples=((0, 0.7), (1, 2.5), (2, 1.3), (3, 4.2)),
        **{"javascript": None, **fields},
    )
    return row


def _slope(n: Any, near: Any) -> Any:
    """A bound of J′ and Y′ from `near` on, as half a difference of two neighbors."""
    return (_amplitude(n - 1, near) + _amplitude(n + 1, near)) / 2


def _bessel_j_ball(n: Any, x: Any) -> Any:
    """|J| ≤ 1 from order 0 on, and |J′| ≤ 1 from order 1 on (DLMF 10.14.1, 10.6.1); for whole orders |J′| ≤ 2/π, by
    Bessel's integral of cos(x sin θ - nθ) (DLMF 10.9.2).
    """
    whole, found = n.is_integer(), x.bessel_j(n)
    if found.rad() <= x.rad() or x.is_exact() or not n.is_exact() or not (whole or x >= 0):
        return found  # bounds tell hardly more
    near, one, free = x.abs_lower(), type(x)(1), type(x)("inf")
    reach = _least(_amplitude(n, near), one if whole or n >= 0 else free)
    slope = _least(_slope(n, near), 2 / type(x).pi() if whole else one if n >= 1 else free)
    return _bounded(lambda x: x.bessel_j(n), x, reach, slope)


def _bessel_y_ball(n: Any, x: Any) -> Any:
    """Yₙ rises up to its first turn, which lies beyond n and beyond 2 (DLMF 10.21.3); from there it is bounded."""
    plain = lambda x: x.bessel_y(n)
    if x.is_exact() or not n.is_exact() or not x > 0:
        return plain(x)
    low, turn = x.lower(), n.max(type(x)(2)) if n >= 0 else type(x)(0)
    if x <= turn:
        return monotone(plain)(x)
    near = low.max(turn)
    found = _bounded(plain, near.union(x.upper()), _amplitude(n, near).upper(), _slope(n, near).upper())
    return found if low >= turn else found.union(plain(low)).union(plain(turn))


def _bessel_i_ball(n: Any, x: Any) -> Any:
    """A power series in x with coefficients above 0: it rises for x > 0, and is odd or even where n is whole."""
    plain = lambda x: x.bessel_i(n)
    if x.is_exact() or not (n.is_exact() and n >= 0 and (x > 0 or n.is_integer())):
        return plain(x)
    if x >= 0 or not (n / 2).is_integer():
        return monotone(plain)(x)
    return plain(x.abs_lower()).union(plain(x.abs_upper()))


def _bessel_k_ball(n: Any, x: Any) -> Any:
    """It falls for x > 0, as the integral of e^(-x cosh t) cosh nt (DLMF 10.32.9)."""
    return monotone(lambda x: x.bessel_k(n), lambda x: x > 0)(x)


besselj = bessel(
    "besselj", "J",
    lambda y, n, x: -besselj(1, x) if is_number(n, 0) else (besselj(n - 1, x) - besselj(n + 1, x)) / 2,
    "Bessel function", r"J_n(u)' = \tfrac12 \bigl(J_{n-1}(u) - J_{n+1}(u)\bigr)\, u'", -1,
    enclosure=_bessel_j_ball, **_real_order,
)  # fmt: skip
bessely = bessel(
    "bessely", "Y",
    lambda y, n, x: -bessely(1, x) if is_number(n, 0) else (bessely(n - 1, x) - bessely(n + 1, x)) / 2,
    "Bessel function of the second kind", r"Y_n(u)' = \tfrac12 \bigl(Y_{n-1}(u) - Y_{n+1}(u)\bigr)\, u'", -1,
    enclosure=_bessel_y_ball, **_right_of_zero,
)  # fmt: skip
besseli = bessel(
    "besseli", "I",
    lambda y, n, x: besseli(1, x) if is_number(n, 0) else (besseli(n - 1, x) + besseli(n + 1, x)) / 2,
    "modified Bessel function", r"I_n(u)' = \tfrac12 \bigl(I_{n-1}(u) + I_{n+1}(u)\bigr)\, u'", 1,
    enclosure=_bessel_i_ball, javascript="besseli({0}, {1})", **_real_order,
)  # fmt: skip
besselk = bessel(
    "besselk", "K",
    lambda y, n, x: -besselk(1, x) if is_number(n, 0) else -(besselk(n - 1, x) + besselk(n + 1, x)) / 2,
    "modified Bessel function of the second kind",
    r"K_n(u)' = -\tfrac12 \bigl(K_{n-1}(u) + K_{n+1}(u)\bigr)\, u'", 1,
    enclosure=_bessel_k_ball, **_right_of_zero,
)  # fmt: skip
