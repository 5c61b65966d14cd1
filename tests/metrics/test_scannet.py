"""ScanNet's rules on cases whose scores are worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import CLASS_SETS, ClassSet, ScanNetMetrics
from geoinfluencer.metrics.average_precision import SCANNET_THRESHOLDS, average_precision
from geoinfluencer.metrics.scene_points import FoundMasks, FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_scores import SceneScores

CHAIR, TABLE = 5, 7
Part = tuple[int, int, float]  # first point, end, score


def truth(*parts: tuple[int, int]) -> TruthPoints:
    """Parts of (points, code) one after the other."""
    codes = np.concatenate([np.full(points, code) for points, code in parts])
    return TruthPoints(np.where(codes > 0, codes, -1), codes // 1000, codes)


def masks(scene: TruthPoints, *parts: Part, label: int = CHAIR) -> FoundMasks:
    """Predictions from point to point."""
    ranges = [np.arange(low, high) for low, high, _ in parts]
    scores = np.array([score for *_, score in parts])
    return FoundMasks(lambda k: ranges[k], np.full(len(parts), label), scores, len(scene))


def scores(scene: TruthPoints, *parts: Part, protocol: str = "scannet") -> dict[str, float]:
    metric = SceneScores(protocol, CLASS_SETS["scannet"])
    metric.update(scene, masks(scene, *parts))
    return metric.compute()


def test_the_thresholds_are_nine() -> None:
    assert len(SCANNET_THRESHOLDS) == 9
    assert SCANNET_THRESHOLDS[[0, -1]] == pytest.approx([0.5, 0.9])


def test_an_iou_of_one_half_is_no_match_at_one_half() -> None:
    scene = truth((200, 5001), (100, 0))
    half = scores(scene, (0, 100, 0.9))
    assert (half["ap"], half["ap50"], half["ap25"]) == (0.0, 0.0, 1.0)
    more = scores(scene, (0, 101, 0.9))  # 101 / 200
    assert more["ap50"] == 1.0 and more["ap"] == pytest.approx(1 / 9)


def test_nine_thresholds_against_the_ten_of_coco() -> None:
    found = scores(truth((200, 5001), (100, 0)), (0, 184, 0.9))  # IoU .92
    assert found["ap"] == pytest.approx(1.0)
    assert found["coco_style_ap"] == pytest.approx(0.9)
    assert found["agnostic_coco_style_ap"] == pytest.approx(0.9)


def test_void_is_not_held_against_a_prediction() -> None:
    # A is found with score .5; a prediction of score .9 has 60 points in the void and 40 in A.
    scene = truth((60, 0), (240, 5001))
    parts = ((100, 300, 0.5), (0, 100, 0.9))
    found = scores(scene, *parts)
    # Ignored below .60: precision 1. From there on it is false: (1/2) (1/2) + 0.
    # The match itself, 200 / 240, holds up to .80.
    assert found["ap50"] == pytest.approx(1.0)
    assert found["ap"] == pytest.approx((2 * 1.0 + 5 * 0.25) / 9)
    literal = scores(scene, *parts, protocol="scannet-literal")
    assert literal["ap50"] == pytest.approx(0.25)


def test_walls_are_void_like_what_nobody_annotated() -> None:
    parts = ((100, 300, 0.5), (0, 100, 0.9))
    wall, nothing = (scores(truth((60, code), (240, 5001)), *parts) for code in (1001, 0))
    for key in ("ap", "ap50", "ap25", "agnostic_ap"):
        assert wall[key] == nothing[key] > 0.3


def test_the_literal_void_is_the_bare_id_of_a_class() -> None:
    parts = ((100, 300, 0.5), (0, 100, 0.9))
    bare = truth((60, 5), (240, 5001))
    assert scores(bare, *parts, protocol="scannet-literal")["ap50"] == pytest.approx(1.0)


def test_small_instances_are_neither_missed_nor_held_against() -> None:
    # 60 of B's 99 points and 40 of A's: B's IoU is 60 / 139.
    scene = truth((99, 5002), (240, 5001))
    found = scores(scene, (139, 339, 0.5), (39, 139, 0.9))
    assert found["ap50"] == pytest.approx(1.0)
    assert found["ap"] == pytest.approx((2 * 1.0 + 5 * 0.25) / 9)
    assert found["num_truth"] == 1
    # one point more and B is missed
    larger = scores(truth((100, 5002), (240, 5001)), (140, 340, 0.5))
    assert larger["ap50"] == pytest.approx(0.5) and larger["num_truth"] == 2


def test_small_predictions_do_not_count() -> None:
    scene = truth((300, 5001), (200, 5002))
    assert scores(scene, (0, 300, 0.5), (300, 399, 0.9))["num_predicted"] == 1
    assert scores(scene, (0, 300, 0.5), (300, 400, 0.9))["num_predicted"] == 2


def test_the_limit_is_ten_points_where_asked_for() -> None:
    scene = truth((50, 5001), (50, 0))
    for limit, value in ((100, math.nan), (10, 1.0)):
        metric = SceneScores("scannet", CLASS_SETS["scannet"], min_points=limit)
        metric.update(scene, masks(scene, (0, 50, 1.0)))
        assert metric.compute()["ap50"] == pytest.approx(value, nan_ok=True)
        assert metric.window == {"min_points": limit}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_of_two_matches_the_lower_score_is_false(order: Sequence[int]) -> None:
    # A twice, .9 and .6; B once, .1. Right .9, wrong .6, right .1:
    # steps of recall 1/4 each at precision 2/3, 1/2, 1 and the artificial 1.
    parts = [(0, 200, 0.6), (0, 150, 0.9), (200, 400, 0.1)]
    found = scores(truth((200, 5001), (200, 5002)), *(parts[i] for i in order))
    assert found["ap50"] == pytest.approx((2 / 3 + 1 / 2 + 1 + 1) / 4)


@pytest.mark.parametrize(("false", "value"), [(0.4, 1.0), (0.5, 0.75), (0.6, 0.25)])
def test_equal_scores_are_one_point_of_the_curve(false: float, value: float) -> None:
    found = scores(truth((200, 5001), (200, 7001)), (0, 200, 0.5), (200, 400, false))
    assert found["ap50_of_chair"] == pytest.approx(value)


def test_scores_that_differ_in_the_last_digit_differ() -> None:
    nearly = math.nextafter(0.5, 0.0)
    found = scores(truth((200, 5001), (200, 7001)), (0, 200, 0.5), (200, 400, nearly))
    assert found["ap50_of_chair"] == 1.0


def test_below_one_half_a_prediction_may_cover_two() -> None:
    # IoU with each is 1/2: it takes the first alone, the second is missed.
    found = scores(truth((200, 5001), (200, 5002), (100, 0)), (0, 400, 0.9))
    assert (found["ap50"], found["ap25"]) == (0.0, pytest.approx(0.5))


def test_classes_without_truth_are_undefined_and_named() -> None:
    found = scores(truth((200, 5001), (200, 7001)), (0, 200, 0.9))
    assert found["ap_of_chair"] == 1.0 and found["ap_of_table"] == 0.0
    assert math.isnan(found["ap_of_shower_curtain"])
    assert found["ap"] == pytest.approx(0.5)
    named = str(found["classes_without_truth"]).split(", ")
    assert len(named) == 16 and "shower curtain" in named and "chair" not in named
    assert found["agnostic_ap"] == pytest.approx(0.5)


def test_only_ignored_predictions_score_nothing() -> None:
    assert scores(truth((300, 0), (200, 5001)), (0, 150, 0.9))["ap50"] == 0.0


def test_other_classes_do_not_match_but_with_no_notice_of_classes() -> None:
    scene = truth((200, 5001), (100, 0))
    metric = SceneScores("scannet", CLASS_SETS["scannet"])
    metric.update(scene, masks(scene, (0, 200, 0.9), label=TABLE))
    found = metric.compute()
    assert found["ap50"] == 0.0 and found["agnostic_ap50"] == 1.0
    assert math.isnan(found["ap50_of_table"])


def test_scenes_are_ranked_together() -> None:
    metric = SceneScores("scannet", CLASS_SETS["scannet"])
    scene = truth((200, 5001), (200, 7001))
    metric.update(scene, masks(scene, (0, 200, 0.5)))
    metric.update(scene, masks(scene, (200, 400, 0.9)))
    # one right of .5 behind one wrong of .9, one missed: recall 1/2 at precision 1/2
    assert metric.compute()["ap50_of_chair"] == pytest.approx(0.25 * 0.5)
    assert metric.compute()["num_scenes"] == 2


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_perfect_predictions_score_one(parts: list[int], seed: int) -> None:
    instance = np.repeat(parts, 20) - 1
    label = np.random.default_rng(seed).integers(0, 3, 6)
    semantic = np.append(label, -1)[instance]
    classes = ClassSet(("a", "b", "c"), (0, 1, 2))
    metric = SceneScores("scannet", classes, min_points=10)
    score = np.random.default_rng(seed).random(8)[instance]
    metric.update(TruthPoints(instance, semantic), FoundPoints(instance, semantic, score))
    found = metric.compute()
    if (instance >= 0).any():
        for key in ("ap", "ap50", "ap25", "coco_style_ap", "agnostic_ap"):
            assert found[key] == pytest.approx(1.0)
    else:
        assert math.isnan(found["ap"])


@given(st.integers(0, 2**32 - 1))
def test_labels_and_masks_are_scored_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance, wanted = rng.integers(-1, 8, 500), rng.integers(-1, 5, 500) // 2
    instance = np.where(rng.random(500) < 0.8, wanted * 2 + (wanted < 0), instance)
    scene = TruthPoints(wanted, np.where(wanted < 0, -1, wanted % 2))
    ids = np.unique(instance[instance >= 0])
    label, score = rng.integers(0, 2, 10), rng.random(10).round(1)
    found = FoundPoints(instance, np.append(label, -1)[instance], score[instance])
    listed = FoundMasks(
        lambda k: np.flatnonzero(instance == ids[k]), label[ids], score[ids], len(instance)
    )
    for protocol in ("scannet", "s3dis", "panoptic"):
        classes = ClassSet(("a", "b"), (0, 1))
        both = [SceneScores(protocol, classes, min_points=10) for _ in range(2)]
        both[0].update(scene, found)
        both[1].update(scene, listed)
        one, other = (metric.compute() for metric in both)
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert value == pytest.approx(other[key], nan_ok=True), key


def test_area_of_a_curve_by_hand() -> None:
    right = np.array([True, False, True])
    assert average_precision(np.array([0.9, 0.6, 0.1]), right, 0) == pytest.approx(
        (2 / 3 + 1 / 2 + 1 + 1) / 4
    )
    assert average_precision(np.empty(0), np.empty(0, bool), 3) == 0.0


def test_limit_below_one() -> None:
    with pytest.raises(InputError, match="min_points must be at least 1, got 0"):
        ScanNetMetrics(min_points=0)
