"""Derivatives of sampled data: tables of numbers instead of a function.

A derivative of a table is a weighted sum of neighboring samples, f⁽ᵐ⁾(xᵢ) ≈ Σₖ wₖ yₖ. The weights
are those that differentiate the interpolating polynomial through the window, so a window of m + p
points is exact for every polynomial of degree m + p - 1 and has an error of O(hᵖ): m is the
*order* of the derivative and p the *accuracy*. Fornberg's recursion finds the weights for any
positions, with one step for each pair of points (B. Fornberg, "Generation of finite difference
formulas on arbitrarily spaced grids", Mathematics of Computation 51, 1988, 699-706). Here each of its steps
is done for all windows at once.

On an even grid the interior uses the symmetric stencil, whose odd (or even) error terms cancel:
it has an even accuracy of at least p and one set of weights, found in exact rational arithmetic
and applied by slicing, block by block, so that temporaries stay in the processor's cache. Near the
edges, and on uneven grids, a window of m + p samples as central as possible is taken; the accuracy
there is the same p.

The error of a point is estimated from the data as

    error = safety · |higher - value| + rounding

where `higher` is the stencil with two more points. Their gap is the leading term of the truncation
error (the step doubling of ODE solvers has the same idea: E. Hairer, S. Nørsett, G. Wanner,
"Solving Ordinary Differential Equations I", II.4). `safety` = 2 covers the terms behind the leading
one. The gap vanishes where the leading term changes its sign, so it is the largest of the gaps at
a point and its two neighbors. `rounding` is eps · Σ|wₖ||yₖ| plus the effect of rounded positions on an even grid.
The estimate trusts that the samples resolve the function and are right to rounding: with noise in y it has the
right size, but covers fewer points.

Glossary: m order, p accuracy, n points of a window, r half width of a symmetric stencil, h spacing.
"""

from __future__ import annotations

import datetime
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAFETY = 2.0
BLOCK = 1 << 14  # elements of a block: 128 KiB of doubles, so that a few temporaries fit a level-2 cache
EVEN = 1e-8  # positions closer than this fraction of the spacing to an even grid are taken as one
BLUE, VERMILLION = "#0072B2", "#D55E00"

Arrays = np.ndarray | tuple[np.ndarray, ...]
Positions = float | Sequence[float] | np.ndarray | None


# ---- weights ---------------------------------------------------------------------------------------


def fornberg(nodes: np.ndarray, order: int) -> np.ndarray:
    """Weights w with Σₖ w[k] f(nodes[k]) ≈ f⁽ᵒʳᵈᵉʳ⁾(0), for many windows at once.

    `nodes` has shape (n, …): n distinct positions relative to the point, then any number of
    windows. The weights have the same shape, in units of 1/nodes**order. The recursion of Fornberg
    (1988) uses only + - * /, so an array of `Fraction` gives exact weights.

    >>> fornberg(np.array([-1.0, 0.0, 1.0]), 2).tolist()
    [1.0, -2.0, 1.0]
    >>> [str(w) for w in fornberg(np.array([Fraction(k) for k in range(3)]), 1)]
    ['-3/2', '2', '-1/2']
    """
    nodes = np.asarray(nodes)
    if len(nodes) <= order:
        raise InputError(f"got {len(nodes)} nodes; a derivative of order {order} wants at least {order + 1}; add nodes")
    w = np.zeros((order + 1, *nodes.shape), nodes.dtype)
    w[0, 0] = w[0, 0] + 1
    s = np.arange(1, order + 1).reshape(-1, *[1] * (nodes.ndim - 1))
    before = w[0, 0] + 0
    for j in range(1, len(nodes)):
        last, product = w[:, j - 1].copy(), before * 0 + 1
        for k in range(j):
            gap = nodes[j] - nodes[k]
            product = product * gap
            lower = w[:-1, k].copy()
            w[:, k] = nodes[j] * w[:, k] / gap
            w[1:, k] -= s * lower / gap
        w[:, j] = -(before / product) * nodes[j - 1] * last
        w[1:, j] += before / product * s * last[:-1]
        before = product
    return w[order]


