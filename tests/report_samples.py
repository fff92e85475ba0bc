"""One report with every kind of block, for the tests of the page and of its live figures."""

from __future__ import annotations

from tangently import reports as r

X = ("x",)
XA = ("x", "a", "b")
XY = ("x", "y")


def js(name: str, parameters: tuple[str, ...], body: str) -> r.JsFunction:
    return r.JsFunction(name, parameters, f"function {name}({', '.join(parameters)}) {{\n  return {body};\n}}")


def math(body: str) -> str:
    return f"<math><mrow>{body}</mrow></math>"


DX = "<mfrac><mi>d</mi><mrow><mi>d</mi><mi>x</mi></mrow></mfrac>"
SIGMOID = (
    "<mfrac><mn>1</mn><mrow><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup></mrow></mfrac>"
)
FENCED = f"<mrow><mo>(</mo>{SIGMOID}<mo>)</mo></mrow>"
TALL = (
    f"{DX}{FENCED}<mo>=</mo><munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
    "<msub><mi>σ</mi><mi>i</mi></msub><msqrt><mfrac><msup><mi>x</mi><mn>2</mn></msup><mi>h</mi></mfrac></msqrt>"
    "<mo>⋅</mo><mrow><mi>tanh</mi><mo>&#x2061;</mo><mi>x</mi></mrow><mo>+</mo>"
    "<msubsup><mo>∫</mo><mn>0</mn><mi>∞</mi></msubsup><mrow><mo>[</mo><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>"
    "<mtr><mtd><mi>c</mi></mtd><mtd><mi>d</mi></mtd></mtr><mtr><mtd><mi>α</mi></mtd><mtd><mi>β</mi></mtd></mtr></mtable><mo>]</mo></mrow>"
)

PLOT = r.Plot1D(
    value=js("f", XA, "a * Math.sin(b * x) + x * x / 8"),
    derivative=js("df", XA, "a * b * Math.cos(b * x) + x / 4"),
    second=js("ddf", XA, "-a * b * b * Math.sin(b * x) + 1 / 4"),
    variable="x",
    at=1.0,
    domain=(-6.0, 6.0),
    parameters=(("a", 1.0), ("b", 2.0)),
    label=math(
        "<mi>f</mi><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow><mo>=</mo><mi>a</mi><mi>sin</mi><mo>&#x2061;</mo><mi>b</mi><mi>x</mi><mo>+</mo>"
        "<mfrac><msup><mi>x</mi><mn>2</mn></msup><mn>8</mn></mfrac>"
    ),
    alt="The curve a sin(bx) + x²/8 with its tangent at x = 1, and its derivative under it",
    caption="The slope of the tangent is the height of the lower curve.",
)
POLE = r.Plot1D(
    value=js("g", X, "1 / x + Math.tan(x)"),
    derivative=js("dg", X, "-1 / (x * x) + 1 / Math.cos(x) ** 2"),
    variable="x",
    at=0.5,
    domain=(-4.0, 4.0),
    label="g(x) = 1/x + tan x <poles>",
    alt="1/x + tan x, with poles at 0 and at odd multiples of π/2",
)
LOG = r.Plot1D(
    value=js("q", X, "Math.sqrt(x) * Math.log(x) + Math.floor(x)"),
    derivative=js("dq", X, "Math.log(x) / (2 * Math.sqrt(x)) + 1 / Math.sqrt(x)"),
    variable="x",
    at=2.5,
    domain=(-1.0, 5.0),
    alt="a curve with jumps that is undefined on the left",
)
BOWL = r.Contour2D(
    value=js("f", XY, "x * x + 3 * y * y + x * y + Math.sin(2 * x)"),
    gradient=(js("fx", XY, "2 * x + y + 2 * Math.cos(2 * x)"), js("fy", XY, "6 * y + x")),
    variables=("x", "y"),
    at=(1.0, 0.8),
    domain=((-3.0, 3.0), (-2.0, 2.0)),
    label="f(x, y) = x² + 3y² + xy + sin 2x",
    alt="Contours of a tilted bowl with its gradient field",
)
ROSENBROCK = r.Contour2D(
    value=js("banana", (*XY, "c"), "(1 - x) ** 2 + c * (y - x * x) ** 2"),
    gradient=(
        js("bx", (*XY, "c"), "-2 * (1 - x) - 4 * c * x * (y - x * x)"),
        js("by", (*XY, "c"), "2 * c * (y - x * x)"),
    ),
    variables=("x", "y"),
    at=(-1.2, 1.0),
    domain=((-2.0, 2.0), (-1.0, 3.0)),
    parameters=(("c", 100.0),),
    label="Rosenbrock's valley",
    alt="Contours of Rosenbrock's function",
)


def node(id_: str, x: int, label: str, value: str) -> str:
    return (
        f'<g id="{id_}"><rect x="{x}" y="20" width="90" height="44" rx="6" style="fill:none; stroke:#888"/>'
        f'<text x="{x + 45}" y="39" text-anchor="middle" font-size="14" fill="currentColor">{label}</text>'
        f'<text id="{id_}-value" x="{x + 45}" y="56" text-anchor="middle" font-size="11" fill="#0072B2">{value}</text>'
        f'<text id="{id_}-grad" x="{x + 45}" y="82" text-anchor="middle" font-size="11" fill="#D55E00">∂ {value}</text>'
        "</g>"
    )


