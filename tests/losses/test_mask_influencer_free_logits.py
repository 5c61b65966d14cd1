"""Free low-rank logits find every instance under the mask loss, in a few steps."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer.losses.mask_influencer import Coupling, MaskInfluencerLoss


def recovered(logits: torch.Tensor, instance: torch.Tensor, instances: int) -> float:
    """Share of the instances that some query meets with IoU > 0.5 after argmax."""
    queries = logits.shape[1]
    claimed = torch.nn.functional.pad(logits, (0, 1)).argmax(1)
    table = torch.zeros(instances + 1, queries + 1)
    table.index_put_((instance + 1, claimed), torch.ones(len(instance)), accumulate=True)
    union = table.sum(1, keepdim=True) + table.sum(0) - table
    iou = (table / union.clamp(min=1))[1:, :queries]
    return float((iou.amax(1) > 0.5).float().mean())


@pytest.mark.parametrize(("coupling", "steps"), [("capacity", 8), ("none", 30)])
@pytest.mark.parametrize(("queries", "instances"), [(20, 10), (60, 10), (60, 40)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_instance_is_found(
    coupling: Coupling, steps: int, queries: int, instances: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    instance = torch.randint(-1, instances, (40 * instances,), generator=generator)
    nodes, query = (
        (0.1 * torch.randn(size, 32, generator=generator)).requires_grad_()
        for size in (40 * instances, queries)
    )
    optimiser = torch.optim.Adam([nodes, query], lr=0.1)
    loss = MaskInfluencerLoss(coupling=coupling)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(nodes @ query.T, instance).total.backward()
        optimiser.step()
    assert recovered((nodes @ query.T).detach(), instance, instances) == 1.0
