"""Contraction: derivatives as tensor networks, and the mode of differentiation as a contraction order.

A Jacobian is the coefficient of a tangent. `tangent` gives the graph of J·t for a symbolic t; every row on the way from
t is linear in it, so each node is a sum of *terms*: tensors that share labels, times the labels of t. `coefficient`
walks that graph once and carries the terms along:

- an elementwise row multiplies by its partial, which shares the node's labels (Σᵢ ∂φ/∂xᵢ·tᵢ, partials of the table);
- an einsum puts its other operands beside the tangent, and renames labels;
- a layout row renames labels (its `wired` field), or ties a label to others by a table of positions: a *pick* p = T[q].

What is left of t at the end is its labels. Where an axis of the result still carries a label of t, that is a Kronecker
delta: it was never formed, it is structure (Laue, Mitterreiter & Giesen, Computing higher order derivatives of matrix
and tensor expressions, NeurIPS 2018). Nothing that is shared is multiplied out: a factor is a node of the graph,
computed once, and a node whose many terms would be copied into many uses becomes a tensor of its own (`COPIES`).

`contract` forms a network in pairs, in the order that opt_einsum finds for the whole of it.

Glossary: t the seed (tangent), q p labels of axes, T a table of positions, d a partial.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from tangently.expr import CONST, TABLE, Expr, Size, Wires, const, depends, symbol, toposort
from tangently.primitives.kinds import extent, identity, letters, reshape
from tangently.primitives.tensor import parts

Labels = tuple[int, ...]
Number = int | float | Fraction
BUDGET = 64  # terms; above it a sum of networks says less than the array it makes
COPIES = 12  # terms copied into further uses of a node; above it the node becomes a tensor of its own


@dataclass(frozen=True)
class Factor:
    """A tensor of a network: a node of the graph, and a label for each of its axes (one may repeat: a diagonal)."""

    node: Expr
    indices: Labels


@dataclass(frozen=True, eq=False)
class Pick:
    """1 where label `source` is table[by], else 0: an index, a slice, a reshape. `table` has an axis for each `by`."""

    source: int
    by: Labels
    table: np.ndarray

    @functools.cached_property
    def key(self) -> Any:
        """Equal for equal tables, and short where the positions are evenly spaced."""
        step = spacing(self.table)
        return self.table.tobytes() if step is None else (int(self.table[0]), step, len(self.table))


@dataclass(frozen=True)
class Term:
    """coefficient · Π factors · Π δ · Π picks, summed over every label that is not among the network's `out`."""

    coefficient: Number
    factors: tuple[Factor, ...]
    deltas: tuple[tuple[int, int], ...] = ()
    picks: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class Network:
    """A sum of terms: an array whose axes are `out`. `sizes` are those of all labels."""

    out: Labels
    terms: tuple[Term, ...]
    sizes: Mapping[int, Size]


@dataclass(frozen=True)
class Line:
    """A term on its way: `axes` are the labels of the node that it is at."""

    coefficient: Number
    axes: Labels
    factors: tuple[Factor, ...] = ()
    deltas: tuple[tuple[int, int], ...] = ()
    picks: tuple[Pick, ...] = ()


class NoClosedForm(Exception):
    """A row on the way is no network (a sort, a running sum), or there are too many terms. The message says which."""


# ---------------------------------------------------------------- labels


@dataclass
class State:
    """Labels, their sizes, those of the seed (which keep their names), and the lines of every node so far."""

    seed: Labels = ()
    sizes: dict[int, Size] = field(default_factory=dict)
    lines: dict[Expr, list[Line]] = field(default_factory=dict)

    def fresh(self, size: Size) -> int:
        label = len(self.sizes)
        self.sizes[label] = size
        return label


def renamed(line: Line, old: int, new: int) -> Line:
    swap = lambda labels: tuple([new if k == old else k for k in labels])
    return Line(
        line.coefficient,
        swap(line.axes),
        tuple([Factor(f.node, swap(f.indices)) for f in line.factors]),
        tuple([(min(e), max(e)) for e in map(swap, line.deltas)]),
        tuple([tied(new if p.source == old else p.source, swap(p.by), p.table) for p in line.picks]),
    )


