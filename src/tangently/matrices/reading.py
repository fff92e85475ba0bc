"""Reading: from a graph, or from a tensor network, to matrix notation.

A network of vectors and matrices is contracted label by label, and each step is an identity of linear algebra:

    vectors on one label            u ⊙ v                 a summed label with nothing but a vector     sum(v)
    matrices on one pair            A ⊙ B, or tr(AᵀB)     … with one matrix and a vector               A v
    a label twice in one matrix     diagonal(A), tr A     … with two matrices                          A B
    two labels of the result        diag(u) A diag(v)     … with two matrices and a vector             A diag(v) B
                                    u vᵀ, diag(v), I

A result with four axes is read as a matrix of index pairs (i, j), (k, l): A on (i, k) and B on (j, l) are A ⊗ B; A on
(i, l) and B on (j, k) are (A ⊗ B) K with the commutation matrix; what depends on (i, j) alone is diag(vec A) before
it. The pairs are flattened row by row, as NumPy does, or column by column (`order`): then A on (i, k), B on (j, l)
are B ⊗ A.

A label that three matrices share has no such form: then the result is in index notation, with the reason.

`read` walks a graph of the table: what a row means in this notation is one line of `READERS`. A row that acts entry
by entry needs none, a row without any notation stands as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangently.contraction import Network, Term
from tangently.errors import ShapeError
from tangently.expr import CONST, INPUT, Expr, Size, toposort
from tangently.matrices import notation as mat
from tangently.matrices.notation import CALLS, ONE, Indices, Mat, Order, collect
from tangently.primitives.kinds import broadcast_shapes
from tangently.primitives.tensor import parts

Labels = tuple[int, ...]
Piece = tuple[Mat, Labels]


class NoMatrixForm(Exception):
    """A network that matrix notation can't write. The message is the reason, in words."""


# ---------------------------------------------------------------- networks


@dataclass
class Board:
    """A term while it is contracted: numbers, a column for a label, matrices between two labels."""

    out: Labels
    sizes: Mapping[int, Size]
    scalars: list[Mat] = field(default_factory=list)
    vectors: dict[int, Mat] = field(default_factory=dict)
    edges: list[tuple[Mat, int, int]] = field(default_factory=list)

    def touching(self, label: int) -> list[tuple[Mat, int, int]]:
        return [e for e in self.edges if label in e[1:]]

    def column(self, label: int) -> Mat:
        """The vector on a label, taken from the board; ones where there is none."""
        return self.vectors.pop(label, None) or mat.ones(self.sizes[label])


def put(board: Board, m: Mat, labels: Labels) -> None:
    if not labels:
        board.scalars.append(m)
    elif len(labels) == 1:
        old = board.vectors.get(labels[0])
        board.vectors[labels[0]] = m if old is None else mat.hadamard(old, m)
    elif len(labels) > 2:
        raise NoMatrixForm(f"{_spoken(m)} has {len(labels)} axes")
    else:
        row, column = list(labels)
        if row == column:
            put(board, mat.diagonal(m), (row,))
        else:
            board.edges.append((m, row, column))


def _spoken(m: Mat) -> str:
    return str(m.data[0]) if m.op == "symbol" else "a factor"


def settle(board: Board) -> None:
    """Contract until only labels of the result are left."""
    while _merge_parallel(board) or _contract_one(board):
        pass
    left = {j for e in board.edges for j in e[1:]} | set(board.vectors)
    stuck = left - set(board.out)
    if stuck:
        count = max(len(board.touching(j)) for j in stuck)
        raise NoMatrixForm(f"one index is summed over {count} matrices at once")


def _merge_parallel(board: Board) -> bool:
    for k, (a, i, j) in enumerate(board.edges):
        for other in board.edges[k + 1 :]:
            if {i, j} == set(other[1:]):
                board.edges = [e for n, e in enumerate(board.edges) if n != k and e is not other]
                _join(board, (a, i, j), other)
                return True
    return False


