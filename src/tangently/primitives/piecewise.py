"""Piecewise functions: comparisons, where, absolute value, sign, floor, extrema of two, and activations.

Conventions at a tie or kink, where no derivative exists and a number must be returned: the subgradient of least
norm. |x| at 0 → 0; max(a, b) at a = b → ½ each; relu at 0 → 0; clip at a bound → 0; leaky relu → the smaller slope.
`kink` says where that convention was used, so that a result can report it.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from tangently.expr import CONST, Expr, const
from tangently.primitives.elementary import exp, monotone
from tangently.primitives.kinds import Rule, elementwise


def truth(ball: Any, yes: bool, no: bool) -> Any:
    """What is true as a ball: exactly 1, exactly 0, or a ball that holds both where it can't be decided."""
    return ball(1 if yes else 0) if yes or no else ball(0.5, 0.5)


def _relation(holds: Any, fails: Any) -> Any:
    return lambda a, b: truth(type(a), holds(a, b), fails(a, b))  # balls compare true only where it is certain


def _compared(holds: Any) -> Any:
    return lambda xs, marks: const(bool(holds(marks[0], 0)))


def comparison(name: str, sign: str, ufunc: str, shown: str, holds: Any, fails: Any) -> Any:
    """A row with a true-or-false value: constant almost everywhere, so without a derivative."""
    return elementwise(
        name,
        python=f"{{0}} {sign} {{1}}",
        numpy=f"{{0}} {sign} {{1}}",
        ufunc=ufunc,
        javascript=f"{{0}} {sign} {{1}}",
        sympy={"==": "Eq({0}, {1})", "!=": "Ne({0}, {1})"}.get(sign, f"({{0}} {sign} {{1}})"),
        result="bool",
        partials=[None, None],
        shown=("relation", shown, 0, 1),
        enclosure=_relation(holds, fails),
        breaks=lambda a, b: (("zero", a - b, "jump"),),
        settled=_compared(holds),
        calls=(ufunc,),
    )


gt = comparison("gt", ">", "greater", ">", operator.gt, operator.le)
ge = comparison("ge", ">=", "greater_equal", "≥", operator.ge, operator.lt)
lt = comparison("lt", "<", "less", "<", operator.lt, operator.ge)
le = comparison("le", "<=", "less_equal", "≤", operator.le, operator.gt)
eq = comparison("eq", "==", "equal", "=", operator.eq, operator.ne)
ne = comparison("ne", "!=", "not_equal", "≠", operator.ne, operator.eq)


def logical(
    name: str, python: str, javascript: str, shown: Any, arity: int, sympy: str, enclosure: Any, scalar: Any
) -> Any:
    def decided(*xs: Expr) -> Expr | None:
        return const(bool(scalar(*[x.value for x in xs]))) if all(x.op is CONST for x in xs) else None

    return elementwise(
        name,
        python=python,
        ufunc=name,
        javascript=javascript,
        sympy=sympy,
        result="bool",
        partials=[None] * arity,
        shown=shown,
        enclosure=lambda *xs: enclosure(*[truth(type(x), x != 0, x == 0) for x in xs]),
        settled=lambda xs, marks: decided(*xs),
        calls=(name, name.replace("logical", "bitwise"), *(("invert",) if arity == 1 else ())),
        samples=((True, False)[:arity], (True, True)[:arity]),
    )


logical_and = logical(
    "logical_and", "({0} and {1})", "({0} && {1})", ("relation", "∧", 0, 1), 2, "And({0}, {1})",
    lambda a, b: truth(type(a), a == 1 and b == 1, a == 0 or b == 0), lambda a, b: a and b,
)  # fmt: skip
logical_or = logical(
    "logical_or", "({0} or {1})", "({0} || {1})", ("relation", "∨", 0, 1), 2, "Or({0}, {1})",
    lambda a, b: truth(type(a), a == 1 or b == 1, a == 0 and b == 0), lambda a, b: a or b,
)  # fmt: skip
logical_not = logical(
    "logical_not",
    "(not {0})",
    "(!{0})",
    ("row", "¬", 0),
    1,
    "Not({0})",
    lambda a: truth(type(a), a == 0, a == 1),
    operator.not_,
)


