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

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tangently.descent import degeneracy
from tangently.descent.critical import CriticalPoint, CriticalPoints, Roughness
from tangently.descent.fields import Field, field_of, marks_of, square
from tangently.descent.intervals import Box, ends, held, inflated, joined, meet, rounded, spectrum
from tangently.descent.lines import on_line
from tangently.descent.placing import EDGE, classified, placed_in, point_at, where_of
from tangently.descent.regions import Reading, finite, read_region
from tangently.descent.roughness import along_breaks, at_cluster
from tangently.descent.starting import STARTS, by_starts
from tangently.descent.subdividing import PROOF, Search, operator, refined, search, zoom
from tangently.enclosure import MissingEnclosure, precision
from tangently.errors import BudgetError
from tangently.expr import CONST, const, inputs_of, substitute
from tangently.printing import to_text

BUDGET = 40_000
DIMENSIONS = 4  # up to here the region is subdivided
LARGEST = 60  # numbers; beyond, second derivatives in numbers are too many
NEAR = 2.0**-12  # of the region: clusters nearer than this are looked at together
FEW = 8  # singular places that are looked at one by one
SMALL = 2.0**-5  # of the region: a larger cluster is no single place
MANY = 1500  # boxes that are joined one by one


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
    found = on_line(reading, f, region) if reading.single else _of_several(reading, budget, starts, seed)
    return replace(found, seconds=time.perf_counter() - begun)


# ---------------------------------------------------------------- several numbers


def _of_several(reading: Reading, budget: int, starts: int, seed: int) -> CriticalPoints:
    finite(reading)
    if len(reading.xs) > LARGEST:
        raise BudgetError(
            f"got {len(reading.xs)} numbers; second derivatives are taken number by number up to {LARGEST}: "
            "use minimize for a larger function"
        )
    try:
        return _searched(reading, budget) if len(reading.xs) <= DIMENSIONS else by_starts(reading, starts, seed)
    except MissingEnclosure as error:
        return replace(by_starts(reading, starts, seed), notes=(str(error),))


def _searched(reading: Reading, budget: int) -> CriticalPoints:
    f = field_of(reading.f, reading.xs, reading.box)
    idle = [k for k, g in enumerate(f.gradient) if g.op is CONST and g.value == 0]
    if idle:
        return _without(reading, f, idle, budget)
    s = search(f, reading.box, budget)
    more, undecided, used = _clusters(reading, f, s)
    if undecided and not s.waiting and len(undecided) <= FEW:
        zoom(s, undecided)
        more, undecided, used = _clusters(reading, f, s)
    points, doubtful = _roots(reading, f, s)
    rough, at_kinks, open_boxes = _rough(reading, f, s)
    left = (*undecided, *open_boxes, *_hulls(list(s.waiting)))
    notes = [*reading.notes, *_left_notes(s, f, bool(open_boxes))]
    every = sorted((*points, *more, *at_kinks), key=lambda p: p.coordinates)
    if reading.notes:  # one branch of several
        every = [replace(p, proven=False) for p in every]
    return CriticalPoints(
        tuple(every),
        not left and not doubtful and not reading.notes and all(used), reading.box, reading.names, left,
        tuple(f"{to_text(h)} = 0" for h in f.sets), tuple(rough), s.examined, tuple(notes),
    )  # fmt: skip


def _left_notes(s: Search, f: Field, is_open: bool) -> list[str]:
    found = []
    if s.waiting:
        found.append(
            f"the search stopped after {s.examined} boxes with {len(s.waiting)} waiting: the critical points may not "
            "be isolated; a smaller region or a larger budget= may settle it"
        )
    if s.unbounded and is_open:
        n = len(s.unbounded)
        found.append(
            f"in {n} small box{'es' * (n != 1)} no bound of the gradient was found (a pole, an edge, a root of 0)"
        )
    if f.sets:
        found.append("every point of a set listed is critical: there the critical points are not isolated")
    return found


def _without(reading: Reading, f: Field, idle: Sequence[int], budget: int) -> CriticalPoints:
    """Coordinates that f does not depend on: each critical point of the others is a whole line of them."""
    names = ", ".join(reading.names[k] for k in idle)
    if len(idle) == len(reading.xs):
        return CriticalPoints(
            (), True, reading.box, reading.names, sets=("the whole region: f is constant",)
        )  # fmt: skip
    kept = [k for k in range(len(reading.xs)) if k not in idle]
    middles = [lo + (hi - lo) / 2 for lo, hi in reading.box]
    [inner] = substitute([f.f], {reading.xs[k]: const(middles[k]) for k in idle})

    def pack(values: Sequence[float]) -> Any:
        return reading.pack([values[kept.index(k)] if k in kept else middles[k] for k in range(len(middles))])

    pick = lambda own: tuple(own[k] for k in kept)
    smaller = replace(
        reading, f=inner, xs=pick(reading.xs), names=pick(reading.names), box=pick(reading.box),
        edges=pick(reading.edges), pack=pack,
    )  # fmt: skip
    found = _searched(smaller, budget)
    why = f"not isolated: f does not depend on {names}"
    points = tuple(_widened(p, reading, kept, middles, why) for p in found.points)
    jumps = [b for b in f.breaks if set(inputs_of([b.u])) & {reading.xs[k] for k in idle}]
    if jumps:
        why = f"∂f/∂({names}) is 0 wherever there is one, but f is not constant in {names}: one piece was searched"
        found = replace(found, complete=False, undecided=(*found.undecided, reading.box))
    return replace(found, points=points, region=reading.box, names=reading.names, notes=(*found.notes, why))


