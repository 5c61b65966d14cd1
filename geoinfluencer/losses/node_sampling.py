"""A draw of the nodes of a graph that leaves every instance some, for losses on very many nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.segments import Segments, instance_segments


def sample_nodes(
    instance: Tensor,
    ptr: Tensor,
    max_nodes: int,
    *,
    counts: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor] | None:
    r"""Draw about ``max_nodes`` nodes of each graph that has more, without replacement.

    Strata are the instances of a graph and its background. Half of the places are shared evenly
    among the S strata, half in proportion to their n nodes:

    .. math::
        m_s = \min\left(n_s, \max\left(1, \left\lfloor \frac{P}{2 S} \right\rfloor +
            \left\lfloor \frac{P}{2} \frac{n_s}{\sum_t n_t} \right\rfloor\right)\right)

    so no instance is lost, and at most max(P, S) nodes of a graph stay. A node that is drawn stands
    for :math:`n_s / m_s`: sums over the nodes of an instance keep their expectation, and so do
    means (with ``node_weight`` that varies within an instance: asymptotically).

    Args:
        instance: id of each node, negative = background.
        ptr: first node of each graph, and N.
        max_nodes: P.
        counts: false = never drawn. (default: all count)
        generator: for the draw; default torch's own.

    Shapes:
        instance, counts (N,), ptr (B+1,) -> rows drawn (N',) ascending, their factors (N',)
        float64, ptr (B+1,) of them; None where every graph is small enough.

    Raises:
        InputError: ``max_nodes`` is not positive.
    """
    if max_nodes < 1:
        raise InputError(f"max_nodes is {max_nodes}; it must be at least 1, or None for all")
    if not bool((ptr.diff() > max_nodes).any()):
        return None
    # the ignored get an id of their own, so that they take no place of the background
    ids = instance.clamp(min=-1) + 1
    ids = ids if counts is None else torch.where(counts, ids, -1)
    segments = instance_segments(ids, ptr)
    stratum = segments.is_instance  # (S,) every used slot but that of the ignored
    count = torch.where(stratum, segments.count, 0)
    graphs = ptr.shape[0] - 1
    strata = ops.segment_sum(stratum.to(torch.int64), segments.slot_graph, graphs).clamp(min=1)
    nodes = ops.segment_sum(count, segments.slot_graph, graphs).clamp(min=1)
    graph = segments.slot_graph
    even = max_nodes // (2 * strata)
    quota = even[graph] + (max_nodes // 2 * count) // nodes[graph]
    quota = torch.minimum(quota.clamp(min=1), count)
    quota = torch.where(nodes[graph] > max_nodes, quota, count)
    rank = _shuffled_rank(segments, generator)
    drawn = (rank < quota[segments.index]).nonzero()[:, 0]
    slot = segments.index[drawn]
    factor = count[slot].to(torch.float64) / quota[slot]
    ones = torch.ones_like(drawn)
    size = ops.segment_sum(ones, segments.graph[drawn], graphs)
    return drawn, factor, torch.nn.functional.pad(torch.cumsum(size, 0), (1, 0))


def _shuffled_rank(segments: Segments, generator: torch.Generator | None) -> Tensor:
    """Place (N,) of each node among its slot's in random order."""
    size, device = segments.index.shape[0], segments.index.device
    order = torch.randperm(size, device=device, generator=generator)
    order = order[torch.argsort(segments.index[order], stable=True)]
    start = torch.cumsum(segments.count, 0) - segments.count
    place = torch.arange(size, device=device) - start[segments.index[order]]
    return torch.empty_like(place).scatter_(0, order, place)
