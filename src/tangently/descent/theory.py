"""What theory says about each step of a descent, beside what the step did.

**Stability.** On a quadratic with Hessian eigenvalues λᵢ every method here is a linear recurrence for each eigenvector,
and the error shrinks by the largest modulus of the recurrence's roots z:

    gradient descent   z = 1 − ηλ                                            stable for η < 2/λ
    momentum β         z² − (1 + β − ηλ) z + β = 0                           η < 2(1 + β)/λ            (Polyak 1964)
    Nesterov β         z² − (1 + β)(1 − ηλ) z + β(1 − ηλ) = 0                η < 2(1 + β)/((1 + 2β)λ)

The bound is thus set by the sharpness λ_max. Adam, RMSprop and Adagrad are the first two with P⁻¹H in the place of H,
P the diagonal of what they divide by, while P changes slowly; Adam's mean of gradients is momentum with the rate
(1 − β₁)η, so λ_max(P⁻¹H) < 2(1 + β₁)/((1 − β₁)η), which is 38/η for β₁ = 0.9 (J. Cohen et al., *Adaptive gradient
methods at the edge of stability*, arXiv 2207.14484, 2022).

**Speed.** With L = λ_max, μ = λ_min > 0 and κ = L/μ the best fixed rate of gradient descent is 2/(L + μ), with the
factor (κ − 1)/(κ + 1) a step; momentum's best pair is η = 4/(√L + √μ)², β = ((√κ − 1)/(√κ + 1))², with the factor
(√κ − 1)/(√κ + 1) (B. Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964).

**Conditions of a step** t along d: Armijo f(x + td) ≤ f + c₁t∇f·d; Wolfe ∇f(x + td)·d ≥ c₂∇f·d, strong with moduli.

**Edge of stability** (J. Cohen et al., *Gradient descent on neural networks typically occurs at the edge of stability*,
ICLR 2021): on a network λ_max rises to 2/η and hovers there, while the loss still falls over long times.

All eigenvalues come from the Hessian where it is small; else the largest comes from products with it (C. Lanczos 1950).
"""

from __future__ import annotations

import copy
import functools
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tangently.descent.problems import Counts, Problem
from tangently.descent.searches import ARMIJO, WOLFE, armijo
from tangently.descent.steps import Point, Step, frozen, norm
from tangently.descent.trajectory import Trajectory, near_one
from tangently.errors import DomainError, InputError

SMALL = 200  # numbers; up to here all eigenvalues are computed
WORK = 250_000  # of 3n² + 1000 a point: how many points of a small problem are looked at
MOST, FEW, FEWEST = 400, 20, 8  # points that are looked at: at most, with Lanczos, and on a huge problem
HUGE = 10_000  # numbers
ROUNDS = {"LA": 60, "SA": 320}  # products with the Hessian: the lower end, often crowded, settles later
SETTLED = {"LA": 1e-3, "SA": 3e-2}  # a residual below this part of the eigenvalue
PATIENCE = 8  # rounds that it must stay settled: it may dwell at the eigenvalue beside the outermost
ROUNDING = 1e-12  # an eigenvalue below this part of the largest can't be told from 0
HOVERS = (0.95, 1.2)  # ηλ_max over its bound, at the edge of stability
RISES = 0.03  # part of the steps at which the loss rises, at the edge of stability
SCALED = ("Adam", "AdamW", "RMSprop", "Adagrad")
LINEAR = ("gradient descent", "momentum", "Nesterov", *SCALED)  # methods with a bound on the rate


# ---------------------------------------------------------------- of eigenvalues


class Pair(NamedTuple):
    """A rate, a momentum, and the factor by which they shrink the error in a step."""

    rate: float
    momentum: float
    factor: float


def _ends(eigenvalues: Any) -> tuple[float, float]:
    """The least and the largest; InputError where the quadratic has no minimum."""
    values = np.asarray(eigenvalues, float).ravel()
    if not values.size or not np.isfinite(values).all() or values.min() <= 0:
        raise InputError(
            f"eigenvalues {np.array2string(values, precision=4, threshold=6)}: positive finite ones were wanted, for "
            "only then does the quadratic have one minimum"
        )
    return float(values.min()), float(values.max())


def condition_number(eigenvalues: Any) -> float:
    """κ = λ_max/λ_min; inf where the Hessian is singular or not positive definite.

    >>> condition_number([1.0, 4.0, 100.0])
    100.0
    """
    values = np.asarray(eigenvalues, float)
    low, high = float(values.min()), float(values.max())
    return high / low if low > ROUNDING * abs(high) else math.inf


