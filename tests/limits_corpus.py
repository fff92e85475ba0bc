"""The corpora of limits: reading them, spelling a row for each route, judging an answer, and confirming a truth.

A row of `tests/data/*.tsv` is an expression in SymPy's syntax in the real variable x, a point, a direction (`+` from
the right, `-` from the left, `+-` both; without meaning at ±oo) and the truth: an exact value, `oo`, `-oo`, `zoo` (the
size grows without bound, the signs differ) or `DNE`. Isolated holes of the domain are allowed. Decimals are exact.

`confirm` is independent of tangently: it evaluates SymPy's tree in ball arithmetic (python-flint) on sequences towards
the point: irregular geometric ones, super-geometric ones (for log log x), and *hostile* ones, a hair beside the
multiples of π/2 and the whole numbers, and on these, where a pole or a peak of an oscillation is met.

The spellings are made from the text of a row by a walk over its syntax tree, so that nothing is simplified before
tangently sees it; the Python spelling is written to a module and imported.

Glossary: h the distance from the point (1/|x| at infinity), e its binary exponent (h = 2^-e), y the ball of f(x).
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import itertools
import math
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sympy as sp
from flint import arb, ctx, fmpq

DATA = Path(__file__).parent / "data"
X = sp.Symbol("x", real=True)
Verdict = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True)
class Row:
    """One line of a corpus."""

    id: str
    expression: str
    point: str
    direction: str
    truth: str
    source: str

    def __str__(self) -> str:
        return f"{self.id}: {self.expression} at {self.point} ({self.direction}) = {self.truth}"


def rows(name: str) -> tuple[Row, ...]:
    """The rows of tests/data/<name>.tsv."""
    lines = (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return tuple(Row(*line.split("\t")) for line in lines)


@functools.cache
def symbolic(text: str) -> Any:
    """A text of a corpus as SymPy's tree, its decimals exact."""
    return sp.sympify(text, {"x": X}, rational=True)  # type: ignore[call-overload]


def as_sympy(row: Row) -> Any:
    return symbolic(row.expression)


def sides(row: Row) -> tuple[int, ...]:
    """-1 from below, +1 from above; one of them at infinity."""
    if row.point in ("oo", "-oo"):
        return (-1,) if row.point == "oo" else (1,)
    return {"+": (1,), "-": (-1,), "+-": (-1, 1)}[row.direction]


def direction(row: Row) -> Literal["both", "+", "-"]:
    """The word that `limit` takes."""
    return "both" if row.point in ("oo", "-oo") or row.direction == "+-" else row.direction  # type: ignore[return-value]


# ---------------------------------------------------------------- balls of SymPy's trees


NAN = arb.nan()


def ball(formula: Any, x: arb) -> arb:
    """A ball that contains the formula's value; not finite where it has none or where a case is undecided."""
    done: dict[Any, Any] = {X: x}
    for node in postorder(formula):
        if node not in done:
            done[node] = BALLS[type(node).__name__](node, [done[a] for a in node.args])
    return done[formula]


@functools.lru_cache(4096)
def postorder(formula: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(sp.postorder_traversal(formula)))


def power(node: Any, args: list[Any]) -> arb:
    b, e = args
    if node.exp.is_Integer:
        return b ** int(node.exp)
    if node.exp.is_Rational and b >= 0:
        return b.sqrt() if node.exp == sp.S.Half else b ** fmpq(int(node.exp.p), int(node.exp.q))
    if b > 0:
        return (e * b.log()).exp()
    if b == 0 and e > 0:
        return arb(0)
    whole = e.unique_fmpz() if e.is_exact() or e.is_integer() else None
    return b ** int(whole) if whole is not None else NAN


def rounded(down: Callable[[arb], arb]) -> Callable[[Any, list[Any]], arb]:
    def function(node: Any, args: list[Any]) -> arb:
        found = down(args[0])
        return found if found.is_exact() else NAN

    return function


def signed(x: arb) -> arb:
    return x.sgn() if x > 0 or x < 0 or x == 0 else NAN


def cases(node: Any, args: list[Any]) -> arb:
    for value, condition in args:
        if condition is None:
            return NAN
        if condition:
            return value
    return NAN


