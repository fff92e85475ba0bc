"""Exact real constants with a decided zero test: the coefficients of the limits engine.

A number is an `fmpq` where it is rational, else an `Exact`: a finite sum of rationals times products of atoms, in
normal form (`constants_core` tells how). Every function here takes and gives both kinds, and whatever is rational
comes back as an `fmpq`. A number is zero only by an identity and nonzero only by a ball that excludes 0: `sign` raises
`Undecided` where neither is at hand, which is an answer as well.

The parts: `constants_core` the form, its arithmetic, balls and signs; `constants_radicals` integers, roots, inverses;
`constants_angles` sines of rational multiples of π; `constants_functions` exp, log, sin, Γ and every row of the table;
`constants_deciding` the proofs of zero; `constants_ranges` oscillators; `constants_reading` and `constants_writing`
from and to expressions.

>>> from flint import fmpq
>>> sqrt(fmpq(2)) * sqrt(fmpq(6)), exp(log(fmpq(3)) + 2), is_zero(atan(fmpq(1)) - PI / 4)
(2√3, 3e², True)
"""

from __future__ import annotations

from tangently.asymptotics.constants_core import (
    Exact,
    Number,
    Undecided,
    add,
    as_number,
    ball,
    compare,
    div,
    inverse,
    is_zero,
    mul,
    neg,
    scale,
    sign,
    sub,
    to_float,
)
from tangently.asymptotics.constants_functions import (
    E_NUMBER,
    EULER_NUMBER,
    PI_NUMBER,
    acos,
    acosh,
    apply,
    asin,
    asinh,
    atan,
    atanh,
    cbrt,
    ceil,
    cos,
    cosh,
    digamma,
    erf,
    erfc,
    exp,
    floor,
    gamma,
    lambertw,
    log,
    loggamma,
    polygamma,
    power,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    zeta,
)
from tangently.asymptotics.constants_ranges import is_oscillating, oscillator, ranges, substitute
from tangently.asymptotics.constants_reading import from_expr, named, read_float, recognized, rounded
from tangently.asymptotics.constants_writing import show, to_expr

PI, E, EULER_GAMMA = PI_NUMBER, E_NUMBER, EULER_NUMBER

__all__ = [
    "EULER_GAMMA",
    "PI",
    "E",
    "Exact",
    "Number",
    "Undecided",
    "acos",
    "acosh",
    "add",
    "apply",
    "as_number",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ball",
    "cbrt",
    "ceil",
    "compare",
    "cos",
    "cosh",
    "digamma",
    "div",
    "erf",
    "erfc",
    "exp",
    "floor",
    "from_expr",
    "gamma",
    "inverse",
    "is_oscillating",
    "is_zero",
    "lambertw",
    "log",
    "loggamma",
    "mul",
    "named",
    "neg",
    "oscillator",
    "polygamma",
    "power",
    "ranges",
    "read_float",
    "recognized",
    "rounded",
    "scale",
    "show",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "sub",
    "substitute",
    "tan",
    "tanh",
    "to_expr",
    "to_float",
    "zeta",
]
