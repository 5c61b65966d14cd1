"""The ops on CUDA devices: sorts the points with torch, then queues the kernels on torch's stream.

Nothing here waits for the device, so that CUDA graphs can capture it, but for :func:`radius`, whose
number of hits sizes its output.
"""

from __future__ import annotations

import ctypes
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from geoinfluencer.ops import native
from geoinfluencer.ops.reference import curve_bits
from geoinfluencer.ops.segment_ids import SegmentOrder, sorted_rows

TILE = 64  # GEO_CUDA_TILE of csrc/cuda_api.h: rows that share a bounding box


class SortedSet(NamedTuple):
    """Points as the kernels take them: near points in near rows, graph after graph."""

    points: Tensor  # (N, D)
    ptr: Tensor | None  # (B + 1,)
    order: Tensor  # (N,) the caller's row of each sorted row
    box: Tensor  # (tiles, 2, D)

    def arguments(self) -> tuple[Tensor | int | None, ...]:
        """GEO_CUDA_SET of csrc/cuda_api.h."""
        return self.points, self.points.shape[0], self.ptr, self.order, self.box


_NO_SET = (None, 0, None, None, None)


def spatial_order(kernels: ctypes.CDLL, points: Tensor, ptr: Tensor | None) -> Tensor:
    """Rows (N,) along a Morton curve, graph after graph: one sort of the codes of the points."""
    if points.shape[0] == 0:
        return torch.empty(0, dtype=torch.int64, device=points.device)
    low, high = torch.aminmax(points.nan_to_num(0.0, 0.0, 0.0), dim=0)
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    bits, narrow = curve_bits(points.shape[1], graphs)
    code = torch.empty(points.shape[0], dtype=torch.int64, device=points.device)
    shape = (points, *points.shape, low, high, ptr, graphs, bits, code)
    native.call(kernels, "geo_cuda_codes", points.dtype, *shape, *_place(points))
    if narrow:  # half the passes of the radix sort
        code = code.to(torch.int32)
    return code.argsort(stable=True)


def _place(points: Tensor) -> tuple[int, int]:
    """Device number and stream handle of torch's current stream there."""
    stream = torch.cuda.current_stream(points.device)
    return stream.device_index, stream.cuda_stream


def sort_points(kernels: ctypes.CDLL, points: Tensor, ptr: Tensor | None) -> SortedSet:
    """Sorts and bounds a set."""
    points, ptr = points.contiguous(), native.dense(ptr)
    order = spatial_order(kernels, points, ptr)
    rows = points[order]
    tiles = (rows.shape[0] + TILE - 1) // TILE
    box = rows.new_empty(tiles, 2, rows.shape[1])
    native.call(kernels, "geo_cuda_boxes", rows.dtype, rows, *rows.shape, box, *_place(points))
    return SortedSet(rows, ptr, order, box)


def _sorted(values: Tensor | None, order: Tensor) -> Tensor | None:
    return None if values is None else values[order].contiguous()


def potential(
    kernels: ctypes.CDLL,
    x: Tensor,
    y: Tensor | None,
    radius: float,
    power: int,
    x_instance: Tensor | None,
    y_instance: Tensor | None,
    x_ptr: Tensor | None,
    y_ptr: Tensor | None,
    x_weight: Tensor | None,
    y_weight: Tensor | None,
    outputs: tuple[Tensor, Tensor, Tensor, Tensor],
    need_grad: bool,
) -> None:
    """Fills energy, active, grad_x and grad_y."""
    energy, active, grad_x, grad_y = outputs
    first = sort_points(kernels, x, x_ptr)
    second = None if y is None else sort_points(kernels, y, y_ptr)
    tiles = first.box.shape[0] + (0 if second is None else second.box.shape[0])
    row_energy = x.new_empty(x.shape[0] + tiles, dtype=torch.float64)
    row_active = x.new_empty(x.shape[0] + tiles, dtype=torch.int64)
    ids = [_sorted(x_instance, first.order), None]
    weights = [_sorted(x_weight, first.order), None]
    if second is not None:
        ids[1] = _sorted(y_instance, second.order)
        weights[1] = _sorted(y_weight, second.order)
    native.call(
        kernels,
        "geo_cuda_potential",
        x.dtype,
        *first.arguments(),
        *(_NO_SET if second is None else second.arguments()),
        x.shape[1],
        energy.shape[0],
        *ids,
        *weights,
        radius,
        power,
        row_energy,
        row_active,
        energy,
        active,
        grad_x if need_grad else None,
        grad_y if need_grad and second is not None else None,
        *_place(x),
    )


