"""Two-dimensional text: fractions stacked, exponents raised, brackets as tall as what they hold.

A `Box` is a block of lines of equal width with a baseline; formulas are boxes set beside and above one another (the
algorithm of TeX's boxes, with characters for points). What fits on one line stays there: x², ½, √x. A formula that
is wider than the page is broken at its relations, then at the + and − of its sums; failing that it is one line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tangently.expr import Expr
from tangently.printing.linear import JOINTS, RADICALS, layout_of, lowered, marked, raised, to_text
from tangently.printing.nodes import (
    ATOM,
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

# top, middle, bottom of a tall bracket; a brace has a point as well
_BRACKETS = {
    "(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "|": "│││", "‖": "‖‖‖", "⌊": "⎢⎢⎣", "⌋": "⎥⎥⎦",
    "⌈": "⎡⎢⎢", "⌉": "⎤⎥⎥", "⟨": "╱│╲", "⟩": "╲│╱", "{": "⎧⎪⎩",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of one width; `base` is the line that stands on the baseline."""

    lines: tuple[str, ...]
    base: int = 0

    @property
    def width(self) -> int:
        return columns(self.lines[0])

    @property
    def below(self) -> int:
        return len(self.lines) - 1 - self.base


def to_unicode(what: Expr | Layout, names: Mapping[Expr, str] | None = None, width: int = 100) -> str:
    """Text in two dimensions, at most `width` columns wide where the formula can be broken.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> x = symbol("x")
    >>> print(to_unicode((x + 1) / (x**2 + 1)))
     x + 1
    ────────
     x² + 1
    """
    layout = layout_of(what, names)
    box = fold(layout, _BOXES)
    if box.width > width:
        box = _broken(layout, width) or Box((to_text(layout),))
    return "\n".join(line.rstrip() for line in box.lines)


def columns(text: str) -> int:
    """The columns that a terminal gives to a text: marks take none, wide letters two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


# ---------------------------------------------------------------- boxes


def box(text: str) -> Box:
    return Box((text,))


def beside(*boxes: Box) -> Box:
    """Boxes in a row, baselines aligned."""
    boxes = tuple(b for b in boxes if b.lines != ("",)) or (box(""),)
    above, below = max(b.base for b in boxes), max(b.below for b in boxes)
    grown = [_padded(b, above - b.base, below - b.below) for b in boxes]
    return Box(tuple(map("".join, zip(*grown))), above)


def _padded(b: Box, above: int, below: int) -> list[str]:
    blank = " " * b.width
    return [blank] * above + list(b.lines) + [blank] * below


def centered(lines: Iterable[str], width: int) -> list[str]:
    gaps = [(line, width - columns(line)) for line in lines]
    return [" " * (gap // 2) + line + " " * (gap - gap // 2) for line, gap in gaps]


def ranged(lines: Iterable[str], width: int) -> list[str]:
    """Lines filled with blanks on the right."""
    return [line + " " * (width - columns(line)) for line in lines]


def stacked(over: Box, under: Box) -> Box:
    width = max(over.width, under.width) + 2
    lines = [*centered(over.lines, width), "─" * width, *centered(under.lines, width)]
    return Box(tuple(lines), len(over.lines))


def tall(symbol: str, b: Box) -> Box:
    """A bracket as tall as a box."""
    n = len(b.lines)
    if n == 1 or not symbol:
        return box(symbol)
    top, middle, bottom = _BRACKETS.get(symbol, symbol * 3)
    column = [top, *[middle] * (n - 2), bottom]
    if symbol == "{" and n > 2:
        column[n // 2] = "⎨"
    return Box(tuple(column), b.base)


def around(left: str, b: Box, right: str) -> Box:
    return beside(tall(left, b), b, tall(right, b))


def joined(boxes: Sequence[Box], between: Sequence[str]) -> Box:
    pieces = [boxes[0]]
    for text, b in zip(between, boxes[1:]):
        pieces += [box(text), b]
    return beside(*pieces)


def table(rows: Sequence[Sequence[Box]], gap: int, left: bool = False) -> Box:
    """Rows of boxes in columns; tall rows are set apart by an empty line."""
    place = ranged if left else centered
    widths = [max(b.width for b in column) for column in zip(*rows)]
    cells = [[Box(tuple(place(b.lines, w)), b.base) for b, w in zip(row, widths)] for row in rows]
    strips = [joined(row, [" " * gap] * (len(row) - 1)) for row in cells]
    spaced = any(len(s.lines) > 1 for s in strips)
    lines = [line for s in strips for line in (*s.lines, *([" " * s.width] if spaced else []))]
    lines = lines[:-1] if spaced else lines
    return Box(tuple(lines), (len(lines) - 1) // 2)


# ---------------------------------------------------------------- one rule for each node


def _sum(node: Sum, *terms: Box) -> Box:
    lead = [box("−")] if node.signs[0] < 0 else []
    return beside(*lead, joined(terms, [" + " if s > 0 else " − " for s in node.signs[1:]]))


def _product(node: Product, *factors: Box) -> Box:
    return joined(factors, [_joint(j, a, b) for j, a, b in zip(node.joints, factors, factors[1:])])


def _joint(joint: str, a: Box, b: Box) -> str:
    """The gap between factors: beside a bar there is always one."""
    return JOINTS[joint] if joint != TOUCHING or len(a.lines) == len(b.lines) == 1 else " "


def _frac(node: Frac, over: Box, under: Box) -> Box:
    if node.slash:
        return beside(over, box("/"), under)
    return box(vulgar(node) or "") if vulgar(node) else stacked(over, under)


def _script(node: Script, base: Box, sub: Box | None, sup: Box | None) -> Box:
    if len(base.lines) == 1 and _small(sub, lowered) is not None and _small(sup, raised) is not None:
        return beside(base, box(_small(sub, lowered) or ""), box(_small(sup, raised) or ""))
    if len(base.lines) > 1:
        sub, sup = _shrunk(sub, lowered), _shrunk(sup, raised)
    return _with_scripts(base, sub, sup)


def _shrunk(b: Box | None, convert: Callable[[str], str | None]) -> Box | None:
    small = _small(b, convert)
    return box(small) if small else b


def _small(b: Box | None, convert: Callable[[str], str | None]) -> str | None:
    return "" if b is None else convert(b.lines[0]) if len(b.lines) == 1 else None


def _with_scripts(base: Box, sub: Box | None, sup: Box | None) -> Box:
    """The exponent's last line is above a low base, and level with the top of a tall one."""
    above, below = sup or box(""), sub or box("")
    rise = len(above.lines) - (1 if len(base.lines) > 1 else 0) if sup else 0
    drop = len(below.lines) - (1 if len(base.lines) > 1 else 0) if sub else 0
    body = _padded(base, rise, drop)
    width = max(above.width, below.width)
    right = ranged(above.lines if sup else (), width)
    right += [" " * width] * (len(body) - len(right) - (len(below.lines) if sub else 0))
    right += ranged(below.lines if sub else (), width)
    return Box(tuple(a + b for a, b in zip(body, right)), base.base + rise)


