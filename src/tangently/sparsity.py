"""Sparsity: where a Jacobian or Hessian may be other than zero, read off the graph without a number of the input.

Every node that depends on the seed carries a matrix of truth values: entry (i, k) says that entry i of the node may
vary with entry k of the seed (both counted row by row). One pass over the topological order carries these along. An
entry is never missed; one too many costs time, not truth (Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008,
chapter 7; Hill & Dalle, Sparser, better, faster, stronger, 2025, arXiv:2501.17737).

- an elementwise row joins the rows of its operands, save where a partial is 0: a row of the table that says so, or a
  factor that is a constant with exact zeros (a mask);
- an einsum joins over the indices that are summed, and keeps only places where constant operands and deltas are not 0;
- a layout row that only moves entries says itself where they come from: it is applied to an array of positions (its
  transpose is, where entries are put back and added). Positions that hang on values may be any along their axes;
- a composite is its body; any other row is as sparse as its tangent, and full where it has none.

The Hessian's pattern is that of the gradient's graph, where it agrees with its transpose: both contain the Hessian,
which is symmetric. With a pattern, a star coloring and a few products H·v give all entries (`colored_hessian`).

Where a pattern is about to fill up, `Dense` is raised before memory is taken: there is nothing to gain then.

Glossary: M the pattern at a node, src for each entry of a result the position that it comes from (-1: none), dst the
position that each entry goes to, z an array of positions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.differentiation import pullback
from tangently.errors import UnsupportedError
from tangently.expr import CONST, INPUT, TABLE, Expr, Primitive, const, evaluate, is_concrete, make, symbol, toposort
from tangently.primitives.kinds import need_numbers, shape_of
from tangently.primitives.layout import _spelled_out
from tangently.primitives.tensor import parts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from tangently.structured import Coloring, Pattern

Sizes = tuple[int, ...]
Matrix = Any  # a scipy.sparse.csr_array of truth values, sorted
ENTRIES = 10_000_000  # a pattern with more entries than this must be sparser than FILL
FILL = 0.05
LIMIT = 50_000_000  # and none may have more than this
KNOWN = 1 << 22  # a constant part of the graph is computed where no array in it is larger
DEPTH = 16  # factors of a product that are looked at for exact zeros
PAIRS = 5_000_000  # places of two operands that are matched one by one; above it the zeros of constants are not used
PROBE = 2048  # the longest axis whose linear map is found from its value at the unit vectors


class Dense(Exception):
    """The pattern fills up: a dense derivative is the better way. The message says where, and how full."""


@dataclass
class State:
    """The patterns so far, the number of columns, and what is known about parts of the graph that do not vary."""

    columns: int
    found: dict[Expr, Matrix]
    whole: bool = False  # the seed is an array of whole numbers: then values of that kind may vary with it
    weights: dict[Expr, float] = field(default_factory=dict)
    values: dict[Expr, np.ndarray] = field(default_factory=dict)
    supports: dict[Expr, np.ndarray | None] = field(default_factory=dict)
    within: frozenset[Primitive] = frozenset()  # the rows whose tangents are being looked into


# ---------------------------------------------------------------- the walk


def pattern(output: Expr, seed: Expr) -> csr_array:
    """Where ∂output/∂seed may be other than zero: truth values, of shape (size of output, size of seed).

    Raises Dense where that is no sparse matrix.

    >>> from tangently.expr import symbol
    >>> x = symbol("x", (4,))
    >>> late, early = (TABLE["index"](x, params=((("s", *ends, None),),)) for ends in ((1, None), (None, -1)))
    >>> pattern(late - early**2, x).toarray().astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    """
    s = State(size(seed), {seed: _identity(size(seed))}, whole=seed.dtype not in "efdgw")
    order = toposort([output], stop=lambda n: n is seed)
    _walk(s, order, output)
    return s.found[output].copy() if output in s.found else _empty(size(output), size(seed))


def hessian_pattern(y: Expr, x: Expr) -> csr_array:
    """Where ∂²y/∂x² may be other than zero, for a number y: a symmetric matrix of truth values.

    >>> from tangently.expr import symbol
    >>> x = symbol("x", (3,))
    >>> late, early = (TABLE["index"](x, params=((("s", *ends, None),),)) for ends in ((1, None), (None, -1)))
    >>> hessian_pattern(TABLE["einsum"](late, early, params=("i,i->",)), x).toarray().astype(int)
    array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]])
    """
    one_way = pattern(pullback([y], [const(1.0)], [x])[0], x)
    return _sorted(one_way.multiply(one_way.T.tocsr()))


def size(node: Expr) -> int:
    if not is_concrete(node.shape):
        need_numbers(node.shape, "the sparsity pattern of the derivative")
    return math.prod(node.shape)  # pyright: ignore[reportReturnType, reportArgumentType]


def sizes(node: Any) -> Sizes:
    """The shape, all of whose sizes are numbers here."""
    return tuple([int(n) for n in shape_of(node)])


def _walk(s: State, order: Sequence[Expr], output: Expr) -> None:
    """The patterns of the nodes of an order; one that no later node needs is let go."""
    uses: dict[Expr, int] = {output: 1}
    for node in order:
        for a in node.args:
            uses[a] = uses.get(a, 0) + 1
    own = {node for node in order if node not in s.found}
    for node in order:
        if node not in own:
            continue
        if any(a in s.found for a in node.args) and (s.whole or not _is_step(node)):
            _check(size(node), (size(node), s.columns), node)
            rows = _joined([m for m in _rows(s, node) if m.nnz])
            if rows is not None:
                s.found[node] = rows
        for a in node.args:
            uses[a] -= 1
            if uses[a] == 0 and a in own:
                s.found.pop(a, None)


def _is_step(node: Expr) -> bool:
    """Is its value a truth value or a whole number? Then it is constant wherever a derivative exists."""
    return node.dtype == "?" or (node.dtype not in "wn" and np.dtype(node.dtype).kind in "biu")


def _rows(s: State, node: Expr) -> Iterable[Matrix]:
    """Patterns whose union is that of the node."""
    if node.op.body is not None:
        return _by_body(s, node)
    return BY_KIND.get(node.op.kind, _by_tangent)(s, node)


def _varying(s: State, node: Expr) -> list[int]:
    return [i for i, a in enumerate(node.args) if a in s.found]


def _by_body(s: State, node: Expr) -> list[Matrix]:
    assert node.op.body is not None
    inside = node.op.body(node.params, *node.args)
    if inside in s.found:
        return [s.found[inside]]
    ends = set(node.args)
    _walk(s, toposort([inside], stop=lambda n: n in ends or n in s.found), inside)
    return [s.found.pop(inside)] if inside in s.found else []


def _by_tangent(s: State, node: Expr) -> list[Matrix]:
    """A row of no known kind: the tangent is linear in the operands' tangents, and has the same pattern in them."""
    if node.op.jvp is None or node.op in s.within:
        return [_everything(s, node)]
    ts = {a: symbol("t", a.shape) for a in node.args if a in s.found}
    try:
        moved = node.op.jvp(node.params, node, node.args, [ts.get(a) for a in node.args])
    except UnsupportedError:
        return [_everything(s, node)]
    if moved is None:
        return []
    if moved is _again(node, ts):
        return _layout(s, node)
    inner = replace(s, found={t: s.found[a] for a, t in ts.items()}, within=s.within | {node.op})
    ends = {node, *node.args, *ts.values()}
    _walk(inner, toposort([moved], stop=ends.__contains__), moved)
    return [inner.found[moved]] if moved in inner.found else []


