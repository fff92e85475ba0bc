"""The receipt: a derivative computed by independent routes, and the route that is wrong named where they disagree.

A route is one way to the same gradient. They are independent to different degrees, so each belongs to a *family*:

table      forward mode, reverse mode, the numeric sweep, the generated code and ball arithmetic all read the same
           partial derivatives; ball arithmetic proves their rounding, not the rules
SymPy      differentiates the formula by its own rules, and is evaluated to 30 digits
complex    the complex step Im f(x + ih)/h, where every row is analytic: exact to rounding, no rules at all
function   central differences of the original callable with Richardson's extrapolation, which know nothing but f
yours      a derivative that the caller gives

Routes that agree form a camp; the camp with the most families is believed, since a mistake in one rule of the table
moves the whole first family at once. Between camps of as many families the one with the differences is believed: they
are the definition of the derivative, applied to the function itself. Differences are judged by their own error
estimate, the others by 7 digits of the norm (3 in single precision); where that estimate is so large that it would
cover anything, as at a kink, they are not judged at all.

A gradient of more than 200 entries is compared on 8 random directions (fixed seed): (∇f)·d is what forward mode and
differences give at the price of one function call, and a wrong gradient is orthogonal to none of them.

Glossary: n entries of the gradient, D directions (rows), seen the vector that is compared: the gradient g, or D·g.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.differentiation import expand, pullback, sweep, tangent
from tangently.enclosure import MissingEnclosure, digits_of, enclose
from tangently.errors import InputError, ShapeError, TangentlyError, UnsupportedError
from tangently.expr import CONST, INPUT, Expr, const, evaluate, substitute, symbol, toposort

if TYPE_CHECKING:
    from tangently.quotients import StepSweep

MANY = 200  # entries: above, directions are compared
WORK = 400_000  # entries × nodes: above, too
DIRECTIONS = 8
TIME_LIMIT = 5.0  # seconds for SymPy
SYMPY_NODES, SYMPY_TREE = 200, 5_000  # shared nodes, and nodes once sharing is lost
TINY = 1e-100  # the complex step: its square is nothing beside 1
LEAST_DIGITS = {"f": 3.0, "e": 2.0}
VAGUE = 1e-2  # a relative error estimate above which differences say nothing


class NotApplicableError(TangentlyError):
    """A route that can't be taken here; the message says why."""


# ---------------------------------------------------------------- the problem


@dataclass(frozen=True, eq=False)
class Problem:
    """A scalar output, what it is differentiated with respect to (inputs all), and the point."""

    output: Expr
    wrt: tuple[Expr, ...]
    values: dict[Expr, Any]
    function: Callable[..., Any] | None = None
    derivative_function: Callable[..., Any] | None = None

    @property
    def sizes(self) -> list[int]:
        return [math.prod(w.shape) for w in self.wrt]

    @property
    def n(self) -> int:
        return sum(self.sizes)

    @functools.cached_property
    def order(self) -> list[Expr]:
        return toposort([self.output])

    @functools.cached_property
    def gradient(self) -> list[Expr]:
        return pullback([self.output], [const(1.0)], self.wrt)

    @functools.cached_property
    def point(self) -> np.ndarray:
        return self.flat([self.values[w] for w in self.wrt])

    @functools.cached_property
    def directions(self) -> np.ndarray | None:
        """The rows D, or None where the whole gradient is compared."""
        if self.n <= MANY and self.n * len(self.order) <= WORK or self.n <= DIRECTIONS:
            return None
        rows = np.random.default_rng(20240229).normal(size=(DIRECTIONS, self.n))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @property
    def basis(self) -> np.ndarray:
        return np.eye(self.n) if self.directions is None else self.directions

    @property
    def scalar(self) -> bool:
        return all(node.shape == () for node in [*self.order, *self.wrt])

    def flat(self, parts: Sequence[Any]) -> np.ndarray:
        """The parts of a gradient as one vector."""
        arrays = [np.broadcast_to(np.asarray(p, float), w.shape) for p, w in zip(parts, self.wrt, strict=True)]
        return np.concatenate([np.zeros(0), *[a.ravel() for a in arrays]])

    def split(self, vector: np.ndarray) -> list[Any]:
        """A vector as parts of the shapes of wrt; numbers as floats."""
        ends = np.cumsum(self.sizes)[:-1]
        return [
            float(p[0]) if w.shape == () else p.reshape(w.shape).astype(w.dtype if w.dtype in "fe" else float)
            for p, w in zip(np.split(vector, ends), self.wrt)
        ]

    def at(self, vector: np.ndarray) -> dict[Expr, Any]:
        """The values with wrt moved to the vector."""
        return {**self.values, **dict(zip(self.wrt, self.split(vector)))}

    def call(self, vector: np.ndarray) -> Any:
        """The original function at the vector (without one: the graph)."""
        if self.function is not None:
            return self.function(*self.split(vector))
        return evaluate([self.output], self.at(vector))[0]

    def entry(self, k: int) -> str:
        """The name of the k-th entry of the gradient: `x`, `W[1, 2]`."""
        for w, size in zip(self.wrt, self.sizes):
            if k < size:
                place = ", ".join(str(int(i)) for i in np.unravel_index(k, w.shape)) if w.shape else ""
                return f"{w.name}[{place}]" if place else str(w.name)
            k -= size
        return ""


