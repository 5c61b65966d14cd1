"""The transformer decoder: queries look at the nodes of their graph and claim some of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.nn.logit_rows import LogitRows
from geoinfluencer.nn.mlp import mlp
from geoinfluencer.nn.query_layer import QueryLayer
from geoinfluencer.nn.query_memory import Memory, Scale, check_scale, claimed_rows
from geoinfluencer.nn.query_outputs import QueryOutputs
from geoinfluencer.nn.query_prior import Prior
from geoinfluencer.nn.ragged import Ragged


class QueryDecoder(nn.Module):
    r"""Query decoder with masked attention after `Mask2Former (Cheng et al., CVPR 2022)
    <https://arxiv.org/abs/2112.01527>`_ on the nodes of graphs.

    Every layer lets the queries read the memory, each only rows that its last prediction claimed
    (all rows where it claimed none), then each other. From the states before the first layer and
    after every one the same heads predict a class, a quality, and the logits

    .. math:: x_{im} = \frac{\langle \mathrm{MLP}(q_m), W n_i \rangle}{\sqrt{H}} + w^\top n_i

    of node i for query m. Layer l reads scale ``l % S`` of the memory. A query claims a row of a
    coarser scale if it claims one of its nodes; a scale that does not say which rows its nodes are
    part of is read unmasked.

    Args:
        in_channels (int): size F of the node states.
        hidden_channels (int): size H of the query states. (default: 64)
        num_layers (int): L. (default: 3)
        heads (int): divides H. (default: 4)
        num_classes (int): C, 0 for class-agnostic. (default: 0)
        masked (bool): whether to read only what was claimed. (default: :obj:`True`)
        dropout (float): of each update of the states. (default: 0.0)

    Shapes:
        - **input:** query states (Q, H), ``query_ptr`` (B+1,), node states (N, F), ``ptr`` (B+1,),
          ``scales`` *(optional)*: coarser first, as :class:`Scale` or (state, ptr) of the nodes
        - **output:** :class:`QueryOutputs`, logits (N, M), with the L earlier predictions in
          ``auxiliary``

    Raises:
        InputError: sizes that cannot be, or rows and graphs that do not fit.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        hidden_channels: int = 64,
        num_layers: int = 3,
        heads: int = 4,
        num_classes: int = 0,
        masked: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise InputError(f"num_layers is {num_layers}; a decoder needs at least 1")
        h = hidden_channels
        self.masked = masked
        self.memory_norm = nn.LayerNorm(in_channels)
        self.memory_in = nn.Linear(in_channels, h)
        self.node = nn.Linear(in_channels, h)
        self.node_bias = nn.Linear(in_channels, 1)
        self.layers = nn.ModuleList(
            QueryLayer(h, heads=heads, dropout=dropout) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(h)
        self.mask = mlp([h, h, h], norm=False)
        self.quality = nn.Linear(h, 1)
        self.classify = nn.Linear(h, num_classes) if num_classes else None

    def forward(
        self,
        query: Tensor,
        query_ptr: Tensor,
        state: Tensor,
        ptr: Tensor,
        scales: Sequence[Scale | tuple[Tensor, Tensor]] | None = None,
    ) -> QueryOutputs:
        return self.decode(query, query_ptr, self.remember(state, ptr, scales))

    def remember(
        self,
        state: Tensor,
        ptr: Tensor,
        scales: Sequence[Scale | tuple[Tensor, Tensor]] | None = None,
    ) -> Memory:
        """The memory of some nodes, for :meth:`decode`; arguments as of the call."""
        nodes = Ragged.of(ptr)
        if nodes.total != state.shape[0]:
            raise InputError(f"state has {state.shape[0]} rows, ptr ends at {nodes.total}")
        given = [Scale(*scale) for scale in scales or [Scale(state, ptr)]]
        ragged, projected = [], []
        for scale in given:
            rows = nodes if scale.ptr is ptr else Ragged.of(scale.ptr)
            check_scale(scale, rows, nodes)
            ragged.append(rows)
            projected.append(self.memory_in(self.memory_norm(scale.state)))
        places = [layer % len(given) for layer in range(len(self.layers))]
        # what masks are compared with has unit variance too, so that logits start near 0
        normed = self.memory_norm(state)
        return Memory(
            node=self.node(normed),
            bias=self.node_bias(normed)[:, 0],
            nodes=nodes,
            read=[
                layer.cross.remember(projected[place])  # type: ignore[union-attr, operator]
                for layer, place in zip(self.layers, places, strict=True)
            ],
            rows=[ragged[place] for place in places],
            clusters=[given[place].cluster for place in places],
        )

    def decode(
        self,
        query: Tensor,
        query_ptr: Tensor,
        memory: Memory,
        *,
        prior: Prior | None = None,
        max_logits: int | None = None,
    ) -> QueryOutputs:
        """Predictions of queries that look at a memory.

        Args:
            query: initial states (Q, H).
            query_ptr: (B+1,) first query of each graph, and Q.
            memory: of :meth:`remember`.
            prior: what is added to the logits of every layer.
            max_logits: with more than so many logits (N M) return the rule to compute them by
                blocks in place of the logits, and no earlier predictions. Not for training.

        Raises:
            InputError: ``query_ptr`` does not fit the queries or the memory.
        """
        queries = Ragged.of(query_ptr)
        if queries.total != query.shape[0] or queries.num_graphs != memory.nodes.num_graphs:
            raise InputError(
                f"query_ptr has {queries.num_graphs} graphs and ends at {queries.total}; expected "
                f"{memory.nodes.num_graphs} and {query.shape[0]}"
            )
        size = memory.nodes.total * queries.largest
        dense = max_logits is None or size <= max_logits
        found = [self._predict(query, queries, memory, prior, dense=dense)]
        for i, layer in enumerate(self.layers):
            rows, allowed = memory.rows[i], None
            if self.masked and memory.can_mask(i):
                allowed = claimed_rows(found[-1], rows, memory.clusters[i])
            query = layer(query, memory.read[i], queries, rows, allowed)
            found.append(self._predict(query, queries, memory, prior, dense=dense))
        last = found.pop()
        if dense:
            last.auxiliary = found
        return last

    def _predict(
        self, query: Tensor, queries: Ragged, memory: Memory, prior: Prior | None, *, dense: bool
    ) -> QueryOutputs:
        query = self.norm(query)
        node, mask = memory.node, self.mask(query) / query.shape[1] ** 0.5
        if prior is not None:
            node, mask = torch.cat([node, prior.node], 1), torch.cat([mask, prior.query], 1)
        rows = LogitRows(node, mask, memory.bias, memory.nodes, queries)
        return QueryOutputs(
            logits=rows.dense() if dense else query.new_empty(0, queries.largest),
            query_ptr=queries.ptr,
            quality_logits=self.quality(query)[:, 0],
            class_logits=None if self.classify is None else self.classify(query),
            rows=None if dense else rows,
        )
