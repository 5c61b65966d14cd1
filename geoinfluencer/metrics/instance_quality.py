"""How good each predicted instance is, as an average precision of several thresholds sees it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

THRESHOLDS = np.arange(50, 100, 5) / 100  # of COCO's AP


class InstanceQuality(NamedTuple):
    """The predicted instances of a sample by the truth."""

    quality: np.ndarray  # (K,) in [0, 1]
    counts: np.ndarray  # (K,) bool: it has mass, and at least half of that is not ignored


def instance_quality(
    predicted: np.ndarray,
    instance: np.ndarray,
    ignored: np.ndarray,
    mass: np.ndarray,
    count: int,
    classes: tuple[np.ndarray, np.ndarray] | None = None,
) -> InstanceQuality:
    r"""The quality of predicted instances:

    .. math:: q_k = \frac{1}{10} \sum_{\theta} [\max_t \mathrm{IoU}_{kt} > \theta],
        \quad \theta = .50, .55, ... .95

    its chance to be right in an average precision of these thresholds: an IoU above 1/2 is unique.

    Args:
        predicted: (N,) predicted instance 0..K-1, negative = unassigned.
        instance: (N,) true instance 0..T-1, negative = background.
        ignored: (N,) bool, nodes or pixels that do not count.
        mass: (N,) mass of each.
        count: K.
        classes: (T',) class of the true instances, those beyond T' are of none, and (K,) of the
            predicted ones, which overlap with no true instance of another; None: class-agnostic.
    """
    member = predicted >= 0
    whole = np.bincount(predicted[member], weights=mass[member], minlength=count)
    seen, real = member & ~ignored, (instance >= 0) & ~ignored
    size = np.bincount(predicted[seen], weights=mass[seen], minlength=count)
    true_size = np.bincount(instance[real], weights=mass[real])
    both = seen & real
    pair, inverse = np.unique(
        predicted[both] * max(len(true_size), 1) + instance[both], return_inverse=True
    )
    shared = np.bincount(inverse.reshape(-1), weights=mass[both], minlength=len(pair))
    k, t = np.divmod(pair, max(len(true_size), 1))
    iou = shared / np.maximum(size[k] + true_size[t] - shared, np.finfo(float).tiny)
    if classes is not None:
        true_class, predicted_class = classes
        missing = max(0, len(true_size) - len(true_class))
        known = np.pad(true_class, (0, missing), constant_values=-1)
        iou = np.where(predicted_class[k] == known[t], iou, 0.0)
    best = np.zeros(count)
    np.maximum.at(best, k, iou)
    quality = (best[:, None] > THRESHOLDS).mean(axis=1)
    return InstanceQuality(quality, (whole > 0) & (size >= whole / 2))
