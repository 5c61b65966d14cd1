"""Polylines -> pixels: distances and anti-aliased strokes."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import cKDTree

_STEP = 0.25  # pixels between samples; distances come out at most 0.03 too large at 0.25 or more
_MANY = 16  # looks at a pixel by which a tree is quicker


def segments_of(
    points: np.ndarray,  # (P, 2) x, y
) -> np.ndarray:
    """(S, 2, 2) segments of a polyline, from the first of two points to the second; of one point
    a segment without length."""
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    return np.stack([points[:-1], points[1:]], axis=1)


def segment_samples(
    segments: np.ndarray,  # (S, 2, 2)
    window: tuple[float, float, float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Points (M, 2) along segments, a quarter of a pixel apart or less, both ends included, and
    the length (M,) of the way to each, all segments one after another.

    Args:
        segments: From the first of two points to the second, x and y.
        window: H, W and a margin: what is further than it outside of the image is left out, so
            that the number of points does not grow with what nobody sees.
    """
    start, way = segments[:, 0], segments[:, 1] - segments[:, 0]
    length = np.linalg.norm(way, axis=1)
    before = np.cumsum(length) - length
    enter, leave = np.zeros(len(segments)), np.ones(len(segments))
    if window is not None:
        height, width, margin = window
        enter, leave = _inside(start, way, -margin, np.array([width, height]) - 1 + margin)
        seen = enter <= leave
        start, way, length, before = start[seen], way[seen], length[seen], before[seen]
        enter, leave = enter[seen], leave[seen]
    count = np.ceil((leave - enter) * length / _STEP).astype(np.int64) + 1
    segment = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    share = (np.arange(len(segment)) - first[segment]) / np.maximum(count - 1, 1)[segment]
    share = enter[segment] + share * (leave - enter)[segment]
    points = start[segment] + share[:, None] * way[segment]
    return points, before[segment] + share * length[segment]


def _inside(
    start: np.ndarray, way: np.ndarray, low: float, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the way (S,) at which segments enter and leave a box; enter > leave: never in it.
    (Liang and Barsky, ACM Trans. Graphics 3, 1984.)"""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(low - start) / way, (high - start) / way])
    level = way == 0  # always or never between the two sides
    within = (start >= low) & (start <= high)
    first = np.where(level, np.where(within, -np.inf, np.inf), ends.min(axis=0))
    last = np.where(level, np.where(within, np.inf, -np.inf), ends.max(axis=0))
    return first.max(axis=1).clip(min=0), last.min(axis=1).clip(max=1)


def distance_map(
    points: np.ndarray,  # (M, 2) x, y
    size: tuple[int, int],
    limit: float,
) -> np.ndarray:
    """(H, W) distance of each pixel's centre to the nearest point, infinite beyond ``limit``.

    The centre of the pixel in row r and column c is x = c, y = r.
    """
    height, width = size
    found = np.full(height * width, np.inf)
    if len(points) * (2 * limit + 1) ** 2 > _MANY * found.size:  # wide strokes: ask every pixel
        centre = np.stack(np.divmod(np.arange(found.size), width)[::-1], axis=1)
        distance, _ = cKDTree(points).query(centre, distance_upper_bound=np.nextafter(limit, 1e9))
        return np.asarray(distance).reshape(height, width)
    side = np.arange(-math.ceil(limit), math.ceil(limit) + 1)
    points = points[(np.abs(points) < 1e6).all(axis=1)]
    nearest = np.rint(points).astype(np.int64)
    column = nearest[:, 0, None, None] + side[None, None, :]
    row = nearest[:, 1, None, None] + side[None, :, None]
    distance = np.hypot(column - points[:, 0, None, None], row - points[:, 1, None, None])
    column, row = np.broadcast_arrays(column, row)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (distance <= limit)
    np.minimum.at(found, row[inside] * width + column[inside], distance[inside])
    return found.reshape(height, width)


def stroke_coverage(
    segments: np.ndarray,  # (S, 2, 2)
    size: tuple[int, int],
    thickness: float,
    dashes: tuple[float, float] | None = None,
) -> np.ndarray:
    """(H, W) float32 share of each pixel that a stroke with round ends covers, about.

    Args:
        segments: Of the stroke, x and y in pixels.
        size: H and W.
        thickness: In pixels.
        dashes: Lengths of dash and gap in pixels; None = drawn through.
    """
    points, way = segment_samples(segments, (*size, thickness / 2 + 1))
    if dashes is not None:
        points = points[way % sum(dashes) <= dashes[0]]
    distance = distance_map(points, size, thickness / 2 + 0.5)
    return np.clip(thickness / 2 + 0.5 - distance, 0, 1).astype(np.float32)
