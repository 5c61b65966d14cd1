"""Logits of nodes for the queries of their graph, all at once or some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from geoinfluencer.nn.ragged import Ragged, prefer_padding


def query_products(node: Tensor, query: Tensor, nodes: Ragged, queries: Ragged) -> Tensor:
    r"""Products of every node with the queries of its graph, as logits.

    .. math:: x_{im} = \langle n_i, q_{b(i), m} \rangle

    Args:
        node, query: embeddings of nodes and queries.
        nodes, queries: the graphs that they belong to.

    Shapes:
        node (N, H), query (Q, H) -> (N, M) with M the most queries of a graph; -inf in columns
        beyond the queries of the node's graph.
    """
    if prefer_padding(nodes, queries):
        return nodes.unpad(_padded(node, query, nodes, queries))
    parts = []
    for rows, own in zip(node.split(nodes.sizes), query.split(queries.sizes), strict=True):
        missing = queries.largest - own.shape[0]
        parts.append(torch.nn.functional.pad(rows @ own.t(), (0, missing), value=-torch.inf))
    return torch.cat(parts)


def _padded(node: Tensor, query: Tensor, nodes: Ragged, queries: Ragged) -> Tensor:
    product = nodes.pad(node) @ queries.pad(query).transpose(1, 2)  # (B, N, M)
    if queries.even:
        return product
    return product.masked_fill(~queries.valid[:, None, :], -torch.inf)


@dataclass(frozen=True)
class LogitRows:
    """What the (N, M) logits are computed from, where they are too many to hold."""

    node: Tensor  # (N, H)
    query: Tensor  # (Q, H)
    bias: Tensor  # (N,)
    nodes: Ragged
    queries: Ragged

    def dense(self) -> Tensor:
        """All rows, (N, M)."""
        with _full_precision(self.node):
            product = query_products(_wide(self.node), _wide(self.query), self.nodes, self.queries)
            return product + _wide(self.bias)[:, None]

    def blocks(self, max_elements: int = 2**24) -> Iterator[Tensor]:
        """All rows in order, (n, M) at a time with n M <= ``max_elements`` (and n >= 1)."""
        step = max(1, max_elements // max(1, self.queries.largest))
        for b in range(self.nodes.num_graphs):
            own = self.graph(b)
            missing = self.queries.largest - own.queries.largest
            for low in range(0, own.nodes.total, step):
                with _full_precision(self.node):
                    product = _wide(own.node[low : low + step]) @ _wide(own.query).t()
                    product = product + _wide(own.bias)[low : low + step, None]
                yield torch.nn.functional.pad(product, (0, missing), value=-torch.inf)

    def graph(self, b: int) -> LogitRows:
        """Those of one graph."""
        low, high = self.nodes.bounds[b : b + 2]
        first, last = self.queries.bounds[b : b + 2]
        return LogitRows(
            self.node[low:high],
            self.query[first:last],
            self.bias[low:high],
            _single(self.nodes, high - low),
            _single(self.queries, last - first),
        )


def _full_precision(like: Tensor) -> torch.autocast:
    """Under mixed precision products of half precision would lose the prior: it is a small
    difference of large squares."""
    return torch.autocast(like.device.type, enabled=False)


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def _single(like: Ragged, rows: int) -> Ragged:
    return Ragged(like.ptr.new_tensor([0, rows]), (0, rows))
