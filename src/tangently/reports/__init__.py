"""Reports: a sequence of blocks (`blocks`) becomes one offline HTML file (`page`)."""

from tangently.reports.blocks import (
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
    Picture,
    Plot1D,
    StepItem,
    Steps,
    Table,
    Text,
    Verdict,
)
from tangently.reports.page import render_page, write_page

__all__ = [
    "Block",
    "Code",
    "Contour2D",
    "Facts",
    "Formula",
    "GraphFigure",
    "GraphStep",
    "Heading",
    "JsFunction",
    "LineChart",
    "Picture",
    "Plot1D",
    "StepItem",
    "Steps",
    "Table",
    "Text",
    "Verdict",
    "render_page",
    "write_page",
]
