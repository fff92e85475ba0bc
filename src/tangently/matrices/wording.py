"""The structure of a Hessian in symbols: its network in matrix notation, in the user's own names."""

from __future__ import annotations

import string
from collections.abc import Mapping

from tangently.contraction import Network
from tangently.expr import CONST, INPUT, Expr, toposort
from tangently.matrices.reading import read_network
from tangently.matrices.writing import text

LONG = 90  # characters; a longer formula says less than the numbers


def words(network: Network, names: Mapping[Expr, str]) -> str:
    """The network as a formula of one line; empty where it has none, or a long one.

    Values that the user's source has a name for stand by that name; other arrays are A, B, …
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
    letters = (c for c in string.ascii_uppercase if c not in taken)
    known.update(zip([n for n in order if n.op is CONST and n.shape and n not in known], letters))
    return known


__all__ = ["words"]
