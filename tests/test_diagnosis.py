"""Theory beside practice, and what a diagnosis says: the main finding, its numbers, and that its remedy helps."""

from __future__ import annotations

import copy
import math
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tangently as tg
from tangently.descent.diagnosing import diagnose
from tangently.descent.evidence import kink_between, newton_point
from tangently.descent.problems import Problem, problem_of
from tangently.descent.theory import (
    best_rate,
    condition_number,
    factors,
    lanczos,
    momentum_pair,
    scalings,
    spectrum,
    stability_bound,
    theory,
)
from tangently.descent.trajectory import ENDINGS
from tangently.examples import penguins

PARABOLA = "(x - 5)^2"
ROSENBROCK = "(1-x)^2 + 100(y-x^2)^2"
RANDOM = np.random.default_rng(2)
REGRESSION = {"A": RANDOM.normal(0, 0.5, (3, 6)), "b": np.zeros(6), "C": RANDOM.normal(0, 0.5, 6)}


def regression(p):
    """The flipper of a penguin from its three other measurements, by a small tanh network."""
    others, flipper = penguins.X[:, [0, 1, 3]], penguins.X[:, 2]
    return np.mean((np.tanh(others @ p["A"] + p["b"]) @ p["C"] - flipper) ** 2)


def logistic(w, X, y):
    return np.mean(np.log(1 + np.exp(-(X @ w) * (2 * y - 1))))


def saturated(w):
    return np.mean((1 / (1 + np.exp(-np.array([1000.0, 2000.0]) * w))) ** 2)


def stiff(x):
    return np.sum(np.arange(1, 401) * (x - 1) ** 2) / 2


def hinge(w):
    return np.mean(np.maximum(0, 1 - (2 * penguins.ADELIE - 1) * (penguins.X @ w))) + 0.05 * np.sum(w**2)


def dead(b):
    return np.mean((np.sum(np.maximum(0, penguins.X[:, :2] * 0.1 + b), axis=1) - penguins.ADELIE) ** 2)


BIRDS = {"X": penguins.X, "y": penguins.ADELIE}

