"""The same objectives in JAX and PyTorch.

Where NumPy's source runs under another name of `np`, it is that source that runs: `in_place_of_numpy` loads a module of
this package once more with `jax.numpy` or `torch` as its `np`. What JAX would unroll (the text's loop) is a scan; the
residuals of one observation are differentiated and mapped over all; PyTorch's mixture is written out, since its `max`
returns two things. Each maker gives a call without arguments and raises ImportError where the library is missing.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import ba, gmm, hand
from .data import Hand, Mixture, Text

Call = Callable[[], Any]


def in_place_of_numpy(name: str, library: Any) -> Any:
    """A module of this package, loaded again, whose `np` is another library."""
    spec = importlib.util.find_spec(f"{__package__}.{name}")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.np = library  # type: ignore[attr-defined]
    return module


def jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def jitted(function: Callable[..., Any], *arguments: Any) -> Call:
    library = jax()
    compiled, given = library.jit(function), library.tree.map(library.numpy.asarray, arguments)
    return lambda: library.block_until_ready(compiled(*given))


# ---- JAX


def gmm_in_jax(mixture: Mixture) -> Call:
    library = jax()
    module = in_place_of_numpy("gmm", library.numpy)
    module.places = gmm.places  # positions are plain integers
    a = mixture
    loss = lambda alphas, means, icf, x: module.log_likelihood(alphas, means, icf, x, a.gamma, a.m)
    return jitted(library.grad(loss, argnums=(0, 1, 2)), a.alphas, a.means, a.icf, a.x)


def lstm_in_jax(text: Text) -> Call:
    library = jax()
    module = in_place_of_numpy("lstm", library.numpy)

    def loss(main, extra, state, sequence):
        def step(state, x):
            state = module.layers(main, state, x * extra[0])
            return state, state[-2]

        _, outputs = library.lax.scan(step, list(state), sequence[:-1])
        return module.loss_of(outputs, sequence[1:], extra)

    return jitted(library.grad(loss, argnums=(0, 1)), text.main, text.extra, text.state, text.sequence)


def hand_in_jax(task: Hand) -> Call:
    library = jax()
    module = in_place_of_numpy("hand", library.numpy)
    body = hand.body(task)
    if task.us is None:
        return jitted(library.jacfwd(module.residuals), task.theta, task.points, *body)

    def compressed(theta, us, points, *body):
        still = library.numpy.zeros(2)
        found = library.jacfwd(module.shifted_residuals, argnums=(1, 0))(theta, still, us, points, *body)
        both = library.numpy.concatenate(found, axis=2)
        return both.reshape(-1, both.shape[2])

    return jitted(compressed, task.theta, task.us, task.points, *body)


def ba_in_jax(arguments: tuple[Any, ...]) -> Call:
    """The entries in the order of `ba.entries`: one observation's blocks, mapped over rows (columns are slower)."""
    library = jax()
    module = in_place_of_numpy("ba", library.numpy)

    def one(camera, X, w, feature):
        return library.jacrev(module.reprojection, argnums=(0, 1, 2))(camera, X, w, feature)

    def entries(*arguments):
        reprojections = library.vmap(one)(*arguments)
        rows = [library.numpy.concatenate([c, X, w[:, None]], axis=1) for c, X, w in reprojections]
        weights = library.grad(module.weight_sum)(arguments[2])
        return library.numpy.concatenate([library.numpy.stack(rows, axis=1).ravel(), weights])

    return jitted(entries, *[np.ascontiguousarray(a.T) for a in arguments])


# ---- PyTorch


def gmm_in_torch(mixture: Mixture) -> Call:
    import torch

    a = mixture
    n, d = a.x.shape
    alphas, means, icf = [torch.tensor(v, requires_grad=True) for v in (a.alphas, a.means, a.icf)]
    x, places = torch.tensor(a.x), torch.tensor(gmm.places(d))
    constant = gmm.log_prior(np.zeros_like(a.icf), d, a.gamma, a.m) - 0.5 * a.gamma**2 * d * len(a.icf)

    def loss() -> Any:
        q, below = icf[:, :d], icf[:, d:]
        diagonal = torch.exp(q)
        Q = torch.cat([diagonal, below, torch.zeros(len(icf), 1, dtype=x.dtype)], dim=1)[:, places]
        z = (x - means[:, None]) @ Q.transpose(1, 2)
        terms = (alphas + q.sum(dim=1))[:, None] - 0.5 * (z**2).sum(dim=2)
        prior = 0.5 * a.gamma**2 * ((diagonal**2).sum() + (below**2).sum()) - a.m * q.sum() + constant
        fit = torch.logsumexp(terms, dim=0).sum() - n * torch.logsumexp(alphas, dim=0)
        return fit - 0.5 * n * d * math.log(2 * math.pi) + prior

    return lambda: torch.autograd.grad(loss(), [alphas, means, icf])


def lstm_in_torch(text: Text) -> Call:
    import torch

    module = in_place_of_numpy("lstm", torch)
    main, extra = torch.tensor(text.main, requires_grad=True), torch.tensor(text.extra, requires_grad=True)
    state, sequence = torch.tensor(text.state), torch.tensor(text.sequence)
    return lambda: torch.autograd.grad(module.loss(main, extra, state, sequence), [main, extra])


def ba_in_torch(arguments: tuple[Any, ...]) -> Call:
    """Gradients of the three sums, as ours: the rows of reverse mode share one forward pass."""
    import torch

    module = in_place_of_numpy("ba", torch)
    p = arguments[0].shape[1]
    *unknown, feature = [torch.tensor(a) for a in arguments]
    wrt = [u.requires_grad_() for u in unknown]

    def call() -> Any:
        totals = module.sums(*wrt, feature)
        reprojections = torch.empty(p, 2, ba.CAMERA + ba.POINT + 1, dtype=torch.float64)
        for row, total in enumerate(totals):
            camera, X, w = torch.autograd.grad(total, wrt, retain_graph=True)
            reprojections[:, row] = torch.cat([camera, X, w[None]]).T
        return torch.cat([reprojections.ravel(), *torch.autograd.grad(module.weight_sum(wrt[2]), wrt[2])])

    return call


def hand_in_torch(task: Hand) -> Call:
    """The simple kind, by torch.func's forward mode over all directions at once."""
    import torch

    module = in_place_of_numpy("hand", torch)
    theta, *rest = [torch.tensor(a) for a in (task.theta, task.points, *hand.body(task))]
    derivative = torch.func.jacfwd(module.residuals)
    return lambda: derivative(theta, *rest)
