"""Exact constants as people write them: -2√6/3, (1 + √5)/2, e³, π/3, 4 ln 2 + 4.

Roots of primes with one index meet under one root sign, and with the root of a sum; powers of e meet in one exponent;
what has a negative exponent goes below the fraction bar; fractions with one denominator get one bar. In a sum of
algebraic numbers the rational comes first (1 + √5), else the transcendental ones do (π − 1); a sum does not begin with
a minus sign where it has a positive term.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flint import fmpq

from tangently.asymptotics.constants_core import (
    COS,
    COSPI,
    EULER,
    EXP,
    HALF,
    LOG,
    ONE,
    OSCILLATOR,
    PI,
    PRIME,
    ROW,
    SIN,
    SINPI,
    SUM,
    Atom,
    Factors,
    Monomial,
    Number,
    atom,
    collected,
    mul,
    neg,
    term,
    terms_of,
)  # fmt: skip
from tangently.expr import Expr, const, symbol
from tangently.primitives import TABLE

KINDS = (PRIME, SUM, SINPI, COSPI, ROW, LOG, EULER, SIN, COS, PI, EXP, OSCILLATOR)  # what is written first in a product


def to_expr(c: Number) -> Expr:
    """The constant as an expression.

    >>> from tangently.asymptotics.constants import exp, log, sqrt
    >>> from tangently.printing import to_text
    >>> [to_text(to_expr(c)) for c in (sqrt(fmpq(8, 3)), (1 + sqrt(fmpq(5))) / 2, exp(fmpq(3)), 4 * log(fmpq(2)) + 4)]
    ['2√6/3', '(1 + √5)/2', 'e³', '4 ln 2 + 4']
    """
    if type(c) is fmpq:
        return _rational(c)
    pairs = sorted(terms_of(c).items(), key=_place)
    below = int(pairs[0][1].q)
    if len(pairs) > 1 and below > 1 and all(q.q == below for _, q in pairs):
        if all(q < 0 for _, q in pairs):
            return TABLE["neg"](to_expr(neg(c)))
        return TABLE["div"](_sum([(m, q * below) for m, q in pairs]), const(below))
    return _sum(pairs)


def show(c: Number) -> str:
    """The constant as text.

    >>> from tangently.asymptotics.constants import sqrt
    >>> show(1 / sqrt(fmpq(3)))
    '√3/3'
    """
    from tangently.printing import to_text

    return str(c) if type(c) is fmpq else to_text(to_expr(c))


def _rational(q: fmpq) -> Expr:
    p = const(abs(int(q.p)))
    found = p if q.q == 1 else TABLE["div"](p, const(int(q.q)))
    return TABLE["neg"](found) if q < 0 else found


def _sum(pairs: list[tuple[Monomial, fmpq]]) -> Expr:
    """The terms in order, a positive one first."""
    first = next((k for k, (_, q) in enumerate(pairs) if q > 0), 0)
    ordered = [pairs[first], *pairs[:first], *pairs[first + 1 :]]
    total = _term(*ordered[0])
    for m, q in ordered[1:]:
        total = TABLE["add" if q > 0 else "sub"](total, _term(m, abs(q)))
    return total


def _place(pair: tuple[Monomial, fmpq]) -> tuple[Any, ...]:
    """Transcendental terms by falling degree, then the rational, then the roots."""
    m, _ = pair
    if m.algebraic:
        return (1, 0, 0, [(KINDS.index(a.kind), _size(a), float(int(e.p) / int(e.q))) for a, e in m.factors])
    above = [(a, e) for a, e in m.factors if not a.algebraic]
    highest = max((KINDS.index(a.kind) for a, _ in above), default=0)
    degrees = sum(int(e.p) / int(e.q) for _, e in above)
    return (0, -highest, -degrees, [(-KINDS.index(a.kind), _size(a), -float(int(e.p) / int(e.q))) for a, e in above])


def _size(a: Atom) -> float:
    """What orders atoms of one kind for reading."""
    if a.kind == PRIME or (a.kind == LOG and type(a.data) is fmpq):
        return float(int(a.data if a.kind == PRIME else a.data.p))
    if a.kind in (SINPI, COSPI):
        return int(a.data.p) / int(a.data.q)
    return float(a.serial)


# ---------------------------------------------------------------- one term


def _term(m: Monomial, q: fmpq) -> Expr:
    """q·m as a fraction; √2/(2√π) with the root below, 1/√(2π)."""
    factors = m.factors
    if any(e < 0 and e.q == 2 and a.kind != PRIME for a, e in factors):
        low = [a for a, e in factors if a.kind == PRIME and e == HALF and q.q % a.data == 0]
        q = q * math.prod(a.data for a in low)
        factors = tuple([(a, -e if a in low else e) for a, e in factors])
    over, under = _parts(factors, ONE), _parts(factors, -ONE)
    top = _product([const(abs(int(q.p))), *over])
    bottom = _product([const(int(q.q)), *under])
    found = top if bottom is None else TABLE["div"](top or const(1), bottom)
    found = const(1) if found is None else found
    return TABLE["neg"](found) if q < 0 else found


def _product(parts: Iterable[Expr]) -> Expr | None:
    """The product from left to right, without factors 1; None where nothing is left."""
    found = None
    for part in parts:
        if not (part.is_constant and part.value == 1):
            found = part if found is None else TABLE["mul"](found, part)
    return found


def _parts(factors: Factors, side: fmpq) -> list[Expr]:
    """The factors above (side 1) or below (side −1) the bar; sin a/cos a is tan a."""
    tangents = [a for a, e in factors if a.kind == SIN and e == 1 and (atom(COS, a.data), -ONE) in factors]
    gone = {*tangents, *[atom(COS, a.data) for a in tangents]}
    mine = [(a, e * side) for a, e in factors if e * side > 0 and a not in gone]
    mine.sort(key=lambda f: (KINDS.index(f[0].kind), _size(f[0])))
    shown = [TABLE["tan"](to_expr(a.data)) for a in tangents if side > 0]
    return [*_roots(mine), *_plain(mine), *shown, *_exponential(mine)]


def _roots(factors: list[tuple[Atom, fmpq]]) -> list[Expr]:
    """Roots of primes and of sums, one root sign for each index; square roots of other atoms with them: √(2π)."""
    found = []
    radicals = [(a, e) for a, e in factors if _is_root(a, e)]
    for index in sorted({int(e.q) for _, e in radicals}):
        inside = [(a, int((e * index).p)) for a, e in radicals if e.q == index]
        whole = math.prod(a.data**k for a, k in inside if a.kind == PRIME)
        sums = [(a, k) for a, k in inside if a.kind != PRIME]
        if len(inside) == 1 and index > 2 and inside[0][1] > 1:  # 2^(2/3) rather than ∛4
            a, k = inside[0]
            found.append(TABLE["pow"](_atom(a), _rational(fmpq(k, index))))
        elif all(a.kind != SUM and k == 1 for a, k in sums):
            found.append(_root(to_expr(term(fmpq(whole), *[(a, ONE) for a, _ in sums])), index))
        elif len(sums) == 1 and sums[0][1] == 1:
            found.append(_root(to_expr(mul(fmpq(whole), sums[0][0].data)), index))
        else:
            found += [_root(const(whole), index)] if whole > 1 else []
            found += [_power(_atom(a), fmpq(k, index)) for a, k in sums]
    return found


def _is_root(a: Atom, e: fmpq) -> bool:
    return e.q != 1 and (a.kind in (PRIME, SUM) or (a.kind != EXP and e == HALF))


def _root(inside: Expr, index: int) -> Expr:
    return TABLE["sqrt"](inside) if index == 2 else TABLE["pow"](inside, _rational(fmpq(1, index)))


def _plain(factors: list[tuple[Atom, fmpq]]) -> list[Expr]:
    return [_power(_atom(a), e) for a, e in factors if a.kind != EXP and not _is_root(a, e)]


def _power(base: Expr, e: fmpq) -> Expr:
    if e == 1:
        return base
    if e.q == 1:
        return TABLE["pow"](base, const(int(e.p)))
    return TABLE["pow"](TABLE["sqrt"](base), const(int(e.p))) if e.q == 2 and e.p != 1 else (
        TABLE["sqrt"](base) if e.q == 2 else TABLE["pow"](base, _rational(e))
    )  # fmt: skip


def _exponential(factors: list[tuple[Atom, fmpq]]) -> list[Expr]:
    """All powers of e in one; a power of another base where the exponent holds its logarithm: e^(√2·ln 3) is 3^√2."""
    found, exponent = [], {}
    for a, e in factors:
        if a.kind == EXP:
            base = [(b, k) for b, k in a.data.factors if b.kind == LOG and k == 1]
            if len(base) == 1:
                rest = term(e, *[f for f in a.data.factors if f[0] is not base[0][0]])
                found.append(TABLE["pow"](to_expr(base[0][0].data), to_expr(rest)))
            else:
                exponent[a.data] = e
    return [*found, TABLE["exp"](to_expr(collected(exponent)))] if exponent else found


@lru_cache(maxsize=1 << 10)
def _atom(a: Atom) -> Expr:
    kind, data = a.kind, a.data
    if kind == PRIME:
        return const(data)
    if kind in (PI, EULER):
        return TABLE["pi" if kind == PI else "euler_gamma"]()
    if kind in (SINPI, COSPI):
        angle = _term(monomial_of_pi(), data)
        return TABLE["sin" if kind == SINPI else "cos"](angle)
    if kind == ROW:
        return data[0](*[to_expr(c) for c in data[1]])
    if kind == OSCILLATOR:
        return _oscillator(data)
    return to_expr(data) if kind == SUM else TABLE[kind](to_expr(data))


def monomial_of_pi() -> Monomial:
    [(m, _)] = terms_of(term(ONE, (atom(PI), ONE))).items()
    return m


def _oscillator(data: Any) -> Expr:
    kind, _, shown = data
    angle = symbol(shown)
    return TABLE[kind](angle) if kind in TABLE else angle - TABLE["floor"](angle)


__all__ = ["show", "to_expr"]
