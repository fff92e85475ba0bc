"""Traced values: what the user's function is given in place of numbers.

A `Traced` pairs an expression with the concrete value that it has in this run. Operators, NumPy functions and `math`
record a node and compute the value at once, so plain Python control flow works: where a comparison is turned into
True or False, the outcome is a *guard* on the trace, and the recorded formula holds wherever all guards do.

Every input is a fresh symbol in one universe of expressions. An inner trace that meets an outer trace's value keeps
its expression as a foreign leaf, so nested derivatives can't be confused.

Nothing leaks: `float(x)`, storing into a plain array, or using a value after its trace has ended raises a LeakError
that names the mend.
"""

from __future__ import annotations

import itertools
import math
import numbers
import weakref
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np

from tangently.errors import BudgetError, InputError, LeakError, ShapeError, TraceError, UnsupportedError, a_type
from tangently.expr import TABLE, Expr, Primitive, Shape, const, make, raw, symbol
from tangently.primitives.kinds import SCALARS
from tangently.tracing.names import name_of_result, user_frame, where_is

_levels = itertools.count(1)
GUARD_LIMIT = 200_000
NODE_LIMIT = 20_000_000


class Trace:
    """One recording: its inputs, the value of every node, guards, names, and the functions that made the nodes."""

    __slots__ = ("code", "constants", "foreign", "guards", "inputs", "level", "names", "open", "scopes", "values")

    def __init__(self, code: CodeType | None = None) -> None:
        self.level = next(_levels)
        self.code = code
        self.inputs: list[Expr] = []
        self.values: dict[Expr, Any] = {}
        self.guards: list[tuple[Expr, Any]] = []
        self.names: dict[Expr, str] = {}
        self.scopes: dict[Expr, CodeType] = {}
        self.foreign: dict[Expr, Traced] = {}
        self.constants: dict[int, tuple[Any, Expr]] = {}
        self.open = True

    def input(self, name: str, value: Any, shape: Shape = (), dtype: str = "d") -> Traced:
        """A new input with a concrete value (None: abstract)."""
        if value is not None and type(value) is not float:
            shape, dtype = value.shape, value.dtype.char
        node = symbol(name, shape, dtype, value)
        self.inputs.append(node)
        self.values[node] = value
        return Traced(node, value, self)


