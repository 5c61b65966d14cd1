"""How good each found instance is, by the truth: what its score should say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geoinfluencer.metrics.labels import majority, numbered
from geoinfluencer.training.scoring.inference import SampleResult

THRESHOLDS = np.arange(50, 100, 5) / 100  # of COCO's AP


class Judged(NamedTuple):
    """The instances of a sample by the truth."""

    quality: np.ndarray  # (K,) in [0, 1]
    counts: np.ndarray  # (K,) bool: it has mass, and at least half of that is not ignored


def judge(result: SampleResult, *, with_classes: bool) -> Judged:
    r"""The quality of the instances of a result:

    .. math:: q_k = \frac{1}{10} \sum_{\theta} [\max_t \mathrm{IoU}_{kt} > \theta],
        \quad \theta = .50, .55, ... .95

    its chance to be right in an average precision of these thresholds: an IoU above 1/2 is unique.
    Overlaps are of pixels where the sample has their truth, else of the mass of the nodes.

    Args:
        result: with instances, of a sample with truth.
        with_classes: an instance of another class than the true one has no overlap with it.
    """
    found, sample = result.instances, result.sample
    assert found is not None
    count = len(found)
    instance = found.instance.numpy()
    truth = sample.instance.numpy()
    label = None if not with_classes or found.label is None else found.label.numpy()
    true_label = None if label is None else _true_labels(truth, sample.y.numpy())
    pixels, segment = sample.get("pixel_instance"), sample.get("segment_map")
    if pixels is not None and segment is not None:
        decoded = result.pixel_instances(found.instance)
        own = found.instance[segment.long()] if decoded is None else decoded
        true = pixels.numpy()
        ones = np.ones(len(true))
        return _judged(own.numpy(), true, ones, true == -2, count, label, true_label)
    mass, ignore = sample.get("mass"), sample.get("ignore")
    weight = np.ones(len(truth)) if mass is None else mass.numpy().astype(np.float64)
    ignored = np.zeros(len(truth), bool) if ignore is None else ignore.numpy()
    return _judged(instance, truth, weight, ignored, count, label, true_label)


def _judged(
    found: np.ndarray,  # (N,) 0..K-1, negative = none
    truth: np.ndarray,  # (N,) negative = none
    mass: np.ndarray,  # (N,)
    ignored: np.ndarray,  # (N,) bool
    count: int,  # K
    label: np.ndarray | None,  # (K,)
    true_label: np.ndarray | None,  # (T,)
) -> Judged:
    member = found >= 0
    whole = np.bincount(found[member], weights=mass[member], minlength=count)
    seen, real = member & ~ignored, (truth >= 0) & ~ignored
    size = np.bincount(found[seen], weights=mass[seen], minlength=count)
    true_size = np.bincount(truth[real], weights=mass[real])
    both = seen & real
    pair, inverse = np.unique(
        found[both] * max(len(true_size), 1) + truth[both], return_inverse=True
    )
    shared = np.bincount(inverse.reshape(-1), weights=mass[both], minlength=len(pair))
    k, t = np.divmod(pair, max(len(true_size), 1))
    iou = shared / np.maximum(size[k] + true_size[t] - shared, np.finfo(float).tiny)
    if label is not None and true_label is not None:
        # pixels have objects that no node has, whose class is not known here
        missing = max(0, len(true_size) - len(true_label))
        known = np.pad(true_label, (0, missing), constant_values=-1)
        iou = np.where(label[k] == known[t], iou, 0.0)
    best = np.zeros(count)
    np.maximum.at(best, k, iou)
    return Judged((best[:, None] > THRESHOLDS).mean(axis=1), (whole > 0) & (size >= whole / 2))


def _true_labels(truth: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(T,) class of most nodes of each true instance; -1 of those without nodes."""
    ids, number, _ = numbered(truth)
    labels = np.full(truth.max(initial=-1) + 1, -1)
    labels[ids] = majority(number, y, len(ids))
    return labels
