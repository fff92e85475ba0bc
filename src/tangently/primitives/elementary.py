"""Elementary functions: arithmetic, powers, exponentials and logarithms, trigonometry, hyperbolics.

Each row is one function of one or two real variables, with its partial derivatives (which may use the output y),
the set where it has no value (`domain` is true inside), the points without a derivative (`kink`), its notation,
and a ball-arithmetic enclosure (`flint.arb`). Formulas: Abramowitz & Stegun chapters 3 and 4.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from tangently.expr import CONST, INPUT, TABLE, Expr, const, evaluate, is_number, toposort
from tangently.primitives.kinds import Rule, broadcast_shapes, broadcast_to, elementwise, fold, shape_of


def _keeps(x: Expr, other: Expr) -> bool:
    """Does combining x with `other` leave x's shape as it is?"""
    return len(other.shape) <= len(x.shape) and (other.shape == () or other.shape == x.shape)


def zeros_like(*xs: Expr) -> Expr:
    return broadcast_to(const(0), broadcast_shapes(*[x.shape for x in xs]))


def is_zero(x: Expr) -> bool:
    """A number 0, alone or in every entry of an array."""
    return is_number(x, 0) or (x.op.name == "broadcast" and is_number(x.args[0], 0))


def _add(_p: Any, a: Expr, b: Expr) -> Expr | None:
    if is_zero(a) and _keeps(b, a):
        return b
    if is_zero(b) and _keeps(a, b):
        return a
    if b.op is neg:
        return sub(a, b.args[0])
    if a.op is neg:
        return sub(b, a.args[0])
    return fold(add, (a, b))


def _sub(_p: Any, a: Expr, b: Expr) -> Expr | None:
    if is_zero(b) and _keeps(a, b):
        return a
    if is_zero(a) and _keeps(b, a):
        return neg(b)
    if b.op is neg:
        return add(a, b.args[0])
    if a is b:
        return zeros_like(a)
    return fold(sub, (a, b))


def _mul(_p: Any, a: Expr, b: Expr) -> Expr | None:
    for x, other in ((a, b), (b, a)):
        if is_zero(x):
            return zeros_like(a, b)
        if is_number(x, 1) and _keeps(other, x):
            return other
        if is_number(x, -1) and _keeps(other, x):
            return neg(other)
        if x.op is neg:
            return neg(mul(x.args[0], other) if x is a else mul(other, x.args[0]))
        if x.op is div and is_number(x.args[0], 1):
            return div(other, x.args[1])
        if x.op.name == "where" and _keeps(x, other) and is_number(x.args[2], 0) and is_number(x.args[1], 1):
            return TABLE["where"](x.args[0], other, 0)
        if x.op is mul and x.args[0].op is CONST and other.op is CONST:  # 2·(3·u) → 6·u
            product = fold(mul, (x.args[0], other))
            if product is not None:
                return mul(product, x.args[1])
    if b.op is CONST and a.op is not CONST and b.shape == ():
        return mul(b, a)
    return fold(mul, (a, b))


def _div(_p: Any, a: Expr, b: Expr) -> Expr | None:
    if is_number(b, 1) and _keeps(a, b):
        return a
    if is_zero(a) and not is_zero(b):
        return zeros_like(a, b)
    if a.op is neg:
        return neg(div(a.args[0], b))
    if b.op is neg:
        return neg(div(a, b.args[0]))
    return fold(div, (a, b))


def _neg(_p: Any, a: Expr) -> Expr | None:
    if a.op is neg:
        return a.args[0]
    if a.op is sub:
        return sub(a.args[1], a.args[0])
    if a.op is mul and a.args[0].op is CONST and a.args[0].dtype in "wn":  # a constant that folds
        return mul(neg(a.args[0]), a.args[1])
    return a if is_zero(a) else fold(neg, (a,))


def _pow(_p: Any, a: Expr, b: Expr) -> Expr | None:
    if is_number(b, 1) and _keeps(a, b):
        return a
    if is_number(b, 0):
        return broadcast_to(const(1), a.shape)
    small = a.op is CONST and b.op is CONST and b.dtype == "n" and abs(b.value) < 64
    return fold(pow_, (a, b)) if small else None


