"""Critical points by damped Newton from many starts, all at once, each then proven to exist where that can be.

The starts are drawn anew, round after round, until a round finds nothing new. A zero found by floats is proven by the
Krawczyk operator of a small box around it (`subdividing.proven_near`). That none was missed is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.descent.critical import CriticalPoint, CriticalPoints
from tangently.descent.fields import Field, field_of, tangents_of
from tangently.descent.placing import EDGE, classified, placed_in
from tangently.descent.regions import Reading, finite
from tangently.descent.subdividing import PROOF, proven_near
from tangently.differentiation import expand, pullback
from tangently.enclosure import MissingEnclosure, precision
from tangently.expr import Expr, const, evaluate
from tangently.simplification import simplify_all

STARTS = 400
ROUNDS = 10


def by_starts(reading: Reading, starts: int = STARTS, seed: int = 0) -> CriticalPoints:
    finite(reading)
    [y] = expand([reading.f])
    gradient = simplify_all(pullback([y], [const(1)], reading.xs))
    jacobian = simplify_all([h for g in gradient for h in tangents_of(g, reading.xs)])
    zeros, begun = _rounds(reading, gradient, jacobian, starts, seed)
    try:
        f = field_of(reading.f, reading.xs, reading.box)
    except MissingEnclosure:
        f = None
    points = [_verified(reading, None if reading.notes else f, z, y, jacobian) for z in zeros]
    note = f"{begun} starts (seed {seed}), and no proof that none was missed"
    return CriticalPoints(
        tuple(p for p in points if p is not None), False, reading.box, reading.names, (reading.box,),
        examined=begun, notes=(*reading.notes, note), sampled=True,
    )  # fmt: skip


def _verified(reading: Reading, f: Field | None, z: np.ndarray, y: Expr, jacobian: Sequence[Expr]) -> Any:
    root = None if f is None else proven_near(f, z.tolist())
    if f is not None and root is not None:
        with precision(PROOF):
            where, exact = placed_in(f, root.at, reading.edges)
            return None if where == "outside" else classified(reading, f, root, exact, EDGE[where])
    if not all(lo <= v <= hi for v, (lo, hi) in zip(z, reading.box)):
        return None
    at = dict(zip(reading.xs, z.tolist()))
    value, *entries = evaluate([y, *jacobian], at)
    eigenvalues = np.linalg.eigvalsh(np.reshape(np.array(entries, float), (len(z), -1)))
    small = 1e-7 * max(1.0, float(np.abs(eigenvalues).max()))
    kind = (
        "degenerate" if (np.abs(eigenvalues) < small).any()
        else "minimum" if eigenvalues[0] > 0 else "maximum" if eigenvalues[-1] < 0 else "saddle"
    )  # fmt: skip
    return CriticalPoint(
        reading.pack(z.tolist()), float(value), kind, False, tuple((v, v) for v in z.tolist()),
        tuple(eigenvalues.tolist()), "", reading.names, tuple(z.tolist()), note="found by floats, not proven",
    )  # fmt: skip


def _rounds(
    reading: Reading, gradient: Sequence[Expr], jacobian: Sequence[Expr], starts: int, seed: int
) -> tuple[list[np.ndarray], int]:
    """Zeros from round after round of starts, until a round brings none that is new."""
    lo, hi = np.array(reading.box).T
    found: list[np.ndarray] = []
    for k in range(ROUNDS):
        known = len(found)
        for z in _newton(reading, gradient, jacobian, starts, (seed, k)):
            if not found or (np.abs(np.array(found) - z) / (hi - lo)).max(axis=1).min() > 1e-5:
                found.append(z)
        if len(found) == known:
            break
    return sorted(found, key=lambda z: z.tolist()), starts * (k + 1)


def _newton(reading: Reading, gradient: Sequence[Expr], jacobian: Sequence[Expr], starts: int, seed: Any) -> np.ndarray:
    """Zeros of the gradient by damped Newton from all starts at once."""
    lo, hi = np.array(reading.box).T
    n = len(lo)
    x = lo + (hi - lo) * np.random.default_rng(seed).random((starts, n))
    with np.errstate(all="ignore"):
        g = _at(gradient, reading.xs, x)
        for _ in range(60):
            step = -_solved(_at(jacobian, reading.xs, x).reshape(-1, n, n), g)
            longest = np.max(np.abs(step) / (hi - lo), axis=1, keepdims=True)
            step = step / np.maximum(1.0, 4 * longest)
            x, g = _damped(gradient, reading.xs, x, g, step)
        done = np.linalg.norm(g, axis=1) <= 1e-8 * (1 + np.nanmedian(np.linalg.norm(g, axis=1)))
        last = -_solved(_at(jacobian, reading.xs, x).reshape(-1, n, n), g)
        done &= np.max(np.abs(last) / (hi - lo), axis=1) < 1e-6
        done &= ((x > lo - 1e-6 * (hi - lo)) & (x < hi + 1e-6 * (hi - lo))).all(axis=1)
    return x[done]


def _at(exprs: Sequence[Expr], xs: Sequence[Expr], x: np.ndarray) -> np.ndarray:
    values = evaluate(list(exprs), {v: x[:, k].copy() for k, v in enumerate(xs)})
    return np.stack([np.broadcast_to(np.asarray(v, float), len(x)) for v in values], axis=1)


def _solved(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Newton's steps; where a matrix is singular or not finite, none."""
    good = np.isfinite(rows).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    found = np.zeros_like(right)
    if good.any():
        found[good] = np.einsum("kij,kj->ki", np.linalg.pinv(rows[good], rcond=1e-12), right[good])
    return found


def _damped(
    gradient: Sequence[Expr], xs: Sequence[Expr], x: np.ndarray, g: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each start goes the longest of 1, ¼, 1/16, … of its step that makes the gradient shorter."""
    size = np.linalg.norm(g, axis=1)
    x, g, waiting = x.copy(), g.copy(), np.ones(len(x), bool)
    for k in range(5):
        trial = x + step * 0.25**k
        fresh = _at(gradient, xs, trial)
        better = waiting & (np.linalg.norm(fresh, axis=1) < size)
        x[better], g[better] = trial[better], fresh[better]
        waiting &= ~better
    return x, g


__all__ = ["STARTS", "by_starts"]