def tied(source: int, by: Labels, table: np.ndarray) -> Pick:
    """A pick; labels that have become one leave the diagonal of the table."""
    unique = tuple(dict.fromkeys(by))
    return Pick(source, unique, table if unique == by else np.einsum(table, by, unique))


def unify(s: State, line: Line, names: dict[Any, int], a: int, b: int) -> Line:
    """The line with a = b: one label, unless both belong to the seed (then a delta of the result). `names` follow."""
    if a == b:
        return line
    if a in s.seed and b in s.seed:
        edge = (min(a, b), max(a, b))
        return line if edge in line.deltas else replace(line, deltas=(*line.deltas, edge))
    old, new = (b, a) if a in s.seed else (a, b)
    names.update({c: new for c, label in names.items() if label == old})
    return renamed(line, old, new)


# ---------------------------------------------------------------- the walk


def coefficient(output: Expr, seed: Expr) -> Network:
    """∂output/∂seed for an output that is linear in the seed: a network with the axes of the output, then the seed's.

    Raises NoClosedForm where a row on the way is no network.

    >>> from tangently.expr import symbol
    >>> A, t = symbol("A", (4, 3)), symbol("t", (3,))
    >>> y = TABLE["exp"](symbol("s", (4,))) * TABLE["einsum"](A, t, params=("ij,j->i",))
    >>> found = coefficient(y, t)
    >>> found.out, [(f.node.op.name, f.indices) for f in found.terms[0].factors]
    ((2, 0), [('input', (2, 0)), ('exp', (2,))])
    """
    s = State()
    s.seed = tuple([s.fresh(n) for n in seed.shape])
    s.lines[seed] = [Line(1, s.seed)]
    order = toposort([output], stop=lambda n: n is seed)
    reached = depends(order, [seed])
    uses = _uses(order, reached)
    for node in order:
        if node in reached and node is not seed:
            s.lines[node] = _shared(s, node, _lines(s, node, reached), uses.get(node, 1), seed)
    lines = s.lines[output] if output in reached else []
    return _collected(_finished(s, output, seed, lines))


def _uses(order: Sequence[Expr], reached: set[Expr]) -> dict[Expr, int]:
    uses: dict[Expr, int] = {}
    for node in order:
        if node in reached:
            for a in node.args:
                uses[a] = uses.get(a, 0) + 1
    return uses


def _shared(s: State, node: Expr, lines: list[Line], uses: int, seed: Expr) -> list[Line]:
    """Lines that would be copied into many uses become one: the derivative of this node, as a tensor."""
    lines = _merged(s, lines) if len(lines) > 1 else lines
    if len(lines) > 1 and uses > 1 and len(lines) * (uses - 1) > COPIES:
        network = _finished(s, node, seed, lines)
        whole = contract_all(network)
        if whole is None:
            raise NoClosedForm(f"the derivative of an intermediate value of shape {node.shape} has {len(lines)} parts")
        axes = tuple([s.fresh(n) for n in node.shape])
        return [Line(1, axes, (Factor(whole, (*axes, *s.seed)),))]
    if len(lines) > BUDGET:
        raise NoClosedForm(f"more than {BUDGET} terms")
    return lines


def _lines(s: State, node: Expr, reached: set[Expr]) -> list[Line]:
    op = node.op
    if op.body is not None:
        inside = op.body(node.params, *node.args)
        order = toposort([inside], stop=lambda n: n in s.lines)
        inner = depends(order, [n for n in order if n in s.lines])
        for n in order:
            if n in inner and n not in s.lines:
                s.lines[n] = _lines(s, n, inner)
        return s.lines[inside]
    forward = FORWARD.get(op.kind)
    if forward is None:
        raise NoClosedForm(f"{op.name} is no tensor network")
    found: list[Line] = []
    for i, a in enumerate(node.args):
        if a in reached or a in s.lines:
            found += forward(s, node, i, s.lines[a])
    return found


# ---------------------------------------------------------------- kinds of rows


