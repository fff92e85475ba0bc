"""An interval cut where a function may break, and the formula that it has on each piece between.

The nodes of the graph are taken in order, arguments first. Where a row has `breaks`, the zero sets of their
expressions are found on every piece (`isolating.zeros`) and the piece is cut there. Then the sign of each is constant
on a piece, one sample tells it, and the row is `settled`: |u| becomes u or -u, ⌊u⌋ a whole number, a condition true
or false. So each piece ends with a formula of analytic rows alone, which is the function there: a cylindrical
decomposition of the line (G. E. Collins, Quantifier elimination for real closed fields, LNCS 33, 1975). By induction
over the nodes the function is analytic on every open piece where it has a value; its discontinuities and kinks are
among the cuts.

At a point the same is done with the signs at the point itself (`settle_at`), which gives the value there, or that
there is none.

Glossary: piece an open interval between two cuts; done the settled form of each node on it; void the nodes that have
no value on it; mark the sign of a break's expression, or for "whole" k at k and k + ½ between.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tangently.enclosure import ball
from tangently.expr import CONST, Expr, build, const, substitute, toposort
from tangently.smoothness.algebra import MANY, NoForm, Scope, uncrowded
from tangently.smoothness.isolating import Zeros, distinct, window, zeros
from tangently.smoothness.points import (
    DEEP,
    NoBalls,
    Point,
    Program,
    at,
    before,
    extend,
    number,
    same,
    tidy,
    vanishes,
)  # fmt: skip

PIECES = 4000
SECONDS = 4.0
USED_UP = "the time was used up: the rest was not looked at"


@dataclass(frozen=True)
class Piece:
    """An open interval between two cuts, and what every node is on it."""

    lo: Point
    hi: Point
    done: dict[Expr, Expr] = field(default_factory=dict)
    void: frozenset[Expr] = frozenset()
    wild: bool = False  # nothing is settled here
    crowds: int = 0  # the end (-1 or 1) at which infinitely many breaks crowd

    @property
    def sample(self) -> Any:
        """A point inside, exactly."""
        if self.lo.finite and self.hi.finite:
            return _between(self.lo, self.hi)
        if self.lo.finite:
            return ball(float(math.floor(self.lo.at) + 2))
        return ball(float(math.ceil(self.hi.at) - 2)) if self.hi.finite else ball(0.25)

    @property
    def other_sample(self) -> Any:
        """A second point inside, off the round numbers."""
        if self.lo.finite and self.hi.finite:
            return (self.lo.ball * 0.618 + self.hi.ball * 0.382).mid()
        return self.sample + 0.30103


def _between(lo: Point, hi: Point) -> Any:
    """A point between two: a short float where one lies there."""
    middle = lo.at + (hi.at - lo.at) * 0.5
    held = ball(middle)
    return held if held > lo.ball and held < hi.ball else ((lo.ball + hi.ball) / 2).mid()


@dataclass(frozen=True)
class Cells:
    """The cuts in order, the pieces between them (one fewer), and whether the list of cuts is proven complete."""

    x: Expr
    output: Expr
    cuts: tuple[Point, ...]
    pieces: tuple[Piece, ...]
    proven: bool
    notes: tuple[str, ...] = ()

    def formula(self, k: int) -> Expr | None:
        """The function on piece k; None where it has no value there."""
        return _formula(self.pieces[k], self.output)


def _formula(piece: Piece, output: Expr) -> Expr | None:
    return None if output in piece.void else piece.done.get(output, output)


@dataclass
class Cutting:
    """The work in progress."""

    x: Expr
    pieces: list[Piece]
    until: float
    proven: bool = True
    notes: list[str] = field(default_factory=list)
    solved: dict[Any, Zeros] = field(default_factory=dict)


def decompose(output: Expr, x: Expr, cuts: Sequence[Point], seconds: float = SECONDS) -> Cells:
    """The pieces of the function between the first and the last of the cuts."""
    c = Cutting(x, [Piece(a, b) for a, b in itertools.pairwise(cuts)], time.monotonic() + seconds)
    for node in toposort([output]):
        if node.args:
            c.pieces = [settled for piece in c.pieces for settled in _through(c, node, piece)]
    pieces = tuple(_without_value(piece, output, x) for piece in c.pieces)
    return Cells(x, output, (*[p.lo for p in pieces], pieces[-1].hi), pieces, c.proven, tuple(dict.fromkeys(c.notes)))


def _through(c: Cutting, node: Expr, piece: Piece) -> list[Piece]:
    """The piece, cut where the node breaks, with the node settled on each part."""
    args = [piece.done.get(a, a) for a in node.args]
    if piece.wild or any(a in piece.void for a in node.args):
        return [_voided(piece, node, args)]
    if node.op.breaks is None:
        return [_with(piece, node, settled_form(node, args, ()))]
    breaks = node.op.breaks(*args)
    parts = [piece]
    for which, u, _ in breaks:
        parts = [part for whole in parts for part in _cut(c, whole, which, u)]
    return [part if part.wild else _marked(c, part, node, args, breaks) for part in parts]


def _with(piece: Piece, node: Expr, settled: Expr) -> Piece:
    if settled is not node:
        piece.done[node] = settled
    return piece


def _voided(piece: Piece, node: Expr, args: Sequence[Expr]) -> Piece:
    """The node of an operand without a value has none, unless a condition picks another one."""
    if piece.wild:
        return piece
    chosen = chosen_branch(node, args)
    if chosen is not None and node.args[chosen] not in piece.void:
        return _with(piece, node, args[chosen])
    return replace(piece, void=piece.void | {node})


def chosen_branch(node: Expr, args: Sequence[Expr]) -> int | None:
    """Which operand of a `where` is picked, once its condition is known."""
    if node.op.name != "where" or args[0].op is not CONST:
        return None
    return 1 if args[0].value else 2


def settled_form(node: Expr, args: Sequence[Expr], marks: Sequence[float]) -> Expr:
    """The row with settled operands; where it breaks, by its marks."""
    chosen = chosen_branch(node, args)
    if chosen is not None:
        return args[chosen]
    if node.op.settled is not None and (marks or node.op.breaks is None):
        found = node.op.settled(args, marks)
        if found is not None:
            return found
    return node if tuple(args) == node.args else build(node.op, args, node.params)


# ---------------------------------------------------------------- cutting


def _cut(c: Cutting, piece: Piece, which: str, u: Expr) -> list[Piece]:
    """The piece, cut at the points of a break's set."""
    if piece.wild:
        return [piece]
    if u.op is CONST:
        return [piece]
    if time.monotonic() > c.until:
        return _given_up(c, piece, USED_UP)
    found = _breaks(c, piece, which, u)
    c.proven &= found.proven
    c.notes += [found.note] if found.note else []
    limits = window(piece.lo, piece.hi)[:2] if found.note else ()
    inner = [p for p in distinct([*found.points, *limits]) if before(piece.lo, p) and before(p, piece.hi)]
    ends = [piece.lo, *inner, piece.hi]
    if len(c.pieces) + len(inner) > PIECES:
        return _given_up(
            c, piece, f"more than {PIECES} places where the function may break: the rest was not looked at"
        )
    parts = [
        replace(piece, lo=a, hi=b, done=dict(piece.done) if inner else piece.done) for a, b in itertools.pairwise(ends)
    ]
    for side, k in ((0, 0), (-1, 0), (1, -1)):
        if side in found.wild:
            parts[k] = replace(parts[k], wild=True, crowds=side)
    if found.note:  # what lies outside the part that was searched
        parts = [part if part.lo.finite and part.hi.finite else replace(part, wild=True) for part in parts]
    return parts


