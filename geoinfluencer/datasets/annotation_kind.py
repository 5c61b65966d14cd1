"""What an annotation file holds, masks or lines, told from its annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from geoinfluencer.datasets.annotation_findings import Kind

# What an annotation may speak for a kind by.
_LONG_BOX = "a bbox of more than four numbers"
_CALLED = "a category called line"
_PAIR = "a segmentation of two points and no area"
_MASK = "a run-length mask, or a polygon of three or more points"


def kind_of(content: Any) -> Kind:
    """What most annotations speak for, see :func:`kind_and_reason`."""
    return kind_and_reason(content)[0]


def kind_and_reason(content: Any) -> tuple[Kind, str]:
    """The kind that most annotations speak for, ``masks`` where as many do for either; and why,
    empty where none speaks for ``lines``.

    A ``bbox`` of more numbers than a box, as in many sets of charts, speaks for lines; so do a
    category called ``line``, and two points alone without an area. A run-length mask and a polygon
    of three or more points speak for masks; a polygon without ``iscrowd`` and ``area`` only where
    its category is not called ``line``.
    """
    if not isinstance(content, dict):
        return "masks", ""
    entries, categories = (
        [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        for value in (content.get("annotations"), content.get("categories"))
    )
    called = [
        each.get("id")
        for each in categories
        if str(each.get("name")).strip().lower() in ("line", "lines")
    ]
    signs = Counter(_sign(each, called) for each in entries)
    masks = signs.pop(_MASK, 0)
    del signs[None]
    lines = signs.total()
    if not lines:
        return "masks", ""
    kind: Kind = "lines" if lines > masks else "masks"
    found = signs if kind == "lines" else {_MASK: masks}
    said = (f"{count} of {len(entries)} annotations have {sign}" for sign, count in found.items())
    return kind, " and ".join(said)


def _sign(entry: Mapping[str, Any], called: list[Any]) -> str | None:
    box, parts, area = entry.get("bbox"), entry.get("segmentation"), entry.get("area")
    if isinstance(box, list) and len(box) > 4:
        return _LONG_BOX
    if isinstance(parts, dict):
        return _MASK
    pieces = [part for part in parts if isinstance(part, list)] if isinstance(parts, list) else []
    polygon = any(len(piece) >= 6 for piece in pieces)
    if polygon and ("iscrowd" in entry or area):
        return _MASK
    if entry.get("category_id") in called:
        return _CALLED
    if any(len(piece) == 4 for piece in pieces) and not area:
        return _PAIR
    return _MASK if polygon else None
