"""SymPy asked in a process of its own: what it answers, and that no question can hold anyone up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tangently import opinions
from tangently.errors import InputError, ParseError
from tangently.opinions import sympy_limit

PATIENT = 60.0  # seconds: for a first start on a busy machine
ENDLESS = "gamma(x + 1)^(1/x) - gamma(x)^(1/(x - 1))"  # SymPy doesn't come back from it


@pytest.fixture(scope="module", autouse=True)
def worker() -> Iterator[None]:
    sympy_limit("x", "x", "0", 1, seconds=PATIENT)
    yield
    opinions.close()


@pytest.mark.parametrize(
    ("formula", "point", "side", "answer", "verdict"),
    [
        ("sin(x)/x", "0", 1, "1", "value"),
        ("x/3 + 0.1", "1/7", -1, "31 / 210", "value"),  # literals stay rational
        ("sin(x)/(x - pi)", "pi", 1, "-1", "value"),  # and π is π
        ("(3/10 + 7/10 - 1)/x", "0", 1, "0", "value"),
        ("(1 + 2/x)^x", "inf", -1, "exp(2)", "value"),
        ("atan(x)", "-inf", 1, "-pi / 2", "value"),
        ("(a^x - 1)/x", "0", 1, "log(a)", "value"),
        ("abs(x)/x", "0", -1, "-1", "value"),
        ("floor(x)", "2", -1, "1", "value"),
        ("7", "0", 1, "7", "value"),
        ("1/x", "0", -1, "-inf", "infinite"),
        ("exp(x)/x^9", "inf", -1, "inf", "infinite"),
        ("sin(1/x)", "0", 1, None, "none"),
    ],
)
def test_what_sympy_says(formula: str, point: str, side: int, answer: str | None, verdict: str) -> None:
    opinion = sympy_limit(formula, "x", point, side, seconds=PATIENT)
    assert (opinion.answer, opinion.verdict) == (answer, verdict)
    assert 0 < opinion.seconds < PATIENT


def test_time_is_bounded_and_no_process_is_left() -> None:
    sympy_limit("x", "x", "0", 1, seconds=PATIENT)
    before = opinions._running[0]
    start = time.monotonic()
    opinion = sympy_limit(ENDLESS, "x", "inf", -1, seconds=0.5)
    assert (opinion.answer, opinion.verdict) == (None, "silent")
    assert time.monotonic() - start < 2.0
    assert before.process.returncode is not None  # killed, and collected
    assert opinions._running == []
    assert sympy_limit("2*x", "x", "3", 1, seconds=PATIENT).answer == "6"  # another one answers


def test_a_worker_that_is_still_starting_goes_on() -> None:
    """No time for the start: silence, but the worker is not thrown away, so that a later question finds it ready."""
    opinions.close()
    assert sympy_limit("x", "x", "0", 1, seconds=0.001).verdict == "silent"
    starting = opinions._running[0]
    assert sympy_limit("x", "x", "0", 1, seconds=PATIENT).answer == "0"
    assert opinions._running[0] is starting


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the system has no bound on memory that holds")
def test_memory_is_bounded() -> None:
    assert sympy_limit("x", "x", "0", 1, seconds=PATIENT, megabytes=20).verdict == "silent"  # not enough to start
    assert opinions._running == []
    assert sympy_limit("x", "x", "0", 1, seconds=PATIENT).answer == "0"


def test_a_worker_that_died_is_replaced() -> None:
    sympy_limit("x", "x", "0", 1, seconds=PATIENT)
    opinions._running[0].process.kill()
    opinions._running[0].process.wait()
    assert sympy_limit("x", "x", "5", 1, seconds=PATIENT).answer == "5"


def test_the_worker_ends_with_the_program() -> None:
    code = (
        "from tangently import opinions\n"
        f"opinions.sympy_limit('x', 'x', '0', 1, seconds={PATIENT})\n"
        "print(opinions._running[0].process.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    if sys.platform == "linux":
        assert subprocess.run(["ps", "-p", done.stdout.strip()], capture_output=True, check=False).returncode == 1


def test_nothing_runs_before_the_first_question() -> None:
    code = (
        "import sys, threading, tangently.opinions as o\n"
        "print(o._running, 'sympy' in sys.modules, threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False 1"


def test_bad_questions_are_refused_here() -> None:
    with pytest.raises(ParseError):
        sympy_limit("sin(", "x", "0", 1)
    with pytest.raises(ParseError):
        sympy_limit("__import__('os')", "x", "0", 1)
    with pytest.raises(ParseError):
        sympy_limit("x", "x", "1 +", 1)
    with pytest.raises(InputError, match="side=0"):
        sympy_limit("x", "x", "0", 0)
    with pytest.raises(InputError, match="seconds=0"):
        sympy_limit("x", "x", "0", 1, seconds=0)
