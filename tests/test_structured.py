"""Structured Hessians: every kind of block by every method must agree with the dense array that NumPy would make."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangently.errors import BudgetError, DomainError, InputError, ShapeError
from tangently.structured import (
    Batched,
    Block,
    Congruence,
    Contracted,
    Crossed,
    Dense,
    Diagonal,
    Kronecker,
    LowRank,
    Outer,
    Pattern,
    Placed,
    Scaled,
    Sparse,
    Structured,
    color_columns,
    color_symmetric,
    recover,
    seeds,
)
from tangently.structured.secular import rank_one_spectrum

Rng = np.random.Generator


def spd(rng: Rng, n: int) -> np.ndarray:
    A = rng.standard_normal((n, n))
    return A @ A.T + n * np.eye(n)


def sym(rng: Rng, n: int) -> np.ndarray:
    A = rng.standard_normal((n, n))
    return A + A.T


def chain(n: int, band: int = 1) -> Pattern:
    """A band; every diagonal place is listed twice."""
    pairs = [(i, i + k) for k in range(band + 1) for i in range(n - k)]
    rows, cols = (np.array(a) for a in zip(*pairs, *((j, i) for i, j in pairs)))
    return Pattern(rows, cols, n)


def on(pattern: Pattern, rng: Rng, shift: float = 0.0) -> np.ndarray:
    """Symmetric random values: the same at (i, j) and (j, i)."""
    n = pattern.shape[0]
    table = rng.standard_normal(n * n).reshape(n, n)
    table = table + table.T + shift * np.eye(n)
    return table[pattern.rows, pattern.cols]


# Every case: the shape S, the blocks, and the dense N×N matrix that was written down independently of them.
Case = tuple[tuple[int, ...], tuple[Any, ...], np.ndarray]
CASES: dict[str, Callable[[Rng], Case]] = {}


def case(function: Callable[[Rng], Case]) -> Callable[[Rng], Case]:
    CASES[function.__name__] = function
    return function


@case
def diagonal(rng: Rng) -> Case:
    v = rng.standard_normal(7)
    return (7,), (Diagonal(v),), np.diag(v)


@case
def diagonal_of_two_axes(rng: Rng) -> Case:
    v = rng.standard_normal((3, 2))
    return (3, 2), (Diagonal(v), Scaled(4.0)), np.diag(v.ravel()) + 4 * np.eye(6)


@case
def identity(rng: Rng) -> Case:
    return (2, 3), (Scaled(-2.5),), -2.5 * np.eye(6)


@case
def one_number(rng: Rng) -> Case:
    return (1,), (Outer(2.0, np.array([3.0]), np.array([3.0])),), np.array([[18.0]])


@case
def a_scalar(rng: Rng) -> Case:
    return (), (Diagonal(np.array(3.0)), Scaled(1.0)), np.array([[4.0]])


@case
def dense(rng: Rng) -> Case:
    M = sym(rng, 6)
    return (6,), (Dense(M),), M


@case
def dense_definite_and_array(rng: Rng) -> Case:
    M, K = spd(rng, 6), spd(rng, 6)
    return (2, 3), (M.reshape(2, 3, 2, 3), Dense(K)), M + K


@case
def dense_and_transpose(rng: Rng) -> Case:
    A = rng.standard_normal((5, 5))
    return (5,), (Dense(A), Dense(A).transposed(), Scaled(1.5)), A + A.T + 1.5 * np.eye(5)


@case
def congruence(rng: Rng) -> Case:
    A, s = rng.standard_normal((20, 6)), rng.random(20)
    return (6,), (Congruence(A, s),), A.T @ np.diag(s) @ A


@case
def congruence_negative(rng: Rng) -> Case:
    A, s = rng.standard_normal((20, 6)), -rng.random(20)
    return (3, 2), (Congruence(A, s),), A.T @ np.diag(s) @ A


@case
def congruence_of_both_signs(rng: Rng) -> Case:
    A, s = rng.standard_normal((20, 6)), rng.standard_normal(20)
    return (6,), (Congruence(A, s), Congruence(A)), A.T @ np.diag(s) @ A + A.T @ A


@case
def congruence_with_ridge(rng: Rng) -> Case:
    A, s = rng.standard_normal((3, 9)), rng.random(3)
    return (9,), (Congruence(A, s), Scaled(0.1)), A.T @ np.diag(s) @ A + 0.1 * np.eye(9)


@case
def two_factors(rng: Rng) -> Case:
    A, B, s = rng.standard_normal((2, 12)), rng.standard_normal((2, 12)), rng.standard_normal(2)
    half = A.T @ np.diag(s) @ B
    return (12,), (Congruence(A, s, B), Congruence(B, s, A), Scaled(9.0)), half + half.T + 9 * np.eye(12)


@case
def diagonal_and_rank_one(rng: Rng) -> Case:
    s = rng.random(8)
    s /= 1.5 * s.sum()
    return (8,), (Diagonal(s), Outer(-1.0, s, s)), np.diag(s) - np.outer(s, s)


@case
def diagonal_of_both_signs_and_low_rank(rng: Rng) -> Case:
    d, U, C = rng.standard_normal(12), rng.standard_normal((12, 2)), sym(rng, 2)
    return (12,), (Diagonal(d), LowRank(U, C, U), LowRank(U, None, U)), np.diag(d) + U @ (C + np.eye(2)) @ U.T


@case
def rank_two_of_two_outers(rng: Rng) -> Case:
    u, v, d = rng.standard_normal(10), rng.standard_normal(10), 5 + rng.random(10)
    want = np.diag(d) + 0.5 * (np.outer(u, v) + np.outer(v, u))
    return (10,), (Diagonal(d), Outer(0.5, u, v), Outer(0.5, v, u)), want


@case
def diagonal_with_zeros_and_rank_one(rng: Rng) -> Case:
    d, u = np.array([0.0, 1.0, 2.0, 3.0]), rng.standard_normal(4)
    return (4,), (Diagonal(d), Outer(1.0, u, u)), np.diag(d) + np.outer(u, u)


@case
def kronecker_left(rng: Rng) -> Case:
    M = spd(rng, 3)
    return (4, 3), (Kronecker(2.0, (None, M)),), 2 * np.kron(np.eye(4), M)


@case
def kronecker_right(rng: Rng) -> Case:
    M, K = sym(rng, 4), sym(rng, 4)
    blocks = (Kronecker(-2.0, (M, None)), Kronecker(1.0, (K, None)), Scaled(0.3))
    return (4, 3), blocks, np.kron(K - 2 * M, np.eye(3)) + 0.3 * np.eye(12)


@case
def kronecker_both(rng: Rng) -> Case:
    M, K = sym(rng, 4), spd(rng, 3)
    return (4, 3), (Kronecker(-0.5, (M, K)),), -0.5 * np.kron(M, K)


@case
def kronecker_of_one_axis(rng: Rng) -> Case:
    M = sym(rng, 4)
    return (4,), (Kronecker(1, (M,)),), M


@case
def kronecker_of_three_axes(rng: Rng) -> Case:
    M, K = sym(rng, 2), sym(rng, 2)
    return (2, 3, 2), (Kronecker(3.0, (M, None, K)),), 3 * np.kron(np.kron(M, np.eye(3)), K)


@case
def kronecker_sum(rng: Rng) -> Case:
    M, K, L = spd(rng, 4), spd(rng, 3), spd(rng, 4)
    blocks = (Kronecker(1.0, (M, None)), Kronecker(2.0, (None, K)), Kronecker(1.0, (L, None)))
    return (4, 3), blocks, np.kron(M + L, np.eye(3)) + 2 * np.kron(np.eye(4), K)


@case
def kronecker_product_and_identity(rng: Rng) -> Case:
    M, K = sym(rng, 3), sym(rng, 2)
    blocks = (Kronecker(1.0, (M, K)), Scaled(0.7), Kronecker(1.0, (None, None)))
    return (3, 2), blocks, np.kron(M, K) + 1.7 * np.eye(6)


@case
def kronecker_of_two_products(rng: Rng) -> Case:
    M, K, L = spd(rng, 3), spd(rng, 2), spd(rng, 3)
    return (3, 2), (Kronecker(1.0, (M, K)), Kronecker(1.0, (L, K))), np.kron(M + L, K)


@case
def kronecker_of_skew_factors(rng: Rng) -> Case:
    A, B = np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([[0.0, 2.0], [-2.0, 0.0]])
    return (2, 2), (Kronecker(1.0, (A, B)),), np.kron(A, B)


@case
def kronecker_and_diagonal(rng: Rng) -> Case:
    M, v = spd(rng, 3), rng.random((4, 3))
    return (4, 3), (Kronecker(1.0, (None, M)), Diagonal(v)), np.kron(np.eye(4), M) + np.diag(v.ravel())


@case
def kronecker_and_rank_one(rng: Rng) -> Case:
    M, u = spd(rng, 3), rng.standard_normal(12)
    return (4, 3), (Kronecker(1.0, (None, M)), Outer(-0.01, u, u)), np.kron(np.eye(4), M) - 0.01 * np.outer(u, u)


@case
def crossed(rng: Rng) -> Case:
    A, M = rng.standard_normal((2, 3)), spd(rng, 6)
    want = np.einsum("il,jk->ijkl", A, A.T).reshape(6, 6)
    return (2, 3), (Crossed(0.1, (A, A.T)), Dense(M)), 0.1 * want + M


@case
def crossed_of_two(rng: Rng) -> Case:
    A, B = rng.standard_normal((3, 3)), rng.standard_normal((3, 3))
    want = np.einsum("il,jk->ijkl", A, B).reshape(9, 9)
    first = Crossed(2.0, (A, B))
    return (3, 3), (first, first.transposed()), 2 * (want + want.T)


@case
def batched(rng: Rng) -> Case:
    M = np.array([sym(rng, 2) for _ in range(4)])
    want = np.zeros((4, 2, 4, 2))
    for b in range(4):
        want[b, :, b, :] = M[b]
    return (4, 2), (Batched((0,), M),), want.reshape(8, 8)


@case
def batched_last_axis(rng: Rng) -> Case:
    M, v = np.array([spd(rng, 4) for _ in range(3)]), rng.random((4, 3))
    want = np.zeros((4, 3, 4, 3))
    for b in range(3):
        want[:, b, :, b] = M[b]
    return (4, 3), (Batched((1,), M), Diagonal(v)), want.reshape(12, 12) + np.diag(v.ravel())


@case
def batched_two_axes(rng: Rng) -> Case:
    M, K = rng.standard_normal((2, 3, 2, 2)), spd(rng, 2)
    M = M + M.swapaxes(2, 3)
    want = np.zeros((2, 2, 3, 2, 2, 3))
    for a in range(2):
        for b in range(3):
            want[a, :, b, a, :, b] = M[a, b]
    return (
        (2, 2, 3),
        (Batched((0, 2), M), Kronecker(1.0, (None, K, None))),
        (want.reshape(12, 12) + np.kron(np.kron(np.eye(2), K), np.eye(3))),
    )


@case
def batched_over_all(rng: Rng) -> Case:
    v = rng.standard_normal((2, 3))
    return (2, 3), (Batched((0, 1), v),), np.diag(v.ravel())


@case
def sparse_small(rng: Rng) -> Case:
    p = Pattern([0, 1, 1, 2, 2], [1, 0, 1, 2, 2], 3)
    return (3,), (Sparse(p, np.array([2.0, 2.0, 1.0, 3.0, 4.0])),), np.array([[0.0, 2, 0], [2, 1, 0], [0, 0, 7]])


def summed(p: Pattern, v: np.ndarray) -> np.ndarray:
    out = np.zeros(p.shape)
    np.add.at(out, (p.rows, p.cols), v)
    return out


def banded(band: int, shift: float) -> Callable[[Rng], Case]:
    def make(rng: Rng) -> Case:
        p = chain(120, band)
        v = on(p, rng, shift)
        return (120,), (Sparse(p, v),), summed(p, v)

    return make


CASES |= {
    "tridiagonal": banded(1, 0.0),
    "tridiagonal_definite": banded(1, 10.0),
    "pentadiagonal": banded(2, 0.0),
    "pentadiagonal_definite": banded(2, 15.0),
    "sparse_diagonal": banded(0, 1.0),
}


def scattered(shift: float) -> Callable[[Rng], Case]:
    def make(rng: Rng) -> Case:
        i, j = rng.integers(0, 130, (2, 200))
        d = np.arange(130)
        p = Pattern(np.concatenate([i, j, d]), np.concatenate([j, i, d]), 130)
        v = on(p, rng, shift)
        return (13, 10), (Sparse(p, v), Scaled(0.5)), summed(p, v) + 0.5 * np.eye(130)

    return make


CASES |= {"scattered": scattered(0.0), "scattered_definite": scattered(30.0)}


@case
def sparse_and_rank_one(rng: Rng) -> Case:
    p, u = chain(110), rng.standard_normal(110)
    v = on(p, rng, 10.0)
    return (110,), (Sparse(p, v), Outer(1.0, u, u)), summed(p, v) + np.outer(u, u)


@case
def packed(rng: Rng) -> Case:
    A, B, v = spd(rng, 3), rng.standard_normal((3, 2)), 20 + rng.random(2)
    want = np.block([[A, B], [B.T, np.diag(v)]])
    blocks = (Placed(0, 0, A), Placed(0, 3, B), Placed(3, 0, B.T), Placed(3, 3, Diagonal(v)))
    return (5,), blocks, want


@case
def packed_by_structure(rng: Rng) -> Case:
    K, A, s, u = spd(rng, 2), rng.standard_normal((7, 4)), rng.random(7), rng.standard_normal(4)
    want = np.zeros((10, 10))
    want[:6, :6] = np.kron(np.eye(3), K)
    want[6:, 6:] = A.T @ np.diag(s) @ A
    want[6:, 1:5] += np.outer(u, u)
    want[1:5, 6:] += np.outer(u, u)
    off = Placed(6, 1, Outer(1.0, u, u))
    blocks = (Placed(0, 0, Kronecker(1.0, (None, K)), (3, 2)), Placed(6, 6, Congruence(A, s)), off, off.transposed())
    return (10,), (*blocks, Placed(2, 2, Scaled(30.0), (8,))), want + 30 * np.diag([0, 0, *[1] * 8])


@case
def packed_across_the_diagonal(rng: Rng) -> Case:
    B = rng.standard_normal((3, 3))
    want = np.eye(5)
    want[0:3, 1:4] += B
    want[1:4, 0:3] += B.T
    return (5,), (Placed(0, 1, B), Placed(1, 0, B.T), Scaled(1.0)), want


@case
def packed_and_large(rng: Rng) -> Case:
    A, B = spd(rng, 5), spd(rng, 4)
    want = 2 * np.eye(120)
    want[10:15, 10:15] += A
    want[100:104, 100:104] += B
    return (120,), (Placed(10, 10, A), Placed(100, 100, B), Scaled(2.0)), want


@case
def contracted(rng: Rng) -> Case:
    A, s = rng.standard_normal((7, 4)), rng.random(7)
    return (4,), (Contracted("ai,a,aj->ij", (A, s, A), 2.0),), 2 * A.T @ np.diag(s) @ A


@case
def contracted_of_two_axes(rng: Rng) -> Case:
    A, B = spd(rng, 3), spd(rng, 2)
    blocks = (Contracted("ik, jl -> ijkl", (A, B)), Contracted("ijkl->ijkl", (np.kron(A, B).reshape(3, 2, 3, 2),)))
    first = np.einsum("ik,jl->ijkl", A, B).reshape(6, 6)
    other = np.kron(A, B).reshape(6, 6)
    return (3, 2), (blocks[0], blocks[1], blocks[1].transposed()), first + other + other.T


@case
def nothing(rng: Rng) -> Case:
    return (3,), (), np.zeros((3, 3))


@pytest.fixture(params=sorted(CASES))
def made(request: pytest.FixtureRequest, rng: Rng) -> tuple[Structured, np.ndarray]:
    shape, blocks, want = CASES[request.param](rng)
    return Structured(shape, blocks), want


def close(got: Any, want: Any, rtol: float = 1e-9) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * max(1.0, float(np.abs(want).max(initial=0))))


def is_singular(A: np.ndarray) -> bool:
    return np.linalg.matrix_rank(A, hermitian=True) < len(A)


def test_dense_and_what_an_array_has(made: tuple[Structured, np.ndarray]) -> None:
    H, want = made
    full = want.reshape(H.shape)
    close(H.dense(), full)
    close(np.asarray(H), full)
    close(H.matrix(), want)
    assert (H.ndim, H.size, H.rows, H.dtype) == (full.ndim, full.size, len(want), np.float64)
    close(H.diagonal(), np.diagonal(want).reshape(H.shape[: H.ndim // 2]))
    assert H.trace() == pytest.approx(np.trace(want), rel=1e-12, abs=1e-12)
    close(H.T, full.T)
    close(2 * H - H / 4 + (-H), 0.75 * full)
    close(H.ridge(0.5), (want + 0.5 * np.eye(len(want))).reshape(H.shape))
    np.testing.assert_allclose(H, full, rtol=1e-9, atol=1e-9)
    assert np.allclose(H, full)
    assert isinstance(H.structure, str)
    assert isinstance(repr(H), str)


def test_dense_is_not_the_callers_array(rng: Rng) -> None:
    for name, make in sorted(CASES.items()):
        shape, blocks, want = make(rng)
        H = Structured(shape, blocks)
        H.dense()[...] = 7.0
        np.testing.assert_allclose(H.matrix(), want, rtol=1e-9, atol=1e-9, err_msg=name)


def test_products(made: tuple[Structured, np.ndarray], rng: Rng) -> None:
    H, want = made
    n, shape = len(want), H.shape[: H.ndim // 2]
    v, V = rng.standard_normal(n), rng.standard_normal((n, 3))
    close(H @ v.reshape(shape), (want @ v).reshape(shape))
    close(H @ v, want @ v)
    close(H @ V, want @ V)
    close(np.matmul(H, V), want @ V)
    close(V.T @ H, V.T @ want)
    close(v @ H, v @ want)
    close(H @ H, want @ want)
    close((H + H) @ v, 2 * want @ v)


def test_solve(made: tuple[Structured, np.ndarray], rng: Rng) -> None:
    H, want = made
    shape, B = H.shape[: H.ndim // 2], rng.standard_normal((len(want), 2))
    if is_singular(want):
        rank = np.linalg.matrix_rank(want, hermitian=True)
        with pytest.raises(DomainError, match=f"rank is {rank} of {len(want)}"):
            H.solve(B)
        return
    x = np.linalg.solve(want, B)
    close(H.solve(B), x)
    close(H.solve(B[:, 0].reshape(shape)), x[:, 0].reshape(shape))
    close(H.solve(B[:, 1]), x[:, 1])


def test_eigenvalues_and_what_follows_from_them(made: tuple[Structured, np.ndarray]) -> None:
    H, want = made
    w = np.linalg.eigvalsh(want)
    close(H.eigenvalues(), w)
    k = min(2, len(w))
    close(H.eigenvalues(k, "largest"), w[::-1][:k])
    close(H.eigenvalues(k, "smallest"), w[:k])
    close(np.abs(H.eigenvalues(k)), np.sort(np.abs(w))[::-1][:k])
    close(np.linalg.eigvalsh(H.matrix()), w)
    assert H.is_positive_definite() == (w > 0).all()
    sizes = np.abs(w)
    if is_singular(want):
        assert H.condition() > 1e14
        assert H.logdet() < -20
        return
    assert H.condition() == pytest.approx(sizes.max() / sizes.min(), rel=1e-6)
    sign, size = np.linalg.slogdet(want)
    assert H.slogdet() == (sign, pytest.approx(size, rel=1e-9, abs=1e-9))
    assert H.logdet() == pytest.approx(size, rel=1e-9, abs=1e-9)


def test_sparse(made: tuple[Structured, np.ndarray]) -> None:
    H, want = made
    if all(t.coordinates(H.shape[: H.ndim // 2]) is not None for t in H.terms) and H.terms:
        close(H.sparse().toarray(), want)
    elif H.terms:
        with pytest.raises(InputError, match="dense parts"):
            H.sparse()


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("diagonal_of_two_axes", "Diagonals"),
        ("batched_over_all", "Diagonals"),
        ("kronecker_right", "Products"),
        ("kronecker_both", "Products"),
        ("kronecker_sum", "Products"),
        ("kronecker_product_and_identity", "Products"),
        ("kronecker_and_diagonal", "Blocks"),
        ("batched_two_axes", "Blocks"),
        ("diagonal_and_rank_one", "Updated"),
        ("two_factors", "Updated"),
        ("kronecker_and_rank_one", "Updated"),
        ("sparse_and_rank_one", "Updated"),
        ("scattered", "SparseForm"),
        ("packed_and_large", "SparseForm"),
        ("congruence", "Full"),
    ],
)
def test_structure_is_recognized(name: str, form: str, rng: Rng) -> None:
    shape, blocks, _ = CASES[name](rng)
    assert type(Structured(shape, blocks).form).__name__ == form


def test_the_large_ones_need_no_dense_array(rng: Rng) -> None:
    """None of these may form 10⁵ × 10⁵ numbers (80 GB)."""
    n = 100_000
    i = np.arange(n - 1)
    p = Pattern(np.concatenate([i, i + 1, i, i + 1]), np.concatenate([i, i + 1, i + 1, i]), n)
    H = Structured((n,), (Sparse(p, np.repeat([1.0, -1.0], 2 * (n - 1))), Scaled(1e-3)))
    x, u = rng.standard_normal(n), rng.standard_normal(n)
    close(H @ H.solve(x), x, 1e-7)
    assert H.structure == "sparse: 299998 of 10¹⁰ entries, bandwidth 1"
    assert H.condition() == pytest.approx((4 + 1e-3) / 1e-3, rel=1e-5)
    assert H.is_positive_definite()
    assert H[5, 6] == -1
    assert H[5, 5] == 2.001
    updated = H + Structured((n,), (Outer(1e-3, u, u),))
    close(updated @ updated.solve(x), x, 1e-7)
    assert updated.is_positive_definite()
    V = rng.standard_normal((n, 2)) * [1e-4, 1e4]
    uneven = H + Structured((n,), (LowRank(V, None, V),))
    back = uneven @ uneven.solve(x) - x
    assert np.abs(back).max() < 1e-14 * np.abs(uneven.eigenvalues(1)[0]) * np.abs(uneven.solve(x)).max()
    assert not (updated + Structured((n,), (Outer(-1.0, u, u),))).is_positive_definite()
    softmax = Structured((n,), (Diagonal(np.full(n, 1 / n)), Outer(-1.0, np.full(n, 1 / n), np.full(n, 1 / n))))
    with pytest.raises(DomainError, match=r"rank is 99999 of 100000 \(deficiency 1\)"):
        softmax.solve(x)
    close(softmax.ridge(1.0).solve(x), np.linalg.solve(np.eye(2), np.stack([x, x]))[0], 1e-4)
    blocks = Structured((n // 2, 2), (Batched((0,), np.tile([[2.0, 1.0], [1.0, 2.0]], (n // 2, 1, 1))),))
    close(blocks.eigenvalues(1, "largest"), [3.0])
    with pytest.raises(BudgetError, match="GB"):
        H.dense()


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(-3, 3), st.sampled_from([-1, 1]), st.integers(0, 5))
def test_rank_one_spectrum(n: int, seed: int, size: float, sign: int, kind: int) -> None:
    """Also with equal poles, vanishing weights, poles and weights of very different size, and poles almost equal."""
    rng = np.random.default_rng(seed)
    d, z, rho = rng.standard_normal(n), rng.standard_normal(n), sign * 10**size
    d = [d, np.round(d), d, d * 10 ** rng.uniform(-10, 10, n), d, 1 + 1e-12 * d][kind]
    z = [z, z, z * (rng.random(n) < 0.5), z, z * 10 ** rng.uniform(-10, 3, n), z][kind]
    w = np.linalg.eigvalsh(np.diag(d) + rho * np.outer(z, z))
    scale = float(np.abs(w).max())
    np.testing.assert_allclose(rank_one_spectrum(d, rho, z), w, rtol=0, atol=1e-13 * scale)
    ends = rank_one_spectrum(d, rho, z, 1)
    np.testing.assert_allclose([ends[0], ends[-1]], [w[0], w[-1]], rtol=0, atol=1e-13 * scale)


def test_rank_one_update_of_a_large_diagonal(rng: Rng) -> None:
    s = rng.random(700)
    s /= s.sum()
    H = Structured((700,), (Diagonal(s), Outer(-1.0, s, s)))
    w = np.linalg.eigvalsh(H.matrix())
    close(H.eigenvalues(), w, 1e-12)
    close(H.eigenvalues(3), w[::-1][:3], 1e-12)
    assert H.condition() > 1e14
    D = Structured((700,), (Diagonal(np.linspace(-1, 2, 700)), Outer(3.0, s, s)))
    w = np.linalg.eigvalsh(D.matrix())
    assert D.condition() == pytest.approx(np.abs(w).max() / np.abs(w).min(), rel=1e-3)
    assert not D.is_positive_definite()


def test_large_matrices_by_lanczos(rng: Rng) -> None:
    d, U = np.linspace(1, 2, 600), rng.standard_normal((600, 2)) / 5
    H = Structured((600,), (Diagonal(d), LowRank(U, None, U)))
    w = np.linalg.eigvalsh(H.matrix())
    close(H.eigenvalues(2), w[::-1][:2])
    close(H.eigenvalues(1, "smallest"), w[:1])
    assert H.condition() == pytest.approx(w[-1] / w[0], rel=1e-3)
    A = sym(rng, 600)
    full = Structured((600,), (Contracted("ij->ij", (A,)),))
    w = np.linalg.eigvalsh(A)
    close(full.eigenvalues(3, "largest"), w[::-1][:3])
    close(full.eigenvalues(0), [])


@pytest.mark.parametrize("ridge", [1e-12, 1e-6, 1e6])
@pytest.mark.parametrize("units", [1.0, 1e8])
def test_low_rank_keeps_its_digits(ridge: float, units: float, rng: Rng) -> None:
    """Backward error: Woodbury's textbook formula fails at a small ridge."""
    A, d = rng.standard_normal((4, 60)), ridge * np.logspace(0, math.log10(units), 60)
    H = Structured((60,), (Congruence(A), Diagonal(d)))
    b = rng.standard_normal(60)
    x = H.solve(b)
    D = 1 / np.sqrt(d)
    scaled = D[:, None] * H.matrix() * D
    residual = np.linalg.norm(D * (H.matrix() @ x - b))
    assert residual <= 1e-12 * (np.linalg.norm(scaled, 2) * np.linalg.norm(x / D) + np.linalg.norm(D * b))
    assert H.is_positive_definite()


