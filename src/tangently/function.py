"""The result objects of the verbs, and the verbs themselves.

`derivative(f)`, `grad(f)`, `jacobian(f)` … return a `Derived` function of the same arguments: call it, read its
`.formula`, `.steps` and `.source`, print or plot it, save it, or differentiate it again. `at=` evaluates at once.
A function is a Python callable, a formula as text, a SymPy expression, or another `Derived`.
"""

from __future__ import annotations

import functools
import inspect
import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently import derivatives
from tangently.compiled import Engine, Transformation, Wrt, abstract_recording
from tangently.derivatives import TooWide, check_order
from tangently.differentiation import pullback
from tangently.errors import InputError, ShapeError, TangentlyError, TraceError, a_type
from tangently.expr import CONST, INPUT, Expr, const, evaluate, substitute, symbol, toposort
from tangently.printing.expression import Expression
from tangently.tracing.names import name_of, name_of_result, user_frame
from tangently.tracing.recording import Recording
from tangently.tracing.traced import EAGER, Traced
from tangently.tracing.trees import flatten, unflatten

Function = Callable[..., Any]


def as_function(f: Any) -> Function:
    """A callable from what a verb takes: a callable, a formula as text, or a SymPy expression.

    >>> as_function("x^2 + 1")(3.0)
    10.0
    """
    if isinstance(f, str):
        from tangently.parsing import parse

        return parse(f)
    if type(f).__module__.startswith("sympy."):
        return _from_sympy(f)
    if isinstance(f, (int, float, np.ndarray)):
        raise InputError(
            f"{a_type(f)} ({f!r:.40}) was given where a function was wanted; for sampled data use differences"
        )
    return f


def _from_sympy(f: Any) -> Function:
    from tangently.adopting.sympy import from_sympy

    expr, arguments = from_sympy(f)
    names = [a.name or "x" for a in arguments]

    def function(*values: Any) -> Any:
        return evaluate([expr], dict(zip(arguments, values)))[0]

    function.__name__ = "f"
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    )
    return function


