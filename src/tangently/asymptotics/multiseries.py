"""Multiseries: how a function of t behaves as t → +∞, exactly, to as many terms as anyone asks for.

A *scale* is a positive function that tends to +∞: t itself, log t, log log t, and exp(h) for an h that was met on the
way. Scales are ordered by growth, each faster than every power of the next. A *multiseries* is a sum Σ c·bᵉ with
decreasing exponents e, in one scale b, whose coefficients c are multiseries in slower scales, or constants. So its
first term alone decides the limit and the sign, however deep it has to be looked for: terms are computed when they
are asked for, and a term whose coefficient is zero is skipped — never guessed to be zero.

    exp(h): h = infinite + constant + small. If the infinite part grows like r·log b for a scale b, then
            exp(h) = bʳ·exp(h − r·log b); otherwise exp(|infinite|) is a new scale. exp(small) is a power series.
    log f:  f = c·bᵉ(1 + small) gives log c + e·log b + log(1 + small).
    φ(f):   for φ analytic at the limit of f, its Taylor series.

sin and cos of an infinite phase become *oscillators*: bounded unknowns of the coefficients, with s² + c² = 1.

Two equal series without end can't be compared term by term. So every operation is remembered by the identity of its
operands (the same computation gives the same object), and a series knows of which others it is the sum, the product or
the logarithm: (A + B) − A is B, A·B/A is B, exp(2 log A) is A².

Sources: D. Gruntz, On computing limits in a symbolic manipulation system, ETH 1996; D. Richardson, B. Salvy, J.
Shackell, J. van der Hoeven, Asymptotic expansions of exp-log functions, ISSAC 1996; M. Eberl, Verified real
asymptotics in Isabelle/HOL, ISSAC 2019.

Glossary: b scale, e exponent, c coefficient, u a small series, v any value, K the module of constants.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from flint import fmpq

from tangently.asymptotics import constants as K

Number = Any  # fmpq | K.Exact
Value = Any  # Number | Series
Term = tuple[Number, Value]
Coefficients = Callable[[int], Any]  # k -> the coefficient of uᵏ, None beyond the last
Monomial = tuple[tuple["Scale", Number], ...]

ZERO, ONE = fmpq(0), fmpq(1)


class GermError(Exception):
    """Why nothing is known about a part of the function; `str` of it is the reason in words."""


class Undefined(GermError):
    """The part has no real value near the point."""


class Oscillates(GermError):
    """The part is bounded but goes on oscillating, and what was asked depends on it."""


class Unknown(GermError):
    """Undecided: a constant whose sign is not known, or a function without a rule here."""


class Spent(Unknown):
    """A bound on time or work was reached."""


class Scale:
    """A function that tends to +∞, from which all the others are built. `log` is its logarithm in slower scales."""

    __slots__ = ("height", "log", "rank")

    def __init__(self, rank: fmpq, log: Value | None, height: int | None = None) -> None:
        self.rank, self.log, self.height = rank, log, height  # height k: the k-fold logarithm of t

    def __repr__(self) -> str:
        return f"<scale {self.height if self.height is not None else 'exp'} {self.rank}>"


class Series:
    """Σ c·bᵉ with decreasing e and coefficients that are not zero; the terms are computed as they are needed."""

    __slots__ = ("_failed", "_ready", "_source", "factors", "origin", "parts", "scale")
    parts: dict[int, tuple[Series, Number]] | None  # of a sum: the series that were added, with their multiples
    factors: dict[int, tuple[Series, Number]] | None  # of a product: the series that were multiplied, with their powers
    origin: Value | None  # of a logarithm: what it is the logarithm of

    def __init__(self, scale: Scale, terms: Iterable[Term]) -> None:
        self.scale = scale
        self.parts = self.factors = self.origin = None
        self._ready: list[Term] = list(terms) if isinstance(terms, (list, tuple)) else []
        self._source = None if isinstance(terms, (list, tuple)) else iter(terms)
        self._failed: BaseException | None = None

    def term(self, k: int) -> Term | None:
        """The k-th term, None beyond the last. What stopped a computation once stops it again: never a shorter sum."""
        while len(self._ready) <= k:
            if self._failed is not None:
                raise self._failed
            if self._source is None:
                return None
            try:
                self._ready.append(next(self._source))
            except StopIteration:
                self._source = None
            except BaseException as error:
                self._failed = error
                raise
        return self._ready[k]

    def terms(self, start: int = 0) -> Iterator[Term]:
        for k in itertools.count(start):
            found = self.term(k)
            if found is None:
                return
            yield found

    def rest(self, start: int = 1) -> Series:
        return Series(self.scale, self.terms(start))

    def __repr__(self) -> str:
        shown = " + ".join(f"({c!r})·b^{e}" for e, c in self._ready)
        return f"[{self.scale!r}: {shown}{' + …' if self._source is not None else ''}]"


Parts = dict[int, tuple[Any, Number]]
PARTS = 12  # of a sum or product that are remembered


def parts_of(v: Value) -> Parts:
    """The series that were added to give v, with their multiples (v itself, if it is no sum)."""
    if type(v) is not Series:
        return {0: (ONE, v)}
    return v.parts if v.parts is not None else {id(v): (v, ONE)}


def factors_of(v: Value) -> Parts:
    """The series that were multiplied to give v, with their powers."""
    if type(v) is not Series:
        return {}
    return v.factors if v.factors is not None else {id(v): (v, ONE)}


def _name(v: Value) -> Any:
    return id(v) if type(v) is Series else v


def is_number(v: Value) -> bool:
    return type(v) is not Series


class Field:
    """The multiseries of one limit: its scales, what was computed already, and the budget."""

    def __init__(self, *, seconds: float = 5.0, work: int = 20_000) -> None:
        self.t = Scale(fmpq(0), None, 0)
        self.scales = [self.t]  # fastest first
        self.memo: dict[Any, Any] = {}
        self.kept: list[Any] = []  # operands stay alive, so that their identities stay theirs
        self.work, self.deadline = work, time.monotonic() + seconds
        self.variable = Series(self.t, [(ONE, ONE)])

    # ------------------------------------------------------------ budget and memory

    def tick(self) -> None:
        self.work -= 1
        if self.work < 0:
            raise Spent("the terms cancelled as far as they were computed: the work was bounded")
        if not self.work & 63 and time.monotonic() > self.deadline:
            raise Spent("the time was used up before a term was found that does not cancel")

    @contextmanager
    def limited(self, work: int) -> Iterator[None]:
        """Within the block only this much work; what remained before remains afterwards."""
        before, self.work = self.work, min(self.work, work)
        try:
            yield
        finally:
            self.work = before

    def remember(self, key: tuple[Any, ...], operands: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = compute()
            self.kept.append(operands)
        return found

    # ------------------------------------------------------------ structure

    def is_zero(self, v: Value) -> bool:
        if type(v) is Series:
            return v.term(0) is None
        return not v if type(v) is fmpq else not v.keys and K.is_zero(v)

    def coefficient(self, v: Series) -> tuple[Number, Value, Series]:
        """The first term (e, c), and the rest."""
        first = v.term(0)
        if first is None:
            raise Undefined("division by a function that is 0 near the point")
        return first[0], first[1], v.rest()

    def lead(self, v: Value) -> tuple[Monomial, Number]:
        """The leading monomial and its constant: v ~ c·Π bᵉ. Zero gives ((), 0)."""
        found = []
        while type(v) is Series:
            first = v.term(0)
            if first is None:
                return (), ZERO
            if self.sign_of(first[0]):
                found.append((v.scale, first[0]))
            v = first[1]
        return tuple(found), v

    def sign_of(self, c: Number) -> int:
        if type(c) is fmpq:
            return (c > 0) - (c < 0)
        try:
            return K.sign(c)
        except K.Undecided as error:
            if K.is_oscillating(c):
                raise Oscillates("a bounded oscillating factor takes both signs") from error
            raise Unknown(f"whether {K.show(c)} is zero could not be decided") from error

    def sign(self, v: Value) -> int:
        """The sign that v has from some point on; 0 if it is identically 0."""
        return self.sign_of(self.lead(v)[1])

    def growth(self, v: Value) -> int:
        """1: |v| → ∞, 0: to a constant that is not 0 (or bounded away from it), -1: to 0."""
        monomial, c = self.lead(v)
        return self.sign_of(monomial[0][1]) if monomial else (0 if self.nonzero(c) else -1)

    def nonzero(self, c: Number) -> bool:
        return not self.is_zero(c)

    def split(self, v: Value) -> tuple[Value, Number, Value]:
        """The infinite part, the constant and what tends to 0."""
        if type(v) is not Series:
            return ZERO, v, ZERO
        return self.remember(("split", id(v)), (v,), lambda: self._split(v))

    def _split(self, v: Series) -> tuple[Value, Number, Value]:
        large: list[Term] = []
        k = 0
        while (term := v.term(k)) is not None and self.sign_of(term[0]) > 0:
            large.append(term)
            k += 1
        if term is None or self.sign_of(term[0]) < 0:
            return (v if term is None and large else Series(v.scale, large) if large else ZERO), ZERO, (
                ZERO if term is None else v if not large else v.rest(k))  # fmt: skip
        inner, constant, small = self.split(term[1])
        infinite = Series(v.scale, large + ([] if is_number(inner) else [(ZERO, inner)])) if large else inner
        if v._source is None and len(v._ready) == k + 1:
            return infinite, constant, small
        head = [] if is_number(small) else [(ZERO, small)]
        return infinite, constant, Series(v.scale, itertools.chain(head, v.terms(k + 1)))

    def limit(self, v: Value) -> Number | float:
        """The limit: a constant, or ±inf. An oscillating constant raises Oscillates."""
        monomial, c = self.lead(v)
        if not monomial:
            if K.is_oscillating(c):
                raise Oscillates("the leading coefficient oscillates")
            return c
        if self.sign_of(monomial[0][1]) < 0:
            return ZERO
        return float("inf") if self.sign_of(c) > 0 else float("-inf")

    # ------------------------------------------------------------ arithmetic

    def lift(self, v: Value, scale: Scale) -> Series:
        if type(v) is Series and v.scale is scale:
            return v
        if type(v) is not Series:
            return Series(scale, [(ZERO, v)] if self.nonzero(v) else [])
        return self.remember(("lift", id(v), id(scale)), (v,), lambda: Series(scale, self._lifted(v)))

    def _lifted(self, v: Value) -> Iterator[Term]:
        if not self.is_zero(v):
            yield ZERO, v

    def _faster(self, a: Value, b: Value) -> Scale:
        if type(a) is not Series:
            return b.scale
        return a.scale if type(b) is not Series or a.scale.rank >= b.scale.rank else b.scale

    def neg(self, a: Value) -> Value:
        if type(a) is not Series:
            return K.mul(fmpq(-1), a)
        found = self.memo.get(("neg", id(a)))
        if found is None:
            found = Series(a.scale, ((e, self.neg(c)) for e, c in a.terms()))
            found.parts = {k: (s, K.neg(q)) for k, (s, q) in parts_of(a).items()}
            self.memo["neg", id(a)], self.memo["neg", id(found)] = found, a
            self.kept += (a, found)
        return found

    def add(self, a: Value, b: Value) -> Value:
        if type(a) is not Series and type(b) is not Series:
            return K.add(a, b)
        if self._none(a) or self._none(b):
            return b if self._none(a) else a
        key = ("add", *sorted((_name(a), _name(b)), key=repr))
        return self.remember(key, (a, b), lambda: self._added(a, b))

    def _added(self, a: Value, b: Value) -> Value:
        """The sum; what both have among their parts is collected first."""
        left, right = parts_of(a), parts_of(b)
        together = self._collected(left, right)
        if len(together) < len(left.keys() | right.keys()):  # something cancelled
            return self._total(together)
        found = self._sum(a, b)
        if len(together) <= PARTS:
            found.parts = together
        return found

    def _collected(self, left: Parts, right: Parts) -> Parts:
        found = dict(left)
        for key, (part, q) in right.items():
            total = K.add(found[key][1], q) if key in found else q
            found[key] = (part, total)
        return {key: (part, q) for key, (part, q) in found.items() if self.nonzero(q)}

    def _total(self, parts: Parts) -> Value:
        total: Value = ZERO
        for part, q in parts.values():
            multiple = self.mul(q, part)
            if type(total) is Series or type(multiple) is Series:
                total = multiple if self._none(total) else self._sum(total, multiple)
            else:
                total = K.add(total, multiple)
        if type(total) is Series and len(parts) > 1:
            total.parts = parts
        return total

    def _none(self, v: Value) -> bool:
        return type(v) is not Series and self.is_zero(v)

    def _sum(self, a: Value, b: Value) -> Series:
        scale = self._faster(a, b)
        return Series(scale, self._merge(self.lift(a, scale), self.lift(b, scale)))

    def sub(self, a: Value, b: Value) -> Value:
        if a is b:
            return ZERO
        return self.add(a, self.neg(b))

    def _merge(self, a: Series, b: Series) -> Iterator[Term]:
        i = j = 0
        while True:
            self.tick()
            x, y = a.term(i), b.term(j)
            if x is None or y is None:
                yield from a.terms(i) if y is None else b.terms(j)
                return
            order = self.compare(x[0], y[0])
            i, j = i + (order >= 0), j + (order <= 0)
            if order:
                yield x if order > 0 else y
                continue
            c = self.add(x[1], y[1])
            if not self.is_zero(c):
                yield x[0], c

    def compare(self, a: Number, b: Number) -> int:
        if type(a) is fmpq and type(b) is fmpq:
            return (a > b) - (a < b)
        return self.sign_of(K.add(a, K.mul(fmpq(-1), b)))

    def mul(self, a: Value, b: Value) -> Value:
        if type(a) is not Series and type(b) is not Series:
            return K.mul(a, b)
        if type(b) is not Series or (type(a) is Series and a.scale.rank > b.scale.rank):
            a, b = b, a  # b is the one in the fastest scale
        if type(a) is not Series:
            if self.is_zero(a):
                return ZERO
            if a == 1:
                return b
        return self.remember(("mul", _name(a), id(b)), (a, b), lambda: self._multiplied(a, b))

    def _multiplied(self, a: Value, b: Series) -> Value:
        if type(a) is not Series:
            found = self._product(a, b)
            found.parts = {k: (s, K.mul(a, q)) for k, (s, q) in parts_of(b).items()}
            return found
        return self._combined(a, b, factors_of(a), factors_of(b), self._product)

    def _combined(self, a: Value, b: Value, left: Parts, right: Parts, compute: Callable[[Any, Any], Any]) -> Value:
        """A product or quotient by its factors where they meet, else computed, and the factors kept."""
        together = self._collected(left, right)
        if len(together) < len(left.keys() | right.keys()):
            return self._product_of(together)
        found = compute(a, b)
        if type(found) is Series and len(together) <= PARTS:
            found.factors = together
        return found

    def _product_of(self, factors: Parts) -> Value:
        total: Value = ONE
        for factor, r in factors.values():
            power = factor if type(r) is fmpq and r == 1 else self.power(factor, r)
            total = power if is_number(total) and total == 1 else self.mul(total, power)
        return total

    def _product(self, a: Value, b: Series) -> Series:
        if type(a) is Series and a.scale is b.scale:
            return Series(b.scale, self._multiply(a, b))
        return Series(b.scale, self._multiples(a, b))

    def _multiples(self, a: Value, b: Series) -> Iterator[Term]:
        if not self.is_zero(a):
            yield from ((e, self.mul(a, c)) for e, c in b.terms())

    def _multiply(self, a: Series, b: Series) -> Iterator[Term]:
        """The products of terms by decreasing exponent: a heap of the pairs (i, j) whose neighbors are done."""
        waiting: list[tuple[Any, int, int, Value]] = []

        def push(i: int, j: int) -> None:
            x = a.term(i)
            y = b.term(j) if x is not None else None
            if x is not None and y is not None:
                heapq.heappush(waiting, (self._key(K.add(x[0], y[0])), i, j, (x, y)))

        push(0, 0)
        while waiting:
            self.tick()
            exponent = K.add(waiting[0][3][0][0], waiting[0][3][1][0])
            top, taken, total = waiting[0][0], [], ZERO
            while waiting and not (waiting[0][0] < top or top < waiting[0][0]):
                _, i, j, (x, y) = heapq.heappop(waiting)
                taken.append((i, j))
                total = self.add(total, self.mul(x[1], y[1]))
            if not self.is_zero(total):
                yield exponent, total
            for i, j in taken:
                push(i, j + 1)
                if j == 0:
                    push(i + 1, 0)

    def _key(self, e: Number) -> Any:
        """Larger exponents come first in the heap."""
        return _Falling(self, e)

    def div(self, a: Value, b: Value) -> Value:
        if type(b) is not Series:
            if self.is_zero(b):
                raise Undefined("division by 0")
            return self.mul(a, self._reciprocal(b))
        if a is b:
            self.coefficient(b)
            return ONE
        return self.remember(("div", _name(a), id(b)), (a, b), lambda: self._divided(a, b))

    def _divided(self, a: Value, b: Series) -> Value:
        below = {k: (s, K.neg(r)) for k, (s, r) in factors_of(b).items()}
        if type(a) is not Series:
            found = self._quotient(a, b)
            if type(found) is Series and a == 1:
                found.factors = below
            return found
        return self._combined(a, b, factors_of(a), below, self._quotient)

    def _reciprocal(self, c: Number) -> Number:
        if K.is_oscillating(c):
            raise Oscillates("division by an oscillating factor")
        return K.div(ONE, c)

    def _quotient(self, a: Value, b: Series) -> Value:
        if type(a) is Series and a.scale.rank > b.scale.rank:
            inverse = self.div(ONE, b)
            return Series(a.scale, self._multiples(inverse, a))
        e, c, rest = self.coefficient(b)
        inverse = self.div(ONE, c)
        numerator = self.lift(a, b.scale)
        return Series(b.scale, self._divide(numerator, e, inverse, rest))

    def _divide(self, left: Series, e: Number, inverse: Value, rest: Series) -> Iterator[Term]:
        """Long division: each term of the quotient removes the leading term of what is left."""
        while (first := left.term(0)) is not None:
            self.tick()
            power, c = K.add(first[0], K.mul(fmpq(-1), e)), self.mul(first[1], inverse)
            yield power, c
            step = Series(left.scale, [(power, self.neg(c))])
            left = self._sum(left.rest(), self._product(step, rest))

    # ------------------------------------------------------------ composition

    def compose(self, a: Coefficients, u: Value) -> Value:
        """Σ a(k)·uᵏ for u → 0; a(k) are constants, or multiseries in scales slower than that of u."""
        if type(u) is not Series:
            if not self.is_zero(u):
                raise AssertionError("composition needs a series that tends to 0")
            return a(0)
        return self.remember(("compose", a, id(u)), (a, u), lambda: self._composition(a, u))

    def _composition(self, a: Coefficients, u: Series) -> Value:
        first = u.term(0)
        if first is None:
            return a(0)
        if self.sign_of(first[0]) < 0:
            return Series(u.scale, self._horner(a, u, 0))
        inner = first[1]  # exponent 0: the part of u in slower scales
        shifted = _cached(lambda k: self.compose(_shift(a, k), inner) if a(k) is not None else None)
        return Series(u.scale, self._horner(shifted, u.rest(), 0))

    def _horner(self, a: Coefficients, u: Series, k: int) -> Iterator[Term]:
        """a(k) + u·(a(k+1) + u·(…)), each bracket computed when a term of it is needed."""
        self.tick()
        c = a(k)
        if c is None:
            return
        if not self.is_zero(c):
            yield ZERO, c
        inside = Series(u.scale, self._horner(a, u, k + 1))
        yield from self._multiply(u, inside)

    def relative(self, v: Series) -> tuple[Number, Value, Series]:
        """(e, c, u) with v = bᵉ·c·(1 + u), u of negative exponents."""
        return self.remember(("relative", id(v)), (v,), lambda: self._relative(v))

    def _relative(self, v: Series) -> tuple[Number, Value, Series]:
        e, c, rest = self.coefficient(v)
        inverse = self.div(ONE, c)
        return e, c, Series(v.scale, ((K.add(p, K.mul(fmpq(-1), e)), self.mul(q, inverse)) for p, q in rest.terms()))

    # ------------------------------------------------------------ powers, logarithms, exponentials

    def monomial(self, scale: Scale, e: Number) -> Value:
        return ONE if self.sign_of(e) == 0 else Series(scale, [(e, ONE)])

    def power(self, v: Value, r: Number) -> Value:
        """vʳ for a constant r: v positive, or r whole."""
        if type(v) is not Series:
            return self._constant_power(v, r)
        return self.remember(("power", id(v), r), (v,), lambda: self._power(v, r))

    def _constant_power(self, c: Number, r: Number) -> Number:
        whole = type(r) is fmpq and r.q == 1
        if self.is_zero(c):
            if self.sign_of(r) <= 0:
                raise Undefined("0 to a power that is not positive")
            return ZERO
        if K.is_oscillating(c):
            if whole and 0 < r <= 64:
                return _repeated(c, int(r.p))
            raise Oscillates("a power of an oscillating factor")
        if not whole and self.sign_of(c) < 0:
            raise Undefined("a power of a negative number has no real value")
        return K.power(c, r)

    def _power(self, v: Series, r: Number) -> Value:
        if v.term(0) is None:
            return self._constant_power(ZERO, r)
        e, c, u = self.relative(v) if not self._small_power(r, v) else (None, None, None)
        if e is None:
            return self._repeat(v, int(r.p))
        lead = Series(v.scale, [(K.mul(e, r), self.power(c, r))])
        return self.mul(lead, self.compose(binomial(r), u))

    def _small_power(self, r: Number, v: Series) -> bool:
        """Small whole powers are products: nothing needs to be inverted, so that oscillators pass."""
        return type(r) is fmpq and r.q == 1 and 0 < r <= 3

    def _repeat(self, v: Series, n: int) -> Value:
        result: Value = v
        for _ in range(n - 1):
            result = self.mul(result, v)
        return result

    def log(self, v: Value) -> Value:
        if type(v) is not Series:
            return self._constant_log(v)
        return self.remember(("log", id(v)), (v,), lambda: self._log(v))

    def _constant_log(self, c: Number) -> Number:
        if K.is_oscillating(c):
            raise Oscillates("the logarithm of an oscillating factor")
        sign = self.sign_of(c)
        if sign <= 0:
            raise Undefined("the logarithm of a negative number" if sign else "the logarithm of 0")
        return K.log(c)

    def _log(self, v: Series) -> Value:
        if v.term(0) is None:
            raise Undefined("the logarithm of 0")
        e, c, u = self.relative(v)
        total = self.add(self.log(c), self.compose(LOG1P, u))
        found = total if self.sign_of(e) == 0 else self.add(self.mul(e, self.log_of(v.scale)), total)
        if type(found) is Series and found.origin is None and found.parts is None:
            found.origin = v
        return found

    def log_of(self, scale: Scale) -> Value:
        """The logarithm of a scale; that of t, log t, … is a new scale just below."""
        if scale.log is None:
            assert scale.height is not None
            below = Scale(scale.rank - 1, None, scale.height + 1)
            self.scales.append(below)
            scale.log = Series(below, [(ONE, ONE)])
        return scale.log

    def exp(self, v: Value) -> Value:
        if type(v) is not Series:
            return self._constant_exp(v)
        return self.remember(("exp", id(v)), (v,), lambda: self._exp(v))

    def _constant_exp(self, c: Number) -> Number:
        if K.is_oscillating(c):
            raise Oscillates("the exponential of an oscillating number")
        return K.exp(c)

    def _exp(self, v: Series) -> Value:
        parts = parts_of(v)
        known = {k: (s.origin, r) for k, (s, r) in parts.items() if type(s) is Series and s.origin is not None}
        if not known:
            return self._exponential(v)
        left = self._total({k: p for k, p in parts.items() if k not in known})
        result = self.exp(left)
        for origin, r in known.values():  # exp(r log A + B) = Aʳ exp B
            result = self.mul(result, self.power(origin, r))
        return result

    def _exponential(self, v: Series) -> Value:
        infinite, c, small = self.split(v)
        result = self.compose(EXP, small)
        if not self.is_zero(c):
            result = self.mul(self._constant_exp(c), result)
        return result if is_number(infinite) else self.mul(self.exp_infinite(infinite), result)

    def exp_infinite(self, h: Series) -> Value:
        """exp(h) of an infinite h: a power of a scale that is there (times what is left), or a new scale."""
        return self.remember(("exp_infinite", id(h)), (h,), lambda: self._exp_infinite(h))

    def _exp_infinite(self, h: Series) -> Value:
        monomial, c = self.lead(h)
        sign = self.sign_of(c)
        for place, scale in enumerate(self.scales):
            if scale.log is None:  # its logarithm grows slower than all that is there, so h grows faster
                return self._new_scale(h, sign, place)
            other, d = self.lead(scale.log)
            order = self.compare_growth(monomial, other)
            if order == 0:
                r = K.div(c, d)
                left = self.sub(h, self.mul(r, scale.log))
                rest = self._exponential(left) if type(left) is Series else self._constant_exp(left)
                return self.mul(self.monomial(scale, r), rest)
            if order > 0:
                return self._new_scale(h, sign, place)
        return self._new_scale(h, sign, len(self.scales))

    def _new_scale(self, h: Series, sign: int, place: int) -> Value:
        above = self.scales[place - 1].rank if place else None
        below = self.scales[place].rank if place < len(self.scales) else None
        if below is None:
            rank = (above if above is not None else fmpq(0)) - 1
        else:
            rank = below + 1 if above is None else (above + below) / 2
        scale = Scale(rank, h if sign > 0 else self.neg(h))
        self.scales.insert(place, scale)
        return Series(scale, [(fmpq(sign), ONE)])

    def compare_growth(self, a: Monomial, b: Monomial) -> int:
        """Which of two monomials is larger in the end: by the fastest scale in which they differ."""
        for x, y in itertools.zip_longest(a, b):
            if y is None or (x is not None and x[0].rank > y[0].rank):
                return self.sign_of(x[1])
            if x is None or y[0].rank > x[0].rank:
                return -self.sign_of(y[1])
            order = self.compare(x[1], y[1])
            if order:
                return order
        return 0

    # ------------------------------------------------------------ asking

    def order(self, a: Value, b: Value) -> Literal[-1, 0, 1]:
        """Which is larger from some point on."""
        found = self.sign(self.sub(a, b))
        return 1 if found > 0 else -1 if found < 0 else 0


class _Falling:
    """An exponent in the heap: larger ones first."""

    __slots__ = ("e", "field")

    def __init__(self, field: Field, e: Number) -> None:
        self.field, self.e = field, e

    def __lt__(self, other: _Falling) -> bool:
        return self.field.compare(self.e, other.e) > 0


def _repeated(c: Number, n: int) -> Number:
    result: Number = ONE
    for _ in range(n):
        result = K.mul(result, c)
    return result


def _cached(a: Coefficients) -> Coefficients:
    found: dict[int, Any] = {}

    def coefficient(k: int) -> Any:
        if k not in found:
            found[k] = a(k)
        return found[k]

    return coefficient


def _shift(a: Coefficients, k: int) -> Coefficients:
    """The coefficients of the k-th derivative over k!: binomial(j + k, k)·a(j + k)."""
    if k == 0:
        return a

    def coefficient(j: int) -> Any:
        found = a(j + k)
        return None if found is None else K.mul(_choose(j + k, k), found)

    return coefficient


def _choose(n: int, k: int) -> fmpq:
    return fmpq(math.comb(n, k))


_factorials = [1]


def factorial(n: int) -> int:
    while len(_factorials) <= n:
        _factorials.append(_factorials[-1] * len(_factorials))
    return _factorials[n]


EXP: Coefficients = lambda k: fmpq(1, factorial(k))
LOG1P: Coefficients = lambda k: fmpq(1 if k % 2 else -1, k) if k else ZERO


def binomial(r: Number) -> Coefficients:
    """(1 + u)ʳ: r(r − 1)…(r − k + 1)/k!, which ends for a whole r ≥ 0."""
    found: list[Number] = [ONE]

    def coefficient(k: int) -> Any:
        if type(r) is fmpq and r.q == 1 and r >= 0 and k > r:
            return None
        while len(found) <= k:
            n = len(found)
            found.append(K.div(K.mul(found[-1], K.add(r, fmpq(1 - n))), fmpq(n)))
        return found[k]

    return coefficient
