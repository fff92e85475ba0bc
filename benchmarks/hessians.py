"""Hessians: tangently's against closed forms written by hand, and against libraries that differentiate.

The problems are those of Laue, Mitterreiter and Giesen (Computing higher order derivatives of matrix and tensor
expressions, NeurIPS 2018: xᵀAx, logistic regression, matrix factorization) and three more of their kind. As there,
logistic regression has twice as many rows as parameters. Each problem is one function of NumPy's (`xp`), written
without a thought of its derivative; every library gets the same function, and the data as arguments, so that nothing
that depends on the data can be prepared.

What is measured for each problem:
dense        the Hessian as one array
structured   the object that `tangently.hessian` returns, which does not form that array; and its product with a vector
small        the same with so few variables that libraries of scalar symbols can take part, and what a call costs shows
symbolic     what a function that was never seen costs once: trace, differentiate, simplify, generate code
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import tangently as tg

from . import peers
from .harness import Call, Row, compare, duration, same, seconds

HAND, JAX, TORCH = "NumPy written by hand", "JAX, jitted", "PyTorch, torch.func"
PYTENSOR, AUTOGRAD, CASADI = "PyTensor, compiled", "autograd", "CasADi"
SYMPY, SYMENGINE = "SymPy, lambdified", "symengine, Lambdify"
PRODUCT = "JAX, jitted Hessian-vector product"
SYMMETRIC = "NumPy by hand, symmetric product"
LARGE: dict[str, Callable[..., Call]] = {
    JAX: peers.hessian_in_jax,
    TORCH: peers.hessian_in_torch,
    PYTENSOR: peers.hessian_in_pytensor,
    AUTOGRAD: peers.hessian_in_autograd,
}
SMALL: dict[str, Callable[..., Call]] = {
    CASADI: peers.hessian_in_casadi,
    SYMPY: peers.hessian_in_sympy,
    SYMENGINE: peers.hessian_in_symengine,
    JAX: peers.hessian_in_jax,
}
SYMBOLIC_LIMIT = 10.0  # milliseconds
ONCE = "median of new functions, each of a new size"
WORTH_A_NOTE = 5e-3  # seconds that a library spends once
Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Problem:
    """An objective, inputs of any size for it, and the Hessian that a person would write."""

    name: str
    objective: Callable[..., Any]  # (xp, x, *data)
    data: Callable[[int], Arrays]  # x and the data, for a size
    by_hand: Callable[..., np.ndarray]  # (x, *data)
    describe: Callable[..., str]  # the sizes in words, of x and the data
    sizes: tuple[int, ...]
    small: int
    limits: dict[str, float | None] = field(default_factory=dict)
    structured_limit: float | None = None  # against JAX, of the Hessian that is not formed
    also: dict[str, Callable[..., np.ndarray]] = field(default_factory=dict)  # other ways to write it by hand


# ---- the objectives, and their Hessians by hand


def quadratic(xp, x, A):
    return x @ A @ x


def quadratic_by_hand(x, A):
    return A + A.T


def quadratic_data(n: int) -> Arrays:
    rng = np.random.default_rng(0)
    return rng.normal(size=n), rng.normal(size=(n, n))


def logistic(xp, w, X, y):
    return xp.sum(xp.log(1 + xp.exp(-y * (X @ w))))


def logistic_by_hand(w, X, y):
    """Xᵀ diag(p(1 − p)) X, p = σ(y ⊙ Xw); y² = 1."""
    p = 1 / (1 + np.exp(-y * (X @ w)))
    return X.T @ ((p * (1 - p))[:, None] * X)


def logistic_symmetric(w, X, y):
    """The same as BᵀB, for which BLAS has a routine of half the work."""
    p = 1 / (1 + np.exp(-y * (X @ w)))
    B = np.sqrt(p * (1 - p))[:, None] * X
    return B.T @ B


def regression_data(n: int) -> Arrays:
    rng = np.random.default_rng(1)
    return rng.normal(size=n) / n, rng.normal(size=(2 * n, n)), np.sign(rng.normal(size=2 * n))


def poisson(xp, w, X, y):
    return xp.sum(xp.exp(X @ w)) - y @ (X @ w)


def poisson_by_hand(w, X, y):
    """Xᵀ diag(exp(Xw)) X."""
    return X.T @ (np.exp(X @ w)[:, None] * X)


def counts_data(n: int) -> Arrays:
    w, X, y = regression_data(n)
    return w, X, np.floor(np.exp(y))


def factorization(xp, U, T, V):
    return xp.sum((T - U @ V.T) ** 2)


def factorization_by_hand(U, T, V):
    """I ⊗ 2VᵀV: one block, on the diagonal."""
    n, k = U.shape
    H = np.zeros((n, k, n, k))
    H[np.arange(n), :, np.arange(n), :] = 2 * (V.T @ V)
    return H


def factorization_data(n: int, k: int = 5) -> Arrays:
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, k)), rng.normal(size=(n, n)), rng.normal(size=(n, k))


def logsumexp(xp, x):
    return xp.log(xp.sum(xp.exp(x)))


def logsumexp_by_hand(x):
    """diag(s) − s sᵀ, s = softmax(x)."""
    e = np.exp(x)
    s = e / e.sum()
    H = np.multiply.outer(-s, s)
    H.ravel()[:: len(s) + 1] += s
    return H


def vector_data(n: int) -> Arrays:
    return (np.random.default_rng(3).normal(size=n),)


def layer(xp, W, X, V, y):
    """Softmax cross-entropy of tanh(X W) V."""
    z = xp.tanh(X @ W) @ V
    return xp.sum(xp.log(xp.sum(xp.exp(z), axis=1))) - xp.sum(y * z)


def layer_by_hand(W, X, V, y):
    """Σᵢ xᵢxᵢᵀ ⊗ Bᵢ, where Bᵢ = diag(t′)V(diag(s) − ssᵀ)Vᵀdiag(t′) + diag(t″ ⊙ V(s − y)) with t = tanh(Wᵀxᵢ)."""
    (m, d), h = X.shape, W.shape[1]
    t = np.tanh(X @ W)
    e = np.exp(t @ V)
    s = e / e.sum(axis=1, keepdims=True)
    first, mean = 1 - t * t, s @ V.T
    B = (V * s[:, None, :]) @ V.T
    B -= mean[:, :, None] * mean[:, None, :]
    B *= first[:, :, None] * first[:, None, :]
    B.reshape(m, -1)[:, :: h + 1] -= 2 * t * first * (mean - y @ V.T)
    outer = (X[:, :, None] * X[:, None, :]).reshape(m, d * d)
    return np.ascontiguousarray((outer.T @ B.reshape(m, h * h)).reshape(d, d, h, h).transpose(0, 2, 1, 3))


def layer_data(d: int) -> Arrays:
    rng = np.random.default_rng(4)
    m, h, c = 3 * d, max(2, 4 * d // 5), max(2, d // 2)
    X, W, V = rng.normal(size=(m, d)), rng.normal(size=(d, h)) / d, rng.normal(size=(h, c))
    return W, X, V, np.eye(c)[rng.integers(0, c, m)]


def length(x, *data) -> str:
    return f"n = {x.size:,}"


def rows_and_length(w, X, y) -> str:
    return f"n = {w.size}, {len(X):,} rows"


def rank(U, T, V) -> str:
    return f"n = {len(U)}, k = {U.shape[1]}"


def layer_sizes(W, X, V, y) -> str:
    return f"{W.shape[0]}-{W.shape[1]}-{V.shape[1]}, {W.size} weights, {len(X)} rows"


PROBLEMS = (
    Problem(
        "xᵀAx", quadratic, quadratic_data, quadratic_by_hand, length, (1000,), 6,
        {HAND: 1.2, JAX: 1 / 45, TORCH: 1 / 50},
    ),
    Problem(
        "logistic regression", logistic, regression_data, logistic_by_hand, rows_and_length, (200, 800), 4,
        {HAND: 1.2, JAX: 1 / 2.5, TORCH: 1 / 12}, also={SYMMETRIC: logistic_symmetric},
    ),
    Problem("Poisson regression", poisson, counts_data, poisson_by_hand, rows_and_length, (200,), 4, {HAND: 1.2}),
    Problem(
        "matrix factorization", factorization, factorization_data, factorization_by_hand, rank, (150,), 3,
        {HAND: 1.5, JAX: 1 / 500, TORCH: 1 / 4000}, structured_limit=1 / 10_000,
    ),
    Problem("logsumexp", logsumexp, vector_data, logsumexp_by_hand, length, (1000,), 6, {HAND: 1.2}),
    Problem("one layer of a network", layer, layer_data, layer_by_hand, layer_sizes, (20,), 2, {HAND: 1.5}),
)  # fmt: skip


# ---- what is timed


def ours(problem: Problem) -> Callable[..., Any]:
    """A new Hessian of a new function: nothing of an earlier one is kept with it."""
    return tg.hessian(partial(problem.objective, np), wrt=0)


def dense(hessian: Any) -> np.ndarray:
    return np.asarray(hessian.dense() if hasattr(hessian, "dense") else hessian)


def dense_rows(problem: Problem, size: int, libraries: dict[str, Callable[..., Call]], note: str = "") -> Iterator[Row]:
    args = problem.data(size)
    hessian, hands = ours(problem), {HAND: problem.by_hand, **problem.also}
    calls: dict[str, Call | None] = {"tangently": lambda: dense(hessian(*args))}
    calls |= {name: partial(hand, *args) for name, hand in hands.items()}
    notes, limits = {}, {} if note else problem.limits
    for name, maker in libraries.items():
        calls[name] = peers.optional(prepared, maker, problem, args, notes, name)
    for call in filter(None, calls.values()):
        same(dense(call()), problem.by_hand(*args))
    scenario = f"Hessian of {problem.name}{note}, {problem.describe(*args)}"
    yield from compare(scenario, calls, limits, notes)


def prepared(maker: Callable[..., Call], problem: Any, args: Arrays, notes: dict[str, str], name: str) -> Call:
    """The peer's call; what was spent before it answers as fast as it can is noted."""
    made: list[Call] = []
    once = seconds(lambda: made.append(maker(problem.objective, *args))) + seconds(lambda: made[0]())
    once -= seconds(made[0])
    notes[name] = f"once {duration(once)}" if once > WORTH_A_NOTE else ""
    return made[0]


