from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from geoinfluencer.metrics import BinnedEfficiency, clopper_pearson, wilson


def test_clopper_pearson_solves_its_tail_equations() -> None:
    k, n = np.array([1, 5, 9]), np.array([10, 10, 10])
    low, high = clopper_pearson(k, n, level=0.9)
    np.testing.assert_allclose(binom.sf(k - 1, n, low), 0.05)
    np.testing.assert_allclose(binom.cdf(k, n, high), 0.05)


def test_edges_and_empty_bins() -> None:
    for interval in (clopper_pearson, wilson):
        low, high = interval(np.array([0, 10, 0]), np.array([10, 10, 0]), 0.95)
        assert low[0] == pytest.approx(0) and high[1] == pytest.approx(1)
        assert 0 < high[0] < 0.35 and 0.65 < low[1] < 1
        assert np.isnan(low[2]) and np.isnan(high[2])


def test_wilson_by_hand() -> None:
    # k = 8, n = 10 at 95 %: 0.490 and 0.943 (Wilson 1927, without continuity correction).
    low, high = wilson(np.array([8]), np.array([10]), 0.95)
    np.testing.assert_allclose([low[0], high[0]], [0.4902, 0.9433], atol=1e-4)


def test_exact_interval_covers_and_contains_the_other() -> None:
    p, n = 0.93, 40
    k = np.arange(n + 1)
    low, high = clopper_pearson(k, np.full(n + 1, n), 0.6827)
    covered = binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()
    assert covered >= 0.6827


def test_binned() -> None:
    edges = np.array([0.0, 1.0, 2.0, 3.0])
    values = np.array([0.5, 0.6, 2.0, 3.0, 3.5, -1.0])
    binned = BinnedEfficiency.fill(
        "x", edges, values, np.array([True, False, True, True, True, True])
    )
    assert binned.total.tolist() == [2, 0, 2]
    np.testing.assert_array_equal(binned.efficiency, [0.5, np.nan, 1.0])
    low, high = binned.interval()
    assert low[0] < 0.5 < high[0] and np.isnan(low[1])
