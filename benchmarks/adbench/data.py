"""Inputs of the four objectives: read from ADBench's files, or made up in the same shapes where there are none.

The files are looked for in the directory that the environment variable TANGENTLY_ADBENCH names, else in
`../shared/adbench` beside the repository. `gmm(name)`, `ba(name)`, `hand(name)` and `lstm(name)` read the file of that
name. Where it is absent they draw numbers from a seeded generator; the sizes stand in the name (`gmm_d10_K25`,
`ba1_n49_m7776_p31843`, `hand_simple_t26_c100`, `lstm_l2_c1024`), and the `*_test` files' sizes are known.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Array = np.ndarray
BONES = 22
PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19, 0)
VERTICES = 544
TEST_SIZES = {
    "gmm_test": {"d": 2, "K": 3, "n": 1}, "ba_test": {"n": 2, "m": 10, "p": 10}, "hand_test": {"t": 26, "c": 2},
}  # fmt: skip


@dataclass(frozen=True)
class Mixture:
    """k components in d dimensions: log-weights (k,), means (k, d), inverse covariance factors (k, d(d + 1)/2)."""

    alphas: Array
    means: Array
    icf: Array
    x: Array
    gamma: float
    m: int


@dataclass(frozen=True)
class Bundle:
    """Cameras (n, 11), points (m, 3), and of p observations weights (p,), camera and point (p, 2), features (p, 2)."""

    cameras: Array
    points: Array
    weights: Array
    observations: Array
    features: Array


@dataclass(frozen=True)
class HandModel:
    """A skeleton and its skin: parents, transforms (b, 4, 4), vertices (v, 4), weights (v, b), triangles (t, 3)."""

    parents: tuple[int, ...]
    relatives: Array
    inverse_absolutes: Array
    vertices: Array
    weights: Array
    triangles: Array


@dataclass(frozen=True)
class Hand:
    """A pose θ (26,), and observed points (N, 3): of vertices, or (`us` given) of triangles, at barycentric (N, 2)."""

    theta: Array
    us: Array | None
    correspondences: Array
    points: Array
    model: HandModel


@dataclass(frozen=True)
class Text:
    """An LSTM of l layers on b bits: parameters (2l, 4b) and (3, b), state (2l, b), and a text of c rows (c, b)."""

    main: Array
    extra: Array
    state: Array
    sequence: Array


def directory() -> Path | None:
    """Where the files are (None: nowhere)."""
    named = os.environ.get("TANGENTLY_ADBENCH")
    found = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "adbench"
    return found if found.is_dir() else None


def path(name: str) -> Path | None:
    folder = directory()
    found = None if folder is None else folder / f"{name}.txt"
    return found if found is not None and found.exists() else None


def sizes(name: str) -> dict[str, int]:
    """The sizes that a file's name tells.

    >>> sizes("gmm_d10_K25")
    {'d': 10, 'K': 25}
    """
    return TEST_SIZES.get(name) or {k: int(n) for k, n in re.findall(r"_([a-zA-Z])(\d+)", name)}


def numbers(file: Path) -> Iterator[str]:
    return iter(file.read_text().split())


def take(words: Iterator[str], *shape: int) -> Array:
    """The next numbers of a file, as an array of this shape."""
    return np.array([float(next(words)) for _ in range(int(np.prod(shape)))]).reshape(shape)


def counts(words: Iterator[str], how_many: int) -> list[int]:
    return [int(next(words)) for _ in range(how_many)]


# ---- Gaussian mixture


def gmm(name: str) -> Mixture:
    file = path(name)
    if file is None:
        return made_mixture(**{"n": 1000, **sizes(name)})
    words = numbers(file)
    d, k, n = counts(words, 3)
    parts = take(words, k), take(words, k, d), take(words, k, d * (d + 1) // 2), take(words, n, d)
    return Mixture(*parts, gamma=float(next(words)), m=int(next(words)))


def made_mixture(d: int, K: int, n: int) -> Mixture:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=K), rng.random((K, d)), rng.normal(size=(K, d * (d + 1) // 2)), rng.normal(size=(n, d))
    return Mixture(*parts, gamma=1.0, m=0)


# ---- bundle adjustment


def ba(name: str) -> Bundle:
    """One camera, point, weight and feature are given; each is repeated, and observations go round both."""
    file = path(name)
    if file is None:
        return made_bundle(**sizes(name))
    words = numbers(file)
    n, m, p = counts(words, 3)
    rows = [np.tile(take(words, *size), (count, 1)) for count, size in ((n, (11,)), (m, (3,)), (p, (1,)), (p, (2,)))]
    cameras, points, weights, features = rows
    return Bundle(cameras, points, weights[:, 0], going_round(n, m, p), features)


def going_round(n: int, m: int, p: int) -> Array:
    return np.stack([np.arange(p) % n, np.arange(p) % m], axis=1)


def made_bundle(n: int, m: int, p: int) -> Bundle:
    rng = np.random.default_rng(0)
    cameras = rng.normal(size=(n, 11)) * ([1.0] * 3 + [10.0] * 3 + [400.0, 5.0, 5.0, 0.1, 0.01])
    points = rng.normal((0.0, 0.0, 30.0), size=(m, 3))
    return Bundle(cameras, points, rng.random(p), going_round(n, m, p), 100 * rng.normal(size=(p, 2)))


# ---- hand


def hand(name: str) -> Hand:
    """`complicated` in the name: barycentric coordinates are given too (a test file serves as the simple kind)."""
    file = path(name)
    if file is None:
        return made_hand(sizes(name)["c"], "complicated" in name)
    words = numbers(file)
    n, n_theta = counts(words, 2)
    observed = take(words, n, 4)
    us = take(words, n, 2) if "complicated" in name else None
    return Hand(take(words, n_theta), us, observed[:, 0].astype(int), observed[:, 1:], hand_model())


@functools.cache
def hand_model() -> HandModel:
    folder = directory()
    if folder is None or not (folder / "hand_model").is_dir():
        return made_model()
    lines = {
        name: [line.split(":") for line in (folder / "hand_model" / f"{name}.txt").read_text().split()]
        for name in ("bones", "vertices", "triangles")
    }
    bones, vertices = lines["bones"], lines["vertices"]
    transforms = np.array([[float(word) for word in bone[2:34]] for bone in bones]).reshape(-1, 2, 4, 4)
    positions = np.array([[*map(float, vertex[:3]), 1.0] for vertex in vertices])
    weights = np.zeros((len(vertices), len(bones)))
    for row, vertex in zip(weights, vertices):
        pairs = vertex[9 : 9 + 2 * int(vertex[8])]
        row[[int(bone) for bone in pairs[::2]]] = [float(weight) for weight in pairs[1::2]]
    parents, triangles = tuple(int(bone[1]) for bone in bones), np.array(lines["triangles"], dtype=int)
    return HandModel(parents, transforms[:, 0], transforms[:, 1], positions, weights, triangles)


def made_model() -> HandModel:
    rng = np.random.default_rng(0)
    relatives = np.tile(np.eye(4), (BONES, 1, 1))
    relatives[:, :3, :3] = np.linalg.qr(rng.normal(size=(BONES, 3, 3)))[0]
    relatives[1:, :3, 3] = 0.1 * rng.normal(size=(BONES - 1, 3))
    absolutes: list[Array] = []
    for parent, relative in zip(PARENTS, relatives):
        absolutes.append(relative if parent < 0 else absolutes[parent] @ relative)
    vertices = np.concatenate([0.1 * rng.normal(size=(VERTICES, 3)), np.ones((VERTICES, 1))], axis=1)
    weights = rng.dirichlet(np.full(BONES, 0.1), VERTICES)
    triangles = rng.integers(0, VERTICES, (1000, 3))
    return HandModel(PARENTS, relatives, np.linalg.inv(np.stack(absolutes)), vertices, weights, triangles)


def made_hand(count: int, complicated: bool) -> Hand:
    rng = np.random.default_rng(0)
    model = hand_model()
    correspondences = rng.integers(0, len(model.triangles if complicated else model.vertices), count)
    us = 0.5 * rng.random((count, 2)) if complicated else None
    return Hand(rng.normal(size=26), us, correspondences, rng.normal(size=(count, 3)), model)


# ---- LSTM


def lstm(name: str) -> Text:
    file = path(name)
    if file is None:
        return made_text(**{"b": 14, **sizes(name)})
    words = numbers(file)
    layers, length, bits = counts(words, 3)
    shapes = (2 * layers, 4 * bits), (3, bits), (2 * layers, bits), (length, bits)
    return Text(*[take(words, *shape) for shape in shapes])


def made_text(l: int, c: int, b: int) -> Text:
    rng = np.random.default_rng(0)
    letters = rng.integers(0, 2, (c, b)).astype(float)
    return Text(rng.random((2 * l, 4 * b)), rng.random((3, b)), rng.random((2 * l, b)), letters)
