"""Entropic optimal transport of the instances of each graph to its queries."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.mask_loss import check_positive

Scale = Literal["mean", "spread"]
SCALES: tuple[str, ...] = get_args(Scale)
_NONE = -torch.inf

#: relative to the mean cost of a graph
LEAST_TEMPERATURE = 1e-4


@torch.no_grad()
def sinkhorn_plan(
    cost: Tensor,  # (K, M)
    row_ptr: Tensor,  # (B+1,)
    queries: Tensor,  # (B,)
    dustbin_cost: Tensor | None = None,  # (B, M)
    *,
    tau: float = 0.2,
    iterations: int = 20,
    relative_to: Scale = "mean",
) -> Tensor:
    r"""Entropic optimal transport of instances to queries, after `"Sinkhorn Distances: Lightspeed
    Computation of Optimal Transport" (Cuturi, NeurIPS 2013) <https://arxiv.org/abs/1306.0895>`_.

    In each graph the :math:`K` instances are padded by :math:`D = M - K` copies of "no object",
    row 0, so that both sides hold M:

    .. math::
        \min_P \sum_{k \ge 0, m} P_{km} C_{km} + T \sum_{k > 0, m} P_{km} (\ln P_{km} - 1) +
        T \sum_m P_{0m} \left(\ln \frac{P_{0m}}{D} - 1\right)
        \quad \text{with} \quad \sum_m P_{km} = 1, \ \sum_m P_{0m} = D, \
        \sum_{k \ge 0} P_{km} = 1

    with :math:`T = \tau \operatorname{mean}(C)` over the pairs of the graph, or relative to the
    "spread" :math:`\operatorname{mean}_{km}(C_{km} - \min_n C_{kn})`: what a whole row costs
    changes no plan, and so need not set the temperature. The copies are one row of mass D, which
    is the same plan at the price of one. A graph with more instances than queries has instead
    K - M copies of an absent query. Each iteration scales the queries, then the instances, in the
    log domain; as T goes to 0 and the iterations grow, P becomes the optimal assignment. Rows sum
    to 1 after any number of iterations where K <= M.

    Args:
        cost: C; what stands in columns beyond ``queries`` is not read and changes nothing.
        row_ptr: first instance of each graph, and K.
        queries: queries of each graph.
        dustbin_cost: C_0 of each query. (default: the same for all, whatever that is)
        tau: temperature relative to the mean, or spread, of the costs C.
        iterations: scalings of both sides.
        relative_to: ``"mean"`` or ``"spread"``.

    Shapes:
        cost (K, M), row_ptr (B+1,), queries (B,), dustbin_cost (B, M) -> P (K, M), without
        gradient; 0 in columns that do not exist.

    Raises:
        InputError: ``tau`` or ``iterations`` is not positive, or ``relative_to`` is neither.
    """
    check_positive(tau=tau, iterations=iterations)
    check_scale(relative_to)
    rows = row_ptr.diff()
    graph = ops.batch_from_ptr(row_ptr, cost.shape[0])
    place = torch.arange(cost.shape[0], device=cost.device) - row_ptr[graph]
    exists = torch.arange(cost.shape[1], device=cost.device) < queries[:, None]  # (B, M)
    mean = _level(cost.abs(), graph, exists, "mean")
    # below that the logarithms of the plan lose their digits, in float32 first
    floor = (LEAST_TEMPERATURE * mean).clamp(min=torch.finfo(cost.dtype).eps)
    temperature = torch.maximum(tau * _level(cost, graph, exists, relative_to), floor)  # (B,)
    valid = exists[graph]
    # a place for every instance of the largest graph: -inf offers nothing and adds nothing
    most = int(rows.max()) if len(rows) else 0
    affinity = cost.new_full((len(queries), most, cost.shape[1]), _NONE)
    affinity[graph, place] = torch.where(valid, -cost / temperature[graph, None], _NONE)
    empty = torch.zeros_like(exists, dtype=cost.dtype) if dustbin_cost is None else -dustbin_cost
    empty = torch.where(exists, empty / temperature[:, None], _NONE)  # (B, M)

    log_dustbin = (queries - rows).clamp(min=0).to(cost.dtype).log()  # (B,), -inf: none
    log_absent = (rows - queries).clamp(min=0).to(cost.dtype).log()
    there = torch.arange(affinity.shape[1], device=cost.device) < rows[:, None]  # (B, P)
    share = torch.where(there, cost.new_zeros(()), _NONE)  # of the instances
    price = torch.zeros_like(empty)  # of the queries
    of_dustbin = log_dustbin - empty.logsumexp(1)
    for _ in range(iterations):
        claimed = (affinity + _finite(share)[:, :, None]).logsumexp(1)
        price = _finite(-torch.logaddexp(claimed, empty + _finite(of_dustbin, _NONE)[:, None]))
        of_absent = _finite(log_absent - share.logsumexp(1), _NONE)
        offered = (affinity + price[:, None]).logsumexp(2)
        share = torch.where(there, _finite(-torch.logaddexp(offered, of_absent[:, None])), _NONE)
        of_dustbin = log_dustbin - (empty + price).logsumexp(1)
    return (affinity + _finite(share)[:, :, None] + price[:, None]).exp()[graph, place]


def _finite(value: Tensor, fill: float = 0.0) -> Tensor:
    """What a graph without queries or without instances makes infinite is filled."""
    return torch.where(torch.isfinite(value), value, fill)


def _level(cost: Tensor, graph: Tensor, exists: Tensor, relative_to: Scale) -> Tensor:
    """Mean of the costs (K, M), or of their excess over the best of their row, per graph: (B,)."""
    valid = exists[graph]
    if relative_to == "spread" and cost.shape[1]:
        best = torch.where(valid, cost, torch.inf).amin(1, keepdim=True)
        cost = cost - _finite(best)
    of_row = torch.where(valid, cost, 0).sum(1) / valid.sum(1).clamp(min=1)
    return ops.segment_mean(of_row, graph, exists.shape[0])


def check_scale(relative_to: str) -> None:
    """Raise InputError for what is no scale of a temperature."""
    if relative_to not in SCALES:
        raise InputError(f"relative_to {relative_to!r} is none of {', '.join(SCALES)}")
