"""Critical points: found, proven, none missed; the global minimum on a box."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb

import tangently as tg
from tangently.descent.fields import factored, numerator
from tangently.descent.intervals import balls, joined, spectrum
from tangently.descent.regions import read_region
from tangently.enclosure import enclose, precision
from tangently.expr import evaluate, inputs_of, symbol
from tangently.limits.reading import read
from tangently.smoothness.several import placed

HIMMELBLAU = "(x^2 + y - 11)^2 + (x + y^2 - 7)^2"
BEALE = "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2"
ROSENBROCK = "(1 - x)^2 + 100*(y - x^2)^2"
RASTRIGIN = "20 + x^2 - 10cos(2*pi*x) + y^2 - 10cos(2*pi*y)"
CAMEL = "(4 - 2.1x^2 + x^4/3)*x^2 + x*y + (-4 + 4y^2)*y^2"
PEAKS = "3(1-x)^2*exp(-x^2-(y+1)^2) - 10(x/5-x^3-y^5)*exp(-x^2-y^2) - 1/3*exp(-(x+1)^2-y^2)"


def box(half: float, n: int = 2) -> Any:
    return ((-half, half),) * n


def kinds(found: Any) -> Counter[str]:
    return Counter(p.kind for p in found)


WELL_KNOWN = [
    ("x^2 + y^2 - 2x - 4y + 5", box(5), {"minimum": 1}),
    (HIMMELBLAU, box(5), {"minimum": 4, "maximum": 1, "saddle": 4}),
    (HIMMELBLAU, box(500), {"minimum": 4, "maximum": 1, "saddle": 4}),
    (BEALE, box(4.5), {"minimum": 1, "saddle": 2}),
    (ROSENBROCK, box(5), {"minimum": 1}),
    (RASTRIGIN, box(1.6), {"minimum": 9, "maximum": 16, "saddle": 24}),
    (CAMEL, ((-3, 3), (-2, 2)), {"minimum": 6, "maximum": 2, "saddle": 7}),
    ("x^4 + y^4 - 4x*y + 1", box(2), {"minimum": 2, "saddle": 1}),
    ("x^3*y + 12x^2 - 8y", ((-3, 3), (-9, 9)), {"saddle": 1}),
    ("exp(-x^2 - y^2)*x", box(3), {"minimum": 1, "maximum": 1}),
    ("x^2 + y^2 + z^2 + w^2 - x*y*z*w", dict.fromkeys("xyzw", (-3, 3)), {"minimum": 1, "saddle": 8}),
    ("x^4 - 2x^2", (-3, 3), {"minimum": 2, "maximum": 1}),
    ("sin(x)", (0, 20), {"minimum": 3, "maximum": 3}),
    ("sin(x)*sin(y)", ((0, "pi"), (0, "2*pi")), {"minimum": 1, "maximum": 1, "saddle": 6}),
    ("tan(x)*y", ((-3, 3), (-2, 2)), {"saddle": 1}),
    ("(x^2 + y^2)/(1 - x*y)", box(2), {"minimum": 1}),
    ("log(x) + 1/x + y^2", ((0.01, 3), (-1, 1)), {"minimum": 1}),
    ("sqrt(1 - x^2 - y^2)", box(2), {"maximum": 1}),
]


@pytest.mark.parametrize(("f", "region", "wanted"), WELL_KNOWN, ids=[c[0][:32] for c in WELL_KNOWN])
def test_all_are_found_and_proven(f: str, region: Any, wanted: dict[str, int]) -> None:
    begun = time.process_time()
    found = tg.critical_points(f, region)
    assert kinds(found) == wanted
    assert found.complete
    assert all(p.proven for p in found)
    assert not found.undecided
    assert time.process_time() - begun < 8


@pytest.mark.parametrize("text", [HIMMELBLAU, BEALE, RASTRIGIN, CAMEL, PEAKS])
def test_a_dense_grid_of_newton_finds_no_other(text: str) -> None:
    """The second opinion: SymPy's derivatives, Newton from 6400 starts, no balls."""
    half = 1.6 if text is RASTRIGIN else 3.0
    f = tg.to_sympy(read(text).root)
    x, y = sorted(f.free_symbols, key=str)
    slope = sympy.lambdify((x, y), [sympy.diff(f, v) for v in (x, y)])
    second = sympy.lambdify((x, y), [sympy.diff(f, u, v) for u in (x, y) for v in (x, y)])
    side = np.linspace(-half, half, 80)
    p = np.array(list(itertools.product(side, side)))
    with np.errstate(all="ignore"):
        for _ in range(40):
            g = np.stack([np.broadcast_to(v, len(p)) for v in slope(*p.T)], axis=1)
            H = np.stack([np.broadcast_to(v, len(p)) for v in second(*p.T)], axis=1).reshape(-1, 2, 2)
            H = np.where(np.isfinite(H), H, 1.0)
            step = np.einsum("kij,kj->ki", np.linalg.pinv(H), np.nan_to_num(g))
            p = p - step / np.maximum(1, np.abs(step).max(axis=1, keepdims=True) / 0.3)
        size = np.abs(np.stack([np.broadcast_to(v, len(p)) for v in slope(*p.T)], axis=1)).max(axis=1)
    ends_ = p[(size < 1e-9) & (np.abs(step).max(axis=1) < 1e-10) & (np.abs(p) < half).all(axis=1)]
    found = tg.critical_points(text, box(half))
    assert found.complete
    known = np.array([q.coordinates for q in found])
    apart = np.abs(ends_[:, None] - known).max(axis=2).min(axis=1)
    assert apart.max() < 1e-6  # Newton finds nothing else
    reached = np.abs(ends_[:, None] - known).max(axis=2).min(axis=0)
    assert np.median(reached) < 1e-8


