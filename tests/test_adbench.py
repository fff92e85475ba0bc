"""ADBench's objectives: by other routes the same values and derivatives, on its own files and on made-up inputs.

The other routes are scalar loops written from the paper, with complex steps: f(x + ih) = f(x) + ih f′(x) + …, whose
imaginary part has no cancellation. The criterion is the benchmark's own: |x − y| / max(1, |x| + |y|) < 1e-8.
"""

from __future__ import annotations

import cmath
import importlib.util
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.adbench import ba, data, gmm, hand, lstm, peers, runs

import tangently as tg

STEP = 1e-30


def distance(x: Any, y: Any) -> float:
    """ADBench's criterion, at its worst entry."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    assert x.shape == y.shape
    return float((abs(x - y) / np.maximum(1, abs(x) + abs(y))).max())


def complex_step(f: Callable[..., Any], arguments: tuple[Any, ...], k: int, at: Any) -> Any:
    """The derivative of f(*arguments) by entry `at` of argument k."""
    moved = list(arguments)
    moved[k] = np.array(moved[k], complex)
    moved[k][at] += 1j * STEP
    return np.imag(f(*moved)) / STEP


@pytest.fixture
def no_files(monkeypatch, tmp_path):
    monkeypatch.setenv("TANGENTLY_ADBENCH", str(tmp_path / "nowhere"))
    data.hand_model.cache_clear()
    yield
    data.hand_model.cache_clear()


def file(name: str) -> str:
    if data.path(name) is None:
        pytest.skip(f"{name}.txt is absent: TANGENTLY_ADBENCH names no directory that has it")
    return name


# ---- scalar loops


def mixture_by_loops(alphas, means, icf, x, gamma, m):
    k, d = means.shape
    total = 0.0
    for point in x:
        exponents = []
        for j in range(k):
            y, z, at = point - means[j], [], d
            below = {}
            for column in range(d):
                for row in range(column + 1, d):
                    below[row, column] = icf[j, at]
                    at += 1
            for row in range(d):
                rest = sum(below[row, c] * y[c] for c in range(row))
                z.append(cmath.exp(icf[j, row]) * y[row] + rest)
            exponents.append(alphas[j] + sum(icf[j, :d]) - 0.5 * sum(v * v for v in z))
        total += cmath.log(sum(map(cmath.exp, exponents))) - cmath.log(sum(map(cmath.exp, alphas)))
    total -= 0.5 * len(x) * d * math.log(2 * math.pi)
    degrees = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(0.5 * (degrees - i)) for i in range(d))
    for row in icf:
        size = sum(cmath.exp(2 * q) for q in row[:d]) + sum(v * v for v in row[d:])
        total += 0.5 * gamma**2 * size - m * sum(row[:d])
        total -= degrees * d * math.log(gamma / math.sqrt(2)) - log_gamma
    return total


def turned(r, v):
    """Rodrigues' formula, in the form cos θ v + sin θ k×v + (1 − cos θ)(k·v) k."""
    square = sum(q * q for q in r)
    if square == 0:
        return v + np.cross(r, v)
    angle = cmath.sqrt(square)
    axis = r / angle
    cos, sin = cmath.cos(angle), cmath.sin(angle)
    return cos * v + sin * np.cross(axis, v) + (1 - cos) * (axis @ v) * axis


def observation(camera, X, w, feature):
    """The three residuals of one observation."""
    v = turned(camera[:3], X - camera[3:6])
    u = v[:2] / v[2]
    square = u @ u
    seen = camera[6] * (1 + camera[9] * square + camera[10] * square**2) * u + camera[7:9]
    return np.array([*(w * (seen - feature)), 1 - w * w])


def skinned(theta, vertex, weights, model):
    """One vertex, its bones' transforms multiplied up from the root."""
    angles = {1 + 4 * f + 1 + j: theta[6 + 4 * f + (0, 2, 3)[j]] for f in range(5) for j in range(3)}
    spreads = {1 + 4 * f + 1: theta[6 + 4 * f + 1] for f in range(5)}
    absolutes: list[Any] = []
    placed: Any = 0.0
    for bone, parent in enumerate(model.parents):
        a, b = angles.get(bone, 0.0), spreads.get(bone, 0.0)
        about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
        pose = np.eye(4, dtype=complex)
        pose[:3, :3] = about_z @ about_x
        own = model.relatives[bone] @ pose
        absolutes.append(own if parent < 0 else absolutes[parent] @ own)
        placed = placed + weights[bone] * (absolutes[bone] @ model.inverse_absolutes[bone] @ vertex)
    return turned(theta[:3], placed[:3]) + theta[3:6]


def hand_by_loops(theta, us, task):
    place = lambda v: skinned(theta, task.model.vertices[v], task.model.weights[v], task.model)
    rows = []
    for k, (which, point) in enumerate(zip(task.correspondences, task.points)):
        if us is None:
            rows.append(point - place(which))
        else:
            a, b, c = map(place, task.model.triangles[which])
            rows.append(point - (us[k][0] * a + us[k][1] * b + (1 - us[k][0] - us[k][1]) * c))
    return np.concatenate(rows)


