"""The mean of a batch in which every graph counts the same, however many nodes it has."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops


def mean_of_graphs(values: Tensor, weight: Tensor, ptr: Tensor) -> Tensor:
    r"""Weighted mean over the nodes of each graph, then the mean over graphs.

    .. math:: \operatorname{mean}_b \frac{\sum_{i \in b} w_i v_i}{\sum_{i \in b} w_i}

    Graphs without weight do not count; the mean of none is 0, attached.

    Args:
        values: one per node.
        weight: non-negative, without gradient.
        ptr: first node of each graph, and N.

    Shapes:
        values, weight (N,), ptr (B+1,) -> scalar.
    """
    graphs = ptr.shape[0] - 1
    graph = ops.batch_from_ptr(ptr, values.shape[0])
    mass = ops.segment_sum(weight, graph, graphs)
    summed = ops.segment_sum(weight * values, graph, graphs)
    some = mass > 0
    return (summed / torch.where(some, mass, 1)).sum() / some.sum().clamp(min=1)