def _join(board: Board, one: tuple[Mat, int, int], other: tuple[Mat, int, int]) -> None:
    (a, i, j), (b, first, _) = one, other
    closed = not {i, j} & {*board.out, *board.vectors} and not board.touching(i) and not board.touching(j)
    if closed:
        put(board, mat.trace(mat.multiply(mat.transpose(a) if first == i else a, b)), ())
    else:
        put(board, mat.hadamard(a, b if first == i else mat.transpose(b)), (i, j))


def _contract_one(board: Board) -> bool:
    """Sum over one label: the one with the fewest matrices."""
    labels = dict.fromkeys([*board.vectors, *[j for e in board.edges for j in e[1:]]])
    inner = [(len(board.touching(j)), j) for j in labels if j not in board.out]
    degree, label = min(inner, default=(3, -1), key=lambda found: found[0])
    if degree > 2:
        return False
    touching = board.touching(label)
    board.edges = [e for e in board.edges if e not in touching]
    if not touching:
        put(board, mat.total(board.column(label)), ())
    elif degree == 1:
        m, other = _towards(touching[0], label)
        put(board, mat.multiply(m, board.column(label)), (other,))
    else:
        (a, i), (b, j) = (_towards(e, label) for e in touching)
        middle = [mat.diag(board.vectors.pop(label))] if label in board.vectors else []
        put(board, mat.multiply(a, *middle, mat.transpose(b)), (i, j))
    return True


def _towards(edge: tuple[Mat, int, int], label: int) -> tuple[Mat, int]:
    """The matrix with `label` as its columns, and the label of its rows."""
    m, i, j = edge
    return (m, i) if j == label else (mat.transpose(m), j)


def contracted(
    pieces: Iterable[Piece],
    out: Labels,
    sizes: Mapping[int, Size],
    deltas: Iterable[tuple[int, int]] = (),
    order: Order = "row",
    rows: int | None = None,
) -> Mat:
    """A product of arrays, summed over the labels that are not in `out`, as a matrix.

    The first `rows` labels of `out` (half of them, rounded up) are the row of the result. NoMatrixForm where there is
    none.
    """
    if len(out) > 4:
        raise NoMatrixForm(f"the result has {len(out)} axes")
    split = (len(out) + 1) // 2 if rows is None else rows
    if split > 2 or len(out) - split > 2:
        raise NoMatrixForm(f"the result has {len(out)} axes")
    tied, same = _tied(deltas, out[:split])
    board = Board(out, sizes)
    for m, labels in pieces:
        put(board, m, tuple([tied.get(j, j) for j in labels]))
    for i, j in same:
        put(board, mat.identity(sizes[i]), (i, j))
    settle(board)
    body = _assembled(board, out[:split], out[split:], tied, order)
    return mat.multiply(*board.scalars, body)


