"""Layout: rows that move entries about and compute nothing. All are linear in their array operand.

The tangent is the row applied to the tangent; the cotangent is the transposed row: a broadcast becomes a sum, an
index becomes a scatter, a concatenation becomes slices. `index` carries its key as a hashable pattern: integers,
("s", start, stop, step) slices, ("n",) new axes, ("e",) an ellipsis of no axes, and ("a",) for the next integer-array
operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangently.errors import ShapeError
from tangently.expr import CONST, TABLE, Expr, Primitive, Rule, Shape, const
from tangently.primitives.kinds import broadcast_to, floating, join, letters, plain, shape_of

Key = tuple[Any, ...]


def linear(name: str, *, transposed: Any, **fields: Any) -> Primitive:
    """A row that is linear in its first operand; the others (indices) carry no derivative."""

    def jvp(p: Key, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
        return None if ts[0] is None else TABLE[name](ts[0], *xs[1:], params=p)

    def vjp(p: Key, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
        return transposed(p, y, xs, g) if i == 0 else None

    fields.setdefault("rules", (Rule("moves entries", r"(\mathrm{move}\,u)' = \mathrm{move}\,u'"),))
    return TABLE.add(Primitive(name=name, kind="layout", jvp=jvp, vjp=vjp, **fields))


# ---------------------------------------------------------------- reshape and broadcast


def _infer_reshape(p: Key, x: Expr) -> tuple[Shape, str]:
    (shape,) = p
    if np.prod(shape, dtype=int) != np.prod(x.shape, dtype=int):
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
    probe = np.broadcast_to(np.int8(0), x.shape)
    try:
        found = probe[key_of(pattern, [np.zeros(a.shape, int) for a in arrays])]
    except IndexError as error:
        shown = key_source(pattern, ["…"] * len(arrays))
        raise ShapeError(f"the index [{shown}] does not fit an array of shape {x.shape}: {error}") from None
    return found.shape, x.dtype


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
    return f"np.array([{', '.join(xs)}])" if p[0] == 0 else f"np.stack(({', '.join(xs)},), axis={p[0]})"


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
    numpy=lambda p, x: f"np.cumsum({x}, axis={p[0]})",
    shown=("apply", "cumsum", 0),
    rules=(Rule("running sum", r"(\sum_{j \le i} u_j)' = \sum_{j \le i} u_j'"),),
    calls=("cumsum",),
)

__all__ = ["add_at", "key_of", "key_source", "scatter_along_axis"]
