"""`global_minimum`: the lowest value of a function on a box, with a proof, by branch and bound.

Boxes are taken in the order of their lower bounds, the better of the balls of f and of its mean value form
f(c) + ∇f(X)·(X - c). A box whose bound lies above a value that f is known to take is discarded. Where a partial
derivative keeps its sign on a box, the minimum of the box lies on a face of it: if that face belongs to the region's
edge, the box becomes the face, else it is discarded. Where the Krawczyk operator proves exactly one critical point in
the coordinates that are left, the box is replaced by that point and by its faces on the region's edge. (E. Hansen,
G. W. Walster, Global Optimization Using Interval Analysis, 2004, chapters 12 and 14; R. B. Kearfott, Rigorous Global
Search, 1996, chapter 5.) At a kink the balls of the gradient hold Clarke's generalized gradient, for which the mean
value theorem holds (G. Lebourg, 1975), so that both tests stay; where f may jump, only its own balls are used.

The enclosure of the value is proven whenever the search ends, at the latest when the budget is spent.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangently.descent.fields import Field, analytic, field_of, marks_of, samples, square
from tangently.descent.intervals import (
    Balls,
    Box,
    ends,
    halves,
    held,
    inflated,
    inverse,
    joined,
    krawczyk,
    total,
)  # fmt: skip
from tangently.descent.regions import BRANCHES, Reading, finite, read_region
from tangently.descent.subdividing import PROOF, SEARCH
from tangently.enclosure import ball, precision
from tangently.errors import TraceError
from tangently.expr import evaluate
from tangently.tracing.names import name_of

BUDGET = 40_000
FLAT = 1e-13  # a box on which f varies less, beside 1 + |f|, is not cut
TIGHT = 1e-8  # the same for a value that counts as proven
POLISHED = 4
MANY = 1000
TRIES = 3  # steps of the operator on one box
SMALL = 2.0**-10  # of the region: a larger box is cut, unless f is constant on it


@dataclass(frozen=True)
class Minimizer:
    """A place where the minimum may be taken: the point, a box around it, and what is proven of it.

    `.proven`: it is the only point of its box that can be a minimizer, and it lies in the region. `.edge` names the
    coordinates that are at an end of the region.
    """

    x: Any
    value: float
    enclosure: Box
    proven: bool
    coordinates: tuple[float, ...]
    edge: tuple[str, ...] = ()


@dataclass(frozen=True)
class GlobalMinimum:
    """The lowest value of f on a region. `.value_enclosure` holds it, always proven.

    `.points`: every minimizer is in the box of one of them. `.proven`: the enclosure is tight (to eight digits). `.x`
    is the first point.
    """

    value: float
    value_enclosure: tuple[float, float]
    points: tuple[Minimizer, ...]
    proven: bool
    region: Box
    names: tuple[str, ...]
    examined: int
    notes: tuple[str, ...] = ()

    @property
    def x(self) -> Any:
        return self.points[0].x

    def __str__(self) -> str:
        lo, hi = self.value_enclosure
        said = "proven" if self.proven else f"not settled: the minimum is between {lo:.10g} and {hi:.10g}"
        lines = [f"global minimum {self.value:.10g}   [{said}; {self.examined} boxes]"]
        for p in self.points[:12]:
            where = ", ".join(f"{n} = {v:.10g}" for n, v in zip(self.names, p.coordinates))
            edge = f" (at an end of the region: {', '.join(p.edge)})" if p.edge else ""
            lines.append(f"  at {where}{edge}{'' if p.proven else '   [not proven to be one point]'}")
        return "\n".join([*lines, *[f"  {n}" for n in self.notes]])

    __repr__ = __str__


@dataclass
class Bounding:
    """One search: the field, the boxes that wait by their lower bounds, points and small boxes that were kept."""

    f: Field
    region: Box
    upper: Any
    heap: list[tuple[float, int, Box]] = field(default_factory=list)
    points: list[tuple[tuple[Any, ...], Any]] = field(default_factory=list)
    flat: list[tuple[float, Box]] = field(default_factory=list)
    count: Iterator[int] = field(default_factory=itertools.count)
    examined: int = 0


def global_minimum(f: Any, region: Any, *, budget: int = BUDGET) -> GlobalMinimum:
    """The lowest value of f on a box, edges included, and where it is taken.

    f and region are as in `critical_points`, the ends of the region taken as the nearest floats; `budget` bounds the
    number of boxes. Raises MissingEnclosure where a part
    of f has no ball arithmetic, TraceError where a Python function of several numbers branches.

    >>> found = global_minimum("x^4 - 2x^2 + x", (-2, 2))
    >>> found.proven, round(found.value, 6), round(found.x, 6)
    (True, -2.056173, -1.10716)
    """
    reading = _all_branches(read_region(f, region), f)
    finite(reading)
    reading = replace(reading, box=tuple((lo.at, hi.at) for lo, hi in reading.edges))
    s = Bounding(field_of(reading.f, reading.xs, reading.box), reading.box, ball(math.inf))
    with precision(SEARCH):
        for point in (*samples(reading.box), *_polished(reading)):
            _known(s, s.f.whole(point)[0])
        _push(s, reading.box)
        while s.heap and s.examined < budget:
            low, _, box = heapq.heappop(s.heap)
            if low > s.upper:
                s.heap.clear()
                break
            s.examined += 1
            _examine(s, box)
    return _found(reading, s)


def _all_branches(reading: Reading, f: Any) -> Reading:
    """A function of one number with all its branches as cases; of several numbers a branch is not followed."""
    if not reading.notes:
        return reading
    if not reading.single:
        raise TraceError(f"{name_of(reading.given)}: {BRANCHES}")
    from tangently.smoothness.reading import subject_of

    subject = subject_of(f, *reading.edges[0])
    return replace(reading, f=subject.output, xs=(subject.x,), notes=())


def _known(s: Bounding, value: Any) -> None:
    """A value that f takes."""
    if value.is_finite() and value.upper() < s.upper:
        s.upper = value.upper()


def _polished(reading: Reading) -> list[list[Any]]:
    """Good points by a local method from the best of many samples, inside the region."""
    from scipy.optimize import minimize

    lo, hi = np.array(reading.box).T
    x = lo + (hi - lo) * np.random.default_rng(0).random((1000, len(lo)))
    value = lambda p: float(evaluate([reading.f], dict(zip(reading.xs, map(float, p))))[0])
    found = []
    with np.errstate(all="ignore"):
        whole = evaluate([reading.f], {v: x[:, k].copy() for k, v in enumerate(reading.xs)})[0]
        order = np.argsort(np.nan_to_num(np.broadcast_to(np.asarray(whole, float), len(x)), nan=np.inf))
        for start in x[order[:POLISHED]]:
            try:
                found.append(minimize(value, start, method="L-BFGS-B", bounds=list(zip(lo, hi))).x)
            except (ValueError, ArithmeticError):
                found.append(start)  # left its domain: the sample itself will do
    return [[ball(float(v)) for v in np.clip(p, lo, hi)] for p in found]


# ---------------------------------------------------------------- one box


def _push(s: Bounding, box: Box, low: float = -math.inf) -> None:
    heapq.heappush(s.heap, (low, next(s.count), box))


def _examine(s: Bounding, box: Box) -> None:
    X = held(box)
    values = s.f.whole.begin(X)
    [y] = s.f.whole.run(values, 0)
    g = s.f.whole.run(values, 1) if _is_lipschitz(s.f, X) else None
    middle = [x.mid() for x in X]
    at = s.f.whole(middle)[0]
    _known(s, at)
    if g is not None and all(v.is_finite() for v in g):
        slope = at + total([v * (x - c) for v, x, c in zip(g, X, middle)])
        low = max(_lower(y), _lower(slope))
        rest = None if low > s.upper else _on_faces(s, box, g)
        if rest is None or _replaced(s, rest, low):
            return
        box = rest
    else:
        if not y.is_finite() and not at.is_finite() and _is_outside(s.f, X):
            return
        low = _lower(y)
    if not low > s.upper:
        _cut(s, box, low, y)


def _lower(y: Any) -> float:
    return ends(y)[0] if y.is_finite() else -math.inf


def _is_lipschitz(f: Field, X: Sequence[Any]) -> bool:
    """Does f not jump on the box, and has it no edge of its domain there?"""
    return all(m != 0 or b.manner == "kink" for m, b in zip(_marks(f, X), f.breaks))


def _marks(f: Field, X: Sequence[Any]) -> list[int]:
    """The sign of each break's expression on the box, 0 where it is not told."""
    return [m or 0 for m in marks_of(f, f.system(X)[f.size :])] if f.breaks else []


