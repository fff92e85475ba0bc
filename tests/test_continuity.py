"""Continuity: the table of known functions by every spelling, hard cases, random piecewise functions, refusals."""

from __future__ import annotations

import csv
import math
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from tangently.errors import DomainError, InputError, UnsupportedError
from tangently.expr import TABLE, symbol
from tangently.printing import to_text
from tangently.smoothness.algebra import Scope, solve
from tangently.smoothness.continuing import continuity
from tangently.smoothness.differing import differentiability
from tangently.smoothness.isolating import simplest, zeros
from tangently.smoothness.points import end, precision
from tangently.smoothness.results import Continuity

X = sympy.Symbol("x", real=True)
INF = math.inf


def read(text: str) -> Any:
    return sympy.sympify(text, {"x": X})


def rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "data" / "continuity.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def found(answer: Continuity) -> list[tuple[float, str]]:
    return [(round(d.at, 12) + 0.0, d.kind) for d in answer.discontinuities]


def wanted(text: str) -> list[tuple[float, str]]:
    pairs = [part.split(":") for part in text.split(";") if part]
    return [(round(float(read(at)), 12), kind) for at, kind in pairs]


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("row", rows(), ids=lambda r: r["id"])
def test_table(row: dict[str, str]) -> None:
    f, (a, b) = read(row["expression"]), map(read, row["interval"].split(","))
    whole = continuity(f, on=(a, b))
    assert found(whole) == wanted(row["discontinuities"])
    assert whole.complete
    assert whole.how in ("exact", "certified")
    assert whole.continuous is (not row["discontinuities"])
    assert continuity(f, at=read(row["point"])).continuous is (row["continuous_at_point"] == "yes")


def test_the_table_is_fast() -> None:
    """The median of the whole table, limits included (an idle machine needs about 2 ms)."""
    times = []
    for row in rows():
        f, on = read(row["expression"]), tuple(map(read, row["interval"].split(",")))
        continuity(f, on=on)
        start = time.perf_counter()
        continuity(f, on=on)
        times.append(time.perf_counter() - start)
    assert statistics.median(times) < 0.025


SPELLED: dict[str, Any] = {  # the same functions as people write them in Python
    "C000": lambda x: max(x, 0),
    "C005": lambda x: abs(x) ** 0.5,
    "C009": lambda x: 2 * (math.exp(x) - 1) if x < 0 else x,
    "C011": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "C017": lambda x: x / (1 + np.exp(-x)),
    "C022": lambda x: 1.0 if x > 0 else (0.5 if x == 0 else 0.0),
    "C028": lambda x: math.floor(x) * math.sin(math.pi * x),
    "C029": lambda x: (x - np.floor(x)) * (1 - x + np.floor(x)),
    "C030": lambda x: np.sin(x) / x,
    "C033": lambda x: (x**2 - 1) / (x - 1),
    "C039": lambda x: math.tan(x),
    "C042": lambda x: math.sin(1 / x),
    "C043": lambda x: x * np.sin(1 / x),
    "C047": lambda x: np.exp(-1 / x**2),
    "C050": lambda x: np.arctan(1 / x),
    "C054": lambda x: abs(x**2 - 1),
    "C060": lambda x: x**2 if x <= 2 else 5 * x - 7,
    "C062": lambda x: np.where(x < 1, x**2, 2 * x - 1),
    "C063": lambda x: math.gamma(x),
    "C065": lambda x: (-1) ** np.floor(x),
    "C066": lambda x: np.maximum(x, 0) - np.maximum(x - 1, 0),
}


