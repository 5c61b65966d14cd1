"""Checks of what a mask loss is given: shapes, classes, and finiteness without a copy of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError

#: entries looked at together: they stay in the cache, and on a GPU a kernel is worth its launch
ENTRIES_AT_ONCE = {"cpu": 1 << 17, "cuda": 1 << 24}


def check_rows(logits: Tensor, instance: Tensor, per_node: Mapping[str, Tensor | None]) -> None:
    """Logits (N, M) and one value per node of everything else."""
    if logits.dim() != 2 or not logits.is_floating_point():
        raise InputError(
            f"logits is {logits.dtype} of shape {tuple(logits.shape)}; expected floating (N, M), "
            "a row per node and a column per query"
        )
    size = logits.shape[0]
    for name, value in {"instance": instance, **per_node}.items():
        if value is not None and (value.dim() != 1 or value.shape[0] != size):
            raise InputError(
                f"{name} has shape {tuple(value.shape)}; expected ({size},), "
                f"one row per node, as logits {tuple(logits.shape)} has"
            )
    for name in ("instance", "y"):
        value = instance if name == "instance" else per_node[name]
        if value is not None and (value.is_floating_point() or value.dtype == torch.bool):
            raise InputError(f"{name} has dtype {value.dtype}; expected an integer type")


def check_classes(
    query_ptr: Tensor,
    width: int,
    quality_logits: Tensor | None,
    class_logits: Tensor | None,
    y: Tensor | None,
) -> None:
    """Boundaries of the queries, one row per query, and classes that have a logit (CPU only)."""
    queries = None
    if query_ptr.device.type == "cpu" and not torch.compiler.is_compiling():
        counts = query_ptr.diff()
        queries = int(query_ptr[-1])
        if int(query_ptr[0]) != 0 or bool((counts < 0).any()) or bool((counts > width).any()):
            raise InputError(
                f"query_ptr must start at 0, never decrease and give no graph more than the "
                f"{width} columns of logits, got {query_ptr.tolist()[:8]}"
            )
        top = int(y.max()) if y is not None and y.numel() else -1
        if class_logits is not None and top >= class_logits.shape[-1]:
            raise InputError(
                f"y has class {top}, class_logits {tuple(class_logits.shape)} "
                f"has classes 0..{class_logits.shape[-1] - 1}"
            )
    for name, value, rank in (
        ("quality_logits", quality_logits, 1),
        ("class_logits", class_logits, 2),
    ):
        if value is None:
            continue
        if value.dim() != rank or (queries is not None and value.shape[0] != queries):
            shape = f"({'Q' if queries is None else queries},{' C' if rank == 2 else ''})"
            raise InputError(
                f"{name} has shape {tuple(value.shape)}; expected {shape}, one row per query"
            )


def check_logits(logits: Tensor, ptr: Tensor, queries: Tensor | None) -> None:
    """Finite where there is a query, -inf where there is none; reads the logits piece by piece.

    Args:
        logits: (N, M).
        ptr: (B+1,) first node of each graph.
        queries: (B,) queries of each graph; None: M everywhere.
    """
    values = logits.detach()
    # one pass and no copy: a sum is finite only where every entry is (or it overflows, and then
    # the search below finds nothing)
    if not values.numel() or (queries is None and bool(torch.isfinite(values.sum()))):
        return
    nodes, width = values.shape
    count = None if queries is None else queries[ops.batch_from_ptr(ptr, nodes)]
    columns = torch.arange(width, device=values.device)
    at_once = rows_at_once(values)
    found = torch.zeros(2, dtype=torch.int64, device=values.device)
    for low in range(0, nodes, at_once):
        part = values[low : low + at_once]
        bad = ~torch.isfinite(part)
        if count is not None:
            beyond = columns >= count[low : low + at_once, None]
            found[1] += (beyond & ~torch.isneginf(part)).sum()
            bad &= ~beyond
        found[0] += bad.sum()
    wrong, stray = found.tolist()
    if wrong:
        raise InputError(
            f"logits has {wrong} of {values.numel()} values that are NaN or infinite "
            "(lower the learning rate, clip gradients, or check the inputs)"
        )
    if stray:
        raise InputError(
            f"logits has {stray} values other than -inf in columns beyond the queries of their "
            "graph (query_ptr); fill these with -inf"
        )


def rows_at_once(logits: Tensor) -> int:
    """Rows of a piece that stays in the cache of a core."""
    at_once = ENTRIES_AT_ONCE.get(logits.device.type, 1 << 20)
    return max(1, at_once // max(1, logits.shape[1]))
