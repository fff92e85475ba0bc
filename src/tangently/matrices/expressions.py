"""Matrices without numbers: expressions of symbolic shape, and their derivatives as expressions of matrices.

A `Matrix` is a traced value without a value: operators, NumPy's functions and `tg.functions` build its graph, and the
derivative rules are those of the table. A vector is a column: in the graph it has one axis, and a flag says where it
was turned into a row, so that xᵀy, x yᵀ and a row that meets a column are told apart.

The gradient of a number is one reverse sweep. Any other derivative is the coefficient of a tangent: the network that
`contraction` finds for J·t, whose axes are those of the result and those of what is differentiated by. Which of the two
groups gives the rows is the *layout*: numerator (∂(Ax)/∂x = A) or denominator (∇(Ax) = Aᵀ). Two axes on a side are
flattened by vec, which stacks columns (Magnus & Neudecker, Matrix Differential Calculus, 2019) or rows (as NumPy does).

With respect to a symmetric matrix the gradient is the one among symmetric matrices: df = tr(∇ᵀ dS) for every symmetric
dS, the symmetric part of what independent entries would give (ibid.). Of a diagonal matrix it is the diagonal part.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tangently.contraction import Network, NoClosedForm, coefficient, contract_all
from tangently.differentiation import pullback, tangent
from tangently.errors import InputError, ShapeError, TraceError, a_type
from tangently.expr import (
    INPUT,
    TABLE,
    Dim,
    Expr,
    Primitive,
    Shape,
    build,
    concrete_inputs,
    concretize,
    const,
    inputs_of,
    symbol,
    toposort,
)
from tangently.expr import evaluate as run
from tangently.matrices import notation
from tangently.matrices.notation import Mat
from tangently.matrices.preparing import prepared, unguarded
from tangently.matrices.reading import Reader, read_network
from tangently.matrices.shapes import check_promises, properties_of, shown, sizes, sizes_of_arrays
from tangently.primitives.kinds import identity as _identity
from tangently.primitives.kinds import reshape
from tangently.primitives.tensor import matmul as matmul_of
from tangently.primitives.tensor import transpose as transpose_of
from tangently.tracing.traced import Traced

Layout = Literal["numerator", "denominator"]
Order = Literal["column", "row"]
SIGNS = {"add": "+", "sub": "−", "mul": "*", "div": "/", "pow": "**", "eq": "==", "lt": "<", "gt": ">"}
_symbols: weakref.WeakValueDictionary[Any, Expr] = weakref.WeakValueDictionary()
_held: weakref.WeakKeyDictionary[Expr, frozenset[str]] = weakref.WeakKeyDictionary()


# ---------------------------------------------------------------- declarations


def matrix(
    name: str,
    shape: Any = None,
    *,
    symmetric: bool = False,
    positive_definite: bool = False,
    diagonal: bool = False,
    orthogonal: bool = False,
    properties: Iterable[str] = (),
) -> Matrix:
    """A matrix without numbers. Its two sizes are names or numbers; properties are used when formulas are simplified.

    The same declaration gives the same matrix again. Raises InputError where the shape is left out, ShapeError where a
    property wants a square matrix.

    >>> A, x = matrix("A", "m n"), vector("x", "n")
    >>> (A @ x).shape
    (m,)
    """
    given = {
        "symmetric": symmetric,
        "positive definite": positive_definite,
        "diagonal": diagonal,
        "orthogonal": orthogonal,
    }
    if shape is None:
        raise InputError(f'matrix("{name}") has no shape: give its sizes, matrix("{name}", "m n")')
    full = sizes(shape, name, 2)
    return _declared(name, full, properties_of(name, full, given, properties))


def vector(name: str, shape: Any = None) -> Matrix:
    """A column without numbers; `x.T` is a row.

    >>> x = vector("x", "n")
    >>> (x.T @ x).shape, (x @ x.T).shape
    ((), (n, n))
    """
    if shape is None:
        raise InputError(f'vector("{name}") has no size: give it, vector("{name}", "n")')
    return _declared(name, sizes(shape, name, 1), frozenset())


def scalar(name: str) -> Matrix:
    """A number without a value.

    >>> scalar("c").shape
    ()
    """
    return _declared(name, (), frozenset())


def _declared(name: str, shape: Shape, held: frozenset[str]) -> Matrix:
    if not isinstance(name, str) or not name.isidentifier():
        raise InputError(f"{name!r} was given as a name: a word such as A or w_1 was wanted")
    key = (name, shape, held)
    node = _symbols.get(key)
    if node is None:
        node = _symbols[key] = symbol(name, shape)
        if held:
            _held[node] = held
    return Matrix(node)


# ---------------------------------------------------------------- the class


@dataclass(frozen=True)
class Origin:
    """What a derivative is the derivative of."""

    verb: str
    of: Matrix
    wrt: Matrix
    layout: Layout
    order: Order
    network: Network | None = None
    by: Matrix | None = None  # of a mixed block of a Hessian: what the gradient is taken by
    moved: tuple[Expr, Expr] | None = None  # J·t and t, where there is no closed form

    @property
    def first(self) -> Matrix:
        """What the first derivative is taken by."""
        return self.wrt if self.by is None else self.by


class Matrix(Traced):
    """An expression of matrices, vectors and numbers without values. Vectors are columns, `x.T` is a row.

    `str` writes it in matrix notation with the shape under every symbol; `.latex()`, `.unicode()`, `.source("numpy")`
    and `.evaluate(A=…, x=…)` give it in other forms. A derivative has `.steps`, and `.notes` on how it is to be read.
    """

    __slots__ = ("_mat", "_read", "_remarks", "origin", "row")

    def __init__(
        self, expr: Expr, row: bool = False, origin: Origin | None = None, remarks: tuple[str, ...] = ()
    ) -> None:
        super().__init__(expr, None, None)  # type: ignore[arg-type]
        self.row, self.origin, self._remarks = row and len(expr.shape) == 1, origin, remarks
        self._mat: Mat | None = None  # the formula
        self._read: Mat | None = None  # before it was simplified

    # ---- building

    @staticmethod
    def __apply__(op: Primitive, args: Any, params: tuple[Any, ...]) -> Matrix:
        xs = [_operand(a) for a in args]
        try:
            node = build(op, [x.expr for x in xs], params)
        except ShapeError as error:
            raise ShapeError(_unfit(op, xs, str(error))) from None
        return Matrix(node, _is_row(op, xs, node), remarks=(*_remarks(xs), *_spread(op, xs)))

    def __matmul__(self, other: Any) -> Matrix:
        return product(self, _operand(other))

    def __rmatmul__(self, other: Any) -> Matrix:
        return product(_operand(other), self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if ufunc is np.matmul and method == "__call__":
            return product(*map(_operand, inputs))
        return super().__array_ufunc__(ufunc, method, *inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        own = _ORIENTED.get(function.__name__)
        if own is not None and not keywords and len(args) == own[0]:
            return own[1](*map(_operand, args))
        return super().__array_function__(function, types, args, keywords)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            from tangently import functions

            return functools.partial(functions.FUNCTIONS[name], self)
        return super().__getattr__(name)

    @property
    def T(self) -> Matrix:
        """The transpose: of a column the row, of a number itself."""
        if self.ndim == 1:
            return Matrix(self.expr, not self.row, remarks=self._remarks)
        return self if self.ndim == 0 else Matrix(transpose_of(self.expr), remarks=self._remarks)

    def power_of_text(self, exponent: Any) -> Matrix:
        """What ^ is in a text: of a square matrix A^-1 is the inverse and A^3 is A A A; else entry by entry."""
        from tangently import functions

        if self.ndim != 2 or type(exponent) is not int or exponent == 0:
            return self**exponent
        if self.shape[0] != self.shape[1]:
            if exponent < 0:
                raise ShapeError(f"{self._text()} is {shown(self.shape)}: only a square matrix has an inverse")
            return Matrix(
                (self**exponent).expr, remarks=(*self._remarks, f"{self._text()}^{exponent} is entry by entry")
            )
        base = functions.FUNCTIONS["inv"](self) if exponent < 0 else self
        return functools.reduce(product, [base] * abs(exponent))

    @staticmethod
    def product_of_text(left: Any, right: Any, place: str, dotted: bool) -> Matrix:
        """What a star is in a text: the product of matrices where .* is used beside it, or where only that conforms."""
        a, b = _operand(left), _operand(right)
        alike = (a.shape, a.row) == (b.shape, b.row)
        conform = _conform(a, b) and not (b.row and (a.row or a.ndim > 1)) and max(a.ndim, b.ndim) + a.row + b.row > 1
        if alike and conform and not dotted:
            raise InputError(
                f"`{place}` has two readings: write A @ B or A B for the product of matrices, A .* B for the product "
                "entry by entry"
            )
        return product(a, b) if conform or (dotted and not alike) else a * b

    @property
    def rows(self) -> Matrix:
        """The number of rows, as a number of a formula: `Q @ K.T / Q.columns**0.5`."""
        return _operand(1 if self.ndim == 0 or self.row else self.shape[0])

    @property
    def columns(self) -> Matrix:
        """The number of columns, as a number of a formula."""
        return _operand(self.shape[-1] if self.ndim == 2 or self.row else 1)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum of all entries, or along an axis."""
        from tangently import functions

        return functions.sum(self, axis, keepdims)

    def __bool__(self) -> bool:
        raise TraceError(
            f"a branch (if, while, and, or, not) depends on {self._text()}, which has no value: write np.where, or "
            "evaluate it with numbers first, .evaluate(…)"
        )

    def __float__(self) -> float:
        raise TraceError(f"{self._text()} has no value that could be a plain number: evaluate it, .evaluate(…)")

    __index__ = __int__ = __float__  # type: ignore[assignment]

    # ---- what there is to see

    @property
    def name(self) -> str | None:
        """The name of a symbol; None for an expression."""
        return self.expr.name

    @property
    def formula(self) -> Mat:
        """The expression in matrix notation, a tree."""
        if self._mat is None:
            self._mat, remarks = _formula(self)
            self._remarks = tuple(dict.fromkeys((*self._remarks, *remarks)))
        return self._mat

    @property
    def notes(self) -> tuple[str, ...]:
        """How the expression was read, and how its value is to be understood."""
        mat = self.formula
        found = [*self._remarks]
        why = notation.reason(mat)
        if why:
            found.append(f"index notation: no matrix form exists because {why}")
        return tuple(dict.fromkeys(found))

    @property
    def properties(self) -> frozenset[str]:
        """What a symbol was declared to be: symmetric, positive definite, diagonal, orthogonal."""
        return _held.get(self.expr, frozenset())

    @property
    def steps(self) -> Any:
        """How a derivative comes about, step by step, each with the identity that it uses."""
        from tangently.matrices.derivations import steps_of

        return steps_of(self)

    def unicode(self) -> str:
        """The formula on one line."""
        from tangently.matrices.writing import text

        return text(self.formula)

    def latex(self) -> str:
        """The formula in LaTeX."""
        from tangently.matrices.writing import latex

        return latex(self.formula)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def source(self, language: str = "numpy") -> str:
        """A function in NumPy, PyTorch, JAX, Julia or MATLAB ("numpy", "torch", "jax", "julia", "matlab")."""
        from tangently.matrices.sources import source

        return source(self.formula, language)

    def __str__(self) -> str:
        from tangently.matrices.writing import with_shapes

        return "\n".join([with_shapes(self.formula), *_words(self)])

    def __repr__(self) -> str:
        kind = self.origin.verb if self.origin else ("matrix", "row" if self.row else "vector")[self.ndim == 1]
        kind = "number" if not self.ndim and not self.origin else kind
        return f"<{kind} {self.unicode()} {shown(self.shape, self.row)}>"

    def __format__(self, spec: str) -> str:
        return format(self.unicode(), spec)

    def _text(self) -> str:
        found = self.unicode()
        return found if len(found) <= 60 else f"{found[:58]} …"

    def __hash__(self) -> int:
        return id(self)

    # ---- numbers

    def evaluate(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The value where every symbol is the given array; sizes are read off the arrays, or given (n=3).

        >>> A, x = matrix("A", "m n"), vector("x", "n")
        >>> (A @ x).evaluate(A=[[1, 2], [3, 4]], x=[1, 1])
        array([3., 7.])
        """
        given = {**(values or {}), **named}
        asked = _inputs(self)
        numbers = _numbers_of_sizes(given, asked, self.expr)
        arrays = {k: np.asarray(v, float) for k, v in given.items() if k not in numbers}
        _check_names(arrays, asked, self)
        found = sizes_of_arrays(asked, arrays, numbers)
        return _computed(self, arrays, found)

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        return self.evaluate(values, **named)


_METHODS = frozenset({"inv", "det", "logdet", "norm", "diag", "exp", "log", "sqrt", "softmax", "logsumexp", "vec"})


def _operand(a: Any) -> Matrix:
    if isinstance(a, Matrix):
        return a
    if isinstance(a, Traced):
        raise InputError(f"{a!r} has a value and meets a matrix without one: evaluate the matrix first, .evaluate(…)")
    if isinstance(a, Expr):
        return Matrix(a)
    if type(a) is Dim:
        return Matrix(build(TABLE["extent"], (), (a,)))
    if isinstance(a, (list, tuple)):
        a = np.asarray(a)
    kind = getattr(a, "dtype", np.dtype(type(a) if isinstance(a, (bool, int, float)) else object)).kind
    if kind not in "fiub":
        raise InputError(f"{a_type(a)} meets {Matrix.__name__.lower()} symbols: numbers or arrays were wanted")
    return Matrix(const(np.array(a) if isinstance(a, np.ndarray) else a))


def _remarks(xs: Sequence[Matrix]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([r for x in xs for r in x._remarks]))


def _is_row(op: Primitive, xs: Sequence[Matrix], node: Expr) -> bool:
    """Is the result a row? Entry by entry a row does not meet a column."""
    vectors = [x for x in xs if x.ndim == 1]
    row = next((x for x in vectors if x.row), None)
    column = next((x for x in vectors if not x.row), None)
    if row is None:
        return False
    if column is not None and (op.kind in ("elementwise", "composite") or node.ndim == 1):
        raise ShapeError(
            f"{_joined(op, xs)}: {row._text()} is a row and {column._text()} a column, which do not meet entry by "
            f"entry; turn one of them (.T), or write @ for their product"
        )
    return node.ndim == 1


def _spread(op: Primitive, xs: Sequence[Matrix]) -> list[str]:
    """A column that meets a matrix entry by entry is spread as NumPy does, as a row: say so."""
    if op.kind != "elementwise" or not any(x.ndim == 2 for x in xs):
        return []
    return [f"{x._text()} meets every row of a matrix, as NumPy spreads it" for x in xs if x.ndim == 1 and not x.row]


def _joined(op: Primitive, xs: Sequence[Matrix], sign: str = "") -> str:
    """An operation as the user would write it, with shapes."""
    parts = [f"{_spoken(x)} {shown(x.shape, x.row)}" for x in xs]
    sign = sign or SIGNS.get(op.name, "")
    return f" {sign} ".join(parts) if sign and len(parts) == 2 else f"{op.name}({', '.join(parts)})"


def _spoken(x: Matrix) -> str:
    text = x._text()
    return f"({text})" if x.formula.op == "sum" and len(x.formula.args) > 1 else text


def _unfit(op: Primitive, xs: Sequence[Matrix], error: str) -> str:
    if op.name in SIGNS and len(xs) == 2:
        shapes = " and ".join(shown(x.shape, x.row) for x in xs)
        hint = "; write @ for the product of matrices" if op.name == "mul" and _conform(*xs) else ""
        return f"{_joined(op, xs)}: shapes {shapes} do not conform entry by entry{hint}"
    return f"{_joined(op, xs)}: {error}"


def _conform(a: Matrix, b: Matrix) -> bool:
    return bool(a.shape and b.shape) and _inner_sizes(a, b)[0] == _inner_sizes(a, b)[1]


def _inner_sizes(a: Matrix, b: Matrix) -> tuple[Any, Any]:
    return a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]


def product(a: Matrix, b: Matrix) -> Matrix:
    """The matrix product a @ b. Two columns give NumPy's inner product, a column and a row the outer product."""
    row = TABLE["einsum"]
    said = _joined(row, (a, b), "@")
    if not a.shape or not b.shape:
        raise ShapeError(f"{said}: @ multiplies arrays; for a number write *")
    remarks = _remarks((a, b))
    if b.row:
        if a.ndim == 1 and not a.row:
            return Matrix(build(row, (a.expr, b.expr), ("a,b->ab",)), remarks=remarks)
        raise ShapeError(f"{said}: {a.shape[-1]} columns meet one row; {b.T._text()} is the column")
    left, right = _inner_sizes(a, b)
    if left != right:
        raise ShapeError(f"{said}: {left} columns meet {right} rows in this product")
    if a.ndim == 1 and not a.row and b.ndim > 1:
        remarks = (
            *remarks,
            f"{a._text()} @ {_spoken(b)} of a column is read as NumPy does: {b.T._text()} @ {a._text()}",
        )
    return Matrix(matmul_of(a.expr, b.expr), a.row and b.ndim > 1, remarks=remarks)


def _dot(a: Matrix, b: Matrix) -> Matrix:
    return product(a, b) if a.shape and b.shape else a * b


_ORIENTED: dict[str, tuple[int, Any]] = {
    "dot": (2, _dot),
    "matmul": (2, product),
    "transpose": (1, operator.attrgetter("T")),
    "matrix_transpose": (1, operator.attrgetter("T")),
}


# ---------------------------------------------------------------- formulas


def _reader(expr: Iterable[Expr]) -> Reader:
    inputs = inputs_of(expr)
    seen: dict[str, Expr] = {}
    for x in inputs:
        other = seen.setdefault(str(x.name), x)
        if other is not x:
            raise InputError(
                f"{x.name} stands for two things here: {_declaration(other)} and {_declaration(x)}; rename one of them"
            )
    return Reader({}, {x: _held[x] for x in inputs if x in _held})


def _declaration(x: Expr) -> str:
    return " ".join([*sorted(_held.get(x, ())), shown(x.shape)])


def _formula(m: Matrix) -> tuple[Mat, list[str]]:
    from tangently.matrices.simplifying import SPOKEN, simplified

    found, _, remarks = simplified(_unsimplified(m), None if m.origin else SPOKEN)
    return found, remarks


def _unsimplified(m: Matrix) -> Mat:
    """The formula as the graph, or the network, has it."""
    if m._read is None:
        reader = _reader([m.expr, *([m.origin.of.expr] if m.origin else [])])
        found = reader.mat_of(m.expr)
        m._read = notation.transpose(found) if m.row else found
    return m._read


def _words(m: Matrix) -> list[str]:
    """What must be said below a formula: layout, vec, and how it was read."""
    lines = []
    o = m.origin
    if o is not None and o.of.ndim + (o.layout == "numerator" and o.verb != "hessian") and o.verb != "hessian":
        rows, columns = ("the result", o.wrt._text()) if o.layout == "numerator" else (o.wrt._text(), "the result")
        lines.append(f"{o.layout} layout: rows belong to {rows}, columns to {columns}")
    said = ["index notation"]  # by the formula itself
    if any(node.op in ("vec", "commutation") for node in notation.parts_first(m.formula)):
        said.append("vec stacks")
    return [*lines, *[f"note: {n}" for n in m.notes if not n.startswith(tuple(said))]]


# ---------------------------------------------------------------- derivatives


def grad(e: Matrix, wrt: Any = None, layout: Layout | None = None, vec: Order = "column") -> Any:
    """The gradient of a number in the shape of `wrt`; of an array its derivative, in denominator layout.

    >>> A, x = matrix("A", "n n"), vector("x", "n")
    >>> grad(x.T @ A @ x, wrt=x), grad(A @ x, wrt=x)
    (<gradient (A + Aᵀ)x (n)>, <gradient Aᵀ (n×n)>)
    """
    return _each(wrt, e, lambda x: _derivative("gradient", e, x, layout or "denominator", vec))


def jacobian(e: Matrix, wrt: Any = None, layout: Layout | None = None, vec: Order = "column") -> Any:
    """The derivative in numerator layout: ∂(Ax)/∂x = A.

    >>> A, x = matrix("A", "m n"), vector("x", "n")
    >>> jacobian(A @ x, wrt=x)
    <jacobian A (m×n)>
    """
    return _each(wrt, e, lambda x: _derivative("jacobian", e, x, layout or "numerator", vec))


def derivative(e: Matrix, wrt: Any = None, order: int = 1) -> Any:
    """The derivative by a number, of any order; by an array the derivative in numerator layout.

    >>> A, c = matrix("A", "n n"), scalar("c")
    >>> derivative(c * A, wrt=c)
    <derivative A (n×n)>
    """

    def of(x: Matrix) -> Matrix:
        if order > 1 and x.shape:
            raise InputError(f"order={order} by {x._text()} {shown(x.shape)}: use hessian, or grad of grad")
        found = e
        for _ in range(order):
            found = _derivative("derivative", found, x, "numerator", "column")
        return found

    return _each(wrt, e, of)


def hessian(e: Matrix, wrt: Any = None, vec: Order = "column") -> Any:
    """The second derivative of a number; of several symbols a grid of blocks.

    >>> A, x = matrix("A", "n n"), vector("x", "n")
    >>> hessian(x.T @ A @ x, wrt=x)
    <hessian A + Aᵀ (n×n)>
    """
    _need_number(e, "hessian")
    xs = _symbols_of(wrt, e)
    grid = [tuple([_block(e, x, y, vec) for y in xs]) for x in xs]
    return tuple(grid) if isinstance(wrt, (list, tuple)) else grid[0][0]


def hvp(e: Matrix, direction: Matrix, wrt: Any = None) -> Matrix:
    """The Hessian times a direction, without the Hessian.

    >>> A, x, v = matrix("A", "n n"), vector("x", "n"), vector("v", "n")
    >>> hvp(x.T @ A @ x, v, wrt=x)
    <hvp (A + Aᵀ)v (n)>
    """
    _need_number(e, "hvp")
    (x,) = _symbols_of(wrt, e)
    direction = _operand(direction)
    if direction.shape != x.shape:
        raise ShapeError(f"{x._text()} is {shown(x.shape)} and the direction {shown(direction.shape)}: they must agree")
    (g,) = pullback([prepared(e.expr)], [const(1.0)], [x.expr])
    (moved,) = tangent([unguarded(g)], {x.expr: direction.expr})
    return Matrix(moved, origin=Origin("hvp", e, x, "denominator", "column"), remarks=e._remarks)


def _each(wrt: Any, e: Matrix, f: Any) -> Any:
    found = [f(x) for x in _symbols_of(wrt, e)]
    return tuple(found) if isinstance(wrt, (list, tuple)) else found[0]


def _symbols_of(wrt: Any, e: Matrix) -> list[Matrix]:
    """The symbols that `wrt` names; left out, the only one that there is."""
    inputs = inputs_of([e.expr])
    if wrt is None:
        if len(inputs) != 1:
            names = ", ".join(str(x.name) for x in inputs)
            raise InputError(f"{e._text()} depends on {names or 'nothing'}: say with respect to what, wrt=…")
        return [Matrix(inputs[0])]
    return [_symbol_of(w, inputs, e) for w in (wrt if isinstance(wrt, (list, tuple)) else [wrt])]


def _symbol_of(w: Any, inputs: Sequence[Expr], e: Matrix) -> Matrix:
    if isinstance(w, str):
        found = next((x for x in inputs if x.name == w), None)
        if found is None:
            names = ", ".join(str(x.name) for x in inputs)
            raise InputError(f"wrt={w!r}: {e._text()} has no {w}; it has {names or 'no symbols'}")
        return Matrix(found)
    if not isinstance(w, Matrix) or w.expr.op is not INPUT or w.row:
        said = w._text() if isinstance(w, Matrix) else repr(w)
        raise InputError(f"wrt={said}: a symbol (matrix, vector or scalar), or its name, was wanted")
    return w


def _need_number(e: Matrix, verb: str) -> None:
    if e.shape:
        raise ShapeError(f"{verb} needs one number; {e._text()} is {shown(e.shape, e.row)}. Sum it, or use jacobian")


def _check_layout(layout: Any, vec: Any) -> None:
    if layout not in ("numerator", "denominator"):
        raise InputError(f"layout={layout!r}: 'numerator' or 'denominator' was wanted")
    if vec not in ("column", "row"):
        raise InputError(f"vec={vec!r}: 'column' (columns are stacked) or 'row' was wanted")


def _derivative(verb: str, e: Matrix, x: Matrix, layout: Layout, order: Order) -> Matrix:
    _check_layout(layout, order)
    origin = Origin(verb, e, x, layout, order)
    if not e.shape:
        return _of_number(origin)
    if not x.shape:
        (t,) = tangent([unguarded(prepared(e.expr))], {x.expr: const(1.0)})
        return Matrix(t, e.row or (layout == "denominator" and e.ndim == 1), origin, e._remarks)
    return _of_array(origin, prepared(e.expr))


def _of_number(origin: Origin) -> Matrix:
    """One reverse sweep; the structure of the symbol is followed."""
    e, x = origin.of, origin.wrt
    (g,) = pullback([prepared(e.expr)], [const(1.0)], [x.expr])
    projected, remarks = _projected(g, x)
    turned = origin.layout == "numerator"
    node = transpose_of(projected) if turned and x.ndim == 2 else projected
    return Matrix(node, turned and x.ndim == 1, origin, (*e._remarks, *remarks))


def _projected(g: Expr, x: Matrix) -> tuple[Expr, list[str]]:
    """The gradient within the matrices that have the structure of the symbol."""
    held, said = x.properties, x._text()
    if "diagonal" in held:
        on = TABLE["einsum"](TABLE["einsum"](g, params=("aa->a",)), _identity(x.shape[0]), params=("a,ab->ab",))
        return on, [f"{said} is diagonal: only its diagonal entries vary, and the gradient is diagonal too"]
    if held & {"symmetric", "positive definite"}:
        even = 0.5 * (g + transpose_of(g))
        words = (
            f"{said} is symmetric: df = tr(∇ᵀ d{said}) for symmetric d{said}, the symmetric part of the derivative by "
            f"independent entries (Magnus & Neudecker); by the entries on and below the diagonal it is 2∇ − diag(∇)"
        )
        return even, [words]
    if "orthogonal" in held:
        return g, [f"{said} is orthogonal: its entries were varied independently, not along orthogonal matrices"]
    return g, []


def _of_array(origin: Origin, expr: Expr) -> Matrix:
    """The coefficient of a tangent, its axes in the order of the layout."""
    x = origin.wrt
    seed = symbol(f"d{x.name}", x.shape)
    (moved,) = tangent([unguarded(expr)], {x.expr: seed})
    remarks = [*origin.of._remarks]
    if x.properties:
        remarks.append(f"{x._text()} is {' and '.join(sorted(x.properties))}: its entries were varied independently")
    try:
        network = coefficient(moved, seed)
    except NoClosedForm as why:
        return _without_form(origin, moved, seed, str(why), remarks)
    if any(term.picks for term in network.terms):
        return _without_form(origin, moved, seed, "it picks entries by their positions", remarks)
    k = len(expr.shape)
    out = network.out if origin.layout == "numerator" else (*network.out[k:], *network.out[:k])
    made = dataclasses.replace(origin, network=dataclasses.replace(network, out=out))
    return _laid_out(made, expr, tuple(remarks))


def _laid_out(origin: Origin, expr: Expr, remarks: tuple[str, ...]) -> Matrix:
    """A matrix where the network has that form; else a tensor, in index notation."""
    assert origin.network is not None
    mat = _of_network(origin)
    tensor = mat is not None and len(mat.shape) > 2
    result = Matrix(_flattened(origin, origin.network, tensor), origin=origin, remarks=remarks)
    if max(len(expr.shape), origin.wrt.ndim) > 1 and not tensor:
        result._remarks = (*remarks, f"vec stacks {origin.order}s")
    result._read = mat
    return result


def _of_network(origin: Origin) -> Mat | None:
    assert origin.network is not None
    reader = _reader([origin.of.expr])
    return read_network(origin.network, {}, reader.properties, order=origin.order, rows=_rows(origin))


def _rows(origin: Origin) -> int:
    ndims = (_result_ndim(origin), origin.wrt.ndim)
    return ndims[0] if origin.layout == "numerator" else ndims[1]


def _result_ndim(origin: Origin) -> int:
    assert origin.network is not None
    return len(origin.network.out) - origin.wrt.ndim


def _flattened(origin: Origin, network: Network, tensor: bool) -> Expr:
    """The network as a matrix, the axes of each side flattened by vec; or as the tensor that it is."""
    whole = contract_all(network)
    shape = tuple(network.sizes[j] for j in network.out)
    if whole is None or not network.terms:
        whole = TABLE["broadcast"](const(0.0), params=(shape, ()))
    if tensor:
        return whole
    rows = _rows(origin)
    sides = [list(range(rows)), list(range(rows, len(shape)))]
    if origin.order == "column":
        sides = [side[::-1] for side in sides]
    order = [k for side in sides for k in side]
    if order != list(range(len(shape))):
        whole = transpose_of(whole, order)
    flat = tuple(functools.reduce(operator.mul, [shape[k] for k in side], 1) for side in sides)
    return reshape(whole, flat)


def _without_form(origin: Origin, moved: Expr, seed: Expr, why: str, remarks: Sequence[str]) -> Matrix:
    """No closed form: the derivative stands by a name, and its numbers are those of automatic differentiation."""
    first, last = (moved.shape, seed.shape) if origin.layout == "numerator" else (seed.shape, moved.shape)
    shape = (_count(first), _count(last))
    above = f"∇{origin.of._text()}" if origin.verb == "hessian" else origin.of._text()
    node = symbol(f"∂({above})/∂{origin.wrt.name}", shape)
    made = dataclasses.replace(origin, moved=(moved, seed))
    said = f"no closed form: {why}; its numbers are computed by automatic differentiation"
    return Matrix(node, origin=made, remarks=(*remarks, said))


def _count(shape: Shape) -> Any:
    return functools.reduce(operator.mul, shape, 1)


def _block(e: Matrix, x: Matrix, y: Matrix, order: Order) -> Matrix:
    """∂²e/∂x∂y: the derivative of the gradient by x."""
    _check_layout("numerator", order)
    (g,) = pullback([prepared(e.expr)], [const(1.0)], [x.expr])
    g = unguarded(g)
    origin = Origin("hessian", e, y, "numerator", order, by=x)
    if not y.shape:
        (t,) = tangent([g], {y.expr: const(1.0)})
        return Matrix(t, origin=origin, remarks=e._remarks)
    if not x.shape:
        (t,) = pullback([g], [const(1.0)], [y.expr])
        return Matrix(t, y.ndim == 1, origin, e._remarks)
    return _of_array(origin, g)


# ---------------------------------------------------------------- numbers


def _inputs(m: Matrix) -> list[Expr]:
    """The symbols of an expression, and of what it is the derivative of and by: these may be gone from the value."""
    found = _needed(m)
    if m.origin is None:
        return found
    return list(dict.fromkeys([*found, *_inputs(m.origin.of), m.origin.first.expr, m.origin.wrt.expr]))


def _needed(m: Matrix) -> list[Expr]:
    """The symbols that the value depends on."""
    if m.origin is None or m.origin.moved is None:
        return inputs_of([m.expr])
    moved, seed = m.origin.moved
    return [x for x in inputs_of([moved]) if x is not seed]


def _numbers_of_sizes(given: Mapping[str, Any], asked: Sequence[Expr], expr: Expr) -> dict[str, int]:
    """What is given for sizes rather than for symbols."""
    nodes = [*asked, *toposort([expr])]
    held = [size for x in nodes for size in (*x.shape, *x.params) if isinstance(size, Dim)]  # a parameter of extent
    names = {n for size in held for n in size.names()}
    symbols = {str(x.name) for x in asked}
    return {k: operator.index(v) for k, v in given.items() if k in names and k not in symbols}


def _check_names(arrays: Mapping[str, Any], asked: Sequence[Expr], m: Matrix) -> None:
    known = {str(x.name) for x in asked}
    needed = {str(x.name) for x in _needed(m)}
    if set(arrays) - known:
        wrong = sorted(set(arrays) - known)[0]
        raise InputError(f"{wrong} is not in {m._text()}; its symbols are {', '.join(sorted(known)) or 'none'}")
    if needed - set(arrays):
        missing = ", ".join(sorted(needed - set(arrays)))
        raise InputError(f"{missing} has no value: give every symbol an array, {m._text()} needs {sorted(needed)}")


def _computed(m: Matrix, arrays: Mapping[str, np.ndarray], found: Mapping[str, int]) -> Any:
    if m.origin is not None and m.origin.moved is not None:
        return _by_columns(m.origin, arrays, found)
    node, values = _concrete(m.expr, arrays, found)
    (result,) = run([node], values)
    return result if not isinstance(result, np.ndarray) or result.shape else result.item()


def _concrete(expr: Expr, arrays: Mapping[str, np.ndarray], found: Mapping[str, int]) -> tuple[Expr, dict[Expr, Any]]:
    """The graph with numbers for sizes, and the values of its inputs."""
    swap = concrete_inputs([expr], found)
    values: dict[Expr, Any] = {}
    for old, new in swap.items():
        a = arrays[str(old.name)]
        if old in _held:
            check_promises(str(old.name), _held[old], a)
        values[new] = a.reshape(new.shape) if new.shape else a.item()
    return concretize([expr], found, swap)[0], values


def _by_columns(origin: Origin, arrays: Mapping[str, np.ndarray], found: Mapping[str, int]) -> np.ndarray:
    """J·t for each unit vector t."""
    assert origin.moved is not None
    moved, seed = origin.moved
    shape = tuple(n.evaluate(found) if isinstance(n, Dim) else n for n in seed.shape)
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    columns = []
    for unit in units:
        node, values = _concrete(moved, {**arrays, str(seed.name): unit}, found)
        columns.append(np.asarray(run([node], values)[0]))
    whole = np.stack(columns, -1).reshape(columns[0].shape + shape)
    k = columns[0].ndim
    axes = [list(range(k)), list(range(k, whole.ndim))]
    axes = axes if origin.layout == "numerator" else axes[::-1]
    sides = [side[::-1] if origin.order == "column" else side for side in axes]
    counts = [int(np.prod([whole.shape[j] for j in side])) for side in sides]
    return whole.transpose([j for side in sides for j in side]).reshape(counts)


def names_of(m: Matrix) -> list[str]:
    """The names of the symbols."""
    return [str(x.name) for x in inputs_of([m.expr])]


def data_of(m: Matrix) -> dict[str, Any]:
    """What there is to know about an expression, as plain data."""
    layout = m.origin.layout if m.origin is not None else None
    return {
        "formula": m.unicode(),
        "latex": m.latex(),
        "shape": [str(n) for n in m.shape],
        "layout": layout,
        "notes": list(m.notes),
        "steps": [{"name": s.name, "identity": s.identity, "lines": list(s.lines)} for s in m.steps],
    }


def of_function(verb: str, function: Any, bound: Any, picked: Sequence[bool]) -> Any:
    """A verb of a function that is called with matrices: its value is built, and differentiated."""
    args, keywords = bound.call(bound.leaves)
    e = _operand(function(*args, **keywords))
    chosen = [leaf for leaf, p in zip(bound.leaves, picked) if p and isinstance(leaf, Matrix)]
    verbs = {"gradient": grad, "jacobian": jacobian, "hessian": hessian, "derivative": derivative}
    if verb not in verbs:
        raise InputError(f"{verb} of a function of matrices without numbers: grad, jacobian, hessian or derivative")
    return verbs[verb](e, chosen[0] if len(chosen) == 1 else tuple(chosen))


__all__ = ["Matrix", "derivative", "grad", "hessian", "hvp", "jacobian", "matrix", "scalar", "vector"]
