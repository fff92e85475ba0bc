"""`critical_points`: where the gradient is 0 in a region, every one of them, each with a proof and its kind.

- **One number.** The interval is cut where f may break (`smoothness.cells`); on each piece f is an analytic formula,
  and the zeros of its derivative are solved in closed form or isolated by balls (`smoothness.isolating`).
- **Two to four numbers.** Certified subdivision with the Krawczyk operator (`subdividing`), after factors that all
  partial derivatives share were taken out (`fields`). Points with a singular Hessian are judged by the first terms
  of the Taylor series that are not 0 (`degeneracy`).
- **More.** Damped Newton from many starts that fill the box evenly (a seed chooses them), all at once; each zero
  is then proven to exist by the Krawczyk operator of a small box around it. That none was missed is not known.

A kind is certain where the balls of all eigenvalues of the Hessian at the point exclude 0 (`intervals.spectrum`). What
can't be decided is handed back as boxes, and then `complete` is False.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, overload

import numpy as np

from tangently.descent import degeneracy
from tangently.descent.fields import Field, crossing, field_of, marks_of, pieces_of, samples, square
from tangently.descent.intervals import Box, ends, excludes, held, inflated, joined, meet, spectrum, within
from tangently.descent.regions import Reading, finite, read_region
from tangently.descent.subdividing import PROOF, Root, Search, proven_near, search
from tangently.enclosure import MissingEnclosure, ball, precision
from tangently.errors import BudgetError, DomainError, InputError, TangentlyError
from tangently.expr import CONST, Expr, const, evaluate, substitute
from tangently.printing import to_text

BUDGET = 40_000
DIMENSIONS = 4  # up to here the region is subdivided
STARTS = 400
LARGEST = 60  # numbers; beyond, second derivatives in numbers are too many
NEAR = 2.0**-12  # of the region: clusters nearer than this are looked at together
MANY = 1500  # boxes that are joined one by one


@dataclass(frozen=True)
class CriticalPoint:
    """A point where the gradient is 0.

    `.kind` is minimum, maximum, saddle or degenerate, with what is known besides in `.detail`. `.proven`: the point
    exists, it is the only one in a box around it, and its kind is certain. `.enclosure` holds it, (lo, hi) for each
    coordinate, `.value_enclosure` its value; `.eigenvalues` are those of the Hessian.
    """

    x: Any
    value: float
    kind: str
    proven: bool
    enclosure: Box
    eigenvalues: tuple[float, ...] = ()
    detail: str = ""
    names: tuple[str, ...] = ()
    coordinates: tuple[float, ...] = ()
    value_enclosure: tuple[float, float] = (-math.inf, math.inf)
    note: str = ""

    @property
    def label(self) -> str:
        """The coordinates by name, and the kind: "minimum at x = 1, y = 2"."""
        where = ", ".join(f"{n} = {_short(v)}" for n, v in zip(self.names, self.coordinates))
        return f"{self.kind} at {where}"

    def __str__(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.label}, value {_short(self.value)}{more}   [{'proven' if self.proven else 'not proven'}]"

    __repr__ = __str__


@dataclass(frozen=True)
class Roughness:
    """A place where f has no derivative, or may have none: in words, how, and a box that holds it or a part of it."""

    where: str
    manner: str
    box: Box | None = None
    proven: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.manner}{'' if self.proven else ' (not proven)'}"

    __repr__ = __str__


@dataclass(frozen=True)
class CriticalPoints(Sequence[CriticalPoint]):
    """All critical points that were found in a region.

    `.complete`: it is proven that there is no other in the region, but for the sets in `.sets` (equations all of whose
    points are critical). `.undecided` are the boxes that could not be decided, `.rough` the places without a
    derivative, `.examined` how many boxes were looked at.
    """

    points: tuple[CriticalPoint, ...]
    complete: bool
    region: Box
    names: tuple[str, ...]
    undecided: tuple[Box, ...] = ()
    sets: tuple[str, ...] = ()
    rough: tuple[Roughness, ...] = ()
    examined: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, k: int) -> CriticalPoint: ...
    @overload
    def __getitem__(self, k: slice) -> tuple[CriticalPoint, ...]: ...
    def __getitem__(self, k: Any) -> Any:
        return self.points[k]

    def of_kind(self, kind: str) -> tuple[CriticalPoint, ...]:
        """Those of one kind."""
        return tuple(p for p in self.points if p.kind == kind)

    @property
    def minima(self) -> tuple[CriticalPoint, ...]:
        return self.of_kind("minimum")

    @property
    def maxima(self) -> tuple[CriticalPoint, ...]:
        return self.of_kind("maximum")

    @property
    def saddles(self) -> tuple[CriticalPoint, ...]:
        return self.of_kind("saddle")

    def __str__(self) -> str:
        return "\n".join([_headline(self), *_table(self), *_remarks(self)])

    __repr__ = __str__


def critical_points(
    f: Any, region: Any, *, budget: int = BUDGET, starts: int = STARTS, seed: int = 0
) -> CriticalPoints:
    """Every point of the region where the gradient of f is 0, with its value, kind and proof.

    f is a callable, text, or a SymPy expression, of numbers or of one small array. The region is (lo, hi) for one
    number, ((lo, hi), …) for several or for the entries of the array, or {"x": (lo, hi), …}. Up to four numbers the
    region is searched with proof, `budget` bounds the number of boxes; above, Newton's method goes from `starts`
    points, chosen by `seed`. Raises InputError where region and function do not fit, ShapeError where f is an array.

    >>> critical_points("x^2 + y^2 - 2x - 4y + 5", ((-5, 5), (-5, 5)))[0]
    minimum at x = 1, y = 2, value 0   [proven]
    >>> [p.kind for p in critical_points("x^3 - 3x", (-2, 2))]
    ['maximum', 'minimum']
    """
    begun = time.perf_counter()
    reading = read_region(f, region)
    found = _of_one(reading, f, region) if reading.single else _of_several(reading, budget, starts, seed)
    return replace(found, seconds=time.perf_counter() - begun)


# ---------------------------------------------------------------- one number


def _of_one(reading: Reading, f: Any, region: Any) -> CriticalPoints:
    from tangently.smoothness.points import BITS, NoBalls
    from tangently.smoothness.reading import interval, subject_of

    lo, hi = interval(next(iter(region.values())) if isinstance(region, dict) else _pair(region))
    with precision(BITS):
        try:
            return _on_line(reading, subject_of(f, lo, hi), lo, hi)
        except (NoBalls, MissingEnclosure) as error:
            return replace(_by_starts(reading, STARTS, 0), notes=(str(error),))


def _pair(region: Any) -> Any:
    """((lo, hi),) as (lo, hi)."""
    return tuple(region[0]) if len(region) == 1 else tuple(region)


def _on_line(reading: Reading, subject: Any, lo: Any, hi: Any) -> CriticalPoints:
    from tangently.smoothness.cells import decompose
    from tangently.smoothness.differing import on_interval
    from tangently.smoothness.isolating import zeros
    from tangently.smoothness.points import before, same

    x = subject.x
    cells = decompose(subject.output, x, [lo, hi])
    smooth = on_interval(subject, lo, hi)
    complete, notes, sets = cells.proven and smooth.complete, list(cells.notes), []
    found: list[tuple[Any, Expr, bool]] = []
    outside = 0
    for k, piece in enumerate(cells.pieces):
        formula = cells.formula(k)
        if formula is None or piece.wild:
            outside += formula is None
            complete &= not piece.wild
            continue
        z = zeros(_derivative(formula, x), x, piece.lo, piece.hi)
        complete &= z.proven and not z.wild
        notes += [z.note] if z.note else []
        notes += ["infinitely many critical points may crowd at an end of the region"] if any(z.wild) else []
        sets += [f"f is constant for {piece.lo.at:.10g} ≤ {x.name} ≤ {piece.hi.at:.10g}"] if z.everywhere else []
        found += [(p, formula, z.proven) for p in z.points]
    rough = [r for r in smooth.points if not any(p.finite and r.at == p.at for p in (lo, hi)) or r.kind != "smooth"]
    places: list[tuple[Any, Expr, bool]] = []
    for p, formula, proven in found:
        here = any(r.at == p.at for r in rough)
        if not here and not any(same(p, q) for q, _, _ in places):
            places.append((p, formula, proven))
    notes += ["parts of the region are outside the domain of f"] if outside else []
    marks = sorted([*[p for p, _, _ in places], *cells.cuts], key=lambda p: p.at)
    points = [_line_point(reading, x, place, cells, marks, (lo, hi), before) for place in places]
    return CriticalPoints(
        tuple(points), complete, ((lo.at, hi.at),), reading.names, sets=tuple(sets),
        rough=tuple(Roughness(f"{x.name} = {_short(r.at)}", r.kind, ((r.at, r.at),), r.how == "exact") for r in rough),
        examined=len(cells.pieces), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _derivative(y: Expr, x: Expr) -> Expr:
    from tangently.differentiation import tangent
    from tangently.simplification import simplify

    return simplify(tangent([y], {x: const(1)})[0])


def _line_point(
    reading: Reading, x: Expr, place: Any, cells: Any, marks: Sequence[Any], region: Any, before: Any
) -> CriticalPoint:
    """The point with its kind: by f″, by the first derivative that is not 0, or by the signs of f′ on both sides."""
    from tangently.smoothness.points import Program, same

    p, formula, proven = place
    slope = _derivative(formula, x)
    curvature = Program(_derivative(slope, x), x)(p.ball)
    kind, detail, certain = "degenerate", "", True
    if excludes(curvature):
        kind = "minimum" if curvature > 0 else "maximum"
    else:
        kind, detail, certain = _by_slopes(x, p, cells, marks) or _by_orders(x, p, slope) or ("degenerate", "", False)
    value = Program(formula, x)(p.ball)
    edge = any(same(p, q) for q in region)
    return CriticalPoint(
        reading.pack([p.at]), float(value.mid()), kind, proven and certain, (ends(p.ball),),
        (float(curvature.mid()) + 0.0,) if curvature.is_finite() else (), detail, reading.names, (p.at,), ends(value),
        "on the edge of the region" if edge else "",
    )  # fmt: skip


def _by_slopes(x: Expr, p: Any, cells: Any, marks: Sequence[Any]) -> tuple[str, str, bool] | None:
    """By the sign of f′ between the point and what comes next, on both sides."""
    from tangently.smoothness.points import same

    k = next(k for k, m in enumerate(marks) if same(m, p))
    below = next((m for m in reversed(marks[:k]) if not same(m, p)), None)
    above = next((m for m in marks[k + 1 :] if not same(m, p)), None)
    if below is None or above is None:
        return None
    signs = [_slope_sign(x, a, b, cells) for a, b in ((below, p), (p, above))]
    if 0 in signs:
        return None
    if signs[0] == signs[1]:
        return "degenerate", f"inflection: f {'rises' if signs[0] > 0 else 'falls'} on both sides, so neither", True
    word = "minimum" if signs[0] < 0 else "maximum"
    return word, "degenerate: f″ is 0, and f′ changes its sign", cells.proven


def _slope_sign(x: Expr, a: Any, b: Any, cells: Any) -> int:
    from tangently.smoothness.points import Program

    middle = ((a.ball + b.ball) / 2).mid() if a.finite and b.finite else None
    if middle is None:
        return 0
    k = next((k for k, (u, v) in enumerate(pairwise(cells.cuts)) if u.ball <= middle and middle <= v.ball), None)
    formula = None if k is None else cells.formula(k)
    value = Program(_derivative(formula, x), x)(middle) if formula is not None else ball(0)
    return 0 if not excludes(value) else (1 if value > 0 else -1)


def _by_orders(x: Expr, p: Any, slope: Expr) -> tuple[str, str, bool] | None:
    """By the first derivative that is not 0 at an exact point."""
    from tangently.smoothness.points import at, number, vanishes

    y = slope
    for order in range(2, degeneracy.ORDERS + 1):
        y = _derivative(y, x)
        value = at(y, x, p)
        if value is None:
            return None
        zero, proven = vanishes(value)
        if not zero:
            if order % 2:
                return "degenerate", f"inflection: the derivative of order {order} is the first that is not 0", proven
            word = "minimum" if number(value) > 0 else "maximum"
            return word, f"degenerate: the derivative of order {order} is the first that is not 0", proven
    return None


# ---------------------------------------------------------------- several numbers


def _of_several(reading: Reading, budget: int, starts: int, seed: int) -> CriticalPoints:
    finite(reading)
    if len(reading.xs) > LARGEST:
        raise BudgetError(
            f"got {len(reading.xs)} numbers; second derivatives are taken number by number up to {LARGEST}: "
            "use minimize for a larger function"
        )
    try:
        return _searched(reading, budget) if len(reading.xs) <= DIMENSIONS else _by_starts(reading, starts, seed)
    except MissingEnclosure as error:
        return replace(_by_starts(reading, starts, seed), notes=(str(error),))


def _searched(reading: Reading, budget: int) -> CriticalPoints:
    f = field_of(reading.f, reading.xs, reading.box)
    idle = [k for k, g in enumerate(f.gradient) if g.op is CONST and g.value == 0]
    if idle:
        return _without(reading, f, idle, budget)
    s = search(f, reading.box, budget)
    points, doubtful = _roots(reading, f, s)
    more, undecided, used = _clusters(reading, f, s)
    rough, open_kinks = _rough(reading, f, s)
    left = (*undecided, *open_kinks, *_hulls(s.unbounded), *_hulls(list(s.waiting)))
    notes = [*reading.notes, *_left_notes(s, f)]
    return CriticalPoints(
        tuple(sorted((*points, *more), key=lambda p: p.coordinates)),
        not left and not doubtful and not reading.notes and all(used), reading.box, reading.names, left,
        tuple(f"{to_text(h)} = 0" for h in f.sets), rough, s.examined, tuple(notes),
    )  # fmt: skip


def _left_notes(s: Search, f: Field) -> list[str]:
    found = []
    if s.waiting:
        found.append(
            f"the search stopped after {s.examined} boxes with {len(s.waiting)} waiting: the critical points may not be "
            "isolated; a smaller region or a larger budget= may settle it"
        )
    if s.unbounded:
        found.append(f"{len(s.unbounded)} small boxes where no bound of the gradient was found (a pole or an edge)")
    if f.sets:
        found.append("every point of a set listed is critical: there the critical points are not isolated")
    return found


def _without(reading: Reading, f: Field, idle: Sequence[int], budget: int) -> CriticalPoints:
    """Coordinates that f does not depend on: each critical point of the others is a whole line of them."""
    names = ", ".join(reading.names[k] for k in idle)
    if len(idle) == len(reading.xs):
        return CriticalPoints(
            (), True, reading.box, reading.names, sets=("f is constant: every point is critical",)
        )  # fmt: skip
    kept = [k for k in range(len(reading.xs)) if k not in idle]
    middles = [lo + (hi - lo) / 2 for lo, hi in reading.box]
    [inner] = substitute([f.f], {reading.xs[k]: const(middles[k]) for k in idle})

    def pack(values: Sequence[float]) -> Any:
        return reading.pack([values[kept.index(k)] if k in kept else middles[k] for k in range(len(middles))])

    smaller = replace(
        reading, f=inner, xs=tuple(reading.xs[k] for k in kept), names=tuple(reading.names[k] for k in kept),
        box=tuple(reading.box[k] for k in kept), pack=pack,
    )  # fmt: skip
    found = _searched(smaller, budget)
    why = f"not isolated: f does not depend on {names}"
    points = tuple(_widened(p, reading, kept, middles, why) for p in found.points)
    return replace(found, points=points, region=reading.box, names=reading.names, notes=(*found.notes, why))


def _widened(p: CriticalPoint, reading: Reading, kept: Sequence[int], middles: Sequence[float], why: str) -> Any:
    place = lambda own, else_: tuple(own[kept.index(k)] if k in kept else else_[k] for k in range(len(else_)))
    return replace(
        p, kind="degenerate", detail=f"{p.kind} along the others; {why}", names=reading.names,
        enclosure=place(p.enclosure, reading.box), coordinates=place(p.coordinates, middles),
        eigenvalues=tuple(sorted((*p.eigenvalues, *[0.0] * (len(middles) - len(kept))))),
    )  # fmt: skip


# ---------------------------------------------------------------- roots


def _roots(reading: Reading, f: Field, s: Search) -> tuple[list[CriticalPoint], int]:
    """The roots that lie in the region, and how many can't be told from the edge."""
    points, doubtful = [], 0
    with precision(PROOF):
        for root in s.roots:
            where, exact = placed_in(f, root.at, reading.box)
            if where == "outside":
                continue
            doubtful += where == "unknown"
            points.append(_classified(reading, f, root, exact, _EDGE[where]))
    return points, doubtful


