"""Expressions: immutable, interned nodes of a graph. Structure only, no mathematics.

An `Expr` is a primitive applied to arguments. Nodes are *interned* (hash consing): building the same node
twice gives the same object, so `is` is equality, shared work is shared by construction, and a graph is
walked once per node. What a primitive means — its value, its derivative, how it prints — is a row of the
table in `tangently.primitives`; an interpreter is a loop over `toposort` that reads one field of each row.

Everything here is iterative: a chain of a million nodes is an ordinary graph.

A size in a shape is a whole number or a `Dim`: a polynomial with integer coefficients in named sizes (n, m·n, n + 1).
The same rows build graphs of either kind, and `concretize` turns the one into the other.

Glossary: op a Primitive (a row of the table); args the operands; params what is fixed when the node is
built (an axis, a shape, a subscript string); y an output, xs the arguments, t a tangent, g a cotangent.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tangently.errors import InputError

Monomial = tuple[tuple[str, int], ...]  # the names with their powers, in alphabetical order
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Dim:
    """A size that has a name and no number yet: a polynomial with integer coefficients in named sizes.

    Sums, differences and products with whole numbers are exact, and a constant is always an `int`: a `Dim` is never
    equal to one. Whatever would need the number (a loop, a comparison by <, a truth value) is an InputError.

    >>> n, m = Dim.named("n"), Dim.named("m")
    >>> print(m * n, n + 1, (n + 1) * (n - 1), n + m - n)
    m·n n + 1 n² - 1 m
    >>> (n - n, n == n + 0, n == 3, (m * n).evaluate({"m": 2, "n": 3}))
    (0, True, False, 6)
    """

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def named(name: str) -> Dim:
        """The size of that name."""
        if not name.isidentifier():
            raise InputError(f"{name!r} was given as the name of a size: a word such as n or batch was wanted")
        return Dim(((((name, 1),), 1),))

    def names(self) -> tuple[str, ...]:
        """The named sizes in it, in alphabetical order."""
        return tuple(sorted({name for monomial, _ in self.terms for name, _ in monomial}))

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number that this size is where the named sizes are these numbers."""
        total = 0
        for monomial, coefficient in self.terms:
            for name, power in monomial:
                if name not in sizes:
                    raise InputError(f"the size {name} has no number: got {_given(sizes)}; give one for each name")
                coefficient *= int(sizes[name]) ** power
            total += coefficient
        return total

    def __add__(self, other: Any) -> Any:
        return _polynomial((*self.terms, *_terms(other))) if type(other) in (int, Dim) else NotImplemented

    def __neg__(self) -> Any:
        return _polynomial((m, -c) for m, c in self.terms)

    def __sub__(self, other: Any) -> Any:
        return self + -other if type(other) in (int, Dim) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if type(other) not in (int, Dim):
            return NotImplemented
        return _polynomial((_joined(a, b), c * d) for a, c in self.terms for b, d in _terms(other))

    __radd__, __rmul__ = __add__, __mul__

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in sorted(self.terms, key=_rank):
            sign = ("-" if coefficient < 0 else "") if not text else (" - " if coefficient < 0 else " + ")
            text += sign + _written(monomial, abs(coefficient))
        return text

    __repr__ = __str__

    def _number(self, *_: Any) -> NoReturn:
        raise InputError(f"the size {self} has no number here: this needs sizes that are whole numbers")

    __bool__ = __int__ = __index__ = __float__ = _number
    __lt__ = __le__ = __gt__ = __ge__ = _number
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _number


