"""Every zero of a gradient in a box: certified subdivision with the Krawczyk operator.

A box is discarded where the balls of the gradient, by its formula or by the mean value form, exclude 0 in one
component, or where the Krawczyk operator of it has nothing in common with it. Where the operator of the box, made a
little larger, lies in the interior, there is exactly one zero in the larger box, and the box is settled; so a zero
on the border of two boxes is found as well. What is left of a box is narrowed to the operator's box, or cut in two.
Largest boxes come first, so that what a spent budget leaves is evenly fine. (Citations: `intervals`; R. B. Kearfott,
Rigorous Global Search: Continuous Problems, 1996, chapter 5, for the order of the tests and the larger box.)

A box that stays undecided down to 2⁻²⁴ of the region is near a zero with a singular Hessian; where the gradient has no
bound or breaks, it is near a pole, an edge of the domain or a kink, and is given up earlier. Both are handed on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tangently.descent.fields import Field, analytic, marks_of, pieces_of, square
from tangently.descent.intervals import (
    Balls,
    Box,
    ends,
    excludes,
    halves,
    held,
    inflated,
    inverse,
    krawczyk,
    mean_value,
    meet,
    within,
)  # fmt: skip
from tangently.enclosure import ball, precision

THIN = 2.0**-24  # of the region: a box that is thinner is not cut
COARSE = 2.0**-9  # the same where the gradient has no bound
FINE = 2.0**-14  # the same at a kink
SHRUNK = 0.7  # a box that is narrowed by less than this is cut
CLOSER = 1000  # boxes of a second search, within what the first left undecided
CONTRACTIONS = 300
MARGIN = 0.1  # by how much a box is made larger
PINNED = 2.0**-20  # of its box: how small the balls of a root are at least
SEARCH, PROOF = 64, 256  # bits


@dataclass(frozen=True)
class Root:
    """A zero of the gradient: balls that hold it, and a box in which it is the only one."""

    at: tuple[Any, ...]
    alone: Box


@dataclass
class Search:
    """One search: what was found, and the boxes that are left, by what was wrong."""

    f: Field
    region: Box
    budget: int
    roots: list[Root] = field(default_factory=list)
    thin: list[Box] = field(default_factory=list)
    rough: list[Box] = field(default_factory=list)
    unbounded: list[Box] = field(default_factory=list)
    waiting: deque[Box] = field(default_factory=deque)
    examined: int = 0

    @property
    def widths(self) -> list[float]:
        return [hi - lo for lo, hi in self.region]


def search(f: Field, region: Box, budget: int) -> Search:
    """All of the region, or as much as the budget of boxes allows: the rest is in `waiting`.

    Where more boxes wait than the budget can decide, it ends early: the zeros are not isolated, or too many.
    """
    s = Search(f, region, budget)
    s.waiting.append(region)
    _run(s)
    return s


def zoom(s: Search, hulls: Sequence[Box]) -> None:
    """Search boxes again that stayed undecided, now as deep below them: zeros may be very near each other."""
    for grown in hulls:
        hull = meet(grown, s.region)
        if hull is None or any(lo == hi for lo, hi in hull):
            continue
        again = Search(s.f, hull, CLOSER, roots=s.roots)
        again.waiting.append(hull)
        _run(again)
        s.thin = [box for box in s.thin if not within(box, hull)] + again.thin + [*again.waiting]
        s.rough, s.unbounded = s.rough + again.rough, s.unbounded + again.unbounded
        s.examined += again.examined


def _run(s: Search) -> None:
    with precision(SEARCH):
        while s.waiting and s.examined < s.budget and 2 * len(s.waiting) < s.budget:
            box = s.waiting.popleft()
            if not any(within(box, root.alone) for root in s.roots):
                s.examined += 1
                _examine(s, box)


def _examine(s: Search, box: Box) -> None:
    n = s.f.size
    X = held(box)
    values = s.f.system.begin(X)
    found = s.f.system.run(values, 0)
    g, marks = found[:n], marks_of(s.f, found[n:]) if s.f.breaks else ()
    if any(excludes(v) for v in g):
        return
    if not all(m in (1, -1) for m in marks):
        if s.f.cleared is None or not any(excludes(v) for v in s.f.cleared(X)):
            _at_break(s, box, X, marks)
    elif all(v.is_finite() for v in g):
        _smooth(s, box, X)
    elif not (marks and _outside(s, box)):
        _left(s, box, s.unbounded, COARSE)


def _outside(s: Search, box: Box) -> bool:
    """Is a box on which no row breaks outside the domain? Its rows have a value everywhere on it, or nowhere."""
    return not any(v.is_finite() for v in s.f.whole([ball(lo + (hi - lo) / 2) for lo, hi in box]))


def _at_break(s: Search, box: Box, X: Sequence[Any], marks: tuple[int | None, ...]) -> None:
    """A box on which a row may break: every piece is asked."""
    pieces = pieces_of(s.f, marks)
    if pieces is None:
        _left(s, box, s.unbounded, COARSE)
    elif not all(any(excludes(v) for v in piece(X)) for piece in pieces):
        _left(s, box, s.rough, FINE)


def _left(s: Search, box: Box, where: list[Box], thin: float) -> None:
    """Cut the box, or put it with those that are not decided."""
    k = _widest(s, box)
    if box[k][1] - box[k][0] <= thin * s.widths[k]:
        where.append(box)
    else:
        s.waiting.extend(halves(box, k))


def _widest(s: Search, box: Box) -> int:
    shares = [(hi - lo) / w for (lo, hi), w in zip(box, s.widths)]
    return shares.index(max(shares))


def _smooth(s: Search, box: Box, X: Sequence[Any]) -> None:
    """A box on which f is analytic."""
    larger = inflated(box, MARGIN)
    wide = held(larger)
    step = operator(s.f.system, s.f.size, wide) if analytic(s.f, wide) else None
    if step is None:
        step, larger = operator(s.f.system, s.f.size, X), box
    if step is None:
        _left(s, box, s.thin, THIN)
        return
    around, g, K = step
    if any(excludes(v) for v in g):
        return
    if K is None:
        _left(s, box, s.thin, THIN)
        return
    if all(x.contains_interior(k) for x, k in zip(around, K)) and _settle(s, larger, K):
        return
    rest = meet(box, tuple(ends(k) for k in K)) if all(k.is_finite() for k in K) else box
    if rest is not None:
        _narrowed(s, box, rest)


def operator(system: Balls, n: int, X: Sequence[Any]) -> Any:
    """X, the mean value form of the gradient on it, and Krawczyk's balls (None: the Hessian is singular).

    None where the gradient or the Hessian has no bound on X.
    """
    values = system.begin(X)
    system.run(values, 0)
    entries = system.run(values, 1)
    c = [x.mid() for x in X]
    at = system(c)[:n]
    if not all(v.is_finite() for v in (*entries, *at)):
        return None
    J = square(entries, n)
    offsets = [x - m for x, m in zip(X, c)]
    Y = inverse(J)
    return X, mean_value(at, J, offsets), None if Y is None else krawczyk(at, J, c, offsets, Y)


def _narrowed(s: Search, box: Box, rest: Box) -> None:
    shares = [(q[1] - q[0]) / (p[1] - p[0]) if p[1] > p[0] else 1.0 for p, q in zip(box, rest)]
    if min(shares) < SHRUNK and max((hi - lo) / w for (lo, hi), w in zip(rest, s.widths)) > THIN:
        s.waiting.appendleft(rest)
    else:
        _left(s, rest, s.thin, THIN)


def _settle(s: Search, alone: Box, K: Sequence[Any]) -> bool:
    """A new root, unless it is in the box of one that is known; False if it can't be pinned down from this box."""
    at = refined(s.f.system, K)
    if not pinned(at, alone):
        return False
    if not any(within(tuple(ends(v) for v in at), root.alone) for root in s.roots):
        s.roots.append(Root(tuple(at), alone))
    return True


