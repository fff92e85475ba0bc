"""Functions on traced values: every name × every route to it, against NumPy on plain arrays and against differences.

A call is written once, as arguments; float arrays and NumPy floats among them are what is differentiated. The routes:
the function of `tangently.functions` on traced values and on plain arrays, NumPy's function on traced values (which is
redirected), and the method of the array. All must give NumPy's value and shape, and reverse mode (as a graph and as a
numeric sweep) must give what the differences of NumPy's function tend to.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conftest import agree, within
from tangently import functions
from tangently.codegen.python import Argument, generate
from tangently.differentiation import expand, pullback, sweep
from tangently.errors import InputError, ShapeError, TangentlyError, TraceError, UnsupportedError
from tangently.expr import TABLE, Expr, const, evaluate
from tangently.functions import FUNCTIONS
from tangently.quotients import numeric_gradient
from tangently.tracing import arrays
from tangently.tracing.recording import record
from tangently.tracing.traced import Trace, Traced
from test_table import definite, good, normal, points_of

A, B, C = normal(3, 4), normal(3, 4, seed=1), normal(4, 2)
V, W, S, Q = normal(4), normal(4, seed=1), normal(3, 3), normal(2, 3, 4)
P = np.abs(A)
PICK = np.array([2, 0, 2])


@dataclass(frozen=True)
class Call:
    """Arguments, and the plain function where NumPy has none of that name."""

    args: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    plain: Callable[..., Any] | None = None


def call(*args: Any, plain: Callable[..., Any] | None = None, **keywords: Any) -> Call:
    return Call(args, keywords, plain)


# ---------------------------------------------------------------- the machinery: trace, differentiate, compare


def is_operand(x: Any) -> bool:
    return isinstance(x, np.float64) or (isinstance(x, np.ndarray) and x.dtype == np.float64)


def operands_of(x: Any) -> list[Any]:
    """The float arrays in nested arguments, in order."""
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in operands_of(part)]
    return [x] if is_operand(x) else []


def refill(x: Any, leaves: list[Any]) -> Any:
    """The same arguments with the float arrays replaced, in order."""
    if isinstance(x, (list, tuple)):
        return type(x)(refill(part, leaves) for part in x)
    return leaves.pop(0) if is_operand(x) else x


def combined(results: Any, weights: list[Any]) -> Any:
    """Σ weights·entries of one or several results: a number to differentiate."""
    return sum(float(np.sum(np.asarray(r, float) * w)) for r, w in zip(results, weights))


def as_list(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def check(
    f: Callable[..., Any], args: tuple[Any, ...], plain: Callable[..., Any], what: str, slopes: bool = True
) -> None:
    """f on traced operands gives plain's values and shapes; its cotangents are what plain's differences tend to."""
    leaves = operands_of(args)
    trace = Trace()
    inputs = [trace.input(f"x{k}", v if np.shape(v) else float(v)) for k, v in enumerate(leaves)]
    got, want = as_list(f(*refill(args, list(inputs)))), as_list(plain(*args))
    assert len(got) == len(want), what
    for a, b in zip(got, want):
        assert np.shape(getattr(a, "value", a)) == np.shape(b), (
            f"{what}: {np.shape(getattr(a, 'value', a))}, not {np.shape(b)}"
        )
        agree(getattr(a, "value", a), b, 1e-13, what=what)
        assert not isinstance(a, Traced) or a.shape == np.shape(b), f"{what}: the node has shape {a.shape}"
    if slopes and np.asarray(want[0]).dtype.kind == "f":
        compare_slopes(trace, [x.expr for x in inputs], got, want, args, plain, what)


def compare_slopes(trace: Trace, xs: list[Expr], got: Any, want: Any, args: Any, plain: Any, what: str) -> None:
    weights = [0.5 + normal(*np.shape(w)) for w in want]
    live = [(y, np.asarray(w) if np.shape(w) else float(w)) for y, w in zip(got, weights) if isinstance(y, Traced)]
    nodes = [y.expr for y, _ in live]
    reverse = evaluate(pullback(nodes, [const(w) for _, w in live], xs), trace.values)
    swept = sweep(nodes, [w for _, w in live], xs, trace.values) if len(set(nodes)) == len(nodes) else reverse
    leaves = operands_of(args)
    for k, (a, b) in enumerate(zip(reverse, swept)):
        agree(a, b, 1e-12, what=f"{what}: reverse and sweep by operand {k}")
        f = lambda v, k=k: combined(
            as_list(plain(*refill(args, [*leaves[:k], v if v.shape else np.float64(v), *leaves[k + 1 :]]))), weights
        )
        within(a, numeric_gradient(f, leaves[k]), f"{what}: differences by operand {k}")


def ids(name: str, c: Call) -> str:
    shown = [
        str(np.shape(a)) if isinstance(a, np.ndarray) else getattr(a, "__name__", None) or repr(a)[:24] for a in c.args
    ]
    return f"{name}({', '.join([*shown, *[f'{k}={v}' for k, v in c.keywords.items()]])})"[:90]


# ---------------------------------------------------------------- the table of calls

AXES = [call(A), *[call(A, axis=k) for k in (0, 1, -1)], call(A, axis=0, keepdims=True), call(A, keepdims=True),
        call(Q, axis=(0, 2)), call(Q, axis=(-1, 0), keepdims=True), call(V)]  # fmt: skip


def softmax(x: Any, axis: int = -1) -> Any:
    return scipy.special.softmax(x, axis)


def one_hot_loss(z: Any, labels: Any) -> Any:
    return -np.mean(np.take_along_axis(scipy.special.log_softmax(z, -1), labels[..., None], -1))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


CALLS: dict[str, list[Call]] = {
    # reductions
    "sum": [*AXES, call(A > 0)], "mean": AXES, "amax": AXES, "amin": AXES, "prod": AXES,
    "var": [*AXES, call(A, ddof=1), call(A, axis=1, ddof=1), call(Q, axis=(0, 1), ddof=2, keepdims=True)],
    "std": [*AXES, call(A, axis=0, ddof=1)],
    "max": [*AXES, call(A, B, V, plain=lambda *xs: functools.reduce(np.maximum, xs))],
    "min": [*AXES, call(A, B, V, plain=lambda *xs: functools.reduce(np.minimum, xs))],
    "norm": [*[Call(c.args, c.keywords, np.linalg.norm) for c in (call(A), call(A, axis=1), call(V), call(V, 1),
        call(V, 3),
             call(V, np.inf), call(V, -np.inf), call(A, "fro"), call(A, 1, axis=-1), call(A, axis=0, keepdims=True),
             call(A, 2.5, 0, True), call(V, -2), call(Q, axis=(0, 1)))]],
    "median": [call(A), call(A, axis=0), call(A, axis=-1), call(V), call(S), call(A, axis=1, keepdims=True),
        call(A, keepdims=True)],
    "argmax": [call(A), call(A, axis=0), call(A, axis=-1), call(V), call(A, axis=1, keepdims=True),
        call(A, keepdims=True)], "argmin": [call(A), call(A, axis=1), call(A, -2)],
    "argsort": [call(A), call(A, axis=0), call(V), call(A, axis=None)],
    "sort": [call(A), call(A, axis=0), call(V), call(Q, axis=1), call(A, axis=None)],
    "any": [call(A > 0), call(A > 1, axis=0), call(A > 9, axis=1)], "all": [call(A > 0), call(A > -9),
        call(A > 0, axis=-1)],
    "logsumexp": [call(A, plain=scipy.special.logsumexp), call(A, axis=0, plain=scipy.special.logsumexp),
                  call(A, axis=-1, keepdims=True, plain=scipy.special.logsumexp)],
    # layout
    "array": [call([np.float64(0.5), np.float64(2.0)]),
        call([[np.float64(1.5), np.float64(2)], [np.float64(3.0), np.float64(4)]])],
    "reshape": [call(A, (2, 6)), call(A, -1), call(A, (4, -1)), call(A, (-1, 1, 2)), call(A, 12),
        call(normal(1, 1), ())],
    "ravel": [call(A), call(V), call(Q)],
    "transpose": [call(A), call(Q), call(Q, (1, 0, 2)), call(Q, (2, 0, 1)), call(Q, axes=(0, -1, 1)), call(V)],
    "swapaxes": [call(Q, 0, 2), call(Q, -1, 0), call(A, 0, 1), call(Q, 1, 1)],
    "moveaxis": [call(Q, 0, 2), call(Q, -1, 0), call(Q, (0, 1), (-1, -2)), call(Q, [2, 0], [0, 1])],
    "expand_dims": [call(A, 0), call(A, -1), call(A, 1), call(A, (0, -1)), call(A, (1, 2))],
    "squeeze": [call(normal(1, 3, 1)), call(normal(1, 3, 1), axis=0), call(normal(1, 3, 1), axis=-1), call(A),
        call(normal(1, 3, 1), axis=(0, 2))],
    "broadcast_to": [call(V, (3, 4)), call(normal(3, 1), (2, 3, 4)), call(np.float64(0.5), (2, 2)), call(V, 4),
        call(normal(1), (3,))],
    "concatenate": [call([A, B]), call([A, normal(3, 2)], axis=1), call((A, B), axis=-1), call([A, V], axis=None),
        call([A, np.ones((1, 4))])],
    "stack": [call([A, B]), call([A, B], axis=1), call([A, B], axis=-1), call([np.float64(1.5), np.float64(0.5)])],
    "vstack": [call([A, B]), call([V, W]), call([A, V])], "hstack": [call([A, B]), call([V, W]),
        call([np.float64(0.5), np.float64(2.5)])],
    "split": [call(A, 3), call(A, 2, axis=1), call(A, [1, 3], axis=-1), call(V, [2]), call(V, [0, 4]), call(V, [1, 9])],
    "pad": [call(V, 2), call(V, (1, 2)), call(A, ((1, 0), (0, 2))), call(A, 1), call(A, (1, 2)), call(A, ((2, 1),))],
    "cumsum": [call(A), call(A, axis=0), call(A, axis=-1), call(V)],
    "flip": [call(A), call(A, axis=0), call(A, axis=-1), call(Q, axis=(0, 2)), call(V)],
    "roll": [call(V, 1), call(V, -3), call(A, 2), call(A, 1, axis=0), call(A, -1, axis=-1), call(A, 9, axis=1),
        call(V, 0), call(A, (1, 2), axis=(0, 1))],
    "diff": [call(V), call(A), call(A, axis=0), call(A, n=2), call(A, 3, -1), call(V, 0)],
    "repeat": [call(V, 2), call(A, 2), call(A, 3, axis=0), call(A, 2, axis=-1), call(V, np.array([1, 0, 2, 1])),
        call(A, [1, 0, 2], axis=0)],
    "tile": [call(V, 2), call(V, (2, 3)), call(A, 2), call(A, (2, 1)), call(A, (2, 1, 2)), call(np.float64(0.5), 3)],
    "take": [call(V, 2), call(V, [0, 0, 3]), call(A, PICK, axis=0), call(A, PICK, axis=-1),
        call(A, [[1, 5], [11, 0]]), call(A, -1, 1)],
    "take_along_axis": [call(A, np.argsort(A, 0), 0), call(A, np.argsort(A, 1), -1),
        call(A, np.array([[0], [3], [1]]), 1), call(A, np.array([3, 3, 0]), None)],
    # products
    "einsum": [call("ij,jk", A, C), call("ij,jk->ki", A, C), call("ii", S), call("ii->i", S), call("i,j", V, W),
        call("ij->", A),
               call("...j,jk->...k", Q, C), call("...ij->...ji", Q), call("...,...", V, W), call("i...,i...->...", A,
               B),
               call("ij , jk -> ik", A, C), call("ij,j->ij", A, W), call("b...i,ij", Q, C),
               call("...i,...i->...", normal(1, 4), A),
               call("ij,ij->ij", normal(3, 1), A), call("ij,kj,i->k", A, B, normal(3)), call("...->...", A),
               call("ba", A)],
    "matmul": [call(A, C), call(V, C), call(A, V), call(V, W), call(Q, C), call(Q, normal(2, 4, 2)),
        call(A, normal(2, 4, 2)),
               call(V, normal(2, 4, 2)), call(Q, V), call(normal(2, 1, 3, 4), normal(3, 4, 2)),
               call(normal(1, 3, 4), normal(2, 4, 2))],
    "dot": [call(A, C), call(V, W), call(A, V), call(V, C), call(Q, C), call(A, normal(2, 4, 2)),
        call(np.float64(2.0), A), call(Q, V)],
    "tensordot": [call(A, C, 1), call(A, B), call(V, W, 0), call(Q, A, ((1, 2), (0, 1))),
        call(Q, A, axes=([-1], [1])), call(A, B, (1, 1)), call(A, B, axes=([0, 1], [0, 1]))],
    "inner": [call(V, W), call(A, B), call(A, V), call(np.float64(2.0), V), call(Q, A)],
    "outer": [call(V, W), call(A, V)], "vdot": [call(V, W), call(A, B)],
    "trace": [call(S), call(S, 1), call(A, -1), call(Q, 0, 1, 2), call(Q, 1, -1, 0)],
    "tr": [call(S, plain=np.trace)],
    "diagonal": [call(S), call(S, 1), call(A, 2), call(A, -1), call(A, 9), call(Q), call(Q, 1, 2, 1), call(S, 0, 1, 0),
        call(normal(2, 3, 3), 0, 1, 2)],
    "diag": [call(S), call(V), call(V, 2), call(V, -1), call(A, 1)],
    "vec": [call(A, plain=lambda x: x.ravel("F")), call(V, plain=lambda x: x)],
    "kron": [call(A, S), call(S, A), call(V, W), call(V, S), call(A, W)],
    "hadamard": [call(A, B, plain=lambda a, b: a * b)],
    "cross": [call(normal(3), normal(3, seed=1)), call(S, normal(2, 3, 3)), call(normal(3), S)],
    "cumprod": [call(A), call(A, axis=0), call(A, axis=-1), call(np.array([2.0, 0.0, 3.0]))],
    "norm1": [call(V, plain=lambda x: np.linalg.norm(x, 1))], "norm2": [call(V, plain=np.linalg.norm)],
    "norm_fro": [call(A, plain=np.linalg.norm)],
    "nuclear_norm": [call(x, plain=lambda x: np.linalg.norm(x, "nuc")) for x in (A, good(3, 3))],
    "spectral_norm": [call(A, plain=lambda x: np.linalg.norm(x, 2))],
    "inv": [call(good(3, 3), plain=np.linalg.inv)], "det": [call(good(3, 3), plain=np.linalg.det)],
    "logdet": [call(good(3, 3), plain=lambda x: np.linalg.slogdet(x)[1])],
    "slogdet": [call(good(3, 3), plain=lambda x: tuple(np.linalg.slogdet(x)))],
    "eigh": [call(definite(3), plain=lambda x: tuple(np.linalg.eigh((x + x.T) / 2)))],
    "eigvalsh": [call(definite(3), plain=lambda x: np.linalg.eigvalsh((x + x.T) / 2))],
    "svd": [call(good(3, 3), plain=lambda x: tuple(np.linalg.svd(x))),
            call(good(4, 2), False, plain=lambda x, full: tuple(np.linalg.svd(x, full))),
            call(good(2, 4), compute_uv=False, plain=np.linalg.svd)],
    "svdvals": [call(good(4, 2), plain=np.linalg.svdvals)], "expm": [call(S / 2, plain=scipy.linalg.expm)],
    "cholesky": [call(definite(3), plain=lambda x: np.linalg.cholesky((x + x.T) / 2)),
                 call(definite(3), upper=True, plain=lambda x, upper: np.linalg.cholesky((x + x.T) / 2).T)],
    "solve": [call(good(3, 3), normal(3), plain=np.linalg.solve), call(good(3, 3), A, plain=np.linalg.solve)],
    "matrix_power": [call(good(3, 3), k, plain=np.linalg.matrix_power) for k in (-2, -1, 0, 1, 2, 3, 6)],
    "multi_dot": [call([A, C, C.T, V], plain=np.linalg.multi_dot)],
    "tril": [call(A), call(S, -1), call(S, 1)], "triu": [call(A), call(S, -1), call(S, 1)],
    # elementwise with options
    "clip": [call(A, -0.5, 0.8), call(A, None, 0.8), call(A, -0.5, None), call(A, normal(4) - 1, 1.0)],
    "where": [call(A > 0, A, B), call(A > 0, A, 0.0), call(A > 0, 2, V)],
    "log": [call(P), call(P, 3.0, plain=lambda x, b: np.log(x) / np.log(b))],
    "maximum": [call(A, B), call(A, 0.2), call(0.2, A), call(A, V)], "minimum": [call(A, B), call(A, 0.2),
        call(0.2, A)],
    "round": [call(A), call(A * 0.917, 1), call(A, decimals=-1)], "sinc": [call(A), call(np.array([1e-5, 0.5]))],
    "power": [call(P, 3), call(P, B), call(2.0, A), call(A, np.array([0, 1, 2, 3]))], "pow": [call(P, B), call(A, 2)],
    "heaviside": [call(A, plain=lambda x: np.heaviside(x, 1)), call(A, 0.5, plain=np.heaviside)],
    "factorial": [call(P, plain=scipy.special.factorial)], "frac": [call(A, plain=lambda x: x % 1)],
    "binomial": [call(P, 0.3, plain=scipy.special.binom), call(3.7, P, plain=scipy.special.binom)],
    "sech": [call(A, plain=lambda x: 1 / np.cosh(x))], "csch": [call(A, plain=lambda x: 1 / np.sinh(x))],
    "coth": [call(A, plain=lambda x: 1 / np.tanh(x))], "arccot": [call(A, plain=lambda x: np.arctan(1 / x))],
    "arcsec": [call(1 + P, plain=lambda x: np.arccos(1 / x))],
    "arccsc": [call(1 + P, plain=lambda x: np.arcsin(1 / x))],
    "arccoth": [call(1 + P, plain=lambda x: np.arctanh(1 / x))],
    "arcsech": [call(P / 3, plain=lambda x: np.arccosh(1 / x))],
    "arccsch": [call(A, plain=lambda x: np.arcsinh(1 / x))],
    "sec": [call(A, plain=lambda x: 1 / np.cos(x))], "csc": [call(A, plain=lambda x: 1 / np.sin(x))],
        "cot": [call(A, plain=lambda x: 1 / np.tan(x))],
    # neural
    "softmax": [call(A, plain=softmax), call(A, axis=0, plain=softmax)],
    "log_softmax": [call(A, plain=lambda x: scipy.special.log_softmax(x, -1)),
        call(A, axis=0, plain=scipy.special.log_softmax)],
    "one_hot": [call(PICK, 3, plain=lambda k, n: np.eye(n)[k])],
    "cross_entropy": [call(A, PICK, plain=one_hot_loss), call(Q, np.array([[0, 1, 3], [2, 2, 1]]), plain=one_hot_loss),
                      call(V, W**2, plain=lambda z, q: -(q * scipy.special.log_softmax(z)).sum())],
    "mse": [call(A, B, plain=lambda a, b: ((a - b) ** 2).mean()), call(V, A, plain=lambda a, b: ((a - b) ** 2).mean())],
    "linear": [call(A, normal(2, 4), normal(2), plain=lambda x, w, b: x @ w.T + b),
        call(V, normal(2, 4), plain=lambda x, w: x @ w.T)],
    "elu": [call(A, plain=lambda x: np.where(x > 0, x, np.expm1(x))), call(A, 0.3, plain=lambda x,
        a: np.where(x > 0, x, a * np.expm1(x)))],
    "leaky_relu": [call(A, plain=lambda x: np.where(x > 0, x, 0.01 * x)), call(A, 0.2, plain=lambda x,
        a: np.where(x > 0, x, a * x))],
    "gelu": [call(A, plain=lambda x: x * scipy.special.ndtr(x)),
             call(A, approximate="tanh", plain=lambda x,
             approximate: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))],
}  # fmt: skip

# One operand, entry by entry: compared on the row's own sample points.
ENTRYWISE: dict[str, Callable[..., Any]] = {
    **{n: getattr(np, n) for n in ["sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh",
        "tanh", "arcsinh", "arccosh", "arctanh", "exp", "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "cbrt",
            "square", "reciprocal", "abs", "sign", "floor", "ceil", "trunc", "rint", "remainder", "hypot",
                "logaddexp", "logical_and", "logical_or", "logical_not", "isnan", "isfinite", "isinf"]},
    **{n: getattr(scipy.special, n) for n in ["erf", "erfc", "gamma", "digamma", "polygamma", "erfi", "erfinv", "zeta",
        "beta", "spherical_jn"]},
    "besselj": scipy.special.jv, "bessely": scipy.special.yv, "besseli": scipy.special.iv,
    "besselk": scipy.special.kv, "Ei": scipy.special.expi, "li": lambda x: scipy.special.expi(np.log(x)),
    "Si": lambda x: scipy.special.sici(x)[0], "Ci": lambda x: scipy.special.sici(x)[1],
    "lambertw": lambda x: scipy.special.lambertw(x).real,
    "loggamma": scipy.special.gammaln, "sigmoid": sigmoid, "softplus": lambda x: np.log1p(np.exp(x)),
    "silu": lambda x: x * sigmoid(x), "relu": lambda x: np.maximum(x, 0), "step": lambda x: np.heaviside(x, 1),
}  # fmt: skip
for _name, _plain in ENTRYWISE.items():
    CALLS[_name] = [call(*[np.array(column) for column in zip(*points_of(TABLE[_name]))], plain=_plain)]

ALIASES = {
    "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
        "acosh": "arccosh",
    "atanh": "arctanh", "lgamma": "loggamma", "gammaln": "loggamma", "psi": "digamma", "absolute": "abs", "fabs": "abs",
    "swish": "silu", "expit": "sigmoid", "ceiling": "ceil", "mod": "remainder", "acot": "arccot", "asec": "arcsec",
    "acsc": "arccsc", "acoth": "arccoth", "asech": "arcsech", "acsch": "arccsch", "LambertW": "lambertw", "expi": "Ei",
    "jv": "besselj", "jn": "besselj", "yv": "bessely", "iv": "besseli", "kv": "besselk", "comb": "binomial",
    "binom": "binomial", "normF": "norm_fro", "frobenius": "norm_fro", "norm_nuc": "nuclear_norm",
    "nuclear": "nuclear_norm", "inverse": "inv", "chol": "cholesky",
}  # fmt: skip
TIES = {"sort", "argsort"}
FLAT = {name for name in CALLS if name in ("argmax", "argmin", "argsort", "any", "all", "one_hot", "array")}
LISTED = [(name, c) for name, calls in CALLS.items() for c in calls]


def plain_of(name: str, c: Call) -> Callable[..., Any]:
    plain = c.plain or getattr(np, name)
    return functools.partial(plain, **c.keywords)


def numpy_of(name: str, c: Call) -> Callable[..., Any] | None:
    """NumPy's own function, where it is what the plain one is."""
    found = np.linalg.norm if name == "norm" else getattr(np, name, None)
    return (
        None
        if found is None or (c.plain not in (None, found)) or name == "array"
        else functools.partial(found, **c.keywords)
    )


