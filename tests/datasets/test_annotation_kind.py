"""Masks or lines: what most annotations of a file speak for."""

from __future__ import annotations

from typing import Any

import pytest

from geoinfluencer.datasets.annotation_kind import kind_and_reason

POLYGON = [2.0, 1.0, 6.0, 1.0, 6.0, 4.0]
PAIR = [2.0, 1.0, 6.0, 1.0]
LONG = [2.0, 1.0, 6.0, 1.0, 6.0]


def content(*annotations: dict[str, Any], name: str = "cell") -> dict[str, Any]:
    return {
        "categories": [{"id": 1, "name": name}],
        "annotations": [{"category_id": 1} | each for each in annotations],
    }


def test_one_degenerate_annotation_leaves_masks_what_they_are() -> None:
    polygon = {"segmentation": [POLYGON]}
    kind, reason = kind_and_reason(content(polygon, polygon, {"segmentation": [PAIR]}))
    assert kind == "masks"
    assert reason == (
        "2 of 3 annotations have a run-length mask, or a polygon of three or more points"
    )
    box = {"bbox": LONG, **polygon}
    assert kind_and_reason(content(polygon, polygon, box))[0] == "masks"
    assert kind_and_reason(content(polygon, polygon)) == ("masks", "")  # nothing to say


def test_most_of_them_are_lines() -> None:
    pair, box = {"segmentation": [PAIR]}, {"bbox": LONG}
    kind, reason = kind_and_reason(content(pair, box, box, {"segmentation": {"counts": []}}))
    assert kind == "lines"
    assert "2 of 4 annotations have a bbox of more than four numbers" in reason
    assert "1 of 4 annotations have a segmentation of two points and no area" in reason
    assert kind_and_reason(content(pair, {"segmentation": [POLYGON]}))[0] == "masks"  # as many


@pytest.mark.parametrize(
    ("name", "more", "kind"),
    [
        ("Line", {}, "lines"),
        (" lines ", {}, "lines"),
        ("line", {"iscrowd": 0}, "masks"),
        ("line", {"area": 7.5}, "masks"),
        ("power line", {}, "masks"),
        ("line chart", {}, "masks"),
    ],
)
def test_a_category_called_line(name: str, more: dict[str, Any], kind: str) -> None:
    assert kind_and_reason(content({"segmentation": [POLYGON], **more}, name=name))[0] == kind


@pytest.mark.parametrize(
    "anything",
    [None, [], {"annotations": None}, {"annotations": [7, {"segmentation": 3, "bbox": "x"}]}],
)
def test_anything_else_is_held_to_be_masks(anything: Any) -> None:
    assert kind_and_reason(anything) == ("masks", "")
