"""The live figures in a real browser: they run under the page's policy, alone, and answer to mouse and keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import report_samples as sample
from tangently import reports as r
from webdriver import Browser, browser, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "a browser is there")
IDS = {f"b{i}": block for i, block in enumerate(sample.REPORT, 1)}
PLOT, POLE, BOWL, ROSENBROCK, GRAPH = (
    next(id_ for id_, block in IDS.items() if block is wanted)
    for wanted in (sample.PLOT, sample.POLE, sample.BOWL, sample.ROSENBROCK, sample.GRAPH)
)


@pytest.fixture(scope="module")
def session() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(session: Browser, tmp_path: Path) -> Iterator[Browser]:
    session.emulate(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    session.resize(1000, 900)
    session.open(r.write_page(tmp_path / "page.html", r.render_page("Live", sample.REPORT)))
    settle(session)
    yield session
    assert session.console() == []
    assert session.run("return performance.getEntriesByType('resource').map(e => e.name)") == []


def settle(page: Browser) -> None:
    page.wait("for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)")


def readout(page: Browser, figure: str, key: str) -> str:
    settle(page)
    return page.run("return document.querySelector(arguments[0]).title", f"#{figure} dd[data-key={key}]")


def number(page: Browser, figure: str, key: str) -> float:
    return float(readout(page, figure, key))


def slide(page: Browser, css: str, value: float) -> None:
    script = (
        "const s = document.querySelector(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('input'))"
    )
    page.run(script, css, value)


def show(page: Browser, figure: str) -> None:
    page.run("document.getElementById(arguments[0]).scrollIntoView()", figure)
    settle(page)


def test_the_plot_starts_at_its_point(page: Browser) -> None:
    assert number(page, PLOT, "f") == pytest.approx(1.0342974268)
    assert number(page, PLOT, "df") == pytest.approx(-0.5822936731)
    assert "− 0.5823" in page.run("return document.querySelector(arguments[0]).textContent", f"#{PLOT} [data-key=line]")


def test_dragging_the_point_moves_the_readouts(page: Browser) -> None:
    show(page, PLOT)
    before = number(page, PLOT, "df")
    page.drag(f"#{PLOT} .handle .dot", 60, 0)
    x = page.run("return Number(document.querySelector(arguments[0]).title)", f"#{PLOT} .exact")
    assert 1.5 < x < 4
    assert number(page, PLOT, "df") != before


def test_dragging_the_background_moves_the_view(page: Browser) -> None:
    show(page, PLOT)
    ticks = "return [...document.querySelectorAll(arguments[0])].map(t => t.getAttribute('x') + t.textContent)"
    before = page.run(ticks, f"#{PLOT} .tick.mid")
    page.drag(f"#{PLOT} .name.gradient", 90, 0)
    settle(page)
    assert page.run(ticks, f"#{PLOT} .tick.mid") != before
    assert number(page, PLOT, "f") == pytest.approx(1.0342974268)


def test_arrow_keys_move_the_point(page: Browser) -> None:
    page.keys(f"#{PLOT} .handle", "right", "right")
    settle(page)
    handle = page.run("return document.querySelector(arguments[0]).getAttribute('aria-valuenow')", f"#{PLOT} .handle")
    assert float(handle) == pytest.approx(1 + 2 * 12 / 100)
    page.keys(f"#{PLOT} .handle", "end")
    assert number(page, PLOT, "f") == pytest.approx(sample_f(6.0))


def sample_f(x: float) -> float:
    from math import sin

    return sin(2 * x) + x * x / 8


def test_sliders_change_the_function(page: Browser) -> None:
    slide(page, f"#{PLOT} input[data-name=a]", 3)
    assert number(page, PLOT, "f") == pytest.approx(3 * 0.9092974268 + 0.125)
    page.click(f'#{PLOT} button[aria-label^="reset"]')
    assert number(page, PLOT, "f") == pytest.approx(1.0342974268)


def test_the_secant_tends_to_the_tangent(page: Browser) -> None:
    page.click(f"#{PLOT} button[aria-pressed]")
    gaps = []
    for _ in range(4):
        gaps.append(abs(number(page, PLOT, "gap")))
        page.click(f'#{PLOT} button[aria-label^="let h"]')
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.02


def test_a_typed_point_is_taken(page: Browser) -> None:
    set_value = "const i = document.querySelector(arguments[0]); i.value = 0; i.dispatchEvent(new Event('change'))"
    page.run(set_value, f"#{PLOT} .exact")
    assert number(page, PLOT, "df") == pytest.approx(2.0)


def test_no_line_crosses_a_pole(page: Browser) -> None:
    path = page.run("return document.querySelector(arguments[0]).getAttribute('d')", f"#{POLE} .line.value")
    assert path.count("M") == 4  # poles at -π/2, 0 and π/2


def test_buttons_and_wheel_zoom(page: Browser) -> None:
    show(page, PLOT)
    ticks = "return [...document.querySelectorAll(arguments[0])].map(t => t.textContent).join()"
    before = page.run(ticks, f"#{PLOT} .tick.mid")
    for _ in range(4):
        page.click(f'#{PLOT} button[aria-label="zoom in"]')
    settle(page)
    assert page.run(ticks, f"#{PLOT} .tick.mid") != before
    page.click(f'#{PLOT} button[aria-label^="reset"]')
    settle(page)
    assert page.run(ticks, f"#{PLOT} .tick.mid") == before


def test_the_contour_map_answers(page: Browser) -> None:
    show(page, BOWL)
    assert number(page, BOWL, "gx") == pytest.approx(1.9677063269)
    assert number(page, BOWL, "gy") == pytest.approx(5.8)
    page.drag(f"#{BOWL} .handle .dot", -80, 60)
    assert number(page, BOWL, "x") < 0.8
    assert number(page, BOWL, "y") < 0.6
    page.keys(f"#{BOWL} .handle", "up")
    assert page.run("return document.querySelectorAll(arguments[0]).length", f"#{BOWL} .levels text") >= 4
    assert (
        page.run("return document.querySelector(arguments[0]).getAttribute('d').length", f"#{BOWL} .field path") > 999
    )


def test_the_surface_turns(page: Browser) -> None:
    show(page, ROSENBROCK)
    page.click(f"#{ROSENBROCK} button[aria-pressed]")
    settle(page)
    picture = "return document.querySelector(arguments[0]).toDataURL()"
    first = page.run(picture, f"#{ROSENBROCK} .hill")
    page.drag(f"#{ROSENBROCK} .hill", 70, 20)
    second = page.run(picture, f"#{ROSENBROCK} .hill")
    page.keys(f"#{ROSENBROCK} .hill", "left")
    assert len({first, second, page.run(picture, f"#{ROSENBROCK} .hill")}) == 3
    slide(page, f"#{ROSENBROCK} input[data-name=c]", 10)
    assert number(page, ROSENBROCK, "f") == pytest.approx(2.2**2 + 10 * 0.44**2)


def test_the_graph_is_walked(page: Browser) -> None:
    state = "return [...document.querySelectorAll(arguments[0])].map(e => e.id)"
    assert page.run(state, f"#{GRAPH} .later") == []
    steps = [f'#{GRAPH} button[aria-label="next step"]'] * 4
    for step in steps:
        page.click(step)
    assert "∂z/∂z = 1" in page.text(f"#{GRAPH} [aria-live]")
    assert page.run(state, f"#{GRAPH} .now.backward") == [f"{GRAPH}-v-z-grad"]
    assert set(page.run(state, f"#{GRAPH} .later")) == {f"{GRAPH}-v-y-grad", f"{GRAPH}-v-x-grad"}
    page.click(f'#{GRAPH} button[aria-label="first step"]')
    assert page.run(state, f"#{GRAPH} .now.forward") == [f"{GRAPH}-v-x-value"]
    page.click(f'#{GRAPH} button[aria-label="last step"]')
    assert page.run(state, f"#{GRAPH} .later") == []
    page.click(f'#{GRAPH} button[aria-label="show the whole graph"]')
    page.keys(f"#{GRAPH} .canvas", "right", "right")
    assert "sin x" in page.text(f"#{GRAPH} [aria-live]")


def test_playing_runs_to_the_end(page: Browser) -> None:
    page.run("const real = setInterval; window.setInterval = (f, ms) => real(f, ms / 50)")
    page.click(f'#{GRAPH} button[aria-label="play all steps"]')
    for _ in range(100):
        if "6 / 6" in page.text(f"#{GRAPH} .count"):
            break
        time.sleep(0.02)
    assert page.text(f"#{GRAPH} .count") == "6 / 6"


@pytest.mark.parametrize("width", [360, 500, 760, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out(page: Browser, width: int, scheme: str) -> None:
    page.emulate(prefers_color_scheme=scheme)
    page.resize(width, 800)
    settle(page)
    assert page.run("return document.documentElement.scrollWidth") <= width
    outside = page.run(
        "return [...document.querySelectorAll('main > *, .stage *, nav')].filter(e => {"
        " const r = e.getBoundingClientRect();"
        " return r.width && (r.left < -1 || r.right > innerWidth + 1) && !e.closest('.scroll, svg') })"
        ".map(e => e.outerHTML)"
    )
    assert outside == []


def test_formulas_are_set_in_the_font_of_the_page(page: Browser) -> None:
    page.wait("await document.fonts.ready")
    assert page.run("return [...document.fonts].map(f => f.family + ' ' + f.status)") == ["Tangently Math loaded"]
    height = "return document.querySelectorAll('.formula')[1].querySelector('mo').getBoundingClientRect().height"
    assert page.run(height) > 30  # the parenthesis has grown around the fraction


def test_it_prints(page: Browser) -> None:
    assert len(page.call("POST", "/print", {})) > 10_000
