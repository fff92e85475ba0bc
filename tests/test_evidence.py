"""Evidence about limits: proven values, what they contradict, the table, and the certified δ.

The corpora are `tests/data/*.tsv`: no right answer may be contradicted, and wrong ones made from it must nearly all be.
"""

from __future__ import annotations

import csv
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
from flint import arb

import tangently.primitives  # noqa: F401
from tangently.adopting.sympy import from_sympy
from tangently.enclosure import enclose, precision
from tangently.errors import BudgetError, DomainError, InputError
from tangently.expr import TABLE, Expr, const, symbol
from tangently.limits.bands import delta
from tangently.limits.evidence import Sample, approach, refute, table
from tangently.limits.remainders import near
from tangently.limits.results import Limit, Side

DATA = Path(__file__).parent / "data"
X = sp.Symbol("x", real=True)
x = symbol("x")
sin, cos, tan, exp, log, sqrt, atan, floor = (
    TABLE[name] for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "arctan", "floor")
)
pi = TABLE["pi"]()


def ratio(p: int, q: int) -> Expr:
    return TABLE["div"](const(p), const(q))


# ---------------------------------------------------------------- the corpora


def read(value: Any) -> Any:
    number = sp.sympify(value)
    return math.inf if number == sp.oo else -math.inf if number == -sp.oo else from_sympy(number)[0]


def corpus(name: str) -> Iterator[tuple[str, Expr, Expr, Any, list[int], Any, bool]]:
    """id, f, x, point, sides, the claim that is right, and whether it is about each side alone."""
    with (DATA / name).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if "." in row["expression"]:
                continue  # a decimal is read as the rational that it says, which is another reader's matter
            f, (variable, *_) = from_sympy(sp.sympify(row["expression"], {"x": X}), [X])  # type: ignore[call-overload]
            point = read(row["point"])
            sides = {"+": [1], "-": [-1], "+-": [-1, 1]}[row["direction"]]
            if isinstance(point, float):
                sides = [-1 if point > 0 else 1]
            truth = row["truth"]
            claim = {"DNE": "none", "zoo": "none"}.get(truth) or read(truth)
            yield row["id"], f, variable, point, sides, claim, truth != "zoo" and (claim != "none" or len(sides) == 1)


def wrong_claims(claim: Any) -> dict[str, Any]:
    """Wrong answers made from the right one (and usual ones)."""
    near_by: dict[str, Any] = {"∞": math.inf, "-∞": -math.inf, "0": const(0), "1": const(1)}
    if isinstance(claim, Expr):
        near_by |= {"L + 1/1000": claim + ratio(1, 1000), "-L": TABLE["neg"](claim), "2 L": 2 * claim}
        return {k: v for k, v in near_by.items() if isinstance(v, float) or not _same(v, claim)}
    if claim == "none":
        near_by["½"] = ratio(1, 2)
    return {k: v for k, v in near_by.items() if v != claim}


def _same(a: Expr, b: Expr) -> bool:
    return bool(enclose([a - b], {})[0].contains(0))


def judge(name: str) -> tuple[list[str], Counter[str], Counter[str]]:
    """Right claims that are contradicted; how many wrong claims of each sort there are, and were contradicted."""
    false: list[str] = []
    asked: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for key, f, variable, point, sides, claim, alone in corpus(name):
        for side in sides if alone else ():
            samples = approach(f, variable, point, side)
            objection = refute(samples, claim)
            false += [f"{key} {side:+d}: {objection}"] if objection else []
            for sort, wrong in wrong_claims(claim).items():
                asked[sort] += 1
                caught[sort] += refute(samples, wrong) is not None
    return false, asked, caught


def check_rates(name: str, least: float) -> None:
    false, asked, caught = judge(name)
    assert not false
    for sort in asked:
        if asked[sort] < 100:
            continue
        assert caught[sort] >= least * asked[sort], f"{sort}: {caught[sort]} of {asked[sort]}"
    assert sum(caught.values()) >= (least + 0.02) * sum(asked.values())


