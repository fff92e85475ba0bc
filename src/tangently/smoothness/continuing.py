"""`continuity`: the three conditions of the definition at a point; every discontinuity on an interval, with proof.

f is continuous at c where f(c) is defined, the limit at c exists, and they agree; at an edge of the domain the limit
is taken from inside. On an interval the function is cut (`cells`) at the finite set of points where a part of it
breaks, and is analytic between them; so each discontinuity is a cut, and it is enough to look at those. A cut where
nothing worse than an edge or a kink is met (√, |·|, max) is continuous without a look.

Kinds, as textbooks have them: removable (the limit exists, f is missing or elsewhere), jump (two finite one-sided
limits), infinite (at least one side without bound), essential (a side without a limit).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tangently.errors import DomainError, InputError, TraceError
from tangently.expr import TABLE
from tangently.printing import to_text
from tangently.smoothness.cells import SECONDS, USED_UP, Cells, decompose, nearest
from tangently.smoothness.opaque import opaque, refuse, watched
from tangently.smoothness.points import BITS, Point, precision, rooted
from tangently.smoothness.reading import Subject, interval, place, subject_of
from tangently.smoothness.results import KINDS, Condition, Continuity, Discontinuity, Kind, shown, worst
from tangently.smoothness.sides import Local, Tendency, crowded, equal, gap, local

NEAR = 2.0**-10  # half the width of the neighborhood that is looked at around a point


def continuity(f: Any, at: Any = None, on: Any = None, wrt: Any = None) -> Continuity:
    """Is f continuous, at a point (`at=`) or on an interval (`on=(a, b)`)?

    f is a callable, text, a SymPy expression, or a pair (expression, input). Raises InputError where neither or both of
    at and on are given, DomainError where f has no value on either side of the point.

    >>> print(continuity("abs(x)/x", on=(-1, 1)))
    |x|/x is not continuous on [-1, 1]   [exact]
      0: jump (from the left -1, from the right 1; f there: none, height 2) [exact]
      proven: there is no other
    """
    if (at is None) == (on is None):
        raise InputError("give at= a point, or on=(a, b) an interval, and not both")
    with precision(BITS):
        if on is not None:
            return on_interval(*read_on(f, *interval(on), wrt))
        p = place(at)
        try:
            subject = subject_of(f, *neighborhood(p), wrt)
        except TraceError:
            return by_values(f, p)
        return at_point(subject, p)


def read_on(f: Any, lo: Point, hi: Point, wrt: Any) -> tuple[Subject, Point, Point]:
    try:
        return subject_of(f, lo, hi, wrt), lo, hi
    except TraceError as error:
        raise refuse(f, error) from error


def by_values(f: Any, p: Point) -> Continuity:
    """A function that can't be traced, at a point."""
    subject = opaque(f)
    here = watched(f, subject.x, p)
    return _answered(subject, here, *classified(here), ("the function can't be traced: only its values are known",))


# ---------------------------------------------------------------- on an interval


def on_interval(subject: Subject, lo: Point, hi: Point) -> Continuity:
    until = time.monotonic() + SECONDS
    cells = decompose(subject.output, subject.x, [lo, hi])
    finite = [k for k in range(len(cells.cuts)) if cells.cuts[k].finite]
    found, rest = in_time(finite, lambda k: _judged_at(subject, cells, k), until)
    cells = replace(cells, proven=cells.proven and not rest, notes=(*cells.notes, *([USED_UP] if rest else [])))
    breaks = tuple(d for d in found if d is not None)
    wild = crowds(cells)
    undecided = any(d.kind == "undecided" for d in breaks)
    how = worst(*[d.how for d in breaks], "exact" if cells.proven else "estimated")
    return Continuity(
        subject.shown,
        subject.x,
        _verdict(cells, breaks),
        breaks,
        "undecided" if undecided else how,
        (*_story(cells, breaks), *cells.notes),
        complete=cells.proven and not wild,
        on=(lo.at, hi.at),
        undefined=without_values(cells),
        accumulating=wild,
        callable=subject.callable,
        cells=cells,
    )


def in_time(items: Sequence[int], do: Callable[[int], Any], until: float) -> tuple[list[Any], bool]:
    """What is done for each item until the time is used up; and was something left?"""
    found = []
    for item in items:
        if time.monotonic() > until:
            return found, True
        found.append(do(item))
    return found, False


