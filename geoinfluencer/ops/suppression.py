"""Greedy non-maximum suppression of points in a metric space."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, cuda, library, native, reference
from geoinfluencer.ops.batching import batch_from_ptr


def suppress(
    points: Tensor,  # (N, D)
    score: Tensor,  # (N,)
    radius: float,
    *,
    ptr: Tensor | None = None,  # (B + 1,)
) -> Tensor:  # (N,) bool
    """Keeps the best points, none of them within ``radius`` of a better kept one of its graph.

    Points are visited by descending score, ties by smaller index; a point is dropped if a kept one
    lies at a distance <= radius. Memory is O(N) even if all points coincide.

    Args:
        points: positions.
        score: integer or floating, without NaN.
        radius: in the units of the points.
        ptr: first row of each graph and the total.

    Shapes:
        points (N, D), score (N,), ptr (B + 1,) -> keep (N,) bool.

    A point that is not finite neither drops another nor is dropped.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    points = checks.check_points("points", points).detach()
    checks.check_vector("score", score, points.shape[0], points.device)
    if score.dtype.is_complex or score.dtype == torch.bool:
        raise InputError(f"score must be real numbers, got {checks.describe(score)}")
    radius = checks.check_radius("radius", radius, points)
    ptr = checks.check_ptr("ptr", ptr, points.device)
    keep: Tensor = torch.ops.geoinfluencer.suppress(points, score.detach(), radius, ptr)
    return keep


def _suppress(points: Tensor, score: Tensor, radius: float, ptr: Tensor | None) -> Tensor:
    checks.check_ptr_values("ptr", ptr, points.shape[0])
    if score.device.type == "cpu" and score.is_floating_point() and bool(score.isnan().any()):
        row = int(score.isnan().nonzero()[0, 0])
        raise InputError(f"score must not hold NaN, got one in row {row} of {score.shape[0]}")
    kernels, device_kernels = native.cpu(points), native.cuda(points)
    if kernels is None and device_kernels is None:
        return reference.suppress(points, score, radius, ptr)
    visit = torch.argsort(score, descending=True, stable=True)
    if ptr is not None:  # graph after graph, by descending score within each
        graph = batch_from_ptr(ptr, points.shape[0])
        visit = visit[torch.argsort(graph[visit], stable=True)]
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    arguments = (native.dense(points), *points.shape, graphs, native.dense(ptr), visit, radius)
    if kernels is not None:
        keep = _fake(points, score, radius, ptr)
        native.call(kernels, "geo_suppress", points.dtype, *arguments, native.threads(), keep)
        return keep
    assert device_kernels is not None
    keep = torch.ones(points.shape[0], dtype=torch.bool, device=points.device)
    cuda.call(device_kernels, "geo_cuda_suppress", points, *arguments, keep)
    return keep


def _fake(points: Tensor, score: Tensor, radius: float, ptr: Tensor | None) -> Tensor:
    return points.new_empty(points.shape[0], dtype=torch.bool)


library.define(
    "suppress(Tensor points, Tensor score, float radius, Tensor? ptr) -> Tensor",
    _suppress,
    _fake,
)