class Derived(functools.partial):  # type: ignore[type-arg]
    """A function derived from another by differentiation. Call it with the same arguments.

    It is a `functools.partial` because that is the cheapest callable object in Python: the call goes straight to
    the generated code, whose own tests lead back to the engine where it does not apply.

    Raises what tracing and evaluation raise: ShapeError, DomainError, LeakError, InputError (all TangentlyError).
    """

    _engine: Engine
    __wrapped__: Function
    verb: str

    def __new__(
        cls, function: Function, transformation: Transformation, wrt: Wrt, verb: str, loop: Any = None
    ) -> Derived:
        engine = Engine(function, transformation, wrt)
        self = super().__new__(cls, engine if loop is None else _or_loop(engine, loop))
        self.__wrapped__ = function
        self._engine, self.verb = engine, verb
        vars(self)["__name__"] = f"{verb}_of_{name_of(function)}"
        this = weakref.ref(self)
        engine.install = lambda call: _enter_at(this(), call)
        return self

    @property
    def __signature__(self) -> inspect.Signature:
        return self._engine.signature

    def __reduce__(self) -> Any:
        raise TypeError("a derived function can't be pickled: pickle the function, and differentiate it again")

    # ---- what there is to see

    def recording(self, *at: Any) -> Recording:
        """The traced function: at a point, at the last point, or without one."""
        if at:
            self(*at)
        if self._engine.latest is not None:
            return self._engine.latest.recording
        try:
            return abstract_recording(self.__wrapped__)
        except (TraceError, ShapeError, IndexError, TypeError, ValueError) as error:
            raise TraceError(
                f"the formula of {name_of(self.__wrapped__)} can't be had without a point ({error}). "
                "Call it once, or give at=…, and ask again"
            ) from error

    @property
    def formula(self) -> Any:
        """The derivative as mathematics (a tuple of formulas for several arguments or a gradient of numbers)."""
        recording = self.recording()
        selection = self._engine.select(recording, _bound_like(self._engine, recording), [True] * len(recording.inputs))
        selection = self._restrict(selection, recording)
        transformation = self._engine.transformation
        shown = transformation.written(recording, selection) if transformation.written else None
        if shown is None:
            shown = expressions(transformation.in_graph(recording, selection).outputs, recording)
        return shown[0] if len(shown) == 1 else tuple(shown)

    def _restrict(self, selection: Any, recording: Recording) -> Any:
        engine = self._engine
        if engine.wrt is None or (engine.latest is not None and engine.latest.recording is recording):
            return engine.latest.selection if engine.latest is not None else selection
        bound = _bound_like(engine, recording)
        return engine.select(recording, bound, engine.chosen(bound))

    @property
    def source(self) -> str:
        """The generated code that runs (of the latest call)."""
        if self._engine.latest is None:
            self._warm()
        if self._engine.latest is None:
            raise TraceError("there is no code yet: call the function once, so that shapes are known")
        return self._engine.latest.generated.source

    def _warm(self) -> None:
        names = [p for p in self._engine.signature.parameters.values() if p.default is p.empty]
        probe = (0.6180339887,) * len(names)
        try:
            self(*probe)
        except (TangentlyError, TypeError, ValueError, IndexError) as error:
            raise TraceError(
                f"there is no code yet: call the function once, so that shapes are known ({error})"
            ) from error

    @property
    def steps(self) -> Any:
        """The derivation, step by step."""
        from tangently.studies import explain

        return explain(self.__wrapped__, self._last_point(), self._engine.wrt)

    def _last_point(self) -> Any:
        """The arguments of the latest call, if there are arrays: they have no derivation without a point."""
        latest = self._engine.latest
        inputs = latest.recording.inputs if latest else []
        if all(x is None or x.shape == () for x in inputs) or len(inputs) != len(self.__signature__.parameters):
            return None
        return tuple([latest.recording.trace.values[x] for x in inputs if x is not None])  # type: ignore[union-attr]

    def latex(self) -> str:
        formula = self.formula
        if isinstance(formula, tuple):
            return r"\begin{pmatrix} " + r" \\ ".join(f.latex() for f in formula) + r" \end{pmatrix}"
        return formula.latex()

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The function with its derivative (one argument), or its contours with gradient arrows (two)."""
        from tangently.pictures.functions import plot

        return plot(self.__wrapped__, ax=ax, **{**self._engine.transformation.plotted, **options})

    def save(self, path: Any, **options: Any) -> None:
        """Write a picture (.svg, .png, .pdf), a page (.html), LaTeX (.tex) or data (.json), by the suffix."""
        from tangently.reports.saving import save_function

        save_function(self, path, **options)

    def _repr_latex_(self) -> str | None:
        try:
            return f"${self.latex()}$"
        except TangentlyError:
            return None

    def __repr__(self) -> str:
        try:
            formula = self.formula
        except TangentlyError:
            return f"<{self.verb} of {name_of(self.__wrapped__)}: call it, and its formula can be shown>"
        text = f"({', '.join(map(str, formula))})" if isinstance(formula, tuple) else str(formula)
        return f"<{self.verb} of {name_of(self.__wrapped__)}: {text if len(text) < 400 else text[:400] + ' …'}>"


def expressions(outputs: Sequence[Expr], recording: Recording) -> list[Expression]:
    """Formulas to look at. With arrays about, the user's intermediate values stand by their names (z, p, loss)."""
    from tangently.simplification import simplify_all

    inner = {n: name for n, name in recording.names.items() if n.op is not INPUT and n.op is not CONST}
    if any(n.shape for n in toposort(outputs)):
        outputs = substitute(outputs, {n: symbol(name, n.shape) for n, name in inner.items() if n not in outputs})
    found = simplify_all(list(outputs), cancel=True)
    return [Expression(e, recording.names, holds(recording)) for e in found]


def _enter_at(derived: Derived | None, call: Function) -> None:
    """Let calls of the derived function go directly to `call`."""
    if derived is not None and derived.func is not call:
        functools.partial.__setstate__(derived, (call, (), {}, derived.__dict__))  # type: ignore[attr-defined]


def _or_loop(engine: Engine, loop: Any) -> Function:
    def call(*args: Any, **keywords: Any) -> Any:
        try:
            return engine(*args, **keywords)
        except TooWide:
            return loop(engine.function, engine, args, keywords)

    return call


