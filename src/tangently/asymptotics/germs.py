"""What a function does near a point, from one side: its graph walked once, in multiseries.

With t → +∞ and x = point ± 1/t (or x = ±t), every node of the graph gets a multiseries from its row's rule. What a node
has no multiseries for keeps the reason why; only who uses it is stopped by that (a branch that is not taken stops
nobody). Then, in this order:

1. the leading term of the root decides: a constant, 0, ±∞;
2. if something oscillates, bounds are carried instead, and the squeeze theorem may decide;
3. otherwise two sequences: the phase φ(t) → ∞ of what oscillates takes every value, so there are points tₖ → ∞
   with φ(tₖ) = kP + τ, P a common period. Along them the oscillators are constants, and the limit is computed
   anew. Two offsets τ with different limits: there is no limit;
4. a quotient N/D whose D changes sign again and again where N is not 0 has poles arbitrarily near the point; together
   with a
   sequence that has another limit this shows that there is none.

Over the integers (sequences) every residue of n modulo the common period is computed; where all agree, that is the
limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics import rules_special  # noqa: F401  (adds its rows to the column)
from tangently.asymptotics.bounds import Band, monotone
from tangently.asymptotics.multiseries import (
    ONE,
    ZERO,
    Coefficients,
    Field,
    GermError,
    Number,
    Oscillates,
    Series,
    Spent,
    Undefined,
    Unknown,
    Value,
    factorial,
    is_number,
)
from tangently.asymptotics.rules import RULES, Rule
from tangently.asymptotics.telling import Sight, expression, sight_of
from tangently.expr import CONST, TABLE, Expr, const, symbol, toposort

Target = Any  # Number | ±inf
OFFSETS = (0, 6, 12, 18, 3, 9, 15, 21, 4, 8, 16, 20, 2, 10, 14, 22)  # of the common period, in 24ths
RESIDUES = 64  # classes of the integers that are tried one by one


@dataclass
class Phase:
    """An infinite argument of something periodic: `series` with leading constant 1, and the periods that occurred."""

    series: Series
    lead: Any
    periods: list[Number] = field(default_factory=list)


@dataclass(frozen=True)
class Fixed:
    """A sequence: the first phase is k·period + offset, k = 1, 2, 3, …"""

    period: Any
    offset: Any


class Near(Field):
    """Multiseries with the functions of the table; `fixed` restricts to a sequence, `whole_input` to integers."""

    def __init__(self, *, seconds: float = 5.0, fixed: Fixed | None = None, whole_input: bool = False, **options: Any):
        super().__init__(seconds=seconds, **options)
        self.fixed, self.whole_input = fixed, whole_input
        self.phases: list[Phase] = []
        self.whole_only = False  # something has values at whole numbers only
        self.sight: Sight | None = None  # how a person sees t
        self.given: dict[Expr, Number] = {}  # inputs that do not move
        self.node: Expr | None = None
        self.operands: list[Any] = []
        self.waves = 0  # how often an oscillator was handed out
        self.wavy: set[Expr] = set()

    # ------------------------------------------------------------ walking the graph

    def values(self, root: Expr, given: dict[Expr, Any]) -> dict[Expr, Any]:
        """A value for every node, or the exception that tells why there is none."""
        done = dict(given)
        for node in toposort([root], stop=done.__contains__):
            if node not in done:
                done[node] = self._value(node, done)
        return done

    def _value(self, node: Expr, done: dict[Expr, Any]) -> Any:
        waves = self.waves
        try:
            found = self._apply(node, [done[a] for a in node.args])
        except GermError as error:
            return error
        except K.Undecided as error:
            return Unknown(f"whether {K.show(error.constant)} is zero could not be decided")
        except (ValueError, ZeroDivisionError) as error:
            return Undefined(str(error))
        except RecursionError:
            return Spent("the expression is nested too deep for its terms to be followed")
        if self.waves > waves or any(a in self.wavy for a in node.args):
            self.wavy.add(node)
        return found

    def _apply(self, node: Expr, operands: list[Any]) -> Any:
        if node.op is CONST:
            return constant(node.value)
        rule = RULES.get(node.op.name)
        if rule is None or not rule.selective:
            for x in operands:
                if isinstance(x, Exception):
                    raise x
        if rule is None:
            return self._without_rule(node, operands)
        self.node, self.operands = node, operands
        return rule.value(self, *operands)

    def _without_rule(self, node: Expr, operands: list[Any]) -> Any:
        if all(is_number(x) and not K.is_oscillating(x) for x in operands):
            return K.apply(node.op, *operands)
        raise Unknown(f"{node.op.name} has no asymptotic rule yet")

    def known(self, x: Any) -> Value:
        """An operand of a selective rule that is needed after all."""
        if isinstance(x, Exception):
            raise x
        return x

    def whole(self, v: Value) -> bool:
        """Is this operand of the present node a whole number at every point?"""
        if type(v) is fmpq:
            return v.q == 1
        assert self.node is not None
        return any(x is v and whole_valued(a, self.whole_input) for a, x in zip(self.node.args, self.operands))

    # ------------------------------------------------------------ functions

    def analytic(
        self,
        key: str,
        v: Value,
        at: Callable[[Number], Coefficients],
        infinite: Callable[[Near, Value], Value] | None = None,
        slopes: Callable[[Near, Value, int], Value] | None = None,
    ) -> Value:
        """φ(v) by the Taylor series of φ at the limit of v, or by its expansion at infinity."""
        large, c, small = self.split(v)
        if not is_number(large):
            if infinite is None:
                raise Unknown(f"{key} of an argument without bound")
            return self.remember((key, id(v)), (v,), lambda: self._far(key, v, at, infinite, slopes))
        if K.is_oscillating(c):
            raise Oscillates(f"{key} of an argument that oscillates")
        coefficients = self.remember(("at", key, c), (), lambda: at(c))
        return self.compose(coefficients, small)

    def _far(self, key: str, v: Series, at: Any, infinite: Any, slopes: Any) -> Value:
        """φ at an infinite argument; v = C + u with u in a faster scale is φ(C) + φ′(C) u + …: φ(C) can cancel."""
        first = v.term(0)
        if slopes is None or first is None or self.sign_of(first[0]) or v.term(1) is None:
            return infinite(self, v)
        u, slope = v.rest(), slopes(self, first[1], 1)
        if not is_number(slope) and slope.scale.rank >= v.scale.rank:
            return infinite(self, v)
        terms = lambda k: slopes(self, first[1], k) if k else ZERO
        return self.add(self.analytic(key, first[1], at, infinite, slopes), self.compose(terms, u))

    def slopes_of(self, name: str, *order: Number) -> Callable[[Near, Value, int], Value]:
        """The k-th derivative of a row over k!, from its own partials, at a multiseries."""

        def slope(_N: Near, v: Value, k: int) -> Value:
            z, graph = derivative_of_row(name, order, k)
            return self.mul(fmpq(1, factorial(k)), self.known(self.values(graph, {z: v})[graph]))

        return slope

    def powers(self, a: Callable[[int], Value], u: Value) -> Value:
        """Σ a(k) uᵏ where the a(k) are multiseries in the scale of u itself."""
        assert isinstance(u, Series)
        return Series(u.scale, self._powers(a, u, 0))

    def _powers(self, a: Callable[[int], Value], u: Series, k: int) -> Iterator[Any]:
        self.tick()
        inside = self._product(u, Series(u.scale, self._powers(a, u, k + 1)))
        c = self.lift(a(k), u.scale)
        first, j = u.term(0), 0
        while (term := c.term(j)) is not None and first is not None and self.compare(term[0], first[0]) > 0:
            yield term  # larger than all that comes from the bracket
            j += 1
        yield from self._merge(c.rest(j), inside)

    def short(self, v: Value, terms: int = 6) -> bool:
        """Is v a sum of a few terms with constant coefficients, all of them known?"""
        if type(v) is not Series:
            return True
        return v.term(terms) is None and all(self.short(c, terms) for _, c in v.terms())

    def interned(self, v: Value) -> Value:
        """The one object for a short series."""
        if type(v) is not Series or not self.short(v):
            return v
        key = tuple((e, self._identity(c)) for e, c in v.terms())
        return self.remember(("interned", v.scale, key), (v,), lambda: v)

    def _identity(self, c: Value) -> Any:
        return id(self.interned(c)) if type(c) is Series else c

    def until(self, v: Value, bound: Value, what: str) -> Value:
        """v, known down to the size of `bound`: who asks for a later term gets Unknown."""
        assert isinstance(v, Series)
        return Series(v.scale, self._until(v, self.lead(bound)[0], what))

    def _until(self, v: Series, bound: Any, what: str) -> Iterator[Any]:
        for e, c in v.terms():
            if (
                self.compare_growth(((v.scale, e), *self.lead(c)[0]) if self.sign_of(e) else self.lead(c)[0], bound)
                <= 0
            ):
                break
            yield e, c
        raise Unknown(f"{what} are not known here")

    def cut_off(self, c: Number, u: Value, what: str) -> Value:
        """c + O(u): a constant, and Unknown for who asks for more."""
        scale = self._faster(u, u)
        return Series(scale, self._cut(c, what))

    def _cut(self, c: Number, what: str) -> Iterator[Any]:
        yield ZERO, c
        raise Unknown(f"{what} are not known here")

    def taylor_of(self, name: str, *order: Number) -> Callable[[Number], Coefficients]:
        """Taylor coefficients of a row from its own partial derivatives, as exact constants."""

        def at(c: Number) -> Coefficients:
            found: dict[int, Number] = {}

            def coefficient(k: int) -> Number:
                if k not in found:
                    z, graph = derivative_of_row(name, order, k)
                    found[k] = K.div(self.known(self.values(graph, {z: c})[graph]), fmpq(factorial(k)))
                return found[k]

            return _direct(name, order, c, coefficient)

        return at

    def sincos(self, v: Value) -> tuple[Value, Value]:
        """sin v and cos v; of an infinite v, by the addition formulas with oscillators for its infinite part."""
        large, c, small = self.split(v)
        if K.is_oscillating(c):
            raise Oscillates("sin or cos of an argument that oscillates")
        if is_number(large):
            return self._circle(c, small)
        wave, angle = self._wave(large)
        s, k = self._circle(K.add(c, angle), small)
        if wave is None:
            return s, k
        self.waves += 1
        sin, cos = wave
        return self.add(self.mul(sin, k), self.mul(cos, s)), self.sub(self.mul(cos, k), self.mul(sin, s))

    def _circle(self, c: Number, small: Value) -> tuple[Value, Value]:
        sin, cos = self.remember(("circle", c), (), lambda: _circle_at(c))
        return self.compose(sin, small), self.compose(cos, small)

    def _wave(self, large: Series) -> tuple[tuple[Number, Number] | None, Number]:
        """Oscillators of an infinite phase, and a constant to add; along a sequence only the constant."""
        index, m, constant = self.phase(large)
        self.phases[index].periods.append(K.div(K.mul(fmpq(2), K.PI), m))
        if self.fixed is not None and index == 0:
            turns = K.div(K.mul(m, self.fixed.period), K.mul(fmpq(2), K.PI))
            if _is_whole(turns):
                return None, K.add(constant, K.mul(m, self.fixed.offset))
        if self.sign_of(m) < 0:
            sin, cos = self._oscillators(index, K.neg(m))
            return (K.neg(sin), cos), constant
        return self._oscillators(index, m), constant

    def _oscillators(self, index: int, m: Number) -> tuple[Number, Number]:
        """sin mφ and cos mφ; a small whole multiple of one that occurred is a polynomial in it (de Moivre)."""
        base = self.remember(("wave", index), (), lambda: m)
        n = K.div(m, base)
        key = (index, base)
        if type(n) is not fmpq or n.q != 1 or not 1 <= n <= 12:
            n, key = ONE, (index, m)
        shown = self.remember(("shown", key), (), lambda: self._angle(*key))
        s, c = K.oscillator("sin", key, shown), K.oscillator("cos", key, shown)
        sin, cos = s, c
        for _ in range(int(n.p) - 1):
            sin, cos = K.add(K.mul(sin, c), K.mul(cos, s)), K.sub(K.mul(cos, c), K.mul(sin, s))
        return sin, cos

    def _angle(self, index: int, m: Number) -> str:
        """The phase mφ as a person reads it."""
        from tangently.printing import to_text

        if self.sight is None:
            return f"φ{index}"
        with self.limited(200):
            try:
                found, more = expression(self, self.mul(m, self.phases[index].series), self.sight)
            except (GermError, K.Undecided):
                return f"φ{index}"
        return to_text(found) + (" + …" if more else "")

    def phase(self, large: Series) -> tuple[int, Number, Number]:
        """(index, m, r) with large = m·φ + r for a known phase φ, or a new one."""
        monomial, c = self.lead(large)
        if K.is_oscillating(c):
            raise Oscillates("a phase that oscillates itself")
        for index, phase in enumerate(self.phases):
            if self.compare_growth(monomial, phase.lead) == 0:
                rest = self.sub(large, self.mul(c, phase.series))
                if is_number(rest) or self.growth(rest) < 0 or self.is_zero(rest):
                    return index, c, rest if is_number(rest) else ZERO
                inner, constant, small = self.split(rest)
                if is_number(inner) and is_number(small):
                    return index, c, constant
        self.phases.append(Phase(self.div(large, c), monomial))
        return len(self.phases) - 1, c, ZERO

    def floor_infinite(self, v: Series) -> Value:
        """The floor of what grows without bound: along a sequence of whole steps, v less a constant."""
        large, c, small = self.split(v)
        index, m, constant = self.phase(large)
        self.phases[index].periods.append(K.div(fmpq(2), m))
        if self.fixed is None or index != 0 or not _is_whole(K.mul(m, self.fixed.period)):
            self.waves += 1
            raise Oscillates("the floor of an argument without bound")
        inside = K.add(constant, K.mul(m, self.fixed.offset))
        rounded = RULES["floor"].value(self, self.add(K.add(inside, c), small))
        return self.add(large, K.sub(rounded, inside))

    def jumps(self, c: Number) -> Value:
        """The floor of what oscillates strictly between two whole numbers, up to what tends to 0."""
        low, high = _ends(K.ranges(c))
        if math.floor(low) < low and high < math.floor(low) + 1:
            return fmpq(math.floor(low))
        raise Oscillates("the floor of an argument that oscillates over a whole number")

    # ------------------------------------------------------------ bounds

    def band(self, root: Expr, done: dict[Expr, Any]) -> Band:
        """Bounds of the root that hold from some point on. Raises what stops them."""
        bands: dict[Expr, Any] = {}
        for node in toposort([root]):
            bands[node] = self._band(node, done, bands)
        return self.known(bands[root])

    def _band(self, node: Expr, done: dict[Expr, Any], bands: dict[Expr, Any]) -> Any:
        value = done[node]
        if not isinstance(value, Exception) and not self._oscillating(node, value):
            return Band(value, value)
        tight = self._range(value)
        if tight is not None:
            return tight
        rule = RULES.get(node.op.name)
        try:
            if rule is None or rule.bounds is None:
                raise value if isinstance(value, Exception) else Unknown(f"{node.op.name} has no bounds")
            operands = [self.known(bands[a]) for a in node.args]
            self.node, self.operands = node, operands
            return self._bounded(rule, operands)
        except GermError as error:
            return error
        except K.Undecided as error:
            return Unknown(f"whether {K.show(error.constant)} is zero could not be decided")
        except (ValueError, ZeroDivisionError) as error:
            return Undefined(str(error))

    def _range(self, value: Any) -> Band | None:
        """The range of a polynomial in oscillators that keeps its sign, tighter than what its parts give."""
        if not isinstance(value, K.Exact):
            return None
        y = K.ranges(value)
        if not (y > 0 or y < 0):
            return None
        return Band(_outward(y.lower(), -1), _outward(y.upper(), 1))

    def _oscillating(self, node: Expr, value: Value) -> bool:
        return node in self.wavy and not (is_number(value) and not K.is_oscillating(value))

    def _bounded(self, rule: Rule, operands: list[Band]) -> Band:
        if isinstance(rule.bounds, str):
            return monotone(self, rule.value, operands[0], rule.bounds == "+", rule.range)
        assert rule.bounds is not None
        return rule.bounds(self, *operands)

    def increasing(self, f: Callable[[Any, Value], Value], a: Band, reach: tuple[Any, Any]) -> Band:
        return monotone(self, f, a, True, reach)

    def whole_band(self, b: Band) -> bool:
        assert self.node is not None
        return any(x is b and whole_valued(a, self.whole_input) for a, x in zip(self.node.args, self.operands))

    def decided(self, gap: Band, holds: Callable[[int], bool]) -> Band:
        """The truth of a comparison from the bounds of the difference."""
        signs = {-1, 0, 1}
        if gap.low is not None:
            signs &= {1} if self.sign(gap.low) > 0 else {0, 1} if self.sign(gap.low) == 0 else signs
        if gap.high is not None:
            signs &= {-1} if self.sign(gap.high) < 0 else {-1, 0} if self.sign(gap.high) == 0 else signs
        answers = {holds(s) for s in signs}
        if len(answers) == 1:
            truth = ONE if answers.pop() else ZERO
            return Band(truth, truth)
        return Band(ZERO, ONE)

    def attempt(self, by: Callable[[Any, Value], Value], end: Value | None, offset: int) -> Value | None:
        """An end that is rounded; where that oscillates, the end moved by the most that rounding can do."""
        if end is None:
            return None
        try:
            return by(self, end)
        except Oscillates:
            return self.add(end, fmpq(offset))


# ---------------------------------------------------------------- pieces


def constant(value: Any) -> Number:
    """A number of the graph: whole numbers and truth values exactly; any other float here is a rounded number."""
    if isinstance(value, (bool, int)):
        return fmpq(int(value))
    if not isinstance(value, float):
        raise Unknown("an array has no multiseries")
    if not math.isfinite(value):
        raise Undefined(f"the constant {value} is no real number")
    return fmpq(int(value)) if value.is_integer() and abs(value) < 2**53 else K.rounded(value)


def _is_whole(c: Number) -> bool:
    return type(c) is fmpq and c.q == 1


def _outward(end: Any, way: int) -> fmpq:
    """An exact ball that is not 0, as a short decimal beyond it: three digits, and still of its sign."""
    mantissa, exponent = (int(k) for k in end.man_exp())
    value = fmpq(mantissa) * fmpq(2) ** exponent
    unit = fmpq(10) ** (math.floor(math.log10(abs(float(end)))) - 2)
    return (value / unit).floor() * unit if way < 0 else (value / unit).ceil() * unit


def _ends(ball: Any) -> tuple[float, float]:
    return float(ball.lower()), float(ball.upper())


def _circle_at(c: Number) -> tuple[Coefficients, Coefficients]:
    s, k = K.sin(c), K.cos(c)
    turns = (s, k, K.neg(s), K.neg(k))
    return (
        lambda n: K.mul(fmpq(1, factorial(n)), turns[n % 4]),
        lambda n: K.mul(fmpq(1, factorial(n)), turns[(n + 1) % 4]),
    )


def _direct(name: str, order: Sequence[Number], c: Number, coefficients: Coefficients) -> Coefficients:
    """The value itself straight from the row: K knows more special values than the graph does."""
    return lambda k: coefficients(k) if k else K.apply(TABLE[name], *order, c)


_derivatives: dict[tuple[str, tuple[Number, ...]], tuple[Expr, list[Expr]]] = {}


def derivative_of_row(name: str, order: tuple[Number, ...], k: int) -> tuple[Expr, Expr]:
    """The input z and the k-th derivative of row(order…, z) with respect to z."""
    from tangently.differentiation import tangent

    if (name, order) not in _derivatives:
        z = symbol("z")
        _derivatives[name, order] = z, [TABLE[name](*map(K.to_expr, order), z)]
    z, graphs = _derivatives[name, order]
    while len(graphs) <= k:
        [slope] = tangent([graphs[-1]], {z: const(1)})
        graphs.append(slope if slope is not None else const(0))
    return z, graphs[k]


def whole_valued(node: Expr, whole_input: bool) -> bool:
    """Is the expression a whole number wherever it has a value?"""
    found: dict[Expr, bool] = {}
    for n in toposort([node]):
        if n.op is CONST:
            found[n] = isinstance(n.value, (bool, int)) or (isinstance(n.value, float) and n.value.is_integer())
        elif not n.args:
            found[n] = whole_input and n.op.name == "input"
        else:
            kept = n.args[1:] if n.op.name == "where" else n.args
            found[n] = n.op.name in WHOLE or (n.op.name in KEEPS_WHOLE and all(found[a] for a in kept))
    return found[node]


WHOLE = frozenset({"floor", "ceil", "trunc", "rint", "sign", "step", "gt", "ge", "lt", "le", "eq", "ne"})
KEEPS_WHOLE = frozenset({"add", "sub", "mul", "neg", "square", "abs", "maximum", "minimum", "where"})


# ---------------------------------------------------------------- deciding


@dataclass(frozen=True)
class Behavior:
    """What was found on one side: `limit` a constant or ±inf; exists False with `limit` None; None: undecided."""

    exists: bool | None
    limit: Any = None
    defined: bool = True
    why: tuple[str, ...] = ()
    value: Value | None = None  # the multiseries, where there is one
    near: Near | None = None
    band: Band | None = None  # the bounds that squeezed it
    sequences: tuple[tuple[Fixed, Any], ...] = ()  # along which it has these limits


def start(near: Near, point: Target, side: int) -> Value:
    """x as a multiseries: point ± 1/t, or ±t."""
    if isinstance(point, float):
        return near.variable if point > 0 else near.neg(near.variable)
    step = Series(near.t, [(fmpq(-1), fmpq(side))])
    return near.add(point, step) if near.nonzero(point) else step


def behavior(
    root: Expr,
    x: Expr,
    point: Target,
    side: int,
    *,
    seconds: float = 5.0,
    whole_input: bool = False,
    given: Mapping[Expr, Number] | None = None,
) -> Behavior:
    """Decide the limit of `root` as x goes to `point` (a Number or ±inf) from one side, `given` its other inputs."""
    near = Near(seconds=seconds, whole_input=whole_input)
    near.sight = sight_of(x, point, side)
    near.given = dict(given or {})
    try:
        return _decide(near, root, x, point, side)
    except GermError as error:
        return Behavior(None, why=(str(error),), near=near)
    except K.Undecided as error:
        return Behavior(None, why=(f"whether {K.show(error.constant)} is zero could not be decided",), near=near)
    except RecursionError:
        return Behavior(None, why=("the expression is nested too deep for its terms to be followed",), near=near)


def _decide(near: Near, root: Expr, x: Expr, point: Target, side: int) -> Behavior:
    try:
        return _decided(near, root, x, point, side)
    except Unknown:
        shorter = _cancelled(root) if near.phases else root
        if shorter is root:
            raise
        return _decided(near, shorter, x, point, side)


def _cancelled(root: Expr) -> Expr:
    """Numerator over denominator, without the factors that both have: cos x tan x is sin x (but for holes)."""
    from tangently.simplification import simplify

    top, bottom = fraction(root)
    found = simplify(TABLE["div"](top, bottom), cancel=True)
    return root if len(toposort([found])) >= len(toposort([root])) else found


def _decided(near: Near, root: Expr, x: Expr, point: Target, side: int) -> Behavior:
    done = near.values(root, {**near.given, x: start(near, point, side)})
    value = done[root]
    if not isinstance(value, Exception):
        try:
            return Behavior(True, near.limit(value), why=(), value=value, near=near)
        except Oscillates as error:
            again = _almost_periodic(near, value)
            if again:
                return Behavior(False, why=again, value=value, near=near)
            value = error
    if isinstance(value, Undefined):
        return Behavior(None, defined=False, why=(str(value),), near=near)
    if not isinstance(value, Oscillates) and not near.wavy:
        raise value
    squeezed = _squeeze(near, root, done)
    if squeezed is not None:
        return squeezed
    return _by_sequences(near, root, x, point, side, value)


def _almost_periodic(near: Near, value: Value) -> tuple[str, ...]:
    """A leading coefficient that is a polynomial in sin mφ, cos mφ for several incommensurable m, and not constant.

    Such a function is almost periodic: it comes back near every value that it has, again and again (H. Bohr, 1925).
    So it has no limit; and times a growing factor none either, if it has values of both signs.
    """
    try:
        monomial, c = near.lead(value)
    except Oscillates:  # an exponent oscillates
        return ()
    keys: Any = c.keys if type(c) is K.Exact else frozenset()
    if len(keys) < 2 or len({index for index, _ in keys}) > 1:
        return ()
    values = [K.substitute(c, {(i, m): K.div(K.mul(fmpq(k), m), K.PI) for i, m in keys}) for k in range(6)]
    if monomial:
        if near.sign_of(monomial[0][1]) < 0 or {1, -1} - {near.sign_of(v) for v in values}:
            return ()
        return (
            "the leading term is a growing factor times an almost periodic one that takes both signs again and again",
        )
    for other in values[1:]:
        if near.nonzero(K.sub(other, values[0])):
            return (
                "up to terms that tend to 0, f is an almost periodic function: it comes back near "
                f"{K.to_float(values[0]):.6g} and near {K.to_float(other):.6g} again and again, so it has no limit",
            )
    return ()


def _squeeze(near: Near, root: Expr, done: dict[Expr, Any]) -> Behavior | None:
    """Both bounds have one limit: so has what lies between."""
    try:
        band = near.band(root, done)
        ends: list[Any] = [None if end is None else near.limit(end) for end in (band.low, band.high)]
    except (GermError, K.Undecided):
        return None
    if ends[0] == math.inf or ends[1] == -math.inf:
        return Behavior(True, ends[0] if ends[0] == math.inf else ends[1], why=("squeeze",), near=near, band=band)
    if None in ends or any(isinstance(e, float) for e in ends) or near.nonzero(K.sub(ends[0], ends[1])):
        return None
    return Behavior(True, ends[0], why=("squeeze",), near=near, band=band)


def _by_sequences(near: Near, root: Expr, x: Expr, point: Target, side: int, reason: Exception) -> Behavior:
    if not near.phases:
        raise reason if isinstance(reason, GermError) else Unknown(str(reason))
    period = common_period(near)
    if near.whole_input and point == math.inf:
        return _by_residues(near, root, x, point, side, period, reason)
    found: list[tuple[Fixed, Target]] = []
    for fixed in _sequences(near, period):
        along = _along(near, root, x, point, side, fixed)
        if along is None:
            continue
        if found and _different(near, found[0][1], along):
            return Behavior(False, near=near, sequences=(found[0], (fixed, along)))
        found.append((fixed, along))
    poles = _poles(near, root, x, point, side, period)
    if poles is not None:
        words, pole = poles
        other = next((f for f in found if pole is None or f[1] != pole), None)
        if pole is None or other is not None:
            return Behavior(False, why=words, near=near, sequences=(other,) if pole is not None and other else ())
    raise Unknown(str(reason) + "; the sequences that were tried have one limit, which proves nothing")


def _by_residues(
    near: Near, root: Expr, x: Expr, point: Target, side: int, period: Number, reason: Exception
) -> Behavior:
    """n → ∞ over the whole numbers: every class n = kP + r is one sequence, and together they are all of them."""
    phase = near.phases[0].series
    if not near.is_zero(near.sub(phase, near.variable)):
        raise Unknown(f"{reason}; its phase is no multiple of n")
    if type(period) is not fmpq:
        return _dense(near, root, x, point, side, reason)
    if int(period.p) > RESIDUES:
        raise Unknown(f"{reason}; its period {period} is long")
    found: list[tuple[Fixed, Target]] = []
    for r in range(int(period.p)):
        fixed = Fixed(fmpq(int(period.p)), fmpq(r))
        along = _along(near, root, x, point, side, fixed)
        if along is None:
            raise Unknown(f"{reason}; along n = {int(period.p)}k + {r} no limit is known")
        if found and _different(near, found[0][1], along):
            return Behavior(False, near=near, sequences=(found[0], (fixed, along)))
        found.append((fixed, along))
    return Behavior(True, found[0][1], near=near, sequences=tuple(found))


def _dense(near: Near, root: Expr, x: Expr, point: Target, side: int, reason: Exception) -> Behavior:
    """An irrational period: the remainders of n are dense (H. Weyl, 1916), so a wave comes near all its values."""
    value = near.values(root, {**near.given, x: start(near, point, side)})[root]
    if isinstance(value, Exception):
        raise Unknown(str(reason))
    monomial, c = near.lead(value)
    if monomial or len(c.keys) != 1:
        raise Unknown(str(reason))
    why = "the remainders of n modulo the period are dense, so f comes near every value of a wave that is not constant"
    return Behavior(False, why=(why, "there is no limit"), value=value, near=near)


def _sequences(near: Near, period: Number) -> Iterator[Fixed]:
    for k in OFFSETS:
        yield Fixed(period, K.mul(fmpq(k, 24), period))


def _along(near: Near, root: Expr, x: Expr, point: Target, side: int, fixed: Fixed) -> Target | None:
    """The limit along a sequence, None where it isn't known or f has no value there."""
    sequence = Near(
        seconds=max(0.05, (near.deadline - time.monotonic()) / 4), fixed=fixed, whole_input=near.whole_input
    )
    try:
        done = sequence.values(root, {**near.given, x: start(sequence, point, side)})
        return sequence.limit(sequence.known(done[root]))
    except (GermError, K.Undecided):
        return None


