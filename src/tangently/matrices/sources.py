"""Source code of a formula of matrices, for NumPy, PyTorch, JAX, Julia and MATLAB.

One walk over the tree, parts first, writes each node once; what is used twice gets a name. A vector is an array of
one axis in Python and a column in MATLAB. A `Language` holds what differs: operators, names of functions, how a size
is asked for. What a good programmer would do is done here: diag(v) X scales rows, A⁻¹B is a solve, tr(AB) is sum(A ⊙
Bᵀ), a chain that ends in a vector is multiplied from that end, u vᵀ is an outer product.

Rows that act entry by entry are written by the row's own NumPy template; the other languages rename its functions.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tangently.errors import InputError, UnsupportedError
from tangently.expr import CONST, TABLE, Dim, Size
from tangently.matrices import notation as mat
from tangently.matrices.notation import Mat, base_of, index_letters, index_terms, parts_first, split

ADD, TIMES, UNARY, RAISED, CLOSED = range(5)  # how tightly a piece of code binds
Code = tuple[str, int]


@dataclass(frozen=True)
class Language:
    """What differs between languages. `{0}`, `{1}` are operands, in parentheses where they need them."""

    head: Callable[[str, Sequence[str]], str]
    line: str
    result: str
    foot: str
    indent: str
    matmul: str
    times: str
    over: str
    power: str
    transposed: str
    forms: Mapping[str, str]
    functions: Mapping[str, str]
    flat: bool = True  # is a vector an array of one axis, without a direction?
    size: str = "{0}.shape[{1}]"
    prelude: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""  # a scalar function applied to each entry, where it has to be said


def source(m: Mat, language: str = "numpy", name: str = "formula") -> str:
    """A function of the symbols of the formula, in numpy, torch, jax, julia or matlab.

    >>> n = Dim.named("n")
    >>> X, w, y = mat.symbol("X", (Dim.named("m"), n)), mat.symbol("w", (n,)), mat.symbol("y", (Dim.named("m"),))
    >>> residual = mat.subtract(mat.multiply(X, w), y)
    >>> print(source(mat.scale(2, mat.multiply(mat.transpose(X), residual))), end="")
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def formula(X, w, y):
        return 2 * X.T @ (X @ w - y)
    """
    if language not in LANGUAGES:
        raise InputError(f"source in {language!r} was asked for: {', '.join(LANGUAGES)} are known")
    return Writer(LANGUAGES[language], language, m).whole(name)


@dataclass
class Writer:
    """The code of every node so far, the lines before the result, the sizes that are used."""

    language: Language
    title: str
    root: Mat
    done: dict[Mat, Code] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    sizes: dict[str, None] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.symbols = [n for n in parts_first(self.root) if n.op == "symbol"]
        named = [n for n in parts_first(self.root) if n.op == "tensor" and n.data[1]]
        self.arguments = {n: identifier(n.data[0] if n.op == "symbol" else n.data[1]) for n in [*self.symbols, *named]}
        self.taken = set(self.arguments.values()) | set(self.dims())

    def dims(self) -> dict[str, tuple[str, int]]:
        """Where each named size can be read off an argument."""
        found: dict[str, tuple[str, int]] = {}
        for node, code in self.arguments.items():
            shape = node.data[1] if node.op == "symbol" else node.shape
            for axis, n in enumerate(shape):
                if isinstance(n, Dim) and n.names() == (str(n),):
                    found.setdefault(str(n), (code, axis))
        return found

    def whole(self, name: str) -> str:
        uses = _uses(self.root)
        for node in parts_first(self.root):
            code = self.write(node)
            if uses[node] > 1 and node is not self.root and not _is_plain(node):
                code = self.assign(code[0]), CLOSED
            self.done[node] = code
        return self.assemble(name, self.done[self.root][0])

    def assign(self, code: str) -> str:
        for known in self.lines:
            if known.split(" = ", 1)[1] == code:
                return known.split(" = ", 1)[0]
        name = next(f"t{k}" for k in range(1, 10**6) if f"t{k}" not in self.taken)
        self.taken.add(name)
        self.lines.append(f"{name} = {code}")
        return name

    def assemble(self, name: str, result: str) -> str:
        lang = self.language
        where = self.dims()
        asked = [f"{n} = " + lang.size.format(*where[n], where[n][1] + 1) for n in self.sizes if n in where]
        unknown = [n for n in self.sizes if n not in where]
        body = [lang.indent + lang.line.format(line) for line in [*asked, *self.lines]]
        head = lang.head(name, [*self.arguments.values(), *unknown])
        prelude = _imports(self.title, " ".join([*self.lines, result]))
        helpers = "".join("\n\n" + lang.prelude[h] for h in self.helpers)
        end = lang.indent + lang.result.format(result)
        return prelude + "\n".join([head, *body, end]) + lang.foot + helpers

    # ------------------------------------------------------------ one node

    def write(self, m: Mat) -> Code:
        writer = _WRITE.get(m.op)
        if writer is None:
            raise self.unsupported(m)
        return writer(self, m)

    def unsupported(self, m: Mat) -> UnsupportedError:
        return UnsupportedError(
            f"{self.title} source of {m} was asked for: there is none for {m.data[0] if m.data else m.op}; "
            "generate NumPy code of the function itself (.source) instead"
        )

    def form(self, key: str, *operands: str, level: int = CLOSED) -> Code:
        """A form of the language, with whole operands (they stand in parentheses or between commas)."""
        if key not in self.language.forms:
            raise UnsupportedError(f"{self.title} source was asked for: it has no {key}; use numpy, torch or jax")
        template = self.language.forms[key]
        if template.startswith("!"):
            helper, template = template[1:].split(":", 1)
            self.helpers[helper] = None
        return template.format(*operands), level

    def tight(self, m: Mat, level: int = CLOSED) -> str:
        return tightened(self.done[m], level)

    def number_of(self, n: Size) -> str:
        """A size as code."""
        if isinstance(n, Dim):
            self.sizes.update(dict.fromkeys(n.names()))
            terms = [
                " * ".join([*([str(c)] if c != 1 else []), *[f for k, p in names for f in [k] * p]])
                for names, c in n.terms
            ]
            return terms[0] if len(terms) == 1 else "(" + " + ".join(terms) + ")"
        return str(n)


def identifier(name: str) -> str:
    """A name that every language takes: params.W1 is W1, lambda is lambda_."""
    last = re.sub(r"\W", "_", name.rsplit(".", 1)[-1])
    return (
        last + "_"
        if keyword.iskeyword(last) or last in ("end", "function", "np", "torch", "jnp", "jax", "special")
        else last
    )


def tightened(code: Code, level: int) -> str:
    return code[0] if code[1] >= level else f"({code[0]})"


def _uses(root: Mat) -> dict[Mat, int]:
    """How often each node is used; what is only seen through a transpose or diag(…) is used as often as that."""
    order = parts_first(root)
    count = dict.fromkeys(order, 0)
    count[root] = 1
    for node in reversed(order):
        for arg in node.args:
            count[arg] += count[node] if _is_seen_through(node) else 1
    return count


def _is_plain(m: Mat) -> bool:
    """What costs nothing, or is written anew by each node that uses it."""
    return m.op in ("symbol", "tensor", "number", "ones", "identity", "extent") or _is_seen_through(m)


def _is_seen_through(m: Mat) -> bool:
    return m.op in ("transpose", "inverse", "diag") or (m.op == "power" and m.data[0] < 0)


def _imports(title: str, code: str) -> str:
    if title == "numpy":
        return "import numpy as np\n" + ("from scipy import special\n" if "special." in code else "") + "\n\n"
    if title == "torch":
        return "import torch\n\n\n"
    if title == "jax":
        return ("import jax\n" if "jax." in code else "") + "import jax.numpy as jnp\n\n\n"
    return "using LinearAlgebra\n\n" if title == "julia" else ""


# ---------------------------------------------------------------- numbers and sums


def number_code(c: Any) -> Code:
    if isinstance(c, Fraction):
        return f"{c.numerator} / {c.denominator}", TIMES
    return (repr(c), CLOSED) if c >= 0 else (repr(c), UNARY)


def _symbol(w: Writer, m: Mat) -> Code:
    code, shape = w.arguments[m], m.data[1]
    if not w.language.flat or len(shape) < 2 or 1 not in shape:
        return code, CLOSED
    return (f"{code}[0, 0]" if m.is_number else f"{code}[:, 0]" if m.columns == 1 else f"{code}[0]"), CLOSED


def _tensor(w: Writer, m: Mat) -> Code:
    if m.data[1]:
        return w.arguments[m], CLOSED
    expr = m.data[0]
    if expr.op is not CONST or w.title not in ("numpy", "torch", "jax"):
        raise w.unsupported(m)
    make = {"numpy": "np.array({0})", "torch": "torch.tensor({0}, dtype=torch.float64)", "jax": "jnp.array({0})"}
    return make[w.title].format(expr.value.tolist()), CLOSED


def _sum(w: Writer, m: Mat) -> Code:
    text = ""
    entries = [mat.entry(t) for t in m.args]
    loose = None in entries and any(e is not None for e in entries)  # c 1ₙ beside an array is c
    dot = "." if loose and w.title == "julia" else ""
    for k, (c, term) in enumerate(zip(m.data, m.args)):
        number = entries[k] if loose else None
        piece = _scaled(w, abs(c), term if number is None else number)
        body = tightened(piece, TIMES)
        if k == 0:
            text = body if c > 0 else "-" + tightened(piece, TIMES)
        else:
            text += f" {dot}{'+' if c > 0 else '-'} {body}"
    inner = w.done[m.args[0]][1]
    return text, (ADD if len(m.args) > 1 else min(UNARY, inner) if m.data[0] == -1 else TIMES)


def _scaled(w: Writer, c: Any, m: Mat) -> Code:
    if m is mat.ONE:
        return number_code(c)
    if c == 1:
        return w.done[m]
    if isinstance(c, Fraction):
        over = w.tight(m, TIMES) if c.numerator == 1 else f"{c.numerator} * {w.tight(m, TIMES)}"
        return f"{over} / {c.denominator}", TIMES
    return f"{number_code(c)[0]} * {w.tight(m, TIMES)}", TIMES


# ---------------------------------------------------------------- products


def _product(w: Writer, m: Mat) -> Code:
    scalars, chain = split(m)
    codes = [(base_of(s), s) for s in scalars]
    above = [w.tight(s, TIMES) for (_, e), s in codes if e > 0]
    below = [tightened(_power_code(w, b, -e), CLOSED) for (b, e), _ in codes if e < 0]
    found, body = _chain(w, chain) if chain else ([], None)
    pieces = [*above, *[tightened(f, TIMES) for f in found], *([tightened(body, TIMES)] if body else [])]
    text = " * ".join(pieces) or "1"
    for d in below:
        text += f" / {d}"
    return text, (body[1] if body and len(pieces) == 1 and not below else TIMES)


def _chain(w: Writer, chain: Sequence[Mat]) -> tuple[list[Code], Code]:
    """The numbers in a chain (xᵀy in u xᵀy vᵀ), and what is left: cut where a single column meets a single row."""
    segments: list[list[Mat]] = [[]]
    for k, f in enumerate(chain):
        segments[-1].append(f)
        if f.columns == 1 and k + 1 < len(chain):
            segments.append([])
    codes = [(_segment(w, s), s[0].rows == 1, s[-1].columns == 1) for s in segments]
    numbers = [code for code, row, column in codes if row and column]
    rest = [code for code, row, column in codes if not (row and column)]
    if not rest:
        return numbers[:-1], numbers[-1]
    return numbers, rest[0] if len(rest) == 1 else w.form("outer", rest[0][0], rest[1][0], level=_outer_level(w))


def _outer_level(w: Writer) -> int:
    return CLOSED if w.language.flat else TIMES


def _segment(w: Writer, chain: Sequence[Mat]) -> Code:
    """A product without a narrow place, multiplied from the end that is a vector."""
    if len(chain) == 1:
        return w.done[chain[0]]
    if chain[-1].columns == 1 and chain[0].rows != 1:
        acc, vector = w.done[chain[-1]], True
        for f in reversed(chain[:-1]):
            acc = _from_left(w, f, acc, vector)
        return acc
    if _inverted(chain[0]) and chain[0].rows != 1:
        return _from_left(w, chain[0], _segment(w, chain[1:]), chain[-1].columns == 1)
    acc, row = None, chain[0].rows == 1
    for k, f in enumerate(chain):
        if k and chain[k - 1].op == "diag" and not row:  # it went into the rows of f
            scaled = _from_left(w, chain[k - 1], w.done[f], vector=False)
            acc = scaled if acc is None else _times(w, acc, tightened(scaled, UNARY))
        elif f.op != "diag" or row or k + 1 == len(chain):
            acc = w.done[f] if acc is None else _from_right(w, acc, f, row)
    assert acc is not None
    return acc


def _times(w: Writer, acc: Code, right: str) -> Code:
    return f"{tightened(acc, TIMES)} {w.language.matmul} {right}", TIMES


def _inverted(m: Mat) -> tuple[Mat, bool] | None:
    """The matrix whose inverse this is, and whether it stands transposed."""
    if m.op == "inverse":
        return m.args[0], False
    if m.op == "transpose" and m.args[0].op == "inverse":
        return m.args[0].args[0], True
    return None


def _from_left(w: Writer, f: Mat, acc: Code, vector: bool) -> Code:
    inverse = _inverted(f)
    if inverse:
        a = w.tight(inverse[0], CLOSED) if inverse[1] or not w.language.flat else w.done[inverse[0]][0]
        a = w.language.transposed.format(a) if inverse[1] else a
        return w.form("solve", a, acc[0] if w.language.flat else tightened(acc, CLOSED), level=_solve_level(w))
    if f.op == "diag":
        if vector:
            return f"{w.tight(f.args[0], UNARY)} {w.language.times} {tightened(acc, UNARY)}", TIMES
        return w.form("rows", w.tight(f.args[0], CLOSED), tightened(acc, UNARY), level=TIMES)
    return f"{w.tight(f, UNARY)} {w.language.matmul} {tightened(acc, UNARY)}", TIMES


def _solve_level(w: Writer) -> int:
    """A \\ b keeps its parentheses in a product: 2 * A \\ b would be (2 A) \\ b."""
    return CLOSED if w.language.flat else ADD


def _from_right(w: Writer, acc: Code, f: Mat, row: bool) -> Code:
    inverse = _inverted(f)
    if inverse:
        return _over(w, acc, *inverse, row)
    if f.op == "diag":
        key = "columns" if not row else "entries"
        return w.form(key, tightened(acc, UNARY), w.tight(f.args[0], CLOSED), level=TIMES)
    return _times(w, acc, w.tight(f, UNARY))


def _over(w: Writer, acc: Code, a: Mat, turned: bool, row: bool) -> Code:
    """acc a⁻¹, by solving aᵀ zᵀ = accᵀ."""
    if not w.language.flat:
        code = w.tight(a, CLOSED)
        return f"{tightened(acc, TIMES)} / {w.language.transposed.format(code) if turned else code}", TIMES
    code = w.done[a][0] if turned else w.language.transposed.format(w.tight(a, CLOSED))
    if row:
        return w.form("solve", code, acc[0])
    inner = w.form("solve", code, w.language.transposed.format(tightened(acc, CLOSED)))
    return w.language.transposed.format(inner[0]), CLOSED


def _transpose(w: Writer, m: Mat) -> Code:
    (a,) = m.args
    if w.language.flat and (a.columns == 1 or a.rows == 1):
        return w.done[a]
    return w.language.transposed.format(w.tight(a, CLOSED)), CLOSED


def _inverse(w: Writer, m: Mat) -> Code:
    return w.form("inv", w.done[m.args[0]][0])


# ---------------------------------------------------------------- entry by entry


def _hadamard(w: Writer, m: Mat) -> Code:
    above = [w.tight(a, UNARY) for a in m.args if base_of(a)[1] > 0]
    below = [tightened(_power_code(w, base_of(a)[0], -base_of(a)[1]), CLOSED) for a in m.args if base_of(a)[1] < 0]
    text = f" {w.language.times} ".join(above) or "1"
    for d in below:
        text += f" {w.language.over} {d}"
    return text, TIMES


def _power(w: Writer, m: Mat) -> Code:
    exponent = m.data[0]
    if exponent < 0:
        below = tightened(_power_code(w, m.args[0], -exponent), CLOSED)
        return f"1 {w.language.over} {below}", TIMES
    return _power_code(w, m.args[0], exponent)


def _power_code(w: Writer, base: Mat, exponent: Any) -> Code:
    if exponent == 1:
        return w.done[base]
    return f"{w.tight(base, CLOSED)} {w.language.power} {tightened(number_code(exponent), CLOSED)}", RAISED


def _map(w: Writer, m: Mat) -> Code:
    row = m.data[0]
    operands = [w.done[a] for a in m.args]
    template = w.language.functions.get(row) or (_template(row) if w.language.flat else None)
    if template is None:
        template = _by_name(w, row, m)
    plain = [tightened(code, CLOSED if _bare_slot(template, k) else ADD) for k, code in enumerate(operands)]
    if w.title == "torch":
        plain = [_as_tensor(code, a, m) for code, a in zip(plain, m.args)]
    code = template.format(*plain)
    if w.language.flat:
        code = _renamed(code, w.title)
    return code, CLOSED if re.fullmatch(r"[\w.]+\(.*\)", code) and not _splits(code) else ADD


def _bare_slot(template: str, k: int) -> bool:
    slot = re.escape(f"{{{k}}}")
    return re.search(rf"[(,] ?{slot}(?=[,)])", template) is None or len(re.findall(slot, template)) > 1


def _splits(code: str) -> bool:
    """Does the parenthesis that opens first close before the end? f(x) + g(y) is no single call."""
    depth = 0
    for k, c in enumerate(code):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth == 0:
            return k < len(code) - 1
    return True


def _template(row: str) -> str | None:
    found = TABLE[row].numpy
    if callable(found):
        arity = TABLE[row].arity or 1
        return found((), *[f"{{{k}}}" for k in range(arity)])
    return found


def _renamed(code: str, title: str) -> str:
    if title == "numpy":
        return code
    if title == "torch":
        return code.replace("np.", "torch.").replace("special.", "torch.special.").replace("torch.torch.", "torch.")
    return re.sub(r"(?<![\w.])special\.", "jax.scipy.special.", code.replace("np.", "jnp."))


def _as_tensor(code: str, a: Mat, m: Mat) -> str:
    """PyTorch's functions of two arrays take no plain numbers."""
    if a.op in ("number", "extent") and m.data[0] not in ("where", "pow"):
        return f"torch.tensor({code}, dtype=torch.float64)"
    return code


