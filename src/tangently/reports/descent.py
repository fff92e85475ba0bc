"""Reports of descents: in the terminal, as one offline page, as data and as files; one run, or several side by side.

The order: what was done and why it stopped, the diagnosis in words, the picture, the table of steps. All are made from
the trajectories alone, so the terminal, the page and the data can't disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tangently.descent import theory
from tangently.descent.diagnosing import Diagnosis, diagnose
from tangently.descent.theory import Theory
from tangently.descent.trajectory import COLUMNS, Trajectory, headings
from tangently.errors import InputError, TangentlyError
from tangently.pictures.landscapes import names_of
from tangently.printing import equation, name, to_latex, to_mathml, to_text, tree
from tangently.reports.blocks import Block, Facts, Formula, Heading, LineChart, Picture, Table, Text, Verdict
from tangently.reports.page import render_page
from tangently.reports.saving import save, to_json

Runs = Sequence[Trajectory]
Told = Sequence[Diagnosis | str]  # the diagnoses, one a run; "" where there is none
ROWS = 40  # of a table on a page
SHOWN = 12  # of the table of theory
LONGEST = 80  # nodes of a formula that is shown
PICTURES = ("svg", "png", "pdf")
FILMS = (".gif", ".mp4")


def diagnosis_of(t: Trajectory) -> Diagnosis | str:
    """The diagnosis, or in words why there is none."""
    try:
        return diagnose(t)
    except TangentlyError as error:
        return f"no diagnosis: {error}"


def said(t: Trajectory) -> str:
    """What was done, where it ended, and why it stopped."""
    return t.words


# ---------------------------------------------------------------- in the terminal


def to_text_report(runs: Runs, diagnoses: Told, rows: int | None = None, with_theory: bool = False) -> str:
    """The tables, the reasons, and the diagnoses, run by run.

    >>> from tangently.descent.minimizing import minimize
    >>> print(to_text_report([minimize("x^2", 1.0, rate=0.25, steps=2)], [""]).splitlines()[2].split())
    ['1', '0.5', '0.25', '1', '0.25', '0.25']
    """
    parts = []
    for t, title, words in zip(runs, names_of(runs, None), diagnoses):
        parts += [title] if len(runs) > 1 else []
        parts += [str(t.table(rows)), "", said(t)]
        parts += ["", str(words)] if words else []
        parts += ["", str(words.theory)] if with_theory and not isinstance(words, str) else []
        parts.append("")
    parts += _compared(runs)
    return "\n".join(parts).strip("\n")


def _compared(runs: Runs) -> list[str]:
    """One line a run, where there are several."""
    if len(runs) < 2:
        return []
    cells = [["method", "steps", "f", "‖∇f‖", "converged"], *_comparison(runs)]
    widths = [max(len(row[k]) for row in cells) for k in range(5)]
    align = lambda row: "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths)))
    return [align(row).rstrip() for row in cells]


def _comparison(runs: Runs) -> list[list[str]]:
    named = zip(runs, names_of(runs, None))
    return [[n, str(t.count), f"{t.value:.6g}", f"{t.norm:.3g}", "yes" if t.converged else "no"] for t, n in named]


# ---------------------------------------------------------------- as data


def descent_data(t: Trajectory, diagnosis: Diagnosis | str = "") -> dict[str, Any]:
    """A trajectory as plain data."""
    return {
        "function": t.problem.name,
        "formula": _formula_text(t),
        "method": t.method,
        "settings": {k: v for k, v in t.settings.items() if isinstance(v, (int, float, str, bool, type(None)))},
        "labels": t.labels,
        "converged": t.converged,
        "reason": t.reason,
        "x": t.last.x,
        "value": t.value,
        "gradient": t.last.gradient,
        "gradient_norm": t.norm,
        "rate": {"linear": t.rate.linear, "order": t.rate.order, "steps": t.rate.steps},
        "counts": vars(t.counts),
        "steps": [_step_data(s) for s in t.steps],
        "history": {k: getattr(t.history, k) for k in ("values", "norms", "rates", "lengths")},
        "diagnosis": str(diagnosis) or None,
        "theory": None if isinstance(diagnosis, str) else _theory_data(diagnosis.theory),
    }


def _theory_data(found: Theory) -> dict[str, Any]:
    return {
        "steps": found.k, "rate": found.rate, "sharpness": found.sharpness, "bound": found.bound,
        "condition": found.condition, "predicted": found.predicted, "measured": found.measured,
        "armijo": found.armijo, "wolfe": found.wolfe, "strong_wolfe": found.strong_wolfe, "edge": found.edge,
    }  # fmt: skip


def _step_data(s: Any) -> dict[str, Any]:
    return {
        "step": s.k, "x": s.x, "value": s.value, "gradient": s.gradient, "gradient_norm": s.norm, "rate": s.rate,
        "length": s.length, "next_x": s.next_x,
    }  # fmt: skip


def _formula_text(t: Trajectory) -> str | None:
    found = _formula(t)
    return to_text(tree(found)) if found is not None else None


def _formula(t: Trajectory) -> Any:
    """The formula of the function, where it has one that can be read."""
    from tangently.expr import toposort
    from tangently.pictures.subject import formula_of

    try:
        found = formula_of(t.problem.function).expr
    except (TangentlyError, AttributeError, IndexError, TypeError, ValueError, ArithmeticError):
        return None  # arrays, branches and black boxes have none
    return found if len(toposort([found])) <= LONGEST else None


# ---------------------------------------------------------------- as a page


def page(runs: Runs, diagnoses: Told, **options: Any) -> str:
    """The report as one offline HTML file."""
    from tangently.reports.documents import _generated

    title = f"Descent on {runs[0].problem.name}: {', '.join(dict.fromkeys(t.method for t in runs))}"
    return render_page(title, list(_blocks(runs, diagnoses, options)), generated=_generated())


def _blocks(runs: Runs, diagnoses: Told, options: dict[str, Any]) -> Iterator[Block]:
    yield from _statement(runs[0])
    several = len(runs) > 1
    for t, title in zip(runs, names_of(runs, None)):
        yield _ending(t, f"{title}: " if several else "")
    if not several:
        yield Facts(tuple(_facts(runs[0])))
    if several:
        rows = tuple(tuple(row) for row in _comparison(runs))
        yield Table(("method", "steps", "f at the end", "norm of the gradient", "converged"), rows, numeric=True)
    yield from _diagnosed(runs, diagnoses)
    yield from _picture(runs, options)
    yield from _theory(runs, diagnoses)
    yield from _chart(runs)
    for t, title in zip(runs, names_of(runs, None)):
        yield Heading(f"The steps of {title}" if several else "The steps")
        yield _table(t)


def _ending(t: Trajectory, whose: str) -> Block:
    """A tick where it converged; where it did not that is no failed check, but worth a warning."""
    if t.converged:
        return Verdict(True, _capital(f"{whose}converged: {t.reason}"))
    return Text(_capital(f"{whose}did not converge: {t.reason}."), "warning")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _statement(t: Trajectory) -> Iterator[Block]:
    found = _formula(t)
    if found is not None:
        shown = equation(name("f"), tree(found))
        yield Formula(to_mathml(shown, display="block"), to_text(shown), to_latex(shown))


def _facts(t: Trajectory) -> Iterator[tuple[str, str]]:
    yield "method", t.method
    where = ", ".join(f"{n} = {v!r}" for n, v in zip(t.labels[:6], t.last.x.tolist()))
    yield "ended at", where + (f", … ({t.problem.size} numbers)" if t.problem.size > 6 else "")
    yield "f there", repr(float(t.value))
    yield "norm of the gradient", repr(float(t.norm))
    yield "measured rate", str(t.rate)


def _diagnosed(runs: Runs, diagnoses: Told) -> Iterator[Block]:
    if not any(diagnoses):
        return
    yield Heading("Diagnosis")
    for title, words in zip(names_of(runs, None), diagnoses):
        if words:
            lines = [line.strip() for line in str(words).splitlines() if line.strip()]
            yield Text("\n\n".join([f"{title}:", *lines] if len(runs) > 1 else lines))


def _theory(runs: Runs, diagnoses: Told) -> Iterator[Block]:
    """The bounds and factors at some steps, beside what the steps did."""
    for title, found in zip(names_of(runs, None), diagnoses):
        if isinstance(found, str) or not len(found.theory):
            continue
        yield Heading(f"Theory beside practice: {title}" if len(runs) > 1 else "Theory beside practice")
        cells = [tuple(row) for row in theory.records(found.theory, SHOWN)]
        if len(cells) < len(found.theory):
            cells.insert(SHOWN // 2, _left_out(theory.COLUMNS))
        yield Table(theory.COLUMNS, tuple(cells), note=theory.LEGEND, numeric=True)
        if said := theory.remarks(found.theory):
            yield Text(" ".join(said))


def _picture(runs: Runs, options: dict[str, Any]) -> Iterator[Block]:
    from tangently.pictures.saving import described, page_svg
    from tangently.reports.limits import svg_of

    try:
        figure = draw(runs, **options)
    except TangentlyError as error:
        yield Text(f"No picture: {error}", "note")
        return
    alt = described(figure)
    yield Picture(page_svg(shortened(svg_of(figure, alt)), alt), alt)


def shortened(svg: str) -> str:
    """The SVG with the coordinates of its paths to hundredths of a point, lines implied: contours are most of a page.

    >>> shortened('<path d="M 1.23456 7.0 L 10.999 2.5 L 3.100001 4 z"/>')
    '<path d="M 1.23 7 10.99 2.5 3.1 4 z"/>'
    """
    return re.sub(r' d="[^"]*"', _short_path, svg)


def _short_path(found: re.Match[str]) -> str:
    """Numbers after M x y, and after L x y, are lines already."""
    text = re.sub(r"(\.\d\d)\d+", r"\1", found[0])
    text = re.sub(r"(\.\d*?)0+(?=[\s\"])", r"\1", text)
    text = re.sub(r"\.(?=[\s\"])", "", text)
    parts = re.split(r"(?<=[\s\"])(?=[MLCQz])", text)
    kept = [p.removeprefix("L ") if p.startswith("L ") and before[:1] in "ML" else p for before, p in pairwise(parts)]
    return re.sub(r"\s+", " ", parts[0] + "".join(kept))


def _chart(runs: Runs) -> Iterator[Block]:
    """The loss of several runs; one run's is in its picture already."""
    if len(runs) < 2:
        return
    from tangently.pictures.descent import axis_scale

    values = [np.asarray(t.history.values, float) for t in runs]
    series = tuple((n, list(range(len(v))), v.tolist()) for n, v in zip(names_of(runs, None), values))
    log = axis_scale(np.concatenate(values)) == "log"
    alt = "f at each step: " + "; ".join(
        f"{n} from {v[0]:.4g} to {v[-1]:.4g}" for n, v in zip(names_of(runs, None), values)
    )
    yield LineChart(series, log_y=log, title="f at each step", x_label="step", y_label="f", alt=alt)