def common_period(near: Near) -> Number:
    """A common period of what is periodic in the first phase, as far as the periods are commensurable."""
    periods = near.phases[0].periods
    first = periods[0] if near.sign_of(periods[0]) > 0 else K.neg(periods[0])
    multiple = 1
    for p in periods[1:]:
        ratio = K.div(p, first)
        if type(ratio) is fmpq:
            multiple = math.lcm(multiple, abs(int(ratio.p)))  # p = (n/d)·first divides n·first
    return K.mul(fmpq(multiple), first)


def _different(near: Near, a: Target, b: Target) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return not (isinstance(a, float) and isinstance(b, float) and a == b)
    return near.nonzero(K.sub(a, b))


def shown(c: Target) -> str:
    if isinstance(c, float):
        return "∞" if c > 0 else "-∞"
    return K.show(c)


# ---------------------------------------------------------------- poles again and again


def fraction(root: Expr) -> tuple[Expr, Expr]:
    """Numerator and denominator of products, quotients, sums and tangents."""
    found: dict[Expr, tuple[Expr, Expr]] = {}
    one = const(1)
    for node in toposort([root]):
        parts = [found[a] for a in node.args]
        found[node] = FRACTIONS[node.op.name](node, *parts) if node.op.name in FRACTIONS else (node, one)
    return found[root]


