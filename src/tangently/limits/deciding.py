"""The verb `limit`: read the function, decide each side, check the answer against proven values, and put it in words.

1. Read: text, SymPy and Python functions become one exact expression (`reading`).
2. Decide, from each side, in multiseries (`tangently.asymptotics.germs`): structure by direction, cancellation of
   leading terms, growth of exponentials and logarithms, squeeze for oscillators, two sequences against a limit.
3. Check: balls that provably hold f at points ever nearer (`evidence`) must not contradict the answer.
4. Where the engine doesn't know, SymPy is asked, in a worker with limits; its answer passes the same check, and is
   called an estimate. Functions that can't be traced are extrapolated from values (`extrapolation`).
5. Put together: two sides with one value, two values, a side where f isn't defined, or no answer.

A contradiction is never returned as an answer: it becomes `undecided`, with both findings.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.asymptotics.germs import Behavior, behavior
from tangently.errors import InputError
from tangently.expr import Expr, depends, inputs_of, substitute, symbol, toposort
from tangently.limits.evidence import Sample, approach, refute
from tangently.limits.reading import Reading, exact_number, is_faithful, parameters, read, traces
from tangently.limits.results import RANK, Limit, Side
from tangently.limits.wording import merged, reasons
from tangently.printing import to_python, to_text

SECONDS = 5.0
DIRECTIONS = {
    "both": "both", "+-": "both", "+": "+", "right": "+", "above": "+", "-": "-", "left": "-", "below": "-",
}  # fmt: skip
INFINITIES = {"oo": math.inf, "inf": math.inf, "∞": math.inf, "infinity": math.inf}


def limit(
    f: Any, point: Any, direction: str = "both", wrt: Any = None, *, integers: bool = False, seconds: float = SECONDS
) -> Limit:
    """The limit of f as a variable goes to a point.

    f: a formula as text, a Python function, a SymPy expression. point: a number, text such as "pi/2" or "-inf", ±inf.
    direction: "both", "+" (from the right) or "-" (from the left); it has no meaning at ±∞. wrt: which variable moves.
    integers: the variable runs over the whole numbers (a sequence, n → ∞). seconds: the budget, after which the answer
    is `undecided`, with what is known.

    Raises InputError for what is no function, point or direction, or a variable that isn't there.

    >>> limit("sin(x)/x", 0).value
    1.0
    >>> limit("abs(x)/x", 0)
    lim x → 0 of |x|/x = does not exist (from the left −1, from the right 1)   [exact]
    >>> limit("(1 + 1/n)^n", float("inf")).exact
    exp(1)
    """
    way = _direction(direction)
    reading = read(f)
    if isinstance(point, (tuple, list)):
        from tangently.limits.paths import limit_along_paths

        along: Any = limit_along_paths(reading, point, wrt, seconds)
        return along
    notes: list[str] = []
    target = read_point(point, notes)
    x = reading.input(wrt)
    target = _named(target, reading)
    others = [s for s in reading.inputs if s is not x and reading.root is not None and depends_on(reading.root, s)]
    if others or target.number is None:
        from tangently.limits.parameters import limit_with_parameters

        return limit_with_parameters(reading, x, target, way, others, seconds)
    deadline = time.monotonic() + seconds
    wanted = _sides(target, way)
    sides = []
    for k, side in enumerate(wanted):  # what one side leaves of the time, the other has
        left = max(0.05, (deadline - time.monotonic()) / (len(wanted) - k))
        sides.append(_side(reading, x, target, side, integers, left))
    found = assemble(reading, x, target, way, sides, tuple(dict.fromkeys((*notes, *reading.notes))))
    return replace(found, integers=integers or any(s.integers for s in sides))


def depends_on(root: Expr, x: Expr) -> bool:
    return root in depends(toposort([root]), [x])


# ---------------------------------------------------------------- arguments


def _direction(direction: Any) -> str:
    found = DIRECTIONS.get(direction) if isinstance(direction, str) else None
    if found is None:
        raise InputError(f'got direction={direction!r}; wanted "both", "+" (from the right) or "-" (from the left)')
    return found


@dataclass(frozen=True)
class Target:
    """Where the variable goes: an exact expression and its constant, or ±inf."""

    shown: Any  # Expr or ±inf
    number: Any  # fmpq | K.Exact | ±inf


def read_point(point: Any, notes: list[str]) -> Target:
    """The point, exactly."""
    if isinstance(point, Target):
        return point
    if isinstance(point, str):
        return _point_of_text(point)
    if isinstance(point, Expr):
        return Target(point, K.from_expr(point))
    if type(point).__module__.startswith("sympy."):
        return _point_of_sympy(point)
    item = point.item() if hasattr(point, "item") else point
    if isinstance(item, complex):
        raise InputError(f"got the point {item}; wanted a real number or ±inf: limits here are real")
    if not isinstance(item, (int, float)):
        raise InputError(f"got a point of type {type(point).__name__}; wanted a number, text such as 'pi/2', or ±inf")
    if item != item:
        raise InputError("got the point nan; wanted a number or ±inf")
    if isinstance(item, float) and math.isinf(item):
        return Target(item, item)
    shown = exact_number(float(item), notes) if isinstance(item, float) else K.to_expr(fmpq(int(item)))
    rounded = shown.is_constant and type(shown.value) is float  # the same float in f is the same number
    return Target(shown, K.rounded(shown.value) if rounded else K.from_expr(shown))


def _point_of_text(text: str) -> Target:
    bare = text.strip().lstrip("+-").strip()
    if bare in INFINITIES:
        sign = -1 if text.strip().startswith("-") else 1
        return Target(sign * math.inf, sign * math.inf)
    reading = read(text)
    assert reading.root is not None
    if any(depends_on(reading.root, s) for s in reading.inputs):
        return Target(reading.root, None)
    number = K.from_expr(reading.root)
    return Target(K.to_expr(number), number)


def _named(target: Target, reading: Reading) -> Target:
    """A point that is given by parameters of the function: their names are those of the function's variables."""
    if target.number is not None:
        return target
    known = {s.name: s for s in reading.inputs}
    names = inputs_of([target.shown])
    strange = [str(s.name) for s in names if s.name not in known]
    if strange:
        raise InputError(
            f"the point {to_text(target.shown)} is not a number: the function has no variable {', '.join(strange)}; "
            "write a number such as 0, 1/2, pi/2, sqrt(2), or inf, -inf"
        )
    return Target(substitute([target.shown], {s: known[s.name] for s in names})[0], None)


