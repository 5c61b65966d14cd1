"""Panoptic quality over the points of scenes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geoinfluencer.metrics.labels import known_mean, numbered
from geoinfluencer.metrics.scannet import of_class, without
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_overlap import SceneOverlap, SceneTruth, overlap_of_labels


class PanopticMetrics:
    r"""Panoptic quality (`Kirillov et al., CVPR 2019 <https://arxiv.org/abs/1801.00868>`_) of
    scenes.

    .. math:: PQ = \frac{\sum_{TP} IoU}{|TP| + \frac12 |FP| + \frac12 |FN|} = SQ \cdot RQ

    Segments are the instances of the things, and per scene and class one segment of each stuff. A
    match has the class and an IoU above 1/2; points of the void do not count, and a prediction of
    which more than half lies there is not false. Segments are pooled over the scenes, ``pq``,
    ``sq`` and ``rq`` are means over the classes that have truth; so are ``pq_things``,
    ``pq_stuff``. Figures with different things and stuff do not compare.

    Args:
        classes: The classes, with what is stuff among them.
    """

    def __init__(self, *, classes: ClassSet) -> None:
        self._classes = classes
        self._iou = np.zeros(len(classes))
        self._hits, self._false, self._missed = np.zeros((3, len(classes)), np.int64)

    def update(
        self,
        instance: np.ndarray,  # (P,) true instance, -1 = none
        semantic: np.ndarray,  # (P,) true class, -1 = void
        predicted: np.ndarray,  # (P,) predicted instance, -1 = none
        predicted_semantic: np.ndarray,  # (P,) predicted class of each point, -1 = none
    ) -> None:
        """Adds a scene; all points of an instance have its class."""
        truth, label = self._segments(instance, semantic)
        found, found_label = self._segments(predicted, predicted_semantic)
        scene = SceneTruth(truth, label, truth < 0, np.zeros(len(label), bool))
        overlap = overlap_of_labels(scene, found, found_label, np.ones(len(found_label)))
        self._add(overlap)

    def compute(self) -> dict[str, Any]:
        """The numbers, and ``things`` and ``stuff`` in words."""
        count = self._hits + (self._false + self._missed) / 2
        known = self._hits + self._missed > 0
        with np.errstate(invalid="ignore"):
            pq = np.where(known, self._iou / count, math.nan)
            sq = np.where(known, self._iou / self._hits, math.nan)
            rq = np.where(known, self._hits / count, math.nan)
        thing = self._classes.is_thing
        metrics: dict[str, Any] = {}
        for key, values in (("pq", pq), ("sq", sq), ("rq", rq)):
            metrics[key] = known_mean(values)
            if thing.any() and not thing.all():
                metrics[f"{key}_things"] = known_mean(values[thing])
                metrics[f"{key}_stuff"] = known_mean(values[~thing])
        for name, *row in zip(self._classes.names, pq, sq, rq, strict=True):
            for key, value in zip(("pq", "sq", "rq"), row, strict=True):
                metrics[of_class(key, name)] = float(value)
        return metrics | {
            "things": ", ".join(self._classes.things) or "none",
            "stuff": ", ".join(self._classes.stuff) or "none",
            "classes_without_truth": without(self._classes.names, known),
        }

    def _segments(
        self, instance: np.ndarray, semantic: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(P,) segment of each point, -1 = none, and the class of each segment."""
        thing = np.append(self._classes.is_thing, False)[semantic]
        stuff = (semantic >= 0) & ~thing
        inside = (thing & (instance >= 0)) | stuff
        count = len(self._classes)
        key = np.where(stuff, semantic, instance + count)
        _, segment, first = numbered(np.where(inside, key, -1))
        return segment, semantic[first]

    def _add(self, overlap: SceneOverlap) -> None:
        truth, found = overlap.pair_truth, overlap.pair_found
        union = overlap.truth_size[truth] + (overlap.size - overlap.void)[found] - overlap.shared
        iou = overlap.shared / union
        match = (iou > 0.5) & (overlap.truth_label[truth] == overlap.label[found])
        missed = np.ones(len(overlap.truth_size), bool)
        missed[truth[match]] = False
        false = 2 * overlap.void <= overlap.size
        false[found[match]] = False
        count = len(self._classes)
        label = overlap.truth_label[truth[match]]
        self._iou += np.bincount(label, weights=iou[match], minlength=count)
        self._hits += np.bincount(label, minlength=count)
        self._missed += np.bincount(overlap.truth_label[missed], minlength=count)
        self._false += np.bincount(overlap.label[false], minlength=count)
