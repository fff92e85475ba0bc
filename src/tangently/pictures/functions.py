"""Pictures of functions and their derivatives: what the public names are, and `plot`, which chooses among them.

`plot` looks at the arguments of a function. A function of one number is drawn with its tangent and secants, and its
derivative below. A function of two numbers, or of an array with two entries, is drawn as contours with its gradient,
or as a surface with its tangent plane. Of any other function `along=` draws a line or a plane through a point. Each
piece is a function too: without `ax` it makes a figure of its own; with `ax` it adds itself. The pieces are loaded
when they are first used.

Blue is a value, vermillion a derivative, grey a construction; what color tells, a label, dash or marker tells too.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tangently.pictures.curves import plot_derivative, plot_secants, plot_tangent, plot_taylor
    from tangently.pictures.matrices import plot_hessian, plot_importance, plot_sweep
    from tangently.pictures.planes import plot_contour, plot_surface
    from tangently.pictures.saving import figure_svg, save_figure

_HOMES = {
    "figure_svg": "saving",
    "plot_contour": "planes",
    "plot_derivative": "curves",
    "plot_hessian": "matrices",
    "plot_importance": "matrices",
    "plot_secants": "curves",
    "plot_surface": "planes",
    "plot_sweep": "matrices",
    "plot_tangent": "curves",
    "plot_taylor": "curves",
    "save_figure": "saving",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"tangently.pictures.functions has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"tangently.pictures.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def plot(
    f: Any,
    ax: Axes | None = None,
    *,
    at: Any = None,
    domain: Any = None,
    order: int = 1,
    secants: Sequence[float] | None = None,
    along: Any = None,
    surface: bool = False,
    **options: Any,
) -> Any:
    """Draw a function. One number: an array of Axes, f above its derivatives; two: contours or a `surface`.

    `at` is the point of the tangent (or the gradient); `domain` is (low, high), or a pair of them for two numbers;
    `order` is how many derivatives are drawn below f; `secants` are their steps h, () for none; `along` is a direction
    or two, for a line or a plane through `at`. Further options go to the piece that is drawn. Where `ax` is given,
    only the main picture is drawn, into it, and it is returned.

    >>> upper, lower = plot("3x^2 - 4x", at=1)
    >>> [line.get_label() for line in upper.lines][1]
    'tangent $y = 2 x - 3$'
    """
    from tangently.function import as_function
    from tangently.pictures import curves, planes, subject

    function = as_function(f)
    if along is not None:
        function, at = subject.through(function, at, along)
    function, at, size = subject.of_numbers(function, at)
    if size == 1:
        return curves.plot_stacked(function, ax, at, domain, order, secants, **options)
    draw = planes.plot_surface if surface else planes.plot_contour
    return draw(function, ax, at=at, domain=domain, **options)


__all__ = [
    "figure_svg", "plot", "plot_contour", "plot_derivative", "plot_hessian", "plot_importance", "plot_secants",
    "plot_surface", "plot_sweep", "plot_tangent", "plot_taylor", "save_figure",
]  # fmt: skip
