"""Average precision of instances in scenes, by the rules of the ScanNet benchmark."""

from __future__ import annotations

from collections import Counter

import numpy as np

from geoinfluencer.metrics.scene_overlap import SceneOverlap

# Nine values, 0.50 to 0.90; the sums of this form are what overlaps are compared with.
SCANNET_THRESHOLDS = np.arange(0.5, 0.95, 0.05)
MIN_POINTS = 100


def judged(
    overlap: SceneOverlap,
    threshold: float,
    min_points: int = MIN_POINTS,
    min_found: int | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Predictions of one class in one scene as right or wrong.

    True instances take, in their order, the predictions whose IoU is **above** the threshold. The
    first becomes a hit; of every further one the lower score of the two becomes a false positive.
    A prediction above the threshold with no true instance is false, unless the share of its points
    in the void, in groups and in true instances below ``min_points`` exceeds the threshold.

    Args:
        overlap: Of one class, see :meth:`SceneOverlap.of_class`.
        threshold: Of the IoU, and of the share to ignore.
        min_points: Smaller predictions are left out, smaller true instances are not missed.
        min_found: Smallest prediction that counts; ``None``: ``min_points``.

    Returns:
        Scores (J,), whether each is right (J,) bool, and the number of missed true instances.
    """
    counted = overlap.size >= (min_points if min_found is None else min_found)
    small = overlap.truth_size < min_points
    real = ~small & ~overlap.truth_group
    keep = counted[overlap.pair_found]
    above = keep & (overlap.iou > threshold)

    taken: set[int] = set()
    best: dict[int, float] = {}
    lower: list[float] = []
    pairs = above & real[overlap.pair_truth]
    for truth, found in zip(
        overlap.pair_truth[pairs].tolist(), overlap.pair_found[pairs].tolist(), strict=True
    ):
        if found in taken:
            continue
        score = float(overlap.score[found])
        if truth in best:
            # the second one stays free: below 1/2 it may still be another true instance's first
            lower.append(min(best[truth], score))
            best[truth] = max(best[truth], score)
        else:
            best[truth] = score
            taken.add(found)

    unmatched = counted.copy()
    unmatched[overlap.pair_found[above]] = False
    times = (small.astype(np.int64) + overlap.truth_group)[overlap.pair_truth]
    ignored = overlap.void + np.bincount(
        overlap.pair_found, weights=overlap.shared * times, minlength=len(overlap.size)
    )
    false = unmatched & (ignored / np.maximum(overlap.size, 1) <= threshold)
    scores = np.concatenate([list(best.values()), lower, overlap.score[false]])
    right = np.arange(len(scores)) < len(best)
    return scores, right, int(real.sum()) - len(best)


def average_precision(score: np.ndarray, right: np.ndarray, missed: int) -> float:
    """Area under the precision over the recall, with one point of the curve per distinct score.

    The curve ends in the artificial point of recall 0 and precision 1, and every point has the
    width of half the distance of its neighbours in recall.

    Args:
        score: (J,) of predictions of all scenes.
        right: (J,) bool.
        missed: True instances without a prediction; with those found at least 1.
    """
    order = np.argsort(score, kind="stable")
    _, first = np.unique(score[order], return_index=True)
    below = np.append(0, np.cumsum(right[order]))[first]  # right ones of lower score
    hits = right.sum() - below
    precision = np.append(hits / (len(score) - first), 1.0)
    recall = np.append(hits / (right.sum() + missed), 0.0)
    padded = np.concatenate([recall[:1], recall, [0.0]])
    return float(np.dot(precision, np.convolve(padded, [-0.5, 0.0, 0.5], "valid")))


class Ranking:
    """Judged predictions of one class over scenes, for each of T thresholds."""

    def __init__(
        self, thresholds: np.ndarray, min_points: int, min_found: int | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._thresholds, self._min_points = thresholds, min_points
        self._min_found = min_points if min_found is None else min_found
        self._scores: list[list[np.ndarray]] = [[] for _ in thresholds]
        self._right: list[list[np.ndarray]] = [[] for _ in thresholds]
        self._missed = [0] * len(thresholds)

    def add(self, overlap: SceneOverlap) -> None:
        """Adds a scene, the instances of this class alone."""
        real = (overlap.truth_size >= self._min_points) & ~overlap.truth_group
        self.counts["truth"] += int(real.sum())
        self.counts["found"] += int((overlap.size >= self._min_found).sum())
        for t, threshold in enumerate(self._thresholds.tolist()):
            scores, right, missed = judged(overlap, threshold, self._min_points, self._min_found)
            self._scores[t].append(scores)
            self._right[t].append(right)
            self._missed[t] += missed

    def compute(self) -> np.ndarray:
        """(T,) average precision; nan without truth, 0 without predictions."""
        if not self.counts["truth"]:
            return np.full(len(self._thresholds), np.nan)
        if not self.counts["found"]:
            return np.zeros(len(self._thresholds))
        return np.array(
            [
                average_precision(np.concatenate(s), np.concatenate(r), m)
                for s, r, m in zip(self._scores, self._right, self._missed, strict=True)
            ]
        )