def test_units_are_no_obstacle() -> None:
    H = Structured((2,), (Dense(np.array([[1.0, 0.5e-12], [0.5e-12, 1e-24]])),))
    close(H.solve(np.array([1.0, 1e-12])), np.array([2 / 3, 2e12 / 3]))
    p = chain(100)
    scale = np.logspace(-12, 12, 100)
    D = Structured((100,), (Sparse(p, np.where(p.rows == p.cols, 1.0, 0.3) * scale[p.rows] * scale[p.cols]),))
    close(scale * D.solve(scale), np.linalg.solve(D.matrix() / np.outer(scale, scale), np.ones(100)))


kinds = st.sampled_from(sorted(CASES))


@settings(max_examples=60, deadline=None)
@given(kinds, st.integers(0, 10**6), st.sampled_from([-1.0, 0.5, 3.0]))
def test_sums_of_all_kinds(name: str, seed: int, c: float) -> None:
    """Any case plus a diagonal, a rank one and a multiple of itself."""
    rng = np.random.default_rng(seed)
    shape, blocks, want = CASES[name](rng)
    n = len(want)
    d, u = rng.standard_normal(n), rng.standard_normal(n)
    H = Structured(shape, blocks)
    total = c * H + Structured(shape, (Diagonal(d), Outer(0.3, u, u)))
    matrix = c * want + np.diag(d) + 0.3 * np.outer(u, u)
    close(total.matrix(), matrix)
    b = rng.standard_normal(n)
    close(total @ b, matrix @ b)
    close(total.eigenvalues(), np.linalg.eigvalsh(matrix))
    if np.linalg.cond(matrix) < 1e8:
        close(total.solve(b), np.linalg.solve(matrix, b), 1e-6)
        assert total.logdet() == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6), st.integers(0, 2))
