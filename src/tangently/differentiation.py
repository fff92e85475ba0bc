"""Differentiation, graph to graph, and a numeric reverse sweep over a recorded graph.

tangent (forward mode; `tangents` for many directions at once): one pass over the topological order; each row's `jvp`
turns operand tangents into the output's.
pullback (reverse mode): one pass backwards; each row's `vjp` turns the output's cotangent into contributions to its
operands, which are added up by name. Both are linear in the number of nodes, iterative, and read only the table; a node
that does not depend on what is differentiated is never touched.

`sweep` is the same reverse pass on numbers: the recorded values are put into the very same rules. A function that is
called once, or whose trace has a million nodes, needs no code to be generated.

Glossary: g cotangent of a node, t tangent, y a node, xs its operands, wrt what is differentiated with respect to.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.errors import UnsupportedError
from tangently.expr import CONST, INPUT, TABLE, Expr, Primitive, const, depends, evaluate, toposort
from tangently.primitives.kinds import broadcast_to, dtype_of, letters
from tangently.primitives.tensor import parts


def zero(shape: tuple[int, ...]) -> Expr:
    return broadcast_to(const(0.0), shape)


def in_precision(x: Any, node: Expr) -> Any:
    """A tangent or cotangent in the dtype of its node: constants in a rule (0, ½, δ) would widen float32 to float64.

    So would a neighbour of double precision, and a neighbour of single precision would narrow float64.
    """
    single = node.dtype in "ef" or (node.dtype == "d" and dtype_of(x) in "ef")
    return TABLE["astype"](x, params=(node.dtype,)) if single else x


def rule_missing(op: Primitive, mode: str) -> UnsupportedError:
    return UnsupportedError(f"{op.name} has no {mode} rule in the table: its derivative can't be formed")


# ---------------------------------------------------------------- forward


def tangent(outputs: Sequence[Expr], seeds: dict[Expr, Expr]) -> list[Expr]:
    """The tangents of the outputs when the nodes in `seeds` move along the given tangents (forward mode).

    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> tangent([x * x], {x: const(1)})
    [add(x, x)]
    """
    order = toposort(outputs)
    reached = depends(order, seeds)
    moved: dict[Expr, Expr] = dict(seeds)
    for node in order:
        if node in reached and node not in moved:
            t = _push(node, moved)
            if t is not None:
                moved[node] = t
    return [in_precision(moved[y] if y in moved else zero(y.shape), y) for y in outputs]


def _push(node: Expr, moved: dict[Expr, Expr]) -> Expr | None:
    if node.op.jvp is None:
        raise rule_missing(node.op, "forward")
    ts = [moved.get(a) for a in node.args]
    return None if all(t is None for t in ts) else node.op.jvp(node.params, node, node.args, ts)


# ---------------------------------------------------------------- forward, many directions at once


def tangents(outputs: Sequence[Expr], seeds: dict[Expr, Expr], count: int) -> list[Expr]:
    """The tangents of the outputs along `count` directions in one pass: seeds and results have them as the last axis.

    >>> from tangently.expr import symbol
    >>> x = symbol("x", (2,))
    >>> tangents([x * x], {x: const(np.eye(2))}, 2)[0].shape
    (2, 2)
    """
    order = toposort(outputs, stop=seeds.__contains__)
    reached = depends(order, seeds)
    moved = dict(seeds)
    for node in order:
        if node in reached and node not in moved:
            moved[node] = _push_many(node, moved, count)
    return [in_precision(moved[y], y) if y in moved else in_precision(zero((*y.shape, count)), y) for y in outputs]


def _push_many(node: Expr, moved: dict[Expr, Expr], count: int) -> Expr:
    op = node.op
    ts = [moved.get(a) for a in node.args]
    if op.kind == "elementwise":
        return _weighted(node, ts, count)
    if op.kind == "multilinear":
        return _beside(node, ts)
    if op.body is not None:
        return tangents([op.body(node.params, *node.args)], {a: moved[a] for a in node.args if a in moved}, count)[0]
    if op.widened is None:
        return _one_by_one(node, ts, count)
    params, arrays = op.widened(node.params, node, count)
    full = [zero((*a.shape, count)) if t is None else t for a, t in zip(node.args[:arrays], ts)]
    return op(*full, *node.args[arrays:], params=params)


def _weighted(node: Expr, ts: Sequence[Expr | None], count: int) -> Expr:
    """Σᵢ ∂φ/∂xᵢ·tᵢ, each partial the same for all directions."""
    total: Expr | None = None
    for partial, t in zip(node.op.partials, ts):
        if partial is None or t is None:
            continue
        d = partial(node, *node.args)
        if type(d) is Expr and d.shape:
            d = TABLE["reshape"](d, params=((*d.shape, 1),))
        term = TABLE["mul"](d, t)
        total = term if total is None else TABLE["add"](total, term)
    return zero((*node.shape, count)) if total is None else broadcast_to(total, (*node.shape, count))


def _beside(node: Expr, ts: Sequence[Expr | None]) -> Expr:
    """The product rule, the directions a letter of their own."""
    operands, out = parts(node.params[0])
    free = next(c for c in reversed(letters(52)) if c not in node.params[0])
    terms = []
    for i, t in enumerate(ts):
        if t is not None:
            spec = ",".join([*operands[:i], operands[i] + free, *operands[i + 1 :]])
            terms.append(TABLE["einsum"](*node.args[:i], t, *node.args[i + 1 :], params=(f"{spec}->{out}{free}",)))
    return functools.reduce(TABLE["add"], terms)


def _one_by_one(node: Expr, ts: Sequence[Expr | None], count: int) -> Expr:
    """A row that can't: its tangent along each direction, side by side."""
    if node.op.jvp is None:
        raise rule_missing(node.op, "forward")
    found = []
    for k in range(count):
        each = [None if t is None else TABLE["index"](t, params=((("e",), k),)) for t in ts]
        moved = node.op.jvp(node.params, node, node.args, each)
        found.append(zero(node.shape) if moved is None else moved)
    return TABLE["stack"](*found, params=(len(node.shape),))


