"""Foreign objects to expressions and back: formulas of SymPy, and models of other libraries."""
