"""Printing: what formulas look like, and that every printed form still means the same.

The property test writes a random expression in five notations, reads each back with a small parser of what a person
sees (implicit products, superscripts, fraction bars), and evaluates it with 40 digits: parentheses that are missing
or wrong change the value.
"""

from __future__ import annotations

import math
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tangently.primitives  # noqa: F401  (fills the table)
from tangently.expr import TABLE, Expr, const, raw, symbol, toposort
from tangently.printing import (
    derivative_symbol,
    equation,
    name,
    number,
    to_latex,
    to_mathml,
    to_python,
    to_text,
    to_unicode,
    tree,
)
from tangently.printing.nodes import VULGAR, Atom, Fence, fenced, fold, hadamard, matmul, negative, power, product
from tangently.printing.unicode import columns

x, y, z = symbol("x"), symbol("y"), symbol("z")
w, alpha, loss, rate = symbol("w_0"), symbol("alpha"), symbol("loss"), symbol("rate")
A, B, W = symbol("A", (4, 4)), symbol("B", (4, 4)), symbol("params.W1", (4, 4))
u, v = symbol("u", (4,)), symbol("v", (4,))
sin, cos, exp, log, sqrt, tanh, sigmoid, where = (
    TABLE[k] for k in ("sin", "cos", "exp", "log", "sqrt", "tanh", "sigmoid", "where")
)


def node(op: str, *args: object, params: tuple = ()) -> Expr:
    """A node exactly as asked, without the local identities."""
    return raw(TABLE[op], tuple(a if type(a) is Expr else const(a) for a in args), params)


def einsum(spec: str, *args: Expr) -> Expr:
    return node("einsum", *args, params=(spec,))


