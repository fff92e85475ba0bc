"""Surrogates: a smooth function in place of one whose derivative is zero almost everywhere, and the gap between them.

`surrogate` takes a name (a row of `KINDS`: the hard function, its smooth counterpart at temperature T, an interval that
must hold the hard value, and the reason), or a function, in whose graph the rows that are constant between jumps are
replaced (`tangently.descent.smoothing`). The intervals are proven as follows, z scores, m = ±z margins, n entries:

- [m ≤ 0] ≤ log₂(1 + e^(−m/T)), since the right side is ≥ 1 at m ≤ 0 and positive elsewhere; averaged over examples it
  bounds the 0–1 loss, over pairs 1 − AUC (a tie costs ½). Of K classes: a wrong answer has softmax ≤ ½, so it costs
  −ln softmax ≥ ln 2.
- |σ(x/T) − [x > 0]| = σ(−|x|/T), |tanh(x/2T) − sign x| = 2σ(−|x|/T); sums of steps (count, rank) add these, and a ratio
  of counts a/b moves by at most (|Δa| + (a/b)|Δb|)/b.
- 0 ≤ T softplus(u/T) − max(u, 0) ≤ T ln 2 (hinge).
- softmax(z/T) leaves the winner at least 1 − (K − 1)e^(−δ/T), δ the winner's lead.
- sorting by P = softmax(−|x₍ᵢ₎ − xⱼ|/T) (Prillo & Eisenschlos 2020) moves an entry by at most Σⱼ dⱼ e^(−dⱼ/T), dⱼ the
  distances, for the denominator is at least 1.
- the staircase: |d/dr arctan(r sin θ/(1 − r cos θ))| ≤ |sin θ| / max over r of the denominator, so its error is at most
  (1 − r)/(π |sin θ|), and (1 − r)|sin θ|/π where cos θ < 0.

Excess risk (Bartlett, Jordan & McAuliffe 2006, Theorem 1): ψ(R − R*) ≤ R_φ − R_φ*, for the logistic loss with
ψ(θ) = ((1 + θ) ln(1 + θ) + (1 − θ) ln(1 − θ))/2, for the hinge ψ(θ) = θ; R the 0–1 risk, R_φ the surrogate's. For
cross-entropy of several classes the same ψ holds: the nearest q to p in KL(p‖q) that ranks class j above i shares
s = pᵢ + pⱼ evenly, at the cost s ψ((pᵢ − pⱼ)/s) ≥ ψ(pᵢ − pⱼ), for ψ is convex with ψ(0) = 0.

References: Cortes & Vapnik 1995 (hinge); Cox 1958 (logistic); Gao & Zhou 2015 (pairwise, AUC); Qin, Liu & Li 2010 (soft
ranks); Bengio, Léonard & Courville 2013 (straight-through).
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently import functions as F
from tangently.compiled import Selection, Transformation, Transformed, Wrt
from tangently.descent.smoothing import Kept, Replaced, Smoothed, as_number, smooth, soft_floor, soft_rank
from tangently.descent.smoothing import straight_through as _straight
from tangently.errors import DomainError, InputError, ShapeError, TangentlyError
from tangently.expr import TABLE, depends, toposort
from tangently.function import Derived, as_function, holds
from tangently.primitives.kinds import shape_of
from tangently.tracing.names import name_of
from tangently.tracing.recording import Recording
from tangently.tracing.traced import Traced
from tangently.tracing.trees import unflatten

LN2 = math.log(2)
COLDEST = 1e-100  # temperature; scores over less overflow
NOTHING = "nothing is to be replaced: no row is constant between jumps, so the surrogate is the function itself"
Interval = tuple[Any, Any]


@dataclass(frozen=True)
class Gap:
    """The hard and the smooth value at one place; `low` and `high` hold the hard one, where a bound is known."""

    hard: Any
    surrogate: Any
    low: Any = None
    high: Any = None

    @property
    def difference(self) -> Any:
        return self.surrogate - self.hard

    @property
    def holds(self) -> bool | None:
        """Is the hard value where the bound says (None: there is no bound)?"""
        if self.low is None:
            return None
        slack = 1e-12 * (1 + np.abs(self.hard))
        return bool(np.all(self.low - slack <= self.hard) and np.all(self.hard <= self.high + slack))

    def __repr__(self) -> str:
        if np.ndim(self.hard):
            return f"<gap: at most {np.max(np.abs(self.difference)):.4g} in an entry{_told(self.holds)}>"
        known = "" if self.low is None else f"; hard in [{float(self.low):.4g}, {float(self.high):.4g}]"
        return f"<gap: hard {float(self.hard):.6g}, surrogate {float(self.surrogate):.6g}{known}{_told(self.holds)}>"


def _told(holds: bool | None) -> str:
    return "" if holds is None else ", as the bound says" if holds else ", AGAINST the bound"


@dataclass(frozen=True)
class Curve:
    """How a picture of a kind is made: arguments along a line, the number that is drawn, and the axis."""

    along: Callable[[float], tuple[Any, ...]]
    label: str
    pick: Callable[[Any], float] = float
    domain: tuple[float, float] = (-3.0, 3.0)


@dataclass(frozen=True)
class Kind:
    """A hard function with a name: its smooth counterpart, the interval for the hard value, and words."""

    name: str
    hard: Callable[..., Any]
    soft: Callable[..., Any]  # (T, *args)
    interval: Callable[..., Interval]  # (T, surrogate's value, *args)
    bound: str
    why: str
    curve: Curve
    aligned: Callable[[Any], Any] = lambda v: v  # the surrogate's value in the units and direction of the hard one
    of: str = ""  # what `aligned` makes, in words
    psi: Callable[[float], float] | None = None
    rounded: float = 0.0  # times T: how far the surrogate's risk may be from that which ψ is of
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surrogate:
    """A hard function, its differentiable `.surrogate`, and what is known of the gap. A call goes to the surrogate."""

    name: str
    hard: Callable[..., Any]
    surrogate: Callable[..., Any]
    temperature: float
    bound: str
    why: str
    straight_through: bool = False
    kind: Kind | None = None

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.surrogate(*args, **keywords)

    @property
    def report(self) -> Smoothed | None:
        """What was replaced in a function's graph; None for a kind with a name, which is a formula of its own."""
        if not isinstance(self.surrogate, Derived):
            return None
        recording = self.surrogate.recording()
        nodes = [x for x in recording.inputs if x is not None]
        return _smooth(recording, nodes, self.temperature, self.straight_through)

    @property
    def replaced(self) -> tuple[Replaced, ...]:
        report = self.report
        return () if report is None else report.replaced

    @property
    def kept(self) -> tuple[Kept, ...]:
        report = self.report
        return () if report is None else report.kept

    def gap(self, *args: Any, **keywords: Any) -> Gap:
        """Both values at these arguments, with the interval that the bound gives for the hard one.

        >>> surrogate("step", temperature=0.5).gap(1.0)
        <gap: hard 1, surrogate 0.880797; hard in [0.7616, 1], as the bound says>
        """
        if self.kind is None:
            return Gap(_value(self.hard(*args, **keywords)), _value(self.surrogate(*args, **keywords)))
        args = inspect.signature(self.kind.hard).bind(*args, **keywords).args
        if not np.isfinite(np.asarray(args[0], float)).all():
            raise InputError(f"gap of {self.name}: finite numbers were wanted; {np.asarray(args[0])!s:.60} has others")
        hard, soft = _value(self.hard(*args)), _value(self.surrogate(*args))
        plain = self.kind.soft(self.temperature, *args)
        low, high = self.kind.interval(self.temperature, plain, *args)
        return Gap(hard, soft, low, high)

    def excess_risk(self, excess: float) -> float:
        """The most that the 0–1 risk can be above its least, where the surrogate's risk is `excess` above its least.

        Over all functions, not only those of a model; the inverse of ψ (Bartlett, Jordan & McAuliffe 2006).

        >>> round(surrogate("0-1 loss").excess_risk(0.02), 4)
        0.1993
        """
        psi = None if self.kind is None else self.kind.psi
        if psi is None:
            raise InputError(f"excess_risk of {self.name}: a calibration is known for accuracy, 0-1 loss and hinge")
        if not excess >= 0:
            raise InputError(f"excess_risk({excess!r}): the excess of the surrogate's risk, 0 or more, was wanted")
        excess = excess + self.kind.rounded * self.temperature  # type: ignore[union-attr]
        if excess >= psi(1.0):
            return 1.0
        from scipy.optimize import brentq

        return float(brentq(lambda theta: psi(theta) - excess, 0.0, 1.0, xtol=1e-15))  # type: ignore[arg-type]

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Both functions and the gap between them: along the kind's own line, or of a function at=, along=."""
        from tangently.pictures.surrogates import plot_surrogate

        return plot_surrogate(self, ax, **options)

    def __repr__(self) -> str:
        lines = [f"<surrogate of {self.name}, temperature {self.temperature:g}{_mode(self)}>", f"  bound: {self.bound}"]
        lines.append(f"  why: {self.why}")
        try:
            report = self.report
        except TangentlyError:
            return "\n".join([*lines, "  replaced: known after the first call, or with at="])
        if report is not None:
            lines = lines if report.replaced else lines[:1]
            lines += [f"  replaced: {r}" for r in report.replaced] or [f"  {NOTHING}"]
            lines += [f"  kept: {k}" for k in report.kept]
            branches = holds(self.surrogate.recording())  # type: ignore[attr-defined]
            lines += [f"  kept: the branch of the graph, where {branches}"] if branches else []
        return "\n".join(lines)