def test_himmelblau_in_figures() -> None:
    found = tg.critical_points(HIMMELBLAU, box(5))
    assert [p.x for p in found.minima][2] == (3.0, 2.0)
    for p in found:
        (x0, x1), (y0, y1) = p.enclosure
        assert x1 - x0 < 1e-14
        assert y1 - y0 < 1e-14
        assert p.value_enclosure[0] <= p.value <= p.value_enclosure[1]
        x, y = p.x
        assert (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2 == pytest.approx(p.value, abs=1e-12)
    assert found.maxima[0].value == pytest.approx(181.61652152258262, rel=1e-14)
    assert found.minima[2].eigenvalues == pytest.approx(np.linalg.eigvalsh([[74.0, 20.0], [20.0, 34.0]]))


def test_minimum_of_the_issue() -> None:
    [p] = tg.critical_points("x^2 + y^2 - 2x - 4y + 5", box(10))
    assert (p.x, p.value, p.kind, p.proven, p.eigenvalues) == ((1.0, 2.0), 0.0, "minimum", True, (2.0, 2.0))
    assert p.label == "minimum at x = 1, y = 2"


def test_rastrigin_is_the_product_of_its_lines() -> None:
    line = tg.critical_points("10 + x^2 - 10cos(2*pi*x)", (-1.6, 1.6))
    plane = tg.critical_points(RASTRIGIN, box(1.6))
    assert line.complete
    assert len(plane) == len(line) ** 2 == 49
    pairs = sorted(itertools.product([p.x for p in line], repeat=2))
    assert np.allclose([p.x for p in plane], pairs, rtol=0, atol=1e-13)


# ---------------------------------------------------------------- degenerate points

DEGENERATE = [
    ("x^3 - 3x*y^2", box(1), "degenerate", "monkey saddle"),
    ("x^3", (-1, 1), "degenerate", "inflection"),
    ("x^4", (-1, 1), "minimum", "degenerate"),
    ("-x^6", (-1, 1), "maximum", "degenerate"),
    ("x*abs(x)", (-1, 1), "degenerate", "inflection"),
    ("x^2*abs(x)", (-1, 1), "minimum", "degenerate"),
    ("x^2 + y^4", box(1), "minimum", "order 4 along the kernel"),
    ("x^2 - y^4", box(1), "saddle", "other sign"),
    ("x^2 + y^3", box(1), "degenerate", "changes sign"),
    ("x^4 + y^4", box(1), "minimum", "order 4"),
    ("-x^4 - y^4", box(1), "maximum", "order 4"),
    ("x^4 - y^4", box(1), "degenerate", "both signs"),
    ("(y - x^2)*(y - 2x^2)", box(1), "saddle", "other sign"),  # a minimum along every line, and yet a saddle
    ("(x - 1/3)^2 + (y - x)^4", box(1), "minimum", "order 4"),
    ("1 - cos(x) + y^4", box(1), "minimum", "order 4"),
    ("(x - sqrt(2))^4 + (y + pi/3)^2", box(2), "minimum", "order 4"),
]


@pytest.mark.parametrize(("f", "region", "kind", "detail"), DEGENERATE, ids=[c[0] for c in DEGENERATE])
def test_degenerate_points_are_judged(f: str, region: Any, kind: str, detail: str) -> None:
    found = tg.critical_points(f, region)
    [p] = found
    assert (p.kind, p.proven, found.complete) == (kind, True, True)
    assert detail in p.detail


def test_what_is_not_decided_is_said() -> None:
    found = tg.critical_points("x^2*y - y^3 + cos(z)", ((-1, 1), (-1, 1), (-1, 1)))
    [p] = found
    assert (p.kind, p.proven, found.complete) == ("degenerate", False, False)
    assert found.undecided


@pytest.mark.parametrize(
    ("f", "sets", "isolated"),
    [
        ("(x^2 + y^2 - 1)^2", ["x² + y² − 1 = 0"], ["maximum"]),
        ("(x + y)^2", ["x + y = 0"], []),
        ("cos(x*y - 1)", ["sin(x y − 1) = 0"], ["saddle"]),
        ("x^2*y^2", ["x = 0", "y = 0"], ["degenerate"]),
        ("x^4 - 2x^2*y + y^2", ["x² − y = 0"], []),  # written out, the factor is the gcd of the partial derivatives
        ("x^2 + 2x*y + y^2 - 2x - 2y", ["x + y − 1 = 0"], []),
        ("(x + 2y - 1)^2 + (2x + 4y - 2)^2", ["x + 2y − 1 = 0"], []),
    ],
)
def test_curves_of_critical_points_are_told(f: str, sets: list[str], isolated: list[str]) -> None:
    found = tg.critical_points(f, box(2))
    assert sorted(found.sets) == sorted(sets)
    assert [p.kind for p in found] == isolated
    assert found.complete
    assert "not isolated" in str(found)


def test_what_is_flat_is_told() -> None:
    for f, region in [("3", (0, 1)), ("x*0 + y*0 + 3", box(1)), ("3", box(1))]:
        found = tg.critical_points(f, region)
        assert (len(found), found.complete) == (0, True)
        assert "constant" in found.sets[0]
    [p] = tg.critical_points("x^2 + 0*y", box(1))
    assert p.kind == "degenerate"
    assert "does not depend on y" in p.detail
    assert p.enclosure[1] == (-1.0, 1.0)
    assert "constant for -1 ≤ x ≤ 0" in tg.critical_points("relu(x)", (-1, 1)).sets[0]


def test_an_undetected_curve_ends_honestly() -> None:
    found = tg.critical_points("abs(x) + y^2 - x", box(1), budget=3000)
    assert not found.complete
    assert found.undecided
    assert "not be isolated" in str(found)


# ---------------------------------------------------------------- edges, kinks, poles


def test_kinks_are_listed_and_are_no_critical_points() -> None:
    found = tg.critical_points("abs(x)", (-1, 1))
    assert (len(found), found.complete) == (0, True)
    assert [(r.box, r.manner) for r in found.rough] == [(((0.0, 0.0),), "kink")]
    plane = tg.critical_points("abs(x) + abs(y)", box(1))
    assert (len(plane), plane.complete) == (0, True)
    assert [r.where for r in plane.rough] == ["x = 0", "y = 0"]
    smooth = tg.critical_points("x*abs(x) + y^2 - x", box(1))
    assert smooth.rough == ()  # its pieces have one gradient at x = 0
    assert kinds(smooth) == {"minimum": 1, "saddle": 1}


def test_a_condition_that_holds_on_an_open_set() -> None:
    """relu(x) is 0 on half of the plane, and there f is y² alone: a formula that no sign of relu(x) gives."""
    f = lambda x, y: np.where(np.maximum(x, 0) == 0, y * y, y + 3 * x)
    found = tg.critical_points(f, box(1))
    assert not found.complete  # the line y = 0, x < 0 is critical
    assert found.undecided


def test_a_kink_beside_a_minimum_is_kept_out_of_its_box() -> None:
    [p] = tg.critical_points("(x - 1e-3)^2 + y^2 + 1e-6*abs(x)", box(1))
    assert p.kind == "minimum"
    assert p.x[0] == pytest.approx(1e-3 - 5e-7, rel=1e-12)


def test_differentiable_where_pieces_meet() -> None:
    found = tg.critical_points("abs(x)*x + y^2", box(1))
    [p] = found
    assert (p.coordinates, p.proven, found.complete) == ((0.0, 0.0), False, False)


def test_norm_has_a_kink_and_says_so() -> None:
    found = tg.critical_points("sqrt(x^2 + y^2)", box(1))
    assert len(found) == 0
    assert [r.manner for r in found.rough] == ["kink"]


@pytest.mark.parametrize(
    ("f", "region", "where"),
    [("x + 1/x + y^2", ((-3, 3), (-1, 1)), "x = 0: no value"), ("log(x*y) + x + y", box(3), "x y = 0: no value"),
     ("1/x", (-1, 1), "x = 0")],
)  # fmt: skip
def test_poles_are_listed(f: str, region: Any, where: str) -> None:
    assert any(where in str(r) for r in tg.critical_points(f, region).rough)


def test_points_on_the_edge_count() -> None:
    for f, region in [("x^2", (0, 1)), ("x^2 + y^2", ((0, 1), (0, 1))), ("(x - 0.1)^2 + y^2", ((0.1, 1), (-1, 1)))]:
        found = tg.critical_points(f, region)
        assert [p.note for p in found] == ["on the edge of the region"]
        assert found.complete
    assert len(tg.critical_points("x^2 + y^2", ((1e-30, 1), (0, 1)))) == 0
    assert len(tg.critical_points("x^2 + y^2", ((-1e-30, 1), (0, 1)))) == 1


# ---------------------------------------------------------------- what is given


def test_forms_of_f_and_of_the_region() -> None:
    x, y = sympy.symbols("x y")
    for f in ("x^2 + (y - 1)^2", x**2 + (y - 1) ** 2, lambda x, y: x * x + (y - 1) ** 2):
        for region in (((-2, 2), (-2, 2)), {"y": (-2, 2), "x": (-2, 2)}, np.array([[-2, 2], [-2, 2]])):
            assert tg.critical_points(f, region)[0].x == (0.0, 1.0)
    [p] = tg.critical_points(lambda v: np.sum((v - np.array([0.5, -0.25])) ** 2), box(1))
    assert isinstance(p.x, np.ndarray)
    assert p.x.tolist() == [0.5, -0.25]
    assert p.names == ("v1", "v2")
    assert tg.critical_points(lambda x: math.sin(x), (0, 3))[0].x == pytest.approx(math.pi / 2)
    assert tg.critical_points("x^2", {"x": (-1, 1)})[0].x == 0.0


def branches(x: float) -> float:
    return x * x if x > 1 else (x - 0.5) ** 2 + 0.75


def test_a_function_that_branches() -> None:
    found = tg.critical_points(branches, (-2, 3))
    assert [p.x for p in found] == [0.5]
    assert [r.box for r in found.rough] == [((1.0, 1.0),)]
    lowest = tg.global_minimum(branches, (-2, 3))
    assert lowest.x == pytest.approx(0.5, abs=1e-6)
    assert lowest.value == pytest.approx(0.75)
    plane = lambda x, y: x * x + y * y if x > 0 else 2 * x * x + y * y
    several = tg.critical_points(plane, box(1))
    assert not several.complete
    assert not any(p.proven for p in several)
    assert "branches" in str(several)
    with pytest.raises(tg.TraceError, match="branches"):
        tg.global_minimum(plane, box(1))


@pytest.mark.parametrize(
    ("f", "region", "words"),
    [
        ("x + y", (0, 1), "2 pairs"),
        ("x", (1, 0), "lo < hi"),
        ("x*y", ((0, 1), (0, math.inf)), "finite"),
        ("x", {"y": (0, 1)}, "region names y"),
        (lambda v: v * 2, ((0, 1), (0, 1)), "one number"),
        ("x", 3, "wanted"),
    ],
)
def test_bad_input(f: Any, region: Any, words: str) -> None:
    with pytest.raises(tg.TangentlyError, match=words):
        tg.critical_points(f, region)


def test_many_starts_in_high_dimension() -> None:
    found = tg.critical_points(lambda v: np.sum((v**2 - 1) ** 2) + v[0] * v[1], box(2, 5))
    assert len(found) == 9 * 27
    assert not found.complete
    assert all(p.proven for p in found)
    assert len(found.minima) == 4 * 8
    again = tg.critical_points(lambda v: np.sum((v**2 - 1) ** 2) + v[0] * v[1], box(2, 5))
    assert [p.coordinates for p in again] == [p.coordinates for p in found]
    assert "and 203 more" in str(found)


def test_the_table() -> None:
    text = str(tg.critical_points("x^3 - 3x + y^2", box(2)))
    head, columns, *rows = text.splitlines()
    assert head == "2 critical points in -2 ≤ x ≤ 2, -2 ≤ y ≤ 2; proven: there is no other (" + head.split("(")[1]
    assert columns.split() == ["kind", "x", "y", "value", "eigenvalues", "proven"]
    assert rows[0].split() == ["saddle", "-1", "0", "2", "-6", "2", "yes"]
    assert rows[1].split() == ["minimum", "1", "0", "-2", "2", "6", "yes"]


# ---------------------------------------------------------------- the parts


def test_random_cubics_have_the_roots_of_their_resultant() -> None:
    """∂f/∂y is linear in y, so that y can be eliminated: what is left is a polynomial in x, solved by its companion."""
    rng = np.random.default_rng(5)
    for _ in range(40):
        a, b, c, d = rng.integers(1, 6, 4).tolist()
        found = tg.critical_points(f"{a}x^3 - {b}x*y^2 - {c}x^2 + {d}y^2 + x*y - x + 2y", box(4))
        x = np.polynomial.Polynomial([0, 1])
        below = 2 * d - 2 * b * x  # ∂f/∂y = below·y + x + 2
        above = -x - 2
        wanted = [
            (v, (above(v) / below(v)))
            for v in ((3 * a * x**2 - 2 * c * x - 1) * below**2 - b * above**2 + above * below).roots()
            if abs(v.imag) < 1e-9 and abs(below(v)) > 1e-9
        ]
        wanted = sorted((v.real, w.real) for v, w in wanted if abs(v.real) < 4 and abs(w.real) < 4)
        assert found.complete
        assert np.allclose([p.coordinates for p in found], wanted, atol=1e-6)


def test_spectrum_holds_the_eigenvalues() -> None:
    from flint import arb

    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 5):
        a = rng.normal(size=(n, n))
        a = a + a.T
        held = spectrum([[arb(float(v)) for v in row] for row in a])
        assert held is not None
        for v, ball in zip(np.linalg.eigvalsh(a), held):
            assert abs(float(ball.mid()) - v) < 1e-12
            assert float(ball.rad()) < 1e-12
    assert len(spectrum([[arb(1), arb(0)], [arb(0), arb(1)]]) or []) == 2


