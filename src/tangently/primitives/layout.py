"""Layout: rows that move entries about and compute nothing. All are linear in their array operand.

The tangent is the row applied to the tangent; the cotangent is the transposed row: a broadcast becomes a sum, an
index becomes a scatter, a concatenation becomes slices. `index` carries its key as a hashable pattern: integers,
("s", start, stop, step) slices, ("n",) new axes, ("e",) an ellipsis of no axes, and ("a",) for the next integer-array
operand.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.errors import ShapeError
from tangently.expr import CONST, TABLE, Dim, Expr, Primitive, Rule, Shape, Size, Wires, const, is_concrete
from tangently.primitives.kinds import broadcast_to, floating, join, letters, need_numbers, plain, shape_of

Key = tuple[Any, ...]


def linear(name: str, *, transposed: Any, **fields: Any) -> Primitive:
    """A row that is linear in its first operand; the others (indices) carry no derivative."""

    def jvp(p: Key, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
        return None if ts[0] is None else TABLE[name](ts[0], *xs[1:], params=p)

    def vjp(p: Key, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
        return transposed(p, y, xs, g) if i == 0 else None

    fields.setdefault("rules", (Rule("moves entries", r"(\mathrm{move}\,u)' = \mathrm{move}\,u'"),))
    return TABLE.add(Primitive(name=name, kind="layout", jvp=jvp, vjp=vjp, **fields))


def _same(p: Key, node: Expr, i: int) -> Wires:
    """Entry by entry."""
    axes = tuple(range(len(node.shape)))
    return Wires(axes, axes)


def _reshape_wires(p: Key, node: Expr, i: int) -> Wires | None:
    """Axes are matched in groups of equal products; a group of several is tied by a table of flat positions."""
    old, new = node.args[0].shape, node.shape
    left, right = [("x", k) for k in range(len(old))], [("y", k) for k in range(len(new))]
    a, b = ([k for k, n in enumerate(shape) if n != 1] for shape in (old, new))
    if [old[k] for k in a] == [new[k] for k in b]:  # only axes of size 1 come and go
        for j, k in zip(a, b):
            right[k] = left[j]
        return Wires(tuple(left), tuple(right))
    if any(type(n) is not int for n in (*old, *new)) or 0 in old:
        return None
    picks: list[Any] = []
    inner: list[Any] = []
    for a, b in _groups(old, new):
        if len(a) == len(b) == 1:
            right[b[0]] = left[a[0]]
            continue
        label: Any = left[a[0]] if len(a) == 1 else right[b[0]] if len(b) == 1 else ("flat", a[0])
        if label[0] == "flat":
            inner.append((label, math.prod(old[k] for k in a)))
        for axes, side, shape in ((a, left, old), (b, right, new)):
            sizes = [shape[k] for k in axes]
            if len(axes) > 1:
                picks.append((label, tuple(side[k] for k in axes), np.arange(math.prod(sizes)).reshape(sizes)))
    return Wires(tuple(left), tuple(right), tuple(picks), tuple(inner))


def _groups(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """The axes of the two shapes, size 1 left out, in groups whose products agree."""
    a, b = ([k for k, n in enumerate(shape) if n != 1] for shape in (old, new))
    groups = []
    while a or b:
        left, right = [a.pop(0)], [b.pop(0)]
        while (m := math.prod(old[k] for k in left)) != (n := math.prod(new[k] for k in right)):
            (left if m < n else right).append((a if m < n else b).pop(0))
        groups.append((left, right))
    return groups


# ---------------------------------------------------------------- reshape and broadcast


def _infer_reshape(p: Key, x: Expr) -> tuple[Shape, str]:
    (shape,) = p
    if math.prod(shape) != math.prod(x.shape):
        raise ShapeError(f"shape {x.shape} can't be reshaped to {shape}: the number of entries differs")
    return shape, x.dtype


def _reshape_spread(shape: Shape, x: Expr) -> Expr | None:
    """A number spread over one shape is the number spread over the other; two reshapes are one."""
    if x.op.name == "reshape":
        return TABLE["reshape"](x.args[0], params=(shape,))
    spread = x.op.name == "broadcast" and x.args[0].shape == ()
    return broadcast_to(x.args[0] if spread else x, shape) if spread or (x.shape == () and x.op is CONST) else None


reshape_row = linear(
    "reshape",
    arity=1,
    evaluate=lambda p, x: plain(np.reshape(x, p[0])),
    infer=_infer_reshape,
    transposed=lambda p, y, xs, g: TABLE["reshape"](g, params=(shape_of(xs[0]),)),
    wired=_reshape_wires,
    widened=lambda p, node, n: (((*p[0], n),), 1),
    simplify=lambda p, x: x if p[0] == x.shape else _reshape_spread(p[0], x),
    numpy=lambda p, x: f"np.reshape({x}, {p[0]})",
    view=True,
    shown=0,
    calls=("reshape",),
)


def _broadcast(p: Key, x: Any) -> Any:
    shape, axes = p
    spread = [1] * len(shape)
    for axis, size in zip(axes, np.shape(x)):
        spread[axis] = size
    return plain(np.broadcast_to(np.reshape(x, spread), shape))


def _unspread(p: Key, y: Any, xs: Any, g: Any) -> Any:
    shape, axes = p
    spec = letters(len(shape))
    return TABLE["einsum"](g, params=(f"{spec}->{''.join(spec[k] for k in axes)}",))


def _broadcast_source(p: Key, x: str) -> str:
    shape, axes = p
    if not axes or axes == tuple(range(len(shape) - len(axes), len(shape))):
        return f"np.broadcast_to({x}, {shape})"
    slots = ", ".join(":" if k in axes else "None" for k in range(len(shape)))
    return f"np.broadcast_to({x}[{slots}], {shape})"


def _broadcast_twice(p: Key, x: Expr) -> Expr | None:
    if x.op.name != "broadcast":
        return None
    return TABLE["broadcast"](x.args[0], params=(p[0], tuple(p[1][k] for k in x.params[1])))


broadcast_row = linear(
    "broadcast",
    arity=1,
    evaluate=_broadcast,
    infer=lambda p, x: (p[0], x.dtype),
    transposed=_unspread,
    wired=lambda p, node, i: Wires(p[1], tuple(range(len(p[0])))),
    widened=lambda p, node, n: (((*p[0], n), (*p[1], len(p[0]))), 1),
    simplify=lambda p, x: x if x.shape == p[0] else _broadcast_twice(p, x),
    numpy=_broadcast_source,
    view=True,
    shown=0,
    calls=("broadcast_to",),
)


def _no_gradient(p: Key, y: Any, xs: Any, g: Any) -> Any:
    dtype = xs[0].dtype if type(xs[0]) is Expr else np.asarray(xs[0]).dtype.char
    return g if np.dtype(p[0]).kind == "f" and dtype not in "?lqi" else None


_CASTS = {"b": "({0} !== 0)", "i": "Math.trunc({0})", "u": "Math.trunc({0})", "f4": "Math.fround({0})"}
astype = linear(
    "astype",
    arity=1,
    evaluate=lambda p, x: plain(np.asarray(x).astype(p[0])),
    infer=lambda p, x: (x.shape, np.dtype(p[0]).char),
    transposed=_no_gradient,
    wired=_same,
    widened=lambda p, node, n: (p, len(node.args)),
    numpy=lambda p, x: f"np.asarray({x}).astype(np.{np.dtype(p[0]).name})",
    javascript=lambda p, x: _CASTS.get(np.dtype(p[0]).kind if p[0] != "f" else "f4", "Number({0})").format(x),
    shown=0,
    calls=("astype",),
)

# ---------------------------------------------------------------- index and scatter


def key_of(pattern: Key, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """NumPy's key from a pattern and its integer arrays."""
    rest = iter(arrays)
    parts = {
        "s": lambda part: slice(*part[1:]),
        "n": lambda part: None,
        "e": lambda part: Ellipsis,
        "a": lambda part: next(rest),
    }
    return tuple(part if type(part) is int else parts[part[0]](part) for part in pattern)


