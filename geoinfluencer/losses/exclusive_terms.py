"""What the losses on exclusive masks (softmax over queries, void) share beside attraction."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.exclusive_sums import ExclusiveSums, exclusive_dice
from geoinfluencer.losses.mask_terms import quality_cost
from geoinfluencer.losses.object_terms import class_term
from geoinfluencer.losses.query_targets import QueryTargets

OVERLAP_WEIGHT = 3.0  # of what 1 and 3 give, the better on tracks and nuclei (docs/evidence.md)


def exclusive_terms(
    targets: QueryTargets, sums: ExclusiveSums, share: Tensor, *, with_overlap: bool = False
) -> dict[str, Tensor]:
    r"""Overlap, background, class and quality, given how far each query stands for each instance.

    .. math::
        L_\text{overlap} &= \operatorname{mean}_k \sum_m w_{km} D_{km} \\
        L_\text{background} &= \operatorname{mean}_{i \in \text{background}}
            (-\ln p_i[\text{void}])

    The class of an instance is taught to the queries by their share of it, every quality logit the
    IoU of the query's claim with the instances that it stands for, 0 without any.

    Args:
        targets: checked outputs and instances.
        sums: of their exclusive masks.
        share: w, no gradient.
        with_overlap: whether the term ``overlap`` is wanted, with D of
            :func:`~geoinfluencer.losses.exclusive_sums.exclusive_dice`.

    Shapes:
        share (K, M) -> three or four scalars.
    """
    quality = sums.log_void.new_zeros(())
    overlap = {}
    if with_overlap:
        lack = (share * exclusive_dice(targets, sums)).sum(1)
        overlap["overlap"] = targets.mean_over_instances(lack)
    if targets.quality_logits is not None:
        dice = 1 - exclusive_dice(targets, sums).detach()
        iou = dice / (2 - dice)
        quality = targets.mean_over_queries(quality_cost(share, iou, targets))
    return {
        **overlap,
        "background": targets.mean_over_background(-sums.log_void),
        "classification": class_term(targets, share),
        "quality": quality,
    }


def overlap_factor(weight: float) -> dict[str, float]:
    """The factor of the term ``overlap``; without one the term is not computed either."""
    return {} if weight == 0 else {"overlap": weight}


def relative_cost(log_profile: Tensor, targets: QueryTargets) -> Tensor:
    r"""Cross entropy of giving query m to instance k, in units of that of a uniform guess.

    .. math:: C_{km} = -\ln g_k[m] / \ln(M + 1)

    It is about 1 at the start whatever M is, where powers of it are meant to act.

    Shapes:
        log_profile (K, M) -> (K, M); 0 in columns that are no query.
    """
    queries = targets.query_ptr.diff().to(log_profile.dtype)
    unit = torch.log1p(queries).clamp(min=torch.finfo(queries.dtype).tiny)[targets.row_graph]
    valid = targets.exists[targets.row_graph]
    return torch.where(valid, -log_profile / unit[:, None], 0)


def mean_cost(cost: Tensor, targets: QueryTargets) -> Tensor:
    """Mean of (K, M) costs over the pairs of each graph, without gradient: (B,)."""
    queries = targets.query_ptr.diff()[targets.row_graph].clamp(min=1)
    level = cost.detach().sum(1) / queries
    return ops.segment_mean(level, targets.row_graph, targets.num_graphs)
