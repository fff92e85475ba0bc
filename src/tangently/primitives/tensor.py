"""Tensors: einsum and its spellings, extrema along an axis, products.

einsum is *multilinear*: its tangent replaces one operand at a time by its tangent, and its cotangent swaps the output
with an operand. matmul, dot, outer, sum, trace, transpose and diagonal are spellings of it: `spelling` says which one a
subscript string is, and the code, the notation and the evaluation are all read off that. A repeated index in one
operand (trace, diagonal) pulls back through a Kronecker delta; an index that only one operand has is broadcast back.

Extrema are *selections*: at a tie the cotangent is shared evenly (the subgradient of least norm).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangently.errors import ShapeError
from tangently.expr import TABLE, Expr, Primitive, Rule, Shape, Size, const, is_number
from tangently.primitives.kinds import (
    broadcast_shapes,
    broadcast_to,
    count,
    identity,
    join,
    letters,
    need_numbers,
    normalize_axes,
    plain,
    reshape,
    shape_of,
)

Params = tuple[Any, ...]


@functools.cache
def parts(spec: str) -> tuple[tuple[str, ...], str]:
    """The operands' subscripts and the output's.

    >>> parts("ij,jk->ik")
    (('ij', 'jk'), 'ik')
    """
    left, out = spec.split("->")
    return tuple(left.split(",")), out


def sizes_of(spec: str, shapes: Sequence[Shape]) -> dict[str, Size]:
    """The size of every index; raises ShapeError where two operands disagree."""
    operands, _ = parts(spec)
    sizes: dict[str, Size] = {}
    for subscripts, shape in zip(operands, shapes, strict=True):
        if len(subscripts) != len(shape):
            raise ShapeError(f"einsum '{spec}': '{subscripts}' names {len(subscripts)} axes, the array has {shape}")
        for letter, size in zip(subscripts, shape):
            if sizes.setdefault(letter, size) != size:
                both = " and ".join(str(s) for s in shapes)
                raise ShapeError(f"einsum '{spec}': index {letter} is {sizes[letter]} and {size} for shapes {both}")
    return sizes


def _infer(p: Params, *xs: Expr) -> tuple[Shape, str]:
    sizes = sizes_of(p[0], [x.shape for x in xs])
    return tuple(sizes[c] for c in parts(p[0])[1]), join(*[x.dtype for x in xs])


# ---------------------------------------------------------------- spelling


@dataclass(frozen=True)
class Spelling:
    """What NumPy call a subscript string is: `form` and its data (`axes`, or which operands are transposed)."""

    form: str
    axes: tuple[int, ...] = ()
    flips: tuple[bool, bool] = (False, False)


@functools.cache
def spelling(spec: str) -> Spelling:
    """The best-known name of an einsum.

    >>> spelling("ij->ji").form, spelling("ij->i").form, spelling("ij,kj->ik").flips
    ('transpose', 'sum', (False, True))
    """
    operands, out = parts(spec)
    if len(operands) == 1:
        return _spell_one(operands[0], out)
    if len(operands) == 2:
        return _spell_two(operands[0], operands[1], out)
    return Spelling("einsum")


def _spell_one(a: str, out: str) -> Spelling:
    if len(set(a)) < len(a):
        return Spelling("trace") if len(a) == 2 and not out else Spelling("einsum")
    kept = [c for c in a if c in out]
    if kept == list(out):
        return (
            Spelling("sum", tuple(k for k, c in enumerate(a) if c not in out)) if len(a) > len(out) else Spelling("id")
        )
    if len(a) == len(out):
        return Spelling("transpose", tuple(a.index(c) for c in out))
    return Spelling("einsum")


def _spell_two(a: str, b: str, out: str) -> Spelling:
    if len(set(a)) < len(a) or len(set(b)) < len(b):
        return Spelling("einsum")
    shared = [c for c in a if c in b]
    summed = [c for c in shared if c not in out]
    if not summed and "".join(sorted(set(a + b))) == "".join(sorted(out)):
        return _spell_outer(a, b, out, shared)
    if len(summed) == 1 and len(shared) == 1 and set(out) == set(a + b) - set(summed):
        return _spell_matmul(a, b, out, summed[0])
    if summed and not out and set(a) == set(b) == set(summed):
        return Spelling("vdot") if a == b else Spelling("einsum")
    if len(a) == len(b) == len(out) == 3 and len(summed) == 1 and len(shared) == 2:
        return _spell_batched(a, b, out, summed[0])
    return Spelling("einsum")


def _spell_outer(a: str, b: str, out: str, shared: list[str]) -> Spelling:
    if not shared and len(a) == len(b) == 1:
        return Spelling("outer", flips=(out != a + b, False))
    return Spelling("hadamard") if a == b == out else Spelling("einsum")


def _spell_matmul(a: str, b: str, out: str, c: str) -> Spelling:
    if len(a) > 2 or len(b) > 2:
        return _spell_tensordot(a, b, out, c)
    left, right = a.replace(c, ""), b.replace(c, "")
    if out == left + right:
        return Spelling("matmul", flips=(len(a) == 2 and a[0] == c, len(b) == 2 and b[1] == c))
    return Spelling("einsum")


def _spell_tensordot(a: str, b: str, out: str, c: str) -> Spelling:
    if len(b) == 2 and a[-1] == c and out == a[:-1] + b.replace(c, ""):
        return Spelling("matmul", flips=(False, b[1] == c))
    return Spelling("tensordot", (a.index(c), b.index(c))) if out == (a + b).replace(c, "") else Spelling("einsum")


def _spell_batched(a: str, b: str, out: str, c: str) -> Spelling:
    batch = next(k for k in a if k in b and k != c)
    if not (a[0] == b[0] == out[0] == batch):
        return Spelling("einsum")
    left, right = (s.replace(c, "").replace(batch, "") for s in (a, b))
    if out == batch + left + right:
        return Spelling("batched", flips=(a[1] == c, b[2] == c))
    return Spelling("einsum")


def _flip(source: str, flag: bool) -> str:
    return f"{source}.T" if flag else source


def _flip_batch(source: str, flag: bool) -> str:
    return f"{source}.swapaxes(1, 2)" if flag else source


def _axes_source(axes: Sequence[int], ndim: int) -> str:
    if len(axes) == ndim:
        return ""
    return f"axis={axes[0] if len(axes) == 1 else tuple(axes)}"


SOURCES: dict[str, Any] = {
    "id": lambda s, spec, a: a,
    "sum": lambda s, spec, a: f"{a}.sum({_axes_source(s.axes, len(parts(spec)[0][0]))})",
    "transpose": lambda s, spec, a: f"{a}.T" if s.axes == (1, 0) else f"{a}.transpose{s.axes}",
    "trace": lambda s, spec, a: f"np.trace({a})",
    "matmul": lambda s, spec, a, b: f"{_flip(a, s.flips[0])} @ {_flip(b, s.flips[1])}",
    "batched": lambda s, spec, a, b: f"{_flip_batch(a, s.flips[0])} @ {_flip_batch(b, s.flips[1])}",
    "outer": lambda s, spec, a, b: f"np.outer({b}, {a})" if s.flips[0] else f"np.outer({a}, {b})",
    "hadamard": lambda s, spec, a, b: f"{a} * {b}",
    "vdot": lambda s, spec, a, b: f"np.vdot({a}, {b})",
    "tensordot": lambda s, spec, a, b: f"np.tensordot({a}, {b}, axes=({s.axes[0]}, {s.axes[1]}))",
}


def einsum_source(p: Params, *xs: str) -> str:
    """The NumPy spelling of an einsum.

    >>> einsum_source(("ij,kj->ik",), "X", "W")
    'X @ W.T'
    """
    found = spelling(p[0])
    write = SOURCES.get(found.form)
    return write(found, p[0], *xs) if write else f"np.einsum({p[0]!r}, {', '.join(xs)})"


@functools.cache
def _kernel(spec: str) -> Any:
    names = [f"x{k}" for k in range(len(parts(spec)[0]))]
    source = f"lambda {', '.join(names)}: {einsum_source((spec,), *names)}"
    return eval(compile(source, f"<einsum {spec}>", "eval"), {"np": np})


def _evaluate(p: Params, *xs: Any) -> Any:
    sizes_of(p[0], [np.shape(x) for x in xs])
    result = _kernel(p[0])(*[np.asarray(x) for x in xs])
    return plain(result)


def _jvp(p: Params, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
    total = None
    for i, t in enumerate(ts):
        if t is not None:
            term = einsum(*xs[:i], t, *xs[i + 1 :], params=p)
            total = term if total is None else total + term
    return total


def _vjp(p: Params, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
    """Swap the output with operand i; spread an index that only operand i has; a repeated index needs a delta."""
    operands, out = parts(p[0])
    mine = operands[i]
    others = [*operands[:i], *operands[i + 1 :]]
    known = set("".join(others) + out)
    unique = "".join(dict.fromkeys(mine))
    have = "".join(c for c in unique if c in known)
    rest = [*xs[:i], *xs[i + 1 :]]
    small = einsum(*rest, g, params=(f"{','.join([*others, out])}->{have}",))
    return _repeat(_spread(small, have, unique, shape_of(xs[i]), mine), unique, mine, shape_of(xs[i]))


def _spread(x: Any, have: str, want: str, shape: Shape, mine: str) -> Any:
    if have == want:
        return x
    target = tuple(shape[mine.index(c)] for c in want)
    return TABLE["broadcast"](x, params=(target, tuple(want.index(c) for c in have)))


def _repeat(x: Any, unique: str, mine: str, shape: Shape) -> Any:
    """Put the entries of x on the diagonal of the repeated indices."""
    if unique == mine:
        return x
    fresh, deltas, seen = "", [], ""
    for c in mine:
        name = c if c not in seen else letters(52)[-1 - len(fresh)]
        if name != c:
            deltas.append(c + name)
        fresh, seen = fresh + name, seen + c
    delta = identity if type(x) is Expr else np.eye
    eyes = [delta(shape[mine.index(d[0])]) for d in deltas]
    return einsum(x, *eyes, params=(f"{','.join([unique, *deltas])}->{fresh}",))


def _rename(spec: str) -> str:
    """The same einsum with the letters in order of appearance, so that equal contractions are equal nodes."""
    order = dict.fromkeys(c for c in spec if c.isalpha())
    table = dict(zip(order, letters(len(order))))
    return "".join(table.get(c, c) for c in spec)


def _simplify(p: Params, *xs: Expr) -> Expr | None:
    spec = _rename(p[0])
    operands, out = parts(spec)
    if len(xs) == 1 and operands[0] == out:
        return xs[0]
    without = _without_deltas(operands, out, xs)
    if without is not None:
        return without
    if len(xs) == 1 and xs[0].op.name == "broadcast" and xs[0].args[0].shape == ():
        return _sum_of_spread(operands[0], out, xs[0])
    for i, x in enumerate(xs):
        if x.op is einsum and spelling(x.params[0]).form == "transpose":
            inner = parts(x.params[0])
            table = dict(zip(inner[1], operands[i]))
            subscripts = [*operands[:i], "".join(table[c] for c in inner[0][0]), *operands[i + 1 :]]
            return einsum(*xs[:i], x.args[0], *xs[i + 1 :], params=(f"{','.join(subscripts)}->{out}",))
        if x.op.name == "broadcast" and len(xs) > 1 and not _only_here(operands, i):
            _, axes = x.params
            subscripts = [*operands[:i], "".join(operands[i][k] for k in axes), *operands[i + 1 :]]
            return einsum(*xs[:i], x.args[0], *xs[i + 1 :], params=(f"{','.join(subscripts)}->{out}",))
        if x.shape == () and len(xs) > 1:
            rest = [*operands[:i], *operands[i + 1 :]]
            return TABLE["mul"](x, einsum(*xs[:i], *xs[i + 1 :], params=(f"{','.join(rest)}->{out}",)))
    if len(xs) == 2 and spelling(spec).form == "einsum":
        swapped = _rename(f"{operands[1]},{operands[0]}->{out}")
        if spelling(swapped).form != "einsum":
            return einsum(xs[1], xs[0], params=(swapped,))
    return einsum(*xs, params=(spec,)) if spec != p[0] else None


def _without_deltas(operands: Sequence[str], out: str, xs: Sequence[Expr]) -> Expr | None:
    """A Kronecker delta that is summed over renames an index; one inside an operand is first taken out of it."""
    for i, x in enumerate(xs):
        if x.op.name == "identity":
            found = _rename_by_delta(operands, out, xs, i)
        elif x.op is einsum and any(a.op.name == "identity" for a in x.args):
            found = _unwrap_deltas(operands, out, xs, i)
        elif x.op.name in ("mul", "neg") and _scales_delta(x):
            moved = [a if a.shape == () else einsum(*xs[:i], a, *xs[i + 1 :], params=(f"{','.join(operands)}->{out}",))
                     for a in x.args]  # fmt: skip
            found = x.op(*moved)
        else:
            continue
        if found is not None:
            return found
    return None


def _scales_delta(x: Expr) -> bool:
    """A number times, or the negative of, a node that holds a delta."""
    *_, inner = sorted(x.args, key=lambda a: len(a.shape))
    holds = inner.op.name == "identity" or (inner.op is einsum and any(a.op.name == "identity" for a in inner.args))
    return holds and sum(a.shape != () for a in x.args) == 1


def _rename_by_delta(operands: Sequence[str], out: str, xs: Sequence[Expr], i: int) -> Expr | None:
    """Σⱼ δᵢⱼ uⱼ = uᵢ. An index that is left without operand counts its size, or spreads the result along it."""
    a, b = operands[i]
    gone, stays = (a, b) if a not in out else (b, a)
    rest = [*xs[:i], *xs[i + 1 :]]
    if (gone in out and a != b) or (rest and join(*[x.dtype for x in rest]) not in "wnefdg"):
        return None
    named = [s.replace(gone, stays) for s in (*operands[:i], *operands[i + 1 :])]
    have = "".join(c for c in out if c in "".join(named))
    total = einsum(*rest, params=(f"{','.join(named)}->{have}",)) if rest else const(1.0)
    if stays not in out and stays not in "".join(named):
        total = TABLE["mul"](count(xs[i].shape[:1]), total)
    if have == out:
        return total
    sizes = sizes_of(f"{','.join(operands)}->{out}", [x.shape for x in xs])
    target = tuple(sizes[c] for c in out)
    return TABLE["broadcast"](total, params=(target, tuple(out.index(c) for c in have)))


def _unwrap_deltas(operands: Sequence[str], out: str, xs: Sequence[Expr], i: int) -> Expr | None:
    """An operand diag(v) = v·δ whose delta is summed over here: v and δ become operands of their own."""
    inside, kept_out = parts(xs[i].params[0])
    table = dict(zip(kept_out, operands[i]))
    pairs = [s for s, a in zip(inside, xs[i].args) if a.op.name == "identity"]
    if not all(c in table for s in pairs for c in s):
        return None
    if all(table[a] != table[b] and table[a] in out and table[b] in out for a, b in pairs):
        return None
    core = [(s, a) for s, a in zip(inside, xs[i].args) if a.op.name != "identity"]
    have = "".join(c for c in kept_out if c in "".join(s for s, _ in core))
    new = [(have, einsum(*[a for _, a in core], params=(f"{','.join(s for s, _ in core)}->{have}",)))] if core else []
    new += [(s, a) for s, a in zip(inside, xs[i].args) if a.op.name == "identity"]
    subscripts = [*operands[:i], *["".join(table[c] for c in s) for s, _ in new], *operands[i + 1 :]]
    return einsum(*xs[:i], *[a for _, a in new], *xs[i + 1 :], params=(f"{','.join(subscripts)}->{out}",))


def _sum_of_spread(subscripts: str, out: str, x: Expr) -> Expr:
    """The sum of a number spread over an array is the number times the count."""
    sizes = dict(zip(subscripts, x.shape))
    times = count(tuple(n for c, n in sizes.items() if c not in out))
    total = x.args[0] if is_number(times, 1) else TABLE["mul"](times, x.args[0])
    return broadcast_to(total, tuple(sizes[c] for c in out))


def _only_here(operands: Sequence[str], i: int) -> bool:
    """Does operand i have an index that no other operand has? Then its broadcast can't be dropped."""
    return not set(operands[i]) <= set("".join([*operands[:i], *operands[i + 1 :]]))


