"""Where a function is looked at, and where its curve must be broken.

`sample` evaluates on arrays at once, if that gives what the function gives point by point; branches are written for
numbers, and `max(x, 0)` of an array is an error at best. `trace_curve` finds jumps and poles by bisection: while an
interval is halved, the change across it halves too where the function is continuous, stays at a jump, and grows at a
pole. The same test on the derivative finds kinks. `choose_interval` takes the narrowest window in which the curve,
scaled to the picture, turns about as much as it ever does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tangently.errors import DomainError, InputError, ShapeError

Function = Callable[..., Any]
COUNT = 801  # samples of a curve
DEPTH = 44  # bisections, to the last digits of a coordinate
WIDTHS = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 50.0)  # half-widths that are tried
RANGES = (1e3, 1e4, 1e6)  # and where none of those holds a value
ENOUGH = 1.5 * math.pi  # a curve that turns as much is worth looking at
BUSY = 16 * math.pi  # one that turns more can't be read


def sample(f: Function, *grids: Any) -> np.ndarray:
    """The values of f at points given by arrays of coordinates; NaN where there is no finite real one.

    >>> sample(lambda x: 1 / x if x > 0 else -x, [-1.0, 0.0, 2.0]).tolist()
    [1.0, -0.0, 0.5]
    """
    arrays = np.broadcast_arrays(*(np.asarray(g, float) for g in grids))
    flat = [a.ravel() for a in arrays]
    with np.errstate(all="ignore"):
        values = _at_once(f, flat)
        if values is None:
            values = np.array([_one(f, point) for point in zip(*(a.tolist() for a in flat))], float)
    return values.reshape(arrays[0].shape)


def _one(f: Function, point: tuple[float, ...]) -> float:
    try:
        y = np.asarray(f(*point))
    except ShapeError:
        raise
    except (DomainError, ArithmeticError, ValueError):  # math.log(-1), 1/0: no value here, perhaps elsewhere
        return math.nan
    if y.size != 1:
        raise ShapeError(f"f{point} has shape {y.shape}; a picture wants one number at each point; draw one entry")
    value = y.item()
    if isinstance(value, complex):
        value = value.real if not value.imag else math.nan
    return float(value) if math.isfinite(value) else math.nan


def _at_once(f: Function, flat: list[np.ndarray]) -> np.ndarray | None:
    """All values by one call, if they agree with single ones at a few points."""
    n = len(flat[0])
    if n < 16:
        return None
    try:
        y = np.asarray(getattr(f, "pointwise", f)(*(a.copy() for a in flat)))
    except Exception:  # a function written for numbers may fail on arrays in any way, and then is asked one by one
        return None
    if y.dtype.kind not in "biuf" or y.shape not in ((), (n,)):
        return None
    y = np.broadcast_to(np.where(np.isfinite(y), y, np.nan), n).astype(float)
    probes = np.unique(np.linspace(0, n - 1, 9).round().astype(int))
    single = np.array([_one(f, tuple(float(a[i]) for a in flat)) for i in probes])
    size = np.nanmax(np.abs(single), initial=0.0, where=~np.isnan(single))
    return y if np.allclose(y[probes], single, rtol=1e-9, atol=1e-12 * size, equal_nan=True) else None


# ---------------------------------------------------------------- one variable


class Curve(NamedTuple):
    """Samples in order, a NaN where the line is broken; `jumps` are rows of (x, value left, value right).

    `low` and `high` bound what is worth drawing: less than all values where f grows without bound.
    """

    x: np.ndarray
    y: np.ndarray
    jumps: np.ndarray
    low: float
    high: float
    unbounded: bool


def trace_curve(f: Function, low: float, high: float, count: int = COUNT) -> Curve:
    """The curve of f between two numbers, broken at poles and jumps, and ending exactly where f ends."""
    x = _off_beat(low, high, count)
    y = sample(f, x)
    if np.isnan(y).all():
        raise InputError(f"f has no finite value between {low:g} and {high:g}; give a domain=(low, high) where it has")
    unbounded = _grows(f, x, y)
    bottom, top = _heights(y, unbounded)
    jumps, poles = _breaks(f, x, y, 0.004 * (top - bottom))
    ends = _ends(f, x, y)
    a, b, left, right = jumps.T
    gaps = np.concatenate([a, poles])  # a NaN at the same place follows the last value on the left
    xs = np.concatenate([x, a, b, ends[:, 0], gaps])
    ys = np.concatenate([y, left, right, ends[:, 1], np.full(len(gaps), np.nan)])
    order = np.argsort(xs, kind="stable")
    return Curve(xs[order], ys[order], np.stack([(a + b) / 2, left, right], axis=1), bottom, top, unbounded)


def _off_beat(low: float, high: float, count: int) -> np.ndarray:
    """Evenly spaced, but shifted inside, so that no sample falls on 0, 1 or another place where f may be special."""
    x = np.linspace(low, high, count)
    x[1:-1] += 0.0618034 * (x[1] - x[0])
    return x


def _grows(f: Function, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the largest value grows without end as one looks closer at its place."""
    i = int(np.nanargmax(np.abs(y)))
    start = abs(y[i])
    left, right = x[max(i - 1, 0)], x[min(i + 1, len(x) - 1)]
    for _ in range(3):
        closer = np.linspace(left, right, 42)[1:-1]
        values = np.abs(sample(f, closer))
        if np.isnan(values).all():
            return False
        k, width = int(np.nanargmax(values)), (right - left) / 41
        left, right, most = closer[k] - width, closer[k] + width, values[k]
    return bool(most > 1.5 * start)


