"""Running a region's rows in blocks, on several threads: what generated code calls.

A block's values stay in the cache from one operation to the next, where whole arrays would travel to memory and back
each time. NumPy releases the interpreter's lock while it computes, so blocks run on as many threads as there are; the
calling thread takes its share. Blocks are cut at the same places whatever the number of threads is, and every entry is
computed by the same loop at the same place in its vector as without blocks: the numbers don't depend on either.
"""

from __future__ import annotations

import contextvars
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CACHE = 131_072  # entries in use at a time in one block: as doubles they fill a second-level cache of 1 MB
HEAVY = 1_000_000  # entries computed, from which on several threads pay
_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


def in_blocks(compute: Callable[[int, int], None], rows: int, block: int, threads: int) -> None:
    """`compute(lo, hi)` for consecutive blocks of rows.

    >>> seen = []
    >>> in_blocks(lambda lo, hi: seen.append((lo, hi)), 10, 4, 1); seen
    [(0, 4), (4, 8), (8, 10)]
    """
    blocks = -(-rows // block)
    threads = min(threads, blocks)
    if threads < 2:
        _run(compute, 0, rows, block)
        return
    cuts = [block * (blocks * k // threads) for k in range(threads)] + [rows]
    first, *others = itertools.pairwise(cuts)
    pool = _pool(threads - 1)
    rest = [pool.submit(contextvars.copy_context().run, _run, compute, lo, hi, block) for lo, hi in others]
    try:
        _run(compute, *first, block)
    finally:
        errors = [future.exception() for future in rest]  # every thread has ended before an error leaves
    for error in errors:
        if error is not None:
            raise error


def _run(compute: Callable[[int, int], None], lo: int, hi: int, block: int) -> None:
    for k in range(lo, hi, block):
        compute(k, min(k + block, hi))


def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads that wait for work. A process that was forked has none of its parent's: it makes its own."""
    with _lock:
        if workers not in _pools:
            if not _pools and hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_pools.clear)
            _pools[workers] = ThreadPoolExecutor(workers, thread_name_prefix="tangently")
        return _pools[workers]


def block_rows(width: int) -> int:
    """How many rows make a block, where this many entries of each are in use at a time."""
    return max(1, CACHE // max(width, 1))


__all__ = ["CACHE", "HEAVY", "block_rows", "in_blocks"]
