"""The routes to a gradient: each a function of the problem that gives an outcome, or says why it can't be taken.

Each belongs to a family (see the package's essay): what routes of one family share can be wrong in all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.differentiation import expand, sweep, tangent
from tangently.enclosure import MissingEnclosure, enclose
from tangently.errors import TangentlyError
from tangently.expr import CONST, Expr, evaluate, symbol, toposort
from tangently.verification.problem import Problem, at_kink

TIME_LIMIT = 5.0  # seconds for SymPy
SYMPY_NODES, SYMPY_TREE = 200, 5_000  # shared nodes, and nodes once sharing is lost
SYMPY_INTEGER = 10**6  # a power of integers is computed exactly, which can be without end
TINY = 1e-100  # the complex step: its square is nothing beside 1


class NotApplicableError(TangentlyError):
    """A route that can't be taken here; the message says why."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a route found: the vector that is compared, its own error estimate, and the whole gradient if it has it."""

    seen: np.ndarray
    full: np.ndarray | None = None
    error: np.ndarray | None = None
    note: str = ""


@dataclass(frozen=True)
class Way:
    """A route: its name, the family of what it relies on, and how it is computed."""

    name: str
    family: str
    find: Callable[[Any], Outcome]


def whole(p: Problem, parts: Sequence[Any], **fields: Any) -> Outcome:
    """An outcome from the parts of a whole gradient."""
    full = p.flat(parts)
    return Outcome(full if p.directions is None else p.directions @ full, full, **fields)


def projected(p: Problem, seen: Any, **fields: Any) -> Outcome:
    """An outcome from the products of the gradient with the basis."""
    vector = np.asarray(seen, float).ravel()
    return Outcome(vector, vector if p.directions is None else None, **fields)


# ---------------------------------------------------------------- the table's rules


def forward_mode(p: Problem) -> Outcome:
    """One tangent for each entry, or direction."""
    seeds = [symbol(f"d{w.name}", w.shape, w.dtype) for w in p.wrt]
    [moved] = tangent([p.output], dict(zip(p.wrt, seeds)))
    return projected(p, [evaluate([moved], {**p.known, **dict(zip(seeds, p.split(row)))})[0] for row in p.basis])


def reverse_mode(p: Problem) -> Outcome:
    return whole(p, evaluate(p.gradient, p.values))


def numeric_sweep(p: Problem) -> Outcome:
    return whole(p, sweep([p.output], [1.0], p.wrt, p.known))


def generated_code(p: Problem) -> Outcome:
    from tangently.codegen.python import Argument, generate

    arguments = [Argument(node.name or "x", node) for node in p.values]
    found = generate("gradient", arguments, expand(p.gradient)).call(*p.values.values())
    return whole(p, [found] if len(p.wrt) == 1 else found)


def balls(p: Problem) -> Outcome:
    """A proven enclosure of the derivative's formula: no rounding, though the same rules."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    try:
        found = enclose(p.gradient, p.values)
    except MissingEnclosure as missing:
        raise NotApplicableError(f"{missing.row} has no enclosure") from None
    if not all(b.is_finite() for b in found):
        raise NotApplicableError("no finite ball: the formula may have no value here")
    radius = np.array([float(b.rad()) for b in found])
    note = f"± {radius.max(initial=0):.1g}, proven for the formula"
    return whole(p, [float(b.mid()) for b in found], error=radius, note=note)


# ---------------------------------------------------------------- the callables


def given_derivative(p: Problem) -> Outcome:
    """The caller's own derivative."""
    assert p.derivative_function is not None
    found = p.derivative_function(*[p.values[w] for w in p.wrt])
    return whole(p, found if isinstance(found, (tuple, list)) and len(p.wrt) > 1 else [found])


def differences(p: Problem) -> Outcome:
    """Central differences with Richardson's extrapolation, with their error estimates."""
    from tangently.quotients import extrapolate, numeric_gradient

    if p.directions is None:
        found = [numeric_gradient(p.call, p.point)]
    else:
        found = [extrapolate(lambda t, d=d: np.asarray(p.call(p.point + t * d)).reshape(()), 0.0) for d in p.directions]
    notes = [n.removeprefix("coordinate 0: ") if p.n == 1 else n for e in found for n in e.notes]
    origin = "of the function" if p.function else "of the graph"
    flat = lambda parts: np.concatenate([np.ravel(part) for part in parts])
    return projected(p, flat([e.value for e in found]), error=flat([e.error for e in found]),
                     note="; ".join([*notes[:1], origin]))  # fmt: skip


# ---------------------------------------------------------------- SymPy


def by_sympy(p: Problem) -> Outcome:
    """SymPy's own derivative, evaluated to 30 digits."""
    return whole(p, sympy_values(p, lambda formula, names: [formula.diff(s) for s in names]))


