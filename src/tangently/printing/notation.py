"""From an expression to a tree of mathematical layout, by reading the field `shown` of each row.

The notation of a row is a nested tuple in a small grammar: an integer is an operand, a string is a literal, and the
head names a form. A form knows nothing about operations; an operation knows nothing about printers.

    ("sum", (a, +1), (b, -1))    ("product", a, b)      ("hadamard", a, b)     ("matmul", a, b)      ("frac", a, b)
    ("sup", a, n)                ("sub", a, n)          ("sqrt", a)            ("root", a, n)        ("transpose", a)
    ("fn", name, a, …)           ("apply", name, a, …)  ("fence", "|", a, "|") ("index", a, "0, 1:") ("row", a, …)
    ("relation", "≤", a, b)      ("cases", (value, condition or None), …)      ("big", "∑", below or None, body)
    ("matrix", ((a, b), …))      ("array", a, …)        ("einsum", "ij,jk->ik", a, …)
    ("indexed", "J", "besselj", n, a, …) is J₁(a), and ("nth", "ζ", name, n, a) is ζ⁽ⁿ⁾(a): in Python, name(n, a).
    ("word", "γ", name) is a constant and its name in Python.

A row with a function as notation is asked with its node; a row without one prints as a call of its name.

An expression is a graph, and written out it may be exponentially longer. So the tree is opened breadth first, from
the outside in, until a budget of places is spent; what lies deeper prints as "…". Then the places are built in
reverse order, operands before what uses them. Nothing recurses, and the work is linear in the budget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tangently.expr import CONST, INPUT, Expr
from tangently.printing.names import GREEK, WORDS, array, is_single, listed, name, number
from tangently.printing.nodes import (
    ATOM,
    ELLIPSIS,
    POWER,
    PRODUCT,
    RELATION,
    SUM,
    Accent,
    Alias,
    Atom,
    Call,
    Fence,
    Frac,
    Grid,
    Layout,
    Relation,
    Root,
    Row,
    Script,
    big,
    call,
    cases,
    closed,
    core,
    fenced,
    fraction,
    hadamard,
    matmul,
    power,
    product,
    relation,
    subscript,
    sum_of,
)

Notation = Literal["leibniz", "lagrange", "newton", "euler"]
BUDGET = 4000  # places of the tree: far beyond what a person reads, small enough to print at once
DEPTH = 100  # changes of notation on the way down: browsers and TeX give up on deeper nesting
_CHAINS = frozenset({"sum", "product", "hadamard", "matmul"})  # nested in one another, these stay flat
_SIMPLE_INDEX = re.compile(r"(\d+|[a-z])(, (\d+|[a-z]))*")

# ---------------------------------------------------------------- opening the graph


@dataclass(slots=True)
class Place:
    """An occurrence of a node in the tree: its notation, and the places of the operands that this refers to."""

    node: Expr
    depth: int = 0
    leaf: Layout | None = None
    spec: Any = None
    operands: list[int] = field(default_factory=list)


def tree(
    expr: Expr,
    names: Mapping[Expr, str] | None = None,
    *,
    top: bool = True,
    digits: int = 4,
    budget: int = BUDGET,
) -> Layout:
    """The layout of an expression. Nodes in `names` print as their name; with `top` the expression itself does not.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text
    >>> x = symbol("x")
    >>> h = x**2 + 1
    >>> to_text(tree(h**3 - h, {h: "h"})), to_text(tree(h, {h: "h"})), to_text(tree(h, {h: "h"}, top=False))
    ('h³ − h', 'x² + 1', 'h')
    """
    places = _opened(expr, names or {}, top, digits, budget)
    built: list[Layout] = [ELLIPSIS] * len(places)
    for k in range(len(places) - 1, -1, -1):
        place = places[k]
        operands = iter([built[j] for j in place.operands])
        built[k] = place.leaf or _set(place.spec, place.node, operands)
    return built[0]


def _opened(root: Expr, names: Mapping[Expr, str], top: bool, digits: int, budget: int) -> list[Place]:
    places = [Place(root)]
    for k, place in enumerate(places):  # the list grows while it is read: breadth first
        place.leaf = _leaf(place.node, names if k or not top else {}, digits)
        if place.leaf is None:
            _open(place, places, budget)
    return places


def _open(place: Place, places: list[Place], budget: int) -> None:
    node, shown = place.node, place.node.op.shown
    spec = shown(node) if callable(shown) else shown
    place.spec = ("fn", node.op.name, *range(len(node.args))) if spec is None else spec
    used = list(_references(place.spec))
    if place.depth > DEPTH or len(places) + len(used) > budget:
        place.leaf = ELLIPSIS
        return
    for form, i in used:
        place.operands.append(len(places))
        places.append(Place(node.args[i], place.depth + (form not in _CHAINS)))


def _leaf(node: Expr, names: Mapping[Expr, str], digits: int) -> Layout | None:
    if node in names:
        return name(names[node])
    if node.op is INPUT:
        return name(node.params[0].name)
    if node.op is CONST:
        value = node.value
        return array(value, digits) if hasattr(value, "shape") else number(value, digits)
    return None


def _references(spec: Any, form: str = "") -> Iterator[tuple[str, int]]:
    """The operands in a notation, in order, each with the form that it stands in."""
    if type(spec) is int:
        yield form, spec
    elif type(spec) is tuple:
        for child in _children(spec):
            yield from _references(child, spec[0])


def _children(spec: tuple[Any, ...]) -> Sequence[Any]:
    """The notations inside a notation (not signs, not data)."""
    head, *rest = spec
    if head == "sum":
        return [term for term, _sign in rest]
    if head == "cases":
        return [part for row in rest for part in row]
    return [cell for row in rest[0] for cell in row] if head == "matrix" else rest


# ---------------------------------------------------------------- setting one notation


def _set(spec: Any, node: Expr, operands: Iterator[Layout], role: str = "text") -> Layout:
    """The layout of one row's notation; `operands` come in the order of `_references`."""
    if type(spec) is int:
        return next(operands)
    if type(spec) is str:
        return literal(spec, role)
    head, rest = spec[0], spec[1:]
    if head in _NAMED:
        role = "function"
    parts = [None if c is None else _set(c, node, operands, role if k == 0 else "text") for k, c in _numbered(spec)]
    return FORMS[head](rest, node, *parts)