def half_width(order: int, accuracy: int) -> int:
    """Half width of the symmetric stencil on an even grid: its accuracy is the next even number."""
    return (order + 1) // 2 - 1 + (accuracy + 1) // 2


@lru_cache(maxsize=256)
def symmetric_weights(order: int, r: int) -> tuple[Fraction, ...]:
    """Exact weights of the symmetric stencil at the offsets 0, 1, …, r; the left half is ±.

    >>> [str(w) for w in symmetric_weights(1, 2)]
    ['0', '2/3', '-1/12']
    """
    nodes = np.array([Fraction(k) for k in range(-r, r + 1)], object)
    return tuple(Fraction(w) for w in fornberg(nodes, order)[r:])


def _starts(x: np.ndarray | None, rows: np.ndarray, size: int, n: int) -> np.ndarray:
    """First index of the window of n samples around each row: as central as the edges allow."""
    start = np.clip(rows - n // 2, 0, size - n)
    if x is None or n % 2:
        return start
    other = np.clip(rows - n // 2 + 1, 0, size - n)  # an even window has two central places: take the nearer
    return np.where(_reach(x, rows, other, n) < _reach(x, rows, start, n), other, start)


def _reach(x: np.ndarray, rows: np.ndarray, start: np.ndarray, n: int) -> np.ndarray:
    return np.maximum(abs(x[start] - x[rows]), abs(x[start + n - 1] - x[rows]))


def _window_weights(
    x: np.ndarray | None, rows: np.ndarray, size: int, n: int, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Start of the windows and weights (n, rows). Positions None means 0, 1, 2, …"""
    start = _starts(x, rows, size, n)
    index = start + np.arange(n)[:, None]
    nodes = (index - rows).astype(float) if x is None else x[index] - x[rows]
    scale = abs(nodes).max(axis=0)  # nodes of size 1 keep the recursion from overflow
    return start, fornberg(nodes / scale, order) / scale**order


# ---- one axis --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """Positions along one axis. An even grid has a spacing h, and `jitter`: how far its positions are off.

    `given` is None if only the spacing is known: the positions 0, h, 2h, … are then made when asked for.
    """

    size: int
    given: np.ndarray | None = None
    h: float = 1.0
    even: bool = True
    jitter: float = 0.0

    @cached_property
    def positions(self) -> np.ndarray:
        return self.h * np.arange(self.size) if self.given is None else self.given


def _noise(y: np.ndarray, eps: float, grid: Grid) -> np.ndarray:
    """Rounding error of each sample: of its value, and of the position that it was taken at."""
    noise = abs(y)
    noise *= eps
    if grid.jitter and len(y) > 1:
        slope = abs(np.diff(y, axis=0))
        slope *= grid.jitter / abs(grid.h)
        noise[:-1] += slope
        noise[-1:] += slope[-1:]
    return noise


def _weighted(y: np.ndarray, start: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Σₖ w[k] y[start+k] along axis 0; a zero weight touches nothing, not even a NaN."""
    total = np.zeros((len(start), *y.shape[1:]))
    for k, weight in enumerate(w.reshape(*w.shape, *[1] * (y.ndim - 1))):
        total += np.where(weight == 0, 0.0, weight * y[start + k])
    return total


def _other(size: int, n: int, order: int) -> int:
    """Points of the comparing stencil: two more, or one, or (nothing to spare) one fewer; 0 if there is none."""
    more = min(size, n + 2)
    return more if more > n else (n - 1 if n - 1 > order else 0)


def _spread(gap: np.ndarray) -> np.ndarray:
    """Largest of each gap and its two neighbors, along axis 0."""
    out = gap.copy()
    np.maximum(out[1:], gap[:-1], out=out[1:])
    np.maximum(out[:-1], gap[1:], out=out[:-1])
    return out


def _by_windows(
    y: np.ndarray, x: np.ndarray | None, rows: np.ndarray, stencil: tuple[int, int], noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Value and error for rows that each have their own window of n samples."""
    order, n = stencil
    start, w = _window_weights(x, rows, len(y), n, order)
    value, rounding = _weighted(y, start, w), _weighted(noise, start, abs(w))
    if not (other := _other(len(y), n, order)):
        return value, np.full_like(value, np.inf)
    gap = abs(_weighted(y, *_window_weights(x, rows, len(y), other, order)) - value)
    return value, SAFETY * _spread(gap) + rounding


def _slide(y: np.ndarray, r: int, w: Sequence[float], sign: int) -> np.ndarray:
    """Σₖ w[k] (y[i+k] + sign y[i-k]) along axis 0, for the rows that have r neighbors on both sides."""
    size, join = len(y), np.add if sign > 0 else np.subtract
    total = y[r : size - r] * w[0] if w[0] else None
    for k, weight in enumerate(w[1:], 1):
        if weight:
            pair = join(y[r + k : size - r + k], y[r - k : size - r - k])
            pair = pair if weight == 1 else np.multiply(pair, weight, out=pair)
            total = pair if total is None else np.add(total, pair, out=total)
    return np.zeros_like(y[r : size - r]) if total is None else total


def _over_common(weights: Sequence[Fraction]) -> tuple[list[float], float]:
    """Whole numerators over one denominator: small integers times data lose nothing."""
    common = math.lcm(*(w.denominator for w in weights))
    return [float(w * common) for w in weights], float(common)


def _blocks(a: int, b: int, y: np.ndarray) -> Iterator[tuple[int, int]]:
    step = max(16, BLOCK // max(1, y[0].size))
    return ((i, min(i + step, b)) for i in range(a, b, step))


def _lanes(y: np.ndarray) -> Iterator[tuple[slice, ...]]:
    """Slices that each fit the cache, across the axis of the derivative if that axis is the contiguous one."""
    if y.ndim < 2 or y.strides[0] > y.strides[1]:
        return iter([(slice(None),)])
    step = max(1, BLOCK // max(1, y[:, 0].size))
    return ((slice(None), slice(i, i + step)) for i in range(0, y.shape[1], step))


def _fill_values(y: np.ndarray, value: np.ndarray, r: int, h: float, order: int) -> None:
    """Interior of an even grid: the symmetric stencil."""
    w, common = _over_common(symmetric_weights(order, r))
    for a, b in _blocks(r, len(y) - r, y):
        np.divide(_slide(y[a - r : b + r], r, w, 1 - 2 * (order % 2)), common * h**order, out=value[a:b])


def _fill_errors(y: np.ndarray, error: np.ndarray, r: int, grid: Grid, order: int, eps: float) -> None:
    """Interior of an even grid: safety · gap to the stencil of half width r+1 (as one stencil), plus rounding."""
    narrow, wide = (*symmetric_weights(order, r), Fraction(0)), symmetric_weights(order, r + 1)
    w, common = _over_common([a - b for a, b in zip(wide, narrow)])
    sizes, q, last = [float(abs(a)) for a in narrow[:-1]], r + 1, len(y) - r - 1
    for a, b in _blocks(q, last, y):
        first, end = max(a - 1, q), min(b + 1, last)
        gap = abs(_slide(y[first - q : end + q], q, w, 1 - 2 * (order % 2)))
        gap = _spread(gap)[a - first : b - first]
        gap *= SAFETY / common
        gap += _slide(_noise(y[a - r : b + r], eps, grid), r, sizes, 1)
        np.divide(gap, abs(grid.h) ** order, out=error[a:b])


def _even(y: np.ndarray, grid: Grid, order: int, accuracy: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Derivative and error along axis 0 of an even grid: windows at the edges, slices inside."""
    value, error = np.empty_like(y), np.empty_like(y)
    size, n, r = len(y), order + accuracy, half_width(order, accuracy)
    near = min(size, n + 2 * r + 4)  # samples that the windows of the r+1 rows at an edge may touch
    edges = [slice(0, size)] if size <= near else [slice(0, near), slice(size - near, size)]
    for part in edges:
        rows = np.arange(near) if size <= near else np.arange(r + 1) + (near - r - 1) * (part.start > 0)
        found = _by_windows(y[part], None, rows, (order, n), _noise(y[part], eps, grid))
        value[part][rows], error[part][rows] = found[0] / grid.h**order, found[1] / abs(grid.h) ** order
    for lane in _lanes(y):
        _fill_values(y[lane], value[lane], r, grid.h, order)
        _fill_errors(y[lane], error[lane], r, grid, order, eps)
    return value, error


def _uneven(y: np.ndarray, grid: Grid, order: int, accuracy: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Derivative and error along axis 0 of an uneven grid: each row has its own weights."""
    value, error = np.empty_like(y), np.empty_like(y)
    halo = order + accuracy + 3
    for a, b in _blocks(0, len(y), y):
        part = slice(max(0, a - halo), b + halo)
        first, last = max(0, a - 1), min(b + 1, len(y))  # a row more at each side, for the largest gap of three
        x, rows = grid.positions[part], np.arange(first, last) - part.start
        found = _by_windows(y[part], x, rows, (order, order + accuracy), _noise(y[part], eps, grid))
        value[a:b], error[a:b] = (z[a - first : b - first] for z in found)
    return value, error


def _along(
    y: np.ndarray, axis: int, grid: Grid, order: int, accuracy: int, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Derivative and error along one axis of an N-d table."""
    solve = _even if grid.even else _uneven
    value, error = solve(np.moveaxis(y, axis, 0), grid, order, accuracy, eps)
    return np.moveaxis(value, 0, axis), np.moveaxis(error, 0, axis)


# ---- arguments -------------------------------------------------------------------------------------


def _samples(y: Any) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Samples as doubles with NaN where they are not finite, the rounding unit of their type, and notes."""
    y = np.ma.filled(y.astype(float), np.nan) if isinstance(y, np.ma.MaskedArray) else np.asarray(y)
    if y.dtype.kind not in "iuf":
        what = "complex samples" if y.dtype.kind == "c" else f"samples of type {y.dtype}"
        hint = "differentiate y.real and y.imag apart" if y.dtype.kind == "c" else "convert with np.asarray(y, float)"
        raise InputError(f"got {what}; wanted real numbers; {hint}")
    if y.ndim == 0:
        raise ShapeError("got one number; wanted a table of samples along at least one axis; pass an array")
    eps = float(np.finfo(y.dtype).eps) if y.dtype.kind == "f" else float(np.finfo(float).eps)
    y = y.astype(float, copy=False)
    if not y.size or (math.isfinite(y.min()) and math.isfinite(y.max())):  # NaN comes out of min
        return y, max(eps, float(np.finfo(float).eps)), ()
    bad = ~np.isfinite(y)
    where = ", ".join(str(tuple(map(int, i)) if y.ndim > 1 else int(i[0])) for i in np.argwhere(bad)[:5])
    more = f" and {bad.sum() - 5} more" if bad.sum() > 5 else ""
    note = f"y is not finite at index {where}{more}: the derivative is NaN where a stencil touches it"
    return np.where(bad, np.nan, y), max(eps, float(np.finfo(float).eps)), (note,)


def _axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    wanted = range(ndim) if axis is None else [axis] if isinstance(axis, int | np.integer) else axis
    for a in wanted:
        if not isinstance(a, int | np.integer) or not -ndim <= a < ndim:
            raise ShapeError(f"got axis={a!r}; wanted integers from {-ndim} to {ndim - 1}, for {ndim} axes")
    axes = tuple(int(a) % ndim for a in wanted)
    if not axes:
        raise InputError("got axis=(), no axis at all; wanted at least one; leave axis out to take all")
    if len(set(axes)) < len(axes):
        raise InputError(f"got axis={axis!r}, which names an axis twice; wanted each axis once; drop one")
    return axes


def _count(name: str, n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError(f"got {name}={n!r}; wanted a whole number of at least 1")
    return int(n)


def _per_axis(x: Any, axes: tuple[int, ...]) -> tuple[Any, ...]:
    """One entry of positions for each axis: a tuple is taken apart, anything else serves every axis."""
    if not isinstance(x, tuple):
        return (x,) * len(axes)
    if len(x) != len(axes):
        raise ShapeError(
            f"got a tuple of {len(x)} for x; wanted one entry for each of the {len(axes)} axes {axes}; "
            "if these are the positions along one axis, pass a list or an array"
        )
    return x


def _seconds(x: np.ndarray, axis: int) -> tuple[np.ndarray, str]:
    """Times as seconds since the first one."""
    if np.isnat(x).any():
        at = int(np.flatnonzero(np.isnat(x))[0])
        raise InputError(f"got NaT in x for axis {axis} at index {at}; wanted a time for every sample; drop that one")
    if np.datetime_data(x.dtype)[0] in "YM":
        if x.dtype.kind == "m":
            raise InputError(f"got x of type {x.dtype} for axis {axis}, which has no fixed length; use days or seconds")
        x = x.astype("datetime64[D]")
    times = (x - x[:1] if x.dtype.kind == "M" else x) / np.timedelta64(1, "s")
    start = f" since {x[0]}" if x.ndim and x.dtype.kind == "M" and len(x) else ""
    return times, f"x for axis {axis} holds times: positions are in seconds{start}, derivatives per second"


def _numbers(x: Any, axis: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions or a spacing as doubles, with a note if they were times."""
    x = np.asarray(x)
    if x.dtype == object and x.size and all(isinstance(t, datetime.date) for t in x.flat):
        x = x.astype("datetime64[us]")
    if x.dtype.kind in "mM" and (x.ndim or x.dtype.kind == "m"):
        times, note = _seconds(x, axis)
        return times, (note,)
    if x.dtype.kind not in "iuf":
        raise InputError(f"got x of type {x.dtype} for axis {axis}; wanted real numbers or times; convert x")
    x = x.astype(float)
    if not np.isfinite(x).all():
        at = int(np.flatnonzero(~np.isfinite(x))[0])
        raise InputError(f"got x = {x.flat[at]} at index {at} for axis {axis}; wanted finite positions; drop it")
    return x, ()


def _grid(x: Any, axis: int, shape: tuple[int, ...]) -> tuple[Grid, tuple[str, ...]]:
    """Positions along one axis, checked, with notes."""
    size = shape[axis]
    if x is None:
        return Grid(size), ()
    x, notes = _numbers(x, axis)
    if x.ndim == 0:
        return _spaced(float(x), size, axis), notes
    if x.shape != (size,):
        raise ShapeError(
            f"got x of shape {x.shape} for axis {axis} of samples of shape {shape}; wanted shape ({size},)"
            + ("; from a mesh pass the positions along each axis, (x[:, 0], y[0])" if x.ndim > 1 else "")
        )
    return _classify(x, axis), notes


def _spaced(h: float, size: int, axis: int) -> Grid:
    if h == 0:
        raise InputError(f"got a spacing of 0 for axis {axis}; wanted a distance other than 0")
    # where the table began is unknown: a start at 0 is assumed for the rounding of its positions
    exact = abs(h) >= 1e-300 and math.frexp(h)[0] == 0.5
    return Grid(size, None, h, True, 0.0 if exact else abs(h) * size * float(np.finfo(float).eps) / 2)


def _classify(x: np.ndarray, axis: int) -> Grid:
    """Even (to rounding) or uneven; strictly monotonic."""
    if len(x) < 2:
        return Grid(len(x), x)
    h = (x[-1] - x[0]) / (len(x) - 1)
    off = np.arange(float(len(x)))
    off *= h
    off += x[0]
    off -= x
    jitter = max(off.max(), -off.min())
    step = np.subtract(x[1:], x[:-1], out=off[1:])
    if jitter <= EVEN * abs(h) and h:
        # differences of neighbors are exact, unlike x[0] + i h: only equal ones prove an exact grid
        unit = 0.0 if (step == h).all() else float(np.finfo(float).eps) / 2 * max(abs(x[0]), abs(x[-1]))
        return Grid(len(x), x, float(h), True, float(jitter + unit))
    bad = np.flatnonzero(step * np.sign(step[0]) <= 0)
    if len(bad):
        i = int(bad[0]) + 1
        raise InputError(
            f"got x[{i}] = {x[i]} after x[{i - 1}] = {x[i - 1]} for axis {axis}; wanted positions that "
            "strictly increase or strictly decrease; sort the samples by x and merge the equal ones"
        )
    return Grid(len(x), x, float(h), False)


def _enough(shape: tuple[int, ...], axis: int, order: int, accuracy: int) -> None:
    if shape[axis] < order + accuracy:
        raise ShapeError(
            f"got {shape[axis]} samples along axis {axis} (shape {shape}); order {order} with accuracy {accuracy} "
            f"wants at least {order + accuracy}; take more samples or a lower order or accuracy"
        )


# ---- results ---------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False, eq=False)
class Differences:
    """Derivatives of a table of samples, estimated, with an error for each point.

    `value` and `error` have the shape of the samples (one array each, or a tuple of arrays with one
    for each of `axes`, when several axes were asked for). `value` has the units of y/x**order.
    `error` estimates |value - true derivative|; it is inf where there are no samples to estimate
    it from. `x` holds the positions along each axis, in the same form as `value`.
    """

    value: Arrays
    error: Arrays
    y: np.ndarray
    order: int
    accuracy: int
    axes: tuple[int, ...]
    notes: tuple[str, ...] = ()
    how: str = field(default="estimated", init=False)
    _grids: tuple[Grid, ...] = ()

    @cached_property
    def x(self) -> Arrays:
        """Positions along each axis."""
        return self._like([g.positions for g in self._grids])

    @cached_property
    def windows(self) -> Arrays:
        """Indices of the samples that each row uses: shape (samples along the axis, width), for each axis."""
        return self._like([_table(g, self.order, self.accuracy)[0] for g in self._grids])

    @cached_property
    def weights(self) -> Arrays:
        """Weights of those samples, same shape: value[i] = Σₖ weights[i, k] · y[windows[i, k]]."""
        return self._like([_table(g, self.order, self.accuracy)[1] for g in self._grids])

    def _like(self, arrays: list[np.ndarray]) -> Arrays:
        return tuple(arrays) if isinstance(self.value, tuple) else arrays[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The value; several axes are stacked in front, as for `np.gradient`."""
        array = np.stack(self.value) if isinstance(self.value, tuple) else self.value
        return np.array(array, dtype, copy=copy)

    def __repr__(self) -> str:
        head = f"Differences: {_ordinal(self.order)} derivative, accuracy {self.accuracy}, {self.how}"
        lines = [head + f", {' × '.join(map(str, self.y.shape))} samples"]
        for axis, x, value, error in zip(self.axes, *map(_several, (self.x, self.value, self.error))):
            lines.append(f"  axis {axis}: x in [{x[0]:.6g} … {x[-1]:.6g}], {_summary(value)}, {_worst(error)}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> Figure:
        """Samples above, derivative with its error band below; a table with two axes becomes images.

        `ax`: axes to draw into, one for the samples and one for each derivative; a single one gets
        the derivative alone; None makes a figure. Returns the figure. Raises ShapeError for a table
        with more than two axes.
        """
        import matplotlib.pyplot as plt

        count = 1 + len(self.axes)
        if ax is None:
            down = (count, 1) if self.y.ndim == 1 else (1, count)
            size = (7, 2.6 * count) if self.y.ndim == 1 else (4.2 * count, 3.6)
            ax = list(plt.subplots(*down, figsize=size, sharex=True, sharey=self.y.ndim == 2, layout="constrained")[1])
        return _draw(self, list(np.atleast_1d(np.asarray(ax, object))))

    def _repr_png_(self) -> bytes | None:
        if self.y.ndim > 2:
            return None
        import matplotlib.pyplot as plt

        figure, buffer = self.plot(), io.BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        return buffer.getvalue()


def _several(arrays: Arrays) -> tuple[np.ndarray, ...]:
    return arrays if isinstance(arrays, tuple) else (arrays,)


def _ordinal(n: int) -> str:
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def _summary(value: np.ndarray) -> str:
    finite = value[np.isfinite(value)]
    lost = f" ({value.size - finite.size} NaN)" if finite.size < value.size else ""
    return f"values in [{finite.min():.6g}, {finite.max():.6g}]{lost}" if finite.size else "no finite value"


def _worst(error: np.ndarray) -> str:
    known = error[np.isfinite(error)]
    unknown = f" ({error.size - known.size} unknown)" if known.size < error.size else ""
    return f"error at most {known.max():.2g}, median {np.median(known):.2g}{unknown}" if known.size else "error unknown"


def _table(grid: Grid, order: int, accuracy: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows and weights of every row. A symmetric stencil of another width is padded with zero weights."""
    size, n, r = grid.size, order + accuracy, half_width(order, accuracy)
    rows = np.arange(size)
    start, w = _window_weights(None if grid.even else grid.positions, rows, size, n, order)
    width = min(size, max(n, 2 * r + 1)) if grid.even else n
    first = np.minimum(start, size - width)
    weights = np.zeros((size, width))
    np.put_along_axis(weights, (start - first)[:, None] + np.arange(n), w.T, axis=1)
    if grid.even and size > 2 * r:
        right = [float(a) for a in symmetric_weights(order, r)]
        first[r : size - r] = np.minimum(rows[r : size - r] - r, size - width)
        weights[r : size - r] = 0
        both = [*[a * (-1) ** order for a in right[:0:-1]], *right]
        shift = (rows - r - first)[r : size - r, None] + np.arange(2 * r + 1)
        weights[r : size - r] = _placed(both, shift, width)
    return first[:, None] + np.arange(width), weights / (grid.h**order if grid.even else 1.0)


def _placed(row: list[float], columns: np.ndarray, width: int) -> np.ndarray:
    out = np.zeros((len(columns), width))
    np.put_along_axis(out, columns, np.broadcast_to(row, columns.shape), axis=1)
    return out


def _draw(d: Differences, axes: list[Any]) -> Figure:
    if d.y.ndim > 2:
        raise ShapeError(f"got samples with {d.y.ndim} axes; a plot wants one or two; plot a slice")
    name = "f" + "′" * d.order if d.order < 4 else f"f⁽{d.order}⁾"
    if d.y.ndim == 2:
        return _draw_images(d, axes)
    x, value, error = (_several(a)[0] for a in (d.x, d.value, d.error))
    if len(axes) > 1:
        axes[0].plot(x, d.y, ".-" if len(x) <= 200 else "-", color=BLUE, lw=1.2, ms=4, label="samples")
        axes[0].set(ylabel="f")
    ax, band = axes[-1], np.where(np.isfinite(error), error, np.nan)
    ax.fill_between(x, value - band, value + band, color=VERMILLION, alpha=0.25, lw=0, label="± estimated error")
    ax.plot(x, value, color=VERMILLION, lw=1.2, label=name)
    ax.set(xlabel="x", ylabel=name)
    for a in axes:
        _decorate(a)
    return ax.figure


def _decorate(ax: Any) -> None:
    ax.grid(color="0.9", lw=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")


def _draw_images(d: Differences, axes: list[Any]) -> Figure:
    marks = ["f", *(f"∂{_power(d.order)}f / ∂x{'₀₁'[a]}{_power(d.order)}" for a in d.axes)]
    at = dict(zip(d.axes, _several(d.x)))
    x0, x1 = (at.get(a, np.arange(float(d.y.shape[a]))) for a in (0, 1))
    for ax, name, z in zip(axes, marks[-len(axes) :], [d.y, *_several(d.value)][-len(axes) :]):
        image = ax.pcolormesh(x1, x0, np.ma.masked_invalid(z), shading="nearest", cmap="viridis", rasterized=True)
        ax.figure.colorbar(image, ax=ax)
        ax.set(title=name, xlabel="x₁", ylabel="x₀")
    return axes[-1].figure


def _power(order: int) -> str:
    return "" if order == 1 else str(order).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


# ---- the verb --------------------------------------------------------------------------------------


def differences(
    y: Any,
    x: Positions | tuple[Positions, ...] = None,
    order: int = 1,
    axis: int | Sequence[int] | None = None,
    accuracy: int = 2,
) -> Differences:
    """Derivatives of sampled data on even, uneven and N-d grids, with an error for each point.

    `y`: real samples, any shape. `x`: None (spacing 1), a spacing, positions of shape (n,), or a
    tuple with one of these for each axis; positions increase or decrease strictly; times become
    seconds. `order`: which derivative, at least 1. `accuracy`: the error is O(hᵃᶜᶜᵘʳᵃᶜʸ), at the
    edges too. `axis`: one axis or several; None means all. Along each axis order + accuracy samples
    are wanted. One axis asked for (or 1-D samples and None) gives `.value` as one array of the
    shape of y; several give a tuple of arrays, as `np.gradient` does.

    Weights: Fornberg (1988). Error: the module's docstring; the true error of smooth, resolved data
    is at most the estimate at 95 % of the points or more.

    Raises InputError (complex or text samples, x not monotonic, a bad order) and ShapeError (too
    few samples, lengths that do not match).

    >>> x = np.linspace(-5, 5, 100)
    >>> d = differences(2 * x**2 + 3 * x + 1, x)
    >>> bool(np.allclose(d.value, 4 * x + 3)), bool(d.error.max() < 1e-11)
    (True, True)
    >>> differences([1.0, 4.0, 9.0, 16.0], order=2).value.round(12).tolist()
    [2.0, 2.0, 2.0, 2.0]
    >>> dx, dy = differences(np.add.outer([0.0, 1.0, 2.0], [0.0, 3.0, 6.0])).value
    >>> dx[0].tolist(), dy[0].tolist()
    ([1.0, 1.0, 1.0], [3.0, 3.0, 3.0])
    """
    order, accuracy = _count("order", order), _count("accuracy", accuracy)
    samples, eps, notes = _samples(y)
    axes = _axes(axis, samples.ndim)
    grids = []
    for a, positions in zip(axes, _per_axis(x, axes)):
        _enough(samples.shape, a, order, accuracy)
        grid, more = _grid(positions, a, samples.shape)
        grids.append(grid)
        notes += more
    values, errors = zip(*(_along(samples, a, g, order, accuracy, eps) for a, g in zip(axes, grids)))
    if np.isnan(samples.min()):
        errors = tuple(np.where(np.isnan(e) & ~np.isnan(v), np.inf, e) for v, e in zip(values, errors))
    one = isinstance(axis, int | np.integer) or (axis is None and samples.ndim == 1)
    pick = (lambda arrays: arrays[0]) if one else tuple
    return Differences(pick(values), pick(errors), samples, order, accuracy, axes, notes, tuple(grids))
