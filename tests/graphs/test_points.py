from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.point_augment import (
    augmented_points,
    crop_points,
    drop_color,
    transform_points,
)
from geoinfluencer.graphs.points import (
    POINT_EDGE_FEATURES,
    POINT_NODE_FEATURES,
    PointGraph,
    point_graph,
)
from geoinfluencer.graphs.sample import validate_sample


def corner(count: int = 6000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A floor (z = 0) and a wall (y = 0) of 2 m, grey and red, with the room at y, z > 0."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2, (2, count))
    wall = rng.random(count) < 0.5
    pos = np.stack([a, np.where(wall, 0.0, b), np.where(wall, b, 0.0)], axis=1)
    color = np.where(wall[:, None], [200, 0, 0], [100, 100, 100]).astype(np.uint8)
    return pos, color


def feature(data: Data, name: str) -> np.ndarray:
    return data.x[:, POINT_NODE_FEATURES.index(name)].numpy()


def edge_feature(data: Data, name: str) -> np.ndarray:
    return data.edge_attr[:, POINT_EDGE_FEATURES.index(name)].numpy()


def test_voxels_hold_the_means_of_their_points() -> None:
    pos, color = corner(500)
    data = validate_sample(point_graph(pos, color, voxel=0.2))
    cell = np.floor(pos / 0.2).astype(int)
    keys, inverse = np.unique(cell, axis=0, return_inverse=True)
    np.testing.assert_array_equal(data.voxel_of_point.numpy(), inverse.reshape(-1))
    assert data.num_nodes == len(keys) and data.mass.sum() == 500
    for k in (0, 7, len(keys) - 1):
        member = inverse.reshape(-1) == k
        np.testing.assert_allclose(data.pos[k], pos[member].mean(0), atol=1e-6)
        mean = color[member].mean(0) / 255
        np.testing.assert_allclose(
            data.x[k, POINT_NODE_FEATURES.index("red") :][:3], mean, atol=1e-6
        )
        assert data.mass[k] == member.sum()


def test_edges_join_nearest_neighbours_both_ways_without_loops() -> None:
    pos, _ = corner(800)
    data = point_graph(pos, voxel=0.2, neighbors=4)
    distance = torch.cdist(data.pos.double(), data.pos.double())
    distance.fill_diagonal_(math.inf)
    near = torch.zeros_like(distance, dtype=torch.bool)
    near.scatter_(1, distance.topk(4, largest=False).indices, True)
    found = torch.zeros_like(near)
    found[data.edge_index[0], data.edge_index[1]] = True
    assert torch.equal(found, near | near.T)
    assert found.sum() == data.edge_index.shape[1] and not found.diagonal().any()
    one_way = point_graph(pos, voxel=0.2, neighbors=4, both_directions=False)
    assert (one_way.edge_index[0] < one_way.edge_index[1]).all()
    assert 2 * one_way.edge_index.shape[1] == data.edge_index.shape[1]


def test_shape_and_normals_of_planes_and_lines() -> None:
    pos, color = corner()
    data = point_graph(pos, color, voxel=0.1)
    y, z = data.pos[:, 1:].numpy().T
    floor, wall = (y > 0.35) & (z < 0.01), (z > 0.35) & (y < 0.01)
    normal = np.stack([feature(data, f"normal_{a}") for a in "xyz"], axis=1)
    # exactly flat, and towards the middle of the cloud
    np.testing.assert_allclose(normal[floor], [[0, 0, 1]] * floor.sum(), atol=1e-5)
    np.testing.assert_allclose(normal[wall], [[0, 1, 0]] * wall.sum(), atol=1e-5)
    assert feature(data, "curvature")[floor].max() < 1e-6
    assert np.median(feature(data, "planarity")[floor]) > 0.7
    fold = (y < 0.1) & (z < 0.1)
    assert feature(data, "curvature")[fold].mean() > 0.02
    line = point_graph(np.linspace([0, 0, 0], [1, 1, 1], 400), voxel=0.1)
    assert feature(line, "linearity").min() > 0.999


def test_thin_plate_within_a_voxel_still_has_its_normal() -> None:
    """Means of voxels of one layer lie on the plate too; those of a slanted one do not."""
    rng = np.random.default_rng(0)
    slope = np.array([0.3, 0.2])
    flat = rng.uniform(-0.15, 0.15, (300, 2))
    data = point_graph(np.column_stack([flat, flat @ slope]), voxel=0.3, neighbors=2)
    expected = np.append(-slope, 1) / np.linalg.norm(np.append(-slope, 1))
    normal = data.x[:, POINT_NODE_FEATURES.index("normal_x") :][:, :3].numpy()
    np.testing.assert_allclose(np.abs(normal @ expected), 1, atol=1e-6)


def test_edge_features_follow_their_definitions() -> None:
    pos, color = corner()
    data = point_graph(pos, color, voxel=0.1)
    source, target = data.edge_index
    offset = ((data.pos[target] - data.pos[source]) / 0.1).numpy()
    np.testing.assert_allclose(data.edge_attr[:, :3], offset, atol=1e-5)
    np.testing.assert_allclose(
        edge_feature(data, "distance"), np.linalg.norm(offset, axis=1), rtol=1e-5
    )
    y, z = data.pos[:, 1].numpy(), data.pos[:, 2].numpy()
    floor, wall = (y > 0.05) & (z < 0.01), (z > 0.05) & (y < 0.01)
    across = floor[source] & wall[target]
    assert across.any()
    # a concave fold: each end lies in front of the other's plane
    assert edge_feature(data, "convexity")[across].max() < 0
    assert edge_feature(data, "normal_angle")[across].mean() > 0.3
    red = np.linalg.norm(np.array([100, -100, -100]) / 255)
    np.testing.assert_allclose(edge_feature(data, "color_difference")[across], red, rtol=1e-4)
    inside = floor[source] & floor[target] & (y[source] > 0.35) & (y[target] > 0.35)
    assert np.abs(edge_feature(data, "convexity")[inside]).max() < 1e-4


def test_missing_colour_is_said_and_dropping_it_does_the_same() -> None:
    pos, color = corner(1000)
    without = point_graph(pos, voxel=0.15)
    assert (feature(without, "has_color") == 0).all() and (feature(without, "red") == 0).all()
    dropped = drop_color(point_graph(pos, color, voxel=0.15))
    assert torch.equal(dropped.x, without.x)
    assert torch.equal(dropped.edge_attr, without.edge_attr)


@pytest.mark.parametrize(
    ("angle", "mirror", "scale"),
    [(math.pi / 2, False, 1.0), (math.pi, True, 1.0), (0.0, True, 2.0)],
)
def test_transformed_graph_is_the_graph_of_the_transformed_points(
    angle: float, mirror: bool, scale: float
) -> None:
    # Symmetries of the grid, so that voxels are the same ones; off its lines.
    rng = np.random.default_rng(1)
    pos = rng.uniform(0.001, 0.999, (3000, 3)) * [2, 3, 1]
    data = point_graph(pos, voxel=0.25)
    turned = transform_points(data, angle=angle, mirror=mirror, scale=scale)
    moved = pos * [-1 if mirror else 1, 1, 1]
    cos, sin = round(math.cos(angle)), round(math.sin(angle))
    moved = scale * moved @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    again = point_graph(moved, voxel=0.25 * scale)
    number = torch.zeros(data.num_nodes, dtype=torch.long)
    number[data.voxel_of_point] = again.voxel_of_point
    torch.testing.assert_close(turned.pos, again.pos[number], atol=1e-5, rtol=0)
    density = POINT_NODE_FEATURES.index("log_density")  # per area: it is not scaled
    columns = [c for c in range(len(POINT_NODE_FEATURES)) if c != density]
    torch.testing.assert_close(
        turned.x[:, columns], again.x[number][:, columns], atol=2e-4, rtol=1e-4
    )
    pairs = {
        tuple(p): row for p, row in zip(again.edge_index.T.tolist(), again.edge_attr, strict=True)
    }
    expected = torch.stack([pairs[tuple(p)] for p in number[turned.edge_index].T.tolist()])
    units = torch.ones(len(POINT_EDGE_FEATURES))
    units[[0, 1, 2, 3, 5, 6, 7]] = scale  # lengths are in voxels, of the first graph
    torch.testing.assert_close(turned.edge_attr, expected * units, atol=2e-3, rtol=1e-3)


def test_augmentation_leaves_the_sample_alone_and_repeats_with_its_generator() -> None:
    pos, color = corner(1000)
    data = point_graph(pos, color, voxel=0.15)
    before = data.clone()
    options = {"rotate": True, "mirror": True, "scale": 0.1, "color_drop": 0.5}
    one, two = (augmented_points(data, np.random.default_rng(3), **options) for _ in range(2))
    assert torch.equal(one.x, two.x) and not torch.allclose(one.pos, data.pos)
    for key in ("pos", "x", "edge_attr"):
        assert torch.equal(data[key], before[key])


@pytest.mark.parametrize("shape", ["column", "sphere"])
def test_crop_keeps_the_nearest_nodes_and_their_points(shape: str) -> None:
    pos, color = corner(3000)
    data = point_graph(pos, color, voxel=0.1)
    data.instance = (data.pos[:, 0] > 1).long() * 2
    center = torch.tensor([1.9, 0.5, 0.0])
    part = validate_sample(crop_points(data, center, 100, shape))
    axes = 2 if shape == "column" else 3
    distance = (data.pos - center)[:, :axes].norm(dim=1)
    nearest = distance.sort().values
    assert part.num_nodes == 100
    assert (part.pos - center)[:, :axes].norm(dim=1).max() <= nearest[99] + 1e-6
    assert part.instance.unique().tolist() == [0]  # numbered again
    kept = part.voxel_of_point >= 0
    assert len(kept) == 3000 and torch.bincount(part.voxel_of_point[kept]).tolist() == [
        int(m) for m in part.mass
    ]
    k = int(part.voxel_of_point[kept][0])
    member = (part.voxel_of_point == k).numpy()
    np.testing.assert_allclose(part.pos[k], pos[member].mean(0), atol=1e-6)
    # heights count from the floor of the whole cloud
    np.testing.assert_allclose(feature(part, "height"), part.pos[:, 2], atol=1e-6)
    assert abs(feature(part, "x").min() + feature(part, "x").max()) < 1e-5
    assert crop_points(data, center, 10**6, shape) is data


def test_map_survives_batching() -> None:
    samples = [point_graph(*corner(n, n), voxel=0.2) for n in (300, 700)]
    batch = Batch.from_data_list(samples)
    assert len(batch.mass) == batch.num_nodes
    for sample, again in zip(samples, batch.to_data_list(), strict=True):
        assert torch.equal(sample.voxel_of_point, again.voxel_of_point)


def test_clouds_of_no_and_one_point() -> None:
    for count in (0, 1, 2):
        data = validate_sample(point_graph(np.zeros((count, 3)) + np.arange(count)[:, None]))
        assert data.num_nodes == count and data.edge_index.shape[1] == (2 if count == 2 else 0)
        assert data.x.shape == (count, len(POINT_NODE_FEATURES))


@pytest.mark.parametrize(
    ("pos", "color", "message"),
    [
        (np.zeros((4, 2)), None, r"shape \(4, 2\).*\(P, 3\)"),
        (np.array([[0, 0, 0], [np.nan, 0, 0]]), None, "row 1"),
        (np.zeros((4, 3)), np.zeros((3, 3)), r"`color` has shape \(3, 3\)"),
        (np.zeros((4, 3)), np.full((4, 3), 300), "300"),
    ],
)
def test_bad_points(pos: np.ndarray, color: np.ndarray | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointGraph()(pos, color)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"voxel": 0.0}, "voxel must be a positive number, got 0.0"),
        ({"voxel": None}, "voxel must be a positive number, got null"),
        ({"voxel": "0.1"}, "voxel must be a positive number, got '0.1'"),
        ({"voxel": True}, "voxel must be a positive number, got True"),
        ({"neighbors": 0}, "neighbors must be a whole number in 1 to 128, got 0"),
        ({"neighbors": 8.5}, "neighbors must be a whole number in 1 to 128, got 8.5"),
        ({"shape_neighbors": 500}, "shape_neighbors must be a whole number in 1 to 128, got 500"),
        ({"both_directions": None}, "both_directions must be true or false, got null"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        PointGraph(**options)
    with pytest.raises(InputError, match=f"^{message}$"):
        point_graph(np.zeros((2, 3)), **options)
