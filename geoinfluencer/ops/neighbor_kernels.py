"""What runs the neighbour searches: the kernels of the CPU, those of CUDA, or the twins."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from geoinfluencer.ops import checks, cuda, native, reference


class _Sets(NamedTuple):
    """The points, and who asks; queries None: the points themselves, none finding itself."""

    points: Tensor  # (N, D)
    queries: Tensor | None  # (Q, D)
    ptr: Tensor | None  # (B + 1,)
    query_ptr: Tensor | None  # (B + 1,)

    def check_values(self) -> None:
        checks.check_ptr_values("ptr", self.ptr, self.points.shape[0])
        if self.queries is not None:
            checks.check_ptr_values("query_ptr", self.query_ptr, self.queries.shape[0])

    def on_cpu(self) -> tuple[Tensor | int | None, ...]:
        """As the C ABI takes them (GEO_KNN, GEO_RADIUS in csrc/api.h)."""
        number = 0 if self.queries is None else self.queries.shape[0]
        sets = (native.dense(self.points), self.points.shape[0], native.dense(self.queries), number)
        shape = (self.points.shape[1], self._graphs())
        return *sets, *shape, native.dense(self.ptr), native.dense(self.query_ptr)

    def on_cuda(self, kernels: ctypes.CDLL) -> tuple[Tensor | int | None, ...]:
        """GEO_CUDA_SEARCH of csrc/cuda_api.h."""
        alone = self.queries is None
        points = cuda.sort_points(kernels, self.points, self.ptr)
        asking = points if alone else cuda.sort_points(kernels, self.queries, self.query_ptr)
        shape = (int(alone), self.points.shape[1], self._graphs())
        return *points.arguments(), *asking.arguments(), *shape

    def _graphs(self) -> int:
        return 1 if self.ptr is None else self.ptr.shape[0] - 1


def knn(
    points: Tensor, queries: Tensor | None, k: int, ptr: Tensor | None, query_ptr: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Index (Q, k) and squared distance (Q, k)."""
    sets = _Sets(points, queries, ptr, query_ptr)
    sets.check_values()
    index, dist2 = fake_knn(points, queries, k)
    if (kernels := native.cpu(points)) is not None:
        rest = (k, native.threads(), index, dist2)
        native.call(kernels, "geo_knn", points.dtype, *sets.on_cpu(), *rest)
        return index, dist2
    if (kernels := native.cuda(points)) is not None:
        cuda.call(kernels, "geo_cuda_knn", points, *sets.on_cuda(kernels), k, index, dist2)
        return index, dist2
    return reference.knn(points, queries, k, ptr, query_ptr)


def fake_knn(points: Tensor, queries: Tensor | None, k: int, *_: Any) -> tuple[Tensor, Tensor]:
    """Not initialised."""
    shape = (_rows(points, queries), k)
    return points.new_empty(shape, dtype=torch.int64), points.new_empty(shape)


def radius_count(
    points: Tensor, queries: Tensor | None, r: float, ptr: Tensor | None, query_ptr: Tensor | None
) -> Tensor:
    """Number (Q,) of points within r."""
    sets = _Sets(points, queries, ptr, query_ptr)
    sets.check_values()
    count = fake_radius_count(points, queries)
    if (kernels := native.cpu(points)) is not None:
        rest = (r, native.threads(), count)
        native.call(kernels, "geo_radius_count", points.dtype, *sets.on_cpu(), *rest)
        return count
    if (kernels := native.cuda(points)) is not None:
        only_count = (r, None, count, None, None)
        cuda.call(kernels, "geo_cuda_radius", points, *sets.on_cuda(kernels), *only_count)
        return count
    return reference.radius_count(points, queries, r, ptr, query_ptr)


def fake_radius_count(points: Tensor, queries: Tensor | None, *_: Any) -> Tensor:
    """Not initialised."""
    return points.new_empty(_rows(points, queries), dtype=torch.int64)


def radius(
    points: Tensor,
    queries: Tensor | None,
    r: float,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
    max_neighbors: int,
) -> tuple[Tensor, Tensor]:
    """Row pointers (Q + 1,) and indices (E,); ``max_neighbors`` -1: all."""
    sets = _Sets(points, queries, ptr, query_ptr)
    sets.check_values()
    if (kernels := native.cpu(points)) is not None:
        row_ptr = points.new_empty(_rows(points, queries) + 1, dtype=torch.int64)
        rest = (r, native.threads(), max_neighbors, row_ptr)
        arguments = (*sets.on_cpu(), *rest)
        return row_ptr, native.take(kernels, "geo_radius", points.dtype, row_ptr, *arguments)
    if (kernels := native.cuda(points)) is not None:
        return _radius_on_cuda(kernels, sets, r, max_neighbors)
    return reference.radius(points, queries, r, ptr, query_ptr, max_neighbors)


def fake_radius(points: Tensor, queries: Tensor | None, *_: Any) -> tuple[Tensor, Tensor]:
    """Not initialised."""
    edges = torch.library.get_ctx().new_dynamic_size()
    row_ptr = points.new_empty(_rows(points, queries) + 1, dtype=torch.int64)
    return row_ptr, points.new_empty(edges, dtype=torch.int64)


def _radius_on_cuda(
    kernels: ctypes.CDLL, sets: _Sets, r: float, max_neighbors: int
) -> tuple[Tensor, Tensor]:
    """Counts first, because the sum sizes the lists."""
    points, arguments = sets.points, sets.on_cuda(kernels)
    count = fake_radius_count(points, sets.queries)
    cuda.call(kernels, "geo_cuda_radius", points, *arguments, r, None, count, None, None)
    row_ptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
    edges = int(row_ptr[-1])
    index, dist2 = count.new_empty(edges), points.new_empty(edges)
    cuda.call(kernels, "geo_cuda_radius", points, *arguments, r, row_ptr, None, index, dist2)
    every_row = torch.arange(count.shape[0], device=points.device)
    row = torch.repeat_interleave(every_row, count, output_size=edges)
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


def _rows(points: Tensor, queries: Tensor | None) -> int:
    return (points if queries is None else queries).shape[0]
