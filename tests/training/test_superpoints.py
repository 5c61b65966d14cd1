"""Superpoints from training to the labels of raw points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets import SyntheticRooms
from geoinfluencer.datasets.graph_options import room_graph
from geoinfluencer.training import evaluate, predict, train
from geoinfluencer.training.checkpoint import load_checkpoint
from tests.training.room_oracle import check_rescored

NODES = ["data.graph.nodes=superpoints", "data.graph.min_size=5", "data.max_nodes=null"]
VOXELS = ["data.graph.superpoints=5", "data.max_nodes=400", "model.encoder=hierarchy"]


@pytest.mark.parametrize(
    "options",
    [
        NODES,
        [*NODES, "model.encoder=vector_attention"],
        [*NODES, "data.graph.coarse=40", "model.encoder=hierarchy", "model.levels=[coarse]"],
        VOXELS,
        [*VOXELS, "data.graph.coarse=40", "model.levels=[superpoint,coarse]"],
    ],
    ids=["nodes", "vector_attention", "coarse", "hierarchy", "two_levels"],
)
def test_from_training_to_labels_of_points(options: list[str], tmp_path: Path) -> None:
    rooms = {"val_rooms": 2, "num_points": 8000, "size_max": 4.5}
    settings = [f"data.{name}={value}" for name, value in rooms.items()]
    settings += ["data.train_rooms=2", "data.calib_rooms=1", "data.graph.voxel=0.15"]
    settings += ["model.hidden_channels=8", "model.num_layers=2", "train.workers=0"]
    run = train(
        "synthetic-rooms", assignments=[*settings, *options, "train.accelerator=cpu"],
        max_steps=2, out=tmp_path / "run",
    )  # fmt: skip
    found = evaluate(run.best, out=tmp_path / "eval")
    check_rescored(found, run.best, tmp_path / "eval")
    assert found["num_truth"] > 5
    scan = SyntheticRooms(split="test", num_rooms=1, **rooms).room(0)
    np.savez(tmp_path / "scan.npz", x=scan.pos[:, 0], y=scan.pos[:, 1], z=scan.pos[:, 2])
    predict(run.best, [tmp_path / "scan.npz"], out=tmp_path / "found", npz=True, viewer=False)
    (written,) = (tmp_path / "found").glob("*.npz")
    module = load_checkpoint(run.best)
    assert module.state.config["data"]["graph"].get("coarse") == (
        40 if "data.graph.coarse=40" in options else None
    )
    with np.load(written) as table:
        np.testing.assert_array_equal(table["x"], scan.pos[:, 0])
        instance = table["instance"]
    assert len(instance) == len(scan.pos)
    # what was found is the same everywhere in a node: a superpoint, or a voxel
    graph = room_graph(module.state.config["data"]["graph"])
    node = graph(scan.pos).voxel_of_point.numpy()
    of_node = np.full(node.max() + 1, -2)
    of_node[node] = instance
    np.testing.assert_array_equal(of_node[node], instance)
