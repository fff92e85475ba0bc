"""A study as a page: the same sections as the terminal report, with live figures compiled to JavaScript."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.codegen.javascript import helpers, javascript
from tangently.differentiation import expand, pullback, tangent
from tangently.errors import TangentlyError
from tangently.expr import INPUT, TABLE, Expr, const, substitute, symbol, toposort
from tangently.pictures.building import short
from tangently.pictures.diagram import collapse, describe, to_svg, walk
from tangently.printing import derivative_symbol, equation, to_latex, to_mathml, to_text, tree, words
from tangently.reports import (
    Block,
    Code,
    Contour2D,
    Facts,
    Formula,
    GraphFigure,
    GraphStep,
    Heading,
    JsFunction,
    LineChart,
    Plot1D,
    StepItem,
    Steps,
    Table,
    Text,
    Verdict,
    render_page,
)
from tangently.reports.terminal import readable
from tangently.simplification import simplify_all
from tangently.tracing.names import name_of
from tangently.tracing.recording import input_names

if TYPE_CHECKING:
    from tangently.studies import Explanation, Graph, Study

LIVE = 400  # nodes; a longer formula is not compiled into the page


def study_page(study: Study) -> str:
    """The HTML page of a study."""
    blocks = list(study_blocks(study))
    where = ", ".join(f"{p} = {short(v)}" for p, v in zip(study.point.bound.paths, study.point.leaves))
    return render_page(study.title, blocks, subtitle=f"studied at {where}", generated=_generated())


def _generated() -> str:
    from tangently import __version__

    return f"Made by tangently {__version__}. This page works offline and asks no server for anything."


def study_blocks(study: Study) -> Iterator[Block]:
    """Every section as blocks."""
    yield from _summary(study)
    yield from _figures(study)
    yield from _gradient(study)
    yield from _hessian(study)
    yield from explanation_blocks(study.explanation)
    yield Heading("The graph")
    yield graph_block(study.graph)
    yield from _receipt(study)
    if study.source:
        yield Heading("The code that runs")
        yield Code(study.source, "python", "Generated from the same rows of the table as the steps above.")


def _summary(study: Study) -> Iterator[Block]:
    if study.point.recording.scalar and len(toposort([study.point.output])) <= 200:
        yield _formula(study)
    for note in study.notes:
        yield Text(note, "note")
    facts = [("value", _exact(study.value))]
    several = sum(np.size(e.gradient) for e in study.entries) > 1
    if study.norm is not None and several:
        facts.append(("norm of the gradient", repr(study.norm)))
    if study.norm and several and sum(np.size(d) for d in study.direction) <= 8:
        flat = np.concatenate([np.ravel(d) for d in study.direction])
        facts.append(("direction of steepest ascent", f"({', '.join(f'{v:.4f}' for v in flat)})"))
    if study.curvature is not None:
        facts.append(("shape", study.curvature.verdict))
    yield Facts(tuple(facts))


def _exact(value: Any) -> str:
    return repr(float(value)) if np.ndim(value) == 0 and not isinstance(value, (dict, list, tuple)) else str(value)


def _formula(study: Study) -> Formula:
    """The function itself: of numbers written out, of arrays in the user's names."""
    arguments = ", ".join(study.point.engine.signature.parameters)
    output = study.point.output
    names = {n: name for n, name in study.point.recording.names.items() if n is not output}
    arrays = any(n.shape for n in toposort([output]))
    shown = equation(words(f"{name_of(study.point.function)}({arguments})"), tree(output, names if arrays else None))
    return Formula(to_mathml(shown, display="block"), to_text(shown), to_latex(shown))


def _gradient(study: Study) -> Iterator[Block]:
    if study.jacobian is not None:
        yield Heading("Jacobian")
        yield (
            _matrix(np.atleast_2d(np.asarray(study.jacobian, float)))
            if _plain(study.jacobian)
            else Text(str(study.jacobian))
        )
        return
    single = len(study.formulas) == 1
    if readable(study):
        yield Heading("Derivative" if single else "Partial derivatives")
    for (label, formula), entry in zip(study.formulas, study.entries):
        if readable(study):
            shown = equation(_symbol(study, label, 1), tree(formula.expr, formula.shown_names))
            here = f"= {_exact(entry.gradient)} at this point" if np.ndim(entry.gradient) == 0 else ""
            yield Formula(to_mathml(shown, display="block"), to_text(shown), to_latex(shown), here)
    for order, formula, value in study.higher:
        if len(toposort([formula.expr])) <= 80:
            shown = equation(_symbol(study, study.formulas[0][0], order), tree(formula.expr))
            yield Formula(
                to_mathml(shown, display="block"), to_text(shown), to_latex(shown), f"= {value!r} at this point"
            )
    yield from _table_of_arguments(study)