def compared(less: Callable[[Any, Any], bool], not_less: Callable[[Any, Any], bool]) -> Any:
    """True, False, or None where the balls do not tell."""
    return lambda node, a: True if less(*a) else False if not_less(*a) else None


def every(node: Any, args: list[Any]) -> bool | None:
    return False if False in args else None if None in args else True


def some(node: Any, args: list[Any]) -> bool | None:
    return True if True in args else None if None in args else False


def of(name: str) -> Callable[[Any, list[Any]], arb]:
    return lambda node, args: getattr(args[0], name)()


def inverted(name: str) -> Callable[[Any, list[Any]], arb]:
    return lambda node, args: getattr(1 / args[0], name)()


def applied(function: Callable[..., Any]) -> Callable[[Any, list[Any]], Any]:
    return lambda node, args: function(*args)


def polygamma(n: arb, x: arb) -> arb:
    """By the Hurwitz zeta function: ψₙ(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x)."""
    order = int(n.unique_fmpz() or 0)
    if order == 0:
        return x.digamma()
    above = x + 1  # the function is evaluated there: ψₙ(x) = ψₙ(x + 1) + (-1)ⁿ⁺¹ n!/xⁿ⁺¹
    return (-1) ** (order + 1) * arb(order).fac() * (arb(order + 1).zeta(above) + x ** -(order + 1))


def beta(a: arb, b: arb) -> arb:
    if a > 0 and b > 0:
        return (a.lgamma() + b.lgamma() - (a + b).lgamma()).exp()
    return a.gamma() * b.gamma() * (a + b).rgamma()


def bessel(kind: str) -> Callable[[Any, list[Any]], arb]:
    return lambda node, args: getattr(args[1], f"bessel_{kind}")(args[0])


PLAIN = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt", "exp")
RECIPROCAL = {"cot": "tan", "sec": "cos", "csc": "sin", "coth": "tanh", "sech": "cosh", "csch": "sinh"}
INVERSE = {"acot": "atan", "asec": "acos", "acsc": "asin", "acoth": "atanh", "asech": "acosh", "acsch": "asinh"}
SAME = (*PLAIN, *RECIPROCAL, "erf", "erfc", "erfi", "erfinv", "gamma", "digamma", "zeta", "sinc")
BALLS: dict[str, Callable[[Any, list[Any]], Any]] = {
    **{name: of(name) for name in SAME},
    "loggamma": of("lgamma"), "LambertW": of("lambertw"), "factorial": of("fac"), "li": of("li"), "Ei": of("ei"),
    "Si": of("si"), "Ci": of("ci"), "Abs": applied(abs), "Pow": power, "Piecewise": cases,
    "polygamma": applied(polygamma), "re": of("real"),
    "log": lambda node, a: a[0].log() if len(a) == 1 else a[0].log() / a[1].log(),
    "Add": lambda node, a: sum(a, arb(0)),
    "Mul": lambda node, a: math.prod(a, start=arb(1)),
    "sign": lambda node, a: signed(a[0]),
    "Heaviside": lambda node, a: (signed(a[0]) + 1) / 2,
    "floor": rounded(arb.floor), "ceiling": rounded(arb.ceil),
    "frac": lambda node, a: a[0] - rounded(arb.floor)(node, a),
    "Mod": lambda node, a: a[0] - a[1] * rounded(arb.floor)(node, [a[0] / a[1]]),
    "Max": lambda node, a: functools.reduce(arb.max, a), "Min": lambda node, a: functools.reduce(arb.min, a),
    "ExprCondPair": lambda node, a: tuple(a),
    "StrictLessThan": compared(lambda a, b: a < b, lambda a, b: a >= b),
    "LessThan": compared(lambda a, b: a <= b, lambda a, b: a > b),
    "StrictGreaterThan": compared(lambda a, b: a > b, lambda a, b: a <= b),
    "GreaterThan": compared(lambda a, b: a >= b, lambda a, b: a < b),
    "Equality": compared(lambda a, b: a == b, lambda a, b: a < b or a > b),
    "Unequality": compared(lambda a, b: a < b or a > b, lambda a, b: a == b),
    "And": every, "Or": some,
    "BooleanTrue": lambda node, a: True, "BooleanFalse": lambda node, a: False,
    "besseli": bessel("i"), "besselj": bessel("j"), "besselk": bessel("k"), "bessely": bessel("y"),
    "beta": applied(beta),
    **{name: inverted(of_) for name, of_ in INVERSE.items()},
    "Pi": lambda node, a: arb.pi(), "Exp1": lambda node, a: arb.const_e(),
    "EulerGamma": lambda node, a: arb.const_euler(),
    **dict.fromkeys(("Integer", "Zero", "One", "NegativeOne"), lambda node, a: arb(int(node))),
    **dict.fromkeys(("Rational", "Half"), lambda node, a: arb(fmpq(int(node.p), int(node.q)))),
}  # fmt: skip


