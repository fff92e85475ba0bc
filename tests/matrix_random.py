"""Random matrix expressions, and every route to their derivatives; all of them must agree, to second order.

An expression is a tree of operations over named arrays of symbolic shape. What an operation wants and gives is a
pattern: "ij" from "iz" and "zj", where i and j are those of the result and z is any size; "ii+" is positive definite,
so that what is inverted is well-conditioned. The same tree is evaluated with matrices that have no numbers, with traced
arrays, with NumPy and with JAX. Each tree comes with a point at which every intermediate value is of moderate size and
no kink is near.

First order: the closed form by its graph, by its printed formula and by its NumPy source; the reverse sweep; JAX;
differences of the plain NumPy function. Second order: the closed form in the same three ways; the structured Hessian
and its product with a vector; Hessian-vector products; JAX; differences of the gradient.

    python -m tests.matrix_random 2000 [--first 0] [--jax 10] [--processes 2]
"""

from __future__ import annotations

import inspect
import itertools
import random
import sys
import time
import traceback
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import special

import tangently as tg
from tangently import functions as F
from tangently.errors import UnsupportedError
from tangently.expr import Dim, inputs_of, toposort
from tangently.matrices import notation
from tangently.matrices.expressions import Matrix

SIZES = {"n": 3, "m": 4, "k": 2}
LARGEST = 30.0  # no intermediate value is larger
LONGEST = 40  # nodes of a tree


# ---------------------------------------------------------------- the same operations in four worlds

NUMPY = SimpleNamespace(
    exp=np.exp,
    tanh=np.tanh,
    sin=np.sin,
    cos=np.cos,
    sqrt=np.sqrt,
    log=np.log,
    atan=np.arctan,
    abs=np.abs,
    relu=lambda x: np.maximum(x, 0),
    sigmoid=special.expit,
    softplus=lambda x: np.logaddexp(0, x),
    sum=np.sum,
    mean=np.mean,
    trace=np.trace,
    diag=np.diag,
    diagonal=np.diagonal,
    outer=np.outer,
    kron=np.kron,
    inv=np.linalg.inv,
    det=np.linalg.det,
    logdet=lambda x: np.linalg.slogdet(x)[1],
    norm=np.linalg.norm,
    softmax=lambda x: special.softmax(x, axis=-1),
    log_softmax=lambda x: special.log_softmax(x, axis=-1),
    logsumexp=lambda x: special.logsumexp(x, axis=-1),
    eye=lambda x: np.eye(len(x)),
    solve=np.linalg.solve,
    nuclear=lambda x: np.linalg.norm(x, "nuc"),
)
OURS = SimpleNamespace(
    **{name: getattr(F, name) for name in vars(NUMPY) if name not in ("eye", "outer", "nuclear")},
    eye=F.identity_beside,
    outer=lambda a, b: a @ b.T if isinstance(a, Matrix) else F.outer(a, b),
    nuclear=F.nuclear_norm,
)
OURS.softmax, OURS.log_softmax, OURS.logsumexp = (
    (lambda x, f=f: f(x, axis=-1) if x.ndim > 1 else f(x)) for f in (F.softmax, F.log_softmax, F.logsumexp)
)


@lru_cache
def jax_world() -> tuple[Any, SimpleNamespace]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    world = SimpleNamespace(**{name: getattr(jnp, name, None) for name in vars(NUMPY)})
    world.atan, world.inv, world.det, world.norm = jnp.arctan, jnp.linalg.inv, jnp.linalg.det, jnp.linalg.norm
    world.sigmoid, world.softplus, world.relu = jax.nn.sigmoid, jax.nn.softplus, jax.nn.relu
    world.logdet = lambda x: jnp.linalg.slogdet(x)[1]
    world.softmax, world.log_softmax = (lambda x, f=f: f(x, axis=-1) for f in (jax.nn.softmax, jax.nn.log_softmax))
    world.logsumexp = lambda x: jax.nn.logsumexp(x, axis=-1)
    world.eye, world.solve = (lambda x: jnp.eye(len(x))), jnp.linalg.solve
    world.nuclear = lambda x: jnp.linalg.norm(x, "nuc")
    return jax, world


# ---------------------------------------------------------------- operations


@dataclass(frozen=True)
class Operation:
    """`gives` from `wants`; `*` is any shape, the same for all. `far` says how far from 0 the operands must be."""

    text: str
    gives: str
    wants: tuple[str, ...]
    apply: Callable[..., Any]
    weight: float = 1.0
    far: float = 0.0
    rough: bool = False  # a second derivative is not asked for


