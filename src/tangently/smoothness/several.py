"""`differentiability` of several variables: the gradients of the pieces that are active at a point, and their hull.

The function is written in the numbers x₁, …, xₙ. Where a row breaks at the point (a tie of max, |0|, relu at 0), each
side that some direction d leads to is followed: its expression u has the slope ∇u·d along d, so the signs that can
occur together are the cells of an arrangement of hyperplanes, and a linear program tells whether one is empty. Each
ends with a smooth formula; its gradient at the point is a vertex of Clarke's set (`hulls`). If all are equal, the
function is strictly differentiable, however many kinks its parts have: relu(x) - relu(-x), max(x, x).

A Euclidean norm of a vector that is 0 here becomes a variable r of its own; with c = ∂f/∂r and J the vector's
Jacobian it adds c·Jᵀ·B to the set (B the unit ball). Where c = 0, as in ‖x‖², it adds nothing.

Everything is evaluated in balls, so e¹⁰⁰⁰ does not overflow and a quotient of two such numbers is right.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangently.derivatives import size
from tangently.differentiation import pullback
from tangently.errors import DomainError, InputError, TangentlyError, TraceError, UnsupportedError, a_type
from tangently.expr import CONST, TABLE, Expr, build, const, substitute, symbol, toposort
from tangently.printing import to_text
from tangently.smoothness.hulls import Clarke, hull
from tangently.smoothness.points import BITS, extend, number, precision, tidy
from tangently.smoothness.results import Differentiability
from tangently.smoothness.sides import nearest_float
from tangently.tracing.trees import Structure, flatten, unflatten

CELLS = 256  # active pieces of one function


@dataclass(frozen=True)
class Place:
    """A function in numbers: its outputs, the inputs that move, and what every input is at the point, exactly."""

    outputs: tuple[Expr, ...]
    shape: tuple[int, ...]  # of the function's value
    moving: tuple[Expr, ...]
    values: dict[Expr, Expr]
    pack: Any
    norms: tuple[tuple[Expr, tuple[Expr, ...]], ...] = ()  # the variable of a norm that is 0, and its vector
    notes: tuple[str, ...] = ()
    shown: Expr | None = None  # the function as it is read


def at_points(f: Any, at: Any, wrt: Any, order: int) -> Differentiability:
    """Differentiability at a point of several coordinates."""
    with precision(BITS):
        place = placed(f, at, wrt)
        if len(place.moving) == 1 and place.shape == ():
            return _of_one(place, f, order, at)
        return _judged(place, f, at, order)


# ---------------------------------------------------------------- reading


def placed(f: Any, at: Any, wrt: Any) -> Place:
    """The function as expressions of numbers."""
    function, names = _callable(f)
    given = _arguments(names, at)
    leaves, _, structure = flatten(list(given.values()))
    owners = [name for name, value in given.items() for _ in flatten(value)[0]]
    arrays = [np.asarray(leaf, float) for leaf in leaves]
    nodes, entries = zip(*[_entries(a, owner) for a, owner in zip(arrays, owners)])
    outputs, shape, notes = _recorded(function, leaves, structure, nodes, owners)
    values = {e: exact(v) for a, es in zip(arrays, entries) for e, v in zip(es, a.ravel().tolist())}
    chosen = [k for k, owner in enumerate(owners) if wrt is None or _is_chosen(owner, wrt, list(given))]
    if not chosen:
        raise InputError(f"wrt={wrt!r}: the function has no such argument; it has {', '.join(given)}")
    moving = tuple(e for k in chosen for e in entries[k])
    pack = _pack([arrays[k] for k in chosen])
    return _with_norms(Place(tuple(outputs), shape, moving, values, pack, notes=notes))


def _callable(f: Any) -> tuple[Any, list[str]]:
    """The function to trace, text with its numbers as they are written, and the names of its arguments."""
    from tangently.expr import evaluate
    from tangently.limits.reading import as_written
    from tangently.parsing import parse

    if isinstance(f, str):
        formula = parse(f)
        return as_written(formula), list(formula.arguments)
    if type(f).__module__.startswith("sympy."):
        from tangently.adopting.sympy import from_sympy

        expr, inputs = from_sympy(f)
        return (lambda *xs: evaluate([expr], dict(zip(inputs, xs)))[0]), [str(x.name) for x in inputs]
    if not callable(f):
        raise InputError(f"got {a_type(f)}; wanted a function, a formula as text, or a SymPy expression")
    found = inspect.signature(f).parameters.values()
    return f, [p.name for p in found if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def _arguments(names: Sequence[str], at: Any) -> dict[str, Any]:
    """The point as arguments: one array for one argument, else one entry for each."""
    if isinstance(at, dict):
        missing = [n for n in names if n not in at]
        if missing:
            raise InputError(f"at={at!r} has no value for {', '.join(missing)}")
        return {n: _number_or_array(at[n]) for n in names}
    if len(names) == 1:
        nested = isinstance(at, tuple) and len(at) == 1 and np.ndim(at[0])
        return {names[0]: _number_or_array(at[0] if nested else at)}
    if len(at) != len(names):
        raise InputError(f"at has {len(at)} entries; the function takes {len(names)}: {', '.join(names)}")
    return {n: _number_or_array(v) for n, v in zip(names, at)}


def _number_or_array(value: Any) -> Any:
    return np.asarray(value, float) if np.ndim(value) else float(value)


def _is_chosen(owner: str, wrt: Any, names: list[str]) -> bool:
    wanted = wrt if isinstance(wrt, (tuple, list)) else (wrt,)
    return owner in wanted or names.index(owner) in wanted


def _entries(array: np.ndarray, name: str) -> tuple[Expr, tuple[Expr, ...]]:
    """An argument as an array of separate numbers."""
    if array.shape == ():
        x = symbol(name)
        return x, (x,)
    entries = tuple(symbol(f"{name}{k + 1}") for k in range(array.size))
    return _stacked(entries, array.shape), entries


def _recorded(
    function: Any, leaves: list[Any], structure: Structure, nodes: Sequence[Expr], owners: list[str]
) -> tuple[list[Expr], tuple[int, ...], tuple[str, ...]]:
    """The function's value in terms of the numbers, entry by entry, and its shape."""
    from tangently.limits.reading import exactly

    recording, notes = _trace(function, leaves, structure, owners)
    if len(recording.outputs) != 1:
        raise InputError(f"the function returned {len(recording.outputs)} values; one number or array was wanted")
    inputs = {old: new for old, new in zip(recording.inputs, nodes) if old is not None}
    [whole] = substitute([_spelled_out(exactly(recording.outputs[0], []))], inputs)
    if whole.shape == ():
        return [whole], (), notes
    return [_entry(whole, k) for k in range(size(whole))], whole.shape, notes


