"""Hand tracking: how far a posed, skinned hand is from the points that were observed.

The pose θ has 26 numbers: a rotation (axis times angle), a translation, and for each of the five fingers the bend and
the spread of its first joint and the bends of the two others. A joint turns its bone by Rz(spread) Rx(bend); along a
finger, transforms multiply; a vertex moves with the mean of its bones' transforms, taken with its weights (linear blend
skinning); the whole hand is rotated and translated.

The simple kind compares observed points with vertices. The complicated one compares them with points of triangles, at
barycentric coordinates u that are unknown too: each point's residual depends on its own two, so that part of the
Jacobian is a column pair of blocks, which the residuals' sum over points gives in three rows of reverse mode. The
benchmark wants that pair, then the 26 columns of θ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tangently as tg

from .data import Hand

FINGERS = 5


def joint_rotations(bend, spread):
    """Rz(spread) Rx(bend), of shape bend.shape + (3, 3)."""
    cx, sx, cz, sz = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    rows = [[cz, -sz * cx, sz * sx], [sz, cz * cx, -cz * sx], [np.zeros_like(bend), sx, cx]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def rotation(r):
    """Rodrigues' formula for one axis times angle; below 10⁻⁴ the benchmark takes the identity."""
    square = (r**2).sum()
    small = square < 1e-8
    angle = np.sqrt(np.where(small, 1.0, square))
    x, y, z = r / angle
    zero = np.zeros_like(x)
    K = np.stack([np.stack([zero, -z, y]), np.stack([z, zero, -x]), np.stack([-y, x, zero])])
    return np.where(small, np.eye(3), np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * (K @ K))


def bone_transforms(fingers, relatives, inverse_absolutes):
    """From the rest pose to this one: the upper three rows, (22, 3, 4). Bones: wrist, four of each finger, forearm."""
    joints = fingers.reshape(FINGERS, 4)
    bend = np.stack([joints[:, 0], joints[:, 2], joints[:, 3]])
    spread = np.stack([joints[:, 1], np.zeros(FINGERS), np.zeros(FINGERS)])
    bones = np.swapaxes(relatives[1:21].reshape(FINGERS, 4, 4, 4), 0, 1)  # by place in the finger, by finger
    turned = np.concatenate([bones[1:, :, :, :3] @ joint_rotations(bend, spread), bones[1:, :, :, 3:]], axis=-1)
    wrist = relatives[0, :3]
    chain = [wrist @ bones[0]]
    for joint in turned:
        chain.append(chain[-1] @ joint)
    fingers = np.stack(chain, axis=1).reshape(20, 3, 4)
    return np.concatenate([wrist[None], fingers, (wrist @ relatives[21])[None]]) @ inverse_absolutes


def skin(theta, weights, vertices, relatives, inverse_absolutes):
    """Where vertices (N, 4) of these weights (N, 22) are in the pose θ."""
    transforms = bone_transforms(theta[6:], relatives, inverse_absolutes)
    blended = (weights @ transforms.reshape(len(transforms), 12)).reshape(len(weights), 3, 4)
    placed = (blended * vertices[:, None]).sum(axis=-1)
    return placed @ rotation(theta[:3]).T + theta[3:6]


def residuals(theta, points, *body):
    """Observed points, less the vertices that correspond to them: (N, 3)."""
    return points - skin(theta, *body)


def triangle_residuals(theta, us, points, *body):
    """Observed points, less points of triangles; the body's vertices are the triangles' corners, (3 N, 4)."""
    a, b, c = skin(theta, *body).reshape(3, len(points), 3)
    u, v = us[:, :1], us[:, 1:]
    return points - (u * a + v * b + (1 - u - v) * c)


def body(hand: Hand) -> tuple[Any, ...]:
    """What the residuals need of the model: the weights and vertices that correspond to the points, and the bones."""
    model, which = hand.model, hand.correspondences
    if hand.us is not None:
        which = model.triangles[which].T.ravel()
    return model.weights[which], model.vertices[which], model.relatives, model.inverse_absolutes


def simple_jacobian(hand: Hand) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The objective (3 N,) and its Jacobian (3 N, 26), both without arguments."""
    arguments = (hand.theta, hand.points, *body(hand))
    derivative = tg.jacobian(residuals, wrt="theta")
    return lambda: residuals(*arguments).ravel(), lambda: derivative(*arguments).reshape(-1, len(hand.theta))


def shifted_residuals(theta, shift, us, points, *body):
    """The same where all points have moved in their triangles by one shift (2,)."""
    return triangle_residuals(theta, us + shift, points, *body)


def complicated_jacobian(hand: Hand) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The objective (3 N,) and its compressed Jacobian (3 N, 2 + 26), both without arguments.

    A point's residuals depend on its own place only, so the derivative in a shift of all has a row for each of them.
    """
    arguments = (hand.us, hand.points, *body(hand))
    derivative = tg.jacobian(shifted_residuals, wrt=("shift", "theta"))
    still = np.zeros(2)
    columns = lambda: np.concatenate(derivative(hand.theta, still, *arguments), axis=2)
    return (
        lambda: triangle_residuals(hand.theta, *arguments).ravel(),
        lambda: columns().reshape(-1, 2 + len(hand.theta)),
    )


def problem(hand: Hand) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return simple_jacobian(hand) if hand.us is None else complicated_jacobian(hand)
