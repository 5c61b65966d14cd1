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
        mistaken: numbers of threads with which the cores have since been so much faster that what
            was called quiet was not. Whoever goes by it clears it.
    """

    def __init__(self) -> None:
        self.patience = PATIENCE
        self.mistaken: set[int] = set()
        self._values: dict[int, Tensor] = {}
        self._fastest: dict[int, float] = {}

    def sees(self, threads: int) -> bool:
        """Whether so many threads have ever been about as fast as one. If not, they share one
        core's arithmetic, or somebody else never stops, and nothing can be told."""
        if self._blind(threads):
            self._seen(threads)  # it may have changed
        return not self._blind(threads)

    @property
    def blind(self) -> list[int]:
        """Numbers of threads for which nothing could be told."""
        return [threads for threads in self._fastest if self._blind(threads)]

    def quiet(self, threads: int) -> bool:
        """Whether the threads, to which torch is set, had their cores for themselves just now."""
        seconds = self._seen(threads)
        return seconds <= SLOWER * self._fastest[threads]

    def _seen(self, threads: int) -> float:
        if threads not in self._fastest:
            with limits.threads(1):
                self._look(1)
            self._look(threads)
        seconds = self._seconds(threads)
        if SLOWER * seconds < self._fastest[threads]:
            self.mistaken.add(threads)
        self._fastest[threads] = min(self._fastest[threads], seconds)
        return seconds

    def _blind(self, threads: int) -> bool:
        known = self._fastest
        return threads not in known or known[threads] > SLOWER * known.get(1, known[threads])

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