def _given_up(c: Cutting, piece: Piece, why: str) -> list[Piece]:
    c.notes.append(why)
    c.proven = False
    return [replace(piece, wild=True)]


def _breaks(c: Cutting, piece: Piece, which: str, u: Expr) -> Zeros:
    key = which, u, piece.lo, piece.hi
    if key not in c.solved:
        try:
            c.solved[key] = zeros(u, c.x, piece.lo, piece.hi) if which == "zero" else _wholes(c, piece, which, u)
        except NoBalls as error:
            c.notes.append(str(error))
            c.solved[key] = Zeros(proven=False)
    return c.solved[key]


def _wholes(c: Cutting, piece: Piece, which: str, u: Expr) -> Zeros:
    """Where u is a whole number (for "pole": 0, -1, -2, …)."""
    lo, hi, note = window(piece.lo, piece.hi)
    scope = Scope(c.x, lo, hi)
    try:
        reach = scope.range_of(u)
    except NoForm:
        return Zeros(proven=False, wild=(0,))
    first = int(float(reach.lower().floor().lower()))
    last = int(float(reach.upper().ceil().upper()))
    last = min(last, 0) if which == "pole" else last
    if last - first > MANY:
        c.notes.append(f"more than {MANY} values of a rounded or periodic part: the rest was not looked at")
        return Zeros(proven=False, wild=(0,))
    found: list[Zeros] = []
    for k in range(first, last + 1):
        if time.monotonic() > c.until:
            c.notes.append(USED_UP)
            return Zeros(proven=False, wild=(0,))
        found.append(zeros(u - k, c.x, lo, hi))
    points = distinct(uncrowded([p for each in found for p in each.points], scope))
    proven = not note and all(each.proven for each in found)
    return Zeros(points, proven=proven, wild=tuple(scope.wild), note=note)


