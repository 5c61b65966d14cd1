"""Stacks of one-state layers: graph convolutions, or none at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from geoinfluencer.nn.mlp import mlp


class ConvEncoder(nn.Module):
    """Residual stack of graph convolutions, each after a LayerNorm.

    Edges are used in both directions. A reversed edge has the features of its edge; the one column
    that is appended tells them apart: 0 as given, 1 reversed.

    Args:
        conv: makes one layer, C -> C channels; it reads A + 1 edge features.
        in_channels, hidden_channels: size F of the features, C of the states.
        num_layers: convolutions.
        reads: what a layer is called with: ``"edge_attr"`` (edges with their features, where there
            are any), ``"edge_index"`` (edges alone) or ``"batch"`` (it finds its neighbours
            itself).
        dropout: of each update.

    Shapes:
        x (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A) or None -> (N, C).
    """

    def __init__(
        self, conv: Callable[[], nn.Module], in_channels: int, hidden_channels: int,
        num_layers: int, *, reads: Literal["edge_attr", "edge_index", "batch"],
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.reads = reads
        self.node = mlp([in_channels, hidden_channels, hidden_channels])
        self.convs = nn.ModuleList(conv() for _ in range(num_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_channels) for _ in range(num_layers))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None
    ) -> Tensor:
        nodes = self.node(x)
        if self.reads == "batch":
            given: dict[str, Tensor | None] = {"batch": batch}
        else:
            given = {"edge_index": torch.cat([edge_index, edge_index.flip(0)], dim=1)}
        if self.reads == "edge_attr" and edge_attr is not None:
            given["edge_attr"] = both_directions(edge_attr)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            update = conv(norm(nodes), **given)
            nodes = nodes + self.dropout(nn.functional.silu(update))
        return nodes


class PointwiseEncoder(nn.Module):
    """Residual perceptrons on each node alone: what the features say without any message.

    Args:
        in_channels, hidden_channels: size F of the features, C of the states.
        num_layers: perceptrons.
        dropout: of each update.

    Shapes:
        x (N, F) -> (N, C); edges are not looked at.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, num_layers: int, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        c = hidden_channels
        self.node = mlp([in_channels, c, c])
        self.convs = nn.ModuleList(mlp([c, 2 * c, c]) for _ in range(num_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(c) for _ in range(num_layers))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None
    ) -> Tensor:
        nodes = self.node(x)
        for layer, norm in zip(self.convs, self.norms, strict=True):
            nodes = nodes + self.dropout(layer(norm(nodes)))
        return nodes


def both_directions(edge_attr: Tensor) -> Tensor:
    """Features (2E, A + 1) of the edges (E, A) as given, then reversed; the last column is 0, 1."""
    count = edge_attr.shape[0]
    reversed_ = torch.arange(2 * count, device=edge_attr.device) >= count
    twice = torch.cat([edge_attr, edge_attr], dim=0)
    return torch.cat([twice, reversed_[:, None].to(edge_attr.dtype)], dim=1)