def _power_source(a: str, b: str) -> str:
    """Small integer powers as products: a·a is three times as fast as a ** 2 in Python."""
    if b in ("2", "2.0") and a.isidentifier():
        return f"{a} * {a}"
    whole = b.lstrip("-").isdigit()
    return f"{a} ** {b}" if whole else f"math.pow({a}, {b})"


THIN = 30  # bits


def thin(x: Any) -> bool:
    """Is a ball so small that one evaluation holds it as well as one at each end, in half of the time?"""
    return x.rel_accuracy_bits() >= THIN


def monotone(f: Any, pieces: Any = lambda *xs: True) -> Any:
    """The enclosure of a monotone function from its values at the two ends: as tight as the ball allows.

    Of several operands it must rise with each, or fall with each. `pieces` says whether balls lie where that is so.
    """

    def enclosure(*xs: Any) -> Any:
        if all(map(thin, xs)) or not pieces(*xs):
            return f(*xs)
        return f(*[x.lower() for x in xs]).union(f(*[x.upper() for x in xs]))

    return enclosure


def between_turns(f: Any, turns: Any) -> Any:
    """The same for a function that is monotone between points: from the two ends and the points that the ball holds.

    `turns(x)` gives thin balls around the points in x; a ball that is thinner than these is left to f.
    """

    def enclosure(x: Any) -> Any:
        if thin(x):
            return f(x)
        inside = [t for t in turns(x) if t.overlaps(x)]
        if any(x.rad() < t.rad() for t in inside):
            return f(x)
        return functools.reduce(lambda a, b: a.union(b), map(f, (x.lower(), x.upper(), *inside)))

    return enclosure


def power_ball(a: Any, b: Any) -> Any:
    """aᵇ for balls, by the two ends of the base where the power is monotone in it.

    `arb` multiplies, which holds much more where a ball is wide, and leaves open a base that may be 0.
    """
    if not thin(a) and (a > 0 or (a < 0 and b.is_integer())):
        return (a.lower() ** b).union(a.upper() ** b)
    if a > 0 or a < 0 or a.is_nan() or not b > 0:
        return a**b
    top, bottom = abs(a.upper()), abs(a.lower())
    if b.is_exact() and b.is_integer():
        odd = not (b / 2).is_integer()
        return (a.upper() ** b).union(a.lower() ** b) if odd else (top.max(bottom) ** b).union(type(a)(0))
    return (top**b).union(type(a)(0)) if a >= 0 and top != 0 else (type(a)(0) if a == 0 else a**b)


def _hypot_ball(a: Any, b: Any) -> Any:
    total = a * a + b * b
    root: Any = total if total >= 0 else abs(total.upper())
    return root.sqrt() if total >= 0 else root.sqrt().union(type(a)(0))


def _cbrt_ball(x: Any) -> Any:
    """The cube root of an exact number."""
    return x.root(3) if x > 0 else (-((-x).root(3)) if x < 0 else x)


def _power_javascript(a: str, b: str) -> str:
    """Math.pow has no pitfall of precedence (-x ** 2 is an error in JavaScript); small whole powers are products."""
    if b in ("2", "2.0", "3", "3.0") and a.isidentifier():
        return " * ".join([a] * int(float(b)))
    return f"Math.pow({a}, {b[1:-1] if b.startswith('(-') and b[2:-1].isdigit() else b})"