# ---------------------------------------------------------------- confirming a truth


@dataclass(frozen=True)
class Sample:
    e: float  # h = 2^-e
    y: arb
    hostile: bool = False


Offset = Callable[[], arb]  # 1/h at the precision of the moment
HOSTILE = (6, 30, 100, 1000, 10**4, 10**7, 10**12, 10**30)  # five whole numbers from each on


def offsets(near: bool) -> list[tuple[float, Offset, bool]]:
    """(e, 1/h, hostile), nearest last. `near`: the point is not 0 or ±oo, so that precision must grow with e."""
    chance = random.Random(7)
    exponents = [0.4 * j + 0.4 * chance.random() for j in range(100)]
    while exponents[-1] < (3e3 if near else 2.0**38):
        exponents.append(exponents[-1] * (1.15 if near else 1.22) + chance.random())
    regular = [(e, functools.partial(grown, e, chance.random()), False) for e in exponents]
    wide = [n for m in HOSTILE for n in range(m, m + 5)]
    beside = [(n, s, pi) for n in wide for s in (-1, 0, 1) for pi in (False, True) if s or not pi]
    hostile = [(math.log2(n * (1 + 0.57 * pi)), functools.partial(hair, n, s, pi), True) for n, s, pi in beside]
    return sorted(regular + hostile, key=lambda row: row[0])


def grown(e: float, fraction: float) -> arb:
    """About 2^e, with an irrational mantissa."""
    return (1 + arb(fmpq(int(fraction * 2**30), 2**30)) / 1000 * arb(2).sqrt()) * (arb(e) * arb.const_log2()).exp()


def hair(n: int, sign: int, pi: bool) -> arb:
    """n, or 2^-4n beside n or nπ/2 (no nearer than 2^-4000)."""
    return n * (arb.pi() / 2 if pi else 1) + sign * arb(2) ** max(-4 * n, -4000 if n < 2000 else -400)


def samples(row: Row, side: int, seconds: float = 10.0) -> list[Sample]:
    """f on the sequences from one side, nearest last; what could not be made tight is left out."""
    formula, at = as_sympy(row), row.point in ("oo", "-oo")
    center = None if at else symbolic(row.point)
    end, found = time.perf_counter() + seconds, []
    for e, offset, hostile in offsets(near=center is not None and center != 0):
        y = tight(formula, center, side, offset, e, end)
        if y is not None:
            found.append(Sample(e, y, hostile))
        if time.perf_counter() > end:
            break
    return found


def tight(formula: Any, center: Any, side: int, offset: Offset, e: float, end: float) -> arb | None:
    """The ball of f where its radius is small, at growing precision."""
    base = 64 + int(2 * min(e, 4e3)) if center is not None and center != 0 else 64
    old = ctx.prec
    try:
        for bits in (base + 64, base + 700, base + 4000, base + 16000):
            ctx.prec = bits
            x = -side * offset() if center is None else ball(center, arb(0)) + side / offset()
            y = ball(formula, x)
            if y.is_finite() and (y.rad() <= abs(y.mid()) * 1e-12 or y.rad() < arb(2) ** -400):
                return y
            if time.perf_counter() > end:
                return None
    finally:
        ctx.prec = old
    return None


def squashed(y: arb) -> float:
    """y/(1 + |y|), so that a spread is finite."""
    return float(y / (1 + abs(y)))


def tail(found: Sequence[Sample], share: float = 0.3) -> list[arb]:
    regular = [s.y for s in found if not s.hostile]
    return regular[-max(6, int(share * len(regular))) :]


def hostile(found: Sequence[Sample], start: int = HOSTILE[-1]) -> list[arb]:
    """The hostile values at about 1/h = start (and up to its double)."""
    low = math.log2(start) - 0.01
    return [s.y for s in found if s.hostile and low < s.e < low + 1.2]


