"""Simplification: sums of products with exact coefficients, and the algebra moves that were made.

Every scalar node of arithmetic is read into a *form*: an ordered sum of terms, a term being a coefficient (an exact
rational, or a float) times factors baseᵉ. Like factors meet in a dictionary keyed by their base, like terms in one
keyed by the set of their factors; so collecting is addition in a dictionary, and order is as first met. Anything that
is not arithmetic (sin, where, einsum) is an *atom*, simplified on its own. A form is written back as an expression only
where an atom, an output, or a second user needs it.

Nothing is expanded, except where the expansion has fewer parts than what it replaces: 2x(x² + 1) − 2x³ is 2x.

Two contracts:

- `cancel=False`, for generated code. The result is defined exactly where the expression is: x/x stays, x/x² is 1/x,
  a term that cancels is dropped only if it has a value everywhere (otherwise it stays, times 0). What two places share
  stays shared: a product or a sum with several users is an atom.
- `cancel=True`, for people. As in every textbook x²/x is x, e^{ln x} is x, and √x·√x is x; the isolated points where
  only the left side has no value are passed over.

Arrays are atoms of products with scalars, so that 2·(3·A) is 6·A; beyond that they get the rows' local identities.
Shared nodes are simplified once, all walks are iterative, and above a budget of nodes expressions stay as they are.

Glossary: c, d coefficients; e an exponent; f, g tuples of factors (base, e); s the state of one pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from tangently.expr import CONST, INPUT, Data, Expr, Primitive, build, const, is_number, raw, toposort
from tangently.primitives import TABLE

Number = int | Fraction | float
Factor = tuple[Expr, Number]
Factors = tuple[Factor, ...]
Term = tuple[Number, Factors]
Form = dict[frozenset[Factor], Term]

ADD, SUB, MUL, DIV, NEG, POW = (TABLE[k] for k in ("add", "sub", "mul", "div", "neg", "pow"))
SQUARE, RECIPROCAL, SQRT, EXP, LOG = (TABLE[k] for k in ("square", "reciprocal", "sqrt", "exp", "log"))
WHERE, EQ, EINSUM = (TABLE[k] for k in ("where", "eq", "einsum"))
HALF = Fraction(1, 2)

BUDGET = 2000  # nodes; above it nothing is simplified
PASSES = 3  # a cancellation may make room for another one
LONG = 48  # factors beyond which a product is not opened again: keeps long chains linear
CHUNK = 256  # terms beyond which a sum on the right is not opened again
EXPANDED = 24  # terms that an expansion may have on the way
EXACT = 2**53  # beyond it an integer of generated code becomes a float


@dataclass(frozen=True)
class Move:
    """One move of algebra on a subexpression: before = after, by the rule `name`."""

    name: str
    before: Expr
    after: Expr


@dataclass(slots=True)
class State:
    """What one pass knows: forms of the nodes read so far, the expressions they became, and what was noted."""

    cancel: bool
    uses: dict[Expr, int]
    users: dict[Expr, Expr]
    moves: list[Move] | None = None
    forms: dict[Expr, Form] = field(default_factory=dict)
    done: dict[Expr, Expr] = field(default_factory=dict)
    known: dict[Expr, Form] = field(default_factory=dict)
    shared: set[Expr] = field(default_factory=set)
    safe: dict[Expr, bool] = field(default_factory=dict)
    chains: dict[Expr, Expr] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


# ---------------------------------------------------------------- the public functions


def simplify(expr: Expr, *, cancel: bool = False, budget: int = BUDGET) -> Expr:
    """The expression with like terms and factors collected.

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text
    >>> x, y = symbol("x"), symbol("y")
    >>> [to_text(simplify(e)) for e in (2 * (2 * x) + 3, x * x**2, 2 * x / (2 * y), (x + 1) + (x - 1), x / x)]
    ['4x + 3', 'x³', 'x/y', '2x', 'x/x']
    >>> to_text(simplify(x**2 / x, cancel=True))
    'x'
    """
    return simplify_all([expr], cancel=cancel, budget=budget)[0]


def simplify_all(exprs: Sequence[Expr], *, cancel: bool = False, budget: int = BUDGET) -> list[Expr]:
    """Several expressions at once; what they share stays shared."""
    now = list(exprs)
    for _ in range(PASSES if cancel else 1):
        if not is_small(now, budget):
            return now
        before, now = now, _pass(now, toposort(now), cancel, None)
        if all(a is b for a, b in zip(before, now)):
            break
    return now if cancel or _operations(now) <= _operations(exprs) else list(exprs)


def is_small(exprs: Iterable[Expr], budget: int) -> bool:
    """Are there at most `budget` nodes? Looks at no more of them than that."""
    seen = set(exprs)
    waiting = list(seen)
    while waiting and len(seen) <= budget:
        fresh = [a for a in waiting.pop().args if a not in seen]
        seen.update(fresh)
        waiting += fresh
    return len(seen) <= budget


def _operations(exprs: Iterable[Expr]) -> int:
    return sum(1 for node in toposort(exprs) if node.args)


def moves(expr: Expr, *, cancel: bool = True, budget: int = BUDGET) -> tuple[Move, ...]:
    """The moves that lead from the expression to its simplified form, innermost first.

    >>> from tangently.expr import symbol
    >>> from tangently.printing import to_text
    >>> x = symbol("x")
    >>> [(m.name, to_text(m.before), to_text(m.after)) for m in moves(2 * (2 * x) + x)]
    [('collect like terms', '4x + x', '5x')]
    """
    found: list[Move] = []
    for _ in range(PASSES if cancel else 1):
        if not is_small([expr], budget):
            break
        before, expr = expr, _pass([expr], toposort([expr]), cancel, found)[0]
        if expr is before:
            break
    return tuple(found)


def _pass(outputs: Sequence[Expr], order: Sequence[Expr], cancel: bool, moves: list[Move] | None) -> list[Expr]:
    s = State(cancel, *_counted(order, outputs), moves)
    for node in order:
        _read(s, node)
        if moves is not None:
            _record(s, node)
    return [_written(s, y) for y in outputs]


def _counted(order: Sequence[Expr], outputs: Iterable[Expr]) -> tuple[dict[Expr, int], dict[Expr, Expr]]:
    """How often each node is used (an output counts), and a node that uses it."""
    uses = dict.fromkeys(order, 0)
    users: dict[Expr, Expr] = {}
    for node in order:
        for arg in node.args:
            uses[arg] += 1
            users[arg] = node
    for y in outputs:
        uses[y] += 1
    return uses, users


def _read(s: State, node: Expr) -> None:
    """Read a node: into a form where it is arithmetic on scalars, as an atom elsewhere."""
    reader = READERS.get(node.op)
    if reader is not None and node.dtype != "?":
        try:
            form = reader(s, node)
        except (OverflowError, ZeroDivisionError):
            form = None  # a coefficient beyond the range of floats: left as it is
        if form is not None:
            s.forms[node] = form
            if s.uses[node] > 1 and len(form) == 1:
                s.shared.update(base for _, f in form.values() for base, e in f if e == 1 and base.args)
            return
    s.done[node] = node if not node.args else _local(s, node)


def _written(s: State, node: Expr) -> Expr:
    """The simplified expression of a node."""
    found = s.done.get(node)
    if found is None:
        found = _kept(s, node, _emit(s, s.forms[node]))
        s.done[node] = found
        if s.uses[node] > 1:
            s.shared.add(found)
    return found


def _kept(s: State, node: Expr, found: Expr) -> Expr:
    """An integer array must not turn into a float array, nor the other way round."""
    return found if node.shape == () or found.dtype == node.dtype else _local(s, node)


# ---------------------------------------------------------------- atoms


def _local(s: State, node: Expr) -> Expr:
    """A node that is no arithmetic: its operands simplified, then the row's local identities."""
    args = tuple([_written(s, a) for a in node.args])
    found = _shortcut(s, node, args)
    if found is not None:
        return found
    plain = node if args == node.args else raw(node.op, args, node.params)
    simpler = build(node.op, args, node.params)
    if simpler is plain or simpler.shape != node.shape or (node.shape and simpler.dtype != node.dtype):
        return plain
    if not s.cancel and node.op is not WHERE and _total(s, simpler) and not _total(s, plain):
        return plain
    s.notes.append("take the branch that holds" if node.op is WHERE else "use a known value")
    return simpler