def _tied(deltas: Iterable[tuple[int, int]], rows: Labels) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Column labels that are tied to a row label (they take its name), and the other deltas, which are identities."""
    tied: dict[int, int] = {}
    same: list[tuple[int, int]] = []
    for a, b in deltas:
        row, column = (a, b) if a in rows else (b, a)
        if row in rows and column not in rows and column not in tied and row not in tied.values():
            tied[column] = row
        else:
            same.append((a, b))
    renamed = [(tied.get(a, a), tied.get(b, b)) for a, b in same]
    return tied, [pair for pair in renamed if pair[0] != pair[1]]


def _assembled(board: Board, rows: Labels, columns: Labels, tied: Mapping[int, int], order: Order) -> Mat:
    if len(rows) == 2 and order == "column":
        rows = rows[::-1]
    if len(columns) == 2 and order == "column":
        columns = columns[::-1]
    if len(rows) == 1 and len(columns) == 2:
        return _by_pairs(board, _beside(board, rows[0], columns, tied), columns, tied, order)
    if len(rows) == 2 and len(columns) == 1:
        return _by_pairs(board, rows, _beside(board, columns[0], rows, tied), tied, order)
    return _by_pairs(board, (*rows, None, None)[:2], (*columns, None, None)[:2], tied, order)


def _beside(board: Board, only: int, pair: Labels, tied: Mapping[int, int]) -> tuple[int | None, int | None]:
    """A side with one label, in the place of the label of the other side that it is tied to."""
    name = lambda j: tied.get(j, j)
    same = [name(only) == name(j) for j in pair]
    joined = same if any(same) else [any({only, j} == set(e[1:]) for e in board.edges) for j in pair]
    return (None, only) if joined == [False, True] else (only, None)


def _by_pairs(board: Board, rows: Any, columns: Any, tied: Mapping[int, int], order: Order) -> Mat:
    """The matrix of index pairs: straight (r₁c₁, r₂c₂), crossed (r₁c₂, r₂c₁), and what depends on one side alone."""
    names: dict[int, list[int]] = {}
    for column, row in tied.items():
        names.setdefault(row, []).append(column)
    sides: dict[str, list[tuple[Mat, int, int]]] = {"rows": [], "columns": [], "straight": [], "crossed": []}
    for m, i, j in board.edges:
        kind, i, j = _place(i, j, rows, columns, names)
        sides[kind].append((m, i, j))
    pairs = list(zip(rows, columns))
    crossed = [(rows[0], columns[1]), (rows[1], columns[0])]
    across = bool(sides["crossed"]) or any((row, column) in crossed for column, row in tied.items())
    along = bool(sides["straight"]) or any((row, column) in pairs for column, row in tied.items())
    if across and along:
        raise NoMatrixForm("its index pairs are tied both straight and crosswise")
    left, right = _side(sides["rows"], rows, order), _side(sides["columns"], columns, order)
    if not across and not along and (left is not None or right is not None):
        return mat.multiply(_flat(board, left, rows), mat.transpose(_flat(board, right, columns)))
    edges = sides["crossed" if across else "straight"]
    if len({frozenset(e[1:]) for e in edges}) < len(edges):
        raise NoMatrixForm("two matrices share a pair of its indices")
    body = mat.kron(*[_slot(board, r, c, edges, tied) for r, c in (crossed if across else pairs)])
    if across and None not in columns and None not in rows:
        k = list(reversed(columns)) if order == "column" else list(columns)
        body = mat.multiply(body, mat.commutation(board.sizes[k[0]], board.sizes[k[1]], order))
    ends = [[] if side is None else [mat.diag(side)] for side in (left, right)]
    return mat.multiply(*ends[0], body, *ends[1])


def _place(i: int, j: int, rows: Any, columns: Any, names: Mapping[int, list[int]]) -> tuple[str, int, int]:
    """Where a matrix between two labels belongs; a label tied to a column may stand on either side."""
    both = [(a, b) for a in (i, *names.get(i, ())) for b in (j, *names.get(j, ()))]
    for kind, x, y in (("rows", rows, rows), ("columns", columns, columns)):
        for a, b in both:
            if a in x and b in y:
                return kind, a, b
    straight = list(zip(rows, columns))
    found = next((p for p in both if p in straight or p[::-1] in straight), both[0])
    return ("straight" if found in straight or found[::-1] in straight else "crossed"), *found


def _side(edges: list[tuple[Mat, int, int]], labels: Any, order: Order) -> Mat | None:
    """vec of what depends on the labels of one side alone, its axes in the order of the result's."""
    if not edges:
        return None
    if len(edges) > 1:
        raise NoMatrixForm("two matrices share a pair of its indices")
    ((m, i, _),) = edges
    first = labels[0] if order == "row" else labels[1]
    return mat.vec(m if i == first else mat.transpose(m), order)