def structured_rows(problem: Problem, size: int) -> Iterator[Row]:
    """The Hessian as an object, and times a vector, which the closed form has to be at hand for."""
    args = problem.data(size)
    hessian, v = ours(problem), np.random.default_rng(5).normal(size=args[0].shape)
    found = hessian(*args)
    scenario = f"structured Hessian of {problem.name}, {problem.describe(*args)}"
    if not hasattr(type(found), "structure"):
        yield Row(scenario, JAX, None, note="tangently returned an array")
        return
    whole = peers.optional(peers.hessian_in_jax, problem.objective, *args)
    calls: dict[str, Call | None] = {"tangently": lambda: hessian(*args), JAX: whole}
    limit = problem.structured_limit if size in problem.sizes else None
    yield from compare(scenario, calls, {JAX: limit}, {JAX: said(found.structure)})
    product = peers.optional(peers.product_in_jax, problem.objective, v, *args)
    wanted = np.tensordot(problem.by_hand(*args), v, v.ndim)
    calls = {"tangently": lambda: hessian(*args) @ flat_for(found, v), PRODUCT: product}
    for call in filter(None, calls.values()):
        same(np.reshape(call(), v.shape), wanted)
    yield from compare(f"{scenario}, times a vector", calls, {})


def flat_for(hessian: Any, v: np.ndarray) -> np.ndarray:
    """A Hessian by a matrix is a linear map of matrices, or of their entries in a row: it says which by its shape."""
    return v.ravel() if len(getattr(hessian, "shape", ())) == 2 else v


