"""Uncertainty that goes through a function: the delta method with Monte Carlo beside it, and Laplace's approximation.

Inputs with mean x and covariance Σ give y = f(x) (nests of numbers and arrays on both sides, flattened in order):

- first order: cov y = J Σ Jᵀ, exact for a linear f (JCGM 100:2008, 5.2.2);
- second order, for normal inputs: E yₐ ≈ fₐ + ½ tr(Hₐ Σ), and ½ tr(Hₐ Σ H_b Σ) more covariance; exact for a quadratic;
- Monte Carlo (JCGM 101:2008): the mean, std and their standard errors s/√n and √((m₄ − s⁴)/n)/(2s) of n draws from
  N(x, Σ), with a seed. Where the delta method and it differ by more than errors explain, the verdict says so.

The share of input i in the variance of y is Jᵢ (Σ Jᵀ)ᵢ / (J Σ Jᵀ): of independent inputs (Jᵢ σᵢ)²/var; of correlated
ones a share may be negative, and they sum to 1.

Laplace (MacKay 1992, Neural Computation 4, 448): where a loss is a negative log posterior with a minimum at ŵ, the
posterior is about N(ŵ, H⁻¹), H the Hessian there; a mean over n examples counts n times. What is no minimum has no such
approximation, so that it is refused: an eigenvalue that is not positive, or a Newton step that is not small beside the
posterior's own width. Whether the loss one std away is ½ higher, as a normal has it, is looked at and told.
−ln evidence = n L(ŵ) + ½ ln det H − (N/2) ln 2π.

Glossary: x the flat inputs, N of them; y the flat outputs, M of them; J M×N; S the covariance Σ; T a factor, Σ = T Tᵀ.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangently import derivatives
from tangently import functions as F
from tangently.compiled import Engine, Wrt
from tangently.descent.problems import Layout, unboxed
from tangently.descent.trajectory import Trajectory
from tangently.errors import BudgetError, DomainError, InputError, ShapeError
from tangently.function import Derived, as_function, grad, hessian, jacobian
from tangently.tracing.dependencies import collect
from tangently.tracing.names import name_of
from tangently.tracing.rebinding import rebound
from tangently.tracing.recording import promote
from tangently.tracing.trees import LEAF, flatten, is_leaf, unflatten

WORK = 4_000_000  # entries of all second derivatives; beyond it the first order is taken alone
MANY = 64  # outputs; the same
LARGE = 3_000  # parameters; the covariance of more is not formed
CLOSE = 0.05  # relative difference of standard deviations that is called agreement
SIGMAS = 4.0  # standard errors of Monte Carlo that are called agreement
UNSETTLED = 0.1  # relative standard error of a standard deviation above which Monte Carlo decides nothing
PROBED = 8  # parameters along which the loss is compared with its quadratic model
SINGULAR = 1e12  # condition number of a precision that is called flat
NEAR = 0.1  # posterior standard deviations that a Newton step may have at a minimum


# ---------------------------------------------------------------- functions of nests as functions of one vector


@dataclass(frozen=True)
class Flat:
    """A function at a point, as one of a flat vector of the inputs that vary: `call(x) -> y`."""

    name: str
    call: Callable[[Any], Any]
    nested: Callable[[Any], Any]  # the same, in the nest that the function returns
    run: Callable[[np.ndarray], np.ndarray]  # `call`, compiled
    at: np.ndarray
    inputs: Layout  # of those that vary, one leaf each
    outputs: Layout
    engine: Engine
    picked: list[bool]
    bound: Any
    y: np.ndarray

    @property
    def labels(self) -> list[str]:
        return self.inputs.labels

    @property
    def output_labels(self) -> list[str]:
        return self.outputs.labels

    @property
    def number(self) -> bool:
        """Is the result a number by itself?"""
        return self.outputs.numbers

    @functools.cached_property
    def jacobian(self) -> np.ndarray:
        with np.errstate(all="ignore"):
            found = np.asarray(jacobian(self.call)(self.at), float).reshape(len(self.y), len(self.at))
        if not np.isfinite(found).all():
            bad = self.labels[int(np.flatnonzero(~np.isfinite(found).all(0))[0])]
            raise DomainError(f"{self.name} has no finite derivative by {bad} at this point: choose another at=")
        return found

    @functools.cached_property
    def kinks(self) -> list[str]:
        """Where f has no derivative at this point, in words."""
        from tangently.studies import broken

        leaves = [promote(leaf, p, path) for leaf, p, path in zip(self.bound.leaves, self.picked, self.bound.paths)]
        with np.errstate(all="ignore"):
            recording = self.engine.record(self.bound, leaves, self.picked)[0]
        return [words for _, words in broken(recording)]

    def entry(self, k: int) -> Callable[[Any], Any]:
        """One output as a function of the vector."""
        return self.nested if self.number else lambda x: self.call(x)[k]

    def hessian(self, k: int) -> np.ndarray:
        n = len(self.at)
        return np.asarray(hessian(self.entry(k))(self.at), float).reshape(n, n)

    def like_output(self, y: np.ndarray) -> Any:
        """Flat outputs in the nest that the function returns."""
        return unflatten(self.outputs.structures[0], [unboxed(v) for v in self.outputs.leaves(y)])

    def arguments(self, x: np.ndarray) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """(args, keywords) of the function where what varies is x."""
        found = iter(self.inputs.leaves(x))
        return self.bound.call([unboxed(next(found)) if p else leaf for p, leaf in zip(self.picked, self.bound.leaves)])

    def like_input(self, x: np.ndarray) -> Any:
        """Flat inputs in the nest that was given."""
        args, keywords = self.arguments(x)
        values = [*args, *keywords.values()]
        return values[0] if len(values) == 1 else tuple(values)


def flat(f: Any, at: Any, wrt: Wrt = None) -> Flat:
    """A function of nests at a point (or where a trajectory ended), as a function of the vector of what varies.

    >>> flat("x^2 y", (3.0, 2.0)).jacobian
    array([[12.,  9.]])
    """
    if isinstance(at, Trajectory):
        at, wrt = _ended(at), at.problem.layout.names if wrt is None else wrt
    function = as_function(f)
    engine = Engine(function, derivatives.value(), wrt)
    bound = _bound(engine, at)
    picked = engine.chosen(bound)
    if not any(picked):
        raise InputError(f"at={at!r:.60}, wrt={wrt!r}: no number or array of {name_of(function)} is to vary there")
    leaves = [promote(leaf, p, path) for leaf, p, path in zip(bound.leaves, picked, bound.paths)]
    free = [np.asarray(leaf, float) for leaf, p in zip(leaves, picked) if p]
    paths = [path for path, p in zip(bound.paths, picked) if p]
    inputs = Layout.of(paths, [LEAF] * len(free), [leaf.shape for leaf in free], paths, single=len(free) == 1)
    x = np.concatenate([leaf.ravel() for leaf in free])
    if not np.isfinite(x).all():
        raise InputError("at= holds a number that is not finite: a point was wanted")
    traced = rebound(function)

    def nested(v: Any) -> Any:
        parts = iter(inputs.leaves(v))
        args, keywords = bound.call([next(parts) if p else leaf for p, leaf in zip(picked, leaves)])
        return traced(*args, **keywords)

    def call(v: Any) -> Any:
        found = [F.reshape(F.array(y), (-1,)) for y in flatten(nested(v))[0]]
        return F.concatenate(found) if len(found) > 1 else found[0]

    steady = collect(function).watchable  # else it draws random numbers, say, which no compiled function would
    run = Derived(call, derivatives.value(), None, "value") if steady else lambda v: np.asarray(call(v), float)
    with np.errstate(all="ignore"):
        outputs = _result(nested(x), name_of(function))
        y = np.asarray(run(x), float)  # the compiled function does not overflow where a naive spelling would
    if not np.isfinite(y).all():
        raise DomainError(f"{name_of(function)} has no finite value at the point given: choose another at=")
    return Flat(name_of(function), call, nested, run, x, inputs, outputs, engine, picked, bound, y)


def _ended(t: Trajectory) -> dict[str, Any]:
    """Where a descent ended, and the data that it held fixed, by the names of the arguments."""
    return {**t.problem.layout.arguments(np.array(t.last.x)), **t.problem.fixed}


def _result(value: Any, name: str) -> Layout:
    """Where the numbers of a result lie."""
    leaves, paths, structure = flatten(value)
    if not sum(np.size(v) for v in leaves):
        raise InputError(
            f"{name} returned {value!r:.60}: numbers or arrays of them were wanted (of a truth, truth * 1.0)"
        )
    return Layout.of([name], [structure], [np.shape(v) for v in leaves], [p or name for p in paths], single=True)


def _bound(engine: Engine, at: Any) -> Any:
    if isinstance(at, dict) and set(at) <= set(engine.signature.parameters):
        return engine.bind((), at)
    if isinstance(at, tuple):
        return engine.bind(at, {})
    return engine.bind((np.asarray(at, float) if isinstance(at, list) else at,), {})


def spread(point: Flat, given: Any, what: str) -> np.ndarray:
    """One number for each varying entry, from a number for all, n numbers in order, or a nest like the inputs."""
    n = len(point.at)
    if is_real(given):
        found = np.full(n, float(given))
    elif isinstance(given, (list, tuple, np.ndarray)) and len(given) == n and all(map(is_real, given)):
        found = np.array(given, float)
    else:
        found = _like(point, given, what)
    if not (np.isfinite(found).all() and (found >= 0).all()):
        raise InputError(f"{what}={given!r:.60}: finite numbers, 0 or more, were wanted")
    return found


def is_real(x: Any) -> bool:
    """A real number, or an array that holds just one; no truth value.

    >>> is_real(0.1), is_real(np.array(2)), is_real(True), is_real(np.ones(1))
    (True, True, False, False)
    """
    return is_leaf(x) and np.ndim(x) == 0 and not isinstance(x, (bool, np.bool_)) and np.asarray(x).dtype.kind in "iuf"


def _like(point: Flat, given: Any, what: str) -> np.ndarray:
    try:
        names = point.engine.signature.parameters
        if isinstance(given, dict) and set(given) <= set(names):
            leaves, paths, _ = flatten({k: given[k] for k in names if k in given})
            paths = [p[2 : p.index("]") - 1] + p[p.index("]") + 1 :] for p in paths]
        else:
            bound = _bound(point.engine, given)
            leaves, paths = bound.leaves, bound.paths
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{what}={given!r:.60}: numbers for {', '.join(point.labels[:6])} were wanted") from error
    wanted, known = point.inputs.paths, dict(zip(paths, leaves))
    if not known or not set(known) <= set(wanted):
        unknown = ", ".join(sorted(set(known) - set(wanted))) or "nothing"
        raise InputError(f"{what}={given!r:.60} names {unknown}; there are {', '.join(wanted)}")
    try:
        parts = [np.broadcast_to(np.asarray(known.get(k, 0.0), float), s) for k, s in zip(wanted, point.inputs.shapes)]
    except ValueError:
        shapes = ", ".join(f"{k} {s}" for k, s in zip(wanted, point.inputs.shapes))
        raise ShapeError(f"{what}={given!r:.60} does not fit; the inputs have the shapes {shapes}") from None
    return np.concatenate([p.ravel() for p in parts])


# ---------------------------------------------------------------- results


@dataclass(frozen=True)
class MonteCarlo:
    """n draws: mean and std in the nest of the output with their standard errors, and what had no value."""

    mean: Any
    std: Any
    covariance: np.ndarray
    mean_error: Any
    std_error: Any
    samples: int
    seed: int
    failed: int
    draws: np.ndarray = field(repr=False)

    def __repr__(self) -> str:
        lost = f", {self.failed} draws without a value" if self.failed else ""
        return (
            f"<Monte Carlo of {self.samples} draws: mean {_shown(self.mean)} ± {_shown(self.mean_error)}, "
            f"std {_shown(self.std)} ± {_shown(self.std_error)}{lost}>"
        )


@dataclass(frozen=True)
class Uncertainty:
    """The uncertainty of f's value: `.mean .std` in the nest of the output, `.covariance` of its flat entries.

    `order` is 2 where the terms of second order are in them; `.first_std` and `.bias` tell the two apart.
    """

    point: Flat = field(repr=False)
    input_covariance: np.ndarray = field(repr=False)
    first: np.ndarray = field(repr=False)  # J Σ Jᵀ
    shift: np.ndarray = field(repr=False)  # ½ tr(H Σ); NaN at order 1
    second: np.ndarray = field(repr=False)  # ½ tr(H Σ H Σ)
    order: int = 2
    monte_carlo: MonteCarlo | None = None
    note: str = ""

    @property
    def value(self) -> Any:
        """f at the mean of the inputs."""
        return self.point.like_output(self.point.y)

    @property
    def bias(self) -> Any:
        """½ tr(H Σ): how far the mean of f lies from f of the mean, to second order."""
        return self.point.like_output(self.shift)

    @property
    def mean(self) -> Any:
        return self.point.like_output(self._mean)

    @property
    def _mean(self) -> np.ndarray:
        return self.point.y + (self.shift if self.order == 2 else 0.0)

    @property
    def covariance(self) -> Any:
        total = self.first + (self.second if self.order == 2 else 0.0)
        return float(total[0, 0]) if self.point.number else total

    @property
    def _std(self) -> np.ndarray:
        return np.sqrt(np.maximum(0.0, np.atleast_2d(self.covariance).diagonal()))

    @property
    def std(self) -> Any:
        return self.point.like_output(self._std)

    @property
    def first_std(self) -> Any:
        """The standard deviation of first order alone."""
        return self.point.like_output(np.sqrt(self.first.diagonal()))

    @property
    def contributions(self) -> dict[str, Any]:
        """The share of each input in the variance of first order (an array where there are several outputs)."""
        J, variance = self.point.jacobian, self.first.diagonal()
        shares = J * (J @ self.input_covariance) / np.where(variance > 0, variance, np.nan)[:, None]
        shares = np.where(variance[:, None] > 0, shares, 0.0)
        found = [float(c[0]) if len(c) == 1 else c for c in shares.T]
        order = np.argsort([-np.max(np.abs(c)) for c in found], kind="stable")
        return {self.point.labels[k]: found[k] for k in order}

    @property
    def agrees(self) -> bool | None:
        """Does Monte Carlo confirm mean and std (None: it was not asked, or it is not settled itself)?"""
        return _compare(self)[0]

    @property
    def verdict(self) -> str:
        """What the comparison with Monte Carlo says, in words."""
        return _compare(self)[1]

    def plot(self, ax: Any = None) -> Any:
        """The density by Monte Carlo with the delta method's normal over it, and the shares of the inputs."""
        from tangently.pictures.surrogates import plot_uncertainty

        return plot_uncertainty(self, ax)

    def __repr__(self) -> str:
        lines = [f"<uncertainty of {self.point.name}, delta method of order {self.order}>"]
        lines += [_line(self, k) for k in range(min(6, len(self.point.y)))]
        lines += [f"  … {len(self.point.y) - 6} more outputs"] * (len(self.point.y) > 6)
        if self.monte_carlo is not None:
            lines.append("  " + repr(self.monte_carlo)[1:-1])
        return "\n".join([*lines, f"  {self.verdict}", *([f"  {self.note}"] * bool(self.note))])


