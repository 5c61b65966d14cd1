"""Annotation files: every kind of mask, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.datasets.coco_json import decode_mask, read_coco_json
from geoinfluencer.datasets.image_sample import pixel_truth
from geoinfluencer.errors import InputError

mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

SQUARE = [2.0, 1.0, 6.0, 1.0, 6.0, 4.0, 2.0, 4.0]  # columns 2..5, lines 1..3 of 8 x 6


def content() -> dict[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "b.png", "width": 8, "height": 6},
            {"id": 3, "file_name": "a.png", "width": 8, "height": 6},
        ],
        "categories": [{"id": 90, "name": "cell"}, {"id": 4, "name": "dust"}],
        "annotations": [
            {"id": 0, "image_id": 7, "category_id": 90, "segmentation": [SQUARE], "iscrowd": 0}
        ],
    }


def write(folder: Path, value: Any) -> Path:
    path = folder / "set.json"
    path.write_text(json.dumps(value))
    return path


def square() -> np.ndarray:
    expected = np.zeros((6, 8), bool)
    expected[1:4, 2:6] = True
    return expected


def test_reads_ids_as_they_are(tmp_path: Path) -> None:
    file = read_coco_json(write(tmp_path, content()))
    assert file.class_names == ("dust", "cell")  # by id
    assert [image.id for image in file.images] == [7, 3]
    (annotation,) = file.images[0].annotations
    assert annotation.id == 0 and annotation.category == 1 and not annotation.crowd
    assert file.images[1].annotations == ()


def test_polygons_and_run_lengths_give_the_same_mask(tmp_path: Path) -> None:
    compressed = mask.encode(np.asfortranarray(square().astype(np.uint8)))
    runs = np.diff(np.flatnonzero(np.diff(square().T.ravel(), prepend=~square()[0, 0])), append=48)
    kinds = [
        [SQUARE],
        {"size": [6, 8], "counts": compressed["counts"].decode()},
        {"size": [6, 8], "counts": runs.tolist()},
        [[2, 1, 4, 1, 4, 4, 2, 4], [4, 1, 6, 1, 6, 4, 4, 4]],
    ]
    for number, kind in enumerate(kinds):
        value = content()
        value["annotations"][0]["segmentation"] = kind
        (tmp_path / str(number)).mkdir()
        path = write(tmp_path / str(number), value)
        image = read_coco_json(path).images[0]
        assert np.array_equal(decode_mask(path, image, image.annotations[0]), square()), kind


def test_smaller_masks_lie_on_top_and_crowds_below(tmp_path: Path) -> None:
    value = content()
    inner = [3, 2, 5, 2, 5, 3, 3, 3]
    whole = {"size": [6, 8], "counts": [0, 48]}
    value["annotations"] = [
        {"id": 5, "image_id": 7, "category_id": 4, "segmentation": [inner]},
        {"id": 6, "image_id": 7, "category_id": 90, "segmentation": whole, "iscrowd": 1},
        {"id": 9, "image_id": 7, "category_id": 90, "segmentation": [SQUARE]},
    ]
    path = write(tmp_path, value)
    truth = pixel_truth(path, read_coco_json(path).images[0])
    expected = np.where(square(), 3, 1)
    expected[2, 3:5] = 2
    assert truth.code.tolist() == expected.tolist()
    assert truth.category.tolist() == [0, 1]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, content())
    assert len(read_coco_json(path).images) == 2
    write(tmp_path, {**content(), "images": content()["images"][:1]})
    assert len(read_coco_json(path).images) == 1


def wrong(**annotation: Any) -> dict[str, Any]:
    value = content()
    value["annotations"][0] |= annotation
    return value


RLE = {"size": [6, 8], "counts": [48]}
WRONG = {
    "no list": ({"images": []}, "has no list 'annotations'"),
    "kind": ([1], "holds a list; COCO JSON is an object"),
    "image twice": (
        {**content(), "images": content()["images"][:1] * 2}, "image 7 is there twice",
    ),
    "image size": (
        {**content(), "images": [{"id": 7, "file_name": "b", "width": 0, "height": 2}]},
        "image 7 has size 0 x 2; it needs a positive one",
    ),
    "twice": (
        {**content(), "annotations": content()["annotations"] * 2}, "annotation 0 is there twice",
    ),
    "image name": (
        {**content(), "images": [{"id": 7, "width": 8, "height": 6}], "annotations": []},
        "image 7 has file_name None; give it one",
    ),
    "pixels": (
        {**content(), "images": [{"id": 7, "file_name": "b", "width": 10**9, "height": 10**9}]},
        "image 7 has size 1000000000 x 1000000000; .* less than 2.32 pixels",
    ),
    "category twice": (
        {**content(), "categories": content()["categories"][:1] * 2}, "category 90 is there twice",
    ),
    "id": (wrong(id="x"), "annotation at place 0 has id 'x'; it must be an integer"),
    "long id": (wrong(id=10**30), "at place 0 has id 1000.*; it must be an integer of 64 bits"),
    "owner": (wrong(image_id=8), "annotation 0 is of image 8, which is not in images"),
    "crowd": (wrong(iscrowd="0"), "annotation 0 has iscrowd '0'; it must be 0 or 1, or absent"),
    "area": (wrong(area=float("nan")), "annotation 0 has area nan; it must be a number of pixels"),
    "category": (wrong(category_id=5), "annotation 0 has category_id 5"),
    "none": (wrong(segmentation=[]), "annotation 0 has no segmentation"),
    "short": (wrong(segmentation=[[1, 2, 3, 4]]), "annotation 0: a polygon must be a list"),
    "odd": (wrong(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "annotation 0: a polygon must be"),
    "text": (wrong(segmentation=[[1, 2, 3, 4, 5, "6"]]), "annotation 0: a polygon holds what"),
    "form": (wrong(segmentation={"a": 1}), "annotation 0: segmentation must be polygons or"),
    "size": (wrong(segmentation={**RLE, "size": [8, 6]}), r"have size \[8, 6\], image 7 has"),
    "sum": (wrong(segmentation={**RLE, "counts": [47]}), "annotation 0: run lengths must be .* 48"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_entries_are_named(tmp_path: Path, name: str) -> None:
    value, message = WRONG[name]
    with pytest.raises(InputError, match=message) as caught:
        read_coco_json(write(tmp_path, value))
    assert "set.json" in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_not_there_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.json: no such annotation file"):
        read_coco_json(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match="bad.json: cannot be read as JSON"):
        read_coco_json(tmp_path / "bad.json")
