"""What is wrong with the image files that annotations name, and with lines drawn on them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.datasets.annotation_findings import Finding, Kind, whole_number
from geoinfluencer.datasets.annotation_objects import category_of_lines, name_of, points_beyond
from geoinfluencer.datasets.image_files import image_sizes
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import annotated_line

Size = tuple[int, int]


def check_image_files(content: Any, folder: Path, *, kind: Kind = "masks") -> Iterator[Finding]:
    """Image files that are missing, no images, or of another size than stated; and points of lines
    beyond an image whose size is not stated, or wrongly.

    Args:
        content: As JSON has it; entries that
            :func:`~geoinfluencer.datasets.annotation_check.check_annotations` objects to are passed
            over.
        folder: That ``file_name`` starts from.
        kind: What annotations hold.

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
        where = f"image {entry.get('id')}"
        try:
            stored, upright = image_sizes(folder / name)
        except InputError as error:
            missing = not os.path.exists(folder / name)  # a name may be too long to ask for
            fault = "image-missing" if missing else "image-unreadable"
            yield Finding("error", fault, where, str(error))
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
        number = whole_number(entry, "id")
        if number is not None and stated not in (stored, upright):
            unchecked[number] = upright
    if kind == "lines" and unchecked:
        yield from _lines_beyond(content, unchecked)


def _lines_beyond(content: Mapping[str, Any], sizes: Mapping[int, Size]) -> Iterator[Finding]:
    """Points beyond these images; lines that cannot be read are passed over."""
    entries, named = (content.get(key) for key in ("annotations", "categories"))
    entries = entries if isinstance(entries, list) else []
    numbered = {
        number: str(each.get("name"))
        for each in (named if isinstance(named, list) else [])
        if (number := whole_number(each, "id")) is not None
    }
    wanted = category_of_lines(entries, numbered)
    for place, entry in enumerate(entries):
        owner = whole_number(entry, "image_id")
        size = None if owner is None else sizes.get(owner)
        if size is None or (wanted is not None and whole_number(entry, "category_id") != wanted):
            continue
        where = name_of(whole_number(entry, "id"), place)
        try:
            points = np.concatenate(annotated_line(entry, where))
        except InputError:
            continue
        yield from points_beyond(points.reshape(-1).tolist(), where, size, "its line")
