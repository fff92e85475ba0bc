"""Matrices that know their structure: what `hessian(f)(x)` returns, the blocks that it is a sum of, and colorings."""

from tangently.structured.blocks import (
    Batched,
    Block,
    Congruence,
    Contracted,
    Crossed,
    Dense,
    Diagonal,
    Kronecker,
    LowRank,
    Outer,
    Placed,
    Scaled,
    Sparse,
)
from tangently.structured.coloring import Coloring, color_columns, color_symmetric, recover, seeds
from tangently.structured.operators import Structured
from tangently.structured.patterns import Pattern

__all__ = [
    "Batched",
    "Block",
    "Coloring",
    "Congruence",
    "Contracted",
    "Crossed",
    "Dense",
    "Diagonal",
    "Kronecker",
    "LowRank",
    "Outer",
    "Pattern",
    "Placed",
    "Scaled",
    "Sparse",
    "Structured",
    "color_columns",
    "color_symmetric",
    "recover",
    "seeds",
]
