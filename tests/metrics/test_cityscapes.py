"""Cityscapes' rules on cases whose scores are worked out by hand, and its files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.errors import InputError
from geoinfluencer.metrics import score_files
from geoinfluencer.metrics.cityscapes import CITYSCAPES_THRESHOLDS, CityscapesMetrics
from geoinfluencer.metrics.scene_points import FoundMasks

CAR, PERSON = 26, 24


def ids(*parts: tuple[int, int]) -> np.ndarray:
    """One row of pixels, parts of (pixels, number)."""
    return np.concatenate([np.full(count, number) for count, number in parts])[None]


def masks(truth: np.ndarray, *parts: tuple[int, int, float], label: int = CAR) -> FoundMasks:
    """Predictions from pixel to pixel."""
    ranges = [np.arange(low, high) for low, high, _ in parts]
    scores = np.array([score for *_, score in parts])
    return FoundMasks(lambda k: ranges[k], np.full(len(parts), label), scores, truth.size)


def score(truth: np.ndarray, *parts: tuple[int, int, float], **options: int) -> dict[str, Any]:
    metric = CityscapesMetrics()
    metric.update(truth, masks(truth, *parts, **options))
    return metric.compute()


def test_the_thresholds_are_ten() -> None:
    assert CITYSCAPES_THRESHOLDS.tolist() == pytest.approx([0.5 + 0.05 * k for k in range(10)])


def test_an_iou_must_exceed_the_threshold() -> None:
    truth = ids((200, 26000), (100, 7))
    assert score(truth, (0, 100, 0.9))["ap50"] == 0
    more = score(truth, (0, 101, 0.9))
    assert more["ap50"] == 1 and more["ap"] == pytest.approx(0.1)
    # .92 exceeds .50 to .90: nine of ten; a road is no void, yet costs nothing but IoU
    assert score(truth, (0, 184, 0.9))["ap"] == pytest.approx(0.9)
    assert score(truth, (0, 200, 0.9))["ap"] == 1


def test_classes_are_averaged_where_there_is_truth() -> None:
    truth = ids((200, 26000), (200, 24003), (50, 7))
    found = score(truth, (0, 200, 0.9), (200, 400, 0.8))  # the person is called a car
    # at every threshold: the car is found, the false one ranks below it
    assert found["ap_of_car"] == 1 and found["ap_of_person"] == 0
    assert found["ap"] == pytest.approx(0.5) and math.isnan(found["ap_of_bus"])
    assert "bus" in found["classes_without_truth"] and "car" not in found["classes_without_truth"]
    assert (found["num_truth"], found["num_predicted"], found["num_images"]) == (2, 2, 1)


def test_a_false_one_that_ranks_first_halves_the_precision() -> None:
    truth = ids((200, 26000), (200, 7))
    # precision and recall: (1/2, 1), (0, 0), (1, 0) with widths 1/2, 1/2, 0
    assert score(truth, (0, 200, 0.5), (200, 400, 0.9))["ap"] == pytest.approx(0.25)


def test_the_second_match_of_an_object_is_false() -> None:
    truth = ids((200, 26000), (100, 7))
    found = score(truth, (0, 200, 0.5), (0, 180, 0.9))  # IoU 1 and .9
    # up to .85 both match: the better score stands for the object, the lower is false and last:
    # (1/2, 1), (1, 1), (1, 0) with widths 0, 1/2, 1/2; from .90 on the first in rank is false
    assert found["ap50"] == 1
    assert found["ap"] == pytest.approx((8 * 1.0 + 2 * 0.25) / 10)


@pytest.mark.parametrize("number", [26, 0, 4])
def test_groups_and_void_are_no_mistake_of_the_model(number: int) -> None:
    truth = ids((200, 26000), (150, number), (50, 7))
    # 150 of 200 pixels in the group or the void: ignored below .75, false from there on, and first
    found = score(truth, (0, 200, 0.5), (200, 400, 0.9))
    assert found["ap50"] == 1
    assert found["ap"] == pytest.approx((5 * 1.0 + 5 * 0.25) / 10)
    assert found["num_truth"] == 1


def test_the_group_of_another_class_is_no_excuse() -> None:
    truth = ids((200, 26000), (200, 24))
    assert score(truth, (0, 200, 0.5), (200, 400, 0.9))["ap50"] == pytest.approx(0.25)


def test_trailers_are_void_only_without_a_number() -> None:
    parts = ((0, 200, 0.5), (200, 400, 0.9))
    assert score(ids((200, 26000), (200, 30)), *parts)["ap50"] == 1
    assert score(ids((200, 26000), (200, 30001)), *parts)["ap50"] == pytest.approx(0.25)


def test_small_objects_are_not_missed_but_small_predictions_count() -> None:
    truth = ids((200, 26000), (99, 26001), (200, 7))
    assert score(truth, (0, 200, 0.5))["ap"] == 1
    assert score(truth, (0, 200, 0.5), (200, 299, 0.9))["ap"] == 1  # that one, found
    small = score(truth, (0, 200, 0.5), (300, 320, 0.9))  # 20 pixels of road
    assert small["ap"] == pytest.approx(0.25) and small["num_predicted"] == 2
    empty = score(truth, (0, 200, 0.5), (300, 300, 0.9))
    assert empty["ap"] == 1 and empty["num_predicted"] == 1


def test_nothing_found_and_nothing_there() -> None:
    assert score(ids((200, 26000)))["ap"] == 0
    assert math.isnan(score(ids((200, 7)), (0, 100, 0.5))["ap"])


# ---------------------------------------------------------------------------------------- files


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Two frames of 20 x 40; in the second one, by city and name, a car of 20 x 10."""
    image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
    truth = np.full((2, 20, 40), 7, np.uint16)
    truth[1, :, 5:15] = 26000
    for name, pixels in zip(("bonn_000000_000019", "ulm_000000_000019"), truth, strict=True):
        folder = tmp_path / "gtFine" / "val" / name.split("_")[0]
        folder.mkdir(parents=True)
        image.fromarray(pixels).save(folder / f"{name}_gtFine_instanceIds.png")
    mask = (truth[1] > 1000).astype(np.uint8) * 255
    lists = tmp_path / "lists"
    (lists / "deep").mkdir(parents=True)
    image.fromarray(mask).convert("1").save(lists / "deep" / "mask0.png")
    (lists / "deep" / "ulm_000000_000019_pred.txt").write_text("mask0.png 26 0.75\n")
    (lists / "bonn_000000_000019.txt").write_text("")
    return tmp_path