# name: (arguments of minimize, its settings, the main finding)
TROUBLED = {
    "overshoots": ((PARABOLA, 0.0), {"rate": 0.9, "steps": 20}, "oscillation"),
    "2-cycle": ((PARABOLA, 0.0), {"rate": 1.0, "steps": 100}, "oscillation"),
    "diverges": ((PARABOLA, 0.0), {"rate": 1.1, "steps": 50}, "divergence"),
    "diverges to overflow": ((PARABOLA, 0.0), {"rate": 1.1, "steps": 5000}, "divergence"),
    "momentum diverges": (("x^2 + 10y^2", (1.0, 1.0), "momentum"), {"rate": 0.2, "steps": 100}, "divergence"),
    "large diverges": ((stiff, np.zeros(400)), {"rate": 6e-3, "steps": 100}, "divergence"),
    "tiny rate": ((PARABOLA, 0.0), {"rate": 1e-3, "steps": 100}, "rate too small"),
    "badly scaled": (("x^2 + 10000y^2", (1.0, 1.0)), {"rate": 9e-5, "steps": 500}, "ill conditioning"),
    "large, badly scaled": ((stiff, np.zeros(400)), {"rate": 1e-3, "steps": 300}, "ill conditioning"),
    "Rosenbrock, with a search": ((ROSENBROCK, (-1.2, 1.0), "gradient descent"), {"steps": 300}, "ill conditioning"),
    "no step at all": (("(x^2+y-11)^2 + (x+y^2-7)^2", (0.1, 0.2), "dogleg"), {}, "undecided"),
    "Rosenbrock": ((ROSENBROCK, (-1.2, 1.0)), {"rate": 1e-3, "steps": 2000}, "ill conditioning"),
    "slightly off a saddle": (("x^2 - y^2", (1.0, 1e-8)), {"rate": 0.1, "steps": 45}, "saddle"),
    "on a saddle": (("x^2 - y^2", (0.0, 0.0)), {"rate": 0.1}, "saddle"),
    "into a saddle": (("x^2 - y^2 + y^4", (1.0, 0.0)), {"rate": 0.1}, "saddle"),
    "Newton into a saddle": (("x^4 - 2x^2 + y^2", (0.0, 1.0), "Newton"), {}, "saddle"),
    "on a maximum": (("x^4 + y^4 - x^2 - y^2", (0.0, 0.0)), {"rate": 0.1}, "maximum"),
    "on a monkey saddle": (("x^3 - 3x*y^2", (0.0, 0.0)), {"rate": 0.1}, "degenerate point"),
    "into an inflection": (("x^3", 1.0), {"rate": 0.1}, "degenerate point"),
    "flat minimum": (("x^4", 1.0), {"rate": 0.1}, "degenerate point"),
    "far out on a sigmoid": (("1/(1 + exp(-x))", 10.0), {"rate": 0.1, "steps": 100}, "plateau"),
    "further out": (("1/(1 + exp(-x))^2", 20.0), {"rate": 0.1, "steps": 100}, "plateau"),
    "saturated": ((saturated, 1.0), {"rate": 0.1, "steps": 100}, "plateau"),
    "zigzag": (("abs(x) + 2abs(y)", (1.0, 1.03)), {"rate": 0.1, "steps": 100}, "non-smooth zigzag"),
    "|x|": (("abs(x)", 0.55), {"rate": 0.1, "steps": 100}, "non-smooth zigzag"),
    "mini-batches": (
        (logistic, np.zeros(4)), {"data": BIRDS, "batch": 8, "rate": 5.0, "steps": 1500}, "noise floor"
    ),
    "overflow": (("exp(x^2)", 5.0), {"rate": 1.0}, "invalid value"),
    "out of the domain": (("x + 1/x + log(x)", 3.0), {"rate": 4.0}, "invalid value"),
    "momentum too high": (
        ("x^2 + 10y^2", (1.0, 1.0), "momentum"), {"rate": 0.05, "momentum": 0.99, "steps": 200}, "momentum too high"
    ),
    "Adam, badly scaled": (("x^2 + 10000y^2", (100.0, 1.0), "Adam"), {"steps": 500}, "rate too small"),
    "Lion hovers": (("(x - 5)^2 + y^2", (0.03, 1.0), "Lion"), {"rate": 0.1, "steps": 200}, "oscillation"),
    "one step up": ((PARABOLA, 0.0), {"rate": 1.5, "steps": 1}, "divergence"),
    "ever faster": (("x^4/4 + x^2/2", 1.2), {"rate": 1.2, "steps": 200}, "divergence"),
    "thrown up a slope": (("log(x)^2", 1e-3), {"rate": 1.0, "steps": 300}, "divergence"),
    "κ = 10⁸": (("x^2 + 100000000y^2", (1.0, 1.0)), {"rate": 9e-9, "steps": 300}, "ill conditioning"),
    "x⁸": (("x^8", 1.0), {"rate": 0.1, "steps": 500}, "degenerate point"),
    "x⁶ + y²": (("x^6 + y^2", (1.0, 1.0)), {"rate": 0.1, "steps": 500}, "degenerate point"),
    "bounces": (("cos(x) + x^2/10", 1.0), {"rate": 3.5, "steps": 300}, "oscillation"),
    "stalls at a kink": (("abs(x) + 10abs(y)", (1.0, 1.03), "gradient descent"), {}, "non-smooth zigzag"),
    "tolerance": (("(x^2 + y^2)/10^12", (1.0, 1.0)), {"rate": 0.1}, "tolerance too large"),
    "schedule ran out": ((PARABOLA, 0.0), {"rate": 0.01, "schedule": "cosine", "steps": 50}, "rate too small"),
    "stopped by a short step": (("x^2 + y^2", (3.0, 1.0)), {"rate": 1e-5, "relative_step": 1e-3}, "rate too small"),
    "hardly moves": ((PARABOLA, 0.0), {"rate": 1e-15, "steps": 50}, "rate too small"),
    "dead units": ((dead, np.array([-3.0, -5.0])), {"rate": 0.1}, "plateau"),
    "clipped": ((PARABOLA, 0.0), {"rate": 1.5, "clip_norm": 1.0, "steps": 100}, "oscillation"),
}  # fmt: skip

