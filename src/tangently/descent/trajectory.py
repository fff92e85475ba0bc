"""`Trajectory`: what a descent did. A table, measured rates, why it stopped; saved, loaded and resumed.

Value, ‖∇f‖, rate and step length of *every* step are in `history`. The steps themselves (with their vectors) are kept
too, all of them while they fit `KEEP` bytes; then every second one is let go, again and again, so that the kept ones
stay evenly spaced. The last step is always kept.

Rates. With errors eₖ = ‖xₖ − x*‖, where x* is the last point, the linear rate is the geometric mean of eₖ₊₁/eₖ over
the last steps that stand clear of x*'s own error, and the order q is the slope of log eₖ₊₁ against log eₖ (Nocedal &
Wright, *Numerical Optimization*, 2nd ed., §A.2). Where too few vectors were kept, ‖∇f‖ takes the place of the error.
"""

from __future__ import annotations

import functools
import inspect
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent.problems import Counts, Layout, Problem, problem_of
from tangently.descent.steps import Point, Step, frozen
from tangently.errors import InputError
from tangently.files import write_whole

if TYPE_CHECKING:
    from tangently.descent.methods import State
    from tangently.descent.theory import Theory

TAIL = 12  # steps that a rate is measured on
CLEAR = 250  # times the last point's own error: distances to it are true to 0.4 %
STEADY = 1e-9  # a factor as near to 1 as that is 1
COLUMNS = ("step", "x", "f(x)", "‖∇f‖", "step length", "next x")
ENDINGS = (
    "tolerance", "below", "relative step", "no further", "steps", "seconds", "evaluations", "not finite", "unbounded",
    "interrupted",
)  # fmt: skip
SHOWN = 25  # rows of a table that is printed


@dataclass(frozen=True)
class History:
    """One entry for every step taken, and in `values` and `norms` one more: where it ended."""

    values: np.ndarray
    norms: np.ndarray
    rates: np.ndarray
    lengths: np.ndarray

    def joined(self, later: History) -> History:
        """With what came later; the end of this one is the beginning of that."""
        together = lambda a, b, cut: np.concatenate([a[:-1] if cut else a, b])
        return History(
            together(self.values, later.values, True), together(self.norms, later.norms, True),
            together(self.rates, later.rates, False), together(self.lengths, later.lengths, False),
        )  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """How fast it converged: eₖ₊₁ ≈ factor · eₖ^order (`linear`: the mean of eₖ₊₁/eₖ). nan where it can't be told.

    e is the distance to the limit where the last point is near enough to stand for it, else ‖∇f‖.
    """

    linear: float
    order: float  # nan: faster than linear, not by one order
    steps: int  # that it was measured on
    of: str = "the error"  # or "‖∇f‖"

    def __str__(self) -> str:
        if not self.steps:
            return "too few steps to measure a rate"
        on = f"measured on {counted(self.steps, 'step')}"
        if math.isnan(self.order):
            return f"{self.of} shrinks ever faster (superlinear), {on}"
        if self.order >= 1.6:
            return f"{self.of} shrinks with order {self.order:.2f} (superlinear), {on}"
        if abs(self.linear - 1) < STEADY:
            return f"{self.of} stays about the same, {on}"
        verb = "shrinks" if self.linear < 1 else "grows"
        return f"{self.of} {verb} by the factor {near_one(self.linear)} a step (linear), {on}"


def near_one(factor: float) -> str:
    """A factor, by what it lacks, or has over, where it is nearly 1.

    >>> near_one(0.98), near_one(1 - 2e-8), near_one(1.0003)
    ('0.98', '1 − 2e-08', '1 + 0.0003')
    """
    if not 0 < abs(factor - 1) < 1e-3:
        return f"{factor:.4g}"
    return f"1 {'−' if factor < 1 else '+'} {abs(1 - factor):.2g}"


