"""ARI of the pixels of lines: by hand, against a painted twin, and what does not move it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from geoinfluencer.metrics.clustering import adjusted_rand_index, contingency
from geoinfluencer.metrics.line_pixels import line_pixels_ari


def flat(y: float, start: float = 0.0, end: float = 9.0) -> np.ndarray:
    return np.array([(start, y), (end, y)])


TRUTH = [flat(10.0), flat(20.0)]  # 10 pixels long, each with 10 + 2 * 9 or so pixels around it


def ari(truth: list[int], found: list[int]) -> float:
    return adjusted_rand_index(contingency(np.array(truth), np.array(found)))


def test_thin_lines_by_hand() -> None:
    """Of thickness 1 a line at a whole y covers the pixels of its row alone: ten each."""
    owner = [0] * 10 + [1] * 10
    for found, label in (
        (TRUTH, owner),
        (TRUTH[::-1], owner),
        ([flat(10.0), flat(20.0, 0, 4), flat(20.0, 7, 9)], [0] * 10 + [1] * 6 + [2] * 4),
        ([flat(10.0)], [0] * 10 + list(range(1, 11))),  # without a line: groups of their own
        ([], list(range(20))),
        ([np.array([(0, 10), (9, 10), (9, 20), (0, 20)])], [0] * 20),
        ([flat(10.9), flat(19.1)], owner),
        ([flat(11.2), flat(20.0)], list(range(1, 11)) + [0] * 10),  # farther off than 1
    ):
        value = line_pixels_ari(found, TRUTH, thickness=1.0)
        assert value == pytest.approx(ari(owner, label)), len(found)


def test_pixels_of_two_true_lines_do_not_count() -> None:
    cross = [np.array([(0, 5), (10, 5)]), np.array([(5, 0), (5, 10)])]
    swapped = [np.array([(0, 5), (5, 5), (5, 10)]), np.array([(5, 0), (5, 5), (10, 5)])]
    owner = [0] * 10 + [1] * 10
    label = [0] * 5 + [1] * 5 + [1] * 5 + [0] * 5
    assert line_pixels_ari(swapped, cross, thickness=1.0) == pytest.approx(ari(owner, label))
    assert line_pixels_ari(cross, cross, thickness=1.0) == 1


def test_against_a_painted_twin() -> None:
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(60.0), np.arange(40.0)), axis=-1).reshape(-1, 2)

    def distance(line: np.ndarray) -> np.ndarray:
        each = []
        for start, end in itertools.pairwise(line):
            way = end - start
            share = np.clip((grid - start) @ way / (way @ way), 0, 1)
            each.append(np.linalg.norm(start + share[:, None] * way - grid, axis=1))
        return np.min(each, axis=0)

    for _ in range(5):
        truth = [rng.uniform(3, 36, (4, 2)) + (k, 0) for k in range(3)]
        found = [line + rng.normal(0, 0.4, (4, 2)) for line in truth[:2]]
        far = np.stack([distance(line) for line in truth])
        owned = (far <= 1).sum(axis=0) == 1
        near = np.stack([distance(line) for line in found])
        label = np.where(near.min(axis=0) <= 2, near.argmin(axis=0), 2 + np.arange(len(grid)))
        twin = ari(far.argmin(axis=0)[owned].tolist(), label[owned].tolist())
        assert 0.1 < twin < 0.99
        assert line_pixels_ari(found, truth) == pytest.approx(twin, abs=0.03)


@pytest.mark.parametrize("start", [0.0, 0.1, 0.125, 0.2])
def test_where_a_line_starts_does_not_move_its_rows(start: float) -> None:
    """Of thickness 2 a level line covers three rows, those beside it exactly half of that away."""
    truth = [flat(10.0, start, 100), flat(30.0, start, 100)]
    near = [line + (0, 1.95) for line in truth]  # within 2 of the middle row and of that below
    columns = 101
    owner = [0] * 3 * columns + [1] * 3 * columns
    alone = iter(range(2, 1000))
    label = [
        line if row > 0 else next(alone)
        for line in (0, 1)
        for row in range(3)
        for _ in range(columns)
    ]
    assert line_pixels_ari(near, truth) == pytest.approx(ari(owner, label), abs=0.01)  # ends


def test_what_has_no_pixels_is_undefined() -> None:
    assert math.isnan(line_pixels_ari(TRUTH, []))
    assert math.isnan(line_pixels_ari([], []))
    assert math.isnan(line_pixels_ari(TRUTH, [flat(1.0, 0, 2e6)]))
    assert line_pixels_ari([np.zeros((0, 2)), *TRUTH], [*TRUTH, np.zeros((0, 2))]) == 1
    assert line_pixels_ari([], [np.array([(3.0, 4.0)])], thickness=1.0) == 1  # one pixel