def key_source(pattern: Key, arrays: Sequence[str]) -> str:
    """The key as a person writes it.

    >>> key_source((0, ("s", 1, None, None)), ())
    '0, 1:'
    """
    rest = iter(arrays)

    def text(part: Any) -> str:
        if type(part) is int:
            return str(part)
        if part[0] == "s":
            start, stop, step = ("" if k is None else str(k) for k in part[1:])
            return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
        return {"n": "None", "e": "..."}.get(part[0]) or next(rest)

    return ", ".join(text(part) for part in pattern) or "()"


def _key_value(pattern: Key, arrays: Sequence[str]) -> str:
    """The key as a value of its own, outside of brackets.

    >>> _key_value((("s", None, None, None), ("a",)), ["k"]), _key_value((("a",), ("a",)), ["j", "k"])
    ('np.s_[:, k]', '(j, k)')
    """
    text = key_source(pattern, arrays)
    if any(type(part) is not int and part[0] == "s" for part in pattern):
        return f"np.s_[{text}]"
    return f"({text})" if len(pattern) > 1 else text


def _infer_index(p: Key, x: Expr, *arrays: Expr) -> tuple[Shape, str]:
    (pattern,) = p
    if not is_concrete(x.shape):
        return _index_sizes(pattern, x.shape), x.dtype
    return _picked(pattern, x.shape, tuple([a.shape for a in arrays])), x.dtype


