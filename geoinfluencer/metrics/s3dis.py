"""Instances in rooms: coverage, precision and recall as S3DIS is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geoinfluencer.metrics.scannet import of_class, without
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_overlap import SceneOverlap

_KEYS = ("mcov", "mwcov", "mprec", "mrec", "original_mprec", "original_mrec")


class S3DISMetrics:
    r"""mCov, mWCov, mPrec and mRec (`Wang et al., ASIS, CVPR 2019
    <https://arxiv.org/abs/1902.09852>`_).

    ================== ============================================================================
    ``mcov``           per room and class the mean over the true instances of the best IoU with a
                       prediction of the class; mean over the rooms, then over the classes
    ``mwcov``          the same, instances weighted by their points within the room and class
    ``mprec mrec``     IoU >= 1/2, a true instance and a prediction in one match each (the largest
                       IoU first); pooled over the rooms, mean over the classes
    ``original_mprec`` the published form, in which every prediction that covers a true
    ``original_mrec``  instance counts, so that recall may exceed 1
    ``..._of_CLASS``   one class
    ``agnostic_...``   the same with no notice of classes
    ================== ============================================================================

    Classes without truth are nan, named in ``classes_without_truth`` and left out of the means; one
    with truth and no prediction has precision 0.

    Args:
        classes: Classes that are scored: the things among them; ``None``: class-agnostic alone.
    """

    def __init__(self, *, classes: ClassSet | None = None) -> None:
        names = () if classes is None else classes.names
        self._things = () if classes is None else classes.things
        self._numbers = {name: names.index(name) for name in self._things}
        self._classes = {name: _Rooms() for name in self._things}
        self._agnostic = _Rooms()

    def update(self, overlap: SceneOverlap) -> None:
        """Adds a room."""
        self._agnostic.add(overlap.without_classes())
        for name, rooms in self._classes.items():
            rooms.add(overlap.of_class(self._numbers[name]))

    def compute(self) -> dict[str, Any]:
        """The numbers."""
        metrics: dict[str, Any] = {}
        if self._classes:
            table = np.array([rooms.compute() for rooms in self._classes.values()])
            known = ~np.isnan(table[:, 0])
            mean = table[known].mean(0) if known.any() else np.full(len(_KEYS), math.nan)
            metrics |= dict(zip(_KEYS, mean.tolist(), strict=True))
            for name, row in zip(self._things, table.tolist(), strict=True):
                metrics |= {
                    of_class(key[1:], name): value  # cov, wcov, prec, rec
                    for key, value in zip(_KEYS[:4], row[:4], strict=True)
                }
            metrics["classes_without_truth"] = without(self._things, known)
        agnostic = self._agnostic.compute()
        return metrics | {
            f"agnostic_{key}": value for key, value in zip(_KEYS, agnostic, strict=True)
        }


class _Rooms:
    """One class over the rooms."""

    def __init__(self) -> None:
        self._cov: list[float] = []
        self._wcov: list[float] = []
        self._truth = self._found = self._matches = self._covering = 0

    def add(self, overlap: SceneOverlap) -> None:
        size, iou = overlap.truth_size, overlap.iou
        if len(size):
            best = np.zeros(len(size))
            np.maximum.at(best, overlap.pair_truth, iou)
            self._cov.append(float(best.mean()))
            self._wcov.append(float(np.average(best, weights=size)))
        self._truth += len(size)
        self._found += int((overlap.size > 0).sum())
        half = np.flatnonzero(iou >= 0.5)
        self._covering += len(np.unique(overlap.pair_found[half]))
        taken_truth: set[int] = set()
        taken_found: set[int] = set()
        for pair in half[np.argsort(-iou[half], kind="stable")]:
            truth, found = int(overlap.pair_truth[pair]), int(overlap.pair_found[pair])
            if truth not in taken_truth and found not in taken_found:
                taken_truth.add(truth)
                taken_found.add(found)
        self._matches += len(taken_truth)

    def compute(self) -> Sequence[float]:
        """In the order of ``_KEYS``."""
        if not self._truth:
            return [math.nan] * len(_KEYS)
        found = max(self._found, 1)
        return [
            float(np.mean(self._cov)),
            float(np.mean(self._wcov)),
            self._matches / found,
            self._matches / self._truth,
            self._covering / found,
            self._covering / self._truth,
        ]