def result(number: int, mask: np.ndarray, category: int = 26) -> dict[str, Any]:
    module = pytest.importorskip("pycocotools.mask", reason="needs the extra images")
    code = module.encode(np.asfortranarray(mask.astype(np.uint8)))
    code["counts"] = code["counts"].decode()
    return {"image_id": number, "category_id": category, "segmentation": code, "score": 0.75}


def test_a_submission_and_coco_results_score_alike(street: Path) -> None:
    truth = street / "gtFine" / "val"
    found = score_files(street / "lists", truth, "cityscapes").compute()
    assert (found["ap"], found["num_images"], found["num_truth"]) == (1, 2, 1)
    mask = np.zeros((20, 40), bool)
    mask[:, 5:15] = True
    results = street / "results.json"
    results.write_text(json.dumps([result(1, mask)]))
    assert score_files(results, truth, "cityscapes").compute() == pytest.approx(found, nan_ok=True)
    results.write_text(json.dumps([result(0, mask)]))
    assert score_files(results, truth, "cityscapes").compute()["ap"] == 0


def test_faults_are_named(street: Path) -> None:
    truth = street / "gtFine" / "val"
    results = street / "results.json"
    cases: list[tuple[Any, str]] = [
        ([result(2, np.ones((20, 40)))], "entry 0 has image_id 2; the 2 images of the truth"),
        ([result(1, np.ones((20, 40)), category=3)], "category_id 3, which is not in"),
        ([result(1, np.ones((10, 40)))], r"have size \[10, 40\]"),
    ]
    for content, words in cases:
        results.write_text(json.dumps(content))
        with pytest.raises(InputError, match=words):
            score_files(results, truth, "cityscapes")
    with pytest.raises(InputError, match=r"no file \*_gtFine_instanceIds.png in it"):
        score_files(street / "lists", street / "lists", "cityscapes")
    with pytest.raises(InputError, match="nowhere: no such file"):
        score_files(street / "nowhere", truth, "cityscapes")
    (street / "lists" / "bonn_000000_000019.txt").unlink()
    with pytest.raises(InputError, match=r"expected one list bonn_000000_000019\*.txt, found none"):
        score_files(street / "lists", truth, "cityscapes")


def test_label_ids_that_are_not_scored_are_named_once(
    street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, lists = street / "gtFine" / "val", street / "lists"
    command = ["eval", "--pred", str(lists), "--truth", str(truth), "--protocol", "cityscapes"]
    assert main(command) == 0
    assert "not scored" not in capsys.readouterr().out
    image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
    for name in ("a.png", "b.png", "c.png"):
        image.fromarray(np.ones((20, 40), np.uint8)).save(lists / name)
    (lists / "bonn_000000_000019.txt").write_text("a.png 40 0.5\nb.png 13 0.5\nc.png 40 0.9\n")
    found = score_files(lists, truth, "cityscapes").compute()
    assert found["unscored_labels"] == "13 (1), 40 (2)"
    assert (found["ap"], found["num_predicted"]) == (1, 1)
    assert main(command) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "not scored" in line]
    assert len(said) == 1 and "label ids 13 (1), 40 (2) are not scored" in said[0]
    assert "26 car" in said[0]