def _line(u: Uncertainty, k: int) -> str:
    """One output: mean ± std, what the second order changed, and the inputs that matter."""
    changed = ""
    if u.order == 2:
        changed = f" (first order {_number(u.point.y[k])} ± {_number(math.sqrt(u.first[k, k]))})"
    shares = [(name, float(np.ravel(v)[k])) for name, v in u.contributions.items()]
    told = ", ".join(f"{name} {v:.1%}" for name, v in sorted(shares, key=lambda s: -abs(s[1]))[:4] if abs(v) >= 5e-4)
    found = f"  {u.point.output_labels[k]} = {_number(u._mean[k])} ± {_number(u._std[k])}{changed}"
    return f"{found}\n    variance from {told}" if told else found


def _number(x: float) -> str:
    return f"{float(x):.6g}"


def _vector(nest: Any) -> np.ndarray:
    return np.concatenate([np.ravel(v) for v in flatten(nest)[0]]).astype(float)


def _shown(nest: Any) -> str:
    found = _vector(nest)
    few = ", ".join(f"{v:.4g}" for v in found[:4])
    return _number(found[0]) if found.size == 1 else f"[{few}{', …' * (found.size > 4)}]"


def _compare(u: Uncertainty) -> tuple[bool | None, str]:
    mc = u.monte_carlo
    if mc is None:
        return None, "no second opinion: samples=0"
    if mc.failed:
        return False, (
            f"{mc.failed} of {mc.samples} draws have no value: "
            "the inputs reach out of the domain, so there is no mean or std"
        )
    mean, std, mean_error, std_error = map(_vector, (mc.mean, mc.std, mc.mean_error, mc.std_error))
    if (std_error > UNSETTLED * std).any():
        return None, (
            "Monte Carlo is not settled (its std has an error of "
            f"{np.nanmax(std_error / np.maximum(std, 1e-300)):.0%}): heavy tails, the variance may not exist"
        )
    off = lambda found: np.abs(found - std) > np.maximum(SIGMAS * std_error, CLOSE * std) + 1e-12 * np.abs(u.point.y)
    lost = lambda found: np.abs(found - mean) > np.maximum(SIGMAS * mean_error, CLOSE * std) + 1e-9 * np.abs(u.point.y)
    one = off(np.sqrt(u.first.diagonal())) | lost(u.point.y)
    two = off(u._std) | lost(u._mean)
    worst = float(np.max(np.abs(u._std - std) / np.maximum(std, 1e-300), initial=0.0, where=std > 0))
    gap = f"std within {worst:.1%} of Monte Carlo's"
    if not two.any():
        needed = one.any() and u.order == 2
        linear = "the linearization alone is not enough; with the second order they agree" if needed else "they agree"
        return True, f"{linear}: {gap}"
    which = ", ".join(np.array(u.point.output_labels)[two][:3])
    return False, (
        f"the linearization fails for {which}: std off by {worst:.1%}; "
        "f bends within the spread of its inputs, so trust Monte Carlo's numbers"
    )


