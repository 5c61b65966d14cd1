"""Pure-torch twins of every op: the readable definition, the fall-back and the tests' oracle.

Shapes: N points, M second set, D dimensions, B graphs, Q queries, k neighbours. A ``ptr`` is
(B + 1,) int64 with the points of graph b in rows ``ptr[b]:ptr[b + 1]``; ``None`` is one graph.
Everything is evaluated in tiles, so that memory stays O(N) whatever the number of pairs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

TILE = 1 << 20  # numbers in one tile of pairs x dimensions: a few MB, cache-friendly


def spans(ptr: Tensor | None, size: int) -> list[tuple[int, int]]:
    """Row ranges of the graphs."""
    bounds = [0, size] if ptr is None else ptr.tolist()
    return list(itertools.pairwise(bounds))


def _tiles(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(start, stop, step):
        yield low, min(low + step, stop)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:  # (n, D), (m, D) -> (n, m)
    """Sum of squared differences, added in the order of the dimensions as the kernels do.

    The direct difference keeps huge common offsets harmless, where |a|^2 + |b|^2 - 2ab cancels.
    """
    total = torch.zeros(a.shape[0], b.shape[0], dtype=a.dtype, device=a.device)
    for d in range(a.shape[1]):
        difference = a[:, d, None] - b[None, :, d]
        total += difference * difference
    return total


def _tie_directions(i: Tensor, j: Tensor, dim: int, dtype: torch.dtype) -> Tensor:
    """Unit vectors (n, D) for coincident pairs: axis (i + j) mod D, sign by the index order."""
    unit = torch.zeros(i.numel(), dim, dtype=dtype, device=i.device)
    sign = torch.where(i <= j, 1.0, -1.0).to(dtype)
    unit.scatter_(1, ((i + j) % dim)[:, None], sign[:, None])
    return unit


def potential(
    x: Tensor,  # (N, D)
    y: Tensor | None,  # (M, D), None: symmetric
    radius: float,
    power: int,
    x_instance: Tensor | None,  # (N,)
    y_instance: Tensor | None,  # (M,)
    x_ptr: Tensor | None,  # (B + 1,)
    y_ptr: Tensor | None,  # (B + 1,)
    x_weight: Tensor | None,  # (N,)
    y_weight: Tensor | None,  # (M,)
    need_grad: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Energy (B,), active pairs (B,), gradients (N, D) and (M, D), empty when not needed."""
    symmetric = y is None
    other = x if y is None else y
    other_instance = x_instance if symmetric else y_instance
    other_weight = x_weight if symmetric else y_weight
    x_spans = spans(x_ptr, x.shape[0])
    y_spans = x_spans if symmetric else spans(y_ptr, other.shape[0])
    energy = torch.zeros(len(x_spans), dtype=torch.float64, device=x.device)
    active = torch.zeros(len(x_spans), dtype=torch.int64, device=x.device)
    grad_x = torch.zeros_like(x) if need_grad else x.new_zeros(0, x.shape[1])
    grad_y = torch.zeros_like(other) if need_grad else x.new_zeros(0, x.shape[1])
    tiny = torch.finfo(x.dtype).tiny
    r = torch.tensor(radius, dtype=x.dtype, device=x.device)
    side = max(16, int((TILE / max(1, x.shape[1])) ** 0.5))
    for b, ((x0, x1), (y0, y1)) in enumerate(zip(x_spans, y_spans, strict=True)):
        for i0, i1 in _tiles(x0, x1, side):
            for j0, j1 in _tiles(y0, y1, side):
                if symmetric and j1 <= i0:
                    continue  # the mirrored tile has these pairs
                i = torch.arange(i0 - x0, i1 - x0, device=x.device)  # indices local to the graph
                j = torch.arange(j0 - y0, j1 - y0, device=x.device)
                d2 = squared_distances(x[i0:i1], other[j0:j1])
                counted = d2 < r * r
                if symmetric:
                    counted &= i[:, None] < j[None, :]
                if x_instance is not None and other_instance is not None:
                    a, c = x_instance[i0:i1, None], other_instance[None, j0:j1]
                    counted &= (a != c) | (a < 0)
                weight = torch.ones((), dtype=x.dtype, device=x.device)
                if x_weight is not None:
                    weight = weight * x_weight[i0:i1, None]
                if other_weight is not None:
                    weight = weight * other_weight[None, j0:j1]
                counted &= weight != 0
                rows, cols = counted.nonzero(as_tuple=True)
                distance = d2[rows, cols].sqrt()
                coincident = d2[rows, cols] < tiny
                distance = torch.where(coincident, 0.0, distance)
                hinge = (r - distance).clamp_min(0)
                w = weight.expand_as(d2)[rows, cols]
                energy[b] += (w * (hinge if power == 1 else hinge * hinge)).double().sum()
                active[b] += rows.numel()
                if not need_grad:
                    continue
                slope = -w if power == 1 else -2 * w * hinge  # d energy / d distance
                unit = (x[i0 + rows] - other[j0 + cols]) / distance[:, None]
                tie = coincident.nonzero()[:, 0]
                unit[tie] = _tie_directions(i[rows[tie]], j[cols[tie]], x.shape[1], x.dtype)
                push = slope[:, None] * unit
                grad_x.index_add_(0, i0 + rows, push)
                (grad_x if symmetric else grad_y).index_add_(0, j0 + cols, -push)
    _poison(x, x_weight, x_spans, energy, grad_x)
    if not symmetric:
        _poison(other, other_weight, y_spans, energy, grad_y)
    return (
        energy.to(x.dtype),
        active,
        grad_x,
        grad_x.new_zeros(0, x.shape[1]) if symmetric else grad_y,
    )