def _slot(board: Board, row: Any, column: Any, edges: list[tuple[Mat, int, int]], tied: Mapping[int, int]) -> Mat:
    """The block for one pair of labels: diag(u) A diag(v), diag(u) where a delta ties them, or u vᵀ."""
    if row is None or column is None:
        only = row if column is None else column
        m = ONE if only is None else board.column(only)
        return mat.transpose(m) if row is None else m
    edge = next((e for e in edges if {row, column} == set(e[1:])), None)
    if edge is None and tied.get(column) == row:
        return mat.diag(board.column(row))
    if edge is None:
        return mat.multiply(board.column(row), mat.transpose(board.column(column)))
    m = edge[0] if edge[1] == row else mat.transpose(edge[0])
    ends = [mat.diag(board.column(row)), mat.diag(board.column(column))]
    return mat.multiply(ends[0], m, ends[1])


def _flat(board: Board, side: Mat | None, labels: Any) -> Mat:
    """One side of a product of two: diag(u ⊗ v) vec(A), or u ⊗ v."""
    around = mat.kron(*[board.column(j) for j in labels if j is not None])
    return around if side is None else mat.hadamard(side, around)


# ---------------------------------------------------------------- whole networks


def read_network(
    network: Network,
    names: Mapping[Expr, str] | None = None,
    properties: Mapping[Any, Iterable[str]] | None = None,
    *,
    order: Order = "row",
    rows: int | None = None,
) -> Mat | None:
    """A sum of tensor networks in matrix notation, or in index notation with the reason; None where it has positions
    that are picked one by one, which neither can write.

    The first `rows` axes (half of them) are the row of the result. Four axes are two pairs, flattened by `order`.
    """
    if any(getattr(term, "picks", ()) for term in network.terms):
        return None
    known = Reader(dict(names or {}), dict(properties or {}))
    factors = {f.node: known.mat_of(f.node) for term in network.terms for f in term.factors}
    try:
        read = [_term(term, network, factors, order, rows) for term in network.terms]
    except NoMatrixForm as why:
        return _in_indices(network, factors, str(why))
    if not read:
        return mat.zeros(_result_shape(network, rows))
    return collect(mat.add(*read))


def _term(term: Term, network: Network, factors: Mapping[Expr, Mat], order: Order, rows: int | None) -> Mat:
    pieces = [(factors[f.node], f.indices) for f in term.factors]
    found = contracted(pieces, network.out, network.sizes, term.deltas, order, rows)
    return mat.scale(term.coefficient, found)


def _result_shape(network: Network, rows: int | None) -> tuple[Size, Size]:
    split = (len(network.out) + 1) // 2 if rows is None else rows
    found: list[Size] = []
    for labels in (network.out[:split], network.out[split:]):
        size: Size = 1
        for j in labels:
            size = size * network.sizes[j]
        found.append(size)
    return found[0], found[1]


def _in_indices(network: Network, factors: Mapping[Expr, Mat], why: str) -> Mat:
    terms = [
        (
            Indices(t.coefficient, tuple(f.indices for f in t.factors), tuple(t.deltas)),
            [factors[f.node] for f in t.factors],
        )
        for t in network.terms
    ]
    return mat.indexed(network.out, terms, network.sizes, why)


# ---------------------------------------------------------------- graphs


def read(
    expr: Expr,
    names: Mapping[Expr, str] | None = None,
    properties: Mapping[Any, Iterable[str]] | None = None,
) -> Mat:
    """A graph in matrix notation. Nodes in `names` are symbols; `properties` are those of symbols, by name or node.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, Dim, symbol
    >>> m, n = Dim.named("m"), Dim.named("n")
    >>> X, w = symbol("X", (m, n)), symbol("w", (n,))
    >>> z = TABLE["einsum"](X, w, params=("ij,j->i",))
    >>> read(TABLE["einsum"](X, TABLE["sigmoid"](z), params=("ij,i->j",)))
    <Mat Xᵀ σ(Xw)>
    """
    return Reader(dict(names or {}), dict(properties or {})).read(expr)


