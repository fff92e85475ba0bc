"""Who is right where routes disagree, and the receipt that says so.

Routes that agree form a camp. Believed is the camp with the most families; among equals, the one with the differences
of the function itself; then the larger. Where there is a ball, the table's family speaks in the ball's camp alone: a
float that leaves the proven ball of its own formula has lost its digits to rounding, however many agree with it. Digits
are counted against the believed value: the ball's midpoint if a ball is in the camp, else SymPy's 30 digits, else the
median.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.enclosure import digits_of
from tangently.errors import UnsupportedError
from tangently.verification.routes import NotApplicableError, Outcome, Way

if TYPE_CHECKING:
    from tangently.quotients import StepSweep

LEAST_DIGITS = {"f": 3.0, "e": 2.0}  # that make an agreement, by dtype; 7 in double precision
VAGUE = 1e-2  # a relative error estimate above which differences say nothing
TABLE, FUNCTION = "table", "function"  # the families and routes that judging knows by name
BALL, REVERSE = "ball arithmetic", "reverse mode"
MARKS = {True: "✓", False: "✗", None: "–"}


# ---------------------------------------------------------------- the receipt


@dataclass(frozen=True, eq=False)
class Route:
    """One way to the derivative: what it gave, how far it agrees, and how long it took.

    `value` is a number, an array, or a tuple of them for several inputs (None: the route was not taken, or gives only
    the products of a large gradient with directions). `digits` of agreement with what is believed, at most 16; NaN
    where the route can't be judged. `verdict` is then None and `note` says why. `time` in seconds.
    """

    name: str
    value: Any
    digits: float
    verdict: bool | None
    note: str = ""
    time: float = 0.0
    family: str = ""


@dataclass(frozen=True)
class Worst:
    """The entry on which the route of the fewest digits is furthest from what is believed."""

    route: str
    entry: str
    difference: float
    digits: float


@dataclass(frozen=True, eq=False)
class Receipt:
    """The routes, and what they say together.

    `agree` is None where too few routes could be judged, or where all share a convention at a kink. `odd_one_out` names
    the routes that disagree with the most independent ones. `reference` is the value that is believed. `kinks` are the
    rows that stand at a kink here. `sweep_h` is the error of difference quotients against h, for one number as input.
    """

    rows: tuple[Route, ...]
    agree: bool | None
    reference: Any = None
    worst: Worst | None = None
    odd_one_out: str | None = None
    kinks: tuple[str, ...] = ()
    sweep_h: StepSweep | None = None
    title: str = "derivative"

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Rows of text: mark, route, value, digits, time, note."""
        return tuple((MARKS[r.verdict], r.name, shown(r.value), _digits(r), _time(r), r.note) for r in self.rows)

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        judged = [r for r in self.rows if r.verdict is not None]
        if self.agree is None:
            kinks = f"a kink of {', '.join(self.kinks)} is hit: the routes share its convention, not a derivative"
            return kinks if self.kinks and len(judged) > 1 else "too few routes to judge"
        if self.agree:
            worst = min(judged, key=lambda r: r.digits)
            return f"{len(judged)} routes agree, to {worst.digits:.1f} digits or more ({worst.name})"
        where = f"; most at {self.worst.entry}" if self.worst and "[" in self.worst.entry else ""
        return f"the routes disagree; odd one out: {self.odd_one_out}{where}"

    def __str__(self) -> str:
        lines = [("", "route", self.title, "digits", "time", ""), *self.table()]
        widths = [max(len(row[k]) for row in lines) for k in range(5)]
        pads = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust)
        text = ["  ".join([*[pad(c, w) for pad, c, w in zip(pads, row, widths)], row[5]]).rstrip() for row in lines]
        return "\n".join([*text, f"{MARKS[self.agree]}  {self.summary}"])

    __repr__ = __str__

    def __rich__(self) -> Any:
        from rich.table import Table

        table = Table(caption=f"{MARKS[self.agree]} {self.summary}", box=None, caption_justify="left")
        for head in ("", "route", self.title, "digits", "time", ""):
            table.add_column(head, justify="right" if head in ("digits", "time") else "left")
        for route, row in zip(self.rows, self.table()):
            table.add_row(*row, style={True: "green", False: "red", None: "dim"}[route.verdict])
        return table


