"""Critical points with a singular Hessian: of what kind, and alone or not.

At a point p that is known exactly (a simple fraction or its root, a multiple of π) the derivatives of low order vanish
by an identity. Let k be the least order with a derivative that is not 0, and p + ρ·d any point of a box B around p, d
on the surface of the unit cube, ρ > 0. Taylor's theorem with Lagrange's remainder gives, with derivatives taken on all
of B,

    f(p + ρd) - f(p) ∈ ρᵏ · Σ_{|α|=k} ∂^α f(B) d^α/α!        ∂ᵢf(p + ρd) ∈ ρᵏ⁻¹ · Σ_{|β|=k-1} ∂^β ∂ᵢf(B) d^β/β!

The surface is cut into patches. Where on every patch one of the second sums excludes 0, p is alone in B; where the
first is positive on all patches, p is a strict minimum; with k odd, or both signs, it is neither.

For k = 2 the Hessian is singular but not 0. If it has eigenvalues of both signs, p is a saddle. If its kernel is a
line, let y be a coordinate along which the rest H′ of the Hessian is regular. ∂f/∂x′ = 0 defines x′ = φ(y), and
g(y) = f(φ(y), y) has an isolated critical point of order m, if g⁽ᵏ⁾ is 0 up to m; f has a minimum where H′ is positive
definite, m is even and g⁽ᵐ⁾ > 0 (the splitting lemma: D. Gromoll, W. Meyer, Topology 8, 1969). The series of φ is found
coefficient by coefficient, in rational numbers at p, and in balls for all points of B at once: if H′ is regular and
g⁽ᵐ⁾ is not 0 on all of B, p is alone there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tangently.descent.fields import Field, analytic, tangents_of
from tangently.descent.intervals import Box, balls, ends, excludes, held, inflated, spectrum, total
from tangently.enclosure import ball, precision
from tangently.expr import CONST, TABLE, Expr, substitute
from tangently.simplification import simplify_all
from tangently.smoothness.isolating import simplest
from tangently.smoothness.points import number, tidy, vanishes, written

ORDERS = 6
NEITHER = "so it is neither minimum nor maximum"
PATCHES = 4000
BITS = 128
Index = tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What is known of a degenerate point: the kind in a word, the reason, and whether it is alone in the box."""

    kind: str
    detail: str
    alone: bool
    proven: bool = True  # of the kind


class Derivatives:
    """The partial derivatives of f by multi-index, each made once."""

    def __init__(self, f: Field) -> None:
        self.xs = f.xs
        self.known: dict[Index, Expr] = {(0,) * f.size: f.f}
        for i, g in enumerate(f.gradient):
            self.known[_unit(f.size, i)] = g

    def __getitem__(self, index: Index) -> Expr:
        if index not in self.known:
            i = next(k for k, count in enumerate(index) if count)
            below = self[tuple(c - (k == i) for k, c in enumerate(index))]
            [self.known[index]] = simplify_all([tangents_of(below, [self.xs[i]])[0]])
        return self.known[index]

    def at(self, point: Sequence[Expr], index: Index) -> Expr:
        """A derivative at an exact point: a constant."""
        return tidy(substitute([self[index]], dict(zip(self.xs, point)))[0])

    def on(self, box: Box, indices: Sequence[Index]) -> dict[Index, Any]:
        """Derivatives on a whole box, in balls."""
        return dict(zip(indices, balls(self.xs, [[self[i] for i in indices]])(held(box))))


def _unit(n: int, i: int) -> Index:
    return tuple(int(k == i) for k in range(n))


def indices(n: int, order: int) -> list[Index]:
    """All multi-indices of an order.

    >>> indices(2, 2)
    [(2, 0), (1, 1), (0, 2)]
    """
    if n == 1:
        return [(order,)]
    return [(k, *rest) for k in range(order, -1, -1) for rest in indices(n - 1, order - k)]


