"""Python source for a graph: `math` where everything is a number, NumPy where there are arrays.

The function first tests what it was generated for — types and shapes of the arguments, what the user's function read
besides them, and each guard as soon as its condition can be computed — and raises `Retrace` where one fails. For
arrays, a large temporary that dies is reused as `out=` of the operation that consumes it; contractions are `@`;
scatters add in place. Functions of more than a few thousand statements are cut into parts over one list of values,
since Python's compiler is not linear in the length of a function.
"""

from __future__ import annotations

import linecache
import math
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.codegen.flat import (
    ATOM,
    LINE,
    Dialect,
    Writer,
    apply_template,
    identifier,
    operand,
    python_literal,
    repeats,
    source_of,
    use_counts,
)
from tangently.expr import CONST, INPUT, Expr, depends, is_number, toposort
from tangently.primitives.layout import scatter_along_axis

BIG = 32_768  # bytes: from here on reusing a buffer beats allocating one
PART = 2_000  # statements in one function; longer functions are cut


class Retrace(Exception):
    """A generated function met arguments, surroundings or a branch that it was not generated for."""


RESERVED = frozenset({
    "np", "math", "special", "inf", "nan", "Retrace", "again", "v", "f", "scatter_along_axis", "lambda", "float", "abs",
    "max", "min", "round", "sum", "int", *[n for n in dir(math) if not n.startswith("_")],
} - {"e", "tau"})  # fmt: skip
MATH = Dialect(lambda op: op.python, python_literal, "{0} = {1}", RESERVED)
NUMPY = Dialect(lambda op: op.numpy, python_literal, "{0} = {1}", RESERVED)


