"""Sums of squares: the residuals r of a loss ½‖r‖², given, returned by the function, or found in its graph.

A function that returns an array r is minimized as ½‖r‖². One that returns a number is read: its graph may be a sum of
c·Σu², c·u·u, c·‖u‖² and c·u² with positive c, and then its residuals are the √(2c)·u, end to end.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tangently.compiled import Engine
from tangently.derivatives import value
from tangently.descent.problems import Problem, problem_of
from tangently.errors import InputError
from tangently.expr import CONST, Expr, evaluate
from tangently.function import as_function
from tangently.functions import concatenate
from tangently.tracing.names import name_of
from tangently.tracing.rebinding import rebound
from tangently.tracing.recording import Recording, promote
from tangently.tracing.trees import flatten


def of_squares(f: Any, start: Any, data: Mapping[str, Any] | None, batch: int | None, seed: int, given: Any) -> Problem:
    """The problem of ½‖r‖², with its `residuals`."""
    function = as_function(f)
    problem = problem_of(function, start, data, batch, seed)
    if given is not None:
        problem.residuals = given
        return problem
    args, keywords = problem.call(np.array(problem.start))
    problem.counts.values += 1
    found = flatten(function(*args, **keywords))[0]
    if len(found) == 1 and np.ndim(found[0]) == 0:
        problem.residuals = residuals_in(problem)
        return problem
    halved = problem_of(half_square(function), start, data, batch, seed)
    halved.residuals, halved.name = function, f"½‖{name_of(function)}‖²"
    return halved


def half_square(function: Callable[..., Any]) -> Callable[..., Any]:
    """½‖r‖² of a function that returns r."""
    inner = rebound(function)

    def loss(*args: Any, **keywords: Any) -> Any:
        total: Any = 0.0
        for r in flatten(inner(*args, **keywords))[0]:
            total = total + ((r * r).sum() if getattr(r, "shape", ()) else r * r)
        return total / 2

    loss.__signature__ = Engine(function, value()).signature  # type: ignore[attr-defined]
    loss.__name__ = name_of(function)
    return loss


def residuals_in(problem: Problem) -> Callable[..., Any]:
    """The residuals that a scalar loss is made of. Raises InputError where it is no sum of squares."""
    engine = Engine(problem.function, value())
    args, keywords = problem.call(np.array(problem.start))
    bound = engine.bind(args, keywords)
    leaves = [promote(leaf, p, path) for leaf, p, path in zip(bound.leaves, engine.chosen(bound), bound.paths)]
    recording, _ = engine.record(bound, leaves, engine.chosen(bound))
    parts = _squares(recording.outputs[0], 1.0)
    if parts is None or recording.trace.guards or any(c <= 0 for c, _ in parts):
        raise InputError(
            f"{problem.name} is not seen to be a sum of squares, which this method needs. Minimize a function that "
            "returns the array of residuals r (the loss is then ½‖r‖²), or give residuals= such a function"
        )
    return _function(engine, recording, parts)


def _function(engine: Engine, recording: Recording, parts: list[tuple[float, Expr]]) -> Callable[..., Any]:
    nodes = [u for _, u in parts]

    def residuals(*args: Any, **keywords: Any) -> Any:
        leaves = engine.bind(args, keywords).leaves
        found = evaluate(nodes, {n: v for n, v in zip(recording.inputs, leaves) if n is not None})
        return concatenate(
            [math.sqrt(2 * c) * (u.reshape(-1) if u_of.shape else _one(u)) for (c, u_of), u in zip(parts, found)]
        )

    residuals.__signature__ = inspect.Signature(list(engine.signature.parameters.values()))  # type: ignore[attr-defined]
    return residuals


def _one(u: Any) -> Any:
    from tangently.functions import array

    return array([u])


def _squares(e: Expr, c: float) -> list[tuple[float, Expr]] | None:
    """[(c, u)] with the sum over the entries of e = Σ c·‖u‖² (None: it is not seen to be)."""
    name, args = e.op.name, e.args
    if name in ("mul", "div", "add"):
        return _composed(e, c)
    if name == "square" or (name == "pow" and _number(args[1]) == 2):
        return [(c, args[0].args[0] if args[0].op.name == "norm" and e.shape == () else args[0])]
    return _summed(e, c) if e.shape == () and name in ("einsum", "mean") else None


def _composed(e: Expr, c: float) -> list[tuple[float, Expr]] | None:
    """Multiples and sums; an operand that is repeated along an axis counts as often."""
    name, (a, b) = e.op.name, e.args
    if name == "mul" and a is b:
        return [(c, a)]
    if name == "mul" and (k := _number(a)) is not None:
        return _squares(b, c * k)
    if name in ("mul", "div") and (k := _number(b)):
        return _squares(a, c * k if name == "mul" else c / k)
    if name != "add":
        return None
    found = [_squares(u, c * math.prod(e.shape) / math.prod(u.shape)) for u in (a, b)]
    return None if None in found else [part for f in found for part in f or []]


def _summed(e: Expr, c: float) -> list[tuple[float, Expr]] | None:
    """A sum (or mean) over all entries: of a square, or of a product of the same with the same."""
    args = e.args
    if e.op.name == "mean":
        return _squares(args[0], c / math.prod(args[0].shape))
    letters = str(e.params[0]).partition("->")[0].split(",")
    if not _distinct(letters[0]):
        return None
    if len(args) == 2:
        return [(c, args[0])] if args[0] is args[1] and letters[0] == letters[1] else None
    return _squares(args[0], c) if len(args) == 1 else None


def _distinct(letters: str) -> bool:
    return len(set(letters)) == len(letters)


def _number(e: Expr) -> float | None:
    return float(e.value) if e.op is CONST and e.shape == () else None


__all__ = ["half_square", "of_squares", "residuals_in"]
