"""Pictures of descents and landscapes: what is drawn is true, slices say what they hold, and every format is whole."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tangently.cli import main, settings_of
from tangently.descent.landscapes import Landscape, filter_normalized, landscape, top_eigenpairs, window
from tangently.descent.minimizing import minimize
from tangently.descent.problems import problem_of
from tangently.errors import InputError
from tangently.pictures.descent import animate_trajectory, axis_scale
from tangently.pictures.landscapes import LOOKS, axis_name, model_at, relief
from tangently.pictures.saving import described, figure_of, figure_svg, save_figure
from tangently.reports.descent import descent_data, page, save_descent, to_text_report
from test_report_page import parsed

BOWL = "x^2 + y^2 - 2x - 4y + 5"


def rosenbrock(x: Any, y: Any) -> Any:
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def himmelblau(x: Any, y: Any) -> Any:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def quadratic(n: int, seed: int = 0) -> tuple[Any, np.ndarray, np.ndarray]:
    """½ vᵀMv with eigenvalues from 1 to 40."""
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    values = np.geomspace(1, 40, n)
    m = q @ np.diag(values) @ q.T
    return (lambda v: 0.5 * v @ m @ v), values, q


def bowl_run(steps: int = 50) -> Any:
    return minimize(BOWL, (0, 0), rate=0.1, steps=steps)


def ten_run() -> Any:
    return minimize(quadratic(10)[0], np.ones(10), method="momentum", rate=0.02, steps=60)


RUNS: dict[str, Any] = {
    "curve": lambda: minimize("(x-5)^2", 0.0, rate=0.1, steps=10),
    "bowl": bowl_run,
    "array of two": lambda: minimize(lambda v: (v**2).sum() + v[0], np.array([2.0, 1.0]), rate=0.2, steps=20),
    "array of one": lambda: minimize(lambda v: (v**2).sum(), np.array([2.0]), rate=0.2, steps=9),
    "rosenbrock": lambda: minimize(rosenbrock, (-1.2, 1.0), method="Newton"),
    "saddle": lambda: minimize("x^2 - y^2 + y^4/4", (1.5, 0.001), rate=0.1, steps=60),
    "zigzag": lambda: minimize("x^2 + 300 y^2", (8, 0.05), rate=0.00325, steps=60),
    "divergence": lambda: minimize("(x-5)^2", 0.0, rate=1.1, steps=100),
    "divergence in the plane": lambda: minimize("x^2+10y^2", (3, 1), rate=0.11, steps=60),
    "kink": lambda: minimize("abs(x) + abs(y)", (1.0, 0.55), rate=0.1, steps=30),
    "domain": lambda: minimize("x - ln(x) + y^2", (3.0, 1.0), rate=0.2, steps=30),
    "ten numbers": ten_run,
    "no step": lambda: minimize(BOWL, (1.0, 2.0), rate=0.1),
    "constant": lambda: minimize("0x + 0y + 1", (1.0, 2.0), rate=0.1),
}


@pytest.mark.parametrize("name", RUNS)
def test_each_descent_is_drawn_and_described(name: str) -> None:
    t = RUNS[name]()
    axes = t.plot()
    said = described(axes)
    assert t.method in said
    assert f"{t.count} step" in said
    svg = figure_svg(axes)
    ET.fromstring(svg)
    assert "<title>" in svg
    for kind in ("path", "loss", "gradient", "length", "curves"):
        figure_of(t.plot(kind)).savefig(io.BytesIO(), format="png", dpi=40)


@pytest.mark.parametrize("name", ["bowl", "rosenbrock", "ten numbers", "domain"])
def test_surfaces(name: str) -> None:
    ax = RUNS[name]().plot("surface")
    ax.figure.savefig(io.BytesIO(), format="png", dpi=40)
    assert "surface of" in described(ax)


def test_the_path_on_the_bowl_is_the_path() -> None:
    """The points of the picture are x_k = 1 − 0.8ᵏ, y_k = 2 − 2·0.8ᵏ."""
    t = bowl_run(10)
    ax = t.plot("path")
    k = np.arange(11)
    drawn = max((line.get_xydata() for line in ax.lines), key=len)
    assert np.allclose(drawn, np.stack([1 - 0.8**k, 2 - 2 * 0.8**k], axis=1))
    assert t.plot("loss").lines[0].get_ydata() == pytest.approx(5 * 0.64**k)


def test_himmelblau_shows_its_nine_points() -> None:
    land = landscape(himmelblau, ((-5, 5), (-5, 5)))
    assert sorted(p.kind for p in land.points) == ["maximum"] + 4 * ["minimum"] + 4 * ["saddle"]
    labels = land.plot().get_legend_handles_labels()[1]
    assert labels == ["4 minima", "maximum", "4 saddles"]
    assert all(p.proven for p in land.points)


def test_x_lies_horizontally_also_where_y_is_named_first() -> None:
    f = "100(y - x^2)^2 + (1-x)^2"
    land = landscape(f, {"x": (-2, 2), "y": (-1, 3)})
    assert land.slice.labels == ("x", "y")
    i, j = 7, 30
    assert land.values[j, i] == pytest.approx(rosenbrock(land.axes[0][i], land.axes[1][j]))
    (point,) = land.points
    assert point.kind == "minimum"
    t = minimize(f, {"x": -1.2, "y": 1.0}, method="Newton")
    path = land.slice.coordinates(t.path)
    assert path[0].tolist() == [-1.2, 1.0]


def test_positions_are_in_the_order_of_the_arguments() -> None:
    assert landscape("f(y, x) = y + 2x", ((0, 1), (5, 6))).box == ((5.0, 6.0), (0.0, 1.0))


def test_paths_are_told_apart_without_color() -> None:
    runs = [
        minimize(rosenbrock, (-1.2, 1.0), method=m, steps=60, **o)
        for m, o in (("gradient descent", {"rate": 0.002}), ("Adam", {"rate": 0.1}), ("Newton", {}), ("BFGS", {}))
    ]
    ax = landscape(rosenbrock, ((-2, 2), (-1, 3))).plot(paths=runs)
    handles, labels = ax.get_legend_handles_labels()
    shown = [h for h, label in zip(handles, labels) if "step" in label]
    assert len({h.get_marker() for h in shown}) == len({str(h._unscaled_dash_pattern) for h in shown}) == 4
    assert [label.partition(",")[0] for label in labels if "step" in label] == [t.method for t in runs]
    assert len({(look.marker, str(look.dash)) for look in LOOKS}) == len(LOOKS)


def test_equal_methods_are_named_by_their_rates() -> None:
    runs = [minimize(BOWL, (0, 0), rate=r, steps=5) for r in (0.1, 0.3)]
    labels = landscape(around=runs).plot().get_legend_handles_labels()[1]
    assert [s for s in labels if "rate" in s] == [
        "gradient descent, rate 0.1, 5 steps",
        "gradient descent, rate 0.3, 5 steps",
    ]


# ---------------------------------------------------------------- slices


@pytest.mark.parametrize("along", ["start-end", "pca", "hessian", "random"])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_slice_says_what_it_holds(along: str, dimensions: int) -> None:
    t = ten_run()
    land = landscape(t, along=along, dimensions=dimensions, count=9)
    offsets = t.path - land.slice.origin
    basis = np.linalg.qr(land.slice.directions.T)[0]
    held = ((offsets @ basis) ** 2).sum() / (offsets**2).sum()
    assert land.held == (pytest.approx(held),)
    ax = land.plot()
    assert f"holds {np.floor(1000 * held) / 10:g} % of the path" in ax.get_xlabel()
    s = [a[k] for a, k in zip(land.axes, (3, 5))]
    index = tuple(reversed((3, 5)[:dimensions]))
    assert land.values[index] == pytest.approx(t.problem.value(land.slice.point(s)))


def test_principal_directions_hold_the_most() -> None:
    t = ten_run()
    held = {a: landscape(t, along=a, count=3).held[0] for a in ("pca", "start-end", "hessian", "random")}
    assert held["pca"] == max(held.values())
    ends = landscape(t, along="start-end", count=3).slice
    assert ends.held(t.path[[0, -1]]) == pytest.approx(1)


@pytest.mark.parametrize("n", [10, 250])
def test_top_eigenvectors(n: int) -> None:
    """From the matrix, and by Lanczos' method from products."""
    f, values, q = quadratic(n)
    found, vectors = top_eigenpairs(problem_of(f, np.ones(n)), np.ones(n), 2)
    assert found == pytest.approx(values[::-1][:2], rel=1e-3)
    assert abs(vectors[0] @ q[:, -1]) == pytest.approx(1, abs=0.02)


