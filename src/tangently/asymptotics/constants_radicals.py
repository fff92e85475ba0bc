"""Radicals: integers taken apart into primes, roots of sums denested, denominators made rational, degrees of fields.

The inverse of an algebraic number c comes from a relation Σ aₖ·cᵏ = 0, found by eliminating among the normal forms of
1, c, c², … until one depends on those before it; then 1/c = −(Σ_{k>0} aₖ·cᵏ⁻¹)/a₀. A root of a + b√n is denested where
that needs no deeper root: by (√x ± √y)² for square roots, and for any index k by x + y√n with the norm (a² −
b²n)^(1/k) and a trace that a ball names and exact powering confirms.

Sources: A. Borodin, R. Fagin, J. Hopcroft, M. Tompa, Decreasing the nesting depth of expressions involving square
roots, J. Symbolic Computation 1 (1985); D. J. Jeffrey, A. D. Rich, Simplifying square roots of square roots by
denesting (1999).
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from flint import Ordering, fmpq, fmpz, fmpz_mpoly_ctx

from tangently.asymptotics.constants_core import (
    COSPI,
    HALF,
    MINUS,
    ONE,
    ONLY,
    PRIME,
    SINPI,
    SUM,
    ZERO,
    Atom,
    Exact,
    Monomial,
    Number,
    add,
    atom,
    ball,
    mul,
    neg,
    of_monomial,
    scale,
    sign,
    term,
    terms_of,
    total_of,
    whole_power,
)  # fmt: skip
from tangently.enclosure import precision

DEGREE = 16  # of a field in which denominators are made rational
LENGTH, VARIABLES = 64, 6  # bounds on the terms, exponents and atoms of a sum whose repeated factors are looked for
FACTORED = 128  # bits of an integer that is factored completely; beyond it only small primes are looked for


# ---------------------------------------------------------------- integers and their roots


@lru_cache(maxsize=1 << 12)
def factors(n: int) -> tuple[tuple[int, int], ...]:
    """n > 0 as a product of powers of primes; a large factor without a small prime in it counts as a prime.

    >>> factors(360)
    ((2, 3), (3, 2), (5, 1))
    """
    found: dict[int, int] = {}
    pairs = fmpz(n).factor() if n.bit_length() <= FACTORED else fmpz(n).factor_smooth(20)
    for p, e in pairs:
        base, times = _perfect(int(p))
        found[base] = found.get(base, 0) + times * int(e)
    return tuple(sorted((p, e) for p, e in found.items() if p != 1))


def _perfect(n: int) -> tuple[int, int]:
    """n = baseᵗ with the largest t: only for what could not be factored."""
    if n.bit_length() <= FACTORED:
        return n, 1
    for t in range(min(n.bit_length(), 64), 1, -1):
        base = int(fmpz(n).root(t))
        if base**t == n:
            return base, t
    return n, 1


@lru_cache(maxsize=1 << 11)
def rational_power(a: fmpq, e: fmpq) -> Number:
    """aᵉ for a > 0: √12 is 2√3.

    >>> rational_power(fmpq(12), fmpq(1, 2)), rational_power(fmpq(8, 27), fmpq(-2, 3))
    (2√3, 9/4)
    """
    if e.q == 1 and abs(int(e.p)) * a.height_bits() <= 1 << 16:
        return a ** int(e.p)
    over = [(atom(PRIME, p), k * e) for p, k in factors(int(a.p))]
    under = [(atom(PRIME, p), -k * e) for p, k in factors(int(a.q))]
    return term(ONE, *over, *under)


# ---------------------------------------------------------------- denesting


def root_of_sum(S: Exact, e: fmpq) -> Number:
    """Sᵉ for a positive primitive sum S, denested where possible."""
    index = int(e.q)
    if index > 1 and S.algebraic and len(S.terms) == 2:
        found = denested(S, index)
        if found is not None:
            return whole_power(found, int(e.p))
    return term(ONE, (atom(SUM, S), e))


def plain_square_root(c: Number) -> Number | None:
    """√c for algebraic c > 0 without a root of a sum in it, or None."""
    if type(c) is fmpq:
        return rational_power(c, HALF)
    pairs = terms_of(c)
    if len(pairs) == 1:
        [(m, q)] = pairs.items()
        roots = all(a.kind == PRIME for a, _ in m.factors)
        return mul(rational_power(q, HALF), term(ONE, *[(a, e / 2) for a, e in m.factors])) if roots and q > 0 else None
    return denested(c, 2) if len(pairs) == 2 and sign(c) > 0 else None  # type: ignore[arg-type]


@lru_cache(maxsize=1 << 10)
def denested(S: Exact, index: int) -> Number | None:
    """The root of this index of S = a + b√n > 0 without a nested root, or None where there is none of this kind.

    >>> from tangently.asymptotics.constants import sqrt
    >>> denested(3 + 2 * sqrt(fmpq(2)), 2), denested(2 + sqrt(fmpq(5)), 3), denested(1 + sqrt(fmpq(2)), 2)
    (1 + √2, (1 + √5)/2, None)
    """
    parts = _quadratic(S)
    if parts is None:
        return None
    a, b, n = parts
    if index == 2:
        found = _sum_of_roots(a, b, n)
        if found is None:  # S = √n·(bn + a√n)/n
            inner = _sum_of_roots(b, a / n, n)
            found = None if inner is None else mul(rational_power(n, fmpq(1, 4)), inner)
        return found
    return _root_in_field(S, a, b, n, index)


def _quadratic(S: Exact) -> tuple[fmpq, fmpq, fmpq] | None:
    """a, b, n with S = a + b√n."""
    [(m, b)] = [(m, q) for m, q in S.terms.items() if m is not ONLY] if ONLY in S.terms else [(ONLY, ZERO)]
    n = mul(of_monomial(m), of_monomial(m))
    return (S.terms[ONLY], b, n) if m is not ONLY and type(n) is fmpq else None


def _sum_of_roots(a: fmpq, b: fmpq, n: fmpq) -> Number | None:
    """√(a + b√n) = √x ± √y with x + y = a, 4xy = b²n, where these are rational."""
    d = square_root(a * a - b * b * n)
    if d is None or a <= 0:
        return None
    x, y = (rational_power((a + s) / 2, HALF) if a + s else ZERO for s in (d, -d))
    return add(x, y if b > 0 else neg(y))


def square_root(q: fmpq) -> fmpq | None:
    """√q where it is rational."""
    if q < 0:
        return None
    p, r = math.isqrt(int(q.p)), math.isqrt(int(q.q))
    return fmpq(p, r) if p * p == q.p and r * r == q.q else None


def _root_in_field(S: Exact, a: fmpq, b: fmpq, n: fmpq, index: int) -> Number | None:
    """x + y√n whose power is S: its norm is a root of the norm, a ball names its trace, powering confirms."""
    norm = a * a - b * b * n
    size = _whole_root(abs(norm), index)
    if size is None or (norm < 0 and index % 2 == 0):
        return None
    norm_root = size if norm > 0 else -size
    common = 2 * int(a.q) * int(b.q)
    with precision(256):
        value = ball(S, 256).root(index)
        nearest = ((value + norm_root / value) * common + HALF).floor().unique_fmpz()
    if nearest is None:
        return None
    x = fmpq(int(nearest), 2 * common)
    y = square_root((x * x - norm_root) / n)
    for s in (ONE, MINUS) if y is not None else ():
        found = add(x, scale(rational_power(n, HALF), s * y))  # type: ignore[operator]
        if whole_power(found, index) == S and sign(found) > 0:
            return found
    return None


def _whole_root(q: fmpq, index: int) -> fmpq | None:
    p, r = (int(fmpz(int(k)).root(index)) for k in (q.p, q.q))
    return fmpq(p, r) if p**index == q.p and r**index == q.q else None


@lru_cache(maxsize=1 << 10)
def repeated_factors(S: Exact) -> list[tuple[Exact, int]] | None:
    """S as a product of powers of positive sums, where a power above 1 is among them: π² + 2π + 1 is (π + 1)².

    >>> from tangently.asymptotics.constants import PI
    >>> repeated_factors(PI**2 + 2 * PI + 1), repeated_factors(PI + 1)
    ([(π + 1, 2)], None)
    """
    atoms = list(dict.fromkeys(a for m in S.terms for a, _ in m.factors))
    if S.algebraic or S.keys or not 3 <= len(S.terms) <= LENGTH or len(atoms) > VARIABLES:
        return None
    units = [fmpq(1, math.lcm(*[int(e.q) for m in S.terms for b, e in m.factors if b is a])) for a in atoms]
    exponents = {_vector(m, atoms, units): int(q.p) for m, q in S.terms.items()}
    if any(not 0 <= k <= LENGTH for vector in exponents for k in vector):
        return None
    ring = fmpz_mpoly_ctx.get([f"x{k}" for k in range(len(atoms))], Ordering.lex)
    _, found = ring.from_dict(exponents).factor_squarefree()
    if all(e == 1 for _, e in found):
        return None
    return [(_positive(f.to_dict(), atoms, units), int(e)) for f, e in found]


def _vector(m: Monomial, atoms: list[Atom], units: list[fmpq]) -> tuple[int, ...]:
    have = dict(m.factors)
    return tuple([int((have.get(a, ZERO) / unit).p) for a, unit in zip(atoms, units)])


def _positive(terms: dict[tuple[int, ...], fmpz], atoms: list[Atom], units: list[fmpq]) -> Exact:
    """The polynomial in the atoms as a constant, or its negative."""
    parts = [term(fmpq(int(q)), *[(a, k * u) for a, k, u in zip(atoms, v, units)]) for v, q in terms.items()]
    found = total_of(parts)
    assert type(found) is Exact
    return found if sign(found) > 0 else neg(found)  # type: ignore[return-value]


# ---------------------------------------------------------------- denominators made rational


@lru_cache(maxsize=1 << 10)
def rational_inverse(c: Exact) -> Number | None:
    """1/c for an algebraic c ≠ 0 whose field is of small degree, else None.

    >>> from tangently.asymptotics.constants import sqrt
    >>> rational_inverse(1 + sqrt(fmpq(2)) + sqrt(fmpq(3)))
    ½ + √2/4 − √6/4
    """
    if degree(c) > DEGREE:
        return None
    relation = annihilator(c, DEGREE)
    if relation is None:
        return None
    low = next(k for k, a in enumerate(relation) if a)
    parts, power = [], ONE
    for a in relation[low + 1 :]:
        parts.append(scale(power, -a / relation[low]))
        power = mul(power, c)
    return total_of(parts)


def annihilator(c: Number, limit: int) -> list[fmpq] | None:
    """Rationals a₀ … aₖ, not all 0, with Σ aᵢ·cⁱ = 0 by the normal forms, for k ≤ limit; None where none was found.

    >>> from tangently.asymptotics.constants import sqrt
    >>> annihilator(1 + sqrt(fmpq(2)), 4)
    [-1, -2, 1]
    """
    rows: list[tuple[Monomial, dict[Monomial, fmpq], list[fmpq]]] = []
    power: Number = ONE
    for k in range(limit + 1):
        vector, combination = dict(terms_of(power)), [ZERO] * k + [ONE]
        for pivot, row, used in rows:
            q = vector.get(pivot)
            if q is not None:
                _subtract(vector, row, q)
                combination = [x - q * y for x, y in itertools.zip_longest(combination, used, fillvalue=ZERO)]
        if not vector:
            return combination
        pivot, q = next(iter(vector.items()))
        rows.append((pivot, {m: r / q for m, r in vector.items()}, [x / q for x in combination]))
        power = mul(power, c)
    return None


def _subtract(vector: dict[Monomial, fmpq], row: dict[Monomial, fmpq], q: fmpq) -> None:
    for m, r in row.items():
        left = vector.get(m, ZERO) - q * r
        if left:
            vector[m] = left
        else:
            vector.pop(m, None)


def degree(c: Exact) -> int:
    """A bound on the degree of the field that the atoms of an algebraic number generate.

    >>> from tangently.asymptotics.constants import sqrt
    >>> degree(sqrt(fmpq(2)) + sqrt(fmpq(3)))
    4
    """
    primes: dict[int, int] = {}
    roots: dict[Atom, int] = {}
    angles = [1]
    _generators(c, primes, roots, angles)
    field = math.prod(primes.values()) * math.prod(roots.values())
    return field * max(1, _totient(2 * math.lcm(*angles)) // 2) * (2 if len(angles) > 1 else 1)


def _generators(c: Exact, primes: dict[int, int], roots: dict[Atom, int], angles: list[int]) -> None:
    for m in c.terms:
        for a, e in m.factors:
            if a.kind == PRIME:
                primes[a.data] = math.lcm(primes.get(a.data, 1), int(e.q))
            elif a.kind in (SINPI, COSPI):
                angles.append(2 * int(a.data.q))
                roots[a] = math.lcm(roots.get(a, 1), int(e.q))
            elif a not in roots:
                roots[a] = int(e.q)
                _generators(a.data, primes, roots, angles)
            else:
                roots[a] = math.lcm(roots[a], int(e.q))


def _totient(n: int) -> int:
    return int(fmpz(n).euler_phi())
