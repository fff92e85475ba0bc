"""The transformations: what `derivative`, `grad`, `jacobian`, `hessian` and the others make of a recorded function.

Each takes a recording and the chosen nodes and gives output expressions, by the tangent and pullback of
`tangently.differentiation`. Jacobians and Hessians with a short side are formed in the graph, row by row with all
shared; with two long sides the compiled product with one direction is called for each basis vector.

Formulas: Jᵢⱼ = ∂fᵢ/∂xⱼ (numerator layout: output axes first, input axes after); H = ∂(∇f)/∂x by forward over reverse;
Δf = tr H; the directional derivative ∇f·u along the unit vector u = d/‖d‖.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.compiled import Selection, Transformation, Transformed, pack_unless_trivial
from tangently.differentiation import cotangent_map, in_precision, pullback, sweep, tangent, zero
from tangently.errors import InputError, ShapeError
from tangently.expr import CONST, TABLE, Expr, const, symbol
from tangently.primitives.kinds import reshape
from tangently.tracing.recording import Recording
from tangently.tracing.trees import unflatten

UNROLL = 32  # a Jacobian with a side this short is formed in one graph


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
    """∂y/∂x of shape y.shape + x.shape, in one graph, along the shorter side."""
    m, n = size(y), size(x)
    if min(m, n) > UNROLL:
        raise TooWide
    if n < m:
        columns = [tangent([y], {x: unit(x.shape, k)})[0] for k in range(n)]
        moved = _stack([reshape(c, (m,)) for c in columns], axis=1)
    else:
        moved = _stack([reshape(pullback([y], [unit(y.shape, k)], [x])[0], (n,)) for k in range(m)], axis=0)
    return reshape(moved, (*y.shape, *x.shape))


def _stack(parts: list[Expr], axis: int) -> Expr:
    return TABLE["stack"](*parts, params=(axis,))


def jacobian() -> Transformation:
    def build(r: Recording, s: Selection) -> Transformed:
        outputs = [block(y, x) for y in r.outputs for x in s.nodes]
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
    """Second derivatives by forward over reverse. Several numbers give one matrix in the order of the arguments."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = single_output(r, "hessian")
        grads = pullback([y], [const(1.0)], s.nodes)
        if all(x.shape == () for x in s.nodes) and len(s.nodes) > 1:
            return Transformed([_matrix(grads, s.nodes)])
        outputs = [_square_block(g, x) for g in grads for x in s.nodes]
        return Transformed(outputs, _hessian_pack(s))

    return Transformation("hessian", build)


def _square_block(g: Expr, x: Expr) -> Expr:
    """∂g/∂x by columns where x is short, else by rows."""
    if size(x) > UNROLL and size(g) > UNROLL:
        raise TooWide
    return block(g, x)


def _matrix(grads: Sequence[Expr], nodes: Sequence[Expr]) -> Expr:
    n = len(nodes)
    if n > UNROLL:
        raise TooWide
    columns = [tangent(list(grads), {x: const(1.0)}) for x in nodes]
    return _stack([_stack([columns[j][i] for j in range(n)], axis=0) for i in range(n)], axis=0)


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
