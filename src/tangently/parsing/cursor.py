"""The loop under the grammar: a place in the tokens, precedence, and the errors that every rule can raise.

An expression is an operand and then whatever binds at least as tightly as asked for (Pratt's method). What an operand
can be and what can extend it are two tables, which `grammar` hands in. A rule is a function of the cursor (and of the
operand on its left) that returns a node, or a generator that yields the sub-expressions it wants and then returns one.
A loop runs the generators (`run`): nested text costs memory, not Python's stack. Nesting is bounded all the same, and
the bound is in the error.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ParseError
from .names import MODULES, Functions, is_function, nearest
from .tokens import CLOSERS, Token
from .tree import LARGEST_DIGITS, LOOSEST, Node

DEEPEST = 200
MOST_NOTES = 20
BARS = {"|": "abs", "‖": "norm"}
ROUNDINGS = {"⌊": "floor", "⌈": "ceil"}
ROOTS = {"√": 2, "∛": 3, "∜": 4}
OPENS_OPERAND = frozenset({"(", "{", "[", "frac", "sqrt", *BARS, *ROUNDINGS, *ROOTS})
Step = Any  # a Node, or a generator that yields Steps and returns a Node or a list of them
Operand = Callable[["Cursor"], Step]
Extension = Callable[["Cursor", Node], Step]


@dataclass(eq=False, repr=False)
class Cursor:
    """Where the grammar stands in the tokens, and what it knows."""

    text: str
    tokens: list[Token]
    functions: Functions
    declared: tuple[str, ...] | None
    names: frozenset[str]  # names that stand on their own somewhere: rate(1 - x) is then a product
    operands: Mapping[str, Operand]  # by the kind of a token, or by the sign
    extensions: Mapping[str, tuple[int, Extension]]  # by the sign: how tightly it binds, and who reads it
    notes: list[str]
    at: int = 0
    depth: int = 0
    open: list[str] = field(default_factory=lambda: [""])

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> Token:
        return self.tokens[self.at - 1]

    def sees(self, *signs: str) -> bool:
        return self.token.kind == "sign" and self.token.text in signs

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, *signs: str) -> bool:
        found = self.sees(*signs)
        self.at += found
        return found

    def note(self, message: str) -> None:
        if len(self.notes) < MOST_NOTES and message not in self.notes:
            self.notes.append(message)

    def error(self, message: str, token: Token | None = None, hint: str = "") -> ParseError:
        return ParseError(message, self.text, (token or self.token).start, hint)

    def source(self, *nodes: Node) -> str:
        """The text of some nodes side by side, as it was written."""
        text = self.text[min(n.start for n in nodes) : max(n.end for n in nodes)]
        return text if len(text) <= 60 else f"{text[:40]} … {text[-15:]}"


def run(start: Step) -> Any:
    """Run a generator and all that it yields, on a stack of our own."""
    waiting, result = [start], None
    while waiting:
        try:
            wanted = waiting[-1].send(result)
        except StopIteration as done:
            waiting.pop()
            result = done.value
        else:
            result = None if isinstance(wanted, Generator) else wanted
            waiting += [wanted] if isinstance(wanted, Generator) else []
    return result


def operand(cursor: Cursor) -> Step:
    """What can stand alone: a number, a name, a function applied, something in brackets, or a sign before those."""
    token = cursor.token
    key = token.text if token.kind == "sign" else token.kind
    if key not in cursor.operands:
        raise missing_operand(cursor)
    return cursor.operands[key](cursor)


def expression(cursor: Cursor, floor: int = LOOSEST) -> Step:
    """An operand, extended by every operator that binds at least as tightly as `floor`."""
    cursor.depth += 1
    if cursor.depth > DEEPEST:
        raise cursor.error(f"The formula is nested deeper than {DEEPEST} levels.", hint="Give its parts names.")
    left = yield operand(cursor)
    while (found := extension(cursor)) and found[0] >= floor:
        left = yield found[1](cursor, left)
    cursor.depth -= 1
    return left


def extension(cursor: Cursor) -> tuple[int, Extension] | None:
    """How the operand before the cursor goes on: how tightly that binds, and who reads it."""
    token = cursor.token
    if closes_bar(cursor):
        return None
    if cursor.sees("[") and cursor.before.kind in ("number", "fraction"):
        return cursor.extensions[""]
    if token.kind == "sign" and token.text in cursor.extensions:
        return cursor.extensions[token.text]
    if token.kind == "subscript":
        raise missing_operand(cursor)
    return cursor.extensions[""] if starts_operand(token) else None


def starts_operand(token: Token) -> bool:
    return token.kind in ("number", "fraction", "name") or (token.kind == "sign" and token.text in OPENS_OPERAND)


def closes_bar(cursor: Cursor) -> bool:
    """Does the bar here close the one that is open? Where it leans on what follows, |x |y||, it opens another."""
    after = cursor.tokens[min(cursor.at + 1, len(cursor.tokens) - 1)]
    leans = cursor.token.gap and starts_operand(after) and not after.gap
    return cursor.open[-1] in BARS and cursor.sees(cursor.open[-1]) and not leans


def applies(cursor: Cursor) -> bool:
    """Does a function start here?"""
    token = cursor.token
    return token.kind == "name" and (
        is_function(token.text, cursor.functions, cursor.declared) or token.text in MODULES
    )


def shown(cursor: Cursor, token: Token | None = None) -> str:
    """A token as it was written."""
    token = token or cursor.token
    return cursor.text[token.start : token.end]


def leftover(cursor: Cursor) -> ParseError:
    """Why the formula can't go on at this token."""
    hints = {
        ",": "Put a vector in brackets: [a, b]. The decimal sign is a point.",
        ";": "One formula at a time.",
        "=": "For equality write ==.",
        "else": "Write: a if condition else b.",
        "otherwise": "Write: {a if condition; b otherwise}.",
        ":": "Slices belong in brackets: x[1:].",
    }
    message = "`=` in the middle of a formula." if cursor.sees("=") else f"`{shown(cursor)}` has no meaning here."
    return cursor.error(message, hint=hints.get(cursor.token.text, "Is an operator missing before it?"))


