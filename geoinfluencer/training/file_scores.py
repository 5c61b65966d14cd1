"""Scores of any tool's output, from files; no model involved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geoinfluencer.metrics.files import score_files
from geoinfluencer.training.evaluation import evaluation_folder
from geoinfluencer.training.reporting import write_file_results
from geoinfluencer.training.tasks import TASKS


def evaluate_prediction_file(
    pred: str | Path,
    truth: str | Path,
    protocol: str,
    out: str | Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Scores any tool's per-node output; see :func:`geoinfluencer.metrics.files.score_files`."""
    folder = evaluation_folder(out) if out is not None else None
    metric = score_files(pred, truth, protocol, **options)
    metrics = {**metric.compute(), "protocol": protocol, **getattr(metric, "window", {})}
    metrics |= {"split": None, "class_agnostic": True, "seed": None}
    if folder is not None:
        write_file_results(folder, TASKS[protocol](None), metric, metrics)
    return metrics
