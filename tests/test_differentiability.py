"""Differentiability: the table of known functions, the edge points, smoothness classes, Clarke's sets, refusals."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import tangently.functions as tf
from tangently.errors import DomainError, InputError, UnsupportedError
from tangently.smoothness.differing import differentiability
from tangently.smoothness.hulls import hull
from tangently.smoothness.results import Differentiability

X = sympy.Symbol("x", real=True)
INF = math.inf


def read(text: str) -> Any:
    return sympy.sympify(text, {"x": X})


def rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "data" / "continuity.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def number(text: str) -> float | None:
    return float(read(text)) if text else None


def near(value: float | None) -> Any:
    return value if value is None else pytest.approx(value, abs=1e-13)


@pytest.mark.parametrize("row", rows(), ids=lambda r: r["id"])
def test_table(row: dict[str, str]) -> None:
    answer = differentiability(read(row["expression"]), at=read(row["point"]))
    assert answer.kind == row["differentiability"]
    assert (answer.left, answer.right) == (near(number(row["left_deriv"])), near(number(row["right_deriv"])))
    assert answer.how in ("exact", "certified")


# ---------------------------------------------------------------- the edge points of one variable


def root_or_zero(x: float) -> float:
    return math.sqrt(x) if x > 0 else 0.0


POINTS: list[tuple[str, Callable[..., Any], float, str, float | None, float | None]] = [
    ("abs", lambda x: abs(x), 0.0, "kink", -1, 1),
    ("maximum", lambda x: np.maximum(x, 0), 0.0, "kink", 0, 1),
    ("relu", lambda x: tf.relu(x), 0.0, "kink", 0, 1),
    ("clip", lambda x: np.clip(x, 0, 1), 0.0, "kink", 0, 1),
    ("where sqrt", lambda x: np.where(x > 0, np.sqrt(x), 0), 0.0, "kink", 0, INF),
    ("if sqrt", root_or_zero, 0.0, "kink", 0, INF),
    ("sqrt", lambda x: np.sqrt(x), 0.0, "vertical", None, INF),
    ("arccos", lambda x: np.arccos(x), 1.0, "vertical", -INF, None),
    ("x log x", lambda x: x * np.log(x), 0.0, "undefined-nonremovable", None, -INF),
    ("floor", lambda x: np.floor(x), 2.0, "discontinuous", 0, 0),
    ("cbrt", lambda x: np.cbrt(x), 0.0, "vertical", INF, INF),
    ("abs^(2/3)", lambda x: abs(x) ** (2 / 3), 0.0, "cusp", -INF, INF),
    ("sqrt(x²)", lambda x: np.sqrt(x**2), 0.0, "kink", -1, 1),
    ("sqrt(x⁴)", lambda x: np.sqrt(x**4), 0.0, "smooth", 0, 0),
    ("abs²", lambda x: abs(x) ** 2, 0.0, "smooth", 0, 0),
    ("x abs", lambda x: x * abs(x), 0.0, "smooth", 0, 0),
    ("relu - relu", lambda x: tf.relu(x) - tf.relu(-x), 0.0, "smooth", 1, 1),
    ("maximum(x, x)", lambda x: np.maximum(x, x), 0.3, "smooth", 1, 1),
    ("where sqrt, left", lambda x: np.where(x > 0, np.sqrt(x), 0), -1.0, "smooth", 0, 0),
    ("if sqrt, left", root_or_zero, -1.0, "smooth", 0, 0),
    ("where eq", lambda x: np.where(x == 0, 0, x), 0.0, "smooth", 1, 1),
    ("where sinc", lambda x: np.where(x == 0, 1, np.sin(x) / x), 0.0, "smooth", 0, 0),
    ("sinc", lambda x: np.sinc(x), 0.0, "smooth", 0, 0),
    ("x ** 0.0", lambda x: x**0.0, 0.0, "smooth", 0, 0),
    ("softplus, right", lambda x: np.log(1 + np.exp(x)), 800.0, "smooth", 1, 1),
    ("softplus, left", lambda x: np.log(1 + np.exp(x)), -800.0, "smooth", 0, 0),
    ("log sigmoid", lambda x: np.log(tf.sigmoid(x)), -800.0, "smooth", 1, 1),
    ("tanh", lambda x: np.tanh(x), 1000.0, "smooth", 0, 0),
    ("sigmoid", lambda x: tf.sigmoid(x), -1000.0, "smooth", 0, 0),
    ("sin(x)/x", lambda x: np.sin(x) / x, 0.0, "undefined-removable", 0, 0),
    ("x/x", lambda x: x / x, 0.0, "undefined-removable", 0, 0),
    ("1/x", lambda x: 1 / x, 0.0, "discontinuous", None, None),
]


@pytest.mark.parametrize(("name", "f", "at", "kind", "left", "right"), POINTS, ids=[p[0] for p in POINTS])
def test_edge_points(name: str, f: Any, at: float, kind: str, left: float | None, right: float | None) -> None:
    answer = differentiability(f, at=at)
    assert (answer.kind, answer.left, answer.right) == (kind, near(left), near(right))
    exists = kind in ("smooth", "undefined-removable")
    assert answer.derivative == (near(left) if exists else None)


@pytest.mark.parametrize(
    ("f", "at", "value"),
    [
        (lambda x: np.log(1 + np.exp(x)), 800.0, 800.0),
        (lambda x: np.log(1 + np.exp(x)), -800.0, 0.0),
        (lambda x: np.log(tf.sigmoid(x)), -800.0, -800.0),
        (lambda x: x * np.log(x), 0.0, 0.0),
        (lambda x: np.sin(x) / x, 0.0, 1.0),
    ],
)
def test_values_at_edge_points(f: Any, at: float, value: float) -> None:
    assert differentiability(f, at=at).value == value


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: abs(x) ** 2, 2, 2),
        (lambda x: x * abs(x), -2, 2),
        (lambda x: np.where(x == 0, 1, np.sin(x) / x), -1 / 3, -1 / 3),
        (lambda x: np.sinc(x), -(math.pi**2) / 3, -(math.pi**2) / 3),
        (lambda x: np.exp(x), 1, 1),
    ],
)
def test_second_derivatives(f: Any, left: float, right: float) -> None:
    assert differentiability(f, at=0.0, order=2).second == (near(left), near(right))


@pytest.mark.parametrize(
    ("f", "at", "least"),
    [
        (lambda x: abs(x), 0.0, 0.0),
        (lambda x: np.maximum(2 * x, 3 * x), 0.0, 2.0),
        (lambda x: np.minimum(-x, -4 * x), 0.0, -1.0),
        (lambda x: np.maximum(-x, 3 * x), 0.0, 0.0),
        (root_or_zero, 0.0, 0.0),
    ],
)
def test_the_subgradient_of_least_norm(f: Any, at: float, least: float) -> None:
    assert differentiability(f, at=at).subgradient == near(least)


# ---------------------------------------------------------------- how smooth

CLASSES = [  # expression, point, kind, order
    ("x/(1 + Abs(x))", "0", "smooth", 1),
    ("Piecewise((x**2/2, Abs(x) <= 1), (Abs(x) - Rational(1, 2), True))", "1", "smooth", 1),
    ("Abs(x**3)", "0", "smooth", 2),
    ("Abs(x)**Rational(3, 2)", "0", "smooth", 1),
    ("Max(x, 0)**4", "0", "smooth", 3),
    ("Max(x, 0)**2", "0", "smooth", 1),
    ("Piecewise((x**2*sin(1/x), Ne(x, 0)), (0, True))", "0", "differentiable-not-C1", 0),
    ("Piecewise((x*sin(1/x), Ne(x, 0)), (0, True))", "0", "oscillating-quotient", None),
    ("Piecewise((exp(-1/x**2), Ne(x, 0)), (0, True))", "0", "smooth", INF),
    ("Piecewise((exp(-1/x), x > 0), (0, True))", "0", "smooth", INF),
    ("Piecewise((sin(x)/x, Ne(x, 0)), (1, True))", "0", "smooth", INF),
    ("Piecewise((sin(x)/x, Ne(x, 0)), (2, True))", "0", "discontinuous", None),
    ("Abs(x)**2", "0", "smooth", INF),
    ("sign(x)*Abs(x)**Rational(1, 3)", "0", "vertical", None),
    ("Max(sin(x), cos(x))", "pi/4", "kink", None),
    ("asin(sin(x))", "pi/2", "kink", None),
    ("sqrt(1 - cos(x))", "0", "kink", None),
    ("x*atan(1/x)", "0", "undefined-nonremovable", None),
    ("(1 - cos(x))/x**2", "0", "undefined-removable", None),
    ("x**2*log(Abs(x))", "0", "undefined-removable", None),
    ("Piecewise((x**2 + 1, x < 0), (cos(x), True))", "0", "smooth", 1),
    ("Piecewise((exp(x), x < 0), (1 + x + x**2/2, True))", "0", "smooth", 2),
]


@pytest.mark.parametrize(("text", "at", "kind", "order"), CLASSES, ids=[c[0] for c in CLASSES])
def test_smoothness_classes(text: str, at: str, kind: str, order: float | None) -> None:
    answer = differentiability(read(text), at=read(at))
    assert (answer.kind, answer.order) == (kind, order)


def test_an_interval_lists_every_kink() -> None:
    answer = differentiability("abs(x - 1) + abs(sin(x)) + sqrt(x)", on=(0, 4))
    assert [(round(p.at, 12), p.kind) for p in answer.points] == [
        (0.0, "vertical"), (1.0, "kink"), (round(math.pi, 12), "kink")]  # fmt: skip
    assert answer.complete
    assert answer.differentiable is False
    assert differentiability("x abs(x)", on=(-1, 1)).differentiable is True
    assert [p.at for p in differentiability("relu(x) - relu(x - 1)", on=(-2, 2)).points] == [0.0, 1.0]


@pytest.mark.parametrize("seed", range(60))
def test_random_splines(seed: int) -> None:
    """f = polynomial + Σ c (x - s)₊ᵏ: of class Cᵏ⁻¹ at a knot s and no better, with known slopes."""
    dice = random.Random(seed)
    s, k, c = sympy.Rational(dice.randint(-6, 6), 3), dice.randint(1, 4), dice.choice([-2, -1, 1, 3])
    smooth = dice.choice([X**2, sympy.sin(X), X**3 - X, sympy.exp(X), sympy.Integer(0)])
    answer = differentiability(smooth + c * sympy.Max(X - s, 0) ** k, at=s)
    slope = float(smooth.diff(X).subs(X, s))
    if k == 1:
        assert (answer.kind, answer.left, answer.right) == ("kink", near(slope), near(slope + c))
    else:
        assert (answer.kind, answer.derivative, answer.order) == ("smooth", near(slope), k - 1)


# ---------------------------------------------------------------- several variables


def vertices(answer: Differentiability) -> set[tuple[float, ...]]:
    assert answer.clarke is not None
    return {tuple(np.round(row, 9).tolist()) for row in answer.clarke.vertices}


def test_a_tie_of_max_is_a_segment() -> None:
    for f in (lambda v: np.max(v), lambda v: np.maximum(np.maximum(v[0], v[1]), v[2])):
        answer = differentiability(f, at=(1.0, 1.0, 0.0))
        assert answer.kind == "kink"
        assert vertices(answer) == {(1, 0, 0), (0, 1, 0)}
        assert np.allclose(answer.subgradient, (0.5, 0.5, 0), atol=1e-14)


def test_a_norm_at_zero_is_the_unit_ball() -> None:
    for f in (lambda v: np.linalg.norm(v), lambda v: np.sqrt(np.sum(v**2)), lambda v: np.hypot(v[0], v[1])):
        answer = differentiability(f, at=(0.0, 0.0))
        assert answer.kind == "kink"
        assert np.array_equal(answer.subgradient, (0, 0))
        assert answer.clarke is not None
        assert np.allclose(answer.clarke.balls[0], np.eye(2))


def test_a_squared_norm_is_smooth() -> None:
    answer = differentiability(lambda v: np.linalg.norm(v) ** 2, at=(0.0, 0.0), order=2)
    assert (answer.kind, answer.derivative.tolist()) == ("smooth", [0, 0])
    assert np.array_equal(answer.second, 2 * np.eye(2))


def test_equal_entries_have_no_slope_of_the_deviation() -> None:
    answer = differentiability(lambda v: np.std(v), at=(1.0, 1.0))
    assert (answer.kind, answer.subgradient.tolist()) == ("kink", [0, 0])


def test_products_with_zeros() -> None:
    assert differentiability(lambda v: np.prod(v), at=(0.0, 2.0, 3.0)).derivative.tolist() == [6, 0, 0]
    answer = differentiability(lambda v: np.prod(v), at=(0.0, 0.0, 3.0), order=2)
    assert answer.derivative.tolist() == [0, 0, 0]
    assert np.array_equal(answer.second, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_large_exponentials_in_balls() -> None:
    total = differentiability(lambda v: np.log(np.sum(np.exp(v))), at=(1000.0, 1000.0))
    assert (total.derivative.tolist(), total.value) == ([0.5, 0.5], pytest.approx(1000 + math.log(2), abs=1e-12))
    share = differentiability(lambda v: np.exp(v) / np.sum(np.exp(v)), at=(1000.0, 0.0))
    assert np.array_equal(share.value, (1, 0))
    assert np.array_equal(share.derivative, np.zeros((2, 2)))


def test_one_of_several_variables() -> None:
    answer = differentiability(lambda x, y: x**y, at=(0.0, 2.0), wrt="y")
    assert (answer.kind, answer.derivative) == ("smooth", 0)
    assert differentiability(lambda x, y: abs(x) * y, at={"x": 0.0, "y": 3.0}, wrt="x").left == -3


def test_parts_that_cancel_are_smooth() -> None:
    answer = differentiability(lambda v: tf.relu(v[0]) - tf.relu(-v[0]) + abs(v[1]), at=(0.0, 0.0))
    assert vertices(answer) == {(1, 1), (1, -1)}
    assert answer.subgradient.tolist() == [1, 0]
    assert differentiability(lambda x, y: abs(x * y), at=(0.0, 0.0)).kind == "smooth"
    assert differentiability(lambda v: np.maximum(v[0] ** 2, v[1] ** 2), at=(0.0, 0.0)).order == 1


def test_the_pieces_are_those_that_directions_lead_to() -> None:
    answer = differentiability(lambda v: np.abs(v).sum() + v.max(), at=(0.0, 0.0))
    assert vertices(answer) == {(2, 1), (1, 2), (2, -1), (-1, 2), (0, -1), (-1, 0)}


def test_the_hull_against_gradients_nearby() -> None:
    """Every gradient near a point of ties lies in the hull, and every vertex is met (random max-affine functions)."""
    rng = np.random.default_rng(5)
    for _ in range(10):
        slopes = rng.integers(-3, 4, size=(4, 2)).astype(float)
        f = lambda v, a=slopes: np.maximum(np.maximum(a[0] @ v, a[1] @ v), np.minimum(a[2] @ v, a[3] @ v))
        met = {tuple(found) for found in (_slope_near(slopes, d) for d in rng.normal(size=(4000, 2)))}
        assert vertices(differentiability(f, at=(0.0, 0.0))) == met


def _slope_near(a: np.ndarray, d: np.ndarray) -> np.ndarray:
    rates = a @ d
    low = 2 if rates[2] < rates[3] else 3
    return a[max((0, 1, low), key=lambda k: rates[k])]


def test_a_jump_in_several_variables() -> None:
    assert differentiability(lambda v: np.floor(v[0]) + v[1], at=(1.0, 0.0)).kind == "discontinuous"


def test_the_least_element_of_a_hull() -> None:
    assert hull([[3.0, 1.0], [3.0, -1.0], [5.0, 0.0]]).least_norm.tolist() == [3, 0]
    assert np.allclose(hull([[3.0, 4.0]], [np.eye(2)]).least_norm, (2.4, 3.2))
    assert hull([[0.5, 0.0]], [np.eye(2)]).least_norm == pytest.approx(np.zeros(2), abs=1e-6)


# ---------------------------------------------------------------- without a formula, and refusals


def hidden(x: float) -> float:
    return abs(float(str(float(x))))


def test_a_function_that_cannot_be_traced() -> None:
    answer = differentiability(hidden, at=0.0)
    assert (answer.kind, answer.left, answer.right) == ("kink", near(-1), near(1))
    assert answer.how == "estimated"
    assert differentiability(hidden, at=2.0).derivative == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("f", "keywords", "error", "match"),
    [
        ("abs(x)", {}, InputError, "not both"),
        ("abs(x)", {"at": 0, "order": 3}, InputError, "1 or 2"),
        ("sqrt(x)", {"at": -1}, DomainError, "no value near -1"),
        (lambda a, b: np.arctan2(a, b), {"at": (0.0, 0.0)}, DomainError, r"\(0, 0\) has none"),
        (lambda a, b: a / b, {"at": (1.0, 0.0)}, DomainError, "denominator that is not 0"),
        (lambda a, b: a + b, {"at": (1.0,)}, InputError, "takes 2"),
        (lambda a, b: a + b, {"at": (1.0, 2.0), "wrt": "c"}, InputError, "no such argument"),
        (lambda v: np.sort(v)[0], {"at": (1.0, 2.0)}, UnsupportedError, "taken apart"),
    ],
)
def test_refusals(f: Any, keywords: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        differentiability(f, **keywords)


def test_an_undefined_point_says_so() -> None:
    assert any("undefined there" in line for line in differentiability("1/x", at=0).why)
    assert any("continuous extension" in line for line in differentiability("sin(x)/x", at=0).why)
    assert any("edge of the domain" in line for line in differentiability("sqrt(x)", at=0).why)