def _heights(y: np.ndarray, unbounded: bool) -> tuple[float, float]:
    """All values; of an unbounded function the middle ones, and half as much again."""
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    if not unbounded:
        return low, high
    a, b = np.nanquantile(y, (0.15, 0.85)).tolist()
    return max(low, a - 0.5 * (b - a)), min(high, b + 0.5 * (b - a))


def _breaks(f: Function, x: np.ndarray, y: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Jumps as rows (a, b, f(a), f(b)), and the places just before poles."""
    change = np.abs(np.diff(y))
    at = np.flatnonzero(change > least)  # NaN compares false
    state = np.stack([x[at], x[at + 1], y[at], y[at + 1], change[at]])
    for depth in range(DEPTH):
        if not state.size:
            break
        state = _halved(f, state)
        shrunk = np.abs(state[3] - state[2]) <= 0.5 * state[4]
        if depth >= 2:
            state = state[:, ~shrunk]
    pole = ~(np.abs(state[3] - state[2]) <= 10 * state[4])
    return state[:4, ~pole].T, state[0, pole]


def _halved(f: Function, state: np.ndarray) -> np.ndarray:
    """Of each interval the half with the greater change; a middle without a value keeps the left."""
    a, b, fa, fb, change = state
    middle = (a + b) / 2
    value = sample(f, middle)
    value = np.where(np.isnan(value), np.inf, value)
    left = np.abs(value - fa) >= np.abs(fb - value)
    ends, values = np.where(left, (a, middle), (middle, b)), np.where(left, (fa, value), (value, fb))
    return np.concatenate([ends, values, change[None]])


def _ends(f: Function, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The last points with a value, beside points without one: rows (x, f(x))."""
    good = np.isfinite(y)
    at = np.flatnonzero(good[1:] != good[:-1])
    inside, outside = np.where(good[at], x[at], x[at + 1]), np.where(good[at], x[at + 1], x[at])
    value = np.where(good[at], y[at], y[at + 1])
    first = value.copy()
    for _ in range(DEPTH if len(at) else 0):
        middle = (inside + outside) / 2
        found = sample(f, middle)
        ok = np.isfinite(found)
        inside, outside, value = np.where(ok, middle, inside), np.where(ok, outside, middle), np.where(ok, found, value)
    calm = np.abs(value) <= 10 * np.abs(first) + np.nanmax(np.abs(y))  # no pole at the end
    return np.stack([inside, value], axis=1)[calm]


def choose_interval(f: Function, center: float) -> tuple[float, float]:
    """A window around a number in which the curve is worth looking at.

    >>> choose_interval(lambda x: x * x, 0.0), choose_interval(math.sqrt, 0.0)
    ((-2.0, 2.0), (-0.1, 2.0))
    """
    scale = max(1.0, abs(center) / 10)
    looks = [found for w in WIDTHS if (found := _look(f, center, w * scale))]
    looks = looks or [found for w in RANGES if (found := _look(f, center, w * scale))][:1]
    if not looks:
        raise InputError(
            f"no finite real value of f was found around {center:g}; "
            "give domain=(low, high) where it has values, or a point at= there"
        )
    enough = min(0.6 * max(turn for turn, *_ in looks), ENOUGH)
    turn, low, high = next(look for look in looks if look[0] >= enough)
    for k in range(1, 12):
        if turn <= BUSY:
            break
        turn, low, high = _look(f, center, WIDTHS[0] * scale / 3**k) or (0.0, low, high)
    return low, high


def _look(f: Function, center: float, width: float) -> tuple[float, float, float] | None:
    """How much the curve turns within the window, and the part of the window that holds values."""
    x = _off_beat(center - width, center + width, 401)
    y = sample(f, x)
    held = np.flatnonzero(np.isfinite(y))
    if len(held) < 8:
        return None
    inside = slice(int(held[0]), int(held[-1]) + 1)
    low, high = _cropped(x[inside], center - width, center + width)
    return _turning(x[inside], y[inside]), low, high


def _cropped(x: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The window without its empty sides, but a little of them, rounded."""
    room = 0.06 * (x[-1] - x[0])
    digits = 1 - math.floor(math.log10(x[-1] - x[0]))
    trim = lambda end, bound: round(float(end), digits) if abs(end - bound) > room else bound
    return max(low, trim(x[0] - room, low)), min(high, trim(x[-1] + room, high))


def _turning(x: np.ndarray, y: np.ndarray) -> float:
    """The angles by which the curve turns, in a picture as wide as high."""
    middle = np.nanquantile(y, (0.15, 0.85))
    spread = 2 * (middle[1] - middle[0])
    if spread > 0:
        y = np.where(np.abs(y - middle.mean()) < 1.25 * spread, y, np.nan)  # beyond the picture
    height = np.nanmax(y) - np.nanmin(y)
    if not height > 1e-12 * np.nanmax(np.abs(y)):
        return 0.0
    rise = np.diff(y) / height
    steep = np.abs(rise) > 0.25
    if steep.mean() < 0.05:  # a jump or a pole is no turn; many of them are a wave too fast for these samples
        rise[steep] = np.nan
    angle = np.arctan2(rise, np.diff(x) / (x[-1] - x[0]))
    return float(np.nansum(np.abs(np.diff(angle))))


def round_step(value: float) -> float:
    """The nearest of 1, 2, 5 × 10ⁿ.

    >>> [round_step(v) for v in (0.9, 0.45, 0.11, 30.0)]
    [1.0, 0.5, 0.1, 20.0]
    """
    power = math.floor(math.log10(value))
    lead = min((1, 2, 5, 10), key=lambda m: abs(math.log(value / 10.0**power / m)))
    return float(f"{lead}e{power}")


# ---------------------------------------------------------------- two variables


def choose_box(gradient: Function, hessian: Function, at: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """A square around the point that also holds a stationary point, if one is near (found by Newton's method)."""
    start = np.asarray(at, float)
    found, size = start, max(2.0, 0.2 * float(np.abs(start).max()))
    for _ in range(12):
        with np.errstate(all="ignore"):
            g, h = np.asarray(gradient(*found), float), np.asarray(hessian(*found), float)
        if not (np.isfinite(g).all() and np.isfinite(h).all()) or np.linalg.matrix_rank(h) < 2:
            break
        found = found - np.linalg.solve(h, g)
        if np.abs(found - start).max() > 5 * size:
            break
    close = np.isfinite(found).all() and np.abs(found - start).max() <= 2.5 * size
    center = np.round((found + start) / 2, 1) if close else start
    half = max(size, 1.5 * float(np.abs(start - center).max()))
    return tuple((float(c - half), float(c + half)) for c in center)


def contour_levels(z: np.ndarray, count: int = 10) -> np.ndarray:
    """Round heights: evenly spaced, unless nearly all of the picture would fall into one band; then by area.

    >>> contour_levels(np.linspace(0, 10, 50), 5).tolist()
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    from matplotlib.ticker import MaxNLocator

    values = z[np.isfinite(z)]
    if not np.ptp(values) > 1e-12 * np.abs(values).max(initial=0.0):
        return np.array([])
    for most in (count, count * 4 // 3):
        even = np.asarray(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(values.min(), values.max()))
        if np.histogram(values, even)[0].max() < 0.3 * len(values):
            return even
    areas = np.quantile(values, np.linspace(0.03, 0.97, count + 1))
    small = 0.01 * (areas[-2] - areas[1])  # 0 says more than a height of 0.0015 between −2 and 1
    return np.unique([_rounded(v) if abs(v) > small else 0.0 for v in areas])


def _rounded(value: float) -> float:
    """To one digit, or one and a half."""
    if not value:
        return 0.0
    power = math.floor(math.log10(abs(value)))
    lead = min((1, 1.5, 2, 3, 4, 5, 6, 8, 10), key=lambda m: abs(abs(value) / 10.0**power - m))
    return math.copysign(float(f"{lead}e{power}"), value)