def _bound_like(engine: Engine, recording: Recording) -> Any:
    names = [p.name for p in engine.signature.parameters.values() if p.default is p.empty]
    return engine.bind((0.0,) * len(names), {})


def holds(recording: Recording) -> str:
    """The branches that the formula was traced along, in words."""
    from tangently.printing import to_text

    texts = []
    for condition, outcome in recording.trace.guards[:4]:
        text = to_text(condition)
        texts.append(text if outcome is True else f"not ({text})" if outcome is False else f"{text} is {outcome}")
    more = len(recording.trace.guards) - len(texts)
    return " and ".join(dict.fromkeys(texts)) + (f" and {more} more" if more > 0 else "")


def _at(derived: Derived, at: Any) -> Any:
    """`at=` evaluates at once: a point, a tuple of arguments, or a dict of them by name."""
    if at is None:
        return derived
    if isinstance(at, dict) and set(at) <= set(derived._engine.signature.parameters):
        return derived(**at)
    if isinstance(at, tuple):
        return derived(*at)
    if isinstance(at, list):
        return derived(np.asarray(at, float))
    return derived(at)


# ---------------------------------------------------------------- the verbs


def derivative(f: Any, wrt: Wrt = None, order: int = 1, *, at: Any = None) -> Any:
    """The derivative of a function of a number, of any order. Maps over arrays of points.

    Several arguments give a tuple of partial derivatives in their order; `wrt=` selects by name or position. Raises
    InputError for an order below 1, ShapeError for an array argument of a function that is not entry by entry.

    >>> df = derivative("2x^2 + 3x + 1")
    >>> df, df(1.0), derivative("2x^2 + 3x + 1", order=2, at=1.0)
    (<derivative of f: 4x + 3>, 7.0, 4.0)
    """
    if _is_symbolic(f):
        return _matrices().derivative(f, wrt, check_order(order))
    if isinstance(f, Traced):
        return _of_variable(f, wrt, check_order(order))
    return _at(Derived(as_function(f), derivatives.derivative(check_order(order)), wrt, "derivative"), at)


def partial(f: Any, *wrt: int | str, order: int = 1, at: Any = None) -> Any:
    """A partial derivative: `partial(f, "x")`, mixed `partial(f, "x", "y")`, or `partial(f, "x", order=2)`.

    With respect to an array argument it is that argument's gradient.

    >>> round(partial("x^2 + 3y + e^(x y)", "y", at=(1.0, 2.0)), 9) == round(3 + math.e**2, 9)
    True
    """
    check_order(order)
    if not wrt:
        raise InputError("partial needs to know with respect to what: partial(f, 'x'), or partial(f, 'x', 'y')")
    function = as_function(f)
    if len(wrt) == 1 and order == 1:
        return _at(Derived(function, derivatives.gradient(), wrt[0], "partial"), at)
    names = list(Engine(function, derivatives.value()).signature.parameters)
    path = [names[w] if isinstance(w, int) else w for w in wrt for _ in range(order)]
    return _at(Derived(function, derivatives.mixed(path), tuple(dict.fromkeys(path)), "partial"), at)


def grad(
    f: Any,
    wrt: Wrt | Traced | Sequence[Traced] = None,
    *,
    at: Any = None,
    layout: str | None = None,
    vec: str = "column",
    shapes: Mapping[str, Any] | None = None,
) -> Any:
    """The gradient of a function that returns one number, in the shapes (and nests) of its arguments.

    `f` may also be a value computed from `variable`s: `grad(y, wrt=x)`, as often and to as high an order as one likes.
    Of a `matrix` expression (or a text with `shapes=`) it is a formula; of one that is an array it is the derivative in
    denominator layout, or the one that `layout=` names; two axes on a side are flattened by `vec=`, column or row.
    Raises ShapeError where the function returns an array, InputError for an unknown name in `wrt`.

    >>> grad("x^2 y + x y^2 + 2", at=(1.0, 2.0))
    (8.0, 5.0)
    """
    if _is_symbolic(f) or shapes is not None:
        return _matrices().grad(_matrix_expression(f, shapes), wrt, layout, vec)
    if isinstance(f, Traced):
        return _of_variable(f, wrt, 1)
    return _at(Derived(as_function(f), derivatives.gradient(), _plain_wrt(wrt), "gradient", _loop_missing), at)