add = elementwise(
    "add",
    python="{0} + {1}",
    numpy="{0} + {1}",
    ufunc="add",
    javascript="{0} + {1}",
    sympy="{0} + {1}",
    result="same",
    simplify=_add,
    partials=[lambda y, a, b: 1, lambda y, a, b: 1],
    shown=("sum", (0, 1), (1, 1)),
    rules=(
        Rule("sum rule", r"(u + v)' = u' + v'", (True, True)),
        Rule("a constant added", r"(u + c)' = u'", None),
    ),
    enclosure=operator.add,
    calls=("add",),
)
sub = elementwise(
    "sub",
    python="{0} - {1}",
    numpy="{0} - {1}",
    ufunc="subtract",
    javascript="{0} - {1}",
    sympy="{0} - {1}",
    result="same",
    simplify=_sub,
    partials=[lambda y, a, b: 1, lambda y, a, b: -1],
    shown=("sum", (0, 1), (1, -1)),
    rules=(
        Rule("difference rule", r"(u - v)' = u' - v'", (True, True)),
        Rule("a constant subtracted", r"(u - c)' = u'", (True, False)),
        Rule("subtracted from a constant", r"(c - u)' = -u'", (False, True)),
    ),
    enclosure=operator.sub,
    calls=("subtract",),
)
mul = elementwise(
    "mul",
    python="{0} * {1}",
    numpy="{0} * {1}",
    ufunc="multiply",
    javascript="{0} * {1}",
    sympy="{0} * {1}",
    result="same",
    simplify=_mul,
    partials=[lambda y, a, b: b, lambda y, a, b: a],
    combine=lambda y, xs, ts: add(mul(ts[0], xs[1]), mul(xs[0], ts[1])),
    shown=("product", 0, 1),
    rules=(
        Rule("product rule", r"(u v)' = u' v + u v'", (True, True)),
        Rule("constant multiple", r"(c\, u)' = c\, u'", None),
    ),
    enclosure=operator.mul,
    calls=("multiply",),
)
div = elementwise(
    "div",
    python="{0} / {1}",
    numpy="{0} / {1}",
    ufunc="divide",
    javascript="{0} / {1}",
    sympy="{0} / {1}",
    simplify=_div,
    partials=[lambda y, a, b: 1 / b, lambda y, a, b: -y / b],
    combine=lambda y, xs, ts: div(sub(mul(ts[0], xs[1]), mul(xs[0], ts[1])), pow_(xs[1], 2)),
    domain=lambda a, b: b != 0,
    everywhere=lambda a, b: b.op is CONST and b.shape == () and b.value != 0,
    domain_text="a denominator that is not 0",
    shown=("frac", 0, 1),
    rules=(
        Rule("quotient rule", r"\left(\frac{u}{v}\right)' = \frac{u' v - u v'}{v^2}", (True, True)),
        Rule("constant multiple", r"\left(\frac{u}{c}\right)' = \frac{u'}{c}", (True, False)),
        Rule("reciprocal rule", r"\left(\frac{c}{v}\right)' = -\frac{c\, v'}{v^2}", (False, True)),
    ),
    enclosure=operator.truediv,
    breaks=lambda a, b: (("zero", b, "pole"),),
    calls=("divide", "true_divide"),
)
neg = elementwise(
    "neg",
    python="-{0}",
    numpy="-{0}",
    ufunc="negative",
    javascript="-{0}",
    sympy="-({0})",
    result="same",
    simplify=_neg,
    partials=[lambda y, x: -1],
    shown=("sum", (0, -1)),
    rules=(Rule("constant multiple", r"(-u)' = -u'"),),
    enclosure=lambda x: -x,
    calls=("negative",),
)


def _power_breaks(a: Expr, b: Expr) -> tuple[tuple[str, Expr, str], ...]:
    """Where aᵇ is not analytic: nowhere for b = 0, 1, 2, …; else at a = 0 (0ᵇ at b = 0; kᵇ with k > 0 nowhere)."""
    base, power = _known(a), _known(b)
    if power is not None:
        whole = power == math.floor(power)
        return () if whole and power >= 0 else (("zero", a, "pole" if power < 0 else "edge"),)
    if base is not None:
        return (("zero", b, "jump"),) if base == 0 else ()
    return (("zero", a, "jump"),)


def _known(x: Expr) -> float | None:
    """The value of an expression without inputs, as near as a float can be."""
    if x.op is CONST:
        return float(x.value)
    return None if any(n.op is INPUT for n in toposort([x])) else float(evaluate([x], {})[0])


def _log_of_base(a: Any, b: Any) -> Any:
    """log a in ∂(aᵇ)/∂b, with 0·log 0 = 0: at x = 0, xʸ has the derivative 0 by y > 0 (at x < 0 it has none)."""
    zero = TABLE["eq"](a, 0)
    return TABLE["where"](zero, 0, log(TABLE["where"](zero, 1, a)))