def test_no_right_limit_is_contradicted_and_wrong_ones_are() -> None:
    check_rates("limits.tsv", 0.95)  # measured: 0 false; of each sort of wrong claims 97 to 99.5 % contradicted


@pytest.mark.slow
def test_the_second_corpus() -> None:
    check_rates("more_limits.tsv", 0.94)  # measured: 0 false; 97 to 99 %


# ---------------------------------------------------------------- samples

ROUTES = [
    ("at 0", sin(x) / x, const(0), 1),
    ("from the left", sqrt(1 - x), const(1), -1),
    ("at π/2", 1 / cos(x), TABLE["div"](pi, const(2)), 1),
    ("at 1/3", x**2, ratio(1, 3), -1),
    ("at ∞", atan(x), math.inf, -1),
    ("at -∞", exp(x), -math.inf, 1),
]


@pytest.mark.parametrize(("f", "point", "side"), [r[1:] for r in ROUTES], ids=[r[0] for r in ROUTES])
def test_samples_lie_on_their_side_and_hold_the_value(f: Expr, point: Any, side: int) -> None:
    samples = approach(f, x, point, side)
    assert len(samples) >= 30
    scales = [s.scale for s in samples]
    assert scales == sorted(scales)
    for s in samples:
        _is_placed(s, point, side)
        if s.x.is_exact():
            [better] = enclose([f], {x: s.x}, precision=12000)
            assert s.y.overlaps(better)


def _is_placed(s: Sample, point: Any, side: int) -> None:
    with precision(9000):
        if isinstance(point, Expr):
            gap = s.x - enclose([point], {}, precision=9000)[0]
            assert gap * side > 0
        else:
            assert s.x * -side > 0
        assert s.distance > 0


def test_total_cancellation_is_a_small_ball_not_a_bare_zero() -> None:
    samples = approach(sin(x) ** 2 + cos(x) ** 2 - 1, x, const(1), 1)
    assert samples
    assert all(s.y.contains(0) and s.y.rad() > 0 and s.y.rad() < arb(2) ** -60 for s in samples)


def test_cancellation_is_seen_through() -> None:
    """(eˣ - 1 - x)/x² in floats is 0 or worse below 10⁻⁸; its balls are right at 10⁻¹²³³."""
    nearest = approach((exp(x) - 1 - x) / x**2, x, const(0), 1)[-1]
    assert abs(nearest.y - 0.5) < arb(10) ** -9


def test_irregular_factors_are_no_alias() -> None:
    values = [s.y for s in approach(sin(pi / x), x, const(0), 1) if s.plain]
    assert sum(bool(abs(y) > 0.1) for y in values) > len(values) / 2


def test_whole_numbers_for_sequences() -> None:
    samples = approach((-1) ** x, x, math.inf, -1, whole=True)
    assert all(s.x.is_integer() for s in samples)
    assert {float(s.y) for s in samples} == {-1.0, 1.0}
    assert refute(samples, const(1))


def test_time_is_bounded() -> None:
    tower = exp(exp(exp(x)))
    start = time.thread_time()
    assert approach(tower / exp(exp(exp(x - exp(-exp(exp(x)))))), x, math.inf, -1, seconds=0.1)
    approach(TABLE["gamma"](tower), x, math.inf, -1, seconds=0.1)
    assert time.thread_time() - start < 2


def test_outside_of_the_domain_there_is_nothing() -> None:
    assert approach(sqrt(x), x, const(0), -1) == ()
    assert refute((), const(0)) is None


@pytest.mark.parametrize(("point", "side"), [(math.inf, 1), (0.5, 1), (const(0), 0), (math.nan, 1)])
def test_bad_routes_are_refused(point: Any, side: int) -> None:
    with pytest.raises(InputError, match=r"got|beyond"):
        approach(x, x, point, side)


# ---------------------------------------------------------------- claims