def around(found: Sequence[Sample], start: int = HOSTILE[-1]) -> list[arb]:
    """The regular values from about 1/h = start on."""
    return [s.y for s in found if not s.hostile and s.e > 0.75 * math.log2(start)]


def largest(values: Iterable[arb]) -> arb:
    return max(values, key=lambda y: y.mid(), default=arb(0))


def thirds(values: Sequence[Any]) -> list[Sequence[Any]]:
    n = max(1, len(values) // 3)
    return [values[-3 * n : -2 * n], values[-2 * n : -n], values[-n:]]


def confirms_value(found: Sequence[Sample], truth: arb) -> str:
    """The distance is below 1e-9 of the size at the end ("strong"), or falls ("slow"); also at the hostile points."""
    gaps = [abs(y - truth).upper() for y in tail(found, 0.5)]
    blocks = [largest(b) for b in thirds(gaps)]
    size = abs(truth).lower() if truth != 0 else arb(1)
    if any(strays(found, truth, size * 1e-9, n) for n in (100, 1000, HOSTILE[-1])):
        return ""
    if blocks[-1] < size * 1e-9:
        return "strong"
    return "slow" if blocks[0] > 1.05 * blocks[1] > 1.05 * blocks[2] and blocks[2] < 0.7 * (1 + size) else ""


def strays(found: Sequence[Sample], truth: arb, more: arb, start: int) -> bool:
    """Is a hostile value much further from the truth than the regular ones from there on?"""
    allowed = 10 * largest(abs(y - truth).upper() for y in around(found, start)) + more
    allowed = (1.1 * allowed.log()).exp() if allowed > 1 else allowed  # before they fall they may rise fast
    return any(not abs(y - truth) < allowed for y in hostile(found, start))


def confirms_infinity(found: Sequence[Sample], sign: int) -> str:
    """The values are beyond 1e9 at the end, or grow; at the hostile points they are as large as around them."""
    least = [-largest(-sign * y for y in b).upper() for b in thirds(tail(found, 0.5))]
    floor = -largest(-sign * y for y in around(found)).upper() / 10
    floor = (floor.log() / 10).exp() if floor > 1 else floor  # x^(2 + sin x): the exponents are compared
    if not least[0] > 0 or any(not sign * y > floor for y in hostile(found)):
        return ""
    if least[2] > 1e9:
        return "strong"
    return "slow" if 1.05 * least[0] < least[1] and 1.05 * least[1] < least[2] else ""


def oscillates(found: Sequence[Sample]) -> str:
    """The spread does not shrink towards the point; or the hostile points keep away from the others."""
    flat = [squashed(y) for y in tail(found, 0.6)]
    spread = [max(b) - min(b) for b in thirds(flat)]
    if min(spread) > 1e-3 and spread[2] > 0.3 * spread[0]:
        return "strong"
    middle = sorted(flat)[len(flat) // 2]
    apart = [max([abs(squashed(y) - middle) for y in hostile(found, n)], default=0.0) for n in HOSTILE]
    return "strong" if any(b > 0.02 and b > 0.8 * a > 0 for a, b in itertools.pairwise(apart[1:])) else ""


def settles(found: Sequence[Sample]) -> float | None:
    """Where the squashed values of the tail end up, if they do."""
    flat = [squashed(y) for y in tail(found, 0.25)]
    return flat[-1] if max(flat) - min(flat) < 0.02 else None


def confirm(row: Row, seconds: float = 10.0) -> str:
    """How well the truth is confirmed: "strong", "slow" (consistent, but too slow a decay for numbers), or "" (not).

    >>> confirm(Row("", "sin(x)/x", "0", "+-", "1", "")), confirm(Row("", "sin(x)/x", "0", "+-", "2", ""))
    ('strong', '')
    """
    found = [samples(row, side, seconds) for side in sides(row)]
    if any(len(f) < 12 for f in found):
        return ""
    old, ctx.prec = ctx.prec, 4000
    try:
        grades = graded(row, found)
    finally:
        ctx.prec = old
    return "" if not all(grades) else "slow" if "slow" in grades else "strong"


def graded(row: Row, found: list[list[Sample]]) -> list[str]:
    if row.truth in ("oo", "-oo"):
        return [confirms_infinity(f, 1 if row.truth == "oo" else -1) for f in found]
    if row.truth == "DNE":
        ends = [settles(f) for f in found]
        jump = len(ends) == 2 and None not in ends and abs(ends[0] - ends[1]) > 1e-2  # type: ignore[operator]
        return ["strong" if jump or any(map(oscillates, found)) else ""]
    if row.truth == "zoo":
        return [unbounded(found)]
    truth = ball(symbolic(row.truth), arb(0))
    return [confirms_value(f, truth) for f in found]


def unbounded(found: list[list[Sample]]) -> str:
    """The size grows, and both signs are met."""
    values = [y for f in found for y in tail(f)]
    sizes = [confirms_infinity([Sample(s.e, abs(s.y), s.hostile) for s in f], 1) for f in found]
    mixed = any(y > 0 for y in values) and any(y < 0 for y in values)
    return "" if not mixed or not all(sizes) else "slow" if "slow" in sizes else "strong"


# ---------------------------------------------------------------- spellings


class NoSpelling(Exception):
    """A route has no words for this row."""


@dataclass(frozen=True)
class Words:
    """How one route writes what SymPy's syntax has other words for."""

    power: str
    names: dict[str, str]  # a name alone
    calls: dict[str, str]  # a call, as a template of its operands
    pieces: Callable[[list[tuple[str, str]], str], str]  # cases and what holds elsewhere
    logic: tuple[str, str] = ("({} and {})", "({} or {})")
    many: tuple[str, ...] = ("Max", "Min")


OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def spelled(text: str, words: Words) -> str:
    """The text of a row in the words of a route, as it stands: nothing is simplified."""
    return _spell(ast.parse(text, mode="eval").body, words)


def _spell(node: Any, words: Words) -> str:
    part = functools.partial(_spell, words=words)
    match node:
        case ast.Constant(value=value) if not isinstance(value, bool):
            return repr(value)
        case ast.Name(id=name):
            return words.names.get(name, name)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return f"(-{part(a)})"
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            return f"({part(a)}{words.power}{part(b)})"
        case ast.BinOp(left=a, op=ast.BitAnd() | ast.BitOr() as op, right=b):
            return words.logic[isinstance(op, ast.BitOr)].format(part(a), part(b))
        case ast.BinOp(left=a, op=op, right=b):
            return f"({part(a)} {OPERATORS[type(op)]} {part(b)})"
        case ast.Compare(left=a, ops=[op], comparators=[b]):
            return f"({part(a)} {ORDER[type(op)]} {part(b)})"
        case ast.Call(func=ast.Name(id="Piecewise"), args=args):
            return _pieces(args, words)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, [part(a) for a in args], words)
    raise NoSpelling(ast.unparse(node))


def _pieces(args: Iterable[Any], words: Words) -> str:
    pairs = [arg.elts for arg in args]
    *cases_, (last, condition) = pairs
    if not (isinstance(condition, ast.Constant) and condition.value is True):
        raise NoSpelling("the last piece has a condition")
    return words.pieces([(_spell(v, words), _spell(c, words)) for v, c in cases_], _spell(last, words))


def _call(name: str, args: list[str], words: Words) -> str:
    if name in words.many:
        return functools.reduce(words.calls[name].format, args)
    key = name if len(args) == 1 or f"{name}{len(args)}" not in words.calls else f"{name}{len(args)}"
    if key not in words.calls:
        raise NoSpelling(name)
    return words.calls[key].format(*args)


COMMON = {
    "Eq": "({} == {})", "Ne": "({} != {})", "Rational": "({}/{})", "log2": "(log({})/log({}))", "Abs": "abs({})",
    "sinc": "(sin({0})/({0}))", "cbrt": "cbrt({})",
}  # fmt: skip

TEXT = Words(
    power="^",
    names={"E": "e", "EulerGamma": "euler_gamma"},
    calls={
        **{name: f"{name}({{}})" for name in (*PLAIN, *RECIPROCAL, *INVERSE, "log", "erf", "erfc", "erfi", "erfinv")},
        **{name: f"{name}({{}})" for name in ("gamma", "loggamma", "digamma", "zeta", "factorial")},
        **{name: f"{name}({{}})" for name in ("Ei", "Si", "Ci", "li")},
        **{name: f"{name}({{}}, {{}})" for name in ("besseli", "besselj", "besselk", "bessely", "polygamma", "beta")},
        **COMMON, "atan2": "atan2({}, {})", "sign": "sign({})", "floor": "floor({})", "ceiling": "ceil({})",
        "frac": "frac({})", "Mod": "mod({}, {})", "Heaviside": "heaviside({})", "LambertW": "lambertw({})",
        "Max": "max({}, {})", "Min": "min({}, {})",
    },
    pieces=lambda given, last: "{" + "; ".join(f"{v} if {c}" for v, c in given) + f"; {last} otherwise}}",
)  # fmt: skip

SPECIAL = {
    "digamma": "special.digamma({})", "polygamma": "special.polygamma({}, {})", "zeta": "special.zeta({})",
    "Ei": "special.expi({})", "Si": "special.sici({})[0]", "Ci": "special.sici({})[1]", "erfi": "special.erfi({})",
    "erfinv": "special.erfinv({})", "li": "special.expi(math.log({}))", "besseli": "special.iv({}, {})",
    "besselj": "special.jv({}, {})", "besselk": "special.kv({}, {})", "bessely": "special.yv({}, {})",
    "beta": "special.beta({}, {})", "LambertW": "special.lambertw({}).real",
}  # fmt: skip


def _python(functions: dict[str, str], library: str) -> dict[str, str]:
    return {
        **{name: f"{library}.{spelling}({{}})" for name, spelling in functions.items()},
        **{name: f"(1/{library}.{of_}({{}}))" for name, of_ in RECIPROCAL.items()},
        **{name: f"{library}.{functions[of_]}(1/({{}}))" for name, of_ in INVERSE.items()},
        **COMMON, **SPECIAL, "log2": f"({library}.log({{}})/{library}.log({{}}))", "cbrt": f"{library}.cbrt({{}})",
        "sinc": f"({library}.sin({{0}})/({{0}}))", "Mod": "({} % {})",
    }  # fmt: skip


def nested(rest: str, piece: tuple[str, str]) -> str:
    return f"np.where({piece[1]}, {piece[0]}, {rest})"


ROUNDING = {"floor": "floor", "ceiling": "ceil"}
NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
               "atanh": "arctanh"}  # fmt: skip
