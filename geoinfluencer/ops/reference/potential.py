"""Twin of the potential: tiles of pairs, value and gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geoinfluencer.ops.reference.tiles import TILE, spans, squared_distances, tiles


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
        for i0, i1 in tiles(x0, x1, side):
            for j0, j1 in tiles(y0, y1, side):
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


def scale_by_graph(
    rows: Tensor, factor: Tensor, ptr: Tensor | None, out: Tensor | None = None
) -> Tensor:
    """Multiplies the rows (N, D) of each graph by its factor (B,); ``out`` may be ``rows``."""
    if ptr is not None:
        factor = torch.repeat_interleave(factor, ptr.diff(), output_size=rows.shape[0])[:, None]
    return torch.mul(rows, factor, out=out)


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