def best_rate(eigenvalues: Any) -> Pair:
    """The best fixed rate of gradient descent on a quadratic, 2/(L + μ), and its factor (κ − 1)/(κ + 1).

    >>> best_rate([1.0, 9.0])
    Pair(rate=0.2, momentum=0.0, factor=0.8)
    """
    low, high = _ends(eigenvalues)
    return Pair(2 / (high + low), 0.0, (high - low) / (high + low))


def momentum_pair(eigenvalues: Any) -> Pair:
    """Momentum's optimal pair on a quadratic, η = 4/(√L + √μ)² and β = ((√κ − 1)/(√κ + 1))², and its factor √β.

    >>> momentum_pair([1.0, 9.0])
    Pair(rate=0.25, momentum=0.25, factor=0.5)
    """
    low, high = map(math.sqrt, _ends(eigenvalues))
    factor = (high - low) / (high + low)
    return Pair(4 / (high + low) ** 2, factor**2, factor)


def stability_bound(sharpness: float, momentum: float = 0.0, nesterov: bool = False) -> float:
    """The rate below which a descent is stable, where λ_max is `sharpness`; inf where that is not positive.

    >>> stability_bound(4.0), stability_bound(4.0, momentum=0.9), round(stability_bound(4.0, 0.9, nesterov=True), 4)
    (0.5, 0.95, 0.3393)
    """
    if math.isnan(sharpness):
        return math.nan
    top = 2 * (1 + momentum) / ((1 + 2 * momentum) if nesterov else 1)
    return top / sharpness if sharpness > 0 else math.inf


def factors(eigenvalues: Any, rate: float, momentum: float = 0.0, nesterov: bool = False) -> np.ndarray:
    """By how much a step multiplies the error along each eigenvector: the largest modulus of the recurrence's roots.

    >>> factors([1.0, 2.0, 3.0], rate=0.5).tolist()
    [0.5, 0.0, 0.5]
    >>> factors([1.0], rate=0.25, momentum=0.25).round(6).tolist()  # double root: critically damped
    [0.5]
    """
    h = rate * np.asarray(eigenvalues, float)
    middle = (1 + momentum) * (1 - h) if nesterov else 1 + momentum - h
    last = momentum * (1 - h) if nesterov else momentum + 0 * h
    root = np.sqrt((middle * middle / 4 - last).astype(complex))
    return np.maximum(np.abs(middle / 2 + root), np.abs(middle / 2 - root))


# ---------------------------------------------------------------- the method as a recurrence


@dataclass(frozen=True)
class Recurrence:
    """What of a method decides its stability: momentum, of which kind, and by what its rate is multiplied."""

    momentum: float = 0.0
    nesterov: bool = False
    gain: float = 1.0
    decay: float = 0.0  # weight decay, added to every eigenvalue
    scaled: bool = False  # by a diagonal P

    def bound(self, sharpness: float) -> float:
        return stability_bound(sharpness + self.decay, self.momentum, self.nesterov) / self.gain

    def factors(self, eigenvalues: np.ndarray, rate: float) -> np.ndarray:
        return factors(eigenvalues + self.decay, self.gain * rate, self.momentum, self.nesterov)


def option(t: Trajectory, name: str) -> Any:
    """A parameter of the method: as it was given, else the table's default."""
    from tangently.descent.methods import METHODS

    given = t.settings.get(name)
    nested = t.settings.get("options")
    if given is None and isinstance(nested, Mapping):
        given = nested.get(name)
    return METHODS[t.method].options.get(name) if given is None else given


def recurrence_of(t: Trajectory) -> Recurrence | None:
    """None for the methods that have no bound of this kind (Newton and its kin choose their own step)."""
    if t.method not in LINEAR:
        return None
    if t.method in ("Adam", "AdamW"):
        beta = option(t, "betas")[0]
        return Recurrence(beta, gain=1 - beta, scaled=True)
    beta = float(option(t, "momentum") or 0.0)
    decay = 0.0 if t.method in SCALED else float(option(t, "weight_decay") or 0.0)
    gain = 1 - float(option(t, "dampening") or 0.0)
    return Recurrence(beta, t.method == "Nesterov", gain, decay, t.method in SCALED)


