"""The reverse sweep, told step by step: for gradients of functions of arrays.

From the output back to the inputs, each node receives its cotangent, ∂f/∂z, and by the rule of its row hands a
contribution to each operand: for z = X Wᵀ, ∂f/∂W = (∂f/∂z)ᵀ X. An operand with several users adds the contributions
up. The formula of a contribution is the row's `vjp` applied to a place that stands for ∂f/∂z; the contribution itself
is the same rule applied to the cotangent that arrived, so formula and number can't disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tangently.differentiation import rule_missing
from tangently.explanation.wording import (
    chained,
    display_names,
    filled,
    known_values,
    number_text,
    place,
    rule_for,
)
from tangently.expr import CONST, INPUT, Expr, Shape, build, const, depends, evaluate, raw, toposort
from tangently.primitives import TABLE
from tangently.primitives.kinds import broadcast_to
from tangently.printing import Layout, derivative_symbol, equation, name, to_latex, to_mathml, to_text, tree
from tangently.simplification import simplify


@dataclass(frozen=True, eq=False)
class Contribution:
    """What a node hands to one operand: `expr` in the graph, `layout` as an equation, `numbers` at the point."""

    operand: Expr
    name: str
    expr: Expr
    layout: Layout = field(repr=False)
    total: bool
    shape: Shape
    note: str = ""
    numbers: str | None = None
    value: Any = field(default=None, repr=False)

    @cached_property
    def text(self) -> str:
        return to_text(self.layout)

    @cached_property
    def latex(self) -> str:
        return to_latex(self.layout)

    @cached_property
    def mathml(self) -> str:
        return to_mathml(self.layout)

    def __str__(self) -> str:
        shape = f"shape {self.shape}" if self.shape else ""
        described = ", ".join(part for part in (self.text, self.note, shape) if part)
        return f"{described}: {self.numbers}" if self.numbers else described


@dataclass(frozen=True, eq=False)
class BackStep:
    """A node on the way back: its rule, the cotangent that arrived, and what it hands on."""

    node: Expr
    name: str
    rule: str
    law: str
    definition: Layout = field(repr=False)
    symbol: Layout = field(repr=False)
    arriving: Expr
    contributions: tuple[Contribution, ...]
    numbers: str | None = None
    value: Any = field(default=None, repr=False)

    @cached_property
    def text(self) -> str:
        """The contributions in one line."""
        return "; ".join(c.text for c in self.contributions)

    def __str__(self) -> str:
        arrived = f"{to_text(self.symbol)} has arrived" + (f": {self.numbers}" if self.numbers else "")
        head = f"{to_text(self.definition)}   {self.rule}; {arrived}"
        return "\n".join([head, *[f"  {c}" for c in self.contributions]])


@dataclass(slots=True)
class Walk:
    """What is known during one walk."""

    label: str
    names: dict[Expr, str]
    reached: set[Expr]
    known: dict[Expr, Any] | None
    waiting: dict[Expr, int]
    totals: dict[Expr, Expr] = field(default_factory=dict)


def backward_walk(
    outputs: Sequence[Expr],
    wrt: Sequence[Expr],
    names: Mapping[Expr, str] | None = None,
    values: Mapping[Expr, Any] | None = None,
) -> tuple[BackStep, ...]:
    """The reverse sweep from the outputs to `wrt`, one step for each node that passes a gradient on.

    The output is one number; several outputs, or an array, are summed.

    >>> import numpy as np
    >>> from tangently.expr import symbol
    >>> from tangently.primitives.tensor import matmul, sum_of, transpose
    >>> X, W = symbol("X", (2, 3)), symbol("W", (4, 3))
    >>> z = matmul(X, transpose(W))
    >>> for step in backward_walk([sum_of(z**2)], [W], {z: "z"}):
    ...     print(step)
    f = ∑ v₁   linear map; ∂f/∂f has arrived
      ∂f/∂v₁ = ∂f/∂f, in every entry, shape (2, 4)
    v₁ = z²   power rule; ∂f/∂v₁ has arrived
      ∂f/∂z = ∂f/∂v₁ ⊙ 2z, shape (2, 4)
    z = X Wᵀ   linear map; ∂f/∂z has arrived
      ∂f/∂W = (∂f/∂z)ᵀ X, shape (4, 3)
    """
    outputs, names, values = _tidied(outputs, names or {}, values)
    order = toposort(outputs)
    walk = _started(outputs, order, wrt, names, values)
    inner = (node for node in reversed(order) if node.op is not INPUT and node.op is not CONST)
    steps = (_step(walk, node) for node in inner if node in walk.totals)  # each adds to totals that later ones read
    return tuple(step for step in steps if step.contributions)


def _tidied(
    outputs: Sequence[Expr], names: Mapping[Expr, str], values: Mapping[Expr, Any] | None
) -> tuple[list[Expr], dict[Expr, str], dict[Expr, Any] | None]:
    """The same graph after the rows' local identities: X @ W.T is one product then, not a transpose and a product."""
    done: dict[Expr, Expr] = {}
    for node in toposort(outputs):
        done[node] = _rebuilt(node, tuple(done[a] for a in node.args)) if node.args else node
    known = None if values is None else {done.get(n, n): v for n, v in values.items()}
    return [done[y] for y in outputs], {done[n]: text for n, text in names.items() if n in done}, known


