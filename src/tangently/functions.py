"""The mathematical functions, under the names that people know: for numbers, arrays, expressions and traced values.

`relu`, `softmax`, `erf` and so on are here because NumPy has none; `sin`, `sum`, `where` are here too, so that a
formula given as text and NumPy's own functions (which `tangently.tracing` redirects) have one definition to go to.
Signatures follow NumPy's. `FUNCTIONS` maps every name, with the usual second spellings (`ln`, `asin`, `tr`), to its
function.
"""

from __future__ import annotations

import builtins
import collections
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangently.errors import InputError, ShapeError
from tangently.expr import TABLE, Dim, Expr, quotient
from tangently.primitives import tensor
from tangently.primitives.kinds import broadcast_shapes, dtype_of, need_numbers, normalize_axes, shape_of
from tangently.primitives.kinds import broadcast_to as _broadcast_to
from tangently.primitives.kinds import count as _count
from tangently.primitives.kinds import identity as _identity
from tangently.primitives.kinds import reshape as _reshape
from tangently.primitives.tensor import einsum as _einsum_row
from tangently.primitives.tensor import sum_of

Axis = int | Sequence[int] | None
WHOLE = ("s", None, None, None)


def array(x: Any, dtype: Any = None) -> Any:
    """Numbers, nested lists and arrays as one array; traced entries are stacked, so nothing is lost.

    >>> array([1.0, 2.0]).shape
    (2,)
    """
    if isinstance(x, (list, tuple)):
        if has_traced(x):
            return TABLE["stack"](*[array(v) for v in x], params=(0,))
        return np.asarray(x, dtype)
    return x


