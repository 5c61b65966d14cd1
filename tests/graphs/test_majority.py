from __future__ import annotations

import numpy as np

from geoinfluencer.graphs.majority import segment_majority


def test_most_frequent_label_the_smaller_of_equal_ones() -> None:
    segment = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    label = np.array([4, 4, -1, 2, 7, 7, 2, -1])
    assert segment_majority(segment, label, 3).tolist() == [4, 2, -1]
    assert segment_majority(segment, -label, 3).tolist() == [-4, -7, 1]


def test_empty_segments_and_no_points() -> None:
    assert segment_majority(np.array([1, 3, 3]), np.array([5, 6, 6]), 5).tolist() == [0, 5, 0, 6, 0]
    assert segment_majority(np.empty(0, int), np.empty(0, int), 0).shape == (0,)


def test_equals_counting() -> None:
    rng = np.random.default_rng(0)
    segment, label = rng.integers(0, 40, 600), rng.integers(0, 6, 600).astype(np.int32)
    table = np.zeros((40, 6), int)
    np.add.at(table, (segment, label), 1)
    assert np.array_equal(segment_majority(segment, label, 40), table.argmax(1))
