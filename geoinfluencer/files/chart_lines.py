"""Lines of charts in annotation files: COCO-like JSON of several makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import by_id, integer, read_json


@dataclass(frozen=True)
class ChartImage:
    """An image and its lines.

    Attributes:
        id: In the annotation file; 0 where images have none.
        file_name: As the file says, folders included.
        width: Pixels; None: not said.
        height: Pixels; None: not said.
        pieces: Of each line its pieces, most have one: (P, 2) float32 x, y in order, P >= 1; in
            pixels, y downwards.
        category: Of the annotations that are lines, in the file; None: it has none.
    """

    id: int
    file_name: str
    width: int | None
    height: int | None
    pieces: tuple[tuple[np.ndarray, ...], ...]
    category: int | None = None

    @property
    def lines(self) -> list[np.ndarray]:
        """(P, 2) points of each line, its pieces one after another."""
        return [np.concatenate(parts) for parts in self.pieces]


def flat_polyline(values: Any, what: str) -> np.ndarray:
    """(P, 2) points of ``[x1, y1, x2, y2, ...]``, which ChartOCR and LineEX keep in ``bbox``.

    Args:
        values: As in the file; pairs ``[[x1, y1], ...]`` and ``[{"x": x1, "y": y1}, ...]`` too.
        what: File and annotation, for the message.

    Raises:
        InputError: It is empty, of an odd number of values, or holds what is no finite number.
    """
    if not isinstance(values, list | tuple) or not values:
        raise InputError(f"{what}: its line is {_short(values)}; expected [x1, y1, x2, y2, ...]")
    first = values[0]
    try:
        if isinstance(first, Mapping):
            points = np.array([(point["x"], point["y"]) for point in values], np.float64)
        else:
            points = np.array(values, np.float64)
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(
            f"{what}: its line {_short(values)} holds what is no number; expected "
            "[x1, y1, x2, y2, ...]"
        ) from error
    if points.ndim == 1 and len(points) % 2:
        raise InputError(
            f"{what}: its line has {len(points)} values, an odd number; expected "
            "[x1, y1, x2, y2, ...]"
        )
    points = points.reshape(-1, 2) if points.ndim == 1 else points
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"{what}: points of its line have {points.shape[-1]} values; expected 2")
    with np.errstate(over="ignore"):
        points = points.astype(np.float32)
    if not np.isfinite(points).all():
        raise InputError(f"{what}: its line has values that are not finite; remove them")
    return points


def segmentation_polylines(parts: Any, what: str) -> list[np.ndarray]:
    """(P, 2) points of each piece of a line that a ``segmentation`` holds.

    Raises:
        InputError: A run-length code, or a part is wrong.
    """
    if not isinstance(parts, list | tuple):
        raise InputError(
            f"{what}: its segmentation is a {type(parts).__name__}; a line is lists of points "
            "[[x1, y1, x2, y2, ...]], a mask cannot be read as one"
        )
    if parts and not isinstance(parts[0], list | tuple):
        parts = [parts]
    filled = [part for part in parts if part]
    if not filled:
        raise InputError(f"{what}: its segmentation is empty; expected [[x1, y1, x2, y2, ...]]")
    return [flat_polyline(part, what) for part in filled]


def annotated_line(entry: Mapping[str, Any], what: str) -> tuple[np.ndarray, ...]:
    """(P, 2) points of each piece of the line of an annotation: flat in ``bbox``, or in
    ``segmentation`` where that is not empty and ``bbox`` has no more numbers than a box.

    Args:
        entry: As in the file.
        what: File and annotation, for the message.

    Raises:
        InputError: Neither is a line.
    """
    box, parts = entry.get("bbox"), entry.get("segmentation")
    filled = isinstance(parts, dict) or (isinstance(parts, list) and any(parts))
    longer = isinstance(box, list) and len(box) > 4
    if filled and not longer:
        return tuple(segmentation_polylines(parts, f"{what}: segmentation"))
    return (flat_polyline(box, f"{what}: bbox"),)


def read_chart_images(path: str | Path, *, category_id: int | None = None) -> list[ChartImage]:
    """Images and lines of a COCO-like file, in the order of the file.

    A box cannot be told from a line of two points: name the category of the lines where a file has
    others.

    Args:
        path: Of ChartOCR, DeepRule or LineEX (a line lies flat in ``bbox``), or with lines in
            ``segmentation``; see :func:`annotated_line`.
        category_id: Of the lines; ``None``: of the one category with ``line`` in its name, else
            of the only one that annotations have.

    Raises:
        InputError: Names file and annotation.
    """
    path = Path(path)
    content = read_json(path, "annotation file")
    for key in ("images", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InputError(
                f"{path}: has no list {key!r}; expected images and annotations, or a folder of "
                "UB-PMC's files"
            )
    images = by_id(path, "image", content["images"])
    for number, entry in images.items():
        if not isinstance(entry.get("file_name"), str) or not entry["file_name"]:
            raise InputError(f"{path}: image {number} has no file_name; give it one")
    lines: dict[int, list[tuple[np.ndarray, ...]]] = {number: [] for number in images}
    entries, seen = [], set()
    for place, entry in enumerate(content["annotations"]):
        # Some files number no annotations: those are named by their place.
        numbered = isinstance(entry, dict) and "id" in entry
        what = f"{path}: annotation at place {place}"
        if numbered:
            number = integer(what, entry, "id")
            what = f"{path}: annotation {number}"
            if number in seen:
                raise InputError(f"{what} is there twice; ids must differ")
            seen.add(number)
        entries.append((what, entry, integer(what, entry, "category_id")))
    named = content.get("categories")
    categories = by_id(path, "category", named) if isinstance(named, list) else {}
    names = {number: str(entry.get("name", "")) for number, entry in categories.items()}
    wanted = line_category({category for _, _, category in entries}, names, category_id, str(path))
    for what, entry, category in entries:
        if category != wanted:
            continue
        owner = integer(what, entry, "image_id")
        if owner not in images:
            raise InputError(f"{what} is of image {owner}, which is not in images; remove it")
        lines[owner].append(annotated_line(entry, what))
    return [
        ChartImage(
            number,
            entry["file_name"],
            stated_pixels(f"{path}: image {number}", entry, "width"),
            stated_pixels(f"{path}: image {number}", entry, "height"),
            tuple(lines[number]),
            wanted,
        )
        for number, entry in images.items()
    ]


def line_category(
    used: Collection[int], names: Mapping[int, str], category_id: int | None, what: str
) -> int | None:
    """The category of the annotations that are lines; ``None``: there are no annotations.

    Args:
        used: Categories that annotations have.
        names: Of categories by their ids.
        category_id: The one that was asked for; ``None``: that with ``line`` in its name where
            annotations have it, else the only one.
        what: The file, for the message.

    Raises:
        InputError: No annotation has it, or it cannot be told.
    """
    remedy = "say which one is lines (line_category_id, on the command line --line-category-id)"
    there = ", ".join(map(str, sorted(used)))
    if category_id is not None:
        if used and category_id not in used:
            raise InputError(
                f"{what}: no annotation has category_id {category_id}, only {there}; {remedy}"
            )
        return category_id
    named = [number for number, name in names.items() if "line" in name.lower()]
    if len(named) == 1 and named[0] in used:
        return named[0]
    if len(used) > 1:
        raise InputError(f"{what}: annotations have the categories {there}; {remedy}")
    return next(iter(used), None)


def stated_pixels(what: str, entry: Mapping[str, Any], key: str) -> int | None:
    """``width`` or ``height`` of a chart, which may be absent.

    Raises:
        InputError: It is no positive integer.
    """
    if entry.get(key) is None:
        return None
    value = integer(what, entry, key)
    if value < 1:
        raise InputError(f"{what} has {key} {value}; it must be positive")
    return value


def _short(values: Any) -> str:
    text = repr(values)
    return text if len(text) <= 40 else f"{text[:37]}..."
