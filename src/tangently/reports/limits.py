"""Reports of limits, continuity and differentiability: in the terminal, as one offline page, and in files.

The order is that of a teacher: the statement, whether it can be believed and on what ground, the steps, the picture
with its ε and δ, and the table of values on the way. Each result has one list of sections (`Section`), from which the
terminal, the page and Markdown are made, so they cannot disagree.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError, TangentlyError, a_type
from tangently.expr import Expr
from tangently.pictures.breaks import interval, plot_continuity, plot_differentiability, where
from tangently.pictures.limits import (
    minus,
    moving,
    nearness,
    place,
    plot_limit,
    said,
    shown_variable,
    statement,
    target,
)
from tangently.pictures.strokes import bounded, is_formula, short_number
from tangently.pictures.style import plain
from tangently.printing import (
    Layout,
    call,
    equation,
    name,
    to_latex,
    to_mathml,
    to_text,
    to_unicode,
    tree,
)
from tangently.reports.blocks import Block, Facts, Formula, Heading, Picture, StepItem, Steps, Table, Text, Verdict
from tangently.reports.markup import LOWERED, RAISED
from tangently.reports.page import render_page
from tangently.reports.saving import save, to_json
from tangently.reports.terminal import VALUE, heading, table

if TYPE_CHECKING:
    from tangently.limits.results import Limit, Row
    from tangently.smoothness.results import Continuity, Differentiability

KNOWN = {
    "exact": "known exactly, by the steps below",
    "certified": "proven, with bounds that hold",
    "estimated": "estimated from values, not proven",
    "undecided": "the values are evidence, no answer",
}
PROVEN = {"exact": True, "certified": True, "estimated": None, "undecided": None}
EPSILONS = (1.0, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Grid:
    """A table of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    whole: bool = False  # every digit counts


@dataclass(frozen=True)
class Section:
    """A part of a report: a title with facts, steps, or a table under it."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    grid: Grid | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What is said about a result: the statement, the verdict, sections, and how to draw it."""

    title: str
    statement: Layout
    proven: bool | None
    verdict: str
    sections: tuple[Section, ...]
    draw: Callable[[], Any]
    caption: str
    data: Callable[[], dict[str, Any]]


def report_of(result: Any, **options: Any) -> Report:
    """The report of a Limit, a Continuity or a Differentiability; `options` are those of its picture."""
    from tangently.limits.paths import PathLimit
    from tangently.limits.results import Limit
    from tangently.smoothness.results import Continuity, Differentiability

    for kind, maker in (
        (Limit, limit_report),
        (PathLimit, limit_report),
        (Continuity, continuity_report),
        (Differentiability, smooth_report),
    ):
        if isinstance(result, kind):
            return maker(result, options)  # type: ignore[arg-type]
    raise InputError(f"got {a_type(result)}; a limit, continuity or differentiability was wanted")


# ---------------------------------------------------------------- limits


def limit_report(limit: Limit, options: dict[str, Any]) -> Report:
    shown = statement(limit)
    facts = tuple(_limit_facts(limit))
    sections = (
        Section("", facts=facts, notes=limit.notes),
        Section("Cases", grid=_cases(limit)),
        Section("Why", steps=_worded(limit.why)),
        Section("Paths into the point", grid=_paths(limit)),
        Section("The definition, with ε and δ", grid=_deltas(limit)),
        Section("Values on the way", grid=_evidence(limit)),
    )
    kept = tuple(s for s in sections if s.facts or s.steps or s.grid or s.notes)
    title = _limit_title(limit)
    verdict = f"{_answer(limit)}: {KNOWN[limit.how]}"
    draw = partial(plot_limit, limit, **options)
    return Report(title, shown, PROVEN[limit.how], verdict, kept, draw, "", partial(limit_data, limit))


def _worded(why: Sequence[str]) -> tuple[str, ...]:
    """The steps, with a real minus before numbers."""
    return tuple(re.sub(r"(?<![\w)\]])-(?=[\d∞])", "−", step) for step in why)