def test_factors_and_numerators_are_the_same_function() -> None:
    x, y = symbol("x"), symbol("y")
    at = {x: 0.7, y: -1.3}
    for e in [x * y + x * x, (x * y) ** 2 - x * y * 3, x / y + 1 / (x * x), -(x**3) / (y - 1) + x]:
        powers, rest = factored(e)
        product = evaluate([rest], at)[0] * math.prod(evaluate([b], at)[0] ** k for b, k in powers.items())
        assert product == pytest.approx(evaluate([e], at)[0])
    e = x / y + 1 / (x * x)
    assert evaluate([numerator(e)], at)[0] == pytest.approx(evaluate([e], at)[0] * evaluate([y * x * x], at)[0])


def test_balls_in_stages_share_and_enclose() -> None:
    from flint import arb

    x, y = symbol("x"), symbol("y")
    program = balls([x, y], [[x * y], [x * y + 1]])
    values = program.begin([arb(2), arb(3)])
    assert [float(v) for v in program.run(values, 0)] == [6.0]
    assert [float(v) for v in program.run(values, 1)] == [7.0]
    assert len(program.steps[1]) == 1


def test_boxes_that_touch_are_joined() -> None:
    found = joined([((0.0, 1.0),), ((2.0, 3.0),), ((1.0, 2.0),), ((5.0, 6.0),)])
    assert found == [(((0.0, 3.0),), 3), (((5.0, 6.0),), 1)]


