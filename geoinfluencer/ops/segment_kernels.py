"""What runs the segment reductions: torch for a few rows, registered ops for more."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from geoinfluencer.ops import cuda, library, native, reference
from geoinfluencer.ops.segment_ids import SegmentOrder, check_range, sorted_rows

#: Numbers in ``src`` below which torch's own op is faster on the CPU, because a registered one with
#: a gradient costs 25 us more; and the same where a row is one number to be added.
SMALL = 1 << 14
SMALL_SUM = 1 << 18
_KINDS = {"sum": 0, "min": 1, "max": 2}  # GEO_SUM, GEO_MIN, GEO_MAX of csrc/api.h


def is_small(size: int, numbers: Tensor, limit: int = SMALL) -> bool:
    """Whether torch's own op is faster."""
    return size < limit and numbers.device.type == "cpu" and not torch.compiler.is_compiling()


def reduce(src: Tensor, ids: SegmentOrder, kind: str, fill: float = 0.0) -> Tensor:
    """Sum, min or max (S, ...) of the rows (N, ...), differentiable as often as wanted."""
    single = kind == "sum" and src.dim() == 1
    if is_small(src.numel(), src, SMALL_SUM if single else SMALL) and not _nan_may_win(src, kind):
        try:
            return reference.segment_reduce(src, ids.index, ids.num_segments, kind, fill)
        except (IndexError, RuntimeError):
            check_range(ids)
            raise
    out: Tensor = torch.ops.geoinfluencer.segment_reduce(
        src, ids.index, ids.num_segments, kind, fill, ids.ptr, ids.order
    )
    return out


def _nan_may_win(src: Tensor, kind: str) -> bool:
    """Whether torch's own gradient would be NaN for the rows beside a NaN too (it divides by 0)."""
    return kind != "sum" and src.requires_grad and bool(src.isnan().any())


def gather(values: Tensor, ids: SegmentOrder) -> Tensor:
    """Rows (N, ...) of the values (S, ...) by id, differentiable as often as wanted."""
    size = ids.index.shape[0] * prod(values.shape[1:])
    if is_small(size, values, SMALL_SUM if values.dim() == 1 else SMALL):
        try:
            return values.index_select(0, ids.index)
        except (IndexError, RuntimeError):
            check_range(ids)
            raise
    out: Tensor = torch.ops.geoinfluencer.segment_gather(values, ids.index, ids.ptr, ids.order)
    return out


def _reduce(
    src: Tensor,
    index: Tensor,
    num_segments: int,
    kind: str,
    fill: float,
    ptr: Tensor | None,
    order: Tensor | None,
) -> Tensor:
    out = _fake_reduce(src, index, num_segments)
    if (kernels := native.cpu(src, any_width=True)) is not None:
        shape = (src.shape[0], prod(src.shape[1:]), native.dense(index), num_segments)
        rest = (_KINDS[kind], fill, native.threads(), out)
        code = native.call(
            kernels, "geo_segment_reduce", src.dtype, native.dense(src), *shape, *rest
        )
        if code == native.ID_RANGE:
            check_range(SegmentOrder(index, num_segments))
        return out
    if (kernels := native.cuda(src, any_width=True)) is not None:
        if ptr is None:
            ptr, order = sorted_rows(SegmentOrder(index, num_segments))
        rows = (native.dense(src), src.shape[0], prod(src.shape[1:]))
        groups = (native.dense(ptr), native.dense(order), num_segments)
        reduction = (_KINDS[kind], fill, out)
        cuda.call(kernels, "geo_cuda_segment_reduce", src, *rows, *groups, *reduction)
        return out
    check_range(SegmentOrder(index, num_segments))
    return reference.segment_reduce(src, index, num_segments, kind, fill)


def _gather(values: Tensor, index: Tensor, ptr: Tensor | None, order: Tensor | None) -> Tensor:
    kernels = native.cpu(values, any_width=True)
    if kernels is None:
        check_range(SegmentOrder(index, values.shape[0]))
        return reference.segment_gather(values, index)
    out = _fake_gather(values, index)
    shape = (values.shape[0], prod(values.shape[1:]), native.dense(index), index.shape[0])
    rest = (*shape, native.threads(), out)
    code = native.call(kernels, "geo_segment_gather", values.dtype, native.dense(values), *rest)
    if code == native.ID_RANGE:
        check_range(SegmentOrder(index, values.shape[0]))
    return out


def _count(index: Tensor, num_segments: int) -> Tensor:
    count = _fake_count(index, num_segments)
    if (kernels := native.cpu_library(index)) is None:
        check_range(SegmentOrder(index, num_segments))
        return count.zero_().scatter_add_(0, index, torch.ones_like(index))
    rest = (index.shape[0], num_segments, count)
    code = native.call(kernels, "geo_segment_count", None, native.dense(index), *rest)
    if code == native.ID_RANGE:
        check_range(SegmentOrder(index, num_segments))
    return count


def _fake_reduce(src: Tensor, index: Tensor, num_segments: int, *_: Any) -> Tensor:
    return src.new_empty(num_segments, *src.shape[1:])


def _fake_gather(values: Tensor, index: Tensor, *_: Any) -> Tensor:
    return values.new_empty(index.shape[0], *values.shape[1:])


def _fake_count(index: Tensor, num_segments: int) -> Tensor:
    return index.new_empty(num_segments)


def _reduce_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    src, index, num_segments, kind, _, ptr, order = inputs
    ctx.kind, ctx.num_segments = kind, num_segments
    ends = (src, output) if kind != "sum" else ()
    ctx.save_for_backward(index, ptr, order, *ends)


def _reduce_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    index, ptr, order, *ends = ctx.saved_tensors
    ids = SegmentOrder(index, ctx.num_segments, ptr, order, checked=True)
    if ctx.kind == "sum":
        return gather(grad, ids), *([None] * 6)
    src, extremum = ends
    # ties share evenly, and where NaN won, the NaN
    hit = ((src == gather(extremum.detach(), ids)) | src.isnan()).to(grad.dtype)
    share = grad / reduce(hit, ids, "sum").clamp_min(1)
    return hit * gather(share, ids), *([None] * 6)


def _gather_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    values, index, ptr, order = inputs
    ctx.num_segments = values.shape[0]
    ctx.save_for_backward(index, ptr, order)


def _gather_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    index, ptr, order = ctx.saved_tensors
    ids = SegmentOrder(index, ctx.num_segments, ptr, order, checked=True)
    return reduce(grad, ids, "sum"), None, None, None


library.define(
    "segment_reduce(Tensor src, Tensor index, SymInt num_segments, str kind, float fill, "
    "Tensor? ptr, Tensor? order) -> Tensor",
    _reduce,
    _fake_reduce,
    backward=_reduce_backward,
    setup_context=_reduce_context,
)
library.define(
    "segment_gather(Tensor values, Tensor index, Tensor? ptr, Tensor? order) -> Tensor",
    _gather,
    _fake_gather,
    backward=_gather_backward,
    setup_context=_gather_context,
)
library.define("segment_count(Tensor index, SymInt num_segments) -> Tensor", _count, _fake_count)
