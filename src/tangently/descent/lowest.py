"""`global_minimum`: the lowest value of a function on a box, with a proof, by branch and bound.

Boxes are taken in the order of their lower bounds, the best of the balls of f, of its mean value form f(c) + ∇f(X)·(X
- c), and of the bound of second order f(c) + ∇f(c)·(X - c) + ½(X - c)ᵀH(X)(X - c). A box whose bound lies above a
value that f is known to take is discarded. Where a partial derivative keeps its sign on a box, the minimum of the box
lies on a face of it: if that face belongs to the region's edge, the box becomes the face, else it is discarded;
likewise where f is strictly concave in a coordinate. A box is cut where f varies most (D. Ratz, T. Csendes, J. Global
Optim. 7, 1995). Where the Krawczyk operator proves exactly one critical point in the coordinates that are left, the
box is replaced by that point and by its faces on the region's edge. (E. Hansen, G. W. Walster, Global Optimization
Using Interval Analysis, 2004, chapters 12 and 14; R. B. Kearfott, Rigorous Global Search, 1996, chapter 5.) At a kink
the balls of the gradient hold Clarke's generalized gradient, for which the mean value theorem holds (G. Lebourg,
1975), so that both tests stay; where f may jump, only its own balls are used. On a box with a pole or an edge of the
domain at its face no ball bounds f, but the signs of the parts of ∂f/∂x = N/D may tell that f falls away from there.

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

from tangently.descent.critical import within_words
from tangently.descent.fields import (
    LARGE,
    Field,
    analytic,
    factored,
    field_of,
    fraction,
    marks_of,
    samples,
    square,
    tangents_of,
)
from tangently.descent.intervals import (
    Balls,
    Box,
    balls,
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
from tangently.descent.subdividing import PROOF, SEARCH, pinned
from tangently.enclosure import ball, precision
from tangently.errors import DomainError, TraceError
from tangently.expr import CONST, evaluate, toposort
from tangently.tracing.names import name_of

BUDGET = 40_000
FLAT = 1e-13  # a box on which f varies less, beside 1 + |f|, is not cut
TIGHT = 1e-8  # the same for a value that counts as proven
POLISHED = 4
MANY = 1000
WIDE = 1e-4  # of the region: a larger box is printed as one
LINES = 12  # of a printed result
TRIES = 3  # steps of the operator on one box
SLENDER = 16.0  # how long a box may be, in shares of the region
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
    is the first point; while nothing is proven, the best that was found.
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
        low, high = (f"{v:.10g}" for v in self.value_enclosure)
        head = f"{'global minimum' if self.proven else 'lowest value found'} {self.value:.10g}"
        between = "no lower bound is known" if low == "-inf" else f"the minimum is between {low} and {high}"
        said = "proven" if self.proven else f"not proven: {between}"
        places = [_told_of(p, self.names, self.region) for p in self.points[:LINES]]
        more = [f"  … and {len(self.points) - LINES} more"] if len(self.points) > LINES else []
        boxes = f"{self.examined} box{'es' * (self.examined != 1)}"
        return "\n".join([f"{head}   [{said}; {boxes}]", *places, *more, *[f"  {n}" for n in self.notes]])

    __repr__ = __str__


def _told_of(p: Minimizer, names: Sequence[str], region: Box) -> str:
    where = ", ".join(f"{n} = {v:.10g}" for n, v in zip(names, p.coordinates))
    if not p.proven and any(b - a > WIDE * (hi - lo) for (a, b), (lo, hi) in zip(p.enclosure, region)):
        return f"  within {within_words(names, p.enclosure)}, such as {where}"
    edge = f" (at an end of the region: {', '.join(p.edge)})" if p.edge else ""
    return f"  at {where}{edge}{'' if p.proven else '   [not proven to be one point]'}"


@dataclass(frozen=True)
class Walls:
    """What is 0 where f has a pole or an edge of its domain, and the partial derivatives of f as N/D between them."""

    program: Balls  # the walls; their partial derivatives; the numerators N
    powers: tuple[tuple[int, ...], ...]  # of each wall in the denominator of each partial derivative


@dataclass
class Bounding:
    """One search: the field, the boxes that wait by their lower bounds, points and small boxes that were kept."""

    f: Field
    program: Balls  # f, its gradient, its Hessian; where a root is cut, on the domain
    region: Box
    upper: Any
    walls: Walls | None = None
    best: tuple[float, ...] | None = None
    heap: list[tuple[float, int, Box]] = field(default_factory=list)
    points: list[tuple[tuple[Any, ...], Any]] = field(default_factory=list)
    flat: list[tuple[float, Box]] = field(default_factory=list)
    count: Iterator[int] = field(default_factory=itertools.count)
    examined: int = 0


def global_minimum(f: Any, region: Any, *, budget: int = BUDGET) -> GlobalMinimum:
    """The lowest value of f on a box, edges included, and where it is taken.

    f and region are as in `critical_points`, the ends of the region taken as the nearest floats; `budget` bounds the
    number of boxes. Raises MissingEnclosure where a part of f has no ball arithmetic, TraceError where a Python
    function of several numbers branches, DomainError where f has no value on the region.

    >>> found = global_minimum("x^4 - 2x^2 + x", (-2, 2))
    >>> found.proven, round(found.value, 6), round(found.x, 6)
    (True, -2.056173, -1.10716)
    """
    reading = _all_branches(read_region(f, region), f)
    finite(reading)
    reading = replace(reading, box=tuple((lo.at, hi.at) for lo, hi in reading.edges))
    f_ = field_of(reading.f, reading.xs, reading.box)
    stages = [[f_.f], f_.gradient, [h for row in f_.hessian for h in row]]
    s = Bounding(f_, balls(f_.xs, stages, clipped=True), reading.box, ball(math.inf), walls_of(f_))
    with precision(SEARCH):
        for point in (*samples(reading.box), *_polished(reading)):
            _known(s, point, s.f.whole(point)[0])
        _push(s, reading.box)
        while s.heap and s.examined < budget:
            low, _, box = heapq.heappop(s.heap)
            if low > s.upper:
                s.heap.clear()
                break
            s.examined += 1
            _examine(s, box)
    if not s.upper.is_finite():
        none = "f has no value anywhere on" if not s.heap and not s.flat else "no value of f was found on"
        raise DomainError(
            f"{none} the region {within_words(reading.names, reading.box)}: wanted a region where f is defined"
        )
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


def _known(s: Bounding, at: Sequence[Any], value: Any) -> None:
    """A value that f takes, and where."""
    if value.is_finite() and value.upper() < s.upper:
        s.upper, s.best = value.upper(), tuple(float(v.mid()) + 0.0 for v in at)


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
    values = s.program.begin(X)
    [y] = s.program.run(values, 0)
    middle = [x.mid() for x in X]
    at = s.f.whole(middle)[0]
    _known(s, middle, at)
    g = s.program.run(values, 1) if _is_lipschitz(s.f, X) else [y.nan()]
    low: float | None = _lower(y)
    if all(v.is_finite() for v in g):
        offsets = [x - c for x, c in zip(X, middle)]
        low = max(low, _lower(at + total([v * d for v, d in zip(g, offsets)])))
        low = None if low > s.upper else _sloping(s, box, g, low)
        low = None if low is None else _curved(s, box, X, values, at, low)
    elif not y.is_finite() and not at.is_finite() and _is_outside(s.f, X):
        return
    elif (signs := _between_walls(s, box, X)) is not None:
        low = _sloping(s, box, signs, low)
    if low is not None and not low > s.upper:
        _cut(s, box, low, y, g)


def walls_of(f: Field) -> Walls | None:
    """The walls of f; None where it has none."""
    edges = [b for b in f.breaks if b.manner in ("pole", "edge") and b.which == "zero"]
    if not edges or any(b not in edges and b.manner != "kink" for b in f.breaks) or len(toposort(f.gradient)) > LARGE:
        return None
    slopes = [fraction(g) for g in f.gradient]
    at = [u for b in edges for powers, rest in [factored(b.u)] for u in (*powers, rest) if u.op is not CONST]
    walls = list(dict.fromkeys([*at, *[u for _, powers in slopes for u in powers]]))
    stages = [walls, [d for u in walls for d in tangents_of(u, f.xs)], [n for n, _ in slopes]]
    return Walls(balls(f.xs, stages), tuple(tuple(powers[u] for u in walls) for _, powers in slopes))


def _between_walls(s: Bounding, box: Box, X: Sequence[Any]) -> list[Any] | None:
    """The signs of the partial derivatives inside a box that touches walls, 0 where they are not told.

    Inside, f is Lipschitz and N/D has the sign of its parts; at the faces that are walls it has no value, or tends to
    the value that it has. So near 0 x² - log x falls, though no ball bounds it.
    """
    if s.walls is None:
        return None
    program = s.walls.program
    values = program.begin(X)
    walls, turns, numerators = [program.run(values, k) for k in range(3)]
    sides = [_side(program, box, v, row, k) for k, (v, row) in enumerate(zip(walls, square(turns, len(box))))]
    if 0 in sides:
        return None
    below = [math.prod(side**k for side, k in zip(sides, powers)) for powers in s.walls.powers]
    signs = [((v > 0) - (v < 0)) * sign for v, sign in zip(numerators, below)]
    return [ball(sign * (not _falls_to_a_wall(s, box, k, sign))) for k, sign in enumerate(signs)]


def _falls_to_a_wall(s: Bounding, box: Box, k: int, sign: int) -> bool:
    """Does f, with this slope in coordinate k, fall to an end of the region that is a wall: may it be unbounded?"""
    assert s.walls is not None
    end = box[k][sign < 0]
    if not sign or end != s.region[k][sign < 0]:
        return False
    face = s.walls.program(held((*box[:k], (end, end), *box[k + 1 :])))
    return not all(v > 0 or v < 0 for v in face)


def _side(program: Balls, box: Box, wall: Any, turns: Sequence[Any], k: int) -> int:
    """The sign of wall k inside the box, 0 where it is not told: it rises or falls in each coordinate to a corner."""
    if wall > 0 or wall < 0:
        return 1 if wall > 0 else -1
    if not all(d == 0 or d > 0 or d < 0 for d in turns):
        return 0
    moves = any(d != 0 and lo < hi for d, (lo, hi) in zip(turns, box))
    least, most = [program([ball(side[(d < 0) != up]) for d, side in zip(turns, box)])[k] for up in (False, True)]
    if least > 0 or (moves and least >= 0):
        return 1
    return -1 if most < 0 or (moves and most <= 0) else 0


def _sloping(s: Bounding, box: Box, g: Sequence[Any], low: float) -> float | None:
    """None where f is monotone in a coordinate: the box was settled, or its face waits in its place."""
    rest = _on_faces(s, box, g)
    if rest == box and any(lo < hi for lo, hi in box):
        return low
    if rest is not None and any(lo < hi for lo, hi in rest):
        _push(s, rest, low)
    elif rest is not None:
        _keep(s, tuple(ball(lo) for lo, _ in rest))
    return None


def _curved(s: Bounding, box: Box, X: Sequence[Any], values: list[Any], at: Any, low: float) -> float | None:
    """What second derivatives tell: a better lower bound, or None where they settle the box.

    Where f is strictly concave in a coordinate, a minimum lies at an end of it.
    """
    if not analytic(s.f, X):
        return low
    H = square(s.program.run(values, 2), s.f.size)
    if not all(v.is_finite() for row in H for v in row):
        return low
    free = [k for k, (lo, hi) in enumerate(box) if lo < hi]
    concave = next((k for k in free if H[k][k] < 0), None)
    if concave is not None:
        _push_faces(s, box, [concave], low)
        return None
    low = max(low, _lower(_quadratic_bound(s.f, at, H, X)))
    if low > s.upper or (_is_near_linear(H, free) and _replaced(s, box, free, low)):
        return None
    return low


def _quadratic_bound(f: Field, at: Any, H: Sequence[Sequence[Any]], X: Sequence[Any]) -> Any:
    """A lower bound of f(c) + ∇f(c)·d + ½dᵀHd on the box, the mixed terms apart from the squares."""
    slopes = [abs(v).upper() for v in f.whole([x.mid() for x in X], through=1)]
    reach = [x.rad() for x in X]
    low = at
    for i, (a, r) in enumerate(zip(slopes, reach)):
        h = H[i][i].lower()
        low = low - (a * a / (2 * h) if h > 0 and not a >= h * r else a * r - h * r * r / 2)
        for j in range(i):
            low = low - abs(H[i][j]).upper() * r * reach[j]
    return low


def _is_near_linear(H: Sequence[Sequence[Any]], free: Sequence[int]) -> bool:
    """May the Krawczyk operator contract: is every row of I - YH below 1?"""
    block = [[H[i][j] for j in free] for i in free]
    Y = inverse(block)
    if Y is None:
        return False
    span = range(len(free))
    for i in span:
        row = [(1 if i == j else 0) - total([block[k][j] * Y[i][k] for k in span]) for j in span]
        if not total([abs(v).upper() for v in row]) < 1:
            return False
    return True


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


def _replaced(s: Bounding, box: Box, free: Sequence[int], low: float) -> bool:
    """The box as one critical point and its faces on the region's edge, where that is proven."""
    wide = inflated(box, 0.1)
    larger = tuple(wide[k] if k in free else side for k, side in enumerate(box))
    K = _newton(s.f, larger, free)
    if K is None:
        return False
    if K:
        _keep(s, tuple(K))
    _push_faces(s, box, free, low)
    return True


