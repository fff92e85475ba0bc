"""What a traced function read besides its arguments, so that a cached answer is never stale.

A function's answer may depend on globals, closure cells, default arguments, the attributes of objects, and the contents
of arrays and containers that these hold. `collect` follows them from the function's code, and takes a snapshot of each;
`Dependencies.fresh` says whether all still hold. What can't be watched (an open file, a random generator) makes the
function *unwatchable*: it is then traced again at every call.
"""

from __future__ import annotations

import functools
import math
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tangently.tracing.rebinding import _content, is_library, names_in

_ATOMS = (
    int,
    float,
    str,
    bytes,
    bool,
    type(None),
    np.generic,
    type,
    types.BuiltinFunctionType,
    np.ufunc,
    range,
    complex,
)
_QUIET_MODULES = ("numpy", "math", "scipy", "tangently", "builtins", "torch", "jax", "sympy")
_UNSTEADY = frozenset({"random", "time", "datetime", "secrets", "uuid"})  # modules whose functions change by themselves
LIMIT = 20_000


_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType)


class Unwatchable(Exception):
    """Something that the function reads can't be compared with what it was."""


Check = tuple[Callable[[], Any], Any, Any]  # read it again; what it was; the snapshot to compare (or None)


class Dependencies:
    """The checks of one function: `plain` ones compare identity, `deep` ones compare contents."""

    __slots__ = ("deep", "plain", "watchable")

    def __init__(self) -> None:
        self.plain: list[tuple[Any, Any, Any]] = []  # (holder, key, value): holder[key] or holder.cell_contents
        self.deep: list[tuple[Callable[[], Any], Callable[[Any], bool]]] = []
        self.watchable = True

    def fresh(self) -> bool:
        """Is everything that the function read still as it was?"""
        if not self.watchable:
            return False
        for holder, key, value in self.plain:
            if _read(holder, key) is not value:
                return False
        return all(same(read()) for read, same in self.deep)

    @property
    def trivial(self) -> bool:
        return self.watchable and not self.plain and not self.deep


def _read(holder: Any, key: Any) -> Any:
    if type(holder) is types.CellType:
        return _content(holder)
    return holder.get(key, _read) if isinstance(holder, dict) else getattr(holder, key, _read)


def collect(f: Any) -> Dependencies:
    """Everything that a call of f may read besides its arguments."""
    found = Dependencies()
    try:
        _watch_callable(f, found, set())
    except Unwatchable:
        found.watchable = False
    return found


def _watch_callable(f: Any, out: Dependencies, seen: set[int]) -> None:
    if id(f) in seen:
        return
    seen.add(id(f))
    if type(f).__module__.startswith("tangently"):
        _watch_object(f, out, seen)
    elif isinstance(f, functools.partial):
        _watch_callable(f.func, out, seen)
        _watch_value(lambda: (f.args, f.keywords), (f.args, f.keywords), out, seen)
    elif isinstance(f, types.MethodType):
        _watch_callable(f.__func__, out, seen)
        _watch_value(lambda: f.__self__, f.__self__, out, seen)
    elif isinstance(f, types.FunctionType):
        _watch_function(f, out, seen)
    elif not isinstance(f, (*_ATOMS, types.ModuleType)):
        _watch_object(f, out, seen)


def _watch_function(f: types.FunctionType, out: Dependencies, seen: set[int]) -> None:
    if is_library(f):
        return
    out.plain.append((f, "__code__", f.__code__))
    for cell in f.__closure__ or ():
        _watch_slot(cell, None, _content(cell), out, seen)
    for name in ("__defaults__", "__kwdefaults__"):
        value = getattr(f, name)
        if value:
            _watch_slot(f, name, value, out, seen)
    names = names_in(f.__code__)
    for name in names & f.__globals__.keys():
        value = f.__globals__[name]
        _watch_slot(f.__globals__, name, value, out, seen)
        if isinstance(value, types.ModuleType):
            _watch_module(value, names, out, seen)


def _watch_module(module: types.ModuleType, names: set[str], out: Dependencies, seen: set[int]) -> None:
    """Data that the function reads from a module of the user's: `config.rate`."""
    if module.__name__ in _UNSTEADY or (module is np and "random" in names):
        raise Unwatchable
    if id(module) in seen:
        return
    seen.add(id(module))
    if module.__name__.split(".")[0] in _QUIET_MODULES or "site-packages" in (getattr(module, "__file__", "") or ""):
        return
    for name in names & vars(module).keys():
        value = vars(module)[name]
        _watch_slot(vars(module), name, value, out, seen)
        if isinstance(value, types.ModuleType):
            _watch_module(value, names, out, seen)


def _watch_slot(holder: Any, key: Any, value: Any, out: Dependencies, seen: set[int]) -> None:
    out.plain.append((holder, key, value))
    if len(out.plain) + len(out.deep) > LIMIT:
        raise Unwatchable
    if isinstance(value, type):
        _watch_class(value, out, seen)
    if _changes_by_itself(value):
        raise Unwatchable
    if isinstance(value, (*_ATOMS, types.ModuleType)):
        return
    if callable(value) and not hasattr(value, "__array__"):
        _watch_callable(value, out, seen)
    else:
        _watch_value(lambda: _read(holder, key), value, out, seen)


def _changes_by_itself(value: Any) -> bool:
    """Is this `random.random`, `np.random.rand` or `time.time`, imported by name?"""
    owner = getattr(value, "__self__", None)
    home = owner.__name__ if isinstance(owner, types.ModuleType) else type(owner).__module__
    return isinstance(value, (types.BuiltinFunctionType, types.MethodType)) and (
        home in _UNSTEADY or home.startswith("numpy.random")
    )


