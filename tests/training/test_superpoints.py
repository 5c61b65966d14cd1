"""Superpoints from training to the labels of raw points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets import SyntheticRooms
from geoinfluencer.training import evaluate, predict, train

NODES = ["data.graph.nodes=superpoints", "data.graph.min_size=5", "data.max_nodes=null"]


@pytest.mark.parametrize(
    "options",
    [
        NODES,
        [*NODES, "model.encoder=vector_attention"],
        ["data.graph.superpoints=5", "data.max_nodes=400", "model.encoder=hierarchy"],
    ],
    ids=["nodes", "vector_attention", "hierarchy"],
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
    assert 0 <= found["agnostic_ap50"] <= found["agnostic_ap25"] <= 1
    assert found["num_truth"] > 5 and "agnostic_mcov" in found
    scan = SyntheticRooms(split="test", num_rooms=1, **rooms).room(0)
    np.savez(tmp_path / "scan.npz", x=scan.pos[:, 0], y=scan.pos[:, 1], z=scan.pos[:, 2])
    predict(run.best, [tmp_path / "scan.npz"], out=tmp_path / "found", npz=True, viewer=False)
    (written,) = (tmp_path / "found").glob("*.npz")
    with np.load(written) as table:
        assert len(table["instance"]) == len(scan.pos)
