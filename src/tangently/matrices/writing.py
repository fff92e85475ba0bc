"""Writing: matrix notation as a line of text, with the shape under every symbol, and as LaTeX.

A formula becomes the tree of layout of `tangently.printing`, whose printers do the rest: names, Greek letters,
scripts and parentheses are theirs. What is decided here is the spacing of a product, as on paper: single letters are
set tight, Xᵀ(Xw − y); a gap follows a number, stands beside diag(…) and X⁻¹, and between the two vectors of an outer
product, s sᵀ. A function that occurs several times gets a name: diag(s) − s sᵀ where s = softmax(x).

Shapes: every symbol is set as a character of its own, so that its places are known in whatever the printer makes of
the line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tangently.expr import TABLE, Size
from tangently.expr import symbol as input_of
from tangently.matrices import notation as mat
from tangently.matrices.notation import ONE, Indices, Mat, base_of, index_terms, parts_first, split
from tangently.printing import to_latex, to_text, tree
from tangently.printing.names import name, number
from tangently.printing.nodes import (
    ATOM,
    BIG,
    PRODUCT,
    TIGHT,
    Atom,
    Call,
    Fence,
    Frac,
    Layout,
    Row,
    Script,
    big,
    closed,
    core,
    is_letter,
    power,
    sum_of,
    vulgar,
)
from tangently.printing.nodes import fenced as parenthesized
from tangently.printing.nodes import hadamard as circled
from tangently.printing.unicode import columns as width_of

TOP, MINUS = Atom("⊤", "operator"), Atom("−", "operator")
GAP = Atom(" ", "text")
LETTERS = "ijklpqrtvxhmnoase"  # those that can be lowered
INITIALS = {"softmax": "s", "sigmoid": "s", "exp": "e"}
POOL = ("s", "t", "u", "v", "p", "q", "r", "z", "S", "T", "U", "V", "P", "R", "Z")
BUDGET = 400  # nodes of a formula that is written out; above it everything that is shared gets a name
Leaf = Callable[[Mat], Layout]


def text(m: Mat) -> str:
    """One line of text.

    >>> n = mat.Dim.named("n")
    >>> s = mat.called("softmax", mat.symbol("x", (n,)), (n, 1))
    >>> print(text(mat.subtract(mat.diag(s), mat.multiply(s, mat.transpose(s)))))
    diag(s) − s sᵀ  where s = softmax(x)
    """
    return "  ".join(_sentences(m, lambda layout: to_text(layout), _plain))


def latex(m: Mat, shapes: bool = False) -> str:
    r"""LaTeX; with `shapes` each symbol stands over its shape.

    >>> X = mat.symbol("X", (mat.Dim.named("m"), mat.Dim.named("n")))
    >>> print(latex(mat.scale(2, mat.transpose(X)), shapes=True))
    2 \underset{m\times n}{X}^{\top}
    """
    marks = Marks() if shapes else None
    sentences = _sentences(
        m, lambda layout: _spaced(to_latex(layout)), marks.leaf if marks else _plain, r"\text{where } "
    )
    return marks.in_latex(r" \quad ".join(sentences)) if marks else r" \quad ".join(sentences)


def with_shapes(m: Mat) -> str:
    """The line of text, then the formula with the shape under every symbol, then what has to be said about it.

    >>> X, w = (mat.symbol(k, s) for k, s in (("X", (mat.Dim.named("m"), 3)), ("w", (3,))))
    >>> print(with_shapes(mat.multiply(X, w)))
    Xw
    X   w
    m×3 3
    """
    plain = text(m)
    marks = Marks()
    marked = "  ".join(_sentences(m, lambda layout: to_text(layout), marks.leaf))
    upper, lower = marks.aligned(marked)
    lines = [plain, *([] if upper == plain else [upper]), *([lower] if lower else [])]
    return "\n".join([*lines, *notes(m)])


def notes(m: Mat) -> list[str]:
    """What a reader has to be told: why there are indices, and how index pairs are flattened."""
    found = ["index notation: " + mat.reason(m)] if mat.reason(m) else []
    orders = {node.data[-1] for node in parts_first(m) if node.op in ("vec", "commutation")}
    words = {"row": "row after row, as NumPy flattens", "column": "column after column"}
    return found + [f"vec stacks a matrix {words[order]}" for order in sorted(orders)]


def _spaced(latex: str) -> str:
    return " ".join(latex.replace("⊘", r"\oslash").split())


# ---------------------------------------------------------------- names for what occurs often


def _sentences(m: Mat, show: Callable[[Layout], str], leaf: Leaf, where: str = "where ") -> list[str]:
    formula, definitions = named(m)
    lines = [show(layout(formula, leaf))]
    for k, (short, long) in enumerate(definitions):
        between = where if k == 0 else "and " if where == "where " else r"\text{and } "
        lines.append(between + show(leaf(short)) + " = " + show(layout(long, leaf)))
    return lines


def named(m: Mat) -> tuple[Mat, list[tuple[Mat, Mat]]]:
    """The formula with short names for the functions that occur several times in it, and what they stand for."""
    repeated = _repeated(m)
    taken = {node.data[0] for node in parts_first(m) if node.op == "symbol"}
    done: dict[Mat, Mat] = {}
    definitions = []
    for node in parts_first(m):  # without any rewriting: the formula keeps its form
        args = [done[a] for a in node.args]
        same = all(a is b for a, b in zip(args, node.args))
        done[node] = node if same else mat.make(node.op, args, node.data, node.shape)
        if node in repeated:
            short = mat.symbol(_fresh(node, taken), _own_shape(node), ())
            definitions.append((short, done[node]))
            done[node] = short
    return done[m], definitions


def _repeated(m: Mat) -> set[Mat]:
    """The nodes worth a name that would be written more than once; what has a name is written only there."""
    order = parts_first(m)
    worth = _is_long if _written_size(order) <= BUDGET else _is_compound
    times = dict.fromkeys(order, 0) | {m: 1}
    found = set()
    for node in reversed(order):
        if times[node] > 1 and worth(node):
            found.add(node)
            times[node] = 1
        for arg in node.args:
            times[arg] += times[node]
    return found


def _is_long(m: Mat) -> bool:
    """A function worth a name of its own: not a number such as √d."""
    return m.op in ("call", "map") and not (m.is_number and all(a.op == "symbol" for a in m.args))


def _is_compound(m: Mat) -> bool:
    return m.op != "transpose" and any(a.args for a in m.args)


def _written_size(order: Sequence[Mat]) -> int:
    """How many nodes the formula has when it is written out."""
    sizes: dict[Mat, int] = {}
    for node in order:
        sizes[node] = 1 + sum(sizes[a] for a in node.args)
    return sizes[order[-1]]


def _own_shape(m: Mat) -> tuple[Size, ...]:
    return () if m.is_number else (m.shape[:1] if m.is_vector else m.shape)


def _fresh(node: Mat, taken: set[str]) -> str:
    first = INITIALS.get(node.data[0], "") if node.op in ("call", "map") else ""
    small = node.is_number or node.is_vector
    letters = [first if small else first.upper(), *[c for c in POOL if c.islower() == small]]
    candidates = itertools.chain(filter(None, letters), (f"t_{k}" for k in itertools.count()))
    found = next(c for c in candidates if c not in taken)
    taken.add(found)
    return found


# ---------------------------------------------------------------- layout


def _plain(m: Mat) -> Layout:
    return name(m.data[0])


def layout(m: Mat, leaf: Leaf = _plain) -> Layout:
    """The formula as a tree of layout; `leaf` sets a symbol."""
    done: dict[Mat, Layout] = {}
    for node in parts_first(m):
        done[node] = leaf(node) if node.op == "symbol" else _LAYOUT[node.op](node, done)
    return done[m]


def size(n: Size) -> Layout:
    """A size, as a subscript or a number of the formula."""
    written = str(n).replace(" ", "")
    return number(n) if isinstance(n, int) else name(written) if written.isidentifier() else Atom(written, "text")


Done = Mapping[Mat, Layout]


def _sum(m: Mat, done: Done, loose: bool = False) -> Layout:
    terms = [(_loose(t) if loose and len(m.args) > 1 else t, c) for c, t in zip(m.data, m.args)]
    return sum_of(*[(_scaled(abs(c), t, done), 1 if c > 0 else -1) for t, c in terms])


def _loose(m: Mat) -> Mat:
    """Inside a function of entries, c 1ₙ is c."""
    return mat.entry(m) or m


def _entry(m: Mat, done: Done) -> Layout:
    """An argument of something that acts entry by entry."""
    return _sum(m, done, loose=True) if m.op == "sum" and not m.is_number else done[m]


def _scaled(c: Any, m: Mat, done: Done) -> Layout:
    if m is ONE:
        return number(float(c)) if isinstance(c, float) else _fraction_of(c)
    if c == 1:
        return done[m]
    if isinstance(c, Fraction) and vulgar(_fraction_of(c)) is None:
        over = done[m] if c.numerator == 1 else _beside([number(c.numerator), done[m]], [" "])
        return Frac(over, number(c.denominator))
    whole = done[m]
    factor = number(c) if not isinstance(c, Fraction) else _fraction_of(c)
    if type(whole) is Frac:
        return Frac(_beside([factor, whole.over], [" "]), whole.under)
    return _beside([factor, whole], [" "])


def _fraction_of(c: Any) -> Layout:
    if isinstance(c, Fraction) and c.denominator != 1:
        return Frac(number(c.numerator), number(c.denominator))
    return number(int(c))


def _beside(factors: Sequence[Layout], gaps: Sequence[str]) -> Layout:
    """Factors side by side, each bound tightly enough."""
    pieces: list[Layout] = []
    for factor, gap in zip(factors, ["", *gaps]):
        pieces += [GAP] if gap else []
        pieces.append(closed(factor, PRODUCT))
    return pieces[0] if len(pieces) == 1 else Row(tuple(pieces), level=PRODUCT)


def _product(m: Mat, done: Done) -> Layout:
    scalars, chain = split(m)
    below = [s for s in scalars if base_of(s)[1] < 0]
    above = [s for s in scalars if s not in below]
    over = _line([*above, *chain], done)
    if not below:
        return over
    under = _line([mat.power(base_of(s)[0], -base_of(s)[1]) for s in below], {**done, **_more(below, done)})
    return Frac(over, under)


def _more(below: Sequence[Mat], done: Done) -> dict[Mat, Layout]:
    """Layouts of the denominators themselves."""
    found: dict[Mat, Layout] = {}
    for s in below:
        base, exponent = base_of(s)
        m = mat.power(base, -exponent)
        found[m] = done[base] if m is base else _raised(done[base], -exponent)
    return found


def _line(factors: Sequence[Mat], done: Mapping[Mat, Layout]) -> Layout:
    if not factors:
        return number(1)
    gaps = [_gap(a, b, done) for a, b in pairwise(factors)]
    last = len(factors) - 1
    return _beside([_factor(f, done[f], k == last) for k, f in enumerate(factors)], gaps)


def _factor(m: Mat, shown: Layout, last: bool) -> Layout:
    """A number that is a product itself keeps its parentheses before others: (xᵀy) x. So does det X."""
    inner = core(shown)
    if type(inner) is Call and inner.bare and not last:
        return Call(inner.name, inner.args)
    return parenthesized(shown) if m.op == "product" and not last else closed(shown, PRODUCT)


def _gap(a: Mat, b: Mat, done: Mapping[Mat, Layout]) -> str:
    if a.is_vector and b.is_row:
        return " "
    return "" if _is_tight(a, done, True) and _is_tight(b, done, False) else " "


def _is_tight(m: Mat, done: Mapping[Mat, Layout], on_left: bool) -> bool:
    """Single letters, their transposes, and parentheses stand close to one another."""
    base = m.args[0] if m.op == "transpose" else m
    if base.op == "symbol":
        return len(to_text(name(base.data[0]))) == 1
    shown = core(done[m])
    return (type(shown) is Fence and shown.left == "(") or done[base].level < PRODUCT


def _transpose(m: Mat, done: Done) -> Layout:
    if m.args[0].op == "inverse":
        (inner,) = m.args[0].args
        return _raised(done[inner], Row((MINUS, TOP)))
    return _raised(done[m.args[0]], TOP)


def _raised(base: Layout, exponent: Any) -> Layout:
    if isinstance(exponent, (int, float, Fraction)):
        exponent = number(exponent) if not isinstance(exponent, Fraction) else _fraction_of(exponent)
    inner = core(base)
    if type(inner) is Call or inner.level < ATOM:
        return Script(closed(base, ATOM), None, exponent)
    return power(base, exponent)


def _power(m: Mat, done: Done) -> Layout:
    """A number's power is written as one; of an array, entry by entry."""
    exponent = m.data[0]
    if exponent < 0:
        over = number(1)
        under = done[m.args[0]] if exponent == -1 else _power_above(m, -exponent, done)
        return Frac(over, under) if m.is_number else _infix((over, "⊘", closed(under, PRODUCT)))
    return _power_above(m, exponent, done)