def _push_faces(s: Bounding, box: Box, free: Sequence[int], low: float) -> None:
    """The faces of the box that belong to the region's edge."""
    for k in free:
        for side, border in zip(box[k], s.region[k]):
            if side == border:
                _push(s, (*box[:k], (side, side), *box[k + 1 :]), low)


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
            at = _refined(f, step, free)
            return at if pinned([at[k] for k in free], tuple(box[k] for k in free)) else None
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
            _known(s, at, value)
    if not any(all(u.overlaps(v) for u, v in zip(at, other)) for other, _ in s.points):
        s.points.append((at, value))


def _cut(s: Bounding, box: Box, low: float, y: Any, g: Sequence[Any]) -> None:
    """Halve the box, or keep it where f hardly varies on it."""
    widths = [(hi - lo) / (b - a) for (lo, hi), (a, b) in zip(box, s.region)]
    widest = max(widths)
    near = FLAT * (1 + abs(float(s.upper)))
    flat = y.is_finite() and float(y.rad()) <= near
    if flat or (widest < SMALL and float(s.upper) - low <= near) or widest < 2.0**-44 or _is_a_point(box):
        s.flat.append((low, box))
        return
    for part in halves(box, _steepest(box, widths, g)):
        _push(s, part, low)


def _is_a_point(box: Box) -> bool:
    """Has a side of the box no float inside?"""
    return all(not halves(box, k)[0][k][1] > lo for k, (lo, _) in enumerate(box))


