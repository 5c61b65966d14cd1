"""Choice of a threshold on calibration data, never on the data it is scored on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from geoinfluencer.condensation.influencer import condense
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.errors import InputError


class RadiusScore(NamedTuple):
    """One row of a calibration table."""

    radius: float
    score: float  # mean over the outputs, NaN where none had one
    instances: float  # mean number of instances per output


def calibrate_radius(
    outputs: Sequence[Any],
    truth: Sequence[Any],
    score_fn: Callable[[Instances, Any], float],
    radii: Iterable[float],
    **options: Any,
) -> tuple[float, list[RadiusScore]]:
    """The radius with the best mean score, and the table it was chosen from.

    Of equal scores the middle radius is taken: the edge of a plateau is the worst place to be on
    other data.

    Args:
        outputs: per calibration event a (follower, influencer) pair of (N, D) tensors, or any
            object with these two attributes.
        truth: per event what ``score_fn`` wants to know.
        score_fn: (instances, truth) -> number, larger is better; NaN = no opinion.
        radii: the grid, in units of the embedding.
        options: passed on to :func:`condense`.

    Raises:
        InputError: nothing to calibrate on, lengths differ, an empty grid, or no score at all.
    """
    grid = sorted({float(radius) for radius in radii})
    if not grid:
        raise InputError("radii is empty; give at least one radius to try")
    if not len(outputs) or len(outputs) != len(truth):
        raise InputError(
            f"{len(outputs)} outputs and {len(truth)} truths to calibrate on; "
            "expected as many of one as of the other, at least one"
        )
    table = []
    for radius in grid:
        scores, found = [], 0
        for output, target in zip(outputs, truth, strict=True):
            follower, influencer = _embeddings(output)
            instances = condense(follower, influencer, radius=radius, **options)
            scores.append(float(score_fn(instances, target)))
            found += len(instances)
        known = [score for score in scores if not math.isnan(score)]
        mean = math.fsum(known) / len(known) if known else math.nan
        table.append(RadiusScore(radius, mean, found / len(outputs)))
    return best_of_plateau(grid, [row.score for row in table]), table


def best_of_plateau(grid: Sequence[float], scores: Sequence[float]) -> float:
    """The value with the best score; of equal scores the middle value.

    Args:
        grid: ascending.
        scores: of the values, NaN = no opinion.

    Raises:
        InputError: no score at all.
    """
    best = max((score for score in scores if not math.isnan(score)), default=math.nan)
    if math.isnan(best):
        raise InputError("every score of the calibration is NaN; is its truth empty?")
    tied = [value for value, score in zip(grid, scores, strict=True) if score >= best - 1e-12]
    return tied[(len(tied) - 1) // 2]


def _embeddings(output: Any) -> tuple[Tensor, Tensor]:
    if hasattr(output, "follower") and hasattr(output, "influencer"):
        return output.follower, output.influencer
    follower, influencer = output
    return follower, influencer
