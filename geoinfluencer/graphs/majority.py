"""What most points of a voxel, or pixels of a segment, are."""

from __future__ import annotations

import numpy as np


def segment_majority(
    segment: np.ndarray,  # (P,) 0..count-1
    label: np.ndarray,  # (P,) integers
    count: int,
) -> np.ndarray:
    """(count,) int64, the most frequent label of each segment, of equal ones the smallest; 0 where
    a segment is empty."""
    label = label.astype(np.int64)
    low = int(label.min(initial=0))
    width = int(label.max(initial=0)) - low + 1
    key, votes = np.unique(segment.astype(np.int64) * width + (label - low), return_counts=True)
    row, value = np.divmod(key, width)
    order = np.lexsort((-value, votes, row))
    found = np.zeros(count, np.int64)
    found[row[order]] = value[order] + low  # of each row the last one stays
    return found
