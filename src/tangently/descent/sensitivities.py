"""Which input matters: derivatives, relative sensitivities, scaled ones, one-at-a-time curves, and global indices.

At a point x with f = f(x), for each entry i of the inputs (Saltelli et al., Global Sensitivity Analysis, 2008, ch. 1):

- the derivative ∂f/∂xᵢ, in the units of f per unit of xᵢ: it compares inputs only where they share a unit;
- the relative sensitivity (elasticity) (xᵢ/f) ∂f/∂xᵢ: percent of f per percent of xᵢ. At xᵢ = 0 it is 0 whatever the
  slope, and at f = 0 it does not exist: both are said in words;
- the scaled one σᵢ ∂f/∂xᵢ, where a std is given, or half a range: how far f moves when xᵢ moves as it usually does.

Ranked by the scaled ones where they are known, else by the relative ones, else by the derivatives. All are local;
curves show what f does when one input moves alone, and `sobol` gives the shares of the variance over the whole ranges,
of first order and total (Sobol' 1993; Saltelli et al. 2010, by SciPy): total beyond first order is interaction.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently.compiled import Wrt
from tangently.descent.propagation import Flat, flat, generator, spread, tried, whole
from tangently.errors import DomainError, InputError, ShapeError

POINTS = 61  # of a curve
ROUNDED = 4 * np.finfo(float).eps  # of f, by the size of what may have canceled in it
MEASURES = {"scaled": "scaled sensitivity", "relative": "relative sensitivity", "derivative": "derivative"}


@dataclass(frozen=True)
class Row:
    """One input: its value, the derivative, the relative and the scaled sensitivity (None: there is none)."""

    label: str
    value: float
    derivative: float
    relative: float | None
    scaled: float | None
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """f along one input, the others held."""

    label: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Sobol:
    """Shares of the variance: of an input alone (`first`), and with its interactions (`total`)."""

    labels: tuple[str, ...]
    first: np.ndarray
    total: np.ndarray

    def __repr__(self) -> str:
        rows = [
            f"  {k}: alone {a:.3f}, with interactions {b:.3f}" for k, a, b in zip(self.labels, self.first, self.total)
        ]
        return "\n".join(["<Sobol indices>", *rows])


@dataclass(frozen=True)
class Sensitivity:
    """The sensitivities of f at a point, `.rows` as given, `.ranked` by `.measure`."""

    point: Flat = field(repr=False)
    output: int
    rows: tuple[Row, ...]
    measure: str
    stds: np.ndarray | None = field(repr=False)
    ranges: np.ndarray | None = field(repr=False)

    @property
    def value(self) -> float:
        return float(self.point.y[self.output])

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The rows, the largest magnitude first; those without the measure last."""
        return tuple(sorted(self.rows, key=lambda r: -abs(getattr(r, self.measure) or 0.0)))

    @property
    def derivatives(self) -> Any:
        """∂f/∂x in the nest of the inputs."""
        return self.point.like_input(np.array([r.derivative for r in self.rows]))

    @property
    def relative(self) -> Any:
        """(x/f) ∂f/∂x in the nest of the inputs; NaN where there is none."""
        return self.point.like_input(np.array([math.nan if r.relative is None else r.relative for r in self.rows]))

    def table(self, most: int = 20) -> str:
        """The ranked rows as text."""
        head = ("input", "value", "∂f/∂x", "relative", "scaled", "")
        body = [_cells(r) for r in self.ranked[:most]]
        keep = [k for k in range(6) if k < 4 or any(row[k] for row in body)]
        widths = [max(len(row[k]) for row in (head, *body)) for k in range(6)]
        lines = ["  ".join(f"{row[k]:{'<' if k in (0, 5) else '>'}{widths[k]}}" for k in keep) for row in (head, *body)]
        left = len(self.rows) - most
        return "\n".join([line.rstrip() for line in lines] + ([f"… {left} more"] if left > 0 else []))

    def curves(self, most: int = 6, points: int = POINTS) -> tuple[Curve, ...]:
        """f along each of the first inputs of the ranking: over its range, ±2 std, or ±50 %."""
        order = [self.point.labels.index(r.label) for r in self.ranked[:most]]
        return tuple(_curve(self, k, points) for k in order)

    def sobol(self, samples: int = 1024, seed: int = 0) -> Sobol:
        """Global indices: inputs uniform over `ranges`, or normal with `std`. `samples` is a power of two.

        >>> s = sensitivity("x + 2y + 0 z", at=(0.0, 0.0, 1.0), ranges=((0, 1), (0, 1), (0, 1))).sobol()
        >>> s.first.round(2) + 0.0
        array([0.2, 0.8, 0. ])
        """
        return _sobol(self, samples, seed)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Bars of the ranking, and one-at-a-time curves beside them."""
        from tangently.pictures.surrogates import plot_sensitivity

        return plot_sensitivity(self, ax, **options)

    def __repr__(self) -> str:
        name = self.point.output_labels[self.output]
        head = f"<sensitivity of {name} = {self.value:.6g}, ranked by {MEASURES[self.measure]}>"
        return "\n".join([head, self.table(), *[f"kink: {words}" for words in self.point.kinks]])


def sensitivity(
    f: Any, at: Any, *, std: Any = None, ranges: Any = None, wrt: Wrt = None, output: int | None = None
) -> Sensitivity:
    """Which input matters at a point: derivatives, relative sensitivities (x/f) ∂f/∂x, and scaled ones, ranked.

    `std` (a number for all, or a nest like the inputs) or `ranges` (a (low, high) for all, one for each entry, or a
    dict of them by label) say how far inputs move; a function of several outputs needs `output`, the number of one.

    Raises InputError for what is not a spread or a range, ShapeError for several outputs.

    >>> s = sensitivity("a b^2 / c", at=(3.0, 2.0, 4.0))
    >>> print(s)
    <sensitivity of f = 3, ranked by relative sensitivity>
    input  value  ∂f/∂x  relative
    b          2      3         2
    a          3      1         1
    c          4  -0.75        -1
    """
    point = flat(f, at, wrt)
    k = _which(point, output)
    if std is not None and ranges is not None:
        raise InputError("give std= or ranges=, not both")
    stds = None if std is None else spread(point, std, "std")
    spans = None if ranges is None else _spans(point, ranges)
    reach = stds if spans is None else (spans[:, 1] - spans[:, 0]) / 2
    rows = [_row(point, k, i, None if reach is None else float(reach[i])) for i in range(len(point.at))]
    known = any(r.relative is not None for r in rows)
    measure = "scaled" if reach is not None else "relative" if known and any(r.relative for r in rows) else "derivative"
    return Sensitivity(point, k, tuple(rows), measure, stds, spans)


def _which(point: Flat, output: Any) -> int:
    m = len(point.y)
    if output is None and m != 1:
        names = ", ".join(f"{k}: {name}" for k, name in enumerate(point.output_labels[:6]))
        raise ShapeError(f"{point.name} returned {m} numbers: choose one by output= ({names})")
    if isinstance(output, str) and output in point.output_labels:
        return point.output_labels.index(output)
    k = 0 if output is None else output
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 0 <= k < m:
        names = ", ".join(point.output_labels[:6])
        raise InputError(f"output={output!r}: a number from 0 to {m - 1}, or a name ({names}), was wanted")
    return int(k)


def _spans(point: Flat, ranges: Any) -> np.ndarray:
    """(low, high) for each entry."""
    if isinstance(ranges, dict):
        arrays = [name.partition("[")[0] for name in point.labels]
        unknown = set(ranges) - {*point.labels, *arrays}
        if unknown:
            raise InputError(f"ranges names {', '.join(sorted(unknown))}; there are {', '.join(point.labels[:8])}")
        ranges = [ranges.get(k, ranges.get(a, (x, x))) for k, a, x in zip(point.labels, arrays, point.at)]
    try:
        found = np.broadcast_to(np.asarray(ranges, float), (len(point.at), 2)).copy()
    except ValueError:
        raise InputError(f"ranges={ranges!r:.60}: (low, high), or one for each of {len(point.at)} inputs") from None
    if not (np.isfinite(found).all() and (found[:, 0] <= found[:, 1]).all()):
        raise InputError(f"ranges={ranges!r:.60}: finite numbers, low before high, were wanted")
    return found


def _row(point: Flat, k: int, i: int, reach: float | None) -> Row:
    x, f, slope = float(point.at[i]), float(point.y[k]), float(point.jacobian[k, i])
    if abs(f) <= ROUNDED * float(np.abs(point.at) @ np.abs(point.jacobian[k])):
        f = 0.0  # but for rounding
    notes = []
    if f == 0:
        notes.append("f = 0: no relative sensitivity")
    elif x == 0 and slope:
        notes.append("x = 0: relative sensitivity 0 at any slope")
    if not slope:
        notes.append("no slope here")
    relative = None if f == 0 else x / f * slope
    return Row(point.labels[i], x, slope, relative, None if reach is None else reach * slope, "; ".join(notes))


def _cells(row: Row) -> tuple[str, ...]:
    number = lambda x: "" if x is None else f"{x + 0.0:.4g}"
    relative = "none" if row.relative is None else number(row.relative)
    return row.label, number(row.value), number(row.derivative), relative, number(row.scaled), row.note


def _curve(s: Sensitivity, k: int, points: int) -> Curve:
    low, high = _window(s, k)
    along = np.linspace(low, high, points)
    inputs = np.repeat(s.point.at[None], points, 0)
    inputs[:, k] = along
    return Curve(s.point.labels[k], along, np.array([_value(s, x) for x in inputs]))


def _value(s: Sensitivity, x: np.ndarray) -> float:
    return float(tried(s.point, x)[s.output])


def _window(s: Sensitivity, k: int) -> tuple[float, float]:
    x = float(s.point.at[k])
    if s.ranges is not None and s.ranges[k, 0] < s.ranges[k, 1]:
        return float(s.ranges[k, 0]), float(s.ranges[k, 1])
    reach = 2 * float(s.stds[k]) if s.stds is not None and s.stds[k] > 0 else abs(x) / 2 or 1.0
    return x - reach, x + reach


def _sobol(s: Sensitivity, samples: int, seed: int) -> Sobol:
    from scipy import stats

    if whole(samples) < 2 or samples & (samples - 1):
        raise InputError(f"samples={samples!r}: a power of two was wanted, as 1024")
    moving, law = _laws(s, stats)
    if not moving:
        raise InputError("sobol needs std= or ranges= in sensitivity(…), with at least one input that moves")

    def model(x: np.ndarray) -> np.ndarray:
        inputs = np.repeat(s.point.at[None], x.shape[1], 0)
        inputs[:, moving] = x.T
        return _defined(s, np.array([[_value(s, row) for row in inputs]]))

    names = inspect.signature(stats.sobol_indices).parameters
    seeded: Any = {"rng" if "rng" in names else "random_state": generator(seed)}  # before SciPy 1.15
    found = stats.sobol_indices(func=model, n=samples, dists=law, **seeded)
    first, total = np.zeros(len(s.rows)), np.zeros(len(s.rows))
    first[moving], total[moving] = np.ravel(found.first_order), np.ravel(found.total_order)
    return Sobol(tuple(s.point.labels), first, total)


def _defined(s: Sensitivity, values: np.ndarray) -> np.ndarray:
    """Values whose variance can be shared out."""
    lost = int((~np.isfinite(values)).sum())
    if lost:
        raise DomainError(
            f"{s.point.name} has no value at {lost} of {values.size} places that its inputs reach, so there is no "
            "variance to share: give ranges= inside of its domain"
        )
    if np.ptp(values) <= ROUNDED * np.abs(values).max():
        raise DomainError(f"{s.point.name} does not vary over the ranges of its inputs: there is no variance to share")
    return values


def _laws(s: Sensitivity, stats: Any) -> tuple[list[int], list[Any]]:
    """Which inputs move, and how they are distributed."""
    if s.ranges is not None:
        moving = [k for k, (low, high) in enumerate(s.ranges) if low < high]
        return moving, [stats.uniform(s.ranges[k, 0], s.ranges[k, 1] - s.ranges[k, 0]) for k in moving]
    moving = [] if s.stds is None else [k for k, sigma in enumerate(s.stds) if sigma > 0]
    return moving, [stats.norm(s.point.at[k], s.stds[k]) for k in moving]  # type: ignore[index]


__all__ = ["Curve", "Row", "Sensitivity", "Sobol", "sensitivity"]
