"""Reading exact constants: from an expression without inputs, and from a float, which stands for what a person meant.

A float in a formula is a rounded number: 0.1 stands for 1/10, 0.3333333333333333 for 1/3, 3.141592653589793 for π. So
a float is read as the simplest constant of a small family that it is the nearest double of (for irrational ones: or
next to the nearest, since `math` may be off by one unit in the last place). How sure is that? In one binade there are
2⁵² floats. A family with N members per binade, each of which claims k floats, holds a random float with probability
kN/2⁵². Here:

    decimals of at most 10 digits      less than 3·10⁹ members per binade, k = 1           7·10⁻⁷
    p/q with p·q ≤ 10⁹                 0.6·10⁹·ln 2/2 ≈ 2·10⁸ members, k = 1               5·10⁻⁸
    (p/q)·b for 20 bases b, p·q ≤ 10⁵  at most 20·2·10⁴ members, k = 3                     3·10⁻¹⁰
    √(p/q), ∛(p/q), p·q ≤ 10⁶          at most 10⁶ members, k = 3                          7·10⁻¹⁰
    e^(p/q), ln(p/q), p·q ≤ 10⁴        at most 10⁴ members, k = 3                          7·10⁻¹²
    sin, cos, tan of p/q and inverses  p·q ≤ 10³: at most 10⁴ members, k = 3               7·10⁻¹²

together below 10⁻⁶. A decimal of 11 to 15 digits is what somebody has written down as well (no shorter decimal gives
that float), and is read as such, with a note. Any other float is the binary fraction that it is; or, where it came out
of somebody's arithmetic, a rounded number (`rounded`), of which no more is known than half a unit in the last place.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from flint import arb, fmpq

from tangently.asymptotics import constants_functions as functions
from tangently.asymptotics.constants_core import ONE, ROW, Exact, Number, atom, div, inverse, mul, scale, term, to_float
from tangently.differentiation import expand
from tangently.enclosure import precision
from tangently.errors import InputError
from tangently.expr import CONST, INPUT, Expr, Primitive, const, toposort

DIGITS, LITERAL = 10, 15  # digits of a decimal that is read without a word; and of one that is read at all
HEIGHT, MULTIPLE, RADICAND, EXPONENT, ANGLE = 10**9, 10**5, 10**6, 10**4, 10**3  # bounds on p·q


def from_expr(node: Expr) -> Number:
    """The exact value of an expression without inputs; floats in it are read by `read_float`.

    >>> import tangently.primitives
    >>> from tangently.expr import const
    >>> from_expr((const(1) + const(5) ** 0.5) / 2)
    (1 + √5)/2
    """
    [whole] = expand([node])
    done: dict[Expr, Number] = {}
    for n in toposort([whole]):
        done[n] = _constant(n) if n.op is CONST else _applied(n, done)
    return done[whole]


def _applied(node: Expr, done: dict[Expr, Number]) -> Number:
    if node.op is INPUT:
        raise InputError(f"got an expression with the input {node.name!r}; wanted one without inputs: give it a value")
    if node.shape != ():
        raise InputError(f"{node.op.name} is an array of shape {node.shape}; wanted a number")
    return functions.apply(node.op, *[done[a] for a in node.args])


def _constant(node: Expr) -> Number:
    if node.shape != ():
        raise InputError(f"got an array of shape {node.shape}; wanted a number")
    value = node.value
    return read_float(value)[0] if isinstance(value, float) else fmpq(int(value))


@lru_cache(maxsize=1 << 10)
def read_float(v: float) -> tuple[Number, str | None]:
    """The constant that a float stands for, and a sentence where that was a guess.

    >>> read_float(0.1), read_float(0.3333333333333333)
    ((1/10, None), (1/3, '0.3333333333333333 is read as 1/3'))
    >>> read_float(1.5707963267948966)[0], read_float(0.1 + 0.2)[1]
    (π/2, '0.30000000000000004 is read as the binary fraction 1351079888211149/4503599627370496')
    """
    found = recognized(v)
    if found is not None:
        return found
    number = _signed(_of(Fraction(abs(v))), v)
    return number, f"{v!r} is read as the binary fraction {number!r}"


def recognized(v: float) -> tuple[Number, str | None] | None:
    """The constant that a float is likely to stand for, with a sentence where that was a guess; else None.

    >>> recognized(0.9189385332046727), recognized(0.1 + 0.2)
    (((ln 2 + ln π)/2, '0.9189385332046727 is read as (ln 2 + ln π)/2'), None)
    """
    if not math.isfinite(v):
        raise InputError(f"got {v}; wanted a finite number: a limit at infinity is asked for by its point")
    if v == 0:
        return fmpq(0), None
    found = abs(v)
    decimal = Fraction(repr(found))
    digits = len(str(decimal_digits(found)))
    if digits <= DIGITS:
        return _signed(_of(decimal), v), None
    for candidate in _candidates(found):
        if _stands_for(candidate, found):
            number = _signed(candidate, v)
            return number, f"{v!r} is read as {number!r}"
    if digits <= LITERAL:
        return _signed(_of(decimal), v), f"{v!r} is read as this decimal, exactly"
    return None


class Named(Primitive):
    """A constant with a name of its own and a ball: called, it is the expression by which it is written."""

    def __call__(self, *args: Any, params: tuple[Any, ...] = ()) -> Any:
        return self.shown


def named(shown: Expr, value: arb) -> Exact:
    """A constant of which a ball is known, written as `shown`. Each call makes a new one."""
    row = Named(
        name="named", kind="constant", arity=0, evaluate=lambda p: float(value), infer=lambda p: ((), "w"), shown=shown,
        enclosure=lambda: value,
    )  # fmt: skip
    found = term(ONE, (atom(ROW, (row, ())), ONE))
    assert isinstance(found, Exact)
    return found


@lru_cache(maxsize=1 << 10)
def rounded(v: float) -> Exact:
    """The number that a float was rounded from: anything within half a unit in its last place.

    >>> c = rounded(0.1 + 0.2)
    >>> c - c, float(to_float(c - fmpq(1, 4))) > 0
    (0, True)
    """
    with precision(128):
        return named(const(v), arb(v) + arb(0, math.ulp(v) / 2))


def decimal_digits(v: float) -> int:
    """The significant digits of the shortest decimal of v > 0, as an integer.

    >>> decimal_digits(0.00125), decimal_digits(1e22)
    (125, 1)
    """
    mantissa = repr(v).split("e")[0].replace(".", "").lstrip("0")
    return int(mantissa.rstrip("0") or "0")


def _of(q: Fraction) -> fmpq:
    return fmpq(q.numerator, q.denominator)


def _signed(c: Number, v: float) -> Number:
    return c if v > 0 else -c


def _stands_for(c: Number, v: float) -> bool:
    """Is v the double nearest to c, or next to it where c is irrational?"""
    near = to_float(c)
    return near == v if type(c) is fmpq else abs(near - v) <= math.ulp(v)


def _candidates(v: float) -> Iterator[Number]:
    """What v > 0 may stand for, the simplest first: at most one from each family."""
    q = nearby(v, HEIGHT)
    if q is not None:
        yield q
    if not 1e-9 < v < 1e9:
        return
    for base, number in _bases():
        q = nearby(v / base, MULTIPLE)
        if q is not None:
            yield scale(number(), q)
    for read in (_root, _exponential, _logarithm, _circular):
        yield from read(v)


def _root(v: float) -> Iterator[Number]:
    for index in (2, 3):
        q = nearby(v**index, RADICAND)
        if q is not None:
            yield functions.power(q, fmpq(1, index))


def _exponential(v: float) -> Iterator[Number]:
    q = nearby(math.log(v), EXPONENT)
    if q is not None:
        yield functions.exp(q)


def _logarithm(v: float) -> Iterator[Number]:
    q = nearby(math.exp(v), EXPONENT) if v < 20 else None
    if q is not None and q > 0:
        yield functions.log(q)


def _circular(v: float) -> Iterator[Number]:
    """sin, cos, tan of a small rational, and their inverses."""
    angles = [(functions.tan, (math.atan(v), math.atan(v) + math.pi))]
    if v <= 1:
        angles += [(functions.sin, (math.asin(v), math.pi - math.asin(v)))]
        angles += [(functions.cos, (math.acos(v), math.tau - math.acos(v)))]
    if v < 3:
        angles += [(functions.asin, (math.sin(v),)), (functions.acos, (math.cos(v),))]
    if v < math.pi / 2:
        angles += [(functions.atan, (math.tan(v),))]
    for function, places in angles:
        for place in places:
            q = nearby(place, ANGLE)
            if q is not None:
                yield function(q)


def nearby(v: float, height: int) -> fmpq | None:
    """The rational p/q with p·q ≤ height that agrees with v to about a unit in the last place: a convergent.

    >>> nearby(0.14285714285714285, 100), nearby(math.pi, 10**6)
    (1/7, None)
    """
    size = abs(v)
    x, p, q, p_before, q_before = size, 1, 0, 0, 1
    for _ in range(64):
        whole = math.floor(x)
        p, p_before = whole * p + p_before, p
        q, q_before = whole * q + q_before, q
        if p * q > height:
            return None
        if p and abs(p / q - size) <= 8 * math.ulp(size):
            return fmpq(p if v > 0 else -p, q)
        if x == whole:
            return None
        x = 1 / (x - whole)
    return None


@functools.cache
def _bases() -> list[tuple[float, Callable[[], Number]]]:
    """Numbers of which a small rational multiple may be meant."""
    pi, e, gamma = functions.PI_NUMBER, functions.E_NUMBER, functions.EULER_NUMBER
    two, root, root2pi, root5 = fmpq(2), functions.sqrt(pi), functions.sqrt(2 * pi), functions.sqrt(fmpq(5))
    ln_pi = functions.log(pi)
    ln2, ln10 = functions.log(two), functions.log(fmpq(10))
    numbers = [
        pi, e, inverse(pi), mul(pi, pi), root, inverse(root), root2pi, inverse(root2pi), gamma, inverse(e), ln2, ln10,
        inverse(ln2), inverse(ln10), div(ONE + root5, two), div(root5 - 1, two), ln_pi, ln2 + ln_pi,
        inverse(root2pi) * 2, root * functions.sqrt(fmpq(1, 2)),
    ]  # fmt: skip
    return [(to_float(number), lambda number=number: number) for number in numbers]


__all__ = ["from_expr", "named", "nearby", "read_float", "recognized", "rounded"]