MATH = Words(
    power="**",
    names={"E": "math.e", "pi": "math.pi", "EulerGamma": "np.euler_gamma"},
    calls={
        **_python({name: name for name in (*PLAIN, "log", "erf", "erfc", "gamma")} | ROUNDING, "math"),
        "loggamma": "math.lgamma({})", "factorial": "math.gamma({} + 1)", "frac": "({0} - math.floor({0}))",
        "sign": "np.sign({})", "Heaviside": "np.heaviside({}, 0.5)", "atan2": "math.atan2({}, {})",
        "Max": "max({}, {})", "Min": "min({}, {})",
    },
    pieces=lambda given, last: "(" + " else ".join([*(f"{v} if {c}" for v, c in given), last]) + ")",
)  # fmt: skip
NUMPY = Words(
    power="**",
    names={"E": "np.e", "pi": "np.pi", "EulerGamma": "np.euler_gamma"},
    calls={
        **_python({name: NUMPY_NAMES.get(name, name) for name in (*PLAIN, "log")} | ROUNDING, "np"),
        "erf": "special.erf({})", "erfc": "special.erfc({})", "gamma": "special.gamma({})", "Abs": "np.abs({})",
        "loggamma": "special.gammaln({})", "factorial": "special.gamma({} + 1)", "frac": "({0} - np.floor({0}))",
        "sign": "np.sign({})", "Heaviside": "np.heaviside({}, 0.5)", "atan2": "np.arctan2({}, {})",
        "Max": "np.maximum({}, {})", "Min": "np.minimum({}, {})", "Mod": "np.mod({}, {})",
    },
    pieces=lambda given, last: functools.reduce(nested, given[::-1], last),
    logic=("(({}) & ({}))", "(({}) | ({}))"),
)  # fmt: skip
PYTHON = {"math": MATH, "numpy": NUMPY}


