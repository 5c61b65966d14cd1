"""Sums over the nodes of sigmoid masks that every pair of instance and query needs, in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from geoinfluencer.losses.query_checks import rows_at_once
from geoinfluencer.losses.query_targets import QueryTargets

#: what -inf (no such query) counts as in a sum: times any weight it stays finite in float32
LOWEST = -1e30


def mask_sums(targets: QueryTargets) -> tuple[Tensor, Tensor, Tensor]:
    r"""Weighted sums of logits and masks over each instance, of masks and softplus over each graph.

    .. math::
        X_{km} = \sum_{i \in k} w_i x_{im}, \qquad
        S_{km} = \sum_{i \in k} w_i \sigma(x_{im}), \qquad
        P_{sm} = \sum_{i \in s} w_i \ln(1 + e^{x_{im}})

    A segment is an instance (0..K-1) or what is left of graph b (K+b); the graph's own sums are
    those of its segments. The logits are read piece by piece, forward and backward: O(N M) time and
    O((K + B) M) memory beside their gradient. Differentiable once.

    Shapes:
        targets of N nodes, K instances, M columns, B graphs -> X, S (K+B, M), P (B, M); what stands
        in columns that are no query has no meaning.
    """
    rest = targets.num_instances + targets.graph
    segment = torch.where(targets.row >= 0, targets.row, rest)
    segments = targets.num_instances + targets.num_graphs
    member, mask, softplus = _MaskSums.apply(
        targets.logits, segment, targets.graph, targets.weight, segments, targets.num_graphs
    )
    return member, mask, softplus


class _MaskSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,  # (N, M)
        segment: Tensor,  # (N,)
        graph: Tensor,  # (N,)
        weight: Tensor,  # (N,)
        segments: int,  # S
        graphs: int,  # B
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(logits, segment, graph, weight)
        nodes, width = logits.shape
        member = logits.new_zeros(segments, width)
        mask = torch.zeros_like(member)
        softplus = logits.new_zeros(graphs, width)
        step = rows_at_once(logits)
        for low in range(0, nodes, step):
            part = slice(low, min(low + step, nodes))
            x = logits[part].clamp(min=LOWEST)
            row, w = segment[part], weight[part, None]
            mask.index_add_(0, row, torch.sigmoid(x).mul_(w))
            positive = torch.nn.functional.softplus(x)
            if graphs == 1:
                softplus[0] += weight[part] @ positive
            else:
                softplus.index_add_(0, graph[part], positive.mul_(w))
            member.index_add_(0, row, x.mul_(w))
        return member, mask, softplus

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_member: Tensor, d_mask: Tensor, d_softplus: Tensor
    ) -> tuple[Tensor | None, ...]:
        logits, segment, graph, weight = ctx.saved_tensors
        active = torch.cat([d_member, d_mask, d_softplus]).any(0).nonzero()[:, 0]
        some = active.shape[0] <= 0.75 * logits.shape[1]  # as after a matching
        if some:
            d_member, d_mask = d_member[:, active], d_mask[:, active]
            d_softplus = d_softplus[:, active]
        gradient = torch.zeros_like(logits) if some else torch.empty_like(logits)
        step = rows_at_once(logits)
        single = d_softplus.shape[0] == 1
        for low in range(0, logits.shape[0], step):
            part = slice(low, min(low + step, logits.shape[0]))
            x = logits[part].index_select(1, active) if some else logits[part]
            s = torch.sigmoid(x)  # 0, and no gradient, where there is no query
            row = segment[part]
            slope = d_mask.index_select(0, row).mul_(1 - s)
            slope += d_softplus if single else d_softplus[graph[part]]
            slope.mul_(s).add_(d_member.index_select(0, row)).mul_(weight[part, None])
            if some:
                gradient[part].index_copy_(1, active, slope)
            else:
                gradient[part] = slope
        return gradient, None, None, None, None, None