_EDGE = {
    "inside": "",
    "edge": "on the edge of the region",
    "unknown": "at the edge of the region: inside or outside is not told",
}


def placed_in(f: Field, at: Sequence[Any], box: Box) -> tuple[str, Any]:
    """Where a root lies (inside, outside, edge, unknown), and the exact point where that was needed."""
    ways = [(bool(v > lo and v < hi), bool(v < lo or v > hi)) for v, (lo, hi) in zip(at, box)]
    if all(inside for inside, _ in ways):
        return "inside", None
    if any(outside for _, outside in ways):
        return "outside", None
    exact = degeneracy.exact_point(f, tuple(ends(v) for v in at))
    return ("unknown", None) if exact is None else (_edge_of(exact, box), exact)


def _edge_of(exact: Sequence[Expr], box: Box) -> str:
    from tangently.smoothness.points import number

    values = [number(e) for e in exact]
    if any(v < lo or v > hi for v, (lo, hi) in zip(values, box)):
        return "outside"
    told = all(bool(v > lo and v < hi) or v == lo or v == hi for v, (lo, hi) in zip(values, box))
    return "edge" if told else "unknown"


def _classified(reading: Reading, f: Field, root: Root, exact: Any, note: str) -> CriticalPoint:
    values = f.whole.begin(root.at)
    [value], _, entries = [f.whole.run(values, k) for k in range(3)]
    kind, proven, eigenvalues = by_inertia(entries, f.size)
    detail = "" if kind != "degenerate" else "the Hessian is singular, or can't be told from it"
    if kind == "degenerate":
        tight = tuple(ends(v) for v in root.at)
        exact = exact or degeneracy.exact_point(f, tight)
        if exact is not None:
            verdict = degeneracy.judged(f, exact, tight)
            kind, detail, proven = verdict.kind, verdict.detail, verdict.proven
        if any(not excludes(v) for h in f.sets for v in _value(f, h, root.at)):
            detail += "; not isolated: it lies on a set of critical points"
    return _point(reading, root.at, value, kind, proven, eigenvalues, detail, note)