def as_text(row: Row) -> str:
    """The row in tangently's own grammar.

    >>> as_text(Row("", "Piecewise((E**x, x < 0), (Abs(x), True))", "0", "+-", "DNE", ""))
    '{(e^x) if (x < 0); abs(x) otherwise}'
    """
    return spelled(row.expression, TEXT)


def as_python(row: Row, flavor: str = "math") -> str:
    """The row as a person would write it in Python.

    >>> as_python(Row("", "Max(x, 0)*x**Rational(1,3)", "0", "+", "0", ""), "numpy")
    '(np.maximum(x, 0) * (x**(1/3)))'
    """
    return spelled(row.expression, PYTHON[flavor])


HEADER = "import math\n\nimport numpy as np\nfrom scipy import special\n"


def python_module(corpus: Sequence[Row], path: Path, flavor: str = "math") -> dict[str, Callable[[float], float]]:
    """The functions of a corpus in one module, written to `path` and imported: id → function."""
    bodies = {}
    for row in corpus:
        try:
            bodies[row.id] = as_python(row, flavor)
        except NoSpelling:
            continue
    source = HEADER + "".join(f"\n\ndef f_{key}(x):\n    return {body}\n" for key, body in bodies.items())
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # the sources of functions are read through it
    spec.loader.exec_module(module)
    return {key: getattr(module, f"f_{key}") for key in bodies}


