"""COCO-JSON annotation files: read, checked, and decoded to masks."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import integer, read_json
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module


@dataclass(frozen=True)
class CocoAnnotation:
    """One object; ``category`` is 0..C-1 in the order of the category ids of the file.

    Attributes:
        id: As in the file; any integer, 0 included.
        category: Class.
        crowd: A region of objects that were not told apart.
        segmentation: Polygons, or a run-length code.
    """

    id: int
    category: int
    crowd: bool
    segmentation: Any


@dataclass(frozen=True)
class CocoImage:
    """One image of the file and its objects (none: an empty tuple)."""

    id: int
    file_name: str
    width: int
    height: int
    annotations: tuple[CocoAnnotation, ...]


@dataclass(frozen=True)
class CocoFile:
    """What a file holds: its images in their order there, the names of its classes and the
    category id of each."""

    path: Path
    images: tuple[CocoImage, ...]
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]


def read_coco_json(path: Path) -> CocoFile:
    """Read and check an annotation file; kept in memory until it changes.

    Raises:
        InputError: It is missing, is not COCO JSON, or an entry is wrong; names it by its id.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(
            f"{path}: no such annotation file; give the folder that holds it"
        ) from error
    return _read(path, stamp)


def decode_mask(path: Path, image: CocoImage, annotation: CocoAnnotation) -> np.ndarray:
    """(H, W) bool mask of an annotation: polygons, or run lengths, compressed or not.

    Raises:
        InputError: pycocotools is missing, or refuses the segmentation.
    """
    mask = mask_module(path)
    code = encoded(annotation.segmentation, image.height, image.width)
    try:
        decoded = mask.decode(code)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: annotation {annotation.id}: {error}") from error
    found: np.ndarray = decoded.astype(bool)
    return found


@functools.lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> CocoFile:
    content = read_json(path, "annotation file")
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}; COCO JSON is an object")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            raise InputError(f"{path}: has no list {key!r}; COCO JSON has images, annotations and "
                             "categories")  # fmt: skip
    names = {integer(f"{path}: category", c, "id"): c for c in content["categories"]}
    category = {number: place for place, number in enumerate(sorted(names))}
    images = {}
    for entry in content["images"]:
        number = integer(f"{path}: image", entry, "id")
        if number in images:
            raise InputError(f"{path}: image {number} is there twice; ids must differ")
        images[number] = _image(path, number, entry)
    objects: dict[int, list[CocoAnnotation]] = {number: [] for number in images}
    for number, owner, annotation in _annotations(path, content["annotations"], category):
        if owner not in images:
            raise InputError(f"{path}: annotation {number} is of image {owner}, which is not there")
        image = images[owner]
        check_segmentation(
            f"{path}: annotation {number}",
            annotation.segmentation,
            owner,
            image.height,
            image.width,
        )
        objects[owner].append(annotation)
    return CocoFile(
        path,
        tuple(
            CocoImage(**{**vars(image), "annotations": tuple(objects[number])})
            for number, image in images.items()
        ),
        tuple(str(names[number].get("name", number)) for number in sorted(names)),
        tuple(sorted(names)),
    )


def _annotations(
    path: Path, entries: list[Any], category: dict[int, int]
) -> Iterator[tuple[int, int, CocoAnnotation]]:
    seen = set()
    for entry in entries:
        number = integer(f"{path}: annotation", entry, "id")
        if number in seen:
            raise InputError(f"{path}: annotation {number} is there twice; ids must differ")
        seen.add(number)
        what = f"annotation {number}"
        owner = integer(f"{path}: {what}", entry, "image_id")
        kind = integer(f"{path}: {what}", entry, "category_id")
        if kind not in category:
            raise InputError(f"{path}: {what} has category_id {kind}, which is not in categories")
        segmentation = entry.get("segmentation")
        if not segmentation:
            raise InputError(f"{path}: {what} has no segmentation; remove it, or give it a mask")
        crowd = bool(entry.get("iscrowd", 0))
        yield number, owner, CocoAnnotation(number, category[kind], crowd, segmentation)


def _image(path: Path, number: int, entry: Any) -> CocoImage:
    width = integer(f"{path}: image {number}", entry, "width")
    height = integer(f"{path}: image {number}", entry, "height")
    name = entry.get("file_name")
    if width < 1 or height < 1 or not isinstance(name, str) or not name:
        raise InputError(
            f"{path}: image {number} has file_name {name!r} and size {width} x {height}; it needs "
            "a name and a positive size"
        )
    return CocoImage(number, name, width, height, ())