def _shortcut(s: State, node: Expr, args: tuple[Expr, ...]) -> Expr | None:
    if node.dtype == "?" and args and all(a.op is CONST and a.dtype in "wn" for a in args):
        s.notes.append("decide a comparison of numbers")
        return const(bool(node.op.evaluate(node.params, *[a.value for a in args])))
    if s.cancel and len(args) == 1 and INVERSES.get(node.op) is args[0].op:
        s.notes.append(f"{node.op.name} undoes {args[0].op.name}")
        return args[0].args[0]
    if node.op is WHERE and any(a.op is WHERE and a.args[0] is args[0] for a in args[1:]):
        s.notes.append("take the branch that holds")
        inside = [a.args[k] if a.op is WHERE and a.args[0] is args[0] else a for k, a in enumerate(args)]
        return _like(node, build(WHERE, inside))
    if node.op is EINSUM and len(args) > 0:
        return _pulled_out(s, node, args)
    return None


def _like(node: Expr, found: Expr) -> Expr | None:
    return found if found.shape == node.shape and (found.shape == () or found.dtype == node.dtype) else None


def _pulled_out(s: State, node: Expr, args: tuple[Expr, ...]) -> Expr | None:
    """A constant coefficient of an operand moves in front of the einsum, where that is no more work."""
    for i, a in enumerate(args):
        scaled = a.op is MUL and a.args[0].op is CONST and a.args[0].shape == () and a not in s.shared
        if scaled and math.prod(node.shape) <= math.prod(a.shape) and a.args[1].dtype == a.dtype:
            rest = build(node.op, (*args[:i], a.args[1], *args[i + 1 :]), node.params)
            return MUL(a.args[0], rest)
    return None


