"""How the rate changes with the step, and how a gradient is clipped.

A schedule is a frozen object that maps the step k = 0, 1, 2 … to a rate; closed forms, so that a run can be resumed
anywhere. With r₀ the rate, T the horizon: step decay r₀·γ^⌊k/n⌋; cosine r_min + (r₀ − r_min)(1 + cos(πk/T))/2
(Loshchilov & Hutter 2017); warm-up multiplies any of them by (k + 1)/w for the first w steps and then starts it.
The first three are what PyTorch's StepLR and CosineAnnealingLR give.

Clipping: by value, each entry to [−c, c]; by norm, the vector times c/‖g‖ where ‖g‖ > c (Pascanu et al. 2013).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tangently.descent.steps import norm
from tangently.errors import InputError

KINDS = ("constant", "step", "cosine")


@dataclass(frozen=True)
class Schedule:
    """A rate for each step.

    >>> [round(cosine(0.1, 4)(k), 4) for k in range(5)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    >>> [warm_up(constant(1.0), 4)(k) for k in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    kind: str
    rate: float
    horizon: int = 0  # steps of a cosine, or between two drops
    factor: float = 0.1
    floor: float = 0.0
    warm: int = 0

    def __call__(self, k: int) -> float:
        if k < self.warm:
            return self.rate * (k + 1) / self.warm
        return self.rate if self.kind == "constant" else self._after(k - self.warm)

    def _after(self, k: int) -> float:
        if self.kind == "step":
            return self.rate * self.factor ** (k // self.horizon)
        if self.kind == "cosine":
            share = min(k, self.horizon) / self.horizon
            return self.floor + (self.rate - self.floor) * (1 + math.cos(math.pi * share)) / 2
        return self.rate

    def record(self) -> dict[str, Any]:
        return asdict(self)


def constant(rate: float) -> Schedule:
    """The same rate always."""
    return Schedule("constant", checked_rate(rate))


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """The rate times `factor` after each `every` steps."""
    return Schedule("step", checked_rate(rate), _steps(every, "every"), factor)


def cosine(rate: float, steps: int, floor: float = 0.0) -> Schedule:
    """From the rate down to the floor along half a cosine."""
    return Schedule("cosine", checked_rate(rate), _steps(steps, "steps"), floor=floor)


def warm_up(schedule: Schedule, steps: int) -> Schedule:
    """Rise linearly for so many steps, then follow the schedule."""
    return replace(schedule, warm=_steps(steps, "steps"))


def _steps(n: Any, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"{what}={n!r}: a whole number of steps from 1 on was wanted")
    return n


def checked_rate(rate: Any, what: str = "rate") -> float:
    """A positive finite number."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 0 < rate < math.inf:
        raise InputError(
            f"{what}={rate!r}: a positive finite number was wanted (0.1, say)"
            + (": descent goes against the gradient already" if what == "rate" else "")
        )
    return float(rate)


def rates(rate: Any, schedule: Any, steps: int) -> Callable[[int], float]:
    """The rate as a function of the step, from what `minimize` was given: a number, a schedule, a function, a name."""
    if isinstance(rate, Mapping):  # of a saved run
        return Schedule(**rate)
    if callable(rate):
        return rate if isinstance(rate, Schedule) else lambda k: checked_rate(rate(k))
    if schedule is None or schedule == "constant":
        return constant(rate)
    if schedule == "cosine":
        return cosine(rate, steps)
    if schedule == "step":
        return step_decay(rate, max(1, steps // 3))
    if schedule == "warm-up":
        return warm_up(constant(rate), max(1, steps // 10))
    if callable(schedule):
        factor: Any = schedule
        return lambda k: checked_rate(rate) * factor(k)
    near = difflib.get_close_matches(str(schedule), [*KINDS, "warm-up"], 1)
    raise InputError(
        f"schedule={schedule!r}: {', '.join([*KINDS, 'warm-up'])} or a function of the step was wanted"
        + (f". Did you mean {near[0]!r}?" if near else "")
    )


Clip = Callable[[np.ndarray, float], np.ndarray]


def clipping(value: float | None, length: float | None) -> Clip | None:
    """How gradients are clipped: entry by entry, then by the norm (None: not at all).

    >>> clip = clipping(None, 1.0)
    >>> clip and clip(np.array([3.0, 4.0]), 5.0)
    array([0.6, 0.8])
    """
    for what, bound in (("clip", value), ("clip_norm", length)):
        if bound is not None and not bound > 0:
            raise InputError(f"{what}={bound!r}: a positive number was wanted")
    if value is None and length is None:
        return None

    def clip(g: np.ndarray, size: float) -> np.ndarray:
        if value is not None:
            g = np.clip(g, -value, value)
            size = norm(g)
        return g * (length / size) if length is not None and size > length else g

    return clip


__all__ = ["Schedule", "checked_rate", "clipping", "constant", "cosine", "rates", "step_decay", "warm_up"]