@dataclass
class Reader:
    """What is known of the inputs, and the nodes that were read already."""

    names: dict[Expr, str]
    properties: dict[Any, Iterable[str]]
    done: dict[Expr, Mat] = field(default_factory=dict)
    holders: dict[str, Expr] = field(default_factory=dict)

    def mat_of(self, expr: Expr) -> Mat:
        for node in toposort([expr], stop=lambda n: n in self.done or n in self.names):
            if node not in self.done:
                self.done[node] = self._leaf(node) or self._read(node)
        return self.done[expr]

    def read(self, expr: Expr) -> Mat:
        return collect(self.mat_of(expr))

    def _leaf(self, node: Expr) -> Mat | None:
        name = self.names.get(node) or (str(node.name) if node.op is INPUT else None)
        if name is not None:
            held = frozenset(self.properties.get(name, ())) | frozenset(self.properties.get(node, ()))
            name = self._own(name, node)
            return mat.symbol(name, node.shape, held) if len(node.shape) < 3 else mat.tensor(node, name)
        if node.op is CONST:
            plain = node.shape == () and not hasattr(node.value, "shape") and math.isfinite(node.value)
            return mat.number(node.value) if plain else mat.tensor(node)
        return None

    def _own(self, name: str, node: Expr) -> str:
        """A second input of the same name is another symbol: x, x_2, x_3."""
        tries = (name, *[f"{name}_{count}" for count in range(2, len(self.holders) + 3)])
        free = next(t for t in tries if self.holders.setdefault(t, node) is node)
        return free

    def _read(self, node: Expr) -> Mat:
        reader = READERS.get(node.op.name) or (_entrywise if node.op.kind == "elementwise" else None)
        large = any(len(a.shape) > 2 for a in (node, *node.args))
        if reader is None or (large and reader not in (_einsum, _reshape)):
            return mat.tensor(node)
        args = [self.done[a] for a in node.args]
        try:
            found = reader(node, *args)
        except (NoMatrixForm, ShapeError):
            return mat.tensor(node)
        return mat.tensor(node) if found is None else found


def _spread(m: Mat, have: Sequence[Size], want: Sequence[Size]) -> Mat:
    """An operand under NumPy's broadcasting, as a matrix of the wanted shape."""
    rows, columns = mat.two_axes(want)
    if m.shape == (rows, columns):
        return m
    if len(have) < 2 and len(want) == 2 and have and have[0] != 1:
        m = mat.transpose(m)
    if m.is_number:
        return mat.multiply(m, mat.ones(rows, columns))
    if m.shape == (rows, columns):
        return m
    if m.columns == 1:
        return mat.multiply(m, mat.transpose(mat.ones(columns)))
    return mat.multiply(mat.ones(rows), m)


def _alike(node: Expr, args: Sequence[Mat], numbers: bool = True) -> list[Mat]:
    """The operands in the shape of the node; numbers stay numbers."""
    return [a if numbers and a.is_number else _spread(a, x.shape, node.shape) for a, x in zip(args, node.args)]


def _entrywise(node: Expr, *args: Mat) -> Mat:
    return mat.mapped(node.op.name, *_alike(node, args))


def _sum(signs: tuple[int, int]) -> Callable[..., Mat]:
    return lambda node, *args: mat.combine(list(zip(signs, _alike(node, args, numbers=False))))


def _product(node: Expr, a: Mat, b: Mat) -> Mat:
    """A product entry by entry; a vector that is spread over a matrix scales its rows or columns."""
    for x, other, y in ((a, node.args[0], b), (b, node.args[1], a)):
        if not x.is_number and y.shape == mat.two_axes(node.shape) != x.shape and 1 not in y.shape:
            row = len(other.shape) == 1 or x.is_row
            return mat.multiply(y, mat.diag(_column(x))) if row else mat.multiply(mat.diag(x), y)
        if (
            x.is_vector
            and other.shape[1:] == (1,)
            and not y.is_number
            and mat.two_axes(node.shape) not in (x.shape, y.shape)
        ):
            return mat.multiply(x, y if y.is_row else mat.transpose(y))
    found = mat.hadamard(*_alike(node, (a, b)))
    return _spread(found, (), node.shape) if found.is_number else found


