"""Which operations of a graph can be computed together, piece by piece, before the next ones begin.

A *label* is an axis of one size that many arrays of a graph have: the rows of a batch, the points of a cloud, the
entries of a vector. A *region* is a set of nodes in which slice i along the label needs slice i of the others and no
other slice: elementwise operations, sums and products over other axes, small matrix products. Its slices are computed
in blocks that fit the cache, on several threads, and only what is needed outside of it is ever stored as a whole. A sum
over the label itself ends a region: every block gives its part, and the parts are added afterward, in order.

Nodes are put in *stages* of a topological order. Even stages hold ordinary statements, odd ones regions. An operand
that a node needs as a whole must come from an earlier stage; one that it needs slice by slice may come from the same.
Every node goes to the first stage that it can be in, which is the partition with the fewest stages (longest path).
Regions with too little work are dissolved, and where none is left the order is untouched: small functions are compiled
as if there were no regions. A label is recognized by its size; an array with two axes of that size stays outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tangently.expr import CONST, INPUT, Expr, Shape
from tangently.primitives.tensor import parts, sizes_of

Roles = tuple[bool, ...]  # of each operand: is it needed slice by slice (else as a whole)?
MATRIX = 16_384  # entries of a matrix that every block multiplies by: it must stay in the cache beside the block
AT_ONCE = 8  # values of the size from which on blocks pay, that a region uses at a time: fewer stay in the cache anyway
SHORTEST = 64  # a label with fewer slices is not worth cutting


@dataclass(frozen=True)
class Together:
    """A node's membership: the regions of this `key` may hold it, given operands in these roles."""

    key: Hashable
    roles: Roles
    sums: bool = False  # over the label: its value is known after the region