def _numbered(spec: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
    """The children, where a row of words is a name throughout."""
    for k, child in enumerate(_children(spec)):
        yield (0 if spec[0] == "row" else k), child


def literal(text: str, role: str = "text") -> Layout:
    """A literal of a notation: a number, a constant (e, π), a name of a function, a letter, a symbol or text."""
    if text.lstrip("-").isdigit():
        return number(int(text))
    if role == "function":
        return Atom(GREEK.get(text, text.strip()), "function")
    if text in WORDS:
        return WORDS[text]
    if is_single(text) and (text.isalpha() or text in GREEK):
        return Atom(GREEK.get(text, text))
    return Atom(text, "operator" if len(text) == 1 and text not in ",;" else "text")


def _is_array(spec: Any, node: Expr) -> bool:
    """Does this notation stand for an array? A scalar that was only spread out still reads as a scalar."""
    if type(spec) is tuple:
        return any(_is_array(child, node) for child in _children(spec))
    if type(spec) is not int:
        return False
    operand = node.args[spec]
    while type(operand.op.shown) is int:
        operand = operand.args[operand.op.shown]
    return operand.shape != ()


def _product(specs: Any, node: Expr, *parts: Layout) -> Layout:
    """Scalars are juxtaposed; from the second array on, factors multiply entry by entry."""
    arrays = [_is_array(spec, node) for spec in specs]
    if sum(arrays) < 2:
        return product(*parts)
    first = arrays.index(True)
    return hadamard(product(*parts[: first + 1]), *parts[first + 1 :])


def _index(specs: Any, node: Expr, base: Layout, _key: Layout) -> Layout:
    """x₀ for a plain index of a plain name, x[1:] else."""
    key, inner = specs[1], core(base)
    if _SIMPLE_INDEX.fullmatch(key) and not (type(inner) is Script or type(inner) is Row):
        return subscript(base, listed([Atom(k, "number" if k.isdigit() else "variable") for k in key.split(", ")]))
    return Row((closed(base, ATOM), Fence("[", Atom(key.replace("-", "−"), "text"), "]")))


def _einsum(specs: Any, node: Expr, _spec: Layout, *args: Layout) -> Layout:
    """Index notation, summed over what the output lacks: ∑ⱼ Aᵢⱼ Bⱼₖ."""
    inputs, output = specs[0].split("->")
    factors = [_indexed(arg, letters) for arg, letters in zip(args, inputs.split(","))]
    summed = dict.fromkeys(c for c in inputs if c not in output and c != ",")
    body = product(*factors)
    code = call(Atom("einsum", "function"), Atom(repr(specs[0]), "code"), *args)
    below = Row(tuple(Atom(c) for c in summed)) if len(summed) > 1 else Atom("".join(summed))
    return Alias(big("∑", below, body) if summed else body, code)


def _primed(letter: Layout, node: Expr, n: Layout) -> Layout:
    """ζ′, ζ″, ζ‴, ζ⁽⁴⁾."""
    order = node.args[0].value
    prime = type(order) is int and 1 <= order <= 3
    return Script(letter, None, Atom("′″‴"[order - 1], "operator") if prime else fenced(n))


def _of_order(shown: Layout, name: str, order: Layout, *args: Layout) -> Layout:
    """A function with its order at its letter; in Python the order is the first argument."""
    return Alias(call(shown, *args), call(Atom(name, "function"), order, *args))


def _indexed(arg: Layout, letters: str) -> Layout:
    if not letters:
        return arg
    below = Atom(letters) if len(letters) == 1 else Row(tuple(Atom(c) for c in letters))
    return Script(closed(arg, ATOM) if type(core(arg)) is not Script else fenced(arg), below)


def _row(specs: Any, node: Expr, *parts: Layout) -> Layout:
    gap = " " if any(type(s) is str and s.startswith(" ") for s in specs) else ""
    return Row(tuple(closed(p, SUM) for p in parts), gap, RELATION if len(parts) > 1 else ATOM)


FORMS: dict[str, Callable[..., Layout]] = {
    "sum": lambda specs, node, *parts: sum_of(*zip(parts, [sign for _, sign in specs])),
    "product": _product,
    "hadamard": _product,
    "matmul": lambda specs, node, *parts: matmul(*parts),
    "frac": lambda specs, node, over, under: fraction(over, under),
    "sup": lambda specs, node, base, exponent: power(base, exponent),
    "sub": lambda specs, node, base, below: subscript(base, below),
    "sqrt": lambda specs, node, body: Root(body),
    "root": lambda specs, node, body, degree: Root(body, degree),
    "transpose": lambda specs, node, body: power(body, Atom("⊤", "operator")),
    "fn": lambda specs, node, head, *args: call(head, *args),
    "apply": lambda specs, node, head, *args: Call(head, args),
    "fence": lambda specs, node, left, body, right: Fence(specs[0], body, specs[2]),
    "index": _index,
    "row": _row,
    "relation": lambda specs, node, symbol, left, right: relation(left, specs[0], right),
    "cases": lambda specs, node, *parts: cases(*zip(parts[::2], parts[1::2])),
    "big": lambda specs, node, symbol, below, body: big(specs[0], below, body),
    "matrix": lambda specs, node, *cells: Grid(_rows(cells, len(specs[0][0]))),
    "array": lambda specs, node, *cells: Grid(_rows(cells, 1)),
    "einsum": _einsum,
    "indexed": lambda specs, node, letter, _name, n, *args: _of_order(subscript(letter, n), specs[1], n, *args),
    "word": lambda specs, node, letter, _name: Alias(letter, Atom(specs[1], "code")),
    "nth": lambda specs, node, letter, _name, n, *args: _of_order(_primed(letter, node, n), specs[1], n, *args),
}
_NAMED = frozenset({"fn", "apply"})


def _rows(cells: Sequence[Layout], width: int) -> tuple[tuple[Layout, ...], ...]:
    return tuple(tuple(cells[k : k + width]) for k in range(0, len(cells), width))


# ---------------------------------------------------------------- equations and derivatives


def equation(left: Layout, right: Layout, symbol: str = "=") -> Layout:
    """left = right; a relation on the left is continued: a = b = c.

    >>> from tangently.printing import to_text
    >>> to_text(equation(equation(name("a"), name("b")), number(2), "≤"))
    'a = b ≤ 2'
    """
    if type(left) is Relation:
        return Relation((*left.sides, right), (*left.symbols, symbol))
    return Relation((left, right), (symbol,))


def words(text: str) -> Layout:
    """Plain text inside a formula."""
    return Atom(text, "text")


def derivative_symbol(
    function: str,
    variable: str | Sequence[str] = "x",
    order: int = 1,
    notation: Notation = "leibniz",
    partial: bool = False,
    of: Layout | None = None,
) -> Layout:
    """The derivative of `function` as a symbol, in one of the four notations; `of` puts a formula in its place.

    Several variables make a mixed partial derivative; no variable at all makes a gradient, ∇f.

    >>> from tangently.printing import to_text
    >>> [to_text(derivative_symbol("f", "x", n, how)) for n in (1, 2) for how in ("leibniz", "lagrange", "euler")]
    ['df/dx', 'f′(x)', 'Dₓ f', 'd²f/dx²', 'f″(x)', 'Dₓ² f']
    >>> to_text(derivative_symbol("f", ("x", "y"))), to_text(derivative_symbol("f", "")), to_text(
    ...     derivative_symbol("x", "t", notation="newton"))
    ('∂²f/∂x∂y', '∇f', 'ẋ')
    """
    variables = [variable] * order if isinstance(variable, str) else list(variable)
    body = name(function) if of is None else of
    if not variables[0]:
        return _nabla(body, order)
    return _DERIVATIVES[notation](body, variables, partial or len(set(variables)) > 1, of is not None)


def _nabla(body: Layout, order: int) -> Layout:
    return Row((_raised(Atom("∇", "operator"), order), closed(body, POWER)))


def _raised(base: Layout, order: int) -> Layout:
    return base if order == 1 else Script(base, None, Atom(str(order), "number"))


def _leibniz(body: Layout, variables: list[str], partial: bool, formula: bool) -> Layout:
    d = Atom("∂" if partial else "d")
    runs = {v: variables.count(v) for v in variables}
    under = Row(tuple(x for v, n in runs.items() for x in (d, _raised(name(v), n))))
    over = _raised(d, len(variables))
    if formula:
        return Row((Frac(over, under), closed(body, ATOM)), gap=" ", level=PRODUCT)
    return Frac(Row((over, body)), under)


def _lagrange(body: Layout, variables: list[str], partial: bool, formula: bool) -> Layout:
    base = fenced(body) if formula else body
    if partial:
        below = listed([name(v) for v in variables]) if len(variables) == 1 else Row(tuple(map(name, variables)))
        return Script(base if type(core(base)) is not Script else fenced(base), below)
    n = len(variables)
    mark = Atom("′″‴"[n - 1], "operator") if n <= 3 else fenced(Atom(str(n), "number"))
    raised = Script(base, None, mark)
    return raised if formula else Call(raised, (name(variables[0]),))


def _newton(body: Layout, variables: list[str], partial: bool, formula: bool) -> Layout:
    n = len(variables)
    if n > 4 or partial or formula:
        return _euler(body, variables, partial, formula)
    return Accent(body, ("dot", "ddot", "dddot", "ddddot")[n - 1])


def _euler(body: Layout, variables: list[str], partial: bool, formula: bool) -> Layout:
    d, n = Atom("∂" if partial else "D"), len(variables)
    below = Row(tuple(map(name, variables))) if len(set(variables)) > 1 else name(variables[0])
    raised = Script(d, below, Atom(str(n), "number") if n > 1 and len(set(variables)) == 1 else None)
    return Row((raised, closed(body, ATOM)), gap=" ", level=PRODUCT)


_DERIVATIVES: dict[str, Callable[[Layout, list[str], bool, bool], Layout]] = {
    "leibniz": _leibniz,
    "lagrange": _lagrange,
    "newton": _newton,
    "euler": _euler,
}