@functools.lru_cache(4096)
def _picked(pattern: Key, shape: Shape, arrays: tuple[Shape, ...]) -> Shape:
    """The shape of what a key picks: NumPy is asked, of an array without memory."""
    probe = np.broadcast_to(np.int8(0), shape)
    try:
        return probe[key_of(pattern, [np.zeros(a, int) for a in arrays])].shape
    except IndexError as error:
        shown = key_source(pattern, ["…"] * len(arrays))
        raise ShapeError(f"the index [{shown}] does not fit an array of shape {shape}: {error}") from None


def _index_sizes(pattern: Key, shape: Shape) -> Shape:
    """The shape of what a key picks where sizes have names: nothing is taken that might not be there."""
    found: list[Size] = []
    rest = list(shape)
    for part in _whole_key(pattern, shape):
        if type(part) is not int and part[0] == "n":
            found.append(1)
            continue
        size = rest.pop(0)
        if isinstance(part, tuple):
            found.append(_sliced(part, size, shape))
        elif type(size) is int and not -size <= part < size:
            raise ShapeError(f"the index {part} does not fit an axis of size {size} in an array of shape {shape}")
    return tuple(found)


def _whole_key(pattern: Key, shape: Shape) -> Key:
    """The key with a part for each axis; integer arrays are refused."""
    given = sum(type(part) is int or part[0] == "s" for part in pattern)
    if any(type(part) is not int and part[0] == "a" for part in pattern):
        need_numbers(shape, "entries picked by an array of indices")
    if given > len(shape):
        raise ShapeError(f"the index [{key_source(pattern, ())}] does not fit an array of shape {shape}")
    missing = (("s", None, None, None),) * (len(shape) - given)
    at = next((k for k, part in enumerate(pattern) if part == ("e",)), len(pattern))
    return (*pattern[:at], *missing, *pattern[at + 1 :])


def _sliced(part: Key, size: Size, shape: Shape) -> Size:
    """The size of a slice: all of an axis, or a run that lies inside it whatever the named sizes are."""
    _, start, stop, step = part
    if type(size) is int and is_concrete(k for k in part[1:] if k is not None):
        return len(range(*slice(*part[1:]).indices(size)))
    if start is None and stop is None and step in (None, 1, -1):
        return size
    first, last = (0 if start is None else start), (size if stop is None else stop)
    if step not in (None, 1) or not all(_never_negative(k) for k in (first, last - first, size - last)):
        need_numbers(shape, f"the slice {key_source((part,), ())}")
    return last - first


def _never_negative(size: Size) -> bool:
    return all(coefficient >= 0 for _, coefficient in size.terms) if type(size) is Dim else size >= 0


def _index(p: Key, x: Any, *arrays: Any) -> Any:
    return plain(x[key_of(p[0], arrays)])