def said(structure: Any) -> str:
    return str(structure).replace("|", "\\|").replace("\n", " ")


def symbolic_rows(problem: Problem) -> Iterator[Row]:
    found = once_per_function(lambda: ours(problem), problem.data, range(problem.small + 1, problem.small + 7))
    yield Row(f"symbolic time of the Hessian of {problem.name}", "a bound", found, SYMBOLIC_LIMIT, "ms", note=ONCE)


def once_per_function(make: Callable[[], Callable[..., Any]], data: Callable[[int], Arrays], sizes: range) -> float:
    """Milliseconds of the first call of a new function, at a size that was never seen, less a later call.

    The first size is not counted: modules are loaded then.
    """
    found = []
    for size in sizes:
        args, function = data(size), make()
        first = seconds(lambda function=function, args=args: function(*args))
        later = min(seconds(lambda function=function, args=args: function(*args)) for _ in range(3))
        found.append(1000 * (first - later))
    return float(np.median(found[1:]))


def hessian_rows(quick: bool) -> Iterator[Row]:
    for problem in PROBLEMS:
        for size in () if quick else problem.sizes:
            yield from dense_rows(problem, size, LARGE)
        yield from structured_rows(problem, problem.small if quick else problem.sizes[0])
        yield from dense_rows(problem, problem.small, SMALL, note=", small")
        yield from symbolic_rows(problem)
