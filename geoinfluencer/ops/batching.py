"""From PyG's graph numbers per node to row pointers, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks


def ptr_from_batch(batch: Tensor, num_graphs: int | None = None) -> Tensor:
    """Row pointers (B + 1,) of sorted graph numbers (N,), as PyG's ``Batch.batch``.

    Args:
        batch: sorted integers from 0; a number that does not occur is an empty graph.
        num_graphs: B; default: the last number + 1 (this reads a value: pass B on a GPU, and under
            ``torch.compile``).

    Shapes:
        batch (N,) -> ptr (B + 1,) int64.

    Raises:
        InputError: not sorted, negative, or beyond ``num_graphs`` (values are checked on the CPU).
    """
    if not isinstance(batch, Tensor) or batch.dim() != 1 or batch.is_floating_point():
        raise InputError(f"batch must be an integer tensor (N,), got {checks.describe(batch)}")
    batch = batch.to(torch.int64)  # in a narrow type the last number + 1 would wrap around
    if num_graphs is not None:
        checks.check_count("num_graphs", num_graphs, 0)
    if batch.device.type == "cpu" and not torch.compiler.is_compiling() and batch.numel():
        first, last = int(batch[0]), int(batch[-1])
        if bool((batch[1:] < batch[:-1]).any()):
            raise InputError("batch must be sorted: the nodes of a graph are neighbouring rows")
        if first < 0 or (num_graphs is not None and last >= num_graphs):
            bound = "" if num_graphs is None else f" below num_graphs = {num_graphs}"
            raise InputError(f"batch must be 0 or more{bound}, got {first} to {last}")
    if num_graphs is None:
        num_graphs = int(batch[-1]) + 1 if batch.numel() else 0
    graphs = torch.arange(num_graphs + 1, device=batch.device)
    return torch.searchsorted(batch.contiguous(), graphs)


def batch_from_ptr(ptr: Tensor, num_nodes: int | None = None) -> Tensor:
    """Graph numbers (N,) of row pointers (B + 1,); ``num_nodes`` = N avoids reading a value."""
    ptr = ptr.to(torch.int64)
    graphs = torch.arange(ptr.shape[0] - 1, device=ptr.device)
    return torch.repeat_interleave(graphs, ptr.diff(), output_size=num_nodes)


def resolve_ptr(
    batch: Tensor | None, ptr: Tensor | None, num_nodes: int, device: torch.device
) -> Tensor:
    """Row pointers (B + 1,) where a caller may give ``batch`` (N,), ``ptr`` or neither: one graph.

    Raises:
        InputError: both were given, ``batch`` is not as :func:`ptr_from_batch` wants it, or ``ptr``
            does not run from 0 to N (values are checked on the CPU).
    """
    if batch is not None and ptr is not None:
        raise InputError("batch and ptr were both given; give one of them")
    if ptr is not None:
        checked = checks.check_ptr("ptr", ptr, device)
        checks.check_ptr_values("ptr", checked, num_nodes)
        assert checked is not None
        return checked
    if batch is not None:
        return ptr_from_batch(batch)
    return torch.arange(2, device=device) * num_nodes  # made there: a copy would wait for a GPU
