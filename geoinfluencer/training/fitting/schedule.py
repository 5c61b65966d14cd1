"""How far a run is, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds of fitting between :meth:`start` and :meth:`stop`, kept over interruptions."""

    earlier: float = 0.0
    now: Callable[[], float] = field(default=time.monotonic, repr=False)
    started: float | None = None

    def start(self) -> None:
        """Starts (or restarts) counting."""
        self.started = self.now()

    def stop(self) -> None:
        """Stops counting and keeps what was counted."""
        self.earlier, self.started = self.elapsed, None

    @property
    def elapsed(self) -> float:
        """Seconds counted so far."""
        return self.earlier + (self.now() - self.started if self.started is not None else 0.0)


@dataclass(frozen=True)
class Horizon:
    """The end of a run: a number of steps, a number of minutes, or whichever comes first."""

    max_steps: int | None
    max_minutes: float | None

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is done, 0 to 1."""
        shares = [0.0]
        if self.max_steps is not None:
            shares.append(step / self.max_steps if self.max_steps else 1.0)
        if self.max_minutes is not None:
            shares.append(seconds / (60 * self.max_minutes))
        return min(1.0, max(shares))

    def seconds_left(self, step: int, seconds: float, done_here: int, spent_here: float) -> float:
        """Expected seconds to the end, from the pace of this process."""
        left = [math.inf]
        if self.max_steps is not None and done_here:
            left.append((self.max_steps - step) * spent_here / done_here)
        if self.max_minutes is not None:
            left.append(60 * self.max_minutes - seconds)
        return max(0.0, min(left))


def learning_rate_factor(progress: float, warmup: float, final: float) -> float:
    """Linear warm-up, then half a cosine (Loshchilov & Hutter, arXiv 1608.03983).

    Args:
        progress: share of the run that is done, 0 to 1.
        warmup: share of the run spent warming up from 1 % of the peak.
        final: learning rate at the end, in units of the peak.

    Returns:
        Learning rate in units of the peak.
    """
    if progress < warmup:
        return max(0.01, progress / warmup)
    phase = (progress - warmup) / max(1.0 - warmup, 1e-9)
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(phase, 1.0)))
