"""The examples that come with the package: the data, and values and gradients against PyTorch's."""

from __future__ import annotations

import csv
import hashlib
import importlib
import itertools
import math
from collections import Counter

import numpy as np
import pytest

import tangently as tg
from conftest import agree
from tangently.examples import EXAMPLES, curve, path, penguins
from tangently.tracing.trees import flatten, map_tree

CSV = path("penguins.csv")
SHA256 = "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"


# ---- the data


def test_data_file() -> None:
    data = CSV.read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(data).hexdigest() == SHA256
    rows = list(csv.DictReader(data.decode().splitlines()))
    assert Counter(row["species"] for row in rows) == {"Adelie": 152, "Gentoo": 124, "Chinstrap": 68}
    notice = CSV.with_name("penguins.LICENSE.txt").read_text()
    assert SHA256 in notice
    assert "CC0 1.0" in notice


def test_loaded_data() -> None:
    assert penguins.X.shape == (342, 4)
    assert Counter(penguins.LABELS.tolist()) == {0: 151, 1: 68, 2: 123}
    assert penguins.ADELIE.sum() == 151
    agree(penguins.X.mean(axis=0), np.zeros(4), scale=1.0)
    agree(penguins.X.std(axis=0), np.ones(4))
    agree(penguins.SIZES[0], [39.1, 18.7, 181, 3750], rtol=0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_needs_no_point(name: str) -> None:
    file, _, function = name.partition(":")
    assert path(name).exists()
    module = importlib.import_module(f"tangently.examples.{file.removesuffix('.py')}")
    f = getattr(module, function)
    value, gradient = tg.value_and_grad(f)()
    assert value == pytest.approx(float(f()), rel=1e-14)
    assert all(np.isfinite(g).all() for g in flatten(gradient)[0])


# ---- PyTorch agrees


def torch_network(x, params):
    import torch

    h = torch.tanh(x @ params["W1"] + params["b1"])
    return torch.nn.functional.cross_entropy(h @ params["W2"] + params["b2"], torch.tensor(penguins.LABELS))


def torch_tensors(tree):
    import torch

    return map_tree(lambda leaf: torch.tensor(np.asarray(leaf), dtype=torch.float64, requires_grad=True), tree)


@pytest.mark.parametrize("seed", range(4))
def test_logistic_as_pytorch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    w, b = rng.normal(0, 1, 4), float(rng.normal())
    value, (dw, db) = tg.value_and_grad(penguins.logistic)(w, b)
    tw, tb = torch_tensors([w, b])[:2]
    z = torch.tensor(penguins.X) @ tw + tb
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(penguins.ADELIE))
    loss.backward()
    agree(value, loss.item(), 1e-10)
    agree(dw, tw.grad, 1e-10)
    agree(db, tb.grad, 1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_network_as_pytorch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    params = penguins.initial(seed)
    value, gradient = tg.value_and_grad(penguins.network)(params)
    theirs = torch_tensors(params)
    loss = torch_network(torch.tensor(penguins.X), theirs)
    loss.backward()
    agree(value, loss.item(), 1e-10)
    assert list(gradient) == list(params)
    for name in params:
        agree(gradient[name], theirs[name].grad, 1e-10, what=name)


def test_feature_importance_as_pytorch() -> None:
    torch = pytest.importorskip("torch")
    gradient = tg.grad(penguins.cross_entropy, wrt="x")(penguins.X, penguins.START)
    x = torch.tensor(penguins.X, requires_grad=True)
    torch_network(x, map_tree(torch.tensor, penguins.START)).backward()
    agree(gradient, x.grad, 1e-10)
    importance = np.abs(gradient).mean(axis=0)
    assert importance.shape == (4,)
    assert importance.argmax() == np.abs(x.grad.numpy()).mean(axis=0).argmax()


# ---- descent


@pytest.mark.parametrize("name", ["logistic", "network"])
def test_one_update_at_rate_a_tenth_reduces_the_loss(name: str) -> None:
    f = getattr(penguins, name)
    start = (penguins.START,) if name == "network" else (penguins.WEIGHTS, 0.0)
    gradient = tg.grad(f)(*start)
    steps = iter(flatten(gradient)[0])
    moved = map_tree(lambda leaf: leaf - 0.1 * next(steps), start)
    slope = sum(float(np.sum(np.square(g))) for g in flatten(gradient)[0])
    assert f(*start) - f(*moved) == pytest.approx(0.1 * slope, rel=0.2)  # to first order: rate times |gradient|²


def test_logistic_is_not_separable_and_convex() -> None:
    w, b = penguins.WEIGHTS, 0.0
    step = tg.value_and_grad(penguins.logistic)
    losses = []
    for _ in range(400):
        loss, (dw, db) = step(w, b)
        losses.append(loss)
        w, b = w - dw, b - db
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    assert ((penguins.X @ w + b > 0) == penguins.ADELIE).mean() > 0.98
    hessian = tg.hessian(lambda w: penguins.logistic(w, float(b)))(w)
    assert np.linalg.eigvalsh(hessian).min() > 0


# ---- the curves


@pytest.mark.parametrize(
    ("f", "point", "gradient"),
    [
        (curve.f, (1.0,), 7.0),
        (curve.two, (1.0, 2.0), (2 + 2 * math.e**2, 3 + math.e**2)),
        (curve.root, (2.0,), 1 / (2 * math.sqrt(2.0))),
        (curve.root, (400.0,), 1 / 40),
        (curve.power, (2.0,), 80.0),
    ],
    ids=["f", "two", "root", "root-400", "power"],
)
def test_curves(f, point, gradient) -> None:
    agree(tg.grad(f)(*point), gradient, 1e-10)


def test_names_in_the_code_are_those_of_the_source() -> None:
    step = tg.grad(penguins.network)
    step()
    assert {"h = ", "dW1 = ", "db2 = "} <= {f"{word} = " for word in step.source.replace("=", " ").split()}
    importance = tg.grad(penguins.network, wrt="h")()
    assert importance.shape == (342, 8)
    assert tg.grad(penguins.network, wrt="loss")() == 1.0
