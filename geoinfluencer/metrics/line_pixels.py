"""Agreement of two sets of lines as groups of the pixels that the true ones are drawn on."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.spatial import cKDTree

from geoinfluencer.files.polyline_raster import segment_samples, segments_of
from geoinfluencer.metrics.clustering import adjusted_rand_index, contingency
from geoinfluencer.metrics.line_scores import Lines

_LONGEST = 1e6  # pixels, of all lines of an image together: more are no chart
_ROUNDING = 1e-9  # pixels: a row exactly half of the thickness away is covered


def line_pixels_ari(predicted: Lines, truth: Lines, thickness: float = 2.0) -> float:
    """Adjusted Rand index (Hubert and Arabie, J. Classification 2, 1985) of the pixels of an image
    by true and by predicted line.

    A pixel is of a true line that runs within half of ``thickness`` of its centre; pixels of
    several true lines do not count, nor do those of none. It is of the predicted line that runs
    nearest to it within ``thickness``; without one it is a group of its own.

    Args:
        predicted: points x, y of each line, in pixels.
        truth: the same of the true lines.
        thickness: of the drawn true lines, in pixels.

    Shapes:
        each (P, 2).

    Returns:
        NaN without pixels, and where the lines are a million pixels long.
    """
    found, known = (
        [np.asarray(line, np.float64).reshape(-1, 2) for line in lines if len(line)]
        for lines in (predicted, truth)
    )
    if sum(_length(line) for line in (*found, *known)) > _LONGEST:
        return math.nan
    pixel, owner = _drawn(known, thickness)
    if not len(pixel):
        return math.nan
    label = np.full(len(pixel), -1)
    if found:
        points, of_line = _joined(segment_samples(segments_of(line))[0] for line in found)
        limit = np.nextafter(thickness, np.inf)  # what is exactly so far is within it
        _, nearest = cKDTree(points).query(pixel, distance_upper_bound=limit)
        label = np.append(of_line, -1)[nearest]
    alone = np.where(label < 0, len(found) + np.arange(len(label)), label)
    return adjusted_rand_index(contingency(owner, alone))


def _drawn(lines: Lines, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) centres x, y of the pixels of one line alone, and (N,) which line that is."""
    side = np.arange(-math.ceil(thickness / 2), math.ceil(thickness / 2) + 1)
    around = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    each = []
    for line in lines:
        points, _ = segment_samples(segments_of(line))
        middle = np.unique(np.rint(points), axis=0)
        near = np.unique((middle[:, None] + around).reshape(-1, 2), axis=0)
        each.append(near[_distance(near, points) <= thickness / 2 + _ROUNDING])
    if not each:
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    pixel, owner = _joined(each)
    found, first, count = np.unique(pixel, axis=0, return_index=True, return_counts=True)
    return found[count == 1], owner[first[count == 1]]


def _distance(pixel: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) distance of pixels to the way through points that are close together, not to the points:
    whether a level line covers a row must not depend on where along it they are."""
    nearest = cKDTree(points).query(pixel)[1]
    found = np.full(len(pixel), np.inf)
    for step in (-1, 1):
        start = points[nearest]
        way = points[(nearest + step).clip(0, len(points) - 1)] - start
        square = np.maximum((way**2).sum(axis=1), np.finfo(float).tiny)
        share = (((pixel - start) * way).sum(axis=1) / square).clip(0, 1)
        off = np.linalg.norm(start + share[:, None] * way - pixel, axis=1)
        found = np.minimum(found, off)
    return found


def _joined(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All points one after another, and the number of the part of each."""
    parts = list(parts)
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