def _is_outside(f: Field, X: Sequence[Any]) -> bool:
    """Outside the domain: no row breaks on the box (and the middle has no value)."""
    return bool(f.breaks) and all(_marks(f, X))


def _on_faces(s: Bounding, box: Box, g: Sequence[Any]) -> Box | None:
    """The part of the box where its minimum can be: a face of the region where f is monotone; None for nowhere."""
    found = list(box)
    for k, v in enumerate(g):
        lo, hi = box[k]
        if lo == hi or not (v > 0 or v < 0):
            continue
        end, border = (lo, s.region[k][0]) if v > 0 else (hi, s.region[k][1])
        if end != border:
            return None
        found[k] = (end, end)
    return tuple(found)


def _replaced(s: Bounding, box: Box, low: float) -> bool:
    """The box as one critical point and its faces on the region's edge, where that is proven."""
    free = [k for k, (lo, hi) in enumerate(box) if lo < hi]
    if not free:
        _keep(s, tuple(ball(lo) for lo, _ in box))
        return True
    if not analytic(s.f, held(box)):
        return False
    wide = inflated(box, 0.1)
    larger = tuple(wide[k] if k in free else side for k, side in enumerate(box))
    K = _newton(s.f, larger, free)
    if K is None:
        return False
    if K:
        _keep(s, tuple(K))
    for k in free:
        for side, border in zip(box[k], s.region[k]):
            if side == border:
                _push(s, (*box[:k], (side, side), *box[k + 1 :]), low)
    return True


