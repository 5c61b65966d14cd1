"""Encoders by name: a graph in, one state per node out; a model's configuration chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import nn
from torch_geometric.nn import GATv2Conv, GINEConv, SAGEConv

from geoinfluencer.errors import InputError
from geoinfluencer.nn.conv_encoder import ConvEncoder, PointwiseEncoder
from geoinfluencer.nn.hierarchy import HierarchyEncoder
from geoinfluencer.nn.influencer_conv import InfluencerConv
from geoinfluencer.nn.interaction import InteractionEncoder
from geoinfluencer.nn.mlp import mlp
from geoinfluencer.nn.vector_attention import VectorAttentionConv


@dataclass(frozen=True)
class EncoderOptions:
    """What only some encoders can have.

    Attributes:
        neighbors: that many neighbours in a learned space in place of the edges.
        levels: fields of the levels above the nodes, see
            :class:`~geoinfluencer.nn.hierarchy.HierarchyEncoder`.
        dropout: probability of dropping a hidden unit.
    """

    neighbors: int | None
    levels: Sequence[str]
    dropout: float


class EncoderBuilder(Protocol):
    """Makes an encoder: F node features, A edge features (0 = none), C channels, L layers; it reads
    of the options what it can have."""

    def __call__(
        self, f: int, a: int, c: int, layers: int, options: EncoderOptions
    ) -> nn.Module: ...


def interaction(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """Interaction network (`Battaglia et al., NeurIPS 2016 <https://arxiv.org/abs/1612.00222>`_)."""
    return InteractionEncoder(f, a, c, layers, dropout=options.dropout)


def influencer(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """:class:`~geoinfluencer.nn.InfluencerConv`, after the `Influencer Loss
    <https://doi.org/10.1051/epjconf/202429509016>`_; with ``neighbors`` in its own space."""
    k = options.neighbors
    if k is not None:
        return ConvEncoder(
            lambda: InfluencerConv(c, c, k=k),
            f, c, layers, reads="batch", dropout=options.dropout,
        )  # fmt: skip
    return ConvEncoder(
        lambda: InfluencerConv(c, c, edge_dim=_edge_dim(a)),
        f, c, layers, reads="edge_attr", dropout=options.dropout,
    )  # fmt: skip


def sage(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """GraphSAGE (`Hamilton, Ying and Leskovec, NeurIPS 2017 <https://arxiv.org/abs/1706.02216>`_);
    it reads no edge features."""
    return ConvEncoder(
        lambda: SAGEConv(c, c),
        f, c, layers, reads="edge_index", dropout=options.dropout,
    )  # fmt: skip


def gatv2(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """GATv2 with 4 heads (`Brody, Alon and Yahav, ICLR 2022 <https://arxiv.org/abs/2105.14491>`_)."""
    if c % 4:
        raise InputError(f"model.hidden_channels is {c}; gatv2 needs a multiple of 4")
    return ConvEncoder(
        lambda: GATv2Conv(c, c // 4, heads=4, edge_dim=_edge_dim(a)),
        f, c, layers, reads="edge_attr", dropout=options.dropout,
    )  # fmt: skip


def gine(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """GINE (`Hu et al., ICLR 2020 <https://arxiv.org/abs/1905.12265>`_)."""
    if not a:
        raise InputError("model.encoder gine needs edge features; this dataset has none")
    return ConvEncoder(
        lambda: GINEConv(mlp([c, c, c]), edge_dim=_edge_dim(a)),
        f, c, layers, reads="edge_attr", dropout=options.dropout,
    )  # fmt: skip


def vector_attention(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """:class:`~geoinfluencer.nn.VectorAttentionConv`, the layer of Point Transformer."""
    return ConvEncoder(
        lambda: VectorAttentionConv(c, _edge_dim(a)),
        f, c, layers, reads="edge_attr", dropout=options.dropout,
    )  # fmt: skip


def hierarchy(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """:class:`~geoinfluencer.nn.hierarchy.HierarchyEncoder`: nodes, superpoints, coarser ones."""
    return HierarchyEncoder(f, a, c, layers, levels=options.levels, dropout=options.dropout)


def pointwise(f: int, a: int, c: int, layers: int, options: EncoderOptions) -> nn.Module:
    """No messages: the baseline that the others must beat."""
    return PointwiseEncoder(f, c, layers, dropout=options.dropout)


ENCODERS: dict[str, EncoderBuilder] = {
    "interaction": interaction,
    "influencer": influencer,
    "sage": sage,
    "gatv2": gatv2,
    "gine": gine,
    "vector_attention": vector_attention,
    "hierarchy": hierarchy,
    "pointwise": pointwise,
}


def build_encoder(
    name: str, in_channels: int, edge_channels: int, hidden_channels: int, num_layers: int,
    *, neighbors: int | None = None, levels: Sequence[str] = ("superpoint",), dropout: float = 0.0,
) -> nn.Module:  # fmt: skip
    """The encoder called ``name``.

    Raises:
        InputError: unknown name, or a size that the encoder cannot have.
    """
    if name not in ENCODERS:
        raise InputError(f"model.encoder is {name!r}; choose one of {', '.join(ENCODERS)}")
    if name != "hierarchy" and tuple(levels) != ("superpoint",):
        raise InputError(
            f"model.levels is {list(levels)!r}, and {name} has no levels; leave it out"
        )
    options = EncoderOptions(neighbors=neighbors, levels=levels, dropout=dropout)
    return ENCODERS[name](in_channels, edge_channels, hidden_channels, num_layers, options)


def _edge_dim(edge_channels: int) -> int | None:
    """Edge features of a convolution of a :class:`ConvEncoder`: one more, for the direction."""
    return edge_channels + 1 if edge_channels else None