@pytest.mark.parametrize("row", rows(), ids=lambda r: r["id"])
def test_table_in_plain_python(row: dict[str, str]) -> None:
    f, (a, b) = SPELLED[row["id"]], map(read, row["interval"].split(","))
    assert found(continuity(f, on=(a, b))) == wanted(row["discontinuities"])
    assert continuity(f, at=read(row["point"])).continuous is (row["continuous_at_point"] == "yes")
    answer = differentiability(f, at=read(row["point"]))
    assert answer.kind == row["differentiability"]
    same = differentiability(read(row["expression"]), at=read(row["point"]))
    assert (answer.left, answer.right) == (same.left, same.right)


# expression in SymPy's syntax, interval, discontinuities
MORE = [
    ("1/(1 + exp(1/x))", "-1,1", "0:jump"),
    ("1/(x - 1)**2", "-2,2", "1:infinite"),
    ("1/x**2", "-1,1", "0:infinite"),
    ("log(Abs(x))", "-1,1", "0:infinite"),
    ("1/log(Abs(x))", "-2,2", "-1:infinite;0:removable;1:infinite"),
    ("2**(1/x)", "-1,1", "0:infinite"),
    ("floor(x)", "-3/2,3/2", "-1:jump;0:jump;1:jump"),
    ("ceiling(x)", "-3/2,3/2", "-1:jump;0:jump;1:jump"),
    ("frac(x)", "-3/2,3/2", "-1:jump;0:jump;1:jump"),
    ("Mod(x, 1)", "-3/2,3/2", "-1:jump;0:jump;1:jump"),
    ("floor(x) + floor(-x)", "-3/2,3/2", "-1:removable;0:removable;1:removable"),
    ("floor(x**2)", "-3/2,3/2", "-sqrt(2):jump;-1:jump;1:jump;sqrt(2):jump"),
    ("floor(sin(x))", "-4,4", "-pi:jump;0:jump;pi/2:removable;pi:jump"),
    ("sign(sin(x))", "-7,7", "-2*pi:jump;-pi:jump;0:jump;pi:jump;2*pi:jump"),
    ("Abs(sin(x))/sin(x)", "-4,4", "-pi:jump;0:jump;pi:jump"),
    ("asin(sin(x))", "-4,4", ""),
    ("acos(cos(x))", "-4,4", ""),
    ("atan(tan(x))", "-2,2", "-pi/2:jump;pi/2:jump"),
    ("1/sin(x)", "-4,4", "-pi:infinite;0:infinite;pi:infinite"),
    ("cot(x)", "-1,4", "0:infinite;pi:infinite"),
    ("tan(pi*x/2)", "-2,2", "-1:infinite;1:infinite"),
    ("1/(x - floor(x))", "1/2,5/2", "1:infinite;2:infinite"),
    ("floor(x)*(x - 1)", "1/2,5/2", "2:jump"),
    ("(x - 1)/(x**2 - 1)", "-2,2", "-1:infinite;1:removable"),
    ("(sqrt(x) - 1)/(x - 1)", "0,3", "1:removable"),
    ("1/(exp(x) - 1) - 1/x", "-1,1", "0:removable"),
    ("Piecewise((sin(x)/x, Ne(x, 0)), (1, True))", "-4,4", ""),
    ("Piecewise((sin(x)/x, Ne(x, 0)), (2, True))", "-4,4", "0:removable"),
    ("Piecewise((x*sin(1/x), Ne(x, 0)), (0, True))", "-1,1", ""),
    ("Piecewise((1/x, x > 0), (0, True))", "-1,1", "0:infinite"),
    ("Piecewise((x, x < 0), (x**2, x < 1), (1, True))", "-1,2", ""),
    ("1/(x**3 - 2)", "0,2", "2**(1/3):infinite"),
    ("1/(x**2 + Rational(1, 10)**30)", "-1,1", ""),
    ("1/(2 + sin(x))", "-10,10", ""),
    ("gamma(x)*sin(pi*x)", "-3/2,1/2", "-1:removable;0:removable"),
    ("digamma(x)", "-3/2,1", "-1:infinite;0:infinite"),
    ("Heaviside(x - 1) - Heaviside(x - 2)", "0,3", "1:jump;2:jump"),
    ("sinh(x)/(exp(2*x) - 3*exp(x) + 2)", "-1,1", "0:removable;log(2):infinite"),
    ("1/(4*sin(x)**2 - 1)", "0,2", "pi/6:infinite"),
    ("1/(sin(x) - x)", "-1,1", "0:infinite"),
    ("1/(exp(x) - 1 - x)", "-1,2", "0:infinite"),
    ("1/(1 + cos(x))", "0,4", "pi:infinite"),
    ("Max(1/x, 5)", "-1,1", "0:infinite"),
    ("x**0*sqrt(Abs(x))", "-1,1", ""),
]


