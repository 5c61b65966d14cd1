"""Edges between pixels: the eight neighbours, and longer links along the strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_HALF = np.array([(0, 1), (1, -1), (1, 0), (1, 1)])  # row, column: each pair of neighbours once
_COLOUR = 100.0  # CIELAB difference that outweighs an alignment of 1


def double_angle(offset: np.ndarray) -> np.ndarray:
    """(..., 2) cos 2a and sin 2a of offsets (..., 2) x, y: the same for a line's two directions."""
    x, y = offset[..., 0], offset[..., 1]
    square = np.maximum(x * x + y * y, 1e-12)
    return np.stack([(x * x - y * y) / square, 2 * x * y / square], axis=-1)


def ring_offsets(radius: int) -> np.ndarray:
    """(R, 2) offsets (row, column) of that rounded length, one of each opposite pair: those to
    pixels that come later, row by row."""
    side = np.arange(-radius, radius + 1)
    row, column = (grid.reshape(-1) for grid in np.meshgrid(side, side, indexing="ij"))
    later = (row > 0) | ((row == 0) & (column > 0))
    chosen = later & (np.rint(np.hypot(row, column)) == radius)
    return np.stack([row[chosen], column[chosen]], axis=1)


def pixel_links(
    mask: np.ndarray,  # (H, W) bool, N of them true
    direction: np.ndarray,  # (N, 2)
    colour: np.ndarray,  # (N, 3)
    *,
    rings: Sequence[int],
    links: int,
    alignment: float,
) -> np.ndarray:
    """Edges (2, E) int64 between the pixels of a mask, numbered row by row, smaller number first.

    Besides the neighbours every pixel is linked to at most ``links`` later pixels at each distance
    of ``rings``: those for which the line between the two follows the stroke at either end, the
    better aligned and more alike in colour first. They lead over gaps of dashes and through
    crossings, where a stroke has no direction but its continuation has.

    Args:
        mask: The pixels.
        direction: Of the stroke at each, :func:`double_angle` times a coherence in [0, 1].
        colour: CIELAB of each.
        rings: Distances in pixels.
        links: Most links of a pixel at each distance to later pixels.
        alignment: Least product of a stroke's ``direction`` and that of the link.
    """
    place = np.argwhere(mask)
    edges = [_ring_edges(mask, place, _HALF)]
    for radius in rings:
        offset = ring_offsets(radius)
        source, target, which = _ring_edges(mask, place, offset)
        along = double_angle(offset[:, ::-1].astype(np.float32))[which]
        follows = np.maximum(
            (direction[source] * along).sum(axis=1), (direction[target] * along).sum(axis=1)
        )
        kept = follows >= alignment
        source, target, follows = source[kept], target[kept], follows[kept]
        merit = follows - np.linalg.norm(colour[target] - colour[source], axis=1) / _COLOUR
        best = _first_of_each(source, merit, links)
        edges.append(np.stack([source[best], target[best]]))
    return np.ascontiguousarray(np.concatenate([edge[:2] for edge in edges], axis=1))


def _ring_edges(mask: np.ndarray, place: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """(3, E): source, target and number of the offset of all pairs that offsets lead to."""
    margin = int(np.abs(offset).max())
    number = np.full((mask.shape[0] + margin, mask.shape[1] + 2 * margin), -1)
    number[: mask.shape[0], margin : margin + mask.shape[1]][mask] = np.arange(len(place))
    row = place[:, :1] + offset[None, :, 0]
    column = place[:, 1:] + margin + offset[None, :, 1]
    target = number[row, column]  # (N, R)
    source, which = np.nonzero(target >= 0)
    return np.stack([source, target[source, which], which])


def _first_of_each(group: np.ndarray, merit: np.ndarray, count: int) -> np.ndarray:
    """Places of the ``count`` largest merits of each group, the groups in ascending order."""
    order = np.lexsort((-merit, group))
    sorted_group = group[order]
    first = np.searchsorted(sorted_group, sorted_group)
    return order[np.arange(len(order)) - first < count]