@dataclass(frozen=True)
class Region:
    """Nodes in order, and the number of slices along the label."""

    nodes: tuple[Expr, ...]
    rows: int

    @property
    def width(self) -> int:
        """The entries of a slice that are in use at a time, at most: operands, results, and what is still needed."""
        order = [[x for x in (n, *n.args) if x.shape.count(self.rows) == 1] for n in self.nodes]
        last = {x: k for k, step in enumerate(order) for x in step}
        entries = {x: math.prod(x.shape) // self.rows for x in last}
        live, most = set[Expr](), 1
        for k, step in enumerate(order):
            live.update(step)
            most = max(most, sum(entries[x] for x in live))
            live = {x for x in live if last[x] > k}
        return most

    @property
    def work(self) -> int:
        """Entries computed (or summed)."""
        return sum(max(math.prod(x.shape) for x in (n, *n.args) if x.op is not CONST) for n in self.nodes)


Plan = list[Expr | Region]
Joins = Callable[[Expr], Together | None]
WHOLE = ("s", None, None, None)


# ---------------------------------------------------------------- what one label means to a node


def axis_of(shape: Shape, label: int) -> int | None:
    """The one axis of this size (None: there is none, or several).

    >>> axis_of((3, 500), 500), axis_of((500, 500), 500)
    (1, None)
    """
    return shape.index(label) if shape.count(label) == 1 else None


def along(node: Expr, label: int) -> Together | None:
    """The node's place in regions of a label."""
    axis = axis_of(node.shape, label)
    if axis is None:
        return _summed(node, label) if node.op.name == "einsum" else None
    if node.op.kind == "elementwise":
        roles = tuple(aligned(a.shape, node.shape, axis) for a in node.args)
        return Together(label, roles) if any(roles) else None
    find = ROWS.get(node.op.name)
    roles = None if find is None else find(node, label, axis)
    return None if roles is None else Together(label, roles)


def aligned(operand: Shape, shape: Shape, axis: int) -> bool:
    """Does an operand of an elementwise operation have the result's axis (rather than being spread over it)?"""
    back = len(shape) - axis
    return len(operand) >= back and operand[-back] == shape[axis]


def axes_of_operands(node: Expr, label: int, operands: Sequence[Expr]) -> list[int | None]:
    """Where each operand of a member has the label; None where it is needed as a whole."""
    if node.op.name == "einsum":
        index = _index_of(node, label)
        return [s.index(index) if index in s else None for s in parts(node.params[0])[0]]
    if node.op.kind != "elementwise":
        return [axis_of(a.shape, label) for a in operands]
    axis = node.shape.index(label)
    back = len(node.shape) - axis
    return [len(a.shape) - back if aligned(a.shape, node.shape, axis) else None for a in operands]


def _index_of(node: Expr, label: int) -> str:
    """The label's letter in a member's subscripts."""
    out = parts(node.params[0])[1]
    axis = axis_of(node.shape, label)
    if axis is not None:
        return out[axis]
    sizes = sizes_of(node.params[0], [a.shape for a in node.args])
    return next(c for c, n in sizes.items() if n == label and c not in out)


def _einsum_roles(node: Expr, label: int, axis: int) -> Roles | None:
    """A batch index, or the rows of a product with a small matrix."""
    operands, out = parts(node.params[0])
    return _roles_of_index(node, operands, out[axis])


def _roles_of_index(node: Expr, operands: Sequence[str], index: str) -> Roles | None:
    roles = tuple(index in subscripts for subscripts in operands)
    once = all(subscripts.count(index) <= 1 for subscripts in operands)
    sizes = sizes_of(node.params[0], [a.shape for a in node.args])
    width = math.prod(n for c, n in sizes.items() if c != index)
    return roles if once and any(roles) and (len(operands) == 1 or width <= MATRIX) else None


def _summed(node: Expr, label: int) -> Together | None:
    """An einsum that sums over the label."""
    operands, out = parts(node.params[0])
    sizes = sizes_of(node.params[0], [a.shape for a in node.args])
    found = [c for c, n in sizes.items() if n == label and c not in out]
    if len(found) != 1 or math.prod(node.shape) > MATRIX:
        return None
    roles = _roles_of_index(node, operands, found[0])
    return None if roles is None else Together(label, roles, sums=True)


def _reduction_roles(node: Expr, label: int, axis: int) -> Roles | None:
    before = axis_of(node.args[0].shape, label)
    return (True,) if before is not None and before not in node.params[0] else None


def _reshape_roles(node: Expr, label: int, axis: int) -> Roles | None:
    old = node.args[0].shape
    before = axis_of(old, label)
    same = before is not None and math.prod(old[:before]) == math.prod(node.shape[:axis])
    return (True,) if same else None


def _index_roles(node: Expr, label: int, axis: int) -> Roles | None:
    """Slices, new axes and numbers elsewhere; the label's own axis is taken whole."""
    if len(node.args) > 1:
        return None
    reads: list[bool] = []  # for each axis of the result: is it an axis of the operand, whole?
    for part in node.params[0]:
        if type(part) is int or part[0] == "e":
            continue
        reads.append(part == WHOLE)
    return (True,) if axis >= len(reads) or reads[axis] else None


def _join_roles(node: Expr, label: int, axis: int) -> Roles | None:
    fits = all(axis_of(a.shape, label) is not None for a in node.args)
    return (True,) * len(node.args) if fits and node.params[0] != axis else None


# Rows of the table that can keep slices apart: (node, label, axis) -> roles.
ROWS: dict[str, Callable[[Expr, int, int], Roles | None]] = {
    "einsum": _einsum_roles,
    "amax": _reduction_roles,
    "amin": _reduction_roles,
    "prod": _reduction_roles,
    "reshape": _reshape_roles,
    "broadcast": lambda n, label, axis: (True,) if axis in n.params[1] else None,
    "index": _index_roles,
    "concatenate": _join_roles,
    "stack": _join_roles,
    "cumsum": lambda n, label, axis: (True,) if n.params[0] != axis else None,
}


def by_label(order: Sequence[Expr], least: int) -> Joins:
    """Every node with the label, of those that it has, along which most of the graph's work can be cut."""
    sizes = {n for node in order if math.prod(node.shape) >= least for n in node.shape if n >= SHORTEST}
    work = {label: sum(math.prod(n.shape) for n in order if n.args and along(n, label)) for label in sizes}
    ranked = sorted(sizes, key=lambda label: (work[label], label), reverse=True)

    def joins(node: Expr) -> Together | None:
        return next((found for label in ranked if (found := along(node, label)) is not None), None)

    return joins


# ---------------------------------------------------------------- stages


def partition(order: Sequence[Expr], joins: Joins, *, least: int, whole: set[Expr]) -> Plan:
    """The order, with what can be computed together in regions of at least `least` entries a value.

    `whole` are nodes that must stay ordinary statements (the conditions of branches).
    """
    members = {n: None if n.op in (INPUT, CONST) or n in whole else joins(n) for n in order}
    large = {m.key for n, m in members.items() if m is not None and math.prod(n.shape) >= least}
    if not large:
        return list(order)
    members = {n: m if m is not None and m.key in large else None for n, m in members.items()}
    stages = _stages(order, members)
    _demote_views(order, members, stages)
    groups: dict[tuple[int, Hashable], list[Expr]] = {}
    for n in order:
        member = members[n]
        if member is not None:
            groups.setdefault((stages[n], member.key), []).append(n)
    regions = {k: Region(tuple(nodes), _rows(k[1])) for k, nodes in groups.items()}
    regions = {k: r for k, r in regions.items() if _pays(r, least)}
    return _ordered(order, members, stages, regions) if regions else list(order)


def _rows(key: Hashable) -> int:
    return key[0] if isinstance(key, tuple) else int(key)  # type: ignore[call-overload]


def _stages(order: Sequence[Expr], members: dict[Expr, Together | None]) -> dict[Expr, int]:
    stages: dict[Expr, int] = {}
    for n in order:
        member = members[n]
        if member is None:
            stages[n] = max((stages[a] + stages[a] % 2 for a in n.args), default=0)
        else:
            needs = [_after(a, row, member, members, stages) for a, row in zip(n.args, member.roles)]
            stages[n] = max(needs, default=1)
    return stages


def _after(a: Expr, row: bool, member: Together, members: dict[Expr, Together | None], stages: dict[Expr, int]) -> int:
    """The first odd stage that an operand allows."""
    before = members[a]
    if stages[a] % 2 == 0:
        return stages[a] + 1
    same = row and before is not None and before.key == member.key and not before.sums
    return stages[a] if same else stages[a] + 2


def _demote_views(order: Sequence[Expr], members: dict[Expr, Together | None], stages: dict[Expr, int]) -> None:
    """A view that nothing in its region uses costs nothing after the region, and a copy inside of it."""
    inside: set[Expr] = set()
    for n in reversed(order):
        member = members[n]
        view = n.op.view(n.params) if callable(n.op.view) else n.op.view
        if member is not None and view and n not in inside:
            members[n] = member = None
            stages[n] += 1
        if member is not None:
            for a in n.args:
                before = members[a]
                if before is not None and stages[a] == stages[n] and before.key == member.key:
                    inside.add(a)


def _pays(region: Region, least: int) -> bool:
    largest = max(math.prod(x.shape) for n in region.nodes for x in (n, *n.args))
    enough = least == 1 or region.rows * region.width >= AT_ONCE * least
    return len(region.nodes) > 1 and largest >= least and enough


def _ordered(
    order: Sequence[Expr],
    members: dict[Expr, Together | None],
    stages: dict[Expr, int],
    regions: dict[tuple[int, Hashable], Region],
) -> Plan:
    """By stages; a region stands where its first node stood among those of its stage."""
    plan: Plan = []
    placed: set[tuple[int, Hashable]] = set()
    for n in sorted(order, key=stages.__getitem__):
        member = members[n]
        key = (stages[n], member.key) if member is not None else None
        if key is None or key not in regions:
            plan.append(n)
        elif key not in placed:
            placed.add(key)
            plan.append(regions[key])
    return plan


def flattened(plan: Plan) -> list[Expr]:
    """The nodes in the order in which they are computed."""
    return [n for item in plan for n in (item.nodes if isinstance(item, Region) else (item,))]


__all__ = ["Plan", "Region", "Together", "along", "axes_of_operands", "by_label", "flattened", "partition"]
