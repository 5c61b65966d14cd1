"""Progress on a terminal as one line that is redrawn, elsewhere as a plain line now and then."""

from __future__ import annotations

import math
import shutil
import sys
import time
from typing import TextIO

_BAR = 24


class Progress:
    """Shows how far something is, how fast it goes and how long it will take.

    Args:
        label: what is going on.
        total: number of steps; None: unknown.
        unit: of a step, for the rate.
        stream: default standard error.
        enabled: False: shows nothing (all but one process of several).
        every: seconds between plain lines where the stream is no terminal.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        unit: str = "steps",
        stream: TextIO | None = None,
        enabled: bool = True,
        every: float = 30.0,
    ) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.enabled, self.every = enabled, every
        self.start = self.last = time.monotonic()
        self.first = 0
        self._width = 0

    def begin(self, done: int) -> None:
        """Starts the clock with ``done`` steps already behind (a resumed run)."""
        self.first, self.start = done, time.monotonic()
        self.last = self.start

    def update(
        self, done: int, *, share: float | None = None, left: float | None = None, text: str = ""
    ) -> None:
        """Shows ``done`` steps.

        Args:
            done: steps so far.
            share: part of the whole that is done; None: from the total.
            left: seconds left; None: from the rate.
            text: appended, such as the current loss.
        """
        now = time.monotonic()
        pause = 0.1 if self.terminal else self.every
        if not self.enabled or (now - self.last < pause and done != self.total):
            return
        self.last = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        if share is None:
            share = done / self.total if self.total else 0.0
        if left is None:
            left = (self.total - done) / rate if self.total and rate > 0 else math.inf
        of = f"/{self.total}" if self.total else ""
        words = f"{done}{of} {self.unit}, {_rate(rate)}, {_duration(left)} left"
        words += f", {text}" if text else ""
        if self.terminal:
            filled = round(_BAR * min(share, 1.0))
            bar = "#" * filled + "." * (_BAR - filled)
            self._draw(f"{self.label} [{bar}] {share:4.0%} {words}")
        else:
            self.stream.write(f"{self.label}: {share:.0%}, {words}\n")
            self.stream.flush()

    def say(self, message: str) -> None:
        """A line of its own, above the bar."""
        if not self.enabled:
            return
        self.clear()
        self.stream.write(message + "\n")
        self.stream.flush()

    def clear(self) -> None:
        """Takes the bar away."""
        if self.terminal and self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self.stream.flush()
            self._width = 0

    def _draw(self, line: str) -> None:
        line = line[: shutil.get_terminal_size().columns - 1]
        self.stream.write("\r" + line.ljust(self._width))
        self.stream.flush()
        self._width = len(line)


def _rate(rate: float) -> str:
    return f"{rate:.1f}/s" if rate >= 1 or rate == 0 else f"{1 / rate:.1f} s each"


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
