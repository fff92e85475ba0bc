"""Text to tokens: Unicode, TeX and Python spellings of one sign become one token.

A regular expression of named groups cuts the text; each group has one function that makes its tokens. What
mathematicians write and programmers don't is rewritten here, so that the grammar never sees it:

    x²      x ^ ( 2 )          superscripts are cut again as plain text
    x₀ x_{0} 𝑥_0   x_0         compatibility forms are unified (NFKC), as Python does for identifiers
    2½      one token          a mixed number, not 2 times ½
    αx      α x                a Greek letter is a name of its own (only Δ joins what follows: Δx)
    \\alpha \\cdot \\left(        the same tokens as α · (

Every token keeps its place in the original text, so that a caret can point at it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from ..errors import ParseError

LONGEST_TEXT = 20_000


class Token(NamedTuple):
    """`kind` is number, fraction, name, subscript, sign or end; `gap` says that white space came before."""

    kind: str
    text: str
    start: int
    end: int
    gap: bool = False


SIGNS = {
    **dict.fromkeys("×∗•⊙", "*"),
    **dict.fromkeys("·⋅∙", "·"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("−–‐‑", "-"),
    **dict.fromkeys("′’", "'"),
    **dict.fromkeys("≤⩽", "<="),
    **dict.fromkeys("≥⩾", ">="),
    **dict.fromkeys("∣", "|"),
    **dict.fromkeys("∥", "‖"),
    **{"≠": "!=", "≡": "==", "≔": ":=", ":=": "=", "ᵀ": "⊤", "∧": "and", "∨": "or", "¬": "not", "…": "...", "^": "^"},
}
WORDS = frozenset({"and", "or", "not", "if", "else", "otherwise"})

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "varrho": "ρ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
TEX = {
    "cdot": "·", "times": "*", "ast": "*", "odot": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=",
    "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "land": "and", "wedge": "and", "lor": "or", "vee": "or",
    "neg": "not", "lnot": "not", "top": "⊤", "intercal": "⊤", "prime": "'", "vert": "|", "lvert": "|", "rvert": "|",
    "Vert": "‖", "lVert": "‖", "rVert": "‖", "|": "‖", "{": "{", "}": "}", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "frac": "frac", "dfrac": "frac", "tfrac": "frac", "sqrt": "sqrt", "lparen": "(", "rparen": ")",
    "lbrack": "[", "rbrack": "]",
}  # fmt: skip
TEX_SPACES = frozenset({
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr",
    "middle", "quad", "qquad", "displaystyle", "limits", "thinspace", ",", ";", ":", "!", ">", " ",
})  # fmt: skip
NOT_A_FORMULA = {
    **dict.fromkeys("\"`“”", "A formula has no strings; write names without quotation marks."),
    "$": "Leave out the dollar signs of TeX.",
    "#": "A formula has no comments; leave them out.",
    "∑": "Write a sum over an array as sum(...).",
    "∏": "Write a product over an array as prod(...).",
    "∫": "Give the function alone, without an integral sign.",
    "∂": "Give the function alone; ask for its derivative with partial or derivative.",
    "∇": "Give the function alone; ask for its gradient with grad.",
    "±": "One formula at a time: write it once with + and once with -.",
    "″": "Give the function alone; ask for its second derivative with derivative.",
    "&": 'For "and" write: and.',
    "_": "A name starts with a letter and has single underscores inside, such as w_1 or learning_rate.",
    "sum": "Write a sum over an array as sum(...).",
    "int": "Give the function alone, without an integral sign.",
    "partial": "Give the function alone; ask for its derivative with partial or derivative.",
    "nabla": "Give the function alone; ask for its gradient with grad.",
    "lim": "Give the function alone; ask for its limit with limit.",
}  # fmt: skip

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"


@cache
def cutter() -> re.Pattern[str]:
    """The regular expression that cuts a text; compiled when first used, so that importing costs nothing."""
    greek = "Α-ΡΣ-ωϑϕϵϱϖ"
    letter = rf"[^\W\d_{greek}{SUPERSCRIPTS}{SUBSCRIPTS}{FRACTIONS}ᵀ]"
    more = rf"(?:{letter}|[0-9])"
    below = rf"(?:_\{{[^{{}}]*\}}|_(?:{more}+|[{greek}][0-9]*)|[{SUBSCRIPTS}]+)"
    digits = "[0-9]+(?:_[0-9]+)*"
    groups = {
        "space": r"[\s\u200b-\u200d\u2060-\u2064\ufeff]+",
        "hexadecimal": r"0[xXbBoO][0-9A-Fa-f]+(?![A-Za-z])",
        "fraction": rf"[0-9]*[{FRACTIONS}]",
        "number": rf"(?:{digits}(?:\.(?!\.)(?:{digits})?)?|\.{digits})(?:[eE][+-]?{digits})?",
        "name": rf"log_[0-9]+|(?:[Δ∆]?{letter}{more}*|[{greek}∆][0-9]*){below}*",
        "styled": rf"\\(?:mathrm|mathbf|mathit|mathsf|mathcal|operatorname\*?|textrm|text|boldsymbol|bm|vec)"
        rf"\s*\{{\s*(?:{letter}{more}*|[{greek}])\s*\}}{below}*",
        "accented": rf"\\(?:hat|widehat|bar|overline|tilde|dot)\s*\{{\s*(?:{letter}|[{greek}])\s*\}}{below}*",
        "tex": rf"\\(?:log_[0-9]+|[A-Za-z]+{below}*|.)",
        "superscript": f"[{SUPERSCRIPTS}]+",
        "subscript": below,
        "sign": r"\*\*|//|\.[*/^]|<=|>=|==|!=|:=|\.\.\."
        r"|[-+*/%@^<>=!'|()\[\]{},;:.×∗•⊙·⋅∙÷∕⁄−–‐‑′’≤⩽≥⩾≠≡≔∧∨¬…ᵀ⊤√∛∜‖∥∣⌊⌋⌈⌉∞]",
    }
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups.items()), re.DOTALL)


def scan(text: str) -> list[Token]:
    """Cut a text into tokens; the last one has the kind "end"."""
    if len(text) > LONGEST_TEXT:
        message = f"A formula of {len(text):,} characters is too long: the limit is {LONGEST_TEXT:,}."
        raise ParseError(message, hint="Write it as a Python function instead.")
    tokens = list(cut(text, text, 0))
    return [*tokens, Token("end", "", len(text.rstrip()), len(text.rstrip()), True)]


def cut(piece: str, text: str, offset: int) -> Iterator[Token]:
    """The tokens of a piece that stands at `offset` of the text."""
    at, gap, cutter_ = 0, False, cutter()
    while at < len(piece):
        match = cutter_.match(piece, at)
        if match is None or match.lastgroup is None:
            raise unknown(piece[at], text, offset + at)
        found = list(MAKERS[match.lastgroup](match, text, offset))
        yield from (Token(t.kind, t.text, t.start, t.end, gap and n == 0) for n, t in enumerate(found))
        at, gap = match.end(), not found


def unknown(sign: str, text: str, position: int) -> ParseError:
    name = f" ({unicodedata.name(sign)})" if not sign.isascii() and unicodedata.name(sign, "") else ""
    hint = NOT_A_FORMULA.get(sign, "Leave it out, or write it with letters, digits and the usual signs.")
    return ParseError(f"`{sign}`{name} is not part of a formula.", text, position, hint)


def name_token(spelled: str, match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    """A name in its one spelling: x₀, x_{0} and x_0 are x_0."""
    start, end = offset + match.start(), offset + match.end()
    name = unicodedata.normalize("NFKC", lower(spelled, text, start)).replace("∆", "Δ")
    if not name.isidentifier():
        raise unknown(spelled[0], text, start)
    yield Token("sign" if name in WORDS else "name", name, start, end)


def lower(spelled: str, text: str, start: int) -> str:
    """Write subscripts in the Python way: w₁₂ and w_{12} as w_12, a_{1,2} as a_1_2."""
    for inside in re.findall(r"_\{([^{}]*)\}", spelled):
        if not re.fullmatch(r"\s*[^\W_]+(?:[\s,]+[^\W_]+)*\s*", inside):
            hint = "Write it with letters and digits only, such as x_12, or index an array: x[i + 1]."
            raise ParseError(f"The subscript `{{{inside}}}` is not a name.", text, start, hint)
    spelled = re.sub(r"_\{([^{}]*)\}", lambda braces: "_" + "_".join(re.findall(r"[^\s,]+", braces[1])), spelled)
    return re.sub(rf"(?<!_)(?=[{SUBSCRIPTS}])(?<![{SUBSCRIPTS}])", "_", spelled)  # NFKC makes them digits


def tex_tokens(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    word, below = re.fullmatch(r"\\([A-Za-z]+|.)(.*)", match[0], re.DOTALL).groups()  # type: ignore[union-attr]
    start, end = offset + match.start(), offset + match.end()
    if word in GREEK:
        yield from name_token(GREEK[word] + below, match, text, offset)
    elif word == "infty":
        yield Token("name", "inf", start, end)
    elif word in TEX and not below:
        yield Token("sign", TEX[word], start, end)
    elif word in NOT_A_FORMULA or not word.isalpha():
        if word not in TEX_SPACES:
            raise unknown_command(word, text, start)
    elif word not in TEX_SPACES:
        yield from name_token(word + below, match, text, offset)


def unknown_command(word: str, text: str, start: int) -> ParseError:
    hint = NOT_A_FORMULA.get(word, "Leave it out, or write it with letters, digits and the usual signs.")
    return ParseError(f"`\\{word}` is not part of a formula.", text, start, hint)


def plain(kind: str) -> Callable[[re.Match[str], str, int], Iterator[Token]]:
    return lambda match, text, offset: iter([Token(kind, match[0], offset + match.start(), offset + match.end())])


def space(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    return iter(())


def name(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    return name_token(match[0], match, text, offset)


def styled(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    word, below = re.fullmatch(r"[^{]*\{\s*(.*?)\s*\}(.*)", match[0], re.DOTALL).groups()  # type: ignore[union-attr]
    return name_token(word + below, match, text, offset)


def accented(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    pattern = r"\\(\w+)\s*\{\s*(.*?)\s*\}(.*)"
    accent, word, below = re.fullmatch(pattern, match[0], re.DOTALL).groups()  # type: ignore[union-attr]
    return name_token(f"{word}_{accent}{below}", match, text, offset)


def superscript(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    start, end = offset + match.start(), offset + match.end()
    yield Token("sign", "^", start, end)
    yield Token("sign", "(", start, end)
    yield from cut(unicodedata.normalize("NFKC", match[0]), text, start)  # one character each, so places agree
    yield Token("sign", ")", start, end)


def sign(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    start, end, spelled = offset + match.start(), offset + match.end(), SIGNS.get(match[0], match[0])
    yield Token("name", "inf", start, end) if spelled == "∞" else Token("sign", SIGNS.get(spelled, spelled), start, end)


def hexadecimal(match: re.Match[str], text: str, offset: int) -> Iterator[Token]:
    hint = "Write the number in decimal digits; for a product write 0*x."
    raise ParseError(f"`{match[0]}` is not a decimal number.", text, offset + match.start(), hint)


MAKERS: dict[str, Callable[[re.Match[str], str, int], Iterator[Token]]] = {
    "space": space,
    "hexadecimal": hexadecimal,
    "fraction": plain("fraction"),
    "number": plain("number"),
    "name": name,
    "styled": styled,
    "accented": accented,
    "tex": tex_tokens,
    "superscript": superscript,
    "subscript": plain("subscript"),
    "sign": sign,
}

CLOSERS = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}


def check_brackets(tokens: list[Token], text: str) -> None:
    """Every bracket is closed by its own kind; bars, which open and close alike, are left to the grammar."""
    waiting: list[Token] = []
    for token in tokens:
        if token.kind == "sign" and token.text in CLOSERS:
            waiting.append(token)
        elif token.kind == "sign" and token.text in CLOSERS.values():
            if not waiting:
                raise ParseError(f"This `{token.text}` closes nothing.", text, token.start, "Leave it out, or open it.")
            opener = waiting.pop()
            if CLOSERS[opener.text] != token.text:
                message = f"This `{opener.text}` is closed by `{token.text}`."
                raise ParseError(message, text, opener.start, f"Close it with `{CLOSERS[opener.text]}`.")
    if waiting:
        opener = waiting[-1]
        raise ParseError(f"This `{opener.text}` is never closed.", text, opener.start, f"Add `{CLOSERS[opener.text]}`.")