def _mode(s: Surrogate) -> str:
    return ", straight through" if s.straight_through else ""


def _value(x: Any) -> Any:
    found = np.asarray(x, float)
    return float(found) if found.ndim == 0 else found


# ---------------------------------------------------------------- labels and margins


def known(x: Any) -> np.ndarray | None:
    """The numbers that are there now, also of a traced value; None of a symbol."""
    found = np.asarray(getattr(x, "value", x))
    return None if found.dtype.kind == "O" else found


def _numbers(x: Any) -> Any:
    """At least one number, and none that is NaN: a comparison with NaN is false, which no count should hide."""
    x = F.lift(x)
    found = known(x)
    if found is not None and found.size == 0:
        raise InputError(f"an array of shape {found.shape} has no number in it: at least one was wanted")
    if found is not None and np.isnan(found).any():
        raise DomainError("the scores (or values) hold NaN: numbers were wanted")
    return x


def _row(x: Any) -> Any:
    """Numbers along a last axis."""
    x = _numbers(x)
    if shape_of(x) == ():
        raise ShapeError("one number has no order: an array was wanted, whose last axis is taken")
    return x


def _labels(y: Any) -> Any:
    y = F.lift(y)
    found = known(y)
    if found is not None and found.dtype.kind not in "biuf":
        hint = "np.unique(y, return_inverse=True)[1] numbers them"
        raise InputError(f"labels {found!s:.60}: numbers were wanted; {hint}")
    return y


