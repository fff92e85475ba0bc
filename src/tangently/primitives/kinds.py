"""The kinds of rows, and what every row of a kind shares.

elementwise: y = φ(x₁, …, xₖ) entry by entry under NumPy's broadcasting. The row gives ∂φ/∂xᵢ as a function of
    (y, x₁, …); the tangent Σ ∂φ/∂xᵢ·tᵢ and the cotangent ∂φ/∂xᵢ·g, summed over broadcast axes, follow.
linear in one operand (layout): the tangent is the row itself, the cotangent is the transposed row.
composite: a named body (softmax, cross-entropy) with its own closed derivative in terms of its output.

Partials are written with operators and rows, so they compute on numbers as well as on expressions: the same
lambda serves the symbolic graph and the numeric reverse sweep.

Glossary: p params, y output, xs operands, ts tangents (None: zero), g cotangent, i operand position.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tangently.errors import ShapeError, UnsupportedError
from tangently.expr import (
    CONST,
    TABLE,
    Dim,
    Expr,
    Primitive,
    Rule,
    Shape,
    Size,
    build,
    const,
    is_concrete,
    is_number,
)

SCALARS = frozenset({float, int, bool})
_LETTERS = re.compile(r"\{(\d+)\}")


def shape_of(x: Any) -> Shape:
    """The shape of an expression, an array or a number."""
    return () if type(x) in SCALARS else x.shape


def dtype_of(x: Any) -> str:
    return "w" if type(x) in SCALARS else (x.dtype if type(x) is Expr else x.dtype.char)


@functools.cache
def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcasting of shapes.

    >>> broadcast_shapes((3, 1), (4,))
    (3, 4)
    >>> broadcast_shapes((Dim.named("n"), 1), (Dim.named("m"),))
    (n, m)
    """
    try:
        return np.broadcast_shapes(*shapes) if all(map(is_concrete, shapes)) else _broadcast_sizes(shapes)
    except ValueError:
        text = " and ".join(str(s) for s in shapes)
        raise ShapeError(f"shapes {text} do not broadcast: aligned from the right, sizes must be equal or 1") from None


def _broadcast_sizes(shapes: Sequence[Shape]) -> Shape:
    """Broadcasting where sizes have names: two different ones do not conform, for nothing says that they are equal."""
    found = [{size for size in column if size != 1} for column in _columns(shapes)]
    if any(len(sizes) > 1 for sizes in found):
        raise ValueError
    return tuple(next(iter(sizes), 1) for sizes in found)


def _columns(shapes: Sequence[Shape]) -> Iterator[tuple[Size, ...]]:
    """The sizes axis by axis, shapes aligned from the right."""
    longest = max(map(len, shapes))
    return zip(*[(1,) * (longest - len(s)) + s for s in shapes])


# ---------------------------------------------------------------- sizes without a number


def extent(size: Size) -> int | Expr:
    """A size as a number of a formula: itself, or the row `extent` where it has a name."""
    return build(TABLE["extent"], (), (size,)) if isinstance(size, Dim) else size


def need_numbers(shape: Shape, what: str) -> None:
    """Refuse what has no meaning, or no rule here, before every size has a number."""
    if not is_concrete(shape):
        raise UnsupportedError(
            f"{what} of an array of shape {shape} was asked for: it needs sizes that are whole numbers; "
            "give each named size one (n=3) first"
        )


def count(shape: Shape) -> int | Expr:
    """The number of entries of an array of this shape, as a number of a formula.

    >>> count((3, 4)), count((3, Dim.named("n")))
    (12, extent())
    """
    return extent(math.prod(shape))


def identity(size: Size) -> Expr:
    """The identity matrix of this size: the Kronecker delta as a node."""
    return build(TABLE["identity"], (), (size,))


@functools.cache
def join(*dtypes: str) -> str:
    """The dtype of a result: Python numbers ("w" float, "n" int) take the dtype of what they meet (NEP 50)."""
    strong = [d for d in dtypes if d not in "wn"]
    if not strong:
        return "w" if "w" in dtypes else "n"
    kind = np.result_type(*strong)
    return "d" if "w" in dtypes and kind.kind in "biu" else kind.char


@functools.cache
def floating(dtype: str) -> str:
    """The floating dtype that a transcendental function of this dtype has."""
    return "d" if dtype in "n?" or np.dtype(dtype if dtype != "w" else "d").kind in "biu" else dtype


def result_dtype(kind: str, args: Sequence[Any]) -> str:
    if kind == "bool":
        return "?"
    joined = join(*[a.dtype for a in args])
    return joined if kind == "same" else floating(joined)


# ---------------------------------------------------------------- numbers


