"""Sigmoid masks, matched by the Hungarian method: cross entropy, dice, class and existence."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.losses.assignment import assign_queries
from geoinfluencer.losses.mask_costs import MaskCosts, mask_costs
from geoinfluencer.losses.mask_loss import MaskLoss, check_factors
from geoinfluencer.losses.object_terms import (
    claimed_share,
    class_term,
    matched_pairs,
    object_term,
)
from geoinfluencer.losses.query_targets import QueryTargets


def hungarian_terms(
    targets: QueryTargets, costs: MaskCosts, match: Tensor, *, no_object_weight: float
) -> dict[str, Tensor]:
    """The four terms of :class:`HungarianLoss` under an assignment, as a pure function.

    Args:
        targets: checked outputs and instances.
        costs: of the pairs.
        match: column of each instance, -1 = none.
        no_object_weight: as in the class.

    Shapes:
        match (K,) -> four scalars.
    """
    column = match.clamp(min=0)[:, None]
    found = match >= 0
    plan = matched_pairs(match, targets.logits.shape[1]).to(targets.logits.dtype)

    def of_match(cost: Tensor) -> Tensor:
        picked = cost.gather(1, column)[:, 0] if cost.shape[1] else cost.sum(1)
        return targets.mean_over_instances(torch.where(found, picked, 0))

    return {
        "mask": of_match(costs.bce),
        "dice": of_match(costs.dice),
        "classification": class_term(targets, plan),
        "quality": object_term(targets, claimed_share(targets, plan), no_object_weight),
    }


class HungarianLoss(MaskLoss):
    r"""Bipartite matching of instances and sigmoid masks after `"Masked-attention Mask Transformer
    for Universal Image Segmentation" (Cheng et al., CVPR 2022) <https://arxiv.org/abs/2112.01527>`_
    and, for points, `"Mask3D" (Schult et al., ICRA 2023) <https://arxiv.org/abs/2210.03105>`_.

    Each instance k is given one query :math:`m_k`, each query to at most one instance, so that

    .. math::
        \sum_k \lambda_\text{mask} \mathrm{bce}_{k m_k} + \lambda_\text{dice} \mathrm{dice}_{k m_k}
            + \lambda_\text{class} \mathrm{class}_{k m_k}

    is least (:func:`~geoinfluencer.losses.mask_costs.mask_costs`), and is taught its mask, its
    class and its existence; the other queries are taught that they do not exist:

    .. math::
        L_\text{mask} = \operatorname{mean}_k \mathrm{bce}_{k m_k}, \quad
        L_\text{dice} = \operatorname{mean}_k \mathrm{dice}_{k m_k}, \quad
        L_\text{classification} = \operatorname{mean}_k (-\ln p_{m_k}[c_k])

    per graph, then mean over graphs, and :math:`L_\text{quality}` the weighted mean over queries of
    the binary cross entropy of the quality logits
    (:func:`~geoinfluencer.losses.object_terms.object_term`).

    The paper has one softmax over the classes and "no object"; here that probability is
    sigmoid(quality logit) x softmax(class logits), so that all losses read the same outputs. The
    decode that belongs to it is ``condense_queries(..., activation="sigmoid")``: masks of queries
    without an instance are never taught to be empty, and without the quality logit they stay.

    Args:
        mask_weight, dice_weight, classification_weight (float): factors of the terms, and of the
            costs. (default: 5, 5, 2)
        quality_weight (float): factor of the existence term. (default: 2)
        no_object_weight (float): weight of a query without an instance in it. (default: 0.1)
        max_nodes (int, optional): nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`: costs and losses are both
            taken on them. (default: all)
        check_finite (bool): look for NaN and infinity in the inputs and in the costs.
            (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``mask``, ``dice``, ``classification``, ``quality``; an
          instance for which no query is left counts 0 in them

    Raises:
        InputError: shapes or types do not fit; a tensor is not finite (named), or a cost is not
            (named, with its graph).
    """

    def __init__(
        self,
        *,
        mask_weight: float = 5.0,
        dice_weight: float = 5.0,
        classification_weight: float = 2.0,
        quality_weight: float = 2.0,
        no_object_weight: float = 0.1,
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "mask": mask_weight,
            "dice": dice_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        check_factors(no_object_weight=no_object_weight)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.cost_weights = (mask_weight, dice_weight, classification_weight)
        self.no_object_weight = no_object_weight

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The four terms; meaning as the class says."""
        costs = mask_costs(targets, check_finite=self.check_finite)
        match = assign_queries(
            costs.pairs(*self.cost_weights).detach(),
            targets.row_ptr,
            targets.query_ptr.diff(),
            name="matching cost",
        )
        return hungarian_terms(targets, costs, match, no_object_weight=self.no_object_weight)

    def extra_repr(self) -> str:
        mask, dice, label = self.cost_weights
        return f"weights=({mask}, {dice}, {label}), no_object_weight={self.no_object_weight}"
