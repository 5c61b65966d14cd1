"""COCO results: a list of masks with image, category and score; read, and checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import integer, read_json
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module
from geoinfluencer.metrics.coco_truth import CocoTruth


def read_coco_results(path: str | Path) -> list[Any]:
    """The entries of a results file, as they are.

    Raises:
        InputError: It is missing, or is not a list.
    """
    file = Path(path)
    content = read_json(file, "results file")
    if not isinstance(content, list):
        raise InputError(
            f"{file}: holds a {type(content).__name__}; COCO results are a list of image_id, "
            "category_id, segmentation and score"
        )
    return content


def checked_results(entries: Iterable[Any], truth: CocoTruth, source: str) -> list[dict[str, Any]]:
    """Check results and take their masks as compressed run lengths; ``entries`` stay as they are.

    The ``area`` is always that of the mask: of results with a ``bbox`` the official reader would
    take that of the box.

    Args:
        entries: Polygons, or run lengths with ``counts`` as list, str or bytes.
        truth: What they are scored against.
        source: Their file, for messages.

    Raises:
        InputError: Names the file, the entry (counted from 0) and the remedy.
    """
    known = set(truth.categories)
    found = []
    for place, entry in enumerate(entries):
        what = f"{source}: entry {place}"
        if not isinstance(entry, dict):
            raise InputError(f"{what} is {entry!r:.60}; it must be an object with image_id, "
                             "category_id, segmentation and score")  # fmt: skip
        image, category = (integer(what, entry, key) for key in ("image_id", "category_id"))
        if image not in truth.sizes:
            raise InputError(f"{what} has image_id {image}, which is not in {truth.source}; "
                             "give the truth of the same images")  # fmt: skip
        if category not in known:
            raise InputError(
                f"{what} has category_id {category}, which is not in the categories of "
                f"{truth.source}; write the ids that stand there, not class numbers"
            )
        code = entry.get("segmentation")
        if not code:
            raise InputError(
                f"{what} has no segmentation; masks are scored, not boxes: give it one"
            )
        height, width = truth.sizes[image]
        check_segmentation(what, code, image, height, width)
        rle = encoded(code, height, width)
        found.append(
            {
                "image_id": image,
                "category_id": category,
                "score": _score(what, entry.get("score")),
                "area": float(mask_module(what).area(rle)),
                "segmentation": rle,
            }
        )
    return found


def _score(what: str, value: Any) -> float:
    try:
        score = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, OverflowError):
        score = math.nan
    if not math.isfinite(score):
        raise InputError(f"{what} has score {value!r}; it must be a finite number")
    return score
