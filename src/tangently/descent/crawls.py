"""Runs that get there too slowly: a rate too small, a valley whose walls forbid a larger one, a degenerate minimum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tangently.descent.evidence import SINGULAR, Evidence, Nearby
from tangently.descent.findings import FIRST, REMARK, TROUBLE, Finding
from tangently.descent.remedies import (
    BUDGET,
    bound_words,
    direction_words,
    nice,
    placed,
    reached,
    remedied,
)
from tangently.descent.theory import (
    HUGE,
    SCALED,
    SMALL,
    Recurrence,
    Spectrum,
    best_rate,
    condition_number,
    first_point,
    momentum_pair,
    spectrum,
)
from tangently.descent.trajectory import near_one

if TYPE_CHECKING:
    from tangently.descent.trajectory import Trajectory

SHY = 0.05  # a rate below this part of its bound is small
PLENTY = 0.02  # of the way down in f


def slow(e: Evidence) -> Finding | None:
    """Too small a rate, or a valley whose walls forbid a larger one."""
    if e.found or e.t.method not in FIRST or not e.crawls:
        return None
    ratio = float(np.median(e.theory.ratio)) if len(e.theory) else math.nan
    if e.heads_for_flat and e.nearby is not None:
        return _sublinear(e, e.nearby)
    if e.t.method in (*SCALED, "Lion"):
        return _short_steps(e, ratio) if e.fixed or e.t.method == "Lion" else None
    if isinstance(e.t.settings.get("rate"), Mapping) and e.rate < 0.1 * e.t.history.rates.max() and _plenty(e):
        return _run_out(e)
    if not e.fixed:  # rates by a search or a schedule
        return _valley(e, ratio)
    return (_too_small(e, ratio) if ratio < SHY else None) or _valley(e, ratio)


def _sublinear(e: Evidence, p: Nearby) -> Finding:
    words = (
        f"it heads for a degenerate point, {placed(e, p.x)}, {p.distance:.3g} away, where an eigenvalue "
        f"of the Hessian vanishes: with κ = ∞ no fixed rate shrinks the error by a fixed factor (measured lately: "
        f"{near_one(float(e.theory.measured[-1]))}), and Newton's steps only by {p.contraction:.3g}"
    )
    numbers = {"x": p.x, "distance": p.distance, "contraction": p.contraction, "eigenvalues": p.spectrum.values}
    return Finding(
        "degenerate point", words, numbers, **remedied(e, [{"method": "trust region"}, {"method": "L-BFGS"}])
    )


def _run_out(e: Evidence) -> Finding:
    """The schedule ended before the descent did."""
    highest = float(e.t.history.rates.max())
    words = (
        f"the schedule has let the rate fall from {highest:.4g} to {e.rate:.3g}, so that steps do nothing any more, "
        f"and {_left(e, e.t.value)}"
    )
    longer = [{"steps": min(BUDGET, f * e.t.count)} for f in (4, 16)]
    numbers = {"rate": e.rate, "highest": highest, "gap": e.gap}
    return Finding("rate too small", words, numbers, **remedied(e, [*longer, {"rate": highest}]))


def _short_steps(e: Evidence, ratio: float) -> Finding | None:
    """Methods whose steps have the size of the rate: is the way left longer than what as many steps can go?"""
    left = float(np.abs(e.reference.last.x - e.here.x).max())
    earlier = e.t.steps[-max(1, len(e.t.steps) // 4)]
    speed = float(np.abs(e.here.x - earlier.x).max()) / max(1, e.t.count - earlier.k)
    gone = float(np.abs(e.here.x - first_point(e.t)).max())
    needed = left / speed if speed else math.inf
    if not (e.reference.converged and needed > 2 * e.t.count) or gone == 0 or not _plenty(e):
        return None
    words = (
        f"{e.t.method} moves an entry by about its rate: {speed:.3g} a step lately, and {left:.3g} is left to the "
        f"minimum at {placed(e, e.reference.last.x)}, {needed:.2g} more steps"
    )
    numbers = {"rate": e.rate, "speed": speed, "left": left, "steps": needed, "ratio": ratio}
    return Finding(
        "rate too small", words, numbers, **remedied(e, [{"rate": nice(e.rate * f)} for f in (10, 100, 1000)])
    )


def _plenty(e: Evidence) -> bool:
    """Is a part of the way down left that counts?"""
    return e.gap > PLENTY * abs(e.values[0] - e.t.value + e.gap)


def _too_small(e: Evidence, ratio: float) -> Finding | None:
    """A rate far below its bound; said only where a larger one was tried and is better."""
    bound, middle = float(np.min(e.theory.bound)), float(np.median(e.theory.bound))
    some = (bound / 2, e.rate * 10) if e.problem.size > HUGE else (bound / 2, bound * 0.9, middle / 2, e.rate * 10)
    rates = dict.fromkeys(nice(r) for r in some)
    found = remedied(e, [{"rate": r} for r in rates if e.rate < r < math.inf])
    after = found.get("after")
    if after is None or not _much_lower(e, after):
        return None
    words = (
        f"the rate {e.rate:.4g} is {ratio:.2g} of {bound_words(e)} (median on the path; the least bound met is "
        f"{bound:.4g}): each step does little. {_left(e, after.value)}"
    )
    numbers = {"rate": e.rate, "ratio": ratio, "bound": bound, "gap": e.gap}
    return Finding("rate too small", words, numbers, **found, kind=TROUBLE if _plenty(e) else REMARK)


def _much_lower(e: Evidence, after: Trajectory) -> bool:
    """By half of what is left; or, cut short by the clock, twice as far down as the run was by then."""
    before = reached(e, after)
    if before != e.t.value:
        return bool(e.values[0] - after.value > 2 * (e.values[0] - before))
    return e.t.value - after.value > 0.5 * e.gap


def _left(e: Evidence, found: float) -> str:
    best = min(found, e.t.value - e.gap)
    way = e.values[0] - best
    return f"{(e.t.value - best) / way:.2%} of the way down to the best value known ({best:.4g}) is left" if way else ""


def _valley(e: Evidence, ratio: float) -> Finding | None:
    s, center = _valley_spectrum(e)
    if not s.values.size or not s.values[0] > SINGULAR * e.curvature or condition_number(s.values) < 50:
        return None
    kappa, gd, pair = condition_number(s.values), best_rate(s.values), momentum_pair(s.values)
    digit = math.log(10)
    words = (
        f"κ = {kappa:.4g} (λ from {s.values[0]:.4g} to {s.top:.4g}): the steepest direction keeps the rate below "
        f"{(e.rule or Recurrence()).bound(s.top):.4g}, and along the flattest, "
        f"{direction_words(s.vectors[:, 0], e.t.labels)}, such steps do little. At best, (κ − 1)/(κ + 1) "
        f"= {near_one(gd.factor)} a step, a digit of x costs {digit / -math.log(gd.factor):.3g} steps; momentum's best "
        f"pair needs {digit / -math.log(pair.factor):.3g}"
    )
    numbers = {"condition": kappa, "best factor": gd.factor, "momentum pair": pair, "ratio": ratio}
    numbers |= {"eigenvalues": s.values, "measured": float(e.theory.measured[-1])}
    shares = None if center is None else progress_shares(e, s, center)
    if shares is not None:
        numbers |= {"shares": shares}
        most = int(np.argmax(shares))
        which = "flattest direction" if most == 0 else f"eigenvector of λ = {s.values[most]:.4g}"
        words += f". Of what is left of f, {shares[most]:.1%} lies along the {which}"
    moves = {"method": "momentum", "rate": pair.rate, "momentum": pair.momentum}
    return Finding("ill conditioning", words, numbers, **remedied(e, [moves, {"method": "L-BFGS"}]))


def _valley_spectrum(e: Evidence) -> tuple[Spectrum, np.ndarray | None]:
    """Eigenvalues at the minimum where it is known, else at the end (of a large problem the two extreme ones)."""
    if e.problem.size > SMALL:
        low, v = e.least
        both = np.stack([v, e.end.vectors[:, -1]], axis=1) if v.size and e.end.values.size else np.zeros((0, 0))
        return (Spectrum(np.array([low, e.end.top]), both, False) if both.size else e.end), None
    if e.reference.converged:
        return spectrum(e.problem, e.reference.last.x), e.reference.last.x
    return e.end, None


def progress_shares(e: Evidence, s: Spectrum, x: np.ndarray) -> np.ndarray | None:
    """Of ½Σλᵢcᵢ², the part of each eigen-direction in what is left of f; None where f is not that quadratic there."""
    c = s.vectors.T @ (e.here.x - x)
    parts = 0.5 * s.values * c * c
    whole, left = float(parts.sum()), e.here.value - e.problem.value(x)
    return parts / whole if whole > 0 and abs(whole - left) < 0.2 * abs(left) else None


__all__ = ["progress_shares", "slow"]