@pytest.mark.parametrize(("name", "c"), LISTED, ids=[ids(n, c) for n, c in LISTED])
def test_a_function_by_every_route(name: str, c: Call) -> None:
    plain = plain_of(name, c)
    check(functools.partial(FUNCTIONS[name], **c.keywords), c.args, plain, f"functions.{name}")
    for got, want in zip(as_list(FUNCTIONS[name](*c.args, **c.keywords)), as_list(plain(*c.args))):
        agree(got, want, 1e-13, what=f"functions.{name} on plain arrays")
    redirected = numpy_of(name, c)
    if redirected is not None and operands_of(c.args):
        check(redirected, c.args, plain, f"np.{name}", slopes=False)
    method = name in arrays.METHODS and c.plain is None and "axes" not in c.keywords
    if method and is_operand(c.args[0]) and np.shape(c.args[0]):
        check(lambda x, *rest: getattr(x, name)(*rest, **c.keywords), c.args, plain, f".{name}", slopes=False)


def test_every_function_is_in_the_table_of_calls() -> None:
    assert set(FUNCTIONS) == CALLS.keys() | ALIASES.keys()
    for other, name in ALIASES.items():
        assert FUNCTIONS[other] is FUNCTIONS[name]
    assert dir(functions) == sorted(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        assert getattr(functions, name) is function


# ---------------------------------------------------------------- NumPy names that are only redirected

N, L = np, np.linalg
M = good(3, 3)
REDIRECTED: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...]]]] = {
    "zeros_like": [(lambda x: N.zeros_like(x) + x, (A,))], "ones_like": [(lambda x: N.ones_like(x) * x, (A,))],
    "full_like": [(lambda x: N.full_like(x, 2.0) * x, (A,)), (lambda x: N.full_like(x, x[0, 0]), (A,))],
    "empty_like": [(lambda x: 0 * N.nan_to_num(N.empty_like(x)) + x, (A,))],
    "shape": [(lambda x: x * N.shape(x)[1], (A,))], "ndim": [(lambda x: x * N.ndim(x), (A,))],
        "size": [(lambda x: x / N.size(x), (A,))],
    "copy": [(lambda x: N.copy(x) * 2, (A,))], "real": [(lambda x: N.real(x), (A,))],
    "result_type": [(lambda x: x * N.ones(4, N.result_type(x, 1.0)), (A,))],
    "iscomplexobj": [(lambda x: x if N.iscomplexobj(x) else 2 * x, (A,))],
        "isrealobj": [(lambda x: 2 * x if N.isrealobj(x) else x, (A,))],
    "average": [(lambda x: N.average(x), (A,)), (lambda x: N.average(x, axis=0), (A,)),
        (lambda x, w: N.average(x, axis=1, weights=w), (A, P)),
                (lambda x, w: N.average(x, weights=w), (V, np.abs(W)))],
    "allclose": [(lambda x: x if N.allclose(x, x + 1e-12) else 2 * x, (A,))],
    "count_nonzero": [(lambda x: x * N.count_nonzero(x), (A,)), (lambda x: x * N.count_nonzero(x, axis=0), (A,))],
    "nan_to_num": [(lambda x: N.nan_to_num(x) * 2, (A,))],
    "atleast_1d": [(lambda x: N.atleast_1d(x), (np.float64(0.5),)), (lambda x: N.atleast_1d(x), (A,))],
    "atleast_2d": [(lambda x: N.atleast_2d(x), (np.float64(0.5),)), (lambda x: N.atleast_2d(x), (V,)),
        (lambda x: N.atleast_2d(x), (Q,))],
    "column_stack": [(lambda a, b: N.column_stack([a, b]), (V, W)), (lambda a, b: N.column_stack([a, b]), (A, B))],
    "trapezoid": [(lambda y: N.trapezoid(y), (V,)), (lambda y: N.trapezoid(y, dx=0.5), (V,)),
        (lambda y, x: N.trapezoid(y, x), (V, np.cumsum(np.abs(W)))),
                  (lambda y: N.trapezoid(y), (A,)), (lambda y, x: N.trapezoid(y, x), (A, np.cumsum(np.abs(W))))],
    "array_split": [(lambda x: N.array_split(x, 2), (V,)), (lambda x: N.array_split(x, 3), (V,)),
        (lambda x: N.array_split(x, [1, 3]), (V,))],
    "polyval": [(lambda p: N.polyval(p, 0.7), (V,)), (lambda x: N.polyval([2.0, 0.0, -1.0], x), (A,)),
                (lambda p, x: N.polyval(p, x), (V, A)), (lambda x: N.polyval([3.0], x), (A,))],
    "square": [(lambda x: N.square(x), (A,))], "sinc": [(lambda x: N.sinc(x), (A,))],
    "amax": [(lambda x: N.amax(x, 0), (A,))], "max": [(lambda x: N.max(x, initial=None), (A,))],
        "min": [(lambda x: N.min(x, axis=0), (A,))],
    "amin": [(lambda x: N.amin(x, 0), (A,))],
    "row_stack": [],
    "linalg.norm": [(lambda x: N.linalg.norm(x, axis=0), (A,)), *[(lambda x, ord=ord: L.norm(x, ord), (A,))
        for ord in ("nuc", "fro", 2, -2, 1, -1, np.inf, -np.inf)]],
        "absolute": [(lambda x: N.absolute(x), (A,))],
    "permute_dims": [(lambda x: N.permute_dims(x, (1, 0, 2)), (Q,))],
        "concat": [(lambda a, b: N.concat([a, b]), (A, B))],
    "matrix_transpose": [(lambda x: N.matrix_transpose(x), (A,)), (lambda x: N.matrix_transpose(x), (Q,))],
    "around": [(lambda x: N.around(x), (A,))], "fix": [(lambda x: N.fix(x), (A,))],
    "cumulative_prod": [(lambda x: N.cumulative_prod(x), (V,)), (lambda x: N.cumulative_prod(x, axis=1), (A,))],
    "cumulative_sum": [(lambda x: N.cumulative_sum(x, axis=0), (A,))],
    "linalg.inv": [(lambda x: L.inv(x), (M,))], "linalg.det": [(lambda x: L.det(x), (M,))],
    "linalg.slogdet": [(lambda x: L.slogdet(x)[1], (M,)), (lambda x: L.slogdet(x).logabsdet, (-M,)),
        (lambda x: x * L.slogdet(x).sign, (-M,))],
    "linalg.solve": [(lambda a, b: L.solve(a, b), (M, S)), (lambda b: L.solve(M, b), (S[0],)),
        (lambda a: L.solve(a, S[0]), (M,))],
    "linalg.cholesky": [(lambda x: L.cholesky(x @ x.T), (M,)), (lambda x: L.cholesky(x @ x.T, upper=True), (M,))],
    "linalg.eigh": [(lambda x: L.eigh(x + x.T).eigenvectors ** 2, (S,))],
    "linalg.eigvalsh": [(lambda x: L.eigvalsh(x + x.T), (S,))],
    "linalg.svd": [(lambda x: L.svd(x).S, (M,)), (lambda x: L.svd(x, full_matrices=False).Vh ** 2, (A,)),
        (lambda x: L.svd(x, compute_uv=False), (A,))],
    "linalg.svdvals": [(lambda x: L.svdvals(x), (A,))],
    "linalg.matrix_power": [(lambda x: L.matrix_power(x, 3), (M,)), (lambda x: L.matrix_power(x, -1), (M,))],
    "linalg.multi_dot": [(lambda x: L.multi_dot([x, x.T, x]), (A,))],
    "linalg.trace": [(lambda x: L.trace(x), (S,))], "linalg.matmul": [(lambda a, b: L.matmul(a, b), (A, C))],
    "linalg.outer": [(lambda a, b: L.outer(a, b), (V, W))],
    "linalg.cross": [(lambda a, b: L.cross(a, b), (S, M))],
    "linalg.tensordot": [(lambda a, b: L.tensordot(a, b, axes=1), (A, C))],
    "linalg.matrix_transpose": [(lambda x: L.matrix_transpose(x), (Q,))],
    "linalg.diagonal": [(lambda x: L.diagonal(x), (S,)), (lambda x: L.diagonal(x, offset=1), (Q,))],
    "linalg.vector_norm": [(lambda x: L.vector_norm(x), (A,)), (lambda x: L.vector_norm(x, axis=1, ord=1), (A,)),
        (lambda x: L.vector_norm(x, ord=3), (Q,))],
    "linalg.matrix_norm": [(lambda x: L.matrix_norm(x), (A,)), (lambda x: L.matrix_norm(x, ord="nuc"), (A,)),
        (lambda x: L.matrix_norm(x), (Q,)), (lambda x: L.matrix_norm(x, ord=2, keepdims=True), (A,))],
}  # fmt: skip
UFUNC_CALLS: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...]]]] = {
    "matmul": [(lambda a, b: a @ b, (A, C)), (lambda a, b: N.matmul(a, b), (Q, C)), (lambda b: np.ones((2, 4)) @ b,
        (C,))],
    "vecdot": [(lambda a, b: N.vecdot(a, b), (V, W)), (lambda a, b: N.vecdot(a, b), (A, B))],
    "deg2rad": [(lambda x: N.deg2rad(x), (A,))], "rad2deg": [(lambda x: N.rad2deg(x), (A,))],
    "radians": [(lambda x: N.radians(x), (A,))], "degrees": [(lambda x: N.degrees(x), (A,))],
    "positive": [(lambda x: N.positive(x) * x, (A,)), (lambda x: +x, (A,))],
        "floor_divide": [(lambda x: x // 0.31, (A,)), (lambda x: N.floor_divide(x, 0.31), (A,))],
    "heaviside": [(lambda x: N.heaviside(x, 0.5), (A,))], "xlogy": [(lambda x, y: scipy.special.xlogy(x, y),
        (P, np.abs(B)))],
    "maximum": [(lambda a, b: N.maximum(a, b), (A, B))], "minimum": [(lambda a, b: N.minimum(a, b), (A, B))],
    "fmax": [(lambda a, b: N.fmax(a, b), (A, B))], "fmin": [(lambda a, b: N.fmin(a, b), (A, B))],
    **{letter + order: [(getattr(scipy.special, letter + order), (P,))] for letter in "jyik" for order in "01"},
    "exp1": [(scipy.special.exp1, (P,))],
    "_lambertw": [(lambda x: N.real(scipy.special.lambertw(x)), (P,))],
}  # fmt: skip
METHODS = {
    "reduce": [(lambda x: N.add.reduce(x), (A,)), (lambda x: N.add.reduce(x, axis=1, keepdims=True), (A,)),
        (lambda x: N.multiply.reduce(x, axis=None), (A,)),
               (lambda x: N.maximum.reduce(x, axis=-1), (A,)), (lambda x: N.minimum.reduce(x), (A,))],
    "outer": [(lambda a, b: N.add.outer(a, b), (V, W)), (lambda a, b: N.subtract.outer(a, b), (A, V)),
        (lambda a: N.multiply.outer(a, [1.0, 2.0]), (V,)),
              (lambda b: N.multiply.outer(np.ones(3), b), (V,))],
    "accumulate": [(lambda x: N.add.accumulate(x), (A,)), (lambda x: N.add.accumulate(x, axis=1), (A,))],
    "operators": [(lambda x: (-x + 2) * x / 3 - 1 / x + x**2 - 2**x, (P,)), (lambda x: x % 0.7 + 4.9 % x, (P,)),
        (lambda x: abs(x) + 0.5, (A,)),
                  (lambda x: np.where((x > 0) & ~(x > 1) | (x < -1), x, 3 * x), (A,)), (lambda x: x.T @ x, (A,)),
                  (lambda x: x * (x >= 0) - x * (x <= 0) * (x != 1), (A,)),
                  (lambda x: A - x, (B,)), (lambda x: A / x, (B,)), (lambda x: P**x, (B,))],
    "keywords": [(lambda x: x.sum(axis=0, keepdims=True), (A,)), (lambda x: x.clip(min=0.1), (A,)),
        (lambda x: N.clip(x, a_min=0.1, a_max=1.0), (A,)),
                 (lambda x: x.clip(-0.5, max=0.5), (A,)), (lambda x: N.sum(x, 0, None, None, True), (A,)),
                 (lambda x: N.mean(x, 1, np.float64), (A,)),
                 (lambda x: N.var(x, 0, None, None, 1), (A,)), (lambda x: x.std(0, None, None, 1), (A,)),
                 (lambda x: x.mean(0, np.float64), (A,)),
                 (lambda x: N.sum(a=x, axis=1), (A,)), (lambda x: N.reshape(x, shape=(4, 3)), (A,)),
                 (lambda x: N.cumsum(x, 0, float), (A,)),
                 (lambda x: x.astype(float) * 2, (A,)), (lambda x: x.flatten(), (A,)), (lambda x: x.transpose(1, 0),
                 (A,)), (lambda x: x.transpose((1, 0)), (A,)),
                 (lambda x: x.reshape(2, -1), (A,)), (lambda x: x.reshape((2, -1)), (A,)), (lambda x: x.max(axis=1),
                 (A,)), (lambda x: x.min(), (A,)),
                 (lambda x: x.sum(0) + x.prod(axis=0), (A,)), (lambda x: x.dot(C), (A,)),
                 (lambda x: x.item() * 2, (normal(1, 1),))],
}  # fmt: skip
OTHERS = [
    (name, k, f, args)
    for table in (REDIRECTED, UFUNC_CALLS, METHODS)
    for name, calls in table.items()
    for k, (f, args) in enumerate(calls)
]


@pytest.mark.parametrize(("name", "k", "f", "args"), OTHERS, ids=[f"{name}-{k}" for name, k, *_ in OTHERS])
def test_redirected_numpy(name: str, k: int, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    check(f, args, f, f"{name}[{k}]")


def test_every_redirection_is_tested() -> None:
    assert set(arrays.SPECIAL) | set(arrays._NAMES) == REDIRECTED.keys()
    assert set(arrays.OTHER_UFUNCS) == UFUNC_CALLS.keys()


UNARY = [
    name for name, row in arrays.UFUNCS.items() if row.arity == 1 and isinstance(getattr(np, name, None), np.ufunc)
]
BINARY = [
    name for name, row in arrays.UFUNCS.items() if row.arity == 2 and isinstance(getattr(np, name, None), np.ufunc)
]


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_a_ufunc_goes_to_its_row(name: str) -> None:
    operands = tuple(np.array(column) for column in zip(*points_of(arrays.UFUNCS[name])))
    if name.startswith("bitwise") or name == "invert":
        operands = tuple(v.astype(bool) for v in operands)
        trace = Trace()
        traced = [trace.input("x", v.astype(float)) > 0.5 for v in operands]
        assert np.array_equal(getattr(np, name)(*traced).value, getattr(np, name)(*operands))
        return
    check(getattr(np, name), operands, getattr(np, name), f"np.{name}")


# ---------------------------------------------------------------- conventions at a tie, refusals


def slope(f: Callable[[Any], Any], x: Any) -> Any:
    trace = Trace()
    t = trace.input("x", x)
    y = f(t)
    return evaluate(pullback([y.expr], [const(1.0)], [t.expr]), trace.values)[0]


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (lambda x: np.maximum(x, 0.0), 0.0, 0.0), (lambda x: np.maximum(0.0, x), 0.0, 0.0),
        (lambda x: np.minimum(x, 0.0), 0.0, 0.0),
        (lambda x: functions.maximum(x, 0), 0.0, 0.0), (lambda x: np.maximum(x, x * 1.0), 2.0, 1.0),
        (lambda x: np.maximum(x, 2 * x), 0.0, 1.5),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.0), (lambda x: np.clip(x, 0.0, None), 0.0, 0.0),
        (lambda x: np.abs(x), 0.0, 0.0),
        (lambda x: functions.relu(x), 0.0, 0.0), (lambda x: np.sinc(x), 0.0, 0.0),
        (lambda x: np.max(x), np.array([1.0, 1.0]), [0.5, 0.5]),
        (lambda x: np.linalg.norm(x), np.zeros(2), [0.0, 0.0]), (lambda x: np.std(x), np.ones(2), [0.0, 0.0]),
        (lambda x: np.sort(x)[0], np.array([3.0, 1.0]),
        [0.0, 1.0]),
        (lambda x: np.sum(x ** np.arange(4)), np.float64(0.0).item(), 1.0),
        (lambda x: np.median(x), np.array([3.0, 1.0, 2.0]), [0, 0, 1]),
    ],
)  # fmt: skip
def test_conventions(f: Callable[[Any], Any], x: Any, want: Any) -> None:
    agree(slope(f, x), want)


