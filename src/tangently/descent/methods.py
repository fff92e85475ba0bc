"""The table of methods, one row each: what it is, its parameters with defaults, how it begins and how it advances.

`begin(problem, point, run)` gives what the method remembers; `advance(problem, state, run)` gives one frozen step and
the next state, or None where it can go no further. First-order rows are one function of the gradient each: the
direction. What a state remembers is plain numbers and flat arrays, so it can be written to a file; the arrays are
updated in place, since a network's are large.

Definitions are PyTorch's where it has the method (momentum and Nesterov without dampening: b ← μb + g; Adagrad's and
RMSprop's ε outside of the root; Adam with bias corrections, ε outside; AdamW with decoupled decay), so steps agree to
rounding. Others: Lion (Chen et al. 2023, Algorithm 2); saddle-free Newton |H|⁻¹g (Dauphin et al. 2014);
Levenberg–Marquardt with Moré's scaling (1978) and Nielsen's damping (1999); natural gradient F⁻¹g (Amari 1998);
conjugate gradients with β of Polak–Ribière+, Fletcher–Reeves or Hestenes–Stiefel, restarted where the direction does
not descend (Nocedal & Wright §5.2); trust regions (Conn, Gould & Toint 2000, Algorithm 6.1.1). BFGS, L-BFGS-B,
Newton-CG, trust-ncg, trust-exact and dogleg are SciPy's, run in full, their steps recorded and given one by one.

Glossary: g gradient, d direction, m and v running means of g and g², H Hessian, J Jacobian of residuals r.
"""

from __future__ import annotations

import difflib
import functools
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently.descent import searches
from tangently.descent.problems import Problem
from tangently.descent.schedules import Clip, checked_rate
from tangently.descent.steps import KEEP, NOTHING, Point, Step, norm, step_between
from tangently.errors import InputError, ShapeError, TangentlyError

BLOCK = 8192  # entries that are updated at a time, so that they stay in the cache
SMALL = 200  # numbers; up to here a Hessian and its eigenvalues cost little, and the default method uses them
Memory = dict[str, Any]


@dataclass
class State:
    """Where a method is, and what it remembers."""

    k: int
    point: Point
    memory: Memory


@dataclass(frozen=True)
class Run:
    """How a method is run: its parameters, the rate for each step, clipping, a search, and bounds."""

    options: Mapping[str, Any]
    rate: Callable[[int], float]
    clip: Clip | None = None
    search: searches.Search | None = None
    steps: int = 1000
    tolerance: float = 1e-6
    exhausted: Callable[[], bool] = lambda: False
    adaptive: bool = False  # does a search begin at twice the rate that it found last?


Advance = Callable[[Problem, State, Run], tuple[Step, State] | None]


@dataclass(frozen=True)
class Method:
    """One row."""

    name: str
    words: str
    advance: Advance
    begin: Callable[[Problem, Point, Run], Memory] = lambda problem, point, run: {}
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: float | None = None  # the default; None: by a search
    search: str | None = None  # the default search
    order: int = 1  # of the derivatives that it uses
    wrapped: bool = False  # is it SciPy's, run in full?
    residuals: bool = False  # does it need the residuals of a sum of squares?
    paced: bool = True  # does it take a rate? Others find the length of a step with its direction


# ---------------------------------------------------------------- moving


def arrive(problem: Problem, k: int, x: np.ndarray, known: Point | None = None) -> Point:
    """The point of step k, with the batch of that step."""
    if problem.batches is not None:
        problem.at_step(k)
    elif known is not None:
        return known
    return problem.point(x)


def move(problem: Problem, state: State, run: Run, d: np.ndarray, notes: Any = NOTHING) -> tuple[Step, State] | None:
    """Along d: by the rate of the schedule, or as far as the search says."""
    p, k = state.point, state.k
    rate = run.rate(k)
    if run.search is None:
        x = d * np.array(rate)
        x += p.x
        step = step_between(k, p, d, rate, x, notes)
        return step, State(k + 1, arrive(problem, k + 1, x), state.memory)
    if run.adaptive:
        rate = 2 * state.memory.get("rate", rate / 2)
    found = run.search(problem, p, d, rate)
    if found.point is None:
        return None
    state.memory["rate"] = found.rate
    step = step_between(k, p, d, found.rate, found.point.x, {**notes, "trials": found.trials})
    return step, State(k + 1, arrive(problem, k + 1, found.point.x, found.point), state.memory)


