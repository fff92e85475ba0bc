"""Pictures of limits, continuity and differentiability: what is drawn is true, and what is not proven is not drawn."""

from __future__ import annotations

import io
import itertools
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pytest

from tangently.errors import BudgetError, InputError
from tangently.expr import TABLE, Expr, const, symbol
from tangently.limits.results import Limit, Side
from tangently.parsing import parse
from tangently.pictures.limits import plot_continuity, plot_differentiability, plot_limit, statement
from tangently.pictures.saving import described, figure_svg
from tangently.pictures.strokes import of_number, stroke, trusted, value_at
from tangently.pictures.style import BLUE, VERMILLION, WHITE
from tangently.printing import to_text
from tangently.smoothness.continuing import continuity
from tangently.smoothness.differing import differentiability
from tangently.tracing.recording import record

INF = math.inf


def expression(text: str, name: str = "x") -> tuple[Expr, Expr]:
    """A formula as an expression of one number."""
    made = record(parse(text), [None], [name], lambda g: (tuple(g), {}), [True], abstract=[()])
    assert made.inputs[0] is not None
    return made.outputs[0], made.inputs[0]


@dataclass(frozen=True)
class Told(Limit):
    """A limit whose δ is told, not proven: pictures don't ask how it was found."""

    deltas: Callable[[float], float] | None = None

    def delta(self, epsilon: float) -> float:
        if self.deltas is None:
            raise BudgetError("no δ could be proven")
        return self.deltas(epsilon)


def told(
    text: str,
    point: float | Expr,
    left: float | None,
    right: float | None,
    deltas: Callable[[float], float] | None = None,
    direction: Any = "both",
    exists: bool | None = None,
) -> Told:
    f, x = expression(text)
    at = const(int(point)) if isinstance(point, (int, float)) and math.isfinite(point) else point
    ends = {-1: left, 1: right}
    kept = [-1] if point == INF or direction == "-" else [1] if point == -INF or direction == "+" else [-1, 1]
    sides = tuple(Side(s, ends[s], None, ends[s] is not None, "exact", ("told",)) for s in kept)
    values = {s.value for s in sides}
    value = values.pop() if len(values) == 1 else None
    there = (value is not None) if exists is None else exists
    return Told(f, x, at, direction, value, None, there, "exact", ("told",), sides, deltas=deltas)


HALF_PI = TABLE["div"](TABLE["pi"](), const(2))
SINC = lambda: told("sin(x)/x", 0, 1.0, 1.0, lambda e: math.sqrt(6 * e))
SCENES: dict[str, Callable[[], Any]] = {
    "hole": SINC,
    "line with a hole": lambda: told("(x^2 - 1)/(x - 1)", 1, 2.0, 2.0, lambda e: e),
    "squeezed": lambda: told("x sin(1/x)", 0, 0.0, 0.0, lambda e: e),
    "wild": lambda: told("sin(1/x)", 0, None, None),
    "wild and unbounded": lambda: told("1/sin(1/x)", 0, None, None),
    "jump": lambda: told("abs(x)/x", 0, -1.0, 1.0),
    "step": lambda: told("floor(x)", 2, 1.0, 2.0),
    "pole": lambda: told("1/x^2", 0, INF, INF),
    "odd pole": lambda: told("tan(x)", HALF_PI, INF, -INF),
    "steep step": lambda: told("1/(1 + exp(1/x))", 0, 1.0, 0.0),
    "edge of the domain": lambda: told("sqrt(x)", 0, None, 0.0, lambda e: e * e, "+"),
    "x log x": lambda: told("x log(x)", 0, None, 0.0, lambda e: e / 4, "+"),
    "flat from the left": lambda: told("exp(1/x)", 0, 0.0, INF, lambda e: -1 / math.log(e), "-"),
    "nothing proven": lambda: told("(exp(x) - 1)/x", 0, 1.0, 1.0),
    "settling": lambda: told("arctan(x)", INF, math.pi / 2, None, lambda e: 1 / e),
    "settling on the left": lambda: told("arctan(x)", -INF, None, -math.pi / 2, lambda e: 1 / e),
    "slow": lambda: told("1/log(x)", INF, 0.0, None, lambda e: math.exp(1 / e)),
    "cancelling": lambda: told("x (sqrt(x^2 + 1) - x)", INF, 0.5, None, lambda e: 1 / e),
    "growing": lambda: told("exp(x)", INF, INF, None),
    "growing slowly": lambda: told("log(log(x))", INF, INF, None),
    "swinging": lambda: told("sin(x)", INF, None, None, exists=False),
    "swinging slowly": lambda: told("sin(log(x))", INF, None, None, exists=False),
    "undecided": lambda: Told(*expression("x floor(1/x)"), 0.0, "both", None, None, None, "undecided", ("?",), ()),
    "constant": lambda: told("3 + 0x", 1, 3.0, 3.0, lambda e: 1.0),
    "large": lambda: told("x + 1", 10**6, 1e6 + 1, 1e6 + 1, lambda e: e),
}