def _by_name(w: Writer, row: str, m: Mat) -> str:
    """A function that `math` has under a name: exp.(x) in Julia, exp(x) in MATLAB."""
    found = TABLE[row].python
    named = re.fullmatch(r"math\.(\w+)\((\{\d\}(?:, \{\d\})*)\)", found) if isinstance(found, str) else None
    if named is None or named[1] not in _COMMON_FUNCTIONS:
        raise w.unsupported(m)
    return f"{named[1]}{w.language.entry}({named[2]})"


def _call(w: Writer, m: Mat) -> Code:
    along = "vector" if m.args[0].columns == 1 or m.args[0].rows == 1 else "matrix"
    key = m.data[0] if w.language.flat else f"{m.data[0]} {along}"
    return w.form(key, *[w.done[a][0] for a in m.args])


# ---------------------------------------------------------------- the rest


def _trace(w: Writer, m: Mat) -> Code:
    (a,) = m.args
    factors = split(a)[1] if a.op == "product" else ()
    if len(factors) == 2 and not any(_inverted(f) or f.op == "diag" for f in factors):
        left, right = factors
        turned = right.op == "transpose"
        second = w.tight(right.args[0], UNARY) if turned else w.language.transposed.format(w.tight(right))
        return w.form("sum", f"{w.tight(left, UNARY)} {w.language.times} {second}")
    return w.form("trace", w.done[a][0])


