"""Balls against mpmath: every row on thin, wide and straddling balls, random expressions, and what is undecidable."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import tangently.primitives  # noqa: F401  (fills the table)
from tangently.differentiation import pullback
from tangently.enclosure import MissingEnclosure, ball, contains, digits, enclose, precision
from tangently.errors import InputError
from tangently.expr import TABLE, Expr, const, evaluate, symbol

ELEMENTWISE = sorted(name for name, row in TABLE.items() if row.kind == "elementwise")
half = mpf(1) / 2


def to_even(x: mpf) -> mpf:
    low = mpmath.floor(x)
    return low if x - low < half or (x - low == half and low % 2 == 0) else low + 1


def real_power(a: mpf, b: mpf) -> mpf:
    if (a < 0 and b != mpmath.floor(b)) or (a == 0 and b < 0):
        raise ValueError("no real power")
    return a**b


def inside(f: Callable[..., mpf], low: float, high: float) -> Callable[..., mpf]:
    """f where it is real; mpmath goes on into the complex plane."""

    def g(x: mpf) -> mpf:
        if not low <= x <= high:
            raise ValueError("outside the domain")
        return f(x)

    return g


def real_bessel(f: Callable[..., Any], *, right: bool = False) -> Callable[..., mpf]:
    """f(n, x) where it is real; functions of the second kind only right of 0."""

    def g(n: mpf, x: mpf) -> mpf:
        if (right and x <= 0) or (x < 0 and n != int(n)) or (x == 0 and n < 0 and n != int(n)):
            raise ValueError("outside the domain")
        return f(n, x).real

    return g


def spherical(n: mpf, x: mpf) -> mpf:
    if x == 0:
        return mpf(n == 0)
    return (mp.sign(x) ** int(n) if n else 1) * mp.sqrt(mp.pi / (2 * abs(x))) * mp.besselj(n + half, abs(x))


def real_beta(a: mpf, b: mpf) -> mpf:
    if a <= 0 or b <= 0:
        raise ValueError("outside the domain")
    return mp.beta(a, b)


def zeta_slope(n: mpf, x: mpf) -> mpf:
    if x == 1:
        raise ValueError("a pole")
    return mp.zeta(x, 1, int(n))


TRUTH: dict[str, Callable[..., Any]] = {
    "pi": lambda: +mp.pi, "euler_gamma": lambda: +mp.euler, "catalan": lambda: +mp.catalan, "erfi": mp.erfi,
    "erfinv": inside(mp.erfinv, -1, 1), "Ei": lambda x: mp.ei(x).real, "li": inside(mp.li, 0, math.inf), "Si": mp.si,
    "Ci": inside(mp.ci, 0, math.inf), "lambertw": inside(lambda x: mp.lambertw(x).real, -1 / math.e, math.inf),
    "zeta": mp.zeta, "zeta_derivative": zeta_slope, "beta": real_beta, "spherical_jn": spherical,
    "besselj": real_bessel(mp.besselj), "besseli": real_bessel(mp.besseli),
    "bessely": real_bessel(mp.bessely, right=True), "besselk": real_bessel(mp.besselk, right=True),
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda x: -x, "pow": real_power, "square": lambda x: x * x, "reciprocal": lambda x: 1 / x,
    "exp": mp.exp, "exp2": lambda x: mpf(2) ** x, "expm1": mp.expm1, "log": inside(mp.log, 0, math.inf),
    "log2": inside(lambda x: mp.log(x, 2), 0, math.inf), "log10": inside(mp.log10, 0, math.inf),
    "log1p": inside(mp.log1p, -1, math.inf), "sqrt": inside(mp.sqrt, 0, math.inf),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "sin": mp.sin, "cos": mp.cos, "tan": mp.tan,
    "arcsin": inside(mp.asin, -1, 1), "arccos": inside(mp.acos, -1, 1), "arctan": mp.atan, "sinh": mp.sinh,
    "cosh": mp.cosh, "tanh": mp.tanh, "arcsinh": mp.asinh, "arccosh": inside(mp.acosh, 1, math.inf),
    "arctanh": inside(mp.atanh, -1, 1), "arctan2": mp.atan2, "hypot": mp.hypot,
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "logical_and": lambda a, b: a != 0 and b != 0,
    "logical_or": lambda a, b: a != 0 or b != 0, "logical_not": lambda a: a == 0, "isnan": lambda x: False,
    "isfinite": lambda x: True, "isinf": lambda x: False, "where": lambda c, a, b: a if c else b,
    "maximum": max, "minimum": min, "at_least": max, "at_most": min,
    "abs": abs, "sign": mp.sign, "floor": mp.floor, "ceil": mp.ceil,
    "trunc": lambda x: mp.floor(x) if x > 0 else mp.ceil(x), "rint": to_even,
    "remainder": lambda a, b: a - b * mp.floor(a / b), "step": lambda x: x >= 0, "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, a: x if x > 0 else a * x, "elu": lambda x, a: x if x > 0 else a * mp.expm1(x),
    "clip": lambda x, lo, hi: min(max(x, lo), hi), "erf": mp.erf, "erfc": mp.erfc, "gamma": mp.gamma,
    "loggamma": lambda x: mp.log(abs(mp.gamma(x))), "digamma": mp.digamma,
    "polygamma": lambda n, x: (-1) ** (int(n) + 1) * mp.factorial(n) * mp.zeta(n + 1, x),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "softplus": lambda x: mp.log1p(mp.exp(x)),
    "silu": lambda x: x / (1 + mp.exp(-x)), "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
}  # fmt: skip


def truth(name: str, point: tuple[mpf, ...]) -> mpf | None:
    """The value at a point, or None where there is none."""
    try:
        value = mpf(TRUTH[name](*point))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if mpmath.isfinite(value) else None


def from_mpf(value: mpf) -> arb:
    """A high-precision number, with room for its last digits."""
    sign, mantissa, exponent, _ = value._mpf_
    exact = arb((-mantissa if sign else mantissa, exponent))
    return exact + abs(exact) * arb(0, 1e-40) + arb(0, 1e-300)


def holds(found: arb, value: mpf) -> bool:
    return not found.is_finite() or bool(found.overlaps(from_mpf(value)))


CENTERS = (-3.7, -2.5, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 3.5)
RADII = (0.0, 1e-9, 0.3, 1.5)


def balls_of(name: str) -> list[tuple[tuple[float, float], ...]]:
    """Operands as (center, radius)."""
    arity = TABLE[name].arity
    if not arity:
        return [()]
    one = list(itertools.product(CENTERS, RADII))
    if name in ("polygamma", "zeta_derivative", "spherical_jn"):
        return [((float(n), 0.0), b) for n in (1, 2, 3) for b in one]
    grid = list(itertools.product(*[one] * arity)) if arity < 3 else []
    rng = random.Random(name)
    return rng.sample(grid, min(len(grid), 250)) or [tuple(rng.choice(one) for _ in range(3)) for _ in range(250)]


def samples(operands: tuple[tuple[float, float], ...]) -> list[tuple[mpf, ...]]:
    """Points of the balls: centers, ends, kinks that lie inside, and some in between."""
    sides = []
    for center, radius in operands:
        picks = [center, center - radius, center + radius, center + radius * 0.37, 0.0, 0.5, math.floor(center)]
        sides.append(sorted({p for p in picks if abs(p - center) <= radius}))
    points = list(itertools.product(*sides))
    return [tuple(mpf(v) for v in p) for p in random.Random(1).sample(points, min(len(points), 12))]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_row_holds_its_values(name: str) -> None:
    row, wrong, proven = TABLE[name], [], 0
    assert row.enclosure is not None, f"{name} has no enclosure"
    with precision(128), mp.workdps(60):
        for operands in balls_of(name):
            found = row.enclosure(*[arb(c, r) if r else arb(c) for c, r in operands])
            proven += found.is_finite()
            for point in samples(operands):
                value = truth(name, point)
                if value is not None and not holds(found, value):
                    wrong.append((operands, point, found, value))
                if value is None and not any(r for _, r in operands) and found.is_finite() and name not in ("arctan2",):
                    wrong.append((operands, point, found, "has no value"))
    assert wrong == []
    assert proven > 4 or not TABLE[name].arity, f"{name}: only {proven} of the balls were finite"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_row_is_tight_on_exact_points(name: str) -> None:
    """The radius is rounding alone where the operands are exact and the value exists."""
    row = TABLE[name]
    assert row.enclosure is not None
    with precision(128), mp.workdps(60):
        for operands in balls_of(name):
            point = tuple(mpf(c) for c, _ in operands)
            value = truth(name, point)
            found = row.enclosure(*[arb(c) for c, _ in operands])
            if value is not None:
                assert found.is_finite(), (operands, found)
                assert float(found.rad()) <= 1e-30 * (1 + abs(float(value))), (operands, found)


# ---------------------------------------------------------------- kinks, branches, jumps


def interval(low: float, high: float) -> arb:
    return arb(low).union(arb(high))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("abs", 0.0, 1.9), ("relu", 0.0, 1.9), ("cbrt", -0.965, 1.2386), ("sign", -1.0, 1.0), ("floor", -1.0, 1.0),
        ("ceil", 0.0, 2.0), ("trunc", 0.0, 1.0), ("rint", -1.0, 2.0), ("step", 0.0, 1.0), ("sigmoid", 0.289, 0.87),
    ],
)  # fmt: skip
def test_a_ball_across_the_kink_gives_the_union(name: str, low: float, high: float) -> None:
    x = symbol("x")
    [y] = enclose([TABLE[name](x)], {x: interval(-0.9, 1.9)})
    assert float(y.lower()) == pytest.approx(low, abs=1e-2)
    assert float(y.upper()) == pytest.approx(high, abs=1e-2)


def test_even_and_odd_powers_across_zero() -> None:
    x = symbol("x")
    square, cube, root = enclose([x**2, x**3, TABLE["pow"](x + 1, 1.5)], {x: interval(-1, 2)})
    assert [round(float(b), 6) for b in (square.lower(), square.upper())] == [0, 4]
    assert [round(float(b), 6) for b in (cube.lower(), cube.upper())] == [-1, 8]
    assert contains(root, 3**1.5)
    assert contains(root, 0)


def test_where_takes_one_branch_where_the_condition_is_decided() -> None:
    x = symbol("x")
    safe = TABLE["where"](TABLE["gt"](x, 0), TABLE["sqrt"](x), 0.0)
    assert [b.str(5) for b in enclose([safe], {x: -1.0})] == ["0"]
    [open_] = enclose([TABLE["where"](TABLE["gt"](x, 0), 1, 5)], {x: interval(-1, 2)})
    assert [contains(open_, v) for v in (1, 5, 0.5)] == [True, True, False]
    [lost] = enclose([safe], {x: interval(-1, 2)})
    assert not lost.is_finite()  # the square root has no value on a part of the ball


def test_truth_has_three_values() -> None:
    x, y = symbol("x"), symbol("y")
    less = TABLE["lt"](x, y)
    ball_of = lambda a, b: enclose([less, TABLE["logical_not"](less)], {x: a, y: b})
    assert [v == 1 for v in ball_of(1, 2)] == [True, False]
    assert [v == 0 for v in ball_of(2, 2)] == [True, False]
    for undecided in ball_of(arb(1, 0.5), arb(1, 0.5)):
        assert [undecided.contains(v) for v in (0, 1)] == [True, True]
    [and_false] = enclose([TABLE["logical_and"](less, TABLE["gt"](x, 5))], {x: arb(1, 0.5), y: arb(1, 0.5)})
    assert and_false == 0


# ---------------------------------------------------------------- graphs


def test_constants_are_exact() -> None:
    x = symbol("x")
    third, tenth, big = enclose([x / 3, const(0.1) * x, const(10**60 + 1) - 10**60 + x * 0], {x: 1})
    assert not third.is_exact()
    assert third.overlaps(arb(flint.fmpq(1, 3)))
    assert tenth == arb(0.1)
    assert big == 1


def test_precision_is_local() -> None:
    x, before = symbol("x"), flint.ctx.prec
    [coarse], [fine] = (enclose([TABLE["exp"](x)], {x: 1}, precision=p) for p in (53, 400))
    assert flint.ctx.prec == before
    assert float(coarse.rad()) > 1e-17 > 1e-110 > float(fine.rad())
    with pytest.raises(MissingEnclosure):
        enclose([TABLE["astype"](x, params=("f",))], {x: 1}, precision=999)
    assert flint.ctx.prec == before


def test_composites_are_computed_by_their_bodies() -> None:
    x, y = symbol("x"), symbol("y")
    [loss] = enclose([TABLE["mse"](x, y)], {x: 0.5, y: arb(2)})
    assert loss == arb(2.25)


def test_what_has_no_enclosure_is_named() -> None:
    w = symbol("w", (3,))
    with pytest.raises(MissingEnclosure, match="array") as caught:
        enclose([TABLE["einsum"](w, params=("a->",))], {})
    assert caught.value.row in ("einsum", "input")
    x = symbol("x")
    with pytest.raises(InputError, match="'x' has no value"):
        enclose([x + 1], {})
    with pytest.raises(InputError, match="wanted a real number"):
        enclose([x + 1], {x: 1j})  # type: ignore[dict-item]


def test_a_derivative_is_enclosed() -> None:
    x = symbol("x")
    f = TABLE["sigmoid"](TABLE["tanh"](x) * x)
    [slope] = enclose(pullback([f], [const(1)], [x]), {x: 0.7})
    with mp.workdps(50):
        value = mp.diff(lambda t: 1 / (1 + mp.exp(-mp.tanh(t) * t)), mpf(0.7))
        assert abs(mpf(slope.mid().str(36, radius=False)) - value) < 1e-20


def test_digits() -> None:
    assert digits(arb(1) / 3, 1 / 3) > 15.9
    assert 3.9 < digits(arb(2), 2.0002) < 4.1
    assert digits(arb(0), 1e-5) == pytest.approx(5)
    assert digits(arb(1, 0.5), 1.25) == 17
    assert digits(arb(1), math.nan) == 0
    assert contains(arb.nan(), 3.0)
    assert contains(ball(np.float64(0.5)), 0.5)


LEFT_OUT = ("gamma", "logical_not", "isnan", "isinf", "isfinite")
UNARY = [n for n in ELEMENTWISE if TABLE[n].arity == 1 and n not in LEFT_OUT]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "hypot", "arctan2", "pow", "remainder", "logaddexp", "elu"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Expr], Expr]:
    xs = [symbol("x"), symbol("y")]
    nodes = [*xs, const(draw(st.sampled_from([-3, 2, 0.5, -1.25]))), const(3)]
    for _ in range(draw(st.integers(2, 7))):
        name = draw(st.sampled_from(UNARY + BINARY + BINARY))
        nodes.append(TABLE[name](*[nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(TABLE[name].arity or 1)]))
    return xs, nodes[-1]


def exact_value(node: Expr, values: dict[Expr, mpf], done: dict[Expr, mpf | None]) -> mpf | None:
    if node in values:
        return values[node]
    if node.is_constant:
        return mpf(node.value)
    if node not in done:
        args = [exact_value(a, values, done) for a in node.args]
        big = any(a is None or abs(a) > 1e6 for a in args)
        done[node] = None if big else truth(node.op.name, tuple(args))  # type: ignore[arg-type]
    return done[node]


@seed(5)
@settings(max_examples=250, database=None, suppress_health_check=list(HealthCheck), deadline=None)
@given(graphs(), st.tuples(st.floats(-3, 3), st.floats(-3, 3)), st.sampled_from([0.0, 1e-6, 0.2]), st.randoms())
def test_random_expressions(
    graph: tuple[list[Expr], Expr], center: tuple[float, float], radius: float, rng: random.Random
) -> None:
    xs, y = graph
    [found] = enclose([y], {x: arb(c, radius) if radius else arb(c) for x, c in zip(xs, center)})
    with mp.workdps(60), precision(128):
        for _ in range(4):
            point = {x: mpf(c + radius * rng.uniform(-1, 1)) for x, c in zip(xs, center)}
            value = exact_value(y, point, {})
            if value is not None:
                assert holds(found, value), (y, center, radius, found, value)


def test_floats_agree_with_the_ball_to_rounding() -> None:
    x = symbol("x")
    for name in ("sin", "exp", "erf", "gelu", "sigmoid", "loggamma"):
        node = TABLE[name](x * 1.1)
        for v in (0.3, 1.7, 2.9):
            assert digits(enclose([node], {x: v})[0], evaluate([node], {x: v})[0]) > 14


# ---------------------------------------------------------------- wide balls


finite_floats = st.floats(-50, 50).map(lambda v: round(v, 6))


@settings(max_examples=300, database=None, deadline=None)
@given(
    st.tuples(finite_floats, finite_floats),
    st.one_of(st.integers(-6, 9), st.sampled_from([0.5, -0.5, 1.5, 1 / 3, -2.25])),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_a_power_holds_its_values_and_is_no_wider_than_a_product(
    ends: tuple[float, float], power: float, shares: list[float]
) -> None:
    with precision(128), mp.workdps(60):
        a, b = interval(min(ends), max(ends)), arb(power)
        found, plain = TABLE["pow"].enclosure(a, b), a**b  # type: ignore[misc]
        if plain.is_finite():
            assert found.is_finite()
            assert found.rad() <= plain.rad() * (1 + 1e-7) + arb(2) ** -90 * abs(plain).upper()
        for s in (0.0, 1.0, *shares):
            value = truth("pow", (mpf(ends[0]) + (mpf(ends[1]) - mpf(ends[0])) * mpf(s), mpf(power)))
            assert value is None or holds(found, value)
        squares = TABLE["square"].enclosure(a)  # type: ignore[misc]
        assert squares.rad() <= (a * a).rad() * (1 + 1e-7) + arb(2) ** -90 * abs(a * a).upper()
        assert float(squares.lower()) >= -1e-6 * float(squares.upper())  # arb rounds radii to 30 bits
        assert holds(squares, mpf(ends[0]) ** 2)


ALL = ((0.125, 0.3125), (0.5, 1.5), (0.3125, 4), (1.125, 2.5), (2, 8), (10, 200), (0.0078125, 20), (50, 90))
BOTH = ((-0.875, 0.875), (-3, 2.5), (-8, -6.5), (-1.75, -1.25), (-30, 40))
BETWEEN = ((-0.875, -0.25), (-1.75, -1.25))
INSIDE = ((-0.875, 0.875), (0.125, 0.3125), (-0.9375, -0.25))
MONOTONE = [
    *[(n, (), ALL) for n in ("digamma", "loggamma", "Ei", "Ci", "Si", "lambertw", "log", "sqrt", "log10")],
    *[(n, (), ALL + BOTH) for n in ("erf", "erfc", "Si", "arctan", "arcsinh", "tanh", "expm1", "cbrt", "softplus")],
    *[(n, (), INSIDE) for n in ("arcsin", "arccos", "arctanh", "log1p", "erfinv", "tan")],
    ("gamma", (), ((0.125, 0.3125), (0.5, 1.5), (0.3125, 4), (1.125, 2.5), (0.0078125, 20), (5, 150))),
    ("arccosh", (), ((1.125, 2.5), (2, 8), (10, 200))), ("digamma", (), BETWEEN), ("Ei", (), BETWEEN),
    ("li", (), ((0.125, 0.3125), (1.125, 2.5), (2, 8), (10, 200))),
    ("zeta", (), ((0.125, 0.3125), (1.125, 2.5), (2, 8), (-0.875, 0.875), (-1.75, -1.25))),
    *[("polygamma", (n,), ALL) for n in (1, 2, 3)], ("polygamma", (2,), BETWEEN),
    *[("zeta_derivative", (n,), ((1.125, 2.5), (2, 8))) for n in (1, 2)],
    *[("besselk", (n,), ALL) for n in (0, 1, 2, 0.5)], *[("besseli", (n,), ALL + BOTH) for n in (0, 1, 2)],
]  # fmt: skip
LOOSE = [
    *[(n, (), BETWEEN) for n in ("gamma", "loggamma")], *[("bessely", (n,), ALL) for n in (0, 1, 2, 5, 0.5)],
    *[("besselj", (n,), ALL + BOTH) for n in (0, 1, 2)], *[("besselj", (n,), ALL) for n in (5, 0.5, 1.5, -0.5)],
    *[("spherical_jn", (n,), ALL + BOTH) for n in (0, 1, 2, 5)],
]  # fmt: skip


def values_between(name: str, first: tuple[float, ...], low: float, high: float) -> np.ndarray:
    x = symbol("x")
    with np.errstate(all="ignore"):
        node = TABLE[name](*[const(v) for v in first], x)
        return np.asarray(evaluate([node], {x: np.linspace(low, high, 1501)})[0], float)


@pytest.mark.parametrize(
    ("name", "first", "spans", "slack"),
    [(*case, 1.02) for case in MONOTONE] + [(*case, 10.0) for case in LOOSE],
    ids=lambda v: str(v) if isinstance(v, (str, float)) else None,
)
def test_a_wide_ball_gives_the_range(
    name: str, first: tuple[float, ...], spans: tuple[tuple[float, float], ...], slack: float
) -> None:
    """At every precision: all values of a dense grid (computed by SciPy or NumPy), and not much more."""
    enclosure = TABLE[name].enclosure
    assert enclosure is not None
    for low, high in spans:
        values = values_between(name, first, low, high)
        top, bottom = float(values.max()), float(values.min())
        for bits in (64, 160, 320):
            with precision(bits):
                found = enclosure(*map(arb, first), interval(low, high))
                assert found.is_finite(), (low, high, bits)
                rounding = 1e-9 * max(abs(top), abs(bottom)) + 1e-15
                assert found.lower() <= bottom + rounding, (low, high, bits, found, bottom)
                assert found.upper() >= top - rounding, (low, high, bits, found, top)
                room = 1.0 if name in ("besselj", "bessely", "spherical_jn") and high - low > 3 else 0.0
                assert float(found.rad()) * 2 <= slack * (top - bottom) + 2 * rounding + room, (low, high, bits, found)


@pytest.mark.parametrize(
    ("name", "first", "low", "high"),
    [
        ("digamma", (), -0.5, 0.5), ("Ei", (), -1, 2), ("li", (), 0.5, 2), ("zeta", (), 0.5, 2),
        ("gamma", (), -1.5, -0.5), ("loggamma", (), -0.5, 1), ("besselk", (1,), -1, 1), ("besselj", (0.5,), -2, -1),
        ("besselj", (1.5,), -1, 1), ("besseli", (0.5,), -2, -1), ("bessely", (0.5,), -2, -1),
        ("bessely", (0,), -1, 3), ("polygamma", (2,), -1.5, 0.5), ("zeta_derivative", (1,), 0.5, 2),
        ("polygamma", (0,), -0.5, 1), ("arctanh", (), 0, 2), ("log", (), -1, 1),
    ],
)  # fmt: skip
def test_across_a_pole_or_an_edge_nothing_is_claimed(
    name: str, first: tuple[float, ...], low: float, high: float
) -> None:
    """The two ends of such a ball may be finite; what lies between is not, or has no value."""
    assert not TABLE[name].enclosure(*map(arb, first), interval(low, high)).is_finite()  # type: ignore[misc]


def test_zeta_falls_from_minus_two_to_its_pole() -> None:
    """What its enclosure relies on: -ζ′(1 - t) = 1/t² + Σ γₖ tᵏ⁻¹/(k - 1)! for 0 < t ≤ 3, 1/t² ≥ 1/9."""
    below = sum(max(-mp.stieltjes(k), mpf(0)) * mpf(3) ** (k - 1) / mp.factorial(k - 1) for k in range(1, 16))
    assert below < mpf("0.104") < mpf(1) / 9  # the constants that are below 0; later ones add less than 1e-7


@pytest.mark.parametrize("name", ["gamma", "loggamma", "Si", "Ci"])
def test_thin_balls_at_a_turn_stay_thin(name: str) -> None:
    turn = 1.4616321449683623 if "gamma" in name else math.pi if name == "Si" else math.pi / 2
    with precision(400):
        for radius in (1e-12, 1e-18, 1e-28, 1e-40, 1e-90):
            found = TABLE[name].enclosure(arb(turn, radius))  # type: ignore[misc]
            assert float(found.rad()) <= 2 * radius
