"""Smooth counterparts of the rows that are constant between their jumps, put into a traced graph in their place.

The derivative of a comparison, a sign, a rounding or an argmax is zero wherever it exists, so a descent learns nothing
through it. The graph is walked once, arguments first; where such a row depends on what is differentiated, its
counterpart of temperature T stands in its place, and its value tends to the row's as T → 0, away from the jumps:

| row | counterpart | |
|---|---|---|
| a > b, a ≥ b, step(u) | σ((a − b)/T) | the chance that a exceeds b by logistic noise of scale T |
| sign(u) | tanh(u/2T) | 2σ(u/T) − 1 |
| a = b of two-valued sides | Σ P(a = v) P(b = w) [v = w] | the chance that they agree: multilinear in each |
| argmax(z) = k | softmax(z/T)ₖ | the chance that k wins under Gumbel noise of scale T |
| argmax(z) as a number | Σ k softmax(z/T)ₖ | its mean |
| a = b of numbers | 4 σ(d/T) σ(−d/T), d = a − b | 1 where they are equal |
| argsort(argsort(x)) | Σⱼ σ((xᵢ − xⱼ)/T) − ½ | the rank from 0 (Qin, Liu & Li 2010) |
| ⌊u⌋ | u − ½ + arctan(r sin 2πu / (1 − r cos 2πu))/π, r = exp(−2πT) | ⌊u⌋ − u under Cauchy noise of scale T |
| and, or, not | p q, p + q − p q, 1 − p | of independent events |

Whole numbers are compared half a unit off (n > 0 is n ≥ ½), so a tie of counts is no jump. `where` with a smooth
condition is the mixture p a + (1 − p) b, but stays as it is where a branch varies by itself: it has a slope already,
as relu, abs, max and sort have; and positions (x[argmax(z)]) stay whole numbers. A branch by `if` is the graph's own
guard. With `straight` each counterpart gives only its derivative, and the value stays the hard one (Bengio, Léonard &
Courville 2013).

Glossary: p a truth between 0 and 1; T the temperature; varies: depends on what is differentiated; flat: varies, but is
constant between jumps; cases: the values that a node can take, with the weight of each.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently import functions as F
from tangently.expr import CONST, TABLE, Expr, Primitive, Rule, build, const, depends, is_number, toposort
from tangently.primitives.kinds import broadcast_shapes, broadcast_to, floating, shape_of

POSITIONS = frozenset({"index", "gather", "scatter_add", "scatter_along"})  # whole operands after the first: positions
INDICES = frozenset({"argmax", "argmin", "argsort"})
ROUNDINGS = frozenset({"floor", "ceil", "trunc", "rint"})
INTEGERS = "bhilqBHILQ?"
WHOLE = frozenset({"add", "sub", "mul", "neg", "einsum", "where", "maximum", "minimum", "abs", "reshape", "broadcast"})
WHOLE_VALUES = ROUNDINGS | INDICES | {"sign", "step"}


def _pair(p: Any, hard: Expr, soft: Expr) -> tuple[tuple[int, ...], str]:
    return broadcast_shapes(hard.shape, soft.shape), floating(hard.dtype)


# Not in the table, whose own test holds every row's derivative against its value: here they differ on purpose.
STRAIGHT = Primitive(
    name="straight_through",
    kind="composite",
    arity=2,
    evaluate=lambda p, hard, soft: hard,
    body=lambda p, hard, soft: hard,
    infer=_pair,
    jvp=lambda p, y, xs, ts: ts[1],
    vjp=lambda p, y, xs, g, i: g if i == 1 else None,
    shown=("fn", "straight through", 0, 1),
    rules=(Rule("straight-through estimator", r"\mathrm{st}(h, u)' = u'"),),
)


def straight_through(hard: Any, soft: Any) -> Any:
    """The value of `hard` with the derivative of `soft`, of the same shape.

    >>> import tangently as tg
    >>> tg.value_and_grad(lambda x: straight_through(np.sign(x), np.tanh(x)), at=0.5)[0]
    1.0
    """
    shape = broadcast_shapes(shape_of(hard), shape_of(soft))
    return STRAIGHT(broadcast_to(as_number(hard), shape), broadcast_to(soft, shape))


def as_number(x: Any) -> Any:
    """A truth value or a whole number as a real one.

    >>> as_number(np.array([True, False]))
    array([1., 0.])
    """
    kind = getattr(x, "dtype", "d")
    kind = kind if isinstance(kind, str) else kind.char
    if kind == "?" or type(x) is bool:
        return TABLE["where"](x, 1.0, 0.0)
    return TABLE["astype"](x, params=("d",)) if kind in "bhilqBHILQ" else x


def soft_floor(u: Any, temperature: float) -> Any:
    """⌊u⌋ with its sawtooth smoothed by the Poisson kernel; increasing, and analytic.

    >>> round(soft_floor(2.5, 0.01), 6), round(soft_floor(3.0, 0.01), 6)
    (2.0, 2.5)
    """
    r, left = math.exp(-2 * np.pi * temperature), -math.expm1(-2 * np.pi * temperature)
    half = np.pi * u
    across = left + 2 * r * F.sin(half) ** 2  # 1 − r cos 2πu, without its cancellation where both are near 0
    return u - 0.5 + F.arctan(r * F.sin(2 * half) / across) / np.pi


def soft_rank(x: Any, temperature: float, axis: int = -1) -> Any:
    """The rank from 0 along an axis: how many entries are smaller, each counted by a logistic step.

    >>> soft_rank(np.array([0.3, 9.0, 5.0]), 0.1).round(6)
    array([0., 2., 1.])
    """
    x = F.moveaxis(x, axis, -1)
    wins = F.sigmoid((F.expand_dims(x, -1) - F.expand_dims(x, -2)) / temperature)
    return F.moveaxis(F.sum(wins, -1) - 0.5, -1, axis)


# ---------------------------------------------------------------- the walk


@dataclass(frozen=True)
class Replaced:
    """A row that was replaced: the row's name, how it is written, and what stands there now."""

    row: str
    text: str
    by: str

    def __str__(self) -> str:
        return f"{self.text} → {self.by}"


