"""Greedy suppression against the naive loop."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops


def greedy(points: Tensor, score: Tensor, radius: float, ptr: Tensor) -> Tensor:
    """The definition, one point at a time."""
    keep = torch.zeros(len(points), dtype=torch.bool)
    for low, high in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        for i in sorted(range(low, high), key=lambda i: (-score[i].item(), i)):
            kept = [j for j in range(low, high) if keep[j]]
            near = [bool((points[i] - points[j]).square().sum() <= radius**2) for j in kept]
            keep[i] = not any(near)
    return keep


@pytest.mark.parametrize("trial", range(12))
def test_greedy_loop(make_case, backend, trial):
    case = make_case(trial, torch.float64, largest=40)
    rng = torch.Generator().manual_seed(trial)
    score = torch.randint(0, 6, (len(case.x),), generator=rng).double()
    keep = ops.suppress(case.x, score, case.radius, ptr=case.x_ptr)
    assert torch.equal(keep, greedy(case.x, score, case.radius, case.x_ptr))


def test_one_of_coincident_points_survives(backend):
    points = torch.ones(20000, 4)
    score = torch.arange(20000) % 777
    keep = ops.suppress(points, score, 0.1)
    assert keep.nonzero().flatten().tolist() == [776]


def test_radius_zero_removes_duplicates_only(backend):
    points = torch.tensor([[0.0], [0.0], [1e-3], [2.0]])
    keep = ops.suppress(points, torch.tensor([1.0, 2.0, 3.0, 4.0]), 0.0)
    assert keep.tolist() == [False, True, True, True]


def test_scores_may_be_integer_and_infinite(backend):
    points = torch.zeros(3, 2)
    assert ops.suppress(points, torch.tensor([5, 7, 7]), 1.0).tolist() == [False, True, False]
    score = torch.tensor([-torch.inf, torch.inf, 0.0])
    assert ops.suppress(points, score, 1.0).tolist() == [False, True, False]


def test_graphs_do_not_suppress_each_other(backend):
    keep = ops.suppress(torch.zeros(4, 2), torch.ones(4), 1.0, ptr=torch.tensor([0, 2, 2, 4]))
    assert keep.tolist() == [True, False, True, False]


def test_empty(backend):
    assert ops.suppress(torch.zeros(0, 3), torch.zeros(0), 1.0).shape == (0,)


def test_not_finite_points_stand_alone(backend):
    points = torch.tensor([[0.0], [float("nan")], [0.0]])
    assert ops.suppress(points, torch.tensor([1.0, 9.0, 2.0]), 1.0).tolist() == [False, True, True]
