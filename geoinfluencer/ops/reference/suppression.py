"""Twin of the greedy suppression."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.ops.reference.tiles import spans, squared_distances


def suppress(points: Tensor, score: Tensor, radius: float, ptr: Tensor | None) -> Tensor:
    """Greedy non-maximum suppression (N,) bool: each kept point removes the rest within radius."""
    keep = torch.zeros(points.shape[0], dtype=torch.bool, device=points.device)
    limit = torch.tensor(radius, dtype=points.dtype, device=points.device)
    for low, high in spans(ptr, points.shape[0]):
        # candidates in order of preference; every round keeps the first and drops its neighbours
        rest = low + torch.argsort(score[low:high], descending=True, stable=True)
        while rest.numel():
            first, rest = rest[0], rest[1:]
            keep[first] = True
            d2 = squared_distances(points[first][None], points[rest])[0]
            rest = rest[~(d2 <= limit * limit)]
    return keep
