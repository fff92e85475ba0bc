"""Pictures of a descent: its path on the landscape, how f, ‖∇f‖ and the step length changed, and both as an animation.

`plot_trajectory` is what `Trajectory.plot` calls. A path of one number lies on the curve with its tangents, one of two
on contours with its gradients and the quadratic model, one of more in a slice that says how much of the path it holds.

An animation draws what stands still once, as an image; each frame adds only what moves. That makes a frame cost a
few milliseconds, and their number is bounded whatever the number of steps.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent.landscapes import Landscape, landscape
from tangently.descent.trajectory import Trajectory
from tangently.errors import InputError, TangentlyError
from tangently.files import write_whole
from tangently.pictures.landscapes import (
    MARKED,
    apart,
    gradient_key,
    look_of,
    model_at,
    names_of,
    plot_landscape,
    stairs,
    steps_said,
)
from tangently.pictures.style import (
    BLUE,
    VERMILLION,
    WHITE,
    framed,
    halo,
    house,
    legend_above,
    own_axes,
    own_figure,
    panels,
    plain,
    settle,
    shown,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES = {"loss": "values", "gradient": "norms", "length": "lengths"}
WORDS = {"loss": "$f$", "gradient": r"$\|\nabla f\|$", "length": "step length"}
SAID = {"loss": "f", "gradient": "norm of the gradient", "length": "step length"}
KINDS = ("all", "path", "surface", "curves", *SERIES)
OF_LANDSCAPE = ("region", "along", "at", "dimensions", "count", "seconds", "seed", "budget")
FRAMES, MOST_FRAMES, FPS = 80, 600, 8
LARGE = 30.0  # times between the largest and the smallest: a logarithmic scale


def plot_trajectory(
    trajectory: Trajectory, ax: Any = None, kind: str | None = None, *, paths: Any = (), **options: Any
) -> Any:
    """Draw a descent: its path on the landscape beside the curves of f, ‖∇f‖ and the step length (an array of Axes).

    `kind`: "all", "path" (the default where `ax` is given), "surface", "curves", "loss", "gradient" or "length"; it may
    stand first. `paths`: other trajectories in the same picture. Further options go to `landscape` (region, along,
    dimensions, seed …) and to its picture (levels, arrows, quadratic, points, numbers, labels, view, title).
    """
    if isinstance(ax, str):
        ax, kind = None, ax
    kind = kind or ("all" if ax is None else "path")
    if kind not in KINDS:
        raise InputError(f"kind={kind!r}; one of {', '.join(KINDS)} was wanted")
    runs = (trajectory, *((paths,) if isinstance(paths, Trajectory) else paths))
    if kind in SERIES:
        return plot_series(runs, ax, kind, **options)
    if kind == "curves":
        return plot_curves(runs, **options)
    if kind == "all" and ax is None:
        return _together(runs, options)
    return _on_landscape(runs, ax, "surface" if kind == "surface" else "contour", options)


def _on_landscape(runs: Sequence[Trajectory], ax: Any, kind: str, options: dict[str, Any]) -> Any:
    return _drawn(_land(runs, options), runs, ax, kind, options)


def _land(runs: Sequence[Trajectory], options: dict[str, Any]) -> Landscape:
    """The landscape around the paths; its options are taken out of the others."""
    return landscape(around=runs, **{k: options.pop(k) for k in OF_LANDSCAPE if k in options})


def _drawn(land: Landscape, runs: Sequence[Trajectory], ax: Any, kind: str, options: dict[str, Any]) -> Any:
    if kind == "contour":
        options.setdefault("quadratic", _worth_a_model(land, runs))
    return plot_landscape(land, ax, kind=kind, **options)


def _worth_a_model(land: Landscape, runs: Sequence[Trajectory]) -> int | None:
    """The step whose quadratic model is drawn: the first; in a slice the last, which lies in it."""
    if len(runs) != 1 or len(land.axes) != 2:
        return None
    step = 0 if land.slice.whole else -1
    try:
        found = model_at(land, runs[0], step)
    except (TangentlyError, ArithmeticError):
        return None  # a kink, or a black box: there is no second derivative
    return step if np.isfinite(found.hessian).all() else None


def _together(runs: Sequence[Trajectory], options: dict[str, Any]) -> Any:
    """The path at the left, three curves at the right."""
    with house():
        land = _land(runs, options)
        wide = _width(land)
        figure = own_figure(wide + 4.0, 5.6)
        grid = figure.add_gridspec(3, 2, width_ratios=(wide, 3.8))
        left = figure.add_subplot(grid[:, 0])
        _drawn(land, runs, left, "contour", options)
        right = [figure.add_subplot(grid[k, 1]) for k in range(3)]
        _stacked(right, runs, options.get("labels"))
        settle(left)
    return panels([left, *right])


def _width(land: Landscape) -> float:
    """As wide as a plane with equal sides is at this height, in inches; within bounds."""
    if len(land.axes) == 1:
        return 6.6
    (x0, x1), (y0, y1) = land.box
    ratio = (x1 - x0) / (y1 - y0)
    return min(6.6, max(4.4, 4.6 * ratio + 0.7)) if 1 / 3 < ratio < 3 else 6.6


def plot_curves(runs: Sequence[Trajectory], labels: Sequence[str] | None = None) -> Any:
    """f, ‖∇f‖ and the step length, one above the other."""
    with house():
        figure = own_figure(6.6, 6.6)
        axes = list(figure.subplots(3, 1, sharex=True))
        _stacked(axes, runs, labels)
        if len(runs) > 1:
            legend_above(axes[0])
    return panels(axes)


def _stacked(axes: Sequence[Axes], runs: Sequence[Trajectory], labels: Sequence[str] | None) -> None:
    for ax, kind in zip(axes, SERIES):
        _draw_series(ax, runs, kind, names_of(runs, labels))
    for ax in axes[:-1]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    axes[0].figure.align_ylabels(list(axes))  # type: ignore[union-attr]


def plot_series(
    runs: Sequence[Trajectory], ax: Any = None, kind: str = "loss", labels: Sequence[str] | None = None, title: str = ""
) -> Axes:
    """One of f, ‖∇f‖ and the step length against the number of the step."""
    with house():
        ax = own_axes(6.6, 4.0) if ax is None else shown(ax)
        _draw_series(ax, runs, kind, names_of(runs, labels))
        if len(runs) > 1:
            legend_above(ax)
        if title:
            ax.set_title(title)
    return ax


def _draw_series(ax: Axes, runs: Sequence[Trajectory], kind: str, names: Sequence[str]) -> None:
    framed(ax)
    series = [np.asarray(getattr(t.history, SERIES[kind]), float) for t in runs]
    scale = axis_scale(np.concatenate(series) if series else np.zeros(0))
    for k, (t, name, y) in enumerate(zip(runs, names, series)):
        _draw_one(ax, k, len(runs), y, scale, f"{name}, {steps_said(t)}")
        titled(ax, _series_said(kind, name, y))
    if scale != "linear":
        ax.set_yscale(scale, **({"linthresh": _threshold(np.concatenate(series))} if scale == "symlog" else {}))
    if scale == "log":
        _few_powers(ax)
    _whole_steps(ax)
    ax.set_xlabel("step")
    ax.set_ylabel(WORDS[kind])


def _draw_one(ax: Axes, k: int, count: int, y: np.ndarray, scale: str, label: str) -> None:
    steps, good = np.arange(len(y)), np.isfinite(y)
    look = look_of(k)
    color = BLUE if count == 1 else look.color
    every = max(1, math.ceil(len(y) / (MARKED if count == 1 else 12)))
    drawn = good & (y > 0) if scale == "log" else good
    style: Any = {"color": color, "ls": look.dash, "lw": 1.5, "label": label}
    if len(y) <= 2 * MARKED or count > 1:
        style |= {"marker": look.marker, "ms": 3.4, "markevery": every}
    ax.plot(steps, np.where(drawn, y, np.nan), **style)
    if scale == "log" and (zero := good & (y == 0)).any():
        at = steps[zero]
        ax.plot(at, np.full(len(at), 0.03), "v", ms=6, color=color, transform=ax.get_xaxis_transform(), clip_on=False)
        ax.annotate("0", (at[0], 0.03), (-9, -1), ("data", "axes fraction"), "offset points", fontsize=9)


def axis_scale(y: np.ndarray) -> str:
    """Logarithmic for positive numbers of several sizes, also on both sides of 0 where sizes differ very much.

    >>> axis_scale(np.array([1.0, 1e-6])), axis_scale(np.array([3.0, 1.0])), axis_scale(np.array([-1.0, 1.0, 1e5]))
    ('log', 'linear', 'symlog')
    """
    y = y[np.isfinite(y)]
    positive = y[y > 0]
    if positive.size and (y >= 0).all():
        return "log" if positive.max() > LARGE * positive.min() else "linear"
    size = np.abs(y[y != 0])
    return "symlog" if size.size and size.max() > 1000 * np.median(size) else "linear"


def _threshold(y: np.ndarray) -> float:
    size = np.abs(y[np.isfinite(y) & (y != 0)])
    return float(np.quantile(size, 0.2))


def _few_powers(ax: Axes) -> None:
    """Numbers at 1, 2, 5 where the axis has no two powers of ten, and no number between powers elsewhere."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = ax.get_ylim()
    if math.log10(high / low) < 2.2:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: plain(v)))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _whole_steps(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _series_said(kind: str, name: str, y: np.ndarray) -> str:
    if not y.size:
        return f"{SAID[kind]} of {name}: no step was taken"
    return f"{SAID[kind]} of {name}: from {plain(float(y[0]))} at step 0 to {plain(float(y[-1]))} at step {len(y) - 1}"


# ---------------------------------------------------------------- animation


@dataclass(frozen=True, repr=False)
class Moving:
    """An animation as the bytes of a GIF, that a notebook shows; `alt` is its text alternative."""

    gif: bytes
    alt: str
    frames: int

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the GIF."""
        target = _target(path, (".gif",))
        write_whole(target, self.gif)
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        import base64

        return {"image/gif": base64.b64encode(self.gif).decode(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<animation of {self.frames} frames: {self.alt}>"


def animate_trajectory(
    trajectory: Trajectory,
    path: str | os.PathLike[str] | None = None,
    *,
    paths: Any = (),
    frames: int = FRAMES,
    fps: float = FPS,
    dpi: float = 100,
    labels: Sequence[str] | None = None,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Any:
    """The descent step by step, as a .gif or .mp4 file (returns its path), or without a path as a `Moving` to show.

    At most `frames` frames, evenly spaced over the steps; `progress` is told how many are done. `paths`: other
    trajectories that run beside it. Further options go to `landscape`. MP4 needs the program ffmpeg.
    """
    target = None if path is None else _target(path, (".gif", ".mp4"))
    if not 2 <= frames <= MOST_FRAMES:
        raise InputError(f"frames={frames}; a number from 2 to {MOST_FRAMES} was wanted")
    if not 0 < fps <= 100:
        raise InputError(f"fps={fps}; a number of frames per second above 0, at most 100, was wanted")
    kind = ".gif" if target is None else target.suffix.lower()
    writer = _writer(kind, fps)
    runs = (trajectory, *((paths,) if isinstance(paths, Trajectory) else paths))
    scene = _Scene(runs, names_of(runs, labels), dpi, options)
    moments = _moments(max(t.count for t in runs), frames)
    content = _filmed(scene, moments, writer, kind, progress or (lambda words: None))
    if target is None:
        return Moving(content, scene.alt, len(moments))
    write_whole(target, content)
    return target


def _target(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Path:
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise InputError(f"got the path {target.name!r}; a suffix {' or '.join(suffixes)} was wanted")
    if not target.parent.is_dir():
        raise InputError(f"got the path {str(target)!r}; there is no directory {str(target.parent)!r}: create it first")
    return target


def _writer(kind: str, fps: float) -> Any:
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if kind == ".gif":
        return PillowWriter(fps=fps)  # type: ignore[arg-type]
    if not FFMpegWriter.isAvailable():
        raise InputError("MP4 is written by the program ffmpeg, which is not on the path: install it, or write a .gif")
    return FFMpegWriter(fps=fps)  # type: ignore[arg-type]


def _moments(count: int, frames: int) -> list[int]:
    """The numbers of the steps that are shown.

    >>> _moments(3, 80), _moments(100, 5)
    ([0, 1, 2, 3], [0, 25, 50, 75, 100])
    """
    return np.unique(np.linspace(0, count, min(frames, count + 1)).round().astype(int)).tolist()


class _Scene:
    """What stands still, as an image, and over it what moves."""

    def __init__(self, runs: Sequence[Trajectory], names: Sequence[str], dpi: float, options: dict[str, Any]) -> None:
        self.runs, self.dpi = runs, dpi
        self.land = _land(runs, options)
        with house():
            still, (left, right) = _still(self.land, runs, names, options)
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            still.set_dpi(dpi)
            canvas = FigureCanvasAgg(still)
            canvas.draw()
            image = np.asarray(canvas.buffer_rgba()).copy()
            self.figure = own_figure(*still.get_size_inches())
            self.figure.set_layout_engine("none")
            self.figure.set_dpi(dpi)
            self.figure.figimage(image, zorder=-1)
            self.path, self.curve = (_over(self.figure, ax) for ax in (left, right))
            self.moving = [self._actors(k) for k in range(len(runs))]
            self.words = self.figure.text(0.01, 0.99, "", ha="left", va="top", fontsize=9.5)
        self.alt = _film_said(self.land, runs, names)

    def _actors(self, k: int) -> tuple[Any, ...]:
        """Trail, the points on it, head, arrow against the gradient (a tangent on a curve), and the dot on the loss."""
        look, single = look_of(k), len(self.runs) == 1
        face = BLUE if single else look.color
        trail: Any = {"color": look.color, "ls": look.dash, "lw": 1.5, "path_effects": halo(3.0)}
        dots: Any = {"marker": look.marker, "ms": 4.6, "mec": WHITE, "mew": 0.6, "mfc": face, "ls": "none"}
        (line,) = self.path.plot([], [], **trail)
        (points,) = self.path.plot([], [], **dots)
        (head,) = self.path.plot([], [], look.marker, ms=9, mfc=face, mec=WHITE, zorder=9)
        (dot,) = self.curve.plot([], [], look.marker, ms=7, mfc=face, mec=WHITE)
        return line, points, head, self._arrow(), dot

    def _arrow(self) -> Any:
        style = "-|>,head_width=0.25,head_length=0.5" if len(self.land.axes) == 2 else "-"
        look: Any = {"arrowstyle": style, "color": VERMILLION, "lw": 2.0, "shrinkA": 0, "shrinkB": 0}
        return self.path.annotate("", (0, 0), (0, 0), arrowprops=look, zorder=8, annotation_clip=False)

    def show(self, k: int) -> None:
        """The state after k steps."""
        for t, actors in zip(self.runs, self.moving):
            self._place(t, min(k, t.count), *actors)
        t = self.runs[0]
        at = min(k, t.count)
        more = f"   f = {plain(float(t.history.values[at]))}   ‖∇f‖ = {plain(float(t.history.norms[at]))}"
        self.words.set_text(f"step {k}" + (more if len(self.runs) == 1 else ""))

    def _place(self, t: Trajectory, k: int, line: Any, points: Any, head: Any, arrow: Any, dot: Any) -> None:
        kept = [s for s in t.steps if s.k < k]
        here = next((s for s in t.steps if s.k >= k), t.last)
        x = np.array([*(s.x for s in kept), here.x])
        s = self.land.slice.coordinates(x)
        heights = [*(step.value for step in kept), here.value]
        places = s if s.shape[1] == 2 else np.stack([s[:, 0], heights], axis=1)
        line.set_data(*(stairs(places) if s.shape[1] == 1 and self.land.slice.whole else places).T)
        points.set_data(*places[apart(places, (self.path.get_xlim(), self.path.get_ylim()))].T)
        head.set_data(*places[-1:].T)
        tail, tip = self._gradient(here, places[-1])
        arrow.set_position(tail)
        arrow.xy = tip
        arrow.set_visible(bool(np.any(tail != tip)))
        dot.set_data([k], [t.history.values[k]])

    def _gradient(self, point: Any, place: np.ndarray) -> np.ndarray:
        """Uphill along the gradient, or a piece of the tangent; nothing where it is 0."""
        g = point.gradient @ self.land.slice.directions.T
        size = np.array([*np.diff(self.path.get_xlim()), *np.diff(self.path.get_ylim())])
        if len(g) == 1:
            along = np.array([1.0, float(g[0])])
            half = 0.1 * along / np.linalg.norm(along / size)
            return np.stack([place - half, place + half])
        length = np.linalg.norm(g / size)
        end = place + (0.1 * g / length if length > 0 and np.isfinite(length) else 0.0)
        return np.stack([place, end])


def _still(land: Landscape, runs: Sequence[Trajectory], names: Sequence[str], options: dict[str, Any]) -> Any:
    """The landscape and the whole loss curve, as pale as what is yet to come."""
    wide = _width(land)
    figure = own_figure(wide + 4.0, 5.0)
    left, right = figure.subplots(1, 2, width_ratios=(wide, 3.8))
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.95))  # type: ignore[union-attr]
    plot_landscape(land, left, paths=(), **options)
    if len(land.axes) == 2:
        gradient_key(left)
        legend_above(left)
    _draw_series(right, runs, "loss", names)
    for line in right.lines:
        line.set_alpha(0.35)
    if len(runs) > 1:
        legend_above(right)
    settle(left)
    return figure, (left, right)


def _over(figure: Any, below: Axes) -> Axes:
    """Axes that see the same part of the plane at the same place, and show nothing of their own."""
    ax = figure.add_axes(below.get_position().bounds)
    ax.set_axis_off()
    ax.set(xscale=below.get_xscale(), yscale=below.get_yscale(), xlim=below.get_xlim(), ylim=below.get_ylim())
    ax.set_autoscale_on(False)
    return ax


def _film_said(land: Landscape, runs: Sequence[Trajectory], names: Sequence[str]) -> str:
    each = (
        f"{name} in {steps_said(t)}, f from {plain(float(t.history.values[0]))} to {plain(t.last.value)}"
        for t, name in zip(runs, names)
    )
    return f"step by step on {land.words}: {'; '.join(each)}"


def _one_palette(frames: list[Any]) -> list[Any]:
    """All frames in the colors of the last one: a palette for each would take most of the time, and shimmer."""
    last = frames[-1].convert("RGB").quantize(256)
    return [frame.convert("RGB").quantize(palette=last, dither=0) for frame in frames]


def _filmed(scene: _Scene, moments: Sequence[int], writer: Any, kind: str, progress: Callable[[str], None]) -> bytes:
    import tempfile

    if kind == ".mp4":
        writer.metadata = {"title": scene.alt, "comment": scene.alt}
    with tempfile.TemporaryDirectory() as folder, house():
        file = Path(folder) / f"film{kind}"
        with writer.saving(scene.figure, str(file), scene.dpi):
            for n, k in enumerate(moments, 1):
                scene.show(k)
                writer.grab_frame()
                progress(f"frame {n} of {len(moments)}")
            if kind == ".gif":
                writer._frames = _one_palette(writer._frames)
                writer._frames[0].info["comment"] = scene.alt.encode()  # Pillow writes it into the file
        return file.read_bytes()


__all__ = [
    "KINDS", "Moving", "animate_trajectory", "axis_scale", "plot_curves", "plot_series",
    "plot_trajectory",
]  # fmt: skip
