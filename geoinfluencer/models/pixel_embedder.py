"""Pixels embedded by a U-Net, for images instead of graphs."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch_geometric.data import Batch

from geoinfluencer.nn.unet import SmallUNet


@dataclass(frozen=True)
class PixelOutputs:
    """What the net says of every pixel."""

    embedding: Tensor  # (B, D, H, W), of length 1 where the model normalises
    foreground: Tensor  # (B, H, W) logit of belonging to an object


class PixelEmbedder(nn.Module):
    """A :class:`~geoinfluencer.nn.unet.SmallUNet` whose channels are an embedding of each pixel,
    and a logit for its belonging to any object at all.

    Whether embeddings are of length 1 is decided here, once: what a loss trains is what is
    clustered later.

    Args:
        embedding_dim: D.
        width, depth: of the U-Net.
        normalise: divide each embedding by its length.

    Shapes:
        batch with ``image`` (B, 3, H, W) -> :class:`PixelOutputs`.
    """

    def __init__(
        self, *, embedding_dim: int = 8, width: int = 16, depth: int = 4, normalise: bool = False
    ) -> None:
        super().__init__()
        self.embedding_dim, self.normalise = embedding_dim, normalise
        self.net = SmallUNet(3, embedding_dim + 1, width=width, depth=depth)

    def forward(self, batch: Batch) -> PixelOutputs:
        """The outputs for the images of a batch."""
        found = self.net(batch.image).float()
        embedding = found[:, : self.embedding_dim]
        if self.normalise:
            embedding = nn.functional.normalize(embedding, dim=1)
        return PixelOutputs(embedding, found[:, -1])
