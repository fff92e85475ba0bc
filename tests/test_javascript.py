"""JavaScript against Python, in Node: every elementwise row at sample points, helpers against mpmath, compositions."""

from __future__ import annotations

import itertools
import json
import math
import random
import shutil
import subprocess

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import tangently.primitives  # noqa: F401  (fills the table)
from tangently.codegen.javascript import RESERVED, helpers, javascript
from tangently.differentiation import pullback
from tangently.errors import InputError, UnsupportedError
from tangently.expr import TABLE, Data, Expr, const, evaluate, make, symbol

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: JavaScript can't be run")

POINTS = (-33.0, -3.7, -2.0, -1.0, -0.5, -0.0625, 0.0, 0.3, 0.5, 1.0, 1.5, 2.5, 7.25, 40.0)
FEW = (-2.5, -1.0, 0.0, 0.5, 3.0)
ELEMENTWISE = sorted(name for name, row in TABLE.items() if row.kind == "elementwise" and row.javascript is not None)


def read(value: object) -> float:
    """A number out of JSON, in which infinities and NaN are text."""
    return float(value)  # type: ignore[arg-type]


def run(cases: list[tuple[str, list[tuple[float, ...]]]]) -> list[list[float]]:
    """The value of each source (a function expression) at each of its points, from one Node process."""
    show = "(v) => typeof v === 'number' && !Number.isFinite(v) ? String(v).replace('Infinity', 'inf') : v"
    bodies = ",\n".join(f"[({source}), {json.dumps(points)}]" for source, points in cases)
    used = helpers(bodies)
    bodies = bodies.replace("-Infinity", "-1/0").replace("Infinity", "1/0")
    text = f"{used}\nconst show = {show};\nconsole.log(JSON.stringify([{bodies}].map(([f, points]) =>"
    text += " points.map((p) => [f(...p)].flat().map(show)))));"
    done = subprocess.run([str(NODE), "-"], input=text, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return [[[read(v) for v in values] for values in case] for case in json.loads(done.stdout)]  # type: ignore[misc]


def points_of(name: str) -> list[tuple[float, ...]]:
    row = TABLE[name]
    arity = row.arity
    if not arity:
        return [()]
    grids = [POINTS, FEW, (-1.0, 0.5, 2.0)]
    grid = [*row.samples, *itertools.product(*[grids[arity - 1]] * arity)]
    if name.startswith("logical") or name == "where":
        grid = [(True, *p[1:]) for p in grid] + [(False, *p[1:]) for p in grid]
        grid = [tuple(bool(v) for v in p) if name.startswith("logical") else p for p in grid]
    return [(1 + abs(int(p[0])), p[1]) for p in grid] if name == "polygamma" else grid


def close(found: float, wanted: float, tolerance: float = 1e-13) -> bool:
    if math.isnan(wanted) or math.isinf(wanted):
        return found == wanted or (math.isnan(found) and math.isnan(wanted))
    return abs(found - wanted) <= tolerance * abs(wanted) + 1e-300


@needs_node
def test_every_elementwise_row_agrees_with_python() -> None:
    cases, wanted = [], []
    for name in ELEMENTWISE:
        xs = [symbol(f"x{k}") for k in range(TABLE[name].arity or 0)]
        args = tuple(xs)
        node = make(TABLE[name], args, (), *TABLE[name].infer((), *args))
        points = points_of(name)
        cases.append((javascript("f", xs, [node]), points))
        wanted.append([float(TABLE[name].evaluate((), *p)) for p in points])
    wrong = [
        (name, point, found, value)
        for name, (_, points), got, values in zip(ELEMENTWISE, cases, run(cases), wanted)
        for point, (found,), value in zip(points, got, values)
        if not close(found, value, 1e-12 if name == "polygamma" else 1e-13)  # SciPy's loses digits left of zero
    ]
    assert wrong == []


HELPERS = {
    # name: (points, relative tolerance, mpmath's function)
    "erf": (np.r_[np.linspace(-7, 7, 561), np.geomspace(1e-300, 1, 80)], 1e-13, mpmath.erf),
    "erfc": (np.linspace(-7, 26.5, 1341), 1e-13, mpmath.erfc),
    "gamma": (
        np.r_[np.linspace(-168.37, 171.6, 2501), np.linspace(-5.02, 5.013, 801), np.geomspace(1e-300, 1, 60)],
        1e-13,
        mpmath.gamma,
    ),
    "loggamma": (
        np.r_[np.geomspace(1e-300, 1e305, 700), np.linspace(0.011, 12, 1201), 1 + 1e-9, 2 - 1e-9, 1 - 1e-5, 2 + 1e-13],
        1e-13,
        mpmath.loggamma,
    ),
    "digamma": (
        np.r_[np.geomspace(1e-300, 1e305, 700), np.linspace(0.011, 12, 1201), 1.4616, 1.46163214, 1.4616321449683622],
        1e-13,
        mpmath.digamma,
    ),
    "erfi": (np.r_[np.linspace(-26, 26, 521), np.geomspace(1e-300, 1, 80)], 1e-13, mpmath.erfi),
    "erfinv": (
        np.r_[np.linspace(-0.999, 0.999, 401), np.geomspace(1e-300, 0.1, 80), 1 - np.geomspace(1e-16, 0.1, 40)],
        1e-13,
        mpmath.erfinv,
    ),
    "lambertw": (
        np.r_[np.linspace(-0.3678, 5, 401), np.geomspace(1e-300, 1e300, 300)],
        1e-13,
        lambda x: mpmath.lambertw(x).real,
    ),
    "zeta": (
        np.r_[np.linspace(0.013, 70, 701), 1 + 1e-9, 1 - 1e-6, np.linspace(-1.93, -0.01, 101)],
        1e-13,
        mpmath.zeta,
    ),
}


@needs_node
@pytest.mark.parametrize("name", HELPERS)
def test_helper_is_accurate_relatively(name: str) -> None:
    points, tolerance, truth = HELPERS[name]
    points = [float(p) for p in points if p != math.floor(p) or p > 0]
    with mpmath.workdps(60):
        wanted = [truth(mpmath.mpf(p)) for p in points]
        got = [found for (found,) in run([(f"(x) => {name}(x)", [(p,) for p in points])])[0]]
        errors = [(float(abs(g - w) / abs(w)), p) for g, w, p in zip(got, wanted, points)]
    assert max(errors)[0] <= tolerance, max(errors)


@needs_node
@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("loggamma", lambda x: mpmath.log(abs(mpmath.gamma(x)))),
        ("digamma", mpmath.digamma),
    ],
)
def test_helper_left_of_zero(name: str, truth: object) -> None:
    """Between the poles; near the zeros there the error is small against 1, not against the value."""
    points = [float(p) for p in np.linspace(-60.37, -0.013, 1501)]
    got = [found for (found,) in run([(f"(x) => {name}(x)", [(p,) for p in points])])[0]]
    with mpmath.workdps(50):
        wanted = [truth(mpmath.mpf(p)) for p in points]  # type: ignore[operator]
        errors = [(float(abs(g - w) / max(1, abs(w))), p) for g, w, p in zip(got, wanted, points)]
    assert max(errors)[0] <= 1e-13, max(errors)


