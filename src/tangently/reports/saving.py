"""`.save(path)`: the suffix says what is written. Every file is written whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError
from tangently.files import write_whole

if TYPE_CHECKING:
    from tangently.function import Derived
    from tangently.studies import Explanation, Graph, Study

Writers = dict[str, Callable[[], str | bytes]]


def save(path: Any, writers: Writers) -> Path:
    """Write by suffix. Raises InputError for a suffix that is not offered or a place that can't be written to."""
    target = Path(path)
    writer = writers.get(target.suffix.lower())
    if writer is None:
        raise InputError(
            f"{target.name}: {target.suffix or 'no suffix'} was got; one of {', '.join(sorted(writers))} was wanted"
        )
    content = writer()
    return write_atomically(target, content.encode() if isinstance(content, str) else content)


def write_atomically(target: Path, content: bytes) -> Path:
    """Write beside the target, then rename: nothing half-written is ever there."""
    if target.is_dir():
        raise InputError(f"{target} is a folder: the name of a file was wanted")
    try:
        write_whole(target, content)
    except OSError as error:
        raise InputError(
            f"{target} can't be written: {error.strerror}. Choose a folder that exists and is yours"
        ) from None
    return target


def plain(value: Any) -> Any:
    """What JSON can hold: arrays as lists, numbers that are not finite as text."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    return int(value) if isinstance(value, np.integer) else str(value)


def to_json(data: Any) -> str:
    return json.dumps(plain(data), indent=2, ensure_ascii=False) + "\n"


def figure_bytes(draw: Callable[[], Any], suffix: str) -> bytes:
    """A matplotlib picture in a format."""
    import io

    axes = draw()
    first = np.ravel(np.asarray(axes, dtype=object))[0]
    stream = io.BytesIO()
    first.figure.savefig(stream, format=suffix, bbox_inches="tight", dpi=160)
    return stream.getvalue()


def _pictures(draw: Callable[[], Any]) -> Writers:
    return {f".{s}": (lambda s=s: figure_bytes(draw, s)) for s in ("svg", "png", "pdf")}


def study_data(study: Study) -> dict[str, Any]:
    """A study as plain data."""
    found = study.curvature
    return {
        "title": study.title,
        "at": dict(zip(study.point.bound.paths, study.point.leaves)),
        "value": study.value,
        "gradient": {e.label: e.gradient for e in study.entries},
        "gradient_norm": study.norm,
        "formulas": {label: str(f) for label, f in study.formulas},
        "derivatives": {str(order): {"formula": str(f), "value": v} for order, f, v in study.higher},
        "jacobian": study.jacobian,
        "hessian": None if found is None else found.matrix,
        "eigenvalues": None if found is None else found.eigenvalues,
        "condition_number": None if found is None else found.condition,
        "verdict": None if found is None else found.verdict,
        "steps": explanation_data(study.explanation),
        "receipt": None if study.receipt is None else receipt_data(study.receipt),
        "source": study.source,
        "notes": list(study.notes),
    }


def explanation_data(explanation: Explanation) -> dict[str, Any]:
    return {
        "title": explanation.title,
        "notation": explanation.notation,
        "depth": explanation.depth,
        "lines": [
            {"level": n.level, "rule": n.rule, "text": n.text, "latex": n.latex, "note": n.note}
            for n in explanation.lines()
        ],
        "backward": [str(s) for s in explanation.walk],
        "paths": [str(p) for p in explanation.paths],
        "agrees_with_reverse_sweep": explanation.agrees,
    }


def receipt_data(receipt: Any) -> dict[str, Any]:
    rows = [
        {"route": r.name, "value": r.value, "digits": r.digits, "agrees": r.verdict, "note": r.note}
        for r in receipt.rows
    ]
    return {"routes": rows, "agree": receipt.agree, "odd_one_out": receipt.odd_one_out}


def graph_data(graph: Graph) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(graph.diagram)


def save_study(study: Study, path: Any) -> None:
    from tangently.reports.documents import study_page
    from tangently.reports.terminal import plain_text

    save(path, {
        ".html": lambda: study_page(study), ".json": lambda: to_json(study_data(study)),
        ".tex": lambda: study.latex() + "\n",
        ".txt": lambda: plain_text(study), **_pictures(study.plot),
    })  # fmt: skip


def save_graph(graph: Graph, path: Any) -> None:
    from tangently.reports.documents import graph_page

    save(path, {
        **_pictures(graph.plot), ".svg": graph.svg, ".html": lambda: graph_page(graph),
        ".json": lambda: to_json(graph_data(graph)), ".txt": lambda: str(graph) + "\n",
    })  # fmt: skip


def save_explanation(explanation: Explanation, path: Any) -> None:
    from tangently.reports.documents import explanation_page

    save(path, {
        ".html": lambda: explanation_page(explanation), ".json": lambda: to_json(explanation_data(explanation)),
        ".tex": lambda: explanation.latex() + "\n", ".txt": lambda: str(explanation) + "\n",
    })  # fmt: skip


def save_function(derived: Derived, path: Any, **options: Any) -> None:
    from tangently.studies import study

    whole = lambda: study(derived.__wrapped__, wrt=derived._engine.wrt)

    def page() -> str:
        from tangently.reports.documents import study_page

        return study_page(whole())

    save(path, {
        **_pictures(lambda: derived.plot(**options)), ".html": page, ".tex": lambda: derived.latex() + "\n",
        ".json": lambda: to_json({
            "verb": derived.verb, "formula": str(derived.formula), "latex": derived.latex(), "source": derived.source,
        }),
        ".py": lambda: derived.source,
    })  # fmt: skip


__all__ = [
    "plain",
    "save",
    "save_explanation",
    "save_function",
    "save_graph",
    "save_study",
    "to_json",
    "write_atomically",
]
