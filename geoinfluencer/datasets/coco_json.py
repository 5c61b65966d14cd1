"""COCO-JSON annotation files: read, checked, and decoded to masks."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError


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
    """What a file holds: its images in their order there, and the names of its classes."""

    path: Path
    images: tuple[CocoImage, ...]
    class_names: tuple[str, ...]


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
    try:
        from pycocotools import mask
    except ImportError as error:
        raise InputError(
            f"{path}: masks are decoded by pycocotools, which is not installed: "
            "pip install 'geoinfluencer[images]'"
        ) from error
    code, (height, width) = annotation.segmentation, (image.height, image.width)
    if isinstance(code, list):
        code = mask.merge(mask.frPyObjects(code, height, width))
    elif isinstance(code["counts"], list):
        code = mask.frPyObjects(code, height, width)
    try:
        decoded = mask.decode(code)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: annotation {annotation.id}: {error}") from error
    found: np.ndarray = decoded.astype(bool)
    return found


@functools.lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> CocoFile:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}; COCO JSON is an object")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            raise InputError(f"{path}: has no list {key!r}; COCO JSON has images, annotations and "
                             "categories")  # fmt: skip
    names = {_integer(path, "category", c, "id"): c for c in content["categories"]}
    category = {number: place for place, number in enumerate(sorted(names))}
    images = {}
    for entry in content["images"]:
        number = _integer(path, "image", entry, "id")
        if number in images:
            raise InputError(f"{path}: image {number} is there twice; ids must differ")
        images[number] = _image(path, number, entry)
    objects: dict[int, list[CocoAnnotation]] = {number: [] for number in images}
    for number, owner, annotation in _annotations(path, content["annotations"], category):
        if owner not in images:
            raise InputError(f"{path}: annotation {number} is of image {owner}, which is not there")
        _check_segmentation(path, annotation, images[owner])
        objects[owner].append(annotation)
    return CocoFile(
        path,
        tuple(
            CocoImage(**{**vars(image), "annotations": tuple(objects[number])})
            for number, image in images.items()
        ),
        tuple(str(names[number].get("name", number)) for number in sorted(names)),
    )


def _annotations(
    path: Path, entries: list[Any], category: dict[int, int]
) -> Iterator[tuple[int, int, CocoAnnotation]]:
    seen = set()
    for entry in entries:
        number = _integer(path, "annotation", entry, "id")
        if number in seen:
            raise InputError(f"{path}: annotation {number} is there twice; ids must differ")
        seen.add(number)
        what = f"annotation {number}"
        owner = _integer(path, what, entry, "image_id")
        kind = _integer(path, what, entry, "category_id")
        if kind not in category:
            raise InputError(f"{path}: {what} has category_id {kind}, which is not in categories")
        segmentation = entry.get("segmentation")
        if not segmentation:
            raise InputError(f"{path}: {what} has no segmentation; remove it, or give it a mask")
        crowd = bool(entry.get("iscrowd", 0))
        yield number, owner, CocoAnnotation(number, category[kind], crowd, segmentation)


def _integer(path: Path, what: str, entry: Any, key: str) -> int:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{path}: {what} has {key} {value!r}; it must be an integer")
    return value


def _image(path: Path, number: int, entry: Any) -> CocoImage:
    width = _integer(path, f"image {number}", entry, "width")
    height = _integer(path, f"image {number}", entry, "height")
    name = entry.get("file_name")
    if width < 1 or height < 1 or not isinstance(name, str) or not name:
        raise InputError(
            f"{path}: image {number} has file_name {name!r} and size {width} x {height}; it needs "
            "a name and a positive size"
        )
    return CocoImage(number, name, width, height, ())


def _check_segmentation(path: Path, annotation: CocoAnnotation, image: CocoImage) -> None:
    code, what = annotation.segmentation, f"{path}: annotation {annotation.id}"
    if isinstance(code, list):
        for polygon in code:
            if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
                raise InputError(
                    f"{what}: a polygon must be a list of at least three x, y; got {polygon!r:.60}"
                )
            if not all(isinstance(v, int | float) and np.isfinite(v) for v in polygon):
                raise InputError(f"{what}: a polygon holds what is no number: {polygon!r:.60}")
        return
    if not isinstance(code, dict) or not isinstance(code.get("counts"), str | list):
        raise InputError(f"{what}: segmentation must be polygons or size and counts, got "
                         f"{code!r:.60}")  # fmt: skip
    if code.get("size") != [image.height, image.width]:
        raise InputError(
            f"{what}: its run lengths have size {code.get('size')}, image {image.id} has "
            f"[{image.height}, {image.width}] (height, width)"
        )
    counts = code["counts"]
    if isinstance(counts, list):
        good = all(isinstance(v, int) and v >= 0 for v in counts)
        if not good or sum(counts) != image.height * image.width:
            raise InputError(
                f"{what}: run lengths must be integers that sum to {image.height * image.width}"
            )
