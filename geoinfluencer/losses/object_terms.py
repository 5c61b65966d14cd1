"""Class and existence of the queries under a hard or soft assignment: terms of the rivals."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from geoinfluencer import ops
from geoinfluencer.losses.mask_terms import class_cost
from geoinfluencer.losses.query_targets import QueryTargets


def matched_pairs(match: Tensor, width: int) -> Tensor:
    """The assignment as a table: 1 where the row is given to the column, rows of -1 empty.

    Shapes:
        match (K,) -> (K, M) float32.
    """
    columns = torch.arange(width, device=match.device)
    return (match[:, None] == columns).to(torch.float32)


def claimed_share(targets: QueryTargets, plan: Tensor) -> Tensor:
    """How much of a query the instances of its graph claim together.

    Shapes:
        plan (K, M) -> (Q,).
    """
    claimed = ops.segment_sum(plan, targets.row_graph, targets.num_graphs)  # (B, M)
    return claimed[targets.query_graph, targets.query_column]


def object_term(targets: QueryTargets, target: Tensor, no_object_weight: float) -> Tensor:
    r"""Existence of the queries, with the no-object weight of `"End-to-End Object Detection with
    Transformers" (Carion et al., ECCV 2020) <https://arxiv.org/abs/2005.12872>`_.

    With the quality logit :math:`z_m`, the target :math:`e_m` and the no-object weight
    :math:`\eta`, per graph, then mean over graphs:

    .. math::
        \frac{\sum_m e_m \ln(1 + e^{-z_m}) + \eta (1 - e_m) \ln(1 + e^{z_m})}
            {\sum_m e_m + \eta (1 - e_m)}

    Args:
        targets: checked outputs; without quality logits the term is 0.
        target: share of each query that is an object, 0..1, no gradient.
        no_object_weight: eta.

    Shapes:
        target (Q,) -> ().
    """
    logit = targets.quality_logits
    if logit is None:
        return targets.logits.new_zeros(())
    exists = target.to(logit.dtype)
    absent = no_object_weight * (1 - exists)
    values = exists * softplus(-logit) + absent * softplus(logit)
    mass = ops.segment_sum(exists + absent, targets.query_graph, targets.num_graphs)
    share = 1 / torch.where(mass > 0, mass, 1)[targets.query_graph]
    return (values * share).sum() / max(targets.num_graphs, 1)


def class_term(targets: QueryTargets, plan: Tensor) -> Tensor:
    r"""Cross entropy of the class of each instance at the queries that it is given to.

    .. math:: \operatorname{mean}_k \sum_m P_{km} \, (-\ln p_m[c_k])

    Args:
        targets: checked outputs and instances; without class logits or classes the term is 0.
        plan: P, no gradient.

    Shapes:
        plan (K, M) -> ().
    """
    if targets.class_logits is None or targets.instance_class is None:
        return targets.logits.new_zeros(())
    return targets.mean_over_instances(class_cost(plan, targets))
