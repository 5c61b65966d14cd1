"""The potential op with weights that are learnt: it gives them no gradient by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops

#: pairs listed at a time, about 30 bytes each
PAIRS_AT_ONCE = 2_000_000


def potential_with_charges(
    x: Tensor,
    y: Tensor,
    x_charge: Tensor,
    y_charge: Tensor,
    *,
    x_instance: Tensor,
    y_instance: Tensor,
    x_ptr: Tensor,
    y_ptr: Tensor,
) -> Tensor:
    r"""Linear hinge potential of radius 1 between other instances, differentiable in the charges.

    .. math:: E_b = \sum_{i \in x_b, j \in y_b} q_i q_j \max(0, 1 - |x_i - y_j|)

    E is linear in each charge, so its gradient there is the potential at the point, which is
    summed over the pairs within the radius, some at a time, without a graph of its own.

    Shapes:
        x (N, D), y (M, D), x_charge, x_instance (N,), y_charge, y_instance (M,),
        x_ptr, y_ptr (B+1,) -> (B,).
    """
    energy, _ = ops.influence_potential(
        x,
        y,
        radius=1.0,
        power=1,
        x_instance=x_instance,
        y_instance=y_instance,
        x_ptr=x_ptr,
        y_ptr=y_ptr,
        x_weight=x_charge.detach(),
        y_weight=y_charge.detach(),
    )
    if not (torch.is_grad_enabled() and (x_charge.requires_grad or y_charge.requires_grad)):
        return energy
    at_x, at_y = _potential_at_points(
        x.detach(),
        y.detach(),
        x_charge.detach(),
        y_charge.detach(),
        x_instance=x_instance,
        y_instance=y_instance,
        x_ptr=x_ptr,
        y_ptr=y_ptr,
    )
    # value 0, gradient dE/dq
    change = (x_charge - x_charge.detach()) * at_x
    change_y = (y_charge - y_charge.detach()) * at_y
    graphs = x_ptr.shape[0] - 1
    energy = energy + ops.segment_sum(change, ops.batch_from_ptr(x_ptr, x.shape[0]), graphs)
    return energy + ops.segment_sum(change_y, ops.batch_from_ptr(y_ptr, y.shape[0]), graphs)


def _potential_at_points(
    x: Tensor,
    y: Tensor,
    x_charge: Tensor,
    y_charge: Tensor,
    *,
    x_instance: Tensor,
    y_instance: Tensor,
    x_ptr: Tensor,
    y_ptr: Tensor,
) -> tuple[Tensor, Tensor]:
    """Potential of the y charges at each x (N,), and of the x charges at each y (M,)."""
    at_x, at_y = torch.zeros_like(x_charge), torch.zeros_like(y_charge)
    within = ops.radius_count(x, y, 1.0, ptr=x_ptr, query_ptr=y_ptr)
    part = torch.cumsum(within, 0) // PAIRS_AT_ONCE  # non-decreasing part number of each y
    sizes = torch.unique_consecutive(part, return_counts=True)[1].tolist()
    low = 0
    for size in sizes:
        high = low + size
        query_ptr = (y_ptr - low).clamp(0, size)
        start, node = ops.radius(x, y[low:high], 1.0, ptr=x_ptr, query_ptr=query_ptr)
        rows = torch.arange(low, high, device=y.device)
        query = torch.repeat_interleave(rows, start.diff(), output_size=node.shape[0])
        distance = (x[node] - y[query]).square().sum(-1).sqrt()
        same = (x_instance[node] == y_instance[query]) & (y_instance[query] >= 0)
        hinge = torch.where(same, torch.zeros_like(distance), (1.0 - distance).clamp(min=0))
        at_x = at_x + ops.segment_sum(hinge * y_charge[query], node, x.shape[0])
        at_y = at_y + ops.segment_sum(hinge * x_charge[node], query, y.shape[0])
        low = high
    return at_x, at_y