def test(name: str, python: str, javascript: str, enclosure: Any) -> Any:
    return elementwise(
        name,
        python=python,
        ufunc=name,
        javascript=javascript,
        result="bool",
        partials=[None],
        shown=("fn", name, 0),
        enclosure=enclosure,
        calls=(name,),
    )


isnan = test("isnan", "math.isnan({0})", "Number.isNaN({0})", lambda x: truth(type(x), False, x.is_finite()))
isfinite = test(
    "isfinite", "math.isfinite({0})", "Number.isFinite({0})", lambda x: truth(type(x), x.is_finite(), False)
)
isinf = test("isinf", "math.isinf({0})", "(Math.abs({0}) === Infinity)", lambda x: truth(type(x), False, x.is_finite()))


def _where(_p: Any, c: Expr, a: Expr, b: Expr) -> Expr | None:
    if c.op is CONST and c.shape == () and a.shape == b.shape:
        return a if c.value else b
    return a if a is b and a.shape == () and c.shape == () else None


def _where_ball(c: Any, a: Any, b: Any) -> Any:
    """One branch where the condition is decided, both where it is not."""
    return b if c == 0 else (a if c != 0 else a.union(b))


where = elementwise(
    "where",
    python="({1} if {0} else {2})",
    numpy="np.where({0}, {1}, {2})",
    overwrite=(1, "np.putmask({1}, ~{0}, {2})"),
    javascript="({0} ? {1} : {2})",
    sympy="Piecewise(({1}, {0}), ({2}, True))",
    result="same",
    simplify=_where,
    partials=[None, lambda y, c, a, b: where(c, 1, 0), lambda y, c, a, b: where(c, 0, 1)],
    shown=("cases", (1, 0), (2, None)),
    rules=(Rule("one branch at a time", r"\text{each branch is differentiated where it holds}"),),
    enclosure=_where_ball,
    calls=("where",),
    samples=((True, 0.3, 0.8), (False, 0.3, 0.8)),
)


def _tie(a: Any, b: Any, winner: Any) -> Any:
    """1 where the operand wins, 0 where it loses, ½ at a tie (the subgradient of least norm)."""
    return where(eq(a, b), 0.5, where(winner, 1, 0))


def _tie_break(a: Expr, b: Expr) -> tuple[tuple[str, Expr, str], ...]:
    return (("zero", a - b, "kink"),)


def _at_zero(manner: str) -> Any:
    """The row breaks where its operand is 0, in this manner."""
    return lambda x, *_: (("zero", x, manner),)


maximum = elementwise(
    "maximum",
    python="max({0}, {1})",
    ufunc="maximum",
    javascript="Math.max({0}, {1})",
    sympy="Max({0}, {1})",
    result="same",
    partials=[lambda y, a, b: _tie(a, b, gt(a, b)), lambda y, a, b: _tie(a, b, gt(b, a))],
    simplify=lambda p, a, b: a if a is b else None,
    kink=lambda a, b: a == b,
    shown=("fn", "max", 0, 1),
    rules=(Rule("maximum", r"\max(u, v)' = u' \text{ where } u > v,\; v' \text{ where } v > u"),),
    enclosure=lambda a, b: a.max(b),
    breaks=_tie_break,
    settled=lambda xs, marks: xs[0] if marks[0] >= 0 else xs[1],
    calls=("maximum", "fmax"),
)
minimum = elementwise(
    "minimum",
    python="min({0}, {1})",
    ufunc="minimum",
    javascript="Math.min({0}, {1})",
    sympy="Min({0}, {1})",
    result="same",
    partials=[lambda y, a, b: _tie(a, b, lt(a, b)), lambda y, a, b: _tie(a, b, lt(b, a))],
    simplify=lambda p, a, b: a if a is b else None,
    kink=lambda a, b: a == b,
    shown=("fn", "min", 0, 1),
    rules=(Rule("minimum", r"\min(u, v)' = u' \text{ where } u < v,\; v' \text{ where } v < u"),),
    enclosure=lambda a, b: a.min(b),
    breaks=_tie_break,
    settled=lambda xs, marks: xs[0] if marks[0] <= 0 else xs[1],
    calls=("minimum", "fmin"),
)


