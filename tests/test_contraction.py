"""Derivatives as tensor networks: the network of a Hessian has the numbers that products with directions have."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tangently as tg
from tangently.contraction import Network, coefficient, compact, contract_all
from tangently.differentiation import pullback, tangent
from tangently.expr import const, evaluate, symbol
from tangently.primitives.kinds import letters
from tangently.tracing.recording import record

RNG = np.random.default_rng(0)
A, B, S, Y = RNG.normal(size=(4, 4)), RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3)), RNG.normal(size=5)
K = np.array([0, 2, 2, 1])


def value_of(network: Network, values: dict[Any, Any]) -> np.ndarray:
    """The network by one einsum a term, deltas and picks written out."""
    total = np.zeros([network.sizes[j] for j in network.out])
    for term in network.terms:
        arrays, labels = [], []
        for f in term.factors:
            arrays.append(np.asarray(evaluate([f.node], values)[0]))
            labels.append(f.indices)
        for a, b in term.deltas:
            arrays.append(np.eye(network.sizes[a]))
            labels.append((a, b))
        for p in term.picks:
            sizes = [network.sizes[j] for j in p.by]
            one = np.zeros([network.sizes[p.source], *sizes])
            for at in itertools.product(*map(range, sizes)):
                one[(p.table[at], *at)] = 1
            arrays.append(one)
            labels.append((p.source, *p.by))
        have = {j for group in labels for j in group}
        for j in network.out:
            if j not in have:
                arrays.append(np.ones(network.sizes[j]))
                labels.append((j,))
        names = dict(zip(dict.fromkeys(j for group in (*labels, network.out) for j in group), letters(52)))
        spec = ",".join("".join(names[j] for j in group) for group in labels)
        out = "".join(names[j] for j in network.out)
        total = total + float(term.coefficient) * np.einsum(f"{spec}->{out}", *arrays)
    return total


def sp(u: Any) -> Any:
    return np.log(1 + np.exp(u))


SCALARS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "quadratic": (lambda x: x @ A @ x, (4,)),
    "least squares": (lambda x: np.sum((B @ x - Y) ** 2), (4,)),
    "logistic": (lambda x: np.sum(sp(-Y * (B @ x))), (4,)),
    "poisson": (lambda x: np.sum(np.exp(B @ x)) - Y @ (B @ x), (4,)),
    "log-sum-exp": (lambda x: tg.functions.logsumexp(x), (4,)),
    "naive log-sum-exp": (lambda x: np.log(np.sum(np.exp(x))), (4,)),
    "factorization": (lambda U: np.sum((RT - U @ S[:3].T) ** 2), (5, 3)),
    "right factor": (lambda V: np.sum((RT - RU @ V.T) ** 2), (3, 3)),
    "trace": (lambda X: np.trace(X @ A @ X.T @ A), (4, 4)),
    "trace of the square": (lambda X: np.trace(X @ X), (4, 4)),
    "squared trace": (lambda X: np.trace(X) ** 2, (4, 4)),
    "softmax rows": (lambda W: -np.sum(S.T * tg.functions.log_softmax(W @ A, axis=1)), (3, 4)),
    "cross-entropy": (lambda W: np.sum(tg.functions.cross_entropy(B @ W, np.eye(3)[[0, 1, 2, 0, 1]])), (4, 3)),
    "layer": (lambda W: np.sum((np.tanh(W @ A) @ S - 1) ** 2), (3, 4)),
    "chain": (lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), (7,)),
    "two shifts": (lambda x: np.sum((x[2:] * x[1:-1] * x[:-2])[1:] ** 2), (8,)),
    "picked": (lambda x: np.sum(x[K] ** 3 * x[[1, 1, 0, 3]]), (4,)),
    "entries": (lambda x: x[0] ** 2 * x[1] + np.sin(x[2] * x[-1]), (4,)),
    "stacked": (lambda x: np.sum(np.stack([x[0] * x[1], x[2] ** 2]) ** 2), (4,)),
    "joined": (lambda x: np.sum(np.concatenate([x[2:] ** 2, x[:2], np.ones(2)]) ** 2), (4,)),
    "reshaped": (lambda x: np.sum((x.reshape(2, 3) @ S[:3] - 1) ** 2), (6,)),
    "packed": (lambda x: np.sum((np.tanh(B @ x[:4]) * x[4] + x[5]) ** 2), (6,)),
    "mean": (lambda x: np.mean(np.sin(x) ** 2), (5,)),
    "variance": (lambda x: np.var(x), (5,)),
    "norm": (lambda x: np.linalg.norm(x), (4,)),
    "norm cubed": (lambda x: np.linalg.norm(B @ x) ** 3, (4,)),
    "outer": (lambda x: np.sum(np.outer(x, x) ** 2 * A), (4,)),
    "pairs": (lambda x: np.sum(np.exp(-((x[:, None] - x[None, :]) ** 2))), (5,)),
    "columns": (lambda X: np.sum((X - X.mean(axis=0)) ** 2 / (1 + np.sum(X**2, axis=1, keepdims=True))), (4, 3)),
    "deep": (lambda w: np.sum(np.tanh(A @ np.tanh(A @ np.tanh(A @ w)))), (4,)),
    "linear": (lambda x: np.sum(B @ x), (4,)),
    "where": (lambda x: np.sum(np.where(x > 0, x**3, x**2)), (6,)),
    "padded": (lambda x: np.sum(np.pad(x, 1)[1:-1] ** 3), (4,)),
    "linear layer": (lambda W: np.sum(np.tanh(tg.functions.linear(B, W)) ** 2), (3, 4)),
    "batched": (lambda X: np.sum(np.einsum("bij,bj->bi", X3, X) ** 2 * X), (2, 3)),
}  # fmt: skip
RT, RU, X3 = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=(2, 3, 3))


def hessian_network(f: Any, x: np.ndarray) -> tuple[Network, dict[Any, Any], Any]:
    recording = record(f, [x], ["x"], lambda leaves: ((leaves[0],), {}), [True])
    node, y = recording.inputs[0], recording.outputs[0]
    seed = symbol("t", x.shape)
    g = pullback([y], [const(1.0)], [node])[0]
    return coefficient(tangent([g], {node: seed})[0], seed), {node: x}, node


@pytest.mark.parametrize("name", SCALARS)
def test_the_hessian_as_a_network(name: str) -> None:
    f, shape = SCALARS[name]
    x = RNG.normal(size=shape)
    network, values, _ = hessian_network(f, x)
    product = tg.hvp(f)
    basis = np.eye(x.size).reshape(x.size, *shape)
    expected = np.moveaxis(np.stack([product(x, e) for e in basis], -1).reshape(*shape, *shape), 0, 0)
    np.testing.assert_allclose(value_of(network, values), expected, rtol=1e-10, atol=1e-10)
    whole = contract_all(network)
    if whole is not None and network.terms:
        np.testing.assert_allclose(evaluate([whole], values)[0], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", SCALARS)
def test_compact_networks_have_the_same_numbers(name: str) -> None:
    f, shape = SCALARS[name]
    x = RNG.normal(size=shape)
    network, values, _ = hessian_network(f, x)
    fewer = compact(network)
    assert len(fewer.terms) <= len(network.terms)
    np.testing.assert_allclose(value_of(fewer, values), value_of(network, values), rtol=1e-9, atol=1e-12)


def test_terms_that_differ_in_one_vector_become_one() -> None:
    f, shape = SCALARS["logistic"]
    network, _, _ = hessian_network(f, RNG.normal(size=shape))
    assert [sorted(len(f.indices) for f in t.factors) for t in compact(network).terms] == [[1, 2, 2]]


MAPS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "matrix times vector": (lambda x: np.tanh(B @ x), (4,)),
    "more rows": (lambda x: np.stack([np.sin(x), x**2, x[::-1] * x]), (4,)),
    "concatenated with whole numbers": (lambda x: np.concatenate([x**2, np.array([1, 2]), np.outer(x, x)[1]]), (4,)),
    "sorted": (lambda x: np.sort(x * x) * np.cumsum(x), (5,)),
    "largest": (lambda X: X.max(axis=1)[:, None] * X, (3, 4)),
    "rotation": (lambda t: np.array([[np.cos(t[0]), -np.sin(t[0])], [t[1], np.cos(t[0])]]) @ RU[:2] + t[1], (2,)),
    "softmax": (lambda X: tg.functions.softmax(X @ A, axis=1), (3, 4)),
    "picked": (lambda x: x[K] * x[:, None], (4,)),
    "broadcast": (lambda x: np.pad(x, 1) + np.broadcast_to(x[:1], (6,)), (4,)),
    "products": (lambda x: np.prod(x.reshape(2, 3), axis=1) ** np.arange(8)[:, None], (6,)),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_jacobian_by_every_route(name: str) -> None:
    """By one contraction, by columns, by rows, and by products with one direction at a time."""
    from tangently import derivatives as d

    f, shape = MAPS[name]
    x = RNG.normal(size=shape)
    recording = record(f, [x], ["x"], lambda leaves: ((leaves[0],), {}), [True])
    node, y = recording.inputs[0], recording.outputs[0]
    push = tg.jvp(f)
    expected = np.stack([push(x, e) for e in np.eye(x.size).reshape(x.size, *shape)], -1).reshape(y.shape + shape)
    for route in (d.blocks, d._by_columns, d._by_rows):
        np.testing.assert_allclose(evaluate([route([y], [node])[0][0]], {node: x})[0], expected, atol=1e-12)
    np.testing.assert_allclose(tg.jacobian(f)(x), expected, atol=1e-12)


def test_a_sparse_hessian_without_closed_form_is_compressed() -> None:
    f = lambda x: np.sum(np.cumsum(x[:3]) ** 2) + np.sum(x[1:] ** 2 * x[:-1])  # a running sum is no network
    x = RNG.normal(size=60)
    H = tg.hessian(f)(x)
    assert "no closed form" in H.structure
    assert H.sparse().nnz < 60 * 5
    product = tg.hvp(f)
    np.testing.assert_allclose(H, np.stack([product(x, e) for e in np.eye(60)], -1), atol=1e-10)
