"""Difference quotients of a callable at a point: the definition of the derivative, and what arithmetic does to it.

Three questions, three verbs. *What does the quotient tend to?* `quotient_table` prints h, f(x+h) and the
quotient as h shrinks. *Why not take the smallest h?* `step_sweep` draws the error against h: truncation
falls as h (forward) or h² (central), rounding grows as ε/h, so the sum is a V with its foot near √ε or ∛ε;
the complex step Im f(x + ih)/h subtracts nothing and has no rounding branch (J. Lyness, C. Moler, SIAM
J. Numer. Anal. 4, 1967, 202-210; W. Squire, G. Trapp, SIAM Review 40, 1998, 110-112). *What is the
derivative, and how sure is it?* `extrapolate`, with `numeric_gradient` and `numeric_jacobian` on top.

Extrapolation (L. Richardson, Phil. Trans. A 226, 1927; C. Ridders, Adv. Eng. Software 4, 1982, 75-76):
the central difference D(h) has an error a₁h² + a₂h⁴ + …, so that in the table

    T[i,0] = D(h₀/2ⁱ),   T[i,j] = T[i,j-1] + (T[i,j-1] - T[i-1,j-1]) / (4ʲ - 1)

each column removes one more term. Every entry is judged by how far it is from its neighbors in the row and
in the column, plus its rounding error, which is known: ε Σ|cₖ||f| / hᵐ, with the effect of rounding inside f,
ε|x f'|, carried along. The entry with the smallest sum wins. Steps go on halving until nothing improves, and
a winner that later, finer rows contradict has its error raised by the contradiction: a coarse step may not
see a narrow feature and agree with itself. Steps have few bits, so x + h is exact or nearly so.

At a kink central differences agree perfectly on a number that is not the derivative (0 for |x| at 0). So the
right and the left difference are compared too: what separates them is odd in h and must tend to 0; half of
what remains in the limit is added to the error. If f has no value on one side (NaN, infinity, ValueError,
ArithmeticError), the differences of the other side are extrapolated, in all powers of h.

Glossary: m order, h step, T extrapolation table, D difference, ε rounding unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import DomainError, InputError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EPS = float(np.finfo(float).eps)
LEAST, MOST = 9, 48  # halvings: at least down to a thousandth of the scale, at most to the last bits
ENDLESS = 6  # halvings with growing differences, up to the last one: the derivative is infinite
COLUMNS = 7  # of the table: more only amplify rounding
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"

Function = Callable[[Any], Any]


# ---- calling f -------------------------------------------------------------------------------------


def _point(x: Any) -> float:
    """A finite real point."""
    if isinstance(x, complex | str | bytes) or np.ndim(x):
        raise InputError(f"got x={x!r}; wanted one real number; for an array use numeric_gradient or numeric_jacobian")
    try:
        x = float(x)
    except (TypeError, ValueError) as e:
        raise InputError(f"got x of type {type(x).__name__}; wanted one real number; pass a float") from e
    if not math.isfinite(x):
        raise InputError(f"got x={x}; wanted a finite number; choose a point of the domain")
    return x


def _real(y: Any) -> np.ndarray:
    """The value of f as an array of real numbers, in its own precision."""
    y = np.asarray(y)
    if y.dtype == object:
        y = y.astype(float)
    if y.dtype.kind == "c" and not y.imag.any():
        y = y.real
    if y.dtype.kind not in "iufb":
        raise InputError(f"f returned a value of type {y.dtype}; wanted real numbers; differentiate its real part")
    return y


@dataclass
class Probe:
    """Calls f, each point once; a point where f has no value gives NaN. Not frozen: it counts and remembers."""

    f: Function
    eps: float = EPS
    shape: tuple[int, ...] | None = None
    seen: dict[float, np.ndarray] = field(default_factory=dict)

    def start(self, x: float) -> np.ndarray:
        """The value at the point itself, which must exist."""
        try:
            with np.errstate(all="ignore"):
                y = _real(self.f(x))
        except (ArithmeticError, ValueError) as e:
            if isinstance(e, InputError | ShapeError):
                raise
            raise DomainError(f"f({x!r}) raised {type(e).__name__}: {e}; wanted a point where f has a value") from e
        if y.dtype.kind == "f":
            self.eps = max(EPS, float(np.finfo(y.dtype).eps))
        self.shape = y.shape
        self.seen[x] = y.astype(float)
        if not np.isfinite(y).any():
            raise DomainError(f"f({x!r}) = {y}; wanted a point where f has a finite value; move x into the domain")
        return self.seen[x]

    def __call__(self, x: float) -> np.ndarray:
        if x not in self.seen:
            self.seen[x] = self._fresh(x)
        return self.seen[x]

    def _fresh(self, x: float) -> np.ndarray:
        missing = np.full(self.shape or (), np.nan)
        if not math.isfinite(x):
            return missing
        try:
            with np.errstate(all="ignore"):
                y = self.f(x)
        except (ArithmeticError, ValueError):  # the way of `math` to say: no value here
            return missing
        y = _real(y) if np.asarray(y).dtype.kind != "c" else np.where(np.imag(y) == 0, np.real(y), np.nan)
        if y.shape != self.shape:
            raise ShapeError(f"f({x!r}) has shape {y.shape}, elsewhere {self.shape}; wanted one shape for all points")
        return np.where(np.isfinite(y), y, np.nan)


def _scalar(f: Function, x: Any) -> tuple[Probe, float]:
    """A probe of a function that must give one number, started at x."""
    probe, x = Probe(f), _point(x)
    if probe.start(x).size != 1:
        raise ShapeError(f"f({x!r}) has shape {probe.shape}; wanted one number; use extrapolate or choose a component")
    return probe, x


# ---- extrapolation ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Estimate:
    """A derivative found from values of f alone. |value - truth| ≤ error is estimated, not proven.

    `value` and `error` are floats, or arrays of one shape. `evaluations` counts the calls of f. The error is
    inf where nothing converged. `notes` say if one side only was used, or if left and right disagree.
    """

    value: Any
    error: Any
    evaluations: int
    notes: tuple[str, ...] = ()
    how: str = field(default="estimated", init=False)

    def __float__(self) -> float:
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype, copy=copy)

    def __repr__(self) -> str:
        if np.ndim(self.value):
            head = f"{np.array2string(np.asarray(self.value), precision=8)} ± {np.max(self.error, initial=0):.1g}"
        else:
            head = f"{self.value!r} ± {self.error:.1g}"
        return "\n  note: ".join([f"{head} ({self.how}, {self.evaluations} evaluations of f)", *self.notes])


@dataclass(frozen=True)
class Stencil:
    """f⁽ᵐ⁾(x) ≈ Σ c[k] f(x + offsets[k] h) / (unit h)ᵐ, with an error in the powers first, first + step, … of h."""

    offsets: tuple[int, ...]
    c: tuple[int, ...]
    order: int
    unit: int
    first: int
    step: int

    def __call__(self, f: Probe, x: float, h: float) -> tuple[np.ndarray, np.ndarray]:
        """The difference and its rounding error."""
        values = [f(x + k * h) for k in self.offsets]
        per, here = (self.unit * h) ** self.order, f(x)
        total = sum(c * v for c, v in zip(self.c, values))
        size = np.max([abs(v) for v in values] + [abs(here)], axis=0)
        inner = abs(x) * np.max([abs(v - here) for v in values], axis=0) / (max(map(abs, self.offsets)) * h)
        return np.asarray(total) / per, f.eps * sum(map(abs, self.c)) * (size + inner) / per

    def power(self, column: int) -> float:
        return 2.0 ** (self.first + self.step * (column - 1))


def _central(m: int) -> Stencil:
    unit = 1 + m % 2  # odd orders sit at odd multiples of h, so that offsets stay whole
    offsets = tuple(unit * (m - 2 * k) // 2 for k in range(m + 1))
    return Stencil(offsets, tuple((-1) ** k * math.comb(m, k) for k in range(m + 1)), m, unit, 2, 2)


def _one_sided(m: int, side: int) -> Stencil:
    c = tuple((-1) ** (m - k) * math.comb(m, k) * side**m for k in range(m + 1))
    return Stencil(tuple(side * k for k in range(m + 1)), c, m, 1, 1, 1)


def _next_row(d: Any, noise: Any, above: list, power: Callable[[int], float]) -> list[tuple[Any, Any]]:
    """One row of the table, as (entry, rounding error), from the difference and the row above."""
    row = [(d, noise)]
    for j, (up, up_noise) in enumerate(above[: COLUMNS - 1], 1):
        q = power(j)
        left, left_noise = row[-1]
        row.append((left + (left - up) / (q - 1), (q * left_noise + up_noise) / (q - 1)))
    return row


def _judge(rows: list[list[tuple[Any, Any]]], j: int) -> Any:
    """Error of entry j of the last row: distance to its neighbors, plus rounding.

    Differences down a column that shrink slowly, by a ratio r, leave a tail of r/(1 - r) times the last one.
    """
    value, noise = rows[-1][j]
    down = abs(value - rows[-2][j][0])
    if len(rows) > 2 and len(rows[-3]) > j:
        r = np.minimum(0.95, down / np.maximum(abs(rows[-2][j][0] - rows[-3][j][0]), 1e-300))
        down = np.where(down > noise, down * np.maximum(1.0, r / (1 - r)), down)
    across = abs(value - rows[-1][j - 1][0]) if j else down
    return np.maximum(down, across) + noise


@dataclass(frozen=True)
class Best:
    """The best entry so far, element by element, with the rounding error in it."""

    value: np.ndarray
    error: np.ndarray
    noise: np.ndarray

    def contradicted(self, value: Any, error: Any) -> Best:
        """The same value, with an error raised to reach a finer entry that lies further off than both errors."""
        excess = abs(self.value - value) - error
        return Best(self.value, np.where(excess > self.error, excess, self.error), self.noise)

    def improved(self, value: Any, error: Any, noise: Any) -> Best:
        better = error < self.error  # False for NaN
        pick = lambda new, old: np.where(better, new, old)
        return Best(pick(value, self.value), pick(error, self.error), pick(noise, self.noise))

    @property
    def settled(self) -> bool:
        near = self.error <= np.maximum(1e-3 * abs(self.value), 30 * self.noise)
        return bool(np.all(near & np.isfinite(self.error)))


def _steps(scale: float) -> Iterator[float]:
    """Halving steps of four bits (11/8 · 2ᵏ) that are no simple fraction of a period."""
    top = math.ceil(math.log2(scale)) - 2
    return (math.ldexp(1.375, top - i) for i in range(MOST) if top - i > -1000)


def _search(f: Probe, x: float, stencil: Stencil, scale: float) -> tuple[Best, float]:
    """Fill the table row by row until it stops improving. Returns the best entry and the last step."""
    shape, rows, stalled, h = f.shape or (), [], 0, scale
    climb = np.zeros(shape)
    best = Best(np.full(shape, np.nan), np.full(shape, np.inf), np.zeros(shape))
    for i, h in enumerate(_steps(scale)):
        rows.append(_next_row(*stencil(f, x, h), rows[-1] if rows else [], stencil.power))
        if i == 0:
            continue
        before, rows = best, rows[-3:]
        climb = _climb(climb, rows[-2][0][0], *rows[-1][0])
        judged = [(rows[-1][j][0], _judge(rows, j), rows[-1][j][1]) for j in range(len(rows[-2]))]
        for value, error, _ in judged:
            best = best.contradicted(value, error)
        for entry in judged:
            best = best.improved(*entry)
        stalled = 0 if np.any(best.error < 0.7 * before.error) or np.any(best.error > before.error) else stalled + 1
        if i >= LEAST and stalled >= 3 and best.settled:
            break
    return Best(best.value, np.where(climb >= ENDLESS, np.inf, best.error), best.noise), h


def _climb(climb: np.ndarray, before: Any, now: Any, noise: Any) -> np.ndarray:
    """For how many halvings the differences have grown; rows lost in rounding, or without a value, do not count."""
    grew = np.where(abs(now) > 1.1 * abs(before), climb + 1, 0)
    return np.where(abs(now) > 30 * noise, grew, climb)


def _jump(f: Probe, x: float, m: int, last: float) -> np.ndarray:
    """What keeps the right from the left difference of order m as h → 0; 0 if rounding may explain it.

    The gap is odd in h: columns remove h, h³, h⁵. Only the five finest steps speak, and the smallest limit
    counts, so that a smooth function is not accused.
    """
    right, left = _one_sided(m, 1), _one_sided(m, -1)
    row, least, climb = [], np.full(f.shape or (), np.inf), np.zeros(f.shape or ())
    for i in range(8, -1, -1):
        h = last * 2**i
        (r, r_noise), (s, s_noise) = right(f, x, h), left(f, x, h)
        climb = _climb(climb, row[0][0], r - s, r_noise + s_noise) if row else climb
        row = _next_row(r - s, r_noise + s_noise, row[:4], lambda j: 2.0 ** (2 * j - 1))
        if i < 5:
            for value, noise in row[1:]:
                least = np.fmin(least, np.where(abs(value) > 4 * noise, abs(value) + noise, 0.0))
    return np.where(climb >= ENDLESS, np.inf, np.where(np.isfinite(least), least, 0.0))


def _scales(x: float) -> list[float]:
    """Sizes to start from: that of x, not below 1; for a small x its own size is the second try."""
    return [max(1.0, abs(x))] + ([abs(x)] if 0 < abs(x) < 2.0**-20 else [])


def _two_sided(f: Probe, x: float, order: int) -> tuple[Best, np.ndarray]:
    """Central differences, and the jump that they cannot see."""
    best, jump = None, np.zeros(f.shape or ())
    for scale in _scales(x):
        new, last = _search(f, x, _central(order), scale)
        gap = _jump(f, x, order, last)
        jump = np.where(best is None or new.error < best.error, gap, jump)
        best = new if best is None else best.improved(new.value, new.error, new.noise)
        if best.settled:
            break
    assert best is not None  # there is always one scale
    return best, jump


def _fallback(f: Probe, x: float, order: int, best: Best) -> tuple[Best, tuple[str, ...]]:
    """Where both sides gave nothing, take one."""
    notes: list[str] = []
    for side, name, other in ((1, "right", "left"), (-1, "left", "right")):
        lost = np.isnan(best.value)
        if not lost.any():
            break
        for scale in _scales(x):
            new, _ = _search(f, x, _one_sided(order, side), scale)
            use = lost & (new.error < best.error)
            if use.any():
                best = Best(*(np.where(use, a, b) for a, b in zip(_parts(new), _parts(best))))
                note = f"one-sided, from the {name}: f has no value just {other} of x = {x!r}"
                notes += [note] if note not in notes else []
    return best, tuple(notes)


def _parts(b: Best) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return b.value, b.error, b.noise


def _order(order: Any) -> int:
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise InputError(f"got order={order!r}; wanted a whole number of at least 1")
    return int(order)


def extrapolate(f: Function, x: float, order: int = 1) -> Estimate:
    """Derivative of a black box at a point, by Richardson extrapolation, with an error estimate.

    `f` takes a float and gives a real number or an array; `x` is a float; `order` is which derivative. The value
    has the shape of f(x). Method and sources: the module's docstring. The estimate covers the true error for at
    least 95 % of smooth functions whose values are good to rounding (cancellation inside f, as in (1 - cos x)/x² near
    0, is not seen); features narrower than a thousandth of max(1, |x|) may be missed. At a
    kink the error is about half the gap between the slopes, or more, and a note says so; at a vertical slope
    or a jump it is inf.

    Raises DomainError if f has no value at x, InputError for a complex x or f, ShapeError if the shape of f(x) varies.

    >>> import math
    >>> d = extrapolate(math.sin, 1.0)
    >>> abs(d.value - math.cos(1.0)) <= d.error < 1e-12
    True
    >>> kink = extrapolate(abs, 0.0)
    >>> kink.value, kink.error >= 1.0
    (0.0, True)
    """
    m, probe, x = _order(order), Probe(f), _point(x)
    probe.start(x)
    with np.errstate(all="ignore"):  # an overflow becomes an infinite error, which loses
        best, jump = _two_sided(probe, x, m)
        best, notes = _fallback(probe, x, m, best) if np.isnan(best.value).any() else (best, ())
    error = np.maximum(best.error, np.where(np.isfinite(best.value), jump / 2, np.inf))
    slope = np.maximum(abs(best.value), abs(probe(x)) / max(1.0, abs(x)))  # what counts as a visible kink
    torn = jump / 2 > np.maximum(best.error, 1e-6 * slope)
    if np.isinf(error).any():
        notes += (
            f"no convergence at x = {x!r}: the difference quotients grow without bound, or f has no value nearby",
        )
    elif torn.any():
        notes += (f"right and left derivatives differ by {jump[torn].max():.3g} or more at x = {x!r}: a kink?",)
    plain = (lambda a: float(a)) if probe.shape == () else np.asarray
    return Estimate(plain(best.value), plain(error), len(probe.seen), notes)


def _with(x: np.ndarray, index: tuple[int, ...], t: float) -> np.ndarray:
    moved = x.copy()
    moved[index] = t
    return moved


def _array(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind not in "iuf":
        raise InputError(f"got x of type {x.dtype}; wanted an array of real numbers; convert with np.asarray(x, float)")
    return x.astype(float)


def numeric_jacobian(f: Function, x: Any) -> Estimate:
    """Jacobian of a black box: value and error of shape f(x).shape + x.shape, coordinate by coordinate.

    `f` takes an array like `x` (a fresh copy each time) and gives an array or a number. Each column is an
    `extrapolate` along one coordinate, about 20 calls of f. Raises as `extrapolate` does.

    >>> j = numeric_jacobian(lambda x: x[0] * x, np.array([2.0, 3.0]))
    >>> j.value.round(10).tolist()
    [[4.0, 0.0], [3.0, 2.0]]
    """
    x = _array(x)
    columns = {i: extrapolate(lambda t, i=i: f(_with(x, i, t)), float(x[i])) for i in np.ndindex(x.shape)}
    if not columns:
        shape = (*_real(f(x.copy())).shape, *x.shape)
        return Estimate(np.zeros(shape), np.zeros(shape), 1)
    shape = (*np.shape(next(iter(columns.values())).value), *x.shape)
    stack = lambda parts: np.stack([np.asarray(p) for p in parts], axis=-1).reshape(shape)
    notes = tuple(f"coordinate {i[0] if len(i) == 1 else i}: {note}" for i, e in columns.items() for note in e.notes)
    value, error = stack([e.value for e in columns.values()]), stack([e.error for e in columns.values()])
    return Estimate(value, error, sum(e.evaluations for e in columns.values()), notes)


def numeric_gradient(f: Function, x: Any) -> Estimate:
    """Gradient of a black box with one number as its value: value and error of the shape of x.

    As `numeric_jacobian`; raises ShapeError if f(x) is more than one number.

    >>> g = numeric_gradient(lambda x: (x**2).sum(), np.array([1.0, -2.0]))
    >>> g.value.round(10).tolist(), bool(g.error.max() < 1e-10)
    ([2.0, -4.0], True)
    """
    x = _array(x)

    def one(z: np.ndarray) -> np.ndarray:
        y = _real(f(z))
        if y.size != 1:
            raise ShapeError(f"f(x) has shape {y.shape}; a gradient wants one number; use numeric_jacobian or a sum")
        return y.reshape(())

    return numeric_jacobian(one, x)


# ---- the table of quotients ------------------------------------------------------------------------


@dataclass(frozen=True)
class QuotientRow:
    """One step: the moved point, its value, the quotient, and |quotient - reference|. Nothing is rounded."""

    h: float
    x: float
    fx: float
    quotient: float
    error: float


@dataclass(frozen=True, repr=False)
class QuotientTable:
    """Difference quotients of f at x for shrinking h. `reference` is exact, or the best estimate."""

    kind: str
    x: float
    fx: float
    rows: tuple[QuotientRow, ...]
    reference: float
    reference_error: float
    how: str

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[QuotientRow]:
        return iter(self.rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Shape (rows, 5): h, moved point, its value, quotient, error."""
        rows = [(r.h, r.x, r.fx, r.quotient, r.error) for r in self.rows]
        return np.array(rows, dtype or float).reshape(len(rows), 5)

    def __str__(self) -> str:
        return _text_table(self)

    __repr__ = __str__


