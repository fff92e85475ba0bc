"""Where a run stands: at a minimum, at a saddle, on a plateau, astride a kink, or still on its way."""

from __future__ import annotations

import math

import numpy as np

from tangently.descent.evidence import CLOSE, SINGULAR, TAIL, Evidence, Kink, Nearby, lower_around
from tangently.descent.findings import FIRST, REMARK, TROUBLE, VERDICT, Finding
from tangently.descent.remedies import BUDGET, Change, direction_words, nice, placed, remedied
from tangently.descent.steps import norm
from tangently.descent.theory import SMALL, Spectrum, condition_number, option
from tangently.descent.trajectory import near_one

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
        f"{jump:.4g}, however short the step"
        + (f"; at a fixed rate it stays about {reach:.3g} away from the kink" if e.fixed else "")
    )
    numbers = {"crossings": len(e.kinks), "jump": jump, "rows": rows, "reach": reach}
    found = remedied(e, _smaller_steps(e))
    after = found.get("after")
    much = after is not None and e.t.value - after.value > 1e-3 * abs(e.values[0] - e.t.value)
    return Finding("non-smooth zigzag", words, numbers, **found, kind=TROUBLE if much else VERDICT)


def _smaller_steps(e: Evidence) -> list[Change]:
    """Rates that go to 0; of a search, which stalls at a kink, a rate that crosses the way it came in a few steps."""
    if e.t.method in FIRST and e.fixed:
        tenth = nice(e.rate / 10)
        return [{"schedule": "cosine"}, {"rate": tenth}, {"rate": tenth, "schedule": "cosine"}]
    rates = [nice(part * e.length / e.norms.max()) for part in (0.3, 0.03)]
    return [{"method": "gradient descent", "rate": r, "schedule": "cosine"} for r in rates]


def _broken(e: Evidence, k: Kink) -> list[str]:
    """The rows that break between the two sides of a kink, as text; those that the graph tells."""
    from tangently.derivatives import value
    from tangently.descent.fields import breaks_of
    from tangently.expr import evaluate
    from tangently.printing import to_text

    recording, beyond = (e.problem.traced(x, value())[0] for x in (k.x, k.beyond))
    found = breaks_of(recording.outputs[0])
    us = [b.u for b in found]
    at = [
        evaluate(
            us, {i: r.trace.values[j] for i, j in zip(recording.inputs, r.inputs) if i is not None and j is not None}
        )
        for r in (recording, beyond)
    ]
    return [
        to_text(b.node, {n: s for n, s in recording.names.items() if n is not b.node})
        for b, u, w in zip(found, *at) if b.which == "zero" and np.any(np.sign(u) != np.sign(w))
    ]  # fmt: skip


def saddle(e: Evidence) -> Finding | None:
    """A stationary point close by with directions in which f falls."""
    p = e.close
    if not e.found and e.problem.size > SMALL and e.settled and e.bends_down:
        return _saddle_large(e)
    if e.found or p is None or e.kind_of(p.spectrum) not in ("saddle", "maximum") or not _slow(e):
        return None
    kind, v = e.kind_of(p.spectrum), p.spectrum.vectors[:, 0]
    v = v if v[int(np.argmax(np.abs(v)))] > 0 else -v
    least = float(p.spectrum.values[0])
    grows = f", at this rate by {abs(1 - e.rate * least):.4g} a step" if e.t.method == "gradient descent" else ""
    words = (
        f"it is {_far(e, p)} a {kind} at {placed(e, p.x)}: {_signs(e, p.spectrum)}. f falls along "
        f"{direction_words(v, e.t.labels)}, λ = "
        f"{least:.4g}{grows}"
    )
    numbers = {"kind": kind, "x": p.x, "direction": v, "eigenvalue": least, "distance": p.distance, "value": p.value}
    return Finding(kind, words, numbers, **remedied(e, _escapes(e, p.x, v), first=True))