def exact_point(f: Field, box: Box) -> tuple[Expr, ...] | None:
    """A simple point of a small box at which the gradient is 0, by an identity."""
    for point in itertools.product(*[_simple(lo, hi) for lo, hi in box]):
        try:
            values = [substitute([g], dict(zip(f.xs, point)))[0] for g in f.gradient]
            if all(vanishes(v) == (True, True) for v in values):
                return point
        except ArithmeticError:
            continue
    return None


def _simple(lo: float, hi: float) -> list[Expr]:
    """The simplest fraction between two numbers, the root of the simplest one, and the simplest multiple of π."""
    found = [written(simplest(Fraction(lo), Fraction(hi)))]
    if not lo <= 0 <= hi:
        low, high = sorted(Fraction(v) ** 2 for v in (lo, hi))
        root = TABLE["sqrt"](written(simplest(low, high)))
        turns = written(simplest(*[Fraction(v / math.pi) for v in (lo, hi)]))
        found += [tidy(root if lo > 0 else -root), tidy(TABLE["mul"](turns, TABLE["pi"]()))]
    return found


def judged(f: Field, point: tuple[Expr, ...], box: Box) -> Verdict:
    """The kind of an exact critical point, and whether it is the only one of the box around it."""
    derivatives = Derivatives(f)
    with precision(BITS):
        for order in range(2, ORDERS + 1):
            at = {i: derivatives.at(point, i) for i in indices(f.size, order)}
            if all(vanishes(v) == (True, True) for v in at.values()):
                continue
            around = inflated(tuple(_around(p, side) for p, side in zip(point, box)), 0.01)
            if not analytic(f, held(around)):
                return Verdict("degenerate", "the Hessian is singular, and pieces of f meet near by", False, False)
            if order == 2:
                return _singular(f, derivatives, point, around, at)
            return _homogeneous(derivatives, {i: number(v) for i, v in at.items()}, order, around)
    return Verdict("degenerate", f"all derivatives up to order {ORDERS} are 0", False, False)


def _around(p: Expr, side: tuple[float, float]) -> tuple[float, float]:
    """An interval with p in the middle that holds the side of the box."""
    lo, hi = ends(number(p))
    reach = max(hi - side[0], side[1] - lo, 0.0)
    return lo - reach, hi + reach


# ---------------------------------------------------------------- the Hessian is 0


def _homogeneous(derivatives: Derivatives, at: dict[Index, Any], order: int, around: Box) -> Verdict:
    n = len(around)
    whole = derivatives.on(around, indices(n, order))
    slopes = [{i: whole[_plus(i, k)] for i in indices(n, order - 1)} for k in range(n)]
    alone = _everywhere(n, lambda d: any(excludes(form(s, d)) for s in slopes))
    if order % 2:
        return Verdict("degenerate", _odd(at, order, n), alone)
    for kind, test in (("minimum", lambda v: v > 0), ("maximum", lambda v: v < 0)):
        if _everywhere(n, lambda d, test=test: bool(test(form(whole, d)))):
            return Verdict(kind, f"degenerate: the Hessian is 0, and the terms of order {order} decide", alone)
    signs = {1 if v > 0 else -1 for v in (form(at, d) for d in _directions(n)) if excludes(v)}
    if len(signs) == 2:
        return Verdict(
            "degenerate",
            f"saddle: the terms of order {order} have both signs, {NEITHER}",
            alone,
        )
    return Verdict("degenerate", f"the Hessian is 0, and the terms of order {order} do not decide", alone, False)


def _plus(index: Index, k: int) -> Index:
    return tuple(c + (j == k) for j, c in enumerate(index))


def _odd(at: dict[Index, Any], order: int, n: int) -> str:
    if n == 1:
        return f"inflection: the derivative of order {order} is the first that is not 0, {NEITHER}"
    if n == 2 and order == 3 and _three_lines(at):
        return f"monkey saddle: the terms of order 3 change sign on three lines, {NEITHER}"
    return f"saddle: the Hessian is 0 and the terms of order {order} change sign, {NEITHER}"


