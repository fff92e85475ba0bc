"""The critical points of a function of one number: piece by piece, in closed form or isolated by balls.

The interval is cut where f may break (`smoothness.cells`); on each piece f is an analytic formula, and the zeros of
its derivative are solved or isolated (`smoothness.isolating`). The kind is told by f″, at a cut or where that is 0 by
the signs of f′ on both sides, and at an end of the interval by the first derivative that is not 0. Where f has no
derivative (`smoothness.differing`) there is no critical point, whatever the formulas of the pieces do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from tangently.descent.critical import CriticalPoint, CriticalPoints, Roughness, short
from tangently.descent.degeneracy import NEITHER, ORDERS
from tangently.descent.fields import numerator, reduced
from tangently.descent.intervals import ends, excludes, rounded
from tangently.descent.regions import Reading
from tangently.descent.starting import by_starts
from tangently.enclosure import MissingEnclosure, ball, precision
from tangently.expr import Expr, const


def on_line(reading: Reading, f: Any, region: Any) -> CriticalPoints:
    from tangently.smoothness.points import BITS, NoBalls
    from tangently.smoothness.reading import interval, subject_of

    lo, hi = interval(next(iter(region.values())) if isinstance(region, dict) else _pair(region))
    with precision(BITS):
        try:
            return _pieces(reading, subject_of(f, lo, hi), lo, hi)
        except (NoBalls, MissingEnclosure) as error:
            return replace(by_starts(reading), notes=(str(error),))


def _pair(region: Any) -> Any:
    """((lo, hi),) as (lo, hi)."""
    return tuple(region[0]) if len(region) == 1 else tuple(region)


def _pieces(reading: Reading, subject: Any, lo: Any, hi: Any) -> CriticalPoints:
    from tangently.smoothness.cells import decompose
    from tangently.smoothness.differing import on_interval
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
        z = _flat_places(_derivative(formula, x), x, piece)
        complete &= z.proven and not z.wild
        notes += [z.note] if z.note else []
        notes += ["infinitely many critical points may crowd at an end of the region"] if any(z.wild) else []
        sets += [f"f is constant for {piece.lo.at:.10g} ≤ {x.name} ≤ {piece.hi.at:.10g}"] if z.everywhere else []
        sure = z.proven or (bool(z.points) and _is_sure_in_window(_derivative(formula, x), x, piece))
        found += [(p, formula, sure) for p in z.points]
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
        rough=tuple(Roughness(f"{x.name} = {short(r.at)}", r.kind, ((r.at, r.at),), r.how == "exact") for r in rough),
        examined=len(cells.pieces), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _flat_places(slope: Expr, x: Expr, piece: Any) -> Any:
    """The zeros of a slope; where that is settled, those of its numerator without the factors that are never 0."""
    from tangently.simplification import simplify
    from tangently.smoothness.isolating import zeros
    from tangently.smoothness.points import Program, same

    rest, _ = reduced([slope], [x], ((piece.lo.at, piece.hi.at),))
    cleared = simplify(numerator(rest[0] if rest else slope))
    if cleared is not slope:
        z, run = zeros(cleared, x, piece.lo, piece.hi), Program(slope, x)
        points = [(p, run(p.ball).is_finite(), any(same(p, q) for q in (piece.lo, piece.hi))) for p in z.points]
        if z.proven and not z.wild and not z.everywhere and all(defined or at_end for _, defined, at_end in points):
            return replace(z, points=tuple(p for p, defined, _ in points if defined))
    return zeros(slope, x, piece.lo, piece.hi)


def _is_sure_in_window(slope: Expr, x: Expr, piece: Any) -> bool:
    """Of a piece without end a part is searched: are the zeros of that part proven?"""
    from tangently.smoothness.isolating import window

    lo, hi, note = window(piece.lo, piece.hi)
    return bool(note) and _flat_places(slope, x, replace(piece, lo=lo, hi=hi)).proven


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
    if excludes(curvature) and not any(same(p, q) for q in cells.cuts[1:-1]):
        kind = "minimum" if curvature > 0 else "maximum"
    else:
        told = _by_slopes(x, p, cells, marks) or _by_orders(x, p, slope)
        kind, detail, certain = told or ("degenerate", "what decides was not found", False)
    value = Program(formula, x)(p.ball)
    edge = any(same(p, q) for q in region)
    return CriticalPoint(
        reading.pack([p.at]), rounded(value), kind, proven and certain, (ends(p.ball),),
        (rounded(curvature),) if curvature.is_finite() else (), detail, reading.names, (p.at,), ends(value),
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
        return "degenerate", f"inflection: f {'rises' if signs[0] > 0 else 'falls'} on both sides, {NEITHER}", True
    word = "minimum" if signs[0] < 0 else "maximum"
    return word, "degenerate: f″ is 0, or there is none, and f′ changes its sign", cells.proven


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
    for order in range(2, ORDERS + 1):
        y = _derivative(y, x)
        value = at(y, x, p)
        if value is None:
            return None
        zero, proven = vanishes(value)
        if not zero and not excludes(number(value)):
            return None
        if not zero:
            if order % 2:
                return "degenerate", f"inflection: the derivative of order {order} is the first that is not 0", proven
            word = "minimum" if number(value) > 0 else "maximum"
            return word, f"degenerate: the derivative of order {order} is the first that is not 0", proven
    return None


__all__ = ["on_line"]
