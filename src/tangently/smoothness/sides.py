"""What a function does at a point and on either side of it.

The formula of the piece beside the point (`cells`) has analytic rows only. Where none of them breaks at the point,
the limit from that side is its value there. Otherwise `tangently.limits.limit` decides. A point of which only a ball
is known can't be handed over: there the formula is sampled at distances down to 2⁻⁶⁰, and what they show is an
estimate.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from tangently.enclosure import ball
from tangently.expr import CONST, Expr
from tangently.printing import to_text
from tangently.smoothness.cells import AtPoint, Cells, settle_at
from tangently.smoothness.points import NoBalls, Point, Program, at, number, tidy, vanishes
from tangently.smoothness.results import How, worst
from tangently.smoothness.valuations import quotient_limit


@dataclass(frozen=True)
class Tendency:
    """What an expression tends to from one side: a number (exactly where it is known so), ±inf, or nothing.

    exists: True, False (there is no limit, finite or infinite), or None (undecided). defined: has it values there?
    """

    value: float | None
    exact: Expr | None = None
    exists: bool | None = True
    how: How = "exact"
    why: str = ""
    defined: bool = True
    ball: Any = None
    error: float = 0.0  # of an estimate

    @property
    def finite(self) -> bool:
        return self.value is not None and math.isfinite(self.value)


NOWHERE = Tendency(None, exists=None, why="no values on this side", defined=False)


def tendency(formula: Expr | None, x: Expr, p: Point, side: int, beside: Any = None) -> Tendency:
    """The limit of the formula of the piece on one side (-1 left, 1 right) of a point; `beside` is a point of it."""
    if formula is None:
        return NOWHERE
    try:
        found = settle_at(formula, x, p)
    except NoBalls:
        return _by_engine(formula, x, p, side)
    if found.regular:
        return from_value(found, x, p, "continuous up to the point, so its value there is the limit")
    known = quotient_limit(formula, x, p, side)
    if known is not None:
        exact = known if isinstance(known, Expr) else None
        value = nearest_float(number(exact)) if exact is not None else known
        return Tendency(value, exact, why="by the orders of the zeros above and below the bar")  # type: ignore[arg-type]
    sign = _pole(formula, x, p, beside)
    if sign:
        why = "what is below the bar (or in the logarithm) tends to 0 and keeps its sign, what is above it does not"
        return Tendency(sign * math.inf, how="certified" if p.exact is None else "exact", why=why)
    return _by_engine(formula, x, p, side) if p.exact is not None else _by_samples(formula, x, p, side)


LOGARITHMS = ("log", "log2", "log10")


def _pole(formula: Expr, x: Expr, p: Point, beside: Any) -> int:
    """±1 where the formula is a quotient, or a logarithm, that grows without bound at the point, else 0.

    The denominator is continuous and has no zero on the piece, so it keeps the sign that it has at a sample there.
    """
    if formula.op.name in LOGARITHMS:
        return -1 if settle_at(formula.args[0], x, p).regular else 0
    if formula.op.name != "div" or beside is None:
        return 0
    top, bottom = (settle_at(part, x, p) for part in formula.args)
    if not (top.regular and bottom.regular and (top.ball > 0 or top.ball < 0)):
        return 0
    below = Program(formula.args[1], x)(beside)
    if not (below > 0 or below < 0):
        return 0
    return (1 if top.ball > 0 else -1) * (1 if below > 0 else -1)


def from_value(found: AtPoint, x: Expr, p: Point, why: str) -> Tendency:
    """The value of a settled form as a limit."""
    assert found.form is not None
    exact = at(found.form, x, p)
    exact = None if exact is None else tidy(exact)
    how = "estimated" if not found.proven else ("exact" if exact is not None else "certified")
    return Tendency(nearest_float(found.ball), exact, True, how, why, ball=found.ball)


def nearest_float(held: Any) -> float:
    """The float nearest to a ball's middle; 0 where the ball is about 0 and very small."""
    middle = float(held.mid())
    return 0.0 if held.contains(ball(0)) and abs(middle) < 1e-30 else middle


def _by_engine(formula: Expr, x: Expr, p: Point, side: int) -> Tendency:
    from tangently.limits import limit

    point = p.exact if p.exact is not None else p.at
    found = limit((formula, x), point.value if isinstance(point, Expr) and point.op is CONST else point,
        "+" if side > 0 else "-")  # fmt: skip
    one = next((s for s in found.sides if s.side == side), None)
    if one is not None and not one.defined:
        return NOWHERE
    why = "; ".join(found.why) or f"the limit of {to_text(formula)}"
    exact = found.exact if isinstance(found.exact, Expr) else None
    return Tendency(found.value, exact, found.exists, found.how, why, error=found.error)