def shown(value: Any) -> str:
    """Up to three numbers in full; arrays by their norm.

    >>> shown(0.1), shown((1.0, np.array([3.0, 4.0, 0.0])))
    ('0.1', '‖·‖ = 5.09901951359')
    """
    if value is None:
        return ""
    parts = value if isinstance(value, tuple) else (value,)
    if all(isinstance(v, float) for v in parts) and len(parts) <= 3:
        return repr(value) if len(parts) == 1 else ", ".join(f"{v:.10g}" for v in parts)
    return f"‖·‖ = {length([length(v) for v in parts]):.12g}"


def _digits(route: Route) -> str:
    return "" if math.isnan(route.digits) else f"{route.digits:.1f}"


def _time(route: Route) -> str:
    t = route.time
    return f"{t * 1e6:.0f} µs" if t < 1e-3 else (f"{t * 1e3:.1f} ms" if t < 1 else f"{t:.1f} s")


# ---------------------------------------------------------------- taking the routes


@dataclass(frozen=True, eq=False)
class Taken:
    """A route that was taken: its outcome, or the reason why there is none."""

    way: Way
    outcome: Outcome | None
    note: str
    time: float

    @property
    def seen(self) -> np.ndarray:
        assert self.outcome is not None
        return self.outcome.seen

    @property
    def error(self) -> float:
        """The norm of the route's own error estimate."""
        found = self.outcome.error if self.outcome is not None else None
        return 0.0 if found is None else length(found)

    @property
    def finite(self) -> bool:
        return self.outcome is not None and bool(np.isfinite(self.seen).all())


def length(vector: Any) -> float:
    """The norm of a vector, without overflow.

    >>> length(np.array([3e200, 0.0])), length(np.zeros(0))
    (3e+200, 0.0)
    """
    top = float(np.max(np.abs(vector), initial=0.0))
    return top * float(np.linalg.norm(np.ravel(vector) / top)) if 0 < top < math.inf else top


def take(way: Way, problem: Any) -> Taken:
    """Take a route. A receipt is given in any case: what a route raises is written on it."""
    start = time.perf_counter()
    outcome = None
    try:
        with np.errstate(all="ignore"):
            outcome = way.find(problem)
        note = outcome.note
    except (NotApplicableError, UnsupportedError) as reason:
        note = str(reason).partition(";")[0]
    except Exception as error:
        note = f"raised {type(error).__name__}: {str(error)[:80]}"
    return Taken(way, outcome, note, time.perf_counter() - start)


# ---------------------------------------------------------------- judging


@dataclass(frozen=True, eq=False)
class Frame:
    """How vectors are compared and shown: a typical slope, the digits that make an agreement, names, and layout."""

    slope: float
    least: float
    entry: Callable[[int], str]
    packed: Callable[[np.ndarray], Any]
    kinks: tuple[str, ...] = ()
    whole: bool = True  # are the vectors whole gradients?

    def size(self, *vectors: np.ndarray) -> float:
        """What errors are relative to: the norm; for a derivative of next to nothing, a part of a typical slope."""
        return max([1e-6 * self.slope, 1e-300, *[length(v) for v in vectors]])

    def vague(self, taken: Taken) -> bool:
        """Is the route's own error estimate so large that it would cover anything?"""
        return taken.error > 0 and not taken.error <= VAGUE * max(self.size(taken.seen), 1e-4 * self.slope)

    def agree(self, a: Taken, b: Taken) -> bool:
        rounding = self.size(a.seen, b.seen) * 10.0**-self.least
        return bool(length(a.seen - b.seen) <= 3 * (a.error + b.error) + rounding)

    def digits(self, seen: np.ndarray, reference: np.ndarray) -> float:
        return min(16.0, digits_of(length(seen - reference), self.size(reference)))


def least_digits(dtypes: Sequence[str]) -> float:
    return min((LEAST_DIGITS.get(d, 7.0) for d in dtypes), default=7.0)


def believed(frame: Frame, taken: Sequence[Taken]) -> list[Taken]:
    """The camp that is believed."""
    able = [t for t in taken if t.finite and not frame.vague(t)]
    camps = [[t for t in able if frame.agree(center, t)] for center in able]
    ball = {t for t in able if t.way.name == BALL}

    def weight(camp: Sequence[Taken]) -> tuple[int, bool, int]:
        families = {t.way.family for t in camp} - ({TABLE} if ball - set(camp) else set())
        return len(families), FUNCTION in families, len(camp)

    return max(camps, key=weight, default=[])