def _value(f: Field, h: Expr, at: Sequence[Any]) -> list[Any]:
    from tangently.descent.intervals import balls

    return balls(f.xs, [[h]])(at)


def by_inertia(entries: Sequence[Any], n: int) -> tuple[str, bool, tuple[float, ...]]:
    """The kind by the signs of the eigenvalues, whether they are certain, and the eigenvalues."""
    found = spectrum(square(entries, n))
    if found is None:
        return "degenerate", False, ()
    eigenvalues = tuple(float(v.mid()) for v in found)
    if not all(excludes(v) for v in found):
        return "degenerate", False, eigenvalues
    positive = sum(bool(v > 0) for v in found)
    return "minimum" if positive == n else "saddle" if positive else "maximum", True, eigenvalues


def _point(
    reading: Reading, at: Sequence[Any], value: Any, kind: str, proven: bool, eigenvalues: tuple[float, ...],
    detail: str, note: str,
) -> CriticalPoint:  # fmt: skip
    coordinates = tuple(_rounded(v) for v in at)
    return CriticalPoint(
        reading.pack(coordinates), _rounded(value), kind, proven, tuple(ends(v) for v in at), eigenvalues,
        detail, reading.names, coordinates, ends(value), note,
    )  # fmt: skip


def _rounded(v: Any) -> float:
    """The float nearest to the middle of a ball; 0 where the ball holds 0 and all of it is smaller than any care."""
    middle = float(v.mid())
    return 0.0 if v.contains(0) and abs(middle) + float(v.rad()) < 1e-40 else middle + 0.0