def scalings(t: Trajectory, wanted: Collection[int] | None = None) -> dict[int, np.ndarray] | None:
    """The diagonal P of Adam, AdamW, RMSprop or Adagrad by step (of all steps, or those that are wanted).

    None where it can't be told: not every gradient was kept, or P is not made of their squares alone.
    """
    if len(t.steps) != t.count or option(t, "amsgrad") or option(t, "centered") or clipped(t):
        return None
    eps, name = option(t, "eps"), t.method
    mean = None if name == "Adagrad" else option(t, "alpha") if name == "RMSprop" else option(t, "betas")[1]
    v = np.full(t.problem.size, option(t, "initial") if mean is None else 0.0)
    found = {}
    for k, step in enumerate(t.steps):
        v = v + step.gradient**2 if mean is None else mean * v + (1 - mean) * step.gradient**2
        if wanted is None or step.k in wanted:
            found[step.k] = np.sqrt(v / (1 - mean ** (k + 1)) if mean is not None and name != "RMSprop" else v) + eps
    return found


def clipped(t: Trajectory) -> bool:
    return t.settings.get("clip") is not None or t.settings.get("clip_norm") is not None


# ---------------------------------------------------------------- spectra


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a Hessian, ascending, with eigenvectors as columns: all of them, or the largest alone."""

    values: np.ndarray
    vectors: np.ndarray
    complete: bool

    @property
    def top(self) -> float:
        return float(self.values[-1]) if self.values.size else math.nan

    @property
    def least(self) -> float:
        return float(self.values[0]) if self.complete and self.values.size else math.nan


NO_SPECTRUM = Spectrum(np.zeros(0), np.zeros((0, 0)), False)


def spectrum(
    problem: Problem, x: np.ndarray, scale: np.ndarray | None = None, which: str = "LA",
    first: np.ndarray | None = None, until: float = math.inf,
) -> Spectrum:  # fmt: skip
    """Of ∇²f(x), or of P⁻½∇²f(x)P⁻½. Large problems: one end alone, "LA" the largest or "SA" the least.

    first: a vector to begin with, near the eigenvector; until: the time (of `perf_counter`) at which to give up.
    """
    half = np.ones(problem.size) if scale is None else 1 / np.sqrt(scale)
    try:
        if problem.size > SMALL:
            return lanczos(lambda v: half * problem.hvp(x, half * v), problem.size, which, first, until)
        H = problem.hessian(x) * np.outer(half, half)
    except (DomainError, ArithmeticError):  # no second derivative there: nothing is known
        return NO_SPECTRUM
    return Spectrum(*np.linalg.eigh((H + H.T) / 2), True) if np.isfinite(H).all() else NO_SPECTRUM


def lanczos(
    product: Callable[[np.ndarray], np.ndarray], n: int, which: str, first: np.ndarray | None = None,
    until: float = math.inf,
) -> Spectrum:  # fmt: skip
    """The largest ("LA") or least ("SA") eigenvalue by Lanczos' method, every vector made orthogonal to all before.

    With the pair (θ, v) comes its residual ‖Hv − θv‖ = β|sₘ|, and an eigenvalue lies that close to θ. Not settled in
    time, the pair is kept where the residual tells enough (see `_usable`), else nothing is known.

    >>> values = np.arange(1.0, 501.0)
    >>> round(lanczos(lambda v: values * v, 500, "LA").top)
    500
    """
    rounds = min(n, ROUNDS[which] if n <= HUGE else ROUNDS["LA"])
    Q, diagonal, beside = np.empty((rounds, n)), np.zeros(rounds), np.zeros(rounds)
    q = np.random.default_rng(0).normal(size=n) if first is None else first
    theta, s, residual, m, calm = math.nan, np.zeros(0), math.inf, 0, 0
    for m in range(rounds):
        Q[m] = q / norm(q)
        q = product(Q[m])
        if not np.isfinite(q).all():
            return NO_SPECTRUM
        diagonal[m] = q.dot(Q[m])
        for _ in range(2):
            q = q - (Q[: m + 1] @ q) @ Q[: m + 1]
        beside[m] = norm(q)
        theta, s = _ritz(diagonal[: m + 1], beside[:m], which)
        residual = beside[m] * abs(s[-1])
        small = ROUNDING * float(np.abs(diagonal).max())
        calm = calm + 1 if residual <= max(SETTLED[which] * abs(theta), small) else 0
        if calm > PATIENCE or beside[m] <= small or time.perf_counter() > until:
            break
    v = s @ Q[: m + 1]
    return (
        Spectrum(np.array([theta]), (v / norm(v))[:, None], False) if _usable(theta, residual, which) else NO_SPECTRUM
    )


def _ritz(diagonal: np.ndarray, beside: np.ndarray, which: str) -> tuple[float, np.ndarray]:
    """The outermost eigenvalue of a tridiagonal matrix, with its eigenvector."""
    from scipy.linalg import eigh_tridiagonal

    k = len(diagonal) - 1 if which == "LA" else 0
    values, vectors = eigh_tridiagonal(diagonal, beside, select="i", select_range=(k, k))
    return float(values[0]), vectors[:, 0]


def _usable(theta: float, residual: float, which: str) -> bool:
    """θ is a value of vᵀHv: as a least one that is negative it proves a direction in which f bends down."""
    return residual <= 0.05 * abs(theta) or (which == "SA" and theta < 0)


# ---------------------------------------------------------------- one step


@dataclass(frozen=True)
class Conditions:
    """Armijo's and Wolfe's conditions of one step, each with both of its sides."""

    value: float  # f(x + td)
    allowed: float  # f + c₁t∇f·d
    slope: float  # ∇f(x)·d
    next_slope: float  # ∇f(x + td)·d
    armijo: bool
    wolfe: bool
    strong: bool

    @property
    def words(self) -> str:
        sign = {True: "holds", False: "fails"}
        return (
            f"Armijo {sign[self.armijo]} ({self.value:.6g} ≤ {self.allowed:.6g}), Wolfe {sign[self.wolfe]} "
            f"({self.next_slope:.4g} ≥ {WOLFE * self.slope:.4g}), strong Wolfe {sign[self.strong]} "
            f"({abs(self.next_slope):.4g} ≤ {WOLFE * abs(self.slope):.4g})"
        )


def conditions(here: Point, step: Step, there: Point) -> Conditions:
    """Of a step between two points. They are stated for directions that descend; otherwise they fail."""
    slope, after = float(here.gradient.dot(step.direction)), float(there.gradient.dot(step.direction))
    down, t = slope < 0, step.rate
    return Conditions(
        there.value, here.value + ARMIJO * t * slope, slope, after,
        down and armijo(here.value, slope, t, there.value),
        down and after >= WOLFE * slope, down and abs(after) <= WOLFE * abs(slope),
    )  # fmt: skip


# ---------------------------------------------------------------- the whole run


@dataclass(frozen=True, repr=False)
class Theory:
    """One entry in each array for every step that was looked at (`k`). nan: not known, or not defined.

    `sharpness`, `least` and `condition` are of H (of P⁻½HP⁻½, where the method divides by P); `bound` is the rate below
    which the method is stable; `predicted` the factor max|zᵢ| at this rate, `best` the one at gradient descent's best
    rate, `best_momentum` at momentum's; `measured` what ‖∇f‖ was multiplied by.
    """

    trajectory: Any
    k: np.ndarray
    rate: np.ndarray
    sharpness: np.ndarray
    least: np.ndarray
    bound: np.ndarray
    condition: np.ndarray
    predicted: np.ndarray
    best: np.ndarray
    best_momentum: np.ndarray
    measured: np.ndarray
    conditions: tuple[Conditions, ...]
    exact: bool

    @property
    def armijo(self) -> np.ndarray:
        return np.array([c.armijo for c in self.conditions], bool)

    @property
    def wolfe(self) -> np.ndarray:
        return np.array([c.wolfe for c in self.conditions], bool)

    @property
    def strong_wolfe(self) -> np.ndarray:
        return np.array([c.strong for c in self.conditions], bool)

    @property
    def ratio(self) -> np.ndarray:
        """The rate over its bound: above 1 the method is unstable there."""
        return self.rate / self.bound

    @functools.cached_property
    def edge(self) -> bool:
        """Edge of stability: the sharpness moved, and hovers where the rate is at its bound; the loss still falls."""
        return _at_edge(self)

    def __len__(self) -> int:
        return len(self.k)

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        return f"<Theory of {len(self)} steps\n{self}>"


def theory(trajectory: Trajectory, points: int | None = None) -> Theory:
    """Theory beside practice, at each kept step (at most `points`, evenly spaced, where looking is dear).

    >>> from tangently import minimize
    >>> t = theory(minimize("(x - 5)^2", 0.0, method="gradient descent", rate=0.1, steps=4))
    >>> t.sharpness.tolist(), t.bound.tolist(), t.predicted.tolist(), t.measured.round(9).tolist()
    ([2.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], [0.8, 0.8, 0.8, 0.8], [0.8, 0.8, 0.8, 0.8])
    """
    return beside(trajectory, anew(trajectory), points)


def beside(t: Trajectory, problem: Problem, points: int | None = None, seconds: float = math.inf) -> Theory:
    """As `theory`, with a problem that may have derivatives ready; the last step and the first are looked at first,
    then those between, as long as there is time."""
    chosen, until, rows = _chosen(t, points), time.perf_counter() + seconds, dict[int, tuple[Any, ...]]()
    vector = None
    for i in _by_halves(len(chosen)):
        if len(rows) > 1 and time.perf_counter() > until:
            break
        rows[i], vector = _row(t, problem, *chosen[i], vector, until)
    return _theory_of(t, [rows[i] for i in sorted(rows)], problem.size <= SMALL)


def _by_halves(n: int) -> list[int]:
    """The last of n, the first, the middle, the quarters …

    >>> _by_halves(9)
    [8, 0, 4, 2, 6, 1, 3, 5, 7]
    """
    strides = [max(1, n >> j) for j in range(n.bit_length())]
    return list(dict.fromkeys([n - 1, *(k for stride in strides for k in range(0, n, stride))]))[: max(n, 0)]


def _theory_of(t: Trajectory, rows: list[tuple[Any, ...]], exact: bool) -> Theory:
    columns = dict(zip(NUMBERS, np.array([r[:-1] for r in rows], float).reshape(len(rows), len(NUMBERS)).T))
    k = columns.pop("k").astype(int)
    return Theory(t, k, **columns, conditions=tuple(r[-1] for r in rows), exact=exact)


NUMBERS = (
    "k", "rate", "sharpness", "least", "bound", "condition", "predicted", "best", "best_momentum", "measured",
)  # fmt: skip


def anew(t: Trajectory, x: np.ndarray | None = None) -> Problem:
    """The problem with its own counts, on all of the data, from where the run began (or from x)."""
    problem = copy.copy(t.problem)
    problem.start = frozen(np.array(first_point(t) if x is None else x, float))
    problem.counts, problem.trouble = Counts(), ""
    problem.on_all()
    return problem


def first_point(t: Trajectory) -> np.ndarray:
    return t.steps[0].x if t.steps else t.last.x


def _chosen(t: Trajectory, points: int | None) -> list[tuple[Step, np.ndarray | None]]:
    """The steps that are looked at, each with P where the method divides by one (None: not known)."""
    if points is not None and points < 1:
        raise InputError(f"points={points!r}: how many steps to look at, from 1 on, was wanted")
    n, steps = t.problem.size, t.steps
    most = points or (min(MOST, max(FEW, WORK // (3 * n * n + 1000))) if n <= SMALL else FEW if n <= HUGE else FEWEST)
    if len(steps) > most:
        steps = [steps[k] for k in np.unique(np.linspace(0, len(steps) - 1, most).astype(int))]
    found = scalings(t, {s.k for s in steps}) if t.method in SCALED else None
    return [(s, found[s.k] if found else None) for s in steps]


def _row(
    t: Trajectory, problem: Problem, step: Step, P: np.ndarray | None, first: np.ndarray | None, until: float
) -> tuple[tuple[Any, ...], np.ndarray | None]:
    """The numbers of one step; and of a large problem the top eigenvector, near that of the steps beside it."""
    rule = recurrence_of(t)
    blind = t.method in SCALED and P is None
    found = NO_SPECTRUM if blind else spectrum(problem, step.x, P, first=first, until=until)
    values = found.values
    positive = found.complete and values.size > 0 and found.least > ROUNDING * found.top
    here, there = _ends_of(t, problem, step)
    bound = rule.bound(found.top) if rule else stability_bound(found.top)
    predicted = float(rule.factors(values, step.rate).max()) if rule and found.complete else math.nan
    row = (
        step.k, step.rate, found.top, found.least, bound,
        condition_number(values) if found.complete and values.size else math.nan, predicted,
        best_rate(values).factor if positive else math.nan, momentum_pair(values).factor if positive else math.nan,
        there.norm / here.norm if here.norm else math.nan, conditions(here, step, there),
    )  # fmt: skip
    return row, first if found.complete or not values.size else found.vectors[:, -1]


def _ends_of(t: Trajectory, problem: Problem, step: Step) -> tuple[Point, Point]:
    """Both ends of a step, with the gradient; of a mini-batch's step, on all of the data."""
    if t.problem.stochastic:
        return problem.point(step.x), problem.point(step.next_x)
    here = Point(step.x, step.value, step.gradient, step.norm)
    if np.array_equal(step.next_x, t.last.x):
        return here, t.last
    return here, problem.point(step.next_x)


