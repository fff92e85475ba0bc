"""A whole function for XLA: the rows' NumPy templates with `np` standing for `jax.numpy`, jitted, in double precision.

Double precision is switched on for the call alone (`jax.enable_x64` as a context), so the caller's own configuration
of JAX stays what it is. What must be decided by Python — which branch was taken, whether a logarithm has a value — is
returned beside the outputs and tested after the call. Results come back as NumPy arrays that the caller owns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tangently.codegen.flat import ATOM, Dialect, Writer, apply_template, operand, python_literal, source_of
from tangently.expr import CONST, INPUT, Expr, Primitive
from tangently.primitives.layout import key_source

# Rows that change an array in place under NumPy: (params, *sources) -> source.
FUNCTIONAL: dict[str, Callable[..., str]] = {
    "scatter_add": lambda p, base, update, *arrays: f"{base}.at[{key_source(p[0], arrays)}].add({update})",
}
_SPECIAL = re.compile(r"\bspecial\.(\w+)")


def _template(op: Primitive) -> Any:
    return FUNCTIONAL.get(op.name, op.numpy)


DIALECT = Dialect(_template, python_literal, "{0} = {1}", frozenset({"np", "special", "inf", "nan", "v"}))


@dataclass(frozen=True)
class Kernel:
    """The jitted function of the inputs, its text, and what it could not express (None: nothing)."""

    call: Callable[..., Any] | None
    source: str
    missing: str | None = None


def kernel(inputs: Sequence[Expr], order: Sequence[Expr], results: Sequence[Expr]) -> Kernel:
    """`results` as a function of `inputs`, one statement a value."""
    missing = next((n.op.name for n in order if n.op not in (INPUT, CONST) and not _expressible(n)), None)
    if missing is not None:
        return Kernel(None, "", missing)
    writer = Writer(DIALECT)
    lines: list[str] = []
    for n in order:
        if n in inputs:
            writer.source[n] = (writer.fresh(n.name or "x"), ATOM)
        elif n.op is INPUT:
            value = n.params[0].value
            writer.source[n] = (python_literal(value) if type(value) is float else writer.constant(value), ATOM)
        elif n.op is not CONST:
            text, _ = apply_template(writer, _template(n.op), n.params, n.args)
            writer.source[n] = (writer.fresh("t"), ATOM)
            lines.append(f"{operand(writer, n, ATOM)} = {text}")
    for n in inputs:
        writer.source.setdefault(n, (writer.fresh(n.name or "x"), ATOM))
    names = ", ".join(source_of(writer, n)[0] for n in inputs)
    found = "".join(f"{source_of(writer, n)[0]}, " for n in results)
    text = "\n".join([f"def kernel({names}):", *[f"    {line}" for line in lines], f"    return ({found})"]) + "\n"
    return Kernel(_jitted(text, writer.constants), text)


def _expressible(n: Expr) -> bool:
    """Has the row a template that XLA's NumPy takes? Not with indices that vary: XLA clips those out of range."""
    template = _template(n.op)
    positions = [a for a in n.args if a.dtype in "lqi" and a.shape and a.op is not CONST]
    if template is None or n.op.name == "scatter_along" or (n.op.kind == "layout" and positions):
        return False
    text = template if isinstance(template, str) else template(n.params, *["x"] * len(n.args))
    wanted = _SPECIAL.findall(text)
    if not wanted:
        return True
    import jax.scipy.special

    return all(hasattr(jax.scipy.special, name) for name in wanted)


def _jitted(text: str, constants: dict[str, Any]) -> Callable[..., Any]:
    """Compiled at its first call. Arrays among the constants are turned into XLA's inside, once."""
    import jax
    import jax.numpy
    import jax.scipy.special

    from tangently.codegen.compiling import compile_text

    scope = {**constants, "np": jax.numpy, "special": jax.scipy.special, "inf": float("inf"), "nan": float("nan")}
    inner = jax.jit(compile_text("kernel", text, scope))
    double = _double_precision()

    def call(*args: Any) -> Any:
        with double(True):
            return inner(*args)

    return call


def _double_precision() -> Callable[[bool], Any]:
    import jax

    found = getattr(jax, "enable_x64", None)
    if found is None:
        from jax.experimental import enable_x64 as found  # type: ignore[attr-defined]
    return found


__all__ = ["Kernel", "kernel"]