def _scatter_transposed(p: Key, y: Any, xs: Any, g: Any) -> Any:
    zeros = broadcast_to(const(0.0), shape_of(xs[0])) if type(g) is Expr else np.zeros(shape_of(xs[0]))
    return TABLE["scatter_add"](zeros, g, *xs[1:], params=p)


def _scatter_onto(p: Key, y: Any, xs: Any, g: Any, i: int, total: Any) -> Any:
    """Add into the running total: a loop over the entries of one array stays linear."""
    if type(total) is Expr or type(g) is Expr:
        return TABLE["scatter_add"](total, g, *xs[1:], params=p)
    return add_at(total, key_of(p[0], xs[1:]), g)


def add_at(total: Any, key: Any, g: Any) -> Any:
    """`total[key] += g` in place, repeated indices counted each time."""
    if any(isinstance(part, np.ndarray) for part in key):
        np.add.at(total, key, g)
    else:
        total[key] += g
    return total


def _shown_index(node: Expr) -> Any:
    return ("index", 0, key_source(node.params[0], ["…"] * (len(node.args) - 1)))


def _index_wires(p: Key, shape: Shape, arrays: Sequence[Expr]) -> Wires | None:
    """The labels of an array and of what a key picks from it: each axis a position, a run, or a table of positions."""
    if any(a.op is not CONST for a in arrays) or any(type(n) is not int for n in shape):
        return None
    parts = _spelled_out(p[0], shape)
    tables = [np.asarray(a.value) for a in arrays]
    return _advanced_wires(parts, shape, tables) if arrays else _basic_wires(parts, shape)


def _basic_wires(parts: Key, shape: Shape) -> Wires:
    """Whole numbers, slices and new axes."""
    operand: list[Any] = []
    out: list[Any] = []
    picks: list[Any] = []
    for part in parts:
        k = len(operand)
        if type(part) is int:
            operand.append(("x", k))
            picks.append((("x", k), (), np.asarray(part % shape[k])))
        elif part[0] == "n":
            out.append(("new", len(out)))
        else:
            table = np.arange(shape[k])[slice(*part[1:])]
            whole = len(table) == shape[k] and (len(table) == 0 or table[0] == 0)
            operand.append(("x", k))
            out.append(("x", k) if whole else ("y", k))
            picks += [] if whole else [(("x", k), (("y", k),), table)]
    return Wires(tuple(operand), tuple(out), tuple(picks))


def _spelled_out(pattern: Key, shape: Shape) -> Key:
    """The key with a part for each axis."""
    whole = ("s", None, None, None)
    given = sum(1 for part in pattern if type(part) is int or part[0] in "sa")
    at = next((k for k, part in enumerate(pattern) if type(part) is not int and part[0] == "e"), len(pattern))
    return (*pattern[:at], *[whole] * (len(shape) - given), *pattern[at + 1 :])


def _advanced_wires(parts: Key, shape: Shape, arrays: Sequence[np.ndarray]) -> Wires | None:
    """Arrays of positions, side by side, on leading axes or after slices; whole numbers beside them count as arrays."""
    if any(type(part) is not int and part[0] == "n" for part in parts):
        return None
    at = [k for k, part in enumerate(parts) if type(part) is int or part[0] == "a"]
    if at != list(range(at[0], at[0] + len(at))) or any(a.dtype.kind == "b" for a in arrays):
        return None
    rest = iter(arrays)
    tables = np.broadcast_arrays(*[np.asarray(parts[k]) if type(parts[k]) is int else next(rest) for k in at])
    by = tuple(("q", k) for k in range(tables[0].ndim))
    picks = [(("x", k), by, np.asarray(t) % shape[k]) for k, t in zip(at, tables)]
    before = _basic_wires(parts[: at[0]], shape[: at[0]])
    after = _shifted(_basic_wires(parts[at[-1] + 1 :], shape[at[-1] + 1 :]), at[-1] + 1)
    operand = (*before.operand, *[("x", k) for k in at], *after.operand)
    return Wires(operand, (*before.out, *by, *after.out), (*before.picks, *picks, *after.picks))


