"""What is wrong with one annotation: its mask and box, or its line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from geoinfluencer.datasets.annotation_findings import (
    Finding,
    Kind,
    bad_id,
    beyond,
    whole_number,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import annotated_line
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module


def check_objects(
    entries: list[Any],
    sizes: Mapping[int, tuple[int, int] | None],
    categories: Mapping[int, str] | None,
    kind: Kind,
    used: Counter[tuple[int, int]],
) -> Iterator[Finding]:
    """The faults in a list of annotations, in its order.

    Args:
        entries: As JSON has them.
        sizes: Of each image by its id, None where it has none.
        categories: Names by id; None: the file has none.
        kind: What annotations hold.
        used: Is given how many objects of each image and category there are.
    """
    seen: set[int] = set()
    line_category = category_of_lines(entries, categories)
    for place, entry in enumerate(entries):
        number = whole_number(entry, "id")
        if number is None and (kind == "masks" or not isinstance(entry, dict) or "id" in entry):
            yield bad_id("annotation", place, entry)
            continue
        where = name_of(number, place)
        if number is not None and number in seen:
            yield Finding("error", "duplicate-id", where, "is there twice; ids must differ")
        if number == 0:
            text = "pycocotools takes the id 0 for unmatched; it is numbered anew here"
            yield Finding("warning", "id-0", where, text)
        seen.update(() if number is None else (number,))
        owner, category = whole_number(entry, "image_id"), whole_number(entry, "category_id")
        if owner not in sizes or owner is None:
            text = f"is of image {entry.get('image_id')!r}, which is not in images"
            yield Finding("error", "no-image", where, text)
        if category is None or (categories is not None and category not in categories):
            text = f"has category_id {entry.get('category_id')!r}, which is not in categories"
            yield Finding("error", "no-category", where, text)
        elif owner is not None and not entry.get("iscrowd"):
            used[owner, category] += 1
        size = None if owner is None else sizes.get(owner)
        if kind == "masks":
            yield from _mask(entry, where, owner, size)
        elif line_category is None or category == line_category:
            yield from _line(entry, where, size)


def name_of(number: int | None, place: int) -> str:
    """What an annotation is called: by its id, else by its place."""
    return f"annotation {number}" if number is not None else f"annotation at place {place}"


def category_of_lines(entries: list[Any], categories: Mapping[int, str] | None) -> int | None:
    """The one category with ``line`` in its name, where annotations have it; None: all of them are
    lines."""
    named = [number for number, name in (categories or {}).items() if "line" in name.lower()]
    used = len(named) == 1 and any(whole_number(e, "category_id") == named[0] for e in entries)
    return named[0] if used else None


def points_beyond(
    flat: list[float], where: str, size: tuple[int, int], what: str
) -> Iterator[Finding]:
    """The fault of points x1, y1, x2, y2, ... of which one is beyond an image of that width and
    height."""
    low = min(flat)
    right, down = max(flat[::2]) - size[0], max(flat[1::2]) - size[1]
    if beyond(low, right, down):
        text = (
            f"{what} reaches {max(-low, right, down):.1f} pixels beyond its image of "
            f"{size[0]} x {size[1]}"
        )
        yield Finding("warning", "points-beyond", where, text)


def _mask(
    entry: dict[str, Any], where: str, owner: int | None, size: tuple[int, int] | None
) -> Iterator[Finding]:
    area = entry.get("area")
    if area is not None and not (_finite(area) and area > 0):
        text = f"has area {area!r}; give that of the mask in pixels, or none"
        yield Finding("error", "area", where, text)
    if size is not None and entry.get("bbox") is not None:
        yield from _box(entry["bbox"], where, size)
    code = entry.get("segmentation")
    if not code:
        text = "has no segmentation; remove it, or give it a mask"
        yield Finding("error", "no-segmentation", where, text)
        return
    if size is None or owner is None:
        return
    width, height = size
    try:
        check_segmentation(where, code, owner, height, width)
    except InputError as error:
        yield Finding(
            "error", _kind_of_fault(str(error)), where, str(error).removeprefix(f"{where}: ")
        )
        return
    if isinstance(code, list):
        yield from points_beyond([v for p in code for v in p], where, size, "its polygon")
    if not mask_module("validate").area(encoded(code, height, width)):
        text = "its mask has no pixel inside the image; remove it"
        yield Finding("error", "empty-mask", where, text)


def _kind_of_fault(message: str) -> str:
    if "polygon" in message:
        return "polygon"
    return "run-length-size" if "have size" in message or "has size" in message else "run-length"


def _box(box: Any, where: str, size: tuple[int, int]) -> Iterator[Finding]:
    if not isinstance(box, list) or len(box) != 4 or not all(_finite(v) for v in box):
        text = f"has bbox {box!r:.60}; expected four numbers x, y, width, height"
        yield Finding("error", "box", where, text)
        return
    x, y, width, height = box
    place = f"has bbox {box}, its image is {size[0]} x {size[1]}"
    if width <= 0 or height <= 0 or x >= size[0] or y >= size[1] or min(x + width, y + height) <= 0:
        yield Finding("error", "box-outside", where, f"{place}: nothing of the box is inside")
    elif beyond(min(x, y), x + width - size[0], y + height - size[1]):
        yield Finding("warning", "box-beyond", where, f"{place}: the box reaches beyond it")


def _line(entry: dict[str, Any], where: str, size: tuple[int, int] | None) -> Iterator[Finding]:
    try:
        points = np.concatenate(annotated_line(entry, where))
    except InputError as error:
        yield Finding("error", "line", where, str(error).removeprefix(f"{where}: "))
        return
    if len(points) < 2:
        yield Finding("warning", "one-point", where, "its line has a single point")
    if size is not None:
        yield from points_beyond(points.reshape(-1).tolist(), where, size, "its line")


def _finite(value: Any) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value)
