"""What a function is to a picture: a function of one number or of two, its names, and its formula.

A function of an array with two entries is one of two numbers; of anything larger, `through` makes a function on a line
or plane through a point. The makers keep what can be traced traceable, so that derivatives stay exact.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tangently.errors import DomainError, InputError, TangentlyError, TraceError

Function = Callable[..., Any]
Interval = tuple[float, float]
DRAWABLE = (
    "What can be drawn: a function of one number; of two numbers; of an array with two entries (give at=[x0, x1]); "
    "and of anything larger a line through a point, at=point and along=u, or a plane, along=(u, v), "
    "with directions u and v of the point's shape"
)


def parameters(f: Function) -> list[inspect.Parameter] | None:
    """The arguments that must be given; None where the signature does not tell."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return [p for p in found if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def of_numbers(f: Function, at: Any) -> tuple[Function, Any, int]:
    """The function as one of one or two numbers, the point as a number or a pair, and which of both."""
    arguments = parameters(f)
    count = len(arguments) if arguments is not None else len(at) if isinstance(at, tuple) else 1
    at = _positional(at, arguments or [])
    if count == 1:
        size = np.size(at) if at is not None else _probed_size(f)
        if size == 1:
            return f, None if at is None else number(at if np.ndim(at) == 0 else np.ravel(at)[0], "at"), 1
        if size == 2 and (at is None or np.shape(at) == (2,)):
            return _paired(f), None if at is None else tuple(float(v) for v in at), 2
    if count == 2 and (at is None or np.shape(at) == (2,)):
        return f, None if at is None else tuple(number(v, "at") for v in at), 2
    where = "" if at is None else f" at {at!r:.60}"
    plural = "" if count == 1 else "s"
    raise InputError(f"got a function of {count} argument{plural}{where}, which is no line or plane. {DRAWABLE}")


def _positional(at: Any, arguments: list[inspect.Parameter]) -> Any:
    """A point given by names in the order of the arguments; a single argument in a tuple by itself."""
    if isinstance(at, dict):
        missing = [p.name for p in arguments if p.name not in at]
        if missing or len(at) != len(arguments):
            raise InputError(f"got at={at!r:.60}; values for {', '.join(p.name for p in arguments)} were wanted")
        at = tuple(at[p.name] for p in arguments)
    return at[0] if isinstance(at, tuple) and len(at) == 1 else at


def number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"got {name}={value!r:.60}; a number was wanted") from error


def _probed_size(f: Function) -> int:
    """Whether f takes a number or an array with two entries, by asking it for both."""
    for size, probe in ((1, 0.6180339887), (2, np.array([0.6180339887, 0.4142135623]))):
        try:
            found = f(probe)
        except DomainError:
            return size
        except (TangentlyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
            continue
        if np.size(found) == 1:
            return size
    raise InputError(f"the function takes neither a number nor an array with two entries. {DRAWABLE}")


def _paired(f: Function) -> Function:
    """A function of an array with two entries as one of two numbers, which can be traced and takes grids."""
    first, second = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    def pair(x0: Any, x1: Any) -> Any:
        return f(x0 * first + x1 * second)

    pair.pointwise = lambda x0, x1: getattr(f, "pointwise", f)(np.stack([x0, x1]))  # type: ignore[attr-defined]
    pair.__name__ = name_of(f)
    pair.formula = lambda: formula_of(f, (2,))  # type: ignore[attr-defined]
    return pair


def through(f: Function, at: Any, along: Any) -> tuple[Function, Any]:
    """The function on the line or plane through a point, in steps s and t along the directions."""
    if at is None:
        raise InputError("along= was given without at=; give the point that the line or plane goes through")
    point = np.asarray(at, float)
    directions = np.asarray(along, float)
    if directions.shape not in (point.shape, (2, *point.shape)) or not np.isfinite(directions).all():
        raise InputError(
            f"got along= of shape {directions.shape} for a point of shape {point.shape}; "
            "one direction of the point's shape was wanted for a line, or a pair of them for a plane"
        )
    spread = isinstance(at, tuple)
    call = lambda x: f(*(x[i] for i in range(len(point)))) if spread else f(x)
    if directions.shape == point.shape:
        line = lambda t: call(point + t * directions)
        return line, 0.0
    u, v = directions
    plane = lambda s, t: call(point + s * u + t * v)
    return plane, (0.0, 0.0)


def name_of(f: Function) -> str:
    name = getattr(f, "__name__", "f")
    return "f" if name in ("formula", "line", "plane") or len(name) > 12 or not name.isidentifier() else name


def variables(f: Function, count: int) -> list[str]:
    names = [p.name for p in parameters(f) or []]
    return names if len(names) == count else ["x", "y"][:count]


def formula_of(f: Function, shape: tuple[int, ...] | None = None) -> Any:
    """What f computes, as an expression; only where it needs no point to be known."""
    if hasattr(f, "formula") and shape is None and not isinstance(f, partial):
        return f.formula()
    from tangently.compiled import abstract_recording
    from tangently.function import Expression
    from tangently.simplification import simplify

    recording = abstract_recording(f, None if shape is None else [shape])
    if len(recording.outputs) != 1 or recording.outputs[0].shape != ():
        raise TraceError("a formula with one number as its value was wanted")
    return Expression(simplify(recording.outputs[0]), {})


def said(f: Function, found: str | None) -> str:
    """The function in the text alternative: as a line of text, where it has a formula."""
    head = f"{name_of(f)}({', '.join(p.name for p in parameters(f) or [])})"
    return f"{head} = {formula_of(f)}" if found else head


def bounds(domain: Any) -> Interval:
    try:
        low, high = (float(v) for v in domain)
    except (TypeError, ValueError) as error:
        raise InputError(f"got domain={domain!r:.60}; two numbers were wanted: domain=(low, high)") from error
    if not (low < high and math.isfinite(high - low)):
        raise InputError(f"got domain={domain!r:.60}; a finite low below a finite high was wanted")
    return low, high
