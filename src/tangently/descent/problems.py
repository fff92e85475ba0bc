"""A function of numbers, arrays and nests of them as a function f(x) of one flat vector x of float64.

`Problem` keeps the user's arguments in the order of the signature: those with a start are laid end to end in x, those
given as `data=` are held fixed (or sampled in mini-batches along their first axis), the rest keep their defaults. The
leaves that the function sees are views of x, so nothing is copied on the way in. Values and gradients come from one
compiled function; the Hessian comes as a matrix, N×N; every evaluation is counted.

A point where the function has no value (log of a negative number, a division by zero) has the value nan here, so that
a line search can step back from it; `trouble` then holds the error that names the place in the graph.

Mini-batches: the order of the rows in epoch e is the permutation drawn by NumPy's generator with the seed
(seed, e), so the batch of step k is a function of (seed, k) alone and every run can be reproduced and resumed exactly.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently import derivatives
from tangently.compiled import Engine, Selection, Transformation, Transformed
from tangently.descent.steps import Point, frozen, norm
from tangently.errors import DomainError, InputError, ShapeError, TangentlyError
from tangently.expr import Expr
from tangently.function import Derived, as_function
from tangently.tracing.names import name_of
from tangently.tracing.rebinding import rebound
from tangently.tracing.recording import Recording, input_names, origin, promote
from tangently.tracing.trees import LEAF, Structure, flatten, unflatten

Arguments = dict[str, Any]


@dataclass
class Counts:
    """How often what was evaluated. A gradient comes with its value, and is not counted as a value too."""

    values: int = 0
    gradients: int = 0
    products: int = 0  # Hessian times vector
    hessians: int = 0
    jacobians: int = 0

    @property
    def total(self) -> int:
        return self.values + self.gradients + self.products + self.hessians + self.jacobians


@dataclass(frozen=True)
class Batches:
    """Rows of the data that a step sees: `size` of `count`, by a permutation in each epoch."""

    size: int
    count: int
    seed: int

    @property
    def in_epoch(self) -> int:
        return math.ceil(self.count / self.size)

    def rows(self, k: int) -> np.ndarray:
        """The rows of step k.

        >>> sorted(np.concatenate([Batches(2, 5, seed=0).rows(k) for k in range(3)]).tolist())
        [0, 1, 2, 3, 4]
        """
        epoch, place = divmod(k, self.in_epoch)
        return _permutation(self.seed, epoch, self.count)[place * self.size : (place + 1) * self.size]


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)


@dataclass(frozen=True)
class Layout:
    """Where leaves lie in a flat vector x, and how they are put back: of free arguments, or of a result."""

    names: tuple[str, ...]  # the free arguments
    structures: tuple[Structure, ...]
    shapes: tuple[tuple[int, ...], ...]
    paths: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    single: bool  # the start was one argument's value

    @classmethod
    def of(cls, names: Sequence[str], structures: Sequence[Structure], shapes: Sequence[Any], paths: Sequence[str], *,
           single: bool) -> Layout:  # fmt: skip
        """End to end in the order given."""
        ends = np.cumsum([math.prod(s) for s in shapes], dtype=int).tolist()
        spans = tuple(zip([0, *ends[:-1]], ends))
        return cls(tuple(names), tuple(structures), tuple(shapes), tuple(paths), spans, single)

    @property
    def size(self) -> int:
        return self.spans[-1][1] if self.spans else 0

    @functools.cached_property
    def numbers(self) -> bool:
        """Is every leaf a number and an argument of its own?"""
        return all(s == LEAF for s in self.structures) and all(shape == () for shape in self.shapes)

    @functools.cached_property
    def vector(self) -> bool:
        """Is it one argument, a vector?"""
        return self.structures == (LEAF,) and len(self.shapes[0]) == 1

    def leaves(self, x: Any) -> list[Any]:
        """The leaves as views (numbers where the user has numbers); x may be traced."""
        return [x[a] if s == () else x[a:b].reshape(s) for (a, b), s in zip(self.spans, self.shapes)]

    def arguments(self, x: Any) -> Arguments:
        leaves = iter(self.leaves(x))
        return {n: unflatten(s, [next(leaves) for _ in range(_count(s))]) for n, s in zip(self.names, self.structures)}

    @functools.cached_property
    def labels(self) -> list[str]:
        """A name for each entry of x: `x`, `w[2]`, `W1[0, 2]`."""
        short = input_names(list(self.paths))
        return [_entry(name, index) for name, s in zip(short, self.shapes) for index in np.ndindex(*s)]


def _entry(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _count(s: Structure) -> int:
    from tangently.tracing.trees import count_leaves

    return count_leaves(s)


class Problem:
    """f as a function of one flat vector. Made by `problem_of`.

    >>> p = problem_of("x^2 + 3y", (1.0, 2.0))
    >>> p.labels, p.start, p.value(p.start)
    (['x', 'y'], array([1., 2.]), 7.0)
    >>> p.value_and_gradient(np.array([1.0, 2.0])), p.counts.gradients
    ((7.0, array([2., 3.])), 1)
    """

    def __init__(
        self, function: Any, layout: Layout, start: np.ndarray, fixed: Arguments, batches: Batches | None
    ) -> None:
        self.function, self.layout, self.start = function, layout, frozen(start)
        self.fixed, self.batches = fixed, batches
        self.counts, self.trouble = Counts(), ""
        self.name = name_of(function)
        self._now = dict(fixed)
        self._tail: tuple[Any, ...] | None = None
        self._order = list(Engine(function, derivatives.value()).signature.parameters.values())

    # ---- the arguments

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    def labels(self) -> list[str]:
        return self.layout.labels

    def pack(self, x: np.ndarray) -> Any:
        """x in the user's own form: as the start was given (copies; numbers are floats)."""
        found = self.layout.arguments(np.array(x))
        found = {n: unboxed(v) for n, v in found.items()}
        return found[self.layout.names[0]] if self.layout.single else self._as_given(found)

    def _as_given(self, found: Arguments) -> Any:
        return tuple(found.values()) if self.given_as is tuple else found

    given_as: type = dict
    residuals: Any = None  # of a sum of squares
    lost_at: np.ndarray | None = None  # the last trial point where f had no finite value

    def flat(self, x: Any) -> np.ndarray:
        """The vector of a point in the user's form, or of one that is flat already."""
        if isinstance(x, np.ndarray) and x.shape == (self.size,) and x.dtype.kind == "f":
            return np.array(x, float)
        leaves = flatten(x)[0]
        joined = np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in leaves]) if leaves else np.zeros(0)
        if joined.size != self.size:
            raise ShapeError(f"a point with {joined.size} entries was given; {self.name} has {self.size} ({self._who})")
        return joined

    @property
    def _who(self) -> str:
        return ", ".join(self.labels[:6]) + (" …" if self.size > 6 else "")

    def call(self, x: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """(args, keywords) of the function at x, in the order of its signature."""
        given = {**self._now, **self.layout.arguments(x)}
        return _ordered(self._order, given)

    def _args(self, x: np.ndarray) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """As `call`, by the shortest way for the commonest forms."""
        if self._by_numbers:
            return tuple(x.tolist()), {}
        return ((x,), {}) if self._plain and self.layout.vector else self.call(x)

    @functools.cached_property
    def _plain(self) -> bool:
        names = [p.name for p in self._order]
        return names == list(self.layout.names) and all(p.kind == p.POSITIONAL_OR_KEYWORD for p in self._order)

    @functools.cached_property
    def _by_numbers(self) -> bool:
        return self._plain and self.layout.numbers

    def at_step(self, k: int) -> None:
        """Let the function see the batch of step k."""
        if self.batches is not None:
            rows = self.batches.rows(k)
            self._now = {n: _rows(v, rows) for n, v in self.fixed.items()}

    def on_all(self) -> None:
        """Let the function see all of the data again."""
        self._now = dict(self.fixed)

    @property
    def stochastic(self) -> bool:
        return self.batches is not None and self.batches.size < self.batches.count

    # ---- what is evaluated

    @functools.cached_property
    def _value(self) -> Derived:
        return Derived(self.function, derivatives.value(), None, "value")

    @functools.cached_property
    def _both(self) -> Derived:
        return Derived(self.function, flat_value_and_gradient(), self.layout.names, "value_and_grad")

    def value(self, x: np.ndarray) -> float:
        """f(x); nan where there is no value."""
        self.counts.values += 1
        args, keywords = self._args(x)
        try:
            found = float(self._value(*args, **keywords))
        except (DomainError, ArithmeticError) as error:
            found = self._lost(error)
        if not math.isfinite(found):
            self.lost_at = np.array(x)
        return found

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """f(x) and ∇f(x), flat and new (nan where there is no value)."""
        self.counts.gradients += 1
        try:
            if self._by_numbers:
                found = self._both(*x.tolist())
                return float(found[0]), np.array(found[1:], float)
            args, keywords = self._args(x)
            found = self._both(*args, **keywords)
        except (DomainError, ArithmeticError) as error:
            return self._lost(error), np.full(self.size, np.nan)
        return float(found[0]), self._joined(found)

    def _joined(self, found: Any) -> np.ndarray:
        if len(found) == 2 and isinstance(found[1], np.ndarray):
            return np.array(found[1], float).reshape(-1)
        if self.layout.numbers:
            return np.array(found[1:], float)
        out = np.empty(self.size)
        for (a, b), g in zip(self.layout.spans, found[1:]):
            out[a:b] = g.reshape(-1) if isinstance(g, np.ndarray) else g
        return out

    def _lost(self, error: Exception) -> float:
        self.trouble = str(error)
        return math.nan

    def point(self, x: np.ndarray) -> Point:
        """x with its value and gradient."""
        value, gradient = self.value_and_gradient(x)
        x.flags.writeable = gradient.flags.writeable = False
        return Point(x, value, gradient, norm(gradient))

    def hvp(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """∇²f(x)·v."""
        self.counts.products += 1
        return np.array(self._product(x, *self._rest, v), float)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²f(x), a matrix N×N."""
        self.counts.hessians += 1
        found = self._second(x, *self._rest)
        return np.array(found.matrix() if hasattr(found, "matrix") else found, float).reshape(self.size, self.size)

    @functools.cached_property
    def _second(self) -> Derived:
        return Derived(self.flattened(self.function), derivatives.hessian(), "v", "hessian")

    @functools.cached_property
    def _product(self) -> Derived:
        return Derived(self.flattened(self.function), derivatives.hvp(), "v", "hvp")

    @property
    def _rest(self) -> tuple[Any, ...]:
        return tuple(self._now.values())

    def flattened(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function (of the same arguments as f) as one of the flat vector v and of what is fixed."""
        order, layout, names = self._order, self.layout, tuple(self._now)
        inner = rebound(function)

        def flat(v: Any, *rest: Any) -> Any:
            args, keywords = _ordered(order, {**dict(zip(names, rest)), **layout.arguments(v)})
            return inner(*args, **keywords)

        flat.__name__ = name_of(function)
        return flat

    def jacobian_of(self, function: Callable[..., Any]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """For a function of the same arguments that returns numbers: x ↦ (them, flat; their Jacobian, M×N)."""
        flat = self.flattened(function)
        from tangently.function import jacobian

        push = jacobian(flat, wrt="v")

        def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            self.counts.jacobians += 1
            values = flatten(flat(x, *self._rest))[0]
            r = np.concatenate([np.ravel(np.asarray(v, float)) for v in values])
            J = [np.reshape(np.asarray(b, float), (-1, self.size)) for b in flatten_blocks(push(x, *self._rest))]
            return r, np.concatenate(J)

        return both

    def values_of(self, function: Callable[..., Any], x: np.ndarray) -> np.ndarray:
        """What a function of the same arguments returns at x, flat."""
        args, keywords = _ordered(self._order, {**self._now, **self.layout.arguments(x)})
        return np.concatenate([np.ravel(np.asarray(v, float)) for v in flatten(function(*args, **keywords))[0]])

    def whereabouts(self, x: np.ndarray) -> str:
        """Where in the graph a value that is not finite began, in words ('' where nothing is found)."""
        if not np.isfinite(x).all():
            return "The step itself left the range of numbers"
        try:
            return origin(self.traced(x, derivatives.value())[0])
        except (DomainError, ArithmeticError) as error:
            return str(error)

    def traced(self, x: np.ndarray, transformation: Transformation) -> tuple[Recording, Selection]:
        """The graph of the function at x, and what of it a transformation is with respect to."""
        engine = Engine(self.function, transformation, self.layout.names)
        bound = engine.bind(*self.call(np.array(x)))
        picked = engine.chosen(bound)
        leaves = [promote(leaf, p, path) for leaf, p, path in zip(bound.leaves, picked, bound.paths)]
        return engine.record(bound, leaves, picked)

    @property
    def graph(self) -> list[Expr]:
        """f and each leaf of its gradient as expressions, as traced at the start."""
        rule = flat_value_and_gradient()
        return list(rule.build(*self.traced(self.start, rule)).outputs)

    def __repr__(self) -> str:
        return f"<Problem: {self.name} of {self.size} numbers ({self._who})>"


def flatten_blocks(found: Any) -> list[Any]:
    """The blocks of a Jacobian of a flat vector: one array, or a nest of them."""
    return [found] if isinstance(found, np.ndarray) else flatten(found)[0]


def unboxed(v: Any) -> Any:
    """NumPy's numbers as Python's."""
    return float(v) if isinstance(v, (np.floating, float)) else v


def _rows(v: Any, rows: np.ndarray) -> Any:
    return v[rows] if isinstance(v, np.ndarray) and v.ndim else v


def _ordered(order: list[inspect.Parameter], given: Arguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What is given, by position as far as possible; defaults fill the gaps between."""
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for p in order:
        if p.kind == p.VAR_POSITIONAL:
            args += given.get(p.name, ())
        elif p.name in given or p.default is not p.empty:
            value = given.get(p.name, p.default)
            if p.kind == p.KEYWORD_ONLY:
                keywords[p.name] = value
            else:
                args.append(value)
    return tuple(args), keywords


def flat_value_and_gradient() -> Transformation:
    """(value, gradient of each leaf in order), not packed into nests."""

    def build(r: Recording, s: Selection) -> Transformed:
        y = derivatives.single_output(r, "minimize")
        grads, names = derivatives.named_pullback(r, s, y)
        return Transformed([y, *grads], None, names)

    return Transformation("value_and_gradient", build)


# ---------------------------------------------------------------- from what the user gives


def problem_of(
    f: Any, start: Any = None, data: Mapping[str, Any] | None = None, batch: int | None = None, seed: int = 0
) -> Problem:
    """The problem of a function, a start (as `at=` elsewhere: a value, a tuple of arguments, a dict by name) and data.

    Raises InputError where arguments are missing or unknown, or the start is not made of finite numbers.
    """
    if isinstance(f, Problem):
        return f
    function = as_function(f)
    order = list(Engine(function, derivatives.value()).signature.parameters.values())
    fixed = _checked_data(data or {}, order, function)
    free, given_as = _free(function, order, start, fixed)
    free = {p.name: free[p.name] for p in order if p.name in free}
    layout, vector = _laid_out(free, single=given_as is None)
    problem = Problem(function, layout, vector, fixed, _batches(fixed, batch, seed))
    problem.given_as = given_as or dict
    return problem


def _checked_data(data: Mapping[str, Any], order: list[inspect.Parameter], function: Any) -> Arguments:
    names = [p.name for p in order]
    for name in data:
        if name not in names:
            raise InputError(f"data={name!r}: {_unknown(function, name, names)}")
    return {n: _array(v) for n, v in data.items()}


def _array(v: Any) -> Any:
    return np.asarray(v) if isinstance(v, list) else v


def _unknown(function: Any, name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    hint = f". Did you mean {near[0]!r}?" if near else ""
    return f"{name_of(function)} has no such argument; it has {', '.join(names)}{hint}"


def _free(function: Any, order: list[inspect.Parameter], start: Any, fixed: Arguments) -> tuple[Arguments, type | None]:
    """The free arguments with their starts, and how they were given: a tuple, a dict, or (None) one value."""
    open_ = [p for p in order if p.name not in fixed and p.kind not in (p.VAR_KEYWORD,)]
    names = [p.name for p in open_]
    needed = [p.name for p in open_ if p.default is p.empty and p.kind != p.VAR_POSITIONAL]
    if start is None:
        return _defaults(function, open_, needed)
    if isinstance(start, dict) and start and set(start) <= set(names):
        return _none_missing(function, dict(start), needed), dict
    if len(open_) == 1 and open_[0].kind == open_[0].VAR_POSITIONAL:
        return {names[0]: tuple(start) if isinstance(start, (tuple, list)) else (start,)}, None
    if isinstance(start, (tuple, list)) and 1 < len(start) <= len(names) and len(needed) != 1:
        return _none_missing(function, dict(zip(names, start)), needed), tuple
    if not names:
        raise InputError(f"{name_of(function)} has no argument that could be varied")
    if len(needed) > 1:
        raise InputError(
            f"{name_of(function)} needs a start for {', '.join(needed)}; got {start!r:.60}. Give a tuple in that order,"
            " or a dict by name; what is not to be varied goes into data="
        )
    return {(needed or names)[0]: _one_value(start)}, None


def _one_value(start: Any) -> Any:
    """Plain lists and tuples of numbers are one array."""
    if isinstance(start, (list, tuple)) and all(isinstance(v, (int, float, np.number, list)) for v in start):
        return np.asarray(start, float)
    return start


def _defaults(function: Any, open_: list[inspect.Parameter], needed: list[str]) -> tuple[Arguments, type | None]:
    free = {p.name: p.default for p in open_ if p.default is not p.empty}
    if needed or not free:
        raise InputError(f"{name_of(function)} needs a start for {', '.join(needed) or 'its arguments'}: give start=")
    return free, (None if len(free) == 1 else dict)


def _none_missing(function: Any, free: Arguments, needed: list[str]) -> Arguments:
    missing = [n for n in needed if n not in free]
    if missing:
        raise InputError(
            f"{name_of(function)} needs a start for {', '.join(missing)} too: add it to start=, or give it as data="
        )
    return free


def _laid_out(free: Arguments, *, single: bool) -> tuple[Layout, np.ndarray]:
    leaves: list[np.ndarray] = []
    paths: list[str] = []
    structures: list[Structure] = []
    for name, value in free.items():
        mine, where, structure = flatten(value, name)
        leaves += [_number(leaf, path) for leaf, path in zip(mine, where)]
        paths += where
        structures.append(structure)
    if not leaves or not sum(leaf.size for leaf in leaves):
        raise InputError(f"the start has no number in it: got {free!r:.80}")
    layout = Layout.of(list(free), structures, [leaf.shape for leaf in leaves], paths, single=single)
    return layout, np.concatenate([leaf.reshape(-1) for leaf in leaves])


def _number(leaf: Any, path: str) -> np.ndarray:
    found = np.asarray(promote(leaf, True, path), float)
    if not np.isfinite(found).all():
        raise InputError(f"the start of {path} is not finite ({leaf!r:.60}): finite numbers were wanted")
    return found


def _batches(fixed: Arguments, batch: int | None, seed: int) -> Batches | None:
    if batch is None:
        return None
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise InputError(f"batch={batch!r}: a whole number of rows from 1 on was wanted")
    counts = {n: len(v) for n, v in fixed.items() if isinstance(v, np.ndarray) and v.ndim}
    if not counts or len(set(counts.values())) != 1:
        raise InputError(
            f"batch={batch} needs data= with arrays of equal length; got {counts or 'none'}. "
            "Give data={'X': X, 'y': y}"
        )
    return Batches(batch, next(iter(counts.values())), seed)


__all__ = ["Batches", "Counts", "Layout", "Problem", "TangentlyError", "problem_of", "unboxed"]
