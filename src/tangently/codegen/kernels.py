"""A region as one compiled loop over the entries (numba): no array is formed for what is between.

The loop's statements are the rows' own NumPy templates, which numba understands for numbers as well. Arithmetic keeps
IEEE's rules (no `fastmath`); exp, sin and the like come from the C library here and from NumPy's vector loops there,
and differ by a unit or two in the last place. A loop is compiled when it is first run (a good fraction of a second),
once for each text in a process, and needs no lock of the interpreter: large arrays are cut into pieces for several
threads.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Sequence
from typing import Any

from tangently.codegen.blocked import allocate, outliving
from tangently.codegen.blocks import HEAVY
from tangently.codegen.body import Body
from tangently.codegen.flat import ATOM, Dialect, Writer, apply_template, operand, python_literal
from tangently.codegen.regions import Region, Together
from tangently.expr import CONST, Data, Expr, Primitive

# NumPy's functions that numba compiles for numbers with NumPy's own meaning (of nan, of signs, at ties).
KNOWN = frozenset({
    "abs", "absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "copysign", "cos", "cosh", "deg2rad", "equal", "exp", "exp2", "expm1", "fabs", "floor", "greater",
    "greater_equal", "hypot", "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log10", "log1p", "log2",
    "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "negative",
    "not_equal", "power", "rad2deg", "reciprocal", "rint", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh",
    "trunc",
})  # fmt: skip
# Spellings that numba has under other names.
ELSEWHERE = {
    "np.where({0}, {1}, {2})": "({1} if {0} else {2})",
    "np.maximum({0}, 0)": "np.maximum({0}, 0.0)",
    "special.expit({0})": "(1.0 / (1.0 + np.exp(-{0})))",
    "special.erf({0})": "math.erf({0})",
    "special.erfc({0})": "math.erfc({0})",
}
_CALLED = re.compile(r"\b(?:np\.(\w+)|special\.)")


def _template(op: Primitive) -> Any:
    text = op.numpy
    return ELSEWHERE.get(text, text) if isinstance(text, str) else text


LOOP = Dialect(_template, python_literal, "{0} = {1}", frozenset({"np", "math", "lo", "hi", "inf", "nan"}))
_compiled: dict[str, Any] = {}


def by_entries(node: Expr) -> Together | None:
    """Elementwise nodes of double precision whose rows numba knows; a loop serves one shape."""
    if node.op.kind != "elementwise" or not node.shape or 0 in node.shape or not _known(node):
        return None
    if node.dtype not in "d?" or any(a.dtype not in "d?wn" for a in node.args):
        return None
    return Together(node.shape, tuple(a.shape == node.shape for a in node.args))


def _known(node: Expr) -> bool:
    template = LOOP.template(node.op)
    if template is None:
        return False
    text = template if isinstance(template, str) else template(node.params, *["x"] * len(node.args))
    return all(m[1] in KNOWN for m in _CALLED.finditer(text))


def write_kernel(body: Body, region: Region, workers: int) -> None:
    """Allocate what outlives the region; hand arrays and numbers to the loop."""
    outer = body.writer
    kept = outliving(body, region)
    inside = set(region.nodes)
    given = list(dict.fromkeys(a for n in region.nodes for a in body.operands(n) if a not in inside and _passed(a)))
    texts = [operand(outer, a, 0) for a in given]
    whole = allocate(body, kept)
    text = loop_text(region, given, kept, body.operands)
    kernel = outer.constant(compiled(text), "kernel")
    arguments = ", ".join([*texts, *whole.values()])
    for n in kept:
        outer.source[n] = (whole[n], ATOM)
    if workers > 1 and region.work >= HEAVY and region.rows >= workers:
        call = f"lambda lo, hi: {kernel}(lo, hi, {arguments})"
        outer.lines.append(f"in_blocks({call}, {region.rows}, {-(-region.rows // workers)}, {workers})")
    else:
        outer.lines.append(f"{kernel}(0, {region.rows}, {arguments})")


def _passed(a: Expr) -> bool:
    return a.op is not CONST or a.params[0] is Data


def loop_text(
    region: Region, given: Sequence[Expr], kept: Sequence[Expr], operands: Callable[[Expr], list[Expr]]
) -> str:
    """The loop's source: independent of names, so that equal loops are compiled once."""
    shape = region.nodes[0].shape
    index = [f"i{k}" for k in range(len(shape))]
    writer = Writer(LOOP)
    names = [f"x{k}" for k in range(len(given))]
    writer.taken.update(names)
    loads = []
    for a, name in zip(given, names):
        if a.shape:
            loads.append(f"{name}_i = {name}[{_place(a, index)}]")
        writer.source[a] = (f"{name}_i" if a.shape else name, ATOM)
    outputs = {n: f"y{k}" for k, n in enumerate(kept)}
    steps = []
    for n in region.nodes:
        text, _ = apply_template(writer, LOOP.template(n.op), n.params, operands(n))
        name = writer.fresh("t")
        writer.source[n] = (name, ATOM)
        steps.append(f"{name} = {text}")
        if n in outputs:
            steps.append(f"{outputs[n]}[{', '.join(index)}] = {name}")
    lines = [f"def kernel(lo, hi, {', '.join([*names, *outputs.values()])}):", "    for i0 in range(lo, hi):"]
    lines += ["    " * (k + 1) + f"for {index[k]} in range({shape[k]}):" for k in range(1, len(shape))]
    lines += ["    " * (len(shape) + 1) + line for line in (*loads, *steps)]
    return "\n".join(lines) + "\n"


def _place(a: Expr, index: Sequence[str]) -> str:
    """The entry of an operand under broadcasting."""
    used = index[len(index) - len(a.shape) :]
    return ", ".join("0" if size == 1 else i for size, i in zip(a.shape, used))


def compiled(text: str) -> Any:
    """The loop as numba compiles it, at its first call."""
    if text not in _compiled:
        import numba

        from tangently.codegen.compiling import compile_source

        function = compile_source("kernel", text, {}, False).call
        assert isinstance(function, types.FunctionType)
        _compiled[text] = numba.njit(function, error_model="numpy", nogil=True)
    return _compiled[text]


__all__ = ["by_entries", "compiled", "write_kernel"]