def _shifted(wires: Wires, by: int) -> Wires:
    move = lambda label: (label[0], label[1] + by)
    picks = tuple((move(a), tuple(move(b) for b in labels), t) for a, labels, t in wires.picks)
    return Wires(tuple(map(move, wires.operand)), tuple(map(move, wires.out)), picks)


def _scatter_wires(p: Key, node: Expr, i: int) -> Wires | None:
    if i == 0:
        return _same(p, node, i)
    found = _index_wires(p, node.shape, node.args[2:])
    return None if found is None else Wires(found.out, found.operand, found.picks)


def _run(axis: int, ndim: int, start: int, length: int) -> Wires:
    """Wires of an operand that lies in a run of positions along one axis of the result."""
    operand = tuple(("run", k) if k == axis else k for k in range(ndim))
    return Wires(operand, tuple(range(ndim)), ((axis, (("run", axis),), np.arange(start, start + length)),))


def _concatenate_wires(p: Key, node: Expr, i: int) -> Wires | None:
    sizes = [a.shape[p[0]] for a in node.args]
    if any(type(n) is not int for n in sizes):
        return None
    return _run(p[0], len(node.shape), sum(sizes[:i]), sizes[i])


def _stack_wires(p: Key, node: Expr, i: int) -> Wires:
    axes = tuple(range(len(node.shape)))
    return Wires((*axes[: p[0]], *axes[p[0] + 1 :]), axes, ((p[0], (), np.asarray(i)),))


def _pad_wires(p: Key, node: Expr, i: int) -> Wires | None:
    shape = node.args[0].shape
    if any(type(n) is not int for n in shape):
        return None
    axes = range(len(shape))
    picks = tuple((k, (("run", k),), np.arange(p[0][k][0], p[0][k][0] + shape[k])) for k in axes)
    return Wires(tuple(("run", k) for k in axes), tuple(axes), picks)


def _index_of_known(p: Key, x: Expr, *arrays: Expr) -> Expr | None:
    """An entry of a stack is that entry; an entry of a broadcast scalar is the scalar."""
    (pattern,) = p
    if not arrays and x.op.name == "stack" and x.params[0] == 0 and len(pattern) == 1 and type(pattern[0]) is int:
        return x.args[pattern[0]]
    if x.op is broadcast_row and x.args[0].shape == ():
        shape, _ = _infer_index(p, x, *arrays)
        return broadcast_to(x.args[0], shape)
    return None


index = TABLE.add(
    Primitive(
        name="index",
        kind="layout",
        arity=None,
        evaluate=_index,
        infer=_infer_index,
        jvp=lambda p, y, xs, ts: None if ts[0] is None else index(ts[0], *xs[1:], params=p),
        vjp=lambda p, y, xs, g, i: _scatter_transposed(p, y, xs, g) if i == 0 else None,
        accumulate=_scatter_onto,
        simplify=_index_of_known,
        wired=lambda p, node, i: _index_wires(p, node.args[0].shape, node.args[1:]) if i == 0 else None,
        widened=lambda p, node, n: ((_spelled_out(p[0], node.args[0].shape),), 1),
        numpy=lambda p, x, *arrays: f"{x}[{key_source(p[0], arrays)}]",
        view=True,
        shown=_shown_index,
        rules=(Rule("entry of an array", r"(u_i)' = u_i'"),),
        calls=("take",),
    )
)


def _scatter(p: Key, base: Any, update: Any, *arrays: Any) -> Any:
    return add_at(np.array(base, dtype=np.result_type(base, update)), key_of(p[0], arrays), update)


def _scatter_vjp(p: Key, y: Any, xs: Any, g: Any, i: int) -> Any:
    return g if i == 0 else (index(g, *xs[2:], params=p) if i == 1 else None)


def _scatter_jvp(p: Key, y: Any, xs: Any, ts: Any) -> Any:
    if ts[1] is None:
        return ts[0]
    zeros = broadcast_to(const(0.0), shape_of(xs[0])) if type(y) is Expr else np.zeros(shape_of(xs[0]))
    return scatter_add(zeros if ts[0] is None else ts[0], ts[1], *xs[2:], params=p)