def _binary(z: Any, y: Any) -> tuple[Any, Any]:
    """Scores as they are and labels as −1 and 1 (NaN where a compiled function meets others later)."""
    z, y = _numbers(z), _labels(y)
    now = known(y)
    found = np.unique([0.0] if now is None else np.asarray(now, float))
    if not (np.isin(found, (0, 1)).all() or np.isin(found, (-1, 1)).all()):
        raise InputError(f"labels {found[:5].tolist()}: 0 and 1, or -1 and 1, were wanted for one score each")
    if shape_of(z) != shape_of(y):
        hint = "; scores of one column are taken by z[:, 0]" if shape_of(z)[1:] == (1,) else ""
        raise ShapeError(f"scores of shape {shape_of(z)} and labels of shape {shape_of(y)}: one label a score{hint}")
    y = as_number(y)
    low = TABLE["eq"](F.FUNCTIONS["abs"](2 * y + 1), 1)  # 0 or −1
    return z, F.where(TABLE["eq"](y, 1), 1.0, F.where(low, -1.0, math.nan))


def _over(a: Any, b: Any) -> Any:
    return TABLE["gt"](a, b)


def _classes(z: Any) -> bool:
    """Rows of scores, one for each of several classes?"""
    return len(shape_of(z)) == 2 and shape_of(z)[1] > 1


def _chosen(z: Any, y: Any) -> Any:
    """The label of each row of scores as a row of the identity (of NaN where a compiled function meets others)."""
    n, k = shape_of(z)
    y = _labels(y)
    if shape_of(y) != (n,):
        hint = "; rows of 0 and 1 become labels by y.argmax(1)" if shape_of(y) == (n, k) else ""
        raise ShapeError(
            f"scores of shape {(n, k)} and labels of shape {shape_of(y)}: labels of shape {(n,)} wanted{hint}"
        )
    found = known(y)
    if found is not None and not np.isin(found, np.arange(k)).all():
        raise InputError(f"labels must be whole numbers from 0 to {k - 1}, one for each of {k} columns of scores")
    hits = as_number(TABLE["eq"](F.expand_dims(y, -1), np.arange(k)))
    return F.where(_over(F.sum(hits, 1, keepdims=True), 0), hits, math.nan)


def _mean(x: Any) -> Any:
    return F.mean(x) if shape_of(x) else x