def missing_operand(cursor: Cursor) -> ParseError:
    """An operand was wanted here; say what is missing between what."""
    if cursor.open[-1] in BARS and (cursor.token.kind == "end" or cursor.token.text in CLOSERS.values()):
        return unclosed(cursor, cursor.open[-1])
    before = f"after `{shown(cursor, cursor.before)}`" if cursor.at else "at the start"
    if cursor.token.kind == "end":
        return cursor.error(f"The formula ends {before}.", cursor.before, "Write what comes next, or leave it out.")
    if cursor.token.kind == "subscript":
        return cursor.error(f"The subscript `{shown(cursor)}` has no name before it.", hint="Write it as x_0 or x[0].")
    hint = (
        "Write == for equality." if cursor.sees("=") else "Write a number, a name or a bracket there, or leave it out."
    )
    return cursor.error(f"`{shown(cursor)}` {before}: something is missing.", hint=hint)


def unclosed(cursor: Cursor, sign: str, opener: Token | None = None) -> ParseError:
    """Point at the bar that was opened last."""
    opener = opener or next(t for t in reversed(cursor.tokens[: cursor.at]) if t.text == sign)
    hint = f"Add `{sign}`, or write {BARS[sign]}(x)."
    return cursor.error(f"This `{sign}` is never closed.", opener, hint)


def number_after(cursor: Cursor, before: Token) -> ParseError:
    number = shown(cursor)
    if before.kind in ("number", "fraction"):
        message = f"Two numbers side by side: {shown(cursor, before)} and {number}."
        return cursor.error(message, hint=f"Write {shown(cursor, before)}*{number}, or an operator between them.")
    message = f"The number {number} stands right after `{shown(cursor, before)}`."
    return cursor.error(message, hint=f"Is it a power, ^{number}, or a factor, *{number}?")


def unknown_function(cursor: Cursor, token: Token) -> ParseError:
    close = nearest(token.text, cursor.functions)
    hint = f"Did you mean {close}?" if close else f"For a product write {token.text}*(...)."
    return cursor.error(f"{token.text} is not a function that is known here.", token, hint)


def whole_number(cursor: Cursor, token: Token, digits: str) -> int:
    """An integer of bounded length: Python's grow without end."""
    if len(digits) > LARGEST_DIGITS:
        hint = f"Whole numbers may have {LARGEST_DIGITS} digits, others may reach 1.8e308. Write inf for infinity."
        raise cursor.error("This number is too large.", token, hint)
    return int(digits)


def need(cursor: Cursor, name: str, token: Token) -> str:
    """The key of a function that a sign stands for."""
    if name not in cursor.functions:
        message = f"`{shown(cursor, token)}` needs the function {name}, which is not among the functions given."
        raise cursor.error(message, token, f"Pass it: parse(text, functions={{'{name}': ..., ...}}).")
    return name


def listed(
    cursor: Cursor, opener: Token, item: Callable[[Cursor], Step] = expression, empty_allowed: bool = False
) -> Step:
    """The items between an opening bracket, which was taken, and its closing one."""
    cursor.open.append(opener.text)
    items: list[Node] = []
    closer = CLOSERS[opener.text]
    while not cursor.sees(closer):
        items.append((yield item(cursor)))
        if not cursor.skip(","):
            break
    if not cursor.skip(closer):
        raise leftover(cursor)
    if not items and not empty_allowed:
        raise cursor.error("There is nothing in these brackets.", opener, "Write something there, or leave them out.")
    cursor.open.pop()
    return items


def literal_or_expression(cursor: Cursor) -> Step:
    """None and ... mean something to an index or a keyword, and nothing elsewhere."""
    token = cursor.token
    if cursor.sees("...") or (token.kind == "name" and token.text == "None"):
        cursor.take()
        return Node("number", token.start, token.end, value=... if token.kind == "sign" else None)
    return (yield expression(cursor))
