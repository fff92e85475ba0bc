"""How far to go: line searches along a direction, and the subproblem of a trust region.

Armijo's condition (sufficient decrease) f(x + td) ≤ f(x) + c₁ t ∇f·d; the strong Wolfe conditions add
|∇f(x + td)·d| ≤ c₂ |∇f·d|. Backtracking shrinks t by a safeguarded quadratic interpolation (Nocedal & Wright,
*Numerical Optimization*, 2nd ed., §3.5); the strong Wolfe search is SciPy's (their Algorithms 3.5 and 3.6).

Subproblem: minimize m(p) = g·p + ½ pᵀBp over ‖p‖ ≤ Δ. Exactly, by the eigenvalues of B (Moré & Sorensen 1983: p =
−(B + λI)⁻¹g with the λ ≥ max(0, −λ_min) that puts p on the boundary, by Newton on 1/Δ − 1/‖p(λ)‖, with the hard case);
by the dogleg (Powell 1970), where B is positive definite; by truncated conjugate gradients (Steihaug 1983), where only
products with B are to be had.

Near a minimum, the difference of two values drowns in rounding before the gradient does: a decrease is accepted if it
is met up to `ROUNDING`·|f| (Hager & Zhang 2005, "approximate Wolfe").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.descent.problems import Problem
from tangently.descent.steps import Point

ARMIJO, WOLFE = 1e-4, 0.9
SHRINK = (0.1, 0.5)  # a trial is at least and at most this part of the one before
TRIALS = 60
ROUNDING = 4e-16


@dataclass(frozen=True)
class Found:
    """Where a search ended (None: nowhere), the rate, and how many trials it took."""

    point: Point | None
    rate: float
    trials: int


Search = Callable[[Problem, Point, np.ndarray, float], Found]


def armijo(value: float, slope: float, rate: float, found: float, c: float = ARMIJO) -> bool:
    """Is the decrease sufficient, up to rounding?"""
    return found <= value + c * rate * slope + ROUNDING * abs(value)


def backtracking(problem: Problem, p: Point, d: np.ndarray, rate: float) -> Found:
    """From `rate` down until the decrease is sufficient; points without a value are stepped back from."""
    slope = float(p.gradient.dot(d))
    if not slope < 0:
        return Found(None, 0.0, 0)
    for trial in range(1, TRIALS + 1):
        x = p.x + rate * d
        value = problem.value(x)
        if armijo(p.value, slope, rate, value):
            found = problem.point(x)
            if found.finite:
                return Found(found, rate, trial)
            value = math.nan
        rate *= _shrunk(p.value, slope * rate, value)
    return Found(None, 0.0, TRIALS)


def _shrunk(value: float, drop: float, found: float) -> float:
    """The minimum of the parabola through both values and the slope, kept within bounds."""
    if not math.isfinite(found):
        return SHRINK[0]
    bend = found - value - drop
    return min(max(-drop / (2 * bend), SHRINK[0]), SHRINK[1]) if bend > 0 else SHRINK[1]


def strong_wolfe(problem: Problem, p: Point, d: np.ndarray, rate: float, c2: float = WOLFE) -> Found:
    """SciPy's search for the strong Wolfe conditions; backtracking where it finds nothing."""
    import warnings

    from scipy.optimize import line_search

    seen: dict[bytes, Point] = {}

    def at(x: np.ndarray) -> Point:
        key = x.tobytes()
        if key not in seen:
            seen[key] = problem.point(np.array(x))
        return seen[key]

    before = p.value + float(p.gradient.dot(d)) * rate / 2  # makes the first trial about `rate`
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = line_search(
            lambda x: at(x).value, lambda x: at(x).gradient, p.x, d, p.gradient, p.value, 2 * p.value - before, c2=c2
        )
    if found[0] is None:
        return backtracking(problem, p, d, rate)
    point = at(p.x + found[0] * d)
    return Found(point, float(found[0]), len(seen)) if point.finite else backtracking(problem, p, d, rate)


SEARCHES: dict[str, Search] = {"backtracking": backtracking, "strong Wolfe": strong_wolfe}


# ---------------------------------------------------------------- the subproblem of a trust region


def exact(B: np.ndarray, g: np.ndarray, radius: float) -> np.ndarray:
    """The minimizer of the model in the ball, by the eigenvalues of B.

    >>> exact(np.diag([1.0, -1.0]), np.array([1.0, 0.0]), 2.0)  # the hard case: −λ_min, and along its eigenvector
    array([-0.5       ,  1.93649167])
    """
    values, vectors = np.linalg.eigh(B)
    c = vectors.T @ g
    if values[0] > 0:
        p = -c / values
        if math.sqrt(p.dot(p)) <= radius:
            return vectors @ p
    low = max(0.0, -float(values[0]))
    return vectors @ (
        _hard(values, c, radius) if _is_hard(values, c, low, radius) else _boundary(values, c, low, radius)
    )


