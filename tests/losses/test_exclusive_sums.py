"""Sums of exclusive masks against dense softmaxes, and their gradients."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from geoinfluencer.losses.exclusive_sums import exclusive_dice, exclusive_sums
from geoinfluencer.losses.query_targets import QueryTargets, query_targets
from tests.losses.query_batches import ragged_batch


def dense(logits: torch.Tensor, targets: QueryTargets) -> tuple[torch.Tensor, ...]:
    """ln g of columns that exist, ln p[void], S, P."""
    log_p = torch.cat([logits, logits.new_zeros(len(logits), 1)], 1).log_softmax(1)
    there, weight = torch.isfinite(logits), targets.weight[:, None]
    log_own = torch.where(there, log_p[:, :-1], 0) * weight
    claim = log_p[:, :-1].exp() * weight
    rows = [targets.row == k for k in range(targets.num_instances)]
    profile = torch.stack([log_own[row].sum(0) / weight[row].sum() for row in rows])
    inside = torch.stack([claim[row].sum(0) for row in rows])
    graphs = range(targets.num_graphs)
    total = torch.stack([claim[targets.graph == b].sum(0) for b in graphs])
    return profile, log_p[:, -1], inside, total


@pytest.mark.parametrize("used", [(0, 1, 2, 3), (2, 3), (2,), (0, 1)])
def test_sums_and_gradients_are_those_of_the_softmax(used: tuple[int, ...]) -> None:
    given = query_targets(**ragged_batch())
    logits = given.logits.clone().requires_grad_()
    targets = dataclasses.replace(given, logits=logits)
    sums = exclusive_sums(targets, with_claims=True)
    exists = targets.exists[targets.row_graph]
    found = [torch.where(exists, sums.log_profile, 0), sums.log_void, sums.inside, sums.total]
    expected = dense(logits, targets)
    generator = torch.Generator().manual_seed(3)
    slopes = [torch.randn(e.shape, generator=generator, dtype=e.dtype) for e in expected]
    gradients = []
    for values in (found, expected):
        total = sum((values[n] * slopes[n]).sum() for n in used)
        gradients.append(torch.autograd.grad(total, logits)[0])
    for f, e in zip(found, expected, strict=True):
        torch.testing.assert_close(f, e)
    there = torch.isfinite(given.logits)
    torch.testing.assert_close(gradients[0][there], gradients[1][there])
    assert not gradients[0][~there].any()


def test_claims_are_constants_where_no_gradient_is_wanted() -> None:
    given = query_targets(**ragged_batch())
    targets = dataclasses.replace(given, logits=given.logits.clone().requires_grad_())
    sums = exclusive_sums(targets, with_claims=False)
    assert sums.log_profile.requires_grad and sums.inside is not None
    assert not sums.inside.requires_grad
    torch.testing.assert_close(sums.inside, dense(given.logits, given)[2])
    bare = dataclasses.replace(targets, quality_logits=None)
    assert exclusive_sums(bare, with_claims=False).inside is None


def test_dice_is_0_for_the_instance_alone_and_1_without_overlap() -> None:
    logits = torch.full((5, 2), -30.0)
    logits[:3, 0] = logits[3:, 1] = 30.0
    targets = query_targets(logits, torch.tensor([4, 4, 4, 9, 9]))
    dice = exclusive_dice(targets, exclusive_sums(targets, with_claims=True))
    torch.testing.assert_close(dice, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    half = query_targets(logits, torch.tensor([4, 4, 9, 9, 9]))
    dice = exclusive_dice(half, exclusive_sums(half, with_claims=True))
    torch.testing.assert_close(dice, torch.tensor([[1 - 4 / 5, 1.0], [1 - 2 / 6, 1 - 4 / 5]]))
