"""Rebuilding a constant with some of its atoms replaced, however deep they sit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tangently.asymptotics import constants_functions as functions
from tangently.asymptotics.constants_core import (
    COS,
    EXP,
    LOG,
    ONE,
    ROW,
    SIN,
    SUM,
    Atom,
    Exact,
    Monomial,
    Number,
    mul,
    of_monomial,
    scale,
    term,
    terms_of,
    total_of,
)  # fmt: skip

Replace = Callable[[Atom], Number | None]
AGAIN: dict[str, Callable[[Number], Number]] = {
    LOG: functions.log,
    SIN: functions.sin,
    COS: functions.cos,
    SUM: lambda c: c,
}


def rebuilt(c: Number, replace: Replace) -> Number:
    """c with every atom for which `replace` gives a number replaced by it."""
    if type(c) is not Exact:
        return c
    return total_of(scale(_monomial(m, replace), q) for m, q in terms_of(c).items())


def _monomial(m: Monomial, replace: Replace) -> Number:
    found: Number = ONE
    for a, e in m.factors:
        new = _atom(a, replace)
        found = mul(found, term(ONE, (a, e)) if new is None else functions.power(new, e))
    return found


def _atom(a: Atom, replace: Replace) -> Number | None:
    """What stands for the atom now, None where it stays."""
    found = replace(a)
    if found is not None:
        return found
    if a.kind == EXP:
        old = of_monomial(a.data)
        new = rebuilt(old, replace)
        return None if new == old else functions.exp(new)
    if a.kind == ROW:
        row, args = a.data
        fresh = tuple([rebuilt(c, replace) for c in args])
        return None if fresh == args else functions.apply(row, *fresh)
    if a.kind in AGAIN:
        new = rebuilt(a.data, replace)
        return None if new == a.data else AGAIN[a.kind](new)
    return None


def atoms_of(c: Number) -> Iterator[Atom]:
    """Every atom in c, however deep, some of them more than once."""
    for m in terms_of(c):
        for a, _ in m.factors:
            yield a
            yield from atoms_inside(a)


def atoms_inside(a: Atom) -> Iterator[Atom]:
    """The atoms of which an atom is made."""
    if a.kind == EXP:
        yield from atoms_of(of_monomial(a.data))
    elif a.kind == ROW:
        for c in a.data[1]:
            yield from atoms_of(c)
    elif a.kind in AGAIN:
        yield from atoms_of(a.data)