def _marked(c: Cutting, piece: Piece, node: Expr, args: Sequence[Expr], breaks: Sequence[Any]) -> Piece:
    """The node on a piece where none of its breaks lies."""
    found = [_mark(c, piece, which, u) for which, u, _ in breaks]
    if any(m is None for m in found):
        c.proven = False
        c.notes.append(f"the sign of a part of {node.op.name} could not be told")
        return replace(piece, wild=True)
    marks: list[Any] = found
    if any(m == 0 and manner == "pole" for m, (_, _, manner) in zip(marks, breaks)):
        return replace(piece, void=piece.void | {node})
    form = settled_form(node, args, marks)
    ends = any(manner in ("pole", "edge") for _, _, manner in breaks)
    return _with(piece, node, form) if not ends or _has_values(c, piece, form) else replace(
        piece, void=piece.void | {node})  # fmt: skip


def _has_values(c: Cutting, piece: Piece, form: Expr) -> bool:
    """On a piece without breaks a row has a value everywhere or nowhere: √u and ln u of a negative u."""
    run = Program(form, c.x)
    return run(piece.sample).is_finite() or run(piece.other_sample).is_finite()


def _mark(c: Cutting, piece: Piece, which: str, u: Expr) -> float | None:
    """The sign of u on the whole piece; for wholes k + ½ between k and k + 1."""
    if c.solved.get((which, u, piece.lo, piece.hi), Zeros()).everywhere:
        return 0
    run = Program(u, c.x)
    for sample in (piece.sample, piece.other_sample):
        held = run(sample)
        if which == "zero":
            if held > 0 or held < 0:
                return 1 if held > 0 else -1
        elif held.is_finite() and not held.contains_integer():
            return math.floor(float(held.lower())) + 0.5
    held = run(piece.sample)
    if not held.is_finite():
        return 1 if which == "zero" else 0.5  # no value anywhere on the piece: any mark will do
    return 0 if which == "zero" and vanishes_on(u, c.x, piece) else _whole(held, which)


def vanishes_on(u: Expr, x: Expr, piece: Piece) -> bool:
    return zeros(u, x, piece.lo, piece.hi).everywhere


def _whole(held: Any, which: str) -> float | None:
    """A rounded part that is a constant whole number on the piece."""
    k = held.unique_fmpz()
    return None if which == "zero" or k is None else float(int(k))


def _without_value(piece: Piece, output: Expr, x: Expr) -> Piece:
    """Outside its domain a settled formula has no ball, even at a sample."""
    if piece.wild or output in piece.void:
        return piece
    formula = _formula(piece, output)
    assert formula is not None
    try:
        finite = Program(formula, x)(piece.sample).is_finite()
    except NoBalls:
        return piece
    return piece if finite else replace(piece, void=piece.void | {output})


# ---------------------------------------------------------------- at a point


@dataclass(frozen=True)
class AtPoint:
    """The settled form of an expression at a point: its exact value where there is one, a ball, and what was met."""

    form: Expr | None  # in x; None: no value
    ball: Any
    met: tuple[str, ...]  # the manners of the breaks that lie here: jump, pole, edge, kink
    proven: bool
    rows: tuple[str, ...] = ()  # the names of the rows that have no value here

    @property
    def analytic(self) -> bool:
        return self.form is not None and not self.met

    @property
    def regular(self) -> bool:
        """Continuous here, as far as the domain goes."""
        return self.form is not None and not set(self.met) & {"jump", "pole"}


@dataclass
class Settling:
    x: Expr
    point: Point
    known: dict[Expr, Any]
    done: dict[Expr, Expr] = field(default_factory=dict)
    void: dict[Expr, str] = field(default_factory=dict)
    met: dict[Expr, tuple[str, ...]] = field(default_factory=dict)
    proven: bool = True


