"""Printing: one tree of mathematical layout, and printers that are small loops over its node types.

`tree` reads the notation of each row of the table and gives a `Layout`; `to_text`, `to_unicode`, `to_latex`,
`to_mathml` and `to_python` print one (or an expression). No printer knows an operation, and none thinks about
precedence: see `notation` for the grammar, `nodes` for the node types and the parentheses.

Layouts compose: `equation(derivative_symbol("f", "x"), tree(df))` prints like any other.
"""

from tangently.printing.latex import to_latex
from tangently.printing.linear import to_python, to_text
from tangently.printing.mathml import STYLE, to_mathml
from tangently.printing.names import name, number
from tangently.printing.nodes import Layout, call, fenced, fraction, power, product, sum_of
from tangently.printing.notation import derivative_symbol, equation, tree, words
from tangently.printing.unicode import to_unicode

__all__ = [
    "STYLE",
    "Layout",
    "call",
    "derivative_symbol",
    "equation",
    "fenced",
    "fraction",
    "name",
    "number",
    "power",
    "product",
    "sum_of",
    "to_latex",
    "to_mathml",
    "to_python",
    "to_text",
    "to_unicode",
    "tree",
    "words",
]
