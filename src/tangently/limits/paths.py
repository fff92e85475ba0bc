"""Limits of several variables, along all paths: proven by a bound in every direction, disproved by two paths.

    limit_along_paths(reading, point, wrt, seconds) -> PathLimit

f(x, y) → L as (x, y) → (a, b) says something of every way into the point, so no list of paths proves it, and two
paths with different limits disprove it. In this order:

1. Continuity: every part of f is continuous at the point, so the limit is f(a, b).
2. Paths: on straight lines, and on curves y = c·x^(p/q) that balance two terms of f (Newton's polygon), f is a function
   of one variable, whose limit the engine of `tangently.asymptotics` knows exactly. Two that differ: no limit.
3. Composition: f = g(w) with one expression w(x, y) whose limit is known, and a limit of one variable.
4. Squeeze: bounds in the distance alone, m = max(|x|, |y|), that hold in every direction (`sectors`).
5. Blow-ups: the polar substitution, made algebraic, proves the limit or gives the two paths that disprove it
   (`blowups`). Those paths are checked by the engine of one variable before anything is said.
6. Parts: the limit of a sum, product or quotient is that of the limits, where they are finite.
7. More paths: cubic curves, y = e^(-1/x), curves that come ever nearer to the zeros of a denominator.

What none of them decides is `undecided`: the common limit of the paths is shown as evidence and never as the answer.
Points where f has no value are left out, as in the definition of the limit within the domain.

Sources: J. Stewart, Calculus, 14.2; G. B. Thomas, Calculus, 14.2; B. P. Demidovich, Problems in Mathematical Analysis,
ch. VI, §3; G. Peano's example x²y/(x⁴ + y²) in A. Genocchi, G. Peano, Calcolo differenziale (1884).

Glossary: s local coordinates, s = x - a, or 1/x at ±∞; t > 0 the parameter of a path, t → 0; L the limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.germs import behavior
from tangently.asymptotics.multiseries import GermError
from tangently.errors import InputError, TangentlyError
from tangently.expr import TABLE, Expr, inputs_of, symbol, toposort
from tangently.limits.approaches import (
    ONE,
    PARAMETER,
    ZERO,
    Path,
    Place,
    allowed,
    arrives,
    curves,
    different,
    follow,
    is_infinite,
    lines,
    monomial,
    near_zeros,
    number_text,
    polynomial,
    put,
    steep,
    two_paths,
    without_infinities,
)
from tangently.limits.polar import chart_reasons, polar_bound
from tangently.limits.results import Answer, How, Row, _text
from tangently.printing import to_text

if TYPE_CHECKING:
    from tangently.limits.reading import Reading

SHARE, PATH = 0.15, 0.12  # of the time left, and seconds at most, for one path
DEPTH = 3  # parts of parts of f
SHOWN = 3  # paths that a reason names
ROWS = 6  # decimal distances in the table of a path


# ---------------------------------------------------------------- the answer


@dataclass(frozen=True, repr=False)
class PathLimit(Answer):
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
    def error(self) -> float:
        """0: nothing here is an estimate."""
        return 0.0

    @property
    def evidence(self) -> tuple[Row, ...]:
        """Values of f on the first paths, with t = 0.1, 0.01, …"""
        tried = [p for p in self.paths if p.defined][:SHOWN]
        return tuple(row for path in tried for row in _rows(self, path))

    def __str__(self) -> str:
        names = ", ".join(str(x.name) for x in self.variable)
        point = ", ".join(_text(p) for p in self.point)
        return f"lim ({names}) → ({point}) of {to_text(self.function)} = {self.answer}   [{self.how}]"

    __repr__ = __str__


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

    `point` has a coordinate (a number, text, ±inf) for each variable, in the order of `wrt`; left out, the variables
    are those of the function in its order (of a formula without a head f(x, y) = …: by name).

    Raises InputError where coordinates and variables do not match.

    >>> from tangently.limits.reading import read
    >>> limit_along_paths(read("x*y/(x^2 + y^2)"), (0, 0), None, 5.0).exists
    False
    >>> limit_along_paths(read("x^2*y/(x^2 + y^2)"), (0, 0), None, 5.0).value
    0.0
    """
    from tangently.limits.deciding import read_point

    deadline = time.monotonic() + seconds
    notes: list[str] = []
    variables = _variables(reading, point, wrt)
    targets = [read_point(p, notes) for p in point]
    for p, target in zip(point, targets):
        if not isinstance(target.number, (float, fmpq, K.Exact)):
            raise InputError(f"the coordinate {p!r} is no number; write one such as 0, 1/2, pi/2, sqrt(2), inf or -inf")
    known = _as_formula(reading, variables, targets, deadline)
    if isinstance(known, str):
        return _unreadable(reading, known, variables, targets)
    root, more = known
    place = Place.of(root, variables, targets)
    found = Decision(place, deadline).made()
    return _answer(reading, place, found, (*notes, *reading.notes, *more))