def _table(t: Trajectory) -> Table:
    rows = list(t.table())
    half = ROWS // 2
    kept = rows if len(rows) <= ROWS else [*rows[:half], *rows[-half:]]
    note = "" if len(kept) == len(rows) else f"{len(rows) - len(kept)} rows in the middle are left out."
    cells = [tuple(_cell(row.get(c)) for c in COLUMNS) for row in kept]
    if note:
        cells.insert(half, _left_out(COLUMNS))
    return Table(tuple(headings(t.labels)), tuple(cells), note=note, numeric=True)


def _left_out(columns: Sequence[str]) -> tuple[str, ...]:
    """The row that stands for those that are not shown."""
    return ("…",) + ("",) * (len(columns) - 1)


def _cell(v: Any) -> str:
    if v is None:
        return ""
    if isinstance(v, np.ndarray):
        inner = ", ".join(f"{e:.6g}" for e in v[:3]) + (", …" if v.size > 3 else "")
        return repr(float(v[0])) if v.size == 1 else f"({inner})"
    return str(v) if isinstance(v, (int, np.integer)) else repr(float(v))


# ---------------------------------------------------------------- in files


def draw(runs: Runs, **options: Any) -> Any:
    """The figure: the path on its landscape beside the curves of f, ‖∇f‖ and the step length."""
    from tangently.pictures.descent import plot_trajectory
    from tangently.pictures.saving import figure_of

    return figure_of(plot_trajectory(runs[0], paths=runs[1:], **options))