REFUSED: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda x: np.sum(x, axis=5), ShapeError, "axis 5"),
    (lambda x: np.sum(x, axis=(0, 0)), ShapeError, "twice"),
    (lambda x: np.reshape(x, (5, -1)), ShapeError, "reshaped"),
    (lambda x: np.reshape(x, (5, 5)), ShapeError, "reshaped"),
    (lambda x: x @ x, ShapeError, "conform"),
    (lambda x: x + np.ones(7), ShapeError, "broadcast"),
    (lambda x: x[9], ShapeError, "index"),
    (lambda x: x["a"], InputError, "index"),
    (lambda x: np.squeeze(x, 0), ShapeError, "squeezed"),
    (lambda x: np.split(x, 2), ShapeError, "split"),
    (lambda x: np.concatenate([x, np.ones((3, 5))]), ShapeError, "joined"),
    (lambda x: np.stack([x, x.T]), ShapeError, "stacked"),
    (lambda x: np.pad(x, 1, mode="edge"), InputError, "zeros"),
    (lambda x: np.linalg.norm(x, 3), InputError, "norm of a matrix with ord=3"),
    (
        lambda x: np.linalg.norm(x, 2, axis=(0, 1), keepdims=True) + np.linalg.norm(x[None], 2, (0, 1)),
        InputError,
        "2 axes of an array of shape",
    ),
    (lambda x: np.linalg.inv(x), ShapeError, r"the inverse of an array of shape .*: a square matrix was wanted"),
    (lambda x: np.linalg.solve(x, x), ShapeError, r"solve\(A, b\)"),
    (lambda x: np.linalg.svd(x), InputError, "pass full_matrices=False"),
    (lambda x: np.linalg.pinv(x), UnsupportedError, r"np\.linalg\.pinv"),
    (lambda x: np.linalg.matrix_power(x @ x.T, 0.5), InputError, "a whole number was wanted"),
    (lambda x: np.linalg.matrix_power(x, 2), ShapeError, "square"),
    (lambda x: np.diagonal(x[0], 1), ShapeError, r"diagonal of an array of shape \(4,\), offset 1: a matrix"),
    (lambda x: np.diagonal(x, 0, 1, 1), ShapeError, "two different axes"),
    (lambda x: np.cross(x, x), ShapeError, "3 entries"),
    (lambda x: functions.norm2(x), ShapeError, "norm2 of an array of shape .* a vector was wanted"),
    (lambda x: np.linalg.norm(x, 0), InputError, "norm"),
    (lambda x: np.linalg.norm(x[0], 0), InputError, "norm"),
    (lambda x: np.sum(x, out=np.zeros(())), InputError, "out"),
    (lambda x: np.sum(x, where=A > 0), InputError, "where"),
    (lambda x: np.add(x, 1, out=np.zeros((3, 4))), TraceError, "out="),
    (lambda x: np.einsum("ij,jk", x), ShapeError, "operands"),
    (lambda x: np.einsum("ijk->i", x), ShapeError, "axes"),
    (lambda x: np.einsum("ij,ij->i", x, np.ones((3, 5))), ShapeError, "index j"),
    (lambda x: functions.cross_entropy(x, np.ones((2, 4))), ShapeError, "targets"),
    (lambda x: functions.cross_entropy(x, np.array([0, 1, 7])), InputError, "labels"),
    (lambda x: functions.sin(x, x), InputError, "takes 1"),
    (lambda x: np.fft.fft(x), UnsupportedError, "no row"),
    (lambda x: np.gcd(x, 2), UnsupportedError, "no row"),
    (lambda x: np.asarray(x), TraceError, "gradient"),
    (lambda x: float(x[0, 0]), TraceError, "gradient"),
    (lambda x: x * 1j, InputError, "complex"),
    (lambda x: x[x], InputError, "whole"),
    (lambda x: np.median(x, axis=(0, 1)), InputError, "median"),
    (lambda x: np.trace(x), ShapeError, "square"),
]