def value_and_grad(f: Any, wrt: Wrt = None, *, at: Any = None) -> Any:
    """The value and the gradient together, at the cost of the gradient.

    >>> value_and_grad("x^2", at=3.0)
    (9.0, 6.0)
    """
    return _at(Derived(as_function(f), derivatives.value_and_gradient(), wrt, "value_and_grad", _loop_missing), at)


def jacobian(
    f: Any,
    wrt: Any = None,
    *,
    at: Any = None,
    layout: str | None = None,
    vec: str = "column",
    shapes: Mapping[str, Any] | None = None,
) -> Any:
    """The Jacobian, numerator layout: shape (output shape) + (input shape).

    Of a `matrix` expression (or a text with `shapes=`) it is a formula, in the layout that `layout=` names.

    >>> jacobian(lambda x: np.array([x[0]**2 + x[1], x[0] * x[1]]), at=[1.0, 2.0])
    array([[2., 1.],
           [2., 1.]])
    """
    if _is_symbolic(f) or shapes is not None:
        return _matrices().jacobian(_matrix_expression(f, shapes), wrt, layout, vec)
    return _at(Derived(as_function(f), derivatives.jacobian(), wrt, "jacobian", _loop_jacobian), at)


def hessian(
    f: Any, wrt: Any = None, *, at: Any = None, vec: str = "column", shapes: Mapping[str, Any] | None = None
) -> Any:
    """The Hessian of a function that returns one number; several numbers give one matrix in the order of arguments.

    Of an array x of shape S it is a `Structured` matrix of shape S + S: NumPy takes it for the array that it is, and
    `.structure`, `.dense()`, `@ v`, `.solve(b)`, `.eigenvalues(k)`, `.logdet()`, `.sparse()` use what is known of it.

    >>> A = np.array([[2.0, 1.0], [0.0, 3.0]])
    >>> H = hessian(lambda x: x @ A @ x)(np.ones(2))
    >>> H.structure, H.solve(np.array([5.0, 7.0]))
    ('A + Aᵀ: dense 2×2', array([1., 1.]))

    Of a `matrix` expression (or a text with `shapes=`) it is a formula.

    >>> hessian("(x^2 + 2y^2 + x y)/2", at=(1.0, 1.0))
    array([[1. , 0.5],
           [0.5, 2. ]])
    """
    if _is_symbolic(f) or shapes is not None:
        return _matrices().hessian(_matrix_expression(f, shapes), wrt, vec)
    return _at(Derived(as_function(f), derivatives.hessian(), wrt, "hessian", _loop_hessian), at)


def jvp(f: Any, wrt: Wrt = None) -> Derived:
    """J·v: `jvp(f)(*args, v)`, with v shaped as what is differentiated. One forward pass.

    >>> jvp("x^2 y")(3.0, 2.0, (1.0, 0.0))
    12.0
    """
    return Derived(as_function(f), derivatives.jvp(), wrt, "jvp")


def vjp(f: Any, wrt: Wrt = None) -> Derived:
    """gᵀ·J: `vjp(f)(*args, g)`, with g shaped as the output. One reverse pass.

    >>> vjp("x^2 y")(3.0, 2.0, 1.0)
    (12.0, 9.0)
    """
    return Derived(as_function(f), derivatives.vjp(), wrt, "vjp")


def hvp(f: Any, wrt: Any = None, direction: Any = None) -> Any:
    """H·v without forming H: `hvp(f)(*args, v)`; of a `matrix` expression `hvp(e, x, v)`.

    >>> hvp("x^3")(2.0, 1.0)
    12.0
    """
    if _is_symbolic(f):
        return _matrices().hvp(f, direction, wrt)
    return Derived(as_function(f), derivatives.hvp(), wrt, "hvp")


