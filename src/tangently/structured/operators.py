"""`Structured`: a Hessian as the sum of blocks that it is, with the linear algebra that its structure allows.

It acts on arrays of the shape S of the function's argument, and is to NumPy an array of shape S + S: any function and
any operator of NumPy may be used on it, and sees the dense array. What stays structured: H₁ ± H₂, c·H, −H, H / c,
H @ v, and the methods below. Everything is computed when it is asked for, and the form found is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tangently.errors import BudgetError, DomainError, InputError, ShapeError
from tangently.structured import forms
from tangently.structured.blocks import Block, Dense, Scaled, Shape, as_block
from tangently.structured.wording import numbers

WHICH = ("largest magnitude", "largest", "smallest")
SMALL = 500  # up to this many rows LAPACK has all eigenvalues as fast as Lanczos has a few


class Structured(NDArrayOperatorsMixin):
    """The Hessian of a scalar function of an array of shape S: an array of shape S + S that knows its structure.

    `words` says in symbols what the matrix is (text, or a function that gives it).

    >>> from tangently.structured import Diagonal, Outer, Structured
    >>> s = np.array([0.2, 0.3, 0.4])
    >>> H = Structured((3,), (Diagonal(s), Outer(-1.0, s, s)), "diag(s) − s sᵀ")
    >>> H.structure
    'diag(s) − s sᵀ: diagonal plus rank 1'
    >>> np.round(H.solve(np.array([1.0, 1.0, 1.0])), 6)
    array([35.      , 33.333333, 32.5     ])
    >>> H + 2 * np.eye(3)
    array([[ 2.16, -0.06, -0.08],
           [-0.06,  2.21, -0.12],
           [-0.08, -0.12,  2.24]])
    """

    __slots__ = ("_kept", "_of", "_terms", "_words")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, shape: Shape, terms: tuple[Block | np.ndarray, ...], words: str | Callable[[], str] = ""
    ) -> None:
        self._of, self._terms, self._words, self._kept = shape, terms, words, None

    def _keep(self, name: str, make: Callable[[], Any]) -> Any:
        """What was computed once."""
        if self._kept is None:
            self._kept = {}
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @property
    def terms(self) -> tuple[Block, ...]:
        """The blocks that it is the sum of.

        >>> len(Structured((2,), (Scaled(1.0), Scaled(2.0))).terms)
        2
        """
        return self._keep("terms", self._checked)

    def _checked(self) -> tuple[Block, ...]:
        terms = tuple(map(as_block, self._terms))
        for t in terms:
            t.check(self._of)
        return terms

    @property
    def shape(self) -> Shape:
        """S + S.

        >>> Structured((2, 3), (Scaled(1.0),)).shape
        (2, 3, 2, 3)
        """
        return (*self._of, *self._of)

    @property
    def ndim(self) -> int:
        """The number of axes of the dense array."""
        return 2 * len(self._of)

    @property
    def rows(self) -> int:
        """N, the number of variables: the matrix is N×N."""
        return math.prod(self._of)

    @property
    def size(self) -> int:
        """The number of entries of the dense array."""
        return self.rows**2

    @property
    def dtype(self) -> np.dtype:
        """The type of the entries."""
        return self._keep("dtype", self._dtype)

    def _dtype(self) -> np.dtype:
        numbers = [x if isinstance(x, int | float | complex | np.ndarray) else np.asarray(x) for x in self._arrays()]
        found = np.result_type(*numbers, np.float32) if numbers else np.dtype(float)
        arrays = any(isinstance(x, np.ndarray) for x in numbers)
        return found if arrays else np.result_type(found, float)

    def _arrays(self) -> list[Any]:
        return [x for t in self.terms for x in t.arrays()]

    @property
    def structure(self) -> str:
        """What the matrix is, in words, and the numbers that make it up.

        >>> from tangently.structured import Kronecker
        >>> Structured((150, 5), (Kronecker(2.0, (None, np.eye(5))),), "2 I ⊗ VᵀV").structure
        '2 I ⊗ VᵀV: 5×5 instead of 750×750'
        """
        words = self._words if isinstance(self._words, str) else self._words()
        return numbers(self._of, self.terms, words)

    def dense(self) -> np.ndarray:
        """The array of shape S + S. It is yours to change, though it may share memory with a later one.

        >>> Structured((2,), (Scaled(3.0),)).dense()
        array([[3., 0.],
               [0., 3.]])
        """
        return self.matrix().reshape(self.shape)

    def matrix(self) -> np.ndarray:
        """The same numbers as a matrix, N×N.

        >>> Structured((2, 1), (Scaled(3.0),)).matrix()
        array([[3., 0.],
               [0., 3.]])
        """
        terms = self.terms
        if self.rows > 2**12:
            forms.afford(self.rows, self.dtype, "The dense array")
        if len(terms) == 1:
            return self._typed(terms[0].dense(self._of))
        if not terms:
            return np.zeros((self.rows, self.rows))
        full = [t for t in terms if isinstance(t, Dense)]
        first, rest = _start(full, [t for t in terms if not isinstance(t, Dense)], self._of)
        first = np.ascontiguousarray(self._typed(first))  # blocks are added through flat views of it
        for t in rest:
            t.add_to(first, self._of)
        return first

    def _typed(self, M: np.ndarray) -> np.ndarray:
        """Double precision is what all others become, so the type of all blocks need not be asked."""
        return M if M.dtype == np.float64 or M.dtype == self.dtype else M.astype(self.dtype)

    @property
    def _array(self) -> np.ndarray:
        """The dense array for reading, kept."""
        return self._keep("array", self._frozen)

    def _frozen(self) -> np.ndarray:
        out = self.dense().view()
        out.flags.writeable = False
        return out

    # Products.

    def __matmul__(self, v: Any) -> Any:
        """H @ v: v of shape S, or of N numbers, or N×k for several columns; the result has the shape of v."""
        if isinstance(v, Structured):
            return self @ v.matrix()
        v = np.asarray(v)
        if len(self._of) == 1 and v.ndim > 2:  # a stack of matrices
            return self._array @ v
        V = self._columns(v, "H @ v")
        return self._apply(V).reshape(v.shape)

    def __rmatmul__(self, v: Any) -> Any:
        v = np.asarray(v)
        return (self._transposed() @ v.T).T if v.ndim > 1 and v.shape != self._of else self._transposed() @ v

    def _columns(self, v: np.ndarray, what: str) -> np.ndarray:
        n = self.rows
        if v.shape in (self._of, (n,)):
            return v.reshape(n, 1)
        if v.ndim == 2 and len(v) == n:
            return v
        raise ShapeError(
            f"{what} with an array of shape {v.shape}: H has shape {self.shape} and acts on arrays of shape "
            f"{self._of}, on vectors of {n} numbers, and on {n}×k for k columns."
        )

    def _apply(self, V: np.ndarray) -> np.ndarray:
        kind = np.result_type(V, self.dtype)
        if not self.terms:
            return np.zeros(V.shape, kind)
        out = self.terms[0].apply(V, self._of)
        for t in self.terms[1:]:
            out = out + t.apply(V, self._of)
        return out.astype(kind, copy=False)

    # Linear algebra by structure.

    @property
    def form(self) -> forms.Form:
        """What the matrix was recognized as: it decides how the methods below work.

        >>> type(Structured((2,), (Scaled(1.0),)).form).__name__
        'Diagonals'
        """
        return self._keep(
            "form", lambda: forms.classify(self._of, self.terms, self._full) if self.rows else self._full()
        )

    def _full(self) -> forms.Full:
        def make() -> forms.Full:
            forms.afford(self.rows, self.dtype, "This")
            return forms.Full(self._array.reshape(self.rows, self.rows))

        return self._keep("full", make)

    def solve(self, b: Any) -> np.ndarray:
        """The x with H x = b, for b of shape S, of N numbers, or N×k; an error that tells the rank if H is singular.

        >>> Structured((2,), (Scaled(2.0),)).solve(np.array([1.0, 4.0]))
        array([0.5, 2. ])
        """
        b = np.asarray(b)
        B = self._columns(b, "H.solve(b)")
        kind = np.result_type(B, self.dtype)
        return self.form.solve(B.astype(kind, copy=False)).astype(kind, copy=False).reshape(b.shape)

    def eigenvalues(self, k: int | None = None, which: str = "largest magnitude") -> np.ndarray:
        """All eigenvalues, ascending; or k of them, those asked for first.

        >>> H = Structured((3,), (np.diag([1.0, -5.0, 2.0]),))
        >>> H.eigenvalues()
        array([-5.,  1.,  2.])
        >>> H.eigenvalues(2), H.eigenvalues(1, "largest")
        (array([-5.,  2.]), array([2.]))
        """
        if which not in WHICH:
            raise InputError(f"eigenvalues(which={which!r}): it is one of {', '.join(map(repr, WHICH))}.")
        if k is None:
            return self._spectrum()
        if not 0 <= k <= self.rows:
            raise InputError(f"{k} eigenvalues were asked for: a matrix of {self.rows}×{self.rows} has {self.rows}.")
        return _pick(self._some(k, which), k, which)

    def _spectrum(self) -> np.ndarray:
        def make() -> np.ndarray:
            found = self.form.spectrum()
            return self._full().spectrum() if found is None else found

        return self._keep("spectrum", make).copy()

    def _some(self, k: int, which: str) -> np.ndarray:
        n = self.rows
        if k == 0:
            return np.zeros(0, self.dtype)
        if (self._kept or {}).get("spectrum") is not None or n <= SMALL or 10 * k > n:
            return self._spectrum()
        found = self.form.extreme(k, which)
        if found is None and isinstance(self.form, forms.Diagonals | forms.Products | forms.Blocks):
            found = self.form.spectrum()
        return _lanczos(self, k, which) if found is None else found

    def slogdet(self) -> tuple[float, float]:
        """The sign of the determinant, and the logarithm of its absolute value.

        >>> Structured((2,), (np.array([[0.0, 1.0], [1.0, 0.0]]),)).slogdet()
        (-1.0, 0.0)
        """
        return self.form.slogdet()

    def logdet(self) -> float:
        """log |det H|: −∞ where H is singular.

        >>> Structured((3,), (Scaled(math.e),)).logdet()
        3.0
        """
        return self.slogdet()[1]

    def trace(self, *args: Any, **keywords: Any) -> Any:
        """The sum of the diagonal of the N×N matrix (with arguments: what NumPy's `trace` of the dense array is).

        >>> Structured((3,), (Scaled(2.0),)).trace()
        6.0
        """
        return self._array.trace(*args, **keywords) if args or keywords else float(self.diagonal().sum())

    def diagonal(self, *args: Any, **keywords: Any) -> np.ndarray:
        """The second derivatives ∂²f/∂xᵢ², in an array of shape S (with arguments: NumPy's `diagonal`).

        >>> Structured((3,), (Scaled(2.0),)).diagonal()
        array([2., 2., 2.])
        """
        if args or keywords:
            return self._array.diagonal(*args, **keywords)
        total = sum((t.diagonal(self._of) for t in self.terms), np.zeros(self.rows, self.dtype))
        return np.asarray(total, self.dtype).reshape(self._of)

    def sparse(self) -> Any:
        """The N×N matrix as a `scipy.sparse.csr_array`, where all blocks are sparse.

        >>> Structured((3,), (Scaled(2.0),)).sparse().nnz
        3
        """
        found = forms.csr(self._of, self.terms)
        if found is None:
            dense = [type(t).__name__ for t in self.terms if t.coordinates(self._of) is None]
            raise InputError(
                f"This Hessian has dense parts ({', '.join(dense)}), so that no entry is known to be zero. "
                "scipy.sparse.csr_array(H.matrix()) stores all that are not."
            )
        return found

    def is_positive_definite(self) -> bool:
        """Are all eigenvalues positive?

        >>> Structured((3,), (Scaled(2.0),)).is_positive_definite()
        True
        """
        known = self.form.definite()
        if known is None:
            found = self.form.extreme(1, "smallest")
            found = self.form.spectrum() if found is None else found
            known = self._full().definite() if found is None else bool((found > 0).all())
        return bool(known)

    def condition(self) -> float:
        """The condition number in the norm 2: the ratio of the eigenvalues of largest and smallest size.

        >>> Structured((2,), (np.diag([1.0, -4.0]),)).condition()
        4.0
        """
        if self.rows > SMALL and isinstance(self.form, forms.SparseForm | forms.Updated):
            return _condition_by_lanczos(self)
        sizes = np.abs(self._spectrum())
        least, most = sizes.min(initial=math.inf), sizes.max(initial=0.0)
        return float(most / least) if least else math.inf

    def ridge(self, c: float) -> Structured:
        """H + c·I, which keeps the structure.

        >>> Structured((2,), (Scaled(0.0),)).ridge(0.5).solve(np.ones(2))
        array([2., 2.])
        """
        return Structured(self._of, (*self.terms, Scaled(c)), lambda: _and(self._words, f"{c:g} I"))

    # An array to NumPy.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(
                "The dense array of a Structured matrix is made when it is asked for: leave copy=False out."
            )
        mine = not any(isinstance(t, Dense) and t.owned for t in self.terms)
        return np.array(self.dense(), dtype, copy=None if mine else copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if any(isinstance(x, Structured) for x in keywords.get("out", ())):  # H += …: the name gets the new array
            del keywords["out"]
        if method == "__call__" and not keywords:
            if ufunc is np.matmul and len(inputs) == 2:
                a, b = inputs
                return a @ b if isinstance(a, Structured) else b.__rmatmul__(a)
            if (found := _structured(ufunc, inputs)) is not None:
                return found
        return getattr(ufunc, method)(*(x._array if isinstance(x, Structured) else x for x in inputs), **keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'Structured' has no attribute {name!r}")
        return getattr(self._array, name)

    def __getitem__(self, index: Any) -> Any:
        large = self.rows > 2**12 and isinstance(index, tuple) and len(index) == self.ndim
        if large and all(isinstance(i, int | np.integer) for i in index):
            return self._entry(index)
        return self._array[index]

    def _entry(self, index: tuple[int, ...]) -> Any:
        """One entry of a large matrix: a product with one column."""
        for axis, (i, size) in enumerate(zip(index, self.shape)):
            if not -size <= i < size:
                raise IndexError(f"index {i} is out of bounds for axis {axis} with size {size}")
        row, column = np.zeros(self._of, self.dtype), index[len(self._of) :]
        row[column] = 1
        return (self @ row)[index[: len(self._of)]]

    def __setitem__(self, index: Any, value: Any) -> None:
        raise InputError("A Hessian is not changed in place: change a copy of its dense array, A = np.array(H).")

    def __len__(self) -> int:
        if not self._of:
            raise TypeError("len() of a number")
        return self._of[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array)

    def __contains__(self, value: Any) -> bool:
        return value in self._array

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        return float(self._array)

    @property
    def T(self) -> Any:
        """The transpose: NumPy's, so all axes are reversed.

        >>> type(Structured((3,), (Scaled(2.0),)).T).__name__
        'Structured'
        """
        return self._transposed() if len(self._of) == 1 else self._array.T

    def _transposed(self) -> Structured:
        return Structured(self._of, tuple(t.transposed() for t in self.terms), self._words)

    def copy(self, order: Any = "C") -> np.ndarray:
        """A dense copy.

        >>> Structured((1,), (Scaled(2.0),)).copy()
        array([[2.]])
        """
        return np.array(self.dense(), order=order, copy=True)

    def _scaled(self, c: Any) -> Structured:
        return Structured(self._of, tuple(t.scaled(c) for t in self.terms), lambda: _times(self._words, c))

    def __repr__(self) -> str:
        if self.rows <= 12 and self.ndim <= 4:
            return repr(self._array)
        return f"Structured Hessian of shape {self.shape}, {self.structure}"

    def __str__(self) -> str:
        return str(self._array) if self.rows <= 12 and self.ndim <= 4 else repr(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec) if self._of else format(float(self), spec)


def _start(full: list[Dense], rest: list[Block], shape: Shape) -> tuple[np.ndarray, list[Block]]:
    """The array that the others are added to: the sum of two dense ones is formed in one pass, without a copy."""
    if len(full) > 1:
        return np.add(full[0].matrix(shape), full[1].matrix(shape)), [*full[2:], *rest]
    if full:
        return np.array(full[0].matrix(shape)), rest
    rest = sorted(rest, key=lambda t: not t.full)
    return rest[0].dense(shape), rest[1:]


def _structured(ufunc: Any, inputs: tuple[Any, ...]) -> Structured | None:
    """The sum, difference, negative or multiple, where that is structured."""
    if ufunc in (np.add, np.subtract) and all(isinstance(x, Structured) for x in inputs):
        a, b = inputs
        if a._of == b._of:
            b = b if ufunc is np.add else b._scaled(-1)
            return Structured(a._of, (*a.terms, *b.terms), lambda: _and(a._words, b._words))
    if ufunc is np.negative:
        return inputs[0]._scaled(-1)
    if ufunc is np.positive:
        return inputs[0]
    if ufunc in (np.multiply, np.divide) and len(inputs) == 2:
        a, b = inputs
        if isinstance(a, Structured) and _is_number(b):
            return a._scaled(b) if ufunc is np.multiply else a._scaled(1 / b) if b else None
        if ufunc is np.multiply and _is_number(a):
            return b._scaled(a)
    return None


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | np.integer | np.floating) and not isinstance(x, bool)


def _text(words: str | Callable[[], str]) -> str:
    return words if isinstance(words, str) else words()


def _and(a: str | Callable[[], str], b: str | Callable[[], str]) -> str:
    left, right = _text(a), _text(b)
    if not (left and right):
        return ""
    return f"{left} − {right[1:].lstrip()}" if right.startswith(("−", "-")) else f"{left} + {right}"


def _times(words: str | Callable[[], str], c: Any) -> str:
    text = _text(words)
    sum_of_terms = " + " in text or " − " in text
    body = f"({text})" if sum_of_terms else text
    return text and ("−" + body if c == -1 else f"{c:g} {body}".replace("-", "−"))


def _pick(values: np.ndarray, k: int, which: str) -> np.ndarray:
    """k of them, those asked for first."""
    key = {"largest magnitude": -np.abs(values), "largest": -values, "smallest": values}[which]
    return values[np.argsort(key, kind="stable")[:k]]


def _lanczos(H: Structured, k: int, which: str) -> np.ndarray:
    """Lanczos through H @ v; where it does not converge, all eigenvalues if a dense matrix may be formed."""
    linalg = forms.scipy("sparse.linalg")
    kind = {"largest magnitude": "LM", "largest": "LA", "smallest": "SA"}[which]
    n, apply = H.rows, H.form.A.__matmul__ if isinstance(H.form, forms.SparseForm) else H._apply
    operator = linalg.LinearOperator((n, n), lambda v: apply(v.reshape(n, 1)).reshape(-1), dtype=H.dtype)
    start = np.random.default_rng(0).standard_normal(n).astype(H.dtype)  # the same answer at every call
    try:
        return linalg.eigsh(operator, k, which=kind, v0=start, return_eigenvectors=False)
    except linalg.ArpackNoConvergence as error:
        if n <= 5000:
            return H._full().spectrum()
        raise BudgetError(
            f"Lanczos found {len(error.eigenvalues)} of the {k} eigenvalues asked for ({which}) in {10 * n} steps: "
            "they lie too close together. Ask for others, or use scipy.sparse.linalg.eigsh with a shift (sigma=…)."
        ) from None


def _condition_by_lanczos(H: Structured) -> float:
    """The ends of the spectrum where both have one sign; or the largest size by H @ v, the smallest by H.solve."""
    linalg, n = forms.scipy("sparse.linalg"), H.rows
    ends = H.form.extreme(1, "largest magnitude")
    if ends is not None and ends[0] * ends[-1] > 0:
        return float(np.abs(ends).max() / np.abs(ends).min())
    start = np.random.default_rng(0).standard_normal(n).astype(H.dtype)
    try:
        H.solve(start)
    except DomainError:
        return math.inf
    inverse = linalg.LinearOperator((n, n), lambda v: H.solve(v.reshape(-1)), dtype=H.dtype)
    # Four digits of a condition number are enough; the residual's square bounds the error of an eigenvalue.
    least = linalg.eigsh(inverse, 1, which="LM", v0=start, tol=1e-4, return_eigenvectors=False)
    return float(np.abs(H.eigenvalues(1)[0] * least[0]))
