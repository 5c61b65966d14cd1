"""Lines of charts from files: predictions and truth joined by image."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.images import IMAGE_SUFFIXES
from geoinfluencer.files.line_results import read_chart_lines
from geoinfluencer.metrics.lines import LineMetrics


def score_line_files(
    pred: str | Path, truth: str | Path, *, category_id: int | None = None
) -> LineMetrics:
    """Score the lines of a file against those of another.

    Images are joined by name, without the ending of an image file; where no name is in both files,
    without folders too. Every image of the truth counts, found in the prediction or not.

    Args:
        pred: ``lines.json``, or what the truth may be.
        truth: Annotations, see :func:`~geoinfluencer.files.line_results.read_chart_lines`.
        category_id: Of the lines in COCO-like annotations.

    Returns:
        The metrics, filled.

    Raises:
        InputError: A file is wrong, or the prediction has images that the truth lacks.
    """
    found, known = (
        _by_name(path, read_chart_lines(path, category_id=category_id)) for path in (pred, truth)
    )
    if not found.keys() & known.keys():
        found, known = _without_folders(found), _without_folders(known)
    unknown = sorted(found.keys() - known.keys())
    if unknown:
        raise InputError(
            f"{pred}: image {unknown[0]!r} is not in {truth} (one of {len(unknown)} such); score "
            "against the annotations of these images"
        )
    metrics = LineMetrics()
    for name, lines in known.items():
        metrics.update(found.get(name, []), lines)
    return metrics


def _by_name(path: str | Path, lines: dict[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    named: dict[str, list[np.ndarray]] = {}
    for name, each in lines.items():
        key = PurePosixPath(name)
        short = str(key.with_suffix("") if key.suffix.lower() in IMAGE_SUFFIXES else key)
        if short in named:
            raise InputError(
                f"{path}: two images are called {short!r} without their endings; rename one"
            )
        named[short] = each
    return named


def _without_folders(lines: dict[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """By the last part of the names where these differ, else as they are."""
    last = Counter(PurePosixPath(name).name for name in lines)
    if len(last) < len(lines):
        return lines
    return {PurePosixPath(name).name: each for name, each in lines.items()}