def _power_above(m: Mat, exponent: Any, done: Done) -> Layout:
    base = done[m.args[0]]
    if m.is_number:
        return _raised(base, exponent)
    shown = number(exponent) if not isinstance(exponent, Fraction) else _fraction_of(exponent)
    return _raised(base, Row((Atom("⊙", "operator"), shown)))


def _infix(pieces: Sequence[Any], level: int = TIGHT) -> Layout:
    items: list[Layout] = []
    for piece in pieces:
        items += [GAP, Atom(piece, "operator"), GAP] if isinstance(piece, str) else [piece]
    return Row(tuple(items), level=level)


def _hadamard(m: Mat, done: Done) -> Layout:
    above = [a for a in m.args if base_of(a)[1] > 0]
    over = circled(*[closed(_entry(a, done), PRODUCT) for a in above]) if above else number(1)
    for a in m.args:
        if a not in above:
            base, exponent = base_of(a)
            under = _entry(base, done) if exponent == -1 else _power_above(a, -exponent, done)
            over = _infix((closed(over, TIGHT), "⊘", closed(under, PRODUCT)))
    return over


def _map(m: Mat, done: Done) -> Layout:
    """A function of entries, as a call: exp(Xw). Rows with another notation keep it for numbers: |c|, √c."""
    args = [_entry(a, done) for a in m.args]
    row = TABLE[m.data[0]]
    if row.name == "where" and m.args[1] is ONE and m.args[2] is mat.ZERO:
        return Fence("[", args[0], "]")  # Iverson's bracket: 1 where it holds, 0 elsewhere
    if _is_call(row.shown):
        return Call(Atom(row.shown[1], "function"), tuple(args))
    form = row.shown[0] if type(row.shown) is tuple else "apply"
    special = form in ("fence", "relation") or (all(a.is_number for a in m.args) and form not in ("sup", "apply"))
    return _in_notation(row, args) if special else Call(Atom(row.name, "function"), tuple(args))


