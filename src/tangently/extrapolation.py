"""The limit of a black box: a function that gives numbers and nothing else, so that every answer is an estimate.

Values alone prove nothing; what can be done is to look in many places, to extrapolate in several ways, and to say how
far the ways differ. The distance to the point is h = size · 2⁻ᵘ, and everything is told in u, which counts binary
digits of closeness: a power of h is geometric in u, a power of 1/ln h is algebraic in it.

*Where.* One sequence halves h, a second one divides it by the golden ratio from another start, and pseudo-random points
lie between, so that no period can hide: sin(2π/x) is 0 at every x = 1/n, and at nothing else. Near 0 and ∞, where
floats are dense, a fourth sequence goes on to h = 2⁻¹⁹² in steps that are geometric in u, and turns 1/ln h into a
geometric sequence.

*What is noise.* Each value is predicted from eight neighbors in u by interpolation, and from four. Where eight predict
much better than four, f is smooth there; where they are equally bad, what remains is roughness (the idea of the
difference tables of J. Moré, S. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011, 1292-1314).
Roughness that is small when it begins and grows beside f as h → 0 is rounding, as in (1 - cos h)/h²: from there on the
noise is taken never to fall again, since total cancellation gives a smooth, exact and wrong 0. Roughness as large as
the variation of f is an oscillation of f itself. The width of its band falls like a power of u or faster, and it dies
away; or it does not, and there is no limit.

*What is the limit.* For sequences sₖ with noise nₖ: Aitken's Δ² iterated; Wynn's ε algorithm (P. Wynn, "On a device for
computing the eₘ(Sₙ) transformation", MTAC 10, 1956, 91-96); Richardson's table (L. Richardson, Phil. Trans. A 226,
1927) with an exponent estimated from the values; Levin's u (D. Levin, Int. J. Comput. Math. B3, 1973, 371-388), for
logarithmic convergence. E. J. Weniger, "Nonlinear sequence transformations for the acceleration of convergence and
the summation of divergent series", Comput. Phys. Rep. 10, 1989, 189-371, compares them. Each is run on sₖ and on two
copies disturbed by the noise. An entry of a table is believed if its neighbors agree, if all later values lie nearer to
it than the values it was made of, and if it lies where the unaccelerated sequence may go. The error bar spans what the
best entry of each sequence says, and never less than 10⁻⁵ of the way from the last value to the limit; one half of the
way where the convergence is logarithmic. Raabe's test tells Σ(sₖ₊₁ - sₖ) = ∞ from slow convergence.

Where floats lose the limit and f accepts mpmath's numbers, it is asked again with so many digits that nothing cancels.

*What can't be seen.* Spikes that grow ever thinner and that no sample hits, as of ((1 + sin x)/2)ˣ at ∞; a change of f
nearer to the point than the last sample; a leftover of rounding that is smooth and large from the first sample on.

Glossary: h distance to the point, u = log₂(size/h), s sequence, d its differences, n noise, ρ ratio of differences.
"""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from tangently.errors import InputError, ShapeError, TangentlyError

EPS = float(np.finfo(float).eps)
GOLDEN = math.log2((1 + math.sqrt(5)) / 2)
FIRST, LAST = 2, 48  # u of the dense samples: from a quarter of the size to the last bits
FLOAT_REACH, MP_REACH = 192, 768  # u of the farthest sample near 0 and ∞
LATE = 20.0  # a value that is missing from here on only is missing through rounding or underflow
NEARLY = 7.0  # where f has values up to here, that it has none from here on need not be its domain
NEAR_STEP = 12.0  # ε to the power 1/4 and less: where a step may come from rounding
FEWEST = 12  # octaves of samples without which nothing is said
PLAUSIBLE, ENOUGH = 1e-3, 1e-9  # relative errors: of an answer worth giving, and of one that needs no more digits
DROWNED = "rounding inside f drowns its values before they settle"

Verdict = Literal["converges", "diverges +", "diverges -", "oscillates", "undefined", "cancellation", "unclear"]
Function = Callable[[Any], Any]
Array = np.ndarray


@dataclass(frozen=True)
class Estimated:
    """What a black box seems to tend to: |value - limit| ≤ error is estimated, not proven.

    `value` is a float where it converges, ±inf where it diverges, None else. `rows` are pairs (x, f(x)) that approach
    the point, `notes` say what was seen, `method` which extrapolation gave the value.
    """

    value: float | None
    error: float
    verdict: Verdict
    rows: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    method: str = ""
    evaluations: int = 0


# ---- where to look ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Approach:
    """The way to the point: x = point ± h with h = size · 2⁻ᵘ, or x = ±1/h at infinity."""

    point: float
    side: int
    size: float
    last: float  # u of the last sample that floats near the point still resolve
    dense: bool  # floats are dense at the point (0, ±∞): h may be as small as one likes
    blur: float  # how far the point may be from the one that was meant (π, 0.1), as a part of the size

    def x(self, u: Any, power: Callable[[Any], Any] = lambda u: 2.0**u) -> Any:
        if math.isinf(self.point):
            return math.copysign(1, self.point) * power(u)
        return self.point + self.side * (power(-u) * self.size)

    def u(self, x: float, asked: float) -> float:
        """Where x really is, after rounding."""
        return asked if self.dense else -math.log2(abs(x - self.point) / self.size)


