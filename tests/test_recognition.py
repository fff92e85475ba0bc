"""Naive spellings: the row that they mean is found, and value and derivative are right where the spelling overflows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tangently as tg
from tangently.expr import toposort
from tangently.recognition import recognize
from tangently.tracing.recording import record

RNG = np.random.default_rng(1)
X = RNG.normal(size=(5, 4))


def rows_of(f: Any, x: np.ndarray) -> set[str]:
    recording = record(f, [x], ["x"], lambda leaves: ((leaves[0],), {}), [True])
    return {n.op.name for n in toposort(recognize(recording.outputs)[0])}


def shifted(z: Any, keep: bool, squeeze: Any) -> Any:
    m = np.max(z, axis=1, keepdims=keep)
    inner = np.log(np.sum(np.exp(z - (m if keep else m[:, None])), axis=1))
    return inner + squeeze(m)


def soft(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


SPELLINGS: dict[str, tuple[Any, str]] = {
    "log(1 + e^x)": (lambda x: np.log(1 + np.exp(x)), "softplus"),
    "log(e^x + 1)": (lambda x: np.log(np.exp(x) + 1), "softplus"),
    "log1p(e^x)": (lambda x: np.log1p(np.exp(X @ x)), "softplus"),
    "log Σ e^x": (lambda x: np.log(np.sum(np.exp(x))), "logsumexp"),
    "shifted, kept": (lambda x: shifted(X * x, True, lambda m: m[:, 0]), "logsumexp"),
    "shifted": (lambda x: shifted(X * x, False, lambda m: m), "logsumexp"),
    "shifted, squeezed": (lambda x: shifted(X * x, True, lambda m: np.squeeze(m, 1)), "logsumexp"),
    "shifted by the maximum of all": (lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x)))), "logsumexp"),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x)), "softmax"),
    "softmax of rows": (lambda x: soft(X * x), "softmax"),
    "log softmax": (lambda x: np.log(soft(X * x)), "log_softmax"),
    "1/(1 + e^-x)": (lambda x: 1 / (1 + np.exp(-x)), "sigmoid"),
    "e^x/(1 + e^x)": (lambda x: np.exp(x) / (1 + np.exp(x)), "sigmoid"),
    "log σ": (lambda x: np.log(1 / (1 + np.exp(-x))), "softplus"),
    "log(1 − σ)": (lambda x: np.log(1 - 1 / (1 + np.exp(-x))), "softplus"),
    "√(x·x)": (lambda x: np.sqrt(x @ x), "norm"),
    "√Σx²": (lambda x: np.sqrt(np.sum(x**2)), "norm"),
    "(Σ x x)^½": (lambda x: np.sum(x * x) ** 0.5, "norm"),
    "√Σx² of rows": (lambda x: np.sqrt(np.sum((X * x) ** 2, axis=1, keepdims=True)), "norm"),
}
NOT: dict[str, Any] = {
    "log(2 + e^x)": lambda x: np.log(2 + np.exp(x)),
    "log(1 + e^x) of others": lambda x: np.log(1 + np.exp(x) * 2),
    "shifted by something else": lambda x: np.min(x) + np.log(np.sum(np.exp(x - np.max(x)))),
    "shifted along another axis": lambda x: np.max(X * x, axis=0)[None, :4] + np.log(
        np.sum(np.exp(X * x - np.max(X * x, axis=0)), axis=1, keepdims=True)
    ),
    "divided by another sum": lambda x: np.exp(x) / np.sum(np.exp(2 * x)),
    "√Σx³": lambda x: np.sqrt(np.sum(x**2 * np.abs(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_row_that_is_meant(name: str) -> None:
    f, row = SPELLINGS[name]
    x = RNG.normal(size=4)
    assert row in rows_of(f, x)
    v = RNG.normal(size=4)
    h = 1e-6
    slope = (np.asarray(f(x + h * v)) - np.asarray(f(x - h * v))) / (2 * h)
    np.testing.assert_allclose(tg.jvp(f)(x, v), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NOT)
def test_what_only_looks_like_it(name: str) -> None:
    x = RNG.normal(size=4)
    f = NOT[name]
    assert not rows_of(f, x) & {"softplus", "softmax", "norm", "sigmoid"}
    v = RNG.normal(size=4)
    h = 1e-6
    slope = (np.asarray(f(x + h * v)) - np.asarray(f(x - h * v))) / (2 * h)
    np.testing.assert_allclose(tg.jvp(f)(x, v), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: np.sum(np.log(1 + np.exp(x))), [800.0, -800.0], [1.0, 0.0]),
        (lambda x: np.log(np.sum(np.exp(x))), [1000.0, 1000.0], [0.5, 0.5]),
        (lambda x: np.sum(1 / (1 + np.exp(-x))), [-800.0, 800.0], [0.0, 0.0]),
        (lambda x: np.sum(np.log(1 - 1 / (1 + np.exp(-x)))), [800.0, -800.0], [-1.0, 0.0]),
        (lambda x: (np.exp(x) / np.sum(np.exp(x)))[0], [1000.0, 1000.0], [0.25, -0.25]),
        (lambda x: np.sqrt(x @ x) ** 2, [0.0, 0.0], [0.0, 0.0]),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the naive spelling's own, while it is traced
def test_where_the_spelling_overflows(f: Any, x: list[float], slope: list[float]) -> None:
    g = tg.grad(f)
    for _ in range(3):
        np.testing.assert_allclose(g(np.array(x)), slope, atol=1e-12)


def test_text_and_numbers() -> None:
    assert tg.grad("log(1 + exp(x))", at=800.0) == 1.0
    assert tg.value_and_grad("log(1 + exp(x))", at=800.0)[0] == 800.0


def test_names_and_intermediate_values_stay() -> None:
    def f(x: Any) -> Any:
        z = np.exp(x)
        return np.sum(np.log(1 + z))

    np.testing.assert_allclose(tg.grad(f, wrt="z")(np.array([0.5, 1.0])), 1 / (1 + np.exp([0.5, 1.0])))
