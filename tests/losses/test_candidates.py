"""A subset of influencers in the repulsions: the best always, the rest by an unbiased draw."""

from __future__ import annotations

import torch

from geoinfluencer.losses import InfluencerLoss
from geoinfluencer.losses.candidates import choose_influencers
from geoinfluencer.losses.segments import instance_segments

INSTANCE = torch.tensor([0] * 10 + [1] * 3 + [-1] * 4)[torch.randperm(17)]
SEGMENTS = instance_segments(INSTANCE, torch.tensor([0, 17]))


def test_best_and_background_are_always_chosen_and_counts_are_right() -> None:
    s = torch.rand(17)
    chosen, weight = choose_influencers(SEGMENTS, s, 2)
    ids = INSTANCE[chosen]
    assert (ids == -1).sum() == 4 and (ids == 0).sum() == 4 and (ids == 1).sum() == 3
    for k in (0, 1):
        members = (k == INSTANCE).nonzero()[:, 0]
        best = members[s[members].argsort()[:2]]
        assert set(best.tolist()) <= set(chosen.tolist())
        # the drawn ones stand for all the others
        assert weight[ids == k].sum() == len(members)
    assert torch.equal(chosen, chosen.sort().values)


def test_as_many_as_there_are_is_the_full_loss() -> None:
    f, h = torch.rand(2, 17, 3)
    full = InfluencerLoss()(f, h, INSTANCE)
    subset = InfluencerLoss(influencers_per_instance=10)(f, h, INSTANCE)
    for name, value in full.items():
        torch.testing.assert_close(subset[name], value)


def test_expectation_of_the_follower_repulsion_is_the_full_one() -> None:
    f, h = torch.rand(2, 17, 3)
    full = InfluencerLoss(normalizer="nodes")(f, h, INSTANCE)["repulsion"]
    loss = InfluencerLoss(normalizer="nodes", influencers_per_instance=1)
    draws = torch.stack([loss(f, h, INSTANCE)["repulsion"] for _ in range(300)])
    error = draws.std() / len(draws) ** 0.5
    assert abs(draws.mean() - full) < 5 * error


def test_every_normaliser_estimates_the_full_one_in_a_crowd() -> None:
    """The number of active pairs is scaled up as the sums are."""
    f, h = 0.2 * torch.rand(2, 400, 3)
    instance = torch.arange(400) // 20
    for normalizer in ("balanced", "active", "nodes", "pairs"):
        full = InfluencerLoss(normalizer=normalizer)(f, h, instance)
        part = InfluencerLoss(normalizer=normalizer, influencers_per_instance=2)(f, h, instance)
        for name in ("repulsion", "influencer_repulsion"):
            assert abs(part[name] / full[name] - 1) < 0.1