def _again(node: Expr, ts: Mapping[Expr, Expr]) -> Expr:
    """The row applied to the tangents: what the tangent of a linear row is."""
    return make(node.op, tuple([ts.get(a, a) for a in node.args]), node.params, node.shape, node.dtype)


def _everything(s: State, node: Expr) -> Matrix:
    """Every entry may vary with whatever any entry of any operand varies with."""
    each = [_gathered_union(s.found[node.args[i]]) for i in _varying(s, node)]
    row = _joined(each)
    assert row is not None
    return _gathered(row, np.zeros(size(node), np.intp), node)


# ---------------------------------------------------------------- matrices of truth values


def _csr(starts: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Matrix:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(columns), bool), columns, starts), shape=shape)


def _identity(n: int) -> Matrix:
    return _csr(np.arange(n + 1, dtype=np.int32), np.arange(n, dtype=np.int32), (n, n))


def _empty(m: int, n: int) -> Matrix:
    return _csr(np.zeros(m + 1, np.int32), np.zeros(0, np.int32), (m, n))


def _sorted(M: Any) -> Matrix:
    from scipy.sparse import csr_array

    M = M if isinstance(M, csr_array) else csr_array(M)
    M.sum_duplicates()
    return M


def _joined(patterns: Sequence[Matrix]) -> Matrix | None:
    """The union."""
    total: Matrix | None = None
    for M in {id(m): m for m in patterns}.values():
        if total is not None:
            _check(total.nnz + M.nnz, M.shape, "a sum")
        total = M if total is None else _sorted(total + M)
    return total


