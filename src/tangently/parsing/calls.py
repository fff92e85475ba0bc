"""Names, and functions applied: sin(x), sin 2x, sin^2 x, sin^-1 x, log_2 x, np.sin(x), max(a, b), sum(x, axis=0).

A function without brackets takes the product that follows it, up to the next function or operator: sin 2x cos x is
sin(2x) cos(x). The number of arguments is checked against the function's own signature, while the text is at hand.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import replace

from ..errors import ParseError
from .cursor import (
    Cursor,
    Step,
    applies,
    closes_bar,
    expression,
    listed,
    literal_or_expression,
    missing_operand,
    number_after,
    starts_operand,
    unknown_function,
    whole_number,
)
from .names import CONSTANTS, INVERSES, LITERALS, MODULES, SUBMODULES, is_logarithm, resolve
from .tokens import Token
from .tree import POWER, SIGN, Node, join


def named(cursor: Cursor) -> Step:
    """A name: a function to apply, a constant, True or False, or an argument."""
    strip_module(cursor)
    token, after = cursor.token, cursor.tokens[cursor.at + 1]
    key = function_key(cursor, token, after)
    if key:
        return application(cursor, key)
    cursor.take()
    if token.text in LITERALS and LITERALS[token.text] is not None:
        return Node("number", token.start, token.end, value=LITERALS[token.text])
    if token.text in LITERALS:
        hint = "None may stand in an index or after a keyword, axis=None."
        raise cursor.error("None is not a value here.", token, hint)
    if token.text in CONSTANTS and token.text not in (cursor.declared or ()):
        return constant(cursor, token)
    if after.kind == "sign" and after.text == "(" and not multiplies(cursor, token):
        raise unknown_function(cursor, token)
    return Node("name", token.start, token.end, value=token.text)


def strip_module(cursor: Cursor) -> None:
    """np.sin, math.pi, np.linalg.norm: the module says nothing."""
    token, after = cursor.token, cursor.tokens[cursor.at + 1]
    if token.text not in MODULES or after.text != "." or token.text in (cursor.declared or ()):
        return
    cursor.at += 2
    while cursor.token.text in SUBMODULES and cursor.tokens[cursor.at + 1].text == ".":
        cursor.at += 2
    word = cursor.token
    if word.kind != "name":
        raise missing_operand(cursor)
    if word.text not in CONSTANTS and resolve(word.text, cursor.functions) is None:
        raise unknown_function(cursor, word)


def constant(cursor: Cursor, token: Token) -> Node:
    value = CONSTANTS[token.text]
    if value == "e":
        cursor.note("read e as Euler's number 2.71828…")
    if value == "tau":
        cursor.note(
            f"read {token.text} as the constant 2π = 6.28318…; declare it to use it as a name: f({token.text}) = ..."
        )
    return Node("constant", token.start, token.end, value=value)


def function_key(cursor: Cursor, token: Token, after: Token) -> str | None:
    """The function that a name stands for, if it stands for one here."""
    applied = after.kind == "sign" and after.text == "("
    if token.text in CONSTANTS or token.text in (cursor.declared or ()):
        return None
    if token.text == "σ" and applied and "σ" not in cursor.names and "sigmoid" in cursor.functions:
        cursor.note("read σ(...) as the sigmoid function")
        return "sigmoid"
    if resolve(token.text, cursor.functions) and (token.text != "Γ" or applied):
        return resolve(token.text, cursor.functions)
    if is_logarithm(token.text, cursor.functions):
        return token.text
    loud = len(token.text) > 1 and applied and token.text not in cursor.names  # ReLU(x), Log(x)
    return resolve(token.text.lower(), cursor.functions) if loud else None


def multiplies(cursor: Cursor, token: Token) -> bool:
    """May this name be a factor before a bracket, x(x + 1)? A short name may, and one that is used elsewhere."""
    short = re.fullmatch(r"[^\W\d_](_?\w)?|[^\W\d_]_\w+", token.text)
    return bool(short) or token.text in (cursor.declared or cursor.names)


def application(cursor: Cursor, key: str) -> Step:
    """sin(x), sin x, sin^2 x, sin^-1 x, log_2 x, max(a, b)."""
    token = cursor.take()
    exponent = None
    if cursor.sees("^", "**"):
        cursor.take()
        exponent = yield expression(cursor, POWER + 1)
        key, exponent = inverse(cursor, token, key, exponent)
    bracketed = cursor.sees("(", "{")
    if bracketed:
        call = yield arguments(cursor, token, key=key)
    elif starts_operand(cursor.token) or leaning_minus(cursor):
        call = yield bare(cursor, token, key)
    else:
        raise no_argument(cursor, token)
    form = "" if bracketed else "bare"
    return join("**", call, exponent, form=form) if exponent else call


def leaning_minus(cursor: Cursor) -> bool:
    """exp -x is exp(-x), but gamma - x and gamma-x lack an argument."""
    return cursor.sees("-") and cursor.token.gap and not cursor.tokens[cursor.at + 1].gap


def inverse(cursor: Cursor, token: Token, key: str, exponent: Node) -> tuple[str, Node | None]:
    """sin^-1 is arcsin; only an exponent of exactly -1 means the inverse function."""
    minus_one = exponent.kind == "negative" and exponent.parts[0].value == 1 and exponent.parts[0].kind == "number"
    if not minus_one:
        return key, exponent
    if (found := INVERSES.get(key)) is None or (found := resolve(found, cursor.functions)) is None:
        hint = f"Write 1/{token.text}(x) for the reciprocal."
        raise cursor.error(f"{token.text}^-1 has two readings, and no inverse is known.", token, hint)
    cursor.note(f"read {token.text}^-1 as the inverse function {found}, not as 1/{token.text}")
    return found, None


def no_argument(cursor: Cursor, token: Token) -> ParseError:
    if cursor.sees("'"):
        hint = "Give the function alone; ask for its derivative with derivative."
        return cursor.error(f"{token.text}' is a derivative sign, not a formula.", token, hint)
    hint = f"Write {token.text}(x)."
    if cursor.at > 1 or cursor.token.kind != "end":
        hint += f" To use {token.text} as a name, declare it: f({token.text}, ...) = ..."
    return cursor.error(f"The function {token.text} needs an argument.", token, hint)


def bare(cursor: Cursor, token: Token, key: str) -> Step:
    """A function without brackets takes the product that follows, up to the next function."""
    first = cursor.token
    inside = yield expression(cursor, SIGN)
    while starts_operand(cursor.token) and not closes_bar(cursor) and not applies(cursor):
        if cursor.token.kind in ("number", "fraction"):
            raise number_after(cursor, cursor.before)
        bracket = cursor.token.kind == "sign" and first.kind not in ("number", "fraction")
        inside = join("juxtapose", inside, (yield expression(cursor, POWER)))
        if bracket:
            product = cursor.source(inside)
            cursor.note(f"read {token.text} {product} as {token.text}({product})")
    return call_node(cursor, token, key, [inside], (), inside.end, "bare")


def arguments(cursor: Cursor, token: Token, receiver: Node | None = None, key: str = "") -> Step:
    """The arguments in brackets, with keywords last."""
    keywords: list[str] = []
    values = yield listed(cursor, cursor.take(), lambda inner: argument(inner, keywords), empty_allowed=True)
    values = [receiver, *values] if receiver else values
    key = key or str(resolve(token.text, cursor.functions))
    node = call_node(cursor, token, key, values, tuple(keywords), cursor.before.end)
    return replace(node, start=receiver.start) if receiver else node


def argument(cursor: Cursor, keywords: list[str]) -> Step:
    word, after = cursor.token, cursor.tokens[cursor.at + 1]
    if word.kind == "name" and after.kind == "sign" and after.text == "=":
        if word.text in keywords:
            raise cursor.error(f"The keyword {word.text} is given twice.")
        keywords.append(word.text)
        cursor.at += 2
        return (yield literal_or_expression(cursor))
    if keywords:
        raise cursor.error(f"A plain argument comes after the keyword {keywords[-1]}.", hint="Put keywords last.")
    return (yield expression(cursor))


def call_node(
    cursor: Cursor, token: Token, key: str, values: list[Node], keywords: tuple[str, ...], end: int, form: str = ""
) -> Node:
    """A call, its arguments checked; log_b(x) becomes log(x)/log(b)."""
    logarithm = key not in cursor.functions
    check_arguments(cursor, token, "log" if logarithm else key, len(values) - len(keywords), keywords)
    if not logarithm:
        return Node("call", token.start, end, tuple(values), (key, keywords), form)
    base = key.removeprefix("log_")
    own = "log" if base == "e" else f"log{base}"
    if own in cursor.functions:
        return Node("call", token.start, end, tuple(values), (own, keywords), form)
    logs = [
        Node("call", token.start, end, parts, ("log", ()))
        for parts in (tuple(values), (base_of_logarithm(cursor, token, base),))
    ]
    return Node("/", token.start, end, tuple(logs), form="grouped")


def base_of_logarithm(cursor: Cursor, token: Token, base: str) -> Node:
    if base.isdigit():
        return Node("number", token.start, token.end, value=whole_number(cursor, token, base))
    kind = "constant" if base in CONSTANTS else "name"
    return Node(kind, token.start, token.end, value=CONSTANTS.get(base, base))


def check_arguments(cursor: Cursor, token: Token, key: str, given: int, keywords: tuple[str, ...]) -> None:
    """As many arguments as the function takes, as far as its signature tells."""
    least, most, allowed = arity(cursor.functions[key])
    named_ = [word for word in keywords if allowed is not None and word not in allowed]
    if named_:
        hint = f"It knows {', '.join(allowed)}." if allowed else "It takes no keywords."  # type: ignore[arg-type]
        raise cursor.error(f"{token.text} has no keyword {named_[0]}.", token, hint)
    if given > most or given + len(keywords) < least:
        wanted = str(least) if least == most else f"at least {least}" if most == math.inf else f"{least} to {int(most)}"
        hint = f"Write {token.text}({', '.join('xyzuvw'[: max(least, 1)])})."
        raise cursor.error(f"{token.text} takes {wanted} argument{'s' * (wanted != '1')}, not {given}.", token, hint)


def arity(function: Callable) -> tuple[int, float, list[str] | None]:
    """The least and the largest number of arguments, and the keywords (None: any)."""
    if isinstance(count := getattr(function, "nin", None), int):  # a universal function of NumPy
        return count, count, None
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built in C without a signature: nothing is known, so nothing is refused
        return 0, math.inf, None
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in plain)
    most = math.inf if any(p.kind == p.VAR_POSITIONAL for p in parameters) else len(plain)
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return least, most, None
    return least, most, [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
