"""Superpixels, whole images at a time."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

_OFFSETS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def slic(
    image: Tensor, segments: int, compactness: float, iterations: int, min_size: int
) -> Tensor:
    """(H, W) labels of an image (H, W, C) in float32; see :func:`geoinfluencer.ops.slic`."""
    height, width = image.shape[:2]
    if height * width == 0:
        return torch.zeros(height, width, dtype=torch.int64)
    pixels = np.ascontiguousarray(image.numpy(), np.float32)
    label = connect(_cluster(pixels, segments, compactness, iterations), pixels, min_size)
    return torch.from_numpy(label.astype(np.int64))


def _cluster(image: np.ndarray, segments: int, compactness: float, iterations: int) -> np.ndarray:
    height, width, channels = image.shape
    rows = _rounded(math.sqrt(segments * height / width), height)
    columns = _rounded(segments / rows, width)
    relative = compactness / math.sqrt(height * width / segments)
    scale = np.float32(relative * relative)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    # row * height // rows is the first line of a row of cells
    row = np.searchsorted(np.arange(rows) * height // rows, np.arange(height), "right") - 1
    column = np.searchsorted(np.arange(columns) * width // columns, np.arange(width), "right") - 1
    row, column = np.meshgrid(row, column, indexing="ij")
    values = np.concatenate([image, x[..., None], y[..., None]], axis=2)
    center = np.zeros((rows, columns, channels + 2), np.float32)
    slot = np.full((height, width), 4)
    for _ in range(iterations):
        _recenter(center, values, row, column, slot)
        slot = _nearest(center, values, row, column, scale)
    dy, dx = np.divmod(slot, 3)
    label: np.ndarray = (row + dy - 1) * columns + column + dx - 1
    return label


def _nearest(
    center: np.ndarray, values: np.ndarray, row: np.ndarray, column: np.ndarray, scale: np.float32
) -> np.ndarray:
    """Which of the nine centres around its cell is nearest to a pixel; the first of equal ones."""
    rows, columns, width = center.shape
    best = np.full(row.shape, np.inf, np.float32)
    slot = np.full(row.shape, 4)
    for j, (dy, dx) in enumerate(_OFFSETS):
        r, k = row + dy, column + dx
        inside = (r >= 0) & (r < rows) & (k >= 0) & (k < columns)
        delta = values - center[r.clip(0, rows - 1), k.clip(0, columns - 1)]
        squared = delta * delta
        d = (squared[..., width - 2] + squared[..., width - 1]) * scale
        for c in range(width - 2):
            d = d + squared[..., c]
        nearer = inside & (d < best)
        best[nearer], slot[nearer] = d[nearer], j
    return slot


def _recenter(
    center: np.ndarray, values: np.ndarray, row: np.ndarray, column: np.ndarray, slot: np.ndarray
) -> None:
    """Centres move to the mean of their pixels; those without any stay."""
    rows, columns, width = center.shape
    key = ((row * columns + column) * 9 + slot).ravel()
    flat = values.reshape(-1, width)
    sums = [np.bincount(key, flat[:, c], rows * columns * 9) for c in range(width)]
    sums.append(np.bincount(key, minlength=rows * columns * 9).astype(np.float64))
    padded = np.zeros((rows + 2, columns + 2, 9, width + 1))
    padded[1:-1, 1:-1] = np.stack(sums, axis=1).reshape(rows, columns, 9, width + 1)
    total = np.zeros((rows, columns, width + 1))
    for j, (dy, dx) in enumerate(_OFFSETS):
        total += padded[1 + dy : rows + 1 + dy, 1 + dx : columns + 1 + dx, 8 - j]
    some = total[..., -1] > 0
    center[some] = (total[some, :-1] / total[some, -1:]).astype(np.float32)


def connect(label: np.ndarray, image: np.ndarray, min_size: int) -> np.ndarray:
    """Connected regions of labels (H, W), numbered by their first pixel; those of fewer than
    ``min_size`` pixels are joined to the neighbour of the nearest mean colour."""
    pixel = np.arange(label.size).reshape(label.shape)
    pairs = np.concatenate([_beside(pixel), _above(pixel)], axis=1)
    same = label.ravel()[pairs[0]] == label.ravel()[pairs[1]]
    number = _numbered(pairs[:, same], label.size)
    size: np.ndarray = np.bincount(number).astype(np.float64)
    flat = image.reshape(label.size, -1)
    sums = np.stack([np.bincount(number, column) for column in flat.T], axis=1)
    while len(size) > 1 and (size < min_size).any():
        mean = sums / size[:, None]
        border = number[pairs]
        border = border[:, border[0] != border[1]]
        small, other = np.concatenate([border, border[::-1]], axis=1)
        keep = size[small] < min_size
        small, other = small[keep], other[keep]
        distance = np.zeros(len(small))
        for c in range(mean.shape[1]):
            distance += np.square(mean[small, c] - mean[other, c])
        first = np.lexsort((other, distance, small))
        small, other = small[first], other[first]
        chosen = np.flatnonzero(np.diff(small, prepend=-1))
        joined = _numbered(np.stack([small[chosen], other[chosen]]), len(size))
        number = joined[number]
        size = np.bincount(joined, size)
        sums = np.stack([np.bincount(joined, column) for column in sums.T], axis=1)
    return number.reshape(label.shape)


def _beside(pixel: np.ndarray) -> np.ndarray:
    return np.stack([pixel[:, :-1].ravel(), pixel[:, 1:].ravel()])


def _above(pixel: np.ndarray) -> np.ndarray:
    return np.stack([pixel[:-1].ravel(), pixel[1:].ravel()])


def _numbered(pairs: np.ndarray, count: int) -> np.ndarray:
    """(count,) number of the connected set of each item, in the order of the smallest items."""
    graph = coo_array((np.ones(pairs.shape[1], bool), tuple(pairs)), shape=(count, count))
    found = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _rounded(value: float, most: int) -> int:
    return max(1, min(most, math.floor(value + 0.5)))
