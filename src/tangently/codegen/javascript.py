"""JavaScript source for a graph of numbers: what makes a saved page live, with no Python behind it.

The writer is the one that writes Python (`tangently.codegen.flat`): it goes over the topological order, a value that is
used once is written where it is used, and every other value is a `const`. Templates come from the rows' `javascript`
fields. What JavaScript's Math lacks (erf, gamma, rounding of halves to even, …) is in `helpers.js` beside this file;
`helpers` gives the functions that a source calls, so that a page carries no others.

Where Python raises (1/0, log 0), JavaScript gives an infinity or NaN, as NumPy does.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from tangently.codegen.flat import (
    ATOM,
    LINE,
    Dialect,
    Writer,
    apply_template,
    identifier,
    is_leaf,
    operand,
    repeats,
    use_counts,
)
from tangently.differentiation import expand
from tangently.errors import InputError, UnsupportedError
from tangently.expr import CONST, INPUT, Data, Expr, toposort

_KEPT = (
    "abstract arguments async await boolean break byte case catch char class const continue debugger default delete do "
    "double else enum eval export extends false final finally float for function get goto if implements import in "
    "instanceof int interface let long native new null of package private protected public return set short static "
    "super switch synchronized this throw throws transient true try typeof undefined var void volatile while with "
    "yield Array Boolean Infinity Math NaN Number Object String globalThis window document self"
)
RESERVED = frozenset(_KEPT.split())


def literal(value: Any) -> str:
    """A number as JavaScript writes it.

    >>> [literal(v) for v in (3, 2.5, True, float("-inf"), float("nan"))]
    ['3', '2.5', 'true', '-Infinity', 'NaN']
    """
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return repr(value)
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def javascript(name: str, inputs: Sequence[Expr], outputs: Sequence[Expr], names: dict[Expr, str] | None = None) -> str:
    """The source of `function name(inputs…)`, which returns the output, or an array of several.

    `names` are the user's names of intermediate values. Functions that the source calls besides Math are given by
    `helpers`. Raises UnsupportedError for a graph with arrays, InputError for a name that JavaScript keeps for itself.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> print(javascript("f", [x], [x**2 / (x + 1)]), end="")
    function f(x) {
      "use strict";
      return x * x / (x + 1);
    }
    """
    nodes = expand(outputs)
    order = toposort(nodes)
    _check(order, inputs)
    writer = _writer(name, order, inputs)
    writer.names = _expanded_names(names or {})
    _write(writer, order, nodes)
    results = [operand(writer, node, 0) for node in nodes]
    result = results[0] if len(results) == 1 else f"[{', '.join(results)}]"
    parameters = ", ".join(writer.source[node][0] for node in inputs)
    body = ['"use strict";', *writer.lines, f"return {result};"]
    return "\n".join([f"function {name}({parameters}) {{", *[f"  {line}" for line in body], "}"]) + "\n"


def _expanded_names(names: dict[Expr, str]) -> dict[Expr, str]:
    """The user's names, for the nodes that stand in the expanded graph."""
    return dict(zip(expand(list(names)), names.values())) if names else {}


def _check(order: Sequence[Expr], inputs: Sequence[Expr]) -> None:
    """Is every value one number, and every operation one that JavaScript has?"""
    for node in [*inputs, *order]:
        if node.shape != ():
            what = f"the input {node.name!r}" if node.op is INPUT else f"a value of {node.op.name}"
            raise UnsupportedError(
                f"{what} is an array of shape {node.shape}; JavaScript is written for numbers only; "
                "write the formula for its entries"
            )
        if not is_leaf(node) and node.op.javascript is None:
            raise UnsupportedError(f"{node.op.name} has no JavaScript form in the table; use the Python source instead")


def _writer(name: str, order: Sequence[Expr], inputs: Sequence[Expr]) -> Writer:
    called = {helper for node in order for helper in _called(_probe(node))}
    if identifier(name) != name or name in RESERVED or name in called:
        raise InputError(f"got {name!r} as the name of a JavaScript function; it is no free name there; choose another")
    writer = Writer(Dialect(lambda op: op.javascript, literal, "const {0} = {1};", RESERVED | called))
    writer.taken.add(name)
    for node in inputs:
        writer.source[node] = (writer.fresh(node.name or "x"), ATOM)
    for node in order:
        if is_leaf(node) and node not in writer.source:
            _leaf(writer, node)
    return writer


def _probe(node: Expr) -> str:
    """The text of a row's template, to see which functions it calls."""
    template: Any = node.op.javascript
    return str(template(node.params, *["x"] * len(node.args)) if callable(template) else template or "")


def _leaf(writer: Writer, node: Expr) -> None:
    """A constant, or an input that is no parameter and so has the value that it was traced with."""
    value = node.value if node.op is CONST else node.params[0].value
    if value is None:
        raise InputError(f"the formula uses {node.name!r}, no input of it and without a value; add it there")
    if node.op is INPUT or node.params[0] is Data:
        text = literal(value if type(value) in (int, bool) else float(value))
        writer.source[node] = (text, 4 if text.startswith("-") else ATOM)


def _write(writer: Writer, order: Sequence[Expr], outputs: Sequence[Expr]) -> None:
    uses = use_counts(order, outputs)
    inner = [node for node in order if not is_leaf(node)]
    repeated = {arg for node in inner if repeats(node.op.javascript) for arg in node.args}
    for node in inner:
        text, precedence = apply_template(writer, node.op.javascript, node.params, node.args)
        if uses[node] == 1 and node not in writer.names and node not in repeated and len(text) <= LINE:
            writer.source[node] = (text, precedence)
        else:
            variable = writer.fresh(writer.names.get(node) or "t")
            writer.source[node] = (variable, ATOM)
            writer.lines.append(writer.dialect.statement.format(variable, text))


# ---------------------------------------------------------------- helpers


@functools.cache
def _library() -> dict[str, str]:
    """The functions of helpers.js by name, each with the comment above it."""
    text = files("tangently.codegen").joinpath("helpers.js").read_text(encoding="utf-8")
    found = re.finditer(r"^((?://[^\n]*\n)*)function (\w+)\(.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    return {match[2]: match[0].lstrip("\n") for match in found}


@functools.lru_cache(1024)
def _called(source: str) -> list[str]:
    return [name for name in _library() if re.search(rf"(?<![\w.$]){name}\(", source)]


def helpers(source: str) -> str:
    """The helper functions that this source calls, and those that they call, in the order of the file.

    >>> "function erfc(" in helpers("function f(x) { return erfc(x); }")
    True
    >>> helpers("function f(x) { return Math.exp(x); }")
    ''
    """
    wanted: set[str] = set()
    new = set(_called(source))
    while new:
        wanted |= new
        new = {name for known in new for name in _called(_library()[known])} - wanted
    return "\n".join(text for name, text in _library().items() if name in wanted)


__all__ = ["helpers", "javascript", "literal"]