def _by_base(y: Any, a: Any, b: Any) -> Any:
    """∂(aᵇ)/∂a = b·aᵇ⁻¹; where b = 0 it is 0 also at a = 0, and a constant b keeps the power rule's form."""
    if type(b) is Expr and b.op is not CONST:
        return b * pow_(a, TABLE["where"](TABLE["eq"](b, 0), 1, b - 1))
    return 0 if is_number(b, 0) else b * pow_(a, _minus_one(b))


def _minus_one(b: Any) -> Any:
    """b - 1, or 1 where b = 0: 0·a is the derivative of a⁰ everywhere, where 0·a⁻¹ has none at 0."""
    if type(b) is Expr:
        return const(_minus_one(b.value)) if b.shape and not np.all(b.value) else b - 1
    return np.where(b == 0, 1, b - 1) if shape_of(b) else (b - 1 if b != 0 else 1)


pow_ = elementwise(
    "pow",
    python=lambda p, a, b: _power_source(a, b),
    numpy="{0} ** {1}",
    ufunc="power",
    javascript=lambda p, a, b: _power_javascript(a, b),
    sympy="({0}) ** ({1})",
    result="same",
    simplify=_pow,
    scalar=lambda a, b: a**b if type(b) is int and type(a) is not int else _scalar_power(a, b),
    array=lambda a, b: np.power(a, np.float64(b) if type(b) is int and b < 0 else b),
    partials=[_by_base, lambda y, a, b: y * _log_of_base(a, b)],
    combine=lambda y, xs, ts: mul(y, add(mul(ts[1], log(xs[0])), div(mul(xs[1], ts[0]), xs[0]))),
    domain=lambda a, b: (a > 0) | ((a == 0) & (b >= 0)) | ((a < 0) & (b == np.floor(b))),
    everywhere=lambda a, b: b.op is CONST and b.shape == () and b.value >= 0 and b.value == int(b.value),
    domain_text="a positive base (or a whole exponent; not 0 to a negative power)",
    shown=("sup", 0, 1),
    rules=(
        Rule("power rule", r"(u^n)' = n\, u^{n-1}\, u'", (True, False)),
        Rule("exponential rule", r"(a^u)' = a^u \ln a\; u'", (False, True)),
        Rule("general power", r"(u^v)' = u^v \left(v' \ln u + \frac{v\, u'}{u}\right)", (True, True)),
    ),
    enclosure=power_ball,
    breaks=_power_breaks,
    calls=("power", "pow", "float_power"),
    samples=((0.5, 2.0), (1.5, -1.3), (2.0, 3.0)),
)


def _scalar_power(a: float, b: float) -> float:
    return a**b if type(a) is int and type(b) is int and b >= 0 and b < 4096 else math.pow(a, b)


square = elementwise(
    "square",
    python=lambda p, a: _power_source(a, "2"),
    numpy="np.square({0})",
    ufunc="square",
    javascript="Math.pow({0}, 2)",
    sympy="({0}) ** 2",
    result="same",
    partials=[lambda y, x: 2 * x],
    simplify=lambda p, x: pow_(x, 2),
    shown=("sup", 0, "2"),
    rules=(Rule("power rule", r"(u^2)' = 2\, u\, u'"),),
    enclosure=lambda x: power_ball(x, type(x)(2)),
    calls=("square",),
)


def function(
    name: str,
    partial: Any,
    rule: str,
    latex: str,
    *,
    ufunc: str | None = None,
    sympy: str | None = None,
    shown: Any = None,
    calls: tuple[str, ...] = (),
    python: str | None = None,
    **fields: Any,
) -> Any:
    """A row for a named real function of one variable."""
    return elementwise(
        name,
        python=python or f"math.{name}({{0}})",
        ufunc=ufunc or name,
        sympy=(sympy or name) + "({0})" if "{" not in (sympy or name) else sympy,
        partials=[partial],
        shown=shown or ("fn", name, 0),
        rules=(Rule(rule, latex),),
        calls=tuple(dict.fromkeys((name, ufunc or name, *calls))),
        **fields,
    )


