"""The truth that COCO results are scored against: images, categories and masks of a file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import by_id, read_json
from geoinfluencer.files.coco_masks import encoded, mask_module
from geoinfluencer.files.coco_objects import object_of, size_of


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
    images = by_id(file, "image", content["images"])
    sizes = {number: size_of(f"{file}: image {number}", each) for number, each in images.items()}
    categories = by_id(file, "category", content["categories"])
    objects = [
        _object(f"{file}: annotation {_name(entry, place)}", entry, sizes, categories)
        for place, entry in enumerate(content["annotations"])
    ]
    return CocoTruth(file, sizes, tuple(sorted(categories)), tuple(objects))


def _name(entry: Any, place: int) -> str:
    return str(entry["id"]) if isinstance(entry, dict) and "id" in entry else f"at place {place}"


def _object(
    what: str, entry: Any, sizes: dict[int, tuple[int, int]], categories: Collection[int]
) -> dict[str, Any]:
    found = object_of(what, entry, sizes, categories)
    rle = encoded(found.segmentation, *sizes[found.image_id])
    return {
        "image_id": found.image_id,
        "category_id": found.category_id,
        "iscrowd": int(found.crowd),
        "area": float(mask_module(what).area(rle)) if found.area is None else found.area,
        "segmentation": rle,
    }
