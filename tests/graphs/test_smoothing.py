"""Smoothing over three pixels along both axes."""

from __future__ import annotations

import numpy as np

from geoinfluencer.graphs.smoothing import smoothed


def test_a_point_spreads_over_its_neighbours() -> None:
    image = np.zeros((5, 6, 2), np.float32)
    image[2, 3] = 16, 32
    found = smoothed(image)
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert found.dtype == np.float32 and found.sum() == 48
    assert np.array_equal(found[1:4, 2:5], kernel[..., None] * [1, 2])
    assert image[2, 3].tolist() == [16, 32]  # what was given stays


def test_the_border_repeats() -> None:
    image = np.zeros((3, 2, 1))
    image[0] = 8
    assert smoothed(image)[..., 0].tolist() == [[6, 6], [2, 2], [0, 0]]
