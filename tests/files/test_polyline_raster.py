from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoinfluencer.files.polyline_raster import (
    distance_map,
    segment_samples,
    segments_of,
    stroke_coverage,
)

coordinate = st.floats(-5, 25, width=32)


def exact_distance(segments: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) distance of pixel centres to segments, from the projection on each."""
    row, column = np.mgrid[: size[0], : size[1]]
    pixel = np.stack([column, row], axis=-1).astype(float)
    best = np.full(size, np.inf)
    for start, end in segments:
        way = end - start
        share = np.clip((pixel - start) @ way / max(way @ way, 1e-12), 0, 1)
        best = np.minimum(best, np.linalg.norm(pixel - start - share[..., None] * way, axis=-1))
    return best


@given(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=5))
@settings(max_examples=50)
def test_distances(points: list[tuple[float, float]]) -> None:
    segments = segments_of(np.array(points))
    found = distance_map(segment_samples(segments)[0], (16, 20), 2.0)
    exact = exact_distance(segments, (16, 20))
    near = np.isfinite(found)
    assert (near | (exact > 1.96)).all() and (exact[near] <= 2.0 + 1e-6).all()
    assert (found[near] >= exact[near] - 1e-6).all()
    # half a step sideways: sqrt(d^2 + 0.125^2) - d, largest at d = 0
    assert (found[near] <= np.hypot(exact[near], 0.1251)).all()


def test_samples_cover_both_ends_and_measure_the_way() -> None:
    points, way = segment_samples(segments_of(np.array([[0, 0], [3, 4], [3, 5]])))
    assert points[0].tolist() == [0, 0] and points[-1].tolist() == [3, 5]
    assert way[0] == 0 and way[-1] == 6 and (np.diff(way) >= 0).all()
    np.testing.assert_allclose(points[way == 5], [[3, 4], [3, 4]])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 0.25 + 1e-9


@pytest.mark.parametrize(
    ("thickness", "rows"), [(1.0, [0, 1, 0, 0]), (2.0, [0.5, 1, 0.5, 0]), (3.0, [1, 1, 1, 0])]
)
def test_coverage_across_a_horizontal_stroke(thickness: float, rows: list[float]) -> None:
    found = stroke_coverage(segments_of(np.array([[2.0, 4.0], [12.0, 4.0]])), (10, 15), thickness)
    np.testing.assert_allclose(found[3:7, 7], rows, atol=1e-6)
    half = stroke_coverage(segments_of(np.array([[2.0, 4.5], [12.0, 4.5]])), (10, 15), 1.0)
    np.testing.assert_allclose(half[3:7, 7], [0, 0.5, 0.5, 0], atol=0.02)


def test_dashes_follow_the_way_round_a_corner() -> None:
    corner = segments_of(np.array([[2.0, 2.0], [8.0, 2.0], [8.0, 12.0]]))
    found = stroke_coverage(corner, (15, 12), 1.0, dashes=(4.0, 4.0))
    # inked from 0 to 4 and from 8 to 12 along the way: x 2..6, then y 4..8
    assert found[2, 2:7].tolist() == [1] * 5 and found[2, 8] == 0
    assert found[4:9, 8].tolist() == [1] * 5 and found[10, 8] == 0


def test_parts_outside_are_cut() -> None:
    found = distance_map(np.array([[-1.0, 2.0], [1e9, 3.0], [5.0, 40.0]]), (6, 6), 1.5)
    assert np.isfinite(found).nonzero()[0].tolist() == [1, 2, 3] and found[2, 0] == 1


@given(
    st.lists(
        st.tuples(st.floats(-300, 300, width=32), st.floats(-300, 300, width=32)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60)
def test_a_window_changes_nothing_that_is_seen(points: list[tuple[float, float]]) -> None:
    segments = segments_of(np.array(points))
    whole = distance_map(segment_samples(segments)[0], (16, 20), 2.0)
    part, way = segment_samples(segments, (16, 20, 3.0))
    seen = distance_map(part, (16, 20), 2.0)
    whole, seen = np.minimum(whole, 2.0), np.minimum(seen, 2.0)
    assert (np.abs(whole - seen) < 0.126).all()  # samples lie elsewhere on the segments
    assert ((part >= -3 - 1e-3) & (part <= np.array([22, 18]) + 1e-3)).all()
    assert (np.diff(way) >= -1e-4).all()


def test_far_points_cost_nothing_and_keep_their_dashes() -> None:
    segments = segments_of(np.array([[-1e9, 5.0], [1e9, 5.0]]))
    points, way = segment_samples(segments, (10, 10, 2.0))
    assert len(points) < 80 and points[:, 0].min() == -2 and points[:, 0].max() == 11
    np.testing.assert_allclose(way - way[0], points[:, 0] - points[0, 0], atol=1e-6)


def test_wide_strokes_are_as_far_as_thin_ones() -> None:
    points = segment_samples(segments_of(np.array([[3.0, 3.0], [30.0, 20.0]])))[0]
    wide = distance_map(points, (24, 40), 30.0)
    thin = distance_map(points, (24, 40), 3.0)
    near = np.isfinite(thin)
    np.testing.assert_allclose(wide[near], thin[near])
    assert (wide[~near] > 3).all() and np.isfinite(wide).mean() > 0.9
