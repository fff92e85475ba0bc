"""What is identically 0, by an identity: x/(1 + e⁻ˣ) + x/(1 + eˣ) − x, sin² + cos² − 1.

A series whose terms all cancel never shows that it is 0. So nodes of the graph that vanish to hundreds of digits at an
irregular point are suspected, and a suspicion is proven by algebra: the node is a rational function of *kernels* (x,
eᵘ, sin u, cos u, whatever is no arithmetic) over the rationals, with sin² = 1 − cos², and its numerator is the
polynomial 0. (That the kernels might be dependent in other ways makes no difference: an identity between independent
symbols holds for them too.)

Source: J. Davenport, Y. Siret, É. Tournier, Computer Algebra, 1993, chapter 2 (normal forms of rational functions).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb, fmpq, fmpq_mpoly_ctx

from tangently.enclosure import enclose
from tangently.errors import TangentlyError
from tangently.expr import CONST, Expr, const, raw, toposort

Ratio = tuple[Any, Any]  # numerator and denominator, polynomials in the kernels

BITS, TINY = 700, -500  # the precision of the suspicion, and below 2 to which power it is one
LARGE = 400  # terms of a polynomial that are still handled
WORDS: dict[str, Callable[[Any, Any], Ratio]] = {  # functions by the exponential eᵘ = a/b
    "exp": lambda a, b: (a, b),
    "expm1": lambda a, b: (a - b, b),
    "sinh": lambda a, b: (a * a - b * b, 2 * a * b),
    "cosh": lambda a, b: (a * a + b * b, 2 * a * b),
    "tanh": lambda a, b: (a * a - b * b, a * a + b * b),
    "sigmoid": lambda a, b: (a, a + b),
}


def without_zeros(root: Expr, x: Expr, near: arb) -> Expr:
    """The expression with what is proven to be identically 0 replaced by 0; `near`: an irregular point."""
    suspects = _suspects(root, x, near)
    if not suspects:
        return root
    zeros = {node for node in suspects if is_identically_zero(node)}
    done: dict[Expr, Expr] = {}
    for node in toposort([root]):
        if node in zeros:
            done[node] = const(0)
        elif node.args:
            args = tuple(done[a] for a in node.args)
            done[node] = node if all(a is b for a, b in zip(args, node.args)) else raw(node.op, args, node.params)
        else:
            done[node] = node
    return done[root]


def _suspects(root: Expr, x: Expr, near: arb) -> list[Expr]:
    """The sums that vanish to hundreds of digits at an irregular point."""
    sums = [n for n in toposort([root]) if n.op.name in ("add", "sub")]
    try:
        values = enclose(sums, {x: near}, precision=BITS)
    except TangentlyError:
        return []
    limit = arb((1, TINY))
    return [n for n, y in zip(sums, values) if y.is_finite() and abs(y) < limit]


def is_identically_zero(node: Expr) -> bool:
    """Is the expression the rational function 0 of its kernels?"""
    kernels = _Kernels(node)
    try:
        top, _bottom = kernels.ratio(node)
    except _TooLarge:
        return False
    return len(kernels.reduced(top).to_dict()) == 0


class _TooLarge(Exception):
    """A polynomial with more terms than are handled."""


class _Kernels:
    """The kernels of an expression as variables of polynomials."""

    def __init__(self, node: Expr) -> None:
        self.order = toposort([node])
        self.names: dict[Any, int] = {}
        for n in self.order:
            for key in _kernels_of(n):
                self.names.setdefault(key, len(self.names))
        self.context = fmpq_mpoly_ctx.get([f"k{i}" for i in range(max(1, len(self.names)))], "lex")
        self.one = self.context.constant(1)

    def variable(self, key: Any) -> Any:
        return self.context.gens()[self.names[key]]

    def ratio(self, node: Expr) -> Ratio:
        done: dict[Expr, Ratio] = {}
        for n in self.order:
            done[n] = self._ratio(n, [done[a] for a in n.args])
            if any(len(p.to_dict()) > LARGE for p in done[n]):
                raise _TooLarge
        return done[node]

    def _ratio(self, n: Expr, parts: list[Ratio]) -> Ratio:
        if n.op is CONST and isinstance(n.value, (int, float)):
            q = fmpq(*n.value.as_integer_ratio())
            return self.one * q, self.one
        if n.op.name in ARITHMETIC:
            return ARITHMETIC[n.op.name](*parts)
        if n.op.name == "pow" and _whole(n.args[1]) is not None:
            return _power(parts[0], _whole(n.args[1]) or 0)
        if n.op.name in WORDS:
            base, k = _multiple(n.args[0])
            E = self.variable(("exp", base))
            return WORDS[n.op.name](*((E**k, self.one) if k >= 0 else (self.one, E**-k)))
        if n.op.name in ("sin", "cos", "tan"):
            s, c = self._circle(*_multiple(n.args[0]))
            return {"sin": (s, self.one), "cos": (c, self.one), "tan": (s, c)}[n.op.name]
        return self.variable(_kernels_of(n)[0]), self.one

    def _circle(self, base: Expr, k: int) -> Ratio:
        """sin ku and cos ku by those of u (de Moivre)."""
        s, c = self.variable(("sin", base)), self.variable(("cos", base))
        sine, cosine = self.one * 0, self.one
        for _ in range(abs(k)):
            sine, cosine = sine * c + cosine * s, cosine * c - sine * s
        return (sine if k >= 0 else -sine), cosine

    def reduced(self, p: Any) -> Any:
        """sin² → 1 − cos² for every argument."""
        for key in list(self.names):
            if key[0] == "sin" and ("cos", key[1]) in self.names:
                p = self._without_squares(p, self.names[key], self.variable(("cos", key[1])))
        return p

    def _without_squares(self, p: Any, place: int, cosine: Any) -> Any:
        total = self.context.constant(0)
        for exponents, c in p.to_dict().items():
            high = exponents[place] // 2
            left = self.context.from_dict({tuple(e - 2 * high * (i == place) for i, e in enumerate(exponents)): c})
            total += left * (1 - cosine * cosine) ** high
        return total


def _kernels_of(n: Expr) -> list[Any]:
    """The variables that a node brings."""
    if n.op is CONST or n.op.name in ARITHMETIC or (n.op.name == "pow" and _whole(n.args[1]) is not None):
        return []
    if n.op.name in WORDS:
        return [("exp", _multiple(n.args[0])[0])]
    if n.op.name in ("sin", "cos", "tan"):
        base = _multiple(n.args[0])[0]
        return [("sin", base), ("cos", base)]
    return [("node", n)]


def _whole(n: Expr) -> int | None:
    return (
        int(n.value)
        if n.op is CONST and isinstance(n.value, (int, float)) and n.value == int(n.value) and abs(n.value) < 40
        else None
    )


def _multiple(n: Expr) -> tuple[Expr, int]:
    """u as k·v with a whole k: -x is (x, -1), 2·x is (x, 2)."""
    if n.op.name == "neg":
        base, k = _multiple(n.args[0])
        return base, -k
    if n.op.name == "mul" and _whole(n.args[0]) not in (None, 0):
        base, k = _multiple(n.args[1])
        return base, k * (_whole(n.args[0]) or 1)
    return n, 1


def _power(p: Ratio, n: int) -> Ratio:
    return (p[0] ** n, p[1] ** n) if n >= 0 else (p[1] ** -n, p[0] ** -n)


ARITHMETIC: dict[str, Callable[..., Ratio]] = {
    "add": lambda a, b: (a[0] * b[1] + b[0] * a[1], a[1] * b[1]),
    "sub": lambda a, b: (a[0] * b[1] - b[0] * a[1], a[1] * b[1]),
    "mul": lambda a, b: (a[0] * b[0], a[1] * b[1]),
    "div": lambda a, b: (a[0] * b[1], a[1] * b[0]),
    "neg": lambda a: (-a[0], a[1]),
    "square": lambda a: (a[0] * a[0], a[1] * a[1]),
    "reciprocal": lambda a: (a[1], a[0]),
}
__all__ = ["is_identically_zero", "without_zeros"]