HEALTHY = {
    "gradient descent": ((PARABOLA, 0.0), {"rate": 0.1}),
    "in one step": ((PARABOLA, 0.0), {"rate": 0.5}),
    "slowed by its rate": ((PARABOLA, 0.0), {"rate": 0.9}),
    "at the minimum": (("x^2 + y^2 - 2x - 4y + 5", (1.0, 2.0)), {"rate": 0.1}),
    "two numbers": (("x^2 + y^2 - 2x - 4y + 5", (0.0, 0.0)), {"rate": 0.1}),
    "trust region": ((ROSENBROCK, (-1.2, 1.0)), {}),
    "L-BFGS": ((ROSENBROCK, (-1.2, 1.0), "L-BFGS"), {}),
    "Newton, not convex": (("x^4 - 2x^2 + y^2", (0.1, 1.0), "Newton"), {}),
    "Levenberg-Marquardt": (
        (lambda x: np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([-1.2, 1.0]), "Levenberg-Marquardt"), {},
    ),
    "Himmelblau": (("(x^2+y-11)^2 + (x+y^2-7)^2", (0.0, 0.0)), {"rate": 0.01}),
    "Adam": ((PARABOLA, 0.0, "Adam"), {"rate": 0.1}),
    "cosine": ((PARABOLA, 0.0), {"rate": 0.3, "schedule": "cosine", "steps": 100}),
    "near a wall": (("x - log(x)", 0.05), {"rate": 0.5}),
    "logistic, penguins": ((logistic, np.zeros(4)), {"data": BIRDS}),
    "large": ((stiff, np.zeros(400)), {}),
    "momentum at the rate 1/λ": (("x^2", 1.0, "momentum"), {"rate": 0.5}),  # a factor 0 has no logarithm
    "far away": (("(x - 1000000)^2", 1000100.0), {"rate": 0.1}),
    "crosses a kink on the way": (("abs(x) + (x - 3)^2/2", -2.0), {"rate": 0.1}),
}  # fmt: skip


def run(arguments, settings):
    return tg.minimize(*arguments, **settings)


@pytest.mark.parametrize("scenario", TROUBLED)
def test_main_finding_and_its_remedy(scenario):
    arguments, settings, name = TROUBLED[scenario]
    before = run(arguments, settings)
    d = diagnose(before)
    assert d.main.name == name, str(d)
    assert not d.healthy
    assert d.main.words
    assert name in str(d)
    assert d.main.remedy, str(d)
    assert d.main.after.value < before.value, str(d)
    assert f"{d.main.after.value:.4g}" in d.main.verified


@pytest.mark.parametrize("scenario", HEALTHY)
def test_no_false_alarm(scenario):
    d = diagnose(run(*HEALTHY[scenario]))
    assert d.main.name == "converged", str(d)
    assert d.main.numbers["kind"] == "minimum"
    assert d.healthy


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ((PARABOLA, 0.0), {"rate": 0.1, "steps": 10}),
        ((penguins.network, None), {"rate": 0.5, "steps": 60}),
        ((logistic, np.zeros(4)), {"data": BIRDS, "batch": 64, "rate": 0.1, "steps": 100}),
    ],
)
def test_a_run_that_needs_only_more_steps(arguments, settings):
    before = run(arguments, settings)
    d = diagnose(before)
    assert d.main.name == "still descending", str(d)
    assert d.healthy
    assert set(d.main.remedy) == {"steps"}
    assert d.main.after.value < before.value


def bowl(eigenvalues, x):
    return np.sum(eigenvalues * (x - 1) ** 2) / 2


# name: (f, start, rate, the main finding); none of them may change with the units of f or of x
UNITLESS = {
    "diverges": (lambda x: bowl(np.array([1.0, 10.0]), x), [3.0, 4.0], 0.25, "divergence"),
    "converges": (lambda x: bowl(np.array([1.0, 10.0]), x), [3.0, 4.0], 0.1, "converged"),
    "badly scaled": (lambda x: bowl(np.array([1.0, 1e4]), x), [3.0, 4.0], 1e-4, "ill conditioning"),
    "tiny rate": (lambda x: bowl(np.array([1.0, 1.0]), x), [3.0, 4.0], 1e-3, "rate too small"),
    "saddle": (lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, [1.0, 0.0], 0.1, "saddle"),
    "zigzag": (lambda x: np.abs(x[0]) + 2 * np.abs(x[1]), [1.0, 1.03], 0.1, "non-smooth zigzag"),
    "flat": (lambda x: x[0] ** 4 + x[1] ** 2, [1.0, 1.0], 0.1, "degenerate point"),
    "plateau": (lambda x: 1 / (1 + np.exp(-x[0])) + 0 * x[1], [10.0, 1.0], 0.1, "plateau"),
}


