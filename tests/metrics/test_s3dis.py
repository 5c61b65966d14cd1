"""Coverage, precision and recall of rooms, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from geoinfluencer.metrics import ClassSet
from geoinfluencer.metrics.scene_points import FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_scores import SceneScores

CLASSES = ClassSet(("chair", "table", "sofa"), (0, 1, 2))


def points(*parts: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Parts of (points, instance, class)."""
    instance, semantic = (
        np.concatenate([np.full(part[0], part[i]) for part in parts]) for i in (1, 2)
    )
    return instance, semantic


def scores(*rooms: Any) -> dict[str, Any]:
    metric = SceneScores("s3dis", CLASSES)
    for wanted, found in rooms:
        metric.update(TruthPoints(*points(*wanted)), FoundPoints(*points(*found)))
    return metric.compute()


def test_two_halves_of_one_instance_are_one_match() -> None:
    found = scores(([(100, 0, 0)], [(50, 0, 0), (50, 1, 0)]))
    assert (found["mprec"], found["mrec"]) == (0.5, 1.0)
    assert (found["original_mprec"], found["original_mrec"]) == (1.0, 2.0)
    assert found["mcov"] == 0.5


def test_coverage_by_hand() -> None:
    # Chairs of 100 (found by 60 of its points) and 300 (whole): (.6 + 1) / 2; (60 + 300) / 400.
    # The table of 100 is taken for a chair.
    wanted = [(100, 0, 0), (300, 1, 0), (100, 2, 1)]
    found = [(60, 0, 0), (40, -1, 0), (300, 1, 0), (100, 2, 0)]
    result = scores((wanted, found))
    assert result["cov_of_chair"] == pytest.approx(0.8)
    assert result["wcov_of_chair"] == pytest.approx(0.9)
    assert result["cov_of_table"] == 0.0 and math.isnan(result["cov_of_sofa"])
    assert result["mcov"] == pytest.approx(0.4) and result["mwcov"] == pytest.approx(0.45)
    assert result["prec_of_chair"] == pytest.approx(2 / 3) and result["rec_of_chair"] == 1.0
    assert result["prec_of_table"] == 0.0  # nothing was predicted, and something was there
    assert result["mprec"] == pytest.approx(1 / 3) and result["mrec"] == 0.5
    assert result["classes_without_truth"] == "sofa"
    assert result["agnostic_mcov"] == pytest.approx(2.6 / 3) and result["agnostic_mrec"] == 1.0


def test_coverage_is_a_mean_over_rooms_and_matches_are_pooled() -> None:
    whole = ([(100, 0, 0)], [(100, 0, 0)])
    missed = ([(50, 0, 0), (50, 1, 0), (50, 2, 0)], [(150, -1, 0)])
    found = scores(whole, missed)
    assert found["mcov"] == 0.5 and found["mrec"] == 0.25 and found["mprec"] == 1.0


def test_one_half_is_enough_here() -> None:
    assert scores(([(100, 0, 0)], [(50, 0, 0), (50, -1, 0)]))["mrec"] == 1.0


def test_points_without_a_class_are_no_ceiling() -> None:
    # 40 points without a prediction: class 0 gains nothing from them.
    found = scores(([(60, 0, 1), (40, 1, 0)], [(60, 0, 1), (40, -1, -1)]))
    assert found["iou_of_chair"] == 0.0 and found["iou_of_table"] == 1.0
    assert found["miou"] == 0.5 and math.isnan(found["iou_of_sofa"])


def test_perfect_predictions_score_one() -> None:
    room = [(30, 0, 0), (50, 4, 1), (20, 2, 2), (10, -1, -1)]
    found = scores((room, room), (room, room))
    for key in ("mcov", "mwcov", "mprec", "mrec", "original_mrec", "agnostic_mcov", "miou"):
        assert found[key] == 1.0


def test_without_classes() -> None:
    metric = SceneScores("s3dis", CLASSES, with_classes=False)
    instance = np.repeat([0, 1, -1], 40)
    metric.update(TruthPoints(instance), FoundPoints(instance))
    found = metric.compute()
    assert found["agnostic_mcov"] == 1.0 and "mcov" not in found and "miou" not in found
