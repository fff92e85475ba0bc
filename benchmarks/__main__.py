"""`python -m benchmarks [--quick] [--threads N] [--output DIR]`: measure, print, and write the table.

Threads are set before NumPy is imported, and are the same for every library.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

INTRODUCTION = """# Benchmarks

`python -m benchmarks` wrote this page. Competitors take turns (A B A B …) in one process; the ratio is that of the
fastest turns, *tangently* over the peer, so below 1 tangently is faster. *median* is the median of the ratios turn by
turn. Targets stand beside the figures. Everything is float64, and every competitor's answer was compared with
tangently's before it was timed.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure tangently and its peers.")
    parser.add_argument("--quick", action="store_true", help="small sizes only: is the harness in order?")
    parser.add_argument("--threads", type=int, default=1, help="threads of every library (default: 1)")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent.parent / "docs", help="where to write")
    return parser.parse_args()


def set_threads(count: int) -> None:
    """Before NumPy, PyTorch or JAX are imported."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(count)
    if count == 1:
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def machine(threads: int) -> dict[str, str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    packages = {name: version(name) for name in ("tangently", "numpy", "torch", "jax", "autograd")}
    return {
        "date": date.today().isoformat(), "processor": model or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()), "threads": str(threads), "python": platform.python_version(), **packages,
    }  # fmt: skip


def main() -> int:
    options = arguments()
    set_threads(options.threads)
    from .cases import all_cases
    from .harness import aligned, markdown

    rows = []
    for row in all_cases(options.quick):
        rows.append(row)
        print(f"{row.scenario}: {'' if row.ratio is None else f'{row.ratio:.3g} {row.unit}'}", file=sys.stderr)
    where = machine(options.threads)
    missed = [row for row in rows if row.verdict == "✗"]
    print(aligned(rows))
    print(f"\n{sum(row.verdict == '✓' for row in rows)} targets met, {len(missed)} missed")
    options.output.mkdir(parents=True, exist_ok=True)
    listed = "\n".join(f"- {name}: {value}" for name, value in where.items())
    (options.output / "benchmarks.md").write_text(f"{INTRODUCTION}\n{listed}\n\n{markdown(rows)}\n", encoding="utf-8")
    data = {"machine": where, "rows": [row.record() for row in rows]}
    (options.output / "benchmarks.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