def _widened(p: CriticalPoint, reading: Reading, kept: Sequence[int], middles: Sequence[float], why: str) -> Any:
    place = lambda own, else_: tuple(own[kept.index(k)] if k in kept else else_[k] for k in range(len(else_)))
    return replace(
        p, kind="degenerate", detail=f"{p.kind} along the others; {why}", names=reading.names,
        enclosure=place(p.enclosure, reading.box), coordinates=place(p.coordinates, middles),
        eigenvalues=tuple(sorted((*p.eigenvalues, *[0.0] * (len(middles) - len(kept))))),
    )  # fmt: skip


def _roots(reading: Reading, f: Field, s: Search) -> tuple[list[CriticalPoint], int]:
    """The roots that lie in the region, and how many can't be told from the edge."""
    points, doubtful = [], 0
    with precision(PROOF):
        for root in s.roots:
            where, exact = placed_in(f, root.at, reading.edges)
            if where == "outside":
                continue
            if not all(v.is_finite() for v in f.whole(root.at, through=1)):
                s.unbounded.append(tuple(ends(v) for v in root.at))  # numerators are 0; there may be no gradient
                continue
            doubtful += where == "unknown"
            points.append(classified(reading, f, root, exact, EDGE[where]))
    return points, doubtful


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
            where = where_of(exact, reading.edges)
            if any(_is_at(exact, root.at) for root in s.roots):
                undecided.append(hull)
            elif where != "outside":
                verdict = degeneracy.judged(f, exact, hull)
                told.append(where != "unknown")
                points.append(_degenerate(reading, f, exact, verdict, EDGE.get(where, "")))
                undecided += [] if verdict.alone else [hull]
    return points, undecided, told


def _is_at(exact: Any, at: Sequence[Any]) -> bool:
    from tangently.smoothness.points import number

    return all(v.overlaps(number(e)) for e, v in zip(exact, at))


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
    eigenvalues = tuple(rounded(v) for v in spectrum(square(entries, f.size)) or [])
    note = edge if verdict.alone else "; ".join(
        n for n in (edge, "it exists; that it is alone in its box is not proven") if n)  # fmt: skip
    proven = verdict.alone and verdict.proven
    return point_at(reading, at, value, verdict.kind, proven, eigenvalues, verdict.detail, note)


def _rough(reading: Reading, f: Field, s: Search) -> tuple[list[Roughness], list[CriticalPoint], list[Box]]:
    """Where f has no derivative, as far as it is told; critical points there; boxes that could hold another one."""
    found = along_breaks(f, reading.box)
    kinks, singular = _hulls(s.rough), _hulls(s.unbounded)
    small = [hull for hull in (*kinks, *singular) if _is_small(hull, s)]
    looked = [at_cluster(reading, hull) for hull in small[:FEW]]
    rough = [r for r in looked if isinstance(r, Roughness)]
    settled = [r.box for r in rough if r.proven and _alone(f, r)]
    left = [hull for hull in (*kinks, *singular) if hull not in settled]
    return [*found, *rough], [p for p in looked if isinstance(p, CriticalPoint)], left


def _alone(f: Field, r: Roughness) -> bool:
    """Are the numerators of the gradient 0 nowhere else in the box of a place without derivative? So with a norm."""
    assert r.box is not None
    X = held(inflated(r.box, 0.1))
    marks = marks_of(f, f.system(X)[f.size :])
    if f.cleared is None or any(m not in (1, -1) and b.manner not in ("pole", "edge") for m, b in zip(marks, f.breaks)):
        return False
    step = operator(f.cleared, f.size, X)
    if step is None or step[2] is None or not all(x.contains_interior(k) for x, k in zip(X, step[2])):
        return False
    return all(v.contains(p) for v, p in zip(refined(f.cleared, step[2]), r.at))


def _is_small(hull: Box, s: Search) -> bool:
    """Is the box so small, and without a root, that it stands for one place?"""
    alone = not any(meet(hull, tuple(ends(v) for v in root.at)) for root in s.roots)
    return alone and all(hi - lo <= SMALL * w for (lo, hi), w in zip(hull, s.widths))


__all__ = ["CriticalPoint", "CriticalPoints", "Roughness", "critical_points"]