def _entrywise(name: str, weight: float = 0.5, far: float = 0.0) -> Operation:
    return Operation(f"{name}({{0}})", "*", ("*",), lambda L, a: getattr(L, name)(a), weight, far)


OPERATIONS = [
    # numbers
    Operation("{0}ᵀ{1}", "", ("z", "z"), lambda L, a, b: a.T @ b, 3),
    Operation("{0}ᵀ{1}{2}", "", ("z", "zw", "w"), lambda L, a, b, c: a.T @ b @ c, 3),
    Operation("tr({0})", "", ("zz",), lambda L, a: L.trace(a), 3),
    Operation("sum({0})", "", ("z",), lambda L, a: L.sum(a), 2),
    Operation("sum({0})", "", ("zw",), lambda L, a: L.sum(a), 2),
    Operation("mean({0})", "", ("z",), lambda L, a: L.mean(a), 0.5),
    Operation("mean({0})", "", ("zw",), lambda L, a: L.mean(a), 0.5),
    Operation("‖{0}‖", "", ("z",), lambda L, a: L.norm(a), 1, 0.2),
    Operation("‖{0}‖", "", ("zw",), lambda L, a: L.norm(a), 1, 0.2),
    Operation("‖{0}‖²", "", ("z",), lambda L, a: L.norm(a) ** 2, 1.5),
    Operation("‖{0}‖²", "", ("zw",), lambda L, a: L.norm(a) ** 2, 1.5),
    Operation("‖{0}‖₊", "", ("zw",), lambda L, a: L.nuclear(a), 0.3, 0.2, True),
    Operation("logdet({0})", "", ("zz+",), lambda L, a: L.logdet(a), 2),
    Operation("det({0})", "", ("zz+",), lambda L, a: L.det(a), 1),
    Operation("log(det({0}))", "", ("zz+",), lambda L, a: L.log(L.det(a)), 0.5),
    Operation("logsumexp({0})", "", ("z",), lambda L, a: L.logsumexp(a), 1.5),
    Operation("tr({0} ⊗ {1})", "", ("zz", "ww"), lambda L, a, b: L.trace(L.kron(a, b)), 0.4),
    Operation("‖{0} ⊗ {1}‖²", "", ("zw", "uv"), lambda L, a, b: L.sum(L.kron(a, b) ** 2), 0.2),
    # vectors
    Operation("({0} {1})", "i", ("iz", "z"), lambda L, a, b: a @ b, 5),
    Operation("({0}ᵀ {1})", "i", ("zi", "z"), lambda L, a, b: a.T @ b, 2),
    Operation("diagonal({0})", "i", ("ii",), lambda L, a: L.diagonal(a), 1),
    Operation("rows({0})", "i", ("iz",), lambda L, a: L.sum(a, axis=1), 0.7),
    Operation("columns({0})", "i", ("zi",), lambda L, a: L.sum(a, axis=0), 0.7),
    Operation("softmax({0})", "i", ("i",), lambda L, a: L.softmax(a), 1.2),
    Operation("log_softmax({0})", "i", ("i",), lambda L, a: L.log_softmax(a), 0.7),
    Operation("logsumexp({0})", "i", ("iz",), lambda L, a: L.logsumexp(a), 0.5),
    Operation("{0}⁻¹{1}", "i", ("ii+", "i"), lambda L, a, b: L.inv(a) @ b, 1),
    Operation("solve({0}, {1})", "i", ("ii+", "i"), lambda L, a, b: L.solve(a, b), 0.5),
    Operation("{0}/‖{0}‖", "i", ("i",), lambda L, a: a / L.norm(a), 0.5, 0.2),
    Operation("{0} mean({1})", "i", ("i", "z"), lambda L, a, b: a * L.mean(b), 0.3),
    # matrices
    Operation("{0} {1}", "ij", ("iz", "zj"), lambda L, a, b: a @ b, 5),
    Operation("{0}ᵀ", "ij", ("ji",), lambda L, a: a.T, 3),
    Operation("diag({0})", "ii", ("i",), lambda L, a: L.diag(a), 2),
    Operation("{0} {1}ᵀ", "ij", ("i", "j"), lambda L, a, b: L.outer(a, b), 2.5),
    Operation("({0} + rows {1})", "ij", ("ij", "j"), lambda L, a, b: a + b, 0.7),
    Operation("({0} ∗ rows {1})", "ij", ("ij", "j"), lambda L, a, b: a * b, 0.5),
    Operation("softmax({0})", "ij", ("ij",), lambda L, a: L.softmax(a), 0.7),
    Operation("log_softmax({0})", "ij", ("ij",), lambda L, a: L.log_softmax(a), 0.3),
    Operation("{0}", "ii", ("ii+",), lambda L, a: a, 0.7),
    # positive definite
    Operation("({0} {0}ᵀ + I)", "ii+", ("iz",), lambda L, a: a @ a.T + L.eye(a), 3),
    Operation("({0}ᵀ {0} + I)", "ii+", ("zi",), lambda L, a: a.T @ a + L.eye(a.T), 1.5),
    Operation("(diag({0}²) + I)", "ii+", ("i",), lambda L, a: L.diag(a**2) + L.eye(a), 0.7),
    Operation("diag(exp({0}))", "ii+", ("i",), lambda L, a: L.diag(L.exp(a)), 0.7),
    Operation("{0}⁻¹", "ii+", ("ii+",), lambda L, a: L.inv(a), 1.5),
    Operation("({0} + {1})", "ii+", ("ii+", "ii+"), lambda L, a, b: a + b, 0.7),
    # any shape
    Operation("({0} + {1})", "*", ("*", "*"), lambda L, a, b: a + b, 4),
    Operation("({0} − {1})", "*", ("*", "*"), lambda L, a, b: a - b, 3),
    Operation("{0}∘{1}", "*", ("*", "*"), lambda L, a, b: a * b, 3),
    Operation("{0}/(1 + {1}²)", "*", ("*", "*"), lambda L, a, b: a / (1 + b**2), 0.7),
    Operation("{0}/exp({1})", "*", ("*", "*"), lambda L, a, b: a / L.exp(b), 0.4),
    Operation("{0}/{1}", "*", ("*", "*"), lambda L, a, b: a / b, 0.5, 0.2),
    Operation("2 {0}", "*", ("*",), lambda L, a: 2 * a, 0.7),
    Operation("−{0}", "*", ("*",), lambda L, a: -a, 0.7),
    Operation("{0}/2", "*", ("*",), lambda L, a: a / 2, 0.5),
    Operation("{0}·{1}", "*", ("", "*"), lambda L, a, b: a * b, 1.5),
    Operation("{0}/(1 + {1}²)", "*", ("*", ""), lambda L, a, b: a / (1 + b**2), 0.5),
    Operation("({0} + {1})", "*", ("*", ""), lambda L, a, b: a + b, 0.4),
    Operation("{0}²", "*", ("*",), lambda L, a: a**2, 1),
    Operation("{0}³", "*", ("*",), lambda L, a: a**3, 0.5),
    Operation("√(1 + {0}²)", "*", ("*",), lambda L, a: L.sqrt(1 + a**2), 0.5),
    Operation("log(1 + {0}²)", "*", ("*",), lambda L, a: L.log(1 + a**2), 0.5),
    Operation("log(1 + exp({0}))", "*", ("*",), lambda L, a: L.log(1 + L.exp(a)), 0.5),
    Operation("1/(1 + exp({0}))", "*", ("*",), lambda L, a: 1 / (1 + L.exp(a)), 0.3),
    *[_entrywise(name) for name in ("sin", "cos", "tanh", "exp", "sigmoid", "softplus", "atan")],
    *[_entrywise(name, 0.25, 0.05) for name in ("relu", "abs")],
]

