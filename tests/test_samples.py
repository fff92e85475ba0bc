"""Derivatives of tables: exactness, agreement with peers, coverage of the error, and messages."""

from __future__ import annotations

import datetime
import time
from fractions import Fraction

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tangently.errors import InputError, ShapeError
from tangently.samples import differences, fornberg, symmetric_weights

t = sp.Symbol("t")


# ---- weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("n", [5, 6, 9])
def test_weights_are_those_of_sympy(order: int, n: int) -> None:
    nodes = [Fraction(k * k + k, 3) - 2 for k in range(n)]
    want = sp.finite_diff_weights(order, [sp.Rational(a.numerator, a.denominator) for a in nodes], 0)[order][-1]
    exact = fornberg(np.array(nodes, object), order)
    assert [sp.Rational(w.numerator, w.denominator) for w in map(Fraction, exact)] == list(want)
    np.testing.assert_allclose(fornberg(np.array(nodes, float), order), np.array(want, float), rtol=1e-9, atol=1e-12)


def test_weights_for_many_windows_at_once() -> None:
    nodes = np.random.default_rng(0).normal(size=(5, 3, 4))
    together = fornberg(nodes, 2)
    for i in np.ndindex(3, 4):
        np.testing.assert_allclose(together[(slice(None), *i)], fornberg(nodes[(slice(None), *i)], 2), rtol=1e-12)


def test_too_few_nodes() -> None:
    with pytest.raises(InputError, match=r"2 nodes.*order 2 wants at least 3"):
        fornberg(np.array([0.0, 1.0]), 2)


@pytest.mark.parametrize(
    ("order", "r", "want"),
    [(1, 1, "0 1/2"), (2, 1, "-2 1"), (2, 2, "-5/2 4/3 -1/12"), (3, 2, "0 -1 1/2"), (4, 2, "6 -4 1")],
)
def test_symmetric_weights(order: int, r: int, want: str) -> None:
    assert symmetric_weights(order, r) == tuple(map(Fraction, want.split()))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [1, 2, 3, 4])
@pytest.mark.parametrize("even", [True, False])
def test_weights_reproduce_the_value(order: int, accuracy: int, even: bool) -> None:
    for size in (order + accuracy, order + accuracy + 1, 15):
        x = np.linspace(0, 1, size) if even else np.linspace(0, 1, size) ** 1.5
        d = differences(np.cos(5 * x), x, order, accuracy=accuracy)
        again = (d.weights * d.y[d.windows]).sum(axis=1)
        np.testing.assert_allclose(again, d.value, rtol=1e-9, atol=1e-9 * abs(d.weights).max())


# ---- values ------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.lists(st.floats(0.3, 2.0), min_size=12, max_size=20),
    st.sampled_from([1, -1]),
    st.integers(0, 10**6),
)
def test_exact_on_polynomials(order: int, accuracy: int, gaps: list[float], direction: int, seed: int) -> None:
    x = np.cumsum(gaps) * direction
    x = (x - x.mean()) / 3
    p = np.polynomial.Polynomial(np.random.default_rng(seed).normal(size=order + accuracy))
    d = differences(p(x), x, order, accuracy=accuracy)
    scale = 1e-12 * abs(d.weights).sum(axis=1).max() * abs(p(x)).max()
    np.testing.assert_allclose(d.value, p.deriv(order)(x), rtol=0, atol=scale)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("extra", [0, 1, 2, 3, 4, 9])
def test_exact_on_polynomials_on_even_grids(order: int, accuracy: int, extra: int) -> None:
    x = np.arange(order + accuracy + extra) - 3.0
    p = np.polynomial.Polynomial(np.arange(1.0, order + accuracy + 1))
    d = differences(p(x), order=order, accuracy=accuracy)
    np.testing.assert_allclose(d.value, p.deriv(order)(x), rtol=1e-9, atol=1e-11 * abs(p(x)).max())


def test_agrees_with_numpy_gradient() -> None:
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=(7, 8, 9)), np.cumsum(rng.uniform(0.5, 2, 8))
    np.testing.assert_allclose(np.asarray(differences(y)), np.gradient(y, edge_order=2), atol=1e-13)
    np.testing.assert_allclose(differences(y, 0.3, axis=-1).value, np.gradient(y, 0.3, axis=-1, edge_order=2))
    np.testing.assert_allclose(differences(y, x, axis=1).value, np.gradient(y, x, axis=1, edge_order=2), atol=1e-12)
    two = differences(y, (x, -0.5), axis=(1, 2))
    np.testing.assert_allclose(two.value[1], np.gradient(y, -0.5, axis=2, edge_order=2), atol=1e-13)
    assert two.axes == (1, 2)
    assert [a.shape for a in two.x] == [(8,), (9,)]
    assert two.value[0].shape == two.error[1].shape == y.shape


