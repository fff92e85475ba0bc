"""Limits with parameters: one run for one sample value, and the conditions under which it holds for others.

The parameters become exact constants whose values are samples (irrational enough that nothing vanishes by chance). The
engine runs as always and is told of nothing, but every sign it asks for that involves a parameter is written down:
"a > 0", "b − 1 < 0". The answer is a formula in the parameters that holds wherever these signs are the same. Then one
condition after the other is turned round, and made an equation, new samples are found, and the engine runs again,
until every combination that was met has its case (concolic execution: P. Godefroid, N. Klarlund, K. Sen, DART, PLDI
2005).
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flint import arb

from tangently.asymptotics import constants as K
from tangently.asymptotics.constants_core import Exact, watchers
from tangently.asymptotics.germs import Behavior, Near, behavior
from tangently.errors import InputError
from tangently.expr import TABLE, Expr, const, evaluate, inputs_of, substitute
from tangently.limits.reading import Reading
from tangently.limits.results import Case, Limit, Side
from tangently.limits.wording import reasons
from tangently.printing import to_text

CASES = 24  # that are told apart
SAMPLES = (
    1.3721,
    -1.3721,
    0.4187,
    -0.4187,
    2.7713,
    -2.7713,
    5.3319,
    -5.3319,
    0.0731,
    -0.0731,
    17.119,
    -17.119,
    1.0371,
    0.9413,
)
SIGNS = {1: ">", 0: "=", -1: "<"}


@dataclass(frozen=True)
class Condition:
    """The sign of an expression in the parameters."""

    left: Expr
    sign: int

    def __str__(self) -> str:
        return f"{to_text(self.left)} {SIGNS[self.sign]} 0"

    def holds(self, values: Mapping[Expr, float]) -> bool:
        found = float(evaluate([self.left], dict(values))[0])
        return math.isfinite(found) and (found > 0) - (found < 0) == self.sign


@dataclass(frozen=True)
class Found:
    """One case: its conditions, the equations that were put in, and what the sides are there."""

    conditions: tuple[Condition, ...]
    equations: tuple[tuple[Expr, Expr], ...]
    sides: tuple[Side, ...]


def limit_with_parameters(
    reading: Reading, x: Expr, target: Any, way: Any, others: list[Expr], seconds: float
) -> Limit:
    """The limit as a formula in the parameters, with a case for each combination of signs that matters.

    >>> from tangently.limits import limit
    >>> print(limit("exp(a*x)", float("inf"), wrt="x"))
    lim x → ∞ of e^(a x) = ∞ if a > 0; 0 if a < 0; 1 if a = 0   [exact]
    """
    from tangently.limits.deciding import _sides, assemble

    assert reading.root is not None
    deadline = time.monotonic() + seconds
    found = list(_explore(reading.root, x, target, _sides(target, way), deadline))
    complete = not _short(found, deadline)
    cases = _told(complete, [(f, assemble(reading, x, target, way, list(f.sides), ())) for f in found])
    notes = (*reading.notes, *(() if complete else ("some cases were not looked at: the budget was used up",)))
    first = cases[0].limit
    if len(cases) == 1:
        return replace(first, value=_plain(first), notes=notes)
    exists = {c.limit.exists for c in cases}
    how = "exact" if all(c.limit.how == "exact" for c in cases) else "undecided"
    why = tuple(f"{c.condition}: {line}" for c in cases for line in c.limit.why)
    return replace(
        first, value=None, exact=None, exists=exists.pop() if len(exists) == 1 else None, how=how, why=why, sides=(),
        notes=notes, cases=tuple(cases),
    )  # fmt: skip


def _plain(found: Limit) -> float | None:
    """A number only where the answer holds no parameter."""
    return None if isinstance(found.exact, Expr) and inputs_of([found.exact]) else found.value


def _short(found: list[Found], deadline: float) -> bool:
    return len(found) >= CASES or time.monotonic() > deadline


# ---------------------------------------------------------------- exploring


def _explore(root: Expr, x: Expr, target: Any, sides: tuple[int, ...], deadline: float) -> Iterator[Found]:
    """Depth first: every condition of a case is turned round once."""
    waiting: list[tuple[tuple[Condition, ...], tuple[tuple[Expr, Expr], ...]]] = [((), ())]
    seen: set[Any] = set()
    count = 0
    while waiting and count < CASES and time.monotonic() < deadline:
        prefix, equations = waiting.pop(0)
        found = _run(root, x, target, sides, prefix, equations, deadline)
        if found is None or _key(found) in seen:
            continue
        seen.add(_key(found))
        count += 1
        yield found
        for k in range(len(prefix), len(found.conditions)):
            waiting += _turned(found.conditions[: k + 1], equations)


def _key(found: Found) -> Any:
    return frozenset((c.left, c.sign) for c in found.conditions), found.equations


def _turned(
    conditions: tuple[Condition, ...], equations: tuple[tuple[Expr, Expr], ...]
) -> Iterator[tuple[tuple[Condition, ...], tuple[tuple[Expr, Expr], ...]]]:
    """The last condition with the opposite sign, and as an equation that is solved for a parameter."""
    *before, last = conditions
    yield (*before, replace(last, sign=-last.sign)), equations
    solved = solve(last.left)
    if solved is not None:
        left = tuple(Condition(substitute([c.left], {solved[0]: solved[1]})[0], c.sign) for c in before)
        yield tuple(c for c in left if inputs_of([c.left])), (*equations, solved)


def solve(left: Expr) -> tuple[Expr, Expr] | None:
    """(a, r) with left = 0 exactly where a = r, for an expression that is affine in one of its inputs."""
    from tangently.differentiation import tangent
    from tangently.simplification import simplify

    for a in inputs_of([left]):
        [slope] = tangent([left], {a: const(1)})
        slope = simplify(slope, cancel=True) if slope is not None else const(0)
        if a in inputs_of([slope]) or not _never_zero(slope):
            continue
        at_zero = substitute([left], {a: const(0)})[0]
        return a, simplify(TABLE["div"](TABLE["neg"](at_zero), slope), cancel=True)
    return None


def _never_zero(slope: Expr) -> bool:
    return not inputs_of([slope]) and bool(K.sign(K.from_expr(slope)))


def _run(
    root: Expr,
    x: Expr,
    target: Any,
    sides: tuple[int, ...],
    prefix: tuple[Condition, ...],
    equations: tuple[tuple[Expr, Expr], ...],
    deadline: float,
) -> Found | None:
    """The engine at a sample that satisfies the prefix, with the signs it asked for; None where no sample was found."""
    root = substitute([root], dict(equations))[0] if equations else root
    place = target.shown
    if isinstance(place, Expr) and equations:
        place = substitute([place], dict(equations))[0]
    symbols = [s for s in inputs_of([root, *([place] if isinstance(place, Expr) else [])]) if s is not x]
    wanted = list(dict.fromkeys([*symbols, *[s for c in prefix for s in inputs_of([c.left])]]))
    sample = _sample(wanted, prefix)
    if sample is None:
        return None
    given = {s: _constant(s, v) for s, v in sample.items()}
    asked: dict[Expr, Condition] = {c.left: c for c in prefix}
    watch = _watcher(given, asked)
    watchers.append(watch)
    try:
        point = place if not isinstance(place, Expr) else _number(place, given)
        found = tuple(
            behavior(root, x, point, side, seconds=max(0.05, deadline - time.monotonic()), given=given)
            for side in sides
        )
        if len(found) == 2:
            _agree(*found)
    finally:
        watchers.remove(watch)
    conditions = tuple(asked.values())
    return Found(conditions, equations, tuple(_worded(s, b, x, point) for s, b in zip(sides, found)))


def _agree(left: Behavior, right: Behavior) -> None:
    """Ask whether the one-sided limits are equal, so that the answer to that is a condition, too."""
    a, b = left.limit, right.limit
    if a is not None and b is not None and not isinstance(a, float) and not isinstance(b, float):
        K.sign(K.sub(a, b))


def _number(place: Expr, given: Mapping[Expr, Any]) -> Any:
    near = Near(seconds=1.0)
    return near.known(near.values(place, dict(given))[place])


def _sample(symbols: list[Expr], prefix: tuple[Condition, ...]) -> dict[Expr, float] | None:
    for values in itertools.islice(itertools.product(SAMPLES, repeat=len(symbols)), 3000):
        if len(set(map(abs, values))) < len(values):  # equal parameters would be a coincidence
            continue
        sample = dict(zip(symbols, values))
        if all(c.holds(sample) for c in prefix):
            return sample
    return None


def _constant(s: Expr, value: float) -> Exact:
    """The parameter as a constant. Each run has its own, so that nothing remembered about another sample is met."""
    return K.named(s, arb(value) + arb((0xB7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56, -260)))


def _watcher(given: Mapping[Expr, Any], asked: dict[Expr, Condition]) -> Any:
    """Writes down the sign of what holds a parameter; a factor that can't change sign is no condition."""
    symbols = set(given)

    def watch(c: Exact, sign: int) -> None:
        if sign == 0 or c.keys:
            return
        left = K.to_expr(c)
        if symbols & set(inputs_of([left])):
            left, sign = _normalized(left, sign)
            asked.setdefault(left, Condition(left, sign))

    return watch