@pytest.mark.parametrize(("f", "error", "word"), REFUSED)
def test_what_can_not_be_done_is_refused_in_words(f: Callable[[Any], Any], error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word) as caught:
        f(Trace().input("x", A))
    assert isinstance(caught.value, TangentlyError)


# ---------------------------------------------------------------- indexing

KEYS: list[Any] = [
    0, -1, (1, 2), (-1, -1), slice(None), slice(1, 3), slice(None, None, -1), slice(3, 0, -2), slice(None, None, 2),
        slice(5, 2), slice(-2, None),
    (slice(None), 1), (slice(None, None, -1), slice(1, None, 2)), None, (None, 0), (slice(None), None), (Ellipsis, 1),
        (0, Ellipsis), Ellipsis,
    (Ellipsis, None), (None, Ellipsis, slice(1, 2), None), (0, slice(None)), [0, 0, 2], PICK, (PICK, 1), (PICK, PICK),
        (slice(None), PICK), (PICK, slice(1, 3)),
    (PICK[:, None], np.array([0, 3])), np.ix_([0, 2], [1, 1, 3]), np.array([[0, 1], [2, 2]]), np.array(1),
        np.array([-1, 0]), np.arange(3),
    (np.arange(3), PICK), A > 0, A[:, 0] > 0, (slice(None), V > 0), (A[:, 0] > 0, 1), (A[:, 0] > -9, PICK),
        [True, False, True], np.zeros((3, 4), bool),
    (0, PICK), (1, None, PICK), (None, PICK), np.int64(1), (np.int32(0), np.int8(-1)), (PICK, None, PICK),
        (PICK, Ellipsis, 0), (None, PICK, Ellipsis, 0), (), np.array([], int), [], (PICK.astype(np.uint8),),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda k: repr(k).replace("\n", "")[:60])
