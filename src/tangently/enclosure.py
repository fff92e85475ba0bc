"""Ball arithmetic: an interval that is proven to hold the exact value of an expression, not a rounded guess at it.

A ball is a midpoint and a radius (`flint.arb`, F. Johansson, Arb: efficient arbitrary-precision midpoint-radius
interval arithmetic, IEEE Trans. Computers 66, 2017). Inputs and constants go in exactly: an integer as itself, a float
as the binary fraction that it is. Each row's `enclosure` maps balls to a ball that holds every value of the row on
them; so by induction the result holds the value of the expression at every point of the input balls. A ball that is not
finite proves nothing: the function may have no value somewhere in the input.

What is true or false is a ball as well: exactly 1, exactly 0, or, where the operands overlap and nothing can be
decided, a ball that holds both. `where` then gives one branch, the other, or the union of the two. So |x|, max, floor
and every branch are right for balls that straddle a kink or a jump.

A derivative rule that holds a rounded constant (2/√π in that of erf) is enclosed as it stands in the formula: the ball
is that of the formula, and the constant's error of half a unit in the last place is inside no radius.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tangently.differentiation import expand
from tangently.errors import InputError, UnsupportedError
from tangently.expr import CONST, INPUT, Expr, toposort

if TYPE_CHECKING:
    from flint import arb


class MissingEnclosure(UnsupportedError):
    """A row that has no enclosure, by name in `row`."""

    def __init__(self, row: str, message: str) -> None:
        super().__init__(message)
        self.row = row


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Within the block, flint computes with this many bits; afterwards as before.

    >>> import flint
    >>> before = flint.ctx.prec
    >>> with precision(200):
    ...     _ = flint.arb(2).sqrt()
    >>> flint.ctx.prec == before
    True
    """
    import flint

    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(value: Any) -> arb:
    """A number as the ball that it is exactly; a ball stays."""
    from flint import arb

    if isinstance(value, arb):
        return value
    item = value.item() if hasattr(value, "item") else value
    if not isinstance(item, (int, float)):
        raise InputError(f"got {item!r} of type {type(item).__name__}; wanted a real number or a ball")
    return arb((int(item), 0)) if isinstance(item, int) else arb(item)  # a mantissa of any length is exact


def enclose(outputs: Sequence[Expr], values: Mapping[Expr, float | int | arb], *, precision: int = 128) -> list[arb]:
    """Balls that hold the values of the outputs, where `values` gives the inputs as numbers (exact) or balls.

    Composites are computed by their bodies. Raises MissingEnclosure, with the row's name, where a row has no
    enclosure or a value is an array.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> [y] = enclose([x**2 - 2], {x: 1.4142135623730951})
    >>> bool(y > 0), y.str(5, radius=False)
    (True, '2.7343e-16')
    """
    return _run(expand(outputs), values, precision)


def _run(outputs: Sequence[Expr], values: Mapping[Expr, Any], bits: int) -> list[arb]:
    with precision(bits):
        done = {node: ball(value) for node, value in values.items()}
        for node in toposort(outputs, stop=done.__contains__):
            if node not in done:
                done[node] = _ball_of(node, done)
        return [done[node] for node in outputs]


def _ball_of(node: Expr, done: Mapping[Expr, arb]) -> arb:
    if node.shape != ():
        raise MissingEnclosure(node.op.name, f"{node.op.name} is an array of shape {node.shape}; balls are numbers")
    if node.op is CONST:
        return ball(node.value)
    if node.op is INPUT:
        if node.params[0].value is None:
            raise InputError(f"the input {node.name!r} has no value here; give it in values")
        return ball(node.params[0].value)
    if node.op.enclosure is None:
        raise MissingEnclosure(node.op.name, f"{node.op.name} has no enclosure in the table: no bound can be proven")
    return node.op.enclosure(*[done[a] for a in node.args])


# ---------------------------------------------------------------- comparing with balls


def contains(enclosure: arb, x: float | int | arb) -> bool:
    """Does the ball hold x? A ball without a finite bound holds everything.

    >>> from flint import arb
    >>> contains(arb(2), 1.5), contains(arb(1, 0.25), 1.125)
    (False, True)
    """
    return not enclosure.is_finite() or bool(enclosure.contains(ball(x)))


def digits(enclosure: arb, x: float) -> float:
    """How many decimal digits of x agree with the ball: -log₁₀ of the relative error, from 0 to 17 at most.

    The error is counted from the nearest point of the ball, so that what the ball can't tell is no error; if the ball
    proves nothing, no digit is proven. For a ball around 0 the error is absolute.

    >>> from flint import arb
    >>> round(digits(arb(1) / 3, 0.3333), 1), digits(arb(1) / 4, 0.25), digits(arb.nan(), 1.0)
    (4.0, 17.0, 0.0)
    """
    if not (enclosure.is_finite() and math.isfinite(x)):
        return 0.0
    middle, radius = float(enclosure.mid()), float(enclosure.rad())
    error = max(0.0, float(abs(enclosure.mid() - ball(x))) - radius)
    return digits_of(error, abs(middle) if abs(middle) > radius else 1.0)


def digits_of(error: float, size: float) -> float:
    """Decimal digits of agreement for an error beside a size, from 0 to 17."""
    if not math.isfinite(error):
        return 0.0
    relative = error / size if size > 0 else error
    return min(17.0, max(0.0, -math.log10(relative))) if relative > 0 else 17.0


__all__ = ["MissingEnclosure", "ball", "contains", "digits", "digits_of", "enclose", "precision"]
