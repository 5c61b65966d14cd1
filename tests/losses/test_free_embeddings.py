"""Free embeddings under the loss find their instances: nothing else tells what its minimum is."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer.condensation import condense
from geoinfluencer.losses import InfluencerLoss


@pytest.mark.parametrize("spread", [1.0, 0.1])
def test_adam_recovers_every_instance_without_duplicates(spread: float) -> None:
    """10 instances of 4..9 nodes and background; spread .1 starts with everything in one ball."""
    generator = torch.Generator().manual_seed(1)
    sizes = torch.randint(4, 10, (10,), generator=generator)
    instance = torch.cat([torch.arange(10).repeat_interleave(sizes), torch.full((7,), -1)])
    embeddings = spread * torch.randn(2, len(instance), 8, generator=generator)
    embeddings.requires_grad_()
    optimizer = torch.optim.Adam([embeddings], lr=0.05)
    loss = InfluencerLoss()
    for _ in range(250):
        optimizer.zero_grad()
        terms = loss(embeddings[0], embeddings[1], instance)
        terms.total.backward()
        optimizer.step()
    found = condense(embeddings[0], embeddings[1], radius=0.5)
    owner = instance[found.influencer]
    assert len(found) == 10 and len(owner.unique()) == 10  # none lost, no duplicate, no fake
    labels = torch.where(found.instance >= 0, owner[found.instance], -1)
    assert (labels == instance).float().mean() > 0.99
    assert terms.total < 0.2
