"""What `limit` answers: one side at a time (`Side`), and both together (`Limit`).

Glossary: x the variable, point where x goes, side +1 from the right, -1 from the left (at +∞ the only side is -1,
at -∞ it is +1), L the limit. `exact` is an expression without inputs (π/3, e³), or ±inf as a float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tangently.expr import Expr
from tangently.printing import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

How = Literal["exact", "certified", "estimated", "undecided"]
RANK = {"exact": 0, "certified": 1, "estimated": 2, "undecided": 3}


@dataclass(frozen=True)
class Row:
    """One line of the table of approaching values: x, f(x) and the radius of the proven ball around f(x).

    `radius` is None where the value is a plain float without proof; `y` is nan where f has no value at x.
    """

    x: float
    y: float
    radius: float | None = None
    x_text: str = ""
    y_text: str = ""  # f(x) where it is beyond the range of floats


@dataclass(frozen=True)
class Side:
    """What f tends to from one side."""

    side: int
    value: float | None  # a number, ±inf, or None: there is none (exists is False) or it is not known (None)
    exact: Any = None  # an Expr without inputs; None where value is ±inf or None, or only a number is known
    exists: bool | None = None
    how: How = "undecided"
    why: tuple[str, ...] = ()
    error: float = 0.0  # of an estimate
    defined: bool = True  # False: f has no value on this side near the point
    germ: Any = field(default=None, repr=False, compare=False)  # what the engine knows
    samples: tuple[Any, ...] = field(default=(), repr=False, compare=False)  # proven values (evidence.Sample)
    integers: bool = False  # the variable ran over the whole numbers
    values: tuple[tuple[float, float], ...] = ()  # (x, f(x)) of a function that can't be followed

    @property
    def evidence(self) -> tuple[Row, ...]:
        """The table of approaching values."""
        if self.values:
            return tuple(Row(x, y) for x, y in self.values)
        from tangently.limits.evidence import table

        return table(self.samples)


@dataclass(frozen=True)
class Case:
    """What the limit is under a condition on the parameters, as text ("a > 0")."""

    condition: str
    limit: Limit


class Answer:
    """What every limit can do, of one variable or of several."""

    value: float | None
    exact: Any
    exists: bool | None
    why: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The same as `.why`."""
        return self.why

    def plot(self, ax: Any = None, **options: Any) -> Figure:
        """The curve near the point, with the ε–δ band; of several variables, f along paths into the point."""
        from tangently.pictures.limits import plot_limit

        return plot_limit(self, ax, **options)  # type: ignore[arg-type]

    def save(self, path: Any, **options: Any) -> None:
        """Write the limit as .html, .svg, .png, .pdf, .tex, .txt, .md or .json, by suffix."""
        from tangently.reports.limits import save_limit

        save_limit(self, path, **options)  # type: ignore[arg-type]

    def latex(self) -> str:
        """lim f = L in LaTeX."""
        from tangently.pictures.limits import statement

        return to_latex(statement(self))  # type: ignore[arg-type]

    @property
    def answer(self) -> str:
        """The value in words: π/3, ∞, does not exist, undecided."""
        if self.exists is None:
            return "undecided"
        return "does not exist" if not self.exists else _text(self.exact if self.exact is not None else self.value)

    def __float__(self) -> float:
        return math.nan if self.value is None else self.value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy as np

        return np.asarray(float(self), dtype)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


@dataclass(frozen=True)
class Limit(Answer):
    """The limit of f as x goes to a point: `.value` (a float, ±inf, or None), and how it is known.

    `.exists` is True, False, or None where it is undecided; ±∞ counts as a value. `.left` and `.right` are the
    one-sided values; `.why` tells the steps; `.evidence` is the table of approaching values.
    """

    function: Expr  # f as it was read, exactly
    variable: Expr
    point: Any  # an Expr without inputs, or ±inf
    direction: Literal["both", "+", "-"]
    value: float | None
    exact: Any
    exists: bool | None
    how: How
    why: tuple[str, ...]
    sides: tuple[Side, ...]  # from the left first
    callable: Any = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    integers: bool = False  # the variable runs over the whole numbers
    cases: tuple[Case, ...] = ()  # of a function with parameters, where the answer depends on them

    @property
    def left(self) -> float | None:
        """The limit from the left (from below; at +∞ the only one), None where there is none."""
        return next((s.value for s in self.sides if s.side < 0), None)

    @property
    def right(self) -> float | None:
        """The limit from the right (from above; at -∞ the only one), None where there is none."""
        return next((s.value for s in self.sides if s.side > 0), None)

    @property
    def evidence(self) -> tuple[Row, ...]:
        """The table of approaching values: from the left, then from the right."""
        return tuple(row for side in self.sides for row in side.evidence)

    @property
    def error(self) -> float:
        """For an estimate, how far off it may be; 0 for what is exact."""
        return max((s.error for s in self.sides), default=0.0)

    def delta(self, epsilon: float) -> float:
        """A certified δ: 0 < |x - point| < δ implies |f(x) - L| < ε (at ±∞: a bound N with x beyond it).

        Raises InputError where ε is not positive, DomainError where there is no finite limit, BudgetError where no δ
        could be proven.
        """
        from tangently.limits.bands import delta

        return delta(self, epsilon)

    @property
    def answer(self) -> str:
        """The value in words: π/3, ∞, does not exist, undecided."""
        if self.cases:
            return "; ".join(f"{c.limit.answer} if {c.condition}" for c in self.cases)
        return super().answer

    def __str__(self) -> str:
        sign = {"both": "", "+": "⁺", "-": "⁻"}[self.direction] if not math.isinf(_float(self.point)) else ""
        sides = ""
        if self.exists is False and self.left is not None and self.right is not None:
            sides = f" (from the left {_text(self._side(-1))}, from the right {_text(self._side(1))})"
        equation = f"lim {self.variable.name} → {_text(self.point)}{sign} of {to_text(self.function)}"
        return f"{equation} = {self.answer}{sides}   [{self.how}]"

    def _side(self, side: int) -> Any:
        found = next(s for s in self.sides if s.side == side)
        return found.exact if found.exact is not None else found.value

    __repr__ = __str__


def _float(point: Any) -> float:
    return 0.0 if isinstance(point, Expr) else float(point)


def _text(value: Any) -> str:
    if isinstance(value, Expr):
        return to_text(value)
    return "none" if value is None else ("∞" if value == math.inf else "-∞" if value == -math.inf else f"{value:.12g}")


__all__ = ["RANK", "Answer", "Case", "How", "Limit", "Row", "Side"]
