"""Linear algebra by structure: a sum of blocks is read as one of a few forms, and each form solves its own way.

    form          H is                              solve and determinant                       eigenvalues
    Diagonals     diag(d)                           d                                           d
    Products      c M₁ ⊗ M₂ ⊗ …, or a sum of such   factor by factor; a sum whose factors on    products and sums of the
                                                    each axis are one matrix, by eigenvectors   factors' eigenvalues
    Blocks        blocks along shared axes          block by block, all at once                 of the blocks
    SparseForm    few places                        banded Cholesky or LU, or sparse LU         Lanczos; bisection if
                                                                                                tridiagonal
    Updated       B + Q K Qᵀ, B one of those above  Woodbury's formula, determinant lemma       if B = c I of K; secular
                                                                                                equation if rank one
    Full          anything else                     Cholesky, or LU                             LAPACK

Low rank (Updated): the factors of all terms are put side by side and orthogonalized once, so H = B + Q K Qᵀ with
QᵀQ = I and K small and symmetric; then (Woodbury 1950; Golub & Van Loan, Matrix Computations, 4th ed., §2.1.4)
    H⁻¹ = B⁻¹ − B⁻¹ Q (I + K QᵀB⁻¹Q)⁻¹ K QᵀB⁻¹,      det H = det B · det(I + K QᵀB⁻¹Q).
Neither K nor QᵀB⁻¹Q is inverted, so a vanishing term does no harm. The formula loses digits where the matrix
I + K QᵀB⁻¹Q is ill conditioned although H is not (Yip 1986, SIAM J. Sci. Stat. Comput. 7): such a matrix is solved
densely instead. A diagonal B is first scaled to ±1, which takes away the ill conditioning that comes from its units. If
all its signs are the same, σ, or B is positive definite (σ = 1), let QᵀB⁻¹Q = σ L Lᵀ, LᵀK L = P diag(κ) Pᵀ and
W = B⁻¹Q L⁻ᵀP; then
    H⁻¹ = B⁻¹ − σ W Wᵀ + W diag(1 / (σ + κ)) Wᵀ,      det H = det B · Π(1 + σ κ),
and nothing is lost however large κ: only κ ≈ −σ, where H is nearly singular, is left to the dense way.

A matrix is called singular where, its rows and columns scaled alike to entries of size one (units are no obstacle), its
reciprocal condition number is below rounding, as `np.linalg.matrix_rank` has it. The message tells the rank found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from tangently.errors import BudgetError, DomainError, InputError
from tangently.structured.blocks import Block, Kronecker, Number, Scaled, Shape, Tied, middle
from tangently.structured.secular import rank_one_spectrum

DENSE_BYTES = 2**33  # a dense matrix above this is refused: 32,768 × 32,768 in double precision
CAREFUL = 1e-6  # a capacitance matrix with a smaller reciprocal condition number costs more than 6 of 16 digits
NARROW = 40  # bandwidths up to this are solved as bands
SINGULAR = (
    "It has no inverse. For the solution of least norm: np.linalg.lstsq(H.matrix(), b); "
    "for a damped one: H.ridge(1e-6).solve(b)."
)


def singular(n: int, rank: int | None, condition: float) -> DomainError:
    """The error for a matrix without inverse."""
    found = "" if rank is None else f"its rank is {rank} of {n} (deficiency {n - rank}), "
    how = "infinite" if not condition < 1e300 else f"about {condition:.1e}"
    return DomainError(
        f"This {n}×{n} matrix is singular to working precision: {found}condition number {how}. {SINGULAR}"
    )


def unsymmetric(found: float, size: float) -> InputError:
    """The error for blocks whose sum is no Hessian."""
    return InputError(
        f"The blocks do not add up to a symmetric matrix: H and Hᵀ differ by {found:.3g} where the largest entry is "
        f"{size:.3g}. A Hessian of a scalar function is symmetric: was a transposed block left out? "
        "np.asarray(H) has the numbers as they are."
    )


def need_symmetric(M: np.ndarray, size: float = 0.0) -> None:
    """Refuse a matrix (or a stack of them) that is not symmetric up to the rounding of numbers of its size."""
    size = max(size, float(np.abs(M).max(initial=0.0)))
    found = float(np.abs(M - np.swapaxes(M, -1, -2)).max(initial=0.0))
    if found > math.sqrt(np.finfo(M.dtype).eps) * size:
        raise unsymmetric(found, size)


def afford(n: int, dtype: np.dtype, what: str) -> None:
    """Refuse a dense matrix that is larger than memory should hold."""
    if (need := n * n * dtype.itemsize) > DENSE_BYTES:
        raise BudgetError(
            f"{what} needs a dense matrix of {n}×{n} ({need / 2**30:.0f} GB; the bound is {DENSE_BYTES / 2**30:.0f}). "
            "What costs less: H @ v (in scipy.sparse.linalg.cg for a solution), H.diagonal(), a few eigenvalues by "
            "H.eigenvalues(k), and H.sparse() where H.structure says diagonal or sparse."
        )


def need_rank(eigenvalues: np.ndarray) -> np.ndarray:
    """Refuse a matrix with eigenvalues that are zero to working precision."""
    n, sizes = eigenvalues.size, np.abs(eigenvalues)
    rank = int(np.count_nonzero(sizes > n * np.finfo(sizes.dtype).eps * sizes.max(initial=0)))
    if rank < n:
        raise singular(n, rank, float(sizes.max() / sizes.min()) if sizes.min() else math.inf)
    return eigenvalues


def units(sizes: np.ndarray) -> np.ndarray:
    """Powers of two near 1/√size; 1 where that says nothing."""
    good = np.isfinite(sizes) & (sizes > 0)
    return np.exp2(-np.round(np.log2(np.where(good, sizes, 1)) / 2)).astype(sizes.dtype)


def scipy(part: str) -> Any:
    """A module of SciPy, imported when it is needed."""
    return import_module(f"scipy.{part}")


class Form:
    """A symmetric matrix of n rows in one of the forms. Columns have shape (n, k)."""

    n: int
    dtype: np.dtype

    def solve(self, B: np.ndarray) -> np.ndarray:
        """H⁻¹ B."""
        raise NotImplementedError

    def slogdet(self) -> tuple[float, float]:
        """The sign of the determinant and the logarithm of its absolute value."""
        raise NotImplementedError

    def spectrum(self) -> np.ndarray | None:
        """All eigenvalues, ascending, where the structure gives them; None where only a dense matrix would."""
        return None

    def extreme(self, k: int, which: str) -> np.ndarray | None:
        """k eigenvalues by a way of its own."""
        return None

    def definite(self) -> bool | None:
        """Is it positive definite? None where only the eigenvalues tell."""
        return None


class Diagonals(Form):
    """diag(d)."""

    def __init__(self, d: np.ndarray) -> None:
        self.d, self.n, self.dtype = d, len(d), d.dtype

    def solve(self, B: np.ndarray) -> np.ndarray:
        if zeros := int(np.count_nonzero(self.d == 0)):
            raise singular(self.n, self.n - zeros, math.inf)
        return B / self.d[:, None]

    def slogdet(self) -> tuple[float, float]:
        return _signed_log(self.d)

    def spectrum(self) -> np.ndarray:
        return np.sort(self.d)


def _signed_log(values: np.ndarray) -> tuple[float, float]:
    with np.errstate(divide="ignore"):
        return float(np.prod(np.sign(values))), float(np.log(np.abs(values)).sum())


class Full(Form):
    """A dense matrix."""

    def __init__(self, M: np.ndarray) -> None:
        need_symmetric(M)
        self.M, self.n, self.dtype = M, len(M), M.dtype

    @cached_property
    def _units(self) -> np.ndarray:
        """Powers of two (nothing is rounded) that scale rows and columns to entries of size one."""
        return units(np.abs(self.M).max(axis=0, initial=0))

    @cached_property
    def _scaled(self) -> np.ndarray:
        return self.M * self._units * self._units[:, None]

    @cached_property
    def cholesky(self) -> np.ndarray | None:
        """The lower factor of the scaled matrix, where it is positive definite."""
        try:
            return np.linalg.cholesky(self._scaled)
        except np.linalg.LinAlgError:
            return None

    def _lapack(self, name: str) -> Any:
        return scipy("linalg").get_lapack_funcs(name, (self.M,))

    @cached_property
    def _lu(self) -> tuple[np.ndarray, np.ndarray]:
        lu, pivots, _ = self._lapack("getrf")(self._scaled)
        return lu, pivots

    def _reciprocal_condition(self) -> float:
        norm = np.abs(self._scaled).sum(axis=0).max(initial=0)
        if self.cholesky is not None:
            return float(self._lapack("pocon")(self.cholesky, norm, uplo="L")[0])
        return float(self._lapack("gecon")(self._lu[0], norm)[0])

    @cached_property
    def _regular(self) -> bool:
        """True, or an error."""
        if not np.isfinite(self.M).all():
            raise DomainError("The matrix has entries that are infinite or no numbers: there is nothing to solve.")
        if self._reciprocal_condition() > 10 * self.n * np.finfo(self.dtype).eps:
            return True
        need_rank(np.linalg.eigvalsh(self._scaled))
        return True

    def solve(self, B: np.ndarray) -> np.ndarray:
        if self.n == 0:
            return B
        B = self._units[:, None] * B
        if self._regular and self.cholesky is not None:
            return self._units[:, None] * self._lapack("potrs")(self.cholesky, B, lower=True)[0]
        return self._units[:, None] * self._lapack("getrs")(*self._lu, B)[0]

    def slogdet(self) -> tuple[float, float]:
        if self.cholesky is not None:
            return 1.0, 2 * float((np.log(np.diagonal(self.cholesky)) - np.log(self._units)).sum())
        sign, size = np.linalg.slogdet(self.M)
        return float(sign), float(size)

    def spectrum(self) -> np.ndarray:
        return np.linalg.eigvalsh(self.M)

    def definite(self) -> bool:
        return self.cholesky is not None


class Products(Form):
    """Σ c · M₁ ⊗ M₂ ⊗ …, where on every axis all terms have the identity or the same matrix M_a."""

    def __init__(
        self, shape: Shape, terms: list[tuple[Number, frozenset[int]]], matrices: dict[int, np.ndarray]
    ) -> None:
        self.shape, self.terms, self.n = shape, terms, math.prod(shape)
        self.factors = {a: Full(m) for a, m in matrices.items()}
        self.dtype = np.result_type(*matrices.values())

    @property
    def _single(self) -> bool:
        return len(self.terms) == 1

    @cached_property
    def _rotations(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        return {a: np.linalg.eigh(f.M) for a, f in self.factors.items()}

    def _combine(self, values: dict[int, np.ndarray]) -> np.ndarray:
        """The eigenvalues, of shape S."""
        total = np.zeros(self.shape, self.dtype)
        for c, axes in self.terms:
            part: Any = c
            for a in axes:
                part = part * values[a].reshape([-1 if b == a else 1 for b in range(len(self.shape))])
            total += part
        return total

    def _along(self, a: int, V: np.ndarray, function: Any) -> np.ndarray:
        """A function of columns, on axis a of columns of shape S."""
        moved = np.moveaxis(V.reshape(*self.shape, -1), a, 0)
        done = function(moved.reshape(self.shape[a], -1)).reshape(moved.shape)
        return np.moveaxis(done, 0, a).reshape(V.shape)

    def solve(self, B: np.ndarray) -> np.ndarray:
        if self._single:
            c, axes = self.terms[0]
            if c == 0:
                raise singular(self.n, 0, math.inf)
            for a in axes:
                B = self._along(a, B, self._solver(a))
            return B / c
        return self._solve_rotated(B)

    def _solver(self, a: int) -> Any:
        def solve(B: np.ndarray) -> np.ndarray:
            try:
                return self.factors[a].solve(B)
            except DomainError:
                self._need_regular()
                raise

        return solve

    def _need_regular(self) -> np.ndarray:
        values = self._combine({a: w for a, (w, _) in self._rotations.items()})
        return need_rank(values)

    def _solve_rotated(self, B: np.ndarray) -> np.ndarray:
        values = self._need_regular()
        for a, (_, Q) in self._rotations.items():
            B = self._along(a, B, Q.T.__matmul__)
        B = B / values.reshape(-1, 1)
        for a, (_, Q) in self._rotations.items():
            B = self._along(a, B, Q.__matmul__)
        return B

    def slogdet(self) -> tuple[float, float]:
        if not self._single:
            return _signed_log(self._combine({a: w for a, (w, _) in self._rotations.items()}).reshape(-1))
        c, axes = self.terms[0]
        sign, size = _signed_log(np.asarray([c], float))
        sign, size = sign**self.n, size * self.n
        for a in axes:
            (one, log), times = self.factors[a].slogdet(), self.n // max(self.shape[a], 1)
            sign, size = sign * one**times, size + log * times
        return sign, size

    def spectrum(self) -> np.ndarray:
        values = {a: f.spectrum() for a, f in self.factors.items()}
        return np.sort(self._combine(values), axis=None)


class Blocks(Form):
    """Blocks along shared axes: `M` of shape (b, r, r); `order` takes the axes of S to (shared, others)."""

    def __init__(self, M: np.ndarray, shape: Shape, order: Sequence[int]) -> None:
        need_symmetric(M)
        self.M, self.shape, self.order, self.n, self.dtype = M, shape, [*order], math.prod(shape), M.dtype

    def solve(self, B: np.ndarray) -> np.ndarray:
        assert self._regular
        moved = B.reshape(*self.shape, -1).transpose([*self.order, len(self.shape)])
        done = np.linalg.solve(self.M, moved.reshape(*self.M.shape[:2], -1)).reshape(moved.shape)
        return done.transpose(np.argsort([*self.order, len(self.shape)])).reshape(B.shape)

    @cached_property
    def _regular(self) -> bool:
        """True, or an error. Each block by itself: blocks in different units are no obstacle."""
        sizes = np.abs(np.linalg.eigvalsh(self.M))
        bound = self.M.shape[1] * np.finfo(self.dtype).eps * sizes.max(axis=1, keepdims=True, initial=0)
        rank = int(np.count_nonzero(sizes > bound))
        if rank < self.n:
            raise singular(self.n, rank, float(sizes.max() / sizes.min()) if sizes.min() else math.inf)
        return bool(rank == self.n)

    def slogdet(self) -> tuple[float, float]:
        signs, sizes = np.linalg.slogdet(self.M)
        return float(np.prod(signs)), float(sizes.sum())

    def spectrum(self) -> np.ndarray:
        return np.sort(np.linalg.eigvalsh(self.M), axis=None)


class SparseForm(Form):
    """A sparse matrix in compressed rows."""

    def __init__(self, A: Any) -> None:
        self.A, self.n = A, A.shape[0]
        self.dtype = np.result_type(A.dtype, np.float32)
        size = float(np.abs(A.data).max(initial=0.0))
        found = float(np.abs((A - A.T).data).max(initial=0.0))
        if found > math.sqrt(np.finfo(self.dtype).eps) * size:
            raise unsymmetric(found, size)

    @cached_property
    def _entries(self) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(np.arange(self.n), np.diff(self.A.indptr)), self.A.indices

    @cached_property
    def bandwidth(self) -> int:
        """The largest distance of an entry from the diagonal."""
        rows, cols = self._entries
        return int(np.abs(rows - cols).max(initial=0))

    @cached_property
    def bands(self) -> np.ndarray:
        """The lower bands, as LAPACK wants them."""
        rows, cols = self._entries
        low = rows >= cols
        out = np.zeros((self.bandwidth + 1, self.n), self.dtype)
        out[(rows - cols)[low], cols[low]] = self.A.data[low]
        return out

    @cached_property
    def _cholesky(self) -> np.ndarray | None:
        """The banded factor, where the bandwidth is small and the matrix positive definite."""
        if self.bandwidth > NARROW or not np.isfinite(self.A.data).all():
            return None
        try:
            return scipy("linalg").cholesky_banded(self.bands, lower=True)
        except np.linalg.LinAlgError:
            return None

    @cached_property
    def _lu(self) -> Any:
        self._need_finite()
        try:
            return scipy("sparse.linalg").splu(self.A.astype(self.dtype).tocsc())
        except RuntimeError:  # an exactly vanishing pivot
            raise singular(self.n, None, math.inf) from None

    @cached_property
    def _banded_lu(self) -> tuple[np.ndarray, np.ndarray]:
        """LU with pivots within the bands: LAPACK wants as many rows again above them for what pivoting fills in."""
        rows, cols = self._entries
        b = self.bandwidth
        out = np.zeros((3 * b + 1, self.n), self.dtype, order="F")
        out[2 * b + rows - cols, cols] = self.A.data
        lu, pivots, info = scipy("linalg").get_lapack_funcs("gbtrf", (out,))(out, b, b, overwrite_ab=True)
        if info > 0:
            raise singular(self.n, self._rank(), math.inf)
        return lu, pivots

    def _solve_once(self, B: np.ndarray) -> np.ndarray:
        linalg, b = scipy("linalg"), self.bandwidth
        if self._cholesky is not None:
            return linalg.cho_solve_banded((self._cholesky, True), B)
        if b > NARROW:
            return self._lu.solve(np.ascontiguousarray(B, self.dtype))
        self._need_finite()
        lu, pivots = self._banded_lu
        return linalg.get_lapack_funcs("gbtrs", (lu, B))(lu, b, b, B, pivots)[0]

    def _need_finite(self) -> None:
        if not np.isfinite(self.A.data).all():
            raise DomainError("The matrix has entries that are infinite or no numbers: there is nothing to solve.")

    @cached_property
    def _condition(self) -> float:
        """An estimate of the condition number in the norm 1, of the scaled matrix."""
        size = abs(self.A)
        scale = units(size.max(axis=0).toarray().reshape(-1))

        def inverse(v: np.ndarray) -> np.ndarray:
            return self._solve_once((v / scale)[:, None])[:, 0] / scale

        with np.errstate(all="ignore"):
            found = float((scale * (size @ scale)).max()) * one_norm(inverse, self.n)
        return found if np.isfinite(found) else math.inf

    def solve(self, B: np.ndarray) -> np.ndarray:
        if self.n and not self._condition * np.finfo(self.dtype).eps * 10 < 1:
            raise singular(self.n, self._rank(), self._condition)
        return self._solve_once(B) if self.n else B

    def _rank(self) -> int | None:
        """The rank, where a dense matrix is small enough to be asked."""
        return int(np.linalg.matrix_rank(self.A.toarray(), hermitian=True)) if self.n <= 1000 else None

    def slogdet(self) -> tuple[float, float]:
        if self._cholesky is not None:
            return 1.0, 2 * float(np.log(self._cholesky[0]).sum())
        try:
            return self._slogdet_by_lu()
        except DomainError:
            return 0.0, -math.inf

    def _slogdet_by_lu(self) -> tuple[float, float]:
        if self.bandwidth <= NARROW:
            self._need_finite()
            lu, pivots = self._banded_lu
            sign, size = _signed_log(lu[2 * self.bandwidth])
            return sign * (-1.0) ** np.count_nonzero(pivots != np.arange(self.n)), size
        sign, size = _signed_log(self._lu.U.diagonal())
        return sign * _parity(self._lu.perm_r) * _parity(self._lu.perm_c), size

    def spectrum(self) -> np.ndarray | None:
        if self.bandwidth == 0:
            return np.sort(self.bands[0])
        if self.bandwidth == 1:
            return scipy("linalg").eigvalsh_tridiagonal(self.bands[0], self.bands[1, :-1])
        return (
            scipy("linalg").eigvals_banded(self.bands, lower=True)
            if self.bandwidth <= NARROW and self.n <= 20000
            else None
        )

    def extreme(self, k: int, which: str) -> np.ndarray | None:
        """Bisection of a tridiagonal matrix: the ends of its spectrum to full precision, however clustered."""
        if self.bandwidth != 1:
            return None

        def part(first: int, last: int) -> np.ndarray:
            return scipy("linalg").eigvalsh_tridiagonal(
                self.bands[0], self.bands[1, :-1], select="i", select_range=(first, last)
            )

        low = part(0, k - 1) if which != "largest" else np.zeros(0)
        return np.concatenate([low, part(self.n - k, self.n - 1) if which != "smallest" else np.zeros(0)])

    def definite(self) -> bool:
        """Cholesky's factor exists; for a wide matrix, elimination without row exchanges meets positive pivots only."""
        if self.bandwidth <= NARROW:
            return self._cholesky is not None
        if not np.isfinite(self.A.data).all() or (self.A.diagonal() <= 0).any():
            return False
        how = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        try:
            lu = scipy("sparse.linalg").splu(self.A.astype(self.dtype).tocsc(), **how)
        except RuntimeError:  # a vanishing pivot
            return False
        return np.array_equal(lu.perm_r, lu.perm_c) and bool((lu.U.diagonal() > 0).all())