@dataclass(frozen=True, repr=False)
class Trajectory:
    """What a descent did. Made by `minimize`; `.x` and `.value` are the result, `.reason` says why it stopped.

    `steps`: the kept steps. `last`: the final point, flat, with its gradient. `history`: every step's numbers.
    `problem`: the function of one flat vector. `state`: what the method remembers, for `resume`.

    >>> from tangently import minimize
    >>> t = minimize("(x - 5)^2", 0.0, method="gradient descent", rate=0.1, steps=3)
    >>> round(t.x, 4), t.reason
    (2.44, 'all 3 steps were taken')
    >>> print(t.table())
    step     x    f(x)  ‖∇f‖  step length  next x
       0     0      25    10            1       1
       1     1      16     8          0.8     1.8
       2   1.8   10.24   6.4         0.64    2.44
       3  2.44  6.5536  5.12
    """

    problem: Problem
    method: str
    settings: Mapping[str, Any]  # method, rate, schedule, tolerance …: what `minimize` was given
    steps: tuple[Step, ...]
    last: Point
    history: History
    reason: str
    converged: bool
    counts: Counts
    seconds: float
    full_value: float  # the loss on all of the data (`last.value` is that of the last batch)
    state: State | None = field(default=None, repr=False)
    ending: str = ""  # one of ENDINGS: `reason` in a word

    # ---- the result

    @property
    def x(self) -> Any:
        """The last good point, in the form of the start."""
        return self.problem.pack(self.last.x)

    @property
    def value(self) -> float:
        return self.full_value

    @property
    def gradient(self) -> Any:
        """∇f at the last point, in the form of the start."""
        return self.problem.pack(self.last.gradient)

    @property
    def norm(self) -> float:
        """‖∇f‖ at the last point."""
        return self.last.norm

    @property
    def labels(self) -> list[str]:
        """Names of the entries of a flat point: x, W1[0, 2]."""
        return self.problem.labels

    @property
    def count(self) -> int:
        """How many steps were taken (`steps` may keep fewer)."""
        return len(self.history.lengths)

    @functools.cached_property
    def path(self) -> np.ndarray:
        """The kept points, one a row, the last point at the end."""
        return np.array([*(s.x for s in self.steps), self.last.x])

    @property
    def values(self) -> np.ndarray:
        return self.history.values

    @property
    def norms(self) -> np.ndarray:
        return self.history.norms

    def __iter__(self) -> Any:
        return iter(self.steps)

    def __len__(self) -> int:
        return self.count

    # ---- to look at

    def table(self, rows: int | None = None) -> Table:
        """The steps as a table to print: all kept ones, or at most `rows`, the first and the last half of them."""
        return Table(tuple(_records(self)), rows, self.labels)

    @functools.cached_property
    def rate(self) -> Rate:
        """How fast it converged, measured on the last steps."""
        return measured_rate(self)

    def theory(self, points: int | None = None) -> Theory:
        """Theory beside practice at (at most so many) steps: λ_max and the bound 2/λ_max, κ, the factor that they
        predict and the one measured, Armijo's and Wolfe's conditions."""
        from tangently.descent.theory import theory

        return theory(self, points)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The path over contours with gradient arrows, or (several dimensions) in a slice; and the loss curve."""
        from tangently.pictures.descent import plot_trajectory  # type: ignore[import-not-found]

        return plot_trajectory(self, ax=ax, **options)

    def animate(self, path: Any = None, **options: Any) -> Any:
        """The path step by step; written as GIF or MP4 by the suffix of `path`."""
        from tangently.pictures.descent import animate_trajectory  # type: ignore[import-not-found]

        return animate_trajectory(self, path, **options)

    def __repr__(self) -> str:
        return f"<Trajectory: {self.words}>"

    @property
    def words(self) -> str:
        """One paragraph: what was done, where it ended, how fast, why it stopped."""
        verdict = "converged" if self.converged else "did not converge"
        spent = f"{counted(self.count, 'step')} in {self.seconds:.3g} s"
        return (
            f"{self.method} on {self.problem.name}, {spent}: {verdict}; {self.reason}."
            f" f went from {self.values[0]:.6g} to {self.value:.6g} at {short_point(self.labels, self.last.x)}, "
            f"‖∇f‖ = {self.norm:.3g}. It took {_spent(self.counts)}. {_capital(str(self.rate))}"
        )

    # ---- to keep

    def save(self, path: Any) -> None:
        """Write it to a file (.npz: arrays and a text of settings; nothing in it is ever executed)."""
        write_whole(Path(path), _bytes(self))

    @staticmethod
    def load(path: Any, f: Any = None, data: Mapping[str, Any] | None = None) -> Trajectory:
        """Read it back. With the function (and data) it can be resumed; without, it can be looked at."""
        return loaded(path, f, data)

    def resume(self, steps: int | None = None, **changes: Any) -> Trajectory:
        """Go on where it stopped, with what the method remembers: the same as if it had not stopped."""
        from tangently.descent.minimizing import resume

        return resume(self, steps, **changes)


# ---------------------------------------------------------------- the table


@dataclass(frozen=True)
class Table:
    """The steps as records (`rows`), printed in aligned columns."""

    rows: tuple[dict[str, Any], ...]
    limit: int | None
    labels: list[str]

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int) -> dict[str, Any]:
        return self.rows[k]

    def __str__(self) -> str:
        return _aligned(self.rows, self.limit or SHOWN, headings(self.labels))

    __repr__ = __str__


def _records(t: Trajectory) -> list[dict[str, Any]]:
    end = {"step": t.count, "x": t.last.x, "f(x)": t.last.value, "‖∇f‖": t.last.norm}
    return [*(dict(zip(COLUMNS, (s.k, s.x, s.value, s.norm, s.length, s.next_x))) for s in t.steps), end]


def headings(labels: Sequence[str]) -> list[str]:
    """The columns in the user's names, where there are few.

    >>> headings(["w[0]", "w[1]"]), headings(["x", "y"])[1::4]
    (['step', 'w', 'f(w)', '‖∇f‖', 'step length', 'next w'], ['(x, y)', 'next (x, y)'])
    """
    names = list(dict.fromkeys(label.partition("[")[0] for label in labels))
    inner = ", ".join(names) if len(names) <= 3 else "x"
    point = f"({inner})" if "," in inner else inner
    named = {"x": point, "f(x)": f"f({inner})", "next x": f"next {point}"}
    return [named.get(c, c) for c in COLUMNS]


def _aligned(rows: Sequence[dict[str, Any]], limit: int, heads: list[str]) -> str:
    half = max(1, limit // 2)
    left_out = len(rows) > limit
    shown = [*rows[:half], *rows[-half:]] if left_out else list(rows)
    cells = [[_cell(row.get(c)) for c in COLUMNS] for row in shown]
    widths = [max(len(row[k]) for row in [heads, *cells]) for k in range(len(COLUMNS))]
    lines = ["  ".join(text.rjust(w) for text, w in zip(row, widths)).rstrip() for row in [heads, *cells]]
    if left_out:
        lines.insert(1 + half, f"… {len(rows) - 2 * half} more …".center(len(lines[0])).rstrip())
    return "\n".join(lines)


def _cell(v: Any) -> str:
    if v is None:
        return ""
    if isinstance(v, np.ndarray):
        inner = ", ".join(f"{e:.6g}" for e in v[:3]) + (", …" if v.size > 3 else "")
        return inner if v.size == 1 else f"({inner})"
    return f"{v:.6g}"


def short_point(labels: list[str], x: np.ndarray) -> str:
    shown = ", ".join(f"{n} = {v:.6g}" for n, v in zip(labels[:4], x))
    return shown + (f" … ({x.size} numbers)" if x.size > 4 else "")


def counted(n: int, what: str) -> str:
    """So many of them.

    >>> counted(1, "step"), counted(3, "step")
    ('1 step', '3 steps')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _spent(c: Counts) -> str:
    named = {
        "value": c.values, "gradient": c.gradients, "Hessian": c.hessians, "Hessian-vector product": c.products,
        "Jacobian": c.jacobians,
    }  # fmt: skip
    return ", ".join(counted(n, what) for what, n in named.items() if n) or "nothing"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


