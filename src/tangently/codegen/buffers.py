"""Which values own their memory, and when it is last needed: what a large result may be written into."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tangently.codegen.flat import Writer
from tangently.expr import CONST, INPUT, Expr

BIG = 32_768  # bytes: from here on reusing a buffer beats allocating one


class Buffers:
    """Which values own their memory, and when that memory is last needed (views keep their base alive)."""

    def __init__(self, order: Sequence[Expr], outputs: Sequence[Expr]) -> None:
        self.root: dict[Expr, Expr] = {}
        self.last: dict[Expr, int] = {}
        for k, node in enumerate(order):
            self.root[node] = self.root[node.args[0]] if is_view(node) else node
            for arg in node.args:
                self.last[self.root[arg]] = k
        for node in outputs:
            self.last[self.root[node]] = len(order) + 1

    def owned(self, node: Expr) -> bool:
        return self.root.get(node) is node and node.op not in (INPUT, CONST)

    def fresh_result(self, node: Expr) -> bool:
        root = self.root[node]
        return root.op not in (INPUT, CONST) and not any(n.op.name == "broadcast" for n in (node, root))

    def dies(self, node: Expr, k: int) -> bool:
        return self.last.get(self.root.get(node, node), -1) <= k

    def reusable(self, node: Expr, k: int, writer: Writer, candidates: Sequence[Expr]) -> Expr | None:
        """An operand whose buffer the result may take: large, owned, dead after this, of the same shape and dtype."""
        possible = node.op.ufunc or node.op.overwrite
        if not possible or not is_big(node) or node.op.kind != "elementwise":
            return None
        for arg in candidates:
            known = writer.source.get(arg)
            fits = arg.shape == node.shape and arg.dtype == node.dtype and self.owned(arg) and self.dies(arg, k)
            if fits and known is not None and known[0].isidentifier() and arg.op.kind != "leaf":
                return arg
        return None


def is_big(node: Expr) -> bool:
    return math.prod(node.shape) * 8 >= BIG


def is_view(node: Expr) -> bool:
    """Does the value share memory with its first operand?"""
    view = node.op.view
    return view(node.params) if callable(view) else view
