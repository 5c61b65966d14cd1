"""Hungarian matching on the profiles of exclusive masks: as `mask-influencer`, but matched."""

from __future__ import annotations

from torch import Tensor

from geoinfluencer.losses.assignment import assign_queries
from geoinfluencer.losses.exclusive_sums import exclusive_sums
from geoinfluencer.losses.exclusive_terms import OVERLAP_WEIGHT, exclusive_terms, overlap_factor
from geoinfluencer.losses.mask_loss import MaskLoss
from geoinfluencer.losses.mask_terms import coupled_attraction, instance_mean
from geoinfluencer.losses.object_terms import matched_pairs
from geoinfluencer.losses.query_targets import QueryTargets


class HungarianCELoss(MaskLoss):
    r"""Bipartite matching (as in `"End-to-End Object Detection with Transformers" (Carion et al.,
    ECCV 2020) <https://arxiv.org/abs/2005.12872>`_) on the cross entropy of exclusive masks: the
    same softmax over queries and void as :class:`~geoinfluencer.losses.MaskInfluencerLoss` has, so
    that a comparison with it is one of matching against coupling alone.

    With :math:`\ln g_k[m] = \operatorname{mean}_{i \in k} \ln p_i[m]`, p the softmax of the logits
    and a void of logit 0 (:func:`~geoinfluencer.ops.query_profiles`), and :math:`m_k` the
    assignment with the largest :math:`\sum_k \ln g_k[m_k]`:

    .. math::
        L_\text{attraction} = \operatorname{mean}_k (-\ln g_k[m_k]), \qquad
        L_\text{background} = \operatorname{mean}_{i \in \text{background}} (-\ln p_i[\text{void}])

    per graph, then mean over graphs. An instance for which no query is left is told to be void.
    Overlap, classes and quality: :func:`~geoinfluencer.losses.exclusive_terms.exclusive_terms`.

    Args:
        attraction_weight, overlap_weight, background_weight (float): factors of the terms.
            (default: 1, 3, 1)
        classification_weight, quality_weight (float): factors of the terms. (default: 1, 1)
        max_nodes (int, optional): nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``attraction``, ``overlap`` (unless its factor is 0),
          ``background``, ``classification``, ``quality``

    Raises:
        InputError: shapes or types do not fit, a tensor is not finite (named), or ln g is not
            (named, with its graph).
    """

    def __init__(
        self,
        *,
        attraction_weight: float = 1.0,
        overlap_weight: float = OVERLAP_WEIGHT,
        background_weight: float = 1.0,
        classification_weight: float = 1.0,
        quality_weight: float = 1.0,
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "attraction": attraction_weight,
            **overlap_factor(overlap_weight),
            "background": background_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The terms; meaning as the class says."""
        with_overlap = "overlap" in self.weights
        sums = exclusive_sums(targets, with_claims=with_overlap)
        log_profile, log_void = sums.log_profile, sums.log_void
        match = assign_queries(
            -log_profile.detach(), targets.row_ptr, targets.query_ptr.diff(), name="-ln g"
        )
        share = matched_pairs(match, log_profile.shape[1]).to(log_profile.dtype)
        attraction = coupled_attraction(log_profile, instance_mean(log_void, targets), share)
        return {
            "attraction": targets.mean_over_instances(attraction),
            **exclusive_terms(targets, sums, share, with_overlap=with_overlap),
        }
