"""DBSCAN's settings, chosen on calibration images as the graph models' threshold is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from torch.utils.data import Subset

from geoinfluencer.training.pixel_baseline.grouping import PixelGrouper
from geoinfluencer.training.pixel_baseline.samples import PixelSamples, behind
from geoinfluencer.training.pixel_baseline.scoring import score_masks
from geoinfluencer.training.tasks import make_task

RADII = (0.5, 0.25, 0.15, 0.75, 1.0)  # of equal scores the first is taken
MIN_SIZES = (16, 40, 80, 120)  # pixels of a line; of masks the first alone
CALIBRATING = 20  # images, at most


def calibrated(grouper: PixelGrouper, calib: PixelSamples) -> tuple[PixelGrouper, float]:
    """The grouper with the radius, and of lines the least size, of the best score, and that score:
    of masks AP, of nodes what graph models are calibrated by.

    Args:
        grouper: of a trained net.
        calib: whole images that are neither trained on nor scored.
    """
    few = first_images(calib)
    tried = _of_nodes(grouper, few) if few.given_pixels else _of_masks(grouper, few)
    return max(tried, key=lambda each: comparable(each[1]))


def first_images(calib: PixelSamples) -> PixelSamples:
    """The first 20, or all if there are fewer: settings are tried on them in turn."""
    return PixelSamples(Subset(calib.samples, range(min(len(calib), CALIBRATING))))


def comparable(score: float) -> float:
    """The score; minus infinity where it is not defined, which is worse than any."""
    return -math.inf if math.isnan(score) else score


def _of_masks(grouper: PixelGrouper, calib: PixelSamples) -> list[tuple[PixelGrouper, float]]:
    choices = [replace(grouper, radius=radius) for radius in RADII]
    return [(each, float(score_masks(calib, each.masks)["ap"])) for each in choices]


def _of_nodes(grouper: PixelGrouper, calib: PixelSamples) -> list[tuple[PixelGrouper, float]]:
    task = make_task(calib.samples)
    choices = [
        replace(grouper, radius=radius, min_size=size) for radius in RADII for size in MIN_SIZES
    ]
    metrics: list[Any] = [task.new_metric() for _ in choices]
    for index in range(len(calib)):
        samples, place = behind(calib.samples, index)
        graph = samples[place]
        pixels = grouper.node_pixels(calib.image(index), graph)
        for radius in RADII:
            label = replace(grouper, radius=radius).clusters(pixels)
            for choice, metric in zip(choices, metrics, strict=True):
                if choice.radius == radius:
                    task.update(metric, graph, choice.instances(label))
    scores = [task.calibration_score(metric.compute()) for metric in metrics]
    return list(zip(choices, scores, strict=True))
