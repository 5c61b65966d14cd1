"""The truth that COCO results are scored against: images, categories and masks of a file."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import integer, read_json
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module


@dataclass(frozen=True)
class CocoTruth:
    """Every image that is scored, with objects or without, and what is there.

    Attributes:
        source: The file, for messages.
        sizes: Image id -> height and width.
        categories: Category ids, ascending.
        objects: ``image_id``, ``category_id``, ``iscrowd``, ``area`` (pixels; that of the file,
            which the official sizes go by, else of the mask) and ``segmentation``, compressed.
    """

    source: str
    sizes: dict[int, tuple[int, int]]
    categories: tuple[int, ...]
    objects: tuple[dict[str, Any], ...]

    def only(self, images: Collection[int]) -> CocoTruth:
        """The same with these images alone.

        Raises:
            InputError: One of them is not there.
        """
        kept = set(images)
        unknown = sorted(kept - set(self.sizes))
        if unknown:
            raise InputError(
                f"{self.source}: has no image {unknown[0]}; give the file of the split"
            )
        return replace(
            self,
            sizes={number: self.sizes[number] for number in kept},
            objects=tuple(each for each in self.objects if each["image_id"] in kept),
        )


def read_coco_truth(path: str | Path) -> CocoTruth:
    """Read a COCO annotation file for scoring.

    Ids of annotations are not read: an id of 0, which the evaluator takes for "unmatched", costs
    nothing here.

    Raises:
        InputError: It is missing or wrong; names the entry and the remedy.
    """
    return coco_truth_of(read_json(Path(path), "annotation file"), str(path))


def coco_truth_of(content: Any, file: str) -> CocoTruth:
    """The truth in the content of an annotation file.

    Args:
        content: As JSON has it.
        file: What to call it in an error.

    Raises:
        InputError: It is wrong; names the entry and the remedy.
    """
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InputError(
                f"{file}: has no list {key!r}; --truth is COCO JSON with images, annotations and "
                "categories"
            )
    sizes: dict[int, tuple[int, int]] = {}
    for place, entry in enumerate(content["images"]):
        number = integer(f"{file}: image at place {place}", entry, "id")
        height, width = (integer(f"{file}: image {number}", entry, key) for key in _SIZE)
        if number in sizes or min(height, width) < 1:
            raise InputError(
                f"{file}: image {number} of {width} x {height} pixels is there twice or empty; "
                "correct it"
            )
        sizes[number] = height, width
    categories = {integer(f"{file}: category", entry, "id") for entry in content["categories"]}
    objects = [
        _object(f"{file}: annotation {_name(entry, place)}", entry, sizes, categories)
        for place, entry in enumerate(content["annotations"])
    ]
    return CocoTruth(file, sizes, tuple(sorted(categories)), tuple(objects))


_SIZE = ("height", "width")


def _name(entry: Any, place: int) -> str:
    return str(entry["id"]) if isinstance(entry, dict) and "id" in entry else f"at place {place}"


def _object(
    what: str, entry: Any, sizes: dict[int, tuple[int, int]], categories: set[int]
) -> dict[str, Any]:
    image, category = integer(what, entry, "image_id"), integer(what, entry, "category_id")
    if image not in sizes:
        raise InputError(f"{what} is of image {image}, which is not in images; remove it")
    if category not in categories:
        raise InputError(f"{what} has category_id {category}, which is not in categories; add it")
    code = entry.get("segmentation")
    if not code:
        raise InputError(f"{what} has no segmentation; remove it, or give it a mask")
    height, width = sizes[image]
    check_segmentation(what, code, image, height, width)
    rle = encoded(code, height, width)
    area = entry.get("area")
    if area is None:
        area = float(mask_module(what).area(rle))
    good = isinstance(area, int | float) and not isinstance(area, bool)
    if not good or not abs(area) < math.inf or abs(area) > 1e300:
        raise InputError(f"{what} has area {area!r}; it must be a number, or absent")
    return {
        "image_id": image,
        "category_id": category,
        "iscrowd": int(bool(entry.get("iscrowd", 0))),
        "area": float(area),
        "segmentation": rle,
    }