HEADS = {
    "forward": ("x + h", "f(x + h)", "(f(x+h) − f(x)) / h"),
    "backward": ("x − h", "f(x − h)", "(f(x) − f(x−h)) / h"),
    "central": ("x + h", "f(x + h)", "(f(x+h) − f(x−h)) / 2h"),
}


def _text_table(t: QuotientTable) -> str:
    columns = [
        ("h", [f"{r.h:g}" for r in t.rows]),
        *zip(HEADS[t.kind], ([repr(z) for z in part] for part in zip(*((r.x, r.fx, r.quotient) for r in t.rows)))),
        ("|error|", [f"{r.error:.2e}" for r in t.rows]),
    ]
    padded = [_aligned(name, cells) for name, cells in columns]
    lines = ["  ".join(line).rstrip() for line in zip(*padded)]
    rule = "  ".join("─" * len(cells[0]) for cells in padded)
    known = "exact" if t.how == "exact" else f"± {t.reference_error:.1g}, estimated"
    head = f"{t.kind} quotients at x = {t.x!r}, f(x) = {t.fx!r}"
    return "\n".join([head, lines[0], rule, *lines[1:], rule, f"limit: {t.reference!r} ({known})"])


def _aligned(name: str, cells: Sequence[str]) -> list[str]:
    """A column with its decimal points below each other."""
    heads = [c.partition("e")[0].partition(".")[0] for c in cells]
    left = max(map(len, heads), default=0)
    body = [" " * (left - len(h)) + c for h, c in zip(heads, cells)]
    width = max(map(len, [name, *body]))
    return [c.ljust(width) for c in (name, *body)]


