"""What a diagnosis looks at: a run, the theory of its steps, the stationary point nearby, kinks, the best value known.

A stationary point is looked for by Newton's steps, which must contract; at a degenerate one they contract by a factor
of ½ and more, elsewhere by ever smaller ones (Griewank & Osborne, *Analysis of Newton's method at irregular
singularities*, SIAM J. Numer. Anal. 20, 1983). A kink is found by halving a segment again and again, keeping the half
on which the gradient changes more: where the change is still there on 2⁻³⁰ of the segment, the gradient jumps.
"""

from __future__ import annotations

import copy
import functools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent.methods import METHODS
from tangently.descent.problems import Counts, Problem
from tangently.descent.steps import Point, Step, frozen, norm
from tangently.descent.theory import (
    LINEAR,
    SCALED,
    SMALL,
    Recurrence,
    Spectrum,
    Theory,
    anew,
    beside,
    first_point,
    recurrence_of,
    spectrum,
)
from tangently.descent.trajectory import mean_factor
from tangently.errors import TangentlyError

if TYPE_CHECKING:
    from tangently.descent.diagnosing import Finding
    from tangently.descent.trajectory import Trajectory

SECONDS = 4.5  # for a whole diagnosis, about
TAIL = 20  # steps that are looked at for alternation
HALVINGS = 30
CONTRACTS = 0.95  # Newton's steps shrink at least by this: by 1 − 1/m where the first m derivatives vanish
STRIKES = 5  # Newton's steps that need not contract: it may first have to find a valley
PLAIN = 0.1  # a jump of the gradient counts from this part of it on
FAST = 30  # numbers; up to here the reference is found with Hessians
SINGULAR = 1e-9  # an eigenvalue below this part of the largest on the path can't be told from 0
CLOSE = 1e-2  # a stationary point is close if it is within this part of the length of the run
LOCAL = 1e-2  # the part of ‖x‖ that counts as a length where a run hardly moved


@dataclass(frozen=True)
class Nearby:
    """A stationary point that Newton's steps lead to, the eigenvalues there, and how the last steps contracted."""

    x: np.ndarray
    value: float
    distance: float
    spectrum: Spectrum
    contraction: float


