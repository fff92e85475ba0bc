"""Difference quotients: the textbook table, the V of errors, and coverage of the extrapolated error."""

from __future__ import annotations

import cmath
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy as sp
from scipy import differentiate

from tangently.errors import DomainError, InputError, ShapeError
from tangently.quotients import extrapolate, numeric_gradient, numeric_jacobian, quotient_table, step_sweep

t = sp.Symbol("t")

TABLE = [
    (sp.sin(t), [0, 1, 1e-3, 30, -7.3, 1000]),
    (sp.cos(t), [0, 0.5, 1e-8, 100]),
    (sp.exp(t), [0, 1, -20, 50, 300, 700]),
    (sp.log(t), [1, 1e-3, 1e-8, 50, 1e6]),
    (sp.sqrt(t), [1, 1e-6, 4e4]),
    (1 / t, [1, -1e-3, 1e-10, 1e5]),
    (t**3 - 2 * t, [0, 1, -5, 1e4]),
    (t**7, [0.1, 3]),
    (sp.tanh(t), [0, 0.5, 5, 20]),
    (1 / (1 + sp.exp(-t)), [0, -3, 30, -30]),
    (sp.exp(-(t**2)), [0, 1, -4]),
    (sp.sin(10 * t), [0.3, 5]),
    (sp.sin(1 / t), [0.1, 0.02]),
    (sp.atan(100 * t), [0, 0.01, 0.3]),
    (sp.sqrt(1 - t**2), [0.999, 0.3, -0.9999]),
    (sp.asin(t), [0.5, 0.99]),
    (sp.log(1 + sp.exp(t)), [0, -10, 20]),
    (t * sp.exp(-t), [2]),
    (sp.gamma(t), [0.5, 5]),
    (sp.tan(t), [0.3, 1.5]),
    (3 * t**2 - 4 * t, [1, 0]),
    (1 / (1 + 25 * t**2), [0.1, 1]),
    (sp.exp(sp.sin(3 * t)), [1, 4]),
    (t ** sp.Rational(5, 2), [1e-4, 2]),
    (sp.sinh(t), [3]),
    (sp.sin(t) / t, [1e-4, 1]),
    ((1 - sp.cos(t)) / t**2, [0.1, 1e-3]),
]


def _truth(f: sp.Expr, x: float, order: int) -> float:
    return float(sp.diff(f, t, order).subs(t, sp.Rational(*float(x).as_integer_ratio())).evalf(40))


# ---- extrapolation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_error_covers_the_truth(order: int) -> None:
    covered, relative, pessimism = [], [], []
    for f, points in TABLE:
        plain = sp.lambdify(t, f, "math")
        for x in points:
            true, e = _truth(f, x, order), extrapolate(plain, x, order)
            miss = abs(e.value - true)
            covered.append(miss <= e.error)
            relative.append(e.error / max(abs(true), 1e-12))
            pessimism.append(e.error / miss if miss else 1.0)
    assert len(covered) >= 60
    assert np.mean(covered) >= 0.95
    assert np.median(relative) < {1: 1e-12, 2: 1e-10, 3: 1e-8}[order]
    assert np.median(pessimism) < 100


@pytest.mark.parametrize(("f", "x"), [(np.exp, 1.0), (np.sin, 2.0), (np.arctan, 0.3), (np.log, 3.0)])
def test_agrees_with_scipy(f, x: float) -> None:
    peer = differentiate.derivative(f, x)
    e = extrapolate(f, x)
    assert abs(e.value - peer.df) <= e.error + max(peer.error, 1e-13)


def test_array_valued() -> None:
    e = extrapolate(lambda s: np.array([[np.sin(s), s**2], [np.log(s), 7.0]]), 2.0)
    np.testing.assert_allclose(e.value, [[np.cos(2), 4], [0.5, 0]], atol=1e-11)
    assert e.error.shape == (2, 2)
    assert e.error.max() < 1e-10
    assert np.asarray(e).shape == (2, 2)


@pytest.mark.parametrize(
    ("f", "x", "order", "gap"),
    [
        (abs, 0.0, 1, 2.0),
        (lambda s: max(s, 0.0), 0.0, 1, 1.0),
        (lambda s: abs(s - 3), 3.0, 1, 2.0),
        (lambda s: s * abs(s), 0.0, 2, 4.0),
        (lambda s: math.exp(s) + 0.01 * abs(s), 0.0, 1, 0.02),
    ],
)
def test_a_kink_is_no_derivative(f, x: float, order: int, gap: float) -> None:
    e = extrapolate(f, x, order)
    assert e.error >= gap / 2 * (1 - 1e-3)
    assert "a kink?" in e.notes[0]
    assert "a kink?" in repr(e)


def test_smooth_functions_are_not_accused() -> None:
    for f, points in TABLE:
        for x in points[:2]:
            if (f, x) != (sp.atan(100 * t), 0):
                assert extrapolate(sp.lambdify(t, f, "math"), x).notes == (), (f, x)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda s: float(s > 0), 0.0),
        (np.floor, 2.0),
        (math.sqrt, 0.0),
        (lambda s: math.sqrt(abs(s)), 0.0),
        (np.cbrt, 0.0),
    ],
)
def test_a_jump_or_a_vertical_slope_is_no_derivative(f, x: float) -> None:
    e = extrapolate(f, x)
    assert e.error == math.inf
    assert "without bound" in e.notes[-1]


