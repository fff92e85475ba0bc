"""Names and numbers: how a person would set `theta_1`, `params.W1`, `y_hat`, 3.0, 1.5e-05 and 0.6931471805599453.

A name keeps its source beside its form, so that code can be written back from a layout. A float that equals a known
constant to within one unit in the last place is set as that constant: 1.1283791670955126 is 2/√π.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator

from tangently.printing.nodes import Accent, Alias, Atom, Call, Frac, Grid, Layout, Root, Row, Script, negative, product

_GREEK = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK: dict[str, str] = dict(zip(_GREEK.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"))
ACCENTS = frozenset({"hat", "bar", "tilde", "dot", "ddot"})
E = Alias(Atom("e"), Atom("e", "code"))  # one object, so that eˣ is known from a variable that is called e
PI = Alias(Atom("π"), Atom("pi", "code"))
WORDS = {"e": E, "π": PI}
_NUMBERED = re.compile(r"([^\W\d_]+)_?(\d+)")

# ---------------------------------------------------------------- names


def name(text: str) -> Layout:
    """A variable as a person writes it.

    >>> from tangently.printing import to_text
    >>> [to_text(name(n)) for n in ("alpha", "x_0", "params.W1", "y_hat", "learning_rate", "lambda_", "x_i_2")]
    ['α', 'x₀', 'W₁', 'ŷ', 'learning_rate', 'λ', 'xᵢ,₂']
    """
    last = text.rsplit(".", 1)[-1]
    return Alias(_shape(last.strip("_") or last), Atom(text, "code"))


def _shape(text: str) -> Layout:
    numbered = _NUMBERED.fullmatch(text)
    if numbered:
        return Script(_letter(numbered[1]), Atom(numbered[2], "number"))
    first, *rest = text.split("_")
    if not rest or not is_single(first) or not all(rest):
        return _letter(text)
    return _decorated(_letter(first), rest)


def _decorated(base: Layout, rest: list[str]) -> Layout:
    for mark in [r for r in rest if r in ACCENTS]:
        base = Accent(base, mark)
    below = [_below(r) for r in rest if r not in ACCENTS]
    return Script(base, listed(below)) if below else base


def _below(text: str) -> Layout:
    """A subscript: digits, one or two letters as indices (i, ij), a word upright."""
    if text.isdigit():
        return Atom(text, "number")
    if text in GREEK or len(text) > 2:
        return Atom(GREEK.get(text, text))
    return Row(tuple(Atom(c, "number" if c.isdigit() else "variable") for c in text)) if len(text) > 1 else Atom(text)


def listed(items: list[Layout]) -> Layout:
    """Items with commas between them, without gaps: i,j."""
    comma = Atom(",", "text")
    spread = [x for item in items for x in (comma, item)][1:]
    return spread[0] if len(spread) == 1 else Row(tuple(spread))


def is_single(text: str) -> bool:
    return len(text) == 1 or text in GREEK


def _letter(text: str) -> Atom:
    return Atom(GREEK.get(text, text))


# ---------------------------------------------------------------- numbers


def number(value: float, digits: int = 4) -> Layout:
    """A number: integers as they are, known constants by their symbol, other floats to `digits` significant digits.

    >>> from tangently.printing import to_text
    >>> [to_text(number(v)) for v in (3, 2.0, -0.5, 0.123456, 1.5e-05, 1e9, math.pi / 2, -math.log(2), math.inf)]
    ['3', '2', '−0.5', '0.1235', '1.5·10⁻⁵', '10⁹', '½π', '−ln 2', '∞']
    """
    if type(value) is bool:
        return Alias(Atom("true" if value else "false", "text"), Atom(repr(value), "code"))
    if value != value:
        return Alias(Atom("NaN", "text"), Atom("nan", "code"))
    if value < 0:
        return negative(number(-value, digits))
    if value == math.inf:
        return Alias(Atom("∞", "number"), Atom("inf", "code"))
    shown = (_constant(value) if type(value) is float else None) or _decimal(value, digits)
    return shown if type(shown) is Atom and shown.text == repr(value) else Alias(shown, Atom(repr(value), "code"))


def _decimal(value: float, digits: int) -> Layout:
    if type(value) is not float or (value.is_integer() and value < 1e6):
        return Atom(str(int(value)), "number")
    if 1e-4 <= value < 1e6:
        return Atom(_trimmed(f"{value:.{max(digits - 1 - math.floor(math.log10(value)), 0)}f}"), "number")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    ten = Script(Atom("10", "number"), None, _decimal_integer(int(exponent)))
    return ten if _trimmed(mantissa) == "1" else product(Atom(_trimmed(mantissa), "number"), ten)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal_integer(value: int) -> Layout:
    return Atom(str(value), "number") if value >= 0 else negative(Atom(str(-value), "number"))


@functools.cache
def _constants() -> tuple[tuple[float, Layout], ...]:
    return tuple(_known_constants())


def _known_constants() -> Iterator[tuple[float, Layout]]:
    """Constants that occur in derivatives of the table's rows, and small multiples of π and e."""
    one, two, pi = Atom("1", "number"), Atom("2", "number"), PI
    bases = [(math.pi, pi), (math.e, E), (math.sqrt(2), Root(two)), (math.sqrt(3), Root(Atom("3", "number")))]
    bases += [(math.log(k), Call(Atom("ln", "function"), (Atom(str(k), "number"),), bare=True)) for k in (2, 3, 10)]
    yield from bases
    yield 0.5772156649015329, Atom("γ")
    for value, shown in bases[:4]:
        for p, q in ((1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 6), (2, 1), (3, 1), (4, 1)):
            yield value * p / q, product(_ratio(p, q), shown)
    for value, shown in ((1.0, one), (2.0, two)):
        yield value / math.pi, Frac(shown, pi)
        yield value / math.sqrt(math.pi), Frac(shown, Root(pi))
        yield value / math.log(2), Frac(shown, bases[4][1])
        yield value / math.log(10), Frac(shown, bases[6][1])
    yield math.sqrt(math.pi), Root(pi)
    yield math.sqrt(2 * math.pi), Root(product(two, pi))
    yield 1 / math.sqrt(2 * math.pi), Frac(one, Root(product(two, pi)))
    yield math.sqrt(2 / math.pi), Root(Frac(two, pi))
    yield 1 / math.e, Frac(one, E)


def _ratio(p: int, q: int) -> Layout:
    over = Atom(str(p), "number")
    return over if q == 1 else Frac(over, Atom(str(q), "number"))


def _constant(value: float) -> Layout | None:
    for known, shown in _constants():
        if abs(value - known) <= math.ulp(known):
            return shown
    return None


# ---------------------------------------------------------------- arrays


def array(value: object, digits: int = 4) -> Layout:
    """A constant array: its entries if it is at most 3×3, else its shape.

    >>> import numpy as np
    >>> from tangently.printing import to_text
    >>> to_text(array(np.array([[1.0, 0.5], [0.0, 2.0]]))), to_text(array(np.zeros((4, 3))))
    ('[1, 0.5; 0, 2]', 'array(4×3)')
    """
    shape: tuple[int, ...] = value.shape  # type: ignore[attr-defined]
    if not 1 <= len(shape) <= 2 or max(shape) > 3 or min(shape) == 0:
        return Atom(f"array({'×'.join(map(str, shape))})", "text")
    rows = value.tolist()  # type: ignore[attr-defined]
    return Grid(tuple(tuple(number(x, digits) for x in (row if len(shape) == 2 else [row])) for row in rows))