def directional(f: Any, direction: Any, wrt: Wrt = None, *, at: Any = None) -> Any:
    """The derivative along a direction, per unit of length: ∇f·d/‖d‖. The direction need not be a unit vector.

    >>> directional("x^2 + y^2", (3.0, 4.0), at=(1.0, 1.0))
    2.8
    """
    leaves = [np.asarray(d, float) for d in flatten(direction)[0]]
    if not math.sqrt(sum(float((d**2).sum()) for d in leaves)) > 0:
        raise InputError(f"direction={direction!r}: a direction that is not zero was wanted")
    along = Derived(as_function(f), derivatives.directional(), wrt, "directional")
    direction = np.asarray(direction, float) if isinstance(direction, list) else direction
    fixed = functools.partial(_along, along, direction)
    if at is None:
        return fixed
    return fixed(*(at if isinstance(at, tuple) else (np.asarray(at, float) if isinstance(at, list) else at,)))


def _along(derived: Derived, direction: Any, *args: Any) -> Any:
    return derived(*args, direction)


def laplacian(f: Any, wrt: Wrt = None, *, at: Any = None) -> Any:
    """Δf: the sum of the second derivatives over every entry of the arguments.

    >>> laplacian("x^2 + 3y^2", at=(1.0, 1.0))
    8.0
    """
    return _at(Derived(as_function(f), derivatives.laplacian(), wrt, "laplacian", _loop_laplacian), at)


def taylor(f: Any, at: Any, order: int = 3) -> Taylor:
    """The Taylor polynomial of a function of one number about a point (of several numbers or an array: order ≤ 2).

    >>> taylor("exp(x)", at=0.0, order=3).coefficients
    (1.0, 1.0, 0.5, 0.16666666666666666)
    """
    function = as_function(f)
    if isinstance(at, (int, float)):
        values = [float(function(float(at)))]
        values += [float(derivative(function, order=k)(float(at))) for k in range(1, order + 1)]
        return Taylor(float(at), tuple(v / math.factorial(k) for k, v in enumerate(values)), function)
    if order > 2:
        raise InputError(f"taylor of several variables to order {order}: order 1 or 2 was wanted")
    args = at if isinstance(at, tuple) else (np.asarray(at, float),)
    pieces = (float(function(*args)), grad(function)(*args), hessian(function)(*args) if order == 2 else None)
    return Taylor(at, pieces, function)


@dataclass(frozen=True)
class Taylor:
    """A Taylor polynomial: `coefficients` by power of (x − at); in several variables (value, gradient, Hessian)."""

    at: Any
    coefficients: tuple[Any, ...]
    function: Function

    def __call__(self, *x: Any) -> Any:
        if isinstance(self.at, float):
            return functools.reduce(lambda total, c: total * (x[0] - self.at) + c, reversed(self.coefficients), 0.0)
        value, g, h = self.coefficients
        d = np.concatenate([np.ravel(np.subtract(a, b)) for a, b in zip(x, self._args)])
        slope = np.concatenate([np.ravel(v) for v in (g if isinstance(g, tuple) else (g,))])
        bend = 0.0 if h is None else 0.5 * d @ np.reshape(h, (d.size, d.size)) @ d
        return float(value + slope @ d + bend)

    @property
    def _args(self) -> tuple[Any, ...]:
        return self.at if isinstance(self.at, tuple) else (self.at,)

    @property
    def formula(self) -> Expression:
        """The polynomial as mathematics (one variable)."""
        from tangently.simplification import simplify

        if not isinstance(self.at, float):
            raise InputError("the formula of a Taylor polynomial is shown for one variable; read .coefficients")
        x = symbol("x")
        d = x if self.at == 0 else x - const(_whole(self.at))
        total: Any = const(0)
        for k, c in enumerate(self.coefficients):
            total = total + const(_whole(c)) * d**k if k else total + const(_whole(c))
        return Expression(simplify(total), {})

    def __repr__(self) -> str:
        if isinstance(self.at, float):
            return f"<Taylor polynomial about {self.at:g}: {self.formula}>"
        return f"<Taylor polynomial about {self.at}: value {self.coefficients[0]:.6g}, gradient {self.coefficients[1]}>"

    def plot(self, ax: Any = None, **options: Any) -> Any:
        from tangently.pictures.functions import plot_taylor

        return plot_taylor(self, ax=ax, **options)