def _both(
    kernels: ctypes.CDLL,
    points: Tensor,
    queries: Tensor | None,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
) -> tuple[Tensor | int | None, ...]:
    """GEO_CUDA_SEARCH of csrc/cuda_api.h."""
    first = sort_points(kernels, points, ptr)
    second = first if queries is None else sort_points(kernels, queries, query_ptr)
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    sets = (*first.arguments(), *second.arguments())
    return *sets, int(queries is None), points.shape[1], graphs


def knn(
    kernels: ctypes.CDLL,
    points: Tensor,
    queries: Tensor | None,
    k: int,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
    index: Tensor,
    dist2: Tensor,
) -> None:
    """Fills index and dist2."""
    sets = _both(kernels, points, queries, ptr, query_ptr)
    place = _place(points)
    native.call(kernels, "geo_cuda_knn", points.dtype, *sets, k, index, dist2, *place)


def radius_count(
    kernels: ctypes.CDLL,
    points: Tensor,
    queries: Tensor | None,
    r: float,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
    count: Tensor,
) -> None:
    """Fills count."""
    sets = _both(kernels, points, queries, ptr, query_ptr)
    rest = (r, None, count, None, None, *_place(points))
    native.call(kernels, "geo_cuda_radius", points.dtype, *sets, *rest)


def radius(
    kernels: ctypes.CDLL,
    points: Tensor,
    queries: Tensor | None,
    r: float,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
    max_neighbors: int,
) -> tuple[Tensor, Tensor]:
    """Row pointers and indices; counts first, because the sum sizes the lists."""
    sets = _both(kernels, points, queries, ptr, query_ptr)
    rows = (points if queries is None else queries).shape[0]
    count = torch.zeros(rows, dtype=torch.int64, device=points.device)
    rest = (r, None, count, None, None, *_place(points))
    native.call(kernels, "geo_cuda_radius", points.dtype, *sets, *rest)
    row_ptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
    edges = int(row_ptr[-1])
    index = torch.empty(edges, dtype=torch.int64, device=points.device)
    dist2 = points.new_empty(edges)
    fill = (r, row_ptr, None, index, dist2, *_place(points))
    native.call(kernels, "geo_cuda_radius", points.dtype, *sets, *fill)
    row = torch.repeat_interleave(
        torch.arange(rows, device=points.device), count, output_size=edges
    )
    # by row, then distance, then index: stable sorts from the last key to the first
    order = index.argsort(stable=True)
    order = order[dist2[order].argsort(stable=True)]
    order = order[row[order].argsort(stable=True)]
    index = index[order]
    if max_neighbors >= 0:
        rank = torch.arange(edges, device=points.device) - row_ptr[row]
        index = index[rank < max_neighbors]
        row_ptr = torch.cat([count.new_zeros(1), count.clamp_max(max_neighbors).cumsum(0)])
    return row_ptr, index


def suppress(
    kernels: ctypes.CDLL, points: Tensor, visit: Tensor, radius: float, ptr: Tensor | None
) -> Tensor:
    """Keep flags (N,) of points visited in the given order."""
    keep = torch.ones(points.shape[0], dtype=torch.bool, device=points.device)
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    shape = (native.dense(points), *points.shape, graphs, native.dense(ptr), visit)
    native.call(kernels, "geo_cuda_suppress", points.dtype, *shape, radius, keep, *_place(points))
    return keep


def segment_reduce(
    kernels: ctypes.CDLL,
    src: Tensor,
    index: Tensor,
    ptr: Tensor | None,
    order: Tensor | None,
    kind: int,
    fill: float,
    out: Tensor,
) -> None:
    """Fills out (S, ...)."""
    if ptr is None:
        ptr, order = sorted_rows(SegmentOrder(index, out.shape[0]))
    shape = (src.contiguous(), src.shape[0], prod(src.shape[1:]), ptr.contiguous())
    rest = (native.dense(order), out.shape[0], kind, fill, out, *_place(src))
    native.call(kernels, "geo_cuda_segment_reduce", src.dtype, *shape, *rest)


def farthest_point_sampling(
    kernels: ctypes.CDLL,
    points: Tensor,
    ptr: Tensor | None,
    start: Tensor,
    sample_ptr: Tensor,
    index: Tensor,
) -> None:
    """Fills index (M,)."""
    far = points.new_empty(points.shape[0])
    shape = (points.contiguous(), *points.shape, start.shape[0], native.dense(ptr))
    rest = (start.contiguous(), sample_ptr, far, index, *_place(points))
    native.call(kernels, "geo_cuda_fps", points.dtype, *shape, *rest)