def has_traced(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return builtins.any(has_traced(v) for v in x)
    return hasattr(type(x), "__apply__")


def lift(x: Any) -> Any:
    """What a row takes: lists become arrays."""
    return array(x) if isinstance(x, (list, tuple)) else x


def elementwise(name: str) -> Callable[..., Any]:
    """The public function of an elementwise row."""
    row = TABLE[name]

    def function(*args: Any) -> Any:
        if len(args) != row.arity:
            raise InputError(f"{name} was given {len(args)} arguments; it takes {row.arity}")
        return row(*[lift(a) for a in args])

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{row.rules[0].name if row.rules else name}: entry by entry, broadcasting as NumPy does."
    return function


# ---------------------------------------------------------------- reductions


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum of the entries over `axis` (None: all)."""
    x = lift(x)
    return sum_of(TABLE["where"](x, 1.0, 0.0) if dtype_of(x) == "?" else x, axis, keepdims)


def _reduction(row: str) -> Callable[..., Any]:
    def function(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        x = lift(x)
        axes = normalize_axes(axis, len(shape_of(x)))
        return TABLE[row](x, params=(axes, bool(keepdims))) if axes else x

    function.__name__ = function.__qualname__ = row
    return function


mean = _reduction("mean")
amax = _reduction("amax")
amin = _reduction("amin")
prod = _reduction("prod")


def max(*args: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest entry of one array, or the larger of several values."""
    return _extremum(amax, maximum, args, axis, keepdims)


def min(*args: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest entry of one array, or the smaller of several values."""
    return _extremum(amin, minimum, args, axis, keepdims)


def _extremum(reduce: Any, pairwise: Callable[..., Any], args: Sequence[Any], axis: Axis, keepdims: bool) -> Any:
    return reduce(args[0], axis, keepdims) if len(args) == 1 else functools.reduce(pairwise, args)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two values, entry by entry; a plain number is a bound that does not vary."""
    return _bounded("maximum", "at_least", lift(a), lift(b))


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two values, entry by entry; a plain number is a bound that does not vary."""
    return _bounded("minimum", "at_most", lift(a), lift(b))


def _bounded(pairwise: str, bound: str, a: Any, b: Any) -> Any:
    if has_traced(a) and not has_traced(b):
        return TABLE[bound](a, b)
    return TABLE[bound](b, a) if has_traced(b) and not has_traced(a) else TABLE[pairwise](a, b)


def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance over `axis`: the mean squared distance from the mean (divided by n - ddof)."""
    x = lift(x)
    axes = normalize_axes(axis, len(shape_of(x)))
    n = _count(tuple(shape_of(x)[k] for k in axes))
    total = sum_of((x - mean(x, axes, True)) ** 2, axes, keepdims)
    return total / (n - ddof)


def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation over `axis`."""
    x = lift(x)
    axes = normalize_axes(axis, len(shape_of(x)))
    n = _count(tuple(shape_of(x)[k] for k in axes))
    apart = TABLE["norm"](
        x - mean(x, axes, True), params=(axes, bool(keepdims))
    )  # √Σ, with a slope where all are equal
    return apart / (TABLE["sqrt"](n - ddof) if type(n) is Expr else builtins.max(n - ddof, 0) ** 0.5)


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of a vector (2 by default; 1, inf, or p) or the Frobenius norm of an array."""
    x = lift(x)
    axes = normalize_axes(axis, len(shape_of(x)))
    if not axes:
        return TABLE["abs"](x)
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        return TABLE["norm"](x, params=(axes, bool(keepdims)))
    if len(axes) == 2 and len(shape_of(x)) == 2:
        found = _matrix_norm(x, ord)
        return _reshape(found, (1, 1)) if keepdims else found
    if len(axes) != 1 or isinstance(ord, str):
        raise InputError(
            f"norm with ord={ord!r} over {len(axes)} axes of an array of shape {shape_of(x)}: "
            "None or 'fro' was wanted, or a vector or one matrix"
        )
    size = TABLE["abs"](x)
    if ord == 0:
        raise InputError(
            "norm with ord=0 counts the entries that are not 0: it has no derivative; another ord was wanted"
        )
    if ord in (np.inf, -np.inf):
        return (amax if ord > 0 else amin)(size, axes, keepdims)
    return sum_of(size, axes, keepdims) if ord == 1 else sum_of(size**ord, axes, keepdims) ** (1 / ord)


def _matrix_norm(x: Any, ord: Any) -> Any:
    """The norms of one matrix that are no sum over its entries: by singular values, columns or rows."""
    if ord == "nuc":
        return TABLE["nuclear_norm"](x)
    if ord in (2, -2):
        values = TABLE["svdvals"](x)
        return (amax if ord > 0 else amin)(values)
    if ord in (1, -1, np.inf, -np.inf):
        return (amax if ord > 0 else amin)(sum_of(TABLE["abs"](x), 0 if ord in (1, -1) else 1))
    raise InputError(f"norm of a matrix with ord={ord!r}: None, 'fro', 'nuc', 2, -2, 1, -1, inf or -inf was wanted")


def _vector_norm(name: str, ord: Any, others: str) -> Callable[..., Any]:
    def function(x: Any) -> Any:
        x = lift(x)
        if len(shape_of(x)) > 1:
            raise ShapeError(
                f"{name} of an array of shape {shape_of(x)}: a vector was wanted; of a matrix write {others}"
            )
        return norm(x, ord)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The norm of a vector with ord={ord}; of a matrix it would be ambiguous, and is refused."
    return function


norm1 = _vector_norm("norm1", 1, "sum(abs(X)), or norm(X, 1) for the largest column sum")
norm2 = _vector_norm("norm2", 2, "norm_fro(X), or spectral_norm(X)")


def norm_fro(x: Any) -> Any:
    """The Frobenius norm: the square root of the sum of squares of all entries.

    >>> norm_fro([[3.0, 0.0], [0.0, 4.0]])
    5.0
    """
    return norm(x)


def nuclear_norm(x: Any) -> Any:
    """The sum of the singular values of a matrix; its gradient is U Vᵀ where the rank is full.

    >>> nuclear_norm([[3.0, 0.0], [0.0, 4.0]])
    7.0
    """
    return TABLE["nuclear_norm"](lift(x))


def spectral_norm(x: Any) -> Any:
    """The largest singular value of a matrix.

    >>> spectral_norm([[3.0, 0.0], [0.0, 4.0]])
    4.0
    """
    return norm(x, 2, (0, 1))


def _one_axis(x: Any, axis: int | None) -> tuple[Any, int]:
    """x and an axis that counts from the left; with None, x flattened and its only axis."""
    x = ravel(x) if axis is None else lift(x)
    return x, normalize_axes(0 if axis is None else axis, len(shape_of(x)))[0]


def _position(row: str) -> Callable[..., Any]:
    def function(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        flat, k = _one_axis(x, axis)
        found = TABLE[row](flat, params=(k,))
        kept = tuple(1 if j == k or axis is None else n for j, n in enumerate(shape_of(lift(x))))
        return _reshape(found, kept) if keepdims else found

    function.__name__ = function.__qualname__ = row
    return function


argmax, argmin = _position("argmax"), _position("argmin")


def argsort(x: Any, axis: int | None = -1) -> Any:
    """The indices that sort x along an axis."""
    x, k = _one_axis(x, axis)
    return TABLE["argsort"](x, params=(k,))


def sort(x: Any, axis: int | None = -1) -> Any:
    """x sorted along an axis: a selection, so the gradient goes back to where each entry came from."""
    x, k = _one_axis(x, axis)
    return TABLE["gather"](x, argsort(x, k), params=(k,))


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    x, k = _one_axis(x, axis)
    return TABLE["gather"](x, indices, params=(k,))


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle entry, or the mean of the two in the middle."""
    if axis is not None and not isinstance(axis, int):
        raise InputError(f"median over axes {axis}: one axis, or None, was wanted")
    flat, k = _one_axis(x, axis)
    need_numbers(shape_of(flat), "the median")
    n = shape_of(flat)[k]
    ordered = sort(flat, k)
    pick = lambda j: index(ordered, (*[slice(None)] * k, j))
    middle = pick(n // 2) if n % 2 else (pick(n // 2 - 1) + pick(n // 2)) / 2
    kept = tuple(1 if j == k or axis is None else m for j, m in enumerate(shape_of(lift(x))))
    return _reshape(middle, kept) if keepdims else middle


def any(x: Any, axis: Axis = None) -> Any:
    """Is any entry true?"""
    return TABLE["gt"](sum(TABLE["where"](lift(x), 1.0, 0.0), axis), 0)


def all(x: Any, axis: Axis = None) -> Any:
    """Are all entries true?"""
    return TABLE["eq"](sum(TABLE["where"](lift(x), 0.0, 1.0), axis), 0)


# ---------------------------------------------------------------- layout


def reshape(x: Any, *sizes: Any, shape: Any = ()) -> Any:
    """x with another shape; one size may be -1."""
    x = lift(x)
    target = sizes or (shape if isinstance(shape, (tuple, list)) else (shape,))
    target = target[0] if len(target) == 1 and isinstance(target[0], (tuple, list)) else target
    sizes = tuple(n if type(n) is Dim else int(n) for n in target)
    if -1 in sizes:
        whole, rest = math.prod(shape_of(x)), math.prod(n for n in sizes if n != -1)
        free = quotient(whole, rest)
        if free is None:
            raise ShapeError(f"shape {shape_of(x)} can't be reshaped to {sizes}: {whole} is not a multiple of {rest}")
        sizes = tuple(free if n == -1 else n for n in sizes)
    return _reshape(x, sizes)


def ravel(x: Any) -> Any:
    return reshape(x, (-1,))


def transpose(x: Any, axes: Any = None) -> Any:
    """The transposed array (axes reversed, or in the order given)."""
    x = lift(x)
    return x if len(shape_of(x)) < 2 else tensor.transpose(x, axes)


def swapaxes(x: Any, a: int, b: int) -> Any:
    order = list(range(len(shape_of(x))))
    order[a], order[b] = order[b], order[a]
    return tensor.transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    ndim = len(shape_of(x))
    src, dst = ([int(k) % ndim for k in np.atleast_1d(v)] for v in (source, destination))
    order = [k for k in range(ndim) if k not in src]
    for d, s in sorted(zip(dst, src)):
        order.insert(d, s)
    return tensor.transpose(x, order)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    shape = list(shape_of(lift(x)))
    axes: Any = axis if isinstance(axis, (tuple, list)) else (axis,)
    total = len(shape) + len(axes)
    for k in sorted(int(a) % total for a in axes):
        shape.insert(k, 1)
    return _reshape(lift(x), tuple(shape))


def squeeze(x: Any, axis: Axis = None) -> Any:
    shape = shape_of(x)
    axes = [k for k, n in enumerate(shape) if n == 1] if axis is None else normalize_axes(axis, len(shape))
    for k in axes:
        if shape[k] != 1:
            raise ShapeError(f"axis {k} of shape {shape} can't be squeezed: its size is {shape[k]}, not 1")
    return _reshape(x, tuple(n for k, n in enumerate(shape) if k not in axes))


def broadcast_to(x: Any, shape: Any) -> Any:
    target = tuple(shape) if isinstance(shape, (tuple, list)) else tuple(np.atleast_1d(shape).tolist())
    if broadcast_shapes(shape_of(lift(x)), target) != target:
        raise ShapeError(f"an array of shape {shape_of(lift(x))} can't be broadcast to shape {target}")
    return _broadcast_to(lift(x), target)


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Arrays joined along an axis."""
    xs = [lift(a) for a in arrays]
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return TABLE["concatenate"](*xs, params=(normalize_axes(axis, len(shape_of(xs[0])))[0],))


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays stacked along a new axis."""
    xs = [lift(a) for a in arrays]
    return TABLE["stack"](*xs, params=(axis % (len(shape_of(xs[0])) + 1),))


def vstack(arrays: Sequence[Any]) -> Any:
    return concatenate([reshape(a, (1, -1)) if len(shape_of(lift(a))) < 2 else a for a in arrays], 0)


def hstack(arrays: Sequence[Any]) -> Any:
    xs = [reshape(a, (1,)) if not shape_of(lift(a)) else lift(a) for a in arrays]
    return concatenate(xs, 0 if len(shape_of(xs[0])) == 1 else 1)


def split(x: Any, sections: Any, axis: int = 0) -> list[Any]:
    need_numbers(shape_of(x), "a split")
    n = shape_of(x)[axis]
    if isinstance(sections, int):
        if n % sections:
            raise ShapeError(f"an axis of size {n} can't be split into {sections} equal parts")
        sections = range(n // sections, n, n // sections)
    edges = [0, *[int(k) for k in sections], n]
    return [index(x, (*[slice(None)] * (axis % len(shape_of(x))), slice(a, b))) for a, b in itertools.pairwise(edges)]


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Zeros around an array."""
    if mode != "constant" or np.any(np.asarray(constant_values) != 0):
        raise InputError(f"pad with mode={mode!r}, constant_values={constant_values}: padding with zeros was wanted")
    ndim = len(shape_of(x))
    widths = np.broadcast_to(np.asarray(pad_width), (ndim, 2)).tolist()
    return TABLE["pad"](x, params=(tuple((int(a), int(b)) for a, b in widths),))


def cumsum(x: Any, axis: int | None = None) -> Any:
    x, k = _one_axis(x, axis)
    return TABLE["cumsum"](x, params=(k,))


def cumprod(x: Any, axis: int | None = None) -> Any:
    """The running product along an axis (None: of all entries in a row)."""
    x, k = _one_axis(x, axis)
    need_numbers(shape_of(x), "the running product")
    whole = [slice(None)] * k
    parts = [index(x, (*whole, j)) for j in range(shape_of(x)[k])]
    return stack(list(itertools.accumulate(parts, TABLE["mul"])), k) if parts else x


def flip(x: Any, axis: Axis = None) -> Any:
    axes = normalize_axes(axis, len(shape_of(x)))
    return index(x, tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(len(shape_of(x)))))


def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Any:
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape_of(x))
    if not (isinstance(shift, int) and isinstance(axis, int)):
        for s, k in np.broadcast(shift, axis):
            x = roll(x, int(s), int(k))
        return x
    need_numbers(shape_of(x), "a roll")
    n = shape_of(x)[axis]
    k = shift % n if n else 0
    lead = (slice(None),) * (axis % len(shape_of(x)))
    return concatenate([index(x, (*lead, slice(n - k, None))), index(x, (*lead, slice(0, n - k)))], axis)


def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    x = lift(x)
    lead = (slice(None),) * (axis % len(shape_of(x)))
    for _ in range(n):
        x = index(x, (*lead, slice(1, None))) - index(x, (*lead, slice(None, -1)))
    return x


def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    x = ravel(x) if axis is None else x
    need_numbers(shape_of(x), "a repetition")
    k = 0 if axis is None else axis % len(shape_of(x))
    where = np.repeat(np.arange(shape_of(x)[k]), repeats)
    return index(x, (*[slice(None)] * k, where))


def tile(x: Any, reps: Any) -> Any:
    x = lift(x)
    counts = tuple(np.atleast_1d(reps).tolist())
    ndim = builtins.max(len(counts), len(shape_of(x)))
    counts, shape = (1,) * (ndim - len(counts)) + counts, (1,) * (ndim - len(shape_of(x))) + shape_of(x)
    spread = [size for pair in zip(counts, shape) for size in pair]
    axes = tuple(range(1, 2 * ndim, 2))
    copied = TABLE["broadcast"](_reshape(x, shape), params=(tuple(spread), axes))
    return _reshape(copied, tuple(a * b for a, b in zip(counts, shape)))


# ---------------------------------------------------------------- indexing


def _slice_part(part: slice) -> tuple[Any, ...]:
    ends = [k if k is None or type(k) is Dim else int(k) for k in (part.start, part.stop, part.step)]
    return ("s", *ends)


def _mask_indices(mask: Any) -> tuple[np.ndarray, ...]:
    """A boolean mask as integer indices; on a traced mask the choice is a guard, entry by entry."""
    if hasattr(type(mask), "__apply__"):
        from tangently.tracing.traced import guard, need_value

        need_value(mask, "a boolean mask")
        guard(mask, np.array(mask.value))
        mask = mask.value
    return np.nonzero(mask)


def pattern_of(key: Any, ndim: int) -> tuple[tuple[Any, ...], list[Any]]:
    """NumPy's key as a hashable pattern and the integer arrays in it."""
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = [np.asarray(p, None if p else int) if isinstance(p, list) and not has_traced(p) else p for p in parts]
    parts = [q for p in parts for q in (_mask_indices(p) if _is_mask(p) else (p,))]
    if builtins.any(p is Ellipsis for p in parts):
        where = next(k for k, p in enumerate(parts) if p is Ellipsis)
        missing = ndim - builtins.sum(p is not None and p is not Ellipsis for p in parts)
        split = not missing and builtins.any(isinstance(p, np.ndarray) or has_traced(p) for p in parts)
        parts[where : where + 1] = (
            [Ellipsis] if split else [slice(None)] * missing
        )  # an empty … still parts index arrays
    arrays: list[Any] = []
    return tuple([_part_of(part, arrays) for part in parts]), arrays


def _is_mask(part: Any) -> bool:
    return dtype_of(part) == "?" if isinstance(part, np.ndarray) else (
        hasattr(type(part), "__apply__") and part.dtype == bool and part.ndim > 0
    )  # fmt: skip


def _part_of(part: Any, arrays: list[Any]) -> Any:
    if isinstance(part, slice):
        return _slice_part(part)
    if part is None or part is Ellipsis:
        return ("n",) if part is None else ("e",)
    if type(part) is int or isinstance(part, np.integer):
        return int(part)
    if hasattr(type(part), "__apply__"):
        if part.shape == ():
            return part.__index__()
        arrays.append(part if part.dtype.kind in "iu" else _whole(part))
        return ("a",)
    if isinstance(part, np.ndarray) and part.dtype.kind in "iu":
        arrays.append(part)
        return ("a",)
    raise InputError(f"{part!r} can't be an index: whole numbers, slices, None, …, masks or integer arrays were wanted")


def _whole(part: Any) -> Any:
    """Labels that were passed as whole floats (integer arguments are promoted) may index; they carry no gradient."""
    if part.value is None or not np.all(np.equal(part.value, np.floor(part.value))):
        raise InputError(f"{part!r} is used as an index, but its entries are not whole numbers")
    return TABLE["astype"](part, params=("l",))


def index(x: Any, key: Any) -> Any:
    """`x[key]` as NumPy has it."""
    x = lift(x)
    pattern, arrays = pattern_of(key, len(shape_of(x)))
    return TABLE["index"](x, *arrays, params=(pattern,))


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    x = ravel(x) if axis is None else lift(x)
    indices = np.asarray(indices) if isinstance(indices, (list, tuple)) else indices
    return index(x, (*[slice(None)] * (0 if axis is None else axis % len(shape_of(x))), indices))


# ---------------------------------------------------------------- products


def einsum(subscripts: Any, *operands: Any) -> Any:
    """NumPy's einsum; "..." is allowed, and an output left out follows NumPy's rule."""
    if not isinstance(subscripts, str):
        raise InputError("einsum was given no subscript string first: einsum('ij,jk->ik', A, B)")
    xs = [lift(x) for x in operands]
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(xs):
        raise ShapeError(f"einsum {subscripts!r} names {len(inputs)} operands; {len(xs)} were given")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    extra = [len(shape_of(x)) - len(s.replace("...", "")) for s, x in zip(inputs, xs)]
    most = builtins.max((n for s, n in zip(inputs, extra) if "..." in s), default=0)
    dots = "".join(free[:most])
    inputs = [s.replace("...", dots[most - n :] if n > 0 else "") for s, n in zip(inputs, extra)]
    if arrow:
        out = out.replace("...", dots)
    else:
        flat = "".join(inputs)
        out = dots + "".join(sorted(c for c in set(flat) if flat.count(c) == 1 and c not in dots))
    xs, inputs = _without_ones(xs, inputs)
    return _einsum_row(*xs, params=(f"{','.join(inputs)}->{out}",))


def _without_ones(xs: Sequence[Any], inputs: Sequence[str]) -> tuple[list[Any], list[str]]:
    """An axis of size 1 whose index is longer in another operand is dropped, as NumPy broadcasts it."""
    if builtins.any(len(s) != len(shape_of(x)) for s, x in zip(inputs, xs)):
        return list(xs), list(inputs)  # the row says what is wrong
    long = {c for s, x in zip(inputs, xs) for c, n in zip(s, shape_of(x)) if n != 1}
    kept = [[k for k, c in enumerate(s) if shape_of(x)[k] != 1 or c not in long] for s, x in zip(inputs, xs)]
    return (
        [_reshape(x, tuple(shape_of(x)[k] for k in ks)) for x, ks in zip(xs, kept)],
        ["".join(s[k] for k in ks) for s, ks in zip(inputs, kept)],
    )


def matmul(a: Any, b: Any) -> Any:
    a, b = lift(a), lift(b)
    if hasattr(type(a), "power_of_text") or hasattr(type(b), "power_of_text"):
        return a @ b  # symbolic matrices know their rows from their columns
    return tensor.matmul(a, b)


def dot(a: Any, b: Any) -> Any:
    return tensor.dot(lift(a), lift(b))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return tensor.tensordot(lift(a), lift(b), axes)


def inner(a: Any, b: Any) -> Any:
    a, b = lift(a), lift(b)
    if not shape_of(a) or not shape_of(b):
        return a * b
    return tensor.tensordot(a, b, ((len(shape_of(a)) - 1,), (len(shape_of(b)) - 1,)))


def outer(a: Any, b: Any) -> Any:
    return _einsum_row(ravel(lift(a)), ravel(lift(b)), params=("i,j->ij",))


def vdot(a: Any, b: Any) -> Any:
    return _einsum_row(ravel(lift(a)), ravel(lift(b)), params=("i,i->",))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a square matrix's diagonal (or of the diagonal that NumPy's `offset` and axes name)."""
    shape = shape_of(lift(x))
    if type(offset) is not int or (not offset and len(shape) == 2 and shape[0] != shape[1]) or len(shape) < 2:
        raise ShapeError(f"trace of an array of shape {shape}, offset {offset!r}: a square matrix was wanted")
    if len(shape) == 2 and not offset:
        return _einsum_row(lift(x), params=("ii->",))
    return sum(diagonal(x, offset, axis1, axis2), -1)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of a matrix, or of each matrix along two axes; `offset` counts diagonals as NumPy does.

    >>> diagonal([[1.0, 2.0], [3.0, 4.0]], 1)
    array([2.])
    """
    x = lift(x)
    shape = shape_of(x)
    if len(shape) < 2 or type(offset) is not int:
        raise ShapeError(f"diagonal of an array of shape {shape}, offset {offset!r}: a matrix was wanted")
    a, b = (normalize_axes(k, len(shape))[0] for k in (axis1, axis2))
    if a == b:
        raise ShapeError(f"diagonal with axis1={axis1} and axis2={axis2}: two different axes were wanted")
    if not offset and shape[a] == shape[b]:
        rest = tensor.letters(len(shape) - 2)
        spec = iter(rest)
        mine = "".join("z" if k in (a, b) else next(spec) for k in range(len(shape)))
        return _einsum_row(x, params=(f"{mine}->{rest}z",))
    need_numbers((shape[a], shape[b]), "a diagonal beside the main one, or of a matrix that is not square,")
    rows = np.arange(builtins.max(0, -offset), builtins.min(shape[a], shape[b] - offset))
    picked = index(moveaxis(x, (a, b), (0, 1)), (rows, rows + offset))
    return moveaxis(picked, 0, -1) if len(shape) > 2 else picked