def _spelled_out(root: Expr) -> Expr:
    """Constant arrays as stacks of exact numbers."""
    order = toposort([root])
    arrays = [n for n in order if n.op is CONST and n.shape and n.dtype != "?"]
    found = {n: _stacked([exact(float(v)) for v in np.ravel(n.value)], n.shape) for n in arrays}
    return substitute([root], found)[0]


def _stacked(entries: Sequence[Expr], shape: tuple[int, ...]) -> Expr:
    flat = TABLE["stack"](*entries, params=(0,))
    return flat if len(shape) == 1 else TABLE["reshape"](flat, params=(shape,))


def _entry(whole: Expr, k: int) -> Expr:
    """The k-th entry of an array, as the sum of a part of length 1."""
    flat = TABLE["reshape"](whole, params=((size(whole),),))
    return TABLE["einsum"](TABLE["index"](flat, params=((("s", k, k + 1, None),),)), params=("i->",))


def _trace(function: Any, leaves: list[Any], structure: Structure, owners: list[str]) -> tuple[Any, tuple[str, ...]]:
    from tangently.tracing.recording import record

    call = lambda given: (tuple(unflatten(structure, list(given))), {})
    floats = [np.asarray(leaf, float) if np.ndim(leaf) else float(leaf) for leaf in leaves]
    shapes = [np.shape(leaf) for leaf in floats]
    every = [True] * len(leaves)
    try:
        return record(function, floats, owners, call, every, abstract=shapes), ()
    except (TangentlyError, TypeError, ValueError, IndexError):
        found = record(function, floats, owners, call, every)
        note = "the function branches; what follows holds for the branch that is taken at the point"
        return found, (note,) if found.trace.guards else ()


def exact(value: float) -> Expr:
    """A float as the constant that it stands for."""
    from tangently.limits.reading import exact_number

    if not math.isfinite(value):
        raise InputError(f"got the coordinate {value}; wanted finite numbers")
    return const(int(value)) if value.is_integer() else exact_number(value, [])


def _pack(arrays: Sequence[np.ndarray]) -> Any:
    """A flat vector in the shapes of the arguments: a float, an array, or a tuple of these."""
    sizes = [a.size for a in arrays]

    def pack(vector: np.ndarray) -> Any:
        parts = np.split(np.asarray(vector, float), np.cumsum(sizes)[:-1])
        shaped = [float(p[0]) if a.shape == () else p.reshape(a.shape) for p, a in zip(parts, arrays)]
        return shaped[0] if len(shaped) == 1 else tuple(shaped)

    return pack