def test_kronecker_shapes(m: int, k: int, seed: int, which: int) -> None:
    rng = np.random.default_rng(seed)
    M, K = sym(rng, m), sym(rng, k)
    factors = [(M, None), (None, K), (M, K)][which]
    H = Structured((m, k), (Kronecker(1.5, factors),))
    want = 1.5 * np.kron(np.eye(m) if factors[0] is None else M, np.eye(k) if factors[1] is None else K)
    close(H.matrix(), want)
    close(H.eigenvalues(), np.linalg.eigvalsh(want))
    if np.linalg.cond(want) < 1e8:
        close(H.solve(np.ones((m, k))), np.linalg.solve(want, np.ones(m * k)).reshape(m, k), 1e-6)


def test_signed_congruence_by_panels(rng: Rng) -> None:
    A, s = rng.standard_normal((30, 700)), rng.standard_normal(30)
    H = Structured((700,), (Congruence(A, s),)).matrix()
    close(H, (A.T * s) @ A)
    assert np.array_equal(H[300:, :256], H[:256, 300:].T)


@pytest.mark.parametrize("name", sorted(CASES))
def test_single_precision_stays(name: str, rng: Rng) -> None:
    shape, blocks, want = CASES[name](rng)
    if not blocks or name == "identity":
        return
    H = Structured(shape, tuple(map(single, blocks)))
    assert H.dtype == np.float32
    assert H.dense().dtype == np.float32
    close(H.matrix(), want, 1e-4)
    v = np.ones(len(want), np.float32)
    assert (H @ v).dtype == np.float32
    if np.linalg.cond(want) < 1e3:
        x = H.solve(v)
        assert x.dtype == np.float32
        close(x, np.linalg.solve(want, v), 1e-2)


