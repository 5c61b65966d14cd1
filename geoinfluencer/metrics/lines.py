"""Lines of charts: scores of images, averaged."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from geoinfluencer.metrics.labels import known_mean
from geoinfluencer.metrics.line_pixels import line_pixels_ari
from geoinfluencer.metrics.line_scores import (
    Lines,
    agreements,
    chart_scale,
    placed_agreement,
    published_agreement,
    score_6a,
    score_6b,
)

_MEANS = (
    "line_6a",
    "line_6b",
    "line_6a_placed",
    "line_6b_placed",
    "line_ari",
    "count_error",
    "count_exact",
)


class LineMetrics:
    """Scores of predicted lines, means over the images.

    =================== ===========================================================================
    ``line_6a``         agreement of matched lines / true lines, as published: see
                        :func:`~geoinfluencer.metrics.line_scores.published_agreement`
    ``line_6b``         the same / the larger number of lines
    ``line_6a_placed``  both with errors that do not depend on where the chart lies in the image:
    ``line_6b_placed``  see :func:`~geoinfluencer.metrics.line_scores.placed_agreement`
    ``line_ari``        adjusted Rand index of the pixels that the true lines are drawn on: see
                        :func:`~geoinfluencer.metrics.line_pixels.line_pixels_ari`; of the images
                        where it is defined
    ``count_error``     difference of the numbers of predicted and true lines
    ``count_exact``     share of the images with as many predicted as true lines
    =================== ===========================================================================

    Images without prediction count, with 0 where there are true lines.
    """

    protocol = "lines"

    def __init__(self) -> None:
        self._images: list[dict[str, float]] = []

    def update(self, predicted: Lines, truth: Lines) -> dict[str, float]:
        """Add an image and return its scores.

        Args:
            predicted: (P, 2) points x, y of each line, in pixels from the upper left.
            truth: the same of the true lines.
        """
        literal = agreements(predicted, truth, published_agreement)
        placed = agreements(predicted, truth, partial(placed_agreement, scale=chart_scale(truth)))
        scores = {
            "line_6a": score_6a(literal),
            "line_6b": score_6b(literal),
            "line_6a_placed": score_6a(placed),
            "line_6b_placed": score_6b(placed),
            "line_ari": line_pixels_ari(predicted, truth),
            "count_error": float(abs(len(predicted) - len(truth))),
            "count_exact": float(len(predicted) == len(truth)),
            "num_lines": float(len(truth)),
            "num_predicted_lines": float(len(predicted)),
        }
        self._images.append(scores)
        return scores

    def compute(self) -> dict[str, Any]:
        """The means over images; besides, ``num_images``, ``num_lines`` and
        ``num_predicted_lines``, all of them."""
        values = {
            key: np.array([each[key] for each in self._images])
            for key in (*_MEANS, "num_lines", "num_predicted_lines")
        }
        result: dict[str, Any] = {key: known_mean(values[key]) for key in _MEANS}
        result["num_images"] = len(self._images)
        for key in ("num_lines", "num_predicted_lines"):
            result[key] = int(values[key].sum())
        return result
