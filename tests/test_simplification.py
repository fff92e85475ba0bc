"""Simplification keeps the value everywhere and, for generated code, the set where there is one."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tangently.differentiation import pullback
from tangently.expr import CONST, Expr, const, constant_value, evaluate, raw, symbol, toposort
from tangently.primitives import TABLE
from tangently.printing import to_text
from tangently.simplification import moves, simplify, simplify_all

x, y, n = symbol("x"), symbol("y"), symbol("n")
A = symbol("A", (2, 3))
sin, cos, exp, log, sqrt, sinh, cosh = (TABLE[k] for k in ("sin", "cos", "exp", "log", "sqrt", "sinh", "cosh"))


def untouched(op: str, *args: Expr | float) -> Expr:
    """A node as tracing makes it, without the rows' local identities."""
    return raw(TABLE[op], tuple(a if isinstance(a, Expr) else const(a) for a in args))


# expression, for generated code, for people
CASES = [
    (2 * (2 * x) + 3, "4x + 3", "4x + 3"),
    (3 * x**2 * sin(x) + x**3 * cos(x), "3x² sin x + x³ cos x", "3x² sin x + x³ cos x"),
    (3 * (x**2 + 1) ** 2 * (2 * x), "6x (x² + 1)²", "6x (x² + 1)²"),
    (x * x**2, "x³", "x³"),
    (2 * x / (2 * y), "x/y", "x/y"),
    ((x + 1) + (x - 1), "2x", "2x"),
    (untouched("neg", untouched("neg", x)), "x", "x"),
    (x / x, "x/x", "1"),
    (x**2 / x, "x²/x", "x"),
    (x / x**2, "1/x", "1/x"),
    (x**3 / x**5, "1/x²", "1/x²"),
    (exp(log(x)), "e^(ln x)", "x"),
    (log(exp(x)), "ln(eˣ)", "x"),
    (exp(x) * exp(y), "eˣ eʸ", "eˣ⁺ʸ"),
    (exp(x) / exp(2 * x), "eˣ/e²ˣ", "e⁻ˣ"),
    (sqrt(x) * sqrt(x), "(√x)²", "x"),
    (x / sqrt(x), "x/√x", "√x"),
    (1 / (1 / x), "1/(1/x)", "x"),
    (sqrt(x**2), "√(x²)", "√(x²)"),
    (sqrt(x**2) ** 2, "(√(x²))²", "x²"),
    (sqrt(x**n), "√(xⁿ)", "√(xⁿ)"),
    ((2 * x) ** 3, "8x³", "8x³"),
    ((2 * x + 2) / 2, "x + 1", "x + 1"),
    ((4 * x + 6) / (2 * y), "(2x + 3)/y", "(2x + 3)/y"),
    ((x**2 + x) / x, "(x² + x)/x", "x + 1"),
    (2 * x * (x**2 + 1) - x**2 * (2 * x), "2x (x² + 1) − 2x² x", "2x"),
    (sin(x) ** 2 + cos(x) ** 2, "sin(x)² + cos(x)²", "1"),
    (3 * cosh(x) ** 2 - 3 * sinh(x) ** 2 + x, "3 cosh(x)² − 3 sinh(x)² + x", "3 + x"),
    ((exp(x) - x * exp(x)) / exp(x) ** 2, None, "(1 − x)/eˣ"),
    (x**n * n / x, "n xⁿ/x", "n xⁿ⁻¹"),
    (x**x * (log(x) + x * 1 / x), "xˣ (ln x + x/x)", "xˣ (ln x + 1)"),
    (2 * (x + 1) - 2 * x, "2", "2"),
    (x / 3 + x / 6, "x/2", "x/2"),
    (x / 1.5 / 2, "x/3", "x/3"),
    (0.5 * x * 4, "2x", "2x"),
    (x + y + x, "2x + y", "2x + y"),
    (y * x + x * y, "2y x", "2y x"),
    (x - (y - x), "2x − y", "2x − y"),
    (untouched("pow", x, 0), "1", "1"),
    (untouched("pow", log(x), 0), "ln(x)⁰", "1"),
    (untouched("mul", 0, log(x)), "0 ln x", "0"),
    (untouched("sub", log(x), log(x)), "0 ln x", "0"),
    (untouched("where", untouched("gt", 2, 0), x, y), "x", "x"),
    (2 * (3 * A), "6A", "6A"),
    (untouched("neg", untouched("neg", A)), "A", "A"),
    (4 * A / 2, "2A", "2A"),
    (x * (2 * (x * A)), "2x² A", "2x² A"),
    (TABLE["einsum"](2 * A, const(np.ones((3, 4))), params=("ij,jk->ik",)), None, None),
]


