"""Twin of the capacity coupling."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TOLERANCE = 1e-2  # by which a column may be claimed too often
STEPS = 10  # temperatures, at most
LOOK = 10  # rounds between looks whether all is settled, where looking means waiting for a GPU
LEAST_SCALE = 1e-12
LEAST_TEMPERATURE = 1e-30
MOST_LOG = 690.0  # exp of it is far from the largest float64


def capacity_coupling(
    affinity: Tensor,  # (K, M), -inf: no such query
    row_ptr: Tensor,  # (B + 1,)
    tau: float,
    tau_start: float,
    max_temperature: float,
    iterations: int,
) -> Tensor:  # (K, M)
    """Entropic assignment of rows to columns of limited capacity, in float64, all graphs at once.

    Graphs that are done keep their result while others go on. Whether all are done is looked at
    after every round on a CPU; elsewhere, where the host has to wait for it, after every tenth.
    """
    if affinity.numel() == 0:
        return torch.zeros_like(affinity)
    value = affinity.double()
    rows = torch.arange(value.shape[0], device=value.device)
    graph = torch.searchsorted(row_ptr[1:].contiguous(), rows, right=True)  # (K,)
    there = value != -torch.inf
    gap = torch.where(there, value - value.amax(1, keepdim=True), -torch.inf)  # <= 0

    def by_graph(rows: Tensor) -> Tensor:
        return rows.new_zeros(row_ptr.shape[0] - 1, rows.shape[1]).index_add(0, graph, rows)

    number = there.double()
    served = by_graph(number.amax(1, keepdim=True))  # (B, 1) rows
    columns = (by_graph(number) > 0).sum(1, keepdim=True)
    capacity = (served / columns.clamp(min=1)).clamp(min=1)
    distance = by_graph(torch.where(there, -gap, 0).sum(1, keepdim=True))
    scale = distance / by_graph(number.sum(1, keepdim=True)).clamp(min=1)  # NaN where one is in it
    broken, scale = scale.isnan(), scale.clamp(min=LEAST_SCALE)

    last = (tau * scale).clamp(LEAST_TEMPERATURE, max(max_temperature, LEAST_TEMPERATURE))
    temperature = torch.maximum(torch.minimum(tau_start * scale, last * 4 ** (STEPS - 1)), last)
    price = value.new_zeros(row_ptr.shape[0] - 1, value.shape[1])  # of a column, >= 0
    out, free = _free_of_charge(gap, last, capacity, graph, by_graph)
    done = broken | free
    for _ in range(STEPS):
        level = (gap - price[graph]) / temperature[graph]
        kernel = (level - level.amax(1, keepdim=True).clamp(min=-1e300)).exp()
        highest = (price / temperature).clamp(max=MOST_LOG).exp()  # factor that makes it free again
        factor, settled = torch.ones_like(price), done.clone()
        share = _inverse(kernel.sum(1, keepdim=True))
        for turn in range(1, iterations + 1):
            claimed = by_graph(share * kernel)
            over = (factor * claimed).amax(1, keepdim=True)
            factor = torch.where(settled, factor, torch.minimum(capacity / claimed, highest))
            settled = settled | (over <= capacity * (1 + TOLERANCE))
            share = _inverse((kernel * factor[graph]).sum(1, keepdim=True))
            if (turn % LOOK == 0 or settled.device.type == "cpu") and bool(settled.all()):
                break
        out = torch.where(done[graph], out, share * kernel * factor[graph])
        done = done | (temperature <= last)
        if bool(done.all()):
            break
        price = (price - temperature * factor.log()).clamp(min=0)
        temperature = torch.maximum(temperature / 4, last)
    return torch.where(broken[graph], torch.nan, out).to(affinity.dtype)


def _free_of_charge(
    gap: Tensor, last: Tensor, capacity: Tensor, graph: Tensor, by_graph: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """What rows take at the last temperature while every column is free, and in which graphs no
    column is then in demand: there it is the answer, without any other temperature."""
    kernel = (gap / last[graph]).exp()
    claimed = by_graph(_inverse(kernel.sum(1, keepdim=True)) * kernel)
    free = claimed.amax(1, keepdim=True) <= capacity * (1 + TOLERANCE)
    taken = kernel * (capacity / claimed).clamp(max=1)[graph]
    return _inverse(taken.sum(1, keepdim=True)) * taken, free


def _inverse(total: Tensor) -> Tensor:
    """1 / total, and 0 for a row that can go nowhere."""
    return torch.where(total > 0, 1 / total, 0)
