"""COCO-JSON annotation files: read, checked, and decoded to masks."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import by_id, read_json
from geoinfluencer.files.coco_masks import encoded, mask_module
from geoinfluencer.files.coco_objects import object_of, size_of


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
    names = by_id(path, "category", content["categories"])
    category = {number: place for place, number in enumerate(sorted(names))}
    entries = by_id(path, "image", content["images"])
    sizes = {number: size_of(f"{path}: image {number}", each) for number, each in entries.items()}
    objects: dict[int, list[CocoAnnotation]] = {number: [] for number in entries}
    for number, entry in by_id(path, "annotation", content["annotations"]).items():
        found = object_of(f"{path}: annotation {number}", entry, sizes, category)
        objects[found.image_id].append(
            CocoAnnotation(number, category[found.category_id], found.crowd, found.segmentation)
        )
    return CocoFile(
        path,
        tuple(
            CocoImage(number, _file_name(path, number, entry), width, height, tuple(annotations))
            for (number, entry), (height, width), annotations in zip(
                entries.items(), sizes.values(), objects.values(), strict=True
            )
        ),
        tuple(str(names[number].get("name", number)) for number in sorted(names)),
        tuple(sorted(names)),
    )


def _file_name(path: Path, number: int, entry: dict[str, Any]) -> str:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise InputError(f"{path}: image {number} has file_name {name!r:.60}; give it one")
    return name
