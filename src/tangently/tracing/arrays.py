"""NumPy on traced values: `__array_ufunc__`, `__array_function__`, operators on arrays, indexing, methods.

A ufunc goes to the row that lists its name in `calls`; a NumPy function goes to the function of the same name in
`tangently.functions`. A call that neither has raises, naming what is near: nothing falls back to plain numbers.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from typing import Any

import numpy as np

from tangently import functions
from tangently.errors import InputError
from tangently.expr import TABLE
from tangently.tracing.traced import Traced, leak, unsupported

UFUNCS = {call: row for row in TABLE.values() if row.kind == "elementwise" for call in row.calls}
OTHER_UFUNCS = {
    "maximum": functions.maximum, "fmax": functions.maximum, "minimum": functions.minimum, "fmin": functions.minimum,
    "matmul": functions.matmul, "vecdot": lambda a, b: functions.sum(a * b, -1), "deg2rad": lambda x: x * (np.pi / 180),
    "rad2deg": lambda x: x * (180 / np.pi), "positive": lambda x: x, "floor_divide": lambda a, b: TABLE["floor"](a / b),
    "heaviside": lambda x, half: TABLE["where"](TABLE["eq"](x, 0), half, TABLE["step"](x)),
    "xlogy": lambda x, y: TABLE["where"](TABLE["eq"](x, 0), 0.0, x * TABLE["log"](y)),
}  # fmt: skip
OTHER_UFUNCS |= {  # SciPy's own names for orders 0 and 1, and for what has a row under another name
    f"{letter}{order}": lambda x, row=row, order=order: TABLE[row](order, x)
    for letter, row in (("j", "besselj"), ("y", "bessely"), ("i", "besseli"), ("k", "besselk"))
    for order in (0, 1)
}
OTHER_UFUNCS |= {"exp1": lambda x: -TABLE["Ei"](-x), "_lambertw": lambda x, _branch, _tolerance: TABLE["lambertw"](x)}
OTHER_UFUNCS["radians"], OTHER_UFUNCS["degrees"] = OTHER_UFUNCS["deg2rad"], OTHER_UFUNCS["rad2deg"]
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "amax", "minimum": "amin"}
IGNORED = frozenset({"dtype", "out", "where", "casting", "order", "subok", "initial", "copy", "optimize", "like"})
_NAMES = {
    "amax": "amax", "max": "amax", "amin": "amin", "min": "amin", "average": "mean", "row_stack": "vstack",
    "linalg.norm": "norm", "absolute": "abs", "permute_dims": "transpose", "concat": "concatenate",
    "around": "round", "fix": "trunc", "cumulative_prod": "cumprod", "cumulative_sum": "cumsum",
    "linalg.trace": "trace", "linalg.matmul": "matmul", "linalg.outer": "outer", "linalg.cross": "cross",
    "linalg.tensordot": "tensordot",
}  # fmt: skip
# The functions of np.linalg whose names here are the same.
LINALG = frozenset({
    "inv", "det", "slogdet", "solve", "cholesky", "eigh", "eigvalsh", "svd", "svdvals", "matrix_power", "multi_dot",
})  # fmt: skip
_NAMES |= {f"linalg.{name}": name for name in LINALG}


def plain_keywords(name: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """Drop keywords that ask for nothing; refuse those that would change the result."""
    left = {}
    for key, value in keywords.items():
        idle = value is None or value is np._NoValue or (key in ("order", "casting", "subok", "copy", "optimize"))
        if key == "dtype" and value is not None and np.dtype(value).kind == "f":
            idle = True
        if key in IGNORED and not idle and not (key == "where" and value is True):
            mend = "assign the result instead" if key == "out" else f"leave {key}= out"
            raise InputError(f"np.{name} was given {key}= with a traced value: {mend}")
        if key not in IGNORED:
            left[key] = value
    return left


def array_ufunc(self: Traced, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    name = ufunc.__name__
    if keywords.get("out", (None,))[0] is not None:
        raise leak(
            f"np.{name} would write a traced value into a plain NumPy array, which drops the gradient",
            "Write s = s + x instead of s += x, and leave out= away: the result is a new array.",
        )
    rest = plain_keywords(name, {k: v for k, v in keywords.items() if k != "out"})
    if method == "reduce" and name in REDUCTIONS:
        rest.setdefault("axis", 0)
        return functions.FUNCTIONS[REDUCTIONS[name]](*inputs, **rest)
    if method == "outer" and name in UFUNCS:
        a, b = (functions.lift(x) for x in inputs)
        return UFUNCS[name](functions.expand_dims(a, tuple(range(len(a.shape), len(a.shape) + len(b.shape)))), b)
    if method == "accumulate" and name == "add":
        return functions.cumsum(*inputs, **{"axis": 0, **rest})
    if method != "__call__":
        raise unsupported(f"np.{name}.{method}")
    row = OTHER_UFUNCS.get(name) or UFUNCS.get(name)
    if row is None:
        raise unsupported(f"np.{name}")
    return row(*[functions.lift(x) for x in inputs])


def array_function(self: Traced, function: Any, types: Any, args: Any, keywords: Any) -> Any:
    name = function.__name__
    module = getattr(function, "__module__", "") or ""
    full = f"linalg.{name}" if module.startswith("numpy.linalg") else name
    special = SPECIAL.get(full)
    if special is not None:
        return special(*args, **plain_keywords(name, keywords))
    target = functions.FUNCTIONS.get(_NAMES.get(full, full))
    if target is None:
        raise unsupported(f"np.{full}")
    args, keywords = by_name(function, args, keywords)
    return target(*args, **_rename(plain_keywords(name, keywords)))


@functools.cache
def _parameters(function: Any) -> tuple[str, ...]:
    """The names of the leading parameters that may be given by position."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, or no function
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in itertools.takewhile(lambda p: p.kind in positional, found))


