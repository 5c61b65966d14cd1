"""Lines of charts in annotation files: COCO-like JSON of several makes, and UB-PMC's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import integer, read_json


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
    """

    id: int
    file_name: str
    width: int | None
    height: int | None
    pieces: tuple[tuple[np.ndarray, ...], ...]

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
            raise InputError(f"{path}: has no list {key!r}; expected images and annotations")
    images: dict[int, dict[str, Any]] = {}
    for entry in content["images"]:
        number = integer(f"{path}: image", entry, "id")
        if number in images:
            raise InputError(f"{path}: image {number} is there twice; ids must differ")
        if not isinstance(entry.get("file_name"), str) or not entry["file_name"]:
            raise InputError(f"{path}: image {number} has no file_name; give it one")
        images[number] = entry
    lines: dict[int, list[tuple[np.ndarray, ...]]] = {number: [] for number in images}
    wanted = _category(path, content, category_id)
    for place, entry in enumerate(content["annotations"]):
        # Some files number no annotations: those are named by their place.
        numbered = isinstance(entry, dict) and "id" in entry
        number = integer(f"{path}: annotation", entry, "id") if numbered else place
        what = f"{path}: annotation {number}"
        if integer(what, entry, "category_id") != wanted:
            continue
        owner = integer(what, entry, "image_id")
        if owner not in images:
            raise InputError(f"{what} is of image {owner}, which is not there")
        lines[owner].append(annotated_line(entry, what))
    return [
        ChartImage(
            number,
            entry["file_name"],
            _size(path, number, entry, "width"),
            _size(path, number, entry, "height"),
            tuple(lines[number]),
        )
        for number, entry in images.items()
    ]


def read_ub_pmc(path: str | Path) -> list[np.ndarray]:
    """(P, 2) points of each line of a UB-PMC file, which is of one image:
    ``task6.output["visual elements"].lines``, lists of ``{"x": x, "y": y}``.

    Raises:
        InputError: There are none, or one is wrong; names it by its place.
    """
    path = Path(path)
    content = read_json(path, "annotation file")
    elements = _visual_elements(content)
    if elements is None:
        raise InputError(
            f"{path}: has no task6.output['visual elements'].lines; is it UB-PMC's JSON of a line "
            "chart?"
        )
    return [flat_polyline(line, f"{path}: line {n}") for n, line in enumerate(elements)]


def is_ub_pmc(content: Any) -> bool:
    """Whether the contents of a JSON file are UB-PMC's, with lines."""
    return _visual_elements(content) is not None


def _visual_elements(content: Any) -> list[Any] | None:
    if not isinstance(content, dict):
        return None
    task = content.get("task6")
    output = task.get("output") if isinstance(task, dict) else content.get("task6_output")
    elements = output.get("visual elements") if isinstance(output, dict) else None
    found = elements.get("lines") if isinstance(elements, dict) else None
    return found if isinstance(found, list) else None


def _category(path: Path, content: dict[str, Any], category_id: int | None) -> int | None:
    used = _distinct(
        integer(f"{path}: annotation", entry, "category_id") for entry in content["annotations"]
    )
    if category_id is not None:
        if used and category_id not in used:
            raise InputError(
                f"{path}: no annotation has category_id {category_id}; there are "
                f"{', '.join(map(str, used))}"
            )
        return category_id
    entries = content.get("categories")
    named = [
        integer(f"{path}: category", entry, "id")
        for entry in (entries if isinstance(entries, list) else [])
        if "line" in str(entry.get("name", "") if isinstance(entry, dict) else "").lower()
    ]
    if len(named) == 1 and named[0] in used:
        return named[0]
    if len(used) > 1:
        raise InputError(
            f"{path}: annotations have the categories {', '.join(map(str, used))}; say which one "
            "is lines (line_category_id, on the command line --line-category-id)"
        )
    return used[0] if used else None


def _distinct(values: Iterable[int]) -> Sequence[int]:
    return sorted(set(values))


def _size(path: Path, number: int, entry: dict[str, Any], key: str) -> int | None:
    if entry.get(key) is None:
        return None
    value = integer(f"{path}: image {number}", entry, key)
    if value < 1:
        raise InputError(f"{path}: image {number} has {key} {value}; it must be positive")
    return value


def _short(values: Any) -> str:
    text = repr(values)
    return text if len(text) <= 40 else f"{text[:37]}..."
