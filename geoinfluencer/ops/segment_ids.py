"""Ids of segments, checked, and the order of the rows by id."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks


@dataclass(frozen=True)
class SegmentOrder:
    """Ids of N rows in S segments; :func:`segment_order` makes one for use in many reductions.

    ``ptr`` and ``order`` are read on a GPU alone: the CPU kernels are as fast without. With ``ptr``
    and no ``order`` the ids ascend.
    """

    index: Tensor  # (N,) int64
    num_segments: int  # S
    ptr: Tensor | None = None  # (S + 1,) first row of each segment in ``order``
    order: Tensor | None = None  # (N,) rows by id, those of one id ascending
    checked: bool = False  # whether the values of ``index`` were looked at


def segment_order(index: Tensor, num_segments: int) -> SegmentOrder:
    """Checks ids once for many reductions, in each of which it takes the place of ``index``.

    On a GPU it also sorts the rows by id (stable), which otherwise every reduction does.

    Args:
        index: integer ids, sorted or not.
        num_segments: S.

    Shapes:
        index (N,).

    Raises:
        InputError: an id is not in 0..S-1 (looked at on the CPU).
    """
    if not isinstance(index, Tensor):
        raise InputError(f"index must be a tensor (N,), got {checks.describe(index)}")
    ids = check_segments(index, index, num_segments)
    check_range(ids)
    ptr, order = sorted_rows(ids) if ids.index.is_cuda else (None, None)
    return replace(ids, ptr=ptr, order=order, checked=True)


def sorted_rows(ids: SegmentOrder) -> tuple[Tensor, Tensor]:
    """First row (S + 1,) of each segment in the list of rows (N,) by id, those of one ascending."""
    order = torch.argsort(ids.index, stable=True)
    segments = torch.arange(ids.num_segments + 1, device=ids.index.device)
    return torch.searchsorted(ids.index[order], segments), order


def check_segments(
    like: Tensor, index: Tensor | SegmentOrder, num_segments: int | None, rows: int | None = None
) -> SegmentOrder:
    """Ids (rows,) on the device of ``like``; their values are left to :func:`check_range`."""
    if isinstance(index, SegmentOrder):
        if num_segments not in (None, index.num_segments):
            raise InputError(
                f"num_segments is {num_segments}, the segment_order was made for "
                f"{index.num_segments}: leave it out"
            )
        if rows is not None:
            checks.check_vector("index", index.index, rows, like.device)
        return index
    if not isinstance(index, Tensor):
        raise InputError(f"index must be a tensor (N,), got {checks.describe(index)}")
    if num_segments is None:
        raise InputError("num_segments is missing: give it, or a segment_order as index")
    if not isinstance(num_segments, torch.SymInt):
        checks.check_count("num_segments", num_segments, 0)
    if rows is None:
        rows = index.shape[0] if index.dim() else -1
    ids = checks.check_ids("index", index, rows, like.device)
    assert ids is not None
    return SegmentOrder(ids, num_segments)


def check_range(ids: SegmentOrder) -> None:
    """Raises for an id that is not in 0..S-1; not on a GPU, which it would wait for."""
    if ids.checked or ids.index.device.type != "cpu" or torch.compiler.is_compiling():
        return
    if ids.index.numel() == 0:
        return
    low, high = (int(v) for v in ids.index.aminmax())
    if low < 0 or high >= ids.num_segments:
        raise InputError(
            f"index must be in 0..{ids.num_segments - 1} (num_segments), got {low} to {high}"
        )
