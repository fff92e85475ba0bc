"""`math.sin(x)` and `np.array([x, y])` on traced values: the function's globals, seen through a view.

`math` converts its argument with `float`, and `np.array` copies into a plain array; both would drop the gradient, and
neither asks its argument first. So a user's function is run with the same code but with a *view* of its globals:
look-ups of the `math` module, of `numpy`, or of a function from them, give versions that record; look-ups of the
user's other functions give those functions rebound in the same way; everything else is the original. Nothing of the
user's is changed, and what the function writes to its globals is written through.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from tangently.expr import TABLE
from tangently.functions import FUNCTIONS, array, has_traced
from tangently.tracing.names import is_example, is_ours
from tangently.tracing.traced import Traced, unsupported


def _prod(values: Any, *, start: Any = 1) -> Any:
    return functools.reduce(lambda a, b: a * b, values, start)


def _fsum(values: Any) -> Any:
    return functools.reduce(lambda a, b: a + b, values, 0.0)


def _hypot(*xs: Any) -> Any:
    return functools.reduce(TABLE["hypot"], xs) if len(xs) != 1 else TABLE["abs"](xs[0])


def _dist(p: Any, q: Any) -> Any:
    return _hypot(*[a - b for a, b in zip(p, q, strict=True)])


def _isclose(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> bool:
    gap, scale = abs(a - b), TABLE["maximum"](abs(a), abs(b))
    return bool(gap <= rel_tol * scale) or bool(gap <= abs_tol)


MATH: dict[str, Callable[..., Any]] = {
    "prod": _prod, "fsum": _fsum, "hypot": _hypot, "dist": _dist, "isclose": _isclose, "log": FUNCTIONS["log"],
    "degrees": lambda x: x * (180 / math.pi), "radians": lambda x: x * (math.pi / 180),
    "copysign": lambda x, y: abs(x) * TABLE["where"](TABLE["ge"](y, 0), 1, -1),
    "fmod": lambda a, b: a - b * TABLE["trunc"](a / b),
    "isinf": lambda x: bool(TABLE["isinf"](x)), "isnan": lambda x: bool(TABLE["isnan"](x)),
    "isfinite": lambda x: bool(TABLE["isfinite"](x)), "sumprod": lambda p, q: _fsum(a * b for a, b in zip(p, q)),
    "factorial": lambda n: TABLE["gamma"](n + 1),
}  # fmt: skip


def _recording(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    rows = {call: row for row in TABLE.values() if row.kind == "elementwise" for call in (row.name, *row.calls)}
    traced = MATH.get(name) or rows.get(name)

    def call(*args: Any, **keywords: Any) -> Any:
        if not _any_traced(args):
            return plain(*args, **keywords)
        if traced is None:
            raise unsupported(f"math.{name}")
        return traced(*args, **keywords)

    return call


def _any_traced(args: Any) -> bool:
    return any(isinstance(a, Traced) or (isinstance(a, (list, tuple)) and _any_traced(a)) for a in args)


@functools.cache
def math_shim() -> types.SimpleNamespace:
    """The `math` module with functions that take traced values too."""
    return types.SimpleNamespace(
        **{k: _recording(k, v) if callable(v) else v for k, v in vars(math).items() if not k.startswith("__")}
    )


def _array(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`np.array` and its kin: traced entries are stacked; anything else is NumPy's."""

    def call(x: Any, *args: Any, **keywords: Any) -> Any:
        if isinstance(x, Traced):
            return x
        return array(x) if has_traced(x) else plain(x, *args, **keywords)

    return call


class NumpyShim(types.ModuleType):
    """`numpy`, with the functions that make arrays taking traced entries."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


ARRAY_MAKERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asarray_chkfinite")


@functools.cache
def numpy_shim() -> NumpyShim:
    shim = NumpyShim("numpy")
    for name in ARRAY_MAKERS:
        setattr(shim, name, _array(getattr(np, name)))
    return shim


def _isinstance(x: Any, kinds: Any) -> bool:
    """A traced number is a float, a traced array an array: the function takes the branch that it takes on numbers."""
    stands_for = (np.ndarray if x.shape else float) if type(x) is Traced else type(x)
    return isinstance(x, kinds) or issubclass(stands_for, kinds)


def _builtins(base: dict[str, Any]) -> dict[str, Any]:
    found = base.get("__builtins__", builtins)
    return {**(found if isinstance(found, dict) else vars(found)), "isinstance": _isinstance}


_MAKERS = {id(getattr(np, name)): name for name in ARRAY_MAKERS}


class View(dict[str, Any]):
    """A function's globals, with some values replaced as they are looked up."""

    def __init__(self, base: dict[str, Any], swap: Callable[[Any], Any]) -> None:
        super().__init__(__builtins__=_builtins(base), __name__=base.get("__name__", ""))
        self.base, self.swap = base, swap

    def __getitem__(self, key: str) -> Any:
        if key not in self.base and dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        return self.swap(self.base[key])

    def write_through(self) -> None:
        for key in dict.keys(self) - {"__builtins__", "__name__"}:
            self.base[key] = dict.__getitem__(self, key)


