"""A character LSTM whose weights are diagonal: the mean log-likelihood loss of a text, each bit given all before.

Every layer keeps a hidden value h and a cell c; with the gates f, i, o = σ(·) and the change a = tanh(·), each of its
own weight and bias, entry by entry,

    c ← f c + i a,   h ← o tanh c;

f and o see the layer's input and i and a its hidden value, in the order f (input), i (hidden), o (input), a (hidden).
The prediction is h of the last layer, scaled and shifted, and minus log(2 + Σ exp) of it, as the benchmark has it.
`main` has two rows for each layer (weights, biases), `extra` three (input scale, output scale, output shift).
"""

from __future__ import annotations

import math

import numpy as np


def cell(weight, bias, hidden, memory, x):
    """One layer, one step: the new hidden value and memory."""
    b = len(x)
    gates = np.concatenate([x, hidden, x, hidden]) * weight + bias
    opened = 1 / (1 + np.exp(-gates[: 3 * b]))
    memory = opened[:b] * memory + opened[b : 2 * b] * np.tanh(gates[3 * b :])
    return opened[2 * b :] * np.tanh(memory), memory


def layers(main, state, x):
    """All layers, one step: the new state; its last hidden value is the output."""
    new = []
    for weight, bias, hidden, memory in zip(main[::2], main[1::2], state[::2], state[1::2]):
        x, memory = cell(weight, bias, hidden, memory, x)
        new += [x, memory]
    return new


def loss_of(outputs, targets, extra):
    """The mean loss of the outputs at all steps."""
    y = outputs * extra[1] + extra[2]
    log_p = y - np.log(2 + np.exp(y).sum(axis=1, keepdims=True))
    return -(targets * log_p).sum() / math.prod(targets.shape)


def loss(main, extra, state, sequence):
    state, outputs = list(state), []
    for x in sequence[:-1]:
        state = layers(main, state, x * extra[0])
        outputs.append(state[-2])
    return loss_of(np.stack(outputs), sequence[1:], extra)
