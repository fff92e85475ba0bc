"""From generated text to a function: the one place where text is executed, and it is always the library's own."""

from __future__ import annotations

import linecache
import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.codegen.blocks import in_blocks
from tangently.primitives.layout import scatter_along_axis

_MATH_NAMES = re.compile(r"\bmath\.(\w+)")
_LISTED: deque[str] = deque(maxlen=256)


class Retrace(Exception):
    """A generated function met arguments, surroundings or a branch that it was not generated for."""


@dataclass(frozen=True)
class Generated:
    """Source and the function compiled from it."""

    source: str
    call: Callable[..., Any]
    constants: dict[str, Any]
    scalar: bool


def compile_source(name: str, body: str, constants: dict[str, Any], scalar: bool) -> Generated:
    """Compile generated text, with `from math import …` for what it uses, so that tracebacks can show the lines."""
    wanted = sorted(set(_MATH_NAMES.findall(body)))
    text = _MATH_NAMES.sub(r"\1", body)
    scope: dict[str, Any] = {"Retrace": Retrace, "inf": math.inf, "nan": math.nan, **constants}
    head = [f"from math import {', '.join(wanted)}"] if wanted else []
    scope.update({n: getattr(math, n) for n in wanted})
    if "np." in text:
        head.append("import numpy as np")
        scope["np"] = np
    if "special." in text:
        import scipy.special

        head.append("from scipy import special")
        scope["special"] = scipy.special
    if "scatter_along_axis(" in text:
        scope["scatter_along_axis"] = scatter_along_axis
    if "in_blocks(" in text:
        head.append("from tangently.codegen.blocks import in_blocks")
        scope["in_blocks"] = in_blocks
    source = "\n".join(head) + ("\n\n\n" if head else "") + text
    return Generated(source, compile_text(name, text, scope), constants, scalar)


def compile_text(name: str, text: str, scope: dict[str, Any]) -> Callable[..., Any]:
    """The function of that name which generated text defines."""
    filename = f"<tangently {name} {id(scope):x}>"
    exec(compile(text, filename, "exec"), scope)
    _list_lines(filename, text)
    return scope[name]


def _list_lines(filename: str, text: str) -> None:
    """Let tracebacks show the generated lines; of the functions generated long ago they are forgotten."""
    if len(_LISTED) == _LISTED.maxlen:
        linecache.cache.pop(_LISTED[0], None)
    _LISTED.append(filename)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


__all__ = ["Generated", "Retrace", "compile_source", "compile_text"]