def _check(count: int, shape: tuple[int, int], where: Any) -> None:
    full = shape[0] * shape[1]
    if count > LIMIT or (count > ENTRIES and count > FILL * full):
        name = where.op.name if isinstance(where, Expr) else where
        raise Dense(f"the pattern at {name} has up to {count:,} of {full:,} entries")


def _gathered(M: Matrix, src: np.ndarray, where: Any) -> Matrix:
    """The rows `src` of M; -1 is a row of nothing."""
    if len(src) == M.shape[0] and np.array_equal(src, np.arange(len(src))):
        return M
    none = src < 0
    starts = M.indptr[src]
    lengths = np.where(none, 0, M.indptr[src + 1] - starts).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    _check(int(ends[-1]), (len(src), M.shape[1]), where)
    kind = np.int32 if ends[-1] < 2**31 else np.int64
    at = np.arange(ends[-1], dtype=kind) + np.repeat((starts - ends[:-1]).astype(kind), lengths)
    return _csr(ends.astype(kind), M.indices[at], (len(src), M.shape[1]))


def _gathered_union(M: Matrix) -> Matrix:
    """The union of all rows, as one row."""
    columns = np.unique(M.indices)
    return _csr(np.array([0, len(columns)], M.indptr.dtype), columns, (1, M.shape[1]))


def _added(M: Matrix, dst: np.ndarray, src: np.ndarray, count: int, where: Any) -> Matrix:
    """`count` rows: row dst[k] contains row src[k] of M, for every k."""
    if count == 1:
        return _gathered_union(M if len(np.unique(src)) == M.shape[0] else _gathered(M, np.unique(src), where))
    inverse = np.full(count, -1, np.intp)
    inverse[dst] = np.arange(len(dst))
    if np.array_equal(inverse[dst], np.arange(len(dst))):  # each goes to a place of its own
        return _gathered(M, np.append(src, -1)[inverse], where)
    from scipy.sparse import coo_array

    selection = coo_array((np.ones(len(dst), bool), (dst, src)), shape=(count, M.shape[0])).tocsr()
    return _product(_sorted(selection), M, where)


def _product(S: Matrix, M: Matrix, where: Any) -> Matrix:
    """S·M in truth values, by blocks of rows none of which takes more memory than the budget."""
    from scipy.sparse import vstack

    bound = np.concatenate([[0], np.cumsum(np.diff(M.indptr).astype(np.int64)[S.indices])])[S.indptr]
    if bound[-1] <= ENTRIES:
        return _sorted(S @ M)
    cuts = np.unique(np.searchsorted(bound, np.arange(0, bound[-1], ENTRIES), "right") - 1).tolist()
    blocks: list[Any] = []
    for a, b in zip(cuts, [*cuts[1:], S.shape[0]]):
        blocks.append(_sorted(S[a:b] @ M))
        _check(sum(block.nnz for block in blocks), (S.shape[0], M.shape[1]), where)
    return _sorted(vstack(blocks, format="csr"))


# ---------------------------------------------------------------- what is known of constants


