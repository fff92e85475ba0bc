"""Where a sparse matrix may be non-zero, found once, and the values of one call put into compressed rows.

A pattern is a list of places (row, column), in the order in which the caller's code makes the numbers; a place may
occur several times, and its numbers are then added. What depends on the places alone is found once and kept: for every
entry of the list its slot among the distinct places in row order, and the index arrays of the compressed rows (CSR).
After that, a call costs one pass over the values (`np.bincount` with weights, or a gather where no place repeats).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tangently.errors import ShapeError


class Pattern:
    """The places of a sparse matrix: `rows`, `cols` (a place may repeat), and `shape`, a number for a square one.

    >>> p = Pattern([0, 0, 1, 1], [0, 1, 1, 1], 2)
    >>> p.count, p.bandwidth
    (3, 1)
    >>> p.csr(np.array([1.0, 2.0, 3.0, 4.0])).toarray()
    array([[1., 2.],
           [0., 7.]])
    """

    def __init__(self, rows: Any, cols: Any, shape: int | tuple[int, int]) -> None:
        self.rows, self.cols = (np.asarray(a, dtype=np.int64).reshape(-1) for a in (rows, cols))
        self.shape = (shape, shape) if isinstance(shape, int) else shape
        _check(self.rows, self.cols, self.shape)

    @cached_property
    def _flat(self) -> np.ndarray:
        return self.rows * self.shape[1] + self.cols

    @cached_property
    def _layout(self) -> tuple[np.ndarray, np.ndarray, bool]:
        """The distinct places in row order, the slot of each entry, and whether the entries are those in that order."""
        flat = self._flat
        if flat.size == 0 or (np.diff(flat) > 0).all():
            return flat, np.arange(flat.size), True
        places, slots = np.unique(flat, return_inverse=True)
        return places, slots.reshape(-1), False

    @property
    def places(self) -> np.ndarray:
        """The distinct places in row order, as row · (number of columns) + column."""
        return self._layout[0]

    @property
    def count(self) -> int:
        """The number of distinct places."""
        return len(self._layout[0])

    @cached_property
    def bandwidth(self) -> int:
        """The largest distance of a place from the diagonal."""
        return int(np.abs(self.rows - self.cols).max(initial=0))

    @cached_property
    def symmetric(self) -> bool:
        """Is with (i, j) also (j, i) among the places?"""
        rows, cols = np.divmod(self.places, max(self.shape[1], 1))
        return self.shape[0] == self.shape[1] and np.array_equal(np.sort(cols * self.shape[1] + rows), self.places)

    @cached_property
    def indices(self) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the distinct places, and where each row begins: the index arrays of CSR."""
        rows, cols = np.divmod(self.places, max(self.shape[1], 1))
        kind = np.int32 if max(*self.shape, self.count) < 2**31 else np.int64
        starts = np.searchsorted(rows, np.arange(self.shape[0] + 1))
        return cols.astype(kind), starts.astype(kind)

    @cached_property
    def _gather(self) -> np.ndarray | None:
        """The entry of every slot, where no place repeats."""
        places, slots, _ = self._layout
        if len(slots) != len(places):
            return None
        entry = np.empty(len(places), np.intp)
        entry[slots] = np.arange(len(slots))
        return entry

    def assemble(self, values: np.ndarray) -> np.ndarray:
        """One number for every distinct place, in row order: the values of a place are added.

        >>> Pattern([1, 0, 1], [0, 0, 0], 2).assemble(np.array([1.0, 2.0, 3.0]))
        array([2., 4.])
        """
        values = np.asarray(values).reshape(-1)
        if len(values) != len(self.rows):
            raise ShapeError(f"{len(values)} values for a pattern of {len(self.rows)} places: give one for each place.")
        if self._layout[2]:
            return values
        if self._gather is not None:
            return values[self._gather]
        summed = np.bincount(self._layout[1], weights=values, minlength=self.count)
        return summed.astype(values.dtype, copy=False) if values.dtype.kind == "f" else summed

    def csr(self, values: np.ndarray) -> Any:
        """The matrix as a `scipy.sparse.csr_array`."""
        from scipy.sparse import csr_array

        columns, starts = self.indices
        return csr_array((self.assemble(values), columns, starts), shape=self.shape)


def _check(rows: np.ndarray, cols: np.ndarray, shape: tuple[int, int]) -> None:
    if rows.shape != cols.shape:
        raise ShapeError(f"{len(rows)} rows but {len(cols)} columns: a pattern has one of each for every place.")
    for name, index, size in (("row", rows, shape[0]), ("column", cols, shape[1])):
        if index.size and (index.min() < 0 or index.max() >= size):
            wrong = index[(index < 0) | (index >= size)][0]
            raise ShapeError(f"{name} {wrong} lies outside a matrix of shape {shape}: they run from 0 to {size - 1}.")