@pytest.mark.parametrize(("text", "on", "truth"), MORE, ids=[m[0] for m in MORE])
def test_more_functions(text: str, on: str, truth: str) -> None:
    answer = continuity(read(text), on=tuple(map(read, on.split(","))))
    assert found(answer) == wanted(truth)
    assert answer.complete


# ---------------------------------------------------------------- what an answer holds


def test_positions_are_exact() -> None:
    at = lambda text, on: [to_text(d.exact) for d in continuity(text, on=on).discontinuities]  # type: ignore[arg-type]
    assert at("tan(x)", (-2, 2)) == ["−π/2", "π/2"]
    assert at("1/(x^2 - 2)", (-2, 2)) == ["−√2", "√2"]
    assert at("1/(e^x - 3)", (0, 2)) == ["ln 3"]
    assert at("floor(2x/3)", (1, 2)) == ["3/2"]


def test_a_root_without_closed_form_is_isolated() -> None:
    [d] = continuity("1/(cos(x) - x)", on=(0, 2)).discontinuities
    assert d.at == pytest.approx(0.7390851332151607, abs=1e-15)
    assert (d.exact, d.kind, d.left, d.right, d.how) == (None, "infinite", INF, -INF, "certified")
    [d] = continuity("1/(x^5 - x - 1)", on=(0, 2)).discontinuities
    assert d.at == pytest.approx(1.1673039782614187, abs=1e-15)


def test_a_jump_has_its_height() -> None:
    [d] = continuity("arctan(1/x)", on=(-1, 1)).discontinuities
    assert (d.left, d.right, d.height) == (-math.pi / 2, math.pi / 2, math.pi)


def test_the_ends_count_from_inside_and_have_the_kind_of_the_whole() -> None:
    assert found(continuity("floor(x)", on=(0, 2))) == [(1.0, "jump"), (2.0, "jump")]
    assert found(continuity("1/x", on=(0, 1))) == [(0.0, "infinite")]


def test_outside_the_domain_is_no_discontinuity() -> None:
    answer = continuity("sqrt(x)", on=(-1, 1))
    assert answer.continuous is True
    assert answer.undefined == ((-1.0, 0.0),)
    assert found(continuity("x ln(x)", on=(-1, 1))) == [(0.0, "removable")]
    assert continuity("ln(sin(x))", on=(-1, 4)).undefined == ((-1.0, 0.0), (math.pi, 4.0))


@pytest.mark.parametrize(("text", "kind"), [("1/sin(1/x)", "essential"), ("floor(1/x)", "infinite")])
def test_infinitely_many_are_said_and_not_listed(text: str, kind: str) -> None:
    start = time.perf_counter()
    answer = continuity(text, on=(0, 1))
    assert time.perf_counter() - start < 10  # the work stops after 4 s; a busy machine may take longer
    assert answer.accumulating == (0.0,)
    assert not answer.complete
    assert answer.discontinuities[0].kind == kind
    assert 5 < len(answer.discontinuities) < 100
    assert "crowd at 0" in str(answer)


def test_very_many_are_bounded() -> None:
    start = time.perf_counter()
    answer = continuity("floor(100000x)", on=(-1, 1))
    assert time.perf_counter() - start < 10  # the work stops after 4 s; a busy machine may take longer
    assert not answer.complete
    assert answer.continuous is not True


