"""MathML Core, as browsers draw it without help: one `<math>` element, no scripts, no style attributes.

Invisible operators are written out (U+2062 times, U+2061 function application), so that a formula is read aloud and
copied correctly; gaps are the `rspace` of those operators. `STYLE` is what a page's style sheet may add.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from tangently.expr import Expr
from tangently.printing.linear import layout_of, to_text
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

STYLE = "mtable.cases mtd{text-align:left}mtable.cases mtd:last-child{padding-left:1em}"
_THIN = "0.1667em"
_JOINTS = {
    TOUCHING: "<mo>\u2062</mo>",
    THIN: f'<mo lspace="0" rspace="{_THIN}">\u2062</mo>',
    LETTER: "<mo>\u2062</mo>",
    FUNCTION: f'<mo lspace="0" rspace="{_THIN}">\u2062</mo>',
    DOT: "<mo>·</mo>",
    CIRCLE: "<mo>⊙</mo>",
}
_TAGS = {"number": "mn", "variable": "mi", "function": "mi", "operator": "mo", "text": "mtext", "code": "mtext"}
_ACCENTS = {"hat": "^", "bar": "‾", "tilde": "~", "dot": "˙", "ddot": "¨", "dddot": "⃛", "ddddot": "⃜"}
_TALL = ("<mfrac", "<mtable", "<msqrt", "<mroot", "<munder", 'fence="true">')
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_UPRIGHT = frozenset("ΓΔΘΛΞΠΣΥΦΨΩ∇")


def to_mathml(
    what: Expr | Layout,
    names: Mapping[Expr, str] | None = None,
    display: Literal["inline", "block"] = "inline",
) -> str:
    """A complete `<math>` element; its `alttext` is the one-line text.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> to_mathml(symbol("x") ** 2)[-53:]
    'alttext="x²"><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    layout = layout_of(what, names)
    body = fold(layout, _MATHML)
    kind = f'xmlns="http://www.w3.org/1998/Math/MathML" display="{display}" alttext="{escape(to_text(layout))}"'
    return f"<math {kind}>{body}</math>"


def escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _mrow(*pieces: str) -> str:
    return f"<mrow>{''.join(pieces)}</mrow>"


def _mo(text: str) -> str:
    return f"<mo>{escape(text)}</mo>"


def _atom(node: Atom) -> str:
    text = escape(node.text).replace(" ", "\u00a0")
    if node.text in _UPRIGHT:
        return f'<mi mathvariant="normal">{text}</mi>'
    tag = _TAGS[node.role] if node.text != "∂" else "mi"
    return f"<{tag}>{text}</{tag}>"


def _sum(node: Sum, *terms: str) -> str:
    signs = ["" if s > 0 and k == 0 else _mo("+" if s > 0 else "−") for k, s in enumerate(node.signs)]
    return _mrow(*[s + t for s, t in zip(signs, terms)])


def _alternating(pieces: tuple[str, ...], between: list[str]) -> str:
    return _mrow(pieces[0], *[j + p for j, p in zip(between, pieces[1:])])


def _product(node: Product, *factors: str) -> str:
    small = [f'<mstyle displaystyle="false">{f}</mstyle>' if vulgar(p) else f for p, f in zip(node.factors, factors)]
    return _alternating(tuple(small), [_JOINTS[j] for j in node.joints])


def _frac(node: Frac, over: str, under: str) -> str:
    return _mrow(over, '<mo lspace="0" rspace="0">/</mo>', under) if node.slash else f"<mfrac>{over}{under}</mfrac>"


def _script(node: Script, base: str, sub: str | None, sup: str | None) -> str:
    if sub is not None and sup is not None:
        return f"<msubsup>{base}{sub}{sup}</msubsup>"
    tag = "msup" if sub is None else "msub"
    return f"<{tag}>{base}{sup if sub is None else sub}</{tag}>"


def _call(node: Call, name: str, *args: str) -> str:
    if node.bare:
        return _mrow(name, f'<mo lspace="0" rspace="{_THIN}">\u2061</mo>', args[0])
    return _mrow(name, "<mo>\u2061</mo>", _delimited("(", _comma.join(args), ")"))


_comma = "<mo>,</mo>"


def _delimited(left: str, body: str, right: str) -> str:
    grow = 'fence="true"' if any(mark in body for mark in _TALL) else 'fence="true" stretchy="false"'
    opening = f'<mo form="prefix" {grow}>{escape(left)}</mo>' if left else ""
    return _mrow(opening, body, f'<mo form="postfix" {grow}>{escape(right)}</mo>' if right else "")


def _grid(node: Grid, *cells: str) -> str:
    return _delimited("[", _table(regrouped(node, cells), ""), "]")


def _table(rows: tuple[tuple[str, ...], ...], kind: str) -> str:
    lines = ["<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in rows]
    return f"<mtable{kind}>{''.join(lines)}</mtable>"


def _cases(node: Cases, *parts: str | None) -> str:
    values, conditions = parts[: len(node.values)], parts[len(node.values) :]
    tails = ["<mtext>otherwise</mtext>" if c is None else _mrow("<mtext>if\u00a0</mtext>", c) for c in conditions]
    return _delimited("{", _table(tuple(zip(values, tails)), ' class="cases"'), "")  # type: ignore[arg-type]


def _big(node: Big, sub: str | None, body: str) -> str:
    symbol = _mo(node.symbol) if len(node.symbol) == 1 else f"<mo>{escape(node.symbol)}</mo>"
    return _mrow(symbol if sub is None else f"<munder>{symbol}{sub}</munder>", body)


def _root(node: Root, body: str, degree: str | None) -> str:
    return f"<msqrt>{body}</msqrt>" if degree is None else f"<mroot>{body}{degree}</mroot>"


def _row(node: Row, *items: str) -> str:
    return _mrow(f'<mspace width="{_THIN}"></mspace>'.join(items) if node.gap else "".join(items))


_MATHML: dict[type, Callable[..., str]] = {
    Atom: _atom,
    Alias: lambda node, shown, code: shown,
    Sum: _sum,
    Product: _product,
    Frac: _frac,
    Script: _script,
    Root: _root,
    Call: _call,
    Fence: lambda node, body: _delimited(node.left, body, node.right),
    Relation: lambda node, *sides: _alternating(sides, [_mo(s) for s in node.symbols]),
    Grid: _grid,
    Cases: _cases,
    Big: _big,
    Accent: lambda node, base: f'<mover accent="true">{base}<mo stretchy="false">{_ACCENTS[node.mark]}</mo></mover>',
    Row: _row,
}
