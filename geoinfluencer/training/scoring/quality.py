"""How good the instances of a result are, by the truth: what their scores should say."""

from __future__ import annotations

import numpy as np

from geoinfluencer.metrics.instance_quality import InstanceQuality, instance_quality
from geoinfluencer.metrics.labels import majority, numbered
from geoinfluencer.training.scoring.inference import SampleResult


def judge(result: SampleResult, *, with_classes: bool) -> InstanceQuality:
    """The :func:`~geoinfluencer.metrics.instance_quality.instance_quality` of the instances of a
    result, of pixels where the sample has their truth, else of the mass of the nodes.

    Args:
        result: with instances, of a sample with truth.
        with_classes: an instance of another class than the true one has no overlap with it.
    """
    found, sample = result.instances, result.sample
    assert found is not None
    truth = sample.instance.numpy()
    classes = None
    if with_classes and found.label is not None:
        # pixels have objects that no node has, whose class is not known here
        classes = _true_labels(truth, sample.y.numpy()), found.label.numpy()
    pixels, segment = sample.get("pixel_instance"), sample.get("segment_map")
    if pixels is not None and segment is not None:
        decoded = result.pixel_instances(found.instance)
        own = found.instance[segment.long()] if decoded is None else decoded
        true = pixels.numpy()
        ones = np.ones(len(true))
        return instance_quality(own.numpy(), true, true == -2, ones, len(found), classes)
    mass, ignore = sample.get("mass"), sample.get("ignore")
    weight = np.ones(len(truth)) if mass is None else mass.numpy().astype(np.float64)
    ignored = np.zeros(len(truth), bool) if ignore is None else ignore.numpy()
    return instance_quality(found.instance.numpy(), truth, ignored, weight, len(found), classes)


def _true_labels(truth: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(T,) class of most nodes of each true instance; -1 of those without nodes."""
    ids, number, _ = numbered(truth)
    labels = np.full(truth.max(initial=-1) + 1, -1)
    labels[ids] = majority(number, y, len(ids))
    return labels
