"""Square cells of an image as segments; a stride of 1 makes every pixel one."""

from __future__ import annotations

import numpy as np


def grid_segments(
    lab: np.ndarray,  # (H, W, 3)
    *,
    stride: int = 4,
) -> np.ndarray:
    """(H, W) int64 numbers of the cells of ``stride`` pixels, row by row; colours do not matter."""
    height, width = lab.shape[:2]
    row, column = np.arange(height) // stride, np.arange(width) // stride
    return row[:, None] * ((width - 1) // stride + 1) + column
