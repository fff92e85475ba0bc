"""Reports of limits, continuity and differentiability: every format whole, each saying what is known and how."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from tangently.errors import InputError
from tangently.limits import limit
from tangently.limits.results import Limit
from tangently.reports.limits import as_text, markdown, page, report_of, save_result, thinned, typeset
from tangently.smoothness.continuing import continuity
from tangently.smoothness.differing import differentiability
from test_limit_pictures import SCENES, SINC
from test_report_page import parsed
from webdriver import browser, missing

SUFFIXES = (".html", ".svg", ".png", ".pdf", ".tex", ".txt", ".md", ".json")


def black_box(x: float) -> float:
    """What can't be followed, only called."""
    return math.sin(float(repr(float(x)))) / x


RESULTS: dict[str, Any] = {
    "limit": SINC,
    "no limit": lambda: limit("abs(x)/x", 0),
    "infinite": lambda: limit("1/x^2", 0),
    "wild": lambda: limit("sin(1/x)", 0),
    "undecided": SCENES["undecided"],
    "at infinity": SCENES["settling"],
    "continuity at": lambda: continuity("sin(x)/x", at=0),
    "continuity on": lambda: continuity("tan(x)", on=(-2, 2)),
    "differentiability at": lambda: differentiability("abs(x)", at=0),
    "differentiability on": lambda: differentiability("max(x, 0)", on=(-1, 1)),
    "parameter": lambda: limit("exp(a x)", math.inf, wrt="x"),
    "two variables": lambda: limit("x y/(x^2 + y^2)", (0, 0)),
    "several variables": lambda: differentiability("max(x, y)", at=(1.0, 1.0)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_the_page_is_whole_and_speaks(name: str) -> None:
    text = page(RESULTS[name]())
    assert parsed(text).open == []
    assert re.search(r"<svg|No picture", text)
    assert "<math" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)=\"(?!#|data:)", text)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["limit", "continuity on", "differentiability at"])
def test_every_format_is_written(name: str, suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"result{suffix}"
    save_result(RESULTS[name](), target)
    assert target.stat().st_size > 10
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_results_save_themselves(tmp_path: Path) -> None:
    SINC().save(tmp_path / "limit.html", epsilon=0.5)
    assert "ε = 0.5" in (tmp_path / "limit.html").read_text()


def test_a_suffix_that_is_not_offered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="docx"):
        save_result(SINC(), tmp_path / "limit.docx")


def test_only_results_have_a_report() -> None:
    with pytest.raises(InputError, match="got a float"):
        report_of(1.0)


@pytest.mark.parametrize("name", RESULTS)
def test_the_terminal_report_fits(name: str) -> None:
    text = as_text(RESULTS[name](), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert not text.startswith("\n")


SAID = [
    ("limit", "✓ The limit is 1: known exactly"),
    ("limit", "implies |f(x) − 1| < ε"),
    ("no limit", "✓ The limit does not exist"),
    ("no limit", "from the right   1"),
    ("infinite", "The limit is ∞"),
    ("undecided", "? The limit is undecided"),
    ("at infinity", "x > N implies"),
    ("continuity at", "✗ f(0) is defined"),
    ("continuity on", "It is proven that there is no other."),
    ("differentiability at", "slope from the left        −1"),
    ("differentiability on", "kink"),
    ("parameter", "The limit depends on the parameters: known exactly"),
    ("parameter", "a > 0"),
    ("two variables", "The limit does not exist"),
    ("two variables", "Paths into the point"),
    ("several variables", "(0.5, 0.5)"),
]


@pytest.mark.parametrize(("name", "words"), SAID)
def test_what_is_said(name: str, words: str) -> None:
    assert words in re.sub(r"(?<=\w) +\n", " ", as_text(RESULTS[name]()))


def test_an_estimate_is_called_one() -> None:
    found = limit(black_box, 0)
    assert isinstance(found, Limit)
    text = as_text(found)
    assert "? The limit is 1: estimated from values, not proven" in text
    assert "may be off by" in text
    assert "proven to within" not in text
    assert "f(x)" in text.splitlines()[0]


def test_json_holds_what_the_report_says() -> None:
    data = json.loads(json.dumps(report_of(limit("tan(x)", "pi/2", "-")).data(), default=str))
    assert data["point"] == "π/2"
    assert data["direction"] == "-"
    assert data["exists"] is True
    assert data["how"] == "exact"
    assert data["why"]
    assert len(data["evidence"]) > 5
    breaks = report_of(continuity("floor(x)", on=(0, 1.5))).data()["discontinuities"]
    assert [(b["at"], b["kind"], b["height"]) for b in breaks][-1] == (1.0, "jump", 1.0)


def test_markdown_has_a_table_and_mathematics() -> None:
    text = markdown(limit("abs(x)/x", 0))
    assert r"\lim_{x \to 0}" in text
    assert "| x | f(x) |" in text
    assert "1. " in text


def test_numbers_are_set_as_people_write_them() -> None:
    assert typeset("-1e-10") == "−10⁻¹⁰"
    assert typeset("pi/2 - 1e-08") == "pi/2 − 10⁻⁸"
    assert typeset("12.5") == "12.5"


def test_long_tables_are_thinned_evenly() -> None:
    assert thinned(range(5)) == [0, 1, 2, 3, 4]
    assert thinned(range(100), 3) == [0, 50, 99]


@pytest.mark.skipif(bool(missing()), reason=missing() or "a browser is there")
def test_the_page_keeps_its_own_policy(tmp_path: Path) -> None:
    target = tmp_path / "limit.html"
    save_result(SINC(), target)
    with browser() as session:
        session.resize(900, 1200)
        session.open(target)
        assert session.console() == []
        assert session.run("return document.documentElement.scrollWidth <= innerWidth")
        assert session.run("return document.querySelectorAll('svg, math').length") >= 2
