"""Rooms of points: the ``nodes`` scores of voxels, and those of benchmarks on the raw points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.metrics import ClassSet, S3DISMetrics, ScanNetMetrics, SemanticMetrics
from geoinfluencer.metrics.average_precision import MIN_POINTS
from geoinfluencer.metrics.scene_overlap import SceneOverlap, SceneTruth, overlap_of_labels
from geoinfluencer.metrics.scene_points import TruthPoints
from geoinfluencer.training.data import attribute, class_names
from geoinfluencer.training.scoring.cloud_display import point_arrays
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks.nodes import NodeTask
from geoinfluencer.training.tasks.scenes import (
    INSTANCE_DEFINITIONS,
    S3DIS_DEFINITIONS,
    class_lines,
    without_truth,
)


@dataclass(frozen=True)
class RoomRecord:
    """What was predicted for a room.

    Attributes:
        nodes: As of the ``nodes`` protocol.
        overlap: Of the raw points; ``None``: no way back to them, or no truth.
        semantic: (C, C + 1) points by true and by predicted class, the last one none; ``None``:
            without classes.
        labelled: Whether instances and truth have classes.
        cut: Share of the raw points that is not in the sample.
    """

    nodes: pd.DataFrame
    overlap: SceneOverlap | None = None
    semantic: np.ndarray | None = None
    labelled: bool = False
    cut: float = 0.0


class RoomTask(NodeTask):
    """Scores on voxels in training; on an evaluation those of ScanNet and S3DIS on raw points.

    Samples have ``voxel_of_point`` (P,), by which labels go back to the points; without it, as in
    training, there are scores of voxels alone. The truth of the points is that of the dataset's
    ``point_truth(name)`` where it has one, else that of the voxels. The class of a point is that of
    its instance. The dataset may have ``min_points``, the size below which ScanNet's rules ignore
    an instance, ``scored_share`` of the points, by which that is multiplied where some are held
    out, and ``stuff``, the numbers of the classes without instances.
    """

    protocol: ClassVar[str] = "rooms"

    def __init__(self, samples: object) -> None:
        super().__init__(samples)
        names = tuple(class_names(samples))
        stuff = attribute(samples, "stuff", ())
        self._set: ClassSet | None = None
        if names:
            stuffs = tuple(names[c] for c in stuff if 0 <= c < len(names))
            self._set = ClassSet(names, tuple(range(len(names))), stuffs)
        whole: int = attribute(samples, "min_points", MIN_POINTS)
        self._min_points = max(1, round(whole * attribute(samples, "scored_share", 1.0)))
        self._point_truth = attribute(samples, "point_truth", None)
        self._point_cloud = attribute(samples, "point_cloud", None)

    def class_agnostic(self, sample: Data, found: Instances) -> bool:
        """Samples of rooms without classes have a ``y`` too, of voids."""
        return self._set is None or super().class_agnostic(sample, found)

    def record(self, result: SampleResult) -> RoomRecord:  # type: ignore[override]
        assert result.instances is not None
        nodes, found, sample = super().record(result), result.instances, result.sample
        voxel = sample.get("voxel_of_point")
        if voxel is None or "truth" not in self.common_arrays(result):
            return RoomRecord(nodes)
        voxel = voxel.numpy()
        inside = voxel >= 0
        truth = self._truth(result, voxel)
        truth = TruthPoints(
            truth.instance[inside], None if truth.semantic is None else truth.semantic[inside]
        )
        predicted = found.instance.numpy()[voxel[inside]]
        labelled = not self.class_agnostic(sample, found)
        label = np.full(len(found), -1)
        if labelled:
            assert found.label is not None
            label = found.label.numpy()
        overlap = overlap_of_labels(
            self._scored(truth), predicted, label, found.score.double().numpy()
        )
        semantic = None
        if labelled:
            assert self._set is not None and truth.semantic is not None
            scores = SemanticMetrics(classes=self._set)
            scores.update(truth.semantic, np.append(label, -1)[predicted])
            semantic = scores.table
        return RoomRecord(nodes, overlap, semantic, labelled, float(1 - inside.mean()))

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        points = point_arrays(result, self._point_cloud, self._point_truth)
        return {**super().display_arrays(result), **points}

    def write_predictions(self, records: Sequence[RoomRecord], folder: Path) -> list[Path]:  # type: ignore[override]
        return super().write_predictions([each.nodes for each in records], folder)

    def metrics_of(self, records: Sequence[RoomRecord]) -> dict[str, Any]:
        """The scores of ScanNet and S3DIS, where all rooms have points and truth."""
        overlaps = [each.overlap for each in records if each.overlap is not None]
        if not overlaps or len(overlaps) < len(records):
            return {}
        classes = self._set if all(each.labelled for each in records) else None
        by_rank = ScanNetMetrics(classes=classes, min_points=self._min_points)
        by_cover = S3DISMetrics(classes=classes)
        for overlap in overlaps:
            by_rank.update(overlap)
            by_cover.update(overlap)
        metrics = {**by_rank.compute(), **by_cover.compute(), "min_points": self._min_points}
        metrics["num_objects"] = metrics.pop("num_truth")
        metrics["num_detections"] = metrics.pop("num_predicted")
        if classes is not None:
            pooled = SemanticMetrics(classes=classes)
            for each in records:
                if each.semantic is not None:
                    pooled.table += each.semantic
            metrics |= pooled.compute()
        metrics["points_cut"] = float(np.mean([each.cut for each in records]))
        return metrics

    def window_words(self, metrics: Mapping[str, Any]) -> str:
        if not metrics.get("partial"):
            return ""
        return f"PARTIAL: {str(metrics['missing']).partition(':')[0]}"

    def warnings(self, metrics: Mapping[str, Any]) -> list[str]:
        lines = without_truth(metrics)
        if metrics.get("points_cut"):
            lines.append(
                f"{metrics['points_cut']:.0%} of the points are not scored (data.max_eval_nodes, "
                "data.hold_out): these are not scores of whole rooms"
            )
        return lines

    def table(self, metrics: Mapping[str, Any]) -> list[str]:
        return class_lines(metrics)

    def definitions(self) -> dict[str, str]:
        return {**INSTANCE_DEFINITIONS, **S3DIS_DEFINITIONS, **super().definitions()}

    def _truth(self, result: SampleResult, voxel: np.ndarray) -> TruthPoints:
        """Of all raw points, those cut away included."""
        if self._point_truth is not None:
            return TruthPoints(*self._point_truth(result.name))
        sample = result.sample
        y, ignore = sample.get("y"), sample.get("ignore")
        instance = sample.instance.numpy()
        if ignore is not None:
            instance = np.where(ignore.numpy(), -1, instance)
        semantic = None if y is None else y.numpy()[voxel]
        return TruthPoints(instance[voxel], semantic)

    def _scored(self, truth: TruthPoints) -> SceneTruth:
        return truth.scored(self._set if truth.semantic is not None else None)
