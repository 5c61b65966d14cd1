"""Regions of an image that are of one colour inside, of any size and form."""

from __future__ import annotations

import math

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.graphs.smoothing import smoothed


def region_segments(
    lab: np.ndarray,  # (H, W, 3) CIELAB
    *,
    scale: float = 10.0,
    min_size: float = 1.0,
) -> np.ndarray:
    """(H, W) int64 connected segments by :func:`geoinfluencer.ops.felzenszwalb` on the graph of
    each pixel with its eight neighbours, on colours smoothed over three pixels.

    Args:
        lab: The image.
        scale: s in units of CIELAB: large values make large segments. How many they are depends on
            the image.
        min_size: Least area in pixels; smaller ones join the neighbour most like them.

    Raises:
        InputError: A number out of range.
    """
    height, width = lab.shape[:2]
    smooth = smoothed(lab.astype(np.float32))
    number = np.arange(height * width).reshape(height, width)
    ends, weights = [], []
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        ends.append(np.stack([number[one].reshape(-1), number[other].reshape(-1)]))
        delta = (smooth[one] - smooth[other]).reshape(-1, 3)
        weights.append(np.sqrt(np.einsum("ec,ec->e", delta, delta)))
    label = ops.felzenszwalb(
        torch.from_numpy(np.concatenate(ends, axis=1)),
        torch.from_numpy(np.concatenate(weights)),
        height * width,
        scale=scale,
        min_size=math.ceil(min_size),
    )
    return label.numpy().reshape(height, width)