SYMBOLS: dict[str, list[Matrix]] = {
    "": [tg.scalar(v) for v in ("c", "t")],
    "n": [tg.vector(v, "n") for v in ("x", "a")],
    "m": [tg.vector(v, "m") for v in ("y", "b")],
    "k": [tg.vector(v, "k") for v in ("z", "u")],
    "nn": [tg.matrix("A", "n n"), tg.matrix("B", "n n")],
    "mm": [tg.matrix("M", "m m")],
    "kk": [tg.matrix("K", "k k")],
    "mn": [tg.matrix("X", "m n"), tg.matrix("Y", "m n")],
    "nm": [tg.matrix("W", "n m")],
    "mk": [tg.matrix("G", "m k")],
    "km": [tg.matrix("H", "k m")],
    "nk": [tg.matrix("V", "n k")],
    "kn": [tg.matrix("U", "k n")],
}
SPECIAL = [
    tg.matrix("S", "n n", symmetric=True),
    tg.matrix("D", "n n", diagonal=True),
    tg.matrix("Q", "n n", orthogonal=True),
    tg.matrix("P", "n n", positive_definite=True),
]
BY_NAME = {str(s.name): s for group in [*SYMBOLS.values(), SPECIAL] for s in group}


# ---------------------------------------------------------------- trees


