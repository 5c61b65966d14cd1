"""Lines through pixels: arcs, steep strokes, gaps, loops, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from geoinfluencer.condensation.pixel_route import link_pixels, longest_route
from geoinfluencer.condensation.polylines import polyline, polylines, resample


def painted(curve: np.ndarray, thickness: float = 2.0) -> np.ndarray:
    """(n, 2) pixels within half the thickness of a dense curve, in no order."""
    low, high = np.floor(curve.min(axis=0)) - 3, np.ceil(curve.max(axis=0)) + 4
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    near = cKDTree(curve).query(pixels)[0] <= thickness / 2
    return np.random.default_rng(0).permutation(pixels[near])


def straight(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    return np.linspace(start, end, 2000)


def way(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def assert_follows(
    line: np.ndarray, curve: np.ndarray, within: float = 1.5, ends: float = 3.0
) -> None:
    """Each is near the other, and the order is that of the curve, from its start to its end."""
    distance, place = cKDTree(curve).query(line)
    assert distance.max() <= within
    assert cKDTree(resample(line, 0.5)).query(curve)[0].max() <= within + 1.5
    assert (np.diff(place) > 0).mean() > 0.94
    assert np.linalg.norm(line[[0, -1]] - curve[[0, -1]], axis=1).max() <= ends


@pytest.mark.parametrize("thickness", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("end", [(80, 0), (80, 13), (40, 40), (9, 70), (0, 80), (60, -60)], ids=str)
def test_straight_strokes(end: tuple[float, float], thickness: float) -> None:
    curve = straight((5.3, 70.2), (5.3 + end[0], 70.2 + end[1]))
    line = polyline(painted(curve, thickness))
    assert line.dtype == np.float32
    assert_follows(line, curve)
    assert way(line) == pytest.approx(way(curve), abs=4)


def test_half_a_circle() -> None:
    angle = np.linspace(np.pi, 2 * np.pi, 3000)
    curve = 50 + 40 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    line = polyline(painted(curve))
    assert_follows(line, curve, within=1.0)
    assert np.abs(np.linalg.norm(line - 50, axis=1) - 40).mean() < 0.35
    gaps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    assert gaps.max() <= 2.1 and gaps.min() >= 1.5


def test_a_steep_wave() -> None:
    x = np.linspace(0, 120, 20_000)
    curve = np.stack([x, 60 + 50 * np.sin(x / 8)], axis=1)
    assert_follows(polyline(painted(curve)), curve, within=2.0)


def test_a_gap_is_bridged_and_a_far_part_is_left() -> None:
    curve = straight((0, 10), (100, 40))
    pixels = painted(curve)
    gapped = pixels[(pixels[:, 0] < 40) | (pixels[:, 0] > 55)]
    line = polyline(gapped)
    assert_follows(line, curve)
    assert ((line[:, 0] > 42) & (line[:, 0] < 53)).sum() >= 4  # points in the gap too
    far = np.concatenate([gapped, painted(straight((40, 150), (60, 150)))])
    assert np.array_equal(polyline(far), line)
    assert polyline(gapped, max_gap=5)[-1, 0] == pytest.approx(99, abs=3)
    assert polyline(gapped, max_gap=5)[0, 0] == pytest.approx(56, abs=3)


def test_dashes_are_one_line() -> None:
    curve = straight((0, 0), (75, 75))
    pixels = painted(curve)
    assert_follows(polyline(pixels[pixels.sum(axis=1) // 12 % 2 == 0]), curve, within=2.0)


def test_a_ring_is_closed() -> None:
    angle = np.linspace(0, 2 * np.pi, 4000)
    curve = 50 + 30 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    line = polyline(painted(curve))
    assert way(line) == pytest.approx(2 * np.pi * 30, rel=0.06)
    assert np.linalg.norm(line[0] - line[-1]) < 8
    assert cKDTree(line).query(curve)[0].max() < 4
    turn = np.unwrap(np.arctan2(*(line - 50).T[::-1]))
    assert abs(turn[-1] - turn[0]) > 5.7  # once round, without a way back


def test_a_loop_is_drawn_where_it_is_met() -> None:
    left, right = straight((0, 60), (50, 60)), straight((50, 60), (120, 60))
    angle = np.linspace(np.pi / 2, np.pi / 2 - 2 * np.pi, 4000)
    loop = np.stack([50 + 15 * np.cos(angle), 45 + 15 * np.sin(angle)], axis=1)
    line = polyline(painted(np.concatenate([left, loop, right])))
    assert line[0, 0] < 3 and line[-1, 0] > 117
    assert way(line) == pytest.approx(120 + 2 * np.pi * 15, rel=0.12)
    assert line[:, 1].min() == pytest.approx(30, abs=2)  # the top of the loop


def test_branches_are_left_out() -> None:
    curve = straight((0, 50), (100, 50))
    branch = straight((50, 50), (50, 25))
    line = polyline(painted(np.concatenate([curve, branch])))
    assert line[:, 1].min() > 45
    assert_follows(line, curve)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pixels(count: int) -> None:
    pixels = np.array([[4.0, 7.0], [3.0, 9.0]])[:count]
    line = polyline(pixels)
    assert line.shape == (count, 2) and line.dtype == np.float32
    assert line.tolist() == sorted(pixels.tolist())


def test_parts_that_nothing_links() -> None:
    pairs = np.array([[0, 0], [1, 0], [50, 3], [51, 3], [0, 90], [1, 90]])
    assert polyline(pairs, max_gap=10).tolist() == [[0.5, 0]]


def test_coarse_grids_have_their_own_spacing() -> None:
    curve = straight((0, 8), (400, 200))
    pixels = np.unique(painted(curve, 10) // 4 * 4, axis=0)
    assert_follows(polyline(pixels, step=8.0), curve - 1.5, within=4.0, ends=8.0)


def test_instances_are_drawn_apart() -> None:
    first, second = straight((0, 10), (60, 10)), straight((0, 30), (60, 50))
    pos = np.concatenate([painted(first), painted(second), [[5.0, 90.0]]])
    instance = np.concatenate(
        [np.full(len(painted(first)), 2), np.zeros(len(painted(second))), [-1]]
    ).astype(np.int64)
    lines = polylines(pos, instance, 4)
    assert [len(each) == 0 for each in lines] == [False, True, False, True]
    assert np.array_equal(lines[2], polyline(painted(first)))
    assert np.array_equal(lines[0], polyline(painted(second)))


def test_bridges_are_the_shortest() -> None:
    points = np.array([[0, 0], [1, 0], [4, 0], [5, 0], [1, 4], [40, 0]], np.float64)
    linked = link_pixels(points, 1.5, 10.0)
    rows, columns = linked.graph.nonzero()
    pairs = {(a, b) for a, b in zip(rows.tolist(), columns.tolist(), strict=True) if a < b}
    assert pairs == {(0, 1), (2, 3), (1, 2), (1, 4)}
    assert longest_route(linked.largest_part().graph).tolist() in ([3, 2, 1, 4], [4, 1, 2, 3])


def test_resampling_keeps_the_ends() -> None:
    line = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0], [3.0, 10.0]])
    found = resample(line, 2.0)
    assert found[[0, -1]].tolist() == [[0, 0], [3, 10]] and len(found) == 7
    steps = np.linalg.norm(np.diff(found, axis=0), axis=1)
    assert (steps <= 11 / 6 + 1e-9).all() and way(found) == pytest.approx(11, abs=0.2)
    assert resample(line[1:3], 2.0).tolist() == [[3, 4]]