def bound(name: str, python: str, ufunc: str, javascript: str, wins: Any, shown: str, sympy: str) -> Any:
    """max or min of a value and a bound that does not vary: at the bound the slope of least norm is 0."""
    return elementwise(
        name,
        python=python,
        ufunc=ufunc,
        javascript=javascript,
        sympy=sympy,
        result="same",
        partials=[lambda y, x, c: where(wins(x, c), 1, 0), lambda y, x, c: where(wins(x, c), 0, 1)],
        kink=lambda x, c: x == c,
        shown=("fn", shown, 0, 1),
        rules=(Rule(f"{shown}imum with a bound",
            rf"\{shown}(u, c)' = u' \text{{ where }} u \text{{ wins}},\; 0 \text{{ elsewhere}}"),),
        enclosure=(lambda x, c: x.max(c)) if shown == "max" else (lambda x, c: x.min(c)),
        breaks=_tie_break,
        settled=lambda xs, marks: xs[0] if (marks[0] > 0) == (shown == "max") and marks[0] else xs[1],
    )  # fmt: skip


at_least = bound("at_least", "max({0}, {1})", "maximum", "Math.max({0}, {1})", gt, "max", "Max({0}, {1})")
at_most = bound("at_most", "min({0}, {1})", "minimum", "Math.min({0}, {1})", lt, "min", "Min({0}, {1})")


def _abs_ball(x: Any) -> Any:
    return abs(x) if x > 0 or x < 0 or x.is_nan() else abs(x.lower()).max(abs(x.upper())).union(type(x)(0))


abs_ = elementwise(
    "abs",
    python="abs({0})",
    numpy="np.abs({0})",
    ufunc="absolute",
    javascript="Math.abs({0})",
    sympy="Abs({0})",
    result="same",
    partials=[lambda y, x: sign(x)],
    kink=lambda x: x == 0,
    shown=("fence", "|", 0, "|"),
    rules=(Rule("absolute value", r"|u|' = \operatorname{sign}(u)\, u'"),),
    enclosure=_abs_ball,
    breaks=_at_zero("kink"),
    settled=lambda xs, marks: xs[0] if marks[0] >= 0 else -xs[0],
    calls=("absolute", "fabs", "abs"),
)
sign = elementwise(
    "sign",
    python="float(({0} > 0) - ({0} < 0))",
    ufunc="sign",
    javascript="Math.sign({0})",
    sympy="sign({0})",
    result="same",
    partials=[lambda y, x: 0],
    kink=lambda x: x == 0,
    shown=("fn", "sign", 0),
    rules=(Rule("constant between jumps", r"\operatorname{sign}(u)' = 0"),),
    enclosure=lambda x: x.sgn(),
    breaks=_at_zero("jump"),
    settled=lambda xs, marks: const(marks[0]),
    calls=("sign",),
)


def rounding(
    name: str,
    python: str,
    shown: Any,
    javascript: str,
    sympy: str | None,
    calls: tuple[str, ...],
    jump: Any,
    enclosure: Any,
    settle: Any,
    offset: Any = 0,
) -> Any:
    return elementwise(
        name,
        python=python,
        ufunc=name,
        javascript=javascript,
        sympy=sympy,
        result="same",
        partials=[lambda y, x: 0],
        kink=jump,
        shown=shown,
        rules=(Rule("constant between jumps", r"\lfloor u \rfloor' = 0"),),
        enclosure=monotone(enclosure),
        breaks=lambda x: (("whole", x + offset if offset else x, "jump"),),
        settled=lambda xs, marks: const(int(settle(marks[0]))),
        calls=calls,
    )


