"""Rebuilding a constant with some of its atoms replaced, however deep they sit."""

from __future__ import annotations

from collections.abc import Callable

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
Done = dict[Atom, Number | None]
AGAIN: dict[str, Callable[[Number], Number]] = {
    LOG: functions.log,
    SIN: functions.sin,
    COS: functions.cos,
    SUM: lambda c: c,
}


def rebuilt(c: Number, replace: Replace) -> Number:
    """c with every atom for which `replace` gives a number replaced by it."""
    return _number(c, replace, {})


def _number(c: Number, replace: Replace, done: Done) -> Number:
    if type(c) is not Exact:
        return c
    return total_of(scale(_monomial(m, replace, done), q) for m, q in terms_of(c).items())


def _monomial(m: Monomial, replace: Replace, done: Done) -> Number:
    found: Number = ONE
    for a, e in m.factors:
        if a not in done:
            done[a] = _atom(a, replace, done)
        new = done[a]
        found = mul(found, term(ONE, (a, e)) if new is None else functions.power(new, e))
    return found


def _atom(a: Atom, replace: Replace, done: Done) -> Number | None:
    """What stands for the atom now, None where it stays."""
    found = replace(a)
    if found is not None:
        return found
    old = parts_of(a)
    new = [_number(c, replace, done) for c in old]
    if new == old:
        return None
    if a.kind == ROW:
        return functions.apply(a.data[0], *new)
    return functions.exp(new[0]) if a.kind == EXP else AGAIN[a.kind](new[0])


def parts_of(a: Atom) -> list[Number]:
    """The constants of which an atom is a function."""
    if a.kind == EXP:
        return [of_monomial(a.data)]
    if a.kind == ROW:
        return list(a.data[1])
    return [a.data] if a.kind in AGAIN else []


def atoms_of(c: Number) -> list[Atom]:
    """Every atom in c, however deep, once."""
    found: dict[Atom, None] = {}
    waiting = [c]
    while waiting:
        fresh = [a for m in terms_of(waiting.pop()) for a, _ in m.factors if a not in found]
        found |= dict.fromkeys(fresh)
        waiting += [part for a in dict.fromkeys(fresh) for part in parts_of(a)]
    return list(found)
