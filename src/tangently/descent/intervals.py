"""Boxes of several numbers: balls of many expressions at once, the Krawczyk operator, and the inertia of a matrix.

`Balls` runs expressions of x₁, …, xₙ as one straight-line program in ball arithmetic (`tangently.enclosure`), in
stages, so that a Hessian is computed only where the gradient left a question, from the nodes that it shares with it.

`krawczyk(g, J, X)`: for a C¹ map g with g(x) - g(c) ∈ J·(x - c) on the box X, c its middle, and any matrix Y,

    K = c - Y·g(c) + (I - Y·J)·(X - c)

holds every zero of g in X; if K ∩ X is empty there is none, and if K lies in the interior of X there is exactly one
(R. Krawczyk, Computing 4, 1969; R. E. Moore, SIAM J. Numer. Anal. 14, 1977; A. Neumaier, Interval Methods for Systems
of Equations, 1990, chapter 5; R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis, 2009,
chapter 8). Y is a floating-point inverse of the middle of J: a bad one costs sharpness, never truth.

`spectrum`: Q⁻¹HQ has the eigenvalues of H for every invertible Q. With the columns of Q near its eigenvectors it is
nearly diagonal, and Gershgorin's discs enclose the eigenvalues (S. Gerschgorin, 1931); where none holds 0, the signs
are certain. Balls are solved for Q⁻¹, so rounding is inside the proof.

Glossary: X a box as a list of balls; g, J the gradient and the Hessian on it; c its middle.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tangently.enclosure import MissingEnclosure, ball
from tangently.expr import CONST, INPUT, TABLE, Expr, toposort

if TYPE_CHECKING:
    from flint import arb

Box = tuple[tuple[float, float], ...]  # the two ends of every coordinate, as the floats that they are


@dataclass(frozen=True)
class Balls:
    """Expressions of several numbers as one program on balls; stage k computes its outputs from what is there."""

    start: tuple[Any, ...]
    inputs: tuple[int, ...]
    steps: tuple[tuple[Any, ...], ...]  # by stage: (slot, enclosure, what picks its operands)
    places: tuple[tuple[int, ...], ...]  # by stage: the slots of the outputs

    def begin(self, box: Sequence[arb]) -> list[Any]:
        """The slots with the inputs in place."""
        values = list(self.start)
        for slot, held in zip(self.inputs, box):
            values[slot] = held
        return values

    def run(self, values: list[Any], stage: int) -> list[arb]:
        """Compute a stage, and give its outputs."""
        for slot, enclosure, operands in self.steps[stage]:
            try:
                values[slot] = enclosure(*operands(values))
            except (ValueError, OverflowError):  # a row that asks for a whole number, or a float, that is none
                values[slot] = ball(0).nan()
        return [values[k] for k in self.places[stage]]

    def __call__(self, box: Sequence[arb], *, through: int = 0) -> list[arb]:
        """The outputs of a stage, computed with all stages before it."""
        values = self.begin(box)
        return [self.run(values, k) for k in range(through + 1)][-1]


def balls(inputs: Sequence[Expr], stages: Sequence[Sequence[Expr]], *, clipped: bool = False) -> Balls:
    """A program of the stages. Raises MissingEnclosure where a row can't be enclosed.

    `clipped`: a box that lies in the domain in part gives the values that are taken on that part, where a root is cut.

    >>> import tangently.primitives
    >>> from flint import arb
    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> [held] = balls([x, y], [[x * y]])([arb(2), arb(3, 1)])
    >>> bool(held > 3.99), bool(held < 8.01)
    (True, True)
    """
    slots = {x: k for k, x in enumerate(inputs)}
    start: list[Any] = [None] * len(inputs)
    steps, places = [], []
    for outputs in stages:
        fresh = []
        for node in toposort(outputs, stop=slots.__contains__):
            if node in slots:
                continue
            slots[node] = len(start)
            start.append(ball(node.value) if node.op is CONST and node.shape == () else None)
            if node.op is not CONST or node.shape:
                fresh.append((slots[node], _enclosure(node, clipped), _picked([slots[a] for a in node.args])))
        steps.append(tuple(fresh))
        places.append(tuple(slots[y] for y in outputs))
    return Balls(tuple(start), tuple(range(len(inputs))), tuple(steps), tuple(places))


def _picked(slots: Sequence[int]) -> Any:
    """What takes the operands out of the values, as a sequence."""
    if not slots:
        return lambda _: ()
    return operator.itemgetter(*slots) if len(slots) > 1 else operator.itemgetter(slice(slots[0], slots[0] + 1))


def _enclosure(node: Expr, clipped: bool) -> Any:
    if node.op is INPUT or node.shape != () or node.op.enclosure is None:
        raise MissingEnclosure(node.op.name, f"{node.op.name} has no enclosure in the table: no bound can be proven")
    return CLIPPED.get(node.op.name, node.op.enclosure) if clipped else node.op.enclosure


def _clipped_power(a: Any, b: Any) -> Any:
    """A power with a positive exponent that is not whole has a domain like that of a root."""
    if b > 0 and not b.contains_integer() and a.contains(0):
        return (a.upper() ** b).union(ball(0)) if a.upper() > 0 else ball(0)
    return TABLE["pow"].enclosure(a, b)  # type: ignore[misc]


def _clipped_root(x: Any) -> Any:
    return x.upper().sqrt().union(ball(0)) if x.contains(0) else x.sqrt()


def _clipped_arc(name: str, x: Any) -> Any:
    """arcsin and arccos are monotone between -1 and 1."""
    row, one = TABLE[name].enclosure, ball(1)
    assert row is not None
    return x.nan() if x > 1 or x < -1 else row(x.lower().max(-one)).union(row(x.upper().min(one)))


CLIPPED = {
    "pow": _clipped_power, "sqrt": _clipped_root, "arcsin": partial(_clipped_arc, "arcsin"),
    "arccos": partial(_clipped_arc, "arccos"),
}  # fmt: skip


# ---------------------------------------------------------------- boxes


def held(box: Box) -> list[arb]:
    """The box as balls."""
    return [ball(lo).union(ball(hi)) for lo, hi in box]


def ends(x: arb) -> tuple[float, float]:
    """The ball between two floats, rounded outwards.

    >>> from flint import arb
    >>> low, high = ends(arb(1) / 3)
    >>> low < 1 / 3 <= high, ends(arb(3))
    (True, (3.0, 3.0))
    """
    low, high = x.lower(), x.upper()
    a, b = float(low), float(high)
    return (
        a if ball(a) <= low else math.nextafter(a, -math.inf),
        b if ball(b) >= high else math.nextafter(b, math.inf),
    )


def rounded(v: arb) -> float:
    """The float nearest to the middle of a ball; 0 where the ball holds 0 and all of it is smaller than any care."""
    middle = float(v.mid())
    return 0.0 if v.contains(0) and abs(middle) + float(v.rad()) < 1e-40 else middle + 0.0


def excludes(x: arb) -> bool:
    """Is 0 proven not to be in the ball?"""
    return x.is_finite() and bool(x > 0 or x < 0)


def inflated(box: Box, share: float) -> Box:
    """The box, larger by this share of its width on every side (and by a little where it has none)."""
    found = []
    for lo, hi in box:
        more = max((hi - lo) * share, 1e-12 * max(abs(lo), abs(hi)), 1e-150)
        found.append((lo - more, hi + more))
    return tuple(found)


def meet(a: Box, b: Box) -> Box | None:
    """What two boxes have in common; None for nothing.

    >>> meet(((0.0, 2.0),), ((1.0, 3.0),)), meet(((0.0, 1.0),), ((2.0, 3.0),))
    (((1.0, 2.0),), None)
    """
    found = tuple((max(p[0], q[0]), min(p[1], q[1])) for p, q in zip(a, b))
    return None if any(lo > hi for lo, hi in found) else found


def within(a: Box, b: Box) -> bool:
    """Does a lie in b?"""
    return all(q[0] <= p[0] and p[1] <= q[1] for p, q in zip(a, b))


def halves(box: Box, k: int) -> tuple[Box, Box]:
    """The box cut across coordinate k, a little off the middle, so that round numbers are inside a part."""
    lo, hi = box[k]
    cut = lo + (hi - lo) * 0.4871
    return (*box[:k], (lo, cut), *box[k + 1 :]), (*box[:k], (cut, hi), *box[k + 1 :])


def joined(boxes: Sequence[Box]) -> list[tuple[Box, int]]:
    """Boxes that touch as one hull each, with how many boxes it holds."""
    found: list[tuple[Box, int]] = []
    for box in boxes:
        hull, count = box, 1
        while True:
            near = [f for f in found if meet(f[0], hull) is not None]
            if not near:
                break
            found = [f for f in found if meet(f[0], hull) is None]
            hull = tuple(
                (min(lo, *[f[0][k][0] for f in near]), max(hi, *[f[0][k][1] for f in near]))
                for k, (lo, hi) in enumerate(hull)
            )
            count += sum(f[1] for f in near)
        found.append((hull, count))
    return found


# ---------------------------------------------------------------- operators


def inverse(rows: Sequence[Sequence[arb]]) -> Any:
    """A floating-point inverse of the middle of a matrix of balls, as rows; None where there is none."""
    middle = [[float(v.mid()) for v in row] for row in rows]
    return _inverse_of(middle) or _scaled_inverse(middle)


def _scaled_inverse(rows: Sequence[Sequence[float]]) -> Any:
    """The inverse by way of rows and columns with entries near 1.

    So 10⁻³⁰⁰·(x² + y²), or nanometers beside kilometers, give no singular matrix.
    """
    left = _scales(rows)
    right = _scales(list(zip(*[[v * s for v in row] for row, s in zip(rows, left)])))
    found = _inverse_of([[v * s * t for v, t in zip(row, right)] for row, s in zip(rows, left)])
    if found is None:
        return None
    back = tuple(tuple(v * t * s for v, s in zip(row, left)) for row, t in zip(found, right))
    return back if all(math.isfinite(v) for row in back for v in row) else None


def _scales(rows: Sequence[Sequence[float]]) -> list[float]:
    """A power of two for each row that brings its largest entry near 1."""
    return [2.0 ** -min(max(math.frexp(max(map(abs, row)))[1], -1000), 1000) for row in rows]


def _inverse_of(rows: Sequence[Sequence[float]]) -> Any:
    if not all(math.isfinite(v) for row in rows for v in row):
        return None
    if len(rows) == 2:
        (a, b), (c, d) = rows
        det = a * d - b * c
        good = 1e-14 * (abs(a * d) + abs(b * c)) < abs(det) < math.inf
        return ((d / det, -b / det), (-c / det, a / det)) if good else None
    import numpy as np

    middle = np.array(rows)
    return None if np.linalg.cond(middle) > 1e14 else tuple(map(tuple, np.linalg.inv(middle).tolist()))


def total(terms: Sequence[Any]) -> Any:
    """The sum of one or more balls."""
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


def mean_value(g: Sequence[arb], J: Sequence[Sequence[arb]], offsets: Sequence[arb]) -> list[arb]:
    """g(c) + J·(X - c): balls that hold g on X."""
    return [g[i] + total([J[i][j] * d for j, d in enumerate(offsets)]) for i in range(len(g))]


def krawczyk(
    g: Sequence[arb], J: Sequence[Sequence[arb]], c: Sequence[arb], offsets: Sequence[arb], Y: Any
) -> list[arb]:
    """K = c - Y·g(c) + (I - Y·J)·(X - c)."""
    span = range(len(c))
    found = []
    for i in span:
        step = total([g[k] * Y[i][k] for k in span])
        spread = [((1 if i == j else 0) - total([J[k][j] * Y[i][k] for k in span])) * offsets[j] for j in span]
        found.append(c[i] - step + total(spread))
    return found


def spectrum(rows: Sequence[Sequence[arb]]) -> list[arb] | None:
    """Balls that hold the eigenvalues of a symmetric matrix of balls, in order; None where nothing is proven.

    Discs that overlap are one ball, given once for each eigenvalue in it.

    >>> from flint import arb
    >>> [round(float(v.mid()), 12) for v in spectrum([[arb(2), arb(1)], [arb(1), arb(2)]])]
    [1.0, 3.0]
    """
    import numpy as np
    from flint import arb_mat

    middle = np.array([[float(v.mid()) for v in row] for row in rows])
    if not np.isfinite(middle).all():
        return None
    _, vectors = np.linalg.eigh((middle + middle.T) / 2)
    q = arb_mat(vectors.tolist())
    try:
        similar = q.solve(arb_mat([list(row) for row in rows]) * q)
    except ZeroDivisionError:
        return None
    n = len(rows)
    discs = []
    for i in range(n):
        radius = total([abs(similar[i, j]) for j in range(n) if j != i] or [ball(0)])
        discs.append((similar[i, i] - radius).union(similar[i, i] + radius))
    return _merged(sorted(discs, key=lambda d: float(d.mid())))


def _merged(discs: Sequence[arb]) -> list[arb]:
    """Each disc with those that it overlaps as one: a group of m discs holds m eigenvalues."""
    groups: list[tuple[Any, int]] = []
    for d in discs:
        count = 1
        while groups and groups[-1][0].overlaps(d):
            last, more = groups.pop()
            d, count = d.union(last), count + more
        groups.append((d, count))
    return [d for d, count in groups for _ in range(count)]


__all__ = [
    "Balls", "Box", "balls", "ends", "excludes", "halves", "held", "inflated", "inverse", "joined", "krawczyk",
    "mean_value", "meet", "rounded", "spectrum", "total", "within",
]  # fmt: skip