def logistic_loss(T: float, z: Any, y: Any) -> Any:
    """The mean logistic loss of margins, or softmax cross-entropy of rows of scores, of z/T.

    >>> float(round(logistic_loss(1.0, np.array([0.0]), np.array([1])), 6))
    0.693147
    """
    z = _numbers(z)
    if _classes(z):
        return F.mean(F.cross_entropy(z / T, _chosen(z, y)))
    z, sign = _binary(z, y)
    return _mean(F.softplus(-sign * z / T))


def zero_one_loss(z: Any, y: Any) -> Any:
    """The share of wrong answers: of the sign of a score (0 is wrong), or of the largest score of a row."""
    z = _numbers(z)
    if _classes(z):
        right = F.sum(as_number(TABLE["eq"](F.argmax(z, 1), F.argmax(_chosen(z, y), 1))))
        return 1 - right / shape_of(z)[0]
    z, sign = _binary(z, y)
    return _mean(as_number(TABLE["le"](sign * z, 0)))


def accuracy(z: Any, y: Any) -> Any:
    """The share of right answers."""
    return 1 - zero_one_loss(z, y)


def hinge(z: Any, y: Any) -> Any:
    """The mean of max(0, 1 − margin)."""
    z, sign = _binary(z, y)
    return _mean(F.maximum(1 - sign * z, 0))


def _smooth_hinge(T: float, z: Any, y: Any) -> Any:
    z, sign = _binary(z, y)
    return _mean(T * F.softplus((1 - sign * z) / T))


def _pairs(z: Any, y: Any) -> tuple[Any, Any, Any]:
    """Scores of the examples of class 1 (upward), of the other (across), and the weight of each pair.

    Labels that are arguments of the function may change from call to call, so all pairs are taken, most with weight 0.
    """
    z, signs = _binary(z, y)
    labels = known(signs)
    if labels is None or labels.ndim != 1 or not (labels > 0).any() or not (labels < 0).any():
        raise InputError(
            "AUC needs scores in one row, and examples of both classes: of one class alone (as in a small batch, where "
            "the other is rare) there are no pairs"
        )
    if isinstance(signs, Traced):
        up, down = (1 + signs) / 2, (1 - signs) / 2
        weights = F.expand_dims(up / F.sum(up), 1) * F.expand_dims(down / F.sum(down), 0)
        return F.expand_dims(z, 1), F.expand_dims(z, 0), weights
    up, down = np.flatnonzero(labels > 0), np.flatnonzero(labels < 0)
    return F.expand_dims(F.take(z, up), 1), F.expand_dims(F.take(z, down), 0), 1 / (len(up) * len(down))


def auc(z: Any, y: Any) -> Any:
    """The share of pairs in the right order, ties counting half (Mann–Whitney).

    >>> float(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]))
    0.75
    """
    up, down, weights = _pairs(z, y)
    return F.sum(weights * (as_number(_over(up, down)) + as_number(TABLE["ge"](up, down))) / 2)


def _pairwise(T: float, z: Any, y: Any) -> Any:
    up, down, weights = _pairs(z, y)
    return F.sum(weights * F.softplus((down - up) / T))


# ---------------------------------------------------------------- counts and their ratios


def _on(T: float, z: Any) -> Any:
    return F.sigmoid(_numbers(z) / T)


def _doubt(T: float, z: Any) -> np.ndarray:
    """How far each soft step may be from the hard one."""
    from scipy.special import expit

    return expit(-np.abs(np.asarray(z, float)) / T)


def _share(kind: str, on: Any, positive: Any) -> Any:
    """Precision, recall or F1 of answers between 0 and 1; 0 where there is nothing to divide by."""
    hits, said, there = F.sum(on * positive), F.sum(on), F.sum(positive)
    top, below = {"precision": (hits, said), "recall": (hits, there), "F1": (2 * hits, said + there)}[kind]
    empty = TABLE["le"](below, 0)
    return F.where(empty, 0.0, top / F.where(empty, 1.0, below))


def _ratio(kind: str) -> dict[str, Any]:
    def hard(z: Any, y: Any) -> Any:
        z, sign = _binary(z, y)
        return _share(kind, as_number(_over(z, 0)), (1 + sign) / 2)

    def soft(T: float, z: Any, y: Any) -> Any:
        z, sign = _binary(z, y)
        return _share(kind, _on(T, z), (1 + sign) / 2)

    def interval(T: float, value: Any, z: Any, y: Any) -> Interval:
        """|Δ(a/b)| ≤ (|Δa| + |Δb|)/b with a the soft count of hits and b the soft denominator, for a/b ≤ 1."""
        doubt, positive = _doubt(T, z), (1 + np.asarray(_binary(z, y)[1])) / 2
        hits, said = float((doubt * positive).sum()), float(doubt.sum())
        on, there = float(np.sum(_on(T, z))), float(positive.sum())
        moved, below = {
            "precision": (hits + said, on),
            "recall": (hits, there),
            "F1": (2 * hits + said, on + there),
        }[kind]
        reach = moved / below if below > 0 else 1.0
        return max(0.0, value - reach), min(1.0, value + reach)

    return {"hard": hard, "soft": soft, "interval": interval}


