"""A hard function with its surrogate and the gap, propagated uncertainty, a posterior, and sensitivities, as pictures.

Blue is the hard function or Monte Carlo, vermillion what derivatives say: the surrogate, the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError
from tangently.pictures.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    WHITE,
    framed,
    house,
    legend_above,
    own_axes,
    own_figure,
    panels,
    plain,
    plain_ticks,
    shown,
    titled,
)
from tangently.pictures.subject import bounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tangently.descent.propagation import Posterior, Uncertainty
    from tangently.descent.sensitivities import Sensitivity
    from tangently.descent.surrogates import Surrogate

SAMPLES = 800  # even, so that no sample falls on a jump in the middle
PEAK = 3.0  # times the highest bar: the height of the picture
JUMP = 0.06  # of the height; what changes more between neighbors is a jump
SHADE = "#f7dcc8"
LINES = (BLUE, VERMILLION, INK, "#56a0cc", "#e39a63", GREY)
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 2, 2)), (0, (1, 1.2)), (0, (10, 3)))


# ---------------------------------------------------------------- surrogates


def plot_surrogate(
    s: Surrogate, ax: Axes | None = None, *, at: Any = None, along: Any = None, domain: Any = None
) -> Axes:
    """The hard function, the surrogate, and the gap between them as a shade.

    A kind with a name has a line of its own; of a function of an array give at=, and along= (else the gradient's way).

    >>> from tangently.descent.surrogates import surrogate
    >>> [line.get_label() for line in plot_surrogate(surrogate("step")).lines]
    ['step', 'surrogate']
    """
    hard, soft, label, low, high = _subject(s, at, along, domain)
    x = np.linspace(low, high, SAMPLES)
    y, smooth = np.array([hard(v) for v in x.tolist()]), np.array([soft(v) for v in x.tolist()])
    with house():
        ax = own_axes() if ax is None else shown(ax)
        steps, heights = _broken(x, y)
        ax.plot(steps, heights, color=BLUE, zorder=3, label=_name(s))
        ax.plot(x, smooth, color=VERMILLION, ls=(0, (6, 1.5)), zorder=4, label=_soft_name(s))
        shade = {"color": SHADE, "linewidth": 0, "zorder": 1, "label": "gap"}
        ax.fill_between(steps, heights, np.interp(steps, x, smooth), **shade)
        framed(ax)
        ax.set(xlim=(low, high), xlabel=label)
        ax.margins(y=0.06)
        legend_above(ax)
        plain_ticks(ax)
    most = float(np.max(np.abs(smooth - y)))
    titled(ax, f"{_name(s)} and its surrogate at temperature {plain(s.temperature)}; gap at most {plain(most)} here")
    return ax


def _name(s: Surrogate) -> str:
    return "f" if s.name == "<lambda>" else s.name


def _soft_name(s: Surrogate) -> str:
    named = s.kind.of if s.kind is not None and s.kind.of else "surrogate"
    return f"derivative taken from: {named}" if s.straight_through else named


def _broken(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line, cut in the middle between neighbors where it jumps."""
    at = np.flatnonzero(np.abs(np.diff(y)) > JUMP * max(float(np.ptp(y)), 1e-300))
    middle = (x[at] + x[at + 1]) / 2
    places = np.stack([middle, middle, middle], 1).ravel()
    values = np.stack([y[at], np.full(len(at), np.nan), y[at + 1]], 1).ravel()
    return np.insert(x, np.repeat(at + 1, 3), places), np.insert(y, np.repeat(at + 1, 3), values)


Line = tuple[Callable[[float], float], Callable[[float], float], str, float, float]


def _subject(s: Surrogate, at: Any, along: Any, domain: Any) -> Line:
    if s.kind is None:
        return _of_function(s, at, along, domain)
    kind, T = s.kind, s.temperature
    pick = lambda value: kind.curve.pick(np.asarray(value, float))
    hard = lambda v: pick(kind.hard(*kind.curve.along(v)))
    soft = lambda v: pick(kind.aligned(kind.soft(T, *kind.curve.along(v))))
    return hard, soft, kind.curve.label, *(bounds(domain) if domain is not None else kind.curve.domain)


def _of_function(s: Surrogate, at: Any, along: Any, domain: Any) -> Line:
    if isinstance(at, (tuple, dict)):
        raise InputError("plot draws a surrogate along one array: give a function of one array, its at= and along=")
    smooth = _without_straight(s)
    if at is None or np.ndim(at) == 0:
        low, high = bounds(domain) if domain is not None else (float(at or 0) - 3, float(at or 0) + 3)
        return lambda v: float(s.hard(v)), lambda v: float(smooth(v)), _argument(s), low, high
    point = np.asarray(at, float)
    step = _direction(smooth, point) if along is None else np.asarray(along, float)
    if step.shape != point.shape or not np.abs(step).max(initial=0.0) > 0:
        raise InputError(f"along= of shape {step.shape}: a direction like the point, {point.shape}, was wanted")
    label = "step along the gradient (of length 1)" if along is None else "step along the direction given"
    low, high = bounds(domain) if domain is not None else (-2.0, 2.0)
    return lambda v: float(s.hard(point + v * step)), lambda v: float(smooth(point + v * step)), label, low, high


def _without_straight(s: Surrogate) -> Callable[..., Any]:
    from tangently.descent.surrogates import surrogate

    return surrogate(s.hard, temperature=s.temperature).surrogate if s.straight_through else s.surrogate


def _direction(smooth: Any, point: np.ndarray) -> np.ndarray:
    from tangently.function import grad

    g = np.asarray(grad(smooth)(point), float)
    length = float(np.linalg.norm(g))
    if not length > 0:
        raise InputError("the surrogate's gradient is zero at this point: give along=, a direction to draw along")
    return g / length


def _argument(s: Surrogate) -> str:
    import inspect

    return next(iter(inspect.signature(s.hard).parameters), "x")


# ---------------------------------------------------------------- uncertainty


def plot_uncertainty(u: Uncertainty, ax: Axes | None = None, *, output: int = 0) -> Any:
    """The draws of Monte Carlo, the normal density of the delta method over them, and the shares of the inputs.

    >>> from tangently.descent.propagation import uncertainty
    >>> density, shares = plot_uncertainty(uncertainty("x + y", at=(1.0, 2.0), std=0.1, samples=100))
    >>> density.get_xlabel()
    'f'
    """
    name = u.point.output_labels[output]
    mean, std = float(u._mean[output]), float(u._std[output])
    draws = None if u.monte_carlo is None else u.monte_carlo.draws[:, output]
    with house():
        figure = own_figure(8.4, 3.7) if ax is None else None
        axes = _two(figure, (1.5, 1)) if figure else [shown(ax)]  # type: ignore[arg-type]
        lost = 0 if u.monte_carlo is None else u.monte_carlo.failed
        _draw_density(axes[0], draws, mean, std, name, lost)
        if figure:
            shares = {k: float(np.ravel(v)[output]) for k, v in u.contributions.items()}
            order = sorted(shares, key=lambda k: -abs(shares[k]))[:10]
            _draw_bars(axes[1], order, [shares[k] for k in order], lambda v: f"{v:.1%}".replace("-", "−"))
            axes[1].xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
            axes[1].set_xticks([t for t in axes[1].get_xticks() if 0 <= t <= 1 or t <= max(map(abs, shares.values()))])
            axes[1].set_xlim(0, 1.28 * max(map(abs, shares.values()), default=1.0) or 1.0)
            axes[1].set_xlabel(f"share in the variance{_left_out(len(shares) - len(order))}")
            titled(axes[1], "shares in the variance: " + ", ".join(f"{k} {shares[k]:.1%}" for k in order))
    words = u.verdict
    titled(axes[0], f"{name} = {plain(mean)} ± {plain(std)} by the delta method; {words}")
    return panels(axes) if figure else axes[0]


def _two(figure: Any, widths: tuple[float, float]) -> list[Any]:
    """Two Axes with room between them for the outer numbers."""
    figure.get_layout_engine().set(wspace=0.06)
    return list(figure.subplots(1, 2, width_ratios=widths))


def _left_out(count: int) -> str:
    return f"\n({count} smaller ones not shown)" if count > 0 else ""


def _draw_density(ax: Axes, draws: np.ndarray | None, mean: float, std: float, name: str, lost: int) -> None:
    low, high, top = mean - 4 * std, mean + 4 * std, None
    if draws is not None and len(draws):
        a, b = np.quantile(draws, (0.002, 0.998)).tolist()
        low, high = min(low, a), max(high, b)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high, draws = mean - 1.0, mean + 1.0, None
        ax.text(0.05, 0.93, f"no spread: {name} = {plain(mean)}", transform=ax.transAxes, va="top")
    if draws is not None and len(draws):
        bins = np.linspace(low, high, 61)
        heights = np.histogram(draws, bins)[0] / (len(draws) * np.diff(bins))
        top = (
            PEAK * float(heights.max()) if std > 0 else None
        )  # a needle of the delta method leaves the picture, not Monte Carlo
        label = f"Monte Carlo, {len(draws):,} draws" + (f"; {lost:,} have no value" if lost else "")
        ax.stairs(heights, bins, fill=True, color="#c5dff0", edgecolor=BLUE, linewidth=0.8, label=label)
    if std > 0:
        x = np.linspace(low, high, 401)
        y = np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))
        ax.plot(x, y, color=VERMILLION, ls=(0, (6, 1.5)), label="delta method")
        top = None if top is not None and y.max() < top else top
    ax.axvline(mean, color=VERMILLION, lw=1.0, label=None if std > 0 else "delta method: no spread")
    ax.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    framed(ax)
    ax.set_ylim(0, top)
    ax.set(xlabel=name, ylabel="density")
    legend_above(ax)
    plain_ticks(ax)


