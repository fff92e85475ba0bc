"""Assembly: from the network of a Hessian to the structured matrix that it is.

Each term of the network is recognized by how its labels hang together. R are the labels of the gradient's axes (rows),
C those of the argument's (columns); a delta between an axis of R and the same axis of C makes it a *batch* axis.

- all axes batch: a multiple of I, or diag(v);
- the factors fall apart into parts that each join one row axis to its column axis: a Kronecker product, identity where
  there is only the delta; joined crosswise: a commuted one; all of R from all of C: u vᵀ;
- batch axes that the factors have too: block diagonal;
- a label in the middle whose two sides are the same factors: a congruence Xᵀ diag(s) X;
- positions tied by tables (slices, indices): sparse, row and column of every value known before the call;
- anything else: one dense contraction.

A `Plan` says which arrays the compiled code computes (in one graph, so that all is shared) and how blocks are made of
them. Nothing here looks at values: the plan is made once for each compiled variant.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.contraction import (
    Factor,
    Labels,
    Network,
    Pick,
    Term,
    as_number,
    canonical,
    compact,
    contract,
    cost,
    indexed,
    tied,
)
from tangently.expr import TABLE, Expr, Shape, const
from tangently.primitives.kinds import broadcast_to, identity, reshape
from tangently.structured import (
    Batched,
    Block,
    Congruence,
    Crossed,
    Dense,
    Diagonal,
    Kronecker,
    Outer,
    Pattern,
    Placed,
    Scaled,
    Sparse,
)

BLOCK = 16  # entries; a smaller block at an offset is kept as single entries


@dataclass(frozen=True)
class Piece:
    """Arrays to compute, and the block that is made of them."""

    parts: tuple[Expr, ...]
    make: Callable[..., Block]


@dataclass(frozen=True)
class Plan:
    outputs: list[Expr]
    blocks: Callable[[Sequence[Any]], tuple[Block, ...]]


@dataclass(frozen=True)
class Sorted:
    """A term with its deltas taken out: `batch` axes (row label = column label), what is left of rows and columns."""

    network: Network
    term: Term
    batch: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]


def plan(network: Network, shape: Shape) -> Plan:
    """How a Hessian of an argument of this shape is computed and put together."""
    network = compact(network)
    found = [recognize(network, term, shape) for term in network.terms]
    pieces = [p for p in found if isinstance(p, Piece)]
    pieces += _diagonal([p for p in found if isinstance(p, Diagonals)], shape)
    pieces += _dense([p for p in found if isinstance(p, Denses)])
    pieces += _sparse([p for p in found if isinstance(p, Entries)], math.prod(shape))
    outputs = list(dict.fromkeys(part for piece in pieces for part in piece.parts)) or [const(0.0)]
    where = {part: k for k, part in enumerate(outputs)}
    recipe = [(piece.make, [where[part] for part in piece.parts]) for piece in pieces]
    return Plan(outputs, lambda values: tuple([make(*[values[k] for k in at]) for make, at in recipe]))


@dataclass(frozen=True)
class Diagonals:
    """c·v on the diagonal; v None: c on all of it."""

    coefficient: Any
    vector: Expr | None


@dataclass(frozen=True)
class Denses:
    matrix: Expr


@dataclass(frozen=True)
class Entries:
    """Values at known rows and columns of the flattened matrix; `key` says which, `places` gives them."""

    values: Expr
    key: Any
    places: Callable[[], tuple[np.ndarray, np.ndarray]]


def _diagonal(found: list[Diagonals], shape: Shape) -> list[Piece]:
    constant = sum(d.coefficient for d in found if d.vector is None)
    vectors = [_scaled(d.coefficient, d.vector) for d in found if d.vector is not None]
    if not vectors:
        return [Piece((), lambda: Scaled(constant))] if found and constant else []
    total = functools.reduce(operator.add, vectors)
    total = total if constant == 0 else total + constant
    if total.shape == ():
        return [Piece((total,), Scaled)]
    return [Piece((broadcast_to(total, shape),), Diagonal)]


def _scaled(c: Any, x: Expr) -> Expr:
    return x if c == 1 else -x if c == -1 else c * x


def _dense(found: list[Denses]) -> list[Piece]:
    if not found:
        return []
    total = functools.reduce(operator.add, [d.matrix for d in found])
    return [Piece((total,), lambda values: Dense(values, owned=True))]  # the call's own: handed out without a copy


def _sparse(found: list[Entries], size: int) -> list[Piece]:
    """Terms at the same places are added up in the graph; one pattern holds them all."""
    groups: dict[Any, Entries] = {}
    for e in found:
        old = groups.get(e.key)
        groups[e.key] = e if old is None else dataclasses.replace(e, values=old.values + e.values)
    if not groups:
        return []
    parts = list(groups.values())
    places = [e.places() for e in parts]
    pattern = Pattern(np.concatenate([r for r, _ in places]), np.concatenate([c for _, c in places]), size)
    flat = tuple([reshape(broadcast_to(e.values, rows.shape), rows.shape) for e, (rows, _) in zip(parts, places)])
    return [Piece(flat, lambda *values: Sparse(pattern, values[0] if len(values) == 1 else np.concatenate(values)))]


# ---------------------------------------------------------------- one term


def recognize(network: Network, term: Term, shape: Shape) -> Piece | Diagonals | Denses | Entries:
    if term.picks:
        return _picked(network, term, shape)
    s = _sorted(network, term)
    if not s.rows:
        return _on_the_diagonal(s, shape)
    used = {j for f in s.term.factors for j in f.indices}
    if s.batch:
        return _blocks(s, used, shape)
    return _whole(s, shape)


def _sorted(network: Network, term: Term) -> Sorted:
    """The term with batch axes renamed; where a delta joins other axes, all deltas are written out."""
    d = len(network.out) // 2
    rows, columns = network.out[:d], network.out[d:]
    batch, names = [], {}
    for a, b in term.deltas:
        r, c = (a, b) if a in rows else (b, a)
        if r not in rows or c not in columns or rows.index(r) != columns.index(c):
            deltas = tuple([Factor(identity(network.sizes[a]), (a, b)) for a, b in term.deltas])
            return Sorted(network, Term(term.coefficient, (*term.factors, *deltas)), (), rows, columns)
        batch.append(rows.index(r))
        names[c] = r
    factors = tuple([Factor(f.node, tuple([names.get(j, j) for j in f.indices])) for f in term.factors])
    free = [k for k in range(d) if k not in batch]
    ends = [tuple([side[k] for k in free]) for side in (rows, columns)]
    return Sorted(network, Term(term.coefficient, factors), tuple(sorted(batch)), ends[0], ends[1])


def _on_the_diagonal(s: Sorted, shape: Shape) -> Diagonals:
    if not s.term.factors:
        return Diagonals(as_number(s.term.coefficient), None)
    return Diagonals(as_number(s.term.coefficient), spread(s.network, s.term.factors, s.network.out[: len(shape)]))


def spread(network: Network, factors: Sequence[Factor], labels: Labels) -> Expr:
    """The factors contracted to the axes `labels`; one that none of them has is spread (a number stays a number)."""
    have = {j for f in factors for j in f.indices}
    inside = tuple([j for j in labels if j in have])
    found = contract(factors, inside, network.sizes)
    if not inside or len(inside) == len(labels):
        return found
    shape = tuple([network.sizes[j] for j in labels])
    return TABLE["broadcast"](found, params=(shape, tuple([labels.index(j) for j in inside])))


def _blocks(s: Sorted, used: set[int], shape: Shape) -> Piece:
    rows = s.network.out[: len(shape)]
    c = as_number(s.term.coefficient)
    batch = tuple([rows[k] for k in s.batch])
    if not used & set(batch):
        joined = _joined(s)
        if joined is not None:
            free = [k for k in range(len(shape)) if k not in s.batch]
            at = {k: n for n, k in enumerate(free)}
            pick = lambda values: tuple([values[at[k]] if k in at else None for k in range(len(shape))])
            return Piece(tuple(joined), lambda *values: Kronecker(c, pick(values)))
    whole = _scaled(c, spread(s.network, s.term.factors, (*batch, *s.rows, *s.columns)))
    full = broadcast_to(whole, tuple([s.network.sizes[j] for j in (*batch, *s.rows, *s.columns)]))
    return Piece((full,), lambda values: Batched(s.batch, values))


def _joined(s: Sorted, crossed: bool = False) -> list[Expr] | None:
    """One matrix for each pair of a row axis and a column axis, where the factors fall apart like that."""
    columns = s.columns[::-1] if crossed else s.columns
    parts = components(s.term.factors)
    found = []
    loose: list[Factor] = []
    for ends, factors in parts:
        mine = [k for k, (r, c) in enumerate(zip(s.rows, columns)) if r in ends or c in ends]
        if len(mine) > 1:
            return None
        if not mine:
            loose += factors
    for r, c in zip(s.rows, columns):
        mine = [f for ends, factors in parts if r in ends or c in ends for f in factors]
        have = {j for f in mine for j in f.indices}
        if not {r, c} <= have:
            return None
        found.append(contract([*mine, *loose], (r, c), s.network.sizes))
        loose = []
    return found


def components(factors: Sequence[Factor]) -> list[tuple[set[int], list[Factor]]]:
    """Factors that hang together by labels, each group with all its labels."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for f in factors:
        mine, rest = (set(f.indices), [f]), []
        for labels, members in groups:
            if labels & mine[0]:
                mine = (mine[0] | labels, [*members, *mine[1]])
            else:
                rest.append((labels, members))
        groups = [*rest, mine]
    return groups