def single(block: Any) -> Any:
    """The same block with arrays of single precision."""
    if not isinstance(block, Block):
        return block.astype(np.float32)

    def cast(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(cast, x))
        if isinstance(x, Block):
            return single(x)
        return x.astype(np.float32) if isinstance(x, np.ndarray | np.float64) else x

    out = object.__new__(type(block))
    for name in type(block).__slots__:
        setattr(out, name, cast(getattr(block, name)))
    return out


def test_empty() -> None:
    H = Structured((0,), (Diagonal(np.zeros(0)),))
    assert H.dense().shape == (0, 0)
    assert (H @ np.zeros(0)).shape == H.solve(np.zeros(0)).shape == H.eigenvalues().shape == (0,)
    assert H.slogdet() == (1.0, 0.0)
    assert H.trace() == 0


def test_works_as_an_array(rng: Rng) -> None:
    A = spd(rng, 4)
    H = Structured((4,), (Dense(A),))
    np.testing.assert_allclose(H, A)
    close(np.linalg.eigvalsh(H), np.linalg.eigvalsh(A))
    close(H.reshape(2, 8), A.reshape(2, 8))
    close(H.flatten(), A.ravel())
    close(np.exp(-H / 10), np.exp(-A / 10))
    assert H.sum() == np.sum(H) == pytest.approx(A.sum())
    assert H.tolist() == A.tolist()
    assert (H == A).all()
    assert not (H != A).any()
    assert len(H) == 4
    close(list(H), list(A))
    close(H[1:, 0], A[1:, 0])
    assert H.astype(np.float32).dtype == np.float32
    copy = H.copy()
    copy[0, 0] = 0
    assert H[0, 0] == A[0, 0]
    close(np.einsum("ij->i", H), A.sum(axis=1))
    close(np.block([[H, H]]), np.hstack([A, A]))
    assert np.array(H, dtype=np.float32).dtype == np.float32
    old = H
    H += np.eye(4)
    close(H, A + np.eye(4))
    close(old, A)
    assert repr(old) == repr(A)
    assert float(Structured((), (Scaled(3.0),))) == 3.0
    with pytest.raises(InputError, match="dense array, A = np"):
        old[0, 0] = 1
    with pytest.raises(AttributeError, match="nonsense"):
        _ = old.nonsense
    with pytest.raises(ValueError, match="read-only"):
        old.sort()
    with pytest.raises(ValueError, match="copy=False"):
        np.array(old, copy=False)