def _given(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{k} = {v}" for k, v in sizes.items()) or "no sizes at all"


def _terms(size: Any) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if type(size) is Dim else (((), size),)


def _joined(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def _polynomial(terms: Iterable[tuple[Monomial, int]]) -> Any:
    """The size that is the sum of these terms: an int where no name is left."""
    total: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + coefficient
    left = sorted((m, c) for m, c in total.items() if c)
    return Dim(tuple(left)) if any(m for m, _ in left) else sum(c for _, c in left)


def _rank(term: tuple[Monomial, int]) -> tuple[int, Monomial]:
    return -sum(power for _, power in term[0]), term[0]


def _written(monomial: Monomial, coefficient: int) -> str:
    factors = [name + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "") for name, power in monomial]
    return "·".join([str(coefficient), *factors] if coefficient != 1 or not factors else factors)


def quotient(size: Size, other: Size) -> Size | None:
    """size/other where that is a whole polynomial and `other` is one term; None where it is not.

    >>> n, m = Dim.named("n"), Dim.named("m")
    >>> quotient(m * n + n, n), quotient(m * n, 2), quotient(12, 4)
    (m + 1, None, 3)
    """
    if (type(other) is int and other == 0) or len(_terms(other)) != 1:
        return 1 if size == other and type(other) is Dim else None
    ((below, divisor),) = _terms(other)
    found = []
    for monomial, coefficient in _terms(size):
        powers = {k: dict(monomial).get(k, 0) - dict(below).get(k, 0) for k in dict(below) | dict(monomial)}
        if not coefficient:
            continue
        if coefficient % divisor or any(power < 0 for power in powers.values()):
            return None
        found.append((tuple(sorted((k, v) for k, v in powers.items() if v)), coefficient // divisor))
    return _polynomial(found)


Size = int | Dim
Shape = tuple[Any, ...]  # each a Size; to a type checker Any, since most readers have numbers and use them as such


def is_concrete(shape: Iterable[Size]) -> bool:
    """Are all sizes whole numbers?"""
    return Dim not in map(type, shape)


@dataclass(frozen=True)
class Rule:
    """A rule of differentiation as a person names it: `latex` uses u, v for the operands."""

    name: str
    latex: str
    when: tuple[bool, ...] | None = None  # which operands vary; None: any


@dataclass(frozen=True)
class Wires:
    """Where the entries of a linear row come from, in labels: those of the operand's axes, and those of the result's.

    A label on both sides is the same index; `picks` (label, by, table) say that the label is table[by]; `inner` are
    labels on neither side, with their sizes. A label of the operand that is nowhere else is summed over.
    """

    operand: tuple[Any, ...]
    out: tuple[Any, ...]
    picks: tuple[tuple[Any, tuple[Any, ...], Any], ...] = ()
    inner: tuple[tuple[Any, int], ...] = ()


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
    wired: (params, node, i) -> the Wires of a linear row in its operand i; None where positions hang on values.
    widened: (params, node, n) -> the params of a linear row on operands with one more, last, axis of size n, and how
        many of its operands (the first ones) are arrays that get it; the others are positions.
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
    wired: Callable[..., Any] | None = None
    widened: Callable[..., Any] | None = None
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


def in_numbers(params: Any, sizes: Mapping[str, int]) -> Any:
    """Params (nested tuples) with a number for every symbolic size in them."""
    if type(params) is tuple:
        return tuple([in_numbers(p, sizes) for p in params])
    return params.evaluate(sizes) if type(params) is Dim else params


def concrete_inputs(outputs: Iterable[Expr], sizes: Mapping[str, int]) -> dict[Expr, Expr]:
    """A new input of concrete shape for every input of symbolic shape; the others stay themselves.

    >>> x = symbol("x", (Dim.named("n"),))
    >>> [new.shape for new in concrete_inputs([x], {"n": 3}).values()]
    [(3,)]
    """
    return {
        x: x if is_concrete(x.shape) else symbol(str(x.name), in_numbers(x.shape, sizes), x.dtype)
        for x in inputs_of(outputs)
    }


def concretize(
    outputs: Sequence[Expr], sizes: Mapping[str, int], inputs: Mapping[Expr, Expr] | None = None
) -> list[Expr]:
    """The graph with numbers for the named sizes, rebuilt with the rows' local identities.

    `inputs` says what stands for each input (`concrete_inputs` makes such a mapping, for a caller who needs to know);
    left out, inputs of symbolic shape are replaced by new ones.

    >>> x = symbol("x", (Dim.named("n"), 2))
    >>> concretize([x], {"n": 3})[0].shape
    (3, 2)
    """
    done = dict(concrete_inputs(outputs, sizes) if inputs is None else inputs)
    for node in toposort(outputs, stop=done.__contains__):
        if node not in done:
            done[node] = _concrete(node, tuple(done[a] for a in node.args), sizes)
    return [done[node] for node in outputs]


def _concrete(node: Expr, args: tuple[Expr, ...], sizes: Mapping[str, int]) -> Expr:
    if node.op is CONST or node.op is INPUT:
        return node
    params = in_numbers(node.params, sizes)
    return node if args == node.args and params == node.params else build(node.op, args, params)


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