class Rebinder:
    """One rebinding: every function and globals dictionary is rebound once."""

    def __init__(self) -> None:
        self.functions: dict[int, Any] = {}
        self.views: dict[int, View] = {}
        self.kept: list[Any] = []

    def swap(self, value: Any) -> Any:
        """What a look-up of this value gives during a trace."""
        if value is math:
            return math_shim()
        if value is np:
            return numpy_shim()
        if type(value) is types.BuiltinFunctionType and value.__self__ is math:
            return getattr(math_shim(), value.__name__)
        if id(value) in _MAKERS:
            return getattr(numpy_shim(), _MAKERS[id(value)])
        if type(value) is types.FunctionType and not is_library(value):
            return self.function(value)
        return value

    def function(self, f: types.FunctionType) -> types.FunctionType:
        known = self.functions.get(id(f))
        if known is not None:
            return known
        self.kept.append(f)
        view = self.views.get(id(f.__globals__))
        if view is None:
            view = self.views[id(f.__globals__)] = View(f.__globals__, self.swap)
        bound = types.FunctionType(f.__code__, view, f.__name__, f.__defaults__, f.__closure__)
        bound.__kwdefaults__ = f.__kwdefaults__
        self.functions[id(f)] = bound
        return self._with_cells(f, bound, view)

    def _with_cells(self, f: Any, bound: Any, view: View) -> Any:
        """Closure cells that hold functions or `math` are replaced; the others stay shared."""
        cells = []
        for cell in f.__closure__ or ():
            content = _content(cell)
            swapped = content if content is _EMPTY else self.swap(content)
            cells.append(cell if swapped is content else types.CellType(swapped))
        if all(a is b for a, b in zip(cells, f.__closure__ or ())):
            return bound
        again = types.FunctionType(f.__code__, view, f.__name__, f.__defaults__, tuple(cells))
        again.__kwdefaults__ = f.__kwdefaults__
        self.functions[id(f)] = again
        return again

    def callable(self, f: Any) -> Any:
        """A callable of any sort, rebound as far as it is Python."""
        if type(f) is functools.partial:
            return functools.partial(self.callable(f.func), *f.args, **f.keywords)
        if inspect.ismethod(f):
            return types.MethodType(self.callable(f.__func__), f.__self__)
        if _is_object(f):
            return types.MethodType(self.callable(type(f).__call__), f)
        return self.swap(f)

    def write_through(self) -> None:
        for view in self.views.values():
            view.write_through()


_EMPTY = object()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a cell that is assigned later holds nothing yet
        return _EMPTY


def is_library(f: types.FunctionType) -> bool:
    """Is this a function of an installed library (whose own use of `math` is left alone)?"""
    name = f.__code__.co_filename
    if is_example(f.__code__):
        return False
    return is_ours(f.__code__) or "site-packages" in name or "lib/python" in name or name.startswith("<frozen")


def needs_rebinding(f: Any, seen: set[int] | None = None) -> bool:
    """Can this function reach `math` or `np.array` through its globals or closure? (If not, it runs as it is.)"""
    seen = set() if seen is None else seen
    f = getattr(f, "func", None) or getattr(f, "__func__", None) or f
    if _intercepted(f, set()):
        return True
    f = type(f).__call__ if _is_object(f) else f
    if type(f) is not types.FunctionType or id(f) in seen or is_library(f):
        return False
    seen.add(id(f))
    names = names_in(f.__code__)
    if "isinstance" in names:
        return True
    values = [_content(c) for c in f.__closure__ or ()]
    values += [f.__globals__[n] for n in names if n in f.__globals__]
    return any(_intercepted(v, names) or needs_rebinding(v, seen) for v in values)


def rebound(f: Any) -> Any:
    """The function as it runs on traced values, for a wrapper of ours that calls it (wrappers are not rebound)."""
    return Rebinder().callable(f) if needs_rebinding(f) else f


def _is_object(f: Any) -> bool:
    """Is this an object of a class of the user's with a __call__ in Python?"""
    call = inspect.getattr_static(type(f), "__call__", None)
    return isinstance(call, types.FunctionType) and type(f) is not types.FunctionType


def _intercepted(value: Any, names: set[str]) -> bool:
    if value is np:
        return not names.isdisjoint(ARRAY_MAKERS)
    return value is math or getattr(value, "__self__", None) is math or id(value) in _MAKERS


def names_in(code: types.CodeType) -> set[str]:
    """Every global or attribute name in a code object and the code nested in it."""
    names = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names |= names_in(inner)
    return names


__all__ = ["Rebinder", "is_library", "math_shim", "names_in", "needs_rebinding", "rebound"]