def diag(x: Any, k: int = 0) -> Any:
    """A vector as a diagonal matrix, or the diagonal of a matrix; `k` counts diagonals as NumPy does.

    >>> diag([1.0, 2.0])
    array([[1., 0.],
           [0., 2.]])
    """
    x = lift(x)
    if len(shape_of(x)) != 1:
        return diagonal(x, k)
    whole = _einsum_row(x, identity_beside(x), params=("i,ij->ij",)) if has_traced(x) else np.diag(x)
    above, below = builtins.max(k, 0), builtins.max(-k, 0)
    return pad(whole, ((below, above), (above, below))) if k else whole


def identity_beside(x: Any) -> Any:
    """The identity matrix with as many rows as x: a node for an expression, recorded for a traced value."""
    size = shape_of(x)[0]
    if type(x) is Expr:
        return _identity(size)
    if not has_traced(x):
        return np.eye(size)
    from tangently.tracing.traced import Traced, innermost, record

    if type(x) is not Traced:
        return type(x).__apply__(TABLE["identity"], (), (size,))
    return record(innermost([x]), TABLE["identity"], (), [], (size,))


def vec(x: Any) -> Any:
    """The columns of a matrix, one under the other (Magnus & Neudecker).

    >>> vec([[1.0, 2.0], [3.0, 4.0]])
    array([1., 3., 2., 4.])
    """
    return ravel(transpose(lift(x)))


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product of two matrices (or vectors): the blocks aᵢⱼ B.

    >>> kron([1.0, 2.0], [1.0, 10.0])
    array([ 1., 10.,  2., 20.])
    """
    a, b = lift(a), lift(b)
    ndim = builtins.max(len(shape_of(a)), len(shape_of(b)))
    p, q = ((1,) * (ndim - len(shape_of(x))) + tuple(shape_of(x)) for x in (a, b))
    left, right = tensor.letters(ndim), tensor.letters(ndim, ndim)
    both = "".join(c + d for c, d in zip(left, right))
    whole = _einsum_row(_reshape(a, p), _reshape(b, q), params=(f"{left},{right}->{both}",))
    return _reshape(whole, tuple(m * n for m, n in zip(p, q)))


def hadamard(a: Any, b: Any) -> Any:
    """The product entry by entry."""
    return TABLE["mul"](lift(a), lift(b))


def cross(a: Any, b: Any) -> Any:
    """The cross product of vectors of three entries (along the last axis).

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    array([0., 0., 1.])
    """
    a, b = lift(a), lift(b)
    if shape_of(a)[-1:] != (3,) or shape_of(b)[-1:] != (3,):
        raise ShapeError(f"cross of arrays of shapes {shape_of(a)} and {shape_of(b)}: 3 entries on the last axis were wanted")  # fmt: skip  # noqa: E501
    turned = lambda x, shift: concatenate([index(x, (..., slice(shift, None))), index(x, (..., slice(0, shift)))], -1)
    return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1)


# ---------------------------------------------------------------- linear algebra


def _of_matrix(name: str, says: str) -> Callable[..., Any]:
    def function(x: Any) -> Any:
        return TABLE[name](lift(x))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = says
    return function


inv = _of_matrix("inv", "The inverse of a square matrix.")
det = _of_matrix("det", "The determinant of a square matrix.")
logdet = _of_matrix("logdet", "ln |det X|, without overflow.")
eigvalsh = _of_matrix("eigvalsh", "The eigenvalues of a symmetric matrix, the smallest first.")
svdvals = _of_matrix("svdvals", "The singular values of a matrix, the largest first.")
expm = _of_matrix("expm", "The exponential of a square matrix.")


def cholesky(x: Any, upper: bool = False) -> Any:
    """The lower triangular L with L Lᵀ = X, for a symmetric positive definite X (upper=True: Lᵀ)."""
    found = TABLE["cholesky"](lift(x))
    return transpose(found) if upper else found


def solve(a: Any, b: Any) -> Any:
    """The solution y of A y = b, for a vector or a matrix b.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
    array([1. , 0.5])
    """
    return TABLE["solve"](lift(a), lift(b))


def _factors(name: str, fields: str) -> Any:
    return collections.namedtuple(name, fields)


SlogdetResult = _factors("SlogdetResult", "sign logabsdet")
EighResult = _factors("EighResult", "eigenvalues eigenvectors")
SVDResult = _factors("SVDResult", "U S Vh")


def slogdet(x: Any) -> Any:
    """The sign of the determinant and the logarithm of its size."""
    return SlogdetResult(TABLE["sign"](det(x)), logdet(x))


def eigh(x: Any) -> Any:
    """Eigenvalues (the smallest first) and eigenvectors of a symmetric matrix; differentiable where no two agree."""
    return EighResult(eigvalsh(x), TABLE["eigvecsh"](lift(x)))


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition U diag(S) Vh; differentiable where no two singular values agree."""
    x = lift(x)
    if not compute_uv:
        return svdvals(x)
    if full_matrices and shape_of(x)[:1] != shape_of(x)[1:]:
        raise InputError(f"svd of an array of shape {shape_of(x)} with full_matrices=True is not unique: pass full_matrices=False")  # fmt: skip  # noqa: E501
    return SVDResult(TABLE["svd_left"](x), svdvals(x), transpose(TABLE["svd_right"](x)))