INVERSES: dict[Primitive, Primitive] = {
    TABLE[f]: TABLE[g]
    for f, g in [
        ("exp", "log"), ("log", "exp"), ("expm1", "log1p"), ("log1p", "expm1"), ("exp2", "log2"), ("log2", "exp2"),
        ("sin", "arcsin"), ("cos", "arccos"), ("tan", "arctan"), ("sinh", "arcsinh"), ("arcsinh", "sinh"),
        ("cosh", "arccosh"), ("tanh", "arctanh"), ("arctanh", "tanh"),
    ]
}  # fmt: skip


def _total(s: State, expr: Expr) -> bool:
    """Has the expression a value everywhere?"""
    for node in toposort([expr], stop=lambda n: n in s.safe):
        if node not in s.safe:
            s.safe[node] = all(s.safe[a] for a in node.args) and _everywhere(node)
    return s.safe[expr]


_PROBES = np.array([-1e3, -2.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 1e3])


def _everywhere(node: Expr) -> bool:
    """Does the row's domain leave nothing out, given the operands that are numbers (x², x/2, 2ˣ)?"""
    if node.op.domain is None:
        return True
    numbers = [a.op is CONST and a.params[0] is not Data for a in node.args]
    if not any(numbers):
        return False
    values = [np.float64(a.value) if known else _PROBES for a, known in zip(node.args, numbers)]
    with np.errstate(all="ignore"):
        return bool(np.all(node.op.domain(*values)))


# ---------------------------------------------------------------- numbers


def _tidy(c: Number) -> Number:
    return c.numerator if type(c) is Fraction and c.denominator == 1 else c


def _bounded(s: State, c: Number) -> Number:
    """Exact while it is reasonable; OverflowError where a float would lose the value."""
    if type(c) is int and -EXACT < c < EXACT:
        return c
    if isinstance(c, float):
        if not math.isfinite(c):
            raise OverflowError
        return c
    size = max(abs(c.numerator), c.denominator)
    if size >= 2**900:
        raise OverflowError
    return _tidy(c) if s.cancel or size < EXACT else float(c)


def _times(s: State, c: Number, d: Number) -> Number:
    found = _bounded(s, c * d)
    if found == 0 and c != 0 and d != 0:
        raise OverflowError
    return found


def _exponent(e: Number) -> Number:
    return int(e) if type(e) is float and e.is_integer() and abs(e) < EXACT else _tidy(e)


def _constant(s: State, expr: Expr) -> Number | None:
    """The number that an expression is, or None."""
    if expr.op is not CONST:
        form = s.known.get(expr)
        return _number(form) if form is not None else None
    value = expr.value
    if type(value) is int:
        return value
    if type(value) is float and math.isfinite(value):
        return _exponent(value) if s.cancel else value
    return None


def _number(form: Form) -> Number | None:
    if not form:
        return 0
    (term, *rest) = form.values()
    return term[0] if not rest and not term[1] else None


# ---------------------------------------------------------------- forms


def _single(c: Number, f: Factors) -> Form:
    return {frozenset(f): (c, f)} if c != 0 or f else {}


def _atom(s: State, expr: Expr) -> Form:
    """The form of an expression as it stands: a number, or one factor."""
    c = _constant(s, expr)
    return _single(1, ((expr, 1),)) if c is None else _single(c, ())


def _form(s: State, node: Expr) -> Form:
    found = s.forms.get(node)
    if found is None:
        expr = s.done[node]
        found = s.known.get(expr)
        if found is None:
            return _atom(s, expr)
    return found


def _factor_form(s: State, node: Expr) -> Form:
    """The form of an operand of a product: one term, opened where that keeps what is shared."""
    form = _form(s, node)
    if not form:
        return form
    if len(form) == 1:
        ((_, f),) = form.values()
        if len(f) <= 1 or (len(f) <= LONG and (s.cancel or s.uses[node] == 1)):
            return form
    return _atom(s, _written(s, node))


def _term_form(s: State, node: Expr) -> Form:
    """The form of an operand of a sum: opened unless it is a sum with other users."""
    form = _form(s, node)
    if len(form) <= 1 or s.uses[node] == 1:
        return form
    return _atom(s, _written(s, node))


