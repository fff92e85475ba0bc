"""Telling a derivation, line by line, as on a blackboard.

Each value with a name is a section of its own: its definition, the rules below it, its derivative. Then comes the
function. A step is told as

    d/dx (x² sin x) = (d/dx x²) · sin x + x² · d/dx sin x      product rule
      d/dx x² = 2x                                             power rule
      d/dx sin x = cos x                                       sine
    d/dx (x² sin x) = 2x sin x + x² cos x                      put together

and what was told once is referred to afterwards. Long expressions are cut into sections u₁, u₂, … of their own, so
that every line can be read.

Depths: "summary" (the rules and the answer), "rules" (every rule), "algebra" (also every move of the algebra).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tangently.errors import InputError
from tangently.explanation.derivation import CONSTANT, IDENTITY, Derivation, Step, combined, sum_after
from tangently.explanation.wording import (
    DIGITS,
    READABLE,
    abbreviated,
    chained,
    display_names,
    filled,
    is_readable,
    number_text,
    operand,
    operator,
    place,
    places_of,
)
from tangently.expr import CONST, INPUT, Expr, const, depends, toposort
from tangently.printing import (
    Layout,
    call,
    derivative_symbol,
    equation,
    name,
    number,
    to_latex,
    to_mathml,
    to_text,
    tree,
)
from tangently.printing.notation import Notation

DEPTHS = ("summary", "rules", "algebra")
NOTATIONS = ("leibniz", "lagrange", "newton", "euler")


@dataclass(frozen=True, eq=False, repr=False)
class Line:
    """A line: how deep it is set in, the rule that gives it, the formula, and a remark (numbers put in)."""

    level: int
    rule: str
    layout: Layout
    note: str = ""
    law: str = ""

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
        return "  " * self.level + "   ".join(part for part in (self.text, self.rule, self.note) if part)

    __repr__ = __str__


@dataclass(slots=True)
class Telling:
    """One telling: what it is about, how it is told, and what was told so far."""

    derivation: Derivation
    depth: str
    notation: Notation
    function: str
    names: dict[Expr, str]
    partial: bool
    moving: set[Expr]
    told: set[Expr] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)


def lines(
    derivation: Derivation, *, depth: str = "rules", notation: Notation = "leibniz", function_name: str = "f"
) -> tuple[Line, ...]:
    """The derivation as lines.

    >>> from tangently.explanation.derivation import derive
    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> for line in lines(derive((x**2 + 1) ** 3, x, values={x: 2.0})):
    ...     print(line)
    f(x) = (x² + 1)³
      df/dx = 3(x² + 1)² · d/dx (x² + 1)   chain rule · power rule
        d/dx (x² + 1) = d/dx x² + d/dx 1   a constant added
          d/dx x² = 2x   power rule   at x = 2: 2·2 = 4
          d/dx 1 = 0   constant
        d/dx (x² + 1) = 2x + 0 = 2x   put together   at x = 2: 2·2 = 4
      df/dx = 3(x² + 1)² · 2x = 6x (x² + 1)²   put together   at x = 2: 6·2(2² + 1)² = 300
    df/dx = 6x (x² + 1)²   result   at x = 2: 6·2(2² + 1)² = 300
    """
    for given, known, what in ((depth, DEPTHS, "depth"), (notation, NOTATIONS, "notation")):
        if given not in known:
            raise InputError(f"{what}={given!r}: one of {', '.join(known)} was wanted")
    t = _started(derivation, depth, notation, function_name)
    if depth == "summary":
        _tell_summary(t)
    else:
        _tell_sections(t)
    return tuple(t.lines)


def _started(d: Derivation, depth: str, notation: Notation, function_name: str) -> Telling:
    order = toposort([d.expr])
    moving = depends(order, [d.variable])
    named = display_names(order, {n: text for n, text in d.names.items() if n is not d.expr})
    if places_of(d.expr, named, READABLE) > READABLE and depth != "summary":
        own = {step.before for step in d.steps}
        named = abbreviated(order, named, [d.expr, *(moving - own)])  # a sum inside a sum has no step of its own
    partial = sum(n.op is INPUT and n.shape == () for n in order) > 1
    return Telling(d, depth, notation, function_name, named, partial, moving)


# ---------------------------------------------------------------- symbols


def _variable(t: Telling) -> str:
    return str(t.derivation.variable.params[0])


def _symbol(t: Telling, node: Expr) -> Layout:
    """d/dx of a node: of its name where it has one, of f where it is the function, else of its formula."""
    if node is t.derivation.expr:
        return _function_symbol(t, t.derivation.order)
    if node in t.names:
        return derivative_symbol(t.names[node], _variable(t), 1, t.notation, t.partial)
    return operator(derivative_symbol("", _variable(t), 1, t.notation, t.partial, of=operand(tree(node, t.names))))


def _function_symbol(t: Telling, order: int) -> Layout:
    if order == 0:
        return call(name(t.function), *[name(str(n.params[0])) for n in _arguments(t)])
    return derivative_symbol(t.function, _variable(t), order, t.notation, t.partial)


def _arguments(t: Telling) -> list[Expr]:
    return [n for n in toposort([t.derivation.expr]) if n.op is INPUT] or [t.derivation.variable]


def _written(t: Telling, expr: Expr) -> list[Layout]:
    """A formula as a side of an equation, or nothing where it is too long to be read."""
    return [tree(expr, t.names, top=expr not in t.names)] if is_readable(expr, t.names) else []


# ---------------------------------------------------------------- sections


def _tell_summary(t: Telling) -> None:
    _define(t, t.derivation.expr)
    telling = [rule for rule in t.derivation.rules if rule not in (IDENTITY.name, CONSTANT.name)]
    _tell_result(t, ", ".join(telling) or t.derivation.root.rule)


def _tell_sections(t: Telling) -> None:
    steps = {step.before: step for step in t.derivation.steps}
    for node in toposort([t.derivation.expr]):
        if node in t.names:
            _tell_section(t, node, steps.get(node))
    _define(t, t.derivation.expr)
    _tell(t, t.derivation.root, 1)
    _tell_result(t, "result")


def _tell_section(t: Telling, node: Expr, step: Step | None) -> None:
    """A value with a name: what it is, and its derivative."""
    _define(t, node)
    t.told.add(node)
    if step is not None:
        _tell(t, step, 1)
    else:
        remark = "between its jumps" if node in t.moving else f"it does not depend on {_variable(t)}"
        t.lines.append(Line(1, CONSTANT.name, chained(_symbol(t, node), tree(const(0))), remark))


def _define(t: Telling, node: Expr) -> None:
    left = _function_symbol(t, t.derivation.order - 1) if node is t.derivation.expr else name(t.names[node])
    t.lines.append(Line(0, "", chained(left, tree(node, t.names))))


def _tell_result(t: Telling, rule: str) -> None:
    d = t.derivation
    final = Step("", "", d.expr, d.result, d.result, (), d.variable, (), d.value, d.root.point)
    numbers = "" if d.value is None else _at(t, final.substituted or number_text(d.value))
    whole = is_readable(d.result, {}, 3 * READABLE)
    result = tree(d.result) if whole else tree(d.result, budget=READABLE)
    remarks = ["" if whole else "too long to be written out", numbers]
    sides = chained(_function_symbol(t, d.order), result)
    t.lines.append(Line(0, rule, sides, "; ".join(remark for remark in remarks if remark)))


def _at(t: Telling, text: str | None) -> str:
    point = t.derivation.root.point
    if not text or point is None:
        return ""
    places = [f"{to_text(name(str(n.params[0])))} = {number_text(v)}" for n, v in point.items() if n.shape == ()]
    return f"at {', '.join(places)}: {text}" if places and len(places) <= 6 else f"at the point: {text}"


# ---------------------------------------------------------------- steps


def _tell(t: Telling, step: Step, level: int) -> None:
    """Tell a step and what it needs. The stack holds steps to open (True) and steps to put together (False)."""
    stack = [(step, level, True)]
    while stack:
        now, depth, opening = stack.pop()
        if not opening:
            _put_together(t, now, depth)
            continue
        t.told.add(now.before)
        below = _untold(t, now)
        if below:
            t.lines.append(Line(depth, now.rule, chained(_symbol(t, now.before), _pattern(t, now)), law=now.law))
            stack.append((now, depth, False))
            stack += [(child, depth + 1, True) for child in reversed(below)]
        else:
            _tell_at_once(t, now, depth)


def _untold(t: Telling, step: Step) -> list[Step]:
    """The children that have to be told below a step: not those with a section, not those told before."""
    shown = set(_places(step))
    fresh = [c for c in step.children if c.before not in t.told and c.before not in t.names and c.before in shown]
    return list({c.before: c for c in fresh}.values())


def _places(step: Step) -> list[Expr]:
    """The operands whose derivative is written as a symbol: all in a sum or a product; a bare x has x′ = 1 at once."""
    combines = bool(step.signs) or (step.before.op.combine is not None and _all_vary(step))
    return [c.before for c in step.children if combines or c.before is not step.variable]


def _all_vary(step: Step) -> bool:
    varied = {c.before for c in step.children}
    return all(a in varied for a in step.before.args)


def _tell_at_once(t: Telling, step: Step, level: int) -> None:
    sides = [_symbol(t, step.before), _pattern(t, step), *_filled(t, step), *_written(t, step.simplified)]
    t.lines.append(Line(level, step.rule, chained(*sides), _numbers(t, step), step.law))
    _tell_algebra(t, step, level)


def _put_together(t: Telling, step: Step, level: int) -> None:
    sides = [*_filled(t, step), *_written(t, step.simplified)]
    if sides or step.value is not None:
        t.lines.append(Line(level, "put together", _total(t, step, sides), _numbers(t, step) if sides else ""))
    _tell_algebra(t, step, level)


def _total(t: Telling, step: Step, sides: Sequence[Layout]) -> Layout:
    """The derivative of a step; the number alone where the formula is too long."""
    symbol = _symbol(t, step.before)
    return chained(symbol, *sides) if sides else equation(symbol, number(step.value or 0.0, DIGITS), "≈")


def _numbers(t: Telling, step: Step) -> str:
    """The numbers put in; a derivative that is a number already needs none."""
    if step.value is None or step.simplified.op is CONST:
        return ""
    return _at(t, step.substituted or number_text(step.value))


def _tell_algebra(t: Telling, step: Step, level: int) -> None:
    if t.depth != "algebra":
        return
    for move in step.moves:
        if is_readable(move.before, t.names):
            sides = chained(tree(move.before, t.names), tree(move.after, t.names))
            t.lines.append(Line(level + 1, move.name, sides))


# ---------------------------------------------------------------- the pattern of a step


def _pattern(t: Telling, step: Step) -> Layout:
    """The rule applied, with symbols for the derivatives that it needs: cos(x²)·d/dx x²."""
    shown = set(_places(step))
    symbols = {f"d{k}": _symbol(t, c.before) for k, c in enumerate(step.children) if c.before in shown}
    return filled(_skeleton(t, step), symbols)


def _filled(t: Telling, step: Step) -> list[Layout]:
    """The same with the derivatives that were found, where they can be read."""
    if not all(is_readable(c.simplified, t.names, 40) for c in step.children):
        return []
    found = {f"d{k}": tree(c.simplified, t.names, top=c.simplified not in t.names) for k, c in enumerate(step.children)}
    return [filled(_skeleton(t, step), found)]


def _skeleton(t: Telling, step: Step) -> Layout:
    """The rule applied, with places for the derivatives of the operands."""
    if not step.children:
        return tree(step.after, t.names)
    shown = set(_places(step))
    stand_ins = [place(f"d{k}", c.before) if c.before in shown else c.simplified for k, c in enumerate(step.children)]
    if step.signs:
        return tree(sum_after(stand_ins, step.signs), t.names)
    by_operand = dict(zip([c.before for c in step.children], stand_ins))
    tangents: Sequence[Expr | None] = [by_operand.get(a) for a in step.before.args]
    expr = combined(step.before, tangents)
    return tree(expr, t.names, top=expr not in t.names)
