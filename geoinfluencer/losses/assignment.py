"""The cheapest one-to-one assignment of instances to queries, graph by graph."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from geoinfluencer.errors import InputError


@torch.no_grad()
def assign_queries(
    cost: Tensor,  # (K, M)
    row_ptr: Tensor,  # (B+1,)
    queries: Tensor,  # (B,)
    *,
    name: str = "cost",
) -> Tensor:
    r"""Query of each instance in the matching of least total cost, after `"The Hungarian method for
    the assignment problem" (Kuhn, 1955) <https://doi.org/10.1002/nav.3800020109>`_.

    Solved for each graph by :func:`scipy.optimize.linear_sum_assignment` (shortest augmenting
    paths, at most O(K^2 M)), in float64 on costs of at least float32, with one copy to the host for
    the whole batch.

    Args:
        cost: of giving query m of the row's graph to the row's instance; what stands in columns
            beyond ``queries`` is not read.
        row_ptr: first instance of each graph, and K.
        queries: queries of each graph.
        name: of the cost, for the messages.

    Shapes:
        cost (K, M), row_ptr (B+1,), queries (B,) -> (K,) int64 column, -1 = without a query, in a
        graph that has fewer queries than instances.

    Raises:
        InputError: a cost is NaN or infinite; names the cost, the graph, and the first such pair.
    """
    wide = cost.detach().to(torch.promote_types(cost.dtype, torch.float32)).cpu().numpy()
    match = torch.full((cost.shape[0],), -1, dtype=torch.int64)
    bounds = row_ptr.tolist()
    for graph, count in enumerate(queries.tolist()):
        first, last = bounds[graph], bounds[graph + 1]
        if first == last or count == 0:
            continue
        block = wide[first:last, :count]
        if not np.isfinite(block).all():
            raise InputError(_not_finite(torch.as_tensor(block), name, graph))
        rows, columns = linear_sum_assignment(block)
        match[first + torch.as_tensor(rows)] = torch.as_tensor(columns)
    return match.to(cost.device)


def require_finite_costs(cost: Tensor, valid: Tensor, row_graph: Tensor, name: str) -> None:
    """Raise for NaN and infinity among the costs of queries that exist, naming the graph.

    Args:
        cost: of each pair.
        valid: whether the row's graph has such a query.
        row_graph: graph of each row.
        name: of the cost, for the message.

    Shapes:
        cost, valid (K, M), row_graph (K,).

    Raises:
        InputError: a cost is NaN or infinite.
    """
    wrong = valid & ~torch.isfinite(cost)
    if bool(wrong.any()):
        graph = int(row_graph[wrong.any(1)][0])
        block = torch.where(valid, cost, 0)[row_graph == graph]
        raise InputError(_not_finite(block, name, graph))


def _not_finite(block: Tensor, name: str, graph: int) -> str:
    wrong = ~torch.isfinite(block)
    row, column = (int(v) for v in wrong.nonzero()[0])
    return (
        f"{name} of graph {graph} has {int(wrong.sum())} of {block.numel()} values that are NaN or "
        f"infinite, the first for its instance {row} and query {column}: "
        f"{float(block[row, column])} (lower the learning rate, or check the logits)"
    )