def _point_of_sympy(point: Any) -> Target:
    from tangently.adopting.sympy import from_sympy

    if getattr(point, "is_infinite", False):
        sign = 1.0 if point.is_extended_positive else -1.0
        return Target(sign * math.inf, sign * math.inf)
    root, inputs = from_sympy(point)
    if inputs:
        raise InputError(f"the point {point} has variables; wanted a number or ±oo")
    number = K.from_expr(root)
    return Target(K.to_expr(number), number)


def _sides(target: Target, way: str) -> tuple[int, ...]:
    if isinstance(target.number, float):
        return (-1,) if target.number > 0 else (1,)
    return {"both": (-1, 1), "+": (1,), "-": (-1,)}[way]


# ---------------------------------------------------------------- one side


def _side(reading: Reading, x: Expr, target: Target, side: int, integers: bool, seconds: float) -> Side:
    deadline = time.monotonic() + seconds
    point = K_float(target)
    if reading.root is not None:
        if is_faithful(reading, reading.root, x, point, side):
            return decide(reading.root, x, target, side, integers=integers, seconds=seconds)
        return _black_box(replace(reading, obstacle=ESCAPED), target, side, seconds)
    if reading.callable is None:
        raise InputError(f"the function can't be followed: {reading.obstacle}")
    for root, variable, guards, notes in traces(reading, point, side):
        if not is_faithful(reading, root, variable, point, side):
            return _black_box(replace(reading, obstacle=ESCAPED), target, side, seconds)
        if all(_holds(c, variable, target, side, outcome) for c, outcome in guards):
            found = decide(root, variable, target, side, integers=integers, seconds=deadline - time.monotonic())
            told = tuple(
                f"near the point the function takes the branch where {to_text(c)} is {o}" for c, o in guards[:3]
            )
            return replace(found, why=(*notes, *told, *found.why))
    return _black_box(reading, target, side, max(0.2, deadline - time.monotonic()))


ESCAPED = "its values are not those of its trace: somewhere a number is taken out of it, as by float(x) or an f-string"


def K_float(target: Target) -> float:
    return target.number if isinstance(target.number, float) else K.to_float(target.number)


def _holds(condition: Expr, x: Expr, target: Target, side: int, outcome: bool) -> bool:
    """Does the condition keep this outcome all the way to the point?"""
    found = behavior(condition, x, target.number, side, seconds=1.0)
    return found.exists is True and found.limit == (1 if outcome else 0)


