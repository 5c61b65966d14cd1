"""The mask form of the Influencer Loss as published: for the record, because it degenerates."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.mask_loss import MaskLoss, check_factors, check_positive
from geoinfluencer.losses.object_terms import claimed_share, class_term, object_term
from geoinfluencer.losses.query_targets import QueryTargets


def sigmoid_profiles(targets: QueryTargets) -> Tensor:
    """Mean log-sigmoid of every query over the nodes of each instance, (K, M); -inf: no query."""
    valid = targets.exists[targets.row_graph]
    present = torch.isfinite(targets.logits)
    log_mask = torch.nn.functional.logsigmoid(torch.where(present, targets.logits, 0))
    count = targets.num_instances
    row = torch.where(targets.row >= 0, targets.row, count)
    total = ops.segment_sum(targets.weight[:, None] * log_mask, row, count + 1)[:count]
    return torch.where(valid, total / targets.size[:, None], -torch.inf)


def profile_hinge(profile: Tensor, row_ptr: Tensor, margin: float) -> Tensor:
    """Mean over ordered pairs of rows of a graph of max(0, margin - |g_k - g_l|), then over graphs.

    O(K^2) memory and O(K^2 M) time. A graph with fewer than two rows counts 0.

    Shapes:
        profile (K, M), row_ptr (B+1,) -> ().
    """
    sizes = row_ptr.diff().tolist()
    total = profile.new_zeros(())
    for block in profile.split(sizes):
        pairs = block.shape[0] * (block.shape[0] - 1)
        if pairs:
            # exact differences: equal profiles are the case that matters
            distance = torch.cdist(block, block, compute_mode="donot_use_mm_for_euclid_dist")
            # a row is no pair with itself: each of these counts exactly the margin
            hinge = (margin - distance).clamp(min=0).sum() - margin * block.shape[0]
            total = total + hinge / pairs
    return total / max(len(sizes), 1)


class PublishedMaskInfluencerLoss(MaskLoss):
    r"""The mask form of the Influencer Loss as published in `InfluencerFormer (Murnane)
    <https://github.com/murnanedaniel/InfluencerFormer>`_, which carries the geometric means of
    `"Influencer Loss" (Murnane, EPJ Web Conf. 295, 09016, 2024)
    <https://doi.org/10.1051/epjconf/202429509016>`_ over to a matrix of sigmoid masks.

    With :math:`\ln g_k[m] = \operatorname{mean}_{i \in k} \ln \sigma(x_{im})`:

    .. math::
        L_\text{attraction} &= \operatorname{mean}_k \left(-T \ln \sum_m g_k[m]^{1/T}\right) \\
        L_\text{repulsion} &= \operatorname{mean}_{k \ne l} \max(0, \delta - |g_k - g_l|) \\
        L_\text{background} &= \operatorname{mean}_{i \in \text{background}} \operatorname{mean}_m
            \sigma(x_{im})

    per graph, then mean over graphs. **It is degenerate**: masks do not exclude each other, so with
    every query claiming every node the attraction is :math:`-T \ln M` while the hinge costs no more
    than :math:`\delta` and the background no more than 1. At M = 400, K = 10 that is -4.99 without
    background, and the correct answer about 0. It is here for the record; use
    :class:`~geoinfluencer.losses.MaskInfluencerLoss`.

    The source adds :math:`10^{-6}` in the logarithm, and leaves the background out of its criterion
    on batches; here the log-sigmoid is exact and the background counts. Classes and existence are
    taught by the attraction's own weights :math:`\operatorname{softmax}_m
    (\ln g_k[m] / T)`.

    Args:
        temperature (float): T. (default: 1.0)
        margin (float): delta. (default: 1.0)
        attraction_weight, repulsion_weight, background_weight (float): (default: 1, 1, 1)
        classification_weight, quality_weight (float): (default: 1, 1)
        no_object_weight (float): weight in the existence term of what no instance claims.
            (default: 0.1)
        max_nodes (int, optional): nodes to draw from a graph that has more. (default: all)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``attraction``, ``repulsion``, ``background``,
          ``classification``, ``quality``

    Raises:
        InputError: shapes or types do not fit, or a tensor is not finite (named).
    """

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        margin: float = 1.0,
        attraction_weight: float = 1.0,
        repulsion_weight: float = 1.0,
        background_weight: float = 1.0,
        classification_weight: float = 1.0,
        quality_weight: float = 1.0,
        no_object_weight: float = 0.1,
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "attraction": attraction_weight,
            "repulsion": repulsion_weight,
            "background": background_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        check_factors(no_object_weight=no_object_weight)
        check_positive(temperature=temperature, margin=margin)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.temperature = temperature
        self.margin = margin
        self.no_object_weight = no_object_weight

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The five terms; meaning as the class says."""
        log_profile = sigmoid_profiles(targets)
        some = torch.isfinite(log_profile).any(1)
        scaled = torch.where(some[:, None], log_profile / self.temperature, 0)
        pull = -self.temperature * scaled.logsumexp(1)
        plan = torch.where(some[:, None], scaled.detach().softmax(1), 0)
        queries = targets.query_ptr.diff()[targets.graph].clamp(min=1)
        masks = torch.sigmoid(targets.logits).sum(1) / queries  # 0 where there is no query
        return {
            "attraction": targets.mean_over_instances(torch.where(some, pull, 0)),
            "repulsion": profile_hinge(log_profile.exp(), targets.row_ptr, self.margin),
            "background": targets.mean_over_background(masks),
            "classification": class_term(targets, plan),
            "quality": object_term(
                targets, claimed_share(targets, plan).clamp(max=1), self.no_object_weight
            ),
        }

    def extra_repr(self) -> str:
        return f"temperature={self.temperature}, margin={self.margin}"
