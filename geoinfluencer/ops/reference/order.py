"""Twin of the Morton codes by which the CUDA kernels order points."""

from __future__ import annotations

import torch
from torch import Tensor

CURVE_DIMS = 6  # GEO_CUDA_CURVE_DIMS of csrc/cuda_api.h


def curve_bits(dim: int, graphs: int) -> tuple[int, bool]:
    """Bits of each dimension of a code, and whether code and graph number fit an int32."""
    dims, graph_bits = min(dim, CURVE_DIMS), max(graphs - 1, 0).bit_length()
    bits = min(16, (31 - graph_bits) // dims)
    if bits >= 5:
        return bits, True
    return max(1, min(16, (63 - graph_bits) // dims)), False


def morton_codes(points: Tensor, ptr: Tensor | None) -> Tensor:  # (N, D), (B + 1,) -> (N,)
    """Graph number, then the interleaved bits of the cells along the widest dimensions."""
    rows = points.shape[0]
    graphs = 1 if ptr is None else ptr.shape[0] - 1
    bits, _ = curve_bits(points.shape[1], graphs)
    code = torch.zeros(rows, dtype=torch.int64, device=points.device)
    if ptr is not None:
        code = torch.searchsorted(ptr[1:], torch.arange(rows, device=points.device), right=True)
    finite = points.nan_to_num(0.0, 0.0, 0.0)
    extent = finite.amax(0) - finite.amin(0)
    widest = extent.argsort(descending=True, stable=True)[:CURVE_DIMS]
    along = (finite - finite.amin(0)) / extent * (2**bits - 1)
    along = torch.where(torch.isfinite(points), along.nan_to_num(0.0), 0.0)
    cell = along.clamp(0, 2**bits - 1).to(torch.int64)[:, widest]
    for bit in range(bits - 1, -1, -1):
        for d in range(widest.shape[0]):
            code = (code << 1) | ((cell[:, d] >> bit) & 1)
    return code
