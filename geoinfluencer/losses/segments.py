"""Instance ids of a batch as dense slots, so that segment reductions never mix two graphs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from geoinfluencer import ops


@dataclass(frozen=True)
class Segments:
    """Slots of the (graph, instance id) pairs of a batch, ordered by graph, then id.

    There are S slots. ``S = N`` unless :meth:`compact` was called: the unused ones at the end have
    ``count == 0``, which costs memory of N numbers and saves a synchronisation with the host.
    The background of a graph has a slot too, with ``is_instance`` false.
    """

    index: Tensor  # (N,) int64: slot of each node
    graph: Tensor  # (N,) int64: graph of each node
    count: Tensor  # (S,) int64: nodes of each slot
    first: Tensor  # (S,) int64: one node of each slot (0 where unused)
    slot_graph: Tensor  # (S,) int64: graph of each slot (0 where unused)
    is_instance: Tensor  # (S,) bool: used, and not background
    by_slot: ops.SegmentOrder  # the nodes by slot, for reductions to (S, ...)
    by_graph: ops.SegmentOrder  # the nodes by graph, for reductions to (B, ...)

    @property
    def num_slots(self) -> int:
        """S, a Python number known without looking at the data."""
        return self.count.shape[0]

    def compact(self) -> tuple[Tensor, Tensor]:
        """Slots (K,) of the instances and, per node, the row of its slot in them ((N,), else -1).

        Synchronises with the host: K depends on the data.
        """
        slots = self.is_instance.nonzero()[:, 0]
        row = torch.full_like(self.count, -1)
        row[slots] = torch.arange(slots.shape[0], device=slots.device)
        return slots, row[self.index]


def instance_segments(instance: Tensor, ptr: Tensor) -> Segments:
    """Give every (graph, instance id) pair a slot.

    Ids may be any int64: they need not be dense, and the same id in two graphs is two instances.

    Args:
        instance: id of each node, negative = background.
        ptr: first node of each graph, and N.

    Shapes:
        instance (N,), ptr (B+1,).
    """
    size = instance.shape[0]
    device = instance.device
    graph = ops.batch_from_ptr(ptr, size)
    ids = instance.clamp(min=-1)
    order = torch.argsort(ids, stable=True)
    if ptr.shape[0] > 2:  # several graphs: the graph is the major key
        order = order[torch.argsort(graph[order], stable=True)]
    ids_sorted, graph_sorted = ids[order], graph[order]
    starts = torch.ones(size, dtype=torch.int64, device=device)
    if size:
        changed = (ids_sorted[1:] != ids_sorted[:-1]) | (graph_sorted[1:] != graph_sorted[:-1])
        starts[1:] = changed
        starts[0] = 0
    slot_sorted = torch.cumsum(starts, 0)
    index = torch.empty_like(slot_sorted).scatter_(0, order, slot_sorted)
    zeros = torch.zeros(size, dtype=torch.int64, device=device)
    count = zeros.scatter_add(0, index, torch.ones_like(index))
    slot_ptr = torch.nn.functional.pad(torch.cumsum(count, 0), (1, 0))
    used = count > 0
    first = order[slot_ptr[:-1].clamp(max=max(size - 1, 0))] if size else zeros
    first = torch.where(used, first, torch.zeros_like(first))
    slot_graph = torch.where(used, graph[first], torch.zeros_like(first)) if size else zeros
    is_instance = used & (ids[first] >= 0) if size else used
    by_slot = ops.SegmentOrder(index, size, slot_ptr, order, checked=True)
    by_graph = ops.SegmentOrder(graph, ptr.shape[0] - 1, ptr.to(torch.int64), checked=True)
    return Segments(index, graph, count, first, slot_graph, is_instance, by_slot, by_graph)
