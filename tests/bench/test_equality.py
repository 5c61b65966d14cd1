from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer.bench.equality import (
    compare_neighbors,
    compare_pairs,
    compare_partitions,
    compare_tensors,
    pair_keys,
)


def test_tensors_are_compared_relative_to_their_largest_entry() -> None:
    ours = [torch.tensor(100.0), torch.tensor([1000.0, 1.0])]
    assert compare_tensors(None, ours, [torch.tensor(100.001), ours[1]], 1e-4).equal
    off = compare_tensors(None, ours, [ours[0], torch.tensor([1000.0, 1.5])], 1e-4)
    assert not off.equal and off.relative == pytest.approx(5e-4) and off.what == "gradient 1"
    assert compare_tensors(None, [torch.tensor(-math.inf)], [torch.tensor(-math.inf)], 0.0).equal


@pytest.mark.parametrize("bad", [torch.tensor(math.nan), torch.tensor(math.inf)])
def test_what_is_not_finite_differs(bad: torch.Tensor) -> None:
    assert not compare_tensors(None, [torch.tensor(1.0)], [bad], 0.1).equal


def test_shapes_must_fit() -> None:
    assert not compare_tensors(None, [torch.zeros(2)], [torch.zeros(3)], 1.0).equal


def test_neighbours_may_swap_in_a_tie_but_not_else() -> None:
    points = torch.tensor([[0.0], [1.0], [-1.0], [5.0]])
    ours = torch.tensor([[1], [0], [0], [1]])
    assert compare_neighbors(points, ours, torch.tensor([[2], [0], [0], [1]])).equal
    for row, what in (
        ([3], "distance"),
        ([0], "its own neighbour"),
        ([9], "out of range"),
    ):
        other = torch.tensor([row, [0], [0], [1]])
        found = compare_neighbors(points, ours, other)
        assert not found.equal and what in found.what


def test_a_repeated_neighbour_is_no_neighbour() -> None:
    points = torch.tensor([[0.0], [1.0], [1.0], [1.0]])
    ours = torch.tensor([[1, 2], [2, 3], [1, 3], [1, 2]])
    other = ours.clone()
    other[0] = torch.tensor([1, 1])
    assert "twice" in compare_neighbors(points, ours, other).what


def test_pairs_may_differ_at_the_radius_alone() -> None:
    points = torch.tensor([[0.0], [1.0], [2.5]])
    rows, cols = torch.tensor([0, 1]), torch.tensor([1, 0])
    ours = pair_keys(rows, cols, 3)
    none = pair_keys(rows[:0], cols[:0], 3)
    assert compare_pairs(points, 1.0, ours, none).equal  # at distance 1 exactly
    assert not compare_pairs(points, 1.2, ours, none).equal
    more = pair_keys(torch.tensor([0, 1, 1, 2]), torch.tensor([1, 0, 2, 1]), 3)
    assert not compare_pairs(points, 1.2, ours, more).equal
    assert not compare_pairs(points, 1.2, ours, torch.cat([ours, ours])).equal


def test_partitions_are_equal_whatever_the_labels() -> None:
    ours = torch.tensor([0, 0, 1, 2])
    assert compare_partitions(None, ours, torch.tensor([7, 7, 3, 5]), 0.0).equal
    for other in ([7, 7, 7, 5], [7, 8, 3, 5], [7, 3, 3, 5]):
        assert not compare_partitions(None, ours, torch.tensor(other), 0.0).equal