# ---------------------------------------------------------------- what the subdivision left


def _clusters(reading: Reading, f: Field, s: Search) -> tuple[list[CriticalPoint], list[Box], list[bool]]:
    """Degenerate points among the thin boxes, what stays undecided, and for each point whether it was placed."""
    points: list[CriticalPoint] = []
    undecided: list[Box] = []
    told: list[bool] = []
    with precision(PROOF):
        for hull in _grown(s):
            exact = degeneracy.exact_point(f, hull)
            if exact is None:
                undecided += [h for h in _hulls(s.thin) if meet(h, hull) is not None]
                continue
            where = _edge_of(exact, reading.box)
            if where != "outside":
                verdict = degeneracy.judged(f, exact, hull)
                told.append(where != "unknown")
                points.append(_degenerate(reading, f, exact, verdict, _EDGE.get(where, "")))
                undecided += [] if verdict.alone else [hull]
    return points, undecided, told


def _hulls(boxes: list[Box]) -> list[Box]:
    if len(boxes) > MANY:
        return [tuple((min(b[k][0] for b in boxes), max(b[k][1] for b in boxes)) for k in range(len(boxes[0])))]
    return [hull for hull, _ in joined(boxes)]


def _grown(s: Search) -> list[Box]:
    """Thin boxes, with those that are near, as one box each."""
    more = [NEAR * w for w in s.widths]
    wide = [tuple((lo - m, hi + m) for (lo, hi), m in zip(box, more)) for box in _hulls(s.thin)]
    return [tuple((lo + m / 2, hi - m / 2) for (lo, hi), m in zip(box, more)) for box in _hulls(wide)]


