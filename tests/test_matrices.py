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
from tangently.matrices.expressions import Matrix, hvp

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
    for node in tg.matrices_inputs(m) if hasattr(tg, "matrices_inputs") else _inputs(m):
        shape = tuple(n if isinstance(n, int) else n.evaluate(SIZES) for n in node.shape)
        found[str(node.name)] = _with(Matrix(node).properties, rng.normal(size=shape) * 0.7)
        if len(shape) == 2 and shape[0] == shape[1] and not Matrix(node).properties:
            found[str(node.name)] += np.eye(shape[0]) * 2
    return found


def _inputs(m: Matrix) -> list[Any]:
    from tangently.matrices.expressions import _inputs

    return _inputs(m)


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
    (found,) = run([node], {new: at[str(old.name)] if new.shape else at[str(old.name)].item() for old, new in swap.items()})
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
    given = {k: v for k, v in at.items()}
    value = np.asarray(found.evaluate(**given, **{k: v for k, v in SIZES.items() if _has(found, k)}))
    scale = 1 + np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(value, wanted, atol=tolerance * scale, rtol=0)
    printed = notation.evaluate(found.formula, at, SIZES)
    np.testing.assert_allclose(np.squeeze(printed), np.squeeze(wanted), atol=tolerance * scale, rtol=0)


def _has(found: Matrix, size: str) -> bool:
    return any(size in n.names() for node in _inputs(found) for n in node.shape if not isinstance(n, int))


def softmax_loss(logits: Matrix, target: Matrix) -> Matrix:
    return -(target * F.log_softmax(logits)).sum()


Case = tuple[Callable[[], Matrix], Matrix, str]
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
    "cross-entropy": (lambda: TABLE_CE(M @ x + b, t), M, ""),
    "trace of four": (lambda: np.trace(A @ V @ V.T @ A.T), V, ""),
    "orthogonal": (lambda: np.linalg.norm(Q @ x - a) ** 2, x, ""),
    "kernel": (lambda: np.exp(-np.linalg.norm(x - a) ** 2 / 2), x, ""),
    "gaussian": (lambda: 0.5 * P.logdet() + 0.5 * (x - a).T @ P.inv() @ (x - a), P, ""),
    "sum of all": (lambda: np.sum(X @ A), A, ""),
    "hadamard": (lambda: np.sum((X @ A) * X), X, ""),
    "quotient": (lambda: (x.T @ A @ x) / (x.T @ x), x, ""),
    "power of a trace": (lambda: np.trace(A @ A @ A), A, "3 AᵀAᵀ"),
}


def TABLE_CE(logits: Matrix, target: Matrix) -> Matrix:
    return F.FUNCTIONS["cross_entropy"](logits, target)


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
    "softmax": (lambda: F.softmax(x), x, "diag(s) − s sᵀ  where s = softmax(x)", "diag(s) − s sᵀ  where s = softmax(x)"),
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
    from tangently.matrices.expressions import grad, jacobian

    make, wrt, printed, numerator = ARRAYS[name]
    e = make()
    at = values_for(e)
    j = slopes(e, wrt, at)
    rows = j.ndim - wrt.ndim
    turned = j.transpose([*range(rows, j.ndim), *range(rows)])
    g = grad(e, wrt=wrt, vec=vec)  # type: ignore[arg-type]
    n = jacobian(e, wrt=wrt, vec=vec)  # type: ignore[arg-type]
    if e.ndim and wrt.ndim:
        check(g, flattened(turned, wrt.ndim, vec) if g.ndim < 3 else turned, at)
        check(n, flattened(j, rows, vec) if n.ndim < 3 else j, at)
    else:
        check(g, j, at)
        check(n, j.T if not e.ndim else j, at)
    if vec == "column":
        assert not printed or g.unicode() == printed
        assert not numerator or n.unicode() == numerator