def _shown(node: Expr) -> Any:
    spec = node.params[0]
    found = spelling(spec)
    flip = lambda k: ("transpose", k) if found.flips[k] else k
    ndims = [len(s) for s in parts(spec)[0]]
    forms = {
        "id": lambda: 0,
        "sum": lambda: (
            ("big", "∑", None, 0) if not node.shape else ("apply", "sum", 0, _axes_source(found.axes, ndims[0]))
        ),
        "transpose": lambda: ("transpose", 0) if found.axes == (1, 0) else ("apply", "transpose", 0, str(found.axes)),
        "trace": lambda: ("fn", "tr", 0),
        "matmul": lambda: ("matmul", ("transpose", 0) if ndims[0] == 1 else flip(0), flip(1)),
        "batched": lambda: ("matmul", flip(0), flip(1)),
        "outer": lambda: ("matmul", 1, ("transpose", 0)) if found.flips[0] else ("matmul", 0, ("transpose", 1)),
        "hadamard": lambda: ("hadamard", 0, 1),
        "vdot": lambda: ("fence", "⟨", ("row", 0, ", ", 1), "⟩"),
    }
    return forms[found.form]() if found.form in forms else ("einsum", spec, *range(len(node.args)))


def _is_view(p: Params) -> bool:
    """NumPy gives a view where one operand's entries are only picked or reordered: transpose, diagonal."""
    operands, out = parts(p[0])
    return len(operands) == 1 and set(operands[0]) == set(out)


