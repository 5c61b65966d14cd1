"""Losses: one interface, (outputs, targets) -> named terms."""

from geoinfluencer.losses.discriminative import DiscriminativeLoss, discriminative_terms
from geoinfluencer.losses.influencer import InfluencerLoss
from geoinfluencer.losses.influencer_terms import influencer_loss_terms
from geoinfluencer.losses.object_condensation import (
    ObjectCondensationLoss,
    object_condensation_terms,
)
from geoinfluencer.losses.terms import LossTerms

__all__ = [
    "DiscriminativeLoss",
    "InfluencerLoss",
    "LossTerms",
    "ObjectCondensationLoss",
    "discriminative_terms",
    "influencer_loss_terms",
    "object_condensation_terms",
]
