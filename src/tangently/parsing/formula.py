"""A formula: the tree of a text, which can be called like a function.

Calling it walks the tree with a stack and applies Python's operators and the given functions, so plain numbers, NumPy
arrays and traced values all pass through. Three things differ from Python, for the sake of honest results:

- Things side by side, x' A x, are a matrix product where both are arrays (x x' of a vector is the outer product).
  `pointwise` is the same formula for grids of points: there a product is a product of numbers, entry by entry.
- A conditional whose condition is a plain truth value computes only the branch it takes.
- A result that is not there (1/0, a complex power, a matrix to the power -1) is an error that shows the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from ..errors import DomainError, InputError, ShapeError, TangentlyError
from .echo import render, speaks_of_matrices
from .grammar import read
from .names import Functions
from .tree import COMPARISONS, OPERATORS, Node, fold, postorder


@dataclass(frozen=True)
class Formula:
    """A text, read: `arguments`, `name` from f(x) = ..., `notes` on what has a second reading.

    Arguments stand in the order of the head f(y, x) = ..., or else of the text, but x, y, z (and x1, x2, ...) always
    in this order.
    """

    text: str
    arguments: tuple[str, ...]
    name: str | None = None
    notes: tuple[str, ...] = ()
    root: Node = field(repr=False, compare=False, kw_only=True)
    functions: Functions = field(repr=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        # set on the object, because inspect.signature would take a property on the class for the class's own
        parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in self.arguments]
        object.__setattr__(self, "__signature__", Signature(parameters))
        object.__setattr__(self, "__name__", self.name or "formula")

    def __call__(self, *args: Any, **named: Any) -> Any:
        return evaluate(self, bind(self, args, named))

    def __str__(self) -> str:
        return canonical(self)

    @property
    def pointwise(self) -> Formula:
        """The same formula with every product entry by entry, for arrays that are grids of points."""
        return replace(self, root=fold(self.root, elementwise))


def parse(text: str, *, functions: Mapping[str, Callable] | None = None) -> Formula:
    """Read a formula; nothing in the text is ever executed by Python.

    >>> import numpy as np
    >>> f = parse("x² + 3y + e^{xy}", functions={"exp": np.exp})
    >>> f.arguments, canonical(f)
    (('x', 'y'), 'x**2 + 3*y + exp(x*y)')
    >>> float(f(2, 0))
    5.0
    """
    if not isinstance(text, str):
        raise InputError(f"A formula is text, not {type(text).__name__}. Write parse('x^2 + 3x').")
    if functions is None:
        from ..functions import FUNCTIONS

        functions = FUNCTIONS
    reading = read(text, functions)
    return Formula(text, reading.arguments, reading.name, reading.notes, root=reading.root, functions=functions)


def canonical(formula: Formula) -> str:
    """How the body of a formula was read, in Python's spelling.

    >>> canonical(parse("2x² + 3x + 1", functions={}))
    '2*x**2 + 3*x + 1'
    """
    return render(formula.root)


def bind(formula: Formula, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The value of every argument."""
    wanted = f"{formula.name or 'formula'}({', '.join(formula.arguments)})"
    try:
        values = formula.__signature__.bind(*args, **named).arguments  # type: ignore[attr-defined]
    except TypeError as error:
        raise InputError(f"{wanted} can't be called like this: {error}. The formula is: {formula.text}") from error
    stack = formula.functions.get("array", numpy_array)  # [1, 2] * 2 would repeat a list, not multiply it
    return {name: stack(value) if isinstance(value, (list, tuple)) else value for name, value in values.items()}


def numpy_array(values: Any) -> Any:
    import numpy as np  # imported when first needed

    return np.array(values)


def elementwise(node: Node, parts: list[Node]) -> Node:
    return replace(node, parts=tuple(parts), kind="*" if node.kind == "juxtapose" else node.kind)


# Evaluation: a stack of nodes that wait, and a stack of values


class Scope(NamedTuple):
    """What a node can refer to."""

    functions: Functions
    values: Mapping[str, Any]
    text: str
    matrices: bool
    dotted: bool