def _column(x: Mat) -> Mat:
    return mat.transpose(x) if x.is_row else x


def _quotient(node: Expr, a: Mat, b: Mat) -> Mat:
    return _product(node, a, mat.power(b, -1))


def _power(node: Expr, a: Mat, b: Mat) -> Mat:
    if b.op == "number":
        return _spread(mat.power(a, b.data[0]), node.args[0].shape, node.shape)
    return _entrywise(node, a, b)


def _broadcast(node: Expr, a: Mat) -> Mat:
    shape, axes = node.params
    if not axes or a.is_number:
        return mat.multiply(a, mat.ones(*mat.two_axes(shape)))
    return _spread(a, node.args[0].shape if axes[-1] == len(shape) - 1 else (*node.args[0].shape, 1), shape)


def _reshape(node: Expr, a: Mat) -> Mat | None:
    """Axes of size 1 come and go; a matrix may be flattened row by row; aᵢⱼ bₖₗ may be a ⊗ b."""
    if len(node.args[0].shape) > 2 or len(node.shape) > 2:
        return _kron(node, a)
    old = [n for n in node.args[0].shape if n != 1]
    new = [n for n in node.shape if n != 1]
    if old == new:
        want = mat.two_axes(node.shape)
        return a if a.shape == want else mat.transpose(a)
    return mat.vec(a, "row") if len(node.shape) == 1 and len(old) == 2 else None


def _kron(node: Expr, a: Mat) -> Mat | None:
    """A matrix whose rows are those of several matrices, run together, and its columns theirs."""
    if a.op != "indexed" or len(a.data[1]) != 1 or len(node.shape) != 2:
        return None
    ((term, factors),) = mat.index_terms(a)
    pairs = [labels for labels in term.labels if len(labels) == 2]
    out = tuple([labels[k] for k in (0, 1) for labels in pairs])
    if len(pairs) < len(factors) or term.deltas or out != a.data[0] or len(set(out)) < len(out):
        return None
    found = mat.scale(term.coefficient, mat.kron(*factors))
    return found if found.shape == node.shape else None


def _einsum(node: Expr, *args: Mat) -> Mat:
    operands, out = parts(node.params[0])
    letters = dict.fromkeys("".join(operands) + out)
    label = {c: k for k, c in enumerate(letters)}
    groups = [tuple(label[c] for c in group) for group in operands]
    sizes = {label[c]: n for group, x in zip(operands, node.args) for c, n in zip(group, x.shape)}
    result = tuple(label[c] for c in out)
    try:
        if len(result) > 2:
            raise NoMatrixForm(f"the result has {len(result)} axes")
        return contracted(zip(args, groups), result, sizes)
    except NoMatrixForm as why:
        return mat.indexed(result, [(Indices(1, tuple(groups)), args)], sizes, str(why))


def _where(node: Expr, condition: Mat, a: Mat, b: Mat) -> Mat:
    """where(‖x‖ = 0, 0, x/where(‖x‖ = 0, 1, ‖x‖)) guards x/‖x‖ against 0/0, and is it everywhere else."""
    guard = node.args[0]
    safe = node.args[2]
    if guard.op.name == "eq" and b.op != "tensor" and a.op in ("number", "zeros") and safe.op.name == "div":
        below = safe.args[1]
        if below.op.name == "where" and below.args[0] is guard and below.args[2] is guard.args[0]:
            return mat.replaced(b, {m: m.args[2] for m in mat.parts_first(b) if _is_guard(m)})
    return _entrywise(node, condition, a, b)


def _is_guard(m: Mat) -> bool:
    return m.op == "map" and m.data[0] == "where" and m.args[1] is ONE and m.args[2].is_number


