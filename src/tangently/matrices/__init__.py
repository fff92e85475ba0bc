"""Matrix calculus on paper: derivatives as formulas of matrices, with shapes, and as code."""