def evaluate(formula: Formula, values: Mapping[str, Any]) -> Any:
    """The value of a formula: parts before wholes, and of a plain conditional the branch that is taken."""
    dotted = any(node.kind in (".*", "./", ".^") for node in postorder(formula.root))
    scope = Scope(formula.functions, values, formula.text, speaks_of_matrices(formula.root), dotted)
    waiting: list[tuple[Node, str]] = [(formula.root, "open")]
    results: list[Any] = []
    while waiting:
        node, stage = waiting.pop()
        if stage == "apply":
            first = len(results) - len(node.parts)
            results[first:] = [apply(node, results[first:], scope)]
        elif stage == "choose":
            waiting += branches(node, results)
        elif node.kind == "conditional":
            waiting += [(node, "choose"), (node.parts[0], "open")]
        else:
            waiting.append((node, "apply"))
            waiting += [(part, "open") for part in reversed(node.parts)]
    return results[0]


def branches(node: Node, results: list[Any]) -> list[tuple[Node, str]]:
    """What to compute after a condition: the branch taken if it is plainly true or false, both for `where` if not."""
    truth = results[-1]
    if isinstance(truth, bool) or (type(truth).__module__ == "numpy" and truth.ndim == 0 and truth.dtype.kind == "b"):
        results.pop()
        return [(node.parts[1] if truth else node.parts[2], "open")]
    return [(node, "apply"), (node.parts[2], "open"), (node.parts[1], "open")]


def apply(node: Node, values: list[Any], scope: Scope) -> Any:
    """One node, its parts given. Python's own errors are told in the words of the formula."""
    try:
        return APPLY[node.kind](node, values, scope)
    except TangentlyError:
        raise
    except (ZeroDivisionError, OverflowError, ValueError, TypeError, IndexError) as error:
        if type(error).__module__ != "builtins":  # the caller's own kinds of error mean something to the caller
            raise
        raise explained(error, node, values, scope.text) from error


def explained(error: Exception, node: Node, values: list[Any], text: str) -> TangentlyError:
    place = f"`{text[node.start : node.end]}`"
    shapes = [tuple(value.shape) for value in values if getattr(value, "shape", ())]
    if isinstance(error, (ZeroDivisionError, OverflowError)):
        reason = "division by zero" if isinstance(error, ZeroDivisionError) else "larger than 1.8e308"
        return DomainError(f"{place} has no value at {listing(values)}: {reason}.")
    if isinstance(error, ValueError) and shapes:
        return ShapeError(f"{place}: shapes {' and '.join(map(str, shapes))} do not conform ({error}).")
    if isinstance(error, ValueError):
        return DomainError(f"{place} has no value at {listing(values)}: {error}.")
    return InputError(f"{place} can't be computed from {listing(values)}: {error}.")


def listing(values: list[Any]) -> str:
    """Values for a message: numbers as they are, anything else by its kind."""
    shown = [repr(v) if isinstance(v, (int, float)) else f"{type(v).__name__}" for v in values]
    return ", ".join(shown) or "nothing"


def operate(node: Node, values: list[Any], scope: Scope) -> Any:
    compute = OPERATORS[node.kind].compute
    return scope.functions[compute](*values) if isinstance(compute, str) else compute(*values)


def raised(node: Node, values: list[Any], scope: Scope) -> Any:
    """A power; two that Python answers with surprises are refused."""
    base, exponent = values
    place = scope.text[node.start : node.end]
    if hasattr(base, "power_of_text"):
        return base.power_of_text(exponent)
    if dimension(base) >= 2 and isinstance(exponent, int) and exponent < 0:
        inverse = "inv(A) for the inverse, " if "inv" in scope.functions else ""
        raise InputError(
            f"`{place}` of a matrix has two readings: write {inverse}1/A for the reciprocal of each entry."
        )
    result = OPERATORS["**"].compute(base, exponent)  # type: ignore[operator]
    if isinstance(result, complex) and not isinstance(base, complex) and not isinstance(exponent, complex):
        raise DomainError(f"`{place}` has no real value: {base!r} to the power {exponent!r}. Odd roots: cbrt(x) or ∛x.")
    return result