FORMS = [
    (2 * x**2 + 3 * x + 1, "2x² + 3x + 1", r"2x^{2} + 3x + 1"),
    (3 * x**2 * sin(x) + x**3 * cos(x), "3x² sin x + x³ cos x", r"3x^{2} \sin x + x^{3} \cos x"),
    (2 * (x + 1) / (x**2 + 1), "2(x + 1)/(x² + 1)", r"\frac{2(x + 1)}{x^{2} + 1}"),
    (node("pow", node("neg", x), 2), "(−x)²", r"(-x)^{2}"),
    (node("neg", x**2), "−x²", r"-x^{2}"),
    (x - (y - z), "x − (y − z)", r"x - (y - z)"),
    (node("add", x, node("neg", y)), "x − y", r"x - y"),
    (node("sub", x, node("mul", -2, y)), "x + 2y", r"x + 2y"),
    (x / y / z, "(x/y)/z", r"\frac{\frac{x}{y}}{z}"),
    (x / (y / z), "x/(y/z)", r"\frac{x}{\frac{y}{z}}"),
    (x ** (y**z), "x^(yᶻ)", r"x^{y^{z}}"),
    ((x**y) ** z, "(xʸ)ᶻ", r"(x^{y})^{z}"),
    (TABLE["pow"](2, x + 1), "2ˣ⁺¹", r"2^{x + 1}"),
    (x * TABLE["pow"](2, y), "x·2ʸ", r"x \cdot 2^{y}"),
    (x**-1, "x⁻¹", r"x^{-1}"),
    (x ** node("div", 1, 3), "x^(1/3)", r"x^{1/3}"),
    (exp(-(x**2) / 2), "e^(−x²/2)", r"e^{-x^{2}/2}"),
    (sin(x) ** 2, "sin(x)²", r"\sin^{2} x"),
    (sin(x) ** -1, "(sin x)⁻¹", r"(\sin x)^{-1}"),
    (node("pow", sin(x) ** 2, 3), "(sin(x)²)³", r"(\sin^{2} x)^{3}"),
    (tanh(x + 1) ** 2, "tanh(x + 1)²", r"\tanh^{2}(x + 1)"),
    (sin(x) * y, "sin(x) y", r"\sin(x)\,y"),
    (sin(x) / x, "sin(x)/x", r"\frac{\sin x}{x}"),
    (TABLE["log2"](x) + TABLE["log1p"](x), "log₂ x + ln(1 + x)", r"\log_{2} x + \ln(1 + x)"),
    (sigmoid(z) * (1 - sigmoid(z)), "σ(z) (1 − σ(z))", r"\sigma(z)\,(1 - \sigma(z))"),
    (TABLE["relu"](x) ** 2, "relu(x)²", r"\operatorname{relu}(x)^{2}"),
    (TABLE["abs"](x - 1), "|x − 1|", r"\lvert x - 1 \rvert"),
    (TABLE["floor"](x / 2), "⌊x/2⌋", r"\left\lfloor \frac{x}{2} \right\rfloor"),
    (sqrt(x) + sqrt(x + 1) + TABLE["cbrt"](x), "√x + √(x + 1) + ∛x", r"\sqrt{x} + \sqrt{x + 1} + \sqrt[3]{x}"),
    (sqrt(x) ** 3, "(√x)³", r"\left( \sqrt{x} \right)^{3}"),
    (w * x + alpha * 2, "w₀ x + 2α", r"w_{0} x + 2\alpha"),
    (w**2, "w₀²", r"w_{0}^{2}"),
    (loss * rate * x, "loss·rate x", r"\mathrm{loss} \cdot \mathrm{rate}\,x"),
    (node("mul", 2, node("mul", 3, x)), "2·3x", r"2 \cdot 3x"),
    (x * (y / z), "x (y/z)", r"x\,\frac{y}{z}"),
    (
        where(TABLE["gt"](x, 0), x, where(TABLE["le"](x, -1), x**2, 0)),
        "{x if x > 0; x² if x ≤ −1; 0 otherwise}",
        r"\begin{cases} x & \text{if } x > 0 \\ x^{2} & \text{if } x \le -1 \\ 0 & \text{otherwise} \end{cases}",
    ),
    (
        TABLE["logical_and"](TABLE["gt"](x, 0), TABLE["logical_not"](TABLE["lt"](y, 1))),
        "x > 0 ∧ ¬(y < 1)",
        r"x > 0 \land \lnot (y < 1)",
    ),
    (TABLE["remainder"](x, 2 * y), "x mod (2y)", r"x \bmod (2y)"),
    (TABLE["maximum"](x, 0), "max(x, 0)", r"\max(x, 0)"),
    (einsum("ij,j->i", W, u), "W₁ u", r"W_{1} u"),
    (einsum("ji,jk->ik", A, B), "Aᵀ B", r"A^{\top} B"),
    (einsum("i,i->", u, einsum("ij,j->i", A, u)), "uᵀ A u", r"u^{\top} A u"),
    (einsum("i,j->ij", u, v), "u vᵀ", r"u v^{\top}"),
    (einsum("ij,j->i", A, 2 * u), "A (2u)", r"A\,(2u)"),
    (einsum("ij,jk,ki->ij", A, B, B), "∑ₖ Aᵢⱼ Bⱼₖ Bₖᵢ", r"\sum_{k} A_{i j} B_{j k} B_{k i}"),
    (einsum("i->", u * v), "∑ u ⊙ v", r"\sum u \odot v"),
    (u * v * (1 - u**2), "u ⊙ v ⊙ (1 − u²)", r"u \odot v \odot (1 - u^{2})"),
    (2 * (u * v), "2u ⊙ v", r"2u \odot v"),
    (x * u, "x u", r"x u"),
    (node("index", u, params=((0,),)) ** 2, "u₀²", r"u_{0}^{2}"),
    (node("index", W, params=((0, 1),)), "W₁[0, 1]", r"W_{1} [0, 1]"),
    (node("index", A, params=((0, 1),)), "A₀,₁", r"A_{0 , 1}"),
    (node("stack", x, y**2, params=(0,)), "[x, y²]", r"\begin{bmatrix} x \\ y^{2} \end{bmatrix}"),
    (const(np.array([[1.0, 0.5], [0.0, -2.0]])), "[1, 0.5; 0, −2]", r"\begin{bmatrix} 1 & 0.5 \\ 0 & -2 \end{bmatrix}"),
    (const(np.zeros((4, 3))), "array(4×3)", r"\text{array(4×3)}"),
    (2 / np.sqrt(np.pi) * exp(-(x**2)), "(2/√π) e^(−x²)", r"\frac{2}{\sqrt{\pi}}\,e^{-x^{2}}"),
    (TABLE["exp2"](x) * math.log(2), "2ˣ ln 2", r"2^{x} \ln 2"),
    (sin(np.pi / 2 * x), "sin(½π x)", r"\sin(\tfrac{1}{2}\pi x)"),
]