class Eager(Trace):
    """The trace of define-by-run variables: always open. It holds nothing alive: values live on the traced values."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.level = 0
        self.values, self.constants, self.foreign, self.scopes = Forgetful(), Forgetful(), Forgetful(), Forgetful()
        self.names = weakref.WeakKeyDictionary()  # type: ignore[assignment]

    def input(self, name: str, value: Any, shape: Shape = (), dtype: str = "d") -> Traced:
        made = super().input(name, value, shape, dtype)
        self.inputs.clear()
        return made


class Forgetful(dict[Any, Any]):
    """Keeps nothing: define-by-run graphs are freed with the values that hold them."""

    def __setitem__(self, key: Any, value: Any) -> None:
        return None


EAGER = Eager()


def leak(what: str, mend: str) -> LeakError:
    place = where_is(user_frame(2))
    return LeakError(f"{what}{' (' + place + ')' if place else ''}. {mend}")


def constant(trace: Trace, value: Any) -> tuple[Expr, Any]:
    """A constant met during a trace. Arrays are copied: the user may write into them afterwards."""
    kind = type(value)
    if kind in SCALARS:
        return const(value), value
    if isinstance(value, np.generic):
        return constant(trace, value.item()) if value.dtype.kind in "fiub" else _refuse(value)
    if isinstance(value, (list, tuple)):
        return constant(trace, np.asarray(value))
    if kind is not np.ndarray and not hasattr(value, "__array__"):
        return constant(trace, float(value)) if isinstance(value, numbers.Rational) else _refuse(value)
    return _array_constant(trace, value)


def _array_constant(trace: Trace, value: Any) -> tuple[Expr, Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return _refuse(value)
    known = trace.constants.get(id(value))
    if known is not None and known[0] is value and _same(known[1].value, array):
        return known[1], known[1].value
    copy = array.copy()
    copy.setflags(write=False)
    node = const(copy)
    trace.constants[id(value)] = (value, node)
    return node, node.value


def _same(a: Any, b: np.ndarray) -> bool:
    return np.shape(a) == b.shape and np.array_equal(a, b, equal_nan=b.dtype.kind == "f")


def _refuse(value: Any) -> Any:
    if isinstance(value, (complex, np.complexfloating)) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
        raise InputError(
            "a complex number meets a traced value: tangently differentiates real functions of real numbers; "
            "write the real and imaginary parts as two real values"
        )
    what = f"the text {value!r}" if isinstance(value, str) else a_type(value)
    raise InputError(f"{what} meets a traced value: a number or an array of numbers was wanted")


def _binary(name: str, swap: bool = False) -> Any:
    row = TABLE[name]

    def method(self: Traced, other: Any) -> Any:
        if (type(other) is np.ndarray and other.dtype == object) or isinstance(other, (str, bytes, dict, set)):
            return NotImplemented if name in ("eq", "ne") else _refuse(other)
        if other is None:
            return NotImplemented
        return type(self).__apply__(row, (other, self) if swap else (self, other), ())

    return method


def _unary(name: str) -> Any:
    row = TABLE[name]
    return lambda self: type(self).__apply__(row, (self,), ())


def _array(name: str) -> Any:
    """A method that the NumPy part of tracing gives (it stands on this module, so it is looked up when called)."""

    def method(self: Traced, *args: Any, **keywords: Any) -> Any:
        from tangently.tracing import arrays

        return getattr(arrays, name)(self, *args, **keywords)

    return method


class Traced:
    """A number or array that remembers how it was computed. `shape`, `dtype`, `ndim`, `value`, `name` can be read."""

    __slots__ = ("_trace", "expr", "value")
    __array_priority__ = 1000

    def __init__(self, expr: Expr, value: Any, trace: Trace) -> None:
        self.expr, self.value, self._trace = expr, value, trace

    # ---- recording

    @staticmethod
    def __apply__(op: Primitive, args: Any, params: tuple[Any, ...]) -> Traced:
        trace = innermost(args)
        exprs: list[Expr] = []
        values: list[Any] = []
        for arg in args:
            if type(arg) is Traced:
                if arg._trace is not trace:
                    adopt(trace, arg)
                exprs.append(arg.expr)
                values.append(arg.value)
            elif type(arg) is float or type(arg) is int:
                exprs.append(const(arg))
                values.append(arg)
            else:
                node, value = constant(trace, arg) if type(arg) is not Expr else (arg, arg.value)
                exprs.append(node)
                values.append(value)
        return record(trace, op, tuple(exprs), values, params)

    # ---- operators

    __add__, __radd__ = _binary("add"), _binary("add", swap=True)
    __sub__, __rsub__ = _binary("sub"), _binary("sub", swap=True)
    __mul__, __rmul__ = _binary("mul"), _binary("mul", swap=True)
    __truediv__, __rtruediv__ = _binary("div"), _binary("div", swap=True)
    __pow__, __rpow__ = _binary("pow"), _binary("pow", swap=True)
    __mod__, __rmod__ = _binary("remainder"), _binary("remainder", swap=True)
    __gt__, __ge__, __lt__, __le__ = _binary("gt"), _binary("ge"), _binary("lt"), _binary("le")
    __eq__, __ne__ = _binary("eq"), _binary("ne")
    __and__, __rand__ = _binary("logical_and"), _binary("logical_and", swap=True)
    __or__, __ror__ = _binary("logical_or"), _binary("logical_or", swap=True)
    __invert__, __neg__, __abs__ = _unary("logical_not"), _unary("neg"), _unary("abs")
    __floor__, __ceil__, __trunc__ = _unary("floor"), _unary("ceil"), _unary("trunc")
    __matmul__, __rmatmul__, __getitem__ = _array("matmul"), _array("rmatmul"), _array("getitem")
    __array_ufunc__, __array_function__ = _array("array_ufunc"), _array("array_function")

    def __pos__(self) -> Any:
        return self

    def __floordiv__(self, other: Any) -> Any:
        return TABLE["floor"](self / other)

    def __rfloordiv__(self, other: Any) -> Any:
        return TABLE["floor"](other / self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: int | None = None) -> Any:
        return TABLE["rint"](self * 10**digits) / 10**digits if digits else TABLE["rint"](self)

    def __getattr__(self, name: str) -> Any:
        from tangently.tracing import arrays

        return arrays.method_of(self, name)

    # ---- what can be read

    @property
    def shape(self) -> Shape:
        return self.expr.shape

    @property
    def ndim(self) -> int:
        return len(self.expr.shape)

    @property
    def size(self) -> int:
        return math.prod(self.expr.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype({"w": "d", "n": "l"}.get(self.expr.dtype, self.expr.dtype))

    @property
    def name(self) -> str | None:
        """The name that the user's source gives this value."""
        return self._trace.names.get(self.expr) or self.expr.name

    @property
    def T(self) -> Any:
        from tangently.primitives.tensor import transpose

        return self if self.ndim < 2 else transpose(self)

    @property
    def formula(self) -> Any:
        """The formula that this value was computed by (`.expr` is the graph behind it)."""
        from tangently.printing.expression import Expression

        return Expression(self.expr, {})

    def __repr__(self) -> str:
        name = f"{self.name} = " if self.name else ""
        return f"<traced {name}{self.value if self.value is not None else f'shape {self.shape}'}>"

    def __format__(self, spec: str) -> str:
        """`f"{loss:.3f}"` shows the value."""
        return repr(self) if not spec or self.value is None else format(self.value, spec)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a traced number: an array was wanted")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a traced number can't be iterated over: an array was wanted")
        return (self[k] for k in range(self.shape[0]))

    # ---- control flow

    def __bool__(self) -> bool:
        need_value(self, "a branch (if, while, and, or, not)")
        if self.size != 1:
            raise ValueError(
                f"the truth of an array of shape {self.shape} is ambiguous: use np.where, or .any() or .all()"
            )
        outcome = bool(self.value)
        return guard(self, outcome)

    def __index__(self) -> int:
        need_value(self, "a whole number")
        value = self.value if type(self.value) in SCALARS else np.asarray(self.value).item()
        if self.dtype.kind == "f" and (not math.isfinite(value) or value != int(value)):
            raise leak(
                f"{self._text()} = {value} is used where a whole number is needed",
                "An index or a count has no derivative: compute it from numbers that are not differentiated (wrt=).",
            )
        return guard(self, int(value))

    def __int__(self) -> int:
        if self.dtype.kind in "iub":
            return self.__index__()
        raise leak(
            f"int({self._text()}) would drop the gradient",
            "Use np.floor (its derivative is 0), or leave this argument out of wrt= if it is a count.",
        )

    def __float__(self) -> float:
        raise leak(
            f"float({self._text()}) would drop the gradient",
            "Leave the value as it is: np.sin and all operators take it (math.sin too, but not in a class's methods); "
            "to store values in an array use np.array([...]) or np.stack instead of assigning into np.zeros.",
        )

    def __complex__(self) -> complex:
        raise leak(f"complex({self._text()}) would leave the real numbers", "tangently differentiates real functions.")

    def item(self) -> Any:
        """The traced number itself: nothing is lost."""
        from tangently.primitives.kinds import reshape

        if self.size != 1:
            raise ValueError(f".item() needs one entry: the array has shape {self.shape}")
        return reshape(self, ())

    def tolist(self) -> Any:
        """Nested lists of traced numbers: nothing is lost."""
        return [row.tolist() for row in self] if self.shape else self

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise leak(
            f"{self._text()} would be copied into a plain NumPy array, which drops the gradient",
            "Build the array from its parts with np.stack([...]) or np.concatenate instead of assigning into np.zeros.",
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        raise leak(
            f"assignment into {self._text()}[...] would change a recorded value",
            "Build a new array: np.where, np.concatenate, np.stack.",
        )

    def _text(self) -> str:
        return self.name or "a traced value"

    def __hash__(self) -> int:
        return id(self)


def need_value(x: Traced, what: str) -> None:
    if x.value is None:
        raise TraceError(
            f"{what} depends on {x._text()}, which has no value here: the formula differs from branch to branch. "
            "Give a point (at=…), and the answer holds for the branch taken there"
        )


def innermost(args: Any) -> Trace:
    """The deepest open trace among the arguments."""
    found: Trace | None = None
    for arg in args:
        if type(arg) is Traced and (found is None or arg._trace.level > found.level):
            found = arg._trace
    assert found is not None
    if not found.open:
        stale = next(a for a in args if type(a) is Traced and a._trace is found)
        raise leak(
            f"{stale._text()} is used after the function that it was traced in has returned",
            "Return the value instead of storing it outside.",
        )
    return found


def adopt(trace: Trace, arg: Traced) -> None:
    """A value of an outer trace enters this one as a foreign leaf."""
    if not arg._trace.open:
        raise leak(
            f"{arg._text()} is used after the function that it was traced in has returned",
            "Return the value instead of storing it outside.",
        )
    trace.foreign[arg.expr] = arg
    trace.values[arg.expr] = arg.value


def record(trace: Trace, op: Primitive, args: tuple[Expr, ...], values: list[Any], params: tuple[Any, ...]) -> Traced:
    """Compute the value, make the node, and note its name and the function that it came from."""
    frame = user_frame(3)
    try:
        value, node = _compute(op, args, values, params)
    except ShapeError as error:
        raise ShapeError(_explain_shapes(trace, op, args, error, where_is(frame))) from None
    if node not in trace.values:
        trace.values[node] = value
        if len(trace.values) > NODE_LIMIT:
            raise BudgetError(f"the trace has more than {NODE_LIMIT:,} operations: is a loop unbounded?")
        if frame is not None:
            if frame.f_code is not trace.code:
                trace.scopes[node] = frame.f_code
            name = name_of_result(frame, trace.code)
            if name is not None:
                trace.names[node] = name
    return Traced(node, value, trace)


def _compute(op: Primitive, args: tuple[Expr, ...], values: list[Any], params: tuple[Any, ...]) -> tuple[Any, Expr]:
    for value in values:
        if value is None:
            return None, raw(op, args, params)
    if op.kind != "elementwise":
        node = raw(op, args, params)  # infers the shape first: its errors are clearer than NumPy's
        return op.evaluate(params, *values), node
    try:
        value = op.evaluate(params, *values)
    except ValueError:
        raw(op, args, params)
        raise
    if type(value) is float:
        return value, make(op, args, params, (), "d")
    return value, raw(op, args, params)


def _explain_shapes(trace: Trace, op: Primitive, args: tuple[Expr, ...], error: ShapeError, place: str) -> str:
    named = [f"{trace.names.get(a) or a.name or 'an operand'} {a.shape}" for a in args]
    return f"{error}\n  in {op.name}({', '.join(named)})" + (f", {place}" if place else "")


def guard(x: Traced, outcome: Any) -> Any:
    """Record that the formula holds only where `x` has this outcome."""
    trace = x._trace
    if isinstance(trace, Eager):
        return outcome
    trace.guards.append((x.expr, outcome))
    if len(trace.guards) > GUARD_LIMIT:
        place = where_is(user_frame(2))
        raise BudgetError(
            f"more than {GUARD_LIMIT:,} branches on traced values ({place}): the loop seems never to end. "
            "Bound it, for instance by a `for` over a range, or test a tolerance that is reached"
        )
    return outcome


def unsupported(what: str, hint: str = "") -> UnsupportedError:
    import difflib

    known = sorted({c for row in TABLE.values() for c in row.calls})
    close = difflib.get_close_matches(what.split(".")[-1], known, 3)
    near = f"; near it there are {', '.join(close)}" if close else ""
    place = where_is(user_frame(2))
    return UnsupportedError(
        f"{what} has no row in the table of primitives{' (' + place + ')' if place else ''}{near}. "
        + (hint or "Write it with operations that have one, or leave that argument out of wrt=.")
    )