def _plus(s: State, form: Form, c: Number, f: Factors) -> None:
    """Add a term to a form. One that cancels is dropped only where it has a value everywhere."""
    key = frozenset(f)
    old = form.get(key)
    if old is None:
        if c != 0 or f:
            form[key] = (c, f)
        return
    s.notes.append("collect like terms" if f else "add numbers")
    try:
        total = _bounded(s, old[0] + c)
    except OverflowError:  # beyond the floats: the two terms stay apart, under a key that no other term has
        form[frozenset((*f, (const(1), len(form))))] = (c, f)
        return
    if total != 0 or not (s.cancel or all(_total(s, base) and e > 0 for base, e in f)):
        form[key] = (total, old[1])
    else:
        del form[key]


def _zero(s: State, f: Factors) -> Factors:
    """The factors that a product with 0 must keep: those without a value somewhere."""
    return () if s.cancel else tuple((b, e) for b, e in f if e < 0 or b.shape or not _total(s, b))


def _multiplied(s: State, a: Form, b: Form) -> Form:
    """The product of two forms of at most one term."""
    (c, f), (d, g) = (next(iter(x.values())) if x else (0, ()) for x in (a, b))
    if (c, f) == (1, ()) or (d, g) == (1, ()):
        s.notes.append("x · 1 = x")
    elif c not in (1, -1) and d not in (1, -1):
        s.notes.append("multiply numbers")
    elif c == d == -1:
        s.notes.append("two minus signs cancel")
    k, h = _times(s, c, d), _merged(s, f, g)
    if k == 0:
        s.notes.append("x · 0 = 0")
        h = _zero(s, h)
    return _single(k, h)


def _merged(s: State, f: Factors, g: Factors) -> Factors:
    """Like factors collected: x·x² = x³. Without `cancel`, x²/x stays."""
    if not f or not g:
        return f or g
    slots: dict[Any, Factor] = {_slot(s, base, e): (base, e) for base, e in f}
    for base, e in g:
        key = _slot(s, base, e)
        if key in slots:
            s.notes.append("cancel a common factor" if e * slots[key][1] < 0 else "add exponents")
            e = _exponent(slots[key][1] + e)
        slots[key] = (base, e)
        _settle(s, slots, base)
    return tuple(slots.values())


def _slot(s: State, base: Expr, e: Number) -> Any:
    """Factors meet in a slot: with `cancel` whole and broken exponents apart, without it over and under the bar."""
    return base, (type(e) is int if s.cancel else e > 0)


def _settle(s: State, slots: dict[Any, Factor], base: Expr) -> None:
    """Let the two slots of a base cancel where that is allowed, and drop x⁰."""
    a, b = slots.get((base, True)), slots.get((base, False))
    if s.cancel:
        if a and b and a[1] * b[1] < 0:
            del slots[base, True], slots[base, False]
            e = _exponent(a[1] + b[1])
            slots[_slot(s, base, e)] = (base, e)
            s.notes.append("cancel a common factor")
        for key in ((base, True), (base, False)):
            if key in slots and slots[key][1] == 0:
                del slots[key]
    elif a and b and a[1] + b[1] < 0:  # x/x² and 1/x have the same domain
        del slots[base, True]
        slots[base, False] = (base, a[1] + b[1])
        s.notes.append("cancel a common factor")


def _raised(s: State, form: Form, n: int) -> Form | None:
    """A form of one term to a whole power, or None where it is better left as it is."""
    ((c, f),) = form.values()
    if abs(n) * math.log2(abs(c) + 2) > 900 or (c == 0 and n < 0):
        return None
    if not s.cancel and f and ((n < 0 and any(e < 0 for _, e in f)) or (len(f) > 1 and n != -1)):
        return None
    k = _inverse(s, c, f, -n) if n < 0 else _single(_bounded(s, c**n), ())
    if n != 1 and n != -1 and f:
        s.notes.append("power of a power" if any(e != 1 for _, e in f) else "power of a product" if k else "")
    return _multiplied_quietly(s, k, _reopened(s, tuple((b, _exponent(e * n)) for b, e in f)))


def _inverse(s: State, c: Number, f: Factors, n: int) -> Form:
    """c⁻ⁿ: exact for integers; a float stays under the bar unless its inverse is exact or it has company."""
    d = _bounded(s, c**n)
    if type(d) is not float:
        return _single(_bounded(s, Fraction(1) / d), ())
    return _single(1 / d, ()) if math.frexp(d)[0] in (0.5, -0.5) else _single(1, ((const(d), -1),))


def _reopened(s: State, f: Factors) -> Form:
    """(√(x²))² has the factor (x²)¹, which is a product again."""
    total = _single(1, ())
    for base, e in f:
        inner = s.known.get(base)
        one = _single(1, ((base, e),))
        if s.cancel and type(e) is int and inner is not None and len(inner) == 1:
            one = _raised(s, inner, e) or one
        total = _multiplied_quietly(s, total, one)
    return total


def _multiplied_quietly(s: State, a: Form, b: Form) -> Form:
    count = len(s.notes)
    found = _multiplied(s, a, b)
    del s.notes[count:]
    return found


