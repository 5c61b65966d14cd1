"""Exact neighbour searches: k nearest, within a radius, and how many within a radius."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, neighbor_kernels

MAX_NEIGHBORS = 128  # the largest k of knn


def knn(
    points: Tensor,  # (N, D)
    queries: Tensor | None = None,  # (Q, D)
    k: int = 16,
    *,
    ptr: Tensor | None = None,  # (B + 1,)
    query_ptr: Tensor | None = None,  # (B + 1,)
) -> tuple[Tensor, Tensor]:
    """The k nearest points of each query within its graph, nearest first, ties by smaller index.

    Args:
        points: the set searched.
        queries: default ``None``: the points themselves, each one excluded from its own list.
        k: 1 to 128.
        ptr, query_ptr: first row of each graph and the total.

    Shapes:
        points (N, D), queries (Q, D) -> index (Q, k) int64 into ``points``, dist2 (Q, k) squared
        distances; where a graph has fewer points: -1 and inf.

    Not differentiable: recompute the distances from the indices. Points that are not finite are
    nobody's neighbours.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    points, queries, ptr, query_ptr = _sets(points, queries, ptr, query_ptr)
    checks.check_count("k", k, 1, MAX_NEIGHBORS)
    index, dist2 = torch.ops.geoinfluencer.knn(points, queries, k, ptr, query_ptr)
    return index, dist2


def radius(
    points: Tensor,  # (N, D)
    queries: Tensor | None = None,  # (Q, D)
    r: float = 1.0,
    *,
    ptr: Tensor | None = None,
    query_ptr: Tensor | None = None,
    max_neighbors: int | None = None,
) -> tuple[Tensor, Tensor]:
    """All points at a distance <= r of each query within its graph, nearest first.

    Args:
        points: the set searched.
        queries: default ``None``: the points themselves, each one excluded from its own row.
        r: radius, in the units of the points.
        ptr, query_ptr: first row of each graph and the total.
        max_neighbors: keep only so many of the NEAREST; default ``None``: all of them, always.

    Shapes:
        points (N, D), queries (Q, D) -> row_ptr (Q + 1,), index (E,): query q has the points
        ``index[row_ptr[q]:row_ptr[q + 1]]``, sorted by distance, then index.

    Under ``torch.compile(fullgraph=True)`` the size E needs
    ``torch._dynamo.config.capture_dynamic_output_shape_ops = True``.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    points, queries, ptr, query_ptr = _sets(points, queries, ptr, query_ptr)
    r = checks.check_radius("r", r, points)
    limit = -1 if max_neighbors is None else checks.check_count("max_neighbors", max_neighbors, 0)
    row_ptr, index = torch.ops.geoinfluencer.radius(points, queries, r, ptr, query_ptr, limit)
    return row_ptr, index


def radius_count(
    points: Tensor,  # (N, D)
    queries: Tensor | None,  # (Q, D)
    r: float,
    *,
    ptr: Tensor | None = None,
    query_ptr: Tensor | None = None,
) -> Tensor:
    """Number of points at a distance <= r of each query within its graph.

    Args:
        points: the set searched.
        queries: ``None``: the points themselves, none of which counts itself.
        r: radius, in the units of the points.
        ptr, query_ptr: first row of each graph and the total.

    Shapes:
        points (N, D), queries (Q, D) -> counts (Q,) int64.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    points, queries, ptr, query_ptr = _sets(points, queries, ptr, query_ptr)
    r = checks.check_radius("r", r, points)
    counts: Tensor = torch.ops.geoinfluencer.radius_count(points, queries, r, ptr, query_ptr)
    return counts


def _sets(
    points: Tensor, queries: Tensor | None, ptr: Tensor | None, query_ptr: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    points = checks.check_points("points", points).detach()
    ptr = checks.check_ptr("ptr", ptr, points.device)
    if queries is None:
        if query_ptr is not None:
            raise InputError("query_ptr was given without queries: ptr serves both sides")
        return points, None, ptr, None
    queries = checks.check_points("queries", queries, like=points).detach()
    checks.check_same_dtype("queries", queries, points)
    query_ptr = checks.check_ptr("query_ptr", query_ptr, points.device)
    checks.check_pair_of_ptr("ptr", ptr, "query_ptr", query_ptr)
    return points, queries, ptr, query_ptr


library.define(
    "knn(Tensor points, Tensor? queries, int k, Tensor? ptr, Tensor? query_ptr) "
    "-> (Tensor, Tensor)",
    neighbor_kernels.knn,
    neighbor_kernels.fake_knn,
)
library.define(
    "radius(Tensor points, Tensor? queries, float r, Tensor? ptr, Tensor? query_ptr, "
    "int max_neighbors) -> (Tensor, Tensor)",
    neighbor_kernels.radius,
    neighbor_kernels.fake_radius,
)
library.define(
    "radius_count(Tensor points, Tensor? queries, float r, Tensor? ptr, Tensor? query_ptr) "
    "-> Tensor",
    neighbor_kernels.radius_count,
    neighbor_kernels.fake_radius_count,
)