def save_descent(
    runs: Runs, path: Any, diagnoses: Told | None = None, progress: Callable[[str], None] | None = None, **options: Any
) -> None:
    """Write trajectories by suffix: .html .svg .png .pdf .gif .mp4 .json .txt, and of a single one .npz (to resume)."""
    from pathlib import Path

    if not runs:
        raise InputError("no trajectory was given: one or more were wanted")
    told = lambda: list(diagnoses) if diagnoses is not None else [diagnosis_of(t) for t in runs]
    if Path(path).suffix.lower() in FILMS:
        runs[0].animate(path, paths=runs[1:], progress=progress, **options)
        return
    if Path(path).suffix.lower() == ".npz" and len(runs) == 1:
        runs[0].save(path)
        return
    save(path, {
        ".html": lambda: page(runs, told(), **options), ".json": lambda: to_json(_all_data(runs, told())),
        ".txt": lambda: to_text_report(runs, told()) + "\n",
        **{f".{kind}": lambda kind=kind: _drawn(runs, kind, options) for kind in PICTURES},
    })  # fmt: skip


def _all_data(runs: Runs, diagnoses: Told) -> Any:
    found = [descent_data(t, words) for t, words in zip(runs, diagnoses)]
    return found[0] if len(found) == 1 else found


def _drawn(runs: Runs, kind: str, options: dict[str, Any]) -> bytes:
    from tangently.pictures.saving import _rendered, described
    from tangently.reports.limits import svg_of

    figure = draw(runs, **options)
    alt = described(figure)
    return shortened(svg_of(figure, alt)).encode() if kind == "svg" else _rendered(figure, kind, alt)


__all__ = ["descent_data", "diagnosis_of", "draw", "page", "save_descent", "to_text_report"]
