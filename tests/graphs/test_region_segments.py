"""Regions of one colour."""

from __future__ import annotations

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.images import image_to_graph
from geoinfluencer.graphs.region_segments import region_segments


def panes() -> tuple[np.ndarray, np.ndarray]:
    """A grey wall with a bright pane and a dark one, and which is which."""
    which = np.zeros((30, 40), np.int64)
    which[5:20, 4:18], which[8:28, 24:36] = 1, 2
    return np.array([110, 230, 20], np.uint8)[which], which


def test_regions_of_one_colour_are_found_whole() -> None:
    image, which = panes()
    found = image_to_graph(image, "felzenszwalb", n_segments=100, scale=30.0)
    label = found.segment_map.numpy().reshape(which.shape)
    for k in range(3):  # but for a rim that smoothing blurs
        inner = which == k
        inner[1:-1, 1:-1] &= (
            (which[2:, 1:-1] == k) & (which[:-2, 1:-1] == k)
            & (which[1:-1, 2:] == k) & (which[1:-1, :-2] == k)
        )  # fmt: skip
        ids, count = np.unique(label[inner], return_counts=True)
        assert count.max() / count.sum() > 0.9, (k, ids, count)
    largest = [np.bincount(label[which == k]).argmax() for k in range(3)]
    assert len(set(largest)) == 3
    assert found.num_nodes < 30 and int(found.mass.sum()) == 1200


def test_scale_and_least_area() -> None:
    rng = np.random.default_rng(0)
    lab = rng.normal(50, 10, (24, 30, 3)).astype(np.float32)
    counts = [region_segments(lab, scale=s).max() + 1 for s in (1.0, 20.0, 1e6)]
    assert counts[0] > counts[1] > counts[2] == 1
    label = region_segments(lab, scale=1.0, min_size=6)
    assert np.bincount(label.reshape(-1)).min() >= 6
    assert label.dtype == np.int64 and set(np.unique(label)) == set(range(label.max() + 1))


def test_bad_scale() -> None:
    with pytest.raises(InputError, match="scale"):
        image_to_graph(panes()[0], "felzenszwalb", scale=-1.0)
