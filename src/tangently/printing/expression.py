"""A formula as an object: what `.formula` gives. It prints as mathematics in terminals and notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tangently.expr import Expr, toposort
from tangently.printing import to_latex, to_mathml, to_text, to_unicode


@dataclass(frozen=True)
class Expression:
    """A formula to look at: prints as mathematics in terminals and notebooks.

    `expr` is the graph; `names` are the user's names of its intermediate values; `holds` says where it holds.
    """

    expr: Expr
    names: dict[Expr, str]
    holds: str = ""

    def __str__(self) -> str:
        return to_text(self.expr, self.shown_names) + (f"   where {self.holds}" if self.holds else "")

    __repr__ = __str__

    @property
    def shown_names(self) -> dict[Expr, str]:
        """Formulas of arrays speak in the user's intermediate values; formulas of numbers are written out."""
        arrays = any(n.shape for n in toposort([self.expr]))
        return {n: name for n, name in self.names.items() if n is not self.expr} if arrays else {}

    def unicode(self, width: int = 100) -> str:
        """Two-dimensional mathematics for a terminal."""
        return to_unicode(self.expr, self.shown_names, width=width)

    def latex(self) -> str:
        return to_latex(self.expr, self.shown_names)

    def mathml(self) -> str:
        return to_mathml(self.expr, self.shown_names, display="block")

    def sympy(self) -> Any:
        from tangently.adopting.sympy import to_sympy

        return to_sympy(self.expr)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