def _along(node: Expr, a: Mat) -> Mat | None:
    """A composite along one axis: of a whole vector, or along the rows of a matrix (of its transpose for axis 0)."""
    axis = node.params[0] if isinstance(node.params[0], int) else node.params[0][0]
    if not isinstance(node.params[0], int) and len(node.params[0]) > 1:
        return None
    matrix = len(node.args[0].shape) == 2
    turned = matrix and axis == 0
    inner = mat.transpose(a) if turned else a
    if matrix and inner.columns == 1:  # a column is read as a vector
        return None
    keeps = node.shape == node.args[0].shape
    shape = inner.shape if keeps else ((inner.rows, 1) if matrix else mat.SCALAR)
    found = mat.called(node.op.name, inner, shape)
    if keeps or (turned and len(node.shape) == 2):
        return mat.transpose(found) if turned else found
    return found


def _mean(node: Expr, a: Mat) -> Mat | None:
    axes = node.params[0]
    count: Size = 1
    for k in axes:
        count = count * node.args[0].shape[k]
    return mat.divide(_summed(node, a), mat.extent(count))


def _summed(node: Expr, a: Mat) -> Mat:
    """The sum over the axes of a reduction."""
    axes, matrix = node.params[0], len(node.args[0].shape) == 2
    if not matrix or len(axes) == 2:
        return mat.total(a)
    if axes == (1,):
        return mat.multiply(a, mat.ones(a.columns))
    found = mat.multiply(mat.transpose(a), mat.ones(a.rows))
    return mat.transpose(found) if len(node.shape) == 2 else found


def _norm(node: Expr, a: Mat) -> Mat:
    axes = node.params[0]
    if len(axes) == len(node.args[0].shape):
        return mat.norm(a)
    return mat.mapped("sqrt", _summed(node, mat.power(a, 2)))


def _mse(node: Expr, a: Mat, b: Mat) -> Mat:
    shape = broadcast_shapes(node.args[0].shape, node.args[1].shape)
    both = [_spread(m, x.shape, shape) for m, x in zip((a, b), node.args)]
    count: Size = 1
    for n in shape:
        count = count * n
    return mat.divide(mat.total(mat.power(mat.subtract(*both), 2)), mat.extent(count))


def _linear(node: Expr, x: Mat, w: Mat, *b: Mat) -> Mat:
    flat = len(node.args[0].shape) == 1
    y = mat.multiply(w, x) if flat else mat.multiply(x, mat.transpose(w))
    return mat.add(y, _spread(b[0], node.args[2].shape, node.shape)) if b else y


def _cross_entropy(node: Expr, z: Mat, q: Mat) -> Mat:
    """−Σ q ⊙ log softmax(z), for one vector of logits or for each row."""
    log_s = mat.called("log_softmax", z, z.shape)
    each = mat.hadamard(q, log_s)
    whole = mat.total(each) if len(node.args[0].shape) == 1 else mat.multiply(each, mat.ones(each.columns))
    return mat.scale(-1, whole)


def _solve(node: Expr, a: Mat, b: Mat) -> Mat:
    return mat.multiply(mat.invert(a), b)


READERS: dict[str, Callable[..., Mat | None]] = {
    "add": _sum((1, 1)),
    "sub": _sum((1, -1)),
    "neg": lambda node, a: mat.scale(-1, a),
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "square": lambda node, a: mat.power(a, 2),
    "where": _where,
    "einsum": _einsum,
    "broadcast": _broadcast,
    "reshape": _reshape,
    "identity": lambda node: mat.identity(node.params[0]),
    "extent": lambda node: mat.extent(node.params[0]),
    "inv": lambda node, a: mat.invert(a),
    "det": lambda node, a: mat.det(a),
    "logdet": lambda node, a: mat.logdet(a),
    "trace": lambda node, a: mat.trace(a),
    "solve": _solve,
    "nuclear_norm": lambda node, a: mat.norm(a, "*"),
    "norm": _norm,
    "mean": _mean,
    "mse": _mse,
    "linear": _linear,
    "cross_entropy": _cross_entropy,
    **{name: _along for name in CALLS if name not in ("cross_entropy", "cumsum")},
}
