"""What nodes and edges of an image graph know: columns of numbers of about unit size."""

from __future__ import annotations

import numpy as np

from geoinfluencer.graphs.regions import Borders, Regions

IMAGE_NODE_FEATURES = (
    "lightness", "a", "b", "lightness_std", "a_std", "b_std", "x", "y", "log_area", "gradient",
    "border_strength", "border_per_area", "contrast", "contrast_wide", "colour_contrast",
    "lightness_rank", "deviation", "abs_deviation", "image_median", "image_spread",
)  # fmt: skip
IMAGE_EDGE_FEATURES = (
    "dx", "dy", "distance", "dlightness", "colour_difference", "border_length", "border_strength",
    "relative_strength",
)  # fmt: skip

_LARGEST_DEVIATION = 6.0


def node_features(
    regions: Regions,
    borders: Borders,
    size: tuple[int, ...],  # H, W
) -> np.ndarray:
    """(K, F) float32, the columns ``IMAGE_NODE_FEATURES``.

    Stains are bright on dark or dark on bright, strong or faint. Therefore, besides CIELAB and its
    deviation, lightness is given by its rank among the pixels of the image, by its deviation from
    the median in units of the image's spread, with and without sign, and against the neighbours
    (one border away, and two) in units of that spread.
    """
    height, width = size
    count = len(regions.mass)
    lightness = regions.colour[:, 0]
    order = np.argsort(lightness, kind="stable")
    half = np.searchsorted(np.cumsum(regions.mass[order]), height * width / 2)
    median = lightness[order[half]]
    spread = np.sqrt((regions.mass * (lightness - median) ** 2).sum() / (height * width)) + 1.0
    deviation = ((lightness - median) / spread).clip(-_LARGEST_DEVIATION, _LARGEST_DEVIATION)
    around = neighbour_mean(regions.colour, borders)
    wide = neighbour_mean(neighbour_mean(lightness[:, None], borders), borders)[:, 0]
    both = np.concatenate([borders.pair, borders.pair[::-1]], axis=1)
    length = np.bincount(both[0], np.tile(borders.length, 2), minlength=count)
    strength = np.bincount(
        both[0], np.tile(borders.length * borders.strength, 2), minlength=count
    ) / np.maximum(length, 1)
    columns = [
        regions.colour / [50, 25, 25],
        regions.spread / 10,
        (regions.center + 0.5) / [width, height],
        np.log(regions.mass * count / (height * width)),
        regions.gradient / 10,
        strength / 10,
        length / np.sqrt(regions.mass) / 4,
        (lightness - around[:, 0]) / spread,
        (lightness - wide) / spread,
        np.linalg.norm(regions.colour - around, axis=1) / spread,
        mass_rank(lightness, regions.mass),
        deviation,
        np.abs(deviation),
        np.full(count, median / 50),
        np.full(count, np.log(spread)),
    ]
    return np.column_stack(columns).astype(np.float32)


def edge_features(
    regions: Regions, borders: Borders, *, both_directions: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Edges (2, E) and (E, A) float32 columns ``IMAGE_EDGE_FEATURES``.

    Offsets run from source to target, in units of the edge of the mean segment; the relative
    strength is that of the border over the mean ``gradient`` of the two segments.
    """
    edge = borders.pair
    if both_directions:
        edge = np.concatenate([edge, edge[::-1]], axis=1)
    repeat = edge.shape[1] // max(borders.pair.shape[1], 1)
    unit = np.sqrt(regions.mass.mean())
    offset = (regions.center[edge[1]] - regions.center[edge[0]]) / unit
    colour = regions.colour[edge[1]] - regions.colour[edge[0]]
    strength = np.tile(borders.strength, repeat)
    inside = regions.gradient[edge].mean(axis=0)
    columns = [
        offset,
        np.linalg.norm(offset, axis=1),
        colour[:, 0] / 10,
        np.linalg.norm(colour, axis=1) / 10,
        np.tile(borders.length, repeat) / unit,
        strength / 10,
        np.log((strength + 1) / (inside + 1)),
    ]
    return np.ascontiguousarray(edge), np.column_stack(columns).astype(np.float32)


def mass_rank(values: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(K,) share of the mass that lies below each value, half of its own counted: equal values
    have equal ranks, whatever the order of the segments."""
    _, group = np.unique(values, return_inverse=True)
    held = np.bincount(group, mass)
    rank: np.ndarray = ((np.cumsum(held) - held / 2) / mass.sum())[group]
    return rank


def neighbour_mean(values: np.ndarray, borders: Borders) -> np.ndarray:
    """(K, C) mean over the neighbours, by the length of the border; its own without neighbours."""
    count = len(values)
    source, target = np.concatenate([borders.pair, borders.pair[::-1]], axis=1)
    length = np.tile(borders.length, 2)
    total = np.bincount(target, length, minlength=count)
    sums = [np.bincount(target, length * v[source], minlength=count) for v in values.T]
    mean = np.stack(sums, axis=1) / np.maximum(total, 1)[:, None]
    return np.where(total[:, None] > 0, mean, values)