@pytest.fixture(autouse=True)
def _nothing_global_changes() -> Any:
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before


def circles(figure: Any) -> list[tuple[float, float, bool]]:
    """The points that are drawn: x, y, and whether filled."""
    lines = [ln for ln in figure.axes[0].lines if ln.get_marker() == "o" and len(ln.get_xdata()) == 1]
    return [(float(ln.get_xdata()[0]), float(ln.get_ydata()[0]), ln.get_markerfacecolor() != WHITE) for ln in lines]


def curves(figure: Any) -> list[Any]:
    return [ln for ln in figure.axes[0].lines if ln.get_color() == BLUE and ln.get_lw() > 2]


def caption_of(figure: Any) -> str:
    return figure.axes[0].get_xlabel().split("\n", 1)[1]


def labels(figure: Any) -> list[str]:
    return figure.axes[0].get_legend_handles_labels()[1]


@pytest.mark.parametrize("name", SCENES)
def test_every_kind_is_drawn_saved_and_said(name: str) -> None:
    limit = SCENES[name]()
    figure = plot_limit(limit)
    figure.savefig(io.BytesIO(), format="png", dpi=60)
    assert to_text(statement(limit)) in described(figure)
    assert ET.fromstring(figure_svg(figure)).tag.endswith("svg")


@pytest.mark.parametrize("name", SCENES)
def test_no_text_is_cut_off_and_none_lies_on_another(name: str) -> None:
    figure = plot_limit(SCENES[name]())
    assert_tidy(figure)


