"""Soft assignment of instances to queries, each of which can serve one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, native, reference


@torch.no_grad()
def capacity_coupling(
    affinity: Tensor,  # (K, M)
    row_ptr: Tensor,  # (B + 1,)
    *,
    tau: float = 0.03,
    tau_start: float = 0.3,
    max_temperature: float = 0.02,
    iterations: int = 100,
) -> Tensor:
    r"""Entropic assignment of rows to columns of capacity one (optimal transport after `Cuturi,
    NeurIPS 2013 <https://arxiv.org/abs/1306.0895>`_, with inequality on one side).

    .. math::
        W = \arg\max_W \sum_{km} W_{km} C_{km} - T \sum_{km} W_{km} \ln W_{km}
        \quad \text{with} \quad \sum_m W_{km} = 1, \ \sum_k W_{km} \le \max(1, K / M)

    within each graph. T falls in quarters from ``tau_start`` to ``tau`` times R, the mean distance
    of an entry from the largest one of its row, and ends at ``max_temperature`` at most; what the
    columns cost at one temperature starts the next. There are ten temperatures at most: where
    ``max_temperature`` is lower than ``tau_start`` R by more, they begin later. T to 0 is the
    optimal assignment.

    A graph with more rows than columns cannot serve all of them: its columns are then shared
    evenly, K / M rows each.

    Args:
        affinity: C; -inf where a row may not go to a column, such as in columns that do not exist
            in its graph.
        row_ptr: first row of each graph, and K.
        tau, tau_start: relative temperatures, last and first.
        max_temperature: bound of the last one, in units of C.
        iterations: at most, at each temperature; it stops when no column is claimed by more than
            1 % too much.

    Shapes:
        affinity (K, M), row_ptr (B + 1,) -> (K, M), without gradient.

    A row of -inf alone gets 0. NaN or +inf make all of their graph NaN. On the CPU each graph is
    one thread's; on a GPU all of them run together as torch ops in float64, and the host waits
    after every tenth balancing.

    Raises:
        InputError: shapes, dtypes or values that do not fit.
    """
    if not isinstance(affinity, Tensor) or affinity.dim() != 2 or not affinity.is_floating_point():
        raise InputError(f"affinity must be floating (K, M), got {checks.describe(affinity)}")
    ptr = checks.check_ptr("row_ptr", row_ptr, affinity.device)
    for name, value in (
        ("tau", tau),
        ("tau_start", tau_start),
        ("max_temperature", max_temperature),
    ):
        if not value > 0:
            raise InputError(f"{name} is {value}; it must be positive")
    checks.check_count("iterations", iterations, 1)
    wide = affinity.float() if affinity.dtype.itemsize < 4 else affinity
    weight: Tensor = torch.ops.geoinfluencer.capacity_coupling(
        wide.detach(), ptr, tau, tau_start, max_temperature, iterations
    )
    return weight.to(affinity.dtype)


def _couple(
    affinity: Tensor,
    row_ptr: Tensor,
    tau: float,
    tau_start: float,
    max_temperature: float,
    iterations: int,
) -> Tensor:
    checks.check_ptr_values("row_ptr", row_ptr, affinity.shape[0])
    schedule = (tau, tau_start, max_temperature, iterations)
    kernels = native.cpu(affinity, any_width=True)
    if kernels is None:
        return reference.capacity_coupling(affinity, row_ptr, *schedule)
    weight = _fake(affinity)
    rows = (native.dense(affinity), *affinity.shape, row_ptr.shape[0] - 1, native.dense(row_ptr))
    native.call(kernels, "geo_coupling", affinity.dtype, *rows, *schedule, native.threads(), weight)
    return weight


def _fake(affinity: Tensor, *_: Any) -> Tensor:
    return affinity.new_empty(affinity.shape)


library.define(
    "capacity_coupling(Tensor affinity, Tensor row_ptr, float tau, float tau_start, "
    "float max_temperature, int iterations) -> Tensor",
    _couple,
    _fake,
)
