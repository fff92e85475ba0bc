"""Expressions: immutable, interned nodes of a graph. Structure only, no mathematics.

An `Expr` is a primitive applied to arguments. Nodes are *interned* (hash consing): building the same node
twice gives the same object, so `is` is equality, shared work is shared by construction, and a graph is
walked once per node. What a primitive means — its value, its derivative, how it prints — is a row of the
table in `tangently.primitives`; an interpreter is a loop over `toposort` that reads one field of each row.

Everything here is iterative: a chain of a million nodes is an ordinary graph.

Glossary: op a Primitive (a row of the table); args the operands; params what is fixed when the node is
built (an axis, a shape, a subscript string); y an output, xs the arguments, t a tangent, g a cotangent.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """A rule of differentiation as a person names it: `latex` uses u, v for the operands."""

    name: str
    latex: str
    when: tuple[bool, ...] | None = None  # which operands vary; None: any


@dataclass(frozen=True, eq=False, kw_only=True)
class Primitive:
    """One row of the table. The kinds in `tangently.primitives.kinds` fill the fields; interpreters read them.

    evaluate: (params, *values) -> value.
    infer: (params, *args) -> (shape, dtype) for args with `.shape` and `.dtype`; raises ShapeError.
    jvp: (params, y, xs, ts) -> tangent of y, where a None among ts means zero.
    vjp: (params, y, xs, g, i) -> cotangent of operand i, or None for zero.
    accumulate: (params, y, xs, g, i, total) -> the total with this cotangent added, where adding in place pays.
    partials: elementwise rows only; partials[i](y, *xs) is ∂y/∂xᵢ, or None where it is zero everywhere.
    combine: the tangent as textbooks write it (quotient rule), or None for Σ partialᵢ·tᵢ.
    simplify: (params, *args) -> Expr or None; local identities (x·1 → x) used when derivatives are built.
    domain, kink: (*values) -> bool array; outside the domain / at a point without a derivative.
    everywhere: (*args) -> bool; do these operands (x², u/3) put every point inside the domain?
    breaks: (*args) -> ((set, u, manner), …): the row is analytic except where an expression u is in a set: "zero"
        (u = 0), "whole" (a whole number) or "pole" (0, -1, -2, …). There its value jumps ("jump"), or it
        has none ("pole"), or its domain ends ("edge"), or it is continuous without a derivative ("kink").
    settled: (args, marks) -> Expr; the row where its breaks are marked: the sign of u, or for "whole" k at k and k + ½
        between k and k + 1.
    python, numpy, javascript, sympy: source templates, `{0}` an operand; or (params, *sources) -> source.
    ufunc: the NumPy ufunc with `out=`, where the row is one. torch, jax: later back ends read `numpy`.
    overwrite: (operand, statement): how the result is written into that operand, where nothing else needs it.
    shown: the notation, a tree for `tangently.printing`. calls: the names under which NumPy and math know it.
    """

    name: str
    kind: str
    arity: int | None
    evaluate: Callable[..., Any]
    infer: Callable[..., tuple[Shape, str]]
    jvp: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None
    accumulate: Callable[..., Any] | None = None
    partials: tuple[Callable[..., Any] | None, ...] = ()
    combine: Callable[..., Any] | None = None
    simplify: Callable[..., Any] | None = None
    domain: Callable[..., Any] | None = None
    domain_text: str = ""
    everywhere: Callable[..., Any] | None = None
    kink: Callable[..., Any] | None = None
    breaks: Callable[..., Any] | None = None
    settled: Callable[..., Any] | None = None
    body: Callable[..., Any] | None = None
    python: str | Callable[..., str] | None = None
    numpy: str | Callable[..., str] | None = None
    javascript: str | Callable[..., str] | None = None
    sympy: str | None = None
    ufunc: str | None = None
    inplace: Callable[..., str] | None = None
    overwrite: tuple[int, str] | None = None
    view: bool | Callable[..., bool] = False
    shown: Any = None
    rules: tuple[Rule, ...] = ()
    enclosure: Callable[..., Any] | None = None
    calls: tuple[str, ...] = ()
    samples: tuple[Any, ...] = ()
    scalar: Callable[..., Any] | None = None
    array: Callable[..., Any] | None = None

    def __call__(self, *args: Any, params: tuple[Any, ...] = ()) -> Any:
        """Apply the row: to expressions it builds a node, to traced values it records, to numbers it computes."""
        for arg in args:
            apply = getattr(type(arg), "__apply__", None)
            if apply is not None:
                return apply(self, args, params)
        return self.evaluate(params, *args)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


class Registry(dict[str, Primitive]):
    """The table, by name. A name is taken once."""

    def add(self, row: Primitive) -> Primitive:
        if row.name in self:
            raise KeyError(f"two rows are named {row.name!r}: a name is taken once")
        self[row.name] = row
        return row


TABLE = Registry()


class Symbol:
    """An input: its name, and the value it was traced with (None: none). Each one is new; equality is identity."""

    __slots__ = ("name", "serial", "value")
    counter = itertools.count()

    def __init__(self, name: str, value: Any = None) -> None:
        self.name, self.value, self.serial = name, value, next(Symbol.counter)

    def __repr__(self) -> str:
        return self.name


class Data:
    """A constant array inside a graph, compared by identity; it owns its memory and is never written to."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


