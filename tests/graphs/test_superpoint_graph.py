from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import (
    SUPERPOINT_EDGE_FEATURES,
    SUPERPOINT_NODE_FEATURES,
    PointGraph,
    SuperpointGraph,
    Superpoints,
    validate_sample,
)
from geoinfluencer.graphs.point_augment import crop_points, drop_color, transform_points


def steps(seed: int = 0, count: int = 12_000) -> tuple[np.ndarray, np.ndarray]:
    """Three floors of 1 m side by side along x, each half a metre higher and of its own colour,
    and the walls between them."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 1, (2, count))
    kind = rng.integers(0, 5, count)  # floors 0, 1, 2, then walls after floor 0 and 1
    floor = kind < 3
    number = np.where(floor, kind, kind - 3)
    x = np.where(floor, number + a, number + 1.0)
    z = np.where(floor, 0.5 * number, 0.5 * (number + a))
    palette = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90], [160, 160, 160]])
    return np.stack([x, b, z], axis=1), palette[kind].astype(np.uint8)


def graph(**options: object) -> Data:
    return SuperpointGraph(voxel=0.1, min_size=20, **options)(*steps())


def column(data: Data, name: str) -> np.ndarray:
    return data.x[:, SUPERPOINT_NODE_FEATURES.index(name)].numpy()


def edge_column(data: Data, name: str) -> np.ndarray:
    return data.edge_attr[:, SUPERPOINT_EDGE_FEATURES.index(name)].numpy()


def test_nodes_are_superpoints_with_the_statistics_of_their_points() -> None:
    pos, color = steps()
    data = validate_sample(graph())
    assert data.num_nodes == 5 and data.mass.sum() == len(pos)
    node = data.voxel_of_point.numpy()
    assert data.x.shape[1] == len(SUPERPOINT_NODE_FEATURES)
    for k in range(5):
        inside = pos[node == k]
        np.testing.assert_allclose(data.pos[k], inside.mean(0), atol=1e-5)
        np.testing.assert_allclose(
            data.x[k, SUPERPOINT_NODE_FEATURES.index("red") :][:3],
            color[node == k].mean(0) / 255,
            atol=1e-5,
        )
        spread = np.sqrt(np.sort(np.linalg.eigvalsh(np.cov(inside.T, bias=True)))[::-1].clip(0))
        for name, value in zip(("length", "width", "thickness"), spread, strict=True):
            assert column(data, name)[k] == pytest.approx(value, abs=1e-4)
        floor = np.quantile(pos[:, 2], 0.01)
        assert column(data, "lowest")[k] == pytest.approx(inside[:, 2].min() - floor, abs=1e-4)
        assert column(data, "highest")[k] == pytest.approx(inside[:, 2].max() - floor, abs=1e-4)
    assert (column(data, "planarity") > 0.3).all()
    upright = np.abs(column(data, "normal_z"))
    assert ((upright > 0.95) | (upright < 0.2)).all() and (upright > 0.95).sum() == 3
    assert (column(data, "normal_agreement") > 0.95).all()


def test_edges_are_contacts_and_count_them() -> None:
    data = graph(both_directions=False)
    source, target = data.edge_index
    assert (source < target).all()
    centers = data.pos.numpy()
    rank = centers[:, 0].argsort().argsort()  # floor, wall, floor, wall, floor
    pairs = sorted(sorted(rank[[i, j]].tolist()) for i, j in data.edge_index.T.tolist())
    assert [p for p in pairs if p[1] - p[0] == 1] == [[0, 1], [1, 2], [2, 3], [3, 4]]
    cut = Superpoints(voxel=0.1, min_size=20)(*steps())
    ends = np.sort(cut.superpoint_of_voxel[cut.cloud.pairs], axis=0)
    for e, (i, j) in enumerate(data.edge_index.T.tolist()):
        touch = (ends[0] == i) & (ends[1] == j)
        assert edge_column(data, "log_contacts")[e] == pytest.approx(np.log(touch.sum()), abs=1e-5)
        one, other = cut.cloud.pairs[:, touch]
        gap = np.linalg.norm(cut.cloud.center[one] - cut.cloud.center[other], axis=1) / 0.1
        assert edge_column(data, "gap")[e] == pytest.approx(gap.mean(), rel=1e-4)
        border = min((np.any(ends == k, axis=0) & (ends[0] != ends[1])).sum() for k in (i, j))
        share = edge_column(data, "contact_share")[e]
        assert share == pytest.approx(touch.sum() / border, rel=1e-5) and 0 < share <= 1
    offset = (centers[target] - centers[source]) / 0.1
    np.testing.assert_allclose(data.edge_attr[:, :3], offset, atol=1e-3)


def test_both_directions_say_the_same_of_a_contact() -> None:
    one, both = graph(both_directions=False), graph()
    assert both.edge_index.shape[1] == 2 * one.edge_index.shape[1]
    rows = {
        tuple(p): row for p, row in zip(both.edge_index.T.tolist(), both.edge_attr, strict=True)
    }
    first = SUPERPOINT_EDGE_FEATURES.index("gap")
    for p, row in zip(one.edge_index.T.tolist(), one.edge_attr, strict=True):
        there, back = rows[tuple(p)], rows[tuple(p[::-1])]
        assert torch.equal(there, row)
        assert torch.equal(there[first:], back[first:])
        torch.testing.assert_close(there[:3], -back[:3])


def test_own_segments_of_a_scan() -> None:
    pos, color = steps()
    own = (pos[:, 1] > 0.5).astype(np.int64) * 40
    data = validate_sample(SuperpointGraph(voxel=0.1)(pos, color, own))
    assert data.num_nodes == 2
    np.testing.assert_array_equal(data.voxel_of_point.numpy(), own // 40)
    assert data.edge_index.T.tolist() == [[0, 1], [1, 0]]
    other = SuperpointGraph(voxel=0.1, min_size=20, own_segments=False)(pos, color, own)
    assert torch.equal(other.voxel_of_point, graph().voxel_of_point)


def test_segment_without_the_majority_of_any_voxel_is_a_node() -> None:
    pos = np.array([[0.01, 0.01, 0.01], [0.02, 0.01, 0.01], [0.01, 0.02, 0.01]])
    data = validate_sample(SuperpointGraph(voxel=0.1)(pos, None, np.array([0, 0, 1])))
    assert data.mass.tolist() == [2, 1] and data.edge_index.shape == (2, 0)


def test_transformed_graph_is_the_graph_of_the_transformed_points() -> None:
    pos, color = steps()
    pos += [1e-3, 1e-3, 1e-3]  # off the lines of the grid
    own = pos[:, 0].astype(np.int64)
    data = SuperpointGraph(voxel=0.25)(pos, color, own)
    turned = transform_points(data, angle=math.pi, scale=2.0)
    again = SuperpointGraph(voxel=0.5)(2 * pos * [-1, -1, 1], color, own)
    number = torch.zeros(data.num_nodes, dtype=torch.long)
    number[data.voxel_of_point] = again.voxel_of_point
    assert again.num_nodes == data.num_nodes
    density = SUPERPOINT_NODE_FEATURES.index("log_density")  # per area: it is not scaled
    kept = [c for c in range(data.x.shape[1]) if c != density]
    torch.testing.assert_close(turned.x[:, kept], again.x[number][:, kept], atol=1e-3, rtol=1e-3)
    rows = {tuple(p): r for p, r in zip(again.edge_index.T.tolist(), again.edge_attr, strict=True)}
    expected = torch.stack([rows[tuple(p)] for p in number[turned.edge_index].T.tolist()])
    lengths = [n.startswith(("offset", "along", "distance", "gap")) or "convexity" in n
               for n in SUPERPOINT_EDGE_FEATURES]  # fmt: skip
    units = torch.where(torch.tensor(lengths), 2.0, 1.0)  # in voxels, of the first graph
    torch.testing.assert_close(turned.edge_attr, expected * units, atol=5e-3, rtol=1e-3)


def test_colours_drop_as_if_they_had_never_been() -> None:
    pos, color = steps()
    own = np.arange(len(pos)) % 7
    build = SuperpointGraph(voxel=0.1)
    without, dropped = build(pos, None, own), drop_color(build(pos, color, own))
    torch.testing.assert_close(dropped.x, without.x)
    torch.testing.assert_close(dropped.edge_attr, without.edge_attr)


def test_crops_and_batches_lead_back_to_the_points() -> None:
    data = graph()
    part = validate_sample(crop_points(data, torch.zeros(3), 2))
    kept = part.voxel_of_point >= 0
    assert torch.bincount(part.voxel_of_point[kept]).tolist() == part.mass.tolist()
    batch = Batch.from_data_list([data, part])
    for sample, again in zip([data, part], batch.to_data_list(), strict=True):
        assert torch.equal(sample.voxel_of_point, again.voxel_of_point)
        assert torch.equal(sample.superpoint, again.superpoint)


def test_voxels_say_which_superpoint_they_are_of() -> None:
    pos, color = steps()
    plain = PointGraph(voxel=0.1)(pos, color)
    data = validate_sample(PointGraph(voxel=0.1, superpoints=20)(pos, color))
    assert "superpoint" not in plain and torch.equal(plain.x, data.x)
    assert torch.equal(data.superpoint[data.voxel_of_point], graph().voxel_of_point)
    own = PointGraph(voxel=0.1, superpoints=20)(pos, color, (pos[:, 1] > 0.5).astype(np.int64))
    assert own.superpoint.unique().tolist() == [0, 1]


def test_clouds_of_no_and_one_point() -> None:
    for count in (0, 1):
        data = validate_sample(SuperpointGraph()(np.zeros((count, 3))))
        assert data.num_nodes == count and data.edge_index.shape == (2, 0)
        assert data.x.shape == (count, len(SUPERPOINT_NODE_FEATURES))
        assert data.edge_attr.shape == (0, len(SUPERPOINT_EDGE_FEATURES))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_size": 0}, "min_size must be a whole number of at least 1, got 0"),
        ({"own_segments": 1}, "own_segments must be true or false, got 1"),
        ({"both_directions": None}, "both_directions must be true or false, got null"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        SuperpointGraph(**options)