# ---------------------------------------------------------------- the verb


def uncertainty(
    f: Any,
    at: Any,
    std: Any = None,
    *,
    covariance: Any = None,
    method: str = "delta",
    order: int = 2,
    samples: int = 10_000,
    seed: int = 0,
    wrt: Wrt = None,
    count: float = 1.0,
    damping: float = 0.0,
) -> Any:
    """The uncertainty of f's value from that of its arguments: the delta method, with Monte Carlo as second opinion.

    `std` is a number for all, or a nest like the arguments (independent inputs); `covariance` a matrix of the flat
    inputs. `order=1` leaves out the terms of second order; `samples=0` leaves out Monte Carlo. `wrt` names the
    arguments that are uncertain.

    method="laplace": f is a loss (a negative log posterior; a mean over `count` examples) with its minimum at `at`;
    gives the posterior N(ŵ, (count·H + damping·I)⁻¹) as a `Posterior`, whose `.predict(g)` sends it through a function,
    and whose `.verdict` says whether the loss is as near to its quadratic model as that needs. `at` may be what
    `minimize` returned.

    Raises InputError for what is no covariance, DomainError at a point that is no minimum (laplace).

    >>> u = uncertainty("x y", at=(3.0, 2.0), std=(0.1, 0.2), samples=0)
    >>> round(u.std, 6), {k: round(v, 4) for k, v in u.contributions.items()}
    (0.632772, {'y': 0.9, 'x': 0.1})
    >>> X, y = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([0.0, 1.0, 2.0])
    >>> uncertainty(lambda w: 0.5 * np.sum((X @ w - y) ** 2), at=np.array([0.0, 1.0]), method="laplace").std
    array([0.91287093, 0.70710678])
    """
    if str(method).lower() == "laplace":
        if std is not None or covariance is not None:
            raise InputError(
                "method='laplace' finds the covariance itself, from the loss: leave std= and covariance= out"
            )
        return _laplace(flat(f, at, wrt), count, damping)
    if method != "delta":
        raise InputError(f"method={method!r}: 'delta' or 'laplace' was wanted")
    if (count, damping) != (1.0, 0.0):
        raise InputError("count= and damping= belong to method='laplace'; give that, or leave them out")
    if order not in (1, 2):
        raise InputError(f"order={order!r}: 1 or 2 was wanted")
    point = flat(f, at, wrt)
    return _delta(point, _covariance(point, std, covariance), order, whole(samples), seed)