def _ratio_kind(kind: str, what: str) -> Kind:
    return Kind(
        kind,
        **_ratio(kind),
        bound=f"|soft {kind} − {kind}| ≤ (error of the soft counts)/(soft denominator), each step off by σ(−|z|/T)",
        why=f"{what}, with each answer [z > 0] as the chance σ(z/T): a ratio of expected counts (soft {kind}).",
        curve=Curve(
            lambda x: (np.array([-2.0, -1.2, -0.5, -0.1, 0.3, 0.8, 1.4, 2.2]) + x, np.array([0, 0, 1, 0, 1, 0, 1, 1])),
            "shift of all scores of an example",
        ),
    )


# ---------------------------------------------------------------- entry by entry, and orders


def _around(radius: Callable[..., Any]) -> Callable[..., Interval]:
    def interval(T: float, value: Any, *args: Any) -> Interval:
        reach = radius(T, *args)
        return value - reach, value + reach

    return interval


def _one_hot_argmax(z: Any) -> Any:
    z = _row(z)
    return as_number(TABLE["eq"](F.expand_dims(F.argmax(z, -1), -1), np.arange(shape_of(z)[-1])))


def _argmax_reach(T: float, z: Any) -> Any:
    ordered = np.sort(np.asarray(z, float), -1)
    lead = ordered[..., -1:] - ordered[..., -2:-1]
    return np.minimum(1.0, (ordered.shape[-1] - 1) * np.exp(-lead / T))


def rank(x: Any) -> Any:
    """Ranks from 1, those of equals averaged.

    >>> rank([0.3, 9.0, 5.0, 5.0])
    array([1. , 4. , 2.5, 2.5])
    """
    x = _row(x)
    one, other = F.expand_dims(x, -1), F.expand_dims(x, -2)
    return 0.5 + F.sum((as_number(_over(one, other)) + as_number(TABLE["ge"](one, other))) / 2, -1)


def _distances(x: np.ndarray, y: Any) -> np.ndarray:
    """Of each entry of x from each of y along the last axis."""
    return x[..., :, None] - np.asarray(y, float)[..., None, :]


def _rank_reach(T: float, x: Any) -> Any:
    d = _distances(np.asarray(x, float), x)
    return np.where(d == 0, 0.0, _doubt(T, d)).sum(-1)


def _soft_sort(T: float, x: Any) -> Any:
    x = _row(x)
    distance = F.FUNCTIONS["abs"](F.expand_dims(F.sort(x), -1) - F.expand_dims(x, -2))
    return F.sum(F.softmax(-distance / T, -1) * F.expand_dims(x, -2), -1)


def _sort_reach(T: float, x: Any) -> Any:
    d = np.abs(_distances(np.sort(np.asarray(x, float)), x))
    return (d * np.exp(-d / T)).sum(-1)


def _stair_reach(shift: float) -> Callable[[float, Any], Any]:
    def reach(T: float, x: Any) -> Any:
        angle = 2 * np.pi * (np.asarray(x, float) + shift)
        left, sine = -np.expm1(-2 * np.pi * T), np.abs(np.sin(angle))
        near = left / (np.pi * np.maximum(sine, 1e-300))
        rounded = np.finfo(float).eps * np.abs(angle) / left  # at most: a large angle is known no better
        return np.minimum(0.5, np.where(np.cos(angle) >= 0, near, left * sine / np.pi)) + np.minimum(1.0, rounded)

    return reach


def _below(T: float, loss: Any, *args: Any) -> Interval:
    return 0.0, np.minimum(1.0, loss / LN2)


def _above(T: float, loss: Any, *args: Any) -> Interval:
    return np.maximum(0.0, 1 - loss / LN2), 1.0


def psi_logistic(theta: float) -> float:
    """ψ of the logistic loss: ((1 + θ) ln(1 + θ) + (1 − θ) ln(1 − θ))/2 ≥ θ²/2.

    >>> psi_logistic(0.0), round(psi_logistic(1.0) - LN2, 12)
    (0.0, 0.0)
    """
    down = (1 - theta) * math.log1p(-theta) if theta < 1 else 0.0
    return ((1 + theta) * math.log1p(theta) + down) / 2


