"""The standard model: normalise, encode, and embed every node twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.models.outputs import Outputs
from geoinfluencer.nn.encoders import build_encoder
from geoinfluencer.nn.hierarchy import HierarchyEncoder
from geoinfluencer.nn.mlp import mlp
from geoinfluencer.nn.pixel_affinity import PixelAffinity
from geoinfluencer.nn.pixel_images import PixelImages
from geoinfluencer.nn.pixel_stem import FeatureMaps
from geoinfluencer.nn.stems import build_stem


class InfluencerSegmenter(nn.Module):
    """Graph encoder with follower, influencer and (optional) class heads.

    The normalisation of node and edge features is part of the model (buffers), so a checkpoint
    predicts on raw features.

    Args:
        in_channels (int): node features F.
        edge_channels (int): edge features A, 0 for none. (default: 0)
        encoder (str): one of ``geoinfluencer.nn.encoders.ENCODERS``. (default: ``"interaction"``)
        hidden_channels (int): size of the node states. (default: 32)
        num_layers (int): message-passing layers. (default: 5)
        embedding_dim (int): D. (default: 8)
        embedding_scale (float): how far untrained embeddings spread, in units of the margin. All
            nodes in one ball repel each other at O(N^2) cost before they learn anything; spread
            nodes start to gather at once. (default: 6.0)
        num_classes (int): C, 0 for class-agnostic. (default: 0)
        neighbors (int, optional): k of learned-space neighbours (``influencer`` encoder).
        levels (list of str): fields of the sample that hold what is above the nodes, fine to coarse
            (``hierarchy`` encoder): ``superpoint``, ``coarse``. (default: ``["superpoint"]``)
        dropout (float): (default: 0.0)
        stem (str, optional): ``"conv"``: a :class:`~geoinfluencer.nn.pixel_stem.PixelStem` over the
            pixels of image samples, ``"timm"``: a
            :class:`~geoinfluencer.nn.backbone_stem.BackboneStem`, and with either a
            :class:`~geoinfluencer.nn.pixel_affinity.PixelAffinity` that gives every pixel its
            instance; None: segments are all there is. (default: None)
        stem_channels (int): features of the stem. (default: 16)
        stem_pooling (bool): the means of those over each segment go to the encoder beside the node
            features. (default: :obj:`True`)
        backbone (str): of stem ``"timm"``, a name of that library. (default: ``"resnet18"``)
        pretrained (bool): it comes with its weights, which are downloaded. (default: :obj:`True`)
        frozen (bool): it is not trained. (default: :obj:`False`)

    Shapes:
        - **input:** ``Data`` with ``x`` (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A)
        - **output:** :class:`Outputs`, follower and influencer (N, D), class_logits (N, C)
        - **with a stem**: the input also has ``image`` (P, 3), ``segment_map`` (P,), ``image_size``
          (B, 2), the output ``pixels``
    """

    x_mean: Tensor
    x_scale: Tensor
    edge_mean: Tensor
    edge_scale: Tensor

    def __init__(
        self,
        *,
        in_channels: int,
        edge_channels: int = 0,
        encoder: str = "interaction",
        hidden_channels: int = 32,
        num_layers: int = 5,
        embedding_dim: int = 8,
        embedding_scale: float = 6.0,
        num_classes: int = 0,
        neighbors: int | None = None,
        levels: Sequence[str] = ("superpoint",),
        dropout: float = 0.0,
        stem: Literal["conv", "timm"] | None = None,
        stem_channels: int = 16,
        stem_pooling: bool = True,
        backbone: str = "resnet18",
        pretrained: bool = True,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        sizes = {"hidden_channels": hidden_channels, "embedding_dim": embedding_dim}
        for name, value in (*sizes.items(), ("num_layers", num_layers)):
            if value < 1:
                raise InputError(f"model.{name} is {value}; it must be at least 1")
        self.in_channels, self.edge_channels = in_channels, edge_channels
        self.embedding_dim, self.num_classes = embedding_dim, num_classes
        self.register_buffer("x_mean", torch.zeros(in_channels))
        self.register_buffer("x_scale", torch.ones(in_channels))
        self.register_buffer("edge_mean", torch.zeros(edge_channels))
        self.register_buffer("edge_scale", torch.ones(edge_channels))
        self.stem_pooling = stem is not None and stem_pooling
        read = in_channels + (stem_channels if self.stem_pooling else 0)
        self.encoder = build_encoder(
            encoder, read, edge_channels, hidden_channels, num_layers,
            neighbors=neighbors, levels=levels, dropout=dropout,
        )  # fmt: skip
        # the raw features go to the trunk again: the encoder's states are made for comparing
        # nodes, where a node lies in the embedding depends on where it is in the detector
        width = 2 * hidden_channels
        self.trunk = nn.Sequential(mlp([hidden_channels + read, width, width]), nn.SiLU())
        self.follower = nn.Linear(width, embedding_dim)
        self.influencer = nn.Linear(width, embedding_dim)
        with torch.no_grad():
            for head in (self.follower, self.influencer):
                head.weight *= embedding_scale
        self.classify = nn.Linear(width, num_classes) if num_classes else None
        self.stem = build_stem(
            stem, stem_channels, backbone=backbone, pretrained=pretrained, frozen=frozen
        )
        self.pooled = nn.LayerNorm(stem_channels) if self.stem_pooling else None
        self.affinity = None if stem is None else PixelAffinity(width, stem_channels)

    @torch.no_grad()
    def fit_normalisation(self, samples: Iterable[Data]) -> None:
        """Set the buffers from some training samples; constant columns keep scale 1."""
        sums = [_Moments(self.in_channels), _Moments(self.edge_channels)]
        for data in samples:
            sums[0].add(data.x)
            if self.edge_channels:
                sums[1].add(data.edge_attr)
        for moments, mean, scale in (
            (sums[0], self.x_mean, self.x_scale),
            (sums[1], self.edge_mean, self.edge_scale),
        ):
            mean.copy_(moments.mean())
            scale.copy_(moments.scale())

    def forward(self, data: Data) -> Outputs:
        maps = self.feature_maps(data)
        return self.embed(self.node_states(data, maps), data, maps)

    def feature_maps(self, data: Data) -> FeatureMaps | None:
        """What the stem makes of the pixels; None without one."""
        found: FeatureMaps | None = None if self.stem is None else self.stem(PixelImages.of(data))
        return found

    def embed(self, state: Tensor, data: Data, maps: FeatureMaps | None) -> Outputs:
        """What the heads make of node states (N, 2 hidden_channels)."""
        pixels = None
        if maps is not None and self.affinity is not None:
            pixels = self.affinity(maps, state, data.pos)
        return Outputs(
            pixels=pixels,
            follower=self.follower(state),
            influencer=self.influencer(state),
            class_logits=None if self.classify is None else self.classify(state),
        )

    def node_states(self, data: Data, maps: FeatureMaps | None) -> Tensor:
        """States (N, 2 hidden_channels) of the nodes, which the heads read."""
        x, edge_attr = data.x, data.get("edge_attr")
        if x.shape[1] != self.in_channels:
            raise InputError(
                f"`x` has {x.shape[1]} features; this model was made for {self.in_channels}"
            )
        found = 0 if edge_attr is None else edge_attr.shape[1]
        if self.edge_channels and found != self.edge_channels:
            raise InputError(
                f"`edge_attr` has {found} features; this model was made for {self.edge_channels}"
            )
        x = (x - self.x_mean) / self.x_scale
        if maps is not None and self.pooled is not None:
            x = torch.cat([x, self.pooled(maps.pooled(x.shape[0]))], dim=1)
        if self.edge_channels and edge_attr is not None:
            # a few doublets have absurd helix parameters; they must not swamp the rest
            edge_attr = ((edge_attr - self.edge_mean) / self.edge_scale).clamp(-5, 5)
        else:
            edge_attr = None
        given = [x, data.edge_index, edge_attr, data.get("batch")]
        if isinstance(self.encoder, HierarchyEncoder):
            given.extend(data.get(name) for name in self.encoder.levels)
        state = self.encoder(*given)
        states: Tensor = self.trunk(torch.cat([state, x], dim=1))
        return states


class _Moments:
    """Running sums for mean and standard deviation of feature columns, in float64."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.total = torch.zeros(channels, dtype=torch.float64)
        self.square = torch.zeros(channels, dtype=torch.float64)

    def add(self, values: Tensor) -> None:
        values = values.detach().cpu().double()
        self.count += values.shape[0]
        self.total += values.sum(0)
        self.square += values.square().sum(0)

    def mean(self) -> Tensor:
        return self.total / max(self.count, 1)

    def scale(self) -> Tensor:
        variance = self.square / max(self.count, 1) - self.mean().square()
        spread = variance.clamp_min(0).sqrt()
        return torch.where(spread > 1e-6, spread, torch.ones_like(spread))