@dataclass(frozen=True)
class Generated:
    """Source and the function compiled from it."""

    source: str
    call: Callable[..., Any]
    constants: dict[str, Any]
    scalar: bool


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
) -> Generated:
    """The function `name(*arguments) -> outputs` (one value, or a tuple). Composites must have been expanded.

    `defined` are nodes that the outputs may not need, but that must have a value: log x, where only 1/x is computed.
    With `again`, a function that does not apply calls it with its arguments instead of raising Retrace.
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
    if len(order) > PART * 4:
        return _cut(name, params, checks, writer, order, outputs, guards)
    body = _Body(writer, order, outputs, guards, scalar, set(defined)).write()
    lines = checks + body
    if again is not None:
        writer.constants["again"] = again
        caught = "(Retrace, ValueError, ArithmeticError, KeyError)"
        indented = [f"    {line}" for line in lines]
        lines = ["try:", *indented, f"except {caught}:", "    pass", f"return again({', '.join(params)})"]
    text = "\n".join([f"def {name}({', '.join(params)}):", *[f"    {line}" for line in lines]]) + "\n"
    return compile_source(name, text, writer.constants, scalar)


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


# ---------------------------------------------------------------- statements


class _Body:
    """Writes the statements of one function."""

    def __init__(
        self, writer: Writer, order: Sequence[Expr], outputs: Sequence[Expr], guards: Sequence[tuple[Expr, Any]],
        scalar: bool, defined: set[Expr],
    ) -> None:  # fmt: skip
        self.writer, self.order, self.outputs, self.scalar = writer, order, outputs, scalar
        self.defined = defined
        self.guards: dict[Expr, list[Any]] = {}
        for condition, outcome in guards:
            self.guards.setdefault(condition, []).append(outcome)
        self.uses = use_counts(order, [*outputs, *self.guards])
        self.position = {node: k for k, node in enumerate(order)}
        self.buffers = Buffers(order, outputs)
        self.used_as_atom = self._needs_names()
        self.moving = depends(order, [n for n in order if n.op is INPUT])
        self.users: dict[Expr, list[Expr]] = {}
        for n in order:
            for a in n.args:
                self.users.setdefault(a, []).append(n)

    def _needs_names(self) -> set[Expr]:
        found: set[Expr] = set()
        for node in self.order:
            if repeats(self.writer.dialect.template(node.op)):
                found.update(node.args)
        return found

    def write(self) -> list[str]:
        self._guard_inputs()
        for node in self.order:
            if node.op is INPUT or node.op is CONST:
                if node.op is INPUT and node not in self.writer.source:
                    self._captured(node)
                continue
            self._node(node)
            self._guard(node)
        result = [self._result(node) for node in self.outputs]
        text = ", ".join(result)
        return [*self.writer.lines, f"return {text}"]

    def _captured(self, node: Expr) -> None:
        """An input of another recording: a variable whose value is fixed."""
        value = node.params[0].value
        text = python_literal(value) if type(value) is float else self.writer.constant(value, node.name or "A")
        self.writer.source[node] = (text, ATOM)

    def _guard_inputs(self) -> None:
        for node in self.order:
            if node.op is INPUT and node in self.writer.source:
                self._guard(node)

    def _guard(self, node: Expr) -> None:
        for outcome in self.guards.pop(node, ()):
            text = operand(self.writer, node, 2 if outcome is not True else 0)
            if isinstance(outcome, np.ndarray):
                known = self.writer.constant(outcome, "mask")
                test = f"not np.array_equal({text}, {known})"
            elif outcome is True:
                test = f"not ({text})"
            else:
                test = text if outcome is False else f"{text} != {outcome}"
            self.writer.lines.append(f"if {test}: raise Retrace")

    def _node(self, node: Expr) -> None:
        if node in self.defined and not self.scalar:
            self._check_domain(node)
            if not self.uses.get(node):
                return
        if node.op.inplace is not None and self._in_place(node):
            return
        if self._spread(node):
            return
        template = self.writer.dialect.template(node.op)
        text, precedence = (
            apply_template(self.writer, template, node.params, self._args(node))
            if template
            else _row_call(self.writer, node)
        )
        if node in self.defined and not self.uses.get(node):
            self.writer.lines.append(text)  # raises where there is no value
            return
        if self._inlined(node, text):
            self.writer.source[node] = (text, precedence)
            return
        self._assign(node, text)

    def _check_domain(self, node: Expr) -> None:
        """The output does not compute this value, so it would not become nan outside its domain."""
        inside = self.writer.constant(node.op.domain, f"domain_of_{node.op.name}")
        args = ", ".join(operand(self.writer, a, 0) for a in node.args)
        self.writer.lines.append(f"if not np.all({inside}({args})): raise ValueError")

    def _args(self, node: Expr) -> list[Expr]:
        """Operands; a broadcast that NumPy will do by itself is dropped."""
        if node.op.kind != "elementwise":
            return list(node.args)
        return [self._unspread(node, a) for a in node.args]

    def _unspread(self, node: Expr, arg: Expr) -> Expr:
        if arg.op.name != "broadcast" or arg in self.writer.source:
            return arg
        inner = arg.args[0]
        others = [a for a in node.args if a is not arg and a.shape == node.shape and a.op.name != "broadcast"]
        trailing = arg.params[1] == tuple(range(len(arg.shape) - len(inner.shape), len(arg.shape)))
        return inner if others and trailing else arg

    def _spread(self, node: Expr) -> bool:
        """A broadcast is written where it is needed; most are not."""
        if node.op.name != "broadcast":
            return False
        users = self.users.get(node, ()) if self.uses.get(node, 0) < 4 else ()
        if users and all(n.op.kind == "elementwise" and self._unspread(n, node) is not node for n in users):
            return node not in self.outputs
        inplace_only = users and all(n.op.inplace is not None and n.args[0] is node for n in users)
        return bool(inplace_only and is_number(node.args[0], 0) and node not in self.outputs)

    def _inlined(self, node: Expr, text: str) -> bool:
        if self.uses.get(node, 0) != 1 or node in self.writer.names or node in self.used_as_atom:
            return False
        if len(text) > LINE or (node in self.guards and not self.scalar):
            return node in self.guards
        if self.scalar or node in self.guards:
            return True
        user = self.users[node][-1] if node in self.users else None
        if is_view(node):  # a view of an input costs the same wherever it is written
            return node.args[0].op in (INPUT, CONST) and node.op.inplace is None and node not in self.outputs
        return self._small(node) and (user is None or self._near(node, user))

    def _near(self, node: Expr, user: Expr) -> bool:
        """Writing a value where it is used moves it later: nothing in between may overwrite its operands."""
        return not any(self.buffers.owned(a) and a.op.inplace for a in node.args) and user.op.inplace is None

    def _small(self, node: Expr) -> bool:
        return math.prod(node.shape) * 8 < BIG and node.op.kind == "elementwise"

    def _overwritten(self, node: Expr) -> bool:
        """Write the result into a large operand that dies here: a mask applied to the gradient that arrives."""
        if self.scalar or node.op.overwrite is None:
            return False
        k, statement = node.op.overwrite
        base = node.args[k]
        rest = [a for i, a in enumerate(node.args) if i != k]
        fits = all(a.shape == node.shape or (a.op is CONST and a.shape == ()) for a in rest)
        if not fits or self.buffers.reusable(node, self.position[node], self.writer, (base,)) is not base:
            return False
        names = [operand(self.writer, a, ATOM) for a in node.args]
        if rest[0].dtype != "?" or not all(n.isidentifier() for n in names[:2]):
            return False
        self.writer.lines.append(statement.format(*names))
        self.writer.source[node] = self.writer.source[base]
        return True

    def _assign(self, node: Expr, text: str) -> None:
        if self._overwritten(node):
            return
        reuse = (
            None if self.scalar or not node.op.ufunc else self.buffers.reusable(node, self.position[node], self.writer)
        )
        name = self.writer.fresh(self.writer.names.get(node) or "t")
        if reuse is not None and node.op.ufunc:
            args = [operand(self.writer, a, 0) for a in self._args(node)]
            text = f"np.{node.op.ufunc}({', '.join(args)}, out={operand(self.writer, reuse, 0)})"
        self.writer.source[node] = (name, ATOM)
        self.writer.lines.append(f"{name} = {text}")

    def _in_place(self, node: Expr) -> bool:
        base, update = node.args[0], node.args[1]
        if base.op.name == "broadcast" and is_number(base.args[0], 0):
            name = self.writer.fresh(self.writer.names.get(node) or "g")
            self.writer.lines.append(f"{name} = np.zeros({node.shape if len(node.shape) != 1 else node.shape[0]})")
        elif (
            base.op.inplace is not None and self.buffers.dies(base, self.position[node]) and base in self.writer.source
        ):
            name = operand(self.writer, base, ATOM)
            if not name.isidentifier():
                return self._copied(node, base, update)
        else:
            return self._copied(node, base, update)
        return self._write_into(node, name, update)

    def _copied(self, node: Expr, base: Expr, update: Expr) -> bool:
        name = self.writer.fresh(self.writer.names.get(node) or "g")
        self.writer.lines.append(f"{name} = np.array({operand(self.writer, base, 0)})")
        return self._write_into(node, name, update)

    def _write_into(self, node: Expr, name: str, update: Expr) -> bool:
        arrays = [operand(self.writer, a, 0) for a in node.args[2:]]
        assert node.op.inplace is not None
        self.writer.lines.append(node.op.inplace(node.params, name, operand(self.writer, update, 0), *arrays))
        self.writer.source[node] = (name, ATOM)
        return True

    def _result(self, node: Expr) -> str:
        """An output must be the caller's own: never an input, a constant or a read-only view."""
        whole = node.dtype in "nlq" or node not in self.moving
        real = ", float" if whole else ""  # a derivative that is a whole number is a real number still
        if node.op.name == "broadcast" and node not in self.writer.source:
            return f"np.full({node.shape}, {operand(self.writer, node.args[0], 0)}{real})"
        text, _ = source_of(self.writer, node)
        if self.scalar:
            return f"float({text})" if node.op is CONST and type(node.value) is not float else text
        if node.shape == ():  # a Python number, not NumPy's scalar
            return text if node.op is CONST and type(node.value) is float else f"float({text})"
        own = self.buffers.fresh_result(node) and self.outputs.count(node) == 1 and not real
        return text if own else f"np.array({text}{real})"


