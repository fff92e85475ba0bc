"""Which columns of a sparse derivative share one product: colorings, for those without closed form.

Columns of one color are added up in a seed vector, and one product H·v then gives several columns at once.

Jacobian (`color_columns`). Columns of one color have no row in common (a distance-2 coloring of the columns): every
entry is read from its row (Curtis, Powell & Reid 1974). Greedy, in the given order: each row keeps its used colors as
bits of one integer, so a column's first free color is found by an OR over its rows. A band gets the fewest possible.

Hessian (`color_symmetric`). Symmetry lets an entry be read from either of its two places, so less is needed:
neighbors have different colors, and every path on four vertices has three (a star coloring: Coleman & Moré 1984;
Gebremedhin, Manne & Pothen 2005, SIAM Review 47; Gebremedhin, Tarafdar, Manne & Pothen 2007, SIAM J. Sci. Comput. 29).
An arrow then takes 2 products instead of n. Greedy again. With
bits of the colors that a vertex x sees once and more than once, a vertex v may not take
  - a color of a neighbor;
  - a color seen by w, where two neighbors w, w' of v share a color (the path x–w–v–w', v inside);
  - the color of x, where v–w–x and x sees the color of w twice (the path v–w–x–y, v at its end): the bits `ends[w]`.
All bits are updated when v takes its color; a list of neighbors is scanned again only when a color is seen the second
time, so the work is O(entries · colors). The order is the given one (good for
bands), or by falling degree where that takes fewer.

What is read where is then found at once for all entries, and checked: a coloring that did not determine an entry would
be an error here, never a wrong number later.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tangently.errors import InputError, ShapeError
from tangently.structured.patterns import Pattern


@dataclass(frozen=True, eq=False)
class Coloring:
    """The color of every column, and for every place of the pattern the row and color where its value is read."""

    colors: np.ndarray
    count: int
    rows: np.ndarray
    at: np.ndarray


def color_columns(pattern: Pattern) -> Coloring:
    """Columns of a Jacobian that have no row in common share a color.

    >>> color_columns(Pattern([0, 1, 1, 2], [0, 1, 2, 3], (3, 4))).colors
    array([0, 0, 1, 0])
    """
    rows, cols = np.divmod(pattern.places, max(pattern.shape[1], 1))
    by_column = np.argsort(cols, kind="stable")
    members = _lists(cols[by_column], rows[by_column], pattern.shape[1])
    used = [0] * pattern.shape[0]
    colors = []
    for own in members:
        taken = 0
        for i in own:
            taken |= used[i]
        free = ~taken & (taken + 1)
        colors.append(free.bit_length() - 1)
        for i in own:
            used[i] |= free
    return _read(pattern, np.asarray(colors, np.intp), pattern.rows, pattern.cols)


def color_symmetric(pattern: Pattern) -> Coloring:
    """A star coloring of a symmetric pattern: products of the Hessian from which every entry can be read.

    >>> arrow = Pattern([0, 1, 2, 3, 0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 1, 2, 3, 0, 0, 0], 4)
    >>> color_symmetric(arrow).colors, color_columns(arrow).count
    (array([0, 1, 1, 1]), 4)
    """
    if not pattern.symmetric:
        raise InputError(
            f"The pattern of shape {pattern.shape} is not symmetric: with (i, j) a Hessian also has (j, i). "
            "For a Jacobian use color_columns."
        )
    rows, cols = np.divmod(pattern.places, max(pattern.shape[1], 1))
    near = _lists(rows[rows != cols], cols[rows != cols], pattern.shape[0])
    colors = np.asarray(_fewest(near), np.intp)
    return _read(pattern, colors, *_places(pattern, colors))


def _lists(left: np.ndarray, right: np.ndarray, size: int) -> list[list[int]]:
    """For every vertex on the left (sorted) those on the right."""
    starts, flat = np.searchsorted(left, np.arange(size + 1)).tolist(), right.tolist()
    return [flat[a:b] for a, b in pairwise(starts)]


def _fewest(near: list[list[int]]) -> list[int]:
    """The better of two orders; three colors are the fewest on any path of four vertices, so that is good enough."""
    first = _star(near, range(len(near)))
    if max(first, default=0) < 3:
        return first
    by_degree = sorted(range(len(near)), key=lambda v: -len(near[v]))
    return min(first, _star(near, by_degree), key=max)


def _star(near: list[list[int]], order: Any) -> list[int]:
    """The greedy star coloring in one order. `bit[v]` is 1 << color, and 0 as long as v has none."""
    n = len(near)
    bit, once, twice, ends = [0] * n, [0] * n, [0] * n, [0] * n
    for v in order:
        own = near[v]
        taken, shared = once[v], twice[v]
        for w in own:
            if bit[w]:
                taken |= ends[w] | (once[w] if bit[w] & shared else 0)
        mine = ~taken & (taken + 1)
        bit[v] = mine
        _seen(near, v, bit, once, twice, ends)
    return [b.bit_length() - 1 for b in bit]


def _seen(near: list[list[int]], v: int, bit: list[int], once: list[int], twice: list[int], ends: list[int]) -> None:
    """v has taken its color: what its neighbors see, and which ends of paths are closed by it."""
    mine = bit[v]
    for x in near[v]:
        if not once[x] & mine:
            once[x] |= mine
        elif not twice[x] & mine:
            twice[x] |= mine
            if bit[x]:
                for w in near[x]:
                    if bit[w] == mine:
                        ends[w] |= bit[x]
        elif bit[x]:
            ends[v] |= bit[x]
        if bit[x] & twice[v]:
            ends[x] |= mine


def _places(pattern: Pattern, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry (i, j) is read in row i if no other neighbor of i has the color of j, and else in row j."""
    rows, cols = np.divmod(pattern.places, max(pattern.shape[1], 1))
    p = int(colors.max(initial=0)) + 1
    seen = np.sort(rows * p + colors[cols])
    wanted = pattern.rows * p + colors[pattern.cols]
    alone = np.searchsorted(seen, wanted, "right") - np.searchsorted(seen, wanted, "left") == 1
    return np.where(alone, pattern.rows, pattern.cols), np.where(alone, pattern.cols, pattern.rows)


