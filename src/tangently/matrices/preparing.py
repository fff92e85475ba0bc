"""Preparing a graph for symbolic differentiation: exact identities that are easier to see before than after.

    ‖u‖² = uᵀu                      smooth where ‖u‖ is not, and without a root
    log(det X) = log det X           so that the determinant cancels
    x/‖x‖, guarded against ‖x‖ = 0   a second derivative has no value there anyway: the guard is taken off

The value of a function or a gradient is not computed from the prepared graph where the guard makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable

from tangently.expr import TABLE, Expr, build, is_number, toposort
from tangently.primitives.kinds import letters

Rewrite = Callable[[Expr], Expr | None]


def prepared(expr: Expr) -> Expr:
    """The graph by the first two identities.

    >>> from tangently.expr import symbol
    >>> u = symbol("u", (3,))
    >>> prepared(TABLE["norm"](u, params=((0,), False)) ** 2)
    einsum(u, u)
    """
    return _rewritten(expr, _smooth)


def unguarded(expr: Expr) -> Expr:
    """The graph of a gradient without the guards of norms."""
    return _rewritten(expr, _without_guard)


def _rewritten(expr: Expr, rewrite: Rewrite) -> Expr:
    done: dict[Expr, Expr] = {}
    for node in toposort([expr]):
        args = tuple([done[a] for a in node.args])
        same = node if args == node.args else build(node.op, args, node.params)
        done[node] = rewrite(same) or same
    return done[expr]


def _smooth(node: Expr) -> Expr | None:
    name = node.op.name
    if name == "square" or (name == "pow" and is_number(node.args[1], 2)):
        return _squared_norm(node.args[0])
    if name == "log" and node.args[0].op.name == "det":
        return TABLE["logdet"](node.args[0].args[0])
    return None


def _squared_norm(x: Expr) -> Expr | None:
    """uᵀu where x is the norm of all of u."""
    if x.op.name != "norm" or x.shape:
        return None
    (u,) = x.args
    spec = letters(len(u.shape))
    return TABLE["einsum"](u, u, params=(f"{spec},{spec}->",))


def _without_guard(node: Expr) -> Expr | None:
    """where(‖x‖ = 0, 0, u) is u elsewhere."""
    if node.op.name != "where" or node.args[0].op.name != "eq":
        return None
    tested, zero = node.args[0].args
    while tested.op.name in ("reshape", "broadcast"):
        (tested,) = tested.args
    return node.args[2] if tested.op.name == "norm" and is_number(zero, 0) else None


__all__ = ["prepared", "unguarded"]