def _is_call(shown: Any) -> bool:
    return (
        type(shown) is tuple
        and shown[0] in ("fn", "apply")
        and type(shown[1]) is str
        and all(type(k) is int for k in shown[2:])
    )


def _in_notation(row: Any, args: Sequence[Layout]) -> Layout:
    """The row's notation with these operands: its own tree, with their layouts in the places of its inputs."""
    from tangently.printing.notation import _set

    holders = tuple(input_of("x") for _ in args)
    node = TABLE[row.name](*holders)
    order = list(_order_of(row.shown))
    return _set(row.shown, node, iter([args[k] for k in order]))


def _order_of(shown: Any) -> Any:
    from tangently.printing.notation import _references

    return [k for _, k in _references(shown)]


def _call(m: Mat, done: Done) -> Layout:
    shown = TABLE[m.data[0]].shown
    word = shown[1] if _is_call(shown) else m.data[0]
    return Call(Atom(word, "function"), tuple(done[a] for a in m.args))


def _called(word: str) -> Callable[[Mat, Done], Layout]:
    return lambda m, done: Call(Atom(word, "function"), (done[m.args[0]],))


def _bare(*words: str) -> Callable[[Mat, Done], Layout]:
    """tr A, tr(AB), log det X."""
    heads: list[Layout] = [Atom(w, "function") for w in words]
    head = Row(tuple(heads), " ") if len(heads) > 1 else heads[0]

    def write(m: Mat, done: Done) -> Layout:
        (arg,) = m.args
        simple = is_letter(done[arg]) or (arg.op in ("transpose", "inverse") and arg.args[0].op == "symbol")
        return Call(head, (done[arg],), bare=simple)

    return write