def _three_lines(at: dict[Index, Any]) -> bool:
    """Has a cubic form three real linear factors: is its discriminant positive?"""
    a, b, c, d = (at[(3 - k, k)] * math.comb(3, k) for k in range(4))
    return bool(b * b * c * c - 4 * a * c**3 - 4 * b**3 * d + 18 * a * b * c * d - 27 * a * a * d * d > 0)


def form(coefficients: dict[Index, Any], d: Sequence[Any]) -> Any:
    """Σ c_α d^α/α!."""
    terms = []
    for index, c in coefficients.items():
        term, below = c, 1
        for v, count in zip(d, index):
            if count:
                term, below = term * _power(v, count), below * math.factorial(count)
        terms.append(term / below)
    return total(terms)


def _power(v: Any, count: int) -> Any:
    return TABLE["pow"].enclosure(v, ball(count))  # type: ignore[misc]


def _everywhere(n: int, test: Callable[[Sequence[Any]], bool]) -> bool:
    """Does a test hold on all of the surface of the unit cube, patch by patch?"""
    patches = list(_faces(n))
    for _ in range(PATCHES):
        if not patches:
            return True
        patch = patches.pop()
        if test(held(patch)):
            continue
        k = max(range(n), key=lambda k: patch[k][1] - patch[k][0])
        lo, hi = patch[k]
        if hi - lo < 1e-4:
            return False
        middle = (lo + hi) / 2
        patches += [(*patch[:k], part, *patch[k + 1 :]) for part in ((lo, middle), (middle, hi))]
    return False


def _faces(n: int) -> Iterator[Box]:
    for k, sign in itertools.product(range(n), (-1.0, 1.0)):
        yield tuple((sign, sign) if j == k else (-1.0, 1.0) for j in range(n))


def _directions(n: int) -> Iterator[list[Any]]:
    for d in itertools.product((-1.0, -0.6180339887, 0.0, 0.4142135624, 1.0), repeat=n):
        yield [ball(v) for v in d]


# ---------------------------------------------------------------- the Hessian is singular, but not 0


def _singular(
    f: Field, derivatives: Derivatives, point: tuple[Expr, ...], around: Box, at: dict[Index, Expr]
) -> Verdict:
    n = f.size
    hessian = [[number(at[_plus(_unit(n, i), j)]) for j in range(n)] for i in range(n)]
    found = spectrum(hessian) or []
    signs = {1 if v > 0 else -1 for v in found if excludes(v)}
    if len(found) == n and all(excludes(v) for v in found):
        return Verdict(*_regular(signs), alone=False)
    words = "degenerate: the Hessian is singular"
    split = _split(derivatives, point, around) if n > 1 else None
    if len(signs) == 2:
        return Verdict("saddle", f"{words} and has eigenvalues of both signs", split is not None and split[2])
    if split is None:
        return Verdict("degenerate", "the Hessian is singular, and what decides was not found", False, False)
    order, sign, alone = split
    along = f"the term of order {order} along the kernel"
    if order % 2:
        return Verdict(
            "degenerate",
            f"the Hessian is singular, and {along} changes sign, {NEITHER}",
            alone,
        )
    if sign in signs:
        return Verdict("minimum" if sign > 0 else "maximum", f"{words}, and {along} decides", alone)
    return Verdict("saddle", f"{words}, and {along} has the other sign", alone)


def _regular(signs: set[int]) -> tuple[str, str]:
    return ("saddle" if len(signs) == 2 else "minimum" if signs == {1} else "maximum"), ""


