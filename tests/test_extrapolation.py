"""Limits of black boxes: coverage of the error bar on constructed functions, and every verdict."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tangently.errors import InputError, ShapeError
from tangently.extrapolation import Estimated, extrapolate_limit

INF = math.inf
Box = tuple[str, Callable, float, int, float | None]  # name, f, point, side, limit (None: there is none)


# ---- a corpus of black boxes with known limits -----------------------------------------------------


def places(dice: random.Random) -> Iterator[tuple[float, int, Callable]]:
    """Points, sides, and the distance h as a function of x."""
    while True:
        point = dice.choice([0.0, 0.0, 1.0, -2.5, 3.0, INF, -INF])
        side = dice.choice([1, -1]) if math.isfinite(point) else (-1 if point > 0 else 1)
        if math.isinf(point):
            yield point, side, lambda x: 1 / abs(x)
        else:
            yield point, side, lambda x, p=point, s=side: s * (x - p)


def algebraic(dice: random.Random, where: Iterator) -> Iterator[Box]:
    """L + c hᵃ + d h²ᵃ ⁺ ᵇ: whole, broken and small exponents."""
    for a in (1, 2, 3, 0.5, 1 / 3, 1.5, 0.25, 0.1, math.sqrt(2), 0.7):
        for _ in range(6):
            (p, s, h), L = next(where), round(dice.uniform(-3, 3), 3)
            c, d, b = dice.uniform(-4, 4), dice.uniform(-2, 2), dice.choice([0, 0.5, 1])
            yield f"algebraic {a:.3g}", lambda x, L=L, c=c, d=d, a=a, b=b, h=h: (
                L + c * h(x) ** a + d * h(x) ** (2 * a + b)
            ), p, s, L  # fmt: skip


def smooth(dice: random.Random, where: Iterator) -> Iterator[Box]:
    """Compositions that are analytic in h, without cancellation."""
    forms = [
        lambda h, k: (math.exp(k * math.sin(h)), 1.0),
        lambda h, k: (math.atan(1 / h) * k, k * math.pi / 2),
        lambda h, k: (math.cos(k * h) / (2 + h), 0.5),
        lambda h, k: (math.sin(k * h) / h, k),
        lambda h, k: ((1 + h) ** (k / h), math.exp(k)),
        lambda h, k: (math.tanh(k / h), math.copysign(1, k)),
        lambda h, k: (math.expm1(k * h) / math.log1p(h), k),
        lambda h, k: (h**h + k, 1 + k),
        lambda h, k: (math.sqrt(k * k + h) * math.erf(1 / h), abs(k)),
    ]
    for form in forms:
        for _ in range(5):
            (p, s, h), k = next(where), dice.choice([-1, 1]) * dice.uniform(0.2, 3)
            yield "smooth", lambda x, form=form, h=h, k=k: form(h(x), k)[0], p, s, form(0.5, k)[1]


def logarithmic(dice: random.Random, where: Iterator) -> Iterator[Box]:
    """Approach as slow as powers of 1/ln h, and as h ln h."""
    for _ in range(8):
        (p, s, h), L, c = next(where), round(dice.uniform(-2, 2), 2), dice.uniform(-2, 2)
        yield "1/log", lambda x, L=L, c=c, h=h: L + c / math.log(h(x) / 7), p, s, L
        yield "1/log²", lambda x, L=L, c=c, h=h: L + c / (2 - math.log(h(x) / 7)) ** 2, p, s, L
        yield "1/sqrt log", lambda x, L=L, c=c, h=h: L + c / math.sqrt(3 - math.log(h(x) / 7)), p, s, L
        yield "1/(log + loglog)", lambda x, L=L, c=c, h=h: (
            L + c / (3 - math.log(h(x)) + math.log(3 - math.log(h(x))))
        ), p, s, L  # fmt: skip
        yield "h log h", lambda x, L=L, c=c, h=h: L + c * h(x) * math.log(h(x)), p, s, L
        yield "sqrt h log² h", lambda x, L=L, c=c, h=h: L + c * h(x) ** 0.5 * math.log(h(x)) ** 2, p, s, L
        yield "log ratio", lambda x, c=c, h=h: math.log(abs(c) * h(x) / 20) / math.log(h(x) / 20), p, s, 1.0


def exponential(dice: random.Random, where: Iterator) -> Iterator[Box]:
    for _ in range(6):
        (p, s, h), L, k = next(where), round(dice.uniform(-2, 2), 2), dice.uniform(0.2, 4)
        yield "exp(-1/h)", lambda x, L=L, k=k, h=h: L + math.exp(-k / h(x)), p, s, L
        yield "logistic", lambda x, k=k, h=h: 1 / (1 + math.exp(k / h(x))), p, s, 0.0
        yield "exp(-1/sqrt h)", lambda x, L=L, k=k, h=h: L - math.exp(-k / h(x) ** 0.5), p, s, L
        yield "power / exp", lambda x, k=k, h=h: h(x) ** -3 * math.exp(-k / h(x)), p, s, 0.0


def cancelling(dice: random.Random, where: Iterator) -> Iterator[Box]:
    """Total cancellation ends in an exact 0 or in nonsense; the limit is elsewhere."""
    forms = [
        lambda h, k: ((1 - math.cos(k * h)) / h**2, k * k / 2),
        lambda h, k: ((math.exp(k * h) - 1 - k * h) / h**2, k * k / 2),
        lambda h, k: ((math.exp(k * h) - 1) / h, k),
        lambda h, k: ((math.tan(h) - math.sin(h)) / h**3 + k, 0.5 + k),
        lambda h, k: ((math.sin(k * h) - k * h * math.cos(k * h)) / h**3, k**3 / 3),
        lambda h, k: ((math.sqrt(k * k + h) - abs(k)) / h, 0.5 / abs(k)),
        lambda h, k: (1 / h - 1 / math.sin(h) + k, k),
        lambda h, k: ((1 + h - 1) / h * k, k),
        lambda h, k: (math.log(1 + k * k * h) / h, k * k),
        lambda h, k: (math.sqrt(1 / h**2 + k / h) - 1 / h, k / 2),
        lambda h, k: ((math.exp(math.sin(h)) - math.exp(h)) / h**3 + k, k - 1 / 6),
        lambda h, k: (k + (math.exp(-1 / h) + 1 - 1) * math.exp(1 / h), k + 1),
        lambda h, k: ((math.cos(h) - math.exp(-h * h / 2)) / h**4 + k, k - 1 / 12),
    ]
    for form in forms:
        for _ in range(5):
            (p, s, h), k = next(where), dice.choice([-1, 1]) * dice.uniform(0.3, 2)
            yield "cancelling", lambda x, form=form, h=h, k=k: form(h(x), k)[0], p, s, form(0.5, k)[1]
    slopes = [
        (math.sin, math.cos),
        (math.exp, math.exp),
        (math.log, lambda x: 1 / x),
        (math.atan, lambda x: 1 / (1 + x * x)),
    ]
    for f, slope in slopes:
        for c in (0.3, 2.0, math.pi / 3):
            yield "quotient", lambda h, f=f, c=c: (f(c + h) - f(c)) / h, 0.0, dice.choice([1, -1]), slope(c)
            yield "quotient", lambda x, f=f, c=c: (f(x) - f(c)) / (x - c), c, dice.choice([1, -1]), slope(c)


def jumping(dice: random.Random, where: Iterator) -> Iterator[Box]:
    for _ in range(4):
        (p, s, h), L, w = next(where), round(dice.uniform(-3, 3), 2), 10 ** dice.uniform(-8, -0.5)
        yield "step far away", lambda x, L=L, w=w, h=h: L + (1 if h(x) > w else 0), p, s, L
        yield "floor", lambda x, L=L, h=h: L * math.floor(2.5 + h(x)), p, s, 2 * L
        yield "steps that shrink", lambda x, L=L, h=h: L * h(x) * math.floor(1 / h(x)), p, s, L
        yield "steps that do not", lambda x, h=h: math.floor(1 / h(x)) % 2, p, s, None
        yield "ramp and step", lambda x, L=L, w=w, h=h: L + (h(x) if h(x) > w else -h(x)), p, s, L
        yield "sign", lambda x, s=s, p=p: (x - p) / abs(x - p) if math.isfinite(p) else float(s), p, s, float(s)
        yield "fraction", lambda x, h=h: 1 / h(x) - math.floor(1 / h(x)), p, s, None


def oscillating(dice: random.Random, where: Iterator) -> Iterator[Box]:
    for _ in range(5):
        (p, s, h), L, c = next(where), round(dice.uniform(-3, 3), 2), dice.uniform(0.1, 5)
        yield "sin(1/h)", lambda x, L=L, c=c, h=h: L + c * math.sin(1 / h(x)), p, s, None
        yield "aliased sine", lambda x, h=h: math.sin(2 * math.pi / h(x)), p, s, None
        yield "aliased cosine", lambda x, L=L, h=h: L + math.cos(2 * math.pi / h(x)), p, s, None
        yield "square wave", lambda x, h=h: math.copysign(1, math.sin(math.pi / h(x) ** 2)), p, s, None
        yield "sin(log h)", lambda x, c=c, h=h: c * math.sin(2 * math.log(h(x))), p, s, None
        yield "growing", lambda x, c=c, h=h: c * math.sin(1 / h(x)) / h(x), p, s, None
        yield "h sin(1/h)", lambda x, L=L, c=c, h=h: L + c * h(x) * math.sin(1 / h(x)), p, s, L
        yield "sqrt h cos(1/h²)", lambda x, L=L, h=h: L + h(x) ** 0.5 * math.cos(1 / h(x) ** 2), p, s, L
        yield "trend and wave", lambda x, L=L, h=h: L + h(x) ** 0.5 + h(x) * math.sin(1 / h(x)), p, s, L
        yield "wave / log", lambda x, L=L, h=h: L + math.sin(1 / h(x)) / math.log(h(x) / 9), p, s, L


def growing(dice: random.Random, where: Iterator) -> Iterator[Box]:
    for _ in range(4):
        (p, s, h), c = next(where), dice.choice([-1, 1]) * dice.uniform(0.3, 3)
        sign = math.copysign(INF, c)
        yield "pole", lambda x, c=c, h=h: c / h(x), p, s, sign
        yield "root pole", lambda x, c=c, h=h: 5 + c / h(x) ** 0.5, p, s, sign
        yield "log", lambda x, c=c, h=h: -c * math.log(h(x)), p, s, sign
        yield "exp(1/h)", lambda x, c=c, h=h: c * math.exp(1 / h(x)), p, s, sign
        yield "wavy pole", lambda x, c=c, h=h: c * (2 + math.sin(1 / h(x))) / h(x), p, s, sign
        yield "lost pole", lambda x, c=c, h=h: c * (1 - math.cos(h(x))) / h(x) ** 3, p, s, sign


def noisy(dice: random.Random, where: Iterator) -> Iterator[Box]:
    """Noise of a measurement, of single precision, and of a table."""
    for k in range(6):
        (p, s, h), L, size = next(where), round(dice.uniform(-3, 3), 2), 10 ** dice.uniform(-9, -4)
        noise = random.Random(k)
        yield "measured", lambda x, L=L, h=h, n=noise, w=size: L + h(x) + w * n.gauss(0, 1), p, s, L
        yield "single precision", lambda x, L=L, h=h: float(np.float32(L + math.sin(h(x)))), p, s, L
        yield "rounded", lambda x, L=L, h=h: round(L + h(x) ** 2, 6), p, s, L


def corpus(seed: int) -> list[Box]:
    dice = random.Random(seed)
    where = places(dice)
    kinds = (algebraic, smooth, logarithmic, exponential, cancelling, jumping, oscillating, growing, noisy)
    return [box for kind in kinds for box in kind(dice, where)]


def is_covered(box: Box, e: Estimated) -> bool:
    truth = box[4]
    if truth is None:
        return False
    return e.value == truth if math.isinf(truth) or math.isinf(e.value or 0) else abs((e.value or 0) - truth) <= e.error


def is_rash(box: Box, e: Estimated) -> bool:
    """A confident value that is wrong by more than ten times its error."""
    assert e.value is not None
    if math.isfinite(e.value) and e.error >= 1e-3 * (1 + abs(e.value)):
        return False
    truth = box[4]
    return truth is None or math.isinf(truth) != math.isinf(e.value) or (
        e.value != truth if math.isinf(truth) else abs(e.value - truth) > 10 * e.error
    )  # fmt: skip


def off(e: Estimated, truth: float) -> float:
    """How far a value is from the truth; inf where there is none."""
    return INF if e.value is None else abs(e.value - truth)


@pytest.fixture(scope="module")
def answers() -> list[tuple[Box, Estimated]]:
    return [(box, extrapolate_limit(*box[1:4], mp=False)) for box in corpus(1)]


def test_error_bars_cover(answers: list[tuple[Box, Estimated]]) -> None:
    """Of the values that are given, how many lie within the error; and is any confident value wrong by ten errors?"""
    given = [(box, e) for box, e in answers if e.value is not None]
    covered = sum(is_covered(*pair) for pair in given)
    rash = [(box[0], box[2:], e) for box, e in given if is_rash(box, e)]
    print(f"{len(answers)} black boxes: {len(given)} values, {covered} within the error, {len(rash)} rashly wrong")
    assert len(answers) >= 200
    assert len(given) >= 0.8 * len(answers)
    assert covered >= 0.95 * len(given)
    assert not rash


def test_oscillation_is_told_from_convergence(answers: list[tuple[Box, Estimated]]) -> None:
    """Functions without a limit get no value, nearly all of them the right word; functions with one never that word."""
    without = [e for box, e in answers if box[4] is None]
    assert all(e.value is None for e in without)
    assert sum(e.verdict == "oscillates" for e in without) >= 0.85 * len(without)
    assert [(box[0], e.verdict) for box, e in answers if box[4] is not None and e.verdict == "oscillates"] == []


# ---- one verdict at a time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point", "side", "value", "error"),
    [
        (lambda x: math.sin(x) / x, 0.0, 1, 1.0, 1e-13),
        (lambda x: (1 - math.cos(x)) / x**2, 0.0, -1, 0.5, 1e-8),
        (lambda x: (math.exp(x) - 1 - x) / x**2, 0.0, 1, 0.5, 1e-6),
        (lambda x: math.sqrt(x * x + x) - x, INF, -1, 0.5, 1e-8),
        (lambda x: (1 + 1 / x) ** x, INF, -1, math.e, 1e-7),
        (lambda x: math.sin(x) / (x - math.pi), math.pi, 1, -1.0, 1e-9),  # π is meant, not the float below it
        (lambda x: math.atan(x), -INF, 1, -math.pi / 2, 1e-12),
        (lambda x: x * math.sin(1 / x), 0.0, 1, 0.0, 1e-20),
        (lambda x: x**x, 0.0, 1, 1.0, 1e-12),
        (lambda x: 1 / (1 + math.exp(1 / x)), 0.0, 1, 0.0, 1e-20),  # math.exp overflows on the way
        (lambda x: (math.sqrt(x) - 1) / (x - 1), 1.0, -1, 0.5, 1e-8),
        (lambda x: math.floor(x), 2.0, -1, 1.0, 1e-12),
        (lambda x: x / abs(x), 0.0, -1, -1.0, 1e-12),
        (lambda x: 1e-30 * math.sin(x) / x, 0.0, 1, 1e-30, 1e-42),
    ],
)
def test_limits_that_exist(f: Callable, point: float, side: int, value: float, error: float) -> None:
    e = extrapolate_limit(f, point, side)
    assert e.verdict == "converges"
    assert off(e, value) <= e.error <= error
    assert e.method
    assert len(e.rows) > 5


@pytest.mark.parametrize(
    ("f", "point", "side", "verdict"),
    [
        (lambda x: 1 / x, 0.0, -1, "diverges -"),
        (lambda x: -math.log(x - 2), 2.0, 1, "diverges +"),
        (lambda x: math.exp(1 / x), 0.0, 1, "diverges +"),
        (lambda x: -math.exp(x), INF, -1, "diverges -"),
        (lambda x: (2 + math.sin(1 / x)) / x, 0.0, 1, "diverges +"),
        (math.tan, math.pi / 2, -1, "diverges +"),
        (lambda x: math.sin(1 / x), 0.0, 1, "oscillates"),
        (lambda x: math.sin(2 * math.pi / x), 0.0, 1, "oscillates"),
        (lambda x: math.cos(2 * math.pi * x), INF, -1, "oscillates"),
        (lambda x: math.copysign(1, math.sin(1 / (x - 1))), 1.0, -1, "oscillates"),
        (lambda x: math.sin(math.log(x)), 0.0, 1, "oscillates"),
        (lambda x: x * math.sin(x), INF, -1, "oscillates"),
        (lambda x: 1000 + math.sin(1 / x), 0.0, 1, "oscillates"),
        (math.sqrt, 0.0, -1, "undefined"),
        (lambda x: x**x, 0.0, -1, "undefined"),  # complex
        (lambda x: math.nan, 0.0, 1, "undefined"),
        (lambda x: math.sqrt(math.sin(1 / x)), 0.0, 1, "undefined"),  # again and again
        (lambda x: 1 / (x - x), 0.0, 1, "undefined"),
        (lambda x: (0.1 + 0.2 - 0.3 + math.sin(x)) / x, 0.0, 1, "cancellation"),  # 5.6·10⁻¹⁷/x is a leftover
        (lambda x: math.log(x / 3) - (math.log(x) - math.log(3)), INF, -1, "cancellation"),
        (lambda x: math.log(-math.log(x)), 0.0, 1, "unclear"),  # too slow
        (lambda x: math.floor(math.sin(x) / x), 0.0, 1, "unclear"),  # 0, but floats say 1 from 10⁻⁸ on
        (lambda x: x / math.log(math.exp(x) if x < 709 else INF), INF, -1, "unclear"),  # 1, but floats say 0 later
        (lambda x: math.tan(x) / x, INF, -1, "unclear"),  # spikes without bound
        (lambda x: x / math.sin(1 / x), 0.0, 1, "unclear"),
        (lambda x: math.sqrt(x - 0.001), 0.0, 1, "unclear"),  # its domain ends near the point
    ],
)
def test_verdicts(f: Callable, point: float, side: int, verdict: str) -> None:
    e = extrapolate_limit(f, point, side, mp=False)
    assert e.verdict == verdict, e
    assert e.value == {"diverges +": INF, "diverges -": -INF}.get(verdict)


@pytest.mark.parametrize("f", [lambda x: 1 / math.log(x), lambda x: x**0.01, lambda x: 1 / math.log(-math.log(x))])
def test_slow_convergence_is_not_trusted(f: Callable) -> None:
    for point, inner in ((0.0, f), (1.0, lambda x: f((x - 1) / 3))):
        e = extrapolate_limit(inner, point, 1)
        assert e.value is None or abs(e.value) <= e.error


@pytest.mark.parametrize(
    "kind",
    [np.float64, np.float32, np.array, lambda y: complex(y, 0), lambda y: np.array([y]), round],
)
def test_values_of_any_real_kind(kind: Callable) -> None:
    e = extrapolate_limit(lambda x: kind(3.0 + x), 0.0, 1)
    assert off(e, 3) <= e.error + 1e-6


def test_a_box_that_is_not_real_is_named() -> None:
    with pytest.raises(InputError, match="wanted a real number"):
        extrapolate_limit(lambda x: "3", 0.0, 1)
    with pytest.raises(ShapeError, match="take the limit of one entry"):
        extrapolate_limit(lambda x: np.ones(3), 0.0, 1)
    with pytest.raises(InputError, match="for the side"):
        extrapolate_limit(math.sin, 0.0, 0)
    with pytest.raises(InputError, match="nan"):
        extrapolate_limit(math.sin, math.nan, 1)


# ---- more digits, and bounds -----------------------------------------------------------------------


def test_more_digits_remove_cancellation() -> None:
    import mpmath

    f = lambda x: (mpmath.sin(mpmath.tan(x)) - mpmath.tan(mpmath.sin(x))) / x**7
    rough, fine = extrapolate_limit(f, 0.0, 1, mp=False), extrapolate_limit(f, 0.0, 1)
    assert rough.error > 1e-6 > 1e-14 > fine.error
    assert fine.value == pytest.approx(-1 / 30, rel=1e-15)


def test_digits_that_pass_through_floats_are_not_believed() -> None:
    """math.exp gives 53 bits for any argument: what comes after looks precise, and is not."""
    half = lambda x: (math.exp(x) - 1 - x) / x**2
    with pytest.raises(InputError, match="does not carry mpmath's numbers"):
        extrapolate_limit(half, 0.0, 1, mp=True)
    e = extrapolate_limit(half, 0.0, 1)
    assert off(e, 0.5) <= e.error


def test_calls_and_time_are_bounded() -> None:
    seen: list[float] = []
    extrapolate_limit(lambda x: seen.append(x) or math.log(-math.log(x)), 0.0, 1)
    assert len(seen) <= 400
    assert extrapolate_limit(math.sin, 0.0, 1, calls=20).verdict == "unclear"
    few = extrapolate_limit(lambda x: math.sin(x) / x, 0.0, 1, calls=120)
    assert few.evaluations <= 120
    assert off(few, 1) <= few.error

    def slow(x: float) -> float:
        time.sleep(0.02)
        return math.sin(x) / x

    start = time.perf_counter()
    e = extrapolate_limit(slow, 0.0, 1, seconds=0.3)
    assert time.perf_counter() - start < 1.0
    assert e.verdict == "unclear"
    assert "too little time" in e.notes[0]


def test_noise_of_a_measurement_is_told_by_the_error() -> None:
    dice = random.Random(3)
    e = extrapolate_limit(lambda x: 2 + x + 1e-4 * dice.gauss(0, 1), 0.0, 1)
    assert off(e, 2) <= e.error
    assert 1e-5 < e.error < 1e-2
