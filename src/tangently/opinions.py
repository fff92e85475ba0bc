"""SymPy as one more opinion on a limit, asked in a process of its own with limits on time and memory.

SymPy decides limits by Gruntz's algorithm (D. Gruntz, "On computing limits in a symbolic manipulation system", thesis,
ETH Zürich 1996) with heuristics around it. It is often right, at times wrong, and at times without end, so three
things hold. Its answer is an opinion, which the caller checks. It runs in another process, which is killed when the
time is over; the kernel bounds its memory. And nothing is evaluated: the question goes over as text in tangently's own
grammar, is read there by tangently's parser (1/3 stays a rational number, pi is π), and becomes SymPy objects through
the table; the answer comes back through the table as text of the same grammar.

The worker reads one line of JSON for a question and writes one for the answer. It is started at the first question
and kept, so that SymPy is imported once; one that overran its time is killed and replaced at the next question. It ends
when its input ends, and an alarm ends it if the process that asked is gone while it still computes.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tangently.errors import InputError
from tangently.parsing import parse

INFINITE = {"inf": 1, "+inf": 1, "∞": 1, "+∞": 1, "oo": 1, "-inf": -1, "-∞": -1, "−∞": -1, "-oo": -1}
LONGEST_ANSWER = 10_000  # characters; a longer one explains nothing

Verdict = Literal["value", "infinite", "none", "silent"]


@dataclass(frozen=True)
class Opinion:
    """What SymPy says: `answer` as text in tangently's grammar ("inf", "-inf" where it is infinite), or None.

    `verdict`: "value", "infinite", "none" (SymPy says that there is no limit), or "silent" (it ran out of time or
    memory, failed, or gave the question back).
    """

    answer: str | None
    verdict: Verdict
    seconds: float


# ---------------------------------------------------------------- the side that asks


@dataclass(eq=False)
class Worker:
    """A running process, with a thread that moves its lines into a queue. Not frozen: it lives."""

    megabytes: int
    process: subprocess.Popen[str] = field(init=False)
    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    ready: bool = False

    def __post_init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tangently.opinions", str(self.megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},  # threads take memory for nothing
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")  # the end

    def line(self, seconds: float) -> dict[str, Any] | None:
        """The next line, or None: none in time ({} if the worker has ended)."""
        try:
            text = self.lines.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None
        return json.loads(text) if text else {}

    def answer(self, question: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """What it says to a question, as `line`."""
        if seconds <= 0:
            return {"verdict": "silent"}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({**question, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        return self.line(seconds)

    def close(self) -> None:
        """Kill it and collect what is left of it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                _shut(stream)


def _shut(stream: Any) -> None:
    """Close a pipe whose other end may be gone with a question still in it."""
    try:
        stream.close()
    except BrokenPipeError:  # the question that could not be delivered is not wanted any more
        return


_lock = threading.Lock()
_running: list[Worker] = []  # none, or the one


def _worker(megabytes: int) -> Worker:
    if _running and (_running[0].megabytes != megabytes or _running[0].process.poll() is not None):
        close()
    if not _running:
        if not _registered:
            _registered.append(atexit.register(close))
        _running.append(Worker(megabytes))
    return _running[0]


_registered: list[Any] = []


def close() -> None:
    """End the worker, if one runs. The next question starts another."""
    while _running:
        _running.pop().close()


def sympy_limit(
    formula_text: str, variable: str, point_text: str, side: int, *, seconds: float = 5.0, megabytes: int = 1024
) -> Opinion:
    """What SymPy says of the limit of a formula as `variable` goes to a point from the right (+1) or the left (-1).

    Both texts are in the grammar of `tangently.parsing` (`printing.to_python` writes it; `to_text` is for people); the
    point may be `inf` or `-inf`. The answer takes at most `seconds`, with the start of the worker, about a second
    once; its memory is bounded by `megabytes` where the system can do that. What goes wrong inside is "silent".

    Raises ParseError for a text that is no formula, InputError for a side or a limit that is none.

    >>> opinion = sympy_limit("sin(3x)/x", "x", "0", 1, seconds=60)
    >>> opinion.answer, opinion.verdict
    ('3', 'value')
    """
    if side not in (1, -1) or not seconds > 0 or megabytes < 1:
        wanted = "wanted +1 or -1, and positive limits"
        raise InputError(f"got side={side!r}, seconds={seconds!r}, megabytes={megabytes!r}; {wanted}")
    parse(formula_text)
    if point_text.strip() not in INFINITE:
        parse(point_text)
    start = time.monotonic()
    question = {"formula": formula_text, "variable": variable, "point": point_text, "side": side}
    with _lock:
        said = _answered(question, megabytes, start + seconds)
    return Opinion(said.get("answer"), said.get("verdict", "silent"), time.monotonic() - start)


