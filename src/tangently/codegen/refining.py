"""Rewrites of a graph that save passes over arrays, made once before code is written; they hold for every backend.

Derivatives come out of the rules in small steps, and some of the steps cancel or merge only when they are seen
together: a sum of products is one contraction, a constant leaves a sum (and Σ e/Σe is 1, so that the shift by the
maximum in a hand-written logsumexp has no derivative), pieces scattered side by side into zeros are a concatenation.
A rule is a function from a node, whose operands are rewritten already, to a better node or None. Linear in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tangently.codegen.flat import use_counts
from tangently.expr import CONST, INPUT, TABLE, Data, Expr, Shape, const, is_number, toposort
from tangently.primitives.kinds import broadcast_to, letters, reshape
from tangently.primitives.tensor import spelling

FOLDED = 4_096  # entries of a constant that is computed when code is written
MERGED = 2_048  # entries of a product, from which on its sum is written as a contraction


def refine(outputs: Sequence[Expr]) -> list[Expr]:
    """The outputs, rewritten."""
    order = toposort(outputs)
    uses = use_counts(order, outputs)
    done: dict[Expr, Expr] = {}
    single: set[Expr] = set()  # rewritten nodes that one node uses
    for node in order:
        args = tuple(done[a] for a in node.args)
        same = all(a is b for a, b in zip(args, node.args))
        better = node if same or node.op in (INPUT, CONST) else node.op(*args, params=node.params)
        done[node] = _rewritten(better, single) if better.args else better
        if uses.get(node, 0) == 1:
            single.add(done[node])
    return [done[y] for y in outputs]


def _rewritten(node: Expr, single: set[Expr]) -> Expr:
    for rule in RULES.get(node.op.name, ()):
        found = rule(node, single)
        if found is not None:
            return found
    return _folded(node)


def _folded(node: Expr) -> Expr:
    """A value without inputs is a constant; zeros are written as such, so that what they multiply disappears."""
    arrays = any(a.params[0] is Data for a in node.args if a.op is CONST)
    if not arrays or not all(a.op is CONST for a in node.args) or math.prod(node.shape) > FOLDED:
        return node
    with np.errstate(all="ignore"):
        value = np.asarray(node.op.evaluate(node.params, *[a.value for a in node.args]))
    if value.dtype.char != node.dtype:
        return node
    return const(np.array(value)) if value.any() or node.dtype != "d" else broadcast_to(const(0.0), node.shape)


# ---------------------------------------------------------------- sums


def _sum(node: Expr, single: set[Expr]) -> Expr | None:
    """Σ over axes of one operand."""
    found = spelling(node.params[0])
    if found.form != "sum" or node.op is not TABLE["einsum"]:
        return None
    return summed(node.args[0], found.axes, single)


def summed(x: Expr, axes: tuple[int, ...], single: set[Expr]) -> Expr | None:
    """Σ x over axes, where that can be had for less than summing x."""
    name = x.op.name
    if name == "neg":
        return TABLE["neg"](_summed_or_sum(x.args[0], axes, single))
    if name in ("add", "sub") and all(a.shape == x.shape for a in x.args):
        inner = [summed(a, axes, set()) for a in x.args]
        total = x.op(*[s if s is not None else plain_sum(a, axes) for s, a in zip(inner, x.args)])
        if None not in inner or any(s is not None and _is_spread(s) for s in (*inner, total)):
            return total
    if name in ("mul", "div"):
        outside = _constant_outside(x, axes)
        if outside is not None:
            return outside
    if name == "mul" and x in single:
        return _contracted(x, x.args, axes)
    if name == "pow" and is_number(x.args[1], 2) and x in single:
        return _contracted(x, (x.args[0], x.args[0]), axes)
    return None


def _summed_or_sum(x: Expr, axes: tuple[int, ...], single: set[Expr]) -> Expr:
    return summed(x, axes, single) or plain_sum(x, axes)


def plain_sum(x: Expr, axes: tuple[int, ...]) -> Expr:
    spec = letters(len(x.shape))
    return TABLE["einsum"](x, params=(f"{spec}->{''.join(c for k, c in enumerate(spec) if k not in axes)}",))


def _constant_outside(x: Expr, axes: tuple[int, ...]) -> Expr | None:
    """Σ c·u = c·Σu and Σ u/c = (Σu)/c for c that is the same along the axes."""
    places = (0, 1) if x.op.name == "mul" else (1,)
    for k in places:
        c, u = x.args[k], x.args[1 - k]
        rest = _without(c, len(x.shape), axes)
        if rest is not None and u.shape == x.shape:
            total = _summed_or_sum(u, axes, set())
            if total is rest and x.op.name == "div":
                return broadcast_to(const(1.0), total.shape)  # Σ e/Σe
            return _cancelled(rest, total) if x.op.name == "mul" else TABLE["div"](total, rest)
    return None


def _cancelled(c: Expr, total: Expr) -> Expr:
    """(a/s)·s is a."""
    if c.op.name == "div" and c.args[1] is total:
        return broadcast_to(c.args[0], total.shape)
    return TABLE["mul"](c, total)


def _without(c: Expr, ndim: int, axes: tuple[int, ...]) -> Expr | None:
    """c without these axes of the product, if its size along them is 1."""
    start = ndim - len(c.shape)
    if any(k >= start and c.shape[k - start] != 1 for k in axes):
        return None
    return reshaped(c, tuple(n for k, n in enumerate(c.shape) if k + start not in axes))


def reshaped(x: Expr, shape: Shape) -> Expr:
    """A reshape, taken inside of elementwise operations so that what it undoes is found."""
    if x.shape == shape:
        return x
    inside = x.op.kind == "elementwise" and all(a.shape in (x.shape, ()) for a in x.args)
    return (
        x.op(*[reshaped(a, shape) if a.shape else a for a in x.args], params=x.params) if inside else reshape(x, shape)
    )


def _contracted(x: Expr, factors: Sequence[Expr], axes: tuple[int, ...]) -> Expr | None:
    """Σ a·b as one contraction: no array of products."""
    if math.prod(x.shape) < MERGED or any(f.dtype not in "df" or f.dtype != x.dtype for f in factors):
        return None
    spec = letters(len(x.shape))
    subscripts, operands = [], []
    for f in factors:
        own = spec[len(spec) - len(f.shape) :]
        kept = [k for k, n in enumerate(f.shape) if n == x.shape[len(spec) - len(f.shape) + k]]
        if len(kept) < len(f.shape) and not all(n == 1 for k, n in enumerate(f.shape) if k not in kept):
            return None
        subscripts.append("".join(own[k] for k in kept))
        operands.append(reshaped(f, tuple(f.shape[k] for k in kept)))
    out = "".join(c for k, c in enumerate(spec) if k not in axes)
    if not set(spec) <= set("".join(subscripts)):
        return None
    found = TABLE["einsum"](*operands, params=(f"{','.join(subscripts)}->{out}",))
    return found if found.shape == tuple(n for k, n in enumerate(x.shape) if k not in axes) else None


# ---------------------------------------------------------------- scatters


def _scatter(node: Expr, single: set[Expr]) -> Expr | None:
    """Pieces put side by side into zeros, until they fill them."""
    pieces: list[tuple[int, int, Expr]] = []
    axis, below = None, node
    while below.op is node.op:
        base, update, *arrays = below.args
        if arrays or (below is not node and below not in single):
            return None
        if _fills(below) and _is_zero(base):
            return reshape(update, node.shape) if below is node else None
        place = _place(below)
        if place is None or axis not in (None, place[0]):
            return None
        axis = place[0]
        pieces.append((place[1], place[2], update))
        below = base
    pieces.sort(key=lambda piece: piece[0])
    ends = [0, *[stop for _, stop, _ in pieces]]
    whole = all(start == end for (start, _, _), end in zip(pieces, ends)) and axis is not None
    if not _is_zero(below) or not whole or ends[-1] != node.shape[axis]:  # type: ignore[index]
        return None
    return TABLE["concatenate"](*[u for _, _, u in pieces], params=(axis,))


def _is_spread(x: Expr) -> bool:
    """A number, alone or in every entry."""
    return x.op is CONST or (x.op.name == "broadcast" and x.args[0].op is CONST)


def _is_zero(x: Expr) -> bool:
    return x.op.name == "broadcast" and is_number(x.args[0], 0)


def _fills(node: Expr) -> bool:
    """Do the entries of the update go, in order, to all entries?"""
    forward = all(type(part) is int or part[0] != "s" or (part[3] or 1) > 0 for part in node.params[0])
    return forward and math.prod(node.args[1].shape) == math.prod(node.shape)


def _place(node: Expr) -> tuple[int, int, int] | None:
    """(axis, start, stop) of a scatter into one range of one axis, with an update of that very shape."""
    ranges = [
        (k, *slice(*part[1:]).indices(node.shape[k]))
        for k, part in enumerate(node.params[0])
        if type(part) is not int and part[0] == "s" and part != ("s", None, None, None)
    ]
    plain = all(type(part) is not int and part[0] == "s" for part in node.params[0])
    if not plain or len(ranges) != 1 or ranges[0][3] != 1:
        return None
    axis, start, stop, _ = ranges[0]
    shape = (*node.shape[:axis], stop - start, *node.shape[axis + 1 :])
    return (axis, start, stop) if node.args[1].shape == shape and node.args[1].dtype == node.dtype else None


Rule = Callable[[Expr, set[Expr]], "Expr | None"]
RULES: dict[str, tuple[Rule, ...]] = {"einsum": (_sum,), "scatter_add": (_scatter,)}

__all__ = ["refine"]