scatter_add = TABLE.add(
    Primitive(
        name="scatter_add",
        kind="layout",
        arity=None,
        evaluate=_scatter,
        infer=lambda p, base, update, *arrays: (base.shape, floating(join(base.dtype, update.dtype))),
        jvp=_scatter_jvp,
        vjp=_scatter_vjp,
        wired=_scatter_wires,
        widened=lambda p, node, n: ((_spelled_out(p[0], node.shape),), 2),
        inplace=lambda p, base, update, *arrays: (
            f"np.add.at({base}, {_key_value(p[0], arrays)}, {update})"
            if arrays
            else f"{base}[{key_source(p[0], ())}] += {update}"
        ),
        shown=lambda node: ("apply", "scatter", 1, key_source(node.params[0], ["…"] * (len(node.args) - 2))),
        rules=(Rule("entries put back", r"(\mathrm{put}\,u)' = \mathrm{put}\,u'"),),
    )
)


def _gather_infer(p: Key, x: Expr, where: Expr) -> tuple[Shape, str]:
    return where.shape, x.dtype


def _gather_transposed(p: Key, y: Any, xs: Any, g: Any) -> Any:
    return TABLE["scatter_along"](g, xs[1], params=(p[0], shape_of(xs[0])))


gather = linear(
    "gather",
    arity=2,
    evaluate=lambda p, x, where: np.take_along_axis(x, where, p[0]),
    infer=_gather_infer,
    transposed=_gather_transposed,
    numpy=lambda p, x, where: f"np.take_along_axis({x}, {where}, {p[0]})",
    shown=("apply", "gather", 0, 1),
    rules=(Rule("entries picked along an axis", r"(u_{k})' = u'_{k}"),),
    calls=("take_along_axis",),
)


def scatter_along_axis(x: Any, where: Any, axis: int, shape: Shape) -> Any:
    """The transpose of `np.take_along_axis`: entries added into zeros of `shape`, repeats counted each time."""
    total = np.zeros(shape, np.asarray(x).dtype)
    grid = list(np.ogrid[tuple(slice(n) for n in np.shape(where))])
    grid[axis] = where
    np.add.at(total, tuple(grid), x)
    return total


scatter_along = linear(
    "scatter_along",
    arity=2,
    evaluate=lambda p, x, where: scatter_along_axis(x, where, *p),
    infer=lambda p, x, where: (p[1], x.dtype),
    transposed=lambda p, y, xs, g: gather(g, xs[1], params=(p[0],)),
    numpy=lambda p, x, where: f"scatter_along_axis({x}, {where}, {p[0]}, {p[1]})",
    shown=("apply", "scatter", 0, 1),
)

# ---------------------------------------------------------------- joining


def _slices(ndim: int, axis: int, start: int | None, stop: int | None) -> Key:
    whole = ("s", None, None, None)
    return tuple(("s", start, stop, None) if k == axis else whole for k in range(axis + 1))


def _infer_concatenate(p: Key, *xs: Expr) -> tuple[Shape, str]:
    (axis,) = p
    for x in xs[1:]:
        if x.shape[:axis] + x.shape[axis + 1 :] != xs[0].shape[:axis] + xs[0].shape[axis + 1 :]:
            raise ShapeError(f"shapes {xs[0].shape} and {x.shape} can't be joined along axis {axis}: the rest differs")
    size = sum(x.shape[axis] for x in xs)
    return (*xs[0].shape[:axis], size, *xs[0].shape[axis + 1 :]), join(*[x.dtype for x in xs])


def _concatenate_vjp(p: Key, y: Any, xs: Any, g: Any, i: int) -> Any:
    (axis,) = p
    start = sum(shape_of(x)[axis] for x in xs[:i])
    stop = start + shape_of(xs[i])[axis]
    return index(g, params=(_slices(len(shape_of(g)), axis, start, stop),))


