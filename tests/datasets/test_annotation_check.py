"""Every kind of fault of an annotation file, by its id."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.datasets.annotation_check import check_annotations
from geoinfluencer.datasets.annotation_kind import kind_of

pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

SQUARE = [2.0, 1.0, 6.0, 1.0, 6.0, 4.0, 2.0, 4.0]


def good() -> dict[str, Any]:
    """One image of 8 x 6 with one object."""
    return {
        "images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 6}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {
                "id": 5,
                "image_id": 7,
                "category_id": 1,
                "segmentation": [SQUARE],
                "bbox": [2, 1, 4, 3],
                "area": 12,
                "iscrowd": 0,
            }
        ],
    }


def faults(content: Any, **options: Any) -> list[tuple[str, str, str]]:
    return [(each.level, each.kind, each.where) for each in check_annotations(content, **options)]


def changed(part: str, **values: Any) -> dict[str, Any]:
    content = good()
    content[part][0] |= values
    return content


def test_a_good_file_has_no_faults() -> None:
    assert faults(good()) == []
    run_lengths = {"size": [6, 8], "counts": [8, 40]}
    assert faults(changed("annotations", segmentation=run_lengths)) == []
    del (content := good())["annotations"][0]["bbox"], content["annotations"][0]["area"]
    assert faults(content) == []


RUNS = {"size": [6, 8], "counts": [48]}
ONE = [
    ("annotations", {"id": "x"}, "error", "bad-id", "annotation at place 0"),
    ("annotations", {"id": 0}, "warning", "id-0", "annotation 0"),
    ("annotations", {"image_id": 8}, "error", "no-image", "annotation 5"),
    ("annotations", {"category_id": 3}, "error", "no-category", "annotation 5"),
    ("annotations", {"segmentation": []}, "error", "no-segmentation", "annotation 5"),
    ("annotations", {"segmentation": [[1, 2, 3, 4]]}, "error", "polygon", "annotation 5"),
    ("annotations", {"segmentation": [[*SQUARE, 1]]}, "error", "polygon", "annotation 5"),
    ("annotations", {"segmentation": [[1, 2, 3, 4, 5, "a"]]}, "error", "polygon", "annotation 5"),
    (
        "annotations",
        {"segmentation": [[9.5, 8, 12, 8, 12, 9]], "bbox": None},
        "warning",
        "empty-mask",
        "annotation 5",
    ),
    (
        "annotations",
        {"segmentation": {**RUNS, "size": [8, 6]}},
        "error",
        "run-length-size",
        "annotation 5",
    ),
    ("annotations", {"segmentation": {**RUNS, "counts": [47]}}, "error", "run-length",
     "annotation 5"),
    ("annotations", {"segmentation": {**RUNS, "counts": "\u00e9"}}, "error", "run-length",
     "annotation 5"),
    ("annotations", {"segmentation": RUNS}, "warning", "empty-mask", "annotation 5"),
    ("annotations", {"area": 0}, "warning", "area", "annotation 5"),
    ("annotations", {"area": -1}, "error", "area", "annotation 5"),
    ("annotations", {"area": float("nan")}, "error", "area", "annotation 5"),
    ("annotations", {"area": "12"}, "error", "area", "annotation 5"),
    ("annotations", {"iscrowd": "0"}, "error", "iscrowd", "annotation 5"),
    ("annotations", {"id": 10**30}, "error", "bad-id", "annotation at place 0"),
    ("annotations", {"bbox": [9, 1, 2, 2]}, "error", "box-outside", "annotation 5"),
    ("annotations", {"bbox": [2, 1, 0, 3]}, "error", "box-outside", "annotation 5"),
    ("annotations", {"bbox": [2, 1, 9, 3]}, "warning", "box-beyond", "annotation 5"),
    ("annotations", {"bbox": [2, 1, 4]}, "error", "box", "annotation 5"),
    ("images", {"width": 0}, "error", "bad-size", "image 7"),
    ("images", {"width": "8"}, "error", "bad-size", "image 7"),
    ("images", {"width": 10**9, "height": 10**9}, "error", "bad-size", "image 7"),
    ("images", {"file_name": ""}, "error", "no-file-name", "image 7"),
    ("categories", {"name": ""}, "warning", "no-name", "category 1"),
    ("categories", {"id": None}, "error", "bad-id", "category at place 0"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "values", "level", "kind", "where"), ONE)
def test_one_fault_is_one_finding(
    part: str, values: dict[str, Any], level: str, kind: str, where: str
) -> None:
    found = faults(changed(part, **values))
    assert (level, kind, where) in found
    real = [each for each in found if each[0] != "info" and each[1] != "points-beyond"]
    assert len(real) == (2 if (part, kind) == ("categories", "bad-id") else 1)


def test_all_faults_are_listed_in_order() -> None:
    content = good()
    content["images"] *= 2
    content["images"].append({"id": 9, "file_name": "a.png", "width": 8, "height": 6})
    content["annotations"].append(copy.deepcopy(content["annotations"][0]))
    content["categories"] += [{"id": 90, "name": "cell"}, {"id": 1, "name": "again"}]
    assert faults(content) == [
        ("error", "duplicate-id", "image 7"),
        ("warning", "duplicate-file", "image 9"),
        ("warning", "duplicate-name", "category 90"),
        ("error", "duplicate-id", "category 1"),
        ("info", "gaps", "categories"),
        ("error", "duplicate-id", "annotation 5"),
        ("info", "empty-images", "images"),
        ("info", "idle-categories", "categories"),
    ]


def test_an_annotation_without_an_id_is_checked_all_the_same() -> None:
    content = changed("annotations", area=-1, segmentation=[[1, 2, 3, 4]])
    del content["annotations"][0]["id"]
    assert faults(content) == [
        ("error", "bad-id", "annotation at place 0"),
        ("error", "area", "annotation at place 0"),
        ("error", "polygon", "annotation at place 0"),
    ]  # and its image has an object


def test_no_annotation_file_at_all() -> None:
    assert faults([]) == [("error", "structure", "file")]
    assert faults({"images": []}) == [("error", "structure", "file")] * 2


def test_points_beyond_the_image_and_crowded_images() -> None:
    reach = [2.0, 1.0, 9.5, 1.0, 6.0, 4.0]
    found = list(check_annotations(changed("annotations", segmentation=[reach])))
    assert [(each.kind, each.text.split(" beyond")[0]) for each in found] == [
        ("points-beyond", "its polygon reaches 1.5 pixels")
    ]
    content = good()
    content["annotations"] = [{**content["annotations"][0], "id": i + 1} for i in range(101)]
    assert faults(content) == [("info", "crowded", "images")]


def lines() -> dict[str, Any]:
    content = good()
    del content["categories"]
    content["annotations"] = [
        {"id": 1, "image_id": 7, "category_id": 2, "bbox": [0, 1, 3, 2, 7, 5]},
        {"image_id": 7, "category_id": 2, "bbox": [0, 5, 7, 1]},
    ]
    return content


def test_lines_of_charts() -> None:
    assert kind_of(good()) == "masks" and kind_of(lines()) == "lines"
    assert faults(lines()) == []
    content = lines()
    content["annotations"][1]["bbox"] = [0, 5, 7]
    content["annotations"].append({"id": 3, "image_id": 7, "category_id": 2, "bbox": [4, 4]})
    content["annotations"].append({"id": 4, "image_id": 7, "category_id": 2, "bbox": [1, 1, 11, 2]})
    assert faults(content) == [
        ("error", "line", "annotation at place 1"),
        ("warning", "one-point", "annotation 3"),
        ("warning", "points-beyond", "annotation 4"),
    ]
    assert faults(lines(), kind="masks") == [("error", "structure", "file")]


def test_lines_that_lie_in_segmentation() -> None:
    content = lines()
    box = [0.0, 1.0, 7.0, 1.0]
    open_lines = [
        {"id": 1, "image_id": 7, "category_id": 2, "segmentation": [[0, 1, 7, 1]]},
        {"id": 2, "image_id": 7, "category_id": 2, "bbox": box, "segmentation": [[1, 1, 3, 5]]},
    ]
    content["annotations"] = open_lines
    assert kind_of(content) == "lines" and faults(content) == []
    # the segmentation is the line, not the box beside it
    content["annotations"][1]["segmentation"] = [[1, 1, 12, 5]]
    assert faults(content) == [("warning", "points-beyond", "annotation 2")]
    del content["annotations"][0]["segmentation"]
    assert ("error", "line", "annotation 1") in faults(content, kind="lines")
    content["annotations"] = [{**open_lines[1], "segmentation": {"size": [6, 8], "counts": [48]}}]
    assert kind_of(content) == "masks"
    assert faults(content, kind="lines") == [("error", "line", "annotation 2")]


def test_the_name_of_a_category_tells_lines() -> None:
    content = good()
    names = ("legend", "Line")
    content["categories"] = [{"id": i + 1, "name": name} for i, name in enumerate(names)]
    content["annotations"] = [
        {"id": 1, "image_id": 7, "category_id": 2, "segmentation": [[0, 1, 3, 2, 7, 5]]},
        {"id": 2, "image_id": 7, "category_id": 1, "bbox": []},  # no line, and nobody reads it
    ]
    assert kind_of(content) == "lines" and faults(content) == []
    for name in ("airliner", "power line"):
        content["categories"][1]["name"] = name
        assert kind_of(content) == "masks"


def test_real_files_are_clean(test_data: Path) -> None:
    for path in ("tinycoco", "nuclei"):
        files = sorted((test_data / path).rglob("*.json"))
        if not files:
            pytest.skip(f"no {test_data / path}")
        from geoinfluencer.files.coco_entries import read_json

        for file in files:
            errors = [
                each
                for each in check_annotations(read_json(file, "annotation file"))
                if each.level == "error"
            ]
            assert not errors, errors[:3]
