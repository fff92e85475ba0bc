"""The user's own names for intermediate values, read from the bytecode that is running.

When an operation is recorded, the instruction that follows it in the user's frame tells where the result goes: a
STORE names it (`h = np.tanh(z)` makes the node `h`); a RETURN passes it to the caller, whose next instruction is
asked in turn (`h = relu(z)` names what relu returned). No source text is needed, and one dictionary look-up is all it
costs once a code object has been read.
"""

from __future__ import annotations

import dis
import os
import sys
from types import CodeType, FrameType

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_RETURN = ""
_tables: dict[CodeType, dict[int, str]] = {}
_ours: dict[CodeType, bool] = {}


def is_example(code: CodeType) -> bool:
    """Is this one of the examples that come with tangently? They are traced as the user's own code is."""
    return code.co_filename.startswith(os.path.join(_HOME, "examples") + os.sep)


def is_ours(code: CodeType) -> bool:
    """Is this code tangently's or NumPy's own (and so not the user's)?"""
    known = _ours.get(code)
    if known is None:
        name = code.co_filename
        known = name.startswith(_HOME + os.sep) and not is_example(code)
        known = _ours[code] = known or f"{os.sep}numpy{os.sep}" in name
    return known


def _stores(code: CodeType) -> dict[int, str]:
    """For every instruction: the name that the next instruction stores, or _RETURN where the value is returned.

    A frame that waits for a call stands at the call or, in Python 3.11, at the last cache slot after it: both are kept.
    """
    table: dict[int, str] = {}
    previous = 0
    for ins in dis.get_instructions(code):
        name = None
        if ins.opname.startswith("STORE_") and ins.opname not in ("STORE_SUBSCR", "STORE_SLICE"):
            name = ins.argval[0] if isinstance(ins.argval, tuple) else ins.argval
        elif ins.opname == "RETURN_VALUE":
            name = _RETURN
        if name is not None:
            table.update(dict.fromkeys(range(previous, ins.offset, 2), name))
        previous = ins.offset
    return table


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame that runs the user's code."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return frame


def name_of_result(frame: FrameType | None, stop: CodeType | None) -> str | None:
    """The name that the value being computed in this frame is about to get (`stop`: the traced function's code)."""
    while frame is not None:
        code = frame.f_code
        table = _tables.get(code)
        if table is None:
            table = _tables[code] = _stores(code)
        name = table.get(frame.f_lasti)
        if name != _RETURN:
            return name
        if code is stop:
            return None
        frame = frame.f_back
        while frame is not None and is_ours(frame.f_code):
            frame = frame.f_back
    return None


def name_of(function: object) -> str:
    """The function's own name; a formula or a lambda is f."""
    name = getattr(function, "__name__", None) or type(function).__name__
    return "f" if name in ("<lambda>", "formula", "Formula") else name


def where_is(frame: FrameType | None) -> str:
    """The place in the user's code, for error messages: `line 3 of f`."""
    return "" if frame is None else f"line {frame.f_lineno} of {frame.f_code.co_qualname}"
