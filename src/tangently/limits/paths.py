"""Limits of several variables, along all paths: proven by a bound that holds in every direction, disproved by two paths.

    limit_along_paths(reading, point, wrt, seconds) -> PathLimit

f(x, y) → L as (x, y) → (a, b) says something of every way into the point, so no list of paths proves it, and two
paths with different limits disprove it. In this order:

1. Continuity: every part of f is continuous at the point, so the limit is f(a, b).
2. Paths: on straight lines, and on curves y = c·x^(p/q) that balance two terms of f (Newton's polygon), f is a function of
   one variable, whose limit the engine of `tangently.asymptotics` knows exactly. Two that differ: no limit.
3. Composition: f = g(w) with one expression w(x, y) whose limit is known, and a limit of one variable.
4. Squeeze: bounds in the distance alone, m = max(|x|, |y|), that hold in every direction (`sectors`).
5. Blow-ups: the polar substitution, made algebraic, proves the limit or gives the two paths that disprove it
   (`blowups`). Those paths are checked by the engine of one variable before anything is said.
6. Parts: the limit of a sum, product or quotient is that of the limits, where they are finite.
7. More paths: cubic curves, y = e^(-1/x), curves that come ever nearer to the zeros of a denominator.

What none of them decides is `undecided`: the common limit of the paths is shown as evidence and never as the answer. Points
where f has no value are left out, as in the definition of the limit within the domain.

Sources: J. Stewart, Calculus, 14.2; G. B. Thomas, Calculus, 14.2; B. P. Demidovich, Problems in Mathematical Analysis,
ch. VI, §3; G. Peano's example x²y/(x⁴ + y²) in A. Genocchi, G. Peano, Calcolo differenziale (1884).

Glossary: s local coordinates, s = x - a, or 1/x at ±∞; t > 0 the parameter of a path, t → 0; L the limit.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.bounds import Band
from tangently.asymptotics.germs import behavior
from tangently.asymptotics.multiseries import GermError
from tangently.errors import InputError, TangentlyError
from tangently.expr import TABLE, Expr, const, inputs_of, raw, symbol, toposort
from tangently.limits.results import How, Row
from tangently.printing import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tangently.limits.reading import Reading

ZERO, ONE = fmpq(0), fmpq(1)
SHARE, PATH = 0.15, 0.12  # of the time left, and seconds at most, for one path
BRANCHES = 8  # zeros of denominators that are followed
DEPTH = 3  # parts of parts of f
SHOWN = 3  # charts, or paths, that a reason names
ROWS = 6  # decimal distances in the table of a path


# ---------------------------------------------------------------- the answer


@dataclass(frozen=True)
class Path:
    """A way into the point, x(t) with t → 0 from above, and what f does on it.

    `value` is a float or ±inf; `exists` is None where it is not known; `defined` is False where f has no value there.
    """

    text: str  # y = x²
    coordinates: tuple[Expr, ...]  # of t
    parameter: Expr
    value: float | None = None
    exact: Any = None  # an Expr without inputs; None where value is ±inf or None
    exists: bool | None = None
    defined: bool = True
    why: tuple[str, ...] = ()
    number: Any = field(default=None, repr=False, compare=False)  # the limit as a constant of the engine, or ±inf

    def __str__(self) -> str:
        if not self.defined:
            return f"along {self.text} f has no value"
        if self.exists is None:
            return f"along {self.text} the limit is not known"
        return f"along {self.text} f {'has no limit' if not self.exists else f'tends to {_text_of(self.number)}'}"


@dataclass(frozen=True, repr=False)
class PathLimit:
    """The limit of f as several variables go to a point, along all paths at once.

    `.value` is a float, ±inf, or None; `.exists` is True, False, or None where it is undecided. `.why` tells the
    reasons, `.paths` which ways were tried and what f does there, `.evidence` values of f on them.
    """

    function: Expr
    variable: tuple[Expr, ...]
    point: tuple[Any, ...]  # Exprs without inputs, or ±inf
    value: float | None
    exact: Any
    exists: bool | None
    how: How
    why: tuple[str, ...]
    paths: tuple[Path, ...] = ()
    callable: Any = field(default=None, compare=False)
    notes: tuple[str, ...] = ()
    sides: tuple[()] = ()  # a point of the plane has no sides
    direction: Literal["both"] = "both"

    @property
    def left(self) -> None:
        """A point of several coordinates has no left side."""

    @property
    def right(self) -> None:
        """A point of several coordinates has no right side."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The same as `.why`."""
        return self.why

    @property
    def error(self) -> float:
        """0: nothing here is an estimate."""
        return 0.0

    @property
    def evidence(self) -> tuple[Row, ...]:
        """Values of f on the first paths, with t = 0.1, 0.01, …"""
        tried = [p for p in self.paths if p.defined][:SHOWN]
        return tuple(row for path in tried for row in _rows(self, path))

    @property
    def answer(self) -> str:
        """The value in words: π/3, ∞, does not exist, undecided."""
        if self.exists is None:
            return "undecided"
        return "does not exist" if not self.exists else _text(self.exact if self.exact is not None else self.value)

    def plot(self, ax: Any = None, **options: Any) -> Figure:
        """f along rays and parabolas into the point, over the distance from it (a matplotlib figure)."""
        from tangently.pictures.limits import plot_limit

        return plot_limit(self, ax, **options)  # type: ignore[arg-type]

    def latex(self) -> str:
        """lim f = L in LaTeX."""
        names = ", ".join(str(x.name) for x in self.variable)
        point = ", ".join(_latex(p) for p in self.point)
        shown = r"\text{?}" if self.exists is None else r"\text{does not exist}" if not self.exists else _latex(
            self.exact if self.exact is not None else self.value)  # fmt: skip
        return rf"\lim_{{({names}) \to ({point})}} {to_latex(self.function)} = {shown}"

    def __str__(self) -> str:
        names = ", ".join(str(x.name) for x in self.variable)
        point = ", ".join(_text(p) for p in self.point)
        return f"lim ({names}) → ({point}) of {to_text(self.function)} = {self.answer}   [{self.how}]"

    __repr__ = __str__

    def __float__(self) -> float:
        return math.nan if self.value is None else self.value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy as np

        return np.asarray(float(self), dtype)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def _text(value: Any) -> str:
    if isinstance(value, Expr):
        return to_text(value)
    return "∞" if value == math.inf else "-∞" if value == -math.inf else f"{value:.12g}"


