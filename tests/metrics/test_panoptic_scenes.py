"""Panoptic quality of scenes, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import ClassSet, PanopticMetrics, SemanticMetrics

CLASSES = ClassSet(("floor", "chair", "table"), (0, 1, 2), stuff=("floor",))


def scores(
    wanted: list[tuple[int, int, int]], found: list[tuple[int, int, int]], classes: ClassSet
) -> dict[str, float]:
    """Parts of (points, instance, class)."""
    columns = [
        np.concatenate([np.full(part[0], part[i]) for part in parts])
        for parts in (wanted, found)
        for i in (1, 2)
    ]
    metric = PanopticMetrics(classes=classes)
    metric.update(*columns)
    return metric.compute()


def test_by_hand() -> None:
    # Floor .8 of 100; a chair with IoU 90 / 100, one missed and none false; no table.
    wanted = [(100, -1, 0), (100, 0, 1), (50, 1, 1)]
    found = [(80, -1, 0), (20, -1, -1), (90, 0, 1), (10, -1, -1), (20, 1, 1), (30, -1, -1)]
    result = scores(wanted, found, CLASSES)
    assert result["pq_of_floor"] == pytest.approx(0.8)
    # one match of .9, one of 20 / 50 that is none: one missed and one false
    assert result["sq_of_chair"] == pytest.approx(0.9)
    assert result["rq_of_chair"] == pytest.approx(1 / 2)
    assert result["pq_of_chair"] == pytest.approx(0.45)
    assert math.isnan(result["pq_of_table"])
    assert result["pq"] == pytest.approx((0.8 + 0.45) / 2)
    assert result["pq_things"] == pytest.approx(0.45) and result["pq_stuff"] == pytest.approx(0.8)
    assert result["things"] == "chair, table" and result["stuff"] == "floor"
    assert result["classes_without_truth"] == "table"


def test_stuff_is_one_segment_whatever_its_instances() -> None:
    wanted, found = [(50, 0, 0), (50, 1, 0)], [(100, 7, 0)]
    assert scores(wanted, found, CLASSES)["pq"] == 1.0
    assert scores(wanted, found, CLASSES.with_stuff([]))["pq"] == 0.0


def test_void_does_not_count() -> None:
    # 60 of the prediction's 160 points are void: IoU 100 / 100. 60 of 100 void: not false.
    wanted = [(100, 0, 1), (60, -1, -1), (60, -1, -1), (40, 1, 1)]
    found = [(160, 0, 1), (100, 1, 1)]
    result = scores(wanted, found, CLASSES)
    assert result["sq_of_chair"] == 1.0 and result["pq_of_chair"] == 1.0
    one_less = [(100, 0, 1), (60, -1, -1), (45, -1, -1), (55, -1, 0)]
    result = scores(one_less, found, CLASSES)
    assert result["rq_of_chair"] == pytest.approx(1 / 1.5)


def test_an_iou_of_one_half_is_no_match() -> None:
    result = scores([(100, 0, 1)], [(50, 0, 1), (50, -1, -1)], CLASSES)
    assert result["pq"] == 0.0


def test_unknown_stuff() -> None:
    with pytest.raises(InputError, match="stuff: no class 'flor'; did you mean 'floor'"):
        CLASSES.with_stuff(["flor"])


def test_tables_of_scenes_add_up() -> None:
    one, other = (SemanticMetrics(classes=CLASSES) for _ in range(2))
    one.update(np.array([0, 0, 1, -1]), np.array([0, 1, -1, 2]))
    assert one.compute()["iou_of_floor"] == pytest.approx(1 / 2)
    other.table += one.table
    assert other.compute() == pytest.approx(one.compute(), nan_ok=True)
