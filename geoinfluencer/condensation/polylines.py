"""Pixels of an instance -> an ordered line through them."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geoinfluencer.condensation.pixel_route import LinkedPixels, link_pixels, longest_route

_MOST_PIECES = 16  # further parts of one stroke that are looked at, the largest first


def polylines(
    pos: np.ndarray,  # (N, 2)
    instance: np.ndarray,  # (N,)
    count: int,
) -> list[np.ndarray]:
    """The line of each instance 0 ... ``count`` - 1 of an image, see :func:`polyline`.

    Shapes:
        pos (N, 2), instance (N,) with negative = none; ``count`` arrays (P, 2).
    """
    order = np.argsort(instance, kind="stable")
    bounds = np.searchsorted(instance[order], np.arange(count + 1))
    return [polyline(pos[order[low:high]]) for low, high in itertools.pairwise(bounds.tolist())]


def polyline(points: np.ndarray, *, step: float = 2.0, max_gap: float = 24.0) -> np.ndarray:
    r"""Points in order along the stroke that some pixels are.

    Pixels are linked to their eight neighbours, parts of the stroke by the shortest links between
    them; the longest of the shortest ways through this graph gives the order, the means of the
    pixels beside it in steps of :math:`s` the points. What is left is joined to it where it
    continues an end (a ring is closed so) or comes back to where it leaves (a loop); branches are
    left out. No direction is special: steep, vertical and looping strokes are lines as any other.
    A spike so narrow that its two sides touch is a branch, and is lost.

    Args:
        points: pixel centres in any order.
        step: length s between the points, in pixels.
        max_gap: widest gap that is bridged; of parts farther away the largest is taken.

    Shapes:
        points (n, 2); returns (P, 2) float32 from its left end to its right, or from the upper to
        the lower where these are above each other; P = 0 for n = 0.
    """
    points = np.unique(np.asarray(points, np.float64).reshape(-1, 2), axis=0)
    if len(points) < 3:
        return points.astype(np.float32)
    spacing = float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
    pixels = link_pixels(points, 1.5 * spacing, max_gap).largest_part()
    route = longest_route(pixels.graph)
    width = len(pixels.points) * spacing**2 / max(_length(pixels.points[route]), spacing)
    near = max(1.5 * spacing, width)  # pixels farther off belong to another part of the stroke
    line, left = _centred(pixels, route, near, spacing, step)
    line = _joined(line, _pieces(pixels, left, near, spacing, step), 2 * near + 2 * spacing + step)
    right, down = line[-1] - line[0]
    if right < -near or (right <= near and down < 0):
        line = line[::-1]
    return resample(line, step).astype(np.float32)


def resample(line: np.ndarray, step: float) -> np.ndarray:
    """The same line by points at equal distances of about ``step`` along it, its ends among them.

    Shapes:
        line (P, 2), P >= 1; returns (Q, 2).
    """
    along = _along(line)
    total = float(along[-1])
    if total == 0:
        return line[:1]
    places = np.linspace(0, total, max(1, round(total / step)) + 1)
    return np.stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)], axis=1)


def _along(line: np.ndarray) -> np.ndarray:
    """(P,) length of the way from the first point to each."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _length(line: np.ndarray) -> float:
    return float(_along(line)[-1])


def _centred(
    pixels: LinkedPixels, route: np.ndarray, near: float, spacing: float, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """(P, 2) means of the pixels beside a route in steps along it, and (n,) which pixels are
    far from it."""
    # Averaged over about its width the way has no stairs: pixels are told apart across it.
    path = resample(pixels.points[route], spacing / 2)
    path = uniform_filter1d(path, 2 * round(near / spacing) + 1, axis=0, mode="nearest")
    distance, nearest = cKDTree(path).query(pixels.points)
    mine = distance <= near
    cell = np.floor(_along(path)[nearest[mine]] / step).astype(np.int64)
    cell = np.unique(cell, return_inverse=True)[1].reshape(-1)
    count = np.bincount(cell)
    means = [np.bincount(cell, weights=pixels.points[mine, axis]) / count for axis in (0, 1)]
    # At the ends a step may hold but the corner of a wide stroke.
    whole = np.flatnonzero(count >= np.median(count) / 2)
    return np.stack(means, axis=1)[whole[0] : whole[-1] + 1], distance > near


def _pieces(
    pixels: LinkedPixels, left: np.ndarray, near: float, spacing: float, step: float
) -> list[np.ndarray]:
    """Lines through the connected parts of the pixels that are left, the largest part first."""
    rest = pixels.only(left)
    count, part = connected_components(rest.graph, directed=False)
    size = np.bincount(part, minlength=count)
    lines = []
    for number in np.argsort(-size, kind="stable")[:_MOST_PIECES]:
        piece = rest.only(part == number)
        route = longest_route(piece.graph)
        if _length(piece.points[route]) >= near:
            lines.append(_centred(piece, route, near, spacing, step)[0])
    return lines


def _joined(line: np.ndarray, pieces: list[np.ndarray], reach: float) -> np.ndarray:
    """The line with all pieces that continue it or are loops of it."""
    waiting, before = pieces, -1
    while waiting and len(waiting) != before:
        before, still = len(waiting), []
        for piece in waiting:
            longer = _with_piece(line, piece, reach)
            line = line if longer is None else longer
            still += [piece] if longer is None else []
        waiting = still
    return line


def _with_piece(line: np.ndarray, piece: np.ndarray, reach: float) -> np.ndarray | None:
    along = _along(line)
    distance, place = cKDTree(line).query(piece[[0, -1]])
    for end, way in enumerate((piece, piece[::-1])):
        if distance[end] <= reach and along[-1] - along[place[end]] <= reach:
            return np.concatenate([line, way])
        if distance[end] <= reach and along[place[end]] <= reach:
            return np.concatenate([way[::-1], line])
    stretch = abs(along[place[0]] - along[place[1]])
    if (distance > reach).any() or stretch > _length(piece) / 2:
        return None
    at = int(place.min())
    onward = line[at] - line[max(at - 3, 0)]
    starts = [
        float(onward @ (way[min(3, len(way) - 1)] - line[at])) for way in (piece, piece[::-1])
    ]
    way = piece if starts[0] >= starts[1] else piece[::-1]
    return np.concatenate([line[: at + 1], way, line[at + 1 :]])