def _dense(ts: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
    return [broadcast_to(const(0.0), shape_of(x)) if t is None else t for t, x in zip(ts, xs)]


concatenate = TABLE.add(
    Primitive(
        name="concatenate",
        kind="layout",
        arity=None,
        evaluate=lambda p, *xs: np.concatenate(xs, axis=p[0]),
        infer=_infer_concatenate,
        jvp=lambda p, y, xs, ts: concatenate(*_dense(ts, xs), params=p),
        vjp=_concatenate_vjp,
        wired=_concatenate_wires,
        widened=lambda p, node, n: (p, len(node.args)),
        numpy=lambda p, *xs: f"np.concatenate(({', '.join(xs)},), axis={p[0]})",
        shown=lambda node: ("apply", "concatenate", *range(len(node.args))),
        rules=(Rule("joined arrays", r"(u, v)' = (u', v')"),),
        calls=("concatenate",),
    )
)


def _infer_stack(p: Key, *xs: Expr) -> tuple[Shape, str]:
    (axis,) = p
    for x in xs[1:]:
        if x.shape != xs[0].shape:
            raise ShapeError(f"shapes {xs[0].shape} and {x.shape} can't be stacked: they must be equal")
    return (*xs[0].shape[:axis], len(xs), *xs[0].shape[axis:]), floating(join(*[x.dtype for x in xs]))


def _stack_vjp(p: Key, y: Any, xs: Any, g: Any, i: int) -> Any:
    whole = ("s", None, None, None)
    return index(g, params=((*[whole] * p[0], i),))


def _stack_source(p: Key, *xs: str) -> str:
    """np.stack with less around it: along a later axis, a concatenation of the operands with that axis added."""
    if p[0] == 0:
        return f"np.array([{', '.join(xs)}])"
    new = ", ".join([":"] * p[0] + ["None"])
    return f"np.concatenate(({', '.join(f'{x}[{new}]' for x in xs)},), axis={p[0]})"


stack = TABLE.add(
    Primitive(
        name="stack",
        kind="layout",
        arity=None,
        evaluate=lambda p, *xs: np.stack(
            [np.asarray(x, float) if type(x) in (int, bool) else x for x in xs], axis=p[0]
        ),
        infer=_infer_stack,
        jvp=lambda p, y, xs, ts: stack(*_dense(ts, xs), params=p),
        vjp=_stack_vjp,
        wired=_stack_wires,
        widened=lambda p, node, n: (p, len(node.args)),
        numpy=_stack_source,
        shown=lambda node: ("matrix", tuple((k,) for k in range(len(node.args)))),
        rules=(Rule("vector of functions", r"(u, v)' = (u', v')"),),
        calls=("stack",),
    )
)


def _pad_key(widths: Sequence[tuple[int, int]], shape: Shape) -> Key:
    return tuple(("s", before, before + n, None) for (before, _after), n in zip(widths, shape))


pad = linear(
    "pad",
    arity=1,
    evaluate=lambda p, x: np.pad(x, p[0]),
    infer=lambda p, x: (tuple(n + before + after for n, (before, after) in zip(x.shape, p[0])), x.dtype),
    transposed=lambda p, y, xs, g: index(g, params=(_pad_key(p[0], shape_of(xs[0])),)),
    wired=_pad_wires,
    widened=lambda p, node, n: (((*p[0], (0, 0)),), 1),
    numpy=lambda p, x: f"np.pad({x}, {p[0]})",
    shown=("apply", "pad", 0),
)


def _reversed(x: Any, axis: int) -> Any:
    return index(x, params=((*[("s", None, None, None)] * axis, ("s", None, None, -1)),))


cumsum = linear(
    "cumsum",
    arity=1,
    evaluate=lambda p, x: np.cumsum(x, axis=p[0]),
    infer=lambda p, x: (x.shape, x.dtype),
    transposed=lambda p, y, xs, g: _reversed(cumsum(_reversed(g, p[0]), params=p), p[0]),
    widened=lambda p, node, n: (p, 1),
    numpy=lambda p, x: f"np.cumsum({x}, axis={p[0]})",
    shown=("apply", "cumsum", 0),
    rules=(Rule("running sum", r"(\sum_{j \le i} u_j)' = \sum_{j \le i} u_j'"),),
    calls=("cumsum",),
)

__all__ = ["add_at", "key_of", "key_source", "scatter_along_axis"]