def _exact_at(exact: Any, x: float) -> float:
    value = exact(x) if callable(exact) else exact
    return _point(np.asarray(value).item())


def _reference(f: Function, x: float, exact: Any) -> tuple[float, float, str]:
    if exact is not None:
        return _exact_at(exact, x), 0.0, "exact"
    e = extrapolate(lambda t: np.asarray(f(t)).reshape(()), x)
    return e.value, e.error, "estimated"


def _checked_steps(hs: Sequence[float]) -> list[float]:
    steps = [float(h) for h in hs]
    for h in steps:
        if not (math.isfinite(h) and h > 0):
            raise InputError(f"got h={h} in hs; wanted positive steps; for the left side choose kind='backward'")
    if not steps:
        raise InputError("got no steps in hs; wanted at least one; pass hs=(0.1, 0.01)")
    return steps


def quotient_table(
    f: Function,
    x: float,
    *,
    hs: Sequence[float] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5),
    kind: str = "forward",
    exact: float | Callable[[float], float] | None = None,
) -> QuotientTable:
    """Difference quotients as h shrinks: rows of h, x ± h, f there, the quotient, and its error.

    `kind` is "forward" (f(x+h) - f(x))/h, "backward" (f(x) - f(x-h))/h or "central" (f(x+h) - f(x-h))/(2h).
    `exact` is the derivative, or a function that gives it; without it the errors are against `extrapolate`.
    The quotient is the definition of the derivative as printed in any calculus text; nothing is rounded.

    Raises InputError (kind, steps, x), DomainError (no value at x), ShapeError (f gives an array).

    >>> print(quotient_table(lambda x: 3 * x**2 - 4 * x, 1.0, hs=(0.5, 0.25, 0.125), exact=2.0))
    forward quotients at x = 1.0, f(x) = -1.0
    h      x + h  f(x + h)   (f(x+h) − f(x)) / h  |error|
    ─────  ─────  ─────────  ───────────────────  ────────
    0.5    1.5     0.75      3.5                  1.50e+00
    0.25   1.25   -0.3125    2.75                 7.50e-01
    0.125  1.125  -0.703125  2.375                3.75e-01
    ─────  ─────  ─────────  ───────────────────  ────────
    limit: 2.0 (exact)
    """
    if kind not in HEADS:
        raise InputError(f"got kind={kind!r}; wanted one of {', '.join(map(repr, HEADS))}")
    steps, (probe, x) = _checked_steps(hs), _scalar(f, x)
    reference, uncertainty, how = _reference(f, x, exact)
    fx, sign = probe(x).item(), -1 if kind == "backward" else 1
    rows = []
    for h in steps:
        q = _quotient(probe, x, h, kind)
        moved = x + sign * h
        rows.append(QuotientRow(h, moved, probe(moved).item(), q, abs(q - reference)))
    return QuotientTable(kind, x, fx, tuple(rows), reference, uncertainty, how)


