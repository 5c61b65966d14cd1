"""What it costs to give a query to an instance, with sigmoid masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.assignment import require_finite_costs
from geoinfluencer.losses.mask_sums import mask_sums
from geoinfluencer.losses.query_targets import QueryTargets


@dataclass(frozen=True)
class MaskCosts:
    """Costs of the pairs of each graph; 0 in columns that are no query of it."""

    bce: Tensor  # (K, M) mean over the nodes of the graph, >= 0
    dice: Tensor  # (K, M) 0..1
    classification: Tensor  # (K, M) 0..1, no gradient

    def pairs(self, mask_weight: float, dice_weight: float, classification_weight: float) -> Tensor:
        """The weighted sum, (K, M)."""
        mask = mask_weight * self.bce + dice_weight * self.dice
        return mask + classification_weight * self.classification


def mask_costs(targets: QueryTargets, *, check_finite: bool = True) -> MaskCosts:
    r"""Costs after `"Masked-attention Mask Transformer for Universal Image Segmentation" (Cheng et
    al., CVPR 2022) <https://arxiv.org/abs/2112.01527>`_, on weighted nodes instead of pixels.

    With :math:`t_{ik} = 1` for the nodes of instance k and the weights :math:`w_i`, in its graph:

    .. math::
        \mathrm{bce}_{km} &= \frac{\sum_i w_i [\ln(1 + e^{x_{im}}) - t_{ik} x_{im}]}{\sum_i w_i} \\
        \mathrm{dice}_{km} &= 1 - \frac{2 \sum_i w_i t_{ik} \sigma(x_{im}) + 1}
            {\sum_i w_i \sigma(x_{im}) + \sum_i w_i t_{ik} + 1} \\
        \mathrm{class}_{km} &= 1 - o_m \, p_m[c_k]

    :math:`o = \sigma(\text{quality logit})` is the probability that the query is an object at all,
    p the softmax of its class logits: their product stands for the class probabilities with a "no
    object" entry of the paper. What a model does not predict counts 1.

    Args:
        targets: checked outputs and instances.
        check_finite: look for NaN and infinity in the costs.

    Raises:
        InputError: a cost is NaN or infinite; names the cost and the graph.
    """
    exists = targets.exists
    valid = exists[targets.row_graph]
    count = targets.num_instances
    graph = targets.row_graph
    member, mask, softplus = mask_sums(targets)
    zero = torch.zeros((), dtype=mask.dtype, device=mask.device)
    softplus = torch.where(exists, softplus, zero)
    member = torch.where(valid, member[:count], zero)
    owner = torch.cat([graph, torch.arange(targets.num_graphs, device=graph.device)])
    whole = ops.segment_sum(mask, owner, targets.num_graphs)  # (B, M)

    nodes = ops.segment_sum(targets.weight, targets.graph, targets.num_graphs)
    nodes = torch.where(nodes > 0, nodes, 1)[:, None]
    # rounding could leave a perfect pair below 0, and costs are raised to powers
    bce = ((ops.segment_gather(softplus, graph) - member) / nodes[graph]).clamp(min=0)
    union = ops.segment_gather(whole, graph) + targets.size[:, None]
    dice = (1 - (2 * mask[:count] + 1) / (union + 1)).clamp(min=0)
    costs = MaskCosts(
        bce=bce,
        dice=torch.where(valid, dice, zero),
        classification=torch.where(valid, 1 - class_probability(targets), zero),
    )
    if check_finite:
        for name, cost in (
            ("mask cost (binary cross entropy)", costs.bce),
            ("dice cost", costs.dice),
            ("class cost", costs.classification),
        ):
            require_finite_costs(cost.detach(), valid, graph, name)
    return costs


@torch.no_grad()
def class_probability(targets: QueryTargets) -> Tensor:
    """Probability of a query to be an object, and one of the instance's class, (K, M).

    An instance of unknown class (-1) asks for any.
    """
    wide = targets.logits
    certain = wide.new_ones(targets.num_graphs, wide.shape[1])
    if targets.quality_logits is not None:
        place = (targets.query_graph, targets.query_column)
        certain = certain.index_put(place, torch.sigmoid(targets.quality_logits).to(wide.dtype))
    probability = certain[targets.row_graph]
    if targets.class_logits is not None and targets.instance_class is not None:
        by_class = torch.softmax(targets.class_logits, 1).to(wide.dtype)  # (Q, C)
        label = targets.instance_class[:, None]
        if by_class.numel():
            share = by_class[targets.query, label.clamp(min=0)]
            probability = probability * torch.where(label >= 0, share, 1)
    return probability
