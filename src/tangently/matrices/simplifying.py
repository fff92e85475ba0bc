"""Simplifying."""

from __future__ import annotations

from tangently.matrices.notation import Mat


def simplified(m: Mat) -> tuple[Mat, list[str]]:
    return m, []