positive = {
    "domain": lambda x: x > 0,
    "domain_text": "a positive number",
    "breaks": lambda x: (("zero", x, "pole"),),
}

exp = function(
    "exp",
    lambda y, x: y,
    "exponential",
    r"(e^u)' = e^u\, u'",
    shown=("sup", "e", 0),
    enclosure=lambda x: x.exp(),
    simplify=lambda p, x: const(1) if is_number(x, 0) else None,
)
exp2 = function(
    "exp2",
    lambda y, x: y * math.log(2.0),
    "exponential of base 2",
    r"(2^u)' = 2^u \ln 2\; u'",
    sympy="2**({0})",
    shown=("sup", "2", 0),
    javascript="Math.pow(2, {0})",
    enclosure=lambda x: x.exp2() if hasattr(x, "exp2") else (x * type(x)(2).log()).exp(),
)
expm1 = function(
    "expm1",
    lambda y, x: exp(x),
    "exponential",
    r"(e^u - 1)' = e^u\, u'",
    sympy="(exp({0}) - 1)",
    shown=("sum", (("sup", "e", 0), 1), ("1", -1)),
    enclosure=monotone(lambda x: x.expm1()),
)
log = function(
    "log",
    lambda y, x: 1 / x,
    "logarithm",
    r"(\ln u)' = \frac{u'}{u}",
    shown=("fn", "ln", 0),
    enclosure=lambda x: x.log(),
    simplify=lambda p, x: const(0) if is_number(x, 1) else None,
    **positive,
)
log2 = function(
    "log2",
    lambda y, x: 1 / (x * math.log(2.0)),
    "logarithm of base 2",
    r"(\log_2 u)' = \frac{u'}{u \ln 2}",
    sympy="log({0}, 2)",
    shown=("fn", ("sub", "log", "2"), 0),
    enclosure=lambda x: x.log() / type(x)(2).log(),
    **positive,
)
log10 = function(
    "log10",
    lambda y, x: 1 / (x * math.log(10.0)),
    "logarithm of base 10",
    r"(\log_{10} u)' = \frac{u'}{u \ln 10}",
    sympy="log({0}, 10)",
    shown=("fn", ("sub", "log", "10"), 0),
    enclosure=lambda x: x.log() / type(x)(10).log(),
    **positive,
)
log1p = function(
    "log1p",
    lambda y, x: 1 / (1 + x),
    "logarithm",
    r"(\ln(1 + u))' = \frac{u'}{1 + u}",
    sympy="log(1 + {0})",
    shown=("fn", "ln", ("sum", ("1", 1), (0, 1))),
    enclosure=monotone(lambda x: x.log1p()),
    domain=lambda x: x > -1,
    domain_text="a number above -1",
    breaks=lambda x: (("zero", 1 + x, "pole"),),
)
sqrt = function(
    "sqrt",
    lambda y, x: 1 / (2 * y),
    "square root",
    r"(\sqrt{u})' = \frac{u'}{2\sqrt{u}}",
    shown=("sqrt", 0),
    enclosure=lambda x: x.sqrt(),
    domain=lambda x: x >= 0,
    domain_text="a number that is not negative",
    kink=lambda x: x == 0,
    breaks=lambda x: (("zero", x, "edge"),),
    simplify=lambda p, x: fold(sqrt, (x,)) if x.op is CONST and x.dtype == "n" else None,
)
cbrt = function(
    "cbrt",
    lambda y, x: 1 / (3 * y**2),
    "cube root",
    r"(\sqrt[3]{u})' = \frac{u'}{3 \sqrt[3]{u^2}}",
    sympy="sign({0}) * Abs({0}) ** (1 / 3)",
    shown=("root", 0, "3"),
    enclosure=monotone(_cbrt_ball),
    kink=lambda x: x == 0,
    breaks=lambda x: (("zero", x, "kink"),),
)
reciprocal = function(
    "reciprocal",
    lambda y, x: -(y**2),
    "reciprocal rule",
    r"\left(\frac{1}{u}\right)' = -\frac{u'}{u^2}",
    python="1 / {0}",
    javascript="1 / {0}",
    sympy="1/({0})",
    shown=("frac", "1", 0),
    simplify=lambda p, x: div(1, x),
    enclosure=lambda x: 1 / x,
    domain=lambda x: x != 0,
    domain_text="a number that is not 0",
    breaks=lambda x: (("zero", x, "pole"),),
)

