"""What the explanations share: places for what is not known yet, names, numbers, and derivative symbols.

A *place* is a leaf that stands for something: an operand while a rule is written down, a derivative that is still to be
found. A formula with places is printed like any other; `filled` then puts a symbol such as d/dx x², or the derivative
once it is known, where the place was, with the parentheses and the dot that a reader needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, replace
from functools import reduce
from typing import Any

import numpy as np

from tangently.expr import CONST, INPUT, Expr, Primitive, Rule, const, constant_value, make, raw, toposort
from tangently.printing import Layout, equation, fraction, product, sum_of, to_text, tree
from tangently.printing.names import number
from tangently.printing.nodes import (
    ATOM,
    CALL,
    PRODUCT,
    TIGHT,
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


def filled(layout: Layout, parts: Mapping[str, Layout], plain: Iterable[str] = ()) -> Layout:
    """The layout with its places filled. What is put in stands apart by a dot, except where it is `plain` (a letter).

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text, tree
    >>> x = symbol("x")
    >>> to_text(filled(tree(x**2 * place("0", x)), {"0": tree(2 * x + 1)}))
    'x² · (2x + 1)'
    """
    marked = {_MARK + key: part for key, part in parts.items()}
    apart = marked.keys() - {_MARK + key for key in plain}
    refill = lambda node, *factors: _refill_product(node, factors, apart)
    rules: dict[type, Any] = {**_REBUILD, Product: refill, Atom: lambda node: marked.get(node.text, node)}
    return fold(layout, rules)


def _refill_product(node: Product, factors: Sequence[Layout], apart: Set[str]) -> Layout:
    """A filled factor stands apart by a dot; one that would swallow what follows gets parentheses."""
    if node.kind:
        return Product(tuple(closed(f, TIGHT + 1) for f in factors), node.joints, node.kind)
    pieces: list[Layout] = []
    run: list[Layout] = []
    for k, (old, new) in enumerate(zip(node.factors, factors)):
        if type(old) is Atom and old.text in apart:
            pieces += [*_run(run), _factor(new, k + 1 < len(factors))]
            run = []
        else:
            run.append(new)
    pieces += _run(run)
    dotted = [x for piece in pieces for x in (Atom("·", "operator"), piece)][1:]
    return Row(tuple(dotted), " ", PRODUCT) if len(dotted) > 1 else pieces[0]


def _run(run: Sequence[Layout]) -> list[Layout]:
    """Neighboring factors that stay as they were."""
    return [closed(factor, PRODUCT) for factor in run] if len(run) < 2 else [product(*run)]


def _factor(node: Layout, followed: bool) -> Layout:
    if type(node) is Row:
        return fenced(node) if followed else node
    return closed(node, PRODUCT)


def operand(layout: Layout) -> Layout:
    """What stands after d/dx: a power or a function needs no parentheses there."""
    return Row((layout,)) if layout.level >= CALL else layout


def operator(symbol: Layout) -> Layout:
    """A derivative written d/dx (…), which binds more weakly than a factor does: (d/dx x²)/3."""
    return Row((symbol,), "", TIGHT) if type(symbol) is Row else symbol


def _rebuilt(node: Layout, *parts: Layout | None) -> Layout:
    new = {id(old): part for old, part in zip(node.parts, parts) if old is not None}

    def swapped(value: Any) -> Any:
        return tuple(map(swapped, value)) if type(value) is tuple else new.get(id(value), value)

    return replace(node, **{f.name: swapped(getattr(node, f.name)) for f in fields(node)})  # type: ignore[type-var]


def _refill_script(node: Script, base: Layout, sub: Layout | None, sup: Layout | None) -> Layout:
    return Script(closed(base, ATOM), sub, sup)


_REBUILD: dict[type, Any] = {
    **dict.fromkeys((Alias, Root, Call, Fence, Relation, Grid, Cases, Big, Accent, Row), _rebuilt),
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
    named = [n for n in order if n in names and n.op is not INPUT and (n.op is not CONST or n.shape)]
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
    """A number, the entries of a small array, or the norm of a large one.

    >>> number_text(12.0), number_text(np.array([1.0, 0.5])), number_text(np.ones((3, 3)))
    ('12', '[1, 0.5]', 'norm 3')
    """
    array = np.asarray(value)
    if array.shape == ():
        return to_text(number(float(array), DIGITS))
    if array.size <= 6:
        return to_text(tree(const(array.astype(float))))
    return f"norm {to_text(number(float(np.linalg.norm(array)), DIGITS))}"


# ---------------------------------------------------------------- lines


def chained(*sides: Layout) -> Layout:
    """a = b = c, where a side that reads like the one before is left out."""
    kept = [side for k, side in enumerate(sides) if k == 0 or to_text(side) != to_text(sides[k - 1])]
    return reduce(equation, kept)
