"""What computes the potential: the kernels of the CPU, those of CUDA, or the twin."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from geoinfluencer.ops import checks, cuda, native, reference

_Pair = tuple[Tensor | None, Tensor | None]  # of x, of y
_Filled = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # outputs, None: not wanted


def forward(
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
    need_grad: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Energy (B,), active pairs (B,) and the gradients (N, D) and (M, D) of each graph's energy."""
    checks.check_ptr_values("x_ptr", x_ptr, x.shape[0])
    if y is not None:
        checks.check_ptr_values("y_ptr", y_ptr, y.shape[0])
    if (kernels := native.cpu(x)) is not None:
        run = _on_cpu
    elif (kernels := native.cuda(x)) is not None:
        run = _on_cuda
    else:
        sides = (x_instance, y_instance, x_ptr, y_ptr, x_weight, y_weight)
        return reference.potential(x, y, radius, power, *sides, need_grad)
    energy, active, grad_x, grad_y = empty_outputs(x, y, x_ptr, need_grad)
    filled = (
        *(energy, active, grad_x if need_grad else None),
        grad_y if need_grad and y is not None else None,
    )
    ids, ptrs, weights = (x_instance, y_instance), (x_ptr, y_ptr), (x_weight, y_weight)
    run(kernels, x, y, radius, power, ids, ptrs, weights, filled)
    return energy, active, grad_x, grad_y


def empty_outputs(
    x: Tensor, y: Tensor | None, x_ptr: Tensor | None, need_grad: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Energy, active pairs and gradients, not initialised; no gradient is (0, D)."""
    graphs = 1 if x_ptr is None else x_ptr.shape[0] - 1
    rows_x = x.shape[0] if need_grad else 0
    rows_y = y.shape[0] if need_grad and y is not None else 0
    dim = x.shape[1]
    energy, active = x.new_empty(graphs), x.new_empty(graphs, dtype=torch.int64)
    return energy, active, x.new_empty(rows_x, dim), x.new_empty(rows_y, dim)


def _on_cpu(
    kernels: ctypes.CDLL,
    x: Tensor,
    y: Tensor | None,
    radius: float,
    power: int,
    ids: _Pair,
    ptrs: _Pair,
    weights: _Pair,
    filled: _Filled,
) -> None:
    sets = (native.dense(x), x.shape[0], native.dense(y), 0 if y is None else y.shape[0])
    shape = (x.shape[1], filled[0].shape[0], *map(native.dense, ptrs))
    rest = (*map(native.dense, weights), radius, power, native.threads(), *filled)
    dense_ids = map(native.dense, ids)
    code = native.call(kernels, "geo_potential", x.dtype, *sets, *shape, *dense_ids, *rest)
    if code == native.ID_RANGE:  # ids beyond 32 bits, such as particle barcodes
        small_ids = _renumber(*ids)
        native.call(kernels, "geo_potential", x.dtype, *sets, *shape, *small_ids, *rest)


def _renumber(*ids: Tensor | None) -> list[Tensor | None]:
    """The same partition with ids 0..n-1; negative ids become -1."""
    given = [i for i in ids if i is not None]
    _, number = torch.unique(torch.cat(given), return_inverse=True)
    parts = iter(number.split([i.shape[0] for i in given]))
    return [None if i is None else torch.where(i < 0, -1, next(parts)) for i in ids]


def _on_cuda(
    kernels: ctypes.CDLL,
    x: Tensor,
    y: Tensor | None,
    radius: float,
    power: int,
    ids: _Pair,
    ptrs: _Pair,
    weights: _Pair,
    filled: _Filled,
) -> None:
    first = cuda.sort_points(kernels, x, ptrs[0])
    second = cuda.sort_points(kernels, y, ptrs[1])
    partial_sums = x.shape[0] + cuda.count_tiles(x) + cuda.count_tiles(y)
    row_energy = x.new_empty(partial_sums, dtype=torch.float64)
    row_active = x.new_empty(partial_sums, dtype=torch.int64)
    shape = (*first.arguments(), *second.arguments(), x.shape[1], filled[0].shape[0])
    sorted_ids = (first.rows(ids[0]), second.rows(ids[1]))
    sorted_weights = (first.rows(weights[0]), second.rows(weights[1]))
    rest = (radius, power, row_energy, row_active, *filled)
    cuda.call(kernels, "geo_cuda_potential", x, *shape, *sorted_ids, *sorted_weights, *rest)