sin = function(
    "sin", lambda y, x: cos(x), "sine", r"(\sin u)' = \cos u \; u'", enclosure=lambda x: x.sin(),
    simplify=lambda p, x: x if is_number(x, 0) else None,
)  # fmt: skip
cos = function(
    "cos", lambda y, x: -sin(x), "cosine", r"(\cos u)' = -\sin u \; u'", enclosure=lambda x: x.cos(),
    simplify=lambda p, x: const(1) if is_number(x, 0) else None,
)  # fmt: skip
tan = function(
    "tan",
    lambda y, x: 1 + y**2,
    "tangent",
    r"(\tan u)' = (1 + \tan^2 u)\, u'",
    enclosure=lambda x: x.tan(),
    domain=lambda x: np.abs(np.cos(x)) > 1e-300,
    domain_text="a number that is not an odd multiple of π/2",
    breaks=lambda x: (("zero", cos(x), "pole"),),
)
unit = {
    "domain": lambda x: np.abs(x) <= 1,
    "domain_text": "a number from -1 to 1",
    "kink": lambda x: np.abs(x) == 1,
    "breaks": lambda x: (("zero", 1 - x, "edge"), ("zero", 1 + x, "edge")),
}
arcsin = function(
    "arcsin", lambda y, x: 1 / sqrt(1 - x**2), "inverse sine", r"(\arcsin u)' = \frac{u'}{\sqrt{1 - u^2}}",
    python="math.asin({0})", javascript="Math.asin({0})", sympy="asin", calls=("asin",),
    enclosure=monotone(lambda x: x.asin()), **unit,
)  # fmt: skip
arccos = function(
    "arccos", lambda y, x: -1 / sqrt(1 - x**2), "inverse cosine", r"(\arccos u)' = -\frac{u'}{\sqrt{1 - u^2}}",
    python="math.acos({0})", javascript="Math.acos({0})", sympy="acos", calls=("acos",),
    enclosure=monotone(lambda x: x.acos()), **unit,
)  # fmt: skip
arctan = function(
    "arctan", lambda y, x: 1 / (1 + x**2), "inverse tangent", r"(\arctan u)' = \frac{u'}{1 + u^2}",
    python="math.atan({0})", javascript="Math.atan({0})", sympy="atan", calls=("atan",), enclosure=lambda x: x.atan(),
)  # fmt: skip
sinh = function(
    "sinh", lambda y, x: cosh(x), "hyperbolic sine", r"(\sinh u)' = \cosh u \; u'", enclosure=lambda x: x.sinh(),
)  # fmt: skip
cosh = function(
    "cosh", lambda y, x: sinh(x), "hyperbolic cosine", r"(\cosh u)' = \sinh u \; u'", enclosure=lambda x: x.cosh(),
)  # fmt: skip
tanh = function(
    "tanh",
    lambda y, x: 1 - y**2,
    "hyperbolic tangent",
    r"(\tanh u)' = (1 - \tanh^2 u)\, u'",
    enclosure=monotone(lambda x: x.tanh()),
)
arcsinh = function(
    "arcsinh", lambda y, x: 1 / sqrt(1 + x**2), "inverse hyperbolic sine",
    r"(\operatorname{arsinh} u)' = \frac{u'}{\sqrt{1 + u^2}}",
    python="math.asinh({0})", javascript="Math.asinh({0})", sympy="asinh", calls=("asinh",),
    shown=("fn", "arsinh", 0), enclosure=monotone(lambda x: x.asinh()),
)  # fmt: skip
arccosh = function(
    "arccosh", lambda y, x: 1 / (sqrt(x - 1) * sqrt(x + 1)), "inverse hyperbolic cosine",
    r"(\operatorname{arcosh} u)' = \frac{u'}{\sqrt{u^2 - 1}}",
    python="math.acosh({0})", javascript="Math.acosh({0})", sympy="acosh", calls=("acosh",),
    shown=("fn", "arcosh", 0), enclosure=monotone(lambda x: x.acosh()),
    domain=lambda x: x >= 1, domain_text="a number from 1 up", kink=lambda x: x == 1,
    breaks=lambda x: (("zero", x - 1, "edge"),),
)  # fmt: skip
arctanh = function(
    "arctanh", lambda y, x: 1 / (1 - x**2), "inverse hyperbolic tangent",
    r"(\operatorname{artanh} u)' = \frac{u'}{1 - u^2}",
    python="math.atanh({0})", javascript="Math.atanh({0})", sympy="atanh", calls=("atanh",),
    shown=("fn", "artanh", 0), enclosure=monotone(lambda x: x.atanh()),
    domain=lambda x: np.abs(x) < 1, domain_text="a number between -1 and 1",
    breaks=lambda x: (("zero", 1 - x, "pole"), ("zero", 1 + x, "pole")),
)  # fmt: skip
arctan2 = elementwise(
    "arctan2",
    python="math.atan2({0}, {1})",
    ufunc="arctan2",
    javascript="Math.atan2({0}, {1})",
    sympy="atan2({0}, {1})",
    partials=[lambda y, a, b: b / (a**2 + b**2), lambda y, a, b: -a / (a**2 + b**2)],
    domain=lambda a, b: (a != 0) | (b != 0),
    domain_text="a direction: (0, 0) has none",
    shown=("fn", "arctan2", 0, 1),
    rules=(Rule("angle of a vector", r"\operatorname{atan2}(u, v)' = \frac{v\,u' - u\,v'}{u^2 + v^2}"),),
    enclosure=lambda a, b: type(a).atan2(a, b),
    breaks=lambda a, b: (("zero", a, "jump"), ("zero", a * a + b * b, "pole")),
    calls=("arctan2", "atan2"),
)


