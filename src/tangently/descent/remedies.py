"""Remedies: changes of the settings of a run, tried by running it again from the same start; and the words for them.

The best of some candidates is kept, and only where it ends lower than the run that is diagnosed (or as low in fewer
steps). It has as many steps as that run had, at least 50 and at most `BUDGET`. More steps are no new run: the old one
is resumed, unless its rates follow a schedule, which would end otherwise.

Candidates share the time that is left. One that the clock cuts short is compared with where the run was after as many
steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tangently.descent.evidence import Evidence, minimized, restarted
from tangently.descent.theory import Recurrence
from tangently.descent.trajectory import Trajectory, counted
from tangently.errors import TangentlyError

BOUNDS = ("steps", "seconds", "evaluations", "below")  # of a run, that its remedy does not take over
BUDGET = 3000  # steps of a run that verifies a remedy, at most
Change = Mapping[str, Any]


def changed(t: Trajectory, change: Change) -> dict[str, Any]:
    """The settings of a run with a change; another method brings its own parameters and rate."""
    base = {k: v for k, v in t.settings.items() if k not in BOUNDS}
    if change.get("method", t.method) != t.method:
        base = {k: v for k, v in base.items() if k in ("tolerance", "relative_step", "seed")}
    if "rate" in change:
        base.pop("schedule", None)
    steps = change.get("steps", min(max(t.count, 50), BUDGET))
    if isinstance(base.get("rate"), Mapping):  # a schedule is as long as the run
        base["rate"] = _stretched(base["rate"], steps / max(1, t.count))
    return {**base, "steps": steps, **{k: v for k, v in change.items() if k != "start"}}


def _stretched(schedule: Mapping[str, Any], factor: float) -> dict[str, Any]:
    return {**schedule, **{k: math.ceil(factor * schedule[k]) for k in ("horizon", "warm")}}


def rerun(e: Evidence, change: Change, seconds: float) -> Trajectory | None:
    """The run with a change, from the same start unless the change names one."""
    problem = e.problem
    if "start" in change:
        problem = restarted(problem, problem.flat(change["start"]))
    try:
        if set(change) == {"steps"} and _resumable(e.t):
            return _continued(e, change["steps"] - e.t.count, seconds)
        return minimized(problem, {**changed(e.t, change), "seconds": seconds})
    except (TangentlyError, ArithmeticError, np.linalg.LinAlgError):  # a candidate that can't be run is no remedy
        return None


def _resumable(t: Trajectory) -> bool:
    steady = "schedule" not in t.settings and isinstance(t.settings.get("rate", 1.0), (int, float))
    return t.state is not None and steady


def _continued(e: Evidence, steps: int, seconds: float) -> Trajectory:
    """The same run with more steps, from where it stopped; the run that is diagnosed is left as it was."""
    t = replace(e.t, problem=restarted(e.t.problem))
    return t.resume(steps, evaluations=None, below=None, seconds=seconds)


def remedied(e: Evidence, candidates: Sequence[Change], first: bool = False) -> dict[str, Any]:
    """remedy, after and verified of a finding: the best of the candidates, or the first one that is better."""
    runs: list[tuple[Change, Trajectory]] = []
    for k, c in enumerate(candidates):
        found = rerun(e, c, e.seconds(1 / (len(candidates) - k)))
        if found is not None and math.isfinite(found.value):
            runs.append((c, found))
            if first and better(e, found):
                break
    if not runs:
        return {"verified": "no remedy could be run"} if candidates else {}
    change, after = runs[-1] if first and better(e, runs[-1][1]) else min(runs, key=lambda pair: _rank(e, pair[1]))
    if not better(e, after):
        tried = "; ".join(f"{_named(c)}: f = {r.value:.4g} after {counted(r.count, 'step')}{_cut(r)}" for c, r in runs)
        return {"verified": f"tried, and no better than f = {e.t.value:.4g}: {tried}"}
    return {"remedy": dict(change), "after": after, "verified": compared(e, change, after)}


def _rank(e: Evidence, after: Trajectory) -> tuple[float, float, int]:
    """The lowest first; of those that the clock cut, the one that is lowest against the run at its own length."""
    cut = after.ending == "seconds"
    return after.value - (reached(e, after) - e.t.value if cut else 0.0), after.value, after.count


def reached(e: Evidence, after: Trajectory) -> float:
    """What the run is compared with: its end, or where it was after as many steps as the clock gave the other one."""
    early = after.ending == "seconds" and after.count < e.t.count and not e.t.problem.stochastic
    return float(e.values[after.count]) if early else e.t.value


def better(e: Evidence, after: Trajectory) -> bool:
    """A lower value, or (to rounding) the same one in fewer steps."""
    before = reached(e, after)
    if not math.isfinite(before):
        return True
    noise = 1e-14 * max(abs(before), abs(e.values[0]), 1e-300)
    return after.value < before - noise or (after.value <= before + noise and after.count < 0.8 * e.t.count)


def compared(e: Evidence, change: Change, after: Trajectory) -> str:
    old = {k: e.t.settings.get(k) for k in change}
    instead = ", ".join(f"{k} {_shown(v)}" for k, v in old.items() if v is not None and k != "method")
    instead = ", ".join(filter(None, [e.t.method if change.get("method", e.t.method) != e.t.method else "", instead]))
    before, count = reached(e, after), e.t.count if reached(e, after) == e.t.value else after.count
    now, then = told_apart(after.value, before)
    return (
        f"with {_named(change)}" + (f" instead of {instead}" if instead else "")
        + f": f = {now} after {counted(after.count, 'step')} instead of {then} after {counted(count, 'step')}"
        + _cut(after)
    )  # fmt: skip


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with four digits, or as many as show that they differ.

    >>> told_apart(0.1, 0.25), told_apart(0.1000001, 0.1)
    (('0.1', '0.25'), ('0.1000001', '0.1'))
    """
    digits = next((d for d in range(4, 17) if a == b or f"{a:.{d}g}" != f"{b:.{d}g}"), 17)
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def _cut(after: Trajectory) -> str:
    """Was the run cut short by the clock?"""
    return " (as far as the time of a diagnosis allowed)" if after.ending == "seconds" else ""


