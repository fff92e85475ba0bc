"""The functions that are measured, the gradients that a person would write, and the same in other libraries.

Each maker of a peer gives a call without arguments that returns derivatives as NumPy-like arrays, and raises
ImportError where the library is not installed (`optional` makes None of that). Everything is in float64. What a library
does once (trace, compile, differentiate symbolically, find a coloring) is done by the maker, or by the first call.

The objectives of Hessians take the library's array functions as their first argument, `xp`, and then what they are
differentiated by. Libraries with symbols get the data as symbols too, unless the name says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
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
    import autograd.numpy

    anp: Any = autograd.numpy  # which fills itself with NumPy's names when it runs
    grad: Any = autograd.grad
    gradient = grad(lambda v: anp.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2))
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


# ---- Hessians of an objective(xp, x, *data) by x, whatever the shape of x


def hessian_in_jax(objective, x, *data) -> Call:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    hessian = jax.jit(jax.hessian(partial(objective, jnp)))
    args = [jnp.asarray(a) for a in (x, *data)]
    return lambda: jax.block_until_ready(hessian(*args))


def product_in_jax(objective, v, x, *data) -> Call:
    """The Hessian times v, without the Hessian: forward over reverse."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def product(v, x, *data):
        return jax.jvp(lambda x: jax.grad(partial(objective, jnp))(x, *data), (x,), (v,))[1]

    compiled, args = jax.jit(product), [jnp.asarray(a) for a in (v, x, *data)]
    return lambda: jax.block_until_ready(compiled(*args))


def hessian_in_torch(objective, x, *data) -> Call:
    import torch

    hessian = torch.func.hessian(partial(objective, torch))
    args = [torch.tensor(a) for a in (x, *data)]
    return lambda: hessian(*args)


def hessian_in_autograd(objective, x, *data) -> Call:
    import autograd
    import autograd.numpy as anp

    second_derivatives: Any = autograd.hessian
    hessian = second_derivatives(partial(objective, anp))
    return lambda: hessian(x, *data)


def hessian_in_pytensor(objective, x, *data) -> Call:
    """PyTensor's Hessian is that by a vector: the objective reads x from one. Its default mode compiles with numba."""
    import pytensor.tensor as pt
    from pytensor.compile.maker import function
    from pytensor.gradient import hessian as second_derivatives

    flat, *symbols = [pt.tensor(dtype="float64", shape=(None,) * n) for n in (1, *map(np.ndim, data))]
    cost = objective(pt, flat.reshape(x.shape) if x.ndim > 1 else flat, *symbols)
    hessian: Any = function([flat, *symbols], second_derivatives(cost, flat))
    hessian.trust_input = True
    args = [x.ravel(), *data]
    return lambda: hessian(*args).reshape(x.shape * 2)


def object_functions(library: Any) -> Any:
    """NumPy's spelling of a scalar library's functions, over arrays of its symbols."""
    names = ("exp", "log", "tanh")
    return SimpleNamespace(**{name: of_entries(getattr(library, name)) for name in names}, sum=np.sum)


def of_entries(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A sum is no array: it goes to the library itself."""
    mapped = np.frompyfunc(function, 1, 1)
    return lambda v: mapped(v) if isinstance(v, np.ndarray) else function(v)


def objects(symbols: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    found = np.empty(len(symbols), object)
    found[:] = symbols
    return found.reshape(shape)


def hessian_in_casadi(objective, x, *data) -> Call:
    """Scalar symbols (SX), which is CasADi's fast kind; the data are numbers in it."""
    import casadi

    flat = casadi.SX.sym("x", x.size)
    cost = objective(object_functions(casadi), objects(casadi.vertsplit(flat), x.shape), *data)
    hessian = casadi.Function("hessian", [flat], [casadi.densify(casadi.hessian(cost, flat)[0])])
    at = casadi.DM(x.ravel())
    return lambda: hessian(at).full().reshape(x.shape * 2)


def hessian_in_sympy(objective, x, *data) -> Call:
    """Symbols for x, numbers for the data; one generated Python function with common subexpressions shared."""
    import sympy

    symbols = sympy.symbols(f"x:{x.size}")
    cost = objective(object_functions(sympy), objects(symbols, x.shape), *data)
    hessian = sympy.lambdify(symbols, sympy.hessian(cost, symbols).tolist(), "math", cse=True)
    at = x.ravel().tolist()
    return lambda: np.array(hessian(*at)).reshape(x.shape * 2)


def hessian_in_symengine(objective, x, *data) -> Call:
    import symengine

    symbols = [symengine.Symbol(f"x{k}") for k in range(x.size)]
    cost = objective(object_functions(symengine), objects(symbols, x.shape), *data)
    entries = [cost.diff(a).diff(b) for a in symbols for b in symbols]
    hessian, at = symengine.Lambdify(symbols, entries, cse=True), x.ravel()
    return lambda: hessian(at).reshape(x.shape * 2)


# ---- sparse Hessians of an objective(xp, x) by a long vector x


def sparse_in_asdex(objective, x) -> Call:
    """asdex finds the pattern from the jaxpr and colors it, once; the compressed products are jitted."""
    import asdex
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    f, at = partial(objective, jnp), jnp.asarray(x)
    hessian = jax.jit(asdex.hessian_from_coloring(f, asdex.hessian_coloring(f, at)))
    return lambda: jax.block_until_ready(hessian(at))


def sparse_in_casadi(objective, x) -> Call:
    """Arrays as symbols (MX), which is the faster kind to build and to call for long vectors."""
    import casadi

    functions = SimpleNamespace(
        **{name: getattr(casadi, name) for name in ("exp", "log", "tanh", "sin", "cos")}, sum=casadi.sum1
    )
    symbol, at = casadi.MX.sym("x", x.size), casadi.DM(x)
    hessian = casadi.Function("hessian", [symbol], [casadi.hessian(objective(functions, symbol), symbol)[0]])
    return lambda: hessian(at)
