"""Matrix notation: a small tree in which a formula of matrices is kept as a person would write it.

A `Mat` is a name applied to other Mats. Nodes are interned, so `is` is equality and what is shared is shared. Every
node knows its shape: (rows, columns) with sizes that may have names; a vector is a column, (n, 1), and a number is
(1, 1). Only tensors, which no matrix formula can hold, have other shapes.

The constructors keep one light form, so that equal formulas are mostly the same node and what cancels is gone:

- a *sum* holds numbers as coefficients of its terms: 2 A − B, and 2 A is a sum of one term;
- a *product* holds numbers-to-be (c, xᵀy, tr A) before its chain of matrices; A A⁻¹, QᵀQ, I A and diag(u) diag(v) are
  simplified where they meet;
- (AB)ᵀ = BᵀAᵀ, Aᵀᵀ = A, Sᵀ = S for a symmetric S, (AB)⁻¹ = B⁻¹A⁻¹ for square A and B, division is a power −1;
- sum(u ⊙ v) = uᵀv, sum(A ⊙ B) = tr(AᵀB), tr(u vᵀ) = vᵀu.

`collect` then takes common factors out of sums: 2 XᵀXw − 2 Xᵀy is 2 Xᵀ(Xw − y), A x + Aᵀ x is (A + Aᵀ)x. Identities:
Petersen & Pedersen, The Matrix Cookbook, sections 1, 2 and 10; vec and the commutation matrix K: Magnus & Neudecker,
Matrix Differential Calculus, chapter 3. vec may stack rows (as NumPy flattens) or columns: every node that depends on
it says which.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from tangently.errors import InputError, ShapeError
from tangently.expr import TABLE, Dim, Expr, Size, concretize, inputs_of
from tangently.expr import evaluate as run
from tangently.primitives.kinds import letters

Number = int | float | Fraction
Order = Literal["row", "column"]
SCALAR: tuple[Size, ...] = (1, 1)
KEPT = 1 << 14  # answers kept of questions that walk a whole formula
SYMMETRIC = frozenset({"symmetric", "positive definite", "diagonal"})
PROPERTIES = SYMMETRIC | {"orthogonal"}


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Mat:
    """A node of matrix notation: `op` applied to `args`, with what else fixes it in `data`, and its shape."""

    op: str
    args: tuple[Mat, ...]
    data: tuple[Any, ...]
    shape: tuple[Size, ...]

    @property
    def rows(self) -> Size:
        return self.shape[0]

    @property
    def columns(self) -> Size:
        return self.shape[1]

    @property
    def is_number(self) -> bool:
        return self.shape == SCALAR

    @property
    def is_vector(self) -> bool:
        return len(self.shape) == 2 and self.shape[1] == 1 and self.shape[0] != 1

    @property
    def is_row(self) -> bool:
        return len(self.shape) == 2 and self.shape[0] == 1 and self.shape[1] != 1

    def __str__(self) -> str:
        from tangently.matrices.writing import text

        return text(self)

    def __repr__(self) -> str:
        return f"<Mat {self}>"


_nodes: weakref.WeakValueDictionary[Any, Mat] = weakref.WeakValueDictionary()


def make(op: str, args: Sequence[Mat], data: tuple[Any, ...], shape: Sequence[Size]) -> Mat:
    """The node itself, the one that exists already if there is one."""
    key = (op, tuple(args), data, tuple(map(type, data)), tuple(shape))
    found = _nodes.get(key)
    if found is None:
        found = _nodes[key] = Mat(op, tuple(args), data, tuple(shape))
    return found


def parts_first(*roots: Mat) -> list[Mat]:
    """Every node of the trees, parts before what uses them, each once."""
    order: list[Mat] = []
    seen: set[Mat] = set()
    stack = [(root, iter(root.args)) for root in roots[:1]]
    rest = iter(roots[1:])
    seen.update(roots[:1])
    while stack:
        node, args = stack[-1]
        for arg in args:
            if arg not in seen:
                seen.add(arg)
                stack.append((arg, iter(arg.args)))
                break
        else:
            order.append(node)
            stack.pop()
        if not stack:
            stack = [(r, iter(r.args)) for r in rest if r not in seen][:1]
            seen.update(r for r, _ in stack)
    return order


# ---------------------------------------------------------------- leaves


def number(value: Number) -> Mat:
    return make("number", (), (_exact(value),), SCALAR)


def symbol(name: str, shape: Sequence[Size] = (), properties: Iterable[str] = ()) -> Mat:
    """A named number, vector (a column) or matrix.

    >>> n = Dim.named("n")
    >>> S, x = symbol("S", (n, n), {"symmetric"}), symbol("x", (n,))
    >>> transpose(S) is S, multiply(transpose(x), S, x).shape
    (True, (1, 1))
    """
    if len(shape) > 2:
        raise ShapeError(f"{name} has shape {tuple(shape)}: matrix notation has names for up to two axes")
    held = frozenset(properties)
    if held - PROPERTIES:
        raise InputError(f"{name} was called {sorted(held - PROPERTIES)}: the properties are {sorted(PROPERTIES)}")
    full = (*shape, 1, 1)[:2] if shape else SCALAR
    if held and full[0] != full[1]:
        raise ShapeError(f"{name} of shape {tuple(shape)} was called {sorted(held)}: only a square matrix can be")
    return make("symbol", (), (name, tuple(shape), held), full)


def tensor(expr: Expr, name: str = "") -> Mat:
    """A node of a graph that has no notation of its own: it stands as it is. Its axes may be any number."""
    return make("tensor", (), (expr, name), two_axes(expr.shape) if len(expr.shape) < 3 else expr.shape)


def two_axes(shape: Sequence[Size]) -> tuple[Size, ...]:
    """The shape as (rows, columns): a vector is a column."""
    return (*shape, 1, 1)[:2] if len(shape) < 2 else tuple(shape)


def identity(size: Size) -> Mat:
    return ONE if size == 1 else make("identity", (), (), (size, size))


def ones(rows: Size, columns: Size = 1) -> Mat:
    """1ₙ, a column of ones; a matrix of ones is 1 1ᵀ."""
    if columns != 1:
        return multiply(ones(rows), transpose(ones(columns)))
    return ONE if rows == 1 else make("ones", (), (), (rows, 1))


def zeros(shape: Sequence[Size]) -> Mat:
    return ZERO if tuple(shape) == SCALAR else make("zeros", (), (), shape)


def extent(size: Size) -> Mat:
    """A size as a number of the formula."""
    return number(size) if isinstance(size, int) else make("extent", (), (size,), SCALAR)


def commutation(rows: Size, columns: Size, order: Order = "row") -> Mat:
    """K with K vec(Z) = vec(Zᵀ) for Z of this shape."""
    size = rows * columns
    return identity(size) if 1 in (rows, columns) else make("commutation", (), (rows, columns, order), (size, size))


ONE, ZERO = (make("number", (), (k,), SCALAR) for k in (1, 0))


def entry(m: Mat) -> Mat | None:
    """The number that every entry of a formula is: c for c 1ₙ and for c 1 1ᵀ; None where there is no such."""
    scalars, chain = split(m)
    if m.is_number or len(scalars) > 1 or not chain:
        return None
    plain = all(f.op == "ones" or (f.op == "transpose" and f.args[0].op == "ones") for f in chain)
    return (scalars or (ONE,))[0] if plain else None


# ---------------------------------------------------------------- sums


def terms_of(m: Mat) -> list[tuple[Number, Mat]]:
    """A formula as coefficients and terms; a plain number is a coefficient of 1."""
    if m.op == "number":
        return [(m.data[0], ONE)] if m.data[0] else []
    if m.op == "sum":
        return list(zip(m.data, m.args))
    return [] if m.op == "zeros" else [(1, m)]


def peeled(m: Mat) -> tuple[Number, Mat]:
    """The numeric coefficient of a formula, and the rest."""
    found = terms_of(m)
    return found[0] if len(found) == 1 else ((0, m) if not found else (1, m))


def add(*summands: Mat) -> Mat:
    """
    >>> x = symbol("x", (Dim.named("n"),))
    >>> add(x, scale(-3, x), x)
    <Mat −x>
    """
    return combine([(1, m) for m in summands])


def subtract(a: Mat, b: Mat) -> Mat:
    return combine([(1, a), (-1, b)])


def scale(c: Number, m: Mat) -> Mat:
    return combine([(c, m)])


def combine(terms: Sequence[tuple[Number, Mat]]) -> Mat:
    """Σ coefficient · term: like terms are merged, positive ones come first."""
    shape = terms[0][1].shape
    for _, m in terms:
        if m.shape != shape:
            raise ShapeError(f"{terms[0][1]} has shape {shape}, {m} has {m.shape}: terms of a sum have one shape")
    found: dict[Any, tuple[Number, Mat]] = {}
    for c, m in terms:
        for inner, term in _flattened(c, m):
            key = _alike(term)
            old, kept = found.get(key, (0, term))
            found[key] = (_exact(old + inner), kept)
    return _sum([(c, m) for c, m in found.values() if c != 0], shape)


def _flattened(c: Number, m: Mat) -> Iterator[tuple[Number, Mat]]:
    for inner, term in terms_of(m):
        if term.op == "sum":
            yield from _flattened(_times(c, inner), term)
        else:
            yield _times(c, inner), term


def _times(a: Number, b: Number) -> Number:
    return _exact(a * b)


def _exact(c: Number) -> Number:
    """Whole numbers as integers, and floats such as 0.5 as the fractions that they are."""
    if isinstance(c, float) and math.isfinite(c) and abs(c) < 2**32:
        fraction = Fraction(c)
        c = fraction if fraction.denominator <= 64 else c
    return c.numerator if isinstance(c, Fraction) and c.denominator == 1 else c


def _sum(terms: list[tuple[Number, Mat]], shape: tuple[Size, ...]) -> Mat:
    if not terms:
        return zeros(shape)
    if len(terms) == 1:
        ((c, m),) = terms
        return number(c) if m is ONE else (m if c == 1 else make("sum", (m,), (c,), shape))
    if shape[0] == 1 != shape[1]:
        return make("transpose", (_sum([(c, transpose(m)) for c, m in terms], shape[::-1]),), (), shape)
    ordered = _mirrored([t for t in terms if t[0] > 0]) + _mirrored([t for t in terms if not t[0] > 0])
    return make("sum", [m for _, m in ordered], tuple(c for c, _ in ordered), shape)


def _mirrored(terms: list[tuple[Number, Mat]]) -> list[tuple[Number, Mat]]:
    """A + Aᵀ rather than Aᵀ + A."""
    place = {m: k for k, (_, m) in enumerate(terms)}
    for k, (_, m) in enumerate(list(terms)):
        other = place.get(transpose(m), k)
        if other > k and _transposes(split(m)[1]) > _transposes(split(terms[other][1])[1]):
            terms[k], terms[other] = terms[other], terms[k]
    return terms


def _alike(m: Mat) -> Any:
    """Equal for terms with equal values: xᵀAy and yᵀAᵀx, tr(AB) and tr(BA)."""
    if m.op == "product" and m.is_number:
        scalars, chain = split(m)
        keys = [frozenset({c, _turned(c)}) if c.op == "product" else c for c in scalars]
        return "product", frozenset((k, keys.count(k)) for k in keys), frozenset({chain, _turned_chain(chain)})
    if m.op == "trace" and m.args[0].op == "product":
        scalars, chain = split(m.args[0])
        turns = [chain[k:] + chain[:k] for k in range(len(chain))]
        return "trace", scalars, frozenset([*turns, *map(_turned_chain, turns)])
    return m


def _turned(m: Mat) -> Mat:
    scalars, chain = split(m)
    return make("product", (*scalars, *_turned_chain(chain)), m.data, m.shape)


def _turned_chain(chain: tuple[Mat, ...]) -> tuple[Mat, ...]:
    return tuple([transpose(f) for f in reversed(chain)])


# ---------------------------------------------------------------- products


def split(m: Mat) -> tuple[tuple[Mat, ...], tuple[Mat, ...]]:
    """A term as its scalar factors and its chain of matrices."""
    if m.op == "product":
        return m.args[: m.data[0]], m.args[m.data[0] :]
    return ((m,), ()) if m.is_number else ((), (m,))


def multiply(*factors: Mat) -> Mat:
    """The matrix product; numbers among the factors scale it.

    >>> m, n = Dim.named("m"), Dim.named("n")
    >>> A, x = symbol("A", (m, n)), symbol("x", (n,))
    >>> multiply(number(2), transpose(A), A, x), multiply(A, identity(n)) is A
    (<Mat 2 AᵀAx>, True)
    """
    shape = _product_shape(factors)
    coefficient: Number = 1
    scalars: list[Mat] = []
    chain: list[Mat] = []
    for factor in factors:
        c, core = peeled(factor)
        if c == 0:
            return zeros(shape)
        coefficient = _times(coefficient, c)
        if core.op == "product" and (not core.is_number or core.data[0]):
            scalars.extend(split(core)[0])
            rest = split(core)[1]
            if core.is_number and rest:
                scalars.append(make("product", rest, (0,), SCALAR))
            else:
                chain.extend(rest)
        else:
            (scalars if core.is_number else chain).append(core)
    c, found, left = _linked(chain)
    return scale(_times(coefficient, c), _assembled([*scalars, *found], left, shape))


def _product_shape(factors: Sequence[Mat]) -> tuple[Size, ...]:
    chain = [f for f in factors if not f.is_number]
    for a, b in pairwise(chain):
        if a.columns != b.rows:
            raise ShapeError(
                f"{a} of shape {a.shape} times {b} of shape {b.shape}: {a.columns} columns meet {b.rows} rows"
            )
    return (chain[0].rows, chain[-1].columns) if chain else SCALAR


def _linked(chain: Sequence[Mat]) -> tuple[Number, list[Mat], list[Mat]]:
    """The chain with neighbors simplified: a coefficient, the scalars that came out, and what is left."""
    scalars: list[Mat] = []
    left: list[Mat] = []
    coefficient: Number = 1
    todo = list(reversed(chain))
    while todo:
        factor = todo.pop()
        met = _met(left[-1], factor) if left else None
        if met is None:
            left.append(factor)
            continue
        left.pop()
        c, core = peeled(met)
        coefficient = _times(coefficient, c)
        found, rest = split(core)
        scalars.extend(s for s in found if s is not ONE)
        todo.extend(reversed(rest))
    return coefficient, scalars, left


def _met(a: Mat, b: Mat) -> Mat | None:
    """The product of two neighbors, where it is something simpler."""
    if a.op == "identity":
        return b
    if b.op == "identity":
        return a
    if are_inverse(a, b):
        return identity(a.rows)
    if a.op == "diag" and b.op == "diag":
        return diag(hadamard(a.args[0], b.args[0]))
    if a.op == "diag" and b.is_vector:
        return hadamard(a.args[0], b)
    if b.op == "diag" and a.is_row:
        return transpose(hadamard(transpose(a), b.args[0]))
    if a.is_row and b.is_vector and "ones" in (a.op, b.op, *[x.op for x in (*a.args[:1], *b.args[:1])]):
        return _entries(a, b)
    return None


def _entries(a: Mat, b: Mat) -> Mat | None:
    """1ᵀv and vᵀ1 as the sum of the entries of v."""
    if transpose(a).op == "ones":
        return total(b)
    return total(transpose(a)) if b.op == "ones" else None


def are_inverse(a: Mat, b: Mat) -> bool:
    """Is a b = I by construction?"""
    if (a.op == "inverse" and a.args[0] is b) or (b.op == "inverse" and b.args[0] is a):
        return True
    if is_orthogonal(a) and transpose(a) is b:
        return True
    turned = a.op == "transpose" and b.op == "transpose"
    return turned and are_inverse(b.args[0], a.args[0])


def _assembled(scalars: list[Mat], chain: list[Mat], shape: tuple[Size, ...]) -> Mat:
    c, scalars = _powers(scalars)
    if c != 1:
        return scale(c, _assembled(scalars, chain, shape))
    if len(scalars) + len(chain) == 1:
        return (scalars + chain)[0]
    if not chain and not scalars:
        return ONE
    if chain and shape == SCALAR:
        chain = min(list(chain), list(_turned_chain(tuple(chain))), key=_transposes)
    if scalars and chain and shape == SCALAR:
        scalars, chain = [*scalars, make("product", chain, (0,), SCALAR)], []
    return make("product", (*scalars, *chain), (len(scalars),), shape)


def _transposes(chain: Sequence[Mat]) -> int:
    """How many matrices of a chain stand transposed: xᵀAy rather than yᵀAᵀx."""
    return sum(f.op == "transpose" and not f.is_row for f in chain)


def _powers(scalars: Sequence[Mat]) -> tuple[Number, list[Mat]]:
    """c · c is c², c · c⁻¹ is gone."""
    found: dict[Mat, Number] = {}
    for s in scalars:
        if s is ONE:
            continue
        base, exponent = base_of(s)
        found[base] = found.get(base, 0) + exponent
    coefficient: Number = 1
    left: list[Mat] = []
    for base, exponent in found.items():
        if exponent:
            c, core = peeled(_raised(base, exponent))
            coefficient = _times(coefficient, c)
            left.extend([core] if core is not ONE else [])
    return coefficient, left


def base_of(m: Mat) -> tuple[Mat, Number]:
    return (m.args[0], m.data[0]) if m.op == "power" else (m, 1)


# ---------------------------------------------------------------- transposes and inverses


@functools.lru_cache(maxsize=KEPT)
def is_symmetric(m: Mat) -> bool:
    """Is the transpose known to be the matrix itself?"""
    if m.op == "symbol":
        return bool(m.data[2] & SYMMETRIC)
    if m.op in ("inverse", "map", "power", "hadamard", "kron"):
        return all(a.is_number or is_symmetric(a) for a in m.args)
    if m.op == "product" and m.rows == m.columns:  # AᵀSA reads the same from the other end
        _, chain = split(m)
        return _turned_chain(chain) == chain
    if m.op == "sum" and m.rows == m.columns:  # A + Aᵀ
        return {*zip(m.data, m.args)} == {(c, transpose(t)) for c, t in zip(m.data, m.args)}
    return m.op in ("identity", "diag")


def is_orthogonal(m: Mat) -> bool:
    if m.op == "transpose":
        return is_orthogonal(m.args[0])
    return m.op == "commutation" or (m.op == "symbol" and "orthogonal" in m.data[2])


def is_diagonal(m: Mat) -> bool:
    return m.op in ("identity", "diag") or (m.op == "symbol" and "diagonal" in m.data[2])


@functools.lru_cache(maxsize=KEPT)
def transpose(m: Mat) -> Mat:
    """
    >>> A, B = symbol("A", (Dim.named("m"), Dim.named("n"))), symbol("B", (Dim.named("n"), 3))
    >>> transpose(multiply(A, B)) is multiply(transpose(B), transpose(A))
    True
    """
    if m.is_number or is_symmetric(m):
        return m
    flipped = (m.columns, m.rows)
    if m.op == "sum" and (len(m.args) == 1 or not m.is_vector):
        return combine([(c, transpose(t)) for c, t in zip(m.data, m.args)])
    if m.op == "product":
        scalars, chain = split(m)
        return make("product", (*scalars, *_turned_chain(chain)), m.data, flipped)
    if m.op == "transpose":
        return m.args[0]
    if m.op == "zeros":
        return zeros(flipped)
    if m.op == "kron":
        return kron(*[transpose(a) for a in m.args])
    if m.op == "hadamard" and 1 not in m.shape and _transposes([transpose(a) for a in m.args]) <= _transposes(m.args):
        return hadamard(*[transpose(a) for a in m.args])
    if m.op == "commutation":
        return commutation(m.data[1], m.data[0], m.data[2])
    return make("transpose", (m,), (), flipped)


def invert(m: Mat) -> Mat:
    """
    >>> n = Dim.named("n")
    >>> A, Q = symbol("A", (n, n)), symbol("Q", (n, n), {"orthogonal"})
    >>> invert(transpose(A)), invert(scale(2, multiply(A, Q)))
    (<Mat A⁻ᵀ>, <Mat ½ Qᵀ A⁻¹>)
    """
    if m.rows != m.columns:
        raise ShapeError(f"the inverse of {m} of shape {m.shape} was asked for: only a square matrix has one")
    if m.is_number:
        return power(m, -1)
    c, core = peeled(m)
    if c != 1:
        return scale(_ratio(1, c), invert(core))
    if m.op == "product" and all(f.rows == f.columns for f in split(m)[1]):
        scalars, chain = split(m)
        return multiply(*[power(s, -1) for s in scalars], *[invert(f) for f in reversed(chain)])
    if m.op == "transpose":
        return transpose(invert(m.args[0]))
    if m.op == "inverse":
        return m.args[0]
    if m.op == "identity":
        return m
    if m.op == "diag":
        return diag(power(m.args[0], -1))
    if is_orthogonal(m):
        return transpose(m)
    if m.op == "kron" and all(a.rows == a.columns for a in m.args):
        return kron(*[invert(a) for a in m.args])
    return make("inverse", (m,), (), m.shape)


# ---------------------------------------------------------------- entry by entry


def hadamard(*factors: Mat) -> Mat:
    """The product entry by entry; numbers scale it. A quotient is a factor with the power −1.

    >>> u, v = symbol("u", (3,)), symbol("v", (3,))
    >>> hadamard(u, v, power(u, -1)) is v
    True
    """
    arrays = [f for f in factors if not f.is_number]
    if len(arrays) < 2:
        return multiply(*factors)
    shape = arrays[0].shape
    for f in arrays:
        if f.shape != shape:
            raise ShapeError(f"{arrays[0]} ⊙ {f}: shapes {shape} and {f.shape} differ; entry by entry they must agree")
    coefficient: Number = 1
    scalars: list[Mat] = [f for f in factors if f.is_number]
    bases: dict[Mat, Number] = {}
    for f in arrays:
        c, core = peeled(f)
        coefficient = _times(coefficient, c)
        if core.op == "product":
            scalars.extend(split(core)[0])
            core = _assembled([], list(split(core)[1]), shape)
        for piece in core.args if core.op == "hadamard" else (core,):
            base, exponent = base_of(piece)
            bases[base] = bases.get(base, 0) + exponent
    if coefficient == 0 or any(b.op == "zeros" for b in bases):
        return zeros(shape)
    every = ones(*shape)
    pieces = [_raised(b, e) for b, e in bases.items() if e and b is not every]
    return multiply(scale(coefficient, ONE), *scalars, _entrywise(pieces, shape))


def _entrywise(pieces: list[Mat], shape: tuple[Size, ...]) -> Mat:
    if not pieces:
        return ones(*shape)
    if len(pieces) == 1:
        return pieces[0]
    on_diagonal = next((p for p in pieces if is_diagonal(p)), None)
    if on_diagonal is not None and not any(base_of(p)[1] < 0 for p in pieces):
        return diag(hadamard(*[diagonal(p) for p in pieces]))
    if all(p.op == "transpose" for p in pieces):
        return transpose(hadamard(*[p.args[0] for p in pieces]))
    return make("hadamard", pieces, (), shape)


def power(m: Mat, exponent: Number) -> Mat:
    """Each entry raised to a fixed power."""
    if exponent == 0:
        return ones(*m.shape)
    if exponent == 1:
        return m
    whole = exponent == int(exponent)
    c, core = peeled(m)
    if m.op == "number":
        return _power_of_number(m.data[0], exponent)
    if whole and c != 1 and c != 0:
        inverse = exponent < 0 and not isinstance(c, float)
        return scale(_exact((Fraction(c) if inverse else c) ** int(exponent)), power(core, exponent))
    if whole and m.op == "power":
        return power(m.args[0], _exact(m.data[0] * exponent))
    if whole and m.op == "hadamard":
        return hadamard(*[power(a, exponent) for a in m.args])
    if whole and m.op == "product" and split(m)[0]:
        scalars, chain = split(m)
        rest = [power(_assembled([], list(chain), m.shape), exponent)] if chain else []
        return multiply(*[power(s, exponent) for s in scalars], *rest)
    return _raised(m, exponent)


def _raised(m: Mat, exponent: Number) -> Mat:
    if exponent == 1 or m.op == "ones":
        return m
    if m.op == "transpose":
        return transpose(_raised(m.args[0], exponent))
    return make("power", (m,), (_exact(exponent),), m.shape)


def _power_of_number(value: Number, exponent: Number) -> Mat:
    if exponent == int(exponent) and value != 0 and not isinstance(value, float):
        return number(Fraction(value) ** int(exponent))
    return number(value**exponent) if value > 0 else make("power", (number(value),), (exponent,), SCALAR)


def divide(a: Mat, b: Mat) -> Mat:
    """Entry by entry, or by a number."""
    return hadamard(a, power(b, -1))


def mapped(row: str, *args: Mat) -> Mat:
    """A row of the table that acts entry by entry: exp(Xw). Numbers among the arguments meet every entry."""
    shape = next((a.shape for a in args if not a.is_number), SCALAR)
    for a in args:
        if not a.is_number and a.shape != shape:
            raise ShapeError(f"{row}: shapes {shape} and {a.shape} differ; entry by entry they must agree")
    return make("map", args, (row,), shape)


def called(row: str, arg: Mat, shape: Sequence[Size], *others: Mat) -> Mat:
    """A composite of the table, along the rows of a matrix or on a whole vector: softmax(x)."""
    return make("call", (arg, *others), (row,), shape)


# ---------------------------------------------------------------- diagonals, traces, norms


def _drawn_out(f: Callable[[Mat], Mat], m: Mat) -> Mat | None:
    """f(c m) = c f(m) for a linear f, where there is a number or a scalar to draw out."""
    c, core = peeled(m)
    if c == 0:
        return scale(0, f(ones(*m.shape)))
    scalars, chain = split(core)
    if core.is_number or (c == 1 and not scalars):
        return None
    return multiply(number(c), *scalars, f(_assembled([], list(chain), core.shape)))


def diag(v: Mat) -> Mat:
    """The diagonal matrix of a vector."""
    if v.columns != 1:
        raise ShapeError(f"diag({v}): a column was wanted, the shape is {v.shape}")
    if v.is_number:
        return v
    if v.op == "ones":
        return identity(v.rows)
    if v.op == "zeros":
        return zeros((v.rows, v.rows))
    if v.op == "diagonal" and is_diagonal(v.args[0]):
        return v.args[0]
    return _drawn_out(diag, v) or make("diag", (v,), (), (v.rows, v.rows))


def diagonal(m: Mat) -> Mat:
    """The diagonal of a square matrix, as a column."""
    if m.rows != m.columns:
        raise ShapeError(f"the diagonal of {m} of shape {m.shape} was asked for: a square matrix was wanted")
    if m.is_number:
        return m
    if m.op == "identity":
        return ones(m.rows)
    if m.op == "zeros":
        return zeros((m.rows, 1))
    if m.op == "diag":
        return m.args[0]
    if m.op == "transpose":
        return diagonal(m.args[0])
    if m.op == "hadamard":
        return hadamard(*[diagonal(a) for a in m.args])
    outer = _outer(m)
    if outer:
        return hadamard(outer[0], transpose(outer[1]))
    return _drawn_out(diagonal, m) or make("diagonal", (m,), (), (m.rows, 1))


def _outer(m: Mat) -> tuple[Mat, Mat] | None:
    """A chain that passes through a single row or column, cut there."""
    if m.op != "product" or m.data[0]:
        return None
    cut = next((k for k, f in enumerate(m.args[:-1]) if f.columns == 1), None)
    return None if cut is None else (multiply(*m.args[: cut + 1]), multiply(*m.args[cut + 1 :]))


def trace(m: Mat) -> Mat:
    """
    >>> n = Dim.named("n")
    >>> A, x = symbol("A", (n, n)), symbol("x", (n,))
    >>> trace(multiply(A, x, transpose(x))), trace(scale(3, transpose(A)))
    (<Mat xᵀAx>, <Mat 3 tr A>)
    """
    if m.rows != m.columns:
        raise ShapeError(f"the trace of {m} of shape {m.shape} was asked for: a square matrix was wanted")
    if m.is_number:
        return m
    if m.op == "identity":
        return extent(m.rows)
    if m.op == "transpose":
        return trace(m.args[0])
    if m.op == "diag":
        return total(m.args[0])
    if m.op == "zeros":
        return ZERO
    outer = _outer(m)
    if outer:
        return multiply(outer[1], outer[0])
    if m.op == "kron" and all(a.rows == a.columns for a in m.args):
        return multiply(*[trace(a) for a in m.args])
    if m.op == "product" and not m.data[0] and are_inverse(m.args[-1], m.args[0]):
        return trace(multiply(*m.args[1:-1]))
    if m.op == "product" and not m.data[0] and _transposes(_turned_chain(m.args)) < _transposes(m.args):
        return trace(transpose(m))
    return _drawn_out(trace, m) or make("trace", (m,), (), SCALAR)


def total(m: Mat) -> Mat:
    """The sum of all entries."""
    if m.is_number:
        return m
    if m.op == "ones":
        return extent(m.rows)
    if m.op == "zeros":
        return ZERO
    if m.op == "transpose":
        return total(m.args[0])
    if m.op == "diag":
        return total(m.args[0])
    if m.op == "identity":
        return extent(m.rows)
    if m.op == "diagonal":
        return trace(m.args[0])
    if m.op == "product" and m.args[-1].op == "ones" and len(m.args) == 2 and not m.data[0]:  # no number before it
        return total(m.args[0])
    if m is ones(*m.shape):
        return multiply(extent(m.rows), extent(m.columns))
    halves = _halves(m)
    if halves:
        a, b = halves
        return multiply(transpose(a), b) if m.columns == 1 else trace(multiply(transpose(a), b))
    return _drawn_out(total, m) or make("total", (m,), (), SCALAR)


def _halves(m: Mat) -> tuple[Mat, Mat] | None:
    """u ⊙ v as two factors, neither of which is a quotient."""
    if m.op == "power" and m.data[0] == 2:
        return m.args[0], m.args[0]
    if m.op != "hadamard" or any(base_of(a)[1] < 0 for a in m.args):
        return None
    return m.args[0], hadamard(*m.args[1:])


def det(m: Mat) -> Mat:
    if m.rows != m.columns:
        raise ShapeError(f"det({m}): the shape is {m.shape}, a square matrix was wanted")
    if m.is_number:
        return m
    if m.op == "transpose":
        return det(m.args[0])
    if m.op == "inverse":
        return power(det(m.args[0]), -1)
    return ONE if m.op == "identity" else make("det", (m,), (), SCALAR)


def logdet(m: Mat) -> Mat:
    """log |det m|."""
    if m.rows != m.columns:
        raise ShapeError(f"log det({m}): the shape is {m.shape}, a square matrix was wanted")
    if m.op == "transpose":
        return logdet(m.args[0])
    if m.op == "inverse":
        return scale(-1, logdet(m.args[0]))
    return ZERO if m.op == "identity" else make("logdet", (m,), (), SCALAR)


def norm(m: Mat, kind: str = "") -> Mat:
    """‖x‖ of a vector, ‖X‖_F ("F") or the nuclear norm ‖X‖_* ("*") of a matrix."""
    kind = kind or ("2" if 1 in m.shape else "F")
    if kind not in ("2", "F", "*") or (kind == "2" and 1 not in m.shape):
        raise InputError(f"norm {kind!r} of {m}: 2 of a vector, F or * of a matrix")
    c, core = peeled(m)
    if c == 0:
        return ZERO
    if core.op == "kron" and kind == "F":
        return scale(abs(c), multiply(*[norm(a) for a in core.args]))
    if core.op == "transpose" or c != 1:
        return scale(abs(c), norm(core.args[0] if core.op == "transpose" else core, kind))
    return make("norm", (m,), (kind,), SCALAR)


# ---------------------------------------------------------------- Kronecker products and vec


def kron(*factors: Mat) -> Mat:
    """
    >>> n, k = Dim.named("n"), Dim.named("k")
    >>> kron(identity(n), identity(k)) is identity(n * k)
    True
    """
    coefficient: Number = 1
    scalars: list[Mat] = []
    left: list[Mat] = []
    rows: Size = 1
    columns: Size = 1
    for factor in factors:
        rows, columns = rows * factor.rows, columns * factor.columns
        c, core = peeled(factor)
        coefficient = _times(coefficient, c)
        found, chain = split(core)
        scalars.extend(s for s in found if s is not ONE)
        core = _assembled([], list(chain), core.shape) if chain else ONE
        for piece in core.args if core.op == "kron" else (core,):
            if piece is ONE:
                continue
            joined = bool(left) and left[-1].op == piece.op and piece.op in ("identity", "ones")
            left = [*left[:-1], _joined(left[-1], piece)] if joined else [*left, piece]
    if coefficient == 0 or any(f.op == "zeros" for f in left):
        return zeros((rows, columns))
    whole = left[0] if len(left) == 1 else make("kron", left, (), (rows, columns)) if left else ONE
    return multiply(scale(coefficient, ONE), *scalars, whole)


def _joined(a: Mat, b: Mat) -> Mat:
    return identity(a.rows * b.rows) if a.op == "identity" else ones(a.rows * b.rows)


def vec(m: Mat, order: Order = "row") -> Mat:
    """The entries as one column: row after row, or column after column."""
    if m.columns == 1:
        return m
    if m.rows == 1:
        return transpose(m)
    size = m.rows * m.columns
    if m.op == "zeros":
        return zeros((size, 1))
    if m is ones(*m.shape):
        return ones(size)
    outer = _outer(m)
    if outer:
        u, v = outer[0], transpose(outer[1])
        return kron(u, v) if order == "row" else kron(v, u)
    return _drawn_out(lambda a: vec(a, order), m) or make("vec", (m,), (order,), (size, 1))


# ---------------------------------------------------------------- index notation


@dataclass(frozen=True)
class Indices:
    """One term in index notation: coefficient · Π factors · Π δ; `labels` has those of each factor, in order."""

    coefficient: Number
    labels: tuple[tuple[int, ...], ...]
    deltas: tuple[tuple[int, int], ...] = ()


def indexed(
    out: Sequence[int],
    terms: Sequence[tuple[Indices, Sequence[Mat]]],
    sizes: Mapping[int, Size],
    reason: str,
) -> Mat:
    """A sum of tensor networks in index notation, for what has no matrix form; `reason` says why it has none."""
    args = [factor for _, factors in terms for factor in factors]
    known = tuple(sorted({j: sizes[j] for j in _labels(out, [t for t, _ in terms])}.items()))
    shape = tuple(sizes[j] for j in out)
    data = (tuple(out), tuple(t for t, _ in terms), known, reason)
    return make("indexed", args, data, two_axes(shape) if len(shape) < 3 else shape)


def _labels(out: Sequence[int], terms: Sequence[Indices]) -> Iterator[int]:
    yield from out
    for term in terms:
        for group in (*term.labels, *term.deltas):
            yield from group


def index_terms(m: Mat) -> list[tuple[Indices, tuple[Mat, ...]]]:
    """The terms of a node in index notation, each with its factors."""
    rest = iter(m.args)
    return [(t, tuple([next(rest) for _ in t.labels])) for t in m.data[1]]


def reason(m: Mat) -> str:
    """Why a part of the formula is in index notation; empty where all of it is matrix notation."""
    return next((node.data[3] for node in parts_first(m) if node.op == "indexed"), "")


# ---------------------------------------------------------------- rebuilding

_BUILD: dict[str, Callable[..., Mat]] = {
    "sum": lambda m, *a: combine(list(zip(m.data, a))),
    "product": lambda m, *a: multiply(*a),
    "transpose": lambda m, a: transpose(a),
    "inverse": lambda m, a: invert(a),
    "hadamard": lambda m, *a: hadamard(*a),
    "power": lambda m, a: power(a, m.data[0]),
    "map": lambda m, *a: mapped(m.data[0], *a),
    "diag": lambda m, a: diag(a),
    "diagonal": lambda m, a: diagonal(a),
    "trace": lambda m, a: trace(a),
    "total": lambda m, a: total(a),
    "det": lambda m, a: det(a),
    "logdet": lambda m, a: logdet(a),
    "norm": lambda m, a: norm(a, m.data[0]),
    "kron": lambda m, *a: kron(*a),
    "vec": lambda m, a: vec(a, m.data[0]),
}


def rebuilt(m: Mat, args: Sequence[Mat]) -> Mat:
    """The node with other parts, in canonical form."""
    if all(a is b for a, b in zip(args, m.args)):
        return m
    build = _BUILD.get(m.op)
    return build(m, *args) if build else make(m.op, args, m.data, m.shape)


def replaced(m: Mat, swap: Mapping[Mat, Mat]) -> Mat:
    """The formula with some nodes replaced by others of the same shapes."""
    done = dict(swap)
    for node in parts_first(m):
        if node not in done:
            done[node] = rebuilt(node, [done[a] for a in node.args])
    return done[m]


# ---------------------------------------------------------------- collecting


def collect(m: Mat) -> Mat:
    """Common factors taken out of every sum in the formula.

    >>> m, n = Dim.named("m"), Dim.named("n")
    >>> X, y, w = symbol("X", (m, n)), symbol("y", (m,)), symbol("w", (n,))
    >>> collect(combine([(2, multiply(transpose(X), X, w)), (-2, multiply(transpose(X), y))]))
    <Mat 2 Xᵀ(Xw − y)>
    """
    done: dict[Mat, Mat] = {}
    for node in parts_first(m):
        done[node] = _factored(rebuilt(node, [done[a] for a in node.args]))
    return done[m]


def _factored(m: Mat) -> Mat:
    """Groups of terms with a common first, last or scalar factor are drawn together, the largest group first."""
    if m.op != "sum" or len(m.args) < 2:
        return m
    found = _largest_group(m)
    if found is None:
        return _common_number(m)
    side, factor, group = found
    terms = list(zip(m.data, m.args))
    inside = _factored(combine([(c, _without(t, side, factor)) for k, (c, t) in enumerate(terms) if k in group]))
    join = hadamard if side == "entrywise" else multiply
    whole = join(inside, factor) if side == "right" else join(factor, inside)
    if len(group) == len(terms):
        return whole
    rest = [t for k, t in enumerate(terms) if k not in group]
    joined = [*rest[: min(group)], (1, whole), *rest[min(group) :]]
    return _factored(_sum([(_times(c, d), t) for c, w in joined for d, t in terms_of(w)], m.shape))


_SIDES: dict[str, Callable[[Mat], tuple[Mat, ...]]] = {
    "left": lambda t: split(t)[1][:1] if len(split(t)[1]) > 1 else (),
    "right": lambda t: split(t)[1][-1:] if len(split(t)[1]) > 1 else (),
    "scalar": lambda t: split(t)[0] if t.op == "product" and len(t.args) > 1 else (),
    "entrywise": lambda t: _entry_factors(t),
}


def _entry_factors(t: Mat) -> tuple[Mat, ...]:
    return t.args if t.op == "hadamard" else ()


def _largest_group(m: Mat) -> tuple[str, Mat, list[int]] | None:
    best: tuple[str, Mat, list[int]] | None = None
    for side, factors in _SIDES.items():
        holders: dict[Mat, list[int]] = {}
        for k, term in enumerate(m.args):
            for factor in dict.fromkeys(factors(term)):
                holders.setdefault(factor, []).append(k)
        for factor, group in holders.items():
            if len(group) > 1 and (best is None or len(group) > len(best[2])):
                best = (side, factor, group)
    return best


def _without(term: Mat, side: str, factor: Mat) -> Mat:
    """The term with the factor taken out of its place."""
    if side == "entrywise":
        left = list(term.args)
        left.remove(factor)
        return hadamard(*left)
    scalars, chain = split(term)
    if side == "scalar":
        kept = list(scalars)
        kept.remove(factor)
        return multiply(*kept, *chain)
    return multiply(*scalars, *(chain[1:] if side == "left" else chain[:-1]))


def _common_number(m: Mat) -> Mat:
    """2 A + 2 Aᵀ is 2 (A + Aᵀ), −A − Aᵀ is −(A + Aᵀ): a number that divides all coefficients is drawn out."""
    c = -content(m.data) if all(k < 0 for k in m.data) else content(m.data)
    if c == 1:
        return m
    inside = make("sum", m.args, tuple(_ratio(k, c) for k in m.data), m.shape)
    return make("sum", (inside,), (c,), m.shape)


def _ratio(a: Number, b: Number) -> Number:
    return a / b if isinstance(a, float) or isinstance(b, float) else _exact(Fraction(a) / b)


def content(coefficients: Sequence[Number]) -> Number:
    """The largest number that leaves whole coefficients without a common divisor; 1 where floats differ."""
    sizes = {abs(c) for c in coefficients}
    if len(sizes) == 1:
        return _exact(sizes.pop())
    if any(isinstance(c, float) for c in coefficients):
        return 1
    exact = [Fraction(c) for c in sizes]
    below = math.lcm(*[c.denominator for c in exact])
    return _exact(Fraction(math.gcd(*[int(c * below) for c in exact]), below))


# ---------------------------------------------------------------- numbers


def sizes_in(m: Mat, values: Mapping[Any, Any]) -> dict[str, int]:
    """The named sizes, read off the values of the symbols."""
    found: dict[str, int] = {}
    for node in parts_first(m):
        if node.op == "symbol" and node.data[0] in values:
            _bind(node.data[0], node.data[1], np.shape(values[node.data[0]]), found)
        if node.op == "tensor":
            for x in inputs_of([node.data[0]]):
                if str(x.name) in values:
                    _bind(str(x.name), x.shape, np.shape(values[str(x.name)]), found)
    return found


def _bind(name: str, shape: Sequence[Size], got: tuple[int, ...], found: dict[str, int]) -> None:
    if len(shape) != len(got):
        raise ShapeError(f"{name} has shape {tuple(shape)}, the value that was given has {got}")
    for size, count in zip(shape, got):
        plain = isinstance(size, Dim) and size.names() == (str(size),)
        if plain and found.setdefault(str(size), count) != count:
            raise ShapeError(f"{name}: the size {size} is {count} here and {found[str(size)]} elsewhere")


def evaluate(m: Mat, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None) -> np.ndarray:
    """The value of a formula, as an array of two axes (more for tensors): `values` gives its symbols by name.

    >>> A, x = symbol("A", (2, 2)), symbol("x", (2,))
    >>> evaluate(multiply(transpose(A), x), {"A": [[1, 2], [3, 4]], "x": [1, 1]}).tolist()
    [[4.0], [6.0]]
    """
    known = sizes_in(m, values) | dict(sizes or {})
    done: dict[Mat, np.ndarray] = {}
    context = (values, known)
    for node in parts_first(m):
        shape = tuple(size_of(n, known) for n in node.shape)
        result = _VALUE[node.op](node, context, *[done[a] for a in node.args])
        done[node] = np.asarray(result, dtype=float).reshape(shape)
    return done[m]


def size_of(size: Size, known: Mapping[str, int]) -> int:
    return size.evaluate(known) if isinstance(size, Dim) else size


def _value_of_symbol(m: Mat, context: Any) -> Any:
    if m.data[0] not in context[0]:
        raise InputError(f"{m.data[0]} has no value here; given were {', '.join(context[0]) or 'none'}")
    return context[0][m.data[0]]


def _value_of_tensor(m: Mat, context: Any) -> Any:
    values, known = context
    (concrete,) = concretize([m.data[0]], known)
    return run([concrete], {x: values[str(x.name)] for x in inputs_of([concrete]) if str(x.name) in values})[0]


def _value_of_product(m: Mat, context: Any, *factors: np.ndarray) -> Any:
    k = m.data[0]
    scalars = math.prod(f.item() for f in factors[:k])
    return scalars * (np.linalg.multi_dot(factors[k:]) if len(factors) - k > 1 else factors[k] if factors[k:] else 1)


def _value_of_map(m: Mat, context: Any, *args: np.ndarray) -> Any:
    return np.asarray(TABLE[m.data[0]](*args))


def _value_of_call(m: Mat, context: Any, *args: np.ndarray) -> Any:
    """Composites act along the last axis: on a column they act along it."""
    flat = [a[:, 0] if arg.columns == 1 else a for a, arg in zip(args, m.args)]
    axis = flat[0].ndim - 1
    return TABLE[m.data[0]](*flat, params=CALLS[m.data[0]](axis))


CALLS: dict[str, Callable[[int], tuple[Any, ...]]] = {
    "softmax": lambda axis: (axis,),
    "log_softmax": lambda axis: (axis,),
    "logsumexp": lambda axis: (axis, False),
    "amax": lambda axis: ((axis,), False),
    "amin": lambda axis: ((axis,), False),
    "prod": lambda axis: ((axis,), False),
    "cross_entropy": lambda axis: (),
    "cumsum": lambda axis: (axis,),
}


def _value_of_commutation(m: Mat, context: Any) -> Any:
    q, s = (size_of(n, context[1]) for n in m.data[:2])
    q, s = (q, s) if m.data[2] == "row" else (s, q)
    return np.eye(q * s).reshape(q, s, q * s).transpose(1, 0, 2).reshape(q * s, q * s)


def index_letters(out: Sequence[int], groups: Sequence[Sequence[int]]) -> dict[int, str]:
    """A letter for each label of one term."""
    return dict(zip(dict.fromkeys([*out, *[j for group in groups for j in group]]), letters(52)))


def _value_of_indexed(m: Mat, context: Any, *factors: np.ndarray) -> Any:
    out, terms, known, _ = m.data
    sizes = {j: size_of(n, context[1]) for j, n in known}
    rest = iter(factors)
    result = np.zeros([sizes[j] for j in out])
    for term in terms:
        operands = [next(rest).reshape([sizes[j] for j in labels]) for labels in term.labels]
        operands += [np.eye(sizes[a]) for a, _ in term.deltas]
        labels = [*term.labels, *term.deltas]
        missing = [j for j in out if not any(j in group for group in labels)]
        names = index_letters(out, labels)
        spec = ",".join("".join(names[j] for j in group) for group in [*labels, *[(j,) for j in missing]])
        operands += [np.ones(sizes[j]) for j in missing]
        result = result + float(term.coefficient) * np.einsum(f"{spec}->{''.join(names[j] for j in out)}", *operands)
    return result


_VALUE: dict[str, Callable[..., Any]] = {
    "number": lambda m, _: float(m.data[0]),
    "symbol": _value_of_symbol,
    "tensor": _value_of_tensor,
    "identity": lambda m, context: np.eye(size_of(m.rows, context[1])),
    "ones": lambda m, context: np.ones(size_of(m.rows, context[1])),
    "zeros": lambda m, context: np.zeros([size_of(n, context[1]) for n in m.shape]),
    "extent": lambda m, context: size_of(m.data[0], context[1]),
    "commutation": _value_of_commutation,
    "sum": lambda m, _, *terms: sum(float(c) * t for c, t in zip(m.data, terms)),
    "product": _value_of_product,
    "transpose": lambda m, _, a: a.T,
    "inverse": lambda m, _, a: np.linalg.inv(a),
    "hadamard": lambda m, _, *factors: math.prod(factors[1:], start=factors[0]),
    "power": lambda m, _, a: a ** float(m.data[0]),
    "map": _value_of_map,
    "call": _value_of_call,
    "diag": lambda m, _, a: np.diag(a[:, 0]),
    "diagonal": lambda m, _, a: np.diagonal(a),
    "trace": lambda m, _, a: np.trace(a),
    "total": lambda m, _, a: a.sum(),
    "det": lambda m, _, a: np.linalg.det(a),
    "logdet": lambda m, _, a: np.linalg.slogdet(a)[1],
    "norm": lambda m, _, a: np.linalg.norm(a, {"2": None, "F": "fro", "*": "nuc"}[m.data[0]]),
    "kron": lambda m, _, *factors: _kron(factors),
    "vec": lambda m, _, a: a.reshape(-1, order="C" if m.data[0] == "row" else "F"),
    "indexed": _value_of_indexed,
}


def _kron(factors: Sequence[np.ndarray]) -> np.ndarray:
    whole = factors[0]
    for f in factors[1:]:
        whole = np.kron(whole, f)
    return whole
