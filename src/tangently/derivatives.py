"""The transformations: what `derivative`, `grad`, `jacobian`, `hessian` and the others make of a recorded function.

Each takes a recording and the chosen nodes and gives output expressions, by the tangent and pullback of
`tangently.differentiation`. Jacobians and Hessians with a short side are formed in the graph, row by row with all
shared; with two long sides the compiled product with one direction is called for each basis vector.

Formulas: Jᵢⱼ = ∂fᵢ/∂xⱼ (numerator layout: output axes first, input axes after); H = ∂(∇f)/∂x by forward over reverse;
Δf = tr H; the directional derivative ∇f·u along the unit vector u = d/‖d‖.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.compiled import Selection, Transformation, Transformed, pack_unless_trivial
from tangently.contraction import Network, NoClosedForm, coefficient, contract_all
from tangently.differentiation import cotangent_map, in_precision, pullback, sweep, tangent, tangents, zero
from tangently.errors import InputError, ShapeError
from tangently.expr import CONST, TABLE, Expr, const, symbol, toposort
from tangently.primitives.kinds import broadcast_to, reshape
from tangently.recognition import recognized
from tangently.tracing.recording import Recording
from tangently.tracing.trees import unflatten

UNROLL = 32  # a Jacobian with a side this short is formed in one graph
MANY = 512  # directions carried in one forward pass
FEW = 4  # a Hessian is compressed where at most one direction for so many columns is needed
SEPARATE = 16  # parts of the arguments, up to which it is looked for passes of their own
STATEMENT = 1_000  # entries that are computed in the time that one more statement takes
FORWARD = 1 << 24  # entries of the largest array that a pass with many directions makes


class TooWide(Exception):
    """A Jacobian with two long sides: products with basis vectors are the better way."""


def single_output(recording: Recording, verb: str) -> Expr:
    """The one number that a gradient needs."""
    if len(recording.outputs) != 1 or recording.outputs[0].shape != ():
        shapes = ", ".join(str(y.shape) for y in recording.outputs)
        raise ShapeError(
            f"{verb} needs a function that returns one number; {recording.function} returned "
            f"{'an array of shape ' + shapes if len(recording.outputs) == 1 else 'arrays of shapes ' + shapes}. "
            "Sum it or take its mean for a gradient, or use jacobian"
        )
    return recording.outputs[0]


def numbers_only(selection: Selection, verb: str) -> None:
    for node, label in zip(selection.nodes, selection.labels):
        if node.shape != ():
            raise ShapeError(
                f"{verb} with respect to {label} of shape {node.shape}: a number was wanted; "
                "use grad for an array, jacobian for an array-valued function, or directional for one direction"
            )


def value() -> Transformation:
    def build(r: Recording, s: Selection) -> Transformed:
        structure = r.structure
        flat = structure == ("leaf",)
        return Transformed(list(r.outputs), None if flat else lambda values: unflatten(structure, list(values)))

    return Transformation("value", build, maps_over_arrays=False)


def derivative(order: int) -> Transformation:
    """dⁿf/dxⁿ for each chosen number x, by n tangents."""

    def build(r: Recording, s: Selection) -> Transformed:
        numbers_only(s, "derivative")
        if len(r.outputs) != 1:
            raise ShapeError(
                f"derivative of a function that returns {len(r.outputs)} values: return one number or array"
            )
        return Transformed([nth(r.outputs[0], x, order) for x in s.nodes], pack_unless_trivial(s))

    numeric = _sweep_one if order == 1 else None
    return Transformation("derivative", build, numeric, maps_over_arrays=True, plotted={"order": order})


def nth(y: Expr, x: Expr, order: int) -> Expr:
    """dⁿy/dxⁿ, simplified between orders so that it does not swell."""
    from tangently.simplification import simplify

    for k in range(order):
        y = tangent([y], {x: const(1.0)})[0]
        if k + 1 < order and y.shape == ():
            y = simplify(y)
    return y


def mixed(wrt: Sequence[str]) -> Transformation:
    """∂ⁿf/∂x₁…∂xₙ for the names in order (repeats allowed)."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = r.outputs[0]
        nodes = dict(zip(s.labels, s.nodes))
        numbers_only(s, "a mixed partial derivative")
        for name in wrt:
            y = nth(y, nodes[name], 1)
        return Transformed([y])

    return Transformation("partial", build, maps_over_arrays=True)