def test_arithmetic_keeps_the_structure(rng: Rng) -> None:
    D, K = (
        Structured((2, 3), (Diagonal(np.ones(6)),), "D"),
        Structured((2, 3), (Kronecker(1.0, (None, np.eye(3))),), "K"),
    )
    total = 2 * D + K * np.float64(3) - D / 2
    assert isinstance(total, Structured)
    assert total.structure.startswith("2 D + 3 K − 0.5 D: ")
    assert (-D).structure.startswith("−D: ")
    assert (2 * (D + K)).structure.startswith("2 (D + K): ")
    assert isinstance(D + np.ones((2, 3, 2, 3)), np.ndarray)
    assert isinstance(D * K, np.ndarray)


STRUCTURES = [
    ("softmax", (4,), (Diagonal(np.ones(4)), Outer(-1.0, np.ones(4), np.ones(4))), "diagonal plus rank 1"),
    ("", (4,), (Diagonal(np.ones(4)), LowRank(np.ones((4, 2)), None, np.ones((4, 2)))), "diagonal plus rank 2"),
    ("2 VᵀV ⊗ I", (150, 5), (Kronecker(2.0, (None, np.eye(5))),), "5×5 instead of 750×750"),
    ("", (1000,), (Diagonal(np.ones(1000)),), "1000 numbers instead of 1000×1000"),
    ("Xᵀ diag(s) X", (800,), (Congruence(np.ones((200, 800)), np.ones(200)),), "200×800 factor"),
    ("", (150, 5), (Batched((0,), np.ones((150, 5, 5))),), "150 blocks of 5×5 instead of 750×750"),
    ("A + Aᵀ", (3,), (Dense(np.eye(3)),), "dense 3×3"),
    ("", (3,), (Scaled(2.0),), "1 number instead of 3×3"),
    ("", (3,), (Placed(1, 1, np.eye(2)),), "2×2 block at (1, 1) instead of 3×3"),
    ("", (2, 3), (Crossed(1.0, (np.ones((2, 3)), np.ones((3, 2)))),), "2×3 and 3×2 instead of 6×6"),
    ("", (3,), (), "3×3"),
]