def by_name(function: Any, args: Any, keywords: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """NumPy has dtype and out among its positional parameters, ours have not: from there on arguments go by name."""
    names = _parameters(function)
    for k, name in enumerate(names[: len(args)]):
        if name in ("dtype", "out"):
            return args[:k], {**dict(zip(names[k:], args[k:])), **keywords}
    return args, keywords


def _rename(keywords: dict[str, Any]) -> dict[str, Any]:
    names = {"a": "x", "a_min": "low", "a_max": "high", "min": "low", "max": "high", "newshape": "shape"}
    return {names.get(k, k): v for k, v in keywords.items()}


def _like(fill: Any) -> Any:
    return lambda x, *a, shape=None, **k: np.full(np.shape(x) if shape is None else shape, fill, float)


def _full_like(x: Traced, value: Any) -> Any:
    return functions.broadcast_to(value, x.shape) if isinstance(value, Traced) else np.full(x.shape, value, float)


def _allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8) -> Any:
    return bool(functions.all(TABLE["le"](TABLE["abs"](a - b), atol + rtol * TABLE["abs"](b))))


def _count_nonzero(x: Any, axis: Any = None) -> Any:
    return functions.sum(TABLE["where"](TABLE["ne"](x, 0), 1.0, 0.0), axis)


def _polyval(coefficients: Any, x: Any) -> Any:
    total = functools.reduce(lambda total, c: total * x + c, coefficients)
    return functions.broadcast_to(total, np.shape(x))  # a constant polynomial has the shape of x too


def _nan_to_num(x: Any, nan: float = 0.0) -> Any:
    return TABLE["where"](TABLE["isnan"](x), nan, x)


def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return functions.mean(x, axis)
    return functions.sum(x * weights, axis) / functions.sum(weights * np.ones(np.shape(x)), axis)


