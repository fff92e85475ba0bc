"""A zero of the gradient as a critical point: is it in the region, and of what kind is it?

A zero that its balls do not tell from the region's edge is looked for among the simple numbers (`degeneracy`), where
an identity decides. The kind is that of the eigenvalues of the Hessian, if no ball of them holds 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tangently.descent import degeneracy
from tangently.descent.critical import CriticalPoint
from tangently.descent.fields import Field, square
from tangently.descent.intervals import balls, ends, excludes, rounded, spectrum
from tangently.descent.regions import Reading
from tangently.descent.subdividing import Root
from tangently.expr import Expr

EDGE = {
    "inside": "",
    "edge": "on the edge of the region",
    "unknown": "at the edge of the region: inside or outside is not told",
}


def placed_in(f: Field, at: Sequence[Any], edges: Sequence[Any]) -> tuple[str, Any]:
    """Where a root lies (inside, outside, edge, unknown), and the exact point where that was needed."""
    ways = [(bool(v > lo.ball and v < hi.ball), bool(v < lo.ball or v > hi.ball)) for v, (lo, hi) in zip(at, edges)]
    if all(inside for inside, _ in ways):
        return "inside", None
    if any(outside for _, outside in ways):
        return "outside", None
    exact = degeneracy.exact_point(f, tuple(ends(v) for v in at))
    return ("unknown", None) if exact is None else (where_of(exact, edges), exact)


def where_of(exact: Sequence[Expr], edges: Sequence[Any]) -> str:
    """Where an exact point lies: inside, outside, edge or unknown."""
    ways = [_beside(e, p, side) for e, ends_ in zip(exact, edges) for p, side in zip(ends_, (1, -1))]
    return next((w for w in ("outside", "unknown", "edge") if w in ways), "inside")


def _beside(e: Expr, p: Any, side: int) -> str:
    """On which side of an end of the region a number is."""
    from tangently.smoothness.points import number, vanishes

    apart = (number(e) - p.ball) * side
    if excludes(apart):
        return "inside" if apart > 0 else "outside"
    return "edge" if p.exact is not None and vanishes(e - p.exact) == (True, True) else "unknown"


def classified(reading: Reading, f: Field, root: Root, exact: Any, note: str) -> CriticalPoint:
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
    return point_at(reading, root.at, value, kind, proven, eigenvalues, detail, note)


def _value(f: Field, h: Expr, at: Sequence[Any]) -> list[Any]:
    return balls(f.xs, [[h]])(at)


def by_inertia(entries: Sequence[Any], n: int) -> tuple[str, bool, tuple[float, ...]]:
    """The kind by the signs of the eigenvalues, whether they are certain, and the eigenvalues."""
    found = spectrum(square(entries, n))
    if found is None:
        return "degenerate", False, ()
    eigenvalues = tuple(rounded(v) for v in found)
    if not all(excludes(v) for v in found):
        return "degenerate", False, eigenvalues
    positive = sum(bool(v > 0) for v in found)
    return "minimum" if positive == n else "saddle" if positive else "maximum", True, eigenvalues


def point_at(
    reading: Reading, at: Sequence[Any], value: Any, kind: str, proven: bool, eigenvalues: tuple[float, ...],
    detail: str, note: str,
) -> CriticalPoint:  # fmt: skip
    coordinates = tuple(rounded(v) for v in at)
    return CriticalPoint(
        reading.pack(coordinates), rounded(value), kind, proven, tuple(ends(v) for v in at), eigenvalues,
        detail, reading.names, coordinates, ends(value), note,
    )  # fmt: skip


__all__ = ["EDGE", "by_inertia", "classified", "placed_in", "point_at", "where_of"]
