"""Any graph with one instance per node: the ``nodes`` protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets.predictions import event_number
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.metrics import NodeMetrics
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.points import point_figures
from geoinfluencer.plots.segments import segment_figures
from geoinfluencer.training.scoring.inference import SampleResult, node_scores
from geoinfluencer.training.tasks.base import Task

_DEFINITIONS = {
    "ari": "adjusted Rand index of predicted and true instances over the nodes",
    "ami": "adjusted mutual information",
    "v_measure": "harmonic mean of homogeneity and completeness",
    "mean_iou": "mean over true instances of the best intersection over union",
    "pq": "panoptic quality: sum of the IoU of matches above 1/2 / (matches + half of the rest)",
    "sq": "segmentation quality: mean IoU of those matches",
    "rq": "recognition quality: matches / (matches + half of the rest); pq = sq rq",
    "node_accuracy": "share of right nodes after matching instances one to one by shared nodes",
    "num_predicted": "predicted instances per graph",
    "num_truth": "true instances per graph",
}


class NodeTask(Task):
    """Partition scores for datasets without a protocol of their own."""

    protocol: ClassVar[str] = "nodes"
    default_metric: ClassVar[str] = "ari"

    def new_metric(self) -> NodeMetrics:
        return NodeMetrics()

    def update(self, metric: NodeMetrics, sample: Data, found: Instances) -> None:
        """With classes on both sides panoptic quality is per class."""
        ignore, mass = sample.get("ignore"), sample.get("mass")
        classes = {}
        if not self.class_agnostic(sample, found):
            classes = {"semantic": sample.y.numpy(), "semantic_predicted": _node_classes(found)}
        metric.update(
            found.instance.numpy(),
            sample.instance.numpy(),
            ignore=None if ignore is None else ignore.numpy(),
            weight=None if mass is None else mass.numpy(),
            **classes,
        )

    def class_agnostic(self, sample: Data, found: Instances) -> bool:
        return found.label is None or sample.get("y") is None

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
            "score": node_scores(found).numpy(),
        }
        if found.label is not None:
            columns["semantic"] = _node_classes(found)
        return pd.DataFrame(columns)

    def write_predictions(self, records: Sequence[pd.DataFrame], folder: Path) -> list[Path]:
        """One ``predictions.csv`` (``event_id,node_id,instance,score,sample[,semantic]``): the
        event is the number in the sample's name, ``sample`` the name. Samples without a number or
        with a common one are counted instead, all of them."""
        numbers = sample_numbers(
            [str(frame["sample"].iloc[0]) if len(frame) else "" for frame in records]
        )
        table = pd.concat(
            [frame.assign(event_id=n) for n, frame in zip(numbers, records, strict=True)]
        )
        first = ["event_id", "node_id", "instance", "score"]
        table = table[[*first, *(name for name in table.columns if name not in first)]]
        path = folder / "predictions.csv"
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False)
        return [path]

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        arrays = self.common_arrays(result)
        for key in ("segment_map", "image_size", "mass", "color", "superpoint", "coarse"):
            if result.sample.get(key) is not None:
                arrays[key] = result.sample[key].numpy()
        assert result.instances is not None
        if not self.class_agnostic(result.sample, result.instances):
            arrays["semantic"] = _node_classes(result.instances)
            arrays["semantic_truth"] = result.sample.y.numpy()
        return arrays

    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        of_image = "segment_map" in arrays and "image_size" in arrays
        return segment_figures(arrays, name) if of_image else point_figures(arrays, name)

    def definitions(self) -> dict[str, str]:
        return dict(_DEFINITIONS)


def sample_numbers(names: Sequence[str]) -> list[int]:
    """The number in each name; where some have none, share one or have one that does not fit 64
    bits, all are counted instead."""
    numbers = [event_number(name, -1) for name in names]
    if -1 in numbers or len(set(numbers)) < len(numbers) or max(numbers, default=0) >= 2**63:
        return list(range(len(names)))
    return numbers


def _node_classes(found: Instances) -> np.ndarray:
    """(N,) class of each node's instance, -1 for nodes without one."""
    labels = found.instance.numpy()
    if not len(found):
        return np.full(len(labels), -1)
    assert found.label is not None
    return np.where(labels >= 0, found.label.numpy()[labels.clip(min=0)], -1)