def _root(node: Root, body: Box, degree: Box | None) -> Box:
    order = degree.lines[0] if degree else ""
    sign = RADICALS.get(order) or f"{raised(order) or f'({order})'}√"
    if len(body.lines) == 1:
        return beside(box(sign), body if node.body.level == ATOM else around("(", body, ")"))
    n = len(body.lines)
    lead = columns(sign) - 1
    left = [" " * (lead + 1) + "┌", *[" " * (lead + 1) + "│"] * (n - 1), sign + "│"]
    right = ["─" * (body.width + 1), *(" " + line for line in body.lines)]
    return Box(tuple(a + b for a, b in zip(left, right)), body.base + 1)


def _call(node: Call, name: Box, *args: Box) -> Box:
    if node.bare:
        return beside(name, box(" "), args[0])
    return beside(name, around("(", joined(args, [", "] * (len(args) - 1)), ")"))


def _grid(node: Grid, *cells: Box) -> Box:
    return around("[", table(regrouped(node, cells), 2), "]")


def _cases(node: Cases, *parts: Box | None) -> Box:
    values, conditions = parts[: len(node.values)], parts[len(node.values) :]
    tails = [box("otherwise") if c is None else beside(box("if "), c) for c in conditions]
    rows = table(list(zip(values, tails)), 2, left=True)  # type: ignore[arg-type]
    return beside(tall("{", rows), box(" "), rows)


def _big(node: Big, sub: Box | None, body: Box) -> Box:
    small = _small(sub, lowered)
    if small is not None or sub is None:
        return beside(box(node.symbol + (small or "")), box(" "), body)
    width = max(sub.width, len(node.symbol))
    return beside(Box((*centered([node.symbol], width), *centered(sub.lines, width))), box(" "), body)


def _accent(node: Accent, base: Box) -> Box:
    return Box((marked(base.lines[0], node.mark), *base.lines[1:]), base.base)


def _relation(node: Relation, *sides: Box) -> Box:
    return joined(sides, [f" {s} " for s in node.symbols])


_BOXES: dict[type, Callable[..., Box]] = {
    Atom: lambda node: box(node.text),
    Alias: lambda node, shown, code: shown,
    Sum: _sum,
    Product: _product,
    Frac: _frac,
    Script: _script,
    Root: _root,
    Call: _call,
    Fence: lambda node, body: around(node.left, body, node.right),
    Relation: _relation,
    Grid: _grid,
    Cases: _cases,
    Big: _big,
    Accent: _accent,
    Row: lambda node, *items: joined(items, [node.gap] * (len(items) - 1)),
}

# ---------------------------------------------------------------- breaking


def _broken(layout: Layout, width: int) -> Box | None:
    """A relation or a sum, broken before its signs; None where that does not make it fit."""
    pieces = _pieces(layout)
    rows: list[Box] = []
    for piece in pieces:
        if rows and rows[-1].width + piece.width <= width:
            rows[-1] = beside(rows[-1], piece)
        else:
            rows.append(beside(box("    "), piece) if rows else piece)
    if len(rows) < 2 or max(r.width for r in rows) > width:
        return None
    full = max(r.width for r in rows)
    return Box(tuple(line for r in rows for line in ranged(r.lines, full)))


def _pieces(layout: Layout) -> list[Box]:
    """What may start a new line, each with the sign before it."""
    if type(layout) is Relation:
        signs = ["", *[f" {s} " for s in layout.symbols]]
        sides = [_pieces(side) for side in layout.sides]
        return [beside(box(sign), p) if k == 0 else p for sign, side in zip(signs, sides) for k, p in enumerate(side)]
    if type(layout) is not Sum:
        return [fold(layout, _BOXES)]
    signs = [" + " if s > 0 else " − " for s in layout.signs]
    signs[0] = "" if layout.signs[0] > 0 else "−"
    return [beside(box(s), fold(t, _BOXES)) for s, t in zip(signs, layout.terms)]