def _at_edge(t: Theory) -> bool:
    if len(t) < 8 or t.trajectory.method not in LINEAR or t.trajectory.problem.stochastic:
        return False
    late = t.ratio[len(t) // 2 :]
    ratios = [float(np.median(part)) for part in np.array_split(late, 2)]
    moved = float(np.ptp(t.sharpness)) > 0.02 * float(np.abs(t.sharpness).max())
    values = t.trajectory.history.values
    half = len(values) // 2
    falls = bool(np.isfinite(values).all() and values[half:].min() < values[:half].min())
    uneven = float((np.diff(values[half:]) > 0).mean()) > RISES
    return moved and falls and uneven and all(HOVERS[0] < r < HOVERS[1] for r in ratios)


# ---------------------------------------------------------------- text

COLUMNS = ("step", "rate", "λ_max", "bound", "κ", "predicted", "measured", "Armijo", "Wolfe", "strong")
LEGEND = (
    "λ_max: the largest eigenvalue of the Hessian. Bound: 2/λ_max, the rate above which an error grows (with "
    "momentum μ, 2(1 + μ)/λ_max). κ: the condition number. Predicted: the largest factor of an error in one step at "
    "this rate; measured: what ‖∇f‖ was multiplied by. Armijo: f fell by at least 10⁻⁴ of what the slope promised. "
    "Wolfe: the slope along the step rose to 0.9 of what it was; strong: its size fell to that."
)


def _text(t: Theory, rows: int = 16) -> str:
    if not len(t):
        return "no step was taken: there is nothing to compare"
    cells = records(t, rows)
    widths = [max(len(r[j]) for r in [list(COLUMNS), *cells]) for j in range(len(COLUMNS))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(r, widths)) for r in [list(COLUMNS), *cells]]
    if len(t) > rows:
        lines.insert(1 + rows // 2, f"… {len(t) - rows} more …".center(len(lines[0])).rstrip())
    return "\n".join([*lines, *remarks(t)])


def records(t: Theory, rows: int) -> list[list[str]]:
    """The cells of the table, row by row: all, or as many of the first and of the last."""
    picked = range(len(t)) if len(t) <= rows else [*range(rows // 2), *range(len(t) - rows // 2, len(t))]
    factors = lambda i: [_short(float(v[i]), near_one) for v in (t.predicted, t.measured)]
    numbers = lambda i: [_short(float(v[i])) for v in (t.rate, t.sharpness, t.bound, t.condition)]
    return [[str(t.k[i]), *numbers(i), *factors(i), *_marks(t.conditions[i])] for i in picked]


def _marks(c: Conditions) -> list[str]:
    return ["✓" if held else "✗" for held in (c.armijo, c.wolfe, c.strong)]


def _short(v: float, said: Callable[[float], str] = "{:.4g}".format) -> str:
    return "–" if math.isnan(v) else "∞" if v == math.inf else said(v)


def remarks(t: Theory) -> list[str]:
    """What the numbers add up to, in sentences."""
    found = []
    above = int((t.ratio > 1).sum())
    if t.trajectory.method in LINEAR and above:
        found.append(f"The rate is above the bound of stability at {above} of {len(t)} steps.")
    if t.trajectory.method not in (*LINEAR, *SCALED):
        found.append(
            f"{t.trajectory.method} finds the length of its steps: stable below is what gradient descent needs."
        )
    if math.isfinite(t.best[-1]):
        found.append(
            f"At step {t.k[-1]} the error shrinks at best by the factor {t.best[-1]:.4g} a step with gradient descent, "
            f"by {t.best_momentum[-1]:.4g} with momentum."
        )
    if np.isinf(t.condition).any():
        found.append("κ = ∞: an eigenvalue is not positive there, so no rate shrinks the error in every direction.")
    if t.edge:
        found.append("λ_max hovers at the bound while the loss still falls: the edge of stability.")
    if clipped(t.trajectory):
        found.append("Gradients were clipped: where a clip acts, the rate in effect is smaller than the one shown.")
    return found


__all__ = [
    "Conditions", "Pair", "Recurrence", "Spectrum", "Theory", "anew", "beside", "best_rate", "condition_number",
    "conditions", "factors", "momentum_pair", "recurrence_of", "scalings", "spectrum", "stability_bound", "theory",
]  # fmt: skip