def _norm(m: Mat, done: Done) -> Layout:
    body = Fence("‖", done[m.args[0]], "‖")
    below = {"2": "", "F": "_F", "*": "_*"}[m.data[0]]
    return Row((body, Atom(below, "code")), level=ATOM) if below else body


def _subscripted(letter: Layout, sub: Layout) -> Layout:
    return Script(letter, sub)


def _zeros(m: Mat, done: Done) -> Layout:
    own = _own_shape(m)
    sizes = Row(tuple(x for n in own for x in (Atom("×", "operator"), size(n)))[1:])
    return _subscripted(Atom("0", "number"), sizes)


def _tensor(m: Mat, done: Done) -> Layout:
    return name(m.data[1]) if m.data[1] else tree(m.data[0])


def _commutation(m: Mat, done: Done) -> Layout:
    a, b = (size(n) for n in m.data[:2])
    return Script(Atom("K"), Row((a, Atom(",", "text"), b)))


def _kron(m: Mat, done: Done) -> Layout:
    pieces = [x for a in m.args for x in ("⊗", closed(done[a], PRODUCT))][1:]
    return _infix(pieces)


_LAYOUT: dict[str, Callable[[Mat, Any], Layout]] = {
    "number": lambda m, done: (
        _scaled(m.data[0], ONE, done) if m.data[0] >= 0 else sum_of((_scaled(-m.data[0], ONE, done), -1))
    ),
    "tensor": _tensor,
    "identity": lambda m, done: _subscripted(Atom("I"), size(m.rows)),
    "ones": lambda m, done: _subscripted(Atom("1", "number"), size(m.rows)),
    "zeros": _zeros,
    "extent": lambda m, done: size(m.data[0]),
    "commutation": _commutation,
    "sum": _sum,
    "product": _product,
    "transpose": _transpose,
    "inverse": lambda m, done: _raised(done[m.args[0]], Row((MINUS, number(1)))),
    "hadamard": _hadamard,
    "power": _power,
    "map": _map,
    "call": _call,
    "diag": _called("diag"),
    "diagonal": _called("diagonal"),
    "trace": _bare("tr"),
    "total": lambda m, done: Call(Atom("sum", "function"), (_entry(m.args[0], done),)),
    "det": _bare("det"),
    "logdet": _bare("log", "det"),
    "norm": _norm,
    "kron": _kron,
    "vec": _called("vec"),
    "indexed": lambda m, done: _indexed(m, done),
}

