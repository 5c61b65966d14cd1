"""Twin of the farthest-point sampling."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.ops.reference.tiles import spans, squared_distances


def farthest_point_sampling(
    points: Tensor,  # (N, D)
    ptr: Tensor | None,  # (B + 1,)
    start: Tensor,  # (B,)
    sample_ptr: Tensor,  # (B + 1,)
) -> Tensor:  # (M,)
    """Rows of the samples of each graph, in the order they were picked."""
    index = [torch.empty(0, dtype=torch.int64, device=points.device)]
    graphs = zip(spans(ptr, points.shape[0]), start, sample_ptr.diff().tolist(), strict=True)
    for (low, high), first, count in graphs:
        own = points[low:high]
        # squared distance to the samples so far; -1: not finite, comes last; -2: a sample itself
        far = torch.where(torch.isfinite(own).all(1), torch.inf, -1.0).to(points.dtype)
        row = first - low
        picked = []
        for _ in range(count):
            picked.append(row)
            d2 = squared_distances(own, own[row][None])[:, 0]
            far = torch.where(d2 < far, d2, far)
            far = far.scatter(0, row[None], -2.0)
            # argmax alone may name any of equals
            row = (far == far.max()).int().argmax() if high > low else row
        if picked:
            index.append(low + torch.stack(picked))
    return torch.cat(index)
