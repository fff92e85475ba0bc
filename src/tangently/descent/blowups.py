"""Runs that blew up, left the domain, fall without end, or follow a gradient that is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangently.descent.evidence import LOCAL, Evidence, kink_between, newton_point
from tangently.descent.findings import Finding
from tangently.descent.problems import Problem
from tangently.descent.remedies import (
    bound_words,
    direction_words,
    placed,
    remedied,
    safe_rates,
    told_apart,
)
from tangently.descent.steps import Point, norm
from tangently.descent.theory import HUGE, LINEAR, SCALED, SMALL, Recurrence, first_point
from tangently.descent.trajectory import counted

FEW = 3  # steps; fewer show no trend
REACH = 15  # decades of steps, so that also a tiny rate sees the whole of a function

# ---------------------------------------------------------------- is the gradient right?


def wrong_gradient(e: Evidence) -> Finding | None:
    """Central differences at the start and the end: do they agree among themselves, and not with the gradient?"""
    if e.kinks:
        return None
    ends = ((first_point(e.t), e.lengths[:1]), (e.t.last.x, e.lengths[-1:]))
    for x, moved in ends[: 1 if e.problem.size > HUGE else 2]:
        p = e.problem.point(np.array(x))
        if not p.finite:
            continue
        seen = _measured_slopes(e.problem, p, max(moved.max(initial=0.0), LOCAL * norm(p.x)) or 1.0)
        if seen is not None:
            d, claimed, measured, doubt = seen
            words = (
                f"the gradient is suspicious: at {placed(e, p.x)} it promises the slope {claimed:.6g} "
                f"along {direction_words(d, e.t.labels)}, and differences of f measure {measured:.6g} ± {doubt:.1g}"
            )
            numbers = {"promised": claimed, "measured": measured, "doubt": doubt, "x": p.x, "direction": d}
            return Finding("wrong gradient", words, numbers)
    return None


def _measured_slopes(problem: Problem, p: Point, length: float) -> tuple[np.ndarray, float, float, float] | None:
    """A direction along which measured and promised slopes disagree; None where there is none or it can't be told."""
    rng = np.random.default_rng(0)
    random = rng.normal(size=(1 if problem.size > HUGE else 2, problem.size))
    for d in [*([p.gradient / p.norm] if p.norm else []), *(random / np.linalg.norm(random, axis=1, keepdims=True))]:
        steps = np.array([1e-2, 1e-3, 1e-4]) * length
        found = [(problem.value(p.x + h * d) - problem.value(p.x - h * d)) / (2 * h) for h in steps]
        if not np.isfinite(found).all():
            continue
        middle, doubt = float(np.median(found)), float(np.ptp(found)) + 1e-15 * abs(p.value) / steps[-1]
        claimed = float(p.gradient.dot(d))
        differ = abs(claimed - middle) > max(20 * doubt, 0.01 * max(abs(middle), abs(claimed)), 1e-9 * abs(p.value))
        if differ and kink_between(problem, p.x - steps[0] * d, p.x + steps[0] * d) is None:
            return d, claimed, middle, doubt
    return None


# ---------------------------------------------------------------- blown up


def _growth(e: Evidence) -> tuple[int, float]:
    """Where ‖∇f‖ began to grow for good, and its mean factor since."""
    n = e.norms
    grows = np.diff(n) > 0
    k = len(n) - 1
    while k > 0 and grows[k - 1]:
        k -= 1
    return k, float((n[-1] / n[k]) ** (1 / max(1, len(n) - 1 - k))) if n[k] > 0 else math.inf


def _since_best(e: Evidence) -> tuple[int, float]:
    """As `_growth`, of runs that rise unevenly: since the least ‖∇f‖."""
    k = int(np.argmin(e.norms))
    left = len(e.norms) - 1 - k
    return k, float((e.norms[-1] / e.norms[k]) ** (1 / left)) if left and e.norms[k] > 0 else 1.0