def _known(s: State, node: Any) -> np.ndarray | None:
    """The value of a part of the graph without inputs, where it is not too large to be formed."""
    if type(node) is not Expr:
        return np.asarray(node)
    if node not in s.values:
        for n in toposort([node], stop=s.weights.__contains__):
            if n not in s.weights:
                own = math.inf if n.op is INPUT or not is_concrete(n.shape) else size(n)
                s.weights[n] = max([own, *[s.weights[a] for a in n.args]])
        if s.weights[node] > KNOWN:
            return None
        with np.errstate(all="ignore"):
            s.values[node] = np.asarray(node.value if node.op is CONST else evaluate([node], {})[0])
    return s.values[node]


def _support(s: State, node: Any, depth: int = 0) -> np.ndarray | None:
    """Where a factor may be other than zero, whatever the inputs are; None: everywhere. It broadcasts to the node."""
    value = _known(s, node)
    if value is not None:
        found = value != 0
        return None if found.all() else found
    if node not in s.supports:
        s.supports[node] = _factors_support(s, node, depth) if depth < DEPTH else None
    return s.supports[node]


def _factors_support(s: State, node: Expr, depth: int) -> np.ndarray | None:
    """A product is zero where a factor is; entries that are moved are zero where they were, and where none came."""
    if node.op.kind == "layout":
        return _moved_support(s, node, depth)
    if node.op not in (TABLE["mul"], TABLE["neg"]):
        return None
    each = [f for f in [_support(s, a, depth + 1) for a in node.args] if f is not None]
    return functools.reduce(np.logical_and, each) if each else None


def _moved_support(s: State, node: Expr, depth: int) -> np.ndarray | None:
    if any(size(n) > KNOWN for n in (node, *node.args)):
        return None
    operands = []
    for a in node.args:
        other = _placeholder(s, a)
        if other is None:
            return None
        if _is_real(a):
            found = _support(s, a, depth + 1)
            other = np.broadcast_to(1.0 if found is None else found.astype(float), sizes(a))
        operands.append(other)
    moved = np.asarray(node.op.evaluate(node.params, *operands)) != 0
    return None if moved.all() else moved


# ---------------------------------------------------------------- kinds of rows


def _elementwise(s: State, node: Expr) -> list[Matrix]:
    shape, found = sizes(node), {}
    for i in _varying(s, node):
        partial = node.op.partials[i]
        d = None if partial is None else partial(node, *node.args)
        if d is None:
            continue
        mask, operand = _support(s, d), node.args[i]
        key = (operand, None if mask is None else mask.tobytes())
        if key not in found and (mask is None or mask.any()):
            found[key] = _masked(s.found[operand], sizes(operand), shape, mask, node)
    return list(found.values())


def _masked(M: Matrix, have: Sizes, want: Sizes, mask: np.ndarray | None, node: Expr) -> Matrix:
    """The rows of an operand broadcast to the node, but only where the mask holds."""
    if have == want and mask is None:
        return M
    src = np.broadcast_to(np.arange(M.shape[0]).reshape(have), want)
    return _gathered(M, (src if mask is None else np.where(mask, src, -1)).reshape(-1), node)


def _multilinear(s: State, node: Expr) -> list[Matrix]:
    operands, out = parts(node.params[0])
    found = []
    for i in _varying(s, node):
        others = [(labels, a) for k, (labels, a) in enumerate(zip(operands, node.args)) if k != i]
        found += _wired(s, node, i, operands[i], out, others)
    return found


def _wired(
    s: State, node: Expr, i: int, have: Sequence[Any], want: Sequence[Any], others: Sequence[tuple[Sequence[Any], Expr]]
) -> list[Matrix]:
    """The pattern where indices are labels: those of operand i, those of the node, and those of its fellow operands."""
    grid = _grid(have, sizes(node.args[i]))
    grid = _restricted(s, grid, others)
    if grid is None:
        return []
    shape = dict(zip(want, sizes(node)))
    kept = [c for c in want if c in grid.labels]
    small = tuple([shape[c] for c in kept])
    rows = (
        np.ravel_multi_index([grid.labels[c] for c in kept], small) if kept else np.zeros(len(grid.position), np.intp)
    )
    M = _added(s.found[node.args[i]], rows, grid.position, math.prod(small), node)
    return [_spread(M, [n if c in kept else 1 for c, n in shape.items()], sizes(node), node)]


