"""Uniform bounds: low(m) ≤ f ≤ high(m) on a whole sector of directions, as the distance m tends to 0.

Near the origin of n coordinates sᵢ let m = max |sᵢ|^(1/wᵢ), the distance with weights wᵢ > 0 (all of them 1: the
largest coordinate). Every point lies in a *sector*: one coordinate leads, |sᵢ| = m^wᵢ, and the others are
sⱼ = m^wⱼ·u, |u| ≤ 1, each of one sign. So on a sector each coordinate lies between two multiples of powers of m, and
the graph is walked once with such intervals, whose ends are multiseries in m (`asymptotics.bounds`): the polar bound
of the textbooks, without angles. The ends do not depend on the direction; if both have one limit, so has f along all
paths. An interval that is too wide is cut into pieces.

Where nothing is known of an operand its interval is the whole line, and sin, arctan and their likes are bounded
all the same: |x·sin(1/y)| ≤ |x|. Points where f has no value are left out, as in the definition of the limit.

Sources: J. Stewart, Calculus, 14.2 (the squeeze theorem in two variables); for weights, the Newton polygon, see
R. J. Walker, Algebraic Curves, IV.3 (1950).

Glossary: s local coordinates, w weights, m the distance, N a field of multiseries, whose variable is 1/m.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.bounds import Band, absolute, larger, multiply, negative, quotient, smaller
from tangently.asymptotics.germs import Near, constant
from tangently.asymptotics.multiseries import ONE, ZERO, GermError, Series, Spent, Undefined, Unknown, Value
from tangently.asymptotics.rules import RULES, Rule
from tangently.asymptotics.telling import Sight, expression, leading_term
from tangently.expr import CONST, Expr, toposort
from tangently.printing import to_text

NOTHING = Band(None, None)
TRUTHS = Band(ZERO, ONE)
SHOWN = 400  # steps of work for terms that nothing depends on
WORK = 6_000  # steps of work for one squeeze
CUTS = 3  # halvings of an interval of directions
HALF = fmpq(1, 2)


class Uniform(Near):
    """Multiseries in the distance, and intervals of them for what depends on the direction."""

    def intervals(self, root: Expr, given: dict[Expr, Band]) -> Band:
        """Bounds of the root. Raises Undefined where it has no value on the whole sector."""
        done: dict[Expr, Any] = dict(given)
        for node in toposort([root], stop=done.__contains__):
            if node not in done:
                done[node] = self._interval(node, done)
        return self.known(done[root])

    def _interval(self, node: Expr, done: dict[Expr, Any]) -> Any:
        if node.op is CONST:
            return _point(constant(node.value))
        args = [done[a] for a in node.args]
        if node.op.name == "where":
            return self._branch(args)
        void = next((a for a in args if isinstance(a, Undefined)), None)
        if void is not None:
            return void
        try:
            return self._exactly(node, args) if all(a.exact for a in args) else self._bounds(node, args)
        except Undefined as error:
            return error if all(a.exact for a in args) else _unbounded(node)
        except Spent:
            raise
        except (GermError, K.Undecided, ValueError, ZeroDivisionError, RecursionError):
            return _unbounded(node)

    def _exactly(self, node: Expr, args: list[Band]) -> Band:
        """The value itself, unless it oscillates."""
        waves = self.waves
        found = self._apply(node, [a.low for a in args])
        return _point(found) if self.waves == waves else self._bounds(node, args)

    def _branch(self, args: list[Any]) -> Any:
        """One branch where the condition is decided, else what holds both; a branch without a value is left out."""
        c, a, b = args
        if isinstance(c, Undefined):
            return c
        if c.exact:
            return b if self.is_zero(c.low) else a
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            return b if isinstance(a, Undefined) else a
        return Band(smaller(self, a.low, b.low), larger(self, a.high, b.high))

    def _bounds(self, node: Expr, args: list[Band]) -> Band:
        special = SPECIAL.get(node.op.name)
        if node.op.name == "mul" and node.args[0] is node.args[1]:
            size = absolute(self, args[0])
            return multiply(self, size, size)
        if special is not None:
            return self._shortened(special(self, *args))
        rule = RULES.get(node.op.name)
        if rule is None or rule.bounds is None:
            return _unbounded(node)
        self.node, self.operands = node, args
        if isinstance(rule.bounds, str):
            return self._monotone(node.op.name, rule, args[0])
        found = rule.bounds(self, *self._clipped(node, args))
        return self._shortened(found) if node.op.name in ("pow", "reciprocal") else found

    def _clipped(self, node: Expr, args: list[Band]) -> list[Band]:
        """The base of a power that is not whole is not negative, where the power has a value."""
        if node.op.name != "pow" or args[1].low is None or not args[1].exact or _is_whole(args[1].low):
            return args
        return [self._positive(args[0]), args[1]]

    def _positive(self, a: Band) -> Band:
        return Band(ZERO, a.high) if a.low is None or self.sign(a.low) < 0 else a

    def _monotone(self, name: str, rule: Rule, a: Band) -> Band:
        """An end where the row has no value is replaced by the row's reach: those points are left out."""
        reach = _reach(name, rule)
        first, last = (a.low, a.high) if rule.bounds == "+" else (a.high, a.low)
        return Band(self._end(rule, first, reach[0], False), self._end(rule, last, reach[1], True))

    def _end(self, rule: Rule, end: Value | None, otherwise: Value | None, up: bool) -> Value | None:
        if end is None:
            return otherwise
        try:
            return self.short(rule.value(self, end), 1 if up else -1)
        except Undefined:
            return otherwise

    def _shortened(self, a: Band) -> Band:
        return (
            a if a.exact else Band(*[e if e is None else self.short(e, way) for e, way in ((a.low, -1), (a.high, 1))])
        )

    def short(self, v: Value, way: int) -> Value:
        """Two terms that are above v in the end (way 1) or below it (-1): sums without end can't be compared."""
        if type(v) is not Series or v.term(2) is None:
            return v
        (e, c), (f, d) = v.terms(0).__next__(), v.terms(1).__next__()
        return Series(v.scale, [(e, c), (f, self.mul(fmpq(2) if self.sign(d) == way else HALF, d))])

    def within(self, a: Band, size: fmpq) -> bool:
        """Do both ends stay in [-size, size]?"""
        if a.low is None or a.high is None:
            return False
        return self.order(a.low, -size) >= 0 and self.order(a.high, size) <= 0


