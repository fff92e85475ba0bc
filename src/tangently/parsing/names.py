"""What the names of a formula mean: functions, constants, arguments, or several arguments written together.

    f(x, y) = ...   the head names the formula and orders its arguments; y = ... only names it
    sin, ln, tr     functions, with the spellings of the blackboard (resolve)
    pi, e, tau, inf constants; e is always Euler's number
    xy              one name, unless x and y are names of this formula: then x y (split)

Splitting looks at the whole formula, so it runs between the scanner and the grammar. It happens where every letter is
declared or stands alone elsewhere (x + y + xy), where all parts have subscripts (x_1x_2), for e before a power (xe^x),
and for two or three letters in TeX braces (e^{xy}). Each split is noted.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..errors import ParseError
from .tokens import Token

CONSTANTS = {
    "pi": "pi", "π": "pi", "e": "e", "tau": "tau", "τ": "tau", "inf": "inf", "euler_gamma": "euler_gamma",
    "catalan": "catalan",
}  # fmt: skip
ALIASES = {
    "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh",
    "tr": "trace", "tg": "tan", "ctg": "cot", "cosec": "csc", "sgn": "sign", "lgamma": "loggamma", "Γ": "gamma",
    "fabs": "abs", "absolute": "abs", "LambertW": "lambertw", "acot": "arccot", "asec": "arcsec", "acsc": "arccsc",
    "acoth": "arccoth", "asech": "arcsech", "acsch": "arccsch", "normF": "norm_fro", "norm_F": "norm_fro",
    "norm_1": "norm1", "norm_2": "norm2", "norm_nuc": "nuclear_norm", "chol": "cholesky",
}  # fmt: skip
INVERSES = {
    name: "arc" + name
    for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "cot", "sec", "csc", "coth", "sech", "csch")
}
# Functions with the names that variables have: they are functions only in a formula that always applies them.
QUIET = frozenset({
    "beta", "zeta", "li", "Si", "Ci", "Ei", "jv", "jn", "yv", "iv", "kv", "frac", "comb", "binom", "inverse", "cross",
    "nuclear", "frobenius", "solve", "vec", "svd",
})  # fmt: skip
MODULES = frozenset({"np", "numpy", "math", "jnp", "torch", "scipy"})
SUBMODULES = frozenset({"linalg", "special", "nn", "functional", "numpy"})
LITERALS = {"True": True, "False": False, "None": None}

Functions = Mapping[str, Callable]


def resolve(name: str, functions: Functions) -> str | None:
    """The key of a function in its preferred spelling, or None: ln is log, asin is arcsin."""
    return next((found for found in (ALIASES.get(name, name), name) if found in functions), None)


def heard(functions: Functions, tokens: Sequence[Token], alone: frozenset[str]) -> Functions:
    """The functions without those of `QUIET` that this formula does not apply, or that stand on their own in it.

    beta(x, y) is the beta function; in beta m + (1 - beta) g it is a name like any other.
    """
    spoken = {word for token in tokens if token.kind == "name" for word in (token.text, token.text.lower())}
    silent = QUIET.intersection(functions) - (spoken - alone)
    return {name: f for name, f in functions.items() if name not in silent} if silent else functions


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The most similar of the choices, if any is similar at all."""
    return next(iter(difflib.get_close_matches(name.lower(), list(choices), 1)), None)


def is_function(name: str, functions: Functions, declared: Sequence[str] | None) -> bool:
    return name not in (declared or ()) and (resolve(name, functions) is not None or is_logarithm(name, functions))


def is_logarithm(name: str, functions: Functions) -> bool:
    """log_2, log_b: a logarithm that carries its base."""
    base = re.fullmatch(r"log_(\d+|[^\W\d_]\w*)", name)
    return base is not None and "log" in functions and not keyword.iskeyword(base[1])