def sympy_values(p: Problem, derive: Callable[[Any, list[Any]], list[Any]]) -> list[float]:
    """Numbers at the point of what `derive` makes of SymPy's formula and the symbols of wrt; bounded in size and time.

    SymPy loses the sharing of a graph and can compute without end.
    """
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    _check_size(toposort(expand([p.output])))
    import sympy

    from tangently.adopting.sympy import to_sympy

    names = {node: sympy.Symbol(f"x{k}", real=True) for k, node in enumerate(p.values)}
    point = {s: sympy.Float(p.values[node], 50) for node, s in names.items()}

    def compute() -> list[float]:
        formula = to_sympy(p.output, names, real=True, digits=50)
        return [_number(d.xreplace(point)) for d in derive(formula, [names[w] for w in p.wrt])]

    return limited(compute, TIME_LIMIT)


def _check_size(graph: Sequence[Expr]) -> None:
    tree: dict[Expr, int] = {}
    for node in graph:
        tree[node] = 1 + sum(tree[a] for a in node.args)
    if len(graph) > SYMPY_NODES or tree[graph[-1]] > SYMPY_TREE:
        raise NotApplicableError(f"too large: {len(graph)} nodes" if len(graph) > SYMPY_NODES else "too much is shared")
    if any(n.op is CONST and type(n.value) is int and abs(n.value) > SYMPY_INTEGER for n in graph):
        raise NotApplicableError("an integer too large for exact powers")


def _number(value: Any) -> float:
    try:
        return float(value.evalf(30))
    except TypeError:
        raise NotApplicableError(f"SymPy leaves it open: {str(value)[:60]}") from None


def limited(compute: Callable[[], Any], seconds: float) -> Any:
    """The result of a call that is given up after some time (its thread is left behind as a daemon)."""
    found: list[tuple[Any, Exception | None]] = []

    def run() -> None:
        try:
            found.append((compute(), None))
        except Exception as error:  # handed over to the thread that asked
            found.append((None, error))

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if not found:
        raise NotApplicableError(f"stopped after {seconds:g} s")
    result, error = found[0]
    if error is not None:
        raise error
    return result


# ---------------------------------------------------------------- the complex step


def complex_step(p: Problem) -> Outcome:
    """Im f(x + ih)/h: no difference is taken, so no digit is lost. Only where every row is analytic at the point."""
    if not p.scalar:
        raise NotApplicableError("for numbers only")
    order = toposort(expand([p.output]))
    real = {**p.values, **dict(zip(order, evaluate(order, p.values)))}
    return whole(p, [_complex_slope(order, w, p.values, real) for w in p.wrt])


def _complex_slope(order: Sequence[Expr], w: Expr, values: Mapping[Expr, Any], real: Mapping[Expr, Any]) -> float:
    done: dict[Expr, Any] = {**values, w: complex(values[w], TINY)}
    for node in order:
        if node not in done:
            done[node] = node.value if node.op is CONST else _complex_value(node, done, real)
    return float(np.imag(done[order[-1]]) / TINY)


def _complex_value(node: Expr, done: Mapping[Expr, Any], real: Mapping[Expr, Any]) -> Any:
    args = [done[a] for a in node.args]
    if node.dtype == "?" or not any(isinstance(a, complex) for a in args):
        return real[node]  # a condition does not move
    try:
        value = node.op(*args, params=node.params)
    except TypeError:
        raise NotApplicableError(f"{node.op.name} takes no complex number here") from None
    value = complex(value)
    if _departs(node, args, real, value):
        raise NotApplicableError(f"{node.op.name} is not analytic")
    return value


def _departs(node: Expr, args: Sequence[Any], real: Mapping[Expr, Any], value: complex) -> bool:
    """Is the complex value that of another function? NumPy's |x| and sign x of a complex x are.

    Only rows with kinks can be: for them a coarse difference along the direction in which the operands move tells.
    """
    if node.op.kink is None:
        return False
    if at_kink(node, real):
        return True
    step = 1e-6
    move = lambda a, s: float(np.real(a)) + s * float(np.imag(a)) / TINY if isinstance(a, complex) else a
    above, below = (float(node.op(*[move(a, s) for a in args], params=node.params)) for s in (step, -step))
    slope, found = (above - below) / (2 * step), value.imag / TINY
    return not abs(slope - found) <= 1e-3 * (abs(slope) + abs(found)) + 1e-9


WAYS: tuple[Way, ...] = (
    Way("forward mode", "table", forward_mode),
    Way("reverse mode", "table", reverse_mode),
    Way("numeric sweep", "table", numeric_sweep),
    Way("generated code", "table", generated_code),
    Way("your derivative", "yours", given_derivative),
    Way("SymPy", "SymPy", by_sympy),
    Way("complex step", "complex step", complex_step),
    Way("differences", "function", differences),
    Way("ball arithmetic", "table", balls),
)

__all__ = ["WAYS", "NotApplicableError", "Outcome", "Way", "limited", "sympy_values", "whole"]