def text_by_loops(main, extra, state, sequence):
    state = np.array(state, complex)
    sigmoid = lambda v: 1 / (1 + cmath.exp(-v))
    b, total = sequence.shape[1], 0.0
    for x, target in itertools.pairwise(sequence):
        inputs = x * extra[0]
        for k in range(0, len(main), 2):
            weight, bias = main[k], main[k + 1]
            outputs = []
            for i in range(b):
                gate = lambda j, v, i=i, weight=weight, bias=bias: v * weight[j * b + i] + bias[j * b + i]
                hidden, memory = state[k, i], state[k + 1, i]
                memory = memory * sigmoid(gate(0, inputs[i])) + sigmoid(gate(1, hidden)) * cmath.tanh(gate(3, hidden))
                state[k + 1, i] = memory
                outputs.append(sigmoid(gate(2, inputs[i])) * cmath.tanh(memory))
            state[k] = inputs = np.array(outputs)
        y = inputs * extra[1] + extra[2]
        total += sum(target * (y - cmath.log(2 + sum(map(cmath.exp, y)))))
    return -total / (len(sequence) - 1) / b


# ---- values and derivatives


def check_gradient(f, by_loops, arguments, wrt, every=1):
    """Value and gradient of f against the loops' complex steps (at each `every`-th entry)."""
    assert distance(f(*arguments), np.real(by_loops(*arguments))) < 1e-12
    for k, found in enumerate(tg.grad(f, wrt=wrt)(*arguments)):
        places = list(np.ndindex(found.shape))[::every]
        wanted = [complex_step(by_loops, arguments, k, at) for at in places]
        assert distance([found[at] for at in places], wanted) < 1e-10


def mixture_arguments(name: str) -> tuple[Any, ...]:
    a = data.gmm(name)
    return a.alphas, a.means, a.icf, a.x, a.gamma, a.m


def check_mixture(arguments, every=1):
    check_gradient(gmm.log_likelihood, mixture_by_loops, arguments, ("alphas", "means", "icf"), every)


def test_mixture_of_the_test_file():
    arguments = mixture_arguments(file("gmm_test"))
    assert distance(gmm.log_likelihood(*arguments), runs.EXPECTED) < 1e-14
    check_mixture(arguments)


def test_mixture_of_a_larger_file():
    alphas, means, icf, x, gamma, m = mixture_arguments(file("gmm_d10_K10"))
    check_mixture((alphas, means, icf, x[:5], gamma, m), every=29)


@pytest.mark.parametrize(("gamma", "m"), [(1.0, 0), (0.7, 3)])
def test_mixture_made_up(no_files, gamma, m):
    arguments = mixture_arguments("gmm_d3_K4")
    assert arguments[3].shape == (1000, 3)
    check_mixture((*arguments[:3], arguments[3][:6], gamma, m))


def test_mixture_of_far_points_does_not_overflow(no_files):
    alphas, means, icf, x, gamma, m = mixture_arguments("gmm_d2_K3")
    gradient = tg.grad(gmm.log_likelihood, wrt=("alphas", "means", "icf"))(alphas, means, icf, 1e3 * x, gamma, m)
    assert all(np.isfinite(g).all() for g in gradient)


def check_bundle(bundle: data.Bundle, rows: range) -> None:
    arguments = ba.columns(bundle)
    reprojections, weights = ba.objective(arguments)
    p, n = len(weights), len(bundle.cameras)
    J = ba.jacobian(bundle)
    assert J.shape == (3 * p, 11 * n + 3 * len(bundle.points) + p)
    assert J.nnz == 31 * p
    for i in rows:
        camera, point = bundle.observations[i]
        one = bundle.cameras[camera], bundle.points[point], bundle.weights[i], bundle.features[i]
        assert distance([*reprojections[2 * i : 2 * i + 2], weights[i]], np.real(observation(*one))) < 1e-11
        columns = [*(11 * camera + np.arange(11)), *(11 * n + 3 * point + np.arange(3)), J.shape[1] - p + i]
        places = [(0, k) for k in range(11)] + [(1, k) for k in range(3)] + [(2, ())]
        wanted = np.stack([complex_step(observation, one, k, at) for k, at in places], axis=1)
        found = J[[2 * i, 2 * i + 1, 2 * p + i]].toarray()
        assert distance(found[:, columns], wanted) < 1e-10
        assert np.count_nonzero(found) <= 31


def test_bundle_of_the_test_file():
    check_bundle(data.ba(file("ba_test")), range(10))


def test_bundle_of_a_large_file():
    check_bundle(data.ba(file("ba1_n49_m7776_p31843")), range(0, 31843, 5000))


def test_bundle_made_up(no_files):
    check_bundle(data.ba("ba_n3_m7_p20"), range(20))


