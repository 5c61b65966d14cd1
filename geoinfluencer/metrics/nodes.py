"""Instance segmentation of nodes: partition agreement, overlap and panoptic quality."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.arrays import as_array
from geoinfluencer.metrics.assignment import best_matching
from geoinfluencer.metrics.clustering import (
    adjusted_mutual_information,
    adjusted_rand_index,
    contingency,
    v_measure,
)


class NodeMetrics:
    r"""Metrics of predicted instances on nodes, averaged over graphs.

    Ids are unique within one graph; negative ids mean background in the truth and unassigned in
    the prediction. Ignored nodes are taken out first.

    ================= =============================================================================
    ``ari``           adjusted Rand index, over the nodes of truth instances; every unassigned node
    ``ami``           among them is a cluster of its own. Background nodes have no true grouping
    ``v_measure``     and do not enter. The same for adjusted mutual information and V-measure.
    ``mean_iou``      mean over truth instances of the best IoU with a predicted instance;
                      predicted instances are taken with all their nodes, background included
    ``pq sq rq``      panoptic quality (Kirillov et al., CVPR 2019): matches have IoU > 1/2,
                      sq = their mean IoU, rq = matches / (matches + (false + missed) / 2),
                      pq = sq rq. Class-agnostic, unless both semantic labels are given: then per
                      class (majority of the instance's nodes), averaged over the classes present.
                      A predicted instance of which more than half is ignored is not false.
    ``node_accuracy`` share of the nodes that are right after the one-to-one matching of instances
                      with most shared nodes; background is right when unassigned
    ``num_predicted`` number of predicted instances, ``num_truth`` of truth instances
    ================= =============================================================================

    ``weight`` is the mass of a node in IoU, panoptic quality and accuracy; partitions count nodes.
    What is undefined in a graph (no truth instance, say) is nan and left out of the average.
    """

    protocol = "nodes"

    def __init__(self) -> None:
        self._graphs: list[dict[str, float]] = []

    def update(
        self,
        predicted: Any,
        instance: Any,
        *,
        ignore: Any = None,
        weight: Any = None,
        semantic_predicted: Any = None,
        semantic: Any = None,
        score: Any = None,
    ) -> dict[str, float]:
        """Add one graph and return its metrics.

        Args:
            predicted: (N,) predicted instance of each node, negative = unassigned.
            instance: (N,) true instance, negative = background.
            ignore: (N,) bool, nodes that do not count.
            weight: (N,) mass of each node, not negative.
            semantic_predicted: (N,) predicted class of each node, negative = none.
            semantic: (N,) true class, negative = none.
            score: Confidence of each node's instance. These metrics rank nothing, so it is only
                checked for its shape; it is taken so that one record serves every protocol.

        Raises:
            InputError: On arrays of unequal length or of the wrong kind.
        """
        predicted = as_array("predicted", predicted, np.int64)
        n = len(predicted)
        instance = as_array("instance", instance, np.int64, n)
        ignored = np.zeros(n, bool) if ignore is None else as_array("ignore", ignore, bool, n)
        mass = np.ones(n) if weight is None else as_array("weight", weight, np.float64, n)
        if score is not None:
            as_array("score", score, np.float64, n)
        if not (np.isfinite(mass) & (mass >= 0)).all():
            raise InputError("weight: values must be finite and not negative")
        classes = None
        if semantic is not None and semantic_predicted is not None:
            classes = (
                as_array("semantic", semantic, np.int64, n),
                as_array("semantic_predicted", semantic_predicted, np.int64, n),
            )
        metrics = _partition_metrics(predicted[~ignored], instance[~ignored])
        metrics |= _overlap_metrics(predicted, instance, ignored, mass, classes)
        self._graphs.append(metrics)
        return metrics

    def compute(self) -> dict[str, float]:
        """Return the average over graphs of every metric, and ``num_graphs``."""
        names = _partition_metrics(*np.empty((2, 0), np.int64)) | _empty_overlap()
        result = {}
        for name in names:
            values = np.array([graph[name] for graph in self._graphs], dtype=np.float64)
            values = values[~np.isnan(values)]
            result[name] = float(values.mean()) if len(values) else float("nan")
        result["num_graphs"] = len(self._graphs)
        return result


def _partition_metrics(predicted: np.ndarray, instance: np.ndarray) -> dict[str, float]:
    signal = instance >= 0
    truth, labels = instance[signal], predicted[signal]
    alone = labels < 0
    labels = np.unique(labels, return_inverse=True)[1].reshape(-1)
    labels = np.where(alone, len(labels) + np.arange(len(labels)), labels)
    table = contingency(truth, labels)
    return {
        "ari": adjusted_rand_index(table),
        "ami": adjusted_mutual_information(table),
        "v_measure": v_measure(table),
    }


def _empty_overlap() -> dict[str, float]:
    names = ("mean_iou", "pq", "sq", "rq", "node_accuracy", "num_predicted", "num_truth")
    return dict.fromkeys(names, float("nan"))


def _overlap_metrics(
    predicted: np.ndarray,
    instance: np.ndarray,
    ignored: np.ndarray,
    mass: np.ndarray,
    classes: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, float]:
    predicted_ids, p = np.unique(predicted, return_inverse=True)
    truth_ids, t = np.unique(instance, return_inverse=True)
    p, t = p.reshape(-1), t.reshape(-1)
    counted = np.where(ignored, 0.0, mass)
    p_mass = np.bincount(p, weights=counted, minlength=len(predicted_ids))
    t_mass = np.bincount(t, weights=counted, minlength=len(truth_ids))
    p_all = np.bincount(p, weights=mass, minlength=len(predicted_ids))
    # Instances of which something counts.
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
    table = contingency(index, semantic)
    classes = np.unique(semantic)
    cell = index * max(len(classes), 1) + np.searchsorted(classes, semantic)
    order = np.unique(cell, return_inverse=True)[1].reshape(-1)
    mass = np.bincount(order, weights=counted, minlength=len(table.row))
    rank = np.lexsort((table.column, -mass, table.row))
    first = rank[np.searchsorted(table.row[rank], np.arange(size))]
    return classes[table.column[first]]