@dataclass(frozen=True)
class Kept:
    """A row with jumps that was left as it is, and why."""

    row: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.text}: {self.why}"


@dataclass(frozen=True)
class Smoothed:
    """Outputs without zero derivatives, and the report."""

    outputs: list[Expr]
    replaced: tuple[Replaced, ...]
    kept: tuple[Kept, ...]


@dataclass
class _Walk:
    temperature: float
    straight: bool
    varying: set[Expr]
    order: list[Expr]
    new: dict[Expr, Expr] = field(default_factory=dict)
    soft: dict[Expr, str] = field(default_factory=dict)  # replaced nodes, and by what
    kept: dict[Expr, str] = field(default_factory=dict)
    flat: set[Expr] = field(default_factory=set)

    def scaled(self, u: Any) -> Any:
        return u / self.temperature


def smooth(
    outputs: Sequence[Expr], wrt: Sequence[Expr], temperature: float, straight: bool, names: Mapping[Expr, str]
) -> Smoothed:
    """The graph with smooth counterparts in place of rows that are constant between jumps."""
    order = toposort(outputs)
    walk = _Walk(temperature, straight, depends(order, [x for x in wrt if x in set(order)]), order)
    walk.flat = _flat(order, walk.varying)
    for node in order:
        walk.new[node] = _renewed(walk, node)
    found = [walk.new[y] for y in outputs]
    reached = set(toposort(found))
    text = functools.partial(_text, names=names)
    replaced = [Replaced(n.op.name, text(n), by) for n, by in walk.soft.items() if walk.new[n] in reached]
    kept = [Kept(n.op.name, text(n), why) for n, why in walk.kept.items() if walk.new.get(n) in reached]
    return Smoothed(found, tuple(dict.fromkeys(replaced)), tuple(dict.fromkeys(kept)))


def _text(node: Expr, names: Mapping[Expr, str]) -> str:
    from tangently.printing import to_text

    shown = to_text(node, {k: v for k, v in names.items() if k is not node})
    return shown if len(shown) <= 60 else f"{node.op.name} of {names.get(node.args[0], 'an expression')}"


def _flat(order: Sequence[Expr], varying: set[Expr]) -> set[Expr]:
    """Nodes that vary by jumps alone: every path from what is differentiated goes through a row that has them."""
    found: set[Expr] = set()
    for node in order:
        live = [a for a in _operands(node) if a in varying]
        if node in varying and node.args and (_jumps(node) or all(a in found for a in live)):
            found.add(node)
    return found


def _jumps(node: Expr) -> bool:
    return node.dtype in INTEGERS or node.op.name in WHOLE_VALUES


def _operands(node: Expr) -> Sequence[Expr]:
    """The operands that are values, not positions."""
    if node.op.name not in POSITIONS:
        return node.args
    return [a for k, a in enumerate(node.args) if k == 0 or a.dtype not in INTEGERS]


def _renewed(walk: _Walk, node: Expr) -> Expr:
    """The node of renewed arguments, or its counterpart."""
    if node not in walk.varying or not node.args:
        return node
    make = COUNTERPARTS.get(node.op.name)
    found = make(walk, node) if make is not None else None
    if found is None:
        return _rebuilt(walk, node)
    value, words = found
    value = broadcast_to(value, node.shape)
    if words is None:
        return value
    walk.soft[node] = words
    return straight_through(node, value) if walk.straight else value