def gradient() -> Transformation:
    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "grad")
        grads, names = named_pullback(r, s, y)
        return Transformed(grads, pack_unless_trivial(s), names)

    return Transformation("gradient", build, numeric=_sweep_one)


def named_pullback(r: Recording, s: Selection, y: Expr) -> tuple[list[Expr], dict[Expr, str]]:
    """The gradient, and names for it in the code: the cotangent of the user's z is dz."""
    found = cotangent_map([y], [const(1.0)], s.nodes)
    grads = [found[x] if x in found else in_precision(zero(x.shape), x) for x in s.nodes]
    names = {
        g: f"d{r.names.get(node) or node.name}"
        for node, g in found.items()
        if (r.names.get(node) or node.name) and g.op is not CONST
    }
    return grads, names


def _sweep_one(r: Recording, s: Selection, leaves: Sequence[Any]) -> Any:
    y = single_output(r, "grad")
    return s.pack([_whole(g) for g in sweep([y], [1.0], s.nodes, r.trace.values)])


def _whole(g: Any) -> Any:
    return g if type(g) is float else (float(g) if np.ndim(g) == 0 else np.array(g))


def value_and_gradient() -> Transformation:
    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "value_and_grad")
        pack = s.pack
        grads, names = named_pullback(r, s, y)
        return Transformed([y, *grads], lambda v: (v[0], pack(v[1:])), names)

    def numeric(r: Recording, s: Selection, leaves: Sequence[Any]) -> Any:
        return r.results[0], _sweep_one(r, s, leaves)

    return Transformation("value_and_gradient", build, numeric=numeric)


# ---------------------------------------------------------------- Jacobians and Hessians


def size(x: Expr) -> int:
    return math.prod(x.shape)


def unit(shape: tuple[int, ...], k: int) -> Expr:
    """The k-th basis vector of an array shape."""
    if not shape:
        return const(1.0)
    e = np.zeros(shape)
    e.flat[k] = 1.0
    return const(e)


def block(y: Expr, x: Expr) -> Expr:
    """∂y/∂x of shape y.shape + x.shape, in one graph."""
    return blocks([y], [x])[0][0]


def blocks(ys: Sequence[Expr], xs: Sequence[Expr]) -> list[list[Expr]]:
    """∂y/∂x for each y and x: as one contraction where there is one, else along the shorter side of all that is left.

    Rows come from one pullback each, to all of the arguments; columns from one pass along all directions.
    """
    found = [[_as_network(y, x) for x in xs] for y in ys]
    late = [k for k, row in enumerate(found) if None in row]
    if late:
        rest = _along([ys[k] for k in late], xs)
        for k, row in zip(late, rest):
            found[k] = [a if a is not None else b for a, b in zip(found[k], row)]
    return found  # type: ignore[return-value]


def _along(ys: Sequence[Expr], xs: Sequence[Expr]) -> list[list[Expr]]:
    m, n = sum(map(size, ys)), sum(map(size, xs))
    if min(m, n) > UNROLL and (n > MANY or n * max(map(size, toposort(ys))) > FORWARD):
        raise TooWide
    if all(x.shape == () for x in xs):
        return _numbers(ys, xs) if n < m else _by_rows(ys, xs)
    return _by_columns(ys, xs) if n < m or m > UNROLL else _by_rows(ys, xs)


def _numbers(ys: Sequence[Expr], xs: Sequence[Expr]) -> list[list[Expr]]:
    """Each number's own tangent of all the outputs."""
    columns = [tangent(ys, {x: const(1.0)}) for x in xs]
    return [[column[k] for column in columns] for k in range(len(ys))]


