"""Whether the cores are this process's own, as far as a fixed calculation can tell."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from geoinfluencer.bench import limits

CHUNK = 32768  # values per thread, which stay in its cache
SLOWER = 1.25  # than the fastest time seen: somebody else is at work, or the clock is lower
LOOK = 0.5  # seconds of looking for the fastest time, at least
WAIT = 5.0  # and at most, until several threads are as fast as one alone
PATIENCE = 120.0  # seconds of repeated runs, all together


class Watch:
    """Times a fixed calculation (cosines, about 50 us on every thread) between what is measured.

    A rented core shares its arithmetic with a neighbour's hyperthread. Where that one works, for a
    tenth of a second or for minutes, ours has half of its speed, and neither the load average nor
    the stolen time of a virtual machine says so. It does not see who uses up the memory's
    bandwidth, nor what happens within a long run.

    Attributes:
        patience: seconds that may still be spent on repeating runs.
    """

    def __init__(self) -> None:
        self.patience = PATIENCE
        self._values: dict[int, Tensor] = {}
        self._fastest: dict[int, float] = {}

    def quiet(self, threads: int) -> bool:
        """Whether the threads, to which torch is set, had their cores for themselves just now."""
        if threads not in self._fastest:
            with limits.threads(1):
                self._look(1)
            self._look(threads)
        seconds = self._seconds(threads)
        self._fastest[threads] = min(self._fastest[threads], seconds)
        return seconds <= SLOWER * self._fastest[threads]

    def _look(self, threads: int) -> None:
        if threads in self._fastest:
            return
        self._values[threads] = torch.zeros(CHUNK * threads)
        start = time.perf_counter()
        fastest = float("inf")
        while (passed := time.perf_counter() - start) < WAIT:
            if passed > LOOK and fastest <= SLOWER * self._fastest.get(1, fastest):
                break
            fastest = min(fastest, self._seconds(threads))
        self._fastest[threads] = fastest

    def _seconds(self, threads: int) -> float:
        values = self._values[threads]
        values.cos_()  # brings the values back into the cache
        start = time.perf_counter()
        values.cos_()
        return time.perf_counter() - start
