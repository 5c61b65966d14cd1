"""Objects brighter or darker than their background, without learning: Otsu and a watershed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from geoinfluencer.errors import InputError


def watershed_objects(
    grey: np.ndarray, *, spread: float = 1.0, apart: int = 5, min_size: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Threshold (Otsu, IEEE Trans. SMC 9, 1979), then a watershed of the distance to the
    background, one basin for each of its peaks.

    Whether objects are bright or dark is decided image by image: they cover less than half of it.
    The score of an object is its solidity, its share of its convex hull: what is cut well is round.

    Args:
        grey: (H, W) brightness.
        spread: standard deviation in pixels that the distances are smoothed by.
        apart: least distance of two peaks, pixels.
        min_size: pixels of the least object.

    Returns:
        (H, W) int64 objects 0.., -1 for background, and (K,) scores.

    Raises:
        InputError: scikit-image is missing.
    """
    filters, features, measure, segmentation = _modules()
    bright = grey > filters.threshold_otsu(grey) if np.ptp(grey) else np.zeros(grey.shape, bool)
    inside = ndimage.binary_fill_holes(~bright if bright.mean() > 0.5 else bright)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside), spread)
    level = np.where(inside, np.round(depth, 6), -1)
    parts, _ = ndimage.label(inside)
    row, column = features.peak_local_max(
        level, min_distance=apart, labels=parts, exclude_border=False
    ).T
    # the ridge of an object of constant width is level: peaks all along it are one
    flat, _ = ndimage.label(inside & (level == ndimage.maximum_filter(level, 3)), np.ones((3, 3)))
    seeds = np.where(np.isin(flat, flat[row, column]), flat, 0)
    found = segmentation.watershed(-depth, seeds, mask=inside)
    found[np.bincount(found.ravel())[found] < min_size] = 0
    table = measure.regionprops_table(found, properties=("label", "solidity"))
    number = np.full(found.max(initial=0) + 1, -1)
    number[table["label"]] = np.arange(len(table["label"]))
    return number[found], np.asarray(table["solidity"], np.float64)


def _modules() -> tuple[Any, ...]:
    try:
        from skimage import feature, filters, measure, segmentation
    except ImportError as error:
        raise InputError(
            "the watershed needs scikit-image: pip install 'geoinfluencer[baselines]'"
        ) from error
    return filters, feature, measure, segmentation
