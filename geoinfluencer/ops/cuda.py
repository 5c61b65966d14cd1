"""How the CUDA kernels are called, and point sets as they take them, sorted with torch.

The kernels are queued on torch's stream. Nothing waits for the device, so that CUDA graphs can
capture it, but for the radius search, whose number of hits sizes its output.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from geoinfluencer.ops import native
from geoinfluencer.ops.reference import curve_bits

TILE = 64  # GEO_CUDA_TILE of csrc/cuda_api.h: rows that share a bounding box


def call(kernels: ctypes.CDLL, name: str, points: Tensor, *arguments: Any) -> None:
    """Queues a kernel in the precision of the points, on torch's current stream of their device."""
    stream = torch.cuda.current_stream(points.device)
    place = (stream.device_index, stream.cuda_stream)
    native.call(kernels, name, points.dtype, *arguments, *place)


class SortedSet(NamedTuple):
    """Points as the kernels take them: near points in near rows, graph after graph.

    All is None where there is no such set.
    """

    points: Tensor | None = None  # (N, D)
    ptr: Tensor | None = None  # (B + 1,)
    order: Tensor | None = None  # (N,) the caller's row of each sorted row
    box: Tensor | None = None  # (tiles, 2, D)

    def arguments(self) -> tuple[Tensor | int | None, ...]:
        """GEO_CUDA_SET of csrc/cuda_api.h."""
        size = 0 if self.points is None else self.points.shape[0]
        return self.points, size, self.ptr, self.order, self.box

    def rows(self, values: Tensor | None) -> Tensor | None:
        """The caller's values (N,) in the order of the rows."""
        if values is None or self.order is None:
            return None
        return values[self.order].contiguous()


def spatial_order(kernels: ctypes.CDLL, points: Tensor, ptr: Tensor | None) -> Tensor:
    """Rows (N,) along a Morton curve, graph after graph: one sort of the codes of the points."""
    if points.shape[0] == 0:
        return torch.empty(0, dtype=torch.int64, device=points.device)
    low, high = torch.aminmax(points.nan_to_num(0.0, 0.0, 0.0), dim=0)
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    bits, narrow = curve_bits(points.shape[1], graphs)
    code = torch.empty(points.shape[0], dtype=torch.int64, device=points.device)
    extent = (*points.shape, low, high, ptr, graphs)
    call(kernels, "geo_cuda_codes", points, points, *extent, bits, code)
    if narrow:  # half the passes of the radix sort
        code = code.to(torch.int32)
    return code.argsort(stable=True)


def sort_points(kernels: ctypes.CDLL, points: Tensor | None, ptr: Tensor | None) -> SortedSet:
    """Sorts and bounds a set."""
    if points is None:
        return SortedSet()
    points, ptr = points.contiguous(), native.dense(ptr)
    order = spatial_order(kernels, points, ptr)
    rows = points[order]
    box = rows.new_empty(count_tiles(points), 2, rows.shape[1])
    call(kernels, "geo_cuda_boxes", rows, rows, *rows.shape, box)
    return SortedSet(rows, ptr, order, box)


def count_tiles(points: Tensor | None) -> int:
    """Boxes of a set."""
    return 0 if points is None else (points.shape[0] + TILE - 1) // TILE