# ---------------------------------------------------------------- norms


def _with_norms(place: Place) -> Place:
    """Everything in numbers, and each root of a sum of squares that is 0 at the point as a variable of its own."""
    from tangently.limits.reading import scalars

    try:
        whole = [scalars(y) for y in place.outputs]
    except (TypeError, AttributeError) as error:
        raise UnsupportedError(f"an array operation can't be taken apart into numbers ({error}); index them") from error
    outputs = [_even_powers(y) for y in whole]
    norms: list[tuple[Expr, tuple[Expr, ...]]] = []
    for node in toposort(outputs):
        vector = _vector_of(node)
        if vector and all(_is_zero(e, place.values) for e in vector):
            norms.append((symbol("r"), vector))
            outputs = substitute(outputs, {node: norms[-1][0]})
    values = {**place.values, **{r: const(0) for r, _ in norms}}
    return replace(place, outputs=tuple(outputs), values=values, norms=tuple(norms), shown=whole[0])


def _even_powers(root: Expr) -> Expr:
    """Even powers of roots without the root: √(Σ uₖ²)² is Σ uₖ², everywhere."""
    done: dict[Expr, Expr] = {}
    for node in toposort([root]):
        args = tuple(done[a] for a in node.args)
        half = _half_of_even(node, args)
        if half and _vector_of(args[0]):
            done[node] = TABLE["pow"](_squares(_vector_of(args[0])), half)
        else:
            done[node] = node if args == node.args else build(node.op, args, node.params)
    return done[root]


def _half_of_even(node: Expr, args: tuple[Expr, ...]) -> int:
    if node.op.name == "square" or (node.op.name == "mul" and args[0] is args[1]):
        return 1
    power = args[1].value if node.op.name == "pow" and args[1].op is CONST else 0
    return int(power) // 2 if power > 0 and power % 2 == 0 else 0


def _vector_of(node: Expr) -> tuple[Expr, ...]:
    """The u₁, u₂, … of a √(u₁² + u₂² + …); nothing for any other node."""
    if node.op.name == "hypot":
        return node.args
    terms, found = list(node.args if node.op.name == "sqrt" else ()), []
    while terms:
        term = terms.pop()
        if term.op.name == "add":
            terms += reversed(term.args)
        elif _half_of_even(term, term.args) == 1:
            found.append(term.args[0])
        else:
            return ()
    return tuple(found)


def _is_zero(expr: Expr, values: dict[Expr, Expr]) -> bool:
    [value] = substitute([expr], values)
    return number(tidy(value)) == 0


# ---------------------------------------------------------------- one variable moves


def _of_one(place: Place, f: Any, order: int, at: Any) -> Differentiability:
    """All other arguments are numbers: the question of one variable."""
    from tangently.smoothness.differing import at_point
    from tangently.smoothness.points import point_of
    from tangently.smoothness.reading import subject_of

    [x] = place.moving
    norms = {r: TABLE["sqrt"](_squares(vector)) for r, vector in place.norms}
    fixed = {e: v for e, v in place.values.items() if e is not x and e not in norms}
    [output] = substitute(substitute(list(place.outputs), norms), fixed)
    p = point_of(place.values[x])
    return at_point(subject_of((output, x), p, p), p, order)


def _squares(vector: Sequence[Expr]) -> Expr:
    total = TABLE["pow"](vector[0], 2)
    for v in vector[1:]:
        total = TABLE["add"](total, TABLE["pow"](v, 2))
    return total


# ---------------------------------------------------------------- active pieces


@dataclass
class Cell:
    """One choice of sides, as far as it is made: the settled nodes, and the slopes that the direction must have."""

    done: dict[Expr, Expr] = field(default_factory=dict)
    slopes: list[np.ndarray] = field(default_factory=list)
    broken: bool = False  # a row breaks at the point


def _active(place: Place) -> tuple[list[list[Expr]], bool, bool]:
    """The outputs as smooth formulas, one list for each active piece; does a row break here, and jump?"""
    known = {x: number(v) for x, v in place.values.items()}
    cells, jumps = [Cell()], False
    for node in toposort(place.outputs):
        if not node.args:
            continue
        following: list[Cell] = []
        for cell in cells:
            parts, jump = _sides(place, known, node, cell)
            following += parts
            jumps |= jump
        cells = following
        if len(cells) > CELLS:
            raise TraceError(f"more than {CELLS} pieces are active at the point; a point with fewer ties was wanted")
    pieces = [[cell.done.get(y, y) for y in place.outputs] for cell in cells]
    return pieces, any(cell.broken for cell in cells), jumps


