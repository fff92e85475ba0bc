"""From a Python callable and its arguments to a `Recording`: inputs, outputs, guards, names.

Arguments are flattened; each number or array among them becomes an input. An argument that is differentiated is
promoted to floating point (the integer 2 is the real number 2.0); an integer that is not stays a plain integer, so it
can count loops and index arrays.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently.errors import DomainError, InputError, LeakError, TraceError
from tangently.expr import CONST, INPUT, Expr, const, toposort
from tangently.functions import array, has_traced
from tangently.tracing import arrays as _arrays  # noqa: F401  (gives Traced its NumPy methods)
from tangently.tracing.names import name_of
from tangently.tracing.rebinding import Rebinder, _content, names_in, needs_rebinding
from tangently.tracing.traced import Trace, Traced
from tangently.tracing.trees import LEAF, Structure, flatten, unflatten


@dataclass(frozen=True)
class Recording:
    """A traced call: `outputs` as expressions of `inputs`, valid where every guard has its outcome."""

    inputs: list[Expr | None]  # None where a leaf stayed a plain number
    paths: list[str]
    outputs: list[Expr]
    results: list[Any]
    structure: Structure
    trace: Trace = field(repr=False)
    function: str = "f"

    @functools.cached_property
    def names(self) -> dict[Expr, str]:
        """The user's names, told apart: a second z is z_2."""
        taken: dict[str, int] = {}
        found = {}
        for node, name in self.trace.names.items():
            taken[name] = taken.get(name, 0) + 1
            found[node] = name if taken[name] == 1 else f"{name}_{taken[name]}"
        return found

    @property
    def scalar(self) -> bool:
        """One number out?"""
        return self.structure == LEAF and self.outputs[0].shape == ()


def promote(leaf: Any, differentiated: bool, path: str) -> Any:
    """A leaf as the trace takes it: float, float array, or (not differentiated) as it is."""
    if isinstance(leaf, Traced):
        raise TraceError("internal: a traced leaf can't be promoted")
    if type(leaf) is float:
        return leaf
    if isinstance(leaf, (complex, np.complexfloating)) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "c"):
        raise InputError(
            f"{path} is complex: tangently differentiates real functions of real numbers; "
            "pass the real and imaginary parts as two arguments"
        )
    if isinstance(leaf, np.ndarray):
        return _promote_array(leaf, differentiated, path)
    if isinstance(leaf, np.floating):
        return float(leaf)
    return float(leaf) if differentiated else int(leaf)


def _promote_array(leaf: np.ndarray, differentiated: bool, path: str) -> Any:
    if leaf.dtype.kind not in "fiub":
        raise InputError(f"{path} has dtype {leaf.dtype}: an array of real numbers was wanted")
    if leaf.ndim == 0 and leaf.dtype.kind != "b":
        return float(leaf) if differentiated or leaf.dtype.kind == "f" else int(leaf)
    return leaf.astype(np.float64) if differentiated and leaf.dtype.kind in "iu" else leaf


def input_names(paths: Sequence[str]) -> list[str]:
    """Short names for the leaves: the last key, or the whole path where last keys clash.

    >>> input_names(["x", "p['W']", "p['b']"])
    ['x', 'W', 'b']
    """
    whole = [re.sub(r"_+", "_", re.sub(r"\W+", "_", p)).strip("_") or "x" for p in paths]
    last = [re.findall(r"\w+", p)[-1] if re.findall(r"\w+", p) else "x" for p in paths]
    last = [w if part.isdigit() else part for part, w in zip(last, whole)]
    return [short if last.count(short) == 1 else w for short, w in zip(last, whole)]