einsum = TABLE.add(
    Primitive(
        name="einsum",
        kind="multilinear",
        arity=None,
        evaluate=_evaluate,
        infer=_infer,
        jvp=_jvp,
        vjp=_vjp,
        simplify=_simplify,
        numpy=einsum_source,
        view=_is_view,
        shown=_shown,
        rules=(
            Rule("linear map", r"(A u)' = A u'", None),
            Rule("product rule", r"(U V)' = U' V + U V'", (True, True)),
        ),
        calls=("einsum",),
    )
)

# ---------------------------------------------------------------- reductions


def _reduced(p: Params, x: Expr) -> tuple[Shape, str]:
    axes, keep = p
    dims = enumerate(x.shape)
    return tuple(1 if k in axes else n for k, n in dims if keep or k not in axes), x.dtype


def kept(x: Any, axes: Sequence[int], shape: Shape) -> Any:
    """x, reduced over `axes` of an array of `shape`, with those axes back as size 1."""
    return reshape(x, tuple(1 if k in axes else n for k, n in enumerate(shape)))


def sum_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes, as an einsum."""
    shape = shape_of(x)
    axes = normalize_axes(axis, len(shape))
    if not axes:
        return x
    spec = letters(len(shape))
    total = einsum(x, params=(f"{spec}->{''.join(c for k, c in enumerate(spec) if k not in axes)}",))
    return kept(total, axes, shape) if keepdims else total


def _axis_arguments(p: Params, ndim_known: bool = True) -> str:
    axes, keep = p
    text = f"axis={axes[0] if len(axes) == 1 else axes}"
    return f"{text}, keepdims=True" if keep else text


def reduction(name: str, numpy: str, *, jvp: Any, vjp: Any, shown: str, rule: Rule, **fields: Any) -> Primitive:
    """A row that reduces over axes; params are (axes, keepdims)."""
    call = getattr(np, numpy)

    def evaluate(p: Params, x: Any) -> Any:
        return plain(call(np.asarray(x), axis=p[0], keepdims=p[1]))

    return TABLE.add(
        Primitive(
            name=name,
            kind="selection",
            arity=1,
            evaluate=evaluate,
            infer=fields.pop("infer", _reduced),
            jvp=jvp,
            vjp=vjp,
            numpy=lambda p, x: f"{x}.{fields.get('method', numpy)}({_axis_arguments(p)})",
            shown=lambda node: ("apply", shown, 0),
            rules=(rule,),
            **{k: v for k, v in fields.items() if k != "method"},
        )
    )


def _winners(p: Params, y: Any, x: Any) -> Any:
    """1/k at each of the k entries that attain the extremum, 0 elsewhere."""
    axes, _ = p
    hit = TABLE["where"](TABLE["eq"](x, kept(y, axes, shape_of(x))), 1.0, 0.0)
    return hit / sum_of(hit, axes, keepdims=True)


def _extremum_jvp(p: Params, y: Any, xs: Any, ts: Any) -> Any:
    return sum_of(_winners(p, y, xs[0]) * ts[0], p[0], keepdims=p[1])


def _extremum_vjp(p: Params, y: Any, xs: Any, g: Any, i: int) -> Any:
    return _winners(p, y, xs[0]) * kept(g, p[0], shape_of(xs[0]))


def _tied(p: Params, y: Any, x: Any) -> Any:
    return (np.asarray(x) == np.reshape(y, kept_shape(p[0], np.shape(x)))).sum(axis=p[0]) > 1


def kept_shape(axes: Sequence[int], shape: Shape) -> Shape:
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def _extremum(name: str, numpy: str, method: str, shown: str) -> Primitive:
    return reduction(
        name,
        numpy,
        method=method,
        jvp=_extremum_jvp,
        vjp=_extremum_vjp,
        shown=shown,
        rule=Rule(f"{shown}imum of entries", rf"(\{shown}_k u_k)' = u_m' \text{{ at the winning entry }} m"),
        kink=lambda p, x: _tied(p, getattr(np, numpy)(x, axis=p[0], keepdims=p[1]), x),
        calls=(numpy, method),
    )


amax = _extremum("amax", "amax", "max", "max")
amin = _extremum("amin", "amin", "min", "min")


def _rest_products(x: Any, axis: int) -> Any:
    """The product of the other entries along an axis, right also where entries are zero: prefixes times suffixes."""
    need_numbers(shape_of(x), "the derivative of a product of entries")
    n = shape_of(x)[axis]
    whole = ("s", None, None, None)
    take = lambda k: TABLE["index"](x, params=((*[whole] * axis, k),))
    ones = broadcast_to(const(1.0) if type(x) is Expr else 1.0, (*shape_of(x)[:axis], *shape_of(x)[axis + 1 :]))
    before, after = [ones], [ones]
    for k in range(n - 1):
        before.append(before[-1] * take(k))
        after.append(after[-1] * take(n - 1 - k))
    return TABLE["stack"](*[b * a for b, a in zip(before, reversed(after))], params=(axis,))


def _rest(axes: Sequence[int], x: Any) -> Any:
    """The product of the other entries over the reduced axes, which are merged into one for it."""
    if len(axes) == 1:
        return _rest_products(x, axes[0])
    shape = shape_of(x)
    lead = [k for k in range(len(shape)) if k not in axes]
    order = [*lead, *axes]
    merged = reshape(transpose(x, order), (*[shape[k] for k in lead], math.prod(shape[k] for k in axes)))
    rest = reshape(_rest_products(merged, len(lead)), tuple(shape[k] for k in order))
    return transpose(rest, [order.index(k) for k in range(len(shape))])


prod = reduction(
    "prod",
    "prod",
    jvp=lambda p, y, xs, ts: sum_of(_rest(p[0], xs[0]) * ts[0], p[0], keepdims=p[1]),
    vjp=lambda p, y, xs, g, i: _rest(p[0], xs[0]) * kept(g, p[0], shape_of(xs[0])),
    shown="∏",
    rule=Rule("product of entries", r"(\prod_k u_k)' = \sum_k u_k' \prod_{j \ne k} u_j"),
    calls=("prod",),
)


def position(name: str, numpy: str) -> Primitive:
    """A row whose value is an index: constant almost everywhere, so without a derivative. params (axis, keepdims)."""
    call = getattr(np, numpy)
    sorts = numpy == "argsort"
    return TABLE.add(
        Primitive(
            name=name,
            kind="selection",
            arity=1,
            evaluate=lambda p, x: plain(call(np.asarray(x), axis=p[0])),
            infer=lambda p, x: (x.shape if sorts else tuple(n for k, n in enumerate(x.shape) if k != p[0]), "l"),
            jvp=lambda p, y, xs, ts: None,
            vjp=lambda p, y, xs, g, i: None,
            numpy=lambda p, x: f"np.{numpy}({x}, axis={p[0]})",
            shown=("apply", name, 0),
            rules=(Rule("an index does not vary", r"(\arg\max u)' = 0"),),
            calls=(numpy,),
        )
    )


argmax = position("argmax", "argmax")
argmin = position("argmin", "argmin")
argsort = position("argsort", "argsort")


def matmul(a: Any, b: Any) -> Any:
    """NumPy's `@` as an einsum, stacks of matrices broadcast."""
    na, nb = len(shape_of(a)), len(shape_of(b))
    if na == 0 or nb == 0:
        raise ShapeError("@ was given a number: it multiplies arrays; for a number use *")
    left, right = shape_of(a)[-1], shape_of(b)[-2] if nb > 1 else shape_of(b)[0]
    if left != right:
        raise ShapeError(
            f"A @ B: shapes {shape_of(a)} and {shape_of(b)} do not conform: {left} columns meet {right} rows"
        )
    stack = max(na, nb) - 2
    if stack > 0 and na > 1 and nb > 1 and nb > 2:
        a, b = _same_stack(a, b)
        na = nb = len(shape_of(a))
    batch = letters(max(na - 2, 0))
    rows, cols = ("y" if na > 1 else ""), ("z" if nb > 1 else "")
    lead_b = batch if nb > 2 and na > 2 else letters(max(nb - 2, 0))
    lead = batch or lead_b
    return einsum(a, b, params=(f"{batch}{rows}x,{lead_b}x{cols}->{lead}{rows}{cols}",))


