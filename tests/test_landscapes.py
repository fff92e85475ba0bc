"""Landscapes at the edges: no value, no height, poles and jumps, huge and tiny numbers, many numbers, odd requests."""

from __future__ import annotations

import time
import warnings
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import tangently as tg
from tangently.descent.problems import Problem
from tangently.errors import InputError

RNG = np.random.default_rng(5)
BASIS = np.linalg.qr(RNG.normal(size=(7, 7)))[0]
H7 = BASIS @ np.diag(np.geomspace(1, 60, 7)) @ BASIS.T


def bowl(w: Any) -> Any:
    return 0.5 * w @ H7 @ w + np.sum(np.cos(w))


def texts(ax: Any) -> str:
    return " ".join(t.get_text() for t in ax.texts)


EDGES: dict[str, tuple[Any, Any, str]] = {  # a function, a region, words of its picture
    "no value at all": ("log(-1 - x^2) + y", ((-1, 2), (-1, 1)), "no finite value here"),
    "constant": ("0 x + 0 y + 3", ((-1, 2), (-1, 1)), "constant: 3"),
    "overflow": ("x^2 + y^2", ((-1e200, 1e200), (-1e200, 1e200)), "where it has a value"),
    "huge": ("x^2 + y^2", ((-1e150, 1e150), (-1e150, 1e150)), "1e300"),
    "tiny": ("x^2 + y^2", ((1, 1 + 1e-12), (1, 1 + 1e-12)), "lines: f − 2.0"),
    "pole": ("1/(x y)", ((-1, 1), (-1, 1)), ""),
    "no value on the left": ("log(x) + y^2", ((-1, 2), (-1, 1)), ""),
    "kink": ("max(abs(x), abs(y))", ((-1, 1), (-1, 1)), ""),
    "steps": (lambda x, y: np.floor(x) + np.where(y > 0, 1.0, 0.0), ((-1, 2), (-1, 2)), ""),
}


@pytest.mark.parametrize("kind", ["contour", "surface"])
@pytest.mark.parametrize("name", EDGES)
def test_edges_are_drawn_without_a_warning(name: str, kind: str, tmp_path: Any) -> None:
    f, region, words = EDGES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        land = tg.landscape(f, region, count=41)
        ax = land.plot(kind=kind)
        ax.figure.savefig(tmp_path / "picture.png")
    if kind == "contour" or name == "no value at all":
        assert words in texts(ax)
    plt.close("all")


def test_places_without_a_value_are_hatched_and_counted() -> None:
    land = tg.landscape("log(x) + y^2", ((-1, 2), (-1, 1)), count=31)
    lost = int((~np.isfinite(land.values)).sum())
    assert f"{lost} of 961 places without a value" in repr(land)
    ax = land.plot()
    assert "no value" in ax.get_legend_handles_labels()[1]
    assert "no value" not in tg.landscape("x + y^2", ((-1, 2), (-1, 1)), count=31).plot().get_legend_handles_labels()[1]


@pytest.mark.parametrize(("f", "breaks"), [("tan(x)", 4), ("floor(x) + 0.1x", 5), ("x^3", 0)])
def test_curves_are_not_joined_across_poles_and_jumps(f: str, breaks: int) -> None:
    line = tg.landscape(f, (-4.9, 4.9) if "tan" in f else (-2.9, 2.9)).plot().lines[0]
    assert np.isnan(line.get_ydata()).sum() == breaks


def test_paths_of_one_method_are_told_apart() -> None:
    runs = [tg.minimize("x^4 - 3x^2 + x", x, method="gradient descent", rate=0.02, steps=9) for x in (2.4, -2.4)]
    labels = tg.landscape(around=runs).plot().get_legend_handles_labels()[1]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("along", ["start-end", "pca", "hessian", "random"])
def test_the_share_of_the_path_is_that_of_projections(along: str) -> None:
    run = tg.minimize(bowl, RNG.normal(size=7) * 3, method="momentum", rate=0.004, steps=40)
    slice_ = tg.landscape(around=run, along=along, count=3).slice
    q = np.linalg.qr(slice_.directions.T)[0]
    for found, rows in (
        (slice_.held(run.path), run.path - slice_.origin),
        (slice_.followed(run.path), np.diff(run.path, axis=0)),
    ):
        assert found == pytest.approx(((rows @ q) ** 2).sum() / (rows**2).sum(), rel=1e-9)
    if along == "pca":
        s = np.linalg.svd(run.path - slice_.origin, compute_uv=False)
        assert slice_.held(run.path) == pytest.approx((s[:2] ** 2).sum() / (s**2).sum())
    if along == "hessian":
        _, vectors = np.linalg.eigh(np.asarray(tg.hessian(bowl)(slice_.origin)))
        assert np.abs(slice_.directions @ vectors[:, -1:-3:-1]) == pytest.approx(np.eye(2), abs=1e-6)


def test_a_path_of_one_step_or_none() -> None:
    one = tg.minimize(bowl, np.ones(7), steps=1, method="gradient descent", rate=0.001)
    land = tg.landscape(around=one, count=5)
    assert land.held == pytest.approx((1.0,))
    none = tg.landscape(around=tg.minimize(bowl, np.zeros(7), method="gradient descent", steps=0), count=5)
    assert none.slice.how in ("pca", "hessian")


def test_the_grid_is_as_fine_as_the_seconds_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Problem.value

    def slow(self: Problem, x: np.ndarray) -> float:
        time.sleep(0.004)
        return quick(self, x)

    monkeypatch.setattr(Problem, "value", slow)
    sides = [len(tg.landscape(bowl, at=np.ones(7), along=BASIS[:2], seconds=s).axes[0]) for s in (0.01, 0.8)]
    assert sides[0] == 9
    assert 9 < sides[1] <= 14


REFUSED: dict[str, tuple[Any, str]] = {
    "count in words": (lambda: tg.landscape("x + y", ((0, 1), (0, 1)), count="a"), "at least 2 samples"),
    "count not whole": (lambda: tg.landscape("x + y", ((0, 1), (0, 1)), count=10.0), "at least 2 samples"),
    "seconds before 0": (lambda: tg.landscape(bowl, at=np.ones(7), seconds=-1), "0 or more"),
    "seconds nan": (lambda: tg.landscape(bowl, at=np.ones(7), seconds=float("nan")), "0 or more"),
    "seed": (lambda: tg.landscape(bowl, at=np.ones(7), along="random", seed=-1), "whole number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_odd_requests_are_explained(name: str) -> None:
    call, says = REFUSED[name]
    with pytest.raises(InputError, match=says):
        call()