def _limit_title(limit: Limit) -> str:
    side = {"+": " from the right", "-": " from the left"}.get(limit.direction, "")
    side = "" if math.isinf(place(limit.point)) else side
    formula = _formula_text(limit)
    known = formula if len(formula) <= 60 else "f"
    return f"Limit of {known} as {shown_variable(limit)} → {to_text(target(limit, plain=True))}{side}"


def _cases_of(limit: Any) -> tuple[Any, ...]:
    """The cases of a limit with parameters; a limit along paths has none."""
    return getattr(limit, "cases", ())


def _cases(limit: Limit) -> Grid | None:
    """What the limit is under each condition on the parameters."""
    rows = tuple(
        (c.condition, re.sub("^The limit (is )?", "", _answer(c.limit)), c.limit.how) for c in _cases_of(limit)
    )
    return Grid(("if", "the limit is", "how"), rows, whole=True) if rows else None


def _paths(limit: Any) -> Grid | None:
    """What f does along each path that was tried."""
    rows = tuple((p.text, _worded([str(p).partition(f"along {p.text} ")[2]])[0]) for p in getattr(limit, "paths", ()))
    return Grid(("along", ""), rows, whole=True) if rows else None


def _answer(limit: Limit) -> str:
    if _cases_of(limit):
        return "The limit depends on the parameters"
    if limit.exists is None:
        return "The limit is undecided"
    if not limit.exists:
        return "The limit does not exist"
    return f"The limit is {to_text(limit.exact) if isinstance(limit.exact, Expr) else short_number(float(limit))}"


def _limit_facts(limit: Limit) -> Iterator[tuple[str, str]]:
    digits = "" if limit.value is None else typeset(f"{limit.value:.12g}")
    if limit.exists and digits not in _answer(limit):
        yield "value", digits
    for side in limit.sides if len(limit.sides) > 1 and not limit.exists else ():
        found = side.exact if side.exact is not None else side.value
        words = "undecided" if side.exists is None else "none" if found is None else said(found)
        yield ("from the left" if side.side < 0 else "from the right"), words
    yield "how it is known", limit.how
    if limit.error:
        yield "may be off by", typeset(f"{limit.error:.2g}")


def _deltas(limit: Limit) -> Grid | None:
    """For a few ε the δ that is proven; nothing where there is no finite limit, or where none is proven."""
    if not limit.exists or limit.value is None or math.isinf(limit.value) or not PROVEN[limit.how]:
        return None
    if len(moving(limit)) > 1:
        return None
    rows = []
    for epsilon in EPSILONS:
        try:
            rows.append((plain(epsilon), bounded(abs(limit.delta(epsilon)), up=math.isinf(place(limit.point)))))
        except TangentlyError:
            break
    if not rows:
        return None
    level = said(limit.exact if limit.exact is not None else limit.value)
    x, sign = shown_variable(limit), "N" if math.isinf(place(limit.point)) else "δ"
    note = f"Proven: {nearness(limit, sign)} implies |f({x}){minus(level)}| < ε."
    return Grid(("ε", sign), tuple(rows), note)


def _evidence(limit: Limit) -> Grid | None:
    """The values on the way, and how well each is proven; that column is left out where none is."""
    if not limit.evidence:
        return None
    x, proven = shown_variable(limit), any(r.radius is not None for r in limit.evidence)
    columns = (x, f"f({', '.join(moving(limit))})", "proven to within")[: 2 + proven]
    return Grid(columns, tuple(_evidence_row(r)[: 2 + proven] for r in limit.evidence), whole=True)


def _evidence_row(row: Row) -> tuple[str, str, str]:
    y = row.y_text or ("undefined" if math.isnan(row.y) else f"{row.y:.12g}")
    if row.y_text:
        return typeset(row.x_text or f"{row.x:.12g}"), typeset(y), "6 digits"
    radius = "no proof" if row.radius is None else f"{row.radius:.1e}" if row.radius else "exact"
    return typeset(row.x_text or f"{row.x:.12g}"), typeset(y), typeset(radius)


