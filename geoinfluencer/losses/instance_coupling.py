"""Which query stands for which instance, and how far: soft, without matching."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.query_targets import QueryTargets


@torch.no_grad()
def couple_instances(
    log_profile: Tensor,
    targets: QueryTargets,
    *,
    tau: float,
    tau_start: float,
    max_temperature: float,
    iterations: int,
) -> Tensor:
    r"""Shares w of the queries in each instance: no query stands for more than one instance.

    Where a graph has at least as many queries as instances the rows of w sum to 1 and its columns
    to at most 1, see :func:`~geoinfluencer.ops.capacity_coupling`. Where it has fewer, not every
    instance can be served: the roles change, every query serves one instance, and rows sum to at
    most 1. What is missing there is void's.

    Args:
        log_profile: C, ln g of every instance and query.
        targets: which graph the instances belong to, and how many queries that has.
        tau, tau_start, max_temperature, iterations: as of the op.

    Shapes:
        log_profile (K, M) -> (K, M), without gradient.
    """
    queries, instances = targets.query_ptr.diff(), targets.row_ptr.diff()  # (B,)
    scarce = (instances > queries) & (queries > 0)
    options = {"tau": tau, "tau_start": tau_start, "max_temperature": max_temperature}
    share = ops.capacity_coupling(log_profile, targets.row_ptr, **options, iterations=iterations)
    if not bool(scarce.any()):
        return share
    # one row per query of those graphs, one column per instance of the graph
    graph = scarce.nonzero()[:, 0]
    owner = torch.repeat_interleave(graph, queries[graph])  # (R,)
    start = torch.nn.functional.pad(torch.cumsum(queries[graph], 0), (1, 0))
    column = torch.arange(owner.shape[0], device=owner.device)
    column = column - torch.repeat_interleave(start[:-1], queries[graph])
    place = torch.arange(int(instances[graph].max()), device=owner.device)
    there = place < instances[owner][:, None]  # (R, P)
    row = torch.where(there, targets.row_ptr[owner][:, None] + place, 0)
    affinity = torch.where(there, log_profile[row, column[:, None]], -torch.inf)
    served = ops.capacity_coupling(affinity, start, **options, iterations=iterations)
    share[scarce[targets.row_graph]] = 0
    share[row[there], column[:, None].expand_as(row)[there]] = served[there]
    return share
