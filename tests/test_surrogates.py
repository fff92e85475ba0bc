"""Surrogates: every bound holds and closes, gradients are those of differences, and what was replaced is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import tangently as tg
from tangently.descent.surrogates import KINDS, psi_logistic
from tangently.errors import DomainError, InputError, ShapeError

WITH_LABELS = ("0-1 loss", "accuracy", "hinge", "AUC", "precision", "recall", "F1")
RNG = np.random.default_rng(7)
X = RNG.normal(size=(40, 3))
Y = (X @ [1.0, -2.0, 0.5] + RNG.logistic(size=40) > 0).astype(int)
W = np.array([0.3, -0.5, 0.2])


def arguments(name: str, z: np.ndarray) -> tuple[Any, ...]:
    labels = (np.arange(len(z)) % 2).astype(int)
    return (z, labels) if name in WITH_LABELS else (z,)


def differences(f: Any, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


# ---------------------------------------------------------------- kinds with names


@pytest.mark.parametrize("name", KINDS)
@given(
    z=st.lists(st.floats(-4, 4), min_size=2, max_size=8),
    temperature=st.sampled_from([0.02, 0.1, 0.5, 1.0, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_hard_value_lies_where_the_bound_says(name: str, z: list[float], temperature: float) -> None:
    found = tg.surrogate(name, temperature=temperature).gap(*arguments(name, np.array(z)))
    assert found.holds, found


@pytest.mark.parametrize("name", [n for n, k in KINDS.items() if k.aligned(0.25) == 0.25])
def test_the_gap_closes_as_the_temperature_falls(name: str) -> None:
    z = np.array([0.7, -1.3, 2.2, -0.4, 1.6])
    gaps = [np.max(np.abs(tg.surrogate(name, temperature=T).gap(*arguments(name, z)).difference)) for T in (0.3, 0.003)]
    assert gaps[1] < 0.03
    assert gaps[1] < gaps[0]


@pytest.mark.parametrize("name", KINDS)
def test_gradients_are_those_of_differences(name: str) -> None:
    z = np.array([0.7, -1.3, 2.2, -0.4, 1.6])
    weights = np.array([1.0, -0.5, 2.0, 0.3, 1.5])
    soft = tg.surrogate(name, temperature=0.4).surrogate
    rest = arguments(name, z)[1:]

    def loss(x: Any) -> Any:
        value = soft(x, *rest)
        return np.sum(weights * value) if getattr(value, "shape", ()) else value

    assert tg.grad(loss)(z) == pytest.approx(differences(loss, z), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", KINDS)
def test_straight_through_has_the_hard_value_and_the_soft_slope(name: str) -> None:
    z = np.array([0.7, -1.3, 2.2, -0.4, 1.6])
    rest = arguments(name, z)[1:]
    hard, soft = KINDS[name].hard, tg.surrogate(name, temperature=0.4)
    through = tg.surrogate(name, temperature=0.4, straight_through=True).surrogate
    total = lambda f: lambda x: np.sum(f(x, *rest))
    value, slope = tg.value_and_grad(total(through))(z)
    aligned = KINDS[name].aligned
    assert value == float(np.sum(hard(z, *rest)))
    assert slope == pytest.approx(tg.grad(total(lambda *a: aligned(soft.surrogate(*a))))(z), rel=1e-12)


def test_known_values() -> None:
    """By hand: ln(1 + e⁻¹), pairs, ranks."""
    assert tg.surrogate("0-1 loss").surrogate(np.array([1.0]), np.array([1])) == pytest.approx(math.log1p(math.exp(-1)))
    assert tg.surrogate("AUC").hard(np.array([2.0, 1.0, 1.0]), np.array([1, 1, 0])) == 0.75
    rank = tg.surrogate("rank", temperature=1.0)
    up = 1 / (1 + math.exp(-1.0))
    assert rank.surrogate(np.array([0.0, 1.0])) == pytest.approx([1 + 1 - up, 1 + up])
    z, y = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]]), np.array([0, 2])
    ce = -np.mean((z - np.log(np.exp(z).sum(1, keepdims=True)))[[0, 1], y])
    assert tg.surrogate("accuracy").surrogate(z, y) == pytest.approx(ce)
    assert tg.surrogate("accuracy").hard(z, y) == 0.5
    assert tg.surrogate("accuracy").gap(z, y).holds


def test_labels_of_every_spelling_agree() -> None:
    z = np.array([0.4, -0.2, 1.0])
    spellings = ([0, 1, 1], [-1, 1, 1], [False, True, True], [0.0, 1.0, 1.0])
    values = {float(tg.surrogate("0-1 loss")(z, y)) for y in spellings}
    assert len(values) == 1


def test_excess_risk_is_calibrated() -> None:
    """ψ ≥ θ²/2, its inverse inverts, and on a two-point problem the excess of the 0–1 risk keeps below the bound."""
    s = tg.surrogate("accuracy")
    for theta in np.linspace(0, 1, 11):
        assert psi_logistic(theta) >= theta**2 / 2 - 1e-15
        assert s.excess_risk(psi_logistic(theta)) == pytest.approx(theta, abs=1e-7)
    risk = lambda eta, a: eta * np.log1p(np.exp(-a)) + (1 - eta) * np.log1p(np.exp(a))
    for eta in (0.5, 0.6, 0.9, 0.99):
        best = risk(eta, math.log(eta / (1 - eta)))
        for a in (-2.0, -0.1, 0.3):
            excess = (2 * eta - 1) * (a <= 0)
            assert excess <= s.excess_risk(max(0.0, risk(eta, a) - best)) + 1e-6
    assert tg.surrogate("hinge", temperature=0.2).excess_risk(0.3) == pytest.approx(0.3 + 0.2 * math.log(2))
    with pytest.raises(InputError, match="calibration is known for"):
        tg.surrogate("rank").excess_risk(0.1)


LOSSES: dict[str, Any] = {  # the same in PyTorch: scores t, labels y in {0, 1}, temperature T
    "0-1 loss": lambda torch, t, y, T: _softplus(torch, -(2 * y - 1) * t / T).mean(),
    "accuracy": lambda torch, t, y, T: _softplus(torch, -(2 * y - 1) * t / T).mean(),
    "hinge": lambda torch, t, y, T: T * _softplus(torch, (1 - (2 * y - 1) * t) / T).mean(),
    "AUC": lambda torch, t, y, T: _softplus(torch, -(t[y == 1][:, None] - t[y == 0][None]) / T).mean(),
    "precision": lambda torch, t, y, T: (torch.sigmoid(t / T) * y).sum() / torch.sigmoid(t / T).sum(),
    "recall": lambda torch, t, y, T: (torch.sigmoid(t / T) * y).sum() / y.sum(),
    "F1": lambda torch, t, y, T: 2 * (torch.sigmoid(t / T) * y).sum() / (torch.sigmoid(t / T).sum() + y.sum()),
}


def _softplus(torch: Any, u: Any) -> Any:
    return torch.logaddexp(u, torch.zeros_like(u))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_pytorch(name: str) -> None:
    """With scores of ±800, ties, and labels that change from call to call of one compiled gradient."""
    torch = pytest.importorskip("torch")
    z = np.array([3.0, -800.0, 0.2, 800.0, -0.7, 0.2])
    soft = tg.surrogate(name, temperature=0.7)
    compiled = tg.grad(lambda z, y: soft(z, y), wrt="z")
    for y in ([1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]):
        t = torch.tensor(z, requires_grad=True)
        loss = LOSSES[name](torch, t, torch.tensor(y, dtype=torch.float64), 0.7)
        loss.backward()
        assert float(soft(z, np.array(y))) == pytest.approx(loss.item(), rel=1e-13)
        for found in (compiled(z, np.array(y)), tg.grad(lambda z, y=y: soft(z, y), wrt="z")(z)):
            assert found == pytest.approx(t.grad.numpy(), rel=1e-11, abs=1e-15)


def test_labels_that_change_to_wrong_ones_give_nan() -> None:
    for name, wrong in (("accuracy", 2), ("AUC", 0.5), ("hinge", -3)):
        value = tg.value_and_grad(lambda z, y, name=name: tg.surrogate(name)(z, y), wrt="z")
        z = np.array([0.4, -0.2, 1.0])
        assert np.isfinite(value(z, np.array([0.0, 1.0, 1.0]))[0])
        with np.errstate(invalid="ignore"):
            assert math.isnan(value(z, np.array([0.0, 1.0, wrong]))[0])
    rows = tg.value_and_grad(lambda z, y: tg.surrogate("accuracy")(z, y), wrt="z")
    assert np.isfinite(rows(np.eye(3), np.array([0, 1, 2]))[0])
    assert math.isnan(rows(np.eye(3), np.array([0, 1, 3]))[0])


def test_hard_values_are_those_of_their_definitions() -> None:
    """Mann-Whitney by ranks, confusion counts, ordinal ranks with means; ties everywhere, and infinite scores."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        z, y = rng.integers(-3, 4, 25).astype(float), np.r_[0, 1, rng.integers(0, 2, 23)]
        hard = {k: float(KINDS[k].hard(z, y)) for k in WITH_LABELS}
        ranks = stats.rankdata(z)
        n, m = y.sum(), (1 - y).sum()
        assert hard["AUC"] == pytest.approx((ranks[y == 1].sum() - n * (n + 1) / 2) / (n * m))
        hit, said = ((z > 0) & (y == 1)).sum(), (z > 0).sum()
        expected = [hit / said, hit / n, 2 * hit / (said + n)]
        assert [hard[k] for k in ("precision", "recall", "F1")] == pytest.approx(expected)
        assert hard["accuracy"] == pytest.approx(np.mean(np.where(y == 1, z > 0, z < 0)))
        assert hard["0-1 loss"] == pytest.approx(1 - hard["accuracy"])
        assert hard["hinge"] == pytest.approx(np.mean(np.maximum(0, 1 - (2 * y - 1) * z)))
        assert np.asarray(KINDS["rank"].hard(z)) == pytest.approx(ranks)
    assert KINDS["AUC"].hard(np.array([np.inf, np.inf, -np.inf, 1e308]), np.array([1, 0, 0, 1])) == 0.625


