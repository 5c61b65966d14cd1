"""The published mask form: its formula, and that it prefers the wrong answer."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from geoinfluencer.losses.published_mask import PublishedMaskInfluencerLoss, profile_hinge
from tests.losses.query_batches import graphs_of, ragged_batch

M, K = 400, 10


def answers(background: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Instances of 40 nodes, the correct masks, and the masks in which everyone claims all."""
    instance = torch.arange(40 * K) % (K + background) - int(background)
    right = torch.where(instance[:, None] == torch.arange(M), 14.0, -14.0).double()
    return instance, right, torch.full_like(right, 14.0)


def test_every_query_claiming_everything_scores_lower_than_the_correct_answer() -> None:
    instance, right, everything = answers(background=False)
    loss = PublishedMaskInfluencerLoss()
    assert float(loss(everything, instance).total) == pytest.approx(1 - math.log(M), abs=1e-3)
    assert float(loss(right, instance).total) == pytest.approx(0.0, abs=5e-3)
    # with background the wrong answer pays at most 1 more, and is still the lower by far
    instance, right, everything = answers(background=True)
    assert float(loss(everything, instance).total) < float(loss(right, instance).total) - 3


def test_descent_from_the_correct_answer_leaves_it() -> None:
    # Adam's first steps from confident and correct logits: all claim more and more
    instance, right, _ = answers(background=True)
    logits = (right / 3).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.3)
    loss = PublishedMaskInfluencerLoss()
    for _ in range(60):
        optimizer.zero_grad()
        loss(logits, instance).total.backward()
        optimizer.step()
    claimed = (logits > 0)[instance >= 0]
    assert claimed.double().mean() > 0.9  # of all queries; the truth is 1 / M
    assert claimed.any(0).all()


def test_terms_are_those_of_the_formula() -> None:
    part = graphs_of(ragged_batch(1))[0]
    x, w = part["logits"], part["node_weight"]
    own = [part["instance"] == i for i in part["instance"].unique() if i >= 0]
    log_g = torch.stack([(w[k, None] * x[k].sigmoid().log()).sum(0) / w[k].sum() for k in own])
    temperature, margin = 0.7, 0.4
    terms = PublishedMaskInfluencerLoss(temperature=temperature, margin=margin)(**part)
    attraction = -temperature * (log_g / temperature).exp().sum(1).log()
    torch.testing.assert_close(terms["attraction"], attraction.mean())
    g = log_g.exp()
    distance = (g[:, None] - g).norm(dim=-1)
    pairs = ~torch.eye(len(own), dtype=torch.bool)
    torch.testing.assert_close(terms["repulsion"], (margin - distance[pairs]).clamp(min=0).mean())
    free = part["instance"] < 0
    masks = (w[free, None] * x[free].sigmoid()).sum(0) / w[free].sum()
    torch.testing.assert_close(terms["background"], masks.mean())


def test_equal_profiles_have_a_finite_gradient() -> None:
    profile = torch.full((4, 5), 0.3, requires_grad=True)
    hinge = profile_hinge(profile, torch.tensor([0, 3, 4]), margin=1.0)
    assert float(hinge.detach()) == pytest.approx(0.5)  # the second graph has no pair
    hinge.backward()
    assert profile.grad is not None and torch.isfinite(profile.grad).all()
