"""`diagnose`: what a descent did and why, in words and numbers, and what to change, verified by changing it.

A diagnosis is a list of findings. Each detector below looks at the same evidence and gives a finding or None. It claims
only what it has checked:

- the kind of a point: Newton's steps from the last point must contract to a stationary point p close by, and the
  signs of the eigenvalues of ∇²f(p) (its inertia) say what p is; an eigenvalue that can't be told from 0 leaves the
  kind open, unless f is found lower nearby. No contraction: there is no such point nearby, and a small gradient is a
  plateau. (Newton's steps contract by a factor of ½ and more at a degenerate point, by ever smaller ones elsewhere:
  Griewank & Osborne, *Analysis of Newton's method at irregular singularities*, SIAM J. Numer. Anal. 20, 1983.)
- divergence, oscillation: the rate is held against the bound 2/λ_max of `theory`, the factor |1 − ηλ| against the
  measured one, and steps are projected on the top eigenvector, where they must alternate.
- a kink: the segment of a step is halved again and again, keeping the half on which the gradient changes more; where
  the change remains on 2⁻³⁰ of the segment, the gradient jumps there. The row that breaks is named from the graph.
- noise: the spread of the gradients of mini-batches against the gradient on all of the data.
- a wrong gradient: central differences that agree among themselves, and not with the gradient.

A remedy is a change of the settings of `minimize`. Candidates are run from the same start with as many steps (within
`BUDGET`), the one with the lowest value is kept, and only if it is lower than before; else the finding says what was
tried. What can't be decided is said.

Glossary: e the evidence, t the trajectory, v an eigenvector, λ an eigenvalue, η a rate, κ condition number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent.evidence import (
    CLOSE,
    SINGULAR,
    TAIL,
    Evidence,
    Kink,
    Nearby,
    kink_between,
    lower_around,
    newton_point,
)
from tangently.descent.problems import Problem
from tangently.descent.remedies import BUDGET, Change, direction_words, nice, place_words, plural, remedied, safe_rates
from tangently.descent.steps import Point, norm
from tangently.descent.theory import (
    LINEAR,
    SCALED,
    SMALL,
    Recurrence,
    Spectrum,
    Theory,
    anew,
    best_rate,
    condition_number,
    factors,
    first_point,
    momentum_pair,
    spectrum,
)
from tangently.errors import InputError

if TYPE_CHECKING:
    from tangently.descent.trajectory import Trajectory

FIRST = (*LINEAR, "Lion")  # methods whose rate can be changed
TROUBLE, VERDICT, REMARK = "trouble", "verdict", "remark"


# ---------------------------------------------------------------- what is returned


@dataclass(frozen=True, repr=False)
class Finding:
    """One thing that was found. `remedy`: settings to change; `after`: the run that was made with them."""

    name: str
    words: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    remedy: Mapping[str, Any] = field(default_factory=dict)
    after: Any = None  # Trajectory | None
    verified: str = ""  # before and after, in words; or what was tried in vain
    kind: str = TROUBLE

    def __str__(self) -> str:
        return f"{self.name}: {self.words}" + (f"\n   → {self.verified}" if self.verified else "")

    def __repr__(self) -> str:
        return f"<Finding {self}>"


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The findings, most important first."""

    trajectory: Any
    findings: tuple[Finding, ...]
    theory: Theory

    @property
    def main(self) -> Finding:
        return self.findings[0]

    @property
    def healthy(self) -> bool:
        """Is nothing found that needs a change?"""
        return all(f.kind != TROUBLE for f in self.findings)

    def __getitem__(self, name: str) -> Finding:
        for f in self.findings:
            if f.name == name:
                return f
        raise InputError(f"nothing named {name!r} was found; found were {', '.join(f.name for f in self.findings)}")

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.findings)

    def __iter__(self) -> Any:
        return iter(self.findings)

    def __str__(self) -> str:
        t = self.trajectory
        head = f"{t.method} on {t.problem.name}, {plural(t.count)}: f from {t.values[0]:.6g} to {t.value:.6g}"
        return "\n".join([head, *[f"{k}. {f}" for k, f in enumerate(self.findings, 1)]])

    __repr__ = __str__


def diagnose(trajectory: Trajectory) -> Diagnosis:
    """What happened in a descent, why, and what to change; every remedy has been run.

    >>> from tangently import minimize
    >>> d = diagnose(minimize("(x - 5)^2", 0.0, rate=1.1, steps=50))
    >>> d.main.name, d.main.numbers["bound"], d.main.after.converged
    ('divergence', 1.0, True)
    >>> diagnose(minimize("(x - 5)^2", 0.0, rate=0.1)).main.name
    'converged'
    """
    with np.errstate(all="ignore"):
        e = Evidence(_checked(trajectory))
        for detector in DETECTORS:
            found = detector(e)
            if found is not None:
                e.found[found.name] = replace(found, numbers={k: _plain(v) for k, v in found.numbers.items()})
        order = [TROUBLE, VERDICT, REMARK]
        findings = sorted(e.found.values(), key=lambda f: order.index(f.kind))
        return Diagnosis(trajectory, tuple(findings), e.theory)