def test_indexing(key: Any) -> None:
    f = lambda x: x[key]
    check(f, (A,), f, f"x[{key!r}]")


@pytest.mark.parametrize("key", [(0, slice(None), PICK), (PICK, slice(None), PICK), (slice(None), PICK, PICK),
    (Ellipsis, PICK), (PICK, Ellipsis, 1),
                                 Q > 0, (0, A > 0), (Q[:, :, 0] > 0, slice(1, 3)), (slice(None, None, -1), None, 1,
                                     Ellipsis)], ids=repr)  # fmt: skip
def test_indexing_three_axes(key: Any) -> None:
    f = lambda x: x[tuple(k % 2 if k is PICK else k for k in key) if isinstance(key, tuple) else key]
    check(f, (Q,), f, f"x[{key!r}]")


def test_indexing_by_what_is_traced() -> None:
    """Masks and labels that were computed: the choice is a guard, the gradient goes to the entries chosen."""
    by_mask, by_label = (lambda x: x[x > 0.6]), (lambda x: x[np.arange(3), np.argmax(x, axis=1)])
    check(by_mask, (A,), by_mask, "x[x > 0.6]")
    check(by_label, (A,), by_label, "x[arange, argmax]")
    trace = Trace()
    x, labels = trace.input("x", A), trace.input("labels", np.array([2.0, 0.0, 3.0]))
    agree(x[np.arange(3), labels].value, A[np.arange(3), [2, 0, 3]])
    with pytest.raises(InputError, match="whole"):
        x[trace.input("labels", np.array([0.5, 0.0, 1.0]))]
    assert len(x[0]) == 4
    assert [row.value.tolist() for row in x] == A.tolist()
    assert trace.guards == []
    assert x[trace.input("k", 1.0)].value.tolist() == A[1].tolist()
    assert [outcome for _, outcome in trace.guards] == [1]


