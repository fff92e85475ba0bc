"""A still line chart as SVG: named series on linear or logarithmic axes, for curves such as error against step.

Series are told apart by color, dash and marker together, and each is named at its right end; names that would
collide are pushed apart. Values that can't be drawn (not finite, or not positive on a logarithmic axis) leave a gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from tangently.reports.blocks import Interval, LineChart

WIDTH, HEIGHT = 720, 340
LEFT, TOP, BOTTOM = 62, 16, 46
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "5 2 1 2")
MARKERS = (
    '<circle r="3.2" cx="{x}" cy="{y}"/>',
    '<rect x="{x3}" y="{y3}" width="6" height="6"/>',
    '<path d="M{x} {y4}l4 7h-8z"/>',
    '<path d="M{x} {y4}l4 4l-4 4l-4 -4z"/>',
)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: data from `low` to `high` (in decades where `log`) onto pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def place(self, value: float) -> float:
        at = unit(value, self.log)
        return self.start + (at - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.place(v), label) for v, label in (decades if self.log else steps)(self.low, self.high)]


def unit(value: float, log: bool) -> float:
    """The value on a linear scale, NaN if it has no place there."""
    if log:
        return math.log10(value) if 0 < value < math.inf else math.nan
    return value if math.isfinite(value) else math.nan


def nice(rough: float) -> float:
    """The least of 1, 2, 5 × 10ⁿ that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)


def steps(low: float, high: float, count: int = 6) -> list[tuple[float, str]]:
    """Round values between two numbers.

    >>> steps(-0.1, 1.02, 4)
    [(0.0, '0.0'), (0.5, '0.5'), (1.0, '1.0')]
    """
    step = nice((high - low) / count)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    values = [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    big = max(map(abs, values), default=0) >= 1e6 or step < 1e-4
    return [(v, (f"{v:.3g}" if big else f"{v:.{decimals}f}").replace("-", "−")) for v in values]


def decades(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten, at most about seven of them.

    >>> [label for _, label in decades(-6.2, 0)]
    ['10⁻⁶', '10⁻⁵', '10⁻⁴', '10⁻³', '10⁻²', '10⁻¹', '10⁰']
    """
    stride = max(1, math.ceil((high - low) / 7))
    first = math.ceil(low / stride - 1e-9) * stride
    return [(10.0**n, "10" + str(n).translate(RAISED)) for n in range(first, math.floor(high + 1e-9) + 1, stride)]


def extent(values: Sequence[float], log: bool, padding: float) -> Interval:
    found = [u for value in values if not math.isnan(u := unit(value, log))]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    if log and high - low < 1:
        low, high = math.floor(low), math.ceil(high)
    return low - padding * (high - low), high + padding * (high - low)


def line_chart(chart: LineChart) -> str:
    """The chart as an ``<svg>`` element, colored by the classes ``s0``, ``s1``, … of the page."""
    right = WIDTH - max(24, 18 + max((7.6 * len(name) for name, *_ in chart.series), default=0))
    x = Axis(*extent([v for _, xs, _ in chart.series for v in xs], chart.log_x, 0.02), LEFT, right, chart.log_x)
    y = Axis(*extent([v for *_, ys in chart.series for v in ys], chart.log_y, 0.05), HEIGHT - BOTTOM, TOP, chart.log_y)
    curves = [series(i, points(x, y, xs, ys)) for i, (_, xs, ys) in enumerate(chart.series)]
    parts = [*grid(x, y), *curves, *names(chart, x, y), *titles(chart, right)]
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'


Point = tuple[float, float]


def points(x: Axis, y: Axis, xs: Sequence[float], ys: Sequence[float]) -> list[Point]:
    return [(x.place(a), y.place(b)) for a, b in zip(xs, ys, strict=True)]


def drawable(point: Point) -> bool:
    return all(map(math.isfinite, point))


def series(index: int, found: list[Point]) -> str:
    runs = [list(run) for good, run in groupby(found, drawable) if good]
    path = "".join("M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in run) for run in runs)
    dash = DASHES[index % len(DASHES)]
    drawn = f'<path d="{path}"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>"
    marks = "".join(marker(index, *p) for run in runs for p in run) if len(found) <= 60 else ""
    return f'<g class="s{index % len(DASHES)}">{drawn}<g class="marks">{marks}</g></g>'


def marker(index: int, px: float, py: float) -> str:
    places = {"x": px, "y": py, "x3": px - 3, "y3": py - 3, "y4": py - 4}
    return MARKERS[index % len(MARKERS)].format(**{key: f"{value:.1f}" for key, value in places.items()})


def grid(x: Axis, y: Axis) -> list[str]:
    across = [
        f'<path class="grid" d="M{p:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        f'<text class="tick mid" x="{p:.1f}" y="{HEIGHT - BOTTOM + 18}">{label}</text>'
        for p, label in x.ticks()
    ]
    up = [
        f'<path class="grid" d="M{LEFT} {p:.1f}H{x.end:.1f}"/>'
        f'<text class="tick end" x="{LEFT - 8}" y="{p + 4:.1f}">{label}</text>'
        for p, label in y.ticks()
    ]
    return [*across, *up]


def names(chart: LineChart, x: Axis, y: Axis) -> list[str]:
    ends = [right_end(points(x, y, xs, ys)) for _, xs, ys in chart.series]
    return [
        f'<text class="label s{i % len(DASHES)}" x="{px + 8:.1f}" y="{py + 4:.1f}">{escape(name)}</text>'
        for (i, (name, *_)), (px, py) in zip(enumerate(chart.series), apart(ends), strict=True)
    ]


def right_end(found: list[Point]) -> Point:
    return max(filter(drawable, found), default=(LEFT, TOP))


def apart(ends: list[Point], gap: float = 16) -> list[Point]:
    """Push labels down until none lies on another; then up again, if that led below the chart."""
    order = sorted(range(len(ends)), key=lambda i: ends[i][1])
    heights: list[float] = []
    for i in order:
        heights.append(max(ends[i][1], heights[-1] + gap) if heights else ends[i][1])
    over = max(0.0, heights[-1] - (HEIGHT - BOTTOM)) if heights else 0.0
    placed = {i: (ends[i][0], height - over) for i, height in zip(order, heights, strict=True)}
    return [placed[i] for i in range(len(ends))]


def titles(chart: LineChart, right: float) -> list[str]:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    across = f'<text class="tick mid" x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 8}">{escape(chart.x_label)}</text>'
    turn = f'transform="rotate(-90 14 {middle:.0f})"'
    up = f'<text class="tick mid" x="14" y="{middle:.0f}" {turn}>{escape(chart.y_label)}</text>'
    return [across, up]
