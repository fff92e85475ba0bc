"""What was proven, in words: the charts of a blow-up, and the polar bound |f| ≤ C·rᵏ of the textbooks.

For a fraction N/D of homogeneous polynomials of degrees n > m, x = r cos θ, y = r sin θ give |f| = r^(n-m)·|N/D|(θ).
The constant C is proven exactly: with u = y/x it means that C²·D²·(1 + u²)^(n-m) - N² is nowhere negative, and a
polynomial is that if its leading coefficient is positive and each factor of odd multiplicity has no real zero.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from flint import fmpq

from tangently.asymptotics import constants as K
from tangently.expr import TABLE, Expr, symbol
from tangently.limits.approaches import PARAMETER, ZERO, Place, different, is_rational, number_text, of_gens
from tangently.printing import to_text

SHOWN = 3  # charts that a reason names


def chart_reasons(place: Place, leaves: Sequence[Any], limit: Any) -> tuple[str, ...]:
    """The charts in words, the simplest first."""
    t = symbol(PARAMETER)
    seen: dict[str, str] = {}
    for leaf in sorted(leaves, key=lambda leaf: leaf.chart.depth):
        key = _shape(leaf)
        if key not in seen:
            seen[key] = _chart_told(place, leaf, t, limit)
    told = list(seen.values())
    more = "" if len(told) <= SHOWN else f" (and likewise in {len(told) - SHOWN} more sectors)"
    goal = f"f → {number_text(limit)} uniformly in every direction{more}: that is the limit along all paths"
    return (*told[:SHOWN], goal)


def _shape(leaf: Any) -> str:
    """Charts that differ in signs only look alike."""
    return "|".join(str(p).replace("-", "").replace(" ", "").replace("+", "") for p in leaf.chart.local)


def _chart_told(place: Place, leaf: Any, t: Expr, limit: Any) -> str:
    names = [f"u{k + 1}" if leaf.chart.count > 1 else "u" for k in range(leaf.chart.count)]
    gens = [t, *[symbol(name) for name in names]]
    shown = ", ".join(f"{x} = {to_text(of_gens(p, gens))}" for x, p in zip(place.names, leaf.chart.local))
    where = f"with {shown} (0 ≤ {', '.join(names)} ≤ 1, t → 0⁺)"
    if isinstance(limit, float):
        return f"{where} f grows like 1/{power_text('t', -leaf.power)}"
    if leaf.power > 0 and math.isfinite(leaf.size):
        return f"{where} {_within(leaf, different(limit, ZERO))}"
    away = ", uniformly where u stays away from 0" if leaf.size == math.inf and leaf.power else ", whatever u"
    return f"{where} f → {number_text(limit)}{away}"


def _within(leaf: Any, shifted: bool) -> str:
    if leaf.size == 0:
        return "f is constant" if shifted else "f = 0"
    power = power_text("t", leaf.power)
    return f"f = {power}·g, where |g| ≤ {_rounded_up(leaf.size)} in the limit t → 0: f → 0, whatever u"


def power_text(name: str, k: int) -> str:
    return to_text(symbol(name) if k == 1 else TABLE["pow"](symbol(name), k))


def _rounded_up(size: float) -> str:
    """Three digits, rounded up."""
    if abs(size - round(size)) < 1e-9 * max(1.0, size) and size >= 1:
        return f"{round(size)}"
    digits = 2 - math.floor(math.log10(size))
    return f"{math.ceil(size * 10**digits) / 10**digits:.{max(0, digits)}f}".rstrip("0").rstrip(".")


def polar_bound(place: Place, limit: Any) -> tuple[str, ...]:
    """|f| ≤ C·rᵏ in polar coordinates, for a fraction of homogeneous polynomials: proven, with a rational C."""
    if len(place.local) != 2 or not place.finite or isinstance(limit, float) or different(limit, ZERO, surely=False):
        return ()
    forms = _forms(place) if is_rational(place.root) else None
    if forms is None:
        return ()
    (n, top), (m, bottom) = forms
    c = _least_factor((n, top), (m, bottom)) if n > m else None
    if c is None:
        return ()
    power = power_text("r", n - m)
    x, y = place.names
    factor = "" if c == 1 else f"{K.show(c)}·"
    return (f"in polar coordinates, {x} = r cos θ, {y} = r sin θ: |f| ≤ {factor}{power}, whatever θ",)


def _forms(place: Place) -> tuple[tuple[int, Any], tuple[int, Any]] | None:
    """Numerator and denominator as (degree, polynomial of u = y/x), where both are homogeneous."""
    from tangently.limits.blowups import Blocked, Chart, MoreTerms, Ramify, Void, Walk, Zeros, ring

    t, u = ring(1).gens()[:2]
    try:
        found = Walk(Chart((t, u), 1), place.polynomials((t, u)), 1, time.monotonic() + 0.2).value(place.root)
    except (Blocked, MoreTerms, Ramify, Void, Zeros):
        return None
    if found.n == 0:
        return None
    top, bottom = _form(found.n), _form(found.d)
    return None if top is None or bottom is None else (top, bottom)


def _form(p: Any) -> tuple[int, Any] | None:
    from flint import fmpq_poly

    degrees = {int(m[0] + m[1]) for m in p.monoms()}
    if len(degrees) != 1 or any(any(m[2:]) for m in p.monoms()):
        return None
    degree = degrees.pop()
    coefficients = [ZERO] * (degree + 1)
    for m, c in p.to_dict().items():
        coefficients[int(m[1])] += fmpq(c)
    return degree, fmpq_poly(coefficients)


def _least_factor(top: tuple[int, Any], bottom: tuple[int, Any]) -> fmpq | None:
    """A simple C with |N| ≤ C·|D|·rᵏ in every direction: proven."""
    largest, k = 0.0, top[0] - bottom[0]
    for half_degrees in range(360):
        x, y = math.cos(math.radians(half_degrees / 2)), math.sin(math.radians(half_degrees / 2))
        below = abs(_at(bottom, x, y))
        if below < 1e-12:
            return None
        largest = max(largest, abs(_at(top, x, y)) / below)
    return next((c for c in _rational_above(largest) if _bounds(top[1], bottom[1], k, c)), None)


def _at(form: tuple[int, Any], x: float, y: float) -> float:
    degree, p = form
    return sum(float(c.p) / float(c.q) * x ** (degree - j) * y**j for j, c in enumerate(p.coeffs()))


def _rational_above(c: float) -> Iterator[fmpq]:
    """1 where that is enough, since it reads best; else a simple fraction, or the next whole number."""
    from fractions import Fraction

    if c < 1 + 1e-9:
        yield fmpq(1)
    near = Fraction(c).limit_denominator(12)
    if abs(float(near) - c) < 1e-3 * c:
        yield fmpq(near.numerator, near.denominator)
    yield fmpq(math.floor(c) + 1)


def _bounds(top: Any, bottom: Any, k: int, c: fmpq) -> bool:
    """Is C²·D²·(1 + u²)ᵏ - N² nowhere negative?"""
    from flint import fmpq_poly

    gap = c * c * bottom * bottom * fmpq_poly([1, 0, 1]) ** k - top * top
    if gap.degree() < 0:
        return True
    if gap[gap.degree()] < 0 or gap.degree() % 2:
        return False
    odd = [f for f, e in gap.numer().factor()[1] if e % 2]
    return not any(r.imag == 0 for f in odd for r, _ in f.complex_roots())


__all__ = ["chart_reasons", "polar_bound"]
