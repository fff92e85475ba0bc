"""Benchmarks: `python -m benchmarks` measures tangently and its peers in one run, and prints their ratios.

harness.py    paired, interleaved timing, and the table of ratios
cases.py      what is measured: one function for each scenario, which yields rows
peers.py      the same functions written by hand in NumPy, and in PyTorch, JAX and autograd
__main__.py   the command: prints the table, writes docs/benchmarks.md and docs/benchmarks.json
"""
