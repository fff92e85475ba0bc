"""Explanation: the derivation is the data, and the answer is computed from it.

`derive` goes from the function down to its variable by the rules of the table and assembles the derivative on the way
back up; `check` holds it against the reverse sweep; `lines` tells it, at the depth and in the notation of the reader.
`backward_walk` tells the reverse sweep itself, for arrays too, and `paths` the chain rule as a sum over paths.
"""

from tangently.explanation.backward import BackStep, Contribution, backward_walk
from tangently.explanation.derivation import Check, Derivation, Step, check, derive, derive_nth
from tangently.explanation.pathways import Path, PathSum, paths
from tangently.explanation.telling import Line, lines

__all__ = [
    "BackStep",
    "Check",
    "Contribution",
    "Derivation",
    "Line",
    "Path",
    "PathSum",
    "Step",
    "backward_walk",
    "check",
    "derive",
    "derive_nth",
    "lines",
    "paths",
]
