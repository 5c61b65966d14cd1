"""What every model returns for a graph."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from geoinfluencer.nn.pixel_affinity import PixelReader
from geoinfluencer.nn.query_outputs import QueryOutputs


@dataclass
class Outputs:
    """Dense per-node outputs, the hand-over to losses and condensation.

    Attributes:
        follower: (N, D) where a node wants to belong.
        influencer: (N, D) where a node would gather others.
        class_logits: (N, C), or None for class-agnostic models.
        properties: name -> (N, P) regressed quantities, read at the influencers.
        queries: what queries predict, or None for models without any.
        influence: (N,) logits of standing for an instance, or None for models that do not need it.
        pixels: which segments the pixels of the images lean on, or None for models without a stem.
    """

    follower: Tensor
    influencer: Tensor
    class_logits: Tensor | None = None
    properties: dict[str, Tensor] = field(default_factory=dict)
    queries: QueryOutputs | None = None
    influence: Tensor | None = None
    pixels: PixelReader | None = None
