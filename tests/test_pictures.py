"""Pictures of functions: what is drawn satisfies its equation, nothing global changes, files are whole or absent."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import tangently as tg
from tangently.errors import DomainError, InputError
from tangently.pictures import functions, saving
from tangently.pictures.functions import (
    figure_svg,
    plot,
    plot_contour,
    plot_derivative,
    plot_hessian,
    plot_importance,
    plot_secants,
    plot_surface,
    plot_sweep,
    plot_tangent,
    plot_taylor,
    save_figure,
)
from tangently.pictures.sampling import choose_interval, contour_levels, sample, trace_curve
from tangently.pictures.style import BLUE, VERMILLION, settable
from tangently.quotients import step_sweep

ROSENBROCK = "(1-x)^2 + 100(y-x^2)^2"


def branching(x):
    return x**2 if x > 0 else -x


def black_box(x):
    return float(np.interp(float(x), [0, 1, 2], [0, 1, 4]))


# every kind of picture, each drawn and saved in turn
SCENES = {
    "parabola": lambda: plot("3x^2 - 4x", at=1, secants=(1, 0.5, 0.1)),
    "wave": lambda: plot("x^3 sin x", at=2, order=2),
    "pole": lambda: plot("1/x"),
    "poles": lambda: plot("tan x"),
    "kink": lambda: plot("abs(x)"),
    "at a kink": lambda: plot("abs(x)", at=0),
    "half line": lambda: plot("sqrt(x)", at=1),
    "vertical": lambda: plot("sqrt(x)", at=0),
    "cusp": lambda: plot("sqrt(abs(x))", at=0),
    "bell": lambda: plot("exp(-x^2)"),
    "steps": lambda: plot("floor(x)"),
    "logarithm": lambda: plot("log(x)", at=1),
    "branches": lambda: plot(branching, at=1),
    "black box": lambda: plot(black_box, at=0.5),
    "constant": lambda: plot("3 + 0x", at=1),
    "ufunc": lambda: plot(np.sin),
    "large": lambda: plot("x^2", at=1e6),
    "small": lambda: plot("x^2", domain=(-1e-5, 1e-5)),
    "derived": lambda: tg.derivative("x^3").plot(at=1),
    "bowl": lambda: plot("x^2 + y^2 - 2x - 4y + 5", at=(0, 0)),
    "valley": lambda: plot(ROSENBROCK, at=(-1, 1)),
    "valley in space": lambda: plot(ROSENBROCK, at=(-1, 1), surface=True),
    "monkey saddle": lambda: plot("x^3 - 3x y^2"),
    "monkey saddle in space": lambda: plot("x^3 - 3x y^2", surface=True),
    "cubic": lambda: plot("x^2 y + x y^2 + 2", at=(1, 2)),
    "array": lambda: plot(lambda x: 0.5 * (x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1]), at=[1.0, 1.0]),
    "cone": lambda: plot("sqrt(x^2 + y^2)", at=(0, 0)),
    "flat": lambda: plot("3 + 0x + 0y", at=(1, 1)),
    "part of the plane": lambda: plot("log(x) + y/x", at=(1, 1)),
    "plane through": lambda: plot(lambda x: np.sum(x**4), at=np.ones(5), along=(np.eye(5)[0], np.eye(5)[1])),
    "line through": lambda: plot(lambda x: np.sum(x**4), at=np.ones(5), along=np.eye(5)[0]),
    "hessian": lambda: plot_hessian([[1, 0.5], [0.5, 2]], ["x", "y"]),
    "zero hessian": lambda: plot_hessian(np.zeros((2, 2))),
    "large hessian": lambda: plot_hessian(np.eye(40)),
    "taylor": lambda: tg.taylor("sin(x)", at=0.0, order=7).plot(),
    "importance": lambda: plot_importance(["age", "income"], [0.3, -1.2]),
    "sweep": lambda: plot_sweep(step_sweep(np.sin, 1.0, math.cos(1.0))),
    "tangent": lambda: plot_tangent("x^3 - x", at=1),
    "secants": lambda: plot_secants("x^3 - x", at=1),
    "derivative": lambda: plot_derivative("x^3 - x", at=1),
}


def lines(ax):
    """The lines with a label of their own."""
    return {line.get_label(): line for line in ax.lines if not str(line.get_label()).startswith("_")}


def arrows(ax):
    return [c for c in ax.collections if type(c).__name__ == "Quiver"]


def texts(ax):
    return [t.get_text() for t in ax.texts]


@pytest.mark.parametrize("name", SCENES)
def test_every_picture_is_drawn_and_leaves_nothing_behind(name, tmp_path):
    before = dict(matplotlib.rcParams)
    drawn = SCENES[name]()
    path = save_figure(drawn, tmp_path / "picture.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before
    assert saving.described(drawn) not in ("", "a figure")


def test_pyplot_is_never_imported_nor_matplotlib_before_it_is_needed():
    program = (
        "import sys, tangently.pictures.functions as p\n"
        "assert 'matplotlib' not in sys.modules\n"
        "p.figure_svg(p.plot('x^2', at=1)); p.figure_svg(p.plot('x y', surface=True))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=120)


def test_all_public_names_are_there():
    assert all(callable(getattr(functions, name)) for name in functions.__all__)
    with pytest.raises(AttributeError, match="plot_contour"):
        _ = functions.plot_countour


# ---------------------------------------------------------------- one number


def test_tangent_and_secants_satisfy_their_equations():
    upper, lower = plot("3x^2 - 4x", at=1, secants=(1, 0.5, 0.1))
    found = lines(upper)
    assert list(found) == [
        "$f(x) = 3x^{2} - 4x$",
        "tangent $y = 2 x - 3$",
        "secant $h = 1$, slope $5$",
        "secant $h = 0.5$, slope $3.5$",
        "secant $h = 0.1$, slope $2.3$",
    ]
    x, y = found["tangent $y = 2 x - 3$"].get_data()
    assert np.allclose(y, 2 * np.asarray(x) - 3)
    x, y = found["secant $h = 0.5$, slope $3.5$"].get_data()
    assert np.allclose(y, -1 + 3.5 * (np.asarray(x) - 1))
    x, y = found["$f(x) = 3x^{2} - 4x$"].get_data()
    assert np.allclose(y, 3 * x**2 - 4 * x)
    assert found["$f(x) = 3x^{2} - 4x$"].get_color() == BLUE
    assert found["tangent $y = 2 x - 3$"].get_color() == VERMILLION
    (slope,) = lines(lower).values()
    assert slope.get_label() == "$f′(x) = 6x - 4$"
    assert np.allclose(slope.get_ydata(), 6 * slope.get_xdata() - 4)
    assert texts(lower) == ["$f′(1) = 2$"]
    assert [t.get_text() for t in upper.get_legend().get_texts()] == list(found)


def test_steps_of_the_secants_are_round_and_fit_the_picture():
    upper, _ = plot("3x^2 - 4x", at=1)
    assert [label.split("$")[1] for label in lines(upper) if "secant" in label] == ["h = 1", "h = 0.5", "h = 0.1"]
    assert not [label for label in lines(plot("x^2", at=1, secants=())[0]) if "secant" in label]


def test_given_axes_are_used_and_returned():
    figure = matplotlib.figure.Figure()
    ax = figure.add_subplot()
    assert plot("x^2", ax, at=1) is ax
    assert plot_secants("x^2", ax, at=1, secants=(1,)) is ax
    assert figure.axes == [ax]
    assert "secant $h = 1$, slope $3$" in lines(ax)


def test_one_panel_for_each_derivative():
    panels = plot("x^3", order=3)
    assert [next(iter(lines(ax))) for ax in panels] == [
        "$f(x) = x^{3}$", "$f′(x) = 3x^{2}$", "$f″(x) = 6x$", "$f‴(x) = 6$",
    ]  # fmt: skip
    assert len(plot("x^3", order=0)) == 1
    with pytest.raises(InputError, match="order=9"):
        plot("x^3", order=9)


@pytest.mark.parametrize(("text", "pole"), [("1/x", 0.0), ("tan x", math.pi / 2), ("1/(x-1)", 1.0), ("1/x^3", 0.0)])
def test_no_line_crosses_a_pole(text, pole):
    ax = plot(text, order=0)[0]
    x, y = next(iter(lines(ax).values())).get_data()
    left, right = x[(x < pole - 1e-9) & ~np.isnan(y)].max(), x[(x > pole + 1e-9) & ~np.isnan(y)].min()
    between = (x > left) & (x < right) | np.isnan(y)
    assert np.isnan(y[between & (x >= left) & (x <= right)]).any()
    assert max(map(abs, ax.get_ylim())) < 40  # the middle of the function is seen, not its largest sample


def test_jumps_are_broken_where_they_are():
    curve = trace_curve(tg.parse("floor(x)"), -1.5, 2.5)
    assert np.allclose(curve.jumps, [[-1, -2, -1], [0, -1, 0], [1, 0, 1], [2, 1, 2]], atol=1e-9)
    assert np.isnan(curve.y).sum() == 4


def test_what_is_steep_is_not_broken():
    for f in ("atan(300x)", "cbrt(x)", "exp(6x)", "sin(40x)"):
        assert not np.isnan(trace_curve(tg.parse(f), -2, 2).y).any(), f


def test_a_curve_ends_where_the_function_ends():
    curve = trace_curve(math.sqrt, -1, 1)
    assert curve.x[~np.isnan(curve.y)].min() == pytest.approx(0, abs=1e-12)


def test_kinks_are_marked_with_both_slopes():
    upper, lower = plot(branching)
    assert texts(upper) == ["slope $-1$ left, $0$ right"]
    ends = next(line for line in lower.lines if line.get_marker() == "o" and len(line.get_xdata()) == 2)
    assert np.allclose(ends.get_data(), [[0, 0], [-1, 0]], atol=1e-9)
    assert not texts(plot("x^2 + x^3")[0])


def test_at_a_kink_there_are_two_tangents_and_no_derivative():
    upper, lower = plot("abs(x)", at=0)
    assert list(lines(upper))[1:] == ["left tangent $y = -x$", "right tangent $y = x$"]
    x, y = lines(upper)["left tangent $y = -x$"].get_data()
    assert np.allclose(y, -np.asarray(x))
    assert max(x) == 0
    assert not texts(lower)


def test_no_tangent_where_there_is_none():
    with pytest.raises(DomainError, match="jumps"):
        plot("floor(x)", at=1)
    with pytest.raises(DomainError, match="no value"):
        plot("1/x", at=0)
    assert "tangent $x = 0$" in lines(plot("sqrt(x)", at=0)[0])


def test_a_derivative_by_differences_says_so():
    upper, lower = plot(black_box, at=0.5)
    assert "tangent (estimated) $y = x$" in lines(upper)
    assert next(iter(lines(lower))).endswith("estimated by differences")


def test_a_slope_is_drawn_only_where_the_function_has_values():
    lower = plot("log(x)", domain=(-2, 2))[1]
    x, y = next(iter(lines(lower).values())).get_data()
    assert np.nanmin(x[~np.isnan(y)]) > 0


@pytest.mark.parametrize(
    ("f", "center", "low", "high"),
    [
        ("3x^2 - 4x", 1, -1, 3), ("x^3 sin x", 0, -3, 3), ("sqrt(x)", 1, -0.2, 3), ("exp(-x^2)", 0, -3, 3),
        ("1/(1+exp(-x))", 0, -6, 6), ("sin(x/20)", 0, -50, 50), ("2x + 1", 0, -2, 2),
    ],
)  # fmt: skip
def test_the_window_shows_what_is_interesting(f, center, low, high):
    found = choose_interval(tg.parse(f), center)
    assert found == pytest.approx((low, high), rel=0.35, abs=0.05)


def test_a_fast_wave_gets_a_narrow_window():
    low, high = choose_interval(tg.parse("sin(100x)"), 0)
    assert high - low < 1


def test_taylor_polynomials_are_those_of_the_coefficients():
    taylor = tg.taylor("exp(x)", at=0.0, order=3)
    ax = plot_taylor(taylor, domain=(-1, 1))
    x, y = lines(ax)["order 2"].get_data()
    assert np.allclose(y, 1 + x + x**2 / 2)
    assert lines(ax)["order 3"].get_color() == VERMILLION
    with pytest.raises(InputError, match="one number"):
        plot_taylor(tg.taylor("x y", at=(1.0, 1.0), order=2))


# ---------------------------------------------------------------- two numbers


def test_the_gradient_arrow_is_along_the_gradient():
    ax = plot("x^2 + y^2 - 2x - 4y + 5", at=(0, 0))
    field, point = arrows(ax)
    direction = np.array([point.U[0], point.V[0]])
    assert np.allclose(direction / np.hypot(*direction), np.array([-2, -4]) / math.sqrt(20))
    at = field.get_offsets() - 0.0
    g = 2 * at - [2, 4]
    assert np.allclose(field.U * g[:, 1] - field.V * g[:, 0], 0, atol=1e-9)
    assert (field.U * g[:, 0] + field.V * g[:, 1] >= 0).all()
    assert any("(-2, -4)" in t and "steepest ascent" in t and "4.472" in t for t in texts(ax))
    assert ax.get_aspect() == 1
    assert ax.get_xlim()[0] < 1 < ax.get_xlim()[1]  # the minimum, found from the point, is in the picture
    assert ax.get_ylim()[0] < 2 < ax.get_ylim()[1]


@pytest.mark.parametrize("text", ["sqrt(x^2 + y^2)", "abs(x) + abs(y)"])
def test_no_arrow_at_a_kink(text):
    ax = plot_contour(text, at=(0, 0), arrows=0)
    assert not arrows(ax)
    assert any("no gradient" in t for t in texts(ax))


def test_a_stationary_point_is_called_so():
    assert any("stationary" in t for t in texts(plot("x^2 - y^2", at=(0, 0))))


def test_functions_of_an_array_and_of_two_numbers_give_the_same_contours():
    one = plot_contour(lambda x: x[0] ** 2 + 3 * x[1], at=[1.0, 1.0], domain=(-2, 2))
    two = plot_contour(lambda a, b: a**2 + 3 * b, at=(1.0, 1.0), domain=(-2, 2))
    fields = [np.stack([arrows(ax)[0].U, arrows(ax)[0].V]) for ax in (one, two)]
    assert np.allclose(*fields)
    assert (one.get_xlabel(), two.get_xlabel()) == ("$x_{0}$", "$a$")


def test_a_plane_through_a_point_of_a_large_function():
    u, v = np.eye(5)[1], np.ones(5)
    ax = plot(lambda x: np.sum(x**2), at=np.ones(5), along=(u, v))
    point = arrows(ax)[1]
    assert np.isclose(point.V[0] / point.U[0], 10 / 2)


def test_surface_has_the_tangent_plane(monkeypatch):
    from mpl_toolkits.mplot3d import Axes3D

    drawn, original = [], Axes3D.plot_surface

    def recording(self, x, y, z, **options):
        drawn.append((x, y, z))
        return original(self, x, y, z, **options)

    monkeypatch.setattr(Axes3D, "plot_surface", recording)
    plot("x^2 + y^2", at=(1, 0), surface=True)
    (x, y, z), (u, _, w) = drawn
    assert np.allclose(z, x**2 + y**2)
    assert np.allclose(w, 1 + 2 * (u - 1))
    with pytest.raises(InputError, match="3d"):
        plot_surface("x y", matplotlib.figure.Figure().add_subplot())


def test_levels_are_round_and_spread_over_the_picture():
    x, y = np.meshgrid(np.linspace(-2, 2, 80), np.linspace(-1, 3, 80))
    z = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    levels = contour_levels(z)
    share = np.histogram(z, [-np.inf, *levels, np.inf])[0] / z.size
    assert share.max() < 0.25
    assert all(float(f"{v:.2g}") == v for v in levels)
    assert not contour_levels(np.full((3, 3), 2.0)).size


# ---------------------------------------------------------------- what can't be drawn


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plot("x + y z", at=(1, 2, 3)), "along="),
        (lambda: plot(lambda x: (x**2).sum(), at=np.ones(3)), "along="),
        (lambda: plot(lambda x: np.array([x, x])), "What can be drawn"),
        (lambda: plot("x^2", domain=(2, 1)), "domain"),
        (lambda: plot("x^2", domain=3), "domain"),
        (lambda: plot("x^2", at="a"), "number"),
        (lambda: plot("x^2", at=1, secants=(0,)), "secants"),
        (lambda: plot("x^2 + y", at={"x": 1}), "x, y"),
        (lambda: plot("sqrt(-1-x^2)"), "no finite"),
        (lambda: plot(lambda x: x.sum(), along=np.ones(3)), "at="),
        (lambda: plot(lambda x: x.sum(), at=np.ones(3), along=np.ones(2)), "along= of shape"),
        (lambda: plot_contour("x^2"), "one number"),
        (lambda: plot_tangent("x y", at=(1, 1)), "plot_contour"),
        (lambda: plot_hessian([1, 2]), "square"),
        (lambda: plot_hessian(np.eye(2), ["x"]), "labels"),
        (lambda: plot_importance(["a"], [1, 2]), "one finite value"),
        (lambda: figure_svg(3), "Figure"),
    ],
)
def test_errors_say_what_to_do(draw, words):
    with pytest.raises(InputError, match=words):
        draw()


# ---------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    "f",
    [
        lambda x: max(x, 0.0), branching, math.sin, np.sin, lambda x: 3.0, lambda x: np.abs(x).max() + x,
        lambda x: 1 / x, lambda x: x**0.5, lambda x: math.exp(1000 * x), tg.parse("x e^x"),
    ],
)  # fmt: skip
def test_samples_are_the_values_one_by_one(f):
    x = np.linspace(-2.0, 2.0, 41)
    want = [single(f, v) for v in x.tolist()]
    np.testing.assert_allclose(sample(f, x), want, rtol=1e-12)


def single(f, x):
    try:
        y = f(x)
    except (ArithmeticError, ValueError):
        return math.nan
    return y if not isinstance(y, complex) and math.isfinite(y) else math.nan


def test_a_formula_is_sampled_on_grids_entry_by_entry():
    x, y = np.meshgrid(np.linspace(0, 1, 7), np.linspace(0, 1, 5))
    assert np.allclose(sample(tg.parse("x y"), x, y), x * y)


# ---------------------------------------------------------------- matrices and bars


def test_matrix_prints_its_entries_and_its_form():
    matrix, form = plot_hessian([[2, 3], [3, -1]], ["w0", "w1"])
    assert texts(matrix) == ["2", "3", "3", "−1"]
    assert "saddle" in form.get_title()
    assert texts(form) == [r"$\lambda = -2.854$", r"$\lambda = 3.854$"]
    vectors = [np.array([a.U[0], a.V[0]]) for a in arrows(form)]
    for value, v in zip((-2.8541, 3.8541), vectors):
        assert np.allclose(np.array([[2, 3], [3, -1]]) @ v, value * v, atol=1e-4)


def test_bars_are_sorted_and_signed():
    ax = plot_importance(["a", "b", "c"], [0.5, -2, 0.1], most=2)
    assert [bar.get_width() for bar in ax.patches] == [2, 0.5]
    assert texts(ax) == ["−2", "0.5"]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [True, False]
    assert "1 smaller" in ax.get_xlabel()


# ---------------------------------------------------------------- files and pages


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_files_are_whole_and_carry_their_description(suffix, tmp_path):
    path = save_figure(plot("x^2", at=1), tmp_path / f"picture{suffix}", alt="a parabola")
    again = save_figure(plot("x^2", at=1), tmp_path / f"again{suffix}", alt="a parabola")
    assert path.read_bytes() == again.read_bytes()
    assert b"a parabola" in path.read_bytes() or suffix == ".pdf"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, again.name])


def test_a_file_that_is_there_is_replaced(tmp_path):
    path = tmp_path / "picture.svg"
    path.write_text("old")
    save_figure(plot("x^2")[0], path)
    root = ET.fromstring(path.read_text())
    assert root.findtext("{http://www.w3.org/2000/svg}title", "").startswith("graph of f(x) = x²")


def test_a_failing_save_leaves_nothing(tmp_path, monkeypatch):
    drawn = plot("x^2")
    kept = tmp_path / "kept.svg"
    kept.write_text("old")

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        save_figure(drawn, kept)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.svg"]
    assert kept.read_text() == "old"


@pytest.mark.parametrize(("path", "words"), [("picture.gif", "suffix"), ("nowhere/picture.svg", "no directory")])
def test_a_path_that_will_not_do(path, words, tmp_path):
    with pytest.raises(InputError, match=words):
        save_figure(plot("x^2"), tmp_path / path)


@pytest.mark.parametrize("name", ["parabola", "bowl", "valley in space", "hessian", "importance", "cone"])
def test_svg_for_a_page_obeys_a_strict_policy(name):
    svg = figure_svg(SCENES[name](), alt="a < b & c")
    root = ET.fromstring(svg)
    assert svg.startswith("<svg ")
    assert root.get("role") == "img"
    assert root[0].tag == "title"
    assert root[0].text == "a < b & c"
    for element in root.iter():
        assert element.tag not in ("style", "script", "metadata", "image"), "only shapes and text"
        assert "style" not in element.attrib
        assert "font" not in element.attrib
    assert "http" not in svg


def test_two_pictures_in_a_page_share_no_id():
    ids = [{e.get("id") for e in ET.fromstring(figure_svg(plot(f))).iter()} - {None} for f in ("x^2", "x^3")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_references_lead_somewhere():
    root = ET.fromstring(figure_svg(plot("x^2", at=1)))
    ids = {e.get("id") for e in root.iter()}
    wanted = [e.get("href", "")[1:] for e in root.iter() if e.get("href")]
    wanted += [e.get("clip-path", "")[5:-1] for e in root.iter() if e.get("clip-path")]
    assert wanted
    assert set(wanted) <= ids


def test_notebooks_show_what_plot_returns():
    for drawn in (plot("x^2"), plot("x y")):
        data, size = drawn._repr_png_()
        assert data.startswith(b"\x89PNG")
        assert 300 < size["width"] < 1200


@pytest.mark.parametrize(
    ("latex", "fits"), [(r"\frac{1}{x}", True), (r"\begin{cases} x \end{cases}", False), ("x" * 200, False)]
)
def test_only_formulas_that_can_be_set_are_set(latex, fits):
    assert settable(latex) is fits


def test_modules_do_not_import_matplotlib_at_the_top():
    for path in Path(functions.__file__).parent.glob("*.py"):
        top = [line for line in path.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert not [line for line in top if line.split()[1].startswith("matplotlib")], path.name
