"""The statements of one generated function.

A value that is used once and stays short is written where it is used; every other one is a statement. A large temporary
that dies is reused as `out=` of the operation that consumes it; a broadcast that NumPy does by itself is dropped;
scatters add in place. Regions (`tangently.codegen.regions`) are handed to a writer of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tangently.codegen.buffers import Buffers, is_big, is_view
from tangently.codegen.contractions import contraction
from tangently.codegen.flat import (
    ATOM,
    LINE,
    Writer,
    apply_template,
    operand,
    python_literal,
    repeats,
    source_of,
    use_counts,
)
from tangently.codegen.regions import Plan, Region, flattened
from tangently.expr import CONST, INPUT, Expr, depends, is_number

SHAPED = ("reshape", "broadcast")  # rows of the table whose first parameter is their own shape


class Rows(int):
    """The number of slices of a whole array, written as that of the block."""

    def __repr__(self) -> str:
        return "rows"


class Body:
    """Writes the statements of one function."""

    def __init__(
        self, writer: Writer, plan: Plan, outputs: Sequence[Expr], guards: Sequence[tuple[Expr, Any]],
        scalar: bool, defined: set[Expr], write_region: Callable[[Body, Region], None] | None = None,
    ) -> None:  # fmt: skip
        order = flattened(plan)
        self.writer, self.plan, self.order, self.outputs, self.scalar = writer, plan, order, outputs, scalar
        self.defined, self.write_region = defined, write_region
        self.guards: dict[Expr, list[Any]] = {}
        for condition, outcome in guards:
            self.guards.setdefault(condition, []).append(outcome)
        self.uses = use_counts(order, [*outputs, *self.guards])
        self.position = {node: k for k, node in enumerate(order)}
        self.buffers = Buffers(order, outputs)
        self.moving = depends(order, [n for n in order if n.op is INPUT])
        self.users: dict[Expr, list[Expr]] = {}
        for n in order:
            for a in n.args:
                self.users.setdefault(a, []).append(n)
        self.used_as_atom = self._needs_names()
        self.local: set[Expr] | None = None  # the nodes of the region that is being written
        self.label: int | None = None  # the number of slices that it is cut into
        self.stored: set[Expr] = set()  # those of them that are kept as a whole
        self.earlier: dict[str, str] = {}  # what its blocks share: the text, and a name

    def _needs_names(self) -> set[Expr]:
        found: set[Expr] = set()
        for node in self.order:
            if repeats(self.writer.dialect.template(node.op)):
                found.update(node.args)
        for region in self.plan:
            if isinstance(region, Region):
                before = {a for n in region.nodes for a in n.args} - set(region.nodes)
                found |= before | {a.args[0] for a in before if a.op.name == "broadcast"}
        return found

    def write(self) -> list[str]:
        """All statements."""
        return [line for part in self.parts(len(self.order)) for line in part]

    def parts(self, size: int) -> Iterator[list[str]]:
        """The statements in parts that are cut, between values, where they reach a size."""
        self._guard_inputs()
        for item in self.plan:
            self._item(item)
            if len(self.writer.lines) >= size:
                yield self.writer.lines
                self.writer.lines = []
        result = [self._result(node) for node in self.outputs]
        yield [*self.writer.lines, f"return {', '.join(result)}"]

    def _item(self, item: Expr | Region) -> None:
        if isinstance(item, Region):
            assert self.write_region is not None
            self.write_region(self, item)
        elif item.op is INPUT and item not in self.writer.source:
            self._captured(item)
        elif item.op is not INPUT and item.op is not CONST:
            self.node(item)
            self._guard(item)

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
            self.writer.lines.append(guard_test(self.writer, text, outcome))

    def node(self, node: Expr) -> None:
        """The statement of one value, or its text, kept for where it is used."""
        if node in self.defined and not self.scalar:
            self._check_domain(node)
            if not self.uses.get(node):
                return
        if node.op.inplace is not None and self._in_place(node):
            return
        if self._spread(node) or self._filled(node):
            return
        text, precedence = self._text(node)
        if node in self.defined and not self.uses.get(node):
            self.writer.lines.append(text)  # raises where there is no value
            return
        if self._inlined(node, text):
            self.writer.source[node] = (text, precedence)
            return
        self._assign(node, text)

    def _text(self, node: Expr) -> tuple[str, int]:
        """The source of one operation, and how it binds."""
        found = None if self.scalar else self._by_shape(node)
        if found is not None:
            return found
        template = self.writer.dialect.template(node.op)
        if not template:
            return row_call(self.writer, node)
        return apply_template(self.writer, template, self._params(node), self.operands(node))

    def _by_shape(self, node: Expr) -> tuple[str, int] | None:
        """What is best written in a way that hangs on the operands' shapes."""
        if node.op.kind == "multilinear":
            texts = [operand(self.writer, a, ATOM) for a in node.args]
            fixed = [self.local is None or (a not in self.local and self.label not in a.shape) for a in node.args]
            shapes = [a.shape for a in node.args]
            return contraction(node.params[0], texts, shapes, fixed, self.label, self._before)
        if node.op.name == "reshape" and node.args[0].shape:
            return f"{operand(self.writer, node.args[0], ATOM)}.reshape{_tuple(self._params(node)[0])}", ATOM
        return None

    def _before(self, text: str) -> str:
        """Inside of blocks, the name of a value that is computed once before them."""
        if self.local is None:
            return text
        if text not in self.earlier:
            self.earlier[text] = self.writer.fresh("t")
        return self.earlier[text]

    def _params(self, node: Expr) -> tuple[Any, ...]:
        """Inside a block, a shape has the number of the block's slices."""
        if self.label is None or node.op.name not in SHAPED:
            return node.params
        shape, *rest = node.params
        return (tuple(Rows(n) if n == self.label else n for n in shape), *rest)

    def _check_domain(self, node: Expr) -> None:
        """The output does not compute this value, so it would not become nan outside its domain."""
        inside = self.writer.constant(node.op.domain, f"domain_of_{node.op.name}")
        args = ", ".join(operand(self.writer, a, 0) for a in node.args)
        self.writer.lines.append(f"if not np.all({inside}({args})): raise ValueError")

    def operands(self, node: Expr) -> list[Expr]:
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

    def _filled(self, node: Expr) -> bool:
        """One number in every entry is a constant, which takes no memory."""
        if node.op.name != "broadcast" or node in self.outputs or self.scalar:
            return False
        if node.args[0].op is not CONST or node.args[0].shape or self.label in node.shape:
            return False
        value = node.args[0].value
        name = {0.0: "zeros", 1.0: "ones"}.get(value, "filled")
        self.writer.source[node] = (self.writer.constant(np.broadcast_to(value, node.shape), name), ATOM)
        return True

    def _inlined(self, node: Expr, text: str) -> bool:
        if self.uses.get(node, 0) != 1 or node in self.writer.names:
            return False
        if node in self.used_as_atom or node in self.stored:
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
        return not is_big(node) and node.op.kind == "elementwise"

    def _overwritten(self, node: Expr) -> bool:
        """Write the result into a large operand that dies here: a mask applied to the gradient that arrives."""
        if self.scalar or node.op.overwrite is None:
            return False
        k, statement = node.op.overwrite
        base = node.args[k]
        rest = [a for i, a in enumerate(node.args) if i != k]
        fits = all(a.shape == node.shape or (a.op is CONST and a.shape == ()) for a in rest)
        if not fits or self._reusable(node, (base,)) is not base:
            return False
        names = [operand(self.writer, a, ATOM) for a in node.args]
        if rest[0].dtype != "?" or not all(n.isidentifier() for n in names[:2]):
            return False
        self.writer.lines.append(statement.format(*names))
        self.writer.source[node] = self.writer.source[base]
        return True

    def _assign(self, node: Expr, text: str) -> None:
        if node in self.stored:
            self._store(node, text)
            return
        if self._overwritten(node):
            return
        reuse = None if self.scalar or not node.op.ufunc else self._reusable(node)
        name = self.writer.fresh(self.writer.names.get(node) or "t")
        if reuse is not None:
            text = self._into(node, operand(self.writer, reuse, 0))
        self.writer.source[node] = (name, ATOM)
        self.writer.lines.append(f"{name} = {text}")

    def _reusable(self, node: Expr, candidates: Sequence[Expr] | None = None) -> Expr | None:
        """A dead operand to write into. Blocks of rows share what was computed before them, and leave it alone."""
        possible = [
            a for a in (node.args if candidates is None else candidates) if self.local is None or a in self.local
        ]
        return self.buffers.reusable(node, self.position[node], self.writer, possible)

    def _into(self, node: Expr, target: str) -> str:
        args = [operand(self.writer, a, 0) for a in self.operands(node)]
        return f"np.{node.op.ufunc}({', '.join(args)}, out={target})"

    def _store(self, node: Expr, text: str) -> None:
        """Into the rows, already in place, of an array that is kept as a whole."""
        target, _ = self.writer.source[node]
        into = node.op.ufunc is not None and target.isidentifier()
        self.writer.lines.append(self._into(node, target) if into else f"{_stored(target)} = {text}")

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


def _tuple(shape: Sequence[Any]) -> str:
    return f"({', '.join(map(repr, shape))})" if shape else "(())"


def _stored(target: str) -> str:
    """An assignment's left side: `a` is filled as a whole, `a[k]` is one entry."""
    return f"{target}[...]" if target.isidentifier() else target


def guard_test(writer: Writer, text: str, outcome: Any) -> str:
    """The test that a condition comes out as it did in the trace."""
    if isinstance(outcome, np.ndarray):
        test = f"not np.array_equal({text}, {writer.constant(outcome, 'mask')})"
    elif outcome is True:
        test = f"not ({text})"
    else:
        test = text if outcome is False else f"{text} != {outcome}"
    return f"if {test}: raise Retrace"


def row_call(writer: Writer, node: Expr) -> tuple[str, int]:
    """A row that has no template is called as it is."""
    row = writer.constant(node.op, f"{node.op.name}_row")
    params = writer.constant(node.params, f"{node.op.name}_params")
    return f"{row}({', '.join(operand(writer, a, 0) for a in node.args)}, params={params})", ATOM