# ---------------------------------------------------------------- index notation


def _indexed(m: Mat, done: Done) -> Layout:
    """[∑ₖ Aᵢₖ Bⱼₖ Cₗₖ]ᵢⱼₗ: the entry, and outside the bracket the axes of the result."""
    out = m.data[0]
    terms = []
    for term, factors in index_terms(m):
        letters = _letters_for(out, term)
        terms.append((_index_term(term, factors, letters, out, done), 1 if term.coefficient > 0 else -1))
    body = sum_of(*terms) if terms else number(0)
    return Script(Fence("[", body, "]"), _letters(out, _letters_for(out, None))) if out else body


def _letters_for(out: Sequence[int], term: Indices | None) -> dict[int, str]:
    """Letters for labels: those of the result first, so that they are the same in every term."""
    groups = [] if term is None else [*term.labels, *term.deltas]
    order = dict.fromkeys([*out, *[j for group in groups for j in group]])
    return {j: LETTERS[k] if k < len(LETTERS) else f"i{k}" for k, j in enumerate(order)}


def _letters(labels: Sequence[int], letters: Mapping[int, str]) -> Layout:
    found = tuple(Atom(letters[j]) for j in labels)
    return found[0] if len(found) == 1 else Row(found)


def _index_term(
    term: Indices, factors: Sequence[Mat], letters: Mapping[int, str], out: Sequence[int], done: Done
) -> Layout:
    pieces = [_with_indices(done[f], labels, letters) for f, labels in zip(factors, term.labels)]
    pieces += [Script(Atom("δ"), _letters(pair, letters)) for pair in term.deltas]
    summed = [j for j in letters if j not in out]
    body = _beside(pieces or [number(1)], [" "] * (len(pieces) - 1))
    c = abs(term.coefficient)
    if summed:
        body = big("∑", _letters(summed, letters), body)
    if c == 1:
        return body
    factor = number(c) if not isinstance(c, Fraction) else _fraction_of(c)
    return Row((factor, GAP, body), level=BIG)


