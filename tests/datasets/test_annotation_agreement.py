"""What the check of annotations calls an error, reading them refuses; and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.datasets.annotation_check import check_annotations
from geoinfluencer.datasets.coco_json import read_coco_json
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import read_chart_images
from geoinfluencer.metrics.coco_truth import read_coco_truth

pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

NAN = float("nan")
LONG = 10**30
MASK = {
    "id": 5, "image_id": 7, "category_id": 1, "segmentation": [[2, 1, 6, 1, 6, 4]],
    "area": 6, "iscrowd": 0,
}  # fmt: skip
LINE = {"id": 5, "image_id": 7, "category_id": 2, "bbox": [0, 1, 3, 2, 7, 5]}
OTHER = {"id": 6, "image_id": 7, "category_id": 1, "bbox": [0, 1, 3]}  # no line


def refused(read: Callable[[Path], Any], path: Path) -> bool:
    try:
        read(path)
    except InputError as error:
        assert "\n" not in str(error)
        return True
    return False


def content(kind: str) -> dict[str, Any]:
    lines = kind == "lines"
    return copy.deepcopy(
        {
            "images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 6}],
            "categories": [{"id": 2, "name": "b"}, {"id": 1, "name": "a"}],
            "annotations": [LINE, OTHER] if lines else [MASK],
        }
    )


BOTH: list[tuple[str, dict[str, Any]]] = [
    ("images", {}),
    *(("images", {"id": value}) for value in (LONG, "7", None, True, 7.0)),
    *(("images", {key: value}) for key in ("width", "height") for value in ("8", 0, -1, 8.0, LONG)),
    ("images", {"file_name": ""}),
    *(("categories", {"id": value}) for value in (LONG, "1", 1)),
    ("categories", {"name": None}),
    *(("annotations", {"id": value}) for value in (LONG, "5", None, 0)),
    *(("annotations", {"image_id": value}) for value in (LONG, 8, None)),
    *(("annotations", {"category_id": value}) for value in (LONG, "1", None)),
]
OF_MASKS: list[tuple[str, dict[str, Any]]] = [
    ("images", {"width": None}),
    ("images", {"width": 10**9, "height": 10**9}),
    ("annotations", {"category_id": 9}),
    *(("annotations", {"area": value}) for value in (NAN, -1, "6", True, LONG**20, 0, 0.5, None)),
    *(("annotations", {"iscrowd": value}) for value in ("0", 2, [], NAN, True, 1, None)),
    ("annotations", {"segmentation": [[20, 20, 30, 20, 30, 30]]}),  # wholly outside
    ("annotations", {"segmentation": [[1, 2, 3, 4]]}),
    ("annotations", {"segmentation": {"size": [6, 8], "counts": [48]}}),
    ("annotations", {"segmentation": {"size": [6, 8], "counts": [47]}}),
    ("annotations", {"segmentation": None}),
]
OF_LINES: list[tuple[str, dict[str, Any]]] = [
    ("images", {"width": None}),
    ("images", {"width": None, "height": None}),
    ("annotations", {"category_id": 0}),  # the one that is asked for has none
    ("annotations", {"bbox": [1, 2, 3]}),
    ("annotations", {"bbox": [1, 2, 3, NAN]}),
    ("annotations", {"id": 6}),  # of another
]
CASES = [
    *(("masks", part, values) for part, values in BOTH + OF_MASKS),
    *(("lines", part, values) for part, values in BOTH + OF_LINES),
]


@pytest.mark.parametrize(("kind", "part", "values"), CASES)
def test_readers_refuse_what_is_an_error(
    tmp_path: Path, kind: Any, part: str, values: dict[str, Any]
) -> None:
    made = content(kind)
    made[part][0] |= values
    path = tmp_path / "set.json"
    path.write_text(json.dumps(made))
    found = list(check_annotations(json.loads(path.read_text()), kind=kind))
    errors = any(each.level == "error" for each in found)
    if kind == "lines":
        assert refused(lambda p: read_chart_images(p, category_id=2), path) == errors, found
        return
    assert refused(read_coco_json, path) == errors, found
    # scores need neither names of files nor ids of annotations
    if "file_name" not in values and not (part == "annotations" and "id" in values):
        assert refused(read_coco_truth, path) == errors, found


@pytest.mark.parametrize("kind", ["masks", "lines"])
@pytest.mark.parametrize("part", ["images", "categories", "annotations"])
def test_what_is_there_twice_is_refused(tmp_path: Path, kind: Any, part: str) -> None:
    made = content(kind)
    made[part].append(made[part][0])
    path = tmp_path / "set.json"
    path.write_text(json.dumps(made))
    assert "duplicate-id" in {each.kind for each in check_annotations(made, kind=kind)}
    read = read_coco_json if kind == "masks" else lambda p: read_chart_images(p, category_id=2)
    with pytest.raises(InputError, match="is there twice; ids must differ"):
        read(path)
    if kind == "masks" and part != "annotations":
        with pytest.raises(InputError, match="is there twice; ids must differ"):
            read_coco_truth(path)


def test_a_line_of_an_image_that_is_not_there() -> None:
    made = content("lines")
    made["annotations"][1] |= {"image_id": 9}  # nobody reads it
    levels = {each.where: each.level for each in check_annotations(made, kind="lines")}
    assert levels["annotation 6"] == "warning"
    made["annotations"][0] |= {"image_id": 9}
    levels = {each.where: each.level for each in check_annotations(made, kind="lines")}
    assert levels["annotation 5"] == "error"


def test_the_category_of_lines() -> None:
    made = content("lines")
    for category in (0, None):  # not there; two of them, and none called line
        found = [
            each.text
            for each in check_annotations(made, kind="lines", line_category_id=category)
            if each.level == "error"
        ]
        assert len(found) == 1 and "--line-category-id" in found[0]
    made["categories"][0]["name"] = "line"
    assert not [
        each
        for each in check_annotations(made, kind="lines", line_category_id=None)
        if each.level == "error"
    ]
