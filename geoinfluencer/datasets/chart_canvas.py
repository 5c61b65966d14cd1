"""Layers of ink over each other, and what is seen of each line."""

from __future__ import annotations

import numpy as np

from geoinfluencer.datasets.pixel_codes import BACKGROUND, FIRST, IGNORED

_SEEN = 0.2  # share of a pixel that a line must have to own it
_OVERLAP = 0.5  # share of a pixel that two lines must both cover to overlap there


class Canvas:
    """Layers of ink, one over the other, and how much of each pixel every line still has."""

    def __init__(self, size: tuple[int, int], page: np.ndarray) -> None:
        self.size = size
        self.pixels = np.broadcast_to(page, (*size, 3)).copy()
        self.lines: list[np.ndarray] = []  # (H, W) of each: what is seen of it
        self.covered = np.zeros(size, np.int64)  # lines that cover half of a pixel
        self.other = np.zeros(size, np.float32)  # what is seen of everything else

    def lay(self, coverage: np.ndarray, colour: np.ndarray, *, line: bool = False) -> None:
        """Lay ink of a colour over all that is there: a share (H, W) of each pixel."""
        self.pixels += coverage[..., None] * (colour - self.pixels)
        for seen in self.lines:
            seen *= 1 - coverage
        self.other *= 1 - coverage
        if line:
            self.lines.append(coverage.copy())
            self.covered += coverage >= _OVERLAP
        else:
            self.other += coverage

    def code(self) -> np.ndarray:
        """(H, W) codes of :class:`~geoinfluencer.datasets.line_sample.LineTruth`: the line of which
        most is seen, where that is more than of everything else; ignored where two lines cover a
        pixel."""
        seen = np.stack(self.lines)
        best, most = seen.argmax(axis=0), seen.max(axis=0)
        owned = (most >= _SEEN) & (most > self.other)
        code = np.where(owned, FIRST + best, BACKGROUND)
        return np.where(owned & (self.covered > 1), IGNORED, code).astype(np.int32)
