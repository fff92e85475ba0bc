"""The receipt: a derivative computed by independent routes, and the route that is wrong named where they disagree.

A route is one way to the same gradient. They are independent to different degrees, so each belongs to a *family*:

table         forward mode, reverse mode, the numeric sweep, the generated code and ball arithmetic all read the same
              partial derivatives; ball arithmetic proves their rounding, not the rules
SymPy         differentiates the formula by its own rules, and is evaluated to 30 digits
complex step  Im f(x + ih)/h, where every row is analytic: exact to rounding, with no rules at all
function      central differences of the original callable with Richardson's extrapolation, which know nothing but f
yours         a derivative that the caller gives

Routes that agree form a camp; the camp with the most families is believed, since a mistake in one rule of the table
moves the whole first family at once. Between camps of as many families the one with the differences is believed: they
are the definition of the derivative, applied to the function itself. Where a ball is proven, the first family speaks in
the ball's camp alone: floats that leave the ball of their own formula have lost their digits to rounding. Differences
are judged by their own error estimate, the others by 7 digits of the norm (3 in single precision); where that estimate
is so large that it would cover anything, as at a kink, they are not judged at all.

A gradient of more than 200 entries is compared on 8 random directions d (with a fixed seed): (∇f)·d is what forward
mode and differences give at the price of a few calls, and a wrong gradient is all but surely wrong along one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import TangentlyError
from tangently.expr import Expr, evaluate
from tangently.verification.hessians import hessian_receipt
from tangently.verification.judging import FUNCTION, Frame, Receipt, Route, Worst, least_digits, take, verdicts
from tangently.verification.problem import Problem, problem_of
from tangently.verification.routes import WAYS

if TYPE_CHECKING:
    from tangently.quotients import StepSweep

SLOW = 0.25  # seconds for the differences: above, the curve of errors against h (some 200 calls) is left out


def receipt(
    inputs: Sequence[Expr],
    output: Expr,
    wrt: Sequence[Expr],
    values: Mapping[Expr, Any],
    *,
    function: Callable[..., Any] | None = None,
    derivative_function: Callable[..., Any] | None = None,
) -> Receipt:
    """The gradient of `output` with respect to `wrt` at a point, by every route that can be taken there.

    `values` gives every input (and every intermediate among `wrt`). `function` is the original callable of the values
    of `wrt`, in that order, and gives one number; differences are taken of it (without it: of the graph).
    `derivative_function`, of the same arguments, is checked as one more route. Raises ShapeError for an output that is
    not a number, InputError for a missing value; whatever a route raises is written on the receipt.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> found = receipt([x], x**3 - 2 * x, [x], {x: 1.5}, function=lambda x: x**3 - 2 * x)
    >>> found.agree, found.reference, found.odd_one_out
    (True, 4.75, None)
    """
    p = problem_of(inputs, output, wrt, values, function=function, derivative_function=derivative_function)
    ways = [w for w in WAYS if derivative_function is not None or w.family != "yours"]
    one = len(p.wrt) == 1 and p.wrt[0].shape == ()
    found = verdicts(_frame(p), [take(way, p) for way in ways], "derivative" if one else "gradient")
    fast = all(r.time < SLOW for r in found.rows if r.family == FUNCTION)
    return replace(found, sweep_h=_step_sweep(p, found.reference)) if one and fast else found


def _frame(p: Problem) -> Frame:
    least = least_digits([w.dtype for w in p.wrt])
    return Frame(p.slope, least, p.entry, p.packed, p.kinks, p.directions is None)


def _step_sweep(p: Problem, derivative: float | None) -> StepSweep | None:
    """Error of difference quotients against h, where f has values about the point."""
    from tangently.quotients import step_sweep

    if derivative is None:
        return None
    f = p.function or (lambda t: evaluate([p.output], {**p.values, p.wrt[0]: t})[0])
    try:
        with np.errstate(all="ignore"):
            return step_sweep(f, float(p.point[0]), derivative)
    except (TangentlyError, ArithmeticError, TypeError, ValueError):
        return None  # a curve is a picture beside the receipt: no values near x, no picture


__all__ = ["Receipt", "Route", "Worst", "hessian_receipt", "receipt"]
