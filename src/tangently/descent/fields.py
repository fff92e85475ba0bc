"""A function of several numbers as critical points need it: gradient, Hessian, breaks, and factors in common.

**Factors.** Where all partial derivatives share a factor h, as those of g(u) share g′(u), every zero of h is a
critical point, and a zero of h is no single point where h changes its sign: by the intermediate value theorem every
path between the two signs meets one, so that in two dimensions and more they are a continuum. The factor is taken
out, h = 0 is told as a set, and the rest is a system with isolated zeros: (x² + y² - 1)² has the circle and, proven,
the maximum (0, 0). A factor without zeros (e^u) is taken out as well, and so are denominators: the zeros stay, the
balls get tighter. Polynomials that are written out are divided by their greatest common divisor (`polynomials`).

**Breaks.** A row that breaks (|u|, max, √u, 1/u) names the expressions whose zeros are the places (`Primitive.breaks`).
On a box where some of them may be 0, the pieces of f for the signs that they can have are analytic formulas on the
whole box. At a point where f is differentiable its gradient is that of one of the pieces (S. Scholtes, Introduction to
Piecewise Differentiable Equations, 2012, 4.1), so a box on which no piece has a zero gradient has no critical point.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tangently.descent.intervals import Balls, Box, balls, excludes, held
from tangently.descent.polynomials import shared
from tangently.differentiation import expand, pullback, tangent
from tangently.expr import CONST, TABLE, Expr, const, depends, inputs_of, is_number, toposort
from tangently.simplification import simplify_all

SIDES = 4  # breaks that are told apart on one box
LONGER = 1.3  # by how much numerators may be longer than fractions
LARGE = 3000  # nodes of a graph in which no factor is looked for


@dataclass(frozen=True)
class Break:
    """Where u is 0 (or whole), the function may have no derivative; the row, and the manner of the break."""

    node: Expr
    which: str
    u: Expr
    manner: str


@dataclass(frozen=True)
class Field:
    """f of the numbers xs, its gradient, what is left of it without common factors, and programs on balls.

    `system` gives the reduced gradient with the breaks, and then its Jacobian; `whole` f, its gradient, its Hessian.
    The reduced gradient is without common factors and, where that keeps it short, without denominators.
    """

    f: Expr
    xs: tuple[Expr, ...]
    gradient: tuple[Expr, ...]
    hessian: tuple[tuple[Expr, ...], ...]
    system: Balls
    whole: Balls
    breaks: tuple[Break, ...]
    sets: tuple[Expr, ...] = ()  # each h with h = 0 for a continuum of critical points
    cleared: Balls | None = None  # the gradient's numerators and their Jacobian, where it has denominators
    pieces: dict[Any, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.xs)


def field_of(f: Expr, xs: Sequence[Expr], box: Box) -> Field:
    """The field on a box. Raises MissingEnclosure where a row can't be enclosed."""
    [f] = expand([f])
    raw = pullback([f], [const(1)], xs)
    gradient = simplify_all(raw)
    hessian = simplify_all([h for g in gradient for h in tangents_of(g, xs)])
    rows = _rows(hessian, len(xs))
    rest, sets = reduced(raw, xs, box)
    rest = _without_denominators(list(gradient) if rest is None else simplify_all(rest))
    jacobian = hessian if rest == list(gradient) else simplify_all([h for g in rest for h in tangents_of(g, xs)])
    breaks = breaks_of(f)
    system = balls(xs, [[*rest, *[b.u for b in breaks]], jacobian])
    return Field(
        f, tuple(xs), tuple(gradient), rows, system, balls(xs, [[f], gradient, hessian]), breaks, tuple(sets),
        _cleared(gradient, xs, breaks),
    )  # fmt: skip


def _without_denominators(rest: list[Expr]) -> list[Expr]:
    """The numerators, which have the same zeros where no row breaks; as they are where that makes them long."""
    size = len(toposort(rest))
    if size > LARGE:
        return rest
    cleared = [numerator(g) for g in rest]
    if len(toposort(cleared)) > 2 * size:
        return rest
    cleared = simplify_all(cleared)
    return cleared if len(toposort(cleared)) <= LONGER * size else rest


def _cleared(gradient: Sequence[Expr], xs: Sequence[Expr], breaks: Sequence[Break]) -> Balls | None:
    if not any(b.manner in ("pole", "edge") for b in breaks) or len(toposort(gradient)) > LARGE:
        return None
    cleared = simplify_all([numerator(g) for g in gradient])
    return balls(xs, [cleared, simplify_all([h for g in cleared for h in tangents_of(g, xs)])])