class Expr:
    """A node: `op` applied to `args` under `params`, with the shape and dtype of its value.

    Built by `make` (raw) or by calling a row (with the row's local identities). Operators build nodes through
    the table, so the partials in the table read the same for expressions and for numbers.
    """

    __slots__ = ("__weakref__", "args", "dtype", "op", "params", "shape")
    __array_ufunc__ = None  # NumPy must hand its operators to us
    op: Primitive
    args: tuple[Expr, ...]
    params: tuple[Any, ...]
    shape: Shape
    dtype: str

    @staticmethod
    def __apply__(op: Primitive, args: Sequence[Any], params: tuple[Any, ...]) -> Expr:
        return build(op, args, params)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def is_constant(self) -> bool:
        return self.op is CONST

    @property
    def value(self) -> Any:
        """The number or array of a constant (None for any other node)."""
        return constant_value(self) if self.op is CONST else None

    @property
    def name(self) -> str | None:
        """The name of an input (None for any other node)."""
        return self.params[0].name if self.op is INPUT else None

    def __add__(self, other: Any) -> Any:
        return TABLE["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return TABLE["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return TABLE["sub"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return TABLE["sub"](other, self)

    def __mul__(self, other: Any) -> Any:
        return TABLE["mul"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return TABLE["mul"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return TABLE["div"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return TABLE["div"](other, self)

    def __pow__(self, other: Any) -> Any:
        return TABLE["pow"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return TABLE["pow"](other, self)

    def __neg__(self) -> Any:
        return TABLE["neg"](self)

    def __repr__(self) -> str:
        return describe(self)


_nodes: weakref.WeakValueDictionary[Any, Expr] = weakref.WeakValueDictionary()


def make(op: Primitive, args: tuple[Expr, ...], params: tuple[Any, ...], shape: Shape, dtype: str) -> Expr:
    """The node `op(*args)`, the one that exists already if there is one."""
    key = (op, args, params)
    found = _nodes.get(key)
    if found is not None:
        return found
    node = object.__new__(Expr)
    node.op, node.args, node.params, node.shape, node.dtype = op, args, params, shape, dtype
    _nodes[key] = node
    return node


def build(op: Primitive, args: Sequence[Any], params: tuple[Any, ...] = ()) -> Expr:
    """A node from expressions and numbers, after the row's local identities."""
    nodes = tuple(arg if type(arg) is Expr else const(arg) for arg in args)
    if op.simplify is not None:
        simpler = op.simplify(params, *nodes)
        if simpler is not None:
            return simpler
    return raw(op, nodes, params)


def raw(op: Primitive, args: tuple[Expr, ...], params: tuple[Any, ...] = ()) -> Expr:
    """A node from expressions, exactly as asked."""
    shape, dtype = op.infer(params, *args)
    return make(op, args, params, shape, dtype)


def _leaf(params: tuple[Any, ...], *args: Any) -> Any:
    raise AssertionError("a leaf has no operands to compute from")


INPUT = TABLE.add(Primitive(name="input", kind="leaf", arity=0, evaluate=_leaf, infer=_leaf))
CONST = TABLE.add(Primitive(name="const", kind="leaf", arity=0, evaluate=lambda p: constant_of(p), infer=_leaf))


def symbol(name: str, shape: Shape = (), dtype: str = "d", value: Any = None) -> Expr:
    """A new input. Two inputs of the same name are different: nested derivatives can't be confused."""
    return make(INPUT, (), (Symbol(name, value),), shape, dtype)


def const(value: Any) -> Expr:
    """A constant: a Python number (kept exact: 3 stays the integer 3) or an array (owned by the graph)."""
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return make(CONST, (), (kind, repr(value) if value != value or value == 0 else value), (), _WEAK[kind])
    if kind is Data:
        return make(CONST, (), (kind, value), value.array.shape, value.array.dtype.char)
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"a {kind.__name__} can't be a constant of a formula: a number or an array was wanted")
    if value.shape == () and value.dtype.char in "dlq?":
        return const(item())
    return const(Data(value))


_WEAK = {float: "w", int: "n", bool: "?"}  # "w", "n": Python numbers, which take the dtype of what they meet


def constant_of(params: tuple[Any, ...]) -> Any:
    kind, value = params
    if kind is Data:
        return value.array
    return (
        kind(value) if type(value) is str and kind is not bool else (value == "True" if type(value) is str else value)
    )


def constant_value(node: Expr) -> Any:
    return constant_of(node.params)


def is_number(node: Any, value: float) -> bool:
    """Is this the scalar constant `value`? For expressions and plain numbers alike."""
    if type(node) is Expr:
        return node.op is CONST and node.params[0] is not Data and constant_of(node.params) == value
    return isinstance(node, (int, float)) and node == value


def toposort(outputs: Iterable[Expr], stop: Callable[[Expr], bool] | None = None) -> list[Expr]:
    """Every node that the outputs need, arguments before the nodes that use them. Iterative, linear.

    Where `stop(node)` holds, the node is listed but its arguments are not entered.
    """
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[tuple[Expr, Iterator[Expr]]] = []
    for output in outputs:
        if output in seen:
            continue
        seen.add(output)
        stack.append((output, iter(() if stop and stop(output) else output.args)))
        while stack:
            node, rest = stack[-1]
            for arg in rest:
                if arg not in seen:
                    seen.add(arg)
                    stack.append((arg, iter(() if stop and stop(arg) else arg.args)))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def depends(order: Sequence[Expr], wrt: Iterable[Expr]) -> set[Expr]:
    """The nodes of a topological order that depend on any of `wrt` (which are among them)."""
    reached = set(wrt)
    for node in order:
        if node not in reached:
            for arg in node.args:
                if arg in reached:
                    reached.add(node)
                    break
    return reached


def inputs_of(outputs: Iterable[Expr]) -> list[Expr]:
    """The inputs that the outputs use, in order of first use."""
    return [node for node in toposort(outputs) if node.op is INPUT]


def substitute(outputs: Sequence[Expr], replace: dict[Expr, Expr]) -> list[Expr]:
    """The outputs with nodes replaced, rebuilt with the rows' local identities."""
    done = dict(replace)
    for node in toposort(outputs, stop=lambda n: n in replace):
        if node not in done:
            args = tuple(done[a] for a in node.args)
            done[node] = node if args == node.args else build(node.op, args, node.params)
    return [done[node] for node in outputs]


def evaluate(outputs: Sequence[Any], values: dict[Expr, Any]) -> list[Any]:
    """Run the graph: `values` gives the inputs (and any other node that is known already).

    The values may be numbers, arrays, expressions or traced values: rows are called, and they dispatch.
    """
    done = dict(values)
    for node in toposort(outputs, stop=lambda n: n in values):
        if node not in done:
            done[node] = constant_value(node) if node.op is CONST else _run(node, done)
    return [done[node] for node in outputs]


def _run(node: Expr, done: dict[Expr, Any]) -> Any:
    if node.op is INPUT:
        value = node.params[0].value
        if value is None:
            raise KeyError(f"the input {node.name!r} has no value here")
        return value
    return node.op(*[done[a] for a in node.args], params=node.params)


def describe(node: Expr, limit: int = 200) -> str:
    """A short one-line text of the expression, for debugging and error messages (printing has the real ones)."""
    pieces: dict[Expr, str] = {}
    for n in toposort([node]):
        if n.op is INPUT:
            pieces[n] = str(n.params[0])
        elif n.op is CONST:
            pieces[n] = f"array{n.shape}" if n.params[0] is Data else repr(constant_value(n))
        else:
            text = f"{n.op.name}({', '.join(pieces[a] for a in n.args)})"
            pieces[n] = text if len(text) <= limit else f"{n.op.name}(…)"
    return pieces[node]