def _approach(point: Any, side: Any) -> Approach:
    if isinstance(point, bool | complex | str) or side not in (1, -1):
        raise InputError(f"got point={point!r}, side={side!r}; wanted a real number or ±inf, and +1 or -1 for the side")
    try:
        point = float(point)
    except (TypeError, ValueError) as e:
        raise InputError(f"got a point of type {type(point).__name__}; wanted a real number, or ±inf") from e
    if math.isnan(point):
        raise InputError("got nan as the point; wanted a real number, or ±inf")
    if point == 0 or math.isinf(point):
        return Approach(point, side, 1.0, LAST, True, 0.0)
    size = abs(point) if abs(point) < 2.0**-20 else max(1.0, abs(point))
    last = min(LAST, math.floor(math.log2(size / (16 * math.ulp(point)))))
    return Approach(point, side, size, last, False, 0.0 if _is_short(point) else math.ulp(point) / size)


def _is_short(point: float) -> bool:
    """A point of at most 26 bits (2, 0.375) is meant exactly; π and 0.1 stand for a number nearby."""
    numerator = abs(point.as_integer_ratio()[0])
    return numerator.bit_length() - (numerator & -numerator).bit_length() < 26


def _plan(a: Approach, last: float, reach: float) -> dict[str, list[float]]:
    """The u of the samples: halving, golden, random; `deep` is geometric in u, `near` lies around its far members."""
    dice = random.Random(1973)
    plan = {"halving": [float(k) for k in range(FIRST, int(last) + 1)]}
    plan["golden"] = [FIRST + 0.31 + GOLDEN * k for k in range(int((last - FIRST - 0.31) / GOLDEN))]
    plan["random"] = [k + dice.random() for k in range(FIRST, int(last))]
    if a.dense:
        plan["deep"] = [reach * 2 ** (-k / 2) for k in range(round(2 * math.log2(reach / 6)), -1, -1)]
        plan["near"] = [u - 2 + 2 * dice.random() for u in plan["deep"] if u > LAST for _ in range(4)]
    return plan


# ---- calling f -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One call of f. `fault` is "" for a value, "domain", "nan" or "overflow" for none; `y` may have many digits."""

    u: float
    x: float
    y: Any
    fault: str = ""


@dataclass
class Budget:
    """What is left of calls and time. Not frozen: it counts."""

    calls: int
    deadline: float
    used: int = 0

    @property
    def left(self) -> int:
        return max(0, self.calls - self.used) if time.perf_counter() < self.deadline else 0


def _number(y: Any) -> tuple[Any, str]:
    """The value of f as a real number, or None and the reason why it is none."""
    if isinstance(y, np.ndarray | np.generic):
        if y.size != 1:
            raise ShapeError(f"f returned an array of shape {y.shape}; wanted one number; take the limit of one entry")
        y = y.item()
    if isinstance(y, str | bytes):
        raise InputError(f"f returned the text {y!r}; wanted a real number")
    if getattr(y, "imag", 0) != 0:
        return None, "domain"
    y = getattr(y, "real", y)
    try:
        size = float(y)
    except OverflowError:
        return None, "overflow"
    except (TypeError, ValueError) as e:
        raise InputError(f"f returned a value of type {type(y).__name__}; wanted a real number") from e
    return (y, "") if math.isfinite(size) else (None, "nan" if math.isnan(size) else "overflow")


def _called(f: Function, x: Any) -> tuple[Any, str]:
    """f(x), with every way to have no value told from the others: NaN from inf/inf is an overflow, not a domain."""
    seen: list[str] = []
    try:
        with np.errstate(all="ignore", over="call", call=lambda kind, flag: seen.append(kind)):
            y, fault = _number(f(x))
    except OverflowError:
        return None, "overflow"
    except (ArithmeticError, ValueError) as e:
        if isinstance(e, InputError | ShapeError):
            raise
        kinds = {OverflowError: "overflow", ZeroDivisionError: "nan"}
        return None, kinds.get(type(e.__cause__ or e), "domain")
    return y, "overflow" if fault and seen else fault


def _sampled(f: Function, a: Approach, us: Sequence[float], budget: Budget, precise: bool) -> list[Sample]:
    """f at every u while the budget lasts."""
    call = _precise_call if precise else _float_call
    found = []
    for u in us:
        if not budget.left:
            break
        budget.used += 1
        found.append(call(f, a, u))
    return found


def _float_call(f: Function, a: Approach, u: float) -> Sample:
    x = a.x(u)
    y, fault = _called(f, x)
    return Sample(a.u(x, u), x, None if fault else float(y), fault)


def _precise_call(f: Function, a: Approach, u: float) -> Sample:
    """f with so many digits that terms up to the sixth power of h may cancel."""
    import mpmath

    with mpmath.workdps(40 + int(2 * u)):
        x = a.x(mpmath.mpf(u), lambda v: mpmath.mpf(2) ** v) + mpmath.mpf(0)
        return Sample(u, float(x), *_called(f, x))


def _is_precise(f: Function, a: Approach) -> bool:
    """Does f carry mpmath's digits from end to end? Then its slope over 2⁻⁸⁰ is its slope over 2⁻²⁵.

    A function that passes through floats on its way (math.exp of an mpf) has steps of 2⁻⁵², and its slope has none.
    """
    import mpmath

    try:
        with mpmath.workdps(100):
            for u in (2.37, 5.61):
                x = a.x(mpmath.mpf(u), lambda v: mpmath.mpf(2) ** v)
                y, *near = (f(x * (1 + mpmath.mpf(2) ** -k)) for k in (200, 80, 25))
                if not isinstance(y, mpmath.mpf) or not mpmath.isfinite(y):
                    return False
                fine, coarse = (near[0] - y) * mpmath.mpf(2) ** 80, (near[1] - y) * mpmath.mpf(2) ** 25
                if abs(fine - coarse) > 1e-3 * abs(coarse) + mpmath.mpf(2) ** -60 * abs(y):
                    return False
                plain, fault = _called(f, float(x))
                if fault or abs(plain - y) > 1e-6 * abs(y) + 1e-9:
                    return False
    except TangentlyError:
        raise
    except Exception:  # whatever f does with a number that it does not know, the answer is no
        return False
    return True


