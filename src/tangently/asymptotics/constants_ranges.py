"""Oscillators: sin θ, cos θ and frac θ of an angle that goes on for ever, as indeterminates with a known range.

All that is known of θ is that it may be any angle, so a constant that holds oscillators is a function on a box of
angles. `ranges` encloses its values: the box is cut into pieces on which sin and cos are monotone, and cut again where
a piece might reach beyond what points of the box are known to reach (branch and bound, R. E. Moore, Methods and
Applications of Interval Analysis, 1979); sin and cos of one key are always taken at the same angle. A constant that is
linear in sin θ and cos θ of one key needs no search: a + b·sin θ + c·cos θ is between a ± √(b² + c²).

Glossary: u an angle in turns, θ = 2πu, or the value of frac; cell an interval of u for each key; key what names an
angle.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache

import flint
from flint import arb, fmpq

from tangently.asymptotics import constants_functions as functions
from tangently.asymptotics.constants_core import (
    COS,
    EXP,
    LOG,
    ONE,
    OSCILLATOR,
    ROW,
    SIN,
    SUM,
    ZERO,
    Atom,
    Exact,
    Monomial,
    Number,
    Undecided,
    add,
    as_number,
    atom,
    ball,
    ball_now,
    collected,
    div,
    monomial,
    mul,
    neg,
    scale,
    term,
    terms_of,
    total_of,
)  # fmt: skip
from tangently.asymptotics.constants_rebuilding import atoms_of, rebuilt

FRAC = "frac"
CELLS = 1500  # evaluations of one search
PIECES = {1: 16, 2: 8, 3: 4}  # into which each angle is cut at first, by the number of keys
TIGHT = 2.0**-18  # of the range: how near its ends are found

Cell = tuple[tuple[fmpq, fmpq], ...]


def oscillator(kind: str, key: Hashable, show: str) -> Exact:
    """sin θ or cos θ of the angle that `key` names, or frac θ in [0, 1); `show` is the angle as text.

    >>> s, c = oscillator("sin", "θ", "x"), oscillator("cos", "θ", "x")
    >>> s * s + c * c, 2 + s
    (1, sin x + 2)
    """
    if kind not in (SIN, COS, FRAC):
        raise ValueError(f"got the kind {kind!r}; wanted 'sin', 'cos' or 'frac'")
    found = term(ONE, (atom(OSCILLATOR, (kind, key, show)), ONE))
    assert type(found) is Exact
    return found


def is_oscillating(c: Number) -> bool:
    """Does c hold an oscillator?"""
    return type(c) is Exact and bool(c.keys)


def substitute(c: Number, values: Mapping[Hashable, Number]) -> Number:
    """c with the angles θ/π (for frac: the values) given.

    >>> s = oscillator("sin", "θ", "x")
    >>> substitute(2 + s, {"θ": fmpq(1, 2)})
    3
    """

    def replace(a: Atom) -> Number | None:
        if a.kind != OSCILLATOR or a.data[1] not in values:
            return None
        value = as_number(values[a.data[1]])
        return (
            value
            if a.data[0] == FRAC
            else {SIN: functions.sin, COS: functions.cos}[a.data[0]](mul(value, functions.PI_NUMBER))
        )

    return rebuilt(c, replace)


def ranges(c: Number) -> arb:
    """A ball that holds every value of c: tight for what is linear in sin and cos of one key, else by a search.

    >>> s, c = oscillator("sin", "θ", "x"), oscillator("cos", "θ", "x")
    >>> 0.4999 < float(ranges(s * c).upper()) < 0.5001, round(float(ranges(3 + 4 * s + 3 * c).upper()), 6)
    (True, 8.0)
    """
    if not is_oscillating(c):
        return ball(c)
    before, flint.ctx.prec = flint.ctx.prec, 64
    try:
        return _range(c)  # type: ignore[arg-type]
    finally:
        flint.ctx.prec = before


@lru_cache(maxsize=1 << 9)
def _range(c: Exact) -> arb:
    found = _linear(c)
    return _searched(c) if found is None else found


def _linear(c: Exact) -> arb | None:
    """a ± √(b² + c²) for a + b·sin θ + c·cos θ; [a, a + b] for a + b·frac."""
    parts = linear_parts(c)
    if parts is None:
        return None
    rest, by_kind = parts
    if FRAC in by_kind:
        return add_ball(rest, ball_now(by_kind[FRAC]), arb(0.5, 0.5)) if len(by_kind) == 1 else None
    size = functions.sqrt(add(*[mul(by_kind.get(k, ZERO), by_kind.get(k, ZERO)) for k in (SIN, COS)]))
    return add_ball(rest, ball_now(size), arb(0, 1))


def add_ball(rest: Number, factor: arb, unit: arb) -> arb:
    return ball_now(rest) + factor * unit


def linear_parts(c: Exact) -> tuple[Number, dict[str, Number]] | None:
    """c = rest + Σ coefficient·oscillator for oscillators of one key, where it has that form."""
    rest: dict[Monomial, fmpq] = {}
    found: dict[str, dict[Monomial, fmpq]] = {}
    for m, q in c.terms.items():
        waves = [(a, e) for a, e in m.factors if a.keys]
        if not waves:
            rest[m] = q
        elif len(waves) == 1 and waves[0][1] == 1 and waves[0][0].kind == OSCILLATOR:
            found.setdefault(waves[0][0].data[0], {})[monomial([f for f in m.factors if not f[0].keys])] = q
        else:
            return None
    return (collected(rest), {k: collected(v) for k, v in found.items()}) if len(c.keys) == 1 else None


def slope(c: Number, key: Hashable) -> Number | None:
    """dc/du for the angle 2πu that `key` names (for frac: its value u); None where a row of the table is in the way.

    >>> s = oscillator("sin", "θ", "x")
    >>> slope(s * s, "θ")
    4π sin x cos x
    """
    try:
        return total_of(scale(_slope_of_monomial(m, key), q) for m, q in terms_of(c).items() if key in m.keys)
    except (LookupError, Undecided):
        return None


def _slope_of_monomial(m: Monomial, key: Hashable) -> Number:
    parts = []
    for a, e in m.factors:
        if key in a.keys:
            step = ZERO if a.kind == EXP else ONE
            rest = term(e, *[(b, k - step if b is a else k) for b, k in m.factors])
            parts.append(mul(rest, _slope_of_atom(a, key)))
    return total_of(parts)


def _slope_of_atom(a: Atom, key: Hashable) -> Number:
    """The derivative of an atom, for eᵐ that of m. A LookupError where there is no rule."""
    if a.kind == OSCILLATOR:
        return ONE if a.data[0] == FRAC else _turn(a)
    if a.kind == EXP:
        return _slope_of_monomial(a.data, key)
    inner = None if a.kind == ROW else slope(a.data, key)
    if inner is None:
        raise LookupError(a.kind)
    return {SUM: lambda: inner, LOG: lambda: div(inner, a.data), SIN: lambda: mul(functions.cos(a.data), inner),
            COS: lambda: neg(mul(functions.sin(a.data), inner))}[a.kind]()  # fmt: skip


def _turn(a: Atom) -> Number:
    """2π cos θ for sin θ, −2π sin θ for cos θ."""
    kind, *rest = a.data
    other = atom(OSCILLATOR, (COS if kind == SIN else SIN, *rest))
    return scale(mul(functions.PI_NUMBER, term(ONE, (other, ONE))), fmpq(2 if kind == SIN else -2))


# ---------------------------------------------------------------- branch and bound


def _searched(c: Exact) -> arb:
    """The hull of the enclosures of all cells, after cutting those that may reach further than points do."""
    measure = _Measure(c)
    done: list[arb] = []
    waiting = [(cell, measure.over(cell)) for cell in measure.start()]
    low, high = _points(measure, [cell for cell, _ in waiting])
    while waiting and measure.used < CELLS:
        slack = TIGHT * max(1e-300, high - low)
        open_ = [(cell, y) for cell, y in waiting if not _within(y, low - slack, high + slack)]
        done += [y for cell, y in waiting if _within(y, low - slack, high + slack)]
        waiting = [(half, measure.over(half)) for cell, _ in open_ for half in _halves(cell)]
        found = _points(measure, [cell for cell, _ in waiting])
        low, high = min(low, found[0]), max(high, found[1])
    return _hull([*done, *[y for _, y in waiting]])


def _within(y: arb, low: float, high: float) -> bool:
    return y.is_finite() and y.lower() >= low and y.upper() <= high


def _points(measure: _Measure, cells: list[Cell]) -> tuple[float, float]:
    """The least and the largest of what is proven to be reached at the cells' midpoints."""
    values = [y for y in (measure.at(cell) for cell in cells) if y.is_finite()]
    if not values:
        return float("inf"), float("-inf")
    return min(float(y.upper()) for y in values), max(float(y.lower()) for y in values)


