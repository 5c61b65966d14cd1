"""The terms of the mask loss as pure functions of the profiles of the instances."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.query_targets import QueryTargets


def instance_mean(values: Tensor, targets: QueryTargets) -> Tensor:
    """Weighted mean over the nodes of each instance, (N,) -> (K,)."""
    instances = targets.num_instances
    row = torch.where(targets.row >= 0, targets.row, instances)
    total = ops.segment_sum(values * targets.weight, row, instances + 1)
    return total[:instances] / targets.size


def coupled_attraction(log_profile: Tensor, log_void: Tensor, share: Tensor) -> Tensor:
    r"""What the coupled queries lack, and void where no query can serve the instance.

    .. math:: A_k = -\sum_m w_{km} \ln g_k[m] - \Big(1 - \sum_m w_{km}\Big) \ln g_k[\text{void}]

    Args:
        log_profile: ln g of the queries, -inf where there is none.
        log_void: ln g of void.
        share: w, without gradient; rows sum to at most 1.

    Shapes:
        log_profile, share (K, M), log_void (K,) -> (K,).
    """
    rest = (1 - share.sum(1)).clamp(min=0)
    rest = torch.where(rest > 1e-3, rest, 0)  # rounding of the coupling serves nobody
    # 0 times -inf would be NaN, in the gradient too
    lack = torch.where(share > 0, log_profile, 0)
    return -(share * lack).sum(1) - rest * log_void


def annealed_attraction(log_profile: Tensor, temperature: Tensor | float) -> Tensor:
    r"""Soft minimum over the queries of what they lack (and of what makes them not private).

    .. math:: A_k = -T \operatorname{logsumexp}_m (C_{km} / T)

    Shapes:
        log_profile (K, M) -> (K,); 0 where a row has no query.
    """
    if not log_profile.shape[1]:
        return log_profile.sum(1)
    some = torch.isfinite(log_profile).any(1)
    # where a row is all -inf its gradient would be NaN
    rows = torch.where(some[:, None], log_profile, 0)
    return torch.where(some, -temperature * torch.logsumexp(rows / temperature, 1), 0)


def log_privacy(log_profile: Tensor, log_void: Tensor, targets: QueryTargets) -> Tensor:
    r"""Log-probability that no other instance of the graph takes the query, (K, M) <= 0.

    .. math:: P_{km} = \sum_{l \ne k} \ln (1 - q_l[m]), \qquad
        q_l = \operatorname{softmax}(\ln g_l[1], \dots, \ln g_l[M], \ln g_l[\text{void}])

    ln(1 - q) is computed from what the other queries have, so that it keeps its digits and its
    gradient where q is next to 1; all sums take O(K M).

    Shapes:
        log_profile (K, M), log_void (K,) -> (K, M).
    """
    if not log_profile.numel():
        return log_profile
    claim = torch.cat([log_profile, log_void[:, None]], 1).log_softmax(1)  # ln q
    top, column = claim.detach()[:, :-1].max(1, keepdim=True)
    confident = torch.zeros_like(claim, dtype=torch.bool).scatter_(1, column, top > -0.5)
    others = claim.masked_fill(confident, -torch.inf)
    # without void, whose probability may be 1: the logarithm of 0 has no gradient
    unsure = torch.log1p(-others[:, :-1].exp())
    rest = torch.where(confident[:, :-1], others.logsumexp(1, keepdim=True), unsure)
    everyone = ops.segment_sum(rest, targets.row_graph, targets.num_graphs)
    return ops.segment_gather(everyone, targets.row_graph) - rest


def class_cost(share: Tensor, targets: QueryTargets) -> Tensor:
    """Cross entropy of the coupled queries' classes, weighted by the coupling.

    Shapes:
        share (K, M) -> (K,); 0 for instances without a class.
    """
    assert targets.class_logits is not None and targets.instance_class is not None
    known = targets.instance_class >= 0
    query = targets.query
    if not query.numel() or not targets.class_logits.numel():
        return targets.class_logits.sum() + share.sum(1) * 0
    log_class = targets.class_logits.log_softmax(1)  # (Q, C)
    label = targets.instance_class.clamp(min=0)[:, None].expand_as(query)
    return -(share * known[:, None] * log_class[query, label]).sum(1)


def quality_cost(share: Tensor, overlap: Tensor, targets: QueryTargets) -> Tensor:
    """Binary cross entropy of the quality logits against the IoU with the coupled instance.

    A query that no instance couples to should say 0.

    Shapes:
        share, overlap (K, M) -> (Q,).
    """
    assert targets.quality_logits is not None
    mass = ops.segment_sum(share, targets.row_graph, targets.num_graphs)  # (B, M)
    goal = ops.segment_sum(share * overlap, targets.row_graph, targets.num_graphs)
    goal = (goal / mass.clamp(min=1))[targets.query_graph, targets.query_column].clamp(0, 1)
    return torch.nn.functional.binary_cross_entropy_with_logits(
        targets.quality_logits, goal, reduction="none"
    )
