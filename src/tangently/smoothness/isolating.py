"""Zeros of any expression on an interval, isolated by ball arithmetic; and the one entry for both ways, `zeros`.

A cell whose ball excludes 0 has no zero. On a cell where the ball of u' excludes 0, u is monotone: the signs at the
two ends tell whether there is one zero or none, and it is pinned down by bisection. Other cells are halved. (R. E.
Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis, 2009, chapter 8.)

A zero of higher order is looked for among the simplest numbers of a cell (a fraction, a multiple of π): where the
derivatives below order k vanish there exactly and that of order k excludes 0 on the cell, it is the only zero of the
cell. A cell in which no such number is found is halved until it is thin, and counts as a zero that is not proven. At
an end of the interval where u is singular, samples down to 2⁻⁴⁰⁰ look for changes of sign: with them the zeros crowd
there, without them none are assumed and nothing is called proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tangently.differentiation import tangent
from tangently.expr import TABLE, Expr, const, substitute, symbol
from tangently.simplification import simplify
from tangently.smoothness.algebra import Everywhere, NoForm, Scope, pi, solve
from tangently.smoothness.points import (
    Point,
    Program,
    at,
    end,
    point_of,
    rooted,
    same,
    tidy,
    vanishes,
    varies,
    written,
)  # fmt: skip
from tangently.smoothness.spans import Span, span

CELLS = 3000  # evaluations of one search
THIN = 40  # a cell of 2⁻⁴⁰ of the interval is not halved
ORDERS = 6
WINDOW = 32.0


@dataclass(frozen=True)
class Zeros:
    """Where an expression is 0 on an interval: points in order; at the ends in `wild` (-1, 1) infinitely many crowd.

    0 in `wild` means that nothing is known.
    """

    points: tuple[Point, ...] = ()
    everywhere: bool = False
    proven: bool = True
    wild: tuple[int, ...] = ()
    note: str = ""


def zeros(u: Expr, x: Expr, lo: Point, hi: Point) -> Zeros:
    """The zeros of u between two points, ends included.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> from tangently.smoothness.points import end
    >>> x = symbol("x")
    >>> [p.exact for p in zeros(x**2 - 2, x, end(0.0), end(2.0)).points]
    [sqrt(2)]
    """
    scope = Scope(x, lo, hi)
    try:
        if not varies(u):
            found, proven = vanishes(u)
            return Zeros(everywhere=found, proven=proven)
        return Zeros(distinct(_solved(u, scope)), wild=tuple(scope.wild))
    except Everywhere:
        return Zeros(everywhere=True)
    except NoForm:
        return _within_window(u, x, lo, hi)


def _solved(u: Expr, scope: Scope) -> list[Point]:
    """In closed form, as it is or simplified: x - x/x is x - 1 but at 0, where it has no value."""
    try:
        return solve(u, scope)
    except NoForm:
        simpler = simplify(u, cancel=True)
        if simpler is u:
            raise
        return solve(simpler, scope)


def _within_window(u: Expr, x: Expr, lo: Point, hi: Point) -> Zeros:
    """Without a closed form, balls; of an infinite interval only the part within ±WINDOW is searched."""
    if lo.finite and hi.finite:
        return _isolated(u, x, lo, hi)
    a, b, note = window(lo, hi)
    return replace(zeros(u, x, a, b), proven=False, wild=(), note=note)


def window(lo: Point, hi: Point) -> tuple[Point, Point, str]:
    """What is searched of an interval without end, and a sentence about it."""
    a = lo if lo.finite else end(min(-WINDOW, hi.at - WINDOW))
    b = hi if hi.finite else end(max(WINDOW, lo.at + WINDOW))
    whole = lo.finite and hi.finite
    return a, b, "" if whole else f"only the part from {a.at:g} to {b.at:g} was searched"


def distinct(points: Sequence[Point]) -> tuple[Point, ...]:
    """In order, each once; of two spellings of a point the exact one stays."""
    kept: list[Point] = []
    for p in sorted(points, key=lambda p: p.at):
        near = next((k for k in range(len(kept) - 1, -1, -1) if same(kept[k], p)), None)
        if near is None:
            kept.append(p)
        elif kept[near].exact is None:
            kept[near] = p
    return tuple(kept)


# ---------------------------------------------------------------- balls


@dataclass
class Search:
    """One isolation: the programs of u and its derivatives, and what was found so far."""

    u: Expr
    x: Expr
    lo: Point
    hi: Point
    derivatives: list[Expr]
    programs: list[Program]
    roots: list[Point]
    clusters: list[Any]
    left: int = CELLS

    def derivative(self, k: int) -> Program:
        while len(self.programs) <= k:
            self.derivatives.append(simplify(tangent([self.derivatives[-1]], {self.x: const(1)})[0]))
            self.programs.append(Program(self.derivatives[-1], self.x))
        return self.programs[k]


def _isolated(u: Expr, x: Expr, lo: Point, hi: Point) -> Zeros:
    """The same by balls."""
    s = Search(u, x, lo, hi, [u], [Program(u, x)], [], [])
    a, b = lo.ball.lower(), hi.ball.upper()
    _halve(s, a, b, (b - a) / 2**THIN)
    done = [_cluster(s, c) for c in _joined(s.clusters)]
    points = distinct([*s.roots, *[p for found in done for p in found.points]])
    proven = s.left > 0 and all(found.proven for found in done)
    return Zeros(points, proven=proven, wild=tuple(dict.fromkeys(w for found in done for w in found.wild)))


def _halve(s: Search, a: Any, b: Any, thin: Any) -> None:
    """Search [a, b]. The cut is a little off the middle, so that a zero at a round number is inside a cell."""
    stack = [(a, b)]
    while stack:
        a, b = stack.pop()
        s.left -= 1
        if _settled(s, a, b):
            continue
        if b - a < thin or s.left <= 0:
            s.clusters.append((a, b))
            continue
        cut = (a + (b - a) * 0.4871).mid()
        stack += [(cut, b), (a, cut)]


def _settled(s: Search, a: Any, b: Any) -> bool:
    """Is it known how many zeros the cell has?"""
    cell = a.union(b)
    held = s.programs[0](cell)
    if _excludes(held):
        return True
    if not held.is_finite():
        return False
    if not _excludes(s.derivative(1)(cell)):
        return s.left % 4 == 0 and _multiple(s, cell)
    low, high = s.programs[0](a), s.programs[0](b)
    if not (_excludes(low) and _excludes(high)):
        return False
    if (low > 0) != (high > 0):
        s.roots.append(_recognized(s, _pinned(s.programs[0], a, b, low > 0)))
    return True


def _multiple(s: Search, cell: Any) -> bool:
    """Is there one zero of higher order, at a simple number, and no other on the cell?"""
    order = next((k for k in range(2, ORDERS + 1) if _excludes(s.derivative(k)(cell))), None)
    if order is None:
        return False
    for p in _simple_points(s, cell):
        if not _excludes(s.programs[0](p.ball)) and all(_vanishes_at(s, k, p) == (True, True) for k in range(order)):
            s.roots.append(p)
            return True
    return False


def _simple_points(s: Search, cell: Any) -> list[Point]:
    """The simplest numbers of a cell: an end of the interval, a fraction, a multiple of π."""
    ends = [p for p in (s.lo, s.hi) if p.finite and p.exact is not None and cell.contains(p.ball)]
    low, high = (Fraction(float(e)) for e in (cell.lower(), cell.upper()))
    turns = [Fraction(float(e / type(cell).pi())) for e in (cell.lower(), cell.upper())]
    exact = [written(simplest(low, high)), tidy(TABLE["mul"](written(simplest(*turns)), pi()))]
    return [*ends, *map(point_of, exact)]


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of least denominator between two (M. A. Stern's and A. Brocot's tree, walked by whole parts).

    >>> simplest(Fraction(3, 10), Fraction(4, 10))
    Fraction(1, 3)
    """
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest(-high, -low)
    whole = low.numerator // low.denominator
    if whole == low:
        return Fraction(whole)
    if whole + 1 <= high:
        return Fraction(whole + 1)
    return whole + 1 / simplest(1 / (high - whole), 1 / (low - whole))