def whole(samples: Any, least: int = 2) -> int:
    """A number of draws: 0, or `least` or more."""
    known = isinstance(samples, (int, np.integer)) and not isinstance(samples, bool)
    if not known or (samples < least and not samples == 0 < least):
        raise InputError(f"samples={samples!r}: a whole number from {least} on was wanted, or 0 for none")
    return int(samples)


def _covariance(point: Flat, std: Any, covariance: Any) -> np.ndarray:
    if (std is None) == (covariance is None):
        raise InputError("give either std= or covariance= of the inputs")
    if covariance is None:
        stds = spread(point, std, "std")
        with np.errstate(over="ignore"):
            found = np.diag(stds**2)
        if not np.isfinite(found).all() or (np.diag(found) < np.finfo(float).tiny)[stds > 0].any():
            raise InputError(
                f"std={std!r:.60}: its square is beyond floating point; measure the inputs in another unit"
            )
        return found
    return _checked(_square(point, covariance))


def _square(point: Flat, covariance: Any) -> np.ndarray:
    """The matrix over the flat inputs; one number's variance, and of one array's shape twice, are such too."""
    n, shapes = len(point.at), point.inputs.shapes
    wanted = f"{n}×{n} was wanted, for {', '.join(point.labels[:6])}{' …' * (n > 6)}; of independent inputs give std="
    try:
        S = np.asarray(covariance, float)
    except (TypeError, ValueError):
        raise InputError(f"covariance={covariance!r:.60} is no matrix: {wanted}") from None
    twice = shapes[0] * 2 if len(shapes) == 1 else (n, n)
    if S.shape not in ((n, n), twice):
        raise ShapeError(f"covariance of shape {S.shape}: {wanted}")
    return S.reshape(n, n)


