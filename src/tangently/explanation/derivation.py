"""The derivation of a derivative, as a person writes it down: the rule of each step, and what it gives.

From the function downwards, each node asks the table which rule holds for the operands that vary: a sum rule, a
constant multiple, a product, a function and its chain rule. Upwards, the derivative of a node is put together from the
derivatives of its operands, by the row's `combine` (the quotient rule) or as Σ ∂y/∂uᵢ · uᵢ′. So the answer *is* the
root of the derivation. `check` compares it with what the reverse sweep gives.

A step is made for a node once, however often it is used: the derivation is a graph like the expression, and linear in
it. Nested sums are one step of the sum rule. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from tangently.differentiation import pullback, rule_missing
from tangently.errors import InputError, ShapeError
from tangently.explanation.wording import (
    is_readable,
    known_values,
    number_text,
    place,
    put_in,
    rule_for,
    signed_operands,
)
from tangently.expr import INPUT, Expr, Rule, const, evaluate, inputs_of, is_number, raw, substitute, toposort
from tangently.primitives import TABLE
from tangently.printing import to_text
from tangently.simplification import Move, is_small, moves, simplify

IDENTITY = Rule("identity", r"x' = 1")
CONSTANT = Rule("constant", r"c' = 0")
SMALL = 120  # nodes: a larger derivative is simplified at the end only, so that the work stays linear
TRIALS = 40
WANTED = 5  # points at which both routes have a value


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """d(before)/d(variable) = after, by a rule whose law is `law` (LaTeX, u and v the operands).

    `after` is put together from the simplified derivatives of the children. `signs` are those of the terms of a sum.
    `value` is the number that `after` has at the point.
    """

    rule: str
    law: str
    before: Expr
    after: Expr
    simplified: Expr
    children: tuple[Step, ...]
    variable: Expr
    signs: tuple[int, ...] = ()
    value: float | None = None
    point: Mapping[Expr, Any] | None = None

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The algebra that leads from `after` to its simplified form."""
        return moves(self.after, budget=SMALL)

    @cached_property
    def substituted(self) -> str | None:
        """The derivative with the numbers put in: 3·2² = 12."""
        if self.value is None or self.point is None or not is_readable(self.simplified, {}, 40):
            return None
        text, number = to_text(put_in(self.simplified, self.point)), number_text(self.value)
        return number if text == number else f"{text} = {number}"

    def __repr__(self) -> str:
        return f"<step {self.rule}: {to_text(self.before)} → {to_text(self.simplified)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """A derivative and how it was found. `result` is the root's `after`, simplified; `checked`: equal to the sweep?"""

    expr: Expr
    variable: Expr
    root: Step
    result: Expr
    checked: bool = False
    names: Mapping[Expr, str] = field(default_factory=dict)
    values: Mapping[Expr, Any] | None = None
    order: int = 1  # the expression is itself the derivative of this order less one

    @property
    def value(self) -> float | None:
        """The derivative at the point."""
        return self.root.value

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step once, children before their parents."""
        order: list[Step] = []
        seen: set[Step] = {self.root}
        stack = [(self.root, iter(self.root.children))]
        while stack:
            step, rest = stack[-1]
            child = next((c for c in rest if c not in seen), None)
            if child is None:
                order.append(step)
                stack.pop()
            else:
                seen.add(child)
                stack.append((child, iter(child.children)))
        return tuple(order)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that were used, from the function inwards, each one once."""
        return tuple(dict.fromkeys(step.rule for step in reversed(self.steps)))

    def __repr__(self) -> str:
        return f"<derivation: d/d{self.variable} {to_text(self.expr)} = {to_text(self.result)}>"


@dataclass(frozen=True)
class Check:
    """Is the derivation's result what the reverse sweep gives, and how was that found out?"""

    equal: bool
    how: str

    def __bool__(self) -> bool:
        return self.equal


# ---------------------------------------------------------------- deriving


@dataclass(slots=True)
class Work:
    """What is known while a derivation is made."""

    variable: Expr
    named: Mapping[Expr, str]
    varied: set[Expr]
    inner: set[Expr]
    known: dict[Expr, Any] | None
    point: Mapping[Expr, Any] | None
    steps: dict[Expr, Step] = field(default_factory=dict)


