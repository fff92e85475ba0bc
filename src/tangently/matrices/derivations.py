"""Derivations: how a derivative comes about, in differentials, as on paper (Magnus & Neudecker, 2019, chapter 9).

The graph is cut where a row is not linear, and what lies between two cuts is one step: z = Xw − y, dz = X dw. Each
differential is the tangent rule of the table, read in matrix notation; each step names the rule of its row. Then the
differentials are put together (chain rule), what stands beside dx is identified as the derivative, and the moves of the
simplifier follow. Nothing is written by hand: the last line is the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tangently.differentiation import pullback, tangent
from tangently.expr import Expr, const, depends, inputs_of, raw, substitute, symbol, toposort
from tangently.matrices.expressions import Matrix, Origin, _held, _unsimplified
from tangently.matrices.notation import Mat
from tangently.matrices.preparing import prepared, unguarded
from tangently.matrices.reading import Reader
from tangently.matrices.simplifying import simplified
from tangently.primitives.tensor import spelling

LINEAR = frozenset({"add", "sub", "neg", "mul", "mean", "linear"})
SMALL, LARGE = "zuvwpqrs", "ZUVWPQRS"


@dataclass(frozen=True)
class Step:
    """One step: the name of the rule, the identity in general, and what it gives here."""

    name: str
    identity: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        head = self.name + (f":  {self.identity}" if self.identity else "")
        return "\n".join([head, *[f"    {line}" for line in self.lines]])


@dataclass(frozen=True)
class Steps(Sequence[Step]):  # type: ignore[misc]
    """The steps of a derivation, in order. `str` numbers them."""

    steps: tuple[Step, ...]

    def __getitem__(self, k):  # type: ignore[no-untyped-def]
        return self.steps[k]

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        return "\n".join(f"{k}. {step}" for k, step in enumerate(self.steps, 1))

    __repr__ = __str__


def steps_of(m: Matrix) -> Steps:
    """The derivation of a derivative; of any other expression there is none.

    >>> from tangently.matrices.expressions import grad, matrix, vector
    >>> A, x = matrix("A", "n n"), vector("x", "n")
    >>> print(steps_of(grad(x.T @ A @ x, wrt=x)))
    1. product rule:  d(UV) = dU V + U dV
        f = xᵀAx
        df = dxᵀ Ax + xᵀA dx
    2. identification:  df = ∇ᵀ dx
        ∇ = Aᵀx + Ax
    3. collect like terms:  UA + UB = U(A + B)
        ∇ = (A + Aᵀ)x
    """
    origin = m.origin
    if origin is None:
        return Steps(())
    return Steps((*_differentials(origin, m), *_conclusion(origin, m)))


# ---------------------------------------------------------------- differentials, cut by cut


def _differentials(origin: Origin, m: Matrix) -> Iterator[Step]:
    start = _subject(origin)
    x = origin.wrt.expr
    order = toposort([start])
    reached = depends(order, [x])
    if start not in reached or start is x:
        return
    cuts = _cuts(order, reached, x, start)
    names = _names(cuts, start, inputs_of([origin.of.expr]))
    if origin.verb in ("hessian", "hvp"):
        names[start] = "∇"
    symbols = {node: symbol(name, node.shape) for node, name in names.items()} | {x: x}
    moved = {node: symbol(f"d{names.get(node, x.name)}", node.shape) for node in symbols}
    for node in cuts:
        yield _step(node, names[node], symbols, moved, reached)
    if len(cuts) > 1 and origin.moved is None:
        (whole,) = tangent([start], {x: moved[x]})
        yield Step("chain rule", "put the differentials together", (f"d{names[start]} = {_text(whole)}",))


def _subject(origin: Origin) -> Expr:
    """What is differentiated last: of a Hessian the gradient."""
    start = prepared(origin.of.expr)
    if origin.verb not in ("hessian", "hvp"):
        return start
    return unguarded(pullback([start], [const(1.0)], [origin.first.expr])[0])


def _cuts(order: Sequence[Expr], reached: set[Expr], x: Expr, end: Expr) -> list[Expr]:
    """Nodes with a step of their own: those that are not linear, what they are applied to, and the end."""
    found = {end}
    for node in order:
        if node in reached and node is not x and not _is_linear(node, reached):
            found.add(node)
            found.update(a for a in node.args if a in reached and a is not x and not _is_trivial(a))
    return [node for node in order if node in found]


def _is_linear(node: Expr, reached: set[Expr]) -> bool:
    if node.op.name == "div":
        return node.args[1] not in reached
    return node.op.kind in ("multilinear", "layout") or node.op.name in LINEAR


def _is_trivial(node: Expr) -> bool:
    """A transpose or a spread number says nothing."""
    return node.op.name in ("broadcast", "reshape") or (
        node.op.name == "einsum" and spelling(node.params[0]).form == "transpose"
    )


def _names(cuts: Sequence[Expr], end: Expr, inputs: Sequence[Expr]) -> dict[Expr, str]:
    taken = {str(x.name) for x in inputs}
    small = (c for c in (*SMALL, *(f"z_{k}" for k in range(1, 999))) if c not in taken)
    large = (c for c in (*LARGE, *(f"Z_{k}" for k in range(1, 999))) if c not in taken)
    last = next(c for c in (("F", "Y", "G", "Y_1") if end.ndim == 2 else ("f", "y", "g", "f_1")) if c not in taken)
    return {node: last if node is end else next(large if node.ndim == 2 else small) for node in cuts}


def _step(node: Expr, name: str, symbols: Mapping[Expr, Expr], moved: Mapping[Expr, Expr], reached: set[Expr]) -> Step:
    inner = {old: new for old, new in symbols.items() if old is not node}
    (here,) = substitute([node], inner)
    before = {inner[old]: t for old, t in moved.items() if old is not node}
    (t,) = tangent([here], before)
    rule, identity = _rule(node, reached)
    return Step(rule, identity, (f"{name} = {_text(here)}", f"d{name} = {_text(t)}"))


def _text(expr: Expr) -> str:
    return str(_reader_of([expr]).mat_of(expr))


def _reader_of(exprs: Sequence[Expr]) -> Reader:
    return Reader({}, {x: _held[x] for x in inputs_of(exprs) if x in _held})


def _rule(node: Expr, reached: set[Expr]) -> tuple[str, str]:
    """The rule's name, and its identity in general letters."""
    if _is_linear(node, reached):
        return _linear_rule(node, reached)
    rules = [r for r in node.op.rules if r.when is None or len(r.when) == len(node.args)]
    name = rules[0].name if rules else node.op.name
    return name, _in_general(node, reached)


