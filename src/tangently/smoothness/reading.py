"""What a verb of this package is given — a callable, text, a SymPy expression, a formula — as one expression of x.

Numbers are read exactly, as `tangently.limits.reading` does. A Python function that branches on x is traced at points
of the interval, one path of branches at a time; the paths become a formula with cases, whose conditions say where the
next points have to be taken: the cuts of the formula so far, and a point between each two. When these bring no new
path, every branch that is taken anywhere on the interval is in the formula.
"""

from __future__ import annotations

import fractions
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tangently.differentiation import expand
from tangently.errors import DomainError, InputError, TangentlyError, TraceError
from tangently.expr import CONST, INPUT, TABLE, Expr, build, const, evaluate, inputs_of, substitute, symbol, toposort
from tangently.smoothness.points import Point, end, point_of, rational, written

ROUNDS, PATHS = 6, 200


@dataclass(frozen=True)
class Subject:
    """A function of one variable: its expression as it is analyzed and as it is shown, its input, how to call it."""

    output: Expr
    x: Expr
    callable: Callable[[float], float]
    shown: Expr


def subject_of(f: Any, lo: Point, hi: Point, wrt: Any = None) -> Subject:
    """The function between two points as an expression of one input.

    >>> subject_of("x^2 + 1", end(0.0), end(1.0)).output
    add(pow(x, 2), 1)
    """
    from tangently.limits.reading import read

    reading = read(f)
    if reading.root is None:
        paths, x = _explored(reading, lo, hi)
        return _finished(_cases(paths, 0), x, _cases(paths, 0, gaps=False), reading.callable)
    x = reading.input(wrt)
    others = [n for n in toposort([reading.root]) if n.op is INPUT and n is not x]
    if others:
        names = ", ".join(str(n.name) for n in others)
        wanted = f"a function of {x.name} alone was wanted; put numbers in their place"
        raise InputError(f"got a function of {x.name} and {names}; {wanted}")
    return _finished(reading.root, x)


def _finished(root: Expr, x: Expr, shown: Expr | None = None, given: Any = None) -> Subject:
    fresh = symbol(x.name or "x")
    output, shown = substitute([root, shown or root], {x: fresh})
    [output] = expand([output])
    call = given or (lambda v: float(evaluate([shown], {fresh: float(v)})[0]))
    return Subject(rooted_squares(output), fresh, call, shown)


def rooted_squares(root: Expr) -> Expr:
    """(u²ᵏ)^p as |u|²ᵏᵖ, which has its kink in plain sight: √(x²) is |x|, √(x⁴) is x².

    >>> rooted_squares(TABLE["sqrt"](symbol("x") ** 4))
    pow(x, 2)
    """
    done: dict[Expr, Expr] = {}
    for node in toposort([root]):
        args = tuple(done[a] for a in node.args)
        done[node] = _unrooted(node, args) or (node if args == node.args else build(node.op, args, node.params))
    return done[root]


