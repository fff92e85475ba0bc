"""The terminal report of a study: rich renderables, in the order in which a person asks.

What is it, what is its value, what are its derivatives, how do they come about, how does the gradient flow, and can it
be believed. Data go to standard output; nothing here prints.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.pictures.building import short

if TYPE_CHECKING:
    from tangently.studies import Explanation, Study

VALUE, GRADIENT = "#0072B2", "#D55E00"
LONG = 14  # rows of a table of arguments that are shown


def study_renderables(study: Study, width: int) -> Iterator[Any]:
    """The whole report, section by section."""
    from rich.text import Text

    yield Text()
    yield Text(study.title, style="bold")
    yield from _facts(study)
    yield from _derivatives(study)
    yield from _arguments(study)
    yield from _hessian(study)
    yield from _steps(study)
    yield from _paths(study)
    yield from _quotients(study)
    yield from _graph(study, width)
    yield from _receipt(study)
    yield from _code(study)
    for note in study.notes:
        yield Text(f"• {note}", style="italic")


def heading(text: str) -> Any:
    from rich.rule import Rule

    return Rule(text, align="left", style="dim")


def _facts(study: Study) -> Iterator[Any]:
    from rich.text import Text

    at = ", ".join(f"{p} = {short(v)}" for p, v in zip(study.point.bound.paths, study.point.leaves))
    if study.echo and study.echo not in study.title:
        yield Text(f"read as  {study.echo}", style="dim")
    yield Text.assemble("at       ", at[:400])
    yield Text.assemble("value    ", (f"→ {digits(study.value)}", VALUE))


def digits(value: Any) -> str:
    """Ten digits of a number, an array as NumPy prints it."""
    if np.ndim(value) == 0 and not isinstance(value, (dict, list, tuple)):
        return f"{float(value):.10g}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=6, threshold=30)
    return str(value)


def _derivatives(study: Study) -> Iterator[Any]:
    from rich.text import Text

    if not readable(study):
        return
    yield heading("derivative" if len(study.formulas) == 1 else "partial derivatives")
    single = len(study.formulas) == 1
    for (label, formula), entry in zip(study.formulas, study.entries):
        name = "f′" if single else f"∂f/∂{label}"
        text = formula.unicode(width=72)
        here = f"   = {digits(entry.gradient)} here" if np.ndim(entry.gradient) == 0 else ""
        shown = _beside(f"{name} = ", text, here) if len(text) <= 1500 else f"{name} = …{here}"
        yield Text(shown)
    for order, formula, value in study.higher:
        text = str(formula)
        name = "f" + "′" * order
        yield Text(f"{name} = {text if len(text) < 160 else '…'}   = {digits(value)} here")


def readable(study: Study) -> bool:
    """Formulas are shown where a person can take them in; longer ones are told by the steps."""
    return bool(study.formulas) and all(len(str(f)) <= 240 for _, f in study.formulas)


def _beside(head: str, block: str, tail: str = "") -> str:
    """A one-line head and tail around a two-dimensional formula, at its middle line."""
    lines = block.split("\n")
    middle, width = _axis(lines), max(map(len, lines))
    rows = [(head if k == middle else " " * len(head)) + line for k, line in enumerate(lines)]
    rows[middle] = f"{rows[middle]:<{len(head) + width}}{tail}"
    return "\n".join(rows)


def _axis(lines: list[str]) -> int:
    """The line of the main fraction bar, or the line with the most ink."""
    bars = [k for k, line in enumerate(lines) if "─" in line]
    return bars[0] if len(bars) == 1 else max(range(len(lines)), key=lambda k: len(lines[k].replace(" ", "")))


def table(*columns: str, **options: Any) -> Any:
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)
    for k, column in enumerate(columns):
        made.add_column(column, justify="left" if k == 0 else "right", overflow="fold")
    return made


def _arguments(study: Study) -> Iterator[Any]:
    from rich.text import Text

    if study.jacobian is not None:
        yield heading("Jacobian (rows: outputs, columns: inputs)")
        yield Text(digits(study.jacobian))
        return
    if len(study.entries) == 1 and np.ndim(study.entries[0].gradient) == 0:
        return
    yield heading("gradient")
    made = table("argument", "→ value", "← gradient", "‖gradient‖", "largest entry")
    for entry in study.entries[:LONG]:
        g = np.asarray(entry.gradient)
        big = "" if not g.ndim else _largest(entry.label, g)
        made.add_row(
            entry.label, Text(short(entry.value), VALUE), Text(short(g) if g.ndim else digits(g), GRADIENT),
            f"{np.linalg.norm(g):.6g}", big,
        )  # fmt: skip
    yield made
    if study.norm is not None:
        yield Text(f"norm of the gradient  {study.norm:.10g}")
    if study.norm == 0:
        yield Text("the gradient is zero: a critical point")
    elif study.norm and sum(np.size(d) for d in study.direction) <= 8:
        flat = np.concatenate([np.ravel(d) for d in study.direction])
        yield Text(f"steepest ascent       ({', '.join(f'{v:.4f}' for v in flat)})")


def _largest(label: str, g: np.ndarray) -> str:
    k = np.unravel_index(int(np.argmax(np.abs(g))), g.shape)
    return f"{g[k]:.4g} at {label}[{', '.join(map(str, k))}]"


def _hessian(study: Study) -> Iterator[Any]:
    from rich.text import Text

    found = study.curvature
    if found is None or len(found.labels) < 2:
        return
    yield heading("Hessian")
    if len(found.labels) <= 6:
        made = table("", *found.labels)
        for label, row in zip(found.labels, found.matrix):
            made.add_row(label, *[f"{v:.6g}" for v in row])
        yield made
    values = found.eigenvalues
    shown = ", ".join(f"{v:.4g}" for v in (values if len(values) <= 8 else [*values[:3], *values[-3:]]))
    yield Text(
        f"eigenvalues   {shown}" + ("" if len(values) <= 8 else f"  (three smallest and largest of {len(values)})")
    )
    yield Text(f"condition     {found.condition:.6g}")
    yield Text(f"verdict       {found.verdict}", style="bold")


def _steps(study: Study) -> Iterator[Any]:
    from rich.text import Text

    text = explanation_text(study.explanation, quotients=False, paths=False)
    if text:
        yield heading("step by step")
        yield Text(text)


def explanation_text(explanation: Explanation, *, quotients: bool = True, paths: bool = True) -> str:
    """The lines of an explanation, indented by depth, with the rule named after each."""
    rows = [("  " * line.level + line.text, line.rule, _numbers(line.note)) for line in explanation.lines()]
    parts = [_aligned(rows)]
    if explanation.walk:
        parts.append("\n".join(walk_lines(explanation)))
    if paths and explanation.paths:
        parts += [str(p) for p in explanation.paths]
    if quotients and explanation.quotients is not None:
        parts.append(str(explanation.quotients))
    if explanation.derivations:
        parts.append(
            "✓ equal to the reverse sweep" if explanation.agrees else "✗ the reverse sweep gives something else"
        )
    return "\n\n".join(p for p in parts if p)


def _numbers(note: str) -> str:
    """A remark without the point, which stands at the head of the report."""
    return re.sub(r"^at [^:]*: ", "", note)


def _aligned(rows: list[tuple[str, str, str]]) -> str:
    """Two columns: the mathematics, and the rule and remark."""
    width = min(max((len(text) for text, _, _ in rows), default=0), 64)
    lines = []
    for text, rule, note in rows:
        remark = " · ".join(part for part in (rule, note) if part)
        lines.append(f"{text:<{width}}   {remark}".rstrip())
    return "\n".join(lines)


def walk_lines(explanation: Explanation) -> list[str]:
    return [str(step) for step in explanation.walk]


def _paths(study: Study) -> Iterator[Any]:
    from rich.text import Text

    shown = [p for p in study.explanation.paths if p.count > 1 or len(study.explanation.paths) == 1]
    if shown:
        yield heading("the chain rule by paths")
        for found in shown:
            yield Text(str(found))


def _quotients(study: Study) -> Iterator[Any]:
    from rich.text import Text

    if study.explanation.quotients is not None:
        yield heading("the difference quotient as h → 0")
        yield Text(str(study.explanation.quotients))


def _graph(study: Study, width: int) -> Iterator[Any]:
    from rich.text import Text

    yield heading("the graph: → value, ← gradient")
    yield Text.from_markup(study.graph.text(width=max(width - 1, 40), color=True))


def _receipt(study: Study) -> Iterator[Any]:
    from rich.text import Text

    if study.receipt is not None:
        yield heading("receipt: independent routes")
        yield Text(str(study.receipt))


def _code(study: Study) -> Iterator[Any]:
    from rich.syntax import Syntax

    if study.source and len(study.source) < 4000:
        yield heading("the code that runs")
        yield Syntax(study.source.rstrip(), "python", theme="ansi_dark", background_color="default", word_wrap=True)


def plain_text(study: Study, width: int = 100) -> str:
    """The report without color."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, highlight=False, legacy_windows=False).print(study)
    return stream.getvalue()