@needs_node
def test_polygamma_on_both_sides() -> None:
    points = [(n, float(x)) for n in (1, 2, 3, 5, 9) for x in [*np.linspace(-9.63, 14.2, 121), 60.0, 1e5]]
    got = [found for (found,) in run([("(n, x) => polygamma(n, x)", points)])[0]]
    with mpmath.workdps(50):
        truth = lambda n, x: (-1) ** (n + 1) * mpmath.factorial(n) * mpmath.zeta(n + 1, mpmath.mpf(x))
        errors = [(float(abs(g - (w := truth(*p))) / abs(w)), p) for g, p in zip(got, points)]
    assert max(errors)[0] <= 2e-12, max(errors)


@needs_node
def test_rint_and_remainder_are_python_s() -> None:
    halves = [(k / 2,) for k in range(-9, 10)] + [(2.0**52 + 1,), (-(2.0**53),), (0.49999999999999994,), (1e300,)]
    pairs = [(a, b) for a in (-7.5, -1e-20, 0.0, 1e-20, 5.3, 1e17) for b in (-2.1, 0.7, 3.0, math.inf)]
    rounded, rest = run([("(x) => rint(x)", halves), ("(a, b) => remainder(a, b)", pairs)])
    assert [v for (v,) in rounded] == [float(np.rint(x)) for (x,) in halves]
    assert [v for (v,) in rest] == [a % b for a, b in pairs]


# ---------------------------------------------------------------- compositions

SMOOTH = [n for n in ELEMENTWISE if n not in ("gamma", "polygamma", "logical_not", "where", "clip", "besseli")]
UNARY = [n for n in SMOOTH if TABLE[n].arity == 1]
BINARY = [n for n in SMOOTH if TABLE[n].arity == 2 and not n.startswith("logical")]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Expr], Expr]:
    """A random graph over two inputs, with sharing: each new node takes operands from all before it."""
    xs = [symbol("x"), symbol("class")]
    nodes = [*xs, const(draw(st.sampled_from([-3, 2, 0.5, -1.25]))), const(3)]
    for _ in range(draw(st.integers(2, 9))):
        name = draw(st.sampled_from(UNARY + BINARY))
        args = [nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(TABLE[name].arity or 1)]
        nodes.append(TABLE[name](*args))
    return xs, nodes[-1]


COLLECTED: list[tuple[list[Expr], Expr]] = []


@seed(20240229)
@settings(max_examples=300, database=None, suppress_health_check=list(HealthCheck), deadline=None)
@given(graphs())
def collect(graph: tuple[list[Expr], Expr]) -> None:
    COLLECTED.append(graph)


def tame(values: dict[Expr, float], outputs: list[Expr]) -> bool:
    """Is the value insensitive to the last bit of the inputs? Else two right libraries may differ."""
    probe = [evaluate(outputs, {x: v * (1 + e) for x, v in values.items()}) for e in (0, 3e-15, -3e-15, 1e-13)]
    table = np.array(probe, float)
    with np.errstate(all="ignore"):
        return bool(np.all(np.isfinite(table)) and np.all(np.ptp(table, axis=0) <= 1e-11 * abs(table[0])))


