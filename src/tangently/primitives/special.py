"""Special functions: erf and its complement, gamma and its logarithm, digamma, polygamma.

Arrays are computed by `scipy.special`, imported when one is first used; derivatives from the NIST Digital
Library of Mathematical Functions, 5.2, 5.15, 7.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangently.expr import Expr, is_number
from tangently.primitives.elementary import exp
from tangently.primitives.kinds import Rule, elementwise

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _not_a_pole(x: Any) -> Any:
    return (x > 0) | (x != np.floor(x))


_poles = {"domain": _not_a_pole, "domain_text": "a number that is not 0, -1, -2, …"}

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
    partials=[None, lambda y, n, x: polygamma(n + 1, x)],
    simplify=_order_zero,
    shown=("fn", ("sub", "ψ", 0), 1),
    rules=(Rule("polygamma function", r"\psi_n(u)' = \psi_{n+1}(u)\, u'"),),
    enclosure=_polygamma_ball,
    domain=lambda n, x: _not_a_pole(x),
    domain_text="a number that is not 0, -1, -2, …",
    calls=("polygamma",),
    samples=((1, 0.7), (2, 2.5)),
)