def _spread(M: Matrix, have: Sequence[int], want: Sizes, node: Expr) -> Matrix:
    """The rows of an array of shape `have`, some of whose sizes are 1, broadcast to the shape `want`."""
    return _gathered(M, np.broadcast_to(np.arange(M.shape[0]).reshape(have), want).reshape(-1), node)


@dataclass(frozen=True)
class Grid:
    """Places in an operand: for each its position, and the index that every label has there."""

    position: np.ndarray
    labels: Mapping[Any, np.ndarray]

    def taken(self, at: np.ndarray, more: Mapping[Any, np.ndarray] | None = None) -> Grid:
        return Grid(self.position[at], {**{c: k[at] for c, k in self.labels.items()}, **(more or {})})


def _grid(labels: Sequence[Any], shape: Sizes) -> Grid:
    """All places of an array; where a label repeats, those on the diagonal."""
    indices = [k.reshape(-1) for k in np.indices(shape)] if shape else []
    grid = Grid(np.arange(math.prod(shape)), dict(zip(labels, indices)))
    off = [c for c in set(labels) if list(labels).count(c) > 1]
    if not off:
        return grid
    same = [indices[k] == grid.labels[c] for k, c in enumerate(labels)]
    return grid.taken(np.flatnonzero(np.logical_and.reduce(same)))


def _restricted(s: State, grid: Grid, others: Sequence[tuple[Sequence[Any], Expr]]) -> Grid | None:
    """The places at which no other operand is known to be zero (None: there are none), joined label by label."""
    known = [(labels, places) for labels, a in others if (places := _nonzeros(s, a)) is not None]
    if any(len(places[0]) == 0 for _, places in known):
        return None
    left = known
    while left:
        at = next((k for k, (labels, _) in enumerate(left) if set(labels) & set(grid.labels)), None)
        if at is None:
            return grid
        labels, places = left[at]
        grid = _met(grid, labels, places)
        left = [*left[:at], *left[at + 1 :]]
    return grid


def _nonzeros(s: State, node: Expr) -> tuple[np.ndarray, ...] | None:
    """The places of an operand that may be other than zero, where they are fewer than all."""
    if node.op is TABLE["identity"]:
        return (np.arange(sizes(node)[0]),) * 2
    found = _support(s, node)
    return None if found is None or not node.shape else np.nonzero(np.broadcast_to(found, sizes(node)))


def _met(grid: Grid, labels: Sequence[Any], places: tuple[np.ndarray, ...]) -> Grid:
    """Every place of the grid with every place of an operand that agrees in the labels of both (a join)."""
    own = dict(zip(labels, places))
    alike = functools.reduce(np.logical_and, [own[c] == k for c, k in zip(labels, places)])
    own = {c: k[alike] for c, k in own.items()}
    shared = [c for c in own if c in grid.labels]
    shape = [int(max(own[c].max(initial=0), grid.labels[c].max(initial=0))) + 1 for c in shared]
    mine, theirs = (np.ravel_multi_index([t[c] for c in shared], shape) for t in (grid.labels, own))
    order = np.argsort(theirs, kind="stable")
    first, last = (np.searchsorted(theirs[order], mine, side) for side in ("left", "right"))
    counts = last - first
    total = int(counts.sum())
    if total > PAIRS:
        return grid  # too many to list: as if the operand had no zeros
    at = np.repeat(np.arange(len(mine)), counts)
    run = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return grid.taken(at, {c: k[order][run] for c, k in own.items() if c not in grid.labels})


# ---------------------------------------------------------------- rows that move entries


def _layout(s: State, node: Expr) -> list[Matrix]:
    found = []
    for i in _varying(s, node):
        wires = None if node.op.wired is None else node.op.wired(node.params, node, i)
        if wires is not None and not wires.picks:
            found += _wired(s, node, i, wires.operand, wires.out, ())
        else:
            found += [_moved(s, node, i)]
    return found


