"""`landscape`: a function on a grid, over its own one or two numbers or over a slice of more, and the paths on it.

A slice is a line or plane x = origin + s₁d₁ + s₂d₂ of the space of all numbers. It is chosen

- along **start–end**: d₁ from the last point of a path to its first (the linear interpolation of Goodfellow, Vinyals &
  Saxe, *Qualitatively characterizing neural network optimization problems*, 2015), d₂ along most of what d₁ leaves;
- along **pca**: the first right singular vectors of the path, seen from its last point;
- along **hessian**: the eigenvectors at the last point whose eigenvalues are largest in size (by Lanczos' method, from
  products of the Hessian with vectors, where there are many numbers);
- along **random** directions that are scaled filter by filter to the size of the weights (Li, Xu, Taylor, Studer &
  Goldstein, *Visualizing the loss landscape of neural nets*, 2018): of a matrix each column, which feeds one unit in
  x @ W; of a kernel each entry of the first axis; vectors stay as they are where there are matrices.

A slice shows what it holds and nothing else, so `Slice.held` measures it: of the squared distances of the path's points
from the origin of the slice, the share that lies in the slice; and `Slice.followed`, the same of its steps.
"""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently.descent.problems import Counts, Problem, problem_of
from tangently.descent.trajectory import Trajectory
from tangently.errors import InputError, TangentlyError

Interval = tuple[float, float]
ALONG = ("start-end", "pca", "hessian", "random")
GRID, COARSE, LINE = 121, 9, 401  # samples along a side of a plane (at least), and of a line
DENSE = 200  # numbers up to which the Hessian is made as a matrix
BUDGET = 3000  # boxes in the search for critical points
ROWS = 400  # of a path that its principal directions are taken from
RUNAWAY = 4.0  # times as far as its first steps: a path that diverges is cut there
EARLY = 3  # steps that must stay visible


# ---------------------------------------------------------------- lines and planes


@dataclass(frozen=True)
class Slice:
    """The line or plane origin + s·directions (one direction a row). `words` say how it was chosen."""

    origin: np.ndarray
    directions: np.ndarray
    labels: tuple[str, ...]
    how: str
    words: str = ""

    @property
    def whole(self) -> bool:
        """Does it hold all of the space?"""
        return self.how == "coordinates"

    @property
    def order(self) -> np.ndarray:
        """Which of the numbers each axis is, in a slice that is whole."""
        return np.argmax(self.directions, axis=1)

    def point(self, s: Any) -> np.ndarray:
        """The flat vector at coordinates s."""
        return self.origin + np.asarray(s, float) @ self.directions

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        """The coordinates of the nearest points of the slice; x is one flat vector or one a row.

        >>> Slice(np.zeros(3), np.eye(3)[:2], ("a", "b"), "pca").coordinates(np.array([1.0, 2.0, 3.0])).tolist()
        [1.0, 2.0]
        """
        return (x - self.origin) @ self._dual

    @functools.cached_property
    def _dual(self) -> np.ndarray:
        """Directions need not be orthogonal: least squares."""
        return np.linalg.pinv(self.directions)

    def held(self, path: np.ndarray) -> float:
        """The share of the squared distances of the points from the origin that lies in the slice.

        >>> Slice(np.zeros(2), np.array([[1.0, 0.0]]), ("a",), "pca").held(np.array([[3.0, 4.0]]))
        0.36
        """
        return 1.0 if self.whole else _share(path - self.origin, self)

    def followed(self, path: np.ndarray) -> float:
        """The share of the squared lengths of the steps that lies in the slice."""
        return 1.0 if self.whole else _share(np.diff(path, axis=0), self)


def _share(vectors: np.ndarray, slice_: Slice) -> float:
    largest = float(np.abs(vectors).max(initial=0.0))
    if not largest:
        return 1.0
    scaled = vectors / largest
    inside = scaled @ slice_._dual @ slice_.directions
    return float((inside**2).sum() / (scaled**2).sum())


def coordinate_slice(problem: Problem) -> Slice:
    """The space of one or two numbers itself; x lies horizontally, also where a formula names y first."""
    order = [1, 0] if problem.labels == ["y", "x"] else list(range(problem.size))
    labels = tuple(problem.labels[k] for k in order)
    return Slice(np.zeros(problem.size), np.eye(problem.size)[order], labels, "coordinates")


