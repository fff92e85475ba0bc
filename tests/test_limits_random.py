"""Limits made by construction: the answers are confirmed by balls, and the engine finds them. None may be wrong.

All ten thousand: `python -m benchmarks.limits --random 10000`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from limits_corpus import confirm, results
from limits_random import corpus, make


def test_the_same_seed_gives_the_same_limit() -> None:
    assert list(corpus(20, 5)) == list(corpus(20, 5))
    assert make(5) != make(6)


def test_kinds_are_mixed() -> None:
    found = list(corpus(400))
    truths = Counter(row.truth if row.truth in ("0", "oo", "-oo", "DNE", "zoo") else "value" for row in found)
    assert len({row.expression for row in found}) > 380
    assert truths["value"] > 120
    assert min(truths[kind] for kind in ("0", "oo", "DNE")) >= 10
    assert {row.direction for row in found} == {"+", "-", "+-"}


@pytest.mark.parametrize("row", list(corpus(60, 50_000)), ids=lambda row: row.id)
def test_constructed_answers_are_confirmed(row) -> None:
    assert confirm(row), str(row)


@pytest.mark.parametrize("route", ["text", "math"])
def test_random_limits(route: str, tmp_path: Path) -> None:
    found = results(route, list(corpus(150, 0 if route == "text" else 150)), tmp_path)
    assert [f"{r.row}: {r.shown}" for r in found if r.verdict in ("wrong", "error")] == []
    assert sum(r.verdict == "undecided" for r in found) <= 0.1 * len(found)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))  # so that several processes share the work
def test_more_random_limits(part: int, tmp_path: Path) -> None:
    found = results("text", list(corpus(150, 10_000 + 150 * part)), tmp_path)
    assert [f"{r.row}: {r.shown}" for r in found if r.verdict == "wrong"] == []