def typeset(text: str) -> str:
    """Numbers as people write them: a real minus, powers of ten.

    >>> typeset("-5.2e-08"), typeset("1 + 1e-12"), typeset("inf")
    ('−5.2·10⁻⁸', '1 + 10⁻¹²', '∞')
    """
    power = lambda m: f"{'' if m[1] == '1' else m[1] + '·'}10{str(int(m[2])).translate(RAISED)}"
    text = re.sub(r"(?<![\d.])(\d+\.?\d*)e([-+]?\d+)", power, text)
    return re.sub(r"\binf\b", "∞", text).replace("-", "−")


def limit_data(limit: Limit) -> dict[str, Any]:
    """A limit as plain data."""
    return {
        "function": _formula_text(limit),
        "variable": moving(limit)[0] if len(moving(limit)) == 1 else list(moving(limit)),
        "point": [_plain_value(p) for p in limit.point]
        if isinstance(limit.point, tuple)
        else _plain_value(limit.point),
        "direction": limit.direction,
        "exists": limit.exists,
        "value": limit.value,
        "exact": to_text(limit.exact) if isinstance(limit.exact, Expr) else None,
        "left": limit.left,
        "right": limit.right,
        "how": limit.how,
        "error": limit.error or None,
        "latex": to_latex(statement(limit)),
        "cases": [{"if": c.condition, **_case_data(c.limit)} for c in _cases_of(limit)],
        "paths": [str(p) for p in getattr(limit, "paths", ())],
        "why": list(limit.why),
        "notes": list(limit.notes),
        "evidence": [{"x": r.x_text or r.x, "f": r.y_text or r.y, "radius": r.radius} for r in limit.evidence],
    }


def _case_data(limit: Limit) -> dict[str, Any]:
    exact = to_text(limit.exact) if isinstance(limit.exact, Expr) else None
    return {"exists": limit.exists, "value": limit.value, "exact": exact, "how": limit.how}


def _plain_value(value: Any) -> Any:
    return to_text(value) if isinstance(value, Expr) else value


def _formula_text(result: Any) -> str:
    return to_text(result.function) if is_formula(result.function, result.variable) else "f"


# ---------------------------------------------------------------- continuity


def continuity_report(result: Continuity, options: dict[str, Any]) -> Report:
    verdict = {True: "is continuous", False: "is not continuous", None: "may or may not be continuous"}
    at = f"at {short_number(result.at)}" if result.at is not None else f"on {interval(result.on)}"
    words = f"f {verdict[result.continuous]} {at}: {KNOWN[result.how]}"
    sections = (
        Section("The definition, line by line", steps=tuple(map(str, result.conditions))),
        Section("Discontinuities", grid=_breaks(result), notes=tuple(_whole(result))),
        Section("Why", steps=_worded(result.why)),
        Section("With the holes filled", steps=tuple(_extended(result))),
    )
    kept = tuple(s for s in sections if s.steps or s.grid or s.notes)
    draw = partial(plot_continuity, result, **options)
    title = f"Continuity of {_formula_text(result)} {at}"
    return Report(
        title, _definition(result), PROVEN[result.how], words, kept, draw, "", partial(continuity_data, result)
    )


def _definition(result: Any) -> Layout:
    """f(x) = its formula."""
    head = call(name("f"), name(result.variable.name or "x")) if isinstance(result.variable, Expr) else name("f")
    return equation(head, tree(result.function)) if isinstance(result.function, Expr) else head


def _breaks(result: Continuity) -> Grid | None:
    if not result.discontinuities:
        return None
    rows = tuple(
        (where(d), d.kind, _number(d.left), _number(d.right), _number(d.value), _number(d.height), d.how)
        for d in result.discontinuities
    )
    return Grid(
        (result.variable.name or "x", "kind", "from the left", "from the right", "f there", "height", "how"), rows
    )


def _number(value: float | None) -> str:
    return "–" if value is None else short_number(float(value))


def _whole(result: Continuity) -> Iterator[str]:
    for a, b in result.undefined:
        yield f"f has no value on {interval((a, b))}: this is outside its domain, and no discontinuity."
    for p in result.accumulating:
        yield f"Infinitely many discontinuities crowd at {plain(p)}."
    if result.on is not None:
        yield "It is proven that there is no other." if result.complete else "It is not proven that these are all."