def _excludes(held: Any) -> bool:
    return held.is_finite() and bool(held > 0 or held < 0)


def _pinned(run: Program, a: Any, b: Any, falling: bool) -> Point:
    """The one zero between a and b of a monotone u, as tight as the signs can be told."""
    for _ in range(240):
        middle = ((a + b) / 2).mid()
        held = run(middle)
        if not _excludes(held):
            break
        if (held > 0) == falling:
            a = middle
        else:
            b = middle
    return rooted(a.union(b))


def _recognized(s: Search, p: Point) -> Point:
    """The simple number that a zero is, where it is one; proven by an identity."""
    for found in _simple_points(s, p.ball):
        if found.ball.overlaps(p.ball) and _vanishes_at(s, 0, found) == (True, True):
            return found
    return p


def _joined(cells: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for a, b in sorted(cells, key=lambda c: float(c[0].mid())):
        if found and not found[-1][1] < a:
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return found


def _cluster(s: Search, cell: Any) -> Zeros:
    """What a cell is that could not be settled: a multiple zero, or an end where u has no value."""
    held = cell[0].union(cell[1])
    for p, side in ((s.lo, -1), (s.hi, 1)):
        if p.finite and held.overlaps(p.ball):
            return _at_end(s, p, side, held)
    return Zeros((rooted(held),), proven=False)


def _at_end(s: Search, p: Point, side: int, held: Any) -> Zeros:
    """The zeros in the last cell beside an end of the interval, the end among them."""
    finite = s.programs[0](held).is_finite()
    order = next((k for k in range(1, ORDERS + 1) if _excludes(s.derivative(k)(held))), None) if finite else None
    if order is not None:
        proofs = [_vanishes_at(s, k, p) for k in range(order)]
        if all(found for found, _ in proofs):
            return Zeros((p,), proven=all(proof for _, proof in proofs))
        return Zeros((rooted(held),), proven=False)
    return _beside(s, p, side, held) or _sampled(s, p, side)


def _beside(s: Search, p: Point, side: int, held: Any) -> Zeros | None:
    """No zero in the last cell where the bounds of u exclude 0; the end alone where those of u' do and u is 0 there."""
    if p.exact is None:
        return None
    if _sign_beside(s, 0, p, side, held):
        return Zeros()
    if _sign_beside(s, 1, p, side, held) and _vanishes_at(s, 0, p) == (True, True):
        return Zeros((p,))
    return None


def _sign_beside(s: Search, k: int, p: Point, side: int, held: Any) -> int:
    """The sign that the derivative of order k keeps on the last cell, the end left out; 0 if none is proven."""
    s.derivative(k)
    t = symbol("t")
    [moved] = substitute([s.derivatives[k]], {s.x: TABLE["add"](p.exact, t)})
    width = abs((held - p.ball).abs_upper())
    zero = type(width)(0)
    found = span(simplify(moved, cancel=True), t, Span(zero, width, True) if side < 0 else Span(-width, zero, True))
    return 0 if found is None else found.sign


def _sampled(s: Search, p: Point, side: int) -> Zeros:
    """Do samples down to 2⁻⁴⁰⁰ change their sign? Proven is neither."""
    width = (s.hi.ball - s.lo.ball).mid()
    places = [p.ball - side * (width * (1 + k % 7 / 9) / 2**k) for k in range(30, 400, 7)]
    signs = [_sign(s.programs[0](place)) for place in places]
    changes = {sign for sign in signs if sign}
    return Zeros(wild=(side,) if len(changes) > 1 else (), proven=False)


def _vanishes_at(s: Search, k: int, p: Point) -> tuple[bool, bool]:
    exact = at(s.derivatives[k], s.x, p)
    if exact is None:
        return not _excludes(s.programs[k](p.ball)), False
    return vanishes(exact)


def _sign(held: Any) -> int:
    return (1 if held > 0 else -1) if _excludes(held) else 0


__all__ = ["Zeros", "distinct", "window", "zeros"]
