"""Special functions: erf and its relatives, gamma and its relatives, integrals of elementary functions, W, ζ, Bessel's.

Arrays are computed by `scipy.special`, imported when one is first used; derivatives from the NIST Digital
Library of Mathematical Functions: 4.13 (W), 5.2, 5.12, 5.15 (gamma, beta, polygamma), 6.2 (integrals), 7.2, 7.17 (error
functions), 10.6, 10.29, 10.51 (Bessel functions), 25.2 (zeta). A function that is not elementary and that JavaScript
would need a library for has no JavaScript form: live pages leave it out and say so.

The order of a Bessel function or of a polygamma function is a constant: the derivative by it is no function that the
table has, and asking for it is an error.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangently.errors import UnsupportedError
from tangently.expr import CONST, TABLE, Expr, const, is_number
from tangently.primitives.elementary import cos, exp, log, monotone, positive
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
    enclosure=lambda x: x.erf(),
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
    enclosure=lambda x: x.erfc(),
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
    enclosure=lambda x: x.gamma(),
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
    enclosure=lambda x: x.lgamma() if x > 0 else abs(x.gamma()).log(),
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
    enclosure=lambda x: x.digamma(),
    calls=("psi", "digamma"),
    samples=((0.7,), (2.5,), (11.0,)),
    **_poles,
)


def _order_zero(_p: Any, n: Expr, x: Expr) -> Expr | None:
    return digamma(x) if is_number(n, 0) else None


def _polygamma_ball(n: Any, x: Any) -> Any:
    """(-1)ⁿ⁺¹ n! ζ(n + 1, x); a negative x is first shifted to the right, ζ(s, x) = x⁻ˢ + ζ(s, x + 1)."""
    if not (n.is_exact() and n.is_integer() and 0 < n < 1000) or not x > -1000:
        return x.digamma() if n == 0 else x.nan()
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


def _sine_quotient(node: Expr) -> Any:
    """j₀ is written as what it is, sin x / x."""
    return ("frac", ("fn", "sin", 1), 1) if is_number(node.args[0], 0) else ("indexed", "j", "spherical_jn", 0, 1)


def _spherical_ball(n: Any, x: Any) -> Any:
    """xⁿ/(2n + 1)!! ₀F₁(n + 3/2, -x²/4): an entire function, so that a ball that holds 0 is as good as any other."""
    if not _is_order(n, 0):
        return x.nan()
    order = int(float(n))
    odd = type(x)(math.prod(range(2 * order + 1, 1, -2)))
    return x**order / odd * (-(x * x) / 4).hypgeom_0f1(n + type(x)(1.5))


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
    ball=lambda x: x.ei(),
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
    ball=lambda x: x.li(),
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
    ball=lambda x: x.si(),
)
Ci = function(
    "Ci",
    lambda y, x: cos(x) / x,
    "cosine integral",
    r"\operatorname{Ci}(u)' = \frac{\cos u}{u}\, u'",
    call="special.sici({0})[1]",
    python="(float(special.sici({0})[1]) if {0} > 0 else math.nan)",
    numpy="np.where({0} > 0, special.sici({0})[1], np.nan)",
    ball=lambda x: x.ci(),
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


def _zeta_ball(n: Any, x: Any) -> Any:
    """The nth derivative of ζ, n! times a coefficient of its Taylor series at x, which `arb` computes for a ball x."""
    from flint import arb_series, ctx

    if not _is_order(n, 0):
        return x.nan()
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
    ball=lambda x: x.zeta(),
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
    enclosure=_beta_ball,
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


besselj = bessel(
    "besselj", "J",
    lambda y, n, x: -besselj(1, x) if is_number(n, 0) else (besselj(n - 1, x) - besselj(n + 1, x)) / 2,
    "Bessel function", r"J_n(u)' = \tfrac12 \bigl(J_{n-1}(u) - J_{n+1}(u)\bigr)\, u'", -1,
    enclosure=lambda n, x: x.bessel_j(n), **_real_order,
)  # fmt: skip
bessely = bessel(
    "bessely", "Y",
    lambda y, n, x: -bessely(1, x) if is_number(n, 0) else (bessely(n - 1, x) - bessely(n + 1, x)) / 2,
    "Bessel function of the second kind", r"Y_n(u)' = \tfrac12 \bigl(Y_{n-1}(u) - Y_{n+1}(u)\bigr)\, u'", -1,
    enclosure=lambda n, x: x.bessel_y(n), **_right_of_zero,
)  # fmt: skip
besseli = bessel(
    "besseli", "I",
    lambda y, n, x: besseli(1, x) if is_number(n, 0) else (besseli(n - 1, x) + besseli(n + 1, x)) / 2,
    "modified Bessel function", r"I_n(u)' = \tfrac12 \bigl(I_{n-1}(u) + I_{n+1}(u)\bigr)\, u'", 1,
    enclosure=lambda n, x: x.bessel_i(n), javascript="besseli({0}, {1})", **_real_order,
)  # fmt: skip
besselk = bessel(
    "besselk", "K",
    lambda y, n, x: -besselk(1, x) if is_number(n, 0) else -(besselk(n - 1, x) + besselk(n + 1, x)) / 2,
    "modified Bessel function of the second kind",
    r"K_n(u)' = -\tfrac12 \bigl(K_{n-1}(u) + K_{n+1}(u)\bigr)\, u'", 1,
    enclosure=lambda n, x: x.bessel_k(n), **_right_of_zero,
)  # fmt: skip
