"""SymPy formulas to expressions and back. Two tables and two loops; no text is evaluated.

To SymPy, each row's `sympy` template is parsed once (`ast`) and its few kinds of syntax are mapped to SymPy's own
constructors, so that only the names a template uses can be reached. From SymPy, the tree is walked by class name
through `MAKERS`. Numbers stay exact both ways: integers of any length, rationals as quotients of integers, π, γ and
Catalan's constant as rows without operands, e as exp(1), the golden ratio as (1 + √5)/2. A float stays the float that
it is. Functions that are others in disguise are written by those: x! as Γ(x + 1), sec x as 1/cos x, acot x as
atan(1/x) (SymPy's convention, with its jump at 0), sinc x as the spherical Bessel function j₀, x mod 1 as x − ⌊x⌋.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tangently.differentiation import expand
from tangently.errors import InputError, UnsupportedError
from tangently.expr import CONST, INPUT, TABLE, Expr, const, is_number, symbol, toposort

if TYPE_CHECKING:
    import sympy

# ---------------------------------------------------------------- to SymPy

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def to_sympy(
    expr: Expr, names: Mapping[Expr, Any] | None = None, *, real: bool = False, digits: int = 15
) -> sympy.Expr:
    """The SymPy formula of an expression of numbers.

    `names` gives inputs a name or a SymPy symbol of your own. `real` declares the symbols real, so that SymPy can
    differentiate |x|. Floats keep their value; SymPy computes with `digits` decimal digits of it. Composites are
    written by their bodies. Raises UnsupportedError for arrays and for rows that SymPy has no word for.

    >>> import tangently.primitives
    >>> x = symbol("x")
    >>> to_sympy(TABLE["sin"](x) ** 2 / 3)
    sin(x)**2/3
    """
    order = toposort(expanded := expand([expr]))
    done: dict[Expr, Any] = _symbols([n for n in order if n.op is INPUT], names or {}, real)
    for node in order:
        if node not in done:
            done[node] = _constant(node, digits) if node.op is CONST else _applied(node, done)
    return done[expanded[0]]


def _symbols(inputs: Sequence[Expr], names: Mapping[Expr, Any], real: bool) -> dict[Expr, Any]:
    """A symbol for each input; two inputs of one name stay two."""
    import sympy

    done: dict[Expr, Any] = {}
    taken: set[str] = set()
    for node in inputs:
        wanted = names.get(node) or node.name or "x"
        if isinstance(wanted, sympy.Basic):
            done[node] = wanted
            continue
        name, k = wanted, 1
        while name in taken:
            k += 1
            name = f"{wanted}_{k}"
        taken.add(name)
        done[node] = sympy.Symbol(name, real=True) if real else sympy.Symbol(name)
    return done


def _constant(node: Expr, digits: int) -> Any:
    import sympy

    value = node.value
    if node.shape != ():
        raise _array(node)
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int):
        return sympy.Integer(value)
    value = float(value)
    if not math.isfinite(value):
        return sympy.nan if math.isnan(value) else (sympy.oo if value > 0 else -sympy.oo)
    return sympy.Float(value, digits)


def _array(node: Expr) -> UnsupportedError:
    return UnsupportedError(f"{node.op.name} is an array of shape {node.shape}; to_sympy writes formulas of numbers")


def _applied(node: Expr, done: Mapping[Expr, Any]) -> Any:
    if node.shape != ():
        raise _array(node)
    if node.op.sympy is None:
        raise UnsupportedError(f"{node.op.name} has no SymPy form in the table; SymPy has no word for it")
    return _compiled(node.op.sympy, len(node.args))([done[a] for a in node.args])


@functools.cache
def _compiled(template: str, count: int) -> Callable[[Sequence[Any]], Any]:
    """A template of the table as a function of its operands."""
    slots = [f"_{k}" for k in range(count)]
    tree = ast.parse(template.format(*slots), mode="eval").body
    return lambda operands: _value(tree, dict(zip(slots, operands)))


def _value(tree: Any, scope: Mapping[str, Any]) -> Any:
    """SymPy's value of a template's syntax: numbers, slots, pi, + - * / ** < > …, calls of SymPy functions, pairs."""
    import sympy

    value = lambda part: _value(part, scope)
    match tree:
        case ast.Constant(value=bool(truth)):
            return sympy.true if truth else sympy.false
        case ast.Constant(value=int(number)):
            return sympy.Integer(number)
        case ast.Name(id=name):
            return scope[name] if name in scope else getattr(sympy, name)
        case ast.UnaryOp(op=op, operand=x):
            return OPERATORS[type(op)](value(x))
        case ast.BinOp(left=a, op=op, right=b):
            return OPERATORS[type(op)](value(a), value(b))
        case ast.Compare(left=a, ops=[op], comparators=[b]):
            return OPERATORS[type(op)](value(a), value(b))
        case ast.Tuple(elts=parts):
            return tuple(map(value, parts))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return getattr(sympy, name)(*map(value, args))
    raise UnsupportedError(f"a template of the table has syntax that is not SymPy's here: {ast.unparse(tree)}")


# ---------------------------------------------------------------- from SymPy

Maker = Callable[[Any, list[Any]], Any]  # (SymPy node, its arguments as expressions) -> expression


def _row(name: str) -> Maker:
    return lambda node, xs: TABLE[name](*xs)


def _folded(name: str) -> Maker:
    return lambda node, xs: functools.reduce(TABLE[name], xs)


def _over(name: str) -> Maker:
    """1 over a function: sec, csc and their hyperbolic cousins."""
    return lambda node, xs: TABLE["div"](1, TABLE[name](*xs))


def _inverse(name: str) -> Maker:
    """A function of 1 over the argument: acot, asec, acsc and their hyperbolic cousins."""
    return lambda node, xs: TABLE[name](TABLE["div"](1, *xs))


def _number(node: Any, xs: list[Any]) -> Expr:
    return const(float(node))


def _golden_ratio(node: Any, xs: list[Any]) -> Expr:
    return TABLE["div"](TABLE["add"](1, TABLE["sqrt"](const(5))), 2)


def _factorial(node: Any, xs: list[Any]) -> Expr:
    return TABLE["gamma"](TABLE["add"](xs[0], 1))


def _binomial(node: Any, xs: list[Any]) -> Expr:
    """n!/(k! (n − k)!)."""
    n, k = xs
    below = TABLE["mul"](TABLE["gamma"](TABLE["add"](k, 1)), TABLE["gamma"](TABLE["add"](TABLE["sub"](n, k), 1)))
    return TABLE["div"](TABLE["gamma"](TABLE["add"](n, 1)), below)


def _beta(node: Any, xs: list[Any]) -> Expr:
    """Γ(a) Γ(b)/Γ(a + b), which has a value left of 0 too; B(a, a) is B(a) in SymPy."""
    a, b = xs if len(xs) == 2 else xs * 2
    return TABLE["div"](TABLE["mul"](TABLE["gamma"](a), TABLE["gamma"](b)), TABLE["gamma"](TABLE["add"](a, b)))


def _frac(node: Any, xs: list[Any]) -> Expr:
    return TABLE["sub"](xs[0], TABLE["floor"](xs[0]))


def _xor(node: Any, xs: list[Any]) -> Expr:
    """One of two, but not both; of several, an odd number."""
    return functools.reduce(_either, xs)


def _either(a: Any, b: Any) -> Expr:
    return TABLE["logical_and"](TABLE["logical_or"](a, b), TABLE["logical_not"](TABLE["logical_and"](a, b)))


def _if_then_else(node: Any, xs: list[Any]) -> Expr:
    """A condition that depends on a condition."""
    condition, yes, no = xs
    both = TABLE["logical_and"](condition, yes)
    return TABLE["logical_or"](both, TABLE["logical_and"](TABLE["logical_not"](condition), no))


def _only(row: str, argument: int, text: str) -> Maker:
    """A row for one value of a further argument: the principal branch of W, ζ(s) and not Hurwitz's ζ(s, a)."""

    def make(node: Any, xs: list[Any]) -> Expr:
        if len(xs) > 1 and not is_number(xs[1], argument):
            raise UnsupportedError(f"SymPy's {node.func.__name__} with {xs[1]!r} has no row in the table; {text}")
        return TABLE[row](xs[0])

    return make