def _checked(S: np.ndarray) -> np.ndarray:
    """Symmetric, with no negative eigenvalue: judged as correlations, so that no unit hides another."""
    variances = S.diagonal()
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    R = S / scale[:, None] / scale
    if not np.isfinite(R).all() or not np.allclose(R, R.T, rtol=0, atol=1e-8):
        raise InputError("covariance is not symmetric (or not finite): a covariance matrix was wanted")
    least = float(np.linalg.eigvalsh((R + R.T) / 2)[0])
    if least < -1e-10 * len(S):
        worst = float(np.linalg.eigvalsh((S + S.T) / 2)[0])
        raise InputError(f"covariance has the eigenvalue {worst:.3g}: one without negative eigenvalues was wanted")
    return (S + S.T) / 2


def _delta(point: Flat, S: np.ndarray, order: int, samples: int, seed: int) -> Uncertainty:
    J, m, n = point.jacobian, len(point.y), len(point.at)
    notes = [f"kink: {words}, and derivatives say nothing of what lies beyond it" for words in point.kinks]
    if order == 2 and (m > MANY or m * n * n > WORK):
        order = 1
        notes.append(f"first order alone: the second would need {m} Hessians of {n}×{n}")
    shift, second = _second(point, S) if order == 2 else (np.full(m, np.nan), np.zeros((m, m)))
    drawn = _draw(point, S, samples, seed) if samples else None
    return Uncertainty(point, S, J @ S @ J.T, shift, second, order, drawn, "; ".join(notes))


