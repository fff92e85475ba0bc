"""`study`, `explain` and `graph`: what they say is right, and the page of a study works in a browser, offline."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tangently as tg
from webdriver import Browser, browser, missing


def test_a_polynomial() -> None:
    s = tg.study("2x^2 + 3x + 1", at=1.0)
    assert (s.value, s.gradient) == (6.0, 7.0)
    assert str(s.formula) == "4x + 3"
    assert [(order, value) for order, _, value in s.higher] == [(2, 4.0), (3, 0.0)]
    assert s.receipt is not None
    assert s.receipt.agree
    assert s.explanation.agrees
    text = str(s)
    for words in ("power rule", "sum rule", "constant multiple", "4x + 3", "the difference quotient", "routes agree"):
        assert words in text


def test_two_variables() -> None:
    s = tg.study("x^2 y + x y^2 + 2", at=(1.0, 2.0))
    assert s.value == 8.0
    assert s.gradient == (8.0, 5.0)
    assert s.norm == pytest.approx(9.434, abs=5e-4)
    assert np.allclose(s.direction, np.array([8, 5]) / math.sqrt(89))


def test_curvature() -> None:
    s = tg.study(lambda x: (x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1]) / 2, at=[1.0, 1.0])
    assert s.curvature is not None
    assert np.allclose(s.curvature.matrix, [[1, 0.5], [0.5, 2]])
    assert s.curvature.condition == pytest.approx(2.784, abs=5e-4)
    assert s.curvature.verdict.startswith("bowl")


@pytest.mark.parametrize(
    ("text", "word"),
    [("x^2 + y^2", "bowl"), ("-x^2 - y^2", "dome"), ("x^2 - y^2", "saddle"), ("x + y", "flat"), ("x^2 + 0y", "valley")],
)
def test_verdicts(text: str, word: str) -> None:
    curvature = tg.study(text, at=(0.3, 0.2)).curvature
    assert curvature is not None
    assert word in curvature.verdict


def test_chain_rule_by_paths() -> None:
    e = tg.explain("(x^2 + 1)^3", at=2.0)
    assert "300" in str(e)
    assert e.paths[0].value == 300.0


def test_two_paths_add_up() -> None:
    e = tg.explain("x^2 y + x y^2 + 2", at=(1.0, 2.0))
    assert [p.value for p in e.paths] == [8.0, 5.0]
    assert e.paths[0].count == 2


@pytest.mark.parametrize(
    ("notation", "sign"), [("leibniz", "df/dx"), ("lagrange", "f′"), ("newton", "ḟ"), ("euler", "D")]
)
def test_notations(notation: str, sign: str) -> None:
    assert sign in str(tg.explain("x^2", at=1.0, notation=notation))


def test_depths_differ() -> None:
    sizes = [len(tg.explain("x^2 sin(3x) + 2x", at=1.0, depth=d).lines()) for d in ("summary", "rules", "algebra")]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1]


def test_graph_of_a_function_with_names() -> None:
    def f(x: float) -> float:
        h = x**2
        g = h + 1
        return g**3

    drawn = tg.graph(f, at=2.0)
    found = {v.name: (v.value, v.gradient) for v in drawn.diagram.vertices if v.name}
    assert found["h"] == ("4", "75")
    assert found["g"] == ("5", "75")
    assert "125" in str(drawn)
    assert drawn.svg().startswith("<svg")


def test_graph_of_a_variable() -> None:
    x = tg.variable(3.0)
    y = x**2 + 1
    assert {v.value for v in tg.graph(y).diagram.vertices} >= {"3", "9", "10"}


def test_kinks_are_reported() -> None:
    notes = " ".join(tg.study(lambda x: np.abs(x), at=0.0).notes)
    assert "no derivative" in notes
    assert "-1" in notes
    assert "1 from the right" in notes


def test_branch_is_reported() -> None:
    def f(x: float) -> float:
        return x**2 if x > 0 else -x

    assert any("x > 0" in note for note in tg.study(f, at=1.0).notes)


def test_no_point_given() -> None:
    s = tg.study("log(x)")
    assert s.value == 0.0
    assert "No point was given" in s.notes[0]


def test_array_output_gives_the_jacobian() -> None:
    s = tg.study(lambda x: np.array([x[0] ** 2 + x[1], x[0] * x[1]]), at=[1.0, 2.0])
    assert np.allclose(s.jacobian, [[2, 1], [2, 1]])
    assert "Jacobian" in str(s)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(tg.DomainError, match="denominator"):
        tg.study("1/x", at=0.0)
    with pytest.raises(tg.InputError, match="leibniz"):
        tg.explain("x", at=1.0, notation="roman")
    with pytest.raises(tg.InputError, match="needs a point"):
        tg.study(lambda x: x[0])


# ---------------------------------------------------------------- the page, in a browser

needs_browser = pytest.mark.skipif(bool(missing()), reason=missing() or "")


@pytest.fixture(scope="module")
def session() -> Iterator[Browser]:
    with browser() as found:
        yield found


STUDIES = {
    "curve": lambda: tg.study("2x^2 + 3x + 1", at=1.0),
    "surface": lambda: tg.study("x^2 + 3y + e^(x*y)", at=(1.0, 2.0)),
    "vector": lambda: tg.study(lambda x: (x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1]) / 2, at=[1.0, 1.0]),
    "penguins": lambda: tg.study(__import__("tangently.examples.penguins", fromlist=["logistic"]).logistic),
}


@needs_browser
@pytest.mark.parametrize("name", STUDIES)
def test_page_opens_offline_without_complaint(session: Browser, tmp_path: Path, name: str) -> None:
    target = tmp_path / "report.html"
    STUDIES[name]().save(target)
    assert target.stat().st_size < 130_000
    session.open(target)
    assert session.console() == []
    assert session.run("return performance.getEntriesByType('resource').map(e => e.name)") == []
    assert session.run("return document.querySelectorAll('.broken').length") == 0


@needs_browser
def test_step_buttons_walk_the_graph(session: Browser, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    STUDIES["curve"]().save(target)
    session.open(target)
    before = session.run("return document.querySelector('[aria-live]').textContent")
    session.run("[...document.querySelectorAll('button')].find(b => b.textContent.trim() === '▶').click()")
    after = session.run("return [...document.querySelectorAll('[aria-live]')].map(e => e.textContent).join(' ')")
    assert "forward" in after
    assert after != before