def _judged_at(subject: Subject, cells: Cells, k: int) -> Discontinuity | None:
    """The discontinuity at a cut. At an end only the inside counts, but the kind is that of the whole function."""
    found = judged(local(cells, k))
    if found is None or 0 < k < len(cells.cuts) - 1 or found.kind == "undecided":
        return found
    wider, j = around(subject, cells.cuts[k])
    return judged(local(wider, j)) or found


def _verdict(cells: Cells, breaks: tuple[Discontinuity, ...]) -> bool | None:
    """Continuous where nothing was found and nothing is open; not continuous where something sure was found."""
    if any(d.kind != "undecided" for d in breaks):
        return False
    return None if breaks or USED_UP in cells.notes or any(piece.wild for piece in cells.pieces) else True


def crowds(cells: Cells) -> tuple[float, ...]:
    """The cuts at which infinitely many breaks crowd."""
    return tuple(p.at for k, p in enumerate(cells.cuts) if crowded(cells, k))


def without_values(cells: Cells) -> tuple[tuple[float, float], ...]:
    """The open intervals on which the function has no value, joined where they meet."""
    found: list[tuple[float, float]] = []
    for k, piece in enumerate(cells.pieces):
        if cells.formula(k) is None:
            joined = found and found[-1][1] == piece.lo.at
            found[-1:] = [(found[-1][0], piece.hi.at)] if joined else [*found[-1:], (piece.lo.at, piece.hi.at)]
    return tuple(found)


def _story(cells: Cells, breaks: tuple[Discontinuity, ...]) -> tuple[str, ...]:
    f, inner = to_text(cells.output), cells.cuts[1:-1]
    if not inner:
        return (f"every part of {f} is continuous wherever it has a value, on the whole interval",)
    places = ", ".join(shown(p.exact if p.exact is not None else p.at) for p in inner[:8])
    more = f" and {len(inner) - 8} more" if len(inner) > 8 else ""
    crowd = ", ".join(map(shown, crowds(cells)))
    else_ = f"and at infinitely many points near {crowd}" if crowd else "and nowhere else"
    where = f"a part of {f} may break at {places}{more}, {else_}; between these all its parts are continuous"
    return where, *[d.why for d in breaks]


# ---------------------------------------------------------------- judging one point


def judged(here: Local) -> Discontinuity | None:
    """The discontinuity at a cut, or None where f is continuous as far as its domain goes."""
    sides = here.tendencies
    if not sides:
        return None  # outside the domain, or an isolated point of it
    if here.defined and here.value.regular and not here.wild:
        return None
    kind, how = classified(here)
    return None if kind is None else _discontinuity(here, kind, how)


def classified(here: Local) -> tuple[Kind | None, Any]:
    """The kind of the discontinuity, None where there is none."""
    sides = here.tendencies
    if not sides:
        return None, "exact"
    how = worst(*[t.how for t in sides])
    if any(t.exists is False for t in sides):
        return "essential", how
    if any(t.exists is None for t in sides):
        return "undecided", "undecided"
    if not all(t.finite for t in sides):
        return "infinite", how
    agree, known = equal(sides[0], sides[-1])
    if not agree:
        return ("jump", worst(how, known)) if agree is False else ("undecided", "undecided")
    if not here.defined:
        return "removable", worst(how, known)
    same, known = equal(here.here, sides[-1])
    return (None if same else "removable"), worst(how, known)


def _discontinuity(here: Local, kind: Kind, how: Any) -> Discontinuity:
    left, right, p = here.left, here.right, here.point
    both = left.finite and right.finite
    limit = here.tendencies[-1]
    return Discontinuity(
        p.at,
        kind,
        p.exact,
        left.value,
        right.value,
        here.here.value if here.defined else None,
        gap(left, right) if kind == "jump" and both else None,
        (limit.exact if limit.exact is not None else limit.value) if kind == "removable" else None,
        how,
        _why(here, kind),
        edge=not (left.defined and right.defined),
    )


def _why(here: Local, kind: Kind) -> str:
    where = f"at {shown(here.point.exact if here.point.exact is not None else here.point.at)}"
    parts = [f"from the {name} {said(t)}" for name, t in (("left", here.left), ("right", here.right)) if t.defined]
    value = f"f there is {shown(here.here.value)}" if here.defined else "f is undefined there"
    crowd = "; infinitely many breaks crowd there" if here.crowded else ""
    return f"{where}: {', '.join(parts)}; {value}: {KINDS[kind]}{crowd}"