@pytest.mark.parametrize("name", [n for n in KINDS if n not in WITH_LABELS])
@pytest.mark.parametrize("shape", [(1,), (3, 4), (2, 3, 4), (2, 1)])
def test_arrays_of_every_shape_are_taken_along_the_last_axis(name: str, shape: tuple[int, ...]) -> None:
    z = np.random.default_rng(1).normal(size=shape) * 3
    s = tg.surrogate(name, temperature=0.2)
    found = s.gap(z)
    assert found.holds
    assert "as the bound says" in repr(found)
    if name != "count":
        rows = np.stack([s.surrogate(row) for row in z.reshape(-1, shape[-1])]).reshape(shape)
        assert np.asarray(s.surrogate(z)) == pytest.approx(rows)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("temperature", [1e-100, 1e-9, 1e9])
def test_extreme_scores_and_temperatures_keep_the_bound(name: str, temperature: float) -> None:
    z = np.array([800.0, -800.0, 3.0, 3.0, 0.0, -0.5, 1e6 + 0.25, 1e12])
    with np.errstate(over="ignore"):
        assert tg.surrogate(name, temperature=temperature).gap(*arguments(name, z)).holds


def test_formulas_of_surrogates_are_had_without_a_point() -> None:
    assert "10 σ(x/0.1) (1 − σ(x/0.1))" in repr(tg.grad(lambda x: tg.surrogate("step")(x)))
    z, y = tg.vector("z", "n"), tg.vector("y", "n")
    assert "σ(10 z)" in repr(tg.grad(np.sum(tg.surrogate("step")(z)), wrt=z))
    assert "S = σ" in repr(tg.grad(np.sum(tg.surrogate("rank")(z)), wrt=z))
    with pytest.raises(InputError, match="both classes"):
        tg.surrogate("AUC")(z, y)


