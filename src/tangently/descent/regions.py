"""What a search over a region is given: the function in numbers, and the box of its coordinates.

A region is (lo, hi) for one number, a pair for each number argument, or for each entry of one array argument, or a
dictionary of these by name. Ends may be written as text, "2*pi".
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.descent.intervals import Box, ends
from tangently.errors import InputError, ShapeError
from tangently.expr import Expr, symbol

BRANCHES = (
    "the function branches, and only one of its branches was followed: nothing is proven of the others; "
    "np.where, max and abs instead of if keep them all"
)


@dataclass(frozen=True)
class Reading:
    """A function of the numbers xs on a box; `pack` gives them the shape of the arguments, `given` is the callable."""

    f: Expr
    xs: tuple[Expr, ...]
    names: tuple[str, ...]
    box: Box  # rounded outwards
    edges: tuple[tuple[Any, Any], ...]  # the ends, as exact points
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
    from tangently.function import as_function
    from tangently.limits.reading import parameters
    from tangently.smoothness.several import placed

    function = as_function(f)
    if isinstance(f, str) and not inspect.signature(function).parameters:
        return _constant(f, region)
    names = parameters(function)
    pairs = _by_argument(names, _of_one_pair(f, names, region))
    middle = {n: _generic(p) for n, p in pairs.items()}
    place = placed(f, middle, None)
    if place.shape != ():
        raise ShapeError(f"the function returned an array of shape {place.shape}; one number was wanted")
    edges = tuple(tuple(row) for p in pairs.values() for row in p.reshape(-1, 2))
    single = len(names) == 1 and next(iter(pairs.values())).ndim == 1
    return Reading(
        place.outputs[0], place.moving, tuple(str(x.name) for x in place.moving), _box(edges), edges, place.pack,
        function, single, (BRANCHES,) if place.notes else (),
    )  # fmt: skip


def _of_one_pair(f: Any, names: Sequence[str], region: Any) -> Any:
    """((lo, hi),) as (lo, hi) for a formula of one variable, which is a number."""
    if callable(f) or len(names) != 1 or isinstance(region, Mapping) or np.ndim(region) < 2:
        return region
    if len(region) != 1:
        raise InputError(
            f"got {len(region)} pairs for the region; the function takes {names[0]} alone: wanted (lo, hi)"
        )
    return region[0]


def _constant(f: str, region: Any) -> Reading:
    """A formula without arguments, over a region that says how many numbers there are."""
    from tangently.limits.reading import read

    root = read(f).root
    assert root is not None
    named = isinstance(region, Mapping)
    whole = np.stack([_pairs(v, n) for n, v in region.items()]) if named else _pairs(region, "the region")
    edges = tuple(tuple(row) for row in whole.reshape(-1, 2))
    names = tuple(region) if named else tuple(f"x{k + 1}" for k in range(len(edges))) if len(edges) > 1 else ("x",)
    pack = lambda values: float(values[0]) if len(names) == 1 else tuple(map(float, values))
    return Reading(root, tuple(map(symbol, names)), names, _box(edges), edges, pack, f, False)


def _box(edges: Sequence[Sequence[Any]]) -> Box:
    """Floats around the exact ends."""
    return tuple(
        (ends(lo.ball)[0], ends(hi.ball)[1]) if lo.finite and hi.finite else (lo.at, hi.at) for lo, hi in edges
    )


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
    """Points with a last axis of two ends each, the smaller first."""
    found = _points(given, what)
    if found.ndim == 0 or found.shape[-1] != 2:
        raise InputError(f"got {given!r} for {what}; wanted (lo, hi), or such a pair for every number")
    if not all(lo.at < hi.at for lo, hi in found.reshape(-1, 2)):
        raise InputError(f"got {given!r} for {what}; wanted lo < hi in every pair")
    return found


def _points(given: Any, what: str) -> np.ndarray:
    """A number or nested numbers as an array of exact points."""
    from tangently.smoothness.reading import place

    if not isinstance(given, (tuple, list, np.ndarray)):
        box = np.empty((), object)
        box[()] = place(given)
        return box
    found = [_points(g, what) for g in given]
    if not found or len({f.shape for f in found}) > 1:
        raise InputError(f"got {given!r} for {what}; wanted pairs (lo, hi), all alike")
    return np.stack(found)


def _generic(pairs: np.ndarray) -> Any:
    """A point inside that is on no symmetry of the function."""
    ends = np.vectorize(lambda p: min(max(p.at, -1e3), 1e3), otypes=[float])(pairs)
    shares = 0.5857 + 0.031 * np.arange(ends[..., 0].size).reshape(ends[..., 0].shape) % 0.4
    found = ends[..., 0] + (ends[..., 1] - ends[..., 0]) * shares
    return float(found) if found.ndim == 0 else found


def finite(reading: Reading) -> None:
    """Raises InputError for a region without end."""
    if not all(math.isfinite(v) for side in reading.box for v in side):
        raise InputError(f"got the region {reading.box}; wanted finite ends: a search needs a bounded box")


__all__ = ["BRANCHES", "Reading", "finite", "read_region"]
