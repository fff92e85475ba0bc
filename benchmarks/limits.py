"""`python -m benchmarks.limits [--random N] [--peers] [--routes …] [--output FILE]`: limits, right or wrong, how fast.

Every row of the two corpora in `tests/data` is asked by each route (a SymPy expression, text, plain Python with `math`,
NumPy); each first time counts, after a few warming calls. `--random N` asks limits made by construction instead of the
corpora. `--peers` asks SymPy's `limit` too, in a worker with ten seconds for a row, 2 GB of memory. The cold start is
the first limit of a fresh interpreter, imports and all. What is wrong, undecided or late is listed by its id. The
Python routes leave out rows whose point is a cancellation of constants that floats have rounded away.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent / "tests"
LATE = 5.5  # seconds: the budget of 5, and what it takes to notice
VERDICTS = ("right", "undecided", "error", "wrong")
HEADS = ["corpus", "by", "rows", "right", "undecided", "error", "wrong", "median", "95 %", "max"]
COLD = """
import sys, time
start = time.perf_counter()
from tangently.limits import limit
limit("sin(x)/x", 0)
print(time.perf_counter() - start, "sympy" in sys.modules)
"""


@dataclass(frozen=True)
class Line:
    """One line of the table: a corpus by one route, or by a peer."""

    corpus: str
    by: str
    verdicts: Counter[str]
    seconds: list[float]
    listed: list[str]  # what is not right, in words

    def cells(self) -> list[str]:
        times = sorted(self.seconds)
        late = times[min(len(times) - 1, int(0.95 * len(times)))]
        counts = [str(self.verdicts[v]) for v in VERDICTS]
        shown = [f"{1000 * t:.1f} ms" for t in (statistics.median(times), late, times[-1])]
        return [self.corpus, self.by, str(len(times)), *counts, *shown]

    def record(self) -> dict[str, Any]:
        return dict(zip(HEADS, self.cells())) | {"listed": self.listed}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description="Limits: right, wrong, and speed.")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many limits made by construction")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th row of a corpus")
    parser.add_argument(
        "--routes", nargs="+", default=None, help="sympy text math numpy (default: all; text if random)"
    )
    parser.add_argument("--peers", action="store_true", help="SymPy too, ten seconds for a row")
    parser.add_argument("--output", type=Path, default=None, help="write the table and the lists as JSON")
    return parser.parse_args()


def corpora(options: argparse.Namespace) -> dict[str, list[Any]]:
    from limits_corpus import rows
    from limits_random import corpus

    if options.random:
        return {"random": list(corpus(options.random, options.seed))}
    return {name: list(rows(name))[:: options.every] for name in ("limits", "more_limits")}


def ours(name: str, rows: Sequence[Any], route: str) -> Line:
    from limits_corpus import results

    with tempfile.TemporaryDirectory() as folder:
        found = results(route, rows, Path(folder))
    listed = [f"{r.verdict:9} {r.row} | {r.shown}" for r in found if r.verdict != "right"]
    listed += [f"late      {r.row} | {r.seconds:.1f} s" for r in found if r.seconds > LATE]
    return Line(name, route, Counter(r.verdict for r in found), [r.seconds for r in found], sorted(listed)[::-1])


def theirs(name: str, rows: Sequence[Any]) -> Line:
    """SymPy; "silent" is an answer that did not come, or not in time."""
    from limits_corpus import sympy_answers

    found = sympy_answers(rows)
    counts = Counter("undecided" if verdict == "silent" else verdict for verdict, _ in found.values())
    listed = [f"{found[row.id][0]:9} {row}" for row in rows if found[row.id][0] == "wrong"]
    return Line(name, "SymPy", counts, [seconds for _, seconds in found.values()], listed)


def lines(options: argparse.Namespace) -> Iterator[Line]:
    from limits_corpus import ROUTES

    routes = options.routes or (["text"] if options.random else list(ROUTES))
    for name, rows in corpora(options).items():
        for route in routes:
            yield ours(name, rows, route)
        if options.peers:
            yield theirs(name, rows)


def cold_start(repeats: int = 5) -> tuple[float, bool]:
    """Seconds from the first import to the first limit (the best of a few), and whether SymPy was imported."""
    found = []
    for _ in range(repeats):
        done = subprocess.run([sys.executable, "-c", COLD], check=True, capture_output=True, text=True)
        seconds, imported = done.stdout.split()
        found.append((float(seconds), imported == "True"))
    return min(found)


def discontinuities() -> str:
    """The median time of the discontinuity sets of tests/data/continuity.tsv."""
    import tangently as tg
    from limits_corpus import TEXT, spelled

    table = TESTS / "data/continuity.tsv"
    if not table.exists() or "continuity" not in tg.__all__:
        return "not measured: tangently.continuity or its table is not there"
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    texts = [(spelled(row[1], TEXT), *[spelled(end, TEXT) for end in row[2].split(",")]) for row in rows]
    calls = [lambda f=f, a=a, b=b: tg.continuity(f, on=(a, b)) for f, a, b in texts]  # type: ignore[attr-defined]
    calls[0]()
    times = [seconds_of(call) for call in calls]
    return f"median {1000 * statistics.median(times):.1f} ms, max {1000 * max(times):.1f} ms, of {len(times)}"


def seconds_of(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def aligned(found: Sequence[Line]) -> str:
    table = [HEADS, *[line.cells() for line in found]]
    widths = [max(map(len, column)) for column in zip(*table)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in table)


def main() -> int:
    options = arguments()
    sys.path.insert(0, str(TESTS))
    found = []
    for line in lines(options):
        found.append(line)
        print(f"{line.corpus} by {line.by}: {dict(line.verdicts)}", file=sys.stderr)
    for line in found:
        print("\n".join([f"\n{line.corpus} by {line.by}:", *line.listed]) if line.listed else "", end="\n")
    print(aligned(found))
    start, imported = cold_start()
    print(f"\nfirst limit of a fresh interpreter: {start:.3f} s; SymPy was {'' if imported else 'not '}imported")
    if not options.random:
        print(f"discontinuity sets: {discontinuities()}")
    if options.output:
        options.output.write_text(json.dumps([line.record() for line in found], indent=1) + "\n", encoding="utf-8")
    return int(any(line.verdicts["wrong"] for line in found if line.by != "SymPy"))


if __name__ == "__main__":
    sys.exit(main())
