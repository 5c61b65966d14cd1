"""Greedy segmentation of a graph, edge by edge."""

from __future__ import annotations

import torch
from torch import Tensor


def felzenszwalb(
    edge_index: Tensor, weight: Tensor, num_nodes: int, scale: float, min_size: int
) -> Tensor:
    """(N,) labels; see :func:`geoinfluencer.ops.felzenszwalb`."""
    order = torch.sort(weight, stable=True).indices
    edges = list(zip(*edge_index[:, order].tolist(), weight[order].double().tolist(), strict=True))
    parent, size = list(range(num_nodes)), [1] * num_nodes
    most = [scale] * num_nodes  # greatest weight inside plus scale / size, at the root

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for small_ones in (False, True):
        for start, end, w in edges:
            a, b = sorted((root(start), root(end)))
            alike = min(size[a], size[b]) < min_size if small_ones else w <= min(most[a], most[b])
            if a != b and alike:
                parent[b] = a
                size[a] += size[b]
                most[a] = w + scale / size[a]
    roots = torch.tensor([root(i) for i in range(num_nodes)], dtype=torch.int64)
    return torch.unique(roots, return_inverse=True)[1]
