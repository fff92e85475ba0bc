"""Inference: the shapes of names that a text leaves undeclared, by unification over its tree.

Every name has a shape (rows, columns) of unknowns: a capital letter is a matrix, a small letter a column or a number.
What is written says which unknowns are equal (A x: the columns of A are the rows of x; a + b: one shape; tr A: a
square), and which are no numbers (xᵀ, softmax(x), ‖x‖). Rules wait until enough is known; then the first small letter
that nothing has claimed is a number, and they go on (Milner, A theory of type polymorphism in programming, 1978, for
the idea).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tangently.errors import InputError, ShapeError
from tangently.expr import Dim, Size
from tangently.parsing.tree import Node, postorder

Unknown = int  # the number of a class of equal sizes
Pair = tuple[Unknown, Unknown]
Rule = Callable[[], bool]
POOL = ("n", "k", "p", "q", "r", "s", "t", "m", *[f"n_{k}" for k in range(1, 99)])
SCALAR_OF = frozenset({"sum", "mean", "norm", "norm2", "logsumexp", "amax", "amin", "prod", "max", "min"})
SQUARE = frozenset({"trace", "det", "logdet", "inv"})
VECTORS = frozenset({"softmax", "log_softmax"})
TOGETHER = frozenset({"cross_entropy", "mse"})


@dataclass
class Sizes:
    """Classes of equal sizes: what each is (None: not known), and whether it is surely not 1."""

    parent: list[int] = field(default_factory=list)
    value: list[Size | None] = field(default_factory=list)
    many: list[bool] = field(default_factory=list)

    def fresh(self, value: Size | None = None, many: bool = False) -> Unknown:
        self.parent.append(len(self.parent))
        self.value.append(value)
        self.many.append(many or (value is not None and value != 1))
        return len(self.parent) - 1

    def find(self, a: Unknown) -> Unknown:
        while self.parent[a] != a:
            a = self.parent[a]
        return a

    def is_one(self, a: Unknown) -> bool:
        return self.value[self.find(a)] == 1

    def is_many(self, a: Unknown) -> bool:
        return self.many[self.find(a)]

    def unify(self, a: Unknown, b: Unknown, place: str) -> None:
        a, b = self.find(a), self.find(b)
        if a == b:
            return
        one, other = self.value[a], self.value[b]
        if one is not None and other is not None and one != other:
            raise ShapeError(f"`{place}`: the sizes {one} and {other} meet here, and must be equal")
        if (one == 1 and self.many[b]) or (other == 1 and self.many[a]):
            raise ShapeError(
                f"`{place}`: a number (or a single row or column) meets a vector or matrix here. Capital letters were "
                "taken for matrices, small letters for vectors or numbers: give the shapes, A='m n', x='n', c=''"
            )
        self.parent[b] = a
        self.value[a] = one if one is not None else other
        self.many[a] = self.many[a] or self.many[b]

    def claim(self, a: Unknown, place: str) -> None:
        """This size is not 1."""
        if self.is_one(a):
            raise ShapeError(f"`{place}`: a vector or matrix was wanted here, a number stands there")
        self.many[self.find(a)] = True


@dataclass
class Inference:
    """The shapes of nodes, and the rules that wait."""

    text: str
    sizes: Sizes
    names: dict[str, Pair]
    free: list[str]
    waiting: list[Rule] = field(default_factory=list)

    def of(self, node: Node, parts: list[Pair]) -> Pair:
        return _NODES.get(node.kind, _unknown)(self, node, parts)

    def said(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def is_number(self, p: Pair) -> bool:
        return self.sizes.is_one(p[0]) and self.sizes.is_one(p[1])

    def is_array(self, p: Pair) -> bool:
        return self.sizes.is_many(p[0]) or self.sizes.is_many(p[1])

    def unify(self, a: Pair, b: Pair, node: Node) -> None:
        for x, y in zip(a, b):
            self.sizes.unify(x, y, self.said(node))

    def number(self) -> Pair:
        return self.sizes.fresh(1), self.sizes.fresh(1)

    def result_of(self, a: Pair, b: Pair) -> Pair:
        """The shape of a ∘ b while nothing is known but that both are columns."""
        columns = self.sizes.is_one(a[1]) and self.sizes.is_one(b[1])
        return self.sizes.fresh(), self.sizes.fresh(1 if columns else None)

    def later(self, rule: Rule) -> None:
        if not rule():
            self.waiting.append(rule)


def inferred(
    root: Node, text: str, declared: Mapping[str, tuple[Size, ...]], names: Sequence[str]
) -> dict[str, tuple[Size, ...]]:
    """The shape of every name: () a number, (n,) a column, (m, n) a matrix.

    >>> from tangently.parsing import parse
    >>> f = parse("softmax(W x + b)")
    >>> inferred(f.root, f.text, {}, f.arguments)
    {'W': (m, n), 'x': (n,), 'b': (m,)}
    """
    sizes = Sizes()
    free = [n for n in names if n not in declared]
    pairs = {n: _pair_of(n, sizes, declared) for n in names}
    state = Inference(text, sizes, pairs, free)
    _walk(state, root)
    _settle(state)
    _named(state, declared)
    return {n: declared[n] if n in declared else _shape(state, n) for n in names}


def _pair_of(name: str, sizes: Sizes, declared: Mapping[str, tuple[Size, ...]]) -> Pair:
    if name in declared:
        rows, columns = (*declared[name], 1, 1)[:2]
        return sizes.fresh(rows), sizes.fresh(columns)
    if name[0].isupper():
        return sizes.fresh(many=True), sizes.fresh(many=True)
    return sizes.fresh(), sizes.fresh(1)


def _walk(state: Inference, root: Node) -> None:
    done: list[Pair] = []
    for node in postorder(root):
        first = len(done) - len(node.parts)
        done[first:] = [state.of(node, done[first:])]


def _settle(state: Inference) -> None:
    """Rules until none moves; then the first small letter that nothing claims is a number."""
    while True:
        left = [rule for rule in state.waiting if not rule()]
        moved, state.waiting = len(left) < len(state.waiting), left
        if moved:
            continue
        name = next((n for n in state.free if not n[0].isupper() and _is_open(state, n)), None)
        if name is None:
            return
        state.sizes.unify(state.names[name][0], state.sizes.fresh(1), name)


def _is_open(state: Inference, name: str) -> bool:
    rows = state.names[name][0]
    return state.sizes.value[state.sizes.find(rows)] is None and not state.sizes.is_many(rows)


def _named(state: Inference, declared: Mapping[str, tuple[Size, ...]]) -> None:
    """Names for the sizes that have none: m and n of the first matrix, then further letters."""
    taken = {n for shape in declared.values() for s in shape if type(s) is Dim for n in s.names()} | set(state.names)
    pool = (n for n in POOL if n not in taken)
    find, value = state.sizes.find, state.sizes.value
    for name in sorted(state.free, key=lambda n: not n[0].isupper()):
        rows, columns = (find(u) for u in state.names[name])
        if value[rows] is None and value[columns] is None and rows != columns and not {"m", "n"} & taken:
            value[rows], value[columns] = Dim.named("m"), Dim.named("n")
            taken |= {"m", "n"}
            pool = (n for n in POOL if n not in taken)
        for u in (rows, columns):
            if value[u] is None:
                fresh = next(pool)
                taken.add(fresh)
                value[u] = Dim.named(fresh)


def _shape(state: Inference, name: str) -> tuple[Size, ...]:
    found = [state.sizes.value[state.sizes.find(u)] for u in state.names[name]]
    if name[0].isupper():
        return tuple(s for s in found if s is not None)
    return () if found[0] in (1, None) else (found[0],)


# ---------------------------------------------------------------- what each kind of node says


def _unknown(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    return s.sizes.fresh(), s.sizes.fresh()


def _same(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    """a + b: one shape, unless one is a number."""
    a, b = parts
    out = s.result_of(a, b)

    def rule() -> bool:
        if s.is_number(a) or s.is_number(b):
            s.unify(out, b if s.is_number(a) else a, node)
            return True
        if s.is_array(a) or s.is_array(b) or s.is_array(out):
            return _alike(s, a, b, out, node)
        return False

    s.later(rule)
    return out


def _alike(s: Inference, a: Pair, b: Pair, out: Pair, node: Node) -> bool:
    """Two arrays entry by entry; a column beside a matrix is spread along its rows, as NumPy does."""
    for one, other in ((a, b), (b, a)):
        if s.sizes.is_many(one[1]) and s.sizes.is_one(other[1]) and s.sizes.is_many(one[0]):
            s.sizes.unify(one[1], other[0], s.said(node))
            s.unify(out, one, node)
            return True
    s.unify(a, b, node)
    s.unify(out, a, node)
    return True


def _product(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    """Side by side: a number scales, arrays are multiplied as matrices."""
    a, b = parts
    out = s.result_of(a, b)

    def rule() -> bool:
        if s.is_number(a) or s.is_number(b):
            s.unify(out, b if s.is_number(a) else a, node)
            return True
        if s.sizes.is_many(b[0]) and s.sizes.is_many(b[1]) and s.sizes.is_one(a[1]):
            s.sizes.unify(a[0], s.sizes.fresh(1), s.said(node))
            return False
        if s.sizes.is_many(a[1]) or (s.is_array(a) and s.is_array(b)):
            s.sizes.unify(a[1], b[0], s.said(node))
            s.unify(out, (a[0], b[1]), node)
            return True
        return False

    s.later(rule)
    return out


def _starred(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    """A star: entry by entry, or between matrices that only their product fits, that."""
    a, b = parts
    if all(s.sizes.is_many(u) for p in parts for u in p) and "*" in node.kind and len(node.kind) == 1:
        capitals = [p.value for p in node.parts if p.kind == "name" and p.value in s.free]
        if capitals:
            raise InputError(
                f"`{s.said(node)}` has two readings: write A @ B or A B for the product of matrices, A .* B for the "
                "product entry by entry"
            )
    matrices = [s.sizes.is_many(p[0]) and s.sizes.is_many(p[1]) for p in (a, b)]
    row = s.sizes.is_one(a[0]) and s.sizes.is_many(a[1])
    return _product(s, node, parts) if any(matrices) or row else _same(s, node, parts)


def _quotient(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    a, b = parts
    out = s.sizes.fresh(), s.sizes.fresh()

    def rule() -> bool:
        if s.is_number(b) or s.is_number(a):
            s.unify(out, a if s.is_number(b) else b, node)
            return True
        return s.is_array(b) and _alike(s, a, b, out, node)

    s.later(rule)
    return out


def _power(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    base, exponent = parts
    s.unify(exponent, s.number(), node)
    if node.kind == "**" and s.sizes.is_many(base[0]) and s.sizes.is_many(base[1]):
        s.sizes.unify(base[0], base[1], s.said(node))
    return base


def _transposed(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    ((rows, columns),) = parts
    if s.sizes.is_one(columns):
        s.sizes.claim(rows, s.said(node))
    return columns, rows


def _called(s: Inference, node: Node, parts: list[Pair]) -> Pair:
    name, keywords = node.value
    if keywords or not parts:
        return _unknown(s, node, parts)
    a = parts[0]
    if name in SQUARE:
        s.sizes.claim(a[0], s.said(node))
        s.sizes.unify(a[0], a[1], s.said(node))
        return a if name == "inv" else s.number()
    if name in TOGETHER:
        s.unify(a, parts[1], node)
    if name in SCALAR_OF | TOGETHER and not (name in ("max", "min") and len(parts) > 1):
        s.sizes.claim(a[0] if s.sizes.is_one(a[1]) else a[1], s.said(node))
        return s.number()
    if name in VECTORS | {"diag"} and s.sizes.is_one(a[1]):
        s.sizes.claim(a[0], s.said(node))
    if name == "diag":
        return (a[0], a[0]) if s.sizes.is_one(a[1]) else (a[0], s.sizes.fresh(1))
    if len(parts) == 1:
        return a
    out = a
    for other in parts[1:]:
        out = _same(s, node, [out, other])
    return out


_NODES: dict[str, Callable[[Inference, Node, list[Pair]], Pair]] = {
    "number": lambda s, node, parts: s.number(),
    "constant": lambda s, node, parts: s.number(),
    "name": lambda s, node, parts: s.names[node.value],
    "negative": lambda s, node, parts: parts[0],
    "+": _same,
    "-": _same,
    ".*": _same,
    "./": _same,
    "*": _starred,
    "@": _product,
    "juxtapose": _product,
    "/": _quotient,
    "**": _power,
    ".^": _power,
    "transpose": _transposed,
    "call": _called,
}


def told(shapes: Mapping[str, tuple[Size, ...]], names: Sequence[str]) -> str:
    """What was inferred, in words."""
    return ", ".join(_told(n, shapes[n]) for n in names)


def _told(name: str, shape: tuple[Size, ...]) -> str:
    kind = ("a number", "a column", "a matrix")[len(shape)]
    return f"{name} is {kind}" + (f" ({'×'.join(map(str, shape))})" if shape else "")


__all__ = ["inferred", "told"]