def divergence(e: Evidence) -> Finding | None:
    began, factor = max(_growth(e), _since_best(e), key=lambda pair: len(e.norms) - pair[0])
    if not _rose(e, began):
        return None
    above = [i for i, k in enumerate(e.theory.k) if k >= began and e.theory.ratio[i] > 1]
    numbers = {"rate": e.rate, "began": began, "growth": factor, "value": e.t.value}
    if above:
        return _above_the_bound(e, above[0], numbers)
    if e.t.count < FEW:
        return None
    words = (
        f"‖∇f‖ grows by {factor:.4g} a step from step {began} on (to f = {e.t.value:.4g}). The cause can't be decided: "
        f"no bound on the rate is known for {e.t.method} here, or the rate is below it"
    )
    return Finding("divergence", words, numbers, **remedied(e, safe_rates(e, [])))


def _rose(e: Evidence, began: int) -> bool:
    """Did f and ‖∇f‖ grow, for some steps on end? A run of one or two steps must have grown in all of them."""
    long = len(e.norms) - 1 - began >= FEW or 0 == began < e.t.count < FEW
    higher = (
        e.values[-1] > max(e.values[0], e.values[began])
        and e.norms[-1] > (2 if e.t.count >= FEW else 1) * e.norms[began]
    )
    return bool(long and higher and not (e.t.problem.stochastic and e.values[-1] < 3 * abs(e.values[0])))


def _above_the_bound(e: Evidence, i: int, numbers: dict[str, Any]) -> Finding:
    bound, sharp, rate = e.theory.bound[i], e.theory.sharpness[i], e.theory.rate[i]
    predicted = float((e.rule or Recurrence()).factors(np.array([sharp]), rate)[0])
    numbers |= {"rate": rate, "sharpness": sharp, "bound": bound, "predicted": predicted, "at": int(e.theory.k[i])}
    high, low = told_apart(rate, bound)
    words = (
        f"the rate {high} is above {bound_words(e)} = {low} at step {e.theory.k[i]} (λ_max = {sharp:.4g}), so the "
        f"error along the top eigenvector is multiplied by {predicted:.4g} a step; measured: "
        + _measured(e, numbers["began"], numbers["growth"], predicted)
    )
    return Finding("divergence", words, numbers, **remedied(e, safe_rates(e, _bounds_met(e))))


def thrown(e: Evidence) -> Finding | None:
    """It falls again, but from higher up than it began: a step over the bound threw it there."""
    higher = e.values[-1] > e.values[0] + 1e-9 * abs(e.values[0])
    if e.found or e.broke or e.t.problem.stochastic or not higher:
        return None
    above = [i for i, k in enumerate(e.theory.k) if e.theory.ratio[i] > 1 and e.values[k + 1] > e.values[k]]
    if not above:
        return None
    i = above[0]
    k, bound = int(e.theory.k[i]), float(e.theory.bound[i])
    high, low = told_apart(float(e.theory.rate[i]), bound)
    words = (
        f"f is higher at the end, {e.t.value:.4g}, than at the start, {e.values[0]:.4g}: at step {k} the rate {high} "
        f"was above {bound_words(e)} = {low}, and the step threw it from f = {e.values[k]:.4g} to {e.values[k + 1]:.4g}"
    )
    numbers = {"rate": e.rate, "bound": bound, "at": k, "value": e.t.value}
    changes = [*safe_rates(e, _bounds_met(e)), {"search": "backtracking"}]
    return Finding("divergence", words, numbers, **remedied(e, changes))


def _measured(e: Evidence, began: int, factor: float, predicted: float) -> str:
    if factor > 2 * predicted:  # no quadratic any more
        return (
            f"ever more, since λ_max grows on the way: in {counted(e.t.count - began, 'step')} ‖∇f‖ went from "
            f"{e.norms[began]:.3g} to {e.norms[-1]:.3g}, and f to {e.t.value:.4g}"
        )
    return f"‖∇f‖ grows by {factor:.4g} a step from step {began} on, to f = {e.t.value:.4g}"