@pytest.mark.parametrize(("of_f", "of_x"), [(1e-12, 1), (1e12, 1), (1, 1e-6), (1, 1e6)])
@pytest.mark.parametrize("scenario", UNITLESS)
def test_units_do_not_matter(scenario, of_f, of_x):
    f, start, rate, name = UNITLESS[scenario]
    t = tg.minimize(
        lambda x: of_f * f(x / of_x), np.array(start) * of_x, "gradient descent",
        rate=rate * of_x**2 / of_f, steps=300, tolerance=1e-6 * of_f / of_x,
    )  # fmt: skip
    assert diagnose(t).main.name == name, str(diagnose(t))


@pytest.mark.parametrize(
    ("arguments", "settings", "name", "said"),
    [
        (("2x + 1", 1.0), {"rate": 0.1, "steps": 50}, "unbounded below", "does not shrink"),
        (("x - y", (1.0, 2.0), "Adam"), {"rate": 0.1, "steps": 50}, "unbounded below", "10¹⁵"),
        (("x^3", -0.1), {"rate": 0.1, "steps": 500}, "unbounded below", "no rate helps"),
        ((PARABOLA, 0.0, "gradient descent"), {"rate": 0.1, "weight_decay": 0.5}, "weight decay", "x = 4"),
        ((PARABOLA, 0.0, "AdamW"), {"rate": 0.1, "weight_decay": 0.5, "steps": 500}, "weight decay", "pull"),
        (("x^2 + y^2", (3.0, 1.0)), {"rate": 0.01, "below": 1.0}, "still descending", "as it was asked"),
        (("floor(x) + 0x^2", 2.5), {"rate": 0.1}, "plateau", "tg.surrogate"),
    ],
)
def test_what_no_rate_mends_is_told_without_a_remedy(arguments, settings, name, said):
    main = diagnose(run(arguments, settings)).main
    assert main.name == name
    assert said in main.words
    assert not main.remedy


# ---------------------------------------------------------------- the clock, and runs that were cut


def test_a_diagnosis_keeps_its_time(monkeypatch):
    rng = np.random.default_rng(0)
    X, start = rng.normal(size=(300, 400)), {"W": rng.normal(0, 0.05, (400, 60)), "v": rng.normal(0, 0.1, 60)}
    t = tg.minimize(lambda p: np.mean((np.tanh(X @ p["W"]) @ p["v"] - X[:, 0]) ** 2), start, rate=0.01, steps=20)
    monkeypatch.setattr("tangently.descent.evidence.SECONDS", 0.5)
    began = time.perf_counter()
    d = diagnose(t)
    assert time.perf_counter() - began < 5
    assert d.main.name in ("still descending", "rate too small")


def test_more_steps_are_the_same_run_resumed():
    t = tg.minimize("x^2 + 10y^2", (1.0, 1.0), "momentum", rate=0.01, momentum=0.5, steps=30)
    after = diagnose(t)["still descending"].after
    assert after.count > 30
    np.testing.assert_array_equal(after.values[:31], t.values)
    whole = tg.minimize("x^2 + 10y^2", (1.0, 1.0), "momentum", rate=0.01, momentum=0.5, steps=after.count)
    np.testing.assert_array_equal(after.last.x, whole.last.x)


@pytest.mark.parametrize(
    ("settings", "ending"),
    [
        ({}, "tolerance"), ({"steps": 3}, "steps"), ({"below": 1.0}, "below"), ({"evaluations": 5}, "evaluations"),
        ({"relative_step": 0.1}, "relative step"), ({"seconds": 0.0, "steps": 10**6}, "seconds"),
    ],
)  # fmt: skip
def test_how_a_run_ended_is_a_field(settings, ending, tmp_path):
    t = tg.minimize(PARABOLA, 0.0, rate=0.1, **settings)
    assert t.ending == ending
    assert t.ending in ENDINGS
    t.save(tmp_path / "t.npz")
    assert tg.Trajectory.load(tmp_path / "t.npz").ending == ending
    assert tg.minimize("x + log(x)", 1.0, rate=4.0).ending == "not finite"


def test_a_timed_run_of_scipys_keeps_its_steps():
    t = tg.minimize(ROSENBROCK, (-1.2, 1.0), "BFGS", seconds=1e-4)
    assert t.ending == "seconds"
    assert t.count >= 1
    assert tg.minimize(ROSENBROCK, (-1.2, 1.0), "BFGS", seconds=60.0).count > 20


# ---------------------------------------------------------------- the numbers of findings


