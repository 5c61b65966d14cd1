"""Scores of chart lines: by hand, against a slow twin, and what moves them and what does not."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import LineMetrics, score_files
from geoinfluencer.metrics.line_scores import (
    agreements,
    chart_scale,
    placed_agreement,
    published_agreement,
    score_6a,
    score_6b,
)

METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, np.float64).reshape(-1, 2)


def flat(y: float, end: float = 100.0) -> np.ndarray:
    return line((0, y), (end, y))


def f1(recall: float, precision: float) -> float:
    return 2 * recall * precision / (recall + precision)


VERTICAL = line((10, 0), (10, 50), (10, 100))
DIAGONAL = line((0, 0), (100, 100))
CHART = [flat(100.0), flat(200.0)]  # 100 high


def test_a_shifted_line_by_hand() -> None:
    assert published_agreement(flat(110), flat(100)) == pytest.approx(f1(0.9, 100 / 110))
    assert published_agreement(flat(1010), flat(1000)) == pytest.approx(f1(0.99, 1000 / 1010))
    for lift in (0, 900):  # where the chart lies is nothing to the other one
        shifted = placed_agreement(flat(110 + lift), flat(100 + lift), chart_scale(CHART))
        assert shifted == pytest.approx(0.9)


def test_epsilon_is_of_the_predicted_line() -> None:
    assert published_agreement(flat(50), DIAGONAL) == 0  # epsilon 0: the flat line is all wrong
    expected = f1(1 - 50 / 51, (1 - 50 / 101) / 2)
    assert published_agreement(DIAGONAL, flat(50)) == pytest.approx(expected)


def test_points_weigh_by_their_stretch() -> None:
    truth = line((0, 100), (1, 100), (10, 100))
    found = line((0, 100), (1, 100), (10, 200))  # epsilon 1; the last point has 4.5 of 10
    expected = f1(1 - 0.45 * 100 / 101, 1 - 0.45 * 100 / 201)
    assert published_agreement(found, truth) == pytest.approx(expected)
    assert published_agreement(found[[2, 0, 1]], truth) == pytest.approx(expected)
    assert placed_agreement(found, truth, 200.0) == pytest.approx(1 - 0.45 / 2)


def test_lines_that_end_early_are_missed_by_the_placed_score_alone() -> None:
    assert published_agreement(flat(50, 50), flat(50)) == 1
    assert placed_agreement(flat(50, 50), flat(50), 100.0) == pytest.approx(f1(0.75, 1.0))


def test_vertical_lines() -> None:
    beside = VERTICAL + [20, 0]
    assert placed_agreement(VERTICAL, VERTICAL[::-1], 100.0) == 1
    assert placed_agreement(beside, VERTICAL, 100.0) == pytest.approx(0.8)
    assert published_agreement(VERTICAL, VERTICAL) < 1
    # The other's last point, 100 down, is read off for all three.
    expected = (0 + (1 - 50 / 51) + 1) / 3
    assert published_agreement(VERTICAL, VERTICAL) == pytest.approx(expected)


def test_single_points() -> None:
    assert published_agreement(line((3, 0)), line((3, 0))) == 1
    assert published_agreement(line((3, 5)), line((3, 4))) == pytest.approx(f1(0.75, 0.8))
    assert placed_agreement(line((3, 5)), line((3, 4)), 2.0) == pytest.approx(0.5)


def test_nothing_agrees_with_nothing() -> None:
    empty = np.zeros((0, 2))
    for agreement in (published_agreement, lambda a, b: placed_agreement(a, b, 1.0)):
        assert agreement(empty, empty) == 1
        assert agreement(empty, DIAGONAL) == agreement(DIAGONAL, empty) == 0


@pytest.mark.parametrize(
    ("table", "six_a", "six_b"),
    [
        ([[0.9, 0.8], [0.8, 0.1]], 0.8, 0.8),  # not the greedy one: 0.9 + 0.1
        ([[0.9], [0.5]], 0.45, 0.45),
        ([[0.5, 0.9, 0.2]], 0.9, 0.3),
        (np.zeros((2, 0)), 0.0, 0.0),
        (np.zeros((0, 2)), 0.0, 0.0),
        (np.zeros((0, 0)), 1.0, 1.0),
    ],
)
def test_assignment_by_hand(table: Any, six_a: float, six_b: float) -> None:
    table = np.asarray(table, np.float64)
    assert score_6a(table) == pytest.approx(six_a)
    assert score_6b(table) == pytest.approx(six_b)


def slow_share(at: list[Any], other: list[Any], epsilon: float) -> float:
    """What the published rule says, point by point."""
    at, other = sorted(at, key=lambda p: p[0]), sorted(other, key=lambda p: p[0])
    total = weight_sum = 0.0
    for i, (x, y) in enumerate(at):
        before = at[i - 1][0] if i else x
        after = at[i + 1][0] if i + 1 < len(at) else x
        weight = (after - before) / 2 if len(at) > 1 else 1.0
        if x <= other[0][0]:
            read = other[0][1]
        elif x >= other[-1][0]:
            read = other[-1][1]
        else:
            (x0, y0), (x1, y1) = next((a, b) for a, b in pairwise(other) if a[0] <= x <= b[0])
            read = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        total += weight * (1 - min(1.0, abs(y - read) / (abs(y) + epsilon)))
        weight_sum += weight
    return total / weight_sum


def slow_score(found: list[Any], truth: list[Any], divisor: int) -> float:
    best = 0.0
    small, large = sorted((found, truth), key=len)
    for order in permutations(range(len(large)), len(small)):
        total = 0.0
        for k, m in enumerate(order):
            one = found[k] if small is found else found[m]
            two = truth[m] if small is found else truth[k]
            height = [y for _, y in one]
            epsilon = (max(height) - min(height)) / 100
            recall, precision = slow_share(two, one, epsilon), slow_share(one, two, epsilon)
            total += f1(recall, precision) if recall + precision else 0.0
        best = max(best, total)
    return best / divisor


LINE = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 300)),
    min_size=2, max_size=6, unique_by=lambda p: p[0],
)  # fmt: skip
IMAGE = st.lists(LINE, min_size=1, max_size=3)


@settings(deadline=None, max_examples=60)
@given(IMAGE, IMAGE)
def test_against_the_slow_twin(found: list[Any], truth: list[Any]) -> None:
    table = agreements(
        [line(*each) for each in found], [line(*each) for each in truth], published_agreement
    )
    assert table.shape == (len(truth), len(found))
    assert score_6a(table) == pytest.approx(slow_score(found, truth, len(truth)), abs=1e-9)
    larger = max(len(truth), len(found))
    assert score_6b(table) == pytest.approx(slow_score(found, truth, larger), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(IMAGE, IMAGE, st.integers(-500, 500), st.integers(-500, 500))
def test_the_placed_score_knows_no_origin(
    found: list[Any], truth: list[Any], right: int, down: int
) -> None:
    scores = []
    for move in ((0, 0), (right, down)):
        moved = [[line(*each) + move for each in lines] for lines in (found, truth)]
        scores.append(LineMetrics().update(*moved))
    for key in ("line_6a_placed", "line_6b_placed"):
        assert scores[0][key] == pytest.approx(scores[1][key], abs=1e-9)


def test_perfect_missing_and_extra_lines() -> None:
    truth = [line((0, 10), (50, 90), (100, 20)), flat(60), line((5, 30), (95, 80))]
    for found, six_a, six_b in (
        (truth, 1, 1),
        (truth[::-1], 1, 1),
        (truth[:2], 2 / 3, 2 / 3),
        ([*truth, flat(300)], 1, 3 / 4),
        ([], 0, 0),
    ):
        scores = LineMetrics().update(found, truth)
        assert [scores["line_6a"], scores["line_6a_placed"]] == pytest.approx([six_a] * 2)
        assert [scores["line_6b"], scores["line_6b_placed"]] == pytest.approx([six_b] * 2)
        assert scores["count_error"] == abs(len(found) - 3)
        assert scores["count_exact"] == (len(found) == 3)


def test_the_metrics_page_names_every_key() -> None:
    text = METRICS_PAGE.read_text(encoding="utf-8")
    section = text.split("protocol `lines`", 1)[1].split("\n## ", 1)[0]
    assert set(LineMetrics().compute()) <= set(re.findall(r"`(\w+)`", section))


def test_scale_of_charts() -> None:
    assert chart_scale(CHART) == 100
    assert chart_scale([flat(30, 400)]) == 40  # a tenth of the width
    assert chart_scale([]) == chart_scale([line((4, 4))]) == 1


def test_means_are_over_images() -> None:
    metrics = LineMetrics()
    assert math.isnan(metrics.compute()["line_6a"])
    metrics.update(CHART, CHART)
    metrics.update([], CHART)
    metrics.update([], [])
    found = metrics.compute()
    assert found["line_6a"] == found["line_6b_placed"] == pytest.approx(2 / 3)
    assert found["count_error"] == pytest.approx(2 / 3)
    assert found["count_exact"] == pytest.approx(2 / 3)
    assert (found["num_images"], found["num_lines"], found["num_predicted_lines"]) == (3, 4, 2)


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def ours(path: Path, **images: list[np.ndarray]) -> Path:
    entries = {
        name: [{"score": 0.5, "xy": each.tolist()} for each in lines]
        for name, lines in images.items()
    }
    return write(path, {"lines": entries})


def annotated(path: Path, *names: str) -> Path:
    """Every image has the lines of CHART, in ``bbox``, and a box of category 1."""
    annotations = [
        {"id": 10 * i + k, "image_id": i, "category_id": category, "bbox": values}
        for i in range(len(names))
        for k, (category, values) in enumerate(
            [(2, [0, 100, 50, 100, 100, 100]), (2, [0, 200, 100, 200]), (1, [3, 4, 5, 6])]
        )
    ]
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    categories = [{"id": 1, "name": "box"}, {"id": 2, "name": "Line"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return write(path, content)


def test_files_are_joined_by_image(tmp_path: Path) -> None:
    truth = annotated(tmp_path / "truth.json", "val/a.png", "val/b.jpg")
    pred = ours(tmp_path / "lines.json", a=CHART[::-1])
    found = score_files(pred, truth, "lines").compute()
    assert found["line_6a"] == found["line_6b"] == pytest.approx(1 / 2)
    assert found["num_images"] == 2 and found["count_exact"] == 1 / 2
    whole = ours(tmp_path / "whole.json", **{"val/a": CHART, "val/b.jpg": CHART})
    assert score_files(whole, truth, "lines").compute()["line_6b_placed"] == 1
    assert score_files(truth, whole, "lines", line_category_id=2).compute()["line_6b"] == 1


def test_ub_pmc_is_a_file_or_a_folder(tmp_path: Path) -> None:
    lines = [[{"x": x, "y": y} for x, y in each.tolist()] for each in CHART]
    (tmp_path / "gt").mkdir()
    content = {"task6": {"output": {"visual elements": {"lines": lines}}}}
    file = write(tmp_path / "gt" / "PMC7.json", content)
    write(tmp_path / "gt" / "PMC8.json", content)
    pred = ours(tmp_path / "lines.json", PMC7=CHART)
    assert score_files(pred, file, "lines").compute()["line_6a"] == 1
    assert score_files(pred, tmp_path / "gt", "lines").compute()["line_6a"] == 0.5


def test_images_that_the_truth_lacks_are_named(tmp_path: Path) -> None:
    truth = annotated(tmp_path / "truth.json", "a.png")
    pred = ours(tmp_path / "lines.json", a=CHART, z=CHART)
    with pytest.raises(InputError, match=r"lines.json: image 'z' is not in .*truth.json \(one of"):
        score_files(pred, truth, "lines")
    twice = annotated(tmp_path / "twice.json", "a.png", "a.jpg")
    with pytest.raises(InputError, match=r"twice.json: two images are called 'a'"):
        score_files(pred, twice, "lines")