def one_norm(apply: Callable[[np.ndarray], np.ndarray], n: int) -> float:
    """The norm 1 of a symmetric operator from a few products: a lower bound, rarely below a third (Hager 1984; Higham,
    Accuracy and Stability of Numerical Algorithms, 2nd ed., §15.3).

    >>> one_norm(np.array([[1.0, -3.0], [-3.0, 2.0]]).__matmul__, 2)
    5.0
    """
    x, best, seen = np.full(n, 1 / n), 0.0, set()
    for _ in range(5):
        y = apply(x)
        best = max(best, float(np.abs(y).sum()))
        z = np.abs(apply(np.where(y < 0, -1.0, 1.0)))
        j = int(z.argmax())
        if j in seen:
            break
        seen.add(j)
        x = np.eye(1, n, j)[0]
    # A vector that catches what cancels in the others (Higham).
    k = np.arange(n)
    return max(best, 2 * float(np.abs(apply((-1.0) ** k * (1 + k / max(n - 1, 1)))).sum()) / (3 * n))


def _parity(permutation: np.ndarray) -> int:
    """±1, by the number of cycles."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(permutation)
    graph = csr_array((np.ones(n), (np.arange(n), permutation)), shape=(n, n))
    return 1 - 2 * ((n - connected_components(graph, directed=False, return_labels=False)) % 2)


class Updated(Form):
    """B + Q K Qᵀ, where B has one of the forms above and Q few orthonormal columns."""

    def __init__(self, base: Form, columns: np.ndarray, C: np.ndarray, dense: Any) -> None:
        self.n, self.base, self.dense = base.n, base, dense
        self.scale = _roots(base)
        if self.scale is not None:
            self.base = Diagonals(np.sign(base.d))  # type: ignore[attr-defined]
            columns = columns / self.scale[:, None]
        self.dtype = np.result_type(base.dtype, columns.dtype)
        self.Q, self.K, size = _orthogonal(columns, C)
        need_symmetric(self.K, size)

    @cached_property
    def _sign(self) -> float:
        """σ where the base, scaled, is σ I; 1 where it is positive definite; 0 otherwise."""
        if self.scale is not None:
            signs = self.base.d  # type: ignore[attr-defined]
            return float(signs[0]) if (signs == signs[0]).all() else 0.0
        known = self.base.definite()
        values = self.base.spectrum() if known is None else None
        definite = known or (values is not None and bool((values > 0).all()))
        return 1.0 if definite and self._root is not None else 0.0

    @cached_property
    def _root(self) -> np.ndarray | None:
        """L with L Lᵀ = QᵀB⁻¹Q; None where rounding leaves it no positive definite matrix."""
        try:
            return np.linalg.cholesky(self.Q.T @ self.base.solve(self.Q))
        except (np.linalg.LinAlgError, DomainError):
            return None

    @cached_property
    def _inner(self) -> tuple[np.ndarray, np.ndarray]:
        """κ and W: where the base is scaled, or definite, H⁻¹ = B⁻¹ − σ W Wᵀ + W diag(1 / (σ + κ)) Wᵀ."""
        if self.scale is not None or self._root is None:
            values, P = np.linalg.eigh(self.K)
            return values, self.Q @ P
        values, P = np.linalg.eigh(self._root.T @ self.K @ self._root)
        return values, np.linalg.solve(self._root, self.base.solve(self.Q).T).T @ P

    @property
    def constant(self) -> float | None:
        """c, where B is c·I."""
        if self.scale is not None:
            return None if (self.scale != self.scale[0]).any() or not self._sign else self._sign * self.scale[0] ** 2
        return 0.0 if isinstance(self.base, Diagonals) and not self.base.d.any() else None

    @cached_property
    def _capacitance(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B⁻¹Q, the matrix I + K QᵀB⁻¹Q, its singular values."""
        Z = self.base.solve(self.Q)
        capacitance = np.eye(len(self.K), dtype=self.K.dtype) + self.K @ (self.Q.T @ Z)
        return Z, capacitance, np.linalg.svd(capacitance, compute_uv=False)

    def _digits(self) -> np.ndarray | None:
        """How much of one is left where the low rank takes from the base; None where the base is singular."""
        if self._sign:
            kappa = self._inner[0]
            return np.abs(self._sign + kappa) / np.maximum(1, np.abs(kappa))
        try:
            sizes = self._capacitance[2]
        except DomainError:
            return None
        return sizes / max(1.0, sizes.max(initial=0.0))

    @cached_property
    def careful(self) -> bool:
        """Has the formula the digits?"""
        digits = self._digits()
        return digits is not None and bool((digits > CAREFUL).all())

    def solve(self, B: np.ndarray) -> np.ndarray:
        if not self.careful:
            return self._dense_or_refuse().solve(B)
        inverse = self._by_sign if self._sign else self._woodbury
        if self.scale is None:
            return inverse(B)
        return inverse(B / self.scale[:, None]) / self.scale[:, None]

    def _by_sign(self, B: np.ndarray) -> np.ndarray:
        kappa, W = self._inner
        part = W.T @ B
        return self.base.solve(B) - self._sign * (W @ part) + W @ (part / (self._sign + kappa)[:, None])

    def _woodbury(self, B: np.ndarray) -> np.ndarray:
        Z, capacitance, _ = self._capacitance
        first = self.base.solve(B)
        return first - Z @ np.linalg.solve(capacitance, self.K @ (self.Q.T @ first))

    def _dense_or_refuse(self) -> Form:
        """The dense matrix; but one that the small matrix already shows to be singular is not formed at all."""
        if self.constant == 0:
            sizes = np.abs(np.linalg.eigvalsh(self.K))
            rank = int(np.count_nonzero(sizes > self.n * np.finfo(self.dtype).eps * sizes.max(initial=0)))
            raise singular(self.n, rank, math.inf)
        digits = self._digits()
        if digits is not None and np.isfinite(digits).all():
            lost = int(np.count_nonzero(digits <= self.n * np.finfo(self.dtype).eps))
            if lost:
                raise singular(self.n, self.n - lost, 1 / float(digits.min()) if digits.min() else math.inf)
        return self.dense()

    def slogdet(self) -> tuple[float, float]:
        if self.constant == 0:
            return 0.0, -math.inf
        if not self.careful:
            return self.dense().slogdet()
        sign, size = self.base.slogdet()
        small, log = (
            _signed_log(1 + self._sign * self._inner[0]) if self._sign else np.linalg.slogdet(self._capacitance[1])
        )
        scales = 0.0 if self.scale is None else 2 * float(np.log(self.scale).sum())
        return sign * float(small), size + float(log) + scales

    def spectrum(self) -> np.ndarray | None:
        c = self.constant
        if c is None:
            return self._secular(None)
        scale = 1.0 if self.scale is None else float(self.scale[0]) ** 2
        found = np.full(self.n, c, self.dtype)
        found[: len(self.K)] += scale * np.linalg.eigvalsh(self.K)
        return np.sort(found)

    def _secular(self, ends: int | None) -> np.ndarray | None:
        """A diagonal matrix and one column."""
        if self.scale is None or not isinstance(self.base, Diagonals) or len(self.K) > 1:
            return None
        return rank_one_spectrum(self.base.d * self.scale**2, float(self.K[0, 0]), self.scale * self.Q[:, 0], ends)

    def extreme(self, k: int, which: str) -> np.ndarray | None:
        return self._secular(k) if self.constant is None else self.spectrum()

    def definite(self) -> bool | None:
        """With B > 0 the matrix is definite when κ > −1."""
        return bool((self._inner[0] > -1).all()) if self._sign == 1 else None


