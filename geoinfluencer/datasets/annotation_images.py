"""What is wrong with the image files that annotations name, and with lines drawn on them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.datasets.annotation_findings import Finding, Kind, fault, whole_number
from geoinfluencer.datasets.annotation_objects import category_of_lines, name_of, points_beyond
from geoinfluencer.datasets.image_files import image_sizes, read_image
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import annotated_line

Size = tuple[int, int]  # height and width


def check_image_files(
    content: Any, folder: Path, *, kind: Kind = "masks", line_category_id: int | None = 2
) -> Iterator[Finding]:
    """Image files that are missing, that reading them refuses, or of another size than stated; and
    points of lines beyond an image whose size is not stated, or wrongly. Every image is decoded.

    Args:
        content: As JSON has it; entries that
            :func:`~geoinfluencer.datasets.annotation_check.check_annotations` objects to are passed
            over.
        folder: That ``file_name`` starts from.
        kind: What annotations hold.
        line_category_id: Category of the annotations that are lines, as of
            :class:`~geoinfluencer.datasets.lines.Lines`.

    Raises:
        InputError: There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the one that file_name starts from")
    entries = content.get("images") if isinstance(content, dict) else None
    unchecked: dict[int, Size] = {}  # what an image truly has, where it was not known
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            continue
        where = f"image {entry.get('id')!r:.60}"
        size = decoded_size(folder / name, where)
        if isinstance(size, Finding):
            yield size
            continue
        stated = whole_number(entry, "height"), whole_number(entry, "width")
        if stated == size:
            continue
        # Width and height as stored are height and width upright where EXIF turns the image.
        if stated == size[::-1] and image_sizes(folder / name)[0] == size:
            text = (
                f"{name}: EXIF turns it, its annotations are for the stored pixels; they are used"
            )
            yield Finding("info", "image-turned", where, text)
            continue
        if None not in stated:
            text = f"{name} is {size[1]} x {size[0]}, stated are {stated[1]} x {stated[0]}"
            yield Finding("error", "image-size", where, text)
        number = whole_number(entry, "id")
        if number is not None:
            unchecked[number] = size
    if kind == "lines" and unchecked:
        yield from _lines_beyond(content, unchecked, line_category_id)


def decoded_size(path: Path, where: str) -> Size | Finding:
    """Height and width of an image, upright; a finding where it cannot be read whole."""
    try:
        height, width = read_image(path).shape[:2]
    except InputError as error:
        missing = not os.path.exists(path)  # a name may be too long to ask for
        return fault("image-missing" if missing else "image-unreadable", where, error)
    return height, width


def _lines_beyond(
    content: Mapping[str, Any], sizes: Mapping[int, Size], line_category_id: int | None
) -> Iterator[Finding]:
    """Points beyond these images; lines that cannot be read are passed over."""
    entries, named = (content.get(key) for key in ("annotations", "categories"))
    entries = entries if isinstance(entries, list) else []
    numbered = {
        number: str(each.get("name"))
        for each in (named if isinstance(named, list) else [])
        if (number := whole_number(each, "id")) is not None
    }
    try:
        wanted = category_of_lines(entries, numbered, line_category_id)
    except InputError:  # the check of annotations says so
        return
    for place, entry in enumerate(entries):
        owner, category = (whole_number(entry, key) for key in ("image_id", "category_id"))
        size = None if owner is None else sizes.get(owner)
        if size is None or category is None or category != wanted:
            continue
        where = name_of(entry, place)
        try:
            points = np.concatenate(annotated_line(entry, where))
        except InputError:
            continue
        yield from points_beyond(points.reshape(-1).tolist(), where, size, "its line")