def derive(
    expr: Expr,
    variable: Expr,
    *,
    names: Mapping[Expr, str] | None = None,
    values: Mapping[Expr, Any] | None = None,
    order: int = 1,
) -> Derivation:
    """The derivation of d(expr)/d(variable); all other inputs are constants.

    names: intermediate values that have a name; each gets a derivation of its own. values: a point, for the numbers.
    order: what derivative this is, where `expr` is a derivative already (for the notation only).

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text
    >>> x = symbol("x")
    >>> d = derive((x**2 + 1) ** 3, x, values={x: 2.0})
    >>> to_text(d.result), d.value, d.checked, d.rules
    ('6x (x² + 1)²', 300.0, True, ('chain rule · power rule', 'a constant added', 'constant', 'power rule', 'identity'))
    """
    if expr.shape != () or variable.shape != ():
        raise ShapeError(
            f"a derivation needs one number by one number: got shapes {expr.shape} and {variable.shape}; "
            "for arrays see the backward walk"
        )
    nodes = toposort([expr])
    work = _prepared(nodes, expr, variable, names or {}, values)
    for node in nodes:
        if node in work.varied and node not in work.inner:
            work.steps[node] = _step(work, node)
    root = work.steps.get(expr) or _leaf(work, expr, CONSTANT, 0)
    result = simplify(root.after, cancel=True)
    draft = Derivation(expr, variable, root, result, False, dict(names or {}), values, order)
    return replace(draft, checked=check(draft).equal)


def derive_nth(expr: Expr, variable: Expr, order: int, **options: Any) -> tuple[Derivation, ...]:
    """The derivations of the first `order` derivatives, each one of the result before it.

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text
    >>> x = symbol("x")
    >>> [to_text(d.result) for d in derive_nth(x**3, x, 3)]
    ['3x²', '6x', '6']
    """
    if order < 1:
        raise InputError(f"order={order}: a whole number from 1 up was wanted")
    found: list[Derivation] = []
    for k in range(order):
        found.append(derive(found[-1].result if found else expr, variable, order=k + 1, **options))
    return tuple(found)


def _prepared(
    nodes: Sequence[Expr], expr: Expr, variable: Expr, names: Mapping[Expr, str], values: Mapping[Expr, Any] | None
) -> Work:
    named = {n: names[n] for n in nodes if n in names and n.op is not INPUT}
    known = known_values(nodes, values)
    point = None if known is None else {n: known[n] for n in nodes if n.op is INPUT}
    varied = _varied(nodes, variable)
    return Work(variable, named, varied, _inner_sums(nodes, expr, varied, named), known, point)


def _varied(nodes: Sequence[Expr], variable: Expr) -> set[Expr]:
    """The nodes that vary with the variable; a comparison, whose partials are all zero, does not."""
    found: set[Expr] = set()
    for node in nodes:
        if node is variable or any(a in found and _carries(node, i) for i, a in enumerate(node.args)):
            found.add(node)
    return found


def _carries(node: Expr, i: int) -> bool:
    return not node.op.partials or node.op.partials[i] is not None


def _inner_sums(nodes: Sequence[Expr], expr: Expr, varied: set[Expr], named: Mapping[Expr, str]) -> set[Expr]:
    """Sums that are terms of one other sum: they are flattened into it."""
    users: dict[Expr, list[Expr]] = {}
    for node in nodes:
        for arg in node.args:
            users.setdefault(arg, []).append(node)
    sums = {n for n in nodes if n in varied and signed_operands(n) is not None}
    return {n for n in sums if n not in named and n is not expr and len(users[n]) == 1 and users[n][0] in sums}


def _leaf(work: Work, node: Expr, rule: Rule, value: int) -> Step:
    number = const(value)
    return _finished(work, Step(rule.name, rule.latex, node, number, number, (), work.variable))


def _finished(work: Work, step: Step) -> Step:
    """The step with its number at the point."""
    if work.known is None or work.point is None:
        return step
    with np.errstate(all="ignore"):
        after, simplified = evaluate([step.after, step.simplified], work.known)
    work.known[step.after], work.known[step.simplified] = after, simplified
    return replace(step, value=float(after) if step.after.shape == () else None, point=work.point)