def test_a_line_without_ends() -> None:
    assert found(continuity("1/(x^2 - 1)", on=(-INF, INF))) == [(-1.0, "infinite"), (1.0, "infinite")]
    answer = continuity("floor(x)", on=(-INF, INF))
    assert not answer.complete
    assert all((d.kind, d.height) == ("jump", 1.0) for d in answer.discontinuities)


def test_holes_are_filled() -> None:
    answer = continuity("(x^2 - 1)/(x - 1)", on=(0, 2))
    filled = answer.extended
    assert (filled(1.0), filled(3.0)) == (2.0, 4.0)
    assert str(filled) == "(x² − 1)/(x − 1), 2 at x = 1"
    assert continuity((filled.formula, answer.variable), on=(0, 2)).continuous is True


def test_the_definition_line_by_line() -> None:
    hole = continuity("sin(x)/x", at=0)
    assert [c.holds for c in hole.conditions] == [False, True, False]
    assert hole.kind == "removable"
    jump = continuity(read("Piecewise((x**2, x <= 2), (5*x - 7, True))"), at=2)
    assert [c.holds for c in jump.conditions] == [True, False, False]
    assert "f(2) = 4" in str(jump)
    assert [c.holds for c in continuity("x^2", at=3).conditions] == [True, True, True]
    wrong = continuity(read("Piecewise((x, Ne(x, 0)), (5, True))"), at=0)
    assert [c.holds for c in wrong.conditions] == [True, True, False]


def test_an_edge_of_the_domain_is_said() -> None:
    answer = continuity("sqrt(x)", at=0)
    assert answer.continuous is True
    assert any("edge of the domain" in line for line in answer.why)


# ---------------------------------------------------------------- Python functions


def branchy(x: float) -> float:
    if x < 0:
        return -x
    elif x < 1:
        return x**2
    elif x == 1:
        return 7.0
    return math.sin(x) / x


def halved(x: float) -> float:
    for _ in range(3):
        if x > 1:
            x = x / 2
    return x


def guarded(x: float) -> float:
    return 1.0 if x == 0 else math.sin(x) / x


def test_branches_of_python_functions_are_explored() -> None:
    answer = continuity(branchy, on=(-2, 3))
    assert found(answer) == [(1.0, "jump")]
    assert answer.discontinuities[0].value == 7.0
    assert found(continuity(halved, on=(0, 9))) == [(1.0, "jump"), (2.0, "jump"), (4.0, "jump")]
    assert continuity(guarded, on=(-1, 1)).continuous is True
    assert continuity(guarded, at=0).continuous is True


def hidden(x: float) -> float:
    return float(str(float(x))) * 2 + (1.0 if float(x) > 0.5 else 0.0)


def test_a_function_that_cannot_be_traced_is_estimated_at_a_point_and_refused_on_an_interval() -> None:
    assert (continuity(hidden, at=0.25).continuous, continuity(hidden, at=0.25).how) == (True, "estimated")
    assert continuity(hidden, at=0.5).continuous is not True
    with pytest.raises(UnsupportedError, match="ask at= one point"):
        continuity(hidden, on=(0, 1))


# ---------------------------------------------------------------- by construction

PARTS = [  # pieces in SymPy's syntax that are continuous for -4 < x < 4
    "x**2 - 1", "3 - x", "sin(x)", "exp(x)/2", "2", "cos(pi*x)", "Abs(x - 1)", "atan(x)", "x**3/8", "sqrt(x + 5)",
]  # fmt: skip