def _normalized(left: Expr, sign: int) -> tuple[Expr, int]:
    """−a < 0 is a > 0; 2a > 0 is a > 0; a/3 > 0 is a > 0; eᵃ is positive anyway and no condition of its own."""
    while True:
        if left.op.name == "neg":
            left, sign = left.args[0], -sign
        elif left.op.name in ("mul", "div") and not inputs_of([left.args[0]]):
            sign *= K.sign(K.from_expr(left.args[0]))
            if left.op.name == "div":
                return left.args[1], sign
            left = left.args[1]
        elif left.op.name == "div" and not inputs_of([left.args[1]]):
            sign *= K.sign(K.from_expr(left.args[1]))
            left = left.args[0]
        elif left.op.name == "log":
            left = TABLE["sub"](left.args[0], 1)
        elif left.op.name == "sub" and not inputs_of([left.args[0]]):
            left, sign = TABLE["sub"](left.args[1], left.args[0]), -sign
        else:
            return left, sign


def _worded(side: int, found: Behavior, x: Expr, point: Any) -> Side:
    if not found.defined:
        return Side(side, None, how="exact", why=found.why, defined=False)
    if found.exists is None:
        return Side(side, None, how="undecided", why=found.why)
    limit = found.limit
    exact = None if limit is None or isinstance(limit, float) else K.to_expr(limit)
    value = limit if limit is None or isinstance(limit, float) else K.to_float(limit)
    return Side(side, value, exact, found.exists, "exact", reasons(x, point, side, found), germ=found)