_whole = lambda x: x == np.floor(x)
floor = rounding(
    "floor", "float(math.floor({0}))", ("fence", "⌊", 0, "⌋"), "Math.floor({0})", "floor({0})", ("floor",), _whole,
    lambda x: x.floor(), math.floor,
)  # fmt: skip
ceil = rounding(
    "ceil", "float(math.ceil({0}))", ("fence", "⌈", 0, "⌉"), "Math.ceil({0})", "ceiling({0})", ("ceil",), _whole,
    lambda x: x.ceil(), math.ceil,
)  # fmt: skip
trunc = rounding(
    "trunc", "float(math.trunc({0}))", ("fn", "trunc", 0), "Math.trunc({0})", "sign({0})*floor(Abs({0}))",
    ("trunc", "fix"), lambda x: (x == np.trunc(x)) & (x != 0), lambda x: x.floor() if x > 0 else x.ceil(),
    math.trunc,
)  # fmt: skip


def _rint_ball(x: Any) -> Any:
    """The nearest whole number of an exact number, halves to even."""
    low = (x + 0.5).floor()
    return low - 1 if low - x == 0.5 and not (low / 2).is_integer() else low


rint = rounding(
    "rint", "float(round({0}))", ("fn", "round", 0), "rint({0})", None, ("rint", "round", "around"),
    lambda x: x - np.floor(x) == 0.5, _rint_ball, lambda mark: mark - 1 if mark % 2 == 1 else math.floor(mark), 0.5,
)  # fmt: skip
remainder = elementwise(
    "remainder",
    python="{0} % {1}",
    numpy="{0} % {1}",
    ufunc="remainder",
    javascript="remainder({0}, {1})",
    sympy="Mod({0}, {1})",
    result="same",
    partials=[lambda y, a, b: 1, lambda y, a, b: -floor(a / b)],
    kink=lambda a, b: a % b == 0,
    domain=lambda a, b: b != 0,
    domain_text="a divisor that is not 0",
    shown=("relation", "mod", 0, 1),
    rules=(Rule("remainder", r"(u \bmod c)' = u'"),),
    enclosure=lambda a, b: a - b * (a / b).floor(),
    breaks=lambda a, b: (("zero", b, "pole"), ("whole", a / b, "jump")),
    settled=lambda xs, marks: xs[0] - xs[1] * const(math.floor(marks[1])),
    calls=("remainder", "mod"),
    samples=((5.3, 2.1), (-1.2, 0.7)),
)


def activation(name: str, partial: Any, rule: str, latex: str, **fields: Any) -> Any:
    fields.setdefault("shown", ("fn", name, 0))
    return elementwise(
        name, partials=[partial], rules=(Rule(rule, latex),), calls=(name, *fields.pop("also", ())), **fields
    )


step = activation(
    "step",
    lambda y, x: 0,
    "constant between jumps",
    r"H(u)' = 0",
    python="float({0} >= 0)",
    numpy="np.heaviside({0}, 1.0)",
    javascript="({0} >= 0 ? 1 : 0)",
    sympy="Heaviside({0}, 1)",
    kink=lambda x: x == 0,
    shown=("fn", "H", 0),
    enclosure=lambda x: truth(type(x), x >= 0, x < 0),
    breaks=_at_zero("jump"),
    settled=lambda xs, marks: const(int(marks[0] >= 0)),
)
relu = activation(
    "relu",
    lambda y, x: where(gt(x, 0), 1, 0),
    "rectifier",
    r"\operatorname{relu}(u)' = u' \text{ where } u > 0,\; 0 \text{ elsewhere}",
    python="max({0}, 0.0)",
    numpy="np.maximum({0}, 0)",
    javascript="Math.max({0}, 0)",
    sympy="Max({0}, 0)",
    kink=lambda x: x == 0,
    result="same",
    enclosure=lambda x: x.max(type(x)(0)),
    breaks=_at_zero("kink"),
    settled=lambda xs, marks: xs[0] if marks[0] > 0 else const(0),
)


def activation_pair(name: str, partial: Any, rule: str, latex: str, **fields: Any) -> Any:
    """An activation with one parameter α, which is not differentiated through when it is a number."""
    return elementwise(
        name, partials=[partial, fields.pop("by_alpha")], rules=(Rule(rule, latex),), calls=(name,),
        shown=("fn", name, 0, 1), **fields,
    )  # fmt: skip


