"""Voxels, their superpoints, and voxels again: messages on two levels of one graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.nn.interaction import InteractionLayer
from geoinfluencer.nn.mlp import mlp


class HierarchyEncoder(nn.Module):
    """Interaction layers on nodes, then on superpoints, then on nodes again, after `"Efficient 3D
    semantic segmentation with superpoint transformer" (Robert, Raguet and Landrieu, ICCV 2023)
    <https://arxiv.org/abs/2306.08045>`_.

    Superpoints start with mean and maximum of the states of their nodes. Two are joined where an
    edge leads from one to the other, and their edge starts with the mean state of those. What a
    superpoint learnt is added to the states of its nodes: a message crosses a wall in one layer.
    Of L layers a third, rounded down and at least one, comes before and after; the rest, at least
    one, is on superpoints.

    Args:
        in_channels, edge_channels: sizes F and A of the features.
        hidden_channels: size C of the states.
        num_layers: L.
        dropout: inside the perceptrons.

    Shapes:
        x (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A), ``batch`` (N,), ``superpoint`` (N,)
        the superpoint of each node, of its own graph -> (N, C).

    Raises:
        InputError: the graph has no ``superpoint``.
    """

    def __init__(
        self, in_channels: int, edge_channels: int, hidden_channels: int, num_layers: int,
        *, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        c, outer = hidden_channels, max(num_layers // 3, 1)
        self.node = mlp([in_channels, c, c])
        self.edge = mlp([max(edge_channels, 1), c, c])
        self.before = _stack(c, outer, dropout)
        self.pool = mlp([2 * c, c, c])
        self.middle = _stack(c, max(num_layers - 2 * outer, 1), dropout)
        self.back = nn.Linear(c, c)
        self.after = _stack(c, outer, dropout)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None,
        superpoint: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        if superpoint is None:
            raise InputError(
                "model.encoder hierarchy needs graphs with `superpoint`; "
                "set data.graph.superpoints to the least voxels of one, for instance 8"
            )
        if edge_attr is None:
            edge_attr = x.new_ones(edge_index.shape[1], 1)
        nodes, edges = self.node(x), self.edge(edge_attr)
        for layer in self.before:
            nodes, edges = layer(nodes, edges, edge_index)
        member, count = superpoint_numbers(superpoint, batch)
        pooled = [f(nodes, member, count) for f in (ops.segment_mean, ops.segment_max)]
        coarse = self.pool(torch.cat(pooled, dim=1))
        links, link, between = superpoint_edges(member, edge_index)
        coarse_edges = ops.segment_mean(edges[between], link, links.shape[1])
        for layer in self.middle:
            coarse, coarse_edges = layer(coarse, coarse_edges, links)
        nodes = nodes + self.back(ops.segment_gather(coarse, member))
        for layer in self.after:
            nodes, edges = layer(nodes, edges, edge_index)
        return nodes


def superpoint_numbers(superpoint: Tensor, batch: Tensor | None) -> tuple[Tensor, int]:
    """Numbers (N,) 0..S-1 of the superpoints that occur in a batch, and S."""
    if batch is not None and superpoint.numel():
        superpoint = superpoint + batch * (superpoint.max() + 1)
    values, member = torch.unique(superpoint, return_inverse=True)
    return member, len(values)


def superpoint_edges(member: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Edges between superpoints, each direction once: (2, L); of the E' node edges that lead from
    one to another the number of theirs (E',), and which edges these are (E',)."""
    ends = member[edge_index]
    between = (ends[0] != ends[1]).nonzero()[:, 0]
    count = member.max() + 1 if member.numel() else 1
    keys, link = torch.unique(ends[0, between] * count + ends[1, between], return_inverse=True)
    return torch.stack([keys // count, keys % count]), link, between


def _stack(channels: int, count: int, dropout: float) -> nn.ModuleList:
    return nn.ModuleList(InteractionLayer(channels, dropout=dropout) for _ in range(count))