def test_classes_in_rows_are_as_pytorch_has_them() -> None:
    torch = pytest.importorskip("torch")
    z, y = RNG.normal(size=(30, 4)) * 5, RNG.integers(0, 4, 30)
    s = tg.surrogate("accuracy", temperature=2.0)
    t = torch.tensor(z, requires_grad=True)
    torch.nn.functional.cross_entropy(t / 2, torch.tensor(y)).backward()
    assert tg.grad(lambda z: s(z, y))(z) == pytest.approx(t.grad.numpy(), rel=1e-12, abs=1e-16)
    assert float(s.hard(z, y)) == pytest.approx(np.mean(z.argmax(1) == y))
    column = tg.surrogate("accuracy").gap(z[:, :1], (y[:, None] > 1).astype(int))
    assert repr(column) == repr(tg.surrogate("accuracy").gap(z[:, 0], y > 1))


@pytest.mark.parametrize("name", WITH_LABELS)
def test_training_with_it_improves_the_metric(name: str) -> None:
    start = np.array([-0.3, 0.6, -0.15])
    s = tg.surrogate(name, temperature=1.0)
    better = -1.0 if name in ("precision", "recall", "F1") else 1.0
    run = tg.minimize(lambda w: better * s(X @ w, Y), start, steps=100)
    before, after = float(s.hard(X @ start, Y)), float(s.hard(X @ run.x, Y))
    assert after < before - 0.3 if name in ("0-1 loss", "hinge") else after > before + 0.3