def reference_of(camp: Sequence[Taken]) -> np.ndarray | None:
    """The ball's midpoint, else SymPy's, else the median of the camp without the differences."""
    by_name = {t.way.name: t.seen for t in camp}
    for name in (BALL, "SymPy"):
        if name in by_name:
            return by_name[name]
    exact = [t.seen for t in camp if t.way.family != FUNCTION] or [t.seen for t in camp]
    return np.median(exact, axis=0) if exact else None


def _route(frame: Frame, taken: Taken, camp: Sequence[Taken], reference: np.ndarray | None) -> Route:
    outcome = taken.outcome
    make = functools.partial(Route, taken.way.name, family=taken.way.family, time=taken.time)
    if outcome is None:
        return make(None, math.nan, None, taken.note)
    value = None if outcome.full is None else frame.packed(outcome.full)
    if reference is None or (not taken.finite and taken.way.family == FUNCTION):
        return make(value, math.nan, None, taken.note or "no finite number")
    if not taken.finite:
        return make(value, 0.0, False, "no finite number")
    if frame.vague(taken):
        return make(value, math.nan, None, f"error estimate {taken.error:.2g}: {taken.note}")
    if taken in camp:
        return make(value, frame.digits(taken.seen, reference), True, taken.note)
    return make(value, frame.digits(taken.seen, reference), False, _blame(frame, taken, camp, reference))


def _furthest(taken: Taken, reference: np.ndarray) -> tuple[int, float]:
    gap = np.abs(taken.seen - reference)
    k = int(np.argmax(gap))
    return k, float(gap[k])


def _blame(frame: Frame, taken: Taken, camp: Sequence[Taken], reference: np.ndarray) -> str:
    """Where a route is furthest off; by rounding, if the proven ball of reverse mode's formula excludes it."""
    k, gap = _furthest(taken, reference)
    where = f" at {frame.entry(k)}" if reference.size > 1 else ""
    names = {t.way.name for t in camp}
    return f"off by {gap:.3g}{where}" + (": lost to rounding" if BALL in names and REVERSE not in names else "")


def _worst(frame: Frame, routes: Sequence[Route], taken: Sequence[Taken], reference: Any) -> Worst | None:
    judged = [(r, t) for r, t in zip(routes, taken) if r.verdict is not None and t.finite]
    if not judged:
        return None
    route, found = min(judged, key=lambda pair: pair[0].digits)
    k, gap = _furthest(found, reference)
    return Worst(route.name, frame.entry(k), gap, route.digits)


def _odd(routes: Sequence[Route]) -> str | None:
    """The routes that disagree; where that is everything that reads the table, its rules are to blame."""
    odd = [r.name for r in routes if r.verdict is False]
    table = [r.name for r in routes if r.family == TABLE and r.verdict is not None]
    names = ", ".join(odd)
    return f"the rules of the table ({names})" if len(table) > 1 and odd == table else names or None


def _together(frame: Frame, routes: Sequence[Route]) -> bool | None:
    """Do all agree? None: too few to say, or a kink is hit and the differences find no slope there."""
    judged = [r.verdict for r in routes if r.verdict is not None]
    if not all(judged):
        return False
    open_ = any(r.family == FUNCTION and r.verdict is None for r in routes)
    return None if len(judged) < 2 or (frame.kinks and open_) else True


def verdicts(frame: Frame, taken: Sequence[Taken], title: str) -> Receipt:
    """Routes to a receipt: who agrees, who does not, and where."""
    camp = believed(frame, taken)
    reference = reference_of(camp)
    routes = tuple(_route(frame, t, camp, reference) for t in taken)
    return Receipt(
        rows=routes,
        agree=_together(frame, routes),
        reference=frame.packed(reference) if reference is not None and frame.whole else None,
        worst=_worst(frame, routes, taken, reference),
        odd_one_out=_odd(routes),
        kinks=frame.kinks,
        title=title,
    )


__all__ = ["Frame", "Receipt", "Route", "Taken", "Worst", "least_digits", "shown", "take", "verdicts"]