def record(
    function: Callable[..., Any],
    leaves: Sequence[Any],
    paths: Sequence[str],
    call: Callable[[list[Any]], tuple[tuple[Any, ...], dict[str, Any]]],
    traced: Sequence[bool],
    abstract: Sequence[tuple[int, ...]] | None = None,
) -> Recording:
    """Run the function on traced leaves. `call` puts the leaves back into arguments; `traced` says which are inputs.

    With `abstract` shapes there are no values: branches then raise.
    """
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    trace = Trace(code)
    given: list[Any] = []
    for k, (leaf, name) in enumerate(zip(leaves, input_names(paths))):
        if not traced[k]:
            given.append(leaf)
        elif abstract is not None:
            given.append(trace.input(name, None, abstract[k]))
        else:
            given.append(trace.input(name, leaf))
    args, keywords = call(given)
    out = _run(function, args, keywords, trace)
    _name_constants(function, trace)
    inputs = [g.expr if isinstance(g, Traced) and t else None for g, t in zip(given, traced)]
    return _finish(trace, out, inputs, paths, name_of(function))


def _run(function: Callable[..., Any], args: Any, keywords: Any, trace: Trace) -> Any:
    rebinder = Rebinder() if needs_rebinding(function) else None
    run = rebinder.callable(function) if rebinder else function
    try:
        with np.errstate(all="ignore"):  # the generated code will warn, and `diagnose` says more
            return run(*args, **keywords)
    except RecursionError as error:
        raise TraceError(
            "the function recursed deeper than Python's limit: does the recursion reach its end? "
            "(A deep but finite one: write it as a loop.)"
        ) from error
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, LeakError):  # NumPy wraps what float(x) raised: y[0] = x into np.zeros
            raise error.__cause__ from None
        raise
    finally:
        trace.open = False
        if rebinder:
            rebinder.write_through()


def _name_constants(function: Callable[..., Any], trace: Trace) -> None:
    """Captured arrays keep the names by which the function knows them: X, y, mask."""
    inner = inspect.unwrap(getattr(function, "__func__", function))
    if not trace.constants or not isinstance(inner, types.FunctionType):
        return
    known = {id(inner.__globals__[n]): n for n in names_in(inner.__code__) if n in inner.__globals__}
    known.update({id(_content(c)): n for n, c in zip(inner.__code__.co_freevars, inner.__closure__ or ())})
    for key, (_, node) in trace.constants.items():
        if key in known:
            trace.names.setdefault(node, known[key])


def _finish(trace: Trace, out: Any, inputs: list[Expr | None], paths: Sequence[str], name: str) -> Recording:
    if out is None:
        raise TraceError(f"{name} returned None: is a return statement missing?")
    leaves, where, structure = flatten(_stacked(out))
    if not leaves:
        raise TraceError(f"{name} returned {out!r}: a number, an array, or a nest of them was wanted")
    outputs, results = [], []
    for leaf, path in zip(leaves, where):
        node, value = _output(trace, leaf, path)
        outputs.append(node)
        results.append(value)
    return Recording(inputs, list(paths), outputs, results, structure, trace, name)


def _stacked(out: Any) -> Any:
    """An object array of traced values (np.array([f(x), g(x)])) is the stack of them."""
    if isinstance(out, np.ndarray) and out.dtype == object:
        return array(out.tolist()) if has_traced(out.tolist()) else out
    return out


def _output(trace: Trace, leaf: Any, path: str) -> tuple[Expr, Any]:
    if isinstance(leaf, Traced):
        if leaf._trace is not trace:
            trace.foreign[leaf.expr] = leaf
            trace.values[leaf.expr] = leaf.value
        return leaf.expr, leaf.value
    if isinstance(leaf, (complex, np.complexfloating)):
        raise InputError(f"the function returned a complex number ({leaf}): a real one was wanted")
    node = const(leaf if type(leaf) in (int, float, bool) else np.asarray(leaf))
    return node, leaf


def diagnose(recording: Recording) -> DomainError | None:
    """Where a value that is not finite began: the first node outside its domain that a nan or inf output needs."""
    values = recording.trace.values
    if all(_finite(v) for v in recording.results):
        return None
    for node in toposort(recording.outputs, stop=lambda n: n in recording.trace.foreign):
        if node.op.domain is not None and node in values:
            inputs = _operands(node, values)
            if all(v is not None for v in inputs) and not _inside(node, inputs):
                return DomainError(_domain_text(node, inputs, recording))
    return None


