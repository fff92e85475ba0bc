"""Checkpointing: the same gradients with the inside of a part recomputed, and less memory for a long loop."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import tangently as tg

RNG = np.random.default_rng(0)
W, U = RNG.normal(size=(20, 20)) * 0.2, RNG.normal(size=(20, 3))
XS = list(RNG.normal(size=(400, 3)))


def step(state: Any, x: Any) -> Any:
    h, w, u = state
    return np.tanh(w @ h + u @ x), w, u


def plain(w: Any, u: Any) -> Any:
    state = (np.zeros(20), w, u)
    for x in XS:
        state = step(state, x)
    return np.sum(state[0] ** 2)


@pytest.mark.parametrize("every", [None, 1, 7, 400, 1000])
def test_a_long_loop(every: int | None) -> None:
    def loss(w: Any, u: Any) -> Any:
        return np.sum(tg.checkpointed_loop(step, (np.zeros(20), w, u), XS, every)[0] ** 2)

    gradient, want = tg.grad(loss), tg.grad(plain)(W, U)
    for _ in range(3):  # swept, compiled, and entered directly
        for found, known in zip(gradient(W, U), want):
            np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-15)


def test_it_takes_less_memory() -> None:
    def peak(f: Any) -> int:
        tracemalloc.start()
        tg.grad(f)(W, U)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    thinned = lambda w, u: np.sum(tg.checkpointed_loop(step, (np.zeros(20), w, u), XS)[0] ** 2)
    assert peak(thinned) < 0.5 * peak(plain)


def test_nested_arguments_and_results() -> None:
    inner = tg.checkpoint(lambda p: {"a": p["x"] * p["y"], "b": [p["x"] + 1.0]})
    f = lambda x, y: inner({"x": x, "y": y})["a"] * inner({"x": x, "y": y})["b"][0]
    assert tg.grad(f)(2.0, 3.0) == (2 * 2 * 3 + 3, 2 * 2 + 2)


def test_plain_numbers_pass_through() -> None:
    assert tg.checkpoint(lambda x: x + 1)(2) == 3


def test_second_derivatives_say_what_to_do() -> None:
    with pytest.raises(tg.UnsupportedError, match=r"leave tg\.checkpoint out"):
        tg.derivative(lambda x: tg.checkpoint(np.sin)(x), order=2)(1.0)


def test_a_captured_traced_value_is_refused() -> None:
    with pytest.raises(tg.UnsupportedError, match="pass it as an argument"):
        tg.grad(lambda x: tg.checkpoint(lambda y: y * x)(x))(1.0)