def _second(point: Flat, S: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """½ tr(Hₐ Σ) and ½ tr(Hₐ Σ H_b Σ)."""
    bent = np.stack([point.hessian(k) @ S for k in range(len(point.y))])
    return np.trace(bent, axis1=1, axis2=2) / 2, np.einsum("aij,bji->ab", bent, bent) / 2


def _factor(S: np.ndarray) -> np.ndarray:
    """T with T Tᵀ = Σ; Σ may be singular, and its variances of any size, so correlations are factored."""
    scale = np.sqrt(np.where(S.diagonal() > 0, S.diagonal(), 1.0))
    values, vectors = np.linalg.eigh(S / scale[:, None] / scale)
    return scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))


def generator(seed: Any) -> np.random.Generator:
    """NumPy's generator of a seed."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r}: a whole number, 0 or more, was wanted")
    return np.random.default_rng(seed)


def _draws(mean: np.ndarray, S: np.ndarray, samples: int, seed: Any) -> np.ndarray:
    """From N(mean, Σ), one a row."""
    return mean + generator(seed).standard_normal((samples, len(mean))) @ _factor(S).T


def _draw(point: Flat, S: np.ndarray, samples: int, seed: int) -> MonteCarlo:
    draws = np.stack([tried(point, x) for x in _draws(point.at, S, samples, seed)])
    good = draws[np.isfinite(draws).all(1)]
    n = max(len(good), 1)
    mean = good.mean(0) if len(good) else np.full(len(point.y), np.nan)
    off = good - mean
    variance = (off**2).sum(0) / max(n - 1, 1)
    std = np.sqrt(variance)
    fourth = np.sqrt(np.maximum((off**4).sum(0) / n - variance**2, 0.0) / n)
    error = np.divide(fourth, 2 * std, out=np.zeros_like(std), where=std > 0)
    as_out = point.like_output
    return MonteCarlo(
        as_out(mean), as_out(std), off.T @ off / max(n - 1, 1), as_out(std / math.sqrt(n)), as_out(error),
        samples, seed, samples - len(good), good,
    )  # fmt: skip


def tried(point: Flat, x: np.ndarray) -> np.ndarray:
    """The function's value at a draw; NaN where it has none."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(point.run(x), float)
    except (DomainError, ArithmeticError):
        return np.full(len(point.y), np.nan)


