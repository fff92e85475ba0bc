"""Preparing a graph for symbolic differentiation: exact identities that are easier to see before than after.

    ‖u‖² = uᵀu                      smooth where ‖u‖ is not, and without a root
    log(det X) = log det X           so that the determinant cancels
    solve(A, b) = A⁻¹b               whose derivative is a product
    tr(A ⊗ B) = tr A · tr B          sums over axes that were run together are sums over the axes themselves
    x/‖x‖, guarded against ‖x‖ = 0   a second derivative has no value there anyway: the guard is taken off

The value of a function or a gradient is not computed from the prepared graph where the guard makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable

from tangently.expr import TABLE, Expr, Size, build, is_number, toposort
from tangently.primitives.kinds import identity, letters, reshape
from tangently.primitives.tensor import matmul, parts

Rewrite = Callable[[Expr], Expr | None]


def prepared(expr: Expr) -> Expr:
    """The graph by all identities but the last.

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
    if name == "solve":
        return matmul(TABLE["inv"](node.args[0]), node.args[1])
    return _apart(node) if name == "einsum" else None


def _squared_norm(x: Expr) -> Expr | None:
    """uᵀu where x is the norm of all of u."""
    if x.op.name != "norm" or x.shape:
        return None
    (u,) = x.args
    spec = letters(len(u.shape))
    whole = TABLE["einsum"](u, u, params=(f"{spec},{spec}->",))
    return (_apart(whole) if whole.op.name == "einsum" else None) or whole


Group = tuple[Size, ...]


def _apart(node: Expr) -> Expr | None:
    """An einsum of arrays with axes that were run together (a ⊗ b is a reshape of aᵢⱼ bₖₗ), over the single axes.

    Every operand with such an axis must have it from the same axes; an identity may be there too, I ⊗ I.
    """
    operands, out = parts(node.params[0])
    split = [_groups(a) for a in node.args]
    found: dict[str, Group] = {}
    for letters_, groups in zip(operands, split):
        found.update({c: g for c, g in zip(letters_, groups or ()) if len(g) > 1})
    if not found or not all(_agrees(a, s, g, found) for a, s, g in zip(node.args, operands, split)):
        return None
    fresh = iter(letters(sum(map(len, found.values())) + len(set("".join(operands)))))
    names = {c: [next(fresh) for _ in found.get(c, (1,))] for c in dict.fromkeys("".join(operands))}
    pieces: list[tuple[Expr, str]] = []
    for a, s, groups in zip(node.args, operands, split):
        if groups is not None or not set(s) & set(found):
            pieces.append((a if groups is None else a.args[0], "".join(n for c in s for n in names[c])))
        else:
            pieces += [(identity(n), i + j) for n, i, j in zip(found[s[0]], names[s[0]], names[s[1]])]
    spec = f"{','.join(s for _, s in pieces)}->{''.join(n for c in out for n in names[c])}"
    whole = TABLE["einsum"](*[a for a, _ in pieces], params=(spec,))
    return reshape(whole, node.shape) if set(out) & set(found) else whole


def _agrees(a: Expr, subscripts: str, groups: list[Group] | None, found: dict[str, Group]) -> bool:
    if groups is not None:
        return all(found.get(c, g) == g for c, g in zip(subscripts, groups))
    held = [c for c in subscripts if c in found]
    same = len(held) == 2 and found[held[0]] == found[held[1]]
    return not held or (a.op.name == "identity" and same)


def _groups(a: Expr) -> list[Group] | None:
    """For each axis of a reshape the sizes that were run together there; None for anything else."""
    if a.op.name != "reshape":
        return None
    rest = list(a.args[0].shape)
    found: list[Group] = []
    for n in a.shape:
        taken, product = [], 1
        while rest and (not taken or product != n):
            taken.append(rest.pop(0))
            product = product * taken[-1]
        if product != n or not taken:
            return None
        found.append(tuple(taken))
    return None if rest else found


def _without_guard(node: Expr) -> Expr | None:
    """where(‖x‖ = 0, 0, u) is u elsewhere."""
    if node.op.name != "where" or node.args[0].op.name != "eq":
        return None
    tested, zero = node.args[0].args
    while tested.op.name in ("reshape", "broadcast"):
        (tested,) = tested.args
    return node.args[2] if tested.op.name == "norm" and is_number(zero, 0) else None


__all__ = ["prepared", "unguarded"]