def _whole(s: Sorted, shape: Shape) -> Piece | Denses:
    c = as_number(s.term.coefficient)
    size = math.prod(shape)
    parts = components(s.term.factors)
    left = [f for labels, group in parts if not labels & set(s.columns) for f in group]
    right = [f for labels, group in parts if not labels & set(s.rows) for f in group if f not in left]
    if len(left) + len(right) == len(s.term.factors):
        u, v = (broadcast_to(spread(s.network, f, j), shape) for f, j in ((left, s.rows), (right, s.columns)))
        return Piece((u, v), lambda u, v: Outer(c, u, v))
    if len(shape) > 1:
        joined = _joined(s)
        if joined is not None:
            return Piece(tuple(joined), lambda *values: Kronecker(c, values))
        crossed = _joined(s, crossed=True) if len(shape) == 2 else None
        if crossed is not None:
            return Piece(tuple(crossed), lambda a, b: Crossed(c, (a, b)))
    found = _congruence(s, size)
    if found is not None and len(shape) > 1 and _costs_more(s, found, size):
        found = None
    return found or Denses(_scaled(c, broadcast_to(spread(s.network, s.term.factors, s.network.out), (*shape, *shape))))


# ---------------------------------------------------------------- congruence


def _congruence(s: Sorted, size: int) -> Piece | None:
    """Aᵀ diag(s) A: cut at labels whose two sides are the same network."""
    factors, rows, columns = s.term.factors, set(s.rows), set(s.columns)
    inner = {j for f in factors for j in f.indices} - rows - columns
    near = [{j for f in factors if rows & set(f.indices) for j in f.indices} - rows]
    near.append({j for f in factors if columns & set(f.indices) for j in f.indices} - columns)
    both = near[0] & near[1] & inner
    for cut in [both, *[{j} for j in sorted(inner)]] if both else [{j} for j in sorted(inner)]:
        sides = _sides(factors, cut, rows, columns)
        if sides is not None and _same(sides[0], sides[1], s.rows, s.columns, cut):
            return _congruent(s, sides, tuple(sorted(cut)), size)
    return None