@pytest.mark.parametrize("shape", [(400, 300), (300, 400, 2), (5, 70000)])
@pytest.mark.parametrize("layout", ["C", "F"])
def test_blocks_leave_no_seams(shape: tuple[int, ...], layout: str) -> None:
    y = np.asarray(np.random.default_rng(0).normal(size=shape), order=layout)
    for axis in range(2):
        d = differences(y, 2.0, axis=axis)
        np.testing.assert_allclose(d.value, np.gradient(y, 2.0, axis=axis, edge_order=2), atol=1e-13)
        one = differences(np.moveaxis(y, axis, 0)[:, 1].copy(), 2.0, axis=0)
        np.testing.assert_array_equal(np.moveaxis(d.error, axis, 0)[:, 1], one.error)


def test_blocks_of_an_uneven_grid() -> None:
    x = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 50_000))
    d, tail = differences(np.sin(x), x), slice(16_000, 17_000)
    np.testing.assert_allclose(d.value, np.gradient(np.sin(x), x, edge_order=2), atol=1e-10)
    part = differences(np.sin(x[tail]), x[tail])
    np.testing.assert_allclose(part.error[5:-5], d.error[tail][5:-5])


def test_both_partials_on_a_grid() -> None:
    x, y = np.linspace(0, 1, 41), np.linspace(0, 2, 81) ** 1.2
    X, Y = np.meshgrid(x, y, indexing="ij")
    d = differences(X**2 + 3 * Y + np.exp(X * Y), (x, y), accuracy=4)
    for value, error, true in zip(d.value, d.error, (2 * X + Y * np.exp(X * Y), 3 + X * np.exp(X * Y))):
        assert abs(value - true).max() < 1e-4
        assert (abs(value - true) <= error).mean() > 0.95


def test_a_parabola_on_100_points() -> None:
    x = np.linspace(-5, 5, 100)
    y = 2 * x**2 + 3 * x + 1
    first, second = differences(y, x), differences(y, x, order=2)
    np.testing.assert_allclose(first.value, 4 * x + 3, atol=1e-11)
    np.testing.assert_allclose(second.value, 4.0, atol=1e-9)
    assert first.error.max() < 1e-11
    assert second.error.max() < 1e-9


def test_reversed_positions_give_the_same_derivatives() -> None:
    x = np.linspace(0, 2, 30) ** 1.4
    for order in (1, 2, 3):
        there, back = differences(np.sin(x), x, order), differences(np.sin(x)[::-1], x[::-1], order)
        np.testing.assert_allclose(back.value[::-1], there.value, rtol=1e-8)


@pytest.mark.parametrize(("order", "accuracy"), [(1, 1), (1, 2), (1, 4), (2, 2), (2, 3), (3, 2), (1, 6)])
@pytest.mark.parametrize("even", [True, False])
def test_observed_order_of_accuracy(order: int, accuracy: int, even: bool) -> None:
    def worst(n: int) -> float:
        s = np.linspace(0, 1, n)
        x = s if even else s + 0.3 * s * s
        return abs(differences(np.exp(2 * x), x, order, accuracy=accuracy).value - 2**order * np.exp(2 * x)).max()

    assert np.log2(worst(21) / worst(41)) > accuracy - 0.5


# ---- error -------------------------------------------------------------------------------------------

SMOOTH = [
    sp.sin(t),
    sp.cos(3 * t),
    sp.exp(t),
    sp.exp(-(t**2)),
    1 / (1 + t**2),
    sp.tanh(2 * t),
    sp.log(4 + t),
    sp.sqrt(5 + t),
    t**3 - 2 * t,
    t**7,
    sp.sin(t) * sp.exp(-t / 2),
    sp.atan(3 * t),
    t * sp.cos(2 * t),
    sp.log(1 + sp.exp(t)),
    sp.sin(t**2),
    sp.exp(sp.sin(2 * t)),
    sp.sinh(t),
    1 / (4 + t),
    sp.erf(t),
]


def _positions(kind: str, n: int) -> np.ndarray:
    x = np.cumsum(np.random.default_rng(n).uniform(0.4, 1.6, n))
    even = np.linspace(-3, 3, n)
    return {"even": even, "decreasing": even[::-1], "float32": even}.get(kind, (x - x[0]) / (x[-1] - x[0]) * 6 - 3)