def problem_of(
    inputs: Sequence[Expr], output: Expr, wrt: Sequence[Expr], values: Mapping[Expr, Any], **callables: Any
) -> Problem:
    """The problem with intermediate values of wrt cut off as inputs of their own, and values as floats and arrays."""
    if output.shape != ():
        raise ShapeError(f"a receipt needs one number as the output; this one has shape {output.shape}; take a sum")
    cut = {w: w if w.op is INPUT else symbol(f"h{k}", w.shape, w.dtype) for k, w in enumerate(wrt)}
    [whole] = substitute([output], {w: c for w, c in cut.items() if w is not c})
    known = {cut.get(node, node): _value(node, values) for node in dict.fromkeys([*inputs, *wrt])}
    needed = {n: _value(n, values) for n in toposort([whole]) if n.op is INPUT and n not in known}
    return Problem(whole, tuple(cut[w] for w in wrt), {**known, **needed}, **callables)


def _value(node: Expr, values: Mapping[Expr, Any]) -> Any:
    found = values.get(node, node.params[0].value if node.op is INPUT else None)
    if found is None:
        raise InputError(f"{node.name or node.op.name!r} has no value; give one for every input and every wrt in values")
    return float(found) if node.shape == () and node.dtype not in "?" else np.asarray(found, _dtype(node))


def _dtype(node: Expr) -> str:
    return {"w": "d", "n": "d"}.get(node.dtype, node.dtype)