def python_spelling(row: Row, folder: Path, flavor: str = "math") -> Callable[[float], float] | None:
    """A plain Python function of one row, or None where it has no spelling."""
    return python_module([row], folder / f"limits_{row.id}_{flavor}.py", flavor).get(row.id)


def point_as_text(row: Row) -> str:
    """The point in tangently's grammar: exact where it is π/2 or ∛2."""
    return {"oo": "inf", "-oo": "-inf"}.get(row.point) or spelled(row.point, TEXT)


def point_as_number(row: Row) -> float:
    return {"oo": math.inf, "-oo": -math.inf}.get(row.point) or float(symbolic(row.point))


# ---------------------------------------------------------------- judging an answer


def judge(row: Row, limit: Any, digits: int = 50) -> Verdict:
    """Right, wrong or undecided, to so many digits. An estimate that is right only within a wide error is undecided."""
    if limit.exists is None or limit.how == "undecided":
        return "undecided"
    if row.truth in ("DNE", "zoo"):
        return "right" if limit.exists is False and (row.truth == "DNE" or grows(limit)) else "wrong"
    if limit.exists is False:
        return "wrong"
    if row.truth in ("oo", "-oo"):
        return "right" if limit.value == (math.inf if row.truth == "oo" else -math.inf) else "wrong"
    return judge_value(symbolic(row.truth), limit, digits)


def grows(limit: Any) -> bool:
    """Nothing in the answer speaks against |f| → ∞: no side has a finite value."""
    return all(v is None or math.isinf(v) for v in (limit.left, limit.right))


def judge_value(truth: Any, limit: Any, digits: int) -> Verdict:
    if limit.value is None or (abs(truth) > sys.float_info.max) != math.isinf(limit.value):
        return "wrong"
    if math.isinf(limit.value):  # too large for a float: the exact answer has to be there
        return "right" if limit.exact is not None and same(limit.exact, truth, digits) else "wrong"
    near = close(sp.Float(limit.value, 60), truth, 1e-9 if limit.how != "estimated" else 1e-6)
    if limit.how == "estimated" and not near:
        within = abs(sp.Float(limit.value, 60) - truth) <= limit.error
        return "undecided" if within else "wrong"
    if not near:
        return "wrong"
    return "right" if limit.exact is None or same(limit.exact, truth, digits) else "wrong"


def close(got: Any, truth: Any, share: float) -> bool:
    return bool(abs(got - truth.evalf(60)) <= share * abs(truth.evalf(60)) + (share * 1e-3 if truth == 0 else 0))


def same(exact: Any, truth: Any, digits: int) -> bool:
    """Equal as SymPy sees it, or to so many digits."""
    from tangently.adopting.sympy import to_sympy

    got = to_sympy(exact)
    if got == truth:
        return True
    return close(got.evalf(60), truth, 10.0**-digits) or bool(truth == 0 and sp.simplify(got) == 0)


# ---------------------------------------------------------------- asking tangently


@dataclass(frozen=True)
class Result:
    """What became of one row by one route; `verdict` may also be "error", with the message in `shown`."""

    row: Row
    verdict: str
    seconds: float
    shown: str