@pytest.mark.parametrize(("expr", "text", "latex"), FORMS, ids=[text for _, text, _ in FORMS])
def test_forms(expr: Expr, text: str, latex: str) -> None:
    assert to_text(expr) == text
    assert to_latex(expr) == latex
    assert ET.fromstring(to_mathml(expr)).get("alttext") == text


NUMBERS = [
    (3, "3"), (-3, "−3"), (10**30, str(10**30)), (2.0, "2"), (0.1234567, "0.1235"), (12345.678, "12346"),
    (1e-5, "10⁻⁵"), (1.5e-5, "1.5·10⁻⁵"), (2.5e300, "2.5·10³⁰⁰"), (math.pi, "π"), (-math.pi / 2, "−½π"),
    (2 * math.pi, "2π"),
    (math.e, "e"), (2 / math.sqrt(math.pi), "2/√π"), (math.log(2), "ln 2"), (math.sqrt(2), "√2"), (math.inf, "∞"),
    (math.nan, "NaN"), (0.0, "0"), (True, "true"), (math.sqrt(2 / math.pi), "√(2/π)"), (3.1416, "3.142"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=[text for _, text in NUMBERS])
def test_numbers(value: float, text: str) -> None:
    assert to_text(number(value)) == text
    known = {"inf": math.inf, "nan": math.nan}
    assert eval(to_python(number(value)), known) == pytest.approx(value, rel=0, abs=0, nan_ok=True)


NAMES = [
    ("x", "x", "x"), ("alpha", "α", r"\alpha"), ("theta_1", "θ₁", r"\theta_{1}"), ("x0", "x₀", "x_{0}"),
    ("params.W1", "W₁", "W_{1}"), ("loss", "loss", r"\mathrm{loss}"), ("y_hat", "ŷ", r"\hat{y}"),
    ("x_max", "xₘₐₓ", r"x_{\mathrm{max}}"), ("W_hq", "W_hq", "W_{h q}"), ("h_t", "hₜ", "h_{t}"),
    ("lambda_", "λ", r"\lambda"),
    ("learning_rate", "learning_rate", r"\mathrm{learning\_rate}"), ("conv1", "conv₁", r"\mathrm{conv}_{1}"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text", "latex"), NAMES, ids=[source for source, _, _ in NAMES])
def test_names(source: str, text: str, latex: str) -> None:
    assert (to_text(name(source)), to_latex(name(source)), to_python(name(source))) == (text, latex, source)


DERIVATIVES = [
    (derivative_symbol("f", "x"), "df/dx", r"\frac{d f}{d x}"),
    (derivative_symbol("f", "x", 2), "d²f/dx²", r"\frac{d^{2} f}{d x^{2}}"),
    (derivative_symbol("f", "x", partial=True), "∂f/∂x", r"\frac{\partial f}{\partial x}"),
    (derivative_symbol("f", ("x", "y")), "∂²f/∂x∂y", r"\frac{\partial^{2} f}{\partial x \partial y}"),
    (derivative_symbol("f", ("x", "x", "y")), "∂³f/∂x²∂y", r"\frac{\partial^{3} f}{\partial x^{2} \partial y}"),
    (derivative_symbol("f", "x", notation="lagrange"), "f′(x)", r"f^{\prime}(x)"),
    (derivative_symbol("f", "x", 4, "lagrange"), "f⁽⁴⁾(x)", r"f^{(4)}(x)"),
    (derivative_symbol("f", ("x", "y"), notation="lagrange"), "f_xy", r"f_{x y}"),
    (derivative_symbol("x", "t", 2, "newton"), "ẍ", r"\ddot{x}"),
    (derivative_symbol("f", "x", notation="euler"), "Dₓ f", r"D_{x}\, f"),
    (derivative_symbol("f", "x", 2, "euler"), "Dₓ² f", r"D_{x}^{2}\, f"),
    (derivative_symbol("f", ""), "∇f", r"\nabla f"),
    (derivative_symbol("f", "", 2), "∇²f", r"\nabla^{2} f"),
    (derivative_symbol("f", "x", of=tree(x**2 + 1)), "d/dx (x² + 1)", r"\frac{d}{d x}\, (x^{2} + 1)"),
    (derivative_symbol("f", "x", 1, "lagrange", of=tree(x**2)), "(x²)′", r"(x^{2})^{\prime}"),
    (equation(derivative_symbol("f"), tree(2 * x)), "df/dx = 2x", r"\frac{d f}{d x} = 2x"),
]


@pytest.mark.parametrize(("layout", "text", "latex"), DERIVATIVES, ids=[text for _, text, _ in DERIVATIVES])
def test_derivative_symbols(layout, text: str, latex: str) -> None:
    assert to_text(layout) == text
    assert to_latex(layout) == latex
    ET.fromstring(to_mathml(layout))


def test_intermediate_values_print_as_their_names() -> None:
    h = x**2 + 1
    e = sin(h) * h
    names = {h: "h", e: "loss"}
    assert to_text(e, names) == "sin(h) h"
    assert to_text(tree(e, names, top=False)) == "loss"
    assert to_text(tree(h, names)) == "x² + 1"
    assert to_python(e, {h: "params.h1"}) == "sin(params.h1) * params.h1"


PICTURES = [
    (
        (x + 1) / (x**2 + 1) + node("div", 1, 2),
        """\
 x + 1
──────── + ½
 x² + 1""",
    ),
    (
        exp(-(x**2) / 2) / 3,
        """\
  −x²/2
 e
────────
   3""",
    ),
    (
        ((x + 1) / y) ** 2,
        """\
⎛ x + 1 ⎞²
⎜───────⎟
⎝   y   ⎠""",
    ),
    (
        sqrt(x / y) + 1,
        """\
 ┌────
 │  x
 │ ─── + 1
√│  y""",
    ),
    (
        where(TABLE["gt"](x, 0), 1 / x, 0),
        """\
⎧  1
⎪ ───  if x > 0
⎨  x
⎪
⎩ 0    otherwise""",
    ),
]


@pytest.mark.parametrize(("expr", "picture"), PICTURES, ids=[to_text(e) for e, _ in PICTURES])
def test_two_dimensions(expr: Expr, picture: str) -> None:
    assert to_unicode(expr) == picture


def test_a_wide_formula_is_broken_at_its_signs() -> None:
    long = x
    for k in range(30):
        long = long + (k + 2) * x**k / (y + k)
    for width in (40, 60, 100):
        assert max(columns(line) for line in to_unicode(long, width=width).split("\n")) <= width
    assert to_unicode(sin(long), width=40) == to_text(sin(long))


def test_boxes_are_rectangles() -> None:
    from tangently.printing.unicode import _BOXES

    for expr, _, _ in FORMS:
        box = fold(tree(expr), _BOXES)
        assert len({columns(line) for line in box.lines}) == 1
        assert 0 <= box.base < len(box.lines)


# ---------------------------------------------------------------- every row


OWN = {
    "scatter_add": lambda: node("scatter_add", u, x, params=((0,),)),
    "index": lambda: node("index", u, params=((0,),)),
    "einsum": lambda: einsum("ij,jk,ki->ij", A, B, B),
}


def _call_of(row) -> Expr | None:
    """Some node of this row: scalars where the row takes scalars, else vectors and matrices."""
    if row.name in OWN:
        return OWN[row.name]()
    arity = row.arity or 2
    for args in ([x, y, z][:arity], [u, v, u][:arity], [A, B, A][:arity]):
        for params in ((), ((0,), False), (0,), ((0,),), ("ij,jk->ik",), ((2, 2),), ("d",), ((4, 4), (1,))):
            try:
                return raw(row, tuple(args), params)
            except Exception:
                continue
    return None


@pytest.mark.parametrize("row", [r for r in TABLE.values() if r.kind != "leaf"], ids=lambda r: r.name)
def test_every_row_prints(row) -> None:
    expr = _call_of(row)
    if expr is None:
        pytest.skip("needs operands of its own")
    assert to_text(expr)
    assert to_unicode(expr)
    latex = to_latex(expr)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert latex.isascii(), latex
    ET.fromstring(to_mathml(expr, display="block"))
    assert "style=" not in to_mathml(expr)


# ---------------------------------------------------------------- bounds


def test_deep_and_shared_expressions_are_elided_in_time() -> None:
    deep, shared, chain, tower = x, x, x, x
    for k in range(10_000):
        deep = sin(deep) + k
        chain = chain + node("mul", k + 2, x)
    for _ in range(60):
        shared = node("add", shared, shared)
    for _ in range(300):
        tower = node("pow", tower, node("div", 1, tower))
    start = time.perf_counter()
    for expr in (deep, shared, chain, tower):
        for printer in (to_text, to_latex, to_mathml, to_python, to_unicode):
            assert "…" in printer(expr) or "..." in printer(expr) or r"\dots" in printer(expr)
    assert time.perf_counter() - start < 30
    assert to_text(chain).endswith("9999x + 10000x + 10001x")


def test_a_budget_elides_the_deep_parts() -> None:
    assert to_text(tree(sin(x + exp(y**2)), budget=6)) == "sin(x + e^…)"


# ---------------------------------------------------------------- layouts by hand


def test_products_of_layouts() -> None:
    a, b, two = name("a"), name("b"), number(2)
    assert to_text(product(a, two, fenced(b))) == "2a (b)"
    assert to_text(matmul(product(two, a), product(two, b))) == "2a (2b)"
    assert to_text(hadamard(a, hadamard(b, a))) == "a ⊙ b ⊙ a"
    assert to_text(power(negative(a), two)) == "(−a)²"
    assert to_text(Fence("⟨", Atom("a"), "⟩")) == "⟨a⟩"


# ---------------------------------------------------------------- round trips

OPERATIONS: dict[str, Callable] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "pow": lambda a, b: mp.power(a, b), "sin": mp.sin, "exp": mp.exp, "log": mp.log,
    "sqrt": mp.sqrt, "abs": abs, "tanh": mp.tanh, "sigmoid": lambda a: 1 / (1 + mp.exp(-a)), "square": lambda a: a * a,
    "maximum": max, "log2": lambda a: mp.log(a, 2),
}  # fmt: skip
INPUTS = {x: mp.mpf("1.37"), y: mp.mpf("0.73"), w: mp.mpf("2.19"), loss: mp.mpf("1.61"), rate: mp.mpf("0.41")}
SCOPE = {
    "sin": mp.sin, "exp": mp.exp, "log": mp.log, "ln": mp.log, "sqrt": mp.sqrt, "abs": abs, "tanh": mp.tanh,
    "pi": mp.pi, "sigmoid": OPERATIONS["sigmoid"], "σ": OPERATIONS["sigmoid"], "max": max, "log2": OPERATIONS["log2"],
    "e": mp.e, "x": INPUTS[x], "y": INPUTS[y], "w_0": INPUTS[w], "loss": INPUTS[loss], "rate": INPUTS[rate],
}  # fmt: skip
UNARY = ["neg", "sin", "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "square", "log2"]
BINARY = ["add", "sub", "mul", "div", "pow", "add", "sub", "mul", "div", "maximum"]
LEAVES = st.one_of(
    st.sampled_from(list(INPUTS)),
    st.sampled_from([1, 2, 3, -1, -2, 10, 0.5, -2.5, 1.5]).map(lambda value: const(value)),
)


def _grown(children: st.SearchStrategy) -> st.SearchStrategy:
    one = st.builds(lambda op, a: node(op, a), st.sampled_from(UNARY), children)
    two = st.builds(lambda op, a, b: node(op, a, b), st.sampled_from(BINARY), children, children)
    return st.one_of(one, two, two)


def value_of(expr: Expr):
    """The value by a second route: plain recursion over the graph, 40 digits."""
    done = {}
    for n in toposort([expr]):
        done[n] = INPUTS[n] if n in INPUTS else mp.mpf(n.value) if n.is_constant else _applied(n, done)
        assume(mp.isfinite(done[n]) and type(done[n]) is mp.mpf and (done[n] == 0 or 1e-30 < abs(done[n]) < 1e4))
    return done[expr]


def _applied(n: Expr, done: dict):
    try:
        return OPERATIONS[n.op.name](*[done[a] for a in n.args])
    except (ZeroDivisionError, ValueError, OverflowError):
        return mp.nan


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.recursive(LEAVES, _grown, max_leaves=14))
def test_every_notation_reads_back_as_the_same_value(expr: Expr) -> None:
    with mp.workdps(60):
        value = value_of(expr)
        readings = {
            "python": eval(NUMERAL.sub(r"mpf('\g<0>')", to_python(expr)), {}, SCOPE),
            "text": eval(read_text(to_text(expr)), {}, SCOPE),
            "latex": eval(read_text(latex_to_text(to_latex(expr))), {}, SCOPE),
            "mathml": eval(read_mathml(ET.fromstring(to_mathml(expr))), {}, SCOPE),
        }
        for notation, found in readings.items():
            assert abs(found - value) <= mp.mpf(10) ** -20 * (1 + abs(value)), (notation, found, value)


NUMERAL = re.compile(r"(?<!\w)\d+(?:\.\d+)?")
TOKENS = re.compile(r"\d+(?:\.\d+)?|[A-Za-zσπα_]+[₀-₉]*|[⁰¹²³⁴-⁹⁺⁻ᵃ-ᶻʰʲˡʳˢʷˣʸⁱⁿᵒ]+|\S")
FUNCTIONS = {"abs", "sin", "ln", "tanh", "σ", "max", "log₂", "exp"}
SMALL = {"x": "ˣ", "y": "ʸ", "+": "⁺", "-": "⁻", **dict(zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))}
SMALL |= dict(zip("abcdefghijklmnoprstuvwz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷᶻ"))
LARGE = {small: large for large, small in SMALL.items()}
WORDS = {"w₀": "w_0", "π": "pi", "log₂": "log2", **{glyph: f"(mpf({p})/{q})" for (p, q), glyph in VULGAR.items()}}


def read_text(text: str) -> str:
    """Python for a line of mathematics, by precedence climbing as a person reads: juxtaposition is a product."""
    assume(text.count("|") <= 2)  # bars inside bars are ambiguous in mathematics itself
    tokens = [*TOKENS.findall(re.sub(r"\|(.*)\|", r" abs(\1)", text.replace("−", "-"))), ""]
    source, rest = _read_sum(tokens, 0)
    assert tokens[rest] == "", (text, tokens[rest:])
    return source


def _read_sum(tokens: list[str], k: int) -> tuple[str, int]:
    sign = tokens[k] == "-"
    left, k = _read_product(tokens, k + sign)
    left = f"-({left})" if sign else left
    while tokens[k] in ("+", "-"):
        right, j = _read_product(tokens, k + 1)
        left, k = f"({left} {tokens[k]} ({right}))", j
    return left, k


def _read_product(tokens: list[str], k: int) -> tuple[str, int]:
    left, k = _read_power(tokens, k)
    while tokens[k] not in ("", "+", "-", ")", ","):
        sign = tokens[k] if tokens[k] in "·/" else ""
        right, k = _read_power(tokens, k + bool(sign))
        left = f"({left} {'/' if sign == '/' else '*'} {right})"
    return left, k


def _read_power(tokens: list[str], k: int) -> tuple[str, int]:
    base, k = _read_atom(tokens, k)
    exponent, k = _read_exponent(tokens, k)
    return (f"({base} ** ({exponent}))" if exponent else base), k


def _read_exponent(tokens: list[str], k: int) -> tuple[str, int]:
    if tokens[k] == "^":
        return _read_atom(tokens, k + 1)
    if tokens[k] and tokens[k][0] in LARGE:
        return read_text("".join(LARGE[c] for c in tokens[k])), k + 1
    return "", k


def _read_atom(tokens: list[str], k: int) -> tuple[str, int]:
    token = tokens[k]
    if token == "(":
        body, k = _read_sum(tokens, k + 1)
        assert tokens[k] == ")"
        return f"({body})", k + 1
    if token == "√":
        body, k = _read_atom(tokens, k + 1)
        return f"sqrt({body})", k
    if token in FUNCTIONS:
        return _read_call(tokens, k)
    assert token[:1].isalnum() or token in WORDS, (token, tokens)
    return WORDS.get(token, f"mpf('{token}')" if token[0].isdigit() else token), k + 1


def _read_call(tokens: list[str], k: int) -> tuple[str, int]:
    function = WORDS.get(tokens[k], tokens[k])
    exponent, k = _read_exponent(tokens, k + 1)
    if tokens[k] == "(":
        args, k = [], k
        while tokens[k] in ("(", ","):
            arg, k = _read_sum(tokens, k + 1)
            args.append(arg)
        source, k = f"{function}({', '.join(args)})", k + 1
    else:
        arg, k = _read_atom(tokens, k)
        source = f"{function}({arg})"
    return (f"({source} ** ({exponent}))" if exponent else source), k


SCOPE["mpf"] = mp.mpf
REPLACED = {
    r"\left": " ", r"\right": " ", r"\,": " ", r"\cdot": "·", r"\lvert": "|", r"\rvert": "|", r"\pi": "π",
    r"\sigma": "σ", r"\max": "max", r"\sin": "sin", r"\ln": "ln", r"\tanh": "tanh", r"\log_{2}": "log₂", "w_{0}": "w₀",
    r"\mathrm{loss}": "loss", r"\mathrm{rate}": "rate",
}  # fmt: skip
INNERMOST = [
    (re.compile(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"√(\1)"),
    (re.compile(r"\^\{([^{}]*)\}"), r"^(\1)"),
]


def latex_to_text(latex: str) -> str:
    """LaTeX with its braces turned into parentheses, innermost first."""
    for old, new in REPLACED.items():
        latex = latex.replace(old, new + (" " if new.isalpha() else ""))
    while "{" in latex:
        before = latex
        for pattern, plain in INNERMOST:
            latex = pattern.sub(plain, latex)
        assert latex != before, latex
    return latex


def read_mathml(element: ET.Element) -> str:
    """Python for presentation MathML: invisible operators are written out, fences are visible, rows are not."""
    tag = element.tag.split("}")[1]
    if tag in ("mn", "mi", "mo", "mtext"):
        return _read_token(tag, element.text or "")
    parts = [read_mathml(child) for child in element]
    if tag == "mfrac":
        return f"(({parts[0]})/({parts[1]}))"
    if tag == "msqrt":
        return f"sqrt({''.join(parts)})"
    if tag == "msup":
        return f"{parts[0]}**({parts[1]})"
    if tag in ("msub", "msubsup"):
        base = {"w": "w_0", "log": "log2"}[parts[0]]
        return base if tag == "msub" else f"{base}**({parts[2]})"
    if parts[0] == parts[-1] == "|":
        return f"abs({''.join(parts[1:-1])})"
    return _read_row(parts) if "\u2061" in parts else "".join(parts)


def _read_token(tag: str, text: str) -> str:
    bars = {"\u2062": "*", "−": "-", "·": "*", "∞": "inf", "π": "pi"}
    return f"mpf('{text}')" if tag == "mn" else bars.get(text, text)


def _read_row(parts: list[str]) -> str:
    function, exponent = re.fullmatch(r"(\w+)(?:\*\*(.*))?", parts[0]).groups()
    arg = parts[2] if parts[2].startswith("(") else f"({parts[2]})"
    return f"({function}{arg}**{exponent})" if exponent else f"{function}{arg}"