def piecewise(dice: random.Random) -> tuple[Any, list[tuple[float, str]]]:
    """A function of random parts, with what is known about its seams."""
    seams = sorted(dice.sample([sympy.Rational(k, 4) for k in range(-8, 9)], dice.randint(1, 4)))
    parts = [read(dice.choice(PARTS)) for _ in range(len(seams) + 1)]
    closed = [dice.random() < 0.5 for _ in seams]
    conditions = [(s >= X) if c else (s > X) for s, c in zip(seams, closed)]
    f = sympy.Piecewise(*zip(parts, conditions), (parts[-1], True), evaluate=False)
    gaps = [sympy.simplify((right - left).subs(X, s)) for s, left, right in zip(seams, parts, parts[1:])]
    return f, [(float(s), "jump") for s, gap in zip(seams, gaps) if gap != 0]


@pytest.mark.parametrize("seed", range(40))
def test_random_seams(seed: int) -> None:
    f, truth = piecewise(random.Random(seed))
    answer = continuity(f, on=(-3, 3))
    assert found(answer) == truth
    assert answer.complete


@pytest.mark.parametrize("seed", range(20))
def test_random_poles_and_holes(seed: int) -> None:
    """p/q with chosen roots: a pole where q has more of a root than p, a hole where it has not."""
    dice = random.Random(seed)
    roots = dice.sample(range(-4, 5), 3)
    above, below = ([(r, dice.randint(0, 2)) for r in roots] for _ in range(2))
    product = lambda powers: sympy.expand(sympy.prod([(X - r) ** n for r, n in powers]))
    f = sympy.Mul(product(above), sympy.Pow(product(below), -1, evaluate=False), evaluate=False)
    truth = [(float(r), "infinite" if n > m else "removable") for (r, m), (_, n) in zip(above, below) if n]
    assert found(continuity(f, on=(-5, 5))) == sorted(truth)


# ---------------------------------------------------------------- zeros


def test_zeros_in_closed_form() -> None:
    x = symbol("x")
    texts = lambda u, lo, hi: sorted(to_text(p.exact) for p in solve(u, Scope(x, end(lo), end(hi))))  # type: ignore[arg-type]
    with precision(256):
        assert texts(x**2 - x - 1, -5.0, 5.0) == ["(1 + √5)/2", "(1 − √5)/2"]
        assert texts(TABLE["sin"](3 * x), 0.0, 2.0) == ["0", "π/3"]
        assert texts(TABLE["exp"](2 * x) - 5, 0.0, 2.0) == ["ln(5)/2"]
        assert texts(x**3 - 2 * x, -2.0, 2.0) == ["0", "−√2", "√2"]


def test_multiple_zeros_are_proven_at_simple_numbers() -> None:
    x = symbol("x")
    with precision(256):
        for u, at in ((TABLE["sin"](x) - x, 0.0), (TABLE["exp"](x - 1) - x, 1.0), (1 + TABLE["cos"](x) * 1, math.pi)):
            answer = zeros(u, x, end(-0.7), end(4.0))
            assert ([p.at for p in answer.points], answer.proven) == ([at], True)


def test_the_simplest_fraction() -> None:
    from fractions import Fraction

    assert simplest(Fraction(31, 100), Fraction(32, 100)) == Fraction(5, 16)
    assert simplest(Fraction(-7, 2), Fraction(-10, 3)) == Fraction(-7, 2)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("keywords", "error", "match"),
    [
        ({}, InputError, "not both"),
        ({"at": 0, "on": (0, 1)}, InputError, "not both"),
        ({"on": (1, 0)}, InputError, "a < b"),
        ({"on": (1,)}, InputError, "two numbers"),
        ({"at": "abc"}, InputError, "without variables"),
        ({"at": math.nan}, InputError, "nan"),
        ({"at": math.inf}, InputError, "±∞"),
        ({"at": -5}, DomainError, "no value at -5"),
    ],
)
def test_refusals(keywords: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        continuity("sqrt(x)", **keywords)


def test_a_second_variable_is_named() -> None:
    with pytest.raises(InputError, match="x and y"):
        continuity("x*y", at=0, wrt="x")
