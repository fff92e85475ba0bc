"""The receipt of a Hessian: its products with the basis vectors, by routes of second order.

Forward over reverse and reverse over reverse read the table twice in different orders; differences of the gradient know
only the first order's rules; SymPy differentiates its own formula twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tangently.differentiation import pullback, tangent
from tangently.expr import Expr, evaluate, symbol
from tangently.verification.judging import Frame, Receipt, least_digits, take, verdicts
from tangently.verification.problem import MANY, Problem, directions, problem_of
from tangently.verification.routes import NotApplicableError, Outcome, Way, sympy_values


def hessian_receipt(inputs: Sequence[Expr], output: Expr, wrt: Sequence[Expr], values: Mapping[Expr, Any]) -> Receipt:
    """The Hessian of `output` at a point by every route that can be taken (arguments as in `receipt`).

    A Hessian of more than 200 entries is compared on its products with 8 random directions.

    >>> import tangently.primitives
    >>> x, y = symbol("x"), symbol("y")
    >>> found = hessian_receipt([x, y], x**2 * y, [x, y], {x: 1.0, y: 3.0})
    >>> found.agree, found.reference.tolist()
    (True, [[6.0, 2.0], [2.0, 0.0]])
    """
    p = problem_of(inputs, output, wrt, values)
    rows = np.eye(p.n) if p.n**2 <= MANY else directions(p.n)
    taken = [take(Way(name, family, lambda _, f=find: f(p, rows)), p) for name, family, find in WAYS]
    return verdicts(_frame(p, rows), taken, "Hessian")


def _frame(p: Problem, rows: np.ndarray) -> Frame:
    n, whole = p.n, len(rows) == p.n
    entry = lambda k: f"[{p.entry(k // n)}, {p.entry(k % n)}]" if whole else f"direction {k // n}"
    packed = lambda vector: vector.reshape(len(rows), n)
    return Frame(p.slope, least_digits([w.dtype for w in p.wrt]), entry, packed, p.kinks, whole)


def _products(p: Problem, rows: np.ndarray, graphs: Sequence[Expr], seeds: Sequence[Expr]) -> Outcome:
    """The graphs' values, with each row as the direction."""
    return _outcome([p.flat(evaluate(graphs, {**p.values, **dict(zip(seeds, p.split(row)))})) for row in rows])


def _outcome(rows: Sequence[Any], **fields: Any) -> Outcome:
    vector = np.array(rows, float).ravel()
    return Outcome(vector, vector, **fields)


def _seeds(p: Problem) -> list[Expr]:
    return [symbol(f"d{w.name}", w.shape, w.dtype) for w in p.wrt]


def forward_over_reverse(p: Problem, rows: np.ndarray) -> Outcome:
    seeds = _seeds(p)
    return _products(p, rows, tangent(p.gradient, dict(zip(p.wrt, seeds))), seeds)


def reverse_over_reverse(p: Problem, rows: np.ndarray) -> Outcome:
    seeds = _seeds(p)
    return _products(p, rows, pullback(p.gradient, seeds, p.wrt), seeds)


def differences_of_gradient(p: Problem, rows: np.ndarray) -> Outcome:
    from tangently.quotients import extrapolate

    slope = lambda vector: p.flat(evaluate(p.gradient, p.at(vector)))
    found = [extrapolate(lambda t, d=d: slope(p.point + t * d), 0.0) for d in rows]
    note = next((text for e in found for text in e.notes), "")
    return _outcome([e.value for e in found], error=np.concatenate([np.ravel(e.error) for e in found]), note=note)


def twice_by_sympy(p: Problem, rows: np.ndarray) -> Outcome:
    if len(rows) != p.n:
        raise NotApplicableError("too many entries")
    return _outcome(sympy_values(p, lambda f, names: [f.diff(a).diff(b) for a in names for b in names]))


Find = Callable[[Problem, np.ndarray], Outcome]
WAYS: tuple[tuple[str, str, Find], ...] = (
    ("forward over reverse", "table", forward_over_reverse),
    ("reverse over reverse", "table", reverse_over_reverse),
    ("SymPy", "SymPy", twice_by_sympy),
    ("differences of the gradient", "function", differences_of_gradient),
)

__all__ = ["hessian_receipt"]
