"""Zeros in closed form: where is u(x) = 0, exactly, for the u that occur in textbooks and in networks?

u is read as a polynomial in one *atom*: x itself, or one function of x (sin 3x, eˣ, 1/x). A polynomial with rational
coefficients is factored over the rationals (`flint.fmpz_poly`); linear, quadratic and binomial factors have their
roots written out, the real roots of others are isolated by balls. For each root r the equation atom = r is inverted
(sin v = r gives v = arcsin r + 2kπ and v = π - arcsin r + 2kπ for every k that the interval leaves), and the search
goes on with v - w. A product is 0 where a factor is, a quotient where its numerator is.

The list is complete: every step is an equivalence, or keeps more points than there are. What has no such form raises
`NoForm`, and `isolating` takes over.

Glossary: u an expression, x the input, atom what u is a polynomial in, coefficients by power (Fraction, or Expr).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tangently.expr import CONST, TABLE, Expr, const, depends, is_number, toposort
from tangently.smoothness.points import (
    Point,
    Program,
    number,
    point_of,
    rational,
    rooted,
    tidy,
    vanishes,
    varies,
    written,
)  # fmt: skip

Coefficient = Fraction | Expr
Form = tuple[Expr | None, list[Any]]  # the atom (None: a constant), coefficients from the constant one up
DEGREE = 40
MANY = 1000  # solutions of one equation on one interval


class NoForm(Exception):
    """There is no closed form that this module knows."""


class Everywhere(Exception):
    """The expression is 0 everywhere."""


@dataclass
class Scope:
    """Where is looked for zeros, and at which ends (-1, 1) infinitely many of them crowd."""

    x: Expr
    lo: Point
    hi: Point
    wild: set[int] = field(default_factory=set)

    @property
    def margin(self) -> Any:
        """How much is left out at an end where infinitely many crowd."""
        return (self.hi.ball - self.lo.ball).mid() / 32

    def range_of(self, u: Expr) -> Any:
        """A ball that holds the values of u on the interval; where u has no bound at an end, on what is left of it."""
        if not (self.lo.finite and self.hi.finite):
            raise NoForm
        run, width = Program(u, self.x), self.margin
        a, b = self.lo.ball, self.hi.ball
        found = run(a.union(b))
        if found.is_finite():
            return found
        ends = [side for side, part in ((-1, a.union(a + width)), (1, (b - width).union(b))) if not _finite(run, part)]
        found = run((a + width if -1 in ends else a).union(b - width if 1 in ends else b))
        if not ends or not found.is_finite():
            raise NoForm
        self.wild.update(ends)
        return found


def _finite(run: Program, held: Any) -> bool:
    return run(held).is_finite()


def solve(u: Expr, s: Scope) -> list[Point]:
    """Every point of the interval where u is 0 (in no order, perhaps twice). Raises NoForm, or Everywhere."""
    found = [p for p in _zeros(u, s) if p.ball.is_finite() and not _outside(p, s)]
    return uncrowded(found, s)


def uncrowded(points: Iterable[Point], s: Scope) -> list[Point]:
    """Those outside the margins in which infinitely many crowd: there a list would have gaps."""
    width = s.margin if s.wild else None
    lost = lambda p: (-1 in s.wild and p.ball < s.lo.ball + width) or (1 in s.wild and p.ball > s.hi.ball - width)
    return [p for p in points if not lost(p)]


def _outside(p: Point, s: Scope) -> bool:
    left = s.lo.finite and p.ball < s.lo.ball
    return bool(left or (s.hi.finite and p.ball > s.hi.ball))


def _zeros(u: Expr, s: Scope) -> list[Point]:
    op = u.op.name
    if op == "mul":
        return _zeros(u.args[0], s) + _zeros(u.args[1], s)
    if op in ("div", "neg", "square", "abs", "sqrt", "cbrt"):
        return _zeros(u.args[0], s)
    if op == "pow" and u.args[1].op is CONST and u.args[1].value > 0:
        return _zeros(u.args[0], s)
    atom, coefficients = _form(u, s.x)
    if atom is None:
        if vanishes(_expr(coefficients[0]))[0]:
            raise Everywhere
        return []
    roots = _roots(_trimmed(coefficients))
    if atom is s.x:
        return [_as_point(r) for r in roots]
    if any(isinstance(r, Point) for r in roots):
        raise NoForm
    return [p for r in roots for p in _inverted(atom, r, s)]


def _as_point(root: Any) -> Point:
    return root if isinstance(root, Point) else point_of(root)


# ---------------------------------------------------------------- polynomials in an atom


def _form(u: Expr, x: Expr) -> Form:
    """u as a polynomial in an atom; the atom is u itself where nothing better is found."""
    order = toposort([u])
    moving = depends(order, [x])
    forms: dict[Expr, Form] = {}
    for node in order:
        if node not in moving:
            forms[node] = (None, [_coefficient(node)])
        elif node is x:
            forms[node] = (x, [Fraction(0), Fraction(1)])
        else:
            forms[node] = _combined(node, [forms[a] for a in node.args]) or (node, [Fraction(0), Fraction(1)])
    atom, _ = forms[u]
    if atom is u and u is not x and not _invertible(u):
        raise NoForm
    return forms[u]


def _coefficient(node: Expr) -> Coefficient:
    if node.op is CONST:
        found = rational(node.value)
        return node if found is None else found
    if node.op.name == "div" and all(a.op is CONST for a in node.args):
        top, bottom = (rational(a.value) for a in node.args)
        return top / bottom if top is not None and bottom else node
    return node


def _combined(node: Expr, forms: Sequence[Form]) -> Form | None:
    rule = RULES.get(node.op.name)
    atoms = list(dict.fromkeys(atom for atom, _ in forms if atom is not None))
    if rule is None or len(atoms) != 1:
        return None
    found = rule(node, *[list(c) for _, c in forms])
    return None if found is None or len(found) > DEGREE else (atoms[0], found)


def _sum(a: list[Any], b: list[Any], sign: int = 1) -> list[Any]:
    size = max(len(a), len(b))
    a, b = ([*c, *[Fraction(0)] * (size - len(c))] for c in (a, b))
    return [_plus(p, _times(Fraction(sign), q)) for p, q in zip(a, b)]


def _product(a: list[Any], b: list[Any]) -> list[Any]:
    if len(a) + len(b) > DEGREE:
        return [Fraction(0)] * (DEGREE + 1)
    total: list[Any] = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            total[i + j] = _plus(total[i + j], _times(p, q))
    return total


def _quotient(a: list[Any], b: list[Any]) -> list[Any] | None:
    """A polynomial over a constant."""
    if len(b) > 1 or is_zero(b[0]):
        return None
    over = 1 / b[0] if isinstance(b[0], Fraction) else TABLE["div"](1, b[0])
    return _product(a, [over])


def _power(node: Expr, a: list[Any], b: list[Any]) -> list[Any] | None:
    n = b[0] if len(b) == 1 else None
    if not isinstance(n, Fraction) or n.denominator != 1 or not 0 <= n < DEGREE or len(a) == 1:
        return None
    total: list[Any] = [Fraction(1)]
    for _ in range(int(n)):
        total = _product(total, a)
    return total


RULES: dict[str, Callable[..., list[Any] | None]] = {
    "add": lambda node, a, b: _sum(a, b),
    "sub": lambda node, a, b: _sum(a, b, -1),
    "neg": lambda node, a: _product(a, [Fraction(-1)]),
    "mul": lambda node, a, b: _product(a, b),
    "div": lambda node, a, b: _quotient(a, b),
    "square": lambda node, a: _product(a, a),
    "pow": _power,
}


def _expr(c: Coefficient) -> Expr:
    return written(c) if isinstance(c, Fraction) else c


def _plus(a: Coefficient, b: Coefficient) -> Coefficient:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a + b
    return TABLE["add"](_expr(a), _expr(b))


def _times(a: Coefficient, b: Coefficient) -> Coefficient:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    if a == 0 or b == 0:
        return Fraction(0)
    return TABLE["mul"](_expr(a), _expr(b))


def is_zero(c: Coefficient) -> bool:
    return c == 0 if isinstance(c, Fraction) else vanishes(c)[0]


def _trimmed(coefficients: list[Any]) -> list[Any]:
    found = list(coefficients)
    while found and is_zero(found[-1]):
        found.pop()
    return found


# ---------------------------------------------------------------- roots


def _roots(c: list[Any]) -> list[Any]:
    """The real roots of a polynomial: expressions, or points known by a ball."""
    if not c:
        raise Everywhere
    if len(c) == 1:
        return []
    if len(c) == 2:
        return [_divided(_negative(c[0]), c[1])]
    if all(isinstance(q, Fraction) for q in c):
        return [r for factor in _factors(c) for r in _factor_roots(factor)]
    if len(c) == 3:
        return _quadratic(*c)
    raise NoForm


def _negative(c: Coefficient) -> Coefficient:
    return -c if isinstance(c, Fraction) else TABLE["neg"](c)


def _divided(a: Coefficient, b: Coefficient) -> Expr:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return written(a / b)
    return tidy(TABLE["div"](_expr(a), _expr(b)))


def _factors(c: Sequence[Fraction]) -> list[Any]:
    """The irreducible factors over the rationals."""
    from flint import fmpq, fmpq_poly

    _, found = fmpq_poly([fmpq(q.numerator, q.denominator) for q in c]).numer().factor()
    return [factor for factor, _ in found]


def _factor_roots(p: Any) -> list[Any]:
    c = [Fraction(int(k)) for k in p.coeffs()]
    if len(c) == 1:
        return []
    if len(c) == 2:
        return [written(-c[0] / c[1])]
    if len(c) == 3:
        return _quadratic(*c)
    if not any(c[1:-1]):
        return _binomial(len(c) - 1, -c[0] / c[-1])
    return [rooted(z.real) for z, _ in p.complex_roots() if z.imag == 0]


def _quadratic(c: Coefficient, b: Coefficient, a: Coefficient) -> list[Expr]:
    """(-b ± √(b² - 4ac))/2a."""
    if isinstance(a, Fraction) and isinstance(b, Fraction) and isinstance(c, Fraction):
        b, c, a = b / a, c / a, Fraction(1)
    inside = _plus(_times(b, b), _times(Fraction(-4), _times(a, c)))
    size = number(_expr(inside))
    if is_zero(inside):
        return [_divided(_negative(b), _times(Fraction(2), a))]
    if not size > 0:
        return []
    root, below = _root_of(inside), _times(Fraction(2), a)
    if isinstance(below, Fraction):
        centre, root = _times(_negative(b), 1 / below), _scaled(root, 1 / below)
        return [tidy(_expr(_plus(centre, _times(Fraction(s), root)))) for s in (-1, 1)]
    return [tidy(TABLE["div"](_expr(_plus(_negative(b), _times(Fraction(s), root))), _expr(below))) for s in (-1, 1)]


def _root_of(c: Coefficient) -> Coefficient:
    """√c, with squares taken out: √(8/9) is (2/3)√2."""
    if not isinstance(c, Fraction):
        return TABLE["sqrt"](c)
    square, rest = _square_part(c.numerator * c.denominator)
    return _scaled(Fraction(1) if rest == 1 else TABLE["sqrt"](const(rest)), Fraction(square, c.denominator))


def _scaled(root: Coefficient, by: Fraction) -> Coefficient:
    """A rational multiple of a root, written as a fraction: √2/2."""
    if isinstance(root, Fraction):
        return root * by
    top = root if by.numerator == 1 else TABLE["mul"](const(by.numerator), root)
    return top if by.denominator == 1 else TABLE["div"](top, const(by.denominator))


def _square_part(n: int) -> tuple[int, int]:
    """n = s²·r with r free of small squares.

    >>> _square_part(72)
    (6, 2)
    """
    s, k = 1, 2
    while k * k <= n and k < 1000:
        while n % (k * k) == 0:
            n, s = n // (k * k), s * k
        k += 1
    whole = math.isqrt(n)
    return (s * whole, 1) if whole * whole == n else (s, n)


def _binomial(n: int, value: Fraction) -> list[Expr]:
    """xⁿ = value."""
    if value < 0 and n % 2 == 0:
        return []
    root = TABLE["pow"](written(abs(value)), written(Fraction(1, n)))
    if n % 2:
        return [root if value > 0 else TABLE["neg"](root)]
    return [TABLE["neg"](root), root]


# ---------------------------------------------------------------- inversion


def _invertible(atom: Expr) -> bool:
    return atom.op.name in INVERSES or atom.op.name in ("div", "reciprocal", "pow")


def _inverted(atom: Expr, r: Expr, s: Scope) -> list[Point]:
    """Where atom = r."""
    op = atom.op.name
    if not number(r).is_finite():
        return []  # a constant without a value
    if op in ("div", "reciprocal"):
        top, bottom = atom.args if op == "div" else (const(1), atom.args[0])
        return _zeros(TABLE["sub"](top, _by(r, bottom)), s)
    if op == "pow":
        return [p for u, w in _power_inverse(atom, r) for p in _zeros(TABLE["sub"](u, w), s)]
    inverse = INVERSES.get(op)
    if inverse is None:
        raise NoForm
    u = atom.args[0]
    return [p for w in inverse(r, number(r), u, s) for p in _zeros(TABLE["sub"](u, w), s)]


def _by(r: Expr, u: Expr) -> Expr:
    return const(0) if vanishes(r)[0] else TABLE["mul"](r, u)


def _power_inverse(atom: Expr, r: Expr) -> Iterator[tuple[Expr, Expr]]:
    """uᵖ = r by u = r^(1/p); aᵘ = r by u = ln r / ln a."""
    base, power = atom.args
    held = number(r)
    if not varies(base):
        if number(base) > 0 and held > 0:
            yield power, tidy(TABLE["div"](TABLE["log"](r), TABLE["log"](base)))
            return
        if number(base) > 0 and not held > 0:
            return
        raise NoForm
    p = _coefficient(power)
    if not isinstance(p, Fraction):
        raise NoForm
    if vanishes(r)[0]:
        if p > 0:
            yield base, const(0)
        return
    if held > 0:
        root = TABLE["pow"](r, written(1 / p))
        yield base, root
        if p.denominator == 1 and p.numerator % 2 == 0:
            yield base, TABLE["neg"](root)
    elif p.denominator == 1 and p.numerator % 2:
        yield base, TABLE["neg"](TABLE["pow"](tidy(TABLE["neg"](r)), written(1 / p)))


def pi() -> Expr:
    from tangently.primitives.constants import PI

    return PI


def _steps(u: Expr, s: Scope, base: Expr, period: Expr) -> list[Expr]:
    """base + k·period for every k that u can reach on the interval."""
    reach, b, p = s.range_of(u), number(base), number(period)
    first, last = ((reach.lower() - b) / p).floor(), ((reach.upper() - b) / p).ceil()
    low, high = int(float(first.lower())), int(float(last.upper()))
    if high - low > MANY:
        raise NoForm
    return [tidy(TABLE["add"](base, TABLE["mul"](const(k), period))) for k in range(low, high + 1)]


def _sine(r: Expr, held: Any, u: Expr, s: Scope) -> list[Expr]:
    if vanishes(r)[0]:
        return _steps(u, s, const(0), pi())
    if held > 1 or held < -1:
        return []
    turn = TABLE["mul"](2, pi())
    if is_number(r, 1) or is_number(r, -1):
        return _steps(u, s, TABLE["mul"](r, TABLE["div"](pi(), 2)), turn)
    angle = _special_angle(r) or TABLE["arcsin"](r)
    return _steps(u, s, angle, turn) + _steps(u, s, TABLE["sub"](pi(), angle), turn)


def _special_angle(r: Expr) -> Expr | None:
    """arcsin(±½) = ±π/6."""
    c = _coefficient(r)
    sign = {Fraction(1, 2): 6, Fraction(-1, 2): -6}.get(c) if isinstance(c, Fraction) else None
    return None if sign is None else TABLE["div"](pi(), const(sign))


def _cosine(r: Expr, held: Any, u: Expr, s: Scope) -> list[Expr]:
    half = TABLE["div"](pi(), 2)
    return [tidy(TABLE["sub"](half, w)) for w in _sine(r, held, TABLE["sub"](half, u), s)]


def _tangent(r: Expr, held: Any, u: Expr, s: Scope) -> list[Expr]:
    return _steps(u, s, const(0) if vanishes(r)[0] else TABLE["arctan"](r), pi())


def _where(test: Callable[[Any], bool], *rows: Callable[[Expr], Expr]) -> Callable[..., list[Expr]]:
    """The values that invert a row where its range holds r."""
    return lambda r, held, u, s: [tidy(row(r)) for row in rows] if test(held) else []


def _two(row: Callable[[Expr], Expr]) -> tuple[Callable[[Expr], Expr], Callable[[Expr], Expr]]:
    return row, lambda r: TABLE["neg"](row(r))


def _at_zero(r: Expr, held: Any, u: Expr, s: Scope) -> list[Expr]:
    """An odd increasing function is 0 at 0 alone."""
    if vanishes(r)[0]:
        return [const(0)]
    raise NoForm


def _row(name: str) -> Callable[[Expr], Expr]:
    return lambda r: TABLE[name](r)


_positive, _any = (lambda b: not b <= 0), (lambda b: True)
INVERSES: dict[str, Callable[..., list[Expr]]] = {
    "exp": _where(_positive, _row("log")),
    "exp2": _where(_positive, _row("log2")),
    "expm1": _where(lambda b: not b <= -1, _row("log1p")),
    "log": _where(_any, _row("exp")),
    "log2": _where(_any, _row("exp2")),
    "log10": _where(_any, lambda r: TABLE["pow"](const(10), r)),
    "log1p": _where(_any, _row("expm1")),
    "sqrt": _where(lambda b: not b < 0, lambda r: TABLE["pow"](r, 2)),
    "cbrt": _where(_any, lambda r: TABLE["pow"](r, 3)),
    "abs": _where(lambda b: not b < 0, *_two(lambda r: r)),
    "sin": _sine,
    "cos": _cosine,
    "tan": _tangent,
    "arcsin": _where(lambda b: abs(b) < 1.58, _row("sin")),
    "arccos": _where(lambda b: not (b < 0 or b > 3.15), _row("cos")),
    "arctan": _where(lambda b: abs(b) < 1.58 and not abs(b) >= type(b).pi() / 2, _row("tan")),
    "sinh": _where(_any, _row("arcsinh")),
    "cosh": _where(lambda b: not b < 1, *_two(_row("arccosh"))),
    "tanh": _where(lambda b: abs(b) < 1, _row("arctanh")),
    "arcsinh": _where(_any, _row("sinh")),
    "arccosh": _where(lambda b: not b < 0, _row("cosh")),
    "arctanh": _where(_any, _row("tanh")),
    "sigmoid": _where(lambda b: b > 0 and b < 1, lambda r: TABLE["log"](r / (1 - r))),
    "softplus": _where(_positive, lambda r: TABLE["log"](TABLE["expm1"](r))),
    "erf": _at_zero,
    "erfi": _at_zero,
    "Si": _at_zero,
}

__all__ = ["MANY", "Everywhere", "NoForm", "Scope", "pi", "solve", "uncrowded"]
