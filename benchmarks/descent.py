"""Descent: what a step costs beyond its gradient, Adam against PyTorch's, and Moré, Garbow and Hillstrom's problems.

`python -m benchmarks.descent [--quick]` prints these rows alone.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before NumPy is imported, as `python -m benchmarks` does
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

import tangently as tg
from tangently.descent.problems import problem_of

from . import peers
from .harness import Row, aligned, compare, same, seconds

OVERHEAD = 15.0  # µs
TOLERANCE = 1e-5  # ‖∇f‖₂ of the classical problems, for both
SMALL = {"(x - 5)²": ("(x - 5)^2", 0.0), "a paraboloid of two numbers": ("x^2 + y^2 - 2x - 4y + 5", (0.0, 0.0))}
METHODS = ("gradient descent", "momentum", "Nesterov", "RMSprop", "Adam", "Lion")


def descent_rows(quick: bool) -> Iterator[Row]:
    yield from overheads(200 if quick else 500)
    yield from adam()
    yield from classical()


# ---- what a step costs beyond the gradient


def overheads(count: int) -> Iterator[Row]:
    """Microseconds of a step of a whole run, less those of the compiled gradient's call on plain numbers."""
    for what, (f, start) in SMALL.items():
        at = start if isinstance(start, tuple) else (start,)
        gradient, problem = tg.value_and_grad(f), problem_of(f, start)  # which compiles once
        for _ in range(3):
            gradient(*at)
        alone = min(seconds(lambda g=gradient, at=at: g(*at), count) for _ in range(25))
        for method in METHODS:
            run = partial(tg.minimize, problem, None, method, rate=1e-5, steps=count, tolerance=0.0, progress=False)
            whole = min(per_step(run) for _ in range(25))
            scenario = f"overhead of a step of {method} on {what}"
            yield Row(scenario, "a bound", 1e6 * (whole - alone), OVERHEAD, "µs", ours=whole, theirs=alone)


def per_step(run: Callable[[], Any]) -> float:
    t = run()
    return t.seconds / t.count


# ---- a network


def adam() -> Iterator[Row]:
    """One step of Adam, the gradient within, on the 784-256-10 network with a batch of 128."""
    params, x, y = peers.network_data()
    walk = lambda: tg.descend(peers.network, {"params": params}, "Adam", rate=1e-3, data={"x": x, "y": y})
    theirs = peers.optional(adam_in_torch, params, x, y)
    for step, other in zip(itertools.islice(walk(), 3), itertools.repeat(theirs)):
        if other is not None:
            same(step.next_x, np.concatenate([v.detach().numpy().ravel() for v in other()]))
    timed = walk()
    calls = {"tangently": lambda: next(timed), "torch.optim.Adam, eager": theirs}
    yield from compare("a step of Adam on a 784-256-10 network, batch 128", calls, {"torch.optim.Adam, eager": 1.0})


def adam_in_torch(params: Any, x: Any, y: Any) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    p = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    tx, ty = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.Adam(p.values(), lr=1e-3)

    def call() -> Any:
        optimizer.zero_grad()
        h = torch.relu(tx @ p["W1"] + p["b1"])
        torch.nn.functional.cross_entropy(h @ p["W2"] + p["b2"], ty).backward()
        optimizer.step()
        return list(p.values())

    return call


# ---- Moré, Garbow and Hillstrom


def problems() -> Any:
    path = Path(__file__).parent.parent / "tests" / "mgh.py"
    spec = importlib.util.spec_from_file_location("mgh", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mgh"] = module
    spec.loader.exec_module(module)
    return module.PROBLEMS


def classical() -> Iterator[Row]:
    """The default method against SciPy's (BFGS, with our gradients), both to the same ‖∇f‖₂."""
    with np.errstate(all="ignore"):
        found = [(case, ours(case), scipys(case)) for case in problems()]
    for case, a, b in found:
        note = f"f = {a[2]:.6g}, {a[3]} Hessians; SciPy's {'converged' if b[0] else 'did not converge'}, f = {b[2]:.6g}"
        note = note if a[0] else f"did not converge: {note}"
        yield Row(f"gradients for {case.name}, n = {case.start.size}", "SciPy's default", a[1] / b[1], note=note)
    converged = [sum(bool(row[k][0]) for row in found) for k in (1, 2)]
    medians = [float(np.median([row[k][1] for row in found])) for k in (1, 2)]
    full = float(np.median([a[1] + a[3] * case.start.size for case, a, _ in found]))
    many = f"{converged[0]} of {len(found)} converged, with SciPy's {converged[1]}"
    yield Row("classical problems not converged", "SciPy's default", len(found) - converged[0],
              len(found) - converged[1], "", note=many)  # fmt: skip
    note = f"{medians[0]:g} gradients in the median, SciPy's {medians[1]:g}; a Hessian counted as n gradients: {full:g}"
    yield Row("gradients for a classical problem", "SciPy's default", medians[0] / medians[1], 1.0, note=note)


def ours(case: Any) -> tuple[bool, int, float, int]:
    t = tg.minimize(case, case.start, tolerance=TOLERANCE)
    return t.converged, t.counts.gradients, t.value, t.counts.hessians


def scipys(case: Any) -> tuple[bool, int, float, int]:
    from scipy.optimize import minimize

    problem = problem_of(case, case.start)
    options = {"gtol": TOLERANCE, "norm": 2}
    found = minimize(problem.value_and_gradient, case.start, jac=True, options=options)
    return bool(found.success), problem.counts.gradients, float(found.fun), 0


if __name__ == "__main__":
    began = time.perf_counter()
    print(aligned(list(descent_rows("--quick" in sys.argv))))
    print(f"{time.perf_counter() - began:.1f} s", file=sys.stderr)
