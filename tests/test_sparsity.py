"""Sparsity patterns: never an entry missed, on functions of every kind; and exact where the exact pattern is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import tangently as tg
from tangently.differentiation import pullback, tangent
from tangently.expr import TABLE, Dim, Expr, Primitive, const, make, symbol
from tangently.sparsity import Dense, colored_hessian, compression, hessian_pattern, pattern
from tangently.tracing.recording import record

RNG = np.random.default_rng(7)
X = np.array([0.6, 1.9, 1.5, 0.8, 1.1, 1.4])
A = RNG.normal(size=(6, 6))
BAND = np.triu(np.tril(A, 1), -1)
MASK = np.array([1.0, 0.0, 2.0, 0.0, 0.0, 1.0])
K = np.array([4, 0, 0, 2])
PLACES = np.array([0, 3, 3, 5])


def recorded(f: Callable[..., Any], x: np.ndarray) -> tuple[Expr, Expr]:
    recording = record(f, [x], ["x"], lambda leaves: ((leaves[0],), {}), [True])
    return recording.outputs[0], recording.inputs[0]


def truly(derivative: Callable[[np.ndarray], Any], points: list[np.ndarray]) -> np.ndarray:
    """The places that are other than zero at one of these points."""
    return np.any([np.asarray(derivative(x)).reshape(-1, x.size) != 0 for x in points], axis=0)


def shuffled(count: int) -> list[np.ndarray]:
    """Points whose entries come in different orders: other entries are the largest, other branches are taken."""
    return [RNG.permutation(X) * RNG.uniform(0.9, 1.1, 6) for _ in range(count)]


def covers(found: Any, true: np.ndarray) -> bool:
    assert found.shape == true.shape
    return bool((found.toarray() | ~true).all())


# ---------------------------------------------------------------- exactly


FIRST: dict[str, Callable[[Any], Any]] = {
    "elementwise": lambda x: np.exp(x) * np.sin(x),
    "a slice": lambda x: x[1:5] ** 2,
    "strides and steps back": lambda x: x[::-2] * x[1::2],
    "whole numbers as an index": lambda x: x[2] * x[-1],
    "an array of positions": lambda x: x[K] ** 2,
    "new axes": lambda x: x[:, None] * x[None, :3],
    "differences": lambda x: np.diff(x**3),
    "roll": lambda x: np.concatenate([x[1:], x[:1]]) * x,
    "np.roll": lambda x: np.roll(x, 2) - x**2,
    "reshape and sum": lambda x: np.sum(x.reshape(2, 3) ** 2, axis=1),
    "transpose": lambda x: np.exp(x.reshape(2, 3)).T,
    "a mean over axes": lambda x: np.mean(x.reshape(2, 3) ** 2, axis=0),
    "broadcast": lambda x: x.reshape(2, 3) * x[:3],
    "a row and a column": lambda x: x[:3][:, None] + x[3:],
    "stacked": lambda x: np.stack([x, x**2, x[::-1]], axis=1),
    "padded": lambda x: np.pad(x**2, 2),
    "put back and added": lambda x: x * tg.grad(lambda u: np.sum(u[PLACES] ** 3))(x),
    "a mask": lambda x: MASK * x**2,
    "a mask in the middle": lambda x: np.diff(x * MASK * np.exp(x)),
    "where the mask is known": lambda x: np.where(MASK > 0, x**2, np.roll(x, 1)),
    "a running sum": lambda x: np.cumsum(x**2),
    "a running sum along an axis": lambda x: np.cumsum(x.reshape(2, 3) ** 2, axis=1),
    "a banded matrix": lambda x: BAND @ x**2,
    "a banded matrix from the right": lambda x: np.exp(x) @ BAND,
    "a band, a matrix of numbers": lambda x: BAND @ np.sin(x.reshape(6, 1) * np.ones((1, 3))),
    "a full matrix": lambda x: A @ x,
    "block by block": lambda x: x.reshape(3, 2) @ A[:2, :2],
    "a sum of squares": lambda x: x @ x,
    "extrema along an axis": lambda x: np.max(x.reshape(2, 3), axis=1),
    "products along an axis": lambda x: np.prod(x.reshape(3, 2), axis=1, keepdims=True),
    "softmax of rows": lambda x: tg.functions.softmax(x.reshape(3, 2)),
    "log-sum-exp of rows": lambda x: tg.functions.logsumexp(x.reshape(2, 3), axis=0),
    "norms of rows": lambda x: np.linalg.norm(x.reshape(2, 3), axis=1),
    "sorted rows": lambda x: np.sort(x.reshape(3, 2), axis=1),
    "windows": lambda x: np.stack([x[k : k + 4] for k in range(3)]).T @ np.array([1.0, -2.0, 1.0]),
    "a triangle": lambda x: np.tril(np.outer(x[:3], x[3:])),
    "an inverse": lambda x: np.linalg.inv(x[:4].reshape(2, 2)),
    "an outer product": lambda x: np.outer(x[:3], x[3:]),
    "a trace": lambda x: np.trace(np.outer(x, x)),
    "a diagonal": lambda x: np.diagonal(np.outer(x[:3], x[3:])),
    "steps": lambda x: np.floor(x) + np.sign(x) + (x > 0) * x[0],
    "nothing": lambda x: 0.0 * x + 3.0,
}


@pytest.mark.parametrize("name", FIRST)
def test_the_pattern_of_a_jacobian_is_exact(name: str) -> None:
    f = FIRST[name]
    np.testing.assert_array_equal(pattern(*recorded(f, X)).toarray(), truly(tg.jacobian(f), shuffled(12)))


def neighbors(n: int, *offsets: int) -> np.ndarray:
    return scipy.sparse.diags_array([1.0] * len(offsets), offsets=list(offsets), shape=(n, n)).toarray() != 0


def grid_energy(u: Any) -> Any:
    return np.sum(np.diff(u, axis=0) ** 4) + np.sum(np.diff(u, axis=1) ** 4) + np.sum(u**4)


def five_point(m: int, n: int) -> np.ndarray:
    return (np.kron(np.eye(m), neighbors(n, -1, 0, 1)) + np.kron(neighbors(m, -1, 0, 1), np.eye(n))) != 0


def arrow(n: int) -> np.ndarray:
    found = np.eye(n, dtype=bool)
    found[0], found[:, 0] = True, True
    return found


SECOND: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], np.ndarray]] = {
    "a chain": (lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), (7,), neighbors(7, -1, 0, 1)),
    "neighbors only": (lambda x: x[1:] @ x[:-1], (5,), neighbors(5, -1, 1)),
    "an arrow": (lambda x: x[0] * np.sum(x[1:] ** 2) + x[0] ** 3, (6,), arrow(6)),
    "separate": (lambda x: np.sum(np.exp(x) / (1 + x**2)), (6,), np.eye(6) != 0),
    "separate, with a mask": (lambda x: np.sum(MASK * x**3), (6,), np.diag(MASK) != 0),
    "linear": (lambda x: np.sum(A @ x) + x[0], (6,), np.zeros((6, 6), bool)),
    "blocks": (lambda x: np.sum(np.sum(x, axis=1) ** 3), (3, 2), np.kron(np.eye(3), np.ones((2, 2))) != 0),
    "blocks of log-sum-exp": (
        lambda x: np.sum(tg.functions.logsumexp(x, axis=1)), (2, 3), np.kron(np.eye(2), np.ones((3, 3))) != 0,
    ),
    "a product": (lambda x: np.prod(x), (4,), ~np.eye(4, dtype=bool)),
    "a grid": (grid_energy, (3, 4), five_point(3, 4)),
    "a banded form": (lambda x: x @ BAND @ x, (6,), neighbors(6, -1, 0, 1)),
    "two far apart": (lambda x: np.sum(x[:2] * x[-2:]), (5,), neighbors(5, -3, 3)),
    "full": (lambda x: np.log(np.sum(np.exp(x))), (4,), np.ones((4, 4), bool)),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_the_pattern_of_a_hessian_is_exact(name: str) -> None:
    f, shape, expected = SECOND[name]
    y, x = recorded(f, RNG.uniform(0.5, 2, shape))
    np.testing.assert_array_equal(hessian_pattern(y, x).toarray(), expected)


@pytest.mark.parametrize("name", SECOND)
def test_colored_products_give_the_hessian(name: str) -> None:
    f, shape, _ = SECOND[name]
    at = RNG.uniform(0.5, 2, shape)
    product = tg.hvp(f)
    rows, columns, values = colored_hessian(lambda v: product(at, v.reshape(shape)), hessian_pattern(*recorded(f, at)))
    found = scipy.sparse.coo_array((values, (rows, columns)), shape=(at.size, at.size)).toarray()
    expected = np.stack([product(at, e.reshape(shape)).reshape(-1) for e in np.eye(at.size)])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_few_products_are_enough() -> None:
    count = lambda name: (
        compression(hessian_pattern(*recorded(SECOND[name][0], np.ones(SECOND[name][1])))).coloring.count
    )
    assert [count(name) for name in ("a chain", "an arrow", "separate")] == [3, 2, 1]


# ---------------------------------------------------------------- never an entry missed


def _step(rng: np.random.Generator) -> Callable[[Any], Any]:
    """A random function of a vector of 6 numbers to one of 6."""
    order, at, w = (
        rng.permutation(6),
        int(rng.integers(1, 5)),
        rng.normal(size=(6, 6)) * (rng.uniform(size=(6, 6)) < 0.3),
    )
    picks, mask = rng.integers(0, 6, size=6), rng.integers(0, 2, size=6).astype(float)
    rows = lambda x: x.reshape(2, 3)
    return [
        lambda x: x + np.sin(x),
        lambda x: x * np.roll(x, at),
        lambda x: x[order],
        lambda x: x[picks] - x,
        lambda x: np.concatenate([x[at:], x[:at] ** 2]),
        lambda x: np.pad(np.diff(x), (0, 1)),
        lambda x: w @ np.tanh(x),
        lambda x: mask * x**2,
        lambda x: np.where(mask > 0, x, np.exp(-(x**2))),
        lambda x: np.where(x > 1, x, x[::-1]),
        lambda x: np.cumsum(x) if at == 1 else np.cumsum(rows(x), axis=at % 2).reshape(6),
        lambda x: np.sort(rows(x), axis=at % 2).reshape(6),
        lambda x: (rows(x) / (1 + np.sum(rows(x) ** 2, axis=at % 2, keepdims=True))).reshape(6),
        lambda x: (rows(x) - np.max(rows(x), axis=at % 2, keepdims=True)).T.reshape(6),
        lambda x: np.outer(x[:2], x[3:]).reshape(6),
        lambda x: tg.functions.softmax(rows(x)).reshape(6),
        lambda x: np.stack([x[:3], x[at - 1] * x[3:]], axis=at % 2).reshape(6),
        lambda x: np.einsum("ij,kj->ik", rows(x), w[:3, :3]).reshape(6),
        lambda x: np.einsum("ii->i", np.outer(x, x[order])),
        lambda x: np.maximum(x, 0.9) * np.abs(x[picks]),
        lambda x: np.stack([x[k : k + 3] for k in range(4)])[:2].reshape(6) * x,
        lambda x: np.prod(rows(x), axis=0, keepdims=True) * x[at : at + 2][:, None] * np.ones((2, 1)),
    ][int(rng.integers(22))]  # fmt: skip


def _composed(rng: np.random.Generator) -> Callable[[Any], Any]:
    steps = [_step(rng) for _ in range(int(rng.integers(1, 5)))]

    def f(x: Any) -> Any:
        for step in steps:
            x = step(x).reshape(6)
        return x

    return f


@pytest.mark.parametrize("start", range(0, 80, 10))
def test_no_entry_of_a_random_function_is_missed(start: int) -> None:
    for k in range(start, start + 10):
        f, points = _composed(np.random.default_rng(k)), shuffled(3)
        assert covers(pattern(*recorded(f, points[0])), truly(tg.jacobian(f), points)), k
        g = lambda x, f=f: np.sum(f(x) ** 2)
        second = hessian_pattern(*recorded(g, points[0]))
        assert covers(second, truly(tg.jacobian(tg.grad(g)), points)), k
        assert (second.toarray() == second.toarray().T).all()


VALUES_PICK: dict[str, Callable[[Any], Any]] = {
    "sorted": lambda x: np.sort(x) ** 2,
    "along an axis": lambda x: np.take_along_axis(x.reshape(2, 3), np.argsort(x.reshape(2, 3) ** 2, axis=1), 1),
    "a factor": lambda x: np.linalg.cholesky(np.diag(x[:3] + 9) + np.outer(x[1:4], x[1:4])),
    "eigenvalues": lambda x: np.linalg.eigvalsh(np.outer(x[:3], x[:3])),
    "a solution": lambda x: np.linalg.solve(np.outer(x[:3], x[:3]) + np.eye(3), x[2:5]),
    "the largest": lambda x: np.max(x) * x,
    "the gradient of a sort": lambda x: tg.grad(lambda u: np.sort(u)[0] * np.sort(u)[1] * u[5])(x),
}


@pytest.mark.parametrize("name", VALUES_PICK)
def test_positions_that_hang_on_values(name: str) -> None:
    f = VALUES_PICK[name]
    assert covers(pattern(*recorded(f, X)), truly(tg.jacobian(f), shuffled(6)))


def node_of(name: str, *args: Expr, params: tuple[Any, ...]) -> Expr:
    return TABLE[name](*args, params=params)


def test_unknown_positions_spread_along_their_axes_only() -> None:
    x, k = symbol("x", (2, 3)), symbol("k", (2,), "l")
    whole = ("s", None, None, None)
    picked = pattern(node_of("index", x, k, params=((whole, ("a",)),)), x).toarray()
    np.testing.assert_array_equal(picked, np.kron(np.eye(2), np.ones((2, 3))) != 0)
    update = symbol("u", (2, 2))
    base = const(np.zeros((2, 3)))
    put_back = pattern(node_of("scatter_add", base, update, k, params=((whole, ("a",)),)), update).toarray()
    np.testing.assert_array_equal(put_back, np.kron(np.eye(2), np.ones((3, 2))) != 0)
    where = symbol("w", (2, 2), "l")
    gathered = pattern(node_of("gather", x, where, params=(1,)), x).toarray()
    np.testing.assert_array_equal(gathered, np.kron(np.eye(2), np.ones((2, 3))) != 0)
    scattered = pattern(node_of("scatter_along", update, where, params=(1, (2, 3))), update).toarray()
    np.testing.assert_array_equal(scattered, np.kron(np.eye(2), np.ones((3, 2))) != 0)


def unknown_row(jvp: Any) -> Primitive:
    return Primitive(
        name="unknown", kind="call", arity=1, evaluate=lambda p, x: x, infer=lambda p, x: (x.shape, "d"), jvp=jvp
    )


def test_a_row_of_no_known_kind_is_as_sparse_as_its_tangent() -> None:
    x = symbol("x", (4,))
    late = TABLE["index"](x, params=((("s", 2, None, None),),))
    apply = lambda jvp: pattern(make(unknown_row(jvp), (late,), (), (2,), "d"), x).toarray()
    np.testing.assert_array_equal(apply(None), [[False, False, True, True]] * 2)
    np.testing.assert_array_equal(
        apply(lambda p, y, xs, ts: y * ts[0]), [[False, False, True, False], [False, False, False, True]]
    )


def test_the_gradients_graph_is_no_worse_than_its_tangents() -> None:
    """∂(gradient)/∂x, and the same read off H·t: two ways to the pattern."""
    for f, shape, _ in SECOND.values():
        y, x = recorded(f, RNG.uniform(0.5, 2, shape))
        t = symbol("t", shape)
        (moved,) = tangent(pullback([y], [const(1.0)], [x]), {x: t})
        assert hessian_pattern(y, x).nnz <= pattern(moved, t).nnz


# ---------------------------------------------------------------- bounds


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_a_long_chain_is_quick() -> None:
    y, x = recorded(rosenbrock, np.ones(100_000))
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        found = hessian_pattern(y, x)
        best = min(best, time.perf_counter() - start)
    assert found.nnz == 3 * 100_000 - 2
    assert best < 0.3


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * np.sum(x),
        lambda x: np.cumsum(x),
        lambda x: np.sort(x),
        lambda x: tg.functions.softmax(x),
        lambda x: np.broadcast_to(np.sum(x.reshape(100, 40), axis=0), (200, 40)) @ x.reshape(40, 100),
    ],
)
def test_what_fills_up_says_so_before_memory_is_taken(f: Callable[..., Any]) -> None:
    y, x = recorded(f, np.ones(4_000))
    with pytest.raises(Dense, match="entries"):
        pattern(y, x)


def test_an_array_too_large_to_list_says_so() -> None:
    x = symbol("x", (100_000,))
    with pytest.raises(Dense, match="entries"):
        pattern(x * TABLE["reshape"](x, params=((100_000, 1),)), x)


def test_a_size_without_a_number_has_no_pattern() -> None:
    x = symbol("x", (Dim.named("n"),))
    with pytest.raises(tg.errors.UnsupportedError, match="whole numbers"):
        pattern(x * x, x)