def test_a_slope_that_diverges_slowly_is_at_least_uncertain() -> None:
    assert extrapolate(lambda s: s * math.log(s) if s else 0.0, 0.0).error > 1


@pytest.mark.parametrize(
    ("f", "x", "true", "side"),
    [
        (lambda s: math.sqrt(s) ** 3 + s, 0.0, 1.0, "right"),
        (lambda s: math.acos(s) ** 2, 1.0, -2.0, "left"),
        (lambda s: np.where(s >= 1, np.exp(s), np.nan), 1.0, math.e, "right"),
        (lambda s: s if s <= 0 else math.inf, 0.0, 1.0, "left"),
    ],
)
def test_one_sided_at_the_edge_of_the_domain(f, x: float, true: float, side: str) -> None:
    e = extrapolate(f, x)
    assert abs(e.value - true) <= e.error < 0.1
    assert f"from the {side}" in e.notes[0]


def test_single_precision_is_felt() -> None:
    e = extrapolate(lambda s: np.sin(np.float32(s)), 1.0)
    assert abs(e.value - math.cos(1.0)) <= e.error
    assert 1e-7 < e.error < 1e-2


def test_a_narrow_feature_contradicts_the_coarse_steps() -> None:
    e = extrapolate(lambda s: math.exp(-((s / 0.02) ** 2)), 0.01)
    assert e.value == pytest.approx(-50 * math.exp(-0.25), rel=1e-6)


def test_few_evaluations() -> None:
    assert extrapolate(math.sin, 1.0).evaluations <= 30


# ---- gradients ---------------------------------------------------------------------------------------


def test_gradient() -> None:
    x = np.array([[0.3, -1.2], [2.0, 5.0]])
    g = numeric_gradient(lambda z: np.sum(np.sin(z) * z[0, 0]), x)
    want = x[0, 0] * np.cos(x)
    want[0, 0] += np.sin(x).sum()
    assert (abs(g.value - want) <= g.error).all()
    assert g.error.max() < 1e-10


def test_jacobian_agrees_with_scipy() -> None:
    def f(z: np.ndarray) -> np.ndarray:
        return np.array([z[0] ** 2 * z[1], 5 * z[0] + np.sin(z[1]), z[0] * z[1]])

    x = np.array([1.5, -0.7])
    j, peer = numeric_jacobian(f, x), differentiate.jacobian(f, x)
    np.testing.assert_allclose(j.value, peer.df, atol=1e-10)
    exact = np.array([[2 * x[0] * x[1], x[0] ** 2], [5, np.cos(x[1])], [x[1], x[0]]])
    assert (abs(j.value - exact) <= j.error).all()


def test_shapes_of_jacobians() -> None:
    x = np.ones((2, 3))
    assert numeric_jacobian(lambda z: np.outer(z[0], z[1]), x).value.shape == (3, 3, 2, 3)
    assert numeric_jacobian(lambda z: z.sum(), x).value.shape == (2, 3)
    assert numeric_gradient(lambda z: z**2, 3.0).value == pytest.approx(6.0)
    assert numeric_gradient(lambda z: z.sum(), np.zeros(0)).value.shape == (0,)
    assert numeric_gradient(lambda z: z[0] * z[1], [2, 3]).value.round(9).tolist() == [3.0, 2.0]


def test_a_function_that_writes_into_its_argument() -> None:
    def f(z: np.ndarray) -> float:
        z *= 2
        return float((z**2).sum())

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(numeric_gradient(f, x).value, [8, 16], rtol=1e-10)
    assert x.tolist() == [1.0, 2.0]


def test_notes_name_the_coordinate() -> None:
    g = numeric_gradient(lambda z: abs(z[0]) + z[1], np.array([0.0, 1.0]))
    assert g.error[0] >= 1
    assert g.error[1] < 1e-10
    assert g.notes[0].startswith("coordinate 0: right and left")


# ---- table -------------------------------------------------------------------------------------------


def test_the_textbook_table() -> None:
    table = quotient_table(lambda x: 3 * x**2 - 4 * x, 1)
    np.testing.assert_allclose([r.quotient for r in table], [2.3, 2.03, 2.003, 2.0003, 2.00003], rtol=1e-9)
    np.testing.assert_allclose([r.error for r in table], [0.3, 0.03, 3e-3, 3e-4, 3e-5], rtol=1e-5)
    assert table.how == "estimated"
    assert abs(table.reference - 2) <= table.reference_error
    assert table.rows[0].quotient == ((3 * 1.1**2 - 4 * 1.1) + 1) / 0.1  # unrounded
    assert np.asarray(table).shape == (5, 5)
    assert len(table) == 5