def _or_one(y: Any) -> Any:
    """y, or 1 where it is 0: u/‖u‖ is then 0 at u = 0 (the subgradient of least norm)."""
    return TABLE["where"](TABLE["eq"](y, 0), 1, y)


hypot = elementwise(
    "hypot",
    python="math.hypot({0}, {1})",
    ufunc="hypot",
    javascript="Math.hypot({0}, {1})",
    sympy="sqrt(({0})**2 + ({1})**2)",
    partials=[lambda y, a, b: a / _or_one(y), lambda y, a, b: b / _or_one(y)],
    kink=lambda a, b: (a == 0) & (b == 0),
    shown=("sqrt", ("sum", (("sup", 0, "2"), 1), (("sup", 1, "2"), 1))),
    rules=(Rule("length of a vector", r"\sqrt{u^2 + v^2}' = \frac{u\,u' + v\,v'}{\sqrt{u^2 + v^2}}"),),
    enclosure=_hypot_ball,
    breaks=lambda a, b: (("zero", a * a + b * b, "kink"),),
    calls=("hypot",),
)
logaddexp = elementwise(
    "logaddexp",
    python="(max({0}, {1}) + math.log1p(math.exp(-abs({0} - {1}))))",
    ufunc="logaddexp",
    javascript="(Math.max({0}, {1}) + Math.log1p(Math.exp(-Math.abs({0} - {1}))))",
    sympy="log(exp({0}) + exp({1}))",
    partials=[lambda y, a, b: TABLE["sigmoid"](a - b), lambda y, a, b: TABLE["sigmoid"](b - a)],
    shown=("fn", "ln", ("sum", (("sup", "e", 0), 1), (("sup", "e", 1), 1))),
    rules=(Rule("log of a sum of exponentials", r"\ln(e^u + e^v)' = \sigma(u - v)\,u' + \sigma(v - u)\,v'"),),
    enclosure=monotone(lambda a, b: (a.exp() + b.exp()).log()),
    calls=("logaddexp",),
)