def _costs_more(s: Sorted, found: Piece, size: int) -> bool:
    """Is the symmetric product (half of its multiplications) more work than the best contraction of the network?"""
    rank = found.parts[0].shape[0]
    return rank * size * size / 2 > cost(s.term.factors, s.network.out, s.network.sizes)


def _sides(factors: Sequence[Factor], cut: set[int], rows: set[int], columns: set[int]) -> Any:
    """The factors on the side of the rows, of the columns, and between (None where the cut does not part them)."""
    apart = components([Factor(f.node, tuple([j for j in f.indices if j not in cut])) for f in factors])
    left, right, middle = [], [], []
    for f in factors:
        own = {j for j in f.indices if j not in cut}
        ends = next((labels for labels, _ in apart if labels & own), set())
        if ends & rows and ends & columns:
            return None
        (left if ends & rows else right if ends & columns else middle).append(f)
    return left, right, middle


def _same(left: Sequence[Factor], right: Sequence[Factor], rows: Labels, columns: Labels, cut: set[int]) -> bool:
    """Is the one side the other, with columns for rows?"""
    names = dict(zip(columns, rows))
    turned = [Factor(f.node, tuple([names.get(j, j) for j in f.indices])) for f in right]
    fixed = (*rows, *sorted(cut))
    return len(left) == len(right) > 0 and canonical((), left, (), (), fixed) == canonical((), turned, (), (), fixed)


