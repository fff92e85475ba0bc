"""Matrices without numbers: every derivative in print, its formula and its graph against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tangently as tg
from tangently import functions as F
from tangently.errors import InputError, ShapeError
from tangently.matrices import notation
from tangently.matrices.expressions import Matrix, _inputs

SIZES = {"n": 3, "m": 4, "k": 2, "d": 5}
A, B, M = tg.matrix("A", "n n"), tg.matrix("B", "n n"), tg.matrix("M", "m n")
S, P = tg.matrix("S", "n n", symmetric=True), tg.matrix("P", "n n", positive_definite=True)
Q, D = tg.matrix("Q", "n n", orthogonal=True), tg.matrix("D", "n n", diagonal=True)
X, Y, W = tg.matrix("X", "m n"), tg.matrix("Y", "m k"), tg.matrix("W", "k n")
U, V, C = tg.matrix("U", "m k"), tg.matrix("V", "n k"), tg.matrix("C", "k m")
a, x, z, w = (tg.vector(v, "n") for v in "axzw")
b, y, t = (tg.vector(v, "m") for v in "byt")
u, v = (tg.vector(v, "k") for v in "uv")
c = tg.scalar("c")


def values_for(m: Matrix, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays for every symbol, with the properties that were declared."""
    rng = np.random.default_rng(seed)
    found = {}
    for node in _inputs(m):
        shape = tuple(n if isinstance(n, int) else n.evaluate(SIZES) for n in node.shape)
        found[str(node.name)] = _with(Matrix(node).properties, rng.normal(size=shape) * 0.7)
        if len(shape) == 2 and shape[0] == shape[1] and not Matrix(node).properties:
            found[str(node.name)] += np.eye(shape[0]) * 2
    return found


def _with(held: frozenset[str], array: np.ndarray) -> np.ndarray:
    if "positive definite" in held:
        return array @ array.T + np.eye(len(array))
    if "diagonal" in held:
        return np.diag(np.abs(np.diagonal(array)) + 0.5)
    if "orthogonal" in held:
        return np.linalg.qr(array)[0]
    return (array + array.T) / 2 + 2 * np.eye(len(array)) if "symmetric" in held else array


def slopes(e: Matrix, wrt: Matrix, at: dict[str, np.ndarray], step: float = 1e-5) -> np.ndarray:
    """∂e/∂wrt by central differences: the axes of e, then those of wrt."""
    name, base = str(wrt.name), at[str(wrt.name)]
    columns = []
    for k in range(base.size):
        d = np.zeros(base.size)
        d[k] = step
        ends = [np.asarray(_free(e, {**at, name: base + s * d.reshape(base.shape)})) for s in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, -1).reshape(np.shape(columns[0]) + base.shape)


def _free(e: Matrix, at: dict[str, np.ndarray]) -> Any:
    """The value, where a symbol may leave the matrices that it was declared to be in."""
    from tangently.expr import concrete_inputs, concretize
    from tangently.expr import evaluate as run

    swap = concrete_inputs([e.expr], SIZES)
    (node,) = concretize([e.expr], SIZES, swap)
    (found,) = run(
        [node], {new: at[str(old.name)] if new.shape else at[str(old.name)].item() for old, new in swap.items()}
    )
    return found


def flattened(array: np.ndarray, rows: int, order: str = "column") -> np.ndarray:
    """The axes of each side flattened by vec."""
    sides = [list(range(rows)), list(range(rows, array.ndim))]
    if order == "column":
        array = array.transpose([k for side in sides for k in reversed(side)])
    shape = array.shape
    sizes = [math.prod(shape[:rows])] * (rows > 0) + [math.prod(shape[rows:])] * (array.ndim > rows)
    return array.reshape(sizes)