def tangents_of(g: Expr, xs: Sequence[Expr]) -> list[Expr]:
    """All partial derivatives of g."""
    return [tangent([g], {x: const(1)})[0] for x in xs]


def _rows(entries: Sequence[Any], n: int) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(entries[i * n : (i + 1) * n]) for i in range(n))


def square(entries: Sequence[Any], n: int) -> tuple[tuple[Any, ...], ...]:
    """A matrix of n columns, row after row."""
    return _rows(entries, n)


# ---------------------------------------------------------------- breaks


def breaks_of(f: Expr) -> tuple[Break, ...]:
    """Every break of every row, but those that no input moves."""
    order = toposort([f])
    moving = depends(order, inputs_of([f]))
    found = [
        Break(node, *b)
        for node in order
        if node.args and node.op.breaks is not None
        for b in node.op.breaks(*node.args)
    ]
    return tuple(b for b in found if (b.u in moving or inputs_of([b.u])) and not _never(b))


def _never(b: Break) -> bool:
    """Is its expression above 0 by its form?"""
    return b.which == "zero" and least_sign(b.u) == 1


def marks_of(f: Field, values: Sequence[Any]) -> tuple[int | None, ...]:
    """For each break the sign of u on the box: 1 or -1, 0 where it is not told; None where it can't be split."""
    return tuple(_mark(b, v) for b, v in zip(f.breaks, values))


def analytic(f: Field, X: Sequence[Any]) -> bool:
    """Is it proven that no row breaks on the box?"""
    return not f.breaks or all(m in (1, -1) for m in marks_of(f, f.system(X)[f.size :]))


def _mark(b: Break, v: Any) -> int | None:
    if b.which != "zero":
        clear = v.is_finite() and (not v.contains_integer() or (b.which == "pole" and v > 0))
        return 1 if clear else None
    if excludes(v):
        return 1 if v > 0 else -1
    return 0 if b.manner in ("kink", "jump") else None


def pieces_of(f: Field, marks: tuple[int | None, ...]) -> list[Balls] | None:
    """Programs for the gradients of the formulas that f can be on a box with these marks; None where not split."""
    if None in marks or any(b.which != "zero" for b in f.breaks) or len(set(_open(f, marks))) > SIDES:
        return None
    if marks not in f.pieces:
        f.pieces[marks] = [balls(f.xs, [simplify_all(pullback([p], [const(1)], f.xs))]) for p in _settled(f, marks)]
    return f.pieces[marks]


def _open(f: Field, marks: Sequence[int | None]) -> list[Expr]:
    return [b.u for b, m in zip(f.breaks, marks) if m == 0]


def _settled(f: Field, marks: Sequence[int | None]) -> list[Expr]:
    """The formulas of f for all signs of the open breaks; equal expressions have one sign.

    At a jump 0 is a third sign: u may be 0 on an open set, where `u == 0` is a formula of its own. At a kink the
    formulas of both sides agree there.
    """
    from tangently.expr import substitute
    from tangently.smoothness.cells import settled_form

    us = list(dict.fromkeys(_open(f, marks)))
    jumping = {b.u for b, m in zip(f.breaks, marks) if m == 0 and b.manner == "jump"}
    found = []
    for signs in itertools.product(*[(1, -1, 0) if u in jumping else (1, -1) for u in us]):
        chosen = dict(zip(us, signs))
        told: dict[Expr, list[Any]] = {}
        for b, m in zip(f.breaks, marks):
            told.setdefault(b.node, []).append(chosen[b.u] if m == 0 else m)
        done: dict[Expr, Expr] = {}
        for node in toposort([f.f]):
            args = [done[a] for a in node.args]
            done[node] = settled_form(node, args, told.get(node, ())) if node.args else node
        found.append(substitute([done[f.f]], {})[0])
    return list(dict.fromkeys(found))


def crossing(f: Field, u: Expr, box: Box) -> bool:
    """Does u change its sign in the box, proven at two sample points?"""
    run = balls(f.xs, [[u]])
    return crosses(run, box)


def crosses(run: Balls, box: Box) -> bool:
    """The same for a program of one expression."""
    signs = {1 if v > 0 else -1 for v in (run(p)[0] for p in samples(box)) if excludes(v)}
    return len(signs) == 2


def samples(box: Box, count: int = 257) -> list[list[Any]]:
    """Points of the box, exactly: its middle, its corners, and points that fill it evenly (a Kronecker sequence)."""
    from tangently.enclosure import ball

    n = len(box)
    root = 1.5
    for _ in range(60):
        root = (1 + root) ** (1 / (n + 1))
    shares = [[0.5] * n, *([list(c) for c in itertools.product((0.0, 1.0), repeat=n)] if n <= 4 else [])]
    shares += [[(0.5 + (k + 1) * root ** -(j + 1)) % 1.0 for j in range(n)] for k in range(count)]
    return [[ball(lo + (hi - lo) * s) for (lo, hi), s in zip(box, share)] for share in shares]


