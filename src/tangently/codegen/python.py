"""Python source for a graph: `math` where everything is a number, NumPy where there are arrays.

The function first tests what it was generated for — types and shapes of the arguments, what the user's function read
besides them, and each guard as soon as its condition can be computed — and raises `Retrace` where one fails. For
arrays, a large temporary that dies is reused as `out=` of the operation that consumes it; contractions are `@`;
scatters add in place. Functions of more than a few thousand statements are cut into parts over one list of values,
since Python's compiler is not linear in the length of a function.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tangently.codegen.blocked import write_blocked
from tangently.codegen.body import Body, guard_test
from tangently.codegen.compiling import Generated, Retrace, compile_source, compile_text
from tangently.codegen.flat import (
    ATOM,
    Dialect,
    Writer,
    identifier,
    python_literal,
)
from tangently.codegen.regions import Plan, Region, by_label, partition
from tangently.expr import CONST, INPUT, Expr, toposort
from tangently.settings import CURRENT, Options

BLOCK = 16_384  # entries of a value, from which on it is cut where blocks are asked for
LARGE = 65_536  # entries of a value, from which on blocks pay: whole arrays then no longer fit the cache together
PART = 2_000  # statements in one function; longer functions are cut


RESERVED = frozenset({
    "np", "math", "special", "inf", "nan", "Retrace", "again", "v", "f", "scatter_along_axis", "lambda", "float", "abs",
    "max", "min", "round", "sum", "int", *[n for n in dir(math) if not n.startswith("_")],
} - {"e", "tau"})  # fmt: skip
MATH = Dialect(lambda op: op.python, python_literal, "{0} = {1}", RESERVED)
NUMPY = Dialect(
    lambda op: op.numpy, python_literal, "{0} = {1}", RESERVED | {"lo", "hi", "rows", "in_blocks", "chosen"}
)


@dataclass(frozen=True)
class Argument:
    """A parameter of the generated function: an input of the graph, or (node None) a value that must stay equal."""

    name: str
    node: Expr | None
    fixed: Any = None


def generate(
    name: str,
    arguments: Sequence[Argument],
    outputs: Sequence[Expr],
    *,
    names: dict[Expr, str] | None = None,
    guards: Sequence[tuple[Expr, Any]] = (),
    watched: Sequence[tuple[Any, Any, Any]] = (),
    stale: Callable[[], bool] | None = None,
    defined: Sequence[Expr] = (),
    again: Callable[..., Any] | None = None,
    options: Options | None = None,
) -> Generated:
    """The function `name(*arguments) -> outputs` (one value, or a tuple). Composites must have been expanded.

    `defined` are nodes that the outputs may not need, but that must have a value: log x, where only 1/x is computed.
    With `again`, a function that does not apply calls it with its arguments instead of raising Retrace. With `options`,
    its arrays are computed by that backend, and it raises Retrace where others have been chosen since.
    """
    needed = set(toposort(outputs))
    defined = [node for node in defined if node not in needed]
    order = schedule(guards, [*outputs, *(defined if len(needed) < PART else ())])
    scalar = all(n.shape == () for n in order) and all(a.node is None or a.node.shape == () for a in arguments)
    writer = Writer(MATH if scalar and all(n.op.python or n.op in (INPUT, CONST) for n in order) else NUMPY)
    scalar = writer.dialect is MATH
    writer.names = dict(names or {})
    writer.taken.add(name)
    params = [_parameter(writer, a) for a in arguments]
    checks = _argument_checks(writer, arguments, params, scalar) + _surroundings(writer, watched, stale)
    if options is not None and not scalar:
        writer.constants["chosen"] = CURRENT.get
        checks.append(f"if chosen() is not {writer.constant(options, 'options')}: raise Retrace")
    if options is not None and options.backend == "jax" and not scalar:
        found = _through_xla(name, arguments, params, checks, writer, order, outputs, guards, defined)
        if found is not None:
            return found
    plan, write_region = _plan(order, guards, set(defined), options or Options("numpy"))
    body = Body(writer, plan, outputs, guards, scalar, set(defined), write_region)
    if len(order) > PART * 4:
        return _cut(name, params, checks, body)
    lines = checks + body.write()
    if again is not None:
        writer.constants["again"] = again
        caught = "(Retrace, ValueError, ArithmeticError, KeyError)"
        indented = [f"    {line}" for line in lines]
        lines = ["try:", *indented, f"except {caught}:", "    pass", f"return again({', '.join(params)})"]
    text = "\n".join([f"def {name}({', '.join(params)}):", *[f"    {line}" for line in lines]]) + "\n"
    return compile_source(name, text, writer.constants, scalar)


def _plan(
    order: Sequence[Expr], guards: Sequence[tuple[Expr, Any]], defined: set[Expr], options: Options
) -> tuple[Plan, Callable[[Body, Region], None]]:
    """What is computed together, and who writes that."""
    whole = {condition for condition, _ in guards}
    if options.backend == "numba":
        from tangently.codegen.kernels import by_entries, write_kernel

        compiled = lambda body, region: write_kernel(body, region, options.workers)
        return partition(order, by_entries, least=1, whole=whole | defined), compiled
    blocked = lambda body, region: write_blocked(body, region, options.workers)
    least = {"auto": LARGE, "blocked": BLOCK}.get(options.backend)
    if least is None or not any(math.prod(n.shape) >= least for n in order):
        return list(order), blocked
    return partition(order, by_label(order, least), least=least, whole=whole), blocked


def schedule(guards: Sequence[tuple[Expr, Any]], outputs: Sequence[Expr]) -> list[Expr]:
    """Topological order with the guards' conditions first, in the order in which they were met."""
    return toposort([*[condition for condition, _ in guards], *outputs])