def _by_rows(ys: Sequence[Expr], xs: Sequence[Expr]) -> list[list[Expr]]:
    found = []
    for y in ys:
        rows = [pullback([_entry(y, k)], [const(1.0)], xs) for k in range(size(y))]
        found.append(
            [
                reshape(rows[0][j] if len(rows) == 1 else _stack([row[j] for row in rows]), (*y.shape, *x.shape))
                for j, x in enumerate(xs)
            ]
        )
    return found


def _entry(y: Expr, k: int) -> Expr:
    """The k-th entry of y, flattened: what does not lead to it is not walked."""
    if not y.shape:
        return y
    return TABLE["index"](y, params=(tuple([int(i) for i in np.unravel_index(k, y.shape)]),))


@dataclass(frozen=True)
class Part:
    """A run of an argument's entries, from start to stop, that enters the formula as a node of its own."""

    node: Expr
    argument: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


def _by_columns(ys: Sequence[Expr], xs: Sequence[Expr]) -> list[list[Expr]]:
    """Passes along all entries of all arguments: where x[:3] and x[3:] go separate ways, one along each."""
    order = toposort([*ys, *xs])
    parts = [part for k, x in enumerate(xs) for part in _parts(k, x, ys, order)]
    found: dict[Part, list[Expr]] = {}
    for group in _grouped(parts, order):
        found.update(_group_of_columns(ys, group))
    return [[_joined(y, x, [(p, found[p][j]) for p in parts if p.argument == k]) for k, x in enumerate(xs)]
            for j, y in enumerate(ys)]  # fmt: skip


def _parts(k: int, x: Expr, ys: Sequence[Expr], order: Sequence[Expr]) -> list[Part]:
    """The runs of an argument that are used, if nothing else of it is and no two overlap; else all of it."""
    users = [n for n in order if x in n.args]
    found = [Part(n, k, *run) for n in users if (run := _run_of(n)) is not None]
    found.sort(key=lambda part: part.start)
    apart = all(a.stop <= b.start for a, b in itertools.pairwise(found))
    return found if len(found) == len(users) and apart and x not in ys else [Part(x, k, 0, size(x))]


def _run_of(node: Expr) -> tuple[int, int] | None:
    """Which entries of its operand, in order, an index of the first axis picks."""
    if node.op is not TABLE["index"] or len(node.args) != 1 or len(node.params[0]) != 1:
        return None
    (part,), rows = node.params[0], node.args[0].shape[0]
    width = math.prod(node.args[0].shape[1:])
    if type(part) is int:
        return part % rows * width, (part % rows + 1) * width
    if part[0] != "s":
        return None
    start, stop, step = slice(*part[1:]).indices(rows)
    return (start * width, stop * width) if step == 1 and start < stop else None


def _grouped(parts: Sequence[Part], order: Sequence[Expr]) -> list[list[Part]]:
    """Parts whose passes are one: two are merged as long as that saves more statements than it adds zeros."""
    if len(parts) > SEPARATE:
        return [list(parts)]
    weights = _weights(parts, order)

    def cost(group: Sequence[Part]) -> int:
        bits, columns = sum(1 << parts.index(p) for p in group), sum(p.size for p in group)
        return sum(STATEMENT * n + entries * columns for mask, (n, entries) in weights.items() if mask & bits)

    groups = [[part] for part in parts]
    while True:
        pairs = [(cost(a) + cost(b) - cost([*a, *b]), i, j)
                 for (i, a), (j, b) in itertools.combinations(enumerate(groups), 2)]  # fmt: skip
        saved, i, j = max(pairs, default=(0, 0, 0))
        if saved <= 0:
            return groups
        groups[i] += groups.pop(j)


def _weights(parts: Sequence[Part], order: Sequence[Expr]) -> dict[int, tuple[int, int]]:
    """For each set of parts, as bits: how many nodes depend on just these, and the entries of all of them."""
    reached = {part.node: 1 << k for k, part in enumerate(parts)}
    weights: dict[int, tuple[int, int]] = {}
    for n in order:
        if n in reached:
            continue
        mask = functools.reduce(operator.or_, [reached.get(a, 0) for a in n.args], 0)
        if mask:
            reached[n] = mask
            count, entries = weights.get(mask, (0, 0))
            weights[mask] = count + 1, entries + size(n)
    return weights


