"""What a search over a region is given: the function in numbers, and the box of its coordinates.

A region is (lo, hi) for one number, a pair for each number argument, or for each entry of one array argument, or a
dictionary of these by name. Ends may be written as text, "2*pi".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.descent.intervals import Box
from tangently.errors import InputError, ShapeError
from tangently.expr import Expr


@dataclass(frozen=True)
class Reading:
    """A function of the numbers xs on a box. `pack` gives them the shape of the arguments; `given` is what was given."""

    f: Expr
    xs: tuple[Expr, ...]
    names: tuple[str, ...]
    box: Box
    pack: Any
    given: Any
    single: bool  # one number argument
    notes: tuple[str, ...] = ()


def read_region(f: Any, region: Any) -> Reading:
    """The function and its box. Raises InputError where they do not fit.

    >>> found = read_region("x^2 + y", {"x": (0, 1), "y": (-1, 1)})
    >>> found.names, found.box
    (('x', 'y'), ((0.0, 1.0), (-1.0, 1.0)))
    """
    from tangently.smoothness.several import _callable, placed

    function, names = _callable(f)
    if not names:
        raise InputError("the function has no argument: there is nothing to search over")
    pairs = _by_argument(names, region)
    middle = {n: _generic(p) for n, p in pairs.items()}
    place = placed(f, middle, None)
    if place.shape != ():
        raise ShapeError(f"the function returned an array of shape {place.shape}; one number was wanted")
    box = tuple(tuple(map(float, row)) for p in pairs.values() for row in p.reshape(-1, 2))
    single = len(names) == 1 and next(iter(pairs.values())).ndim == 1
    return Reading(
        place.outputs[0], place.moving, tuple(str(x.name) for x in place.moving), box, place.pack,  # type: ignore[arg-type]
        function, single, place.notes,
    )  # fmt: skip


def _by_argument(names: Sequence[str], region: Any) -> dict[str, np.ndarray]:
    """For each argument its ends: one pair, or an array of pairs."""
    if isinstance(region, Mapping):
        if set(region) != set(names):
            raise InputError(f"the region names {', '.join(map(str, region))}; the function takes {', '.join(names)}")
        return {n: _pairs(region[n], n) for n in names}
    whole = _pairs(region, "the region")
    if len(names) == 1:
        return {names[0]: whole}
    if whole.shape != (len(names), 2):
        raise InputError(
            f"got a region of shape {whole.shape}; the function takes {', '.join(names)}: "
            f"{len(names)} pairs (lo, hi) were wanted"
        )
    return dict(zip(names, whole))


def _pairs(given: Any, what: str) -> np.ndarray:
    """Numbers with a last axis of two ends each, the smaller first."""
    found = np.array(_numbers(given, what), float)
    if found.ndim == 0 or found.shape[-1] != 2:
        raise InputError(f"got {given!r} for {what}; wanted (lo, hi), or such a pair for every number")
    if not (found[..., 0] < found[..., 1]).all():
        raise InputError(f"got {given!r} for {what}; wanted lo < hi in every pair")
    return found


def _numbers(given: Any, what: str) -> Any:
    from tangently.smoothness.reading import place

    if isinstance(given, (tuple, list, np.ndarray)):
        found = [_numbers(g, what) for g in given]
        if len({np.shape(f) for f in found}) > 1:
            raise InputError(f"got {given!r} for {what}; wanted pairs (lo, hi), all alike")
        return found
    return place(given).at


def _generic(pairs: np.ndarray) -> Any:
    """A point inside that is on no symmetry of the function."""
    if not np.isfinite(pairs).all():
        pairs = np.clip(pairs, -1e3, 1e3)
    shares = 0.5857 + 0.031 * np.arange(pairs[..., 0].size).reshape(pairs[..., 0].shape) % 0.4
    found = pairs[..., 0] + (pairs[..., 1] - pairs[..., 0]) * shares
    return float(found) if found.ndim == 0 else found


def finite(reading: Reading) -> None:
    """Raises InputError for a region without end."""
    if not all(math.isfinite(v) for side in reading.box for v in side):
        raise InputError(f"got the region {reading.box}; wanted finite ends: a search needs a bounded box")


__all__ = ["Reading", "finite", "read_region"]