SPECIAL = {
    "zeros_like": _like(0.0), "ones_like": _like(1.0), "full_like": _full_like, "empty_like": _like(0.0),
    "shape": lambda x: x.shape, "ndim": lambda x: x.ndim, "size": lambda x: x.size, "copy": lambda x: x,
    "result_type": lambda *xs: np.result_type(*[x.dtype if isinstance(x, Traced) else x for x in xs]),
    "iscomplexobj": lambda x: False, "isrealobj": lambda x: True, "real": lambda x: x, "average": _average,
    "polyval": _polyval,
    "allclose": _allclose, "count_nonzero": _count_nonzero, "nan_to_num": _nan_to_num,
    "atleast_1d": lambda x: x if x.ndim else functions.reshape(x, (1,)),
    "atleast_2d": lambda x: x if x.ndim > 1 else functions.reshape(x, (1, -1)),
    "column_stack": lambda xs: functions.concatenate(
        [functions.reshape(x, (-1, 1)) if len(np.shape(x)) < 2 else x for x in xs], 1
    ),
    "square": lambda x: TABLE["square"](x), "sinc": functions.sinc,
    "trapezoid": lambda y, x=None, dx=1.0: _trapezoid(y, x, dx),
    "array_split": lambda x, n, axis=0: _array_split(x, n, axis),
    "matrix_transpose": lambda x: functions.swapaxes(x, -1, -2),
    "linalg.matrix_transpose": lambda x: functions.swapaxes(x, -1, -2),
    "linalg.diagonal": lambda x, offset=0: functions.diagonal(x, offset, -2, -1),
    "linalg.vector_norm": lambda x, axis=None, keepdims=False, ord=2: functions.norm(
        functions.ravel(x) if axis is None else x, ord, axis, keepdims
    ),
    "linalg.matrix_norm": lambda x, keepdims=False, ord="fro": functions.norm(x, ord, (-2, -1), keepdims),
    "linalg.cholesky": lambda x, upper=False: functions.cholesky(x, upper),
    "linalg.svd": lambda x, full_matrices=True, compute_uv=True, hermitian=False: functions.svd(
        x, full_matrices, compute_uv
    ),
    "delete": None,
}  # fmt: skip
SPECIAL = {name: call for name, call in SPECIAL.items() if call is not None}


def _trapezoid(y: Any, x: Any, dx: float) -> Any:
    step = dx if x is None else functions.diff(x)
    ends = functions.index(y, (Ellipsis, slice(1, None))) + functions.index(y, (Ellipsis, slice(None, -1)))
    return functions.sum(step * ends / 2, -1)


def _array_split(x: Any, sections: Any, axis: int) -> Any:
    if isinstance(sections, int):
        sections = [len(part) for part in np.array_split(np.arange(x.shape[axis]), sections)]
        sections = np.cumsum(sections)[:-1].tolist()
    return functions.split(x, sections, axis)


def getitem(self: Traced, key: Any) -> Any:
    if not self.shape and key != ():
        raise TypeError(f"a traced number can't be indexed ([{key}]): an array was wanted")
    return functions.index(self, key)


def _method(name: str) -> Any:
    call = functions.FUNCTIONS[name]
    numpy = getattr(np, name, None)

    def method(self: Traced, *args: Any, **keywords: Any) -> Any:
        given, keywords = by_name(numpy, (self, *args), keywords)
        return call(*given, **_rename(plain_keywords(name, keywords)))

    return method


def _astype(self: Traced, dtype: Any, **_: Any) -> Any:
    wanted = np.dtype(dtype)
    if wanted.kind not in "fiub":
        raise InputError(f"astype({wanted}): a real dtype was wanted")
    if wanted.kind == "f" and self.dtype == wanted:
        return self
    return TABLE["astype"](self, params=(wanted.char,))


def matmul(self: Traced, other: Any) -> Any:
    return functions.matmul(self, other)


def rmatmul(self: Traced, other: Any) -> Any:
    return functions.matmul(other, self)


def _transpose(self: Traced, *axes: Any) -> Any:
    order = None if not axes else axes[0] if isinstance(axes[0], (tuple, list)) else axes
    return functions.transpose(self, order)


_PLAIN = (  # noqa: SIM905
    "sum mean prod var std reshape ravel dot clip cumsum argmax argmin argsort squeeze swapaxes take repeat trace "
    "diagonal any all"
).split()
METHODS: dict[str, Any] = {name: _method(name) for name in _PLAIN}
METHODS.update(
    max=_method("amax"), min=_method("amin"), round=_method("round"), astype=_astype, copy=lambda self: self,
    flatten=lambda self: functions.ravel(self), transpose=_transpose,
)  # fmt: skip


def method_of(x: Traced, name: str) -> Any:
    """NumPy's array methods on traced arrays; an attribute that arrays do not have is an AttributeError as usual."""
    method = METHODS.get(name)
    if method is not None:
        return functools.partial(method, x)
    if name == "real":
        return x
    if name.startswith("__") or not hasattr(np.ndarray, name):
        raise AttributeError(f"a traced value has no {name!r}")
    raise unsupported(f"ndarray.{name}")