def _moved(s: State, node: Expr, i: int) -> Matrix:
    """By what the row does to positions: forward, backward, blurred where they hang on values, or axis by axis."""
    M, shape, out = s.found[node.args[i]], sizes(node.args[i]), sizes(node)
    others = [_placeholder(s, a) for a in node.args]
    if any(other is None and k != i for k, other in enumerate(others)):
        return _blurred(s, node, i, others)
    src = _sources(_forward(node, i, others), shape)
    if src is not None:
        return _gathered(M, src, node)
    dst = _sources(_backward(node, i, others, out), out)
    if dst is not None:
        put = np.flatnonzero(dst >= 0)
        return _added(M, dst[put], put, math.prod(out), node)
    return _along(s, node, i)


def _placeholder(s: State, a: Expr) -> np.ndarray | None:
    """What stands for another operand: zeros for numbers, the value itself for positions (None: not known)."""
    return np.zeros(sizes(a)) if _is_real(a) else _known(s, a)


def _is_real(a: Expr) -> bool:
    return a.dtype == "w" or (a.dtype != "n" and np.dtype(a.dtype).kind == "f")


Map = Callable[[np.ndarray], Any]


def _forward(node: Expr, i: int, others: Sequence[Any]) -> Map:
    return lambda z: node.op.evaluate(node.params, *[z if k == i else other for k, other in enumerate(others)])


def _backward(node: Expr, i: int, others: Sequence[Any], out: Sizes) -> Map | None:
    """The transposed row."""
    pull, y = node.op.vjp, np.zeros(out)
    operands = [np.zeros(sizes(node.args[k])) if other is None else other for k, other in enumerate(others)]
    return None if pull is None else lambda g: pull(node.params, y, operands, g, i)


def _sources(f: Map | None, shape: Sizes) -> np.ndarray | None:
    """Where each entry of f(z) comes from, if f only moves entries: seen on positions, checked on numbers."""
    if f is None:
        return None
    count = math.prod(shape)
    at_rest = f(np.zeros(shape))
    if at_rest is None:
        return None
    ask = lambda z: np.asarray(f(z.reshape(shape)) - at_rest, float).reshape(-1)
    src = ask(np.arange(1.0, count + 1)) - 1
    numbers = np.append(np.random.default_rng(count).uniform(1, 2, count), 0.0)
    if not ((src >= -1) & (src < count) & (src == np.rint(src))).all():
        return None
    src = src.astype(np.intp)
    return src if np.array_equal(ask(numbers[:-1]), numbers[src]) else None


def _blurred(s: State, node: Expr, i: int, others: Sequence[Any]) -> Matrix:
    """Positions that hang on values may be any: the axes that they run along are merged into one place.

    A row that picks (index, gather) has these axes in its operand, one that puts back (scatter) in its result.
    """
    if node.op.name not in ALONG or any(a.dtype == "?" for a in node.args):
        return _everything(s, node)
    zeros = [np.zeros(sizes(a), int) if other is None else other for a, other in zip(node.args, others)]
    anywhere = _put_anywhere if node.op.name in PUTS else _picked_anywhere
    return anywhere(s, node, i, ALONG[node.op.name](node), zeros)


def _picked_anywhere(s: State, node: Expr, i: int, axes: Sequence[int], zeros: Sequence[Any]) -> Matrix:
    shape = sizes(node.args[i])
    M, small = _merged(s.found[node.args[i]], shape, axes, node)
    src = _sources(_forward(node, i, zeros), small)
    return _everything(s, node) if src is None else _gathered(M, src, node)


def _put_anywhere(s: State, node: Expr, i: int, axes: Sequence[int], zeros: Sequence[Any]) -> Matrix:
    out = sizes(node)
    small = tuple([1 if k in axes else n for k, n in enumerate(out)])
    dst = _sources(_backward(node, i, zeros, small), small)
    if dst is None:
        return _everything(s, node)
    M = _added(s.found[node.args[i]], dst, np.arange(len(dst)), math.prod(small), node)
    return _spread(M, small, out, node)


def _merged(M: Matrix, shape: Sizes, axes: Sequence[int], node: Expr) -> tuple[csr_array, Sizes]:
    """The union over axes, which stay with size 1."""
    small = tuple([1 if k in axes else n for k, n in enumerate(shape)])
    rows = np.broadcast_to(np.arange(math.prod(small)).reshape(small), shape).reshape(-1)
    return _added(M, rows, np.arange(len(rows)), math.prod(small), node), small