def _same_stack(a: Any, b: Any) -> tuple[Any, Any]:
    lead = broadcast_shapes(shape_of(a)[:-2], shape_of(b)[:-2])
    return broadcast_to(a, (*lead, *shape_of(a)[-2:])), broadcast_to(b, (*lead, *shape_of(b)[-2:]))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """NumPy's `transpose` as an einsum."""
    spec = letters(len(shape_of(x)))
    order = [k % len(spec) for k in axes] if axes is not None else range(len(spec))[::-1]
    return einsum(x, params=(f"{spec}->{''.join(spec[k] for k in order)}",))


def dot(a: Any, b: Any) -> Any:
    """NumPy's `dot`: numbers multiply, otherwise the last axis of a meets the second-last of b."""
    na, nb = len(shape_of(a)), len(shape_of(b))
    return a * b if na == 0 or nb == 0 else (matmul(a, b) if nb <= 2 else tensordot(a, b, ((na - 1,), (nb - 2,))))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """NumPy's `tensordot` as an einsum."""
    na, nb = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, int):
        axes = (tuple(range(na - axes, na)), tuple(range(axes)))
    mine, theirs = (list(np.atleast_1d(k) % n) for k, n in zip(axes, (na, nb)))
    left, right = list(letters(na)), list(letters(nb, na))
    for j, k in zip(mine, theirs):
        right[k] = left[j]
    kept_letters = [c for k, c in enumerate(left) if k not in mine] + [
        c for k, c in enumerate(right) if k not in theirs
    ]
    return einsum(a, b, params=(f"{''.join(left)},{''.join(right)}->{''.join(kept_letters)}",))