@dataclass(frozen=True)
class Tree:
    """An operation on trees, or a symbol."""

    shape: str
    op: Operation | None
    args: tuple[Tree, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return self.name if self.op is None else self.op.text.format(*self.args)

    def nodes(self) -> Iterator[Tree]:
        yield self
        for a in self.args:
            yield from a.nodes()

    def depth(self) -> int:
        return 1 + max((a.depth() for a in self.args), default=-1)

    def names(self) -> list[str]:
        return sorted({t.name for t in self.nodes() if t.op is None})


def run(tree: Tree, world: Any, values: Mapping[str, Any], seen: Callable[..., None] | None = None) -> Any:
    """The value of a tree; equal parts are one object. `seen` is told each operation, its operands and its value."""
    done: dict[Tree, Any] = {}

    def value(t: Tree) -> Any:
        if t not in done:
            if t.op is None:
                done[t] = values[t.name]
            else:
                operands = [value(a) for a in t.args]
                done[t] = t.op.apply(world, *operands)
                if seen is not None:
                    seen(t.op, operands, done[t])
        return done[t]

    return value(tree)


def bound_of(pattern: str, shape: str) -> dict[str, str] | None:
    """The sizes of the letters of a pattern for which it is the shape: i, j; None where it is not."""
    if pattern == "*":
        return {"*": shape} if "+" not in shape else None
    if len(pattern) != len(shape) or pattern.endswith("+") != shape.endswith("+"):
        return None
    found: dict[str, str] = {}
    for p, s in zip(pattern, shape):
        if found.setdefault(p, s) != s:
            return None
    return found


def grow(chance: random.Random, shape: str, depth: int, pool: list[Tree]) -> Tree:
    """A tree of a shape, at most so deep. One that was grown before may be taken again: sharing."""
    again = [t for t in pool if t.shape == shape and t.depth() <= depth]
    if again and chance.random() < 0.15:
        return chance.choice(again)
    if depth == 0 or chance.random() < 0.12:
        return leaf(chance, shape)
    fitting = [(op, b) for op in OPERATIONS if (b := bound_of(op.gives, shape)) is not None]
    op, bound = chance.choices(fitting, [op.weight for op, _ in fitting])[0]
    letters = dict(bound)
    letters["+"] = "+"
    wanted = ["".join([letters.setdefault(c, chance.choice("nnmk")) for c in w]) for w in op.wants]
    tree = Tree(shape, op, tuple([grow(chance, w, depth - 1, pool) for w in wanted]))
    pool.append(tree)
    return tree


def leaf(chance: random.Random, shape: str) -> Tree:
    if shape == "nn+":
        return Tree(shape, None, name="P")
    if shape.endswith("+"):
        op = next(o for o in OPERATIONS if o.text == "({0} {0}ᵀ + I)")
        return Tree(shape, op, (leaf(chance, shape[:2]),))
    if shape == "nn" and chance.random() < 0.4:
        return Tree(shape, None, name=str(chance.choice(SPECIAL).name))
    return Tree(shape, None, name=str(chance.choice(SYMBOLS[shape]).name))


# ---------------------------------------------------------------- cases


@dataclass(frozen=True)
class Case:
    seed: int
    tree: Tree
    at: Mapping[str, Any] = field(compare=False)
    rough: bool = False
    rest: Mapping[str, Any] = field(default_factory=dict, compare=False)  # values of symbols that vanish: u − u

    @property
    def names(self) -> list[str]:
        return self.tree.names()

    def symbolic(self) -> Matrix:
        return run(self.tree, OURS, BY_NAME)

    def function(self, world: Any, names: Sequence[str]) -> Callable[..., Any]:
        """The expression as a function of some of its arrays."""
        values = {**self.rest, **self.at}
        at = lambda *arrays: run(self.tree, world, {**values, **dict(zip(names, arrays))})
        return (lambda: at(), lambda u: at(u), lambda u, v: at(u, v))[len(names)]


class Unfit(Exception):
    """Not a point at which the derivatives can be compared."""


def point(tree: Tree, seed: int) -> dict[str, Any]:
    """Values for the symbols of a tree, with the properties that they were declared with."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name in sorted(BY_NAME):
        shape = tuple([SIZES[str(n)] for n in BY_NAME[name].shape])
        array = rng.normal(size=shape) * 0.7
        found[name] = special_value(BY_NAME[name].properties, array) if shape else float(array)
    return {name: found[name] for name in tree.names()}


def special_value(held: frozenset[str], a: np.ndarray) -> np.ndarray:
    if "positive definite" in held:
        return a @ a.T + np.eye(len(a))
    if "diagonal" in held:
        return np.diag(np.diagonal(a) + np.sign(np.diagonal(a)) / 2)
    if "orthogonal" in held:
        return np.linalg.qr(a)[0]
    return (a + a.T) / 2 if "symmetric" in held else a


def _measure(op: Operation, operands: Sequence[Any], value: Any) -> None:
    size = np.abs(value)
    if not np.all(np.isfinite(value)) or np.max(size) > LARGEST:
        raise Unfit
    if op.far and np.min(np.abs(operands[-1])) < op.far:
        raise Unfit
    if op.rough and np.linalg.svd(operands[0], compute_uv=False).min() < op.far:
        raise Unfit


def fitting_point(tree: Tree, seed: int) -> dict[str, Any] | None:
    for k in range(8):
        at = point(tree, 1000 * seed + k)
        try:
            with np.errstate(all="ignore"):
                run(tree, NUMPY, at, _measure)
        except (Unfit, np.linalg.LinAlgError):
            continue
        return at
    return None


def make(seed: int) -> Case:
    """One expression and a point; the same seed gives the same.

    >>> str(make(3).tree) == str(make(3).tree)
    True
    """
    chance = random.Random(f"matrices {seed}")
    while True:
        shape = "" if chance.random() < 0.75 else chance.choice(["n", "m", "nn", "mn", "nk"])
        tree = grow(chance, shape, chance.choice([2, 3, 3, 4, 4, 5, 6]), [])
        if tree.op is None or tree.depth() > 6 or sum(1 for _ in itertools.islice(tree.nodes(), LONGEST + 1)) > LONGEST:
            continue
        at = fitting_point(tree, seed)
        if at is not None:
            return case_of(seed, tree, at)


def case_of(seed: int, tree: Tree, at: Mapping[str, Any]) -> Case:
    rough = any(t.op is not None and t.op.rough for t in tree.nodes())
    return Case(seed, tree, at, rough)


# ---------------------------------------------------------------- the routes


@dataclass
class Report:
    """What was found: disagreements, refusals, times, and how the formulas were written."""

    failures: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: {"first": [], "second": []})

    def agree(self, route: str, got: Any, want: Any, tolerance: float = 1e-8, scale: float = 1.0) -> None:
        self.counts[f"compared: {route.split(' of ')[0]}"] += 1
        got, want = np.asarray(got, float), np.asarray(want, float)
        if got.size != want.size or np.squeeze(got).shape != np.squeeze(want).shape:
            self.failures.append(f"{route}: shape {got.shape}, wanted {want.shape}")
            return
        got, want = np.squeeze(got), np.squeeze(want)
        apart = np.abs(got - want)
        if not np.all(apart <= tolerance * max(scale, float(np.abs(want).max(initial=0)))):
            self.failures.append(f"{route}: {_short(got)}, wanted {_short(want)}, {np.max(apart):.1e} apart")

    def attempt(self, route: str, f: Callable[[], Any]) -> Any:
        """The value; None where it failed. A refusal in words is counted, anything else is a failure."""
        try:
            return f()
        except UnsupportedError as why:
            self.counts[f"refused: {route.split(' of ')[0]}: {str(why)[:60]}"] += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.failures.append(f"{route}: {type(error).__name__} {str(error)[:150]} ({where.name}:{where.lineno})")
        return None


def _short(a: np.ndarray) -> str:
    return np.array2string(np.ravel(a)[:6], precision=5, separator=", ")


def slopes(f: Callable[[Any], Any], x: Any, step: float = 2e-3) -> np.ndarray:
    """The derivative by differences, extrapolated to sixth order: the axes of the value, then those of x."""
    return (16 * _differences(f, x, step / 2) - _differences(f, x, step)) / 15


def _differences(f: Callable[[Any], Any], x: Any, step: float) -> np.ndarray:
    """Differences of fourth order."""
    base = np.asarray(x, float)
    columns = []
    for k in range(base.size):
        d = np.zeros(base.size)
        d[k] = step
        v = [np.asarray(f(_like(x, base + s * d.reshape(base.shape)))) for s in (-2, -1, 1, 2)]
        columns.append((v[0] - 8 * v[1] + 8 * v[2] - v[3]) / (12 * step))
    return np.stack(columns, -1).reshape(np.shape(columns[0]) + base.shape)


def _like(x: Any, array: np.ndarray) -> Any:
    return array if isinstance(x, np.ndarray) else float(array)


def compiled(source: str) -> Callable[[Mapping[str, Any]], Any]:
    module = types.ModuleType("generated")
    exec(compile(source, "<generated>", "exec"), vars(module))
    function = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == "generated"][-1]
    names = list(inspect.signature(function).parameters)
    return lambda values: function(*[values[n] if n in values else SIZES[n] for n in names])


def closed(report: Report, route: str, m: Matrix, at: Mapping[str, Any], want: Any) -> None:
    """A closed form in its three forms; the formula must be there where there is a closed form."""
    report.attempt(f"graph of {route}", lambda: report.agree(f"graph of {route}", m.evaluate(given(m, at)), want))
    formula = report.attempt(f"formula of {route}", lambda: m.formula)
    if formula is None:
        return
    why = notation.reason(formula)
    order = "second" if route.startswith("hessian") else "first"
    kind = "no closed form" if any("no closed form" in n for n in m.notes) else "index" if why else "matrix"
    report.counts[f"{order} order in {kind} notation"] += 1
    for remark in m.notes:
        if "budget" in remark:
            report.counts[f"{order} order: budget exceeded"] += 1
    report.attempt(f"text of {route}", lambda: (str(m), m.latex()))
    if kind == "no closed form":
        return
    printed = lambda: report.agree(f"formula of {route}", notation.evaluate(formula, at, SIZES), want)
    report.attempt(f"formula of {route}", printed)
    source = report.attempt(f"source of {route}", lambda: m.source("numpy"))
    if source is not None:
        run_it = lambda: report.agree(f"source of {route}", compiled(source)(at), want)
        report.attempt(f"source of {route}", run_it)


def given(m: Matrix, at: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays, and numbers for the sizes: of (u − u)ᵀ(u − u) + I no array is left to read them off."""
    shapes = [n for node in toposort([m.expr]) for n in (*node.shape, *node.params) if isinstance(n, Dim)]
    return {**at, **{name: SIZES[name] for n in shapes for name in n.names()}}


def projected(g: np.ndarray, held: frozenset[str]) -> np.ndarray:
    if "diagonal" in held:
        return np.diag(np.diagonal(g))
    return (g + g.T) / 2 if held & {"symmetric", "positive definite"} else g


def flat(array: np.ndarray, rows: int) -> np.ndarray:
    """The axes of each side flattened, columns stacked."""
    sides = [list(range(rows))[::-1], list(range(rows, array.ndim))[::-1]]
    shape = [int(np.prod([array.shape[k] for k in side])) for side in sides]
    return array.transpose([k for side in sides for k in side]).reshape(shape)


def check(case: Case, with_jax: bool = False, second: bool = True) -> Report:
    """All routes to the derivatives of one expression."""
    report, whole = Report(), case.at
    e = report.attempt("expression", case.symbolic)
    if e is None:
        return report
    held = {str(x.name) for x in inputs_of([e.expr])}  # u − u is 0, and u is gone
    case = replace(case, at={name: v for name, v in whole.items() if name in held}, rest=whole)
    value = run(case.tree, NUMPY, whole)
    report.attempt("graph of value", lambda: report.agree("graph of value", e.evaluate(given(e, case.at)), value))
    report.attempt("formula of value", lambda: _value(report, e, case, value))
    if not isinstance(e, Matrix):
        return report
    chance = random.Random(case.seed)
    names = chance.sample(sorted(case.at), min(3, len(case.at)))
    for name in names:
        (_of_number if not e.shape else _of_array)(report, case, e, name, with_jax)
    if second and not e.shape and not case.rough:
        for name in names[:2]:
            _second(report, case, e, name, with_jax)
        if len(names) > 1:
            _mixed(report, case, e, names[0], names[1])
    return report


def _value(report: Report, e: Matrix, case: Case, value: Any) -> None:
    report.agree("formula of value", notation.evaluate(e.formula, case.at, SIZES), value)
    report.agree("source of value", compiled(e.source("numpy"))(case.at), value)


def timed(report: Report, order: str, seed: int, f: Callable[[], Matrix]) -> Matrix:
    begin = time.perf_counter()
    found = f()
    _ = found.formula
    report.times[order].append((time.perf_counter() - begin, seed))
    return found


def _of_number(report: Report, case: Case, e: Matrix, name: str, with_jax: bool) -> None:
    x, at = BY_NAME[name], case.at
    f = case.function(NUMPY, [name])
    numeric = slopes(f, at[name])
    swept = report.attempt(f"sweep of ∂{name}", lambda: tg.grad(case.function(OURS, [name]))(at[name]))
    if swept is None:
        return
    report.agree(f"sweep of ∂{name}", swept, numeric, 1e-6)
    if with_jax:
        jax, world = jax_world()
        found = report.attempt(f"jax of ∂{name}", lambda: jax.grad(case.function(world, [name]))(at[name]))
        if found is not None:
            report.agree(f"jax of ∂{name}", swept, found)
    want = projected(np.asarray(swept), x.properties)
    g = report.attempt(f"grad of ∂{name}", lambda: timed(report, "first", case.seed, lambda: tg.grad(e, wrt=x)))
    if g is not None:
        closed(report, f"∂{name}", g, at, want)
    j = report.attempt(f"numerator of ∂{name}", lambda: tg.jacobian(e, wrt=x))
    if j is not None:
        closed(report, f"∂{name} in numerator layout", j, at, want.T)


def _of_array(report: Report, case: Case, e: Matrix, name: str, with_jax: bool) -> None:
    x, at = BY_NAME[name], case.at
    numeric = slopes(case.function(NUMPY, [name]), at[name])
    swept = report.attempt(f"sweep of J {name}", lambda: tg.jacobian(case.function(OURS, [name]))(at[name]))
    if swept is None:
        return
    report.agree(f"sweep of J {name}", np.asarray(swept), numeric, 1e-6)
    want = np.asarray(swept).reshape(numeric.shape)
    rows = want.ndim - x.ndim
    turned = want.transpose([*range(rows, want.ndim), *range(rows)])
    for verb, dense, count in ((tg.jacobian, want, rows), (tg.grad, turned, x.ndim)):
        m = report.attempt(
            f"{verb.__name__} of J {name}", lambda v=verb: timed(report, "first", case.seed, lambda: v(e, wrt=x))
        )
        if m is not None:
            closed(report, f"{verb.__name__} J {name}", m, at, flat(dense, count) if x.ndim and m.ndim < 3 else dense)


def _second(report: Report, case: Case, e: Matrix, name: str, with_jax: bool) -> None:
    x, at = BY_NAME[name], case.at
    f = case.function(OURS, [name])
    gradient = tg.grad(f)
    numeric = report.attempt(f"differences of hessian {name}", lambda: slopes(gradient, at[name]))
    found = report.attempt(f"structured of hessian {name}", lambda: tg.hessian(f)(at[name]))
    if found is None or numeric is None:
        return
    dense = np.asarray(found)
    report.agree(f"structured of hessian {name}", dense, numeric, 1e-6)
    if with_jax:
        jax, world = jax_world()
        other = report.attempt(f"jax of hessian {name}", lambda: jax.hessian(case.function(world, [name]))(at[name]))
        if other is not None:
            report.agree(f"jax of hessian {name}", dense, other, 1e-7)
    if x.shape:
        _products(report, name, f, found, dense, at[name])
    h = report.attempt(
        f"closed of hessian {name}", lambda: timed(report, "second", case.seed, lambda: tg.hessian(e, wrt=x))
    )
    if h is not None:
        closed(report, f"hessian {name}", h, at, flat(dense, x.ndim) if x.ndim and h.ndim < 3 else dense)


def _products(report: Report, name: str, f: Callable[..., Any], found: Any, dense: np.ndarray, x: np.ndarray) -> None:
    v = np.random.default_rng(7).normal(size=x.shape)
    want = np.tensordot(dense, v, x.ndim)
    scale = max(1.0, float(np.abs(dense).max()))
    report.attempt(
        f"H@v of hessian {name}", lambda: report.agree(f"H@v of hessian {name}", found @ v, want, scale=scale)
    )
    hvp = lambda: report.agree(f"hvp of hessian {name}", tg.hvp(f)(x, v), want, scale=scale)
    report.attempt(f"hvp of hessian {name}", hvp)


def _mixed(report: Report, case: Case, e: Matrix, a: str, b: str) -> None:
    """∂²e/∂a∂b: a block off the diagonal."""
    x, y = BY_NAME[a], BY_NAME[b]
    by_a = tg.grad(case.function(OURS, [a, b]), wrt=0)
    want = report.attempt(f"differences of hessian {a}, {b}", lambda: slopes(lambda v: by_a(case.at[a], v), case.at[b]))
    grid = report.attempt(f"closed of hessian {a}, {b}", lambda: tg.hessian(e, wrt=(x, y)))
    if want is None or grid is None:
        return
    block = grid[0][1]
    rows = x.ndim
    dense = flat(want, rows) if x.ndim and y.ndim and block.ndim < 3 else want
    found = report.attempt(f"graph of hessian {a}, {b}", lambda: block.evaluate(given(block, case.at)))
    if found is not None:
        report.agree(f"graph of hessian {a}, {b}", found, dense, 1e-6)
    if found is not None and not any("no closed form" in n for n in block.notes):
        printed = lambda: report.agree(
            f"formula of hessian {a}, {b}", notation.evaluate(block.formula, case.at, SIZES), found
        )
        report.attempt(f"formula of hessian {a}, {b}", printed)


# ---------------------------------------------------------------- shrinking


def smaller(tree: Tree) -> Iterator[Tree]:
    """Trees that have a part replaced by one of its own parts of the same shape, or by a symbol."""
    inner = [t for t in tree.nodes() if t is not tree and t.shape == tree.shape]
    if tree.op is not None and not tree.shape.endswith("+"):
        yield from [Tree(tree.shape, None, name=str(SYMBOLS[tree.shape][0].name))]
    yield from dict.fromkeys(inner)
    for k, a in enumerate(tree.args):
        for other in smaller(a):
            yield replace(tree, args=(*tree.args[:k], other, *tree.args[k + 1 :]))


def shrunk(case: Case, fails: Callable[[Case], bool], tries: int = 150) -> Case:
    """The smallest failing case that is found by taking parts away."""
    best = case
    while tries > 0:
        for tree in sorted(dict.fromkeys(smaller(best.tree)), key=lambda t: len(str(t))):
            if len(str(tree)) >= len(str(best.tree)):
                continue
            tries -= 1
            at = fitting_point(tree, case.seed) if tree.op is not None else None
            if at is not None and fails(case_of(case.seed, tree, at)):
                best = case_of(case.seed, tree, at)
                break
            if tries <= 0:
                return best
        else:
            return best
    return best


def minimal(case: Case, failure: str) -> tuple[Case, str]:
    """A small case that fails by the same route, and how."""
    route = failure.split(" of ")[0].split(":")[0]
    same = lambda report: next((f for f in report.failures if f.startswith(route)), "")
    small = shrunk(case, lambda c: bool(same(check(c))))
    return small, same(check(small)) or failure


# ---------------------------------------------------------------- many


def part(seeds: Sequence[int], every: int) -> tuple[list[tuple[int, str, str]], Counter[str], dict[str, list[Any]]]:
    """Failures as (seed, expression, what); counts; times."""
    failures: list[tuple[int, str, str]] = []
    counts: Counter[str] = Counter()
    times: dict[str, list[Any]] = {"first": [], "second": []}
    for seed in seeds:
        case = make(seed)
        report = check(case, with_jax=bool(every) and seed % every == 0)
        failures += [(seed, str(case.tree), f) for f in report.failures]
        counts += report.counts
        counts["expressions"] += 1
        for order, found in report.times.items():
            times[order] += found
    if every:
        jax_world()[0].clear_caches()  # a process that compares thousands would else hold gigabytes of compiled code
    return failures, counts, times


def summary(failures: Sequence[Any], counts: Counter[str], times: Mapping[str, Sequence[Any]]) -> str:
    lines = [f"{n:7,}  {what}" for what, n in sorted(counts.items())]
    for order, found in times.items():
        if found:
            spent = np.array([t for t, _ in found]) * 1e3
            slow = sorted(found, reverse=True)[:5]
            lines.append(
                f"{order} order: median {np.median(spent):.1f} ms, 90% {np.quantile(spent, 0.9):.1f}, "
                f"max {spent.max():.0f}, over 10 ms {np.mean(spent > 10):.0%}; slowest seeds {[s for _, s in slow]}"
            )
    return "\n".join([*lines, f"{len(failures):7,}  failures in {len({f[0] for f in failures})} expressions"])


def main(arguments: Sequence[str]) -> int:
    import argparse
    from concurrent.futures import ProcessPoolExecutor

    parser = argparse.ArgumentParser(prog="python -m tests.matrix_random", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jax", type=int, default=10, help="compare every so many with JAX; 0: none")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--shrink", type=int, default=10, help="how many failures are made smaller")
    given = parser.parse_args(arguments)
    seeds = range(given.first, given.first + given.count)
    parts = [seeds[k : k + 25] for k in range(0, len(seeds), 25)]
    failures: list[Any] = []
    counts: Counter[str] = Counter()
    times: dict[str, list[Any]] = {"first": [], "second": []}
    with ProcessPoolExecutor(given.processes) as pool:
        for found in pool.map(part, parts, [given.jax] * len(parts)):
            failures += found[0]
            counts += found[1]
            for order in times:
                times[order] += found[2][order]
            print(f"{counts['expressions']} expressions, {len(failures)} failures", file=sys.stderr, flush=True)
    first = {}
    for seed, text, what in failures:
        first.setdefault(what.split(" of ")[0] + what.split(":", 1)[1][:25], (seed, text, what))
    for seed, _, what in list(first.values())[: given.shrink]:
        small, why = minimal(make(seed), what)
        print(f"seed {seed}: {small.tree}\n    {why}")
    for seed, text, what in failures:
        print(f"{seed}\t{what}\t{text}")
    print(summary(failures, counts, times))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