@needs_node
def test_random_compositions_agree_with_python() -> None:
    collect()
    rng, cases, wanted = random.Random(7), [], []
    for xs, y in COLLECTED:
        points = [tuple(rng.uniform(-3, 3) for _ in xs) for _ in range(8)]
        points = [p for p in points if tame(dict(zip(xs, p)), [y])]
        cases.append((javascript("f", xs, [y]), points))
        wanted.append([float(evaluate([y], dict(zip(xs, p)))[0]) for p in points])
    assert sum(len(w) for w in wanted) > 500
    got = [[v for (v,) in case] for case in run(cases)]
    wrong = [(case, g, w) for case, gs, ws in zip(cases, got, wanted) for g, w in zip(gs, ws) if not close(g, w, 1e-10)]
    assert wrong == []


@needs_node
def test_a_gradient_as_an_array_and_composites() -> None:
    x, y = symbol("x"), symbol("y")
    f = TABLE["mse"](TABLE["gelu"](x * y), TABLE["softplus"](y) ** 3)
    outputs = [f, *pullback([f], [const(1.0)], [x, y])]
    source = javascript("f", [x, y], outputs, {f: "loss"})
    assert "const loss = " in source
    assert "return [loss, " in source
    (found,) = run([(source, [(0.7, -0.3)])])[0]
    assert found == pytest.approx(evaluate(outputs, {x: 0.7, y: -0.3}), rel=1e-13)


# ---------------------------------------------------------------- text


def test_small_powers_are_products_and_signs_are_safe() -> None:
    x = symbol("x")
    assert "return x * x * x;" in javascript("f", [x], [x**3])
    assert "return -(x * x);" in javascript("f", [x], [-(x**2)])
    assert "return Math.pow(x, -2);" in javascript("f", [x], [x**-2])
    assert "return 2 / (x * x);" in javascript("f", [x], [2 / x**2])
    assert "(-x)" in javascript("f", [x], [(-x) ** 5])


@pytest.mark.parametrize("name", ["class", "let", "Math", "λ", "x'", "2nd", "erfc", "arguments", "f"])
def test_any_name_of_a_variable_is_safe(name: str) -> None:
    x = symbol(name)
    source = javascript("f", [x], [TABLE["erfc"](x) + x])
    parameter = source.partition("(")[2].partition(")")[0]
    assert parameter.isascii()
    assert parameter.isidentifier()
    assert parameter not in RESERVED | {"erfc", "f"}


def test_a_variable_may_have_the_name_of_a_helper_that_is_not_used() -> None:
    gamma = symbol("gamma")
    assert javascript("f", [gamma], [gamma * 2]).startswith("function f(gamma) {")


@pytest.mark.parametrize("name", ["new", "erf", "a b", "", "Math"])
def test_a_function_name_that_is_not_free_is_refused(name: str) -> None:
    x = symbol("x")
    with pytest.raises(InputError, match="choose another"):
        javascript(name, [x], [TABLE["erf"](x)])


def test_arrays_are_refused_and_named() -> None:
    w = symbol("w", (3,))
    with pytest.raises(UnsupportedError, match=r"'w' is an array of shape \(3,\)"):
        javascript("f", [w], [w + 1])
    x = symbol("x")
    with pytest.raises(UnsupportedError, match="array"):
        javascript("f", [x], [TABLE["index"](const(np.arange(3.0)) * x, params=((1,),))])


def test_an_input_that_is_missing_is_named() -> None:
    x, y = symbol("x"), symbol("y")
    with pytest.raises(InputError, match="'y'"):
        javascript("f", [x], [x + y])
    assert "return x + 2.5;" in javascript("f", [x], [x + symbol("c", value=2.5)])


def test_only_used_helpers_are_emitted() -> None:
    x = symbol("x")
    assert helpers(javascript("f", [x], [TABLE["sin"](x)])) == ""
    text = helpers(javascript("f", [x], [TABLE["rint"](x)]))
    assert text.count("\nfunction ") == 1
    assert "function gauss(" in helpers(javascript("f", [x], [TABLE["gelu"](x)]))


def test_constants_of_other_precision_are_written_as_numbers() -> None:
    x = symbol("x")
    third = make(TABLE["const"], (), (Data, Data(np.array(np.float32(0.25)))), (), "f")
    assert "return x * 0.25;" in javascript("f", [x], [x * third]).replace("0.25 * x", "x * 0.25")
    infinite = javascript("f", [x], [TABLE["minimum"](x, math.inf)])
    assert "Math.min(x, Infinity)" in infinite


@needs_node
def test_casts() -> None:
    x = symbol("x")
    cast = lambda dtype: TABLE["astype"](x, params=(dtype,))
    found = run([(javascript("f", [x], [cast("f"), cast("l"), cast("d")]), [(0.1,), (-2.7,)])])[0]
    assert found == [[float(np.float32(0.1)), 0.0, 0.1], [float(np.float32(-2.7)), -2.0, -2.7]]