def _degenerate(reading: Reading, f: Field, exact: Any, verdict: degeneracy.Verdict, edge: str) -> CriticalPoint:
    from tangently.smoothness.points import number

    at = [number(e) for e in exact]
    values = f.whole.begin(at)
    [value], _, entries = [f.whole.run(values, k) for k in range(3)]
    eigenvalues = tuple(float(v.mid()) + 0.0 for v in spectrum(square(entries, f.size)) or [])
    note = edge if verdict.alone else "; ".join(
        n for n in (edge, "it exists; that it is alone in its box is not proven") if n)  # fmt: skip
    proven = verdict.alone and verdict.proven
    return _point(reading, at, value, verdict.kind, proven, eigenvalues, verdict.detail, note)


# ---------------------------------------------------------------- places without a derivative


def _rough(reading: Reading, f: Field, s: Search) -> tuple[tuple[Roughness, ...], list[Box]]:
    """Where f has no derivative, as far as it is told, and the boxes at kinks that could hold a critical point."""
    found = [r for r in (_along_break(f, b, reading.box) for b in _distinct(f)) if r is not None]
    clusters = _hulls(s.rough)
    found += [_at_cluster(reading, hull) for hull in clusters]
    return tuple(found), clusters


def _distinct(f: Field) -> list[Any]:
    return list({(b.u, b.manner): b for b in f.breaks if b.which == "zero"}.values())