@pytest.mark.parametrize(("words", "shape", "blocks", "numbers"), STRUCTURES)
def test_structure_in_words(words: str, shape: tuple[int, ...], blocks: tuple[Block, ...], numbers: str) -> None:
    text = Structured(shape, blocks, lambda: words).structure
    assert text.endswith(": " + numbers)
    assert text.startswith(words)
    assert Structured((3,), (np.eye(3),)).structure == "dense: no structure found"


NOT_CONFORMING = [
    ((3,), Diagonal(np.ones(4)), r"4×4 .* shape \(3,\)"),
    ((3,), Dense(np.ones((2, 2))), r"2×2 .* shape \(3,\)"),
    ((3,), Congruence(np.ones((2, 3)), np.ones(4)), r"\(2, 3\).*\(4,\)"),
    ((3,), LowRank(np.ones((3, 2)), np.ones((3, 3)), np.ones((3, 2))), r"\(3, 2\).*\(3, 3\)"),
    ((3, 2), Kronecker(1.0, (None, np.eye(3))), r"\(3, 3\).*\(3, 2\)"),
    ((3, 2), Batched((0,), np.ones((3, 2, 3))), r"\(3, 2, 3\).*\(3, 2, 2\)"),
    ((3, 2), Batched((5,), np.ones((3, 2, 2))), "no such axes"),
    ((3, 2), Crossed(1.0, (np.ones((3, 3)), np.ones((2, 2)))), r"\(3, 3\).*\(3, 2\)"),
    ((3,), Placed(2, 0, np.eye(2)), "2×2 placed at row 2"),
    ((3,), Contracted("ai,aj->ij", (np.ones((2, 4)), np.ones((2, 4)))), r"\(4, 4\).*\(3, 3\)"),
]