def _latex(value: Any) -> str:
    if isinstance(value, Expr):
        return to_latex(value)
    return r"\infty" if value == math.inf else r"-\infty" if value == -math.inf else f"{value:.12g}"


def _text_of(number: Any) -> str:
    return _text(number) if isinstance(number, float) else K.show(number)


def _rows(limit: PathLimit, path: Path) -> Iterator[Row]:
    """f on the path at t = 10⁻¹, 10⁻², …: proven values, where f has them."""
    from tangently.enclosure import MissingEnclosure, enclose

    f = put(limit.function, dict(zip(limit.variable, path.coordinates)))
    for k in range(1, ROWS + 1):
        try:
            [y] = enclose([f], {path.parameter: _tenth(k)}, precision=256)
        except MissingEnclosure:
            return
        known = y.is_finite()
        yield Row(
            10.0**-k, float(y) if known else math.nan, float(y.rad()) if known else None, f"{path.text}, t = 1e-{k}"
        )


def _tenth(k: int) -> Any:
    from flint import arb

    from tangently.enclosure import precision

    with precision(256):
        return arb(10) ** -k


# ---------------------------------------------------------------- the verb


def limit_along_paths(reading: Reading, point: Sequence[Any], wrt: Any, seconds: float) -> PathLimit:
    """The limit of a function of several variables, within its domain and along all paths.

    `point` has a coordinate (a number, text, ±inf) for each variable, in the order of `wrt`; left out, the variables are
    those of the function in its order (of a formula without a head f(x, y) = …: by name).

    Raises InputError where coordinates and variables do not match.

    >>> from tangently.limits.reading import read
    >>> limit_along_paths(read("x*y/(x^2 + y^2)"), (0, 0), None, 5.0).exists
    False
    >>> limit_along_paths(read("x^2*y/(x^2 + y^2)"), (0, 0), None, 5.0).value
    0.0
    """
    from tangently.limits.deciding import read_point

    notes: list[str] = []
    variables = _variables(reading, point, wrt)
    targets = [read_point(p, notes) for p in point]
    if reading.root is None:
        return _unreadable(reading, variables, targets)
    place = Place.of(reading.root, variables, targets)
    found = Decision(place, time.monotonic() + seconds).made()
    return _answer(reading, place, found, (*notes, *reading.notes))


def _variables(reading: Reading, point: Sequence[Any], wrt: Any) -> tuple[Expr, ...]:
    """The variables that move, in the order of the point's coordinates."""
    inputs = _in_order(reading)
    if wrt is not None:
        wanted = list(wrt) if isinstance(wrt, (tuple, list)) else [wrt]
        inputs = tuple(reading.input(w) for w in wanted)
    names = ", ".join(str(x.name) for x in inputs)
    if len(set(inputs)) < len(inputs):
        raise InputError(f"wrt={wrt!r} names a variable twice; each coordinate of the point needs its own")
    if len(point) != len(inputs):
        raise InputError(
            f"the point has {_count(len(point), 'coordinate')}, and the function {_count(len(inputs), 'variable')}"
            f" ({names}); give one coordinate for each (wrt= names those that move)"
        )
    left = [x for x in inputs_of([reading.root]) if x not in inputs] if reading.root is not None else []
    if left:
        raise InputError(
            f"the function also has {', '.join(str(x.name) for x in left)}; put a number in, or give a coordinate for each variable"
        )
    return inputs


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _in_order(reading: Reading) -> tuple[Expr, ...]:
    """The inputs as the function has them; of a formula without a head by name: y/x at (0, 1) is at x = 0."""
    from tangently.parsing import Formula

    formula = reading.callable
    if isinstance(formula, Formula) and not formula.text.replace(" ", "").startswith(f"{formula.name}("):
        return tuple(sorted(reading.inputs, key=lambda s: str(s.name)))
    return reading.inputs


def _unreadable(reading: Reading, variables: tuple[Expr, ...], targets: Sequence[Any]) -> PathLimit:
    why = (
        f"the function can't be followed ({reading.obstacle})",
        "values at points prove no limit along all paths: write it as a formula, with where(…) for a branch",
    )
    name = getattr(reading.callable, "__name__", "f")
    call = symbol(f"{name}({', '.join(str(x.name) for x in variables)})")
    shown = tuple(t.shown for t in targets)
    return PathLimit(call, variables, shown, None, None, None, "undecided", why, callable=reading.callable)