# ---------------------------------------------------------------- readers, one for each row of arithmetic


def _read_sum(s: State, node: Expr, sign: int) -> Form | None:
    if node.shape:
        return None
    a, b = node.args
    left = _term_form(s, a)
    mine = s.forms.get(a) is left and s.uses[a] == 1 and a not in s.done and s.moves is None
    total = left if mine else dict(left)  # a form that nobody else needs is added to in place: long sums stay linear
    right = _term_form(s, b)
    if len(right) > CHUNK:
        s.shared.add(_written(s, b))
        right = _atom(s, _written(s, b))
    if not left or not right:
        s.notes.append("x + 0 = x")
    if len(right) > max(len(left), 8) and not any(key in right for key in left):
        return total | (right if sign == 1 else _negated(right))  # what a long form holds is flat already
    for c, f in list(right.values()) if right is total else right.values():
        _plus_flat(s, total, sign * c, f)
    return total


def _negated(form: Form) -> Form:
    return {key: (-c, f) for key, (c, f) in form.items()}


def _plus_flat(s: State, form: Form, c: Number, f: Factors) -> None:
    """Add a term; ±(a + b) enters as its terms, unless that sum has other users."""
    inner = s.known.get(f[0][0]) if len(f) == 1 and f[0][1] == 1 and c in (1, -1) else None
    if inner is None or len(inner) < 2 or f[0][0] in s.shared:
        _plus(s, form, c, f)
        return
    for d, g in inner.values():
        _plus(s, form, c * d, g)


def _read_neg(s: State, node: Expr) -> Form | None:
    form = _term_form(s, node.args[0]) if not node.shape else _array_form(s, node.args[0])
    if any(c == -1 for c, _ in form.values()):
        s.notes.append("two minus signs cancel")
    return _negated(form)


def _read_mul(s: State, node: Expr) -> Form | None:
    if node.shape:
        return _read_scaled(s, node)
    return _multiplied(s, *[_factor_form(s, a) for a in node.args])


def _read_scaled(s: State, node: Expr) -> Form | None:
    """A scalar times an array: one product, with the array as its last factor."""
    a, b = node.args
    if a.shape and b.shape:
        return None
    scalar, array = (b, a) if a.shape else (a, b)
    form = _multiplied(s, _factor_form(s, scalar), _array_form(s, array))
    return None if is_number(scalar, 0) or 0 in [c for c, _ in form.values()] or not form else form


def _array_form(s: State, node: Expr) -> Form:
    form = s.forms.get(node)
    return form if form is not None and (s.cancel or s.uses[node] == 1) else _atom(s, _written(s, node))


def _read_div(s: State, node: Expr) -> Form | None:
    a, b = node.args
    if b.shape:
        return None
    under = _factor_form(s, b)
    inverse = _raised(s, under, -1) if under else None
    if inverse is None:
        under = _atom(s, _written(s, b))
        inverse = _raised(s, under, -1) if under else None
    if inverse is None:
        return None
    return _multiplied(s, _array_form(s, a) if a.shape else _factor_form(s, a), inverse)


def _read_pow(s: State, node: Expr) -> Form | None:
    if node.shape:
        return None
    base, exponent = node.args
    e = _number(_form(s, exponent))
    return _power(s, base, _exponent(e)) if e is not None else _read_symbolic_power(s, node)


def _read_symbolic_power(s: State, node: Expr) -> Form | None:
    """xⁿ⁻¹ from the table carries a guard for n = 0, which is dropped where people read it."""
    base, exponent = (_written(s, a) for a in node.args)
    if not s.cancel or not _is_guarded(exponent):
        return None
    s.notes.append("n ≠ 0")
    return _atom(s, POW(base, exponent.args[2]))


def _is_guarded(e: Expr) -> bool:
    return e.op is WHERE and e.args[0].op is EQ and is_number(e.args[0].args[1], 0) and is_number(e.args[1], 1)


def _power(s: State, base: Expr, e: Number) -> Form | None:
    form = _factor_form(s, base)
    if e == 0:
        s.notes.append("x⁰ = 1")
        return _single(1, ()) if s.cancel or _total(s, _written(s, base)) else None
    if type(e) is int:
        if e == 1:
            s.notes.append("x¹ = x")
        return (_raised(s, form, e) if form else None) or _unopened_power(s, base, e)
    return _unopened_power(s, base, e) if s.cancel and _number(form) is None else None


def _unopened_power(s: State, base: Expr, e: Number) -> Form | None:
    expr = _written(s, base)
    return _single(1, ((expr, e),)) if _constant(s, expr) is None else None


