"""Farthest-point sampling against its twin and against what greedy means."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("trial", range(28))
def test_equals_the_twin(make_case, trial, dtype):
    case = make_case(trial, dtype, largest=400)
    points = case.x
    if trial % 4 == 1 and len(points):
        points[len(points) // 2] = float("nan")
    arguments = {"count": 60, "ptr": case.x_ptr} if trial % 2 else {"ratio": 0.6}
    index = ops.farthest_point_sampling(points, **arguments)
    with native.forced_off():
        assert torch.equal(index, ops.farthest_point_sampling(points, **arguments))


@pytest.mark.usefixtures("needs_native")
def test_many_points_and_threads(rng):
    points = torch.randn(20_000, 3, generator=rng)
    ptr = torch.tensor([0, 9000, 9000, 20_000])
    torch.set_num_threads(2)
    index = ops.farthest_point_sampling(points, 100, ptr=ptr)
    torch.set_num_threads(1)
    assert torch.equal(index, ops.farthest_point_sampling(points, 100, ptr=ptr))
    with native.forced_off():
        assert torch.equal(index, ops.farthest_point_sampling(points, 100, ptr=ptr))


@pytest.mark.usefixtures("backend")
def test_each_sample_is_the_farthest(rng):
    points = torch.randn(80, 4, generator=rng)
    index = ops.farthest_point_sampling(points, 20)
    assert index[0] == 0
    for k in range(1, 20):
        distance = torch.cdist(points, points[index[:k]]).amin(1)
        assert distance[index[k]] >= distance.max() - 1e-5


@pytest.mark.usefixtures("backend")
def test_ties_go_to_the_smallest_row_and_no_row_comes_twice():
    points = torch.tensor([[0.0], [1.0], [-1.0], [1.0], [0.0]])
    assert ops.farthest_point_sampling(points, 9).tolist() == [0, 1, 2, 3, 4]
    assert ops.farthest_point_sampling(torch.ones(5, 2), 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("backend")
def test_points_that_are_not_finite_come_last():
    points = torch.tensor([[0.0], [torch.nan], [3.0], [torch.inf], [1.0]])
    assert ops.farthest_point_sampling(points, 5).tolist() == [0, 2, 4, 1, 3]
    start = torch.tensor([1])
    assert ops.farthest_point_sampling(points, 5, start=start).tolist() == [1, 0, 2, 4, 3]


@pytest.mark.usefixtures("backend")
def test_starts_and_sizes(rng):
    points = torch.randn(10, 2, generator=rng)
    batch = torch.tensor([0] * 3 + [2] * 7)
    by_batch = ops.farthest_point_sampling(points, ratio=0.5, batch=batch)
    assert len(by_batch) == 2 + 4 and by_batch[0] == 0 and by_batch[2] == 3
    ptr = torch.tensor([0, 3, 3, 10])
    start = torch.tensor([2, 0, 9])
    started = ops.farthest_point_sampling(points, 2, ptr=ptr, start=start)
    assert started[[0, 2]].tolist() == [2, 9]
    seeded = [ops.farthest_point_sampling(points, 4, ptr=ptr, seed=s) for s in range(8)]
    assert torch.equal(seeded[3], ops.farthest_point_sampling(points, 4, ptr=ptr, seed=3))
    assert len({s[3].item() for s in seeded}) > 1
    assert all(((s[3:] >= 3) & (s[3:] < 10)).all() for s in seeded)
    assert ops.farthest_point_sampling(points[:0], 4).shape == (0,)
    assert ops.farthest_point_sampling(points, 0).shape == (0,)
    strided = points.repeat(1, 2)[::2, 1:3]
    dense = ops.farthest_point_sampling(strided.contiguous(), 4)
    assert torch.equal(ops.farthest_point_sampling(strided, 4), dense)


X = torch.zeros(4, 2)
WRONG = {
    "neither": (lambda: ops.farthest_point_sampling(X), "either count or ratio"),
    "both": (lambda: ops.farthest_point_sampling(X, 2, ratio=0.5), "either count or ratio"),
    "ratio": (lambda: ops.farthest_point_sampling(X, ratio=1.5), r"ratio must be .*1.5"),
    "count": (lambda: ops.farthest_point_sampling(X, -1), "count must be at least 0, got -1"),
    "start": (
        lambda: ops.farthest_point_sampling(X, 1, start=torch.tensor([4])),
        "start of graph 0 must be a row in 0..3, got 4",
    ),
    "start size": (
        lambda: ops.farthest_point_sampling(X, 1, start=torch.tensor([0, 1])),
        r"start must be a tensor of shape \(1,\)",
    ),
    "start and seed": (
        lambda: ops.farthest_point_sampling(X, 1, start=torch.tensor([0]), seed=1),
        "start and seed were both given",
    ),
    "batch size": (
        lambda: ops.farthest_point_sampling(X, 1, batch=torch.tensor([0])),
        r"batch must be a tensor of shape \(4,\)",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_message(name):
    call, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        call()


def test_a_ratio_is_not_rounded_up_by_a_rounding_error() -> None:
    points = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    assert len(ops.farthest_point_sampling(points, ratio=0.07)) == 7