def _quotient(f: Probe, x: float, h: float, kind: str) -> float:
    if kind == "central":
        return (f(x + h).item() - f(x - h).item()) / (2 * h)
    if kind == "backward":
        return (f(x).item() - f(x - h).item()) / h
    return (f(x + h).item() - f(x).item()) / h


# ---- error against h -------------------------------------------------------------------------------


@dataclass(frozen=True)
class BestStep:
    """The step with the smallest error, and the decimal digits that agree there."""

    h: float
    error: float
    digits: float


@dataclass(frozen=True, repr=False, eq=False)
class StepSweep:
    """Errors |quotient - derivative| over the steps `h`, shape (steps,), for three kinds of difference.

    `complex_step` is None if f does not take complex numbers (or drops their imaginary part). `theory` holds
    truncation + rounding for forward and central differences, the V-shaped curves.
    """

    x: float
    derivative: float
    h: np.ndarray
    forward: np.ndarray
    central: np.ndarray
    complex_step: np.ndarray | None
    theory: dict[str, np.ndarray]

    @property
    def errors(self) -> dict[str, np.ndarray]:
        """The curves by name."""
        found = {"forward": self.forward, "central": self.central, "complex step": self.complex_step}
        return {name: curve for name, curve in found.items() if curve is not None}

    @cached_property
    def best(self) -> dict[str, BestStep]:
        """For each kind the best step, its error and the digits of agreement (at most 16, all that a double has)."""
        return {name: _best_step(self.h, curve, self.derivative) for name, curve in self.errors.items()}

    def __str__(self) -> str:
        lines = [f"error of difference quotients at x = {self.x!r}, derivative {self.derivative!r}"]
        for name, b in self.best.items():
            lines.append(f"  {name:<12}  best h = {b.h:.2e}   error {b.error:.2e}   {b.digits:4.1f} digits")
        return "\n".join(lines)

    __repr__ = __str__

    def plot(self, ax: Axes | None = None) -> Figure:
        """Error against h, both logarithmic, with the theoretical V dashed. Returns the figure."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=(7, 4.6), layout="constrained")[1]
        return _draw(self, ax)


def _best_step(h: np.ndarray, error: np.ndarray, derivative: float) -> BestStep:
    if not np.isfinite(error).any():
        return BestStep(math.nan, math.nan, 0.0)
    i = int(np.nanargmin(error))
    relative = error[i] / max(abs(derivative), 1e-300) if derivative else error[i]
    digits = min(16.0, -math.log10(relative)) if relative > 0 else 16.0
    return BestStep(float(h[i]), float(error[i]), max(0.0, digits))


def _draw(s: StepSweep, ax: Any) -> Figure:
    looks = {"forward": (BLUE, "o"), "central": (VERMILLION, "s"), "complex step": (GREEN, "^")}
    floor = EPS / 4 * max(abs(s.derivative), 1e-300)  # an error of 0 has no logarithm: it is drawn at the floor
    for name, error in s.errors.items():
        color, marker = looks[name]
        ax.loglog(s.h, np.maximum(error, floor), marker, color=color, ms=4, ls="-", lw=0.8, label=name)
        if name in s.theory:
            ax.loglog(s.h, s.theory[name], "--", color=color, lw=1.2, alpha=0.6, label=f"{name}: truncation + rounding")
    ax.set(xlabel="step h", ylabel="|difference quotient − derivative|", title=f"x = {s.x:g}")
    ax.grid(color="0.9", lw=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return ax.figure


def _complex_curve(f: Function, x: float, h: np.ndarray) -> np.ndarray | None:
    """Im f(x + ih)/h, or None if f does not carry complex numbers through."""
    try:
        with np.errstate(all="ignore"):
            values = [np.asarray(f(complex(x, step))) for step in h]
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return None
    if any(v.dtype.kind != "c" for v in values):
        return None
    return np.array([v.item().imag for v in values]) / h


def _theory(f: Function, probe: Probe, x: float, slope: float, h: np.ndarray) -> dict[str, np.ndarray]:
    """Truncation |f''|h/2 or |f'''|h²/6, plus rounding of f and of x + h, ε(|f| + |x f'|), over the distance."""
    one = lambda t: np.asarray(f(t)).reshape(())
    second, third = (abs(np.nan_to_num(extrapolate(one, x, m).value)) for m in (2, 3))
    rounding = probe.eps * (abs(probe(x).item()) + abs(x * slope)) / h
    return {"forward": second * h / 2 + rounding, "central": third * h**2 / 6 + rounding / 2}


def step_sweep(
    f: Function, x: float, derivative: float | Callable[[float], float], *, per_decade: int = 4
) -> StepSweep:
    """Error of forward, central and complex-step differences for h = 10⁻¹ … 10⁻¹⁵.

    `f` takes a float and gives a number; `derivative` is the true one, or a function that gives it;
    `per_decade` steps for each power of ten. Truncation by Taylor's theorem against rounding ε/h: N. Higham,
    "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, section 1.14.2.

    Raises InputError, DomainError and ShapeError as `quotient_table` does.

    >>> import cmath
    >>> s = step_sweep(lambda z: (cmath if isinstance(z, complex) else math).exp(z), 0.5, math.exp(0.5))
    >>> [round(s.best[kind].digits) >= least for kind, least in (("forward", 8), ("central", 10), ("complex step", 15))]
    [True, True, True]
    """
    n, (probe, x) = _order(per_decade), _scalar(f, x)
    h = np.array([10.0 ** (-1 - k // n) if k % n == 0 else 10.0 ** (-1 - k / n) for k in range(14 * n + 1)])
    slope = _exact_at(derivative, x)
    forward, central = (np.array([_quotient(probe, x, s, kind) for s in h.tolist()]) for kind in ("forward", "central"))
    waves = _complex_curve(f, x, h)
    waves = None if waves is None else abs(waves - slope)
    return StepSweep(x, slope, h, abs(forward - slope), abs(central - slope), waves, _theory(f, probe, x, slope, h))