# ---------------------------------------------------------------- rates


def measured_rate(t: Trajectory) -> Rate:
    """The linear rate and the order, from the last steps."""
    errors, of = _errors(t)
    if len(errors) < 3:
        return Rate(math.nan, math.nan, 0)
    tail = errors[-TAIL:]
    return Rate(mean_factor(tail), _order(tail), len(tail) - 1, of)


def mean_factor(tail: np.ndarray) -> float:
    """The geometric mean of the quotients of numbers that follow one another."""
    return float((tail[-1] / tail[0]) ** (1 / (len(tail) - 1)))


def _errors(t: Trajectory) -> tuple[np.ndarray, str]:
    """Distances to the last point, as long as that point's own error is small against them; else gradient norms."""
    if len(t.steps) == t.count and t.count > 4 and _contracts(t):
        far = np.sqrt(((t.path[:-1] - t.last.x) ** 2).sum(axis=1))
        floor = max(CLEAR * _left(t.history.lengths), 1e-14 * (1 + float(np.abs(t.last.x).max())))
        clear = far[: _until(far > floor)]
        if len(clear) >= 4 and _goes_on(clear, far[-1], t.count):
            return clear, "the error"
    norms = t.history.norms
    return norms[: _until((norms > 0) & np.isfinite(norms))], "‖∇f‖"