# ---------------------------------------------------------------- reverse


def pullback(outputs: Sequence[Expr], cotangents: Sequence[Expr], wrt: Sequence[Expr]) -> list[Expr]:
    """The cotangents of `wrt` for given cotangents of the outputs (reverse mode).

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> pullback([x * y], [const(1)], [x, y])
    [y, x]
    """
    found = cotangent_map(outputs, cotangents, wrt)
    return [found[node] if node in found else in_precision(zero(node.shape), node) for node in wrt]


def cotangent_map(outputs: Sequence[Expr], cotangents: Sequence[Expr], wrt: Sequence[Expr]) -> dict[Expr, Expr]:
    """The cotangent of every node between the outputs and `wrt` (each one the total over all its uses)."""
    order = toposort(outputs)
    reached = depends(order, wrt)
    totals: dict[Expr, Expr] = {}
    for y, g in zip(outputs, cotangents):
        if y in reached:
            totals[y] = totals[y] + g if y in totals else g
    for node in reversed(order):
        g = totals.get(node)
        if g is not None and node.op is not INPUT:
            _pull(node, g, reached, totals)
    totals.update({node: in_precision(totals[node], node) for node in wrt if node in totals})
    return totals


def _pull(node: Expr, g: Expr, reached: set[Expr], totals: dict[Expr, Expr]) -> None:
    op = node.op
    if op.vjp is None:
        if op is CONST:
            return
        raise rule_missing(op, "reverse")
    for i, arg in enumerate(node.args):
        if arg not in reached:
            continue
        total = totals.get(arg)
        if total is not None and op.accumulate is not None:
            totals[arg] = op.accumulate(node.params, node, node.args, g, i, total)
            continue
        part = op.vjp(node.params, node, node.args, g, i)
        if part is not None:
            totals[arg] = part if total is None else TABLE["add"](total, part)