def _step(work: Work, node: Expr) -> Step:
    if node is work.variable:
        return _leaf(work, node, IDENTITY, 1)
    if signed_operands(node) is not None:
        return _sum_step(work, node)
    below = [work.steps[a] if a in work.varied and _carries(node, i) else None for i, a in enumerate(node.args)]
    after = combined(node, [None if child is None else child.simplified for child in below])
    rule, chained = _rule(work, node)
    name = f"chain rule · {rule.name}" if chained else rule.name
    children = tuple(dict.fromkeys(child for child in below if child is not None))
    return _finished(work, Step(name, rule.latex, node, after, _tidied(work, after), children, work.variable))


# ---------------------------------------------------------------- sums


def _terms(work: Work, node: Expr) -> list[tuple[Expr, int]]:
    """The terms of a nest of sums, in the order of writing."""
    found, stack = [], [(node, 1)]
    while stack:
        term, sign = stack.pop()
        if term is node or term in work.inner:
            inside = signed_operands(term) or ()
            stack.extend((a, sign * s) for a, s in reversed(inside))
        else:
            found.append((term, sign))
    return found


def _sum_step(work: Work, node: Expr) -> Step:
    terms = _terms(work, node)
    children = [work.steps.get(t) or _leaf(work, t, CONSTANT, 0) for t, _ in terms]
    signs = tuple(sign for _, sign in terms)
    after = sum_after([c.simplified for c in children], signs)
    rule = _sum_rule(work, node, terms)
    step = Step(rule.name, rule.latex, node, after, _tidied(work, after), tuple(children), work.variable, signs)
    return _finished(work, step)


def sum_after(parts: Sequence[Expr], signs: Sequence[int]) -> Expr:
    total: Any = None
    for part, sign in zip(parts, signs):
        if total is None:
            total = part if sign > 0 else -part
        else:
            total = total + part if sign > 0 else total - part
    return total


def _sum_rule(work: Work, node: Expr, terms: Sequence[tuple[Expr, int]]) -> Rule:
    """The rule of the outermost sum, or of the first one inside that really adds two varying terms."""
    own = rule_for(node.op, [a in work.varied for a in node.args])
    if sum(t in work.varied for t, _ in terms) < 2 or all(a in work.varied for a in node.args):
        return own
    stack = list(node.args)
    while stack:
        inner = stack.pop(0)
        if inner in work.inner:
            if len(inner.args) > 1 and all(a in work.varied for a in inner.args):
                return rule_for(inner.op, [True] * len(inner.args))
            stack.extend(inner.args)
    return own


# ---------------------------------------------------------------- rules of the table


