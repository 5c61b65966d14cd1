"""Reductions over the rows that share an id: deterministic and differentiable, sorted or not.

Args, of all of them:
    src: values; half precision is accumulated in float32.
    index: integer ids in 0..S-1, in any order. Where the same ids are reduced often, give
        ``segment_order(index, S)`` in its place: they are then checked once, and on a GPU sorted
        once.
    num_segments: S; left out with a ``segment_order``.

Shapes:
    src (N, ...), index (N,) -> (S, ...).

The result does not depend on the number of threads, and gradients can be differentiated again. NaN
makes the reductions of its segment NaN.

Raises:
    InputError: shapes, dtypes or devices that do not fit, or an id out of range (values are looked
        at on the CPU).
"""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks
from geoinfluencer.ops.segment_ids import SegmentOrder, check_segments
from geoinfluencer.ops.segment_kernels import SMALL_SUM, gather, is_small, reduce


def segment_sum(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None
) -> Tensor:
    """Sum of each segment; 0 where it is empty."""
    ids = _check(src, index, num_segments)
    return reduce(_widened(src), ids, "sum").to(src.dtype)


def segment_mean(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None
) -> Tensor:
    """Mean of each segment; 0 where it is empty. Floating ``src`` only."""
    ids = _check(src, index, num_segments, floating=True)
    wide = _widened(src)
    if is_small(src.shape[0], wide, SMALL_SUM) or wide.is_cuda:
        # counted in float32 or wider: half precision stops counting at 2048
        count = reduce(wide.new_ones(src.shape[0]), ids, "sum")
    else:
        count = torch.ops.geoinfluencer.segment_count(ids.index, ids.num_segments).to(wide.dtype)
    count = count.clamp_min(1).view(-1, *[1] * (src.dim() - 1))
    return (reduce(wide, ids, "sum") / count).to(src.dtype)


def segment_max(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None, fill: float = 0.0
) -> Tensor:
    """Largest of each segment; ``fill`` where it is empty. Ties share the gradient evenly."""
    ids = _check(src, index, num_segments)
    return reduce(_widened(src), ids, "max", fill).to(src.dtype)


def segment_min(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None, fill: float = 0.0
) -> Tensor:
    """Smallest of each segment; ``fill`` where it is empty. Ties share the gradient evenly."""
    ids = _check(src, index, num_segments)
    return reduce(_widened(src), ids, "min", fill).to(src.dtype)


def segment_logsumexp(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None
) -> Tensor:
    r"""log of the summed exponentials of each segment, shifted by its maximum; -inf where empty.

    .. math:: L_s = \log \sum_{j:\, s_j = s} e^{x_j}
    """
    ids = _check(src, index, num_segments, floating=True)
    top, _, total = _exponentials(_widened(src), ids)
    # log(0) would give a NaN gradient where a segment is empty
    empty = total == 0
    value = torch.where(empty, -torch.inf, torch.where(empty, 1.0, total).log() + top)
    return value.to(src.dtype)


def segment_softmax(
    src: Tensor, index: Tensor | SegmentOrder, num_segments: int | None = None
) -> Tensor:
    r"""Softmax among the rows of each segment, (N, ...) as ``src``, shifted by its maximum.

    .. math:: p_i = e^{x_i} \Big/ \sum_{j:\, s_j = s_i} e^{x_j}

    Rows of a segment that holds nothing but -inf get 0.
    """
    ids = _check(src, index, num_segments, floating=True)
    _, exponential, total = _exponentials(_widened(src), ids)
    total = torch.where(total == 0, 1.0, total)
    return (exponential / gather(total, ids)).to(src.dtype)


def segment_gather(values: Tensor, index: Tensor | SegmentOrder) -> Tensor:
    """The row of each id, (S, ...) -> (N, ...): ``values[index]`` with a deterministic gradient."""
    if not isinstance(values, Tensor) or values.dim() < 1:
        raise InputError(f"values must be a tensor (S, ...), got {checks.describe(values)}")
    return gather(values, check_segments(values, index, values.shape[0]))


def _exponentials(src: Tensor, ids: SegmentOrder) -> tuple[Tensor, Tensor, Tensor]:
    """Maximum (S, ...), exponentials relative to it (N, ...) and their sums (S, ...)."""
    top = reduce(src.detach(), ids, "max")
    top = torch.where(torch.isfinite(top), top, 0.0)  # a segment of only -inf stays -inf
    exponential = (src - gather(top, ids)).exp()
    return top, exponential, reduce(exponential, ids, "sum")


def _widened(src: Tensor) -> Tensor:
    return src.float() if src.dtype in (torch.float16, torch.bfloat16) else src


def _check(
    src: Tensor,
    index: Tensor | SegmentOrder,
    num_segments: int | None,
    floating: bool = False,
) -> SegmentOrder:
    if not isinstance(src, Tensor) or src.dim() < 1:
        raise InputError(f"src must be a tensor (N, ...), got {checks.describe(src)}")
    if floating and not src.is_floating_point():
        raise InputError(f"src must be floating-point, got {checks.describe(src)}")
    return check_segments(src, index, num_segments, rows=src.shape[0])
