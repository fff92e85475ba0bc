"""`differentiability`: is there a derivative, what is it, and if there is none, why not?

In one variable the common case comes first: where no part of f breaks at the point, f is analytic there, and the
derivative is the value of its formula in ball arithmetic, which no overflow and no cancellation can hurt. Otherwise f
is looked at from both sides (`slopes`): is it continuous; are the slopes finite and equal; how many derivatives
agree.

A point where f is undefined is judged by its continuous extension, and said as such: undefined-removable where that
is differentiable, undefined-nonremovable where it is only continuous. Without one f is discontinuous. The number that
stands in for a derivative at a kink is the subgradient of least norm: the point nearest to 0 between the two slopes
(F. H. Clarke, Optimization and Nonsmooth Analysis, 1983, 2.1).
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from tangently.errors import DomainError, InputError, TraceError
from tangently.expr import Expr
from tangently.printing import to_text
from tangently.smoothness.cells import SECONDS, USED_UP, Cells, decompose, settle_at
from tangently.smoothness.continuing import around, classified, in_time, neighborhood, read_on
from tangently.smoothness.opaque import opaque, slope_from, watched
from tangently.smoothness.points import BITS, NoBalls, Point, precision
from tangently.smoothness.reading import Subject, interval, place, subject_of
from tangently.smoothness.results import Differentiability, Roughness, shown, worst
from tangently.smoothness.sides import NOWHERE, Local, Tendency, from_value, local
from tangently.smoothness.slopes import (
    Slopes,
    continuous_value,
    kind_of,
    order_of,
    slope,
    slopes,
)  # fmt: skip
from tangently.smoothness.valuations import derivative_of


def differentiability(f: Any, at: Any = None, on: Any = None, wrt: Any = None, *, order: int = 1) -> Differentiability:
    """Is f differentiable, at a point (`at=`) or on an interval (`on=(a, b)`)?

    f is a callable, text, a SymPy expression, or a pair (expression, input). A tuple or an array as `at` asks about a
    function of several variables. `order=2` gives the one-sided second derivatives too. Raises DomainError where f has
    no value near the point, InputError where neither or both of at and on are given.

    >>> differentiability("abs(x)", at=0)
    |x|: kink at 0, slopes -1 | 1   [exact]
    >>> differentiability("x*abs(x)", at=0, order=2).second
    (-2.0, 2.0)
    """
    if (at is None) == (on is None):
        raise InputError("give at= a point, or on=(a, b) an interval, and not both")
    if order not in (1, 2):
        raise InputError(f"order={order!r}: 1 or 2 was wanted")
    if at is not None and is_several(at):
        from tangently.smoothness.several import at_points

        return at_points(f, at, wrt, order)
    with precision(BITS):
        if at is None:
            return on_interval(*read_on(f, *interval(on), wrt))
        p = place(at)
        try:
            subject = subject_of(f, *neighborhood(p), wrt)
        except TraceError:
            return by_values(f, p)
        return at_point(subject, p, order)


def by_values(f: Any, p: Point) -> Differentiability:
    """A function that can't be traced, at a point: the difference quotients, extrapolated."""
    subject = opaque(f)
    here = watched(f, subject.x, p)
    kind, how = classified(here)
    note = ("the function can't be traced: only its values are known",)
    near = here.here.value if here.defined else (here.tendencies[-1].value if here.tendencies else None)
    base = near if kind in (None, "removable") else None
    if base is None:
        unknown = Slopes(*[NOWHERE] * 2)
        return _answer(subject, here, "undecided" if kind == "undecided" else "discontinuous", unknown, how, note)
    found = Slopes(*[
        slope_from(f, p.at, base, side) if t.defined else NOWHERE for side, t in ((-1, here.left), (1, here.right))
    ])  # fmt: skip
    word = kind_of(found)
    if word != "differentiable":
        return _rough(subject, here, found, word, worst(how, *[s.how for s in found.known]), 1)
    one = found.known[0]
    kind = "differentiable" if here.defined else "undefined-removable"
    answer = _answer(subject, here, kind, found, "estimated", note)
    return replace(answer, derivative=one.value, subgradient=one.value)


