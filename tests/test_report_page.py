"""The report page without a browser: well-formed, escaped, self-contained, allowed by its own policy, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import report_samples as sample
from tangently import reports as r
from tangently.errors import InputError, TangentlyError
from tangently.reports.charts import decades, line_chart, steps
from tangently.reports.page import RUNTIME, module

PAGE = r.render_page("Sigmoid & <friends>", sample.REPORT, subtitle="a < b", generated="today")
EVIL = '<img src=x onerror="alert(1)">&</script><script>alert(2)</script>'


class Balance(HTMLParser):
    """Every element that opens closes, in order; what was seen is kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def parsed(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    return parser


def part(pattern: str, page: str = PAGE) -> str:
    found = re.search(pattern, page, flags=re.DOTALL)
    assert found, pattern
    return found[1]


def test_the_page_is_well_formed() -> None:
    page = parsed(PAGE)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    policy = part(r'Content-Security-Policy" content="([^"]*)"')
    style, script = part(r"<style>(.*?)</style>"), part(r'<script type="module">(.*?)</script>')
    for kind, text in (("style", style), ("script", script)):
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{hashed}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert PAGE.index("Content-Security-Policy") < PAGE.index("<style>")


def test_nothing_on_the_page_needs_what_the_policy_forbids() -> None:
    for tag, attributes in parsed(PAGE).seen:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert all((attributes.get(name) or "#").startswith(("#", "data:")) for name in ("src", "href"))
    script = part(r'<script type="module">(.*?)</script>')
    assert not re.search(r"\beval\b|new Function|\bfetch\(|XMLHttp|import\(|innerHTML|document\.write", script)
    assert "http" not in PAGE.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_a_report_with_every_block_stays_small() -> None:
    assert len(PAGE.encode()) < 100_000
    assert sum(len(module(name).encode()) for name in {n for names in RUNTIME.values() for n in names}) < 40_000
    assert len(r.render_page("t", [sample.PLOT]).encode()) < 60_000


def test_a_page_without_live_figures_has_no_script() -> None:
    page = r.render_page("t", [r.Text("x"), r.Verdict(True, "yes")])
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert "font-face" not in page


def test_only_the_parts_of_the_runtime_that_are_used_are_carried() -> None:
    assert "contour2d" not in r.render_page("t", [sample.PLOT])
    assert "plot1d" not in r.render_page("t", [sample.BOWL])


def test_helpers_are_carried_once() -> None:
    functions = [
        r.JsFunction(n, ("x",), f"function {n}(x) {{ return twice(x); }}", "function twice(x) { return 2 * x; }")
        for n in "fg"
    ]
    page = r.render_page("t", [replace(sample.POLE, value=functions[0], derivative=functions[1])])
    assert page.count("function twice") == 1


TEXTS: tuple[r.Block, ...] = (
    r.Heading(EVIL),
    r.Text(EVIL),
    r.Text(EVIL, "warning"),
    r.Formula("", EVIL, EVIL, EVIL),
    r.Table((EVIL,), ((EVIL,),), EVIL, EVIL),
    r.Table((EVIL,), ((EVIL,),), EVIL, EVIL, True),
    r.Steps((r.StepItem(EVIL, EVIL, EVIL, EVIL, 0, EVIL),), EVIL),
    r.Verdict(False, EVIL, EVIL),
    r.Code(EVIL, EVIL, EVIL),
    r.Facts(((EVIL, EVIL),)),
    replace(sample.PLOT, label=EVIL, alt=EVIL, caption=EVIL),
    replace(sample.BOWL, label=EVIL, alt=EVIL, caption=EVIL),
    r.GraphFigure(sample.GRAPH_SVG, (r.GraphStep("forward", (EVIL,), EVIL),), EVIL, EVIL),
    r.Picture(sample.GRAPH_SVG, EVIL, EVIL),
    r.LineChart(((EVIL, (0.0, 1.0), (0.0, 1.0)),), title=EVIL, x_label=EVIL, y_label=EVIL, alt=EVIL, caption=EVIL),
)


@pytest.mark.parametrize("block", TEXTS, ids=lambda b: type(b).__name__)
def test_text_is_text(block: r.Block) -> None:
    page = parsed(r.render_page(EVIL, [block], subtitle=EVIL, generated=EVIL))
    assert page.open == []
    tags = [tag for tag, _ in page.seen]
    assert "img" not in tags
    assert tags.count("script") in (0, 2)


def test_data_of_figures_survives_the_trip() -> None:
    graph = r.GraphFigure(sample.GRAPH_SVG, (r.GraphStep("forward", ("v-x",), EVIL + "<!-- é"),))
    page = r.render_page("t", [graph])
    data = json.loads(part(r'id="figures">(.*?)</script>', page))
    assert data == [
        {"kind": "graph", "id": "b1", "steps": [{"direction": "forward", "ids": ["b1-v-x"], "text": EVIL + "<!-- é"}]}
    ]
    assert 'id="b1-v-x"' in page


def test_a_drawing_obeys_the_page() -> None:
    page = r.render_page("t", [sample.PICTURE, sample.PICTURE, sample.GRAPH])
    assert 'id="b1-g"' in page
    assert "url(#b1-g)" in page
    assert "url(#b2-g)" in page
    assert 'stop-color="#0072B2"' in page
    assert "alert(1)" not in page


WRONG: tuple[tuple[str, r.Block], ...] = (
    ("2 columns", r.Table(("a", "b"), (("1",),))),
    ("identifier", replace(sample.POLE, value=r.JsFunction("a b", (), ""))),
    ("markup", replace(sample.POLE, value=r.JsFunction("g", (), "function g() { return '</script>' }"))),
    ("finite", replace(sample.POLE, at=float("nan"))),
    ("finite", replace(sample.POLE, domain=(0.0, float("inf")))),
    ("well-formed", r.Picture("<svg><g></svg>", "")),
    ("<svg>", r.Picture("<p/>", "")),
    ("Heading", "text"),  # type: ignore[arg-type]
)


@pytest.mark.parametrize(("words", "block"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_named(words: str, block: r.Block) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        r.render_page("t", [block])


def test_numbers_are_short_and_whole_on_hover() -> None:
    page = r.render_page("t", [r.Facts((("a", "0.17789444064680573"), ("b", "0.5"), ("c", "-1.23456789e-10")))])
    assert '<dd class="num cut" title="0.17789444064680573" tabindex="0">0.1779</dd>' in page
    assert '<dd class="num">0.5</dd>' in page
    assert "−1.235×10<sup>−10</sup>" in page


def test_verdicts_differ_in_more_than_color() -> None:
    page = r.render_page("t", [r.Verdict(ok, "claim") for ok in (True, False, None)])
    assert re.findall(r'aria-label="(\w+)">(.)</span>', page) == [
        ("verified", "✓"),
        ("failed", "✗"),
        ("undecided", "?"),
    ]


@pytest.mark.parametrize(("count", "listed"), [(4, False), (5, True)])
def test_contents_appear_when_there_is_something_to_find(count: int, listed: bool) -> None:
    assert ("<nav" in r.render_page("t", [r.Heading(f"h{i}") for i in range(count)])) is listed


STEPS = (
    (0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"),
    (-30, 30, "−30 −20 −10 0 10 20 30"),
    (0.001, 0.0015, "0.0010 0.0011 0.0012 0.0013 0.0014 0.0015"),
)


@pytest.mark.parametrize(("low", "high", "labels"), STEPS)
def test_steps_are_round(low: float, high: float, labels: str) -> None:
    assert " ".join(label for _, label in steps(low, high)) == labels


def test_many_decades_are_thinned() -> None:
    assert [label for _, label in decades(-16, 0)] == ["10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]


CHARTS = {
    "empty": r.LineChart(()),
    "nothing finite": r.LineChart((("a", [1.0, 2.0], [float("nan"), float("inf")]),)),
    "constant": r.LineChart((("a", [1.0, 1.0], [0.0, 0.0]),)),
    "negative on a logarithmic axis": r.LineChart((("a", [1.0, 2.0], [-1.0, 0.0]),), log_x=True, log_y=True),
    "one decade": r.LineChart((("a", [1.0, 2.0], [3.0, 4.0]),), log_x=True, log_y=True),
}


@pytest.mark.parametrize("name", CHARTS)
def test_charts_of_hardly_anything(name: str) -> None:
    drawn = line_chart(CHARTS[name])
    assert parsed(drawn).open == []
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_a_chart_breaks_where_there_is_no_value() -> None:
    gap = r.LineChart((("a", [0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, float("nan"), 1.0, 0.0]),))
    assert part(r'<g class="s0"><path d="([^"]*)"', line_chart(gap)).count("M") == 2


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    target = r.write_page(tmp_path / "page.html", PAGE)
    assert target.read_text(encoding="utf-8") == PAGE
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert os.name != "posix" or target.stat().st_mode & 0o444


def test_a_failure_leaves_the_old_page_and_nothing_else(tmp_path: Path) -> None:
    target = r.write_page(tmp_path / "page.html", "old")
    with pytest.raises(UnicodeEncodeError):
        r.write_page(target, "half" + "\ud800")
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "missing" / "page.html", tmp_path / "folder"):
        with pytest.raises(TangentlyError, match=re.escape(str(place))):
            r.write_page(place, "x")


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_joined_script_is_a_valid_module() -> None:
    script = part(r'<script type="module">(.*?)</script>')
    done = subprocess.run(["node", "--input-type=module", "--check"], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