@pytest.mark.parametrize("kind", ["even", "uneven", "decreasing", "float32"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_error_covers_the_truth(kind: str, order: int) -> None:
    shares, pessimism = [], []
    for f in SMOOTH:
        value, slope = (sp.lambdify(t, g, [special, "numpy"]) for g in (f, sp.diff(f, t, order)))
        for n, accuracy in ((100, 1), (100, 2), (200, 3), (200, 4), (400, 6)):
            x = _positions(kind, n)
            y = np.asarray(value(x), np.float32 if kind == "float32" else float)
            d = differences(y, x, order, accuracy=accuracy)
            miss = abs(d.value - slope(x))
            shares.append((miss <= d.error).mean())
            pessimism.append(np.median(d.error / np.maximum(miss, 1e-300)))
    assert min(shares) >= 0.95
    assert np.mean(shares) >= 0.99
    assert np.median(pessimism) < 20


def test_the_error_has_the_size_of_the_noise() -> None:
    x = np.linspace(0, 1, 200)
    noise = 1e-3 * np.random.default_rng(0).normal(size=200)
    d = differences(np.sin(x) + noise, x)
    assert (abs(d.value - np.cos(x)) <= d.error).mean() > 0.5


def test_no_spare_sample() -> None:
    assert np.isinf(differences([1.0, 2.0], accuracy=1).error).all()
    small = differences([0.0, 1.0, 4.0])
    np.testing.assert_allclose(small.value, [0, 2, 4])
    assert (small.error >= 1).all()
    assert np.isfinite(differences([0.0, 1.0, 8.0, 27.0]).error).all()


def test_far_from_the_origin_the_rounding_of_positions_counts() -> None:
    x = 1e4 + np.linspace(0, 1e-3, 50)
    d = differences(np.sin(x), x)
    assert (abs(d.value - np.cos(x)) <= d.error).mean() >= 0.95


# ---- inputs ------------------------------------------------------------------------------------------


def test_nan_stays_where_it_is() -> None:
    y = np.arange(20.0) ** 2
    y[10] = np.nan
    d = differences(y)
    assert np.flatnonzero(np.isnan(d.value)).tolist() == [9, 11]
    assert np.isinf(d.error[10])
    assert "index 10" in d.notes[0]
    assert "10" in repr(d)
    y[3] = np.inf
    assert np.isnan(differences(y, np.arange(20) ** 1.1).value[[2, 3, 4, 9, 10, 11]]).all()


def test_masked_samples_are_nan() -> None:
    y = np.ma.masked_equal([0, 1, 2, 99, 4, 5, 6, 7], 99)
    assert np.isnan(differences(y).value).sum() == 2


def test_times_are_seconds() -> None:
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "datetime64[D]")
    d = differences([0.0, 86400.0, 3 * 86400.0, 4 * 86400.0], days)
    np.testing.assert_allclose(d.value, 1.0)
    assert "seconds since 2024-01-01" in d.notes[0]
    plain = [datetime.datetime(2024, 1, 1, hour) for hour in (0, 1, 2, 3)]
    np.testing.assert_allclose(differences([0.0, 1.0, 2.0, 3.0], plain).value, 1 / 3600)
    np.testing.assert_allclose(differences([0.0, 2.0, 4.0], np.timedelta64(500, "ms")).value, 4.0)
    np.testing.assert_allclose(differences([0.0, 2.0, 4.0], np.array([0, 1, 2], "timedelta64[m]")).value, 2 / 60)
    months = np.array(["2024-01", "2024-02", "2024-03"], "datetime64[M]")
    assert differences([0.0, 31.0, 60.0], months).value[1] == pytest.approx(1 / 86400)


def test_integers_and_half_precision() -> None:
    assert differences(np.array([0, 255, 0], np.uint8)).value.tolist() == [510.0, 0.0, -510.0]
    d = differences(np.linspace(0, 1, 9, dtype=np.float16), 0.125)
    assert (abs(d.value - 1) <= d.error).all()
    assert d.error.max() > 1e-3


BAD = [
    ({"y": [1j, 2j, 3j]}, InputError, "complex samples.*y.real"),
    ({"y": ["a", "b", "c"]}, InputError, "wanted real numbers"),
    ({"y": [True, False, True]}, InputError, "samples of type bool"),
    ({"y": 3.0}, ShapeError, "one number"),
    ({"y": [1.0, 2.0]}, ShapeError, "got 2 samples.*wants at least 3"),
    ({"y": []}, ShapeError, "got 0 samples.*wants at least 3"),
    ({"y": np.zeros((9, 3)), "order": 2, "accuracy": 4}, ShapeError, "axis 1.*wants at least 6"),
    ({"y": [1.0, 2, 3], "x": [0.0, 2, 1]}, InputError, r"x\[2\] = 1.0 after x\[1\] = 2.0.*sort"),
    ({"y": [1.0, 2, 3], "x": [2.0, 1, 1]}, InputError, r"x\[2\] = 1.0 after x\[1\] = 1.0"),
    ({"y": [1.0, 2, 3], "x": [1.0, 1, 1]}, InputError, r"x\[1\] = 1.0 after x\[0\] = 1.0"),
    ({"y": [1.0, 2, 3], "x": [0.0, 1]}, ShapeError, r"shape \(2,\).*shape \(3,\)"),
    ({"y": np.zeros((3, 3)), "x": np.zeros((3, 3)), "axis": 0}, ShapeError, "mesh"),
    ({"y": np.zeros((3, 3)), "x": (1.0,)}, ShapeError, "tuple of 1 .* 2 axes"),
    ({"y": [1.0, 2, 3], "x": (0.0, 1, 2)}, ShapeError, "pass a list or an array"),
    ({"y": [1.0, 2, 3], "x": 0.0}, InputError, "spacing of 0"),
    ({"y": [1.0, 2, 3], "x": [0.0, np.nan, 2]}, InputError, "x = nan at index 1"),
    ({"y": [1.0, 2, 3], "x": [0j, 1, 2]}, InputError, "x of type complex"),
    ({"y": [1.0, 2, 3], "x": "abc"}, InputError, "x of type"),
    ({"y": [1.0, 2, 3], "x": np.array(["NaT"] * 3, "datetime64[s]")}, InputError, "NaT"),
    ({"y": [1.0, 2, 3], "x": np.array([0, 1, 2], "timedelta64[M]")}, InputError, "no fixed length"),
    ({"y": [1.0, 2, 3], "order": 0}, InputError, "order=0"),
    ({"y": [1.0, 2, 3], "order": 1.5}, InputError, "order=1.5"),
    ({"y": [1.0, 2, 3], "accuracy": -1}, InputError, "accuracy=-1"),
    ({"y": [1.0, 2, 3], "axis": 1}, ShapeError, "axis=1.*-1 to 0"),
    ({"y": [1.0, 2, 3], "axis": "x"}, ShapeError, "axis='x'"),
    ({"y": [1.0, 2, 3], "axis": ()}, InputError, "no axis"),
    ({"y": np.zeros((3, 3)), "axis": (0, -2)}, InputError, "twice"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_errors_say_what_to_do(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        differences(**arguments)


# ---- results -----------------------------------------------------------------------------------------


def test_the_result() -> None:
    d = differences(np.outer(np.arange(4.0), np.arange(5.0)), (0.5, None))
    assert d.how == "estimated"
    assert np.asarray(d).shape == (2, 4, 5)
    assert np.asarray(differences([1.0, 2, 3]), np.float32).dtype == np.float32
    assert "1st derivative, accuracy 2, estimated, 4 × 5 samples" in repr(d)
    assert isinstance(differences(np.zeros((4, 4)), axis=(0,)).value, tuple)
    with pytest.raises(AttributeError):
        d.order = 2  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(50,), (20, 30)])
def test_plots_render(shape: tuple[int, ...]) -> None:
    grid = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    d = differences(np.sin(sum(grid)), 0.1, order=2)
    figure = d.plot()
    figure.canvas.draw()
    assert len(figure.axes) >= 1 + len(d.axes)
    assert d._repr_png_()[:4] == b"\x89PNG"
    lone = plt.figure().add_subplot()
    assert d.plot(lone) is lone.figure
    plt.close("all")


def test_no_plot_of_a_cube() -> None:
    d = differences(np.zeros((4, 4, 4)))
    assert d._repr_png_() is None
    with pytest.raises(ShapeError, match="plot a slice"):
        d.plot(plt.figure().add_subplot())
    plt.close("all")


@pytest.mark.slow
def test_speed_against_numpy() -> None:
    def best(f) -> float:
        def once() -> float:
            start = time.perf_counter()
            f()
            return time.perf_counter() - start

        return min(once() for _ in range(9))

    y = np.sin(np.linspace(0, 10, 10**6))
    ratios = (best(lambda: differences(y)) / best(lambda: np.gradient(y)) for _ in range(6))
    assert any(ratio < 8 for ratio in ratios)  # another process may slow one of the two
