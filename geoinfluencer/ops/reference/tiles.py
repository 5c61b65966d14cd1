"""Row ranges and tiles of pairs: what the twins share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

TILE = 1 << 20  # numbers in one tile of pairs x dimensions: a few MB, cache-friendly


def spans(ptr: Tensor | None, size: int) -> list[tuple[int, int]]:
    """Row ranges of the graphs."""
    bounds = [0, size] if ptr is None else ptr.tolist()
    return list(itertools.pairwise(bounds))


def tiles(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(start, stop, step):
        yield low, min(low + step, stop)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:  # (n, D), (m, D) -> (n, m)
    """Sum of squared differences, added in the order of the dimensions as the kernels do.

    The direct difference keeps huge common offsets harmless, where |a|^2 + |b|^2 - 2ab cancels.
    """
    total = torch.zeros(a.shape[0], b.shape[0], dtype=a.dtype, device=a.device)
    for d in range(a.shape[1]):
        difference = a[:, d, None] - b[None, :, d]
        total += difference * difference
    return total