iterated = log(log(log(x)))
CONSISTENT = [
    ("log-slow", 1 / log(x), math.inf, -1, const(0)),
    ("log log-slow", 1 / log(log(x)), math.inf, -1, const(0)),
    ("log log log-slow", 1 / iterated, math.inf, -1, const(0)),
    ("slow to ∞", iterated, math.inf, -1, math.inf),
    ("slow to a number", 2 + ratio(1, 1000) / log(log(x)), math.inf, -1, const(2)),
    ("late decay", exp(-x / 10**9), math.inf, -1, const(0)),
    ("late turn", x**100 * exp(-x), math.inf, -1, const(0)),
    ("late growth", x ** ratio(1, 1000) - log(x), math.inf, -1, math.inf),
    ("tiny offset", sin(x) / x + ratio(1, 10**15), math.inf, -1, ratio(1, 10**15)),
    ("squeezed", x * sin(1 / x), const(0), 1, const(0)),
    ("none at random", (1 + cos(x)) ** (1 / x), math.inf, -1, "none"),
    ("none but poles", tan(x) / x, math.inf, -1, "none"),
    ("slowly swinging", sin(log(log(x))), math.inf, -1, "none"),
    ("bounded factor", (2 + sin(x)) * log(log(x)), math.inf, -1, math.inf),
    ("a small power away from 0", TABLE["abs"](x - 1) ** ratio(1, 1000), const(1), 1, const(0)),
]
CONTRADICTED = [
    ("an alias", cos(2 * pi / x), const(0), 1, const(1)),
    ("poles that no random sample meets", tan(x) / x, math.inf, -1, const(0)),
    ("zeros that no random sample meets", (1 + cos(x)) ** (1 / x), math.inf, -1, const(1)),
    ("a tiny offset", sin(x) / x + ratio(1, 10**15), math.inf, -1, const(0)),
    ("a float for π", sin(pi * x) / x, const(0), 1, const(math.pi)),
    ("the wrong sign", 1 / x, const(0), -1, math.inf),
    ("a number for ∞", log(x), math.inf, -1, const(0)),
    ("∞ for a number", atan(x), math.inf, -1, math.inf),
    ("none for a number", sin(x) / x, const(0), 1, "none"),
    ("none for ∞", 1 / x**2, const(0), 1, "none"),
    ("swinging without growth", 2 + sin(x), math.inf, -1, math.inf),
    ("early end, extrapolated", exp(x) * (exp(1 / x + exp(-x)) - exp(1 / x)), math.inf, -1, 1.001),
]


@pytest.mark.parametrize(
    ("f", "point", "side", "claim"), [c[1:] for c in CONSISTENT], ids=[c[0].replace(" ", "-") for c in CONSISTENT]
)
def test_right_claims_stand(f: Expr, point: Any, side: int, claim: Any) -> None:
    assert refute(approach(f, x, point, side), claim) is None


@pytest.mark.parametrize(
    ("f", "point", "side", "claim"), [c[1:] for c in CONTRADICTED], ids=[c[0].replace(" ", "-") for c in CONTRADICTED]
)
def test_wrong_claims_fall(f: Expr, point: Any, side: int, claim: Any) -> None:
    assert refute(approach(f, x, point, side), claim)


def test_a_ball_as_a_claim() -> None:
    samples = approach(sin(x) / x, x, const(0), 1)
    assert refute(samples, arb(1, 1e-9)) is None
    assert refute(samples, arb(1.1, 1e-9))


def test_slow_asks_for_more() -> None:
    """What has come to 1/2000 of its distance from the claim, and seems to settle, may yet be slow."""
    samples = [s for s in approach(1 + x / 64, x, const(0), 1) if s.scale < 9]
    assert refute(samples, const(0)) is not None
    assert refute(samples, const(0), slow=True) is None


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize(
    ("point", "side", "texts"),
    [
        (const(0), -1, ["-0.1", "-0.01"]),
        (const(2), 1, ["2 + 0.1", "2 + 0.01"]),
        (math.inf, -1, ["10", "100"]),
        (-math.inf, 1, ["-10", "-100"]),
        (TABLE["div"](pi, const(2)), -1, ["π/2 - 0.1", "π/2 - 0.01"]),
    ],
)
def test_the_table_names_its_places(point: Any, side: int, texts: list[str]) -> None:
    rows = table(approach(1 / (1 + x**2), x, point, side))
    assert [r.x_text.replace("½π", "π/2") for r in rows[:2]] == texts
    assert 5 <= len(rows) <= 10
    for r in rows:
        assert r.radius is not None
        assert abs(r.y - 1 / (1 + r.x**2)) <= r.radius + 1e-15