def _rebuilt(walk: _Walk, node: Expr) -> Expr:
    args = [walk.new[a] for a in node.args]
    if node.op.name in POSITIONS:
        args = [a if k and a.dtype in INTEGERS else new for k, (a, new) in enumerate(zip(node.args, args))]
        chosen = [a.op.name for a in node.args[1:] if a in walk.varying and a.dtype in INTEGERS]
        if chosen:
            walk.kept[node] = f"{chosen[0]} chooses an entry; the slope is that of the entry"
    return node if args == list(node.args) else build(node.op, args, node.params)


def _whole(walk: _Walk, node: Expr) -> bool:
    """Does it take whole values only?"""
    if node.op is CONST:
        value = np.asarray(node.value)
        return value.dtype.kind in "biu" or bool((value == np.round(value)).all())
    if node.dtype in INTEGERS + "n" or node.op.name in WHOLE_VALUES:
        return True
    return node.op.name in WHOLE and all(_whole(walk, a) for a in node.args)


def _counts(walk: _Walk, *nodes: Expr) -> bool:
    """Are all of them constant between jumps, or fixed, and whole?"""
    return all((n in walk.flat or n not in walk.varying) and _whole(walk, n) for n in nodes)


# ---------------------------------------------------------------- counterparts, one row each


def _compared(direction: int, strict: bool) -> Any:
    def make(walk: _Walk, node: Expr) -> Any:
        a, b = (as_number(walk.new[x]) for x in node.args)
        d = a - b if direction > 0 else b - a
        if _counts(walk, *node.args):
            d = d - 0.5 if strict else d + 0.5
        return F.sigmoid(walk.scaled(d)), "logistic step σ(difference/T)"

    return make


def _step(walk: _Walk, node: Expr) -> Any:
    return F.sigmoid(walk.scaled(walk.new[node.args[0]])), "logistic step σ(u/T)"


def _sign(walk: _Walk, node: Expr) -> Any:
    return F.tanh(walk.scaled(walk.new[node.args[0]]) / 2), "tanh(u/2T)"


def _and(walk: _Walk, node: Expr) -> Any:
    p, q = (as_number(walk.new[x]) for x in node.args)
    return p * q, "product of truths"


def _or(walk: _Walk, node: Expr) -> Any:
    p, q = (as_number(walk.new[x]) for x in node.args)
    return p + q - p * q, "p + q − p q"


def _not(walk: _Walk, node: Expr) -> Any:
    return 1 - as_number(walk.new[node.args[0]]), "1 − p"


def _rounding(smoothed: Callable[[Any, float], Any]) -> Any:
    def make(walk: _Walk, node: Expr) -> Any:
        return smoothed(as_number(walk.new[node.args[0]]), walk.temperature), "smooth staircase"

    return make


def _trunc(u: Any, T: float) -> Any:
    return soft_floor(u, T) + F.sigmoid(-u / T)


def _arg(sign: int) -> Any:
    def make(walk: _Walk, node: Expr) -> Any:
        weights = _winning(walk, node)
        numbers = np.arange(float(weights.shape[-1]))
        return F.sum(weights * numbers, -1), f"mean index under softmax({'−' if sign < 0 else ''}z/T)"

    return make


def _winning(walk: _Walk, node: Expr) -> Any:
    """The chances of each index, on the last axis."""
    z = F.moveaxis(walk.new[node.args[0]], node.params[0], -1)
    return F.softmax(walk.scaled(z if node.op.name == "argmax" else -z), -1)


def _argsort(walk: _Walk, node: Expr) -> Any:
    inner = node.args[0]
    if inner.op.name == "argsort" and inner.params == node.params:
        rank = soft_rank(walk.new[inner.args[0]], walk.temperature, node.params[0])
        return rank, "soft rank, a sum of logistic steps"
    if any(node in user.args for user in walk.order if user.op.name not in {*POSITIONS, "argsort"}):
        walk.kept[node] = "an order as numbers has no smooth counterpart; argsort(argsort(x)), the rank, has one"
    return None


def _softened(walk: _Walk, node: Expr) -> bool:
    """Is it a truth that became a number: a comparison, or what is chosen, joined or selected of such?"""
    return _truth(node) and node in walk.varying and walk.new[node].dtype != "?"


def _truth(node: Expr) -> bool:
    return node.dtype == "?" or (node.op.name == "stack" and all(map(_truth, node.args)))


