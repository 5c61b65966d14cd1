"""Masks drawn over an image."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np

from geoinfluencer.plots.figures import instance_colors

_FILL = 0.45  # of a mask's colour


def as_colors(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1] of an image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), integers
    or floats in [0, 1]; RGBA lies on white."""
    pixels = np.asarray(image)
    if pixels.dtype.kind in "iub":
        full = 1 if pixels.dtype == bool else np.iinfo(pixels.dtype).max
        pixels = pixels.astype(np.float32) / full
    pixels = pixels.astype(np.float32).reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 4:
        pixels = pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]
    return np.clip(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), 0, 1)


def outlines(labels: np.ndarray, *, thin: bool = False) -> np.ndarray:
    """(H, W) bool, pixels that touch one of another label (left, right, above, below).

    Args:
        labels: (H, W) integers.
        thin: Of two pixels that touch, only the one to the left or above.
    """
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        low, high = (np.moveaxis(labels, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        differs = low != high
        moved = np.moveaxis(edge, axis, 0)
        moved[:-1] |= differs
        if not thin:
            moved[1:] |= differs
    return edge


def overlay(image: np.ndarray, labels: np.ndarray, tint: np.ndarray | None = None) -> np.ndarray:
    """(H, W, 3) float32 of an image with its instances filled half and outlined.

    Args:
        image: (H, W[, C]), see :func:`as_colors`.
        labels: (H, W) instance of each pixel, negative = none.
        tint: (H, W) integers to colour by, the same for all pixels of an instance; None:
            ``labels``.
    """
    shown = as_colors(image).copy()
    mine = labels >= 0
    colors = instance_colors((labels if tint is None else tint)[mine])[:, :3].astype(np.float32)
    shown[mine] = (1 - _FILL) * shown[mine] + _FILL * colors
    edge = outlines(labels)[mine]
    shown[mine] = np.where(edge[:, None], colors, shown[mine])
    return shown


def png(pixels: np.ndarray) -> bytes:
    """(H, W, 3) floats in [0, 1] as PNG."""
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, np.rint(255 * pixels).astype(np.uint8), format="png")
    return buffer.getvalue()