def _saddle_large(e: Evidence) -> Finding:
    least, v = e.least
    words = (
        f"‖∇f‖ = {e.here.norm:.3g}, and f bends down along {direction_words(v, e.t.labels)}, λ = {least:.4g} (by "
        f"Lanczos; the largest is {e.end.top:.4g}): no minimum, a saddle as far as is told"
    )
    numbers = {"kind": "saddle", "direction": v, "eigenvalue": least, "norm": e.here.norm}
    return Finding("saddle", words, numbers, **remedied(e, _escapes(e, e.here.x, v), first=True))


def _escapes(e: Evidence, x: np.ndarray, v: np.ndarray) -> list[Change]:
    start = e.problem.pack(x + 1e-2 * e.length * v)
    return [{"start": start}, {"start": start, "method": "trust region"}]


def _signs(e: Evidence, s: Spectrum) -> str:
    """The inertia of a Hessian that has a negative eigenvalue."""
    n, tiny = s.values.size, SINGULAR * e.curvature
    below, above = int((s.values < -tiny).sum()), int((s.values > tiny).sum())
    if n == 1:
        return "the second derivative is negative"
    if below == n:
        return f"all {n} eigenvalues of the Hessian are negative"
    rest = f", {n - below - above} can't be told from 0" if below + above < n else ""
    return f"of {n} eigenvalues of the Hessian {below} {'is' if below == 1 else 'are'} negative, {above} positive{rest}"


def _far(e: Evidence, p: Nearby) -> str:
    return "at" if p.distance < 1e-9 * e.length else f"{p.distance:.3g} away from"


def _slow(e: Evidence) -> bool:
    """Is ‖∇f‖ small against what it was, or small enough to have stopped?"""
    return e.settled or e.t.count == 0 or bool(e.here.norm <= 1e-2 * e.norms.max())


def stopped_early(e: Evidence) -> Finding | None:
    """It stopped at its tolerance, in a bowl whose bottom is far away."""
    p = e.nearby
    if e.found or not e.settled or e.close is not None or p is None or not _in_the_bowl_of(e, p):
        return None
    words = (
        f"it stopped because {e.t.reason}, but that is not small for this f: Newton's steps lead to a minimum at "
        f"{placed(e, p.x)}, {p.distance:.3g} away, where f is {p.value:.4g} instead of {e.t.value:.4g}"
    )
    tolerance, tighter = e.t.settings.get("tolerance", 1e-6), nice(1e-6 * e.here.norm)
    numbers = {"tolerance": tolerance, "norm": e.here.norm, "distance": p.distance, "x": p.x}
    changes = [{"tolerance": tighter}, {"tolerance": tighter, "method": "trust region"}]
    return Finding("tolerance too large", words, numbers, **remedied(e, changes, first=True))


def _in_the_bowl_of(e: Evidence, p: Nearby) -> bool:
    """Does f bend up in all directions here, and at that minimum?"""
    return e.end.least > SINGULAR * e.curvature and e.kind_of(p.spectrum) == "minimum"


def plateau(e: Evidence) -> Finding | None:
    """A small gradient, tiny curvature, and nothing stationary nearby."""
    if e.found or e.t.problem.stochastic or e.broke or not e.here.finite:
        return None
    if e.here.norm == 0 and e.close is not None:
        return _flat(e)
    if e.arrived or e.kinks or e.close is not None or not _creeps(e):
        return None
    if e.heads_for_flat or (e.nearby is not None and _in_the_bowl_of(e, e.nearby)):
        return None
    drop = float(e.values[-2] - e.values[-1]) if e.t.count else e.rate * e.here.norm**2
    top = e.end.top
    numbers = {"norm": e.here.norm, "sharpness": top, "drop": drop, "rate": e.rate}
    asked = f" (it stopped because {e.t.reason})" if e.settled else ""
    looked = "yet Newton's steps lead to no stationary point nearby, and " if e.problem.size <= SMALL else ""
    words = f"‖∇f‖ = {e.here.norm:.3g} is small, {looked}λ_max = {top:.3g}{asked}"
    if drop > 0:
        tenth = 0.1 * (e.gap or abs(e.t.value)) / drop
        numbers["steps"] = tenth
        aim = f"a tenth of the way down to the best value known, {e.t.value - e.gap:.4g}," if e.gap else "a tenth of f"
        words += f". At this speed, {drop:.3g} a step, {aim} takes about {tenth:.2g} more steps"
    return Finding("plateau", words, numbers, **remedied(e, _off_a_plateau(e)))


