from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import Superpoints, superpoint_ceiling
from geoinfluencer.graphs.superpoints import difference, unlike
from geoinfluencer.graphs.voxel_cloud import voxel_cloud


def corner(count: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Floor (z = 0), wall (y = 0), red where x > 1, of 2 m: positions, colours, parts."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2, (2, count))
    wall = rng.random(count) < 0.5
    pos = np.stack([a, np.where(wall, 0.0, b), np.where(wall, b, 0.0)], axis=1)
    pos += rng.normal(0, 0.001, pos.shape)
    part = np.where(wall, 1 + (a > 1), 0)
    color = np.array([[128, 128, 128], [128, 128, 128], [200, 40, 40]])[part].astype(np.uint8)
    return pos, color, part


def test_planes_and_colours_are_told_apart() -> None:
    pos, color, part = corner()
    found = Superpoints(voxel=0.1, min_size=100)(pos, color)
    assert found.count == 3
    # voxels of the edge hold points of both, and go to one
    iou = superpoint_ceiling(found.superpoint_of_point, part)
    assert iou.min() > 0.9
    # by hand: to each part the superpoint that holds most of it
    table = np.zeros((3, 3))
    np.add.at(table, (part, found.superpoint_of_point), 1)
    best = table.argmax(1)
    assert sorted(best.tolist()) == [0, 1, 2]
    both = table[range(3), best]
    np.testing.assert_allclose(iou, both / (table.sum(1) + table.sum(0)[best] - both))
    assert Superpoints(voxel=0.1, min_size=100)(pos).count == 2
    assert Superpoints(voxel=0.1, min_size=100, color_weight=0.0)(pos, color).count == 2


def test_every_superpoint_is_connected_and_has_its_size() -> None:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pos, color, _ = corner()
    found = Superpoints(voxel=0.05, scale=0.1, min_size=12)(pos, color)
    assert found.count > 10
    label, size = found.superpoint_of_voxel, len(found.superpoint_of_voxel)
    assert np.bincount(label).min() >= 12
    inside = found.cloud.pairs[:, label[found.cloud.pairs[0]] == label[found.cloud.pairs[1]]]
    parts, _ = connected_components(coo_matrix((np.ones(inside.shape[1]), inside), (size, size)))
    assert parts == found.count
    np.testing.assert_array_equal(found.superpoint_of_point, label[found.cloud.grid.voxel_of_point])


def test_difference_is_its_formula() -> None:
    pos, color, _ = corner(500)
    cloud = voxel_cloud(pos, color, voxel=0.2, neighbors=4, shape_neighbors=4)
    found = difference(cloud, cloud.pairs, 4.0)
    at = found.argmax()
    i, j = cloud.pairs[:, at]
    normal, d = cloud.shape.normal, cloud.center[j] - cloud.center[i]
    q = np.array([color[cloud.grid.voxel_of_point == k].mean(0) / 255 for k in (i, j)])
    expected = (
        np.sqrt(2 - 2 * abs(normal[i] @ normal[j]))
        + (abs(normal[i] @ d) + abs(normal[j] @ d)) / (2 * np.linalg.norm(d))
        + 4 * np.linalg.norm(q[0] - q[1])
    )
    assert found[at] == pytest.approx(expected, rel=1e-5) and found[at] > 2


def test_difference_of_places_by_hand() -> None:
    """Of a floor: a step along it, one up, a wall, and a wall of another colour turned away."""
    center = np.array([[0, 0, 0], [2, 0, 0], [0, 0, 3], [0, 1, 0], [0, -1, 0]], np.float32)
    normal = np.array([[0, 0, 1], [0, 0, -1], [0, 0, 1], [0, 1, 0], [0, -0.6, 0.8]])
    tint = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0.3, 0, 0.4]])
    pairs = np.array([[0, 0, 0, 0], [1, 2, 3, 4]])
    found = unlike(center, normal, tint, pairs, 4.0)
    # bend, off the plane of either end, colour
    last = np.sqrt(2 - 1.6) + (0 + 0.6) / 2 + 4 * 0.5
    np.testing.assert_allclose(found, [0, 1, np.sqrt(2) + 0.5, last], rtol=1e-6)
    np.testing.assert_allclose(unlike(center, normal, None, pairs, 4.0)[3], last - 2, rtol=1e-6)


