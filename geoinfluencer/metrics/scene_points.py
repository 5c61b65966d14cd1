"""Truth and prediction of a scene, point by point, and what metrics make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geoinfluencer.metrics.labels import majority, numbered
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_overlap import (
    SceneOverlap,
    SceneTruth,
    exclusive,
    overlap_of_labels,
    overlap_of_masks,
)


@dataclass(frozen=True)
class TruthPoints:
    """Truth of the P points of a scene.

    Attributes:
        instance: (P,) ids; negative = none.
        semantic: (P,) class ids; ``None``: not known.
        codes: (P,) class * 1000 + instance, where the truth was given so.
    """

    instance: np.ndarray
    semantic: np.ndarray | None = None
    codes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.instance)

    def classes_of_points(self, classes: ClassSet) -> np.ndarray:
        """(P,) class number of each point, that of most of its instance; -1 = void."""
        assert self.semantic is not None
        return _by_instance(self.instance, classes.numbers(self.semantic))

    def scored(self, classes: ClassSet | None, *, literal_void: bool = False) -> SceneTruth:
        """The instances that are scored: those of the things, or all without ``classes``.

        Args:
            classes: ``None``, or no classes in the truth: all instances, as if of one class.
            literal_void: Take as void the points whose code is the bare id of a class, as the
                script of the ScanNet benchmark did when it was published; else all points that
                are in no scored instance.
        """
        ids, index, _ = numbered(self.instance)
        label = np.zeros(len(ids), np.int64)
        if classes is not None and self.semantic is not None:
            label = majority(index, classes.numbers(self.semantic), len(ids))
            label = np.where(np.append(classes.is_thing, False)[label], label, -1)
        keep = label >= 0
        number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
        index = number[index]
        void = index < 0
        if literal_void:
            codes, valid = self.codes, () if classes is None else classes.ids
            void = np.zeros(len(void), bool) if codes is None else np.isin(codes, valid)
        group = np.zeros(len(ids), bool) if self.codes is None else ids < 1000
        return SceneTruth(index, label[keep], void, group[keep])


@dataclass(frozen=True)
class FoundPoints:
    """A prediction that puts every point in one instance at most.

    Attributes:
        instance: (P,) ids; negative = none.
        semantic: (P,) class ids; ``None``: not known.
        score: (P,) confidence of the point's instance; ``None``: all alike.
    """

    instance: np.ndarray
    semantic: np.ndarray | None = None
    score: np.ndarray | None = None

    @property
    def has_classes(self) -> bool:
        """Whether classes were predicted."""
        return self.semantic is not None

    @property
    def has_scores(self) -> bool:
        """Whether predictions are ranked."""
        return self.score is not None

    def overlap(self, truth: SceneTruth, classes: ClassSet | None) -> SceneOverlap:
        """Overlaps with the truth; a prediction's class is that of most of its points, its score
        the largest of them."""
        ids, index, _ = numbered(self.instance)
        label = np.full(len(ids), -1)
        if classes is not None and self.semantic is not None:
            label = majority(index, classes.numbers(self.semantic), len(ids))
        score = np.ones(len(ids))
        if self.score is not None:
            score = np.full(len(ids), -np.inf)
            np.maximum.at(score, index[index >= 0], self.score[index >= 0])
        return overlap_of_labels(truth, index, label, score)

    def labels(self, classes: ClassSet) -> tuple[np.ndarray, np.ndarray]:
        """(P,) instance and (P,) class number of each point, -1 = none."""
        assert self.semantic is not None
        number = classes.numbers(self.semantic)
        return self.instance, _by_instance(self.instance, number, classes.is_thing)


@dataclass(frozen=True)
class FoundMasks:
    """A prediction of K masks, which may share points.

    Attributes:
        points: (k) -> (n,) the points of mask k.
        label: (K,) class ids.
        score: (K,) confidence.
        count: P, points of the scene.
    """

    points: Callable[[int], np.ndarray]
    label: np.ndarray
    score: np.ndarray
    count: int
    has_classes = True
    has_scores = True

    def overlap(self, truth: SceneTruth, classes: ClassSet | None) -> SceneOverlap:
        """Overlaps with the truth."""
        label = np.full(len(self.label), -1) if classes is None else classes.numbers(self.label)
        return overlap_of_masks(truth, map(self.points, range(len(label))), label, self.score)

    def labels(self, classes: ClassSet) -> tuple[np.ndarray, np.ndarray]:
        """(P,) instance and (P,) class number of each point: of the best scored mask there."""
        owner = exclusive(map(self.points, range(len(self.label))), self.score, self.count)
        return owner, np.append(classes.numbers(self.label), -1)[owner]


def _by_instance(
    instance: np.ndarray, number: np.ndarray, only: np.ndarray | None = None
) -> np.ndarray:
    """(P,) class numbers, those of an instance's points made that of most of them; ``only`` (C,)
    where these are of such a class."""
    ids, index, _ = numbered(instance)
    inside = index >= 0
    most = majority(index, number, len(ids))[index[inside]]
    out = number.copy()
    change = np.ones(len(most), bool) if only is None else np.append(only, False)[most]
    out[inside] = np.where(change, most, number[inside])
    return out
