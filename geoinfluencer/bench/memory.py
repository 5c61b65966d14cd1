"""How much memory a run adds at its peak."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from pathlib import Path

import torch

from geoinfluencer import ops

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def added_peak_mb(run: Callable[[], object], device: torch.device) -> tuple[float, object]:
    """MiB that ``run`` adds at its peak, its result included, and the result.

    On the CPU the resident set of the process (Linux; NaN elsewhere), on CUDA what torch allocates:
    memory that a library takes past torch's allocator is not seen there.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        result = run()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20, result
    if not _forget_peak():
        return math.nan, run()
    resident = _read("VmRSS")
    result = run()
    return max(0.0, _read("VmHWM") - resident), result


def _forget_peak() -> bool:
    """Returns freed memory to the system and lets it forget the peak so far."""
    try:
        # else what earlier runs freed or kept would be used again, unseen
        ops.release_memory()
        ctypes.CDLL(None).malloc_trim(0)
        _CLEAR.write_text("5")
    except (OSError, AttributeError):  # not Linux, another C library, or not allowed
        return False
    return True


def _read(field: str) -> float:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    line = next(row for row in lines if row.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024
