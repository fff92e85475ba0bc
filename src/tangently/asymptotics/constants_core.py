"""Exactly known real constants: finite sums Σ q·m of rationals times products of atoms, and their arithmetic.

A constant is an `fmpq` where it is rational, else an `Exact`: a dictionary from monomials to rational coefficients. A
*monomial* is a product Π aᵉ of atoms to rational exponents; an *atom* is one number that is not taken apart further: a
prime, π, γ, eᵐ for a monomial m (so that e^(1 + 2√2) is e¹·(e^√2)², and exponents simply add), log a, sin a, cos a, a
positive sum S (for its inverse and its roots), or a row of the table applied to constants. Atoms and monomials are
interned, so that equality is identity, a term is found by its address, and a product of two monomials is computed
once.

The laws that make the form normal are applied where two monomials are multiplied (`reduced`):

    p^(n + f) → pⁿ·p^f                  primes keep an exponent in [0, 1)
    sin²a → 1 − cos²a                   also for oscillators, whose angle is no number
    cos²a·sinʳa → sinʳa − sinʳ⁺²a       for r < 0
    cos πr·cos πs → (cos π(r − s) + cos π(r + s))/2   and its likes: one trigonometric atom at most
    S^(n + f) → Sⁿ expanded, times S^f  for n ≥ 1
    L/S → 1 − (S − L)/S                 for the leading monomial L of S: the remainder of a division
    √S·√T → √(ST)                       where that comes out simpler (algebraic S, T)

A form that is empty is zero. One that is not empty is proven to be nonzero only by a ball that excludes 0 (`sign`);
what neither shows goes to `constants_deciding`.

Sources: for the form, J. H. Davenport, Y. Siret, É. Tournier, Computer Algebra, ch. 2 (1993); for deciding zero by
identities and balls, D. Richardson, How to recognize zero, J. Symbolic Computation 24 (1997); balls: F. Johansson,
Arb, IEEE Trans. Computers 66 (2017).

Glossary: c, d constants; q, r rationals; m monomial; a atom; e exponent; S the constant inside a sum atom.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import flint
from flint import arb, fmpq

from tangently.enclosure import precision
from tangently.errors import BudgetError, InputError

PRIME, PI, EULER, EXP, LOG, SIN, COS, SINPI, COSPI, SUM, ROW, OSCILLATOR = (
    "prime", "pi", "euler", "exp", "log", "sin", "cos", "sinpi", "cospi", "sum", "row", "oscillator",
)  # fmt: skip
RULED = frozenset({SIN, SINPI, COSPI, SUM})  # kinds of atoms whose products may be rewritten
POSITIVE = frozenset({PRIME, PI, EULER, EXP, SINPI, COSPI, SUM})
ZERO, ONE, MINUS, HALF, TWO = fmpq(0), fmpq(1), fmpq(-1), fmpq(1, 2), fmpq(2)
LONG = 1 << 16  # bits of a power of a prime that is still written out
EXPANDED = 32  # the exponent up to which a power of a sum is multiplied out
QUOTIENT = 12  # the degree of a quotient that is still divided out
TERMS = 2000  # more terms than that are no constant that a person would meet
PRECISIONS = (64, 128, 256, 512, 1024, 2048, 8192)


class Undecided(BudgetError):
    """Whether `constant` is zero could neither be proven nor refuted: it agrees with 0 to `digits` decimal digits."""

    def __init__(self, constant: Any, digits: int = 0, reason: str = "") -> None:
        self.constant, self.digits = constant, digits
        self._reason = reason

    def __str__(self) -> str:
        from tangently.asymptotics.constants_writing import show

        if self._reason:
            return self._reason
        agrees = f"it agrees with 0 to {self.digits} digits, and no identity shows that it is 0"
        return f"the sign of {show(self.constant)} could not be decided: {agrees}"


class Atom:
    """One number that is not taken apart further. Interned: equal atoms are the same object."""

    __slots__ = ("__weakref__", "algebraic", "balls", "data", "keys", "kind", "ruled", "serial", "signed")
    counter = itertools.count()

    def __init__(self, kind: str, data: Any, keys: frozenset[Hashable], algebraic: bool) -> None:
        self.kind, self.data, self.keys, self.algebraic = kind, data, keys, algebraic
        self.ruled = kind in RULED or (kind == OSCILLATOR and data[0] == SIN)
        self.serial = next(Atom.counter)
        self.balls: dict[int, arb] = {}
        self.signed: int | None = 1 if kind in POSITIVE else None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.data!r}>"


Factors = tuple[tuple[Atom, fmpq], ...]


class Monomial:
    """A product of atoms to rational exponents, sorted by age of the atom. Interned: equal monomials are one object."""

    __slots__ = ("__weakref__", "algebraic", "balls", "factors", "keys")

    def __init__(self, factors: Factors) -> None:
        self.factors = factors
        self.algebraic = all(a.algebraic for a, _ in factors)
        self.keys: frozenset[Hashable] = frozenset().union(*[a.keys for a, _ in factors])
        self.balls: dict[int, arb] = {}

    def __repr__(self) -> str:
        return "·".join(f"{a!r}^{e}" for a, e in self.factors) or "1"


_atoms: weakref.WeakValueDictionary[Any, Atom] = weakref.WeakValueDictionary()
_monomials: weakref.WeakValueDictionary[Any, Monomial] = weakref.WeakValueDictionary()


def atom(kind: str, data: Any = None) -> Atom:
    """The atom of this kind and data, the one that exists already if there is one."""
    key = (kind, _key(data))
    found = _atoms.get(key)
    if found is None:
        keys, algebraic = _nature(kind, data)
        found = _atoms[key] = Atom(kind, data, keys, algebraic)
    return found


def _key(data: Any) -> Hashable:
    """Data as a dictionary's key: an fmpq by its integers, since hashing one takes microseconds (and imports)."""
    if type(data) is fmpq:
        return (int(data.p), int(data.q))
    return tuple([_key(part) for part in data]) if type(data) is tuple else data


