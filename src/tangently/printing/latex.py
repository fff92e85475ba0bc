r"""LaTeX: what amsmath, MathJax and KaTeX read, without macros of our own.

Delimiters grow (`\left … \right`) only around tall content, so that f(x) keeps plain parentheses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tangently.expr import Expr
from tangently.printing.linear import alternating, layout_of, signed_terms
from tangently.printing.names import GREEK
from tangently.printing.nodes import (
    CIRCLE,
    DOT,
    FUNCTION,
    LETTER,
    THIN,
    TOUCHING,
    Accent,
    Alias,
    Atom,
    Big,
    Call,
    Cases,
    Fence,
    Frac,
    Grid,
    Layout,
    Product,
    Relation,
    Root,
    Row,
    Script,
    Sum,
    fold,
    regrouped,
    vulgar,
)

_NAMES = """
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth ln log lg exp det dim arg max min sup inf lim gcd
"""
_KNOWN = frozenset(_NAMES.split())
_SYMBOLS = {
    "−": "-", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "→": r"\to", "⇒": r"\Rightarrow", "∈": r"\in",
    "∧": r"\land", "∨": r"\lor", "¬": r"\lnot", "mod": r"\bmod", "∇": r"\nabla", "∂": r"\partial", "∞": r"\infty",
    "⊤": r"\top", "′": r"\prime", "″": r"\prime\prime", "‴": r"\prime\prime\prime", "∑": r"\sum", "∏": r"\prod",
    "∫": r"\int", "…": r"\dots", "×": r"\times", "·": r"\cdot", "⊙": r"\odot", "⊗": r"\otimes", "∘": r"\circ",
    "±": r"\pm", "lim": r"\lim", "max": r"\max", "min": r"\min", "sup": r"\sup", "inf": r"\inf", "ℝ": r"\mathbb{R}",
    ":=": r"\mathrel{:=}", ">": ">", "<": "<",
} | {letter: "\\" + word for word, letter in GREEK.items()}  # fmt: skip
_GREEK_LETTERS = frozenset(GREEK.values())
_JOINTS = {TOUCHING: "", THIN: r"\,", LETTER: " ", FUNCTION: " ", DOT: r" \cdot ", CIRCLE: r" \odot "}
_LEFT = {"|": r"\lvert ", "‖": r"\lVert ", "⌊": r"\lfloor ", "⌈": r"\lceil ", "⟨": r"\langle ", "{": r"\{"}
_RIGHT = {"|": r" \rvert", "‖": r" \rVert", "⌋": r" \rfloor", "⌉": r" \rceil", "⟩": r" \rangle", "}": r"\}"}
_ACCENTS = {"bar": r"\bar", "hat": r"\hat", "tilde": r"\tilde"}
_SPECIAL = {
    " ": r"\ ",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "\\": r"\backslash ",
}
_SPECIAL |= {"^": r"\hat{\ }", "~": r"\sim "}
_TALL = (r"\frac", r"\begin", r"\sqrt", r"\sum", r"\prod", r"\left", r"\lim")


def to_latex(what: Expr | Layout, names: Mapping[Expr, str] | None = None) -> str:
    r"""LaTeX, to be set between dollar signs.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> x, w = symbol("x"), symbol("w_0")
    >>> print(to_latex(TABLE["sin"](w * x) / (1 + x**2)))
    \frac{\sin(w_{0} x)}{1 + x^{2}}
    """
    return fold(layout_of(what, names), _LATEX)


def _atom(node: Atom) -> str:
    text = node.text
    if node.role == "function":
        return "\\" + text if text in _KNOWN else _SYMBOLS.get(text) or rf"\operatorname{{{_escaped(text)}}}"
    if text in _SYMBOLS and (len(text) == 1 or node.role == "operator"):
        return _SYMBOLS[text]
    if node.role == "variable":
        return _letters(text)
    return text if node.role == "number" or not any(c.isalpha() for c in text) else rf"\text{{{_escaped(text)}}}"


def _letters(text: str) -> str:
    return _escaped(text) if len(text) == 1 else rf"\mathrm{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(c, _SYMBOLS[c] + " " if c in _GREEK_LETTERS else c) for c in text)


def _product(node: Product, *factors: str) -> str:
    small = [rf"\t{f[1:]}" if vulgar(part) else f for part, f in zip(node.factors, factors)]
    return alternating(small, [_JOINTS[j] for j in node.joints])


def _frac(node: Frac, over: str, under: str) -> str:
    return f"{over}/{under}" if node.slash else rf"\frac{{{over}}}{{{under}}}"


def _script(node: Script, base: str, sub: str | None, sup: str | None) -> str:
    return base + ("" if sub is None else f"_{{{sub}}}") + ("" if sup is None else f"^{{{sup}}}")


def _call(node: Call, name: str, *args: str) -> str:
    return f"{name} {args[0]}" if node.bare else name + _delimited("(", ", ".join(args), ")")


def _delimited(left: str, body: str, right: str) -> str:
    opening, closing = _LEFT.get(left, left), _RIGHT.get(right, right)
    if not any(mark in body for mark in _TALL):
        return opening + body.strip() + closing
    grown = {r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|"}
    opening, closing = grown.get(opening.strip(), opening.strip()), grown.get(closing.strip(), closing.strip())
    return rf"\left{opening} {body} \right{closing}"


def _grid(node: Grid, *cells: str) -> str:
    rows = [" & ".join(row) for row in regrouped(node, cells)]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def _cases(node: Cases, *parts: str) -> str:
    values, conditions = parts[: len(node.values)], parts[len(node.values) :]
    tails = [r"\text{otherwise}" if c is None else rf"\text{{if }} {c}" for c in conditions]
    rows = [f"{value} & {tail}" for value, tail in zip(values, tails)]
    return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"


def _big(node: Big, sub: str | None, body: str) -> str:
    symbol = _SYMBOLS.get(node.symbol) or rf"\operatorname*{{{_escaped(node.symbol)}}}"
    return symbol + (f"_{{{sub}}}" if sub else "") + " " + body


def _root(node: Root, body: str, degree: str | None) -> str:
    return rf"\sqrt{f'[{degree}]' if degree else ''}{{{body}}}"


def _relation(node: Relation, *sides: str) -> str:
    return alternating(sides, [f" {_SYMBOLS.get(s, s)} " for s in node.symbols])


_LATEX: dict[type, Callable[..., str]] = {
    Atom: _atom,
    Alias: lambda node, shown, code: shown,
    Sum: lambda node, *terms: signed_terms(node.signs, terms, "-"),
    Product: _product,
    Frac: _frac,
    Script: _script,
    Root: _root,
    Call: _call,
    Fence: lambda node, body: _delimited(node.left, body, node.right),
    Relation: _relation,
    Grid: _grid,
    Cases: _cases,
    Big: _big,
    Accent: lambda node, base: f"{_ACCENTS.get(node.mark, chr(92) + node.mark)}{{{base}}}",
    Row: lambda node, *items: (r"\, " if node.gap else " ").join(items),
}
