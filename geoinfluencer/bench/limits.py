"""What every contestant has to live with: the same threads, a time and a memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def threads(number: int) -> Iterator[None]:
    """So many threads in torch and in every OpenMP and BLAS library loaded by now."""
    before = torch.get_num_threads()
    try:
        with threadpool_limits(limits=number):
            torch.set_num_threads(number)
            yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Budget:
    """What a contestant may take in one case.

    Attributes:
        seconds: in total; who is predicted to need more for one run is not started.
        memory_gb: added at the peak of one run, as predicted from a small one.
        repeats: timed turns, fewer where the seconds are spent, more where others disturb them.
    """

    seconds: float = 30.0
    memory_gb: float = 4.0
    repeats: int = 7

    def objection(self, seconds: float, memory_mb: float) -> str:
        """Why a run that takes this much is not started; empty: it may be."""
        if memory_mb / 1024 > self.memory_gb:
            return f"would take about {memory_mb / 1024:.3g} GB, the limit is {self.memory_gb:g} GB"
        if seconds > self.seconds:
            return f"would take about {seconds:.3g} s, the limit is {self.seconds:g} s"
        return ""


def default_memory_gb() -> float:
    """Half of what is free now, 12 GB at most."""
    if not hasattr(os, "sysconf") or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return 4.0
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return round(min(12.0, max(1.0, free / 2)), 1)
