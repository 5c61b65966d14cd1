"""Losses: outputs and truth of the nodes of a batch -> :class:`LossTerms`.

Each loss names the tensors of a model that it reads: ``follower``, ``influencer``; ``x``; ``x``,
``beta``; ``influence``; and the mask losses (:data:`MASK_LOSSES`) the ``logits`` of queries. What
follows is common to all, and every argument can be passed by its name: ``instance`` (N,), ``batch``
or ``ptr``, ``node_weight``, ``ignore``. All return unweighted terms by name, with their weights and
the total.
"""

from geoinfluencer.losses.denoising import DenoisingLoss
from geoinfluencer.losses.discriminative import DiscriminativeLoss, discriminative_terms
from geoinfluencer.losses.gm_product import GMProductLoss
from geoinfluencer.losses.hungarian import HungarianLoss
from geoinfluencer.losses.hungarian_ce import HungarianCELoss
from geoinfluencer.losses.influence import InfluenceLoss
from geoinfluencer.losses.influencer import InfluencerLoss
from geoinfluencer.losses.influencer_terms import influencer_loss_terms
from geoinfluencer.losses.mask_influencer import MaskInfluencerLoss
from geoinfluencer.losses.mask_loss import MaskLoss
from geoinfluencer.losses.node_sampling import sample_nodes
from geoinfluencer.losses.object_condensation import (
    ObjectCondensationLoss,
    object_condensation_terms,
)
from geoinfluencer.losses.pixel_affinity import pixel_affinity_loss
from geoinfluencer.losses.power_softmin import PowerSoftMinLoss
from geoinfluencer.losses.published_mask import PublishedMaskInfluencerLoss
from geoinfluencer.losses.query_targets import QueryTargets, query_targets
from geoinfluencer.losses.registry import MASK_LOSSES
from geoinfluencer.losses.sinkhorn import SinkhornLoss
from geoinfluencer.losses.sinkhorn_ce import SinkhornCELoss
from geoinfluencer.losses.temperature import TemperatureSchedule
from geoinfluencer.losses.terms import LossTerms

__all__ = [
    "MASK_LOSSES",
    "DenoisingLoss",
    "DiscriminativeLoss",
    "GMProductLoss",
    "HungarianCELoss",
    "HungarianLoss",
    "InfluenceLoss",
    "InfluencerLoss",
    "LossTerms",
    "MaskInfluencerLoss",
    "MaskLoss",
    "ObjectCondensationLoss",
    "PowerSoftMinLoss",
    "PublishedMaskInfluencerLoss",
    "QueryTargets",
    "SinkhornCELoss",
    "SinkhornLoss",
    "TemperatureSchedule",
    "discriminative_terms",
    "influencer_loss_terms",
    "object_condensation_terms",
    "pixel_affinity_loss",
    "query_targets",
    "sample_nodes",
]
