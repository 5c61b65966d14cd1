"""IoU of classes over the points of scenes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geoinfluencer.metrics.labels import known_mean
from geoinfluencer.metrics.scannet import of_class
from geoinfluencer.metrics.scene_classes import ClassSet


class SemanticMetrics:
    """IoU of classes, pooled over scenes, and their mean ``miou`` over the classes with truth.

    Points without a true class do not count; a point without a predicted class is one missed.

    Args:
        classes: The classes.

    Attributes:
        table: (C, C + 1) points by true and predicted class, the last one none; tables add up.
    """

    def __init__(self, *, classes: ClassSet) -> None:
        self._classes = classes
        self.table = np.zeros((len(classes), len(classes) + 1), np.int64)

    def update(self, semantic: np.ndarray, predicted: np.ndarray) -> None:
        """Adds a scene: (P,) true and (P,) predicted classes, -1 = none."""
        inside = semantic >= 0
        width = len(self._classes) + 1
        cell = semantic[inside] * width + predicted[inside] % width  # -1 is the last column
        self.table += np.bincount(cell, minlength=self.table.size).reshape(self.table.shape)

    def compute(self) -> dict[str, Any]:
        """``miou``, and ``iou_of_CLASS``; nan without truth."""
        square = self.table[:, :-1]
        truth, hits = self.table.sum(1), np.diag(square)
        with np.errstate(invalid="ignore"):
            iou = np.where(truth > 0, hits / (truth + square.sum(0) - hits), math.nan)
        rows = zip(self._classes.names, iou.tolist(), strict=True)
        return {"miou": known_mean(iou)} | {of_class("iou", name): value for name, value in rows}
