"""The functions that are measured, the gradients that a person would write, and the same in PyTorch, JAX and autograd.

Each maker of a peer gives a call without arguments that returns gradients as NumPy-like arrays, or None where the
library is not installed. Everything is in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Call = Callable[[], Any]


def optional(make: Callable[..., Call], *args: Any) -> Call | None:
    """The peer's call, or None where the peer is not installed."""
    try:
        return make(*args)
    except ImportError:
        return None


# ---- three functions of numbers


def wave(x):
    return math.sin(x) * math.exp(-x * x)


def wave_by_hand(x):
    return math.exp(-x * x) * (math.cos(x) - 2 * x * math.sin(x))


def logistic(x):
    return 1 / (1 + math.exp(-(3 * x**2 + 2 * x - 1)))


def logistic_by_hand(x):
    p = 1 / (1 + math.exp(-(3 * x**2 + 2 * x - 1)))
    return p * (1 - p) * (6 * x + 2)


def two(x, y):
    return x**2 + 3 * y + math.exp(x * y)


def two_by_hand(x, y):
    e = math.exp(x * y)
    return 2 * x + y * e, 3 + x * e


# ---- a network: 784-256-10, ReLU, softmax cross-entropy


def network_data(batch: int = 128) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(0, 0.05, (784, 256)),
        "b1": np.zeros(256),
        "W2": rng.normal(0, 0.05, (256, 10)),
        "b2": np.zeros(10),
    }
    return params, rng.normal(size=(batch, 784)), np.eye(10)[rng.integers(0, 10, batch)]


def network(params, x, y):
    h = np.maximum(x @ params["W1"] + params["b1"], 0)
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(y * log_p).sum() / len(x)


def network_by_hand(params, x, y):
    h = np.maximum(x @ params["W1"] + params["b1"], 0)
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    dz = (e / e.sum(axis=1, keepdims=True) - y) / len(x)
    dh = (dz @ params["W2"].T) * (h > 0)
    return {"W1": x.T @ dh, "b1": dh.sum(axis=0), "W2": h.T @ dz, "b2": dz.sum(axis=0)}


def network_in_torch(params, x, y) -> Call:
    import torch

    p = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    tx, ty = torch.tensor(x), torch.tensor(y)

    def call() -> Any:
        h = torch.relu(tx @ p["W1"] + p["b1"])
        loss = torch.nn.functional.cross_entropy(h @ p["W2"] + p["b2"], ty)
        return dict(zip(p, torch.autograd.grad(loss, list(p.values()))))

    return call


def network_in_jax(params, x, y) -> Call:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(p, x, y):
        h = jnp.maximum(x @ p["W1"] + p["b1"], 0)
        return -(y * jax.nn.log_softmax(h @ p["W2"] + p["b2"])).sum() / len(x)

    gradient = jax.jit(jax.grad(loss))
    args = jax.tree.map(jnp.asarray, (params, x, y))
    return lambda: jax.block_until_ready(gradient(*args))


# ---- Rosenbrock's function of n numbers


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_by_hand(x):
    """As scipy.optimize.rosen_der has it."""
    g = np.zeros_like(x)
    g[1:-1] = 200 * (x[1:-1] - x[:-2] ** 2) - 400 * (x[2:] - x[1:-1] ** 2) * x[1:-1] - 2 * (1 - x[1:-1])
    g[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    g[-1] = 200 * (x[-1] - x[-2] ** 2)
    return g


def rosenbrock_in_torch(x) -> Call:
    import torch

    t = torch.tensor(x, requires_grad=True)
    return lambda: torch.autograd.grad(rosenbrock(t), t)[0]


def rosenbrock_in_jax(x) -> Call:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient, a = jax.jit(jax.grad(rosenbrock)), jnp.asarray(x)
    return lambda: jax.block_until_ready(gradient(a))


def rosenbrock_in_autograd(x) -> Call:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda v: anp.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2))
    return lambda: gradient(x)


# ---- long programs


def chain(x, n):
    """n operations, one after another."""
    for _ in range(n // 4):
        x = x + 0.001 * np.sin(x) * x
    return x


def rnn(W, U, h, xs):
    for x in xs:
        h = np.tanh(W @ h + U @ x)
    return (h**2).sum()


def rnn_data(steps: int = 10_000, size: int = 32) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    W = np.linalg.qr(rng.normal(size=(size, size)))[0]
    return W, 0.1 * rng.normal(size=(size, 8)), np.zeros(size), rng.normal(size=(steps, 8))