@pytest.mark.parametrize(("expr", "code", "people"), CASES)
def test_what_becomes_of_it(expr: Expr, code: str | None, people: str | None) -> None:
    for cancel, want in ((False, code), (True, people)):
        found = simplify(expr, cancel=cancel)
        assert want is None or to_text(found) == want
        assert simplify(found, cancel=cancel) is found, "simplifying twice changes nothing more"
        assert found.shape == expr.shape


def test_a_constant_moves_in_front_of_an_einsum() -> None:
    found = simplify(TABLE["einsum"](2 * A, A, params=("ij,kj->ik",)))
    assert to_text(found) == "2A Aᵀ"


def test_what_is_shared_stays_shared() -> None:
    h = x**2 + y
    first, second = simplify_all([h * sin(h) + 0 * x, h + 1])
    assert h in toposort([first])
    assert second is h + 1


def test_large_and_inexact_coefficients() -> None:
    assert to_text(simplify(untouched("mul", 1e200, untouched("mul", 1e200, x)))) == to_text(
        1e200 * raw(TABLE["mul"], (const(1e200), x))
    )
    big = simplify(2**40 * (untouched("mul", 2**40, x)))
    assert evaluate([big], {x: 3.0})[0] == 3.0 * 2**80
    assert simplify(2**40 * untouched("mul", 2**40, x), cancel=True).args[0].value == 2**80


def test_a_boolean_is_no_number() -> None:
    test = TABLE["gt"](x, 0)
    assert simplify(test * x + test * x) is not None
    both = raw(TABLE["add"], (test, test))
    assert simplify(both) is both


B, K = symbol("B", (2, 3)), symbol("K", (2, 3), "l")
MATMUL = ("ij,kj->ik",)
ARRAYS = [
    2 * (3 * A) - untouched("neg", A),
    (x * A) * (2 * y) / 4 + untouched("mul", 0, TABLE["log"](A)),
    TABLE["einsum"](2 * A, 3 * B, params=MATMUL) / 6,
    TABLE["einsum"](x * A, TABLE["tanh"](B) / 2, params=MATMUL),
    (2 * K) / 4 + K,
    untouched("mul", untouched("div", K, 2), 2),
    TABLE["where"](TABLE["gt"](A, 0), TABLE["sqrt"](TABLE["where"](TABLE["gt"](A, 0), A, 1)), 0) * 2,
    x * (A / x) * (1 / y),
]


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize("expr", ARRAYS)
def test_arrays_keep_their_values_and_dtypes(expr: Expr, cancel: bool) -> None:
    random = np.random.default_rng(0)
    at = {A: random.normal(size=(2, 3)), B: random.normal(size=(2, 3)), K: random.integers(-4, 5, (2, 3))}
    at |= {x: 1.3, y: 0.4}
    with np.errstate(all="ignore"):
        found = simplify(expr, cancel=cancel)
        before, after = evaluate([expr], at)[0], evaluate([found], at)[0]
    assert (found.shape, found.dtype) == (expr.shape, expr.dtype)
    keep = np.isfinite(before) if cancel else slice(None)
    np.testing.assert_allclose(np.asarray(after)[keep], np.asarray(before)[keep], rtol=1e-12)


# ---------------------------------------------------------------- moves


def test_moves_are_told_innermost_first() -> None:
    found = moves(untouched("add", untouched("mul", 2, untouched("mul", 2, x)), untouched("mul", x, 1)))
    assert [(m.name, to_text(m.before), to_text(m.after)) for m in found] == [
        ("multiply numbers", "2·2x", "4x"),
        ("x · 1 = x", "1x", "x"),
        ("collect like terms", "4x + x", "5x"),
    ]


@pytest.mark.parametrize(
    ("expr", "name"),
    [
        (untouched("pow", x, 0), "x⁰ = 1"),
        (x**2 / x, "cancel a common factor"),
        (x * x**2, "add exponents"),
        (2 * x * (x**2 + 1) - 2 * x**3, "expand and collect"),
        (sin(x) ** 2 + cos(x) ** 2, "sin² + cos² = 1"),
        (log(exp(x)), "log undoes exp"),
        (untouched("add", x, 0), "x + 0 = x"),
        (untouched("mul", x, 0), "x · 0 = 0"),
    ],
)
def test_moves_have_names(expr: Expr, name: str) -> None:
    assert name in [m.name for m in moves(expr)]


def moved(expr: Expr) -> Expr:
    """The expression after each of its moves in turn was made on it."""
    for move in moves(expr):
        assert move.before is not move.after
        done = {move.before: move.after}
        for node in toposort([expr]):
            if node not in done:
                args = tuple(done[a] for a in node.args)
                done[node] = node if args == node.args else raw(node.op, args, node.params)
        expr = done[expr]
    return expr