def test_filters_keep_their_size() -> None:
    p = problem_of(lambda W, b: (W**2).sum() + (b**2).sum(), {"W": np.array([[3.0, 0.5], [4.0, 0.0]]), "b": np.ones(2)})
    d = filter_normalized(p, p.start, np.random.default_rng(0).normal(size=6))
    assert np.linalg.norm(d[:4].reshape(2, 2), axis=0) == pytest.approx([5.0, 0.5])
    assert d[4:].tolist() == [0.0, 0.0]


def test_a_straight_path_still_gets_a_plane() -> None:
    t = minimize(lambda v: (v**2).sum(), np.ones(4), rate=0.1, steps=5)
    land = landscape(t, count=5)
    assert land.held[0] == pytest.approx(1)
    assert np.allclose(land.slice.directions @ land.slice.directions.T, np.eye(2))


def test_directions_may_be_given() -> None:
    f = quadratic(4)[0]
    land = landscape(f, ((-1, 1), (-2, 2)), at=np.ones(4), along=(np.eye(4)[0], np.eye(4)[1]), count=3)
    assert land.values[0, 0] == pytest.approx(f(np.array([0.0, -1.0, 1.0, 1.0])))


def test_a_landscape_leaves_the_counts_of_the_descent_alone() -> None:
    t = ten_run()
    before = vars(t.problem.counts).copy()
    landscape(t, count=5)
    t.plot("path", count=5)
    assert vars(t.problem.counts) == before