def check(found: Matrix, wanted: np.ndarray, at: dict[str, np.ndarray], tolerance: float = 2e-6) -> None:
    """The value of the graph and that of the printed formula are the numbers wanted."""
    value = np.asarray(found.evaluate(at))
    scale = 1 + np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(value, wanted, atol=tolerance * scale, rtol=0)
    printed = notation.evaluate(found.formula, at, SIZES)
    np.testing.assert_allclose(np.squeeze(printed), np.squeeze(wanted), atol=tolerance * scale, rtol=0)


def softmax_loss(logits: Matrix, target: Matrix) -> Matrix:
    return -(target * F.log_softmax(logits)).sum()


def cross_entropy(logits: Matrix, target: Matrix) -> Matrix:
    return F.cross_entropy(logits, target)


Case = tuple[Callable[[], Any], Matrix, str]
GRADIENTS: dict[str, Case] = {
    "quadratic": (lambda: x.T @ A @ x, x, "(A + Aᵀ)x"),
    "quadratic in A": (lambda: x.T @ A @ x, A, "x xᵀ"),
    "symmetric quadratic": (lambda: x.T @ S @ x, x, "2 Sx"),
    "bilinear": (lambda: a.T @ A @ x, a, "Ax"),
    "square norm": (lambda: np.linalg.norm(x) ** 2, x, "2 x"),
    "inner": (lambda: x.T @ x, x, "2 x"),
    "norm": (lambda: np.linalg.norm(x), x, ""),
    "frobenius": (lambda: np.linalg.norm(X) ** 2, X, "2 X"),
    "least squares": (lambda: np.linalg.norm(X @ w - y) ** 2, w, "2 Xᵀ(Xw − y)"),
    "least squares in X": (lambda: np.linalg.norm(X @ w - y) ** 2, X, "2 (Xw − y) wᵀ"),
    "trace": (lambda: np.trace(A), A, "Iₙ"),
    "trace of a product": (lambda: np.trace(X @ V @ C), X, "CᵀVᵀ"),
    "two traces": (lambda: np.trace(A.T @ A) + np.trace(B.T @ B), A, "2 A"),
    "trace of a square": (lambda: np.trace(A) + np.trace(A @ A), A, "2 Aᵀ + Iₙ"),
    "log det": (lambda: A.logdet(), A, "A⁻ᵀ"),
    "log of det": (lambda: np.log(A.det()), A, "A⁻ᵀ"),
    "log det, positive": (lambda: P.logdet(), P, "P⁻¹"),
    "det": (lambda: A.det(), A, "det(A) A⁻ᵀ"),
    "trace of an inverse": (lambda: np.trace(A.inv() @ B), A, "−A⁻ᵀ Bᵀ A⁻ᵀ"),
    "inverse quadratic": (lambda: a.T @ A.inv() @ x, A, "−A⁻ᵀ a xᵀ A⁻ᵀ"),
    "symmetric trace": (lambda: np.trace(S @ A), S, "½ (A + Aᵀ)"),
    "diagonal trace": (lambda: np.trace(D @ A), D, ""),
    "logistic": (lambda: np.sum(np.log(1 + np.exp(-y * (X @ w)))), w, ""),
    "softplus": (lambda: np.sum(F.softplus(X @ w)), w, "Xᵀ σ(Xw)"),
    "poisson": (lambda: np.sum(np.exp(X @ w) - y * (X @ w)), w, "Xᵀ(exp(Xw) − y)"),
    "logsumexp": (lambda: F.logsumexp(x), x, "softmax(x)"),
    "entry power": (lambda: np.sum(x**3), x, "3 x^(⊙2)"),
    "factorization": (lambda: np.linalg.norm(X - U @ V.T) ** 2, U, ""),
    "number": (lambda: c * (x.T @ x), c, "xᵀx"),
    "cubic number": (lambda: c**3 * np.trace(A), c, "3 tr(A) c²"),
    "mean": (lambda: np.mean((X @ w - y) ** 2), w, ""),
    "variance": (lambda: np.var(x), x, ""),
    "chain": (lambda: np.sin(x.T @ A @ x), x, ""),
    "matrix chain": (lambda: np.sum(np.tanh(X @ V)), X, ""),
    "linear layer": (lambda: softmax_loss(M @ x + b, t), M, ""),
    "linear layer, b": (lambda: softmax_loss(M @ x + b, t), b, ""),
    "linear layer, x": (lambda: softmax_loss(M @ x + b, t), x, ""),
    "cross-entropy": (lambda: cross_entropy(M @ x + b, t), M, ""),
    "trace of four": (lambda: np.trace(A @ V @ V.T @ A.T), V, ""),
    "orthogonal": (lambda: np.linalg.norm(Q @ x - a) ** 2, x, ""),
    "kernel": (lambda: np.exp(-(np.linalg.norm(x - a) ** 2) / 2), x, ""),
    "gaussian": (lambda: 0.5 * P.logdet() + 0.5 * (x - a).T @ P.inv() @ (x - a), P, ""),
    "sum of all": (lambda: np.sum(X @ A), A, ""),
    "hadamard": (lambda: np.sum((X @ A) * X), X, ""),
    "quotient": (lambda: (x.T @ A @ x) / (x.T @ x), x, ""),
    "power of a trace": (lambda: np.trace(A @ A @ A), A, "3 AᵀAᵀ"),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    make, wrt, printed = GRADIENTS[name]
    e = make()
    g = tg.grad(e, wrt=wrt)
    at = values_for(e)
    wanted = slopes(e, wrt, at)
    if wrt.properties & {"symmetric", "positive definite"}:
        wanted = (wanted + wanted.T) / 2
    if "diagonal" in wrt.properties:
        wanted = np.diag(np.diagonal(wanted))
    check(g, wanted, at)
    if printed:
        assert g.unicode() == printed


@pytest.mark.parametrize("name", [n for n, case in GRADIENTS.items() if not case[1].properties])
def test_hessians(name: str) -> None:
    """Second order of every number: the Hessian in matrix notation against differences of the gradient."""
    make, wrt, _ = GRADIENTS[name]
    e = make()
    at = values_for(e)
    found = tg.hessian(e, wrt=wrt)
    wanted = slopes(tg.grad(e, wrt=wrt), wrt, at)
    check(found, flattened(wanted, wrt.ndim) if found.ndim < 3 else wanted, at, 2e-5)


ARRAYS: dict[str, tuple[Callable[[], Matrix], Matrix, str, str]] = {  # gradient (denominator), Jacobian (numerator)
    "linear": (lambda: M @ x, x, "Mᵀ", "M"),
    "row": (lambda: x.T @ A, x, "A", "Aᵀ"),
    "identity": (lambda: x, x, "Iₙ", "Iₙ"),
    "chain rule": (lambda: np.tanh(M @ np.exp(A @ x)), x, "", ""),
    "softmax": (
        lambda: F.softmax(x),
        x,
        "diag(s) − s sᵀ  where s = softmax(x)",
        "diag(s) − s sᵀ  where s = softmax(x)",
    ),
    "inverse": (lambda: A.inv(), A, "", "−A⁻ᵀ ⊗ A⁻¹"),
    "two sides": (lambda: C @ X @ V, X, "V ⊗ Cᵀ", "Vᵀ ⊗ C"),
    "transpose": (lambda: X.T, X, "", ""),
    "by a matrix": (lambda: X @ w, X, "w ⊗ Iₘ", "wᵀ ⊗ Iₘ"),
    "outer": (lambda: x @ x.T, x, "", ""),
    "hadamard": (lambda: X * X, X, "", ""),
    "gram": (lambda: X.T @ X, X, "", ""),
    "by a number": (lambda: c**2 * x, c, "2 cxᵀ", "2 cx"),
    "diagonal": (lambda: F.diag(x) @ A, x, "", ""),
    "scaled": (lambda: x * (a.T @ x), x, "", ""),
    "number": (lambda: x.T @ A @ x, x, "(A + Aᵀ)x", "xᵀ(A + Aᵀ)"),
    "number by matrix": (lambda: np.trace(V.T @ X.T @ U), X, "UVᵀ", "VUᵀ"),
}


@pytest.mark.parametrize("vec", ["column", "row"])
@pytest.mark.parametrize("name", ARRAYS)
def test_derivatives_of_arrays(name: str, vec: str) -> None:
    make, wrt, printed, numerator = ARRAYS[name]
    e = make()
    at = values_for(e)
    j = slopes(e, wrt, at)
    rows = j.ndim - wrt.ndim
    turned = j.transpose([*range(rows, j.ndim), *range(rows)])
    g = tg.grad(e, wrt=wrt, vec=vec)
    n = tg.jacobian(e, wrt=wrt, vec=vec)
    if e.ndim and wrt.ndim:
        check(g, flattened(turned, wrt.ndim, vec) if g.ndim < 3 else turned, at)
        check(n, flattened(j, rows, vec) if n.ndim < 3 else j, at)
    else:
        check(g, j, at)
        check(n, j.T if not e.ndim else j, at)
    if vec == "column":
        assert not printed or g.unicode() == printed
        assert not numerator or n.unicode() == numerator


# ---------------------------------------------------------------- layers of networks

XX, G, T = tg.matrix("X", "m n"), tg.matrix("G", "m n"), tg.matrix("T", "m k")
H, KEYS, VALUES = tg.matrix("H", "m d"), tg.matrix("K", "k d"), tg.matrix("V", "k n")
QUERY, W_Q, W_K, W_V = tg.matrix("Q", "m d"), *(tg.matrix(name, "n d") for name in ("W_q", "W_k", "W_v"))
gain, shift, eps = tg.vector("g", "n"), tg.vector("s", "n"), tg.scalar("ε")
W_1, W_2 = tg.matrix("W_1", "m n"), tg.matrix("W_2", "k m")


def attention(q: Matrix, k: Matrix, v: Matrix) -> Matrix:
    return F.softmax(q @ k.T / q.columns**0.5) @ v


def layer_norm(x: Matrix, axis: int) -> Matrix:
    apart = x - np.mean(x, axis=axis, keepdims=True)
    return apart / np.sqrt(np.var(x, axis=axis, keepdims=True) + eps) * gain + shift


LAYERS: dict[str, tuple[Callable[[], Any], tuple[Matrix, ...]]] = {
    "linear, softmax cross-entropy": (lambda: cross_entropy(M @ x + b, t), (M, x, b)),
    "a batch of them": (lambda: F.cross_entropy(XX @ W.T + v, T), (W, v, XX)),
    "layer norm": (lambda: a.T @ layer_norm(x, 0), (x, gain, shift)),
    "layer norm of a batch": (lambda: np.sum(G * layer_norm(XX, 1)), (XX, gain, shift)),
    "attention": (lambda: np.sum(G * attention(QUERY, KEYS, VALUES)), (QUERY, KEYS, VALUES)),
    "self-attention": (lambda: np.sum(H * attention(XX @ W_Q, XX @ W_K, XX @ W_V)), (W_Q, W_K, W_V, XX)),
    "two layers": (lambda: np.linalg.norm(W_2 @ np.tanh(W_1 @ x + b) - u) ** 2, (W_1, W_2, x, b)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_networks(name: str) -> None:
    make, parameters = LAYERS[name]
    e = make()
    at = values_for(e) | ({"ε": np.array(0.5)} if eps.expr in _inputs(e) else {})
    for p, g in zip(parameters, tg.grad(e, wrt=parameters)):
        assert g.shape == p.shape
        check(g, slopes(e, p, at), at)
        assert len(g.steps) >= 2


@pytest.mark.parametrize("name", LAYERS)
def test_torch_source_passes_a_gradient_check(name: str) -> None:
    """The source of every layer and of its gradients runs in PyTorch, and agrees with autograd there."""
    torch = pytest.importorskip("torch")
    make, parameters = LAYERS[name]
    e = make()
    at = values_for(e) | ({"ε": np.array(0.5)} if eps.expr in _inputs(e) else {})
    tensors = {k: torch.tensor(np.asarray(v), dtype=torch.float64, requires_grad=True) for k, v in at.items()}
    _torch(e)(tensors).sum().backward()
    for p in parameters:
        found = _torch(tg.grad(e, wrt=p))(tensors)
        torch.testing.assert_close(found.reshape(tensors[str(p.name)].shape), tensors[str(p.name)].grad)


def _torch(m: Matrix) -> Callable[[dict[str, Any]], Any]:
    return _loaded(m.source("torch"))


def _loaded(source: str) -> Callable[[dict[str, Any]], Any]:
    """The function of a source text, called with what it asks for by name."""
    import inspect
    import types

    module = types.ModuleType("generated")
    exec(compile(source, "<generated>", "exec"), vars(module))
    functions = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == "generated"]
    function = functions[-1]
    return lambda values: function(*[values[k] for k in inspect.signature(function).parameters])


# ---------------------------------------------------------------- rows, columns, shapes that do not fit

WRONG: list[tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = [
    (lambda: M @ y, ShapeError, ("M (m×n) @ y (m)", "n columns meet m rows")),
    (lambda: A @ x + y, ShapeError, ("Ax (n) + y (m)",)),
    (lambda: x.T + x, ShapeError, ("xᵀ (1×n) + x (n)", "row", "column")),
    (lambda: np.multiply(x.T, x), ShapeError, ("row", "column")),
    (lambda: A @ x.T, ShapeError, ("A (n×n) @ xᵀ (1×n)",)),
    (lambda: (A + B) @ y, ShapeError, ("(A + B) (n×n) @ y (m)",)),
    (lambda: M * A, ShapeError, ("M (m×n) * A (n×n)", "write @")),
    (lambda: c @ A, ShapeError, ("c (number) @ A (n×n)", "write *")),
    (lambda: M.inv(), ShapeError, ("square",)),
    (lambda: np.trace(M), ShapeError, ("square",)),
    (lambda: tg.matrix("A"), InputError, ('matrix("A", "m n")',)),
    (lambda: tg.vector("x"), InputError, ('vector("x", "n")',)),
    (lambda: tg.matrix("A", "m n", symmetric=True), ShapeError, ("(m×n)", "symmetric", "square")),
    (lambda: tg.matrix("A", "n n", properties=("hermitian",)), InputError, ("hermitian", "orthogonal")),
    (lambda: tg.vector("x", "n m"), InputError, ("one size",)),
    (lambda: tg.matrix("A", "0 n"), InputError, ("at least 1",)),
    (lambda: tg.matrix("2", "n n"), InputError, ("a word",)),
    (lambda: x.T @ x @ A, ShapeError, ("xᵀx (number) @ A (n×n)", "write *")),
    (lambda: (S @ tg.matrix("S", "n n")).unicode(), InputError, ("two things", "rename")),
    (lambda: tg.grad(x.T @ A @ x, wrt="q"), InputError, ("q", "x, A")),
    (lambda: tg.grad(x.T @ A @ x), InputError, ("wrt=",)),
    (lambda: tg.grad(x.T @ x, wrt=x @ x), InputError, ("a symbol",)),
    (lambda: tg.grad(x.T @ x, wrt=x, layout="middle"), InputError, ("numerator", "denominator")),
    (lambda: tg.hessian(A @ x, wrt=x), ShapeError, ("one number", "jacobian")),
    (lambda: (A @ x).evaluate(A=np.eye(3), x=np.ones(4)), ShapeError, ("n is 3 in A and 4 in x",)),
    (lambda: (A @ x).evaluate(A=np.ones((3, 4)), x=np.ones(4)), ShapeError, ("n is 3 in A and 4 in A",)),
    (lambda: (A @ x).evaluate(A=np.eye(3)), InputError, ("x has no value",)),
    (lambda: (A @ x).evaluate(A=np.eye(3), x=np.ones(3), q=1), InputError, ("q is not in Ax",)),
    (lambda: (S @ x).evaluate(S=np.triu(np.ones((3, 3))), x=np.ones(3)), InputError, ("declared symmetric",)),
    (lambda: bool(x.T @ x > 0), tg.TraceError, ("xᵀx", "evaluate")),
    (lambda: float(x.T @ x), tg.TraceError, ("xᵀx", "evaluate")),
    (lambda: x + "text", InputError, ("text",)),
]


@pytest.mark.parametrize(("make", "kind", "words"), WRONG, ids=lambda v: v[0] if isinstance(v, tuple) else "")
def test_errors_name_both_sides(make: Callable[[], Any], kind: type[Exception], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


ORIENTED: list[tuple[Callable[[], Matrix], str, tuple[int, ...], bool]] = [
    (lambda: x.T, "xᵀ", (3,), True),
    (lambda: x.T.T, "x", (3,), False),
    (lambda: 2 * np.exp(x.T), "2 exp(x)ᵀ", (3,), True),
    (lambda: x.T @ A, "xᵀA", (3,), True),
    (lambda: x @ A, "Aᵀx", (3,), False),
    (lambda: x @ z, "xᵀz", (), False),
    (lambda: x @ z.T, "x zᵀ", (3, 3), False),
    (lambda: np.dot(x, z.T), "x zᵀ", (3, 3), False),
    (lambda: np.matmul(x.T, z), "xᵀz", (), False),
    (lambda: F.matmul(x, z.T), "x zᵀ", (3, 3), False),
    (lambda: F.softmax(x.T), "softmax(x)ᵀ", (3,), True),
    (lambda: np.transpose(x) @ x, "xᵀx", (), False),
    (lambda: (x.T + a.T) @ z, "(x + a)ᵀz", (), False),
]


@pytest.mark.parametrize(("make", "printed", "shape", "row"), ORIENTED, ids=lambda v: v if isinstance(v, str) else "")
def test_rows_are_never_lost(make: Callable[[], Matrix], printed: str, shape: tuple[int, ...], row: bool) -> None:
    m = make()
    at = values_for(m)
    assert (m.unicode(), np.shape(m.evaluate(at)), m.row) == (printed, shape, row)
    np.testing.assert_allclose(np.squeeze(notation.evaluate(m.formula, at, SIZES)), m.evaluate(at))


# ---------------------------------------------------------------- what a result shows


def test_a_result_shows_its_formula_shapes_layout_and_notes() -> None:
    g = tg.grad(x.T @ A @ x, wrt=x)
    assert str(g).splitlines()[0] == "(A + Aᵀ)x"
    assert "n×n" in str(g)
    assert "layout" not in str(g)
    assert "denominator layout" in str(tg.grad(M @ x, wrt=x))
    assert "numerator layout" in str(tg.jacobian(M @ x, wrt=x))
    assert repr(g) == "<gradient (A + Aᵀ)x (n)>"
    assert g._repr_latex_() == f"${g.latex()}$"
    assert any("Magnus" in n for n in tg.grad(np.trace(S @ A), wrt=S).notes)
    assert any("vec stacks columns" in n for n in tg.jacobian(C @ X @ V, wrt=X).notes)
    index = tg.hessian(np.sum((X @ A) * X), wrt=X)
    assert index.ndim == 2 or any("index notation" in n for n in index.notes)


def test_steps_end_with_the_result() -> None:
    g = tg.grad(np.trace(A.inv() @ B) + A.logdet(), wrt=A)
    names = [s.name for s in g.steps]
    assert "inverse of a matrix" in names
    assert any("dA" in line for s in g.steps for line in s.lines)
    assert g.steps[-1].lines[-1] == f"∇ = {g.formula}"
    assert "d(U⁻¹) = −U⁻¹ dU U⁻¹" in str(g.steps)
    h = tg.hessian(np.sum(F.softplus(X @ w)), wrt=w)
    assert h.steps[-1].lines[-1] == f"H = {h.formula}"


def test_a_gradient_is_differentiated_again() -> None:
    e = x.T @ A @ x + np.sum(np.exp(x))
    twice = tg.grad(tg.grad(e, wrt=x), wrt=x)
    at = values_for(e)
    np.testing.assert_allclose(twice(at), tg.hessian(e, wrt=x)(at))
    v_ = tg.vector("v", "n")
    found = tg.hvp(e, x, v_)(at | {"v": np.array([1.0, 2.0, 3.0])})
    np.testing.assert_allclose(found, tg.hessian(e, wrt=x)(at) @ [1.0, 2.0, 3.0])


def test_a_size_that_no_array_has_may_be_given() -> None:
    i = tg.grad(np.trace(A), wrt=A)
    assert i(n=2).tolist() == [[1, 0], [0, 1]]


def test_blocks_of_a_hessian() -> None:
    e = np.exp(x.T @ A @ z) + c * np.sum(x)
    at = values_for(e)
    blocks = tg.hessian(e, wrt=(x, z, c))
    for p, row in zip((x, z, c), blocks):
        for q, block in zip((x, z, c), row):
            np.testing.assert_allclose(block(at), slopes(tg.grad(e, wrt=p), q, at), atol=1e-6)


def test_functions_and_texts() -> None:
    assert tg.grad(lambda x: x.T @ A @ x)(x).unicode() == "(A + Aᵀ)x"
    assert tg.hessian(lambda x: x.T @ A @ x)(x).unicode() == "A + Aᵀ"
    assert [g.unicode() for g in tg.grad(lambda x, A: x.T @ A @ x)(x, A)] == ["(A + Aᵀ)x", "x xᵀ"]
    assert tg.grad("x' A x", wrt="x", shapes={"A": "n n"}).unicode() == "(A + Aᵀ)x"
    assert tg.parse("x' A x")(x=x, A=A).unicode() == "xᵀAx"


def test_no_closed_form_says_so_and_computes() -> None:
    at = {"x": np.array([0.1, 0.2, 0.3])}
    j = tg.jacobian(F.cumsum(x), wrt=x)
    assert any("no closed form" in n for n in j.notes)
    np.testing.assert_allclose(j(at), np.tril(np.ones((3, 3))))
    h = tg.hessian(np.sum(np.exp(F.cumsum(x))), wrt=x)
    np.testing.assert_allclose(h(at), slopes(tg.grad(np.sum(np.exp(F.cumsum(x))), wrt=x), x, at), atol=1e-7)


def test_a_budget_that_is_exceeded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from tangently.matrices import simplifying

    monkeypatch.setattr(simplifying, "BUDGET", 3)
    e: Any = np.linalg.norm(X @ w - y) ** 2
    g = tg.grad(e, wrt=w)
    assert any("budget exceeded: unsimplified" in n for n in g.notes)
    at = values_for(e)
    check(g, slopes(e, w, at), at)


def test_properties_simplify() -> None:
    assert S.T.unicode() == "S"
    assert (Q.T @ Q @ x).unicode() == "x"
    assert Q.inv().unicode() == "Qᵀ"
    assert np.log(np.abs(P.det())).unicode() == "log det P"
    assert Q.logdet().unicode() == "0"
    assert (A @ A.inv() @ x).unicode() == "x"
    assert tg.grad(np.abs(P.det()), wrt=P).unicode() == "det(P) P⁻¹"
    assert S.properties == frozenset({"symmetric"})
    assert tg.matrix("A", "n n") is not A
    assert tg.matrix("A", "n n").expr is A.expr
