"""What `continuity` and `differentiability` answer. Frozen, and readable as they print.

Glossary: c the point; left, right what f (or its slope) tends to from each side, None where there is none; height the
right value minus the left one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tangently.expr import Expr
from tangently.limits.results import RANK, How
from tangently.printing import to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangently.smoothness.cells import Cells
    from tangently.smoothness.hulls import Clarke

Kind = Literal["removable", "jump", "infinite", "essential", "undecided"]
KINDS = {
    "removable": "a hole that one value would fill",
    "jump": "a jump",
    "infinite": "no bound",
    "essential": "no limit, not even an infinite one",
    "undecided": "not decided",
}
DIFFERENTIABLE = ("smooth", "differentiable-not-C1", "differentiable")


def worst(*hows: str) -> Any:
    """The least trustworthy of several ways of knowing.

    >>> worst("exact", "estimated", "certified")
    'estimated'
    """
    return max(hows, key=RANK.__getitem__, default="exact")


def shown(value: Any) -> str:
    """A value as a person writes it.

    >>> shown(math.inf), shown(None), shown(0.5)
    ('∞', 'none', '0.5')
    """
    if isinstance(value, Expr):
        return to_text(value)
    if value is None:
        return "none"
    return ("∞" if value > 0 else "-∞") if math.isinf(value) else f"{value:.12g}"


@dataclass(frozen=True)
class Discontinuity:
    """A point where f is not continuous: where, of what kind, and what f does on either side."""

    at: float
    kind: Kind
    exact: Expr | None = None
    left: float | None = None
    right: float | None = None
    value: float | None = None  # f there, None where it is undefined
    height: float | None = None
    limit: Any = None  # removable: the value that fills the hole, exactly where it is known so
    how: How = "exact"
    why: str = ""
    edge: bool = False  # f has values on one side only

    def __str__(self) -> str:
        where = shown(self.exact if self.exact is not None else self.at)
        sides = f"from the left {shown(self.left)}, from the right {shown(self.right)}"
        jump = f", height {shown(self.height)}" if self.height is not None else ""
        return f"{where}: {self.kind} ({sides}; f there: {shown(self.value)}{jump}) [{self.how}]"


def _listed(found: Sequence[Any], most: int = 12) -> list[str]:
    """One line each; of very many the first and the last."""
    if len(found) <= most:
        return [f"  {d}" for d in found]
    return [*_listed(found[: most - 2]), f"  … {len(found) - most + 1} more …", f"  {found[-1]}"]


@dataclass(frozen=True)
class Condition:
    """One of the three conditions of the definition: does it hold, and by what numbers?"""

    text: str
    holds: bool | None
    detail: str

    def __str__(self) -> str:
        return f"{'✓' if self.holds else ('?' if self.holds is None else '✗')} {self.text}: {self.detail}"


@dataclass(frozen=True)
class Continuity:
    """Whether f is continuous, at a point or on an interval: `.continuous` is True, False, or None (undecided).

    On an interval `.discontinuities` lists every point where f is not continuous, ends included, and `.complete` says
    whether it is proven that there is no other. `.undefined` lists the parts where f has no value: they are outside its
    domain and no discontinuities. `.accumulating` lists the points at which infinitely many crowd.
    At a point `.conditions` shows the definition, line by line.
    """

    function: Expr
    variable: Expr
    continuous: bool | None
    discontinuities: tuple[Discontinuity, ...]
    how: How
    why: tuple[str, ...]
    complete: bool = True
    on: tuple[float, float] | None = None
    at: float | None = None
    conditions: tuple[Condition, ...] = ()
    undefined: tuple[tuple[float, float], ...] = ()
    accumulating: tuple[float, ...] = ()
    callable: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    cells: Cells | None = field(default=None, repr=False, compare=False)

    @property
    def kind(self) -> Kind | None:
        """At a point: the kind of the discontinuity, None where f is continuous."""
        return self.discontinuities[0].kind if self.at is not None and self.discontinuities else None

    @property
    def steps(self) -> tuple[str, ...]:
        """The same as `.why`."""
        return self.why

    @property
    def extended(self) -> Extended:
        """f with its removable discontinuities removed."""
        holes = [d for d in self.discontinuities if d.kind == "removable"]
        fills = tuple((d.exact if d.exact is not None else d.at, d.limit) for d in holes)
        return Extended(self.function, self.variable, fills, self.callable)

    def plot(self, ax: Any = None, **options: Any) -> Figure:
        """The curve with its discontinuities marked (a matplotlib figure)."""
        from tangently.pictures.limits import plot_continuity

        return plot_continuity(self, ax, **options)

    def save(self, path: Any, **options: Any) -> None:
        """Write the answer as .html, .svg, .png, .pdf, .tex, .txt, .md or .json, by suffix."""
        from tangently.reports.limits import save_continuity

        save_continuity(self, path, **options)

    def __str__(self) -> str:
        f = to_text(self.function)
        verdict = {True: "is continuous", False: "is not continuous", None: "may or may not be continuous"}
        where = f"at {shown(self.at)}" if self.at is not None else f"on [{shown(self.on[0])}, {shown(self.on[1])}]"  # type: ignore[index]
        lines = [f"{f} {verdict[self.continuous]} {where}   [{self.how}]"]
        lines += [f"  {c}" for c in self.conditions]
        lines += _listed(self.discontinuities)
        lines += [f"  no value on ({shown(a)}, {shown(b)})" for a, b in self.undefined]
        lines += [f"  infinitely many crowd at {shown(p)}" for p in self.accumulating]
        if self.on is not None:
            rest = "the others are near where they crowd" if self.accumulating else "not proven to be all"
            lines.append(f"  {'proven: there is no other' if self.complete else rest}")
        return "\n".join(lines)

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.continuous is True


@dataclass(frozen=True)
class Extended:
    """f, with other values at the points of its holes: call it, or read its formula with cases."""

    function: Expr
    variable: Expr
    fills: tuple[tuple[Any, Any], ...]
    callable: Callable[..., Any] | None = field(default=None, repr=False)

    @property
    def formula(self) -> Expr:
        """The function with cases."""
        from tangently.expr import TABLE

        found = self.function
        for at, limit in self.fills:
            found = TABLE["where"](TABLE["eq"](self.variable, at), limit, found)
        return found

    def __call__(self, x: float) -> float:
        from tangently.expr import evaluate

        return float(evaluate([self.formula], {self.variable: float(x)})[0])

    def __str__(self) -> str:
        cases = "".join(f", {shown(limit)} at {self.variable.name} = {shown(at)}" for at, limit in self.fills)
        return f"{to_text(self.function)}{cases}"

    __repr__ = __str__


@dataclass(frozen=True)
class Roughness:
    """A point where f is not differentiable (or not as smooth as elsewhere), with the slopes on both sides."""

    at: float
    kind: str
    exact: Expr | None = None
    left: float | None = None
    right: float | None = None
    how: How = "exact"
    why: str = ""

    def __str__(self) -> str:
        where = shown(self.exact if self.exact is not None else self.at)
        return f"{where}: {self.kind}, slopes {shown(self.left)} | {shown(self.right)} [{self.how}]"


@dataclass(frozen=True)
class Differentiability:
    """Whether f is differentiable, and how.

    `.kind`: smooth (of class Cᵏ with k = `.order`), differentiable-not-C1, differentiable (where it is not known
    whether f′ is continuous), kink, cusp, vertical, oscillating-quotient, discontinuous, undefined-removable,
    undefined-nonremovable, undecided. `.derivative` is the derivative where there is one; `.left` and `.right` are the
    one-sided slopes (±inf where vertical, None where there is none), `.second` the one-sided second derivatives, where
    asked for. `.subgradient` has the least norm among `.clarke`, the convex hull of the slopes nearby. On an interval
    `.points` lists where f is not differentiable.
    """

    function: Expr
    variable: Any
    kind: str
    derivative: Any
    left: float | None
    right: float | None
    how: How
    why: tuple[str, ...]
    order: float | None = None
    second: tuple[float | None, float | None] | None = None
    subgradient: Any = None
    clarke: Clarke | None = None
    value: Any = None
    at: Any = None
    on: tuple[float, float] | None = None
    points: tuple[Roughness, ...] = ()
    complete: bool = True
    exact: Any = None
    edge: str = ""
    callable: Callable[..., Any] | None = field(default=None, repr=False, compare=False)

    @property
    def differentiable(self) -> bool | None:
        """Is there a finite derivative (on an interval: everywhere)?"""
        if self.kind == "undecided":
            return None
        if self.on is not None:
            return not self.points and self.complete
        return self.kind in DIFFERENTIABLE

    @property
    def steps(self) -> tuple[str, ...]:
        """The same as `.why`."""
        return self.why

    def plot(self, ax: Any = None, **options: Any) -> Figure:
        """The curve with its tangents, one from each side where they differ (a matplotlib figure)."""
        from tangently.pictures.limits import plot_differentiability

        return plot_differentiability(self, ax, **options)

    def save(self, path: Any, **options: Any) -> None:
        """Write the answer as .html, .svg, .png, .pdf, .tex, .txt, .md or .json, by suffix."""
        from tangently.reports.limits import save_differentiability

        save_differentiability(self, path, **options)

    def __str__(self) -> str:
        head = f"{to_text(self.function)}: {self.kind}"
        if self.on is not None:
            lines = [f"{head} on [{shown(self.on[0])}, {shown(self.on[1])}]   [{self.how}]"]
            lines += _listed(self.points)
            return "\n".join([*lines, f"  {'proven: there is no other' if self.complete else 'not proven to be all'}"])
        order = "" if self.order is None else f" (C{'∞' if self.order == math.inf else int(self.order)})"
        slopes = f"slopes {shown(self.left)} | {shown(self.right)}" if self.derivative is None else ""
        answer = f"derivative {self.derivative}" if self.derivative is not None else slopes
        where = shown(self.at) if isinstance(self.at, float) else self.at
        return f"{head}{order} at {where}, {answer}   [{self.how}]"

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.differentiable is True


__all__ = [
    "DIFFERENTIABLE", "KINDS", "Condition", "Continuity", "Differentiability", "Discontinuity", "Extended",
    "How", "Kind", "Roughness", "shown", "worst",
]  # fmt: skip