READERS: dict[Primitive, Callable[[State, Expr], Form | None]] = {
    ADD: lambda s, node: _read_sum(s, node, 1),
    SUB: lambda s, node: _read_sum(s, node, -1),
    NEG: _read_neg,
    MUL: _read_mul,
    DIV: _read_div,
    POW: _read_pow,
    SQUARE: lambda s, node: None if node.shape else _power(s, node.args[0], 2),
    RECIPROCAL: lambda s, node: None if node.shape else _power(s, node.args[0], -1),
    SQRT: lambda s, node: _power(s, node.args[0], HALF) if s.cancel and not node.shape else None,
}


# ---------------------------------------------------------------- writing forms


def _emit(s: State, form: Form) -> Expr:
    """The expression of a form: terms as first met, signs as differences."""
    form = _collapsed(s, form)
    if len(form) == 1:
        ((c, f),) = form.values()
        form = _lowest(s, c, f)
    total: Expr | None = None
    for c, f in form.values():
        size = _emit_term(s, abs(c), f)
        if total is None:
            total = size if c >= 0 else NEG(size)
        else:
            total = ADD(total, size) if c >= 0 else SUB(total, size)
    found = const(0) if total is None else total
    if found.op is not CONST and frozenset(((found, 1),)) not in form:
        s.known.setdefault(found, form)
    return found


def _emit_term(s: State, c: Number, f: Factors) -> Expr:
    if c == 0:
        return raw(MUL, (const(0), _emit_term(s, 1, f)))
    if s.cancel:
        f = _joined(s, f)
    p, q = (c, 1) if isinstance(c, float) else (c.numerator, c.denominator)
    over = [_emit_power(b, e) for b, e in _ordered(f) if e > 0 and not b.shape]
    under = [_emit_power(b, -e) for b, e in f if e < 0]
    top, bottom = _emit_product(p, over), _emit_product(q, under)
    array = [b for b, _ in f if b.shape]
    if array:
        return DIV(array[0], bottom) if is_number(top, 1) else MUL(DIV(top, bottom), array[0])
    return DIV(top, bottom)


def _ordered(f: Factors) -> list[Factor]:
    """Letters before functions and sums, as first met otherwise: 2x cos x²."""
    return sorted(f, key=lambda factor: factor[0].op is not INPUT)


def _emit_product(c: Number, factors: Sequence[Expr]) -> Expr:
    if not factors:
        return const(c)
    first = factors[0] if c == 1 else MUL(const(c), factors[0])
    return reduce(lambda a, b: raw(MUL, (a, b)), factors[1:], first)


def _emit_power(base: Expr, e: Number) -> Expr:
    if e == 1:
        return base
    if e == HALF:
        return SQRT(base)
    return POW(base, DIV(const(e.numerator), const(e.denominator)) if type(e) is Fraction else const(e))


# ---------------------------------------------------------------- lowest terms, and powers that join


def _lowest(s: State, c: Number, f: Factors) -> Form:
    """A product in lowest terms: (2x + 2)/2 = x + 1, and with `cancel` (x² + x)/x = x + 1."""
    for k, (base, e) in enumerate(f):
        inner = s.known.get(base)
        if inner is None or len(inner) < 2 or e not in (1, -1) or (base in s.shared and not s.cancel):
            continue
        c, reduced = _divided(s, c, e, inner)
        rest = (*f[:k], *f[k + 1 :])
        if s.cancel:
            rest, reduced = _cancelled(s, rest, e, reduced)
        if reduced is not inner:
            s.notes.append("cancel a common factor")
            if e == 1 and c in (1, -1) and not rest:
                return {key: (c * d, g) for key, (d, g) in reduced.items()}
            return _lowest(s, c, _merged(s, ((_emit(s, reduced), e),), rest))
    return _single(c, f)


