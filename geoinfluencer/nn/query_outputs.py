"""What a query decoder predicts: which query each node belongs to, and what each query is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from geoinfluencer.nn.logit_rows import LogitRows


@dataclass
class DenoisingOutputs:
    """Predictions of G groups of noised queries, one query for each of the K true instances.

    Whom a query stands for is known, so their loss needs no matching: column ``target[i]`` is the
    right one for node i in every group, void (logit 0) where it is -1.
    """

    logits: Tensor  # (G, N, M): column m is instance m of the node's graph; -inf beyond them
    target: Tensor  # (N,) int64: column of the node's own instance, -1 = none
    query_ptr: Tensor  # (B+1,) int64: first instance of each graph, and K
    quality_logits: Tensor  # (G, K)
    class_logits: Tensor | None = None  # (G, K, C)


@dataclass
class QueryOutputs:
    """Dense outputs of Q queries for the N nodes of B graphs, M the most queries of one graph.

    Column m of a node of graph b is query ``query_ptr[b] + m``; columns beyond the graph's queries
    are -inf. Void is an implicit column of logit 0: ``p_i = softmax([x_i1, ..., x_iM, 0])``, so
    ``x > 0`` says "rather this query than nothing", for softmax and for sigmoid losses.

    Where (N, M) would not fit into memory ``rows`` computes any rows of it, ``logits`` is (0, M)
    and :meth:`blocks` yields them all.
    """

    logits: Tensor  # (N, M)
    query_ptr: Tensor  # (B+1,) int64
    quality_logits: Tensor  # (Q,): is it an instance, and how well is it met
    class_logits: Tensor | None = None  # (Q, C), no column for "no object"
    query_node: Tensor | None = None  # (Q,) int64: node that a query was made from
    auxiliary: list[QueryOutputs] = field(default_factory=list)  # earlier layers, first to last
    denoising: DenoisingOutputs | None = None
    rows: LogitRows | None = None

    @property
    def num_queries(self) -> int:
        """Q, of all graphs together."""
        return self.quality_logits.shape[0]

    def blocks(self, max_elements: int = 2**24) -> Iterator[Tensor]:
        """The logits (N, M) in order, some rows at a time.

        Args:
            max_elements: values of a block that has to be computed; what is there is one block.
        """
        if self.rows is None:
            yield self.logits
        else:
            yield from self.rows.blocks(max_elements)

    def split(self, ptr: Tensor) -> list[QueryOutputs]:
        """One object per graph with its own columns alone; node indices are local to it.

        Args:
            ptr: (B+1,) first node of each graph, and N.

        ``denoising`` is left out: it belongs to training.
        """
        nodes, queries = ptr.tolist(), self.query_ptr.tolist()
        layers = [layer.split(ptr) for layer in self.auxiliary]
        found = []
        for b, (low, high) in enumerate(pairwise(queries)):
            first, last = nodes[b], nodes[b + 1]
            found.append(
                QueryOutputs(
                    logits=self.logits[first:last, : high - low],
                    query_ptr=torch.tensor([0, high - low], device=ptr.device),
                    quality_logits=self.quality_logits[low:high],
                    class_logits=None if self.class_logits is None else self.class_logits[low:high],
                    query_node=None
                    if self.query_node is None
                    else self.query_node[low:high] - first,
                    auxiliary=[layer[b] for layer in layers],
                    rows=None if self.rows is None else self.rows.graph(b),
                )
            )
        return found