def _left(lengths: np.ndarray) -> float:
    """How far the limit is from the last point: the geometric sum of the steps to come."""
    r = max(lengths[-1] / lengths[-2], (lengths[-1] / lengths[-5]) ** 0.25)
    return float(lengths[-1] * r / (1 - r)) if r < 1 else math.inf


def _goes_on(clear: np.ndarray, last: float, count: int) -> bool:
    """Would the distances at their factor have come to the last one in the steps that were taken, and not long before?
    (A run that crawls at its end stands for no limit.)"""
    ratio = mean_factor(clear[-TAIL:])
    return 0 < ratio < 1 and count - len(clear) <= 20 + 3 * math.log(last / clear[-1]) / math.log(ratio)


def _contracts(t: Trajectory) -> bool:
    """Do the steps get shorter, so that the last point is near the limit?"""
    lengths = t.history.lengths
    return bool(lengths[-1] < 0.05 * lengths.max())


def _until(good: np.ndarray) -> int:
    """How many entries come before the first that is not good."""
    return int(good.argmin()) if not good.all() else len(good)


def _order(tail: np.ndarray) -> float:
    """The median of the last slopes of log eₖ₊₁ against log eₖ, where the errors fall ever faster (nan: not evenly);
    1 elsewhere."""
    drops = np.diff(np.log(tail))
    late = drops[-4:]
    if len(late) < 3 or late[-1] > math.log(0.1) or late[-2] > math.log(0.7) or late[-1] > 2 * drops.mean():
        return 1.0
    growth = late[1:] / late[:-1]
    return float(np.median(growth)) if np.all(late < 0) and np.all(growth > 1) else math.nan


# ---------------------------------------------------------------- files

FORMAT = 1


def _bytes(t: Trajectory) -> bytes:
    arrays: dict[str, np.ndarray] = {
        "last.x": t.last.x, "last.gradient": t.last.gradient,
        **{f"history.{n}": getattr(t.history, n) for n in ("values", "norms", "rates", "lengths")},
        **{f"steps.{n}": np.array([getattr(s, n) for s in t.steps]) for n in STEP_ARRAYS},
    }  # fmt: skip
    memory = t.state.memory if t.state is not None else {}
    arrays |= {f"memory.{k}": v for k, v in memory.items() if isinstance(v, np.ndarray)}
    meta = {
        "format": FORMAT, "function": t.problem.name, "method": t.method, "settings": dict(t.settings),
        "reason": t.reason, "converged": t.converged, "counts": vars(t.counts), "seconds": t.seconds,
        "value": t.last.value, "full value": t.full_value, "names": t.problem.layout.names,
        "structures": t.problem.layout.structures, "shapes": t.problem.layout.shapes, "paths": t.problem.layout.paths,
        "single": t.problem.layout.single, "tuple": t.problem.given_as is tuple,
        "batch": vars(t.problem.batches) if t.problem.batches else None,
        "notes": [{k: v for k, v in s.notes.items() if isinstance(v, (int, float, str))} for s in t.steps],
        "memory": {k: v for k, v in memory.items() if not isinstance(v, np.ndarray)},
        "resumable": t.state is not None, "ending": t.ending,
    }  # fmt: skip
    arrays["meta"] = np.frombuffer(json.dumps(meta, default=_no_json).encode(), np.uint8)
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


STEP_ARRAYS = ("k", "x", "value", "gradient", "norm", "direction", "rate", "length", "next_x")


