"""The structure of a Hessian in symbols: its network in matrix notation, in the user's own names."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from tangently.contraction import Network
from tangently.expr import CONST, INPUT, Expr, toposort
from tangently.matrices.notation import Mat
from tangently.matrices.reading import read_network
from tangently.matrices.writing import latex, text, with_shapes

LONG = 90  # characters; a longer formula says less than the numbers


@dataclass(frozen=True)
class MatrixFormula:
    """A derivative in matrix notation: prints as a formula of one line; `.unicode()` has the shapes beneath."""

    mat: Mat

    def __str__(self) -> str:
        return text(self.mat)

    __repr__ = __str__

    def unicode(self, width: int = 100) -> str:
        return with_shapes(self.mat)

    def latex(self) -> str:
        return latex(self.mat)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def formula(network: Network, names: Mapping[Expr, str]) -> MatrixFormula | None:
    """The network as a formula; None where neither matrices nor indices can write it."""
    found = read_network(network, _known(network, names))
    return None if found is None else MatrixFormula(found)


def words(network: Network, names: Mapping[Expr, str]) -> str:
    """The network as a formula of one line; empty where it has none, or a long one.

    Values that the user's source has a name for stand by that name; other vectors are a, b, …, matrices A, B, …
    """
    if not network.terms:
        return ""
    found = read_network(network, _known(network, names))
    shown = "" if found is None or found.op == "indexed" else text(found)
    return shown if len(shown) <= LONG else ""


def _known(network: Network, names: Mapping[Expr, str]) -> dict[Expr, str]:
    """A name for each value that the user named, and for each array of numbers."""
    order = toposort([f.node for t in network.terms for f in t.factors])
    known = {n: names[n] for n in order if n in names and n.op is not INPUT}
    taken = {*known.values(), *[n.name for n in order if n.op is INPUT]}
    arrays = [n for n in order if n.op is CONST and n.shape and n not in known]
    for letters, ndims in ((string.ascii_lowercase, (1,)), (string.ascii_uppercase, (2, 3, 4))):
        free = (c for c in letters if c not in taken)
        known.update(zip([n for n in arrays if len(n.shape) in ndims], free))
    return known


__all__ = ["MatrixFormula", "formula", "words"]