def _group_of_columns(ys: Sequence[Expr], group: Sequence[Part]) -> dict[Part, list[Expr]]:
    """One pass along the directions of all entries of these parts."""
    starts = [0, *itertools.accumulate(p.size for p in group)]
    unit = np.eye(starts[-1])
    seeds = {p.node: const(unit[i : i + p.size].reshape(*p.node.shape, starts[-1])) for p, i in zip(group, starts)}
    moved = tangents(ys, seeds, starts[-1])
    if len(group) == 1:
        return {group[0]: moved}
    runs = [(("e",), ("s", i, i + p.size, None)) for p, i in zip(group, starts)]
    return {p: [TABLE["index"](t, params=(run,)) for t in moved] for p, run in zip(group, runs)}


def _joined(y: Expr, x: Expr, columns: Sequence[tuple[Part, Expr]]) -> Expr:
    """∂y/∂x from the columns of the argument's parts, in order; no part uses the entries in between."""
    pieces: list[Expr] = []
    end = 0
    for part, t in columns:
        pieces += [zero((*y.shape, part.start - end)), t] if part.start > end else [t]
        end = part.stop
    if end < size(x):
        pieces.append(zero((*y.shape, size(x) - end)))
    whole = pieces[0] if len(pieces) == 1 else TABLE["concatenate"](*pieces, params=(len(y.shape),))
    return reshape(whole, (*y.shape, *x.shape))


def _as_network(y: Expr, x: Expr) -> Expr | None:
    """∂y/∂x by one contraction (None: numbers, or no closed form, or entries at tabled positions)."""
    if y.shape == () or x.shape == () or 0 in (*y.shape, *x.shape):
        return None
    try:
        whole = contract_all(network_of(y, x))
    except NoClosedForm:
        return None
    return None if whole is None else broadcast_to(whole, (*y.shape, *x.shape))


def _stack(parts: Sequence[Expr]) -> Expr:
    return TABLE["stack"](*parts, params=(0,))


def jacobian() -> Transformation:
    def build(r: Recording, s: Selection) -> Transformed:
        outputs = [b for row in blocks(r.outputs, s.nodes) for b in row]
        return Transformed(outputs, blocks_pack(r.structure, s, len(r.outputs)))

    return Transformation("jacobian", build)


def blocks_pack(structure: Any, s: Selection, count: int) -> Any:
    """Blocks, one for each output and input, in the output's structure, each in the input's."""
    n = len(s.nodes)

    def pack(values: Sequence[Any]) -> Any:
        rows = [s.pack(list(values[k * n : (k + 1) * n])) for k in range(count)]
        return rows[0] if structure == ("leaf",) else unflatten(structure, rows)

    return pack


def hessian() -> Transformation:
    """Second derivatives: the coefficient of a tangent of the gradient, as a structured matrix for an array.

    Several numbers give one matrix in the order of the arguments.
    """

    def build(r: Recording, s: Selection) -> Transformed:
        grads = _gradient_for_hessian(r, s)
        if all(x.shape == () for x in s.nodes):
            return _plain_hessian(grads, s)
        y = r.outputs[0]
        plans = [[_second(y, g, x, a == b, r) for b, x in enumerate(s.nodes)] for a, g in enumerate(grads)]
        return Transformed([y for row in plans for p in row for y in p.outputs], _plans_pack(s, plans))

    def graph(r: Recording, s: Selection) -> Transformed:
        return _plain_hessian(_gradient_for_hessian(r, s), s)

    return Transformation("hessian", build, graph=graph, written=_written_hessian)