def _elementwise(s: State, node: Expr, i: int, lines: list[Line]) -> list[Line]:
    """Times the partial, which has the labels of the node."""
    partial = node.op.partials[i]
    if partial is None:
        return []
    c, d = peeled(partial(node, *node.args))
    if d is None and c == 0:
        return []
    operand = node.args[i]
    return [_times(s, _aligned(s, line, operand.shape, node.shape), c, d) for line in lines]


def _aligned(s: State, line: Line, have: tuple[Size, ...], want: tuple[Size, ...]) -> Line:
    """The line at the node that its operand is broadcast to (a label of size 1 may stay in factors, summed over)."""
    lead = len(want) - len(have)
    axes = [s.fresh(n) for n in want[:lead]]
    axes += [label if n == m else s.fresh(m) for label, n, m in zip(line.axes, have, want[lead:])]
    return replace(line, axes=tuple(axes))


def _times(s: State, line: Line, c: Number, d: Expr | None) -> Line:
    if d is None:
        return replace(line, coefficient=line.coefficient * c)
    labels = line.axes[len(line.axes) - len(d.shape) :]
    kept = [k for k, (label, n) in enumerate(zip(labels, d.shape)) if n == s.sizes[label]]
    small = d if len(kept) == len(d.shape) else reshape(d, tuple([d.shape[k] for k in kept]))
    more = factors_of(s, small, tuple([labels[k] for k in kept]))
    return replace(line, coefficient=line.coefficient * c, factors=(*line.factors, *more))


def peeled(d: Any) -> tuple[Number, Expr | None]:
    """A partial as a number times an array (None: no array)."""
    if type(d) is not Expr:
        return d, None
    if d.op is CONST and d.shape == ():
        return d.value, None
    if d.op is TABLE["neg"]:
        c, rest = peeled(d.args[0])
        return -c, rest
    if d.op is TABLE["mul"] and d.args[0].op is CONST and d.args[0].shape == () and d.args[1].shape == d.shape:
        c, rest = peeled(d.args[1])
        return d.args[0].value * c, rest
    return 1, _spread_from(d)


def _spread_from(d: Expr) -> Expr:
    """A number spread over an array is the number."""
    return d.args[0] if d.op is TABLE["broadcast"] and d.args[0].shape == () else d


def factors_of(s: State, node: Expr, labels: Labels) -> tuple[Factor, ...]:
    """A node as factors: broadcast axes are dropped, transposes renamed."""
    if node.op is TABLE["broadcast"]:
        return factors_of(s, node.args[0], tuple([labels[k] for k in node.params[1]]))
    if node.op is TABLE["einsum"] and len(node.args) == 1:
        (inner,), out = parts(node.params[0])
        if sorted(inner) == sorted(out):
            table = dict(zip(out, labels))
            return factors_of(s, node.args[0], tuple([table[c] for c in inner]))
    return (Factor(node, labels),)


def _multilinear(s: State, node: Expr, i: int, lines: list[Line]) -> list[Line]:
    operands, out = parts(node.params[0])
    return [_beside(s, node, i, line, operands, out) for line in lines]


def _beside(s: State, node: Expr, i: int, line: Line, operands: Sequence[str], out: str) -> Line:
    """The other operands beside the tangent, under the labels that the subscripts give them."""
    names: dict[Any, int] = {}
    for k, c in enumerate(operands[i]):
        line = unify(s, line, names, names.setdefault(c, line.axes[k]), line.axes[k])
    for k, (subscripts, other) in enumerate(zip(operands, node.args)):
        if k != i:
            names.update({c: s.fresh(n) for c, n in zip(subscripts, other.shape) if c not in names})
            line = _weighted(s, line, other, names, subscripts)
    line = replace(line, axes=tuple([names[c] for c in out]))
    for c, label in names.items():
        if c not in out:
            line = _dropped(s, line, label)
    return line


def _weighted(s: State, line: Line, other: Expr, names: dict[Any, int], subscripts: str) -> Line:
    c, d = peeled(other)
    line = replace(line, coefficient=line.coefficient * c)
    if d is None:
        return line
    if d.op is TABLE["identity"]:
        return unify(s, line, names, names[subscripts[0]], names[subscripts[1]])
    labels = tuple([names[c] for c in subscripts]) if d.shape == other.shape else ()
    return replace(line, factors=(*line.factors, *factors_of(s, d, labels)))


