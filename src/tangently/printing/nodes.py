"""The tree of mathematical layout: its node types, and the constructors that put parentheses where they belong.

A node says how a formula is *set*: a fraction, a script, a sum with signs, a product with the gaps between its
factors. Every node has a `level`, its binding strength; a constructor (`sum_of`, `product`, `power`, …) puts an
operand in parentheses where it binds more weakly than its place asks for. A printer never thinks about precedence:
it is one small function for each node type, run by `fold` from the leaves to the root.

On one line a fraction has no bar to hold it together, so `flat` rebuilds a tree with slashes, and with the
parentheses that they need; the one-line printers and every exponent use it.

All walks are iterative: a tree may be as deep as its budget of nodes allows.

Levels, weakest first: LOGIC a ∧ b; RELATION a = b; SUM a + b; BIG ∑ a; TIGHT a ⊙ b; QUOTIENT a/b (slash);
PRODUCT a b, stacked fractions; CALL sin x (without parentheses); POWER xʸ, √x; ATOM names, numbers, f(x), (…).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

LOGIC, RELATION, SUM, BIG, TIGHT, QUOTIENT, PRODUCT, CALL, POWER, ATOM = range(10)
TOUCHING, THIN, LETTER, FUNCTION, DOT, CIRCLE = "", "thin", "letter", "function", "dot", "circle"  # joints
R = TypeVar("R")

# Functions that are read without parentheses before a single letter: sin x, ln 2.
_BARE = """
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth arsinh arcosh artanh ln log lg det tr arg sgn
"""
BARE = frozenset(_BARE.split())
WEAK_SYMBOLS: Mapping[str, int] = {"∧": LOGIC, "∨": LOGIC, "mod": TIGHT}
VULGAR: Mapping[tuple[str, str], str] = {
    ("1", "2"): "½", ("1", "3"): "⅓", ("2", "3"): "⅔", ("1", "4"): "¼", ("3", "4"): "¾", ("1", "5"): "⅕",
    ("2", "5"): "⅖", ("3", "5"): "⅗", ("4", "5"): "⅘", ("1", "6"): "⅙", ("5", "6"): "⅚", ("1", "8"): "⅛",
    ("3", "8"): "⅜", ("5", "8"): "⅝", ("7", "8"): "⅞",
}  # fmt: skip


class Layout:
    """A node of the tree (abstract). `parts` are the nodes below it, None where an optional one is absent."""

    __slots__ = ()
    level: ClassVar[Any] = ATOM

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return ()

    def __repr__(self) -> str:
        from tangently.printing.linear import to_text

        return f"<{type(self).__name__} {to_text(self)}>"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Atom(Layout):
    """A word: `role` is variable, number, function, operator, text or code (Python source)."""

    text: str
    role: str = "variable"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Alias(Layout):
    """Set as `shown`, written in Python as `code`: names (W₁ is params.W1), rounded numbers, einsum."""

    shown: Layout
    code: Layout

    @property
    def level(self) -> int:  # type: ignore[override]
        return self.shown.level

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.shown, self.code)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Sum(Layout):
    """Terms with their signs, +1 or −1."""

    terms: tuple[Layout, ...]
    signs: tuple[int, ...]
    level: ClassVar[int] = SUM

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return self.terms


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Product(Layout):
    """Factors of a kind: "" numbers, "⊙" entry by entry, "@" matrices.

    `joints[k]`, between factors k and k + 1: TOUCHING 2x, THIN a gap, LETTER and FUNCTION a gap only where the medium
    does not space letters (x y) and functions (x sin y) by itself, DOT 2·3, CIRCLE u ⊙ v.
    """

    factors: tuple[Layout, ...]
    joints: tuple[str, ...]
    kind: str = ""

    @property
    def level(self) -> int:  # type: ignore[override]
        return TIGHT if self.kind == "⊙" else PRODUCT

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return self.factors


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Frac(Layout):
    """A fraction: stacked, or with a slash."""

    over: Layout
    under: Layout
    slash: bool = False

    @property
    def level(self) -> int:  # type: ignore[override]
        return QUOTIENT if self.slash else PRODUCT

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.over, self.under)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Script(Layout):
    """A base with a subscript, a superscript, or both."""

    base: Layout
    sub: Layout | None = None
    sup: Layout | None = None

    @property
    def level(self) -> int:  # type: ignore[override]
        return ATOM if self.sup is None else POWER

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.base, self.sub, self.sup)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Root(Layout):
    """A square root, or one of another degree."""

    body: Layout
    degree: Layout | None = None
    level: ClassVar[int] = POWER

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.body, self.degree)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Call(Layout):
    """A function and its arguments; `bare`: without parentheses, sin x."""

    name: Layout
    args: tuple[Layout, ...]
    bare: bool = False

    @property
    def level(self) -> int:  # type: ignore[override]
        return CALL if self.bare else ATOM

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.name, *self.args)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Fence(Layout):
    """A body between delimiters; an empty string draws none."""

    left: str
    body: Layout
    right: str

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Relation(Layout):
    """Sides joined by symbols: a = b ≤ c; also a ∧ b and a mod b."""

    sides: tuple[Layout, ...]
    symbols: tuple[str, ...]

    @property
    def level(self) -> int:  # type: ignore[override]
        return WEAK_SYMBOLS.get(self.symbols[0], RELATION)

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return self.sides


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Grid(Layout):
    """A matrix of entries; a column of single entries is a vector."""

    rows: tuple[tuple[Layout, ...], ...]

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return tuple(cell for row in self.rows for cell in row)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Cases(Layout):
    """Values and the conditions under which they hold; the last condition may be None (otherwise)."""

    values: tuple[Layout, ...]
    conditions: tuple[Layout | None, ...]
    level: ClassVar[int] = LOGIC

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (*self.values, *self.conditions)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Big(Layout):
    """A large operator before its body: ∑, ∏, lim, max; `sub` is set below it."""

    symbol: str
    sub: Layout | None
    body: Layout
    level: ClassVar[int] = BIG

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.sub, self.body)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Accent(Layout):
    """A mark above: hat, bar, tilde, dot, ddot, …"""

    base: Layout
    mark: str

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return (self.base,)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Row(Layout):
    """Pieces side by side, just as they are, with `gap` ("" or " ", a thin space) between them."""

    items: tuple[Layout, ...]
    gap: str = ""
    level: int = ATOM  # type: ignore[misc]

    @property
    def parts(self) -> tuple[Layout | None, ...]:
        return self.items


ELLIPSIS = Alias(Atom("…", "text"), Atom("...", "code"))  # what was left out; a run of it in a sum is set once

# ---------------------------------------------------------------- walking


def fold(root: Layout, rules: Mapping[type, Callable[..., R]]) -> R:
    """Bottom up, `rules[type(node)](node, *results of its parts)`. Iterative; a shared node is computed once.

    >>> fold(Row((Atom("a"), Row((Atom("b"), Atom("c"))))), {Atom: lambda n: 1, Row: lambda n, *k: sum(k)})
    3
    """
    done: dict[int, Any] = {id(None): None}
    stack: list[Layout] = [root]
    while stack:
        node = stack[-1]
        waiting = [] if id(node) in done else [p for p in node.parts if id(p) not in done]
        if waiting:
            stack.extend(waiting)  # type: ignore[arg-type]
            continue
        stack.pop()
        if id(node) not in done:
            done[id(node)] = rules[type(node)](node, *[done[id(p)] for p in node.parts])
    return done[id(root)]


def edge(node: Layout, last: bool) -> Layout:
    """The first (or last) piece that the eye meets: what decides how two factors may stand side by side."""
    while True:
        if type(node) is Alias:
            node = node.shown
        elif type(node) is Product:
            node = node.factors[-1 if last else 0]
        elif type(node) is Script and not last:
            node = node.base
        elif type(node) is Call and not (last and node.bare):
            return node
        elif type(node) is Call:
            node = node.args[-1]
        else:
            return node


def core(node: Layout) -> Layout:
    """The node under its aliases."""
    while type(node) is Alias:
        node = node.shown
    return node


def vulgar(node: Layout) -> str | None:
    """The character for a small numeric fraction, where there is one.

    >>> vulgar(Frac(Atom("1", "number"), Atom("2", "number")))
    '½'
    """
    if type(node) is not Frac or type(node.over) is not Atom or type(node.under) is not Atom:
        return None
    return VULGAR.get((node.over.text, node.under.text))


def is_numeral(node: Layout) -> bool:
    """A number that may lead a product: 2, ½, 1.5·10⁻³."""
    inner = core(node)
    if type(inner) is Atom or vulgar(inner):
        return type(inner) is Frac or inner.role == "number"  # type: ignore[union-attr]
    last = edge(inner, last=True)
    return type(node) is Alias and type(last) is Script and _is_digit(last.base)


def is_letter(node: Layout) -> bool:
    """A single letter, perhaps with subscript or accent, or a number: what sin takes without parentheses."""
    inner = core(node)
    while type(inner) is Accent or (type(inner) is Script and inner.sup is None):
        inner = core(inner.base)
    return type(inner) is Atom and (inner.role == "number" or (inner.role == "variable" and len(inner.text) == 1))


def is_bare_name(name: Layout) -> bool:
    inner = core(name)
    inner = core(inner.base) if type(inner) is Script else inner
    return type(inner) is Atom and inner.text in BARE


# ---------------------------------------------------------------- constructors


def fenced(node: Layout) -> Fence:
    return Fence("(", node, ")")


def closed(node: Layout, level: int) -> Layout:
    """The node, in parentheses if it binds more weakly than `level`."""
    return node if node.level >= level else fenced(node)


def sum_of(*terms: tuple[Layout, int]) -> Layout:
    """A signed sum: nested sums are flattened, and a + (−b) is a − b."""
    flat: list[tuple[Layout, int]] = []
    for term, sign in terms:
        if type(term) is Sum and (sign > 0 or len(term.terms) == 1):
            flat.extend(zip(term.terms, [sign * s for s in term.signs]))
        else:
            flat.append((closed(term, SUM + 1), sign))
    flat = [t for k, t in enumerate(flat) if k == 0 or t[0] is not ELLIPSIS or flat[k - 1][0] is not ELLIPSIS]
    if len(flat) == 1 and flat[0][1] > 0:
        return flat[0][0]
    return Sum(tuple(t for t, _ in flat), tuple(s for _, s in flat))


def negative(node: Layout) -> Layout:
    return sum_of((node, -1))


def split_sign(node: Layout) -> tuple[int, Layout]:
    """−x as (−1, x), anything else as (1, itself)."""
    if type(node) is Sum and len(node.terms) == 1:
        return node.signs[0], node.terms[0]
    return 1, node


def signed(sign: int, node: Layout) -> Layout:
    return node if sign > 0 else negative(node)


def _prepended(factor: Layout, chain: Product, joint: Callable[[Layout, Layout], str]) -> Product:
    factor = _guarded(factor, chain.factors[0])
    return Product((factor, *chain.factors), (joint(factor, chain.factors[0]), *chain.joints), chain.kind)


def product(*factors: Layout) -> Layout:
    """A product of numbers: numerals first, then π, the rest in the order given, constants such as ln 2 last."""
    if len(factors) == 2 and _extends(*factors):
        return _appended(factors[0], factors[1], _joint)  # type: ignore[arg-type]
    sign, flat = 1, []
    for k, factor in enumerate(factors):
        s, rest = split_sign(factor)
        if s < 0 and (k == 0 or is_numeral(rest)):
            sign, factor = -sign, rest
        flat.extend(_opened(factor))
    return signed(sign, _juxtaposed(sorted(flat, key=_place)))


def _opened(factor: Layout) -> tuple[Layout, ...]:
    nested = type(factor) is Product and not factor.kind and not is_numeral(factor)
    return factor.factors if nested else (factor,)  # type: ignore[attr-defined]


def _extends(chain: Layout, factor: Layout) -> bool:
    """May the factor follow the chain as it is: in order, and without parentheses or splicing?"""
    plain = type(factor) is not Product and factor.level > QUOTIENT and _place(factor) == 2
    return plain and type(chain) is Product and not chain.kind and _place(chain) == _place(chain.factors[-1]) == 2


def _place(factor: Layout) -> int:
    if is_numeral(factor):
        return 0
    if type(factor) is Alias and type(factor.shown) is Atom and factor.shown.text == "π":
        return 1
    return 3 if type(factor) is Alias and type(factor.shown) is Call and factor.shown.bare else 2


def _juxtaposed(factors: list[Layout]) -> Layout:
    if len(factors) == 1:
        return factors[0]
    init, last = [closed(f, PRODUCT) for f in factors[:-1]], closed(factors[-1], BIG)
    last = fenced(last) if last.level == QUOTIENT else last
    if type(last) is Product and last.kind == "⊙":  # 2 (u ⊙ v) = 2u ⊙ v
        first, *rest = last.factors
        return hadamard(product(*init, first), *rest)
    return _set_side_by_side([*init, last], "", _joint)


def _set_side_by_side(factors: list[Layout], kind: str, joint: Callable[[Layout, Layout], str]) -> Product:
    pieces = tuple(_guarded(a, b) for a, b in zip(factors, [*factors[1:], None]))
    return Product(pieces, tuple(joint(a, b) for a, b in pairwise(pieces)), kind)


def _appended(chain: Product, factor: Layout, joint: Callable[[Layout, Layout], str]) -> Product:
    """One more factor at the end of a chain: only the seam is new, so that long chains are set in linear time."""
    seam = _guarded(closed(chain.factors[-1], PRODUCT), factor)
    return Product((*chain.factors[:-1], seam, factor), (*chain.joints, joint(seam, factor)), chain.kind)


def _guarded(node: Layout, following: Layout | None) -> Layout:
    """sin x before another factor would swallow it: sin(x) y; before another function it is read as meant."""
    head = None if following is None else edge(following, last=False)
    return node if head is None or (type(head) is Call and is_bare_name(head.name)) else explicit(node)


def explicit(node: Layout) -> Layout:
    """The node with a call at its end in parentheses: 2 sin(x)."""
    if type(node) is Call and node.bare:
        return Call(node.name, node.args)
    if type(node) is Alias and type(node.shown) is Call:
        return Alias(explicit(node.shown), node.code)
    if type(node) is Product:
        return Product((*node.factors[:-1], explicit(node.factors[-1])), node.joints, node.kind)
    return node


def _joint(a: Layout, b: Layout) -> str:
    """What stands between two factors: a dot where juxtaposition would be misread, a gap, or nothing."""
    left, right = edge(a, last=True), edge(b, last=False)
    if _is_digit(right) or (_is_word(left) and _is_word(right)):
        return DOT
    if type(right) is Call:
        return FUNCTION if _is_word(core(right.name)) else THIN
    if type(left) is Fence and type(right) is Fence:
        return TOUCHING
    if is_numeral(a) and type(left) is not Script:
        return TOUCHING if type(right) in (Fence, Root) or _is_slim(right) else THIN
    return LETTER if _is_slim(left) and _is_slim(right) else THIN


def _is_digit(node: Layout) -> bool:
    node = core(edge(node.over, last=False)) if type(node) is Frac else node
    return type(node) is Atom and node.role == "number"


def _is_word(node: Layout) -> bool:
    """A name of several letters."""
    while type(node) is Script:
        node = core(node.base)
    return type(node) is Atom and node.role in ("variable", "function") and len(node.text) > 1


def _is_slim(node: Layout) -> bool:
    """A single letter, perhaps with short scripts: such factors are set side by side without a gap."""
    while type(node) is Accent or (type(node) is Script and (node.sup is None or type(node.sup) is Atom)):
        node = core(node.base)
    return type(node) is Atom and len(node.text) == 1


def hadamard(*factors: Layout) -> Layout:
    """A product of arrays, entry by entry: a ⊙ b."""
    pieces = [closed(f, TIGHT + 1) for f in _spliced("⊙", factors)]
    return pieces[0] if len(pieces) == 1 else Product(tuple(pieces), (CIRCLE,) * (len(pieces) - 1), "⊙")


def matmul(*factors: Layout) -> Layout:
    """A product of matrices: A B x. A scaled matrix keeps its parentheses unless it is the first: 2A B, A (2B)."""
    start, end = factors[0], factors[-1]
    if len(factors) == 2 and _is_matmul(start) and type(end) is not Product:
        return _appended(start, closed(end, PRODUCT), _matrix_joint)  # type: ignore[arg-type]
    if len(factors) == 2 and _is_matmul(end) and type(start) is not Product and type(end.parts[0]) is not Product:
        return _prepended(closed(start, PRODUCT), end, _matrix_joint)  # type: ignore[arg-type]
    return _spliced_matrices(factors)


def _is_matmul(node: Layout) -> bool:
    return type(node) is Product and node.kind == "@"


def _spliced_matrices(factors: Iterable[Layout]) -> Layout:
    first, *rest = _spliced("@", factors)
    flat = [closed(first, PRODUCT), *[fenced(f) if type(f) is Product else closed(f, PRODUCT) for f in rest]]
    return flat[0] if len(flat) == 1 else _set_side_by_side(flat, "@", _matrix_joint)


def _matrix_joint(a: Layout, b: Layout) -> str:
    """A dot between matrices would be read as an inner product."""
    joint = _joint(a, b)
    return THIN if joint == DOT else joint


def _spliced(kind: str, factors: Iterable[Layout]) -> list[Layout]:
    """The factors, with nested products of the same kind opened."""
    return [g for f in factors for g in (f.factors if type(f) is Product and f.kind == kind else (f,))]


def fraction(over: Layout, under: Layout) -> Layout:
    """A stacked fraction; a sign moves before it."""
    sign, over = split_sign(over)
    return signed(sign, Frac(over, under))


def quotient(over: Layout, under: Layout) -> Layout:
    """A fraction on one line: (x + 1)/(2x)."""
    return Frac(explicit(closed(over, PRODUCT)), closed(explicit(under), POWER), slash=True)


def power(base: Layout, exponent: Layout) -> Layout:
    """A base with an exponent, whose fractions are set with a slash. A name with a subscript takes it above: x₀²."""
    exponent = _as_exponent(exponent)
    if type(exponent) is Atom and exponent.text == "1":  # exp(1) is e
        return base
    inner = core(base)
    if type(inner) is Script and inner.sup is None:
        raised = Script(inner.base, inner.sub, exponent)
        return raised if inner is base else Alias(raised, Script(base, None, exponent))
    if type(inner) is Call and is_bare_name(inner.name):
        return _power_of_call(inner, exponent)
    return Script(closed(base, ATOM), None, exponent)


def _as_exponent(node: Layout) -> Layout:
    node = node if type(node) is Atom else flat(node)
    return Frac(node.over, node.under, slash=True) if type(node) is Frac else node


def _power_of_call(base: Call, exponent: Layout) -> Layout:
    """sin² x for whole exponents, (sin x)ⁿ else: sin⁻¹ would be read as the inverse."""
    name = base.name if type(base.name) is Script else Script(base.name)
    if is_whole(exponent) and name.sup is None:
        return Call(Script(name.base, name.sub, exponent), base.args, base.bare)
    return Script(fenced(base), None, exponent)


def is_whole(node: Layout | None) -> bool:
    return type(node) is Atom and node.role == "number" and node.text.isdigit()


def subscript(base: Layout, sub: Layout) -> Layout:
    return Script(closed(base, ATOM), sub)


def call(name: Layout, *args: Layout) -> Layout:
    """A function of its arguments: sin x, f(x, y)."""
    return Call(name, args, bare=len(args) == 1 and is_bare_name(name) and is_letter(args[0]))


def relation(left: Layout, symbol: str, right: Layout) -> Layout:
    """left symbol right. A relation between relations gets parentheses, a ∧ b > c does not."""
    level = WEAK_SYMBOLS.get(symbol, RELATION)
    need = PRODUCT + 1 if level == TIGHT else level + 1
    if level == LOGIC and type(left) is Relation and left.symbols[-1] == symbol:
        return Relation((*left.sides, closed(right, need)), (*left.symbols, symbol))
    return Relation((closed(left, need), closed(right, need)), (symbol,))


def big(symbol: str, sub: Layout | None, body: Layout) -> Layout:
    return Big(symbol, sub, closed(body, BIG))


def cases(*rows: tuple[Layout, Layout | None]) -> Layout:
    """Values with conditions; cases in the place of "otherwise" continue the list."""
    flat = list(rows)
    while flat[-1][1] is None and type(flat[-1][0]) is Cases:
        inner = flat.pop()[0]
        flat.extend(zip(inner.values, inner.conditions))  # type: ignore[attr-defined]
    return Cases(tuple(v for v, _ in flat), tuple(c for _, c in flat))


# ---------------------------------------------------------------- one line


def flat(node: Layout, one_line: bool = False) -> Layout:
    """The tree with slashes for bars, and the parentheses that this asks for. `one_line`: also sin(x)² for sin² x."""
    return fold(node, _ONE_LINE if one_line else _SLASHED)


def _flat_frac(node: Frac, over: Layout, under: Layout) -> Layout:
    return node if vulgar(node) else quotient(over, under)


def _flat_script(node: Script, base: Layout, sub: Layout | None, sup: Layout | None) -> Layout:
    return Script(closed(base, ATOM), sub, sup)


def _flat_line_call(node: Call, name: Layout, *args: Layout) -> Layout:
    """sin² x is sin(x)² on a line."""
    if type(name) is Script and is_whole(name.sup) and is_bare_name(name):
        return Script(Call(Script(name.base, name.sub) if name.sub else name.base, args), None, name.sup)
    return Call(name, args, node.bare)


def _flat_alias(node: Alias, shown: Layout, code: Layout) -> Layout:
    return node if shown is node.shown and code is node.code else Alias(shown, code)


def _flat_product(node: Product, *factors: Layout) -> Layout:
    make = {"": product, "⊙": hadamard, "@": matmul}
    return node if all(a is b for a, b in zip(factors, node.factors)) else make[node.kind](*factors)


def _same(node: Layout) -> Layout:
    return node


_SLASHED: dict[type, Callable[..., Layout]] = {
    Atom: _same,
    Alias: _flat_alias,
    Sum: lambda node, *terms: Sum(terms, node.signs),
    Product: _flat_product,
    Frac: _flat_frac,
    Script: _flat_script,
    Root: lambda node, body, degree: Root(body, degree),
    Call: lambda node, name, *args: Call(name, args, node.bare),
    Fence: lambda node, body: Fence(node.left, body, node.right),
    Relation: lambda node, *sides: Relation(sides, node.symbols),
    Grid: lambda node, *cells: Grid(regrouped(node, cells)),
    Cases: lambda node, *parts: Cases(parts[: len(node.values)], parts[len(node.values) :]),
    Big: lambda node, sub, body: Big(node.symbol, sub, body),
    Accent: lambda node, base: Accent(base, node.mark),
    Row: lambda node, *items: Row(items, node.gap, node.level),
}
_ONE_LINE = {**_SLASHED, Call: _flat_line_call}


def regrouped(node: Grid, cells: tuple[R, ...]) -> tuple[tuple[R, ...], ...]:
    """Cells in the rows of the grid from which they were read."""
    rest = iter(cells)
    return tuple(tuple(next(rest) for _ in row) for row in node.rows)