_MARGIN = Curve(lambda x: (np.array([x]), np.array([1])), "margin m = ±z")
_NUMBER = Curve(lambda x: (x,), "x")
_LOGISTIC = "ψ(θ) = ((1 + θ) ln(1 + θ) + (1 − θ) ln(1 − θ))/2 ≥ θ²/2 (Bartlett, Jordan & McAuliffe 2006)"

_ROWS = (
    Kind(
        "0-1 loss", zero_one_loss, logistic_loss, _below,
        bound="0–1 loss ≤ surrogate / ln 2; excess risks: ψ(excess of 0–1) ≤ excess of the surrogate, " + _LOGISTIC,
        why="The logistic loss ln(1 + exp(−m/T)) (softmax cross-entropy of several classes) is convex, lies above the "
        "0–1 loss when divided by ln 2, and its least risk belongs to the best classifier (calibrated).",
        curve=_MARGIN, aligned=lambda v: v / LN2, of="surrogate / ln 2", psi=psi_logistic,
        also=("zero-one loss", "01 loss", "zero one", "error", "error rate", "misclassification"),
    ),
    Kind(
        "accuracy", accuracy, logistic_loss, _above,
        bound="accuracy ≥ 1 − surrogate / ln 2; excess risks: ψ(loss of accuracy) ≤ excess of the surrogate, "
        + _LOGISTIC,
        why="Minimize the logistic loss (softmax cross-entropy of several classes) to raise the accuracy: where it is "
        "small, wrong answers are few, and its least risk belongs to the best classifier (calibrated).",
        curve=_MARGIN, aligned=lambda v: 1 - v / LN2, of="1 − surrogate / ln 2", psi=psi_logistic,
    ),
    Kind(
        "hinge", hinge, _smooth_hinge, lambda T, v, *a: (np.maximum(0.0, v - T * LN2), v),
        bound="0 ≤ surrogate − hinge ≤ T ln 2, and hinge ≥ 0–1 loss; excess of 0–1 ≤ excess of the surrogate + T ln 2",
        why="The hinge max(0, 1 − m) has a kink at m = 1 only; T ln(1 + exp((1 − m)/T)) rounds it, and stays convex. "
        "The hinge itself is a surrogate of the 0–1 loss (Cortes & Vapnik 1995).",
        curve=Curve(_MARGIN.along, _MARGIN.label, domain=(0.2, 1.8)), psi=lambda theta: theta, rounded=LN2,
        also=("hinge loss",),
    ),
    Kind(
        "AUC", auc, _pairwise, _above,
        bound="AUC ≥ 1 − surrogate / ln 2",
        why="AUC is the share of pairs in the right order, so a pair costs the logistic loss of its difference of "
        "scores; consistent for AUC (Gao & Zhou 2015).",
        curve=Curve(lambda x: (np.array([x, 0.0]), np.array([1, 0])), "difference of scores in a pair"),
        aligned=lambda v: 1 - v / LN2, of="1 − surrogate / ln 2", also=("roc auc", "area under the curve", "rank loss"),
    ),
    Kind(
        "step", lambda x: TABLE["step"](_numbers(x)), _on,
        lambda T, v, x: (np.maximum(0.0, v - _doubt(T, x)), np.minimum(1.0, v + _doubt(T, x))),
        bound="|σ(x/T) − step(x)| = σ(−|x|/T) ≤ ½, and ≤ exp(−|x|/T)",
        why="σ(x/T) is the chance that x exceeds logistic noise of scale T: the step, smoothed.",
        curve=_NUMBER, also=("heaviside", "indicator", "threshold"),
    ),
    Kind(
        "sign", lambda x: TABLE["sign"](_numbers(x)), lambda T, x: F.tanh(_numbers(x) / (2 * T)),
        _around(lambda T, x: np.where(np.asarray(x) == 0, 0.0, 2 * _doubt(T, x))),
        bound="|tanh(x/2T) − sign(x)| = 2σ(−|x|/T) ≤ 2 exp(−|x|/T)",
        why="tanh(x/2T) = 2σ(x/T) − 1: the step from −1 to 1, smoothed.",
        curve=_NUMBER,
    ),
    Kind(
        "argmax", _one_hot_argmax, lambda T, z: F.softmax(_row(z) / T, -1), _around(_argmax_reach),
        bound="each entry within (K − 1) exp(−δ/T) of the winner's row of the identity, δ the winner's lead",
        why="softmax(z/T) is the chance of each entry to be the largest under Gumbel noise of scale T.",
        curve=Curve(lambda x: (np.array([x, 0.0]),), "lead of the first of two entries", lambda v: float(v[0])),
        also=("arg max", "one-hot argmax"),
    ),
    Kind(
        "count", lambda z: F.sum(as_number(_over(_numbers(z), 0))), lambda T, z: F.sum(_on(T, z)),
        _around(lambda T, z: _doubt(T, z).sum()),
        bound="|Σ σ(z/T) − count(z > 0)| ≤ Σ σ(−|z|/T)",
        why="The expected number of positive entries, each as the chance σ(z/T).",
        curve=Curve(lambda x: (np.array([-1.5, 0.0, 1.5]) + x,), "shift of three entries"), also=("count positive",),
    ),
    _ratio_kind("precision", "The share of true ones among the answers 1"),
    _ratio_kind("recall", "The share of answers 1 among the true ones"),
    _ratio_kind("F1", "2 hits/(answers 1 + true ones)"),
    Kind(
        "rank", rank, lambda T, x: 1 + soft_rank(_row(x), T), _around(_rank_reach),
        bound="|soft rank − rank| ≤ Σⱼ σ(−|xᵢ − xⱼ|/T) ≤ (n − 1) exp(−δ/T), δ the least distance",
        why="A rank counts the entries below; each comparison is a logistic step (Qin, Liu & Li 2010).",
        curve=Curve(lambda x: (np.array([x, -1.5, 0.0, 1.5]),), "entry x among −1.5, 0, 1.5", lambda v: float(v[0])),
        also=("ranks", "soft rank"),
    ),
    Kind(
        "sort", lambda x: F.sort(_row(x)), _soft_sort, _around(_sort_reach),
        bound="|soft sort − sort| ≤ Σⱼ dⱼ exp(−dⱼ/T) ≤ (n − 1) T/e, dⱼ the distances to the entry",
        why="Row i of softmax(−|x₍ᵢ₎ − xⱼ|/T) is a permutation's row, smoothed (Prillo & Eisenschlos 2020). Sorting "
        "has a derivative already, but it sees one order only; this one lets neighbors share.",
        curve=Curve(lambda x: (np.array([x, -1.0, 1.0]),), "entry x among −1, 1: the middle", lambda v: float(v[1])),
        also=("soft sort",),
    ),
    Kind(
        "floor", lambda x: TABLE["floor"](_numbers(x)), lambda T, x: soft_floor(_numbers(x), T),
        _around(_stair_reach(0.0)),
        bound="error ≤ (1 − exp(−2πT))/(π |sin 2πx|) ≤ 2T/|sin 2πx|, and ≤ ½",
        why="The sawtooth x − ⌊x⌋, smoothed by the Poisson kernel (Cauchy noise of scale T): increasing and analytic.",
        curve=_NUMBER,
    ),
    Kind(
        "round", lambda x: TABLE["rint"](_numbers(x)), lambda T, x: soft_floor(_numbers(x) + 0.5, T),
        _around(_stair_reach(0.5)),
        bound="error ≤ (1 − exp(−2πT))/(π |sin 2πx|) ≤ 2T/|sin 2πx|, and ≤ ½",
        why="⌊x + ½⌋ with the sawtooth smoothed by the Poisson kernel: increasing and analytic.",
        curve=_NUMBER, also=("rint",),
    ),
)  # fmt: skip
KINDS = {row.name: row for row in _ROWS}
_SPELLED = {_plain: row for row in _ROWS for _plain in (row.name, *row.also)}


