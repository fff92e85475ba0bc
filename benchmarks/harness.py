"""Paired timing. Competitors take turns (A B A B …), so that a slow moment of the machine falls on all of them.

Each turn calls a function as often as fills `TURN` seconds. The ratio of the minima is the verdict, since noise only
ever adds; the median of the ratios turn by turn stands beside it. A row whose peer is not installed says so.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

TURN = 0.02  # seconds for one turn
REPEATS = 25
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


def calls_in_a_turn(call: Call) -> int:
    """How often a call fits into one turn. It is made three times first, so that everything lazy has happened."""
    for _ in range(3):
        once = seconds(call)
    count = max(1, int(0.1 * TURN / once))
    return max(1, int(TURN / seconds(call, count)))


def interleaved(calls: dict[str, Call], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Seconds for one call of each competitor, turn by turn; who begins a turn changes (A B, B A, …)."""
    counts = {name: calls_in_a_turn(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats):
        for name in list(calls)[:: 1 if turn % 2 else -1]:
            times[name].append(seconds(calls[name], counts[name]))
    return times


def ratios(scenario: str, times: dict[str, list[float]], limits: dict[str, float | None]) -> list[Row]:
    """The first competitor against each of the others."""
    ours, *others = times
    return [versus(scenario, times, ours, other, limits.get(other)) for other in others]


def versus(scenario: str, times: dict[str, list[float]], ours: str, other: str, limit: float | None) -> Row:
    a, b = times[ours], times[other]
    return Row(
        scenario, other, min(a) / min(b), limit,
        median=statistics.median(x / y for x, y in zip(a, b)), ours=min(a), theirs=min(b), times={ours: a, other: b},
    )  # fmt: skip


def compare(scenario: str, calls: dict[str, Call | None], limits: dict[str, float | None]) -> list[Row]:
    """A row for every competitor, each timed in turns with ours alone; one that is None is not installed."""
    (ours, call), *others = calls.items()
    rows: list[Row] = []
    for name, other in others:
        if call is None or other is None:
            rows.append(absent(scenario, name))
        else:
            rows += ratios(scenario, interleaved({ours: call, name: other}), limits)
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


def cells(row: Row) -> list[str]:
    shown = "—" if row.ratio is None else f"{row.ratio:.3g} {row.unit}".replace(" ×", "×")
    median = "" if row.median is None else f"{row.median:.3g}×"
    target = "" if row.limit is None else f"≤ {row.limit:g} {row.unit}".replace(" ×", "×")
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