def _rebuilt(node: Expr, args: tuple[Expr, ...]) -> Expr:
    found = build(node.op, args, node.params)
    same = (found.shape, found.dtype) == (node.shape, node.dtype)
    return found if same else raw(node.op, args, node.params)


def _started(
    outputs: Sequence[Expr],
    order: Sequence[Expr],
    wrt: Sequence[Expr],
    names: Mapping[Expr, str],
    values: Mapping[Expr, Any] | None,
) -> Walk:
    reached = depends(order, wrt)
    label = _label(outputs, names)
    walk = Walk(label, _all_names(order, outputs, reached, names, label), reached, known_values(order, values), {})
    for node in order:
        for i, arg in enumerate(node.args):
            if arg in reached and _passes(node, i):
                walk.waiting[arg] = walk.waiting.get(arg, 0) + 1
    for y in outputs:
        if y in reached:
            one = broadcast_to(const(1.0), y.shape)
            walk.totals[y] = TABLE["add"](walk.totals[y], one) if y in walk.totals else one
    if walk.known is not None:
        walk.known.update({g: _number(walk, g) for g in walk.totals.values()})
    return walk


def _label(outputs: Sequence[Expr], names: Mapping[Expr, str]) -> str:
    """What is differentiated: the name of the one output, f without a name, S for a sum of outputs."""
    if len(outputs) == 1 and outputs[0].shape == ():
        return names.get(outputs[0]) or "f"
    return "S"


def _all_names(
    order: Sequence[Expr], outputs: Sequence[Expr], reached: set[Expr], names: Mapping[Expr, str], label: str
) -> dict[Expr, str]:
    """A name for every node on the way: its own, else v₁, v₂, …"""
    found = display_names(order, names)
    if len(outputs) == 1:
        found.setdefault(outputs[0], label if outputs[0].shape == () else "f")
    taken = {*found.values(), *(str(n.params[0]) for n in order if n.op is INPUT)}
    letter = next(c for c in "vuzpqwh" if not any(text.startswith(c + "_") or text == c for text in taken))
    unnamed = [n for n in order if n in reached and n not in found and n.op is not INPUT]
    return found | {n: f"{letter}_{k + 1}" for k, n in enumerate(unnamed)}


def _passes(node: Expr, i: int) -> bool:
    return not node.op.partials or node.op.partials[i] is not None


def _symbol(walk: Walk, node: Expr) -> Layout:
    return derivative_symbol(walk.label, walk.names.get(node) or str(node.params[0]), partial=True)


def _step(walk: Walk, node: Expr) -> BackStep:
    op, g = node.op, walk.totals[node]
    if op.vjp is None:
        raise rule_missing(op, "reverse")
    value = None if walk.known is None else _number(walk, g)
    rule = rule_for(op, [a in walk.reached for a in node.args])
    return BackStep(
        node=node,
        name=walk.names[node],
        rule=rule.name,
        law=rule.latex,
        definition=chained(name(walk.names[node]), tree(node, walk.names)),
        symbol=_symbol(walk, node),
        arriving=g,
        contributions=tuple(c for i in range(len(node.args)) if (c := _contribution(walk, node, g, i)) is not None),
        numbers=None if value is None else number_text(value),
        value=value,
    )


def _contribution(walk: Walk, node: Expr, g: Expr, i: int) -> Contribution | None:
    arg = node.args[i]
    if arg not in walk.reached or not _passes(node, i):
        return None
    vjp = node.op.vjp
    assert vjp is not None
    part = vjp(node.params, node, node.args, g, i)
    if part is None:
        return None
    alone = walk.waiting[arg] == 1
    walk.totals[arg] = TABLE["add"](walk.totals[arg], part) if arg in walk.totals else part
    value = None if walk.known is None else _number(walk, part)
    if walk.known is not None:
        walk.known[walk.totals[arg]] = _number(walk, walk.totals[arg])
    layout, spread = _equation(walk, node, i, alone)
    label = walk.names.get(arg) or str(arg.params[0])
    numbers = None if value is None else number_text(value)
    return Contribution(arg, label, part, layout, alone, arg.shape, "in every entry" if spread else "", numbers, value)


def _number(walk: Walk, expr: Expr) -> Any:
    assert walk.known is not None
    with np.errstate(all="ignore"):
        return evaluate([expr], walk.known)[0]


def _equation(walk: Walk, node: Expr, i: int, alone: bool) -> tuple[Layout, bool]:
    """∂f/∂uᵢ = the row's rule applied to ∂f/∂y (+= where it is one of several), and whether it is only spread out."""
    stand_in = place("g", node)
    vjp = node.op.vjp
    assert vjp is not None
    stand_ins = {a: a if a.op is CONST and not a.shape else place(f"a{k}", a) for k, a in enumerate(node.args)}
    y = place("y", node)
    part = simplify(vjp(node.params, y, [stand_ins[a] for a in node.args], stand_in, i), cancel=True)
    layouts = {f"a{k}": tree(a, walk.names, top=False) for k, a in enumerate(node.args)} | {"y": name(walk.names[node])}
    right = filled(tree(part), {"g": _symbol(walk, node), **layouts}, plain=layouts)
    spread = type(part.op.shown) is int and part.shape != part.args[0].shape  # a row that is not seen in print
    return equation(_symbol(walk, node.args[i]), right, "=" if alone else "+="), spread
