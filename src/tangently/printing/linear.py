"""One line: unicode text for people, and an expression in the syntax of Python.

Both walk the flattened tree (`nodes.flat`), where fractions have a slash and the parentheses that it needs. A script
uses the raised and lowered characters of Unicode where all of it exists there, x⁻¹ and xᵢ, and ^(…) or _(…) else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from tangently.expr import Expr
from tangently.printing.names import E
from tangently.printing.nodes import (
    ATOM,
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
    core,
    flat,
    fold,
    regrouped,
    split_sign,
    vulgar,
)
from tangently.printing.notation import tree

_RAISED = dict(
    zip(
        "0123456789+−-=()abcdefghijklmnoprstuvwxyz⊤′″‴*,",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ′″‴*,",
    )
)
_LOWERED = dict(zip("0123456789+−-=()aehijklmnoprstuvxβγρφχ,", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ,"))
MARKS = {"hat": "̂", "bar": "̄", "tilde": "̃", "dot": "̇", "ddot": "̈", "dddot": "⃛", "ddddot": "⃜"}
_SCRIPT_LIMIT = 7  # longer scripts are hard to read in small characters
JOINTS = {TOUCHING: "", THIN: " ", LETTER: " ", FUNCTION: " ", DOT: "·", CIRCLE: " ⊙ "}
RADICALS = {"": "√", "3": "∛", "4": "∜"}


def to_text(what: Expr | Layout, names: Mapping[Expr, str] | None = None) -> str:
    """One line of unicode text.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> x = symbol("x")
    >>> to_text(3 * x**2 * TABLE["sin"](x) + x**3 * TABLE["cos"](x)), to_text(2 * (x + 1) / (x**2 + 1))
    ('3x² sin x + x³ cos x', '2(x + 1)/(x² + 1)')
    """
    return fold(flat(layout_of(what, names), one_line=True), _TEXT)


def layout_of(what: Expr | Layout, names: Mapping[Expr, str] | None) -> Layout:
    return what if isinstance(what, Layout) else tree(what, names)


# ---------------------------------------------------------------- text


def raised(text: str) -> str | None:
    """Text in superscript characters; None where they don't exist or would be hard to read: words, parentheses.

    >>> raised("−1"), raised("x + 1"), raised("x/2"), raised("x y")
    ('⁻¹', 'ˣ⁺¹', None, None)
    """
    letters = text.replace(" ", "")
    is_word = any(a.isalpha() and b.isalpha() for a, b in pairwise(letters))
    is_nested = "(" in letters and not letters[1:-1].isdigit()  # f⁽⁴⁾ is well known
    return None if is_word or is_nested else _translated(text, _RAISED)


def lowered(text: str) -> str | None:
    return _translated(text, _LOWERED)


def _translated(text: str, table: Mapping[str, str]) -> str | None:
    letters = text.replace(" ", "")
    known = len(letters) <= _SCRIPT_LIMIT and all(c in table for c in letters)
    return "".join(table[c] for c in letters) if known else None


def signed_terms(signs: Sequence[int], terms: Sequence[str], minus: str = "−") -> str:
    first = terms[0] if signs[0] > 0 else minus + terms[0]
    return first + "".join(f" {'+' if s > 0 else minus} {t}" for s, t in zip(signs[1:], terms[1:]))


def alternating(pieces: Sequence[str], between: Sequence[str]) -> str:
    """Pieces with what stands between them."""
    return pieces[0] + "".join(j + p for j, p in zip(between, pieces[1:]))


def marked(text: str, mark: str) -> str:
    return unicodedata.normalize("NFC", text + MARKS[mark])


def _script(node: Script, base: str, sub: str | None, sup: str | None) -> str:
    text = base
    if sub is not None:
        text += lowered(sub) or ("_" + sub if sub.isalnum() else f"_({sub})")
    if sup is not None:
        text += raised(sup) or ("^" + sup if _is_word(node.sup, sup) else f"^({sup})")
    return text


def _is_word(node: Layout | None, text: str) -> bool:
    """May the text follow ^ or _ without parentheses?"""
    return type(core(node)) is Atom and text.replace(".", "").replace("…", "0").isalnum()  # type: ignore[arg-type]


def _root(node: Root, body: str, degree: str | None) -> str:
    sign = RADICALS.get(degree or "") or f"{raised(degree or '') or f'({degree})'}√"
    return sign + (body if node.body.level == ATOM else f"({body})")


def _cases(node: Cases, *parts: str) -> str:
    values, conditions = parts[: len(node.values)], parts[len(node.values) :]
    rows = [f"{v} {'otherwise' if c is None else f'if {c}'}" for v, c in zip(values, conditions)]
    return "{" + "; ".join(rows) + "}"


def _grid(node: Grid, *cells: str) -> str:
    rows = regrouped(node, cells)
    return "[" + (", " if len(rows[0]) == 1 else "; ").join(", ".join(row) for row in rows) + "]"


def _fraction(node: Frac, over: str, under: str) -> str:
    return f"{over}/{under}" if node.slash else vulgar(node) or f"({over}/{under})"


_TEXT: dict[type, Callable[..., str]] = {
    Atom: lambda node: node.text,
    Alias: lambda node, shown, code: shown,
    Sum: lambda node, *terms: signed_terms(node.signs, terms),
    Product: lambda node, *factors: alternating(factors, [JOINTS[j] for j in node.joints]),
    Frac: _fraction,
    Script: _script,
    Root: _root,
    Call: lambda node, name, *args: f"{name} {args[0]}" if node.bare else f"{name}({', '.join(args)})",
    Fence: lambda node, body: node.left + body + node.right,
    Relation: lambda node, *sides: alternating(sides, [f" {s} " for s in node.symbols]),
    Grid: _grid,
    Cases: _cases,
    Big: lambda node, sub, body: node.symbol + (lowered(sub) or f"_({sub})" if sub else "") + " " + body,
    Accent: lambda node, base: marked(base, node.mark),
    Row: lambda node, *items: node.gap.join(items),
}

# ---------------------------------------------------------------- Python

_FENCES = {"|": "abs", "‖": "norm", "⌊": "floor", "⌈": "ceil", "⟨": "vdot"}
_FUNCTIONS = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arsinh": "asinh", "arcosh": "acosh",
    "artanh": "atanh", "arctan2": "atan2", "Γ": "gamma", "lnΓ": "lgamma", "ψ": "digamma", "σ": "sigmoid",
    "H": "step", "W": "lambertw", "ζ": "zeta", "B": "beta", "∑": "sum", "∏": "prod",
}  # fmt: skip
_SYMBOLS = {"=": "==", "≠": "!=", "≤": "<=", "≥": ">=", "∧": "and", "∨": "or", "mod": "%"}
_LETTERS = {"−": "-", "¬": "not ", "×": "x", "π": "pi", "∞": "inf", "…": "..."}


def to_python(what: Expr | Layout, names: Mapping[Expr, str] | None = None) -> str:
    """One line in the syntax of Python, with functions by the names that `math` has for them.

    Floats are written in full, so for scalars the value is that of the graph. Arrays read as in linear algebra:
    `x.T @ y` is a number where x and y are columns.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, symbol
    >>> x = symbol("x")
    >>> to_python(TABLE["exp"](-(x**2) / 2) / (2 * TABLE["log"](x)))
    'exp(-x ** 2 / 2) / (2 * log(x))'
    """
    return fold(flat(layout_of(what, names), one_line=True), _PYTHON)


def _python_script(node: Script, base: str, sub: str | None, sup: str | None) -> str:
    if node.base is E:
        return f"exp({sup})"
    if sub is not None:
        base += f"[{sub}]"
    if sup == "⊤":
        return base + ".T"
    return base if sup is None else f"{base} ** {sup if _is_tight(node.sup) else f'({sup})'}"


def _is_tight(node: Layout | None) -> bool:
    """2, n and −1 follow ** without parentheses."""
    return node is not None and split_sign(node)[1].level == ATOM


def _python_root(node: Root, body: str, degree: str | None) -> str:
    return f"{'cbrt' if degree == '3' else 'sqrt'}({body})" if degree in (None, "3") else f"({body}) ** (1 / {degree})"


def _python_call(node: Call, name: str, *args: str) -> str:
    name = name.replace("[", "").replace("]", "").replace(" ", "_") if type(core(node.name)) is not Atom else name
    return f"{_FUNCTIONS.get(name, name)}({', '.join(args)})"


def _python_fence(node: Fence, body: str) -> str:
    if type(node.body) is Alias and type(node.body.code) is Atom and node.left == "(":
        return body
    return f"{_FENCES[node.left]}({body})" if node.left in _FENCES else node.left + body + node.right


def _python_cases(node: Cases, *parts: str) -> str:
    values, conditions = parts[: len(node.values)], parts[len(node.values) :]
    rows = [v if c is None else f"{v} if {c} else " for v, c in zip(values, conditions)]
    return f"({''.join(rows)}{'' if conditions[-1] is None else 'nan'})"


def _python_grid(node: Grid, *cells: str) -> str:
    rows = regrouped(node, cells)
    entries = [row[0] if len(rows[0]) == 1 else f"[{', '.join(row)}]" for row in rows]
    return f"array([{', '.join(entries)}])"


def _python_atom(node: Atom) -> str:
    return node.text if node.role in ("code", "function") else "".join(_LETTERS.get(c, c) for c in node.text)


_PYTHON: dict[type, Callable[..., str]] = {
    Atom: _python_atom,
    Alias: lambda node, shown, code: code,
    Sum: lambda node, *terms: signed_terms(node.signs, terms, "-"),
    Product: lambda node, *factors: (" @ " if node.kind == "@" else " * ").join(factors),
    Frac: lambda node, over, under: f"{over} / {under}" if node.slash else f"({over} / {under})",
    Script: _python_script,
    Root: _python_root,
    Call: _python_call,
    Fence: _python_fence,
    Relation: lambda node, *sides: alternating(sides, [f" {_SYMBOLS.get(s, s)} " for s in node.symbols]),
    Grid: _python_grid,
    Cases: _python_cases,
    Big: lambda node, sub, body: f"{_FUNCTIONS.get(node.symbol, node.symbol)}({body})",
    Accent: lambda node, base: base + "_" + node.mark,
    Row: lambda node, *items: node.gap.join(items),
}