def _two_sides(x: Any, left: Any) -> Any:
    """x on the right of 0, left(x) on the left, both where x may be on either side."""
    zero = type(x)(0)
    return x if x > 0 else (left(x) if x <= 0 else x.max(zero).union(left(x.min(zero))))


leaky_relu = activation_pair(
    "leaky_relu",
    lambda y, x, a: where(gt(x, 0), 1, a),
    "leaky rectifier",
    r"\operatorname{leaky}(u)' = u' \text{ where } u > 0,\; \alpha u' \text{ elsewhere}",
    by_alpha=lambda y, x, a: where(gt(x, 0), 0, x),
    python="({0} if {0} > 0 else {1} * {0})",
    numpy="np.where({0} > 0, {0}, {1} * {0})",
    javascript="({0} > 0 ? {0} : {1} * {0})",
    sympy="Piecewise(({0}, {0} > 0), ({1}*({0}), True))",
    kink=lambda x, a: (x == 0) & (a != 1),
    enclosure=lambda x, a: _two_sides(x, lambda left: a * left),
    breaks=_at_zero("kink"),
    settled=lambda xs, marks: xs[0] if marks[0] > 0 else xs[1] * xs[0],
    samples=((0.7, 0.01), (-0.4, 0.1)),
)
elu = activation_pair(
    "elu",
    lambda y, x, a: where(gt(x, 0), 1, y + a),
    "exponential linear unit",
    r"\operatorname{elu}(u)' = u' \text{ where } u > 0,\; \alpha e^u u' \text{ elsewhere}",
    by_alpha=lambda y, x, a: where(gt(x, 0), 0, exp(minimum(x, 0)) - 1),
    python="({0} if {0} > 0 else {1} * math.expm1({0}))",
    numpy="np.where({0} > 0, {0}, {1} * np.expm1(np.minimum({0}, 0)))",
    javascript="({0} > 0 ? {0} : {1} * Math.expm1({0}))",
    sympy="Piecewise(({0}, {0} > 0), ({1}*(exp({0}) - 1), True))",
    kink=lambda x, a: (x == 0) & (a != 1),
    enclosure=lambda x, a: _two_sides(x, lambda left: a * left.expm1()),
    breaks=_at_zero("kink"),
    settled=lambda xs, marks: xs[0] if marks[0] > 0 else xs[1] * (exp(xs[0]) - 1),
    samples=((0.7, 1.0), (-0.4, 0.5)),
)


def _clip_inside(x: Any, lo: Any, hi: Any) -> Any:
    return logical_and(gt(x, lo), lt(x, hi))


clip = elementwise(
    "clip",
    python="min(max({0}, {1}), {2})",
    ufunc="clip",
    javascript="Math.min(Math.max({0}, {1}), {2})",
    sympy="Min(Max({0}, {1}), {2})",
    result="same",
    partials=[
        lambda y, x, lo, hi: where(_clip_inside(x, lo, hi), 1, 0),
        lambda y, x, lo, hi: where(lt(x, lo), 1, 0),
        lambda y, x, lo, hi: where(gt(x, hi), 1, 0),
    ],
    kink=lambda x, lo, hi: (x == lo) | (x == hi),
    shown=("fn", "clip", 0, 1, 2),
    rules=(Rule("clipping", r"\operatorname{clip}(u)' = u' \text{ inside the bounds},\; 0 \text{ outside}"),),
    enclosure=lambda x, lo, hi: x.max(lo).min(hi),
    breaks=lambda x, lo, hi: (("zero", x - lo, "kink"), ("zero", x - hi, "kink")),
    settled=lambda xs, marks: xs[2] if marks[1] >= 0 else (xs[0] if marks[0] > 0 else xs[1]),
    calls=("clip",),
    samples=((0.3, 0.0, 1.0), (1.7, 0.0, 1.0), (-1.7, 0.0, 1.0)),
)