def settle_at(output: Expr, x: Expr, p: Point) -> AtPoint:
    """What the expression is at the point, by the signs of its breaks there.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> from tangently.smoothness.points import end
    >>> x = symbol("x")
    >>> settle_at(TABLE["abs"](x) / x, x, end(0.0)).form is None, settle_at(TABLE["floor"](x), x, end(2.0)).form
    (True, 2)
    """
    s = Settling(x, p, {x: p.ball})
    for node in toposort([output]):
        if node.args:
            _at_node(s, node)
    form = s.done.get(output, output)
    if output in s.void:
        return AtPoint(None, None, _met(s, output), s.proven, (s.void[output],))
    extend([form], s.known)
    held = s.known[form]
    if not held.is_finite():
        return AtPoint(None, None, _met(s, output), s.proven, (_outermost(s, form),))
    return AtPoint(form, held, _met(s, output), s.proven)


def _met(s: Settling, output: Expr) -> tuple[str, ...]:
    """The breaks of the nodes that the output needs here: not those of a branch that is not taken."""
    needed = [m for n in _needed(s, output) for m in s.met.get(n, ())]
    return tuple(dict.fromkeys(needed))


def _needed(s: Settling, output: Expr) -> list[Expr]:
    seen, stack = {output}, [output]
    while stack:
        node = stack.pop()
        chosen = chosen_branch(node, [s.done.get(a, a) for a in node.args]) if node.args else None
        for k, a in enumerate(node.args):
            if a not in seen and (chosen is None or k in (0, chosen)):
                seen.add(a)
                stack.append(a)
    return list(seen)


def _outermost(s: Settling, form: Expr) -> str:
    bad = [n for n in toposort([form]) if n in s.known and not s.known[n].is_finite()]
    return bad[0].op.name if bad else form.op.name


def _at_node(s: Settling, node: Expr) -> None:
    args = [s.done.get(a, a) for a in node.args]
    chosen = chosen_branch(node, args)
    lost = [a for k, a in enumerate(node.args) if a in s.void and chosen in (None, k)]
    if lost:
        s.void[node] = s.void[lost[0]]
        return
    marks: list[float] = []
    met: list[str] = []
    for which, u, manner in node.op.breaks(*args) if node.op.breaks is not None and chosen is None else ():
        mark = _mark_at(s, which, u)
        hit = mark == 0 if which == "zero" else mark == int(mark) and (which == "whole" or mark <= 0)
        met += [manner] if hit else []
        marks.append(mark)
        if hit and u in args and which == "zero":
            s.done[node.args[args.index(u)]] = const(0)
    if met:
        s.met[node] = tuple(met)
        _make_exact(s, node, manners=met)
        args = [s.done.get(a, a) for a in node.args]
    if "pole" in met:
        s.void[node] = node.op.name
        return
    settled = settled_form(node, args, marks)
    if settled is not node:
        s.done[node] = settled


def _make_exact(s: Settling, node: Expr, manners: Sequence[str]) -> None:
    """At the edge of a domain a ball would reach beyond it: arcsin(sin x) at π/2 needs sin x = 1 exactly."""
    if "edge" not in manners or s.point.exact is None:
        return
    for a in node.args:
        form = s.done.get(a, a)
        if form.op is not CONST and a not in s.void:
            value = tidy(substitute([form], {s.x: s.point.exact})[0])
            if value.op is CONST:
                s.done[a] = value


def _mark_at(s: Settling, which: str, u: Expr) -> float:
    """The sign of u at the point; for wholes k at k, and k + ½ between."""
    try:
        extend([u], s.known)
    except NoBalls:
        return 1
    held = s.known[u]
    if which == "zero":
        if not held.is_finite():
            return 1  # no value here: whatever the mark, the node has none
        return (1 if held > 0 else -1) if held > 0 or held < 0 else _sign_at(s, u)
    if not held.is_finite():
        return 0.5
    k = held.unique_fmpz() if held.contains_integer() else None
    if k is not None and _sign_at(s, u - int(k)) == 0:
        return float(int(k))
    return math.floor(float(held.mid())) + 0.5


def _sign_at(s: Settling, u: Expr) -> int:
    """The sign of u at a point where its ball holds 0."""
    held = s.known.get(u)
    if held is not None and held == 0:
        return 0
    exact = at(u, s.x, s.point)
    if exact is None:
        return 0  # the point is where something vanishes, and this ball can't tell it from that
    found, proven = vanishes(exact)
    s.proven &= proven
    if found:
        return 0
    return 1 if number(exact, DEEP) > 0 else -1


def nearest(cells: Cells, p: Point) -> int:
    """The number of the cut at a point."""
    return next(k for k, cut in enumerate(cells.cuts) if same(cut, p))


__all__ = ["AtPoint", "Cells", "Piece", "chosen_branch", "decompose", "nearest", "settle_at", "settled_form"]