def head(tokens: list[Token], text: str) -> tuple[str | None, tuple[str, ...] | None, list[Token]]:
    """Split f(x, y) = ... or y = ... into a name, the declared arguments and the body."""
    signs = list(top_level_equals(tokens))
    if not signs:
        return None, None, tokens
    if len(signs) > 1:
        raise ParseError("A second `=`.", text, tokens[signs[1]].start, "For equality write ==; one formula at a time.")
    left, body = tokens[: signs[0]], tokens[signs[0] + 1 :]
    shape = "".join(token.text if token.kind == "sign" else token.kind for token in left)
    if not re.fullmatch(r"name(\(name(,name)*\))?", shape):
        hint = "Write f(x) = ... or y = ..., or == for equality."
        raise ParseError("`=` in the middle of a formula.", text, tokens[signs[0]].start, hint)
    names = [token for token in left if token.kind == "name"]
    declared = tuple(token.text for token in names[1:]) if len(left) > 1 else None
    check_declared(names, text)
    return names[0].text, declared, body


def top_level_equals(tokens: list[Token]) -> Iterator[int]:
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "sign":
            depth += (token.text in "([{⌊⌈") - (token.text in ")]}⌋⌉")
            if token.text == "=" and depth == 0:
                yield index


def check_declared(names: list[Token], text: str) -> None:
    seen: set[str] = set()
    check_word(names[0], text)
    for token in names[1:]:
        if token.text in seen:
            raise ParseError(f"The argument {token.text} is declared twice.", text, token.start, "Rename one of them.")
        if CONSTANTS.get(token.text) in ("e", "pi", "inf") or token.text in LITERALS:
            raise ParseError(f"{token.text} is a constant, not an argument.", text, token.start, "Use another name.")
        seen.add(token.text)
        check_word(token, text)


def check_word(token: Token, text: str) -> None:
    if token.text == "lambda":
        raise ParseError("`lambda` is a word of Python.", text, token.start, "Write f(x) = ..., or λ for the letter.")
    if keyword.iskeyword(token.text) and token.text not in LITERALS:
        hint = f"Use another name, such as {token.text}_0."
        raise ParseError(f"`{token.text}` is a word of Python and can't be a name.", text, token.start, hint)


def prepare(
    tokens: list[Token], text: str, functions: Functions, declared: tuple[str, ...] | None
) -> tuple[list[Token], list[str]]:
    """Check the names of a body and split those that are products. Returns the tokens, and notes on the splits."""
    alone = set(declared) if declared is not None else standing_alone(tokens, functions)
    prepared, notes = split(tokens, text, functions, declared, alone)
    if (
        declared is None and (found := standing_alone(prepared, functions)) > alone
    ):  # xy e^{xy}: the braces tell of x, y
        return split(tokens, text, functions, declared, found)
    return prepared, notes


def split(
    tokens: list[Token], text: str, functions: Functions, declared: tuple[str, ...] | None, known: set[str]
) -> tuple[list[Token], list[str]]:
    prepared: list[Token] = []
    notes: list[str] = []
    for index, token, braced in in_braces(tokens):
        parts = [token.text]
        if token.kind == "name" and not is_mark(tokens, index):
            before, after = tokens[index - 1] if index else tokens[-1], tokens[index + 1]
            check_name(token, before, text, functions)
            if not is_function(token.text, functions, declared) and token.text not in CONSTANTS:
                parts = factors(token, before, after, known, braced)
                notes += note_parts(token.text, parts, known)
                check_glued(token, text, known, functions, notes)
        prepared += pieces(token, parts)
    return prepared, notes


def standing_alone(tokens: list[Token], functions: Functions) -> set[str]:
    """The short names (x, x1, x_1) that the formula uses on their own."""
    return {
        token.text
        for index, token in enumerate(tokens)
        if token.kind == "name"
        and re.fullmatch(r"[^\W\d_](_?\d+)?", token.text)
        and token.text not in CONSTANTS
        and token.text not in functions
        and not is_mark(tokens, index)
    }


def is_mark(tokens: list[Token], index: int) -> bool:
    """Is this the T of A^T or A^{T}, or an attribute?"""
    before = index - 1
    if index > 1 and tokens[before].text == "-" and tokens[index].text == "T" and tokens[before - 1].text in ("^", "{"):
        before -= 1  # X^-T
    if before > 0 and tokens[before].text == "{":
        before -= 1
    if before < 0 or tokens[before].text != "^" or tokens[index].text != "T":
        return index > 0 and tokens[index - 1].text == "."
    base = tokens[before - 1]  # a number has no transpose: 2^T is a power
    return base.kind not in ("number", "fraction") and base.text not in CONSTANTS


