"""Evidence: proven values of f on the way to a point, and what they say against a claimed limit.

    approach(f, x, point, side, *, count=48, seconds=0.1, whole=False) -> tuple[Sample, ...]     # nearest last
    refute(samples, claim, *, slow=False) -> str | None       # claim: Expr | number | ±inf | "none" | flint.arb
    table(samples) -> tuple[Row, ...]

**Where f is looked at.** Distances 2⁻ᵏ with k = 1, 2, 3, … grow geometrically up to 2⁻⁹⁶, then k itself doubles, up to
2⁻⁴⁰⁹⁶ (at 0 and ±∞ on to 2^±2⁴⁰), since 1/log log x falls to a half only when the number of digits is squared. Each
distance is multiplied by its own pseudo-random factor between 1 and 2, so that sin(π/x) and floor are not read at
zeros alone. x is an exact binary fraction; only beyond 2^±4096 it is a ball, which proves nothing for a function
that would have to know x mod 1. Where f has sine, cosine, tangent or floor of something unbounded, *directed* samples
are added: points at which that argument comes very near a multiple of π/2 (or a whole number), because 1 + cos x = 0,
or the pole of tan x, is never met at random. Where evaluation ends early (exp exp x), the last stretch is filled.

**What is proven there.** A ball of f(x) by ball arithmetic (F. Johansson, Arb, IEEE Trans. Computers 66, 2017) whose
precision is doubled until 30 bits of the value are good: a difference that cancels totally comes out as a small ball
around its true value, never as a bare 0. What stays wide is dropped.

**What it says.** No finite list of values proves or disproves a limit; it contradicts one in the sense of a referee:
f settles (its spread over the last octaves is 2¹⁰ times below its distance from L, and shrinks), or extrapolates to
something else, or grows, or swings with an amplitude that does not fall, or has the wrong sign. Slow decay is none of
these: for a right claim the distance from L has to move when the number of digits doubles, however slow f is. That a
limit does *not* exist is contradicted only where the balls of f over whole neighborhoods of the samples agree as well,
for samples can miss what spoils it. The comparison of a limit with its numerical trend is as in D. Gruntz, On Computing
Limits in a Symbolic Manipulation System, ETH 1996, chapter 2, where cancellation in floats is shown to mislead; with
balls it can't.

Glossary: a the point, side +1 from the right and -1 from the left (at +∞ the only side is -1, at -∞ it is +1),
k the scale: the distance is about 2⁻ᵏ (at ±∞, |x| is about 2ᵏ), L the claim, e the distance |f(x) - L|.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tangently.differentiation import expand
from tangently.enclosure import ball, enclose, precision
from tangently.errors import InputError
from tangently.expr import Expr, depends, toposort
from tangently.limits.results import Row
from tangently.printing import to_text

if TYPE_CHECKING:
    from flint import arb

GOOD = 30  # bits of a value that must be right
TINY = -60  # or an absolute error below 2 to this
FIRST = (*range(1, 9), 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56, 64, 80, 96)
DOUBLING = (128, 256, 512, 1024, 2048, 4096)
WIDE = (64, 96, 256, 1024, 2048, 4096)  # scales at which neighborhoods are enclosed
DECIMAL = (1, 2, 3, 4, 5, 6, 8, 10, 12)  # distances 10⁻ᵏ of the table of values
BEYOND = (2**14, 2**18, 2**24, 2**32, 2**40)
CLOSER = (-1.0, -0.5, 0.0, 0.5, 1.5)  # for functions that outgrow every number at once
FAR = 1000  # a scale at which what is late has come
LOOSE, STRICT = 10, 20  # settled: the spread is 2 to this times below the distance from the claim
TURNS = {"sin": 4, "cos": 4, "tan": 4, "floor": 1, "ceil": 1, "trunc": 1, "rint": 2}  # units of π/2, 1 or ½ to a period


@dataclass(frozen=True)
class Sample:
    """f is proven to be in the ball y at x, whose distance from the point is about 2^-scale (at ±∞ it is 1/|x|).

    `around` encloses f on a whole neighborhood of x (None: not asked); `directed` names the phase of the periodic part
    of f for which x was chosen; `shown` is x in words, where the sample is for the table of values.
    """

    distance: arb
    x: arb
    y: arb
    scale: float = 0.0
    around: arb | None = None
    directed: str = ""
    shown: str = ""

    @property
    def plain(self) -> bool:
        """Was x taken at random, and f found there?"""
        return not self.directed and not self.shown


# ---------------------------------------------------------------- evaluation


@dataclass(frozen=True)
class Tape:
    """f in straight-line form: what each slot is computed by, and what does not vary with x (by precision)."""

    steps: tuple[tuple[int, Callable[..., Any], tuple[int, ...]], ...]
    nodes: tuple[Expr, ...]
    fixed: tuple[tuple[int, Expr], ...]
    start: int
    known: dict[int, list[Any]]

    def run(self, x: arb, bits: int) -> list[Any]:
        """The balls of all slots at x; the last one is f."""
        values = list(self._constants(bits))
        with precision(bits):
            values[self.start] = x
            for slot, enclosure, operands in self.steps:
                try:
                    values[slot] = enclosure(*[values[k] for k in operands])
                except (ValueError, OverflowError):  # a row that asks for a whole number, or a float, that is none
                    values[slot] = x.nan()
        return values

    def _constants(self, bits: int) -> list[Any]:
        if bits not in self.known:
            values: list[Any] = [None] * (len(self.nodes) + 1)
            found = enclose([node for _, node in self.fixed], {}, precision=bits)
            for (slot, _), value in zip(self.fixed, found):
                values[slot] = value
            self.known[bits] = values
        return self.known[bits]


def tape(f: Expr, x: Expr) -> Tape | None:
    """f as a function of balls, or None where a row has no enclosure: then nothing about f can be proven."""
    order = toposort(expand([f]))
    if any(node.op.enclosure is None and node.args for node in order):
        return None
    slots = {node: k for k, node in enumerate(order)}
    start = slots.setdefault(x, len(order))
    moving = depends(order, [x])
    steps = [(slots[n], n.op.enclosure, tuple(slots[a] for a in n.args)) for n in order if n in moving and n is not x]
    fixed = [(slots[n], n) for n in order if n not in moving]
    return Tape(tuple(steps), tuple(order), tuple(fixed), start, {})  # type: ignore[arg-type]


def _value(values: Sequence[Any], program: Tape) -> arb:
    """f among the slots: the last node of the order."""
    return values[len(program.nodes) - 1]


def _is_good(y: arb) -> bool:
    return y.is_finite() and y.rel_accuracy_bits() >= GOOD


@dataclass
class _Clock:
    """What is left of the processor time (so that a busy machine changes no answer), and the precision needed last."""

    end: float
    factor: float = 1
    lost: int = 0  # samples in a row for which more bits did not help

    def allows(self, took: float) -> bool:
        """Is there time for something of this length: a quarter of what is left, at most?"""
        return 4 * took < self.end - time.thread_time()


def _proven(program: Tape, x: arb, scale: float, base: int, clock: _Clock) -> tuple[arb | None, int]:
    """The ball of f at x with enough good bits, and the precision it took; None where there is none in time."""
    bits, y = int(base * clock.factor), None
    cap = (32768 if clock.lost < 2 else 512) + 4 * int(min(abs(scale), 4096))
    while True:
        before = time.thread_time()
        y = _value(program.run(x, bits), program)
        took = time.thread_time() - before
        if _is_good(y):
            clock.factor, clock.lost = max(1, bits / base / 2), 0
            return y, bits
        if 2 * bits > cap or not clock.allows(6 * took):
            break
        bits *= 2
    clock.lost += 1
    return (y if y.is_finite() and y.rad() < _power_of_two(TINY) else None), bits


def _power_of_two(k: int) -> arb:
    from flint import arb

    return arb((1, k))


# ---------------------------------------------------------------- where to look


@dataclass(frozen=True)
class _Route:
    """The way to the point: x at a scale. `whole`: x runs over the whole numbers."""

    point: Any
    side: int
    whole: bool = False

    @property
    def infinite(self) -> bool:
        return not isinstance(self.point, Expr)

    def center(self, bits: int) -> arb:
        """The point, which is finite, as a ball."""
        return enclose([self.point], {}, precision=bits)[0]


def _factor(scale: float, salt: int, long: bool) -> tuple[int, int]:
    """A pseudo-random m and s with 1 < m/2^s < 2, the same one at every call; at ±∞ it has bits below the point too."""
    size = int(max(scale, 0)) + 48 if long else 40
    return (1 << size) | random.Random(f"{scale}/{salt}").getrandbits(size), size


def _place(route: _Route, scale: float, salt: int = 0) -> tuple[arb, arb, int]:
    """x and its distance at a scale, and the precision at which a first look makes sense."""
    from flint import arb

    if route.infinite:
        return _place_far(route, scale, salt)
    bits = int(max(scale, 0)) + 192
    with precision(bits + 64):
        mantissa, size = _factor(scale, salt, False)
        step = _lifted(arb((mantissa, -size)), -scale)
        center = route.center(bits + 64)
        x = step if center == 0 else (center + step if route.side > 0 else center - step).mid()
        x = -x if center == 0 and route.side < 0 else x
        return x, abs(x - center), (128 if center == 0 else int(max(scale, 0)) + 128)


def _lifted(m: arb, scale: float) -> arb:
    """m times 2 to the scale, a ball only where the scale is not whole."""
    from flint import arb

    whole = math.floor(scale)
    part = scale - whole
    return m * arb((1, whole)) if part == 0 else (m * arb(2.0**part) * arb((1, whole))).mid()


def _place_far(route: _Route, scale: float, salt: int) -> tuple[arb, arb, int]:
    from flint import arb

    mantissa, size = _factor(scale, salt, True)
    with precision(size + 64):
        x = _lifted(arb((mantissa, -size)), scale)
        x = x.floor() if route.whole else x
        x = x if route.side < 0 else -x
        return x, 1 / abs(x), 128


def _place_beyond(route: _Route, scale: int) -> tuple[arb, arb, int]:
    """Beyond 2^±4096 x is a ball: what depends on its last digits is not proven, all else is."""
    from flint import arb

    mantissa, size = _factor(40, scale, False)
    m = arb(arb((mantissa, -size)), arb((1, -240)))
    sign = -route.side if route.infinite else route.side
    with precision(256):
        near = m * arb((1, -scale))
        return (
            (sign * m * arb((1, scale)), 1 / m * arb((1, -scale)), 128) if route.infinite else (sign * near, near, 128)
        )


def approach(
    f: Expr, x: Expr, point: Any, side: int, *, count: int = 48, seconds: float = 0.1, whole: bool = False
) -> tuple[Sample, ...]:
    """Proven values of f on the way to the point from one side, the nearest last; none where nothing is proven.

    `f` has the one input x; `point` is an expression without inputs, or ±inf. About `count` plain samples, within
    `seconds` of processor time. `whole` keeps x to whole numbers, for sequences.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, const, symbol
    >>> x = symbol("x")
    >>> samples = approach(TABLE["sin"](x) / x, x, const(0), 1)
    >>> samples[-1].y.str(5, radius=False), len(samples) > 30
    ('1.0000', True)
    """
    _check(point, side)
    program = tape(f, x)
    if program is None:
        return ()
    route, clock = _Route(point, side, whole), _Clock(time.thread_time() + seconds)
    shown = _decimal(program, route, clock)
    found = list(_main(program, route, clock, count))
    found += _filled(program, route, clock, found)
    if not whole and clock.allows(0.0):
        found += _directed(program, route, clock, found)
    if _is_restless(found):
        found += _more(program, route, clock, count // 2)
    return tuple(sorted([*found, *shown], key=lambda s: s.scale))


def _check(point: Any, side: int) -> None:
    if side not in (-1, 1):
        raise InputError(f"got the side {side!r}; wanted +1 (from the right) or -1 (from the left)")
    if not isinstance(point, Expr) and not (isinstance(point, float) and math.isinf(point)):
        raise InputError(f"got the point {point!r}; wanted an expression without inputs, or ±inf as a float")
    if isinstance(point, float) and point * side > 0:
        raise InputError(f"{point} can't be approached from beyond; the side is {-side:+d} there")


def _main(program: Tape, route: _Route, clock: _Clock, count: int) -> Iterator[Sample]:
    """The scales one after the other, until the time is over or nothing is proven any more."""
    misses, near = 0, _looks_at(route)
    for scale in (*FIRST, *DOUBLING, *(BEYOND if near and not route.whole else ()))[:count]:
        sample = _sample(program, route, scale, clock)
        misses = 0 if sample else misses + 1
        if sample:
            yield sample
        if misses > (6 if scale <= 12 else 2) or not clock.allows(0.0):
            return


def _looks_at(route: _Route) -> bool:
    """Is the point 0 or ±∞, where distances below 2^-4096 cost nothing?"""
    return route.infinite or bool(route.center(64) == 0)


def _sample(program: Tape, route: _Route, scale: float, clock: _Clock, salt: int = 0) -> Sample | None:
    x, distance, base = _place(route, scale, salt) if scale <= 4096 else _place_beyond(route, int(scale))
    y, bits = _proven(program, x, scale, base, clock)
    if y is None:
        return None
    around = _around(program, x, distance, route, bits) if scale in WIDE else None
    return Sample(distance, x, y, -_log2(distance.abs_upper()), around)


def _around(program: Tape, x: arb, distance: arb, route: _Route, bits: int) -> arb:
    """f over a neighborhood of x, as wide as 2^(-k/4) of its distance: many periods of sin(1/x), or of sin √x."""
    from flint import arb

    scale = _log2(distance.abs_upper())
    reach = (abs(x) if route.infinite else distance).upper() * _power_of_two(-max(8, int(-scale / 4)))
    return _value(program.run(arb(x, reach), bits + int(-scale / 2)), program)


def _filled(program: Tape, route: _Route, clock: _Clock, found: Sequence[Sample]) -> list[Sample]:
    """More samples where evaluation ended early: between the last scale that went and the next, and at the start."""
    last = max((s.scale for s in found), default=0.0)
    if last >= 32 or route.whole:
        return []
    step = next((k for k in FIRST if k > last), last + 1) - last
    scales = [*(CLOSER if last < 8 else ()), last - 0.5, last - 0.25, *(last + step * part / 8 for part in range(1, 8))]
    new: list[Sample] = []
    clock.lost, misses = 0, 0
    for scale in scales:
        sample = _sample(program, route, scale, clock) if clock.allows(0.0) and misses < 2 else None
        misses = 0 if sample or scale < last else misses + 1
        new += [sample] if sample else []
    return new


def _is_restless(found: Sequence[Sample]) -> bool:
    """Do the values go up and down near the point?"""
    values = [s.y for s in found if s.plain][-16:]
    return _turns(values) >= 4


def _turns(values: Sequence[arb]) -> int:
    """How often the proven direction of the values changes."""
    signs = [1 if b > a else -1 for a, b in pairwise(values) if b > a or b < a]
    return sum(a != b for a, b in pairwise(signs))


def _more(program: Tape, route: _Route, clock: _Clock, count: int) -> list[Sample]:
    """Second and third looks with other factors, so that an amplitude can be told."""
    scales = [(k, salt) for salt in (1, 2) for k in (10, 14, 18, 24, 32, 40, 48, 64, 128, 256, 512, 1024)]
    new = (_sample(program, route, k, clock, salt) for k, salt in scales[:count] if clock.allows(0.0))
    return [s for s in new if s]


# ---------------------------------------------------------------- directed samples


@dataclass(frozen=True)
class _Turn:
    """Something periodic: the slot of its argument, and how many multiples of the unit a period has."""

    slot: int
    phases: int

    def unit(self) -> arb:
        from flint import arb

        return arb.pi() / 2 if self.phases > 2 else 1 / arb(self.phases)


def _directed(program: Tape, route: _Route, clock: _Clock, found: Sequence[Sample]) -> list[Sample]:
    """Samples at which the argument of a sine, floor, … is all but a multiple of π/2, a whole number, …"""
    inner = [_Turn(args[0], TURNS[program.nodes[slot].op.name]) for slot, _, args in program.steps
             if program.nodes[slot].op.name in TURNS]  # fmt: skip
    new: list[Sample] = []
    for turn in list(dict.fromkeys(inner))[:3]:
        for start in _starts(program, turn.slot, found):
            for shift in range(turn.phases):
                if clock.allows(0.001):
                    new += _hits(program, route, clock, turn, start, shift)
    return new


def _starts(program: Tape, slot: int, found: Sequence[Sample]) -> list[tuple[Sample, float]]:
    """Samples at which the argument in the slot is about 10, 40, 160 and 640, with its size there."""
    sizes = [(s, _log2(program.run(s.x, 192)[slot].abs_upper())) for s in found if s.scale <= 96 and not s.directed]
    chosen = {}
    for s, size in sizes:
        for level in range(4):
            if 3 + 2 * level <= size < 5 + 2 * level:
                chosen[level] = (s, size)
    return [chosen[level] for level in sorted(chosen)] if len(chosen) > 2 else []


def _hits(
    program: Tape, route: _Route, clock: _Clock, turn: _Turn, start: tuple[Sample, float], shift: int
) -> list[Sample]:
    """Samples a hair beside the place where the argument is a multiple of the unit; at a jump, on both sides of it."""
    sample, size = start
    bits = int(min(4096, 128 + 16 * 2.0**size))
    before = time.thread_time()
    program.run(sample.x, 192)
    if not clock.allows(16 * (time.thread_time() - before) * (bits / 192) ** 1.5):
        return []
    root = _root(program, turn, sample, shift, bits)
    sides = () if root is None else (1, -1) if turn.phases < 4 else (1,)
    new = (_beside(program, route, clock, root, side, bits, f"{turn} {shift} {side}") for side in sides)
    return [s for s in new if s]


def _root(program: Tape, turn: _Turn, sample: Sample, shift: int, bits: int) -> arb | None:
    """Where the argument is the multiple next to its value at the sample that has the phase."""
    with precision(bits + 64):
        inside = lambda x: program.run(x, bits + 64)[turn.slot].mid()
        number = turn.phases * (inside(sample.x) / turn.unit() / turn.phases).floor().mid() + shift
        target = number * turn.unit()
        return _secant(lambda v: inside(v) - target, sample.x, sample.x - sample.distance / 1024, bits)


def _beside(program: Tape, route: _Route, clock: _Clock, root: Any, side: int, bits: int, label: str) -> Sample | None:
    with precision(bits + 64):
        x = (root + side * abs(root) * _power_of_two(16 - bits)).mid()
        distance = 1 / abs(x) if route.infinite else abs(x - route.center(bits + 64))
    y, _ = _proven(program, x, 0.0, bits + 64, clock)
    return None if y is None else Sample(distance, x, y, -_log2(distance.abs_upper()), directed=label)


def _secant(g: Callable[[arb], arb], a: arb, b: arb, bits: int) -> arb | None:
    """A zero of g near a and b, to nearly all bits; an exact number."""
    ga, gb = g(a), g(b.mid())
    b = b.mid()
    for _ in range(24):
        if (gb - ga).contains(0):
            return b if gb.is_finite() else None
        a, b, ga = b, (b - gb * (b - a) / (gb - ga)).mid(), gb
        gb = g(b)
        if not gb.is_finite():
            return None
        if abs(b - a) <= abs(b) * _power_of_two(8 - bits):
            return b
    return None


# ---------------------------------------------------------------- against a claim


def refute(samples: Sequence[Sample], claim: Any, *, slow: bool = False) -> str | None:
    """What contradicts the claim, in a sentence; None where nothing does.

    The claim is an exact expression without inputs, a number, a ball, ±inf, or "none" (from this side there is no
    limit). `slow` says that decay is known to be logarithmic, or slower; then more is asked of a contradiction.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, const, symbol
    >>> x = symbol("x")
    >>> samples = approach(TABLE["sin"](x) / x, x, const(0), 1)
    >>> refute(samples, const(1)) is None, refute(samples, 1.001)
    (True, 'the values settle at 1, not at 1.001')
    """
    samples = [s for s in samples if not s.shown]
    if len(samples) < 4:
        return None
    with precision(1024):
        if isinstance(claim, str):
            return _against_none(samples)
        if isinstance(claim, float) and math.isinf(claim):
            return _against_infinity(samples, 1 if claim > 0 else -1, slow)
        shown = to_text(claim) if isinstance(claim, Expr) else (claim if isinstance(claim, float) else _short(claim))
        limit = enclose([claim], {}, precision=1024)[0] if isinstance(claim, Expr) else ball(claim)
        return _against([_error(s, s.y - limit) for s in samples], samples, f"{shown}", slow)


@dataclass(frozen=True)
class _Error:
    """How far a sample is from the claim: log₂ of what it is at least and at most; `moved` is the difference."""

    scale: float
    low: float
    high: float
    moved: arb
    directed: str


def _error(sample: Sample, difference: arb) -> _Error:
    low = _log2(difference.abs_lower()) if difference.is_finite() else -math.inf
    return _Error(sample.scale, low, _log2(difference.abs_upper()), difference, sample.directed)


def _inverse_error(sample: Sample) -> _Error:
    """The distance of 1/f from 0, also where f is 0."""
    low, high = -_log2(sample.y.abs_upper()), -_log2(sample.y.abs_lower())
    return _Error(sample.scale, low, high, 1 / sample.y, sample.directed)


def _log2(v: arb) -> float:
    """log₂ of a number that is not negative; ±inf at 0 and at ∞."""
    from flint import arb

    if v == 0:
        return -math.inf
    if not v.is_finite():
        return math.inf
    with precision(64):
        return float((v.log() / arb.const_log2()).mid())


def _against(errors: Sequence[_Error], samples: Sequence[Sample], shown: str, slow: bool) -> str | None:
    plain = [e for e in errors if not e.directed]
    if len(plain) < 4:
        return None
    if _settles(plain, STRICT if slow else LOOSE):
        return f"the values settle at {_short(_last(samples))}, not at {shown}"
    elsewhere = _tends_elsewhere(samples, plain)
    if elsewhere is not None:
        return f"the values extrapolate to {_short(elsewhere)}, not to {shown}"
    if _grows(plain):
        return f"the values move away from {shown} the nearer x comes to the point"
    if not slow and _swings(plain):
        return f"the values swing with an amplitude that does not fall, and do not approach {shown}"
    return _stray(errors, shown)


def _last(samples: Sequence[Sample]) -> arb:
    return [s for s in samples if s.plain][-1].y


def _tail(errors: Sequence[_Error]) -> int:
    """Where the last stretch begins: at least four samples, over two octaves (one, near the start)."""
    start, octaves = len(errors) - 4, 2 if errors[-1].scale >= 8 else 1
    while start > 0 and errors[-1].scale - errors[start].scale < octaves:
        start -= 1
    return max(start, 0)


def _spread(errors: Sequence[_Error]) -> float:
    """log₂ of how far the values of a stretch are apart, at most."""
    hull = errors[0].moved
    for e in errors[1:]:
        hull = hull.union(e.moved)
    return _log2((2 * hull.rad()).abs_upper())


def _settles(errors: Sequence[_Error], margin: int) -> bool:
    """Is the spread of the last stretch far below the distance from the claim, and smaller than that before?"""
    cut = _tail(errors)
    before = _tail(errors[:cut]) if cut >= 4 else 0
    if cut - before < 3:
        return False
    low, last, previous = min(e.low for e in errors[cut:]), _spread(errors[cut:]), _spread(errors[before:cut])
    noise = max(max(_log2(e.moved.rad()), e.high - 1000) for e in errors[cut:])  # what balls leave open is no movement
    return low - last >= margin and (last <= previous - 2 or last <= noise + 3)


def _grows(errors: Sequence[_Error]) -> bool:
    """Does the distance from the claim grow to the end: far out, or faster than every power?"""
    last = errors[-6:]
    if len(last) < 6 or not all(_above(a, b) for a, b in pairwise(last)):
        return False
    if last[-1].low < max(e.low for e in errors):
        return False
    rise = last[-1].low - last[0].high
    if last[-1].scale >= FAR:
        return rise >= 0.25 and (rise == math.inf or _is_steady(last))
    return rise >= 4 and _is_convex(last)


def _is_steady(errors: Sequence[_Error]) -> bool:
    """Is the growth that of a power, of logarithms, or of an exponential?

    With log e ~ kᵖ the exponent p is then at most 1, or constant, or rises as that of exp(xᶜ) does, p = c k log 2.
    Between them, where p rises slowly, lies exp of towers of logarithms, which turns far beyond what can be computed.
    """
    logs = [(math.log(e.scale), math.log(e.low)) for e in errors if e.scale > 1 and 1 < e.low < math.inf]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(logs) if b[0] > a[0]]
    return not slopes or max(slopes) <= 1.05 or not 1.02 < slopes[-1] / slopes[0] < 1.5


def _above(a: _Error, b: _Error) -> bool:
    """Is b larger than a, for certain; or are both beyond what a float can say of their logarithm?"""
    return b.low > a.high or a.low == b.low == math.inf


def _is_convex(errors: Sequence[_Error]) -> bool:
    """Does log e grow at least in proportion to the scale, so that no turning back announces itself?"""
    if errors[-1].low == math.inf:
        return True
    slopes = [(b.low - a.low) / (b.scale - a.scale) for a, b in pairwise(errors) if b.scale > a.scale]
    return all(b >= a * 0.999 for a, b in pairwise(slopes))


def _tends_elsewhere(samples: Sequence[Sample], errors: Sequence[_Error]) -> arb | None:
    """The limit to which f extrapolates, where f was seen near by only and that is clearly not the claim.

    Polynomials in the distance through the nearest 3, 4, … samples, at distance 0 (Neville; Richardson): where they
    agree better and better, to more than 20 bits, f has an expansion in powers of the distance.
    """
    plain = _apart([s for s in samples if s.plain])[-10:]
    if errors[-1].scale >= 64 or len(plain) < 8:
        return None
    guesses = [_at_zero([(s.distance, s.y) for s in plain[-n:]]) for n in range(4, len(plain) + 1)]
    moves = [_log2(abs(b - a).abs_upper()) for a, b in pairwise(guesses)]
    best = moves.index(min(moves))  # before terms that are no powers of the distance take over
    value, shrinks = guesses[best + 1], best >= 2 and moves[best] < moves[best - 1] - 1 < moves[best - 2] - 2
    claim = [s for s in samples if s.plain][-1].y - errors[-1].moved
    is_sure = shrinks and moves[best] < _log2(value.abs_upper()) - 20
    return value if is_sure and _log2((value - claim).abs_lower()) > moves[best] + LOOSE else None


def _apart(samples: Sequence[Sample]) -> list[Sample]:
    """Samples at least half an octave apart: polynomials through crowded points magnify what the balls leave open."""
    kept: list[Sample] = []
    for s in reversed(samples):
        if not kept or kept[-1].scale - s.scale >= 0.5:
            kept.append(s)
    return kept[::-1]


def _at_zero(points: Sequence[tuple[arb, arb]]) -> arb:
    """The value at 0 of the polynomial through the points."""
    values = [y for _, y in points]
    for order in range(1, len(points)):
        for k in range(len(points) - order):
            a, b = points[k][0], points[k + order][0]
            values[k] = (a * values[k + 1] - b * values[k]) / (a - b)
    return values[0]


def _swings(errors: Sequence[_Error]) -> bool:
    """Do the values go to and fro by as much in the last third as in the two before?"""
    first, middle, last = _thirds(errors, lambda e: e.low)
    return last >= middle - 0.3 and last >= first - 0.3


def _is_bounded(errors: Sequence[_Error]) -> bool:
    """Do the values, of which this is the distance of 1/f from 0, go to and fro without growing?"""
    first, middle, last = _thirds(errors, lambda e: -e.low)
    return last <= middle + 0.15 and last <= first + 0.15


def _thirds(errors: Sequence[_Error], size: Callable[[_Error], float]) -> tuple[float, float, float]:
    """The largest size in each third of the samples; nan where there are too few turns to speak of swinging."""
    third = len(errors) // 3
    if third < 6 or errors[-1].scale < 32 or _turns([e.moved for e in errors[third:]]) < 5:
        return math.nan, math.nan, math.nan
    first, middle, last = (max(map(size, errors[k * third : (k + 1) * third])) for k in range(3))
    return first, middle, last


def _stray(errors: Sequence[_Error], shown: str) -> str | None:
    """Directed samples that stay away from the claim while the others around them approach it."""
    for phase in dict.fromkeys(e.directed for e in errors if e.directed):
        chain = [e for e in errors if e.directed == phase]
        near = [e.high for e in errors if not e.directed and abs(e.scale - chain[-1].scale) < 4]
        if len(chain) >= 3 and near and _stays(chain) and chain[-1].low > min(near) + 6:
            return f"at zeros and extremes of its periodic part f does not approach {shown}"
    return None


def _stays(chain: Sequence[_Error]) -> bool:
    return min(e.low for e in chain[-2:]) >= max(e.high for e in chain[:-2]) - 0.05


def _against_infinity(samples: Sequence[Sample], sign: int, slow: bool) -> str | None:
    """f goes to ±∞ where 1/f goes to 0 and the sign is right in the end."""
    shown = "∞" if sign > 0 else "-∞"
    errors = [_inverse_error(s) for s in samples]
    plain = [e for e in errors if not e.directed]
    if len(plain) < 4:
        return None
    values = [sign * s.y for s in samples if s.plain]
    if _is_wrong_sign(values, plain) or (values[-1] < 0 and _grows([_error(s, s.y) for s in samples if s.plain])):
        return f"the values have the wrong sign for {shown} and do not turn"
    if _vanishes(plain):
        return f"the values tend to 0, not to {shown}"
    if not slow and _is_bounded(plain):
        return f"the values swing without growing, and do not tend to {shown}"
    return _against(errors, samples, shown, slow)


def _is_wrong_sign(values: Sequence[arb], errors: Sequence[_Error]) -> bool:
    """Negative to the end and not rising, or negative again and again and no less than before."""
    far = errors[-1].scale >= 64
    if all(v < 0 for v in values[-4:]):
        down = all(b < a for a, b in zip(values[-4:], values[-3:]))
        return (far and down) or _settles(errors, LOOSE)
    late, early = values[-10:], values[:-10]
    turns = sum(bool(a < 0) != bool(b < 0) for a, b in pairwise(late))
    lowest = lambda part: min(v.mid() for v in part)
    return bool(far and turns >= 3 and early and lowest(late) < min(lowest(early), late[0] * 0))


def _vanishes(errors: Sequence[_Error]) -> bool:
    """Is f proven to be below 2⁻⁵⁰ on the last stretch, and smaller there than before?"""
    last = errors[_tail(errors) :]
    return all(e.low > 50 for e in last) and (last[-1].scale >= FAR or last[-1].low >= max(e.low for e in errors) - 1)


def _against_none(samples: Sequence[Sample]) -> str | None:
    """Does f settle to more than 20 digits at all samples and, roughly, on their neighborhoods too?"""
    plain = [s for s in samples if s.plain]
    wide = [s.around for s in plain[len(plain) // 2 :] if s.around is not None]
    if len(plain) < 16 or len(wide) < 2 or plain[-1].scale < 64:
        return None
    value = plain[-1].y
    if _settled_everywhere(plain, wide, value):
        return f"the values settle at {_short(value)} to more than 20 digits, and so do whole neighborhoods"
    if _large_everywhere(plain, wide):
        return "the values grow beyond every bound with one sign, on whole neighborhoods too"
    return None


def _settled_everywhere(plain: Sequence[Sample], wide: Sequence[arb], value: arb) -> bool:
    size = max(_log2(value.abs_upper()), TINY)
    strays = [_error(s, s.y - value) for s in plain[-4:]]
    if any(e.high > size - 66 for e in strays) or not all(w.is_finite() for w in wide):
        return False
    widths = [_log2((w - value).abs_upper()) for w in wide]
    return max(widths) < size - 1 or (size == TINY and widths[-1] < max(-40, widths[0] - 10))


def _large_everywhere(plain: Sequence[Sample], wide: Sequence[arb]) -> bool:
    low = [_log2(s.y.abs_lower()) for s in plain[-4:]]
    signs = {1 if w > 1 else (-1 if w < -1 else 0) for w in wide}
    return min(low) > 40 and all(b > a for a, b in pairwise(low)) and len(signs) == 1 and 0 not in signs


def _short(y: Any) -> str:
    """A value for people: six digits, without the radius."""
    from flint import arb

    v = y if isinstance(y, arb) else ball(y)
    if abs(v) < _power_of_two(TINY):
        return "0"
    text = v.mid().str(6, radius=False)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


# ---------------------------------------------------------------- for display


def table(samples: Sequence[Sample]) -> tuple[Row, ...]:
    """The rows for display, at distances 0.1, 0.01, … (at ±∞ at 10, 100, …), the farthest first.

    Where no value is proven there is no row.

    >>> import tangently.primitives
    >>> from tangently.expr import TABLE, const, symbol
    >>> x = symbol("x")
    >>> for row in table(approach(TABLE["sin"](x) / x, x, const(0), 1))[:3]:
    ...     print(row.x_text, round(row.y, 9))
    0.1 0.998334166
    0.01 0.999983333
    0.001 0.999999833
    """
    return tuple(Row(float(s.x.mid()), *_numbers(s.y), s.shown, _beyond(s.y)) for s in samples if s.shown)


def _beyond(y: arb) -> str:
    """The value as text where a float would be 0 or infinite: 5.07596e-435."""
    middle = float(y.mid())
    outside = y.is_finite() and (math.isinf(middle) or (abs(middle) < 1e-300 and not y.contains(0)))
    return y.mid().str(6, radius=False) if outside else ""


def _numbers(y: arb) -> tuple[float, float | None]:
    """A ball as a float and a radius that holds the ball around that float."""
    if not y.is_finite():
        return math.nan, None
    middle = float(y.mid())
    return middle, float((abs(y - middle)).upper()) if math.isfinite(middle) else math.inf


def _decimal(program: Tape, route: _Route, clock: _Clock) -> list[Sample]:
    """Samples at decimal distances, for people; those that are proven."""
    new = (_shown(program, route, k, clock) for k in DECIMAL if clock.allows(0.0))
    return [s for s in new if s]


def _shown(program: Tape, route: _Route, k: int, clock: _Clock) -> Sample | None:
    from flint import arb

    with precision(320):
        step = arb(10) ** k if route.infinite else 1 / arb(10) ** k
        x = (-route.side * step if route.infinite else route.center(320) + route.side * step).mid()
    y, _ = _proven(program, x, k * 3.33, 192, clock)
    clock.lost = 0
    distance = 1 / step if route.infinite else step
    return None if y is None else Sample(distance, x, y, k * 3.33, shown=_words(route, k))


def _words(route: _Route, k: int) -> str:
    """x for people: 1000, 0.001, π/2 + 0.001."""
    if route.infinite:
        return ("" if route.side < 0 else "-") + (str(10**k) if k < 6 else f"1e{k}")
    step = f"{10.0**-k:.{k}f}" if k < 7 else f"1e-{k}"
    if _looks_at(route):
        return step if route.side > 0 else f"-{step}"
    return f"{to_text(route.point)} {'+' if route.side > 0 else '-'} {step}"
