"""Scores of a model on samples, with the time and the memory that it takes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation.confidence import calibration_error
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.fitting.progress import Progress
from geoinfluencer.training.scoring.inference import (
    autocast_dtype,
    condense_result,
    peak_memory_mb,
    run_batches,
    run_model,
)
from geoinfluencer.training.scoring.quality import judge
from geoinfluencer.training.tasks import Task

DISPLAYED = 2  # samples whose pictures go into a report


@dataclass
class Scores:
    """Everything an evaluation found."""

    metrics: dict[str, Any]  # flat
    curves: list[dict[str, Any]]
    records: list[Any]  # one per sample, for Task.write_predictions
    displays: list[tuple[str, dict[str, np.ndarray]]] = field(default_factory=list)


def score_samples(
    model: nn.Module,
    samples: Dataset[Data],
    task: Task,
    settings: CondensationSection,
    *,
    device: torch.device,
    precision: str = "auto",
    quiet: bool = False,
    with_records: bool = False,
) -> Scores:
    """Model, condensation and metrics over samples, one at a time, with timings.

    ``settings`` have their calibrated threshold. On a GPU the first sample goes through the model
    once before the clock counts. Times are medians per sample; the model's include the transfer to
    the device. ``with_records`` keeps what ``Task.write_predictions`` and ``Task.metrics_of`` read.
    """
    model = model.to(device).eval()
    dtype = autocast_dtype(precision, device)
    total = len(samples)  # type: ignore[arg-type]
    if device.type == "cuda":
        run_model(model, [samples[0]], device, dtype)  # kernels are loaded and chosen
    metric, scores = task.new_metric(), Scores({}, [], [])
    times: list[tuple[float, float]] = []
    class_agnostic = True
    worth: list[tuple[np.ndarray, np.ndarray]] = []  # score and quality of instances
    progress = Progress("evaluating", total, unit="samples", enabled=not quiet)
    progress.begin(0)
    for index, result in enumerate(run_batches(model, samples, device, dtype, max_nodes=1)):
        found = condense_result(result, settings).instances
        assert found is not None
        task.update(metric, result.sample, found)
        agnostic = task.class_agnostic(result.sample, found)
        class_agnostic = class_agnostic and agnostic
        judged = judge(result, with_classes=not agnostic)
        worth.append((found.score.numpy()[judged.counts], judged.quality[judged.counts]))
        times.append((result.model_ms, result.condense_ms))
        if with_records:
            scores.records.append(task.record(result))
        if index < DISPLAYED:
            name = result.name or f"sample-{index}"
            scores.displays.append((name, task.display_arrays(result)))
        progress.update(index + 1)
    progress.clear()
    model_ms, condense_ms = (statistics.median(column) for column in zip(*times, strict=True))
    score, quality = (np.concatenate(column) for column in zip(*worth, strict=True))
    scores.curves = task.curve_rows(metric)
    scores.metrics = {
        **metric.compute(),
        "protocol": task.protocol,
        "class_agnostic": class_agnostic,
        **task.window(),
        "radius": None if settings.of_queries else settings.radius,
        **({"min_iou": settings.min_iou} if settings.of_queries else {}),
        "score_error": calibration_error(score, quality),
        **_of_calibration(settings),
        "num_samples": total,
        "ms_per_event": model_ms + condense_ms,
        "ms_per_event_model": model_ms,
        "ms_per_event_condensation": condense_ms,
        "device": device.type,
        **peak_memory_mb(device),
    }
    return scores


def _of_calibration(settings: CondensationSection) -> dict[str, float]:
    fitted = settings.confidence
    if fitted is None:
        return {}
    return {"calib_score_error": fitted.error_after, "calib_score_error_found": fitted.error_before}
