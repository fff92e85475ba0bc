"""Limits of two variables decided by blowing up the point: the polar substitution, made algebraic and repeated.

A *chart* is a map (t, u) ↦ (s₁, s₂) with 0 < t → 0 and 0 ≤ u ≤ 1, polynomial in t and u; the first eight charts are
s = (±t, ±t·u) and s = (±t·u, ±t): every direction is in one of them. In a chart f becomes a fraction

    f = tᵏ·uʲ·N(t, u)/D(t, u)        (common factors removed; N and D are not 0 identically at t = 0),

and where D(0, u) has no zero, f behaves like tᵏ·c(u), uniformly for u in a compact set: [0, 1] is compact, and that is
all of the proof. k > 0: the limit is 0. k = 0: it is c(u), so there is a limit only if c is constant, and otherwise two
values of u are two paths that disprove it. k < 0: ±∞ where c keeps its sign.

At a zero u₀ of D(0, u) the interval is cut, and the point (0, u₀) is blown up in its turn, with the weights of an
edge of Newton's polygon: t = τᵃ, u = u₀ ± τᵇv, and t = τᵃv, u = u₀ ± τᵇ. For fractions of polynomials this ends, since
in two variables blowing up removes every point of indeterminacy (R. J. Walker, Algebraic Curves, 1950; I. R.
Shafarevich, Basic Algebraic Geometry, II.4); a depth and a budget bound it otherwise. In more variables u is a box, and
only the first step is made.

Functions that are not polynomials enter as *units*: φ(w) with w → w₀ is its Taylor polynomial in w - w₀ plus
(w - w₀)ⁿ·σ, where σ is an unknown with a known limit, the next coefficient. √(t²q(u)) is t·ρ with ρ² = q(u). So
sin(xy)/(xy) is w·σ/w = σ, σ → 1. |·|, max, sign, conditions are settled by the sign of their operand, which is constant
between its zeros.

Glossary: t, u as above; p a polynomial, N/D a fraction, p0 a polynomial at t = 0; "corner": t = u = 0.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flint import Ordering, arb, fmpq, fmpq_mpoly_ctx, fmpq_poly

from tangently.asymptotics import constants as K
from tangently.asymptotics.germs import Near, behavior, constant, start
from tangently.asymptotics.multiseries import GermError, Series, Unknown
from tangently.differentiation import expand
from tangently.enclosure import precision
from tangently.expr import CONST, TABLE, Expr, Primitive, build, substitute, symbol, toposort

UNITS = 16  # unknowns of one chart
ORDERS = (1, 2, 4, 8)  # Taylor terms that are tried
DEPTH = 24  # blow-ups on top of each other
CELLS = 256  # pieces of the interval of u for an enclosure
TERMS = 3000  # of a polynomial
ONE, ZERO, HALF = fmpq(1), fmpq(0), fmpq(1, 2)
Poly = Any  # flint.fmpq_mpoly
Number = Any
Terms = dict[tuple[int, int], fmpq]


class Blocked(Exception):
    """Why nothing can be said of a chart."""


class Void(Exception):
    """f has no real value on the chart."""


class MoreTerms(Exception):
    """Everything cancelled that was computed: more Taylor terms are needed."""


@dataclass
class Ramify(Exception):
    """A root of order q of a power that it does not divide: t and u become q-th powers."""

    q: int


@dataclass
class Zeros(Exception):
    """The places u in (0, 1] at which something changes its sign or vanishes, at t = 0."""

    places: list[fmpq]


# ---------------------------------------------------------------- polynomials


@lru_cache(maxsize=8)
def ring(count: int) -> Any:
    """Polynomials in t, u₁, …, u_count and the units."""
    names = ["t", *[f"u{k}" for k in range(1, count + 1)], *[f"a{k}" for k in range(UNITS)]]
    return fmpq_mpoly_ctx.get(names, Ordering.lex)


@dataclass(frozen=True)
class Fraction:
    """N/D without common factors."""

    n: Poly
    d: Poly


def fraction(n: Poly, d: Poly) -> Fraction:
    if len(n) > TERMS or len(d) > TERMS:
        raise Blocked("the polynomials became too long")
    g = n.gcd(d)
    return Fraction(n, d) if g.is_one() else Fraction(_over(n, g), _over(d, g))


def _over(p: Poly, g: Poly) -> Poly:
    return divmod(p, g)[0]


def content(p: Poly, count: int) -> tuple[tuple[int, ...], Poly]:
    """The powers of t and the u that divide p, and what is left."""
    monoms = p.monoms()
    least = tuple(int(min(m[k] for m in monoms)) for k in range(count + 1))
    if not any(least):
        return least, p
    context = p.context()
    return least, _over(p, context.from_dict({(*least, *[0] * (context.nvars() - count - 1)): 1}))


@dataclass(frozen=True)
class Chart:
    """The local coordinates as polynomials of t and u, and the step from which it came."""

    local: tuple[Poly, ...]
    count: int  # of the u
    depth: int = 0

    def mapped(self, t: Poly, u: Sequence[Poly], deeper: int = 0) -> Chart:
        context = t.context()
        others = context.gens()[self.count + 1 :]
        return Chart(tuple(p.compose(t, *u, *others, ctx=context) for p in self.local), self.count, self.depth + deeper)

    def at(self, u: Sequence[Any], power: int = 0) -> tuple[Poly, ...]:
        """The path u = const, or u = tᵐ: the local coordinates as polynomials of t."""
        gens = ring(self.count).gens()
        t = gens[0]
        values = [t**power] * self.count if power else [0 * t + q for q in u]
        return self.mapped(t, values).local


def first_charts(signs: Sequence[Sequence[int]]) -> Iterator[Chart]:
    """One coordinate leads, the others are multiples of it; `signs` are those that each coordinate takes."""
    n = len(signs)
    gens = ring(n - 1).gens()
    t, u = gens[0], gens[1:n]
    for lead, chosen in itertools.product(range(n), itertools.product(*signs)):
        others = iter(u)
        yield Chart(tuple(s * t if k == lead else s * t * next(others) for k, s in enumerate(chosen)), n - 1)


# ---------------------------------------------------------------- units


@dataclass(frozen=True)
class Unit:
    """An unknown: its exact limit as t → 0, or its values there as a function of u; its law a^q = P, if it is a root.

    `monomial`: its values as t → 0 are c·uᵉ, as (c, e), where they are known as that.
    """

    exact: Number | None
    at0: Callable[[Sequence[arb]], arb]
    law: tuple[int, Poly] | None = None
    monomial: tuple[fmpq, int] | None = None


@dataclass
class Walk:
    """f in one chart. `corners`: what vanishes where t = u = 0, as {exponents of t and u: coefficient}."""

    chart: Chart
    given: dict[Expr, tuple[Number, Poly, bool]]  # input: a + s, or 1/s
    order: int
    deadline: float
    units: list[Unit] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)
    values: dict[Expr, Any] = field(default_factory=dict)
    forms: dict[Expr, Expr] = field(default_factory=dict)
    series: dict[Any, list[tuple[Fraction, Poly]]] = field(default_factory=dict)
    corners: list[Terms] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ring = ring(self.chart.count)
        self.gens = self.ring.gens()
        self.one = 0 * self.gens[0] + 1

    # ------------------------------------------------------------ fractions

    def number(self, c: Number) -> Fraction:
        if type(c) is fmpq:
            return Fraction(c * self.one, self.one)
        return Fraction(self.unit(("constant", c), Unit(c, lambda u: K.ball(c))), self.one)

    def unit(self, key: Any, unit: Unit) -> Poly:
        """The unknown of this key: the same function is the same unknown."""
        if key not in self.known:
            if len(self.units) == UNITS:
                raise Blocked("too many functions that are no polynomials")
            self.known[key] = len(self.units)
            self.units.append(unit)
        return self.gens[1 + self.chart.count + self.known[key]]

    def reduced(self, n: Poly, d: Poly) -> Fraction:
        """A fraction in which roots have exponents below their order."""
        if d == 0:
            raise Void("division by 0")
        for k, unit in enumerate(self.units):
            if unit.law is not None:
                n, d = self._lawful(n, k, unit.law), self._lawful(d, k, unit.law)
        return fraction(n, d)

    def _lawful(self, p: Poly, k: int, law: tuple[int, Poly]) -> Poly:
        place, (q, power) = 1 + self.chart.count + k, law
        if all(m[place] < q for m in p.monoms()):
            return p
        total = 0 * p
        for m, c in p.to_dict().items():
            high, low = divmod(m[place], q)
            total += self.ring.from_dict({(*m[:place], low, *m[place + 1 :]): c}) * power**high
        return total

    def add(self, a: Fraction, b: Fraction) -> Fraction:
        return self.reduced(a.n * b.d + b.n * a.d, a.d * b.d)

    def mul(self, a: Fraction, b: Fraction) -> Fraction:
        return self.reduced(a.n * b.n, a.d * b.d)

    def div(self, a: Fraction, b: Fraction) -> Fraction:
        return self.reduced(a.n * b.d, a.d * b.n)

    def neg(self, a: Fraction) -> Fraction:
        return Fraction(-a.n, a.d)

    def power(self, a: Fraction, n: int) -> Fraction:
        if abs(n) > 64:
            raise Blocked(f"the exponent {n} is too large")
        top, bottom = (a.n, a.d) if n >= 0 else (a.d, a.n)
        return self.reduced(top ** abs(n), bottom ** abs(n))

    # ------------------------------------------------------------ at t = 0

    def split(self, a: Fraction) -> tuple[int, tuple[int, ...], Poly, Poly]:
        """a = tᵏ·uʲ·n/d."""
        (i, *j), n = content(a.n, self.chart.count)
        (k, *l), d = content(a.d, self.chart.count)
        return i - k, tuple(p - q for p, q in zip(j, l)), n, d

    def at0(self, p: Poly) -> Poly:
        """p at t = 0, with the units put in whose limit is a rational number, or a power of u."""
        start = 1 + self.chart.count
        values = {k: (u.exact, 0) for k, u in enumerate(self.units) if type(u.exact) is fmpq}
        values |= {k: u.monomial for k, u in enumerate(self.units) if u.monomial is not None}
        found: dict[tuple[int, ...], fmpq] = {}
        for m, c in p.subs({"t": 0}).to_dict().items():
            key = list(m)
            for k, (value, power) in values.items():
                e, key[start + k] = int(m[start + k]), 0
                c, key[1] = c * value**e, key[1] + power * e
            found[tuple(key)] = found.get(tuple(key), ZERO) + c
        return self.ring.from_dict({m: c for m, c in found.items() if c})

    def varies(self, p: Poly) -> bool:
        """Does p (at t = 0) depend on u?"""
        count = self.chart.count
        fixed = [k for k, u in enumerate(self.units) if u.exact is not None]
        return any(
            e for m in p.monoms() for k, e in enumerate(m) if 0 < k <= count or (k - 1 - count not in fixed and e)
        )

    def exactly(self, p: Poly) -> Number:
        """The value of a polynomial without t and u."""
        start = 1 + self.chart.count
        total: Number = ZERO
        for m, c in p.to_dict().items():
            term: Number = fmpq(c)
            for k, e in enumerate(m[start:]):
                for _ in range(int(e)):
                    term = K.mul(term, self._limit_of(k))
            total = K.add(total, term)
        return total

    def _limit_of(self, k: int) -> Any:
        return self.units[k].exact

    def ball(self, p: Poly, u: Sequence[arb]) -> arb:
        """p at t = 0 on a box of directions."""
        count, total = self.chart.count, arb(0)
        held: dict[int, arb] = {}
        for m, c in p.subs({"t": 0}).to_dict().items():
            term = arb(c)
            for k, e in enumerate(m[1:]):
                if e:
                    base = (
                        u[k]
                        if k < count
                        else held.setdefault(k, self.units[k - count].at0(u))
                        if k not in held
                        else held[k]
                    )
                    term *= base ** int(e)
            total += term
        return total

    def sign(self, p: Poly, zero: bool = False) -> int:
        """The sign that p has at t = 0, for 0 < u ≤ 1. Zeros elsewhere are raised; at u = 0 it is a corner."""
        p0 = self.at0(p)
        if p0 == 0:
            raise MoreTerms
        if not self.varies(p0):
            return self._sign_of(self.exactly(p0))
        used = {k for m in p0.monoms() for k, e in enumerate(m) if e}
        if used == {1} and self.chart.count == 1:
            return self._by_roots(p, p0)
        return self._by_cells(p0)

    def _sign_of(self, c: Number) -> int:
        try:
            found = K.sign(c)
        except K.Undecided as error:
            raise Blocked(str(error)) from error
        if not found:
            raise MoreTerms
        return found

    def _by_roots(self, p: Poly, p0: Poly) -> int:
        (_, j), rest = content(p0, 1)
        if j:
            self.corners.append(_terms(p))
        q = _univariate(rest)
        inside = roots_in_unit(q)
        if inside:
            raise Zeros(inside)
        return 1 if q(HALF) > 0 else -1

    def _by_cells(self, p0: Poly) -> int:
        """By enclosures on pieces of the box."""
        signs = set()
        with precision(64):
            for cell in self._cells(lambda u: not (y := self.ball(p0, u)).contains(0) and y.is_finite()):
                y = self.ball(p0, cell)
                signs.add(1 if y > 0 else -1)
        if len(signs) != 1:
            raise Blocked("a factor changes its sign with the direction")
        return signs.pop()

    def _cells(self, fits: Callable[[Sequence[arb]], bool]) -> list[list[arb]]:
        """Pieces of the box on each of which something holds; Blocked where they would be too many."""
        waiting = [[(ZERO, ONE)] * self.chart.count]
        done: list[list[arb]] = []
        while waiting:
            box = waiting.pop()
            u = [arb((a + b) / 2, (b - a) / 2) for a, b in box]
            if fits(u):
                done.append(u)
                continue
            if len(waiting) + len(done) > CELLS or time.monotonic() > self.deadline:
                raise Blocked("a factor could not be bounded away from 0")
            k = max(range(len(box)), key=lambda i: box[i][1] - box[i][0])
            a, b = box[k]
            waiting += [[*box[:k], half, *box[k + 1 :]] for half in ((a, (a + b) / 2), ((a + b) / 2, b))]
        return done

    def sign_of(self, a: Fraction) -> int:
        """The sign of a for small t; 0 where it vanishes identically."""
        if a.n == 0:
            return 0
        _, _, n, d = self.split(a)
        return self.sign(n) * self.sign(d)

    def size(self, n: Poly, d: Poly) -> float:
        """A bound of |n/d| at t = 0, inf where none was found."""
        n0, d0 = self.at0(n), self.at0(d)
        try:
            with precision(64):
                cells = self._cells(lambda u: (self.ball(n0, u) / self.ball(d0, u)).is_finite())
                fine = [c for cell in cells for c in _finer(cell)]
                return max(float((self.ball(n0, c) / self.ball(d0, c)).abs_upper()) for c in fine)
        except (Blocked, ValueError):
            return math.inf

    # ------------------------------------------------------------ the graph

    def value(self, root: Expr) -> Fraction:
        """The fraction that the expression is in this chart."""
        for node in toposort([root], stop=self.values.__contains__):
            if node not in self.values:
                if time.monotonic() > self.deadline:
                    raise Blocked("the time was used up")
                self.values[node] = self._kept(node)
        found = self.values[root]
        if isinstance(found, Exception):
            raise found
        return found

    def _kept(self, node: Expr) -> Any:
        """The value of the node, or why there is none: a branch that is not taken stops nobody."""
        try:
            return self._value(node)
        except (Blocked, Void) as error:
            return error
        except K.Undecided as error:
            return Blocked(str(error))
        except (GermError, ValueError, ZeroDivisionError, OverflowError) as error:
            return Blocked(str(error))

    def _value(self, node: Expr) -> Fraction:
        if node in self.given:
            return self._input(*self.given[node])
        if node.op is CONST:
            return self.number(constant(node.value))
        if node.op.name == "where":
            return self._where(node)
        args = [self.value(a) for a in node.args]
        if node.op.name in ALGEBRA:
            return ALGEBRA[node.op.name](self, *args)
        if node.op.name in POWERS:
            return POWERS[node.op.name](self, node, *args)
        if node.op.settled is not None:
            return self._settled(node)
        return self._function(node, args)

    def _input(self, a: Number, s: Poly, reciprocal: bool) -> Fraction:
        if reciprocal:
            return self.reduced(self.one, s)
        return self.add(self.number(a), Fraction(s, self.one))

    def _where(self, node: Expr) -> Fraction:
        condition = self.value(node.args[0])
        self.forms[node] = self.form(node.args[1 if condition.n != 0 else 2])
        return self.value(self.forms[node])

    def form(self, node: Expr) -> Expr:
        """The node with what was settled below it."""
        return self.forms.get(node, node)

    def _settled(self, node: Expr) -> Fraction:
        """|w|, max, sign, a condition: the row with the signs of what it breaks at."""
        args = [self.form(a) for a in node.args]
        breaks = node.op.breaks(*args) if node.op.breaks is not None else ()
        marks = [self._mark(which, u) for which, u, _ in breaks]
        found = node.op.settled(args, marks) if node.op.settled is not None else None
        if found is None or found is node:
            raise Blocked(f"{node.op.name} was not settled")
        self.forms[node] = self.form(found)
        return self.value(found)

    def _mark(self, which: str, u: Expr) -> float:
        w = self.value(u)
        if which == "zero":
            return self.sign_of(w)
        if which != "whole":
            raise Blocked("a pole of a special function")
        level = self.level(w)
        if level is None:
            raise Blocked("rounding of what varies with the direction")
        k = K.floor(level)
        if K.is_zero(K.sub(level, fmpq(k))):
            side = self.sign_of(self.add(w, self.number(fmpq(-k))))
            return float(k) + side / 2
        return float(k) + 0.5

    # ------------------------------------------------------------ functions

    def level(self, w: Fraction) -> Number | None:
        """The limit of w as t → 0, where it is the same number for all u > 0 (a corner at u = 0 is noted)."""
        if w.n == 0:
            return ZERO
        k, j, n, d = self.split(w)
        self.sign(d)
        if k > 0:
            self._mixed(k, j)
            return ZERO
        if k < 0 or any(j):
            return None
        n0, d0 = self.at0(n), self.at0(d)
        c = self.reduced(n0, d0) if n0 != 0 else Fraction(n0, self.one)
        if self.varies(c.n) or self.varies(c.d):
            return None
        return K.div(self.exactly(c.n), self.exactly(c.d))

    def _mixed(self, k: int, j: Sequence[int]) -> None:
        """tᵏ·uʲ with exponents of both signs has no limit at the corner."""
        if any(e * k < 0 for e in j):
            if self.chart.count > 1:
                raise Blocked("a direction in which nothing is known")
            self.corners.append({(abs(k), 0): ONE, (0, abs(j[0])): ONE})

    def _function(self, node: Expr, args: list[Fraction]) -> Fraction:
        """An analytic row: by Taylor's formula where its operand has one limit, else as a unit that depends on u."""
        op, rest = node.op, args[:-1]
        order = [self.level(a) for a in rest]
        if len(args) == 1 or (all(type(c) is fmpq for c in order) and all(not self.varies(a.n) for a in rest)
                              and op.name in ORDERED):  # fmt: skip
            return self._of_one(op, list(order), args[-1])
        levels = [self.level(a) for a in args]
        if any(c is None for c in levels):
            return self._unit_of(node, args)
        self._analytic_at(op, levels)
        c = K.apply(op, *levels)
        return Fraction(self.unit((op, node), Unit(c, lambda u: K.ball(c))), self.one)

    def _of_one(self, op: Primitive, order: Sequence[Number], w: Fraction) -> Fraction:
        c = self.level(w)
        if c is not None:
            return self.taylor(op, tuple(order), w, c)
        k, j, _, _ = self.split(w)
        if k < 0:
            return self._at_infinity(op, order, w, k, j)
        return self._unit_of(None, [*[self.number(o) for o in order], w], op)

    def _at_infinity(self, op: Primitive, order: Sequence[Number], w: Fraction, k: int, j: Sequence[int]) -> Fraction:
        """A bounded row of what grows without bound, of one sign."""
        self._mixed(k, j)
        side = self.sign_of(w)
        limit = _limit_at_infinity(op, tuple(order), side)
        if limit is None:
            raise Blocked(f"{op.name} of what grows without bound")
        return Fraction(self.unit((op, str(w.n), str(w.d)), Unit(limit, lambda u: K.ball(limit))), self.one)

    def taylor(self, op: Primitive, order: tuple[Number, ...], w: Fraction, c: Number) -> Fraction:
        """Σ aₖ(w - c)ᵏ for k < n, and (w - c)ⁿ times an unknown that tends to aₙ."""
        self._analytic_at(op, [*order, c])
        return self._expanded((op, order, c), lambda n: taylor_numbers(op, order, c, n), w, c)

    def _expanded(self, key: Any, numbers: Callable[[int], list[Number]], w: Fraction, c: Number) -> Fraction:
        """Taylor's formula, with the Taylor coefficients up to n from `numbers(n)`."""
        terms = self.order
        step = self.add(w, self.neg(self.number(c)))
        if step.n == 0:
            return self.number(numbers(terms)[0])
        total = self._remainder(key, numbers, w)
        for a in reversed(numbers(terms)[:terms]):
            total = self.add(self.mul(total, step), self.number(a))
        return total

    def _remainder(self, key: Any, numbers: Callable[[int], list[Number]], w: Fraction) -> Fraction:
        """φ[c, …, c, w] in Newton's form: σ₁ + (w - w₁)(σ₂ + (w - w₂)(…)), for the w₁, w₂, … that occurred before.

        The unknown σₘ is a divided difference over n + m points that all tend to c, so it tends to aₙ₊ₘ₋₁. That is how
        (φ(x) - φ(y))/(x - y) is known to tend to φ'(c).
        """
        seen = self.series.setdefault(key, [])
        place = next((k for k, (v, _) in enumerate(seen) if v.n == w.n and v.d == w.d), len(seen))
        if place == len(seen):
            a = numbers(self.order + place)[self.order + place]
            seen.append((w, self.unit((key, place), Unit(a, lambda u: K.ball(a)))))
        total = Fraction(seen[place][1], self.one)
        for v, sigma in reversed(seen[:place]):
            total = self.add(self.mul(total, self.add(w, self.neg(v))), Fraction(sigma, self.one))
        return total

    def _analytic_at(self, op: Primitive, levels: Sequence[Number]) -> None:
        """Is the row analytic where its operands go?"""
        for which, u, _ in op.breaks(*[K.to_expr(c) for c in levels]) if op.breaks is not None else ():
            c = K.from_expr(u)
            if K.is_zero(c) if which == "zero" else _is_whole(c, which):
                raise Blocked(f"{op.name} is not analytic where its operand goes")

    def _unit_of(self, node: Expr | None, args: list[Fraction], op: Primitive | None = None) -> Fraction:
        """φ(w) where the limit of w depends on u: continuous where w and φ are."""
        op = op if op is not None else node.op  # type: ignore[union-attr]
        if op.enclosure is None:
            raise Blocked(f"{op.name} has no enclosure")
        parts = [self._ends(a) for a in args]
        place = [symbol("w") for _ in args]
        for which, u, _ in op.breaks(*place) if op.breaks is not None else ():
            if which != "zero":
                raise Blocked(f"{op.name} of what varies with the direction")
            self._apart(substitute([u], dict(zip(place, place)))[0], dict(zip(place, args)))
        evaluate = lambda u: op.enclosure(*[self._quotient(p, u) for p in parts])  # type: ignore[misc]
        with precision(64):
            self._cells(lambda u: evaluate(u).is_finite())
        key = (op, *[(str(a.n), str(a.d)) for a in args])
        return Fraction(self.unit(key, Unit(None, evaluate)), self.one)

    def _apart(self, u: Expr, given: dict[Expr, Fraction]) -> None:
        """Is the expression bounded away from 0 at t = 0?"""
        inner = Walk(
            self.chart,
            {},
            self.order,
            self.deadline,
            self.units,
            self.known,
            dict(given),
            {},
            self.series,
            self.corners,
        )
        w = inner.value(u)
        k, j, n, d = self.split(w) if w.n != 0 else (1, (), w.n, w.d)
        if k or any(j):
            raise Blocked("a function at the edge of where it is analytic")
        before = len(self.corners)
        for p in (n, d):
            self.sign(p)
        if len(self.corners) > before:
            raise Blocked("a function at the edge of where it is analytic, in one direction")

    def _ends(self, a: Fraction) -> tuple[tuple[int, ...], Poly, Poly, int]:
        k, j, n, d = self.split(a) if a.n != 0 else (0, (0,) * self.chart.count, a.n, a.d)
        if k < 0 or any(e < 0 for e in j):
            raise Blocked("a function of what grows without bound in one direction")
        before = len(self.corners)
        self.sign(d)
        if len(self.corners) > before:
            raise Blocked("a function of what has no limit in one direction")
        return j, self.at0(n), self.at0(d), k

    def _quotient(self, parts: tuple[tuple[int, ...], Poly, Poly, int], u: Sequence[arb]) -> arb:
        j, n, d, k = parts
        if k > 0:
            return arb(0)
        found = self.ball(n, u) / self.ball(d, u)
        for e, x in zip(j, u):
            found *= x**e
        return found

    # ------------------------------------------------------------ roots

    def root(self, w: Fraction, r: fmpq) -> Fraction:
        """wʳ for w > 0 and a fraction r."""
        if w.n == 0:
            if r < 0:
                raise Void("division by 0")
            return w
        p, q = int(r.p), int(r.q)
        k, j, n, d = self.split(w)
        if self.sign(n) * self.sign(d) < 0:
            raise Void("a root of a negative number")
        if k % q or any(e % q for e in j):
            raise Ramify(q)
        inner = self._root_of_unit(n, d, q)
        monomial = self.gens[0] ** (abs(k) // q)
        front = Fraction(monomial, self.one) if k >= 0 else Fraction(self.one, monomial)
        for e, u in zip(j, self.gens[1:]):
            factor = u ** (abs(e) // q)
            front = self.mul(front, Fraction(factor, self.one) if e >= 0 else Fraction(self.one, factor))
        return self.power(self.mul(front, inner), p)

    def _root_of_unit(self, n: Poly, d: Poly, q: int) -> Fraction:
        """The q-th root of n/d, which is positive at t = 0."""
        before = len(self.corners)
        for p in (n, d):
            self.sign(p)
        if len(self.corners) > before and self.chart.count > 1:
            raise Blocked("a root of what vanishes in some direction")
        c = self.level(Fraction(n, d))
        if c is not None:
            return self._expanded(("root", q, c), lambda m: root_numbers(q, c, m), Fraction(n, d), c)
        law = n * d ** (q - 1)
        p0 = self.at0(law)
        monomial = self._power_of_u(p0, q)
        unit = Unit(None, lambda u: arb(_positive(self.ball(p0, u))).root(q), (q, law), monomial)
        return self.reduced(self.unit(("root", q, str(law)), unit), d)

    def _power_of_u(self, p0: Poly, q: int) -> tuple[fmpq, int] | None:
        """The q-th root of c·uʲ, where it is rational."""
        if len(p0) != 1 or self.chart.count != 1:
            return None
        [(m, c)] = p0.to_dict().items()
        if any(m[2:]):
            return None
        if m[1] % q:
            raise Ramify(q)
        root = K.power(fmpq(c), fmpq(1, q))
        return (root, int(m[1]) // q) if type(root) is fmpq else None


def _positive(y: arb) -> arb:
    return y if y > 0 else arb.nan()


def _finer(cell: Sequence[arb]) -> Iterator[list[arb]]:
    """The cell in 8 pieces each way (2 in a box of more directions), for a sharper bound."""
    pieces = 8 if len(cell) == 1 else 2
    return (list(c) for c in itertools.product(*[_pieces(u, pieces) for u in cell]))


def _pieces(u: arb, count: int) -> list[arb]:
    step = u.rad() / count
    return [u.mid() + step * (2 * k + 1 - count) + step * arb(0, 1) for k in range(count)]


def _is_whole(c: Number, which: str) -> bool:
    if type(c) is not fmpq:
        return False
    return c.q == 1 and (which == "whole" or c <= 0)


def _univariate(p: Poly) -> fmpq_poly:
    """A polynomial of u alone."""
    degree = max(m[1] for m in p.monoms())
    found = [fmpq(0)] * (int(degree) + 1)
    for m, c in p.to_dict().items():
        found[int(m[1])] += c
    return fmpq_poly(found)


def roots_in_unit(q: fmpq_poly) -> list[fmpq]:
    """The zeros in (0, 1]. Blocked where one is irrational.

    >>> roots_in_unit(fmpq_poly([-1, 0, 4])), roots_in_unit(fmpq_poly([2, 1]))
    ([1/2], [])
    """
    if q.degree() < 1:
        return []
    found: list[fmpq] = []
    for factor, _ in q.numer().factor()[1]:
        if factor.degree() == 1:
            root = fmpq(-factor[0], factor[1])
            found += [root] if 0 < root <= 1 else []
            continue
        zeros: Any = factor.complex_roots()
        for found_root in zeros:
            root = found_root[0]
            if root.imag == 0 and not (root.real < 0 or root.real > 1):
                raise Blocked("a factor vanishes along a curve of irrational slope")
    return sorted(found)


def _terms(p: Poly) -> Terms:
    """{exponents of t and u: coefficient}; units count as 1."""
    found: Terms = {}
    for m, c in p.to_dict().items():
        key = int(m[0]), int(m[1])
        found[key] = found.get(key, ZERO) + fmpq(c)
    return found


ALGEBRA: dict[str, Callable[..., Fraction]] = {
    "add": lambda W, a, b: W.add(a, b),
    "sub": lambda W, a, b: W.add(a, W.neg(b)),
    "mul": lambda W, a, b: W.mul(a, b),
    "div": lambda W, a, b: W.div(a, b),
    "neg": lambda W, a: W.neg(a),
    "square": lambda W, a: W.mul(a, a),
    "reciprocal": lambda W, a: W.div(Fraction(W.one, W.one), a),
}


def _power(W: Walk, node: Expr, a: Fraction, b: Fraction) -> Fraction:
    """A whole power, a root, or exp(b log a)."""
    exponent = (
        W.level(b) if b.n == 0 or not (content(b.n, W.chart.count)[0][0] or W.varies(b.n) or W.varies(b.d)) else None
    )
    if type(exponent) is fmpq and b.n == exponent * b.d:
        if exponent.q == 1:
            return W.power(a, int(exponent.p))
        return W.root(a, exponent)
    return W._of_one(TABLE["exp"], (), W.mul(b, W._of_one(TABLE["log"], (), a)))


def _cube_root(W: Walk, node: Expr, a: Fraction) -> Fraction:
    if W.sign_of(a) < 0:
        return W.neg(W.root(W.neg(a), fmpq(1, 3)))
    return W.root(a, fmpq(1, 3))


def _direction(W: Walk, node: Expr, a: Fraction, b: Fraction) -> Fraction:
    """arctan2(a, b): the angle of the point (b, a)."""
    side, up = W.sign_of(b), W.sign_of(a)
    if side == 0:
        return W.number(K.mul(fmpq(up, 2), K.PI))
    angle = W._of_one(TABLE["arctan"], (), W.div(a, b))
    return angle if side > 0 else W.add(angle, W.number(K.mul(fmpq(1 if up >= 0 else -1), K.PI)))


def _logarithm(W: Walk, node: Expr, a: Fraction) -> Fraction:
    if W.sign_of(a) <= 0:
        raise Void("the logarithm of a number that is not positive")
    return W._of_one(node.op, (), a)


POWERS: dict[str, Callable[..., Fraction]] = {
    "pow": _power,
    "sqrt": lambda W, node, a: W.root(a, HALF),
    "cbrt": _cube_root,
    "hypot": lambda W, node, a, b: W.root(W.add(W.mul(a, a), W.mul(b, b)), HALF),
    "arctan2": _direction,
    "log": _logarithm,
    "log2": _logarithm,
    "log10": _logarithm,
    "log1p": lambda W, node, a: W._of_one(TABLE["log"], (), W.add(a, W.number(ONE))),
    "exp2": lambda W, node, a: W._of_one(TABLE["exp"], (), W.mul(a, W.number(K.log(fmpq(2))))),
}
ORDERED = frozenset({"jv", "besselj", "polygamma"})  # rows with a whole order in front


@lru_cache(maxsize=1 << 10)
def taylor_numbers(op: Primitive, order: tuple[Number, ...], c: Number, count: int) -> list[Number]:
    """The Taylor coefficients 0, …, count of the row at c, where it is analytic.

    >>> import tangently.primitives
    >>> taylor_numbers(TABLE["cos"], (), fmpq(0), 4)
    [1, 0, -1/2, 0, 1/24]
    """
    z = symbol("z")
    near = Near(seconds=1.0, work=4000)
    root = build(op, (*[K.to_expr(o) for o in order], z))
    return _coefficients(near.known(near.values(root, {z: start(near, c, 1)})[root]), count)


@lru_cache(maxsize=1 << 8)
def root_numbers(q: int, c: Number, count: int) -> list[Number]:
    """The Taylor coefficients of the q-th root at c > 0."""
    near = Near(seconds=1.0, work=4000)
    return _coefficients(near.power(start(near, c, 1), fmpq(1, q)), count)


def _coefficients(v: Any, count: int) -> list[Number]:
    """The coefficients of 1, h, h², … of a series in h = 1/t."""
    found: list[Number] = [ZERO] * (count + 1)
    if type(v) is not Series:
        return [v, *found[1:]]
    for e, c in v.terms():
        if type(e) is not fmpq or e.q != 1 or e > 0 or type(c) is Series:
            raise Unknown("a function that is not analytic where its operand goes")
        if -e > count:
            break
        found[int((-e).p)] = c
    return found


@lru_cache(maxsize=1 << 8)
def _limit_at_infinity(op: Primitive, order: tuple[Number, ...], side: int) -> Number | None:
    z = symbol("z")
    found = behavior(build(op, (*[K.to_expr(o) for o in order], z)), z, side * math.inf, -side, seconds=0.5)
    return None if not found.exists or isinstance(found.limit, float) else found.limit


# ---------------------------------------------------------------- deciding


@dataclass(frozen=True)
class Leaf:
    """What one chart says: `value` (a number or ±inf) for all of it; `paths`: where f behaves in different ways.

    kind "value", "differ" (the paths disprove the limit), "void" (no value), or "unknown" with the reason in `said`.
    """

    kind: str
    chart: Chart
    value: Any = None
    paths: tuple[tuple[Poly, ...], ...] = ()
    said: str = ""
    power: int = 0  # f is within size·t^power of its limit
    size: float = math.inf


@dataclass
class Search:
    """One decision: f, its inputs in terms of the local coordinates, and the time."""

    root: Expr
    given: Callable[[tuple[Poly, ...]], dict[Expr, tuple[Number, Poly, bool]]]
    deadline: float

    def leaves(self, chart: Chart) -> Iterator[Leaf]:
        """What f does in the chart, and in all that are needed to know it."""
        if time.monotonic() > self.deadline or chart.depth > DEPTH:
            yield Leaf("unknown", chart, said="the blow-ups did not come to an end")
            return
        walk: Walk | None = None
        try:
            for k, order in enumerate(ORDERS):
                walk = Walk(chart, self.given(chart.local), order, self.deadline)
                try:
                    found = self._leaf(walk)
                    break
                except MoreTerms:
                    if k == len(ORDERS) - 1:
                        raise Blocked("everything cancelled as far as it was expanded") from None
            else:
                raise AssertionError
        except Ramify as ramify:
            yield from self.leaves(ramified(chart, ramify.q))
            return
        except Zeros as zeros:
            for part in cut(chart, zeros.places):
                yield from self.leaves(part)
            return
        except Void as error:
            yield Leaf("void", chart, said=str(error))
            if walk is not None and walk.corners:
                yield from self._around_corner(walk)
            return
        except Blocked as error:
            yield Leaf("unknown", chart, said=str(error))
            return
        yield found
        if walk is not None and walk.corners and found.kind != "differ":
            yield from self._around_corner(walk)

    def _around_corner(self, walk: Walk) -> Iterator[Leaf]:
        if walk.chart.count != 1:
            yield Leaf("unknown", walk.chart, said="a direction in which nothing is known")
            return
        for part in blown_up(walk.chart, edge_of(walk.corners)):
            yield from self.leaves(part)

    def _leaf(self, walk: Walk) -> Leaf:
        """tᵏ·uʲ·n/d, judged for u in compact parts of (0, 1]; what happens at u = 0 is left to `corners`."""
        a = walk.value(self.root)
        if a.n == 0:
            return Leaf("value", walk.chart, ZERO, power=1, size=0.0)
        k, j, n, d = walk.split(a)
        walk.sign(d)
        if k > 0:
            return self._to_zero(walk, k, j, n, d)
        if k == 0:
            return self._to_a_constant(walk, j, n, d)
        return self._to_infinity(walk, k, j, n, d)

    def _to_zero(self, walk: Walk, k: int, j: Sequence[int], n: Poly, d: Poly) -> Leaf:
        if any(e < 0 for e in j):
            if walk.chart.count == 1 and self._alive(walk, n) and not walk.corners:
                return self._steep(walk, k, j[0])
            walk._mixed(k, j)
        size = walk.size(n, d) if not walk.corners else math.inf
        return Leaf("value", walk.chart, ZERO, power=k, size=size)

    def _alive(self, walk: Walk, n: Poly) -> bool:
        """Is n not 0 at the corner?"""
        n0 = walk.at0(n)
        constant = {m: c for m, c in n0.to_dict().items() if not any(m[: 1 + walk.chart.count])}
        return bool(constant) and not any(any(m) for m in constant)

    def _steep(self, walk: Walk, k: int, j: int) -> Leaf:
        """tᵏ·uʲ with exponents of both signs: along u = tᵐ it does something else than along u = 1."""
        m = abs(k) // abs(j) + 1
        return Leaf("differ", walk.chart, paths=(walk.chart.at([ONE]), walk.chart.at([ONE], m)))

    def _to_a_constant(self, walk: Walk, j: Sequence[int], n: Poly, d: Poly) -> Leaf:
        n0, d0 = walk.at0(n), walk.at0(d)
        if n0 == 0:
            if any(e < 0 for e in j):
                raise MoreTerms
            return Leaf("value", walk.chart, ZERO)
        c = walk.reduced(n0, d0)
        if any(j) or walk.varies(c.n) or walk.varies(c.d):
            return self._two_directions(walk, j, c)
        value = K.div(walk.exactly(c.n), walk.exactly(c.d))
        return Leaf("value", walk.chart, value)

    def _two_directions(self, walk: Walk, j: Sequence[int], c: Fraction) -> Leaf:
        """c depends on u: two values of u with different c."""
        count = walk.chart.count
        seen: list[tuple[tuple[fmpq, ...], arb]] = []
        with precision(128):
            for place in itertools.product((ONE, HALF, fmpq(1, 4), fmpq(3, 4)), repeat=count):
                u = [arb(q) for q in place]
                y = walk.ball(c.n, u) / walk.ball(c.d, u)
                for e, x in zip(j, u):
                    y *= x**e
                for other, z in seen:
                    if y.is_finite() and z.is_finite() and not y.overlaps(z):
                        return Leaf("differ", walk.chart, paths=(walk.chart.at(other), walk.chart.at(place)))
                seen.append((place, y))
        raise Blocked("whether the limit depends on the direction could not be decided")

    def _to_infinity(self, walk: Walk, k: int, j: Sequence[int], n: Poly, d: Poly) -> Leaf:
        side = walk.sign(n) * walk.sign(d)
        if any(e > 0 for e in j):
            if walk.chart.count == 1 and not walk.corners:
                return self._steep(walk, k, j[0])
            walk._mixed(k, j)
        return Leaf("value", walk.chart, side * math.inf, power=k)


def ramified(chart: Chart, q: int) -> Chart:
    """t and u are q-th powers."""
    gens = ring(chart.count).gens()
    return chart.mapped(gens[0] ** q, [u**q for u in gens[1 : chart.count + 1]], 1)


def cut(chart: Chart, places: Sequence[fmpq]) -> Iterator[Chart]:
    """The interval of u cut at these places: each part has at most one of them, at its end u = 0."""
    t, u = ring(1).gens()[:2]
    ends = [ZERO, *places, *([ONE] if places[-1] != 1 else [])]
    for a, b in itertools.pairwise(ends):
        if b not in places:
            yield chart.mapped(t, [a + (b - a) * u], 1)
        else:
            yield chart.mapped(t, [a + (b - a) / 2 * u], 1)
            yield chart.mapped(t, [b - (b - a) / 2 * u], 1)


def edge_of(corners: Sequence[Terms]) -> tuple[int, int, int]:
    """The weights of t and u on the first edge of Newton's polygon, and a bound c of its positive zeros.

    >>> edge_of([{(2, 0): fmpq(-3), (0, 1): fmpq(1)}]), edge_of([])
    ((1, 2, 4), (1, 1, 1))
    """
    for terms in corners:
        for (i, j), (k, l) in itertools.combinations(sorted(terms), 2):
            if k > i and l < j:
                a, b = (j - l) // math.gcd(j - l, k - i), (k - i) // math.gcd(j - l, k - i)
                if min(a * p + b * q for p, q in terms) == a * i + b * j:
                    return a, b, _beyond([(q, c) for (p, q), c in terms.items() if a * p + b * q == a * i + b * j])
    return 1, 1, 1


def _beyond(terms: Sequence[tuple[int, fmpq]]) -> int:
    """A power of two above all positive zeros of Σ c·v^q (A.-L. Cauchy's bound)."""
    top, leading = max(terms)
    others = [abs(c / leading) for q, c in terms if q != top and leading]
    bound = max(others, default=ZERO)
    return 1 << (int((1 + bound).ceil()) - 1).bit_length() if bound > 1 else 1


def blown_up(chart: Chart, edge: tuple[int, int, int]) -> Iterator[Chart]:
    """The corner t = u = 0: either of the two leads, u ≤ c·t^(b/a) or the other way."""
    t, u = ring(1).gens()[:2]
    a, b, c = edge
    yield chart.mapped(t**a, [c * t**b * u], 1)
    yield chart.mapped(t**a * u, [c * t**b], 1)


def decide(root: Expr, given: Any, signs: Sequence[Sequence[int]], seconds: float) -> list[Leaf]:
    """What f does in every chart around the point; ends early where one chart disproves the limit."""
    search = Search(expand([root])[0], given, time.monotonic() + seconds)
    found: list[Leaf] = []
    for chart in first_charts(signs):
        for leaf in search.leaves(chart):
            found.append(leaf)
            if leaf.kind == "differ" or (leaf.kind == "unknown" and len(found) > 40):
                return found
    return found


__all__ = ["Chart", "Leaf", "blown_up", "cut", "decide", "edge_of", "first_charts", "roots_in_unit", "taylor_numbers"]
