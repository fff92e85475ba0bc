"""Places where a function of several numbers has no derivative, as far as it is told.

A set u = 0 of a row's breaks crosses the region if u changes its sign in it. Whether f has no derivative there is
told at one point of the set: the gradients of the pieces that meet there differ, or not. A single place (the kink of
a norm) is asked about by `smoothness.differing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.descent.critical import CriticalPoint, Roughness, short
from tangently.descent.fields import Field, crossing, marks_of, pieces_of, samples
from tangently.descent.intervals import Box, balls, ends, excludes, held, inflated
from tangently.descent.regions import Reading
from tangently.errors import TangentlyError
from tangently.expr import Expr
from tangently.printing import to_text


def along_breaks(f: Field, box: Box) -> list[Roughness]:
    """Every set of breaks that crosses the box."""
    distinct = {(b.u, b.manner): b for b in f.breaks if b.which == "zero"}
    return [r for r in (_along_break(f, b, box) for b in distinct.values()) if r is not None]


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


def at_cluster(reading: Reading, hull: Box) -> Roughness | CriticalPoint | None:
    """What is at a kink whose pieces may have a gradient 0, or where none was bounded: at the box's simplest point."""
    from fractions import Fraction

    from tangently.smoothness.differing import differentiability
    from tangently.smoothness.isolating import simplest

    point = [float(simplest(Fraction(lo), Fraction(hi))) for lo, hi in hull]
    where = ", ".join(f"{n} = {short(v)}" for n, v in zip(reading.names, point))
    packed = reading.pack(point)
    try:
        told = differentiability(reading.given, at=packed if isinstance(packed, tuple) else (packed,))
    except TangentlyError:
        return Roughness(f"near {where}", "no bound of the gradient, or no value", hull, False)
    if told.kind != "smooth":
        return Roughness(where, told.kind, hull, at=tuple(point))
    if any(np.any(np.asarray(g, float)) for g in _leaves(told.derivative)):
        return None
    return CriticalPoint(
        packed, float(told.value), "degenerate", False, hull, (), "f is differentiable here, but its pieces meet",
        reading.names, tuple(point), note="that it is alone in its box is not proven",
    )  # fmt: skip


def _leaves(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


__all__ = ["along_breaks", "at_cluster"]
