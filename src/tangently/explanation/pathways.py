"""The chain rule as a sum over paths: df/dx = Σ over the paths from x to f of the product of local derivatives.

The paths are counted before any is walked, by adding up the counts of the operands in one pass; there may be
exponentially many. Up to a limit they are listed, each with its local derivatives and their product, and the sum of the
products is the derivative. Beyond it the first ones are listed, and the sum comes from the reverse sweep, which is the
same sum with the common factors taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from tangently.differentiation import pullback
from tangently.errors import ShapeError
from tangently.explanation.derivation import coefficient, sum_after
from tangently.explanation.wording import display_names, is_readable, known_values, number_text
from tangently.expr import CONST, INPUT, Expr, const, evaluate, toposort
from tangently.primitives import TABLE
from tangently.printing import name, to_text, tree
from tangently.simplification import simplify

LISTED = 12  # paths in the text of a sum


@dataclass(frozen=True, eq=False)
class Path:
    """A path from the input to the output: its nodes, the local derivative on each edge, and their product."""

    nodes: tuple[Expr, ...]
    names: tuple[str, ...]
    edges: tuple[Expr, ...]
    product: Expr
    values: tuple[float, ...] | None = None
    value: float | None = None
    labels: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        route = " → ".join(self.names)
        factors = " · ".join(self.labels) or "1"
        numbers = "" if self.values is None else f" = {_product_text(self.values, self.value)}"
        return f"{route}:  {factors}{numbers}"


@dataclass(frozen=True, eq=False)
class PathSum:
    """All paths from an input to the output. `complete`: they are all listed, and `total` is the sum of their products.

    Otherwise (more than the limit, or arrays on the way) `total` is the derivative by the reverse sweep.
    """

    output: Expr
    wrt: Expr
    count: int
    paths: tuple[Path, ...]
    total: Expr
    complete: bool
    value: float | None = None
    label: str = "f"

    def __str__(self) -> str:
        x, many = str(self.wrt.params[0]), f"{self.count:,} path{'' if self.count == 1 else 's'}"
        rest = len(self.paths) - LISTED if self.complete else self.count - min(len(self.paths), LISTED)
        lines = [f"{many} from {x} to {self.label}", *[f"  {path}" for path in self.paths[:LISTED]]]
        if rest > 0:
            lines.append(f"  … and {rest:,} more" if self.paths else "  (arrays on the way: no path is listed)")
        return "\n".join([*lines, f"  {'sum' if self.complete else 'sum, by the reverse sweep'}:  {self._sum_text()}"])

    def _sum_text(self) -> str:
        value = None if self.value is None else number_text(self.value)
        shown = to_text(self.total) if is_readable(self.total, {}) else ""
        return " = ".join(dict.fromkeys(part for part in (shown, value) if part)) or "too long to be shown"


def _product_text(values: Sequence[float], value: float | None) -> str:
    shown = [number_text(v) if v >= 0 else f"({number_text(v)})" for v in values]
    return shown[0] if len(shown) == 1 else f"{' · '.join(shown)} = {number_text(value)}"


def paths(
    output: Expr,
    wrt: Expr,
    *,
    limit: int = 1000,
    names: Mapping[Expr, str] | None = None,
    values: Mapping[Expr, Any] | None = None,
) -> PathSum:
    """The derivative d(output)/d(wrt) as a sum over paths.

    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> print(paths(x**2 * y + x * y**2 + 2, x, values={x: 2.0, y: 3.0}))
    2 paths from x to f
      x → x² → x² y → x² y + x y² → f:  2x · y · 1 · 1 = 4 · 3 · 1 · 1 = 12
      x → x y² → x² y + x y² → f:  y² · 1 · 1 = 9 · 1 · 1 = 9
      sum:  2x y + y² = 21
    """
    if output.shape != () or wrt.shape != ():
        raise ShapeError(f"paths lead from one number to one number: got shapes {wrt.shape} and {output.shape}")
    order = toposort([output])
    counts = _counts(order, wrt)
    labels = _labels(order, output, names or {})
    known = known_values(order, values)
    arrays = any(n.shape for n in order if counts[n] and n is not wrt)
    found = [] if arrays else _enumerated(output, wrt, counts, limit)
    listed = tuple(_measured(nodes, slots, labels, known) for nodes, slots in found)
    complete = not arrays and counts[output] <= limit
    total = _total(output, wrt, listed if complete else None)
    value = None if known is None else _number(total, known)
    return PathSum(output, wrt, counts[output], listed, total, complete, value, labels[output])


def _counts(order: Sequence[Expr], wrt: Expr) -> dict[Expr, int]:
    """The number of paths from `wrt` to each node."""
    found: dict[Expr, int] = {}
    for node in order:
        found[node] = 1 if node is wrt else sum(found[a] for i, a in enumerate(node.args) if _passes(node, i))
    return found


def _passes(node: Expr, i: int) -> bool:
    return not node.op.partials or node.op.partials[i] is not None


def _enumerated(output: Expr, wrt: Expr, counts: Mapping[Expr, int], limit: int) -> list[tuple[list[Expr], list[int]]]:
    """The first `limit` paths: the nodes from the input to the output, and by which operand each meets the next."""
    found: list[tuple[list[Expr], list[int]]] = []
    nodes, slots = [output], [-1]  # the way down, and the last operand that was tried at each node
    while nodes and len(found) < limit:
        node = nodes[-1]
        if node is wrt:
            found.append((nodes[::-1], slots[-2::-1]))
        i = -1 if node is wrt else _next_operand(node, slots[-1] + 1, counts)
        if i < 0:
            nodes.pop()
            slots.pop()
        else:
            slots[-1] = i
            nodes.append(node.args[i])
            slots.append(-1)
    return found


def _next_operand(node: Expr, start: int, counts: Mapping[Expr, int]) -> int:
    for i in range(start, len(node.args)):
        if counts[node.args[i]] and _passes(node, i):
            return i
    return -1


def _measured(
    nodes: Sequence[Expr], slots: Sequence[int], labels: Mapping[Expr, str], known: dict[Expr, Any] | None
) -> Path:
    """A path with its local derivatives, and with numbers if there is a point."""
    edges = tuple(coefficient(node, i) for node, i in zip(nodes[1:], slots))
    product = reduce(TABLE["mul"], edges, const(1))
    numbers = None if known is None else tuple(_number(e, known) for e in edges)
    names = {n: text for n, text in labels.items() if n.op is not INPUT and n is not nodes[-1] and text.isidentifier()}
    written = tuple(_factor_text(e, names) for e in edges)
    shown = tuple(to_text(name(labels[n])) if labels[n].isidentifier() else labels[n] for n in nodes)
    value = None if numbers is None else float(np.prod(numbers))
    return Path(tuple(nodes), shown, edges, product, numbers, value, written)


def _factor_text(edge: Expr, names: Mapping[Expr, str]) -> str:
    if not is_readable(edge, names, 24):
        return "…"
    text = to_text(tree(edge, names, top=False))
    return f"({text})" if " + " in text or " − " in text or text.startswith("−") else text


def _labels(order: Sequence[Expr], output: Expr, names: Mapping[Expr, str]) -> dict[Expr, str]:
    """How a node is called on a path: its name, a short formula, or v₁, v₂, …"""
    named = display_names(order, {n: t for n, t in names.items() if n is not output})
    found: dict[Expr, str] = {output: names.get(output) or "f"}
    for node in order:
        if node.op is INPUT:
            found[node] = str(node.params[0])
        elif node is not output and node.op is not CONST:
            found[node] = named.get(node) or _short(node, named) or f"v_{len(found)}"
    return found


def _short(node: Expr, named: Mapping[Expr, str]) -> str | None:
    text = to_text(node, named) if is_readable(node, named, 12) else None
    return text if text is not None and len(text) <= 24 else None


def _total(output: Expr, wrt: Expr, listed: Sequence[Path] | None) -> Expr:
    if listed is None:
        return simplify(pullback([output], [const(1)], [wrt])[0], cancel=True)
    return simplify(sum_after([p.product for p in listed], [1] * len(listed)), cancel=True) if listed else const(0)


def _number(expr: Expr, known: dict[Expr, Any]) -> float:
    with np.errstate(all="ignore"):
        known[expr] = evaluate([expr], known)[0]
    return float(known[expr])
