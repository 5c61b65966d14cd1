"""What perfect grouping of the superpoints of a scene could reach: their under-segmentation."""

from __future__ import annotations

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.majority import segment_majority


def superpoint_ceiling(
    superpoint: np.ndarray,  # (P,) integers
    instance: np.ndarray,  # (P,) 0..K-1, -1 = none
    min_points: int = 100,
) -> np.ndarray:
    """(K',) intersection over union of each instance with the superpoints of which it has most
    points: the best that whole superpoints allow.

    Args:
        superpoint: Of each point.
        instance: Of each point.
        min_points: Instances of fewer points are left out, as ScanNet's evaluation does.

    Raises:
        InputError: Shapes do not fit.
    """
    if superpoint.shape != instance.shape or superpoint.ndim != 1:
        raise InputError(
            f"`superpoint` has shape {superpoint.shape} and `instance` {instance.shape}; "
            "expected one of each per point"
        )
    ids, superpoint = np.unique(superpoint, return_inverse=True)
    owner = segment_majority(superpoint, instance, len(ids))[superpoint]
    size = int(instance.max(initial=-1)) + 1
    truth = np.bincount(instance[instance >= 0], minlength=size)
    found = np.bincount(owner[owner >= 0], minlength=size)
    both = np.bincount(instance[(instance >= 0) & (owner == instance)], minlength=size)
    counted = truth >= max(min_points, 1)
    iou: np.ndarray = (both / np.maximum(truth + found - both, 1))[counted]
    return iou