# ---------------------------------------------------------------- the global minimum

LOWEST = [
    ("x^2 + y^2 - 2x - 4y + 5", box(5), 0.0, [(1, 2)]),
    (HIMMELBLAU, box(5), 0.0, [(-3.779310, -3.283186), (-2.805118, 3.131313), (3, 2), (3.584428, -1.848127)]),
    (ROSENBROCK, box(5), 0.0, [(1, 1)]),
    (BEALE, box(4.5), 0.0, [(3, 0.5)]),
    (RASTRIGIN, box(5.12), 0.0, [(0, 0)]),
    (CAMEL, ((-3, 3), (-2, 2)), -1.0316284534898774, [(-0.089842, 0.712656), (0.089842, -0.712656)]),
    ("x^2 - y^2", ((-1, 2), (-3, 1)), -9.0, [(0, -3)]),
    ("x + y", ((0, 1), (0, 1)), 0.0, [(0, 0)]),
    ("sin(x)", (0, 20), -1.0, [(1.5 * math.pi,), (3.5 * math.pi,), (5.5 * math.pi,)]),
    ("x^3", (-1, 1), -1.0, [(-1,)]),
]


@pytest.mark.parametrize(("f", "region", "value", "points"), LOWEST, ids=[c[0][:32] for c in LOWEST])
def test_global_minimum(f: str, region: Any, value: float, points: list[Any]) -> None:
    found = tg.global_minimum(f, region)
    assert found.proven
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.value_enclosure[0] <= value + 1e-15 * (value != 0)
    assert found.value_enclosure[1] >= value - 1e-15
    assert np.allclose([p.coordinates for p in found.points], points, atol=1e-5)
    assert all(p.proven for p in found.points)