# ---------------------------------------------------------------- the verb


def surrogate(
    f: Any, *, temperature: float | None = None, straight_through: bool = False, at: Any = None, wrt: Wrt = None
) -> Surrogate:
    """A differentiable function in place of one whose derivative is zero almost everywhere, with the gap.

    `f` is a name ("accuracy", "0-1 loss", "hinge", "AUC", "step", "sign", "argmax", "count", "precision", "recall",
    "F1", "rank", "sort", "floor", "round"), or a function (or a formula as text) in whose graph such rows are replaced.
    Scores come before labels: `s.surrogate(z, y)`. `temperature` is the width of the smoothing (1 for the losses, 0.1
    elsewhere); `straight_through` keeps the hard value and takes only the derivative from the smooth one. `at` is a
    point to trace at, for functions with branches; `wrt` names the arguments that vary (labels need not).

    Raises InputError for an unknown name, or a temperature that is not positive.

    >>> import tangently as tg
    >>> s = tg.surrogate("AUC")
    >>> s.gap(np.array([2.0, 0.5, 1.0, -1.0]), np.array([1, 1, 0, 0]))
    <gap: hard 0.75, surrogate 0.384335; hard in [0.4455, 1], as the bound says>
    >>> X, y = np.array([[1.0, 2.0], [-1.0, 0.5], [0.5, -1.0]]), np.array([1, 0, 1])
    >>> soft = tg.surrogate(lambda w: np.mean((X @ w > 0) == y), temperature=1.0)
    >>> tg.grad(soft.surrogate)(np.zeros(2)).round(4)
    array([0.2083, 0.0417])
    """
    if isinstance(f, str) and _key(f) in _NAMES:
        return _named(_SPELLED[_NAMES[_key(f)]], temperature, straight_through)
    T = _temperature(0.1 if temperature is None else temperature)
    function = _function(f)
    derived = Derived(function, Transformation("surrogate", _builder(T, straight_through)), wrt, "surrogate")
    if isinstance(at, dict) and set(at) <= set(derived.__signature__.parameters):
        derived(**at)
    elif at is not None:
        derived(*(at if isinstance(at, tuple) else (at,)))
    return Surrogate(
        name_of(function),
        function,
        derived,
        T,
        "none is known in general; where no replaced row is at a jump, the surrogate tends to the function as T → 0",
        "Rows whose derivative is zero between jumps stand replaced by smooth ones, whose derivative says which way.",
        straight_through,
    )


