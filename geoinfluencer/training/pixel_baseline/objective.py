"""What the pixel-embedding baseline minimises."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from geoinfluencer.losses import LossTerms
from geoinfluencer.losses.discriminative import DiscriminativeLoss
from geoinfluencer.models.pixel_embedder import PixelOutputs

# Pull and push margin. On the unit sphere no two means are 2 * 1.5 apart; 60 degrees are a distance
# of 1, which leaves clusters of half-width 0.1 a gap wider than DBSCAN's radius of 0.5.
MARGINS = {False: (0.5, 1.5), True: (0.1, 0.5)}


class PixelObjective(nn.Module):
    """The discriminative loss on the pixels of objects, and the binary cross-entropy of which
    pixels those are.

    Args:
        normalise: as of the model: chooses the margins.

    Shapes:
        - **outputs**: of :class:`~geoinfluencer.models.pixel_embedder.PixelEmbedder`
        - **batch**: ``instance`` (B, H, W) int64, -1 = none; ``ignore`` (B, H, W) bool
        - **output**: :class:`LossTerms` ``attraction``, ``repulsion``, ``regularization``,
          ``foreground``
    """

    def __init__(self, *, normalise: bool = False) -> None:
        super().__init__()
        pull, push = MARGINS[normalise]
        self.loss = DiscriminativeLoss(pull_margin=pull, push_margin=push)

    def forward(self, outputs: PixelOutputs, batch: Batch) -> LossTerms:
        """Named terms."""
        counted = ~batch.ignore
        owned = (batch.instance >= 0) & counted
        x = outputs.embedding.permute(0, 2, 3, 1)[owned]  # (N, D)
        if len(x):
            ptr = nn.functional.pad(owned.flatten(1).sum(dim=1).cumsum(0), (1, 0))
            terms: LossTerms = self.loss(x, batch.instance[owned], ptr=ptr)
        else:  # images without objects
            nothing = 0.0 * outputs.embedding.sum()
            names = ("attraction", "repulsion", "regularization")
            terms = LossTerms(dict.fromkeys(names, nothing), self.loss.weights)
        wrong = _cross_entropy(outputs.foreground, owned, counted)
        return LossTerms({**terms, "foreground": wrong}, terms.weights)


def _cross_entropy(logits: Tensor, owned: Tensor, counted: Tensor) -> Tensor:
    each = nn.functional.binary_cross_entropy_with_logits(logits, owned.float(), reduction="none")
    return torch.where(counted, each, 0.0).sum() / counted.sum().clamp(min=1)
