"""Expressions to flat source: an order, a name for every value that needs one, and templates from the table.

A *dialect* is a language: which template field it reads, how it writes literals, statements and headers. The writer
goes over the topological order once. A value that is used once, has no name of the user's, and stays short is written
where it is used, with parentheses by precedence; every other value is a statement. User names are kept (`h`, `z`,
`loss`).
"""

from __future__ import annotations

import functools
import keyword
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangently.expr import CONST, INPUT, Data, Expr, Primitive

ATOM = 9
LINE = 72
_SLOT = re.compile(r"\{(\d+)\}")
_OPERATORS = {"+": 2, "-": 2, "*": 3, "/": 3, "%": 3, "@": 3, "**": 5}
_COMPARE = {"<", "<=", ">", ">=", "==", "!=", "===", "!=="}


@dataclass(frozen=True)
class Form:
    """How a template binds: its own precedence, and for each slot the weakest operand it takes bare."""

    precedence: int
    slots: tuple[int, ...]


@functools.cache
def form_of(template: str) -> Form:
    """Read precedence off a template's text.

    >>> form_of("{0} - {1}"), form_of("math.sin({0})")
    (Form(precedence=2, slots=(2, 3)), Form(precedence=9, slots=(0,)))
    """
    binary = re.fullmatch(r"\{0\} (\S+) \{1\}", template)
    if binary and binary[1] in _OPERATORS:
        p = _OPERATORS[binary[1]]
        return Form(p, (p + 1, 4) if binary[1] == "**" else (p, p + 1))
    if binary and binary[1] in _COMPARE:
        return Form(1, (2, 2))
    if template == "-{0}":
        return Form(4, (5,))
    found = [int(k) for k in _SLOT.findall(template)]
    count = max(found, default=-1) + 1
    call = re.fullmatch(r"[\w.]+\((.*)\)", template)
    if call and re.fullmatch(r"(\{\d+\}|-?[\d.]+)(, (\{\d+\}|-?[\d.]+))*", call[1]) and len(found) == count:
        return Form(ATOM, (0,) * count)
    return Form(ATOM if template[:1] == "(" or call else 0, (ATOM,) * count)


@dataclass(frozen=True)
class Dialect:
    """A target language."""

    template: Callable[[Primitive], Any]
    literal: Callable[[Any], str]
    statement: str
    reserved: frozenset[str]
    inline_arrays: bool = True


@dataclass
class Writer:
    """The state of one generation."""

    dialect: Dialect
    names: dict[Expr, str] = field(default_factory=dict)
    source: dict[Expr, tuple[str, int]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    constants: dict[str, Any] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)  # by identity; `constants` keeps the values alive
    used: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def fresh(self, wanted: str) -> str:
        """A name not taken yet: `h`, then `h_2`, `h_3`."""
        base = identifier(wanted)
        k = self.used.get(base, 1)
        name = base if k == 1 else f"{base}_{k}"
        while name in self.taken or name in self.dialect.reserved:
            k += 1
            name = f"{base}_{k}"
        self.used[base] = k
        self.taken.add(name)
        return name

    def constant(self, value: Any, wanted: str = "A") -> str:
        name = self.named.get(id(value))
        if name is None:
            name = self.named[id(value)] = self.fresh(wanted)
            self.constants[name] = value
        return name


_LETTERS = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda_ mu nu xi omicron pi rho sigma tau upsilon
phi chi psi omega Sigma Delta Omega Gamma Theta Lambda Xi Pi Phi Psi"""
GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψωΣΔΩΓΘΛΞΠΦΨ", _LETTERS.split()))


@functools.lru_cache(4096)
def identifier(name: str) -> str:
    """A valid ASCII identifier near the name.

    >>> identifier("x'"), identifier("2nd"), identifier("λ")
    ('x_', 'v2nd', 'lambda_')
    """
    text = re.sub(r"\W", "_", "".join(GREEK.get(c, c) for c in name), flags=re.ASCII)
    text = text if text[:1].isalpha() or text[:1] == "_" else f"v{text}"
    return text + "_" if keyword.iskeyword(text) else text


def operand(writer: Writer, node: Expr, weakest: int) -> str:
    """The source of an operand, in parentheses where it binds more weakly than its place allows."""
    text, precedence = source_of(writer, node)
    return text if precedence >= weakest else f"({text})"


def source_of(writer: Writer, node: Expr) -> tuple[str, int]:
    known = writer.source.get(node)
    if known is None:
        if node.op is not CONST:
            raise KeyError(f"{node!r} was used before it was computed")
        known = writer.source[node] = _constant_source(writer, node)
    return known


def _constant_source(writer: Writer, node: Expr) -> tuple[str, int]:
    if node.params[0] is Data:
        return writer.constant(node.value, writer.names.get(node, "A")), ATOM
    text = writer.dialect.literal(node.value)
    return text, 4 if text.startswith("-") else ATOM


def apply_template(writer: Writer, template: Any, params: tuple[Any, ...], args: Sequence[Expr]) -> tuple[str, int]:
    """A row's template filled in; a callable template is given atoms."""
    if callable(template):
        return _call_template(writer, template, params, args)
    form = form_of(template)
    parts = [operand(writer, a, weakest) for a, weakest in zip(args, form.slots)]
    parts += [operand(writer, a, ATOM) for a in args[len(form.slots) :]]
    return template.format(*parts), form.precedence


_CALL = re.compile(r"[\w.]+(\(.*\)|\[.*\])?(\.\w+)?")
_POWER = re.compile(r"[\w.]+ \*\* -?[\w.]+")
_PRODUCT = re.compile(r"[\w.]+(\.swapaxes\(1, 2\))? [@*] [\w.]+(\.swapaxes\(1, 2\))?( [@*] [\w.]+)*")


def _call_template(writer: Writer, template: Any, params: Any, args: Sequence[Expr]) -> tuple[str, int]:
    text = template(params, *[operand(writer, a, ATOM) for a in args])
    if _CALL.fullmatch(text) and text.count("(") <= 1:
        return text, ATOM
    if _POWER.fullmatch(text):
        return text, 5
    if _PRODUCT.fullmatch(text):
        return text, 3
    return text, ATOM if text.endswith(")") and balanced(text) else 0


def balanced(text: str) -> bool:
    """Is the text one call or one bracket, `f(…)`, with nothing after it?"""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in ")]" and k < len(text) - 1:
            return False
        if depth == 0 and c in " +-*/":
            return False
    return True


def repeats(template: Any) -> bool:
    """Does the template use an operand more than once (so that operands must be names)?"""
    if template is None or callable(template):
        return False
    found = _SLOT.findall(template)
    return len(set(found)) < len(found)


def use_counts(order: Iterable[Expr], outputs: Iterable[Expr]) -> dict[Expr, int]:
    counts: dict[Expr, int] = {}
    for node in order:
        for arg in node.args:
            counts[arg] = counts.get(arg, 0) + 1
    for node in outputs:
        counts[node] = counts.get(node, 0) + 1
    return counts


def python_literal(value: Any) -> str:
    if type(value) is float and not math.isfinite(value):
        return {"inf": "inf", "-inf": "-inf"}.get(repr(value), "nan")
    return repr(value)


def is_leaf(node: Expr) -> bool:
    return node.op is INPUT or node.op is CONST
