"""Limits made by construction, with a known answer: a small algebra of leading terms, without any expansion.

A *germ* says how a function behaves as h → 0⁺ on one side of the point: `lead`, f = c·exp(e/h)·h^-a·L^b·(1 + o(1)) with
L = log(1/h) and c ≠ 0 known exactly; `null`, f → 0 at an unknown rate; `wave`, bounded, continuous and without a
limit. Products, quotients and powers of leading terms are exact; in a sum the larger one wins, and equal ones are
known unless their coefficients cancel. Functions that cancel (e^u - 1 - u ~ u²/2), limits at infinity that are known
(u·sin(a/u) → a, √(u² + au) - u → a/2, (1 + a/u)^u → eᵃ), continuous functions, and decisions by sign (max, floor)
are applied to germs that meet their conditions. A step that would need more than is known is not taken, so that every
answer is a theorem. Both sides are computed by the same steps; where one has no value, the limit is one-sided.

`make(seed)` gives one row of the kind that the corpora have.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import sympy as sp

from limits_corpus import Row

Scale = tuple[Fraction, Fraction, Fraction]  # (e, a, b); compared entry by entry, larger is larger near the point
ONE: Scale = (Fraction(0), Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Germ:
    kind: Literal["lead", "null", "wave"]
    c: Any = sp.S.Zero
    g: Scale = ONE


NULL, WAVE = Germ("null"), Germ("wave")
Known = Germ | None  # None: not known, or no value


@dataclass(frozen=True)
class Part:
    """A text in x and what it does on each side; `smooth`: continuous near the point, the point left out."""

    text: str
    sides: dict[int, Known]
    smooth: bool = True


def lead(c: Any, g: Scale = ONE) -> Known:
    """c·scale; a coefficient whose sign is not plain is not known."""
    return Germ("lead", sp.sympify(c), g) if abs(sp.N(c, 30)) > 1e-12 else None


def sign(f: Germ) -> int:
    return 1 if sp.N(f.c, 30) > 0 else -1


def vanishes(f: Germ) -> bool:
    return f.kind == "null" or (f.kind == "lead" and f.g < ONE)


def grows(f: Germ) -> bool:
    return f.kind == "lead" and f.g > ONE


def settles(f: Germ) -> Any:
    """The finite limit, or None."""
    return sp.S.Zero if vanishes(f) else f.c if f.kind == "lead" and f.g == ONE else None


def scaled(g: Scale, k: Any) -> Scale:
    return tuple(Fraction(k) * v for v in g)  # type: ignore[return-value]


# ---------------------------------------------------------------- two germs


def times(f: Germ, g: Germ) -> Known:
    if f.kind == g.kind == "lead":
        return lead(f.c * g.c, tuple(a + b for a, b in zip(f.g, g.g)))  # type: ignore[arg-type]
    if (vanishes(f) and not grows(g)) or (vanishes(g) and not grows(f)):
        return NULL
    wave, other = (f, g) if f.kind == "wave" else (g, f)
    return WAVE if wave.kind == "wave" and other.kind == "lead" and other.g == ONE else None


def opposite(f: Germ) -> Known:
    return times(f, Germ("lead", sp.S.NegativeOne))


def plus(f: Germ, g: Germ) -> Known:
    if f.kind == g.kind == "lead":
        return lead(f.c + g.c) if f.g == g.g == ONE else summed(f, g)
    big, small = (f, g) if f.kind == "lead" and f.g >= ONE else (g, f)
    if big.kind == "lead" and big.g > ONE:
        return big
    if big.kind == "lead" and big.g == ONE and vanishes(small):
        return big
    if vanishes(f) and vanishes(g):
        return NULL
    return WAVE if sorted((f.kind == "wave", g.kind == "wave")) == [False, True] else None


def summed(f: Germ, g: Germ) -> Known:
    return lead(f.c + g.c, f.g) if f.g == g.g else max(f, g, key=lambda u: u.g)


def over(f: Germ, g: Germ) -> Known:
    return times(f, Germ("lead", 1 / g.c, scaled(g.g, -1))) if g.kind == "lead" else None


def larger(f: Germ, g: Germ) -> Known:
    return chosen(f, g, 1)


def smaller(f: Germ, g: Germ) -> Known:
    return chosen(f, g, -1)


def chosen(f: Germ, g: Germ, way: int) -> Known:
    gap = minus(f, g) if "wave" not in (f.kind, g.kind) else None
    return None if gap is None or gap.kind != "lead" else f if sign(gap) * way > 0 else g


def minus(f: Germ, g: Germ) -> Known:
    other = opposite(g)
    return None if other is None else plus(f, other)


PAIRS: list[tuple[str, Callable[[Germ, Germ], Known]]] = [
    ("({0})*({1})", times),
    ("({0})/({1})", over),
    ("{0} + {1}", plus),
    ("{0} - ({1})", minus),
    ("Max({0}, {1})", larger),
    ("Min({0}, {1})", smaller),
]

# ---------------------------------------------------------------- one germ

Rule = Callable[[Germ], Known]


def cancelling(c: Any, k: int) -> Rule:
    """φ(u) ~ c·uᵏ as u → 0."""

    def rule(f: Germ) -> Known:
        if not vanishes(f):
            return None
        return lead(c * f.c**k, scaled(f.g, k)) if f.kind == "lead" else NULL

    return rule


def continuous(value: Callable[[Any], Any]) -> Rule:
    def rule(f: Germ) -> Known:
        at = settles(f)
        if at is None:
            return None
        found = value(at)
        return NULL if found == 0 else lead(found)

    return rule


def at_infinity(up: Any, down: Any) -> Rule:
    """The limits as u → ∞ and as u → -∞ (None: not asked for)."""

    def rule(f: Germ) -> Known:
        found = (up if sign(f) > 0 else down) if grows(f) else None
        return None if found is None else NULL if found == 0 else lead(found)

    return rule


def absolute(f: Germ) -> Known:
    return lead(abs(f.c), f.g) if f.kind == "lead" else f if f.kind == "null" else None


def sign_of(f: Germ) -> Known:
    return lead(sign(f)) if f.kind == "lead" else None


def logarithm(f: Germ) -> Known:
    """log|f|: the largest part of the scale decides."""
    if f.kind != "lead":
        return None
    e, a, b = f.g
    if e:
        return lead(sp.Rational(e), (Fraction(0), Fraction(1), Fraction(0)))
    if a:
        return lead(sp.Rational(a), (Fraction(0), Fraction(0), Fraction(1)))
    return None if b or f.c in (1, -1) else lead(sp.log(abs(f.c)))


def root(r: Fraction) -> Rule:
    """|f|^r."""
    return lambda f: lead(abs(f.c) ** sp.Rational(r), scaled(f.g, r)) if f.kind == "lead" else None


def floor_of(n: int) -> Rule:
    """⌊n + f⌋ for f → 0 with a sign."""

    def rule(f: Germ) -> Known:
        if f.kind != "lead" or not vanishes(f):
            return None
        found = n if sign(f) > 0 else n - 1
        return lead(found) if found else NULL

    return rule


def waving(f: Germ) -> Known:
    return WAVE if grows(f) else None


def damped(f: Germ) -> Known:
    """f·(3 + sin u) with u → ∞ keeps the infinity but has no leading term: only its reciprocal is known."""
    return NULL if grows(f) else None


def nonzero(found: Known) -> Rule:
    """What is found where f → 0 and f ≠ 0."""
    return lambda f: found if vanishes(f) and f.kind == "lead" else None


def step_of(f: Germ) -> Known:
    return None if f.kind != "lead" else lead(1) if sign(f) > 0 else NULL


Q = sp.Rational
GAMMA = sp.EulerGamma
NEAR_ZERO: list[tuple[str, Rule]] = [
    ("sin({0})", cancelling(1, 1)),
    ("tan({0})", cancelling(1, 1)),
    ("asin({0})", cancelling(1, 1)),
    ("atan({0})", cancelling(1, 1)),
    ("sinh({0})", cancelling(1, 1)),
    ("tanh({0})", cancelling(1, 1)),
    ("asinh({0})", cancelling(1, 1)),
    ("atanh({0})", cancelling(1, 1)),
    ("(exp({0}) - 1)", cancelling(1, 1)),
    ("log(1 + {0})", cancelling(1, 1)),
    ("(1 - cos({0}))", cancelling(Q(1, 2), 2)),
    ("(cosh({0}) - 1)", cancelling(Q(1, 2), 2)),
    ("(exp({0}) - 1 - ({0}))", cancelling(Q(1, 2), 2)),
    ("(sin({0}) - ({0}))", cancelling(-Q(1, 6), 3)),
    ("(tan({0}) - ({0}))", cancelling(Q(1, 3), 3)),
    ("(tan({0}) - sin({0}))", cancelling(Q(1, 2), 3)),
    ("(sqrt(1 + {0}) - 1)", cancelling(Q(1, 2), 1)),
    ("(log(1 + {0}) - ({0}))", cancelling(-Q(1, 2), 2)),
    ("((1 + {0})**Rational(1,3) - 1)", cancelling(Q(1, 3), 1)),
    ("(sqrt(4 + {0}) - 2)", cancelling(Q(1, 4), 1)),
    ("(2**({0}) - 1)", cancelling(sp.log(2), 1)),
    ("(exp({0}) - exp(-({0})))", cancelling(2, 1)),
    ("(exp({0}) - cos({0}))", cancelling(1, 1)),
    ("erf({0})", cancelling(2 / sp.sqrt(sp.pi), 1)),
    ("(gamma(1 + {0}) - 1)", cancelling(-GAMMA, 1)),
    ("(1/(1 + {0}) - 1)", cancelling(-1, 1)),
    ("(1/(1 - ({0})) - 1 - ({0}))", cancelling(1, 2)),
    ("(asin({0}) - atan({0}))", cancelling(Q(1, 2), 3)),
    ("(cos({0}) - exp(-({0})**2/2))", cancelling(-Q(1, 12), 4)),
    ("(log(3 + {0}) - log(3))", cancelling(Q(1, 3), 1)),
    ("(atan(1 + {0}) - pi/4)", cancelling(Q(1, 2), 1)),
    ("({0} + ({0})**2)", cancelling(1, 1)),
    ("(({0})**2 - ({0})**3)", cancelling(1, 2)),
]
FINITE: list[tuple[str, Rule]] = [
    ("exp({0})", continuous(sp.exp)),
    ("cos({0})", continuous(sp.cos)),
    ("atan({0})", continuous(sp.atan)),
    ("sqrt(1 + ({0})**2)", continuous(lambda v: sp.sqrt(1 + v**2))),
    ("1/(2 + cos({0}))", continuous(lambda v: 1 / (2 + sp.cos(v)))),
    ("log(2 + ({0})**2)", continuous(lambda v: sp.log(2 + v**2))),
    ("tanh({0})", continuous(sp.tanh)),
    ("({0})**3", continuous(lambda v: v**3)),
    ("erf({0})", continuous(sp.erf)),
    ("2**({0})", continuous(lambda v: 2**v)),
    ("1/(1 + exp({0}))", continuous(lambda v: 1 / (1 + sp.exp(v)))),
    ("({0} + 1)**2", continuous(lambda v: (v + 1) ** 2)),
]
UNBOUNDED: list[tuple[str, Rule]] = [
    ("atan({0})", at_infinity(sp.pi / 2, -sp.pi / 2)),
    ("tanh({0})", at_infinity(1, -1)),
    ("erf({0})", at_infinity(1, -1)),
    ("({0})/(1 + Abs({0}))", at_infinity(1, -1)),
    ("({0})/sqrt(({0})**2 + 5)", at_infinity(1, -1)),
    ("1/(1 + exp({0}))", at_infinity(0, 1)),
    ("exp(-({0})**2)", at_infinity(0, 0)),
    ("exp(-Abs({0}))*({0})**2", at_infinity(0, 0)),
    ("({0} + sin({0}))/({0})", at_infinity(1, 1)),
    ("sin({0})/({0})", at_infinity(0, 0)),
    ("(3 + cos({0}))/({0})", at_infinity(0, 0)),
    ("floor({0})/({0})", at_infinity(1, 1)),
    ("(1 + 2/({0}))**({0})", at_infinity(sp.exp(2), sp.exp(2))),
    ("(1 - 1/({0}))**({0})", at_infinity(sp.exp(-1), sp.exp(-1))),
    ("({0})*sin(3/({0}))", at_infinity(3, 3)),
    ("({0})*(exp(1/({0})) - 1)", at_infinity(1, 1)),
    ("({0})**2*(1 - cos(1/({0})))", at_infinity(Q(1, 2), Q(1, 2))),
    ("(sqrt(({0})**2 + 3*({0})) - ({0}))", at_infinity(Q(3, 2), None)),
    ("(sqrt(({0})**2 + 3*({0})) + ({0}))", at_infinity(None, -Q(3, 2))),
    ("({0})*(log({0} + 2) - log({0}))", at_infinity(2, None)),
    ("(log(1 + exp({0})) - ({0}))", at_infinity(0, None)),
    ("log(1 + exp({0}))", at_infinity(None, 0)),
    ("(log(1 + exp({0}))/({0}))", at_infinity(1, 0)),
    ("log(({0})**2 + 1)/log(Abs({0}))", at_infinity(2, 2)),
    ("Abs({0})**(1/({0}))", at_infinity(1, 1)),
    ("sin({0})", waving),
    ("cos({0})", waving),
    ("sin({0})**2", waving),
    ("1/(({0})*(3 + sin({0})))", damped),
    ("(sin({0} + 1/({0})) - sin({0}))", at_infinity(0, 0)),
    ("(2 + sin({0}))**(1/({0}))", at_infinity(1, 1)),
    ("(sqrt({0} + 1) - sqrt({0}))", at_infinity(0, None)),
    ("(digamma({0}) - log({0}))", at_infinity(0, None)),
    ("gamma({0} + 1)/(({0})*gamma({0}))", at_infinity(1, None)),
    ("erfc({0})", at_infinity(0, 2)),
    ("log(gamma({0}))/(({0})*log({0}))", at_infinity(1, None)),
    ("({0})*(pi/2 - atan({0}))", at_infinity(1, None)),
]
ALWAYS: list[tuple[str, Rule]] = [
    ("Abs({0})", absolute),
    ("sign({0})", sign_of),
    ("log(Abs({0}))", logarithm),
    ("sqrt(Abs({0}))", root(Fraction(1, 2))),
    ("Abs({0})**Rational(2,3)", root(Fraction(2, 3))),
    ("({0})**2", lambda f: times(f, f)),
    ("Heaviside({0})", step_of),
    ("floor(2 + {0})", floor_of(2)),
    ("floor({0})", floor_of(0)),
    ("ceiling(3 - ({0}))", lambda f: negated(floor_of(-3), f)),
    ("-({0})", opposite),
    ("3*({0})", lambda f: times(f, Germ("lead", sp.Integer(3)))),
    ("({0})/5", lambda f: times(f, Germ("lead", Q(1, 5)))),
    ("(1 + {0})**(2/({0}))", nonzero(lead(sp.exp(2)))),
    ("cos({0})**(1/({0})**2)", nonzero(lead(sp.exp(-Q(1, 2))))),
    ("Abs({0})**({0})", nonzero(lead(1))),
    ("({0})*log(Abs({0}))", nonzero(NULL)),
    ("1/({0})", lambda f: over(Germ("lead", sp.S.One), f)),
    ("1 + {0}", lambda f: plus(Germ("lead", sp.S.One), f)),
    ("{0} - 2", lambda f: plus(Germ("lead", sp.Integer(-2)), f)),
]
BROKEN = ("sign", "Heaviside", "floor", "ceiling")  # these may jump


def negated(rule: Rule, f: Germ) -> Known:
    """⌈3 - f⌉ = -⌊-3 + f⌋."""
    found = rule(f)
    return None if found is None else opposite(found)


# ---------------------------------------------------------------- where, and how it begins

POINTS = ["0", "0", "0", "1", "2", "-1", "Rational(1,2)", "pi", "sqrt(2)", "-3", "log(2)"]


def both(c: Any, g: Scale, odd: bool) -> dict[int, Known]:
    return {1: lead(c, g), -1: lead(-c if odd else c, g)}


def begin(point: str) -> list[Part]:
    return beyond(1 if point == "oo" else -1) if "oo" in point else beside(point)


def beside(point: str) -> list[Part]:
    """Germs in t = x - point; h = |t|."""
    t = "x" if point == "0" else f"(x - {point})" if point[0] != "-" else f"(x + {point[1:]})"
    up = (Fraction(0), Fraction(1), Fraction(0))
    log = (Fraction(0), Fraction(0), Fraction(1))
    exponential = (Fraction(1), Fraction(0), Fraction(0))
    return [
        Part(t, both(1, scaled(up, -1), True)),
        Part(t, both(1, scaled(up, -1), True)),
        Part(f"1/{t}", both(1, up, True)),
        Part(f"{t}**2", both(1, scaled(up, -2), False)),
        Part(f"Abs({t})", both(1, scaled(up, -1), False)),
        Part(f"log(Abs({t}))", both(-1, log, False)),
        Part(f"exp(-1/Abs({t}))", both(1, scaled(exponential, -1), False)),
        Part(f"exp(1/{t})", {1: lead(1, exponential), -1: lead(1, scaled(exponential, -1))}),
        Part(f"sqrt({t})", {1: lead(1, scaled(up, -Fraction(1, 2))), -1: None}),
        Part(f"sin(1/{t})", {1: WAVE, -1: WAVE}),
    ]


def beyond(side: int) -> list[Part]:
    """Germs in x → ±∞; h = 1/|x|, and the one side is called as `limit` calls it."""
    up = (Fraction(0), Fraction(1), Fraction(0))
    exponential = (Fraction(side), Fraction(0), Fraction(0))
    size = "x" if side > 0 else "(-x)"
    one = lambda text, found: Part(text, {-side: found})
    return [
        one("x", lead(side, up)),
        one("x", lead(side, up)),
        one("1/x", lead(side, scaled(up, -1))),
        one("x**2", lead(1, scaled(up, 2))),
        one(f"log{size if side < 0 else '(x)'}", lead(1, (Fraction(0), Fraction(0), Fraction(1)))),
        one("exp(x)", lead(1, exponential)),
        one("exp(-x)", lead(1, scaled(exponential, -1))),
        one(f"sqrt({size})", lead(1, scaled(up, Fraction(1, 2)))),
        one("sin(x)", WAVE),
        one("(x**2 + 1)/(2*x + 3)", lead(Q(side, 2), up)),
    ]


# ---------------------------------------------------------------- growing


def applied(template: str, rule: Callable[..., Known], parts: list[Part]) -> Part | None:
    """The rule on each side; None where it holds on neither."""
    sides: dict[int, Known] = {}
    for side in parts[0].sides:
        germs = [p.sides[side] for p in parts]
        sides[side] = rule(*germs) if None not in germs else None
    smooth = all(p.smooth for p in parts) and not template.startswith(BROKEN)
    if all(f is None for f in sides.values()) or ("wave" in {f.kind for f in sides.values() if f} and not smooth):
        return None
    return Part(template.format(*[p.text for p in parts]), sides, smooth)


def grow(chance: random.Random, pool: list[Part]) -> Part | None:
    """One more part from those that there are; the latest are taken more often."""
    pick = lambda: pool[-1 - min(int(chance.expovariate(0.6)), len(pool) - 1)]
    if chance.random() < 0.4:
        template, rule = chance.choice(PAIRS)
        parts = [pick(), pick()]
        return applied(template, rule, parts) if parts[0] is not parts[1] else None
    part = pick()
    known = next(f for f in part.sides.values() if f) if any(part.sides.values()) else None
    fitting = ALWAYS if chance.random() < 0.3 else matching(known)
    return applied(*chance.choice(fitting), [part])


def matching(f: Known) -> list[tuple[str, Rule]]:
    if f is None or f.kind == "wave":
        return ALWAYS
    return NEAR_ZERO if vanishes(f) else UNBOUNDED if grows(f) else FINITE


def answer(part: Part, side: int) -> Any:
    f = part.sides[side]
    if f is None:
        return None
    if f.kind == "wave":
        return "DNE"
    return sp.oo * sign(f) if grows(f) else settles(f)


def verdict(part: Part) -> tuple[str, str] | None:
    """(direction, truth)."""
    found = {s: answer(part, s) for s in part.sides}
    known = {s: v for s, v in found.items() if v is not None}
    if len(found) == 1 or len(known) == 1:
        (side, value), *_ = known.items() or [(0, None)]
        return ("+" if side > 0 else "-", str(value)) if value is not None else None
    if known[1] == known[-1]:
        return "+-", str(known[1])
    infinite = [v in (sp.oo, -sp.oo) for v in known.values()]
    if "DNE" in known.values() or any(infinite) or abs(sp.N(known[1] - known[-1])) > 1e-9:
        return "+-", "zoo" if all(infinite) else "DNE"
    return None


def trivial(part: Part, start: list[Part]) -> bool:
    return part.text in {p.text for p in start} or not 8 < len(part.text) < 150


def make(seed: int) -> Row:
    """One limit with its answer; the same seed gives the same row.

    >>> make(1) == make(1)
    True
    """
    chance = random.Random(f"limits {seed}")
    while True:
        point = chance.choice([*POINTS, "oo", "oo", "oo", "oo", "-oo"])
        start = begin(point)
        part = grown(chance, chance.sample(start, 3), chance.randint(2, 6))
        found = verdict(part) if part is not None and not trivial(part, start) else None
        if part is not None and found is not None and keep(found[1], chance):
            return Row(f"R{seed:05d}", part.text, point, found[0], found[1], "random")


def grown(chance: random.Random, pool: list[Part], steps: int) -> Part | None:
    """The last of so many new parts; None where they were not found in thirty trials."""
    for _ in range(30):
        part = grow(chance, pool)
        if part is not None and len(part.text) < 120 and part.text not in {p.text for p in pool}:
            pool.append(part)
            steps -= 1
        if steps == 0:
            return pool[-1]
    return None


def keep(truth: str, chance: random.Random) -> bool:
    """Zeros and infinities come too easily: some are left out."""
    share = {"0": 0.35, "oo": 0.4, "-oo": 0.4, "DNE": 0.6, "zoo": 0.6}
    return chance.random() < share.get(truth, 1.0)


def corpus(count: int, seed: int = 0) -> Iterator[Row]:
    for k in range(count):
        yield make(seed + k)
