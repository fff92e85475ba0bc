"""Computational graphs in a terminal: a drawing in box characters if it fits, a table if it does not.

Colors are never the only sign: → is a value that goes forward and ← a gradient that comes back.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.markup import escape

from tangently.pictures.arrangement import MARKS, Direction
from tangently.pictures.boxdrawing import Span, clip, draw
from tangently.pictures.collapsing import collapse
from tangently.pictures.model import Diagram, Vertex, incoming, printable
from tangently.pictures.narration import formulas, phrases, slope

DRAWN = 15  # vertices at most in a drawing
LEAST = 9  # cells that a column of the table keeps, whatever the width
STYLES = {"value": "#0072B2", "gradient": "#D55E00", "local": "italic", "name": "bold", "wire": "dim"}
HEADS: list[Span] = [
    ("value", "name"),
    ("formula", ""),
    ("→ value", "value"),
    ("local derivatives", "local"),
    ("← gradient", "gradient"),
]


def to_text(diagram: Diagram, width: int = 100, *, color: bool = False, limit: int = 60) -> str:
    """The diagram as text, at most `width` columns wide. With `color` it is rich markup. A large one is folded first.

    >>> x, y = Vertex("x", "x", "input", "x", "3"), Vertex("y", "x²", "output", "y", "9")
    >>> from tangently.pictures.model import Arc
    >>> print(to_text(Diagram((x, y), (Arc("x", "y", "3", "2x = 6", "6"),), outputs=("y",))))
    ┌─────┐   → 3      ╔════════╗
    │  x  │───────────▶║ y = x² ║
    │ → 3 │   ← 6      ║  → 9   ║
    └─────┘   2x = 6   ╚════════╝
    <BLANKLINE>
    on each wire: → value, ← gradient, local derivative
    """
    diagram = collapse(diagram, limit)
    title: list[list[Span]] = [[(printable(diagram.title), "name")]] if diagram.title else []
    drawing = draw(diagram, width) if 0 < len(diagram.vertices) <= DRAWN else None
    rows = [*drawing[0], *_legend(diagram, width, drawing[1])] if drawing else _table(diagram, width)
    return "\n".join(_line(row, color) for row in [*title, *rows])


def _line(row: list[Span], color: bool) -> str:
    return "".join(_styled(text, style) if color else text for text, style in row).rstrip()


def _styled(text: str, style: str) -> str:
    return f"[{STYLES[style]}]{escape(text)}[/]" if style and text.strip() else escape(text)


def _legend(diagram: Diagram, width: int, direction: Direction) -> list[list[Span]]:
    """The key to a drawing; a table has it in its head."""
    forward, backward = MARKS[direction]
    value, gradient = (f"{forward} value", "value"), (f"{backward} gradient", "gradient")
    told: list[Span] = [("on each wire: ", ""), value, (", ", ""), gradient, (", ", ""), ("local derivative", "local")]
    fits = sum(cell_len(text) for text, _ in told) <= width
    return [[], told] if fits and any(arc.gradient for arc in diagram.arcs) else []


# --- the table


def _table(diagram: Diagram, width: int) -> list[list[Span]]:
    """A row for each vertex. Columns that nothing stands in are left out, and the widest give way to the width."""
    if not diagram.vertices:
        return [[("no vertices", "")]]
    cells = [[text for text, _ in HEADS], *_cells(diagram)]
    kept = [i for i in range(len(HEADS)) if any(row[i] for row in cells[1:])]
    widths = _fitted([max(cell_len(row[i]) for row in cells) for i in kept], width)
    rows = [[(_padded(row[i], w), HEADS[i][1]) for i, w in zip(kept, widths)] for row in cells]
    rule: list[Span] = [("─" * w, "wire") for w in widths]
    return [_spaced(row) for row in [rows[0], rule, *rows[1:]]]


def _cells(diagram: Diagram) -> list[list[str]]:
    called, formula, operands = phrases(diagram), formulas(diagram), incoming(diagram)

    def row(vertex: Vertex) -> list[str]:
        name, meaning = called[vertex.id], formula[vertex.id]
        slopes = [f"{slope(name, called[arc.source])} = {arc.local}" for arc in operands[vertex.id] if arc.local]
        told = "" if meaning == name and vertex.role in ("input", "constant") else meaning
        shown = "" if name == told else name
        return [shown, told, vertex.value or "", "; ".join(dict.fromkeys(slopes)), vertex.gradient or ""]

    return [row(vertex) for vertex in diagram.vertices]


def _fitted(widths: list[int], width: int) -> list[int]:
    """Take from the widest column, a cell at a time, until the table fits.

    >>> _fitted([10, 40, 30], 64)
    [10, 25, 25]
    """
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _padded(text: str, width: int) -> str:
    text = clip(text, width)
    return text + " " * (width - cell_len(text))


def _spaced(row: list[Span]) -> list[Span]:
    return [span for i, cell in enumerate(row) for span in ([("  ", "")] * bool(i) + [cell])]