def _parameter(writer: Writer, argument: Argument) -> str:
    name = writer.fresh(argument.name)
    if argument.node is not None:
        writer.source[argument.node] = (name, ATOM)
    return name


# ---------------------------------------------------------------- checks


def _argument_checks(writer: Writer, arguments: Sequence[Argument], params: Sequence[str], scalar: bool) -> list[str]:
    lines = []
    for argument, name in zip(arguments, params):
        if argument.node is None:
            constant = writer.constant(argument.fixed, f"{name}_was")
            lines.append(f"if {name} is not {constant} and ({name}.__class__ is not {constant}.__class__ or {name} != {constant}): raise Retrace")  # fmt: skip  # noqa: E501
        elif argument.node.shape == ():
            lines.append(f"if {name}.__class__ is not float: raise Retrace")
        else:
            dtype = writer.constant(np.dtype(argument.node.dtype), argument.node.dtype + "type")
            lines.append(f"if {name}.__class__ is not np.ndarray or {name}.shape != {argument.node.shape} or {name}.dtype is not {dtype}: raise Retrace")  # fmt: skip  # noqa: E501
    return lines


def _surroundings(writer: Writer, watched: Sequence[tuple[Any, Any, Any]], stale: Any) -> list[str]:
    """Tests that what the user's function reads besides its arguments is as it was."""
    import types

    tests = []
    for holder, key, value in watched:
        where = writer.constant(
            holder, "cell" if type(holder) is types.CellType else "scope" if isinstance(holder, dict) else "function"
        )
        what = writer.constant(value, identifier(f"{key or 'cell'}_was").strip("_"))
        read = f"{where}.cell_contents" if type(holder) is types.CellType else (
            f"{where}[{key!r}]" if isinstance(holder, dict) else f"{where}.{key}")  # fmt: skip
        tests.append(f"{read} is not {what}")
    if stale is not None:
        tests.append(f"{writer.constant(stale, 'changed')}()")
    return [f"if {' or '.join(tests[k : k + 2])}: raise Retrace" for k in range(0, len(tests), 2)]


# ---------------------------------------------------------------- XLA


def _through_xla(
    name: str, arguments: Sequence[Argument], params: list[str], checks: list[str], writer: Writer,
    order: Sequence[Expr], outputs: Sequence[Expr], guards: Sequence[tuple[Expr, Any]], defined: Sequence[Expr],
) -> Generated | None:  # fmt: skip
    """The same tests around one call of a jitted function; None where a row has no spelling for it."""
    from tangently.codegen.xla import kernel

    operands = [a for n in defined for a in n.args]
    results = [*outputs, *[c for c, _ in guards], *operands]
    given = {a.node: p for a, p in zip(arguments, params) if a.node is not None}
    made = kernel(list(given), order, results)
    if made.call is None:
        checks.append(f"# {made.missing} has no spelling for XLA: the rest of this function is NumPy")
        return None
    writer.constants["kernel"] = made.call
    names = [writer.fresh("r") for _ in results]
    lines = [*checks, f"{', '.join(names)}, = kernel({', '.join(given.values())})"]
    tested = names[len(outputs) :]
    lines += [guard_test(writer, text, outcome) for text, (_, outcome) in zip(tested, guards)]
    rest = iter(tested[len(guards) :])
    for n in defined:
        inside = writer.constant(n.op.domain, f"domain_of_{n.op.name}")
        values = ", ".join(f"np.asarray({next(rest)})" for _ in n.args)
        lines.append(f"if not np.all({inside}({values})): raise ValueError")
    lines.append(f"return {', '.join(map(_from_xla, outputs, names))}")
    text = "\n".join([f"def {name}({', '.join(params)}):", *[f"    {line}" for line in lines]]) + "\n"
    found = compile_source(name, text, writer.constants, False)
    return replace(found, source=f"# with np = jax.numpy, compiled by jax.jit:\n{made.source}\n\n{found.source}")


