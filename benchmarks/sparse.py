"""Sparse Hessians of functions of 10⁵ numbers, whose dense form would need 80 GB.

Peers: asdex (pattern from JAX's graph, star coloring, compressed Hessian-vector products, jitted), CasADi (pattern by
propagation of bits, coloring) and the diagonals written by hand for `scipy.sparse`. What they do once per function is
excluded from the ratio and stands in the note. tangently's answer is `hessian(f)(x).sparse()`, a scipy.sparse array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import tangently as tg

from . import peers
from .harness import Call, Row, compare
from .hessians import ONCE, SYMBOLIC_LIMIT, once_per_function, prepared

HAND, ASDEX, CASADI = "SciPy written by hand", "asdex, jitted", "CasADi"
LIBRARIES: dict[str, Callable[..., Call]] = {ASDEX: peers.sparse_in_asdex, CASADI: peers.sparse_in_casadi}
SIZE = 100_000


@dataclass(frozen=True)
class Problem:
    name: str
    objective: Callable[..., Any]  # (xp, x)
    by_hand: Callable[[np.ndarray], Any]


def rosenbrock(xp, x):
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_by_hand(x):
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    return tridiagonal(diagonal, -400 * x[:-1])


def chained(xp, x):
    """Neighbors are coupled: Σ sin(xᵢxᵢ₊₁) + (xᵢ₊₁ − xᵢ)⁴."""
    return xp.sum(xp.sin(x[:-1] * x[1:]) + (x[1:] - x[:-1]) ** 4)


def chained_by_hand(x):
    a, b = x[:-1], x[1:]
    p, bend = a * b, 12 * (b - a) ** 2
    s = np.sin(p)
    diagonal = np.zeros_like(x)
    diagonal[:-1] = bend - s * b * b
    diagonal[1:] += bend - s * a * a
    return tridiagonal(diagonal, np.cos(p) - s * p - bend)


def tridiagonal(diagonal: np.ndarray, beside: np.ndarray) -> Any:
    import scipy.sparse

    make: Any = scipy.sparse.diags_array  # whose annotation knows of one diagonal only
    return make([beside, diagonal, beside], offsets=[-1, 0, 1], format="csr")


PROBLEMS = (
    Problem("Rosenbrock's function", rosenbrock, rosenbrock_by_hand),
    Problem("a chained function", chained, chained_by_hand),
)


def in_scipy(found: Any) -> Any:
    """Any library's sparse matrix as SciPy's: JAX's BCOO and CasADi's DM are known."""
    import scipy.sparse

    if hasattr(found, "indices") and hasattr(found, "data") and np.ndim(found.indices) == 2:
        return scipy.sparse.coo_array((np.asarray(found.data), np.asarray(found.indices).T), shape=found.shape)
    return scipy.sparse.coo_array(found.sparse() if hasattr(found, "sparse") else found)


def same_sparse(got: Any, want: Any, rtol: float = 1e-8) -> None:
    far = abs(in_scipy(got).tocsr() - want).max()
    if not far <= rtol * abs(want).max():
        raise AssertionError(f"sparse Hessians differ by {far:.3g}")


def ours(problem: Problem) -> Callable[[np.ndarray], Any]:
    return tg.hessian(partial(problem.objective, np))


def sparse_rows(quick: bool) -> Iterator[Row]:
    n = 1000 if quick else SIZE
    for problem in PROBLEMS:
        yield from timed(problem, f"sparse Hessian of {problem.name}, n = {n:,}", inputs(n))
        found = once_per_function(lambda problem=problem: Sparse(ours(problem)), inputs, range(n + 1, n + 7))
        scenario = f"symbolic time of the sparse Hessian of {problem.name}, n = {n:,}"
        yield Row(scenario, "a bound", found, SYMBOLIC_LIMIT, "ms", note=ONCE)


def inputs(n: int) -> tuple[np.ndarray]:
    return (np.random.default_rng(0).normal(size=n),)


@dataclass(frozen=True)
class Sparse:
    """tangently's answer, in full."""

    hessian: Callable[[np.ndarray], Any]

    def __call__(self, x: np.ndarray) -> Any:
        return self.hessian(x).sparse()


def timed(problem: Problem, scenario: str, args: tuple[np.ndarray]) -> Iterator[Row]:
    wanted, notes = problem.by_hand(*args), dict[str, str]()
    calls: dict[str, Call | None] = {"tangently": partial(Sparse(ours(problem)), *args)}
    calls[HAND] = partial(problem.by_hand, *args)
    for name, maker in LIBRARIES.items():
        calls[name] = peers.optional(prepared, maker, problem, args, notes, name)
    for each in filter(None, calls.values()):
        same_sparse(each(), wanted)
    yield from compare(scenario, calls, {ASDEX: 1.0 if len(args[0]) == SIZE else None}, notes)
