"""Bounds of an expression beside a point where parts of it have no bound: intervals with ends that may be infinite.

On x in (p, p + w] the ball of 1/x or ln x proves nothing; the interval [1/w, ∞) or (-∞, ln w] does. So the last cell
beside a pole can be settled: 1 + e^(1/x) > 0, ln x - arctan x < 0. An end that is 0 is open where 0 is not attained;
else 1/u and ln u have no bounds, and the answer is None. Ends are rounded outwards (`flint.arb`). Rows without a rule
are enclosed by their balls where their operands are bounded.

Glossary: a, b spans; lo, hi their ends as exact numbers or ±∞; open: an end that is 0 is not attained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tangently import enclosure
from tangently.expr import CONST, Expr, toposort


def ball(value: Any) -> Any:
    """An exact ball, as the end of a span."""
    return enclosure.ball(value)


class Span(NamedTuple):
    """All numbers from lo to hi; `open` where 0 is an end but no value."""

    lo: Any
    hi: Any
    open: bool = False

    @property
    def bounded(self) -> bool:
        return self.lo.is_finite() and self.hi.is_finite()

    @property
    def sign(self) -> int:
        """1 or -1 where every value has this sign, else 0."""
        if self.lo > 0 or (self.open and self.lo == 0):
            return 1
        return -1 if self.hi < 0 or (self.open and self.hi == 0) else 0


def span(expr: Expr, x: Expr, values: Span) -> Span | None:
    """The bounds of an expression where x has these values; None where none are found.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> x = symbol("x")
    >>> span(1 + TABLE["exp"](1 / x), x, Span(ball(0), ball(0.5), True)).sign
    1
    """
    known: dict[Expr, Span | None] = {x: values}
    for node in toposort([expr]):
        if node not in known:
            known[node] = _constant(node) if not node.args else _applied(node, [known[a] for a in node.args])
    return known[expr]


def _constant(node: Expr) -> Span | None:
    if node.op is CONST:
        return _of_ball(ball(node.value))
    return None if node.op.enclosure is None else _of_ball(node.op.enclosure())


def _of_ball(held: Any) -> Span | None:
    return Span(held.lower(), held.upper()) if held.is_finite() else None


def _applied(node: Expr, args: list[Span | None]) -> Span | None:
    known = [a for a in args if a is not None]
    if len(known) < len(args):
        return None
    rule = RULES.get(node.op.name)
    found = rule(*known) if rule is not None else None
    if found is None and all(a.bounded for a in known) and node.op.enclosure is not None:
        return _of_ball(node.op.enclosure(*[a.lo.union(a.hi) for a in known]))
    return None if found is None or found.lo.is_nan() or found.hi.is_nan() else found


# ---------------------------------------------------------------- rules


def _sum(a: Span, b: Span) -> Span:
    low, high = (a.lo + b.lo).lower(), (a.hi + b.hi).upper()
    zero = (a.lo == 0 and b.lo == 0) or (a.hi == 0 and b.hi == 0)
    return Span(low, high, zero and (a.open or b.open))


def _negative(a: Span) -> Span:
    return Span(-a.hi, -a.lo, a.open)


def _product(a: Span, b: Span) -> Span | None:
    if a.hi <= 0:
        return _negated(_product(_negative(a), b))
    if b.hi <= 0:
        return _negated(_product(a, _negative(b)))
    if a.lo >= 0 and b.lo >= 0:
        low, high = (ball(0) if u == 0 or v == 0 else u * v for u, v in ((a.lo, b.lo), (a.hi, b.hi)))
        return Span(low.lower(), high.upper(), a.sign > 0 and b.sign > 0)
    return None


def _negated(a: Span | None) -> Span | None:
    return None if a is None else _negative(a)


def _reciprocal(a: Span) -> Span | None:
    if a.sign < 0:
        return _negated(_reciprocal(_negative(a)))
    if a.sign == 0:
        return None
    infinity = type(a.lo).pos_inf()
    low = ball(0) if a.hi == infinity else (1 / a.hi).lower()
    return Span(low, infinity if a.lo == 0 else (1 / a.lo).upper(), True)


def _quotient(a: Span, b: Span) -> Span | None:
    below = _reciprocal(b)
    return None if below is None else _product(a, below)


def _rising(name: str, low: Any = None, high: Any = None, zero: bool = False) -> Callable[[Span], Span | None]:
    """An increasing row: its values at the ends, with its limits at -∞ and ∞; `zero`: it is 0 at 0 alone."""

    def rule(a: Span) -> Span | None:
        from tangently.expr import TABLE

        at = TABLE[name].enclosure
        assert at is not None
        lo = at(a.lo).lower() if a.lo.is_finite() else (low() if low else None)
        hi = at(a.hi).upper() if a.hi.is_finite() else (high() if high else None)
        if lo is None or hi is None:
            return None
        return Span(lo, hi, a.open if zero else lo == 0)

    return rule


def _logarithm(a: Span) -> Span | None:
    if a.sign <= 0:
        return None
    low = a.hi.neg_inf() if a.lo == 0 else a.lo.log().lower()
    return Span(low, a.hi.log().upper() if a.hi.is_finite() else a.hi.pos_inf())


def _root(a: Span) -> Span | None:
    if not a.lo >= 0:
        return None
    return Span(a.lo.sqrt().lower(), a.hi.sqrt().upper() if a.hi.is_finite() else a.hi, a.open)


def _absolute(a: Span) -> Span:
    if a.lo >= 0:
        return a
    if a.hi <= 0:
        return _negative(a)
    return Span(ball(0), (-a.lo).max(a.hi))


def _power(a: Span, b: Span) -> Span | None:
    """A whole power, or any constant power of what is not negative."""
    if not (b.lo == b.hi and b.lo.is_finite()):
        return None
    if b.lo < 0:
        inner = _power(a, _negative(b))
        return None if inner is None else _reciprocal(inner)
    even = (b.lo / 2).is_integer()
    a = _absolute(a) if even else a
    if not a.lo >= 0:
        return None if not b.lo.is_integer() else _odd_power(a, b.lo)
    low = ball(0) if a.lo == 0 else (a.lo**b.lo).lower()
    return Span(low, (a.hi**b.lo).upper() if a.hi.is_finite() else a.hi, a.open or a.lo > 0)


def _odd_power(a: Span, n: Any) -> Span:
    low = (a.lo**n).lower() if a.lo.is_finite() else a.lo
    return Span(low, (a.hi**n).upper() if a.hi.is_finite() else a.hi, a.open)


def _wave(a: Span) -> Span | None:
    return None if a.bounded else Span(ball(-1), ball(1))


_zero, _one, _minus = (lambda: ball(0)), (lambda: ball(1)), (lambda: ball(-1))


def _above() -> Any:
    return ball(0).pos_inf()


def _below() -> Any:
    return ball(0).neg_inf()


def _half_turn() -> Any:
    return (ball(0).pi() / 2).upper()


RULES: dict[str, Callable[..., Span | None]] = {
    "add": _sum,
    "sub": lambda a, b: _sum(a, _negative(b)),
    "neg": _negative,
    "mul": _product,
    "div": _quotient,
    "reciprocal": _reciprocal,
    "exp": _rising("exp", _zero, _above),
    "log": _logarithm,
    "sqrt": _root,
    "cbrt": _rising("cbrt", _below, _above, True),
    "arctan": _rising("arctan", lambda: -_half_turn(), _half_turn, True),
    "tanh": _rising("tanh", _minus, _one, True),
    "erf": _rising("erf", _minus, _one, True),
    "sigmoid": _rising("sigmoid", _zero, _one),
    "sinh": _rising("sinh", _below, _above, True),
    "arcsinh": _rising("arcsinh", _below, _above, True),
    "abs": _absolute,
    "square": lambda a: _power(a, Span(ball(2), ball(2))),
    "pow": _power,
    "sin": _wave,
    "cos": _wave,
}

__all__ = ["Span", "span"]
