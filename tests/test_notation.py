"""Matrix notation: readings agree with numbers, and print as on paper."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tangently.primitives  # noqa: F401
from tangently.contraction import Factor, Network, Term
from tangently.differentiation import pullback
from tangently.errors import InputError, ShapeError, UnsupportedError
from tangently.expr import TABLE, Dim, Expr, const
from tangently.expr import symbol as input_of
from tangently.matrices import notation as mat
from tangently.matrices.reading import read, read_network
from tangently.matrices.sources import LANGUAGES, source
from tangently.matrices.writing import latex, text, with_shapes

m, n, k = (Dim.named(c) for c in "mnk")
SIZES = {"m": 4, "n": 3, "k": 2}
INPUTS = {
    "X": input_of("X", (m, n)),
    "Y": input_of("Y", (m, n)),
    "A": input_of("A", (n, n)),
    "B": input_of("B", (n, n)),
    "S": input_of("S", (n, n)),
    "Q": input_of("Q", (n, n)),
    "V": input_of("V", (n, k)),
    "W": input_of("W", (k, n)),
    "w": input_of("w", (n,)),
    "x": input_of("x", (n,)),
    "y": input_of("y", (m,)),
    "v": input_of("v", (m,)),
    "b": input_of("b", (k,)),
    "c": input_of("c"),
}
KNOWN = {"S": {"symmetric"}, "Q": {"orthogonal"}}
X, Y, A, B, S, Q, V, W, w, x, y, v, b, c = INPUTS.values()


def einsum(spec: str, *args: Expr) -> Expr:
    return TABLE["einsum"](*args, params=(spec,))


def grad(f: Expr, wrt: Expr) -> Expr:
    return pullback([f], [const(1)], [wrt])[0]


def numbers(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for name, node in INPUTS.items():
        shape = tuple(d.evaluate(SIZES) if isinstance(d, Dim) else d for d in node.shape)
        found[name] = rng.uniform(0.4, 1.6, shape)
    found["S"] = found["S"] + found["S"].T
    found["A"] = found["A"] + 2 * np.eye(3)
    found["Q"] = np.linalg.qr(found["Q"])[0]
    return found


z = einsum("ij,j->i", X, w) - y
margin = y * einsum("ij,j->i", X, w)
hidden = einsum("ij,j->i", W, x) + b
s = TABLE["softmax"](x, params=(0,))
LINES: list[tuple[Expr, str]] = [
    (einsum("i,ij,j->", x, A, x), "xᵀAx"),
    (grad(einsum("i,ij,j->", x, A, x), x), "(A + Aᵀ)x"),
    (grad(einsum("i,ij,j->", x, S, x), x), "2 Sx"),
    (grad(einsum("i,i->", z, z), w), "2 Xᵀ(Xw − y)"),
    (grad(einsum("i,i->", x, x), x), "2 x"),
    (grad(einsum("ij,ij->", X, X), X), "2 X"),
    (grad(einsum("ii->", einsum("ij,jk->ik", A, B)), A), "Bᵀ"),
    (einsum("ij,ji->", A, B), "tr(AB)"),
    (einsum("ij,ij->", A, B), "tr(AᵀB)"),
    (einsum("ji,jk,kl->il", Q, Q, A), "A"),
    (einsum("ki,k,kj->ij", X, v, X), "Xᵀ diag(v) X"),
    (einsum("ki,kj,j->i", X, X, w), "XᵀXw"),
    (einsum("i,j->ij", x, w), "x wᵀ"),
    (einsum("ij->ji", A) + A, "A + Aᵀ"),
    (einsum("ij->i", X), "X 1ₙ"),
    (einsum("ij->", X), "sum(X)"),
    (einsum("i,ij->ij", y, X), "diag(y) X"),
    (einsum("ij,j->ij", X, x), "X diag(x)"),
    (einsum("ij,i,ij,j->", X, y, Y, x), "yᵀ(X ⊙ Y)x"),
    (einsum("ik,jk,lk->ijl", A, B, S), "[∑ₗ Aᵢₗ Bⱼₗ Sₖₗ]ᵢⱼₖ"),
    (c * x + c * w, "c(x + w)"),
    (2 * A + 2 * einsum("ij->ji", A), "2 (A + Aᵀ)"),
    (A / 2 - 3 * B / 2, "½ (A − 3 B)"),
    (TABLE["exp"](einsum("ij,j->i", X, w)), "exp(Xw)"),
    (TABLE["log"](1 + TABLE["exp"](margin)), "ln(1 + exp(y ⊙ Xw))"),
    (x / w, "x ⊘ w"),
    (x / c, "x/c"),
    (x**2, "x^(⊙2)"),
    (einsum("i,i->", x, w) * x, "(xᵀw) x"),
    (TABLE["norm"](z, params=((0,), False)), "‖Xw − y‖"),
    (grad(TABLE["norm"](x, params=((0,), False)), x), "x/‖x‖"),
    (TABLE["logsumexp"](hidden, params=(0, False)), "logsumexp(Wx + b)"),
    (grad(TABLE["logsumexp"](hidden, params=(0, False)), W), "softmax(Wx + b) xᵀ"),
    (grad(einsum("i,i->", s, w), x), "s ⊙ (w − sᵀw)  where s = softmax(x)"),
    (TABLE["tanh"](A) * TABLE["reshape"](x, params=((n, 1),)), "diag(x) tanh(A)"),
    (x + 1, "x + 1ₙ"),
    (TABLE["sigmoid"](x) * (1 - TABLE["sigmoid"](x)), "s ⊙ (1 − s)  where s = σ(x)"),
    (TABLE["broadcast"](b, params=((m, k), (1,))), "1ₘ bᵀ"),
    (TABLE["mean"](x, params=((0,), False)), "sum(x)/n"),
    (TABLE["exp"](c) * x, "exp(c) x"),
]


@pytest.mark.parametrize(("expr", "line"), LINES, ids=[line for _, line in LINES])
def test_lines(expr: Expr, line: str) -> None:
    found = read(expr, properties=KNOWN)
    assert text(found) == line
    assert_equal_to_graph(found, expr)


def assert_equal_to_graph(found: mat.Mat, expr: Expr) -> None:
    values = numbers()
    want = mat.evaluate(mat.tensor(expr), values, SIZES)
    np.testing.assert_allclose(mat.evaluate(found, values, SIZES), want, rtol=1e-9, atol=1e-9)


# ---------------------------------------------------------------- random networks against einsum

LABEL_SIZES = {0: n, 1: n, 2: n, 3: n, 4: n, 5: n}
VECTORS = [w, x, TABLE["exp"](x)]
MATRICES = [A, B, S, Q, TABLE["tanh"](A)]


@st.composite
def terms(draw: Any, out: tuple[int, ...], labels: int) -> Term:
    factors = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["matrix", "matrix", "vector", "number"]))
        pool = {"matrix": MATRICES, "vector": VECTORS, "number": [c]}[kind]
        node = draw(st.sampled_from(pool))
        factors.append(Factor(node, tuple(draw(st.integers(0, labels)) for _ in node.shape)))
    edge = st.tuples(st.sampled_from(out), st.sampled_from(out)).filter(lambda e: e[0] < e[1])
    deltas = draw(st.lists(edge, max_size=2, unique=True)) if len(out) > 1 else []
    coefficient = draw(st.sampled_from([1, -1, 2, Fraction(1, 2), -3, 0.3]))
    return Term(coefficient, tuple(factors), tuple(deltas))


@st.composite
def networks(draw: Any) -> Network:
    out = tuple(draw(st.permutations(range(draw(st.integers(0, 4))))))
    found = draw(st.lists(terms(out, 5), min_size=1, max_size=3))
    return Network(out, tuple(found), LABEL_SIZES)


def value_of_network(network: Network, values: dict[str, np.ndarray]) -> np.ndarray:
    size = SIZES["n"]
    total = np.zeros([size] * len(network.out))
    for term in network.terms:
        operands = [
            mat.evaluate(mat.tensor(f.node), values, SIZES).reshape([size] * len(f.indices)) for f in term.factors
        ]
        groups = [f.indices for f in term.factors] + list(term.deltas)
        operands += [np.eye(size) for _ in term.deltas]
        operands += [np.ones(size) for j in network.out]
        groups += [(j,) for j in network.out]
        letters = lambda group: "".join(chr(97 + j) for j in group)
        spec = ",".join(map(letters, groups)) + "->" + letters(network.out)
        total = total + float(term.coefficient) * (np.einsum(spec, *operands) if operands else 1.0)
    return total


def flattened(value: np.ndarray, order: str) -> np.ndarray:
    """Index pairs as rows and columns: what the reading of a network with up to four axes stands for."""
    half = (value.ndim + 1) // 2
    rows, columns = value.shape[:half], value.shape[half:]
    if order == "column":
        axes = [*reversed(range(half)), *reversed(range(half, value.ndim))]
        value = value.transpose(axes)
    return value.reshape(int(np.prod(rows)), int(np.prod(columns)))


@settings(max_examples=400, deadline=None)
@given(network=networks(), order=st.sampled_from(["row", "column"]), seed=st.integers(0, 5))
def test_networks_agree_with_einsum(network: Network, order: Any, seed: int) -> None:
    found = read_network(network, properties=KNOWN, order=order)
    assert found is not None
    values = numbers(seed)
    got = mat.evaluate(found, values, SIZES)
    want = value_of_network(network, values)
    want = want if found.op == "indexed" and len(found.shape) > 2 else flattened(want, order)
    np.testing.assert_allclose(got, want.reshape(got.shape), rtol=1e-8, atol=1e-8)
    assert with_shapes(found).splitlines()[0] == text(found)
    assert latex(found)


HESSIANS: list[tuple[tuple[int, ...], tuple[Factor, ...], tuple[tuple[int, int], ...], str, str]] = [
    ((0, 1), (Factor(X, (2, 0)), Factor(v, (2,)), Factor(X, (2, 1))), (), "Xᵀ diag(v) X", "Xᵀ diag(v) X"),
    ((0, 1, 2, 3), (Factor(A, (0, 2)), Factor(B, (1, 3))), (), "A ⊗ B", "B ⊗ A"),
    ((0, 1, 2, 3), (Factor(B, (1, 3)),), ((0, 2),), "Iₙ ⊗ B", "B ⊗ Iₙ"),
    ((0, 1, 2, 3), (Factor(A, (0, 1)),), ((0, 2), (1, 3)), "diag(vec(A))", "diag(vec(A))"),
    ((0, 1, 2, 3), (Factor(A, (0, 1)), Factor(B, (2, 3))), (), "vec(A) vec(B)ᵀ", "vec(A) vec(B)ᵀ"),
    ((0, 1, 2, 3), (Factor(A, (0, 3)), Factor(B, (1, 2))), (), "(A ⊗ B) Kₙ,ₙ", "(B ⊗ A) Kₙ,ₙ"),
    ((0, 1), (Factor(x, (0,)),), ((0, 1),), "diag(x)", "diag(x)"),
    ((0, 1), (), ((0, 1),), "Iₙ", "Iₙ"),
]


@pytest.mark.parametrize(("out", "factors", "deltas", "row", "column"), HESSIANS, ids=[h[3] for h in HESSIANS])
def test_networks_of_hessians(out: Any, factors: Any, deltas: Any, row: str, column: str) -> None:
    sizes = dict.fromkeys(range(6), n) | ({2: m} if factors and factors[0].node is X else {})
    network = Network(out, (Term(1, factors, deltas),), sizes)
    assert text(read_network(network)) == row  # type: ignore[arg-type]
    assert text(read_network(network, order="column")) == column  # type: ignore[arg-type]


def test_softmax_hessian_names_what_occurs_twice() -> None:
    network = Network(
        (0, 1), (Term(-1, (Factor(s, (0,)), Factor(s, (1,)))), Term(1, (Factor(s, (0,)),), ((0, 1),))), {0: n, 1: n}
    )
    found = read_network(network)
    assert found is not None
    assert text(found) == "diag(s) − s sᵀ  where s = softmax(x)"


def test_kronecker_sizes_and_convention_are_said() -> None:
    network = Network(
        (0, 1, 2, 3), (Term(2, (Factor(V, (4, 1)), Factor(V, (4, 3))), ((0, 2),)),), {0: m, 1: k, 2: m, 3: k, 4: n}
    )
    found = read_network(network)
    assert found is not None
    assert text(found) == "2 (Iₘ ⊗ VᵀV)"
    assert found.shape == (m * k, m * k)


# ---------------------------------------------------------------- random graphs against the table


@st.composite
def graphs(draw: Any) -> Expr:
    nodes: list[Expr] = [A, S, Q, x, w, c, B]
    for _ in range(draw(st.integers(1, 6))):
        a, d = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        nodes.append(grown(draw(st.sampled_from(list(GROW))), a, d))
    return nodes[-1]


def product(a: Expr, d: Expr) -> Expr:
    if not a.shape or not d.shape:
        return a * d
    left, right = ("ij" if len(a.shape) == 2 else "j"), ("jk" if len(d.shape) == 2 else "j")
    return einsum(f"{left},{right}->{left.replace('j', '')}{right.replace('j', '')}", a, d)


GROW = {
    "add": lambda a, d: a + d,
    "sub": lambda a, d: a - 2 * d,
    "mul": lambda a, d: a * d,
    "div": lambda a, d: a / (3 + d * d),
    "matmul": product,
    "turn": lambda a, d: einsum("ij->ji", a) if len(a.shape) == 2 else a,
    "sum": lambda a, d: einsum("ij->j", a) if len(a.shape) == 2 else (einsum("i->", a) if a.shape else a),
    "trace": lambda a, d: einsum("ii->", a) if len(a.shape) == 2 else a,
    "diagonal": lambda a, d: einsum("ii->i", a) if len(a.shape) == 2 else a,
    "outer": lambda a, d: einsum("i,j->ij", a, d) if len(a.shape) == len(d.shape) == 1 else a,
    "tanh": lambda a, d: TABLE["tanh"](a),
    "square": lambda a, d: a**2,
    "inverse square": lambda a, d: (2 + a * a) ** -1,
    "softmax": lambda a, d: TABLE["softmax"](a, params=(0,)) if a.shape else a,
    "norm": lambda a, d: TABLE["norm"](a, params=(tuple(range(len(a.shape))), False)) if a.shape else a,
    "column": lambda a, d: TABLE["reshape"](a, params=((n, 1),)) * d if len(a.shape) == 1 else a,
}


def grown(name: str, a: Expr, d: Expr) -> Expr:
    if any(len(e.shape) == 2 and e.shape[1] == 1 for e in (a, d)):  # a column already: only the entrywise rows take it
        name = "tanh"
    return GROW[name](a, d)


@settings(max_examples=300, deadline=None)
@given(expr=graphs())
def test_graphs_agree_with_the_table(expr: Expr) -> None:
    found = read(expr, properties=KNOWN)
    values = numbers()
    with np.errstate(all="ignore"):
        want = mat.evaluate(mat.tensor(expr), values, SIZES)
        got = mat.evaluate(found, values, SIZES)
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-7 * (1 + np.abs(want).max()))
    assert with_shapes(found).splitlines()[0] == text(found)


# ---------------------------------------------------------------- algebra


def test_rules_of_inverses_and_transposes() -> None:
    a, q, sym = (mat.symbol(name, (n, n), KNOWN.get(name, ())) for name in "AQS")
    d, pd = mat.symbol("D", (n, n), {"diagonal"}), mat.symbol("P", (n, n), {"positive definite"})
    assert mat.multiply(a, mat.invert(a)) is mat.identity(n)
    assert mat.multiply(mat.transpose(mat.invert(a)), mat.transpose(a)) is mat.identity(n)
    assert mat.multiply(mat.transpose(q), q, a) is a
    assert mat.invert(q) is mat.transpose(q)
    assert mat.transpose(mat.invert(sym)) is mat.invert(sym)
    assert mat.transpose(d) is d
    assert mat.transpose(pd) is pd
    assert (
        text(mat.scale(-1, mat.multiply(mat.transpose(mat.invert(a)), q, mat.transpose(mat.invert(a))))) == "−A⁻ᵀ Q A⁻ᵀ"
    )
    assert text(mat.add(mat.logdet(a), mat.det(a), mat.trace(mat.multiply(a, q)))) == "log det A + det A + tr(AQ)"


def test_names_and_norms() -> None:
    theta, w1 = mat.symbol("theta", (n,)), mat.symbol("W_1", (m, n))
    assert text(mat.multiply(w1, theta)) == "W₁ θ"
    assert text(mat.norm(w1)) == "‖W₁‖_F"
    assert text(mat.norm(w1, "*")) == "‖W₁‖_*"
    assert text(mat.power(mat.norm(theta), 2)) == "‖θ‖²"
    assert latex(w1, shapes=True) == r"\underset{m\times n}{W_{1}}"


def test_two_inputs_of_one_name_stay_apart() -> None:
    one, two = input_of("x", (n,)), input_of("x", (n,))
    assert text(read(einsum("i,i->", one, two))) == "xᵀ x₂"


def test_a_formula_with_much_sharing_is_written_in_linear_space() -> None:
    node = einsum("ij,j->i", A, x)
    for _ in range(40):
        node = TABLE["tanh"](node) * einsum("ij,j->i", B, node) + node
    found = read(node)
    assert len(text(found)) < 10_000
    assert len(source(found)) < 10_000


def test_shapes_below_symbols() -> None:
    found = read(grad(einsum("i,i->", z, z), w))
    lines = with_shapes(found).splitlines()
    assert lines[0] == "2 Xᵀ(Xw − y)"
    for upper, lower in zip(["X", "X", "w", "y"], ["m×n", "m×n", "n", "m"]):
        assert lower in lines[2]
        assert upper in lines[1]
    for place, letter in enumerate(lines[1]):
        if letter in "Xwy":
            assert lines[2][place] in "mn"
    assert with_shapes(mat.symbol("A", (n, n))) == "A\nn×n"
    assert "index notation:" in with_shapes(read(einsum("ik,jk,lk->ijl", A, B, S)))


def test_bad_shapes_are_named() -> None:
    a, r = mat.symbol("A", (m, n)), mat.symbol("x", (m,))
    with pytest.raises(ShapeError, match="n columns meet m rows"):
        mat.multiply(a, r)
    with pytest.raises(ShapeError, match="square"):
        mat.invert(a)
    with pytest.raises(InputError, match="properties are"):
        mat.symbol("A", (n, n), {"unitary"})
    with pytest.raises(InputError, match="numpy, torch"):
        source(a, "cobol")


# ---------------------------------------------------------------- sources


def run(code: str, language: str, values: dict[str, np.ndarray]) -> np.ndarray:
    scope: dict[str, Any] = {}
    exec(compile(code, language, "exec"), scope)
    call = scope["formula"]
    names = call.__code__.co_varnames[: call.__code__.co_argcount]
    wrap = {"numpy": lambda a: a, "torch": _tensor, "jax": _jax}[language]
    return np.asarray(call(*[wrap(values[name]) if name in values else SIZES[name] for name in names]))


def _tensor(a: np.ndarray) -> Any:
    import torch

    return torch.tensor(a)


def _jax(a: np.ndarray) -> Any:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy.asarray(a)


def shared() -> mat.Mat:
    u = mat.called("softmax", mat.symbol("x", (n,)), (n, 1))
    return mat.subtract(mat.diag(u), mat.multiply(u, mat.transpose(u)))


a_, b_, x_, w_, X_, v_, c_ = (mat.symbol(name, INPUTS[name].shape) for name in "ABxwXvc")
FORMULAS: dict[str, mat.Mat] = {
    "shared": shared(),
    "solve": mat.multiply(mat.invert(a_), b_, x_),
    "solve right": mat.multiply(b_, mat.invert(a_)),
    "solve row": mat.multiply(mat.transpose(x_), mat.invert(a_), b_, mat.transpose(mat.invert(a_))),
    "solve scaled": mat.multiply(mat.number(2), c_, mat.invert(a_), x_),
    "inverse": mat.add(mat.invert(a_), mat.transpose(mat.invert(a_))),
    "middle": mat.multiply(mat.transpose(X_), mat.diag(v_), X_),
    "left": mat.multiply(mat.diag(x_), a_, mat.diag(w_)),
    "narrow": mat.multiply(a_, x_, mat.transpose(w_), b_),
    "trace": mat.trace(mat.multiply(a_, mat.transpose(b_))),
    "trace of three": mat.trace(mat.multiply(a_, b_, a_)),
    "norms": mat.add(mat.norm(x_), mat.norm(a_), mat.norm(a_, "*"), mat.det(a_), mat.logdet(a_)),
    "kron": mat.kron(a_, b_),
    "kron of a vector": mat.multiply(mat.kron(x_, a_), w_),
    "vec": mat.multiply(mat.vec(a_), mat.transpose(mat.vec(b_, "column"))),
    "commuted": mat.multiply(mat.commutation(m, n), mat.vec(X_)),
    "commuted columns": mat.multiply(mat.commutation(m, n, "column"), mat.vec(X_, "column")),
    "ones": mat.add(mat.ones(n), mat.mapped("exp", x_), mat.multiply(c_, mat.ones(n))),
    "quotient": mat.divide(mat.hadamard(x_, w_), mat.add(mat.ones(n), mat.power(w_, 2))),
    "over": mat.divide(mat.multiply(a_, x_), mat.multiply(mat.norm(x_), mat.extent(n))),
    "identity": mat.add(a_, mat.multiply(c_, mat.identity(n))),
    "functions": mat.add(*[mat.mapped(f, x_) for f in ("sigmoid", "softplus", "tanh", "relu", "log1p", "abs", "sqrt")]),
    "fraction": mat.scale(Fraction(-3, 7), mat.multiply(a_, x_)),
    "negative": mat.mapped("exp", mat.scale(-1, mat.hadamard(x_, mat.multiply(a_, w_)))),
    "logsumexp": mat.called("logsumexp", mat.multiply(a_, x_), mat.SCALAR),
    "diagonal": mat.multiply(a_, mat.diagonal(mat.multiply(a_, b_))),
    "zeros": mat.zeros((n, n)),
    "total": mat.total(mat.mapped("exp", a_)),
}


@pytest.mark.parametrize("language", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("name", FORMULAS)
def test_sources_run(name: str, language: str) -> None:
    pytest.importorskip(language)
    formula, values = FORMULAS[name], numbers()
    want = mat.evaluate(formula, values, SIZES)
    code = source(formula, language)
    np.testing.assert_allclose(
        run(code, language, values).reshape(want.shape), want, rtol=1e-9, atol=1e-9, err_msg=code
    )


@settings(max_examples=150, deadline=None)
@given(expr=graphs())
def test_random_sources_run(expr: Expr) -> None:
    formula, values = read(expr, properties=KNOWN), numbers()
    try:
        code = source(formula, "numpy")
    except UnsupportedError:
        return
    with np.errstate(all="ignore"):
        want = mat.evaluate(formula, values, SIZES)
        got = run(code, "numpy", values)
    scale = 1 + np.abs(want).max()
    np.testing.assert_allclose(got.reshape(want.shape), want, rtol=1e-7, atol=1e-7 * scale, err_msg=code)


@settings(max_examples=60, deadline=None)
@given(network=networks())
def test_random_networks_in_code(network: Network) -> None:
    formula = read_network(network, properties=KNOWN)
    assert formula is not None
    values = numbers()
    want = mat.evaluate(formula, values, SIZES)
    code = source(formula, "numpy")
    np.testing.assert_allclose(run(code, "numpy", values).reshape(want.shape), want, rtol=1e-8, atol=1e-8, err_msg=code)


def test_sources_read_well() -> None:
    residual = mat.subtract(mat.multiply(X_, w_), v_)
    least = mat.scale(2, mat.multiply(mat.transpose(X_), residual))
    assert source(least).endswith("def formula(X, w, v):\n    return 2 * X.T @ (X @ w - v)\n")
    assert "v[:, None] * X" in source(FORMULAS["middle"])
    assert "np.linalg.solve(A, B @ x)" in source(FORMULAS["solve"])
    assert source(shared()).count("softmax") == 1
    assert "2 * X' * (X * w - v)" in source(least, "julia")
    assert "A \\ (B * x)" in source(FORMULAS["solve"], "matlab")


@pytest.mark.parametrize("language", ["julia", "matlab"])
@pytest.mark.parametrize("name", FORMULAS)
def test_other_sources_are_well_formed(name: str, language: str) -> None:
    code = source(FORMULAS[name], language)
    assert code.startswith(
        "using LinearAlgebra\n\nfunction formula(" if language == "julia" else "function result = formula("
    )
    assert code.count("(") == code.count(")")
    assert code.count("[") == code.count("]")
    assert "np." not in code
    assert "@" not in code
    assert "**" not in code


def test_index_notation_has_no_source_where_there_is_no_einsum() -> None:
    found = read(einsum("ik,jk,lk->ijl", A, B, S))
    assert "np.einsum(" in source(found)
    for language in ("julia", "matlab"):
        with pytest.raises(UnsupportedError, match="einsum"):
            source(found, language)
    assert set(LANGUAGES) == {"numpy", "torch", "jax", "julia", "matlab"}
