"""Four objectives of ADBench in NumPy, their derivatives by tangently, and what both cost.

The objectives, their inputs and the values to expect are those of F. Šrajer, Z. Kukelova, A. Fitzgibbon, "A benchmark
of selected algorithmic differentiation tools on some problems in computer vision and machine learning", Optimization
Methods and Software 33 (2018), 889–906. The formulas here are written from the paper, as NumPy users would.

`gmm`, `ba`, `hand`, `lstm` hold one objective and its derivative each, `data` reads inputs (or makes some of the same
shapes where the files are absent), `peers` has the same formulas in JAX and PyTorch, `runs` measures.
"""

from __future__ import annotations

from typing import Any


def adbench_rows(quick: bool) -> Any:
    """The rows of the benchmark's table; what measures them is imported when it is asked for."""
    from . import runs

    return runs.adbench_rows(quick)