@pytest.mark.parametrize("expr", [case[0] for case in CASES if not case[0].shape])
def test_the_moves_lead_where_simplify_does(expr: Expr) -> None:
    assert moved(expr) is simplify(expr, cancel=True)


# ---------------------------------------------------------------- the value is kept

WHOLE = st.integers(-4, 4)
DYADIC = st.sampled_from([0.5, -0.25, 1.5, 2.0, 0.75])
LEAVES = st.one_of(st.sampled_from([x, y]), WHOLE.map(const), DYADIC.map(const))


def combined(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    binary = st.tuples(st.sampled_from(["add", "sub", "mul", "div"]), parts, parts)
    unary = st.tuples(st.sampled_from(["neg", "sin", "exp", "log", "sqrt", "square", "reciprocal", "tanh"]), parts)
    power = st.tuples(st.just("pow"), parts, st.integers(-3, 3))
    return st.one_of(binary, unary, power).map(lambda spec: untouched(*spec))


EXPRESSIONS = st.recursive(LEAVES, combined, max_leaves=14)
POINTS = [0.0, 1.0, -1.0, 0.5, -2.0, 2.0, 0.1875]


def values_of(expr: Expr, a: float, b: float) -> dict[Expr, float]:
    known: dict[Expr, float] = {x: a, y: b}
    for node in toposort([expr]):
        if node not in known:
            known[node] = constant_value(node) if node.op is CONST else node.op(*[known[k] for k in node.args])
    return known


def is_clear(known: dict[Expr, float]) -> bool:
    """Are all values far from where rounding decides (tiny, huge)?"""
    return all(v == 0 or not math.isfinite(v) or 1e-6 < abs(v) < 1e6 for v in known.values())


def is_defined(known: dict[Expr, float]) -> bool:
    """Has every part a value? (tanh(1/0) is 1 in floating point, and nothing in mathematics.)"""
    return all(math.isfinite(v) for v in known.values())


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.sampled_from(POINTS), st.sampled_from(POINTS))
def test_generated_code_keeps_value_and_domain(expr: Expr, a: float, b: float) -> None:
    found = simplify(expr)
    before, after = values_of(expr, a, b), values_of(found, a, b)
    assume(is_clear(before) and is_clear(after))
    assert is_defined(before) == is_defined(after), (to_text(expr), to_text(found))
    if is_defined(before):
        scale = max([1.0, *[abs(v) for v in before.values() if math.isfinite(v)]])
        assert abs(before[expr] - after[found]) <= 1e-9 * scale, (to_text(expr), to_text(found))


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.sampled_from(POINTS), st.sampled_from(POINTS))
def test_people_get_the_same_value_where_there_is_one(expr: Expr, a: float, b: float) -> None:
    found = simplify(expr, cancel=True)
    before, after = values_of(expr, a, b), values_of(found, a, b)
    assume(is_clear(before) and is_clear(after) and is_defined(before))
    scale = max([1.0, *[abs(v) for v in before.values() if math.isfinite(v)]])
    assert abs(before[expr] - after[found]) <= 1e-9 * scale, (to_text(expr), to_text(found))


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_moves_lead_where_simplify_leads(expr: Expr) -> None:
    assert moved(expr) is simplify(expr, cancel=True)


HUGE = st.sampled_from([1e200, 1e-200, 10**30, 2**60, -1e308, 3.5]).map(const)


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.one_of(LEAVES, HUGE), combined, max_leaves=10))
def test_coefficients_beyond_the_floats_are_left_alone(expr: Expr) -> None:
    for cancel in (False, True):
        assert simplify(expr, cancel=cancel).shape == ()
    assert moved(expr) is simplify(expr, cancel=True)


# ---------------------------------------------------------------- speed


def nested(depth: int) -> Expr:
    e = x
    for k in range(depth):
        e = sin(e) * x + e**2 / (k + 2) - 3 * x
    return pullback([e], [const(1)], [x])[0]


@pytest.mark.parametrize("cancel", [False, True])
def test_a_hundred_nodes_take_milliseconds(cancel: bool) -> None:
    expr = nested(6)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        simplify(expr, cancel=cancel)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02  # about 1.5 ms and 4 ms; the bound allows for a busy machine


@pytest.mark.parametrize("join", [lambda e, t: e + t, lambda e, t: t + e, lambda e, t: t - e, lambda e, t: sin(e) + t])
def test_long_chains_are_linear_and_do_not_recurse(join) -> None:
    e = x
    for k in range(3000):
        e = join(e, sin(x * k))
    start = time.perf_counter()
    simplify(e, budget=10**6)
    assert time.perf_counter() - start < 5


def test_above_the_budget_nothing_happens() -> None:
    e = x / x
    for _ in range(50):
        e = sin(e)
    assert simplify(e, cancel=True, budget=20) is e
    assert moves(e, budget=20) == ()
