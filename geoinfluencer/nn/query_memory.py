"""What queries read: the nodes of their graph, or groups of them, and which rows they claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.nn.query_outputs import QueryOutputs
from geoinfluencer.nn.ragged import Ragged


class Scale(NamedTuple):
    """One scale of the memory: the nodes themselves, or groups of them."""

    state: Tensor  # (N_s, F)
    ptr: Tensor  # (B+1,) first row of each graph, and N_s
    cluster: Tensor | None = None  # (N,) row that each node is part of; the nodes need none


@dataclass(frozen=True)
class Memory:
    """What queries read and claim, worked out once for any number of sets of queries."""

    node: Tensor  # (N, H) mask features of the nodes
    bias: Tensor  # (N,) of their logits
    nodes: Ragged
    read: list[tuple[Tensor, Tensor]]  # keys and values of each layer
    rows: list[Ragged]  # their graphs
    clusters: list[Tensor | None]  # (N,) row of each node in them

    def can_mask(self, layer: int) -> bool:
        """Whether it is known which nodes the rows of a layer stand for."""
        return self.clusters[layer] is not None or self.rows[layer].bounds == self.nodes.bounds


@torch.no_grad()
def claimed_rows(found: QueryOutputs, rows: Ragged, cluster: Tensor | None) -> Tensor:
    """(N_s, M) bool: rows of a scale that hold a node which the query rather has than nothing."""
    if cluster is None:
        return torch.cat([block > 0 for block in found.blocks()])
    seen = cluster.new_zeros(rows.total, found.logits.shape[1], dtype=torch.float32)
    low = 0
    for block in found.blocks():
        own = cluster[low : low + block.shape[0]]
        low += block.shape[0]
        seen += ops.segment_sum((block > 0).float(), own, rows.total)
    return seen > 0


def check_scale(scale: Scale, rows: Ragged, nodes: Ragged) -> None:
    """Raises InputError where a scale does not fit its graphs or the nodes."""
    if rows.num_graphs != nodes.num_graphs or rows.total != scale.state.shape[0]:
        raise InputError(
            f"a scale has {scale.state.shape[0]} rows, its ptr {rows.num_graphs} graphs and ends "
            f"at {rows.total}; expected {nodes.num_graphs} graphs and as many rows"
        )
    if scale.cluster is not None and scale.cluster.shape != (nodes.total,):
        raise InputError(
            f"the cluster of a scale has shape {tuple(scale.cluster.shape)}; expected the row of "
            f"each of the {nodes.total} nodes"
        )