FRACTIONS: dict[str, Callable[..., tuple[Expr, Expr]]] = {
    "mul": lambda node, a, b: (a[0] * b[0], a[1] * b[1]),
    "div": lambda node, a, b: (a[0] * b[1], a[1] * b[0]),
    "reciprocal": lambda node, a: (a[1], a[0]),
    "neg": lambda node, a: (-a[0], a[1]),
    "add": lambda node, a, b: (a[0] * b[1] + b[0] * a[1], a[1] * b[1]),
    "sub": lambda node, a, b: (a[0] * b[1] - b[0] * a[1], a[1] * b[1]),
    "tan": lambda node, a: (TABLE["sin"](node.args[0]), TABLE["cos"](node.args[0])),
}


def _poles(
    near: Near, root: Expr, x: Expr, point: Target, side: int, period: Number
) -> tuple[tuple[str, ...], float | None] | None:
    """Poles as near as one likes: (words, ±inf where f keeps its sign there, None where it takes both); None: unproven.

    f = N/D, where D is exactly one term, an oscillating factor c(φ) times a power. At an offset where c is 0 and N is
    not, each point of the sequence is a pole; where c changes sign there, f goes to +∞ on one side, to −∞ on the
    other.
    """
    from tangently.printing import to_text

    top, bottom = fraction(root)
    fresh = Near(seconds=1.0, whole_input=near.whole_input)
    try:
        denominator = fresh.known(fresh.values(bottom, {**near.given, x: start(fresh, point, side)})[bottom])
        c = fresh.lead(denominator)[1]
        if not _one_term(denominator) or not isinstance(c, K.Exact) or len({index for index, _ in _pairs(c)}) != 1:
            return None
        for fixed in _sequences(near, period):
            if not fresh.nonzero(_at(c, fixed.offset)):
                sign = _sign_along(near, top, x, point, side, fixed)
                if sign:
                    return _pole(c, fixed, period, sign, to_text(bottom))
    except (GermError, K.Undecided):
        return None
    return None


