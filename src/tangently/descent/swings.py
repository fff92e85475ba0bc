"""Runs that go to and fro: over a valley, about a minimum, by too much momentum, in the noise of mini-batches."""

from __future__ import annotations

import math
import time

import numpy as np

from tangently.descent.evidence import SINGULAR, TAIL, Evidence, spread
from tangently.descent.findings import FIRST, REMARK, TROUBLE, VERDICT, Finding
from tangently.descent.remedies import bound_words, direction_words, nice, placed, remedied
from tangently.descent.steps import norm
from tangently.descent.theory import SCALED, Recurrence, Spectrum, best_rate, factors, momentum_pair, spectrum

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


def unsettled(e: Evidence) -> Finding | None:
    """f does not fall any more, and the rate is above the bound at the minimum: there it can't come to rest."""
    if e.found or e.arrived or not e.fixed or e.theory.edge or e.t.problem.stochastic or e.kinks or e.t.count < TAIL:
        return None
    p, quarter = e.reference, len(e.values) // 4
    if e.falls or not p.converged or e.values[-quarter:].mean() < p.value + 0.01 * abs(e.values[0] - p.value):
        return None
    top = spectrum(e.problem, p.last.x, until=time.perf_counter() + e.seconds(0.2)).top
    bound = (e.rule or Recurrence()).bound(top)
    if e.t.method in SCALED or not e.rate > bound:
        return None
    words = (
        f"f goes up and down and stays above {e.values[-quarter:].min():.4g}: at the minimum that is known, "
        f"{placed(e, p.last.x)} (f = {p.value:.4g}), λ_max = {top:.4g}, and the rate {e.rate:.4g} is "
        f"above {bound_words(e)} = {bound:.4g} there, so it can't come to rest in it"
    )
    numbers = {"rate": e.rate, "sharpness": top, "bound": bound, "x": p.last.x}
    changes = [{"rate": nice(bound / 2)}, {"rate": nice(bound / 4)}]
    return Finding("oscillation", words, numbers, **remedied(e, changes))


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
        f"average): {e.t.method} moves by about its rate {e.rate:.4g} however near the minimum is"
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
        f"{rate / bound:.4g} of {bound_words(e)} = {bound:.4g}"
    )
    words += _about_factor(e, factor, ratio, cycle)
    numbers = {"rate": rate, "sharpness": top, "bound": bound, "product": ratio, "turns": turns, "share": share}
    numbers |= {"factor": factor, "predicted": e.theory.predicted[i]}
    candidates = [{"rate": nice(bound / 2)}, {"rate": nice(bound / 4)}]
    best = e.end.complete and e.end.least > SINGULAR * e.end.top and e.t.method == "gradient descent"
    candidates += [{"rate": best_rate(e.end.values).rate}] if best else []
    kind = REMARK if e.arrived else TROUBLE
    return _remark_of_use(Finding("oscillation", words, numbers, **remedied(e, candidates), kind=kind))


def _remark_of_use(f: Finding) -> Finding | None:
    """Of a run that arrived it is told only where another would have been better."""
    return None if f.kind == REMARK and f.after is None else f


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
    if not (grid[k] < rule.momentum and found[k] < now**2 < 1):
        return None
    kind = REMARK if e.arrived or found[k] > now**4 else TROUBLE
    turn = np.angle(np.roots([1, -(1 + rule.momentum - rate * values[0]), rule.momentum])[0])
    period = 2 * math.pi / abs(turn) if turn and not rule.nesterov else math.nan
    pair = momentum_pair(values)
    words = (
        f"momentum {rule.momentum:.4g} is too high for {_of_values(values)}: it overshoots "
        f"and swings"
        + (f" with a period of {period:.3g} steps" if math.isfinite(period) else "")
        + f", and the error shrinks by {now:.4g} a step. At this rate momentum {grid[k]:.3g} gives {found[k]:.4g}; the "
        f"best pair is rate {pair.rate:.4g}, momentum {pair.momentum:.4g} ({pair.factor:.4g})"
    )
    numbers = {"momentum": rule.momentum, "factor": now, "best momentum": float(grid[k]), "best factor": found[k]}
    numbers |= {"period": period, "pair": pair}
    candidates = [{"momentum": round(float(grid[k]), 4)}, {"rate": pair.rate, "momentum": pair.momentum}]
    return _remark_of_use(Finding("momentum too high", words, numbers, **remedied(e, candidates), kind=kind))


def _of_values(values: np.ndarray) -> str:
    if values.size == 1:
        return f"this curvature ({values[0]:.4g})"
    return f"these eigenvalues ({values[0]:.4g} to {values[-1]:.4g})"


def edge(e: Evidence) -> Finding | None:
    if e.found or not e.theory.edge:
        return None
    late = e.theory.ratio[len(e.theory) // 2 :]
    first, last = e.theory.sharpness[0], e.theory.sharpness[-1]
    words = (
        f"the sharpness went from {first:.4g} to {last:.4g} and hovers where the rate {e.rate:.4g} is at its bound "
        f"{bound_words(e)} (rate over bound: median {np.median(late):.3g} in the second half). The loss is not "
        f"monotone and still falls, {e.values[len(e.values) // 2]:.4g} halfway, {e.t.value:.4g} at the end"
    )
    numbers = {"ratio": float(np.median(late)), "sharpness": last, "bound": 2 / e.rate, "rate": e.rate}
    return Finding("edge of stability", words, numbers, kind=VERDICT)


# ---------------------------------------------------------------- noise


def noise(e: Evidence) -> Finding | None:
    """Is the gradient smaller than its spread over mini-batches, and has the loss stopped to fall?"""
    if not e.t.problem.stochastic or e.found:
        return None
    scatter = _scatter(e)
    full = [e.problem.value(s.x) for s in spread(e.t.steps, 24)] + [e.t.value]
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
        + (
            f" (theory, for small rates and rows drawn independently: up to η·scatter²/4 = {floor:.3g})"
            if math.isfinite(floor)
            else ""
        )
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


__all__ = ["edge", "hovering", "noise", "oscillation", "too_much_momentum", "unsettled"]
