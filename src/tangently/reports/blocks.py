"""What a report is made of: frozen blocks of text that is ready to be set, and nothing that knows mathematics.

The caller has already printed its expressions (MathML, unicode, TeX) and compiled them (JavaScript); a block
only says what role a piece plays. `page.render_page` sets a sequence of blocks as one HTML file.

Two conventions hold throughout:

- A field called `mathml`, `before`, `after` or `svg` is markup and trusted as such (SVG is still stripped of
  scripts and outside references); every other string is plain text and is escaped. A field documented as
  "MathML or text" is markup when it starts with ``<math``.
- Numbers are given in full. The page shows four digits and keeps the rest for hover and focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title of the page, so blocks start at 2."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; an empty line in `text` starts a new one."""

    text: str
    kind: Literal["plain", "note", "warning"] = "plain"


@dataclass(frozen=True, slots=True)
class Formula:
    """A displayed formula. `text` is its unicode form: read aloud, and shown where there is no MathML."""

    mathml: str
    text: str
    tex: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; `numeric` aligns the cells that are numbers to the right and shortens them to four digits."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    note: str = ""
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class StepItem:
    """One step of a derivation: by `rule`, `before` equals `after`. `level` is its depth, `text` its alternative."""

    rule: str
    before: str
    after: str
    note: str = ""
    level: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """A derivation, top down."""

    items: tuple[StepItem, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check: True is a tick, False a cross, None a question mark (nothing was proven)."""

    ok: bool | None
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Source code, with a button-free, selectable listing."""

    source: str
    language: str = "python"
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values, one a line."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class JsFunction:
    """A compiled function: `source` declares ``function <name>(<parameters>) {...}``.

    The page calls it with the variables and sliders of these names, so the order of `parameters` is free, and a
    function may leave out what it does not use. `helpers` declares the functions that it calls besides Math; equal
    declarations are carried once, so each function may bring all that it needs.
    """

    name: str
    parameters: tuple[str, ...]
    source: str
    helpers: str = ""


@dataclass(frozen=True, slots=True)
class Plot1D:
    """A live curve over its derivative: draggable point and tangent, secant, zoom, sliders. `label`: MathML or text."""

    value: JsFunction
    derivative: JsFunction
    variable: str
    at: float
    domain: Interval
    second: JsFunction | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    label: str = ""
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Contour2D:
    """A live contour map with its gradient field, draggable point, and the same function as a surface."""

    value: JsFunction
    gradient: tuple[JsFunction, JsFunction]
    variables: tuple[str, str]
    at: tuple[float, float]
    domain: tuple[Interval, Interval]
    parameters: tuple[tuple[str, float], ...] = ()
    label: str = ""
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class GraphStep:
    """One step of a sweep: the ids of the SVG elements that appear with it, and the sentence that says why."""

    direction: Literal["forward", "backward"]
    ids: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class GraphFigure:
    """A drawn graph that is walked: values forward, then gradients backward. All of it shows before the first step."""

    svg: str
    steps: tuple[GraphStep, ...]
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A still SVG."""

    svg: str
    alt: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class LineChart:
    """A still chart of named series (name, xs, ys), e.g. error against step. Values that are not finite leave gaps."""

    series: tuple[tuple[str, Sequence[float], Sequence[float]], ...]
    log_x: bool = False
    log_y: bool = False
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    alt: str = ""
    caption: str = ""


Block: TypeAlias = (
    Heading
    | Text
    | Formula
    | Table
    | Steps
    | Verdict
    | Code
    | Facts
    | Plot1D
    | Contour2D
    | GraphFigure
    | Picture
    | LineChart
)