def test_global_minimum_at_a_kink_and_at_a_flat_point() -> None:
    for f in ("abs(x) + abs(y - 1/3)", "x^4 + y^4", "max(x^2, y^2)"):
        found = tg.global_minimum(f, box(1))
        assert found.proven
        assert found.value_enclosure[0] <= 0 <= found.value_enclosure[1] + 1e-300
        assert found.value_enclosure[1] - found.value_enclosure[0] < 1e-8


def test_global_minimum_says_what_is_not_settled() -> None:
    pole = tg.global_minimum("1/x", (-1, 1))
    assert not pole.proven
    assert pole.value_enclosure[0] == -math.inf
    spent = tg.global_minimum(HIMMELBLAU, box(5), budget=3)
    assert "budget" in str(spent)
    assert spent.value_enclosure[0] <= 0 <= spent.value_enclosure[1]


# ---------------------------------------------------------------- what once was wrong, and random functions

FOUND_WANTING = [
    # balls of the first box did not contract, and its middle was told as the zero
    ("(4y^2 + 3)^2 + (3 - y)^2 + x^2", {"x": (-3, 3), "y": (-3, 3.5)}, [(0, 0.11790214673641107)]),
    ("gamma(x) + y^2", {"x": (0.1, 4), "y": (-1, 1)}, [(1.4616321449683623, 0)]),
    # three zeros in one thin box
    ("(x^2 - 1e-12)^2 + y^2", box(1), [(-1e-6, 0), (0, 0), (1e-6, 0)]),
    # scales
    ("1e-300(x^2 + y^2)", box(1), [(0, 0)]),
    ("1e300(x^2 + y^2 - x)", box(1), [(0.5, 0)]),
    ("(x - 1e8)^2 + (y - 1e-8)^2", ((0, 2e8), (0, 2e-8)), [(1e8, 1e-8)]),
    # factors and denominators that have no zero, whatever the balls say
    ("exp(-x^2 - y^2)", box(30), [(0, 0)]),
    ("tanh(x)^2 + tanh(y)^2", box(500), [(0, 0)]),
    ("x/(x^2 + y^2 + 1)", box(1000), [(-1, 0), (1, 0)]),
    # poles that are no simple numbers
    ("(3 - 4x^2 - 6x^3)/(4x + x^2)", (-4, 4), [(-0.7131701744074743,)]),
    ("(2x^3 + 3x - 6)/(5x^2 - x - 4)", (-4, 4), [(-2.398846441,), (0.4082306416,)]),
    # the kink of a norm, and no critical point
    ("sqrt(x^2 + y^2)", box(2), []),
]