def _bounds_met(e: Evidence) -> list[float]:
    """The bounds on the rate until the run first was above one: what came after is where it was thrown."""
    above = np.flatnonzero(e.theory.ratio > 1)
    return e.theory.bound[: above[0] + 1 if above.size else None].tolist()


def invalid(e: Evidence) -> Finding | None:
    if not e.broke or e.found:
        return None
    bound = (e.rule or Recurrence()).bound(e.end.top)
    above = e.fixed and e.rate > bound
    because = (
        f". The rate {e.rate:.4g} is above {bound_words(e)} = {bound:.4g} at the last good point (λ_max = "
        f"{e.end.top:.4g})"
        if above and e.t.method not in SCALED else ""
    )  # fmt: skip
    numbers = {"step": e.t.count, "rate": e.rate, "sharpness": e.end.top, "bound": bound, "value": e.t.value}
    candidates = [*safe_rates(e, _bounds_met(e) or [bound]), {"search": "backtracking"}]
    candidates += [{"method": "L-BFGS"}] if e.t.method in LINEAR else []
    return Finding("invalid value", e.t.reason.rstrip(".") + because, numbers, **remedied(e, candidates))


def blocked(e: Evidence) -> Finding | None:
    """It stands before places where f has no value, and its steps got short for it."""
    short = e.t.count == 0 or e.lengths[-1] <= 1e-6 * e.length
    if e.found or e.broke or e.t.converged or not e.here.finite or not short or e.here.norm == 0:
        return None
    d = -e.here.gradient / e.here.norm
    for far in 10.0 ** np.arange(-12, -1.0) * e.length:
        x = e.here.x + far * d
        if not math.isfinite(e.problem.value(x)):
            break
    else:
        return None
    where = e.problem.whereabouts(x)
    words = (
        f"it stands before a place where f has no value, {far:.2g} further along −∇f, though ‖∇f‖ = {e.here.norm:.3g}"
        + (f": {where}" if where else "; where in the graph that begins was not found")
        + ". If f should have a value there, write it in a form that does not overflow"
    )
    return Finding("invalid value", words, {"distance": far, "norm": e.here.norm, "step": e.t.count})


def unbounded(e: Evidence) -> Finding | None:
    """Further along the last step f falls at least in proportion, as far as is looked."""
    if e.t.count < FEW or e.found or not e.values[-1] < e.values[0]:
        return None
    d = e.t.steps[-1].direction * e.t.steps[-1].rate
    far = 10.0 ** np.arange(REACH + 1)
    further = np.array([e.t.value, *(e.problem.value(e.t.last.x + f * d) for f in far)])
    slopes = np.diff(further) / np.diff([0, *far])
    falling = slopes[0] < 0 and np.all((slopes <= 0.5 * slopes[0]) | (further[1:] == -np.inf))
    if not falling and e.t.ending != "unbounded":
        return None
    beyond = (
        f", {further[-1]:.4g} after 10¹⁵ more such steps" if falling else ", the end of the range of numbers, reached"
    )
    grows = "grows" if e.norms[-1] > 2 * e.norms.min() else "does not shrink"
    words = (
        f"f falls without end as far as was looked: {e.t.value:.4g} here{beyond} along "
        f"{direction_words(d / norm(d), e.t.labels)}; ‖∇f‖ {grows}. A loss needs a bound below: no rate helps"
        f"{_passed_saddle(e)}"
    )
    return Finding("unbounded below", words, {"value": e.t.value, "further": further[-1], "direction": d / norm(d)})


def _passed_saddle(e: Evidence) -> str:
    k = int(np.argmin(e.norms))
    near = [s for s in e.t.steps if s.k == k]
    p = newton_point(e.problem, e.problem.point(near[0].x), e.length) if near and e.problem.size <= SMALL else None
    if p is None or e.kind_of(p.spectrum) != "saddle":
        return ""
    return f". At step {k} it passed the saddle at {placed(e, p.x)} (‖∇f‖ was {e.norms[k]:.3g} there)"


__all__ = ["blocked", "divergence", "invalid", "thrown", "unbounded", "wrong_gradient"]
