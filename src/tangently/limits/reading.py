"""From what a person brings to an exact expression: text, SymPy, a Python function, a pair (expression, input).

Numbers are read exactly. In text every literal stays a rational number (0.1 is 1/10, 1/3 is a third); in a Python
function 1/3 has become the double 0.333… before anyone could see it, so a float that is the nearest double of a
simple constant (1/3, π/2, √2, log 2) is read as that constant, and a note says so.

A Python function is traced. One that branches on x (`if x < 0:`) is traced at points ever nearer, and the formula of a
trace is the function near the point when every branch that was taken is proven to be taken all the way.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from tangently.asymptotics import constants as K
from tangently.errors import InputError, TangentlyError, a_type
from tangently.expr import CONST, INPUT, TABLE, Expr, const, evaluate, raw, symbol, toposort
from tangently.parsing import Formula, parse
from tangently.parsing.formula import exact_literals
from tangently.tracing.recording import record

NEARNESS = (
    1e-2,
    1e-4,
    1e-6,
    1e-9,
    1e-13,
    1e-22,
    1e-44,
)  # relative distances from the point at which a branching function is traced


@dataclass(frozen=True)
class Reading:
    """f as expressions of `inputs`; `trace` gives the formula near a point where one formula is not enough."""

    inputs: tuple[Expr, ...]
    root: Expr | None  # None: branches on x, or can't be traced
    notes: tuple[str, ...] = ()
    callable: Callable[..., Any] | None = None
    obstacle: str = ""  # why there is no root

    def input(self, wrt: Any) -> Expr:
        """The variable that `wrt` names; the only one if it is left out."""
        names = [str(s.name) for s in self.inputs]
        if wrt is None:
            free = [s for s in self.inputs if self.root is None or s in set(toposort([self.root]))] or list(self.inputs)
            if len(free) == 1:
                return free[0]
            wrt = "x" if "x" in names else None
            if wrt is None:
                raise InputError(f"the function has the variables {', '.join(names)}; say which one moves with wrt=")
        found = next((s for k, s in enumerate(self.inputs) if str(wrt) == s.name or wrt is s or wrt == k), None)
        if found is None:
            raise InputError(f"wrt={wrt!r}: the function has no such variable; it has {', '.join(names)}")
        return found


def read(f: Any) -> Reading:
    """What was brought, as an exact expression where that is possible.

    >>> read("x/3 + 0.1").root
    add(div(x, 3), div(1, 10))
    """
    if isinstance(f, str):
        f = parse(f)
    if isinstance(f, Formula):
        return _of_text(f)
    if isinstance(f, tuple) and len(f) == 2 and isinstance(f[0], Expr):
        inputs = f[1] if isinstance(f[1], tuple) else (f[1],)
        return _exact(inputs, f[0])
    if type(f).__module__.startswith("sympy."):
        return _of_sympy(f)
    if isinstance(f, (int, float)) and not isinstance(f, bool):
        return _exact((symbol("x"),), const(f))
    if not callable(f):
        raise InputError(f"got {a_type(f)}; wanted a function, a formula as text, or a SymPy expression")
    return _of_callable(f)


def _of_sympy(f: Any) -> Reading:
    from tangently.adopting.sympy import from_sympy

    root, inputs = from_sympy(f)
    return replace(_exact(inputs or (symbol("x"),), root), callable=None)


def _exact(inputs: tuple[Expr, ...], root: Expr, function: Any = None) -> Reading:
    notes: list[str] = []
    return Reading(inputs, scalars(exactly(root, notes)), tuple(dict.fromkeys(notes)), function)


# ---------------------------------------------------------------- numbers


def exactly(root: Expr, notes: list[str]) -> Expr:
    """The same expression with every float as the exact constant that it stands for."""
    done: dict[Expr, Expr] = {}
    for node in toposort([root]):
        if node.op is CONST:
            done[node] = _constant(node, notes)
        elif not node.args:
            done[node] = node
        else:
            args = tuple(done[a] for a in node.args)
            if node.op.name == "neg" and args[0].op is CONST and type(args[0].value) is int:
                done[node] = const(-args[0].value)
                continue
            same = all(a is b for a, b in zip(args, node.args))
            done[node] = node if same else raw(node.op, args, node.params)
    return done[root]


def _constant(node: Expr, notes: list[str]) -> Expr:
    value = node.value
    if type(value) is not float or not math.isfinite(value):
        return node
    return exact_number(value, notes)


def exact_number(value: float, notes: list[str]) -> Expr:
    """The exact constant that a float stands for, with a note where it had to be guessed."""
    found = K.recognized(value)
    if found is None:
        notes.append(f"{value!r} is taken for a rounded number: what depends on its last digit is undecided")
        return const(value)
    number, said = found
    if said:
        notes.append(said)
    return K.to_expr(number)


def _of_text(formula: Formula) -> Reading:
    inputs = tuple(symbol(name) for name in formula.arguments) or (symbol("x"),)
    notes: list[str] = []
    recording = record(
        as_written(formula), [None] * len(inputs), [str(s.name) for s in inputs], lambda g: (tuple(g), {}),
        [True] * len(inputs), abstract=[()] * len(inputs),
    )  # fmt: skip
    if not recording.scalar:
        raise InputError(f"{formula.text} gives an array; a limit needs a formula that gives one number")
    found = tuple(x for x in recording.inputs if x is not None)
    return replace(_exact(found, recording.outputs[0]), notes=tuple(dict.fromkeys(notes)), callable=formula)


def as_written(formula: Formula) -> Callable[..., Any]:
    """The formula of traced values with its literals as rational constants, before anything is computed with them."""
    from tangently.tracing.traced import Traced

    def call(*given: Any) -> Any:
        lift = lambda value: Traced(value if isinstance(value, Expr) else rational(value), None, given[0]._trace)
        return exact_literals(formula, lift, exact_constants())(*given[: len(formula.arguments)])

    return call


def rational(value: int | float) -> Expr:
    """A literal as people mean it: 0.1 is 1/10.

    >>> rational(0.125), rational(3)
    (div(1, 8), 3)
    """
    if isinstance(value, int) or not math.isfinite(value):
        return const(value)
    fraction = Fraction(repr(value))
    return const(fraction.numerator) if fraction.denominator == 1 else raw(
        TABLE["div"], (const(fraction.numerator), const(fraction.denominator)))  # fmt: skip


def exact_constants() -> dict[str, Expr]:
    """π, e and τ as expressions."""
    return {
        "pi": TABLE["pi"](),
        "e": raw(TABLE["exp"], (const(1),)),
        "tau": raw(TABLE["mul"], (const(2), TABLE["pi"]())),
    }


# ---------------------------------------------------------------- Python functions


def _of_callable(f: Callable[..., Any]) -> Reading:
    names = parameters(f)
    inputs = tuple(symbol(n) for n in names)
    try:
        recording = record(
            f, [None] * len(names), names, lambda g: (tuple(g), {}), [True] * len(names), abstract=[()] * len(names)
        )
    except (TangentlyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return Reading(inputs, None, callable=f, obstacle=_first_line(error))
    if not recording.scalar:
        raise InputError("the function gives an array; a limit needs a function that gives one number")
    found = tuple(x if x is not None else s for x, s in zip(recording.inputs, inputs))
    return _exact(found, recording.outputs[0], f)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def parameters(f: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters without a default; one named x where there is no signature."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a built-in function without a signature
        return ["x"]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in found if p.default is p.empty and p.kind in positional]
    if not names and not any(p.kind in (*positional, p.VAR_POSITIONAL) for p in found):
        raise InputError("the function takes no argument; wanted a function of at least one variable")
    return names or ["x"]


def traces(
    reading: Reading, point: float, side: int
) -> Iterator[tuple[Expr, Expr, list[tuple[Expr, bool]], tuple[str, ...]]]:
    """The function traced nearer and nearer to the point: (formula, input, guards, notes) for each trace that works."""
    assert reading.callable is not None
    name = str(reading.inputs[0].name)
    for h in NEARNESS:
        try:
            recording = record(reading.callable, [near(point, side, h)], [name], lambda g: (tuple(g), {}), [True])
        except (TangentlyError, TypeError, ValueError, ArithmeticError, AttributeError):
            continue
        x = recording.inputs[0]
        if not recording.scalar or x is None:
            continue
        notes: list[str] = []
        guards = [(scalars(exactly(c, notes)), bool(outcome)) for c, outcome in recording.trace.guards]
        if all(isinstance(o, (bool, np.bool_)) for _, o in recording.trace.guards):
            yield scalars(exactly(recording.outputs[0], notes)), x, guards, tuple(dict.fromkeys(notes))


def is_faithful(reading: Reading, root: Expr, x: Expr, point: float, side: int) -> bool:
    """Does the formula of a trace give the function's own values near the point? (Text and SymPy do by themselves.)

    A trace is blind to a number that was taken out of it and put back as a constant. Rounding is no objection: only
    where formula and function differ by much, twice, they are different functions.
    """
    f = reading.callable
    if f is None or isinstance(f, Formula):
        return True
    apart = [_apart(f, root, x, v) for h in (7e-3, 6e-4, 5e-5) for v in [near(point, side, h)]]
    return sum(d for d in apart if d is not None) < 2


def near(point: float, side: int, h: float) -> float:
    """A float at the relative distance h from the point, or of the size 1/h."""
    return -side / h if math.isinf(point) else point + side * h * max(1.0, abs(point))


def _apart(f: Callable[..., Any], root: Expr, x: Expr, v: float) -> bool | None:
    """Do formula and function differ at v? None where one of them has no value."""
    try:
        with np.errstate(all="ignore"):
            own, traced = complex(f(v)), complex(evaluate([root], {x: v})[0])
    except (TangentlyError, ArithmeticError, TypeError, ValueError):
        return None
    if not (math.isfinite(own.real) and math.isfinite(traced.real)):
        return None
    return abs(own - traced) > 1e-3 * (abs(own) + abs(traced)) + 1e-9


# ---------------------------------------------------------------- arrays


def scalars(root: Expr) -> Expr:
    """The same expression in numbers only: arrays are taken apart into their entries.

    >>> from tangently.primitives.tensor import sum_of
    >>> x = symbol("x")
    >>> scalars(sum_of(TABLE["stack"](x, x**2, params=(0,)), 0, False))
    add(x, pow(x, 2))
    """
    if all(n.shape == () for n in toposort([root])):
        return root
    from tangently.differentiation import expand

    [root] = expand([root])
    done: dict[Expr, Any] = {}
    for node in toposort([root]):
        done[node] = _entries(node, done)
    found = done[root]
    return found.item() if isinstance(found, np.ndarray) else found


def _entries(node: Expr, done: Mapping[Expr, Any]) -> Any:
    """The value of a node as an expression, or an array of expressions."""
    if node.op is CONST and node.shape:
        return np.frompyfunc(const, 1, 1)(np.asarray(node.value).astype(object))
    if node.op in (CONST, INPUT):
        return node
    args = [done[a] for a in node.args]
    if node.op.kind == "elementwise":
        apply = np.frompyfunc(lambda *xs: node.op(*xs), len(args), 1)
        return apply(*map(_boxed, args)) if any(isinstance(a, np.ndarray) for a in args) else node.op(*args)
    if node.op.name in FOLDED:
        axes, keep = node.params
        return np.frompyfunc(lambda a, b: TABLE[FOLDED[node.op.name]](a, b), 2, 1).reduce(
            _boxed(args[0]), axis=tuple(axes), keepdims=keep)  # fmt: skip
    if node.op.name == "einsum":
        return _einsum(node.params[0], args)
    return node.op.evaluate(node.params, *map(_boxed, args))


def _boxed(a: Any) -> np.ndarray:
    """An expression as an array without axes, which NumPy broadcasts."""
    if isinstance(a, np.ndarray):
        return a
    box = np.empty((), object)
    box[()] = a
    return box


FOLDED = {"amax": "maximum", "amin": "minimum", "prod": "mul"}


def _einsum(spec: str, args: list[Any]) -> Any:
    """A contraction of arrays of expressions, entry by entry."""
    operands, output = spec.replace("...", "").split("->")
    letters = operands.split(",")
    arrays = [_boxed(a) for a in args]
    sizes = {c: n for names, a in zip(letters, arrays) for c, n in zip(names, a.shape)}
    summed = [c for c in dict.fromkeys("".join(letters)) if c not in output]
    result = np.empty(tuple(sizes[c] for c in output), object)
    for index in np.ndindex(result.shape):
        result[index] = _contracted(letters, arrays, dict(zip(output, index)), summed, sizes)
    return result if result.shape else result.item()


def _contracted(
    letters: list[str], arrays: list[np.ndarray], at: dict[str, int], summed: list[str], sizes: dict[str, int]
) -> Expr:
    total: Expr | None = None
    for inner in np.ndindex(tuple(sizes[c] for c in summed)):
        place = {**at, **dict(zip(summed, inner))}
        product: Any = None
        for names, array in zip(letters, arrays):
            entry = array[tuple(place[c] for c in names)]
            product = entry if product is None else TABLE["mul"](product, entry)
        total = product if total is None else TABLE["add"](total, product)
    return const(0) if total is None else total
