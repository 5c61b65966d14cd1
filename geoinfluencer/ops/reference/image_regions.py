"""Segments of an image and their borders, whole images at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def image_regions(label: Tensor, image: Tensor, segments: int) -> tuple[Tensor, ...]:
    """Mass, centre, mean, deviation, gradient, pair, length and strength; see
    :func:`geoinfluencer.ops.image_regions`."""
    ids, pixels = label.numpy(), image.numpy().astype(np.float32, copy=False)
    right = _distance(pixels[:, 1:], pixels[:, :-1])
    below = _distance(pixels[1:], pixels[:-1])
    number = ids.reshape(-1)
    mass = np.bincount(number, minlength=segments).astype(np.float64)
    some = np.maximum(mass, 1)[:, None]

    def mean(columns: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(number, v, segments) for v in columns], axis=1) / some

    y, x = np.indices(ids.shape).reshape(2, len(number))
    center = mean(np.stack([x, y]))
    gradient = mean(_to_neighbours(right, below).reshape(1, len(number)))[:, 0]
    flat = pixels.reshape(len(number), image.shape[2]).astype(np.float64)
    first = np.zeros((segments, image.shape[2]))
    first[number[::-1]] = flat[::-1]  # of equal places the last one stays
    colour = mean(flat.T)
    shift = colour - first
    shift[mass == 0] = 0
    variance = mean(np.square(flat - first[number]).T) - shift * shift
    deviation = np.sqrt(variance.clip(min=0))
    found = (mass, center, colour, deviation, gradient, *_borders(ids, segments, right, below))
    return tuple(torch.from_numpy(each) for each in found)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = np.square(a - b)
    total = squared[..., 0]
    for c in range(1, squared.shape[2]):
        total = total + squared[..., c]
    return np.sqrt(total)


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


def _borders(
    label: np.ndarray, count: int, right: np.ndarray, below: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keys, strengths = [], []
    for a, b, difference in (
        (label[:, 1:], label[:, :-1], right),
        (label[1:], label[:-1], below),
    ):
        border = a != b
        keys.append(np.minimum(a, b)[border] * count + np.maximum(a, b)[border])
        strengths.append(difference[border])
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    length = np.bincount(inverse, minlength=len(key)).astype(np.float64)
    total = np.bincount(inverse, np.concatenate(strengths), minlength=len(key))
    pair = np.stack(np.divmod(key, max(count, 1)))
    return pair, length, total / np.maximum(length, 1)
