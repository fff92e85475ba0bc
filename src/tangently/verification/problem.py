"""What a receipt is about: a scalar output, its inputs, a point, and how the gradient's entries are laid out.

The gradient of several inputs is one vector of n entries. Above 200 entries (or where entries × nodes are many) the
products with 8 random directions are compared in its place. An intermediate value among `wrt` is cut off: it becomes an
input of its own, so that every route sees inputs alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.differentiation import pullback
from tangently.errors import InputError, ShapeError
from tangently.expr import CONST, INPUT, Expr, const, depends, evaluate, substitute, symbol, toposort

MANY = 200  # entries: above, directions are compared
WORK = 50_000  # entries × nodes: above, too
DIRECTIONS = 8


def directions(n: int) -> np.ndarray:
    """Rows of length 1, the same in every run."""
    rows = np.random.default_rng(20240229).normal(size=(DIRECTIONS, n))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Problem:
    """A scalar output, what it is differentiated with respect to (inputs all), and the point."""

    output: Expr
    wrt: tuple[Expr, ...]
    values: dict[Expr, Any]
    function: Callable[..., Any] | None = None
    derivative_function: Callable[..., Any] | None = None

    @property
    def sizes(self) -> list[int]:
        return [math.prod(w.shape) for w in self.wrt]

    @property
    def n(self) -> int:
        return sum(self.sizes)

    @property
    def scalar(self) -> bool:
        return all(node.shape == () for node in [*self.order, *self.wrt])

    @functools.cached_property
    def order(self) -> list[Expr]:
        return toposort([self.output])

    @functools.cached_property
    def known(self) -> dict[Expr, Any]:
        """The value of every node."""
        with np.errstate(all="ignore"):
            return {**self.values, **dict(zip(self.order, evaluate(self.order, self.values)))}

    @functools.cached_property
    def gradient(self) -> list[Expr]:
        return pullback([self.output], [const(1.0)], self.wrt)

    @functools.cached_property
    def point(self) -> np.ndarray:
        return self.flat([self.values[w] for w in self.wrt])

    @functools.cached_property
    def directions(self) -> np.ndarray | None:
        """The rows of D, or None where the whole gradient is compared."""
        few = self.n <= DIRECTIONS or (self.n <= MANY and self.n * len(self.order) <= WORK)
        return None if few else directions(self.n)

    @property
    def basis(self) -> np.ndarray:
        return np.eye(self.n) if self.directions is None else self.directions

    @functools.cached_property
    def kinks(self) -> tuple[str, ...]:
        """The rows between the output and wrt that stand exactly at a kink here."""
        reached = depends(self.order, self.wrt)
        hit = [n for n in self.order if n in reached and n.op.kink is not None and at_kink(n, self.known)]
        return tuple(dict.fromkeys(n.op.name for n in hit))

    @functools.cached_property
    def slope(self) -> float:
        """A typical slope about the point: what a derivative that is exactly 0 is small against."""
        step = 0.1 * max(1.0, float(np.linalg.norm(self.point)))
        with np.errstate(all="ignore"):
            here = float(self.known[self.output])
            moved = [float(evaluate([self.output], self.at(self.point + step * d))[0]) for d in directions(self.n)[:2]]
        slopes = [abs(here) / max(1.0, step * 10), *[abs(v - here) / step for v in moved]]
        return max([v for v in slopes if math.isfinite(v)], default=0.0)

    def flat(self, parts: Sequence[Any]) -> np.ndarray:
        """The parts of a gradient as one vector."""
        arrays = [np.broadcast_to(np.asarray(p, float), w.shape) for p, w in zip(parts, self.wrt, strict=True)]
        return np.concatenate([np.zeros(0), *[a.ravel() for a in arrays]])

    def split(self, vector: np.ndarray) -> list[Any]:
        """A vector as parts of the shapes of wrt; numbers as floats."""
        pieces = zip(np.split(vector, np.cumsum(self.sizes)[:-1]), self.wrt)
        return [float(p[0]) if w.shape == () else p.reshape(w.shape).astype(array_dtype(w)) for p, w in pieces]

    def packed(self, vector: np.ndarray) -> Any:
        """A vector as a reader wants it: one part alone, several as a tuple."""
        parts = self.split(vector)
        return parts[0] if len(parts) == 1 else tuple(parts)

    def at(self, vector: np.ndarray) -> dict[Expr, Any]:
        """The values with wrt moved to the vector."""
        return {**self.values, **dict(zip(self.wrt, self.split(vector)))}

    def call(self, vector: np.ndarray) -> Any:
        """The original function at the vector (without one: the graph)."""
        if self.function is not None:
            return self.function(*self.split(vector))
        return evaluate([self.output], self.at(vector))[0]

    def entry(self, k: int) -> str:
        """The name of the k-th entry of the gradient: `x`, `W[1, 2]`; or of a direction."""
        if self.directions is not None:
            return f"direction {k}"
        for w, size in zip(self.wrt, self.sizes):
            if k < size:
                place = ", ".join(str(int(i)) for i in np.unravel_index(k, w.shape)) if w.shape else ""
                return f"{w.name}[{place}]" if place else str(w.name)
            k -= size
        return ""


def at_kink(node: Expr, known: Mapping[Expr, Any]) -> bool:
    assert node.op.kink is not None
    xs = [a.value if a.op is CONST else known[a] for a in node.args]
    with np.errstate(all="ignore"):
        hit = node.op.kink(node.params, *xs) if node.params else node.op.kink(*[np.asarray(x) for x in xs])
    return bool(np.any(hit))


def array_dtype(node: Expr) -> str:
    return {"w": "d", "n": "d"}.get(node.dtype, node.dtype)


def problem_of(
    inputs: Sequence[Expr], output: Expr, wrt: Sequence[Expr], values: Mapping[Expr, Any], **callables: Any
) -> Problem:
    """The problem with intermediate values of wrt cut off as inputs of their own, and values as floats and arrays."""
    if output.shape != ():
        raise ShapeError(f"a receipt needs one number as the output; this one has shape {output.shape}; take a sum")
    if not wrt:
        raise InputError("a receipt needs something to differentiate with respect to; wrt is empty")
    cut = {w: w if w.op is INPUT else symbol(f"h{k}", w.shape, w.dtype) for k, w in enumerate(wrt)}
    [whole] = substitute([output], {w: c for w, c in cut.items() if w is not c})
    given = {cut.get(node, node): _value(node, values) for node in dict.fromkeys([*inputs, *wrt])}
    found = {n: _value(n, values) for n in toposort([whole]) if n.op is INPUT and n not in given}
    return Problem(whole, tuple(cut[w] for w in wrt), {**given, **found}, **callables)


def _value(node: Expr, values: Mapping[Expr, Any]) -> Any:
    found = values.get(node, node.params[0].value if node.op is INPUT else None)
    if found is None:
        raise InputError(f"{node.name or node.op.name!r} has no value; values wants one for each input and each wrt")
    return float(found) if node.shape == () and node.dtype != "?" else np.asarray(found, array_dtype(node))


__all__ = ["DIRECTIONS", "MANY", "Problem", "array_dtype", "at_kink", "directions", "problem_of"]