# ---------------------------------------------------------------- heights and windows


def test_the_range_of_rosenbrock_is_shown_by_powers_of_ten() -> None:
    land = landscape(rosenbrock, ((-2, 2), (-1, 3)))
    assert relief(land.values).scale == "log"
    assert relief(landscape(BOWL, ((0, 2), (1, 3))).values).scale == "linear"


@pytest.mark.parametrize(
    "z", [np.geomspace(1e-3, 1e6, 100), np.array([*-np.geomspace(1, 1e6, 9), 0, *np.geomspace(1, 1e6, 9)])]
)
def test_heights_can_be_read_back(z: np.ndarray) -> None:
    scaled = relief(z)
    assert (np.diff(scaled.levels) > 0).all()
    for v in scaled.levels:
        assert scaled.value(float(scaled.height(v))) == pytest.approx(v, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("z", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.array([[1.0, np.nan], [1.0, 1.0]])])
def test_flat_and_undefined_landscapes_have_no_levels(z: np.ndarray) -> None:
    assert len(relief(z).levels) == 0


def test_undefined_parts_stay_white() -> None:
    land = landscape("ln(x) + y", ((-1, 4), (-2, 2)))
    assert np.isnan(land.values[:, land.axes[0] <= 0]).all()
    assert np.isfinite(land.values[:, land.axes[0] > 0]).all()


def test_a_divergent_path_keeps_its_beginning_in_view() -> None:
    t = RUNS["divergence"]()
    ((low, high),) = landscape(t).box
    assert low < 0 < 11 < high < 200
    said = described(t.plot("path"))
    assert re.search(r"leaves at step \d+; after 100 steps f = 1.715e17", said)


def test_a_window_has_room_and_shape() -> None:
    (x0, x1), (y0, y1) = window([np.array([[0.0, 0.0], [10.0, 2.0]])], [False])
    assert x0 < 0
    assert x1 > 10
    assert (y1 - y0) > (x1 - x0) / 3