@pytest.mark.parametrize("curvature", [0.1, 1.0, 3.0, 250.0])
@pytest.mark.parametrize("part", [0.5, 0.99, 0.9999, 1.0001, 1.01, 1.5])
def test_half_lambda_x_squared_diverges_exactly_above_its_bound(curvature, part):
    t = tg.minimize(lambda x: curvature / 2 * x**2, 1.0, rate=part * 2 / curvature, steps=60, tolerance=0.0)
    grew = abs(t.x) > 1
    assert grew == (part > 1)
    assert (np.abs(theory(t).ratio - part) < 1e-12).all()
    if part >= 1.01:
        d = diagnose(t)
        assert d.main.name == "divergence"
        assert d.main.numbers["bound"] == pytest.approx(2 / curvature)
        assert d.main.numbers["growth"] == pytest.approx(2 * part - 1)
    if part < 1:
        assert "divergence" not in diagnose(t)


def test_the_2_cycle_is_called_one():
    main = diagnose(tg.minimize(PARABOLA, 0.0, rate=1.0, steps=100)).main
    assert "2-cycle" in main.words
    assert main.numbers["product"] == pytest.approx(2)


def test_saddle_names_the_escaping_direction_in_the_users_names():
    d = diagnose(tg.minimize("(up)^2 - 3(side)^2", (1.0, 0.0), rate=0.1))
    np.testing.assert_allclose(np.abs(d["saddle"].numbers["direction"]), [0, 1], atol=1e-12)
    assert d.main.numbers["eigenvalue"] == pytest.approx(-6)
    assert "side +1" in d.main.words
    assert "up" in d.main.words


def test_unbounded_below_is_told_with_the_saddle_that_was_passed():
    d = diagnose(tg.minimize("x^2 - y^2", (1.0, 1e-8), rate=0.1, steps=300))
    assert d.main.name == "unbounded below"
    assert "saddle" in d.main.words
    assert d.main.after is None


def test_momentum_too_high_gives_the_pair():
    d = diagnose(tg.minimize("x^2 + 10y^2", (1.0, 1.0), "momentum", rate=0.05, momentum=0.99, steps=200))
    pair = d.main.numbers["pair"]
    assert pair == momentum_pair([2.0, 20.0])
    assert d.main.after.converged


def test_ill_conditioning_shares_of_a_quadratic():
    d = diagnose(tg.minimize("x^2 + 10000y^2", (1.0, 1.0), rate=9e-5, steps=500))
    assert d.main.numbers["condition"] == pytest.approx(1e4)
    assert d.main.numbers["shares"].sum() == pytest.approx(1)
    assert d.main.numbers["shares"][0] > 0.99
    rosenbrock = diagnose(tg.minimize(ROSENBROCK, (-1.2, 1.0), rate=1e-3, steps=500))
    assert "shares" not in rosenbrock.main.numbers  # a bent valley is no quadratic: no shares are claimed


def test_zigzag_names_the_rows_that_break():
    d = diagnose(tg.minimize("abs(x) + 2abs(y)", (1.0, 1.03), rate=0.1, steps=100))
    assert set(d.main.numbers["rows"]) <= {"|x|", "|y|"}
    assert d.main.numbers["rows"]
    assert d.main.numbers["jump"] == pytest.approx(4)


def test_where_an_invalid_value_began_is_said():
    d = diagnose(tg.minimize("x + 1/x + log(x)", 3.0, rate=4.0))
    assert "ln x" in d.main.words


def test_a_loss_that_overflows_beside_the_path_is_told():
    stuck = diagnose(tg.minimize(penguins.logistic, None, "trust region"))
    assert stuck.healthy or (stuck.main.name == "invalid value" and "ln" in stuck.main.words)


def test_a_hinge_that_is_met_is_no_plateau():
    d = diagnose(tg.minimize("max(0, 1 - x)", 0.0, rate=0.3))
    assert d.healthy
    assert d.main.name == "converged"


def test_newton_on_a_function_that_is_not_convex():
    d = diagnose(tg.minimize("x^4 - 2x^2 + y^2", (0.1, 1.0), "Newton"))
    assert d["negative curvature"].numbers["least"] < 0
    assert d.main.name == "converged"


def test_degenerate_minimum_is_left_open():
    d = diagnose(tg.minimize("x^4 + y^2", (0.0, 0.0), rate=0.1))
    assert d.main.numbers["kind"] == "degenerate"
    assert "may be a minimum" in d.main.words
    assert diagnose(tg.minimize("3 + 0x", 1.0, rate=0.1)).main.numbers["kind"] == "degenerate"