def _along_break(f: Field, b: Any, box: Box) -> Roughness | None:
    """The set where the expression of a break is 0, if it crosses the region and f has no derivative there."""
    if not crossing(f, b.u, box):
        return None
    text = f"{to_text(b.u)} = 0"
    if b.manner in ("pole", "edge"):
        return Roughness(text, "no value" if b.manner == "pole" else "the edge of the domain", proven=True)
    place = _on_the_set(f, b.u, box)
    pieces = pieces_of(f, marks_of(f, f.system(held(place))[f.size :]))
    slopes = [piece(held(place)) for piece in pieces or []]
    differ = any(not u.overlaps(v) for row in slopes for u, v in zip(row, slopes[0]))
    if pieces is not None and not differ:
        return None  # the pieces have one gradient there: x·|x| at 0
    return Roughness(text, b.manner, place, pieces is not None)


def _on_the_set(f: Field, u: Expr, box: Box) -> Box:
    """A tiny box around a point where u changes its sign, by bisection between two samples."""
    from tangently.descent.intervals import balls

    run = balls(f.xs, [[u]])
    places = [p for p in samples(box) if excludes(run(p)[0])]
    up = next(p for p in places if run(p)[0] > 0)
    down = next(p for p in reversed(places) if run(p)[0] < 0)
    for _ in range(60):
        middle = [((a + b) / 2).mid() for a, b in zip(up, down)]
        value = run(middle)[0]
        if not excludes(value):
            up = down = middle
            break
        up, down = (middle, down) if value > 0 else (up, middle)
    return inflated(tuple(ends(a.union(b)) for a, b in zip(up, down)), 0.01)


