"""What losses on exclusive masks read off the (N, M) logits, with one gradient table for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from geoinfluencer import ops
from geoinfluencer.losses.query_targets import QueryTargets


@dataclass(frozen=True)
class ExclusiveSums:
    """Sums over instances and graphs of p, the softmax over queries and void."""

    log_profile: Tensor  # (K, M): ln g, the mean of ln p over each instance
    log_void: Tensor  # (N,): ln p[void]
    inside: Tensor | None  # (K, M): p summed over each instance
    total: Tensor | None  # (B, M): p summed over each graph


def exclusive_sums(targets: QueryTargets, *, with_claims: bool) -> ExclusiveSums:
    r"""Profiles of the instances, void, and what the queries claim of instances and graphs.

    .. math::
        \ln g_k[m] = \frac{1}{n_k} \sum_{i \in k} w_i \ln p_i[m], \qquad
        S_{km} = \sum_{i \in k} w_i p_i[m], \qquad P_{bm} = \sum_{i \in b} w_i p_i[m]

    O(N M) time and O((K + B) M + N) memory beside a single
    gradient of their size (on a GPU several such tables for a moment). Differentiable once.

    Args:
        targets: checked outputs and instances.
        with_claims: with the gradients of S and P. Without, S and P are constants, and are there
            only where quality logits want them.

    Shapes:
        targets of N nodes, K instances, M columns, B graphs -> see :class:`ExclusiveSums`.
    """
    instances, graphs = targets.num_instances, targets.num_graphs
    given = targets.logits, targets.row, instances, targets.weight
    segment = torch.where(targets.row >= 0, targets.row, instances + targets.graph)
    if with_claims:
        log_profile, log_void, claims = _ExclusiveSums.apply(*given, segment, instances + graphs)
    else:
        log_profile, log_void = ops.query_profiles(*given)
        if targets.quality_logits is None:
            return ExclusiveSums(log_profile, log_void, None, None)
        claims = ops.query_claims(
            targets.logits, log_void, segment, instances + graphs, targets.weight
        )
    inside, rest = claims[:instances], claims[instances:]
    total = rest.index_add(0, targets.row_graph, inside)
    return ExclusiveSums(log_profile, log_void, inside, total)


def exclusive_dice(targets: QueryTargets, sums: ExclusiveSums) -> Tensor:
    r"""Dice cost of the exclusive masks, 0..1 (`"V-Net" (Milletari et al., 3DV 2016)
    <https://arxiv.org/abs/1606.04797>`_).

    .. math:: D_{km} = 1 - \frac{2 S_{km}}{n_k + P_{b(k) m}}

    Args:
        targets: checked outputs and instances.
        sums: with claims.

    Shapes:
        -> (K, M); 1 in columns that are no query.
    """
    assert sums.inside is not None and sums.total is not None
    both = targets.size[:, None] + sums.total[targets.row_graph]
    return (1 - 2 * sums.inside / both).clamp(min=0)


class _ExclusiveSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,  # (N, M)
        row: Tensor,  # (N,)
        instances: int,  # K
        weight: Tensor,  # (N,)
        segment: Tensor,  # (N,)
        segments: int,  # K + B
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        profile, log_void, mass, level = torch.ops.geoinfluencer.query_profiles(
            logits, row, instances, weight
        )
        claims = ops.query_claims(logits, log_void, segment, segments, weight)
        ctx.save_for_backward(logits, row, weight, profile, mass, level, log_void, segment)
        return profile, log_void, claims

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_profile: Tensor | None, d_void: Tensor | None, d_claims: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        *forward, log_void, segment = ctx.saved_tensors
        logits, _, weight = forward[:3]
        if d_profile is None and d_void is None:
            gradient = torch.zeros_like(logits)
        else:
            gradient = torch.ops.geoinfluencer.query_profiles_gradient(d_profile, d_void, *forward)
        if d_claims is not None:
            ops.add_claims_gradient(gradient, d_claims, logits, log_void, segment, weight)
        return gradient, None, None, None, None, None