def _add(node: Any, xs: list[Any]) -> Expr:
    """Terms with a minus sign are subtracted, and come after the others."""
    signs = [_negative(x) for x in xs]
    order = sorted(range(len(xs)), key=lambda k: (signs[k], xs[k].op is CONST))
    total = xs[order[0]]
    for k in order[1:]:
        total = TABLE["sub"](total, TABLE["neg"](xs[k])) if signs[k] else TABLE["add"](total, xs[k])
    return total


def _negative(x: Expr) -> bool:
    """Is the expression written with a minus sign: -3, -u, -3·u?"""
    lead = x if x.op is CONST else (x.args[0] if x.op is TABLE["mul"] else None)
    return x.op is TABLE["neg"] or (lead is not None and lead.op is CONST and lead.value < 0)


def _mul(node: Any, xs: list[Any]) -> Expr:
    """Factors of a negative power go below the fraction bar; a rational coefficient is split over it."""
    above, below = const(1), const(1)
    for factor, x in zip(node.args, xs):
        if factor.is_Rational:
            above, below = TABLE["mul"](above, int(factor.p)), TABLE["mul"](below, int(factor.q))
        elif x.op is TABLE["div"] and is_number(x.args[0], 1):
            below = TABLE["mul"](below, x.args[1])
        else:
            above = TABLE["mul"](above, x)
    return TABLE["div"](above, below)


