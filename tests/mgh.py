"""The problems of Moré, Garbow and Hillstrom, "Testing Unconstrained Optimization Software", ACM TOMS 7 (1981) 17–41.

Each of the 35 is a vector of residuals r(x); the function is f = Σ rᵢ². `least` lists the values of f at known local
minima, as the paper gives them (to six digits), which check the data tables too. Gulf's residual is the corrected
one, exp(−|y − x₂|^x₃ / x₁) − t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Residuals = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    name: str
    residuals: Residuals
    start: np.ndarray
    least: tuple[float, ...]

    def __call__(self, x: Any) -> Any:
        r = self.residuals(x)
        return np.sum(r * r)


def case(name: str, residuals: Residuals, start: Any, *least: float) -> Case:
    return Case(name, residuals, np.array(start, float), least)


def upto(m: int) -> np.ndarray:
    return np.arange(1.0, m + 1)


def rosenbrock(x):
    return np.concatenate([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


def freudenstein_roth(x):
    a, b = x
    return np.stack([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


def powell_badly_scaled(x):
    return np.stack([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x):
    return np.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def beale(x):
    a, b = x
    return np.stack([1.5 - a * (1 - b), 2.25 - a * (1 - b**2), 2.625 - a * (1 - b**3)])


def jennrich_sampson(x):
    i = upto(10)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


def helical_valley(x):
    a, b, c = x
    turn = np.arctan2(b, a) / (2 * np.pi) if a >= 0 or b >= 0 else np.arctan2(b, a) / (2 * np.pi) + 1
    return np.stack([10 * (c - 10 * turn), 10 * (np.sqrt(a**2 + b**2) - 1), c])


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(x):
    u = upto(15)
    v = 16 - u
    return BARD - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


HALF = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
GAUSSIAN = np.array([*HALF, 0.3989, *HALF[::-1]])


def gaussian(x):
    t = (8 - upto(15)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSSIAN


MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872.0]
)


def meyer(x):
    return x[0] * np.exp(x[1] / (45 + 5 * upto(16) + x[2])) - MEYER


def gulf(x):
    t = upto(99) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


def box(x):
    t = 0.1 * upto(10)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def powell_singular(x):
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return np.concatenate([a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2])


def wood(x):
    a, b, c, d = x
    s, t = np.sqrt(90), np.sqrt(10)
    return np.stack([10 * (b - a**2), 1 - a, s * (d - c**2), 1 - c, t * (b + d - 2), (b - d) / t])


KOWALIK = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_osborne(x):
    u = KOWALIK_U
    return KOWALIK - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x):
    t = upto(20) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


OSBORNE_1 = np.array([
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603,
    0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411,
    0.406,
])  # fmt: skip


def osborne_1(x):
    t = 10 * (upto(33) - 1)
    return OSBORNE_1 - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


def biggs(x):
    t = 0.1 * upto(13)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


OSBORNE_2 = np.array([
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606,
    0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423,
    0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
    0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098,
    0.054,
])  # fmt: skip


def osborne_2(x):
    t = (upto(65) - 1) / 10
    bells = sum(x[k] * np.exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3))
    return OSBORNE_2 - (x[0] * np.exp(-t * x[4]) + bells)


def watson(x):
    n = x.shape[0]
    t = (upto(29) / 29)[:, None]
    j = np.arange(n)
    slope = (j[1:] * t ** (j[1:] - 1)) @ x[1:]
    return np.concatenate([slope - ((t**j) @ x) ** 2 - 1, np.stack([x[0], x[1] - x[0] ** 2 - 1])])


def penalty_1(x):
    return np.concatenate([np.sqrt(1e-5) * (x - 1), np.stack([np.sum(x**2) - 0.25])])


def penalty_2(x):
    n, a = x.shape[0], np.sqrt(1e-5)
    i = np.arange(2, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    e = np.exp(x / 10)
    last = np.sum((n - np.arange(n)) * x**2) - 1
    return np.concatenate([
        np.stack([x[0] - 0.2]), a * (e[1:] + e[:-1] - y), a * (e[1:] - np.exp(-0.1)), np.stack([last])
    ])  # fmt: skip


def variably_dimensioned(x):
    s = np.sum(upto(x.shape[0]) * (x - 1))
    return np.concatenate([x - 1, np.stack([s, s**2])])


def trigonometric(x):
    n = x.shape[0]
    return n - np.sum(np.cos(x)) + upto(n) * (1 - np.cos(x)) - np.sin(x)


def brown_almost_linear(x):
    n = x.shape[0]
    return np.concatenate([x[:-1] + np.sum(x) - (n + 1), np.stack([np.prod(x) - 1])])


def padded(x):
    zero = np.zeros(1)
    return np.concatenate([zero, x[:-1]]), np.concatenate([x[1:], zero])


def discrete_boundary_value(x):
    n = x.shape[0]
    h = 1 / (n + 1)
    before, after = padded(x)
    return 2 * x - before - after + h**2 * (x + h * upto(n) + 1) ** 3 / 2


def discrete_integral(x):
    n = x.shape[0]
    h = 1 / (n + 1)
    t = h * upto(n)
    kernel = np.where(t[None, :] <= t[:, None], (1 - t)[:, None] * t[None, :], t[:, None] * (1 - t)[None, :])
    return x + h / 2 * (kernel @ (x + t + 1) ** 3)


def broyden_tridiagonal(x):
    before, after = padded(x)
    return (3 - 2 * x) * x - before - 2 * after + 1


def broyden_banded(x):
    i = np.arange(x.shape[0])
    near = (i[None, :] >= i[:, None] - 5) & (i[None, :] <= i[:, None] + 1) & (i[None, :] != i[:, None])
    return x * (2 + 5 * x**2) + 1 - near.astype(float) @ (x * (1 + x))


def linear_full_rank(x, m=20):
    n = x.shape[0]
    return np.eye(m, n) @ x - 2 / m * np.sum(x) - 1


def linear_rank_1(x, m=20):
    return upto(m) * np.sum(upto(x.shape[0]) * x) - 1


def linear_rank_1_with_zeros(x, m=20):
    inner = np.sum(upto(x.shape[0])[1:-1] * x[1:-1])
    weights = np.concatenate([[0.0], np.arange(1.0, m - 1), [0.0]])
    return weights * inner - 1


def chebyquad(x):
    n = x.shape[0]
    z = 2 * x - 1
    before, now, rows = 1.0, z, []
    for i in range(1, n + 1):
        rows.append(np.mean(now) + (1 / (i * i - 1) if i % 2 == 0 else 0.0))
        before, now = now, 2 * z * now - before
    return np.stack(rows)


N10 = np.arange(1, 11) / 11
PROBLEMS = (
    case("Rosenbrock", rosenbrock, [-1.2, 1], 0),
    case("Freudenstein and Roth", freudenstein_roth, [0.5, -2], 0, 48.9842),
    case("Powell badly scaled", powell_badly_scaled, [0, 1], 0),
    case("Brown badly scaled", brown_badly_scaled, [1, 1], 0),
    case("Beale", beale, [1, 1], 0),
    case("Jennrich and Sampson", jennrich_sampson, [0.3, 0.4], 124.362),
    case("helical valley", helical_valley, [-1, 0, 0], 0),
    case("Bard", bard, [1, 1, 1], 8.21487e-3, 17.4286),
    case("Gaussian", gaussian, [0.4, 1, 0], 1.12793e-8),
    case("Meyer", meyer, [0.02, 4000, 250], 87.9458),
    case("Gulf research and development", gulf, [5, 2.5, 0.15], 0),
    case("Box three-dimensional", box, [0, 10, 20], 0),
    case("Powell singular", powell_singular, [3, -1, 0, 1], 0),
    case("Wood", wood, [-3, -1, -3, -1], 0),
    case("Kowalik and Osborne", kowalik_osborne, [0.25, 0.39, 0.415, 0.39], 3.07505e-4, 1.02734e-3),
    case("Brown and Dennis", brown_dennis, [25, 5, -5, -1], 85822.2),
    case("Osborne 1", osborne_1, [0.5, 1.5, -1, 0.01, 0.02], 5.46489e-5),
    case("Biggs EXP6", biggs, [1, 2, 1, 1, 1, 1], 5.65565e-3, 0),
    case("Osborne 2", osborne_2, [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], 4.01377e-2),
    case("Watson", watson, np.zeros(6), 2.28767e-3),
    case("extended Rosenbrock", rosenbrock, [-1.2, 1] * 5, 0),
    case("extended Powell singular", powell_singular, [3, -1, 0, 1] * 3, 0),
    case("penalty I", penalty_1, np.arange(1, 5), 2.24997e-5),
    case("penalty II", penalty_2, np.full(4, 0.5), 9.37629e-6),
    case("variably dimensioned", variably_dimensioned, 1 - np.arange(1, 11) / 10, 0),
    case("trigonometric", trigonometric, np.full(10, 0.1), 0, 2.79506e-5),
    case("Brown almost-linear", brown_almost_linear, np.full(10, 0.5), 0, 1),
    case("discrete boundary value", discrete_boundary_value, N10 * (N10 - 1), 0),
    case("discrete integral equation", discrete_integral, N10 * (N10 - 1), 0),
    case("Broyden tridiagonal", broyden_tridiagonal, np.full(10, -1), 0),
    case("Broyden banded", broyden_banded, np.full(10, -1), 0),
    case("linear, full rank", linear_full_rank, np.ones(10), 10),
    case("linear, rank 1", linear_rank_1, np.ones(10), 20 * 19 / (2 * 41)),
    case("linear, rank 1 with zero columns and rows", linear_rank_1_with_zeros, np.ones(10), (400 + 60 - 6) / (2 * 37)),
    case("Chebyquad", chebyquad, np.arange(1, 9) / 9, 3.51687e-3),
)
