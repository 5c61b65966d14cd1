"""The condensation radius: chosen on ``calib``, then used for the scores of other samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from geoinfluencer.condensation import Instances, calibrate_radius
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks.base import Task


def calibrate(
    results: Sequence[SampleResult], task: Task, settings: CondensationSection
) -> tuple[float, list[dict[str, float]]]:
    """The best radius of the grid for stored outputs of calibration samples.

    All samples are condensed as one batch per radius and scored together, so that a sample counts
    by its instances. A radius fixed in the configuration is returned as it is; query logits need
    none, theirs is NaN.

    Args:
        results: outputs for the ``calib`` split.
        task: says what a good score is.
        settings: the grid, and the other options of the condensation.

    Returns:
        The radius, and one row (``radius``, ``score``, ``instances``) per radius tried.
    """
    if settings.of_queries:
        return math.nan, []
    sizes = [result.follower.shape[0] for result in results]
    bounds = torch.tensor([0, *sizes]).cumsum(0).to(results[0].follower.device)
    follower = torch.cat([result.follower for result in results])
    influencer = torch.cat([result.influencer for result in results])
    samples = [result.sample for result in results]
    logits = [result.class_logits for result in results if result.class_logits is not None]

    def score(found: Instances, _: None) -> float:
        parts = found.to("cpu").split()
        return task.calibration_score(task.score(zip(samples, parts, strict=True)))

    radii = settings.radii if settings.radius is None else (settings.radius,)
    radius, table = calibrate_radius(
        [(follower, influencer)],
        [None],
        score,
        radii,
        ptr=bounds,
        class_logits=torch.cat(logits) if logits else None,
        **settings.options(),
    )
    rows = [
        {"radius": row.radius, "score": row.score, "instances": row.instances / len(results)}
        for row in table
    ]
    return radius, rows
