"""The eigenvalues of diag(d) + ρ z zᵀ: the roots of the secular equation, in O(n²) instead of O(n³).

They are the roots of f(λ) = 1 + ρ Σ z_j² / (d_j − λ), one in every gap between the sorted d (Golub 1973; Golub & Van
Loan, Matrix Computations, 4th ed., §8.4.3). Where z_j vanishes, or several d are equal, d_j itself is an eigenvalue and
is taken out first (deflation). A root is sought as its distance μ from the nearer of its two poles, so that d_j − λ
keeps its digits, by Li's middle way (LAPACK Working Note 89, 1993): f is replaced by c + s / (d_i − λ) + S / (d_{i+1} −
λ), matched in value and slope on either side of the gap, and the quadratic solved; a step out of the bracket is halved
instead. All roots are iterated together. A few at the ends of the spectrum take O(n) each.
"""

from __future__ import annotations

import numpy as np

ROWS = 2**20  # numbers in one chunk of roots × poles: what a cache holds


def rank_one_spectrum(d: np.ndarray, rho: float, z: np.ndarray, ends: int | None = None) -> np.ndarray:
    """The eigenvalues of diag(d) + ρ z zᵀ, ascending; with `ends`, so many at least from each end of them.

    >>> rank_one_spectrum(np.array([1.0, 1.0]), 2.0, np.array([1.0, 1.0]))
    array([1., 5.])
    """
    if rho < 0:
        return -rank_one_spectrum(-d, -rho, z, ends)[::-1]
    order = np.argsort(d, kind="stable")
    poles, weights, found = _deflated(d[order], rho * z[order] ** 2)
    if n := len(poles):
        gaps = np.arange(n) if ends is None or 2 * ends >= n else np.r_[:ends, n - ends : n]
        chunk = max(1, ROWS // n)
        found = np.concatenate(
            [found, *(_roots(poles, weights, gaps[i : i + chunk]) for i in range(0, len(gaps), chunk))]
        )
    return np.sort(found).astype(np.result_type(d, z), copy=False)


def _deflated(d: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct poles with weights ρ z² that count, and the eigenvalues that are known without."""
    d, w = d.astype(float), w.astype(float)
    scale = max(float(np.abs(d).max(initial=0)), float(w.sum()))
    tolerance = 4 * np.finfo(float).eps * scale
    first = np.concatenate([[True], np.diff(d) > tolerance]) if len(d) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    weights = np.add.reduceat(w, starts) if len(d) else w
    counts = weights > tolerance
    return d[starts][counts], weights[counts], np.concatenate([d[~first], d[starts][~counts]])


def _roots(d: np.ndarray, w: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """The root in each of the gaps (d_i, d_{i+1}); the last ends at d_n + Σ w."""
    right = np.append(d[1:], d[-1] + w.sum())[gaps]
    middle = (d[gaps] + right) / 2
    near_left = (1 + (w / (d - middle[:, None])).sum(axis=1) >= 0) | (gaps == len(d) - 1)
    origin = np.where(near_left, d[gaps], right)
    delta = d - origin[:, None]
    low, high = d[gaps] - origin, right - origin
    # The last gap has no pole at its right end: its midpoint only halves it, as that of the others does.
    last = gaps == len(d) - 1
    low, high = np.where(near_left | last, low, middle - origin), np.where(near_left & ~last, middle - origin, high)
    return origin + _iterated(delta, w, gaps, low, high)


def _iterated(delta: np.ndarray, w: np.ndarray, gaps: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The roots μ of 1 + Σ w / (δ − μ) within their brackets."""
    n, mu, eps = delta.shape[1], (low + high) / 2, np.finfo(float).eps
    i = np.minimum(gaps, max(n - 2, 0))
    rows, left = np.arange(len(gaps)), np.arange(n) <= i[:, None]
    live = np.arange(len(gaps))
    for _ in range(100):
        distance = delta[live] - mu[live, None]
        terms = w / distance
        f, slopes = 1 + terms.sum(axis=1), terms / distance
        low[live] = np.where(f < 0, mu[live], low[live])
        high[live] = np.where(f < 0, high[live], mu[live])
        width = high[live] - low[live]
        done = (np.abs(f) <= eps * (1 + np.abs(terms).sum(axis=1))) | (width <= 2 * eps * np.abs(mu[live]))
        psi = (slopes * left[live]).sum(axis=1)
        a, b = distance[rows[: len(live)], i[live]], distance[rows[: len(live)], np.minimum(i[live] + 1, n - 1)]
        step = mu[live] + _middle_way(f, psi, slopes.sum(axis=1) - psi, a, b)
        inside = (step > low[live]) & (step < high[live])
        step = np.where(inside, step, (low[live] + high[live]) / 2)
        mu[live] = np.where(done, mu[live], step)
        live = live[~done]
        if not len(live):
            break
    return mu


def _middle_way(f: np.ndarray, psi: np.ndarray, phi: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The step to the root of c + s / (a − η) + S / (b − η), in the form of the quadratic that does not cancel."""
    with np.errstate(all="ignore"):
        c = f - a * psi - b * phi
        p, q = (a + b) * f - a * b * (psi + phi), a * b * f
        root = np.sqrt(np.maximum(p * p - 4 * q * c, 0))
        return np.where(p <= 0, (p - root) / (2 * c), 2 * q / (p + root))
