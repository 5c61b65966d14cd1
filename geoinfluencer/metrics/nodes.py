"""Instance segmentation of nodes: partition agreement, overlap and panoptic quality."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import overlap
from geoinfluencer.metrics.arrays import as_array
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
        metrics |= overlap.overlap_metrics(predicted, instance, ignored, mass, classes)
        self._graphs.append(metrics)
        return metrics

    def compute(self) -> dict[str, float]:
        """Return the average over graphs of every metric, and ``num_graphs``."""
        names = (*_partition_metrics(*np.empty((2, 0), np.int64)), *overlap.NAMES)
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