def _extended(result: Continuity) -> Iterator[str]:
    if any(d.kind == "removable" and d.limit is not None for d in result.discontinuities):
        yield str(result.extended)


def continuity_data(result: Continuity) -> dict[str, Any]:
    """A continuity as plain data."""
    keys = ("at", "kind", "left", "right", "value", "height", "how", "why")
    return {
        "function": _formula_text(result),
        "variable": result.variable.name,
        "at": result.at,
        "on": result.on,
        "continuous": result.continuous,
        "how": result.how,
        "complete": result.complete,
        "discontinuities": [
            {"exact": _plain_value(d.exact), **{k: getattr(d, k) for k in keys}} for d in result.discontinuities
        ],
        "conditions": [{"text": c.text, "holds": c.holds, "detail": c.detail} for c in result.conditions],
        "undefined": result.undefined,
        "accumulating": result.accumulating,
        "why": list(result.why),
    }


# ---------------------------------------------------------------- differentiability


def smooth_report(result: Differentiability, options: dict[str, Any]) -> Report:
    sections = (
        Section("", facts=tuple(_slopes(result))),
        Section("Points without a derivative", grid=_corners(result), notes=tuple(_whole_corners(result))),
        Section("Why", steps=_worded(result.why)),
    )
    kept = tuple(s for s in sections if s.facts or s.steps or s.grid or s.notes)
    at = f"at {_point(result.at)}" if result.on is None else f"on {interval(result.on)}"
    verdict = {True: "is differentiable", False: "is not differentiable", None: "may or may not be differentiable"}
    words = f"f {verdict[result.differentiable]} {at}: {KNOWN[result.how]}"
    draw, title = (
        partial(plot_differentiability, result, **options),
        f"Differentiability of {_formula_text(result)} {at}",
    )
    data = partial(differentiability_data, result)
    return Report(title, _definition(result), PROVEN[result.how], words, kept, draw, "", data)


def _point(at: Any) -> str:
    return (
        short_number(float(at)) if np.ndim(at) == 0 else f"({', '.join(short_number(float(v)) for v in np.ravel(at))})"
    )


def _slopes(result: Differentiability) -> Iterator[tuple[str, str]]:
    if result.on is not None:
        return
    order = "" if result.order is None else f", of class C{'∞' if math.isinf(result.order) else int(result.order)}"
    yield "kind", result.kind + order
    if result.derivative is not None:
        yield "derivative", _vector(result.derivative)
    elif isinstance(result.variable, Expr):
        yield "slope from the left", _number(result.left)
        yield "slope from the right", _number(result.right)
    if result.second is not None:
        yield "second derivative, left and right", " | ".join(map(_number, result.second))
    if result.subgradient is not None and result.derivative is None:
        yield "subgradient of least norm", _vector(result.subgradient)
    if result.clarke is not None and result.derivative is None:
        yield "all subgradients (Clarke)", str(result.clarke)
    yield "how it is known", result.how


def _vector(value: Any) -> str:
    return (
        _number(float(value)) if np.ndim(value) == 0 else f"({', '.join(_number(float(v)) for v in np.ravel(value))})"
    )


def _corners(result: Differentiability) -> Grid | None:
    if not result.points:
        return None
    rows = tuple((where(p), p.kind, _number(p.left), _number(p.right), p.how) for p in result.points)
    return Grid((getattr(result.variable, "name", None) or "x", "kind", "slope left", "slope right", "how"), rows)


def _whole_corners(result: Differentiability) -> Iterator[str]:
    if result.on is not None:
        yield "It is proven that there is no other." if result.complete else "It is not proven that these are all."


def differentiability_data(result: Differentiability) -> dict[str, Any]:
    """A differentiability as plain data."""
    keys = ("at", "kind", "left", "right", "how", "why")
    return {
        "function": _formula_text(result) if isinstance(result.variable, Expr) else to_text(result.function),
        "at": result.at,
        "on": result.on,
        "kind": result.kind,
        "differentiable": result.differentiable,
        "order": result.order,
        "derivative": result.derivative,
        "left": result.left,
        "right": result.right,
        "second": result.second,
        "subgradient": result.subgradient,
        "clarke": None if result.clarke is None else str(result.clarke),
        "how": result.how,
        "complete": result.complete,
        "points": [{"exact": _plain_value(p.exact), **{k: getattr(p, k) for k in keys}} for p in result.points],
        "why": list(result.why),
    }