def _plain(v: Any) -> Any:
    return v.item() if isinstance(v, np.generic) else v


def _checked(t: Any) -> Any:
    if not all(hasattr(t, name) for name in ("problem", "steps", "history")):
        raise InputError(f"got {t!r:.80}; a trajectory was wanted: diagnose(tg.minimize(f, start, …))")
    try:
        anew(t).point(t.last.x)
    except InputError as error:
        raise InputError(f"a diagnosis evaluates the function again. {error}") from None
    return t


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
        f"the rate {rate:.4g} is above {_bound_words(e)} = {bound:.4g} at step {e.theory.k[i]} (λ_max = {sharp:.4g}), "
        "so "
        f"the error along the top eigenvector is multiplied by {predicted:.4g} a step; measured: ‖∇f‖ grows by "
        f"{factor:.4g} a step from step {began} on, to f = {e.t.value:.4g}"
    )
    return Finding("divergence", words, numbers, **remedied(e, safe_rates(e, e.theory.bound.tolist())))


def _bound_words(e: Evidence) -> str:
    rule = e.rule or Recurrence()
    name = "λ_max(P⁻¹H)" if rule.scaled else "λ_max"
    if not rule.momentum:
        return f"2/{name}"
    if rule.scaled:
        return f"{2 * (1 + rule.momentum) / rule.gain:.3g}/{name}"
    return f"2(1 + β)/((1 + 2β){name})" if rule.nesterov else f"2(1 + β)/{name}"