def multiplied(node: Node, values: list[Any], scope: Scope) -> Any:
    """Side by side: a matrix product of arrays, the outer product of a column and a row, or a plain product."""
    left, right = values
    if not (dimension(left) and dimension(right)):
        return left * right
    if hasattr(left, "power_of_text") or hasattr(right, "power_of_text"):
        return left @ right  # these know their rows from their columns
    row = node.parts[1].kind == "transpose" and node.parts[0].kind != "transpose"
    if row and dimension(left) == dimension(right) == 1:
        return left[:, None] * right
    if left.shape == right.shape and not scope.matrices:
        place = scope.text[node.start : node.end]
        raise InputError(
            f"`{place}` has two readings, since both are arrays of shape {left.shape}: "
            "write * between them for the product entry by entry, or @ for the matrix product."
        )
    return left @ right


def starred(node: Node, values: list[Any], scope: Scope) -> Any:
    """A product with a star: entry by entry of arrays; symbolic matrices tell which products they have."""
    left, right = values
    symbolic = next((v for v in values if hasattr(v, "product_of_text")), None)
    if symbolic is None or not (dimension(left) and dimension(right)):
        return operate(node, values, scope)
    return symbolic.product_of_text(left, right, scope.text[node.start : node.end], scope.dotted)


def dimension(value: Any) -> int:
    return getattr(value, "ndim", 0)


def called(node: Node, values: list[Any], scope: Scope) -> Any:
    name, keywords = node.value
    plain = len(values) - len(keywords)
    return scope.functions[name](*values[:plain], **dict(zip(keywords, values[plain:])))


def stacked(node: Node, values: list[Any], scope: Scope) -> Any:
    """An array: of plain numbers by NumPy; of anything else by the functions, who know how to stack it."""
    import numpy as np  # imported when first needed

    if all(type(value) in (int, float, bool) or isinstance(value, np.generic) for value in values):
        return np.array(values).reshape(node.value)
    rows = values
    for length in reversed(node.value[1:]):
        rows = [rows[at : at + length] for at in range(0, len(rows), length)]
    return scope.functions.get("array", numpy_array)(rows)


def indexed(node: Node, values: list[Any], scope: Scope) -> Any:
    base, *items = values
    return base[items[0] if len(items) == 1 else tuple(items)]


def transposed(node: Node, values: list[Any], scope: Scope) -> Any:
    return values[0].T if hasattr(values[0], "T") else values[0]


def compared(node: Node, values: list[Any], scope: Scope) -> Any:
    """a < b < c: both must hold."""
    truths = [COMPARISONS[sign](left, right) for sign, left, right in zip(node.value, values, values[1:])]
    return reduce(scope.functions["logical_and"], truths) if len(truths) > 1 else truths[0]


def exact_literals(formula: Formula, lift: Callable[[Any], Any], constants: Mapping[str, Any]) -> Formula:
    """The formula with its numbers as `lift` gives them, and π, e, τ from `constants`: nothing is rounded.

    Arguments that must stay plain (an axis, a size, an index) are left as they are.
    """

    def visit(node: Node, parts: list[Node]) -> Node:
        computes = node.kind in OPERATORS or node.kind in ("compare", "conditional", "juxtapose", "call")
        if node.kind == "call" and (node.value[1] or any(p.kind in ("array", "index") for p in parts)):
            computes = False
        return replace(node, parts=tuple(map(exact, parts)) if computes else tuple(parts))

    def exact(node: Node) -> Node:
        if node.kind == "number" and type(node.value) in (int, float):
            return replace(node, kind="exact", value=lift(node.value))
        if node.kind == "constant" and node.value in constants:
            return replace(node, kind="exact", value=lift(constants[node.value]))
        return node

    return replace(formula, root=exact(fold(formula.root, visit)))


CONSTANT_VALUES = {
    "pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "euler_gamma": 0.5772156649015329,
    "catalan": 0.915965594177219,
}  # fmt: skip
APPLY: dict[str, Callable[[Node, list[Any], Scope], Any]] = {
    **dict.fromkeys(OPERATORS, operate),
    "**": raised,
    "*": starred,
    "juxtapose": multiplied,
    "number": lambda node, values, scope: node.value,
    "exact": lambda node, values, scope: node.value,
    "constant": lambda node, values, scope: CONSTANT_VALUES[node.value],
    "name": lambda node, values, scope: scope.values[node.value],
    "call": called,
    "array": stacked,
    "index": indexed,
    "slice": lambda node, values, scope: slice(*values),
    "transpose": transposed,
    "compare": compared,
    "conditional": lambda node, values, scope: scope.functions["where"](*values),
}
