"""What can follow an operand: operators with two sides, comparisons, powers, and marks behind (x! x' x[0] x.T).

Where a spelling is read in two ways by honest people, as 1/2x is, one reading is taken and a note says which.
"""

from __future__ import annotations

from dataclasses import replace

from .calls import arguments
from .cursor import (
    Cursor,
    Extension,
    Step,
    expression,
    listed,
    literal_or_expression,
    missing_operand,
    need,
    number_after,
    unknown_function,
)
from .names import nearest, resolve
from .tokens import Token
from .tree import COMPARISON, COMPARISONS, CONDITIONAL, OPERATORS, POSTFIX, POWER, PRODUCT, Node, join

METHODS = frozenset({"sum", "mean", "prod", "std", "var", "max", "min", "dot", "trace", "clip"})


def binary(cursor: Cursor, left: Node) -> Step:
    sign = cursor.take()
    right = yield expression(cursor, OPERATORS[sign.text].binding + 1)
    if sign.text == "/":
        note_quotient(cursor, left, right)
    return join(sign.text, left, right)


def note_quotient(cursor: Cursor, left: Node, right: Node) -> None:
    """sin x/2 and x^1/2 are read from left to right; say so."""
    last = left.parts[-1] if left.kind in ("juxtapose", "*") and not left.form else left
    if last.form == "bare":
        inside = last.parts[0] if last.kind == "call" else last.parts[0].parts[0]
        name = cursor.text[last.start : inside.start].strip()
        other = f"{name}({cursor.source(inside, right)})"
        reading = f"({cursor.source(last)})/{cursor.source(right)}"
        cursor.note(f"read {cursor.source(last, right)} as {reading}; write {other} for the other")
    if left.kind == "**" and not left.form and left.parts[1].value == 1 and right.kind == "number":
        base = cursor.source(left.parts[0])
        other = f"{base}^(1/{right.value}) for the root"
        cursor.note(f"read {cursor.source(left, right)} as ({cursor.source(left)})/{right.value}; write {other}")


def dot(cursor: Cursor, left: Node) -> Step:
    """x·y: written out, but read as x y, so that it is a product of matrices where they are matrices."""
    cursor.take()
    right = yield expression(cursor, PRODUCT + 1)
    return join("juxtapose", left, right, value="·")


def side_by_side(cursor: Cursor, left: Node) -> Step:
    """x y: a product without a sign."""
    token, before = cursor.token, cursor.before
    if token.kind in ("number", "fraction"):
        raise number_after(cursor, before)
    right = yield expression(cursor, PRODUCT + 1)
    if before.kind == "name" and token.text == "(" and not token.gap and left.kind != "transpose":
        if right.kind == "array":
            raise unknown_function(cursor, before)
        cursor.note(f"read {cursor.source(left, right)} as a product, because {before.text} is not a function")
    note_typo(cursor, left)
    if left.kind == "/" and not left.form:
        top, bottom = map(cursor.source, left.parts)
        other = f"{top}/({bottom}{' ' * token.gap}{cursor.source(right)})"
        cursor.note(
            f"read {cursor.source(left, right)} as ({top}/{bottom})·{cursor.source(right)}; write {other} for the other"
        )
    return join("juxtapose", left, right)


def note_typo(cursor: Cursor, left: Node) -> None:
    """lgo x is a product of names, but hardly meant to be; only looked for in short formulas, as it takes time."""
    if left.kind != "name" or len(left.value) < 3 or len(cursor.tokens) > 200 or cursor.declared:
        return
    close = nearest(left.value, cursor.functions)
    if close and (sorted(close) == sorted(left.value) or close == left.value[:-1]):
        cursor.note(f"read {left.value} as a name; did you mean the function {close}?")


def power(cursor: Cursor, left: Node) -> Step:
    """a ^ b, from right to left; A^T is a transpose; e^u is exp(u), which has the better derivative."""
    sign = cursor.take()
    if sign.text == "^" and (end := transpose_end(cursor, left)):
        cursor.at = end
        return replace(join("transpose", left), end=cursor.before.end)
    if sign.text == "^" and (end := inverse_end(cursor, left)):
        one = Node("number", cursor.token.start, cursor.token.end, value=-1)
        cursor.at = end
        return replace(join("transpose", join("**", left, one)), end=cursor.before.end)
    right = yield expression(cursor, POWER)
    if left.kind == "constant" and left.value == "e" and "exp" in cursor.functions:
        return Node("call", left.start, right.end, (right,), ("exp", ()))
    return join(".^" if sign.text == ".^" else "**", left, right)


def inverse_end(cursor: Cursor, base: Node) -> int | None:
    """Where -T or {-T} ends: the transpose of the inverse."""
    braces = int(cursor.sees("{"))
    minus = cursor.tokens[cursor.at + braces]
    if minus.kind != "sign" or minus.text != "-":
        return None
    at = cursor.at
    cursor.at += braces + 1
    end = None if braces and cursor.tokens[cursor.at + 1].text != "}" else transpose_end(cursor, base)
    cursor.at = at
    return end + braces if end else None