def said(t: Tendency) -> str:
    """A tendency in words."""
    if t.exists is None:
        return "nothing could be decided"
    if t.exists is False:
        return f"there is no limit ({t.why})" if t.why else "there is no limit"
    value = t.exact if t.exact is not None else t.value
    return f"f tends to {shown(value)}"


# ---------------------------------------------------------------- at a point


def around(subject: Subject, p: Point) -> tuple[Cells, int]:
    """The function cut in a small neighborhood of a point, and the number of the cut at the point."""
    lo, hi = neighborhood(p)
    cells = decompose(subject.output, subject.x, [lo, p, hi])
    return cells, nearest(cells, p)


def neighborhood(p: Point) -> tuple[Point, Point]:
    """The ends of a small interval around a point."""
    if not p.finite:
        raise InputError("continuity at ±∞ has no meaning; a limit there is asked with limit(f, point)")
    width = NEAR * max(1.0, abs(p.at))
    return tuple(rooted((p.ball + by).mid()) for by in (-width, width))  # type: ignore[return-value]


def at_point(subject: Subject, p: Point) -> Continuity:
    cells, k = around(subject, p)
    here = local(cells, k)
    if not here.tendencies and not here.defined:
        raise DomainError(
            f"{to_text(subject.shown)} has no value at {shown(p.at)} nor on either side of it; "
            "choose a point of its domain or at the edge of it"
        )
    kind, how = (None, worst(*[t.how for t in here.tendencies])) if _sound(here) else classified(here)
    return _answered(subject, here, kind, how, cells.notes, cells)


def _answered(
    subject: Subject, here: Local, kind: Kind | None, how: Any, notes: tuple[str, ...], cells: Cells | None = None
) -> Continuity:
    """The three conditions, and what follows."""
    conditions = _conditions(here, kind)
    continuous = None if any(c.holds is None for c in conditions) else all(c.holds for c in conditions)
    found = () if kind is None else (_discontinuity(here, kind, how),)
    return Continuity(
        subject.shown,
        subject.x,
        continuous,
        found,
        how,
        (*[d.why for d in found], *_edge_note(here), *notes),
        at=here.point.at,
        conditions=conditions,
        callable=subject.callable,
        cells=cells,
        accumulating=(here.point.at,) if here.crowded else (),
    )


def _sound(here: Local) -> bool:
    """Continuous by structure, or an isolated point of the domain."""
    return not here.tendencies or (here.defined and here.value.regular and not here.wild)


def _conditions(here: Local, kind: Kind | None) -> tuple[Condition, ...]:
    value, sides = here.here, here.tendencies
    c = shown(here.point.exact if here.point.exact is not None else here.point.at)
    defined = Condition(f"f({c}) is defined", here.defined, _defined_text(here, c))
    exists = _limit_exists(here, kind)
    text = "; ".join(f"from the {n} {said(t)}" for n, t in (("left", here.left), ("right", here.right)) if t.defined)
    second = Condition("the limit exists and is finite", exists, text or "an isolated point: nothing is near")
    third = None if exists is None else bool(exists and here.defined and kind is None)
    limit = shown(sides[-1].exact if sides and sides[-1].exact is not None else (sides[-1].value if sides else None))
    own = shown(value.exact if value.exact is not None else value.value) if here.defined else "undefined"
    detail = f"{own} against {limit}"
    return defined, second, Condition("they agree", third, detail if exists else "there is nothing to agree with")


def _defined_text(here: Local, c: str) -> str:
    if here.defined:
        value = here.here
        return f"f({c}) = {shown(value.exact if value.exact is not None else value.value)}"
    needed = [TABLE[row].domain_text for row in here.value.rows if row in TABLE and TABLE[row].domain_text]
    return f"undefined; {' and '.join(needed)} would be needed" if needed else "f has no value there"


def _limit_exists(here: Local, kind: Kind | None) -> bool | None:
    if kind == "undecided":
        return None
    return kind in (None, "removable")


def _edge_note(here: Local) -> tuple[str, ...]:
    if here.left.defined == here.right.defined:
        return ()
    inside = "left" if here.left.defined else "right"
    return (f"an edge of the domain: f has values on the {inside} only, and the limit is taken from there",)


__all__ = ["around", "at_point", "continuity", "judged", "on_interval"]