def test_pairs_of_a_cloud_are_those_that_either_lists() -> None:
    pos, color, _ = corner(800)
    cloud = voxel_cloud(pos, color, voxel=0.2, neighbors=3, shape_neighbors=6)
    assert cloud.nearest.shape[1] == 3
    listed = {(min(i, j), max(i, j)) for i, row in enumerate(cloud.nearest.tolist()) for j in row}
    assert list(map(tuple, cloud.pairs.T.tolist())) == sorted(listed)


def test_partition_that_is_there() -> None:
    pos, color, part = corner(2000)
    own = part * 1000 - 7  # numbers with gaps, as segIndices have
    found = Superpoints(voxel=0.1)(pos, color, own)
    assert found.count == 3
    np.testing.assert_array_equal(found.superpoint_of_point, part)
    votes = np.zeros((len(found.superpoint_of_voxel), 3))
    np.add.at(votes, (found.cloud.grid.voxel_of_point, part), 1)
    np.testing.assert_array_equal(found.superpoint_of_voxel, votes.argmax(1))
    assert superpoint_ceiling(own, part).tolist() == [1, 1, 1]


def test_ceiling_counts_what_majorities_lose() -> None:
    instance = np.repeat([0, 1, -1, 2], [200, 150, 100, 40])
    superpoint = np.zeros(490, int)
    superpoint[150:240] = 1  # 50 of instance 0 and 40 of instance 1
    superpoint[240:350] = 2
    superpoint[350:] = 3  # 100 of none, 40 of instance 2
    found = superpoint_ceiling(superpoint, instance)
    np.testing.assert_allclose(found, [200 / 240, 110 / 150])
    np.testing.assert_allclose(superpoint_ceiling(superpoint, instance, 1)[2:], [0])
    with pytest.raises(InputError, match=r"shape \(490,\) and `instance` \(3,\)"):
        superpoint_ceiling(superpoint, instance[:3])


def test_clouds_of_no_and_one_point() -> None:
    for count in (0, 1):
        found = Superpoints()(np.zeros((count, 3)))
        assert found.count == count == len(found.superpoint_of_point)


def test_same_for_any_order_of_the_points() -> None:
    pos, color, _ = corner(5000)
    order = np.random.default_rng(1).permutation(len(pos))
    one, two = Superpoints(voxel=0.1)(pos, color), Superpoints(voxel=0.1)(pos[order], color[order])
    np.testing.assert_array_equal(one.superpoint_of_point[order], two.superpoint_of_point)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"voxel": 0}, "voxel must be a positive number, got 0"),
        ({"scale": -1.0}, "scale must be a number of at least 0, got -1.0"),
        ({"min_size": 0}, "min_size must be a whole number of at least 1, got 0"),
        ({"color_weight": None}, "color_weight must be a number of at least 0, got null"),
        ({"neighbors": 129}, "neighbors must be a whole number in 1 to 128, got 129"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        Superpoints(**options)


def test_bad_segments() -> None:
    with pytest.raises(InputError, match=r"`segment` is \(3,\) int64; expected \(4,\) integers"):
        Superpoints()(np.zeros((4, 3)), None, np.arange(3))
    with pytest.raises(InputError, match="float64"):
        Superpoints()(np.zeros((4, 3)), None, np.zeros(4))


@pytest.mark.slow
def test_ceilings_of_the_real_rooms(test_data: Path, tmp_path: Path) -> None:
    from geoinfluencer.datasets import S3DIS, ScanNet

    ceilings = {}
    for cls, folder in ((S3DIS, "s3dis_room"), (ScanNet, "scannet")):
        if not (test_data / folder).is_dir():
            pytest.skip(f"no {test_data / folder}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            room = cls(test_data / folder, "all", classes=False, cache_dir=str(tmp_path)).room(0)
        color = room.color if (room.color != room.color[0]).any() else None
        found = Superpoints()(room.pos, color)
        iou = superpoint_ceiling(found.superpoint_of_point, room.instance)
        ceilings[folder] = (found.count, float(iou.mean()))
        if len(room.segment):
            assert superpoint_ceiling(room.segment, room.instance).min() == 1
    assert ceilings["s3dis_room"] == (pytest.approx(525, rel=0.1), pytest.approx(0.855, abs=0.02))
    assert ceilings["scannet"] == (pytest.approx(602, rel=0.1), pytest.approx(0.883, abs=0.02))