class Buffers:
    """Which values own their memory, and when that memory is last needed (views keep their base alive)."""

    def __init__(self, order: Sequence[Expr], outputs: Sequence[Expr]) -> None:
        self.root: dict[Expr, Expr] = {}
        self.last: dict[Expr, int] = {}
        for k, node in enumerate(order):
            self.root[node] = self.root[node.args[0]] if is_view(node) else node
            for arg in node.args:
                self.last[self.root[arg]] = k
        for node in outputs:
            self.last[self.root[node]] = len(order) + 1

    def owned(self, node: Expr) -> bool:
        return self.root.get(node) is node and node.op not in (INPUT, CONST)

    def fresh_result(self, node: Expr) -> bool:
        root = self.root[node]
        return root.op not in (INPUT, CONST) and not any(n.op.name == "broadcast" for n in (node, root))

    def dies(self, node: Expr, k: int) -> bool:
        return self.last.get(self.root.get(node, node), -1) <= k

    def reusable(self, node: Expr, k: int, writer: Writer, candidates: Sequence[Expr] | None = None) -> Expr | None:
        """An operand whose buffer the result may take: large, owned, dead after this, of the same shape and dtype."""
        possible = node.op.ufunc or node.op.overwrite
        if not possible or math.prod(node.shape) * 8 < BIG or node.op.kind != "elementwise":
            return None
        for arg in node.args if candidates is None else candidates:
            known = writer.source.get(arg)
            fits = arg.shape == node.shape and arg.dtype == node.dtype and self.owned(arg) and self.dies(arg, k)
            if fits and known is not None and known[0].isidentifier() and arg.op.kind != "leaf":
                return arg
        return None