# ---------------------------------------------------------------- Laplace's approximation


@dataclass(frozen=True)
class Posterior:
    """N(ŵ, (count·H + damping·I)⁻¹): `.mean .std` in the nest of the parameters, `.covariance` of the flat entries."""

    point: Flat = field(repr=False)
    precision: Any = field(repr=False)  # structured
    covariance: np.ndarray = field(repr=False)
    count: float
    damping: float
    newton: float  # the length of the Newton step, in posterior standard deviations

    @property
    def mean(self) -> Any:
        return self.point.like_input(self.point.at)

    @property
    def std(self) -> Any:
        return self.point.like_input(np.sqrt(self.covariance.diagonal()))

    @property
    def log_evidence(self) -> float:
        """ln of the integral of exp(−count·loss): −count·loss + (N/2) ln 2π − ½ ln det(precision)."""
        n = len(self.point.at)
        return float(-self.count * self.point.y[0] + n / 2 * math.log(2 * math.pi) - self.precision.logdet() / 2)

    def sample(self, samples: int, seed: int = 0) -> np.ndarray:
        """Draws of the flat parameters, one a row."""
        return _draws(self.point.at, self.covariance, whole(samples, 1), seed)

    @functools.cached_property
    def rises(self) -> dict[str, tuple[float, float]]:
        """By how much count·loss rises where a parameter lies one std below and above, the others following it.

        Half in each case, were the posterior this normal; of the parameters with the largest std.
        """
        sigma = np.sqrt(self.covariance.diagonal())
        chosen = sorted(np.argsort(-sigma, kind="stable")[:PROBED].tolist())
        return {self.point.labels[k]: self._rise(self.covariance[k] / sigma[k]) for k in chosen}

    def _rise(self, d: np.ndarray) -> tuple[float, float]:
        rest = self.damping / 2 * float(d @ d)
        ends = [float(tried(self.point, self.point.at + side * d)[0]) for side in (-1.0, 1.0)]
        low, high = (self.count * (end - float(self.point.y[0])) + rest for end in ends)
        return low, high

    @property
    def normal(self) -> bool:
        """Is the loss, one std away, within a factor of two of what a normal posterior has?"""
        return all(0.25 <= v <= 1.0 for pair in self.rises.values() for v in pair)

    @property
    def verdict(self) -> str:
        """What the loss itself says of the approximation, in words."""
        worst = max(self.rises, key=lambda k: max(abs(math.log(2 * v)) if v > 0 else math.inf for v in self.rises[k]))
        low, high = self.rises[worst]
        told = f"one std below and above in {worst} the loss rises by {low:.3g} and {high:.3g} (½ of a normal)"
        return told if self.normal else f"the posterior is not this normal: {told}; draw from exp(−loss) instead"

    def predict(self, g: Any, *, order: int = 2, samples: int = 10_000, seed: int = 0) -> Uncertainty:
        """The uncertainty of g(parameters), g a function of the loss's arguments, or of those that vary.

        >>> post = uncertainty("(w - 1)^2 / 2", at=1.0, method="laplace")
        >>> post.predict("3w", samples=0).std
        3.0
        """
        point = flat(g, *self._arguments_of(g))
        if len(point.at) != len(self.point.at):
            raise ShapeError(
                f"{point.name} takes {len(point.at)} numbers; the posterior has {len(self.point.at)}: "
                f"{', '.join(self.point.labels[:6])}"
            )
        return _delta(point, self.covariance, order, whole(samples), seed)

    def _arguments_of(self, g: Any) -> tuple[Any, Wrt]:
        """The arguments for g, and which of them vary: as many as of the loss, or those that vary alone."""
        args, keywords = self.point.arguments(self.point.at)
        bound, given = self.point.bound, {**dict(zip(self.point.engine.signature.parameters, args)), **keywords}
        free = [n for n in given if any(p and o == n for p, o in zip(self.point.picked, bound.owners))]
        names = list(Engine(as_function(g), derivatives.value()).signature.parameters)
        if len(names) == len(given):
            return tuple(given.values()), tuple(names[k] for k, n in enumerate(given) if n in free)
        if len(names) != len(free):
            raise InputError(f"predict wants a function of {', '.join(free)}; {name_of(g)} takes {', '.join(names)}")
        return tuple(given[n] for n in free), None

    def plot(self, ax: Any = None) -> Any:
        """The parameters with intervals of two standard deviations."""
        from tangently.pictures.surrogates import plot_posterior

        return plot_posterior(self, ax)

    def __repr__(self) -> str:
        sigma = np.sqrt(self.covariance.diagonal())
        rows = list(zip(self.point.labels, self.point.at, sigma))
        lines = [f"<Laplace approximation at the minimum of {self.point.name}: {len(rows)} parameters>"]
        lines += [f"  {label} = {_number(x)} ± {_number(s)}" for label, x, s in rows[:8]]
        lines += [f"  … {len(rows) - 8} more"] * (len(rows) > 8)
        more = f", damping {self.damping:g}" if self.damping else ""
        lines.append(f"  precision {self.precision.structure}{more}; ln evidence {self.log_evidence:.6g}")
        return "\n".join([*lines, f"  {self.verdict}", *[f"  kink: {words}" for words in self.point.kinks]])