# ---------------------------------------------------------------- routes


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a route found: the vector that is compared, its own error estimate, and the whole gradient if it has it."""

    seen: np.ndarray
    full: np.ndarray | None = None
    error: np.ndarray | None = None
    note: str = ""


def _whole(p: Problem, parts: Sequence[Any], **fields: Any) -> Outcome:
    full = p.flat(parts)
    return Outcome(full if p.directions is None else p.directions @ full, full, **fields)


def _projected(p: Problem, seen: Sequence[Any] | np.ndarray, **fields: Any) -> Outcome:
    vector = np.asarray(seen, float).ravel()
    return Outcome(vector, vector if p.directions is None else None, **fields)


def forward_mode(p: Problem) -> Outcome:
    """One tangent for each entry (or direction)."""
    seeds = {w: symbol(f"d{w.name}", w.shape, w.dtype) for w in p.wrt}
    [moved] = tangent([p.output], dict(seeds))
    known = dict(zip(p.order, evaluate(p.order, p.values)))
    found = []
    for row in p.basis:
        parts = dict(zip(seeds.values(), p.split(row)))
        found.append(evaluate([moved], {**known, **parts})[0])
    return _projected(p, found)


def reverse_mode(p: Problem) -> Outcome:
    return _whole(p, evaluate(p.gradient, p.values))


def numeric_sweep(p: Problem) -> Outcome:
    known = dict(zip(p.order, evaluate(p.order, p.values)))
    return _whole(p, sweep([p.output], [1.0], p.wrt, known))


def generated_code(p: Problem) -> Outcome:
    from tangently.codegen.python import Argument, generate

    inputs = list(p.values)
    code = generate("gradient", [Argument(n.name or "x", n) for n in inputs], expand(p.gradient))
    found = code.call(*[p.values[n] for n in inputs])
    return _whole(p, [found] if len(p.wrt) == 1 else found)


def given_derivative(p: Problem) -> Outcome:
    if p.derivative_function is None:
        raise NotApplicableError("")
    found = p.derivative_function(*[p.values[w] for w in p.wrt])
    return _whole(p, [found] if len(p.wrt) == 1 and not isinstance(found, (tuple, list)) else found)


def differences(p: Problem) -> Outcome:
    from tangently.quotients import extrapolate, numeric_gradient

    note = "of the function" if p.function else "of the graph: the function itself was not given"
    if p.directions is None:
        found = [numeric_gradient(p.call, p.point)]
    else:
        found = [extrapolate(lambda t, d=d: np.asarray(p.call(p.point + t * d)).reshape(()), 0.0) for d in p.directions]
    error = np.concatenate([np.ravel(e.error) for e in found])
    notes = [note, *dict.fromkeys(text for e in found for text in e.notes)]
    return _projected(p, np.concatenate([np.ravel(e.value) for e in found]), error=error, note="; ".join(notes[:2]))


def balls(p: Problem) -> Outcome:
    """A proven enclosure of the derivative's formula: no rounding, though the same rules."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    try:
        found = enclose(p.gradient, p.values)
    except MissingEnclosure as missing:
        raise NotApplicableError(f"{missing.row} has no enclosure") from None
    if not all(b.is_finite() for b in found):
        raise NotApplicableError("no finite enclosure: the formula has no value here, or one only on one side")
    radius = np.array([float(b.rad()) for b in found])
    note = f"± {radius.max(initial=0):.1g}, proven for the formula"
    return _whole(p, [float(b.mid()) for b in found], error=radius, note=note)


# ---------------------------------------------------------------- routes: SymPy


def sympy_route(p: Problem) -> Outcome:
    """SymPy's own derivative, evaluated to 30 digits; bounded in size and time, since it can run for ever."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    graph = toposort(expand([p.output]))
    if len(graph) > SYMPY_NODES or _tree_size(graph) > SYMPY_TREE:
        raise NotApplicableError(f"too large for SymPy: {len(graph)} nodes, {_tree_size(graph)} without sharing")
    if any(n.op is CONST and type(n.value) is int and abs(n.value) > 10**6 for n in graph):
        raise NotApplicableError("an integer too large for SymPy's exact powers")
    import sympy

    from tangently.adopting.sympy import to_sympy

    names = {node: sympy.Symbol(f"x{k}", real=True) for k, node in enumerate(p.values)}
    point = {s: sympy.Float(p.values[node], 50) for node, s in names.items()}

    def compute() -> list[float]:
        formula = to_sympy(p.output, names, real=True, digits=50)
        return [_sympy_number(formula.diff(names[w]).xreplace(point)) for w in p.wrt]

    return _whole(p, limited(compute, TIME_LIMIT))


def _sympy_number(value: Any) -> float:
    try:
        return float(value.evalf(30))
    except TypeError:
        raise NotApplicableError(f"SymPy leaves it open: {str(value)[:60]}") from None


def _tree_size(order: Sequence[Expr]) -> int:
    size: dict[Expr, int] = {}
    for node in order:
        size[node] = 1 + sum(size[a] for a in node.args)
    return max(size.values(), default=0)


def limited(compute: Callable[[], Any], seconds: float) -> Any:
    """The result of a call that is given up after some time (its thread is left behind as a daemon)."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append((True, compute()))
        except Exception as error:
            found.append((False, error))

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if not found:
        raise NotApplicableError(f"stopped after {seconds:g} s")
    done, result = found[0]
    if not done:
        raise result
    return result


# ---------------------------------------------------------------- routes: the complex step


