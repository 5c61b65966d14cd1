"""Query logits, checked, some rows of one graph at a time, whether they are held or yielded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from geoinfluencer.errors import InputError

Activation = Literal["softmax", "sigmoid"]  # of the loss that trained the logits
_ELEMENTS = 2**22  # of a piece: its softmax takes as much again


class Piece(NamedTuple):
    """Rows ``low`` to ``high`` of the batch, all of graph ``graph``."""

    graph: int
    low: int
    high: int
    logits: Tensor  # (high - low, M_b) float32 or float64: the queries of that graph alone


def logit_pieces(
    logits: Tensor | Iterable[Tensor], query_ptr: Tensor, ptr: Tensor
) -> Iterator[Piece]:
    """Splits query logits at graphs, and into pieces whose temporaries stay small.

    Args:
        logits: of all nodes in order, as one tensor or as blocks of rows.
        query_ptr, ptr: first query and first node of each graph, and Q and N.

    Shapes:
        logits (N, M) or blocks (n, M), query_ptr, ptr (B+1,).

    Raises:
        InputError: pointers, rows or columns that do not fit.
    """
    nodes, queries = ptr.tolist(), query_ptr.tolist()
    if len(nodes) != len(queries):
        raise InputError(f"query_ptr has {len(queries)} entries, ptr {len(nodes)}; expected B+1")
    most = max((b - a for a, b in pairwise(queries)), default=0)
    row, graph = 0, 0
    for block in [logits] if isinstance(logits, Tensor) else logits:
        if block.dim() != 2 or block.shape[1] < most or row + block.shape[0] > nodes[-1]:
            raise InputError(
                f"logits has {tuple(block.shape)} from row {row} on; expected (N, M) = "
                f"({nodes[-1]}, {most}), or blocks of its rows"
            )
        end = row + block.shape[0]
        first = row
        while row < end:
            while nodes[graph + 1] <= row:
                graph += 1
            count = queries[graph + 1] - queries[graph]
            step = max(1, _ELEMENTS // max(1, count))
            stop = min(end, nodes[graph + 1], row + step)
            piece = block[row - first : stop - first, :count]
            wide = torch.float64 if piece.dtype == torch.float64 else torch.float32
            yield Piece(graph, row, stop, piece.to(wide))
            row = stop
    if row != nodes[-1]:
        raise InputError(f"logits has {row} rows; expected one for each of the {nodes[-1]} nodes")


def check_activation(activation: str) -> None:
    """Raises InputError for an unknown one."""
    if activation not in ("softmax", "sigmoid"):
        raise InputError(f"activation {activation!r} is neither 'softmax' nor 'sigmoid'")


def check_queries(
    queries: int,
    quality_logits: Tensor | None,
    class_logits: Tensor | None,
    query_node: Tensor | None,
) -> None:
    """Raises InputError that names what has not one row for each query."""
    given = {"quality_logits": quality_logits, "query_node": query_node}
    for name, value in (*given.items(), ("class_logits", class_logits)):
        rank = 2 if name == "class_logits" else 1
        if value is not None and (value.dim() != rank or value.shape[0] != queries):
            raise InputError(
                f"{name} has shape {tuple(value.shape)}; expected one row for each of the "
                f"{queries} queries"
            )