def _where(walk: _Walk, node: Expr) -> Any:
    """Where a branch varies by itself the choice stays; elsewhere the mixture, which is p itself of 1 and 0."""
    c, *branches = node.args
    if not _softened(walk, c):
        return None
    a, b = (as_number(walk.new[x]) for x in branches)
    if any(x in walk.varying and x not in walk.flat for x in branches):
        walk.kept[node] = "its branches have slopes of their own; a jump between them, if there is one, has none"
        return build(node.op, (c, a, b)), None
    p = as_number(walk.new[c])
    return (p, None) if is_number(a, 1) and is_number(b, 0) else (p * a + (1 - p) * b, "mixture p a + (1 − p) b")


def _astype(walk: _Walk, node: Expr) -> Any:
    x = node.args[0]
    if x in walk.flat and (x.dtype == "?" or _whole(walk, x)):
        return as_number(walk.new[x]), None
    if node.dtype in INTEGERS and x.dtype not in INTEGERS:
        return _trunc(walk.new[x], walk.temperature), "smooth staircase"
    return None


def _equal(walk: _Walk, node: Expr) -> Any:
    a, b = node.args
    for one, other in ((a, b), (b, a)):
        if one.op.name in ("argmax", "argmin") and one in walk.varying:
            return _same_index(walk, one, other), "softmax(z/T) at the index"
    left, right = _cases(walk, a), _cases(walk, b)
    if left is not None and right is not None:
        return _agreement(left, right), "chance of agreement"
    d = as_number(walk.new[a]) - as_number(walk.new[b])
    if _counts(walk, a, b):
        return F.sigmoid(walk.scaled(d + 0.5)) * F.sigmoid(walk.scaled(0.5 - d)), "logistic window of width 1"
    return 4 * F.sigmoid(walk.scaled(d)) * F.sigmoid(walk.scaled(-d)), "bump 4σ(d/T)σ(−d/T)"


def _unequal(walk: _Walk, node: Expr) -> Any:
    value, words = _equal(walk, node)
    return 1 - value, f"1 − {words}"


def _same_index(walk: _Walk, node: Expr, other: Expr) -> Any:
    weights = _winning(walk, node)
    n = shape_of(weights)[-1]
    if other.op.name in ("argmax", "argmin") and other in walk.varying and other.args[0].shape[other.params[0]] == n:
        return F.sum(weights * _winning(walk, other), -1)
    return F.sum(weights * as_number(TABLE["eq"](F.expand_dims(walk.new[other], -1), const(np.arange(n)))), -1)


Cases = list[tuple[Any, Any]]


def _cases(walk: _Walk, node: Expr) -> Cases | None:
    """The values that a node can take, each with its weight; None where they are not few."""
    if node not in walk.varying:
        return [(node, 1.0)]
    p = walk.new[node]
    if node.op.name == "astype":
        return _cases(walk, node.args[0])
    if node.op.name == "sign":
        return [(const(1.0), (1 + p) / 2), (const(-1.0), (1 - p) / 2)]
    if node.op.name == "where" and _softened(walk, node.args[0]) and not any(x in walk.varying for x in node.args[1:]):
        chance = as_number(walk.new[node.args[0]])
        return [(node.args[1], chance), (node.args[2], 1 - chance)]
    if _softened(walk, node) or (node in walk.soft and node.op.name == "step"):
        return [(const(1), p), (const(0), 1 - p)]
    return None


def _agreement(left: Cases, right: Cases) -> Any:
    """Σ weights of the pairs with equal values."""
    total: Any = 0.0
    for v, p in left:
        for w, q in right:
            total = total + p * q * _indicator(v, w)
    return total


def _indicator(v: Expr, w: Expr) -> Any:
    if v.op is CONST and w.op is CONST and v.shape == () and w.shape == ():
        return 1.0 if v.value == w.value else 0.0
    return as_number(TABLE["eq"](as_number(v), as_number(w)))


COUNTERPARTS: dict[str, Callable[[_Walk, Expr], Any]] = {
    "gt": _compared(1, True),
    "ge": _compared(1, False),
    "lt": _compared(-1, True),
    "le": _compared(-1, False),
    "eq": _equal,
    "ne": _unequal,
    "logical_and": _and,
    "logical_or": _or,
    "logical_not": _not,
    "step": _step,
    "sign": _sign,
    "floor": _rounding(soft_floor),
    "ceil": _rounding(lambda u, T: -soft_floor(-u, T)),
    "rint": _rounding(lambda u, T: soft_floor(u + 0.5, T)),
    "trunc": _rounding(_trunc),
    "argmax": _arg(1),
    "argmin": _arg(-1),
    "argsort": _argsort,
    "where": _where,
    "astype": _astype,
}


__all__ = ["Kept", "Replaced", "Smoothed", "as_number", "smooth", "soft_floor", "soft_rank", "straight_through"]