def _wrapped(key: str) -> Callable[[Writer, Mat], Code]:
    return lambda w, m: w.form(key, *[w.done[a][0] for a in m.args])


def _total(w: Writer, m: Mat) -> Code:
    return w.form("sum of vector" if 1 in m.args[0].shape else "sum", w.done[m.args[0]][0])


def _norm(w: Writer, m: Mat) -> Code:
    return w.form("norm " + m.data[0], w.done[m.args[0]][0])


def _diag(w: Writer, m: Mat) -> Code:
    return w.form("diag", w.done[m.args[0]][0])


def _vec(w: Writer, m: Mat) -> Code:
    return w.form("vec " + m.data[0], w.tight(m.args[0]) if w.language.flat else w.done[m.args[0]][0])


def _kron(w: Writer, m: Mat) -> Code:
    codes = [_with_axes(w, a) if w.language.flat and 1 not in m.shape else w.done[a][0] for a in m.args]
    whole = codes[0]
    for code in codes[1:]:
        whole = w.form("kron", whole, code)[0]
    return whole, CLOSED


def _with_axes(w: Writer, m: Mat) -> str:
    """A vector as an array of two axes."""
    axes = "[:, None]" if m.columns == 1 else "[None, :]" if m.rows == 1 else ""
    return w.tight(m, CLOSED) + axes if axes else w.done[m][0]


