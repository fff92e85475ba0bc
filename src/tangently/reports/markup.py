"""Blocks to HTML: one small function for each kind of block, found by its type.

A setter takes the block and the id that the page gave it and returns an element. Live figures are set as an
empty stage that holds their text alternative; what the runtime needs to fill it is `figure_data`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from tangently.errors import InputError
from tangently.reports.blocks import (
    Block,
    Code,
    Contour2D,
    Facts,
    Formula,
    GraphFigure,
    Heading,
    JsFunction,
    LineChart,
    Picture,
    Plot1D,
    StepItem,
    Steps,
    Table,
    Text,
    Verdict,
)
from tangently.reports.charts import line_chart
from tangently.reports.vectors import inline_svg, is_wide

NUMBER = re.compile(r"[-+−]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
DIGITS = 4
VERDICTS = {True: ("yes", "✓", "verified"), False: ("no", "✗", "failed"), None: ("open", "?", "undecided")}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")
Live = Plot1D | Contour2D | GraphFigure


def tag(name: str, content: str, class_: str = "", **attributes: str) -> str:
    """An element; `content` is markup, attributes are text, empty ones are left out.

    >>> tag("p", "x", class_="note", title="a < b")
    '<p class="note" title="a &lt; b">x</p>'
    """
    pairs = {"class": class_} | {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    written = "".join(f' {key}="{escape(value)}"' for key, value in pairs.items() if value)
    return f"<{name}{written}>{content}</{name}>"


def math_or_text(value: str) -> str:
    return lean(value) if value.lstrip().startswith("<math") else escape(value)


def lean(mathml: str) -> str:
    """MathML without what a page does not need: its namespace, and a text that stands beside it anyway."""
    head, _, rest = mathml.partition(">")
    return re.sub(r'\s(?:xmlns|alttext)="[^"]*"', "", head) + ">" + rest


def is_number(value: str) -> bool:
    return bool(NUMBER.fullmatch(value.strip()))


def short(value: str) -> str:
    """Four digits of a number, whole if it is short anyway; what is no number stays.

    >>> [short(v) for v in ("3.762195691083631", "1e-08", "0.00049", "1.234567e-09", "−0.00012345678", "x + 1")]
    ['3.762', '1×10⁻⁸', '0.00049', '1.235×10⁻⁹', '−0.0001235', 'x + 1']
    """
    plain = value.strip()
    if not is_number(plain):
        return value
    mantissa, _, power = (rounded(plain) if is_long(plain) else plain.lower()).partition("e")
    return mantissa.rstrip(".").replace("-", "−") + (f"×10{str(int(power)).translate(RAISED)}" if power else "")


def rounded(number: str) -> str:
    return f"{float(number.replace('−', '-')):#.{DIGITS}g}"


def is_long(number: str) -> bool:
    """Whether more significant digits are written than are shown; one more is let pass."""
    return len(re.sub(r"\D", "", re.split("[eE]", number)[0]).lstrip("0")) > DIGITS + 1


def figure(value: str, name: str = "span") -> str:
    """A value in tabular figures; where digits were cut, all of them show on hover and on focus."""
    if not is_number(value):
        return tag(name, math_or_text(value))
    raised = re.sub(r"×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"×10<sup>{m[1].translate(LOWERED)}</sup>", short(value))
    return (
        tag(name, raised, "num cut", title=value.strip(), tabindex="0") if is_long(value) else tag(name, raised, "num")
    )


def heading(block: Heading, id_: str) -> str:
    return tag(f"h{min(max(block.level, 2), 4)}", escape(block.text), id=id_)


def text(block: Text, id_: str) -> str:
    paragraphs = "".join(tag("p", escape(part.strip())) for part in re.split(r"\n\s*\n", block.text))
    if block.kind == "plain":
        return paragraphs
    return tag("aside", tag("b", block.kind.capitalize(), "mark") + paragraphs, block.kind, role="note")


def caption(words: str, name: str = "figcaption") -> str:
    return tag(name, escape(words)) if words else ""


def formula(block: Formula, id_: str) -> str:
    shown = tag("div", display(block.mathml), "math") if block.mathml else tag("pre", escape(block.text), "math")
    spoken = tag("div", shown, "scroll", role="math", aria_label=block.text, tabindex="0")
    source = tag("details", tag("summary", "TeX") + tag("code", escape(block.tex)), "tex") if block.tex else ""
    return tag("figure", spoken + source + caption(block.caption), "formula")


def display(mathml: str) -> str:
    """Displayed style, whatever the caller chose."""
    head, _, rest = lean(mathml).partition(">")
    return re.sub(r'\sdisplay="\w*"', "", head).replace("<math", '<math display="block"', 1) + ">" + rest


def table(block: Table, id_: str) -> str:
    wrong = next((row for row in block.rows if len(row) != len(block.columns)), None)
    if wrong is not None:
        raise InputError(
            f"a row of a table has {len(wrong)} cells where {len(block.columns)} columns were named: {wrong}"
        )
    numeric = [block.numeric and all(map(is_number, column)) for column in zip(*block.rows)] or [False] * len(
        block.columns
    )
    named = (tag("th", math_or_text(c), "num" * n, scope="col") for c, n in zip(block.columns, numeric, strict=True))
    head = tag("thead", tag("tr", "".join(named)))
    cell: Callable[[str], str] = (
        (lambda v: figure(v, "td")) if block.numeric else (lambda v: tag("td", math_or_text(v)))
    )
    body = tag("tbody", "".join(tag("tr", "".join(map(cell, row))) for row in block.rows))
    whole = tag("table", caption(block.caption, "caption") + head + body, "numeric" if block.numeric else "")
    return tag("div", whole, "scroll", tabindex="0", role="group", aria_label=block.caption or "table") + (
        tag("p", escape(block.note), "small") if block.note else ""
    )


def steps(block: Steps, id_: str) -> str:
    items = "".join(map(step, block.items))
    return tag("figure", caption(block.caption) + tag("ol", items), "steps")


def step(item: StepItem) -> str:
    sides = [tag("span", math_or_text(side)) for side in (item.before, item.after) if side]
    equation = tag("span", "=", "eq").join(sides)
    line = tag("div", equation, "scroll", role="math", aria_label=item.text, tabindex="0") if sides else ""
    words = tag("p", escape(item.note), "small") if item.note else ""
    return tag("li", tag("p", escape(item.rule), "rule") + line + words, f"level{min(max(item.level, 0), 6)}")


def verdict(block: Verdict, id_: str) -> str:
    kind, sign, word = VERDICTS[block.ok]
    icon = tag("span", sign, "icon", role="img", aria_label=word)
    detail = tag("p", escape(block.detail), "small") if block.detail else ""
    return tag(
        "div",
        icon + tag("div", tag("p", tag("b", word, "word") + " " + escape(block.text)) + detail),
        f"verdict {kind}",
    )


def code(block: Code, id_: str) -> str:
    listing = tag("pre", tag("code", escape(block.source.rstrip("\n"))), "code", tabindex="0")
    return tag("figure", caption(block.caption) + tag("span", escape(block.language), "language") + listing, "listing")


def facts(block: Facts, id_: str) -> str:
    rows = (tag("div", tag("dt", math_or_text(name)) + figure(value, "dd")) for name, value in block.items)
    return tag("dl", "".join(rows), "facts")


def canvas(svg: str, id_: str, class_: str, **attributes: str) -> str:
    wide = " wide" if is_wide(svg) else ""
    return tag("div", inline_svg(svg, id_ + "-"), f"{class_}scroll{wide}", role="img", tabindex="0", **attributes)


def picture(block: Picture, id_: str) -> str:
    drawing = canvas(block.svg, id_, "", aria_label=block.alt)
    return tag("figure", drawing + caption(block.caption), "picture")


def chart(block: LineChart, id_: str) -> str:
    drawing = tag("div", line_chart(block), "scroll", role="img", aria_label=block.alt or block.title)
    title = tag("p", escape(block.title), "title") if block.title else ""
    return tag("figure", title + drawing + caption(block.caption), "picture")


def live(block: Plot1D | Contour2D, id_: str) -> str:
    title = tag("div", math_or_text(block.label), "title") if block.label else ""
    stage = tag("div", tag("p", escape(block.alt), "small"), "stage")
    words = tag("figcaption", (escape(block.caption) + " " if block.caption else "") + tag("span", HINT, "hint"))
    return tag("figure", title + stage + words, "live", id=id_, aria_label=block.alt or "live figure", role="group")


HINT = "Drag the point, or use the arrow keys. Drag the background to move the view; Ctrl and the wheel zoom."


def graph(block: GraphFigure, id_: str) -> str:
    drawing = canvas(block.svg, id_, "canvas ", aria_label=block.alt)
    words = caption(block.caption)
    return tag("figure", tag("div", drawing, "stage") + words, "live graph", id=id_, role="group", aria_label=block.alt)


SETTERS: dict[type, Callable[[Any, str], str]] = {
    Heading: heading,
    Text: text,
    Formula: formula,
    Table: table,
    Steps: steps,
    Verdict: verdict,
    Code: code,
    Facts: facts,
    Picture: picture,
    LineChart: chart,
    Plot1D: live,
    Contour2D: live,
    GraphFigure: graph,
}


def set_block(block: Block, id_: str) -> str:
    setter = SETTERS.get(type(block))
    if setter is None:
        known = ", ".join(kind.__name__ for kind in SETTERS)
        raise InputError(f"got {type(block).__name__} in a report; its blocks are {known}")
    return setter(block, id_)


def functions_of(block: Block) -> tuple[JsFunction, ...]:
    match block:
        case Plot1D():
            return tuple(f for f in (block.value, block.derivative, block.second) if f)
        case Contour2D():
            return (block.value, *block.gradient)
        case _:
            return ()


def figure_data(block: Block, id_: str, functions: Sequence[JsFunction]) -> dict[str, Any]:
    """What the runtime reads: the block's fields, each function by its place in the page's list."""
    if isinstance(block, GraphFigure):
        walked = [asdict(s) | {"ids": [f"{id_}-{i}" for i in s.ids]} for s in block.steps]
        return {"kind": "graph", "id": id_, "steps": walked}

    def entry(value: object) -> object:
        if isinstance(value, JsFunction):
            return {"index": functions.index(value), "name": value.name, "parameters": value.parameters}
        return [entry(v) for v in value] if isinstance(value, tuple) else value

    fields = {name: entry(getattr(block, name)) for name in type(block).__slots__ if name not in ("label", "caption")}
    require_finite(fields)
    return {"kind": type(block).__name__.lower(), "id": id_} | fields


def require_finite(fields: dict[str, Any]) -> None:
    bad = next((name for name, value in fields.items() if not all(map(math.isfinite, numbers(value)))), None)
    if bad:
        raise InputError(f"a live figure got {bad}={fields[bad]}; it needs finite numbers")


def numbers(value: Any) -> Iterable[float]:
    if isinstance(value, list):
        return [n for v in value for n in numbers(v)]
    return [value] if isinstance(value, (int, float)) else []
