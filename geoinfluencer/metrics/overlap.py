"""Overlap of predicted with true instances of one graph: IoU, panoptic quality, node accuracy."""

from __future__ import annotations

import numpy as np

from geoinfluencer.metrics.assignment import best_matching
from geoinfluencer.metrics.labels import majority

NAMES = ("mean_iou", "pq", "sq", "rq", "node_accuracy", "num_predicted", "num_truth")


def overlap_metrics(
    predicted: np.ndarray,
    instance: np.ndarray,
    ignored: np.ndarray,
    mass: np.ndarray,
    classes: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, float]:
    """Metrics of one graph by name.

    Args:
        predicted: (N,) predicted instance, negative = unassigned.
        instance: (N,) true instance, negative = background.
        ignored: (N,) bool, nodes that do not count.
        mass: (N,) mass of each node.
        classes: (N,) true and (N,) predicted class; ``None``: class-agnostic.
    """
    predicted_ids, p = np.unique(predicted, return_inverse=True)
    truth_ids, t = np.unique(instance, return_inverse=True)
    p, t = p.reshape(-1), t.reshape(-1)
    counted = np.where(ignored, 0.0, mass)
    p_mass = np.bincount(p, weights=counted, minlength=len(predicted_ids))
    t_mass = np.bincount(t, weights=counted, minlength=len(truth_ids))
    p_all = np.bincount(p, weights=mass, minlength=len(predicted_ids))
    # instances of which something counts
    is_p, is_t = (predicted_ids >= 0) & (p_mass > 0), (truth_ids >= 0) & (t_mass > 0)

    cells, cell_of = np.unique(t * max(len(predicted_ids), 1) + p, return_inverse=True)
    shared = np.bincount(cell_of.reshape(-1), weights=counted, minlength=len(cells))
    row, column = np.divmod(cells, max(len(predicted_ids), 1))
    inside = is_t[row] & is_p[column] & (shared > 0)
    row, column, shared = row[inside], column[inside], shared[inside]
    iou = shared / (t_mass[row] + p_mass[column] - shared)

    best = np.zeros(len(truth_ids))
    np.maximum.at(best, row, iou)
    mostly_ignored = p_all - p_mass > p_all / 2
    false_candidates = is_p & ~mostly_ignored
    t_class, p_class = np.zeros(len(truth_ids), np.int64), np.zeros(len(predicted_ids), np.int64)
    if classes is not None:
        t_class = _majority_class(t, classes[0], counted, len(truth_ids))
        p_class = _majority_class(p, classes[1], counted, len(predicted_ids))
    quality = _panoptic(row, column, iou, is_t, false_candidates, t_class, p_class)

    cells_matched = best_matching(row, column, shared, (len(truth_ids), len(predicted_ids)))
    background = float(counted[(instance < 0) & (predicted < 0)].sum())
    total = float(counted.sum())
    right = float(shared[cells_matched].sum()) + background
    return {
        "mean_iou": float(best[is_t].mean()) if is_t.any() else float("nan"),
        **quality,
        "node_accuracy": right / total if total > 0 else float("nan"),
        "num_predicted": float(is_p.sum()),
        "num_truth": float(is_t.sum()),
    }


def _panoptic(
    row: np.ndarray,
    column: np.ndarray,
    iou: np.ndarray,
    is_t: np.ndarray,
    false_candidates: np.ndarray,
    t_class: np.ndarray,
    p_class: np.ndarray,
) -> dict[str, float]:
    match = (iou > 0.5) & (t_class[row] == p_class[column])
    missed, false = is_t.copy(), false_candidates.copy()
    missed[row[match]] = False
    false[column[match]] = False
    values = []
    for label in np.union1d(t_class[is_t], p_class[false_candidates]):
        of_class = match & (t_class[row] == label)
        hits = int(of_class.sum())
        wrong = int((missed & (t_class == label)).sum()) + int((false & (p_class == label)).sum())
        if hits + wrong == 0:
            continue
        sq = float(iou[of_class].mean()) if hits else float("nan")
        rq = hits / (hits + wrong / 2)
        values.append((rq * sq if hits else 0.0, sq, rq))
    if not values:
        return {"pq": float("nan"), "sq": float("nan"), "rq": float("nan")}
    pq, sq, rq = np.array(values).T
    found = sq[~np.isnan(sq)]
    return {
        "pq": float(pq.mean()),
        "sq": float(found.mean()) if len(found) else float("nan"),
        "rq": float(rq.mean()),
    }


def _majority_class(
    index: np.ndarray, semantic: np.ndarray, counted: np.ndarray, size: int
) -> np.ndarray:
    """(size,) class with most mass in each group; the smallest of equal ones."""
    classes, number = np.unique(semantic, return_inverse=True)
    return classes[majority(index, number.reshape(-1), size, counted)]