def _nature(kind: str, data: Any) -> tuple[frozenset[Hashable], bool]:
    """The oscillators inside an atom, and whether it is an algebraic number."""
    if kind == OSCILLATOR:
        return frozenset({data[1]}), False
    parts = data[1] if kind == ROW else (data,)
    inside = [p.keys for p in parts if isinstance(p, (Exact, Monomial))]
    algebraic = kind in (PRIME, SINPI, COSPI) or (kind == SUM and data.algebraic)
    return frozenset().union(*inside), algebraic


def monomial(powers: Iterable[tuple[Atom, fmpq]]) -> Monomial:
    """The monomial of these factors as they are (`reduced` applies the laws)."""
    factors = tuple(sorted(powers, key=_age))
    key = tuple([(a, int(e.p), int(e.q)) for a, e in factors])
    found = _monomials.get(key)
    if found is None:
        found = _monomials[key] = Monomial(factors)
    return found


def _age(factor: tuple[Atom, fmpq]) -> int:
    return factor[0].serial


class Exact:
    """A real constant that is not rational: {monomial: coefficient}, in normal form. Immutable and hashable."""

    __slots__ = ("__weakref__", "_balls", "_hash", "_keys", "_sign", "terms")
    terms: Final[dict[Monomial, fmpq]]

    def __init__(self, terms: dict[Monomial, fmpq]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._sign: int | None = None
        self._keys: frozenset[Hashable] | None = None
        self._balls: dict[int, arb] | None = None

    @property
    def algebraic(self) -> bool:
        """Built of rationals, radicals, and sines and cosines of rational multiples of π alone?"""
        return all(m.algebraic for m in self.terms)

    @property
    def keys(self) -> frozenset[Hashable]:
        """The keys of the oscillators in it."""
        if self._keys is None:
            self._keys = frozenset().union(*[m.keys for m in self.terms])
        return self._keys

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset([(m, int(q.p), int(q.q)) for m, q in self.terms.items()]))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is Exact and self.terms == other.terms)

    def __add__(self, other: Any) -> Number:
        return add(self, as_number(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Number:
        return add(self, neg(as_number(other)))

    def __rsub__(self, other: Any) -> Number:
        return add(as_number(other), neg(self))

    def __mul__(self, other: Any) -> Number:
        return mul(self, as_number(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Number:
        return div(self, as_number(other))

    def __rtruediv__(self, other: Any) -> Number:
        return div(as_number(other), self)

    def __pow__(self, other: Any) -> Number:
        from tangently.asymptotics.constants_functions import power

        return power(self, as_number(other))

    def __neg__(self) -> Number:
        return neg(self)

    def __repr__(self) -> str:
        from tangently.asymptotics.constants_writing import show

        return show(self)


Number = fmpq | Exact
ONLY = monomial(())  # the empty product: the monomial of a rational


def as_number(value: Any) -> Number:
    """A rational or an exact constant as itself; an int or a Fraction as a rational."""
    kind = type(value)
    if kind is fmpq or kind is Exact:
        return value
    if isinstance(value, (int, flint.fmpz)):
        return fmpq(int(value))
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    raise InputError(
        f"got {value!r} of type {kind.__name__}; wanted an exact number: an int, a Fraction, an fmpq or an Exact "
        "(read_float reads a float)"
    )


def collected(terms: dict[Monomial, fmpq]) -> Number:
    """The number of these terms, of which none has the coefficient 0."""
    if not terms:
        return ZERO
    if len(terms) == 1 and ONLY in terms:
        return terms[ONLY]
    if len(terms) > TERMS:
        raise Undecided(
            ZERO, 0, f"a constant grew to {len(terms)} terms; the bound is {TERMS}: write it in another way"
        )
    return Exact(terms)


def term(q: fmpq, *powers: tuple[Atom, fmpq]) -> Number:
    """q·Π aᵉ, by the laws; an atom may come more than once."""
    merged: dict[Atom, fmpq] = {}
    for a, e in powers:
        merged[a] = merged[a] + e if a in merged else e
    return scale(reduced(merged.items()), q)


def of_monomial(m: Monomial) -> Number:
    return collected({m: ONE})


def terms_of(c: Number) -> dict[Monomial, fmpq]:
    """The terms of a constant (not to be changed)."""
    if type(c) is Exact:
        return c.terms
    return {ONLY: c} if c else {}  # type: ignore[dict-item]


# ---------------------------------------------------------------- arithmetic


def add(a: Number, b: Number) -> Number:
    """a + b.

    >>> from tangently.asymptotics.constants import read_float, sqrt
    >>> add(sqrt(fmpq(12)), sqrt(fmpq(3)))
    3√3
    """
    if type(a) is fmpq and type(b) is fmpq:
        return a + b
    total = dict(terms_of(a))
    _accumulate(total, terms_of(b), ONE)
    return collected(total)


def _accumulate(total: dict[Monomial, fmpq], terms: Mapping[Monomial, fmpq], q: fmpq) -> None:
    """total += q·terms, in place."""
    for m, c in terms.items():
        new = c * q
        old = total.get(m)
        if old is not None:
            new = new + old
        if new:
            total[m] = new
        elif old is not None:
            del total[m]


def neg(a: Number) -> Number:
    return -a if type(a) is fmpq else Exact({m: -q for m, q in terms_of(a).items()})


def sub(a: Number, b: Number) -> Number:
    return add(a, neg(b))


def scale(a: Number, q: fmpq) -> Number:
    """q·a for a rational q."""
    if type(a) is fmpq:
        return a * q
    return Exact({m: c * q for m, c in terms_of(a).items()}) if q else ZERO


def mul(a: Number, b: Number) -> Number:
    """a·b.

    >>> from tangently.asymptotics.constants import sqrt
    >>> mul(sqrt(fmpq(2)), sqrt(fmpq(6)))
    2√3
    """
    if type(a) is fmpq:
        return a * b if type(b) is fmpq else scale(b, a)
    if type(b) is fmpq:
        return scale(a, b)
    total: dict[Monomial, fmpq] = {}
    right = terms_of(b).items()
    if len(right) * len(terms_of(a)) > 20 * TERMS:
        long = f"a product of {len(terms_of(a))} by {len(right)} terms is too long; write it in another way"
        raise Undecided(ZERO, 0, long)
    for m, q in terms_of(a).items():
        for n, r in right:
            _accumulate(total, product(m, n), q * r)
    return collected(total)


@lru_cache(maxsize=1 << 15)
def product(m: Monomial, n: Monomial) -> Mapping[Monomial, fmpq]:
    """The terms of m·n."""
    if not m.factors or not n.factors:
        return {(n if not m.factors else m): ONE}
    powers = dict(m.factors)
    for a, e in n.factors:
        powers[a] = powers[a] + e if a in powers else e
    return terms_of(reduced(powers.items()))


def total_of(parts: Iterable[Number]) -> Number:
    """The sum of many constants."""
    total: dict[Monomial, fmpq] = {}
    for part in parts:
        _accumulate(total, terms_of(part), ONE)
    return collected(total)


def whole_power(a: Number, n: int) -> Number:
    """aⁿ for an integer n, multiplied out; 0⁻¹ is a ValueError.

    >>> from tangently.asymptotics.constants import sqrt
    >>> whole_power(1 + sqrt(fmpq(2)), -2)
    3 − 2√2
    """
    if n < 0:
        return whole_power(inverse(a), -n)
    if type(a) is fmpq:
        return a**n
    found: Number = ONE
    while n:
        if n & 1:
            found = mul(found, a)
        n >>= 1
        if n:
            a = mul(a, a)
    return found


def div(a: Number, b: Number) -> Number:
    """a/b; a ValueError where b is 0, Undecided where that is not known.

    >>> from tangently.asymptotics.constants import sqrt
    >>> div(fmpq(1), sqrt(fmpq(2)))
    √2/2
    """
    if type(b) is fmpq:
        if not b:
            raise ValueError("a division by 0 has no value")
        return a / b if type(a) is fmpq else scale(a, 1 / b)
    return mul(a, inverse(b))


def inverse(c: Number) -> Number:
    """1/c: exponents negated, roots made rational where the number is algebraic of small degree, else a sum atom.

    >>> from tangently.asymptotics.constants import log
    >>> inverse(2 + 2 * log(fmpq(3)))
    1/(2(ln 3 + 1))
    """
    if type(c) is fmpq:
        return div(ONE, c)
    if sign(c) == 0:
        raise ValueError("a division by 0 has no value")
    if len(terms_of(c)) == 1:
        [(m, q)] = terms_of(c).items()
        return term(1 / q, *[(a, -e) for a, e in m.factors])
    return _inverse_of_sum(c)  # type: ignore[arg-type]


@lru_cache(maxsize=1 << 11)
def _inverse_of_sum(c: Exact) -> Number:
    if c.algebraic:
        from tangently.asymptotics.constants_radicals import rational_inverse

        found = rational_inverse(c)
        if found is not None:
            return found
    q, m, S = content(c)
    outside = [(a, -e) for a, e in m.factors]
    if len(terms_of(S)) > 1:
        return term(1 / q, *outside, (atom(SUM, S), MINUS))
    return mul(term(1 / q, *outside), inverse(S))


def content(c: Exact) -> tuple[fmpq, Monomial, Number]:
    """c = q·m·S for a sum c: S > 0 with coprime integer coefficients and no atom in common (now perhaps one term).

    1 − cos²a is sin²a here, and π² + 2π + 1 is (π + 1)², so that roots and logarithms are those of a product.

    The roots of primes stay in S where c is algebraic: √(10 − 2√5) is easier to read than √2·⁴√5·√(√5 − 1).
    """
    common = _common_factors(c)
    S: Number = mul(c, term(ONE, *[(a, -e) for a, e in common])) if common else c
    q = _rational_content(terms_of(S).values()) * sign(S)
    S = scale(S, 1 / q)
    sine = _sine_of_square(S)
    if sine is not None:
        return q, monomial([*common, (sine, TWO)]), ONE
    powers = _repeated(S)
    return (q, monomial(common), S) if powers is None else (q, monomial([*common, *powers]), ONE)


def _repeated(S: Number) -> list[tuple[Atom, fmpq]] | None:
    """The repeated factors of a sum as sum atoms."""
    from tangently.asymptotics.constants_radicals import repeated_factors

    found = repeated_factors(S) if type(S) is Exact and len(S.terms) > 2 else None
    return None if found is None else [(atom(SUM, f), fmpq(e)) for f, e in found]


def _sine_of_square(S: Number) -> Atom | None:
    """sin a for S = 1 − cos²a, of which no other factor is in common."""
    if type(S) is not Exact or len(S.terms) != 2 or S.terms.get(ONLY) != 1:
        return None
    [(m, q)] = [(m, q) for m, q in S.terms.items() if m is not ONLY]
    plain = q == -1 and len(m.factors) == 1 and m.factors[0][0].kind == COS and m.factors[0][1] == 2
    return atom(SIN, m.factors[0][0].data) if plain else None


def _common_factors(c: Exact) -> list[tuple[Atom, fmpq]]:
    """The atoms of all terms with their least exponents: 1/π + π has π⁻¹ in common."""
    skip = c.algebraic
    exponents: dict[Atom, list[fmpq]] = {}
    for m in c.terms:
        for a, e in m.factors:
            if not (skip and a.algebraic) and a.kind not in (OSCILLATOR, SINPI, COSPI):
                exponents.setdefault(a, []).append(e)
    count = len(c.terms)
    least = {a: _least([*es, ZERO] if len(es) < count else es) for a, es in exponents.items()}
    return [(a, e) for a, e in least.items() if e]


def _least(numbers: Iterable[Any]) -> fmpq:
    return min(numbers)


def _rational_content(coefficients: Iterable[fmpq]) -> fmpq:
    """The positive rational that makes the coefficients coprime integers."""
    found = ZERO
    for q in coefficients:
        found = found.gcd(q)
    return abs(found)


# ---------------------------------------------------------------- the laws of products


def reduced(powers: Iterable[tuple[Atom, fmpq]]) -> Number:
    """The normal form of a product of atoms to rational exponents (each atom given once)."""
    q, kept, ruled = ONE, {}, []
    for a, e in powers:
        if a.kind == PRIME:
            whole, e = _split_prime(a.data, e)
            q = q * whole
        if e:
            kept[a] = e
            if a.ruled:
                ruled.append(a)
    m = monomial(kept.items())
    return scale(_by_laws(m), q) if ruled else collected({m: q})


@lru_cache(maxsize=1 << 14)
def _by_laws(m: Monomial) -> Number:
    """The normal form of a product with normal exponents of primes. Remembered: a division comes this way often."""
    kept = dict(m.factors)
    ruled = [a for a in kept if a.ruled]
    for law in LAWS:
        found = law(kept, ruled)
        if found is not None:
            return found
    return of_monomial(m)


def _split_prime(p: int, e: fmpq) -> tuple[fmpq, fmpq]:
    """pᵉ = whole·p^f with f in [0, 1); an exponent too large to write out stays."""
    n = int(e.floor())
    if n == 0 or abs(n) * p.bit_length() > LONG:
        return ONE, e
    return fmpq(p) ** n, e - n


def _rest(kept: Mapping[Atom, fmpq], changes: Mapping[Atom, fmpq], replacement: Number) -> Number:
    """The product with some exponents changed, times a replacement."""
    return mul(reduced([(a, changes.get(a, e)) for a, e in kept.items()]), replacement)


def _square_of_sine(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    for a in ruled:
        if a.kind in (SIN, OSCILLATOR) and kept[a] >= 2:
            cosine = atom(COS, a.data) if a.kind == SIN else atom(OSCILLATOR, (COS, *a.data[1:]))
            return _rest(kept, {a: kept[a] - 2}, sub(ONE, term(ONE, (cosine, TWO))))
    return None


def _cotangent(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    """cos²·sinʳ → sinʳ − sinʳ⁺² for r < 0."""
    for a in ruled:
        if a.kind == SIN and kept[a] < 0:
            cosine = atom(COS, a.data)
            if kept.get(cosine, ZERO) >= 2:
                without = {cosine: kept[cosine] - 2}
                return sub(_rest(kept, without, ONE), _rest(kept, {**without, a: kept[a] + 2}, ONE))
    return None


def _product_of_angles(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    """cos·cos, sin·sin, sin·cos of rational multiples of π as a sum of two."""
    angles = [a for a in ruled if a.kind in (SINPI, COSPI) and kept[a] >= 1]
    pair = [a for a in angles for _ in range(min(2, int(kept[a].floor())))][:2]
    if len(pair) < 2:
        return None
    first, second = pair
    changes = {first: kept[first] - 1, second: kept[second] - 1} if first is not second else {first: kept[first] - 2}
    return _rest(kept, changes, _angles(first, second))


def _angles(first: Atom, second: Atom) -> Number:
    from tangently.asymptotics.constants_angles import cos_pi, sin_pi

    r, s = first.data, second.data
    if first.kind == second.kind:
        plus = cos_pi(r + s)
        return scale(add(cos_pi(r - s), plus if first.kind == COSPI else neg(plus)), HALF)
    difference = sin_pi(r - s)
    return scale(add(sin_pi(r + s), difference if first.kind == SINPI else neg(difference)), HALF)


def _power_of_sum(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    for a in ruled:
        n = int(kept[a].floor()) if a.kind == SUM else 0
        if n and len(a.data.terms) == 1:  # the size of a negative atom
            return _rest(kept, {a: kept[a] - n}, whole_power(a.data, n))
        if 1 <= n <= EXPANDED and math.comb(len(a.data.terms) - 1 + n, n) <= TERMS // 4:
            return _rest(kept, {a: kept[a] - n}, whole_power(a.data, n))
    return None


def _inverse_of_algebraic_sum(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    from tangently.asymptotics.constants_radicals import rational_inverse

    for a in ruled:
        if a.kind == SUM and a.algebraic and kept[a] < 0:
            n = -int(kept[a].floor())
            found = rational_inverse(a.data) if n < LONG >> 4 else None
            if found is not None:
                return _rest(kept, {a: kept[a] + n}, whole_power(found, n))
    return None


def _roots_of_sums(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    """√S·√T for algebraic S, T, where √(ST) can be taken out."""
    from tangently.asymptotics.constants_radicals import plain_square_root

    roots = [a for a in ruled if a.kind == SUM and a.algebraic and kept[a] == HALF]
    for first, second in itertools.combinations(roots, 2):
        found = plain_square_root(mul(first.data, second.data))
        if found is not None:
            return _rest(kept, {first: ZERO, second: ZERO}, found)
    return None


def _division(kept: Mapping[Atom, fmpq], ruled: Iterable[Atom]) -> Number | None:
    """L·Sʳ → (Sʳ⁺¹ − (S − L)·Sʳ) for r < 0, where the monomial holds the leading monomial L of S."""
    for a in ruled:
        if a.kind == SUM and kept[a] < 0 and not a.algebraic:
            lead = leading(a.data)
            if lead is not None and _divides(lead, kept):
                return _divide(kept, a, lead)
    return None


def _divides(lead: Monomial, kept: Mapping[Atom, fmpq]) -> bool:
    """Does the product hold the leading monomial, and not so many times that the division would be long?"""
    outer = [(kept.get(b, ZERO), e) for b, e in lead.factors if not b.algebraic]
    return all(have >= e for have, e in outer) and any(have <= QUOTIENT * e for have, e in outer if e > 0)


def _divide(kept: Mapping[Atom, fmpq], a: Atom, lead: Monomial) -> Number:
    exponents = dict(lead.factors)
    names = {**kept, **{b: kept.get(b, ZERO) for b in exponents}}
    quotient = [(b, e - exponents.get(b, ZERO)) for b, e in names.items() if b is not a]
    q = a.data.terms[lead]
    rest = collected({m: r for m, r in a.data.terms.items() if m is not lead})
    higher = reduced([*quotient, (a, kept[a] + 1)])
    lower = mul(reduced([*quotient, (a, kept[a])]), rest)
    return scale(sub(higher, lower), 1 / q)


@lru_cache(maxsize=1 << 12)
def leading(S: Exact) -> Monomial | None:
    """The leading monomial of S in the lexicographic order of its transcendental atoms, if only one term has it.

    None for sums that hold sines or sums: their own laws (sin² = 1 − cos², Sⁿ expanded) do not lower that order, and a
    division might never end.
    """
    if (
        S.keys
        or len(S.terms) < 2
        or any(a.kind in (SIN, SUM) and not a.algebraic for m in S.terms for a, _ in m.factors)
    ):
        return None
    atoms = sorted({a for m in S.terms for a, _ in m.factors if not a.algebraic}, key=lambda a: -a.serial)
    vectors = sorted(((_exponents(m, atoms), k) for k, m in enumerate(S.terms)), reverse=True)
    top, other = vectors[0][0], vectors[1][0]
    falls = top != other and any(top) and all(e >= 0 for vector, _ in vectors for e in vector)
    return list(S.terms)[vectors[0][1]] if falls else None


def _exponents(m: Monomial, atoms: Iterable[Atom]) -> tuple[fmpq, ...]:
    have = dict(m.factors)
    return tuple([have.get(a, ZERO) for a in atoms])


Law = Callable[[Mapping[Atom, fmpq], list[Atom]], Number | None]
LAWS: tuple[Law, ...] = (
    _square_of_sine, _cotangent, _product_of_angles, _power_of_sum, _inverse_of_algebraic_sum, _roots_of_sums,
    _division,
)  # fmt: skip


# ---------------------------------------------------------------- balls


def ball(c: Number, bits: int = 64) -> arb:
    """A ball that holds c, computed with `bits` bits; for an oscillating c one that holds all its values.

    >>> from tangently.asymptotics.constants import sqrt
    >>> ball(sqrt(fmpq(2)), 64).str(15, radius=False)
    '1.41421356237310'
    """
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        return ball_now(c)
    finally:
        flint.ctx.prec = before


Angles = Mapping[Atom, arb]  # balls for oscillators


def ball_now(c: Number, angles: Angles | None = None) -> arb:
    """The ball at the precision that flint has now; `angles` gives balls for the oscillators."""
    if type(c) is fmpq:
        return arb(c)
    assert type(c) is Exact
    if angles and c.keys:
        return _sum_ball(c, angles)
    bits = flint.ctx.prec
    if c._balls is None:
        c._balls = {}
    found = c._balls.get(bits)
    if found is None:
        found = c._balls[bits] = _sum_ball(c, None)
    return found


def _sum_ball(c: Exact, angles: Angles | None) -> arb:
    found = None
    for m, q in c.terms.items():
        part = monomial_ball(m, angles)
        part = part if q == 1 else part * q
        found = part if found is None else found + part
    assert found is not None
    return found


def monomial_ball(m: Monomial, angles: Angles | None = None) -> arb:
    if angles and m.keys:
        return _product_ball(m, angles)
    bits = flint.ctx.prec
    found = m.balls.get(bits)
    if found is None:
        found = m.balls[bits] = _product_ball(m, None)
    return found


def _product_ball(m: Monomial, angles: Angles | None) -> arb:
    found = arb(1)
    for a, e in m.factors:
        found = found * _factor_ball(a, e, angles)
    return found


def _factor_ball(a: Atom, e: fmpq, angles: Angles | None) -> arb:
    if a.kind == EXP:
        return (monomial_ball(a.data, angles) * e).exp()
    base = atom_ball(a, angles)
    n = int(e.p)
    if e.q == 1:
        return base if n == 1 else base**n
    if e.q == 2:
        root = base.sqrt()
        return root if n == 1 else root**n
    return base ** arb(e)


def atom_ball(a: Atom, angles: Angles | None = None) -> arb:
    if angles and a.keys:
        return angles[a] if a.kind == OSCILLATOR else BALLS[a.kind](a.data, angles)
    bits = flint.ctx.prec
    found = a.balls.get(bits)
    if found is None:
        found = a.balls[bits] = BALLS[a.kind](a.data, None)
    return found


def _oscillator_ball(data: Any, _angles: Angles | None) -> arb:
    return arb(0, 1) if data[0] != "frac" else arb(0.5, 0.5)


def _row_ball(data: Any, angles: Angles | None) -> arb:
    row, args = data
    return row.enclosure(*[ball_now(c, angles) for c in args])


BALLS: dict[str, Callable[[Any, Angles | None], arb]] = {
    PRIME: lambda p, _: arb((p, 0)),
    PI: lambda _d, _: arb.pi(),
    EULER: lambda _d, _: arb.const_euler(),
    EXP: lambda m, angles: monomial_ball(m, angles).exp(),
    LOG: lambda c, angles: ball_now(c, angles).log(),
    SIN: lambda c, angles: ball_now(c, angles).sin(),
    COS: lambda c, angles: ball_now(c, angles).cos(),
    SINPI: lambda r, _: arb.sin_pi_fmpq(r),
    COSPI: lambda r, _: arb.cos_pi_fmpq(r),
    SUM: ball_now,
    ROW: _row_ball,
    OSCILLATOR: _oscillator_ball,
}


# ---------------------------------------------------------------- signs

# Told of every sign that was decided: for constants that stand for parameters these are the conditions of a case.
watchers: list[Callable[[Exact, int], None]] = []


def sign(c: Number) -> int:
    """-1, 0 or 1, proven; Undecided where neither a ball nor an identity decides.

    >>> from tangently.asymptotics.constants import sqrt
    >>> sign(sqrt(fmpq(2)) + sqrt(fmpq(3)) - sqrt(5 + 2 * sqrt(fmpq(6)))), sign(sqrt(fmpq(2)) - fmpq(3, 2))
    (0, -1)
    """
    if type(c) is fmpq:
        return (c > 0) - (c < 0)
    assert type(c) is Exact
    if c._sign is None:
        c._sign = _sign(c)
    for watch in watchers:
        watch(c, c._sign)
    return c._sign


def _sign(c: Exact) -> int:
    if c.keys:
        from tangently.asymptotics.constants_ranges import sign_of_range

        return sign_of_range(c)
    if len(c.terms) == 1:
        [(m, q)] = c.terms.items()
        return sign_of_monomial(m) * (1 if q > 0 else -1)
    found = sign_by_balls(c, PRECISIONS[:3])
    if found:
        return found
    from tangently.asymptotics.constants_deciding import settle

    return settle(c)


def sign_by_balls(c: Exact, precisions: Iterable[int]) -> int:
    """The sign by a ball that excludes 0, or 0 where none of these precisions gives one."""
    for bits in precisions:
        found = ball(c, bits)
        if found > 0:
            return 1
        if found < 0:
            return -1
    return 0


def sign_of_monomial(m: Monomial) -> int:
    found = 1
    for a, e in m.factors:
        s = sign_of_atom(a)
        found *= s if s > 0 or e.p % 2 else 1
    return found


def sign_of_atom(a: Atom) -> int:
    """The sign of an atom; none is 0 (what is zero would have been read as 0), but that has to be proven.

    Watchers are not told: they are of the product that was asked about (`sign`). What depends on the sign of one factor
    alone asks for that with `sign`.
    """
    if a.signed is None:
        alone = Exact({monomial([(a, ONE)]): ONE})
        a.signed = sign_by_balls(alone, PRECISIONS)
        if not a.signed:
            a.signed = None
            raise Undecided(alone, PRECISIONS[-1] * 3 // 10)
    return a.signed


def is_zero(c: Number) -> bool:
    """Is c proven to be 0? (False: proven not to be; else Undecided.)"""
    return sign(c) == 0


def compare(a: Number, b: Number) -> int:
    """The sign of a − b.

    >>> from tangently.asymptotics.constants import sqrt
    >>> compare(sqrt(fmpq(2)), fmpq(7, 5))
    1
    """
    return sign(sub(a, b))


def to_float(c: Number) -> float:
    """The float nearest to c, ±inf beyond the largest one.

    >>> from tangently.asymptotics.constants import sqrt
    >>> to_float(sqrt(fmpq(2)))
    1.4142135623730951
    """
    if type(c) is fmpq:
        return _quotient(int(c.p), int(c.q))
    for bits in PRECISIONS[1:]:
        found = ball(c, bits)
        if found.is_finite():
            low, high = ends(found, bits)
            if _float_of(low) == _float_of(high):
                return _float_of(low)
        elif not found.is_nan() and sign_or_none(c):
            return float("inf") * sign(c)
    return _float_of(ball(c, PRECISIONS[-1]).mid())


def ends(y: arb, bits: int) -> tuple[arb, arb]:
    """The two ends of a ball, rounded outwards at this precision."""
    with precision(bits):
        return y.lower(), y.upper()


def sign_or_none(c: Number) -> int | None:
    try:
        return sign(c)
    except Undecided:
        return None


def _quotient(p: int, q: int) -> float:
    try:
        return p / q
    except OverflowError:
        return float("inf") if p > 0 else float("-inf")


def _float_of(x: arb) -> float:
    """The float nearest to an exact ball, from its mantissa and exponent."""
    mantissa, exponent = (int(k) for k in x.man_exp())
    top = mantissa.bit_length() + exponent
    if top > 1100:
        return float("inf") if mantissa > 0 else float("-inf")
    if top < -1200:
        return 0.0
    return _quotient(mantissa << exponent, 1) if exponent >= 0 else _quotient(mantissa, 1 << -exponent)


__all__ = [
    "Exact", "Number", "Undecided", "add", "as_number", "ball", "compare", "div", "inverse", "is_zero", "mul", "neg",
    "sign", "sub", "to_float",
]  # fmt: skip