def _whole(x: float) -> float | int:
    return int(x) if float(x).is_integer() and abs(x) < 2**53 else x


# ---------------------------------------------------------------- long Jacobians, by products


def _loop_missing(function: Function, engine: Engine, args: Any, keywords: Any) -> Any:
    raise AssertionError("a gradient is never too wide")


def _basis(shape: tuple[int, ...]) -> Any:
    for k in range(math.prod(shape)):
        e = np.zeros(shape)
        e.flat[k] = 1.0
        yield e if shape else 1.0


def _arrays(engine: Engine, args: Any, keywords: Any, verb: str) -> tuple[Any, list[np.ndarray], Any]:
    bound = engine.bind(args, keywords)
    picked = [leaf for leaf, p in zip(bound.leaves, engine.chosen(bound)) if p]
    if any(isinstance(leaf, Traced) for leaf in bound.leaves):
        raise InputError(f"the {verb} of this size can't be differentiated again: use hvp, jvp or vjp, which can")
    return bound, [np.asarray(leaf, float) for leaf in picked], bound.packer(engine.wrt)


def _loop_jacobian(function: Function, engine: Engine, args: Any, keywords: Any) -> Any:
    """One product with each basis vector, along the shorter side."""
    bound, inputs, pack = _arrays(engine, args, keywords, "jacobian")
    args, keywords = bound.call(bound.leaves)
    outputs, _, structure = flatten(function(*args, **keywords))
    m, n = sum(np.size(y) for y in outputs), sum(x.size for x in inputs)
    rows = _by_rows(function, engine, args, outputs) if m <= n else _by_columns(function, engine, args, inputs)
    blocks = [pack([rows(k, j) for j in range(len(inputs))]) for k in range(len(outputs))]
    return blocks[0] if structure == ("leaf",) else unflatten(structure, blocks)


def _by_rows(function: Function, engine: Engine, args: Any, outputs: list[Any]) -> Any:
    pull = Derived(function, derivatives.vjp(), engine.wrt, "vjp")
    zeros = [np.zeros(np.shape(y)) for y in outputs]
    tables = []
    for k, y in enumerate(outputs):
        found = [flatten(pull(*args, [*zeros[:k], e, *zeros[k + 1 :]]))[0] for e in _basis(np.shape(y))]
        tables.append([np.stack(column).reshape(np.shape(y) + np.shape(column[0])) for column in zip(*found)])
    return lambda k, j: tables[k][j]


def _by_columns(function: Function, engine: Engine, args: Any, inputs: list[np.ndarray]) -> Any:
    push = Derived(function, derivatives.jvp(), engine.wrt, "jvp")
    zeros = [np.zeros(x.shape) for x in inputs]
    tables = []
    for j, x in enumerate(inputs):
        found = [flatten(push(*args, [*zeros[:j], e, *zeros[j + 1 :]]))[0] for e in _basis(x.shape)]
        tables.append([np.stack(column, axis=-1).reshape(np.shape(column[0]) + x.shape) for column in zip(*found)])
    return lambda k, j: tables[j][k]


def _loop_hessian(function: Function, engine: Engine, args: Any, keywords: Any) -> Any:
    """One Hessian-vector product for each entry."""
    bound, inputs, pack = _arrays(engine, args, keywords, "hessian")
    args, _ = bound.call(bound.leaves)
    columns = _columns_of_hessian(function, engine, args, inputs)
    grids = [[_block_of(columns[j], i, inputs[i], inputs[j]) for j in range(len(inputs))] for i in range(len(inputs))]
    if len(inputs) > 1 and all(x.ndim == 0 for x in inputs):
        return np.array(grids, float)
    for k, x in enumerate(inputs):
        grids[k][k] = _structured(grids[k][k], x)
    return pack([pack(row) for row in grids])


def _structured(values: np.ndarray, x: np.ndarray) -> Any:
    from tangently.structured import Dense, Structured

    return Structured(x.shape, (Dense(values, owned=True),)) if x.ndim else values