@pytest.mark.parametrize(("f", "region", "points"), FOUND_WANTING, ids=[c[0][:28] for c in FOUND_WANTING])
def test_what_once_was_wrong(f: str, region: Any, points: list[Any]) -> None:
    found = tg.critical_points(f, region)
    assert found.complete
    assert all(p.proven for p in found)
    mine = [[dict(zip(p.names, p.coordinates))[n] for n in sorted(p.names)] for p in found]
    assert len(mine) == len(points)
    assert np.allclose(mine, points, rtol=1e-8, atol=1e-14)


def test_part_of_a_line_without_end_is_proven() -> None:
    found = tg.critical_points("sin(x)", (0, math.inf))
    assert not found.complete
    assert len(found) == 10
    assert all(p.proven for p in found)
    assert str(found).startswith("10 critical points in 0 ≤ x < ∞; not proven to be all")


def random_function(rng: np.random.Generator, n: int) -> str:
    """A sum of a polynomial, waves and Gaussians, with kinks or roots now and then."""
    r = lambda: f"({rng.normal() * 2:.3f})"
    names = "xyz"[:n]
    waves = [f"{r()}*sin({' + '.join(f'{int(k)}*{v}' for k, v in zip(rng.integers(-3, 4, n), names))} + {r()})"]
    bells = [f"{r()}*exp(-({' + '.join(f'({v} - {r()})^2' for v in names)}))" for _ in range(2)]
    edgy = [
        f"abs({names[0]} - {r()})",
        f"sqrt({' + '.join(f'({v} - {r()})^2' for v in names)})",
        f"max({names[-1]}, {r()})",
    ]
    powers = [f"0.05*{v}^4" for v in names]
    return " + ".join([*waves, *waves, *bells, *powers, str(rng.choice(edgy))])