def _roots(base: Form) -> np.ndarray | None:
    """√|d| of a diagonal matrix without zeros."""
    if not isinstance(base, Diagonals) or not base.n or not (np.isfinite(base.d).all() and (base.d != 0).all()):
        return None
    return np.sqrt(np.abs(base.d))


def _orthogonal(columns: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Q with orthonormal columns and K with columns · C · columnsᵀ = Q K Qᵀ, and the size of what K is a sum of."""
    Q, R = np.linalg.qr(columns)
    return Q, R @ C @ R.T, float((np.abs(R) @ np.abs(C) @ np.abs(R).T).max(initial=0))


def classify(shape: Shape, terms: Sequence[Block], dense: Any) -> Form:
    """The form of a sum of blocks; `dense` gives the `Full` form when it is called."""
    low = [t for t in terms if t.factors() is not None]
    rest = [t for t in terms if t.factors() is None]
    if not low:
        return _without_rank(shape, rest) or dense()
    if 2 * sum(f[0].shape[1] for t in low if (f := t.factors()) is not None) > math.prod(shape):
        return dense()
    columns, C = _side_by_side(low)
    base = _without_rank(shape, rest or [Scaled(columns.dtype.type(0))])
    return dense() if base is None else Updated(base, columns, C, dense)


def _side_by_side(low: list[Block]) -> tuple[np.ndarray, np.ndarray]:
    """All products U C Vᵀ as one, W C Wᵀ: W has each array of columns once, wherever it stands."""
    parts = [f for f in (t.factors() for t in low) if f is not None]
    own = {_place(W): W for U, _, V in parts for W in (U, V)}
    ends = np.cumsum([W.shape[1] for W in own.values()])
    where = {key: slice(end - W.shape[1], end) for (key, W), end in zip(own.items(), ends)}
    C = np.zeros((ends[-1], ends[-1]), np.result_type(*(x for f in parts for x in f if x is not None)))
    for U, inner, V in parts:
        C[where[_place(U)], where[_place(V)]] += middle(inner, np.eye(V.shape[1], dtype=C.dtype))
    return np.hstack([*own.values()]), C


def _place(array: np.ndarray) -> tuple[Any, ...]:
    """The same for two views of the same numbers."""
    return array.__array_interface__["data"], array.shape, array.strides, array.dtype


def _without_rank(shape: Shape, terms: list[Block]) -> Form | None:
    return _diagonals(shape, terms) or _products(shape, terms) or _blocks(shape, terms) or _sparse(shape, terms)


def _diagonals(shape: Shape, terms: list[Block]) -> Form | None:
    if not all(isinstance(t, Tied) and len(t.tied(shape)) == len(shape) for t in terms):
        return None
    d = sum((t.diagonal(shape) for t in terms), np.zeros(math.prod(shape), np.float32))
    return Diagonals(np.asarray(d))


def _products(shape: Shape, terms: list[Block]) -> Form | None:
    """One Kronecker product; a sum of M ⊗ I on one axis; or a sum with one symmetric matrix on each axis."""
    if not all(isinstance(t, Kronecker | Scaled) for t in terms):
        return None
    read = [_axes_and_factors(t) for t in terms]
    axes = frozenset(a for _, m in read for a in m)
    if len(axes) == 1:
        (a,) = axes
        one = sum(c * m[a] if m else c * np.eye(shape[a], dtype=_kind(read)) for c, m in read)
        return Products(shape, [(1, axes)], {a: np.asarray(one)})
    matrices = _one_each(read)
    if matrices is None and all(len(m) == 1 for _, m in read):
        read = _added_by_axis(read)
        matrices = _one_each(read)
    if matrices is None or not all(_is_symmetric(m) for m in matrices.values()):
        return None
    return Products(shape, [(c, frozenset(m)) for c, m in read], matrices)


Term = tuple[Number, dict[int, np.ndarray]]


def _kind(read: list[Term]) -> np.dtype:
    return np.result_type(*(m for _, own in read for m in own.values()))


def _one_each(read: list[Term]) -> dict[int, np.ndarray] | None:
    """The matrix of each axis, where there is only one."""
    matrices: dict[int, np.ndarray] = {}
    for _, own in read:
        for a, m in own.items():
            if not (matrices.setdefault(a, m) is m or np.array_equal(matrices[a], m)):
                return None
    return matrices


def _added_by_axis(read: list[Term]) -> list[Term]:
    total: dict[int, Any] = {}
    for c, own in read:
        for a, m in own.items():
            total[a] = total.get(a, 0) + c * m
    return [(1, {a: m}) for a, m in total.items()]


def _is_symmetric(M: np.ndarray) -> bool:
    """Factors that are not (two skew ones have a symmetric product) leave the sum to the dense form."""
    bound = math.sqrt(np.finfo(np.result_type(M, np.float32)).eps) * np.abs(M).max(initial=0)
    return bool(np.abs(M - M.T).max(initial=0) <= bound)


def _axes_and_factors(term: Block) -> Term:
    if isinstance(term, Kronecker):
        return term.c, {
            a: np.asarray(m, np.result_type(m, np.float32)) for a, m in enumerate(term.matrices) if m is not None
        }
    return (term.c if isinstance(term, Scaled) else 1), {}


def _blocks(shape: Shape, terms: list[Block]) -> Form | None:
    """Axes that all terms share make a stack of blocks."""
    tied = [t.tied(shape) for t in terms if isinstance(t, Tied)]
    shared = sorted(frozenset.intersection(*tied)) if tied and len(tied) == len(terms) else []
    if not shared:
        return None
    rest = [a for a in range(len(shape)) if a not in shared]
    sizes = [shape[a] for a in (*shared, *rest, *rest)]
    out = np.zeros(sizes, np.result_type(*(x for t in terms for x in t.arrays()), np.float32))
    for t in terms:
        if isinstance(t, Tied):
            t.add_into(out, (*shared, *rest, *(a + len(shape) for a in rest)), shape)
    size = math.prod(shape[a] for a in rest)
    return Blocks(out.reshape(-1, size, size), shape, [*shared, *rest])


def _sparse(shape: Shape, terms: list[Block]) -> Form | None:
    """At most a tenth of the places, in a matrix large enough for the overhead (a hundred rows)."""
    n = math.prod(shape)
    if n < 100 or 10 * sum(t.count(shape) for t in terms) > n * n:
        return None
    matrix = csr(shape, terms)
    return None if matrix is None else SparseForm(matrix)


def csr(shape: Shape, terms: Sequence[Block]) -> Any:
    """The sum in compressed rows, where every term is sparse; None otherwise."""
    from scipy.sparse import coo_array

    from tangently.structured.blocks import Sparse

    if len(terms) == 1 and isinstance(terms[0], Sparse):
        return terms[0].csr()
    parts = [t.coordinates(shape) for t in terms]
    found = [p for p in parts if p is not None]
    if len(found) < len(parts):
        return None
    rows, cols, values = (np.concatenate([p[i] for p in found]) for i in range(3))
    n = math.prod(shape)
    return coo_array((values, (rows, cols)), shape=(n, n)).tocsr()
