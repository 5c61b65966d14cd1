"""What a candidate pixel looks like: colours, direction and width of its stroke, its component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, uniform_filter

from geoinfluencer.graphs.pixel_candidates import Ink

_FINE, _COARSE = 1.5, 4.0  # pixels: windows in which directions are measured
_NOISE = 4.0  # squared CIELAB steps per pixel that are no stroke


@dataclass(frozen=True)
class PixelTraits:
    """Of N candidate pixels.

    Attributes:
        place: (N, 2) row and column.
        colour: (N, 3) CIELAB.
        peak: (N, 3) colour of the neighbour of most contrast, or its own: that of the stroke
            without anti-aliasing.
        toward: (N, 3) unit vector from the background's colour to its own; anti-aliasing hardly
            changes it.
        contrast: (N,) CIELAB distance to the background.
        fine, coarse: (N, 2) direction of the stroke in a small and a large window, cos and sin of
            twice its angle times a coherence in [0, 1].
        depth: (N,) distance to the nearest pixel that is no candidate.
        density: (N, 2) share of candidates within 7 and 21 pixels.
        component: (N, 3) pixels, width and height of the connected component, the last two as
            shares of the image.
    """

    place: np.ndarray
    colour: np.ndarray
    peak: np.ndarray
    toward: np.ndarray
    contrast: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    depth: np.ndarray
    density: np.ndarray
    component: np.ndarray


def pixel_traits(lab: np.ndarray, ink: Ink, mask: np.ndarray) -> PixelTraits:
    """Describe the pixels of a mask (H, W), row by row."""
    place = np.argwhere(mask)
    contrast = ink.contrast[mask]
    fine, coarse = stroke_directions(lab, mask, (_FINE, _COARSE))
    share = mask.astype(np.float32)
    density = [uniform_filter(share, size, mode="constant")[mask] for size in (7, 21)]
    padded = np.pad(mask, 1)
    return PixelTraits(
        place=place,
        colour=lab[mask],
        peak=_peak_colour(lab, ink.contrast, place),
        toward=ink.toward[mask] / np.maximum(contrast, 1e-3)[:, None],
        contrast=contrast,
        fine=fine,
        coarse=coarse,
        depth=distance_transform_edt(padded)[1:-1, 1:-1][mask],
        density=np.stack(density, axis=1),
        component=_components(mask, place),
    )


def stroke_directions(
    lab: np.ndarray, mask: np.ndarray, windows: tuple[float, ...]
) -> list[np.ndarray]:
    r"""Directions of strokes at the pixels of a mask from the structure tensor
    (Bigun and Granlund, ICCV 1987).

    With the tensor :math:`J = G_\sigma * \sum_c \nabla I_c \nabla I_c^T` over the channels, a
    stroke runs across the gradient: :math:`(J_{yy} - J_{xx}, -2 J_{xy}) / \mathrm{tr} J`.

    Args:
        lab: (H, W, 3).
        mask: (H, W).
        windows: standard deviations of the window in pixels.

    Returns:
        For each window (N, 2): cos and sin of twice the angle, of length 0 (none) to 1.
    """
    xx, yy, xy = (np.zeros(mask.shape, np.float32) for _ in range(3))
    for channel in np.moveaxis(np.pad(lab, ((1, 1), (1, 1), (0, 0)), mode="edge"), 2, 0):
        gx = (channel[1:-1, 2:] - channel[1:-1, :-2]) / 2
        gy = (channel[2:, 1:-1] - channel[:-2, 1:-1]) / 2
        xx += gx * gx
        yy += gy * gy
        xy += gx * gy
    found = []
    for sigma in windows:
        jxx, jyy, jxy = (gaussian_filter(j, sigma, truncate=3.0)[mask] for j in (xx, yy, xy))
        trace = jxx + jyy + _NOISE
        found.append(np.stack([(jyy - jxx) / trace, -2 * jxy / trace], axis=1))
    return found


def _peak_colour(lab: np.ndarray, contrast: np.ndarray, place: np.ndarray) -> np.ndarray:
    padded = np.pad(contrast, 1, constant_values=-1)
    step = np.array([(0, 0)] + [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c])
    around = place[:, None] + step[None]  # (N, 9, 2)
    best = padded[around[..., 0] + 1, around[..., 1] + 1].argmax(axis=1)
    row, column = around[np.arange(len(place)), best].T
    peak: np.ndarray = lab[row, column]
    return peak


def _components(mask: np.ndarray, place: np.ndarray) -> np.ndarray:
    number, count = label(mask, np.ones((3, 3), int))
    own = number[mask] - 1
    low, high = np.full((count, 2), np.iinfo(np.int64).max), np.full((count, 2), -1)
    np.minimum.at(low, own, place)
    np.maximum.at(high, own, place)
    extent = (high - low + 1) / np.array(mask.shape)
    return np.column_stack([np.bincount(own, minlength=count), extent[:, ::-1]])[own]
