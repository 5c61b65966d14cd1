"""Clusters of embedded pixels, and their parts in the image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoinfluencer.condensation.pixel_clusters import (
    cluster_pixels,
    renumbered,
    split_components,
)

pytest.importorskip("sklearn", reason="needs the extra geoinfluencer[baselines]")


def blobs(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three tight blobs, 3 apart, and which point is of which."""
    owner = torch.arange(count) % 3
    centre = 3.0 * torch.eye(3)
    return centre[owner] + 0.05 * torch.randn(count, 3), owner


def same_partition(left: torch.Tensor, right: torch.Tensor) -> bool:
    return bool(((left[:, None] == left) == (right[:, None] == right)).all())


def test_clusters_and_noise() -> None:
    points, owner = blobs(90)
    found = cluster_pixels(torch.cat([points, torch.full((5, 3), 9.0)]))
    assert same_partition(found[:90], owner)
    assert (found[90:] == -1).all()  # five pixels are one too few for a core
    six = cluster_pixels(torch.cat([points, torch.full((6, 3), 9.0)]))
    assert len(six.unique()) == 4 and (six >= 0).all()


def test_of_many_pixels_some_are_clustered_and_the_others_follow() -> None:
    points, owner = blobs(900)
    points = torch.cat([points, torch.full((4, 3), 9.0)])
    found = cluster_pixels(points, max_pixels=60)
    assert same_partition(found[:900], owner) and (found[900:] == -1).all()
    assert torch.equal(found, cluster_pixels(points, max_pixels=60))


def test_of_many_pixels_all_may_be_noise() -> None:
    assert (cluster_pixels(100.0 * torch.randn(50, 4), max_pixels=20) == -1).all()


def test_parts_touch_by_their_sides() -> None:
    label = np.array([[0, 0, -1, 1], [-1, -1, 0, 1], [0, -1, -1, 1]])
    expected = np.array([[0, 0, -1, 1], [-1, -1, 2, 1], [3, -1, -1, 1]])
    assert np.array_equal(split_components(label), expected)
    assert np.array_equal(split_components(np.full((2, 3), -1)), np.full((2, 3), -1))
    assert np.array_equal(split_components(np.array([[4]])), [[0]])


def test_small_ones_are_left_out() -> None:
    label = np.array([[7, 7, 2], [7, -1, 5], [5, 5, 5]])
    assert np.array_equal(renumbered(label, 2), [[0, 0, -1], [0, -1, 1], [1, 1, 1]])
    assert np.array_equal(renumbered(label, 4), [[-1, -1, -1], [-1, -1, 0], [0, 0, 0]])