# ---------------------------------------------------------------- functions


LABELS3 = np.array([0, 2, 1, 1])
Z = RNG.normal(size=(4, 3))
FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "accuracy": (lambda w: np.mean((X @ w > 0) == Y), W),
    "accuracy of signs": (lambda w: np.mean(np.sign(X @ w) == 2 * Y - 1), W),
    "accuracy of where": (lambda w: np.mean(np.where(X @ w > 0, 1, -1) == 2 * Y - 1), W),
    "accuracy of classes": (lambda z: np.mean(np.argmax(z, axis=1) == LABELS3), Z),
    "errors counted": (lambda w: np.sum((X @ w > 0) != Y), W),
    "astype": (lambda w: np.sum((X @ w > 0).astype(int)), W),
    "AUC": (lambda w: np.mean((X @ w)[Y == 1][:, None] > (X @ w)[Y == 0][None, :]), W),
    "and": (lambda x: np.mean((x > 0) & ~(x > 1)), W),
    "any": (lambda x: 1.0 * np.any(x > 0.1), W),
    "ranks": (lambda x: np.sum(np.argsort(np.argsort(x)) * np.array([1.0, 2.0, 4.0])), W),
    "roundings": (lambda x: np.sum(np.floor(x) + np.round(x) + np.ceil(x) + np.trunc(x)), W - 0.12),
    "mean index": (lambda z: np.sum(np.argmax(z, axis=1) * 1.0), Z),
    "step": ("step(x) + 0", 0.3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gets_slopes_and_tends_to_itself(name: str) -> None:
    f, x = FUNCTIONS[name]
    plain = tg.parse(f) if isinstance(f, str) else f
    s = tg.surrogate(f, temperature=0.3, at=x)
    assert s.replaced
    slope = np.asarray(tg.grad(s.surrogate)(x))
    shape = np.shape(x)
    flat = lambda v: float(s.surrogate(v.reshape(shape) if shape else float(v[0])))
    assert slope.ravel() == pytest.approx(differences(flat, np.ravel(np.asarray(x, float))), rel=1e-5, abs=1e-8)
    assert np.abs(slope).max() > 0
    assert float(tg.surrogate(f, temperature=1e-3).surrogate(x)) == pytest.approx(float(plain(x)), abs=0.06)
    through = tg.surrogate(f, temperature=0.3, straight_through=True)
    value, slope = tg.value_and_grad(through.surrogate)(x)
    assert value == pytest.approx(float(plain(x)), abs=1e-12)
    assert np.abs(slope).max() > 0


MASK = np.arange(40) % 3 > 0
TRUTHS: dict[str, Any] = {
    "minimum": lambda w: np.minimum(X @ w > 0, MASK).sum(),
    "maximum": lambda w: np.maximum(X @ w > 0, MASK).sum(),
    "joined": lambda w: np.concatenate([X @ w > 0, MASK]).sum(),
    "chosen": lambda w: np.where(MASK, X @ w > 0, X @ w < 1).sum(),
    "stacked": lambda w: np.where(np.stack([X @ w > 0, MASK]), 1.0, 0.0).sum(),
    "part": lambda w: np.where((X @ w > 0)[3:20], 2.0, 1.0).sum(),
    "agreeing": lambda w: np.mean(np.minimum(X @ w > 0, MASK) == (Y == 1)),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_truths_stay_soft_through_what_selects_and_joins_them(name: str) -> None:
    f = TRUTHS[name]
    soft = tg.surrogate(f, temperature=0.4).surrogate
    assert float(tg.surrogate(f, temperature=1e-4).surrogate(W)) == pytest.approx(float(f(W)), abs=1e-6)
    assert tg.grad(soft)(W) == pytest.approx(differences(soft, W), rel=1e-6, abs=1e-8)
    assert np.abs(tg.grad(soft)(W)).max() > 1e-3


def test_what_a_branch_leaves_constant_is_refused() -> None:
    with pytest.raises(InputError, match="in place of `if`"):
        tg.surrogate(lambda w: 1.0 if w[0] > 0 else 0.0)(W)
    with pytest.raises(InputError, match="in place of `if`"):
        tg.grad(tg.surrogate(lambda w: sum(1.0 for v in w if v > 0)).surrogate)(W)


def test_what_was_replaced_is_told() -> None:
    s = tg.surrogate(lambda w: np.mean((X @ w > 0) == Y), at=W)
    assert [r.row for r in s.replaced] == ["gt", "eq"]
    assert "X w > 0 → logistic step" in repr(s)
    index = tg.surrogate(lambda z: np.mean(np.argmax(z, axis=1) == LABELS3), at=Z)
    assert "softmax(z/T) at the index" in repr(index)


@pytest.mark.parametrize(
    "f", [np.sin, lambda x: np.where(x > 0, x, 0.1 * x).sum(), lambda x: np.sort(x)[0] + abs(x[1])]
)
def test_what_has_slopes_is_left_alone(f: Any) -> None:
    s = tg.surrogate(f, at=W)
    assert s.replaced == ()
    assert "nothing is to be replaced" in repr(s)
    assert np.asarray(s.surrogate(W)) == pytest.approx(np.asarray(f(W)))


def test_branches_and_positions_are_told_as_kept() -> None:
    assert any("chooses an entry" in k.why for k in tg.surrogate(lambda x: np.sort(x)[1], at=W).kept)
    leaky = tg.surrogate(lambda x: np.where(x > 0, x, 0.1 * x).sum(), at=W)
    assert any("slopes of their own" in k.why for k in leaky.kept)
    branch = tg.surrogate(lambda x: np.sign(x) if x > 0 else x, at=1.0)
    assert "branch of the graph, where x > 0" in repr(branch)


def test_a_mixture_descends_where_the_accuracy_has_no_slope() -> None:
    f = lambda w: np.mean((X @ w > 0) == Y)
    assert np.abs(tg.grad(f)(W)).max() == 0
    soft, w = tg.surrogate(f, temperature=1.0).surrogate, -W
    for _ in range(100):
        w = w + 2.0 * tg.grad(soft)(w)
    assert f(w) > f(-W) + 0.2


def test_further_arguments_need_not_vary() -> None:
    f = lambda w, X, y: np.mean((X @ w > 0) == y)
    s = tg.surrogate(f, temperature=1.0, wrt="w")
    g = tg.grad(s.surrogate, wrt="w")(W, X, Y)
    assert g == pytest.approx(tg.grad(tg.surrogate(lambda w: f(w, X, Y), temperature=1.0).surrogate)(W))
    assert (
        tg.surrogate(f, wrt="w", at={"w": W, "X": X, "y": Y}).replaced
        == tg.surrogate(f, wrt="w", at=(W, X, Y)).replaced
    )


# ---------------------------------------------------------------- bad input, pictures


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tg.surrogate("acuracy"), InputError, "Did you mean 'accuracy'"),
        (lambda: tg.surrogate("step", temperature=0.0), InputError, "positive"),
        (lambda: tg.surrogate("step", temperature=math.nan), InputError, "positive"),
        (lambda: tg.surrogate("accuracy")(np.zeros(3), np.array([0, 1, 2])), InputError, "0 and 1"),
        (lambda: tg.surrogate("accuracy")(np.zeros(3), np.array([0, 1])), ShapeError, "one label a score"),
        (lambda: tg.surrogate("accuracy")(np.zeros((2, 2)), np.array([0, 2])), InputError, "0 to 1"),
        (lambda: tg.surrogate("accuracy")(np.zeros((2, 3)), np.eye(3)[:2]), ShapeError, r"y.argmax\(1\)"),
        (lambda: tg.surrogate("accuracy")(np.zeros((2, 1)), np.array([0, 1])), ShapeError, r"z\[:, 0\]"),
        (lambda: tg.surrogate("accuracy")(np.zeros(2), np.array(["cat", "dog"])), InputError, "return_inverse"),
        (lambda: tg.surrogate("accuracy").hard(np.array([math.nan, 1]), np.array([0, 1])), DomainError, "NaN"),
        (lambda: tg.surrogate("accuracy").gap(np.array([math.inf, 1]), np.array([0, 1])), InputError, "finite"),
        (lambda: tg.surrogate("accuracy")(np.zeros(0), np.zeros(0)), InputError, "no number"),
        (lambda: tg.surrogate("step").gap(np.zeros(0)), InputError, "no number"),
        (lambda: tg.surrogate("rank")(2.0), ShapeError, "no order"),
        (lambda: tg.surrogate("AUC")(np.zeros(2), np.array([1, 1])), InputError, "both classes"),
        (lambda: tg.surrogate(np.sin, at=0.0).excess_risk(0.1), InputError, "calibration"),
        (lambda: tg.surrogate("accuracy").excess_risk(-1.0), InputError, "0 or more"),
    ],
)
def test_bad_input_is_explained(call: Any, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("name", KINDS)
def test_pictures_of_kinds(name: str) -> None:
    ax = tg.surrogate(name).plot()
    hard, soft = ax.lines
    assert hard.get_label() == name
    assert np.isfinite(soft.get_ydata()).all()
    assert "gap at most" in ax.get_label()


def test_pictures_of_functions() -> None:
    f = lambda w: np.mean((X @ w > 0) == Y)
    ax = tg.surrogate(f, temperature=0.5).plot(at=W)
    assert ax.get_xlabel() == "step along the gradient (of length 1)"
    assert len(tg.surrogate("floor(x)", straight_through=True).plot(domain=(0, 3)).lines) == 2
    with pytest.raises(InputError, match="one array"):
        tg.surrogate(lambda a, b: np.sign(a * b)).plot(at=(1.0, 2.0))
