"""The structure of a Hessian in words: what it is in symbols (the caller's), and how few numbers it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tangently.structured.blocks import (
    Batched,
    Block,
    Congruence,
    Contracted,
    Crossed,
    Dense,
    Diagonal,
    Kronecker,
    LowRank,
    Outer,
    Placed,
    Scaled,
    Shape,
    Sparse,
)

DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def numbers(shape: Shape, terms: Sequence[Block], words: str) -> str:
    """The line that `Structured.structure` shows.

    >>> import numpy as np
    >>> numbers((1000,), [Diagonal(np.ones(1000))], "")
    'diagonal: 1000 numbers instead of 1000×1000'
    >>> numbers((3,), [Dense(np.eye(3))], "A + Aᵀ"), numbers((3,), [Dense(np.eye(3))], "")
    ('A + Aᵀ: dense 3×3', 'dense: no structure found')
    """
    n = math.prod(shape)
    if any(isinstance(t, Dense | Contracted) for t in terms):
        return f"{words}: dense {n}×{n}" if words else "dense: no structure found"
    name, count = _described(shape, terms)
    return f"{words or name}: {count}" if count else words or name


def _described(shape: Shape, terms: Sequence[Block]) -> tuple[str, str]:
    """A name where there are no symbols, and the numbers."""
    n, kinds = math.prod(shape), {type(t) for t in terms}
    whole = f"{n}×{n}"
    if not terms:
        return "zero", whole
    if kinds == {Scaled}:
        return "multiple of the identity", f"1 number instead of {whole}"
    if kinds <= {Diagonal, Scaled}:
        return "diagonal", f"{n} numbers instead of {whole}"
    if kinds <= {Sparse, Diagonal, Scaled}:
        return "sparse", _sparse(n, terms)
    rank = sum(_rank(t) for t in terms)
    if kinds <= {Outer, LowRank, Diagonal, Scaled}:
        diagonal = bool(kinds & {Diagonal, Scaled})
        name = "diagonal plus low rank" if diagonal else "low rank"
        return name, f"{'diagonal plus ' if diagonal else ''}rank {rank}"
    return _mixed(shape, terms, whole)


def _rank(term: Any) -> int:
    return 1 if isinstance(term, Outer) else min(term.U.shape[1], term.V.shape[1]) if isinstance(term, LowRank) else 0


def _sparse(n: int, terms: Sequence[Block]) -> str:
    """With one pattern the count is exact; the diagonal adds at most its own places."""
    patterns = [t.pattern for t in terms if isinstance(t, Sparse)]
    count = sum(p.count for p in patterns)
    if len(patterns) < len(terms) or len(patterns) > 1:
        import numpy as np

        own = [p.places for p in patterns] + ([np.arange(n) * (n + 1)] if len(patterns) < len(terms) else [])
        count = len(np.unique(np.concatenate(own)))
    return f"{count} of {large(n * n)} entries, bandwidth {max(p.bandwidth for p in patterns)}"


def large(number: int) -> str:
    """A power of ten as such, where it is a long one.

    >>> large(10**10), large(2500)
    ('10¹⁰', '2500')
    """
    digits = str(number)
    is_power = len(digits) > 6 and digits.strip("0") == "1"
    return f"10{str(len(digits) - 1).translate(DIGITS)}" if is_power else digits


def _mixed(shape: Shape, terms: Sequence[Block], whole: str) -> tuple[str, str]:
    names, parts = zip(*(_part(shape, t) for t in terms))
    unique, listed = dict.fromkeys(names), dict.fromkeys(p for p in parts if p)
    if all(isinstance(t, Congruence) for t in terms):
        return "Aᵀ diag(s) A", " and ".join(listed)
    return " plus ".join(unique), f"{' and '.join(listed)} instead of {whole}"


def _part(shape: Shape, term: Block) -> tuple[str, str]:
    if isinstance(term, Kronecker):
        sizes = [f"{s}×{s}" for s, m in zip(shape, term.matrices) if m is not None]
        return "Kronecker product", " and ".join(sizes) or "1 number"
    if isinstance(term, Crossed):
        return "crossed product", " and ".join("×".join(map(str, m.shape)) for m in term.matrices)
    if isinstance(term, Batched):
        count = math.prod(shape[a] for a in term.axes)
        size = math.prod(shape) // max(count, 1)
        return "block diagonal", f"{count} blocks of {size}×{size}"
    if isinstance(term, Congruence):
        return "Aᵀ diag(s) B", f"{term.A.shape[0]}×{term.A.shape[1]} factor"
    if isinstance(term, Placed):
        return "blocks", "{}×{} block at ({}, {})".format(*term.block.extent(term.shape), term.row, term.col)
    if isinstance(term, Outer | LowRank):
        return "low rank", f"rank {_rank(term)}"
    if isinstance(term, Sparse):
        return "sparse", f"{term.pattern.count} entries"
    return ("multiple of the identity", "1 number") if isinstance(term, Scaled) else ("diagonal", "a diagonal")
