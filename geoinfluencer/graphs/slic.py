"""Superpixels of an image on its own scale of contrast."""

from __future__ import annotations

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError

_LEAST_SPREAD = 1.0  # of CIELAB; below it there is noise alone, which is not stretched further


def slic_segments(
    lab: np.ndarray,  # (H, W, 3) CIELAB
    *,
    n_segments: int = 1000,
    compactness: float = 5.0,
    spread: float | None = 20.0,
    min_size: float = 0.1,
    iterations: int = 10,
) -> np.ndarray:
    """(H, W) int64 connected segments by :func:`geoinfluencer.ops.slic`.

    Args:
        lab: The image.
        n_segments: About how many.
        compactness: Weight of position against colour.
        spread: Colours are stretched to this standard deviation (root of the summed variances of
            the three channels), so that faint images follow their edges too; None = as they are.
        min_size: Least area of a segment in units of the mean one.
        iterations: Of the assignment.

    Raises:
        InputError: A number out of range.
    """
    if spread is not None:
        if not spread > 0:
            raise InputError(f"spread must be positive or null, got {spread}")
        lab = lab * np.float32(spread / max(_spread(lab), _LEAST_SPREAD))
    label = ops.slic(
        torch.from_numpy(lab), n_segments,
        compactness=compactness, iterations=iterations, min_size=min_size,
    )  # fmt: skip
    return label.numpy()


def _spread(lab: np.ndarray) -> float:
    """Root of the summed variances of the channels, by products of matrices: NumPy's ``var`` over
    the pixels took as long as a fifth of the segmentation."""
    flat = lab.astype(np.float64).reshape(-1)
    pixels = lab.shape[0] * lab.shape[1]
    mean = np.ones(pixels) @ flat.reshape(pixels, -1) / pixels
    return float(np.sqrt(max(flat @ flat / pixels - mean @ mean, 0.0)))