# ---------------------------------------------------------------- telling


Region = tuple[tuple[tuple[Expr, Expr], ...], tuple[Condition, ...]]  # equations and conditions


def _told(complete: bool, found: list[tuple[Found, Limit]]) -> list[Case]:
    """Cases with the same answer are one, under the conditions that tell them from the others."""
    if not found:
        raise InputError("no sample of the parameters could be found for which the function has values")
    answers: dict[Any, list[tuple[Found, Limit]]] = {}
    for f, limit in sorted(found, key=lambda pair: len(pair[0].equations)):
        key = next((k for k in answers if _covers(answers[k][0][1], limit, f)), _answer(limit))
        answers.setdefault(key, []).append((f, limit))
    groups = [([(f.equations, f.conditions) for f, _ in group], group[0][1]) for group in answers.values()]
    if len(groups) == 1:
        return [Case("", groups[0][1])]
    apart = lambda own: [r for g, _ in groups if g is not own for r in g] if complete else None
    return [Case(_condition(own, apart(own)), limit) for own, limit in groups]


def _answer(limit: Limit) -> Any:
    differing = tuple(_shown(s) for s in limit.sides) if limit.exists is False else None
    return limit.exists, limit.exact if limit.exact is not None else limit.value, differing


def _shown(side: Side) -> Any:
    return side.exact if side.exact is not None else side.value


def _covers(general: Limit, special: Limit, f: Found) -> bool:
    """Does the formula of a general case give the answer at an equation as well?"""
    if _answer(general) == _answer(special):
        return True
    if not f.equations or not isinstance(general.exact, Expr) or not isinstance(special.exact, Expr):
        return False
    from tangently.asymptotics.identities import is_identically_zero

    there = substitute([general.exact], dict(f.equations))[0]
    gap = TABLE["sub"](there, special.exact)
    if inputs_of([gap]):
        return is_identically_zero(gap)
    try:
        return K.is_zero(K.from_expr(gap))
    except (K.Undecided, ValueError, ZeroDivisionError):
        return False