# ---------------------------------------------------------------- denominators


def numerator(y: Expr) -> Expr:
    """N of y = N/D over the least common denominator: y is 0 only where N is, and N has a value where D is 0.

    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> numerator(1 - 1 / x**2)
    sub(pow(x, 2), 1)
    """
    return _over_common(y)[0]


def fraction(y: Expr) -> tuple[Expr, Counter[Expr]]:
    """The numerator, and the denominator as powers of its factors, none of which the numerator shares.

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> fraction(1 - y / (x * y) ** 2)
    (sub(mul(pow(x, 2), y), 1), Counter({x: 2, y: 1}))
    """
    above, below = _over_common(y)
    powers, rest = factored(above)
    common = powers & below
    return (_product(powers - common, rest), below - common) if common else (above, below)


def _over_common(y: Expr) -> tuple[Expr, Counter[Expr]]:
    done: dict[Expr, tuple[Expr, Counter[Expr]]] = {}
    for node in toposort([y]):
        done[node] = _fraction(node, done)
    return done[y]


def _fraction(node: Expr, done: dict[Expr, Any]) -> tuple[Expr, Counter[Expr]]:
    name, args = node.op.name, node.args
    if name == "neg":
        return -done[args[0]][0], done[args[0]][1]
    if name in ("add", "sub"):
        (a, d), (b, e) = done[args[0]], done[args[1]]
        common = d | e
        return TABLE[name](_product(common - d, a), _product(common - e, b)), common
    if name == "mul":
        (a, d), (b, e) = done[args[0]], done[args[1]]
        return a * b, d + e
    if name == "div":
        return _over(done[args[0]], done[args[1]])
    if name == "tan":
        return TABLE["sin"](args[0]), Counter({TABLE["cos"](args[0]): 1})
    if name in ("pow", "square") and (power := 2 if name == "square" else _whole(args[1])):
        a, d = done[args[0]]
        raised = a if abs(power) == 1 else a ** abs(power), Counter({b: k * abs(power) for b, k in d.items()})
        return raised if power > 0 else _over((const(1), Counter()), (a, d), abs(power))
    return node, Counter()


def _whole(power: Expr) -> int:
    return int(power.value) if power.op is CONST and power.shape == () and power.value == int(power.value) else 0


def _over(above: Any, below: Any, power: int = 1) -> tuple[Expr, Counter[Expr]]:
    """A fraction divided by a power of another: what is below is taken apart into its factors."""
    (a, d), (b, e) = above, below
    powers, rest = factored(b)
    above = _product(Counter({base: k * power for base, k in e.items()}), a)
    if rest.op is not CONST:  # what is left of x² + 4x without its factor x
        return above, d + Counter({base: k * power for base, k in (powers + Counter([rest])).items()})
    under = Counter({base: k * power for base, k in powers.items()})
    return above / (rest if power == 1 else rest**power), d + under


# ---------------------------------------------------------------- factors


def reduced(gradient: Sequence[Expr], xs: Sequence[Expr], box: Box) -> tuple[list[Expr] | None, list[Expr]]:
    """The gradient without the factors that all entries share, and those factors that vanish on a continuum.

    A factor that is above 0 by its form, as eᵘ, goes also where only one entry has it.
    None where there is nothing to take out, or where it is not known what a factor's zeros are.
    """
    if len(toposort(gradient)) > LARGE:
        return None, []
    split = [factored(g) for g in gradient]
    common = split[0][0]
    for powers, _ in split[1:]:
        common = common & powers
    if not common and len(xs) > 1 and (written_out := shared(gradient, xs)):
        common, rests = written_out
        split = [(common, rest) for rest in rests]
    sets, out = [], Counter()
    for base, power in common.items():
        nature = _nature(base, xs, box)
        if nature:
            out[base] = power
            sets += [base] if nature == "crossed" else []
    kept = [Counter({b: k for b, k in (powers - out).items() if least_sign(b) != 1}) for powers, _ in split]
    if all(powers == left for (powers, _), left in zip(split, kept)):
        return None, []
    return [_product(left, rest) for left, (_, rest) in zip(kept, split)], sets