def decide(root: Expr, x: Expr, target: Target, side: int, *, integers: bool = False, seconds: float = SECONDS) -> Side:
    """The limit of an exact expression from one side, checked."""
    deadline = time.monotonic() + seconds
    root = _simplified(root, x, target, side)
    found = behavior(root, x, target.number, side, seconds=seconds / 2, whole_input=integers)
    if (
        not found.defined
        and found.near is not None
        and found.near.whole_only
        and not integers
        and target.number == math.inf
    ):
        over = decide(root, x, target, side, integers=True, seconds=deadline - time.monotonic())
        return replace(
            over,
            integers=True,
            why=(f"f has real values at whole {x.name} only, so {x.name} runs over these", *over.why),
        )
    samples = _samples(root, x, target, side, integers, deadline)
    if not found.defined:
        return _undefined(found, samples, side)
    if found.exists is None:
        return _second_opinion(root, x, target, side, found, samples, deadline)
    claim = "none" if found.exists is False else _claim(found.limit)
    objection = refute(samples, claim)
    if objection is not None:
        said = "does not exist" if claim == "none" else claim if isinstance(claim, float) else to_text(claim)
        why = (f"the engine finds that the limit {'' if claim == 'none' else 'is '}{said}, but {objection}: undecided",)
        return Side(side, None, how="undecided", why=why, samples=samples)
    return Side(
        side,
        value=_float_of(found.limit),
        exact=claim if isinstance(claim, Expr) else None,
        exists=found.exists,
        how=_certainty(found.limit),
        why=reasons(x, target.number, side, found),
        samples=samples,
        germ=found,
    )


def _simplified(root: Expr, x: Expr, target: Target, side: int) -> Expr:
    """What is identically 0 has no leading term to find: proven zeros are taken out first."""
    from tangently.asymptotics.identities import without_zeros
    from tangently.simplification import simplify

    found = without_zeros(root, x, irregular(target, side))
    return root if found is root else simplify(found, cancel=True)


def irregular(target: Target, side: int) -> Any:
    """An exact irregular number near the point: nothing vanishes there by chance."""
    from flint import arb

    from tangently.enclosure import precision

    with precision(700):
        digits = arb((0xB7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFEF, -256))  # the bits of e − 2
        away = digits * 16 if isinstance(target.number, float) else digits / 16
        return away * -side if isinstance(target.number, float) else arb(K_float(target)) + away * side


def _samples(root: Expr, x: Expr, target: Target, side: int, integers: bool, deadline: float) -> tuple[Sample, ...]:
    seconds = min(0.1, max(0.01, deadline - time.monotonic()))
    return approach(root, x, target.shown, side, seconds=seconds, whole=integers)


def _certainty(found: Any) -> Any:
    """Exact, unless the limit holds a rounded number."""
    if found is None or isinstance(found, float):
        return "exact"
    return "certified" if any(type(n.value) is float for n in toposort([K.to_expr(found)])) else "exact"


def _claim(found: Any) -> Any:
    return found if isinstance(found, float) else K.to_expr(found)


def _float_of(found: Any) -> float | None:
    return found if found is None or isinstance(found, float) else K.to_float(found)


def _undefined(found: Behavior, samples: Sequence[Sample], side: int) -> Side:
    """No real value near the point on this side — unless proven values say otherwise."""
    if sum(s.scale > 8 for s in samples) > 3:
        return Side(
            side,
            None,
            how="undecided",
            why=(*found.why, "but values near the point were computed"),
            samples=tuple(samples),
        )
    return Side(side, None, how="exact", why=found.why, defined=False)


def _second_opinion(
    root: Expr, x: Expr, target: Target, side: int, found: Behavior, samples: tuple[Sample, ...], deadline: float
) -> Side:
    """SymPy's answer, if proven values don't contradict it; it stays an estimate, since nobody proved it."""
    unknown = Side(side, None, how="undecided", why=found.why, samples=samples)
    left = deadline - time.monotonic()
    rounded = any(n.is_constant and type(n.value) is float for n in toposort([root]))  # SymPy would take them for exact
    waves = (
        found.near is not None and found.near.phases
    )  # where something oscillates without end, samples prove nothing
    if left < 0.3 or len(samples) < 8 or rounded or waves:
        return unknown
    from tangently.opinions import sympy_limit

    point = target.shown if isinstance(target.shown, float) else to_python(target.shown)
    opinion = sympy_limit(to_python(root), str(x.name), str(point), side, seconds=left)
    if opinion.answer is None:
        return unknown
    claim = read_point(opinion.answer, [])
    objection = refute(samples, claim.shown)
    if objection is not None:
        return replace(unknown, why=(*found.why, f"SymPy answers {opinion.answer}, but {objection}"))
    why = (*found.why, f"SymPy answers {opinion.answer}; values proven ever nearer to the point agree with it")
    exact = None if isinstance(claim.shown, float) else claim.shown
    return Side(side, _float_of(claim.number), exact, True, "estimated", why, samples=samples)


