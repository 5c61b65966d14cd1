"""The terms of the mask loss against what their formulas say, written with loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses import mask_terms
from geoinfluencer.losses.instance_coupling import couple_instances
from geoinfluencer.losses.query_targets import QueryTargets, query_targets

COUPLING = {"tau": 0.03, "tau_start": 0.3, "max_temperature": 0.3, "iterations": 100}


def batch(scale: float = 1.0) -> QueryTargets:
    """Two graphs with 3 and 2 instances of the same ids and 4 and 3 queries, weights, ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(40, 4, generator=generator, dtype=torch.float64)
    logits[25:, 3:] = -torch.inf
    instance = torch.cat([torch.arange(25) % 4 - 1, torch.arange(15) % 3 - 1])
    return query_targets(
        logits,
        instance,
        ptr=torch.tensor([0, 25, 40]),
        query_ptr=torch.tensor([0, 4, 7]),
        quality_logits=torch.randn(7, generator=generator, dtype=torch.float64),
        class_logits=torch.randn(7, 3, generator=generator, dtype=torch.float64),
        y=torch.where(instance == 1, -1, instance.clamp(min=0)),
        node_weight=torch.rand(40, generator=generator) + 0.5,
        ignore=torch.arange(40) % 7 == 6,
    )


def profiles(targets: QueryTargets) -> tuple[Tensor, Tensor, Tensor]:
    profile, void = ops.query_profiles(
        targets.logits, targets.row, targets.num_instances, targets.weight
    )
    return profile, mask_terms.instance_mean(void, targets), void


@pytest.mark.parametrize("scale", [0.1, 2.0, 30.0])
def test_privacy_is_the_log_probability_that_nobody_else_draws_the_query(scale: float) -> None:
    targets = batch(scale)
    profile, void, _ = profiles(targets)
    found = mask_terms.log_privacy(profile, void, targets)
    claim = torch.cat([profile, void[:, None]], 1)
    for k, graph in enumerate(targets.row_graph.tolist()):
        for m in range(4 if graph == 0 else 3):
            expected = 0.0
            for other in range(targets.num_instances):
                if other == k or targets.row_graph[other] != graph:
                    continue
                rest = torch.cat([claim[other, :m], claim[other, m + 1 :]])
                expected += float(rest.logsumexp(0) - claim[other].logsumexp(0))
            assert float(found[k, m]) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_privacy_keeps_its_gradient_where_void_is_certain() -> None:
    targets = batch()
    profile = torch.full((5, 4), -90.0, requires_grad=True)
    mask_terms.log_privacy(profile, torch.zeros(5), targets).sum().backward()
    assert profile.grad is not None and bool(torch.isfinite(profile.grad).all())


def test_class_cost_weighs_the_queries_by_their_share() -> None:
    targets = batch()
    profile, _, _ = profiles(targets)
    share = couple_instances(profile, targets, **COUPLING)
    found = mask_terms.class_cost(share, targets)
    assert targets.class_logits is not None and targets.instance_class is not None
    assert targets.instance_class.tolist() == [0, -1, 2, 0, -1]
    log_class = targets.class_logits.log_softmax(1)
    for k, (graph, label) in enumerate(
        zip(targets.row_graph.tolist(), targets.instance_class.tolist(), strict=True)
    ):
        rows = log_class[:4] if graph == 0 else log_class[4:]
        expected = -(share[k, : len(rows)] * rows[:, label]).sum() if label >= 0 else 0.0
        assert float(found[k]) == pytest.approx(float(expected))


def test_quality_learns_the_overlap_with_the_coupled_instance() -> None:
    targets = batch()
    share = torch.zeros(5, 4, dtype=torch.float64)
    share[0, 2], share[1, 0], share[2, 1] = 1.0, 0.75, 1.0
    share[3, 1], share[4, 1] = 1.0, 1.0  # two on one query: half of each
    overlap = torch.linspace(0.1, 0.9, 20, dtype=torch.float64).view(5, 4)
    goal = torch.zeros(7, dtype=torch.float64)
    goal[2], goal[0], goal[1] = overlap[0, 2], 0.75 * overlap[1, 0], overlap[2, 1]
    goal[5] = (overlap[3, 1] + overlap[4, 1]) / 2
    assert targets.quality_logits is not None
    p = targets.quality_logits.sigmoid()
    expected = -(goal * p.log() + (1 - goal) * (1 - p).log())
    torch.testing.assert_close(mask_terms.quality_cost(share, overlap, targets), expected)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
def test_annealed_attraction(temperature: float) -> None:
    claim = torch.tensor([[-1.0, -2.0], [-torch.inf, -0.5], [-torch.inf] * 2], requires_grad=True)
    found = mask_terms.annealed_attraction(claim, temperature)
    both = math.exp(-1 / temperature) + math.exp(-2 / temperature)
    assert found.tolist() == pytest.approx([-temperature * math.log(both), 0.5, 0.0])
    found.sum().backward()
    assert claim.grad is not None
    assert claim.grad.sum(1).tolist() == pytest.approx([-1.0, -1.0, 0.0])


def test_coupled_attraction_charges_void_for_what_nobody_serves() -> None:
    profile = torch.tensor([[-1.0, -torch.inf], [-3.0, -4.0]], requires_grad=True)
    void = torch.tensor([-5.0, -6.0], requires_grad=True)
    share = torch.tensor([[1.0, 0.0], [0.25, 0.25]])
    found = mask_terms.coupled_attraction(profile, void, share)
    assert found.tolist() == pytest.approx([1.0, 0.75 + 1.0 + 3.0])
    found.sum().backward()
    assert profile.grad is not None and void.grad is not None
    assert torch.equal(profile.grad, -share)
    assert torch.equal(void.grad, torch.tensor([0.0, -0.5]))


def test_fewer_queries_than_instances_serve_one_instance_each() -> None:
    """Graphs of 5 instances and 3 queries, of 2 and 4, of 4 and none."""
    generator = torch.Generator().manual_seed(2)
    ptr, query_ptr = torch.tensor([0, 50, 70, 90]), torch.tensor([0, 3, 7, 7])
    logits = 4 * torch.randn(90, 4, generator=generator, dtype=torch.float64)
    logits[:50, 3:], logits[70:] = -torch.inf, -torch.inf
    instance = torch.cat([torch.arange(50) % 5, torch.arange(20) % 2, torch.arange(20) % 4])
    targets = query_targets(logits, instance, ptr=ptr, query_ptr=query_ptr)
    profile, _ = ops.query_profiles(targets.logits, targets.row, targets.num_instances)
    share = couple_instances(profile, targets, **COUPLING)
    crowded, roomy, without = share[:5], share[5:7], share[7:]
    assert crowded.sum(0).tolist() == pytest.approx([1, 1, 1, 0], abs=1e-6)
    assert float(crowded.sum(1).max()) < 1.05 and float(crowded.sum(1).min()) < 0.5
    assert roomy.sum(1).tolist() == pytest.approx([1, 1], abs=1e-6)
    assert not without.any()
    # graph by graph it is the same
    alone = query_targets(logits[:50, :3], instance[:50])
    torch.testing.assert_close(couple_instances(profile[:5, :3], alone, **COUPLING), crowded[:, :3])
