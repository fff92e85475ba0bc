"""Uncertainty against closed forms and Monte Carlo, Laplace's approximation against hand computation, sensitivities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

import tangently as tg
from tangently.errors import BudgetError, DomainError, InputError, ShapeError

RNG = np.random.default_rng(11)


def covariance(n: int, seed: int = 0) -> np.ndarray:
    a = np.random.default_rng(seed).normal(size=(n, n))
    return a @ a.T / n


# ---------------------------------------------------------------- closed forms


def test_a_linear_function_is_exact() -> None:
    A, b, S, x = RNG.normal(size=(3, 4)), RNG.normal(size=3), covariance(4), RNG.normal(size=4)
    u = tg.uncertainty(lambda x: A @ x + b, at=x, covariance=S, samples=0)
    assert u.mean == pytest.approx(A @ x + b)
    assert u.covariance == pytest.approx(A @ S @ A.T)
    assert u.std == pytest.approx(np.sqrt(np.diag(A @ S @ A.T)))
    assert u.bias == pytest.approx(np.zeros(3))


def test_a_quadratic_is_exact_to_second_order() -> None:
    """E = xᵀAx + tr(AΣ), var = 4 xᵀAΣAx + 2 tr(AΣAΣ) (Searle 1971, theorem 2.5.2)."""
    A, S, x = covariance(4, 3), covariance(4, 5), RNG.normal(size=4)
    u = tg.uncertainty(lambda x: x @ A @ x, at=x, covariance=S, samples=0)
    assert u.mean == pytest.approx(x @ A @ x + np.trace(A @ S))
    assert u.covariance == pytest.approx(4 * x @ A @ S @ A @ x + 2 * np.trace(A @ S @ A @ S))
    assert u.first_std**2 == pytest.approx(4 * x @ A @ S @ A @ x)


def test_a_product_of_correlated_factors() -> None:
    """E xy = μν + c; var xy = μ²b² + ν²a² + 2μνc + a²b² + c² for normal x, y."""
    a, b, c, mu, nu = 0.3, 0.5, 0.1, 2.0, -1.0
    u = tg.uncertainty("x y", at=(mu, nu), covariance=[[a**2, c], [c, b**2]], samples=0)
    assert u.mean == pytest.approx(mu * nu + c)
    assert u.std**2 == pytest.approx(mu**2 * b**2 + nu**2 * a**2 + 2 * mu * nu * c + a**2 * b**2 + c**2)
    assert sum(u.contributions.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.1])
def test_a_lognormal_to_the_order_that_is_promised(sigma: float) -> None:
    """E eˣ = e^(μ + σ²/2) and var = (e^σ² − 1) e^(2μ + σ²): the mean errs by σ⁴/8, the first std by its 3σ²/4."""
    u = tg.uncertainty("exp(x)", at=0.7, std=sigma, samples=0)
    scale = math.exp(0.7)
    mean = scale * math.exp(sigma**2 / 2)
    std = mean * math.sqrt(math.expm1(sigma**2))
    assert abs(u.mean - mean) <= scale * sigma**4 / 6
    assert u.value == pytest.approx(scale)
    assert abs(u.first_std / std - 1) <= sigma**2
    assert abs(u.std / std - 1) <= abs(u.first_std / std - 1)


def test_a_ratio() -> None:
    """(σ_f/f)² = (σ_x/x)² + (σ_y/y)² to first order; bias (x/y)(σ_y/y)²."""
    u = tg.uncertainty("x/y", at=(3.0, 4.0), std=(0.03, 0.02), samples=0)
    assert u.first_std == pytest.approx(0.75 * math.hypot(0.01, 0.005))
    assert u.bias == pytest.approx(0.75 * 0.005**2)
    assert u.contributions["x"] == pytest.approx(0.8)


# ---------------------------------------------------------------- nests and forms of input


@dataclass
class Pair:
    left: Any
    right: Any


def test_nests_go_in_and_come_out() -> None:
    params = {"W": np.arange(6.0).reshape(2, 3), "b": [0.5, np.ones(2)]}
    f = lambda p, s: Pair(p["W"].T @ p["b"][1] * s, p["b"][0] ** 2)
    u = tg.uncertainty(f, at=(params, 2.0), std=({"W": 0.1, "b": [0.2, 0.0]}, 0.0), samples=0)
    assert isinstance(u.std, Pair)
    assert u.std.left == pytest.approx(2 * 0.1 * math.sqrt(2) * np.ones(3))
    assert u.std.right == pytest.approx(math.sqrt(0.2**2 + 2 * 0.2**4))
    assert u.covariance.shape == (4, 4)
    assert {"W[0, 0]", "s"} <= set(u.contributions)


@pytest.mark.parametrize(
    "std",
    [(0.1, 0.2), {"x": 0.1, "y": 0.2}, np.array([0.1, 0.2]), [0.1, 0.2], [np.float32(0.1), np.array(0.2)]],
)
def test_spreads_of_every_form(std: Any) -> None:
    u = tg.uncertainty("x + y", at=(1.0, 2.0), std=std, samples=0)
    assert u.std == pytest.approx(math.hypot(0.1, 0.2))


@pytest.mark.parametrize("covariance", [np.diag([0.01, 0.04]), [[0.01, 0], [0, 0.04]], ((0.01, 0), (0, 0.04))])
def test_covariances_of_every_form(covariance: Any) -> None:
    u = tg.uncertainty("x + y", at=(1.0, 2.0), covariance=covariance, samples=0)
    assert u.std == pytest.approx(math.hypot(0.1, 0.2))
    W = np.arange(4.0).reshape(2, 2)
    f = lambda W: np.sum(W * W)
    shaped = tg.uncertainty(f, at=W, covariance=np.diag([0.01, 0.04, 0.01, 0.04]).reshape(2, 2, 2, 2), samples=0)
    assert shaped.std == pytest.approx(tg.uncertainty(f, at=W, std=[0.1, 0.2, 0.1, 0.2], samples=0).std)
    assert tg.uncertainty("3x", at=1.0, covariance=0.04, samples=0).std == pytest.approx(0.6)


def test_units_do_not_hide_each_other() -> None:
    """Variances of 1e296 and 1e-304 are both drawn, and a negative one beside a huge one is seen."""
    u = tg.uncertainty("x y", at=(1e150, 1e-150), std=(1e148, 1e-152))
    assert u.agrees
    assert u.monte_carlo.std == pytest.approx(math.sqrt(2e-4 + 1e-8), rel=0.05)
    with pytest.raises(InputError, match="without negative eigenvalues"):
        tg.uncertainty("x y", at=(1.0, 1.0), covariance=np.diag([1e12, -1e-3]))


def test_plain_python_inside_is_traced() -> None:
    """np.array of traced entries and the functions of math, as in the other verbs."""
    f = lambda x, y: np.array([x * y, math.exp(x) / y])
    u = tg.uncertainty(f, at=(0.5, 2.0), std=(0.1, 0.2), samples=0, order=1)
    J = np.array([[2.0, 0.5], [math.exp(0.5) / 2, -math.exp(0.5) / 4]])
    assert u.covariance == pytest.approx(J @ np.diag([0.01, 0.04]) @ J.T)
    assert tg.sensitivity(f, at=(0.5, 2.0), output=1).rows[0].derivative == pytest.approx(math.exp(0.5) / 2)
    r = lambda x, y: np.array([x - 1, math.exp(y) - 2])
    for f, method in ((lambda x, y: np.sum(r(x, y) ** 2), "Newton"), (r, "Gauss-Newton"), (r, "Levenberg-Marquardt")):
        assert tg.minimize(f, (0.0, 0.5), method=method).x == pytest.approx((1.0, math.log(2)))


def test_a_ragged_spread() -> None:
    f = lambda w, b: np.sum(w) + b
    u = tg.uncertainty(f, at=(np.ones(2), 1.0), std=(np.array([0.1, 0.2]), 0.2), samples=0)
    assert u.std == pytest.approx(0.3)


def test_what_is_not_named_does_not_vary() -> None:
    X, y = RNG.normal(size=(5, 2)), np.arange(5)
    f = lambda w, X, y: np.sum(X @ w * y)
    u = tg.uncertainty(f, at=(np.ones(2), X, y), std=0.1, wrt="w", samples=0)
    assert u.std == pytest.approx(0.1 * np.linalg.norm(X.T @ y))
    assert tg.uncertainty("x + y", at={"x": 1.0, "y": 2.0}, std={"y": 0.3}, samples=0).std == pytest.approx(0.3)


# ---------------------------------------------------------------- Monte Carlo


def test_monte_carlo_covers_the_truth() -> None:
    """The exact mean and std of eˣ lie within two standard errors about 95 times in a hundred (here: of 60)."""
    sigma, hits = 0.4, np.zeros(2)
    mean = math.exp(sigma**2 / 2)
    std = mean * math.sqrt(math.expm1(sigma**2))
    for seed in range(60):
        mc = tg.uncertainty("exp(x)", at=0.0, std=sigma, samples=1500, seed=seed).monte_carlo
        hits += [abs(mc.mean - mean) < 2 * mc.mean_error, abs(mc.std - std) < 2 * mc.std_error]
    assert (hits >= 50).all()  # 50 of 60 at 95 %: a chance below 1e-3 of failing


def test_monte_carlo_is_seeded_and_has_the_inputs_covariance() -> None:
    S = covariance(3)
    run = lambda seed: tg.uncertainty(lambda x: x, at=np.zeros(3), covariance=S, samples=20_000, seed=seed).monte_carlo
    runs = [run(1), run(1), run(2)]
    assert (runs[0].draws == runs[1].draws).all()
    assert not (runs[0].draws == runs[2].draws).any()
    assert runs[0].covariance == pytest.approx(S, abs=0.05 * np.abs(S).max())


def test_noise_of_the_function_is_drawn_anew() -> None:
    generator = np.random.default_rng(3)
    noisy = tg.uncertainty(lambda x: x + generator.normal(), at=0.0, std=0.1, samples=2000)
    assert noisy.monte_carlo.std == pytest.approx(math.sqrt(1.01), rel=0.1)
    assert noisy.agrees is False


def test_a_singular_covariance_is_one() -> None:
    S = np.ones((2, 2)) * 0.04
    u = tg.uncertainty("x - y", at=(1.0, 1.0), covariance=S, samples=500)
    assert u.std == pytest.approx(0.0, abs=1e-9)
    assert u.monte_carlo.std == pytest.approx(0.0, abs=1e-9)


def test_verdicts() -> None:
    verdict = lambda f, at, std: tg.uncertainty(f, at=at, std=std, samples=4000)
    good = verdict("x y", (3.0, 2.0), 0.05)
    assert good.agrees
    assert good.verdict.startswith("they agree")
    bent = verdict("x^2", 0.0, 1.0)  # no slope at all: the second order is everything
    assert bent.agrees
    assert "second order" in bent.verdict
    assert bent.std == pytest.approx(math.sqrt(2))
    failing = verdict("exp(x)", 0.0, 1.0)
    assert failing.agrees is False
    assert "linearization fails" in failing.verdict
    outside = verdict("log(x)", 1.0, 0.7)
    assert outside.agrees is False
    assert "have no value" in outside.verdict
    tails = verdict("1/x", 0.3, 0.2)
    assert tails.agrees is None
    assert "heavy tails" in tails.verdict
    assert "no second opinion" in tg.uncertainty("x", at=1.0, std=1.0, samples=0).verdict
    assert "fails" in repr(failing)


def test_too_many_second_derivatives_are_left_out_in_words() -> None:
    u = tg.uncertainty(lambda x: x**2, at=np.ones(200), std=0.1, samples=0)
    assert u.order == 1
    assert "first order alone" in repr(u)


# ---------------------------------------------------------------- Laplace

X = RNG.normal(size=(30, 2))
Y = (X @ [1.0, -1.0] + RNG.logistic(size=30) > 0).astype(float)


def logistic(w: Any) -> Any:
    return np.mean(np.logaddexp(0, X @ w) - Y * (X @ w)) + 0.5 * w @ w / len(Y)


def minimum() -> np.ndarray:
    w = scipy_minimize(logistic, np.zeros(2), jac=tg.grad(logistic), tol=1e-12).x
    for _ in range(3):
        w = w - np.linalg.solve(np.asarray(tg.hessian(logistic)(w)), tg.grad(logistic)(w))
    return w


def test_laplace_of_logistic_regression_by_hand() -> None:
    """H = Xᵀ diag(s(1 − s)) X + I, and ln evidence = −loss + ln 2π − ½ ln det H."""
    w = minimum()
    s = 1 / (1 + np.exp(-X @ w))
    H = X.T * (s * (1 - s)) @ X + np.eye(2)
    post = tg.uncertainty(logistic, at=w, method="laplace", count=len(Y))
    assert post.covariance == pytest.approx(np.linalg.inv(H), rel=1e-9)
    assert post.std == pytest.approx(np.sqrt(np.diag(np.linalg.inv(H))), rel=1e-9)
    expected = -len(Y) * logistic(w) + math.log(2 * math.pi) - np.linalg.slogdet(H)[1] / 2
    assert post.log_evidence == pytest.approx(expected)
    x = np.array([0.5, -1.0])
    seen = post.predict(lambda w: x @ w, samples=3000)
    assert seen.std == pytest.approx(math.sqrt(x @ np.linalg.inv(H) @ x))
    assert seen.agrees
    assert np.cov(post.sample(20_000).T) == pytest.approx(np.linalg.inv(H), abs=0.01)


def test_laplace_of_a_gaussian_is_exact_in_nests_too() -> None:
    """A linear model with noise σ: the posterior covariance is σ²(XᵀX)⁻¹, and the evidence is the integral."""
    y = X @ [2.0, -1.0] + 0.3
    D, sigma = np.column_stack([X, np.ones(30)]), 0.5
    best = np.linalg.lstsq(D, y, rcond=None)[0]
    loss = lambda p: np.sum((X @ p["w"] + p["b"] - y) ** 2) / (2 * sigma**2)
    post = tg.uncertainty(loss, at=({"w": best[:2], "b": best[2]},), method="laplace")
    exact = sigma**2 * np.linalg.inv(D.T @ D)
    assert post.covariance == pytest.approx(exact, rel=1e-9)
    assert post.std["w"] == pytest.approx(np.sqrt(np.diag(exact))[:2])
    assert post.std["b"] == pytest.approx(math.sqrt(exact[2, 2]))
    assert post.predict(lambda p: p["w"][0] - p["b"], samples=0).std == pytest.approx(
        math.sqrt(np.array([1, 0, -1]) @ exact @ [1, 0, -1])
    )
    assert tg.uncertainty("(w - 2)^2 / 2", at=2.0, method="laplace").log_evidence == pytest.approx(
        math.log(2 * math.pi) / 2
    )


@pytest.mark.parametrize(
    ("loss", "at", "says"),
    [
        (lambda w: w[0] ** 2 - w[1] ** 2, np.zeros(2), "a saddle or maximum along w"),
        (lambda w: w[0] ** 2 + 0.0 * w[1], np.zeros(2), "flat along w"),
        (lambda w: w @ w, np.ones(2), "minimize first"),
    ],
)
def test_laplace_refuses_what_is_no_minimum(loss: Any, at: np.ndarray, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        tg.uncertainty(loss, at=at, method="laplace")


def test_laplace_where_a_descent_ended() -> None:
    """As `minimize` returns it, with data; predictions of functions of all arguments, and of the parameters alone."""
    loss = lambda w, X, y: np.sum((X @ w - y) ** 2) / 2
    y = X @ [2.0, -1.0] + 0.3
    run = tg.minimize(loss, np.zeros(2), data={"X": X, "y": y})
    post = tg.uncertainty(loss, run, method="laplace")
    exact = np.linalg.inv(X.T @ X)
    assert post.covariance == pytest.approx(exact, rel=1e-9)
    assert post.predict(lambda w: w[0], samples=0).std == pytest.approx(math.sqrt(exact[0, 0]))
    assert post.predict(lambda w, X, y: X[0] @ w, samples=0).std == pytest.approx(math.sqrt(X[0] @ exact @ X[0]))
    with pytest.raises(InputError, match="predict wants a function of w; f takes"):
        post.predict(lambda a, b: a)


def test_laplace_of_a_regression_with_unknown_noise() -> None:
    """At the maximum likelihood: σ̂²(XᵀX)⁻¹ for the weights, 1/√2n for ln σ, and no correlation between them."""
    D, n = np.column_stack([X, np.ones(30)]), 30
    y = D @ [2.0, -1.0, 0.3] + np.random.default_rng(2).normal(size=n) * 0.4
    w = np.linalg.lstsq(D, y, rcond=None)[0]
    log_sigma = math.log(np.sqrt(np.mean((y - D @ w) ** 2)))
    nll = lambda w, s: n * s + np.sum((y - D @ w) ** 2) / (2 * np.exp(2 * s))
    post = tg.uncertainty(nll, at=(w, log_sigma), method="laplace")
    exact = math.exp(2 * log_sigma) * np.linalg.inv(D.T @ D)
    assert post.covariance[:3, :3] == pytest.approx(exact, rel=1e-8)
    assert post.std[1] == pytest.approx(1 / math.sqrt(2 * n), rel=1e-8)
    assert post.normal


def test_units_of_parameters_do_not_make_a_minimum_flat() -> None:
    post = tg.uncertainty("1e10 x^2 + 1e-10 (y - 1)^2", at=(0.0, 1.0), method="laplace")
    assert post.std == pytest.approx((math.sqrt(0.5e-10), math.sqrt(0.5e10)))


@pytest.mark.parametrize(
    ("loss", "at", "rises"),
    [
        ("abs(x) + x^2", 0.0, (0.5 + math.sqrt(0.5), 0.5 + math.sqrt(0.5))),  # at a kink
        ("max(x, 0) + x^2 / 2", 0.0, (0.5, 1.5)),
        ("x^4", 1e-3, (1e9, 1e12)),  # flat but for x⁴
        ("log(1 + exp(-x))", 30.0, (1e6, 0.0)),  # separable: the minimum is at infinity
    ],
)
def test_a_posterior_that_is_not_normal_is_told(loss: str, at: float, rises: tuple[float, float]) -> None:
    post = tg.uncertainty(loss, at=at, method="laplace")
    low, high = post.rises["x"]
    assert not post.normal
    assert "not this normal" in repr(post)
    assert ("kink: " in repr(post)) == (at == 0.0)
    if at == 0.0:
        assert (low, high) == pytest.approx(rises)


def test_kinks_are_told() -> None:
    u = tg.uncertainty("abs(x)", at=0.0, std=1.0, samples=0)
    assert "kink: |x| has no derivative there" in repr(u)
    assert "kink: |x| has no derivative there" in repr(tg.sensitivity("abs(x) + y", at=(0.0, 1.0)))
    assert "kink" not in repr(tg.uncertainty("abs(x)", at=1.0, std=1.0, samples=0))


def test_damping_is_a_prior_precision() -> None:
    post = tg.uncertainty(lambda w: w[0] ** 2 + 0.0 * w[1], at=np.zeros(2), method="laplace", damping=4.0)
    assert post.covariance == pytest.approx(np.diag([1 / 6, 1 / 4]))


# ---------------------------------------------------------------- sensitivity


def test_elasticities_of_a_monomial_are_its_powers() -> None:
    s = tg.sensitivity("a b^2 / c^3", at=(3.0, -2.0, 4.0))
    assert [(r.label, round(r.relative, 12)) for r in s.ranked] == [("c", -3.0), ("b", 2.0), ("a", 1.0)]
    assert s.measure == "relative"


def test_scaled_sensitivities_rank_first() -> None:
    s = tg.sensitivity("x + 100y", at=(1.0, 1.0), std=(1.0, 0.001))
    assert [r.label for r in s.ranked] == ["x", "y"]
    assert [r.scaled for r in s.rows] == pytest.approx([1.0, 0.1])
    r = tg.sensitivity("x + 100y", at=(1.0, 1.0), ranges={"x": (0, 4)})
    assert [row.scaled for row in r.rows] == [2.0, 0.0]


def test_zeros_are_told_in_words() -> None:
    at_zero = tg.sensitivity("x + y", at=(0.0, 2.0))
    assert "x = 0" in at_zero.table()
    nothing = tg.sensitivity("x - 1", at=1.0)
    assert nothing.rows[0].relative is None
    assert "no relative sensitivity" in repr(nothing)
    assert nothing.measure == "derivative"


def test_nests_and_one_of_several_outputs() -> None:
    f = lambda p: {"a": p["w"] ** 2, "b": p["s"]}
    s = tg.sensitivity(f, at=({"w": np.array([1.0, 2.0]), "s": 3.0},), output=1)
    assert s.derivatives["w"] == pytest.approx([0.0, 4.0])
    assert s.ranked[0].label == "w[1]"
    with pytest.raises(ShapeError, match="choose one by output="):
        tg.sensitivity(f, at=({"w": np.array([1.0, 2.0]), "s": 3.0},))


def test_curves_hold_the_others() -> None:
    curve = tg.sensitivity("x^2 + y", at=(1.0, 10.0), ranges=((0, 2), (9, 11))).curves()[0]
    assert curve.label == "x"
    assert curve.y == pytest.approx(curve.x**2 + 10)


def test_sobol_of_ishigami() -> None:
    """Ishigami & Homma 1990: a = 7, b = 0.1 on [−π, π]³ has S = (0.3139, 0.4424, 0), total (0.5576, 0.4424, 0.2437)."""
    s = tg.sensitivity("sin(a) + 7 sin(b)^2 + 0.1 c^4 sin(a)", at=(1.0, 1.0, 1.0), ranges=(-math.pi, math.pi))
    found = s.sobol(4096)
    assert found.first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert found.total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_sensitivities_against_differences() -> None:
    functions = [
        lambda w: np.sum(np.sin(w) * np.arange(1.0, 5.0)),
        lambda w: np.prod(w) + np.linalg.norm(w),
        lambda w: np.log(np.sum(np.exp(w))) * w[0] / w[1],
    ]
    for f in functions:
        for x in np.random.default_rng(0).normal(size=(6, 4)) + 0.1:
            s, h = tg.sensitivity(f, at=x), 1e-6
            slopes = np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(4)])
            assert s.derivatives == pytest.approx(slopes, rel=1e-5, abs=1e-7)
            assert s.relative == pytest.approx(x * slopes / f(x), rel=1e-5, abs=1e-6)


def test_rounding_is_no_value() -> None:
    """0.1 + 0.2 − 0.3 is 5.6e-17: no relative sensitivity of 1e15 comes from it."""
    s = tg.sensitivity("x - y", at=(0.1 + 0.2, 0.3))
    assert s.measure == "derivative"
    assert [r.relative for r in s.rows] == [None, None]
    assert tg.sensitivity("x - y", at=(1.0, 1.0 - 1e-9)).rows[0].relative == pytest.approx(1e9, rel=1e-6)


def test_outputs_and_ranges_by_name() -> None:
    s = tg.sensitivity(lambda x: {"a": x, "b": x**2}, at=2.0, output="b")
    assert s.value == 4.0
    r = tg.sensitivity(lambda w, b: w[0] * w[1] + b, at=(np.ones(2), 1.0), ranges={"w": (0, 4), "w[1]": (0, 2)})
    assert [row.scaled for row in r.rows] == [2.0, 1.0, 0.0]


@pytest.mark.parametrize(("f", "says"), [("log(x) y", r"no value at \d+ of"), ("0 x + 0 y", "does not vary")])
def test_sobol_of_what_has_no_variance_is_refused(f: str, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        tg.sensitivity(f, at=(1.0, 2.0), ranges=((-1, 3), (1, 3))).sobol(64)


# ---------------------------------------------------------------- bad input, pictures


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tg.uncertainty("x", at=1.0), InputError, "either std= or covariance="),
        (lambda: tg.uncertainty("x", at=1.0, std=-1.0), InputError, "0 or more"),
        (lambda: tg.uncertainty("x", at=1.0, std=math.nan), InputError, "finite"),
        (lambda: tg.uncertainty("x", at=math.inf, std=1.0), InputError, "not finite"),
        (lambda: tg.uncertainty("log(x)", at=-1.0, std=1.0), DomainError, "no (finite )?value"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), covariance=np.eye(3)), ShapeError, "2×2 was wanted"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), covariance=[[1, 2], [2, 1]]), InputError, "eigenvalue -1"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), covariance=[[1, 2], [0, 1]]), InputError, "not symmetric"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), std={"z": 1.0}), InputError, "std"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), std=True), InputError, "numbers for x, y"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), std=(0.1, 0.1, 0.1)), InputError, "numbers for x, y"),
        (lambda: tg.uncertainty(np.sum, at=np.ones((2, 3)), std=np.ones((3, 2))), ShapeError, "does not fit"),
        (lambda: tg.uncertainty("x", at=1.0, std=1e-200), InputError, "another unit"),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), covariance=[0.1, 0.2]), ShapeError, "give std="),
        (lambda: tg.uncertainty("x y", at=(1.0, 2.0), covariance={"x": 1.0}), InputError, "no matrix"),
        (lambda: tg.uncertainty("x", at=1.0, std=1.0, seed=-1), InputError, "seed"),
        (lambda: tg.uncertainty("x", at=1.0, std=1.0, count=10), InputError, "belong to method='laplace'"),
        (lambda: tg.uncertainty("x^2", at=0.0, std=1.0, method="laplace"), InputError, "leave std= and"),
        (lambda: tg.uncertainty(lambda x: x > 0, at=1.0, std=1.0), InputError, "returned np.True_"),
        (lambda: tg.uncertainty(lambda x: None, at=1.0, std=1.0), InputError, "returned None"),
        (lambda: tg.uncertainty("x^2", at=0.0, method="laplace").sample(-1), InputError, "from 1 on"),
        (lambda: tg.uncertainty("x", at=1.0, std=1.0, samples=1), InputError, "from 2 on"),
        (lambda: tg.uncertainty("x", at=1.0, std=1.0, order=3), InputError, "1 or 2"),
        (lambda: tg.uncertainty("x", at=1.0, method="bootstrap"), InputError, "laplace"),
        (lambda: tg.uncertainty(lambda x: x, at=np.ones(2), method="laplace"), ShapeError, "needs a loss"),
        (lambda: tg.uncertainty(lambda x: x @ x, at=np.zeros(4000), method="laplace"), BudgetError, "at most 3000"),
        (lambda: tg.uncertainty("x", at=1.0, method="laplace", count=0), InputError, "positive count"),
        (lambda: tg.sensitivity("x", at=1.0, std=1.0, ranges=(0, 1)), InputError, "not both"),
        (lambda: tg.sensitivity("x", at=1.0, ranges=(1, 0)), InputError, "low before high"),
        (lambda: tg.sensitivity("x", at=1.0, ranges={"y": (0, 1)}), InputError, "names y"),
        (lambda: tg.sensitivity("x", at=1.0).sobol(), InputError, "needs std= or ranges="),
        (lambda: tg.sensitivity("x", at=1.0, std=1.0).sobol(1000), InputError, "power of two"),
    ],
)
def test_bad_input_is_explained(call: Any, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_pictures() -> None:
    density, shares = tg.uncertainty("x y", at=(3.0, 2.0), std=0.1, samples=200).plot()
    assert "delta method" in density.get_label()
    assert [t.get_text() for t in shares.get_yticklabels()] == ["y", "x"]
    alone = tg.uncertainty("x y", at=(3.0, 2.0), std=0.1, samples=0).plot(ax=density)
    assert alone is density
    bars, lines = tg.sensitivity("a b^2 / c", at=(3.0, 2.0, 4.0)).plot()
    assert len(lines.lines) == 4
    assert "relative sensitivities: b 2" in bars.get_label()
    post = tg.uncertainty("(w - 1)^2 / 2", at=1.0, method="laplace").plot()
    assert "w 1 ± 1" in post.get_label()


def test_pictures_at_the_edges() -> None:
    """Nothing to spread, a needle beside Monte Carlo, draws without a value, more inputs than bars."""
    density = tg.uncertainty("x y", at=(3.0, 2.0), std=0.0, samples=50).plot()[0]
    assert "no spread: f = 6" in density.texts[0].get_text()
    needle = tg.uncertainty(lambda x: np.where(x > 0, 1.0, 0.0), at=0.1, std=1.0, samples=200).plot()[0]
    assert "delta method: no spread" in needle.get_legend_handles_labels()[1]
    outside = tg.uncertainty("log(x)", at=1.0, std=1.0, samples=200).plot()[0]
    assert "have no value" in outside.get_legend_handles_labels()[1][0]
    shares = tg.uncertainty(lambda w: np.sum(w**2), at=np.ones(20), std=0.1, samples=0).plot()[1]
    assert shares.get_xlabel() == "share in the variance\n(10 smaller ones not shown)"
    post = tg.uncertainty("1e6 (a - 100)^2 + 1e8 (b - 0.01)^2", at=(100.0, 0.01), method="laplace").plot()
    assert "0.01 ± 7.1e−5" in [t.get_text() for t in post.texts]