def choose_slice(
    problem: Problem, paths: Sequence[np.ndarray], origin: np.ndarray, along: Any, dimensions: int, seed: int
) -> Slice:
    """The slice through the origin that `along` names, or that a pair of directions spans."""
    if along is None and problem.size <= 2:
        return coordinate_slice(problem)
    name = along if along is not None else "pca" if any(len(p) > 1 for p in paths) else "hessian"
    if not isinstance(name, str):
        return _given(problem, origin, name)
    key = name.lower().replace("–", "-").replace("_", "-").replace(" ", "-")
    if key not in ALONG:
        raise InputError(f"along={along!r}; one of {', '.join(ALONG)}, or a pair of directions, was wanted")
    if key in ("start-end", "pca") and not any(len(p) > 1 and np.ptp(p, axis=0).any() for p in paths):
        raise InputError(f"along={name!r} needs a path that moves: give around=trajectory, or along='hessian'")
    chosen = {"start-end": _start_end, "pca": _principal, "hessian": _curved, "random": _random}[key]
    return chosen(problem, paths, origin, min(dimensions, problem.size), seed)


def _given(problem: Problem, origin: np.ndarray, along: Any) -> Slice:
    """A direction in the form of the start, or a pair of them."""
    try:
        rows = [problem.flat(along)]
    except TangentlyError:
        rows = [problem.flat(v) for v in along]
    directions = np.array(rows)
    if len(directions) > 2 or np.linalg.matrix_rank(directions) < len(directions) or not np.isfinite(directions).all():
        raise InputError("along= wants one direction, or two that are not parallel, in the form of the start")
    labels = tuple(f"steps along direction {k}" for k in range(1, len(directions) + 1))
    return Slice(origin, directions, labels, "given", "directions that were given")


def _start_end(problem: Problem, paths: Sequence[np.ndarray], origin: np.ndarray, dimensions: int, seed: int) -> Slice:
    path = next(p for p in paths if len(p) > 1 and np.ptp(p, axis=0).any())
    offsets = _offsets(paths, origin)
    back = path[0] - origin if (path[0] != origin).any() else offsets[np.argmax((offsets**2).sum(axis=1))]
    first = back / np.linalg.norm(back)
    rest = offsets - np.outer(offsets @ first, first)
    directions = _completed([first, *_singular(rest, dimensions - 1)], dimensions)
    labels = ("from the end (0) toward the start", "across, along most of the rest")[:dimensions]
    words = "the line from start to end" + ", and most of the rest" * (dimensions > 1)
    return Slice(origin, directions, labels, "start-end", words)


def _principal(problem: Problem, paths: Sequence[np.ndarray], origin: np.ndarray, dimensions: int, seed: int) -> Slice:
    directions = _completed(_singular(_offsets(paths, origin), dimensions), dimensions)
    labels = tuple(f"principal direction {k} of the path" for k in range(1, dimensions + 1))
    return Slice(origin, directions, labels, "pca", "the principal directions of the path")


def _offsets(paths: Sequence[np.ndarray], origin: np.ndarray) -> np.ndarray:
    """Where the paths went, seen from the origin, by at most ROWS points."""
    joined = np.concatenate(paths) - origin
    return joined if len(joined) <= ROWS else joined[np.linspace(0, len(joined) - 1, ROWS).round().astype(int)]


def _singular(rows: np.ndarray, count: int) -> list[np.ndarray]:
    """The first right singular vectors that are not noise."""
    size = float(np.abs(rows).max(initial=0.0))
    if not count or not size:
        return []
    _, values, vectors = np.linalg.svd(rows / size, full_matrices=False)
    return [v for s, v in zip(values[:count], vectors) if s > 1e-10 * max(1.0, values[0])]


def _completed(found: Sequence[np.ndarray], count: int) -> np.ndarray:
    """So many orthonormal directions: where the path has too few, the axis that is least along them."""
    rows = list(found)[:count]
    while len(rows) < count:
        known = np.array(rows)
        axis = np.zeros(known.shape[1])
        axis[np.argmin((known**2).sum(axis=0))] = 1.0
        axis -= known.T @ (known @ axis)
        rows.append(axis / np.linalg.norm(axis))
    return np.array(rows)