GRAPH_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 100" width="480" height="100"><defs>'
    '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>'
    + node("v-x", 10, "x", "1.200")
    + node("v-y", 190, "sin x", "0.932")
    + node("v-z", 370, "y²", "0.869")
    + '<path id="a-1" d="M100 42H188" stroke="#888" marker-end="url(#tip)"/>'
    '<path id="a-2" d="M280 42H368" stroke="#888" marker-end="url(#tip)"/><script>alert(1)</script></svg>'
)
GRAPH = r.GraphFigure(
    GRAPH_SVG,
    (
        r.GraphStep("forward", ("v-x-value",), "x is given: 1.2"),
        r.GraphStep("forward", ("a-1", "v-y-value"), "y = sin x = 0.932"),
        r.GraphStep("forward", ("a-2", "v-z-value"), "z = y² = 0.869"),
        r.GraphStep("backward", ("v-z-grad",), "∂z/∂z = 1"),
        r.GraphStep("backward", ("v-y-grad",), "∂z/∂y = 2y = 1.864"),
        r.GraphStep("backward", ("v-x-grad",), "∂z/∂x = 2y · cos x = 0.675"),
    ),
    alt="z = sin(x)²: a chain of three values",
)
STEPS = r.Steps(
    (
        r.StepItem(
            "quotient rule",
            math(f"{DX}{FENCED}"),
            math(
                "<mo>−</mo><mfrac><mrow><msup><mrow><mo>(</mo><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup><mo>)</mo></mrow><mo>′</mo></msup></mrow>"
                "<msup><mrow><mo>(</mo><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup><mo>)</mo></mrow><mn>2</mn></msup></mfrac>"
            ),
            "The derivative of a reciprocal: −u′/u².",
            0,
            "d/dx 1/(1+e^-x) = ...",
        ),
        r.StepItem(
            "sum rule",
            math(
                f"{DX}<mrow><mo>(</mo><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup><mo>)</mo></mrow>"
            ),
            math(f"{DX}<msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup>"),
            "",
            1,
            "d/dx(1+e^-x)",
        ),
        r.StepItem(
            "chain rule",
            math(f"{DX}<msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup>"),
            math("<mo>−</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup>"),
            "outer exp, inner −x",
            2,
            "d/dx e^-x = -e^-x",
        ),
        r.StepItem(
            "collect",
            math(f"{DX}<mi>σ</mi>"),
            math("<mi>σ</mi><mo>(</mo><mn>1</mn><mo>−</mo><mi>σ</mi><mo>)</mo>"),
            "",
            0,
            "s(1-s)",
        ),
    ),
    "The derivative of the sigmoid, top down",
)
HS = [10.0**-i for i in range(15)]
CHART = r.LineChart(
    (
        ("forward", HS, [h + 1e-16 / h for h in HS]),
        ("central", HS, [h * h / 3 + 1e-16 / h for h in HS]),
        ("complex step", HS, [max(h * h / 6, 1e-17) if h > 1e-12 else float("nan") for h in HS]),
    ),
    log_x=True,
    log_y=True,
    title="Error of the difference quotient",
    x_label="h",
    y_label="error",
    alt="errors against h",
    caption="Cut the step too far, and rounding takes over.",
)
PICTURE = r.Picture(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 40" width="200" height="40"><defs>'
    '<linearGradient id="g"><stop offset="0" style="stop-color:#0072B2"/><stop offset="1" stop-color="#D55E00"/>'
    '</linearGradient></defs><rect width="200" height="40" fill="url(#g)"/></svg>',
    "forward to backward",
    "From value to gradient",
)
SOURCE = """def sigmoid(x: float) -> float:
    # stable on both sides
    return 1 / (1 + math.exp(-x)) if x > 0 else 1 - 1 / (1 + math.exp(x))
"""

REPORT: tuple[r.Block, ...] = (
    r.Text(
        "The sigmoid squeezes the line into (0, 1). This report derives its derivative, checks it by independent "
        "routes, and draws it.\n\nEvery figure here is live: it needs neither Python nor a network."
    ),
    r.Heading("Answer"),
    r.Formula(
        math(f"<mi>f</mi><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow><mo>=</mo>{SIGMOID}"),
        "f(x) = 1/(1 + e^-x)",
        r"f(x) = \frac{1}{1+e^{-x}}",
    ),
    r.Formula(math(TALL), "a tall formula", caption="A formula with everything that grows"),
    r.Facts(
        (
            ("f′(1.2)", "0.17789444064680573"),
            ("status", "exact"),
            ("radius", "1.2345678e-17"),
            ("convention", "numerator layout"),
        )
    ),
    r.Verdict(True, "Symbolic and reverse mode agree.", "Largest difference 2.2e-16 at 64 points"),
    r.Verdict(False, "The hand-written gradient is wrong.", "Off by a factor of 2 in w₁"),
    r.Verdict(None, "Continuity at 0 was not proven."),
    r.Heading("Derivation"),
    STEPS,
    r.Heading("Live curve"),
    PLOT,
    r.Heading("Poles", 3),
    POLE,
    LOG,
    r.Heading("Landscape"),
    BOWL,
    ROSENBROCK,
    r.Heading("Graph"),
    GRAPH,
    r.Heading("Numbers"),
    r.Table(
        ("h", "quotient", "error", "route"),
        (
            ("0.1", "0.17365129876543", "0.004243141881", "forward"),
            ("0.01", "0.1774", "0.00049", "forward"),
            ("1e-08", "0.17789444123456", "5.8765432e-10", "central"),
        ),
        "Difference quotients",
        "The exact value is 0.1779.",
        True,
    ),
    CHART,
    PICTURE,
    r.Text("The rounding error grows as 1/h.", "note"),
    r.Text("float32 was given: six digits at most.", "warning"),
    r.Code(SOURCE, caption="The function as it was given"),
)
