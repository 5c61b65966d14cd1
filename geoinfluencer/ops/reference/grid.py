"""Twin of the voxel numbering."""

from __future__ import annotations

import torch
from torch import Tensor


def grid_pool(
    points: Tensor,  # (N, D)
    size: Tensor,  # (D,) float64
    origin: Tensor,  # (D,) float64
    ptr: Tensor,  # (B + 1,)
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # (N,), (V,), (V,), (B + 1,)
    """Voxel of each point, points of each voxel, their smallest row, first voxel of each graph."""
    rows = torch.arange(points.shape[0], device=points.device)
    graph = torch.searchsorted(ptr[1:], rows, right=True)
    cells = ((points.double() - origin) / size).floor().to(torch.int64)
    keys = torch.cat([graph[:, None], cells], dim=1)
    voxels, cluster, count = torch.unique(keys, dim=0, return_inverse=True, return_counts=True)
    first = rows.new_zeros(voxels.shape[0]).scatter_reduce(
        0, cluster, rows, "amin", include_self=False
    )
    graphs = torch.arange(ptr.shape[0], device=points.device)
    return cluster, count, first, torch.searchsorted(voxels[:, 0].contiguous(), graphs)