def test_a_guard_keeps_the_mask() -> None:
    trace = Trace()
    x = trace.input("x", A)
    x[x > 0.6].sum()
    ((condition, mask),) = trace.guards
    assert condition.op.name == "gt"
    assert np.array_equal(mask, A > 0.6)


# ---------------------------------------------------------------- properties: products of arrays

PROPERTY = settings(max_examples=120, deadline=None, derandomize=True)


def multilinear_slopes(f: Callable[..., Any], xs: list[np.ndarray], g: Any) -> list[np.ndarray]:
    """Exact cotangents of a function that is linear in each operand: its differences with a step of 1."""
    found = []
    for k, x in enumerate(xs):
        slopes = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[at] = 1.0
            slopes[at] = np.sum(g * f(*xs[:k], unit, *xs[k + 1 :]))
        found.append(slopes)
    return found


def check_multilinear(f: Callable[..., Any], plain: Callable[..., Any], xs: list[np.ndarray]) -> None:
    """Value, cotangents, and generated code of a multilinear function, against NumPy and exact differences."""
    trace = Trace()
    inputs = [trace.input(f"x{k}", x if x.shape else float(x)) for k, x in enumerate(xs)]
    y, want = f(*inputs), plain(*xs)
    assert y.shape == np.shape(want)
    agree(y.value, want, 1e-12, 1.0)
    g = normal(*np.shape(want), seed=9)
    nodes = pullback([y.expr], [const(g)], [x.expr for x in inputs])
    reverse = evaluate(nodes, trace.values)
    slopes = multilinear_slopes(plain, xs, g)
    for a, b, c in zip(reverse, slopes, sweep([y.expr], [g], [x.expr for x in inputs], trace.values)):
        agree(a, b, 1e-11, 1.0)
        agree(c, b, 1e-11, 1.0)
    made = generate("f", [Argument(f"x{k}", x.expr) for k, x in enumerate(inputs)], expand([y.expr, *nodes]))
    for a, b in zip(made.call(*[x if x.shape else float(x) for x in xs]), [want, *slopes]):
        agree(a, b, 1e-11, 1.0, made.source)