def _steepest(box: Box, widths: Sequence[float], g: Sequence[Any]) -> int:
    """The coordinate along which f may vary most; where that is not known, or a side is far too long, the widest."""
    wide = [k for k, w in enumerate(widths) if w * SLENDER >= max(widths)]
    if len(g) < len(box) or not all(v.is_finite() for v in g):
        return widths.index(max(widths))
    return max(wide, key=lambda k: float(abs(g[k]).upper()) * (box[k][1] - box[k][0]))


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
    places += [_minimizer(reading, hull, (low, high), False, s.best) for hull, _ in hulls if not _told(hull, places)]
    tight = high - low <= TIGHT * (1 + abs(high))
    value = 0.0 if low <= 0 <= high and tight else (low + high) / 2 if tight else high
    order = lambda p: (not p.proven if tight else p.coordinates != s.best, p.coordinates)
    return GlobalMinimum(
        value, (low, high), tuple(sorted(places, key=order)), tight, reading.box, reading.names, s.examined,
        (*reading.notes, *_remarks(s, len(left), low, tight, [value for _, value in points])),
    )  # fmt: skip


def _remarks(s: Bounding, left: int, low: float, tight: bool, values: Sequence[Any]) -> Iterator[str]:
    spent = f"the budget of {s.examined} boxes was spent"
    if left and tight:
        yield f"{spent}: where the minimum is taken is known no better"
    elif left:
        yield f"{spent}, {left} are left: a larger budget= may settle it"
    elif low == -math.inf:
        yield "near the places listed f has a pole, jumps, or has an edge of its domain: no bound was found there"
    if len(values) > 1:
        with precision(PROOF):
            highs, lows = [v.upper() for v in values], [v.lower() for v in values]
            apart = max(float(h - low) for h in highs for low in lows)
        yield f"the values at these {len(values)} points differ by less than {max(apart, 1e-300):.1g}"


