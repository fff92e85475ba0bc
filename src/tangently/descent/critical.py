"""What `critical_points` answers: points, places without a derivative, and the table of them.

`CriticalPoints` says whether it is complete, and what keeps it from being so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from tangently.descent.intervals import Box

ROWS = 40  # of a printed table


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
        where = ", ".join(f"{n} = {short(v)}" for n, v in zip(self.names, self.coordinates))
        return f"{self.kind} at {where}"

    def __str__(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.label}, value {short(self.value)}{more}   [{'proven' if self.proven else 'not proven'}]"

    __repr__ = __str__


@dataclass(frozen=True)
class Roughness:
    """A place where f has no derivative, or may have none: in words, how, and a box that holds it or a part of it.

    `.at`: the coordinates of a single place.
    """

    where: str
    manner: str
    box: Box | None = None
    proven: bool = True
    at: tuple[float, ...] = ()

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
    sampled: bool = False  # found from many starts, not by subdivision

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


# ---------------------------------------------------------------- telling


def short(v: float) -> str:
    return f"{v + 0.0:.10g}"


def within_words(names: Sequence[str], box: Box) -> str:
    """A box as inequalities by name, so that it is seen which pair of numbers belongs to which name.

    >>> within_words(("x", "y"), ((0.0, 1.0), (-2.0, float("inf"))))
    '0 ≤ x ≤ 1, -2 ≤ y < ∞'
    """
    return ", ".join(_between(n, lo, hi) for n, (lo, hi) in zip(names, box))


def _between(name: str, lo: float, hi: float) -> str:
    if math.isinf(lo) and math.isinf(hi):
        return f"-∞ < {name} < ∞"
    left = "-∞ <" if math.isinf(lo) else f"{short(lo)} ≤"
    return f"{left} {name} {'< ∞' if math.isinf(hi) else f'≤ {short(hi)}'}"


def _headline(c: CriticalPoints) -> str:
    n = len(c.points)
    adjective = "isolated " * bool(c.sets and not n)
    count = f"{n or 'no'} {adjective}critical point{'s' * (n != 1)} in {within_words(c.names, c.region)}"
    said = "proven: there is no other" if c.complete else "not proven to be all"
    if c.complete and not n:
        said = "proven"
    if c.complete and c.sets:
        said = "proven: there is no other, but for those below"
    return f"{count}; {said}{_effort(c)}"


def _effort(c: CriticalPoints) -> str:
    if len(c.region) == 1 and not c.sampled:
        return ""  # solved or isolated piece by piece
    word, ending = ("start", "s") if c.sampled else ("box", "es")
    return f" ({c.examined} {word + ending * (c.examined != 1)})"


def _table(c: CriticalPoints) -> Iterator[str]:
    if not c.points:
        return
    rows = [("kind", *c.names, "value", "eigenvalues", "proven")]
    for p in c.points[:ROWS]:
        values = " ".join(f"{v:.4g}" for v in p.eigenvalues)
        rows.append((p.kind, *map(short, p.coordinates), short(p.value), values, "yes" if p.proven else "no"))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row, p in zip(rows, [None, *c.points]):
        more = "" if p is None else "; ".join(t for t in (p.detail, p.note) if t)
        yield "  " + "  ".join(t.ljust(w) for t, w in zip(row, widths)).rstrip() + (f"   {more}" if more else "")
    if len(c.points) > ROWS:
        yield f"  … and {len(c.points) - ROWS} more"


def _remarks(c: CriticalPoints) -> Iterator[str]:
    yield from (f"  critical everywhere: {t}" for t in c.sets)
    yield from (f"  no derivative: {r}" for r in c.rough[:12])
    if c.undecided and not c.sampled:
        yield f"  not decided: {len(c.undecided)} box{'es' * (len(c.undecided) != 1)}"
    yield from (f"  {t}" for t in c.notes)


__all__ = ["CriticalPoint", "CriticalPoints", "Roughness", "short", "within_words"]
