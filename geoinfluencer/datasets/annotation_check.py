"""What is wrong with an annotation file: every fault, not the first alone, each by its id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from geoinfluencer.datasets.annotation_findings import Finding, Kind, bad_id, whole_number
from geoinfluencer.datasets.annotation_objects import check_objects

_CAP = 100  # predictions of an image and category that COCO scores count


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
    yield from check_objects(content["annotations"], sizes, categories, kind, used)
    yield from _counts(sizes, categories or {}, used)


def _images(
    entries: list[Any], sizes: dict[int, tuple[int, int] | None], kind: Kind
) -> Iterator[Finding]:
    names: dict[str, int] = {}
    for place, entry in enumerate(entries):
        number = whole_number(entry, "id")
        if number is None:
            yield bad_id("image", place, entry)
            continue
        where = f"image {number}"
        if number in sizes:
            yield Finding("error", "duplicate-id", where, "is there twice; ids must differ")
            continue
        width, height = whole_number(entry, "width"), whole_number(entry, "height")
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
        number = whole_number(entry, "id")
        if number is None:
            yield bad_id("category", place, entry)
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