def _sides(place: Place, known: dict[Expr, Any], node: Expr, cell: Cell) -> tuple[list[Cell], bool]:
    """The cell, split by the sides of the node that directions of it lead to."""
    from tangently.smoothness.cells import chosen_branch

    args = [cell.done.get(a, a) for a in node.args]
    if node.op.breaks is None or chosen_branch(node, args) is not None:
        return [_settled(cell, node, args, ())], False
    parts: list[tuple[Cell, list[float]]] = [(cell, [])]
    jump = False
    for which, u, manner in node.op.breaks(*args):
        split: list[tuple[Cell, list[float]]] = []
        for part, marks in parts:
            found, hit = _marks(place, known, which, u, manner, node, part)
            jump |= manner == "jump" and len(found) > 1
            split += [
                (Cell(dict(part.done), [*part.slopes, *extra], part.broken or hit), [*marks, mark])
                for mark, extra in found
            ]
        parts = split
    return [_settled(part, node, args, marks) for part, marks in parts], jump


def _settled(cell: Cell, node: Expr, args: list[Expr], marks: Sequence[float]) -> Cell:
    from tangently.smoothness.cells import settled_form

    cell.done[node] = settled_form(node, args, marks)
    return cell


def _marks(
    place: Place, known: dict[Expr, Any], which: str, u: Expr, manner: str, node: Expr, cell: Cell
) -> tuple[list[tuple[float, list[np.ndarray]]], bool]:
    """The marks that a break can have near the point, each with the slope that its direction needs; is it here?"""
    extend([u], known)
    held = known[u]
    k = 0 if which == "zero" else (held.unique_fmpz() if held.is_finite() and held.contains_integer() else None)
    if k is None or (which == "pole" and int(k) > 0):
        return [(math.floor(float(held.mid())) + 0.5 if held.is_finite() else 0.5, [])], False
    apart = held - int(k)
    if apart > 0 or apart < 0 or not held.is_finite():
        sign = 1 if apart > 0 or not held.is_finite() else -1
        return [(sign if which == "zero" else int(k) + 0.5 * sign, [])], False
    if manner == "pole":
        raise DomainError(_outside(place, node))
    if manner == "edge":
        return [(1, [])], True
    signs = _by_slope(place, known, u, cell)
    return [(s if which == "zero" else int(k) + 0.5 * s, slopes) for s, slopes in signs], True


def _by_slope(place: Place, known: dict[Expr, Any], u: Expr, cell: Cell) -> list[tuple[int, list[np.ndarray]]]:
    """Both signs, where directions of the cell lead to them. A u without slope is looked at nearby."""
    slope = gradient(place, known, u)
    if not np.any(slope):
        return [(sign, []) for sign in _signs_nearby(place, u, cell)]
    return [(s, [s * slope]) for s in (1, -1) if _program([*cell.slopes, s * slope]) is not None]


def _signs_nearby(place: Place, u: Expr, cell: Cell) -> list[int]:
    """The signs of a u without slope, a little way along directions of the cell; 0 where it is 0 there too."""
    found = {_sign_along(place, u, d) for d in _directions(cell.slopes, len(place.moving))}
    return sorted(found - {0}, reverse=True) or [0]


def _sign_along(place: Place, u: Expr, direction: np.ndarray) -> int:
    known = {x: number(v) for x, v in place.values.items()}
    for x, d in zip(place.moving, direction.tolist()):
        known[x] = known[x] + number(const(d)) / 2**40
    extend([u], known)
    return 1 if known[u] > 0 else (-1 if known[u] < 0 else 0)