def _written_hessian(r: Recording, s: Selection) -> list[Any] | None:
    """The blocks of arrays in matrix notation (None: numbers, or a block that it can't write)."""
    if any(x.shape == () or 0 in x.shape for x in s.nodes):
        return None
    from tangently.matrices.wording import formula

    plain = recognized(r, s.nodes)
    try:
        grads = _gradient_for_hessian(plain, s)
        found = [formula(network_of(g, x), plain.names) for g in grads for x in s.nodes]
    except NoClosedForm:
        return None
    return None if None in found else found


def _gradient_for_hessian(r: Recording, s: Selection) -> list[Expr]:
    return pullback([single_output(r, "hessian")], [const(1.0)], s.nodes)


def _plain_hessian(grads: list[Expr], s: Selection) -> Transformed:
    """The Hessian as plain arrays: of numbers, or to be differentiated again."""
    if all(x.shape == () for x in s.nodes) and len(s.nodes) > 1:
        return Transformed([_matrix(grads, s.nodes)])
    return Transformed([b for row in blocks(grads, s.nodes) for b in row], _hessian_pack(s))


@dataclass(frozen=True)
class Second:
    """∂g/∂x: the arrays to compute, and what is made of them."""

    outputs: list[Expr]
    make: Callable[[Sequence[Any]], Any]


def _second(y: Expr, g: Expr, x: Expr, own: bool, r: Recording) -> Second:
    if not own or x.shape == () or 0 in x.shape:
        return Second([block(g, x)], lambda values: values[0])
    try:
        network = network_of(g, x)
    except NoClosedForm as reason:
        words = f"no closed form ({reason})"
        return _compressed(y, g, x, words) or _dense_second(g, x, words)
    from tangently.assembly import plan  # with linear algebra that a gradient does not need
    from tangently.structured import Structured

    found = plan(network, x.shape)
    words = functools.partial(_words, network, x, r)
    return Second(found.outputs, lambda values: Structured(x.shape, found.blocks(values), words))


def _dense_second(g: Expr, x: Expr, words: str) -> Second:
    from tangently.structured import Dense, Structured

    return Second([block(g, x)], lambda values: Structured(x.shape, (Dense(values[0], owned=True),), words))


def _compressed(y: Expr, g: Expr, x: Expr, words: str) -> Second | None:
    """A sparse Hessian without closed form: its pattern from the graph, colored, and one direction for each color."""
    n = size(x)
    if n <= UNROLL:
        return None
    from tangently.sparsity import Dense as Full
    from tangently.sparsity import compression, hessian_pattern
    from tangently.structured import Sparse, Structured, recover

    try:
        found = compression(hessian_pattern(y, x))
    except Full:
        return None
    count = found.coloring.count
    if count > n // FEW or count > MANY:
        return None
    products = tangents([g], {x: const(found.seeds.reshape(*x.shape, count))}, count)[0]

    def make(values: Sequence[Any]) -> Any:
        block = Sparse(found.pattern, recover(values[0].reshape(n, count), found.coloring))
        return Structured(x.shape, (block,), words)

    return Second([products], make)


def _words(network: Network, x: Expr, r: Recording) -> str:
    from tangently.matrices.wording import words

    return words(network, r.names)


def network_of(y: Expr, x: Expr) -> Network:
    """∂y/∂x as a tensor network. Raises NoClosedForm."""
    seed = symbol(f"d{x.name or 'x'}", x.shape, "d")
    return coefficient(tangent([y], {x: seed})[0], seed)


def _plans_pack(s: Selection, plans: Sequence[Sequence[Second]]) -> Any:
    """Blocks by arguments, each in the arguments' structure."""
    cuts: list[tuple[Second, int, int]] = []
    for p in [p for row in plans for p in row]:
        start = cuts[-1][2] if cuts else 0
        cuts.append((p, start, start + len(p.outputs)))
    rest = _hessian_pack(s)
    if len(cuts) == 1 and s.pack([cuts]) is cuts:  # one argument, not nested: the call is short
        return cuts[0][0].make
    return lambda values: rest([p.make(values[i:j]) for p, i, j in cuts])


