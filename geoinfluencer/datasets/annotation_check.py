"""What is wrong with an annotation file: every fault, not the first alone, each by its id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from geoinfluencer.datasets.annotation_findings import (
    Finding,
    Kind,
    bad_id,
    duplicate_id,
    fault,
    whole_number,
)
from geoinfluencer.datasets.annotation_kind import kind_of
from geoinfluencer.datasets.annotation_objects import Used, check_lines, check_masks
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import stated_pixels
from geoinfluencer.files.coco_objects import size_of

_CAP = 100  # predictions of an image and category that COCO scores count


def check_annotations(
    content: Any, *, kind: Kind | None = None, line_category_id: int | None = 2
) -> Iterator[Finding]:
    """The faults in the content of a COCO-type file, in the order of the file.

    Args:
        content: As JSON has it.
        kind: What annotations hold: ``masks``, or ``lines`` in ``bbox`` or ``segmentation``, as
            :func:`~geoinfluencer.files.chart_lines.annotated_line` has them. None: see
            :func:`~geoinfluencer.datasets.annotation_kind.kind_of`.
        line_category_id: Category of the annotations that are lines, as of
            :class:`~geoinfluencer.datasets.lines.Lines`.

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
    categories: dict[int, str] = {}
    if isinstance(content.get("categories"), list):
        yield from _categories(content["categories"], categories)
    used: Used = Counter()
    if kind == "masks":
        yield from check_masks(content["annotations"], sizes, categories, used)
    else:
        yield from check_lines(content["annotations"], sizes, categories, used, line_category_id)
    yield from _counts(sizes, categories, used)


def _images(
    entries: list[Any], sizes: dict[int, tuple[int, int] | None], kind: Kind
) -> Iterator[Finding]:
    """``sizes`` is given height and width of each image, None where it has none."""
    names: dict[str, int] = {}
    for place, entry in enumerate(entries):
        number = whole_number(entry, "id")
        if number is None:
            yield bad_id("image", place, entry)
            continue
        where = f"image {number}"
        if number in sizes:
            yield duplicate_id(where)
            continue
        sizes[number] = None
        try:
            if kind == "masks":
                sizes[number] = size_of(where, entry)
            else:
                height, width = (stated_pixels(where, entry, key) for key in ("height", "width"))
                sizes[number] = (height, width) if height and width else None
        except InputError as error:
            yield fault("bad-size", where, error)
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
            yield duplicate_id(where)
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
    sizes: Mapping[int, Any], categories: Mapping[int, str], used: Used
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
