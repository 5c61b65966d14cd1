"""Clustering without a model, beside a model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets import SyntheticRooms
from geoinfluencer.errors import InputError
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.scoring.baselines import METHODS, cluster, score_baselines
from geoinfluencer.training.tasks import make_task

ROOMS = {"num_points": 6000, "size_max": 4.5, "graph": {"voxel": 0.15}}


def rooms(split: str) -> SyntheticRooms:
    return SyntheticRooms(None, split, val_rooms=2, calib_rooms=1, train_rooms=1, **ROOMS)


def test_walls_and_floor_fall_apart_where_normals_turn() -> None:
    sample = rooms("val")[0]
    found = cluster(sample, "components", {"threshold": 0.3, "color": 0.0})
    everything = cluster(sample, "components", {"threshold": 9.0, "color": 0.0})
    assert len(found) > len(everything)
    assert int(found.size.max()) < int(everything.size.max())


def test_settings_are_those_that_calibration_samples_like_best() -> None:
    val, calib = rooms("val"), rooms("calib")
    task = make_task(val)
    found = score_baselines(val, [calib[0]], task, ["components"])["components"]
    scores = {}
    for settings in METHODS["components"]:
        metric = task.new_metric()
        task.update(metric, calib[0], cluster(calib[0], "components", settings))
        scores[tuple(settings.values())] = metric.compute()["pq"]
    assert tuple(found["settings"].values()) in [
        k for k, v in scores.items() if v == max(scores.values())
    ]
    assert 0 < found["agnostic_mcov"] < 1 and "agnostic_ap50" in found


def test_graphs_of_other_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="graphs of voxels or superpoints"):
        cluster(Data(x=torch.zeros(3, 2)), "components", METHODS["components"][0])
    with pytest.raises(InputError, match="baseline 'kmeans' is unknown"):
        cluster(Data(x=torch.zeros(3, 2)), "kmeans", {})


def test_an_evaluation_scores_them_beside_the_model(tmp_path: Path) -> None:
    options = ["val_rooms=2", "calib_rooms=1", "train_rooms=1", "num_points=6000", "size_max=4.5"]
    options += ["max_nodes=500", "graph.voxel=0.15"]
    run = train(
        "synthetic-rooms",
        assignments=[
            *(f"data.{option}" for option in options), "model.hidden_channels=8",
            "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
        ],
        max_steps=1, out=tmp_path / "run",
    )  # fmt: skip
    found = evaluate(run.best, baselines=["components"], out=tmp_path / "eval")
    assert 0 <= found["baselines"]["components"]["agnostic_ap25"] <= 1
    assert "baselines" in (tmp_path / "eval" / "metrics.json").read_text()