def _answer(reading: Reading, place: Place, found: Verdict, notes: tuple[str, ...]) -> PathLimit:
    number = found.number
    value = None if number is None else number if isinstance(number, float) else K.to_float(number)
    exact = K.to_expr(number) if number is not None and not isinstance(number, float) else None
    return PathLimit(
        place.root, place.variables, tuple(t.shown for t in place.targets), value, exact, found.exists,
        "undecided" if found.exists is None else "exact", found.why, found.paths, reading.callable,
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """exists None: undecided. `number` is a constant of the engine, or ±inf."""

    exists: bool | None
    number: Any = None
    why: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


# ---------------------------------------------------------------- the point as the origin


@dataclass(frozen=True)
class Place:
    """f near the point, in local coordinates: x = a + s, or x = 1/s at ±∞. `signs` are those that each s takes."""

    root: Expr
    variables: tuple[Expr, ...]
    targets: tuple[Any, ...]
    local: tuple[Expr, ...]
    centered: Expr
    signs: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(root: Expr, variables: Sequence[Expr], targets: Sequence[Any]) -> Place:
        local = tuple(x if _is_origin(t) else symbol(str(x.name)) for x, t in zip(variables, targets))
        moved = {x: _moved(t, s) for x, t, s in zip(variables, targets, local) if x is not s}
        centered = put(root, moved)
        signs = tuple((1, -1) if not _infinite(t) else (1,) if t.number > 0 else (-1,) for t in targets)
        return Place(root, tuple(variables), tuple(targets), local, centered, signs)

    def part(self, node: Expr) -> Place:
        """The same point, for a part of f."""
        return Place.of(node, self.variables, self.targets)

    @property
    def sectors(self) -> tuple[tuple[int, ...], ...]:
        """The signs that have to be looked at: one, where f is written in x², |x|, … alone."""
        return tuple(signs[:1] if is_even(self.centered, s) else signs for signs, s in zip(self.signs, self.local))

    @property
    def finite(self) -> bool:
        return not any(_infinite(t) for t in self.targets)

    @property
    def names(self) -> tuple[str, ...]:
        """The local coordinates in words: x, x − 1, 1/x."""
        return tuple(to_text(_back(t, x)) for t, x in zip(self.targets, self.variables))

    def shown(self) -> str:
        return f"({', '.join(_text(t.shown) for t in self.targets)})"

    def bands(self, field: Any, coordinates: Sequence[Band]) -> dict[Expr, Band]:
        return dict(zip(self.local, coordinates))

    def polynomials(self, local: tuple[Any, ...]) -> dict[Expr, tuple[Any, Any, bool]]:
        """The inputs of f for a chart: (a, s) for a + s, or 1/s."""
        return {
            x: (ZERO if _infinite(t) else t.number, p, _infinite(t))
            for x, t, p in zip(self.variables, self.targets, local)
        }


def _infinite(target: Any) -> bool:
    return isinstance(target.number, float)


def _is_origin(target: Any) -> bool:
    return type(target.number) is fmpq and target.number == 0


def _moved(target: Any, s: Expr) -> Expr:
    """The variable in its local coordinate."""
    if _infinite(target):
        return TABLE["div"](1, s)
    return s if _is_origin(target) else TABLE["add"](target.shown, s)


def _back(target: Any, x: Expr) -> Expr:
    """The local coordinate in the variable."""
    if _infinite(target):
        return TABLE["div"](1, x)
    return x if _is_origin(target) else TABLE["sub"](x, target.shown)


def put(root: Expr, values: dict[Expr, Expr]) -> Expr:
    """The expression with nodes replaced, and nothing simplified: 0/g is not 0 where g is 0 as well."""
    done = dict(values)
    for node in toposort([root], stop=done.__contains__):
        if node not in done:
            args = tuple(done[a] for a in node.args)
            done[node] = node if all(a is b for a, b in zip(args, node.args)) else raw(node.op, args, node.params)
    return done[root]


RATIONAL = frozenset({"add", "sub", "mul", "div", "neg", "square", "reciprocal", "pow"})


def without_infinities(place: Place) -> Expr:
    """f in 1/x, 1/y, …, where its fractions are cleared: x·y/(x² + y²) is s₁s₂/(s₁² + s₂²)."""
    from tangently.limits.blowups import Blocked, MoreTerms, Ramify, Void, Walk, Zeros, first_charts, ring

    n = len(place.local)
    gens = ring(n - 1).gens()[:n]
    chart = replace(next(first_charts(place.signs)), local=tuple(gens))
    walk = Walk(chart, place.polynomials(tuple(gens)), 1, time.monotonic() + 0.2)
    done: dict[Expr, Expr] = dict(zip(place.variables, [_moved(t, s) for t, s in zip(place.targets, place.local)]))
    for node in toposort([place.root]):
        if node in done:
            continue
        args = tuple(done[a] for a in node.args)
        done[node] = raw(node.op, args, node.params) if args else node
        if node.op.name in RATIONAL and inputs_of([node]):
            try:
                found = walk.value(node)
            except (Blocked, MoreTerms, Ramify, Void, Zeros):
                continue
            if not any(any(m[n:]) for p in (found.n, found.d) for m in p.monoms()):
                done[node] = TABLE["div"](_of_gens(found.n, place.local), _of_gens(found.d, place.local))
    return done[place.root]


EVEN = frozenset({"abs", "square", "cos", "cosh"})


def is_even(root: Expr, s: Expr) -> bool:
    """Is the expression even in s as it is written: does s occur in x², |x|, cos x alone?"""

    def kept(node: Expr) -> bool:
        if node.op.name != "pow":
            return node.op.name in EVEN
        exponent = node.args[1].value
        return node.args[0] is s and type(exponent) is int and exponent % 2 == 0

    return all(kept(node) for node in toposort([root]) if s in node.args)


# ---------------------------------------------------------------- paths


PARAMETER = "t"


def _monomial(t: Expr, c: Any, e: int) -> Expr:
    """c·tᵉ"""
    if not c:
        return const(0)
    power = t if e == 1 else TABLE["pow"](t, e)
    return power if c == 1 else TABLE["neg"](power) if c == -1 else TABLE["mul"](K.to_expr(c), power)


def _polynomial(p: Any, t: Expr) -> Expr:
    """A polynomial of t alone as an expression."""
    found: Expr | None = None
    for m, c in sorted(p.to_dict().items()):
        term = _monomial(t, fmpq(c), int(m[0])) if m[0] else K.to_expr(fmpq(c))
        found = term if found is None else TABLE["add"](found, term)
    return const(0) if found is None else found


def follow(place: Place, local: Sequence[Expr], t: Expr, seconds: float) -> Path:
    """f on the path whose local coordinates are given, with t → 0 from above."""
    from tangently.limits.wording import reasons

    coordinates = tuple(_moved(target, s) for target, s in zip(place.targets, local))
    text = path_text(place, local, t)
    f = put(place.centered, dict(zip(place.local, local)))
    found = behavior(f, t, ZERO, 1, seconds=seconds)
    if not found.defined or found.exists is None:
        return Path(text, coordinates, t, defined=found.defined, why=found.why)
    if not found.exists:
        return Path(text, coordinates, t, exists=False, why=reasons(t, ZERO, 1, found))
    number = found.limit
    if isinstance(number, float):
        return Path(text, coordinates, t, number, None, True, number=number)
    return Path(text, coordinates, t, K.to_float(number), K.to_expr(number), True, number=number)


def path_text(place: Place, local: Sequence[Expr], t: Expr) -> str:
    """y = x², where one coordinate is the parameter; else all of them as functions of t."""
    lead = next((k for k, s in enumerate(local) if s is t or s is TABLE["neg"](t)), None)
    if lead is None:
        shown = [f"{x.name} = {to_text(_moved(g, s))}" for x, g, s in zip(place.variables, place.targets, local)]
        return ", ".join(shown) + " (t → 0⁺)"
    back = _back(place.targets[lead], place.variables[lead])
    back = back if local[lead] is t else TABLE["neg"](back)
    others = [k for k in range(len(local)) if k != lead]
    moved = [put(_moved(place.targets[k], local[k]), {t: back}) for k in others]
    shown = ", ".join(f"{place.variables[k].name} = {to_text(_tidied(e))}" for k, e in zip(others, moved))
    behind = local[lead] is not t and not _infinite(place.targets[lead])
    return f"{shown} ({place.variables[lead].name} < {_text(place.targets[lead].shown)})" if behind else shown


def _tidied(e: Expr) -> Expr:
    from tangently.simplification import simplify

    return simplify(e, cancel=True)


def lines(place: Place) -> Iterator[tuple[tuple[Any, int], ...]]:
    """Straight rays: (c, exponent) for each coordinate."""
    n = len(place.local)
    for sign in (1, -1):
        for k in range(n):
            yield tuple((sign if i == k else 0, 1) for i in range(n))
    for slope in (1, -1, fmpq(2), fmpq(1, 2), fmpq(-2)):
        for sign in (1, -1):
            yield tuple((sign if not i else sign * slope if i == n - 1 or slope > 0 else sign, 1) for i in range(n))


def curves(weights: Iterable[Sequence[int]]) -> Iterator[tuple[tuple[Any, int], ...]]:
    """s₁ = ±t^w₁, s₂ = c·t^w₂, …"""
    for w in weights:
        for c in (1, -1, fmpq(2)):
            for sign in (1, -1):
                yield tuple((sign if not k else c, e) for k, e in enumerate(w))


def allowed(place: Place, path: Sequence[tuple[Any, int]]) -> bool:
    """Does each coordinate have a sign that it takes? At ±∞ it is not 0."""
    return all(
        not _infinite(t) or (c and (1 if c > 0 else -1) in signs)
        for (c, _), signs, t in zip(path, place.signs, place.targets)
    )


def steep(place: Place, t: Expr) -> Iterator[tuple[Expr, ...]]:
    """One coordinate e^(-1/t), e^(-1/t²): for powers with a variable exponent, and logarithms."""
    names = {n.op.name for n in toposort([place.root])}
    if not names & {"log", "log2", "log10", "log1p", "pow", "exp", "tanh", "sigmoid"} or len(place.local) != 2:
        return
    for inner in (t, TABLE["pow"](t, 2)):
        flat = TABLE["exp"](TABLE["neg"](TABLE["div"](1, inner)))
        for pair in ((t, flat), (flat, t)):
            if all(1 in signs for signs in place.signs):
                yield pair


NEARER = (1, 3, 6)  # by how many powers of t a curve is off a zero


def near_zeros(place: Place, t: Expr) -> Iterator[tuple[Expr, ...]]:
    """Curves that come nearer and nearer to a straight or curved zero of a denominator: y = c·x^(p/q) ± x^k."""
    if len(place.local) != 2 or not place.finite:
        return
    branches = [found for p in denominators(place) for found in _branches(p)]
    for k, (lead, weights, sign, c), side in itertools.product(NEARER, branches[:BRANCHES], (1, -1)):
        other = 1 - lead
        near = TABLE["mul"](K.to_expr(c), _monomial(t, 1, weights[other]))
        pair = _monomial(t, sign, weights[lead]), TABLE["add"](near, _monomial(t, side, weights[other] + k))
        yield pair if lead == 0 else pair[::-1]


def denominators(place: Place) -> list[dict[tuple[int, int], fmpq]]:
    """The denominators of f that are polynomials in the local coordinates, as {exponents: coefficient}."""
    from tangently.limits.blowups import Blocked, Chart, MoreTerms, Ramify, Void, Walk, Zeros, ring

    t, u = ring(1).gens()[:2]
    walk = Walk(Chart((t, u), 1), place.polynomials((t, u)), 1, time.monotonic() + 0.2)
    found = []
    for node in factors_below(place.root):
        try:
            p = walk.value(node).n
        except (Blocked, MoreTerms, Ramify, Void, Zeros):
            continue
        if all(not any(m[2:]) for m in p.monoms()):
            found.append({(int(m[0]), int(m[1])): fmpq(c) for m, c in p.to_dict().items()})
    return [p for p in found if len(p) > 1]


def factors_below(root: Expr) -> list[Expr]:
    """The factors of denominators, and of what stands in logarithms and powers; sin u vanishes where u does."""
    from tangently.limits.sectors import LIKE

    found: list[Expr] = []
    waiting = [n.args[-1] for n in toposort([root]) if n.op.name in ("div", "reciprocal", "log")]
    waiting += [
        n.args[0] for n in toposort([root]) if n.op.name == "pow" and n.args[1].op.name in ("neg", "const", "div")
    ]
    while waiting:
        node = waiting.pop()
        if node.op.name == "mul":
            waiting += node.args
        elif node.op.name in LIKE | {"sqrt", "cbrt", "pow", "square"}:
            waiting.append(node.args[0])
        elif node not in found:
            found.append(node)
    return found


Branch = tuple[int, tuple[int, int], int, Any]


def _branches(p: dict[tuple[int, int], fmpq]) -> Iterator[Branch]:
    """(lead, weights, sign, c): with s_lead = sign·t^w, the other coordinate c·t^w' is a zero of an edge of p."""
    from flint import fmpq_poly

    from tangently.limits.sectors import newton_edges

    for weights in newton_edges(frozenset((fmpq(i), fmpq(j)) for i, j in p)):
        a, b = weights
        least = min(a * i + b * j for i, j in p)
        edge = {(i, j): q for (i, j), q in p.items() if a * i + b * j == least}
        for lead, sign in itertools.product((0, 1), (1, -1)):
            other = 1 - lead
            coefficients = [ZERO] * (max(e[other] for e in edge) + 1)
            for e, q in edge.items():
                coefficients[e[other]] += q * sign ** e[lead]
            for factor, _ in fmpq_poly(coefficients).numer().factor()[1]:
                for c in _real_roots([fmpq(q) for q in factor.coeffs()]):
                    yield lead, (a, b), sign, c


def _real_roots(p: list[fmpq]) -> list[Any]:
    """The nonzero real zeros of a polynomial of degree 1 or 2, or of c·xⁿ - d."""
    n = len(p) - 1
    if not p[0] or not n:
        return []
    if not any(p[1:-1]):
        power = -p[0] / p[n]
        size = K.power(abs(power), fmpq(1, n))
        return [size if power > 0 else K.neg(size)] if n % 2 else [size, K.neg(size)] if power > 0 else []
    if n != 2 or p[1] ** 2 < 4 * p[0] * p[2]:
        return []
    root = K.sqrt(p[1] ** 2 - 4 * p[0] * p[2])
    return [K.scale(K.add(-p[1], K.scale(root, fmpq(side))), 1 / (2 * p[2])) for side in (1, -1)]


# ---------------------------------------------------------------- deciding


@dataclass
class Decision:
    """One limit, on the way: the paths that were followed, and the time that is left."""

    place: Place
    deadline: float
    depth: int = 0
    paths: list[Path] = field(default_factory=list)
    gone: set[tuple[Expr, ...]] = field(default_factory=set)
    t: Expr = field(default_factory=lambda: symbol(PARAMETER))

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def made(self) -> Verdict:
        """The verdict, with the paths that were followed."""
        found = self._made()
        kept = _first(found.paths, self.paths)
        return Verdict(found.exists, found.number, found.why, kept)

    def _made(self) -> Verdict:
        known = continuous(self.place)
        if known is not None and self._reachable():
            return self._agreed(known)
        against = self._disproof(self._simple_paths())
        if against is not None:
            return against
        proof = self._proof()
        if proof is not None:
            return self._agreed(proof)
        against = self._disproof(self._more_paths())
        return against if against is not None else self._unknown()

    def _reachable(self) -> bool:
        """Are there points of the domain around the point? One path tells it."""
        self._disproof(self._simple_paths(), enough=1)
        return any(p.defined for p in self.paths)

    # ------------------------------------------------------------ against

    def _simple_paths(self) -> Iterator[tuple[Expr, ...]]:
        from tangently.limits.sectors import balances

        yield from self._monomials(lines(self.place))
        weights = [w for w in balances(self.place.centered, self.place.local) if len(set(w)) > 1]
        yield from self._monomials(curves(weights))

    def _more_paths(self) -> Iterator[tuple[Expr, ...]]:
        yield from near_zeros(self.place, self.t)
        yield from steep(self.place, self.t)
        if len(self.place.local) == 2:
            yield from self._monomials(curves([(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]))

    def _monomials(self, paths: Iterable[Sequence[tuple[Any, int]]]) -> Iterator[tuple[Expr, ...]]:
        for path in paths:
            if allowed(self.place, path):
                yield tuple(_monomial(self.t, c, e) for c, e in path)

    def _disproof(self, paths: Iterable[tuple[Expr, ...]], enough: int | None = None) -> Verdict | None:
        """Follow the paths until two of them differ, or one has no limit."""
        for local in paths:
            if local in self.gone or self.left < 0.02:
                continue
            self.gone.add(local)
            path = follow(self.place, local, self.t, max(0.02, min(SHARE * self.left, PATH)))
            self.paths.append(path)
            against = self._against(path)
            if against is not None:
                return against
            if enough is not None and sum(p.defined for p in self.paths) >= enough:
                return None
        return None

    def _against(self, path: Path) -> Verdict | None:
        """Does this path, alone or beside an earlier one, disprove the limit?"""
        if path.exists is False:
            return Verdict(False, why=(f"along {path.text} f has no limit", *path.why), paths=(path,))
        other = next((p for p in self.paths if p.exists and path.exists and different(p.number, path.number)), None)
        if other is None:
            return None
        return Verdict(False, why=two_paths(other, path), paths=(other, path))

    # ------------------------------------------------------------ for

    def _proof(self) -> Verdict | None:
        """The limit, proven, or disproved by paths that the blow-ups found."""
        with_a_path = (self._composed, self._early_squeeze, self._blown_up, self._late_squeeze, self._by_parts)
        for attempt in with_a_path if self.candidate is not None else (self._blown_up,):
            found = attempt() if self.left > 0.02 else None
            if found is not None:
                return found
        return None

    @property
    def candidate(self) -> Any:
        """The limit along the paths, None where none is known."""
        return next((p.number for p in self.paths if p.exists), None)

    def _agreed(self, proof: Verdict) -> Verdict:
        """A proof against a path is no proof: the contradiction is told."""
        if not proof.exists:
            return proof
        other = next((p for p in self.paths if p.exists and different(p.number, proof.number)), None)
        if other is None:
            return proof
        return Verdict(None, why=(*proof.why, f"but {other}: undecided"), paths=(other,))

    def _composed(self) -> Verdict | None:
        for w in gates(self.place.root):
            found = composed(self, w)
            if found is not None:
                return found
        return None

    def _early_squeeze(self) -> Verdict | None:
        return self._squeeze() if self._is_plain() else None

    def _late_squeeze(self) -> Verdict | None:
        return None if self._is_plain() else self._squeeze()

    def _is_plain(self) -> bool:
        """0 or ±∞: what bounds are good at."""
        c = self.candidate
        return isinstance(c, float) or (type(c) is fmpq and c == 0)

    def _squeeze(self) -> Verdict | None:
        from tangently.limits.sectors import balances, squeeze

        place, limit = self.place, self.candidate
        root = place.centered if place.finite else without_infinities(place)
        for weights in balances(root, place.local):
            seconds = max(0.05, 0.3 * self.left)
            found = squeeze(root, place.bands, weights, place.sectors, limit, seconds)
            if found is not None:
                return Verdict(True, limit, (*polar_bound(place, limit), *found.told(place.names, limit)))
        return self._squeeze_far()

    def _squeeze_far(self) -> Verdict | None:
        """Every coordinate goes to ±∞: bounds in M = max(|x|, |y|)."""
        from tangently.limits.sectors import squeeze_far

        place, limit = self.place, self.candidate
        if any(not _infinite(t) for t in place.targets):
            return None
        signs = [1 if t.number > 0 else -1 for t in place.targets]
        found = squeeze_far(place.root, place.variables, signs, limit, max(0.05, 0.3 * self.left))
        return Verdict(True, limit, found.told([str(x.name) for x in place.variables], limit)) if found else None

    def _blown_up(self) -> Verdict | None:
        from tangently.limits.blowups import decide

        if len(self.place.local) < 2:
            return None
        leaves = decide(self.place.root, self.place.polynomials, self.place.sectors, max(0.05, 0.4 * self.left))
        return self._judged(leaves)

    def _judged(self, leaves: Sequence[Any]) -> Verdict | None:
        """What the charts say together."""
        differ = next((leaf for leaf in leaves if leaf.kind == "differ"), None)
        if differ is not None:
            return self._witnessed(differ.paths)
        values = [leaf for leaf in leaves if leaf.kind == "value"]
        other = next((leaf for leaf in values if different(leaf.value, values[0].value)), None)
        if other is not None:
            return self._witnessed([leaf.chart.at([fmpq(1, 2)] * leaf.chart.count) for leaf in (values[0], other)])
        if any(leaf.kind == "unknown" for leaf in leaves):
            return None
        if not values:
            return self._nowhere()
        if not all(not different(leaf.value, values[0].value, surely=False) for leaf in values):
            return None
        return self._uniform(leaves, values)

    def _witnessed(self, paths: Sequence[Sequence[Any]]) -> Verdict | None:
        """The paths of a chart, followed by the engine of one variable."""
        return self._disproof([tuple(_polynomial(p, self.t) for p in path) for path in paths])

    def _nowhere(self) -> Verdict | None:
        if any(p.defined for p in self.paths):
            return None
        return Verdict(False, why=(f"f has no real value near {self.place.shown()}, in no direction",))

    def _uniform(self, leaves: Sequence[Any], values: Sequence[Any]) -> Verdict | None:
        limit = values[0].value
        if jumps(self.place.root):
            against = self._disproof(self._seams(leaves))
            if against is not None:
                return against
            if any(p.defined and p.exists is None for p in self.paths):
                return None
        why = (*polar_bound(self.place, limit), *chart_reasons(self.place, values, limit))
        if any(leaf.kind == "void" for leaf in leaves):
            why = (*why, "in the other directions f has no real value: these points are left out")
        return Verdict(True, limit, why)

    def _seams(self, leaves: Sequence[Any]) -> Iterator[tuple[Expr, ...]]:
        """The curves between the charts, on which a function that jumps may have values of its own."""
        for leaf in leaves:
            for u in (ZERO, ONE):
                yield tuple(_polynomial(p, self.t) for p in leaf.chart.at([u] * leaf.chart.count))

    def _by_parts(self) -> Verdict | None:
        return None if self.depth >= DEPTH else by_parts(self)

    def part(self, node: Expr) -> Verdict:
        """The limit of a part of f at the same point."""
        inner = Decision(self.place.part(node), time.monotonic() + 0.4 * self.left, self.depth + 1)
        return inner.made()

    def _unknown(self) -> Verdict:
        known = [p for p in self.paths if p.exists]
        if not known:
            where = "" if any(p.defined for p in self.paths) else ", and on none of the paths tried f has a value"
            return Verdict(None, why=(f"neither a bound nor two paths decide it{where}",))
        plain = [p for p in known if "(" not in p.text] or known
        shown = ", ".join(p.text for p in (*plain[: SHOWN - 1], plain[-1]))
        told = (
            f"along {shown} and every other path that was tried ({len(known)}) f tends to {_text_of(known[0].number)}"
        )
        return Verdict(
            None, why=(told, "paths alone prove nothing, and no bound in all directions was found: undecided")
        )


def _first(chosen: Sequence[Path], others: Sequence[Path]) -> tuple[Path, ...]:
    return (*chosen, *[p for p in others if p not in chosen])


def different(a: Any, b: Any, surely: bool = True) -> bool:
    """Are the limits different? Where that can't be decided: not surely."""
    if isinstance(a, float) or isinstance(b, float):
        return not (isinstance(a, float) and isinstance(b, float) and a == b)
    try:
        return not K.is_zero(K.sub(a, b))
    except K.Undecided:
        return not surely


def two_paths(a: Path, b: Path) -> tuple[str, ...]:
    first = f"along {b.text} f tends to {_text_of(b.number)}, along {a.text} to {_text_of(a.number)}"
    return first, "two paths with different limits: there is no limit"


# ---------------------------------------------------------------- continuity


SMOOTH = frozenset({"kink", "edge"})  # breaks at which a row is continuous within its domain


def continuous(place: Place) -> Verdict | None:
    """f at the point, where every part of it is continuous there."""
    if not place.finite:
        return None
    values: dict[Expr, Any] = {x: t.number for x, t in zip(place.variables, place.targets)}
    edge = False
    try:
        for node in toposort([place.root], stop=values.__contains__):
            if node not in values:
                manners = [manner for which, u, manner in broken(node) if meets(which, _value_of(u, values))]
                if not SMOOTH.issuperset(manners):
                    return None
                edge = edge or "edge" in manners
                values[node] = K.apply(node.op, *[values[a] for a in node.args]) if node.args else K.from_expr(node)
    except (K.Undecided, TangentlyError, GermError, ValueError, ArithmeticError, LookupError):
        return None
    number = values[place.root]
    within = " (within its domain)" if edge else ""
    why = f"f is built from functions that are continuous there{within}, so the limit is the value at the point"
    return Verdict(True, number, (f"{why}: f{place.shown()} = {K.show(number)}",))


def broken(node: Expr) -> tuple[tuple[str, Expr, str], ...]:
    """Where the row is not analytic, by its operands as they are written (0ʸ jumps at y = 0, and x⁰ does not)."""
    return node.op.breaks(*node.args) if node.op.breaks is not None else ()


def _value_of(u: Expr, values: dict[Expr, Any]) -> Any:
    """The exact value of an expression of nodes whose values are known."""
    parts = [n for n in toposort([u], stop=values.__contains__) if n in values]
    return K.from_expr(put(u, {n: K.to_expr(values[n]) for n in parts}))


def meets(which: str, c: Any) -> bool:
    """Is the constant in the set of a break?"""
    if which == "zero":
        return K.is_zero(c)
    nearest = K.floor(K.add(c, fmpq(1, 2)))
    return K.is_zero(K.sub(c, fmpq(nearest))) and (which == "whole" or nearest <= 0)


def jumps(root: Expr) -> bool:
    """Has f a part with a value of its own at single points: sign, a condition, floor?"""
    for node in toposort([root]):
        if node.op.name == "where":
            return True
        if any(manner == "jump" and u.args for _, u, manner in broken(node)):
            return True
    return False


# ---------------------------------------------------------------- composition


def gates(root: Expr) -> Iterator[Expr]:
    """The expressions through which alone f depends on its variables, the innermost first."""
    for node in toposort([root]):
        if node is root or not inputs_of([node]):
            continue
        w = symbol("w")
        if inputs_of([put(root, {node: w})]) == [w]:
            yield node


def composed(decision: Decision, w: Expr) -> Verdict | None:
    """f = g(w): the limit of w, then that of g, a function of one variable."""
    inner = _inner(decision, w)
    if inner is None:
        return None
    z = symbol("w")
    g = put(decision.place.root, {w: z})
    sides = _sides_of(decision, w, inner)
    seconds = max(0.05, 0.2 * decision.left)
    found = {side: behavior(g, z, inner, side, seconds=seconds) for side in sides}
    defined = {side: b for side, b in found.items() if b.defined}
    if not defined or any(not b.exists for b in defined.values()):
        return None
    limits = [b.limit for b in defined.values()]
    if any(different(limits[0], c, surely=False) for c in limits):
        return None
    if not _held(g, z, inner, limits[0]):
        return None
    return Verdict(True, limits[0], _composition_told(decision, w, inner, g, sides, limits[0]))


def _inner(decision: Decision, w: Expr) -> Any:
    """The limit of w, None where it is not known."""
    place = decision.place
    if w in place.variables:
        return place.targets[place.variables.index(w)].number
    known = continuous(place.part(w))
    if known is not None:
        return known.number
    found = decision.part(w) if decision.depth < DEPTH else Verdict(None)
    return found.number if found.exists else None


def _sides_of(decision: Decision, w: Expr, limit: Any) -> tuple[int, ...]:
    """From where w comes: above (1), below (-1), or both."""
    from tangently.limits.sectors import sign_near

    if isinstance(limit, float):
        return (-1,) if limit > 0 else (1,)
    if w in decision.place.variables:
        return 1, -1
    gap = TABLE["sub"](w, K.to_expr(limit)) if different(limit, ZERO, surely=False) else w
    place = decision.place.part(gap)
    side = sign_near(place.centered, place.bands, (1,) * len(place.local), place.sectors, 0.2)
    return (side,) if side else (1, -1)


def _held(g: Expr, z: Expr, at: Any, limit: Any) -> bool:
    """Where w takes its limit near the point: has g no value there, or the limit itself?"""
    if isinstance(at, float):
        return True
    try:
        value = K.from_expr(put(g, {z: K.to_expr(at)}))
    except K.Undecided:
        return False
    except (TangentlyError, ValueError, ArithmeticError):
        return not jumps(g)
    return not isinstance(limit, float) and not different(value, limit, surely=False)


def _composition_told(
    decision: Decision, w: Expr, inner: Any, g: Expr, sides: Sequence[int], limit: Any
) -> tuple[str, ...]:
    place = decision.place
    where = f"w → {_text_of(inner)}" + (
        "" if len(sides) > 1 or isinstance(inner, float) else "⁺" if sides[0] > 0 else "⁻"
    )
    if w in place.variables:
        return (f"f depends on {w.name} alone: as {where.replace('w', str(w.name), 1)} it tends to {_text_of(limit)}",)
    names = ", ".join(str(x.name) for x in place.variables)
    return (
        f"f depends on ({names}) only through w = {to_text(w)}, and {where}, along every path",
        f"as {where}, {to_text(g)} tends to {_text_of(limit)}, and so does f",
    )


# ---------------------------------------------------------------- parts


COMBINED: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (K.add, "a sum"), "sub": (K.sub, "a difference"), "mul": (K.mul, "a product"), "div": (K.div, "a quotient"),
}  # fmt: skip


def by_parts(decision: Decision) -> Verdict | None:
    """The limit of a sum, difference, product or quotient from those of its parts."""
    root = decision.place.root
    if root.op.name not in COMBINED:
        return None
    found = [decision.part(a) if inputs_of([a]) else Verdict(True, K.from_expr(a)) for a in root.args]
    if any(not v.exists or isinstance(v.number, float) for v in found):
        return None
    combine, name = COMBINED[root.op.name]
    if root.op.name == "div" and not different(found[1].number, ZERO):
        return None
    number = combine(*[v.number for v in found])
    lines = [f"{to_text(a)} → {_text_of(v.number)}: {'; '.join(v.why)}" for a, v in zip(root.args, found) if v.why]
    return Verdict(True, number, (*lines, f"the limit of {name} is that of the limits: {_text_of(number)}"))


# ---------------------------------------------------------------- words for the bounds


def chart_reasons(place: Place, leaves: Sequence[Any], limit: Any) -> tuple[str, ...]:
    """The charts in words, the simplest first."""
    t = symbol(PARAMETER)
    seen: dict[str, str] = {}
    for leaf in sorted(leaves, key=lambda leaf: leaf.chart.depth):
        key = _shape(leaf)
        if key not in seen:
            seen[key] = _chart_told(place, leaf, t, limit)
    told = list(seen.values())
    more = "" if len(told) <= SHOWN else f" (and likewise in {len(told) - SHOWN} more sectors)"
    goal = f"f → {_text_of(limit)} uniformly in every direction{more}: that is the limit along all paths"
    return (*told[:SHOWN], goal)


def _shape(leaf: Any) -> str:
    """Charts that differ in signs only look alike."""
    return "|".join(str(p).replace("-", "").replace(" ", "").replace("+", "") for p in leaf.chart.local)


def _chart_told(place: Place, leaf: Any, t: Expr, limit: Any) -> str:
    names = [f"u{k + 1}" if leaf.chart.count > 1 else "u" for k in range(leaf.chart.count)]
    gens = [t, *[symbol(name) for name in names]]
    shown = ", ".join(f"{x} = {to_text(_of_gens(p, gens))}" for x, p in zip(place.names, leaf.chart.local))
    where = f"with {shown} (0 ≤ {', '.join(names)} ≤ 1, t → 0⁺)"
    if isinstance(limit, float):
        return f"{where} f grows like 1/{power_text('t', -leaf.power)}"
    if leaf.power > 0 and math.isfinite(leaf.size):
        return f"{where} {_within(leaf, different(limit, ZERO))}"
    away = ", uniformly where u stays away from 0" if leaf.size == math.inf and leaf.power else ", whatever u"
    return f"{where} f → {_text_of(limit)}{away}"


def _within(leaf: Any, shifted: bool) -> str:
    if leaf.size == 0:
        return "f is constant" if shifted else "f = 0"
    power = power_text("t", leaf.power)
    return f"f = {power}·g, where |g| ≤ {_rounded_up(leaf.size)} in the limit t → 0: f → 0, whatever u"


def power_text(name: str, k: int) -> str:
    return to_text(symbol(name) if k == 1 else TABLE["pow"](symbol(name), k))


def _rounded_up(size: float) -> str:
    """Three digits, rounded up."""
    if abs(size - round(size)) < 1e-9 * max(1.0, size) and size >= 1:
        return f"{round(size)}"
    digits = 2 - math.floor(math.log10(size))
    return f"{math.ceil(size * 10**digits) / 10**digits:.{max(0, digits)}f}".rstrip("0").rstrip(".")


def _of_gens(p: Any, gens: Sequence[Expr]) -> Expr:
    """A polynomial as an expression of these variables."""
    found: Expr | None = None
    for m, c in sorted(p.to_dict().items()):
        term: Expr = K.to_expr(fmpq(c))
        for e, x in zip(m, gens):
            if e:
                term = TABLE["mul"](term, x if e == 1 else TABLE["pow"](x, int(e)))
        found = term if found is None else TABLE["add"](found, term)
    return const(0) if found is None else found


def polar_bound(place: Place, limit: Any) -> tuple[str, ...]:
    """|f| ≤ C·rᵏ in polar coordinates, for a fraction of homogeneous polynomials: proven, with a rational C."""
    if len(place.local) != 2 or not place.finite or isinstance(limit, float) or different(limit, ZERO, surely=False):
        return ()
    forms = _forms(place)
    if forms is None:
        return ()
    (n, top), (m, bottom) = forms
    c = _least_factor(top, bottom, n - m) if n > m else None
    if c is None:
        return ()
    power = power_text("r", n - m)
    x, y = place.names
    factor = "" if c == 1 else f"{_decimal(c)}·"
    return (f"in polar coordinates, {x} = r cos θ, {y} = r sin θ: |f| ≤ {factor}{power}, whatever θ",)


def _decimal(c: fmpq) -> str:
    return K.show(c) if c.q <= 12 else f"{float(c.p) / float(c.q):.6g}"


def _forms(place: Place) -> tuple[tuple[int, Any], tuple[int, Any]] | None:
    """Numerator and denominator as (degree, polynomial of u = y/x), where both are homogeneous."""
    from tangently.limits.blowups import Blocked, Chart, MoreTerms, Ramify, Void, Walk, Zeros, ring

    t, u = ring(1).gens()[:2]
    try:
        found = Walk(Chart((t, u), 1), place.polynomials((t, u)), 1, time.monotonic() + 0.2).value(place.root)
    except (Blocked, MoreTerms, Ramify, Void, Zeros):
        return None
    if found.n == 0:
        return None
    top, bottom = _form(found.n), _form(found.d)
    return None if top is None or bottom is None else (top, bottom)


def _form(p: Any) -> tuple[int, Any] | None:
    from flint import fmpq_poly

    degrees = {int(m[0] + m[1]) for m in p.monoms()}
    if len(degrees) != 1 or any(any(m[2:]) for m in p.monoms()):
        return None
    degree = degrees.pop()
    coefficients = [ZERO] * (degree + 1)
    for m, c in p.to_dict().items():
        coefficients[int(m[1])] += fmpq(c)
    return degree, fmpq_poly(coefficients)


def _least_factor(top: Any, bottom: Any, k: int) -> fmpq | None:
    """The least C of three digits, or a simple fraction, with |N| ≤ C·|D|·(1 + u²)^(k/2) for all u: proven."""
    largest = 0.0
    for i in range(181):
        u = math.tan(math.radians(i / 2 - 45))
        for x, y in ((1.0, u), (u, 1.0)):
            low = abs(_at(bottom, x, y))
            if low < 1e-12:
                return None
            largest = max(largest, abs(_at(top, x, y)) / low / math.hypot(x, y) ** k)
    for c in _rational_above(largest):
        if _bounds(top, bottom, k, c):
            return c
    return None


def _at(p: Any, x: float, y: float) -> float:
    n = p.degree()
    degree = max(n, len(p.coeffs()) - 1)
    return sum(float(c.p) / float(c.q) * x ** (degree - j) * y**j for j, c in enumerate(p.coeffs()))


def _rational_above(c: float) -> Iterator[fmpq]:
    from fractions import Fraction

    near = Fraction(c).limit_denominator(12)
    if near and abs(float(near) - c) < 1e-3 * c:
        yield fmpq(near.numerator, near.denominator)
    for slack in (1.0005, 1.01):
        digits = 2 - math.floor(math.log10(c)) if c else 2
        up = math.ceil(c * slack * 10**digits)
        yield fmpq(up, 1) * fmpq(10) ** (-digits)


def _bounds(top: Any, bottom: Any, k: int, c: fmpq) -> bool:
    """Is C²·D²·(1 + u²)ᵏ - N² nowhere negative?"""
    from flint import fmpq_poly

    gap = c * c * bottom * bottom * fmpq_poly([1, 0, 1]) ** k - top * top
    if gap.degree() < 0:
        return True
    if gap[gap.degree()] < 0 or gap.degree() % 2:
        return False
    odd = [f for f, e in gap.numer().factor()[1] if e % 2]
    return not any(r.imag == 0 for f in odd for r, _ in f.complex_roots())


__all__ = ["Path", "PathLimit", "limit_along_paths"]