# ---------------------------------------------------------------- in the terminal


def to_terminal(result: Any, width: int = 100) -> Any:
    """The report as a rich renderable."""
    from rich.console import Group

    return Group(*_renderables(report_of(result), width))


def _renderables(report: Report, width: int) -> Iterator[Any]:
    from rich.text import Text as Words

    mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}[report.proven]
    yield Words()
    yield Words(to_unicode(report.statement, width=width), style="bold")
    yield Words()
    yield Words.assemble((mark, style), " ", report.verdict)
    for section in report.sections:
        if section.title:
            yield heading(section.title)
        yield from _section_renderables(section)


def _section_renderables(section: Section) -> Iterator[Any]:
    from rich.text import Text as Words

    wide = max((len(key) for key, _ in section.facts), default=0)
    for key, value in section.facts:
        yield Words.assemble(f"{key:<{wide}}  ", (value, VALUE if key in ("value", "derivative") else ""))
    for k, step in enumerate(section.steps, 1):
        yield _step_line(k, step, len(section.steps))
    if section.grid is not None:
        yield _grid_table(section.grid)
        if section.grid.note:
            yield Words(section.grid.note)
    for note in section.notes:
        yield Words(f"• {note}", style="italic")


def _step_line(k: int, step: str, count: int) -> Any:
    """A step with its number and a hanging indent; a condition has its tick instead."""
    from rich.table import Table as Columns
    from rich.text import Text as Words

    if count == 1:
        return Words(step)
    sign, words = (step[0], step[2:]) if step[:2] in ("✓ ", "✗ ", "? ") else (f"{k}.", step)
    row = Columns.grid(padding=(0, 1))
    row.add_row(sign, Words(words))
    return row


def _grid_table(grid: Grid) -> Any:
    made = table(*grid.columns)
    for row in thinned(grid.rows):
        made.add_row(*row)
    return made


def thinned(rows: Sequence[Any], most: int = 12) -> list[Any]:
    """As many rows as a terminal has room for, evenly from first to last.

    >>> thinned(range(20), 4)
    [0, 6, 13, 19]
    """
    if len(rows) <= most:
        return list(rows)
    return [rows[round(k * (len(rows) - 1) / (most - 1))] for k in range(most)]