def _with_indices(shown: Layout, labels: Sequence[int], letters: Mapping[int, str]) -> Layout:
    if not labels:
        return closed(shown, PRODUCT)
    simple = type(core(shown)) is Atom or type(core(shown)) is Call
    return Script(shown if simple else parenthesized(shown), _letters(labels, letters))


# ---------------------------------------------------------------- shapes under symbols


class Marks:
    """Symbols set as characters of their own (from the private use area of Unicode), and what they stand for."""

    def __init__(self) -> None:
        self.symbols: dict[str, Mat] = {}
        self.of: dict[str, str] = {}

    def leaf(self, m: Mat) -> Layout:
        mark = self.of.setdefault(m.data[0], chr(0xE000 + len(self.of)))
        self.symbols[mark] = m
        return Atom(mark)

    def in_latex(self, line: str) -> str:
        for mark, m in self.symbols.items():
            line = line.replace(mark, rf"\underset{{{_shape_in_latex(m)}}}{{{to_latex(name(m.data[0]))}}}")
        return line

    def aligned(self, line: str) -> tuple[str, str]:
        """The formula spread so that every symbol has its shape below it."""
        upper = lower = ""
        k = 0
        while k < len(line):
            if line[k] not in self.symbols:
                upper += line[k]
                k += 1
                continue
            end = k + 1
            while end < len(line) and line[end] in "ᵀ⁻¹²³":
                end += 1
            m = self.symbols[line[k]]
            upper = _moved(upper, width_of(lower) + 1 if lower else 0)
            lower = lower + " " * (width_of(upper) - width_of(lower)) + shape_text(m)
            upper += to_text(name(m.data[0])) + line[k + 1 : end]
            k = end
        return upper.rstrip(), lower.rstrip()


def _moved(line: str, column: int) -> str:
    """The line, at least that wide: blanks go before the brackets at its end."""
    missing = column - width_of(line)
    if missing <= 0:
        return line
    bare = line.rstrip("([‖")
    return bare + " " * missing + line[len(bare) :]


def shape_text(m: Mat) -> str:
    """m×n, n for a vector, 1 for a number."""
    own = _own_shape(m)
    return "×".join(str(n).replace(" ", "") for n in own) if own else "1"


def _shape_in_latex(m: Mat) -> str:
    return r"\times ".join(to_latex(size(n)) for n in _own_shape(m)) or "1"


__all__ = ["latex", "layout", "notes", "shape_text", "text", "with_shapes"]