@pytest.mark.parametrize(("shape", "block", "message"), NOT_CONFORMING)
def test_blocks_that_do_not_conform(shape: tuple[int, ...], block: Block, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        Structured(shape, (block,)).dense()


def test_bad_input() -> None:
    H = Structured((3, 2), (Scaled(1.0),))
    with pytest.raises(ShapeError, match=r"\(2, 3\): H has shape \(3, 2, 3, 2\)"):
        _ = H @ np.ones((2, 3))
    with pytest.raises(ShapeError, match=r"H\.solve"):
        H.solve(np.ones(5))
    with pytest.raises(InputError, match="largest magnitude"):
        H.eigenvalues(1, "biggest")
    with pytest.raises(InputError, match="7 eigenvalues"):
        H.eigenvalues(7)
    with pytest.raises(InputError, match="no part of a Hessian"):
        Structured((3,), ("x",)).dense()  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="5 values"):
        Sparse(Pattern([0], [0], 1), np.ones(5)).dense((1,))
    with pytest.raises(ShapeError, match="outside"):
        Pattern([0, 3], [0, 0], 2)


NOT_SYMMETRIC: dict[str, tuple[tuple[int, ...], tuple[Block, ...]]] = {
    "dense": ((2,), (Dense(np.array([[1.0, 2.0], [0.0, 1.0]])),)),
    "outer": ((9,), (Outer(1.0, np.arange(9.0), np.ones(9)), Scaled(1.0))),
    "batched": ((2, 2), (Batched((0,), np.array([[[1.0, 2], [0, 1]]] * 2)),)),
    "kronecker": ((2, 2), (Kronecker(1.0, (None, np.array([[1.0, 2], [0, 1]]))),)),
    "kronecker of two": ((2, 2), (Kronecker(1.0, (np.eye(2), np.array([[1.0, 2], [0, 1]]))),)),
    "sparse": ((200,), (Sparse(Pattern([0, 5], [0, 7], 200), np.ones(2)),)),
    "placed": ((2,), (Placed(0, 1, np.ones((1, 1))),)),
}