def as_text(result: Any, width: int = 100) -> str:
    """The report without color."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False, legacy_windows=False)
    console.print(to_terminal(result, width))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


# ---------------------------------------------------------------- as a page


def page(result: Any, **options: Any) -> str:
    """The report as one offline HTML file."""
    from tangently.reports.documents import _generated

    report = report_of(result, **options)
    return render_page(report.title, list(_blocks(report)), generated=_generated())


def _blocks(report: Report) -> Iterator[Block]:
    shown = report.statement
    yield Formula(to_mathml(shown, display="block"), to_text(shown), to_latex(shown))
    yield Verdict(report.proven, report.verdict)
    first, *rest = report.sections or (Section(""),)
    yield from _section_blocks(first)
    yield from _picture(report)
    for section in rest:
        yield from _section_blocks(section)


def _picture(report: Report) -> Iterator[Block]:
    """The picture; a note where there is none to draw."""
    from tangently.pictures.saving import described, page_svg

    try:
        figure = report.draw()
    except TangentlyError as error:
        yield Text(f"No picture: {error}", "note")
        return
    alt = described(figure)
    yield Picture(page_svg(svg_of(figure, alt), alt), alt, report.caption)


def svg_of(figure: Any, alt: str) -> str:
    """A figure as SVG whose text is text, unless a radical or a large bracket needs a font that no reader has."""
    from tangently.pictures.saving import SVG, _metadata, _rendered
    from tangently.pictures.style import house

    text = _rendered(figure, "svg", alt).decode()
    if "STIXSize" not in text:
        return text
    buffer = io.BytesIO()
    with house(**{**SVG, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=_metadata("svg", alt))
    return buffer.getvalue().decode()


def _section_blocks(section: Section) -> Iterator[Block]:
    if section.title:
        yield Heading(section.title)
    if section.facts:
        yield Facts(section.facts)
    if section.steps:
        yield Steps(tuple(map(_step_item, section.steps)))
    if section.grid is not None:
        yield _table_block(section.grid)
    for note in section.notes:
        yield Text(note, "note")


def _table_block(grid: Grid) -> Table:
    rows = tuple(tuple(map(_cell, row)) for row in grid.rows) if grid.whole else grid.rows
    return Table(grid.columns, rows, note=grid.note, numeric=not grid.whole)


def _cell(text: str) -> str:
    """Powers of ten as MathML: fonts have superscript digits of two sizes."""
    match = re.search(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$", text)
    if not match:
        return text
    power = f"<msup><mn>10</mn><mn>{match[1].translate(LOWERED)}</mn></msup>"
    return f"<math><mrow><mtext>{escape(text[: match.start()]).replace(' ', chr(160))}</mtext>{power}</mrow></math>"


def _step_item(step: str) -> StepItem:
    """The side that a step is about stands above it, like the name of a rule."""
    match = re.match(r"(from the (?:left|right)|at [^:]{1,24}): ", step)
    return StepItem(match[1] if match else "", "", "", step[match.end() :] if match else step)


# ---------------------------------------------------------------- other formats


def markdown(result: Any) -> str:
    """The report as Markdown, its mathematics between dollars."""
    report = report_of(result)
    parts = [f"# {report.title}", f"$$\n{to_latex(report.statement)}\n$$", f"**{report.verdict}**"]
    for section in report.sections:
        parts += [f"## {section.title}"] if section.title else []
        parts += ["\n".join(f"- {key}: {value}" for key, value in section.facts)]
        parts += ["\n".join(f"{k}. {step}" for k, step in enumerate(section.steps, 1))]
        parts += [_markdown_table(section.grid)] if section.grid else []
        parts += [f"*{note}*" for note in section.notes]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(grid: Grid) -> str:
    line = lambda cells: f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells)} |"
    rows = [line(grid.columns), line(["---"] * len(grid.columns)), *map(line, grid.rows)]
    return "\n".join(rows) + (f"\n\n{grid.note}" if grid.note else "")


def save_result(result: Any, path: Any, **options: Any) -> None:
    """Write a limit, continuity or differentiability by suffix; `options` are those of its picture (epsilon=, …)."""
    report = report_of(result, **options)
    save(path, {
        ".html": lambda: page(result, **options), ".json": lambda: to_json(report.data()),
        ".tex": lambda: to_latex(report.statement) + "\n", ".md": lambda: markdown(result),
        ".txt": lambda: as_text(result),
        **{f".{kind}": partial(_drawn, report, kind) for kind in ("svg", "png", "pdf")},
    })  # fmt: skip


def _drawn(report: Report, kind: str) -> bytes:
    from tangently.pictures.saving import _rendered, described

    figure = report.draw()
    alt = described(figure)
    return svg_of(figure, alt).encode() if kind == "svg" else _rendered(figure, kind, alt)


def save_limit(limit: Limit, path: Any, **options: Any) -> None:
    """Write a limit as .html, .svg, .png, .pdf, .tex, .txt, .md or .json, by suffix."""
    save_result(limit, path, **options)


def save_continuity(result: Continuity, path: Any, **options: Any) -> None:
    """Write a continuity by suffix, as `save_limit` does."""
    save_result(result, path, **options)


def save_differentiability(result: Differentiability, path: Any, **options: Any) -> None:
    """Write a differentiability by suffix, as `save_limit` does."""
    save_result(result, path, **options)


__all__ = [
    "as_text", "markdown", "page", "report_of", "save_continuity", "save_differentiability", "save_limit",
    "save_result", "to_terminal",
]  # fmt: skip