Ask = Callable[[Row], Any]  # a row to a Limit
ROUTES = ("sympy", "text", "math", "numpy")


def asking(route: str, corpus: Sequence[Row], folder: Path) -> tuple[list[Row], Ask]:
    """The rows that a route has words for, and how it asks for one."""
    from tangently.limits import limit

    if route == "sympy":
        return list(corpus), lambda row: limit(as_sympy(row), symbolic(row.point), direction(row))
    if route == "text":
        return list(corpus), lambda row: limit(as_text(row), point_as_text(row), direction(row))
    corpus = [row for row in corpus if floats_can_say(row)]
    functions = python_module(corpus, folder / f"limits_in_{route}_{id(corpus)}.py", route)
    ask = lambda row: limit(functions[row.id], point_for_python(row), direction(row))
    return [row for row in corpus if row.id in functions], ask


def floats_can_say(row: Row) -> bool:
    """Python rounds √2·√3 - √6 and 1 - 10⁻²⁵ before anyone sees them: such a row is another function there."""
    return row.source != "adversarial:constants"


def point_for_python(row: Row) -> Any:
    """A float where it is exactly the point, or else the text: π/2 is no float."""
    value = point_as_number(row)
    return value if math.isinf(value) or sp.Rational(value) == symbolic(row.point) else point_as_text(row)


def result(row: Row, ask: Ask, digits: int = 50) -> Result:
    start = time.perf_counter()
    try:
        found = ask(row)
    except Exception as error:
        return Result(row, "error", time.perf_counter() - start, f"{type(error).__name__}: {error}".splitlines()[0])
    seconds = time.perf_counter() - start
    return Result(row, judge(row, found, digits), seconds, f"{found.answer} [{found.how}]")


def results(route: str, corpus: Sequence[Row], folder: Path) -> list[Result]:
    """Every row by one route, after a few warming calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        spoken, ask = asking(route, corpus, folder)
    for row in spoken[:3]:
        result(row, ask)
    digits = 50 if route in ("sympy", "text") else 14  # Python's constants are floats
    return [result(row, ask, digits) for row in spoken]


# ---------------------------------------------------------------- SymPy's own answers, in a worker


Answer = tuple[str, float]  # right, wrong, silent; and seconds


def sympy_verdict(row: Row) -> str:
    """What SymPy's `limit` says of a row: "right", "wrong" or "silent"."""
    try:
        found = sp.limit(as_sympy(row), X, symbolic(row.point), "-" if row.point == "oo" else row.direction)
    except ValueError as error:
        found = sp.nan if "does not exist" in str(error) else None
    except Exception:
        found = None
    return verdict_on(row, found)


def verdict_on(row: Row, found: Any) -> str:
    if found is None or found.has(sp.Limit) or found.has(X):
        return "silent"
    none = found in (sp.nan, sp.zoo) or found.has(sp.AccumBounds)
    if row.truth in ("DNE", "zoo"):
        return "right" if none else "wrong"
    truth = symbolic(row.truth)
    if none or not truth.is_finite or not found.is_finite:
        return "right" if found == truth else "wrong"
    return (
        "right"
        if found == truth or close(found.evalf(60), truth, 1e-40) or sp.simplify(found - truth) == 0
        else "wrong"
    )


def _serve(pipe: Any) -> None:
    """Answers rows until it is told to end; within 2 GB where the platform can say so."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    except ImportError:  # not on this platform: the limit on time remains
        pass
    while (row := pipe.recv()) is not None:
        start = time.perf_counter()
        pipe.send((sympy_verdict(row), time.perf_counter() - start))


def sympy_answers(corpus: Iterable[Row], seconds: float = 10.0) -> dict[str, Answer]:
    """SymPy on a corpus, in a worker that is replaced where it takes longer."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    found: dict[str, Answer] = {}
    worker = ours = None
    for row in corpus:
        if worker is None or ours is None:
            ours, theirs = context.Pipe()
            worker = context.Process(target=_serve, args=(theirs,), daemon=True)
            worker.start()
        ours.send(row)
        if ours.poll(seconds + (5 if not found else 0)):
            found[row.id] = ours.recv()
        else:
            worker.kill()
            worker.join()
            worker, found[row.id] = None, ("silent", seconds)
    if worker is not None and ours is not None:
        ours.send(None)
        worker.join()
    return found