def is_several(at: Any) -> bool:
    """A point of several coordinates: a tuple, a list, a dict, or an array with axes."""
    return isinstance(at, (tuple, list, dict)) or bool(getattr(at, "shape", ()))


# ---------------------------------------------------------------- at a point


def at_point(subject: Subject, p: Point, order: int = 1) -> Differentiability:
    smooth = _analytic(subject, p, order)
    if smooth is not None:
        return smooth
    cells, k = around(subject, p)
    here = local(cells, k)
    if not here.tendencies:
        rows = " and ".join(here.value.rows) or "f"
        raise DomainError(
            f"{to_text(subject.shown)} has no value near {shown(p.at)} ({rows} has none); "
            "choose a point of its domain or at the edge of it"
        )
    return _judged(subject, here, order, cells)


def _analytic(subject: Subject, p: Point, order: int) -> Differentiability | None:
    """The common case: no part of f breaks at the point."""
    try:
        value = settle_at(subject.output, subject.x, p)
    except NoBalls:
        return None
    if not value.analytic:
        return None
    assert value.form is not None
    why = "no part of f breaks here, so f is analytic, and f′ is the value of its formula"
    moved = derivative_of(value.form, subject.x)
    found = continuous_value(moved, subject.x, p, why)
    if found is None or found.value is None:
        return None
    second = continuous_value(derivative_of(moved, subject.x), subject.x, p, "") if order == 2 else None
    return Differentiability(
        subject.shown, subject.x, "smooth", found.value, found.value, found.value, found.how, (why,), math.inf,
        None if second is None else (second.value, second.value), found.value, None,
        from_value(value, subject.x, p, "").value, p.at, exact=found.exact, callable=subject.callable,
    )  # fmt: skip


def _judged(subject: Subject, here: Local, order: int, cells: Cells) -> Differentiability:
    kind, how = (None, worst(*[t.how for t in here.tendencies]))
    if not (here.defined and here.value.regular and not here.wild):
        kind, how = classified(here)
    if kind == "undecided":
        return _answer(subject, here, "undecided", slopes(here), how, ("whether f is continuous here is not decided",))
    if kind in ("jump", "infinite", "essential") or (kind == "removable" and here.defined):
        return _discontinuous(subject, here, kind, how)
    base = here.tendencies[-1] if not here.defined else here.here
    found = slopes(here, base)
    word = kind_of(found)
    rest = _differentiable if word == "differentiable" else _rough
    return rest(subject, here, found, word, worst(how, *[s.how for s in found.known]), order)


def _discontinuous(subject: Subject, here: Local, kind: str, how: Any) -> Differentiability:
    """No derivative; the slopes are those of the pieces, where they have any."""
    found = slopes(here)
    where = "undefined there, " if not here.defined else ""
    why = f"f is not continuous ({where}{kind}), so it has no derivative; the slopes are those of the pieces"
    return _answer(subject, here, "discontinuous", found, worst(how, *[s.how for s in found.known]), (why,))


def _differentiable(subject: Subject, here: Local, found: Slopes, word: str, how: Any, order: int) -> Differentiability:
    one = found.known[0]
    why = [_both(found), *_extension(here)]
    if not here.defined:
        answer = _answer(subject, here, "undefined-removable", found, how, tuple(why))
        answer = replace(answer, derivative=one.value, exact=one.exact, subgradient=one.value)
    else:
        smooth = order_of(here, found)
        kind = "differentiable" if smooth.k is None else ("smooth" if smooth.k >= 1 else "differentiable-not-C1")
        answer = _answer(subject, here, kind, found, how, (*why, smooth.why))
        answer = replace(answer, derivative=one.value, exact=one.exact, order=smooth.k, subgradient=one.value)
    return replace(answer, second=_second(here, found)) if order == 2 else answer


def _rough(subject: Subject, here: Local, found: Slopes, word: str, how: Any, order: int) -> Differentiability:
    kind = word if here.defined else ("undecided" if word == "undecided" else "undefined-nonremovable")
    answer = _answer(subject, here, kind, found, how, (_both(found), *_extension(here)))
    return replace(answer, second=_second(here, found)) if order == 2 else answer