def _point(v: Value) -> Band:
    return Band(v, v)


def _is_whole(c: Value) -> bool:
    return type(c) is fmpq and c.q == 1


def _reach(name: str, rule: Rule) -> tuple[Any, Any]:
    if name == "arctan":
        quarter = K.mul(HALF, K.PI)
        return K.neg(quarter), quarter
    return rule.range


def _unbounded(node: Expr) -> Band:
    """What is known of a row without its operands: its reach."""
    if node.dtype == "?":
        return TRUTHS
    rule = RULES.get(node.op.name)
    if node.op.name in ("sin", "cos"):
        return Band(fmpq(-1), ONE)
    return Band(*_reach(node.op.name, rule)) if rule is not None and isinstance(rule.bounds, str) else NOTHING


def _sin(N: Uniform, a: Band) -> Band:
    """sin increases on [-1, 1], which holds what tends to 0; there u - u³/6 ≤ sin u ≤ u for u ≥ 0."""
    if not N.within(a, ONE):
        return Band(fmpq(-1), ONE)
    cubic = lambda u: N.sub(u, N.mul(fmpq(1, 6), N.mul(u, N.mul(u, u))))
    return Band(cubic(a.low) if N.sign(a.low) > 0 else a.low, cubic(a.high) if N.sign(a.high) < 0 else a.high)


def _cos(N: Uniform, a: Band) -> Band:
    """1 - u²/2 ≤ cos u ≤ 1 - u²/2 + u⁴/24."""
    if not N.within(a, ONE):
        return Band(fmpq(-1), ONE)
    least, most = [N.mul(HALF, N.mul(u, u)) for u in (absolute(N, a).low, absolute(N, a).high)]
    above = N.add(N.sub(ONE, least), N.mul(fmpq(1, 6), N.mul(least, least)))
    return Band(N.sub(ONE, most), above)


def _tan(N: Uniform, a: Band) -> Band:
    """u ≤ tan u ≤ u + u³ for 0 ≤ u ≤ 1."""
    if not N.within(a, ONE):
        return NOTHING
    cubic = lambda u: N.add(u, N.mul(u, N.mul(u, u)))
    return Band(cubic(a.low) if N.sign(a.low) < 0 else a.low, cubic(a.high) if N.sign(a.high) > 0 else a.high)


