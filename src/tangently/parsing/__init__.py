"""Text to formula: `parse("x² + 3y + e^{xy}")`, in the spelling of Python or of the blackboard. Never `eval`.

The modules, in the order in which a text passes through them:

    tokens     text to tokens: every spelling of a sign becomes one
    names      what names mean; products such as xy are split
    cursor     the loop: operator precedence on a stack of its own
    calls, operands, operators    the rules of the grammar
    grammar    the rules put together, and the checks on the whole
    formula    the result, which can be called
    echo       how the text was read
"""

from .formula import Formula, canonical, parse

__all__ = ["Formula", "canonical", "parse"]