def _dropped(s: State, line: Line, label: int) -> Line:
    """A label that is summed over: if nothing has it any more, its size remains as a factor."""
    used = any(label in f.indices for f in line.factors) or any(label == p.source or label in p.by for p in line.picks)
    if used or label in s.seed or label in line.axes:
        return line
    n = s.sizes[label]
    number = extent(n)
    if isinstance(number, int):
        return replace(line, coefficient=line.coefficient * number)
    return replace(line, factors=(*line.factors, Factor(number, ())))


def _layout(s: State, node: Expr, i: int, lines: list[Line]) -> list[Line]:
    wires = None if node.op.wired is None else node.op.wired(node.params, node, i)
    if wires is None:
        raise NoClosedForm(f"{node.op.name} is no tensor network")
    return [_rewired(s, line, node, wires) for line in lines]


def _rewired(s: State, line: Line, node: Expr, wires: Wires) -> Line:
    names = dict(zip(wires.operand, line.axes))
    names.update({c: s.fresh(n) for c, n in zip(wires.out, node.shape) if c not in names})
    names.update({c: s.fresh(n) for c, n in wires.inner if c not in names})
    picks = tuple([Pick(names[a], tuple([names[b] for b in by]), table) for a, by, table in wires.picks])
    line = replace(line, axes=tuple([names[c] for c in wires.out]), picks=(*line.picks, *picks))
    for c, label in names.items():
        line = _dropped(s, line, label) if c not in wires.out else line
    return _settled(s, line)


FORWARD: dict[str, Callable[[State, Expr, int, list[Line]], list[Line]]] = {
    "elementwise": _elementwise,
    "multilinear": _multilinear,
    "layout": _layout,
}


# ---------------------------------------------------------------- picks


def _settled(s: State, line: Line) -> Line:
    """Picks whose source is neither an axis nor the seed's are carried out: factors are indexed, chains composed.

    An axis or label of the seed keeps one pick: two of them say which positions agree, and are joined.
    """
    sources = [p.source for p in line.picks]
    for p in line.picks:
        if (p.source in s.seed or p.source in line.axes) and sources.count(p.source) == 1:
            continue
        line = _carried_out(s, line, p)
        return _settled(s, line)
    return line


def _carried_out(s: State, line: Line, p: Pick) -> Line:
    rest = [q for q in line.picks if q is not p]
    twin = next((q for q in rest if q.source == p.source), None)
    if twin is not None:
        return _joined(s, line, p, twin)
    picks = [_composed(q, p) if p.source in q.by else q for q in rest]
    factors = [indexed(f, p) if p.source in f.indices else f for f in line.factors]
    return replace(line, factors=tuple(factors), picks=tuple(picks))


def _composed(q: Pick, p: Pick) -> Pick:
    """q's table with one of its labels given by p's."""
    k = q.by.index(p.source)
    if any(b in q.by for b in p.by):
        raise NoClosedForm("positions that depend on each other")
    return Pick(q.source, (*q.by[:k], *p.by, *q.by[k + 1 :]), np.take(q.table, p.table, axis=k))


def indexed(f: Factor, p: Pick) -> Factor:
    """The factor at the positions of the table, on every axis that has them."""
    while p.source in f.indices:
        axis = f.indices.index(p.source)
        key = _key_of(axis, p.table)
        arrays = () if key[1] is None else (key[1],)
        node = TABLE["index"](f.node, *arrays, params=(key[0],))
        f = Factor(node, (*f.indices[:axis], *p.by, *f.indices[axis + 1 :]))
    return f


def _key_of(axis: int, table: np.ndarray) -> tuple[tuple[Any, ...], np.ndarray | None]:
    """The key of NumPy's index: a slice where the positions are evenly spaced."""
    whole = (("s", None, None, None),) * axis
    if table.ndim == 0:
        return (*whole, int(table)), None
    step = spacing(table)
    if step is None:
        return (*whole, ("a",)), table
    start = int(table[0])
    stop = start + step * len(table)
    return (*whole, ("s", start, stop if stop >= 0 else None, step if step != 1 else None)), None


