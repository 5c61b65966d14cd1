"""Interaction network: edges and nodes refine each other along directed pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.nn.mlp import mlp


class InteractionLayer(nn.Module):
    r"""Interaction-network layer (`Battaglia et al., NeurIPS 2016 <https://arxiv.org/abs/1612.00222>`_)
    with gated sums that keep the two ends of an edge apart.

    .. math::
        e'_{ij} &= e_{ij} + W_o \, \mathrm{SiLU}(W_s h_i + W_d h_j + W_e e_{ij}) \\
        h'_j &= h_j + \mathrm{MLP}\Big(h_j, \sum_{i \to j} g_{ij} e'_{ij},
                \sum_{j \to k} g_{jk} e'_{jk}\Big), \qquad g = \sigma(w^\top e')

    Edges run one way (inner to outer hit); what arrives and what leaves is summed apart, so a node
    tells its past from its future. Node products are taken before they are gathered to edges, which
    leaves two (E, C) matrix products per layer.

    Args:
        channels (int): size C of node and edge states.
        dropout (float): inside the node perceptron. (default: 0.0)

    Shapes:
        - **input:** nodes (N, C), edges (E, C), ``edge_index`` (2, E)
        - **output:** nodes (N, C), edges (E, C)
    """

    def __init__(self, channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.channels = channels
        self.source = nn.Linear(channels, channels)
        self.target = nn.Linear(channels, channels, bias=False)
        self.edge = nn.Linear(channels, channels, bias=False)
        self.edge_out = nn.Linear(channels, channels)
        self.gate = nn.Linear(channels, 1)
        self.node = mlp([3 * channels, 2 * channels, channels], dropout=dropout)

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.LayerNorm)):
                module.reset_parameters()

    def forward(self, nodes: Tensor, edges: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
        source, target = edge_index[0], edge_index[1]
        rows = nodes.shape[0]
        mixed = ops.segment_gather(self.source(nodes), source)
        mixed = mixed + ops.segment_gather(self.target(nodes), target) + self.edge(edges)
        edges = edges + self.edge_out(nn.functional.silu(mixed))
        message = torch.sigmoid(self.gate(edges)) * edges
        arriving = ops.segment_sum(message, target, rows)
        leaving = ops.segment_sum(message, source, rows)
        nodes = nodes + self.node(torch.cat([nodes, arriving, leaving], dim=1))
        return nodes, edges

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels})"


class InteractionEncoder(nn.Module):
    """Stack of :class:`InteractionLayer`: node and edge states refined together, as in
    `Battaglia et al., NeurIPS 2016 <https://arxiv.org/abs/1612.00222>`_ and, for tracks,
    `DeZoort et al., Comput. Softw. Big Sci. 5, 26 (2021) <https://arxiv.org/abs/2103.16701>`_.

    Args:
        in_channels, edge_channels: sizes F and A of the features.
        hidden_channels: size C of the states.
        num_layers: interaction layers.
        dropout: inside the perceptrons.

    Shapes:
        x (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A) -> (N, C).
    """

    def __init__(
        self, in_channels: int, edge_channels: int, hidden_channels: int, num_layers: int,
        *, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.node = mlp([in_channels, hidden_channels, hidden_channels])
        self.edge = mlp([max(edge_channels, 1), hidden_channels, hidden_channels])
        self.layers = nn.ModuleList(
            InteractionLayer(hidden_channels, dropout=dropout) for _ in range(num_layers)
        )

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None
    ) -> Tensor:
        if edge_attr is None:
            edge_attr = x.new_ones(edge_index.shape[1], 1)
        nodes, edges = self.node(x), self.edge(edge_attr)
        for layer in self.layers:
            nodes, edges = layer(nodes, edges, edge_index)
        return nodes
