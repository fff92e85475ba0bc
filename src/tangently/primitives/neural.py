"""Neural composites: named bodies that stay opaque to differentiation, each with its closed derivative.

Opaque means that nothing overflows (log-sum-exp never forms e¹⁰⁰⁰) and that steps stay readable: the derivative of
softmax is written in terms of softmax. A body is expanded when code is generated. Formulas: Goodfellow, Bengio &
Courville, Deep Learning, 3.10, 4.1 and 6.2; Hendrycks & Gimpel 2016 (GELU); Elfwing et al. 2017 (SiLU).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangently.errors import ShapeError
from tangently.expr import TABLE, Expr
from tangently.primitives.elementary import exp, log, monotone, sqrt
from tangently.primitives.kinds import (
    Rule,
    broadcast_shapes,
    broadcast_to,
    composite,
    count,
    elementwise,
    floating,
    join,
    shape_of,
    unbroadcast,
)
from tangently.primitives.tensor import amax, kept, matmul, sum_of, transpose

_ROOT_2, _ROOT_2PI = math.sqrt(2), math.sqrt(2 * math.pi)

# ---------------------------------------------------------------- elementwise activations

_sigmoid_ball = monotone(lambda x: 1 / (1 + (-x).exp()))
sigmoid = elementwise(
    "sigmoid",
    python="(1.0 / (1.0 + math.exp(-{0})) if {0} >= 0.0 else math.exp({0}) / (1.0 + math.exp({0})))",
    numpy="special.expit({0})",
    javascript="({0} >= 0 ? 1 / (1 + Math.exp(-{0})) : Math.exp({0}) / (1 + Math.exp({0})))",
    sympy="1/(1 + exp(-({0})))",
    partials=[lambda y, x: y * (1 - y)],
    shown=("fn", "σ", 0),
    rules=(Rule("logistic sigmoid", r"\sigma(u)' = \sigma(u)\,(1 - \sigma(u))\, u'"),),
    enclosure=_sigmoid_ball,
    calls=("expit", "sigmoid"),
)
softplus = elementwise(
    "softplus",
    python="(max({0}, 0.0) + math.log1p(math.exp(-abs({0}))))",
    numpy="np.logaddexp(0, {0})",
    javascript="(Math.max({0}, 0) + Math.log1p(Math.exp(-Math.abs({0}))))",
    sympy="log(1 + exp({0}))",
    partials=[lambda y, x: sigmoid(x)],
    shown=("fn", "softplus", 0),
    rules=(Rule("softplus", r"\ln(1 + e^u)' = \sigma(u)\, u'"),),
    enclosure=monotone(lambda x: x.exp().log1p()),
    calls=("softplus",),
)
silu = elementwise(
    "silu",
    python="({0} / (1.0 + math.exp(-{0})) if {0} >= 0.0 else {0} * math.exp({0}) / (1.0 + math.exp({0})))",
    numpy="{0} * special.expit({0})",
    javascript="({0} >= 0 ? {0} / (1 + Math.exp(-{0})) : {0} * Math.exp({0}) / (1 + Math.exp({0})))",
    sympy="({0})/(1 + exp(-({0})))",
    partials=[lambda y, x: y + sigmoid(x) * (1 - y)],
    shown=("fn", "silu", 0),
    rules=(
        Rule("SiLU (swish)", r"(u\,\sigma(u))' = \left(\mathrm{silu}(u) + \sigma(u)(1 - \mathrm{silu}(u))\right) u'"),
    ),
    enclosure=lambda x: x * _sigmoid_ball(x),
    calls=("silu", "swish"),
)
gelu = elementwise(
    "gelu",
    python=f"(0.5 * {{0}} * math.erfc(-{{0}} / {_ROOT_2!r}))",
    numpy=f"(0.5 * {{0}} * special.erfc(-{{0}} / {_ROOT_2!r}))",
    javascript=f"(0.5 * {{0}} * erfc(-({{0}}) / {_ROOT_2!r}))",
    sympy="({0})*(1 + erf(({0})/sqrt(2)))/2",
    partials=[lambda y, x: 0.5 * TABLE["erfc"](-x / _ROOT_2) + x * exp(-(x**2) / 2) / _ROOT_2PI],
    shown=("fn", "gelu", 0),
    rules=(Rule("GELU", r"(u\,\Phi(u))' = (\Phi(u) + u\,\varphi(u))\, u'"),),
    enclosure=lambda x: x * (-x / type(x)(2).sqrt()).erfc() / 2,
    calls=("gelu",),
)

# ---------------------------------------------------------------- along an axis: params (axis,)


def _along(p: Any, x: Expr, *_: Expr) -> tuple[tuple[int, ...], str]:
    return x.shape, floating(x.dtype)


def _shifted_exp(x: Any, axis: int) -> Any:
    return exp(x - amax(x, params=((axis,), True)))


def _softmax_body(p: Any, x: Any) -> Any:
    weights = _shifted_exp(x, p[0])
    return weights / sum_of(weights, p[0], keepdims=True)


def _softmax_pull(p: Any, y: Any, g: Any) -> Any:
    return y * (g - sum_of(y * g, p[0], keepdims=True))


softmax = composite(
    "softmax",
    arity=1,
    body=_softmax_body,
    infer=_along,
    jvp=lambda p, y, xs, ts: _softmax_pull(p, y, ts[0]),  # the Jacobian diag(s) − s sᵀ is symmetric
    vjp=lambda p, y, xs, g, i: _softmax_pull(p, y, g),
    shown=("fn", "softmax", 0),
    rules=(Rule("softmax", r"s(u)' = (\operatorname{diag}(s) - s s^\top)\, u'"),),
    calls=("softmax",),
)


def _logsumexp_body(p: Any, x: Any) -> Any:
    axis, keep = p
    top = amax(x, params=((axis,), True))
    total = log(sum_of(exp(x - top), axis, keepdims=True)) + top
    return total if keep else _drop(total, axis)


def _drop(x: Any, axis: int) -> Any:
    shape = shape_of(x)
    return TABLE["reshape"](x, params=((*shape[:axis], *shape[axis + 1 :]),))


def _logsumexp_infer(p: Any, x: Expr) -> tuple[tuple[int, ...], str]:
    axis, keep = p
    return tuple(1 if k == axis else n for k, n in enumerate(x.shape) if keep or k != axis), floating(x.dtype)


logsumexp = composite(
    "logsumexp",
    arity=1,
    body=_logsumexp_body,
    infer=_logsumexp_infer,
    jvp=lambda p, y, xs, ts: sum_of(softmax(xs[0], params=p[:1]) * ts[0], p[0], keepdims=p[1]),
    vjp=lambda p, y, xs, g, i: softmax(xs[0], params=p[:1]) * kept(g, (p[0],), shape_of(xs[0])),
    shown=("fn", "logsumexp", 0),
    rules=(Rule("log of a sum of exponentials", r"\ln\sum_k e^{u_k}{}' = \sum_k \mathrm{softmax}(u)_k\, u_k'"),),
    calls=("logsumexp",),
)


def _log_softmax_body(p: Any, x: Any) -> Any:
    """The maximum is taken off first: x - logsumexp(x) would cancel where all entries are large."""
    shifted = x - amax(x, params=((p[0],), True))
    return shifted - log(sum_of(exp(shifted), p[0], keepdims=True))


log_softmax = composite(
    "log_softmax",
    arity=1,
    body=_log_softmax_body,
    infer=_along,
    jvp=lambda p, y, xs, ts: ts[0] - sum_of(exp(y) * ts[0], p[0], keepdims=True),
    vjp=lambda p, y, xs, g, i: g - exp(y) * sum_of(g, p[0], keepdims=True),
    shown=("fn", "log softmax", 0),
    rules=(Rule("log softmax", r"(\ln s(u))' = u' - s(u)^\top u'"),),
    calls=("log_softmax",),
)

# ---------------------------------------------------------------- means, norms, losses


def _count(axes: Any, shape: Any) -> int | Expr:
    return count(tuple(shape[k] for k in axes))


def _mean_infer(p: Any, x: Expr) -> tuple[tuple[int, ...], str]:
    axes, keep = p
    return tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keep or k not in axes), floating(x.dtype)


def _spread(p: Any, x: Any, g: Any) -> Any:
    axes, _ = p
    return broadcast_to(kept(g, axes, shape_of(x)) / _count(axes, shape_of(x)), shape_of(x))


mean = composite(
    "mean",
    arity=1,
    body=lambda p, x: sum_of(x, p[0], keepdims=p[1]) / _count(p[0], shape_of(x)),
    infer=_mean_infer,
    jvp=lambda p, y, xs, ts: mean(ts[0], params=p),
    vjp=lambda p, y, xs, g, i: _spread(p, xs[0], g),
    shown=("apply", "mean", 0),
    rules=(Rule("mean", r"\left(\tfrac1n \sum_k u_k\right)' = \tfrac1n \sum_k u_k'"),),
    calls=("mean", "average"),
)


def _norm_body(p: Any, x: Any) -> Any:
    return sqrt(sum_of(x**2, p[0], keepdims=p[1]))


def _unit(p: Any, y: Any, x: Any) -> Any:
    """x/‖x‖, and 0 where the norm is 0 (the subgradient of least norm)."""
    length = kept(y, p[0], shape_of(x))
    zero = TABLE["eq"](length, 0)
    return TABLE["where"](zero, 0.0, x / TABLE["where"](zero, 1.0, length))


norm = composite(
    "norm",
    arity=1,
    body=_norm_body,
    infer=_mean_infer,
    jvp=lambda p, y, xs, ts: sum_of(_unit(p, y, xs[0]) * ts[0], p[0], keepdims=p[1]),
    vjp=lambda p, y, xs, g, i: _unit(p, y, xs[0]) * kept(g, p[0], shape_of(xs[0])),
    kink=lambda p, x: (np.asarray(x) == 0).all(axis=p[0]),
    shown=("fence", "‖", 0, "‖"),
    rules=(Rule("Euclidean norm", r"\lVert u \rVert' = \frac{u^\top u'}{\lVert u \rVert}"),),
    calls=("norm",),
)


def _pair_infer(p: Any, a: Expr, b: Expr) -> tuple[tuple[int, ...], str]:
    broadcast_shapes(a.shape, b.shape)
    return (), floating(join(a.dtype, b.dtype))


def _mse_body(p: Any, a: Any, b: Any) -> Any:
    d = (a - b) ** 2
    return mean(d, params=(tuple(range(len(shape_of(d)))), False)) if shape_of(d) else d


def _mse_pull(p: Any, y: Any, xs: Any, g: Any, i: int) -> Any:
    a, b = xs
    d = a - b
    times = count(shape_of(d))
    return unbroadcast((2 / times if i == 0 else -2 / times) * g * d, shape_of(xs[i]))


def _mse_push(p: Any, y: Any, xs: Any, ts: Any) -> Any:
    a, b = xs
    d = a - b
    moved = ts[0] if ts[1] is None else (-ts[1] if ts[0] is None else ts[0] - ts[1])
    return 2 / count(shape_of(d)) * sum_of(d * moved)


mse = composite(
    "mse",
    arity=2,
    body=_mse_body,
    infer=_pair_infer,
    jvp=_mse_push,
    vjp=_mse_pull,
    shown=("apply", "mse", 0, 1),
    rules=(
        Rule("mean squared error", r"\left(\tfrac1n\lVert u - v\rVert^2\right)' = \tfrac2n (u - v)^\top (u' - v')"),
    ),
    calls=("mse",),
)


def _cross_entropy_infer(p: Any, z: Expr, q: Expr) -> tuple[tuple[int, ...], str]:
    if z.shape != q.shape:
        raise ShapeError(
            f"cross-entropy: logits have shape {z.shape} and targets {q.shape}: they must be equal "
            "(one-hot or probabilities; labels as integers are turned into one-hot rows by tg.functions.one_hot)"
        )
    return z.shape[:-1], floating(join(z.dtype, q.dtype))


def _cross_entropy_jvp(p: Any, y: Any, xs: Any, ts: Any) -> Any:
    z, q = xs
    total = None
    if ts[0] is not None:
        total = sum_of((sum_of(q, -1, keepdims=True) * softmax(z, params=(len(shape_of(z)) - 1,)) - q) * ts[0], -1)
    if ts[1] is not None:
        term = -sum_of(log_softmax(z, params=(len(shape_of(z)) - 1,)) * ts[1], -1)
        total = term if total is None else total + term
    return total


def _cross_entropy_vjp(p: Any, y: Any, xs: Any, g: Any, i: int) -> Any:
    z, q = xs
    axis = len(shape_of(z)) - 1
    spread = kept(g, (axis,), shape_of(z))
    if i == 1:
        return -spread * log_softmax(z, params=(axis,))
    return spread * (softmax(z, params=(axis,)) * sum_of(q, -1, keepdims=True) - q)


cross_entropy = composite(
    "cross_entropy",
    arity=2,
    body=lambda p, z, q: -sum_of(q * log_softmax(z, params=(len(shape_of(z)) - 1,)), -1),
    infer=_cross_entropy_infer,
    jvp=_cross_entropy_jvp,
    vjp=_cross_entropy_vjp,
    shown=("fn", "cross-entropy", 0, 1),
    rules=(Rule("softmax cross-entropy", r"H(q, s(u))' = (s(u) - q)^\top u'"),),
    calls=("cross_entropy",),
)


def _linear_body(p: Any, x: Any, w: Any, *b: Any) -> Any:
    y = matmul(x, transpose(w))
    return y + b[0] if b else y


def _linear_infer(p: Any, x: Expr, w: Expr, *b: Expr) -> tuple[tuple[int, ...], str]:
    if len(w.shape) != 2 or not x.shape or x.shape[-1] != w.shape[1]:
        raise ShapeError(f"linear: x of shape {x.shape} and W of shape {w.shape} do not conform: x(…, in), W(out, in)")
    return (*x.shape[:-1], w.shape[0]), floating(join(x.dtype, w.dtype, *[v.dtype for v in b]))


def _linear_jvp(p: Any, y: Any, xs: Any, ts: Any) -> Any:
    x, w, *_ = xs
    terms = [
        None if ts[0] is None else matmul(ts[0], transpose(w)),
        None if ts[1] is None else matmul(x, transpose(ts[1])),
        *ts[2:],
    ]
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else total + term
    return None if total is None else broadcast_to(total, shape_of(y))


def _linear_vjp(p: Any, y: Any, xs: Any, g: Any, i: int) -> Any:
    if i == 0:
        return matmul(g, xs[1])
    if i == 2:
        return unbroadcast(g, shape_of(xs[2]))
    lead = "abcdefgh"[: len(shape_of(g)) - 1]
    return TABLE["einsum"](g, xs[0], params=(f"{lead}y,{lead}z->yz",))


linear = composite(
    "linear",
    arity=None,
    body=_linear_body,
    infer=_linear_infer,
    jvp=_linear_jvp,
    vjp=_linear_vjp,
    shown=lambda node: ("sum", (("matmul", 0, ("transpose", 1)), 1), *[(k, 1) for k in range(2, len(node.args))]),
    rules=(Rule("linear layer", r"(x W^\top + b)' = x' W^\top + x W'^\top + b'"),),
    calls=("linear",),
)