def test_the_model_is_the_function_where_that_is_quadratic() -> None:
    t = bowl_run(5)
    land = landscape(t)
    model = model_at(land, t, 2)
    assert model.eigenvalues.tolist() == pytest.approx([2.0, 2.0])
    assert model.lowest == pytest.approx([1.0, 2.0])
    s = np.array([[0.3, 0.7], [-1.0, 2.0]])
    assert model.values(s) == pytest.approx([(x - 1) ** 2 + (y - 2) ** 2 for x, y in s])
    with pytest.raises(InputError, match="no such step"):
        model_at(land, t, 99)


def test_scales_of_curves() -> None:
    assert axis_scale(np.array([np.nan, 5.0, 4.0])) == "linear"
    assert axis_scale(np.array([1.0, 0.0, 1e-9])) == "log"


def test_axis_names() -> None:
    assert [axis_name(n) for n in ("x", "v[0]", "principal direction 1")] == ["$x$", "$v_{0}$", "principal direction 1"]


# ---------------------------------------------------------------- animation


@pytest.mark.parametrize("name", ["curve", "bowl", "ten numbers", "divergence"])
def test_animations(name: str, tmp_path: Path) -> None:
    from PIL import Image

    t = RUNS[name]()
    told: list[str] = []
    target = t.animate(tmp_path / "a.gif", frames=4, dpi=40, progress=told.append)
    with Image.open(target) as film:
        assert getattr(film, "n_frames", 1) == 4
        assert t.method.encode() in film.info["comment"]
    assert told[-1] == "frame 4 of 4"


def test_an_animation_without_a_path_is_shown() -> None:
    found = bowl_run(3).animate(frames=3, dpi=40)
    assert found.gif.startswith(b"GIF89a")
    assert "image/gif" in found._repr_mimebundle_()
    assert "gradient descent in 3 steps" in repr(found)


