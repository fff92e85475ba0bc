"""Ways into a point of several coordinates, and what a function does on them.

`Place` makes the point the origin: x = a + s, or x = 1/s at ±∞. A path gives each s as a function of t > 0, t → 0; on
it f is a function of t, whose limit the engine of one variable knows exactly. The paths: straight lines; curves
y = c·x^(p/q) that balance two terms of f (Newton's polygon); curves that come nearer and nearer to a zero of a
denominator; y = e^(-1/x).

Glossary: s local coordinates, t the parameter of a path, c coefficients, weights the exponents of t.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.bounds import Band
from tangently.asymptotics.germs import behavior
from tangently.expr import TABLE, Expr, const, inputs_of, raw, symbol, toposort
from tangently.limits.results import _text
from tangently.printing import to_text

ZERO, ONE = fmpq(0), fmpq(1)
PARAMETER = "t"
BRANCHES = 8  # zeros of denominators that are followed


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
        return f"along {self.text} f {'has no limit' if not self.exists else f'tends to {number_text(self.number)}'}"


def number_text(number: Any) -> str:
    return _text(number) if isinstance(number, float) else K.show(number)


def different(a: Any, b: Any, surely: bool = True) -> bool:
    """Are the limits different? Where that can't be decided: not surely."""
    if isinstance(a, float) or isinstance(b, float):
        return not (isinstance(a, float) and isinstance(b, float) and a == b)
    try:
        return not K.is_zero(K.sub(a, b))
    except K.Undecided:
        return not surely


def two_paths(a: Path, b: Path) -> tuple[str, ...]:
    first = f"along {b.text} f tends to {number_text(b.number)}, along {a.text} to {number_text(a.number)}"
    return first, "two paths with different limits: there is no limit"


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
        signs = tuple((1, -1) if not is_infinite(t) else (1,) if t.number > 0 else (-1,) for t in targets)
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
        return not any(is_infinite(t) for t in self.targets)

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
            x: (ZERO if is_infinite(t) else t.number, p, is_infinite(t))
            for x, t, p in zip(self.variables, self.targets, local)
        }


def is_infinite(target: Any) -> bool:
    return isinstance(target.number, float)


def _is_origin(target: Any) -> bool:
    return type(target.number) is fmpq and target.number == 0


def _moved(target: Any, s: Expr) -> Expr:
    """The variable in its local coordinate."""
    if is_infinite(target):
        return TABLE["div"](1, s)
    return s if _is_origin(target) else TABLE["add"](target.shown, s)


def _back(target: Any, x: Expr) -> Expr:
    """The local coordinate in the variable."""
    if is_infinite(target):
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


def is_rational(root: Expr) -> bool:
    """Is the expression a fraction of polynomials, as it is written?"""
    return all(not n.args or not inputs_of([n]) or n.op.name in RATIONAL for n in toposort([root]))


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
        if inputs_of([node]) and is_rational(node):
            try:
                found = walk.value(node)
            except (Blocked, MoreTerms, Ramify, Void, Zeros):
                continue
            if not any(any(m[n:]) for p in (found.n, found.d) for m in p.monoms()):
                done[node] = TABLE["div"](of_gens(found.n, place.local), of_gens(found.d, place.local))
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


def monomial(t: Expr, c: Any, e: int) -> Expr:
    """c·tᵉ"""
    if not c:
        return const(0)
    power = t if e == 1 else TABLE["pow"](t, e)
    return power if c == 1 else TABLE["neg"](power) if c == -1 else TABLE["mul"](K.to_expr(c), power)


def polynomial(p: Any, t: Expr) -> Expr:
    """A polynomial of t alone as an expression."""
    found: Expr | None = None
    for m, c in sorted(p.to_dict().items()):
        term = monomial(t, fmpq(c), int(m[0])) if m[0] else K.to_expr(fmpq(c))
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


def arrives(place: Place, path: Path) -> bool:
    """Does the path end in the point? A disproof asks for it."""
    ends = [behavior(x, path.parameter, ZERO, 1, seconds=0.2) for x in path.coordinates]
    return all(e.exists and not different(e.limit, t.number) for e, t in zip(ends, place.targets))


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
    behind = local[lead] is not t and not is_infinite(place.targets[lead])
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
        not is_infinite(t) or (c and (1 if c > 0 else -1) in signs)
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


NEARER = (1, 4, 12, 24)  # by how many powers of t a curve is off a zero


def near_zeros(place: Place, t: Expr) -> Iterator[tuple[Expr, ...]]:
    """Curves that come nearer and nearer to a straight or curved zero of a denominator: y = c·x^(p/q) ± x^k."""
    if len(place.local) != 2 or not place.finite:
        return
    branches = [found for p in denominators(place) for found in _branches(p)]
    for k, (lead, weights, sign, c), side in itertools.product(NEARER, branches[:BRANCHES], (1, -1)):
        other = 1 - lead
        near = TABLE["mul"](K.to_expr(c), monomial(t, 1, weights[other]))
        pair = monomial(t, sign, weights[lead]), TABLE["add"](near, monomial(t, side, weights[other] + k))
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


def of_gens(p: Any, gens: Sequence[Expr]) -> Expr:
    """A polynomial as an expression of these variables."""
    found: Expr | None = None
    for m, c in sorted(p.to_dict().items()):
        term: Expr = K.to_expr(fmpq(c))
        for e, x in zip(m, gens):
            if e:
                term = TABLE["mul"](term, x if e == 1 else TABLE["pow"](x, int(e)))
        found = term if found is None else TABLE["add"](found, term)
    return const(0) if found is None else found


__all__ = [
    "ONE",
    "PARAMETER",
    "ZERO",
    "Path",
    "Place",
    "allowed",
    "arrives",
    "curves",
    "different",
    "follow",
    "is_infinite",
    "is_rational",
    "lines",
    "monomial",
    "near_zeros",
    "number_text",
    "of_gens",
    "polynomial",
    "put",
    "steep",
    "two_paths",
    "without_infinities",
]
