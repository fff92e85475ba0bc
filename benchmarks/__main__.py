"""`python -m benchmarks [--quick] [--only PART …] [--threads N] [--output DIR]`: measure, print, and write the table.

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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .harness import Row

INTRODUCTION = """# Benchmarks

`python -m benchmarks` wrote this page. Competitors take turns (A B A B …) in one process; the ratio is that of the
fastest turns, *tangently* over the peer, so below 1 tangently is faster. *median* is the median of the ratios turn by
turn. Targets stand beside the figures. Everything is float64, and every competitor's answer was compared with
tangently's before it was timed. What a library does once (trace, compile, differentiate symbolically, find a coloring)
is not in the ratios; where a note says *once*, that is how long it took with the first answer. All libraries have the
same number of threads; a note says so where one kept more processors busy.
"""
PICTURE = """![Ratios to each peer, on a logarithmic scale; the table has the figures](benchmarks.svg)
"""
PARTS = ("hessians", "sparse", "adbench", "first-order", "backends", "start", "growth", "descent")
DOCS = Path(__file__).parent.parent / "docs"
PACKAGES = ("numpy", "scipy", "torch", "jax", "pytensor", "numba", "casadi", "asdex", "autograd", "sympy", "symengine")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure tangently and its peers.")
    parser.add_argument("--quick", action="store_true", help="small sizes only: is the harness in order?")
    parser.add_argument("--threads", type=int, default=1, help="threads of every library (default: 1)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[], help="these parts only")
    parser.add_argument("--output", type=Path, help="where to write (docs; nowhere with --quick or --only)")
    return parser.parse_args()


def set_threads(count: int) -> None:
    """Before NumPy, PyTorch or JAX are imported."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(count)
    os.environ["NUMBA_NUM_THREADS"] = os.environ["NPROC"] = str(count)  # NPROC: the size of the pool of threads of XLA
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
    packages = {name: version(name) for name in ("tangently", *PACKAGES)}
    return {
        "date": date.today().isoformat(), "processor": model or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()), "threads": str(threads), "python": platform.python_version(), **packages,
    }  # fmt: skip


def main() -> int:
    options = arguments()
    set_threads(options.threads)
    import tangently as tg

    from .cases import all_cases
    from .harness import aligned

    tg.options(threads=options.threads)
    rows = []
    for row in all_cases(options.quick, options.only):
        rows.append(row)
        print(f"{row.scenario}: {'' if row.ratio is None else f'{row.ratio:.3g} {row.unit}'}", file=sys.stderr)
    missed = [row for row in rows if row.verdict == "✗"]
    print(aligned(rows))
    print(f"\n{sum(row.verdict == '✓' for row in rows)} targets met, {len(missed)} missed")
    if options.output or not (options.quick or options.only):
        write(options.output or DOCS, rows, machine(options.threads))
    return 0


def write(folder: Path, rows: list[Row], where: dict[str, str]) -> None:
    """The page, its picture, and the data with every turn's time."""
    from .plots import save

    folder.mkdir(parents=True, exist_ok=True)
    save(rows, folder / "benchmarks.svg")
    (folder / "benchmarks.md").write_text(page(rows, where), encoding="utf-8")
    data = {"machine": where, "rows": [row.record() for row in rows]}
    (folder / "benchmarks.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def page(rows: list[Row], where: dict[str, str]) -> str:
    """The introduction, the machine, the picture, and a table for each part."""
    from .cases import TITLES
    from .harness import markdown

    listed = "\n".join(f"- {name}: {value}" for name, value in where.items())
    parts = {part: [row for row in rows if row.part == part] for part in TITLES}
    tables = [f"## {TITLES[part]}\n\n{markdown(found)}\n" for part, found in parts.items() if found]
    return "\n".join([INTRODUCTION, f"{listed}\n", PICTURE, *tables])


if __name__ == "__main__":
    sys.exit(main())
