"""What is wrong with an annotation file: every fault, not the first alone, each by its id."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.datasets.image_files import image_sizes
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import annotated_line
from geoinfluencer.files.coco_entries import integer
from geoinfluencer.files.coco_masks import check_segmentation, encoded, mask_module

Level = Literal["error", "warning", "info"]
Kind = Literal["masks", "lines"]
_SLACK = 1.0  # pixels that a box or a point may reach beyond the image unnoticed
_CAP = 100  # predictions of an image and category that COCO scores count


@dataclass(frozen=True)
class Finding:
    """A fault.

    Attributes:
        level: ``error``: the file cannot be used as it is; ``warning``: it can, but look at it;
            ``info``: worth knowing.
        kind: Short name of the fault, the same for all of a kind.
        where: What has it: ``annotation 7``.
        text: What is wrong, and the remedy.
    """

    level: Level
    kind: str
    where: str
    text: str


def kind_of(content: Any) -> Kind:
    """``lines`` where an annotation's ``bbox`` holds more numbers than a box, as in many sets of
    charts; where its category is called ``line`` and it has no run-length mask; or where it has no
    area and a part of its segmentation has two points alone. Else ``masks``."""
    if not isinstance(content, dict):
        return "masks"
    entries, categories = (
        [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        for value in (content.get("annotations"), content.get("categories"))
    )
    called = [
        each.get("id")
        for each in categories
        if re.search(r"\blines?\b", str(each.get("name")), re.IGNORECASE)
    ]
    return "lines" if any(_is_line(each, called) for each in entries) else "masks"


def _is_line(entry: Mapping[str, Any], called: list[Any]) -> bool:
    box, parts = entry.get("bbox"), entry.get("segmentation")
    if isinstance(box, list) and len(box) > 4:
        return True
    if isinstance(parts, dict):
        return False
    if entry.get("category_id") in called:
        return True
    pairs = [part for part in parts or () if isinstance(part, list) and len(part) == 4]
    return bool(pairs) and not entry.get("area")


def check_annotations(content: Any, *, kind: Kind | None = None) -> Iterator[Finding]:
    """The faults in the content of a COCO-type file, in the order of the file.

    Args:
        content: As JSON has it.
        kind: What annotations hold: ``masks``, or ``lines`` in ``bbox`` or ``segmentation``, as
            :func:`~geoinfluencer.files.chart_lines.annotated_line` has them; where one category
            has ``line`` in its name only its annotations are lines. None: see :func:`kind_of`.

    Raises:
        InputError: pycocotools is missing.
    """
    kind = kind or kind_of(content)
    if not isinstance(content, dict):
        yield Finding(
            "error", "structure", "file", f"holds a {type(content).__name__}, not an object"
        )
        return
    wanted = ("images", "annotations", *(("categories",) if kind == "masks" else ()))
    lists = {key: content.get(key) for key in wanted}
    absent = [key for key, value in lists.items() if not isinstance(value, list)]
    for key in absent:
        yield Finding("error", "structure", "file", f"has no list {key!r}; add it")
    if absent:
        return
    sizes: dict[int, tuple[int, int] | None] = {}
    yield from _images(content["images"], sizes, kind)
    categories: dict[int, str] | None = None
    if isinstance(content.get("categories"), list):
        categories = {}
        yield from _categories(content["categories"], categories)
    used: Counter[tuple[int, int]] = Counter()
    yield from _annotations(content["annotations"], sizes, categories, kind, used)
    yield from _counts(sizes, categories or {}, used)


def check_image_files(content: Any, folder: Path) -> Iterator[Finding]:
    """Image files that are missing, no images, or of another size than stated.

    Args:
        content: As JSON has it; entries that :func:`check_annotations` objects to are passed over.
        folder: That ``file_name`` starts from.

    Raises:
        InputError: There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the one that file_name starts from")
    entries = content.get("images") if isinstance(content, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            continue
        where = f"image {entry.get('id')}"
        try:
            stored, upright = image_sizes(folder / name)
        except InputError as error:
            missing = not os.path.exists(folder / name)  # a name may be too long to ask for
            kind = "image-missing" if missing else "image-unreadable"
            yield Finding("error", kind, where, str(error))
            continue
        stated = entry.get("width"), entry.get("height")
        if stated not in (stored, upright) and None not in stated:
            text = f"{name} is {upright[0]} x {upright[1]}, stated are {stated[0]} x {stated[1]}"
            yield Finding("error", "image-size", where, text)
        elif stated == stored != upright:
            text = (
                f"{name}: EXIF turns it, its annotations are for the stored pixels; they are used"
            )
            yield Finding("info", "image-turned", where, text)


def _images(
    entries: list[Any], sizes: dict[int, tuple[int, int] | None], kind: Kind
) -> Iterator[Finding]:
    names: dict[str, int] = {}
    for place, entry in enumerate(entries):
        number = _integer(entry, "id")
        if number is None:
            yield _bad_id("image", place, entry)
            continue
        where = f"image {number}"
        if number in sizes:
            yield Finding("error", "duplicate-id", where, "is there twice; ids must differ")
            continue
        width, height = _integer(entry, "width"), _integer(entry, "height")
        optional = kind == "lines" and entry.get("width") is None and entry.get("height") is None
        good = width is not None and height is not None and min(width, height) > 0
        sizes[number] = (width, height) if good else None  # type: ignore[assignment]
        if not good and not optional:
            text = f"has size {entry.get('width')!r} x {entry.get('height')!r}; give whole pixels"
            yield Finding("error", "bad-size", where, text)
        name = entry.get("file_name")
        if not isinstance(name, str) or not name:
            yield Finding("error", "no-file-name", where, f"has file_name {name!r}; give it one")
        elif name in names:
            text = f"has the file of image {names[name]}, {name}"
            yield Finding("warning", "duplicate-file", where, text)
        else:
            names[name] = number


def _categories(entries: list[Any], found: dict[int, str]) -> Iterator[Finding]:
    for place, entry in enumerate(entries):
        number = _integer(entry, "id")
        if number is None:
            yield _bad_id("category", place, entry)
            continue
        where = f"category {number}"
        if number in found:
            yield Finding("error", "duplicate-id", where, "is there twice; ids must differ")
            continue
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            yield Finding("warning", "no-name", where, "has no name; its id stands for it")
        elif name in found.values():
            yield Finding("warning", "duplicate-name", where, f"is called {name!r} like another")
        found[number] = str(name)
    ids = sorted(found)
    if ids and ids != list(range(ids[0], ids[0] + len(ids))):
        text = f"ids {ids[0]} to {ids[-1]} have gaps ({len(ids)} categories); classes are numbered"
        yield Finding("info", "gaps", "categories", f"{text} 0 to {len(ids) - 1} in their order")


def _annotations(
    entries: list[Any],
    sizes: Mapping[int, tuple[int, int] | None],
    categories: Mapping[int, str] | None,
    kind: Kind,
    used: Counter[tuple[int, int]],
) -> Iterator[Finding]:
    seen: set[int] = set()
    named = [number for number, name in (categories or {}).items() if "line" in name.lower()]
    used_named = len(named) == 1 and any(_integer(e, "category_id") == named[0] for e in entries)
    for place, entry in enumerate(entries):
        number = _integer(entry, "id")
        if number is None and (kind == "masks" or not isinstance(entry, dict) or "id" in entry):
            yield _bad_id("annotation", place, entry)
            continue
        where = f"annotation {number}" if number is not None else f"annotation at place {place}"
        if number is not None and number in seen:
            yield Finding("error", "duplicate-id", where, "is there twice; ids must differ")
        if number == 0:
            text = "pycocotools takes the id 0 for unmatched; it is numbered anew here"
            yield Finding("warning", "id-0", where, text)
        seen.update(() if number is None else (number,))
        owner, category = _integer(entry, "image_id"), _integer(entry, "category_id")
        if owner not in sizes or owner is None:
            text = f"is of image {entry.get('image_id')!r}, which is not in images"
            yield Finding("error", "no-image", where, text)
        if category is None or (categories is not None and category not in categories):
            text = f"has category_id {entry.get('category_id')!r}, which is not in categories"
            yield Finding("error", "no-category", where, text)
        elif owner is not None and not entry.get("iscrowd"):
            used[owner, category] += 1
        size = None if owner is None else sizes.get(owner)
        if kind == "lines":
            if not used_named or category == named[0]:
                yield from _line(entry, where, size)
        else:
            yield from _mask(entry, where, owner, size)


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
        yield from _outside([v for p in code for v in p], where, size, "its polygon")
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
    elif min(x, y) < -_SLACK or x + width > size[0] + _SLACK or y + height > size[1] + _SLACK:
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
        yield from _outside(points.reshape(-1).tolist(), where, size, "its line")


def _outside(flat: list[float], where: str, size: tuple[int, int], what: str) -> Iterator[Finding]:
    low = min(flat)
    right, down = max(flat[::2]) - size[0], max(flat[1::2]) - size[1]
    far = max(-low, right, down)
    if far > _SLACK:
        text = f"{what} reaches {far:.1f} pixels beyond its image of {size[0]} x {size[1]}"
        yield Finding("warning", "points-beyond", where, text)


def _counts(
    sizes: Mapping[int, Any], categories: Mapping[int, str], used: Counter[tuple[int, int]]
) -> Iterator[Finding]:
    empty = len(sizes) - len({image for image, _ in used} & set(sizes))
    if empty and sizes:
        text = f"{empty} of {len(sizes)} have no objects; they count in scores"
        yield Finding("info", "empty-images", "images", text)
    idle = [name for number, name in categories.items() if all(c != number for _, c in used)]
    if idle:
        text = f"{len(idle)} of {len(categories)} have no objects: {', '.join(idle)[:80]}"
        yield Finding("info", "idle-categories", "categories", text)
    most = max(used.values(), default=0)
    if most > _CAP:
        text = f"one has {most} objects of a category; COCO scores count {_CAP} predictions at most"
        yield Finding("info", "crowded", "images", f"{text} (--max-dets of eval --pred)")


def _integer(entry: Any, key: str) -> int | None:
    try:
        return integer("", entry, key)
    except InputError:
        return None


def _bad_id(what: str, place: int, entry: Any) -> Finding:
    value = entry.get("id") if isinstance(entry, dict) else entry
    text = f"has id {value!r:.40}; give it a whole number"
    return Finding("error", "bad-id", f"{what} at place {place}", text)


def _finite(value: Any) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value)