def _pow(node: Any, xs: list[Any]) -> Expr:
    power = node.exp
    if power.is_Rational and power < 0:
        return TABLE["div"](1, _positive_power(xs[0], -power))
    return _positive_power(xs[0], power) if power.is_Rational else TABLE["pow"](*xs)


def _positive_power(x: Expr, power: Any) -> Expr:
    if power.q == 2 and power.p == 1:
        return TABLE["sqrt"](x)
    return TABLE["pow"](x, int(power.p) if power.q == 1 else TABLE["div"](const(int(power.p)), int(power.q)))


def _heaviside(node: Any, xs: list[Any]) -> Expr:
    """Heaviside(x, h): h at 0, which is 1 for the row."""
    at_zero = xs[1]
    return TABLE["step"](xs[0]) if is_number(at_zero, 1) else TABLE["where"](
        TABLE["eq"](xs[0], 0), at_zero, TABLE["step"](xs[0]))  # fmt: skip


def _piecewise(node: Any, xs: list[Any]) -> Expr:
    """Nested `where`, from the last piece up; where no piece holds there is no value."""
    result: Expr = const(math.nan)
    for value, condition in reversed(xs):
        result = value if is_number(condition, 1) else TABLE["where"](condition, value, result)
    return result


def _log(node: Any, xs: list[Any]) -> Expr:
    return TABLE["log"](xs[0]) if len(xs) == 1 else TABLE["div"](TABLE["log"](xs[0]), TABLE["log"](xs[1]))


SAME = (
    "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor", "erf", "erfc", "erfi", "erfinv", "gamma",
    "loggamma", "digamma", "polygamma", "besselj", "bessely", "besseli", "besselk", "Ei", "Si", "Ci", "li",
)  # fmt: skip
RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "atan2": "arctan2", "Abs": "abs", "ceiling": "ceil", "Mod": "remainder", "Not": "logical_not", "Equality": "eq",
    "Unequality": "ne", "StrictGreaterThan": "gt", "GreaterThan": "ge", "StrictLessThan": "lt", "LessThan": "le",
    "Pi": "pi", "EulerGamma": "euler_gamma", "Catalan": "catalan", "jn": "spherical_jn",
}  # fmt: skip
FOLDED = {"Max": "maximum", "Min": "minimum", "And": "logical_and", "Or": "logical_or"}
OVER = {"sec": "cos", "csc": "sin", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
INVERSE = {
    "acot": "arctan", "asec": "arccos", "acsc": "arcsin", "acoth": "arctanh", "asech": "arccosh", "acsch": "arcsinh",
}  # fmt: skip
NUMBERS = ("Float", "Infinity", "NegativeInfinity", "NaN")
WHOLE = ("Integer", "Zero", "One", "NegativeOne")

MAKERS: dict[str, Maker] = {
    **{name: _row(name) for name in SAME},
    **{name: _row(row) for name, row in RENAMED.items()},
    **{name: _folded(row) for name, row in FOLDED.items()},
    **{name: _over(row) for name, row in OVER.items()},
    **{name: _inverse(row) for name, row in INVERSE.items()},
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(WHOLE, lambda node, xs: const(int(node))),
    **dict.fromkeys(("Rational", "Half"), lambda node, xs: TABLE["div"](const(int(node.p)), const(int(node.q)))),
    "Exp1": lambda node, xs: TABLE["exp"](const(1)),
    "cot": lambda node, xs: TABLE["div"](TABLE["cos"](xs[0]), TABLE["sin"](xs[0])),  # 1/tan has a hole at π/2
    "GoldenRatio": _golden_ratio,
    "factorial": _factorial,
    "binomial": _binomial,
    "beta": _beta,
    "frac": _frac,
    "sinc": lambda node, xs: TABLE["spherical_jn"](0, xs[0]),
    "LambertW": _only("lambertw", 0, "the principal branch LambertW(x) has one"),
    "zeta": _only("zeta", 1, "zeta(s) with one argument has one"),
    "Xor": _xor,
    "ITE": _if_then_else,
    "BooleanTrue": lambda node, xs: const(True),
    "BooleanFalse": lambda node, xs: const(False),
    "Add": _add,
    "Mul": _mul,
    "Pow": _pow,
    "log": _log,
    "Heaviside": _heaviside,
    "Piecewise": _piecewise,
    "ExprCondPair": lambda node, xs: tuple(xs),
}


def from_sympy(formula: Any, arguments: Sequence[Any] | None = None) -> tuple[Expr, tuple[Expr, ...]]:
    """The expression of a SymPy formula, and its inputs in the order of `arguments` (left out: by name).

    Raises UnsupportedError that names the class that has no row, InputError for what is no SymPy formula; text is
    refused, since SymPy would evaluate it.

    >>> import sympy as sp, tangently.primitives
    >>> x, y = sp.symbols("x y")
    >>> from_sympy(sp.sin(x) * y / 3)
    (div(mul(y, sin(x)), 3), (x, y))
    """
    import sympy

    if isinstance(formula, (int, float)):
        return const(formula), ()
    if not isinstance(formula, sympy.Basic):
        raise InputError(f"got {type(formula).__name__}; wanted a SymPy formula; text is read by tangently's parser")
    order = _order(formula)
    found = {node for node in order if isinstance(node, sympy.Symbol)}
    wanted = sorted(found, key=lambda s: s.sort_key()) if arguments is None else list(arguments)
    missing = found - set(wanted)
    if missing:
        raise InputError(f"the formula has {', '.join(sorted(map(str, missing)))}, not among arguments; add it there")
    inputs = {s: symbol(str(s)) for s in wanted}
    done: dict[Any, Any] = dict(inputs)
    for node in order:
        if node not in done:
            done[node] = MAKERS[type(node).__name__](node, [done[a] for a in node.args])
    return done[formula], tuple(inputs[s] for s in wanted)


def _order(formula: Any) -> list[Any]:
    """Every part of a formula once, arguments first; without recursion, and in time linear in the shared formula.

    SymPy's own walks (`free_symbols`, printing) enter a shared part once for each use, which can be without end.
    """
    order: dict[Any, None] = {}
    stack = [formula]
    while stack:
        node = stack[-1]
        waiting = [a for a in node.args if a not in order] if node not in order and _known(node) else []
        if waiting:
            stack.extend(waiting)
        else:
            order[stack.pop()] = None
    return list(order)


def _known(node: Any) -> bool:
    """Is there a row for it? Asked on the way down, so that the outermost class without a row is the one named."""
    name = type(node).__name__
    if name not in MAKERS and not node.is_Symbol:
        raise UnsupportedError(f"SymPy's {name} has no row in the table; rewrite it with functions that have one")
    return True


__all__ = ["from_sympy", "to_sympy"]