def invalid(e: Evidence) -> Finding | None:
    if not e.broke or "divergence" in e.found:
        return None
    bound = (e.rule or Recurrence()).bound(e.end.top)
    above = e.fixed and e.rate > bound
    because = (
        f". The rate {e.rate:.4g} is above {_bound_words(e)} = {bound:.4g} at the last good point (λ_max = "
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


# ---------------------------------------------------------------- where it stands


def kinked(e: Evidence) -> Finding | None:
    if len(e.kinks) < min(3, max(1, len(e.run) // 2)) or e.found:
        return None
    jump = float(np.median([k.jump for k in e.kinks]))
    late, early = e.values[-len(e.run) // 2 :].min(), e.values[: max(1, len(e.values) - len(e.run) // 2)].min()
    if early - late > 0.05 * abs(e.values[0] - early):
        return None
    rows = sorted({row for k in e.kinks for row in _broken(e, k)})
    what = f" ({', '.join(rows)})" if rows else ""
    reach = e.rate * jump / 2
    words = (
        f"{len(e.kinks)} of the last {len(list(e.run)[-8:])} steps cross a kink{what}, at which the gradient jumps by "
        f"{jump:.4g}, however short the step; at a fixed rate it stays about {reach:.3g} away from the kink"
    )
    numbers = {"crossings": len(e.kinks), "jump": jump, "rows": rows, "reach": reach}
    candidates = [
        {"schedule": "cosine"},
        {"rate": nice(e.rate / 10)},
        {"rate": nice(e.rate / 10), "schedule": "cosine"},
    ]
    found = remedied(e, candidates if e.t.method in FIRST else [])
    after = found.get("after")
    much = after is not None and e.t.value - after.value > 1e-3 * abs(e.values[0] - e.t.value)
    return Finding("non-smooth zigzag", words, numbers, **found, kind=TROUBLE if much else VERDICT)


def _broken(e: Evidence, k: Kink) -> list[str]:
    """The rows that break between the two sides of a kink, as text; those that the graph tells."""
    from tangently.compiled import Engine
    from tangently.derivatives import value
    from tangently.descent.fields import breaks_of
    from tangently.expr import evaluate
    from tangently.printing import to_text
    from tangently.tracing.recording import promote

    engine = Engine(e.problem.function, value())
    args, keywords = e.problem.call(np.array(k.x))
    bound = engine.bind(args, keywords)
    picked = engine.chosen(bound)
    recording = engine.record(bound, [promote(*leaf) for leaf in zip(bound.leaves, picked, bound.paths)], picked)[0]
    beyond = engine.bind(*e.problem.call(np.array(k.beyond)))
    found = breaks_of(recording.outputs[0])
    us = [b.u for b in found]
    at = [
        evaluate(us, {i: np.asarray(v) for i, v in zip(recording.inputs, leaves) if i is not None})
        for leaves in (bound.leaves, beyond.leaves)
    ]
    return [
        to_text(b.node, {n: s for n, s in recording.names.items() if n is not b.node})
        for b, u, w in zip(found, *at) if b.which == "zero" and np.any(np.sign(u) != np.sign(w))
    ]  # fmt: skip


def saddle(e: Evidence) -> Finding | None:
    """A stationary point close by with directions in which f falls."""
    p = e.close
    if e.found or p is None or e.kind_of(p.spectrum) not in ("saddle", "maximum") or not _slow(e):
        return None
    kind, v = e.kind_of(p.spectrum), p.spectrum.vectors[:, 0]
    v = v if v[int(np.argmax(np.abs(v)))] > 0 else -v
    below, above = int((p.spectrum.values < 0).sum()), int((p.spectrum.values > 0).sum())
    least = float(p.spectrum.values[0])
    grows = f", at this rate by {abs(1 - e.rate * least):.4g} a step" if e.t.method == "gradient descent" else ""
    words = (
        f"it is {_far(p.distance)} a {kind} at {place_words(p.x, e.t.labels)}: {below} negative and {above} positive "
        f"eigenvalue{'s' if below + above > 1 else ''}. f falls along {direction_words(v, e.t.labels)}, λ = "
        f"{least:.4g}{grows}"
    )
    numbers = {"kind": kind, "x": p.x, "direction": v, "eigenvalue": least, "distance": p.distance, "value": p.value}
    return Finding(kind, words, numbers, **remedied(e, _escapes(e, p, v), first=True))


def _escapes(e: Evidence, p: Nearby, v: np.ndarray) -> list[Change]:
    start = e.problem.pack(p.x + 1e-2 * (1 + norm(p.x)) * v)
    return [{"start": start}, {"start": start, "method": "trust region"}]


def _far(distance: float) -> str:
    return "at" if distance < 1e-9 else f"{distance:.3g} away from"


def _slow(e: Evidence) -> bool:
    """Is ‖∇f‖ small against what it was, or small enough to have stopped?"""
    return e.t.converged or e.t.count == 0 or bool(e.here.norm <= 1e-2 * e.norms.max())


def plateau(e: Evidence) -> Finding | None:
    """A small gradient, tiny curvature, and nothing stationary nearby."""
    if e.found or e.t.problem.stochastic or e.broke or not e.here.finite:
        return None
    if e.here.norm == 0 and e.close is not None:
        return _flat(e)
    if e.arrived or e.kinks:
        return None
    if (e.nearby is not None and e.close is not None) or not _creeps(e):
        return None
    drop = float(e.values[-2] - e.values[-1]) if e.t.count else e.rate * e.here.norm**2
    top = e.end.top
    numbers = {"norm": e.here.norm, "sharpness": top, "drop": drop, "rate": e.rate}
    asked = f" (it stopped because {e.t.reason})" if e.t.converged else ""
    words = f"‖∇f‖ = {e.here.norm:.3g} is small, yet no stationary point is nearby, and λ_max = {top:.3g}{asked}"
    if drop > 0:
        tenth = 0.1 * (e.gap or abs(e.t.value)) / drop
        numbers["steps"] = tenth
        aim = "a tenth of the way down to the best value known" if e.gap else "a tenth of f"
        words += f". At this speed, {drop:.3g} a step, {aim} takes about {tenth:.2g} more steps"
    return Finding("plateau", words, numbers, **remedied(e, _off_a_plateau(e)))


def _off_a_plateau(e: Evidence) -> list[Change]:
    strict = {"tolerance": 1e-3 * e.here.norm} if e.t.converged and e.here.norm else {}
    faster = [{**strict, "rate": nice(e.rate * 10.0**j)} for j in (2, 4, 6)] if e.fixed else []
    return [*faster, {**strict, "method": "Adam", "rate": 0.1}, {**strict, "method": "trust region"}]


def _creeps(e: Evidence) -> bool:
    """Is the speed such that nothing will come of it, though there is somewhere to go?"""
    if e.t.count == 0:
        return e.t.converged
    if e.t.converged:
        return True
    half = e.values[len(e.values) // 2]
    small = e.here.norm <= 1e-3 * max(1.0, abs(e.values[0])) / (1 + norm(e.here.x)) * 10
    return small and 0 <= half - e.values[-1] <= 0.05 * max(abs(half), e.gap) and e.gap > 10 * (half - e.values[-1])


def _flat(e: Evidence) -> Finding | None:
    """The gradient is exactly zero: look around for lower values."""
    if e.kind_of(e.end) != "degenerate":
        return None
    lower = lower_around(e.problem, e.here, np.eye(e.problem.size)[: 2 * TAIL])
    if lower is None:
        return None
    x, value = lower
    far = norm(x - e.here.x)
    if far <= CLOSE * (1 + norm(e.here.x)):
        return None
    words = (
        f"the gradient is exactly zero, and the Hessian can't be told from zero in {_zeros(e)} of {e.problem.size} "
        "directions: no "
        f"method that looks at derivatives alone moves from here. f is lower, {value:.4g}, {far:.3g} away, at "
        f"{place_words(x, e.t.labels)}"
    )
    start = e.problem.pack(x)
    return Finding(
        "plateau", words, {"norm": 0.0, "lower": value, "distance": far},
        **remedied(e, [{"start": start}, {"start": start, "method": "trust region"}], first=True),
    )  # fmt: skip


def _zeros(e: Evidence) -> int:
    return int((np.abs(e.end.values) <= SINGULAR * e.curvature).sum())


# ---------------------------------------------------------------- restless


def _projected(e: Evidence) -> tuple[np.ndarray, float] | None:
    """The last steps along the top eigenvector, and their share of the steps' squared length."""
    moves = np.array([s.next_x - s.x for s in e.run])
    if len(moves) < 4 or not e.end.values.size:
        return None
    s = moves @ e.end.vectors[:, -1]
    whole = float((moves * moves).sum())
    return (s, float((s * s).sum()) / whole) if whole > 0 else None


def oscillation(e: Evidence) -> Finding | None:
    if e.found or not e.fixed or e.theory.edge or e.t.problem.stochastic or e.kinks:
        return None
    seen = _projected(e)
    if seen is None:
        return None
    s, share = seen
    turns = float((s[1:] * s[:-1] < 0).mean())
    factor = float(abs(s[-1] / s[0]) ** (1 / (len(s) - 1))) if s[0] else math.nan
    if turns < 0.9 or share < 0.3 or not factor > 0.5:
        return None
    return _alternating(e, turns, share, factor)


def hovering(e: Evidence) -> Finding | None:
    """Methods whose steps have the size of the rate, near a minimum: they turn back and do not get shorter."""
    moves = np.array([s.next_x - s.x for s in e.run])
    if e.found or e.arrived or e.t.problem.stochastic or e.t.method not in (*SCALED, "Lion") or len(moves) < 6:
        return None
    sizes = np.linalg.norm(moves, axis=1)
    inner = (moves[1:] * moves[:-1]).sum(axis=1) / (sizes[1:] * sizes[:-1])
    turns = float((inner < 0).mean())
    if not (turns > 0.4 and sizes[-len(sizes) // 2 :].mean() > 0.7 * sizes.mean() and np.isfinite(inner).all()):
        return None
    words = (
        f"{turns:.0%} of the last {len(e.run)} steps turn back, and they do not get shorter ({sizes.mean():.3g} on "
        "average): "
        f"{e.t.method} moves by about its rate {e.rate:.4g} however near the minimum is"
    )
    candidates = [{"schedule": "cosine"}, {"rate": nice(e.rate / 10)}, {"start": e.t.x, "rate": nice(e.rate / 10)}]
    return Finding("oscillation", words, {"turns": turns, "length": float(sizes.mean())}, **remedied(e, candidates))


def _alternating(e: Evidence, turns: float, share: float, factor: float) -> Finding | None:
    i = len(e.theory) - 1
    rate, top, bound = e.rate, e.theory.sharpness[i], e.theory.bound[i]
    ratio = 2 * rate / bound
    if not ratio > 1.5 and e.t.method == "gradient descent":
        return None
    cycle = abs(factor - 1) < 1e-6
    words = (
        f"the last {len(e.run)} steps go to and fro along the top eigenvector "
        f"{direction_words(e.end.vectors[:, -1], e.t.labels)}: "
        f"{turns:.0%} of them turn back, {share:.0%} of their squared length lies along it. The rate {rate:.4g} is "
        f"{rate / bound:.4g} of {_bound_words(e)} = {bound:.4g}"
    )
    words += _about_factor(e, factor, ratio, cycle)
    numbers = {"rate": rate, "sharpness": top, "bound": bound, "product": ratio, "turns": turns, "share": share}
    numbers |= {"factor": factor, "predicted": e.theory.predicted[i]}
    candidates = [{"rate": nice(bound / 2)}, {"rate": nice(bound / 4)}]
    best = e.end.complete and e.end.least > SINGULAR * e.end.top and e.t.method == "gradient descent"
    candidates += [{"rate": best_rate(e.end.values).rate}] if best else []
    kind = REMARK if e.arrived else TROUBLE
    return Finding("oscillation", words, numbers, **remedied(e, candidates), kind=kind)


def _about_factor(e: Evidence, factor: float, ratio: float, cycle: bool) -> str:
    predicted = e.theory.predicted[-1]
    if cycle:
        return ", where it neither comes nearer nor goes away: a 2-cycle"
    plain = e.t.method == "gradient descent"
    theirs = (
        f" (|1 − ηλ| = {abs(1 - ratio):.4g})"
        if plain
        else f" (predicted {predicted:.4g})"
        if predicted == predicted
        else ""
    )
    return f"; the swing is multiplied by {factor:.4g} a step{theirs}"


def too_much_momentum(e: Evidence) -> Finding | None:
    rule = e.rule
    if e.found or rule is None or not rule.momentum or rule.scaled or not e.fixed or not e.end.complete:
        return None
    values = (e.nearby.spectrum.values if e.nearby else e.end.values) + rule.decay
    if e.kind_of(Spectrum(values, e.end.vectors, True)) != "minimum":
        return None
    rate = rule.gain * e.rate
    grid = np.linspace(0, 0.999, 1000)
    found = [float(factors(values, rate, b, rule.nesterov).max()) for b in grid]
    now, k = float(factors(values, rate, rule.momentum, rule.nesterov).max()), int(np.argmin(found))
    if not (grid[k] < rule.momentum and now < 1 and math.log(found[k]) < 2 * math.log(now)):
        return None
    kind = REMARK if e.arrived else TROUBLE
    turn = np.angle(np.roots([1, -(1 + rule.momentum - rate * values[0]), rule.momentum])[0])
    period = 2 * math.pi / abs(turn) if turn and not rule.nesterov else math.nan
    pair = momentum_pair(values)
    words = (
        f"momentum {rule.momentum:.4g} is too high for these eigenvalues ({values[0]:.4g} to {values[-1]:.4g}): it "
        f"overshoots and swings"
        + (f" with a period of {period:.3g} steps" if math.isfinite(period) else "")
        + f", and the error shrinks by {now:.4g} a step. At this rate momentum {grid[k]:.3g} gives {found[k]:.4g}; "
        "the best "
        f"pair is rate {pair.rate:.4g}, momentum {pair.momentum:.4g} ({pair.factor:.4g})"
    )
    numbers = {"momentum": rule.momentum, "factor": now, "best momentum": float(grid[k]), "best factor": found[k]}
    numbers |= {"period": period, "pair": pair}
    candidates = [{"momentum": round(float(grid[k]), 4)}, {"rate": pair.rate, "momentum": pair.momentum}]
    return Finding("momentum too high", words, numbers, **remedied(e, candidates), kind=kind)


def edge(e: Evidence) -> Finding | None:
    if e.found or not e.theory.edge:
        return None
    late = e.theory.ratio[len(e.theory) // 2 :]
    first, last = e.theory.sharpness[0], e.theory.sharpness[-1]
    words = (
        f"the sharpness went from {first:.4g} to {last:.4g} and hovers where the rate {e.rate:.4g} is at its bound "
        f"{_bound_words(e)} (rate over bound: median {np.median(late):.3g} in the second half). The loss is not "
        "monotone "
        f"and still falls, {e.values[len(e.values) // 2]:.4g} halfway, {e.t.value:.4g} at the end: no divergence"
    )
    numbers = {"ratio": float(np.median(late)), "sharpness": last, "bound": 2 / e.rate, "rate": e.rate}
    return Finding("edge of stability", words, numbers, kind=VERDICT)


# ---------------------------------------------------------------- noise


def noise(e: Evidence) -> Finding | None:
    """Is the gradient smaller than its spread over mini-batches, and has the loss stopped to fall?"""
    if not e.t.problem.stochastic or e.found:
        return None
    scatter = _scatter(e)
    full = [e.problem.value(s.x) for s in _spread(e.t.steps, 24)] + [e.t.value]
    early, late = np.array(full[len(full) // 2 : 3 * len(full) // 4]), np.array(full[3 * len(full) // 4 :])
    wobble = math.hypot(early.std() / math.sqrt(len(early)), late.std() / math.sqrt(len(late)))
    falls = early.mean() - late.mean()
    ratio = scatter / e.here.norm if e.here.norm else math.inf
    settled = falls <= max(2 * wobble, 0.02 * (full[0] - late.mean()))
    if ratio < 1 or not settled:
        return None
    floor = e.rate * scatter**2 / 4 if e.t.method == "gradient descent" else math.nan
    excess = float(late.mean() - min(e.reference.value, late.min()))
    words = (
        f"the gradients of mini-batches of {_rows_of(e)} scatter by {scatter:.3g} about the one of all data, "
        f"{e.here.norm:.3g}: "
        f"steps are mostly noise, and the loss on all data has stopped falling, {excess:.3g} above the best known"
        + (f" (predicted for small rates: about η·scatter²/4 = {floor:.3g})" if math.isfinite(floor) else "")
    )
    numbers = {"scatter": scatter, "norm": e.here.norm, "ratio": ratio, "excess": excess, "floor": floor}
    candidates = [{"schedule": "cosine"}, {"schedule": "step"}, {"rate": nice(e.rate / 10)}]
    candidates += [{"start": e.t.x, "rate": nice(e.rate / 10)}]  # to go on from the end
    return Finding("noise floor", words, numbers, **remedied(e, candidates if e.t.method in FIRST else []))


def _rows_of(e: Evidence) -> str:
    b = e.t.problem.batches
    return f"{b.size} of {b.count} rows" if b else "some rows"


def _scatter(e: Evidence) -> float:
    """The root mean square distance of the gradients of mini-batches from that of all data."""
    squares = []
    for k in range(min(32, e.problem.batches.in_epoch if e.problem.batches else 1)):
        e.problem.at_step(k)
        squares.append(norm(e.problem.value_and_gradient(e.t.last.x)[1] - e.here.gradient) ** 2)
    e.problem.on_all()
    return math.sqrt(sum(squares) / len(squares))


def _spread(kept: Sequence[Any], most: int) -> list[Any]:
    return [kept[k] for k in np.unique(np.linspace(0, len(kept) - 1, most).astype(int))] if kept else []


# ---------------------------------------------------------------- slow


def slow(e: Evidence) -> Finding | None:
    """Too small a rate, or a valley whose walls forbid a larger one."""
    if e.found or e.t.method not in FIRST or not e.crawls:
        return None
    ratio = float(np.median(e.theory.ratio)) if len(e.theory) else math.nan
    if _heads_for_flat(e) and e.nearby is not None:
        return _sublinear(e, e.nearby)
    if e.t.method in (*SCALED, "Lion"):
        return _short_steps(e, ratio) if e.fixed or e.t.method == "Lion" else None
    if not e.fixed:  # rates by a search or a schedule
        return _valley(e, ratio)
    return (_too_small(e, ratio) if ratio < 0.1 else None) or _valley(e, ratio)


def _heads_for_flat(e: Evidence) -> bool:
    """Is a degenerate point ahead, no further away than it has come?"""
    p = e.nearby
    come = norm(e.here.x - first_point(e.t))
    return p is not None and p.contraction > 0.4 and p.distance <= come and e.kind_of(p.spectrum) == "degenerate"


def _sublinear(e: Evidence, p: Nearby) -> Finding:
    words = (
        f"it heads for a degenerate point, {place_words(p.x, e.t.labels)}, {p.distance:.3g} away, where an eigenvalue "
        "of the "
        f"Hessian vanishes: with κ = ∞ no fixed rate shrinks the error by a fixed factor (measured lately: "
        f"{float(e.theory.measured[-1]):.6g}), and Newton's steps only by {p.contraction:.3g}"
    )
    numbers = {"x": p.x, "distance": p.distance, "contraction": p.contraction, "eigenvalues": p.spectrum.values}
    return Finding(
        "degenerate point", words, numbers, **remedied(e, [{"method": "trust region"}, {"method": "L-BFGS"}])
    )


def _short_steps(e: Evidence, ratio: float) -> Finding | None:
    """Methods whose steps have the size of the rate: is the way left longer than what as many steps can go?"""
    left = float(np.abs(e.reference.last.x - e.here.x).max())
    earlier = e.t.steps[-max(1, len(e.t.steps) // 4)]
    speed = float(np.abs(e.here.x - earlier.x).max()) / max(1, e.t.count - earlier.k)
    gone = float(np.abs(e.here.x - first_point(e.t)).max())
    needed = left / speed if speed else math.inf
    plenty = e.gap > 1e-4 * abs(e.values[0] - e.t.value + e.gap)
    if not (e.reference.converged and plenty and needed > 2 * e.t.count) or gone == 0:
        return None
    words = (
        f"{e.t.method} moves an entry by about its rate: {speed:.3g} a step lately, and {left:.3g} is left to the "
        "minimum at "
        f"{place_words(e.reference.last.x, e.t.labels)}, {needed:.2g} more steps"
    )
    numbers = {"rate": e.rate, "speed": speed, "left": left, "steps": needed, "ratio": ratio}
    return Finding(
        "rate too small", words, numbers, **remedied(e, [{"rate": nice(e.rate * f)} for f in (10, 100, 1000)])
    )


def _too_small(e: Evidence, ratio: float) -> Finding | None:
    """A rate far below its bound; said only where a larger one was tried and is better."""
    bound, middle = float(np.min(e.theory.bound)), float(np.median(e.theory.bound))
    rates = dict.fromkeys(nice(r) for r in (bound / 2, bound * 0.9, middle / 2, e.rate * 10))
    found = remedied(e, [{"rate": r} for r in rates if e.rate < r < math.inf])
    after = found.get("after")
    if after is None or not e.t.value - after.value > 0.5 * e.gap:
        return None
    words = (
        f"the rate {e.rate:.4g} is {ratio:.2g} of {_bound_words(e)} (median on the path; the least bound met is "
        f"{bound:.4g}): each step does little. {_left(e)}"
    )
    return Finding("rate too small", words, {"rate": e.rate, "ratio": ratio, "bound": bound, "gap": e.gap}, **found)


def _left(e: Evidence) -> str:
    way = e.values[0] - e.t.value + e.gap
    return f"{e.gap / way:.2%} of the way down to the best value known ({e.t.value - e.gap:.4g}) is left" if way else ""


def _valley(e: Evidence, ratio: float) -> Finding | None:
    s, center = _valley_spectrum(e)
    if not s.values.size or not s.values[0] > SINGULAR * e.curvature or condition_number(s.values) < 50:
        return None
    kappa, gd, pair = condition_number(s.values), best_rate(s.values), momentum_pair(s.values)
    digit = math.log(10)
    words = (
        f"κ = {kappa:.4g} (λ from {s.values[0]:.4g} to {s.top:.4g}): the steepest direction keeps the rate below "
        f"{(e.rule or Recurrence()).bound(s.top):.4g}, and along the flattest, "
        f"{direction_words(s.vectors[:, 0], e.t.labels)}, such steps do little. At best, (κ − 1)/(κ + 1) = "
        f"{gd.factor:.6g} a step, a digit of x costs {digit / -math.log(gd.factor):.3g} steps; momentum's best pair "
        f"needs {digit / -math.log(pair.factor):.3g}"
    )
    numbers = {"condition": kappa, "best factor": gd.factor, "momentum pair": pair, "ratio": ratio}
    numbers |= {"eigenvalues": s.values, "measured": float(e.theory.measured[-1])}
    shares = None if center is None else progress_shares(e, s, center)
    if shares is not None:
        numbers |= {"shares": shares}
        words += (
            f". Of what is left of f, {shares[0]:.1%} lies along the flattest direction, {shares[-1]:.1%} along the "
            "steepest"
        )
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


# ---------------------------------------------------------------- verdicts


def converged(e: Evidence) -> Finding | None:
    if not e.arrived or any(f.kind == TROUBLE for f in e.found.values()):
        return None
    if e.problem.size > SMALL:
        return _converged_large(e)
    p = e.close
    assert p is not None
    kind = e.kind_of(p.spectrum)
    if kind == "degenerate":
        return _degenerate(e, p)
    kappa = condition_number(p.spectrum.values)
    words = (
        f"at a minimum: {_all_positive(p.spectrum)}, and Newton's steps from here end {p.distance:.2g} away, at "
        f"{place_words(p.x, e.t.labels)}. {_at_floor(e, p)}{_speed(e)}"
    )
    numbers = {"kind": "minimum", "x": p.x, "value": p.value, "distance": p.distance, "eigenvalues": p.spectrum.values}
    numbers |= {"condition": kappa, "norm": e.here.norm, "at floor": _floor(e, p)}
    return Finding("converged", words.rstrip(), numbers, kind=VERDICT)


def _all_positive(s: Spectrum) -> str:
    if s.values.size == 1:
        return f"the second derivative is positive ({s.top:.4g})"
    kappa = condition_number(s.values)
    return (
        f"all {s.values.size} eigenvalues of the Hessian are positive ({s.least:.4g} to {s.top:.4g}, κ = {kappa:.4g})"
    )


def _floor(e: Evidence, p: Nearby) -> bool:
    """Is f − f(p) below the rounding of f?"""
    return abs(e.here.value - p.value) <= 4e-16 * max(abs(e.here.value), abs(e.values[0]) * 1e-16)


def _at_floor(e: Evidence, p: Nearby) -> str:
    if _floor(e, p):
        return "f can't get lower at the precision of floating-point numbers. "
    return f"f is {max(0.0, e.here.value - p.value):.2g} above it. "


def _speed(e: Evidence) -> str:
    rate = e.t.rate
    predicted = e.theory.predicted[-1] if len(e.theory) else math.nan
    if not rate.steps or not e.fixed or math.isnan(predicted):
        return str(rate)[0].upper() + str(rate)[1:] if rate.steps else ""
    return f"Measured factor {rate.linear:.4g} a step, predicted {predicted:.4g}"


def _converged_large(e: Evidence) -> Finding:
    low = e.least[0]
    words = (
        f"‖∇f‖ = {e.here.norm:.3g}, and the least eigenvalue of the Hessian, by Lanczos, is positive ({low:.4g}; the "
        "largest "
        f"{e.end.top:.4g}): a minimum, as far as Lanczos tells"
    )
    numbers = {"kind": "minimum", "least": low, "sharpness": e.end.top, "norm": e.here.norm}
    return Finding("converged", words, numbers, kind=VERDICT)


def _degenerate(e: Evidence, p: Nearby) -> Finding:
    null = p.spectrum.vectors[:, np.abs(p.spectrum.values) <= SINGULAR * e.curvature].T
    mixed = np.random.default_rng(0).normal(size=(24, len(null))) @ null
    directions = np.vstack([null, mixed / np.linalg.norm(mixed, axis=1, keepdims=True)])
    here = e.problem.point(p.x)
    lower = lower_around(e.problem, here, directions)
    head = (
        f"at a degenerate point, {place_words(p.x, e.t.labels)}: {len(null)} of {e.problem.size} eigenvalues of the "
        "Hessian "
        "can't be told from 0, so the second derivatives don't decide its kind. "
    )
    numbers = {"x": p.x, "zero eigenvalues": len(null), "eigenvalues": p.spectrum.values, "norm": e.here.norm}
    if lower is None:
        words = head + f"{len(directions) * 2} directions were followed, and f is nowhere lower: it may be a minimum"
        return Finding("converged", words, {"kind": "degenerate", **numbers}, kind=VERDICT)
    x, value = lower
    words = head + f"It is no global minimum: f = {value:.4g} at {place_words(x, e.t.labels)}, {norm(x - p.x):.3g} away"
    numbers |= {"kind": "degenerate", "lower": value, "direction": (x - p.x) / norm(x - p.x)}
    start = e.problem.pack(x)
    changes = [{"start": start}, {"start": start, "method": "trust region"}]
    return Finding("degenerate point", words, numbers, **remedied(e, changes, first=True))


def descending(e: Evidence) -> Finding | None:
    """Nothing is wrong, but it is not there yet."""
    if e.arrived or any(f.kind != REMARK for f in e.found.values()):
        return None
    if e.t.count == 0:
        return _not_begun(e)
    if e.t.problem.stochastic:
        return _descending_noisily(e)
    if not _falls(e):
        words = (
            f"it has not arrived at a minimum ({e.t.reason}), f does not fall any more, and why can't be decided: "
            f"‖∇f‖ = {e.here.norm:.3g}, λ_max = {e.end.top:.4g}"
        )
        others = [{"method": "L-BFGS"}] if e.t.method in FIRST else []
        return Finding("undecided", words, {"norm": e.here.norm, "sharpness": e.end.top}, **remedied(e, others))
    return _unfinished(e)


def _not_begun(e: Evidence) -> Finding:
    words = f"no step was taken ({e.t.reason}); ‖∇f‖ = {e.here.norm:.3g} there, and there is nothing else to judge by"
    if e.t.settings.get("steps") == 0 or e.here.norm == 0:
        return Finding("undecided", words, {"norm": e.here.norm}, kind=VERDICT)
    others = [{"method": m} for m in ("trust region", "L-BFGS") if m != e.t.method]
    return Finding("undecided", words, {"norm": e.here.norm}, **remedied(e, others))


def _falls(e: Evidence) -> bool:
    """Is the last quarter of the run below the one before, and still falling?"""
    quarter = max(1, len(e.values) // 4)
    before, late = e.values[-2 * quarter : -quarter], e.values[-quarter:]
    return bool(late.mean() < before.mean() and e.values[-1] <= late.mean())


def _unfinished(e: Evidence) -> Finding:
    factor = e.t.rate.linear
    tolerance = e.t.settings.get("tolerance", 1e-6)
    more = (
        math.log(tolerance / e.here.norm) / math.log(factor) if 0 < factor < 1 and e.here.norm > tolerance else math.nan
    )
    words = f"it still descends: ‖∇f‖ = {e.here.norm:.3g}, the last step lowered f by {e.values[-2] - e.values[-1]:.3g}"
    if math.isfinite(more):
        words += f". At the measured factor {factor:.4g} a step about {more:.3g} more steps reach ‖∇f‖ ≤ {tolerance:g}"
    steps = min(BUDGET, math.ceil(e.t.count + 1.2 * more) if math.isfinite(more) else 4 * e.t.count)
    numbers = {"norm": e.here.norm, "factor": factor, "more steps": more}
    return Finding(
        "still descending", words, numbers, **remedied(e, [{"steps": max(steps, e.t.count + 10)}]), kind=VERDICT
    )


def _descending_noisily(e: Evidence) -> Finding:
    words = f"the loss on all data still falls ({e.t.value:.4g} now); the gradient there is {e.here.norm:.3g}"
    found = remedied(e, [{"steps": min(BUDGET, 4 * e.t.count)}])
    return Finding("still descending", words, {"norm": e.here.norm}, **found, kind=VERDICT)


def negative_curvature(e: Evidence) -> Finding | None:
    """Newton's steps that had to be bent, because the Hessian was not positive definite."""
    bent = [s for s in e.t.steps if s.notes.get("least curvature", 0.0) < 0]
    if not bent or e.t.method not in ("Newton", "saddle-free Newton"):
        return None
    worst = min(s.notes["least curvature"] for s in bent)
    how = "shifted until it was positive definite" if e.t.method == "Newton" else "taken by its eigenvalues' sizes"
    words = (
        f"at {len(bent)} of {len(e.t.steps)} steps the Hessian had a negative eigenvalue (least {worst:.4g}), where "
        "Newton's "
        f"own step would go to a saddle or a maximum; it was {how}"
    )
    return Finding("negative curvature", words, {"steps": len(bent), "least": worst}, kind=REMARK)


DETECTORS: tuple[Callable[[Evidence], Finding | None], ...] = (
    wrong_gradient, divergence, invalid, blocked, unbounded, saddle, kinked, plateau, oscillation, hovering,
    too_much_momentum, noise, edge, slow, converged, descending, negative_curvature,
)  # fmt: skip

__all__ = ["Diagnosis", "Finding", "diagnose"]
