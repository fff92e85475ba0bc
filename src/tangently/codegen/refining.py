"""Rewrites of a graph that save passes over arrays, made once before code is written; they hold for every backend.

Derivatives come out of the rules in small steps, and some of the steps cancel or merge only when they are seen
together: a sum of products is one contraction, a constant leaves a sum (and Σ e/Σe is 1, so that the shift by the
maximum in a hand-written logsumexp has no derivative), pieces scattered side by side into zeros are a concatenation.
A rule is a function from a node, whose operands are rewritten already, to a better node or None. Linear in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangently.codegen.flat import use_counts
from tangently.expr import CONST, INPUT, TABLE, Data, Expr, Shape, const, is_number, toposort
from tangently.primitives.kinds import broadcast_to, letters, reshape
from tangently.primitives.tensor import parts, spelling

FOLDED = 4_096  # entries of a constant that is computed when code is written
MERGED = 2_048  # entries of a product, from which on its sum is written as a contraction


def refine(outputs: Sequence[Expr]) -> list[Expr]:
    """The outputs, rewritten."""
    order = toposort(outputs)
    uses = use_counts(order, outputs)
    done: dict[Expr, Expr] = {}
    single: set[Expr] = set()  # rewritten nodes that one node uses
    inner = {n.args[0] for n in order if n.op.name == "scatter_add" and uses[n.args[0]] == 1}  # read with the last one
    for node in order:
        args = tuple(done[a] for a in node.args)
        same = all(a is b for a, b in zip(args, node.args))
        better = node if same or node.op in (INPUT, CONST) else node.op(*args, params=node.params)
        done[node] = _rewritten(better, single) if better.args and node not in inner else better
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
    arrays = node.op.name == "scatter_add" or any(a.params[0] is Data for a in node.args if a.op is CONST)
    if not arrays or not all(map(_is_known, node.args)) or math.prod(node.shape) > FOLDED:
        return node
    with np.errstate(all="ignore"):
        value = np.asarray(node.op.evaluate(node.params, *map(_known, node.args)))
    if value.dtype.char != node.dtype:
        return node
    return const(np.array(value)) if value.any() or node.dtype != "d" else broadcast_to(const(0.0), node.shape)


def _is_known(x: Expr) -> bool:
    return x.op is CONST or _is_spread(x)


def _known(x: Expr) -> Any:
    return x.value if x.op is CONST else np.broadcast_to(x.args[0].value, x.shape)


# ---------------------------------------------------------------- products


def _scaled(node: Expr, single: set[Expr]) -> Expr | None:
    """(c·a)(d·b) is (c·d)(a·b): one number, and on the smaller of the two."""
    (c, a), (d, b) = (_factor(x, single) for x in node.args)
    if c == 1 or d == 1 or not 0 < abs(c * d) < math.inf:
        return None
    if len(a.shape) > len(b.shape) or math.prod(a.shape) > math.prod(b.shape):
        a, b = b, a
    scaled = a if c * d == 1 else TABLE["neg"](a) if c * d == -1 else TABLE["mul"](c * d, a)
    found = TABLE["mul"](scaled, b)
    return found if found.shape == node.shape and found.dtype == node.dtype else None


def _factor(x: Expr, single: set[Expr]) -> tuple[float, Expr]:
    """A number in front of an array that nothing else needs, and the rest."""
    if x not in single or not x.shape:
        return 1, x
    if x.op.name == "neg":
        return -1, x.args[0]
    if x.op.name == "reshape":
        c, rest = _factor(x.args[0], single)
        return c, reshape(rest, x.shape)
    if x.op.name == "mul" and x.args[0].op is CONST and x.args[0].dtype in "wn" and x.args[1].shape == x.shape:
        return x.args[0].value, x.args[1]
    return 1, x


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
    if name == "einsum" and len(x.args) == 2 and x in single:
        return _before_product(x, axes)
    if name == "mul" and (x in single or len({math.prod(a.shape) for a in x.args}) > 1):  # no more to read than x
        return _contracted(x, x.args, axes)
    if name == "pow" and is_number(x.args[1], 2) and x in single:
        return _contracted(x, (x.args[0], x.args[0]), axes)
    return None


def _signed(node: Expr, single: set[Expr]) -> Expr | None:
    """A product of −u is minus the product, where that is the smaller array."""
    for k, a in enumerate(node.args):
        if a.op.name == "neg" and math.prod(a.shape) > math.prod(node.shape):
            return TABLE["neg"](node.op(*node.args[:k], a.args[0], *node.args[k + 1 :], params=node.params))
    return None


def _before_product(x: Expr, axes: tuple[int, ...]) -> Expr | None:
    """Σₐ of a product of which one operand alone has the index a: that operand's sum is multiplied."""
    operands, out = parts(x.params[0])
    gone = {out[k] for k in axes}
    having = [i for i, subscripts in enumerate(operands) if gone & set(subscripts)]
    if len(having) != 1 or any(len(set(s)) < len(s) for s in operands):
        return None
    (i,) = having
    smaller = _summed_or_sum(x.args[i], tuple(k for k, c in enumerate(operands[i]) if c in gone), set())
    subscripts = ["".join(c for c in s if c not in gone) for s in operands]
    args = [*x.args[:i], smaller, *x.args[i + 1 :]]
    return TABLE["einsum"](*args, params=(f"{','.join(subscripts)}->{''.join(c for c in out if c not in gone)}",))


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


