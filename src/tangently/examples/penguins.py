"""Two models of the Palmer penguins (penguins.csv; 344 birds, CC0): which species is it, from four measurements?

`logistic` is the loss of a logistic regression, Adelie or not; no line separates the two, so its minimum is finite.
`network` is the loss of a network with one hidden layer of 8 units, for all three species.
"""

import csv
from pathlib import Path

import numpy as np

DATA = Path(__file__).with_name("penguins.csv")
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def load(path=DATA):
    """Measurements (n, 4) and the number of the species (n,), of the birds that were measured."""
    with open(path, newline="", encoding="utf-8") as file:
        birds = [bird for bird in csv.DictReader(file) if "NA" not in [bird[m] for m in MEASUREMENTS]]
    sizes = np.array([[float(bird[m]) for m in MEASUREMENTS] for bird in birds])
    return sizes, np.array([SPECIES.index(bird["species"]) for bird in birds])


SIZES, LABELS = load()
X = (SIZES - SIZES.mean(axis=0)) / SIZES.std(axis=0)  # standardized: mean 0, standard deviation 1
ADELIE = (LABELS == 0).astype(float)
WEIGHTS = np.zeros(4)


def logistic(w=WEIGHTS, b=0.0):
    """The mean logistic loss of telling Adelie from the others."""
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    loss = -np.mean(ADELIE * np.log(p) + (1 - ADELIE) * np.log(1 - p))
    return loss


def initial(seed=0, hidden=8):
    """Small random weights, zero biases."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(0, 0.5, (4, hidden)),
        "b1": np.zeros(hidden),
        "W2": rng.normal(0, 0.5, (hidden, 3)),
        "b2": np.zeros(3),
    }


START = initial()


def cross_entropy(x, params):
    """The mean softmax cross-entropy of the network's answers for the birds x."""
    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    z = z - np.max(z, axis=1, keepdims=True)  # so that no exponential overflows
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(LABELS)), LABELS])


def network(params=START):
    """The loss of the network on all birds."""
    loss = cross_entropy(X, params)
    return loss