def _directions(slopes: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Some directions of a cell, and both axes of each coordinate where no slope is wanted."""
    generic = np.random.default_rng(7).normal(size=(4 * n + 4, n))
    middle = _program(slopes) if slopes else None
    return np.vstack([generic, np.eye(n), -np.eye(n)]) if middle is None else middle + 1e-3 * generic


def _program(slopes: Sequence[np.ndarray]) -> np.ndarray | None:
    """The direction in the cube |dₖ| ≤ 1 that has the largest least slope, if that is positive."""
    if len(slopes) == 1:
        return slopes[0]
    from scipy.optimize import linprog

    n, rows = len(slopes[0]), np.array([s / np.linalg.norm(s) for s in slopes])
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-rows, np.ones((len(rows), 1))]),
        b_ub=np.zeros(len(rows)),
        bounds=[(-1, 1)] * n + [(None, 1)],
    )
    return found.x[:n] if found.status == 0 and found.x[n] > 1e-9 else None


def gradient(place: Place, known: dict[Expr, Any], u: Expr, wrt: Sequence[Expr] | None = None) -> np.ndarray:
    """∇u at the point, in balls; 0 where the ball is about 0."""
    nodes = list(place.moving if wrt is None else wrt)
    parts = pullback([u], [const(1)], nodes)
    extend(parts, known)
    return np.array([nearest_float(known[g]) if known[g].is_finite() else math.nan for g in parts])


def _outside(place: Place, node: Expr) -> str:
    where = ", ".join(f"{x.name} = {to_text(place.values[x])}" for x in place.moving)
    wanted = node.op.domain_text or "a point of its domain"
    return f"{to_text(node)} has no value at {where}; wanted {wanted}. Choose another point"


# ---------------------------------------------------------------- the verdict


def _judged(place: Place, f: Any, at: Any, order: int) -> Differentiability:
    pieces, broken, jumps = _active(place)
    known = {x: number(v) for x, v in place.values.items()}
    extend([y for piece in pieces for y in piece], known)
    values = [[known[y] for y in piece] for piece in pieces]
    if not all(v.is_finite() for row in values for v in row):
        where = ", ".join(f"{x.name} = {to_text(place.values[x])}" for x in place.moving)
        raise DomainError(f"the function has no value at {where}. Choose a point of its domain")
    why = (f"{len(pieces)} smooth piece{'s' * (len(pieces) != 1)} active at the point", *place.notes)
    if jumps and any(not a.overlaps(b) for row in values for a, b in zip(row, values[0])):
        return _result(place, f, at, "discontinuous", None, (*why, "the pieces have different values there"))
    rows = [np.concatenate([gradient(place, known, y) for y in piece]) for piece in pieces]
    if not all(np.isfinite(row).all() for row in rows):
        return _result(place, f, at, "undecided", None, (*why, "a slope has no bound at the point"))
    clarke = hull(rows, _balls(place, known, pieces))
    if not clarke.single:
        return _result(place, f, at, "kink", clarke, (*why, f"Clarke's set is {clarke}"))
    if len(pieces) > 1:
        why = (*why, "all have the same gradient there, so the function is strictly differentiable")
    second = _hessian(place, known, pieces[0]) if order == 2 and len(pieces) == 1 else None
    return _result(place, f, at, "smooth", clarke, why, second, not (broken or place.norms))


def _balls(place: Place, known: dict[Expr, Any], pieces: list[list[Expr]]) -> list[np.ndarray]:
    """c·Jᵀ for each norm that is 0 here, where f moves with it."""
    found = []
    for r, vector in place.norms:
        rates = [np.concatenate([gradient(place, known, y, [r]) for y in piece]) for piece in pieces]
        c = max((rate for rate in rates), key=lambda rate: float(np.abs(rate).max()))
        matrix = np.array([gradient(place, known, u) for u in vector])
        found += [float(rate) * matrix.T for rate in c if rate]
    return found


def _hessian(place: Place, known: dict[Expr, Any], piece: list[Expr]) -> np.ndarray | None:
    if len(piece) != 1:
        return None
    parts = pullback([piece[0]], [const(1)], list(place.moving))
    rows = [gradient(place, known, g) for g in parts]
    return np.array(rows) + 0.0


def _result(
    place: Place, f: Any, at: Any, kind: str, clarke: Clarke | None, why: tuple[str, ...], second: Any = None,
    analytic: bool = False,
) -> Differentiability:  # fmt: skip
    n = len(place.moving)
    pack = (lambda v: place.pack(v)) if place.shape == () else (lambda v: np.reshape(v, (*place.shape, n)))
    least = None if clarke is None else pack(clarke.least_norm)
    known = {x: number(v) for x, v in place.values.items()}
    value, order = _value(place, known), math.inf if analytic else 1.0
    return Differentiability(
        place.shown or place.outputs[0],
        place.moving,
        kind,
        least if kind == "smooth" else None,
        None,
        None,
        "undecided" if kind == "undecided" else "certified",
        why,
        order=order if kind == "smooth" else None,
        second=second,
        subgradient=least,
        clarke=clarke,
        value=value,
        at=at,
        callable=f if callable(f) else None,
    )


def _value(place: Place, known: dict[Expr, Any]) -> Any:
    extend(list(place.outputs), known)
    found = np.array([nearest_float(known[y]) for y in place.outputs])
    return float(found[0]) if place.shape == () else found.reshape(place.shape)


__all__ = ["at_points", "placed"]