def _hull(boxes: Sequence[Box]) -> Box:
    return tuple((min(b[k][0] for b in boxes), max(b[k][1] for b in boxes)) for k in range(len(boxes[0])))


def _told(hull: Box, places: Sequence[Minimizer]) -> bool:
    """Is a left-over box no larger than a point that is kept?"""
    return any(all(a[0] == b[0] and a[1] == b[1] for a, b in zip(hull, p.enclosure)) for p in places)


def _minimizer(
    reading: Reading, box: Box, value: tuple[float, float], proven: bool, best: tuple[float, ...] | None = None
) -> Minimizer:
    """A kept box: the best point, if it is in it, or its middle stands for it."""
    inside = best is not None and all(lo <= v <= hi for v, (lo, hi) in zip(best, box))
    at = best if best is not None and inside else tuple(lo + (hi - lo) / 2 + 0.0 for lo, hi in box)
    edge = tuple(
        f"{n} = {lo:.10g}" for n, (lo, hi), side in zip(reading.names, box, reading.box) if lo == hi and lo in side
    )  # fmt: skip
    told = value[1] if inside else value[0] / 2 + value[1] / 2
    return Minimizer(reading.pack(at), told, box, proven, at, edge)


__all__ = ["GlobalMinimum", "Minimizer", "global_minimum"]