def _divided(s: State, c: Number, e: Number, inner: Form) -> tuple[Number, Form]:
    """Take out of a sum the whole number that it has in common with the coefficient on the other side of the bar."""
    coefficients = [d for d, _ in inner.values()]
    if isinstance(c, float) or any(type(d) is not int for d in coefficients):
        return c, inner
    g = math.gcd(c.denominator if e == 1 else c.numerator, *[int(d) for d in coefficients])
    if g <= 1:
        return c, inner
    return _tidy(Fraction(c) * g ** int(e)), {key: (d // g, f) for key, (d, f) in inner.items()}


def _cancelled(s: State, rest: Factors, e: Number, inner: Form) -> tuple[Factors, Form]:
    """Take out of a sum the powers that all its terms share with the other side of the bar."""
    for base, n in rest:
        powers = [dict(f).get(base, 0) for _, f in inner.values()]
        if type(n) is int and n * e < 0 and all(type(p) is int and p > 0 for p in powers):
            k = min(abs(n), *powers)
            less = ((base, -k),)
            quotient: Form = {}
            for c, f in inner.values():
                _plus(s, quotient, c, _merged(s, f, less))
            rest = tuple(x for x in ((b, m + (k * int(e) if b is base else 0)) for b, m in rest) if x[1] != 0)
            return rest, quotient
    return rest, inner


def _joined(s: State, f: Factors) -> Factors:
    """Powers of e, and powers of one base with exponents that are no numbers, become one power."""
    f = _unguarded(s, f)
    groups: dict[Any, list[Factor]] = {}
    for base, e in f:
        groups.setdefault(_base_of(base), []).append((base, e))
    if all(len(g) == 1 and (g[0][1] in (1, -1) or _base_of(g[0][0]) is g[0][0]) for g in groups.values()):
        return f
    return tuple(factor for key, group in groups.items() for factor in _one_power(s, key, group))


def _base_of(base: Expr) -> Any:
    """What a power is a power of; √(x²) is left alone, which is not x."""
    if base.op is EXP:
        return EXP
    return base.args[0] if base.op is POW and base.args[1].op is not CONST else base


def _one_power(s: State, key: Any, group: list[Factor]) -> list[Factor]:
    plain = all(_base_of(b) is b for b, _ in group) or any(type(e) is not int for _, e in group)
    if plain or (len(group) == 1 and group[0][1] in (1, -1)):
        return group
    sign, count = -1 if all(e < 0 for _, e in group) else 1, len(s.notes)
    try:
        total = _added_exponents(s, group, sign)
    except OverflowError:
        return group
    s.notes[count:] = ["add exponents"]
    n = _number(total)
    if n is not None and key is not EXP:
        return [(key, _exponent(sign * n))] if n != 0 else []
    found = EXP(_emit(s, total)) if key is EXP else POW(key, _emit(s, total))
    return [] if is_number(found, 1) else [(found, sign)]


def _added_exponents(s: State, group: Sequence[Factor], sign: int) -> Form:
    total: Form = {}
    for base, e in group:
        exponent = _single(1, ()) if _base_of(base) is base else _atom_form(s, base.args[-1])
        for c, g in exponent.values():
            _plus(s, total, _times(s, sign * e, c), g)
    return total


def _atom_form(s: State, expr: Expr) -> Form:
    return s.known.get(expr) or _atom(s, expr)


def _unguarded(s: State, f: Factors) -> Factors:
    """aᵇ·ln a from the table guards the logarithm against a = 0; beside the power aᵇ it is plain ln a to a reader."""
    bases = {_base_of(b) for b, _ in f if b.op is POW or b.op is INPUT}
    if not any(_plain_log(b, bases) for b, _ in f):
        return f
    s.notes.append("the base is not 0")
    return tuple((_plain_log(b, bases) or b, e) for b, e in f)


def _plain_log(g: Expr, bases: set[Any]) -> Expr | None:
    if g.op is not WHERE or g.args[0].op is not EQ or g.args[0].args[0] not in bases or g.args[2].op is not LOG:
        return None
    condition, otherwise, value = g.args
    base, inner = condition.args[0], value.args[0]
    guarded = inner.op is WHERE and inner.args[0] is condition and inner.args[2] is base
    return LOG(base) if guarded and is_number(condition.args[1], 0) and is_number(otherwise, 0) else None


# ---------------------------------------------------------------- expansion, where it makes less


def _collapsed(s: State, form: Form) -> Form:
    """The form, or its expansion where that has fewer parts."""
    if len(form) < 2:
        return form
    if any(_opens(s, c, f) for c, f in form.values()):
        count = len(s.notes)
        expanded = _attempted(_expanded, s, form)
        if expanded is not None and _size(s, expanded) < _size(s, form):
            s.notes[count:] = ["expand and collect"]
            form = expanded
        else:
            del s.notes[count:]
    if not s.cancel:
        return form
    form = _pythagoras(s, form)
    return _attempted(_branches_joined, s, form) or form


def _attempted(move: Callable[[State, Form], Form | None], s: State, form: Form) -> Form | None:
    """The form after an optional move, or None where a coefficient would leave the range of floats."""
    try:
        return move(s, form)
    except OverflowError:
        return None


def _opens(s: State, c: Number, f: Factors) -> bool:
    """Is this a product with a sum that may be multiplied out? Generated code only multiplies numbers in."""
    if not s.cancel and (len(f) != 1 or f[0][0] in s.shared):
        return False
    sums = [e for b, e in f if len(s.known.get(b, ())) > 1]
    return any(type(e) is int and 0 < e <= (3 if s.cancel else 1) for e in sums)


def _expanded(s: State, form: Form) -> Form | None:
    total: Form = {}
    for c, f in form.values():
        part = _expanded_term(s, c, f) if _opens(s, c, f) else _single(c, f)
        if part is None or len(part) + len(total) > EXPANDED:
            return None
        for d, g in part.values():
            _plus(s, total, d, g)
    return total


def _expanded_term(s: State, c: Number, f: Factors) -> Form | None:
    sums = [(b, e) for b, e in f if len(s.known.get(b, ())) > 1 and type(e) is int and 0 < e <= 3]
    total = _single(c, tuple(x for x in f if x not in sums))
    for base, e in sums:
        for _ in range(int(e)):
            if len(total) * len(s.known[base]) > EXPANDED:
                return None
            total = _distributed(s, total, s.known[base])
    return total


def _distributed(s: State, a: Form, b: Form) -> Form:
    total: Form = {}
    for c, f in a.values():
        for d, g in b.values():
            _plus(s, total, _times(s, c, d), _merged(s, f, g))
    return total


def _size(s: State, form: Form) -> int:
    """About how many nodes a form has when it is written."""
    return sum(_weight(c) + 1 + sum(_size_of(s, b) + _weight(e) for b, e in f) for c, f in form.values())


def _weight(c: Number) -> bool:
    """Is this coefficient or exponent written?"""
    return c not in (1, -1)


def _size_of(s: State, base: Expr) -> int:
    inner = s.known.get(base, {})
    if len(inner) < 2 or (base in s.shared and not s.cancel):
        return 1 if not base.args else 2
    return sum(1 + _weight(c) + sum(1 + bool(b.args) + _weight(e) for b, e in f) for c, f in inner.values())


def _pythagoras(s: State, form: Form) -> Form:
    """k·sin²u + k·cos²u = k, and k·cosh²u − k·sinh²u = k."""
    for c, f in form.values():
        for base, e in f:
            partner, sign = PARTNERS.get(base.op, (None, 1))
            if e == 2 and partner is not None:
                rest = tuple(x for x in f if x[0] is not base)
                other = frozenset((*rest, (partner(base.args[0]), 2)))
                if other in form and form[other][0] == sign * c:
                    s.notes.append(f"{base.op.name}² {'+' if sign > 0 else '−'} {partner.name}² = 1")
                    return _replaced(s, form, (frozenset(f), other), c, rest)
    return form


def _replaced(s: State, form: Form, gone: tuple[Any, Any], c: Number, f: Factors) -> Form:
    kept: Form = {}
    for key, term in form.items():
        if key == gone[0]:
            _plus(s, kept, c, f)
        elif key != gone[1]:
            _plus(s, kept, *term)
    return kept


def _branches_joined(s: State, form: Form) -> Form:
    """Cases under the same condition are added case by case."""
    groups: dict[Expr, list[frozenset[Factor]]] = {}
    for key, (_, f) in form.items():
        choice = _choice(f)
        if choice is not None:
            groups.setdefault(choice.args[0], []).append(key)
    for condition, keys in groups.items():
        if len(keys) > 1:
            joined = WHERE(condition, *[_emit(s, _branch(s, form, keys, k)) for k in (1, 2)])
            s.notes.append("add case by case")
            rest = {key: term for key, term in form.items() if key not in keys}
            return _branches_joined(s, {frozenset(((joined, 1),)): (1, ((joined, 1),))} | rest)
    return form


def _choice(f: Factors) -> Expr | None:
    choices = [b for b, e in f if b.op is WHERE and e == 1 and b.shape == ()]
    return choices[0] if len(choices) == 1 else None


def _branch(s: State, form: Form, keys: Sequence[frozenset[Factor]], k: int) -> Form:
    """The sum of one branch of all these cases, each times its other factors."""
    total: Form = {}
    for key in keys:
        c, f = form[key]
        choice = _choice(f)
        assert choice is not None
        inner = _atom_form(s, choice.args[k])
        others = _single(c, tuple(x for x in f if x[0] is not choice))
        for d, g in _distributed(s, others, inner).values():
            _plus(s, total, d, g)
    return total


PARTNERS: dict[Primitive, tuple[Primitive, int]] = {
    TABLE["sin"]: (TABLE["cos"], 1),
    TABLE["cosh"]: (TABLE["sinh"], -1),
}


# ---------------------------------------------------------------- recording


def _record(s: State, node: Expr) -> None:
    """Note the move that this node made. A sum inside a sum waits for the outermost one."""
    if not node.args or s.moves is None:
        return
    before = _before(s, node)
    s.chains[node] = before
    if _is_inner(s, node):
        return
    after = _written(s, node)
    if before is not after:
        s.moves.append(Move(_title(s.notes), before, after))
    s.notes.clear()


def _is_inner(s: State, node: Expr) -> bool:
    sums = (ADD, SUB, NEG)
    return node.op in sums and not node.shape and s.uses[node] == 1 and node in s.users and s.users[node].op in sums


def _before(s: State, node: Expr) -> Expr:
    args = tuple([s.chains[a] if a in s.chains and _is_inner(s, a) else _written(s, a) for a in node.args])
    return node if args == node.args else raw(node.op, args, node.params)


def _title(notes: Sequence[str]) -> str:
    named = list(dict.fromkeys(n for n in notes if n))
    telling = [n for n in named if n not in ("x · 1 = x", "x + 0 = x")] or named
    return ", ".join(telling) or "put in order"


__all__ = ["Move", "is_small", "moves", "simplify", "simplify_all"]