def test_convergence_while_overshooting_is_remarked():
    d = diagnose(tg.minimize(PARABOLA, 0.0, rate=0.9))
    assert [f.name for f in d] == ["converged", "oscillation"]
    assert d["oscillation"].after.count < 73


class Wrong(Problem):
    """A problem whose gradient is off."""

    scale = 1.0

    def value_and_gradient(self, x):
        value, g = super().value_and_gradient(x)
        return value, g * self.scale


@pytest.mark.parametrize(("scale", "suspicious"), [(1.0, False), (0.5, True), (-1.0, True), (1.05, True)])
def test_wrong_gradient(scale, suspicious):
    problem = copy.copy(problem_of(ROSENBROCK, (-1.2, 1.0)))
    problem.__class__ = Wrong
    vars(problem)["scale"] = scale
    d = diagnose(tg.minimize(problem, None, rate=1e-4, steps=20))
    assert ("wrong gradient" in d) == suspicious
    if suspicious:
        assert d.main.name == "wrong gradient"
        assert d.main.numbers["promised"] / d.main.numbers["measured"] == pytest.approx(scale, rel=1e-4)


def test_edge_of_stability_on_the_penguins():
    start = REGRESSION
    t = tg.minimize(regression, start, rate=0.4, steps=1000)
    found = theory(t, 40)
    d = diagnose(t)
    assert found.sharpness[0] < 2 / 0.4
    assert found.edge
    assert d.main.name == "edge of stability", str(d)
    assert d.healthy
    calm = tg.minimize(regression, start, rate=0.1, steps=300)
    assert not theory(calm, 20).edge


def test_a_trajectory_is_left_as_it_was_and_can_be_resumed():
    t = tg.minimize(PARABOLA, 0.0, rate=0.1, steps=10)
    counts = vars(t.problem.counts).copy()
    first, again = str(diagnose(t)), str(diagnose(t))
    assert first == again
    assert vars(t.problem.counts) == counts
    assert t.resume(5).count == 15


def test_what_is_no_trajectory_is_refused(tmp_path):
    with pytest.raises(tg.InputError, match="trajectory was wanted"):
        diagnose(3)  # type: ignore[arg-type]
    tg.minimize(PARABOLA, 0.0, rate=1.1, steps=20).save(tmp_path / "t.npz")
    with pytest.raises(tg.InputError, match="load it with f="):
        diagnose(tg.Trajectory.load(tmp_path / "t.npz"))
    assert diagnose(tg.Trajectory.load(tmp_path / "t.npz", f=PARABOLA)).main.name == "divergence"
    with pytest.raises(tg.InputError, match="found were converged"):
        _ = diagnose(tg.minimize(PARABOLA, 0.0, rate=0.1))["saddle"]


# ---------------------------------------------------------------- theory


def iterated(eigenvalue, rate, momentum, nesterov):
    """The measured factor of PyTorch's recurrence on ½λx², over many steps."""
    x, b, sizes = 1.0, 0.0, []
    for _ in range(4000):
        g = eigenvalue * x
        b = momentum * b + g
        x -= rate * (g + momentum * b if nesterov else b)
        size = math.hypot(x, b)
        sizes.append(math.log(size))
        x, b = x / size, b / size
    return math.exp(np.mean(sizes[500:]))


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("rate", [0.01, 0.3, 0.9, 2.5])
def test_factors_are_those_of_the_recurrence(momentum, nesterov, rate):
    for eigenvalue in (0.1, 0.7, 1.3):
        measured = iterated(eigenvalue, rate, momentum, nesterov)
        assert factors([eigenvalue], rate, momentum, nesterov)[0] == pytest.approx(measured, rel=2e-3)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
def test_at_the_bound_of_stability_the_factor_is_one(momentum, nesterov):
    bound = stability_bound(7.0, momentum, nesterov)
    assert factors([7.0], bound, momentum, nesterov)[0] == pytest.approx(1)
    assert factors([7.0], 1.01 * bound, momentum, nesterov)[0] > 1
    assert factors([7.0], 0.99 * bound, momentum, nesterov)[0] < 1
    assert stability_bound(-1.0) == math.inf


