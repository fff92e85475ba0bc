"""`minimize`: run a method, stop for a reason that is said in words, and give back the trajectory.

Without a method: gradient descent where a rate is given; else a trust region with exact Hessians for up to 200 numbers
(a step costs one gradient and one Hessian, converges quadratically, and leaves saddles), and L-BFGS above.

Reasons to stop: ‖∇f‖ ≤ tolerance; f below a bound; a relative step ‖Δx‖ ≤ relative_step·(1 + ‖x‖); no decrease left at
the precision of floating-point numbers; steps, seconds or evaluations used up; a value that is not finite (the last
good point is kept, and the place in the graph where it began is named); Ctrl-C.

A run is a function of its arguments alone, the seed among them: it can be repeated, saved and resumed exactly.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangently.compiled import Engine, Wrt, entries
from tangently.derivatives import value
from tangently.descent import searches
from tangently.descent.methods import METHODS, SMALL, Method, Run, State, method_named, unknown
from tangently.descent.problems import Counts, Problem, problem_of
from tangently.descent.schedules import Schedule, checked_rate, clipping, rates
from tangently.descent.steps import KEEP, Point, Step, norm
from tangently.descent.trajectory import History, Trajectory, counted, short_point
from tangently.errors import DomainError, InputError, TangentlyWarning
from tangently.function import as_function
from tangently.primitives.elementary import is_zero

FIRST_ORDER = 1000  # steps, unless told
LONG = 1.0  # seconds, after which a bar of progress is shown
LOOK = 64  # steps between two looks at the clock
TOLERANCE = 1e-6
BOTTOM = -1e300  # what falls below it does not end


@dataclass(frozen=True)
class Stops:
    """When to stop."""

    tolerance: float
    steps: int
    below: float | None = None
    relative_step: float = 0.0
    seconds: float | None = None
    evaluations: int | None = None


@dataclass(frozen=True)
class Ending:
    """Why a run stopped: in words, and as one of `trajectory.ENDINGS`."""

    reason: str
    name: str
    converged: bool = False


def minimize(
    f: Any,
    start: Any = None,
    method: str | None = None,
    *,
    rate: Any = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
    schedule: Any = None,
    search: str | None = None,
    clip: float | None = None,
    clip_norm: float | None = None,
    below: float | None = None,
    relative_step: float = 0.0,
    seconds: float | None = None,
    evaluations: int | None = None,
    data: Mapping[str, Any] | None = None,
    wrt: Wrt = None,
    batch: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
    **options: Any,
) -> Trajectory:
    """Descend from a start to a minimum: the whole trajectory, with `.x`, `.value`, `.steps`, `.reason`, `.converged`.

    f: a callable, a formula as text, a SymPy expression. start: its argument, a tuple of them, or a dict by name; any
    nest of arrays. data: arguments that are held fixed, sampled `batch` rows at a time (or name in `wrt` those of the
    start that are varied, as for `grad`). method: see `METHODS`; its own
    parameters follow by name (momentum=0.9, betas=(0.9, 0.99)). rate: a number, or a function of the step (trust
    regions, Levenberg-Marquardt, conjugate gradients and SciPy's methods choose their own). search: "backtracking" or
    "strong Wolfe", instead of a rate. schedule: "cosine", "step", "warm-up", or a function of the step.

    >>> t = minimize("(x - 5)^2", 0.0, method="gradient descent", rate=0.1, steps=10)
    >>> [round(s.next_x.item(), 4) for s in t.steps[:4]]
    [1.0, 1.8, 2.44, 2.952]
    >>> best = minimize("x^2 + y^2 - 2x - 4y + 5", (0.0, 0.0))
    >>> best.x, best.converged
    ((1.0, 2.0), True)

    Raises InputError for arguments that make no sense, DomainError where f has no value at the start. Warns of a rate
    that the method does not use.
    """
    given = {
        "rate": rate, "steps": steps, "tolerance": tolerance, "schedule": schedule, "search": search, "clip": clip,
        "clip_norm": clip_norm, "below": below, "relative_step": relative_step, "seconds": seconds,
        "evaluations": evaluations, "seed": seed, **options,
    }  # fmt: skip
    problem, row = _posed(f, start, method, rate, data, wrt, batch, seed, options)
    settings = {"method": row.name, **{k: v for k, v in given.items() if v is not None}}
    return _descended(problem, row, _used(row, settings), None, progress)


def descend(
    f: Any, start: Any = None, method: str | None = None, *, data: Mapping[str, Any] | None = None, wrt: Wrt = None,
    batch: int | None = None, seed: int = 0, **settings: Any,
) -> Iterator[Step]:  # fmt: skip
    """The frozen steps of a method, one by one: `minimize` without its rules to stop.

    Arguments as for `minimize`. Each `Step` has k, x, value, gradient, norm, direction, rate, length, next_x (vectors
    flat and read-only) and notes. It ends only where the method finds no further step, or after the `steps=` that
    SciPy's methods are given.

    >>> import itertools
    >>> [round(s.value, 2) for s in itertools.islice(descend("(x - 5)^2", 0.0, "momentum", rate=0.1), 3)]
    [25.0, 16.0, 5.29]

    Raises InputError for arguments that make no sense, DomainError where f has no value at the start: at once.
    """
    problem, row = _posed(f, start, method, settings.get("rate"), data, wrt, batch, seed, settings)
    settings = _used(row, settings)
    run = _run(problem, row, settings)
    with np.errstate(all="ignore"):
        point = _first(problem)
    return _stepping(problem, row, run, point)


def _stepping(problem: Problem, row: Method, run: Run, point: Point) -> Iterator[Step]:
    with np.errstate(all="ignore"):
        begun = State(0, point, row.begin(problem, point, run))
    walk = _walk(problem, row, run, begun)
    while True:  # the user's code between two steps keeps its own way with floating-point errors
        with np.errstate(all="ignore"):
            found = next(walk, None)
        if found is None:
            return
        yield found[0]


def resume(t: Trajectory, more: int | None = None, **changes: Any) -> Trajectory:
    """Go on for so many steps (as many as before), with what the method remembers."""
    if t.state is None:
        raise InputError("this trajectory can't be resumed: it holds no state")
    row = method_named(t.method)
    settings = {**t.settings, **changes}
    memory = {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in t.state.memory.items() if k[0] != "_"}
    later = _descended(t.problem, row, settings, State(t.state.k, t.last, memory), None, more)
    together = replace(later, steps=_thinned([*t.steps, *later.steps]), history=t.history.joined(later.history))
    return replace(together, seconds=t.seconds + later.seconds)


# ---------------------------------------------------------------- what is run


def _posed(
    f: Any, start: Any, method: str | None, rate: Any, data: Mapping[str, Any] | None, wrt: Wrt, batch: int | None,
    seed: int, options: Mapping[str, Any],
) -> tuple[Problem, Method]:  # fmt: skip
    """What is minimized, and how: where no method is named, by whether there is a rate, and by the size."""
    start, data = _varied(f, start, data, wrt)
    if method is None and rate is not None:
        method = "gradient descent"
    row = None if method is None else method_named(method)
    if row is not None and row.residuals and not isinstance(f, Problem):
        from tangently.descent.squares import of_squares

        return of_squares(f, start, data, batch, seed, options.get("residuals")), row
    problem = problem_of(f, start, data, batch, seed)
    return problem, row or METHODS["trust region" if problem.size <= SMALL else "L-BFGS"]


def _used(row: Method, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without a pace that the method does not take; a warning says so."""
    unused = [name for name in ("rate", "schedule", "search") if settings.get(name) is not None and not row.paced]
    for name in unused:
        message = f"{row.name} finds the length of its steps itself: {name}= is not used"
        warnings.warn(message, TangentlyWarning, stacklevel=3)
    return {k: v for k, v in settings.items() if k not in unused}


def _varied(f: Any, start: Any, data: Mapping[str, Any] | None, wrt: Wrt) -> tuple[Any, Mapping[str, Any] | None]:
    """A start of all arguments, of which those in `wrt` are varied: their start, and the others with the data."""
    if wrt is None:
        return start, data
    names = [n for n in Engine(as_function(f), value()).signature.parameters if n not in (data or {})]
    given = (
        dict(start) if isinstance(start, dict) else dict(zip(names, start if isinstance(start, tuple) else (start,)))
    )
    wanted = [names[w] if isinstance(w, int) else w for w in entries(wrt, names)]
    if missing := [n for n in wanted if n not in given]:
        raise InputError(f"wrt={wrt!r}: the start has no {', '.join(missing)}; it has {', '.join(given)}")
    held = {n: v for n, v in given.items() if n not in wanted}
    free = given[wanted[0]] if isinstance(wrt, (str, int)) else {n: given[n] for n in wanted}
    return free, {**held, **(data or {})}


SHARED = (
    set(Run.__dataclass_fields__)
    | set(Stops.__dataclass_fields__)
    | {"method", "schedule", "clip_norm", "seed", "rate"}
)

EVERYWHERE = sorted(SHARED - {"exhausted", "adaptive", "options"})


def _run(problem: Problem, row: Method, settings: Mapping[str, Any], stops: Stops | None = None) -> Run:
    """How the row is run, from the settings."""
    stops = stops or _stops(problem, row, settings)
    options = {**row.options, **{k: v for k, v in settings.items() if k not in SHARED}}
    for name in set(options) - set(row.options):
        if not row.wrapped:
            raise InputError(unknown(f"an option {name!r} of {row.name}", name, [*row.options, *EVERYWHERE]))
    rate, search = settings.get("rate"), settings.get("search")
    wanted = search or (row.search if rate is None or row.order == 2 else None)
    if rate is None and row.rate is None and wanted is None:
        wanted = "backtracking"
    if wanted is not None and wanted not in searches.SEARCHES:
        raise InputError(unknown(f"search={wanted!r}", wanted, list(searches.SEARCHES)))
    by_step = rates(rate if rate is not None else row.rate or 1.0, settings.get("schedule"), stops.steps)
    clip = clipping(settings.get("clip"), settings.get("clip_norm"))
    adaptive = wanted is not None and rate is None and row.rate is None
    searched = searches.SEARCHES[wanted] if wanted else None
    return Run(options, by_step, clip, searched, stops.steps, stops.tolerance, _exhausted(problem, stops), adaptive)


def _stops(problem: Problem, row: Method, settings: Mapping[str, Any]) -> Stops:
    fields = {k: settings[k] for k in Stops.__dataclass_fields__ if settings.get(k) is not None}
    for name in ("tolerance", "relative_step"):
        if not fields.get(name, 0.0) >= 0:
            raise InputError(f"{name}={fields[name]!r}: a number from 0 up was wanted")
    n = fields.get("steps", FIRST_ORDER if row.rate is None or row.rate < 1 else max(FIRST_ORDER, 200 * problem.size))
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise InputError(f"steps={n!r}: a whole number from 0 up was wanted")
    return Stops(**{"tolerance": TOLERANCE, **fields, "steps": int(n)})


def _exhausted(problem: Problem, stops: Stops) -> Callable[[], bool]:
    end = math.inf if stops.seconds is None else time.perf_counter() + stops.seconds
    most = math.inf if stops.evaluations is None else problem.counts.total + stops.evaluations
    return lambda: problem.counts.total >= most or time.perf_counter() >= end


def _first(problem: Problem) -> Point:
    """The start with its gradient. Raises DomainError where f is not finite there."""
    problem.at_step(0)
    point = problem.point(np.array(problem.start))
    if not math.isfinite(point.value):
        where = problem.whereabouts(point.x) or problem.trouble
        raise DomainError(
            f"{problem.name} is {point.value} at the start, {short_point(problem.labels, point.x)}"
            + (f": {where}" if where else "; give another start")
        )
    return point


def _walk(problem: Problem, row: Method, run: Run, state: State) -> Iterator[tuple[Step, State]]:
    advance = row.advance
    while True:
        found = advance(problem, state, run)
        if found is None:
            return
        yield found
        state = found[1]


# ---------------------------------------------------------------- the loop


@dataclass
class Log:
    """What has happened so far; of the steps, as many as fit."""

    kept: list[Step] = field(default_factory=list)
    stride: int = 1
    values: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    latest: Step | None = None
    room: int = 0

    def begin(self, p: Point) -> None:
        self.values, self.norms = [p.value], [p.norm]
        self.room = max(16, KEEP // max(1, 3 * p.x.nbytes))

    def add(self, step: Step, after: Point) -> None:
        self.values.append(after.value)
        self.norms.append(after.norm)
        self.rates.append(step.rate)
        self.lengths.append(step.length)
        self.latest = step
        if step.k % self.stride == 0:
            self.kept.append(step)
            if len(self.kept) > self.room:
                self.stride *= 2
                self.kept = [s for s in self.kept if s.k % self.stride == 0]

    def steps(self) -> tuple[Step, ...]:
        last = self.latest
        return tuple(self.kept if last is None or (self.kept and self.kept[-1] is last) else [*self.kept, last])

    def history(self) -> History:
        return History(*(np.array(v, float) for v in (self.values, self.norms, self.rates, self.lengths)))


def _thinned(found: list[Step]) -> tuple[Step, ...]:
    while found and len(found) * 3 * found[0].x.nbytes > KEEP and len(found) > 32:
        found = [*found[:-1:2], found[-1]]
    return tuple(found)


def _descended(
    problem: Problem, row: Method, settings: Mapping[str, Any], state: State | None, progress: bool | None,
    more: int | None = None,
) -> Trajectory:  # fmt: skip
    stops = _stops(problem, row, settings)
    run = _run(problem, row, settings, stops)
    began, log, memory = time.perf_counter(), Log(), {}
    if more is not None:  # a schedule keeps the horizon that it had
        stops, run = replace(stops, steps=more), replace(run, steps=more)
    with np.errstate(all="ignore"), _bar(stops, progress) as show:
        try:
            point = state.point if state is not None else _first(problem)
            log.begin(point)
            ending = _at_start(problem, point, stops) if state is None or point.norm <= stops.tolerance else None
            if state is None or not state.memory:
                k = 0 if state is None else state.k
                state = State(k, point, {} if ending else row.begin(problem, point, run))
            if ending is None:
                ending, point, state = _loop(problem, row, run, state, stops, log, show)
        except Interrupted as stop:
            ending, point, state = _interrupted(log), stop.point, stop.state
        full = _full(problem, point)
    memory = {k: v for k, v in state.memory.items() if k[0] != "_"}
    return Trajectory(
        problem, row.name, _plain(settings, run), log.steps(), point, log.history(), ending.reason, ending.converged,
        replace(problem.counts), time.perf_counter() - began, full, State(state.k, point, memory),
        ending.name,
    )  # fmt: skip


class Interrupted(Exception):
    """Ctrl-C, with where it found us."""

    def __init__(self, point: Point, state: State) -> None:
        self.point, self.state = point, state


def _loop(
    problem: Problem, row: Method, run: Run, state: State, stops: Stops, log: Log, show: Callable[[int, float], None]
) -> tuple[Ending, Point, State]:
    """Step until something says stop."""
    point, begun = state.point, state.k
    most = state.k + stops.steps
    timed = stops.seconds is not None or stops.evaluations is not None
    try:
        if not stops.steps:
            return Ending("no steps were asked for", "steps"), point, state
        for step, after in _walk(problem, row, run, state):
            if not after.point.finite:
                return _not_finite(problem, step, after.point), point, State(state.k, point, {})
            state, point = after, after.point
            log.add(step, point)
            ending = _ending(step, point, stops)
            if ending is None and state.k >= most:
                ending = Ending(_all_taken(state.k - begun), "steps")
            if ending is None and timed and not row.wrapped and run.exhausted():
                ending = _used_up(problem, stops)
            if ending is not None:
                return ending, point, state
            if state.k % LOOK == 0 or row.order == 2:
                show(state.k - begun, point.value)
        ending = _no_further(problem, row, state, log, run)
        if timed and row.wrapped and ending.name == "no further" and not ending.converged and run.exhausted():
            ending = _used_up(problem, stops)
        return ending, point, state
    except KeyboardInterrupt:
        raise Interrupted(point, State(state.k, point, {})) from None


def _all_taken(n: int) -> str:
    return "the one step was taken" if n == 1 else f"all {n} steps were taken"


def _at_start(problem: Problem, point: Point, stops: Stops) -> Ending | None:
    if point.norm == 0 and _in_steps(problem):
        words = "f is made of steps: its gradient is 0 wherever it has one. Descend on a smooth surrogate, tg.surrogate"
        return Ending(words, "no further")
    if point.norm == 0:
        return Ending("the gradient is zero at the start: there is nothing to descend", "tolerance", True)
    if point.norm <= stops.tolerance:
        return Ending(f"‖∇f‖ = {point.norm:.3g} ≤ {stops.tolerance:g} at the start already", "tolerance", True)
    return None


def _in_steps(problem: Problem) -> bool:
    """Is the gradient 0 by the form of f, though f is no constant?"""
    from tangently.descent.fields import breaks_of

    y, *gradient = problem.graph
    return all(map(is_zero, gradient)) and bool(breaks_of(y))


def _ending(step: Step, p: Point, stops: Stops) -> Ending | None:
    if p.norm <= stops.tolerance:
        return Ending(f"‖∇f‖ = {p.norm:.3g} ≤ {stops.tolerance:g}", "tolerance", True)
    if p.value < BOTTOM:
        return Ending(
            f"f fell to {p.value:.3g}, to the end of the range of numbers: no bound below was met", "unbounded"
        )
    if stops.below is not None and p.value <= stops.below:
        return Ending(f"f = {p.value:.6g} reached the bound {stops.below:g}", "below", True)
    if stops.relative_step and step.length <= stops.relative_step * (1 + norm(p.x)):
        words = f"the last step, {step.length:.3g}, was below {stops.relative_step:g} of the size of x"
        return Ending(words, "relative step", True)
    return None


def _used_up(problem: Problem, stops: Stops) -> Ending:
    if stops.evaluations is not None and problem.counts.total >= stops.evaluations:
        return Ending(f"{stops.evaluations} evaluations were made", "evaluations")
    return Ending(f"{stops.seconds:g} seconds were over", "seconds")


def _not_finite(problem: Problem, step: Step, p: Point) -> Ending:
    what = f"the loss became {p.value:g}" if not math.isfinite(p.value) else "the gradient became infinite or undefined"
    where = problem.whereabouts(p.x) or problem.trouble
    return Ending(
        f"{what} in step {step.k}, at {short_point(problem.labels, p.x)}, with the rate {step.rate:g}; "
        f"the last good point was kept" + (f". {where}" if where else ""),
        "not finite",
    )


def _interrupted(log: Log) -> Ending:
    return Ending(f"interrupted (Ctrl-C) after {counted(len(log.rates), 'step')}", "interrupted")


def _no_further(problem: Problem, row: Method, state: State, log: Log, run: Run) -> Ending:
    """The method found no further step."""
    recorded = state.memory.get("_log")
    p = state.point
    if recorded is not None and isinstance(recorded.error, KeyboardInterrupt):
        return _interrupted(log)
    near = p.norm <= run.tolerance * max(1.0, abs(log.values[0]), max(log.norms))
    if recorded is not None and recorded.ending and not near:
        return Ending(recorded.ending, "no further")
    if near:
        return Ending(
            f"no step lowers f any further at the precision of floating-point numbers; ‖∇f‖ = {p.norm:.3g} there",
            "no further",
            True,
        )
    where = "is f smooth there?"
    if problem.lost_at is not None:
        where = f"next to it f has no finite value. {problem.whereabouts(problem.lost_at) or problem.trouble}".rstrip()
    return Ending(f"{row.name} found no step that lowers f, though ‖∇f‖ = {p.norm:.3g}: {where}", "no further")


def _full(problem: Problem, p: Point) -> float:
    """The loss on all of the data."""
    if not problem.stochastic:
        return p.value
    problem.on_all()
    return problem.value(p.x)


def _plain(settings: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Settings that a file can hold: a schedule as its numbers."""
    kept = dict(settings)
    if isinstance(run.rate, Schedule):
        kept["rate"] = run.rate.rate if run.rate.kind == "constant" and not run.rate.warm else run.rate.record()
        if isinstance(kept["rate"], dict):
            kept.pop("schedule", None)
        elif "rate" not in settings:
            del kept["rate"]
    return kept


# ---------------------------------------------------------------- progress


@contextlib.contextmanager
def _bar(stops: Stops, wanted: bool | None) -> Iterator[Callable[[int, float], None]]:
    """A bar on stderr, only on a terminal and only once a run has lasted."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield lambda k, value: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("f = {task.description}"), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task, began = bar.add_task("", total=stops.steps), time.perf_counter()

    def show(k: int, value: float) -> None:
        if time.perf_counter() - began > LONG:
            bar.start()
            bar.update(task, completed=k, description=f"{value:.6g}")

    try:
        yield show
    finally:
        bar.stop()


__all__ = ["Counts", "checked_rate", "descend", "minimize", "resume"]