def combined(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """The derivative of a node from those of its operands (None: constant), as the rule of its row writes it."""
    op = node.op
    if op.jvp is None:
        raise rule_missing(op, "forward")
    scalar = not any(n.shape for n in (node, *node.args)) and bool(op.partials)
    if not scalar:
        return op.jvp(node.params, node, node.args, tangents) or const(0)
    if op.combine is not None and all(t is not None for t in tangents):
        return op.combine(node, node.args, tangents)
    terms = [TABLE["mul"](coefficient(node, i), t) for i, t in enumerate(tangents) if t is not None]
    return sum_after(terms, [1] * len(terms)) if terms else const(0)


def coefficient(node: Expr, i: int) -> Expr:
    """∂y/∂uᵢ in lowest terms: 3u² for u³. The operands stay as they are, only the rule is tidied."""
    stand_ins = _stand_ins(node)
    return substitute([_lowest(node, i, stand_ins)], {p: a for p, a in zip(stand_ins, node.args) if p is not a})[0]


def _stand_ins(node: Expr) -> list[Expr]:
    return [a if a.is_constant else place(f"u{k}", a) for k, a in enumerate(node.args)]


def _lowest(node: Expr, i: int, stand_ins: Sequence[Expr]) -> Expr:
    partial = node.op.partials[i]
    assert partial is not None
    found = partial(raw(node.op, tuple(stand_ins), node.params), *stand_ins)
    return simplify(found if isinstance(found, Expr) else const(found), cancel=True)


def _rule(work: Work, node: Expr) -> tuple[Rule, bool]:
    """The rule of the row for the operands that vary, and whether the chain rule is at work."""
    varied = [a in work.varied and _carries(node, i) for i, a in enumerate(node.args)]
    rule = rule_for(node.op, varied)
    operands = [a for a, v in zip(node.args, varied) if v]
    if not node.op.partials or node.shape or (node.op.combine is not None and all(varied)):
        return rule, False
    return rule, any(a is not work.variable for a in operands) and not _is_linear(node, varied)


def _is_linear(node: Expr, varied: Sequence[bool]) -> bool:
    """Is the partial derivative free of what varies? Then there is nothing to chain: (c u)′ = c u′."""
    stand_ins = _stand_ins(node)
    moving = {p for p, v in zip(stand_ins, varied) if v}
    partials = [_lowest(node, i, stand_ins) for i, v in enumerate(varied) if v]
    return not moving & set(toposort(partials)) or all(is_number(p, 0) for p in partials)


def _tidied(work: Work, after: Expr) -> Expr:
    """The derivative simplified, where that costs little; values with a name stay whole."""
    if not is_small([after], SMALL):
        return after
    stand_ins = {n: place(f"n{k}", n) for k, n in enumerate(work.named)}
    inside = substitute([after], stand_ins)[0] if stand_ins else after
    found = simplify(inside, cancel=True)
    return substitute([found], {p: n for n, p in stand_ins.items()})[0] if stand_ins else found


# ---------------------------------------------------------------- checking


def check(derivation: Derivation) -> Check:
    """Compare the derivation's result with the reverse sweep: as formulas, else as numbers at random points.

    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> check(derive(x**2 + 1, x))
    Check(equal=True, how='the same formula')
    """
    swept = pullback([derivation.expr], [const(1)], [derivation.variable])[0]
    if simplify(swept, cancel=True) is derivation.result:
        return Check(True, "the same formula")
    compared = (_compare(derivation, swept, point) for point in _points(derivation, swept))
    outcomes = list(islice((c for c in compared if c is not None), WANTED + 1))
    if not outcomes:
        return Check(False, f"no point was found where both have a value ({TRIALS} were tried)")
    return Check(all(outcomes), f"numbers at {len(outcomes)} points" + ("" if all(outcomes) else ", which differ"))


def _points(derivation: Derivation, swept: Expr) -> list[dict[Expr, Any]]:
    """The given point, then random ones over several magnitudes; inputs that are no real numbers keep their value."""
    inputs = inputs_of([derivation.result, swept])
    random = np.random.default_rng(20240229)
    given = dict(derivation.values or {})
    drawn = [{x: _drawn(x, random, (0.3, 1.0, 2.0, 10.0)[k % 4], given) for x in inputs} for k in range(TRIALS)]
    whole = all(x in given or x.params[0].value is not None for x in inputs)
    first = [{x: given.get(x, x.params[0].value) for x in inputs}] if whole else []
    return [p for p in (*first, *drawn) if all(v is not None for v in p.values())]


def _drawn(x: Expr, random: np.random.Generator, scale: float, given: Mapping[Expr, Any]) -> Any:
    if x.dtype not in "dfw":
        return given.get(x, x.params[0].value)
    found = random.normal(size=x.shape) * scale
    return found if x.shape else float(found)


def _compare(derivation: Derivation, swept: Expr, point: dict[Expr, Any]) -> bool | None:
    """Do both routes agree at a point? None where one has no value."""
    order = toposort([derivation.result, swept])
    known = known_values(order, point)
    if known is None:
        return None
    a, b = float(known[derivation.result]), float(known[swept])
    if not (np.isfinite(a) and np.isfinite(b)):
        return None
    sizes = [float(np.max(np.abs(v), initial=0.0)) for n, v in known.items() if n.dtype != "?"]
    rounding = 1e-13 * max([s for s in sizes if np.isfinite(s)], default=0.0)
    return abs(a - b) <= max(1e-10 * max(abs(a), abs(b)), rounding)