@st.composite
def einsums(draw: st.DrawFn) -> tuple[str, list[np.ndarray]]:
    """Any subscripts of up to three operands: repeated, summed, outer, transposed, scalars."""
    sizes = {c: draw(st.integers(1, 3)) for c in "abcd"}
    operands = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    letters = sorted(set("".join(operands)))
    out = "".join(draw(st.permutations(draw(st.lists(st.sampled_from(letters), unique=True)) if letters else [])))
    return f"{','.join(operands)}->{out}", [
        np.asarray(normal(*[sizes[c] for c in s], seed=k)) for k, s in enumerate(operands)
    ]


@given(einsums())
@PROPERTY
def test_einsum_of_any_subscripts(case: tuple[str, list[np.ndarray]]) -> None:
    spec, xs = case
    check_multilinear(lambda *a: functions.einsum(spec, *a), lambda *a: np.einsum(spec, *a, optimize=False), xs)


@st.composite
def matrix_stacks(draw: st.DrawFn) -> list[np.ndarray]:
    """Operands of `@`: vectors, matrices, and stacks that broadcast."""
    lead = draw(st.lists(st.integers(1, 3), max_size=2))
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    shapes = []
    for tail, vector in (((n, k), (k,)), ((k, m), (k,))):
        own = [1 if draw(st.booleans()) else size for size in lead][draw(st.integers(0, len(lead))) :]
        shapes.append(vector if draw(st.integers(0, 4)) == 0 else (*own, *tail))
    return [normal(*shape, seed=j) for j, shape in enumerate(shapes)]