def origin(recording: Recording) -> str:
    """In words, where a value that is not finite began ('' where all are): in what was given, outside a domain, or
    by a result beyond the range of floating-point numbers."""
    if all(_finite(v) for v in recording.results):
        return ""
    nodes = toposort(recording.outputs, stop=lambda n: n in recording.trace.foreign)
    holding = (_holding_nan(n, recording) for n in nodes if n.op is INPUT or n.op is CONST)
    outside = diagnose(recording)
    return next(filter(None, holding), "") or (str(outside) if outside is not None else _overflow(nodes, recording))


def _holding_nan(node: Expr, recording: Recording) -> str:
    bad = np.isnan(np.asarray(recording.trace.values.get(node, node.value), float))
    if not bad.any():
        return ""
    from tangently.printing import to_text

    name = to_text(node, recording.names)
    if not bad.ndim:
        return f"{name} is nan: give a number"
    first = ", ".join(str(int(i)) for i in np.argwhere(bad)[0])
    count = f"{int(bad.sum())} of {bad.size} entries"
    return f"{name} holds nan, {count}, first at [{first}]: mend or leave out what is missing"


def _operands(node: Expr, values: Mapping[Expr, Any]) -> list[Any]:
    """What a node is computed from; None for what is not known."""
    return [values.get(a, a.value if a.op is CONST else None) for a in node.args]


def _overflow(nodes: Sequence[Expr], recording: Recording) -> str:
    """The first node that is not finite though all that it is computed from is."""
    values = recording.trace.values
    for node in nodes:
        inputs = _operands(node, values)
        begins = node in values and not _finite(values[node]) and all(v is not None and _finite(v) for v in inputs)
        if begins and node.args:
            at = _placed(node, inputs, recording)
            return f"{_shown(node, recording)} is beyond 1.8e308, the range of numbers, at {at}"
    return ""


def _finite(value: Any) -> bool:
    return value is None or bool(np.all(np.isfinite(value)))


def _inside(node: Expr, inputs: list[Any]) -> bool:
    """Does every entry lie in the domain? Of what is nan already, nothing begins here."""
    domain: Any = node.op.domain
    arrays = [np.asarray(v, float) for v in inputs]
    with np.errstate(all="ignore"):
        return bool(np.all(domain(*arrays) | _any_nan(arrays)))


def _any_nan(arrays: list[np.ndarray]) -> Any:
    """Entry by entry, where the shapes go together."""
    missing = [np.isnan(a) for a in arrays]
    try:
        return functools.reduce(np.logical_or, missing)
    except ValueError:
        return any(m.any() for m in missing)


def _domain_text(node: Expr, inputs: list[Any], recording: Recording) -> str:
    at = _placed(node, inputs, recording)
    wanted = f"{node.op.domain_text} was wanted. Choose another point, or restrict the input"
    return f"{_shown(node, recording)} has no value at {at}: {wanted}"


def _shown(node: Expr, recording: Recording) -> str:
    from tangently.printing import to_text

    return to_text(node, {k: v for k, v in recording.names.items() if k is not node})


def _placed(node: Expr, inputs: list[Any], recording: Recording) -> str:
    from tangently.printing import to_text

    named = lambda a: recording.names.get(a) or to_text(a, recording.names)
    return ", ".join(f"{named(a)} = {_short(v)}" for a, v in zip(node.args, inputs) if a.op is not CONST)


def _short(value: Any) -> str:
    flat = np.asarray(value)
    if flat.ndim == 0:
        return f"{flat.item():.6g}"
    return f"an array with entries from {np.nanmin(flat):.4g} to {np.nanmax(flat):.4g}"


__all__ = ["Recording", "diagnose", "input_names", "origin", "promote", "record", "unflatten"]