def _div(N: Uniform, a: Band, b: Band) -> Band:
    """A divisor that reaches 0 from one side is without bound there; where it is 0, f has no value."""
    if b.low is not None and b.high is not None:
        if N.is_zero(b.low) and N.sign(b.high) > 0:
            return multiply(N, a, Band(N.div(ONE, b.high), None))
        if N.is_zero(b.high) and N.sign(b.low) < 0:
            return multiply(N, a, Band(None, N.div(ONE, b.low)))
    return quotient(N, a, b)


def _hypot(N: Uniform, a: Band, b: Band) -> Band:
    squares = [multiply(N, size, size) for size in (absolute(N, a), absolute(N, b))]
    total = RULES["add"].bounds(N, *squares)  # type: ignore[misc, operator]
    return N._monotone("sqrt", RULES["sqrt"], total)


def _arctan2(N: Uniform, a: Band, b: Band) -> Band:
    return Band(K.neg(K.PI), K.PI)


SPECIAL = {"sin": _sin, "cos": _cos, "tan": _tan, "hypot": _hypot, "arctan2": _arctan2, "div": _div}


# ---------------------------------------------------------------- sectors


@dataclass(frozen=True)
class Sector:
    """The leading coordinate, and each coordinate's sign and interval of u: sᵢ = sign·m^wᵢ·[low, high]."""

    lead: int
    signs: tuple[int, ...]
    low: tuple[fmpq, ...]
    high: tuple[fmpq, ...]
    weights: tuple[int, ...]

    def coordinate(self, N: Uniform, k: int) -> Band:
        power = Series(N.t, [(fmpq(-self.weights[k]), ONE)])
        ends = [N.mul(self.signs[k] * q, power) if q else ZERO for q in (self.low[k], self.high[k])]
        if k == self.lead:
            return _point(ends[1])
        return Band(*(ends if self.signs[k] > 0 else ends[::-1]))

    def halves(self) -> Iterator[Sector]:
        """The sector cut in each direction."""
        cuts = []
        for k, (a, b) in enumerate(zip(self.low, self.high)):
            middle = (a + b) / 2
            cuts.append([(a, b)] if k == self.lead else [(a, middle), (middle, b)])
        for cell in itertools.product(*cuts):
            low, high = zip(*cell)
            yield Sector(self.lead, self.signs, low, high, self.weights)


def sectors(weights: Sequence[int], signs: Sequence[Sequence[int]]) -> Iterator[Sector]:
    """All sectors around the origin; `signs` are those that each coordinate takes."""
    n = len(weights)
    for lead, chosen in itertools.product(range(n), itertools.product(*signs)):
        low = tuple(ONE if k == lead else ZERO for k in range(n))
        yield Sector(lead, chosen, low, (ONE,) * n, tuple(weights))


# ---------------------------------------------------------------- the squeeze


@dataclass(frozen=True)
class Squeezed:
    """Bounds that hold on all sectors (where f has a value), and have one limit."""

    field: Uniform
    low: Value | None
    high: Value | None
    weights: tuple[int, ...]
    far: bool = False  # the distance is M = max |x| → ∞

    def told(self, names: Sequence[str], limit: Any) -> tuple[str, ...]:
        """The bound in words, in the distance m."""
        name, end_of_it, near = ("M", "∞", "far out") if self.far else ("m", "0", "near the point")
        m = distance_text(names, self.weights)
        between = self._between(name)
        if isinstance(limit, float):
            end = f"the bound tends to {'∞' if limit > 0 else '-∞'}, and takes f with it"
        else:
            both = f"both bounds tend to {K.show(limit)} as {name} → {end_of_it}"
            end = f"{both}: by the squeeze theorem so does f, along every path"
        return (f"with {name} = {m}: whatever the direction, {between} {near}", end)

    def _between(self, name: str) -> str:
        from tangently.expr import symbol

        t = symbol(name)
        low, high = [None if e is None else _shown(self.field, e, t, not self.far) for e in (self.low, self.high)]
        if low is None or high is None:
            return f"f ≥ {low}" if low is not None else f"f ≤ {high}"
        if self.low is not None and self.high is not None and _opposite(self.field, self.low, self.high):
            return f"|f| ≤ {high}"
        return f"{low} ≤ f ≤ {high}"


def _shown(N: Uniform, end: Value, t: Expr, small: bool) -> str:
    sight = Sight(t, small, 1)
    with N.limited(SHOWN):
        try:
            shown, more = expression(N, end, sight)
        except (GermError, K.Undecided):
            shown, more = leading_term(N, end, sight), True
    return to_text(shown) + (" + …" if more else "")