@pytest.mark.parametrize("name", NOT_SYMMETRIC)
def test_what_is_not_symmetric_is_refused(name: str) -> None:
    shape, blocks = NOT_SYMMETRIC[name]
    H = Structured(shape, blocks)
    for ask in (H.eigenvalues, H.logdet, H.condition, lambda: H.solve(np.ones(H.rows))):
        with pytest.raises(InputError, match="transposed block left out"):
            ask()
    assert np.asarray(H).shape == H.shape


def test_numbers_that_are_none() -> None:
    with pytest.raises(DomainError, match="no numbers"):
        Structured((2,), (np.array([[np.nan, 0], [0, 1.0]]),)).solve(np.ones(2))


# Patterns and colorings.


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 12), st.integers(0, 40), st.integers(0, 10**6))
def test_patterns_sum_what_repeats(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, v = Pattern(*rng.integers(0, n, (2, count)), n), rng.standard_normal(count)
    close(p.csr(v).toarray(), summed(p, v))
    assert p.count == len(set(zip(p.rows.tolist(), p.cols.tolist())))
    assert p.csr(v).has_sorted_indices
    assert p.assemble(v.astype(np.float32)).dtype == np.float32


def tree(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray]:
    child = np.arange(1, n)
    return child, (rng.random(n - 1) * child).astype(int)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 25), st.integers(0, 80), st.integers(0, 10**6), st.booleans())
def test_star_colorings_recover_every_entry(n: int, count: int, seed: int, whole_diagonal: bool) -> None:
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, n, (2, count))
    d = np.arange(n if whole_diagonal else 0)
    p = Pattern(np.concatenate([i, j, d]), np.concatenate([j, i, d]), n)
    unique = Pattern(*np.divmod(p.places, n), n)
    values = on(unique, rng)
    coloring = color_symmetric(unique)
    H = summed(unique, values)
    close(recover(H @ seeds(unique), coloring), values)
    assert coloring.count <= n
    is_star_coloring(unique, coloring.colors)


def is_star_coloring(p: Pattern, colors: np.ndarray) -> None:
    near = summed(p, np.ones(len(p.rows))) > 0
    np.fill_diagonal(near, False)
    for b, c in zip(*np.nonzero(near)):
        assert colors[b] != colors[c]
        for a in np.nonzero(near[b])[0]:
            for d in np.nonzero(near[c])[0]:
                if a != c and d != b and a != d:
                    assert len({colors[a], colors[b], colors[c], colors[d]}) > 2


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 15), st.integers(1, 15), st.integers(0, 60), st.integers(0, 10**6))
def test_column_colorings_recover_every_entry(m: int, n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.unique(rng.integers(0, m, count) * n + rng.integers(0, n, count))
    p = Pattern(*np.divmod(places, n), (m, n))
    values = rng.standard_normal(len(places))
    coloring = color_columns(p)
    close(recover(summed(p, values) @ seeds(coloring), coloring), values)
    assert coloring.count >= np.bincount(p.rows, minlength=m).max(initial=0)


def test_known_numbers_of_colors(rng: Rng) -> None:
    assert color_symmetric(chain(50)).count == 3
    assert color_columns(chain(50, 2)).count == 5
    for hub in (0, 17, 49):
        d, h = np.arange(50), np.full(50, hub)
        arrow = Pattern(np.concatenate([d, d, h]), np.concatenate([d, h, d]), 50)
        assert color_symmetric(arrow).count == 2
    i, j = tree(rng, 60)
    assert color_symmetric(Pattern(np.concatenate([i, j]), np.concatenate([j, i]), 60)).count <= 4
    assert color_symmetric(Pattern([0, 1], [0, 1], 2)).count == 1


def test_colorings_say_what_is_wrong() -> None:
    with pytest.raises(InputError, match="color_columns"):
        color_symmetric(Pattern([0], [1], 2))
    with pytest.raises(ShapeError, match="3 colors"):
        recover(np.ones((5, 2)), color_symmetric(chain(5)))