@pytest.mark.parametrize("eigenvalues", [[2.0], [1.0, 10.0], [0.3, 2.0, 7.0]])
@pytest.mark.parametrize("part", [0.2, 0.7, 1.2])
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("gradient descent", {"weight_decay": 0.5}),
        ("momentum", {"momentum": 0.9, "dampening": 0.3}),
        ("momentum", {"momentum": 0.5, "weight_decay": 0.2}),
        ("Nesterov", {"momentum": 0.9}),
    ],
)
def test_predictions_are_the_spectral_radius_of_the_methods_matrix(method, settings, part, eigenvalues):
    n, turn = len(eigenvalues), np.linalg.qr(RANDOM.normal(size=(len(eigenvalues),) * 2))[0]
    A, one = turn @ np.diag(eigenvalues) @ turn.T, np.eye(n)
    b, gain = settings.get("momentum", 0.0), 1 - settings.get("dampening", 0.0)
    H = A + settings.get("weight_decay", 0.0) * one
    top = np.linalg.eigvalsh(H)[-1]
    bound = 2 * (1 + b) / ((1 + 2 * b) if method == "Nesterov" else 1) / top / gain
    rate = part * bound
    ahead = b if method == "Nesterov" else 0.0
    move = np.block([[one - rate * gain * (1 + ahead) * H, -rate * (ahead or 1) * b * one], [gain * H, b * one]])
    found = theory(tg.minimize(lambda x: np.sum(x * (A @ x)) / 2, np.ones(n), method, rate=rate, steps=3, **settings))
    np.testing.assert_allclose(found.bound, bound)
    np.testing.assert_allclose(found.predicted, np.abs(np.linalg.eigvals(move)).max(), rtol=1e-6)


@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 1e4])
def test_optimal_rates_are_optimal(kappa):
    values = np.array([0.5, 0.5 * kappa])
    gd, pair = best_rate(values), momentum_pair(values)
    assert factors(values, gd.rate).max() == pytest.approx(gd.factor, abs=1e-12)
    assert factors(values, pair.rate, pair.momentum).max() == pytest.approx(pair.factor, abs=1e-6)
    assert pair.factor == pytest.approx((math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1))
    for other in (0.9, 1.1):
        assert factors(values, other * gd.rate).max() >= gd.factor
        assert factors(values, other * pair.rate, pair.momentum).max() >= pair.factor - 1e-9
        assert factors(values, pair.rate, min(0.999, other * pair.momentum)).max() >= pair.factor - 1e-9


def test_optimal_rates_need_a_minimum():
    with pytest.raises(tg.InputError, match="positive finite"):
        momentum_pair([-1.0, 2.0])
    assert condition_number([0.0, 1.0]) == math.inf


def test_theory_beside_practice():
    t = tg.minimize("x^2 + 10y^2", (1.0, 1.0), rate=0.05, steps=40)
    found = theory(t)
    np.testing.assert_allclose(found.sharpness, 20)
    np.testing.assert_allclose(found.bound, 0.1)
    np.testing.assert_allclose(found.condition, 10)
    np.testing.assert_allclose(found.best, 9 / 11)
    np.testing.assert_allclose(found.predicted, 0.9)
    np.testing.assert_allclose(found.measured[-5:], 0.9)
    assert found.armijo.all()
    assert found.exact
    assert "λ_max" in str(found)
    assert len(theory(t, 7)) == 7


def test_armijo_and_wolfe_are_the_definitions():
    t = tg.minimize(ROSENBROCK, (-1.2, 1.0), "momentum", rate=1e-3, steps=60)
    for step, c in zip(t.steps, theory(t).conditions, strict=True):
        value, g = t.problem.value_and_gradient(step.next_x)
        slope, after = float(step.gradient @ step.direction), float(g @ step.direction)
        down = slope < 0
        assert c.armijo == (down and value <= step.value + 1e-4 * step.rate * slope)
        assert c.wolfe == (down and after >= 0.9 * slope)
        assert c.strong == (down and abs(after) <= 0.9 * abs(slope))
        assert "Armijo" in c.words


def test_strong_wolfe_search_meets_its_conditions():
    found = theory(tg.minimize(ROSENBROCK, (-1.2, 1.0), "gradient descent", search="strong Wolfe", steps=30))
    assert found.armijo.all()
    assert found.strong_wolfe.all()


def test_adams_scaling_is_the_one_it_divides_by():
    t = tg.minimize(ROSENBROCK, (-1.2, 1.0), "Adam", rate=0.01, steps=25)
    m, found = np.zeros(2), scalings(t)
    assert found is not None
    for k, (step, P) in enumerate(zip(t.steps, found.values(), strict=True)):
        m = 0.9 * m + 0.1 * step.gradient
        np.testing.assert_allclose(step.direction, -m / (1 - 0.9 ** (k + 1)) / P, rtol=1e-12)
    at = theory(t)
    np.testing.assert_allclose(at.bound * at.sharpness, 38)


