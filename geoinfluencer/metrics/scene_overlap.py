"""Overlaps of the predicted with the true instances of one scene, as sparse counts of points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class SceneTruth:
    """True instances of a scene; P points, G instances.

    Attributes:
        index: (P,) instance of each point, 0..G-1; -1 = in none that is scored.
        label: (G,) class of each instance, 0..C-1.
        void: (P,) bool, points on which a prediction is not to blame.
        group: (G,) bool, instances that stand for several: never missed, never matched.
    """

    index: np.ndarray
    label: np.ndarray
    void: np.ndarray
    group: np.ndarray


@dataclass(frozen=True)
class SceneOverlap:
    """What instance metrics need of a scene; G true and K predicted instances, S pairs of a true
    and a predicted one that share points, sorted by the true one, then by the predicted one.

    Attributes:
        truth_label: (G,) class, 0..C-1.
        truth_size: (G,) points.
        truth_group: (G,) bool.
        label: (K,) class of each predicted instance; -1 = none of the scored ones.
        score: (K,) float64 confidence.
        size: (K,) points.
        void: (K,) points of it in the void.
        pair_truth: (S,) true instance.
        pair_found: (S,) predicted instance.
        shared: (S,) points in both.
    """

    truth_label: np.ndarray
    truth_size: np.ndarray
    truth_group: np.ndarray
    label: np.ndarray
    score: np.ndarray
    size: np.ndarray
    void: np.ndarray
    pair_truth: np.ndarray
    pair_found: np.ndarray
    shared: np.ndarray

    @property
    def iou(self) -> np.ndarray:
        """(S,) intersection over union of each pair."""
        union = self.truth_size[self.pair_truth] + self.size[self.pair_found] - self.shared
        return self.shared / union

    def without_classes(self) -> SceneOverlap:
        """The same as if all instances had one class."""
        zero, none = np.zeros_like(self.truth_label), np.zeros_like(self.label)
        return replace(self, truth_label=zero, label=none)

    def of_class(self, label: int) -> SceneOverlap:
        """The true and the predicted instances of one class alone."""
        truth, found = self.truth_label == label, self.label == label
        inside = truth[self.pair_truth] & found[self.pair_found]
        number_t, number_f = np.cumsum(truth) - 1, np.cumsum(found) - 1
        return SceneOverlap(
            self.truth_label[truth],
            self.truth_size[truth],
            self.truth_group[truth],
            self.label[found],
            self.score[found],
            self.size[found],
            self.void[found],
            number_t[self.pair_truth[inside]],
            number_f[self.pair_found[inside]],
            self.shared[inside],
        )


def overlap_of_labels(
    truth: SceneTruth,
    predicted: np.ndarray,  # (P,) 0..K-1, -1 = none
    label: np.ndarray,  # (K,)
    score: np.ndarray,  # (K,)
) -> SceneOverlap:
    """Overlaps where every point is in one predicted instance at most."""
    count = len(label)
    inside = predicted >= 0
    found, index = predicted[inside], truth.index[inside]
    hit = index >= 0
    key, shared = np.unique(index[hit] * max(count, 1) + found[hit], return_counts=True)
    pair_truth, pair_found = np.divmod(key, max(count, 1))
    return SceneOverlap(
        truth.label,
        _sizes(truth),
        truth.group,
        label,
        score.astype(np.float64),
        np.bincount(found, minlength=count),
        np.bincount(found[truth.void[inside]], minlength=count),
        pair_truth,
        pair_found,
        shared,
    )


def overlap_of_masks(
    truth: SceneTruth,
    masks: Iterable[np.ndarray],  # K of (n,), the points of each
    label: np.ndarray,  # (K,)
    score: np.ndarray,  # (K,)
) -> SceneOverlap:
    """Overlaps where predicted instances may share points; one mask is looked at at a time."""
    count = len(truth.label)
    size, void = np.zeros(len(label), np.int64), np.zeros(len(label), np.int64)
    pairs = [np.empty((3, 0), np.int64)]
    for k, points in enumerate(masks):
        size[k], void[k] = len(points), np.count_nonzero(truth.void[points])
        index = truth.index[points]
        shared = np.bincount(index[index >= 0], minlength=count)
        hit = np.flatnonzero(shared)
        pairs.append(np.stack([hit, np.full_like(hit, k), shared[hit]]))
    pair_truth, pair_found, shared = np.concatenate(pairs, axis=1)
    order = np.lexsort((pair_found, pair_truth))
    return SceneOverlap(
        truth.label,
        _sizes(truth),
        truth.group,
        label,
        score.astype(np.float64),
        size,
        void,
        pair_truth[order],
        pair_found[order],
        shared[order],
    )


def exclusive(
    masks: Iterable[np.ndarray],  # K of (n,), the points of each
    score: np.ndarray,  # (K,)
    points: int,
) -> np.ndarray:
    """(P,) the best scored mask of each point, the earlier of equal ones; -1 = in none."""
    owner = np.full(points, -1)
    rank = np.empty(len(score), np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
    for k, mine in enumerate(masks):
        held = owner[mine]
        owner[mine[(held < 0) | (rank[held] > rank[k])]] = k
    return owner


def _sizes(truth: SceneTruth) -> np.ndarray:
    return np.bincount(truth.index[truth.index >= 0], minlength=len(truth.label))