# ---------------------------------------------------------------- bounds on a whole neighborhood

E_NUMBER = exp(const(1))
NEIGHBORHOODS: list[tuple[str, Expr, Any, int, Expr]] = [
    ("sin x / x", sin(x) / x, const(0), 1, const(1)),
    ("(1 - cos x)/x²", (1 - cos(x)) / x**2, const(0), -1, ratio(1, 2)),
    ("(eˣ - 1)/x", (exp(x) - 1) / x, const(0), 1, const(1)),
    ("x sin(1/x)", x * sin(1 / x), const(0), 1, const(0)),
    ("x log x", x * log(x), const(0), 1, const(0)),
    ("(x² - 1)/(x - 1)", (x**2 - 1) / (x - 1), const(1), -1, const(2)),
    ("√x", sqrt(x), const(0), 1, const(0)),
    ("x² + 3x", x**2 + 3 * x, const(2), 1, const(10)),
    ("(2x + 1)/x", (2 * x + 1) / x, math.inf, -1, const(2)),
    ("atan x", atan(x), math.inf, -1, TABLE["div"](pi, const(2))),
    ("e⁻ˣ", exp(-x), math.inf, -1, const(0)),
    ("x² e⁻ˣ", x**2 * exp(-x), math.inf, -1, const(0)),
    ("(1 + x)^(1/x)", (1 + x) ** (1 / x), const(0), 1, E_NUMBER),
    ("sin(πx)/(3x - 12)", sin(pi * x) / (3 * x - 12), const(4), -1, TABLE["div"](pi, const(3))),
    ("√(x + 1) - √x", sqrt(x + 1) - sqrt(x), math.inf, -1, const(0)),
    ("sigmoid", TABLE["sigmoid"](x), math.inf, -1, const(1)),
    ("eˣ/(1 + eˣ)", exp(x) / (1 + exp(x)), math.inf, -1, const(1)),
    ("tanh at -∞", TABLE["tanh"](x), -math.inf, 1, const(-1)),
    ("x floor(3/x)/2", x * floor(3 / x) / 2, const(0), 1, ratio(3, 2)),
    ("x - floor x", x - floor(x), const(3), -1, const(1)),
    ("max(x, 0)/x", TABLE["maximum"](x, 0) / x, const(0), -1, const(0)),
    ("xˣ", x**x, const(0), 1, const(1)),
    ("∛x", TABLE["cbrt"](x), const(0), -1, const(0)),
    ("e^(-1/x²)", exp(-1 / x**2), const(0), -1, const(0)),
    ("sin √x / √x", sin(sqrt(x)) / sqrt(x), const(0), 1, const(1)),
    ("log x / x", log(x) / x, math.inf, -1, const(0)),
    ("Γ(x) x", TABLE["gamma"](x) * x, const(0), -1, const(1)),
    ("|x|", TABLE["abs"](x), const(0), -1, const(0)),
    ("where", TABLE["where"](TABLE["eq"](x, 2), 5, x + 1), const(2), 1, const(3)),
]
names = [c[0] for c in NEIGHBORHOODS]


def place(point: Any, side: int, t: float) -> arb:
    with precision(400):
        return -side / arb(t) if isinstance(point, float) else enclose([point], {}, precision=400)[0] + side * arb(t)


@pytest.mark.parametrize(("f", "point", "side"), [c[1:4] for c in NEIGHBORHOODS], ids=names)
@pytest.mark.parametrize("radius", [0.4, 0.03, 1e-5])
def test_bounds_hold_everywhere_near(f: Expr, point: Any, side: int, radius: float) -> None:
    found = [near(f, x, point, side, arb(radius), order=n, root=q) for n, q in ((2, 1), (8, 1), (12, 2))]
    dice = random.Random(str(radius))
    for t in [radius, *(radius * dice.random() ** p for p in (1, 2, 8, 30) for _ in range(12))]:
        y = enclose([f], {x: place(point, side, t)}, precision=400)[0]
        for bound in found:
            assert bound is None or (not y < bound.lo and not y > bound.hi)