def _off_a_plateau(e: Evidence) -> list[Change]:
    strict = {"tolerance": 1e-3 * e.here.norm} if e.settled and e.here.norm else {}
    faster = [{**strict, "rate": nice(e.rate * 10.0**j)} for j in (2, 4, 6)] if e.fixed else []
    return [*faster, {**strict, "method": "Adam", "rate": nice(0.1 * e.length)}, {**strict, "method": "trust region"}]


def _creeps(e: Evidence) -> bool:
    """Is the speed such that nothing will come of it, though there is somewhere to go? (No unit of x or f matters.)"""
    if e.settled or e.t.count == 0:
        return e.settled
    drop = e.values[len(e.values) // 2] - e.values[-1]
    across = e.here.norm * max(e.length, norm(e.here.x))  # what the slope promises over the size of x
    return bool(across <= 0.01 * e.gap and 0 <= drop < 0.05 * e.gap)


def _flat(e: Evidence) -> Finding | None:
    """The gradient is exactly zero: look around for lower values."""
    if e.kind_of(e.end) != "degenerate":
        return None
    directions = np.vstack([np.eye(e.problem.size)[: 2 * TAIL], random_directions(e.problem.size, 8)])
    if not np.any(e.end.values) and _in_pieces(e, directions):
        return _stepwise(e)
    lower = lower_around(e.problem, e.here, directions, e.length, abs(float(e.values[0])))
    if lower is None:
        return _level(e, directions)
    x, value = lower
    far = norm(x - e.here.x)
    if far <= CLOSE * e.length:
        return None
    words = (
        f"the gradient is exactly zero, and the Hessian can't be told from zero in {_zeros(e)} of {e.problem.size} "
        f"directions: no method that looks at derivatives alone moves from here. f is lower, {value:.4g}, {far:.3g} "
        f"away, at {placed(e, x)}"
    )
    start = e.problem.pack(x)
    changes = [{"start": start}, {"start": start, "method": "trust region"}]
    numbers = {"norm": 0.0, "lower": value, "distance": far}
    return Finding("plateau", words, numbers, **remedied(e, changes, first=True))


def _in_pieces(e: Evidence, directions: np.ndarray) -> bool:
    """Is the gradient exactly zero wherever it is looked at, though f is not one number?"""
    seen = [
        e.problem.value_and_gradient(e.here.x + far * e.length * d) for d in directions for far in (0.01, 1.0, 100.0)
    ]
    return not any(np.any(g) for _, g in seen) and len({v for v, _ in seen}) > 1


def _stepwise(e: Evidence) -> Finding:
    words = (
        "the gradient is exactly zero here and wherever else it was looked at, and yet f is not constant: it is a step "
        "function, and no method that uses derivatives can move on it. Descend on a smooth surrogate: tg.surrogate"
    )
    return Finding("plateau", words, {"norm": 0.0})


def random_directions(n: int, count: int) -> np.ndarray:
    """Unit vectors, one a row, always the same ones."""
    found = np.random.default_rng(0).normal(size=(count, n))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _level(e: Evidence, directions: np.ndarray) -> Finding | None:
    """f is one number all around here, and another further away: dead units, saturation that rounds to a constant."""
    around = lambda far: [e.problem.value(e.here.x + s * far * d) for d in directions for s in (1, -1)]
    if np.any(e.end.values) or set(around(1e-3 * e.length)) != {e.here.value}:
        return None
    if all(v == e.here.value for far in (1, 100, 1e4) for v in around(far * e.length)):
        return None  # a constant, as far as is told
    elsewhere = [e.problem.pack(0.5 * v * math.sqrt(e.problem.size)) for v in random_directions(e.problem.size, 3)]
    found = remedied(e, [{"start": x} for x in elsewhere], first=True)
    if "after" not in found or found["after"].value >= e.t.value:
        return None  # nothing lower is known: it may well be the minimum of a hinge
    words = (
        f"f is constant around here, {e.here.value:.4g} wherever it was looked at nearby: every derivative is 0, so no "
        "method moves, and yet this is no minimum. Units may be dead or saturated (a max(0, ·) whose argument is "
        "nowhere positive). Start elsewhere"
    )
    return Finding("plateau", words, {"norm": 0.0}, **found)


def _zeros(e: Evidence) -> int:
    return int((np.abs(e.end.values) <= SINGULAR * e.curvature).sum())


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
    words = f"at a minimum: {_all_positive(p.spectrum)}, and Newton's steps {_lead(e, p)}. {_at_floor(e, p)}{_speed(e)}"
    numbers = {"kind": "minimum", "x": p.x, "value": p.value, "distance": p.distance, "eigenvalues": p.spectrum.values}
    numbers |= {"condition": kappa, "norm": e.here.norm, "at floor": _floor(e, p)}
    return Finding("converged", words.rstrip(), numbers, kind=VERDICT)


def _lead(e: Evidence, p: Nearby) -> str:
    if p.distance <= 1e-14 * e.length:
        return f"stay here, at {placed(e, p.x)}"
    return f"lead to {placed(e, p.x)}, {p.distance:.2g} away"


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
    low, known = e.least[0], math.isfinite(e.least[0])
    ends = f"the least eigenvalue of the Hessian, by Lanczos, is {low:.4g}, the largest {e.end.top:.4g}"
    words = f"‖∇f‖ = {e.here.norm:.3g}, and {ends}: a minimum, as far as Lanczos tells"
    if not known:
        words = (
            f"‖∇f‖ = {e.here.norm:.3g}: it stopped because {e.t.reason}. Lanczos' method did not settle on the least "
            f"of {e.problem.size} eigenvalues of the Hessian, so whether it is a minimum is open"
        )
    numbers = {"kind": "minimum" if known else "unknown", "least": low, "sharpness": e.end.top, "norm": e.here.norm}
    return Finding("converged", words, numbers, kind=VERDICT)


def _degenerate(e: Evidence, p: Nearby) -> Finding:
    null = p.spectrum.vectors[:, np.abs(p.spectrum.values) <= SINGULAR * e.curvature].T
    directions = np.vstack([null, random_directions(len(null), 24) @ null])
    here = e.problem.point(p.x)
    lower = lower_around(e.problem, here, directions, e.length, abs(float(e.values[0])))
    head = (
        f"at a degenerate point, {placed(e, p.x)}: {len(null)} of {e.problem.size} eigenvalues of the "
        "Hessian can't be told from 0, so the second derivatives don't decide its kind. "
    )
    numbers = {"x": p.x, "zero eigenvalues": len(null), "eigenvalues": p.spectrum.values, "norm": e.here.norm}
    if lower is None:
        words = head + f"{len(directions) * 2} directions were followed, and f is nowhere lower: it may be a minimum"
        return Finding("converged", words, {"kind": "degenerate", **numbers}, kind=VERDICT)
    x, value = lower
    words = head + f"It is no global minimum: f = {value:.4g} at {placed(e, x)}, {norm(x - p.x):.3g} away"
    numbers |= {"kind": "degenerate", "lower": value, "direction": (x - p.x) / norm(x - p.x)}
    start = e.problem.pack(x)
    changes = [{"start": start}, {"start": start, "method": "trust region"}]
    return Finding("degenerate point", words, numbers, **remedied(e, changes, first=True))


def descending(e: Evidence) -> Finding | None:
    """Nothing is wrong, but it is not there yet."""
    if e.arrived or any(f.kind != REMARK for f in e.found.values()):
        return None
    if e.t.ending == "below":
        return _as_asked(e)
    if e.t.count == 0:
        return _not_begun(e)
    if e.t.problem.stochastic:
        return _descending_noisily(e)
    if e.t.ending == "no further":
        return _stuck(e)
    if not e.falls:
        words = (
            f"it has not arrived at a minimum ({e.t.reason}), f does not fall any more, and why can't be decided: "
            f"‖∇f‖ = {e.here.norm:.3g}, λ_max = {e.end.top:.4g}"
        )
        others = [{"method": "L-BFGS"}] if e.t.method in FIRST else []
        return Finding("undecided", words, {"norm": e.here.norm, "sharpness": e.end.top}, **remedied(e, others))
    return _unfinished(e)


def _as_asked(e: Evidence) -> Finding:
    words = f"it stopped as it was asked to: {e.t.reason}. ‖∇f‖ = {e.here.norm:.3g} there: no minimum yet"
    return Finding("still descending", words, {"norm": e.here.norm}, kind=VERDICT)


def held(e: Evidence) -> Finding | None:
    """Weight decay and the gradient pull against each other, and nothing moves any more."""
    decay = 0.0 if not e.t.steps or e.t.method not in FIRST else float(option(e.t, "weight_decay") or 0.0)
    pull = decay * norm(e.here.x)
    if e.found or not pull or e.arrived or not norm(e.t.steps[-1].direction) <= 0.01 * pull:
        return None
    words = (
        f"weight decay {decay:g} holds it at {placed(e, e.here.x)}, where its pull {decay:g}·‖x‖ = "
        f"{pull:.3g} and that of the gradient cancel (the last step is {e.lengths[-1]:.2g} long). It has arrived where "
        f"it was sent: that is no minimum of f alone, ‖∇f‖ = {e.here.norm:.3g}"
    )
    return Finding("weight decay", words, {"decay": decay, "pull": pull, "norm": e.here.norm}, kind=VERDICT)


def _stuck(e: Evidence) -> Finding:
    """The method found no step that lowers f: an end, if the gradient has become small."""
    part = e.here.norm / e.norms.max()
    words = f"{e.t.reason} ‖∇f‖ is {part:.2g} of the largest on the way; whether this is a minimum can't be decided"
    others = [{"method": m} for m in ("trust region", "L-BFGS") if m != e.t.method] if part > 1e-4 else []
    kind = VERDICT if part <= 1e-4 else TROUBLE
    return Finding("undecided", words, {"norm": e.here.norm, "part": part}, **remedied(e, others), kind=kind)


def _not_begun(e: Evidence) -> Finding:
    words = f"no step was taken ({e.t.reason}); ‖∇f‖ = {e.here.norm:.3g} there, and there is nothing else to judge by"
    if e.t.settings.get("steps") == 0 or e.here.norm == 0:
        return Finding("undecided", words, {"norm": e.here.norm}, kind=VERDICT)
    others = [{"method": m} for m in ("trust region", "L-BFGS") if m != e.t.method]
    return Finding("undecided", words, {"norm": e.here.norm}, **remedied(e, others))


def _unfinished(e: Evidence) -> Finding:
    factor, tolerance = e.late_factor, e.t.settings.get("tolerance", 1e-6)
    known = 0 < factor < 1 and e.steady and e.here.norm > tolerance > 0
    more = math.log(tolerance / e.here.norm) / math.log(factor) if known else math.nan
    words = f"it still descends: ‖∇f‖ = {e.here.norm:.3g}, the last step {_moved(e)}"
    words += f" ({e.t.reason})" if e.t.ending not in ("steps", "") else ""
    if math.isfinite(more):
        words += (
            f". At the measured factor {near_one(factor)} a step about {more:.3g} more steps reach ‖∇f‖ ≤ {tolerance:g}"
        )
    steps = min(BUDGET, math.ceil(e.t.count + 1.2 * more) if math.isfinite(more) else 4 * e.t.count)
    numbers = {"norm": e.here.norm, "factor": factor, "more steps": more}
    return Finding(
        "still descending", words, numbers, **remedied(e, [{"steps": max(steps, e.t.count + 10)}]), kind=VERDICT
    )


def _moved(e: Evidence) -> str:
    drop = e.values[-2] - e.values[-1]
    return f"{'lowered' if drop >= 0 else 'raised'} f by {abs(drop):.3g}"


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
        f"Newton's own step would go to a saddle or a maximum; it was {how}"
    )
    return Finding("negative curvature", words, {"steps": len(bent), "least": worst}, kind=REMARK)


__all__ = ["converged", "descending", "held", "kinked", "negative_curvature", "plateau", "saddle", "stopped_early"]