def test_an_mp4_holds_as_many_frames_as_were_asked_for(tmp_path: Path) -> None:
    probe = shutil.which("ffprobe")
    if probe is None:
        pytest.skip("ffmpeg is not installed")
    path = bowl_run(20).animate(tmp_path / "a.mp4", frames=5, dpi=60)
    asked = ["-v", "error", "-show_entries", "stream=codec_name,nb_frames,pix_fmt", "-of", "csv=p=0", str(path)]
    told = subprocess.run([probe, *asked], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "h264,yuv420p,5"


def test_mp4_needs_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.animation import FFMpegWriter

    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(InputError, match=r"install it, or write a \.gif"):
        bowl_run(3).animate(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


BAD: dict[str, tuple[Any, str]] = {
    "nothing": (lambda: landscape(), "nothing to look at"),
    "nowhere": (lambda: landscape(BOWL), "where?"),
    "turned": (lambda: landscape(BOWL, ((1, 0), (0, 1))), "lo < hi"),
    "infinite": (lambda: landscape(BOWL, ((0, np.inf), (0, 1))), "finite ends"),
    "wrong names": (lambda: landscape(BOWL, {"x": (0, 1), "z": (0, 1)}), "does not fit"),
    "three sides": (lambda: landscape(BOWL, ((0, 1),) * 3), "does not fit"),
    "no trajectory": (lambda: landscape(around=[1]), "minimize returns"),
    "unknown slice": (lambda: landscape(ten_run(), along="sideways"), "start-end, pca, hessian, random"),
    "no path": (lambda: landscape(quadratic(4)[0], at=np.ones(4), along="pca"), "needs a path"),
    "parallel": (lambda: landscape(ten_run(), along=(np.ones(10), 2 * np.ones(10))), "not parallel"),
    "dimensions": (lambda: landscape(ten_run(), dimensions=3), "1 .* or 2"),
    "kind": (lambda: bowl_run(2).plot("sideways"), "one of all"),
    "surface of a curve": (lambda: RUNS["curve"]().plot("surface"), "no surface"),
    "other size": (lambda: landscape(BOWL, ((0, 1), (0, 1))).plot(paths=ten_run()), "10 numbers"),
    "labels": (lambda: bowl_run(2).plot("path", labels=["a", "b"]), "one for each"),
    "frames": (lambda: bowl_run(2).animate("a.gif", frames=1), "from 2"),
    "suffix": (lambda: bowl_run(2).animate("a.avi"), ".gif or .mp4"),
    "folder": (lambda: bowl_run(2).animate("/nowhere/at/all.gif"), "no directory"),
    "zero weights": (lambda: landscape(lambda v: (v**2).sum(), at=np.zeros(4), along="random"), "all 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(name: str) -> None:
    call, words = BAD[name]
    with pytest.raises(InputError, match=words):
        call()


# ---------------------------------------------------------------- reports and the command line


@pytest.mark.parametrize("name", ["curve", "bowl", "ten numbers", "divergence in the plane"])
def test_pages_are_whole_and_offline(name: str) -> None:
    t = RUNS[name]()
    text = page([t], ["all is well"])
    assert parsed(text).open == []
    assert "<svg" in text
    assert "all is well" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)=\"(?!#|data:)", text)
    assert len(text) < 300_000


def test_a_page_of_several_runs_compares_them() -> None:
    runs = [minimize(rosenbrock, (-1.2, 1.0), method=m) for m in ("Newton", "BFGS")]
    text = page(runs, ["", ""])
    assert parsed(text).open == []
    assert "The steps of BFGS" in text


@pytest.mark.parametrize("suffix", [".html", ".svg", ".png", ".pdf", ".gif", ".json", ".txt", ".npz"])
def test_every_format_is_written(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"run{suffix}"
    save_descent([bowl_run(4)], target, [""])
    assert target.stat().st_size > 200


def test_data_are_those_of_the_trajectory() -> None:
    t = bowl_run(4)
    found = descent_data(t, "words")
    assert [s["step"] for s in found["steps"]] == [0, 1, 2, 3]
    assert found["x"] is t.last.x
    assert found["formula"]
    assert found["diagnosis"] == "words"
    assert "gradient descent" in to_text_report([t], ["words"])


def test_saved_pictures_carry_their_text(tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    save_figure(bowl_run(4).plot("path"), target)
    assert "gradient descent, 4 steps" in target.read_text()
    assert isinstance(landscape(BOWL, ((0, 1), (0, 1))), Landscape)
    landscape(BOWL, ((0, 1), (0, 1))).save(tmp_path / "b.png")


def test_the_command_tells_and_draws(tmp_path: Path) -> None:
    run = CliRunner()
    target = tmp_path / "path.svg"
    done = run.invoke(main, ["descend", BOWL, "--start", "0,0", "--rate", "0.1", "--steps", "10", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert "all 10 steps were taken" in done.output
    assert "(0.892626, 1.78525)" in done.output
    ET.fromstring(target.read_text())


def test_the_command_compares_methods() -> None:
    call = [
        "descend",
        "x^2 + 8y^2",
        "--start",
        "x=3,y=1",
        "--method",
        "newton",
        "--method",
        "momentum",
        "--rate",
        "0.02",
    ]
    done = CliRunner().invoke(main, [*call, "--steps", "20", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [t["method"] for t in found] == ["Newton", "momentum"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["x^2", "--start", "q"], "--start q"),
        (["x^2"], "start"),
        (["x^2", "--start", "1", "--rate", "-1"], "positive"),
        (["x^2", "--start", "1", "--method", "newtn"], "Did you mean 'Newton'"),
        (["x^2", "--start", "1", "--set", "momentum"], "--set momentum"),
        (["x^2 +", "--start", "1"], "x^2 +"),
    ],
)
def test_wrong_calls_are_explained(call: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["descend", *call])
    assert done.exit_code == 2
    assert words in done.stderr


def test_settings_are_numbers_or_text() -> None:
    assert settings_of(("momentum=0.8",)) == {"momentum": 0.8}


def test_frames_are_bounded() -> None:
    with pytest.raises(InputError, match="frames"):
        animate_trajectory(bowl_run(2), frames=10_000)
