"""Bundle adjustment: how far points seen by cameras fall from where they were seen, and a residual for each weight.

A camera has 11 parameters: rotation r (axis times angle θ), center c, focal length f, principal point x₀, and radial
distortion κ. A point X is seen at

    f (1 + κ₁ ‖u‖² + κ₂ ‖u‖⁴) u + x₀   where   u = (v₁, v₂)/v₃,   v = R (X − c),
                                               R y = y + sin θ/θ r×y + (1 − cos θ)/θ² r×(r×y),

and the residuals of an observation are w (that − the feature), two numbers, and 1 − w².

An observation's residuals depend on its own 15 parameters only. So the derivatives of the residuals' *sums over
observations*, three numbers, hold every block ∂rᵢ/∂(camera, point, weight)ᵢ, and three rows of reverse mode give the
whole Jacobian. It goes into a sparse matrix whose pattern is known, in the benchmark's order (rows: reprojections,
weights; columns: cameras, points, weights). Observations are taken CHUNK at a time, so that temporaries stay in the
processor's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tangently as tg

from .data import Bundle

CHUNK = 4096
CAMERA, POINT = 11, 3
WIDTH = CAMERA + POINT + 1


def cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def rotate(r, y):
    """The rotation about the axis r by the angle ‖r‖; at 0 the quotients have their limits 1 and ½."""
    square = r[0] ** 2 + r[1] ** 2 + r[2] ** 2
    turns = square > 0
    safe = np.where(turns, square, 1.0)
    angle = np.sqrt(safe)
    a, b = np.where(turns, np.sin(angle) / angle, 1.0), np.where(turns, (1 - np.cos(angle)) / safe, 0.5)
    once = cross(r, y)
    return [y[k] + a * once[k] + b * twice for k, twice in enumerate(cross(r, once))]


def project(camera, X):
    v = rotate(camera[:3], X - camera[3:6])
    x, y = v[0] / v[2], v[1] / v[2]
    square = x**2 + y**2
    scale = camera[6] * (1 + camera[9] * square + camera[10] * square**2)
    return x * scale + camera[7], y * scale + camera[8]


def reprojection(camera, X, w, feature):
    """Two residuals of each of p observations, given as columns: cameras (11, p), points (3, p), weights (p,)."""
    x, y = project(camera, X)
    return w * (x - feature[0]), w * (y - feature[1])


def weight_residual(w):
    return 1 - w**2


def sums(camera, X, w, feature):
    """Each residual's sum over observations: its derivative has a column for each of them."""
    x, y = reprojection(camera, X, w, feature)
    return x.sum(), y.sum()


def weight_sum(w):
    return weight_residual(w).sum()


blocks = tg.jacobian(sums, wrt=("camera", "X", "w"))
weight_blocks = tg.grad(weight_sum)


def columns(bundle: Bundle) -> tuple[Any, ...]:
    """The arguments of `reprojection`: what each observation depends on."""
    camera, point = bundle.observations.T
    gathered = bundle.cameras[camera].T, bundle.points[point].T, bundle.weights, bundle.features.T
    return tuple(map(np.ascontiguousarray, gathered))


def objective(arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """The benchmark's two vectors: 2 p reprojection residuals, p weight residuals."""
    return np.stack(reprojection(*arguments), axis=1).ravel(), weight_residual(arguments[2])


def entries(arguments: tuple[Any, ...]) -> Any:
    """The nonzero entries, row by row: two rows of 15 for each observation, then one of 1."""
    p = arguments[0].shape[1]
    found = np.empty(p * (2 * WIDTH + 1))
    rows = found[: p * 2 * WIDTH].reshape(p, 2, WIDTH)
    for start in range(0, p, CHUNK):
        part = slice(start, start + CHUNK)
        for row, (camera, X, w) in enumerate(blocks(*[a[..., part] for a in arguments])):
            into = rows[part, row].T
            into[:CAMERA], into[CAMERA:-1], into[-1] = camera, X, w
    found[p * 2 * WIDTH :] = weight_blocks(arguments[2])
    return found


def pattern(bundle: Bundle) -> tuple[Any, Any]:
    """Of the Jacobian in compressed rows: the columns of its entries, and where each row starts."""
    p, (camera, point) = len(bundle.weights), bundle.observations.T
    first_point = CAMERA * len(bundle.cameras)
    first_weight = first_point + POINT * len(bundle.points)
    weight = first_weight + np.arange(p)
    one = [CAMERA * camera[:, None] + np.arange(CAMERA), first_point + POINT * point[:, None] + np.arange(POINT)]
    row = np.concatenate([*one, weight[:, None]], axis=1)
    lengths = np.repeat([row.shape[1], 1], [2 * p, p])
    return np.concatenate([np.repeat(row, 2, axis=0).ravel(), weight]), np.concatenate([[0], np.cumsum(lengths)])


def jacobian(bundle: Bundle) -> Any:
    """The whole Jacobian, (3 p, 11 n + 3 m + p), as a sparse matrix."""
    import scipy.sparse

    width = bundle.cameras.size + bundle.points.size + len(bundle.weights)
    where = pattern(bundle)
    return scipy.sparse.csr_array((entries(columns(bundle)), *where), shape=(len(where[1]) - 1, width))