def _poison(
    x: Tensor, weight: Tensor | None, graphs: list[tuple[int, int]], energy: Tensor, grad: Tensor
) -> None:
    """A point that is not finite makes its graph's energy NaN and its own gradient NaN."""
    bad = ~torch.isfinite(x).all(dim=1)
    if weight is not None:
        bad &= weight != 0
    if not bool(bad.any()):
        return
    for b, (low, high) in enumerate(graphs):
        if bool(bad[low:high].any()):
            energy[b] = float("nan")
    if grad.shape[0]:
        grad[bad] = float("nan")


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
        for q0, q1 in _tiles(s0, s1, step):
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


def suppress(points: Tensor, score: Tensor, radius: float, ptr: Tensor | None) -> Tensor:
    """Greedy non-maximum suppression (N,) bool: each kept point removes the rest within radius."""
    keep = torch.zeros(points.shape[0], dtype=torch.bool, device=points.device)
    limit = torch.tensor(radius, dtype=points.dtype, device=points.device)
    for low, high in spans(ptr, points.shape[0]):
        # candidates in order of preference; every round keeps the first and drops its neighbours
        rest = low + torch.argsort(score[low:high], descending=True, stable=True)
        while rest.numel():
            first, rest = rest[0], rest[1:]
            keep[first] = True
            d2 = squared_distances(points[first][None], points[rest])[0]
            rest = rest[~(d2 <= limit * limit)]
    return keep


class _Potential(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor | None, *rest: Any) -> tuple[Tensor, Tensor]:
        radius, power, xi, yi, xp, yp, xw, yw = rest
        energy, active, grad_x, grad_y = potential(
            x, y, radius, power, xi, yi, xp, yp, xw, yw, True
        )
        ctx.save_for_backward(grad_x, grad_y, xp, yp)
        ctx.symmetric = y is None
        ctx.mark_non_differentiable(active)
        return energy, active

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_energy: Tensor, _: Any) -> tuple[Any, ...]:
        grad_x, grad_y, x_ptr, y_ptr = ctx.saved_tensors
        out_x = scale_by_graph(grad_x, grad_energy, x_ptr)
        out_y = None if ctx.symmetric else scale_by_graph(grad_y, grad_energy, y_ptr)
        return out_x, out_y, *([None] * 8)


def scale_by_graph(rows: Tensor, factor: Tensor, ptr: Tensor | None) -> Tensor:
    """Multiplies the rows (N, D) of each graph by its factor (B,)."""
    if ptr is None:
        return rows * factor
    return rows * torch.repeat_interleave(factor, ptr.diff(), output_size=rows.shape[0])[:, None]


def influence_potential(
    x: Tensor,
    y: Tensor | None = None,
    *,
    radius: float,
    power: int = 2,
    x_instance: Tensor | None = None,
    y_instance: Tensor | None = None,
    x_ptr: Tensor | None = None,
    y_ptr: Tensor | None = None,
    x_weight: Tensor | None = None,
    y_weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Differentiable twin of :func:`geoinfluencer.ops.influence_potential`, same arguments."""
    if x.dtype in (torch.float16, torch.bfloat16):
        x, y = x.float(), None if y is None else y.float()
    energy, active = _Potential.apply(
        x, y, radius, power, x_instance, y_instance, x_ptr, y_ptr, x_weight, y_weight
    )
    return energy, active