def in_braces(tokens: list[Token]) -> Iterator[tuple[int, Token, bool]]:
    """Each token, and whether it stands in TeX braces, as in e^{...} or \\frac{...}{...}."""
    waiting: list[bool] = []
    for index, token in enumerate(tokens):
        if token.kind == "sign" and token.text == "{":
            before = tokens[index - 1] if index else token
            waiting.append(any(waiting) or (before.text in ("^", "}", "]", "frac", "sqrt") and before.kind == "sign"))
        elif token.kind == "sign" and token.text == "}" and waiting:
            waiting.pop()
        yield index, token, bool(waiting and waiting[-1])


def note_parts(name: str, parts: list[str], known: set[str]) -> Iterator[str]:
    """Say how a name was split, or that it was not where it might have been."""
    if parts[0] == "T" and len(parts) > 1 and "T" not in known:
        yield f"read {name} as T {' '.join(parts[1:])}, where T marks the transpose"
    elif len(parts) > 1:
        yield f"read {name} as {'·'.join(parts)}; to make it one name, declare it: f({name}, ...) = ..."
    elif name not in known and name.isalpha() and name[0] != "Δ" and 1 < len(name) <= 3 and known.intersection(name):
        yield f"read {name} as one name; write {' '.join(name)} for the product"


def factors(token: Token, before: Token, after: Token, known: set[str], braced: bool) -> list[str]:
    """The names that a name is a product of; the name itself where it is one."""
    name = token.text
    parts = re.findall(r"[^\W\d_](?:_?\d+)?", name)
    if name in known or name in LITERALS or len(parts) < 2 or "".join(parts) != name or after.text == "=":
        return [name]
    letters = all(len(part) == 1 for part in parts)
    if before.text == "^" and parts[0] == "T" and "T" not in known and letters and len(parts) <= 3:  # x^TAx
        return parts
    base = {"e"} if after.kind == "sign" and after.text in ("^", "**") and parts[-1] == "e" else set()
    if set(parts) <= known | base or all("_" in part for part in parts) or (braced and letters and len(parts) <= 3):
        return parts
    return [name]


def pieces(token: Token, parts: list[str]) -> Iterator[Token]:
    """One token for each part, each at its own place if the spelling allows it."""
    if len(parts) == 1:
        yield token
        return
    exact = token.end - token.start == len(token.text)
    at = token.start
    for index, part in enumerate(parts):
        end = at + len(part) if exact else token.end
        yield token._replace(text=part, start=at, end=end, gap=token.gap and index == 0)
        at = end if exact else at


def check_name(token: Token, before: Token, text: str, functions: Functions) -> None:
    """Refuse Python's words, TeX commands that are not known, and d/dx."""
    check_word(token, text)
    command = text[token.start] == "\\" and text.startswith(token.text.split("_")[0], token.start + 1)
    if command and not is_function(token.text, functions, None) and token.text not in CONSTANTS:
        close = nearest(token.text, functions)
        hint = f"Did you mean \\{close}?" if close else "Write it with letters, digits and the usual signs."
        raise ParseError(f"The TeX command \\{token.text} is not known.", text, token.start, hint)
    over = before.kind == "sign" and before.text == "/" and re.search(r"(?<!\w)d$", text[: before.start].rstrip())
    if over and re.fullmatch(r"d\w", token.text):
        hint = "Give the function alone; ask for its derivative with derivative."
        raise ParseError(f"d/{token.text} is a derivative sign, not a formula.", text, token.start, hint)


def check_glued(token: Token, text: str, known: set[str], functions: Functions, notes: list[str]) -> None:
    """sinx: an error if x is a name of the formula, a note otherwise (cost may well be a cost)."""
    function, letter = token.text[:-1], token.text[-1]
    if len(function) < 2 or not letter.isalpha() or resolve(function, functions) is None or token.text in known:
        return
    if letter in known:
        hint = (
            f"Did you mean {function}({letter})? To use {token.text} as a name, declare it: f({token.text}, ...) = ..."
        )
        raise ParseError(f"{token.text} runs a function and its argument together.", text, token.start, hint)
    notes.append(f"read {token.text} as one name; write {function}({letter}) for the function {function}")
