"""Simplifying matrix notation: one rule a line, bottom-up, each move recorded with the identity that it uses.

What meets in a product or a transpose is simplified by the constructors of `notation` (A A⁻¹ = I, QᵀQ = I, Sᵀ = S),
and `collect` draws out common factors. Here are the identities between functions, and those that a property allows. All
of them hold on the whole domain of the left side. The number of nodes is bounded: beyond `BUDGET` the formula stays as
it is, which is right, only longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from tangently.matrices import notation as mat
from tangently.matrices.notation import ONE, Mat, base_of, collect, parts_first

BUDGET = 1_500  # nodes of a formula


@dataclass(frozen=True)
class Move:
    """One simplification: the identity, and the formula after it."""

    name: str
    identity: str
    after: Mat


@dataclass(frozen=True)
class Rule:
    """A rewrite of one node: None where it does not apply."""

    name: str
    identity: str
    rewrite: Callable[[Mat], Mat | None]


def simplified(raw: Mat, rules: Sequence[Rule] | None = None) -> tuple[Mat, list[Move], list[str]]:
    """The formula made simpler, the moves that led there, and a remark if the budget was exceeded.

    >>> n = mat.Dim.named("n")
    >>> X = mat.symbol("X", (n, n))
    >>> simplified(mat.mapped("log", mat.det(X)))[0]
    <Mat log det X>
    """
    size = len(parts_first(raw))
    if size > BUDGET:
        return raw, [], [f"budget exceeded: unsimplified ({size:,} parts, the limit is {BUDGET:,})"]
    moves: list[Move] = []
    m = raw
    for rule in RULES if rules is None else rules:
        after = _everywhere(rule, m)
        if after is not m:
            moves.append(Move(rule.name, rule.identity, after))
            m = after
    after = collect(m)
    if after is not m:
        moves.append(Move("collect like terms", "UA + UB = U(A + B)", after))
    return after, moves, []


def _everywhere(rule: Rule, m: Mat) -> Mat:
    done: dict[Mat, Mat] = {}
    for node in parts_first(m):
        same = mat.rebuilt(node, [done[a] for a in node.args])
        found = rule.rewrite(same)
        done[node] = same if found is None else found
    return done[m]


# ---------------------------------------------------------------- rules


def _is_map(m: Mat, row: str) -> bool:
    return m.op == "map" and m.data[0] == row


def _logarithm_of_det(m: Mat) -> Mat | None:
    """log(det X): where it has a value the determinant is positive."""
    return mat.logdet(m.args[0].args[0]) if _is_map(m, "log") and m.args[0].op == "det" else None


def _positive_det(m: Mat) -> Mat | None:
    if m.op != "map" or m.data[0] not in ("abs", "sign") or m.args[0].op != "det":
        return None
    inner = m.args[0]
    return (inner if m.data[0] == "abs" else ONE) if _is_positive(inner.args[0]) else None


def _is_positive(m: Mat) -> bool:
    """Is it positive definite for sure?"""
    if m.op == "inverse":
        return _is_positive(m.args[0])
    return m.op == "identity" or (m.op == "symbol" and "positive definite" in m.data[2])


def _orthogonal_det(m: Mat) -> Mat | None:
    inner = m.args[0] if m.op == "logdet" or (_is_map(m, "abs") and m.args[0].op == "det") else None
    core = inner.args[0] if inner is not None and inner.op == "det" else inner
    if core is None or not mat.is_orthogonal(core):
        return None
    return mat.ZERO if m.op == "logdet" else ONE


def _softplus(m: Mat) -> Mat | None:
    inner = _above_one(m.args[0]) if _is_map(m, "log") else m.args[0] if _is_map(m, "log1p") else None
    return mat.mapped("softplus", inner.args[0]) if inner is not None and _is_map(inner, "exp") else None


def _above_one(m: Mat) -> Mat | None:
    """u where m is 1 + u (entry by entry)."""
    if m.op != "sum" or len(m.args) != 2 or m.data != (1, 1):
        return None
    every = mat.ones(*m.shape) if not m.is_number else ONE
    a, b = m.args
    return b if a in (every, ONE) else a if b in (every, ONE) else None


def _sigmoid(m: Mat) -> Mat | None:
    """1/(1 + exp(u)) = σ(−u), in powers."""
    if m.op != "power" or m.data[0] >= 0:
        return None
    e = _above_one(m.args[0])
    if e is None or not _is_map(e, "exp"):
        return None
    return mat.power(mat.mapped("sigmoid", mat.scale(-1, e.args[0])), -m.data[0])


def _sigmoid_turned(m: Mat) -> Mat | None:
    """exp(u) σ(−u) = σ(u), in powers."""
    if m.op not in ("hadamard", "product"):
        return None
    pieces = {base_of(p)[0]: base_of(p)[1] for p in m.args}
    for e, p in pieces.items():
        s = mat.mapped("sigmoid", mat.scale(-1, e.args[0])) if _is_map(e, "exp") else e
        k = min(p, pieces.get(s, 0)) if s is not e else 0
        if k > 0:
            new = [mat.power(mat.mapped("sigmoid", e.args[0]), k), mat.power(e, p - k), mat.power(s, pieces[s] - k)]
            rest = [a for a in m.args if base_of(a)[0] not in (e, s)]
            return mat.hadamard(*rest, *new) if m.op == "hadamard" else mat.multiply(*new, *rest)
    return None


def _joined_diagonals(m: Mat) -> Mat | None:
    """diag(u) + diag(v) = diag(u + v)."""
    found = [(c, t) for c, t in zip(m.data, m.args) if t.op == "diag"] if m.op == "sum" else []
    if len(found) < 2:
        return None
    whole = mat.diag(collect(mat.combine([(c, t.args[0]) for c, t in found])))
    return mat.combine([(1, whole), *[(c, t) for c, t in zip(m.data, m.args) if t.op != "diag"]])


def _square_root(m: Mat) -> Mat | None:
    """√u² of a norm, and √(uᵀu)."""
    half = m.args[0] if _is_map(m, "sqrt") or (m.op == "power" and m.data[0] == Fraction(1, 2)) else None
    return half.args[0] if half is not None and base_of(half)[0].op == "norm" and base_of(half)[1] == 2 else None


def _exponential_of_log_softmax(m: Mat) -> Mat | None:
    inner = m.args[0] if _is_map(m, "exp") else m
    if inner is m or inner.op != "call" or inner.data[0] != "log_softmax":
        return None
    return mat.called("softmax", inner.args[0], inner.shape)


def _centered(m: Mat) -> Mat | None:
    """sum(x − sum(x) 1/n) = 0: a sum of entries is drawn into its terms where they cancel."""
    if m.op != "total" or m.args[0].op != "sum":
        return None
    inner = m.args[0]
    found = mat.combine([(c, mat.total(t)) for c, t in zip(inner.data, inner.args)])
    return found if found is mat.ZERO else None


def _centered_rows(m: Mat) -> Mat | None:
    """(X − X 1 1ᵀ/n) 1 = 0, and 1ᵀ(X − 1 1ᵀX/n) = 0."""
    if m.op != "product" or m.is_number:
        return None
    _, chain = mat.split(m)
    for a, b in pairwise(chain):
        if {a.op, b.op} & {"ones"} | ({a.args[0].op} if a.op == "transpose" else set()) & {"ones"}:
            terms = [(c, mat.multiply(*((t, b) if inner is a else (a, t)))) for inner in (a, b) if inner.op == "sum"
                     for c, t in zip(inner.data, inner.args)]  # fmt: skip
            if terms and mat.combine(terms).op == "zeros":
                return mat.zeros(m.shape)
    return None


RULES = (
    Rule("positive definite", "|det P| = det P, sign(det P) = 1", _positive_det),
    Rule("log det", "log(det X) = log det X", _logarithm_of_det),
    Rule("orthogonal", "|det Q| = 1", _orthogonal_det),
    Rule("softplus", "log(1 + exp u) = softplus(u)", _softplus),
    Rule("logistic sigmoid", "1/(1 + exp(u)) = σ(−u)", _sigmoid),
    Rule("logistic sigmoid", "exp(u) σ(−u) = σ(u)", _sigmoid_turned),
    Rule("root of a square", "√‖u‖² = ‖u‖", _square_root),
    Rule("softmax", "exp(log softmax(u)) = softmax(u)", _exponential_of_log_softmax),
    Rule("deviations from a mean", "sum(u − sum(u) 1/n) = 0", _centered),
    Rule("deviations from a mean", "(U − U 1 1ᵀ/n) 1 = 0", _centered_rows),
    Rule("diagonal matrices add up", "diag(u) + diag(v) = diag(u + v)", _joined_diagonals),
)

SPOKEN = RULES[:3]  # what also a formula as its user wrote it is shown with

__all__ = ["BUDGET", "SPOKEN", "Move", "simplified"]