def _laplace(point: Flat, count: float, damping: float) -> Posterior:
    if len(point.y) != 1:
        raise ShapeError(f"method='laplace' needs a loss, one number; {point.name} returned {len(point.y)}")
    known = is_real(count) and is_real(damping)
    if not known or not (count > 0 and damping >= 0 and math.isfinite(count + damping)):
        raise InputError(
            f"count={count!r}, damping={damping!r}: a positive count and a damping of 0 or more were wanted"
        )
    if len(point.at) > LARGE:
        raise BudgetError(
            f"{len(point.at)} parameters: the covariance of at most {LARGE} is formed; choose some by wrt="
        )
    loss = point.entry(0)
    found = hessian(loss)(point.at)
    precision = _precision(found if count == 1 else found * count, damping)
    covariance = _inverse(point, precision)
    slope = count * np.asarray(grad(loss)(point.at), float)
    newton = math.sqrt(max(0.0, float(slope @ covariance @ slope)))
    if newton > NEAR:
        raise DomainError(
            f"{point.name} has no minimum at this point: the gradient has length {np.linalg.norm(slope) / count:.3g}, "
            f"and the Newton step is {newton:.3g} posterior standard deviations long; minimize first (tg.minimize)"
        )
    return Posterior(point, precision, covariance, float(count), float(damping), newton)


def _precision(H: Any, damping: float) -> Any:
    from tangently.structured import Dense, Structured

    found = H if isinstance(H, Structured) else Structured((len(H),), (Dense(np.asarray(H, float)),))
    return found.ridge(damping) if damping else found


def _inverse(point: Flat, precision: Any) -> np.ndarray:
    """The covariance; each parameter in the unit that makes its own curvature 1, so that no unit hides another."""
    from scipy.linalg import LinAlgError, cho_solve, cholesky

    H = np.asarray(precision.matrix(), float)
    scale = np.sqrt(np.where(H.diagonal() > 0, H.diagonal(), 1.0))
    R = H / scale[:, None] / scale
    try:
        found = cho_solve((cholesky(R, lower=True), True), np.eye(len(R)))
    except LinAlgError:
        found = None
    if found is None or not np.linalg.norm(R, 1) * np.linalg.norm(found, 1) < SINGULAR:
        raise DomainError(_no_minimum(point, *np.linalg.eigh(H)))
    return (found + found.T) / 2 / scale[:, None] / scale


def _no_minimum(point: Flat, values: np.ndarray, vectors: np.ndarray) -> str:
    vector = vectors[:, 0]
    main = np.argsort(-np.abs(vector))[:3]
    main = [k for k in main if abs(vector[k]) > 1e-3]
    along = ", ".join(f"{point.labels[k]} {vector[k]:+.2g}" for k in main)
    kind = "a saddle or maximum" if values[0] < -1e-10 * abs(values).max() else "flat"
    return (
        f"{point.name} has no strict minimum at this point: it is {kind} along {along} (curvature {values[0]:.3g}); "
        f"minimize further, or give damping= more than {max(0.0, -values[0]):.3g} (a prior's precision)"
    )


__all__ = [
    "Flat",
    "MonteCarlo",
    "Posterior",
    "Uncertainty",
    "flat",
    "generator",
    "spread",
    "tried",
    "uncertainty",
    "whole",
]
