"""COCO scores: the official numbers, and every trap of the evaluator."""

from __future__ import annotations

import builtins
import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import CocoMetrics, score_files
from geoinfluencer.metrics.coco_truth import read_coco_truth

mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

OFFICIAL = (
    "ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip
SIDE = 8  # pixels of an object, all in a row of an image of 16 x 800


def square(place: int, side: int = SIDE) -> list[list[float]]:
    x, y = 2.0 + 10 * place, 3.0
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def rle(place: int, counts: str = "str") -> dict[str, Any]:
    pixels = np.zeros((16, 800), np.uint8, order="F")
    pixels[3 : 3 + SIDE, 2 + 10 * place : 2 + 10 * place + SIDE] = 1
    code = mask.encode(pixels)
    text = code["counts"].decode() if counts == "str" else code["counts"]
    return {"size": [16, 800], "counts": text}


def truth_content(objects: dict[int, int], **more: Any) -> dict[str, Any]:
    """Images by their number of objects; annotation ids from 0, categories 5 and 9."""
    annotations = [
        {"image_id": image, "category_id": 5, "segmentation": square(k), "iscrowd": 0, **more}
        for image, count in objects.items()
        for k in range(count)
    ]
    return {
        "images": [{"id": i, "file_name": "a", "width": 800, "height": 16} for i in objects],
        "categories": [{"id": 9, "name": "b"}, {"id": 5, "name": "a"}],
        "annotations": [{"id": k, **each} for k, each in enumerate(annotations)],
    }


def write(folder: Path, content: Any, name: str = "truth.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def entry(image: int = 1, place: int = 0, score: Any = 0.5, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": 5, "segmentation": square(place), "score": score,
            **more}  # fmt: skip


def scores(folder: Path, content: Any, results: list[Any], **options: Any) -> dict[str, float]:
    metric = CocoMetrics(**options)
    metric.update(results, read_coco_truth(write(folder, content)), "results.json")
    return metric.compute()


def test_the_official_numbers(test_data: Path) -> None:
    folder = test_data / "cocoeval"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    printed = (folder / "val2014_fake_eval_res.txt").read_text().split("type=bbox")[0]
    expected = [float(value) for value in re.findall(r"\] = (\d\.\d{3})", printed)]
    found = score_files(
        folder / "instances_val2014_fakesegm100_results.json",
        folder / "instances_val2014_100.json",
        "coco",
    ).compute()
    assert len(expected) == 12 and expected[0] == 0.320
    assert [round(found[name], 3) for name in OFFICIAL] == expected
    assert set(found) - set(OFFICIAL) == {
        "num_images", "num_objects", "num_detections", "most_objects", "most_detections"
    }  # fmt: skip
    assert found["num_images"] == 100


def test_annotation_id_0_is_an_object_like_any_other(tmp_path: Path) -> None:
    content = truth_content({1: 2})
    assert content["annotations"][0]["id"] == 0
    found = scores(tmp_path, content, [entry(place=0), entry(place=1)])
    assert found["ap"] == found["ar100"] == pytest.approx(1.0)
    for each in content["annotations"]:
        del each["id"], each["iscrowd"]
    assert scores(tmp_path, content, [entry(place=0), entry(place=1)]) == pytest.approx(
        found, nan_ok=True
    )


def test_nothing_found_is_0_and_nothing_there_is_undefined(tmp_path: Path) -> None:
    found = scores(tmp_path, truth_content({1: 2}), [])
    assert found["ap"] == found["ap_small"] == found["ar1"] == 0
    assert np.isnan(found["ap_large"]) and found["num_detections"] == 0
    assert np.isnan(scores(tmp_path, truth_content({1: 0}), [entry()])["ap"])
    files = write(tmp_path, [], "r.json"), write(tmp_path, truth_content({1: 2}))
    assert score_files(*files, "coco").compute() == pytest.approx(found, nan_ok=True)


def test_images_without_detections_count(tmp_path: Path) -> None:
    results = [entry(image=1)]
    assert scores(tmp_path, truth_content({1: 1}), results)["ap"] == pytest.approx(1.0)
    both = scores(tmp_path, truth_content({1: 1, 2: 1}), results)
    assert both["ap"] == pytest.approx(51 / 101) and both["num_images"] == 2
    path = write(tmp_path, truth_content({1: 1, 2: 1}))
    metric = CocoMetrics()
    metric.update(results, read_coco_truth(path).only([1]))
    assert metric.compute()["ap"] == pytest.approx(1.0)
    with pytest.raises(InputError, match=r"truth.json: has no image 7; give"):
        read_coco_truth(path).only([7])


def test_results_stay_as_they_are(tmp_path: Path) -> None:
    results = [entry(), entry(place=1, segmentation=rle(1, "bytes")), entry(segmentation=rle(0))]
    before = copy.deepcopy(results)
    first = scores(tmp_path, truth_content({1: 2}), results)
    assert results == before
    assert scores(tmp_path, truth_content({1: 2}), results) == pytest.approx(first, nan_ok=True)


@pytest.mark.parametrize("form", [square(0), rle(0), rle(0, "bytes")], ids=["polygon", "str", "b"])
def test_forms_of_masks(tmp_path: Path, form: Any) -> None:
    results = [entry(segmentation=form)]
    assert scores(tmp_path, truth_content({1: 1}), results)["ap"] == pytest.approx(1.0)


def test_sizes_of_results_are_of_masks_not_of_boxes(tmp_path: Path) -> None:
    results = [entry(bbox=[0, 0, 700, 10]), entry(place=4, bbox=[0, 0, 700, 10], score=0.9)]
    found = scores(tmp_path, truth_content({1: 1}), results)
    assert found["ap_small"] == found["ap"] == pytest.approx(0.5)


def test_sizes_of_objects_are_those_of_the_file(tmp_path: Path) -> None:
    found = scores(tmp_path, truth_content({1: 1}, area=5000.0), [entry()])
    assert np.isnan(found["ap_small"]) and found["ap_medium"] == pytest.approx(1.0)
    assert scores(tmp_path, truth_content({1: 1}), [entry()])["ap_small"] == pytest.approx(1.0)


def test_crowds_are_ignored(tmp_path: Path) -> None:
    content = truth_content({1: 2})
    content["annotations"][1]["iscrowd"] = 1
    results = [entry(place=0), entry(place=1, score=0.9), entry(place=1, score=0.8)]
    found = scores(tmp_path, content, results)
    assert found["ap"] == pytest.approx(1.0) and found["num_objects"] == 1


def test_max_dets(tmp_path: Path) -> None:
    content = truth_content({1: 30})
    results = [entry(place=k, score=1 - k / 100) for k in range(30)]
    found = scores(tmp_path, content, results)
    assert found["ar1"] == pytest.approx(1 / 30) and found["ar10"] == pytest.approx(1 / 3)
    assert found["ar100"] == 1 and "ar" not in found
    assert found["most_objects"] == found["most_detections"] == 30
    few = scores(tmp_path, content, results, max_dets=3)
    assert few["ar"] == pytest.approx(0.1) == few["ar_small"]
    assert few["ap"] == pytest.approx(11 / 101)
    assert [few[name] for name in ("ar1", "ar10", "ar100")] == [
        found[name] for name in ("ar1", "ar10", "ar100")
    ]
    dense = truth_content({1: 75})
    dense["annotations"] += [
        {**each, "id": each["id"] + 75, "segmentation": [[v + 0.5 for v in square(k, 1)[0]]]}
        for k, each in enumerate(dense["annotations"])
    ]
    every = [
        {"image_id": 1, "category_id": 5, "segmentation": each["segmentation"], "score": 0.5}
        for each in dense["annotations"]
    ]
    assert scores(tmp_path, dense, every)["ar100"] < 0.7
    assert scores(tmp_path, dense, every, max_dets=200)["ar"] == 1
    with pytest.raises(InputError, match="max_dets must be at least 1, got 0"):
        CocoMetrics(max_dets=0)


def test_categories_count_apart_unless_told(tmp_path: Path) -> None:
    results = [entry(category_id=9), entry(place=1)]
    content = truth_content({1: 2})
    assert scores(tmp_path, content, results)["ap"] == pytest.approx(51 / 101)
    assert scores(tmp_path, content, results, class_agnostic=True)["ap"] == pytest.approx(1.0)
    assert scores(tmp_path, content, results)["most_detections"] == 1
    assert scores(tmp_path, content, results, class_agnostic=True)["most_detections"] == 2


def test_nothing_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores(tmp_path, truth_content({1: 1}), [entry()])
    assert capsys.readouterr() == ("", "")


WRONG = {
    "text": ("x", "entry 0 is 'x'; it must be an object"),
    "image": (entry(image=8), "entry 0 has image_id 8, which is not in .*truth.json; give"),
    "image kind": (entry(image="1"), "entry 0 has image_id '1'; it must be an integer"),  # type: ignore[arg-type]
    "category": (entry(category_id=0), "entry 0 has category_id 0, .* not class numbers"),
    "no mask": (entry(segmentation=None), "entry 0 has no segmentation; masks are scored"),
    "size": (
        entry(segmentation={"size": [800, 16], "counts": "x"}),
        r"entry 0: its run lengths have size \[800, 16\], image 1 has \[16, 800\]",
    ),
    "runs": (entry(segmentation={**rle(0), "counts": "11"}), "entry 0: run lengths must be"),
    "nan": (entry(score=float("nan")), "entry 0 has score nan; it must be a finite number"),
    "inf": (entry(score=float("inf")), "entry 0 has score inf; it must be a finite number"),
    "no score": (entry(score=None), "entry 0 has score None; it must be a finite number"),
    "score kind": (entry(score="0.5"), "entry 0 has score '0.5'; it must be a finite number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_results_are_named(tmp_path: Path, name: str) -> None:
    value, message = WRONG[name]
    files = write(tmp_path, [value], "results.json"), write(tmp_path, truth_content({1: 1}))
    with pytest.raises(InputError, match=f"results.json: {message}") as caught:
        score_files(*files, "coco")
    assert "\n" not in str(caught.value)


def wrong(**annotation: Any) -> dict[str, Any]:
    content = truth_content({1: 1})
    content["annotations"][0] |= annotation
    return content


WRONG_TRUTH = {
    "kind": ([], "has no list 'images'; --truth is COCO JSON"),
    "no list": ({"images": [], "annotations": []}, "has no list 'categories'"),
    "image twice": (
        {**truth_content({1: 1}), "images": truth_content({1: 1})["images"] * 2},
        "image 1 is there twice; ids must differ",
    ),
    "category twice": (
        {**truth_content({1: 1}), "categories": truth_content({1: 1})["categories"][:1] * 2},
        "category 9 is there twice",
    ),
    "owner": (wrong(image_id=4), "annotation 0 is of image 4, which is not in images"),
    "category": (wrong(category_id=4), "annotation 0 has category_id 4, which is not in"),
    "mask": (wrong(segmentation=[]), "annotation 0 has no segmentation; remove it"),
    "polygon": (wrong(segmentation=[[1, 2, 3, 4]]), "annotation 0: a polygon must be"),
    "area": (wrong(area="big"), "annotation 0 has area 'big'; it must be a number"),
    "negative area": (wrong(area=-1), "annotation 0 has area -1; it must be a number of pixels"),
    "crowd": (wrong(iscrowd="0"), "annotation 0 has iscrowd '0'; it must be 0 or 1"),
}


@pytest.mark.parametrize("name", WRONG_TRUTH)
def test_wrong_truth_is_named(tmp_path: Path, name: str) -> None:
    content, message = WRONG_TRUTH[name]
    files = write(tmp_path, [], "results.json"), write(tmp_path, content)
    with pytest.raises(InputError, match=f"truth.json: {message}"):
        score_files(*files, "coco")


def test_files_that_are_none(tmp_path: Path) -> None:
    truth = write(tmp_path, truth_content({1: 1}))
    for results, message in (
        (tmp_path / "none.json", "none.json: no such results file"),
        (truth, "truth.json: holds a dict; COCO results are a list"),
    ):
        with pytest.raises(InputError, match=message):
            score_files(results, truth, "coco")
    (tmp_path / "half.json").write_text("[{")
    with pytest.raises(InputError, match=r"half.json: cannot be read as JSON .*whole\?"):
        score_files(tmp_path / "half.json", truth, "coco")
    with pytest.raises(InputError, match="none.json: no such annotation file"):
        score_files(write(tmp_path, [], "r.json"), tmp_path / "none.json", "coco")


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "pycocotools":
            raise ImportError(name)
        return real(name, *rest)

    files = write(tmp_path, [], "r.json"), write(tmp_path, truth_content({1: 0}))
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[images\]'"):
        score_files(*files, "coco")
