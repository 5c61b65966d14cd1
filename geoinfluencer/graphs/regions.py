"""Statistics of the segments of an image, and which of them touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from geoinfluencer import ops


@dataclass(frozen=True)
class Regions:
    """Segments of one image; K of them.

    Attributes:
        mass: (K,) float64, pixels.
        center: (K, 2) float64, mean x and y of the pixels.
        colour: (K, 3) mean CIELAB.
        spread: (K, 3) standard deviation of CIELAB.
        gradient: (K,) mean over the pixels of the CIELAB distance to their up to four neighbours,
            those beyond the segment's border included.
    """

    mass: np.ndarray
    center: np.ndarray
    colour: np.ndarray
    spread: np.ndarray
    gradient: np.ndarray


@dataclass(frozen=True)
class Borders:
    """Pairs of segments that share a border; P of them.

    Attributes:
        pair: (2, P) int64, the smaller number first; ordered.
        length: (P,) float64, pairs of neighbouring pixels on both sides.
        strength: (P,) float64, mean CIELAB distance of those.
    """

    pair: np.ndarray
    length: np.ndarray
    strength: np.ndarray


def describe(
    label: np.ndarray,  # (H, W) 0..K-1, each present
    lab: np.ndarray,  # (H, W, 3) CIELAB
) -> tuple[Regions, Borders]:
    """Statistics of all segments, and borders between pixels beside or above each other, by
    :func:`geoinfluencer.ops.image_regions`."""
    found = ops.image_regions(torch.from_numpy(label), torch.from_numpy(lab), int(label.max()) + 1)
    mass, center, colour, spread, gradient, pair, length, strength = (t.numpy() for t in found)
    return Regions(mass, center, colour, spread, gradient), Borders(pair, length, strength)
