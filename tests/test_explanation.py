"""Every derivation is the reverse sweep's answer, names its rules, and tells each thing once."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangently.differentiation import pullback
from tangently.errors import InputError, ShapeError
from tangently.explanation import backward_walk, check, derive, derive_nth, lines, paths
from tangently.expr import Expr, Primitive, const, evaluate, raw, symbol
from tangently.primitives import TABLE
from tangently.primitives.tensor import matmul, sum_of, transpose
from tangently.printing import to_text

x, y, n = symbol("x"), symbol("y"), symbol("n")
sin, cos, exp, tanh, sigmoid, softplus = (TABLE[k] for k in ("sin", "cos", "exp", "tanh", "sigmoid", "softplus"))
POINT = {x: 2.0, y: 3.0, n: 3.0}


def swept(expr: Expr, at: dict[Expr, float]) -> float:
    return float(evaluate(pullback([expr], [const(1)], [x]), at)[0])


# ---------------------------------------------------------------- derivations

TEXTBOOK = [
    (2 * x**2 + 3 * x + 1, "4x + 3", {"sum rule", "constant multiple", "power rule", "identity", "constant"}),
    (x**2 * sin(x), "2x sin x + x² cos x", {"product rule", "power rule", "sine"}),
    ((x**2 + 1) / (x - 1), "(x² − 2x − 1)/(x − 1)²", {"quotient rule", "a constant added", "a constant subtracted"}),
    (x**x, "xˣ (ln x + 1)", {"general power"}),
    (x**n, "n xⁿ⁻¹", {"power rule"}),
    (2**x, "2ˣ ln 2", {"exponential rule"}),
    (exp(x * y), "y e^(x y)", {"chain rule · exponential", "constant multiple"}),
    ((x**2 + 1) ** 3, "6x (x² + 1)²", {"chain rule · power rule", "a constant added", "power rule"}),
    (5 - x**2, "−2x", {"subtracted from a constant"}),
    (x**3 - sin(x), "3x² − cos x", {"difference rule"}),
    (3 / x, "−3/x²", {"reciprocal rule"}),
    (x / exp(x), "(1 − x)/eˣ", {"quotient rule"}),
    (sin(x) / cos(x), "1/cos(x)²", {"quotient rule", "sine", "cosine"}),
    (tanh(sigmoid(softplus(x))), None, {"chain rule · hyperbolic tangent", "chain rule · logistic sigmoid"}),
    (TABLE["where"](TABLE["gt"](x, 0), x**2, -x), "{2x if x > 0; −1 otherwise}", {"one branch at a time"}),
    (TABLE["floor"](x) + x, "1", {"constant between jumps", "sum rule"}),
    (x, "1", {"identity"}),
    (y**2, "0", {"constant"}),
]


@pytest.mark.parametrize(("expr", "result", "rules"), TEXTBOOK)
def test_textbook(expr: Expr, result: str | None, rules: set[str]) -> None:
    found = derive(expr, x, values=POINT)
    assert result is None or to_text(found.result) == result
    assert rules <= set(found.rules)
    assert found.checked
    assert check(found).equal
    assert found.value == pytest.approx(swept(expr, POINT), rel=1e-12)


def test_the_answer_is_the_root_of_the_derivation() -> None:
    found = derive((x**2 + 1) ** 3, x, values=POINT)
    chain, (inner,) = found.root, found.root.children
    assert (chain.rule, inner.rule) == ("chain rule · power rule", "a constant added")
    assert to_text(chain.before) == "(x² + 1)³"
    assert (chain.value, inner.value) == (300.0, 4.0)
    assert inner.substituted == "2·2 = 4"
    assert [m.name for m in chain.moves] == ["multiply numbers"]
    assert "u^{n-1}" in chain.law


def test_third_derivative() -> None:
    third = derive_nth(x**3 * sin(x), x, 3)[-1]
    assert third.order == 3
    a = 0.7
    want = 6 * math.sin(a) + 18 * a * math.cos(a) - 9 * a**2 * math.sin(a) - a**3 * math.cos(a)
    assert evaluate([third.result], {x: a})[0] == pytest.approx(want, rel=1e-13)
    assert third.checked


def test_nested_sums_are_one_step() -> None:
    found = derive(sin(x) + x**2 - cos(x) + 4 - (x - exp(x)), x)
    assert found.root.signs == (1, 1, -1, 1, -1, 1)
    rules = ["sine", "power rule", "cosine", "constant", "identity", "exponential"]
    assert [c.rule for c in found.root.children] == rules


def test_a_wrong_derivation_is_found_out() -> None:
    from dataclasses import replace

    found = derive(x**3, x)
    outcome = check(replace(found, result=3 * x))
    assert not outcome.equal
    assert "differ" in outcome.how
    assert check(found).how == "the same formula"


def test_a_constant_power_of_two_inputs() -> None:
    assert to_text(derive(x**2 * y + x * y**2 + 2, y).result) == "x² + 2x y"


def test_arrays_on_the_way_are_allowed_but_not_at_the_ends() -> None:
    A = const(np.array([1.0, 2.0, 3.0]))
    found = derive(sum_of(sin(x * A)), x, values={x: 0.5})
    assert found.checked
    assert found.value == pytest.approx(sum(k * math.cos(k * 0.5) for k in (1, 2, 3)))
    assert lines(found)
    with pytest.raises(ShapeError, match="one number by one number"):
        derive(x * A, x)


def inner(row: Primitive, i: int, sample: tuple[float, ...]) -> Expr:
    """The row of u = x² + 0.3 in operand i, the other operands as in the sample."""
    u = x**2 + 0.3
    return row(*[u if k == i else const(v) for k, v in enumerate(sample)])


def elementwise_cases() -> list[tuple[str, int, tuple[float, ...]]]:
    found = []
    for row in list(TABLE.values()):
        if row.kind == "elementwise" and any(p is not None for p in row.partials):
            sample = row.samples[0] if row.samples else (0.7, 1.3, 0.4)[: len(row.partials)]
            varies = [p is not None and type(sample[i]) is not int for i, p in enumerate(row.partials)]  # not an order
            found += [(row.name, i, sample) for i, v in enumerate(varies) if v]
    return found


@pytest.mark.parametrize(("name", "i", "sample"), elementwise_cases())
def test_every_row_of_the_table(name: str, i: int, sample: tuple[float, ...]) -> None:
    expr = inner(TABLE[name], i, sample)
    found = derive(expr, x)
    assert found.checked, check(found).how
    compared = 0
    for a in (0.2, 0.45, 0.8, 1.1, 1.7):
        want, got = swept(expr, {x: a}), float(evaluate([found.result], {x: a})[0])
        if math.isfinite(want):
            assert got == pytest.approx(want, rel=1e-10, abs=1e-12)
            compared += 1
    assert compared
    for notation in ("leibniz", "lagrange"):
        for line in lines(found, depth="algebra", notation=notation):  # type: ignore[arg-type]
            assert line.mathml.startswith("<math")
            assert "\ue000" not in line.text + line.latex + line.mathml


LEAVES = st.one_of(st.sampled_from([x, x, y]), st.sampled_from([1, 2, 3, 0.5, -1.5]).map(const))


def combined(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    binary = st.tuples(st.sampled_from(["add", "sub", "mul", "div", "pow"]), parts, parts)
    names = ["neg", "sin", "exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "abs", "square", "arctan", "relu"]
    unary = st.tuples(st.sampled_from(names), parts)
    return st.one_of(binary, unary).map(lambda spec: TABLE[spec[0]](*spec[1:]))


@settings(max_examples=200, deadline=None)
@given(st.recursive(LEAVES, combined, max_leaves=9))
def test_random_compositions(expr: Expr) -> None:
    found = derive(expr, x)
    outcome = check(found)
    assert outcome.equal or "no point" in outcome.how, to_text(expr)
    told = lines(found, depth="algebra")
    assert told[-1].level == 0
    assert all(line.text for line in told)


# ---------------------------------------------------------------- size


def test_a_long_chain_does_not_recurse_and_is_linear() -> None:
    e = x
    for _ in range(1500):
        e = sin(e) * 1.01
    start = time.perf_counter()
    found = derive(e, x, values={x: 1.0})
    told = lines(found)
    assert time.perf_counter() - start < 60  # about 4 s, of which 1 s is the derivation
    assert found.checked
    assert max(len(line.text) for line in told) < 1000
    assert repr(found.root)


def test_a_diamond_is_explained_once() -> None:
    u = x**2 + 1
    e = u
    for _ in range(40):
        e = e * e / 2  # 2⁴⁰ paths
    found = derive(e, x)
    assert len(found.steps) == 2 * 40 + 4
    assert len(lines(found)) < 400
    both = derive(sin(u) * cos(u), x)
    told = [line.text for line in lines(both)]
    assert sum(text.startswith("d/dx x² = ") for text in told) == 1
    assert any("cos(x² + 1) = −sin(x² + 1) · d/dx (x² + 1) = −sin(x² + 1) · 2x" in text for text in told)


# ---------------------------------------------------------------- telling


def told(expr: Expr, **options: object) -> list[str]:
    names = options.pop("names", {})
    return [str(line) for line in lines(derive(expr, x, names=names, values=options.pop("values", None)), **options)]  # type: ignore[arg-type]


def test_names_become_sections() -> None:
    g = x**2 + 1
    assert told(g**3, names={g: "g"}, values={x: 2.0}) == [
        "g = x² + 1",
        "  dg/dx = d/dx x² + d/dx 1   a constant added",
        "    d/dx x² = 2x   power rule   at x = 2: 2·2 = 4",
        "    d/dx 1 = 0   constant",
        "  dg/dx = 2x + 0 = 2x   put together   at x = 2: 2·2 = 4",
        "f(x) = g³",
        "  df/dx = 3g² · dg/dx = 3g² · 2x = 6x g²   chain rule · power rule   at x = 2: 6·2(2² + 1)² = 300",
        "df/dx = 6x (x² + 1)²   result   at x = 2: 6·2(2² + 1)² = 300",
    ]


def test_a_name_that_is_used_again_is_numbered() -> None:
    h1 = sin(x)
    h2 = h1**2
    text = told(h2 + h1, names={h1: "h", h2: "h"})
    assert text[0] == "h₁ = sin x"
    assert "h₂ = h₁²" in text


def test_a_named_constant_and_a_named_test() -> None:
    c, test = y + 1, TABLE["gt"](x, 0)
    text = "\n".join(told(TABLE["where"](test, c * x, 2 * x), names={c: "c", test: "inside"}))
    assert "c = y + 1\n  ∂c/∂x = 0   constant   it does not depend on x" in text
    assert "∂inside/∂x = 0   constant   between its jumps" in text


@pytest.mark.parametrize(
    ("notation", "line"),
    [
        ("leibniz", "df/dx = cos(x²) · d/dx x²"),
        ("lagrange", "f′(x) = cos(x²) · (x²)′"),
        ("newton", "ḟ = cos(x²) · Dₓ x²"),
        ("euler", "Dₓ f = cos(x²) · Dₓ x²"),
    ],
)
def test_notations(notation: str, line: str) -> None:
    assert any(text.strip().startswith(line) for text in told(sin(x**2), notation=notation))


def test_depths() -> None:
    expr = (2 * x) * (3 * x) ** 2
    assert told(expr, depth="summary") == [
        "f(x) = 2x (3x)²",
        "df/dx = 54x²   product rule, chain rule · power rule, constant multiple   ".rstrip(),
    ]
    rules, algebra = told(expr, depth="rules"), told(expr, depth="algebra")
    assert set(rules) < set(algebra)
    assert any("collect like terms" in line for line in algebra)


def test_higher_order_symbols() -> None:
    second = derive_nth(x**3, x, 2)[1]
    assert [line.text for line in lines(second, depth="summary")] == ["df/dx = 3x²", "d²f/dx² = 6x"]


def test_what_is_asked_for_must_exist() -> None:
    with pytest.raises(InputError, match="depth='deep': one of summary, rules, algebra"):
        lines(derive(x, x), depth="deep")
    with pytest.raises(InputError, match="notation"):
        lines(derive(x, x), notation="arbogast")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="order=0"):
        derive_nth(x, x, 0)


def test_every_line_has_every_form() -> None:
    for line in lines(derive(x**2 * sin(x) / (x + y), x, values=POINT), depth="algebra"):
        assert line.latex.count("{") == line.latex.count("}")
        assert line.mathml.endswith("</math>")


# ---------------------------------------------------------------- the walk back


@pytest.fixture(scope="module")
def layer() -> tuple[list[Expr], dict[Expr, str], dict[Expr, np.ndarray], Expr]:
    X, W, b = symbol("X", (4, 3)), symbol("W", (2, 3)), symbol("b", (2,))
    z = matmul(X, transpose(W)) + b
    h = tanh(z)
    loss = sum_of(h * h) + sum_of(W * W)
    random = np.random.default_rng(0)
    values = {v: random.normal(size=v.shape) for v in (X, W, b)}
    return [W, b, X], {z: "z", h: "h", loss: "loss"}, values, loss


def test_contributions_add_up_to_the_pullback(layer) -> None:
    wrt, names, values, loss = layer
    walk = backward_walk([loss], wrt, names, values)
    grads = evaluate(pullback([loss], [const(1.0)], wrt), values)
    for v, grad in zip(wrt, grads):
        parts = [c.value for step in walk for c in step.contributions if c.operand is v]
        np.testing.assert_allclose(sum(parts), grad, rtol=1e-12)


def test_the_walk_speaks_of_the_users_names(layer) -> None:
    wrt, names, values, loss = layer
    z = next(node for node, name in names.items() if name == "z")
    walk = {step.name: step for step in backward_walk([loss], wrt, names, values)}
    assert to_text(walk["z"].definition).startswith("z = ")
    assert [c.text for c in walk["z"].contributions][1] == "∂loss/∂b = sum(∂loss/∂z, axis=0)"
    assert walk["h"].rule == "hyperbolic tangent"
    assert walk["h"].contributions[0].text == "∂loss/∂z = ∂loss/∂h ⊙ (1 − h²)"
    assert walk["h"].contributions[0].shape == z.shape
    product = next(s for s in walk.values() if to_text(s.definition).endswith("X Wᵀ"))
    assert product.rule == "product rule"
    assert {c.text for c in product.contributions} == {"∂loss/∂W += (∂loss/∂v₁)ᵀ X", "∂loss/∂X = (∂loss/∂v₁) W"}
    assert all(str(step) for step in walk.values())
    assert all(c.latex and c.mathml for step in walk.values() for c in step.contributions)


def test_a_matrix_product_in_words() -> None:
    X, W = symbol("X", (4, 3)), symbol("W", (2, 3))
    z = matmul(X, transpose(W))
    walk = backward_walk([sum_of(z)], [W], {z: "z"})
    assert walk[0].contributions[0].text == "∂f/∂z = ∂f/∂f"
    assert walk[0].contributions[0].note == "in every entry"
    assert str(walk[1].contributions[0]) == "∂f/∂W = (∂f/∂z)ᵀ X, shape (2, 3)"


def test_a_transpose_is_no_step_of_its_own() -> None:
    X, W = symbol("X", (4, 3)), symbol("W", (2, 3))
    flipped = raw(TABLE["einsum"], (W,), ("ij->ji",))
    z = raw(TABLE["einsum"], (X, flipped), ("ij,jk->ik",))
    values = {X: np.ones((4, 3)), W: np.ones((2, 3)), z: np.full((4, 2), 3.0)}
    walk = backward_walk([sum_of(z)], [W], {z: "z"}, values)
    assert [s.name for s in walk] == ["f", "z"]
    walk = backward_walk([sum_of(z * z)], [W], {}, values)
    assert walk[-1].contributions[0].text == "∂f/∂W = (∂f/∂v₁)ᵀ X"
    assert walk[-1].contributions[0].numbers == "[24, 24, 24; 24, 24, 24]"


def test_an_array_as_output_is_summed() -> None:
    v = symbol("v", (3,))
    walk = backward_walk([v**2], [v], values={v: np.array([1.0, 2.0, 3.0])})
    assert walk[0].contributions[0].numbers == "[2, 4, 6]"
    assert backward_walk([y], [x]) == ()


# ---------------------------------------------------------------- paths


def test_two_paths() -> None:
    found = paths(x**2 * y + x * y**2 + 2, x, values=POINT)
    assert (found.count, found.complete, found.value) == (2, True, 21.0)
    assert to_text(found.total) == "2x y + y²"
    assert [p.value for p in found.paths] == [12.0, 9.0]
    assert sum(p.value for p in found.paths) == found.value


def test_a_path_through_a_name() -> None:
    g = x**2 + 1
    (path,) = paths(g**3, x, names={g: "g"}, values={x: 2.0}).paths
    assert path.names == ("x", "x²", "g", "f")
    assert path.labels == ("2x", "1", "3g²")
    assert path.values == (4.0, 1.0, 75.0)


def test_paths_are_counted_before_they_are_walked() -> None:
    e = x
    for _ in range(60):
        e = e * e / 2
    start = time.perf_counter()
    found = paths(e, x, limit=5, values={x: 2.0})
    assert time.perf_counter() - start < 5
    assert (found.count, len(found.paths), found.complete) == (2**60, 5, False)
    assert found.value == pytest.approx(swept(e, {x: 2.0}))
    assert "1,152,921,504,606,846,976 paths" in str(found)
    assert "by the reverse sweep" in str(found)


def test_no_path_and_the_empty_path() -> None:
    assert paths(y, x).count == 0
    assert to_text(paths(y**2, x).total) == "0"
    assert (paths(x, x).count, to_text(paths(x, x).total)) == (1, "1")


def test_arrays_on_the_way_have_no_list_of_paths() -> None:
    found = paths(sum_of(x * const(np.array([1.0, 2.0]))), x, values={x: 1.0})
    assert (found.paths, found.complete, found.value) == ((), False, 3.0)
    assert "no path is listed" in str(found)


@settings(max_examples=100, deadline=None)
@given(st.recursive(LEAVES, combined, max_leaves=8))
def test_the_paths_sum_to_the_derivative(expr: Expr) -> None:
    at = {x: 1.25, y: 0.75}
    found = paths(expr, x, values=at)
    want = swept(expr, at)
    if math.isfinite(want) and found.value is not None and math.isfinite(found.value):
        assert found.value == pytest.approx(want, rel=1e-8, abs=1e-8)