def _newton(f: Field, box: Box, free: Sequence[int]) -> list[Any] | None:
    """The one critical point in the free coordinates; empty: there is none; None: not told."""
    X = held(box)
    if not analytic(f, X):
        return None
    for _ in range(TRIES):
        step = _step(f.whole, f.size, X, free)
        if step is None:
            return None
        if any(not x.overlaps(k) for x, k in zip(X, step)):
            return []
        inside = all(X[k].contains_interior(step[k]) for k in free)
        if inside:
            return _refined(f, step, free)
        new = [x.intersection(k) for x, k in zip(X, step)]
        if all(float(b.rad()) >= 0.7 * float(a.rad()) for a, b in zip(X, new)):
            return None
        X = new
    return None


def _step(program: Balls, n: int, X: Sequence[Any], free: Sequence[int]) -> list[Any] | None:
    """Krawczyk's balls in the free coordinates, the others as they are."""
    values = program.begin(X)
    _, _, entries = [program.run(values, k) for k in range(3)]
    c = [x.mid() for x in X]
    g = program(c, through=1)
    H = [[square(entries, n)[i][j] for j in free] for i in free]
    if not all(v.is_finite() for v in (*g, *[v for row in H for v in row])):
        return None
    Y = inverse(H)
    if Y is None:
        return None
    K = krawczyk([g[k] for k in free], H, [c[k] for k in free], [X[k] - c[k] for k in free], Y)
    return [K[free.index(k)] if k in free else x for k, x in enumerate(X)]