def _is_hard(values: np.ndarray, c: np.ndarray, low: float, radius: float) -> bool:
    """Does g have nothing along the lowest eigenvectors, so that p(−λ_min) lies within the ball?"""
    lowest = values - values[0] <= 1e-12 * max(1.0, float(np.abs(values).max()))
    if values[0] > 0 or np.abs(c[lowest]).max() > 1e-14 * max(1e-300, float(np.abs(c).max())):
        return False
    rest = c[~lowest] / (values[~lowest] + low)
    return math.sqrt(rest.dot(rest)) <= radius


def _hard(values: np.ndarray, c: np.ndarray, radius: float) -> np.ndarray:
    p = np.zeros_like(c)
    lowest = values - values[0] <= 1e-12 * max(1.0, float(np.abs(values).max()))
    p[~lowest] = -c[~lowest] / (values[~lowest] - values[0])
    if values[0] < 0:
        p[0] = math.sqrt(max(0.0, radius**2 - p.dot(p)))
    return p


def _boundary(values: np.ndarray, c: np.ndarray, low: float, radius: float) -> np.ndarray:
    """−c/(values + λ) with the λ > low that makes its length the radius: Newton on 1/Δ − 1/‖p‖, within bounds."""
    size = float(np.sqrt(c.dot(c)))
    down, up = low, low + size / radius
    lam = max(abs(float(c[0])) / radius - float(values[0]), low * (1 + 1e-14) + 1e-300)
    for _ in range(100):
        shifted = values + lam
        p = c / shifted
        length = math.sqrt(p.dot(p))
        if abs(length - radius) <= 1e-10 * radius:
            break
        down, up = (lam, up) if length > radius else (down, lam)
        slope = float((p * p / shifted).sum())
        better = lam + (length - radius) / radius * length * length / slope if slope else math.nan  # it underflowed
        lam = better if down < better < up else (down + up) / 2
    return -c / (values + lam)


def dogleg(B: np.ndarray, g: np.ndarray, radius: float) -> np.ndarray:
    """Along −g to its minimum, then towards Newton's point, up to the boundary; −g alone where B is not definite."""
    bend = float(g @ B @ g)
    size = math.sqrt(g.dot(g))
    if bend <= 0:
        return -g * (radius / size)
    cauchy = -g * (size**2 / bend)
    try:
        np.linalg.cholesky(B)
        newton = -np.linalg.solve(B, g)
    except np.linalg.LinAlgError:
        newton = cauchy
    if math.sqrt(newton.dot(newton)) <= radius:
        return newton
    if math.sqrt(cauchy.dot(cauchy)) >= radius:
        return -g * (radius / size)
    return cauchy + _to_boundary(cauchy, newton - cauchy, radius) * (newton - cauchy)


def steihaug(product: Callable[[np.ndarray], np.ndarray], g: np.ndarray, radius: float) -> np.ndarray:
    """Conjugate gradients on B p = −g, stopped at the boundary, at negative curvature, or when it is exact enough."""
    p, r = np.zeros_like(g), g.copy()
    d, rr = -r, float(g.dot(g))
    enough = min(0.5, math.sqrt(math.sqrt(rr))) * math.sqrt(rr)
    for _ in range(2 * g.size):
        Bd = product(d)
        bend = float(d.dot(Bd))
        step = rr / bend if bend > 0 else math.inf
        if bend <= 0 or np.linalg.norm(p + step * d) >= radius:
            return p + _to_boundary(p, d, radius) * d
        p = p + step * d
        r = r + step * Bd
        new = float(r.dot(r))
        if math.sqrt(new) < enough:
            break
        d, rr = -r + new / rr * d, new
    return p


def _to_boundary(p: np.ndarray, d: np.ndarray, radius: float) -> float:
    """The t ≥ 0 with ‖p + td‖ = Δ."""
    a, b, c = float(d.dot(d)), float(p.dot(d)), float(p.dot(p)) - radius**2
    return (-b + math.sqrt(max(0.0, b * b - a * c))) / a if a else 0.0


SUBPROBLEMS: dict[str, Any] = {"exact": exact, "dogleg": dogleg, "Steihaug": steihaug}

__all__ = [
    "SEARCHES",
    "SUBPROBLEMS",
    "Found",
    "Search",
    "armijo",
    "backtracking",
    "dogleg",
    "exact",
    "steihaug",
    "strong_wolfe",
]
