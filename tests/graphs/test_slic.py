"""The scale of contrast that superpixels are made on."""

from __future__ import annotations

import numpy as np
import pytest

from geoinfluencer.graphs.slic import _spread


def test_spread_is_the_root_of_the_summed_variances() -> None:
    lab = np.array([[[50, 0, 3], [54, 0, 3]], [[50, 6, 3], [54, 6, 3]]], np.float32)
    assert _spread(lab) == pytest.approx(13**0.5)  # variances 4, 9 and 0
    assert _spread(np.full((9, 9, 3), 7.1, np.float32)) < 1e-5
    noise = np.random.default_rng(0).normal(60, 9, (30, 40, 3)).astype(np.float32)
    every = noise.reshape(-1, 3).var(axis=0, dtype=np.float64).sum()
    assert _spread(noise) == pytest.approx(every**0.5, rel=1e-9)
