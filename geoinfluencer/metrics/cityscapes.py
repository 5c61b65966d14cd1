"""Instances in street scenes: average precision as the Cityscapes benchmark defines it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from geoinfluencer.files.cityscapes import CITYSCAPES_THINGS, CITYSCAPES_VOID
from geoinfluencer.metrics.average_precision import Ranking
from geoinfluencer.metrics.scannet import of_class, without
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_overlap import SceneTruth
from geoinfluencer.metrics.scene_points import FoundMasks

CITYSCAPES_THRESHOLDS = np.arange(0.5, 1.0, 0.05)  # ten values, .50 to .95
MIN_REGION = 100  # pixels of a true instance that counts
CITYSCAPES_CLASSES = ClassSet(tuple(CITYSCAPES_THINGS.values()), tuple(CITYSCAPES_THINGS))


class CityscapesMetrics:
    r"""AP and AP50 of instances by the rules of the `Cityscapes benchmark
    <https://arxiv.org/abs/1604.01685>`_, its distances left out.

    =================== ===========================================================================
    ``ap``              mean over the classes with truth and the ten thresholds .50, .55 ... .95
    ``ap50``            the same at .50
    ``ap_of_CLASS``     one class; ``ap50_of_CLASS``
    =================== ===========================================================================

    A match has an IoU **above** the threshold; masks of an image may overlap; see
    :func:`~geoinfluencer.metrics.average_precision.judged` for the rules. True instances below 100
    pixels and groups (a bare class id) are not missed; a prediction without a match is not held
    against the model where the share of its pixels in these or in the void exceeds the threshold.
    Predictions count whatever their size, unless they are empty.
    """

    protocol = "cityscapes"
    class_agnostic = False

    def __init__(self) -> None:
        self._classes = [
            Ranking(CITYSCAPES_THRESHOLDS, MIN_REGION, min_found=1) for _ in CITYSCAPES_THINGS
        ]
        self._images = 0
        self._unscored: Counter[int] = Counter()  # predictions by label id
        self.window: dict[str, Any] = {"min_region": MIN_REGION}

    def update(self, ids: np.ndarray, found: FoundMasks) -> None:
        """Adds an image.

        Args:
            ids: (H, W) numbers of a ``gtFine_instanceIds`` file.
            found: Masks of indices into its pixels, row by row, with label ids and scores.
        """
        other = found.label[CITYSCAPES_CLASSES.numbers(found.label) < 0]
        self._unscored.update(other.tolist())
        overlap = found.overlap(cityscapes_truth(ids), CITYSCAPES_CLASSES)
        for number, ranking in enumerate(self._classes):
            ranking.add(overlap.of_class(number))
        self._images += 1

    def compute(self) -> dict[str, Any]:
        """The numbers, ``num_images``, how many true instances and predictions counted, and
        ``unscored_labels``: the label ids of predictions that are none of the eight, and how many
        each has."""
        table = np.stack([ranking.compute() for ranking in self._classes])  # (C, T)
        known = ~np.isnan(table[:, 0])
        metrics: dict[str, Any] = {
            "ap": float(table[known].mean()) if known.any() else math.nan,
            "ap50": float(table[known, 0].mean()) if known.any() else math.nan,
        }
        names = CITYSCAPES_CLASSES.names
        for name, row in zip(names, table, strict=True):
            metrics[of_class("ap", name)] = float(row.mean())
            metrics[of_class("ap50", name)] = float(row[0])
        return metrics | {
            "classes_without_truth": without(names, known),
            "unscored_labels": ", ".join(f"{k} ({n})" for k, n in sorted(self._unscored.items())),
            "num_images": self._images,
            "num_truth": sum(ranking.counts["truth"] for ranking in self._classes),
            "num_predicted": sum(ranking.counts["found"] for ranking in self._classes),
        }


def cityscapes_truth(ids: np.ndarray) -> SceneTruth:
    """The true instances and groups of the scored classes, and the void, of (H, W) numbers.

    As in the benchmark's script the void are the bare ids of classes that do not count; numbered
    instances of these (caravans and trailers) are not.
    """
    codes, place = np.unique(ids.reshape(-1), return_inverse=True)
    group = codes < 1000
    label = CITYSCAPES_CLASSES.numbers(np.where(group, codes, codes // 1000))
    kept = label >= 0
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    void = np.isin(codes, CITYSCAPES_VOID)
    place = place.reshape(-1)
    return SceneTruth(number[place], label[kept], void[place], group[kept])
