"""The benchmarks in small: competitors agree, the harness is fair to slow ones, page and picture are written."""

from __future__ import annotations

import doctest
import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import cases, harness, hessians, peers, plots, sparse  # noqa: E402
from benchmarks.harness import Row  # noqa: E402


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and short turns: what is measured means nothing here."""
    monkeypatch.setattr(harness, "TURN", 1e-4)
    monkeypatch.setattr(harness, "BUDGET", 1e-3)
    monkeypatch.setattr(harness, "processors", lambda call: 1.0)


# ---- Hessians


@pytest.mark.parametrize("problem", hessians.PROBLEMS, ids=lambda p: p.name)
def test_what_is_written_by_hand_is_the_hessian(problem: hessians.Problem) -> None:
    args = problem.data(problem.small)
    found = hessians.dense(hessians.ours(problem)(*args))
    for hand in (problem.by_hand, *problem.also.values()):
        harness.same(found, hand(*args), 1e-10)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # PyTorch's own, while it is imported
@pytest.mark.parametrize("problem", hessians.PROBLEMS, ids=lambda p: p.name)
@pytest.mark.parametrize("library", ["autograd", "casadi", "jax", "symengine", "sympy", "torch"])
def test_libraries_agree_on_hessians(problem: hessians.Problem, library: str) -> None:
    pytest.importorskip(library)
    args = problem.data(1 if library == "sympy" else problem.small)
    found = getattr(peers, f"hessian_in_{library}")(problem.objective, *args)()
    harness.same(found, problem.by_hand(*args), 1e-10)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("problem", hessians.PROBLEMS, ids=lambda p: p.name)
def test_pytensor_agrees_on_hessians(problem: hessians.Problem) -> None:
    pytest.importorskip("pytensor")
    args = problem.data(problem.small)
    harness.same(peers.hessian_in_pytensor(problem.objective, *args)(), problem.by_hand(*args), 1e-10)


def test_product_in_jax() -> None:
    pytest.importorskip("jax")
    problem = hessians.PROBLEMS[1]
    w, *data = problem.data(4)
    v = np.arange(4.0)
    harness.same(peers.product_in_jax(problem.objective, v, w, *data)(), problem.by_hand(w, *data) @ v)


@pytest.mark.usefixtures("hurried")
def test_rows_of_a_problem() -> None:
    problem = hessians.PROBLEMS[1]
    rows = list(hessians.dense_rows(problem, 4, {"autograd": peers.hessian_in_autograd}, ", small"))
    assert [row.against for row in rows] == [hessians.HAND, hessians.SYMMETRIC, "autograd"]
    assert all(row.limit is None for row in rows)  # a small size has no target
    assert all("n = 4, 8 rows" in row.scenario for row in rows)
    (symbolic,) = hessians.symbolic_rows(problem)
    assert symbolic.unit == "ms"
    assert symbolic.limit == hessians.SYMBOLIC_LIMIT


# ---- sparse Hessians


@pytest.mark.parametrize("problem", sparse.PROBLEMS, ids=lambda p: p.name)
@pytest.mark.parametrize("library", ["asdex", "casadi"])
def test_libraries_agree_on_sparse_hessians(problem: sparse.Problem, library: str) -> None:
    pytest.importorskip(library)
    x = np.random.default_rng(0).normal(size=20)
    sparse.same_sparse(getattr(peers, f"sparse_in_{library}")(problem.objective, x)(), problem.by_hand(x))


@pytest.mark.parametrize("problem", sparse.PROBLEMS, ids=lambda p: p.name)
def test_our_sparse_hessians(problem: sparse.Problem) -> None:
    x = np.random.default_rng(0).normal(size=50)
    sparse.same_sparse(sparse.ours(problem)(x).sparse(), problem.by_hand(x), 1e-12)


def test_different_sparse_matrices_are_told() -> None:
    want = sparse.tridiagonal(np.ones(3), np.ones(2))
    with pytest.raises(AssertionError, match="differ by 1"):
        sparse.same_sparse(2 * want, want)


# ---- the harness


def test_a_slow_competitor_gets_few_turns() -> None:
    times = harness.interleaved({"fast": lambda: None, "slow": lambda: time.sleep(0.35)})
    assert len(times["slow"]) == len(times["fast"]) == 3
    assert min(times["slow"]) > 0.3 > max(times["fast"])


def test_a_missing_competitor_is_said() -> None:
    (row,) = harness.compare("s", {"tangently": lambda: None, "other": None}, {"other": 1.0})
    assert row.ratio is None
    assert row.verdict == ""
    assert "not installed" in row.note


def test_who_takes_more_processors_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(harness, "processors", lambda call: call())
    assert harness.crowded({"a": lambda: 1.0, "b": lambda: 1.9}) == "b kept 1.9 processors busy"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert harness.crowded({"b": lambda: 1.9}) == ""


def test_answers_that_differ_stop_the_run() -> None:
    with pytest.raises(AssertionError):
        harness.same([1.0, 2.0], np.array([1.0, 2.1]))
    with pytest.raises(ValueError, match="argument 2"):
        harness.same((1.0,), (1.0, 2.0))


@pytest.mark.parametrize("module", [harness, plots])
def test_examples_in_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


# ---- page and picture


def some_rows() -> list[Row]:
    found = []
    for part, count in (("hessians", 12), ("sparse", 2), ("first-order", 3)):
        for k in range(count):
            near = itertools.cycle((1.0, 1.001, 1.002, 0.03))
            found += [
                Row(f"scenario {k} of {part}", mark.label, ratio * (k + 1), 1.0, part=part)
                for mark, ratio in zip(plots.marks(), near)
            ]
    return [*found, Row("in ms", "a bound", 3.0, unit="ms", part="hessians"), harness.absent("s", "JAX")]


def test_marks_do_not_cover_each_other() -> None:
    places = sorted(np.random.default_rng(1).uniform(0, 1, 9))
    offsets = plots.lanes(places, 0.1)
    for (x, a), (y, b) in itertools.combinations(zip(places, offsets), 2):
        assert a != b or y - x >= 0.1


def test_the_picture_shows_every_ratio() -> None:
    rows = some_rows()
    figure = plots.picture(rows)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Hessians", "Sparse Hessians", "First-order gradients"]
    drawn = sum(len(line.get_xdata()) == 1 for ax in figure.axes for line in ax.lines)
    assert drawn == sum(row.ratio is not None and row.unit == "×" for row in rows)


def test_the_page_has_every_part(tmp_path: Path) -> None:
    command.write(tmp_path, some_rows(), command.machine(1))
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert all(f"## {title}" in page for title in ("Hessians", "Sparse Hessians", "First-order gradients"))
    assert "](benchmarks.svg)" in page
    assert "<svg" in (tmp_path / "benchmarks.svg").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))["machine"]["threads"] == "1"


def test_parts_have_titles() -> None:
    assert tuple(cases.PARTS) == tuple(cases.TITLES) == command.PARTS
    assert plots.PANELS.items() <= cases.TITLES.items()
