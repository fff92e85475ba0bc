"""How NumPy computes a contraction fastest: the spelling of an einsum whose operands' shapes are known.

A product of two arrays has four kinds of indices: *batch* (kept, and on either operand or both), *rows* (kept, only on
the left), *columns* (kept, only on the right) and *summed* (on both, not kept). Where the result ends in its columns,
it is a stack of matrix products, and NumPy's `@` hands each to BLAS; `np.einsum` has loops of its own, which are
slower by factors. Axes are moved by views, an operand that lacks a batch index gets an axis of size 1 there, and rows
or columns of several axes are merged where they lie side by side, so that one large product replaces many small ones.

A sum along a short axis, or with a short axis behind it, is the reverse case: the inner loop of `np.sum` is that axis
alone, and `np.einsum` is the faster one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tangently.codegen.flat import ATOM
from tangently.expr import Shape
from tangently.primitives.tensor import parts, spelling

SHORT = 64  # entries of an inner loop, below which the work around it is most of the time
FEW = 1_024  # entries of a sum, below which any spelling will do
FLAT = ("outer", "hadamard", "vdot", "matmul")  # spellings of two operands of at most two axes that are best already

Keep = Callable[[str], str]  # a name for a value that is computed once, before the blocks


@dataclass(frozen=True)
class Side:
    """One operand: its text, subscripts and shape, and whether it is the same for every block."""

    text: str
    subscripts: str
    shape: Shape
    fixed: bool = True

    def size(self, c: str) -> int:
        return self.shape[self.subscripts.index(c)]


def contraction(
    spec: str, texts: Sequence[str], shapes: Sequence[Shape],
    fixed: Sequence[bool] = (True, True), label: int | None = None, keep: Keep = str,
) -> tuple[str, int] | None:  # fmt: skip
    """The text of an einsum and its precedence; None where the row's own spelling is best.

    label: the size of the axis that is cut into blocks, where the text stands in one.

    >>> contraction("abc,acde->abde", ["x", "y"], [(5, 3, 4), (5, 4, 6, 7)])
    ('(x @ y.reshape(5, 4, 42)).reshape(5, 3, 6, 7)', 9)
    """
    operands, out = parts(spec)
    found = spelling(spec)
    if len(operands) == 1:
        return _sum(texts[0], operands[0], out, shapes[0]) if found.form == "sum" else None
    if len(operands) != 2 or (found.form in FLAT and all(len(s) < 3 for s in operands)):
        return None
    a, b = map(Side, texts, operands, shapes, fixed)
    return _product(a, b, out, label, keep) if _is_product(*operands, out) else None


def _sum(x: str, subscripts: str, out: str, shape: Shape) -> tuple[str, int] | None:
    """A sum whose inner loop would be short."""
    axes = [k for k, c in enumerate(subscripts) if c not in out]
    rest = math.prod(shape[axes[-1] + 1 :])
    inner = shape[axes[-1]] if axes[-1] == len(shape) - 1 else rest
    if len(axes) != 1 or inner >= SHORT or math.prod(shape) < FEW or len(shape) < 2:
        return None
    return f"np.einsum({f'{subscripts}->{out}'!r}, {x})", ATOM


def _is_product(a: str, b: str, out: str) -> bool:
    """Is every index on one operand once, and kept or on both, with some of them summed?"""
    once = len(set(a)) == len(a) and len(set(b)) == len(b)
    return once and set(out) >= set(a) ^ set(b) and not set(out) >= set(a) & set(b)


def _product(a: Side, b: Side, out: str, label: int | None, keep: Keep) -> tuple[str, int] | None:
    for left, right in ((a, b), (b, a)):
        columns = _tail(out, right.subscripts, left.subscripts)
        if columns:
            return _matmul(left, right, out, columns, label, keep)
    return None


def _tail(out: str, mine: str, other: str) -> str:
    """The last letters of the result that only one operand has."""
    k = len(out)
    while k and out[k - 1] in mine and out[k - 1] not in other:
        k -= 1
    return out[k:]


def _matmul(left: Side, right: Side, out: str, columns: str, label: int | None, keep: Keep) -> tuple[str, int] | None:
    summed = "".join(c for c in right.subscripts if c in left.subscripts and c not in out)
    if not columns or (len(summed) > 1 and not (summed in left.subscripts and summed in right.subscripts)):
        return None
    sizes = {**dict(zip(left.subscripts, left.shape)), **dict(zip(right.subscripts, right.shape))}
    copied = not right.subscripts.endswith(summed + columns)
    if copied and 2 * math.prod(right.shape) > math.prod(sizes[c] for c in out):
        columns = columns[-1]
    rows = _tail(out[: -len(columns)], left.subscripts, right.subscripts)
    if rows + summed not in left.subscripts:
        rows = rows[-1:]
    batch = out[: len(out) - len(rows) - len(columns)]
    first = _laid_out(left, batch, (rows, summed), label)
    second = _laid_out(_compact(right, batch, summed, columns, keep), batch, (summed, columns), label)
    text = f"{first} @ {second}"
    if len(rows) == len(columns) == 1:
        return text, 3
    return f"({text}).reshape({_listed([sizes[c] for c in out], label)})", ATOM


def _laid_out(x: Side, batch: str, groups: tuple[str, str], label: int | None) -> str:
    """The operand with its axes in the order batch, groups; missing batch axes after the first one get size 1."""
    own = "".join(c for c in batch if c in x.subscripts)
    order = own + "".join(groups)
    text = _moved(x, order)
    needed = batch[batch.index(own[0]) :] if own else ""
    dims = [x.size(c) if c in own else 1 for c in needed]
    if all(len(g) == 1 for g in groups):
        spread = f"[{', '.join(':' if c in own else 'None' for c in needed)}]"
        return text if needed == own else f"{text}{spread}"
    cut = [len(g) > 1 and label in [x.size(c) for c in g] for g in groups]  # the block's own number of entries
    merged = [-1 if inside else math.prod(map(x.size, g)) for g, inside in zip(groups, cut)]
    return f"{text}.reshape({_listed([*dims, *merged], label)})"


def _moved(x: Side, order: str) -> str:
    axes = [x.subscripts.index(c) for c in order]
    moved = [k for k, axis in enumerate(axes) if k != axis]
    if not moved:
        return x.text
    if len(axes) == 2:
        return f"{x.text}.T"
    if len(moved) == 2:
        return f"{x.text}.swapaxes({moved[0]}, {moved[1]})"
    return f"{x.text}.transpose({', '.join(map(str, axes))})"


def _compact(x: Side, batch: str, summed: str, columns: str, keep: Keep) -> Side:
    """A stack of small transposed matrices on the right: BLAS is faster on a copy that is not transposed."""
    own = "".join(c for c in batch if c in x.subscripts)
    turned = x.subscripts == own + columns + summed and len(summed) == len(columns) == 1
    if not own or not turned or not x.fixed or max(x.shape[-2:]) > SHORT:
        return x
    order = own + summed + columns
    text = keep(f"np.ascontiguousarray({_moved(x, order)})")
    return Side(text, order, tuple(x.size(c) for c in order))


def _listed(sizes: Sequence[int], label: int | None) -> str:
    return ", ".join("rows" if n == label else str(n) for n in sizes)


__all__ = ["contraction"]