def _identity(w: Writer, m: Mat) -> Code:
    return w.form("identity", w.number_of(m.rows))


def _ones(w: Writer, m: Mat) -> Code:
    return w.form("ones", w.number_of(m.rows))


def _zeros(w: Writer, m: Mat) -> Code:
    if m.columns == 1:
        return w.form("zeros vector", w.number_of(m.rows))
    return w.form("zeros", w.number_of(m.rows), w.number_of(m.columns))


def _extent(w: Writer, m: Mat) -> Code:
    code = w.number_of(m.data[0])  # the text of a size won't do: m·n is an identifier
    return code, TIMES if "*" in code and code[0] != "(" else CLOSED


def _commutation(w: Writer, m: Mat) -> Code:
    q, s, order = m.data
    rows, columns = (q, s) if order == "row" else (s, q)
    a, b = w.number_of(rows), w.number_of(columns)
    return w.form("commutation", a, b, f"{a} * {b}")


def _indexed(w: Writer, m: Mat) -> Code:
    """einsum, term by term; a delta is an identity, an axis that no factor has is ones."""
    out, _, known, _ = m.data
    sizes = dict(known)
    pieces = []
    for term, factors in index_terms(m):
        labels = [*term.labels, *term.deltas]
        missing = [(j,) for j in out if not any(j in group for group in labels)]
        codes = [w.arguments[f] if f in w.arguments else w.done[f][0] for f in factors]
        codes += [w.form("identity", w.number_of(sizes[a]))[0] for a, _ in term.deltas]
        codes += [w.form("ones", w.number_of(sizes[j]))[0] for (j,) in missing]
        names = index_letters(out, labels)
        spec = ",".join("".join(names[j] for j in group) for group in [*labels, *missing])
        code = w.form("einsum", f"'{spec}->{''.join(names[j] for j in out)}'", ", ".join(codes))[0]
        c = term.coefficient
        pieces.append(code if c == 1 else f"{tightened(number_code(c), UNARY)} * {code}")
    return " + ".join(pieces) or "0", ADD if len(pieces) > 1 else TIMES