def pinned(at: Sequence[Any], box: Box) -> bool:
    """Are the balls of a zero far smaller than the box in which it was proven to be alone?"""
    return all(float(v.rad()) <= PINNED * (hi - lo) for v, (lo, hi) in zip(at, box))


def refined(system: Balls, K: Sequence[Any], bits: int = PROOF) -> list[Any]:
    """The same zero in balls as small as the precision allows: the operator contracts where it proved a zero.

    First with the precision of the search: a row may be tighter on wide balls with few bits than with many (ψ is).
    """
    return _contracted(system, _contracted(system, K, SEARCH), bits)


def _contracted(system: Balls, K: Sequence[Any], bits: int) -> list[Any]:
    with precision(bits):
        X = list(K)
        for _ in range(CONTRACTIONS):
            step = operator(system, len(X), X)
            if step is None or step[2] is None:
                break
            new = [x.intersection(k) for x, k in zip(X, step[2])]
            still = all(float(b.rad()) >= 0.95 * float(a.rad()) for a, b in zip(X, new))
            X = new
            if still:
                break
    return X


def proven_near(f: Field, point: Sequence[float], bits: int = PROOF) -> Root | None:
    """A zero that is proven to exist, and to be alone in a box, near a point."""
    with precision(bits):
        for width in (1e-9, 1e-12, 1e-6, 1e-4):
            box = tuple((v - width * max(1.0, abs(v)), v + width * max(1.0, abs(v))) for v in point)
            X = held(box)
            step = operator(f.system, f.size, X) if analytic(f, X) else None
            if step is None or step[2] is None:
                continue
            if all(x.contains_interior(k) for x, k in zip(X, step[2])):
                at = refined(f.system, step[2], bits)
                if pinned(at, box):
                    return Root(tuple(at), box)
    return None


__all__ = ["Root", "Search", "operator", "pinned", "proven_near", "refined", "search", "zoom"]