@functools.cache
def callable_of(template: str) -> Callable[..., Any]:
    """A function from a row's own source template (the table's text, never a user's)."""
    count = max((int(k) for k in _LETTERS.findall(template)), default=-1) + 1
    names = [f"x{k}" for k in range(count)]
    scope = {"math": math, "np": np}
    if "special." in template:
        import scipy.special

        scope["special"] = scipy.special
    source = f"lambda {', '.join(names)}: {template.format(*names)}"
    return eval(compile(source, f"<row {template}>", "eval"), scope)


def evaluate_elementwise(scalar: Callable[..., Any], array: Callable[..., Any]) -> Callable[..., Any]:
    """Python floats by `math` (fast), arrays by NumPy; where `math` raises, NumPy's inf or nan is the value."""

    def evaluate(_p: tuple[Any, ...], *xs: Any) -> Any:
        for x in xs:
            if type(x) not in SCALARS:
                return array(*xs)
        try:
            return scalar(*xs)
        except (ValueError, ZeroDivisionError, OverflowError):
            with np.errstate(all="ignore"):
                return array(*[np.float64(x) for x in xs]).item()

    return evaluate


def plain(found: Any) -> Any:
    """A number as Python has it, where NumPy gave an array of no axes or a scalar of double precision.

    >>> plain(np.float64(0.5)), plain(np.array(0.5)), plain(np.array([0.5]))
    (0.5, 0.5, array([0.5]))
    """
    if isinstance(found, Expr):  # an entry of an array of expressions
        return found
    return found.item() if found.shape == () and found.dtype.char in "dl?" else found


# ---------------------------------------------------------------- elementwise


def infer_elementwise(result: str) -> Callable[..., tuple[Shape, str]]:
    def infer(_p: tuple[Any, ...], *args: Expr) -> tuple[Shape, str]:
        shape = args[0].shape
        for arg in args[1:]:
            if arg.shape != shape:
                shape = broadcast_shapes(shape, arg.shape)
        return shape, result_dtype(result, args)

    return infer


def unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum a cotangent over the axes along which an operand of this shape was broadcast."""
    have = shape_of(g)
    if have == shape:
        return g
    lead = len(have) - len(shape)
    axes = [k for k, n in enumerate(have) if k < lead or (shape[k - lead] == 1 and n != 1)]
    spec = letters(len(have))
    kept = "".join(c for k, c in enumerate(spec) if k not in axes)
    return reshape(TABLE["einsum"](g, params=(f"{spec}->{kept}",)), shape)


def letters(count: int, start: int = 0) -> str:
    """Subscript letters for `count` axes."""
    pool = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return pool[start : start + count]


def reshape(x: Any, shape: Shape) -> Any:
    return x if shape_of(x) == shape else TABLE["reshape"](x, params=(shape,))


def broadcast_to(x: Any, shape: Shape) -> Any:
    """NumPy's `broadcast_to`, for expressions, numbers and arrays alike."""
    have = shape_of(x)
    if have == shape:
        return x
    lead = len(shape) - len(have)
    keep = [k for k, n in enumerate(have) if n == shape[k + lead]]
    small = reshape(x, tuple(have[k] for k in keep))
    return TABLE["broadcast"](small, params=(shape, tuple(k + lead for k in keep)))