# ---------------------------------------------------------------- δ


def limit_of(f: Expr, point: Any, side: int, value: Any, **changes: Any) -> Limit:
    number = float(enclose([value], {})[0]) if isinstance(value, Expr) else value
    exact = value if isinstance(value, Expr) else None
    sides = (Side(side, number, exact, True, "exact"),)
    found = Limit(f, x, point, "+" if side > 0 else "-", number, exact, True, "exact", (), sides)
    return replace(found, **changes)


def is_close(f: Expr, point: Any, side: int, t: float, value: Expr, epsilon: float) -> bool:
    y = enclose([f], {x: place(point, side, t)}, precision=400)[0]
    with precision(400):
        return bool(abs(y - enclose([value], {}, precision=400)[0]) < epsilon)


@pytest.mark.parametrize(("f", "point", "side", "value"), [c[1:] for c in NEIGHBORHOODS], ids=names)
@pytest.mark.parametrize("epsilon", [0.25, 0.01, 1e-6])
def test_delta_is_right_and_nearly_the_largest(f: Expr, point: Any, side: int, value: Expr, epsilon: float) -> None:
    found = delta(limit_of(f, point, side, value), epsilon)
    reach = 1 / abs(found) if isinstance(point, float) else found
    inside = [reach * k / 64 for k in range(1, 64)] + [reach * 2.0**-k for k in range(1, 60, 3)]
    assert all(is_close(f, point, side, t, value, epsilon) for t in inside)
    beyond = [reach * (1 + k / 16) for k in range(1, 17)]
    assert reach > 1e5 or not all(is_close(f, point, side, t, value, epsilon) for t in beyond)


def test_delta_of_both_sides_is_the_smaller() -> None:
    f = TABLE["where"](TABLE["gt"](x, 0), x, -100 * x)
    sides = tuple(Side(k, 0.0, const(0), True, "exact") for k in (-1, 1))
    found = delta(Limit(f, x, const(0), "both", 0.0, const(0), True, "exact", (), sides), 1.0)
    assert 0.005 <= found <= 0.01


def test_a_bound_at_minus_infinity_is_negative() -> None:
    found = delta(limit_of(exp(x), -math.inf, 1, const(0)), 0.01)
    assert -10 < found < math.log(0.01)


def test_a_jump_is_not_stepped_over() -> None:
    """x + 0.6·(x ≥ 1) has slope 1 wherever it has one; δ for ε = 1.5 ends at the jump, not where the slope says."""
    f = x + ratio(3, 5) * TABLE["ge"](x, 1)
    found = delta(limit_of(f, const(0), 1, const(0)), 1.5)
    assert found <= 1


def test_delta_refuses_clearly() -> None:
    good = limit_of(sin(x) / x, const(0), 1, const(1))
    for epsilon in (0, -1, math.nan, math.inf, "small", True):
        with pytest.raises(InputError, match="positive"):
            delta(good, epsilon)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="not finite"):
        delta(limit_of(1 / x, const(0), 1, math.inf), 0.1)
    with pytest.raises(DomainError, match="does not exist"):
        delta(limit_of(sin(1 / x), const(0), 1, const(0), exists=False), 0.1)
    with pytest.raises(DomainError, match="undecided"):
        delta(limit_of(sin(1 / x), const(0), 1, const(0), exists=None), 0.1)
    with pytest.raises(BudgetError, match="exact L"):
        delta(limit_of(x, const(0), 1, 0.0, how="estimated"), 0.1)
    with pytest.raises(BudgetError, match="could be proven"):
        delta(limit_of(1 / log(x), const(0), 1, const(0)), 1e-9)


def test_a_wrong_limit_gets_no_delta() -> None:
    for f, value in itertools.product([sin(x) / x, (exp(x) - 1) / x], [ratio(9, 10), ratio(1001, 1000)]):
        with pytest.raises(BudgetError, match="proven"):
            delta(limit_of(f, const(0), 1, value), 1e-4)
