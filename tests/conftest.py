"""What several test files share: the comparison of routes that must agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def agree(got: Any, want: Any, rtol: float = 1e-12, scale: float = 0.0, what: str = "") -> None:
    """Equal to rtol, measured against the largest finite entry (or `scale`); inf and nan in the same places."""
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, wanted {want.shape}"
    finite = np.abs(want[np.isfinite(want)])
    size = max(scale, float(finite.max(initial=0.0)))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * size, err_msg=what)


def within(exact: Any, estimate: Any, what: str = "") -> None:
    """A derivative against differences: no further apart than the error that the differences admit to."""
    exact, value, error = (np.asarray(v, float) for v in (exact, estimate.value, estimate.error))
    assert exact.shape == value.shape, f"{what}: shape {exact.shape}, differences have {value.shape}"
    size = 1 + np.abs(value)
    assert np.all(error < 1e-4 * size), f"{what}: the differences did not converge: {value} ± {error}"
    far = np.abs(exact - value) > 4 * error + 1e-11 * size
    assert not far.any(), f"{what}: {exact} is not the limit of the differences {value} ± {error}"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240607)