# ---------------------------------------------------------------- numeric reverse sweep


def sweep(
    outputs: Sequence[Expr], cotangents: Sequence[Any], wrt: Sequence[Expr], values: dict[Expr, Any]
) -> list[Any]:
    """Numeric cotangents of `wrt`, from the values that the trace recorded. No graph is built, no code generated."""
    order = toposort(outputs)
    return _sweep(order, dict(zip(outputs, cotangents)), wrt, values, depends(order, wrt))


def _sweep(
    order: Sequence[Expr], seeds: dict[Expr, Any], wrt: Sequence[Expr], values: dict[Expr, Any], reached: set[Expr]
) -> list[Any]:
    totals: dict[Expr, Any] = {y: g for y, g in seeds.items() if y in reached}
    owned: set[Expr] = set()
    keep = set(wrt)
    with np.errstate(all="ignore"):
        for node in reversed(order):
            if node in totals and node.op.vjp is not None:
                g = totals[node] if node in keep else totals.pop(node)
                _pull_number(node, g, reached, totals, owned, values)
    return [in_precision(totals[n] if n in totals else (np.zeros(n.shape) if n.shape else 0.0), n) for n in wrt]


def _pull_number(
    node: Expr, g: Any, reached: set[Expr], totals: dict[Expr, Any], owned: set[Expr], values: dict[Expr, Any]
) -> None:
    op, args = node.op, node.args
    xs = [values[a] if a.op is not CONST else a.value for a in args]
    y = values[node]
    for i, arg in enumerate(args):
        if arg not in reached:
            continue
        total = totals.get(arg)
        if op.accumulate is not None and total is not None and arg in owned:
            totals[arg] = op.accumulate(node.params, y, xs, g, i, total)
            continue
        part = pull_number(op, node.params, y, xs, g, i)
        if part is None:
            continue
        if total is None:
            totals[arg] = part
            if op.accumulate is not None:
                owned.add(arg)  # a fresh array of zeros with entries added: ours to add to in place
        else:
            totals[arg] = _add_number(total, part, arg, owned)


def _add_number(total: Any, part: Any, arg: Expr, owned: set[Expr]) -> Any:
    if arg in owned:
        total += part
        return total
    result = total + part
    if type(result) is np.ndarray:
        owned.add(arg)
    return result


def pull_number(op: Primitive, params: Any, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
    """A row's reverse rule on numbers; where Python's floats raise (1/0.0), NumPy's inf and nan stand."""
    assert op.vjp is not None
    try:
        return op.vjp(params, y, xs, g, i)
    except (ZeroDivisionError, OverflowError, ValueError):
        wide = [np.float64(x) if type(x) is float else x for x in xs]
        with np.errstate(all="ignore"):
            return op.vjp(
                params, np.float64(y) if type(y) is float else y, wide, np.float64(g) if type(g) is float else g, i
            )


# ---------------------------------------------------------------- expansion


def expand(outputs: Sequence[Expr]) -> list[Expr]:
    """Composites replaced by their bodies (for code, and for whoever wants to see inside)."""
    done: dict[Expr, Expr] = {}
    for node in toposort(outputs):
        args = [done[a] for a in node.args]
        if node.op.body is not None:
            inside = node.op.body(node.params, *args)
            done[node] = (
                expand([inside])[0]
                if any(n.op.body is not None for n in toposort([inside], stop=done.__contains__))
                else inside
            )
        else:
            same = all(a is b for a, b in zip(args, node.args))
            done[node] = node if same else evaluate([node], dict(zip(node.args, args)))[0]
    return [done[y] for y in outputs]


__all__ = ["cotangent_map", "expand", "pullback", "sweep", "tangent", "tangents"]
