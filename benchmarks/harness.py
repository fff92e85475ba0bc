"""Paired timing. Competitors take turns (A B A B …), so that a slow moment of the machine falls on all of them.

Each turn calls a function as often as fills `TURN` seconds. The ratio of the minima is the verdict, since noise only
ever adds; the median of the ratios turn by turn stands beside it. A slow competitor gets fewer turns, as many as fit
`BUDGET` seconds, and a fast one then measures several blocks in each of its turns and keeps the best: both have their
fair chance of a quiet moment. A row whose peer is not installed says so, and so does one whose competitor kept more
processors busy than it was given (processor seconds over wall seconds).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

TURN = 0.02  # seconds for one turn
REPEATS = 25
BUDGET = 1.2  # seconds for all turns of one competitor
FEWEST = 2  # turns, however slow
LONG = 0.3  # seconds; a call that takes longer needs no second one to warm up
BUSY = 1.3  # processors for each thread that was allowed, above which a row says so
Call = Callable[[], Any]


@dataclass(frozen=True)
class Row:
    """One line of the table. `limit` is the target: at most so much (None: for information)."""

    scenario: str
    against: str
    ratio: float | None
    limit: float | None = None
    unit: str = "×"
    median: float | None = None
    ours: float | None = None
    theirs: float | None = None
    note: str = ""
    times: dict[str, list[float]] = field(default_factory=dict, repr=False)
    part: str = ""  # of the benchmarks: what `--only` selects, and a panel of the picture
    part: str = ""  # of the benchmarks: what `--only` selects, and a panel of the picture

    @property
    def verdict(self) -> str:
        if self.ratio is None or self.limit is None:
            return ""
        return "✓" if self.ratio <= self.limit else "✗"

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def absent(scenario: str, peer: str) -> Row:
    return Row(scenario, peer, None, note=f"{peer} is not installed")


def seconds(call: Call, count: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def same(got: Any, want: Any, rtol: float = 1e-8) -> None:
    """Competitors compute the same thing."""
    if isinstance(want, dict):
        got, want = [got[k] for k in want], list(want.values())
    for a, b in zip(got, want, strict=True) if isinstance(want, (list, tuple)) else [(got, want)]:
        b = np.asarray(b)
        np.testing.assert_allclose(np.asarray(a), b, rtol=rtol, atol=rtol * np.abs(b).max())


def warm(call: Call) -> float:
    """Seconds of the last of three calls (or one long one), made so that everything lazy has happened."""
    once = seconds(call)
    for _ in range(2):
        if once < LONG:
            once = seconds(call)
    return once


def calls_in_a_turn(call: Call) -> int:
    """How often a call fits into one turn."""
    once = warm(call)
    if once > TURN:
        return 1
    count = max(1, int(0.1 * TURN / once))
    return max(1, int(TURN / seconds(call, count)))


def plan(calls: dict[str, Call], repeats: int) -> tuple[int, dict[str, tuple[int, int]]]:
    """How many turns, and for each competitor the blocks in a turn and the calls in a block."""
    counts = {name: calls_in_a_turn(call) for name, call in calls.items()}
    lengths = {name: counts[name] * seconds(call) for name, call in calls.items() if counts[name] == 1}
    turns = max(FEWEST, min(repeats, int(BUDGET / max(lengths.values(), default=TURN))))
    blocks = {name: 1 if lengths.get(name, 0) > LONG else -(-repeats // turns) for name in calls}
    return turns, {name: (blocks[name], counts[name]) for name in calls}


def interleaved(calls: dict[str, Call], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Seconds for one call of each competitor, turn by turn; who begins a turn changes (A B, B A, …)."""
    turns, planned = plan(calls, repeats)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(turns):
        for name in list(calls)[:: 1 if turn % 2 else -1]:
            blocks, count = planned[name]
            times[name].append(min(seconds(calls[name], count) for _ in range(blocks)))
    return times


def processors(call: Call, least: float = 0.1) -> float:
    """How many processors the call keeps busy: processor seconds over wall seconds, over at least `least` seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < least:
        call()
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


def crowded(calls: dict[str, Call]) -> str:
    """Who kept more processors busy than there were to be threads: nothing where all obeyed."""
    allowed = int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count() or 1
    busy = {name: processors(call) for name, call in calls.items()}
    return "; ".join(f"{name} kept {used:.1f} processors busy" for name, used in busy.items() if used > BUSY * allowed)


def ratios(scenario: str, times: dict[str, list[float]], limits: Mapping[str, float | None]) -> list[Row]:
    """The first competitor against each of the others."""
    ours, *others = times
    return [versus(scenario, times, ours, other, limits.get(other)) for other in others]


def versus(scenario: str, times: dict[str, list[float]], ours: str, other: str, limit: float | None) -> Row:
    a, b = times[ours], times[other]
    return Row(
        scenario, other, min(a) / min(b), limit,
        median=statistics.median(x / y for x, y in zip(a, b)), ours=min(a), theirs=min(b), times={ours: a, other: b},
    )  # fmt: skip


def compare(
    scenario: str,
    calls: Mapping[str, Call | None],
    limits: Mapping[str, float | None],
    notes: Mapping[str, str] = MappingProxyType({}),
) -> list[Row]:
    """A row for every competitor, each timed in turns with ours alone; one that is None is not installed."""
    (ours, call), *others = calls.items()
    rows: list[Row] = []
    for name, other in others:
        if call is None or other is None:
            rows.append(absent(scenario, name))
            continue
        pair = {ours: call, name: other}
        note = "; ".join(filter(None, (notes.get(name, ""), crowded(pair))))
        rows += [replace(row, note=note) for row in ratios(scenario, interleaved(pair), limits)]
    return rows


def duration(t: float | None) -> str:
    """A time in the unit that reads best.

    >>> duration(0.00125), duration(3e-8)
    ('1.25 ms', '30 ns')
    """
    if t is None:
        return ""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if t >= size:
            return f"{t / size:.3g} {unit}"
    return f"{t * 1e9:.3g} ns"


def fraction(limit: float) -> str:
    """A limit as it was set: one part of so many, where it is small.

    >>> fraction(1.2), fraction(1 / 45)
    ('1.2', '1/45')
    """
    return f"{limit:g}" if limit >= 0.5 else f"1/{round(1 / limit, 1):g}"


def cells(row: Row) -> list[str]:
    shown = "—" if row.ratio is None else f"{row.ratio:.3g} {row.unit}".replace(" ×", "×")
    median = "" if row.median is None else f"{row.median:.3g}×"
    target = "" if row.limit is None else f"≤ {fraction(row.limit)} {row.unit}".replace(" ×", "×")
    times = [duration(row.ours), duration(row.theirs)]
    return [row.scenario, row.against, shown, median, target, row.verdict, *times, row.note]


HEADS = ["scenario", "against", "ratio of minima", "median", "target", "", "tangently", "peer", "note"]


def markdown(rows: list[Row]) -> str:
    lines = [HEADS, ["---"] * len(HEADS), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def aligned(rows: list[Row]) -> str:
    """The same table for a terminal."""
    lines = [HEADS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines)
