"""Is a constant zero whose ball holds 0 at high precision? Proofs, or no answer.

Algebraic numbers are decided: a number that is not zero is larger than a bound which its form gives, so a ball inside
that bound is a proof of zero. The bound is that of Burnikel, Fleischer, Mehlhorn and Schirra: every number is
u-numerator over l-denominator, both algebraic integers, all of whose conjugates are bounded by u and l:

    u(n) = |n|      u(x ± y) = u(x)·l(y) + l(x)·u(y)    u(xy) = u(x)·u(y)    u(1/x) = l(x)    u(ᵏ√x) = (u·lᵏ⁻¹)^(1/k)
    |x| ≥ 1/(l·u^(D − 1)) for x ≠ 0, D the degree of the field that the roots (and cos π/n) generate.

Transcendental ones are proven to be zero by rewriting, until the coefficient of each product of transcendental atoms
is an algebraic number that is zero (that is enough, though not necessary):

    1. denominators cleared: A/S + B = 0 where A + B·S = 0
    2. equal arguments in different forms made the same: f(α) and f(β) for α − β = 0
    3. relations of logarithms: a lattice reduction proposes integers with Σ nᵢ ln αᵢ = 0; Π αᵢ^nᵢ = 1 proves it
    4. relations of angles: Σ nᵢ arctan αᵢ = n·π is proposed likewise; Im Π (1 + i·αᵢ)^nᵢ = 0 and a ball prove it
    5. sin and cos of multiples of one angle by the addition theorem
    6. A + B·√S = 0 where A² = B²·S and A, B have different signs

Sources: C. Burnikel, S. Funke, K. Mehlhorn, S. Schirra, S. Schmitt, A separation bound for real algebraic expressions,
ESA 2001 (Algorithmica 55, 2009); A. K. Lenstra, H. W. Lenstra, L. Lovász, Factoring polynomials with rational
coefficients, 1982, for the relations; D. Richardson, How to recognize zero, 1997.

Glossary: u, l bounds in bits (base-2 logarithms); D a degree; θ an angle.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from flint import fmpq, fmpz_mat

from tangently.asymptotics import constants_functions as functions
from tangently.asymptotics.constants_core import (
    COS,
    COSPI,
    EXP,
    HALF,
    LOG,
    ONE,
    PRECISIONS,
    PRIME,
    ROW,
    SIN,
    SINPI,
    SUM,
    ZERO,
    Atom,
    Exact,
    Monomial,
    Number,
    Undecided,
    add,
    ball,
    collected,
    monomial,
    mul,
    neg,
    of_monomial,
    scale,
    sign,
    sign_by_balls,
    sub,
    term,
    terms_of,
    total_of,
    whole_power,
)  # fmt: skip
from tangently.asymptotics.constants_radicals import degree
from tangently.asymptotics.constants_rebuilding import atoms_of, rebuilt
from tangently.errors import BudgetError

SEPARATION = 100_000  # bits to which an algebraic number is computed to prove that it is 0
DEPTH, FORMS, LONGEST = 6, 24, 200  # rewritings one after the other; forms that one proof goes through; terms of one
RELATION = 256  # bits for a relation of integers
MULTIPLE = 40  # of an angle that is expanded


def settle(c: Exact) -> int:
    """The sign of a constant whose ball holds 0 at a middling precision."""
    if c.algebraic:
        found = algebraic_sign(c)
        if found is not None:
            return found
    found = sign_by_balls(c, PRECISIONS[3:5])
    if found:
        return found
    if not c.algebraic and proven_zero(c, DEPTH):
        return 0
    found = sign_by_balls(c, PRECISIONS[5:])
    if found:
        return found
    raise Undecided(c, digits_of_zero(c))


def digits_of_zero(c: Exact) -> int:
    """To how many decimal digits c agrees with 0."""
    size = abs(ball(c, PRECISIONS[-1])).upper()
    if not size.is_finite() or not size > 0:
        return 0
    mantissa, exponent = (int(k) for k in size.man_exp())
    return max(0, int(-(mantissa.bit_length() + exponent) * math.log10(2)))


def proven_zero(c: Number, depth: int, seen: set[Exact] | None = None) -> bool:
    """Do identities show that c is 0? False: they do not (which proves nothing). `seen` are the forms met so far."""
    if type(c) is fmpq:
        return not c
    assert type(c) is Exact
    seen = set() if seen is None else seen
    if c in seen or len(seen) >= FORMS or len(c.terms) > LONGEST or sign_by_balls(c, PRECISIONS[1:3]):
        return False
    seen.add(c)
    if zero_by_parts(c):
        return True
    return depth > 0 and any(_zero_after(rewriting, c, depth - 1, seen) for rewriting in REWRITINGS)


Seen = set[Exact]
Rewriting = Callable[[Exact, Seen], Number | None]


def _zero_after(rewriting: Rewriting, c: Exact, depth: int, seen: Seen) -> bool:
    """A rewriting that grows beyond the bounds, or needs a sign that is not known, proves nothing."""
    try:
        found = rewriting(c, seen)
        return found is not None and proven_zero(found, depth, seen)
    except (BudgetError, ValueError):
        return False


def zero_by_parts(c: Exact) -> bool:
    """Is the algebraic coefficient of every product of transcendental atoms 0?"""
    parts: dict[Monomial, dict[Monomial, fmpq]] = {}
    for m, q in c.terms.items():
        outer = monomial([f for f in m.factors if not f[0].algebraic])
        inner = monomial([f for f in m.factors if f[0].algebraic])
        parts.setdefault(outer, {})[inner] = q
    return all(_algebraic_zero(collected(part)) for part in parts.values())


def _algebraic_zero(c: Number) -> bool:
    return not c if type(c) is fmpq else len(terms_of(c)) > 1 and algebraic_sign(c) == 0  # type: ignore[arg-type]


# ---------------------------------------------------------------- algebraic numbers


def algebraic_sign(c: Exact) -> int | None:
    """The sign of an algebraic number by its separation bound; None where that asks for too many bits."""
    needed = separation(c)
    bits = 512
    while bits <= SEPARATION:
        found = sign_by_balls(c, (bits,))
        if found:
            return found
        if abs(ball(c, bits)) < fmpq(1, 1 << needed):
            return 0
        bits = needed + 64 if bits < needed + 64 < 2 * bits else 2 * bits
    return None


def separation(c: Exact) -> int:
    """k with |c| ≥ 2⁻ᵏ unless c is 0.

    >>> from tangently.asymptotics.constants import sqrt
    >>> separation(sqrt(fmpq(2)) + sqrt(fmpq(3)) - 3)
    12
    """
    u, l = _bounds(c)
    return max(1, math.ceil(l + u * (degree(c) - 1)) + 2)


def _bounds(c: Exact) -> tuple[float, float]:
    """log₂ of u and l."""
    common = math.lcm(*[int(q.q) for q in c.terms.values()])
    pieces = [(_bits(q * common), *_monomial_bounds(m)) for m, q in c.terms.items()]
    below = sum(l for _, _, l in pieces)
    above = max(b + u + below - l for b, u, l in pieces) + math.log2(len(pieces))
    return above, below + _bits(fmpq(common))


def _bits(q: fmpq) -> float:
    """log₂ of |q| for an integer q, from above."""
    n = abs(int(q.p))
    return math.log2(n) if n < 1 << 53 else float(n.bit_length())


def _monomial_bounds(m: Monomial) -> tuple[float, float]:
    above = below = 0.0
    for a, e in m.factors:
        u, l = _rooted(*_atom_bounds(a), int(e.q))
        n = int(e.p)
        above += n * u if n > 0 else -n * l
        below += n * l if n > 0 else -n * u
    return above, below


def _atom_bounds(a: Atom) -> tuple[float, float]:
    if a.kind == PRIME:
        return _bits(fmpq(a.data)), 0.0
    return _bounds(a.data) if a.kind == SUM else (1.0, 1.0)  # 2·cos πr is an integer of its field


def _rooted(u: float, l: float, k: int) -> tuple[float, float]:
    return ((u + (k - 1) * l) / k, l) if u >= l else (u, ((k - 1) * u + l) / k)


# ---------------------------------------------------------------- rewritings


def cleared(c: Exact, _seen: Seen) -> Number | None:
    """c times the denominators that it has: sums, sines and cosines to negative exponents."""
    powers: dict[Atom, fmpq] = {}
    for m in c.terms:
        for a, e in m.factors:
            if e < 0 and a.kind in (SUM, SIN, COS, SINPI, COSPI):
                powers[a] = max(powers.get(a, ZERO), fmpq((-e).ceil()))
    return total_of(_raised(m, q, powers) for m, q in c.terms.items()) if powers else None


def _raised(m: Monomial, q: fmpq, powers: dict[Atom, fmpq]) -> Number:
    """q·m times these powers: exponents are added before any law applies, so that S/S is 1."""
    have = dict(m.factors)
    return term(q, *[(a, have.get(a, ZERO) + powers.get(a, ZERO)) for a in {**have, **powers}])


def unified(c: Exact, seen: Seen) -> Number | None:
    """Atoms of one kind whose arguments are equal, though written differently, made the same."""
    by_kind: dict[object, list[Atom]] = {}
    for a in atoms_of(c):
        if a.kind in (LOG, SIN, COS, SUM, EXP) or (a.kind == ROW and len(a.data[1]) == 1):
            by_kind.setdefault(a.data[0] if a.kind == ROW else a.kind, []).append(a)
    for group in by_kind.values():
        for a, b in itertools.combinations(group, 2):
            difference = sub(_argument(a), _argument(b))
            if difference and ball(difference, 128).contains(0) and proven_zero(difference, 1, seen):
                return rebuilt(c, lambda x, a=a, b=b: term(ONE, (a, ONE)) if x is b else None)
    return None


def _argument(a: Atom) -> Number:
    if a.kind == EXP:
        return of_monomial(a.data)
    return a.data[1][0] if a.kind == ROW else a.data


def logarithms_related(c: Exact, seen: Seen) -> Number | None:
    """One logarithm eliminated by a relation Σ nᵢ ln αᵢ = 0."""
    logs = [a for a in atoms_of(c) if a.kind == LOG]
    values = [term(ONE, (a, ONE)) for a in logs]
    for relation in relations(values):
        over = [whole_power(a.data, n) for a, n in zip(logs, relation) if n > 0]
        under = [whole_power(a.data, -n) for a, n in zip(logs, relation) if n < 0]
        if _proven_equal(_product(over), _product(under), seen):
            return _eliminated(c, logs, relation, values)
    return None


def _proven_equal(a: Number, b: Number, seen: Seen) -> bool:
    difference = sub(a, b)
    return not difference if type(difference) is fmpq else proven_zero(difference, 2, seen)


def _product(parts: Sequence[Number]) -> Number:
    found: Number = ONE
    for part in parts:
        found = mul(found, part)
    return found


def angles_related(c: Exact, _seen: Seen) -> Number | None:
    """One arctan or arcsin of an algebraic number eliminated by a relation Σ nᵢ θᵢ = n·π."""
    arcs = [a for a in atoms_of(c) if _is_arc(a)]
    values = [*[term(ONE, (a, ONE)) for a in arcs], functions.PI_NUMBER]
    for relation in relations(values) if arcs else ():
        # Σ nᵢθᵢ is a multiple of π, and by the lattice's ball it is the one that the relation says
        if any(relation[:-1]) and sign(_imaginary(arcs, relation)) == 0:
            return _eliminated(c, arcs, relation, values)
    return None


def _is_arc(a: Atom) -> bool:
    if a.kind != ROW or a.data[0].name not in ("arctan", "arcsin"):
        return False
    return type(a.data[1][0]) is fmpq or a.data[1][0].algebraic


def _imaginary(arcs: Sequence[Atom], relation: Sequence[int]) -> Number:
    """Im Π (1 + i·tan θ)ⁿ, or of cos θ + i·sin θ for an arcsin."""
    x, y = ONE, ZERO
    for a, n in zip(arcs, relation):
        tangent = a.data[1][0]
        real = ONE if a.data[0].name == "arctan" else functions.sqrt(sub(ONE, mul(tangent, tangent)))
        for _ in range(abs(n)):
            imaginary = tangent if n > 0 else neg(tangent)
            x, y = sub(mul(x, real), mul(y, imaginary)), add(mul(x, imaginary), mul(y, real))
    return y


def _eliminated(c: Exact, atoms: Sequence[Atom], relation: Sequence[int], values: Sequence[Number]) -> Number:
    """c with the atom of the last nonzero coefficient expressed by the others."""
    k = max(i for i in range(len(atoms)) if relation[i])
    others = [scale(v, fmpq(-n, relation[k])) for i, (v, n) in enumerate(zip(values, relation)) if i != k]
    replacement = total_of(others)
    return rebuilt(c, lambda a: replacement if a is atoms[k] else None)


def relations(values: Sequence[Number]) -> list[list[int]]:
    """Small integers n with Σ nᵢ·xᵢ near 0, proposed by lattice reduction: to be proven by whoever uses them.

    >>> from tangently.asymptotics.constants import log
    >>> relations([log(fmpq(2)), log(fmpq(3)), log(fmpq(2)) + log(fmpq(3)) / 2])
    [[2, 1, -2]]
    """
    if len(values) < 2 or len(values) > 12:
        return []
    rows = []
    for k, value in enumerate(values):
        mantissa, exponent = (int(n) for n in ball(value, RELATION + 64).mid().man_exp())
        shift = exponent + RELATION
        rows.append(
            [int(i == k) for i in range(len(values))] + [mantissa << shift if shift > 0 else mantissa >> -shift]
        )
    reduced = fmpz_mat(rows).lll().tolist()
    found = [[int(n) for n in row] for row in reduced]
    short = [
        row[:-1] for row in found if abs(row[-1]) < 1 << 24 and max(map(abs, row[:-1])) < 1 << 12 and any(row[:-1])
    ]
    return [_first_positive(row) for row in short]


def _first_positive(row: list[int]) -> list[int]:
    return row if next(n for n in row if n) > 0 else [-n for n in row]


def angles_expanded(c: Exact, _seen: Seen) -> Number | None:
    """sin and cos of sums of angles by sin and cos of the parts: sin 3 is 3 sin 1 − 4 sin³ 1."""
    waves = [a for a in atoms_of(c) if a.kind in (SIN, COS)]
    units: dict[Monomial, fmpq] = {}
    for a in waves:
        for m, q in terms_of(a.data).items():
            units[m] = q.gcd(units.get(m, ZERO))  # the largest rational of which both are whole multiples
    if all(_is_unit(a.data, units) for a in waves):
        return None
    return rebuilt(c, lambda a: _expanded(a, units) if a.kind in (SIN, COS) else None)


def _is_unit(angle: Number, units: dict[Monomial, fmpq]) -> bool:
    pairs = terms_of(angle)
    return len(pairs) == 1 and all(abs(q) == units[m] for m, q in pairs.items())


def _expanded(a: Atom, units: dict[Monomial, fmpq]) -> Number | None:
    x, y = ONE, ZERO  # cos and sin of what was added so far
    for m, q in terms_of(a.data).items():
        n = int((q / units[m]).p)
        if abs(n) > MULTIPLE:
            return None
        part = collected({m: units[m]})
        real, imaginary = functions.cos(part), functions.sin(part)
        imaginary = imaginary if n > 0 else neg(imaginary)
        for _ in range(abs(n)):
            x, y = sub(mul(x, real), mul(y, imaginary)), add(mul(x, imaginary), mul(y, real))
    return y if a.kind == SIN else x


def squared(c: Exact, seen: Seen) -> Number | None:
    """A + B·√S is 0 where A² − B²·S is and the signs of A and B differ: 0 then, else None."""
    roots = [a for m in c.terms for a, e in m.factors if a.kind == SUM and e == HALF]
    for a in dict.fromkeys(roots):
        without = collected({m: q for m, q in c.terms.items() if dict(m.factors).get(a) is None})
        rest = {m: q for m, q in c.terms.items() if dict(m.factors).get(a) == HALF}
        if rest and len(rest) + len(terms_of(without)) == len(c.terms) <= LONGEST // 4:
            factor = total_of(scale(term(ONE, *[f for f in m.factors if f[0] is not a]), q) for m, q in rest.items())
            difference = sub(mul(without, without), mul(mul(factor, factor), a.data))
            differ = (_plain_sign(without), _plain_sign(factor)) in ((1, -1), (-1, 1), (0, 0))
            if differ and proven_zero(difference, 2, seen):
                return ZERO
    return None


def _plain_sign(c: Number) -> int | None:
    """The sign by a ball (for 0 by the form), None where a ball does not tell."""
    return sign(c) if type(c) is fmpq else sign_by_balls(c, PRECISIONS[:4]) or None  # type: ignore[arg-type]


REWRITINGS: tuple[Rewriting, ...] = (cleared, unified, logarithms_related, angles_related, angles_expanded, squared)

__all__ = ["algebraic_sign", "proven_zero", "relations", "separation", "settle"]