def _draw_bars(ax: Axes, names: Sequence[str], values: Sequence[float], text: Callable[[float], str]) -> None:
    """Bars of sizes, the largest above; a negative one is hatched, the signed value stands at its end."""
    for row, value in enumerate(values):
        looks: dict[str, Any] = {"color": VERMILLION}
        if value < 0:
            looks = {"facecolor": "#f0b48a", "hatch": "////", "edgecolor": VERMILLION}
        ax.barh(row, abs(value), height=0.66, linewidth=0, **looks)
        ax.annotate(text(value), (abs(value), row), (4, 0), textcoords="offset points", va="center", fontsize=9)
    framed(ax)
    ax.grid(visible=False, axis="y")
    ax.set_yticks(range(len(names)), list(names))
    ax.set_ylim(max(len(names), 2) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    room = 1.1 + 0.035 * max((len(text(v)) for v in values), default=0)
    ax.set_xlim(0, room * max(map(abs, values), default=0.0) or 1.0)
    ax.locator_params(axis="x", nbins=5)
    plain_ticks(ax)


def plot_posterior(p: Posterior, ax: Axes | None = None, *, most: int = 25) -> Axes:
    """The parameters with intervals of two standard deviations; those whose interval holds 0 are hollow.

    >>> from tangently.descent.propagation import uncertainty
    >>> plot_posterior(uncertainty("(w - 1)^2 / 2", at=1.0, method="laplace")).get_xlabel()
    'value ± 2 posterior standard deviations'
    """
    sigma = np.sqrt(p.covariance.diagonal())
    order = np.argsort(-np.abs(p.point.at) / sigma, kind="stable")[:most]
    with house():
        ax = own_axes(6.4, 1.1 + 0.3 * max(len(order), 2)) if ax is None else shown(ax)
        ax.axvline(0, color=GREY, lw=1.0)
        for row, k in enumerate(order):
            x, reach = float(p.point.at[k]), 2 * float(sigma[k])
            face = WHITE if abs(x) < reach else BLUE
            ax.errorbar(x, row, xerr=reach, fmt="o", ms=5.5, color=BLUE, mfc=face, elinewidth=1.6, capsize=3)
            words = f"{plain(x)} ± {plain(reach / 2, 2)}"  # an interval may be too small to be seen
            ax.annotate(words, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        framed(ax)
        ax.set_yticks(range(len(order)), [p.point.labels[k] for k in order])
        ax.set_ylim(max(len(order), 2) - 0.5, -0.5)
        ax.set_xlabel("value ± 2 posterior standard deviations" + _left_out(len(sigma) - len(order)))
        plain_ticks(ax)
    rows = ", ".join(f"{p.point.labels[k]} {plain(float(p.point.at[k]))} ± {plain(float(sigma[k]))}" for k in order)
    titled(ax, f"posterior: {rows}")
    return ax


# ---------------------------------------------------------------- sensitivity


def plot_sensitivity(s: Sensitivity, ax: Axes | None = None, *, most: int = 12, curves: int = 5) -> Any:
    """The ranking as bars (in `ax`, if one is given), and beside them f along the first inputs, one at a time.

    >>> from tangently.descent.sensitivities import sensitivity
    >>> bars, lines = plot_sensitivity(sensitivity("a b^2", at=(3.0, 2.0)))
    >>> [t.get_text() for t in bars.get_yticklabels()], len(lines.lines)
    (['b', 'a'], 3)
    """
    rows = [r for r in s.ranked if getattr(r, s.measure) is not None][:most]
    with house():
        figure = own_figure(8.8, max(3.6, 1.1 + 0.3 * len(rows))) if ax is None else None
        axes = _two(figure, (1, 1.25)) if figure else [shown(ax)]  # type: ignore[arg-type]
        _draw_bars(axes[0], [r.label for r in rows], [float(getattr(r, s.measure)) for r in rows], plain)
        axes[0].set_xlabel(_measured(s) + _left_out(len(s.rows) - len(rows)))
        if figure:
            _draw_curves(axes[1], s, curves)
    told = ", ".join(f"{r.label} {plain(float(getattr(r, s.measure)))}" for r in rows)
    titled(axes[0], f"{s.measure} sensitivities: {told}")
    return panels(axes) if figure else axes[0]


def _measured(s: Sensitivity) -> str:
    reach = r"\sigma" if s.stds is not None else r"\frac{1}{2}\,\mathrm{range}\;"
    formulas = {
        "scaled": rf"${reach}\,|\partial f/\partial x|$",
        "relative": r"$|\,(x/f)\;\partial f/\partial x\,|$",
        "derivative": r"$|\partial f/\partial x|$",
    }
    negative = any((getattr(r, s.measure) or 0.0) < 0 for r in s.rows)
    return formulas[s.measure] + ("  (hatched: negative)" if negative else "")


def _draw_curves(ax: Axes, s: Sensitivity, count: int) -> None:
    """Each over its own window, which is stretched to the same width; its ends are in the legend."""
    for curve, color, dash in zip(s.curves(count), LINES, DASHES):
        low, high = float(curve.x[0]), float(curve.x[-1])
        label = f"{curve.label}: {plain(low, 3)} … {plain(high, 3)}"
        ax.plot(np.linspace(0, 1, len(curve.x)), curve.y, color=color, ls=dash, label=label)
    framed(ax)
    ax.axhline(s.value, color=GREY, lw=0.9, zorder=0)
    name = s.point.output_labels[s.output]
    ax.set(xlim=(0, 1), xlabel="one input at a time, the others held", ylabel=name)
    ax.set_xticks((0, 0.5, 1), ("low", "middle", "high"))
    legend_above(ax)
    plain_ticks(ax)
    titled(ax, f"{name} along each input, the others held")


__all__ = ["plot_posterior", "plot_sensitivity", "plot_surrogate", "plot_uncertainty"]
