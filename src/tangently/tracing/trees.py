"""Nested arguments and results: dicts, lists, tuples, namedtuples and dataclasses of numbers and arrays.

`flatten` lists the leaves with the path that a person would write (`params['W1']`) and a hashable structure from
which `unflatten` rebuilds the same nesting. Anything that is not a number or an array (text, None, flags) is static:
part of the structure, never differentiated.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from tangently.errors import InputError, a_type

Structure = tuple[Any, ...]
LEAF: Structure = ("leaf",)
NUMBERS = frozenset({float, int, np.float64, np.ndarray, np.float32, np.int64, np.int32})


def is_leaf(x: Any) -> bool:
    """Is x a number, an array, or something traced?"""
    return type(x) in NUMBERS or hasattr(type(x), "__apply__") or isinstance(x, (np.ndarray, np.number))


def flatten(tree: Any, path: str = "") -> tuple[list[Any], list[str], Structure]:
    """Leaves, their paths, and the structure.

    >>> flatten({"w": 1.0, "b": [2.0, None]}, "p")
    ([1.0, 2.0], ["p['w']", "p['b'][0]"], ('dict', ('w', 'b'), (('leaf',), ('list', (('leaf',), ('static', None))))))
    """
    leaves: list[Any] = []
    paths: list[str] = []
    return leaves, paths, _flatten(tree, path, leaves, paths, 0)


def _flatten(x: Any, path: str, leaves: list[Any], paths: list[str], depth: int) -> Structure:
    if is_leaf(x):
        leaves.append(x)
        paths.append(path)
        return LEAF
    if depth > 100:
        raise InputError(f"{path or 'the argument'} is nested more than 100 deep: a flatter structure was wanted")
    below = lambda items: tuple(_flatten(v, path + key, leaves, paths, depth + 1) for key, v in items)
    if isinstance(x, dict):
        return ("dict", tuple(x), below((f"[{k!r}]", v) for k, v in x.items()))
    fields = getattr(x, "_fields", None)
    if isinstance(x, tuple) and fields is not None:
        return ("named", type(x), below((f".{k}", getattr(x, k)) for k in fields))
    if isinstance(x, (list, tuple)):
        return (
            type(x).__name__ if type(x) in (list, tuple) else "tuple",
            below((f"[{k}]", v) for k, v in enumerate(x)),
        )
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        fields = tuple(f.name for f in dataclasses.fields(x) if f.init)
        return ("data", type(x), fields, below((f".{k}", getattr(x, k)) for k in fields))
    return ("static", _static(x, path))


def _static(x: Any, path: str) -> Hashable:
    if isinstance(x, (complex, np.complexfloating)):
        raise InputError(
            f"{path or 'the argument'} is complex ({x}): tangently differentiates real functions of real numbers; "
            "pass the real and imaginary parts as two arguments"
        )
    try:
        hash(x)
    except TypeError:
        raise InputError(
            f"{path or 'the argument'} is {a_type(x)}: a number, an array, or a dict, list, tuple or "
            "dataclass of them was wanted"
        ) from None
    return x


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The nesting back, with these leaves.

    >>> unflatten(("tuple", (LEAF, ("list", (LEAF,)))), [1, 2])
    (1, [2])
    """
    rest = iter(leaves)
    return _unflatten(structure, lambda: next(rest))


def _unflatten(s: Structure, take: Callable[[], Any]) -> Any:
    kind = s[0]
    if kind == "leaf":
        return take()
    if kind == "static":
        return s[1]
    children = [_unflatten(child, take) for child in s[-1]]
    if kind == "dict":
        return dict(zip(s[1], children))
    if kind == "named":
        return s[1](*children)
    if kind == "data":
        return s[1](**dict(zip(s[2], children)))
    return children if kind == "list" else tuple(children)


@functools.cache
def count_leaves(s: Structure) -> int:
    return 1 if s[0] == "leaf" else (0 if s[0] == "static" else sum(count_leaves(c) for c in s[-1]))


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every leaf; static parts become None.

    >>> map_tree(lambda x: 2 * x, {"a": 1, "b": (2, "text")})
    {'a': 2, 'b': (4, None)}
    """
    leaves, _, structure = flatten(tree)
    return unflatten(without_statics(structure), [function(x) for x in leaves])


def without_statics(s: Structure) -> Structure:
    if s[0] == "static":
        return ("static", None)
    return s if s[0] == "leaf" else (*s[:-1], tuple(without_statics(c) for c in s[-1]))