def spacing(table: np.ndarray) -> int | None:
    """The spacing of evenly spaced positions."""
    if table.ndim != 1 or len(table) < 2:
        return 1 if table.ndim == 1 and len(table) == 1 else None
    gaps = np.diff(table)
    return int(gaps[0]) if gaps[0] != 0 and (gaps == gaps[0]).all() else None


def _joined(s: State, line: Line, p: Pick, q: Pick) -> Line:
    """p.table[a] = q.table[b]: the pairs (a, b) that agree, counted by a new label."""
    kept = tuple([k for k in line.picks if k is not p and k is not q])
    same = p.by == q.by
    if same and np.array_equal(p.table, q.table):
        return replace(line, picks=(*kept, p))
    if not same and set(p.by) & set(q.by):
        raise NoClosedForm("positions that depend on each other")
    left, right = _agreeing(p.table.ravel(), q.table.ravel()) if same else _pairs(p.table.ravel(), q.table.ravel())
    label = s.fresh(len(left))
    source = Pick(p.source, (label,), p.table.ravel()[left])
    ties = [
        Pick(b, (label,), np.asarray(position))
        for pick, flat in ((p, left), (q, right))[: 1 if same else 2]
        if pick.by
        for b, position in zip(pick.by, np.unravel_index(flat, pick.table.shape))
    ]
    used = p.source in s.seed or p.source in line.axes
    used = used or any(p.source in f.indices for f in line.factors) or any(p.source in k.by for k in kept)
    line = replace(line, picks=(*kept, *([source] if used else []), *ties))
    return _dropped(s, line, label)


