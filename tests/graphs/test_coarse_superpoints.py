from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import (
    Partition,
    PointGraph,
    SuperpointGraph,
    Superpoints,
    coarser,
    nesting,
    superpoint_graph,
    validate_sample,
)
from geoinfluencer.graphs.point_augment import crop_points


def tiles(count: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Floor and wall of 2 m, each of four tiles of other colours: positions, colours, and tiles, 0
    to 3 of the floor, 4 to 7 of the wall; 2 k and 2 k + 1 differ by .08 in colour, others more."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2, (2, count))
    wall = rng.random(count) < 0.5
    pos = np.stack([a, np.where(wall, 0.05, b), np.where(wall, b, 0.05)], axis=1)
    pos += rng.normal(0, 0.001, pos.shape)
    tile = 4 * wall + 2 * (a > 1) + (b > 1)
    shade = 15 * np.array([0, 1, 4, 5, 8, 9, 12, 13])
    color = np.stack([shade, 255 - shade, np.full(8, 128)], axis=1)[tile].astype(np.uint8)
    return pos, color, tile


def cut() -> Partition:
    pos, color, tile = tiles()
    return Superpoints(voxel=0.1)(pos, color, tile)  # some hundred voxels a tile


def groups(fine: Partition, coarse: Partition) -> list[list[int]]:
    """The superpoints of each coarse one."""
    above = nesting(fine, coarse)
    return sorted(np.flatnonzero(above == k).tolist() for k in range(coarse.count))


def clutter(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of many sizes and colours, some apart from the others."""
    rng = np.random.default_rng(seed)
    box = rng.integers(0, 12, 6000)
    corner, size = rng.uniform(0, 3, (12, 3)), rng.uniform(0.1, 1, (12, 3))
    pos = corner[box] + size[box] * rng.random((6000, 3))
    flat = rng.integers(0, 3, 6000)  # onto one of three sides
    pos[np.arange(6000), flat] = corner[box, flat]
    return pos, rng.integers(0, 256, (12, 3))[box].astype(np.uint8)


def test_tiles_of_a_plane_join_and_planes_do_not() -> None:
    fine = cut()
    assert fine.count == 8 and np.bincount(fine.superpoint_of_voxel).max() < 110
    assert groups(fine, coarser(fine, min_size=330, color_weight=0.0)) == [
        [0, 1, 2, 3], [4, 5, 6, 7]
    ]  # fmt: skip
    assert groups(fine, coarser(fine, min_size=1000)) == [list(range(8))]


def test_tiles_of_like_colours_join_first() -> None:
    fine = cut()
    assert groups(fine, coarser(fine, min_size=150)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_nothing_joins_that_differs_and_need_not() -> None:
    fine = cut()
    apart = coarser(fine, min_size=1, scale=0.0)
    assert groups(fine, apart) == [[k] for k in range(8)]
    # of 100 voxels each, the like ones differ by .33 and somewhat for the corner's normals
    assert groups(fine, coarser(fine, min_size=1, scale=30.0)) == [[k] for k in range(8)]
    alike = coarser(fine, min_size=1, scale=70.0)
    assert groups(fine, alike) == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_size", [1, 30, 200])
def test_superpoints_lie_wholly_in_coarse_ones_that_have_their_size(
    seed: int, min_size: int
) -> None:
    fine = Superpoints(voxel=0.1, min_size=5)(*clutter(seed))
    coarse = coarser(fine, min_size=min_size)
    above = nesting(fine, coarse)  # raises where one is split
    np.testing.assert_array_equal(above[fine.superpoint_of_voxel], coarse.superpoint_of_voxel)
    np.testing.assert_array_equal(above[fine.superpoint_of_point], coarse.superpoint_of_point)
    assert sorted(set(above.tolist())) == list(range(coarse.count))
    assert coarse.count < fine.count or min_size == 1
    graph = superpoint_graph(coarse)
    small = np.bincount(coarse.superpoint_of_voxel, minlength=coarse.count) < min_size
    assert not small[graph.edge_index.numpy().reshape(-1)].any()  # small ones touch nothing


def test_a_partition_that_is_there_stays_whole_where_it_is_not_connected() -> None:
    rng = np.random.default_rng(0)
    pos = rng.uniform(0, 1, (3000, 3)) * [1, 1, 0]
    part = rng.integers(0, 3, 3000)
    pos[:, 0] += 3 * part  # three squares, 2 m apart
    segment = np.array([7, 4, 7])[part]  # the first and the last are one
    fine = Superpoints(voxel=0.1)(pos, None, segment)
    coarse = coarser(fine, min_size=5000)
    assert fine.count == coarse.count == 2  # nothing touches
    assert nesting(fine, coarse).tolist() in ([0, 1], [1, 0])


def test_segment_without_the_majority_of_any_voxel_has_a_coarse_one() -> None:
    pos = np.array([[0.01, 0.01, 0.01], [0.02, 0.01, 0.01], [0.01, 0.02, 0.01]])
    fine = Superpoints(voxel=0.1)(pos, None, np.array([0, 0, 1]))
    coarse = coarser(fine, min_size=10)
    assert nesting(fine, coarse).tolist() == [0, 1]


def test_graph_of_the_coarse_is_that_of_the_fine_put_together() -> None:
    fine = Superpoints(voxel=0.1, min_size=5)(*clutter(0))
    coarse = coarser(fine, min_size=60)
    above = torch.from_numpy(nesting(fine, coarse))
    one, other = superpoint_graph(fine), validate_sample(superpoint_graph(coarse))
    assert 3 < coarse.count < fine.count / 2
    mass = torch.zeros(coarse.count).index_add_(0, above, one.mass)
    torch.testing.assert_close(other.mass, mass)
    place = torch.zeros(coarse.count, 3).index_add_(0, above, one.mass[:, None] * one.pos)
    torch.testing.assert_close(other.pos, place / mass[:, None])
    pairs = {(i, j) for i, j in above[one.edge_index].T.tolist() if i != j}
    assert set(map(tuple, other.edge_index.T.tolist())) == pairs


def test_nesting_tells_what_is_not_nested() -> None:
    fine, coarse = cut(), coarser(cut(), min_size=330, color_weight=0.0)
    with pytest.raises(InputError, match="superpoint 0 lies in several coarse ones"):
        nesting(coarse, fine)
    pos, color, _ = tiles(100)
    with pytest.raises(InputError, match="have 20000 and 100 points"):
        nesting(fine, Superpoints(voxel=0.1)(pos, color))


def test_nodes_know_both_levels_through_crops_and_batches() -> None:
    pos, color = clutter(1)
    voxels = validate_sample(PointGraph(voxel=0.1, superpoints=5, coarse=60)(pos, color))
    nodes = validate_sample(SuperpointGraph(voxel=0.1, min_size=5, coarse=60)(pos, color))
    fine = Superpoints(voxel=0.1, min_size=5)(pos, color)
    coarse = coarser(fine, min_size=60)
    np.testing.assert_array_equal(voxels.coarse.numpy(), coarse.superpoint_of_voxel)
    np.testing.assert_array_equal(nodes.coarse.numpy(), nesting(fine, coarse))
    assert torch.equal(nodes.coarse[voxels.superpoint], voxels.coarse)
    assert "coarse" not in PointGraph(voxel=0.1, superpoints=5)(pos, color)
    assert "coarse" not in SuperpointGraph(voxel=0.1, min_size=5)(pos, color)
    part = validate_sample(crop_points(voxels, voxels.pos[0], 100))
    kept = part.voxel_of_point >= 0
    assert torch.equal(
        part.coarse[part.voxel_of_point[kept]], voxels.coarse[voxels.voxel_of_point[kept]]
    )
    for samples in ([voxels, part], [nodes, nodes]):
        again = Batch.from_data_list(samples).to_data_list()
        for sample, same in zip(samples, again, strict=True):
            assert torch.equal(sample.superpoint, same.superpoint)
            assert torch.equal(sample.coarse, same.coarse)


def test_clouds_of_no_and_one_point() -> None:
    for count in (0, 1):
        data = SuperpointGraph(coarse=100)(np.zeros((count, 3)))
        assert data.coarse.tolist() == [0] * count
        data = PointGraph(superpoints=8, coarse=100)(np.zeros((count, 3)))
        assert data.coarse.tolist() == [0] * count


def test_same_for_any_order_of_the_points() -> None:
    pos, color = clutter(2)
    order = np.random.default_rng(1).permutation(len(pos))
    build = PointGraph(voxel=0.1, superpoints=5, coarse=60)
    one, two = build(pos, color), build(pos[order], color[order])
    assert torch.equal(one.coarse[one.voxel_of_point[order]], two.coarse[two.voxel_of_point])


def test_bad_options() -> None:
    with pytest.raises(InputError, match="^coarse must be a whole number of at least 20, got 19$"):
        SuperpointGraph(coarse=19)
    with pytest.raises(InputError, match="^coarse must be a whole number of at least 8, got 9.5$"):
        PointGraph(superpoints=8, coarse=9.5)
    with pytest.raises(
        InputError, match="^coarse needs superpoints; set these to the least voxels"
    ):
        PointGraph(coarse=100)
    with pytest.raises(InputError, match="^min_size must be a whole number of at least 1, got 0$"):
        coarser(cut(), min_size=0)