def _linear_rule(node: Expr, reached: set[Expr]) -> tuple[str, str]:
    """Between two cuts: a product of what varies, the trace, a sum, or a linear map."""
    order = [n for n in toposort([node]) if n in reached]
    between = [n for n in order if n.args and _is_linear(n, reached)]
    product = any(sum(a in reached for a in n.args) > 1 for n in between if n.op.name in ("einsum", "mul", "linear"))
    traced = any(n.op.name == "einsum" and not n.shape and max(len(a.shape) for a in n.args) == 2 for n in between)
    if product and traced:
        return "product rule under the trace", "d tr(UV) = tr(dU V) + tr(U dV)"
    if product:
        return "product rule", "d(UV) = dU V + U dV"
    if traced:
        return "the trace is linear", "d tr(AX) = tr(A dX)"
    sums = any(n.op.name in ("add", "sub") for n in between)
    return ("sum rule", "d(U + V) = dU + dV") if sums else ("linear map", "d(AU) = A dU")


def _in_general(node: Expr, reached: set[Expr]) -> str:
    """d φ(u), from the row's own tangent rule with letters for its operands."""
    letters = iter(("U", "V", "W") if any(a.ndim == 2 for a in node.args) else ("u", "v", "w"))
    args = [symbol(next(letters), a.shape) if a in reached else a for a in node.args]
    general = raw(node.op, tuple(args), node.params)
    seeds = {a: symbol(f"d{a.name}", a.shape) for a, old in zip(args, node.args) if old in reached}
    (t,) = tangent([general], seeds)
    left = str(_reader_of([general]).read(general))
    left = left if left.startswith(("log det", "det", "‖", "tr")) and not left.endswith(")²") else f"({left})"
    space = " " if left[0].isalpha() else ""
    return f"d{space}{left} = {_reader_of([t]).read(t)}"


# ---------------------------------------------------------------- from the differential to the derivative


def _conclusion(origin: Origin, m: Matrix) -> Iterator[Step]:
    x = str(origin.wrt.name)
    if origin.moved is not None:
        yield Step("no closed form", "", (f"{m.notes[-1]}",))
        return
    raw_mat = _unsimplified(m)
    head, symbol_ = _identification(origin, x)
    yield Step("identification", head, (f"{symbol_} = {raw_mat}",))
    _, moves, _ = simplified(raw_mat)
    for move in moves:
        yield Step(move.name, move.identity, (f"{symbol_} = {move.after}",))
    last: Mat = moves[-1].after if moves else raw_mat
    if last is not m.formula:
        yield Step("canonical form", "", (f"{symbol_} = {m.formula}",))


def _identification(origin: Origin, x: str) -> tuple[str, str]:
    """How the derivative is read off the differential."""
    if origin.verb in ("hessian", "hvp"):
        return f"d∇ = H d{x}", "H" if origin.verb == "hessian" else "H v"
    if origin.of.ndim == 0:
        turned = origin.layout == "numerator"
        if origin.wrt.ndim == 2:
            return ("df = tr(D d" + x + ")", "D") if turned else (f"df = tr(∇ᵀ d{x})", "∇")
        return (f"df = D d{x}", "D") if turned or not origin.wrt.ndim else (f"df = ∇ᵀ d{x}", "∇")
    y = "F" if origin.of.ndim == 2 else "f"
    left, right = (f"d{y}", f"d{x}")
    if max(origin.of.ndim, origin.wrt.ndim) == 2:
        left, right = f"vec d{y}", f"vec d{x}"
    return (f"{left} = J {right}", "J") if origin.layout == "numerator" else (f"{left} = ∇ᵀ {right}", "∇")


__all__ = ["Step", "Steps", "steps_of"]