def _key(name: str) -> str:
    return name.lower().replace("–", "-").replace("-", " ").replace("_", " ").strip()


_NAMES = {_key(name): name for name in _SPELLED}


def _function(f: Any) -> Callable[..., Any]:
    """What a text means: a name with a slip is told from a formula."""
    if not isinstance(f, str):
        return as_function(f)
    import difflib

    near = difflib.get_close_matches(_key(f), _NAMES, 1)
    words = f.replace(" ", "").replace("-", "").replace("_", "")
    if words.isalnum() and len(words) > 1 and not words.isdigit() and (near or "_" in f or f.isalpha()):
        hint = f" Did you mean {_NAMES[near[0]]!r}?" if near else ""
        raise InputError(f"surrogate({f!r}): there are {', '.join(KINDS)}, or give a function.{hint}")
    return as_function(f)


def _temperature(T: Any) -> float:
    if isinstance(T, bool) or not isinstance(T, (int, float, np.number)) or not COLDEST <= float(T) < math.inf:
        raise InputError(f"temperature={T!r}: a positive number was wanted (smaller is nearer to the hard function)")
    return float(T)


def _named(kind: Kind, temperature: float | None, straight: bool) -> Surrogate:
    losses = kind.aligned is not Kind.aligned or kind.name == "hinge"
    T = _temperature((1.0 if losses and kind.name != "hinge" else 0.1) if temperature is None else temperature)
    soft = functools.partial(kind.soft, T)
    if straight:
        soft = _through(kind, soft)
    return Surrogate(kind.name, kind.hard, soft, T, kind.bound, kind.why, straight, kind)


def _through(kind: Kind, soft: Callable[..., Any]) -> Callable[..., Any]:
    def through(*args: Any) -> Any:
        return _straight(kind.hard(*args), kind.aligned(soft(*args)))

    return through


def _smooth(recording: Recording, nodes: Any, T: float, straight: bool) -> Smoothed:
    return smooth(recording.outputs, nodes, T, straight, recording.names)


def _not_decided(r: Recording, s: Selection) -> None:
    """A branch by `if` that leaves nothing to differentiate is no function that could be smoothed."""
    order = toposort(r.outputs)
    reached = depends(order, [x for x in s.nodes if x in set(order)])
    if r.trace.guards and not any(y in reached for y in r.outputs):
        raise InputError(
            f"the branch where {holds(r)} leaves a constant, which has no slope: write the choice as "
            "np.where(condition, a, b) in place of `if`, so that it can be smoothed"
        )


def _builder(T: float, straight: bool) -> Callable[[Recording, Selection], Transformed]:
    def build(r: Recording, s: Selection) -> Transformed:
        structure = r.structure
        _not_decided(r, s)
        found = _smooth(r, s.nodes, T, straight).outputs
        return Transformed(found, None if structure == ("leaf",) else lambda v: unflatten(structure, list(v)))

    return build


__all__ = ["KINDS", "Gap", "Kind", "Surrogate", "surrogate"]