def _agreeing(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions at which both tables say the same."""
    places = np.flatnonzero(a == b)
    return places, places


def _pairs(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(b, kind="stable")
    low, high = np.searchsorted(b[order], a, "left"), np.searchsorted(b[order], a, "right")
    counts = high - low
    if counts.sum() > 8 * (len(a) + len(b)) + 1024:
        raise NoClosedForm("positions that meet too often")
    left = np.repeat(np.arange(len(a)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, order[np.repeat(low, counts) + within]


# ---------------------------------------------------------------- what comes out


def _finished(s: State, node: Expr, seed: Expr, lines: Sequence[Line]) -> Network:
    """Lines as terms of one network: axes that carry a label of the seed, or one label twice, become deltas."""
    out = tuple([s.fresh(n) for n in node.shape])
    terms = []
    for line in lines:
        line = _settled(s, line)
        names: dict[int, int] = {}
        deltas = list(line.deltas)
        for o, label in zip(out, line.axes):
            if label in s.seed or label in names:
                deltas.append((o, names.get(label, label)))
            else:
                names[label] = o
        for label, o in names.items():
            line = renamed(line, label, o)
        deltas = [(names.get(a, a), names.get(b, b)) for a, b in deltas]
        terms.append(Term(line.coefficient, line.factors, tuple(deltas), line.picks))
    return Network((*out, *s.seed), tuple(terms), s.sizes)


def _merged(s: State, lines: list[Line]) -> list[Line]:
    """Lines that differ only in a number, added up."""
    found: dict[Any, Line] = {}
    for line in lines:
        key = canonical((line.axes, *((p.source,) for p in line.picks)), line.factors, line.deltas, line.picks, s.seed)
        old = found.get(key)
        found[key] = line if old is None else replace(old, coefficient=old.coefficient + line.coefficient)
    return [line for line in found.values() if line.coefficient != 0]


def _collected(network: Network) -> Network:
    found: dict[Any, Term] = {}
    for term in network.terms:
        key = canonical((network.out,), term.factors, term.deltas, term.picks, network.out)
        old = found.get(key)
        found[key] = term if old is None else replace(old, coefficient=old.coefficient + term.coefficient)
    return replace(network, terms=tuple([t for t in found.values() if t.coefficient != 0]))


def canonical(
    ends: Sequence[Labels], factors: Sequence[Factor], deltas: Any, picks: Sequence[Pick], fixed: Labels
) -> Any:
    """A key that equal networks share, however their inner labels are called and their factors are ordered.

    Colors are refined round by round (Weisfeiler & Leman 1968); a tie that is left may keep equal networks apart, never
    unequal ones together.
    """
    color: dict[int, Any] = {k: ("fixed", k) for k in fixed}
    for g, labels in enumerate(ends):
        for k, label in enumerate(labels):
            color.setdefault(label, ("end", g, k))
    every = [label for f in factors for label in f.indices] + [label for p in picks for label in (p.source, *p.by)]
    inner = [label for label in dict.fromkeys(every) if label not in color]
    now = dict.fromkeys(inner, 0)
    for _ in range(3):
        seen = {**color, **now}
        now = {
            label: hash(
                tuple(
                    sorted(
                        (id(f.node), k, tuple(hash(seen[j]) for j in f.indices))
                        for f in factors
                        for k, x in enumerate(f.indices)
                        if x == label
                    )
                )
                + tuple((hash(seen[p.source]), p.by.index(label)) for p in picks if label in p.by)
            )
            for label in inner
        }
    seen = {**color, **now}
    ordered = sorted(factors, key=lambda f: (id(f.node), tuple(hash(seen[j]) for j in f.indices)))
    ties = sorted(picks, key=lambda p: (hash(seen[p.source]), tuple(hash(seen[j]) for j in p.by), hash(p.key)))
    numbers: dict[int, Any] = dict(color)
    for label in [j for f in ordered for j in f.indices] + [j for p in ties for j in (p.source, *p.by)]:
        numbers.setdefault(label, len(numbers))
    return (
        tuple(tuple(numbers.get(k) for k in labels) for labels in ends),
        tuple((id(f.node), tuple(numbers[j] for j in f.indices)) for f in ordered),
        tuple(sorted(tuple(sorted((str(numbers[a]), str(numbers[b])))) for a, b in deltas)),
        tuple((numbers[p.source], tuple(numbers[j] for j in p.by), p.table.shape, p.key) for p in ties),
    )


# ---------------------------------------------------------------- fewer terms, for numbers


def compact(network: Network) -> Network:
    """Factors on the same labels multiplied entry by entry, and terms that differ in one factor added up there.

    Xᵀ diag(u) diag(v) X − Xᵀ diag(w) X is Xᵀ diag(u ⊙ v − w) X: one contraction instead of two.
    """
    terms = [replace(t, factors=_together(t.factors)) for t in network.terms]
    done: list[Term] = []
    while terms:
        term = terms.pop(0)
        for k, other in enumerate(terms):
            joined = _added(network, term, other)
            if joined is not None:
                terms[k] = joined
                break
        else:
            done.append(term)
    return replace(network, terms=tuple(done))


def _together(factors: Sequence[Factor]) -> tuple[Factor, ...]:
    groups: dict[Labels, Expr] = {}
    for f in factors:
        groups[f.indices] = groups[f.indices] * f.node if f.indices in groups else f.node
    return tuple([Factor(node, labels) for labels, node in groups.items()])


def _added(network: Network, a: Term, b: Term) -> Term | None:
    """a + b as one term, where they differ in a number or in one factor."""
    if len(a.factors) != len(b.factors) or len(a.picks) != len(b.picks) or len(a.deltas) != len(b.deltas):
        return None
    for k, f in enumerate(a.factors):
        mine = _without(network, a, k)
        for j, g in enumerate(b.factors):
            if f.node.shape == g.node.shape and mine == _without(network, b, j):
                total = _weighted_sum(a.coefficient, f.node, b.coefficient, g.node)
                rest = (*a.factors[:k], Factor(total, f.indices), *a.factors[k + 1 :])
                return replace(a, coefficient=1, factors=rest)
    return None


def _without(network: Network, term: Term, k: int) -> Any:
    """The term's key with its k-th factor as a blank of the same shape."""
    blank = Factor(_blank(term.factors[k].node.shape), term.factors[k].indices)
    factors = (*term.factors[:k], blank, *term.factors[k + 1 :])
    return canonical((network.out,), factors, term.deltas, term.picks, network.out)


@functools.cache
def _blank(shape: tuple[Size, ...]) -> Expr:
    return symbol("blank", shape)


def _weighted_sum(a: Number, x: Expr, b: Number, y: Expr) -> Expr:
    left = x if a == 1 else as_number(a) * x
    return left + y if b == 1 else left - y if b == -1 else left + as_number(b) * y


# ---------------------------------------------------------------- forming it


def contract(factors: Sequence[Factor], out: Labels, sizes: Mapping[int, Size]) -> Expr:
    """The factors contracted to an array with the axes `out` (each of which some factor has), in pairs.

    The order is that of opt_einsum for the whole network; two or fewer factors have only one.
    """
    rest = list(factors)
    if not rest:
        assert not out
        return const(1)
    while len(rest) > 1:
        a, b = _next_pair(rest, out, sizes)
        pair = [rest[a], rest[b]]
        rest = [f for k, f in enumerate(rest) if k not in (a, b)]
        needed = set(out).union(*[f.indices for f in rest])
        labels = tuple(dict.fromkeys([j for f in pair for j in f.indices if j in needed]))
        final = out if not rest else labels
        rest.append(Factor(_einsum(pair, final), final))
    return _einsum(rest, out)


def cost(factors: Sequence[Factor], out: Labels, sizes: Mapping[int, Size]) -> int:
    """The multiplications of `contract`, in its order."""
    rest, total = [set(f.indices) for f in factors], 0
    while len(rest) > 1:
        a, b = _next_pair([Factor(f.node, tuple(labels)) for f, labels in zip(factors, rest)], out, sizes)
        both = rest[a] | rest[b]
        rest = [labels for k, labels in enumerate(rest) if k not in (a, b)]
        total += math.prod(_number(sizes[j]) for j in both)
        rest.append(both & set(out).union(*rest))
    return total


def _number(size: Size) -> int:
    """A size for the order of a contraction; symbolic ones count as all alike."""
    return size if isinstance(size, int) else 100


def _next_pair(factors: Sequence[Factor], out: Labels, sizes: Mapping[int, Size]) -> tuple[int, int]:
    if len(factors) == 2:
        return 0, 1
    import opt_einsum

    operands = [frozenset(f.indices) for f in factors]
    every = set(out).union(*operands)
    path: Any = opt_einsum.paths.optimal if len(factors) <= 5 else opt_einsum.paths.greedy
    a, b = sorted(path(operands, frozenset(out), {j: _number(sizes[j]) for j in every})[0])
    return a, b


def _einsum(factors: Sequence[Factor], out: Labels) -> Expr:
    names = dict(zip(dict.fromkeys(itertools.chain(*[f.indices for f in factors], out)), letters(52)))
    spec = ",".join("".join(names[j] for j in f.indices) for f in factors)
    nodes = [f.node for f in factors]
    if all(not f.indices for f in factors):
        return math.prod(nodes[1:], start=nodes[0])
    return TABLE["einsum"](*nodes, params=(f"{spec}->{''.join(names[j] for j in out)}",))


def contract_all(network: Network) -> Expr | None:
    """The network as one dense array (None where a delta or a pick would have to be written out)."""
    total: Expr | None = None
    for term in network.terms:
        if term.picks:
            return None
        factors = [*term.factors, *[Factor(identity(network.sizes[a]), (a, b)) for a, b in term.deltas]]
        have = {j for f in factors for j in f.indices}
        inside = tuple([j for j in network.out if j in have])
        whole = contract(factors, inside, network.sizes)
        shape = tuple([network.sizes[j] for j in network.out])
        axes = tuple([k for k, j in enumerate(network.out) if j in have])
        spread = whole if len(axes) == len(shape) else TABLE["broadcast"](whole, params=(shape, axes))
        scaled = spread if term.coefficient == 1 else as_number(term.coefficient) * spread
        total = scaled if total is None else total + scaled
    return total


def as_number(c: Number) -> int | float:
    return c if not isinstance(c, Fraction) else (c.numerator if c.denominator == 1 else float(c))


__all__ = [
    "Factor", "Labels", "Network", "NoClosedForm", "Pick", "Term", "as_number", "canonical", "coefficient", "compact",
    "contract", "contract_all", "cost", "indexed", "tied",
]  # fmt: skip