def test_a_camera_that_is_not_rotated(no_files):
    """θ = 0: sin θ/θ and (1 − cos θ)/θ² are smooth there, and so is the derivative."""
    bundle = data.ba("ba_n1_m2_p2")
    still = replace(bundle, cameras=np.concatenate([np.zeros((1, 3)), bundle.cameras[:, 3:]], axis=1))
    near = replace(still, cameras=np.concatenate([np.full((1, 3), 1e-7), bundle.cameras[:, 3:]], axis=1))
    assert distance(ba.jacobian(still).data, ba.jacobian(near).data) < 1e-5


def check_hand(task: data.Hand, points: int) -> None:
    us = None if task.us is None else task.us[:points]
    task = replace(task, us=us, correspondences=task.correspondences[:points], points=task.points[:points])
    objective, derivative = hand.problem(task)
    assert distance(objective(), np.real(hand_by_loops(task.theta, us, task))) < 1e-12
    columns = [complex_step(lambda t: hand_by_loops(t, us, task), (task.theta,), 0, k) for k in range(26)]
    if us is not None:
        own = [sum(complex_step(lambda u: hand_by_loops(task.theta, u, task), (us,), 0, (i, k)) for i in range(points))
               for k in range(2)]  # fmt: skip
        columns = own + columns
    assert distance(derivative(), np.stack(columns, axis=1)) < 1e-11


@pytest.mark.parametrize("name", ["hand_test", "hand_simple_t26_c100", "hand_complicated_t26_c100"])
def test_hand_of_the_files(name):
    check_hand(data.hand(file(name)), 2)


@pytest.mark.parametrize("name", ["hand_simple_t26_c3", "hand_complicated_t26_c3"])
def test_hand_made_up(no_files, name):
    check_hand(data.hand(name), 3)


def test_hand_that_is_not_rotated(no_files):
    """The benchmark takes the identity there."""
    task = data.hand("hand_simple_t26_c3")
    still = replace(task, theta=np.concatenate([np.zeros(3), task.theta[3:]]))
    jacobian = hand.problem(still)[1]()
    assert not jacobian[:, :3].any()
    assert np.isfinite(jacobian).all()


def text_arguments(name: str) -> tuple[Any, ...]:
    a = data.lstm(name)
    return a.main, a.extra, a.state, a.sequence


def test_text_of_the_file():
    main, extra, state, sequence = text_arguments(file("lstm_l2_c1024"))
    check_gradient(lstm.loss, text_by_loops, (main, extra, state, sequence[:9]), ("main", "extra"), every=17)


def test_text_made_up(no_files):
    main, extra, state, sequence = text_arguments("lstm_l2_c6")
    check_gradient(lstm.loss, text_by_loops, (main, extra, state, sequence), ("main", "extra"), every=13)


@pytest.mark.slow
def test_all_of_the_text():
    arguments = text_arguments(file("lstm_l2_c1024"))
    check_gradient(lstm.loss, text_by_loops, arguments, ("main", "extra"), every=101)


# ---- readers, peers, rows


def test_sizes_of_the_files():
    name = file("ba1_n49_m7776_p31843")
    found = data.ba(name)
    assert (len(found.cameras), len(found.points), len(found.weights)) == (49, 7776, 31843)
    assert found.observations[50].tolist() == [1, 50]


def test_made_up_inputs_have_the_shapes_of_the_files(monkeypatch, tmp_path):
    file("gmm_test")
    shapes = lambda: [
        [np.shape(v) for v in vars(read(name)).values() if isinstance(v, np.ndarray)]
        for read, name in ((data.gmm, "gmm_d10_K25"), (data.ba, "ba_test"), (data.hand, "hand_complicated_t26_c100"),
                           (data.lstm, "lstm_l2_c1024"))
    ]  # fmt: skip
    real = shapes()
    monkeypatch.setenv("TANGENTLY_ADBENCH", str(tmp_path))
    assert shapes() == real


PROBLEMS = [(runs.mixture, "gmm_d2_K3"), (runs.bundle, "ba_n2_m3_p5"), (runs.tracking, "hand_simple_t26_c4"),
            (runs.tracking, "hand_complicated_t26_c4"), (runs.text, "lstm_l2_c5")]  # fmt: skip


@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.parametrize(("make", "name"), PROBLEMS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_peers_compute_the_same(no_files, library, make, name):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    problem = make(name)
    wanted = runs.JAX if library == "jax" else runs.TORCH
    chosen = {peer: maker() for peer, maker in problem.peers.items() if peer == wanted}
    runs.agree(problem, chosen)


def test_rows(no_files, monkeypatch):
    monkeypatch.setattr(runs, "QUICK", [(runs.tracking, "hand_simple_t26_c2")])
    monkeypatch.setattr("benchmarks.harness.TURN", 1e-4)
    monkeypatch.setattr(runs, "optional", lambda make, *args: None)
    rows = list(runs.adbench_rows(quick=True))
    assert [row.against for row in rows] == [runs.OBJECTIVE, runs.JAX, runs.TORCH]
    assert rows[0].limit == 4
    assert rows[0].note.startswith(runs.MADE_UP)
    assert rows[1].ratio is None


def test_a_module_with_another_numpy_leaves_the_first_alone():
    other = peers.in_place_of_numpy("lstm", math)
    assert other.np is math
    assert lstm.np is np