@given(matrix_stacks())
@PROPERTY
def test_matmul_of_any_stacks(xs: list[np.ndarray]) -> None:
    check_multilinear(np.matmul, np.matmul, xs)


@st.composite
def contractions(draw: st.DrawFn) -> tuple[list[np.ndarray], Any]:
    a, b = (draw(st.lists(st.integers(1, 3), max_size=3)) for _ in range(2))
    assume(math.prod(a) * math.prod(b) <= 200)
    count = draw(st.integers(0, min(len(a), len(b))))
    mine = draw(st.permutations(range(len(a))))[:count]
    theirs = draw(st.permutations(range(len(b))))[:count]
    for j, k in zip(mine, theirs):
        b[k] = a[j]
    signed = lambda axes, n: [k - n if draw(st.booleans()) else k for k in axes]
    return [np.asarray(normal(*a)), np.asarray(normal(*b, seed=1))], (signed(mine, len(a)), signed(theirs, len(b)))


@given(contractions())
@PROPERTY
def test_tensordot_of_any_axes(case: tuple[list[np.ndarray], Any]) -> None:
    xs, axes = case
    assume(all(x.shape for x in xs))
    check_multilinear(lambda a, b: np.tensordot(a, b, axes), lambda a, b: np.tensordot(a, b, axes), xs)


# ---------------------------------------------------------------- properties: layout

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@st.composite
def keys(draw: st.DrawFn) -> tuple[np.ndarray, Any]:
    """An array and any key that NumPy takes for it."""
    x = normal(*draw(SHAPES))
    ends = st.one_of(st.none(), st.integers(-5, 5))
    many = draw(st.booleans())
    pick = draw(st.integers(1, 3))
    parts: list[Any] = []
    for n in x.shape[: draw(st.integers(0, x.ndim))]:
        kind = draw(st.sampled_from("isa" if many else "is"))
        if kind == "i":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "s":
            step = draw(st.one_of(st.none(), st.integers(-3, 3).filter(bool)))
            parts.append(slice(draw(ends), draw(ends), step))
        else:
            parts.append(np.array(draw(st.lists(st.integers(-n, n - 1), min_size=pick, max_size=pick))))
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    return x, tuple(parts)


def check_linear(f: Callable[[Any], Any], x: np.ndarray) -> None:
    check_multilinear(f, f, [x])


@given(keys())
@settings(PROPERTY, max_examples=250)
def test_any_key(case: tuple[np.ndarray, Any]) -> None:
    x, key = case
    if Ellipsis in [k for k in key if not isinstance(k, np.ndarray)]:  # integers after "…" count from the right
        try:
            x[key]
        except IndexError:
            assume(False)
    check_linear(lambda v: v[key] * 1.0, x)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[str, np.ndarray, Callable[[Any], Any]]:
    """A layout function with options that fit the array."""
    x = normal(*draw(SHAPES))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    order = tuple(draw(st.permutations(range(x.ndim))))
    shift, count = draw(st.integers(-5, 5)), draw(st.integers(1, 3))
    widths = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in x.shape)
    sizes = draw(st.permutations(x.shape))
    reps = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=4)))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=3)))
    target = (*draw(st.lists(st.integers(1, 2), max_size=2)), *x.shape)
    table: dict[str, Callable[[Any], Any]] = {
        "reshape": lambda v: np.reshape(v, (*sizes[:-1], -1)), "transpose": lambda v: np.transpose(v, order),
        "roll": lambda v: np.roll(v, shift, axis), "roll all": lambda v: np.roll(v, shift),
            "flip": lambda v: np.flip(v, axis),
        "pad": lambda v: np.pad(v, widths), "tile": lambda v: np.tile(v, reps), "repeat": lambda v: np.repeat(v,
            count, axis),
        "cumsum": lambda v: np.cumsum(v, axis), "diff": lambda v: np.diff(v, min(count, size - 1), axis),
        "split": lambda v: np.concatenate([(k + 1.0) * part for k, part in enumerate(np.split(v, cuts, axis))], axis),
        "stack": lambda v: np.stack([v, 2 * v, v], axis), "concatenate": lambda v: np.concatenate([v, v * 3], axis),
        "broadcast": lambda v: np.broadcast_to(v, target) * 1.0, "expand": lambda v: np.expand_dims(v, axis),
        "moveaxis": lambda v: np.moveaxis(v, axis, order[0]), "swapaxes": lambda v: np.swapaxes(v, axis, order[0]),
        "sum": lambda v: np.sum(v, axis, keepdims=count == 2), "mean": lambda v: np.mean(v, axis=order[: count],
            keepdims=count == 2),
        "take": lambda v: np.take(v, np.arange(count) % size, axis),
    }  # fmt: skip
    name = draw(st.sampled_from(sorted(table)))
    return name, x, table[name]


@given(layouts())
@settings(PROPERTY, max_examples=300)
def test_any_layout(case: tuple[str, np.ndarray, Callable[[Any], Any]]) -> None:
    _, x, f = case
    check_linear(f, x)


def test_a_recording_runs_the_functions() -> None:
    """The same through `record`: names come from the source, the outputs are the recorded ones."""

    def loss(w: Any, x: Any) -> Any:
        h = np.tanh(x @ w)
        return np.mean(h**2)

    r = record(loss, [C, A], ["w", "x"], lambda given: (tuple(given), {}), [True, True])
    assert r.scalar
    assert "h" in r.names.values()
    agree(r.results[0], np.mean(np.tanh(A @ C) ** 2), 1e-14)
