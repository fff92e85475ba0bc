"""What is measured, in parts. Cases yield rows; before one is timed, every competitor's answer is compared with ours.

Import, first answers, scalar calls, a network and the growth with a program's length are here; Hessians, ADBench's
objectives and backends are parts in modules of their own.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import tangently as tg

from . import peers
from .harness import Row, compare, ratios, same, seconds

Part = Callable[[bool], Iterator[Row]]
HAND = "written by hand"
IMPORTS = {
    "tangently": "import tangently",
    "tangently.grad": "import tangently; tangently.grad",
    "numpy": "import numpy",
}


# ---- import and first answer


def import_seconds(statement: str) -> float:
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def imports(repeats: int = 15) -> Iterator[Row]:
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(repeats + 1):
        for name, statement in IMPORTS.items():
            times[name].append(import_seconds(statement))
    times = {name: found[1:] for name, found in times.items()}  # the first reads files into the cache
    for name in ("tangently", "tangently.grad"):
        yield from ratios(f"import {name}", {name: times[name], "numpy": times["numpy"]}, {"numpy": 1.5})


def hundred_operations(seed: int, header: str) -> Any:
    """A fresh function of 100 operations: nothing about it can have been kept."""
    ops = ["x = np.sin(x) * {}", "x = np.exp(-x * x) + {}", "x = x / (1 + x * x) - {}", "x = np.tanh({} + x) * x"]
    lines = [f"    {ops[k % 4].format(f'{1 + (k + seed) / 1000:.3f}')}" for k in range(33)]
    scope: dict[str, Any] = {"np": np}
    exec(f"def f(x):\n{chr(10).join(lines)}\n    return {header}", scope)
    return scope["f"]


def first_gradient() -> Iterator[Row]:
    for what, header, x in (("a number", "x", 0.7), ("an array of 10", "x.sum()", np.linspace(0.1, 1, 10))):
        functions = [hundred_operations(seed, header) for seed in range(40)]
        times = [seconds(lambda f=f, x=x: tg.grad(f)(x)) for f in functions][5:]
        found = 1000 * float(np.median(times))
        scenario = f"first gradient, 100 operations on {what}"
        yield Row(scenario, "a bound", found, 20.0, "ms", ours=min(times), note="median of 35 new functions")


# ---- thousandth answer


def scalar_calls() -> Iterator[Row]:
    for name, at in (("wave", (0.7,)), ("logistic", (0.3,)), ("two", (1.0, 2.0))):
        by_hand, ours = getattr(peers, f"{name}_by_hand"), tg.grad(getattr(peers, name))
        same(ours(*at), by_hand(*at))
        calls = {"tangently": lambda f=ours, at=at: f(*at), HAND: lambda f=by_hand, at=at: f(*at)}
        yield from compare(f"derivative of {name}({', '.join('xy'[: len(at)])})", calls, {HAND: 2.0})


def network() -> Iterator[Row]:
    params, x, y = peers.network_data()
    gradient = tg.grad(peers.network, wrt="params")
    calls = {
        "tangently": lambda: gradient(params, x, y),
        f"NumPy {HAND}": lambda: peers.network_by_hand(params, x, y),
        "PyTorch, eager": peers.optional(peers.network_in_torch, params, x, y),
        "JAX, jitted": peers.optional(peers.network_in_jax, params, x, y),
    }
    for call in filter(None, calls.values()):
        same(call(), peers.network_by_hand(params, x, y))
    limits = {f"NumPy {HAND}": 1.1, "PyTorch, eager": 1.0}
    yield from compare("gradient of a 784-256-10 network, batch 128", calls, limits)


def rosenbrock(n: int = 1000) -> Iterator[Row]:
    x = np.random.default_rng(0).normal(size=n)
    gradient = tg.grad(peers.rosenbrock)
    calls = {
        "tangently": lambda: gradient(x),
        f"NumPy {HAND}": lambda: peers.rosenbrock_by_hand(x),
        "PyTorch, eager": peers.optional(peers.rosenbrock_in_torch, x),
        "JAX, jitted": peers.optional(peers.rosenbrock_in_jax, x),
        "autograd": peers.optional(peers.rosenbrock_in_autograd, x),
    }
    for call in filter(None, calls.values()):
        same(call(), peers.rosenbrock_by_hand(x))
    yield from compare(f"gradient of Rosenbrock's function, n = {n:,}", calls, {f"NumPy {HAND}": 1.5})


# ---- growth


def nodes_per_second(sizes: list[int]) -> Iterator[Row]:
    """From a call on a function that was never seen to its answer, and (to 10⁵) to compiled code."""
    for what, calls in (("first gradient of n operations", 1), ("compiled gradient of n operations", 2)):
        used = [n for n in sizes if calls == 1 or n <= 100_000]
        times = [min(growth(n, calls) for _ in range(3 if n <= 10_000 else 1)) for n in used]
        for n, t in zip(used, times):
            yield Row(f"{what}, n = {n:,}", "operations", 1e6 * t / n, None, "µs each", ours=t)
        if len(used) > 1:
            slope = float(np.polyfit(np.log(used), np.log(times), 1)[0])
            yield Row(f"{what}: log-log slope", "1 (linear)", slope, 1.15, "", note="exponent of n in the time")


def growth(n: int, calls: int) -> float:
    gradient = tg.grad(lambda x: peers.chain(x, n))
    start = time.perf_counter()
    for _ in range(calls):
        gradient(0.5)
    return time.perf_counter() - start


def recurrent(steps: int = 10_000) -> Iterator[Row]:
    """What a gradient costs in terms of the function, for a long loop of small steps."""
    W, U, h, xs = peers.rnn_data(steps)
    gradient = tg.grad(lambda W, U: peers.rnn(W, U, h, xs))
    first = seconds(lambda: gradient(W, U))
    second = seconds(lambda: gradient(W, U))
    times: dict[str, list[float]] = {"tangently": [], "the function itself": []}
    for _ in range(5):
        times["tangently"].append(seconds(lambda: gradient(W, U)))
        times["the function itself"].append(seconds(lambda: peers.rnn(W, U, h, xs)))
    scenario = f"gradient of an RNN of {steps:,} steps"
    yield from ratios(scenario, times, {"the function itself": 5.0})
    value = min(times["the function itself"])
    for what, t in (("first call", first), ("second call, which compiles", second)):
        yield Row(f"{scenario}, {what}", "the function itself", t / value, ours=t, theirs=value)


# ---- the parts, in the order of the page


def first_order(quick: bool) -> Iterator[Row]:
    yield from scalar_calls()
    yield from network()
    yield from rosenbrock()


def beginnings(quick: bool) -> Iterator[Row]:
    yield from imports(5 if quick else 15)
    yield from first_gradient()


def growths(quick: bool) -> Iterator[Row]:
    yield from nodes_per_second([1_000, 10_000] if quick else [1_000, 10_000, 100_000, 1_000_000])
    yield from recurrent(1_000 if quick else 10_000)


def of_module(module: str, function: str) -> Part:
    """A part that lives in a module of its own, which is imported when its turn comes."""

    def rows(quick: bool) -> Iterator[Row]:
        yield from getattr(importlib.import_module(f".{module}", __package__), function)(quick)

    return rows


PARTS: dict[str, Part] = {
    "hessians": of_module("hessians", "hessian_rows"),
    "sparse": of_module("sparse", "sparse_rows"),
    "adbench": of_module("adbench", "adbench_rows"),
    "first-order": first_order,
    "backends": of_module("backends", "backend_rows"),
    "start": beginnings,
    "growth": growths,
    "descent": of_module("descent", "descent_rows"),
}
TITLES = {
    "hessians": "Hessians", "sparse": "Sparse Hessians", "adbench": "ADBench", "first-order": "First-order gradients",
    "backends": "Backends", "start": "Import and first answer", "growth": "Growth with the length of a program",
    "descent": "Descent",
}  # fmt: skip


def all_cases(quick: bool, only: Sequence[str] = ()) -> Iterator[Row]:
    for part, rows in PARTS.items():
        if not only or part in only:
            yield from (replace(row, part=part) for row in rows(quick))