def matrix_power(x: Any, n: int) -> Any:
    """The product of n times the same square matrix (for negative n, of its inverse), by repeated squaring.

    >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 3)
    array([[1., 3.],
           [0., 1.]])
    """
    x = lift(x)
    if len(shape_of(x)) != 2 or shape_of(x)[0] != shape_of(x)[1]:
        raise ShapeError(f"power of an array of shape {shape_of(x)}: a square matrix was wanted")
    if type(n) is not int and not isinstance(n, np.integer):
        raise InputError(f"matrix_power with the exponent {n!r}: a whole number was wanted")
    if n == 0:
        return identity_beside(x)
    base, found = (x if n > 0 else inv(x)), None
    for digit in reversed(f"{builtins.abs(int(n)):b}"):
        if digit == "1":
            found = base if found is None else matmul(found, base)
        base = matmul(base, base)
    return found


def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of several arrays, from the left."""
    return functools.reduce(dot, [lift(a) for a in arrays])


def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of a matrix, from the k-th diagonal on."""
    return TABLE["tril"](lift(x), params=(int(k),))


def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of a matrix, from the k-th diagonal on."""
    return TABLE["triu"](lift(x), params=(int(k),))


# ---------------------------------------------------------------- neural


def _along(row: str) -> Callable[..., Any]:
    def function(x: Any, axis: int = -1) -> Any:
        x = lift(x)
        if not shape_of(x):
            raise ShapeError(f"{row} was given a number: an array was wanted")
        return TABLE[row](x, params=(normalize_axes(axis, len(shape_of(x)))[0],))

    function.__name__ = function.__qualname__ = row
    return function


softmax, log_softmax = _along("softmax"), _along("log_softmax")


def logsumexp(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """ln Σ e^x along an axis (None: over all entries), without overflow."""
    x = lift(x)
    if axis is None:
        x, axis = ravel(x), 0
    return TABLE["logsumexp"](x, params=(normalize_axes(axis, len(shape_of(x)))[0], bool(keepdims)))


def one_hot(labels: Any, classes: int) -> np.ndarray:
    """Rows of the identity matrix: `labels` whole numbers from 0 to classes - 1, any shape.

    >>> one_hot([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    """
    found = np.asarray(labels)
    if found.dtype.kind not in "iu" or (found.size and (found.min() < 0 or found.max() >= classes)):
        raise InputError(f"labels must be whole numbers from 0 to {classes - 1}: got {found.dtype} {found!r:.60}")
    return np.eye(classes)[found]


def cross_entropy(logits: Any, targets: Any) -> Any:
    """The mean softmax cross-entropy over the leading axes. `targets`: labels, or rows of probabilities."""
    logits, targets = lift(logits), lift(targets)
    if isinstance(targets, np.ndarray) and targets.dtype.kind in "iu" and targets.ndim == len(shape_of(logits)) - 1:
        targets = one_hot(targets, shape_of(logits)[-1])
    each = TABLE["cross_entropy"](logits, targets)
    return mean(each) if shape_of(each) else each


def mse(a: Any, b: Any) -> Any:
    """The mean squared difference of two arrays."""
    return TABLE["mse"](lift(a), lift(b))


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b, as a network's linear layer has it: x (…, in), weight (out, in), bias (out,)."""
    args = (lift(x), lift(weight)) if bias is None else (lift(x), lift(weight), lift(bias))
    return TABLE["linear"](*args)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return TABLE["elu"](lift(x), alpha)


def leaky_relu(x: Any, alpha: float = 0.01) -> Any:
    return TABLE["leaky_relu"](lift(x), alpha)


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x kept between two bounds; either may be None."""
    x = lift(x)
    if low is None or high is None:
        x = x if low is None else maximum(x, low)
        return x if high is None else minimum(x, high)
    return TABLE["clip"](x, low, high)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, b elsewhere."""
    return TABLE["where"](lift(condition), lift(a), lift(b))


def log(x: Any, base: Any = None) -> Any:
    """The natural logarithm, or the logarithm to a base."""
    return TABLE["log"](lift(x)) if base is None else TABLE["log"](lift(x)) / TABLE["log"](base)


def sinc(x: Any) -> Any:
    """sin(πx)/(πx); near 0 by its series, since the derivatives of the quotient cancel there."""
    u = np.pi * lift(x)
    near = TABLE["lt"](TABLE["abs"](u), 0.1)
    v = u**2
    series = 1 - v / 6 * (1 - v / 20 * (1 - v / 42 * (1 - v / 72)))
    return TABLE["where"](near, series, TABLE["sin"](u) / TABLE["where"](near, 1.0, u))


def factorial(x: Any) -> Any:
    """x! = Γ(x + 1), for numbers that are not whole too.

    >>> factorial(5)
    120.0
    """
    return TABLE["gamma"](lift(x) + 1)


def binomial(n: Any, k: Any) -> Any:
    """n!/(k! (n - k)!), by the gamma function."""
    n, k = lift(n), lift(k)
    return factorial(n) / (factorial(k) * factorial(n - k))


def frac(x: Any) -> Any:
    """x - ⌊x⌋, from 0 up to 1."""
    x = lift(x)
    return x - TABLE["floor"](x)


def heaviside(x: Any, at_zero: Any = 1) -> Any:
    """0 left of 0, 1 right of it, and `at_zero` there."""
    x = lift(x)
    plain = type(at_zero) in (int, float) and at_zero == 1
    return TABLE["step"](x) if plain else TABLE["where"](TABLE["eq"](x, 0), at_zero, TABLE["step"](x))


def round(x: Any, decimals: int = 0) -> Any:
    """The nearest whole number, or the nearest with so many decimals; a tie goes to the even one."""
    x = lift(x)
    return TABLE["rint"](x * 10.0**decimals) / 10.0**decimals if decimals else TABLE["rint"](x)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x·Φ(x), or the tanh approximation with approximate="tanh"."""
    if approximate == "tanh":
        x = lift(x)
        return 0.5 * x * (1 + TABLE["tanh"]((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    return TABLE["gelu"](lift(x))


_ROWS = (  # noqa: SIM905
    "sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1 log2 log10 log1p "
    "sqrt cbrt square reciprocal abs sign floor ceil trunc rint remainder hypot logaddexp erf erfc gamma loggamma "
    "digamma polygamma erfi erfinv Ei Si Ci li lambertw zeta beta besselj bessely besseli besselk spherical_jn "
    "sigmoid softplus silu relu step logical_and logical_or logical_not isnan isfinite isinf"
).split()
_OWN = (array, sum, mean, amax, amin, prod, max, min, maximum, minimum, var, std, norm, argmax, argmin, argsort, sort,
    median, any, all,
        reshape, ravel, transpose, swapaxes, moveaxis, expand_dims, squeeze, broadcast_to, concatenate, stack, vstack,
        hstack, split, pad, cumsum, flip, roll, diff, repeat, tile, take, take_along_axis, einsum, matmul, dot,
            tensordot,
        inner, outer, vdot, trace, diagonal, diag, vec, kron, hadamard, cross, cumprod, norm1, norm2, norm_fro,
        nuclear_norm, spectral_norm, inv, det, logdet, slogdet, eigh, eigvalsh, svd, svdvals, expm, cholesky, solve,
        matrix_power, multi_dot, tril, triu, softmax, log_softmax, logsumexp, one_hot, cross_entropy, mse, linear,
        elu, leaky_relu, clip, where, log, sinc, factorial, binomial, frac, heaviside, round, gelu)  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {name: elementwise(name) for name in _ROWS}
FUNCTIONS.update((f.__name__, f) for f in _OWN)
FUNCTIONS.update(
    sec=lambda x: 1 / TABLE["cos"](x),
    csc=lambda x: 1 / TABLE["sin"](x),
    cot=lambda x: TABLE["cos"](x) / TABLE["sin"](x),  # 1/tan has a hole at π/2
    sech=lambda x: 1 / TABLE["cosh"](x),
    csch=lambda x: 1 / TABLE["sinh"](x),
    coth=lambda x: 1 / TABLE["tanh"](x),
    arccot=lambda x: TABLE["arctan"](1 / x),
    arcsec=lambda x: TABLE["arccos"](1 / x),
    arccsc=lambda x: TABLE["arcsin"](1 / x),
    arccoth=lambda x: TABLE["arctanh"](1 / x),
    arcsech=lambda x: TABLE["arccosh"](1 / x),
    arccsch=lambda x: TABLE["arcsinh"](1 / x),
)
_SAME = {
    "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "tr": "trace", "lgamma": "loggamma", "gammaln": "loggamma",
        "psi": "digamma",
    "absolute": "abs", "fabs": "abs", "swish": "silu", "expit": "sigmoid",
    "pow": "power", "ceiling": "ceil", "mod": "remainder", "acot": "arccot", "asec": "arcsec", "acsc": "arccsc",
    "acoth": "arccoth", "asech": "arcsech", "acsch": "arccsch", "LambertW": "lambertw", "expi": "Ei", "jv": "besselj",
    "normF": "norm_fro", "frobenius": "norm_fro", "norm_nuc": "nuclear_norm", "nuclear": "nuclear_norm",
    "inverse": "inv", "chol": "cholesky", "jn": "besselj", "yv": "bessely", "iv": "besseli", "kv": "besselk",
    "comb": "binomial", "binom": "binomial",
}  # fmt: skip
FUNCTIONS["power"] = elementwise("pow")
FUNCTIONS.update((other, FUNCTIONS[name]) for other, name in _SAME.items())


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    raise AttributeError(f"tangently.functions has no {name!r}; it has {', '.join(sorted(FUNCTIONS))}")


def __dir__() -> list[str]:
    return sorted(FUNCTIONS)
