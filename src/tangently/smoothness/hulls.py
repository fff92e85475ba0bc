"""Clarke's set as a convex hull of gradients, with images of balls added; and its element of least norm.

A continuous function that is made of finitely many smooth ones has, as its generalized gradient at a point, the
convex hull of the gradients of the pieces that are active on an open set near it (S. Scholtes, Introduction to
Piecewise Differentiable Equations, 2012, 4.3). A Euclidean norm at 0 adds the image of the unit ball under a matrix.

The element of least norm of a polytope is a least-squares problem with weights that are not negative and sum to 1
(`scipy.optimize.nnls`, the sum as a heavy row), and then an exact one on the vertices that carry weight; with balls,
Gilbert's method steps towards the support point that lies farthest against the present one (E. G. Gilbert, SIAM J.
Control 4, 1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

STEPS = 2000


@dataclass(frozen=True)
class Clarke:
    """The convex hull of `vertices` (rows), plus M·B for each matrix M in `balls`, B the unit ball."""

    vertices: np.ndarray
    balls: tuple[np.ndarray, ...] = field(default=())

    @property
    def single(self) -> bool:
        """Is it one point: is the function strictly differentiable?"""
        return len(self.vertices) == 1 and not self.balls

    @property
    def least_norm(self) -> np.ndarray:
        """The subgradient of least norm.

        >>> hull([[1.0, 0.0], [0.0, 1.0]]).least_norm
        array([0.5, 0.5])
        """
        if self.balls:
            return _clean(_gilbert(self))
        return _clean(_nearest_of_polytope(self.vertices))

    def __str__(self) -> str:
        points = ", ".join(f"({', '.join(f'{v:g}' for v in row)})" for row in self.vertices)
        text = points if len(self.vertices) == 1 else f"convex hull of {points}"
        return text + "".join(f" + {_ball_text(m)}" for m in self.balls)

    __repr__ = __str__


def _ball_text(m: np.ndarray) -> str:
    if m.shape[0] == m.shape[1] and np.allclose(m, m[0, 0] * np.eye(len(m))):
        return "unit ball" if m[0, 0] == 1 else f"ball of radius {abs(m[0, 0]):g}"
    return f"the image of a unit ball of {m.shape[1]} dimensions"


def hull(vertices: Sequence[Any], balls: Sequence[Any] = ()) -> Clarke:
    """The hull of points, each listed once, in order."""
    rows = np.asarray(vertices, float) + 0.0  # no -0
    kept = [k for k in range(len(rows)) if not any(np.allclose(rows[k], rows[j], 1e-12, 1e-14) for j in range(k))]
    matrices = [np.asarray(m, float) for m in balls]
    return Clarke(rows[kept], tuple(m for m in matrices if np.abs(m).max(initial=0.0) > 1e-14))


def _nearest_of_polytope(vertices: np.ndarray) -> np.ndarray:
    """Least squares finds which vertices carry weight; on their affine hull the nearest point is exact."""
    if len(vertices) == 1:
        return vertices[0]
    from scipy.optimize import nnls

    heavy = 1e3 * max(1.0, float(np.abs(vertices).max()))
    matrix = np.vstack([vertices.T, np.full(len(vertices), heavy)])
    weights, _ = nnls(matrix, np.append(np.zeros(vertices.shape[1]), heavy))
    return _nearest_of_plane(vertices[weights > 1e-9 * weights.max()])


def _nearest_of_plane(points: np.ndarray) -> np.ndarray:
    """The point of least norm of the affine hull."""
    along = points[1:] - points[0]
    steps, *_ = np.linalg.lstsq(along.T, -points[0], rcond=None)
    return points[0] + along.T @ steps


def _support(c: Clarke, direction: np.ndarray) -> np.ndarray:
    """The point of the set that is farthest along a direction."""
    found = c.vertices[int(np.argmax(c.vertices @ direction))]
    for m in c.balls:
        moved = m.T @ direction
        length = float(np.linalg.norm(moved))
        found = found + m @ (moved / length) if length > 0 else found
    return found


def _gilbert(c: Clarke) -> np.ndarray:
    z = _nearest_of_polytope(c.vertices)
    for _ in range(STEPS):
        away = z - _support(c, -z)
        gap, size = float(z @ away), float(away @ away)
        if gap <= 1e-15 * (1 + float(z @ z)) or size == 0:
            break
        z = z - min(1.0, gap / size) * away
    return z


def _clean(z: np.ndarray) -> np.ndarray:
    """Rounding about a round number is taken off."""
    rounded = np.round(z, 9)
    return np.where(np.abs(z - rounded) < 1e-11, rounded, z) + 0.0


__all__ = ["Clarke", "hull"]
