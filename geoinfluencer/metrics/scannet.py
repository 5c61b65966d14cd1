"""Instances in scenes: average precision as the ScanNet benchmark defines it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.average_precision import MIN_POINTS, SCANNET_THRESHOLDS, Ranking
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_overlap import SceneOverlap

# Those of the benchmark, the one of AP25, and the one that COCO has besides.
_THRESHOLDS = np.concatenate([SCANNET_THRESHOLDS, [0.25, 0.95]])
_NINE, _AP25, _AP95 = slice(0, 9), 9, 10


class ScanNetMetrics:
    r"""AP, AP50 and AP25 of instances by the rules of the `ScanNet benchmark
    <https://doi.org/10.1109/CVPR.2017.261>`_.

    =================== ===========================================================================
    ``ap``              mean over the classes and the nine thresholds .50, .55 ... .90 of the IoU
    ``ap50 ap25``       the same at .50 and at .25
    ``coco_style_ap``   the same with ten thresholds, .95 besides, as COCO counts them
    ``ap_of_CLASS``     one class; ``ap50_of_CLASS``, ``ap25_of_CLASS``
    ``agnostic_ap`` ... the same with no notice of classes
    =================== ===========================================================================

    A match has an IoU **above** the threshold; see
    :func:`~geoinfluencer.metrics.average_precision.judged` for the rules and
    :func:`~geoinfluencer.metrics.average_precision.average_precision` for the area. Classes without
    truth are nan, named in ``classes_without_truth`` and left out of the means. Between scenes only
    scores are kept, and whether they are right.

    Args:
        classes: Classes that are scored: the things among them; ``None``: class-agnostic alone.
        min_points: Smaller predictions do not count, smaller true instances are ignored (the
            benchmark: 100; STPLS3D: 10).

    Raises:
        InputError: ``min_points`` is below 1.
    """

    def __init__(self, *, classes: ClassSet | None = None, min_points: int = MIN_POINTS) -> None:
        if min_points < 1:
            raise InputError(f"min_points must be at least 1, got {min_points}")
        names = () if classes is None else classes.names
        self._things = () if classes is None else classes.things
        self._agnostic = Ranking(_THRESHOLDS, min_points)
        self._classes = {name: Ranking(_THRESHOLDS, min_points) for name in self._things}
        self._numbers = {name: names.index(name) for name in self._things}

    def update(self, overlap: SceneOverlap) -> None:
        """Adds a scene."""
        self._agnostic.add(overlap.without_classes())
        for name, ranking in self._classes.items():
            ranking.add(overlap.of_class(self._numbers[name]))

    def compute(self) -> dict[str, Any]:
        """The numbers, ``num_truth`` and ``num_predicted`` instances of enough points."""
        metrics: dict[str, Any] = {}
        if self._classes:
            table = np.stack([ranking.compute() for ranking in self._classes.values()])  # (C, T)
            known = ~np.isnan(table[:, 0])
            metrics |= _named(
                table[known].mean(0) if known.any() else np.full(len(_THRESHOLDS), math.nan)
            )
            for name, row in zip(self._things, table, strict=True):
                values = {key: _named(row)[key] for key in ("ap", "ap50", "ap25")}
                metrics |= {of_class(key, name): value for key, value in values.items()}
            metrics["classes_without_truth"] = without(self._things, known)
        agnostic = _named(self._agnostic.compute())
        metrics |= {f"agnostic_{key}": value for key, value in agnostic.items()}
        counts = self._agnostic.counts
        return metrics | {"num_truth": counts["truth"], "num_predicted": counts["found"]}


def of_class(key: str, name: str) -> str:
    """Name of a metric of one class."""
    return f"{key}_of_{name.replace(' ', '_')}"


def without(names: tuple[str, ...], known: np.ndarray) -> str:
    """The classes that have no truth, in words."""
    return ", ".join(name for name, has in zip(names, known.tolist(), strict=True) if not has)


def class_table(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Class -> metric -> value, of the metrics of single classes."""
    table: dict[str, dict[str, Any]] = {}
    for key, value in metrics.items():
        name, of, owner = key.partition("_of_")
        if of:
            table.setdefault(owner, {})[name] = value
    return table


def _named(row: np.ndarray) -> dict[str, float]:
    nine = float(row[_NINE].mean())
    return {
        "ap": nine,
        "ap50": float(row[0]),
        "ap25": float(row[_AP25]),
        "coco_style_ap": (9 * nine + float(row[_AP95])) / 10,
    }
