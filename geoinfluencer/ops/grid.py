"""Voxels: points that share a cell of a regular grid."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, native, reference
from geoinfluencer.ops.batching import resolve_ptr

_LARGEST_CELL = 2.0**62


class Voxels(NamedTuple):
    """The V cells that hold points, by graph, then lexicographically by cell."""

    cluster: Tensor  # (N,) int64: voxel of each point
    counts: Tensor  # (V,) int64: points of each voxel, at least one
    first: Tensor  # (V,) int64: the smallest row of each voxel, to represent it
    ptr: Tensor  # (B + 1,) int64: first voxel of each graph, and V


def grid_pool(
    points: Tensor,  # (N, D)
    size: float | Sequence[float],
    *,
    batch: Tensor | None = None,  # (N,)
    ptr: Tensor | None = None,  # (B + 1,)
    origin: float | Sequence[float] = 0.0,
) -> Voxels:
    r"""Numbers the voxels of the points of each graph, exactly, in any number of dimensions.

    .. math:: c_i = \lfloor (x_i - o) / s \rfloor

    in double precision. Features are pooled by the segment reductions, for instance
    ``segment_mean(x, voxels.cluster, len(voxels.counts))``; labels by ``y[voxels.first]``.

    Args:
        points: positions.
        size: edge of a cell, in the units of the points; one number, or one per dimension.
        batch: graph of each row, ascending; or give ``ptr``. Neither: one graph.
        ptr: first row of each graph and the total.
        origin: a corner of a cell. (default: 0, so that the grid does not move with the points)

    Shapes:
        points (N, D) -> :class:`Voxels`; V <= N is known only afterwards, so a GPU is waited for.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit; a point is not finite, or its
            cell is beyond 2^62.
    """
    points = checks.check_points("points", points).detach()
    dim = points.shape[1]
    edges = _per_dimension("size", size, dim)
    if any(edge <= 0 for edge in edges):
        raise InputError(f"size must be positive, got {size!r}")
    corner = _per_dimension("origin", origin, dim)
    if batch is not None:
        checks.check_vector("batch", batch, points.shape[0], points.device)
    bounds = resolve_ptr(batch, ptr, points.shape[0], points.device)
    return Voxels(*torch.ops.geoinfluencer.grid_pool(points, edges, corner, bounds))


def _per_dimension(name: str, value: float | Sequence[float], dim: int) -> list[float]:
    numbers = [value] * dim if isinstance(value, int | float) else value
    if not isinstance(numbers, Sequence) or len(numbers) != dim:
        raise InputError(f"{name} must be a number or {dim} of them, got {value!r}")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError(f"{name} must hold numbers, got {number!r}")
        if not abs(number) < sys.float_info.max:
            raise InputError(f"{name} must be finite, got {number!r}")
    return [float(number) for number in numbers]


def _grid(
    points: Tensor, size: list[float], origin: list[float], ptr: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    checks.check_ptr_values("ptr", ptr, points.shape[0])
    rows, graphs = points.shape[0], ptr.shape[0] - 1
    edges = torch.tensor(size, dtype=torch.float64, device=points.device)
    corner = torch.tensor(origin, dtype=torch.float64, device=points.device)
    kernels = native.cpu(points, any_width=True)
    if kernels is None:
        _check_cells(points, edges, corner)
        return reference.grid_pool(points, edges, corner, ptr)
    cluster, count, first = (ptr.new_empty(rows) for _ in range(3))
    voxel_ptr = ptr.new_empty(graphs + 1)
    shape = (native.dense(points), *points.shape, graphs, native.dense(ptr), edges, corner)
    rest = (native.threads(), cluster, count, first, voxel_ptr)
    code = native.call(kernels, "geo_grid", points.dtype, *shape, *rest)
    if code == native.ID_RANGE:
        _check_cells(points, edges, corner)
    voxels = int(voxel_ptr[-1])
    return cluster, count[:voxels].clone(), first[:voxels].clone(), voxel_ptr


def _check_cells(points: Tensor, size: Tensor, origin: Tensor) -> None:
    cell = (points.double() - origin) / size
    bad = ~(cell.abs() < _LARGEST_CELL).all(dim=1)
    if bool(bad.any()):
        row = int(bad.nonzero()[0, 0])
        raise InputError(
            f"points has {points[row].tolist()} in row {row}, whose cell of size {size.tolist()} "
            "is not finite or beyond 2^62: drop the point, or take larger cells"
        )


def _fake(
    points: Tensor, size: list[float], origin: list[float], ptr: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    voxels = torch.library.get_ctx().new_dynamic_size()
    rows = ptr.new_empty(points.shape[0])
    return rows, ptr.new_empty(voxels), ptr.new_empty(voxels), torch.empty_like(ptr)


library.define(
    "grid_pool(Tensor points, float[] size, float[] origin, Tensor ptr) "
    "-> (Tensor, Tensor, Tensor, Tensor)",
    _grid,
    _fake,
)
