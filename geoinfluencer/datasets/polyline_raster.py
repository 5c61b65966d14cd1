"""Polylines -> pixels: distances and anti-aliased strokes."""

from __future__ import annotations

import math

import numpy as np

_STEP = 0.25  # pixels between samples; distances come out at most 0.03 too large at 0.25 or more


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
) -> tuple[np.ndarray, np.ndarray]:
    """Points (M, 2) along segments, a quarter of a pixel apart or less, both ends included, and
    the length (M,) of the way to each, all segments one after another."""
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    count = np.ceil(length / _STEP).astype(np.int64) + 1
    segment = np.repeat(np.arange(len(segments)), count)
    first = np.cumsum(count) - count
    share = (np.arange(len(segment)) - first[segment]) / np.maximum(count - 1, 1)[segment]
    start, way = segments[:, 0], segments[:, 1] - segments[:, 0]
    points = start[segment] + share[:, None] * way[segment]
    before = np.cumsum(length) - length
    return points, before[segment] + share * length[segment]


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
    points, way = segment_samples(segments)
    if dashes is not None:
        points = points[way % sum(dashes) <= dashes[0]]
    distance = distance_map(points, size, thickness / 2 + 0.5)
    return np.clip(thickness / 2 + 0.5 - distance, 0, 1).astype(np.float32)
