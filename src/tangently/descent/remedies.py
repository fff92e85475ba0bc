"""Remedies: changes of the settings of a run, tried by running it again from the same start; and the words for them.

The best of some candidates is kept, and only where it ends lower than the run that is diagnosed (or as low in fewer
steps). It has as many steps as that run had, at least 50 and at most `BUDGET`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent.evidence import Evidence, minimized, restarted
from tangently.descent.theory import Recurrence
from tangently.errors import TangentlyError

if TYPE_CHECKING:
    from tangently.descent.trajectory import Trajectory

BUDGET = 3000  # steps of a run that verifies a remedy, at most
Change = Mapping[str, Any]


def changed(t: Trajectory, change: Change) -> dict[str, Any]:
    """The settings of a run with a change; another method brings its own parameters and rate."""
    base = {k: v for k, v in t.settings.items() if k not in ("steps", "seconds", "evaluations", "below")}
    if change.get("method", t.method) != t.method:
        base = {k: v for k, v in base.items() if k in ("tolerance", "relative_step", "seed")}
    if "rate" in change:
        base.pop("schedule", None)
    steps = min(max(t.count, 50), BUDGET)
    return {**base, "steps": steps, **{k: v for k, v in change.items() if k != "start"}}


def rerun(e: Evidence, change: Change) -> Trajectory | None:
    """The run with a change, from the same start unless the change names one."""
    problem = e.problem
    if "start" in change:
        problem = restarted(problem, problem.flat(change["start"]))
    try:
        return minimized(problem, changed(e.t, change))
    except (TangentlyError, ArithmeticError, np.linalg.LinAlgError):  # a candidate that can't be run is no remedy
        return None


def remedied(e: Evidence, candidates: Sequence[Change], first: bool = False) -> dict[str, Any]:
    """remedy, after and verified of a finding: the best of the candidates, or the first one that is better."""
    runs: list[tuple[Change, Trajectory]] = []
    for c in candidates:
        found = rerun(e, c)
        if found is not None and math.isfinite(found.value):
            runs.append((c, found))
            if first and better(e, found):
                break
    if not runs:
        return {"verified": "no remedy could be run"} if candidates else {}
    change, after = runs[-1] if first and better(e, runs[-1][1]) else min(runs, key=_rank)
    if not better(e, after):
        tried = "; ".join(f"{_named(c)}: f = {r.value:.4g} after {plural(r.count)}{_cut(r)}" for c, r in runs)
        return {"verified": f"tried, and no better than f = {e.t.value:.4g}: {tried}"}
    return {"remedy": dict(change), "after": after, "verified": compared(e, change, after)}


def _rank(pair: tuple[Change, Trajectory]) -> tuple[float, int]:
    return pair[1].value, pair[1].count


def better(e: Evidence, after: Trajectory) -> bool:
    """A lower value, or (to rounding) the same one in fewer steps."""
    before = e.t.value
    if not math.isfinite(before):
        return True
    noise = 1e-14 * max(abs(before), abs(e.values[0]), 1e-300)
    return after.value < before - noise or (after.value <= before + noise and after.count < 0.8 * e.t.count)


def compared(e: Evidence, change: Change, after: Trajectory) -> str:
    old = {k: e.t.settings.get(k) for k in change}
    instead = ", ".join(f"{k} {_shown(v)}" for k, v in old.items() if v is not None and k != "method")
    instead = ", ".join(filter(None, [e.t.method if change.get("method", e.t.method) != e.t.method else "", instead]))
    return (
        f"with {_named(change)}" + (f" instead of {instead}" if instead else "")
        + f": f = {after.value:.4g} after {plural(after.count)} instead of {e.t.value:.4g} after {plural(e.t.count)}"
        + _cut(after)
    )  # fmt: skip


def _cut(after: Trajectory) -> str:
    """Was the run cut short by the clock?"""
    return f" ({after.reason})" if after.reason.endswith("seconds were over") else ""


def _named(change: Change) -> str:
    return ", ".join(f"{k} {_shown(v)}" if k != "method" else str(v) for k, v in change.items())


def _shown(v: Any) -> str:
    if isinstance(v, Mapping):
        return "(" + ", ".join(f"{k}: {_shown(w)}" for k, w in list(v.items())[:4]) + ")"
    if isinstance(v, (tuple, list)):
        return "(" + ", ".join(_shown(w) for w in v[:4]) + (", …" if len(v) > 4 else "") + ")"
    if isinstance(v, np.ndarray):
        return np.array2string(v, precision=4, threshold=6, separator=", ")
    return f"{v:.4g}" if isinstance(v, float) else str(v)


def plural(n: int) -> str:
    return f"{n} step" if n == 1 else f"{n} steps"


def direction_words(v: np.ndarray, labels: Sequence[str], most: int = 4) -> str:
    """A direction by the names of the arguments: x 0.71, y −0.71."""
    order = [i for i in np.argsort(-np.abs(v)) if abs(v[i]) >= 0.01 * np.abs(v).max()]
    shown = ", ".join(f"{labels[i]} {v[i]:+.3g}" for i in order[:most]).replace("-", "−")
    return f"({shown}{', …' if len(order) > most else ''})"


def place_words(x: np.ndarray, labels: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(f"{n} = {v:.6g}" for n, v in zip(labels[:most], x))
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
    "BUDGET", "Change", "better", "bound_words", "changed", "direction_words", "nice", "place_words", "plural", "remedied",
    "rerun", "safe_rates",
]  # fmt: skip
