"""What is wrong with one annotation: its mask and box, or its line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from geoinfluencer.datasets.annotation_findings import (
    Finding,
    Level,
    bad_id,
    beyond,
    duplicate_id,
    fault,
    whole_number,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import annotated_line, line_category
from geoinfluencer.files.coco_entries import area_of, is_crowd
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module

Sizes = Mapping[int, tuple[int, int] | None]  # height and width of each image, None: not known
Used = Counter[tuple[int, int | None]]  # objects of each image and category, None: of none


def check_masks(
    entries: list[Any], sizes: Sizes, categories: Mapping[int, str], used: Used
) -> Iterator[Finding]:
    """The faults in a list of annotations with masks, in its order.

    Args:
        entries: As JSON has them.
        sizes: Of the images.
        categories: Names by id.
        used: Is given how many objects there are.
    """
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        yield from _number(entry, place, seen, required=True)
        if not isinstance(entry, dict):
            continue
        where = name_of(entry, place)
        owner, category = whole_number(entry, "image_id"), whole_number(entry, "category_id")
        if owner not in sizes:
            yield _no_image(entry, where)
        if category not in categories:
            text = f"has category_id {entry.get('category_id')!r:.60}, which is not in categories"
            yield Finding("error", "no-category", where, text)
        try:
            crowd = is_crowd(where, entry)
        except InputError as error:
            yield fault("iscrowd", where, error)
            crowd = False
        if owner is not None and not crowd:
            used[owner, category] += 1
        yield from _mask(entry, where, owner, None if owner is None else sizes.get(owner))


def check_lines(
    entries: list[Any],
    sizes: Sizes,
    categories: Mapping[int, str],
    used: Used,
    line_category_id: int | None,
) -> Iterator[Finding]:
    """The faults in a list of annotations of charts, in its order; nobody reads the points of those
    that are no lines.

    Args:
        entries: As JSON has them.
        sizes: Of the images.
        categories: Names by id; empty: the file has none.
        used: Is given how many objects there are.
        line_category_id: See :func:`~geoinfluencer.files.chart_lines.line_category`.
    """
    seen: set[int] = set()
    wanted = None
    try:
        wanted = category_of_lines(entries, categories, line_category_id)
    except InputError as error:
        yield fault("line-category", "annotations", error)
    for place, entry in enumerate(entries):
        yield from _number(entry, place, seen, required=False)
        if not isinstance(entry, dict):
            continue
        where = name_of(entry, place)
        owner, category = whole_number(entry, "image_id"), whole_number(entry, "category_id")
        is_line = category is not None and category == wanted
        if owner not in sizes:
            yield _no_image(entry, where, level="error" if is_line else "warning")
        if category is None:
            text = f"has category_id {entry.get('category_id')!r:.60}; give it a whole number"
            yield Finding("error", "no-category", where, text)
        elif categories and category not in categories:
            text = f"has category_id {category}, which is not in categories"
            yield Finding("warning", "no-category", where, text)
        if owner is not None:
            used[owner, category] += 1
        if is_line:
            yield from _line(entry, where, None if owner is None else sizes.get(owner))


def name_of(entry: Any, place: int) -> str:
    """What an annotation is called: by its id, else by its place."""
    number = whole_number(entry, "id")
    return f"annotation {number}" if number is not None else f"annotation at place {place}"


def category_of_lines(
    entries: list[Any], categories: Mapping[int, str], line_category_id: int | None
) -> int | None:
    """As :func:`~geoinfluencer.files.chart_lines.line_category`, of entries as JSON has them."""
    used = {
        category
        for entry in entries
        if (category := whole_number(entry, "category_id")) is not None
    }
    return line_category(used, categories, line_category_id, "annotations")


def points_beyond(
    flat: list[float], where: str, size: tuple[int, int], what: str
) -> Iterator[Finding]:
    """The fault of points x1, y1, x2, y2, ... of which one is beyond an image of that height and
    width."""
    low = min(flat)
    right, down = max(flat[::2]) - size[1], max(flat[1::2]) - size[0]
    if beyond(low, right, down):
        text = (
            f"{what} reaches {max(-low, right, down):.1f} pixels beyond its image of "
            f"{size[1]} x {size[0]}"
        )
        yield Finding("warning", "points-beyond", where, text)


def _number(entry: Any, place: int, seen: set[int], *, required: bool) -> Iterator[Finding]:
    number = whole_number(entry, "id")
    if number is None:
        if required or not isinstance(entry, dict) or "id" in entry:
            yield bad_id("annotation", place, entry)
        return
    where = name_of(entry, place)
    if number in seen:
        yield duplicate_id(where)
    if number == 0:
        text = "pycocotools takes the id 0 for unmatched; it is numbered anew here"
        yield Finding("warning", "id-0", where, text)
    seen.add(number)


def _no_image(entry: dict[str, Any], where: str, level: Level = "error") -> Finding:
    text = f"is of image {entry.get('image_id')!r:.60}, which is not in images; remove it"
    return Finding(level, "no-image", where, text)


def _mask(
    entry: dict[str, Any], where: str, owner: int | None, size: tuple[int, int] | None
) -> Iterator[Finding]:
    try:
        if area_of(where, entry) == 0:
            text = "has area 0; give that of the mask in pixels, or none"
            yield Finding("warning", "area", where, text)
    except InputError as error:
        yield fault("area", where, error)
    if size is not None and entry.get("bbox") is not None:
        yield from _box(entry["bbox"], where, size)
    code = entry.get("segmentation")
    if not code:
        text = "has no segmentation; remove it, or give it a mask"
        yield Finding("error", "no-segmentation", where, text)
        return
    if size is None or owner is None:
        return
    try:
        check_segmentation(where, code, owner, *size)
    except InputError as error:
        yield fault(_kind_of_fault(str(error)), where, error)
        return
    if isinstance(code, list):
        yield from points_beyond([v for p in code for v in p], where, size, "its polygon")
    if not mask_module("validate").area(encoded(code, *size)):
        text = "its mask has no pixel inside the image, scores count it as missed; remove it"
        yield Finding("warning", "empty-mask", where, text)


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
    place = f"has bbox {box}, its image is {size[1]} x {size[0]}"
    if width <= 0 or height <= 0 or x >= size[1] or y >= size[0] or min(x + width, y + height) <= 0:
        yield Finding("error", "box-outside", where, f"{place}: nothing of the box is inside")
    elif beyond(min(x, y), x + width - size[1], y + height - size[0]):
        yield Finding("warning", "box-beyond", where, f"{place}: the box reaches beyond it")


def _line(entry: dict[str, Any], where: str, size: tuple[int, int] | None) -> Iterator[Finding]:
    try:
        points = np.concatenate(annotated_line(entry, where))
    except InputError as error:
        yield fault("line", where, error)
        return
    if len(points) < 2:
        yield Finding("warning", "one-point", where, "its line has a single point")
    if size is not None:
        yield from points_beyond(points.reshape(-1).tolist(), where, size, "its line")


def _finite(value: Any) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value)
