"""Statistics of the segments of an image, and which of them touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from geoinfluencer import ops

_MIDDLE = 50.0  # of lightness


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
    """Statistics of all segments, and borders between pixels beside or above each other."""
    height, width = label.shape
    right = _distance(lab[:, 1:], lab[:, :-1])
    below = _distance(lab[1:], lab[:-1])
    place = np.empty((height, width, 3), np.float32)
    place[..., 0] = np.arange(width)
    place[..., 1] = np.arange(height)[:, None]
    place[..., 2] = _to_neighbours(right, below)
    centred = lab.astype(np.float64)  # exact sums: one colour is one mean, however many pixels
    centred[..., 0] -= _MIDDLE  # so that the variance keeps its digits
    count = int(label.max()) + 1
    mass = np.bincount(label.reshape(-1), minlength=count).astype(np.float64)
    means = [
        ops.segment_sum(
            torch.from_numpy(columns.reshape(-1, 3)), torch.from_numpy(label.reshape(-1)), count
        ).numpy()
        / mass[:, None]
        for columns in (place, centred, centred * centred)
    ]
    spread = np.sqrt((means[2] - means[1] ** 2).clip(min=0))
    means[1][:, 0] += _MIDDLE
    regions = Regions(mass, means[0][:, :2], means[1], spread, means[0][:, 2])
    return regions, _borders(label, count, right, below)


def _to_neighbours(right: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(H, W) mean of the differences to the neighbours that there are, at most four."""
    total = np.zeros((right.shape[0], below.shape[1]), np.float32)
    count = np.zeros_like(total)
    for side, difference in (
        (np.s_[:, :-1], right), (np.s_[:, 1:], right), (np.s_[:-1], below), (np.s_[1:], below),
    ):  # fmt: skip
        total[side] += difference
        count[side] += 1
    return total / np.maximum(count, 1)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    delta = a - b
    np.multiply(delta, delta, out=delta)
    return np.sqrt(delta[..., 0] + delta[..., 1] + delta[..., 2])


def _borders(label: np.ndarray, count: int, right: np.ndarray, below: np.ndarray) -> Borders:
    keys, strengths = [], []
    for a, b, difference in (
        (label[:, 1:], label[:, :-1], right),
        (label[1:], label[:-1], below),
    ):
        border = np.flatnonzero(a != b)
        one, other = a.reshape(-1)[border], b.reshape(-1)[border]
        keys.append(np.minimum(one, other) * count + np.maximum(one, other))
        strengths.append(difference.reshape(-1)[border])
    every = np.concatenate(keys)
    key = np.unique(every)
    inverse = np.searchsorted(key, every)  # twice as fast as return_inverse, which sorts indices
    length = np.bincount(inverse, minlength=len(key)).astype(np.float64)
    total = np.bincount(inverse, np.concatenate(strengths), minlength=len(key))
    return Borders(np.stack(np.divmod(key, count)), length, total / np.maximum(length, 1))