def _read(pattern: Pattern, colors: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> Coloring:
    """Where each value is read; every place must be alone in its row and color."""
    p = int(colors.max(initial=-1)) + 1
    all_rows, all_cols = np.divmod(pattern.places, max(pattern.shape[1], 1))
    seen = np.sort(all_rows * max(p, 1) + colors[all_cols])
    wanted = rows * max(p, 1) + colors[cols]
    times = np.searchsorted(seen, wanted, "right") - np.searchsorted(seen, wanted, "left")
    if (times != 1).any():
        i = int(np.argmax(times != 1))
        raise AssertionError(f"entry ({rows[i]}, {cols[i]}) is not determined by this coloring")
    return Coloring(colors, p, rows, colors[cols])


def seeds(coloring: Coloring | Pattern, dtype: Any = float) -> np.ndarray:
    """The vectors to multiply by, one column for each color (of a symmetric pattern, its star coloring).

    >>> seeds(Pattern([0, 1, 2], [0, 1, 2], 3))
    array([[1.],
           [1.],
           [1.]])
    """
    coloring = color_symmetric(coloring) if isinstance(coloring, Pattern) else coloring
    out = np.zeros((len(coloring.colors), coloring.count), dtype)
    out[np.arange(len(out)), coloring.colors] = 1
    return out


def recover(products: np.ndarray, coloring: Coloring) -> np.ndarray:
    """The values in the order of the pattern, from the products of the matrix with the seeds.

    >>> pattern = Pattern([0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 1, 2], 3)
    >>> H = np.array([[1.0, 2.0, 0.0], [2.0, 3.0, 4.0], [0.0, 4.0, 5.0]])
    >>> coloring = color_symmetric(pattern)
    >>> recover(H @ seeds(coloring), coloring)
    array([1., 2., 2., 3., 4., 4., 5.])
    """
    if products.ndim != 2 or products.shape[1] != coloring.count:
        raise ShapeError(
            f"products of shape {products.shape} for a coloring of {coloring.count} colors: one column for each color."
        )
    return products[coloring.rows, coloring.at]
