"""Limits of several variables, along all paths: textbook limits with their answers, bounds, disproofs, bad input.

The limits are standard exercises (J. Stewart, Calculus, 14.2; G. B. Thomas, Calculus, 14.2; B. P. Demidovich, Problems
in Mathematical Analysis, ch. VI; G. Peano's and other classical counterexamples), with variations of each class.
"""

from __future__ import annotations

import math
import statistics
import time
from typing import Any

import pytest

from tangently.limits import limit
from tangently.limits.paths import PathLimit

INF = math.inf
O2, O3 = (0, 0), (0, 0, 0)

# (formula, point, truth): a number, ±inf, or None where there is no limit
CONTINUOUS = [
    ("x^2*y^3 - x^3*y^2 + 3*x + 2*y", (1, 2), 11.0),
    ("5*x^3 - x^2*y^2", (1, 2), 1.0),
    ("exp(-x*y)*cos(x + y)", (1, -1), math.e),
    ("(4 - x*y)/(x^2 + 3*y^2)", (2, 1), 2 / 7),
    ("log((1 + y^2)/(x^2 + x*y))", (1, 0), 0.0),
    ("(3*x^2 - y^2 + 5)/(x^2 + y^2 + 2)", O2, 2.5),
    ("x*sin(1/y)", (2, "2/pi"), 2.0),
    ("sqrt(x + y) + abs(x - y)", (2, 2), 2.0),
    ("x/sqrt(y)", (0, 4), 0.0),
    ("sqrt(x) + sqrt(y)", O2, 0.0),
    ("cos((x^2 + y^3)/(x + y + 1))", O2, 1.0),
    ("x*y*exp(z) + log(z)", (1, 2, 1), 2 * math.e),
]
NONE = [
    ("x*y/(x^2 + y^2)", O2),
    ("(x^2 - y^2)/(x^2 + y^2)", O2),
    ("x*y^2/(x^2 + y^4)", O2),
    ("x^2*y/(x^4 + y^2)", O2),
    ("x*y^3/(x^2 + y^6)", O2),
    ("sin(x*y)/(x^2 + y^2)", O2),
    ("(x^4 - 4*y^2)/(x^2 + 2*y^2)", O2),
    ("y^2*sin(x)^2/(x^4 + y^4)", O2),
    ("x*y*cos(y)/(3*x^2 + y^2)", O2),
    ("x^2*y*exp(y)/(x^4 + 4*y^2)", O2),
    ("x*y^4/(x^2 + y^8)", O2),
    ("-x/sqrt(x^2 + y^2)", O2),
    ("x^4/(x^4 + y^2)", O2),
    ("(x - y)/(x + y)", O2),
    ("x*y/abs(x*y)", O2),
    ("(x^2 + y)/y", O2),
    ("x^2/(x^2 - y)", O2),
    ("x*y/(x + y)", O2),
    ("(x^3 + y^3)/(x^2 - y)", O2),
    ("x^2*y^2/(x^2*y^2 + (x - y)^2)", O2),
    ("arctan(y/x)", O2),
    ("y/x", O2),
    ("x^y", O2),
    ("x*log(y)", O2),
    ("sin(1/(x^2 + y^2))", O2),
    ("1/(x*y)", O2),
    ("(x - 1)*(y - 2)/((x - 1)^2 + (y - 2)^2)", (1, 2)),
    ("(x*y - 2*x - y + 2)/(x^2 + y^2 - 2*x - 4*y + 5)", (1, 2)),
    ("(x^2 + y^2)/(x^2 - 2*y^2)", O2),
    ("sign(x*y)", O2),
    ("floor(x + y)", O2),
    ("exp(-x^2/y^2)", O2),
    ("where(y > x^2, 1, 0)", O2),
    ("where(y == x^2, 1, 0)", O2),
    ("(x + y)/(x - y^3)", O2),
    ("(x*y + y*z)/(x^2 + y^2 + z^2)", O3),
    ("(x*y + y*z^2 + x*z^2)/(x^2 + y^2 + z^4)", O3),
    ("x*y*z/(x^3 + y^3 + z^3)", O3),
    ("x*y/(x^2 + y^2)", (INF, INF)),
    ("(1 + 1/x)^(x^2/(x + y))", (INF, INF)),
]
VALUES = [
    ("x^2*y/(x^2 + y^2)", O2, 0.0),
    ("3*x^2*y/(x^2 + y^2)", O2, 0.0),
    ("x*y/sqrt(x^2 + y^2)", O2, 0.0),
    ("(x^4 - y^4)/(x^2 + y^2)", O2, 0.0),
    ("x^3/(x^2 + y^2)", O2, 0.0),
    ("(x^3 + y^3)/(x^2 + y^2)", O2, 0.0),
    ("x^2*sin(y)^2/(x^2 + 2*y^2)", O2, 0.0),
    ("(x^2 + y^2)/(sqrt(x^2 + y^2 + 1) - 1)", O2, 2.0),
    ("(x^2 + y^2)*log(x^2 + y^2)", O2, 0.0),
    ("(exp(-x^2 - y^2) - 1)/(x^2 + y^2)", O2, -1.0),
    ("sin(x*y)/(x*y)", O2, 1.0),
    ("sin(x^2 + y^2)/(x^2 + y^2)", O2, 1.0),
    ("(1 - cos(x^2 + y^2))/(x^2 + y^2)^2", O2, 0.5),
    ("x*y*(x^2 - y^2)/(x^2 + y^2)", O2, 0.0),
    ("(x^2 - 2*x*y + y^2)/(x - y)", (1, 1), 0.0),
    ("(x*y - y - 2*x + 2)/(x - 1)", (1, 1), -1.0),
    ("(y + 4)/(x^2*y - x*y + 4*x^2 - 4*x)", (2, -4), 0.5),
    ("(x - y + 2*sqrt(x) - 2*sqrt(y))/(sqrt(x) - sqrt(y))", O2, 2.0),
    ("(x + y - 4)/(sqrt(x + y) - 2)", (2, 2), 4.0),
    ("(sqrt(2*x - y) - 2)/(2*x - y - 4)", (2, 0), 0.25),
    ("exp(y)*sin(x)/x", O2, 1.0),
    ("sin(x*y)/x", (0, 2), 2.0),
    ("sin(x*y)/y", (3, 0), 3.0),
    ("tan(x*y)/x", (0, 5), 5.0),
    ("(x^2 + y^2)*sin(1/(x*y))", O2, 0.0),
    ("x*sin(1/y)", O2, 0.0),
    ("(x + y)*sin(1/x)*sin(1/y)", O2, 0.0),
    ("x^2*y^2*log(x^2 + y^2)", O2, 0.0),
    ("exp(-1/(x^2 + y^2))/(x^4 + y^4)", O2, 0.0),
    ("exp(-1/(x^2 + y^2))", O2, 0.0),
    ("(1 + x^2*y^2)^(-1/(x^2 + y^2))", O2, 1.0),
    ("(x^2 + y^2)^(x^2*y^2)", O2, 1.0),
    ("1/(x^2 + y^2)", O2, INF),
    ("(x^2 + y^2)/(x^4 + y^4)", O2, INF),
    ("log(x^2 + y^2)", O2, -INF),
    ("x^2*arctan(y/x)", O2, 0.0),
    ("abs(x)^(3/2)*y/(x^2 + y^2)", O2, 0.0),
    ("x^2*y^2/(x^2 + y^4)", O2, 0.0),
    ("x^3*y/(x^4 + y^2)", O2, 0.0),
    ("abs(x)*y/(abs(x) + y^2)", O2, 0.0),
    ("(x^3 + y^3)/(x^2 - x*y + y^2)", O2, 0.0),
    ("x*y^4/(x^4 + y^4)", O2, 0.0),
    ("sin(x^3 + y^3)/(x^2 + y^2)", O2, 0.0),
    ("arcsin(x*y - 2)/arctan(3*x*y - 6)", (2, 1), 1 / 3),
    ("cbrt(x*y)*x/sqrt(x^2 + y^2)", O2, 0.0),
    ("exp(x*y)*sin(x - y)/(x - y)", O2, 1.0),
    ("sin(x^2 + y^2)/(x^2 + y^2) + x*sin(1/y)", O2, 1.0),
    ("(tan(x) - tan(y))/(x - y)", O2, 1.0),
    ("(exp(x) - exp(y))/(x - y)", (1, 1), math.e),
    ("(cos(x) - cos(y))/(x - y)", O2, 0.0),
    ("max(abs(x), abs(y))/sqrt(abs(x) + abs(y))", O2, 0.0),
    ("floor(x^2 + y^2)", O2, 0.0),
    ("where(y > x^2, x, y)", O2, 0.0),
    ("x*abs(y - x^2)/(y - x^2)", O2, 0.0),
    ("sqrt(x^2 - y^2)", O2, 0.0),
    ("(x - 1)^2*log(x)/((x - 1)^2 + y^2)", (1, 0), 0.0),
    ("(x^2 + y^2)*exp(-(x + y))", (INF, INF), 0.0),
    ("(x + y)/(x^2 + y^2)", (INF, INF), 0.0),
    ("(x + y)/(x^2 - x*y + y^2)", (INF, INF), 0.0),
    ("(x*y/(x^2 + y^2))^(x^2)", (INF, INF), 0.0),
    ("sin(x*y)/x", (0, "3/2"), 1.5),
    ("x*y*z/(x^2 + y^2 + z^2)", O3, 0.0),
    ("sin(x^2 + y^2 + z^2)/sqrt(x^2 + y^2 + z^2)", O3, 0.0),
    ("x^2*y^2*z^2/(x^2 + y^2 + z^2)", O3, 0.0),
    ("arctan(1/(x^2 + y^2 + z^2))", O3, math.pi / 2),
    ("(x*y + y*z + z*x)/sqrt(x^2 + y^2 + z^2)", O3, 0.0),
]
CASES = [*CONTINUOUS, *[(f, p, None) for f, p in NONE], *VALUES]


def judged(found: PathLimit, truth: float | None) -> str:
    if found.exists is None:
        return "undecided"
    if truth is None:
        return "right" if found.exists is False and found.value is None else "wrong"
    if found.value is None or not found.exists:
        return "wrong"
    return "right" if found.value == truth or math.isclose(found.value, truth, abs_tol=1e-14) else "wrong"


@pytest.mark.parametrize(("formula", "point", "truth"), CASES, ids=[f"{f} at {p}" for f, p, _ in CASES])
def test_textbook_limits_are_never_wrong(formula: str, point: Any, truth: float | None) -> None:
    found = limit(formula, point)
    assert judged(found, truth) != "wrong", f"{found}\n" + "\n".join(found.why)
    assert found.why
    assert str(found).endswith(f"[{found.how}]")


def test_most_textbook_limits_are_decided_and_fast() -> None:
    """At least 85 % are decided, in less than 100 ms at the median."""
    times, decided = [], 0
    for formula, point, truth in CASES:
        before = time.perf_counter()
        decided += judged(limit(formula, point), truth) == "right"
        times.append(time.perf_counter() - before)
    assert decided >= 0.85 * len(CASES)
    assert statistics.median(times) < 0.1 * (3 if max(times) > 2 else 1)
