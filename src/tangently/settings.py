"""How generated code computes: `options(backend=…, threads=…)`, read when a function is compiled and when it is called.

A setting belongs to the current context (`contextvars`), so threads and tasks don't disturb each other; code that runs
in blocks hands its context on to its workers. Equal settings are one object, so a compiled function finds out by one
comparison whether it was compiled for what is wanted now.

| backend | what runs | results |
|---|---|---|
| auto | NumPy; from 65,536 entries on in blocks that fit the cache, on several threads | NumPy's own |
| numpy | NumPy, one operation after the other | NumPy's own |
| blocked | as auto, from 16,384 entries on | NumPy's own |
| numba | chains of elementwise operations as compiled loops; about a second of compiling for each | equal to rounding |
| jax | the whole function, compiled by XLA in double precision; also about a second | equal to rounding |

"auto" takes neither numba nor jax by itself: their compiling costs more than most programs would ever win back.
Functions of numbers alone are the same Python code under every backend.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from typing import Any

from tangently.errors import InputError

BACKENDS = ("auto", "numpy", "blocked", "numba", "jax")
EXTRAS = ("numba", "jax")  # backends that are packages of their own


@dataclass(frozen=True)
class Options:
    """What is chosen. Made by `chosen`, which makes equal ones identical."""

    backend: str = "auto"
    threads: int | None = None  # None: as many as the process may use

    @property
    def workers(self) -> int:
        """How many threads there may be."""
        return self.threads or _cores()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def chosen(backend: str, threads: int | None) -> Options:
    return Options(backend, threads)


AUTO = chosen("auto", None)
CURRENT: ContextVar[Options] = ContextVar("tangently_options", default=AUTO)


class Setting:
    """The options of now, and, where they were just changed, the way back: leaving a `with` block restores them."""

    def __init__(self, now: Options, token: Token[Options] | None) -> None:
        self.now, self._token = now, token

    @property
    def backend(self) -> str:
        return self.now.backend

    @property
    def threads(self) -> int:
        return self.now.workers

    def __enter__(self) -> Setting:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._token is not None:
            CURRENT.reset(self._token)
            self._token = None

    def __repr__(self) -> str:
        return f"options(backend={self.backend!r}, threads={self.threads})"


def options(backend: str | None = None, *, threads: int | str | None = None) -> Setting:
    """Choose how generated code computes; without arguments, say what is chosen.

    backend: "auto", "numpy", "blocked", "numba" or "jax". threads: a number, or "auto": all that the process may use.
    The choice holds for this context (thread) until it is changed, or to the end of a `with` block.

    Raises InputError for a backend that does not exist or is not installed.

    >>> import tangently as tg
    >>> with tg.options(backend="numpy", threads=1):
    ...     tg.options()
    options(backend='numpy', threads=1)
    >>> tg.options().backend
    'auto'
    """
    now = CURRENT.get()
    if backend is None and threads is None:
        return Setting(now, None)
    wanted = now
    if backend is not None:
        wanted = replace(wanted, backend=_backend(backend))
    if threads is not None:
        wanted = replace(wanted, threads=_threads(threads))
    wanted = chosen(wanted.backend, wanted.threads)
    return Setting(wanted, CURRENT.set(wanted))


def available() -> list[str]:
    """The backends that can be chosen here."""
    return [name for name in BACKENDS if name not in EXTRAS or importlib.util.find_spec(name) is not None]


def _backend(name: str) -> str:
    here = ", ".join(available())
    if name not in BACKENDS:
        import difflib

        near = difflib.get_close_matches(str(name).lower(), BACKENDS, 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"backend={name!r} does not exist; there are {', '.join(BACKENDS)} (here: {here}){hint}")
    if name in EXTRAS and importlib.util.find_spec(name) is None:
        raise InputError(
            f"backend={name!r} needs the package {name}, which is not installed: "
            f"pip install 'tangently[{name}]'. Available here: {here}"
        )
    return name


def _threads(wanted: int | str) -> int | None:
    if wanted == "auto":
        return None
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise InputError(f'threads={wanted!r}: a whole number from 1 on was wanted, or "auto"')
    return wanted


__all__ = ["available", "options"]
