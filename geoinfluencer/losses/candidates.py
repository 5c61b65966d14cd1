"""A subset of the nodes to act as influencers in the repulsions, where all would cost N^2."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.segments import Segments


def choose_influencers(
    segments: Segments, s: Tensor, per_instance: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    r"""Per instance the ``m`` best influencers and ``m`` drawn from the rest; all background nodes.

    The best (smallest s) are the ones that would become duplicates; the drawn ones stand for the
    rest with weight (n - m) / m, so that a sum over influencers keeps its expectation. Embeddings
    that all lie in one ball then cost N K 2m pairs instead of N^2.

    Args:
        segments: slots of the instances.
        s: how bad each node is as influencer of its instance.
        per_instance: m.
        generator: for the draw; default torch's own.

    Shapes:
        s (N,) -> node indices (M,) ascending, their weights (M,).
    """
    slot, size = segments.index, segments.index.shape[0]
    near = _rank_in_slot(s.detach(), segments) < per_instance
    draw = torch.rand(size, device=s.device, dtype=s.dtype, generator=generator)
    drawn = _rank_in_slot(torch.where(near, draw - 1.0, draw), segments) < 2 * per_instance
    background = ~segments.is_instance[slot]
    rest = segments.count[slot] - per_instance
    stands_for = rest.to(s.dtype) / rest.clamp(1, per_instance).to(s.dtype)
    weight = torch.where(near | background, torch.ones_like(s), stands_for)
    chosen = (drawn | background).nonzero()[:, 0]
    return chosen, weight[chosen]


def _rank_in_slot(key: Tensor, segments: Segments) -> Tensor:
    """Place of each node among its slot's, by ascending key: (N,) -> (N,) int64 from 0."""
    order = torch.argsort(key, stable=True)
    order = order[torch.argsort(segments.index[order], stable=True)]
    start = torch.cumsum(segments.count, 0) - segments.count
    place = torch.arange(order.shape[0], device=key.device) - start[segments.index[order]]
    return torch.empty_like(place).scatter_(0, order, place)


def subset_ptr(chosen: Tensor, segments: Segments, num_graphs: int) -> Tensor:
    """``ptr`` (B+1,) of the chosen nodes (M,)."""
    ones = torch.ones_like(chosen)
    count = ops.segment_sum(ones, segments.graph[chosen], num_graphs)
    return torch.nn.functional.pad(torch.cumsum(count, 0), (1, 0))