@pytest.mark.parametrize("seed", range(24))
def test_random_minima_are_enclosed(seed: int) -> None:
    """The second opinion: samples, and Nelder and Mead's simplex from the best of them."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    n = 1 + seed % 3
    text = random_function(rng, n)
    found = tg.global_minimum(text, dict.fromkeys("xyz"[:n], (-3, 2)), budget=4000)
    f = sympy.lambdify(sympy.symbols("x y z")[:n], tg.to_sympy(read(text).root), "numpy")
    x = rng.uniform(-3, 2, (20_000, n))
    values = np.broadcast_to(f(*x.T), len(x))
    lowest = values.min()
    for start in x[np.argsort(values)[:3]]:
        ran = minimize(lambda p: float(f(*np.clip(p, -3, 2))), start, method="Nelder-Mead", options={"fatol": 1e-13})
        lowest = min(lowest, float(ran.fun))
    low, high = found.value_enclosure
    assert low <= lowest + 1e-9
    assert high <= lowest + 1e-6
    at = found.points[0].coordinates
    assert float(f(*[at[found.names.index(v)] for v in "xyz"[:n]])) == pytest.approx(found.value, abs=1e-6)


WELLS = [
    (
        "goldstein",
        "(1+(x+y+1)^2*(19-14x+3x^2-14y+6x*y+3y^2))*(30+(2x-3y)^2*(18-32x+12x^2+48y-36x*y+27y^2))",
        (-2, 2),
        3.0,
    ),
    ("griewank", "1 + (x^2+y^2)/4000 - cos(x)*cos(y/sqrt(2))", (-600, 600), 0.0),
    ("ackley", "20 + exp(1) - 20exp(-0.2sqrt((x^2+y^2)/2)) - exp((cos(2pi*x)+cos(2pi*y))/2)", (-32, 32), 0.0),
    ("schwefel", "-x*sin(sqrt(abs(x))) - y*sin(sqrt(abs(y)))", (-500, 500), -837.9657745448678),
    ("drop wave", "-(1 + cos(12sqrt(x^2+y^2)))/(0.5(x^2+y^2) + 2)", (-5.12, 5.12), -1.0),
    ("eggholder", "-(y+47)*sin(sqrt(abs(x/2+y+47))) - x*sin(sqrt(abs(x-y-47)))", (-512, 512), -959.6406627208506),
    ("matyas", "0.26(x^2+y^2) - 0.48x*y", (-10, 10), 0.0),
]


@pytest.mark.parametrize(("text", "side", "value"), [w[1:] for w in WELLS], ids=[w[0] for w in WELLS])
def test_known_minima_of_the_plane(text: str, side: Any, value: float) -> None:
    found = tg.global_minimum(text, {"x": side, "y": side})
    assert found.proven
    assert found.value_enclosure[0] - 1e-12 * abs(value) <= value <= found.value_enclosure[1] + 1e-12 * abs(value)
    assert found.examined < 6000


def test_known_minima_of_more_dimensions() -> None:
    """Shekel's, Rosenbrock's and Styblinski's and Tang's functions of four numbers, as written with NumPy."""
    wells = np.array([[4, 4, 4, 4], [1, 1, 1, 1], [8, 8, 8, 8], [6, 6, 6, 6], [3, 7, 3, 7]])
    depth = np.array([0.1, 0.2, 0.2, 0.4, 0.4])
    shekel = lambda v: -np.sum(1 / (np.sum((v - wells) ** 2, axis=1) + depth))
    rosenbrock = lambda v: np.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2)
    tang = lambda v: np.sum(v**4 - 16 * v**2 + 5 * v) / 2
    for f, side, value in [
        (shekel, (0, 10), -10.15319967905822),
        (rosenbrock, (-5, 10), 0.0),
        (tang, (-5, 5), -156.66466281508563),
    ]:
        found = tg.global_minimum(f, (side,) * 4)
        assert found.proven
        assert found.value == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_a_spent_budget_gives_the_best_point() -> None:
    found = tg.global_minimum("x^2 + 1e-3*sin(100x) + y^2", box(4), budget=3)
    assert not found.proven
    x, y = found.points[0].coordinates
    assert x**2 + 1e-3 * math.sin(100 * x) + y**2 == pytest.approx(found.value, abs=1e-12)
    assert "lowest value found" in str(found)
    assert "between" in str(found)


def test_where_there_is_no_value() -> None:
    with pytest.raises(tg.DomainError, match="no value anywhere on the region -1 ≤ x ≤ 1"):
        tg.global_minimum("log(x - 5)", (-1, 1))


def test_ties_are_counted() -> None:
    found = tg.global_minimum("sin(x) + sin(y)", box(14))
    assert found.proven
    assert len(found.points) == 16
    assert "… and 4 more" in str(found)
    assert "the values at these 16 points differ by less than" in str(found)


# ---------------------------------------------------------------- formulas as they are written


@pytest.mark.parametrize(
    ("formula", "at", "value"),
    [
        ("20 + exp(1) - x*y", {"x": 0.0, "y": 1.0}, lambda: 20 + arb(1).exp()),
        ("x + y*0.1 + log(10)/3", {"x": 0.0, "y": 1.0}, lambda: arb(1) / 10 + arb(10).log() / 3),
        ("sum(x^2) + exp(1)/7", {"x": [0.0, 0.0]}, lambda: arb(1).exp() / 7),
        ("x*y + 2^0.5", {"x": 0.0, "y": 0.0}, lambda: arb(2).sqrt()),
    ],
)
def test_constants_of_a_formula_are_not_rounded(formula: str, at: dict[str, Any], value: Any) -> None:
    place = placed(formula, at, None)
    pairs = {n: np.broadcast_to((-1.0, 1.0), (*np.shape(v), 2)).tolist() for n, v in at.items()}
    values = {str(x.name): enclose([v], {})[0] for x, v in place.values.items()}
    for root in (place.outputs[0], read_region(formula, pairs).f):
        [found] = enclose([root], {x: values[str(x.name)] for x in inputs_of([root])}, precision=200)
        with precision(200):
            assert found.overlaps(value())
        assert float(found.rad()) < 1e-50


# ---------------------------------------------------------------- poles and edges at the ends of a region


@pytest.mark.parametrize(
    ("formula", "region", "value"),
    [
        ("x^2 - log(x)", (0, 3), 0.5 + math.log(2) / 2), ("x + 1/x", (0, 3), 2), ("1/x", (0, 3), 1 / 3),
        ("-log(x) - log(1-x)", (0, 1), 2 * math.log(2)), ("1/(x*(1-x))", (0, 1), 4), ("x - sqrt(x)", (0, 3), -0.25),
        ("-log(1-x^2)", (-1, 1), 0), ("tan(x) + 1/x", (0, 1.5), 2.2644374158937358), ("x - 1/x", (-2, 0), -1.5),
        ("-log(x) + abs(x-0.001)", (0, 1), 0.999), ("x^2+y^2-log(x)-log(y)", box(3), None),
        ("x^2+y^2-log(x)-log(y)", ((0, 3), (0, 3)), 1 + math.log(2)), ("x+y+1/(x*y)", ((0, 3), (0, 3)), 3),
        ("x^2 - log(x) + y^2 - x*y", ((0, 3), (-2, 2)), 0.5 - math.log(2 / 3) / 2),
        ("-1/x", (0, 3), None), ("log(x)", (0, 3), None), ("1/x - 1/x^2", (0, 3), None), ("1/x", (-1, 0), None),
        ("x*y - 1/(x*y)", ((0, 1), (0, 1)), None), ("1/x", (-1, 2), None), ("log(x)*y", ((0, 1), (0, 1)), None),
        ("(x > 1)/x - log(x)", (0, 2), None), ("where(x > 0.1, 1/x, -5)", (0, 1), None),
    ],
)  # fmt: skip
def test_a_pole_at_an_end_bounds_or_unbounds(formula: str, region: Any, value: float | None) -> None:
    """Proven where f rises to the pole; where it falls to it, or jumps, no bound above a value that it takes."""
    found = tg.global_minimum(formula, region, budget=4000)
    low, high = found.value_enclosure
    assert found.proven == (value is not None) or formula.startswith("where")
    if value is not None:
        assert low - 1e-12 <= value <= high + 1e-12
    reading = read_region(formula, region)
    lo, hi = np.array(reading.box).T
    points = lo + (hi - lo) * np.random.default_rng(1).random((4000, len(lo))) ** np.random.default_rng(2).integers(
        1, 9
    )
    with np.errstate(all="ignore"):
        values = evaluate([reading.f], {x: points[:, k].copy() for k, x in enumerate(reading.xs)})[0]
    assert not np.nanmin(np.asarray(values, float)) < low