_WRITE: dict[str, Callable[[Writer, Mat], Code]] = {
    "number": lambda w, m: number_code(m.data[0]),
    "symbol": _symbol,
    "tensor": _tensor,
    "identity": _identity,
    "ones": _ones,
    "zeros": _zeros,
    "extent": _extent,
    "commutation": _commutation,
    "sum": _sum,
    "product": _product,
    "transpose": _transpose,
    "inverse": _inverse,
    "hadamard": _hadamard,
    "power": _power,
    "map": _map,
    "call": _call,
    "diag": _diag,
    "diagonal": _wrapped("diagonal"),
    "trace": _trace,
    "total": _total,
    "det": _wrapped("det"),
    "logdet": _wrapped("logdet"),
    "norm": _norm,
    "kron": _kron,
    "vec": _vec,
    "indexed": _indexed,
}

# ---------------------------------------------------------------- languages

_ARRAYS = {
    "outer": "{np}.outer({0}, {1})",
    "solve": "{np}.linalg.solve({0}, {1})",
    "inv": "{np}.linalg.inv({0})",
    "rows": "{0}[:, None] * {1}",
    "columns": "{0} * {1}",
    "entries": "{0} * {1}",
    "sum": "{np}.sum({0})",
    "sum of vector": "{np}.sum({0})",
    "trace": "{np}.trace({0})",
    "det": "{np}.linalg.det({0})",
    "logdet": "{np}.linalg.slogdet({0})[1]",
    "norm 2": "{np}.linalg.norm({0})",
    "norm F": "{np}.linalg.norm({0})",
    "norm *": "{np}.linalg.norm({0}, 'nuc')",
    "diag": "{np}.diag({0})",
    "diagonal": "{np}.diag({0})",
    "identity": "{np}.eye({0})",
    "ones": "{np}.ones({0})",
    "zeros": "{np}.zeros(({0}, {1}))",
    "zeros vector": "{np}.zeros({0})",
    "kron": "{np}.kron({0}, {1})",
    "vec row": "{0}.reshape(-1)",
    "vec column": "{0}.T.reshape(-1)",
    "commutation": "{np}.eye({2}).reshape({0}, {1}, {2}).swapaxes(0, 1).reshape({2}, {2})",
    "einsum": "{np}.einsum({0}, {1})",
}


