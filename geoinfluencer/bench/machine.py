"""Where and with what the timings were taken."""

from __future__ import annotations

import datetime
import os
import platform
import time
from pathlib import Path

import torch

from geoinfluencer import ops
from geoinfluencer.bench import limits

_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # threads that sleep at once take long to wake
_SIDE = 1024  # of the matrices: 2 GFLOP a product


def machine(device: torch.device) -> dict[str, object]:
    """Processor, cores, memory, system, versions, the backend of each op, the time."""
    found: dict[str, object] = {
        "cpu": _cpu_model(),
        "cores": limits.cores(),
        "memory_gb": _memory_gb(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "backend": {name: str(backend) for name, backend in ops.backend().items()},
        "device": str(device),
        "openmp": {name: os.environ[name] for name in _WAITING if name in os.environ},
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        found["gpu"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    return found


def load_average() -> list[float] | None:
    """Processes that wanted a core over the last 1, 5 and 15 minutes."""
    if not hasattr(os, "getloadavg"):
        return None
    return [round(value, 2) for value in os.getloadavg()]


def noise_warning(start: list[float] | None, end: list[float] | None, threads: int) -> str:
    """A sentence when others used the machine; empty: it was quiet, or nobody knows."""
    if start is None or end is None:
        return ""
    if start[0] > 0.5:
        return f"the machine was busy before the start (load {start[0]:g}): quote ratios only"
    if end[0] > threads + 0.7:
        return f"the machine became busy (load {end[0]:g} at the end): quote ratios only"
    return ""


def matmul_gflops(threads: int, device: torch.device, seconds: float = 1.0) -> float:
    """Best rate of a float32 matrix product here: an achievable peak of multiply-adds.

    Not the theoretical peak of the processor: what torch's own matrix product reaches.
    """
    a, b = torch.randn(2, _SIDE, _SIDE, device=device)
    best, began = float("inf"), time.perf_counter()
    with limits.threads(threads):
        while time.perf_counter() - began < seconds:
            _wait(device)
            start = time.perf_counter()
            torch.mm(a, b)
            _wait(device)
            best = min(best, time.perf_counter() - start)
    return 2.0 * _SIDE**3 / best / 1e9


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _cpu_model() -> str:
    place = Path("/proc/cpuinfo")
    if place.is_file():
        for line in place.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    return None
