"""Predictions for Cityscapes from files: a submission's lists and masks, or COCO results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.cityscapes import (
    CITYSCAPES_THINGS,
    frame_name,
    instance_files,
    read_instance_ids,
)
from geoinfluencer.files.coco_masks import mask_module
from geoinfluencer.metrics.cityscapes import CityscapesMetrics
from geoinfluencer.metrics.coco_results import checked_results, read_coco_results
from geoinfluencer.metrics.coco_truth import CocoTruth
from geoinfluencer.metrics.scene_points import FoundMasks
from geoinfluencer.metrics.scene_text import read_submission


def score_cityscapes(pred: str | Path, truth: str | Path) -> CityscapesMetrics:
    """Score predictions against the files ``*_gtFine_instanceIds.png`` of a folder, or one file.

    Args:
        pred: A folder with a list ``CITY_SEQUENCE_FRAME*.txt`` for each image, at any depth, with
            lines ``MASK.png CLASS CONFIDENCE`` (label ids), MASK beside or below the list and not 0
            inside; or COCO results ``.json`` whose ``image_id`` counts the files of the truth, by
            city and name, from 0, and whose ``category_id`` are label ids.
        truth: Folder or file.

    Raises:
        InputError: A file is wrong or missing; names it.
    """
    files = instance_files(Path(truth))
    source = Path(pred)
    if not source.exists():
        raise InputError(f"{source}: no such file or folder")
    read = _results(source, files) if source.is_file() else _lists(source)
    metrics = CityscapesMetrics()
    for number, path in enumerate(files):
        ids = read_instance_ids(path)
        metrics.update(ids, read(number, path, ids))
    return metrics


Reader = Callable[[int, Path, np.ndarray], FoundMasks]


def _lists(folder: Path) -> Reader:
    lists = sorted(folder.rglob("*.txt"))

    def read(number: int, path: Path, ids: np.ndarray) -> FoundMasks:
        name = frame_name(path)
        mine = [each for each in lists if each.stem == name or each.stem.startswith(f"{name}_")]
        if len(mine) != 1:
            what = f"{mine[0]} and {mine[1].name}" if mine else "none"
            raise InputError(
                f"{folder}: expected one list {name}*.txt, found {what}; an image in which nothing "
                "was found has an empty list"
            )
        return read_submission(mine[0], ids.size, lambda mask: _mask(mask, ids.shape))

    return read


def _mask(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    values = read_instance_ids(path)
    if values.shape != shape:
        raise InputError(
            f"{path}: {values.shape[1]} x {values.shape[0]} pixels, the truth has {shape[1]} x "
            f"{shape[0]}; give masks of the size of the image"
        )
    return values.reshape(-1)


def _results(path: Path, files: list[Path]) -> Reader:
    entries = read_coco_results(path)
    of_image: dict[Any, list[Any]] = {}
    for place, entry in enumerate(entries):
        number = entry.get("image_id") if isinstance(entry, dict) else None
        known = isinstance(number, int) and not isinstance(number, bool)
        if number is None or not known or not 0 <= number < len(files):
            raise InputError(
                f"{path}: entry {place} has image_id {number!r}; the {len(files)} images of the "
                "truth are counted by city and name, from 0"
            )
        of_image.setdefault(number, []).append(entry)

    def read(number: int, truth: Path, ids: np.ndarray) -> FoundMasks:
        height, width = ids.shape
        known = CocoTruth(truth.name, {number: (height, width)}, tuple(CITYSCAPES_THINGS), ())
        found = checked_results(of_image.get(number, ()), known, f"{path}: image {number}")
        mask = mask_module(path)

        def points(k: int) -> np.ndarray:
            return np.flatnonzero(mask.decode(found[k]["segmentation"]))

        return FoundMasks(
            points,
            np.array([each["category_id"] for each in found], np.int64),
            np.array([each["score"] for each in found], np.float64),
            ids.size,
        )

    return read
