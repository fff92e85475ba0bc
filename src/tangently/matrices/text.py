"""Matrix expressions as text: x' A x, norm2(X w - y)^2, tr(A B), log det X, sum(log(1 + exp(-y .* (X w)))).

The grammar is that of `tangently.parsing`; things side by side are a matrix product, .* is entry by entry. Shapes
that are not given are inferred, and the inference is told in the notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangently.errors import InputError
from tangently.matrices.expressions import Matrix, _operand, matrix, scalar, vector
from tangently.matrices.inference import inferred, told
from tangently.matrices.shapes import PROPERTIES, sizes
from tangently.parsing import parse


def expression(text: str, shapes: Mapping[str, Any] | None = None, /, **named: Any) -> Matrix:
    """A text as a matrix expression. Shapes are given by name ("m n", "n", "" for a number), or inferred.

    Properties may follow a shape: S="n n symmetric". A name may also be given as a `Matrix`. Raises ParseError,
    ShapeError, and InputError for a shape that can't be read.

    >>> e = expression("x' A x", A="n n", x="n")
    >>> e
    <number xᵀAx (number)>
    >>> expression("norm2(X w - y)^2").notes
    ('X is a matrix (m×n), w is a column (n), y is a column (m): inferred from the text',)
    """
    formula = parse(text)
    given = {**(shapes or {}), **named}
    unknown = sorted(set(given) - set(formula.arguments))
    if unknown:
        raise InputError(
            f"{unknown[0]} was given a shape, but is not in {text!r}; it has {', '.join(formula.arguments)}"
        )
    known = {name: _declared(name, shape) for name, shape in given.items()}
    free = [n for n in formula.arguments if n not in known]
    shaped = {n: m.shape for n, m in known.items()}
    found = inferred(formula.root, text, shaped, formula.arguments) if free else shaped
    values = known | {n: symbol_of(n, found[n]) for n in free}
    result = _operand(formula(**values))
    said = (f"{told(found, free)}: inferred from the text",) if free else ()
    return Matrix(result.expr, result.row, remarks=(*said, *result._remarks, *formula.notes))


def _declared(name: str, shape: Any) -> Matrix:
    if isinstance(shape, Matrix):
        return shape
    words = shape.split() if isinstance(shape, str) else []
    held = [p for p in PROPERTIES if all(w in words for w in p.split())]
    spoken = {w for p in held for w in p.split()}
    rest = " ".join(w for w in words if w not in spoken) if isinstance(shape, str) else shape
    count = len(rest.replace(",", " ").replace("×", " ").split()) if isinstance(rest, str) else _count(rest)
    if count > 2:
        raise InputError(f'{name} was given the shape {shape!r}: "" for a number, "n" for a column, "m n" was wanted')
    full = sizes(rest, name, count) if count else ()
    return matrix(name, full, properties=held) if count == 2 else symbol_of(name, full)


def _count(shape: Any) -> int:
    return len(shape) if isinstance(shape, (list, tuple)) else 1


def symbol_of(name: str, shape: tuple[Any, ...]) -> Matrix:
    if not shape:
        return scalar(name)
    return vector(name, shape) if len(shape) == 1 else matrix(name, shape)


__all__ = ["expression"]