def _opposite(N: Uniform, low: Value, high: Value) -> bool:
    try:
        with N.limited(200):
            return N.sign(N.add(low, high)) == 0
    except (GermError, K.Undecided):
        return False


def distance_text(names: Sequence[str], weights: Sequence[int]) -> str:
    """max(|x|, |y|), or with roots where the weights differ."""
    parts = [f"|{s}|" if w == 1 else f"√|{s}|" if w == 2 else f"|{s}|^(1/{w})" for s, w in zip(names, weights)]
    return f"max({', '.join(parts)})" if len(parts) > 1 else parts[0]


def squeeze(
    root: Expr, given: Any, weights: Sequence[int], signs: Sequence[Sequence[int]], limit: Any, seconds: float
) -> Squeezed | None:
    """Bounds of the root with this limit on all sectors, or None.

    `given(N, coordinates)` gives the intervals of the inputs from those of the local coordinates.
    """
    N = Uniform(seconds=seconds, work=WORK)
    low: Value | None = None
    high: Value | None = None
    found = False
    try:
        for sector in sectors(weights, signs):
            for band in _pieces(N, root, given, sector, limit, CUTS if len(weights) < 3 else 1):
                low = band.low if not found else smaller(N, low, band.low)
                high = band.high if not found else larger(N, high, band.high)
                found = True
    except (GermError, K.Undecided):
        return None
    return Squeezed(N, low, high, tuple(weights)) if found else None


def squeeze_far(
    root: Expr, variables: Sequence[Expr], signs: Sequence[int], limit: Any, seconds: float
) -> Squeezed | None:
    """The same where every variable goes to ±∞: one of them is ±M, the others are between ±1 and ±M."""
    N = Uniform(seconds=seconds, work=WORK)
    bands = []
    try:
        for lead in range(len(variables)):
            far = [Band(N.variable if k == lead else ONE, N.variable) for k in range(len(variables))]
            given = {x: a if s > 0 else negative(N, a) for x, a, s in zip(variables, far, signs)}
            bands.append(N.intervals(root, given))
        if not all(settles(N, band, limit) for band in bands):
            return None
        low, high = bands[0].low, bands[0].high
        for band in bands[1:]:
            low, high = smaller(N, low, band.low), larger(N, high, band.high)
    except (GermError, K.Undecided):
        return None
    return Squeezed(N, low, high, (1,) * len(variables), far=True)


def _pieces(N: Uniform, root: Expr, given: Any, sector: Sector, limit: Any, cuts: int) -> Iterator[Band]:
    """The bounds on the sector, or on its pieces; Unknown where they do not have the limit."""
    coordinates = [sector.coordinate(N, k) for k in range(len(sector.signs))]
    try:
        band = N.intervals(root, given(N, coordinates))
    except Undefined:
        return
    if settles(N, band, limit):
        yield band
        return
    if not cuts:
        raise Unknown("the bounds on a sector of directions do not meet")
    for half in sector.halves():
        yield from _pieces(N, root, given, half, limit, cuts - 1)


def settles(N: Uniform, band: Band, limit: Any) -> bool:
    """Do the bounds force this limit?"""
    if isinstance(limit, float):
        end = band.low if limit > 0 else band.high
        return end is not None and N.limit(end) == limit
    for end in (band.low, band.high):
        if end is None:
            return False
        reached: Any = N.limit(end)
        if isinstance(reached, float) or not K.is_zero(K.sub(reached, limit)):
            return False
    return True


def sign_near(root: Expr, given: Any, weights: Sequence[int], signs: Sequence[Sequence[int]], seconds: float) -> int:
    """1 or -1 where the root has that sign (or is 0) around the point, wherever it has a value; else 0."""
    N = Uniform(seconds=seconds, work=WORK)
    found = set()
    try:
        for sector in sectors(weights, signs):
            band = N.intervals(root, given(N, [sector.coordinate(N, k) for k in range(len(weights))]))
            above = band.low is not None and N.sign(band.low) >= 0
            below = band.high is not None and N.sign(band.high) <= 0
            found.add(1 if above else -1 if below else 0)
    except (GermError, K.Undecided):
        return 0
    return found.pop() if len(found) == 1 else 0


# ---------------------------------------------------------------- weights


