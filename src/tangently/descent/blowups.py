"""Runs that blew up, left the domain, fall without end, or follow a gradient that is wrong."""

from __future__ import annotations

import math

import numpy as np

from tangently.descent.evidence import Evidence, kink_between, newton_point
from tangently.descent.findings import Finding
from tangently.descent.problems import Problem
from tangently.descent.remedies import bound_words, direction_words, place_words, remedied, safe_rates
from tangently.descent.steps import Point, norm
from tangently.descent.theory import LINEAR, SCALED, SMALL, Recurrence, first_point

# ---------------------------------------------------------------- is the gradient right?


def wrong_gradient(e: Evidence) -> Finding | None:
    """Central differences at the start and the end: do they agree among themselves, and not with the gradient?"""
    if e.kinks:
        return None
    for x in (first_point(e.t), e.t.last.x):
        p = e.problem.point(np.array(x))
        if not p.finite:
            continue
        seen = _measured_slopes(e.problem, p)
        if seen is not None:
            d, claimed, measured, doubt = seen
            words = (
                f"the gradient is suspicious: at {place_words(p.x, e.t.labels)} it promises the slope {claimed:.6g} "
                "along "
                f"{direction_words(d, e.t.labels)}, and differences of f measure {measured:.6g} ± {doubt:.1g}"
            )
            numbers = {"promised": claimed, "measured": measured, "doubt": doubt, "x": p.x, "direction": d}
            return Finding("wrong gradient", words, numbers)
    return None


def _measured_slopes(problem: Problem, p: Point) -> tuple[np.ndarray, float, float, float] | None:
    """A direction along which measured and promised slopes disagree; None where there is none or it can't be told."""
    rng = np.random.default_rng(0)
    random = rng.normal(size=(2, problem.size))
    for d in [*([p.gradient / p.norm] if p.norm else []), *(random / np.linalg.norm(random, axis=1, keepdims=True))]:
        steps = np.array([1e-3, 1e-4, 1e-5]) * (1 + norm(p.x))
        found = [(problem.value(p.x + h * d) - problem.value(p.x - h * d)) / (2 * h) for h in steps]
        if not np.isfinite(found).all() or kink_between(problem, p.x - steps[0] * d, p.x + steps[0] * d):
            continue
        middle, doubt = float(np.median(found)), float(np.ptp(found)) + 1e-15 * abs(p.value) / steps[-1]
        claimed = float(p.gradient.dot(d))
        if abs(claimed - middle) > max(20 * doubt, 0.01 * max(abs(middle), abs(claimed)), 1e-9 * abs(p.value)):
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
    rose = e.t.count >= 3 and e.norms[-1] > 2 * e.norms[began] and e.values[-1] > e.values[0]
    rose = rose and e.values[-1] > e.values[began] and len(e.norms) - 1 - began >= 3
    if not rose or (e.t.problem.stochastic and e.values[-1] < 3 * abs(e.values[0])):
        return None
    after = [i for i, k in enumerate(e.theory.k) if k >= began] or [len(e.theory) - 1]
    ratios = e.theory.ratio[after]
    above = [after[i] for i in np.flatnonzero(ratios > 1)]
    numbers = {"rate": e.rate, "began": began, "growth": factor, "value": e.t.value}
    if not above:
        words = (
            f"‖∇f‖ grows by {factor:.4g} a step from step {began} on (to f = {e.t.value:.4g}). The cause can't be "
            "decided: "
            f"no bound on the rate is known for {e.t.method} here, or the rate is below it"
        )
        return Finding("divergence", words, numbers, **remedied(e, safe_rates(e, [])))
    i = above[0]
    bound, sharp, rate = e.theory.bound[i], e.theory.sharpness[i], e.theory.rate[i]
    predicted = float((e.rule or Recurrence()).factors(np.array([sharp]), rate)[0])
    numbers |= {"rate": rate, "sharpness": sharp, "bound": bound, "predicted": predicted, "at": int(e.theory.k[i])}
    words = (
        f"the rate {rate:.4g} is above {bound_words(e)} = {bound:.4g} at step {e.theory.k[i]} (λ_max = {sharp:.4g}), "
        "so "
        f"the error along the top eigenvector is multiplied by {predicted:.4g} a step; measured: ‖∇f‖ grows by "
        f"{factor:.4g} a step from step {began} on, to f = {e.t.value:.4g}"
    )
    return Finding("divergence", words, numbers, **remedied(e, safe_rates(e, e.theory.bound.tolist())))


def invalid(e: Evidence) -> Finding | None:
    if not e.broke or "divergence" in e.found:
        return None
    bound = (e.rule or Recurrence()).bound(e.end.top)
    above = e.fixed and e.rate > bound
    because = (
        f". The rate {e.rate:.4g} is above {bound_words(e)} = {bound:.4g} at the last good point (λ_max = "
        f"{e.end.top:.4g})"
        if above and e.t.method not in SCALED else ""
    )  # fmt: skip
    numbers = {"step": e.t.count, "rate": e.rate, "sharpness": e.end.top, "bound": bound, "value": e.t.value}
    candidates = [*safe_rates(e, [bound, *e.theory.bound]), {"search": "backtracking"}]
    candidates += [{"method": "L-BFGS"}] if e.t.method in LINEAR else []
    return Finding("invalid value", e.t.reason.rstrip(".") + because, numbers, **remedied(e, candidates))


def blocked(e: Evidence) -> Finding | None:
    """It stands before places where f has no value, and its steps got short for it."""
    short = e.t.count == 0 or e.lengths[-1] <= 1e-6 * (1 + norm(e.here.x))
    if e.found or e.broke or e.t.converged or not e.here.finite or not short or e.here.norm == 0:
        return None
    d = -e.here.gradient / e.here.norm
    for far in 10.0 ** np.arange(-12, -1.0) * (1 + norm(e.here.x)):
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
    if e.t.count < 3 or not e.values[-1] < min(e.values[0], 0) or not e.norms[-1] > 2 * e.norms.min() or e.broke:
        return None
    d = e.t.steps[-1].direction * e.t.steps[-1].rate
    further = [e.problem.value(e.t.last.x + 10.0**j * d) for j in range(7)]
    if not all(b < a for a, b in zip([e.t.value, *further], further)):
        return None
    passed = _passed_saddle(e)
    words = (
        f"f falls without end as far as was looked: {e.t.value:.4g} here, {further[-1]:.4g} at 10⁶ more such steps "
        "along "
        f"{direction_words(d / norm(d), e.t.labels)}; ‖∇f‖ grows. A loss needs a bound below: no rate helps{passed}"
    )
    return Finding("unbounded below", words, {"value": e.t.value, "further": further[-1], "direction": d / norm(d)})


def _passed_saddle(e: Evidence) -> str:
    k = int(np.argmin(e.norms))
    near = [s for s in e.t.steps if s.k == k]
    p = newton_point(e.problem, e.problem.point(near[0].x)) if near and e.problem.size <= SMALL else None
    if p is None or e.kind_of(p.spectrum) != "saddle":
        return ""
    return f". At step {k} it passed the saddle at {place_words(p.x, e.t.labels)} (‖∇f‖ was {e.norms[k]:.3g} there)"


__all__ = ["blocked", "divergence", "invalid", "unbounded", "wrong_gradient"]
