"""The engine behind `derivative`, `grad` and the rest: trace once, transform, compile, and keep what was compiled.

A *transformation* takes a recording and the nodes to differentiate, and gives output expressions and how to pack them.
An `Engine` holds one transformation of one function. Compiled variants are kept by the structure, shapes and dtypes of
the arguments; each tests its guards and surroundings itself and raises `Retrace` where it does not apply, so variants
for other branches are tried next, and a new trace is made last. The latest variant is called directly: for a scalar
function a call costs little more than the generated function itself.

Three kinds of call never compile: one whose arguments are traced (the transformed graph is run on them, so derivatives
nest), one whose function reads values of an open trace, and the first call on a graph of many thousand nodes (a numeric
sweep over the recorded values is faster than generating code that may be used once).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently.codegen.python import Argument, Generated, Retrace, generate, unpacker
from tangently.codegen.refining import refine
from tangently.differentiation import expand, sweep
from tangently.errors import InputError, TangentlyError, TraceError, a_type
from tangently.expr import CONST, INPUT, Expr, evaluate, raw, symbol, toposort
from tangently.recognition import recognized
from tangently.settings import CURRENT
from tangently.simplification import simplify_all
from tangently.tracing.dependencies import Dependencies, collect
from tangently.tracing.names import name_of
from tangently.tracing.recording import Recording, diagnose, input_names, promote, record
from tangently.tracing.traced import Eager, Trace, Traced, guard
from tangently.tracing.trees import LEAF, Structure, count_leaves, flatten, unflatten, without_statics

LONG = 3_000  # nodes; above it the first call sweeps the recorded values instead of compiling
HUGE = 20_000  # nodes; above it code is generated once, and no version that is entered directly
VARIANTS = 64  # compiled variants kept for one function
SMALL = 200  # nodes; below it the derivative is simplified before code is generated

Wrt = None | int | str | Sequence[int | str]
Pack = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Transformed:
    """What a transformation gives: output expressions, and how their values are packed (None: as they are)."""

    outputs: list[Expr]
    pack: Pack | None = None
    names: dict[Expr, str] = field(default_factory=dict)  # what the code calls values of its own: dz, dW
    extra: tuple[Expr, ...] = ()  # further inputs (directions, cotangents), after the function's own


@dataclass(frozen=True)
class Transformation:
    """`build(recording, chosen)` makes the graph; `numeric` may answer from recorded values without one.

    graph: the same with plain arrays as outputs, where `build` packs them into objects of their own: for calls on
    traced values, and for the formula. written: its formulas, where they have a notation of their own.

    extras: 1 where the last positional argument is the transformation's own (a direction, a cotangent; nested as the
    arguments, or the outputs, are).
    """

    name: str
    build: Callable[[Recording, Selection], Transformed]
    numeric: Callable[[Recording, Selection, list[Any]], Any] | None = None
    graph: Callable[[Recording, Selection], Transformed] | None = None
    written: Callable[[Recording, Selection], list[Any] | None] | None = None
    extras: int = 0
    maps_over_arrays: bool = False
    plotted: dict[str, Any] = field(default_factory=dict)  # what a picture of the result has to show: its order

    @property
    def in_graph(self) -> Callable[[Recording, Selection], Transformed]:
        return self.graph or self.build


@dataclass(frozen=True)
class Selection:
    """What is differentiated with respect to: nodes, and how their derivatives are packed for the caller."""

    nodes: list[Expr]
    pack: Pack
    labels: list[str]
    leaves: list[int | None]


@dataclass
class Variant:
    """One compiled version: for one structure of arguments, one set of shapes, one path of branches."""

    generated: Generated
    pack: Pack | None
    recording: Recording
    transformed: Transformed
    selection: Selection
    regenerate: Callable[[Callable[..., Any]], Generated] = field(repr=False)
    hot: Callable[..., Any] | None = None


class Engine:
    """One transformation of one function, and its compiled variants."""

    def __init__(self, function: Callable[..., Any], transformation: Transformation, wrt: Wrt = None) -> None:
        if not callable(function):
            raise InputError(
                f"{a_type(function)} was given where a function was wanted: "
                "a Python function, a formula as text, or something that tangently.grad and the like returned"
            )
        self.function, self.transformation, self.wrt = function, transformation, wrt
        self.variants: dict[Any, list[Variant]] = {}
        self.seen: set[Any] = set()
        self.install: Callable[[Callable[..., Any]], None] = lambda call: None
        self.latest: Variant | None = None
        self._signature: tuple[list[Any], inspect.Signature] | None = None

    @property
    def signature(self) -> inspect.Signature:
        """The function's signature, read again where its defaults were replaced."""
        found = getattr(self.function, "__defaults__", None) or (), getattr(self.function, "__kwdefaults__", None) or {}
        defaults = [*found[0], *found[1].values()]
        if self._signature is None or list(map(id, self._signature[0])) != list(map(id, defaults)):
            self._signature = defaults, signature_of(self.function)
        return self._signature[1]

    # ---- arguments

    def bind(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Bound:
        """The arguments by parameter, flattened."""
        extras: tuple[Any, ...] = ()
        if self.transformation.extras:
            if not args:
                raise InputError(f"{self.transformation.name} takes the function's arguments and then a direction")
            args, extras = args[:-1], tuple(_extra(x) for x in flatten(args[-1])[0])
        names = self.positional
        if names is not None and not keywords and len(args) == len(names):
            given = dict(zip(names, args))
        else:
            given = self._by_signature(args, keywords)
        leaves: list[Any] = []
        paths: list[str] = []
        owners: list[str] = []
        parts: list[tuple[str, Structure]] = []
        for name, value in given.items():
            mine, where, structure = flatten(value, name)
            leaves += mine
            paths += where
            owners += [name] * len(mine)
            parts.append((name, structure))
        return Bound(self.signature, leaves, paths, owners, tuple(parts), extras)

    @functools.cached_property
    def positional(self) -> tuple[str, ...] | None:
        """The parameters' names where all can be given by position (None: there are others)."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        found = self.signature.parameters
        return tuple(found) if all(p.kind in kinds for p in found.values()) else None

    def _by_signature(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        try:
            bound = self.signature.bind(*args, **keywords)
        except TypeError as error:
            raise InputError(f"{name_of(self.function)}{self.signature}: {error}") from None
        if not (getattr(self.function, "__module__", None) or "").startswith("numpy"):  # whose defaults are not given
            bound.apply_defaults()
        return bound.arguments

    def chosen(self, bound: Bound) -> list[bool]:
        """Which leaves are differentiated (a name that is no argument may be an intermediate value)."""
        if self.wrt is None:
            return [True] * len(bound.leaves)
        names = list(bound.signature.parameters)
        wanted = {names[w] if isinstance(w, int) else w for w in entries(self.wrt, names)}
        return [owner in wanted or path in wanted for owner, path in zip(bound.owners, bound.paths)]

    # ---- calls

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        bound = self.bind(args, keywords)
        picked = self.chosen(bound)
        if any(isinstance(leaf, Traced) for leaf in (*bound.leaves, *bound.extras)):
            return self.inline(bound, picked)
        leaves = [promote(leaf, p, path) for leaf, p, path in zip(bound.leaves, picked, bound.paths)]
        if self.transformation.maps_over_arrays and any(isinstance(leaf, np.ndarray) for leaf in leaves):
            mapped = self.mapped(bound, leaves, picked)
            if mapped is not NOT_MAPPED:
                return mapped
        key = (bound.parts, tuple(describe_leaf(leaf) for leaf in leaves), CURRENT.get())
        for variant in self.variants.get(key, ()):
            try:
                return self._call(variant, leaves, bound)
            except (Retrace, KeyError):  # KeyError: a global that the function read is gone
                continue
        return self.trace_and_call(key, bound, leaves, picked)

    def _call(self, variant: Variant, leaves: list[Any], bound: Bound) -> Any:
        try:
            result = variant.generated.call(*leaves, *bound.extras)
        except (ValueError, ArithmeticError):
            return self._carefully(variant, leaves, bound)
        if self.latest is variant:
            self.promote(variant, bound)
        self.latest = variant
        return result if variant.pack is None else variant.pack(result)

    def promote(self, variant: Variant, bound: Bound) -> None:
        """Called twice running: make a version that is entered directly, where the arguments are plain leaves in order.

        It makes the same tests, and where one fails calls the engine again.
        """
        nested = not bound.plain
        if self.positional is None or (nested and bound.extras) or len(variant.recording.trace.values) > HUGE:
            return
        if variant.hot is None:
            flat = not nested and variant.pack is None and variant.generated.scalar
            direct = self._direct(variant) if flat else None
            unpack = unpacker(bound.parts) if nested else None
            variant.hot = direct or _guarded(variant.generated.call, variant.pack, self, unpack)
        self.install(variant.hot)

    def _direct(self, variant: Variant) -> Callable[..., Any] | None:
        """Code that calls the engine itself where it does not apply; for numbers, where a wrapper would cost."""
        call: Any = variant.regenerate(self.resume).call
        code, names = call.__code__, tuple(self.signature.parameters)
        if code.co_varnames[: len(names)] != names or "again" not in code.co_names:  # renamed, or cut into parts
            return None
        call.__defaults__ = (MISSING,) * code.co_argcount
        return call

    def resume(self, *args: Any) -> Any:
        """A call that generated code passes back: what was not given is MISSING."""
        given = list(itertools.takewhile(lambda x: x is not MISSING, args))
        rest = itertools.islice(zip(self.signature.parameters, args), len(given), None)
        return self(*given, **{name: x for name, x in rest if x is not MISSING})

    def _carefully(self, variant: Variant, leaves: list[Any], bound: Bound) -> Any:
        """Python's `math` raised: compute by NumPy's rules; where there is no value, say where it is lost."""
        recording, _ = self.record(bound, leaves, self.chosen(bound))
        problem = diagnose(recording)
        if problem is not None:
            raise problem
        extras = {n: _extra(x) for n, x in zip(variant.transformed.extra, bound.extras)}
        inputs = {n: v for n, v in zip(variant.recording.inputs, leaves) if n is not None}
        with np.errstate(all="ignore"):
            values = evaluate(variant.transformed.outputs, {**inputs, **extras})
        return _packed(variant.pack, values, variant.transformed)

    def record(self, bound: Bound, leaves: list[Any], picked: list[bool]) -> tuple[Recording, Selection]:
        """Trace the function on these leaves."""
        if not leaves:
            raise self._nothing(bound)
        traced = [p or not isinstance(leaf, int) for p, leaf in zip(picked, leaves)]
        try:
            recording = record(self.function, leaves, bound.paths, bound.call, traced)
        except TypeError as error:
            hint = _list_hint(error, bound)
            if hint is None:
                raise
            raise hint from error
        return recording, self.select(recording, bound, picked)

    def _nothing(self, bound: Bound) -> InputError:
        got = ", ".join(f"{name} = {s[1]!r:.40}" for name, s in bound.parts if s[0] == "static") or "no arguments"
        return InputError(
            f"{name_of(self.function)} has no number or array to differentiate: got {', '.join(bound.paths) or got}"
        )

    def trace_and_call(self, key: Any, bound: Bound, leaves: list[Any], picked: list[bool]) -> Any:
        surroundings = collect(self.function)
        recording, selection = self.record(bound, leaves, picked)
        problem = diagnose(recording) if recording_is_scalar(recording) else None
        if problem is not None:
            raise problem
        if recording.trace.foreign:
            return self._on_foreign(recording, selection, bound, leaves)
        size = len(recording.trace.values)
        if size > LONG and self.transformation.numeric is not None and key not in self.seen:
            problem = diagnose(recording)
            if problem is not None:
                raise problem
            self.seen.add(key)
            with _uncollected():
                return self.transformation.numeric(recording, selection, leaves)
        with _uncollected() if size > LONG else contextlib.nullcontext():
            variant = self.compile(recording, selection, surroundings, bound, leaves)
        if surroundings.watchable:
            try:
                result = self._call(variant, leaves, bound)
                self.variants[key] = [variant, *self.variants.get(key, ())][:VARIANTS]
                return result
            except Retrace:  # the function changed what it reads: the trace holds for this call only
                pass
        self.latest = variant
        result = _run(variant, leaves, bound)
        return result if variant.pack is None else variant.pack(result)

    def compile(
        self, recording: Recording, selection: Selection, surroundings: Dependencies, bound: Bound, leaves: list[Any]
    ) -> Variant:
        plain = recognized(recording, selection.nodes)
        transformed = self.transformation.build(plain, selection)
        conditions = [c for c, _ in recording.trace.guards]
        names = {**transformed.names, **self._code_names(plain)}
        outputs = expand([*transformed.outputs, *conditions, *plain.outputs, *names])
        count, named = len(transformed.outputs), len(outputs) - len(names)
        guards = [(c, outcome) for c, (_, outcome) in zip(outputs[count:], recording.trace.guards)]
        defined = [n for n in toposort(outputs[count + len(conditions) : named]) if _may_be_undefined(n)]
        names = dict(zip(reversed(outputs[named:]), reversed(names.values())))  # the first name of a value stays
        outputs = outputs[:count]
        if len(toposort(outputs)) < SMALL:
            outputs, defined, names = _rewritten(simplify_all, outputs, defined, names, [c for c, _ in guards])
        if len(recording.trace.values) < HUGE:
            outputs, defined, names = _rewritten(refine, outputs, defined, names, [c for c, _ in guards])
        arguments = [
            Argument(name, node, None if node is not None else leaf)
            for name, node, leaf in zip(input_names(bound.paths), recording.inputs, leaves)
        ]
        arguments += [Argument(n.name or "v", n) for n in transformed.extra]
        stale = None
        if surroundings.deep:
            stale = lambda: not all(same(read()) for read, same in surroundings.deep)
        write = functools.partial(
            generate, f"{self.transformation.name}_of_{identifier_of(self.function)}", arguments, outputs, names=names,
            defined=defined, guards=_distinct(guards), watched=surroundings.plain, stale=stale, options=CURRENT.get(),
        )  # fmt: skip
        pack = transformed.pack
        if pack is not None and count == 1:
            inner = pack
            pack = lambda value: inner((value,))
        return Variant(write(), pack, recording, transformed, selection, lambda again: write(again=again))

    def _code_names(self, recording: Recording) -> dict[Expr, str]:
        return {node: name for node, name in recording.names.items() if node.op is not INPUT}

    # ---- calls on traced values

    def inline(self, bound: Bound, picked: list[bool]) -> Any:
        """Arguments are traced: run the transformed graph on them, so that the result can be differentiated again."""
        if any(isinstance(leaf, Traced) and type(leaf) is not Traced for leaf in bound.leaves):
            from tangently.matrices.expressions import of_function

            return of_function(self.transformation.name, self.function, bound, picked)
        leaves = [
            leaf.value if isinstance(leaf, Traced) else promote(leaf, p, path)
            for leaf, p, path in zip(bound.leaves, picked, bound.paths)
        ]
        leaves = [_plain(v) for v in leaves]
        traced = [isinstance(leaf, Traced) or p or not isinstance(leaf, int) for leaf, p in zip(bound.leaves, picked)]
        abstract = None
        if any(v is None for v in leaves):
            abstract = [x.shape if isinstance(x, Traced) else np.shape(x) for x in bound.leaves]
        recording = record(self.function, leaves, bound.paths, bound.call, traced, abstract)
        selection = self.select(recording, bound, picked)
        outer = [leaf if isinstance(leaf, Traced) else value for leaf, value in zip(bound.leaves, leaves)]
        return self._on_foreign(recording, selection, bound, outer)

    def _on_foreign(self, recording: Recording, selection: Selection, bound: Bound, leaves: list[Any]) -> Any:
        transformed = self.transformation.in_graph(recognized(recording, selection.nodes), selection)
        known: dict[Expr, Any] = {n: v for n, v in zip(recording.inputs, leaves) if n is not None}
        known.update(recording.trace.foreign)
        known.update({n: v if isinstance(v, Traced) else _extra(v) for n, v in zip(transformed.extra, bound.extras)})
        values = evaluate([*transformed.outputs, *[c for c, _ in recording.trace.guards]], known)
        for condition, (_, outcome) in zip(values[len(transformed.outputs) :], recording.trace.guards):
            if isinstance(condition, Traced) and not isinstance(condition._trace, Eager):
                guard(condition, outcome)
        return _packed(transformed.pack, values[: len(transformed.outputs)], transformed)

    # ---- what is differentiated

    def select(self, recording: Recording, bound: Bound, picked: list[bool]) -> Selection:
        inner = self._intermediates(recording, bound)
        if inner is not None:
            return inner
        nodes, labels, leaves = [], [], []
        for k, (node, take) in enumerate(zip(recording.inputs, picked)):
            if take and node is not None:
                nodes.append(node)
                labels.append(bound.paths[k])
                leaves.append(k)
        if not nodes:
            raise self._nothing(bound)
        return Selection(nodes, bound.packer(self.wrt), labels, leaves)

    def _intermediates(self, recording: Recording, bound: Bound) -> Selection | None:
        """`wrt` may name intermediate values of the user's source: h, z, loss."""
        wanted = entries(self.wrt, list(bound.signature.parameters)) if self.wrt is not None else []
        known = {*bound.signature.parameters, *bound.paths}
        if not any(isinstance(w, str) and w not in known for w in wanted):
            return None
        nodes = [self._named(recording, bound, w) for w in wanted]
        single = isinstance(self.wrt, str)
        return Selection(nodes, (lambda v: v[0]) if single else tuple, [str(w) for w in wanted], [None] * len(nodes))

    def _named(self, recording: Recording, bound: Bound, wanted: int | str) -> Expr:
        if isinstance(wanted, int):
            wanted = list(bound.signature.parameters)[wanted]
        for path, node in zip(bound.paths, recording.inputs):
            if node is not None and path == wanted:
                return node
        found = [node for node, name in (*recording.names.items(), *recording.trace.names.items()) if name == wanted]
        if not found:
            import difflib

            options = sorted({*bound.signature.parameters, *bound.paths, *recording.names.values()})
            near = difflib.get_close_matches(wanted, options, 1)
            raise InputError(
                f"wrt={wanted!r}: {name_of(self.function)} has no argument or intermediate value of that name; "
                f"it has {', '.join(options)}" + (f". Did you mean {near[0]!r}?" if near else "")
            )
        return found[-1]

    # ---- mapping a scalar derivative over an array

    def mapped(self, bound: Bound, leaves: list[Any], picked: list[bool]) -> Any:
        """Entry by entry over arrays, where the function is one of numbers: vectorized if no branch differs."""
        arrays = [k for k, (leaf, p) in enumerate(zip(leaves, picked)) if isinstance(leaf, np.ndarray) and p]
        if not arrays or not bound.plain:
            return NOT_MAPPED
        shape = np.broadcast_shapes(*[leaves[k].shape for k in arrays])
        if 0 in shape:
            return np.zeros(shape)
        first = [float(leaf.flat[0]) if k in arrays else leaf for k, leaf in enumerate(leaves)]
        try:
            recording, selection = self.record(bound, first, picked)
        except TraceError:
            raise
        except TangentlyError:
            return self._one_by_one(bound, leaves, arrays, shape)
        if recording.trace.guards or not recording_is_scalar(recording) or recording.trace.foreign:
            return self._one_by_one(bound, leaves, arrays, shape)
        transformed = self.transformation.build(recording, selection)
        known = {n: v for n, v in zip(recording.inputs, leaves) if n is not None}
        with np.errstate(all="ignore"):
            values = [np.array(np.broadcast_to(v, shape), float) for v in evaluate(transformed.outputs, known)]
        return _packed(transformed.pack, values, transformed)

    def _one_by_one(self, bound: Bound, leaves: list[Any], arrays: list[int], shape: tuple[int, ...]) -> Any:
        columns = [np.broadcast_to(leaves[k], shape).ravel() for k in arrays]
        rows = []
        for point in zip(*columns):
            args = list(leaves)
            for k, value in zip(arrays, point):
                args[k] = float(value)
            rows.append(self(*args))
        stacked = [np.asarray(column) for column in zip(*rows)] if isinstance(rows[0], tuple) else np.asarray(rows)
        fit = lambda column: column.reshape(shape + column.shape[1:])
        return tuple(fit(c) for c in stacked) if isinstance(stacked, list) else fit(stacked)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cyclic garbage, which would visit the nodes of a growing graph again and again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


NOT_MAPPED = object()
MISSING = object()
MISSES = (Retrace, ValueError, ArithmeticError, KeyError)


@dataclass(frozen=True)
class Bound:
    """A call's arguments, flattened, with what is needed to put them back."""

    signature: inspect.Signature
    leaves: list[Any]
    paths: list[str]
    owners: list[str]
    parts: tuple[tuple[str, Structure], ...]
    extras: tuple[Any, ...]

    @property
    def plain(self) -> bool:
        """Is every argument one leaf, given by position?"""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        named = self.signature.parameters.values()
        return len(self.parts) == len(named) and all(
            s == LEAF and p.kind in kinds for (_, s), p in zip(self.parts, named)
        )

    def call(self, leaves: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Leaves back into (args, keywords)."""
        values, start = {}, 0
        for name, structure in self.parts:
            size = count_leaves(structure)
            values[name] = unflatten(structure, leaves[start : start + size])
            start += size
        bound = inspect.BoundArguments(self.signature, values)  # type: ignore[arg-type]
        return bound.args, bound.kwargs

    def packer(self, wrt: Wrt) -> Pack:
        """How the derivatives are returned: in the shape of the arguments that were asked for."""
        names = [name for name, _ in self.parts]
        structures = dict(self.parts)
        if wrt is None:
            order = [n for n in names if count_leaves(structures[n])]
            single = len(order) == 1
        else:
            order = [names[w] if isinstance(w, int) else w for w in entries(wrt, names)]
            single = isinstance(wrt, (int, str))
        if any(n not in structures for n in order):  # single leaves by path: params['W1']
            places = {p: k for k, p in enumerate(p for p in self.paths if p in order or p.split("[")[0] in order)}
            pick = lambda v: [v[places[n]] for n in order]
            return (lambda v: pick(v)[0]) if single else (lambda v: tuple(pick(v)))
        return _Packer(
            [without_statics(structures[n]) for n in names if n in order],
            [n for n in names if n in order],
            order,
            single,
        )


class _Packer:
    """Leaves in argument order → one structure, or a tuple in the order asked for."""

    def __init__(self, structures: list[Structure], present: list[str], order: list[str], single: bool) -> None:
        self.structures, self.present, self.order, self.single = structures, present, order, single

    @property
    def trivial(self) -> bool:
        """Is the packed form what generated code returns (one value, or a flat tuple)?"""
        return all(s == LEAF for s in self.structures) and self.present == self.order

    def __call__(self, leaves: Sequence[Any]) -> Any:
        packed, start = {}, 0
        for name, structure in zip(self.present, self.structures):
            size = count_leaves(structure)
            packed[name] = unflatten(structure, leaves[start : start + size])
            start += size
        return packed[self.order[0]] if self.single else tuple(packed[n] for n in self.order)


def pack_unless_trivial(selection: Selection) -> Pack | None:
    pack = selection.pack
    if isinstance(pack, _Packer) and pack.trivial and pack.single == (len(selection.nodes) == 1):
        return None
    return pack


def entries(wrt: Wrt, names: list[str]) -> list[int | str]:
    items = [wrt] if isinstance(wrt, (int, str)) else list(wrt or ())
    for w in items:
        if isinstance(w, bool) or not isinstance(w, (int, str)):
            raise InputError(f"wrt={wrt!r}: a name or a position of an argument, or a tuple of them, was wanted")
        if isinstance(w, int) and not -len(names) <= w < len(names):
            raise InputError(f"wrt={w}: the function has {len(names)} arguments ({', '.join(names)}), counted from 0")
    return items


def _guarded(
    call: Callable[..., Any], pack: Pack | None, engine: Engine, unpack: Callable[..., tuple[Any, ...]] | None
) -> Callable[..., Any]:
    """Generated code, and the engine for every call that it does not apply to."""
    count = call.__code__.co_argcount if unpack is None else len(engine.signature.parameters)  # type: ignore[attr-defined]

    def guarded(*args: Any, **keywords: Any) -> Any:
        if not keywords and len(args) == count:
            try:
                result = call(*args) if unpack is None else call(*unpack(*args))
            except MISSES:
                pass  # the engine is asked outside of the handler: its own errors then stand alone
            else:
                return result if pack is None else pack(result)
        return engine(*args, **keywords)

    return guarded


def signature_of(function: Any) -> inspect.Signature:
    """What a call of the function takes; of a ufunc, only its operands."""
    if isinstance(function, np.ufunc):
        names = ["x"] if function.nin == 1 else [f"x{k + 1}" for k in range(function.nin)]
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names])
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])


def identifier_of(function: Any) -> str:
    from tangently.codegen.flat import identifier

    return identifier(name_of(function))


def describe_leaf(leaf: Any) -> Any:
    if type(leaf) is float:
        return float
    return (leaf.shape, leaf.dtype) if isinstance(leaf, np.ndarray) else (type(leaf), leaf)


def recording_is_scalar(recording: Recording) -> bool:
    return all(y.shape == () for y in recording.outputs) and all(x is None or x.shape == () for x in recording.inputs)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, np.ndarray) else (
        float(value) if isinstance(value, (float, np.floating)) or type(value) is float else value)  # fmt: skip


def _extra(x: Any) -> Any:
    if isinstance(x, Traced):
        return x
    return float(x) if np.ndim(x) == 0 else np.asarray(x, float)


def _packed(pack: Pack | None, values: list[Any], transformed: Transformed) -> Any:
    if pack is not None:
        return pack(values)
    return values[0] if len(transformed.outputs) == 1 else tuple(values)


def _run(variant: Variant, leaves: list[Any], bound: Bound) -> Any:
    """Run freshly generated code whose surroundings can't be watched: nothing can have changed since the trace."""
    inputs = {n: v for n, v in zip(variant.recording.inputs, leaves) if n is not None}
    inputs.update({n: _extra(x) for n, x in zip(variant.transformed.extra, bound.extras)})
    with np.errstate(all="ignore"):
        values = evaluate(variant.transformed.outputs, inputs)
    return values[0] if len(values) == 1 else tuple(values)


def _rewritten(
    rewrite: Callable[[list[Expr]], list[Expr]],
    outputs: list[Expr],
    defined: list[Expr],
    names: dict[Expr, str],
    conditions: list[Expr],
) -> tuple[list[Expr], list[Expr], dict[Expr, str]]:
    """Outputs rewritten together with what is tested and named, so that nothing is computed in two forms.

    Conditions stay as they are, since a branch must be decided by the very operations that the user wrote.
    """
    operands = [a for node in defined for a in node.args]
    simple = rewrite([*outputs, *operands, *names])
    count = len(outputs)
    if conditions and len(toposort([*simple[:count], *conditions])) > len(toposort([*outputs, *conditions])):
        return outputs, defined, names
    rest = iter(simple[count:])
    tested = [raw(node.op, tuple(next(rest) for _ in node.args), node.params) for node in defined]
    renamed: dict[Expr, str] = {}
    for name, node in zip(names.values(), rest):
        if node.args or node.op is CONST:
            renamed.setdefault(node, name)
    return simple[:count], [node for node in dict.fromkeys(tested) if _may_be_undefined(node)], renamed


def _list_hint(error: TypeError, bound: Bound) -> InputError | None:
    """A list that the function uses as an array: say so, where Python only says that a list has no such operator."""
    lists = [name for name, s in bound.parts if s[0] in ("list", "tuple")]
    if isinstance(error, TangentlyError) or not lists or not any(k in str(error) for k in ("'list'", "'tuple'")):
        return None
    return InputError(
        f"{lists[0]} is a Python list, whose entries are separate numbers, and the function treats it as an array "
        f"({error}). Give np.array({lists[0]})"
    )


def _may_be_undefined(node: Expr) -> bool:
    op = node.op
    return op.domain is not None and not (op.everywhere is not None and op.everywhere(*node.args))


def _distinct(guards: list[tuple[Expr, Any]]) -> list[tuple[Expr, Any]]:
    """Each condition once; those that became constants hold by themselves."""
    seen: dict[Expr, Any] = {}
    for condition, outcome in guards:
        if condition.op is not CONST:
            seen.setdefault(condition, outcome)
    return list(seen.items())


def abstract_recording(function: Callable[..., Any], shapes: Sequence[tuple[int, ...]] | None = None) -> Recording:
    """Trace without a point: every argument a number (or of the given shape); branches raise."""
    engine = Engine(function, Transformation("formula", lambda r, s: Transformed(r.outputs)))
    names = [p.name for p in engine.signature.parameters.values() if p.default is inspect.Parameter.empty]
    bound = engine.bind((0.0,) * len(names), {})
    sizes = [()] * len(bound.leaves) if shapes is None else list(shapes)
    return record(function, bound.leaves, bound.paths, bound.call, [True] * len(bound.leaves), sizes)


__all__ = ["Engine", "Selection", "Trace", "Transformation", "Transformed", "abstract_recording", "sweep", "symbol"]