def _hull(balls: list[arb]) -> arb:
    found = balls[0]
    for y in balls[1:]:
        found = found.union(y)
    return found


def sign_of_range(c: Exact) -> int:
    """The sign that c has at every angle; Undecided where it takes values of both signs, or 0, or might."""
    y = ranges(c)
    if y > 0 or y < 0:
        return 1 if y > 0 else -1
    raise Undecided(c, 0, f"{c!r} oscillates, with values in {_interval(y)}")


def _interval(y: arb) -> str:
    return f"[{float(y.lower()):.6g}, {float(y.upper()):.6g}]" if y.is_finite() else "(-∞, ∞)"


class _Measure:
    """The constant as a function on cells of angles: by its form, and by the mean value theorem. Counts evaluations."""

    def __init__(self, c: Exact) -> None:
        self.c, self.used = c, 0
        self.keys = sorted(c.keys, key=repr)
        self.slopes = [slope(c, key) for key in self.keys]
        found = {a.data for a in atoms_of(c) if a.kind == OSCILLATOR}
        waves = {(kind, *rest) for first, *rest in found for kind in ((FRAC,) if first == FRAC else (SIN, COS))}
        self.atoms = [atom(OSCILLATOR, data) for data in waves]
        self.frac = {a.data[1] for a in self.atoms if a.data[0] == FRAC}

    def start(self) -> list[Cell]:
        """The whole box, cut at the multiples of a quarter turn at least."""
        count = PIECES.get(len(self.keys), 4)
        cells: list[Cell] = [()]
        for _ in self.keys:
            steps = [(fmpq(k, count), fmpq(k + 1, count)) for k in range(count)]
            cells = [(*cell, step) for cell in cells for step in steps]
            if len(cells) > CELLS:
                raise Undecided(self.c, 0, f"{self.c!r} oscillates with {len(self.keys)} independent angles")
        return cells

    def over(self, cell: Cell) -> arb:
        """An enclosure on a cell on which sin and cos are monotone."""
        waves = self._waves(cell)
        plain = ball_now(self.c, waves)
        slopes = [ball_now(d, waves) for d in self.slopes if d is not None]
        if len(slopes) < len(cell) or not all(d.is_finite() for d in slopes):
            return plain
        steps = [d * arb(0, arb((end - start) / 2).upper()) for d, (start, end) in zip(slopes, cell)]
        mean = sum(steps, self.at(cell))
        return mean if not plain.is_finite() else plain.intersection(mean)

    def at(self, cell: Cell) -> arb:
        """The value at the cell's midpoint."""
        self.used += 1
        return ball_now(self.c, self._waves(tuple([((a + b) / 2, (a + b) / 2) for a, b in cell])))

    def _waves(self, cell: Cell) -> dict[Atom, arb]:
        place = dict(zip(self.keys, cell))
        return {a: _wave(a.data[0], *place[a.data[1]]) for a in self.atoms}


def _wave(kind: str, start: fmpq, end: fmpq) -> arb:
    """The oscillator on an interval of turns on which it is monotone."""
    f = WAVES[kind]
    return f(start) if start == end else f(start).union(f(end))


WAVES: dict[str, Callable[[fmpq], arb]] = {
    FRAC: arb,
    SIN: lambda u: arb.sin_pi_fmpq(2 * u),
    COS: lambda u: arb.cos_pi_fmpq(2 * u),
}


def _halves(cell: Cell) -> list[Cell]:
    """The cell cut across its longest side."""
    k = max(range(len(cell)), key=lambda i: cell[i][1] - cell[i][0])
    a, b = cell[k]
    middle = (a + b) / 2
    return [(*cell[:k], half, *cell[k + 1 :]) for half in ((a, middle), (middle, b))]


__all__ = ["is_oscillating", "linear_parts", "oscillator", "ranges", "sign_of_range", "substitute"]