def complex_step(p: Problem) -> Outcome:
    """Im f(x + ih)/h: no difference is taken, so no digit is lost. Only where every row is analytic at the point."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    order = toposort(expand([p.output]))
    real = {n: p.values[n] if n.op is INPUT else None for n in order}
    real.update(zip(order, evaluate(order, p.values)))
    with np.errstate(all="ignore"):
        return _whole(p, [_complex_slope(order, w, p.values, real) for w in p.wrt])


def _complex_slope(order: Sequence[Expr], w: Expr, values: Mapping[Expr, Any], real: Mapping[Expr, Any]) -> float:
    done: dict[Expr, Any] = {**values, w: complex(values[w], TINY)}
    for node in order:
        if node not in done:
            done[node] = node.value if node.op is CONST else _complex_value(node, done, real)
    return float(np.imag(done[order[-1]]) / TINY) if order and order[-1] in done else 0.0


def _complex_value(node: Expr, done: Mapping[Expr, Any], real: Mapping[Expr, Any]) -> Any:
    args = [done[a] for a in node.args]
    if not any(isinstance(a, complex) for a in args):
        return real[node]
    try:
        value = node.op(*args, params=node.params)
    except TypeError:
        raise NotApplicableError(f"{node.op.name} does not take complex numbers here") from None
    if node.dtype == "?":
        return bool(value)
    value = complex(value)
    if not math.isclose(value.real, float(real[node]), rel_tol=1e-6, abs_tol=1e-12) or _torn(node, args, real, value):
        raise NotApplicableError(f"{node.op.name} is not analytic")
    return value


def _torn(node: Expr, args: Sequence[Any], real: Mapping[Expr, Any], value: complex) -> bool:
    """For a row with kinks: does its complex value move otherwise than its real one? |x| and sign x do.

    A coarse difference along the very direction in which the operands move is enough to tell.
    """
    if node.op.kink is None:
        return False
    step = 1e-6
    moved = [
        [float(np.real(a)) + s * step * float(np.imag(a)) / TINY if isinstance(a, complex) else a for a in args]
        for s in (1, -1)
    ]
    above, below = (float(node.op(*xs, params=node.params)) for xs in moved)
    slope = (above - below) / (2 * step)
    return not abs(slope - value.imag / TINY) <= 1e-3 * (abs(slope) + abs(value.imag) / TINY) + 1e-9


@dataclass(frozen=True)
class Way:
    """A route: its name, the family of what it relies on, and how it is computed."""

    name: str
    family: str
    find: Callable[[Problem], Outcome]


WAYS: tuple[Way, ...] = (
    Way("forward mode", "table", forward_mode),
    Way("reverse mode", "table", reverse_mode),
    Way("numeric sweep", "table", numeric_sweep),
    Way("generated code", "table", generated_code),
    Way("your derivative", "yours", given_derivative),
    Way("SymPy", "SymPy", sympy_route),
    Way("complex step", "complex", complex_step),
    Way("differences", "function", differences),
    Way("ball arithmetic", "table", balls),
)


# ---------------------------------------------------------------- the receipt


@dataclass(frozen=True, eq=False)
class Route:
    """One way to the derivative: what it gave, how far it agrees, and how long it took.

    `value` is a number, an array, or a tuple of them for several inputs (None: not computed, or for large gradients
    only its products with directions). `verdict` is True, False, or None where the route can't be judged; `note` says
    why. `digits` of agreement with the reference are at most 16, NaN for a route that was not taken.
    """

    name: str
    value: Any
    digits: float
    verdict: bool | None
    note: str = ""
    time: float = 0.0
    family: str = ""


@dataclass(frozen=True)
class Worst:
    """The entry on which a route is furthest from the reference."""

    route: str
    entry: str
    difference: float
    digits: float


MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True, eq=False)
class Receipt:
    """The routes, and what they say together.

    `agree` is None where fewer than two routes could be judged. `odd_one_out` names the routes that disagree with the
    camp of the most independent ones. `reference` is what was believed. `sweep_h` is the error of difference quotients
    against h, for one number as the input.
    """

    rows: tuple[Route, ...]
    agree: bool | None
    reference: Any = None
    worst: Worst | None = None
    odd_one_out: str | None = None
    sweep_h: StepSweep | None = None
    title: str = field(default="derivative")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Rows of text: mark, route, value, digits, time, note."""
        return tuple((MARKS[r.verdict], r.name, _shown(r.value), _digits(r), _time(r), r.note) for r in self.rows)

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        judged = [r for r in self.rows if r.verdict is not None]
        if self.agree is None:
            return "not enough routes to judge"
        if self.agree:
            worst = min(judged, key=lambda r: r.digits)
            return f"{len(judged)} routes agree, to {worst.digits:.1f} digits or more ({worst.name})"
        where = f", most at {self.worst.entry}" if self.worst and "[" in self.worst.entry else ""
        return f"the routes disagree; odd one out: {self.odd_one_out}{where}"

    def __str__(self) -> str:
        heads = ("", "route", self.title, "digits", "time", "")
        lines = [heads, *self.table()]
        widths = [max(len(row[k]) for row in lines) for k in range(5)]
        text = ["  ".join([*[_pad(c, w, k) for k, (c, w) in enumerate(zip(r, widths))], r[5]]).rstrip() for r in lines]
        return "\n".join([*text, f"{MARKS[self.agree]}  {self.summary}"])

    __repr__ = __str__

    def __rich__(self) -> Any:
        from rich.table import Table

        shown = Table(title=None, caption=f"{MARKS[self.agree]} {self.summary}", box=None, caption_justify="left")
        for head, side in (("", "left"), ("route", "left"), (self.title, "right"), ("digits", "right"), ("time", "right"), ("", "left")):
            shown.add_column(head, justify=side)  # type: ignore[arg-type]
        colors = {True: "green", False: "red", None: "dim"}
        for route, row in zip(self.rows, self.table()):
            shown.add_row(*row, style=colors[route.verdict])
        return shown


