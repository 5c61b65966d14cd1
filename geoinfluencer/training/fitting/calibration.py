"""The threshold of the condensation and the scores of its instances: chosen and fitted on
``calib``, then used for others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from geoinfluencer.condensation import Instances
from geoinfluencer.condensation.calibrate import best_of_plateau
from geoinfluencer.condensation.confidence import LEAST_INSTANCES, Confidence, fit_confidence
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.scoring.inference import SampleResult, instances_of, traits_of
from geoinfluencer.training.scoring.quality import judge
from geoinfluencer.training.tasks.base import Task


def calibrate(
    results: Iterable[SampleResult], task: Task, settings: CondensationSection
) -> tuple[float, list[dict[str, float]]]:
    """The best threshold of the grid for outputs of calibration samples: the radius of embeddings,
    the least quality of queries.

    The samples are scored together, so that a sample counts by its instances. They are condensed
    with every value of the grid one after another, so that no more outputs are held than came
    from the model at once.

    Args:
        results: outputs for the ``calib`` split.
        task: says what a good score is.
        settings: the grid, or a value that is fixed, and the other options of the condensation.

    Returns:
        The threshold, and one row (its name, ``score``, ``instances`` per sample) per value tried.
    """
    grid = sorted(set(settings.thresholds))
    metrics = [task.new_metric() for _ in grid]
    counts, samples = [0] * len(grid), 0
    for result in results:
        samples += 1
        for i, (metric, value) in enumerate(zip(metrics, grid, strict=True)):
            found: Instances = instances_of(result, settings.at(value)).to("cpu")
            task.update(metric, result.sample, found)
            counts[i] += len(found)
    scores = [task.calibration_score(metric.compute()) for metric in metrics]
    rows = [
        {settings.threshold_name: value, "score": score, "instances": count / samples}
        for value, score, count in zip(grid, scores, counts, strict=True)
    ]
    return grid[0] if len(grid) == 1 else best_of_plateau(grid, scores), rows


@dataclass(frozen=True)
class FittedScores:
    """Scores fitted on calibration samples.

    Attributes:
        confidence: what makes them; None: too few instances were found or they are all worth the
            same, scores stay as found.
        instances: so many were found.
    """

    confidence: Confidence | None
    instances: int

    @property
    def words(self) -> str:
        """What came of it, for the log."""
        if self.confidence is None and self.instances >= LEAST_INSTANCES:
            return f"scores as found (all {self.instances} instances on calib are worth the same)"
        if self.confidence is None:
            return (
                f"scores as found ({self.instances} instances on calib, {LEAST_INSTANCES} needed "
                "to calibrate them)"
            )
        before, after = self.confidence.error_before, self.confidence.error_after
        return f"error of scores {before:.3f} -> {after:.3f}"


def calibrate_scores(
    results: Iterable[SampleResult], task: Task, settings: CondensationSection
) -> FittedScores:
    """Fits what instances found in calibration samples are worth to what they look like.

    Args:
        results: outputs for the ``calib`` split.
        task: says whether classes count.
        settings: with the threshold chosen; without a confidence.
    """
    traits, quality, sample = [], [], []
    names: tuple[str, ...] = ()
    for number, result in enumerate(results):
        found = instances_of(result, settings)
        seen, names = traits_of(result, found, settings)
        result.instances = found.to("cpu")
        agnostic = task.class_agnostic(result.sample, result.instances)
        judged = judge(result, with_classes=not agnostic)
        traits.append(seen.cpu().numpy()[judged.counts])
        quality.append(judged.quality[judged.counts])
        sample.append(np.full(len(quality[-1]), number))
    worth = np.concatenate(quality)
    threshold = settings.thresholds[0]
    fitted = fit_confidence(
        np.concatenate(traits), worth, np.concatenate(sample), names=names, threshold=threshold
    )
    return FittedScores(fitted, len(worth))