def _matrix(grads: Sequence[Expr], nodes: Sequence[Expr]) -> Expr:
    n = len(nodes)
    if n > UNROLL:
        raise TooWide
    columns = [tangent(list(grads), {x: const(1.0)}) for x in nodes]
    return _stack([_stack([columns[j][i] for j in range(n)]) for i in range(n)])


def _hessian_pack(s: Selection) -> Any:
    n = len(s.nodes)
    if n == 1:
        return lambda values: s.pack([s.pack(list(values))])
    return lambda values: s.pack([s.pack(list(values[k * n : (k + 1) * n])) for k in range(n)])


def laplacian() -> Transformation:
    """Δf = Σ ∂²f/∂xₖ², over every entry of every chosen argument."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "laplacian")
        if sum(size(x) for x in s.nodes) > UNROLL * 4:
            raise TooWide
        total: Expr = const(0.0)
        for x, g in zip(s.nodes, pullback([y], [const(1.0)], s.nodes)):
            for k in range(size(x)):
                e = unit(x.shape, k)
                moved = tangent([g], {x: e})[0]
                total = total + (moved if x.shape == () else inner(moved, e))
        return Transformed([total])

    return Transformation("laplacian", build)


def inner(a: Expr, b: Expr) -> Expr:
    flat = (size(a),)
    return TABLE["einsum"](reshape(a, flat), reshape(b, flat), params=("i,i->",))


# ---------------------------------------------------------------- products


def _seeds(nodes: Sequence[Expr], names: Sequence[str], what: str) -> list[Expr]:
    return [symbol(f"{what}_{name}" if len(nodes) > 1 else what, node.shape) for node, name in zip(nodes, names)]


def _short(labels: Sequence[str]) -> list[str]:
    from tangently.tracing.recording import input_names

    return input_names(list(labels))


def jvp() -> Transformation:
    """J·v: how the outputs move when the chosen arguments move along v (forward mode)."""

    def build(r: Recording, s: Selection) -> Transformed:
        seeds = _seeds(s.nodes, _short(s.labels), "v")
        structure = r.structure
        moved = tangent(r.outputs, dict(zip(s.nodes, seeds)))
        pack = None if structure == ("leaf",) else lambda values: unflatten(structure, list(values))
        return Transformed(moved, pack, extra=tuple(seeds))

    return Transformation("jvp", build, extras=1)


def vjp() -> Transformation:
    """gᵀ·J: what a cotangent of the outputs is for the chosen arguments (reverse mode)."""

    def build(r: Recording, s: Selection) -> Transformed:
        seeds = _seeds(r.outputs, [str(k) for k in range(len(r.outputs))], "g")
        return Transformed(pullback(r.outputs, seeds, s.nodes), s.pack, extra=tuple(seeds))

    return Transformation("vjp", build, extras=1)


def hvp() -> Transformation:
    """H·v without forming H: the tangent of the gradient along v (Pearlmutter 1994)."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "hvp")
        seeds = _seeds(s.nodes, _short(s.labels), "v")
        grads = pullback([y], [const(1.0)], s.nodes)
        return Transformed(tangent(grads, dict(zip(s.nodes, seeds))), s.pack, extra=tuple(seeds))

    return Transformation("hvp", build, extras=1)


def directional() -> Transformation:
    """∇f·v/‖v‖, by one tangent along the unit vector."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "directional")
        seeds = _seeds(s.nodes, _short(s.labels), "v")
        squares = [inner(v, v) for v in seeds]
        total = squares[0]
        for more in squares[1:]:
            total = total + more
        moved = tangent([y], dict(zip(s.nodes, seeds)))[0]
        return Transformed([moved / TABLE["sqrt"](total)], None, extra=tuple(seeds))

    return Transformation("directional", build, extras=1)


def check_order(order: Any) -> int:
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise InputError(f"order={order!r}: a whole number from 1 up was wanted (order=2 is the second derivative)")
    return order


__all__ = ["TooWide", "check_order", "derivative", "gradient", "hessian", "jacobian", "mixed"]