def _at_cluster(reading: Reading, hull: Box) -> Roughness:
    """What is at a kink whose pieces may have a gradient 0, at the simplest point of the box."""
    from fractions import Fraction

    from tangently.smoothness.differing import differentiability
    from tangently.smoothness.isolating import simplest

    point = [float(simplest(Fraction(lo), Fraction(hi))) for lo, hi in hull]
    where = ", ".join(f"{n} = {_short(v)}" for n, v in zip(reading.names, point))
    packed = reading.pack(point)
    try:
        kind = differentiability(reading.given, at=packed if isinstance(packed, tuple) else (packed,)).kind
    except TangentlyError:
        kind = "undecided"
    word = f"differentiable at {where}, but pieces meet here" if kind == "smooth" else kind
    return Roughness(f"near {where}", word, hull, False)


# ---------------------------------------------------------------- many starts


def _by_starts(reading: Reading, starts: int, seed: int) -> CriticalPoints:
    from tangently.differentiation import expand, pullback
    from tangently.descent.fields import tangents_of
    from tangently.simplification import simplify_all

    finite(reading)
    [y] = expand([reading.f])
    gradient = simplify_all(pullback([y], [const(1)], reading.xs))
    jacobian = simplify_all([h for g in gradient for h in tangents_of(g, reading.xs)])
    zeros = _newton(reading, gradient, jacobian, starts, seed)
    try:
        f = field_of(reading.f, reading.xs, reading.box)
    except MissingEnclosure:
        f = None
    points = [_verified(reading, f, z, y, jacobian) for z in zeros]
    note = f"{starts} starts (seed {seed}) and no proof that none was missed"
    return CriticalPoints(
        tuple(p for p in points if p is not None), False, reading.box, reading.names, (reading.box,),
        examined=starts, notes=(*reading.notes, note),
    )  # fmt: skip


def _verified(reading: Reading, f: Field | None, z: np.ndarray, y: Expr, jacobian: Sequence[Expr]) -> Any:
    root = None if f is None else proven_near(f, z.tolist())
    if f is not None and root is not None:
        with precision(PROOF):
            where, exact = placed_in(f, root.at, reading.box)
            return None if where == "outside" else _classified(reading, f, root, exact, _EDGE[where])
    if not all(lo <= v <= hi for v, (lo, hi) in zip(z, reading.box)):
        return None
    at = dict(zip(reading.xs, z.tolist()))
    value, *entries = evaluate([y, *jacobian], at)
    eigenvalues = np.linalg.eigvalsh(np.reshape(np.array(entries, float), (len(z), -1)))
    small = 1e-7 * max(1.0, float(np.abs(eigenvalues).max()))
    kind = (
        "degenerate" if (np.abs(eigenvalues) < small).any()
        else "minimum" if eigenvalues[0] > 0 else "maximum" if eigenvalues[-1] < 0 else "saddle"
    )  # fmt: skip
    return CriticalPoint(
        reading.pack(z.tolist()), float(value), kind, False, tuple((v, v) for v in z.tolist()),
        tuple(eigenvalues.tolist()), "", reading.names, tuple(z.tolist()), note="found by floats, not proven",
    )  # fmt: skip


