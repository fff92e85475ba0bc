"""Examples to study, in plain Python and NumPy: nothing in them knows of tangently.

penguins.py   models of a real data set, the Palmer penguins: `logistic` regression, and a small `network`
curve.py      functions of a first course: a polynomial, two arguments, a `while` loop, a recursion

Every function can be called without arguments, so that it can be studied without a point:
`tangently study src/tangently/examples/penguins.py:network`. `EXAMPLES` lists them; `path` gives the file.
"""

from __future__ import annotations

from pathlib import Path

EXAMPLES = {
    "penguins.py:logistic": "the mean logistic loss of telling Adelie penguins from the others, 4 weights and a bias",
    "penguins.py:network": "the softmax cross-entropy of a 4-8-3 tanh network that tells three species apart",
    "curve.py:f": "the polynomial 2x² + 3x + 1",
    "curve.py:two": "x² + 3y + e^(xy), a function of two numbers",
    "curve.py:root": "the square root by Newton's method, a while loop",
    "curve.py:power": "x to the 5th by recursion",
}


def path(name: str) -> Path:
    """The file of an example: `path("penguins.py")`, or with the function, `path("penguins.py:network")`.

    >>> path("curve.py:f").name
    'curve.py'
    """
    return Path(__file__).parent / name.partition(":")[0]
