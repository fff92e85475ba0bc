"""Recognition: compositions that a row of the table says better.

log(1 + eˣ) is softplus, but computed as it is written it overflows at 710, and so does its derivative; √(x·x) is a
norm, but its chain rule divides 0 by 0. The function is right and only its spelling loses the number, so the spelling
is read as the row that it means before the function is differentiated. Each rule is an identity for all real operands;
`RULES` lists them under the row at their root.

The stable forms: Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions, IMA J. Numer.
Anal. 41 (2021); Mächler, Accurately computing log(1 − exp(−|a|)), 2012.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tangently.expr import TABLE, Expr, Shape, build, is_number, substitute, symbol, toposort
from tangently.primitives.kinds import reshape, shape_of
from tangently.primitives.tensor import parts, spelling
from tangently.tracing.recording import Recording

ADD, EINSUM, EXP, LOG, MUL, NEG, POW, RESHAPE, SUB = (
    TABLE[name] for name in ("add", "einsum", "exp", "log", "mul", "neg", "pow", "reshape", "sub")
)  # fmt: skip
SIGMOID, SOFTMAX, SOFTPLUS, LOGSUMEXP = (TABLE[name] for name in ("sigmoid", "softmax", "softplus", "logsumexp"))


def recognize(outputs: Sequence[Expr], keep: Iterable[Expr] = ()) -> tuple[list[Expr], dict[Expr, Expr]]:
    """The outputs with spellings replaced, and what each old node has become. Nodes in `keep` stay as they are.

    >>> from tangently.expr import symbol
    >>> x = symbol("x", (3,))
    >>> recognize([TABLE["log"](1 + TABLE["exp"](x))])[0]
    [softplus(x)]
    """
    holes = {node: symbol("kept", node.shape, node.dtype) for node in keep if node.args}  # no rule looks through them
    done: dict[Expr, Expr] = dict(holes)
    for node in toposort(outputs, stop=holes.__contains__):
        if node not in done:
            args = tuple([done[a] for a in node.args])
            done[node] = _rewritten(node if args == node.args else build(node.op, args, node.params)) if args else node
    if holes:
        done = dict(zip(done, substitute(list(done.values()), {hole: node for node, hole in holes.items()})))
    return [done[y] for y in outputs], done


def recognized(recording: Recording, keep: Iterable[Expr] = ()) -> Recording:
    """The recording with its outputs rewritten; the user's names follow."""
    outputs, done = recognize(recording.outputs, keep)
    if outputs == recording.outputs:
        return recording
    new = dataclasses.replace(recording, outputs=outputs)
    names = {done.get(node, node): name for node, name in recording.names.items()}
    vars(new)["names"] = names  # the cached property, filled: the trace knows only the old nodes
    return new


def _rewritten(node: Expr) -> Expr:
    for rule in RULES.get(node.op.name, ()):
        found = rule(node)
        if found is not None and found.shape == node.shape and found.dtype == node.dtype:
            return found
    return node


# ---------------------------------------------------------------- what is asked of operands


def _one_more(x: Expr) -> Expr | None:
    """u of 1 + u."""
    if x.op is not ADD:
        return None
    a, b = x.args
    return b if is_number(a, 1) else a if is_number(b, 1) else None


def _argument(op: object, x: Expr | None) -> Expr | None:
    """u of op(u)."""
    return x.args[0] if x is not None and x.op is op else None


def _summed(x: Expr) -> tuple[Expr, int, bool] | None:
    """u, axis and keepdims of a sum over one axis of u."""
    keep = x.op is RESHAPE and len(x.shape) == len(shape_of(x.args[0])) + 1
    inner = x.args[0] if keep else x
    if inner.op is not EINSUM or len(inner.args) != 1:
        return None
    found = spelling(inner.params[0])
    if found.form != "sum" or len(found.axes) != 1:
        return None
    (axis,) = found.axes
    u = inner.args[0]
    kept = tuple([1 if k == axis else n for k, n in enumerate(u.shape)])
    return (u, axis, keep) if not keep or x.shape == kept else None


def _constant_along(b: Expr, axis: int, ndim: int) -> bool:
    """Is b, broadcast beside an array of ndim axes, the same all along this axis?"""
    at = axis - (ndim - len(b.shape))
    return at < 0 or b.shape[at] == 1


def _squared(x: Expr) -> Expr | None:
    """u of u², u·u."""
    if x.op is POW and is_number(x.args[1], 2):
        return x.args[0]
    if x.op is TABLE["square"]:
        return x.args[0]
    return x.args[0] if x.op is MUL and x.args[0] is x.args[1] else None


# ---------------------------------------------------------------- the rules


def _softplus(node: Expr) -> Expr | None:
    """log(1 + eᵘ) = softplus(u)"""
    u = _one_more(node.args[0]) if node.op is LOG else node.args[0]
    inner = _argument(EXP, u)
    return None if inner is None else SOFTPLUS(inner)


