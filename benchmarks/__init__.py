"""Benchmarks: `python -m benchmarks` measures tangently and its peers in one run, and prints their ratios.

harness.py    paired, interleaved timing, and the table of ratios
cases.py      what is measured, in parts: functions that yield rows
hessians.py   Hessians by one argument, dense and structured, and what they cost once
sparse.py     sparse Hessians of functions of 10⁵ numbers
adbench/      the four objectives of ADBench
backends.py   the same gradient by each of tangently's backends
peers.py      the same functions in other libraries
plots.py      the picture of the ratios
__main__.py   the command: prints the table, writes docs/benchmarks.md, docs/benchmarks.svg and docs/benchmarks.json
limits.py     a command of its own: a corpus of limits, answered by tangently and by peers
"""