def transpose_end(cursor: Cursor, base: Node) -> int | None:
    """Where T, ⊤, {T} or {⊤} ends, if that is what the exponent is."""
    braces = cursor.sees("{") and cursor.tokens[cursor.at + 2].text == "}"
    mark = cursor.tokens[cursor.at + braces]
    top = mark.kind == "sign" and mark.text == "⊤"
    letter = mark.kind == "name" and mark.text == "T" and base.kind not in ("number", "constant")
    if letter and "T" in (cursor.declared or cursor.names):
        cursor.note("read T as an argument; write .T for a transpose")
        return None
    return cursor.at + (3 if braces else 1) if top or letter else None


def comparison(cursor: Cursor, left: Node) -> Step:
    sign, signs, parts = cursor.token, [], [left]
    while cursor.token.kind == "sign" and cursor.token.text in COMPARISONS:
        signs.append(cursor.take().text)
        parts.append((yield expression(cursor, COMPARISON + 1)))
    if len(signs) > 1:
        need(cursor, "logical_and", sign)
    return join("compare", *parts, value=tuple(signs))


def logical(cursor: Cursor, left: Node) -> Step:
    need(cursor, f"logical_{cursor.token.text}", cursor.token)
    return binary(cursor, left)


def conditional(cursor: Cursor, left: Node) -> Step:
    """a if c else b."""
    need(cursor, "where", sign := cursor.take())
    condition = yield expression(cursor, CONDITIONAL + 1)
    if not cursor.skip("else"):
        raise cursor.error("This `if` has no `else`.", sign, "Write: a if condition else b.")
    other = yield expression(cursor, CONDITIONAL)
    return join("conditional", condition, left, other)


def factorial(cursor: Cursor, left: Node) -> Step:
    """x! is Γ(x + 1)."""
    sign = cursor.take()
    if cursor.sees("!"):
        raise cursor.error("`!!` has two readings.", hint="Write (x!)! for the factorial of a factorial.")
    one = Node("number", sign.start, sign.end, value=1)
    return join("call", join("+", left, one), value=(need(cursor, "gamma", sign), ()))


def transpose(cursor: Cursor, left: Node) -> Step:
    """x' or xᵀ."""
    sign, before = cursor.take(), cursor.tokens[cursor.at - 2]
    if sign.gap and sign.text == "'":
        raise cursor.error("A formula has no strings.", sign, "For a transpose put the prime right after: x'.")
    if cursor.sees("'") and sign.text == "'":
        hint = "Give the function alone; ask for its second derivative with derivative."
        raise cursor.error("Two primes are not part of a formula.", sign, hint)
    if before.kind == "name" and cursor.sees("(") and not cursor.token.gap:
        cursor.note(f"read {before.text}' as the transpose of {before.text}; a derivative is asked for with derivative")
    return replace(join("transpose", left), end=sign.end)


def index(cursor: Cursor, left: Node) -> Step:
    """x[0], A[1, 2:], x[..., None]."""
    items = yield listed(cursor, cursor.take(), index_item)
    return Node("index", left.start, cursor.before.end, (left, *items))


def index_item(cursor: Cursor) -> Step:
    """One axis of an index: an expression, or a slice whose parts may be left out."""
    first, bounds = cursor.token, []
    while True:
        empty = cursor.sees(":", ",", "]")
        bounds.append(nothing(cursor.token) if empty else (yield literal_or_expression(cursor)))
        if len(bounds) == 3 or not cursor.skip(":"):
            break
    if len(bounds) == 1 and empty:
        raise missing_operand(cursor)
    if len(bounds) == 1:
        return bounds[0]
    bounds += [nothing(cursor.token)] * (3 - len(bounds))
    return Node("slice", first.start, max(first.end, cursor.before.end), tuple(bounds))


def nothing(token: Token) -> Node:
    return Node("number", token.start, token.start, value=None)


def attribute(cursor: Cursor, left: Node) -> Step:
    """x.T, x.sum(), x.mean(axis=0): nothing else of an object can be reached."""
    cursor.take()
    word = cursor.take()
    if word.kind == "name" and word.text == "T":
        return replace(join("transpose", left), end=word.end)
    if word.kind != "name" or word.text not in METHODS or resolve(word.text, cursor.functions) is None:
        hint = "A formula may use .T, .sum(), .mean() and their like."
        raise cursor.error(f"`.{word.text}` can't be used in a formula.", word, hint)
    if not cursor.sees("("):
        raise cursor.error(f".{word.text} needs brackets.", word, f"Write .{word.text}().")
    return arguments(cursor, word, left)


EXTENSIONS: dict[str, tuple[int, Extension]] = {
    "": (PRODUCT, side_by_side),
    **{sign: (OPERATORS[sign].binding, binary) for sign in ("+", "-", "*", "/", "//", "%", "@", ".*", "./")},
    **dict.fromkeys(COMPARISONS, (COMPARISON, comparison)),
    **{sign: (OPERATORS[sign].binding, logical) for sign in ("and", "or")},
    **dict.fromkeys(("^", "**", ".^"), (POWER, power)),
    **dict.fromkeys(("'", "⊤"), (POSTFIX, transpose)),
    "·": (PRODUCT, dot),
    "if": (CONDITIONAL, conditional),
    "!": (POSTFIX, factorial),
    "[": (POSTFIX, index),
    ".": (POSTFIX, attribute),
}