def _watch_class(cls: type, out: Dependencies, seen: set[int]) -> None:
    """The methods and the data of a class of the user's, and of those that it inherits from."""
    for c in cls.__mro__:
        if id(c) in seen or _is_library_class(c):
            continue
        seen.add(id(c))
        members = {k: v for k, v in vars(c).items() if not isinstance(v, _DESCRIPTORS) and k != "_abc_impl"}
        code = {k: v for k, v in members.items() if callable(_function_of(v))}
        data = {k: v for k, v in members.items() if k not in code and not (k.startswith("__") and k.endswith("__"))}
        kept = {k: freeze(v, 0) for k, v in data.items()} | {k: ("same", v) for k, v in code.items()}
        out.deep.append((functools.partial(vars, c), functools.partial(_same_members, kept, len(vars(c)))))
        for value in code.values():
            _watch_callable(_function_of(value), out, seen)


def _same_members(kept: dict[str, Any], size: int, now: Any) -> bool:
    return len(now) == size and all(k in now and matches(v, now[k]) for k, v in kept.items())


def _is_library_class(c: type) -> bool:
    module = sys.modules.get(c.__module__)
    file = getattr(module, "__file__", None) or ""
    return c.__module__.split(".")[0] in _QUIET_MODULES or "site-packages" in file or "lib/python" in file


def _function_of(member: Any) -> Any:
    """The function in a staticmethod, a property or the like."""
    for name in ("__func__", "fget", "func"):
        member = getattr(member, name, member)
    return member


def _watch_value(read: Callable[[], Any], value: Any, out: Dependencies, seen: set[int]) -> None:
    if isinstance(value, _ATOMS):
        return
    snapshot = freeze(value, 0)
    if snapshot is not None:
        out.deep.append((read, lambda now: matches(snapshot, now)))
    _watch_inside(value, out, seen)


def _watch_inside(value: Any, out: Dependencies, seen: set[int]) -> None:
    """Functions inside containers and objects are read too when they are called, and so are the objects' methods."""
    for item in _items(value, out, seen):
        if isinstance(item, (types.FunctionType, types.MethodType, functools.partial)):
            _watch_callable(item, out, seen)
        elif not isinstance(item, (*_ATOMS, np.ndarray)) and id(item) not in seen:
            seen.add(id(item))
            _watch_inside(item, out, seen)


def _items(value: Any, out: Dependencies, seen: set[int]) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (np.ndarray, types.ModuleType, types.FunctionType)):
        return ()
    _watch_class(type(value), out, seen)
    return list(getattr(value, "__dict__", {}).values())


def _watch_object(x: Any, out: Dependencies, seen: set[int]) -> None:
    inner = getattr(x, "__wrapped__", None)
    if inner is not None:
        _watch_callable(inner, out, seen)
    elif not type(x).__module__.startswith("tangently"):
        _watch_value(lambda: x, x, out, seen)
        _watch_callable(type(x).__call__, out, seen)


# ---------------------------------------------------------------- snapshots


def freeze(x: Any, depth: int) -> Any:
    """A snapshot to compare with later: a tuple (kind, data)."""
    if depth > 12:
        raise Unwatchable
    if isinstance(x, np.ndarray):
        return ("array", x.copy()) if x.dtype != object else _stop()
    if isinstance(x, dict):
        return ("dict", {k: freeze(v, depth + 1) for k, v in x.items()})
    if isinstance(x, (list, tuple)):
        return ("list", [freeze(v, depth + 1) for v in x], type(x))
    if isinstance(x, (set, frozenset)):
        return ("atom", frozenset(x))
    if isinstance(x, (*_ATOMS, types.ModuleType)):
        return ("atom", x)
    if isinstance(x, (types.FunctionType, types.MethodType, functools.partial)):
        return ("same", x)
    return _freeze_object(x, depth)


def _freeze_object(x: Any, depth: int) -> Any:
    if hasattr(type(x), "__apply__"):
        return _stop()
    if type(x).__module__.startswith("tangently"):
        return ("same", x)
    fields = getattr(x, "__dict__", None)
    slots = [s for c in type(x).__mro__ for s in getattr(c, "__slots__", ()) if not s.startswith("__")]
    if fields is None and not slots:
        return _stop()
    data = {**(fields or {}), **{s: getattr(x, s, None) for s in slots}}
    return ("object", x, {k: freeze(v, depth + 1) for k, v in data.items()})


def _stop() -> Any:
    raise Unwatchable


def matches(snapshot: Any, now: Any) -> bool:
    kind, data = snapshot[0], snapshot[1]
    if kind == "array":
        return type(now) is np.ndarray and same_array(data, now)
    if kind == "dict":
        return isinstance(now, dict) and now.keys() == data.keys() and all(matches(v, now[k]) for k, v in data.items())
    if kind == "list":
        return type(now) is snapshot[2] and len(now) == len(data) and all(map(matches, data, now))
    if kind == "same":
        return now is data
    if kind == "object":
        return now is data and all(matches(v, getattr(now, k, None)) for k, v in snapshot[2].items())
    return now is data or (type(now) is type(data) and bool(now == data)) or _both_nan(now, data)


def _both_nan(a: Any, b: Any) -> bool:
    return isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)


def same_array(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shape, dtype and bits (so that nan equals nan)."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.itemsize == 8 and a.flags.c_contiguous and b.flags.c_contiguous and a.ndim:
        return bool((a.view(np.int64) == b.view(np.int64)).all())
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
