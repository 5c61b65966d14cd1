"""Scores of any tool's output, from files; no model involved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geoinfluencer.files.tables import read_header
from geoinfluencer.metrics.files import score_files
from geoinfluencer.metrics.node_files import Role, read_nodes
from geoinfluencer.metrics.scene_scores import SceneScores
from geoinfluencer.training.scoring.evaluation import evaluation_folder
from geoinfluencer.training.scoring.reporting import write_file_results
from geoinfluencer.training.tasks import FILE_TASKS


def evaluate_prediction_file(
    pred: str | Path,
    truth: str | Path,
    protocol: str,
    out: str | Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Scores any tool's output; see :func:`geoinfluencer.metrics.files.score_files`."""
    folder = evaluation_folder(out) if out is not None else None
    metric = score_files(pred, truth, protocol, **options)
    metrics = {**metric.compute(), "protocol": protocol, **getattr(metric, "window", {})}
    if isinstance(metric, SceneScores):
        classes = not metric.class_agnostic
    else:
        classes = protocol in ("coco", "cityscapes") or (
            protocol == "nodes"
            and _has_classes(pred, "prediction")
            and _has_classes(truth, "truth")
        )
    metrics |= {"split": None, "class_agnostic": not classes, "seed": None}
    metrics |= {"pred": Path(pred).name, "truth": Path(truth).name}
    if folder is not None:
        write_file_results(folder, FILE_TASKS[protocol](None), metric, metrics)
    return metrics


def _has_classes(path: str | Path, role: Role) -> bool:
    """Whether a file, or the first one in a folder of truth, has the column ``semantic``."""
    path = Path(path)
    if path.is_dir():
        path = min(path.glob("*-truth.csv*"))
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return "semantic" in read_header(path)
    return "semantic" in read_nodes(path, role).table
