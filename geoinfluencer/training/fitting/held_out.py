"""A validation: threshold and scores from outputs for ``calib``, then metrics of ``val``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.data import check_truth, class_names, held_in_memory
from geoinfluencer.training.fitting.calibration import calibrate, calibrate_scores
from geoinfluencer.training.scoring.inference import condense_result, evaluating, run_batches
from geoinfluencer.training.tasks import Task


@dataclass(frozen=True)
class Validation:
    """What a validation found."""

    calibrated: dict[str, float]  # name of the threshold -> what was chosen
    calibration: list[dict[str, float]]
    metrics: dict[str, Any]
    merit: float  # of the primary metric; larger is better
    tie_break: float  # the calibration score on calib, for equal merits
    seconds: float
    confidence: dict[str, Any] = field(default_factory=dict)  # see RunState; empty: none
    remark: str = ""  # on the scores, for the log


class Validator(Protocol):
    """What validates a model on the way, and the name of the metric that its best step goes by."""

    primary_metric: str

    def validate(
        self, model: nn.Module, device: torch.device, dtype: torch.dtype | None
    ) -> Validation:
        """What a model is worth now."""


class HeldOut:
    """Validates a model; the samples are read once and kept when they fit in memory.

    Args:
        task: scores of the protocol.
        calib: samples that choose the threshold.
        val: samples that are scored with it.
        settings: of the condensation.

    Raises:
        InputError: the first sample of either has no truth, or no sample of ``calib`` an instance.
    """

    def __init__(
        self,
        task: Task,
        calib: Dataset[Data],
        val: Dataset[Data],
        settings: CondensationSection,
    ) -> None:
        self.task, self.settings = task, settings
        self.primary_metric = task.primary_metric
        self.calib, self.val = held_in_memory(calib), held_in_memory(val)
        for split, samples in (("calib", self.calib), ("val", self.val)):
            check_truth(samples[0], class_names(val), f"first sample of {split}")
        if len(settings.thresholds) > 1 and not _any_instance(self.calib):
            name, count = settings.threshold_name, len(calib)  # type: ignore[arg-type]
            raise InputError(
                f"split calib: none of its {count} samples has a true instance to choose {name} "
                "by; look at the annotations and at data.calib_share and data.seed, or give one "
                f"with --set condensation.{name}=0.5"
            )

    def validate(
        self, model: nn.Module, device: torch.device, dtype: torch.dtype | None
    ) -> Validation:
        """Calibrates on ``calib``, then scores ``val``; in evaluation mode, without gradients."""
        start = time.monotonic()
        with evaluating(model):
            outputs = run_batches(model, self.calib, device, dtype)
            threshold, table = calibrate(outputs, self.task, self.settings)
            settings = self.settings.at(threshold)
            confidence, remark = None, ""
            if settings.calibrate_scores:
                # once more: outputs of all calibration samples are too large to keep
                again = run_batches(model, self.calib, device, dtype)
                fitted = calibrate_scores(again, self.task, settings)
                confidence, remark = fitted.confidence, fitted.words
                settings = settings.scored_by(confidence)
            metric = self.task.new_metric()
            for result in run_batches(model, self.val, device, dtype):
                found = condense_result(result, settings).instances
                assert found is not None
                self.task.update(metric, result.sample, found)
        metrics: dict[str, Any] = metric.compute()
        scores = [row["score"] for row in table if row["score"] == row["score"]]
        return Validation(
            {settings.threshold_name: threshold},
            table,
            metrics,
            self.task.merit(metrics),
            max(scores, default=float("-inf")),
            time.monotonic() - start,
            {} if confidence is None else confidence.to_dict(),
            remark,
        )


def _any_instance(samples: Sequence[Any] | Dataset[Any]) -> bool:
    count = len(samples)  # type: ignore[arg-type]
    return any(bool((samples[place].instance >= 0).any()) for place in range(count))
