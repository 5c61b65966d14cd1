"""The query transformer: the standard model's encoder and heads, and a decoder of queries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.models.outputs import Outputs
from geoinfluencer.models.segmenter import InfluencerSegmenter
from geoinfluencer.nn.denoising import DenoisingQueries, instance_columns
from geoinfluencer.nn.query_decoder import QueryDecoder
from geoinfluencer.nn.query_memory import Memory, Scale
from geoinfluencer.nn.query_outputs import DenoisingOutputs, QueryOutputs
from geoinfluencer.nn.query_prior import nearness
from geoinfluencer.nn.query_selection import (
    LearnedQueries,
    check_selection,
    cover_instances,
    select_influencers,
)

QUERIES = ("influencer", "learned")
# share of influential nodes that an untrained model expects: places of a few nodes reach
# ``min_influence`` with it, so that it starts with too many queries, which fall away as it learns
# who has influence, and not with too few
_PRIOR = 0.1


class QuerySegmenter(InfluencerSegmenter):
    """:class:`InfluencerSegmenter` with a :class:`~geoinfluencer.nn.query_decoder.QueryDecoder`.

    Queries are either learned, M for every graph, or influencers: nodes chosen by
    :func:`~geoinfluencer.nn.query_selection.select_influencers`, as many as the scene has. To
    choose well the embeddings need an embedding loss, and ``influence`` needs
    :class:`~geoinfluencer.losses.influence.InfluenceLoss`, beside the loss of the queries.

    Args:
        queries (str): ``"influencer"`` or ``"learned"``. (default: ``"influencer"``)
        num_queries (int): M of learned queries. (default: 100)
        query_radius (float): followers nearer than this make duplicates, in units of the
            embedding. (default: 0.25)
        follower_prior (float): strength, at the start, with which an influencer query claims the
            nodes whose followers are within the margin 1.0 of it, see
            :func:`~geoinfluencer.nn.query_prior.nearness`; 0 for none. (default: 1.0)
        min_influence (float): a place among the followers becomes a query if the influence of its
            nodes sums to as much; with less a large instance is broken up into places.
            (default: 0.3)
        min_queries (int): per graph; the most influential places where too few reach
            ``min_influence``. (default: 8)
        max_queries (int, optional): per graph, the most influential; it bounds the cost of the
            first steps, when places are many. None: as many as the scene has. (default: 1000)
        cover (bool): in training give every instance without an influencer query one more, see
            :func:`~geoinfluencer.nn.query_selection.cover_instances`; beyond ``max_queries`` too.
            (default: :obj:`True`)
        query_channels (int): size H of the query states. (default: 64)
        decoder_layers (int): (default: 3)
        heads (int): of the attention, divides H. (default: 4)
        masked_attention (bool): queries read only the nodes that they claim. (default:
            :obj:`True`)
        scale_sizes (list of float): cells, in units of ``pos``, by which nodes are pooled to
            further scales of the memory; give the largest first. (default: the nodes alone)
        denoising_groups (int): of noised ground-truth queries, in training alone. (default: 0)
        denoising_flip (float): share of labels that noise flips. (default: 0.3)
        max_logits (int): with more than so many logits (N M) evaluation yields them by blocks,
            see :class:`~geoinfluencer.nn.query_outputs.QueryOutputs`. (default: 2^26)

    The other arguments are those of :class:`InfluencerSegmenter`.

    Shapes:
        - **input:** ``Data`` as of :class:`InfluencerSegmenter`, with ``pos`` (N, d) for
          ``scale_sizes`` and ``instance`` (N,), ``ignore`` (N,) for denoising
        - **output:** :class:`Outputs` with ``queries`` and, for influencer queries, ``influence``

    Raises:
        InputError: sizes that cannot be, or an unknown kind of queries.
    """

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
        queries: str = "influencer",
        num_queries: int = 100,
        query_radius: float = 0.25,
        follower_prior: float = 1.0,
        min_influence: float = 0.3,
        min_queries: int = 8,
        max_queries: int | None = 1000,
        cover: bool = True,
        query_channels: int = 64,
        decoder_layers: int = 3,
        heads: int = 4,
        masked_attention: bool = True,
        scale_sizes: Sequence[float] = (),
        denoising_groups: int = 0,
        denoising_flip: float = 0.3,
        max_logits: int = 2**26,
    ) -> None:
        super().__init__(
            in_channels=in_channels, edge_channels=edge_channels, encoder=encoder,
            hidden_channels=hidden_channels, num_layers=num_layers, embedding_dim=embedding_dim,
            embedding_scale=embedding_scale, num_classes=num_classes, neighbors=neighbors,
            levels=levels, dropout=dropout, stem=stem, stem_channels=stem_channels,
            stem_pooling=stem_pooling, backbone=backbone, pretrained=pretrained, frozen=frozen,
        )  # fmt: skip
        if queries not in QUERIES:
            raise InputError(f"model.queries is {queries!r}; choose one of {', '.join(QUERIES)}")
        if denoising_groups < 0:
            raise InputError(f"model.denoising_groups is {denoising_groups}; it must be 0 or more")
        if not 0.0 <= follower_prior < math.inf:
            raise InputError(f"model.follower_prior is {follower_prior}; it must be 0 or more")
        check_selection(query_radius, min_influence, min_queries, max_queries)
        width = self.follower.in_features
        self.select = partial(
            select_influencers, radius=query_radius, min_influence=min_influence,
            min_queries=min_queries, max_queries=max_queries,
        )  # fmt: skip
        self.cover = cover
        self.scale_sizes = tuple(scale_sizes)
        self.denoising_groups = denoising_groups
        self.max_logits = max_logits
        self.nearness = None  # ln of the strength, which is learned
        if queries == "influencer" and follower_prior > 0:
            self.nearness = nn.Parameter(torch.tensor(math.log(follower_prior)))
        self.influence = nn.Linear(width, 1) if queries == "influencer" else None
        self.content = nn.Linear(width, query_channels) if queries == "influencer" else None
        self.learned = LearnedQueries(num_queries, query_channels) if queries == "learned" else None
        if self.influence is not None:
            nn.init.constant_(self.influence.bias, math.log(_PRIOR / (1 - _PRIOR)))
        self.decoder = QueryDecoder(
            width, hidden_channels=query_channels, num_layers=decoder_layers, heads=heads,
            num_classes=self.num_classes, masked=masked_attention,
            dropout=dropout,
        )  # fmt: skip
        self.denoise = None
        if denoising_groups:
            self.denoise = DenoisingQueries(width, query_channels, flip=denoising_flip)

    def forward(self, data: Data) -> Outputs:
        maps = self.feature_maps(data)
        state = self.node_states(data, maps)
        outputs = self.embed(state, data, maps)
        ptr = ops.resolve_ptr(
            None if data.get("ptr") is not None else data.get("batch"),
            data.get("ptr"),
            state.shape[0],
            state.device,
        )
        memory = self.decoder.remember(state, ptr, self._scales(data, state, ptr))
        node, prior = None, None
        if self.learned is not None:
            query, query_ptr = self.learned(ptr.shape[0] - 1)
        else:
            assert self.influence is not None and self.content is not None
            outputs.influence = self.influence(state)[:, 0]
            node, query_ptr = self.select(outputs.influence, outputs.follower, ptr)
            if self.training and self.cover and data.get("instance") is not None:
                node, query_ptr = cover_instances(
                    node, outputs.influence, data.instance, ptr, ignore=data.get("ignore")
                )
            query = self.content(state[node])
            if self.nearness is not None:
                # the embeddings are the embedding loss's to move
                follower, influencer = outputs.follower.detach(), outputs.influencer.detach()
                prior = nearness(follower, influencer[node], 1.0, self.nearness.exp())
        limit = None if self.training else self.max_logits
        outputs.queries = self.decoder.decode(
            query, query_ptr, memory, prior=prior, max_logits=limit
        )
        for layer in (*outputs.queries.auxiliary, outputs.queries):
            layer.query_node = node
        instance = data.get("instance")
        if self.training and self.denoise is not None and instance is not None:
            ignore = data.get("ignore")
            if ignore is not None:
                instance = torch.where(ignore, -1, instance)
            self._denoise(outputs.queries, state, instance, ptr, memory)
        return outputs

    def _scales(self, data: Data, state: Tensor, ptr: Tensor) -> list[Scale]:
        """The memory, in the order in which layers visit it: coarser scales, then the nodes."""
        if self.scale_sizes and data.get("pos") is None:
            raise InputError("scale_sizes needs `pos`, which this graph lacks")
        scales = []
        for size in self.scale_sizes:
            voxels = ops.grid_pool(data.pos, size, ptr=ptr)
            pooled = ops.segment_mean(state, voxels.cluster, voxels.counts.shape[0])
            scales.append(Scale(pooled, voxels.ptr, voxels.cluster))
        return [*scales, Scale(state, ptr)]

    def _denoise(
        self, queries: QueryOutputs, state: Tensor, instance: Tensor, ptr: Tensor, memory: Memory
    ) -> None:
        """Adds the noised queries' predictions to those of every layer."""
        assert self.denoise is not None
        column, instance_ptr = instance_columns(instance, ptr)
        groups = []
        for _ in range(self.denoising_groups):
            # decoded by themselves: no query that is matched, and no other group, can look at them
            noised = self.denoise(state, column, instance_ptr, ptr)
            found = self.decoder.decode(noised, instance_ptr, memory)
            groups.append([*found.auxiliary, found])
        layers = (*queries.auxiliary, queries)
        for layer, of_groups in zip(layers, zip(*groups, strict=True), strict=True):
            layer.denoising = _stack(of_groups, column)


def _stack(groups: Sequence[QueryOutputs], column: Tensor) -> DenoisingOutputs:
    classes = [group.class_logits for group in groups if group.class_logits is not None]
    return DenoisingOutputs(
        logits=torch.stack([group.logits for group in groups]),
        target=column,
        query_ptr=groups[0].query_ptr,
        quality_logits=torch.stack([group.quality_logits for group in groups]),
        class_logits=torch.stack(classes) if classes else None,
    )
