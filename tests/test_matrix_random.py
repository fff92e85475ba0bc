"""Random matrix expressions: the closed form, its printed formula, its source, both modes, JAX and differences agree.

Thousands: `python -m tests.matrix_random 5000`. What it once found stands below as small cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tangently as tg
from matrix_random import OURS, SIZES, check, compiled, make, minimal, part, slopes
from tangently import functions as F
from tangently.matrices import notation
from tangently.structured import Dense, Diagonal, Structured


def test_the_same_seed_gives_the_same_expression() -> None:
    assert [str(make(k).tree) for k in range(8)] == [str(make(k).tree) for k in range(8)]


def test_expressions_are_of_many_kinds() -> None:
    cases = [make(k) for k in range(150)]
    used = Counter(t.op.text for c in cases for t in c.tree.nodes() if t.op is not None)
    assert len({str(c.tree) for c in cases}) > 140
    assert len(used) > 55
    assert max(c.tree.depth() for c in cases) == 6
    assert {len(c.tree.shape) for c in cases} == {0, 1, 2}


def _disagreements(first: int, count: int, every: int) -> list[str]:
    failures, counts, _ = part(range(first, first + count), every)
    assert counts["expressions"] == count
    assert counts["compared: formula"] > 4 * count
    return [f"seed {seed}: {text}\n    {what}" for seed, text, what in failures]


@pytest.mark.parametrize("group", range(4))  # so that several processes share the work
def test_random_expressions(group: int) -> None:
    assert _disagreements(50 * group, 50, 25) == []


@pytest.mark.slow
@pytest.mark.parametrize("group", range(18))
def test_thousands_of_random_expressions(group: int) -> None:
    assert _disagreements(10_000 + 100 * group, 100, 20) == []


def test_a_wrong_result_is_noticed_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivative that is wrong on purpose: a failure on all routes that use it, and a small case."""
    monkeypatch.setattr(OURS, "tanh", lambda x: F.tanh(x) + 1e-3 * x)
    case = next(c for c in map(make, range(500)) if "tanh" in str(c.tree) and not c.tree.shape)
    failures = check(case).failures
    assert failures
    small, why = minimal(case, failures[0])
    assert "tanh" in str(small.tree)
    assert why
    assert len(str(small.tree)) <= len(str(case.tree))


# ---------------------------------------------------------------- what was found


def test_blocks_are_added_to_a_dense_one_that_is_stored_by_columns() -> None:
    dense = np.asfortranarray(np.arange(9.0).reshape(3, 3))
    h = Structured((3,), (Diagonal(np.ones(3)), Dense(dense, owned=True)))
    np.testing.assert_array_equal(np.asarray(h), dense + np.eye(3))


SOME: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "logdet of a diagonal, squared": (
        lambda a: F.logdet(F.diag(a**2) + np.eye(3)) ** 2,
        np.array([0.5, -0.3, 0.9]),
    ),
    "trace of a Kronecker product, squared": (
        lambda k: F.trace(F.kron(k**2, np.arange(9.0).reshape(3, 3))) ** 2,
        np.array([[0.3, -0.5], [0.8, 1.1]]),
    ),
    "the same, matrix by matrix": (
        lambda k: F.sin(F.trace(F.kron(k @ k, np.eye(2) + k))),
        np.array([[0.3, -0.5], [0.8, 1.1]]),
    ),
    "a Kronecker product with a diagonal": (
        lambda y: F.sum(F.kron(np.array([[1.0, 2.0], [0.5, 1.0]]), F.diag(y)) ** 2),
        np.array([0.3, -0.5, 0.8]),
    ),
    "picked twice": (lambda x: F.exp(F.sum((x**2)[np.array([0, 2, 0])] * x[1:])), np.array([0.3, -0.5, 0.8, 0.1])),
}


@pytest.mark.parametrize("name", SOME)
def test_structured_hessians_that_were_wrong(name: str) -> None:
    f, x = SOME[name]
    h = tg.hessian(f)(x)
    want = slopes(tg.grad(f), x)
    np.testing.assert_allclose(np.asarray(h), want, atol=1e-7 * (1 + np.abs(want).max()))
    np.testing.assert_allclose(h @ x, np.tensordot(want, x, x.ndim), atol=1e-7 * (1 + np.abs(want).max()))


def test_a_mean_over_two_axes_is_divided_by_both_sizes() -> None:
    Y, A = tg.matrix("Y", "m n"), tg.matrix("A", "n n")
    at = {"Y": np.arange(12.0).reshape(4, 3), "A": np.arange(9.0).reshape(3, 3)}
    for language in ("julia", "matlab"):
        assert "/ (m * n)" in (F.mean(Y) * A).source(language)
    np.testing.assert_allclose(compiled((F.mean(Y) * A).source("numpy"))(at), at["Y"].mean() * at["A"])


def test_a_sum_over_ones_counts_all_of_them() -> None:
    W, c = tg.matrix("W", "n m"), tg.scalar("c")
    ones = F.sum(W / W, axis=1)  # m 1ₙ
    at = {"W": np.full((3, 4), 2.0), "c": 2.0}
    for e, want in ((F.sum(W / W), 12.0), (F.sum(ones), 12.0), (F.sum(c * ones), 24.0)):
        assert np.squeeze(notation.evaluate(e.formula, at, SIZES)) == want


def test_a_symbol_that_vanishes_may_still_be_given() -> None:
    x, a = tg.vector("x", "n"), tg.vector("a", "n")
    g = tg.grad((x - x).T @ a, wrt=x)
    np.testing.assert_array_equal(g.evaluate(x=np.ones(3), n=3) * 1.0, np.zeros(3))


CANCELLED: dict[str, tuple[Callable[..., Any], str]] = {
    "a quotient by itself": (lambda v: F.sum(v / v + v), "1ₙ"),
    "a number by itself": (lambda v: F.sum(v) / F.sum(v) * F.norm(v) ** 2, "2 v"),
    "a norm of a norm": (lambda v: F.norm(v / F.norm(v)) * F.sum(v), ""),
    "direction": (lambda v: F.norm(v), "v/‖v‖"),
}


@pytest.mark.parametrize("name", CANCELLED)
def test_cancelling_changes_no_value_where_there_is_one(name: str) -> None:
    """v ⊘ v = 1, c·c⁻¹ = 1, x/‖x‖ without its guard: only where the left side has no value or no derivative."""
    f, printed = CANCELLED[name]
    g = tg.grad(f(tg.vector("v", "n")), wrt="v")
    assert not printed or g.unicode() == printed
    rng = np.random.default_rng(3)
    for _ in range(20):
        at = {"v": rng.normal(size=SIZES["n"]) * 10.0 ** rng.integers(-3, 4)}
        formula = np.squeeze(notation.evaluate(g.formula, at, SIZES))
        want = np.asarray(tg.grad(f)(at["v"]))
        np.testing.assert_allclose(formula, want, rtol=1e-8, atol=1e-8 * (1 + np.abs(want).max()))
        np.testing.assert_allclose(g.evaluate(at), want, rtol=1e-8, atol=1e-8 * (1 + np.abs(want).max()))