def _curved(problem: Problem, paths: Sequence[np.ndarray], origin: np.ndarray, dimensions: int, seed: int) -> Slice:
    values, vectors = top_eigenpairs(problem, origin, dimensions, seed)
    labels = tuple(f"eigenvector of the Hessian, λ = {v:.4g}" for v in values)
    return Slice(origin, vectors, labels, "hessian", "eigenvectors of the Hessian with the largest eigenvalues")


def top_eigenpairs(problem: Problem, x: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues of ∇²f(x) that are largest in size, and their eigenvectors (one a row).

    >>> values, vectors = top_eigenpairs(problem_of("x^2 + 5y^2 - 2z^2", (0.0, 0.0, 0.0)), np.zeros(3), 2)
    >>> values.tolist(), np.abs(vectors).tolist()
    ([10.0, -4.0], [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    if problem.size <= DENSE:
        values, vectors = np.linalg.eigh(problem.hessian(x))
    else:
        from scipy.sparse.linalg import LinearOperator, eigsh

        product: Any = {"matvec": lambda v: problem.hvp(x, np.ravel(v)), "dtype": float}
        operator = LinearOperator((problem.size, problem.size), **product)
        start = np.random.default_rng(seed).standard_normal(problem.size)
        options: Any = {"which": "LM", "v0": start, "tol": 1e-4}
        values, vectors = eigsh(operator, k=count, **options)
    order = np.argsort(-np.abs(values))[:count]
    return values[order], vectors.T[order] + 0.0


def _random(problem: Problem, paths: Sequence[np.ndarray], origin: np.ndarray, dimensions: int, seed: int) -> Slice:
    generator = np.random.default_rng(seed)
    rows = [filter_normalized(problem, origin, generator.standard_normal(problem.size)) for _ in range(dimensions)]
    labels = tuple(f"random direction {k}, scaled by filters" for k in range(1, dimensions + 1))
    return Slice(origin, np.array(rows), labels, "random", f"random directions scaled by filters, seed {seed}")


def filter_normalized(problem: Problem, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The direction, each filter of it as large as that of the weights x.

    >>> p = problem_of(lambda W: (W**2).sum(), np.array([[3.0, 0.5], [4.0, 0.0]]))
    >>> d = filter_normalized(p, p.start, np.ones(4)).reshape(2, 2)
    >>> [round(float(v), 12) for v in np.linalg.norm(d, axis=0)]
    [5.0, 0.5]
    """
    out, layered = np.array(direction, float), any(len(s) > 1 for s in problem.layout.shapes)
    for (a, b), shape in zip(problem.layout.spans, problem.layout.shapes):
        d, w = out[a:b].reshape(shape), x[a:b].reshape(shape)
        axes = None if len(shape) < 2 else (0,) if len(shape) == 2 else tuple(range(1, len(shape)))
        if axes is None and layered:
            out[a:b] = 0.0
            continue
        size = np.sqrt((w**2).sum(axis=axes, keepdims=True))
        drawn = np.sqrt((d**2).sum(axis=axes, keepdims=True))
        out[a:b] = (d / np.where(drawn, drawn, 1.0) * size).reshape(-1)
    if not out.any():
        raise InputError(
            "the weights are all 0, so directions of their size are too: give along='hessian', or other weights"
        )
    return out


# ---------------------------------------------------------------- the window


def window(paths: Sequence[np.ndarray], runs_away: Sequence[bool]) -> tuple[Interval, ...]:
    """A box around the paths with room on all sides; of those that diverge around their beginning.

    A side much shorter than the other is widened, so that shapes can be seen; one very much shorter keeps its scale.
    """
    kept = np.concatenate([p[: _readable(p)] if away else p for p, away in zip(paths, runs_away)])
    low, high = kept.min(axis=0), kept.max(axis=0)
    span = high - low
    longest = float(span.max()) or max(1.0, 0.2 * float(np.abs(kept).max()))
    side = np.where((span >= longest / 8) | (span < 1e-9 * longest), np.maximum(span, longest / 1.25), span)
    middle, half = (low + high) / 2, side / 2 + 0.18 * np.where(side, side, 1.0)
    return tuple((float(m - h), float(m + h)) for m, h in zip(middle, half))


def _readable(path: np.ndarray) -> int:
    """How many points stay near enough to the first steps that those are still seen."""
    far = np.maximum.accumulate(np.abs(path - path[0]).max(axis=1))
    first = far[min(EARLY, len(far) - 1)]
    return max(2, int((far <= RUNAWAY * first).sum())) if first else len(path)


def diverged(t: Trajectory) -> bool:
    """Did the loss end above where it began?"""
    values = t.history.values
    return len(values) > 1 and not values[-1] <= values[0]


# ---------------------------------------------------------------- the landscape


@dataclass(frozen=True, repr=False)
class Landscape:
    """A function on a grid over a line or plane. `values[j, i]` is f at `axes[0][i]`, `axes[1][j]`, nan where
    it has no value.

    `points` are the critical points in the box, where all of the space is seen and they can be searched for; `held`
    says how much of each trajectory the slice holds.
    """

    problem: Problem
    slice: Slice
    axes: tuple[np.ndarray, ...]
    values: np.ndarray
    trajectories: tuple[Trajectory, ...] = ()
    budget: int = field(default=BUDGET, repr=False)

    @property
    def box(self) -> tuple[Interval, ...]:
        return tuple((float(a[0]), float(a[-1])) for a in self.axes)

    @property
    def held(self) -> tuple[float, ...]:
        """Of each trajectory the share of its squared distances from the origin that lies in the slice."""
        return tuple(self.slice.held(t.path) for t in self.trajectories)

    @functools.cached_property
    def points(self) -> Any:
        """The critical points in the box with their kinds, or () where they can't be searched for."""
        p = self.problem
        if not self.slice.whole or p.fixed or not self.budget:
            return ()
        from tangently.descent.stationary import critical_points

        box: Any = self.box
        region = dict(zip(self.slice.labels, box)) if p.layout.numbers else {p.layout.names[0]: box}
        try:
            return critical_points(p.function, region, budget=self.budget)
        except (TangentlyError, ArithmeticError):
            return ()  # a black box or a formula that can't be enclosed: a picture does without

    @property
    def words(self) -> str:
        """What is seen, in a sentence."""
        where = " × ".join(f"[{a:.4g}, {b:.4g}]" for a, b in self.box)
        over = ", ".join(self.slice.labels) if self.slice.whole else f"a slice along {self.slice.words}"
        good = self.values[np.isfinite(self.values)]
        heights = f"values from {good.min():.4g} to {good.max():.4g}" if good.size else "no finite value"
        if 0 < good.size < self.values.size:
            heights += f", {self.values.size - good.size} of {self.values.size} places without a value"
        return f"{self.problem.name} over {over} in {where}, {heights}{self._holding}"

    @property
    def _holding(self) -> str:
        if self.slice.whole or not self.trajectories:
            return ""
        return "; it holds " + ", ".join(f"{100 * h:.3g} % of {t.method}" for h, t in zip(self.held, self.trajectories))

    def __repr__(self) -> str:
        return f"<Landscape: {self.words}>"

    def plot(self, ax: Any = None, *, paths: Any = None, kind: str = "contour", **options: Any) -> Any:
        """Contours, or with kind="surface" the graph in space, with paths; a function of one number is a curve."""
        from tangently.pictures.landscapes import plot_landscape

        return plot_landscape(self, ax, paths=paths, kind=kind, **options)

    def save(self, path: Any, **options: Any) -> Any:
        """The picture as .svg, .png or .pdf."""
        from tangently.pictures.saving import save_figure

        return save_figure(self.plot(**options), path)


def landscape(
    f: Any = None,
    region: Any = None,
    *,
    around: Any = None,
    along: Any = None,
    at: Any = None,
    data: Any = None,
    dimensions: int = 2,
    count: int | None = None,
    seconds: float = 4.0,
    seed: int = 0,
    budget: int = BUDGET,
) -> Landscape:
    """A function over a region, around one or several trajectories, or in a slice through a point.

    `region`: (lo, hi) for one number, a pair for two, by position or by name; in a slice of more numbers, the ends of
    its coordinates. `around`: a trajectory or several. `along`: "start-end", "pca", "hessian", "random", or directions,
    needed where there are more than two numbers (or with dimensions=1 for a line); `at`: the point it goes through, the
    end of the path otherwise. The grid has `count` points along a side, or as many as the `seconds` allow.

    >>> land = landscape("x^2 + y^2", ((-1, 1), (-2, 2)), count=5)
    >>> float(land.values.min()), [p.kind for p in land.points]
    (0.0, ['minimum'])
    >>> land
    <Landscape: f over x, y in [-1, 1] × [-2, 2], values from 0 to 5>
    """
    f, runs = _subject(f, around)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r}: a whole number, 0 or more, was wanted")
    if dimensions not in (1, 2):
        raise InputError(f"dimensions={dimensions!r}; 1 (a line) or 2 (a plane) was wanted")
    problem = _problem(f, region, at, data, runs)
    origin = problem.flat(at) if at is not None else runs[0].last.x if runs else problem.start
    if dimensions == 1 and problem.size > 1 and along is None:
        along = "start-end" if runs else "hessian"
    chosen = choose_slice(problem, [t.path for t in runs], origin, along, dimensions, seed)
    box = _box(problem, chosen, region, runs)
    axes, values = _grid(problem, chosen, box, count, seconds)
    return Landscape(problem, chosen, axes, values, runs, budget)


def _subject(f: Any, around: Any) -> tuple[Any, tuple[Trajectory, ...]]:
    """The function, and the trajectories around which it is looked at."""
    if isinstance(f, Trajectory):
        f, around = None, f if around is None else around
    runs = (around,) if isinstance(around, Trajectory) else tuple(around or ())
    if not all(isinstance(t, Trajectory) for t in runs):
        raise InputError(f"got around={around!r:.60}; a trajectory, or several, was wanted, as minimize returns")
    if f is None and not runs:
        raise InputError("nothing to look at was given: give a function, or around=trajectory")
    if len({t.problem.size for t in runs}) > 1:
        raise InputError("the trajectories are of functions of different sizes: one landscape can't hold them")
    return f, runs


def _problem(f: Any, region: Any, at: Any, data: Any, runs: Sequence[Trajectory]) -> Problem:
    """A problem of its own, so that the counts of a trajectory stay those of its descent."""
    if f is None or (runs and data is None and runs[0].problem.fixed):
        own = copy.copy(runs[0].problem)
        own.counts = Counts()
        own.on_all()
        return own
    start = at if at is not None else runs[0].x if runs else None
    if start is None:
        try:
            return problem_of(f, None, data)
        except InputError:
            start = _middle(region)
        try:
            return problem_of(f, start, data)
        except InputError as error:
            raise InputError(f"the region {region!r:.60} does not fit the function: {error}") from None
    return problem_of(f, start, data)


def _middle(region: Any) -> Any:
    if region is None:
        raise InputError("where? give region=(lo, hi), or ((lo, hi), (lo, hi)), or around=trajectory, or at=point")
    if isinstance(region, dict):
        return {k: np.mean(_pairs(v), axis=1).squeeze()[()] for k, v in region.items()}
    middles = tuple(np.mean(_pairs(region), axis=1).tolist())
    return middles[0] if len(middles) == 1 else middles


def _pairs(region: Any) -> np.ndarray:
    """Rows (lo, hi)."""
    try:
        rows = np.array([[_end(v) for v in row] for row in ([region] if np.ndim(region[0]) == 0 else region)])
    except (TypeError, ValueError, IndexError, KeyError):
        rows = np.zeros((0, 2))
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows) or not (rows[:, 0] < rows[:, 1]).all():
        raise InputError(f"got the region {region!r:.60}; (lo, hi) with lo < hi, or a pair of them, was wanted")
    if not np.isfinite(rows).all():
        raise InputError(f"got the region {region!r:.60}; finite ends were wanted")
    return rows


def _end(v: Any) -> float:
    if not isinstance(v, str):
        return float(v)
    from tangently.parsing import parse

    return float(parse(v)())


def _box(problem: Problem, chosen: Slice, region: Any, runs: Sequence[Trajectory]) -> tuple[Interval, ...]:
    if region is not None:
        rows = _named(problem, region) if isinstance(region, dict) else _pairs(region)
        if len(rows) == 1 and len(chosen.labels) == 2:
            rows = np.repeat(rows, 2, axis=0)
        if len(rows) != len(chosen.labels):
            raise InputError(
                f"got {len(rows)} intervals; the picture has {len(chosen.labels)} axes: one for each was wanted"
            )
        if chosen.whole:
            rows = rows[chosen.order]
        return tuple((float(a), float(b)) for a, b in rows)
    if runs and chosen.how != "random":  # whose unit is the size of the weights
        return window([chosen.coordinates(t.path) for t in runs], [diverged(t) for t in runs])
    half = 1.0 if chosen.how in ("random", "given") else max(1.0, 0.25 * float(np.linalg.norm(chosen.origin)))
    center = chosen.coordinates(problem.start) if chosen.whole else np.zeros(len(chosen.labels))
    return tuple((float(c - half), float(c + half)) for c in center)


def _named(problem: Problem, region: dict[str, Any]) -> np.ndarray:
    """The intervals by the names of the arguments or of their entries, in the order of the numbers."""
    missing = [n for n in problem.labels if n not in region and n.partition("[")[0] not in region]
    if missing:
        raise InputError(f"the region has no interval for {', '.join(missing)}; it has {', '.join(map(str, region))}")
    if set(region) <= set(problem.labels):
        return np.concatenate([_pairs(region[n]) for n in problem.labels])
    return np.concatenate([_pairs(region[n]) for n in problem.layout.names])


# ---------------------------------------------------------------- the grid


def _grid(
    problem: Problem, chosen: Slice, box: Sequence[Interval], count: int | None, seconds: float
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if count is not None and not (whole and count >= 2):
        raise InputError(f"count={count!r}; at least 2 samples along a side were wanted")
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < np.inf:
        raise InputError(f"seconds={seconds!r}; how long to look, 0 or more, was wanted")
    at_once = _vectorized(problem, chosen)
    n = count or (GRID if at_once else _affordable(problem, chosen, len(box), seconds))
    n = LINE if len(box) == 1 and count is None else n
    axes = tuple(np.linspace(a, b, n) for a, b in box)
    grids = np.meshgrid(*axes)
    if at_once is not None:
        return axes, at_once(*grids)
    where = np.stack([g.ravel() for g in grids], axis=1)
    with np.errstate(all="ignore"):
        found = np.array([problem.value(chosen.point(s)) for s in where], float).reshape(grids[0].shape)
    return axes, np.where(np.isfinite(found), found, np.nan)


def _vectorized(problem: Problem, chosen: Slice) -> Callable[..., np.ndarray] | None:
    """The function for whole grids, where it is one of just these one or two numbers."""
    from tangently.pictures.sampling import sample
    from tangently.pictures.subject import parameters

    names = [p.name for p in parameters(problem.function) or []]
    if not (chosen.whole and problem.layout.numbers and not problem.fixed and names == list(problem.layout.names)):
        return None
    places = np.argsort(chosen.order)
    return lambda *grids: sample(problem.function, *(grids[k] for k in places))


def _affordable(problem: Problem, chosen: Slice, dimensions: int, seconds: float) -> int:
    """As many samples along a side as the time allows, by the time of a few values."""
    middle = np.zeros(len(chosen.labels))
    problem.value(chosen.point(middle))  # the first call compiles
    begun = time.perf_counter()
    for k in range(1, 4):
        problem.value(chosen.point(middle))
        spent = (time.perf_counter() - begun) / k
        if spent > 0.2:
            break
    n = int((seconds / spent) ** (1 / dimensions))
    return max(COARSE, min(GRID if dimensions == 2 else LINE, n))


__all__ = [
    "ALONG", "Landscape", "Slice", "choose_slice", "diverged", "filter_normalized", "landscape", "top_eigenpairs",
    "window",
]  # fmt: skip