def _congruent(s: Sorted, sides: Any, cut: Labels, size: int) -> Piece | None:
    left, _, middle = sides
    sizes = s.network.sizes
    if {j for f in left for j in f.indices} & set(s.rows) != set(s.rows):
        return None
    k = math.prod(sizes[j] for j in cut)
    a = reshape(spread(s.network, left, (*cut, *s.rows)), (k, size))
    c = as_number(s.term.coefficient)
    if not middle:
        return Piece((a,), lambda a: Congruence(a, None, a).scaled(c))
    weights = reshape(broadcast_to(spread(s.network, middle, cut), tuple([sizes[j] for j in cut])), (k,))
    return Piece((a, _scaled(c, weights)), lambda a, w: Congruence(a, w, a))


# ---------------------------------------------------------------- picks


def _picked(network: Network, term: Term, shape: Shape) -> Piece | Entries:
    """Rows and columns by tables: the values are an array over the inner labels, each at a known place."""
    d = len(shape)
    names = {b: a for a, b in term.deltas}

    def swap(labels: Labels) -> Labels:
        return tuple([names.get(j, j) for j in labels])

    factors = [Factor(f.node, swap(f.indices)) for f in term.factors]
    picks = {names.get(p.source, p.source): tied(p.source, swap(p.by), p.table) for p in term.picks}
    for p in picks.values():  # what has a label that is picked is taken at those positions
        factors = [indexed(f, p) for f in factors]
    rows, columns = (swap(side) for side in (network.out[:d], network.out[d:]))
    sides = [tuple(dict.fromkeys([j for o in side for j in _inner(picks, o)])) for side in (rows, columns)]
    c = as_number(term.coefficient)
    if not set(sides[0]) & set(sides[1]):
        row, column = [_start(_places(picks, s, inner, network, shape)) for s, inner in zip((rows, columns), sides)]
        large = math.prod(_sizes(network, (*sides[0], *sides[1]))) >= BLOCK
        if row is not None and column is not None and large:
            labels = (*sides[0], *sides[1])
            block = broadcast_to(_scaled(c, spread(network, factors, labels)), _sizes(network, labels))
            extent = [math.prod(_sizes(network, inner)) for inner in sides]
            return Piece((reshape(block, tuple(extent)),), lambda values: Placed(row, column, values))
    inner = tuple(dict.fromkeys((*sides[0], *sides[1])))
    sizes = _sizes(network, inner)
    values = reshape(broadcast_to(_scaled(c, spread(network, factors, inner)), sizes), (math.prod(sizes),))
    key = (sizes, *[_key(picks, side, inner) for side in (rows, columns)])
    places = lambda side: _places(picks, side, inner, network, shape)
    return Entries(values, key, lambda: (places(rows), places(columns)))


def _sizes(network: Network, labels: Labels) -> tuple[int, ...]:
    return tuple([network.sizes[j] for j in labels])  # type: ignore[misc]


def _key(picks: dict[int, Pick], side: Labels, inner: Labels) -> Any:
    """What the places of a side hang on."""
    at = lambda label: tuple([inner.index(j) for j in _inner(picks, label)])
    return tuple([(picks[label].key if label in picks else None, at(label)) for label in side])


def _inner(picks: dict[int, Pick], label: int) -> Labels:
    return picks[label].by if label in picks else (label,)


def _places(picks: dict[int, Pick], side: Labels, inner: Labels, network: Network, shape: Shape) -> np.ndarray:
    """The position in the flattened argument, for every entry of an array over the labels `inner`."""
    sizes = _sizes(network, inner)
    total = np.zeros([1] * len(inner), np.int64)
    for k, label in enumerate(side):
        table = picks[label].table if label in picks else np.arange(shape[k])
        axes = [inner.index(j) for j in _inner(picks, label)]
        spreads = [sizes[j] if j in axes else 1 for j in range(len(inner))]
        total = total + math.prod(shape[k + 1 :]) * np.transpose(table, np.argsort(axes)).reshape(spreads)
    return np.ascontiguousarray(np.broadcast_to(total, sizes)).reshape(-1)


def _start(places: np.ndarray) -> int | None:
    """Where a whole run of positions begins."""
    return int(places[0]) if len(places) and (np.diff(places) == 1).all() else None


__all__ = ["Plan", "plan"]