def _nature(h: Expr, xs: Sequence[Expr], box: Box) -> str:
    from tangently.enclosure import MissingEnclosure

    if least_sign(h) == 1:
        return "nonzero"
    try:
        run = balls(xs, [[h]])
    except MissingEnclosure:
        return ""
    if excludes(run(held(box))[0]):
        return "nonzero"
    return "crossed" if len(xs) > 1 and not breaks_of(h) and crosses(run, box) else ""


def factored(y: Expr) -> tuple[Counter[Expr], Expr]:
    """The factors of an expression with their powers, and what is left: y = Π baseᵏ · rest.

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> factored(x * x * y + x * y * y)
    (Counter({x: 1, y: 1}), add(x, y))
    """
    done: dict[Expr, tuple[Counter[Expr], Expr]] = {}
    for node in toposort([y]):
        done[node] = _factors(node, done)
    return done[y]


def _factors(node: Expr, done: dict[Expr, Any]) -> tuple[Counter[Expr], Expr]:
    name, args = node.op.name, node.args
    if node.op is CONST:
        return Counter(), node
    if name == "neg":
        powers, rest = done[args[0]]
        return powers, -rest
    if name == "mul":
        (a, r), (b, s) = done[args[0]], done[args[1]]
        return a + b, r * s
    if name == "div":
        powers, rest = done[args[0]]
        return powers, rest / args[1]
    if name == "square" or (name == "pow" and args[1].op is CONST and args[1].dtype == "n" and args[1].value > 0):
        k = 2 if name == "square" else int(args[1].value)
        powers, rest = done[args[0]]
        return Counter({b: k * p for b, p in powers.items()}), rest if is_number(rest, 1) else rest**k
    if name in ("add", "sub"):
        return _factors_of_sum(node, done)
    return Counter({node: 1}), const(1)


def _factors_of_sum(node: Expr, done: dict[Expr, Any]) -> tuple[Counter[Expr], Expr]:
    """What both terms share; a sum without that is a factor of its own."""
    (a, r), (b, s) = done[node.args[0]], done[node.args[1]]
    common = a & b
    if not common:
        return Counter({node: 1}), const(1)
    return common, TABLE[node.op.name](_product(a - common, r), _product(b - common, s))


POSITIVE = {"exp", "exp2", "cosh", "sigmoid", "softplus"}  # rows that are above 0 wherever they have a value
BELOW_ONE = {"tanh", "erf", "sigmoid"}  # rows between -1 and 1, these left out
GROWING = {"sqrt", "cbrt", "sinh", "tanh", "arctan", "arcsinh", "relu", "erf", "expm1", "log1p"}  # 0 at 0


def least_sign(y: Expr) -> int | None:
    """1: y > 0 wherever it has a value, by its form; 0: y ≥ 0; None: not known.

    A ball of x² + 1 on a large box, or of e^(-x²), may hold 0; the form tells that there is none.

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> least_sign(x**2 + y**2 + 1), least_sign(x**2 * 3), least_sign(x + 1)
    (1, 0, None)
    """
    done: dict[Expr, int | None] = {}
    for node in toposort([y]):
        done[node] = _sign_by_form(node, [done[a] for a in node.args])
    return done[y]


def _sign_by_form(node: Expr, signs: Sequence[int | None]) -> int | None:
    name, args = node.op.name, node.args
    if node.op is CONST:
        return None if node.shape or not node.value >= 0 else int(node.value > 0)
    if name in POSITIVE or (name == "pow" and signs[0] == 1):
        return 1
    even = name == "pow" and (power := _whole(args[1])) and not power % 2
    if even or name in ("square", "abs") or (name == "mul" and args[0] is args[1]):
        return signs[0] or 0
    if name in GROWING:
        return signs[0]
    if name == "sub" and is_number(args[0], 1) and _is_below_one(args[1]):
        return 1
    if None in signs:
        return None
    if name == "add":
        return max(signs)  # type: ignore[type-var]
    return min(signs) if name in ("mul", "div") else None  # type: ignore[type-var]


def _is_below_one(y: Expr) -> bool:
    """Is y a whole power of a row that stays below 1, as in 1 - tanh²?"""
    inner = y.args[0] if y.op.name == "square" or (y.op.name == "pow" and _whole(y.args[1]) > 0) else y
    return inner.op.name in BELOW_ONE


def _product(powers: Counter[Expr], rest: Expr) -> Expr:
    found = rest
    for base, k in powers.items():
        found = found * (base if k == 1 else base**k)
    return found


__all__ = [
    "Break", "Field", "analytic", "breaks_of", "crosses", "crossing", "factored", "field_of", "fraction", "marks_of",
    "numerator", "pieces_of", "reduced", "samples", "square", "tangents_of",
]  # fmt: skip