def _no_json(v: Any) -> Any:
    if isinstance(v, np.generic):
        return v.item()
    return {"not kept": repr(v)[:80]}


def loaded(path: Any, f: Any, data: Mapping[str, Any] | None) -> Trajectory:
    """What `save` wrote. Raises InputError for a file of another kind."""
    with np.load(Path(path), allow_pickle=False) as file:
        arrays = {k: file[k] for k in file.files}
    if "meta" not in arrays:
        raise InputError(f"{path} is no saved trajectory: a file that Trajectory.save wrote was wanted")
    meta = json.loads(arrays["meta"].tobytes())
    if meta.get("format") != FORMAT:
        raise InputError(f"{path} has format {meta.get('format')}: format {FORMAT} was wanted; save it again")
    problem = _problem_again(meta, arrays, f, data)
    x, g = frozen(arrays["last.x"]), frozen(arrays["last.gradient"])
    last = Point(x, float(meta["value"]), g, float(arrays["history.norms"][-1]))
    history = History(*(arrays[f"history.{n}"] for n in ("values", "norms", "rates", "lengths")))
    return Trajectory(
        problem, meta["method"], meta["settings"], _steps_again(arrays, meta["notes"]), last, history, meta["reason"],
        meta["converged"], Counts(**meta["counts"]), meta["seconds"], float(meta["full value"]),
        _state_again(meta, arrays, last), meta.get("ending", ""),
    )  # fmt: skip


def _steps_again(arrays: Mapping[str, np.ndarray], notes: list[Any]) -> tuple[Step, ...]:
    columns = [arrays[f"steps.{n}"] for n in STEP_ARRAYS]
    plain: Any = lambda v: frozen(v) if isinstance(v, np.ndarray) else v.item()
    return tuple(Step._make([*map(plain, row[:-1]), row[-1]]) for row in zip(*columns, notes))


def _state_again(meta: Any, arrays: Mapping[str, np.ndarray], last: Point) -> State | None:
    from tangently.descent.methods import State

    if not meta["resumable"]:
        return None
    memory = {k.removeprefix("memory."): np.array(v) for k, v in arrays.items() if k.startswith("memory.")}
    return State(len(arrays["history.lengths"]), last, {**meta["memory"], **memory})


def _problem_again(meta: Any, arrays: Mapping[str, np.ndarray], f: Any, data: Any) -> Problem:
    layout = _layout_again(meta)
    start = arrays["steps.x"][0] if len(arrays["steps.x"]) else arrays["last.x"]
    batch = meta["batch"] or {}
    if f is not None:
        given = layout.arguments(np.array(start))
        problem = problem_of(f, given, data, batch.get("size"), batch.get("seed", 0))
        problem.given_as = tuple if meta["tuple"] else dict
        problem.layout = layout
        return problem
    problem = Problem(_missing(meta["function"], layout.names), layout, np.array(start), {}, None)
    problem.given_as, problem.name = tuple if meta["tuple"] else dict, meta["function"]
    return problem


def _missing(name: str, arguments: tuple[str, ...]) -> Any:
    def function(*_: Any, **__: Any) -> Any:
        raise InputError(f"the file holds what {name} did, not {name} itself: load it with f=…")

    named = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in arguments]
    function.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return function


def _layout_again(meta: Any) -> Layout:
    structures = tuple(map(_tupled, meta["structures"]))
    shapes = tuple(map(tuple, meta["shapes"]))
    ends = np.cumsum([math.prod(s) for s in shapes]).tolist()
    spans = tuple(zip([0, *ends[:-1]], ends))
    return Layout(tuple(meta["names"]), structures, shapes, tuple(meta["paths"]), spans, meta["single"])


def _tupled(s: Any) -> Any:
    """Lists back into tuples; a class that JSON does not hold becomes a dict of its fields."""
    if isinstance(s, dict):
        return ("static", None)
    if not isinstance(s, list):
        return s
    if s and s[0] == "data":
        return ("dict", tuple(s[2]), _tupled(s[3]))
    if s and s[0] == "named":
        return ("tuple", _tupled(s[2]))
    return tuple(_tupled(v) for v in s)


__all__ = ["History", "Rate", "Table", "Trajectory", "measured_rate", "short_point"]
