"""Checkpointing: trade time for memory. A part of a function is recorded as one node, and recomputed when it is needed.

`checkpoint(f)` runs `f` forward without keeping what happens inside: the trace gets one node with the inputs and the
outputs. In the reverse pass the node runs `f` again on the recorded inputs, records the inside, sweeps it, and lets it
go. A loop of n steps, cut into √n checkpointed blocks, so needs memory for 2√n steps and one extra forward run
(Griewank & Walther, Evaluating Derivatives, chapter 12). `checkpointed_loop` does the cutting.

The node has no forward rule and no second derivative; for those, leave the checkpoint out.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangently import functions
from tangently.differentiation import sweep
from tangently.errors import UnsupportedError
from tangently.expr import Expr, Primitive
from tangently.tracing.recording import Recording, input_names
from tangently.tracing.recording import record as record_call
from tangently.tracing.traced import Traced
from tangently.tracing.trees import flatten, unflatten


class Call:
    """One checkpointed call: the function, how its arguments nest, and what it reads of the outer trace."""

    def __init__(self, function: Callable[..., Any], structure: Any, paths: list[str]) -> None:
        self.function, self.structure, self.paths = function, structure, paths
        self.latest: tuple[Any, list[Any]] | None = None

    def record(self, values: Sequence[Any]) -> Recording:
        call = lambda leaves: (tuple(unflatten(self.structure, leaves)), {})
        return record_call(self.function, list(values), self.paths, call, [True] * len(values))

    def pull(self, values: Sequence[Any], g: Any) -> list[Any]:
        """The cotangents of every operand; kept until the next call, since operands are asked for one by one."""
        key = (id(g), *map(id, values))
        if self.latest is None or self.latest[0] != key:
            recording = self.record(values)
            parts = split(g, [y.shape for y in recording.outputs])
            nodes = [x for x in recording.inputs if x is not None]
            self.latest = (key, sweep(recording.outputs, parts, nodes, recording.trace.values))
        return self.latest[1]


def split(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """A flat vector as arrays of these shapes."""
    found, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        part = flat[start : start + size]
        found.append(np.reshape(part, shape) if shape else float(part[0]))
        start += size
    return found


def _evaluate(p: tuple[Any, ...], *values: Any) -> np.ndarray:
    call, _ = p
    leaves = flatten(call.function(*unflatten(call.structure, list(values))))[0]
    return np.concatenate([np.ravel(np.asarray(v, float)) for v in leaves])


def _pull(p: tuple[Any, ...], y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
    call, _ = p
    if isinstance(g, Expr):
        return PULLED(*xs, g, params=(call, i, xs[i].shape))
    return call.pull(xs, g)[i]


def _no_rule(*_: Any) -> Any:
    raise UnsupportedError(
        "a checkpointed part has no forward rule and no second derivative: leave tg.checkpoint out to get them"
    )


CALL = Primitive(
    name="checkpoint", kind="call", arity=None, evaluate=_evaluate, infer=lambda p, *xs: ((p[1],), "d"), jvp=_no_rule,
    vjp=_pull, shown=("apply", "checkpoint", 0),
)  # fmt: skip
PULLED = Primitive(
    name="checkpoint_gradient", kind="call", arity=None, evaluate=lambda p, *xs: p[0].pull(xs[:-1], xs[-1])[p[1]],
    infer=lambda p, *xs: (p[2], "d"), jvp=_no_rule, vjp=_no_rule, shown=("apply", "checkpoint", 0),
)  # fmt: skip


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that keeps nothing of its inside for the reverse pass, and recomputes it there.

    Arguments and results may be nested. Everything differentiable that it uses must come in as an argument. Raises
    UnsupportedError where a forward or second derivative through it is asked for.

    >>> import tangently as tg
    >>> tg.grad(lambda x: checkpoint(np.sin)(x) ** 2)(1.0) == 2 * math.sin(1.0) * math.cos(1.0)
    True
    """

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        leaves, paths, structure = flatten(list(args), "arg")
        traced = [leaf for leaf in leaves if isinstance(leaf, Traced)]
        if not traced or any(t.value is None for t in traced):
            return function(*args)
        return _record(Call(function, structure, input_names(paths)), leaves)

    call.__signature__ = _signature(function)  # type: ignore[attr-defined]
    return call


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])


def _record(call: Call, leaves: list[Any]) -> Any:
    """One node for the whole call, its outputs cut out of the flat vector."""
    values = [leaf.value if isinstance(leaf, Traced) else leaf for leaf in leaves]
    probe = call.function(*unflatten(call.structure, values))
    results, _, structure = flatten(probe)
    if any(isinstance(r, Traced) for r in results):
        raise UnsupportedError(
            "a checkpointed function uses a traced value that is not among its arguments: pass it as an argument"
        )
    shapes = [np.shape(r) for r in results]
    flat = CALL(*leaves, params=(call, sum(math.prod(s) for s in shapes)))
    return unflatten(structure, _cut(flat, shapes))


def _cut(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    found, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        part = functions.index(flat, slice(start, start + size))
        found.append(functions.reshape(part, shape))
        start += size
    return found


def checkpointed_loop(
    step: Callable[[Any, Any], Any], state: Any, inputs: Sequence[Any], every: int | None = None
) -> Any:
    """`for item in inputs: state = step(state, item)`, keeping one state in `every` (√n if left out) for the way back.

    Everything differentiable that `step` uses must come in through the state or the inputs.

    >>> import tangently as tg
    >>> f = lambda x: checkpointed_loop(lambda s, k: s * (1 + k), x, [1.0, 2.0, 3.0])
    >>> f(1.0), tg.grad(f)(1.0)
    (24.0, 24.0)
    """
    n = len(inputs)
    every = every or max(1, math.isqrt(n))

    def block(state: Any, items: Any) -> Any:
        for item in items:
            state = step(state, item)
        return state

    kept = checkpoint(block)
    for start in range(0, n, every):
        state = kept(state, [inputs[k] for k in range(start, min(start + every, n))])
    return state
