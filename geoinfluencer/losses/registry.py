"""The losses on query logits, by the names that they have on the command line."""

from __future__ import annotations

from torch import nn

from geoinfluencer.losses.gm_product import GMProductLoss
from geoinfluencer.losses.hungarian import HungarianLoss
from geoinfluencer.losses.hungarian_ce import HungarianCELoss
from geoinfluencer.losses.mask_influencer import MaskInfluencerLoss
from geoinfluencer.losses.power_softmin import PowerSoftMinLoss
from geoinfluencer.losses.published_mask import PublishedMaskInfluencerLoss
from geoinfluencer.losses.sinkhorn import SinkhornLoss
from geoinfluencer.losses.sinkhorn_ce import SinkhornCELoss

# All are called as loss(logits, instance, batch, ptr=..., ...) and return LossTerms.
MASK_LOSSES: dict[str, type[nn.Module]] = {
    "mask-influencer": MaskInfluencerLoss,
    "hungarian": HungarianLoss,
    "hungarian-ce": HungarianCELoss,
    "sinkhorn": SinkhornLoss,
    "sinkhorn-ce": SinkhornCELoss,
    "power-softmin": PowerSoftMinLoss,
    "gm-product": GMProductLoss,
    "published-mask-influencer": PublishedMaskInfluencerLoss,
}

_SEPARATE_MASKS = ("hungarian", "sinkhorn", "published-mask-influencer")


def decode_of(name: str) -> str:
    """How a loss reads logits, and so how they are decoded: ``"sigmoid"`` where it holds each
    mask for itself, ``"softmax"`` where queries and void exclude each other."""
    return "sigmoid" if name in _SEPARATE_MASKS else "softmax"
