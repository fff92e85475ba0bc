"""The summands of a structured matrix: what each is, and how to form it, multiply by it and read its diagonal.

A Hessian H of a scalar function of an array x of shape S (N numbers) is a sum of blocks. A block sees the flattened
N×N matrix, or the axes of S where its docstring says so. Nothing is computed when a block is made.

Three kinds (`Diagonal`, `Kronecker`, `Batched`) are a product of small arrays times Kronecker deltas between an axis of
the row index and the same axis of the column index ("tied" axes). All that they are asked follows from one view: label
the row axes 0 … d−1 and the column axes d … 2d−1, give a tied pair one label, and let einsum give the *view* of the
result in which tied axes run together. The product is written there and zeros are left everywhere else; no identity
matrix and no Kronecker product is ever formed.

Xᵀ diag(s) X with s ≥ 0 is YᵀY with Y = √s X, which NumPy gives to BLAS as a symmetric product (syrk): half of the
multiplications. With s of both signs a large one is formed by its block columns, one triangle only, and mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from string import ascii_letters
from typing import Any

import numpy as np

from tangently.errors import InputError, ShapeError, a_type
from tangently.structured.patterns import Pattern

Shape = tuple[int, ...]
Number = Any  # a Python or NumPy number
Factors = tuple[np.ndarray, np.ndarray | None, np.ndarray]  # U (N×r), C (r×r, or r for a diagonal, or none), V: U C Vᵀ
PANEL = 256  # columns of one panel when one triangle of a symmetric product is formed by hand


class Block:
    """One summand. `shape` is S; matrices are N×N; `V` has shape (N, k)."""

    __slots__ = ()
    full = True  # does its dense form have a number at every place?

    def arrays(self) -> tuple[Any, ...]:
        """What decides the type of the numbers."""
        raise NotImplementedError

    def extent(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns."""
        raise NotImplementedError

    def check(self, shape: Shape) -> None:
        """Refuse a block that is no N×N matrix."""
        n = math.prod(shape)
        if (got := self.extent(shape)) != (n, n):
            raise ShapeError(
                f"a {type(self).__name__} block of {got[0]}×{got[1]} in the Hessian of an array of shape {shape}: "
                f"that Hessian is {n}×{n}. Give blocks of that size, or place a smaller one with Placed."
            )

    def dense(self, shape: Shape) -> np.ndarray:
        """The block as a matrix."""
        raise NotImplementedError

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        """Add the block to a matrix."""
        out += self.dense(shape)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        """The block times columns."""
        raise NotImplementedError

    def diagonal(self, shape: Shape) -> np.ndarray:
        """The N numbers on the diagonal."""
        return np.diagonal(self.dense(shape))

    def scaled(self, c: Number) -> Block:
        """c times the block."""
        raise NotImplementedError

    def transposed(self) -> Block:
        """The transposed block."""
        raise NotImplementedError

    def factors(self) -> Factors | None:
        """U, C, V where the block is a product U C Vᵀ."""
        return None

    def coordinates(self, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Rows, columns and values where the block is sparse."""
        return None

    def count(self, shape: Shape) -> int:
        """The number of places that may be other than zero."""
        return math.prod(self.extent(shape))


class Tied(Block):
    """A product of small arrays, and deltas that tie an axis of the row to the same axis of the column."""

    __slots__ = ()
    full = False

    def tied(self, shape: Shape) -> frozenset[int]:
        """The axes a with δ(row index a, column index a)."""
        raise NotImplementedError

    def pieces(self, shape: Shape) -> list[tuple[Any, tuple[int, ...]]]:
        """The arrays of the product, each with a label for every axis; the first may be a number."""
        raise NotImplementedError

    def extent(self, shape: Shape) -> tuple[int, int]:
        n = math.prod(shape)
        return n, n

    def dense(self, shape: Shape) -> np.ndarray:
        kind = np.result_type(*(array for array, _ in self.pieces(shape)), np.float32)
        if self.tied(shape) == frozenset():
            made = np.asarray(self.product(shape, range(2 * len(shape))), kind)
            theirs = any(np.may_share_memory(made, array) for array in self.arrays())
            return (made.copy() if theirs else made).reshape(self.extent(shape))
        out = np.zeros(shape + shape, kind)
        view, labels = self._view(out, tuple(range(2 * len(shape))), shape)
        view[...] = self.product(shape, labels)
        return out.reshape(self.extent(shape))

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        self.add_into(out.reshape(shape + shape), tuple(range(2 * len(shape))), shape)

    def add_into(self, out: np.ndarray, labels: tuple[int, ...], shape: Shape) -> None:
        """Add to an array whose axes are `labels`: some tied pairs may already be one axis there."""
        view, labels = self._view(out, labels, shape)
        view += self.product(shape, labels)

    def _view(self, out: np.ndarray, labels: tuple[int, ...], shape: Shape) -> tuple[np.ndarray, tuple[int, ...]]:
        d, tied = len(shape), self.tied(shape)
        run = [a - d if a >= d and a - d in tied else a for a in labels]
        together = tuple(dict.fromkeys(run))
        return (out, labels) if len(together) == len(run) else (np.einsum(out, run, together), together)

    def product(self, shape: Shape, labels: Sequence[int]) -> Any:
        """The product of the pieces, ready to be broadcast to axes `labels`."""
        return reduce(np.multiply, (_spread(array, own, labels) for array, own in self.pieces(shape)))

    def diagonal(self, shape: Shape) -> np.ndarray:
        d = len(shape)
        total: Any = 1
        for array, own in self.pieces(shape):
            run = [a - d if a >= d else a for a in own]
            array = np.einsum(array, run, list(dict.fromkeys(run))) if own else array
            total = total * _spread(array, tuple(dict.fromkeys(run)), range(d))
        return np.broadcast_to(total, shape).reshape(-1)

    def coordinates(self, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        d, tied = len(shape), self.tied(shape)
        index = np.arange(math.prod(shape)).reshape(shape)
        right = tuple(a if a in tied else a + d for a in range(d))
        labels = tuple(range(d)) + tuple(a for a in right if a >= d)
        rows, cols = _spread(index, tuple(range(d)), labels), _spread(index, right, labels)
        rows, cols, values = np.broadcast_arrays(rows, cols, self.product(shape, labels))
        return rows.reshape(-1), cols.reshape(-1), values.reshape(-1)

    def count(self, shape: Shape) -> int:
        tied = self.tied(shape)
        return math.prod(shape) * math.prod(size for a, size in enumerate(shape) if a not in tied)


def _spread(array: Any, own: Sequence[int], labels: Sequence[int]) -> Any:
    """The array with its axes in the order of `labels`, and an axis of size 1 for every label that it lacks."""
    if not own:
        return array
    kept = [a for a in labels if a in own]
    array = np.transpose(array, [own.index(a) for a in kept])
    sizes = iter(array.shape)
    return array.reshape([next(sizes) if a in own else 1 for a in labels])


class Diagonal(Tied):
    """diag(v): v has N numbers, or shape S.

    >>> Diagonal(np.array([1.0, 2.0])).dense((2,))
    array([[1., 0.],
           [0., 2.]])
    """

    __slots__ = ("values",)

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def arrays(self) -> tuple[Any, ...]:
        return (self.values,)

    def extent(self, shape: Shape) -> tuple[int, int]:
        return np.size(self.values), np.size(self.values)

    def tied(self, shape: Shape) -> frozenset[int]:
        return frozenset(range(len(shape)))

    def pieces(self, shape: Shape) -> list[tuple[Any, tuple[int, ...]]]:
        return [(np.reshape(self.values, shape), tuple(range(len(shape))))]

    def dense(self, shape: Shape) -> np.ndarray:
        values = np.asarray(self.values).reshape(-1)
        out = np.zeros((values.size, values.size), np.result_type(values, np.float32))
        out.reshape(-1)[:: values.size + 1] = values
        return out

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        out.reshape(-1)[:: len(out) + 1] += np.reshape(self.values, -1)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return np.reshape(self.values, (-1, 1)) * V

    def diagonal(self, shape: Shape) -> np.ndarray:
        return np.asarray(self.values).reshape(-1)

    def scaled(self, c: Number) -> Diagonal:
        return Diagonal(c * np.asarray(self.values))

    def transposed(self) -> Diagonal:
        return self


class Scaled(Tied):
    """c·I.

    >>> Scaled(3.0).dense((2,))
    array([[3., 0.],
           [0., 3.]])
    """

    __slots__ = ("c",)

    def __init__(self, c: Number) -> None:
        self.c = c

    def arrays(self) -> tuple[Any, ...]:
        return (self.c,)

    def tied(self, shape: Shape) -> frozenset[int]:
        return frozenset(range(len(shape)))

    def pieces(self, shape: Shape) -> list[tuple[Any, tuple[int, ...]]]:
        return [(self.c, ())]

    def dense(self, shape: Shape) -> np.ndarray:
        return Diagonal(self.diagonal(shape)).dense(shape)

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        out.reshape(-1)[:: len(out) + 1] += self.c

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return self.c * V

    def scaled(self, c: Number) -> Scaled:
        return Scaled(c * self.c)

    def transposed(self) -> Scaled:
        return self


class Kronecker(Tied):
    """c · M₁ ⊗ M₂ ⊗ … over the axes of S: H[(i, j), (k, l)] = c · M₁[i, k] M₂[j, l]. A factor None is an identity.

    >>> Kronecker(2.0, (None, np.array([[1.0, 5.0], [5.0, 1.0]]))).dense((2, 2))
    array([[ 2., 10.,  0.,  0.],
           [10.,  2.,  0.,  0.],
           [ 0.,  0.,  2., 10.],
           [ 0.,  0., 10.,  2.]])
    """

    __slots__ = ("c", "matrices")

    def __init__(self, c: Number, matrices: tuple[np.ndarray | None, ...]) -> None:
        self.c, self.matrices = c, matrices

    def arrays(self) -> tuple[Any, ...]:
        return (self.c, *(m for m in self.matrices if m is not None))

    def check(self, shape: Shape) -> None:
        got = tuple(m if m is None else m.shape for m in self.matrices)
        if len(got) != len(shape) or any(g not in (None, (s, s)) for g, s in zip(got, shape)):
            raise ShapeError(
                f"a Kronecker block with factors of shapes {got} (None: identity) over the axes of {shape}: "
                "there must be one square factor for every axis, as large as the axis."
            )

    def tied(self, shape: Shape) -> frozenset[int]:
        return frozenset(a for a, m in enumerate(self.matrices) if m is None)

    def pieces(self, shape: Shape) -> list[tuple[Any, tuple[int, ...]]]:
        d = len(shape)
        return [(self.c, ()), *((m, (a, a + d)) for a, m in enumerate(self.matrices) if m is not None)]

    def product(self, shape: Shape, labels: Sequence[int]) -> Any:
        """Broadcast small to large: c times one factor is cheap, c times the product is not."""
        first, *rest = (_spread(array, own, labels) for array, own in self.pieces(shape)[1:] or [(1, ())])
        return reduce(np.multiply, rest, first if isinstance(self.c, int | float) and self.c == 1 else self.c * first)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        out = V.reshape(*shape, -1)
        for a, m in enumerate(self.matrices):
            if m is not None:
                left, right = math.prod(shape[:a]), math.prod(shape[a + 1 :]) * V.shape[1]
                # One large product where the axis is the last, and a stack of products elsewhere.
                out = out.reshape(left, shape[a]) @ m.T if right == 1 else m @ out.reshape(left, shape[a], right)
        return self.c * out.reshape(V.shape)

    def scaled(self, c: Number) -> Kronecker:
        return Kronecker(c * self.c, self.matrices)

    def transposed(self) -> Kronecker:
        return Kronecker(self.c, tuple(m if m is None else m.T for m in self.matrices))


class Batched(Tied):
    """Blocks along shared axes: M has shape S_batch + S_rest + S_rest, H[(b, r), (b', r')] = δ(b, b') M[b, r, r'].

    >>> Batched((0,), np.array([[[1.0, 2.0], [2.0, 1.0]], [[3.0, 0.0], [0.0, 4.0]]])).dense((2, 2))
    array([[1., 2., 0., 0.],
           [2., 1., 0., 0.],
           [0., 0., 3., 0.],
           [0., 0., 0., 4.]])
    """

    __slots__ = ("axes", "values")

    def __init__(self, axes: tuple[int, ...], values: np.ndarray) -> None:
        self.axes, self.values = axes, values

    def arrays(self) -> tuple[Any, ...]:
        return (self.values,)

    def check(self, shape: Shape) -> None:
        if set(self.axes) - set(range(len(shape))):
            raise ShapeError(f"a Batched block over axes {self.axes} of an array of shape {shape}: no such axes.")
        rest = tuple(s for a, s in enumerate(shape) if a not in self.axes)
        want = tuple(shape[a] for a in self.axes) + rest + rest
        if self.values.shape != want:
            raise ShapeError(
                f"a Batched block over axes {self.axes} of an array of shape {shape} has values of shape "
                f"{self.values.shape}: wanted {want} (the shared axes, the others, the others again)."
            )

    def tied(self, shape: Shape) -> frozenset[int]:
        return frozenset(self.axes)

    def pieces(self, shape: Shape) -> list[tuple[Any, tuple[int, ...]]]:
        d = len(shape)
        rest = tuple(a for a in range(d) if a not in self.axes)
        return [(self.values, (*self.axes, *rest, *(a + d for a in rest)))]

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        order = [*self.axes, *(a for a in range(len(shape)) if a not in self.axes), len(shape)]
        batch = math.prod(shape[a] for a in self.axes)
        moved = V.reshape(*shape, V.shape[1]).transpose(order)
        size = math.prod(shape) // batch if batch else 0
        out = self.values.reshape(batch, size, size) @ moved.reshape(batch, size, V.shape[1])
        return out.reshape(moved.shape).transpose(np.argsort(order)).reshape(V.shape)

    def scaled(self, c: Number) -> Batched:
        return Batched(self.axes, c * self.values)

    def transposed(self) -> Batched:
        b = len(self.axes)
        r = (self.values.ndim - b) // 2
        return Batched(self.axes, self.values.transpose([*range(b), *range(b + r, b + 2 * r), *range(b, b + r)]))


class Dense(Block):
    """A matrix without structure, N×N or of shape S + S. `owned`: made for this Hessian, so it may be handed out.

    >>> Dense(np.eye(2)).apply(np.array([[1.0], [2.0]]), (2,))
    array([[1.],
           [2.]])
    """

    __slots__ = ("owned", "values")

    def __init__(self, values: np.ndarray, owned: bool = False) -> None:
        self.values, self.owned = values, owned

    def arrays(self) -> tuple[Any, ...]:
        return (self.values,)

    def extent(self, shape: Shape) -> tuple[int, int]:
        got = np.shape(self.values)
        if got == shape + shape:
            return math.prod(shape), math.prod(shape)
        return got if len(got) == 2 else (math.prod(got[: len(got) // 2]), math.prod(got[len(got) // 2 :]))

    def matrix(self, shape: Shape) -> np.ndarray:
        """The caller's own numbers, as a matrix."""
        return np.asarray(self.values).reshape(self.extent(shape))

    def dense(self, shape: Shape) -> np.ndarray:
        m = self.matrix(shape)
        return m if self.owned else m.astype(np.result_type(m, np.float32))

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        out += self.matrix(shape)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return self.matrix(shape) @ V

    def diagonal(self, shape: Shape) -> np.ndarray:
        return np.diagonal(self.matrix(shape))

    def scaled(self, c: Number) -> Dense:
        return Dense(c * np.asarray(self.values), owned=True)

    def transposed(self) -> Dense:
        half = np.ndim(self.values) // 2
        return Dense(np.transpose(self.values, [*range(half, 2 * half), *range(half)]))


class Congruence(Block):
    """Aᵀ diag(s) B: A and B of shape (k, N), s of k numbers or None (ones); B left out is A.

    >>> Congruence(np.array([[1.0, 2.0]]), np.array([3.0])).dense((2,))
    array([[ 3.,  6.],
           [ 6., 12.]])
    """

    __slots__ = ("A", "B", "s")

    def __init__(self, A: np.ndarray, s: np.ndarray | None = None, B: np.ndarray | None = None) -> None:
        self.A, self.s, self.B = A, s, A if B is None else B

    def arrays(self) -> tuple[Any, ...]:
        return (self.A, self.B) if self.s is None else (self.A, self.s, self.B)

    def check(self, shape: Shape) -> None:
        super().check(shape)
        k = {len(self.A), len(self.B)} | ({len(self.s)} if self.s is not None else set())
        if len(k) > 1:
            s = "" if self.s is None else f"diag of {np.shape(self.s)} · "
            raise ShapeError(f"{self.A.shape}ᵀ · {s}{self.B.shape} do not conform: their first axes differ.")

    def extent(self, shape: Shape) -> tuple[int, int]:
        return self.A.shape[1], self.B.shape[1]

    def dense(self, shape: Shape) -> np.ndarray:
        return weighted_gram(self.A, self.s) if self.A is self.B else self.A.T @ _times_rows(self.s, self.B)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return self.A.T @ _times_rows(self.s, self.B @ V)

    def diagonal(self, shape: Shape) -> np.ndarray:
        return np.einsum("ki,ki->i", self.A, _times_rows(self.s, self.B))

    def scaled(self, c: Number) -> Congruence:
        s = np.full(len(self.A), c, self.A.dtype) if self.s is None else c * self.s
        return Congruence(self.A, s, self.B)

    def transposed(self) -> Congruence:
        return Congruence(self.B, self.s, self.A)

    def factors(self) -> Factors:
        left = self.A.T
        return left, self.s, left if self.A is self.B else self.B.T


def _times_rows(s: np.ndarray | None, A: np.ndarray) -> np.ndarray:
    return A if s is None else s[:, None] * A


def weighted_gram(A: np.ndarray, s: np.ndarray | None) -> np.ndarray:
    """Aᵀ diag(s) A, by half of the multiplications where the signs of s or the size allow it.

    >>> weighted_gram(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0]))
    array([[1., 2.],
           [2., 3.]])
    """
    if s is None:
        return A.T @ A
    if len(s) and s.min() >= 0:
        Y = np.sqrt(s)[:, None] * A
        return Y.T @ Y
    if len(s) and s.max() <= 0:
        Y = np.sqrt(-s)[:, None] * A
        return np.negative(C := Y.T @ Y, out=C)
    return A.T @ (s[:, None] * A) if A.shape[1] < 2 * PANEL else _one_triangle(A, s[:, None] * A)


def _one_triangle(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """AᵀB where it is symmetric: panels on and below the diagonal, mirrored."""
    n = A.shape[1]
    out = np.empty((n, n), np.result_type(A, B))
    for j in range(0, n, PANEL):
        np.matmul(A[:, j:].T, B[:, j : j + PANEL], out=out[j:, j : j + PANEL])
        out[j : j + PANEL, j + PANEL :] = out[j + PANEL :, j : j + PANEL].T
    return out


class Outer(Block):
    """c·u vᵀ: rank one.

    >>> Outer(2.0, np.array([1.0, 0.0]), np.array([1.0, 3.0])).dense((2,))
    array([[2., 6.],
           [0., 0.]])
    """

    __slots__ = ("c", "u", "v")

    def __init__(self, c: Number, u: np.ndarray, v: np.ndarray) -> None:
        self.c, self.u, self.v = c, u, v

    def arrays(self) -> tuple[Any, ...]:
        return self.c, self.u, self.v

    def extent(self, shape: Shape) -> tuple[int, int]:
        return np.size(self.u), np.size(self.v)

    def dense(self, shape: Shape) -> np.ndarray:
        return np.multiply.outer(self.c * self.u.reshape(-1), self.v.reshape(-1))

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return np.multiply.outer(self.c * self.u.reshape(-1), self.v.reshape(-1) @ V)

    def diagonal(self, shape: Shape) -> np.ndarray:
        return self.c * self.u.reshape(-1) * self.v.reshape(-1)

    def scaled(self, c: Number) -> Outer:
        return Outer(c * self.c, self.u, self.v)

    def transposed(self) -> Outer:
        return Outer(self.c, self.v, self.u)

    def factors(self) -> Factors:
        left = self.u.reshape(-1, 1)
        right = left if self.u is self.v else self.v.reshape(-1, 1)
        return left, np.asarray(self.c, np.result_type(self.c, self.u, np.float32)).reshape(1), right


class LowRank(Block):
    """U C Vᵀ: U and V of shape (N, r), C of shape (r, r), or r numbers for a diagonal, or None.

    >>> LowRank(np.array([[1.0], [2.0]]), None, np.array([[1.0], [2.0]])).dense((2,))
    array([[1., 2.],
           [2., 4.]])
    """

    __slots__ = ("C", "U", "V")

    def __init__(self, U: np.ndarray, C: np.ndarray | None, V: np.ndarray) -> None:
        self.U, self.C, self.V = U, C, V

    def arrays(self) -> tuple[Any, ...]:
        return (self.U, self.V) if self.C is None else (self.U, self.C, self.V)

    def check(self, shape: Shape) -> None:
        super().check(shape)
        r, q = self.U.shape[1], self.V.shape[1]
        inner = (r, q) if self.C is None else np.shape(self.C)
        if inner not in ((r,), (r, q)) or ((len(inner) == 1 or self.C is None) and r != q):
            raise ShapeError(f"{self.U.shape} · {inner} · {self.V.shape}ᵀ do not conform: a product U C Vᵀ is wanted.")

    def extent(self, shape: Shape) -> tuple[int, int]:
        return len(self.U), len(self.V)

    def dense(self, shape: Shape) -> np.ndarray:
        return self.U @ middle(self.C, self.V.T)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return self.U @ middle(self.C, self.V.T @ V)

    def diagonal(self, shape: Shape) -> np.ndarray:
        return np.einsum("nr,rn->n", self.U, middle(self.C, self.V.T))

    def scaled(self, c: Number) -> LowRank:
        return LowRank(self.U, np.full(self.U.shape[1], c, self.U.dtype) if self.C is None else c * self.C, self.V)

    def transposed(self) -> LowRank:
        return LowRank(self.V, None if self.C is None else self.C.T, self.U)

    def factors(self) -> Factors:
        return self.U, self.C, self.V


def middle(C: np.ndarray | None, M: np.ndarray) -> np.ndarray:
    """C M, where C is a matrix, the numbers of a diagonal one, or None for the identity."""
    return C @ M if C is not None and C.ndim == 2 else _times_rows(C, M)


class Crossed(Block):
    """H[(i, j), (k, l)] = c · A[i, l] B[j, k] for S of two axes: it takes V to c · A Vᵀ Bᵀ.

    >>> Crossed(1.0, (np.eye(2), np.eye(2))).dense((2, 2))
    array([[1., 0., 0., 0.],
           [0., 0., 1., 0.],
           [0., 1., 0., 0.],
           [0., 0., 0., 1.]])
    """

    __slots__ = ("c", "matrices")

    def __init__(self, c: Number, matrices: tuple[np.ndarray, np.ndarray]) -> None:
        self.c, self.matrices = c, matrices

    def arrays(self) -> tuple[Any, ...]:
        return (self.c, *self.matrices)

    def check(self, shape: Shape) -> None:
        got = tuple(m.shape for m in self.matrices)
        if len(shape) != 2 or got != (shape, shape[::-1]):
            raise ShapeError(
                f"a Crossed block with factors of shapes {got} in the Hessian of an array of shape {shape}: "
                "it needs an array of shape (m, n) and factors of shapes (m, n) and (n, m)."
            )

    def extent(self, shape: Shape) -> tuple[int, int]:
        n = math.prod(shape)
        return n, n

    def dense(self, shape: Shape) -> np.ndarray:
        A, B = self.matrices
        return ((self.c * A)[:, None, None, :] * B[None, :, :, None]).reshape(self.extent(shape))

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        A, B = self.matrices
        return np.einsum("il,klz,jk->ijz", self.c * A, V.reshape(*shape, -1), B, optimize=True).reshape(V.shape)

    def diagonal(self, shape: Shape) -> np.ndarray:
        A, B = self.matrices
        return (self.c * A * B.T).reshape(-1)

    def scaled(self, c: Number) -> Crossed:
        return Crossed(c * self.c, self.matrices)

    def transposed(self) -> Crossed:
        return Crossed(self.c, (self.matrices[1].T, self.matrices[0].T))


class Sparse(Block):
    """Values on a `Pattern` that the caller keeps.

    >>> Sparse(Pattern([0, 1], [1, 0], 2), np.array([5.0, 5.0])).dense((2,))
    array([[0., 5.],
           [5., 0.]])
    """

    __slots__ = ("_csr", "pattern", "values")
    full = False

    def __init__(self, pattern: Pattern, values: np.ndarray) -> None:
        self.pattern, self.values, self._csr = pattern, values, None

    def arrays(self) -> tuple[Any, ...]:
        return (self.values,)

    def extent(self, shape: Shape) -> tuple[int, int]:
        return self.pattern.shape

    def csr(self) -> Any:
        """The matrix in compressed rows, formed once."""
        if self._csr is None:
            self._csr = self.pattern.csr(self.values)
        return self._csr

    def dense(self, shape: Shape) -> np.ndarray:
        out = np.zeros(self.pattern.shape, np.result_type(self.values, np.float32))
        out.reshape(-1)[self.pattern.places] = self.pattern.assemble(self.values)
        return out

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        rows, cols = np.divmod(self.pattern.places, max(self.pattern.shape[1], 1))
        out[rows, cols] += self.pattern.assemble(self.values)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        return self.csr() @ V

    def diagonal(self, shape: Shape) -> np.ndarray:
        return self.csr().diagonal()

    def scaled(self, c: Number) -> Sparse:
        return Sparse(self.pattern, c * np.asarray(self.values))

    def transposed(self) -> Sparse:
        rows, cols = self.pattern.shape
        return Sparse(Pattern(self.pattern.cols, self.pattern.rows, (cols, rows)), self.values)

    def coordinates(self, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.pattern.rows, self.pattern.cols, np.asarray(self.values).reshape(-1)

    def count(self, shape: Shape) -> int:
        return self.pattern.count


class Placed(Block):
    """A block or a matrix whose first row and column are `row` and `col`: for parameters packed into one vector.

    The transposed block of an off-diagonal one is not implied: place both. A block that is told by axes (Kronecker,
    Batched, Crossed, Scaled) needs `shape`, the shape of its own part of the vector.

    >>> Placed(1, 1, np.array([[7.0]])).dense((2,))
    array([[0., 0.],
           [0., 7.]])
    """

    __slots__ = ("block", "col", "row", "shape")
    full = False

    def __init__(self, row: int, col: int, block: Block | np.ndarray, shape: Shape = ()) -> None:
        self.row, self.col, self.block = row, col, block if isinstance(block, Block) else Dense(block)
        self.shape = shape or self.block.extent(())[:1]

    def arrays(self) -> tuple[Any, ...]:
        return self.block.arrays()

    def extent(self, shape: Shape) -> tuple[int, int]:
        n = math.prod(shape)
        return n, n

    def check(self, shape: Shape) -> None:
        n, (h, w) = math.prod(shape), self.block.extent(self.shape)
        if h == w:
            self.block.check(self.shape)
        if self.row < 0 or self.col < 0 or self.row + h > n or self.col + w > n:
            raise ShapeError(
                f"a block of {h}×{w} placed at row {self.row}, column {self.col} does not fit in a Hessian of {n}×{n}."
            )

    def _within(self, out: np.ndarray) -> np.ndarray:
        h, w = self.block.extent(self.shape)
        return out[self.row : self.row + h, self.col : self.col + w]

    def dense(self, shape: Shape) -> np.ndarray:
        out = np.zeros(self.extent(shape), np.result_type(*self.arrays(), np.float32))
        self._within(out)[...] = self.block.dense(self.shape)
        return out

    def add_to(self, out: np.ndarray, shape: Shape) -> None:
        view = self._within(out)
        view += self.block.dense(self.shape)

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        h, w = self.block.extent(self.shape)
        part = self.block.apply(V[self.col : self.col + w], self.shape)
        out = np.zeros((math.prod(shape), V.shape[1]), part.dtype)
        out[self.row : self.row + h] = part
        return out

    def diagonal(self, shape: Shape) -> np.ndarray:
        out = np.zeros(math.prod(shape), np.result_type(*self.arrays(), np.float32))
        h, w = self.block.extent(self.shape)
        first, last = max(self.row, self.col), min(self.row + h, self.col + w)
        if first < last and self.row == self.col and h == w:
            out[first:last] = self.block.diagonal(self.shape)
        elif first < last:
            inner = self.block.dense(self.shape)[first - self.row : last - self.row, first - self.col : last - self.col]
            out[first:last] = np.diagonal(inner)
        return out

    def scaled(self, c: Number) -> Placed:
        return Placed(self.row, self.col, self.block.scaled(c), self.shape)

    def transposed(self) -> Placed:
        return Placed(self.col, self.row, self.block.transposed(), self.shape)

    def coordinates(self, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inner = self.block.coordinates(self.shape)
        if inner is None:
            values = self.block.dense(self.shape)
            rows, cols = np.indices(values.shape)
            inner = rows.reshape(-1), cols.reshape(-1), values.reshape(-1)
        return inner[0] + self.row, inner[1] + self.col, inner[2]

    def count(self, shape: Shape) -> int:
        return self.block.count(self.shape)


class Contracted(Block):
    """c times an einsum whose output is S + S: `spec` as for `np.einsum`, with letters and an explicit output.

    >>> A = np.array([[1.0, 2.0]])
    >>> Contracted("ai,aj->ij", (A, A)).apply(np.array([[1.0], [1.0]]), (2,))
    array([[3.],
           [6.]])
    """

    __slots__ = ("c", "operands", "spec")

    def __init__(self, spec: str, operands: tuple[np.ndarray, ...], c: Number = 1.0) -> None:
        self.spec, self.operands, self.c = spec, operands, c

    def arrays(self) -> tuple[Any, ...]:
        return (self.c, *self.operands)

    def _halves(self) -> tuple[str, str, str]:
        inputs, out = self.spec.replace(" ", "").split("->")
        return inputs, out[: len(out) // 2], out[len(out) // 2 :]

    def check(self, shape: Shape) -> None:
        sizes = dict(zip(self.spec.split("->")[0].replace(" ", "").replace(",", ""), self._sizes()))
        _, rows, cols = self._halves()
        got = tuple(sizes[a] for a in rows + cols)
        if got != shape + shape:
            raise ShapeError(f"the contraction {self.spec} has shape {got}: wanted {shape + shape}, rows and columns.")

    def _sizes(self) -> list[int]:
        return [size for operand in self.operands for size in np.shape(operand)]

    def extent(self, shape: Shape) -> tuple[int, int]:
        n = math.prod(shape)
        return n, n

    def dense(self, shape: Shape) -> np.ndarray:
        out = contract(self.spec.replace(" ", ""), *self.operands).reshape(self.extent(shape))
        return out if self.c == 1 else self.c * out

    def apply(self, V: np.ndarray, shape: Shape) -> np.ndarray:
        inputs, rows, cols = self._halves()
        column = next(a for a in ascii_letters if a not in self.spec)
        columns = V.reshape(*shape, V.shape[1])
        return self.c * contract(f"{inputs},{cols}{column}->{rows}{column}", *self.operands, columns).reshape(V.shape)

    def diagonal(self, shape: Shape) -> np.ndarray:
        inputs, rows, cols = self._halves()
        run = inputs.translate(str.maketrans(cols, rows))
        return self.c * contract(f"{run}->{rows}", *self.operands).reshape(-1)

    def scaled(self, c: Number) -> Contracted:
        return Contracted(self.spec, self.operands, c * self.c)

    def transposed(self) -> Contracted:
        inputs, rows, cols = self._halves()
        return Contracted(f"{inputs}->{cols}{rows}", self.operands, self.c)


def contract(spec: str, *operands: np.ndarray) -> np.ndarray:
    """An einsum in a good order of contraction; the order is found once for every spec and shapes."""
    if len(operands) == 1:  # einsum gives a view where it can
        return np.array(np.einsum(spec, *operands))
    if len(operands) == 2:
        return np.einsum(spec, *operands, optimize=True)
    return np.einsum(spec, *operands, optimize=list(_path(spec, tuple(map(np.shape, operands)))))


@lru_cache(maxsize=1024)
def _path(spec: str, shapes: tuple[Shape, ...]) -> tuple[Any, ...]:
    zero = np.zeros(())
    way = "optimal" if len(shapes) < 6 else "greedy"
    return tuple(np.einsum_path(spec, *(np.broadcast_to(zero, s) for s in shapes), optimize=way)[0])


def as_block(term: Any) -> Block:
    """A block, or a matrix as a dense one."""
    if isinstance(term, Block):
        return term
    if isinstance(term, np.ndarray):
        return Dense(term)
    raise InputError(f"{a_type(term)} is no part of a Hessian: give a block such as Diagonal(v), or an array.")