def _from_xla(node: Expr, text: str) -> str:
    if node.shape == ():
        return f"float({text})"
    return f"np.array({text}{', float' if node.dtype in 'nlqw' else ''})"


# ---------------------------------------------------------------- long functions


def _cut(name: str, params: list[str], checks: list[str], body: Body) -> Generated:
    """The statements in functions `part_k(v)`. What one part computes and another needs is kept in the list `v`,
    until the last part that needs it is done."""
    parts = list(body.parts(PART))
    made = [{m[1] for line in part if (m := _ASSIGNED.match(line))} for part in parts]
    known = {*params, *itertools.chain.from_iterable(made)}
    read = [known.intersection(*[_WORD.findall("\n".join(part))]) for part in parts]
    last = {n: k for k, names in enumerate(read) for n in names}
    first = {**{n: k for k, names in enumerate(made) for n in names}, **dict.fromkeys(params, -1)}
    slots = {n: k for k, n in enumerate(sorted(n for n in last if first[n] < last[n]))}
    texts = [_part(k, part, read[k] - made[k], made[k], slots, last) for k, part in enumerate(parts)]
    head = [f"def {name}({', '.join(params)}):", *[f"    {c}" for c in checks], f"    v = [None] * {len(slots)}"]
    head += [f"    v[{slots[p]}] = {p}" for p in params if p in slots]
    head += [f"    {'return ' if k == len(parts) - 1 else ''}part_{k}(v)" for k in range(len(parts))]
    text = "\n\n".join([*texts, "\n".join(head)]) + "\n"
    return compile_source(name, text, body.writer.constants, body.scalar)


def _part(
    k: int, lines: Sequence[str], needs: set[str], makes: set[str], slots: dict[str, int], last: dict[str, int]
) -> str:
    before = [f"{n} = v[{slots[n]}]" for n in sorted(needs)]
    before += [f"v[{slots[n]}] = None" for n in sorted(needs) if last[n] == k]
    after = [f"v[{slots[n]}] = {n}" for n in sorted(makes) if n in slots]
    *most, end = lines
    body = [*before, *most, *after, end] if end.startswith("return ") else [*before, *lines, *after]
    return "\n".join([f"def part_{k}(v):", *[f"    {line}" for line in body]])


_ASSIGNED = re.compile(r"(\w+) = ")
_WORD = re.compile(r"\w+")


# ---------------------------------------------------------------- compiling


def unpacker(parts: Sequence[tuple[str, Any]]) -> Callable[..., tuple[Any, ...]]:
    """A function from nested arguments to their leaves, for one structure (of `tracing.trees`): Retrace for another.

    >>> unpacker([("p", ("dict", ("w", "b"), (("leaf",), ("leaf",)))), ("x", ("leaf",))])({"w": 1.0, "b": 2.0}, 3.0)
    (1.0, 2.0, 3.0)
    """
    scope: dict[str, Any] = {"Retrace": Retrace}
    tests: list[str] = []
    leaves = [leaf for name, s in parts for leaf in _leaf_sources(identifier(name), s, tests, scope)]
    body = [f"if {test}: raise Retrace" for test in tests] + [f"return ({', '.join(leaves)},)"]
    text = "\n".join([f"def unpack({', '.join(identifier(n) for n, _ in parts)}):", *[f"    {line}" for line in body]])
    return compile_text("unpack", text, scope)


def _leaf_sources(path: str, s: Any, tests: list[str], scope: dict[str, Any]) -> list[str]:
    """The expressions that reach the leaves below `path`; what the structure requires goes into `tests`."""
    kind = s[0]
    if kind == "leaf":
        return [path]
    held = f"s{len(scope)}"
    if kind == "static":
        scope[held] = s[1]
        tests.append(f"{path} is not {held} and {path} != {held}")
        return []
    if kind in ("named", "data"):
        scope[held] = s[1]
        tests.append(f"{path}.__class__ is not {held}")
        names = s[2] if kind == "data" else s[1]._fields
        places = [f"{path}.{name}" for name in names]
    else:
        tests.append(f"{path}.__class__ is not {kind} or len({path}) != {len(s[-1])}")
        keys = s[1] if kind == "dict" else range(len(s[-1]))
        scope.update({f"{held}_{k}": key for k, key in enumerate(keys)})
        scope[held] = None
        places = [f"{path}[{held}_{k}]" for k in range(len(s[-1]))]
    return [leaf for place, child in zip(places, s[-1]) for leaf in _leaf_sources(place, child, tests, scope)]


__all__ = ["Argument", "Generated", "Retrace", "generate", "unpacker"]
