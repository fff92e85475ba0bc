"""A Python function of several variables that branches near a point, as one formula.

    def f(x, y):
        if x == 0 and y == 0: return 0
        return x*y/(x**2 + y**2)

is traced at points around the one where the limit is asked for: on rays, on the axes, on parabolas, ever nearer. A
trace is a formula, and the conditions that were met on the way with their outcomes. All traces together are a tree of
conditions, where(c, f₁, f₂), and that is the function wherever no outcome is missing from the tree. Whether one is
missing is a limit as well: that of the expression that is 1 on the missing branches and 0 elsewhere must be 0.

Glossary: guard a condition with its outcome, leaf a formula; missing the branches that no sample took.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tangently.errors import TangentlyError
from tangently.expr import TABLE, Expr, const, evaluate, raw, substitute
from tangently.limits.reading import NEARNESS, Reading, exactly, near, scalars
from tangently.parsing import Formula
from tangently.tracing.recording import record

FAILURES = (TangentlyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError)
SLOPES = (1.0, 0.5, 2.0, 0.3)
LEAVES = 24  # branches of one function
PROBES = (7e-3, 6e-4, 5e-5)


@dataclass(frozen=True)
class Trace:
    """One way through the function."""

    guards: tuple[tuple[Expr, bool], ...]
    formula: Expr


@dataclass(frozen=True)
class Branched:
    """The function as one formula, and what is 1 exactly where a branch is missing from it (0: nowhere)."""

    root: Expr
    missing: Expr
    notes: tuple[str, ...] = ()


def steps(n: int, h: float) -> Iterator[tuple[float, ...]]:
    """Displacements of size h: along axes, rays and parabolas."""
    for k, sign in itertools.product(range(n), (1, -1)):
        yield tuple(sign * h if i == k else 0.0 for i in range(n))
    for signs in itertools.product((1, -1), repeat=n):
        for slope, lead in itertools.product(SLOPES, range(n)):
            yield tuple(s * (h if i == lead else slope * h) for i, s in enumerate(signs))
        for lead in range(n):
            yield tuple(s * (h if i == lead else h * h) for i, s in enumerate(signs))


def places(point: Sequence[float], distances: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Points ever nearer to the one that is meant; at ±∞ a coordinate is large instead."""
    for h in distances:
        for step in steps(len(point), h):
            if all(s for s, a in zip(step, point) if math.isinf(a)):
                yield tuple(
                    near(a, -1 if a > 0 else 1, abs(s)) if math.isinf(a) else a + s for s, a in zip(step, point)
                )


def branched(reading: Reading, point: Sequence[float]) -> Branched | None:
    """The function near the point as one formula; None where it can't be traced."""
    notes: list[str] = []
    found: dict[tuple[tuple[Expr, bool], ...], Trace] = {}
    for place in places(point, NEARNESS):
        trace = _traced(reading, place, notes)
        if trace is None:
            return None
        found.setdefault(trace.guards, trace)
        if len(found) > LEAVES:
            return None
    missing: list[Expr] = []
    root = _tree(list(found.values()), 0, const(True), missing)
    if root is None:
        return None
    total: Expr = const(0)
    for m in missing:
        total = raw(TABLE["where"], (m, const(1), total))
    return Branched(root, total, tuple(dict.fromkeys(notes)))


def _traced(reading: Reading, place: Sequence[float], notes: list[str]) -> Trace | None:
    assert reading.callable is not None
    names = [str(s.name) for s in reading.inputs]
    try:
        recording = record(reading.callable, list(place), names, lambda g: (tuple(g), {}), [True] * len(names))
    except FAILURES:
        return None
    outcomes = [o for _, o in recording.trace.guards]
    if not recording.scalar or not all(isinstance(o, (bool, np.bool_)) for o in outcomes):
        return None
    own = {x: s for x, s in zip(recording.inputs, reading.inputs) if x is not None}
    parts = [*[c for c, _ in recording.trace.guards], recording.outputs[0]]
    *conditions, formula = substitute([scalars(exactly(p, notes)) for p in parts], own)
    return Trace(tuple((c, bool(o)) for c, o in zip(conditions, outcomes)), formula)


def _tree(traces: Sequence[Trace], depth: int, so_far: Expr, missing: list[Expr]) -> Expr | None:
    """where(condition, …, …) by the guard at this depth; branches that no trace took are noted in `missing`."""
    if all(len(t.guards) == depth for t in traces):
        return traces[0].formula if len({t.formula for t in traces}) == 1 else None
    if any(len(t.guards) == depth for t in traces) or len({t.guards[depth][0] for t in traces}) > 1:
        return None  # the same outcomes, and then different code: not a function of the conditions alone
    condition = traces[0].guards[depth][0]
    held = [[t for t in traces if t.guards[depth][1] is outcome] for outcome in (True, False)]
    ways = [_both(so_far, condition), _both(so_far, raw(TABLE["logical_not"], (condition,)))]
    if condition.op.name == "const":
        return _tree(traces, depth + 1, so_far, missing)
    for part, way in zip(held, ways):
        if not part:
            missing.append(way)
    trees = [_tree(part, depth + 1, way, missing) if part else None for part, way in zip(held, ways)]
    if any(part and tree is None for part, tree in zip(held, trees)):
        return None
    yes, no = trees
    if yes is None or no is None or yes is no:
        return yes if yes is not None else no
    return raw(TABLE["where"], (condition, yes, no))


def _both(a: Expr, b: Expr) -> Expr:
    """a and b, as a number that is 1 or 0."""
    return b if a.op.name == "const" else raw(TABLE["where"], (a, b, const(False)))


def is_faithful(reading: Reading, root: Expr, point: Sequence[float]) -> bool:
    """Does the formula give the function's own values near the point? Rounding is no objection."""
    f = reading.callable
    if f is None or isinstance(f, Formula):
        return True
    apart = 0
    for place in places(point, PROBES):
        try:
            with np.errstate(all="ignore"):
                own, traced = float(f(*place)), float(evaluate([root], dict(zip(reading.inputs, place)))[0])
        except FAILURES:
            continue
        apart += abs(own - traced) > 1e-3 * (abs(own) + abs(traced)) + 1e-9
    return apart < 2


__all__ = ["Branched", "branched", "is_faithful"]