# ---------------------------------------------------------------- stacks


def _stack(node: Expr, single: set[Expr]) -> Expr | None:
    """A stack of one is a reshape; a stack of stacks is one stack, reshaped."""
    (axis,) = node.params
    if len(node.args) == 1:
        return reshape(node.args[0], node.shape)
    stacks = [a for a in node.args if a.op is node.op and a.params == node.params]
    if not stacks or len({len(a.args) for a in stacks}) > 1 or not all(a in single for a in stacks):
        return None
    pieces = [_slices(a, axis, node) for a in node.args]
    if None in pieces:
        return None
    return reshape(node.op(*[x for piece in pieces for x in piece], params=node.params), node.shape)  # type: ignore[union-attr]


def _slices(x: Expr, axis: int, node: Expr) -> Sequence[Expr] | None:
    """The operands of a stack; the slices of a constant."""
    if x.op is node.op and x.params == node.params:
        return x.args
    if _is_known(x) and x.shape:
        whole = ("s", None, None, None)
        return [TABLE["index"](x, params=((*[whole] * axis, k),)) for k in range(x.shape[axis])]
    return None


def _concatenate(node: Expr, single: set[Expr]) -> Expr | None:
    """A concatenation in a concatenation is copied once."""
    inner = [a.op is node.op and a.params == node.params and a in single for a in node.args]
    if not any(inner):
        return None
    pieces = [x for a, flat in zip(node.args, inner) for x in (a.args if flat else (a,))]
    return node.op(*pieces, params=node.params)


# ---------------------------------------------------------------- scatters


def _scatter(node: Expr, single: set[Expr]) -> Expr | None:
    """Pieces put side by side into zeros, until they fill them, or most of them."""
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
        pieces.append(place[1:])
        below = base
    return _side_by_side(node, axis, pieces, single) if _is_zero(below) and axis is not None else None


def _side_by_side(node: Expr, axis: int, pieces: list[tuple[int, int, Expr]], single: set[Expr]) -> Expr | None:
    """The pieces in order, with zeros in between."""
    joined: list[Expr] = []
    end = 0
    gap = lambda size: broadcast_to(const(0.0), (*node.shape[:axis], size, *node.shape[axis + 1 :]))
    for start, stop, piece in sorted(pieces, key=lambda p: p[0]):
        if start < end:
            return None
        joined += [gap(start - end), piece] if start > end else [piece]
        end = stop
    if end < node.shape[axis]:
        joined.append(gap(node.shape[axis] - end))
    filled = sum(stop - start for start, stop, _ in pieces)
    if 2 * filled <= node.shape[axis]:
        return None
    whole = TABLE["concatenate"](*joined, params=(axis,))
    return _concatenate(whole, single) or whole


def _is_spread(x: Expr) -> bool:
    """A number, alone or in every entry."""
    return x.op is CONST or (x.op.name == "broadcast" and x.args[0].op is CONST)


def _is_zero(x: Expr) -> bool:
    return x.op.name == "broadcast" and is_number(x.args[0], 0)


def _fills(node: Expr) -> bool:
    """Do the entries of the update go, in order, to all entries?"""
    forward = all(type(part) is int or part[0] != "s" or (part[3] or 1) > 0 for part in node.params[0])
    return forward and math.prod(node.args[1].shape) == math.prod(node.shape)


def _place(node: Expr) -> tuple[int, int, int, Expr] | None:
    """(axis, start, stop, update) of a scatter into one range, or one entry, of one axis."""
    update = node.args[1]
    at = [k for k, part in enumerate(node.params[0]) if part != ("s", None, None, None)]
    if len(at) != 1 or update.dtype != node.dtype:
        return None
    (axis,) = at
    part = node.params[0][axis]
    single = type(part) is int
    run: tuple[Any, ...] = ("s", part, part + 1, 1) if type(part) is int else part
    if run[0] != "s" or (single and run[1] < 0):
        return None
    start, stop, step = slice(*run[1:]).indices(node.shape[axis])
    before, after = node.shape[:axis], node.shape[axis + 1 :]
    if step != 1 or start < 0 or update.shape != ((*before, *after) if single else (*before, stop - start, *after)):
        return None
    return axis, start, stop, reshape(update, (*before, stop - start, *after))


Rule = Callable[[Expr, set[Expr]], "Expr | None"]
RULES: dict[str, tuple[Rule, ...]] = {
    "einsum": (_sum, _signed),
    "mul": (_scaled,),
    "stack": (_stack,),
    "concatenate": (_concatenate,),
    "scatter_add": (_scatter,),
}

__all__ = ["refine"]
