"""Shapes of matrices in words and in text: "m n" read to sizes, sizes read off arrays, and errors that name both sides.

A vector is a column of n entries, shown as (n); its transpose is a row, (1×n). A matrix is (m×n), a number (number).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tangently.errors import InputError, ShapeError
from tangently.expr import Dim, Expr, Shape, Size

PROPERTIES = ("symmetric", "positive definite", "diagonal", "orthogonal")
_SIZE = re.compile(r"\d+|[^\W\d]\w*")


def sizes(text: Any, what: str, count: int) -> Shape:
    """The sizes that a declaration gives: "m n", "3 n", ("m", 4), 3.

    >>> sizes("m n", "A", 2), sizes(3, "x", 1)
    ((m, n), (3,))
    """
    given = text.replace(",", " ").replace("×", " ").split() if isinstance(text, str) else text
    parts = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(parts) != count or not all(map(_is_size, parts)):
        wanted = 'two sizes, such as "m n" or "3 n"' if count == 2 else 'one size, such as "n" or 3'
        raise InputError(f"{what} was given the shape {text!r}: {wanted}, was wanted")
    return tuple(_size(p, what) for p in parts)


def _is_size(part: Any) -> bool:
    return type(part) in (int, Dim) or (isinstance(part, str) and _SIZE.fullmatch(part) is not None)


def _size(part: Any, what: str) -> Size:
    size = part if type(part) is Dim else int(part) if not isinstance(part, str) or part.isdigit() else Dim.named(part)
    if type(size) is int and size < 1:
        raise InputError(f"{what} was given the size {size}: a size of at least 1 was wanted")
    return size


def properties_of(name: str, shape: Shape, given: Mapping[str, bool], more: Iterable[str]) -> frozenset[str]:
    """The properties that were declared; all of them are those of a square matrix."""
    listed = [p.replace("_", " ") for p in ((more,) if isinstance(more, str) else more)]
    unknown = [p for p in listed if p not in PROPERTIES]
    if unknown:
        raise InputError(f"{name} was called {unknown[0]!r}: the properties are {', '.join(PROPERTIES)}")
    held = frozenset(listed) | {p for p, yes in given.items() if yes}
    if held and (len(shape) != 2 or shape[0] != shape[1]):
        raise ShapeError(
            f"{name} of shape {shown(shape)} was called {' and '.join(sorted(held))}: only a square matrix can be; "
            f'a shape such as "n n" was wanted'
        )
    return held


def shown(shape: Shape, row: bool = False) -> str:
    """
    >>> n = Dim.named("n")
    >>> shown((n, 3)), shown((n,)), shown((n,), row=True), shown(())
    ('(n×3)', '(n)', '(1×n)', '(number)')
    """
    if row:
        return f"(1×{shape[0]})"
    return f"({'×'.join(map(str, shape))})" if shape else "(number)"


# ---------------------------------------------------------------- sizes of arrays


def sizes_of_arrays(symbols: Sequence[Expr], values: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, int]:
    """The named sizes, read off the arrays; a conflict names both places."""
    found = dict(known)
    source = dict.fromkeys(known, "the sizes given")
    for x in symbols:
        if x.name in values:
            for size, count in zip(x.shape, _fitting(x, np.shape(values[str(x.name)]))):
                _agree(str(x.name), size, count, found, source)
    return found


def _fitting(x: Expr, got: tuple[int, ...]) -> tuple[int, ...]:
    if len(x.shape) == 1 and len(got) == 2 and got[1] == 1:
        return got[:1]
    if len(got) != len(x.shape):
        raise ShapeError(f"{x.name} is {shown(x.shape)}, the array that was given has shape {got}")
    return got


def _agree(name: str, size: Size, count: int, found: dict[str, int], source: dict[str, str]) -> None:
    if isinstance(size, int):
        if size != count:
            raise ShapeError(f"{name}: a size is {size} in its declaration and {count} in the array that was given")
        return
    (single,) = size.names()
    if found.setdefault(single, count) != count:
        raise ShapeError(f"{single} is {found[single]} in {source[single]} and {count} in {name}")
    source.setdefault(single, name)


# ---------------------------------------------------------------- the promises of a declaration

_HOLDS = {
    "symmetric": lambda a: np.allclose(a, a.T),
    "positive definite": lambda a: np.allclose(a, a.T) and bool((np.linalg.eigvalsh(a) > 0).all()),
    "diagonal": lambda a: np.allclose(a, np.diag(np.diagonal(a))),
    "orthogonal": lambda a: np.allclose(a.T @ a, np.eye(len(a))),
}


def check_promises(name: str, held: Iterable[str], value: np.ndarray) -> None:
    """An array must have the properties that its symbol was declared with: the formula was simplified by them."""
    for p in sorted(held):
        if not _HOLDS[p](value):
            raise InputError(f"{name} was declared {p}, and the formula uses that: the array that was given is not {p}")


__all__ = ["PROPERTIES", "check_promises", "properties_of", "shown", "sizes", "sizes_of_arrays"]