def _columns_of_hessian(function: Function, engine: Engine, args: Any, inputs: list[np.ndarray]) -> list[list[Any]]:
    product = Derived(function, derivatives.hvp(), engine.wrt, "hvp")
    zeros = [np.zeros(x.shape) for x in inputs]
    return [
        [flatten(product(*args, [*zeros[:j], e, *zeros[j + 1 :]]))[0] for e in _basis(x.shape)]
        for j, x in enumerate(inputs)
    ]


def _block_of(columns: list[Any], i: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(c[i]) for c in columns], axis=-1).reshape(row.shape + column.shape)


def _loop_laplacian(function: Function, engine: Engine, args: Any, keywords: Any) -> Any:
    bound, inputs, _ = _arrays(engine, args, keywords, "laplacian")
    args, _ = bound.call(bound.leaves)
    columns = _columns_of_hessian(function, engine, args, inputs)
    return float(sum(np.asarray(c[j]).flat[k] for j in range(len(inputs)) for k, c in enumerate(columns[j])))


# ---------------------------------------------------------------- define by run


def variable(value: Any, name: str | None = None) -> Traced:
    """A number or array that records what is computed from it, as TensorFlow's tape and PyTorch's autograd do.

    >>> x = variable(3.0)
    >>> y = x**2 + 1
    >>> y.value, grad(y, wrt=x).value, grad(grad(y, wrt=x), wrt=x).value
    (10.0, 6.0, 2.0)
    """
    from tangently.tracing.recording import promote

    leaf = promote(np.asarray(value) if isinstance(value, (list, tuple)) else value, True, name or "the variable")
    found = name or name_of_result(user_frame(2), None) or "x"
    return EAGER.input(found, leaf)


def _is_symbolic(f: Any) -> bool:
    """Is it a matrix expression without values?"""
    return isinstance(f, Traced) and type(f) is not Traced


def _matrices() -> Any:
    from tangently.matrices import expressions

    return expressions


def _matrix_expression(f: Any, shapes: Mapping[str, Any] | None) -> Any:
    if not isinstance(f, str):
        return f
    from tangently.matrices.text import expression

    return expression(f, shapes or {})


def _of_variable(y: Traced, wrt: Any, order: int) -> Any:
    """The gradient of a traced value with respect to traced values, as a traced value."""
    xs = [wrt] if isinstance(wrt, Traced) else wrt
    if not isinstance(xs, (list, tuple)) or not all(isinstance(x, Traced) for x in xs):
        raise InputError(
            "grad of a computed value needs wrt= the variable (or a list of variables) it was computed from"
        )
    if y.shape != ():
        raise ShapeError(f"grad needs one number; {y!r} has shape {y.shape}. Sum it, or take its mean")
    nodes = [x.expr for x in xs]
    reached = set(toposort([y.expr]))
    for x in xs:
        if x.expr not in reached:
            raise InputError(f"{y!r} was not computed from {x!r}: its gradient there would be zero everywhere")
    grads = [y.expr]
    for _ in range(order):
        if len(nodes) > 1 and order > 1:
            raise InputError("a derivative of higher order is taken with respect to one variable at a time")
        grads = pullback([grads[0]], [const(1.0)], nodes)
    results = _with_values(y, grads)
    return results[0] if isinstance(wrt, Traced) else type(wrt)(results)


def _with_values(y: Traced, grads: list[Expr]) -> list[Traced]:
    trace = y._trace
    if trace is EAGER:
        return [Traced(g, float(v) if g.shape == () else v, trace) for g, v in zip(grads, evaluate(grads, {}))]
    known = {node: Traced(node, value, trace) for node, value in trace.values.items()}
    values = evaluate(grads, known)
    return [v if isinstance(v, Traced) else Traced(g, v, trace) for g, v in zip(grads, values)]


def _plain_wrt(wrt: Any) -> Wrt:
    if isinstance(wrt, Traced):
        raise InputError("wrt= is a variable, but the first argument is a function: give the value computed from it")
    return wrt


__all__ = [
    "Derived", "Expression", "Taylor", "as_function", "derivative", "directional", "grad", "hessian", "hvp", "jacobian",
    "jvp", "laplacian", "partial", "taylor", "value_and_grad", "variable", "vjp",
]  # fmt: skip
