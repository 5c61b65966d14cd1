"""Losses: embeddings and truth of the nodes of a batch -> :class:`LossTerms`.

Each loss names the tensors of a model that it reads (``follower``, ``influencer``; ``x``; ``x``,
``beta``). What follows is common to all, and every argument can be passed by its name: ``instance``
(N,), ``batch`` or ``ptr``, ``node_weight``, ``ignore``. All return unweighted terms by name, with
their weights and the total.
"""

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
