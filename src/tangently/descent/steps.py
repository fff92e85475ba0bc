"""What every method yields: a `Step` from one `Point` to the next, frozen, its arrays read-only.

The convention of all methods is xₖ₊₁ = xₖ + rate · direction. Whatever a method does to the gradient before it moves
(momentum, scaling, a solve with the Hessian) is in the direction; what a schedule or a line search chooses is the rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

NOTHING: Mapping[str, Any] = MappingProxyType({})
KEEP = 256 << 20  # bytes of vectors that a run keeps


class Point(NamedTuple):
    """A place, flat, with the value and the gradient there."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    norm: float  # ‖∇f‖, Euclidean

    @property
    def finite(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.norm)


class Step(NamedTuple):
    """One step of a method: from `x` along `direction` by `rate` to `next_x`. Vectors are flat and read-only.
    (A named tuple, as is Point: one of each is made in every step.)

    `notes` says what the method did besides: the radius of a trust region, the damping, how many trials a search took.

    >>> one = np.ones(1)
    >>> Step(0, one, 1.0, 2 * one, 2.0, -2 * one, 0.1, 0.2, 0.8 * one).next_x
    array([0.8])
    """

    k: int
    x: np.ndarray
    value: float
    gradient: np.ndarray
    norm: float
    direction: np.ndarray
    rate: float
    length: float  # ‖next_x − x‖
    next_x: np.ndarray
    notes: Mapping[str, Any] = NOTHING


def norm(v: np.ndarray) -> float:
    """‖v‖₂, also where the squares of the entries would overflow.

    >>> with np.errstate(over="ignore"):
    ...     print(f"{norm(np.array([3e200, 4e200])):.6g}")
    5e+200
    """
    found = math.sqrt(v.dot(v))
    if 1e-140 < found < math.inf or not v.size:
        return found
    largest = float(np.abs(v).max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = v / largest
    return largest * math.sqrt(scaled.dot(scaled))


def frozen(v: np.ndarray) -> np.ndarray:
    v.setflags(write=False)
    return v


def step_between(
    k: int, a: Point, direction: np.ndarray, rate: float, next_x: np.ndarray, notes: Any = NOTHING
) -> Step:
    """The step from a point along a direction, whose end is known."""
    direction.flags.writeable = next_x.flags.writeable = False
    return Step(k, a.x, a.value, a.gradient, a.norm, direction, rate, abs(rate) * norm(direction), next_x, notes)


__all__ = ["KEEP", "NOTHING", "Point", "Step", "frozen", "norm", "step_between"]