def _newton(
    reading: Reading, gradient: Sequence[Expr], jacobian: Sequence[Expr], starts: int, seed: int
) -> list[np.ndarray]:
    """Zeros of the gradient by damped Newton from all starts at once."""
    lo, hi = np.array(reading.box).T
    n = len(lo)
    x = lo + (hi - lo) * np.random.default_rng(seed).random((starts, n))
    with np.errstate(all="ignore"):
        g = _at(gradient, reading.xs, x)
        for _ in range(60):
            step = -_solved(_at(jacobian, reading.xs, x).reshape(-1, n, n), g)
            longest = np.max(np.abs(step) / (hi - lo), axis=1, keepdims=True)
            step = step / np.maximum(1.0, 4 * longest)
            x, g = _damped(gradient, reading.xs, x, g, step)
        done = np.linalg.norm(g, axis=1) <= 1e-8 * (1 + np.nanmedian(np.linalg.norm(g, axis=1)))
        last = -_solved(_at(jacobian, reading.xs, x).reshape(-1, n, n), g)
        done &= np.max(np.abs(last) / (hi - lo), axis=1) < 1e-6
        done &= ((x > lo - 1e-6 * (hi - lo)) & (x < hi + 1e-6 * (hi - lo))).all(axis=1)
    found: list[np.ndarray] = []
    for z in x[done]:
        if not any((np.abs(z - other) < 1e-5 * (hi - lo)).all() for other in found):
            found.append(z)
    return sorted(found, key=lambda z: z.tolist())


def _at(exprs: Sequence[Expr], xs: Sequence[Expr], x: np.ndarray) -> np.ndarray:
    values = evaluate(list(exprs), {v: x[:, k].copy() for k, v in enumerate(xs)})
    return np.stack([np.broadcast_to(np.asarray(v, float), len(x)) for v in values], axis=1)


def _solved(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Newton's steps; where a matrix is singular or not finite, none."""
    good = np.isfinite(rows).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    found = np.zeros_like(right)
    if good.any():
        found[good] = np.einsum("kij,kj->ki", np.linalg.pinv(rows[good], rcond=1e-12), right[good])
    return found


def _damped(
    gradient: Sequence[Expr], xs: Sequence[Expr], x: np.ndarray, g: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each start goes the longest of 1, ¼, 1/16, … of its step that makes the gradient shorter."""
    size = np.linalg.norm(g, axis=1)
    x, g, waiting = x.copy(), g.copy(), np.ones(len(x), bool)
    for k in range(5):
        trial = x + step * 0.25**k
        fresh = _at(gradient, xs, trial)
        better = waiting & (np.linalg.norm(fresh, axis=1) < size)
        x[better], g[better] = trial[better], fresh[better]
        waiting &= ~better
    return x, g


# ---------------------------------------------------------------- telling


def _short(v: float) -> str:
    return f"{v + 0.0:.10g}"


def _headline(c: CriticalPoints) -> str:
    where = " × ".join(f"[{_short(lo)}, {_short(hi)}]" for lo, hi in c.region)
    n = len(c.points)
    count = f"{n} critical point{'s' * (n != 1)} in {where}"
    said = "proven: there is no other" if c.complete else "not proven to be all"
    if c.complete and c.sets:
        said = "proven: there is no other, but for the sets below"
    return f"{count}; {said} ({c.examined} {'start' if _sampled(c) else 'box' if c.examined == 1 else 'boxe'}{'' if c.examined == 1 else 's'})"


def _sampled(c: CriticalPoints) -> bool:
    return c.undecided == (c.region,)


def _table(c: CriticalPoints) -> Iterator[str]:
    if not c.points:
        return
    rows = [("kind", *c.names, "value", "eigenvalues", "proven")]
    for p in c.points:
        values = " ".join(f"{v:.4g}" for v in p.eigenvalues)
        rows.append((p.kind, *map(_short, p.coordinates), _short(p.value), values, "yes" if p.proven else "no"))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row, p in zip(rows, [None, *c.points]):
        more = "" if p is None else "; ".join(t for t in (p.detail, p.note) if t)
        yield "  " + "  ".join(t.ljust(w) for t, w in zip(row, widths)).rstrip() + (f"   {more}" if more else "")


def _remarks(c: CriticalPoints) -> Iterator[str]:
    yield from (f"  critical everywhere: {t}" for t in c.sets)
    yield from (f"  no derivative: {r}" for r in c.rough[:12])
    if c.undecided and not _sampled(c):
        yield f"  not decided: {len(c.undecided)} box{'es' * (len(c.undecided) != 1)}"
    yield from (f"  {t}" for t in c.notes)


__all__ = ["CriticalPoint", "CriticalPoints", "Roughness", "critical_points"]