def _black_box(reading: Reading, target: Target, side: int, seconds: float) -> Side:
    """A function that can't be followed: extrapolated from its values."""
    from tangently.extrapolation import extrapolate_limit

    assert reading.callable is not None
    found = extrapolate_limit(reading.callable, K_float(target), side, seconds=seconds)
    why = (f"the function can't be followed ({reading.obstacle}), so only its values are known",)
    why += tuple(found.notes) + ((found.method,) if found.method else ())
    known = found.value is not None
    return Side(
        side,
        found.value,
        None,
        True if known else None,
        "estimated" if known or found.verdict == "undefined" else "undecided",
        why,
        error=found.error if known and math.isfinite(found.value or 0.0) else 0.0,
        defined=found.verdict != "undefined",
        values=found.rows,
    )


# ---------------------------------------------------------------- both sides


def assemble(reading: Reading, x: Expr, target: Target, way: Any, sides: list[Side], notes: tuple[str, ...]) -> Limit:
    """One answer from the sides."""
    live = [s for s in sides if s.defined]
    function = reading.root if reading.root is not None else _opaque(reading)
    common: dict[str, Any] = {
        "function": function,
        "variable": x,
        "point": target.shown,
        "direction": way,
        "sides": tuple(sides),
        "callable": reading.callable,
        "notes": notes,
    }
    if not live:
        why = _told(sides, f"the function has no real value near {_where(x, target)}")
        return Limit(value=None, exact=None, exists=False, how=_worst(sides), why=why, **common)
    gone = [s for s in live if s.exists is False]
    if gone:
        return Limit(value=None, exact=None, exists=False, how=_worst(gone), why=_told(gone), **common)
    if any(s.exists is None for s in live):
        return Limit(value=None, exact=None, exists=None, how="undecided", why=_told(live), **common)
    if len(live) < len(sides):
        missing = next(s for s in sides if not s.defined)
        edge = f"{_name(missing.side)} of {_where(x, target)} the function has no real value: the limit is one-sided"
        return replace(_single(live[0], common), why=_told(live, edge))
    if len(live) == 1:
        return _single(live[0], common)
    return _two_sided(live, common)


def _single(side: Side, common: dict[str, Any]) -> Limit:
    return Limit(value=side.value, exact=side.exact, exists=True, how=side.how, why=_told([side]), **common)


def _two_sided(sides: list[Side], common: dict[str, Any]) -> Limit:
    left, right = sides
    agree = _equal(left, right)
    if agree is None:
        why = _told(sides, "whether the two one-sided limits are equal could not be decided")
        return Limit(value=None, exact=None, exists=None, how="undecided", why=why, **common)
    if agree:
        why = _told(sides, *(() if left.why == right.why else ("both sides agree",)))
        return Limit(value=right.value, exact=right.exact, exists=True, how=_worst(sides), why=why, **common)
    why = _told(sides, "the one-sided limits differ: there is no limit")
    return Limit(value=None, exact=None, exists=False, how=_worst(sides), why=why, **common)


def _equal(left: Side, right: Side) -> bool | None:
    a, b = left.value, right.value
    assert a is not None
    assert b is not None
    if math.isinf(a) or math.isinf(b):
        return a == b
    if left.exact is None or right.exact is None:
        gap, error = abs(a - b), left.error + right.error
        return True if gap <= error else False if gap > 10 * error else None
    numbers = [s.germ.limit if s.germ is not None else K.from_expr(s.exact) for s in (left, right)]
    try:
        return K.is_zero(K.sub(*numbers))
    except K.Undecided:
        return None


def _worst(sides: Sequence[Side]) -> Any:
    return max((s.how for s in sides), key=RANK.__getitem__)


def _told(sides: Sequence[Side], *more: str) -> tuple[str, ...]:
    return (*merged([(_name(s.side), s.why) for s in sides]), *more)


def _name(side: int) -> str:
    return "right" if side > 0 else "left"


def _where(x: Expr, target: Target) -> str:
    shown = target.shown
    return f"{x.name} = {to_text(shown)}" if isinstance(shown, Expr) else ("∞" if shown > 0 else "-∞")


def _opaque(reading: Reading) -> Expr:
    """A stand-in for a function that has no formula: its call, as a symbol."""
    name = getattr(reading.callable, "__name__", "f")
    return symbol(f"{name}({', '.join(parameters(reading.callable))})") if reading.callable else symbol("f")
