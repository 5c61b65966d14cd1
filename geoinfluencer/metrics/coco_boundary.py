"""Boundary AP: how well masks agree along their borders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.ndimage import minimum_filter

RATIO = 0.02  # width of the border in units of the image's diagonal, as published


def border(pixels: np.ndarray, width: int) -> np.ndarray:
    """The pixels of a mask that are within ``width`` pixels of what is not mask, along a line, a
    column or a diagonal; beyond the image nothing is mask.

    Args:
        pixels: (H, W) bool.
        width: At least 1.
    """
    inner = minimum_filter(pixels, size=2 * width + 1, mode="constant", cval=0)
    return pixels & ~inner


def border_code(code: dict[str, Any]) -> dict[str, Any]:
    """The border of a mask in compressed run lengths, as such; its width is 2 % of the diagonal,
    one pixel at least."""
    from pycocotools import mask

    height, width = code["size"]
    x, y, w, h = (int(v) for v in mask.toBbox(code))
    box = slice(y, y + h), slice(x, x + w)
    pixels = np.zeros((height, width), np.uint8, order="F")
    if w and h:  # the filter need not see what holds no mask
        whole = np.asarray(mask.decode(code))[box].astype(bool)
        pixels[box] = border(whole, max(1, round(RATIO * math.hypot(height, width))))
    found: dict[str, Any] = mask.encode(pixels)
    return found


def bound_by_borders(evaluator: Any, borders: Any) -> Any:
    """Boundary AP (`Cheng et al., CVPR 2021 <https://arxiv.org/abs/2103.16562>`_): the overlap of
    two masks is the lesser of their IoU and that of their borders.

    Args:
        evaluator: COCOeval of masks.
        borders: COCOeval of the same entries with their borders for masks.

    Returns:
        ``evaluator``, changed.
    """
    of_masks = evaluator.computeIoU

    def lesser(image: int, category: int) -> Any:
        if not borders._gts and not borders._dts:
            borders.params = evaluator.params
            borders._prepare()
        whole, edge = of_masks(image, category), borders.computeIoU(image, category)
        return np.minimum(whole, edge) if len(whole) else whole

    evaluator.computeIoU = lesser
    return evaluator
