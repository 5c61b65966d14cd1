"""The threshold of the condensation: chosen on ``calib``, then used for the scores of others."""

from __future__ import annotations

from collections.abc import Iterable

from geoinfluencer.condensation import Instances
from geoinfluencer.condensation.calibrate import best_of_plateau
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.scoring.inference import SampleResult, instances_of
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