def _condition(own: list[Region], others: list[Region] | None) -> str:
    """The regions of one answer in words, without conditions that nothing depends on (where all regions are known)."""
    shorter = own if others is None else [_needed(region, others) for region in own]
    kept = [
        r
        for k, r in enumerate(shorter)
        if not any(_within(r, o) for j, o in enumerate(shorter) if j != k and (j < k or o != r))
    ]
    return " or ".join(_joined(list(dict.fromkeys(_conjunction(r) for r in kept)))) or "otherwise"


def _joined(texts: list[str]) -> list[str]:
    """a > 0 or a = 0 is a ≥ 0; a > 0 or a < 0 is a ≠ 0."""
    for one, other, both in ((" > ", " = ", " ≥ "), (" < ", " = ", " ≤ "), (" > ", " < ", " ≠ ")):
        for text in [t for t in texts if one in t and " and " not in t and t.count("<") + t.count(">") == 1]:
            partner = text.replace(one, other)
            if partner in texts:
                texts[texts.index(text)] = text.replace(one, both)
                texts.remove(partner)
    return texts


def _needed(region: Region, others: list[Region]) -> Region:
    """A region without the conditions that are not needed to keep it apart from the others, as far as samples tell."""
    equations, conditions = region
    kept = list(conditions)
    for c in conditions[::-1]:
        rest = tuple(k for k in kept if k is not c)
        if not any(_meet((equations, rest), o) for o in others):
            kept = list(rest)
    return equations, tuple(kept)


def _meet(a: Region, b: Region) -> bool:
    """Is there a sample in both?"""
    symbols = list(dict.fromkeys(s for c in (*a[1], *b[1]) for s in inputs_of([c.left])))
    symbols += [s for s, r in (*a[0], *b[0]) for s in (s, *inputs_of([r])) if s not in symbols]
    for values in itertools.islice(itertools.product((0.0, *SAMPLES), repeat=len(symbols)), 600):
        sample = dict(zip(symbols, values))
        for s, r in (*a[0], *b[0]):
            sample[s] = float(evaluate([r], sample)[0])
        if _solves(a, sample) and _solves(b, sample):
            return True
    return False


def _solves(region: Region, sample: dict[Expr, float]) -> bool:
    equal = all(math.isclose(sample[s], float(evaluate([r], sample)[0]), abs_tol=1e-12) for s, r in region[0])
    return equal and all(c.holds(sample) for c in region[1])


def _within(a: Region, b: Region) -> bool:
    """Is every condition of b one of a?"""
    return set(b[0]) <= set(a[0]) and set(b[1]) <= set(a[1])


def _conjunction(region: Region) -> str:
    equations = [f"{to_text(a)} = {to_text(r)}" for a, r in region[0]]
    return " and ".join([*equations, *_intervals(region[1])])


def _intervals(conditions: tuple[Condition, ...]) -> list[str]:
    """0 < a < 1 for the two conditions on a, a > 1 for a − 1 > 0."""
    sides = [_bound(c) for c in conditions]
    low = {a: b for a, b, s in sides if s > 0 and b is not None}
    high = {a: b for a, b, s in sides if s < 0 and b is not None}
    told = [f"{to_text(low[a])} < {to_text(a)} < {to_text(high[a])}" for a in low if a in high]
    told += [
        f"{to_text(a)} {SIGNS[s]} {to_text(b)}" for a, b, s in sides if b is not None and not (a in low and a in high)
    ]
    return told + [f"{to_text(a)} {SIGNS[s]} 0" for a, b, s in sides if b is None]


def _bound(c: Condition) -> tuple[Expr, Expr | None, int]:
    """(a, b, sign) for a − b > 0 with a constant b."""
    left = c.left
    if left.op.name == "input":
        return left, const(0), c.sign
    if left.op.name in ("sub", "add") and not inputs_of([left.args[1]]) and left.args[0].op.name == "input":
        b = left.args[1] if left.op.name == "sub" else TABLE["neg"](left.args[1])
        return left.args[0], b, c.sign
    return left, None, c.sign