# ---- what was seen ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Data:
    """The samples that count, in order of u. `z` = y - `origin`, so that differences keep their digits."""

    approach: Approach
    u: Array
    x: Array
    y: Array
    z: Array
    origin: float
    unit: Array  # one unit in the last place of what is seen
    noise: Array = field(default_factory=lambda: np.zeros(0))
    rough: Array = field(default_factory=lambda: np.zeros(0, bool))  # seen from behind too, as rounding is
    wild: Array = field(default_factory=lambda: np.zeros(0, bool))  # seen from both sides, as oscillation is
    lost: bool = False  # rounding grows as h → 0
    overflow: bool = False  # values stop because they grow too large
    steady: bool = True  # the same x gives the same value
    notes: tuple[str, ...] = ()

    def sequence(self, us: Sequence[float]) -> Array:
        """The places of the samples that were asked for at these u."""
        at = np.searchsorted(self.u, us)
        at = np.clip(np.where(abs(self.u[np.clip(at - 1, 0, None)] - us) < 1e-3, at - 1, at), 0, len(self.u) - 1)
        near = abs(self.u[at] - us) < 0.02
        return at[: np.argmin(near)] if not near.all() else at


def _trimmed(f: Function, a: Approach, samples: list[Sample]) -> tuple[list[Sample], bool, Verdict, tuple[str, ...]]:
    """The samples between the last hole far away and the first hole near the point; a verdict if the holes are all."""
    holes = [k for k, s in enumerate(samples) if s.fault]
    far = [k for k, after in zip(holes, [*holes[1:], len(samples)]) if after - k > 20]
    if far:
        samples = samples[far[-1] + 1 :]
        holes = [k for k, s in enumerate(samples) if s.fault]
    if not holes:
        return samples, False, "converges", ()
    first = samples[holes[0]]
    scattered = len(holes) < 0.9 * (len(samples) - holes[0])
    grown = first.fault == "overflow" or (first.fault == "nan" and _has_value_in_long(f, first.x))
    if grown or first.u >= LATE:
        cause = "grows too large for a float" if grown else "has no value, through rounding or underflow,"
        note = f"f {cause} from x = {float(first.x)!r} on: the estimate rests on what comes before"
        return samples[: holes[0]], grown, "converges", (note,)
    where = f"f has no real value at x = {float(first.x)!r}"
    if scattered:
        return [], False, "undefined", (where + ", and at other points as near as one likes",)
    if first.u >= NEARLY or (math.isinf(a.point) and first.fault == "nan"):
        return (
            samples[: holes[0]],
            False,
            "unclear",
            (where + " and beyond: the edge of its domain, or ∞ - ∞ inside f",),
        )
    return [], False, "undefined", (where + ", nor nearer to the point",)


def _has_value_in_long(f: Function, x: float) -> bool:
    """NaN may be ∞/∞ inside f: then numbers of a wider range, where the machine has them, give a value."""
    try:
        y, fault = _called(f, np.longdouble(x))
    except (TypeError, InputError, ShapeError):
        return False
    return not fault and y is not None


def _data(a: Approach, samples: list[Sample], overflow: bool, notes: tuple[str, ...], precise: bool) -> Data:
    origin = samples[-1].y if precise else 0.0
    z = np.array([float(s.y - origin) for s in samples])
    y = np.array([float(s.y) for s in samples])
    u, x = np.array([s.u for s in samples]), np.array([s.x for s in samples])
    d = Data(a, u, x, y, z, float(origin), np.zeros(0), overflow=overflow, notes=notes)
    dense, *clusters = _parts(d)
    size = abs(z) if precise else abs(y)
    ends = [np.full(c.stop - c.start, size[c].max()) for c in clusters]
    return replace(d, unit=EPS * np.concatenate([_windowed(size[dense], 9, np.max), *ends]))


