"""Reductions over the rows that share an id: deterministic and differentiable, sorted or not.

Shapes: src (N, ...), index (N,) int64 in 0..S-1, num_segments S -> (S, ...).
"""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks


def segment_sum(src: Tensor, index: Tensor, num_segments: int) -> Tensor:
    """Sum of each segment; 0 where it is empty."""
    index = _check(src, index, num_segments)
    return _sum(src, index, num_segments)


def segment_mean(src: Tensor, index: Tensor, num_segments: int) -> Tensor:
    """Mean of each segment; 0 where it is empty. Floating ``src`` only."""
    index = _check(src, index, num_segments, floating=True)
    # counted in float32 or wider: half precision stops counting at 2048
    dtype = torch.promote_types(src.dtype, torch.float32)
    ones = torch.ones(index.shape[0], dtype=dtype, device=src.device)
    count = _sum(ones, index, num_segments).clamp_min(1)
    total = _sum(src.to(dtype), index, num_segments)
    return (total / count.view(-1, *[1] * (src.dim() - 1))).to(src.dtype)


def segment_max(src: Tensor, index: Tensor, num_segments: int, fill: float = 0.0) -> Tensor:
    """Largest of each segment; ``fill`` where it is empty. Ties share the gradient evenly."""
    index = _check(src, index, num_segments)
    return _extremum(src, index, num_segments, "amax", fill)


def segment_min(src: Tensor, index: Tensor, num_segments: int, fill: float = 0.0) -> Tensor:
    """Smallest of each segment; ``fill`` where it is empty. Ties share the gradient evenly."""
    index = _check(src, index, num_segments)
    return _extremum(src, index, num_segments, "amin", fill)


def segment_logsumexp(src: Tensor, index: Tensor, num_segments: int) -> Tensor:
    """log of the summed exponentials of each segment, shifted by its maximum; -inf where empty."""
    index = _check(src, index, num_segments, floating=True)
    top = _extremum(src.detach(), index, num_segments, "amax", 0.0)
    top = torch.where(torch.isfinite(top), top, 0.0)  # a segment of only -inf stays -inf
    total = _sum((src - top[index]).exp(), index, num_segments)
    # log(0) would give a NaN gradient where a segment is empty
    empty = total == 0
    return torch.where(empty, -torch.inf, torch.where(empty, 1.0, total).log() + top)


def _sum(src: Tensor, index: Tensor, num_segments: int) -> Tensor:
    out = src.new_zeros(num_segments, *src.shape[1:])
    if src.is_cuda:  # sorts, so the order of the additions is fixed; scatter_add is not
        return out.index_put((index,), src, accumulate=True)
    return out.scatter_add(0, _expand(index, src), src)


def _extremum(src: Tensor, index: Tensor, num_segments: int, reduce: str, fill: float) -> Tensor:
    out = src.new_full((num_segments, *src.shape[1:]), fill)
    return out.scatter_reduce(0, _expand(index, src), src, reduce, include_self=False)


def _expand(index: Tensor, src: Tensor) -> Tensor:
    return index.view(-1, *[1] * (src.dim() - 1)).expand_as(src)


def _check(src: Tensor, index: Tensor, num_segments: int, floating: bool = False) -> Tensor:
    if not isinstance(src, Tensor) or src.dim() < 1:
        raise InputError(f"src must be a tensor (N, ...), got {checks.describe(src)}")
    if floating and not src.is_floating_point():
        raise InputError(f"src must be floating-point, got {checks.describe(src)}")
    if not isinstance(num_segments, torch.SymInt):
        checks.check_count("num_segments", num_segments, 0)
    ids = checks.check_ids("index", index, src.shape[0], src.device)
    assert ids is not None
    if ids.device.type == "cpu" and not torch.compiler.is_compiling() and ids.numel():
        low, high = (int(v) for v in ids.aminmax())
        if low < 0 or high >= num_segments:
            raise InputError(
                f"index must be in 0..{num_segments - 1} (num_segments), got {low} to {high}"
            )
    return ids