def assert_tidy(figure: Any) -> None:
    """Every text is inside the figure, and no two of them touch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    ax, frame = figure.axes[0], figure.bbox
    parts = [*ax.texts, ax.title, ax._left_title, ax.xaxis.label]
    legend = ax.get_legend()
    parts += [*legend.get_texts()] if legend else []
    boxes = [(p.get_text(), p.get_window_extent(renderer)) for p in parts if p.get_text()]
    for text, box in boxes:
        assert box.x0 >= frame.x0 - 2, text
        assert box.x1 <= frame.x1 + 2, text
    for (a, first), (b, second) in itertools.combinations(boxes, 2):
        assert not first.shrunk(0.98, 0.8).overlaps(second.shrunk(0.98, 0.8)), (a, b)


def test_inside_the_vertical_band_the_curve_stays_in_the_horizontal_one() -> None:
    figure = plot_limit(SINC(), epsilon=0.3)
    delta = math.sqrt(1.8)
    assert "δ = 1.341 " in caption_of(figure)  # cut on the safe side
    for line in curves(figure):
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        inside = np.abs(x) < delta
        assert np.nanmax(np.abs(y[inside] - 1), initial=0.0) < 0.3


def test_the_default_band_can_be_seen() -> None:
    for name in ("hole", "line with a hole", "squeezed", "edge of the domain", "x log x", "settling"):
        figure = plot_limit(SCENES[name]())
        low, high = figure.axes[0].get_xlim()
        [band] = [p for p in figure.axes[0].patches if "proven" in str(p.get_label())]
        width = band.get_window_extent().width / figure.axes[0].get_window_extent().width
        assert width > 0.02, name
        assert low < high


def test_without_a_proven_delta_none_is_drawn() -> None:
    figure = plot_limit(SCENES["nothing proven"]())
    assert "no δ could be proven" in caption_of(figure)
    assert not any("proven)" in text for text in labels(figure))


def test_epsilon_must_be_positive() -> None:
    def refuse(epsilon: float) -> float:
        raise InputError("ε must be positive")

    with pytest.raises(InputError, match="positive"):
        plot_limit(told("x", 0, 0.0, 0.0, refuse), epsilon=-1)


CIRCLES = [
    ("hole", [(0, 1, False)]),
    ("jump", [(0, -1, False), (0, 1, False)]),
    ("step", [(2, 1, False), (2, 2, True)]),
    ("x log x", [(0, 0, False)]),  # 0 · log 0 is undefined
    ("squeezed", [(0, 0, False)]),
    ("edge of the domain", [(0, 0, True)]),
    ("pole", []),
]


@pytest.mark.parametrize(("name", "wanted"), CIRCLES)
def test_circles_follow_the_convention(name: str, wanted: list[tuple[float, float, bool]]) -> None:
    assert sorted(circles(plot_limit(SCENES[name]()))) == sorted(wanted)


def test_a_value_elsewhere_is_filled_and_the_limit_hollow() -> None:
    f, x = expression("sin(x)/x")
    other = TABLE["where"](TABLE["eq"](x, const(0)), const(3), f)
    sides = tuple(Side(s, 1.0, const(1), True, "exact") for s in (-1, 1))
    figure = plot_limit(Told(other, x, const(0), "both", 1.0, const(1), True, "exact", (), sides))
    assert sorted(circles(figure)) == [(0, 1, False), (0, 3, True)]


def test_floats_that_go_on_are_no_values() -> None:
    """In floats exp(-1/0²) is 0 and 0·log 0 is NaN; in mathematics neither has a value."""
    for text in ("exp(-1/x^2)", "x log(x)", "1/(1 + 1/x)"):
        f = of_number(*expression(text))
        assert math.isnan(value_at(f, const(0), 0.0)), text
    assert value_at(of_number(*expression("x^2 + 1")), const(0), 0.0) == 1.0


def test_a_wild_spot_is_shaded_as_wide_as_f_swings() -> None:
    found = stroke(of_number(*expression("sin(1/x)")), -1.0, 1.0, [0.0])
    [rows] = found.shade
    inner = rows[np.abs(rows[:, 0]) < 0.02]
    assert inner[:, 1].max() < -0.99
    assert inner[:, 2].min() > 0.99
    assert all(np.abs(c.x).min() > 0.02 for c in found.curves)  # no line where none can be true


def test_isolated_poles_are_lines_not_shades() -> None:
    found = stroke(of_number(*expression("tan(x)")), -5.0, 5.0)
    assert found.shade == ()
    assert found.high < 30


@pytest.mark.parametrize(
    ("text", "low", "high", "value"),
    [("(1 - cos(x))/x^2", -1e-7, 1e-7, 0.5), ("x (sqrt(x^2 + 1) - x)", 1e8, 1e9, 0.5)],
)
def test_what_cancels_in_floats_is_drawn_from_balls(text: str, low: float, high: float, value: float) -> None:
    f = of_number(*expression(text))
    honest = trusted(f, low, high)
    x = np.linspace(low, high, 13)[1:-1] + 1e-3 * (high - low)
    assert max(abs(honest(v) - value) for v in x) < 1e-12
    assert honest is not f
    assert trusted(f, 1.0, 3.0) is f


def test_a_function_that_branches_is_drawn_whole() -> None:
    f, x = expression("x^2")
    whole = lambda v: v * v if v > 0 else -v
    g = of_number(f, x, whole)
    assert g is whole
    assert of_number(f, x, lambda v: v**2) is not whole


def test_a_parameter_gives_a_family_of_curves_or_one_for_its_value() -> None:
    x, a = symbol("x"), symbol("a")
    limit = Limit(TABLE["exp"](a * x), x, INF, "both", None, None, None, "exact", (), ())
    family = plot_limit(limit)
    assert labels(family) == ["a = −1", "a = 0", "a = 1", "a = 2"]
    assert_tidy(family)
    sides = tuple(Side(s, 0.0, const(0), True, "exact") for s in (-1, 1))
    known = Told(a * x, x, const(0), "both", 0.0, const(0), True, "exact", (), sides)
    assert plot_limit(known, values={"a": 2.0})
    with pytest.raises(InputError, match="no values for a"):
        plot_limit(known, values={})


def test_given_axes_are_used() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.subplots()
    assert plot_limit(SINC(), ax) is figure
    assert ax.lines


def of_two(text: str, value: float | None) -> Limit:
    made = record(parse(text), [None] * 2, ["x", "y"], lambda g: (tuple(g), {}), [True] * 2, abstract=[(), ()])
    exact = None if value is None else const(int(value))
    there = value is not None
    variables: Any = tuple(made.inputs)
    return Limit(made.outputs[0], variables, (const(0), const(0)), "both", value, exact, there, "exact", (), ())


@pytest.mark.parametrize(
    ("text", "value"), [("x y/(x^2 + y^2)", None), ("x^2 y/(x^4 + y^2)", None), ("x^2 y/(x^2 + y^2)", 0.0)]
)
def test_two_variables_are_drawn_along_paths(text: str, value: float | None) -> None:
    figure = plot_limit(of_two(text, value))
    ends = [float(ln.get_ydata()[0]) for ln in figure.axes[0].lines if len(ln.get_xdata()) > 1]
    assert (max(ends) - min(ends) < 0.02) == (value is not None)
    assert "lim_((x, y) → (0, 0))" in described(figure)
    assert_tidy(figure)


# ---------------------------------------------------------------- continuity

BREAKS = {
    "tan": ("tan(x)", (-2, 2)),
    "floor": ("floor(x)", (-3, 3)),
    "hole": ("(x^2 - 1)/(x - 1)", (-2, 3)),
    "essential": ("sin(1/x)", (-1, 1)),
    "jump": ("1/(1 + exp(1/x))", (-1, 1)),
    "edge": ("sqrt(x)", (-1, 1)),
    "none": ("abs(x)", (-1, 1)),
    "many": ("floor(1/x)", (0.05, 1)),
    "poles": ("1/x + 1/(x - 1)", (-2, 2)),
}


@pytest.mark.parametrize("name", BREAKS)
def test_continuity_is_drawn_tidily(name: str) -> None:
    text, on = BREAKS[name]
    result = continuity(text, on=on)
    figure = plot_continuity(result)
    assert_tidy(figure)
    assert "proven: there is no other" in described(figure)


@pytest.mark.parametrize("name", BREAKS)
def test_no_line_crosses_a_break(name: str) -> None:
    text, on = BREAKS[name]
    result = continuity(text, on=on)
    for line in curves(plot_continuity(result)):
        x = np.asarray(line.get_xdata(), float)
        for d in result.discontinuities:
            assert not (x.min() < d.at < x.max()), (d.at, x.min(), x.max())


def test_each_kind_has_its_mark() -> None:
    drawn = {name: plot_continuity(continuity(*BREAKS[name][:1], on=BREAKS[name][1])) for name in BREAKS}
    assert circles(drawn["hole"]) == [(1, 2, False)]
    assert sorted(circles(drawn["jump"])) == [(0, 0, False), (0, 1, False)]
    assert "asymptote" in labels(drawn["tan"])
    assert "no limit from a side" in labels(drawn["essential"])
    assert "height of a jump" in labels(drawn["floor"])
    assert "f has no value" in labels(drawn["edge"])
    assert "1: hole" in [t.get_text() for t in drawn["hole"].axes[0].texts]


def test_the_three_conditions_stand_below_the_picture() -> None:
    lines = caption_of(plot_continuity(continuity("sin(x)/x", at=0))).splitlines()
    assert [line[0] for line in lines] == ["✗", "✓", "✗"]


# ---------------------------------------------------------------- differentiability

CORNERS: dict[str, tuple[str, float, list[tuple[float, float]]]] = {
    "kink": ("abs(x)", 0, [(-1, -1), (1, 1)]),
    "relu": ("max(x, 0)", 0, [(-1, 0), (1, 1)]),
    "smooth": ("x^2", 1, [(0, 2)]),
    "jump": ("arctan(1/x)", 0, [(-1, -1), (1, -1)]),
}


def tangents(figure: Any) -> list[tuple[int, float]]:
    """Side and slope of the half lines in vermillion; side 0 for a whole line."""
    found = []
    for line in figure.axes[0].lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if line.get_color() == VERMILLION and len(x) == 2:
            name = str(line.get_label())
            side = -1 if "left" in name else 1 if "right" in name else 0
            found.append((side, round(float((y[1] - y[0]) / (x[1] - x[0])), 6)))
    return found


@pytest.mark.parametrize("name", CORNERS)
def test_one_sided_tangents_have_the_one_sided_slopes(name: str) -> None:
    text, at, wanted = CORNERS[name]
    figure = plot_differentiability(differentiability(text, at=at))
    assert tangents(figure) == wanted
    assert_tidy(figure)


def test_a_vertical_tangent_is_vertical() -> None:
    figure = plot_differentiability(differentiability("sqrt(abs(x))", at=0))
    vertical = [ln for ln in figure.axes[0].lines if ln.get_color() == VERMILLION and len(ln.get_xdata()) == 2]
    assert len(vertical) == 2
    assert all(np.ptp(ln.get_xdata()) == 0 and min(ln.get_ydata()) == 0 for ln in vertical)


def test_corners_on_an_interval_are_marked_and_named() -> None:
    figure = plot_differentiability(differentiability("max(x, 0) - max(x - 1, 0)", on=(-2, 2)))
    assert [t.get_text() for t in figure.axes[0].texts] == ["0: kink", "1: kink"]
    assert "proven" in caption_of(figure)
    assert_tidy(figure)


def test_several_variables_have_no_tangent_picture() -> None:
    with pytest.raises(InputError, match="one number"):
        plot_differentiability(differentiability("max(x, y)", at=(1.0, 1.0)))