def _pole(c: K.Exact, fixed: Fixed, period: Number, sign: int, shown: str) -> tuple[tuple[str, ...], float | None]:
    """The words for the poles at an offset, and what f tends to there."""
    step = K.div(period, fmpq(97))
    before, after = (K.sign(_at(c, K.add(fixed.offset, d))) for d in (K.neg(step), step))
    if before != after:
        words = f"{shown} is 0 again and again where the numerator is not, and changes sign there"
        end = "next to each of these poles f takes both signs and is as large as one likes: there is no limit"
        return (words, end), None
    words = f"{shown} is 0 again and again where the numerator is not: f has poles as near as one likes"
    return (words,), sign * before * math.inf


def _pairs(c: K.Exact) -> Any:
    return c.keys


def _at(c: K.Exact, offset: Number) -> Number:
    """The oscillating constant where the phase is this offset."""
    return K.substitute(c, {(i, m): K.div(K.mul(offset, m), K.PI) for i, m in _pairs(c)})


def _one_term(v: Value) -> bool:
    return is_number(v) or (v.term(1) is None and _one_term(v.term(0)[1]))


def _sign_along(near: Near, top: Expr, x: Expr, point: Target, side: int, fixed: Fixed) -> int:
    sequence = Near(seconds=0.5, fixed=fixed, whole_input=near.whole_input)
    return sequence.sign(sequence.known(sequence.values(top, {**near.given, x: start(sequence, point, side)})[top]))