def _answered(question: dict[str, Any], megabytes: int, deadline: float) -> dict[str, Any]:
    """The worker's answer, or {}. A worker that overruns is killed; one that is still starting may go on doing so."""
    try:
        worker = _worker(megabytes)
        if not worker.ready:
            greeting = worker.line(deadline - time.monotonic())
            if greeting is None:
                return {}
            worker.ready = bool(greeting)
        said = worker.answer(question, deadline - time.monotonic()) if worker.ready else None
    except OSError:  # no process can be started here, or it is gone
        said = None
    if not said:
        close()
    return said or {}


# ---------------------------------------------------------------- the side that answers


def _serve(megabytes: int) -> None:
    """Answer questions until there are no more. What SymPy prints goes nowhere."""
    answers, sys.stdout = sys.stdout, sys.stderr
    _bound_memory(megabytes)
    import sympy  # noqa: F401  so that the first question does not pay for it

    import tangently.limits.reading  # noqa: F401

    answers.write('{"ready": true}\n')
    answers.flush()
    for line in sys.stdin:
        question = json.loads(line)
        _alarm(question["seconds"] + 1)
        answers.write(json.dumps(_said(question)) + "\n")
        answers.flush()
        _alarm(0)


def _bound_memory(megabytes: int) -> None:
    """At most so much address space, where the system knows such a bound."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = megabytes << 20
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def _alarm(seconds: float) -> None:
    """End this process after so many seconds (0: never), where the system has alarms."""
    if sys.platform != "win32":
        import signal

        signal.setitimer(signal.ITIMER_REAL, seconds)


def _said(question: dict[str, Any]) -> dict[str, Any]:
    """SymPy's answer to a question. Every failure inside SymPy is the same to the one who asked."""
    try:
        return _told(_limit(**{k: question[k] for k in ("formula", "variable", "point", "side")}))
    except (Exception, RecursionError, MemoryError):
        return {"verdict": "silent"}


def _limit(formula: str, variable: str, point: str, side: int) -> Any:
    import sympy

    from tangently.adopting.sympy import to_sympy
    from tangently.limits.reading import read

    reading = read(formula)
    assert reading.root is not None  # texts always have one
    symbols = {s: sympy.Symbol(str(s.name), real=True) for s in reading.inputs}
    f = to_sympy(reading.root, symbols)
    goal = INFINITE.get(point.strip())
    where = to_sympy(read(point).root, {}) if goal is None else goal * sympy.oo  # type: ignore[arg-type]
    x = sympy.Symbol(variable, real=True)
    return sympy.limit(f, x, where, "+" if side > 0 else "-") if f.has(x) else f


def _told(value: Any) -> dict[str, Any]:
    """A limit that SymPy found, in words of ours: a real value, ±inf, none, or nothing."""
    import sympy

    if value.has(sympy.AccumBounds):
        return {"verdict": "none"}
    if value in (sympy.oo, -sympy.oo):
        return {"verdict": "infinite", "answer": "inf" if value == sympy.oo else "-inf"}
    if value.has(sympy.Limit, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I) or value.is_real is False:
        return {"verdict": "silent"}
    from tangently.adopting.sympy import from_sympy
    from tangently.printing import to_python

    answer = to_python(from_sympy(value)[0])
    return {"verdict": "value", "answer": answer} if len(answer) <= LONGEST_ANSWER else {"verdict": "silent"}


if __name__ == "__main__":
    _serve(int(sys.argv[1]))

__all__ = ["Opinion", "close", "sympy_limit"]