class Evidence:
    """What the detectors look at, each part computed when first asked for."""

    def __init__(self, t: Trajectory) -> None:
        self.t, self.problem, self.until = t, anew(t), time.perf_counter() + SECONDS
        self.found: dict[str, Finding] = {}
        self.values, self.norms, self.lengths = t.history.values, t.history.norms, t.history.lengths

    def seconds(self, part: float) -> float:
        """A part of the time that is left."""
        return max(0.02, part * (self.until - time.perf_counter()))

    def spectrum(self, which: str = "LA") -> Spectrum:
        """At the end of the run."""
        return spectrum(self.problem, self.t.last.x, which=which, until=time.perf_counter() + self.seconds(0.2))

    @functools.cached_property
    def theory(self) -> Theory:
        return beside(self.t, self.problem, seconds=self.seconds(0.4 if self.problem.size > SMALL else 0.13))

    @functools.cached_property
    def rule(self) -> Recurrence | None:
        return recurrence_of(self.t)

    @functools.cached_property
    def here(self) -> Point:
        """The last point, on all of the data."""
        return self.problem.point(np.array(self.t.last.x))

    @functools.cached_property
    def end(self) -> Spectrum:
        return self.spectrum()

    @functools.cached_property
    def least(self) -> tuple[float, np.ndarray]:
        """The least eigenvalue at the end, with its eigenvector (nan: not known)."""
        found = self.end if self.end.complete else self.spectrum("SA")
        return (float(found.values[0]), found.vectors[:, 0]) if found.values.size else (math.nan, np.zeros(0))

    @property
    def bends_down(self) -> bool:
        """Is the least eigenvalue at the end known to be negative?"""
        return bool(self.least[0] < -SINGULAR * self.curvature)

    @property
    def broke(self) -> bool:
        """Did it stop at a value that is not finite?"""
        return self.t.ending == "not finite"

    @property
    def settled(self) -> bool:
        """Did it stop because the gradient is small, or nothing is left to gain? (A bound on f proves neither.)"""
        return self.t.converged and self.t.ending not in ("below", "relative step")

    @property
    def rate(self) -> float:
        rates = self.t.history.rates
        given = self.t.settings.get("rate")
        if len(rates):
            return float(rates[-1])
        default = METHODS[self.t.method].rate
        return float(given) if isinstance(given, (int, float)) else math.nan if default is None else default

    @property
    def fixed(self) -> bool:
        """Is it a method with a bound on its rate, run at one rate?"""
        rates = self.t.history.rates
        return self.t.method in LINEAR and (not len(rates) or bool(np.ptp(rates) <= 1e-9 * rates.max()))

    @property
    def run(self) -> Sequence[Step]:
        """The last kept steps that follow one another."""
        kept = self.t.steps
        first = len(kept) - 1
        while first > 0 and kept[first - 1].k == kept[first].k - 1 and len(kept) - first < TAIL:
            first -= 1
        return kept[max(first, 0) :]

    @functools.cached_property
    def curvature(self) -> float:
        """The largest |λ| met: what an eigenvalue is small against."""
        seen = [abs(v) for v in (*self.theory.sharpness, *self.theory.least) if math.isfinite(v)]
        if self.t.method in SCALED:
            seen = [float(np.abs(spectrum(self.problem, first_point(self.t)).values).max(initial=0.0))]
        return max([*seen, float(np.abs(self.end.values).max(initial=0.0))])

    @functools.cached_property
    def length(self) -> float:
        """The length that distances are held against, in the units of x: how far it came, or else a part of ‖x‖."""
        first = first_point(self.t)
        come = max((norm(s.next_x - first) for s in spread(self.t.steps, 50)), default=0.0)
        return max(come, LOCAL * norm(first), LOCAL * norm(self.t.last.x)) or 1.0

    @functools.cached_property
    def nearby(self) -> Nearby | None:
        """The stationary point that Newton finds from the end; None if it finds none, or the problem is large."""
        return None if self.problem.size > SMALL else newton_point(self.problem, self.here, self.length)

    @functools.cached_property
    def close(self) -> Nearby | None:
        p = self.nearby
        return p if p is not None and p.distance <= CLOSE * self.length else None

    @property
    def heads_for_flat(self) -> bool:
        """Is a degenerate point ahead, no further away than it has come?"""
        p = self.nearby
        come = norm(self.here.x - first_point(self.t))
        return p is not None and p.contraction > 0.4 and p.distance <= come and self.kind_of(p.spectrum) == "degenerate"

    @functools.cached_property
    def arrived(self) -> bool:
        """Is it at a minimum, to what it was asked for?"""
        if not self.here.finite or not math.isfinite(self.t.value):
            return False
        if self.problem.size > SMALL:
            return self.settled and not self.bends_down
        p = self.close
        if p is None or self.kind_of(p.spectrum) not in ("minimum", "degenerate"):
            return False
        done = self.values[0] - p.value
        enough = 1e-6 if self.kind_of(p.spectrum) == "degenerate" else 1e-12  # there the last digits take for ever
        return self.settled or self.here.value - p.value <= enough * abs(done)

    def kind_of(self, s: Spectrum) -> str:
        """Of a stationary point, by the inertia of its Hessian."""
        tiny = SINGULAR * self.curvature
        if not s.values.size:
            return "unknown"
        if s.values[0] < -tiny:
            return "maximum" if s.values[-1] < -tiny else "saddle"
        return "minimum" if s.values[0] > tiny else "degenerate"

    @functools.cached_property
    def reference(self) -> Trajectory:
        """The method that is recommended, from the same start: the best value known."""
        method = "trust region" if self.problem.size <= FAST else "L-BFGS"
        try:
            settings = {"method": method, "steps": 300, "seconds": self.seconds(0.25), "tolerance": self._fine}
            return minimized(self.problem, settings)
        except (
            TangentlyError,
            ArithmeticError,
            np.linalg.LinAlgError,
        ):  # then the run itself is the best that is known
            return self.t

    @property
    def _fine(self) -> float:
        """A tolerance that is small for this f."""
        return min(float(self.t.settings.get("tolerance", 1e-6)), 1e-7 * float(self.norms[0]))

    @property
    def falls(self) -> bool:
        """Is the last quarter of the run below the one before, and still falling?"""
        quarter = max(1, len(self.values) // 4)
        before, late = self.values[-2 * quarter : -quarter], self.values[-quarter:]
        return bool(late.mean() < before.mean() and self.values[-1] <= late.mean())

    @property
    def late_factor(self) -> float:
        """By what ‖∇f‖ was multiplied in each of the last steps (nan: not known)."""
        return _factor(self.norms[-TAIL - 1 :])

    @property
    def steady(self) -> bool:
        """Has it been about that factor for a while? (Else no number of steps can be told from it.)"""
        late, before = self.late_factor, _factor(self.norms[-2 * TAIL - 1 : -TAIL])
        return self.t.count <= TAIL or bool(0.8 < np.log(before) / np.log(late) < 1.25)

    @functools.cached_property
    def gap(self) -> float:
        """By how much the end is above the best value known."""
        others = [self.reference.value, *([self.nearby.value] if self.nearby else [])]
        return max(0.0, self.t.value - min(v for v in [*others, self.t.value] if math.isfinite(v)))

    @functools.cached_property
    def crawls(self) -> bool:
        """Not there yet, and a good part of the way (in f) is left."""
        if self.broke or self.arrived or not math.isfinite(self.t.value) or self.t.ending == "below":
            return False
        if self.t.count < (1 if self.t.ending == "relative step" else 5):
            return False
        way = self.values[0] - self.t.value + self.gap
        some = 1e-8 if self.late_factor < 1 - 0.1 / self.t.count else 1e-13
        return self.gap > some * abs(way) and not self.t.problem.stochastic

    @functools.cached_property
    def kinks(self) -> list[Kink]:
        """Where the gradient jumps, on the last steps."""
        if self.t.problem.stochastic or self.broke or self.arrived:
            return []
        run = list(self.run)[-8:]
        after = [*[s.gradient for s in run[1:]], self.t.last.gradient]
        found = [kink_between(self.problem, s.x, s.next_x, (s.gradient, g)) for s, g in zip(run, after)]
        return [k for k in found if k is not None]


def _factor(norms: np.ndarray) -> float:
    """`mean_factor`, or nan where there is none."""
    good = len(norms) > 1 and norms[0] > 0 and norms[-1] > 0
    return mean_factor(norms) if good else math.nan


def newton_point(problem: Problem, start: Point, length: float = 1.0, most: int = 60) -> Nearby | None:
    """Newton's steps (least squares where the Hessian is singular), which must contract but for a few; None if not.

    length: the size of what happens in x. Steps that shrink by one factor r, all the same way, head for a degenerate
    point, whose distance is then a geometric sum: it is leapt to.
    """
    p, ratios, strikes, last, leapt = start, [1.0], 0, np.full(problem.size, np.inf), False
    for k in range(most):
        seen = spectrum(problem, p.x)
        if not p.finite or not seen.values.size:
            return None
        if p.norm == 0:
            break
        d = _solved(seen.values, seen.vectors, -p.gradient)
        size = length + norm(p.x)
        strikes += norm(d) > CONTRACTS * norm(last)
        if strikes > STRIKES or not _solves(seen.values, seen.vectors, p, d):
            if leapt or (k and norm(last) <= 1e-7 * size):
                break  # as near as rounding lets it come
            return None
        if norm(d) <= 1e-15 * size:
            break
        ratios.append(norm(d) / norm(last) if k else 0.0)
        limit = _leap(problem, p, d, last, ratios)
        p, last, leapt = limit or problem.point(p.x + d), d, leapt or limit is not None
    else:
        if norm(last) > 1e-6 * (length + norm(p.x)):
            return None
    return Nearby(p.x, p.value, norm(p.x - start.x), spectrum(problem, p.x), _settled(ratios))


def _leap(problem: Problem, p: Point, d: np.ndarray, last: np.ndarray, ratios: list[float]) -> Point | None:
    """To the sum of d + rd + r²d + …, where the last steps were of one factor r and one direction, and it is better."""
    r = ratios[-1]
    steady = len(ratios) > 5 and max(abs(r - q) for q in ratios[-4:]) < 0.01 and 0.4 < r < CONTRACTS
    if not (steady and d.dot(last) > 0.999 * norm(d) * norm(last)):
        return None
    there = problem.point(p.x + d / (1 - r))
    return there if there.norm < 1e-3 * p.norm else None


def _settled(ratios: list[float]) -> float:
    """By how much the steps contracted: the last factor, or the one that they had before rounding ended it."""
    return float(np.median(ratios[-4:])) if len(ratios) > 6 else ratios[-1]


def _solved(values: np.ndarray, vectors: np.ndarray, right: np.ndarray) -> np.ndarray:
    tall = np.abs(values) > 1e-13 * np.abs(values).max(initial=1e-300)
    c = vectors.T @ right
    return vectors @ np.where(tall, c / np.where(tall, values, 1.0), 0.0)


def _solves(values: np.ndarray, vectors: np.ndarray, p: Point, d: np.ndarray) -> bool:
    """Does Hd = −g have that solution? Where H is 0 and g is not, there is none."""
    left = vectors @ (values * (vectors.T @ d)) + p.gradient
    return norm(left) <= 0.5 * p.norm


@dataclass(frozen=True)
class Kink:
    """A place at which the gradient jumps from `before` to `after`."""

    x: np.ndarray
    beyond: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def jump(self) -> float:
        return norm(self.after - self.before)


def kink_between(
    problem: Problem, a: np.ndarray, b: np.ndarray, known: tuple[np.ndarray, np.ndarray] | None = None
) -> Kink | None:
    """Halve the segment, keeping the half on which the gradient changes more; is the change still there at the end?"""
    ga, gb = known or (problem.value_and_gradient(a)[1], problem.value_and_gradient(b)[1])
    enough = PLAIN * max(norm(ga), norm(gb))
    if not norm(gb - ga) > enough:
        return None
    for _ in range(HALVINGS):
        m = (a + b) / 2
        gm = problem.value_and_gradient(m)[1]
        left, right = norm(gm - ga), norm(gb - gm)
        if not max(left, right) > enough:
            return None
        a, ga, b, gb = (a, ga, m, gm) if left >= right else (m, gm, b, gb)
    return Kink(a, b, ga, gb)


def lower_around(
    problem: Problem, p: Point, directions: np.ndarray, length: float, size: float
) -> tuple[np.ndarray, float] | None:
    """The nearest lower value along ± the directions (rows), at distances from 10⁻³ to 10⁴ of a length; lower by more
    than the rounding of values of a size."""
    noise = 1e-14 * max(size, abs(p.value))
    for far in 10.0 ** np.arange(-3, 4.25, 0.25) * length:
        at = [p.x + s * far * d for d in directions for s in (1, -1)]
        found = [(problem.value(x), k) for k, x in enumerate(at)]
        value, k = min((pair for pair in found if math.isfinite(pair[0])), default=(math.inf, -1))
        if value < p.value - noise:
            return at[k], value
    return None


def spread(kept: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, evenly spaced, the first and the last among them."""
    return [kept[k] for k in np.unique(np.linspace(0, len(kept) - 1, most).astype(int))] if kept else []


def minimized(problem: Problem, settings: Mapping[str, Any]) -> Trajectory:
    """A run for comparison, within bounds."""
    from tangently.descent.minimizing import minimize

    return minimize(restarted(problem), None, progress=False, **settings)


def restarted(problem: Problem, start: np.ndarray | None = None) -> Problem:
    """The same problem with its own counts (and another start)."""
    again = copy.copy(problem)
    again.counts = Counts()
    again.start = problem.start if start is None else frozen(np.array(start, float))
    return again


__all__ = [
    "Evidence",
    "Kink",
    "Nearby",
    "kink_between",
    "lower_around",
    "minimized",
    "newton_point",
    "restarted",
    "spread",
]