def jvp_elementwise(partials: Sequence[Callable[..., Any] | None]) -> Callable[..., Any]:
    def jvp(_p: tuple[Any, ...], y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
        total = None
        for partial, t in zip(partials, ts):
            if partial is None or t is None:
                continue
            d = partial(y, *xs)
            if not is_number(d, 0):
                term = TABLE["mul"](d, t)
                total = term if total is None else TABLE["add"](total, term)
        return None if total is None else broadcast_to(total, shape_of(y))

    return jvp


def vjp_elementwise(partials: Sequence[Callable[..., Any] | None]) -> Callable[..., Any]:
    def vjp(_p: tuple[Any, ...], y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
        partial = partials[i]
        if partial is None:
            return None
        d = partial(y, *xs)
        if type(d) is float and type(g) is float:
            return g * d
        return None if is_number(d, 0) else unbroadcast(TABLE["mul"](g, d), shape_of(xs[i]))

    return vjp


def hoist(op: Primitive, args: Sequence[Expr]) -> Expr | None:
    """Broadcasting that the row does by itself is left to it: 2 spread over (n,) times 3 is 6 spread over (n,)."""
    inner = [_unspread(a) if a.op.name == "broadcast" else a for a in args]
    if all(a is b for a, b in zip(inner, args)):
        return None
    shape = broadcast_shapes(*[a.shape for a in args])
    if broadcast_shapes(*[a.shape for a in inner]) == shape:
        return op(*inner)
    return broadcast_to(op(*inner), shape) if all(a.shape == () for a in inner) else None


def _unspread(x: Expr) -> Expr:
    """The operand of a broadcast, with size 1 along the axes over which it was spread."""
    shape, axes = x.params
    sizes = [n if k in axes else 1 for k, n in enumerate(shape)]
    while sizes and sizes[0] == 1:
        sizes.pop(0)
    return reshape(x.args[0], tuple(sizes)) if math.prod(sizes) == math.prod(x.args[0].shape) else x


def elementwise(
    name: str,
    *,
    python: str | Callable[..., str] | None,
    partials: Sequence[Callable[..., Any] | None],
    numpy: str | Callable[..., str] | None = None,
    ufunc: str | None = None,
    javascript: str | Callable[..., str] | None = "",
    result: str = "float",
    **fields: Any,
) -> Primitive:
    """A row that acts entry by entry. `numpy` defaults to the ufunc; `javascript` to `Math.<name>`, None: it has none.

    A row whose `python` is None has no source: generated code calls the row itself, and `scalar` and `array` are its
    functions of numbers and of arrays.
    """
    arity = len(partials)
    slots = ", ".join(f"{{{k}}}" for k in range(arity))
    if python is not None:
        numpy = numpy or f"np.{ufunc or name}({slots})"
    scalar = fields.pop("scalar", None) or _late(python, slots)
    array = fields.pop("array", None) or _late(numpy, slots)
    own = fields.pop("simplify", None)

    def simplify(p: tuple[Any, ...], *args: Expr) -> Expr | None:
        hoisted = hoist(row, args)
        return hoisted if hoisted is not None or own is None else own(p, *args)

    row = TABLE.add(
        Primitive(
            name=name,
            kind="elementwise",
            arity=arity,
            evaluate=evaluate_elementwise(scalar, array),
            scalar=scalar,
            array=array,
            infer=infer_elementwise(result),
            jvp=jvp_elementwise(partials),
            vjp=vjp_elementwise(partials),
            partials=tuple(partials),
            python=python,
            numpy=numpy,
            ufunc=ufunc,
            javascript=f"Math.{name}({slots})" if javascript == "" else javascript,
            simplify=simplify,
            **fields,
        )
    )
    return row


def _late(template: str | Callable[..., str] | None, slots: str) -> Callable[..., Any]:
    """Compile a template at its first use: importing the table must cost nothing that is not needed."""
    names = slots.split(", ")
    assert template is not None, "a row without source needs scalar= and array="
    text = template if isinstance(template, str) else template((), *names)

    def first(*xs: Any) -> Any:
        return callable_of(text)(*xs)

    return first


# ---------------------------------------------------------------- composites


def composite(name: str, **fields: Any) -> Primitive:
    """A named body with its own closed derivative; opaque to differentiation, expanded when code is generated.

    `body(p, *xs)` computes the value with rows, so it serves numbers, expressions and code. Without a `vjp`
    the row must be elementwise in its partials.
    """
    body = fields["body"]
    return TABLE.add(Primitive(name=name, kind="composite", evaluate=body, **fields))


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes as sorted non-negative integers; None means all of them.

    >>> normalize_axes(-1, 3)
    (2,)
    """
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for k in axes:
        if not -ndim <= int(k) < ndim:
            raise ShapeError(f"axis {k} does not exist: the array has {ndim} axes, 0 to {ndim - 1}")
    found = tuple(sorted(int(k) % ndim for k in axes))
    if len(set(found)) != len(found):
        raise ShapeError(f"an axis is named twice in {tuple(axes)}")
    return found


def fold(op: Primitive, args: Sequence[Expr]) -> Expr | None:
    """The constant that a node of Python-number constants is, where it is finite and stays exact."""
    if not args or not all(a.op is CONST and a.dtype in "wn" for a in args):
        return None
    values = [a.value for a in args]
    try:
        result = op.scalar(*values) if op.scalar else op.evaluate((), *values)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    exact = all(type(v) is int for v in values)
    if exact and type(result) is not int:  # of larger numbers a float may be whole by rounding: (2⁶⁰ + 1)/2⁶⁰ is not 1
        whole = type(result) is float and result.is_integer() and all(abs(v) < 2**26 for v in values)
        return const(int(result)) if whole else None
    return const(result) if type(result) in (int, float) else None


__all__ = [
    "Rule",
    "broadcast_shapes",
    "broadcast_to",
    "composite",
    "elementwise",
    "fold",
    "normalize_axes",
    "reshape",
    "shape_of",
    "unbroadcast",
]