def _by_samples(formula: Expr, x: Expr, p: Point, side: int) -> Tendency:
    """What the formula does at distances from 2⁻¹⁰ to 2⁻⁶⁰: it grows, it settles, or neither can be said."""
    run = Program(formula, x)
    held = [run(p.ball + side * (ball(2) ** -k)) for k in range(10, 61, 5)]
    if not all(h.is_finite() for h in held):
        return Tendency(None, exists=None, how="undecided", why="no balls near a point that is known only nearly")
    sizes = [float(abs(h.mid())) for h in held]
    if all(b > 2 * a for a, b in itertools.pairwise(sizes)) and sizes[-1] > 1e6:
        value = math.copysign(math.inf, float(held[-1].mid()))
        return Tendency(value, how="estimated", why=f"it grows to {sizes[-1]:.3g} at a distance of 2⁻⁶⁰")
    steps = [float(abs((b - a).mid())) for a, b in itertools.pairwise(held)]
    if all(b <= 0.6 * a or b < 1e-14 for a, b in itertools.pairwise(steps)):
        return Tendency(float(held[-1].mid()), how="estimated", why="samples settle down to a distance of 2⁻⁶⁰")
    return Tendency(None, exists=None, how="undecided", why="samples near the point do not settle")


# ---------------------------------------------------------------- both sides


@dataclass(frozen=True)
class Local:
    """A function at a cut: its value there, its formulas and its tendencies on the left and on the right."""

    x: Expr
    point: Point
    output: Expr
    value: AtPoint
    formulas: tuple[Expr | None, Expr | None]
    left: Tendency
    right: Tendency
    wild: bool = False  # on one side nothing could be settled
    crowded: bool = False  # infinitely many breaks crowd here

    @property
    def defined(self) -> bool:
        return self.value.form is not None

    @property
    def here(self) -> Tendency:
        """The value at the point, as a tendency."""
        return from_value(self.value, self.x, self.point, "the value there") if self.defined else NOWHERE

    @property
    def tendencies(self) -> tuple[Tendency, ...]:
        """Of the sides on which the function has values."""
        return tuple(t for t in (self.left, self.right) if t.defined)


def local(cells: Cells, k: int) -> Local:
    """The function at cut k. At the ends of the interval one side is outside, and counts as without values."""
    p, x = cells.cuts[k], cells.x
    value = settle_at(cells.output, x, p)
    sides = [cells.formula(j) if 0 <= j < len(cells.pieces) else None for j in (k - 1, k)]
    wild = any(cells.pieces[j].wild for j in (k - 1, k) if 0 <= j < len(cells.pieces))
    if not wild and value.regular and _one_formula(value, sides):
        here = from_value(value, x, p, "continuous at the point, so its value there is the limit")
        left, right = (here if f is not None else NOWHERE for f in sides)
    else:
        beside = [None if f is None else cells.pieces[j].sample for f, j in zip(sides, (k - 1, k))]
        left, right = (tendency(f, x, p, s, b) for f, s, b in zip(sides, (-1, 1), beside))
    return Local(x, p, cells.output, value, (sides[0], sides[1]), left, right, wild, crowded(cells, k))


def crowded(cells: Cells, k: int) -> bool:
    """Do infinitely many breaks crowd at cut k?"""
    left = k > 0 and cells.pieces[k - 1].crowds > 0
    return left or (k < len(cells.pieces) and cells.pieces[k].crowds < 0)


def _one_formula(value: AtPoint, sides: list[Expr | None]) -> bool:
    """Met nothing but edges and kinks: the function is continuous there as far as its domain goes."""
    return not set(value.met) & {"jump", "pole"} and any(f is not None for f in sides)


def equal(a: Tendency, b: Tendency) -> tuple[bool | None, How]:
    """Are two finite values equal, and how is that known?"""
    if a is b:
        return True, a.how
    if a.exact is not None and b.exact is not None:
        if a.exact is b.exact:
            return True, worst(a.how, b.how)
        found, proven = vanishes(a.exact - b.exact)
        return found, worst(a.how, b.how) if proven else "estimated"
    if a.ball is not None and b.ball is not None:
        apart = not a.ball.overlaps(b.ball)
        return not apart, worst(a.how, b.how, "certified" if apart else "estimated")
    assert a.value is not None
    assert b.value is not None
    near = abs(a.value - b.value) <= max(1e-9 * (1 + abs(a.value)), a.error + b.error)
    return near, "estimated"


def gap(a: Tendency, b: Tendency) -> float:
    """b - a, exactly where both are."""
    if a.exact is not None and b.exact is not None:
        return nearest_float(number(b.exact - a.exact))
    assert a.value is not None
    assert b.value is not None
    return b.value - a.value


__all__ = [
    "NOWHERE", "Local", "Tendency", "crowded", "equal", "from_value", "gap", "local", "nearest_float", "tendency",
]  # fmt: skip