def _refined(f: Field, X: list[Any], free: Sequence[int]) -> list[Any]:
    with precision(PROOF):
        for _ in range(60):
            step = _step(f.whole, f.size, X, free)
            if step is None:
                break
            new = [x.intersection(k) if j in free else x for j, (x, k) in enumerate(zip(X, step))]
            still = all(float(new[k].rad()) >= 0.9 * float(X[k].rad()) for k in free)
            X = new
            if still:
                break
    return X


def _keep(s: Bounding, at: tuple[Any, ...]) -> None:
    """A point that may be the minimizer, unless it lies outside the region."""
    if any(v < lo or v > hi for v, (lo, hi) in zip(at, s.region)):
        return
    with precision(PROOF):
        value = s.f.whole(at)[0]
        if all(v >= lo and v <= hi for v, (lo, hi) in zip(at, s.region)):
            _known(s, value)
    if not any(all(u.overlaps(v) for u, v in zip(at, other)) for other, _ in s.points):
        s.points.append((at, value))


def _cut(s: Bounding, box: Box, low: float, y: Any) -> None:
    """Halve the box, or keep it where f hardly varies on it."""
    widths = [(hi - lo) / (b - a) for (lo, hi), (a, b) in zip(box, s.region)]
    k = widths.index(max(widths))
    near = FLAT * (1 + abs(float(s.upper)))
    flat = y.is_finite() and float(y.rad()) <= near
    if (
        flat
        or (widths[k] < SMALL and float(s.upper) - low <= near)
        or widths[k] < 2.0**-44
        or not halves(box, k)[0][k][1] > box[k][0]
    ):
        s.flat.append((low, box))
        return
    for part in halves(box, k):
        _push(s, part, low)


# ---------------------------------------------------------------- the answer


def _found(reading: Reading, s: Bounding) -> GlobalMinimum:
    with precision(PROOF):
        left = [(low, box) for low, _, box in s.heap if not low > s.upper]
        boxes = [(low, box) for low, box in s.flat if not low > s.upper] + left
        points = [(at, value) for at, value in s.points if not value > s.upper]
        lows = [low for low, _ in boxes] + [ends(value)[0] for _, value in points]
    low, high = min(lows, default=-math.inf), ends(s.upper)[1]
    places = [_minimizer(reading, tuple(ends(v) for v in at), ends(value), True) for at, value in points]
    hulls = joined([b for _, b in boxes]) if len(boxes) <= MANY else [(_hull([b for _, b in boxes]), len(boxes))]
    places += [_minimizer(reading, hull, (low, high), False) for hull, _ in hulls if not _told(hull, places)]
    tight = high - low <= TIGHT * (1 + abs(high))
    notes = [f"the budget of {s.examined} boxes was spent; {len(left)} are left"] if left else []
    value = 0.0 if low <= 0 <= high and tight else (low + high) / 2 if tight else high
    return GlobalMinimum(
        value, (low, high), tuple(sorted(places, key=lambda p: (not p.proven, p.coordinates))), tight,
        reading.box, reading.names, s.examined, (*reading.notes, *notes),
    )  # fmt: skip


def _hull(boxes: Sequence[Box]) -> Box:
    return tuple((min(b[k][0] for b in boxes), max(b[k][1] for b in boxes)) for k in range(len(boxes[0])))


def _told(hull: Box, places: Sequence[Minimizer]) -> bool:
    """Is a left-over box no larger than a point that is kept?"""
    return any(all(a[0] == b[0] and a[1] == b[1] for a, b in zip(hull, p.enclosure)) for p in places)


def _minimizer(reading: Reading, box: Box, value: tuple[float, float], proven: bool) -> Minimizer:
    middle = tuple(lo + (hi - lo) / 2 + 0.0 for lo, hi in box)
    edge = tuple(
        f"{n} = {lo:.10g}" for n, (lo, hi), side in zip(reading.names, box, reading.box) if lo == hi and lo in side
    )  # fmt: skip
    return Minimizer(reading.pack(middle), value[0] / 2 + value[1] / 2, box, proven, middle, edge)


__all__ = ["GlobalMinimum", "Minimizer", "global_minimum"]