def is_view(node: Expr) -> bool:
    """Does the value share memory with its first operand?"""
    view = node.op.view
    return view(node.params) if callable(view) else view


# ---------------------------------------------------------------- long functions


def _cut(
    name: str, params: list[str], checks: list[str], writer: Writer, order: Sequence[Expr], outputs: Sequence[Expr],
    guards: Sequence[tuple[Expr, Any]],
) -> Generated:  # fmt: skip
    """One statement a value, over a list `v`, in parts of PART statements."""
    slot: dict[Expr, int] = {}
    pending: dict[Expr, list[Any]] = {}
    for condition, outcome in guards:
        pending.setdefault(condition, []).append(outcome)
    start = [f"    v[{k}] = {p}" for k, p in enumerate(params)]
    at = {text: k for k, text in enumerate(params)}
    for node, (text, _) in list(writer.source.items()):
        if text in at:
            writer.source[node] = (f"v[{at[text]}]", ATOM)
    lines: list[str] = []
    for node in order:
        if node.op is INPUT or node.op is CONST:
            if node.op is INPUT and node not in writer.source:
                value = node.params[0].value
                writer.source[node] = (python_literal(value) if type(value) is float else writer.constant(value), ATOM)
        else:
            text, _ = (
                apply_template(writer, writer.dialect.template(node.op), node.params, node.args)
                if node.op.numpy
                else _row_call(writer, node)
            )
            slot[node] = len(params) + len(slot)
            writer.source[node] = (f"v[{slot[node]}]", ATOM)
            lines.append(f"v[{slot[node]}] = {text}")
        outcomes = pending.pop(node, ())
        lines += [f"if {source_of(writer, node)[0]} != {outcome!r}: raise Retrace" for outcome in outcomes]
    parts = [lines[k : k + PART] for k in range(0, len(lines), PART)]
    text = [f"def part_{k}(v):\n" + "\n".join(f"    {line}" for line in part) for k, part in enumerate(parts)]
    result = ", ".join(source_of(writer, node)[0] for node in outputs)
    head = [f"def {name}({', '.join(params)}):", *[f"    {c}" for c in checks]]
    head += [f"    v = [None] * {len(params) + len(slot)}", *start]
    head += [f"    part_{k}(v)" for k in range(len(parts))]
    head += [f"    return {result}" if len(outputs) == 1 else f"    return ({result},)"]
    return compile_source(name, "\n\n".join([*text, "\n".join(head)]) + "\n", writer.constants, writer.dialect is MATH)


def _row_call(writer: Writer, node: Expr) -> tuple[str, int]:
    """A row that has no template is called as it is."""
    row = writer.constant(node.op, f"{node.op.name}_row")
    params = writer.constant(node.params, f"{node.op.name}_params")
    return f"{row}({', '.join(operand(writer, a, 0) for a in node.args)}, params={params})", ATOM


# ---------------------------------------------------------------- compiling

_LISTED: deque[str] = deque(maxlen=256)
_MATH_NAMES = re.compile(r"\bmath\.(\w+)")


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
    filename = f"<tangently {name} {id(constants):x}>"
    exec(compile(text, filename, "exec"), scope)
    source = "\n".join(head) + ("\n\n\n" if head else "") + text
    _list_lines(filename, text)
    return Generated(source, scope[name], constants, scalar)


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
    exec(compile(text, "<tangently unpack>", "exec"), scope)
    return scope["unpack"]


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


def _list_lines(filename: str, text: str) -> None:
    """Let tracebacks show the generated lines; of the functions generated long ago they are forgotten."""
    if len(_LISTED) == _LISTED.maxlen:
        linecache.cache.pop(_LISTED[0], None)
    _LISTED.append(filename)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


__all__ = ["Argument", "Generated", "Retrace", "generate", "unpacker"]