def _as_formula(
    reading: Reading, variables: Sequence[Expr], targets: Sequence[Any], deadline: float
) -> tuple[Expr, tuple[str, ...]] | str:
    """The function near the point as one formula, and notes; or why there is none."""
    from tangently.limits.branches import branched, is_faithful

    floats = {x: t.number if is_infinite(t) else K.to_float(t.number) for x, t in zip(variables, targets)}
    if set(floats) < set(reading.inputs):  # it does not depend on the others
        return (reading.root, ()) if reading.root is not None else reading.obstacle
    point = [floats[x] for x in reading.inputs]
    if reading.root is not None:
        odd = "its own values differ from those of its formula: something leaves the trace"
        return (reading.root, ()) if is_faithful(reading, reading.root, point) else odd
    found = branched(reading, point) if reading.callable is not None else None
    if found is None or not is_faithful(reading, found.root, point):
        return reading.obstacle
    if inputs_of([found.missing]):
        rest = Decision(
            Place.of(found.missing, variables, targets), time.monotonic() + 0.3 * (deadline - time.monotonic())
        )
        away = rest.made()
        if not away.exists or different(away.number, ZERO):
            return f"{reading.obstacle}; and a branch near the point may not have been met"
    return found.root, (*found.notes, "the function branches; near the point it is " + to_text(found.root))


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
        others = ", ".join(str(x.name) for x in left)
        raise InputError(f"the function also has {others}; put numbers in, or give a coordinate for each")
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


def _unreadable(reading: Reading, obstacle: str, variables: tuple[Expr, ...], targets: Sequence[Any]) -> PathLimit:
    why = (
        f"the function can't be followed ({obstacle})",
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
                yield tuple(monomial(self.t, c, e) for c, e in path)

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
        if path.exists is False and arrives(self.place, path):
            return Verdict(False, why=(f"along {path.text} f has no limit", *path.why), paths=(path,))
        other = next((p for p in self.paths if p.exists and path.exists and different(p.number, path.number)), None)
        if other is None or not arrives(self.place, other) or not arrives(self.place, path):
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
        if any(not is_infinite(t) for t in place.targets):
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
        return self._disproof([tuple(polynomial(p, self.t) for p in path) for path in paths])

    def _nowhere(self) -> Verdict | None:
        if any(p.defined for p in self.paths):
            return None
        return Verdict(False, why=(f"f has no real value near {self.place.shown()}, in no direction",))

    def _uniform(self, leaves: Sequence[Any], values: Sequence[Any]) -> Verdict | None:
        limit = values[0].value
        if jumps(self.place.root):
            if len(self.place.local) > 2:  # the seams are surfaces, and paths on them prove nothing
                return None
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
                yield tuple(polynomial(p, self.t) for p in leaf.chart.at([u] * leaf.chart.count))

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
        common = number_text(known[0].number)
        told = f"along {shown} and every other path that was tried ({len(known)}) f tends to {common}"
        return Verdict(
            None, why=(told, "paths alone prove nothing, and no bound in all directions was found: undecided")
        )


def _first(chosen: Sequence[Path], others: Sequence[Path]) -> tuple[Path, ...]:
    return (*chosen, *[p for p in others if p not in chosen])


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
    where = f"w → {number_text(inner)}" + (
        "" if len(sides) > 1 or isinstance(inner, float) else "⁺" if sides[0] > 0 else "⁻"
    )
    if w in place.variables:
        return (
            f"f depends on {w.name} alone: as {where.replace('w', str(w.name), 1)} it tends to {number_text(limit)}",
        )
    names = ", ".join(str(x.name) for x in place.variables)
    return (
        f"f depends on ({names}) only through w = {to_text(w)}, and {where}, along every path",
        f"as {where}, {to_text(g)} tends to {number_text(limit)}, and so does f",
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
    lines = [f"{to_text(a)} → {number_text(v.number)}: {'; '.join(v.why)}" for a, v in zip(root.args, found) if v.why]
    return Verdict(True, number, (*lines, f"the limit of {name} is that of the limits: {number_text(number)}"))


__all__ = ["Path", "PathLimit", "limit_along_paths"]