def _windowed(values: Array, width: int, reduce: Callable[..., Array]) -> Array:
    """A running maximum, median, … with the ends repeated."""
    padded = np.pad(values, width // 2, mode="edge")
    return reduce(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def _behind(values: Array, width: int, reduce: Callable[..., Array]) -> Array:
    """The same over a sample and those before it, farther from the point."""
    padded = np.pad(values, (width - 1, 0), mode="edge")
    return reduce(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def _ahead(values: Array, width: int, reduce: Callable[..., Array]) -> Array:
    """The same over a sample and those after it, nearer to the point; the last ones share one window."""
    width = min(width, len(values))
    full = reduce(np.lib.stride_tricks.sliding_window_view(values, width), axis=1)
    return np.pad(full, (0, width - 1), mode="edge")


def _residual(u: Array, z: Array, offsets: Sequence[int]) -> Array:
    """How far each value is from the polynomial through its neighbors at these offsets, in units of a value's noise."""
    before, after = -min(offsets), max(0, *offsets)
    if len(u) <= before + after:
        return np.zeros(len(u))
    at = np.arange(before, len(u) - after)[:, None]
    return np.pad(_predicted(u, z, at, at + np.array(offsets)), (before, after), mode="edge")


def _predicted(u: Array, z: Array, at: Array, near: Array) -> Array:
    """|z - its prediction by interpolation from the samples `near`| over the size of the weights."""
    gaps = u[near][:, :, None] - u[near][:, None, :] + np.eye(near.shape[1])
    ahead = u[at] - u[near]
    weights = ahead.prod(axis=1, keepdims=True) / ahead / gaps.prod(axis=2)
    off = abs((weights * (z[near] - z[at])).sum(axis=1)) / np.sqrt(1 + (weights**2).sum(axis=1))
    return np.nan_to_num(off, nan=np.inf)


AROUND = {reach: [k for k in range(-reach, reach + 1) if k] for reach in (1, 2, 4, 6)}
BEHIND = {reach: list(range(-reach, 0)) for reach in (2, 4)}


def _scatter(u: Array, z: Array) -> tuple[Array, ...]:
    """Of dense samples: roughness by eight neighbors and by four (medians over seven), the noise, and what is wild.

    Half as many, from behind only, don't see what is to come: the collapse of all digits shortly before the point.
    """
    fine, coarse = _residual(u, z, AROUND[4]), _residual(u, z, AROUND[2])
    closest = np.minimum(fine, _residual(u, z, AROUND[6]))
    onward = _ahead(z, 12, np.ptp)  # what dies out as fast as exp(-1/h) is smooth nearer to the point
    noise = np.minimum(2 * _windowed(closest, 5, np.max), onward)
    behind = [np.minimum(r, _residual(u, z, BEHIND[k])) for k, r in ((4, fine), (2, coarse))]
    middle = [_windowed(r, 7, np.median) for r in (fine, coarse, *behind)]
    floor = EPS * _windowed(abs(z), 9, np.max)
    return np.minimum(middle[2], onward), middle[3], noise, (middle[0] > 8 * floor) & (middle[0] > 0.25 * middle[1])


def _cluster(u: Array, z: Array) -> tuple[Array, ...]:
    """The same of a few samples far from all others."""
    fine, coarse = (_misfit(u, z, degree) for degree in (2, 1))
    return tuple(np.full(len(u), v) for v in (fine, coarse, 2 * fine, False))


def _misfit(u: Array, z: Array, degree: int) -> float:
    """How far values are from their best parabola or line."""
    if len(u) < degree + 2:
        return 0.0
    powers = np.vander((u - u.mean()) / max(np.ptp(u), 1e-9), degree + 1)
    size = max(float(abs(z).max()), 1e-300)
    rest = z / size - powers @ np.linalg.lstsq(powers, z / size, rcond=None)[0]
    return size * math.sqrt((rest**2).sum() / (len(u) - degree - 1))


def _parts(d: Data) -> list[slice]:
    """The dense samples, and each cluster of deep ones."""
    dense = int(np.searchsorted(d.u, LAST + 0.1))
    cuts = [dense, *(dense + 1 + np.flatnonzero(np.diff(d.u[dense:]) > 5)), len(d.u)]
    return [slice(0, dense), *(slice(a, b) for a, b in itertools.pairwise(cuts) if b > a)]


def _with_noise(d: Data) -> Data:
    """Roughness of each sample, and whether it is rounding that grows (see the essay)."""
    dense, *clusters = _parts(d)
    found = [_scatter(d.u[dense], d.z[dense]), *(_cluster(d.u[c], d.z[c]) for c in clusters)]
    middle, wide, noise, wild = (np.concatenate(column) for column in zip(*found))
    rough = (middle > 4 * d.unit) & (middle >= 0.25 * wide) & (middle <= 8 * wide)
    d = replace(d, noise=np.maximum(noise, d.unit), rough=rough, wild=wild)
    start, lost = _rounding(d, middle)
    if start is not None:
        d.noise[start:] = _drowned(d, start, lost)
    blur = 4 * d.approach.blur * 2.0 ** np.minimum(d.u, 1000) * abs(d.y)
    return replace(d, noise=d.noise + blur, lost=lost)


def _rounding(d: Data, middle: Array) -> tuple[int | None, bool]:
    """Where rounding begins, small and rough; is it fatal: a thousand times as large beside f, or frozen at the end?"""
    near = d.u <= LAST
    size, span = _behind(abs(d.y), 7, np.max), _behind(d.z, 7, np.ptp)
    fading = middle < 0.5 * _behind(np.where(d.rough, middle, 0), 14, np.max)  # an oscillation that dies away
    fading |= _ahead(abs(d.y), 12, np.max) < 0.02 * abs(d.y)  # or all of f does
    small = np.flatnonzero(d.rough & near & ~fading & ((middle <= 1e-4 * size) | (middle <= 0.005 * span)))
    if not len(small):
        return None, False
    start = int(small[0])
    seen = middle[start:][d.rough[start:]]
    later = seen[int(np.argmax(seen)) :]
    if len(later) >= 20 and np.median(later) < 0.05 * later[0]:  # it did die away after all
        return None, False
    share = d.noise / np.maximum(_windowed(abs(d.y), 7, np.max), 1e-300)  # an oscillation of 1/x grows as 1/x does
    lasting = _ahead(d.rough, 5, np.min)[start:].any()
    grows = share[start:][near[start:]].max() >= 1e3 * max(share[start], EPS)
    settled = max(float(np.ptp(d.z[max(0, start - 6) : start + 1])), d.noise[start])
    frozen = not np.ptp(d.z[-10:]) and abs(d.z[-1] - d.z[start]) > 10 * settled
    return (start if lasting or frozen else None), bool((grows and lasting) or frozen)


def _drowned(d: Data, start: int, lost: bool) -> Array:
    """Rounding noise: it never falls again, and has no bound from where two digits of f are left."""
    noise = np.maximum.accumulate(d.noise[start:])
    gone = lost & ((noise > 0.01 * _windowed(abs(d.y[start:]), 5, np.max)) | (d.u[start:] > LAST))
    return np.where(np.maximum.accumulate(gone), np.inf, noise)


# ---- is there no limit? ----------------------------------------------------------------------------


def _sign(rising: bool) -> Verdict:
    return "diverges +" if rising else "diverges -"


def _stepping(d: Data) -> tuple[Verdict | None, str]:
    """A step to a constant: of f, of rounding (⌊sin(x)/x⌋ at 0), or of an overflow (x/ln(eˣ) at ∞)?"""
    moved = np.flatnonzero(d.z != d.z[-1])
    if d.lost or d.origin or not len(moved) or moved[-1] < 8 or len(d.z) - moved[-1] < 8:
        return None, ""
    last = int(moved[-1])
    before, height = d.z[last - 7 : last + 1], abs(d.z[last] - d.z[-1])
    flat = np.ptp(before) <= 1e-3 * height and d.u[last] > NEAR_STEP
    swallowed = d.y[-1] == 0 and abs(before[-1]) > 0.3 * abs(before).max() and d.u[last] > NEARLY
    if height < 1e-4 * abs(d.y[last - 7 :]).max() or not (flat or swallowed):
        return None, ""
    near, far, cause = f"{d.y[-1]:.6g}", f"{d.y[last]:.6g}", "rounding" if flat else "an overflow inside"
    return "unclear", f"f steps from {far} to {near} at x = {float(d.x[last])!r}, where {cause} may have done it"


def _overflowing(d: Data) -> Verdict | None:
    """Values that grew, with one sign, until no float could hold them."""
    tail = d.y[-5:] * np.sign(d.y[-1])
    grows = d.overflow and len(tail) > 2 and tail[-1] > 1e50 and (np.diff(tail) > 0).all() and (tail > 0).all()
    return _sign(d.y[-1] > 0) if grows else None


def _wild(d: Data) -> tuple[Verdict | None, str]:
    """An oscillation that goes on to the end of the dense samples: does its amplitude die away?

    Farther on 1/h is a whole number in floats, and what oscillates may seem to rest.
    """
    dense, *_ = _parts(d)
    u, y, wild = d.u[dense], d.y[dense], d.wild[dense]
    half = len(y) // 2
    ends = np.arange(len(y), max(9, int(np.argmax(wild))), -9)[::-1]
    if d.lost or wild[half:].mean() < 0.3 or (ends > half).sum() < 3:
        return None, ""
    bins = np.array([y[k - 9 : k] for k in ends])
    least = np.where(bins.min(axis=1) > 0, bins.min(axis=1), np.where(bins.max(axis=1) < 0, -bins.max(axis=1), 0.0))
    least = least[ends > half]
    if least[0] > 0 and least[-1] > 4 * least[0] and (np.diff(least[-3:]) > 0).all():
        return _sign(y[-1] > 0), "even the smallest values of |f| grow"
    verdict, why = _dying(d, bins, u[ends - 5], int((ends > half).sum()), bool(wild[:6].all()))
    if verdict is None and d.steady and _is_spiky(u[wild], abs(y - d.y[-1])[wild]):
        return "unclear", "f has spikes near the point, far above its usual values: it may have no limit"
    return verdict, why


def _dying(d: Data, bins: Array, u: Array, late: int, always: bool) -> tuple[Verdict | None, str]:
    """The verdict on an oscillation, from the power of u with which the width of its band falls (1 for 1/ln h).

    It is taken from all of the band and from the `late` bins, the half nearer to the point.
    """
    width = np.maximum(np.ptp(bins, axis=1), 1e-300)
    overall, power = (-_slope(np.log(u[-k:]), np.log(width[-k:])) for k in (len(u), late))
    middle = bins[-late:].mean(axis=1)
    now, drift = width[-3:].max(), abs(middle[-1] - middle[0])
    if power > 0.6 or not d.steady or now < 1e-9 * abs(middle).max():
        return None, ""
    share = width / np.maximum(abs(bins).max(axis=1), 1e-300)  # of an oscillation it stays, of rounding it grows
    if share[-1] > 30 * share[0] or _is_granular(bins[-late:]):
        return "cancellation", DROWNED
    if max(power, overall) > 0.3 or (drift > now and power > -0.3):
        return "unclear", f"f fluctuates by {now:.3g} near the point, and whether that dies away can't be seen"
    if not always or now > 0.01 * abs(bins[-late:]).max():
        return "oscillates", f"f goes on to vary by {now:.3g} as x approaches the point"
    return "unclear", f"f scatters by {now:.3g} everywhere near the point: noise or oscillation can't be told apart"


def _is_granular(y: Array) -> bool:
    """Are the values small multiples of one unit in the last place of numbers near 1, and nothing else?"""
    grains = y / 2.0**-54
    return bool(abs(grains).max() < 4096 and (grains == np.round(grains)).all())


def _is_spiky(u: Array, off: Array) -> bool:
    """Are some values eight times as far off as is usual there, as of h tan(1/h) and never of h sin(1/h)?"""
    u, far = u[off > 0], np.log(off[off > 0])
    if len(far) < 20:
        return False
    far = far - _slope(u, far) * u
    return float(np.mean(far - np.median(far) > math.log(8))) > 0.03


def _slope(x: Array, y: Array) -> float:
    """The median slope between any two points, which a band that is narrow once by chance does not move."""
    a, b = np.triu_indices(len(x), 1)
    return float(np.median((y[b] - y[a]) / (x[b] - x[a])))


def _swinging(d: Data) -> tuple[Verdict | None, str]:
    """Does f go up and down again and again, however slowly, by steps that do not shrink: sin(ln x)?"""
    use = np.isfinite(d.noise) & (d.u <= LAST)
    y, turns = d.y[use], [d.y[0]]
    least = np.maximum(4 * d.noise[use], 1e-9 * np.ptp(y))
    for value, enough in zip(y[1:], least[1:]):
        onward = len(turns) > 1 and (value - turns[-1]) * (turns[-1] - turns[-2]) > 0
        if onward:
            turns[-1] = value
        elif abs(value - turns[-1]) > enough:
            turns.append(value)
    swings = abs(np.diff(turns))
    if len(swings) < 7 or not d.steady or d.wild[use].mean() > 0.3:
        return None, ""
    before, now = np.median(swings[1:-4][-6:]), np.median(swings[-4:-1])
    if now >= 0.8 * before and swings[-4:-1].min() > 0.3 * now:
        return "oscillates", f"f goes up and down by {now:.3g} as x approaches the point"
    return None, ""


def _rising(d: Data, at: Array, deep: bool) -> Verdict | None:
    """Raabe's test on the differences of a sequence: is their sum infinite?"""
    u, y, n = d.u[at], d.y[at], d.noise[at]
    if len(y) < 6:
        return None
    steps = np.diff(y)
    clear = np.flatnonzero((n[1:] > 0.02 * abs(steps)) & (np.arange(len(steps)) > 1))
    end = int(clear[0]) if len(clear) and d.lost else len(steps)
    steps, y, u = steps[:end], y[: end + 1], u[: end + 1]
    if end < 5 or (n[1 : end + 1] > 0.1 * abs(steps))[-4:].any() or np.ptp(np.sign(steps[-5:])):
        return None
    fall = 1 - steps[1:] / steps[:-1]  # 1 - ρ
    late, early = fall[-3:].mean(), fall[len(fall) // 2 - 1 : len(fall) // 2 + 1].mean()
    slow = late * u[-1] <= 0.6 and late <= 0.75 * early if late > 1e-9 and not deep else late <= 0.02
    grown = abs(y[-1]) >= 1.25 * abs(np.interp(u[-1] / 2, u, y)) and y[-1] * steps[-1] > 0
    if not (slow and grown):
        return None
    return "cancellation" if _is_leftover(u, y) else _sign(steps[-1] > 0)


def _is_leftover(u: Array, y: Array) -> bool:
    """Followed back to where the samples begin, is the growth less than rounding? So do 0.1 + 0.2 - 0.3 over h grow."""
    power = math.log2(abs(y[-1] / y[-2])) / (u[-1] - u[-2])
    return abs(y[-1]) * 2.0 ** (-power * (u[-1] - u[0])) < 64 * EPS * abs(y[0])


# ---- what is the limit? ----------------------------------------------------------------------------


def _aitken(s: Array) -> Iterator[Array]:
    while s.shape[1] > 3:
        a, b, c = s[:, :-2], s[:, 1:-1], s[:, 2:]
        s = c - (c - b) ** 2 / ((c - b) - (b - a))
        yield s


def _wynn(s: Array) -> Iterator[Array]:
    """The even columns of the ε table."""
    before, now = np.zeros((len(s), s.shape[1] + 1)), s
    for column in range(1, min(14, s.shape[1] - 1)):
        before, now = now, before[:, 1:-1] + 1 / (now[:, 1:] - now[:, :-1])
        if column % 2 == 0:
            yield now


def _richardson(s: Array) -> Iterator[Array]:
    """The table for powers a, 2a, 3a, … of h, with a from the differences (a simple fraction where one is near)."""
    steps = np.diff(s[0])
    ratios = steps[1:] / steps[:-1]
    good = ratios[(ratios > 0) & (ratios < 0.97)]
    if not len(good):
        return
    k = int(np.argmin(abs(np.diff(good)))) if len(good) > 1 else 0
    power = -math.log2(good[k])
    power = round(12 * power) / 12 if abs(12 * power - round(12 * power)) < 0.1 and power > 0.05 else power
    for column in range(1, min(9, s.shape[1] - 2)):
        s = s[:, 1:] + (s[:, 1:] - s[:, :-1]) / (2.0 ** min(power * column, 60) - 1)
        yield s


def _levin(s: Array) -> Iterator[Array]:
    """Levin's u transformation, with remainder estimates (k + 1)(sₖ - sₖ₋₁)."""
    k = np.arange(1.0, s.shape[1])
    weight = 1 / ((k + 1) * np.diff(s, axis=1))
    s = s[:, 1:]
    for order in range(2, min(11, s.shape[1] - 2)):
        rows = s.shape[1] - order
        parts = [slice(j, j + rows) for j in range(order + 1)]
        signs = [(-1) ** j * math.comb(order, j) for j in range(order + 1)]
        top = k[parts[-1]] + 1
        terms = np.stack([c * ((k[p] + 1) / top) ** (order - 1) * weight[:, p] for c, p in zip(signs, parts)])
        yield (terms * np.stack([s[:, p] for p in parts])).sum(axis=0) / terms.sum(axis=0)


METHODS: dict[str, Callable[[Array], Iterator[Array]]] = {
    "Aitken's Δ², iterated": _aitken,
    "Wynn's ε algorithm": _wynn,
    "Richardson's table": _richardson,
    "Levin's u transformation": _levin,
}


@dataclass(frozen=True)
class Candidate:
    """A value that the limit may have, and what speaks for it."""

    value: float
    error: float
    method: str
    sequence: str
    distance: float  # from the last value that it was made of


@dataclass(frozen=True, eq=False)
class Sequenced:
    """A sequence of samples with everything that judges a candidate: later values, and how far the sequence may go."""

    name: str
    u: Array
    s: Array
    noise: Array
    above: Array  # of all later samples: the largest z - 3n, …
    below: Array  # … and the smallest z + 3n
    heading: (
        Array  # +1 or -1 where the values only rise or only fall (a divergent series has a limit behind it), 0 else
    )
    tail: Array  # how far off the limit may be by the differences alone; inf where they do not fall
    slow: Array  # do the differences fall like a power of u, so that no sum of them is sure?


def _sequenced(d: Data, name: str, at: Array) -> Sequenced:
    high = np.maximum.accumulate((d.z - 3 * d.noise)[::-1])[::-1]
    low = np.minimum.accumulate((d.z + 3 * d.noise)[::-1])[::-1]
    u, s, n = d.u[at], d.z[at], d.noise[at]
    shift = 0 if d.approach.dense else d.approach.blur + math.ulp(d.approach.point) / d.approach.size
    n = n + (abs(np.diff(s, prepend=s[:1])) * shift * 2.0**u if name == "golden" else 0)
    index = np.arange(1.0, len(s) + 1) if name == "deep" else u
    return Sequenced(name, u, s, n, high[at], low[at], _heading(s), *_tail(index, s, n))


def _heading(s: Array) -> Array:
    rising = np.sign(np.diff(s, prepend=s[:1]))
    return np.where(_behind(rising, 3, np.ptp) == 0, rising, 0.0)


def _tail(index: Array, s: Array, noise: Array) -> tuple[Array, Array]:
    """Σ of the differences still to come, k d/(k(1 - ρ) - 1): for a geometric sequence and for an algebraic one."""
    steps = np.maximum(abs(np.diff(s, prepend=s[:1])), noise)
    wide = _windowed(steps, 3, np.max) if len(s) > 2 else steps  # one small difference is an accident
    before = np.concatenate([wide[:3], wide[:-3]])
    ratio = np.where(wide <= 2 * noise, 0.5, (wide / np.maximum(before, 1e-300)) ** (1 / 3))
    left = index * (1 - ratio) - 1
    tail = np.where(left > 0.1, index * wide / np.maximum(left, 0.1), np.inf)
    tail[:4] = np.inf
    slow = (left < 3 if index[0] != 1 else ratio > 0.9) & (wide > 2 * noise)
    return np.where(wide <= 2 * noise, 2 * noise, tail), slow


def _direct(q: Sequenced) -> Iterator[Candidate]:
    """The values themselves."""
    error = 2 * (q.tail + q.noise)
    yield from _accepted(q, np.arange(len(q.s)), q.s, error, "the last value")


def _accelerated(q: Sequenced) -> Iterator[Candidate]:
    """All that the transformations say, with the noise carried through them."""
    dice = np.random.default_rng(1956)
    copies = q.s + q.noise * np.stack([0 * q.s, *dice.choice([-1.0, 1.0], (2, len(q.s)))])
    for method, transform in METHODS.items():
        if q.name != "halving" and method.startswith("Richardson"):
            continue
        for column in transform(copies):
            if column.shape[1] < 3:
                break
            value, spread = column[0], abs(column[1:] - column[0]).max(axis=0)
            steps = abs(np.diff(value))
            error = steps[1:] + steps[:-1] + 2 * spread[2:]
            rows = np.arange(len(q.s) - len(value), len(q.s))[2:]
            yield from _accepted(q, rows, value[2:], error, method)


def _accepted(q: Sequenced, rows: Array, value: Array, error: Array, method: str) -> Iterator[Candidate]:
    """The best entry of a column among those that the later values do not contradict."""
    distance = abs(value - q.s[rows])
    contradiction = np.maximum(q.above[rows] - value, value - q.below[rows])
    least = np.where(
        q.slow[rows], 0.5 * np.maximum(distance, np.minimum(q.tail[rows], 1e3 * distance)), 1e-5 * distance
    )
    error = error + q.noise[rows] + least
    fits = np.isfinite(value) & (contradiction <= 1.5 * distance + error)
    fits &= distance <= 3 * q.tail[rows] + 5 * q.noise[rows]
    fits &= (q.heading[rows] * (value - q.s[rows]) >= 0) | (distance <= 5 * q.noise[rows])
    if fits.any():
        best = int(np.argmin(np.where(fits, error, np.inf)))
        yield Candidate(float(value[best]), float(error[best]), method, q.name, float(distance[best]))


def _combined(found: list[Candidate]) -> tuple[Candidate, float] | None:
    """The best candidate, and an error that reaches the best ones of the other sequences and methods."""
    found = sorted((c for c in found if math.isfinite(c.error)), key=lambda c: c.error)
    if not found:
        return None
    best = found[0]
    peers = [next((c for c in found if c.sequence == name), None) for name in {c.sequence for c in found}]
    peers += [next((c for c in found if c.method != best.method), None)]
    apart = [abs(c.value - best.value) for c in peers if c is not None and c.error <= 1e3 * best.error]
    return best, max(4 * best.error, *(2 * gap for gap in apart))


def _limit(d: Data, plan: dict[str, list[float]]) -> tuple[Candidate, float] | None:
    found: list[Candidate] = []
    for name in ("halving", "golden", "deep"):
        at = d.sequence(plan.get(name, ()))
        if len(at) >= 5:
            q = _sequenced(d, name, at)
            found += [*_direct(q), *_accelerated(q)]
    return _combined(found)


# ---- the verdict -----------------------------------------------------------------------------------


def _study(d: Data, plan: dict[str, list[float]]) -> Estimated:
    """The verdict on what was seen."""
    rows, d = _rows(d, plan), _with_noise(d)
    said = lambda verdict, why="": Estimated(
        {"diverges +": math.inf, "diverges -": -math.inf}.get(verdict), math.inf, verdict, rows,
        (*d.notes, *((why,) if why else ())),
    )  # fmt: skip
    if verdict := _overflowing(d):
        return said(verdict)
    for look in (_wild, _swinging, _stepping):
        verdict, why = look(d)
        if verdict:
            return said(verdict, why)
    deep = d.sequence(plan.get("deep", ()))
    far = len(deep) >= 8 and not d.lost
    if verdict := _rising(d, deep if far else d.sequence(plan["halving"]), far):
        return said(verdict, DROWNED if verdict == "cancellation" else "")
    return _converging(d, plan, rows) or said(*_no_answer(d))


def _converging(d: Data, plan: dict[str, list[float]], rows: tuple[tuple[float, float], ...]) -> Estimated | None:
    answer = _limit(d, plan)
    if answer is None:
        return None
    best, error = answer
    value = d.origin + best.value
    error += 4 * EPS * abs(value)
    usual = float(np.median(abs(d.y[: len(d.y) // 2])))  # what f is like at some distance
    if error > 0.1 * max(abs(value), usual):
        return None
    notes = d.notes
    if error > PLAUSIBLE * max(abs(value), usual):
        notes += ("the convergence is slow, or noise hides the end of it: the error is large",)
    return Estimated(value, error, "converges", rows, notes, f"{best.method} ({best.sequence})")


def _no_answer(d: Data) -> tuple[Verdict, str]:
    if d.lost:
        return "cancellation", DROWNED
    return "unclear", "the values neither settle nor grow in a way that could be told"


def _rows(d: Data, plan: dict[str, list[float]]) -> tuple[tuple[float, float], ...]:
    """Some of the halving sequence, for the table of evidence."""
    at = d.sequence(plan["halving"])
    at = at[:: max(1, len(at) // 12)]
    return tuple(zip(d.x[at].tolist(), d.y[at].tolist()))


def _looked(f: Function, a: Approach, budget: Budget, precise: bool, calls: int) -> Estimated:
    """One pass: sample, trim, judge."""
    plan = _affordable(f, a, budget, precise, calls)
    if not plan:
        return Estimated(None, math.inf, "unclear", notes=("too few calls of f, or too little time, to tell a limit",))
    asked = sorted(u for us in plan.values() for u in us)
    samples = _sampled(f, a, _spread(asked), budget, precise)
    if len(samples) < len(asked):
        return Estimated(None, math.inf, "unclear", _seen(samples), ("f is too slow for the time allowed",))
    samples = sorted({s.x: s for s in samples}.values(), key=lambda s: s.u)
    kept, overflow, verdict, notes = _trimmed(f, a, samples)
    if verdict != "converges":
        return Estimated(None, math.inf, verdict, _seen(samples), notes)
    if len(kept) < 10:
        return Estimated(None, math.inf, "unclear", _seen(kept), (*notes, "too few values of f to tell a limit"))
    steady = precise or all(_called(f, s.x)[0] == s.y for s in kept[:: len(kept) // 2])
    return _study(replace(_data(a, kept, overflow, notes, precise), steady=steady), plan)


def _affordable(f: Function, a: Approach, budget: Budget, precise: bool, calls: int) -> dict[str, list[float]]:
    """The fullest plan that the calls, and the time of a first call, allow; {} where that is too little."""
    _sampled(f, a, [FIRST + 0.5], budget, precise)  # the first call may import what f needs
    start = time.perf_counter()
    _sampled(f, a, [FIRST + 0.6], budget, precise)
    cost = max(time.perf_counter() - start, 1e-9)
    calls = min(calls, budget.left, int(0.8 * (budget.deadline - time.perf_counter()) / cost))
    plan = _plan(a, a.last, MP_REACH if precise else FLOAT_REACH)
    if sum(map(len, plan.values())) <= calls:
        return plan
    last = FIRST + int(calls / (2 + 1 / GOLDEN))
    return _plan(replace(a, dense=False), min(a.last, last), 0) if last >= FIRST + FEWEST else {}


def _spread(us: list[float]) -> list[float]:
    """The same in an order in which any beginning covers the whole."""
    return [u for k in range(7) for u in us[k::7]]


def _seen(samples: list[Sample]) -> tuple[tuple[float, float], ...]:
    return tuple((s.x, float(s.y)) for s in samples if not s.fault)[::10]


def extrapolate_limit(
    f: Function, point: float, side: int, *, mp: bool | None = None, calls: int = 400, seconds: float = 5.0
) -> Estimated:
    """What f(x) tends to as x goes to `point` from the right (`side` +1) or the left (-1), from values alone.

    `f` takes a float and gives a real number; where it raises ValueError or ArithmeticError, or gives NaN or a complex
    number, it has no value. `point` may be ±inf. With `mp` None, f is also called with numbers of mpmath if floats
    leave the answer open and f accepts them; True asks for that at once, False forbids it. At most about `calls` calls
    of f and `seconds` of time. Method, sources and what can't be seen: the module's docstring.

    Raises InputError for a point or a side that is none, and for an f that gives no number; ShapeError for an array.

    >>> import math
    >>> e = extrapolate_limit(lambda x: (1 - math.cos(x)) / x**2, 0.0, 1)
    >>> e.verdict, round(e.value, 6), abs(e.value - 0.5) <= e.error < 1e-6
    ('converges', 0.5, True)
    >>> extrapolate_limit(lambda x: math.sin(2 * math.pi / x), 0.0, 1).verdict
    'oscillates'
    """
    a, budget = _approach(point, side), Budget(calls, time.perf_counter() + seconds)
    with np.errstate(all="ignore"):
        if mp is True:
            if not _is_precise(f, a):
                raise InputError("f does not carry mpmath's numbers through; leave mp out, or write f with mpmath")
            return replace(_looked(f, a, budget, True, calls), evaluations=budget.used)
        found = _looked(f, a, budget, False, calls // 2 if mp is None else calls)
        if mp is None and _is_open(found) and budget.left and _is_precise(f, a):
            better = _looked(f, a, budget, True, calls)
            found = found if better.verdict == "unclear" else better
    return replace(found, evaluations=budget.used)


def _is_open(e: Estimated) -> bool:
    """Would more digits help?"""
    rounded = e.verdict in ("cancellation", "unclear")
    return rounded or (e.verdict == "converges" and e.error > ENOUGH * (1 + abs(e.value or 0)))


__all__ = ["Estimated", "extrapolate_limit"]