def _answer(
    subject: Subject, here: Local, kind: str, found: Slopes, how: Any, why: tuple[str, ...]
) -> Differentiability:
    edge = "" if here.left.defined == here.right.defined else ("left" if here.left.defined else "right")
    notes = (f"an edge of the domain: f has values on the {edge} only",) if edge else ()
    value = here.here.value if here.defined else (here.tendencies[-1].value if kind.startswith("undefined") else None)
    return Differentiability(
        subject.shown, subject.x, kind, None, found.left.value, found.right.value,
        "undecided" if kind == "undecided" else how, (*why, *notes),
        subgradient=least(found) if kind in ("kink", "cusp") else None, value=value, at=here.point.at, edge=edge,
        callable=subject.callable, clarke=_hull(found) if kind == "kink" else None,
    )  # fmt: skip


def _both(found: Slopes) -> str:
    parts = [(n, s) for n, s in (("left", found.left), ("right", found.right)) if s.defined]
    said = ", ".join(f"from the {n} {_slope_text(s)}" for n, s in parts)
    reasons = "; ".join(dict.fromkeys(s.why for _, s in parts if s.why))
    return f"the difference quotient: {said} ({reasons})"


def _slope_text(s: Tendency) -> str:
    if s.exists is None:
        return "undecided"
    return "no limit" if s.exists is False else shown(s.exact if s.exact is not None else s.value)


def _extension(here: Local) -> tuple[str, ...]:
    if here.defined:
        return ()
    limit = here.tendencies[-1]
    value = shown(limit.exact if limit.exact is not None else limit.value)
    return (f"f is undefined there; its continuous extension has the value {value}, and the slopes are those of it",)


def least(found: Slopes) -> float | None:
    """The number nearest to 0 between the slopes: the subgradient of least norm (Clarke's set is the interval)."""
    values = [s.value for s in found.known if s.value is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    nearest = min(max(0.0, low), high)
    return nearest if math.isfinite(nearest) else None


def _hull(found: Slopes) -> Any:
    from tangently.smoothness.hulls import hull

    values = [s.value for s in found.known if s.value is not None]
    return hull([[v] for v in values]) if all(math.isfinite(v) for v in values) else None


def _second(here: Local, found: Slopes) -> tuple[float | None, float | None]:
    """The slopes of the one-sided derivatives."""
    return tuple(  # type: ignore[return-value]
        _second_side(f, here, side, s) for f, side, s in zip(here.formulas, (-1, 1), (found.left, found.right))
    )


def _second_side(formula: Expr | None, here: Local, side: int, first: Tendency) -> float | None:
    if formula is None or not first.finite:
        return None
    return slope(derivative_of(formula, here.x), here.x, here.point, side, first).value


# ---------------------------------------------------------------- on an interval


def on_interval(subject: Subject, lo: Point, hi: Point) -> Differentiability:
    """Every point of the interval where f is not differentiable, ends included (there from inside)."""
    until = time.monotonic() + SECONDS
    cells = decompose(subject.output, subject.x, [lo, hi])
    finite = [k for k in range(len(cells.cuts)) if cells.cuts[k].finite]
    found, rest = in_time(finite, lambda k: _at_cut(subject, cells, k), until)
    cells = replace(cells, proven=cells.proven and not rest, notes=(*cells.notes, *([USED_UP] if rest else [])))
    points = tuple(r for r in found if r is not None)
    wild = any(piece.wild for piece in cells.pieces)
    how = worst(*[r.how for r in points], "exact" if cells.proven and not wild else "estimated")
    word = "not differentiable everywhere" if points else "smooth"
    why = tuple(dict.fromkeys((*[r.why for r in points], *cells.notes)))
    return Differentiability(
        subject.shown, subject.x, word, None, None, None, how, why,
        on=(lo.at, hi.at), points=points, complete=cells.proven and not wild, callable=subject.callable,
    )  # fmt: skip


def _at_cut(subject: Subject, cells: Cells, k: int) -> Roughness | None:
    """The roughness at a cut; None where f is differentiable, or has no values around."""
    here = local(cells, k)
    if not here.tendencies or (here.value.analytic and not here.wild):
        return None
    found = _judged(subject, here, 1, cells)
    if found.kind in ("smooth",):
        return None
    exact = here.point.exact
    return Roughness(here.point.at, found.kind, exact, found.left, found.right, found.how, "; ".join(found.why))


__all__ = ["at_point", "differentiability"]