def _arrays(np: str, **more: str) -> dict[str, str]:
    return {key: form.replace("{np}", np) for key, form in _ARRAYS.items()} | more


_NUMPY = _arrays(
    "np",
    softmax="special.softmax({0}, axis=-1)",
    log_softmax="special.log_softmax({0}, axis=-1)",
    logsumexp="special.logsumexp({0}, axis=-1)",
    amax="np.max({0}, axis=-1)",
    amin="np.min({0}, axis=-1)",
    prod="np.prod({0}, axis=-1)",
)
_TORCH = _arrays(
    "torch",
    softmax="torch.softmax({0}, dim=-1)",
    log_softmax="torch.log_softmax({0}, dim=-1)",
    logsumexp="torch.logsumexp({0}, dim=-1)",
    amax="torch.amax({0}, dim=-1)",
    amin="torch.amin({0}, dim=-1)",
    prod="torch.prod({0}, dim=-1)",
)
_TORCH |= {key: f"torch.{key}({{0}}, dtype=torch.float64)" for key in ("ones",)}
_TORCH |= {
    "identity": "torch.eye({0}, dtype=torch.float64)",
    "zeros": "torch.zeros(({0}, {1}), dtype=torch.float64)",
    "zeros vector": "torch.zeros({0}, dtype=torch.float64)",
    "commutation": _TORCH["commutation"].replace("torch.eye({2})", "torch.eye({2}, dtype=torch.float64)"),
}
_JAX = _arrays(
    "jnp",
    softmax="jax.nn.softmax({0}, axis=-1)",
    log_softmax="jax.nn.log_softmax({0}, axis=-1)",
    logsumexp="jax.nn.logsumexp({0}, axis=-1)",
    amax="jnp.max({0}, axis=-1)",
    amin="jnp.min({0}, axis=-1)",
    prod="jnp.prod({0}, axis=-1)",
)
_TORCH_FUNCTIONS = {
    "softplus": "torch.nn.functional.softplus({0})",
    "cbrt": "torch.sign({0}) * torch.abs({0}) ** (1 / 3)",
    "relu": "torch.relu({0})",
    "step": "1.0 * ({0} >= 0)",
    "abs": "torch.abs({0})",
}
_JULIA = {
    "outer": "{0} * {1}",
    "solve": "{0} \\ {1}",
    "inv": "inv({0})",
    "rows": "{0} .* {1}",
    "columns": "{0} .* {1}'",
    "entries": "{0} .* {1}'",
    "sum": "sum({0})",
    "sum of vector": "sum({0})",
    "trace": "tr({0})",
    "det": "det({0})",
    "logdet": "logabsdet({0})[1]",
    "norm 2": "norm({0})",
    "norm F": "norm({0})",
    "norm *": "sum(svdvals({0}))",
    "diag": "Diagonal({0})",
    "diagonal": "diag({0})",
    "identity": "Matrix(1.0I, {0}, {0})",
    "ones": "ones({0})",
    "zeros": "zeros({0}, {1})",
    "zeros vector": "zeros({0})",
    "kron": "kron({0}, {1})",
    "vec row": "vec(permutedims({0}))",
    "vec column": "vec({0})",
    "commutation": "reshape(permutedims(reshape(Matrix(1.0I, {2}, {2}), {1}, {0}, {2}), (2, 1, 3)), {2}, {2})",
    "softmax vector": "!softmax:softmax({0})",
    "logsumexp vector": "!logsumexp:logsumexp({0})",
    "log_softmax vector": "!logsumexp:({0} .- logsumexp({0}))",
    "softmax matrix": "!softmax:mapslices(softmax, {0}; dims=2)",
    "logsumexp matrix": "!logsumexp:vec(mapslices(logsumexp, {0}; dims=2))",
    "amax vector": "maximum({0})",
    "amin vector": "minimum({0})",
    "prod vector": "prod({0})",
}
_JULIA_PRELUDE = {
    "softmax": "function softmax(x)\n    e = exp.(x .- maximum(x))\n    return e ./ sum(e)\nend",
    "logsumexp": "function logsumexp(x)\n    m = maximum(x)\n    return m + log(sum(exp.(x .- m)))\nend",
}
_MATLAB = {
    "outer": "{0} * {1}",
    "solve": "{0} \\ {1}",
    "inv": "inv({0})",
    "rows": "{0} .* {1}",
    "columns": "{0} .* {1}'",
    "entries": "{0} .* {1}'",
    "sum": "sum(sum({0}))",
    "sum of vector": "sum({0})",
    "trace": "trace({0})",
    "det": "det({0})",
    "logdet": "log(abs(det({0})))",
    "norm 2": "norm({0})",
    "norm F": "norm({0}, 'fro')",
    "norm *": "sum(svd({0}))",
    "diag": "diag({0})",
    "diagonal": "diag({0})",
    "identity": "eye({0})",
    "ones": "ones({0}, 1)",
    "zeros": "zeros({0}, {1})",
    "zeros vector": "zeros({0}, 1)",
    "kron": "kron({0}, {1})",
    "vec row": "reshape(({0})', [], 1)",
    "vec column": "reshape({0}, [], 1)",
    "commutation": "reshape(permute(reshape(eye({2}), {1}, {0}, {2}), [2, 1, 3]), {2}, {2})",
    "softmax vector": "!softmax:softmax_({0})",
    "logsumexp vector": "!logsumexp:logsumexp_({0})",
    "log_softmax vector": "!logsumexp:(({0}) - logsumexp_({0}))",
    "amax vector": "max({0})",
    "amin vector": "min({0})",
    "prod vector": "prod({0})",
}
_MATLAB_PRELUDE = {
    "softmax": "function p = softmax_(x)\n    e = exp(x - max(x));\n    p = e / sum(e);\nend",
    "logsumexp": "function s = logsumexp_(x)\n    m = max(x);\n    s = m + log(sum(exp(x - m)));\nend",
}
_EVERYWHERE = """
    exp expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh hypot
"""
_COMMON_FUNCTIONS = frozenset(_EVERYWHERE.split())
_JULIA_FUNCTIONS = {
    "sigmoid": "1 ./ (1 .+ exp.(-{0}))",
    "softplus": "log1p.(exp.(-abs.({0}))) .+ max.({0}, 0)",
    "silu": "{0} ./ (1 .+ exp.(-{0}))",
    "relu": "max.({0}, 0)",
    "step": "float.({0} .>= 0)",
    "abs": "abs.({0})",
    "sign": "sign.({0})",
    "maximum": "max.({0}, {1})",
    "minimum": "min.({0}, {1})",
    "where": "ifelse.({0}, {1}, {2})",
    **{
        name: f"{{0}} .{op} {{1}}"
        for name, op in (("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("pow", "^"))
    },
}
_MATLAB_FUNCTIONS = {
    "sigmoid": "1 ./ (1 + exp(-{0}))",
    "softplus": "log1p(exp(-abs({0}))) + max({0}, 0)",
    "silu": "{0} ./ (1 + exp(-{0}))",
    "relu": "max({0}, 0)",
    "step": "double({0} >= 0)",
    "abs": "abs({0})",
    "sign": "sign({0})",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    **{
        name: f"{{0}} {op} {{1}}"
        for name, op in (
            ("eq", "=="),
            ("ne", "~="),
            ("lt", "<"),
            ("le", "<="),
            ("gt", ">"),
            ("ge", ">="),
            ("pow", ".^"),
        )
    },
}


def _python(forms: Mapping[str, str], functions: Mapping[str, str]) -> Language:
    return Language(
        head=lambda name, args: f"def {name}({', '.join(args)}):",
        line="{0}",
        result="return {0}",
        foot="\n",
        indent="    ",
        matmul="@",
        times="*",
        over="/",
        power="**",
        transposed="{0}.T",
        forms=forms,
        functions=functions,
    )


LANGUAGES: dict[str, Language] = {
    "numpy": _python(_NUMPY, {}),
    "torch": _python(_TORCH, _TORCH_FUNCTIONS),
    "jax": _python(_JAX, {}),
    "julia": Language(
        head=lambda name, args: f"function {name}({', '.join(args)})",
        line="{0}",
        result="return {0}",
        foot="\nend\n",
        indent="    ",
        matmul="*",
        times=".*",
        over="./",
        power=".^",
        transposed="{0}'",
        forms=_JULIA,
        functions=_JULIA_FUNCTIONS,
        flat=False,
        size="size({0}, {2})",
        prelude=_JULIA_PRELUDE,
        entry=".",
    ),
    "matlab": Language(
        head=lambda name, args: f"function result = {name}({', '.join(args)})",
        line="{0};",
        result="result = {0};",
        foot="\nend\n",
        indent="    ",
        matmul="*",
        times=".*",
        over="./",
        power=".^",
        transposed="{0}'",
        forms=_MATLAB,
        functions=_MATLAB_FUNCTIONS,
        flat=False,
        size="size({0}, {2})",
        prelude=_MATLAB_PRELUDE,
    ),
}
