"""Numbers of the labels of points, and what most points with a label are."""

from __future__ import annotations

import math

import numpy as np


def numbered(label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (K,) from 0 on, ascending; (P,) number 0..K-1 of each point, -1 where its label is
    negative; and (K,) the first point of each."""
    inside = np.flatnonzero(label >= 0)
    ids, first, number = np.unique(label[inside], return_index=True, return_inverse=True)
    index = np.full(len(label), -1)
    index[inside] = number.reshape(-1)
    return ids, index, inside[first]


def majority(
    index: np.ndarray, label: np.ndarray, count: int, mass: np.ndarray | None = None
) -> np.ndarray:
    """(count,) label of most points of each instance, the smallest of equal ones.

    Args:
        index: (P,) instance, 0..count-1, or -1.
        label: (P,) labels from -1 on; -1 may win too.
        count: Number of instances, each with a point.
        mass: (P,) how much each point counts; ``None``: all alike.
    """
    inside = index >= 0
    base = int(label.max(initial=-1)) + 2
    key = index[inside] * base + label[inside] + 1
    if mass is None:
        cell, size = np.unique(key, return_counts=True)
    else:
        cell, number = np.unique(key, return_inverse=True)
        size = np.bincount(number.reshape(-1), weights=mass[inside], minlength=len(cell))
    owner, value = np.divmod(cell, base)
    order = np.lexsort((value, -size, owner))
    first = np.searchsorted(owner[order], np.arange(count))
    return value[order][first] - 1


def known_mean(values: np.ndarray) -> float:
    """Mean of those that are not nan; nan if all are."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan
