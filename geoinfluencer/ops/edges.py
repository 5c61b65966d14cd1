"""Neighbour graphs as PyG edge lists."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops.batching import ptr_from_batch
from geoinfluencer.ops.neighbors import knn, radius


def knn_graph(
    x: Tensor,  # (N, D)
    k: int,
    batch: Tensor | None = None,  # (N,)
    *,
    loop: bool = False,
    flow: str = "source_to_target",
) -> Tensor:  # (2, E)
    """Edges from each node's k nearest neighbours of its graph, sorted by node, nearest first.

    Args:
        x: node positions or embeddings.
        k: neighbours per node, besides the self loop; fewer where the graph is smaller.
        batch: sorted graph number of each node.
        loop: add one self loop per node, before its neighbours.
        flow: ``"source_to_target"``: neighbours in row 0 send to the node in row 1, as PyG's
            ``MessagePassing`` expects; ``"target_to_source"``: the rows are swapped.

    Shapes:
        x (N, D), batch (N,) -> edges (2, E) int64.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    if flow not in ("source_to_target", "target_to_source"):
        raise InputError(f"flow must be source_to_target or target_to_source, got {flow!r}")
    neighbor, _ = knn(x, None, k, ptr=None if batch is None else ptr_from_batch(batch))
    node = torch.arange(neighbor.shape[0], device=x.device)[:, None]
    if loop:
        neighbor = torch.cat([node, neighbor], dim=1)
    node = node.expand_as(neighbor)
    there = neighbor >= 0
    source, target = neighbor[there], node[there]
    return torch.stack([source, target] if flow == "source_to_target" else [target, source])


def radius_graph(
    x: Tensor,  # (N, D)
    r: float,
    batch: Tensor | None = None,  # (N,)
    *,
    max_neighbors: int | None = None,
    loop: bool = False,
) -> Tensor:  # (2, E)
    """Edges (neighbour, node) between all nodes of a graph within r, sorted by node, nearest first.

    Args:
        x: node positions or embeddings.
        r: radius, in the units of ``x``.
        batch: sorted graph number of each node.
        max_neighbors: keep the nearest so many of each node (the graph is then not symmetric);
            default ``None``: all.
        loop: add one self loop per node, after the other edges.

    Shapes:
        x (N, D), batch (N,) -> edges (2, E) int64.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    row_ptr, source = radius(
        x,
        None,
        r,
        ptr=None if batch is None else ptr_from_batch(batch),
        max_neighbors=max_neighbors,
    )
    node = torch.arange(row_ptr.shape[0] - 1, device=x.device)
    target = torch.repeat_interleave(node, row_ptr.diff(), output_size=source.shape[0])
    if loop:
        source, target = torch.cat([source, node]), torch.cat([target, node])
    return torch.stack([source, target])
