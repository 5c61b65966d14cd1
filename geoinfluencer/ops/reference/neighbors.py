"""Twins of the neighbour searches: distances of blocks of queries, sorted."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from geoinfluencer.ops.reference.tiles import TILE, spans, squared_distances, tiles


def _lexicographic(d2: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Sorts rows by distance, then index."""
    index, order = index.sort(dim=1)
    d2, order = d2.gather(1, order).sort(dim=1, stable=True)
    return d2, index.gather(1, order)


def _nearest(d2: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of each row of (n, m), ties by the smaller index."""
    values, index = d2.topk(k, dim=1, largest=False)
    ambiguous = (d2 <= values.amax(dim=1, keepdim=True)).sum(dim=1) > k
    values, index = _lexicographic(values, index)
    if bool(ambiguous.any()):  # a tie at the k-th place: topk may have taken any of them
        full, order = d2[ambiguous].sort(dim=1, stable=True)
        values[ambiguous], index[ambiguous] = full[:, :k], order[:, :k]
    return values, index


def _query_blocks(
    points: Tensor, queries: Tensor | None, ptr: Tensor | None, query_ptr: Tensor | None
) -> Iterator[tuple[int, int, int, int, Tensor]]:
    """(q0, q1, p0, p1, squared distances); without queries a point is far from itself."""
    target = points if queries is None else queries
    p_spans = spans(ptr, points.shape[0])
    q_spans = p_spans if queries is None else spans(query_ptr, target.shape[0])
    for (p0, p1), (s0, s1) in zip(p_spans, q_spans, strict=True):
        step = max(1, 4 * TILE // max(1, p1 - p0))
        for q0, q1 in tiles(s0, s1, step):
            d2 = squared_distances(target[q0:q1], points[p0:p1])
            d2 = torch.where(torch.isnan(d2), torch.inf, d2)
            if queries is None:
                rows = torch.arange(q1 - q0, device=d2.device)
                d2[rows, rows + (q0 - p0)] = torch.inf
            yield q0, q1, p0, p1, d2


def knn(
    points: Tensor,
    queries: Tensor | None,
    k: int,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Index (Q, k) and squared distance (Q, k) of the nearest, padded with -1 and inf."""
    target = points if queries is None else queries
    index = torch.full((target.shape[0], k), -1, dtype=torch.int64, device=points.device)
    dist2 = torch.full(index.shape, torch.inf, dtype=points.dtype, device=points.device)
    for q0, q1, p0, p1, d2 in _query_blocks(points, queries, ptr, query_ptr):
        count = min(k, p1 - p0)
        if count == 0:
            continue
        values, nearest = _nearest(d2, count)
        dist2[q0:q1, :count] = values
        index[q0:q1, :count] = torch.where(torch.isinf(values), -1, nearest + p0)
    return index, dist2


def radius(
    points: Tensor,
    queries: Tensor | None,
    r: float,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
    max_neighbors: int,
) -> tuple[Tensor, Tensor]:
    """Row pointers (Q + 1,) and indices (E,) of the points within r; -1 keeps all of them."""
    target = points if queries is None else queries
    limit = torch.tensor(r, dtype=points.dtype, device=points.device)
    counts = torch.zeros(target.shape[0] + 1, dtype=torch.int64, device=points.device)
    pieces = [torch.empty(0, dtype=torch.int64, device=points.device)]
    for q0, q1, p0, _, d2 in _query_blocks(points, queries, ptr, query_ptr):
        rows, cols = ((d2 <= limit * limit) & torch.isfinite(d2)).nonzero(as_tuple=True)
        order = d2[rows, cols].argsort(stable=True)
        rows, cols = rows[order], cols[order]
        order = rows.argsort(stable=True)
        rows, cols = rows[order], cols[order]
        found = torch.bincount(rows, minlength=q1 - q0)
        if max_neighbors >= 0:
            rank = torch.arange(rows.numel(), device=rows.device) - (found.cumsum(0) - found)[rows]
            cols = cols[rank < max_neighbors]
            found = found.clamp_max(max_neighbors)
        counts[q0 + 1 : q1 + 1] = found
        pieces.append(cols + p0)
    return counts.cumsum(0), torch.cat(pieces)


def radius_count(
    points: Tensor,
    queries: Tensor | None,
    r: float,
    ptr: Tensor | None,
    query_ptr: Tensor | None,
) -> Tensor:
    """Number of points within r of each query (Q,)."""
    target = points if queries is None else queries
    limit = torch.tensor(r, dtype=points.dtype, device=points.device)
    counts = torch.zeros(target.shape[0], dtype=torch.int64, device=points.device)
    for q0, q1, _, _, d2 in _query_blocks(points, queries, ptr, query_ptr):
        counts[q0:q1] = ((d2 <= limit * limit) & torch.isfinite(d2)).sum(dim=1)
    return counts
