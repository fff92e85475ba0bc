"""The ε–δ band: a δ that is proven, not read off a picture.

`delta(limit, ε)` finds δ with |f(x) - L| < ε for *every* x at a distance t, 0 < t < δ, on the sides of the limit. The
distances are covered from the inside out:

1. an innermost part (0, r], where f may be 0/0 at the point: Taylor models with remainder (`remainders`), or,
   where f' has one sign there, monotonicity: then |f - L| is largest at r;
2. shells [r, s], s ≤ 2r, by balls: f over the whole shell, or f at its two ends where the ball of f' excludes 0 (and
   nothing jumps), or else the shell is cut in two. The shells go outwards until one can't be proven.

The last shell is refined in eighths of an octave, so that δ is within a factor of 1.2 of where the proof (or the truth)
stops. At ±∞ the distance is t = 1/|x|, and what is returned is the bound N: x > N (at -∞: x < N) is near enough.
Everything is ball arithmetic (F. Johansson, Arb, IEEE Trans. Computers 66, 2017), so rounding is inside the proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tangently.differentiation import expand, tangent
from tangently.enclosure import ball, enclose, precision
from tangently.errors import BudgetError, DomainError, InputError, TangentlyError
from tangently.expr import TABLE, Expr, build, const, toposort
from tangently.limits.evidence import Tape, tape
from tangently.limits.remainders import near
from tangently.limits.results import Limit

if TYPE_CHECKING:
    from flint import arb

BITS = 192
OUTERMOST = 20  # 2 to this: where the way outwards ends
SCALES = (OUTERMOST, 6, 2, 0, -2, -4, -8, -16, -32, -64, -128, -256, -512, -1024)  # radii 2ᵏ of the innermost part
ORDERS = ((8, 1), (14, 1), (12, 2), (24, 6))  # order of expansion, and in which root of t
PIECES = 48  # cuts of one shell


@dataclass(frozen=True)
class Claim:
    """|f(x) - L| < ε on one side of the point."""

    f: Expr
    x: Expr
    point: Any
    side: int
    limit: arb
    epsilon: arb
    program: Tape
    slope: Tape | None
    slope_of: Expr | None

    @property
    def infinite(self) -> bool:
        return not isinstance(self.point, Expr)

    def holds(self, y: arb) -> bool:
        return y.is_finite() and bool(abs(y - self.limit) < self.epsilon)

    def place(self, a: arb, b: arb) -> arb:
        """The ball of x for distances from a to b."""
        if self.infinite:
            reach = (1 / b).union(1 / a)
            return reach if self.side < 0 else -reach
        return enclose([self.point], {}, precision=BITS)[0] + self.side * a.union(b)


def delta(limit: Limit, epsilon: float) -> float:
    """A proven δ: 0 < |x - point| < δ implies |f(x) - L| < ε; at ∞ a bound N: x > N does, at -∞: x < N does.

    Raises InputError where ε is not positive, DomainError where there is no finite limit, BudgetError where no δ can be
    proven.

    >>> from tangently.limits import limit
    >>> limit("sin(x)/x", 0).delta(0.01)
    0.234375
    """
    _check(limit, epsilon)
    found = [_reach(claim) for claim in _claims(limit, epsilon)]
    if any(r is None for r in found):
        raise BudgetError(
            f"no δ could be proven for ε = {epsilon:g}: the limit {limit.answer} is {limit.how}, but no enclosure of f "
            "near the point is tight enough; the table in .evidence shows the values; try a larger ε"
        )
    reach = min(r for r in found if r is not None)
    if isinstance(limit.point, Expr):
        return reach
    return math.copysign(math.nextafter(1 / reach, math.inf), limit.point)


def _check(limit: Limit, epsilon: float) -> None:
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not epsilon > 0 or math.isinf(epsilon):
        raise InputError(f"got ε = {epsilon!r}; wanted a positive number")
    if limit.exists is None:
        raise DomainError("the limit is undecided, so there is no L to stay near to")
    if limit.exists is False:
        raise DomainError(
            "the limit does not exist, so no δ belongs to any ε; ask for one side with direction='+' or '-'"
        )
    if limit.value is None or math.isinf(limit.value):
        raise DomainError(f"the limit is {limit.answer}, which is not finite: f leaves every band |f(x) - L| < ε")
    if limit.exact is None:
        raise BudgetError(f"the limit is only {limit.how} as {limit.value!r}; a δ can be proven for an exact L only")


def _claims(limit: Limit, epsilon: float) -> Iterator[Claim]:
    program = tape(limit.function, limit.variable)
    if program is None:
        raise BudgetError("f has a part without a ball enclosure, so no bound of it can be proven")
    slope = _slope(limit)
    value = enclose([limit.exact], {}, precision=BITS)[0]
    for side in limit.sides:
        if side.defined:
            yield Claim(
                limit.function, limit.variable, limit.point, side.side, value, ball(float(epsilon)), program,
                None if slope is None else tape(slope, limit.variable), slope,
            )  # fmt: skip


def _slope(limit: Limit) -> Expr | None:
    try:
        return tangent([limit.function], {limit.variable: const(1)})[0]
    except TangentlyError:
        return None  # a row without a derivative: then monotonicity is no help


def _reach(claim: Claim) -> float | None:
    """The largest proven radius, from the innermost part outwards."""
    with precision(BITS):
        for form in (claim, *(replace(claim, f=f) for f in _divided(claim.f))):
            for order in ORDERS:
                start = inner_bound(form, *order)
                if start is not None:
                    return _outwards(form, start, *order)
    return None


def _divided(f: Expr) -> Iterator[Expr]:
    """f with each quotient divided above and below by one exponential: eˣ/(1 + eˣ) = 1/(e⁻ˣ + 1).

    Neither changes f anywhere, since an exponential is never 0; but ∞/∞ is then 0 or 1 over something bounded.
    """
    nodes = toposort(expand([f]))
    for e in [n for n in nodes if n.op is TABLE["exp"]][:4]:
        done: dict[Expr, Expr] = {}
        for n in nodes:
            args = tuple(done[a] for a in n.args)
            quotient = n.op is TABLE["div"] and any(_is_exponential(t) for _, t in _terms(n.args[1]))
            new = n if not args else build(n.op, args, n.params)
            done[n] = _lowered(n.args[0], e) / _lowered(n.args[1], e) if quotient else new
        yield done[nodes[-1]]


def _terms(node: Expr) -> list[tuple[int, Expr]]:
    """The terms of a sum, with their signs."""
    if node.op is TABLE["neg"]:
        return [(-s, t) for s, t in _terms(node.args[0])]
    if node.op in (TABLE["add"], TABLE["sub"]):
        flip = 1 if node.op is TABLE["add"] else -1
        return [*_terms(node.args[0]), *((flip * s, t) for s, t in _terms(node.args[1]))]
    return [(1, node)]


def _is_exponential(term: Expr) -> bool:
    return term.op is TABLE["exp"] or (term.op is TABLE["mul"] and any(a.op is TABLE["exp"] for a in term.args))


def _lowered(node: Expr, e: Expr) -> Expr:
    """A sum divided by an exponential, term by term."""
    total = const(0)
    for sign, term in _terms(node):
        part = _over(term, e)
        total = total + part if sign > 0 else total - part
    return total


def _over(term: Expr, e: Expr) -> Expr:
    """A term divided by an exponential: eᵘ/eᵛ = eᵘ⁻ᵛ."""
    if term.op is TABLE["exp"]:
        return TABLE["exp"](term.args[0] - e.args[0])
    if term.op is TABLE["mul"]:
        a, b = term.args
        return _over(a, e) * b if a.op is TABLE["exp"] else a * _over(b, e)
    return term * TABLE["exp"](-e.args[0])


# ---------------------------------------------------------------- the innermost part


def inner_bound(claim: Claim, order: int, root: int) -> float | None:
    """The largest radius 2ᵏ for which the claim is proven on all of (0, 2ᵏ] at once."""
    holds = lambda k: _is_near(claim, math.ldexp(1.0, k), order, root)
    if not holds(SCALES[-1]):
        return None
    place = next(i for i, k in enumerate(SCALES) if holds(k))
    low, high = SCALES[place], SCALES[max(place - 1, 0)]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return math.ldexp(1.0, low)


def _is_near(claim: Claim, radius: float, order: int, root: int) -> bool:
    r = ball(radius)
    found = near(claim.f, claim.x, claim.point, claim.side, r, order=order, root=root)
    if found is None:
        return False
    if found.lo - claim.limit > -claim.epsilon and found.hi - claim.limit < claim.epsilon:
        return True
    return _falls(claim, r, order, root)


def _falls(claim: Claim, r: arb, order: int, root: int) -> bool:
    """Is f monotone on (0, r], and near enough to its limit at r?"""
    if claim.slope_of is None or not claim.holds(_at(claim, r, r)):
        return False
    if any(_may_jump(claim.program.nodes[slot]) for slot, _, _ in claim.program.steps):
        return False
    found = near(claim.slope_of, claim.x, claim.point, claim.side, r, order=order, root=root)
    return found is not None and bool(found.lo >= 0 or found.hi <= 0)


# ---------------------------------------------------------------- shells


def _outwards(claim: Claim, start: float, order: int, root: int) -> float:
    """The radius to which the claim can be proven: shell after shell, or by one more look at all of (0, s]."""
    r, end = start, math.ldexp(1.0, OUTERMOST)
    reaches = lambda s: s <= end and (_shell(claim, ball(r), ball(s)) or _is_near(claim, s, order, root))
    while reaches(2 * r):
        r *= 2
    octave = r
    for part in (4, 2, 1):
        if reaches(r + octave * part / 8):
            r += octave * part / 8
    return r


def _shell(claim: Claim, a: arb, b: arb) -> bool:
    """Is the claim proven for all distances from a to b?"""
    waiting, cuts = [(a, b)], 0
    while waiting:
        a, b = waiting.pop()
        if _piece(claim, a, b):
            continue
        middle = ((a + b) / 2).mid()
        if cuts >= PIECES or not claim.holds(_at(claim, middle, middle)):
            return False
        cuts += 1
        waiting += [(middle, b), (a, middle)]
    return True


def _piece(claim: Claim, a: arb, b: arb) -> bool:
    """By the ball of f over the piece, or by its ends where f is monotone on it."""
    x = claim.place(a, b)
    y = _value(claim.program, x)
    if claim.holds(y):
        return True
    if not y.is_finite() or claim.slope is None or _jumps(claim.program, x):
        return False
    slope = _value(claim.slope, x)
    one_way = bool(slope > 0 or slope < 0)
    return one_way and claim.holds(_at(claim, a, a)) and claim.holds(_at(claim, b, b))


def _at(claim: Claim, a: arb, b: arb) -> arb:
    return _value(claim.program, claim.place(a, b))


def _value(program: Tape, x: arb) -> arb:
    return program.run(x, BITS)[len(program.nodes) - 1]


def _jumps(program: Tape, x: arb) -> bool:
    """May something jump on the ball x? Not where what could jump is one exact number there."""
    values = program.run(x, BITS)
    return any(_may_jump(program.nodes[slot]) and not _is_settled(program.nodes[slot], slot, operands, values)
               for slot, _, operands in program.steps)  # fmt: skip


def _may_jump(node: Expr) -> bool:
    """Has the row jumps, by the table, or does it choose or compare?"""
    op = node.op
    jumps = op.breaks is not None and any(manner == "jump" for _, _, manner in op.breaks(*node.args))
    return jumps or op.name == "where" or node.dtype == "?"


def _is_settled(node: Expr, slot: int, operands: tuple[int, ...], values: list[Any]) -> bool:
    return bool(values[operands[0] if node.op.name == "where" else slot].is_exact())


__all__ = ["delta"]
