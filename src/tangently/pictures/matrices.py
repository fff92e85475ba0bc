"""A Hessian as a matrix and as a shape, sensitivities as bars, and the error of difference quotients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.errors import InputError
from tangently.pictures.style import (
    ARROWS,
    DIVERGING,
    INK,
    VERMILLION,
    WHITE,
    framed,
    halo,
    house,
    own_axes,
    own_figure,
    panels,
    plain,
    ramp,
    shown,
    symbol_tex,
    tex,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_hessian(
    hessian: Any, labels: Sequence[str] | None = None, ax: Axes | None = None, *, title: str | None = None
) -> Any:
    """A symmetric matrix with its numbers, vermillion below zero and blue above; for 2×2 also ½dᵀHd and its axes.

    >>> matrix, bowl = plot_hessian([[1.0, 0.5], [0.5, 2.0]], ["x", "y"])
    >>> [t.get_text() for t in matrix.texts]
    ['1', '0.5', '0.5', '2']
    """
    h = np.asarray(hessian, float)
    if h.ndim != 2 or h.shape[0] != h.shape[1] or not h.size or not np.isfinite(h).all():
        raise InputError(
            f"got a matrix of shape {h.shape}; a square one of finite entries was wanted, as hessian gives"
        )
    names = list(labels) if labels is not None else [f"x{i}" for i in range(len(h))]
    if len(names) != len(h):
        raise InputError(f"got {len(names)} labels for a {len(h)}×{len(h)} matrix; one for each row was wanted")
    with house():
        double = len(h) == 2 and ax is None
        figure = own_figure(7.4, 3.7) if double else None
        axes = list(figure.subplots(1, 2)) if figure else [own_axes(4.6, 4.2) if ax is None else shown(ax)]
        _draw_matrix(axes[0], h, names)
        if double:
            _draw_quadratic(axes[1], (h + h.T) / 2, names)
        if title:
            axes[0].set_title(title)
    return panels(axes) if double else axes[0]


def _draw_matrix(ax: Axes, h: np.ndarray, names: Sequence[str]) -> None:
    n, most = len(h), float(np.abs(h).max()) or 1.0
    edges = np.arange(n + 1) - 0.5  # a mesh stays vectors; an image would be refused by a page with a strict policy
    ax.pcolormesh(edges, edges, h, cmap=ramp(DIVERGING), vmin=-most, vmax=most)
    ax.set(ylim=(n - 0.5, -0.5), aspect="equal")
    if n <= 12:
        texts = [plain(value, 4 if n < 4 else 3 if n < 7 else 2) for value in h.flat]
        size = min(12.0, 330 / n / max(map(len, texts)))  # points: the longest number fits its cell
        for (i, j), value in np.ndenumerate(h):
            color = WHITE if abs(value) > 0.75 * most else INK
            ax.text(j, i, texts[i * n + j], ha="center", va="center", color=color, fontsize=size)
    shown_names = [f"${symbol_tex(name)}$" for name in names] if n <= 30 else []
    ax.set_xticks(range(len(shown_names)), shown_names)
    ax.set_yticks(range(len(shown_names)), shown_names)
    ax.tick_params(length=0, labelsize=10.5, top=False, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    values = np.linalg.eigvalsh((h + h.T) / 2)
    few = ", ".join(map(plain, values)) if n <= 4 else f"{plain(values[0])} … {plain(values[-1])}"
    ax.set_xlabel(f"eigenvalues {few}" if n > 1 else f"eigenvalue {few}")
    titled(ax, f"Hessian, a {n}×{n} matrix with eigenvalues from {plain(values[0])} to {plain(values[-1])}")


def _draw_quadratic(ax: Axes, h: np.ndarray, names: Sequence[str]) -> None:
    """Level lines of ½dᵀHd, an ellipse where it curves one way, and the eigenvectors with their eigenvalues."""
    d = np.linspace(-1.25, 1.25, 121)
    x, y = np.meshgrid(d, d)
    q = 0.5 * (h[0, 0] * x**2 + 2 * h[0, 1] * x * y + h[1, 1] * y**2)
    most = float(np.abs(q).max())
    if most:
        heights = np.linspace(-most, most, 18)
        ax.contourf(x, y, q, heights, cmap=ramp(DIVERGING), vmin=-1.6 * most, vmax=1.6 * most, zorder=0)
        ax.contour(x, y, q, heights, colors="#6b6b6b", linewidths=0.5, linestyles="-", zorder=1)
    values, vectors = np.linalg.eigh(h)
    for value, v in zip(values, vectors.T):
        x, y = (v if v[np.argmax(np.abs(v))] > 0 else -v).tolist()
        ax.quiver(0, 0, 0.8 * x, 0.8 * y, **ARROWS, width=0.009, color=INK, zorder=3)
        text = f"$\\lambda = {tex(float(value))}$"
        ax.text(0.98 * x, 0.98 * y, text, ha="center", va="center", fontsize=10, path_effects=halo(3), zorder=4)
    framed(ax)
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    ax.set_title(r"$\frac{1}{2}\, d^{T} H\, d$: " + _shape(values))
    ax.set_xlabel(f"step in ${symbol_tex(names[0])}$")
    ax.set_ylabel(f"step in ${symbol_tex(names[1])}$")
    titled(ax, f"its quadratic form: {_shape(values)}")


def _shape(values: np.ndarray) -> str:
    tiny = 1e-12 * np.abs(values).max()
    up, down = (values > tiny).any(), (values < -tiny).any()
    flat = (np.abs(values) <= tiny).any()
    if up and down:
        return "saddle"
    return ("valley" if flat else "bowl") if up else ("ridge" if flat else "dome") if down else "flat"


def plot_importance(
    names: Sequence[str], values: Any, ax: Axes | None = None, *, most: int = 20, title: str | None = None
) -> Axes:
    """|∂loss/∂input| as bars, the largest above, the signed value at the end; a hatched bar is a negative one."""
    slopes = np.asarray(values, float).ravel()
    if len(names) != len(slopes) or not len(slopes) or not np.isfinite(slopes).all():
        raise InputError(f"got {len(names)} names and {len(slopes)} values; one finite value for each name was wanted")
    order: list[int] = [int(k) for k in np.argsort(-np.abs(slopes), kind="stable")[:most]]
    with house():
        ax = own_axes(6.4, 0.9 + 0.3 * len(order)) if ax is None else shown(ax)
        picked: list[float] = slopes[order].tolist()
        rows = range(len(order))
        bars = ax.barh(rows, [abs(v) for v in picked], height=0.68, color=VERMILLION, edgecolor=WHITE, linewidth=0)
        for row, bar, value in zip(rows, bars, picked):
            if value < 0:
                bar.set(facecolor="#f0b48a", hatch="////", edgecolor=VERMILLION)
            ax.annotate(plain(value), (abs(value), row), (4, 0), textcoords="offset points", va="center", fontsize=9)
        _frame_bars(ax, [names[i] for i in order], len(slopes), title)
    titled(ax, "importance: " + ", ".join(f"{names[i]} {plain(float(slopes[i]))}" for i in order))
    return ax


def _frame_bars(ax: Axes, names: Sequence[str], total: int, title: str | None) -> None:
    framed(ax)
    ax.grid(visible=False, axis="y")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.12)
    left_out = total - len(names)
    more = f"; {left_out} smaller ones not shown" if left_out else ""
    ax.set_xlabel(rf"$|\partial\,\mathrm{{loss}}/\partial\,\mathrm{{input}}|$  (hatched: negative slope{more})")
    if title:
        ax.set_title(title, loc="left")


def plot_sweep(sweep: Any, ax: Axes | None = None) -> Axes:
    """The error of difference quotients against the step, as `StepSweep.plot` draws it, in the house style."""
    with house():
        ax = own_axes(6.8, 4.4) if ax is None else shown(ax)
        sweep.plot(ax)
        framed(ax)
        titled(ax, f"error of difference quotients at {plain(sweep.x)} against the step h")
    return ax
