"""Encoders: a graph in, one state per node out; chosen by name in a model's configuration."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv, GINEConv, SAGEConv

from geoinfluencer.errors import InputError
from geoinfluencer.nn.influencer_conv import InfluencerConv
from geoinfluencer.nn.interaction import InteractionLayer
from geoinfluencer.nn.mlp import mlp

ENCODERS = ("interaction", "influencer", "sage", "gatv2", "gine", "pointwise")


class InteractionEncoder(nn.Module):
    """Stack of :class:`InteractionLayer`: node and edge states refined together.

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


class ConvEncoder(nn.Module):
    """Residual stack of one-state graph convolutions: ours (``influencer``) or PyG's.

    Edges are used in both directions. With ``neighbors`` set, ``influencer`` layers ignore the
    given edges and look for neighbours in their own learned space.

    Args:
        kind: ``influencer``, ``sage``, ``gatv2``, ``gine`` or ``pointwise`` (no messages at all).
        The rest as in :class:`InteractionEncoder`.
        neighbors: k of the learned-space neighbours, for ``influencer`` only.

    Shapes:
        x (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A) or None -> (N, C).
    """

    def __init__(
        self, kind: str, in_channels: int, edge_channels: int, hidden_channels: int,
        num_layers: int, *, neighbors: int | None = None, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind, self.neighbors = kind, neighbors
        self.edge_channels = edge_channels
        self.node = mlp([in_channels, hidden_channels, hidden_channels])
        self.convs = nn.ModuleList(
            _conv(kind, hidden_channels, edge_channels, neighbors) for _ in range(num_layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_channels) for _ in range(num_layers))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None
    ) -> Tensor:
        nodes = self.node(x)
        if self.kind == "pointwise":
            for conv, norm in zip(self.convs, self.norms, strict=True):
                nodes = nodes + self.dropout(conv(norm(nodes)))
            return nodes
        both = torch.cat([edge_index, edge_index.flip(0)], dim=1)
        attr = None if edge_attr is None else torch.cat([edge_attr, -edge_attr], dim=0)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            state = norm(nodes)
            if self.kind == "influencer" and self.neighbors is not None:
                update = conv(state, batch=batch)
            elif self.kind == "sage" or attr is None:
                update = conv(state, both)
            else:
                update = conv(state, both, edge_attr=attr)
            nodes = nodes + self.dropout(torch.nn.functional.silu(update))
        return nodes


def _conv(kind: str, channels: int, edge_channels: int, neighbors: int | None) -> nn.Module:
    edge_dim = edge_channels or None
    if kind == "influencer":
        if neighbors is not None:
            return InfluencerConv(channels, channels, k=neighbors)
        return InfluencerConv(channels, channels, edge_dim=edge_dim)
    if kind == "sage":
        return SAGEConv(channels, channels)
    if kind == "gatv2":
        return GATv2Conv(channels, channels // 4, heads=4, edge_dim=edge_dim)
    if kind == "gine":
        return GINEConv(mlp([channels, channels, channels]), edge_dim=edge_dim or channels)
    return mlp([channels, 2 * channels, channels])


def build_encoder(
    name: str, in_channels: int, edge_channels: int, hidden_channels: int, num_layers: int,
    *, neighbors: int | None = None, dropout: float = 0.0,
) -> nn.Module:  # fmt: skip
    """The encoder called ``name``.

    Raises:
        InputError: unknown name, or a size that the encoder cannot have.
    """
    if name not in ENCODERS:
        raise InputError(f"model.encoder is {name!r}; choose one of {', '.join(ENCODERS)}")
    if name == "gatv2" and hidden_channels % 4:
        raise InputError(f"model.hidden_channels is {hidden_channels}; gatv2 needs a multiple of 4")
    if name == "gine" and not edge_channels:
        raise InputError("model.encoder gine needs edge features; this dataset has none")
    if name == "interaction":
        return InteractionEncoder(
            in_channels, edge_channels, hidden_channels, num_layers, dropout=dropout
        )
    return ConvEncoder(
        name, in_channels, edge_channels, hidden_channels, num_layers,
        neighbors=neighbors, dropout=dropout,
    )  # fmt: skip