def _pad(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column in (3, 4) else cell.ljust(width)


def _shown(value: Any) -> str:
    """A number in full; an array by its norm."""
    if value is None:
        return ""
    parts = value if isinstance(value, tuple) else (value,)
    if all(isinstance(v, float) for v in parts) and len(parts) <= 3:
        return ", ".join(repr(v) if len(parts) == 1 else f"{v:.10g}" for v in parts)
    size = math.sqrt(sum(float(np.sum(np.square(v))) for v in parts))
    return f"‖·‖ = {size:.12g}"


def _digits(route: Route) -> str:
    return "" if math.isnan(route.digits) else f"{route.digits:.1f}"


def _time(route: Route) -> str:
    return f"{route.time * 1e3:.2g} ms" if route.time < 1 else f"{route.time:.2g} s"


# ---------------------------------------------------------------- judging


@dataclass(frozen=True, eq=False)
class Taken:
    """A route that was taken: its outcome, or the reason why there is none."""

    way: Way
    outcome: Outcome | None
    note: str
    time: float

    @property
    def finite(self) -> bool:
        return self.outcome is not None and bool(np.isfinite(self.outcome.seen).all())


def take(way: Way, problem: Problem) -> Taken:
    """Take a route. A receipt is given in any case: what a route raises is written on it."""
    start = time.perf_counter()
    try:
        with np.errstate(all="ignore"):
            outcome = way.find(problem)
        note = outcome.note
    except NotApplicableError as reason:
        outcome, note = None, str(reason)
    except UnsupportedError as error:
        outcome, note = None, str(error).partition(";")[0]
    except Exception as error:
        outcome, note = None, f"raised {type(error).__name__}: {str(error)[:80]}"
    return Taken(way, outcome, note, time.perf_counter() - start)


@dataclass(frozen=True, eq=False)
class Judge:
    """Compares vectors: `size` is what errors are relative to, `least` the digits that make an agreement."""

    size: float
    least: float

    def margin(self, outcome: Outcome) -> float:
        """How far a route may be off: its own error estimate (three of them), or rounding."""
        own = 3 * float(np.linalg.norm(outcome.error)) if outcome.error is not None else 0.0
        return own + self.size * 10.0**-self.least

    def vague(self, taken: Taken) -> bool:
        """Is the route's own error estimate so large that it would cover anything?"""
        outcome = taken.outcome
        return outcome is not None and outcome.error is not None and not self.small(outcome.error)

    def small(self, error: np.ndarray) -> bool:
        return bool(np.linalg.norm(error) <= VAGUE * self.size)

    def agree(self, a: Outcome, b: Outcome) -> bool:
        return bool(np.linalg.norm(a.seen - b.seen) <= max(self.margin(a), self.margin(b)))

    def digits(self, seen: np.ndarray, reference: np.ndarray) -> float:
        return min(16.0, digits_of(float(np.linalg.norm(seen - reference)), self.size))


def judge_of(problem: Problem, taken: Sequence[Taken], value: Any) -> Judge:
    """Errors are relative to the gradient's norm; where that is next to nothing, to |f|/max(1, ‖x‖)."""
    norms = [float(np.linalg.norm(t.outcome.seen)) for t in taken if t.finite and t.outcome is not None]
    here = abs(float(value)) if np.isfinite(value) else 0.0
    natural = here / max(1.0, float(np.linalg.norm(problem.point)))
    dtypes = {w.dtype for w in problem.wrt}
    least = min((LEAST_DIGITS.get(d, 7.0) for d in dtypes), default=7.0)
    return Judge(max(float(np.median(norms)) if norms else 0.0, 1e-6 * natural, 1e-300), least)


def believed(judge: Judge, taken: Sequence[Taken]) -> list[Taken]:
    """The camp with the most families; among equals, the one with the function's own differences, then the larger."""
    able = [t for t in taken if t.finite and not judge.vague(t)]
    camps = [[t for t in able if judge.agree(center.outcome, t.outcome)] for center in able]  # type: ignore[arg-type]
    weight = lambda camp: (len({t.way.family for t in camp}), any(t.way.family == "function" for t in camp), len(camp))
    return max(camps, key=weight, default=[])


def reference_of(camp: Sequence[Taken]) -> np.ndarray | None:
    """The midpoint of the ball, else what SymPy gave to 30 digits, else the median of the camp."""
    by_name = {t.way.name: t.outcome.seen for t in camp if t.outcome is not None}
    for name in ("ball arithmetic", "SymPy"):
        if name in by_name:
            return by_name[name]
    exact = [seen for name, seen in by_name.items() if name != "differences"] or list(by_name.values())
    return np.median(exact, axis=0) if exact else None


def _route(problem: Problem, judge: Judge, taken: Taken, camp: Sequence[Taken], reference: np.ndarray | None) -> Route:
    way, outcome = taken.way, taken.outcome
    make = functools.partial(Route, way.name, family=way.family, time=taken.time)
    if outcome is None:
        return make(None, math.nan, None, taken.note)
    value = None if outcome.full is None else _packed(problem.split(outcome.full))
    if not taken.finite:
        verdict = None if reference is None or way.name == "differences" else False
        return make(value, math.nan if verdict is None else 0.0, verdict, taken.note or "no finite number")
    if reference is None:
        return make(value, math.nan, None, taken.note)
    digits = judge.digits(outcome.seen, reference)
    if judge.vague(taken):
        return make(value, digits, None, f"error estimate {np.max(outcome.error):.2g}; {taken.note}")
    verdict = taken in camp
    return make(value, digits, verdict, taken.note if verdict else _blame(problem, taken, reference))


def _packed(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


def _blame(problem: Problem, taken: Taken, reference: np.ndarray) -> str:
    """Where a route that disagrees is furthest off."""
    assert taken.outcome is not None
    gap = np.abs(taken.outcome.seen - reference)
    k = int(np.argmax(gap))
    where = problem.entry(k) if problem.directions is None else f"direction {k}"
    return f"off by {gap[k]:.3g}" + (f" at {where}" if gap.size > 1 else "")


def _worst(problem: Problem, judge: Judge, routes: Sequence[Route], taken: Sequence[Taken], reference: Any) -> Worst | None:
    judged = [(r, t) for r, t in zip(routes, taken) if r.verdict is not None and t.finite and t.outcome is not None]
    if not judged or reference is None:
        return None
    route, found = min(judged, key=lambda pair: pair[0].digits)
    assert found.outcome is not None
    gap = np.abs(found.outcome.seen - reference)
    k = int(np.argmax(gap)) if gap.size else 0
    entry = problem.entry(k) if problem.directions is None else f"direction {k}"
    return Worst(route.name, entry, float(gap[k]) if gap.size else 0.0, route.digits)


def _odd(routes: Sequence[Route]) -> str | None:
    """The routes that disagree; a whole family is named as what it shares."""
    odd = [r for r in routes if r.verdict is False]
    names = ", ".join(r.name for r in odd)
    table = [r for r in routes if r.family == "table" and r.verdict is not None]
    if odd and len(table) > 1 and {r.name for r in odd} == {r.name for r in table}:
        return f"the rules of the table ({names})"
    return names or None


def verdicts(problem: Problem, taken: Sequence[Taken], value: Any, title: str) -> Receipt:
    """Routes to a receipt: who agrees, who does not, and where."""
    judge = judge_of(problem, taken, value)
    camp = believed(judge, taken)
    reference = reference_of(camp)
    routes = [_route(problem, judge, t, camp, reference) for t in taken]
    judged = [r.verdict for r in routes if r.verdict is not None]
    return Receipt(
        rows=tuple(routes),
        agree=all(judged) if len(judged) > 1 else None,
        reference=None if reference is None or problem.directions is not None else _packed(problem.split(reference)),
        worst=_worst(problem, judge, routes, taken, reference),
        odd_one_out=_odd(routes),
        title=title,
    )


def receipt(
    inputs: Sequence[Expr],
    output: Expr,
    wrt: Sequence[Expr],
    values: Mapping[Expr, Any],
    *,
    function: Callable[..., Any] | None = None,
    derivative_function: Callable[..., Any] | None = None,
) -> Receipt:
    """The gradient of `output` with respect to `wrt` at a point, by every route that can be taken there.

    `values` gives every input (and every intermediate among `wrt`). `function` is the original callable of the values
    of `wrt`, in that order, and gives one number; differences are taken of it (without it: of the graph).
    `derivative_function`, of the same arguments, is checked as one more route. Raises ShapeError for an output that is
    not a number, InputError for a missing value; whatever a route raises is written on the receipt.

    >>> import tangently.primitives
    >>> x = symbol("x")
    >>> found = receipt([x], x**3 - 2 * x, [x], {x: 1.5}, function=lambda x: x**3 - 2 * x)
    >>> found.agree, found.reference, found.odd_one_out
    (True, 4.75, None)
    """
    problem = problem_of(inputs, output, wrt, values, function=function, derivative_function=derivative_function)
    ways = [w for w in WAYS if derivative_function is not None or w.family != "yours"]
    taken = [take(way, problem) for way in ways]
    value = evaluate([problem.output], problem.values)[0]
    scalar = problem.n == 1
    found = verdicts(problem, taken, value, "derivative" if scalar else "gradient")
    curve = _step_sweep(problem, found.reference) if scalar and problem.wrt[0].shape == () else None
    return found if curve is None else Receipt(**{**vars(found), "sweep_h": curve})


def _step_sweep(problem: Problem, derivative: Any) -> StepSweep | None:
    """Error of difference quotients against h, where f has a value and a derivative."""
    from tangently.quotients import step_sweep

    if derivative is None:
        return None
    f = problem.function or (lambda t: evaluate([problem.output], {**problem.values, problem.wrt[0]: t})[0])
    try:
        with np.errstate(all="ignore"):
            return step_sweep(f, float(problem.point[0]), derivative)
    except (TangentlyError, ArithmeticError):
        return None  # a curve is a picture beside the receipt: no value near x, no picture


# ---------------------------------------------------------------- second order


def hessian_receipt(
    inputs: Sequence[Expr], output: Expr, wrt: Sequence[Expr], values: Mapping[Expr, Any], *,
    function: Callable[..., Any] | None = None,
) -> Receipt:  # fmt: skip
    """The Hessian by forward over reverse, reverse over reverse, differences of the gradient, and SymPy.

    The products H·d with each basis vector (or with 8 directions, for a Hessian of more than 200 entries) are compared.

    >>> import tangently.primitives
    >>> x, y = symbol("x"), symbol("y")
    >>> found = hessian_receipt([x, y], x**2 * y, [x, y], {x: 1.0, y: 3.0})
    >>> found.agree, found.reference.tolist()
    (True, [[6.0, 2.0], [2.0, 0.0]])
    """
    first = problem_of(inputs, output, wrt, values, function=function)
    second = _Hessian(first)
    ways = (
        Way("forward over reverse", "table", lambda p: second.forward()),
        Way("reverse over reverse", "table", lambda p: second.reverse()),
        Way("SymPy", "SymPy", lambda p: second.sympy()),
        Way("differences of the gradient", "function", lambda p: second.differences()),
    )
    taken = [take(way, second.flat) for way in ways]
    value = np.linalg.norm(first.flat(evaluate(first.gradient, first.values)))
    found = verdicts(second.flat, taken, value, "Hessian")
    square = None if found.reference is None else np.reshape(found.reference, (first.n, first.n))
    return Receipt(**{**vars(found), "reference": square})


@dataclass(frozen=True, eq=False)
class _Hessian:
    """The products of the Hessian with the rows of a basis, by several routes, as one long vector."""

    first: Problem

    @functools.cached_property
    def rows(self) -> np.ndarray:
        n = self.first.n
        if n * n <= MANY:
            return np.eye(n)
        drawn = np.random.default_rng(20240229).normal(size=(DIRECTIONS, n))
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    @functools.cached_property
    def flat(self) -> Problem:
        """A problem whose one vector is the products, for judging."""
        h = symbol("H", self.rows.shape)
        whole = len(self.rows) == self.first.n
        cut = Problem(self.first.output, (h,), {h: np.zeros(self.rows.shape)})
        vars(cut).update(directions=None if whole else np.zeros((0, 0)), point=self.first.point)
        return cut

    @functools.cached_property
    def seeds(self) -> list[Expr]:
        return [symbol(f"d{w.name}", w.shape, w.dtype) for w in self.first.wrt]

    def products(self, graphs: Sequence[Expr]) -> Outcome:
        p = self.first
        found = []
        for row in self.rows:
            parts = evaluate(graphs, {**p.values, **dict(zip(self.seeds, p.split(row)))})
            found.append(p.flat(parts))
        return self.outcome(np.array(found))

    def outcome(self, products: np.ndarray, **fields: Any) -> Outcome:
        return Outcome(products.ravel(), products.ravel(), **fields)

    def forward(self) -> Outcome:
        return self.products(tangent(self.first.gradient, dict(zip(self.first.wrt, self.seeds))))

    def reverse(self) -> Outcome:
        return self.products(pullback(self.first.gradient, self.seeds, self.first.wrt))

    def differences(self) -> Outcome:
        from tangently.quotients import extrapolate

        p = self.first
        slope = lambda vector: p.flat(evaluate(p.gradient, p.at(vector)))
        found = [extrapolate(lambda t, d=d: slope(p.point + t * d), 0.0) for d in self.rows]
        return self.outcome(np.array([e.value for e in found]), error=np.concatenate([np.ravel(e.error) for e in found]))

    def sympy(self) -> Outcome:
        if len(self.rows) != self.first.n:
            raise NotApplicableError("too many entries")
        p = self.first
        columns = [sympy_second(p, w) for w in p.wrt]
        return self.outcome(np.array(columns))


def sympy_second(p: Problem, w: Expr) -> np.ndarray:
    """One row of the Hessian by SymPy: the gradient, by SymPy, of the reverse-mode ∂f/∂w would not be independent."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    import sympy

    from tangently.adopting.sympy import to_sympy

    names = {node: sympy.Symbol(f"x{k}", real=True) for k, node in enumerate(p.values)}
    point = {s: sympy.Float(p.values[node], 50) for node, s in names.items()}

    def compute() -> list[float]:
        slope = to_sympy(p.output, names, real=True, digits=50).diff(names[w])
        return [_sympy_number(slope.diff(names[v]).xreplace(point)) for v in p.wrt]

    return np.array(limited(compute, TIME_LIMIT))


__all__ = ["Receipt", "Route", "Worst", "hessian_receipt", "receipt"]
