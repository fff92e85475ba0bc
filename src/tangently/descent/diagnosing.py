"""`diagnose`: what a descent did and why, in words and numbers, and what to change, verified by changing it.

A diagnosis is a list of findings. Each detector below looks at the same evidence and gives a finding or None. It claims
only what it has checked:

- the kind of a point: Newton's steps from the last point must contract to a stationary point p close by, and the
  signs of the eigenvalues of ∇²f(p) (its inertia) say what p is; an eigenvalue that can't be told from 0 leaves the
  kind open, unless f is found lower nearby. No contraction: there is no such point nearby, and a small gradient is a
  plateau. (Newton's steps contract by a factor of ½ and more at a degenerate point, by ever smaller ones elsewhere:
  Griewank & Osborne, *Analysis of Newton's method at irregular singularities*, SIAM J. Numer. Anal. 20, 1983.)
- divergence, oscillation: the rate is held against the bound 2/λ_max of `theory`, the factor |1 − ηλ| against the
  measured one, and steps are projected on the top eigenvector, where they must alternate.
- a kink: the segment of a step is halved again and again, keeping the half on which the gradient changes more; where
  the change remains on 2⁻³⁰ of the segment, the gradient jumps there. The row that breaks is named from the graph.
- noise: the spread of the gradients of mini-batches against the gradient on all of the data.
- a wrong gradient: central differences that agree among themselves, and not with the gradient.
- a plateau: what the slope promises over the size of x is little against what is known to be left, in no bowl whose
  bottom Newton's steps find. Lengths are held against the way the run came, so no finding depends on units.
- f without a bound: along the last step it falls in proportion, over 15 decades of its length.

A remedy is a change of the settings of `minimize`. Candidates are run from the same start with as many steps (within
`BUDGET`), the one with the lowest value is kept, and only if it is lower than before; else the finding says what was
tried. What can't be decided is said. A diagnosis takes about `evidence.SECONDS` at most: theory, the run for comparison
and the remedies share them, and what the clock cut short is compared step for step.

Glossary: e the evidence, t the trajectory, v an eigenvector, λ an eigenvalue, η a rate, κ condition number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.descent import blowups, crawls, standstills, swings
from tangently.descent.evidence import Evidence
from tangently.descent.findings import REMARK, TROUBLE, VERDICT, Diagnosis, Finding
from tangently.descent.theory import anew
from tangently.errors import InputError

if TYPE_CHECKING:
    from tangently.descent.trajectory import Trajectory


def diagnose(trajectory: Trajectory) -> Diagnosis:
    """What happened in a descent, why, and what to change; every remedy has been run.

    >>> from tangently import minimize
    >>> d = diagnose(minimize("(x - 5)^2", 0.0, rate=1.1, steps=50))
    >>> d.main.name, d.main.numbers["bound"], d.main.after.converged
    ('divergence', 1.0, True)
    >>> diagnose(minimize("(x - 5)^2", 0.0, rate=0.1)).main.name
    'converged'
    """
    with np.errstate(all="ignore"):
        e = Evidence(_checked(trajectory))
        for detector in DETECTORS:
            found = detector(e)
            if found is not None:
                e.found[found.name] = replace(found, numbers={k: _plain(v) for k, v in found.numbers.items()})
        order = [TROUBLE, VERDICT, REMARK]
        findings = sorted(e.found.values(), key=lambda f: order.index(f.kind))
        return Diagnosis(trajectory, tuple(findings), e.theory)


def _plain(v: Any) -> Any:
    return v.item() if isinstance(v, np.generic) else v


def _checked(t: Any) -> Any:
    if not all(hasattr(t, name) for name in ("problem", "steps", "history")):
        raise InputError(f"got {t!r:.80}; a trajectory was wanted: diagnose(tg.minimize(f, start, …))")
    try:
        anew(t).point(t.last.x)
    except InputError as error:
        raise InputError(f"a diagnosis evaluates the function again. {error}") from None
    return t


DETECTORS: tuple[Callable[[Evidence], Finding | None], ...] = (
    blowups.wrong_gradient, blowups.divergence, blowups.unbounded, blowups.invalid, blowups.blocked,
    standstills.saddle, standstills.kinked, standstills.held, standstills.stopped_early, standstills.plateau,
    swings.oscillation, swings.unsettled, blowups.thrown, swings.hovering, swings.too_much_momentum,
    swings.noise, swings.edge,
    crawls.slow, standstills.converged, standstills.descending, standstills.negative_curvature,
)  # fmt: skip

__all__ = ["Diagnosis", "Finding", "diagnose"]