Support = frozenset[tuple[fmpq, ...]]
MANY = 200


def supports(root: Expr, local: Sequence[Expr]) -> list[Support]:
    """The exponents of the sums in f, as far as they are read off: those of x⁴ + y² are (4, 0) and (0, 2)."""
    n = len(local)
    done: dict[Expr, Support | None] = {s: frozenset([tuple(ONE if k == i else ZERO for k in range(n))])
        for i, s in enumerate(local)}  # fmt: skip
    found = []
    for node in toposort([root]):
        if node not in done:
            done[node] = _support(node, [done[a] for a in node.args], n)
        held = done[node]
        if held is not None and node.op.name in ("add", "sub") and held not in found:
            found.append(held)
    return [s for s in found if len(s) > 1]


def _support(node: Expr, args: list[Support | None], n: int) -> Support | None:
    name = node.op.name
    if not node.args:
        return frozenset([(ZERO,) * n])
    known = [a for a in args if a is not None]
    if len(known) < len(args) or any(len(a) > MANY for a in known):
        return None
    if name in ("add", "sub"):
        return known[0] | known[1]
    if name == "mul":
        return frozenset(tuple(p + q for p, q in zip(a, b)) for a in known[0] for b in known[1])
    if name == "pow" and _exponent(node.args[1]) is not None:
        r = _exponent(node.args[1])
        return _scaled(known[0], r)
    factor = {"sqrt": HALF, "cbrt": fmpq(1, 3), "square": fmpq(2)}.get(name, ONE if name in LIKE else None)
    if name == "div" and len(known[1]) == 1:
        [below] = known[1]
        return frozenset(tuple(p - q for p, q in zip(a, below)) for a in known[0])
    return None if factor is None else _scaled(known[0], factor)


LIKE = frozenset({"neg", "abs", "sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "expm1", "log1p"})


def _scaled(a: Support, r: Any) -> Support | None:
    return frozenset(tuple(p * r for p in e) for e in a) if r > 0 else None


def _exponent(node: Expr) -> fmpq | None:
    try:
        found = K.from_expr(node)
    except Exception as error:
        if isinstance(error, (GermError, ValueError, TypeError, ArithmeticError)):
            return None
        raise
    return found if type(found) is fmpq else None


def balances(root: Expr, local: Sequence[Expr]) -> list[tuple[int, ...]]:
    """Weights that balance two terms of a sum: (1, 2) for x⁴ + y². The equal weights come first.

    >>> import tangently.primitives
    >>> from tangently.expr import symbol
    >>> x, y = symbol("x"), symbol("y")
    >>> balances(x**2 * y / (x**4 + y**2), [x, y])
    [(1, 1), (1, 2)]
    """
    found = [(1,) * len(local)]
    for support in supports(root, local):
        for weights in (newton_edges(support) if len(local) == 2 else []) + _by_pure_powers(support, len(local)):
            if weights not in found:
                found.append(weights)
    return found


def newton_edges(support: Support) -> list[tuple[int, ...]]:
    """The weights of the edges of the Newton polygon: i·w₁ + j·w₂ is least, at two exponents."""
    found = []
    for (i, j), (k, l) in itertools.combinations(sorted(support, key=lambda e: (e[0], -e[1])), 2):
        if k > i and l < j:
            weights = _whole([j - l, k - i])
            least = min(weights[0] * a + weights[1] * b for a, b in support)
            if weights[0] * i + weights[1] * j == least and weights not in found:
                found.append(weights)
    return found


def _by_pure_powers(support: Support, n: int) -> list[tuple[int, ...]]:
    """wᵢ = 1/dᵢ, made whole, where every coordinate occurs alone, as a power dᵢ."""
    powers = []
    for k in range(n):
        alone = [e[k] for e in support if e[k] and all(not q for i, q in enumerate(e) if i != k)]
        if not alone or min(alone) < 0:
            return []
        powers.append(1 / min(alone))
    return [_whole(powers)]


def _whole(weights: Sequence[fmpq]) -> tuple[int, ...]:
    common = math.lcm(*[int(w.q) for w in weights])
    whole = [int((w * common).p) for w in weights]
    return tuple(w // math.gcd(*whole) for w in whole)


__all__ = [
    "Sector",
    "Squeezed",
    "Uniform",
    "balances",
    "distance_text",
    "newton_edges",
    "sectors",
    "sign_near",
    "squeeze",
    "squeeze_far",
]
