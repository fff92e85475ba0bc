"""What the derivatives of the four objectives cost: in terms of the objective, and of the same in JAX and PyTorch.

An objective's derivative is what the benchmark asks for: a gradient (GMM, LSTM), the compressed or sparse entries of a
Jacobian (HAND, BA). Before they are timed, the peers' derivatives are compared with ours; GMM's value on the test file
with the published one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import tangently as tg

from ..harness import Row, compare, same
from ..peers import optional
from . import ba, data, gmm, hand, lstm, peers

Call = Callable[[], Any]
LIMIT = 4.0  # of a derivative, in objectives
JAX, TORCH = "JAX, jitted", "PyTorch, eager"
OBJECTIVE = "the objective itself"
EXPECTED = 8.07380408004975791  # of the mixture's test file
MADE_UP = "made-up input of the same shape"


@dataclass(frozen=True)
class Problem:
    """One objective at one input: calls without arguments, and makers of peers that give the same derivative."""

    name: str
    what: str
    objective: Call
    derivative: Call
    peers: dict[str, Callable[[], Call]]
    limits: dict[str, float | None]


def mixture(name: str) -> Problem:
    a = data.gmm(name)
    arguments = (a.alphas, a.means, a.icf, a.x, a.gamma, a.m)
    gradient = tg.grad(gmm.log_likelihood, wrt=("alphas", "means", "icf"))
    return Problem(
        name, f"ADBench's GMM, d = {a.x.shape[1]}, K = {len(a.alphas)}, n = {len(a.x):,}: gradient",
        lambda: gmm.log_likelihood(*arguments), lambda: gradient(*arguments),
        {JAX: lambda: peers.gmm_in_jax(a), TORCH: lambda: peers.gmm_in_torch(a)}, {JAX: 1.0, TORCH: 1.0},
    )  # fmt: skip


def bundle(name: str) -> Problem:
    found = data.ba(name)
    arguments = ba.columns(found)
    return Problem(
        name, f"ADBench's BA, {len(found.weights):,} observations: sparse Jacobian's entries",
        lambda: ba.objective(arguments), lambda: ba.entries(arguments),
        {JAX: lambda: peers.ba_in_jax(arguments), TORCH: lambda: peers.ba_in_torch(arguments)}, {},
    )  # fmt: skip


def tracking(name: str) -> Problem:
    task = data.hand(name)
    objective, derivative = hand.problem(task)
    kind = "simple" if task.us is None else "complicated"
    torch = {TORCH: lambda: peers.hand_in_torch(task)} if task.us is None else {}
    return Problem(
        name, f"ADBench's HAND, {kind}, {len(task.points)} points: Jacobian", objective, derivative,
        {JAX: lambda: peers.hand_in_jax(task), **torch}, {},
    )  # fmt: skip


def text(name: str) -> Problem:
    a = data.lstm(name)
    arguments = (a.main, a.extra, a.state, a.sequence)
    gradient = tg.grad(lstm.loss, wrt=("main", "extra"))
    return Problem(
        name, f"ADBench's LSTM, {len(a.main) // 2} layers, {len(a.sequence):,} steps: gradient",
        lambda: lstm.loss(*arguments), lambda: gradient(*arguments),
        {JAX: lambda: peers.lstm_in_jax(a), TORCH: lambda: peers.lstm_in_torch(a)}, {TORCH: 1.0},
    )  # fmt: skip


QUICK: list[tuple[Callable[[str], Problem], str]] = [
    (mixture, "gmm_d2_K5"), (bundle, "ba_test"), (tracking, "hand_test"),
]  # fmt: skip
FULL: list[tuple[Callable[[str], Problem], str]] = [
    (mixture, "gmm_d2_K5"), (mixture, "gmm_d2_K50"), (mixture, "gmm_d10_K10"), (mixture, "gmm_d10_K25"),
    (bundle, "ba1_n49_m7776_p31843"), (tracking, "hand_simple_t26_c100"), (tracking, "hand_complicated_t26_c100"),
    (text, "lstm_l2_c1024"),
]  # fmt: skip


def published(problem: Problem) -> None:
    """ADBench's own criterion, where its value is public."""
    value = problem.objective()
    if abs(value - EXPECTED) / max(1.0, abs(value) + EXPECTED) >= 1e-8:
        raise ValueError(f"the objective of {problem.name} is {value!r}; {EXPECTED!r} was wanted")


def agree(problem: Problem, calls: dict[str, Call | None]) -> None:
    """Every peer's derivative is ours."""
    ours = problem.derivative()
    for call in filter(None, calls.values()):
        found = call()
        same(found, ours) if isinstance(ours, tuple) else same(np.asarray(found).reshape(ours.shape), ours)


def rows_of(problem: Problem) -> list[Row]:
    """The derivative against its objective, and against the peers' derivatives."""
    others = {name: optional(make) for name, make in problem.peers.items()}
    agree(problem, others)
    calls = {"tangently": problem.derivative, OBJECTIVE: problem.objective, **others}
    note = "" if data.path(problem.name) else MADE_UP
    return compare(problem.what, calls, {OBJECTIVE: LIMIT, **problem.limits}, dict.fromkeys(calls, note))


def adbench_rows(quick: bool) -> Iterator[Row]:
    if data.path("gmm_test"):
        published(mixture("gmm_test"))
    for make, name in QUICK if quick else FULL:
        yield from rows_of(make(name))
