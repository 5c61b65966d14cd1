from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses.influence import InfluenceLoss, influence_target

INSTANCE = torch.tensor([0, 0, 0, -1, 0, 0])
PTR = torch.tensor([0, 4, 6])


def embeddings() -> tuple[torch.Tensor, torch.Tensor]:
    follower = torch.tensor([[0.0, 0], [2, 0], [1, 3], [9, 9], [5, 5], [5, 5]])
    influencer = torch.tensor([[1.0, 1], [1, 1.5], [1, 9], [9, 9], [5, 5], [5, 6]])
    return follower, influencer


def test_targets_are_the_gaussian_of_the_distance_to_the_mean_follower() -> None:
    follower, influencer = embeddings()
    target = influence_target(follower, influencer, INSTANCE, PTR, margin=2.0)
    # the means are (1, 1) and (5, 5), sigma is half a margin: 1
    expected = [1.0, math.exp(-0.125), math.exp(-32), 0.0, 1.0, math.exp(-0.5)]
    torch.testing.assert_close(target, torch.tensor(expected))


def test_the_loss_is_zero_at_its_targets_and_moves_the_score_alone() -> None:
    follower, influencer = (tensor.requires_grad_() for tensor in embeddings())
    target = influence_target(follower, influencer, INSTANCE, PTR).clamp(1e-6, 1 - 1e-6)
    influence = torch.logit(target).requires_grad_()
    loss = InfluenceLoss()(influence, follower, influencer, INSTANCE, ptr=PTR)["influence"]
    assert 0 <= loss < 1e-5
    off = (influence.detach() + 1).requires_grad_()
    worse = InfluenceLoss()(off, follower, influencer, INSTANCE, ptr=PTR)["influence"]
    assert worse > 0.01
    worse.backward()
    assert off.grad.abs().sum() > 0 and follower.grad is None and influencer.grad is None


def test_every_graph_counts_the_same_and_the_ignored_not_at_all() -> None:
    follower, influencer = embeddings()
    influence = torch.randn(6)
    loss = InfluenceLoss(weight=3.0)
    both = loss(influence, follower, influencer, INSTANCE, ptr=PTR)
    parts = [
        loss(influence[p], follower[p], influencer[p], INSTANCE[p])["influence"]
        for p in (slice(0, 4), slice(4, 6))
    ]
    torch.testing.assert_close(both["influence"], (parts[0] + parts[1]) / 2)
    torch.testing.assert_close(both.total, 3 * both["influence"])
    ignore = torch.tensor([False] * 5 + [True])
    kept = loss(influence, follower, influencer, INSTANCE, ptr=PTR, ignore=ignore)
    alone = loss(influence[4:5], follower[4:5], influencer[4:5], INSTANCE[4:5])
    torch.testing.assert_close(kept["influence"], (parts[0] + alone["influence"]) / 2)


def test_no_nodes_is_zero_and_bad_input_is_named() -> None:
    nothing = torch.zeros(0, requires_grad=True)
    empty = torch.zeros(0, 2)
    none = torch.zeros(0, dtype=torch.int64)
    loss = InfluenceLoss()(nothing, empty, empty, none, ptr=torch.tensor([0, 0]))
    loss.total.backward()
    assert loss.total == 0
    follower, influencer = embeddings()
    with pytest.raises(InputError, match=r"influence has shape \(6, 1\)"):
        InfluenceLoss()(torch.zeros(6, 1), follower, influencer, INSTANCE)
    with pytest.raises(InputError, match="must both be"):
        InfluenceLoss()(torch.zeros(6), follower, influencer[:, :1], INSTANCE)
    with pytest.raises(InputError, match="influence has 1 of 6 values that are NaN"):
        bad = torch.zeros(6)
        bad[2] = torch.nan
        InfluenceLoss()(bad, follower, influencer, INSTANCE)
    with pytest.raises(InputError, match="margin is 0"):
        InfluenceLoss(margin=0)
