"""Fitting a Gaussian mixture: the log-likelihood of the data, with a Wishart prior on the inverse covariances.

Component k has the weight softmax(α)ₖ, the mean μₖ, and the inverse covariance Qₖᵀ Qₖ, where Qₖ is lower triangular
with the diagonal exp(qₖ): with zₖ = Qₖ (x − μₖ) and |Qₖ| = exp(Σ qₖ)

    log p(x) = −½ d log 2π + logsumexpₖ(αₖ + Σ qₖ − ½ ‖zₖ‖²) − logsumexp(α)

and the prior is Σₖ ½ γ² ‖Qₖ‖²_F − m Σ qₖ up to a constant that the multivariate Γ function gives. `icf` has for each
component q, and then the entries of Q below its diagonal, column by column.
"""

from __future__ import annotations

import math

import numpy as np


def logsumexp(t, axis):
    top = t.max(axis=axis, keepdims=True)
    return (top + np.log(np.exp(t - top).sum(axis=axis, keepdims=True))).squeeze(axis)


def places(d):
    """Where each entry of Q stands in (exp q, entries below the diagonal, 0)."""
    index = np.full((d, d), d * (d + 1) // 2)
    columns, rows = np.triu_indices(d, 1)
    index[rows, columns] = np.arange(d, d * (d + 1) // 2)
    index[np.arange(d), np.arange(d)] = np.arange(d)
    return index


def log_prior(icf, d, gamma, m):
    k, degrees = len(icf), d + m + 1
    log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((degrees - j) / 2) for j in range(d))
    constant = degrees * d * math.log(gamma / math.sqrt(2)) - log_gamma
    squares = (np.exp(icf[:, :d]) ** 2).sum() + (icf[:, d:] ** 2).sum()
    return 0.5 * gamma**2 * squares - m * icf[:, :d].sum() - k * constant


def log_likelihood(alphas, means, icf, x, gamma, m):
    n, d = x.shape
    log_diagonal = icf[:, :d]
    entries = np.concatenate([np.exp(log_diagonal), icf[:, d:], np.zeros((len(icf), 1))], axis=1)
    Q = entries[:, places(d)]
    z = (x - means[:, None]) @ Q.transpose(0, 2, 1)
    terms = (alphas + log_diagonal.sum(axis=1))[:, None] - 0.5 * (z**2).sum(axis=2)
    fit = logsumexp(terms, axis=0).sum() - n * logsumexp(alphas, axis=0)
    return fit - 0.5 * n * d * math.log(2 * math.pi) + log_prior(icf, d, gamma, m)