@pytest.mark.parametrize("method", ["RMSprop", "Adagrad"])
def test_scalings_of_the_other_methods(method):
    t = tg.minimize(ROSENBROCK, (-1.2, 1.0), method, rate=0.01, steps=25)
    for step, P in zip(t.steps, (scalings(t) or {}).values(), strict=True):
        np.testing.assert_allclose(step.direction, -step.gradient / P, rtol=1e-9)
    np.testing.assert_allclose(theory(t).bound * theory(t).sharpness, 2)


def test_adam_is_stable_below_its_bound_and_not_above():
    """On a quadratic whose scaling is held (β₂ = 1 − 10⁻⁹ keeps v̂ near its mean of equal squares): 38/λ."""
    P = 1.0
    for part, stable in ((0.95, True), (1.05, False)):
        rate, x, m = part * 38 / 4.0 * P, 1.0, 0.0
        for _ in range(3000):
            m = 0.9 * m + 0.1 * 4.0 * x
            x -= rate * m / P
            if abs(x) > 1e9:
                break
        assert (abs(x) < 1) == stable


@settings(max_examples=25, deadline=None)
@example(seed=203424, n=10, flat=False)  # whose last eigenvalue but one is settled on first
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), flat=st.booleans())
def test_lanczos_against_numpy(seed, n, flat):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n))
    A = A @ A.T * (not flat or rng.integers(0, 2)) - (not flat) * np.eye(n)
    values = np.linalg.eigvalsh(A)
    for which, k in (("LA", -1), ("SA", 0)):
        found = lanczos(lambda v: A @ v, n, which)
        size = np.abs(values).max(initial=1e-300)
        assert values[0] - 1e-9 * size <= found.values[0] <= values[-1] + 1e-9 * size
        assert abs(found.values[0] - values[k]) <= 0.01 * size
        assert np.linalg.norm(A @ found.vectors[:, 0] - found.values[0] * found.vectors[:, 0]) <= 0.05 * size


def test_lanczos_gives_the_ends_of_the_spectrum():
    p = problem_of(stiff, np.zeros(400))
    top, low = spectrum(p, p.start), spectrum(p, p.start, which="SA")
    assert not top.complete
    assert top.top == pytest.approx(400, rel=1e-3)
    assert low.values[0] == pytest.approx(1, rel=0.05)


def test_newton_points():
    def found(f, at):
        p = problem_of(f, at)
        return newton_point(p, p.point(np.array(p.start)))

    minimum, saddle_point, flat = found(ROSENBROCK, (0.9, 0.8)), found("x^2 - y^2", (3.0, 2.0)), found("x^4", 1.0)
    assert minimum is not None
    assert saddle_point is not None
    assert flat is not None
    np.testing.assert_allclose(minimum.x, [1, 1])
    np.testing.assert_allclose(saddle_point.x, [0, 0], atol=1e-12)
    assert flat.contraction == pytest.approx(2 / 3, rel=1e-3)
    assert found("exp(-x)", 3.0) is None
    assert found("x + 2", 3.0) is None


def test_kinks_are_found_and_steep_bends_are_not():
    def kink(f, a, b):
        return kink_between(problem_of(f, 0.5), np.array([a]), np.array([b]))

    found = kink("abs(x - 0.3)", -1.0, 1.0)
    assert found is not None
    assert found.x[0] == pytest.approx(0.3, abs=1e-8)
    assert found.jump == pytest.approx(2)
    assert kink("tanh(1000x)/1000 + x^2", -1.0, 1.0) is None
    assert kink("x^3", -1.0, 1.0) is None


@pytest.mark.parametrize("method", ["trust region", "Newton"])
def test_what_falls_to_the_end_of_the_range_of_numbers_has_not_converged(method):
    t = tg.minimize("x^3 - 3x y^2", (1.0, 0.1), method=method)
    assert (t.converged, t.ending) == (False, "unbounded")
    assert diagnose(t).main.name == "unbounded below"


def test_a_monkey_saddle_ahead_is_told_though_f_is_unbounded():
    d = diagnose(tg.minimize("x^3 - 3x y^2", (1.0, 0.0), rate=0.1, steps=100))
    assert d.main.name == "degenerate point"
    assert d.main.numbers["distance"] == pytest.approx(0.0312, abs=5e-4)