def _log_sum_exp(node: Expr) -> Expr | None:
    """log Σ eᵘ = logsumexp(u)"""
    found = _summed(node.args[0])
    inner = _argument(EXP, found[0]) if found else None
    return None if found is None or inner is None else LOGSUMEXP(inner, params=(found[1], found[2]))


def _shifted_log_sum_exp(node: Expr) -> Expr | None:
    """b + logsumexp(u − b) = logsumexp(u), for b constant along the axis"""
    for b, total in (node.args, node.args[::-1]):
        if total.op is not LOGSUMEXP or total.args[0].op is not SUB:
            continue
        axis, _ = total.params
        u, shift = total.args[0].args
        if u.shape == total.args[0].shape and _constant_along(shift, axis, len(u.shape)) and _same(b, shift, total):
            return LOGSUMEXP(u, params=total.params)
    return None


def _same(b: Expr, shift: Expr, total: Expr) -> bool:
    """Is b the shift, but for axes of size 1?"""
    one, other = _bare(b), _bare(shift)
    maxima = one.op.name == other.op.name == "amax" and one.args == other.args and one.params[0] == other.params[0]
    return b.shape == total.shape and (one is other or maxima)


def _bare(x: Expr) -> Expr:
    """x without the axes of size 1 that were put in or taken out."""
    while (x.op is RESHAPE or (x.op.name == "index" and all(map(_is_whole, x.params[0])))) and _solid(
        x.shape
    ) == _solid(x.args[0].shape):
        x = x.args[0]
    return x


def _is_whole(part: Any) -> bool:
    return part == 0 or (type(part) is not int and part in (("s", None, None, None), ("n",), ("e",)))


def _solid(shape: Shape) -> Shape:
    return tuple([n for n in shape if n != 1])


def _softmax(node: Expr) -> Expr | None:
    """eᵘ / Σ eᵘ = softmax(u); of u − b with b constant along the axis, softmax(u)"""
    top, bottom = node.args
    u = _argument(EXP, top)
    found = _summed(bottom)
    if u is None or found is None or found[0] is not top or not (found[2] or (len(top.shape) == 1)):
        return None
    axis = found[1]
    if u.op is SUB and u.args[0].shape == u.shape and _constant_along(u.args[1], axis, len(u.shape)):
        u = u.args[0]
    return SOFTMAX(u, params=(axis,))


def _sigmoid(node: Expr) -> Expr | None:
    """1/(1 + eᵘ) = σ(−u), eᵘ/(1 + eᵘ) = σ(u)"""
    top, bottom = node.args
    u = _argument(EXP, _one_more(bottom))
    if u is None:
        return None
    if is_number(top, 1):
        return SIGMOID(NEG(u))
    return SIGMOID(u) if top.op is EXP and top.args[0] is u else None


def _log_sigmoid(node: Expr) -> Expr | None:
    """log σ(u) = −softplus(−u)"""
    u = _argument(SIGMOID, node.args[0])
    return None if u is None else NEG(SOFTPLUS(NEG(u)))


def _log_of_the_rest(node: Expr) -> Expr | None:
    """log(1 − σ(u)) = −softplus(u)"""
    x = node.args[0]
    rest = x.args[0] if node.op.name == "log1p" and x.op is NEG else None
    if node.op is LOG and x.op is SUB and is_number(x.args[0], 1):
        rest = x.args[1]
    u = _argument(SIGMOID, rest)
    return None if u is None else NEG(SOFTPLUS(u))


def _log_softmax(node: Expr) -> Expr | None:
    """log softmax(u) = log_softmax(u)"""
    x = node.args[0]
    return TABLE["log_softmax"](x.args[0], params=x.params) if x.op is SOFTMAX else None


def _norm(node: Expr) -> Expr | None:
    """√Σ u² = ‖u‖"""
    if node.op is POW and not is_number(node.args[1], 0.5):
        return None
    x = node.args[0]
    if x.op is EINSUM and len(x.args) == 2 and x.args[0] is x.args[1]:
        (a, b), out = parts(x.params[0])
        return TABLE["norm"](x.args[0], params=(tuple(range(len(a))), False)) if a == b and not out else None
    keep = x.op is RESHAPE
    inner = x.args[0] if keep else x
    if inner.op is not EINSUM or len(inner.args) != 1:
        return None
    found, u = spelling(inner.params[0]), _squared(inner.args[0])
    if found.form != "sum" or u is None or u.shape != inner.args[0].shape:
        return None
    length = TABLE["norm"](u, params=(found.axes, False))
    return reshape(length, x.shape) if keep else length


RULES: dict[str, tuple[Callable[[Expr], Expr | None], ...]] = {
    "log": (_softplus, _log_sum_exp, _log_sigmoid, _log_of_the_rest, _log_softmax),
    "log1p": (_softplus, _log_of_the_rest),
    "add": (_shifted_log_sum_exp,),
    "div": (_softmax, _sigmoid),
    "sqrt": (_norm,),
    "pow": (_norm,),
}

__all__ = ["recognize", "recognized"]