def _along(s: State, node: Expr, i: int) -> Matrix:
    """A linear row that mixes entries along one axis, alike at each place: its matrix is its value at unit vectors."""
    if node.op.name not in ALONG or sizes(node.args[i]) != sizes(node):
        return _everything(s, node)
    (axis,) = ALONG[node.op.name](node)
    have: list[Any] = list(range(len(node.shape)))
    want = ["mixed" if k == axis else k for k in have]
    n = sizes(node)[axis]
    if n > PROBE:
        return _wired(s, node, i, have, want, ())[0]
    units = np.eye(n).reshape([n if k == axis else 1 for k in have] + [n])
    mixed = np.asarray(node.op.evaluate(node.params, units)).reshape(n, n)
    return _wired(s, node, i, have, want, [(("mixed", axis), const((mixed != 0).astype(float)))])[0]


def _indexed_axes(pattern: tuple[Any, ...], shape: Sizes) -> tuple[int, ...]:
    """The axes that the integer arrays of a key run along."""
    parts = [part for part in _spelled_out(pattern, shape) if part != ("n",)]
    return tuple([k for k, part in enumerate(parts) if part == ("a",)])


# the axes of the operand (of the result, for PUTS) along which a layout row may take any position, or mixes entries
ALONG: dict[str, Callable[[Expr], tuple[int, ...]]] = {
    "index": lambda node: _indexed_axes(node.params[0], sizes(node.args[0])),
    "scatter_add": lambda node: _indexed_axes(node.params[0], sizes(node)),
    "gather": lambda node: (node.params[0],),
    "scatter_along": lambda node: (node.params[0],),
    "cumsum": lambda node: (node.params[0],),
}
PUTS = frozenset({"scatter_add", "scatter_along"})
BY_KIND: dict[str, Callable[[State, Expr], Iterable[Matrix]]] = {
    "elementwise": _elementwise,
    "multilinear": _multilinear,
    "layout": _layout,
}

# ---------------------------------------------------------------- products for several columns at once


@dataclass(frozen=True, eq=False)
class Compression:
    """What a symmetric pattern gives once and for all: its places, a star coloring, and the vectors to multiply by."""

    pattern: Pattern
    coloring: Coloring
    seeds: np.ndarray


def compression(places: csr_array) -> Compression:
    """The coloring of a symmetric pattern; patterns that were seen lately are not colored again.

    >>> compression(_identity(5)).seeds.T
    array([[1., 1., 1., 1., 1.]])
    """
    return _compression(
        len(places.indptr) - 1, places.indptr.tobytes(), places.indices.tobytes(), places.indices.dtype.char
    )


@functools.lru_cache(maxsize=32)
def _compression(n: int, starts: bytes, columns: bytes, kind: str) -> Compression:
    from tangently.structured import Pattern, color_symmetric, seeds

    rows = np.repeat(np.arange(n), np.diff(np.frombuffer(starts, kind)))
    places = Pattern(rows, np.frombuffer(columns, kind), n)
    coloring = color_symmetric(places)
    return Compression(places, coloring, seeds(coloring))


def colored_hessian(
    hvp: Callable[[np.ndarray], np.ndarray], places: csr_array | Compression
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of a Hessian from one product H·v (of flat vectors) for each color of its pattern.

    Whoever calls this often keeps the `compression` of the pattern and gives that.

    >>> H = np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]])
    >>> from scipy.sparse import csr_array
    >>> rows, columns, values = colored_hessian(lambda v: H @ v, csr_array(H != 0))
    >>> values.tolist()
    [2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 2.0]
    """
    from tangently.structured import recover

    c = places if isinstance(places, Compression) else compression(places)
    products = np.empty(c.seeds.shape)
    for k in range(c.coloring.count):
        products[:, k] = np.reshape(hvp(np.ascontiguousarray(c.seeds[:, k])), -1)
    return c.pattern.rows, c.pattern.cols, recover(products, c.coloring)


__all__ = ["Compression", "Dense", "colored_hessian", "compression", "hessian_pattern", "pattern"]