def _split(derivatives: Derivatives, point: tuple[Expr, ...], around: Box) -> tuple[int, int, bool] | None:
    """The first order of g along the kernel, the sign of its coefficient, and whether p is alone in the box."""
    n = len(point)
    every = [i for order in range(1, ORDERS + 1) for i in indices(n, order)]
    exact = {i: _fraction(derivatives.at(point, i)) for i in every}
    if any(v is None for v in exact.values()):
        return None
    for j in range(n):
        series = reduced_series(exact, n, j, ORDERS, _solve_fractions)  # type: ignore[arg-type]
        if series is None or series[2]:
            continue
        order = next((m for m in range(3, ORDERS + 1) if series[m]), None)
        if order is None:
            return None
        near = [i for i in every if sum(i) <= order]
        wide = reduced_series(derivatives.on(around, near), n, j, order, _solve_balls)
        return order, 1 if series[order] > 0 else -1, wide is not None and excludes(wide[order])
    return None


def _fraction(value: Expr) -> Fraction | None:
    from tangently.smoothness.points import rational

    if value.op is CONST:
        return rational(value.value)
    if value.op.name == "neg":
        inner = _fraction(value.args[0])
        return None if inner is None else -inner
    if value.op.name == "div":
        a, b = (_fraction(v) for v in value.args)
        return a / b if a is not None and b else None
    return None


def reduced_series(
    taylor: dict[Index, Any], n: int, j: int, order: int, solve: Callable[[list[list[Any]], list[Any]], Any]
) -> list[Any] | None:
    """The coefficients of g(t) = f(φ(t), t) up to an order, from derivatives; None where H′ is singular.

    Coordinate j is t. Coefficient m of φ solves H′·φₘ = -rₘ, rₘ that of ∂f/∂x′ along what is known of φ.
    """
    others = [i for i in range(n) if i != j]
    block = [[taylor[_plus(_unit(n, a), b)] for b in others] for a in others]
    zero = taylor[_unit(n, j)] * 0
    path = [[zero] * (order + 1) for _ in range(n)]
    path[j][1] = zero + 1
    for m in range(1, order):
        rest = [_along(_moved(taylor, a, order), path, m)[m] for a in others]
        step = solve(block, [-r for r in rest])
        if step is None:
            return None
        for a, v in zip(others, step):
            path[a][m] = v
    return _along({i: c for i, c in taylor.items() if sum(i) > 1}, path, order)


def _moved(taylor: dict[Index, Any], a: int, order: int) -> dict[Index, Any]:
    """The derivatives of ∂f/∂xₐ, of order 1 and more."""
    found = {tuple(c - (k == a) for k, c in enumerate(i)): v for i, v in taylor.items() if i[a]}
    return {i: v for i, v in found.items() if 0 < sum(i) <= order}


def _along(taylor: dict[Index, Any], path: Sequence[list[Any]], order: int) -> list[Any]:
    """The series of Σ c_α u^α/α! along u = path(t), up to an order."""
    zero = path[0][0] * 0
    sums = [zero] * (order + 1)
    for index, c in taylor.items():
        if sum(index) > order:
            continue
        term, below = [zero + 1, *[zero] * order], 1
        for u, count in zip(path, index):
            below *= math.factorial(count)
            for _ in range(count):
                term = [total([term[k] * u[m - k] for k in range(m + 1)]) for m in range(order + 1)]
        sums = [s + v * c / below for s, v in zip(sums, term)]
    return sums


def _solve_fractions(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    from flint import fmpq, fmpq_mat

    lift = lambda v: fmpq(v.numerator, v.denominator)
    try:
        found = fmpq_mat([[lift(v) for v in row] for row in rows]).solve(fmpq_mat([[lift(v)] for v in right]))
    except ZeroDivisionError:
        return None
    return [Fraction(int(found[k, 0].p), int(found[k, 0].q)) for k in range(len(rows))]


def _solve_balls(rows: list[list[Any]], right: list[Any]) -> list[Any] | None:
    from flint import arb_mat

    if not all(v.is_finite() for row in rows for v in row):
        return None
    try:
        found = arb_mat(rows).solve(arb_mat([[v] for v in right]))
    except ZeroDivisionError:
        return None
    return [found[k, 0] for k in range(len(rows))]


__all__ = ["Derivatives", "Verdict", "exact_point", "form", "indices", "judged", "reduced_series"]
