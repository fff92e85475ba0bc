"""Gradients by backend and size: every backend against plain NumPy, the objective and jitted JAX, in one run.

The ratio of a row is the time of tangently's gradient under one backend over that of its competitor. Before anything is
timed the backends' answers are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tangently as tg
from tangently.settings import available

from . import peers
from .cases import same
from .harness import Call, Row, interleaved, versus

SIZES = (100, 10_000, 100_000, 1_000_000)


def chain(x):
    """Thirty elementwise operations, five of them transcendental."""
    y = np.tanh(x) * np.exp(-x * x) + np.sin(x) / (1 + x * x)
    return (y * np.log1p(y * y) - 0.5 * np.cos(y)).sum()


def logsumexp(x):
    m = x.max(axis=1, keepdims=True)
    return (np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]).sum()


def mixture(a, means, q, x):
    """The logarithm of a mixture of Gaussians with diagonal matrices."""
    e = np.exp(q)[None] * (x[:, None, :] - means[None])
    return logsumexp(a[None] + q.sum(axis=1)[None] - 0.5 * (e**2).sum(axis=2))


def lstm(W, xs, h):
    """A cell of ten units over a sequence."""
    n, c, total = len(h), h, 0.0
    for x in xs:
        z = W @ np.concatenate([x, h])
        f, i, o = (1 / (1 + np.exp(-z[k * n : (k + 1) * n])) for k in range(3))
        c = f * c + i * np.tanh(z[3 * n :])
        h = o * np.tanh(c)
        total = total + (h * h).sum()
    return total


def cases(quick: bool) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...], Any]]:
    """(scenario, function, arguments, wrt)."""
    rng = np.random.default_rng(0)
    for n in SIZES[: 3 if quick else 4]:
        yield f"chain of 30 operations, n = {n:,}", chain, (rng.normal(size=n),), "x"
    for n in (100, 1_000, 10_000)[: 2 if quick else 3]:
        yield f"logsumexp, {n:,} × 100", logsumexp, (rng.normal(size=(n, 100)),), "x"
    for n in (1_000, 10_000)[: 1 if quick else 2]:
        given = (rng.normal(size=25), rng.normal(size=(25, 10)), rng.normal(size=(25, 10)), rng.normal(size=(n, 10)))
        yield f"mixture of 25 in 10 dimensions, {n:,} points", mixture, given, ("a", "means", "q")
    yield "LSTM cell, 20 steps", lstm, (0.3 * rng.normal(size=(40, 18)), rng.normal(size=(20, 8)), np.zeros(10)), "W"
    yield "784-256-10 network, batch 128", peers.network, peers.network_data(), "params"


def calls(f: Callable[..., Any], args: tuple[Any, ...], wrt: Any) -> dict[str, Call]:
    """The gradient under each backend that is installed, and the function itself."""
    found: dict[str, Call] = {}
    for backend in available():
        with tg.options(backend):
            gradient = tg.grad(f, wrt=wrt)
            for _ in range(3):  # compiled, and entered directly
                gradient(*args)
        found[backend] = lambda g=gradient, b=backend: under(b, g, args)
    found["the function"] = lambda: f(*args)
    return found


def under(backend: str, gradient: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    with tg.options(backend):
        return gradient(*args)


def backend_rows(quick: bool) -> list[Row]:
    """Every backend against plain NumPy; "auto" against the function itself and against XLA."""
    rows: list[Row] = []
    for scenario, f, args, wrt in cases(quick):
        competitors = calls(f, args, wrt)
        for name, call in competitors.items():
            if name != "the function":
                same(call(), competitors["numpy"]())
        times = interleaved(competitors, 10 if quick else 25)
        rows += [
            versus(f"{scenario}: {b}", times, b, "numpy", None) for b in times if b not in ("numpy", "the function")
        ]
        rows.append(versus(f"{scenario}: gradient", times, "auto", "the function", 4.0))
        if "jax" in times:
            rows.append(versus(f"{scenario}: auto", times, "auto", "jax", None))
    return rows


__all__ = ["backend_rows"]
