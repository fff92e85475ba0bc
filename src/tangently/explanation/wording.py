"""What the explanations share: places for what is not known yet, names, numbers, and derivative symbols.

A *place* is a leaf that stands for something: an operand while a rule is written down, a derivative that is still to be
found. A formula with places is printed like any other; `filled` then puts a symbol such as d/dx x², or the derivative
once it is known, where the place was, with the parentheses and the dot that a reader needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import reduce
from typing import Any

import numpy as np

from tangently.expr import CONST, INPUT, Expr, Primitive, Rule, Shape, const, constant_value, make, raw, toposort
from tangently.printing import Layout, equation, fraction, sum_of, to_text, tree
from tangently.printing.names import number
from tangently.printing.nodes import (
    ATOM,
    DOT,
    PRODUCT,
    Accent,
    Alias,
    Atom,
    Big,
    Call,
    Cases,
    Fence,
    Frac,
    Grid,
    Product,
    Relation,
    Root,
    Row,
    Script,
    Sum,
    closed,
    fenced,
    fold,
)

READABLE = 70  # places of the tree: a longer formula is not written out in the middle of an explanation
DIGITS = 6


# ---------------------------------------------------------------- places


def _never(*_args: Any) -> Any:
    raise AssertionError("a place has no value: it is filled before anything is computed")


PLACE = Primitive(name="place", kind="leaf", arity=0, evaluate=_never, infer=_never, shown=lambda node: node.params[0])
_MARK = "\ue000"  # a character that no formula contains


def place(key: str, like: Expr) -> Expr:
    """A leaf that stands for something of the same shape as `like`."""
    return make(PLACE, (), (_MARK + key, like.shape, like.dtype), like.shape, like.dtype)


def filled(layout: Layout, parts: Mapping[str, Layout]) -> Layout:
    """The layout with its places filled.

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text, tree
    >>> x = symbol("x")
    >>> to_text(filled(tree(x**2 * place("0", x)), {"0": tree(2 * x + 1)}))
    'x²·(2x + 1)'
    """
    marked = {_MARK + key: part for key, part in parts.items()}
    return fold(layout, {**_REBUILD, Atom: lambda node: marked.get(node.text, node)})


def _is_place(node: Layout) -> bool:
    return type(node) is Atom and node.text.startswith(_MARK)


def _refill_product(node: Product, *factors: Layout) -> Layout:
    """A filled factor stands apart by a dot; one that would swallow what follows gets parentheses."""
    filled_at = [_is_place(old) and old is not new for old, new in zip(node.factors, factors)]
    last = len(factors) - 1
    pieces = [_factor(new, k < last) if at else new for k, (new, at) in enumerate(zip(factors, filled_at))]
    joints = [DOT if filled_at[k] or filled_at[k + 1] else joint for k, joint in enumerate(node.joints)]
    return Product(tuple(pieces), tuple(joints), node.kind)


def _factor(node: Layout, followed: bool) -> Layout:
    return fenced(node) if followed and type(node) is Row else closed(node, PRODUCT)


def _rebuilt(node: Layout, *parts: Layout | None) -> Layout:
    new = {id(old): part for old, part in zip(node.parts, parts) if old is not None}

    def swapped(value: Any) -> Any:
        return tuple(map(swapped, value)) if type(value) is tuple else new.get(id(value), value)

    return replace(node, **{f.name: swapped(getattr(node, f.name)) for f in fields(node)})  # type: ignore[type-var]


def _refill_script(node: Script, base: Layout, sub: Layout | None, sup: Layout | None) -> Layout:
    return Script(closed(base, ATOM), sub, sup)


_REBUILD: dict[type, Any] = {
    **dict.fromkeys((Alias, Root, Call, Fence, Relation, Grid, Cases, Big, Accent, Row), _rebuilt),
    Product: _refill_product,
    Sum: lambda node, *terms: sum_of(*zip(terms, node.signs)),
    Frac: lambda node, over, under: fraction(over, under),
    Script: _refill_script,
}


# ---------------------------------------------------------------- rules


def rule_for(op: Primitive, varied: Sequence[bool]) -> Rule:
    """The rule of a row for these varying operands: the one that asks for just them, else the one that asks nothing."""
    for rule in op.rules:
        if rule.when == tuple(varied):
            return rule
    general = [rule for rule in op.rules if rule.when is None]
    return general[0] if general else (op.rules[0] if op.rules else Rule(f"derivative of {op.name}", ""))


def signed_operands(node: Expr) -> tuple[tuple[Expr, int], ...] | None:
    """The terms of a sum, with signs: read off the notation of the row. None for any other node."""
    shown = node.op.shown
    if type(shown) is not tuple or shown[0] != "sum" or node.shape != ():
        return None
    if any(type(term) is not int for term, _ in shown[1:]):
        return None
    return tuple((node.args[term], sign) for term, sign in shown[1:])


# ---------------------------------------------------------------- names


def display_names(order: Sequence[Expr], names: Mapping[Expr, str]) -> dict[Expr, str]:
    """One name for one node: a name that the source uses again and again is numbered, h₁, h₂, …"""
    named = [n for n in order if n in names and n.op is not INPUT and n.op is not CONST]
    taken = Counter(str(n.params[0]) for n in order if n.op is INPUT) + Counter(names[n] for n in named)
    seen: Counter[str] = Counter()
    found: dict[Expr, str] = {}
    for node in named:
        text = names[node]
        seen[text] += 1
        found[node] = text if taken[text] == 1 else f"{text}_{seen[text]}"
    return found


def places_of(expr: Expr, names: Mapping[Expr, str], limit: int, *, top: bool = True) -> int:
    """How many places the written expression has, counted up to the limit."""
    waiting, count = [expr], 0
    while waiting and count <= limit:
        node = waiting.pop()
        count += 1
        if node not in names or (top and node is expr and count == 1):
            waiting.extend(node.args)
    return count


def is_readable(expr: Expr, names: Mapping[Expr, str], limit: int = READABLE) -> bool:
    return places_of(expr, names, limit) <= limit


def abbreviated(order: Sequence[Expr], names: dict[Expr, str], keep: Iterable[Expr], size: int = 16) -> dict[Expr, str]:
    """More names, u₁, u₂, …, so that no formula of a long graph has many more places than `size`."""
    kept, found = set(keep), dict(names)
    taken = {*names.values(), *(str(n.params[0]) for n in order if n.op is INPUT)}
    letter = next(c for c in "uvwzpqrst" if not any(name.startswith(c) for name in taken))
    places: dict[Expr, int] = {}
    for node in order:
        total = 1 + sum(places[a] for a in node.args)
        if node in found:
            total = 1
        elif total > size and node not in kept:
            found[node], total = f"{letter}_{len(found) - len(names) + 1}", 1
        places[node] = total
    return found


# ---------------------------------------------------------------- numbers


def known_values(order: Sequence[Expr], values: Mapping[Expr, Any] | None) -> dict[Expr, Any] | None:
    """The value of every node at the point, or None where the point does not say enough."""
    if values is None:
        return None
    known: dict[Expr, Any] = {}
    with np.errstate(all="ignore"):
        for node in order:
            value = values[node] if node in values else _value(node, known)
            if value is None:
                return None
            known[node] = value
    return known


def _value(node: Expr, known: dict[Expr, Any]) -> Any:
    if node.op is INPUT:
        return node.params[0].value
    if node.op is CONST:
        return constant_value(node)
    return node.op(*[known[a] for a in node.args], params=node.params)


def put_in(expr: Expr, values: Mapping[Expr, Any]) -> Expr:
    """The expression with numbers in place of its inputs, and nothing computed yet."""
    done: dict[Expr, Expr] = {n: const(_plain(v)) for n, v in values.items() if n.op is INPUT and n.shape == ()}
    for node in toposort([expr], stop=lambda n: n in done):
        if node not in done:
            args = tuple(done[a] for a in node.args)
            done[node] = node if args == node.args else raw(node.op, args, node.params)
    return done[expr]


def _plain(value: Any) -> float | int:
    number_ = value if type(value) in (int, float) else float(value)
    return int(number_) if type(number_) is float and number_.is_integer() and abs(number_) < 1e6 else number_


def number_text(value: Any) -> str:
    """A number, the entries of a small array, or the shape and size of a large one.

    >>> number_text(12.0), number_text(np.array([1.0, 0.5])), number_text(np.ones((3, 3)))
    ('12', '[1, 0.5]', 'shape (3, 3), norm 3')
    """
    array = np.asarray(value)
    if array.shape == ():
        return to_text(number(float(array), DIGITS))
    if array.size <= 6:
        return to_text(tree(const(array.astype(float)), digits=DIGITS))
    return f"shape {array.shape}, norm {to_text(number(float(np.linalg.norm(array)), DIGITS))}"


def shape_text(shape: Shape) -> str:
    return "a number" if shape == () else f"shape {shape}"


# ---------------------------------------------------------------- lines


def chained(*sides: Layout) -> Layout:
    """a = b = c, where a side that reads like the one before is left out."""
    kept = [side for k, side in enumerate(sides) if k == 0 or to_text(side) != to_text(sides[k - 1])]
    return reduce(equation, kept)