def _unrooted(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
    outer = (
        fractions.Fraction(1, 2) if node.op.name == "sqrt" else _exponent(args[1] if node.op.name == "pow" else None)
    )
    if outer is None or outer.denominator == 1 or args[0].op.name not in ("pow", "square"):
        return None
    inner = _exponent(args[0].args[1]) if args[0].op.name == "pow" else fractions.Fraction(2)
    if inner is None or inner.denominator != 1 or inner % 2 or inner < 0:
        return None
    base, total = args[0].args[0], inner * outer
    size = base if total.denominator == 1 and total % 2 == 0 else TABLE["abs"](base)
    return TABLE["pow"](size, written(total))


def _exponent(node: Expr | None) -> fractions.Fraction | None:
    """A rational constant."""
    if node is None:
        return None
    if node.op is CONST:
        return rational(node.value)
    if node.op.name == "div" and all(a.op is CONST and type(a.value) is int for a in node.args):
        return fractions.Fraction(node.args[0].value, node.args[1].value)
    return None


# ---------------------------------------------------------------- Python functions that branch


@dataclass(frozen=True)
class Path:
    """One way through a function: the conditions that it met with their outcomes, and the formula that it gave."""

    guards: tuple[tuple[Expr, bool], ...]
    formula: Expr


def _explored(reading: Any, lo: Point, hi: Point) -> tuple[list[Path], Expr]:
    """The paths that are taken on the interval, and their input."""
    from tangently.smoothness.cells import decompose

    x = symbol(str(reading.inputs[0].name))
    paths: dict[Any, Path] = {}
    tried: set[float] = set()
    places = _first_places(lo, hi)
    for _ in range(ROUNDS):
        fresh = [value for value in places if value not in tried]
        tried.update(fresh)
        known = len(paths)
        for path in (_path(reading, value, x) for value in fresh):
            if path is not None:
                paths.setdefault(path.guards, path)
        if not paths:
            raise TraceError(f"{reading.obstacle or 'the function'} can't be traced on this interval")
        if len(paths) == known or len(paths) > PATHS:
            break
        cells = decompose(_cases(list(paths.values()), 0), x, [lo, hi])
        places = [p.at for p in cells.cuts if p.finite] + [float(piece.sample) for piece in cells.pieces]
    return list(paths.values()), x


def _first_places(lo: Point, hi: Point) -> list[float]:
    a = lo.at if lo.finite else min(-64.0, hi.at - 64.0)
    b = hi.at if hi.finite else max(64.0, lo.at + 64.0)
    return [a, b, *[a + (b - a) * ((k * 0.618034 + 0.37) % 1) for k in range(9)]]


def _path(reading: Any, value: float, x: Expr) -> Path | None:
    """The path that is taken at a value; None where the function can't be traced there (it raises)."""
    from tangently.limits.reading import exactly, scalars
    from tangently.tracing.recording import record

    try:
        recording = record(reading.callable, [value], [str(x.name)], lambda given: (tuple(given), {}), [True])
    except (TangentlyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None
    [own] = recording.inputs
    exprs = [scalars(exactly(e, [])) for e in (recording.outputs[0], *[c for c, _ in recording.trace.guards])]
    formula, *conditions = substitute(exprs, {own: x}) if own is not None else exprs
    met = dict(zip(conditions, [bool(o) for _, o in recording.trace.guards]))  # a loop may ask the same thing again
    return Path(tuple(met.items()), formula)


def _cases(paths: Sequence[Path], depth: int, gaps: bool = True) -> Expr:
    """The paths as nested cases; a branch that no path took has no value, or (to be read) is left out."""
    if not paths:
        return const(math.nan)
    done = next((p for p in paths if len(p.guards) == depth), None)
    if done is not None:
        return done.formula
    condition = paths[0].guards[depth][0]
    here = [p for p in paths if p.guards[depth][0] is condition]
    yes, no = ([p for p in here if p.guards[depth][1] is outcome] for outcome in (True, False))
    if not (gaps or (yes and no)):
        return _cases(yes or no, depth + 1, gaps)
    return TABLE["where"](condition, _cases(yes, depth + 1, gaps), _cases(no, depth + 1, gaps))


# ---------------------------------------------------------------- points


def place(value: Any) -> Point:
    """A point given as a number, an expression, text (`pi/2`) or a SymPy number.

    >>> place(0.5).at, place("pi/2").exact
    (0.5, div(pi(), 2))
    """
    if isinstance(value, Expr):
        return _constant(value, value)
    if type(value).__module__.startswith("sympy."):
        from tangently.adopting.sympy import from_sympy

        return place(float(value)) if value.is_infinite else _constant(from_sympy(value)[0], value)
    if isinstance(value, str) and value.strip().lstrip("+-") in ("inf", "oo", "∞"):
        return _number(-math.inf if value.strip().startswith("-") else math.inf)
    if isinstance(value, str):
        from tangently.limits.reading import read

        root = read(value).root
        return _number(value) if root is None else _constant(root, value)
    return _number(value)


def _number(value: Any) -> Point:
    """A float as the constant that it stands for: 0.1 is 1/10, 1.5707963267948966 is π/2."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        wanted = "a real number, such as 2.0, or text, such as 'pi/2'"
        raise InputError(f"got {value!r} as a point; wanted {wanted}") from None
    if math.isnan(found):
        raise InputError("got nan as a point; wanted a real number")
    if math.isinf(found) or found.is_integer():
        return end(found)
    from tangently.limits.reading import exact_number

    return point_of(exact_number(found, []))


def _constant(expr: Expr, given: Any) -> Point:
    if inputs_of([expr]):
        raise InputError(f"got {given} as a point; wanted a number without variables")
    try:
        return point_of(expr)
    except TangentlyError as error:
        raise DomainError(f"the point {given} has no value: {error}") from None


def interval(on: Any) -> tuple[Point, Point]:
    """The two ends of an interval, the smaller first.

    >>> [p.at for p in interval((0, "2"))]
    [0.0, 2.0]
    """
    if not isinstance(on, (tuple, list)) or len(on) != 2:
        raise InputError(f"on={on!r}: two numbers (a, b) with a < b were wanted")
    lo, hi = place(on[0]), place(on[1])
    if not lo.at < hi.at:
        raise InputError(f"on={on!r}: a < b was wanted; swap the ends, or ask at=… for one point")
    return lo, hi


__all__ = ["Subject", "interval", "place", "subject_of"]
