"""Any graph with one instance per node: the ``nodes`` protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.atomic import atomic_path
from geoinfluencer.metrics import NodeMetrics
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.points import point_figures
from geoinfluencer.training.inference import SampleResult, node_scores
from geoinfluencer.training.tasks.base import Task

_DEFINITIONS = {
    "ari": "adjusted Rand index of predicted and true instances over the nodes",
    "ami": "adjusted mutual information",
    "v_measure": "harmonic mean of homogeneity and completeness",
    "mean_iou": "mean over true instances of the best intersection over union",
    "pq": "panoptic quality: sum of the IoU of matches above 1/2 / (matches + half of the rest)",
}


class NodeTask(Task):
    """Partition scores for datasets without a protocol of their own."""

    protocol: ClassVar[str] = "nodes"
    default_metric: ClassVar[str] = "ari"

    def new_metric(self) -> NodeMetrics:
        return NodeMetrics()

    def update(self, metric: NodeMetrics, sample: Data, labels: Tensor) -> None:
        ignore = sample.get("ignore")
        metric.update(
            labels.numpy(),
            sample.instance.numpy(),
            ignore=None if ignore is None else ignore.numpy(),
        )

    def calibration_score(self, metrics: Mapping[str, Any]) -> float:
        """Panoptic quality, which minds splits and merges alike."""
        return float(metrics.get("pq", math.nan))

    def record(self, result: SampleResult) -> pd.DataFrame:
        assert result.instances is not None
        found, node_id = result.instances, result.sample.get("node_id")
        labels = found.instance
        count = len(labels)
        columns = {
            "sample": result.name,
            "node_id": np.arange(count) if node_id is None else node_id.numpy(),
            "instance": labels.numpy(),
            "score": node_scores(found).numpy().round(6),
        }
        if found.label is not None and len(found):
            semantic = found.label[labels.clamp(min=0)].numpy()
            columns["semantic"] = np.where(labels.numpy() >= 0, semantic, -1)
        return pd.DataFrame(columns)

    def write_predictions(self, records: Sequence[pd.DataFrame], folder: Path) -> list[Path]:
        """One ``predictions.csv`` (``event_id,node_id,instance,score[,semantic]``); the events are
        numbered in the order of the samples, whose names are in ``sample``."""
        numbered = [frame.assign(event_id=i) for i, frame in enumerate(records)]
        table = pd.concat(numbered)
        first = ["event_id", "node_id", "instance", "score"]
        table = table[[*first, *(name for name in table.columns if name not in first)]]
        path = folder / "predictions.csv"
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False)
        return [path]

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        return self.common_arrays(result)

    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        return point_figures(arrays, name)

    def definitions(self) -> dict[str, str]:
        return dict(_DEFINITIONS)