def _symbol(study: Study, label: str, order: int) -> Any:
    """f′(x) for the only argument, ∂f/∂x for one of several."""
    single = len(study.formulas) == 1
    variable = input_names([label])[0]
    return derivative_symbol("f", variable, order, "lagrange" if single else "leibniz", partial=not single)


def _plain(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim <= 2 and value.size <= 400


def _table_of_arguments(study: Study) -> Iterator[Block]:
    if len(study.entries) == 1 and np.ndim(study.entries[0].gradient) == 0:
        return
    rows = tuple(
        (e.label, short(e.value), _gradient_cell(e.gradient), f"{np.linalg.norm(np.asarray(e.gradient)):.10g}")
        for e in study.entries
    )
    yield Heading("Gradient")
    yield Table(("argument", "value", "gradient", "norm of the gradient"), rows, numeric=True)


def _gradient_cell(g: Any) -> str:
    return repr(float(g)) if np.ndim(g) == 0 else short(g)


def _matrix(matrix: np.ndarray, labels: Sequence[str] = ()) -> Table:
    columns = tuple(labels) or tuple(str(k) for k in range(matrix.shape[1]))
    return Table(
        ("", *columns),
        tuple((n, *[repr(float(v)) for v in row]) for n, row in zip(labels or map(str, range(len(matrix))), matrix)),
        numeric=True,
    )


def _hessian(study: Study) -> Iterator[Block]:
    found = study.curvature
    if found is None or len(found.labels) < 2:
        return
    yield Heading("Hessian")
    if len(found.labels) <= 8:
        yield _matrix(found.matrix, found.labels)
    values = found.eigenvalues
    shown = ", ".join(f"{v:.6g}" for v in (values if len(values) <= 8 else [*values[:4], *values[-4:]]))
    yield Facts(
        (
            ("eigenvalues" if len(values) <= 8 else f"eigenvalues (four smallest and largest of {len(values)})", shown),
            ("condition number", repr(found.condition)),
            ("verdict", found.verdict),
        )
    )
    if len(values) > 8:
        yield LineChart(
            (("eigenvalues", list(range(1, len(values) + 1)), [float(v) for v in values]),),
            title="Spectrum of the Hessian", x_label="index", y_label="eigenvalue",
            alt=f"The {len(values)} eigenvalues in ascending order, from {values[0]:.4g} to {values[-1]:.4g}",
        )  # fmt: skip


# ---------------------------------------------------------------- live figures


def scalarized(study: Study) -> tuple[list[Expr], list[float], Expr] | None:
    """The function of its one or two numbers: a two-entry array becomes two numbers, everything else a constant."""
    point = study.point
    nodes = point.selection.nodes
    if not point.recording.scalar or len(toposort([point.output])) > LIVE:
        return None
    values = point.recording.trace.values
    constants = {
        n: const(values[n]) for n in point.recording.inputs if n is not None and n not in nodes and n.shape != ()
    }
    replaced, numbers, starts = dict(constants), [], []
    for node, label in zip(nodes, point.selection.labels):
        if node.op is not INPUT:
            return None
        if node.shape == ():
            numbers.append(node)
            starts.append(float(values[node]))
        elif len(node.shape) == 1 and node.shape[0] <= 2:
            parts = [symbol(f"{node.name or label}_{k}") for k in range(node.shape[0])]
            replaced[node] = TABLE["stack"](*parts, params=(0,))
            numbers += parts
            starts += [float(v) for v in values[node]]
        else:
            return None
    if not 1 <= len(numbers) <= 2:
        return None
    output = expand(substitute([point.output], replaced))[0]
    return (numbers, starts, output) if all(n.shape == () for n in toposort([output])) else None


def _figures(study: Study) -> Iterator[Block]:
    found = scalarized(study)
    if found is None:
        return
    numbers, starts, output = found
    others = [n for n in toposort([output]) if n.op is INPUT and n not in numbers]
    parameters = tuple((n.name or "p", float(study.point.recording.trace.values.get(n, 1.0))) for n in others)
    try:
        yield (
            _curve(study, numbers[0], starts[0], output, others, parameters)
            if len(numbers) == 1
            else _contour(study, numbers, starts, output, others, parameters)
        )
    except TangentlyError as error:
        yield Text(f"No live figure: {error}", "note")


def compiled(name: str, inputs: Sequence[Expr], output: Expr) -> JsFunction:
    source = javascript(name, list(inputs), [output])
    return JsFunction(name, tuple(n.name or "x" for n in inputs), source, helpers(source))


def _curve(study: Study, x: Expr, at: float, y: Expr, others: list[Expr], parameters: Any) -> Plot1D:
    slope = tangent([y], {x: const(1.0)})[0]
    first, second = simplify_all([slope, tangent([slope], {x: const(1.0)})[0]])
    inputs = [x, *others]
    span = _span(at)
    return Plot1D(
        compiled("f", inputs, y), compiled("df", inputs, first), x.name or "x", at, span,
        second=compiled("ddf", inputs, second), parameters=parameters, label=study.title,
        alt=f"{study.title} with its tangent at {x.name} = {short(at)}, of slope {short(study.entries[0].gradient)}",
        caption="With the secant shown, its slope tends to the tangent's as h → 0.",
    )  # fmt: skip


def _contour(study: Study, xs: list[Expr], at: list[float], y: Expr, others: list[Expr], parameters: Any) -> Contour2D:
    grads = simplify_all(pullback([y], [const(1.0)], xs))
    inputs = [*xs, *others]
    names = (xs[0].name or "x", xs[1].name or "y")
    return Contour2D(
        compiled("f", inputs, y), (compiled("fx", inputs, grads[0]), compiled("fy", inputs, grads[1])), names,
        (at[0], at[1]), (_span(at[0]), _span(at[1])), parameters=parameters, label=study.title,
        alt=f"Contours of {study.title} with gradient arrows; at the point the gradient has norm {short(study.norm)}",
        caption="The arrow is the gradient at the point: across the contour, toward steepest ascent.",
    )  # fmt: skip


def _span(at: float) -> tuple[float, float]:
    reach = max(3.0, 1.5 * abs(at))
    return (at - reach, at + reach) if math.isfinite(at) else (-3.0, 3.0)


# ---------------------------------------------------------------- explanation, graph, receipt


def explanation_blocks(explanation: Explanation) -> Iterator[Block]:
    """Steps, paths and quotients."""
    lines = explanation.lines()
    if lines:
        yield Heading("Step by step")
        yield Steps(tuple(_step(line) for line in lines))
        yield Verdict(
            explanation.agrees,
            "The derivation equals the reverse sweep",
            "" if explanation.agrees else "They differ: do not trust this answer.",
        )
    elif explanation.walk:
        yield Heading("Step by step, backward")
        yield Steps(tuple(item for step in explanation.walk for item in _back(step)))
    shown = [p for p in explanation.paths if p.count > 1 or len(explanation.paths) == 1]
    for found in shown:
        yield Heading("The chain rule by paths", 3)
        yield Code(str(found), "text")
    if explanation.quotients is not None:
        yield Heading("The difference quotient as h → 0", 3)
        rows = tuple((f"{r.h:g}", repr(float(r.quotient)), f"{float(r.error):.3g}") for r in explanation.quotients)
        yield Table(("h", "(f(x + h) − f(x)) / h", "error"), rows, numeric=True)


def _back(step: Any) -> Iterator[StepItem]:
    """A node on the way back, and below it what it hands to each operand."""
    arrived = f"{to_text(step.symbol)} has arrived" + (f": {step.numbers}" if step.numbers else "")
    yield StepItem(step.rule, to_mathml(step.definition), "", arrived, 0, to_text(step.definition))
    for part in step.contributions:
        note = ", ".join(t for t in (part.note, f"shape {part.shape}" if part.shape else "", part.numbers) if t)
        yield StepItem("", part.mathml, "", note, 1, part.text)


def _step(line: Any) -> StepItem:
    return StepItem(rule=line.rule, before=line.mathml, after="", note=line.note, level=line.level, text=line.text)


def graph_block(graph: Graph) -> GraphFigure:
    small = collapse(graph.diagram, graph.limit)
    steps = tuple(GraphStep(s.direction, s.elements, s.text) for s in walk(small))
    return GraphFigure(
        to_svg(small), steps, describe(small), "Values go forward (→, blue); gradients come back (←, vermillion)."
    )


def _receipt(study: Study) -> Iterator[Block]:
    found = study.receipt
    if found is None:
        return
    yield Heading("Receipt: independent routes")
    yield Table(("", "route", "value", "digits", "time", "note"), found.table(), numeric=True)
    yield Verdict(found.agree, found.summary)
    sweep = found.sweep_h
    if sweep is not None:
        yield LineChart(
            tuple((name, sweep.h.tolist(), error.tolist()) for name, error in sweep.errors.items()),
            log_x=True, log_y=True, title="Error of difference quotients against h", x_label="h", y_label="error",
            alt="Truncation error falls with h, then rounding error rises: the best step lies between.",
        )  # fmt: skip


def graph_page(graph: Graph) -> str:
    title = graph.diagram.title or "Computational graph"
    return render_page(title, [graph_block(graph)], generated=_generated())


def explanation_page(explanation: Explanation) -> str:
    return render_page(explanation.title, list(explanation_blocks(explanation)), generated=_generated())


__all__ = ["explanation_page", "graph_page", "study_page"]
