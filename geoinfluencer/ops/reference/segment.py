"""Twins of the segment reductions."""

from __future__ import annotations

from torch import Tensor


def segment_reduce(
    src: Tensor,  # (N, ...)
    index: Tensor,  # (N,)
    segments: int,
    kind: str,  # "sum", "min" or "max"
    fill: float,
) -> Tensor:  # (S, ...)
    """Reduction of the rows that share an id; ``fill`` where there are none."""
    shape = (segments, *src.shape[1:])
    places = index if src.dim() == 1 else index.view(-1, *[1] * (src.dim() - 1)).expand_as(src)
    if kind == "sum":
        if src.is_cuda:  # sorts, so the order of the additions is fixed; scatter_add is not
            return src.new_zeros(shape).index_put((index,), src, accumulate=True)
        return src.new_zeros(shape).scatter_add(0, places, src)
    filled = src.new_full(shape, fill)
    return filled.scatter_reduce(0, places, src, f"a{kind}", include_self=False)


def segment_gather(values: Tensor, index: Tensor) -> Tensor:  # (S, F), (N,) -> (N, F)
    """The row of each id."""
    return values.index_select(0, index)