def _named(change: Change) -> str:
    return ", ".join(f"{k} {_shown(v)}" if k != "method" else str(v) for k, v in change.items())


def _shown(v: Any) -> str:
    if isinstance(v, Mapping):
        return "(" + ", ".join(f"{k}: {_shown(w)}" for k, w in list(v.items())[:4]) + ")"
    if isinstance(v, (tuple, list)):
        return "(" + ", ".join(_shown(w) for w in v[:4]) + (", …" if len(v) > 4 else "") + ")"
    if isinstance(v, np.ndarray):
        shown = ", ".join(f"{w:.4g}" for w in v.ravel()[:4]) + (f", … {v.size} numbers" if v.size > 4 else "")
        return f"({shown})" if v.ndim else f"{float(v):.4g}"
    return f"{v:.4g}" if isinstance(v, float) else str(v)


def direction_words(v: np.ndarray, labels: Sequence[str], most: int = 4) -> str:
    """A direction by the names of the arguments: x 0.71, y −0.71."""
    order = [i for i in np.argsort(-np.abs(v)) if abs(v[i]) >= 0.01 * np.abs(v).max()]
    shown = ", ".join(f"{labels[i]} {v[i]:+.3g}" for i in order[:most]).replace("-", "−")
    return f"({shown}{', …' if len(order) > most else ''})"


def placed(e: Evidence, x: np.ndarray, most: int = 4) -> str:
    """A place by the names of the arguments; what is rounding against the length of the run is a zero."""
    shown = ", ".join(f"{n} = {v:.6g}" for n, v in zip(e.t.labels[:most], np.where(abs(x) > 1e-13 * e.length, x, 0.0)))
    return shown + (f" … ({x.size} numbers)" if x.size > most else "")


def bound_words(e: Evidence) -> str:
    rule = e.rule or Recurrence()
    name = "λ_max(P⁻¹H)" if rule.scaled else "λ_max"
    if not rule.momentum:
        return f"2/{name}"
    if rule.scaled:
        return f"{2 * (1 + rule.momentum) / rule.gain:.3g}/{name}"
    return f"2(1 + β)/((1 + 2β){name})" if rule.nesterov else f"2(1 + β)/{name}"


def nice(rate: float) -> float:
    """Two digits, rounded down."""
    if not 0 < rate < math.inf:
        return rate
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return float(f"{math.floor(rate / unit * (1 + 1e-12)) * unit:.2g}")


def safe_rates(e: Evidence, bounds: Sequence[float]) -> list[Change]:
    """Half of the least bound of stability met, then less."""
    low = min([b for b in bounds if 0 < b < math.inf], default=e.rate / 5)
    first = nice(min(low / 2, e.rate / 2))
    return [{"rate": first}, {"rate": nice(first / 10)}, {"rate": nice(first / 100)}]


__all__ = [
    "BUDGET", "Change", "better", "bound_words", "changed", "direction_words", "nice", "placed",
    "reached", "remedied", "rerun", "safe_rates", "told_apart",
]  # fmt: skip
