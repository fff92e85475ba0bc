"""Descent: exact tables, PyTorch's and SciPy's steps, bad input, files, and the classical problems."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tangently as tg
from mgh import PROBLEMS
from tangently.descent import searches
from tangently.descent.methods import METHODS
from tangently.descent.problems import problem_of
from tangently.descent.schedules import constant, cosine, step_decay, warm_up
from tangently.descent.steps import Point, norm
from tangently.descent.trajectory import Trajectory
from tangently.errors import DomainError, InputError, ShapeError
from tangently.examples import penguins

A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])


def quadratic(x):
    return 0.5 * x @ A @ x - np.sum(x)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


START = np.array([-1.2, 1.0])
FISHER: dict[str, Any] = {"natural gradient": {"fisher": lambda x: A}}
EXTRA: dict[str, Any] = {**FISHER, "gradient descent": {"rate": 0.4}}
GOOD_RATES = {
    "Adagrad": 0.5,
    "Adam": 0.1,
    "AdamW": 0.1,
    "Lion": 1e-3,
    "RMSprop": 1e-3,
    "momentum": 0.1,
    "Nesterov": 0.1,
}


# ---- what must be right


def test_table_of_a_parabola() -> None:
    """x_k = 5(1 − 0.8ᵏ)."""
    t = tg.minimize("(x - 5)^2", 0.0, method="gradient descent", rate=0.1, steps=10)
    assert t.count == 10
    assert t.reason == "all 10 steps were taken"
    for k, row in enumerate(t.table()):
        x = 5 * (1 - 0.8**k)
        assert row["step"] == k
        assert row["x"] == pytest.approx(x, rel=1e-14)
        assert row["f(x)"] == pytest.approx((x - 5) ** 2, rel=1e-13)
        assert row["‖∇f‖"] == pytest.approx(2 * (5 - x), rel=1e-13)
    lines = str(t.table()).splitlines()
    assert lines[0].split("  ")[0] == "step"
    assert lines[1].split() == ["0", "0", "25", "10", "1", "1"]
    assert len(lines) == 12
    assert len({line.find("f(x)") for line in lines[:1]}) == 1
    assert t.rate.linear == pytest.approx(0.8, rel=1e-6)


def test_a_paraboloid_reaches_its_minimum() -> None:
    t = tg.minimize("x^2 + y^2 - 2x - 4y + 5", (0.0, 0.0), method="gradient descent", rate=0.1)
    assert t.converged
    assert t.x == pytest.approx((1.0, 2.0), abs=1e-6)
    assert t.labels == ["x", "y"]


@pytest.mark.parametrize("lam", [0.5, 1.0, 7.0, 300.0])
@pytest.mark.parametrize(("share", "grows"), [(0.999, False), (1.001, True), (1.5, True), (0.5, False)])
def test_divergence_exactly_beyond_two_over_lambda(lam: float, share: float, grows: bool) -> None:
    t = tg.minimize(lambda x: 0.5 * lam * x**2, 1.0, "gradient descent", rate=2 / lam * share, steps=50, tolerance=0)
    assert (abs(t.x) > 1) is grows
    assert abs(t.x) == pytest.approx(abs(1 - 2 * share) ** 50, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("method", ["Newton", "saddle-free Newton", "trust region"])
def test_newton_needs_one_step_on_a_quadratic(method: str) -> None:
    options = {"radius": 100.0} if method == "trust region" else {}
    t = tg.minimize(quadratic, np.array([4.0, -3.0, 2.0]), method, **options)
    assert (t.count, t.converged) == (1, True)
    np.testing.assert_allclose(t.x, np.linalg.solve(A, np.ones(3)), rtol=1e-12)


SECOND = ["Newton", "saddle-free Newton", "trust region", "BFGS", "L-BFGS", "Newton-CG", "trust-ncg", "trust-exact",
          "dogleg", "conjugate gradient"]  # fmt: skip


@pytest.mark.parametrize("method", SECOND)
def test_rosenbrock(method: str) -> None:
    t = tg.minimize(rosenbrock, START, method)
    assert t.converged, t
    np.testing.assert_allclose(t.x, [1, 1], atol=2e-6)


@pytest.mark.parametrize("variant", ["Polak-Ribière+", "Fletcher-Reeves", "Hestenes-Stiefel"])
def test_conjugate_gradients_end_a_quadratic_in_n_steps(variant: str) -> None:
    t = tg.minimize(quadratic, np.array([4.0, -3.0, 2.0]), "conjugate gradient", variant=variant, tolerance=1e-5)
    assert t.converged
    assert t.count <= 8


@pytest.mark.parametrize("subproblem", ["exact", "dogleg", "Steihaug"])
def test_trust_region_subproblems(subproblem: str) -> None:
    assert tg.minimize(rosenbrock, START, "trust region", subproblem=subproblem).converged


@pytest.mark.parametrize("method", ["trust region", "saddle-free Newton", "Newton"])
def test_saddles_are_left(method: str) -> None:
    t = tg.minimize("x^4/4 - x^2/2 + y^2", (1e-3, 1.0), method)
    assert t.converged
    assert t.x == pytest.approx((1.0, 0.0), abs=1e-6)


@pytest.mark.parametrize("method", sorted(m for m in METHODS if not METHODS[m].residuals))
def test_every_method_descends(method: str) -> None:
    options = {"rate": GOOD_RATES[method]} if method in GOOD_RATES else dict(EXTRA.get(method, {}))
    t = tg.minimize(quadratic, np.array([1.0, -1.0, 2.0]), method, steps=300, **options)
    assert t.value < t.values[0]
    for s in t.steps:
        np.testing.assert_allclose(s.next_x, s.x + s.rate * s.direction, rtol=1e-12, atol=1e-14)
        assert s.length == pytest.approx(norm(s.next_x - s.x), rel=1e-9, abs=1e-14)
        assert not s.x.flags.writeable
    for a, b in itertools.pairwise(t.steps):
        np.testing.assert_array_equal(a.next_x, b.x)
    np.testing.assert_array_equal(t.steps[-1].next_x, t.last.x)


# ---- least squares


def decay(p):
    t = np.linspace(0, 4, 20)
    return p[0] * np.exp(-p[1] * t) - 2.5 * np.exp(-1.3 * t) + 0.01 * np.sin(9 * t)


def half(p):
    r = decay(p)
    return 0.5 * np.sum(r**2)


def mean_square(p):
    return np.mean(decay(p) ** 2)


def written_out(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


@pytest.mark.parametrize("method", ["Levenberg-Marquardt", "Gauss-Newton"])
def test_least_squares_agree_with_scipy(method: str) -> None:
    from scipy.optimize import least_squares

    wanted = least_squares(decay, [1.0, 1.0], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
    for f, options in ((decay, {}), (half, {}), (mean_square, {}), (half, {"residuals": decay})):
        t = tg.minimize(f, np.array([1.0, 1.0]), method, tolerance=1e-10, **options)
        assert t.converged
        np.testing.assert_allclose(t.x, wanted, rtol=1e-7)


def test_squares_are_seen_in_a_formula() -> None:
    assert tg.minimize(written_out, START, "LM").x == pytest.approx([1, 1], abs=1e-6)
    assert tg.minimize(rosenbrock, START, "LM").x == pytest.approx([1, 1], abs=1e-6)
    with pytest.raises(InputError, match="sum of squares"):
        tg.minimize("x^4 + cos(x)", 1.0, "Levenberg-Marquardt")


# ---- natural gradient: a logistic model in other coordinates takes the same way


BIRDS = np.column_stack([penguins.X, np.ones(len(penguins.X))])
TURN = np.random.default_rng(3).normal(size=(5, 5)) + 3 * np.eye(5)


def logistic(w):
    z = BIRDS @ w
    return np.mean(np.logaddexp(0, z) - penguins.ADELIE * z)


def logistic_fisher(w):
    p = 1 / (1 + np.exp(-(BIRDS @ w)))
    return (BIRDS.T * (p * (1 - p))) @ BIRDS / len(BIRDS)


def log_likelihoods(w):
    z = BIRDS @ w
    return penguins.ADELIE * z - np.logaddexp(0, z)


@pytest.mark.parametrize("empirical", [False, True])
def test_natural_gradient_does_not_see_the_parametrization(empirical: bool) -> None:
    first = np.full(5, 0.1)
    other = np.linalg.solve(TURN, first)
    if empirical:
        here: Any = {"log_likelihoods": log_likelihoods}
        there: Any = {"log_likelihoods": lambda v: log_likelihoods(TURN @ v)}
    else:
        here, there = {"fisher": logistic_fisher}, {"fisher": lambda v: TURN.T @ logistic_fisher(TURN @ v) @ TURN}
    a = tg.minimize(logistic, first, "natural gradient", rate=0.2, steps=15, **here)
    b = tg.minimize(lambda v: logistic(TURN @ v), other, "natural gradient", rate=0.2, steps=15, **there)
    np.testing.assert_allclose(b.path @ TURN.T, a.path, rtol=1e-8, atol=1e-9)
    plain = tg.minimize(logistic, first, rate=0.2, steps=15)
    turned = tg.minimize(lambda v: logistic(TURN @ v), other, rate=0.2, steps=15)
    assert np.abs(turned.path @ TURN.T - plain.path).max() > 1e-2


# ---- PyTorch's steps

TORCH: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("gradient descent", {}, "SGD", {}),
    ("gradient descent", {"weight_decay": 0.1}, "SGD", {"weight_decay": 0.1}),
    ("momentum", {}, "SGD", {"momentum": 0.9}),
    ("momentum", {"momentum": 0.7, "dampening": 0.3}, "SGD", {"momentum": 0.7, "dampening": 0.3}),
    ("Nesterov", {}, "SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adagrad", {}, "Adagrad", {}),
    ("Adagrad", {"rate_decay": 0.1, "initial": 0.5}, "Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("RMSprop", {}, "RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.5}, "RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adam", {}, "Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}, "Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}, "AdamW", {}),
    ("AdamW", {"betas": (0.8, 0.95), "weight_decay": 0.2}, "AdamW", {"betas": (0.8, 0.95), "weight_decay": 0.2}),
]


def torch_path(name: str, rate: float, options: dict[str, Any], count: int) -> tuple[np.ndarray, list[str]]:
    """The parameters of the penguins' network after each step of PyTorch's optimizer."""
    torch = pytest.importorskip("torch")
    params = {k: torch.tensor(v, requires_grad=True) for k, v in penguins.START.items()}
    X, y = torch.tensor(penguins.X), torch.tensor(penguins.LABELS)
    optimizer = getattr(torch.optim, name)(params.values(), lr=rate, **options)
    path = []
    for _ in range(count):
        optimizer.zero_grad()
        h = torch.tanh(X @ params["W1"] + params["b1"])
        torch.nn.functional.cross_entropy(h @ params["W2"] + params["b2"], y).backward()
        optimizer.step()
        path.append(np.concatenate([p.detach().numpy().ravel() for p in params.values()]))
    return np.array(path), list(params)


@pytest.mark.parametrize(("method", "options", "name", "theirs"), TORCH)
def test_steps_are_pytorchs(method: str, options: Any, name: str, theirs: Any) -> None:
    wanted, _ = torch_path(name, 0.01, theirs, 25)
    t = tg.minimize(penguins.network, penguins.START, method, rate=0.01, steps=25, **options)
    np.testing.assert_allclose(t.path[1:], wanted, rtol=1e-12, atol=1e-12)


def test_lion_is_the_papers() -> None:
    """Chen et al. 2023, Algorithm 2, by hand."""
    x, m = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    t = tg.minimize(quadratic, x, "Lion", rate=0.01, steps=20, weight_decay=0.1)
    for step in t.steps:
        g = A @ x - 1
        x = x - 0.01 * (np.sign(0.9 * m + 0.1 * g) + 0.1 * x)
        m = 0.99 * m + 0.01 * g
        np.testing.assert_allclose(step.next_x, x, rtol=1e-13)


def test_schedules_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    lr = torch.optim.lr_scheduler
    rules = [(step_decay(0.1, 3, 0.5), lambda o: lr.StepLR(o, 3, 0.5)),
             (cosine(0.1, 10, 0.01), lambda o: lr.CosineAnnealingLR(o, 10, 0.01))]  # fmt: skip
    for ours, theirs in rules:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler = theirs(optimizer)
        for k in range(10):
            assert ours(k) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12)
            optimizer.step()
            scheduler.step()
    assert [warm_up(constant(1.0), 2)(k) for k in range(3)] == [0.5, 1.0, 1.0]


# ---- SciPy's results


@pytest.mark.parametrize(
    ("method", "name", "hess"),
    [("BFGS", "BFGS", False), ("L-BFGS", "L-BFGS-B", False), ("trust-exact", "trust-exact", True)],
)
@pytest.mark.parametrize("f", [rosenbrock, logistic])
def test_wrapped_methods_end_where_scipy_does(method: str, name: str, hess: bool, f: Any) -> None:
    from scipy.optimize import minimize

    x0 = START if f is rosenbrock else np.zeros(5)
    more: Any = {"hess": lambda x: np.asarray(tg.hessian(f)(x))} if hess else {}
    options = {"gtol": 1e-9} | ({"ftol": 0.0} if name == "L-BFGS-B" else {})
    theirs = minimize(f, x0, jac=tg.grad(f), method=name, options=options, **more)
    t = tg.minimize(f, x0, method, tolerance=1e-8)
    assert t.converged
    np.testing.assert_allclose(t.x, theirs.x, rtol=1e-5, atol=1e-6)
    own = tg.minimize(f, x0, tolerance=1e-8)
    np.testing.assert_allclose(own.x, theirs.x, rtol=1e-5, atol=1e-6)


def test_many_numbers_take_quasi_newton_by_default() -> None:
    t = tg.minimize(rosenbrock, np.tile(START, 500))
    assert (t.method, t.converged) == ("L-BFGS", True)
    assert t.counts.hessians == 0


def test_wrapped_steps_and_counts_are_scipys() -> None:
    from scipy.optimize import minimize

    seen: list[np.ndarray] = []
    r = minimize(
        tg.value_and_grad(rosenbrock), START, jac=True, method="BFGS", callback=lambda x: seen.append(x.copy())
    )
    t = tg.minimize(rosenbrock, START, "BFGS", tolerance=4e-5)
    assert t.counts.gradients <= r.njev
    np.testing.assert_allclose(t.path[1 : len(seen) // 2], np.array(seen)[: len(seen) // 2 - 1], rtol=1e-12)


# ---- real data, mini-batches


def test_logistic_regression_on_penguins() -> None:
    t = tg.minimize(logistic, np.zeros(5))
    assert t.converged
    assert np.mean((BIRDS @ t.x > 0) == penguins.ADELIE) > 0.98
    slow = tg.minimize(logistic, np.zeros(5), "Nesterov", rate=2.0, steps=10_000)
    assert slow.value == pytest.approx(t.value, rel=1e-3)


def test_a_wall_of_rounding_is_named() -> None:
    """log(1 − p) has no value once p rounds to 1, before the minimum of the loss as it is written there."""
    t = tg.minimize(penguins.logistic)
    assert t.converged or "ln(1 - p)" in t.reason.replace("−", "-"), t.reason


def test_a_small_network_learns() -> None:
    t = tg.minimize(penguins.network, penguins.START, "Adam", rate=0.05, steps=300)
    assert t.value < 0.02 < t.values[0]
    assert {k: v.shape for k, v in t.x.items()} == {k: v.shape for k, v in penguins.START.items()}


def batch_loss(w, X, y):
    return np.mean((X @ w - y) ** 2)


X = np.random.default_rng(0).normal(size=(57, 3))
DATA = {"X": X, "y": X @ np.array([1.0, -2.0, 0.5])}


def test_minibatches_are_reproduced_by_seed() -> None:
    run = lambda seed: tg.minimize(
        batch_loss, np.zeros(3), rate=0.05, steps=200, data=DATA, batch=10, seed=seed, tolerance=0
    )
    a, b, c = run(1), run(1), run(2)
    np.testing.assert_array_equal(a.path, b.path)
    assert not np.array_equal(a.path, c.path)
    assert a.value == pytest.approx(batch_loss(a.x, **DATA), rel=1e-12)
    rows = np.concatenate([a.problem.batches.rows(k) for k in range(6)])
    assert sorted(rows) == list(range(57))
    w = np.zeros(3)
    for k in range(5):
        i = a.problem.batches.rows(k)
        w = w - 0.05 * 2 * DATA["X"][i].T @ (DATA["X"][i] @ w - DATA["y"][i]) / len(i)
        np.testing.assert_allclose(a.steps[k].next_x, w, rtol=1e-12)


# ---- clipping, schedules, searches, stop rules


def test_clipping() -> None:
    t = tg.minimize("(x - 5)^2 + y^2", (0.0, 10.0), rate=1.0, steps=1, clip=2.0)
    assert t.x == (2.0, 8.0)
    t = tg.minimize("(x - 5)^2 + y^2", (0.0, 10.0), rate=1.0, steps=1, clip_norm=1.0)
    assert t.steps[0].length == pytest.approx(1.0)
    with pytest.raises(InputError, match="positive"):
        tg.minimize("x^2", 1.0, rate=0.1, clip_norm=-1.0)


def test_schedule_by_name_and_function() -> None:
    t = tg.minimize("(x - 5)^2", 0.0, rate=0.1, schedule="cosine", steps=10, tolerance=0)
    np.testing.assert_allclose(t.history.rates, [cosine(0.1, 10)(k) for k in range(10)])
    t = tg.minimize("(x - 5)^2", 0.0, "momentum", rate=lambda k: 0.1 / (k + 1), steps=3)
    assert t.history.rates.tolist() == [0.1, 0.05, 0.1 / 3]
    with pytest.raises(InputError, match="Did you mean 'cosine'"):
        tg.minimize("x^2", 1.0, rate=0.1, schedule="cosin")


@pytest.mark.parametrize("search", ["backtracking", "strong Wolfe"])
def test_searches_meet_their_conditions(search: str) -> None:
    t = tg.minimize(rosenbrock, START, "gradient descent", search=search, steps=30)
    for s, after in zip(t.steps, t.values[1:]):
        slope = float(s.gradient @ s.direction)
        assert searches.armijo(s.value, slope, s.rate, after)
    if search == "strong Wolfe":
        met = [abs(b.gradient @ a.direction) <= 0.9 * abs(a.gradient @ a.direction) + 1e-12
               for a, b in itertools.pairwise(t.steps)]  # fmt: skip
        assert np.mean(met) > 0.9


def test_the_subproblem_is_solved_exactly(rng: np.random.Generator) -> None:
    """‖p‖ ≤ Δ, (B + λI)p = −g with λ ≥ 0 and B + λI ⪰ 0, λ(Δ − ‖p‖) = 0: necessary and sufficient."""
    for n, radius in itertools.product((1, 2, 5), (0.01, 1.0, 100.0)):
        B = rng.normal(size=(n, n))
        B, g = B + B.T, rng.normal(size=n)
        p = searches.exact(B, g, radius)
        assert norm(p) <= radius * (1 + 1e-8)
        lam = float(-(B @ p + g) @ p / (p @ p))
        np.testing.assert_allclose(B @ p + lam * p, -g, atol=1e-6 * max(1, radius))
        assert lam > -1e-7 * np.abs(B).max()
        assert np.linalg.eigvalsh(B)[0] + lam > -1e-6
        assert abs(lam) * (radius - norm(p)) < 1e-6 * max(1, radius)


def test_stop_rules_say_why() -> None:
    f, x = "(x - 5)^2", 0.0
    assert "≤ 1e-06" in tg.minimize(f, x, rate=0.1).reason
    assert tg.minimize(f, x, rate=0.1, below=1.0).reason.startswith("f = 0.703687 reached the bound 1")
    assert "of the size of x" in tg.minimize(f, x, rate=0.1, relative_step=1e-3).reason
    t = tg.minimize(f, x, rate=1e-9, seconds=0.05, steps=10**9)
    assert t.reason == "0.05 seconds were over"
    t = tg.minimize(f, x, rate=1e-9, evaluations=20)
    assert t.counts.total in (20, 21)
    assert t.reason == "20 evaluations were made"
    assert tg.minimize(f, x, rate=0.1, steps=0).count == 0


# ---- bad input


def test_a_loss_that_becomes_nan_keeps_the_last_good_point() -> None:
    t = tg.minimize("log(x) + x^2", 0.3, "gradient descent", rate=0.2, steps=50)
    assert not t.converged
    assert "ln x" in t.reason
    assert t.x > 0
    assert np.isfinite(t.value)
    t = tg.minimize(lambda w: np.sum(np.sqrt(w)), np.array([0.1, 2.0]), "gradient descent", rate=0.2)
    assert "x" not in t.problem.labels
    assert "last good point" in t.reason
    assert "has no value at w" in t.reason


def test_a_loss_that_overflows() -> None:
    t = tg.minimize("x^4", 2.0, "gradient descent", rate=1.0, steps=100)
    assert not t.converged
    assert "loss became inf" in t.reason
    assert np.isfinite(t.value)


def test_a_search_steps_back_into_the_domain() -> None:
    t = tg.minimize("x - log(x)", 0.01, "Newton")
    assert t.x == pytest.approx(1.0, abs=1e-6)
    assert tg.minimize("x - log(x)", 5.0, "trust region").x == pytest.approx(1.0, abs=1e-6)


def test_a_start_outside_of_the_domain() -> None:
    with pytest.raises(DomainError, match=r"at the start, x = -1: ln x has no value"):
        tg.minimize("log(x)", -1.0)
    with pytest.raises(InputError, match="not finite"):
        tg.minimize("x^2", np.nan)


@pytest.mark.parametrize("rate", [0, -0.1, np.inf, np.nan, "fast", True])
def test_a_rate_that_is_none(rate: Any) -> None:
    with pytest.raises(InputError, match="positive finite number"):
        tg.minimize("x^2", 1.0, rate=rate)


def test_nothing_to_descend() -> None:
    for f in (lambda x: 0 * x + 3.0, "x^2", "x^3"):
        t = tg.minimize(f, 0.0)
        assert (t.count, t.converged, t.x) == (0, True, 0.0)
        assert "nothing to descend" in t.reason
        assert "0" in str(t.table())
        assert repr(t)


def test_wrong_names() -> None:
    with pytest.raises(InputError, match="Did you mean 'Adam'"):
        tg.minimize("x^2", 1.0, "adamm")
    with pytest.raises(InputError, match="Did you mean 'momentum'"):
        tg.minimize("x^2", 1.0, "momentum", momentun=0.5)
    with pytest.raises(InputError, match="Did you mean 'x'"):
        tg.minimize(lambda x, y: x * y, 1.0, data={"xx": 1.0})
    with pytest.raises(InputError, match="needs a start for x, y"):
        tg.minimize("x y", 1.0)
    with pytest.raises(InputError, match="equal length"):
        tg.minimize(batch_loss, np.zeros(3), rate=0.1, batch=3, data={"X": X, "y": np.zeros(2)})
    with pytest.raises(InputError, match="momentun"):
        tg.minimize("x^2", 1.0, "BFGS", momentun=0.5)
    with pytest.raises(InputError, match="Did you mean 'backtracking'"):
        tg.minimize("x^2", 1.0, "Newton", search="backtrack")
    with pytest.raises(InputError, match="from 0 up"):
        tg.minimize("x^2", 1.0, steps=-3)
    with pytest.raises(InputError, match="Fisher"):
        tg.minimize(quadratic, np.ones(3), "natural gradient")


def test_a_gradient_of_several_numbers() -> None:
    with pytest.raises(ShapeError, match="one number"):
        tg.minimize(lambda x: x * 2, np.ones(3))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("method", ["gradient descent", "BFGS"])
def test_interrupting_returns_what_there_is(method: str) -> None:
    calls = [0]

    def loss(x):
        return np.sum((x - 1) ** 2)

    problem = problem_of(loss, np.zeros(3))
    inner = problem.value_and_gradient

    def interrupted(x: np.ndarray) -> Any:
        calls[0] += 1
        if calls[0] == (6 if method == "gradient descent" else 2):
            os.kill(os.getpid(), signal.SIGINT)
        return inner(x)

    problem.value_and_gradient = interrupted  # type: ignore[method-assign]
    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        t = tg.minimize(problem, method=method, **({"rate": 0.1} if method == "gradient descent" else {}))
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in t.reason
    assert not t.converged
    assert t.count == (4 if method == "gradient descent" else 0)


# ---- files


@pytest.mark.parametrize("method", ["gradient descent", "momentum", "RMSprop", "Adam", "Lion", "trust region",
                                    "conjugate gradient"])  # fmt: skip
def test_a_resumed_run_is_the_run_without_a_break(method: str, tmp_path: Path) -> None:
    options: Any = {"rate": 0.002} if method not in ("trust region", "conjugate gradient") else {}
    whole = tg.minimize(rosenbrock, START, method, steps=16, **options)
    part = tg.minimize(rosenbrock, START, method, steps=7, **options)
    np.testing.assert_array_equal(part.resume(9).path, whole.path)
    part.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz", rosenbrock)
    assert str(loaded.table()) == str(part.table())
    assert repr(loaded) == repr(part)
    again = loaded.resume(9)
    np.testing.assert_array_equal(again.path, whole.path)
    np.testing.assert_array_equal(again.values, whole.values)


def test_batches_resume_too(tmp_path: Path) -> None:
    run = lambda n: tg.minimize(
        batch_loss, {"w": np.zeros(3)}, "Adam", rate=0.05, steps=n, data=DATA, batch=10, seed=4, tolerance=0
    )
    whole, part = run(30), run(11)
    part.save(tmp_path / "run.npz")
    again = Trajectory.load(tmp_path / "run.npz", batch_loss, DATA).resume(19)
    np.testing.assert_array_equal(again.path, whole.path)
    assert set(again.x) == {"w"}
    assert again.value == whole.value


def test_a_file_without_its_function_can_be_looked_at(tmp_path: Path) -> None:
    t = tg.minimize(penguins.network, penguins.START, "Adam", rate=0.05, steps=5)
    t.save(tmp_path / "run.npz")
    seen = Trajectory.load(tmp_path / "run.npz")
    assert repr(seen) == repr(t)
    np.testing.assert_array_equal(seen.x["W1"], t.x["W1"])
    with pytest.raises(InputError, match="load it with f="):
        seen.resume(1)
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(InputError, match="no saved trajectory"):
        Trajectory.load(tmp_path / "other.npz")


# ---- the forms of a start, and what is kept


def test_forms_of_a_start() -> None:
    two = lambda x, y: (x - 1) ** 2 + (y - 2) ** 2
    assert tg.minimize(two, (0, 0)).x == pytest.approx((1, 2))
    assert tg.minimize(two, {"y": 0, "x": 0}).x == pytest.approx({"x": 1, "y": 2})
    assert tg.minimize(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, (0, 0)).x == pytest.approx([1, 0])
    assert tg.minimize(lambda p: (p["a"] - 1) ** 2 + np.sum(p["b"] ** 2), {"a": 0.0, "b": np.ones(2)}).x["a"] == 1.0
    assert tg.minimize(two, 0.5, data={"y": 7.0}).x == pytest.approx(1.0)


def test_long_runs_keep_evenly_spaced_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tangently.descent.minimizing.KEEP", 3 * 8 * 20)
    t = tg.minimize("(x - 5)^2", 0.0, rate=1e-4, steps=1000)
    assert t.count == 1000
    assert len(t.history.values) == 1001
    assert 8 <= len(t.steps) <= 22
    assert t.steps[-1].k == 999
    assert len(np.unique(np.diff([s.k for s in t.steps[:-1]]))) == 1


def test_scipys_points_are_thinned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tangently.descent.methods.KEEP", 4 * 16 * 17)
    t = tg.minimize(rosenbrock, START, "BFGS")
    assert t.converged
    assert t.count < 25
    assert t.steps[0].notes["iterations"] > 1


def test_scipys_methods_go_on_from_the_last_point() -> None:
    t = tg.minimize(rosenbrock, START, "L-BFGS", steps=10).resume(200)
    assert t.converged
    np.testing.assert_array_equal(t.steps[10].x, t.steps[9].next_x)


def test_progress_is_drawn_on_stderr_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tangently.descent.minimizing.LONG", 0.0)
    tg.minimize("(x - 5)^2", 0.0, rate=1e-4, steps=200, progress=True)
    assert capsys.readouterr().out == ""
    tg.minimize("(x - 5)^2", 0.0, rate=1e-4, steps=200)
    assert capsys.readouterr().err == ""


def test_steps_one_by_one() -> None:
    seen = list(itertools.islice(tg.descend(rosenbrock, START, "BFGS"), 3))
    assert [s.k for s in seen] == [0, 1, 2]
    with pytest.raises(AttributeError):
        seen[0].x = 1  # type: ignore[misc]


def test_rates_are_measured() -> None:
    assert tg.minimize("x^2 + 9y^2", (1.0, 1.0), rate=0.1).rate.linear == pytest.approx(0.8, abs=1e-3)
    newton = tg.minimize("exp(x) - 2x", 5.0, "Newton", tolerance=1e-12).rate
    assert 1.6 < newton.order < 2.5
    assert "order" in str(newton)


def test_gradient_at_zero_norm_and_extremes() -> None:
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([1e-200, 1e-200])) == pytest.approx(np.sqrt(2) * 1e-200)
    assert Point(np.zeros(1), np.inf, np.zeros(1), 0.0).finite is False


# ---- Moré, Garbow and Hillstrom


@pytest.mark.parametrize("case", PROBLEMS, ids=lambda c: c.name)
def test_the_default_converges_on_the_classical_problems(case: Any) -> None:
    t = tg.minimize(case, case.start, tolerance=1e-5)
    assert t.converged, t
    assert any(abs(t.value - v) <= 1e-4 * v + 2e-8 for v in case.least), (t.value, case.least)


# ---------------------------------------------------------------- what is held, what is not used, where nan began


def test_wrt_holds_the_other_arguments_as_grad_does() -> None:
    def loss(p, X, y):
        return np.mean((X @ p["w"] + p["b"] - y) ** 2)

    rng = np.random.default_rng(0)
    X, p = rng.normal(size=(20, 2)), {"w": np.zeros(2), "b": 0.0}
    y = X @ np.array([1.0, -2.0]) + 3
    t = tg.minimize(loss, (p, X, y), wrt="p")
    np.testing.assert_allclose([*t.x["w"], t.x["b"]], [1, -2, 3], atol=1e-5)
    again = tg.minimize(loss, p, data={"X": X, "y": y})
    np.testing.assert_array_equal(t.last.x, again.last.x)
    assert set(tg.minimize(lambda a, b: (a - b) ** 2, (1.0, 2.0), wrt=(0,)).x) == {"a"}
    with pytest.raises(tg.InputError, match="the start has no q; it has p, X, y"):
        tg.minimize(loss, (p, X, y), wrt="q")


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS", "trust region", "conjugate gradient", "Levenberg-Marquardt"])
def test_a_rate_that_is_not_used_is_said(method: str) -> None:
    with pytest.warns(tg.TangentlyWarning, match=f"{method} finds the length of its steps itself: rate= is not used"):
        t = tg.minimize(lambda x: (x - 5) ** 2, 0.0, method, rate=0.1)
    assert t.converged
    assert "rate" not in t.settings


X_WITH_A_GAP = np.where(np.arange(12).reshape(6, 2) == 7, np.nan, 1.0)
LOST = [
    (lambda w: np.mean((X_WITH_A_GAP @ w) ** 2), np.ones(2), "holds nan, 1 of 12 entries, first at [3, 1]"),
    (lambda x: np.sum(np.exp(x)), np.array([800.0, 1.0]), "eˣ is beyond 1.8e308, the range of numbers, at x = "),
    (lambda x: np.log(x), -1.0, "ln x has no value at x = -1: a positive number was wanted"),
]


@pytest.mark.parametrize(("f", "start", "words"), LOST)
def test_where_a_value_that_is_not_finite_began_at_the_start(f, start, words) -> None:
    with pytest.raises(tg.DomainError) as caught:
        tg.minimize(f, start, rate=0.1)
    assert words in str(caught.value)


def test_where_an_overflow_began_midway() -> None:
    t = tg.minimize(lambda x: x**4, 3.0, rate=0.5, steps=100)
    assert "x⁴ is beyond 1.8e308" in t.reason
    assert np.isfinite([t.value, t.x]).all()


def test_steps_one_by_one_are_those_of_minimize() -> None:
    walk = tg.descend("(x - 5)^2", 0.0, rate=0.1)
    seen = [next(walk) for _ in range(3)]
    assert [s.k for s in seen] == [0, 1, 2]
    np.testing.assert_allclose([s.next_x.item() for s in seen], 5 * (1 - 0.8 ** np.arange(1, 4)))
    assert not seen[0].x.flags.writeable
    whole = tg.minimize("(x - 5)^2", 0.0, rate=0.1, steps=3)
    assert [s.value for s in whole.steps] == [s.value for s in seen]


def test_steps_one_by_one_refuse_at_once() -> None:
    with pytest.raises(tg.InputError, match="rate=0: a positive finite number"):
        tg.descend("(x - 5)^2", 0.0, rate=0)
    with pytest.raises(tg.DomainError, match="is nan at the start"):
        tg.descend("log x", -1.0, rate=0.1)


def test_between_two_steps_floating_point_errors_are_the_users() -> None:
    before = np.geterr()
    walk = tg.descend("(x - 5)^2", 0.0, rate=0.1)
    next(walk)
    assert np.geterr() == before


@pytest.mark.parametrize("seed", range(12))
def test_the_measured_factor_is_that_of_the_quadratic(seed: int) -> None:
    """|1 − ηλ|, the largest; its start holds all eigenvectors alike, so that the slowest shows."""
    rng = np.random.default_rng(seed)
    eigenvalues = 10.0 ** rng.uniform(-1, 2, 3)
    rate = rng.uniform(0.2, 1.9) / eigenvalues.max()
    t = tg.minimize(lambda x: np.sum(eigenvalues * x**2) / 2, np.ones(3) / eigenvalues, rate=rate, steps=4000)
    assert t.rate.linear == pytest.approx(np.abs(1 - rate * eigenvalues).max(), abs=0.02)
    assert t.rate.order == 1


def test_what_a_rate_is_of_is_said() -> None:
    crawl = tg.minimize("100(y - x^2)^2 + (1 - x)^2", (-1.2, 1.0), rate=0.001, steps=500)
    assert str(crawl.rate).startswith("‖∇f‖ grows by the factor 1 + 0.0005 a step")
    assert str(tg.minimize("abs(x)", 1.0, rate=0.03, steps=100).rate).startswith("‖∇f‖ stays about the same")
    bowl = tg.minimize("x^2 + y^2", (1.0, 2.0), rate=0.1)
    assert "shrinks by the factor 0.799" in str(bowl.rate) or "shrinks by the factor 0.8 " in str(bowl.rate)
    assert "superlinear" in str(tg.minimize("exp(x) - x", 2.0, method="Newton").rate)


@pytest.mark.parametrize(
    "f",
    [lambda w: np.mean((w > 0) != np.array([0.0, 1.0])), lambda w: np.sum(np.floor(w)), lambda w: np.sum(np.sign(w))],
)
def test_a_function_of_steps_has_not_converged(f) -> None:
    t = tg.minimize(f, np.array([0.3, -0.7]), rate=0.1)
    assert not t.converged
    assert "made of steps" in t.reason
    assert "tg.surrogate" in t.reason


@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: 0 * x + 3, lambda x: np.maximum(x, 0), lambda x: (x + 1) ** 2])
def test_where_there_is_nothing_to_descend_it_has_converged(f) -> None:
    assert tg.minimize(f, -1.0, rate=0.1).converged
