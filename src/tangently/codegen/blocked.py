"""A region as a function of the slices from lo to hi, which `in_blocks` calls for one block after the other."""

from __future__ import annotations

from collections.abc import Sequence

from tangently.codegen.blocks import HEAVY, block_rows
from tangently.codegen.body import Body
from tangently.codegen.flat import ATOM, operand
from tangently.codegen.regions import Region, along, axes_of_operands
from tangently.expr import Expr


def write_blocked(body: Body, region: Region, workers: int) -> None:
    """Allocate what outlives the region; define the block's function; run it; add the blocks' parts of sums."""
    writer, lines = body.writer, body.writer.lines
    kept = outliving(body, region)
    sums = [n for n in kept if _is_sum(n, region)]
    size = block_rows(region.width)
    whole = allocate(body, [n for n in kept if n not in sums])
    parts = _allocate_parts(body, sums, -(-region.rows // size))
    head: list[str] = []
    for n, name in whole.items():
        writer.source[n] = (_slice(body, name, n.shape.index(region.rows), head), ATOM)
    for n, name in parts.items():
        writer.source[n] = (f"{name}[lo // {size}]", ATOM)
    body.local, body.stored, body.label, writer.lines = set(region.nodes), set(kept), region.rows, []
    body.earlier = {}
    sliced: dict[tuple[Expr, int], str] = {}
    for n in region.nodes:
        _write_node(body, n, sliced, head)
    inner, writer.lines = writer.lines, lines
    body.local, body.stored, body.label = None, set(), None
    lines += [f"{name} = {text}" for text, name in body.earlier.items()]
    rows = ["rows = hi - lo"] if any("rows" in line for line in inner) else []
    name = writer.fresh("block")
    lines += [f"def {name}(lo, hi):", *[f"    {line}" for line in (*rows, *head, *inner)]]
    lines.append(f"in_blocks({name}, {region.rows}, {size}, {workers if region.work >= HEAVY else 1})")
    for n, name in whole.items():
        writer.source[n] = (name, ATOM)
    for n, name in parts.items():
        writer.source[n] = (writer.fresh(writer.names.get(n) or "t"), ATOM)
        lines.append(f"{writer.source[n][0]} = {name}.sum(axis=0)")


def _is_sum(n: Expr, region: Region) -> bool:
    member = along(n, region.rows)
    return member is not None and member.sums


def _slice(body: Body, text: str, axis: int, head: list[str]) -> str:
    """A name for the block's slices of an array."""
    name = body.writer.fresh(f"{text}_b" if text.isidentifier() else "b")
    head.append(f"{name} = {text}[{', '.join([*[':'] * axis, 'lo:hi'])}]")
    return name


def _write_node(body: Body, n: Expr, sliced: dict[tuple[Expr, int], str], head: list[str]) -> None:
    """One statement, in which operands from outside that are needed by slices stand for their slices of this block."""
    assert body.local is not None
    assert body.label is not None
    source, restored = body.writer.source, {}
    operands = body.operands(n)  # broadcasts may have been dropped
    for a, axis in zip(operands, axes_of_operands(n, body.label, operands)):
        if a in body.local or axis is None or a in restored:
            continue
        text = operand(body.writer, a, ATOM)
        restored[a] = source[a]
        if (a, axis) not in sliced:
            sliced[a, axis] = _slice(body, text, axis, head)
        source[a] = (sliced[a, axis], ATOM)
    body.node(n)
    source.update(restored)


def outliving(body: Body, region: Region) -> list[Expr]:
    """What is needed after the region."""
    inside = set(region.nodes)
    return [n for n in region.nodes if n in body.outputs or any(u not in inside for u in body.users.get(n, ()))]


def allocate(body: Body, nodes: Sequence[Expr]) -> dict[Expr, str]:
    """Names of new arrays for these values."""
    names = {}
    for n in nodes:
        names[n] = body.writer.fresh(body.writer.names.get(n) or "t")
        _empty(body, names[n], n, n.shape)
    return names


def _allocate_parts(body: Body, sums: Sequence[Expr], blocks: int) -> dict[Expr, str]:
    """For each sum over the label, one place a block: added in order, the sum is the same on any number of threads."""
    names = {}
    for n in sums:
        names[n] = body.writer.fresh(f"{body.writer.names.get(n) or 't'}_parts")
        _empty(body, names[n], n, (blocks, *n.shape))
    return names


def _empty(body: Body, name: str, n: Expr, shape: tuple[int, ...]) -> None:
    kind = "" if n.dtype in "dw" else f", {n.dtype!r}"
    body.writer.lines.append(f"{name} = np.empty({shape[0] if len(shape) == 1 else shape}{kind})")


__all__ = ["allocate", "outliving", "write_blocked"]
