"""Attraction by moments against an explicit double loop, its means, and its cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from geoinfluencer.losses.attraction import instance_mean, mean_square_distance
from geoinfluencer.losses.segments import instance_segments

REPOSITORY = Path(__file__).resolve().parents[2]


def double_loop(follower: Tensor, influencer: Tensor, instance: Tensor, weight: Tensor) -> Tensor:
    """Mean squared distance of the followers of j's instance to h_j, pair by pair."""
    rows = []
    for j in range(len(instance)):
        members = [i for i in range(len(instance)) if instance[i] == instance[j]]
        total = sum(weight[i] * (follower[i] - influencer[j]).square().sum() for i in members)
        rows.append(total / sum(weight[i] for i in members))
    return torch.stack(rows)


def test_moments_equal_the_double_loop_in_value_and_gradient() -> None:
    follower = torch.randn(30, 4, dtype=torch.float64, requires_grad=True)
    influencer = torch.randn(30, 4, dtype=torch.float64, requires_grad=True)
    instance = torch.randint(0, 5, (30,))
    weight = torch.rand(30, dtype=torch.float64) + 0.1
    segments = instance_segments(instance, torch.tensor([0, 30]))
    fast = mean_square_distance(follower, influencer, segments, weight)
    slow = double_loop(follower, influencer, instance, weight)
    torch.testing.assert_close(fast, slow)
    probe = torch.randn(30, dtype=torch.float64)
    for ours, theirs in zip(
        torch.autograd.grad(fast @ probe, (follower, influencer)),
        torch.autograd.grad(slow @ probe, (follower, influencer)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("size", "expected"), [(10, 0.16), (100, 0.83), (1000, 0.98)])
def test_geometric_mean_thins_and_the_power_mean_does_not(size: int, expected: float) -> None:
    """One s = 1e-8 among ones: the published mean hardly notices it in a large instance."""
    s = torch.ones(size, dtype=torch.float64)
    s[3] = 1e-8
    segments = instance_segments(torch.zeros(size, dtype=torch.int64), torch.tensor([0, size]))
    weight = torch.ones_like(s)
    means = {
        name: instance_mean(
            s, segments, weight, attraction=name, sharpness=sharpness, epsilon=1e-12
        )[0].item()
        for name, sharpness in (("geometric", 1.0), ("power", 1.0), ("softmin", 20.0))
    }
    assert means["geometric"] == pytest.approx(expected, abs=0.006)
    assert means["power"] == pytest.approx(size * 1e-8, rel=0.01)
    assert means["softmin"] < 0.36


@pytest.mark.parametrize("attraction", ["geometric", "power", "softmin"])
def test_means_lie_between_the_extremes_and_are_s_for_one_member(attraction: str) -> None:
    s = torch.tensor([0.5, 2.0, 8.0, 3.0, 0.0])
    instance = torch.tensor([4, 4, 4, 9, -1])
    segments = instance_segments(instance, torch.tensor([0, 5]))
    mean = instance_mean(s, segments, torch.ones(5), attraction=attraction, sharpness=1.5)
    value = mean[segments.index]
    assert 0.5 < value[0] < 8.0
    assert value[3].item() == pytest.approx(3.0)
    assert value[4] == 0.0


def test_sharpness_leads_from_the_geometric_mean_to_the_minimum() -> None:
    s = torch.rand(50, dtype=torch.float64) + 0.1
    segments = instance_segments(torch.zeros(50, dtype=torch.int64), torch.tensor([0, 50]))
    weight = torch.ones_like(s)

    def mean(attraction: str, sharpness: float) -> float:
        return instance_mean(s, segments, weight, attraction=attraction, sharpness=sharpness)[
            0
        ].item()

    assert mean("power", 1e-6) == pytest.approx(mean("geometric", 1.0), rel=1e-4)
    assert mean("power", 300.0) == pytest.approx(s.min().item(), rel=0.02)
    assert mean("softmin", 1000.0) == pytest.approx(s.min().item(), rel=0.05)


def test_segments_are_per_graph_and_take_any_id() -> None:
    instance = torch.tensor([5, -1, 5, 10**17, 5, -7, 5])
    segments = instance_segments(instance, torch.tensor([0, 4, 4, 7]))
    assert segments.index.tolist() == [1, 0, 1, 2, 4, 3, 4]
    assert segments.slot_graph[:5].tolist() == [0, 0, 0, 2, 2]
    assert segments.is_instance.tolist() == [False, True, True, False, True, False, False]
    assert segments.count.tolist() == [1, 2, 1, 1, 2, 0, 0]
    slots, row = segments.compact()
    assert slots.tolist() == [1, 2, 4]
    assert row.tolist() == [0, -1, 0, 1, 2, -1, 2]


def test_ten_thousand_points_in_instances_of_a_thousand_are_quick_and_small(
    tmp_path: Path,
) -> None:
    """Forward and backward, in a fresh process; the bound on time allows for a busy machine."""
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY), OMP_NUM_THREADS="1")
    arguments = "bench --tasks attraction --points 10000 --dims 8 --peers none --out"
    command = [sys.executable, "-m", "geoinfluencer", *arguments.split(), str(tmp_path)]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    (figures,) = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert figures["median_ms"] < 200
    assert figures["peak_mb"] < 50