def test_kinds() -> None:
    exact = quotient_table(math.exp, 0.0, kind="central", exact=math.exp)
    assert exact.how == "exact"
    errors = [r.error for r in exact.rows[:3]]
    np.testing.assert_allclose(errors, [1 / 600, 1 / 60000, 1 / 6e6], rtol=1e-2)
    back = quotient_table(lambda x: x * x, 1.0, kind="backward", exact=2.0, hs=(0.5,))
    assert (back.rows[0].x, back.rows[0].fx, back.rows[0].quotient) == (0.5, 0.25, 1.5)


@pytest.mark.parametrize("kind", ["forward", "backward", "central"])
def test_the_text_is_aligned(kind: str) -> None:
    lines = str(quotient_table(math.sin, 1.0, kind=kind)).splitlines()
    assert len(lines) == 10
    points = {line.index(".", 8) for line in lines[3:8]}
    assert len(points) == 1
    assert "limit: 0.54030230586" in lines[-1]
    assert "estimated" in lines[-1]


# ---- sweep -------------------------------------------------------------------------------------------


def test_the_sweep_is_a_v() -> None:
    s = step_sweep(lambda z: z**3 + np.exp(z), 1.0, 3 + math.e)
    assert s.h[0] == 0.1
    assert s.h[-1] == 1e-15
    assert len(s.h) == 57
    assert {name: b.digits > least for (name, b), least in zip(s.best.items(), (8, 10, 15))} == dict.fromkeys(
        ("forward", "central", "complex step"), True
    )
    assert 1e-10 < s.best["forward"].h < 1e-6
    assert 1e-7 < s.best["central"].h < 1e-3
    for name in ("forward", "central"):
        ratio = s.errors[name] / s.theory[name]
        assert ratio.max() < 3
        assert np.median(ratio) > 0.05
    assert s.complex_step is not None
    assert s.complex_step[-1] < 1e-14
    assert "complex step" in str(s)


@pytest.mark.parametrize("f", [math.sin, abs, lambda x: float(x) ** 2, lambda x: np.asarray(x).real * 2.0])
def test_no_complex_step(f) -> None:
    s = step_sweep(f, 1.0, 1.0, per_decade=1)
    assert s.complex_step is None
    assert len(s.h) == 15
    assert list(s.best) == ["forward", "central"]


def test_a_sweep_without_error() -> None:
    s = step_sweep(lambda x: 0.0 * x, 1.0, 0.0)
    assert s.best["forward"].digits == 16
    s.plot().canvas.draw()
    plt.close("all")


def test_the_sweep_is_drawn() -> None:
    s = step_sweep(lambda z: cmath.sin(z) if isinstance(z, complex) else math.sin(z), 1.0, math.cos)
    figure = s.plot()
    figure.canvas.draw()
    assert len(figure.axes[0].lines) == 5
    lone = plt.figure().add_subplot()
    assert s.plot(lone) is lone.figure
    plt.close("all")


# ---- errors ------------------------------------------------------------------------------------------


BAD = [
    (lambda: extrapolate(math.log, -1.0), DomainError, r"f\(-1.0\) raised ValueError"),
    (lambda: extrapolate(np.log, -1.0), DomainError, "finite value"),
    (lambda: extrapolate(lambda x: 1 / x, 0.0), DomainError, "ZeroDivisionError"),
    (lambda: extrapolate(math.sin, 1j), InputError, "one real number"),
    (lambda: extrapolate(math.sin, "1"), InputError, "one real number"),
    (lambda: extrapolate(math.sin, [1.0, 2.0]), InputError, "numeric_gradient"),
    (lambda: extrapolate(math.sin, None), InputError, "NoneType"),
    (lambda: extrapolate(math.sin, math.nan), InputError, "finite number"),
    (lambda: extrapolate(lambda x: 1j * x, 1.0), InputError, "complex"),
    (lambda: extrapolate(lambda x: np.ones(2 if x > 1 else 1), 1.0), ShapeError, "one shape"),
    (lambda: extrapolate(math.sin, 1.0, 0), InputError, "order=0"),
    (lambda: numeric_gradient(lambda z: z, np.ones(2)), ShapeError, "numeric_jacobian"),
    (lambda: numeric_jacobian(lambda z: z, np.ones(2, complex)), InputError, "complex"),
    (lambda: quotient_table(math.sin, 1.0, kind="middle"), InputError, "kind='middle'.*'forward'"),
    (lambda: quotient_table(math.sin, 1.0, hs=(0.1, -0.1)), InputError, "backward"),
    (lambda: quotient_table(math.sin, 1.0, hs=()), InputError, "no steps"),
    (lambda: quotient_table(lambda x: np.ones(3) * x, 1.0), ShapeError, r"shape \(3,\)"),
    (lambda: step_sweep(lambda x: np.ones(3) * x, 1.0, 1.0), ShapeError, r"shape \(3,\)"),
    (lambda: step_sweep(math.sin, 1.0, 1.0, per_decade=0), InputError, "=0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_errors_say_what_to_do(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_other_exceptions_pass() -> None:
    def broken(x: float) -> float:
        raise KeyError("weights")

    with pytest.raises(KeyError, match="weights"):
        extrapolate(broken, 1.0)