Direct = Callable[[np.ndarray, np.ndarray, Memory, Mapping[str, Any], int], np.ndarray]


def first_order(direct: Direct) -> Advance:
    """A method whose direction is a function of x, g and what it remembers (and of k and the rate)."""

    def advance(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
        p = state.point
        g = p.gradient if run.clip is None else run.clip(p.gradient, p.norm)
        decay = run.options.get("weight_decay")
        if decay and direct not in DECOUPLED:
            g = g + decay * p.x
        return move(problem, state, run, direct(p.x, g, state.memory, run.options, state.k))

    return advance


def zeros(*names: str) -> Callable[[Problem, Point, Run], Memory]:
    return lambda problem, point, run: {n: np.zeros(point.x.size) for n in names}


@functools.lru_cache(maxsize=256)
def scalar(c: float) -> np.ndarray:
    """A constant as NumPy has it: an operation with a Python number would convert it each time, at twice the cost."""
    return np.array(c, float)


def in_blocks(update: Callable[..., None], out: np.ndarray, *arrays: np.ndarray) -> np.ndarray:
    """Apply an update to arrays block by block."""
    n = out.size
    if n <= BLOCK:
        update(out, *arrays)
        return out
    for start in range(0, n, BLOCK):
        run = slice(start, start + BLOCK)
        update(out[run], *(a[run] for a in arrays))
    return out


# ---------------------------------------------------------------- first order


def steepest(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    return -g


def momentum(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    b = memory["b"]
    b *= o["momentum"]
    b += g if not memory.get("begun") else (1 - o["dampening"]) * g
    memory["begun"] = True
    return -b


def nesterov(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    b = memory["b"]
    b *= o["momentum"]
    b += g
    d = -o["momentum"] * b
    d -= g
    return d


def adagrad(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    s = memory["s"]
    s += g * g
    return -g / ((np.sqrt(s) + o["eps"]) * (1 + k * o["rate_decay"]))


def adagrad_begin(problem: Problem, point: Point, run: Run) -> Memory:
    return {"s": np.full(point.x.size, float(run.options["initial"]))}


def rmsprop(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    v, a = memory["v"], o["alpha"]
    v *= scalar(a)
    v += scalar(1 - a) * (g * g)
    spread = v
    if o["centered"]:
        m = memory["m"]
        m += scalar(1 - a) * (g - m)
        spread = v - m * m
    d = g / (np.sqrt(spread) + scalar(o["eps"]))
    if o["momentum"] > 0:
        b = memory["b"]
        b *= o["momentum"]
        b += d
        d = b
    return -d


def adam(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    """m̂/(√v̂ + ε), with what one pass over the memory allows: all of it block by block.

    d and e take turns: NumPy copies first where an array of one entry is changed in place, at three times the cost.
    """
    (b1, b2), eps = o["betas"], o["eps"]
    by_m, by_v, keep_v = scalar(1 - b1), scalar(1 - b2), scalar(b2)
    t = memory["t"] = memory["t"] + 1
    root = math.sqrt(1 - b2**t)
    shift, scale = np.array(eps * root), np.array(-root / (1 - b1**t))  # m̂/(√v̂ + ε) = scale·m/(√v + shift)
    spare = np.empty(min(g.size, BLOCK))

    def update(d: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, *most: np.ndarray) -> None:
        e = spare if d.size == spare.size else spare[: d.size]
        np.subtract(g, m, out=e)
        np.multiply(e, by_m, out=d)
        m += d
        np.multiply(g, g, out=e)
        np.multiply(e, by_v, out=d)
        v *= keep_v
        v += d
        np.sqrt(np.maximum(v, most[0], out=most[0]) if most else v, out=e)
        np.add(e, shift, out=d)
        np.divide(m, d, out=e)
        np.multiply(e, scale, out=d)

    most = [memory["most"]] if o["amsgrad"] else []
    return in_blocks(update, np.empty_like(g), g, memory["m"], memory["v"], *most)


def adamw(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    d = adam(x, g, memory, o, k)
    d -= o["weight_decay"] * x
    return d


def lion(x: np.ndarray, g: np.ndarray, memory: Memory, o: Mapping[str, Any], k: int) -> np.ndarray:
    m, (b1, b2) = memory["m"], o["betas"]
    d = -np.sign(scalar(b1) * m + scalar(1 - b1) * g)
    m *= scalar(b2)
    m += scalar(1 - b2) * g
    if o["weight_decay"]:
        d -= o["weight_decay"] * x
    return d


DECOUPLED = (adamw, lion)


def adam_begin(problem: Problem, point: Point, run: Run) -> Memory:
    names = ("m", "v", "most") if run.options["amsgrad"] else ("m", "v")
    return {**zeros(*names)(problem, point, run), "t": 0}


# ---------------------------------------------------------------- second order


def newton(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """Solve (H + τI) d = −g, with the τ ≥ damping that makes it positive definite."""
    p = state.point
    H = problem.hessian(p.x)
    if not np.isfinite(H).all():
        return None
    values, vectors = np.linalg.eigh(H)
    top = max(abs(float(values[0])), abs(float(values[-1])), 1e-300)
    tau = float(run.options["damping"])
    if values[0] + tau <= 1e-12 * top:
        tau = 1e-3 * top - float(values[0])
    d = -vectors @ ((vectors.T @ p.gradient) / (values + tau))
    return move(problem, state, run, d, {"damping": tau, "least curvature": float(values[0])})


def saddle_free(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """|H|⁻¹g: each eigenvalue by its size, so that negative curvature repels."""
    p = state.point
    H = problem.hessian(p.x)
    if not np.isfinite(H).all():
        return None
    values, vectors = np.linalg.eigh(H)
    top = max(abs(float(values[0])), abs(float(values[-1])), 1e-300)
    sizes = np.maximum(np.abs(values), 1e-8 * top) + run.options["damping"]
    d = -vectors @ ((vectors.T @ p.gradient) / sizes)
    return move(problem, state, run, d, {"least curvature": float(values[0])})


def trust_begin(problem: Problem, point: Point, run: Run) -> Memory:
    """The first radius: how far −g goes to the minimum of the model along it, so that it scales as the problem does."""
    if run.options["radius"] is not None:
        return {"radius": checked_rate(run.options["radius"], "radius")}
    g = point.gradient
    bend = float(g.dot(problem.hvp(point.x, g)))
    along = point.norm**3 / bend if bend > 0 else math.inf
    return {"radius": along if 0 < along < math.inf else max(1.0, norm(point.x))}


def trust_region(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """Shrink the ball until the model is trusted, step, and let it grow where the model was good."""
    p, radius = state.point, state.memory["radius"]
    solve = _subproblem(problem, p, run)
    for trial in range(1, searches.TRIALS + 1):
        d = solve(radius)
        if d is None:
            return None
        d, promised = d
        length = norm(d)
        x = p.x + d
        if promised <= 0 or np.array_equal(x, p.x):
            return None
        value = problem.value(x)
        noise = searches.ROUNDING * 4 * abs(p.value)
        gained = p.value - value
        ratio = (gained + noise) / (promised + noise) if math.isfinite(value) else -1.0
        found = problem.point(x) if ratio > 1e-4 else None
        if found is not None and not found.finite:
            found, ratio = None, -1.0
        radius = _radius(radius, length, ratio)
        if found is not None and (gained > 0 or found.norm < p.norm):
            step = step_between(state.k, p, d, 1.0, x, {"radius": radius, "trials": trial, "gain": ratio})
            point = arrive(problem, state.k + 1, x, found)
            return step, State(state.k + 1, point, {**state.memory, "radius": radius})
        if found is not None:
            radius = length / 4
    return None


def _radius(radius: float, length: float, ratio: float) -> float:
    if ratio < 0.25:
        return length / 4
    return max(radius, 2 * length) if ratio > 0.75 else radius


def _subproblem(problem: Problem, p: Point, run: Run) -> Callable[[float], tuple[np.ndarray, float] | None]:
    """radius ↦ (step, what the model promises)."""
    kind, g = run.options["subproblem"], p.gradient
    if kind == "Steihaug":
        product = functools.partial(problem.hvp, p.x)
        return lambda radius: _promise(searches.steihaug(product, g, radius), g, product)
    H = problem.hessian(p.x)
    if not np.isfinite(H).all():
        return lambda radius: None
    return lambda radius: _promise(searches.SUBPROBLEMS[kind](H, g, radius), g, lambda d: H @ d)


def _promise(d: np.ndarray, g: np.ndarray, product: Any) -> tuple[np.ndarray, float]:
    return d, -float(g.dot(d) + 0.5 * d.dot(product(d)))


# ---------------------------------------------------------------- sums of squares


def residuals_begin(problem: Problem, point: Point, run: Run) -> Memory:
    return {"mu": 0.0, "nu": 2.0, "scale": np.zeros(point.x.size)}


@functools.lru_cache(maxsize=8)
def _jacobian(problem: Problem, function: Any) -> Any:
    return problem.jacobian_of(function)


def _residuals(problem: Problem, run: Run) -> Any:
    function = run.options.get("residuals") or problem.residuals
    if function is None:
        raise InputError(
            f"this method needs the residuals of a sum of squares; {problem.name} returns one number. Give residuals= "
            "a function of the same arguments that returns an array r (the loss is then ½‖r‖²), or minimize that one"
        )
    return function


def gauss_newton(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """The d that minimizes ‖r + Jd‖."""
    r, J = _jacobian(problem, _residuals(problem, run))(state.point.x)
    if not np.isfinite(J).all():
        return None
    return move(problem, state, run, -np.linalg.lstsq(J, r, rcond=None)[0])


def levenberg(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """The d that minimizes ‖r + Jd‖² + μ‖Dd‖², with the μ at which the loss falls as promised."""
    p, function = state.point, _residuals(problem, run)
    r, J = _jacobian(problem, function)(p.x)
    if not np.isfinite(J).all():
        return None
    scale = np.maximum(state.memory["scale"], np.sqrt((J * J).sum(axis=0)))
    D = np.where(scale > 0, scale, 1.0)
    mu, nu = state.memory["mu"] or run.options["damping"], state.memory["nu"]
    share = float(p.gradient.dot(J.T @ r)) / max(float((J.T @ r).dot(J.T @ r)), 1e-300)  # f may be c‖r‖² with another c
    for trial in range(1, searches.TRIALS + 1):
        tall = np.vstack([J, np.diag(math.sqrt(mu) * D)])
        d = -np.linalg.lstsq(tall, np.concatenate([r, np.zeros(p.x.size)]), rcond=None)[0]
        x = p.x + d
        if np.array_equal(x, p.x):
            return None
        Jd = J @ d
        promised = -share * float(r.dot(Jd) + 0.5 * Jd.dot(Jd))
        noise = searches.ROUNDING * 4 * abs(p.value)
        value = problem.value(x)
        ratio = (p.value - value + noise) / (promised + noise) if math.isfinite(value) else -1.0
        found = problem.point(x) if ratio > 1e-4 else None
        if found is not None and found.finite and (value < p.value or found.norm < p.norm):
            mu, nu = mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3), 2.0
            memory = {"mu": max(mu, 1e-15), "nu": nu, "scale": scale}
            step = step_between(state.k, p, d, 1.0, x, {"damping": mu, "trials": trial, "gain": ratio})
            return step, State(state.k + 1, arrive(problem, state.k + 1, x, found), memory)
        mu, nu = mu * nu, 2 * nu
    return None


# ---------------------------------------------------------------- natural gradient


def natural(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """F⁻¹g, F the Fisher information (given), or the mean of the outer products of per-example scores."""
    F = _fisher(problem, state.point, run)
    F = F + run.options["damping"] * np.eye(F.shape[0])
    d = -np.linalg.lstsq(F, state.point.gradient, rcond=None)[0]
    return move(problem, state, run, d)


def _fisher(problem: Problem, p: Point, run: Run) -> np.ndarray:
    given, likelihoods = run.options["fisher"], run.options["log_likelihoods"]
    if given is not None:
        F = problem.values_of(given, p.x)
        if F.size != p.x.size**2:
            raise ShapeError(f"fisher= returned {F.size} numbers: a matrix {p.x.size}×{p.x.size} was wanted")
        return F.reshape(p.x.size, p.x.size)
    if likelihoods is None:
        raise InputError(
            "natural gradient needs the Fisher information: give fisher= a function of the same arguments that returns "
            "the matrix, or log_likelihoods= one that returns the log-likelihood of each example"
        )
    _, scores = _jacobian(problem, likelihoods)(p.x)
    return scores.T @ scores / len(scores)


# ---------------------------------------------------------------- conjugate gradients

BETAS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "Polak-Ribière+": lambda g, old, d: max(0.0, float(g.dot(g - old) / old.dot(old))),
    "Fletcher-Reeves": lambda g, old, d: float(g.dot(g) / old.dot(old)),
    "Hestenes-Stiefel": lambda g, old, d: float(g.dot(g - old) / d.dot(g - old)),
}


def conjugate(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """d ← −g + βd, and −g again where that does not descend; a search for the strong Wolfe conditions, c₂ = 0.1."""
    p, memory = state.point, state.memory
    d, beta = -p.gradient, 0.0
    if "d" in memory:
        beta = _beta(run.options["variant"])(p.gradient, memory["g"], memory["d"])
        along = d + beta * memory["d"]
        if math.isfinite(beta) and along.dot(p.gradient) < -1e-10 * norm(along) * p.norm:
            d = along
        else:
            beta = 0.0
    rate = _first_rate(p, d, memory)
    search = run.search or functools.partial(searches.strong_wolfe, c2=0.1)
    if search is searches.strong_wolfe:
        search = functools.partial(searches.strong_wolfe, c2=0.1)
    found = search(problem, p, d, rate)
    if found.point is None:
        return None if beta == 0 else conjugate(problem, State(state.k, p, {}), run)
    step = step_between(state.k, p, d, found.rate, found.point.x, {"beta": beta, "trials": found.trials})
    kept = {"d": np.array(d), "g": np.array(p.gradient), "drop": found.rate * float(p.gradient.dot(d))}
    return step, State(state.k + 1, arrive(problem, state.k + 1, found.point.x, found.point), kept)


def _first_rate(p: Point, d: np.ndarray, memory: Memory) -> float:
    """So that the first-order change is that of the last step."""
    slope = float(p.gradient.dot(d))
    return min(1e3, memory["drop"] / slope) if memory.get("drop") and slope else min(1.0, 1 / p.norm)


def _beta(variant: str) -> Any:
    if variant not in BETAS:
        raise InputError(unknown(f"variant={variant!r}", variant, list(BETAS)))
    return BETAS[variant]


# ---------------------------------------------------------------- SciPy's


@dataclass
class Recorded:
    """What SciPy's run went through: points after its iterations, and the gradients that it asked for.

    Where all points would not fit `steps.KEEP` bytes, every second one is let go, again and again.
    """

    xs: list[np.ndarray] = field(default_factory=list)
    values: dict[bytes, float] = field(default_factory=dict)
    known: dict[bytes, Point] = field(default_factory=dict)
    ending: str = ""
    error: BaseException | None = None
    count: int = 0
    stride: int = 1

    def add(self, x: np.ndarray) -> None:
        self.count += 1
        if self.count % self.stride:
            return
        self.xs.append(x)
        if len(self.xs) * 4 * x.nbytes > KEEP and len(self.xs) > 16:
            self.xs, self.stride = self.xs[1::2], 2 * self.stride
        if len(self.known) > 2 * len(self.xs) + 16:
            wanted = {x.tobytes() for x in self.xs} | set(list(self.known)[-4:])
            self.known = {key: point for key, point in self.known.items() if key in wanted}
            self.values.clear()


def scipy_begin(name: str, uses: str) -> Callable[[Problem, Point, Run], Memory]:
    """Run SciPy's method in full. `uses`: what it asks for besides gradients (hess, hessp or nothing)."""

    def begin(problem: Problem, point: Point, run: Run) -> Memory:
        log = Recorded(known={point.x.tobytes(): point})
        try:
            done = _in_scipy(name, problem, point, run, log, uses)
            log.ending = "" if done.success else f"SciPy's {name} says: {str(done.message).strip().rstrip('.')}"
            log.xs.append(np.array(done.x))
        except TangentlyError:
            raise
        except (KeyboardInterrupt, FloatingPointError, np.linalg.LinAlgError, ValueError) as error:
            log.error, log.ending = error, f"SciPy's {name} failed: {error}"
        return {"_log": log, "_at": 0}

    return begin


def _in_scipy(name: str, problem: Problem, point: Point, run: Run, log: Recorded, uses: str) -> Any:
    from scipy.optimize import OptimizeWarning, minimize

    options = {"maxiter": run.steps, **_tolerances(name, run), **run.options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it has to say stands in the reason
        warnings.filterwarnings("error", message="Unknown solver options")
        try:
            return minimize(
                x0=np.array(point.x), method=name, callback=_callback(log, run), options=options,
                **_functions(problem, log, uses),
            )  # fmt: skip
        except OptimizeWarning as error:
            raise InputError(f"SciPy's {name} says: {error}. See scipy.optimize.show_options") from None


def _functions(problem: Problem, log: Recorded, uses: str) -> dict[str, Any]:
    def at(x: np.ndarray) -> Point:
        key = x.tobytes()
        if key not in log.known:
            log.known[key] = problem.point(np.array(x))
        return log.known[key]

    def value(x: np.ndarray) -> float:
        key = x.tobytes()
        if key in log.known:
            return log.known[key].value
        if key not in log.values:
            log.values[key] = problem.value(np.array(x))
        return log.values[key]

    second = {"hess": {"hess": problem.hessian}, "hessp": {"hessp": problem.hvp}}
    if uses:  # trust regions look at a value first, and at the gradient where they go on
        return {"fun": value, "jac": lambda x: at(x).gradient, **second[uses]}
    return {"fun": lambda x: (at(x).value, at(x).gradient), "jac": True}


def _tolerances(name: str, run: Run) -> dict[str, float]:
    if name == "L-BFGS-B":
        return {"gtol": run.tolerance / 4, "ftol": 0.0, "maxfun": 100 * run.steps}
    if name == "Newton-CG":
        return {"xtol": 1e-12}
    return {"gtol": run.tolerance / (4 if name == "BFGS" else 1)}


def _callback(log: Recorded, run: Run) -> Any:
    def callback(intermediate_result: Any) -> None:
        log.add(np.array(intermediate_result.x))
        if run.exhausted():
            raise StopIteration

    return callback


def scipy_advance(problem: Problem, state: State, run: Run) -> tuple[Step, State] | None:
    """The next of the recorded steps."""
    log, at = state.memory["_log"], state.memory["_at"]
    while at < len(log.xs) and np.array_equal(log.xs[at], state.point.x):
        at += 1
    if at >= len(log.xs):
        return None
    x = log.xs[at]
    known = log.known.get(x.tobytes()) or problem.point(x)
    notes = {"iterations": log.stride} if log.stride > 1 else NOTHING
    step = step_between(state.k, state.point, known.x - state.point.x, 1.0, known.x, notes)
    return step, State(state.k + 1, known, {"_log": log, "_at": at + 1})


def scipy_method(name: str, scipy_name: str, words: str, uses: str = "", order: int = 1, **options: Any) -> Method:
    return Method(
        name, words, scipy_advance, scipy_begin(scipy_name, uses), options, rate=1.0, order=order, wrapped=True,
        paced=False,
    )  # fmt: skip


# ---------------------------------------------------------------- the table

_ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
_ROWS = [
    Method("gradient descent", "along −∇f", first_order(steepest), options={"weight_decay": 0.0}),
    Method(
        "momentum", "a heavy ball: b ← μb + g", first_order(momentum), zeros("b"),
        {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.0}, 1e-3,
    ),
    Method(
        "Nesterov", "momentum that looks ahead: g + μb", first_order(nesterov), zeros("b"),
        {"momentum": 0.9, "weight_decay": 0.0}, 1e-3,
    ),
    Method(
        "Adagrad", "each entry by the root of its summed squares", first_order(adagrad), adagrad_begin,
        {"rate_decay": 0.0, "eps": 1e-10, "initial": 0.0, "weight_decay": 0.0}, 1e-2,
    ),
    Method(
        "RMSprop", "each entry by the root of its mean square", first_order(rmsprop), zeros("v", "m", "b"),
        {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False, "weight_decay": 0.0}, 1e-2,
    ),
    Method("Adam", "momentum, by the root of the mean square", first_order(adam), adam_begin, _ADAM, 1e-3),
    Method(
        "AdamW", "Adam with decoupled weight decay", first_order(adamw), adam_begin,
        {**_ADAM, "weight_decay": 1e-2}, 1e-3,
    ),
    Method(
        "Lion", "the sign of a momentum", first_order(lion), zeros("m"),
        {"betas": (0.9, 0.99), "weight_decay": 0.0}, 1e-4,
    ),
    Method(
        "Newton", "−(H + τI)⁻¹g, damped until it descends", newton, options={"damping": 0.0}, rate=1.0,
        search="backtracking", order=2,
    ),
    Method(
        "saddle-free Newton", "−|H|⁻¹g: repelled by saddles", saddle_free, options={"damping": 0.0}, rate=1.0,
        search="backtracking", order=2,
    ),
    Method(
        "Gauss-Newton", "least squares of the linearized residuals", gauss_newton, options={"residuals": None},
        rate=1.0, search="backtracking", residuals=True,
    ),
    Method(
        "Levenberg-Marquardt", "Gauss–Newton, damped as trust demands", levenberg, residuals_begin,
        {"residuals": None, "damping": 1e-3}, rate=1.0, residuals=True, paced=False,
    ),
    Method(
        "natural gradient", "−F⁻¹g, F the Fisher information", natural,
        options={"fisher": None, "log_likelihoods": None, "damping": 0.0}, rate=1.0,
    ),
    Method(
        "conjugate gradient", "d ← −g + βd, with a strong Wolfe search", conjugate,
        options={"variant": "Polak-Ribière+"}, rate=1.0, paced=False,
    ),
    Method(
        "trust region", "the minimum of the second-order model in a ball that it is trusted in", trust_region,
        trust_begin, {"subproblem": "exact", "radius": None}, rate=1.0, order=2, paced=False,
    ),
    scipy_method("BFGS", "BFGS", "an inverse Hessian learnt from gradients"),
    scipy_method("L-BFGS", "L-BFGS-B", "BFGS from the last few gradients", maxcor=10),
    scipy_method("Newton-CG", "Newton-CG", "Newton's system by conjugate gradients", "hessp", 2),
    scipy_method("trust-ncg", "trust-ncg", "a trust region by conjugate gradients", "hessp", 2),
    scipy_method("trust-exact", "trust-exact", "a trust region, solved almost exactly", "hess", 2),
    scipy_method("dogleg", "dogleg", "a trust region by Powell's dogleg, for convex functions", "hess", 2),
]  # fmt: skip
METHODS: dict[str, Method] = {row.name: row for row in _ROWS}
ALIASES = {
    "gd": "gradient descent", "sgd": "gradient descent", "steepest descent": "gradient descent",
    "cg": "conjugate gradient",
    "lm": "Levenberg-Marquardt", "levenberg-marquardt": "Levenberg-Marquardt", "lbfgs": "L-BFGS", "l-bfgs-b": "L-BFGS",
    "heavy ball": "momentum", "nesterov momentum": "Nesterov", "gauss-newton": "Gauss-Newton",
}  # fmt: skip


def method_named(name: Any) -> Method:
    """The row of a name, whatever its case, dashes and accents. Raises InputError with a suggestion.

    >>> method_named("levenberg–marquardt").name, method_named("ADAM").name
    ('Levenberg-Marquardt', 'Adam')
    """
    plain = str(name).strip().lower().replace("–", "-").replace("_", " ")
    known = {n.lower(): n for n in METHODS} | ALIASES
    if plain in known:
        return METHODS[known[plain]]
    raise InputError(unknown(f"method={name!r}", name, list(METHODS), known))


def unknown(said: str, got: Any, wanted: list[str], known: Mapping[str, str] | None = None) -> str:
    forms = known or {w.lower(): w for w in wanted}
    near = difflib.get_close_matches(str(got).lower(), list(forms), 1)
    hint = f". Did you mean {forms[near[0]]!r}?" if near else ""
    return f"{said} does not exist; there are {', '.join(wanted)}{hint}"


__all__ = ["METHODS", "Method", "Run", "State", "method_named"]
