"""What all losses have in common, whatever tensors of a model they read."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from geoinfluencer.losses import (
    DiscriminativeLoss,
    InfluencerLoss,
    LossTerms,
    ObjectCondensationLoss,
)

X = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
LOSSES: list[tuple[nn.Module, dict[str, Tensor]]] = [
    (InfluencerLoss(), {"follower": X, "influencer": X + 0.1}),
    (DiscriminativeLoss(), {"x": X}),
    (ObjectCondensationLoss(), {"x": X, "beta": torch.linspace(0.1, 0.9, 8)}),
]


@pytest.mark.parametrize(("loss", "read"), LOSSES, ids=lambda value: type(value).__name__)
def test_common_arguments_by_name_and_terms_with_weights(
    loss: nn.Module, read: dict[str, Tensor]
) -> None:
    common = {
        "instance": torch.tensor([0, 0, 1, 1, 0, 0, -1, 1]),
        "node_weight": torch.ones(8),
        "ignore": torch.tensor([False] * 7 + [True]),
    }
    by_batch = loss(**read, **common, batch=torch.tensor([0] * 4 + [1] * 4))
    by_ptr = loss(**read, **common, ptr=torch.tensor([0, 4, 8]))
    assert isinstance(by_batch, LossTerms) and by_batch.weights.keys() == by_batch.keys()
    assert all(value.dim() == 0 for value in by_batch.values())
    assert {"attraction", "repulsion"} <= by_batch.keys()
    assert all(torch.equal(by_batch[name], by_ptr[name]) for name in by_batch)
