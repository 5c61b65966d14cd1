"""Which pixels of a chart are ink: those that differ from its background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter

_LEVELS = 16  # per channel, of the histogram that the background is found in


@dataclass(frozen=True)
class Ink:
    """An image against its background.

    Attributes:
        contrast: (H, W) CIELAB distance to the nearest background colour.
        toward: (H, W, 3) CIELAB difference to it.
    """

    contrast: np.ndarray
    toward: np.ndarray


def against_background(
    rgb: np.ndarray,  # (H, W, 3), in [0, 1]
    lab: np.ndarray,  # (H, W, 3)
    share: float,
) -> Ink:
    """Measure every pixel against the background colours: the most frequent colour of the image,
    and those that cover at least ``share`` of it (a page and a tinted panel on it, for example)."""
    level = (rgb * (_LEVELS - 1e-3)).astype(np.int64)
    cell = ((level[..., 0] * _LEVELS + level[..., 1]) * _LEVELS + level[..., 2]).reshape(-1)
    count = np.bincount(cell, minlength=_LEVELS**3)
    found = set(np.flatnonzero(count >= share * len(cell)).tolist()) | {int(count.argmax())}
    flat = lab.reshape(-1, 3)
    contrast = np.full(len(flat), np.inf, np.float32)
    toward = np.zeros_like(flat)
    for each in sorted(found):
        difference = flat - np.median(flat[cell == each], axis=0).astype(np.float32)
        distance = np.linalg.norm(difference, axis=1)
        nearer = distance < contrast
        contrast[nearer] = distance[nearer]
        toward[nearer] = difference[nearer]
    return Ink(contrast.reshape(lab.shape[:2]), toward.reshape(lab.shape))


def candidate_mask(
    contrast: np.ndarray,  # (H, W)
    *,
    least: float,
    ridge: float,
    most: int | None,
) -> np.ndarray:
    """(H, W) bool: pixels of contrast ``least`` or more that have at least the share ``ridge`` of
    the largest contrast among their eight neighbours, which leaves the fringes of anti-aliased
    strokes out. Of more than ``most`` those of the least contrast are dropped; where there is
    none, the pixel of the largest contrast is one."""
    mask: np.ndarray = contrast >= least
    if ridge > 0:
        mask &= contrast >= ridge * maximum_filter(contrast, 3)
    if not mask.any():
        mask.reshape(-1)[contrast.argmax()] = True
    if most is not None and mask.sum() > most:
        place = np.flatnonzero(mask)
        weakest = np.argsort(contrast.reshape(-1)[place], kind="stable")[: len(place) - most]
        mask.reshape(-1)[place[weakest]] = False
    return mask
