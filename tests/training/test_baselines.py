"""Clustering without a model, beside a model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets import SyntheticRooms
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.points import POINT_NODE_FEATURES
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.data import build_dataset
from geoinfluencer.training.scoring.baselines import METHODS, cluster, score_baselines
from geoinfluencer.training.scoring.evaluation import evaluation_config
from geoinfluencer.training.tasks import RoomTask, make_task

OPTIONS = ["val_rooms=2", "calib_rooms=1", "train_rooms=1", "num_points=6000", "size_max=4.5"]
OPTIONS += ["max_nodes=500", "graph.voxel=0.15"]
SIZES = (14, 12, 10)  # voxels
FLOOR, WALL, BOX = np.repeat([0, 1, 2], SIZES) == [[0], [1], [2]]


def corner(*, red_box: bool = True) -> Data:
    """A floor, a wall and a box on the floor with its normals, of voxels of ten points: three
    chains, of which the last two hang on the floor. The box is red, or grey as the rest."""
    x = torch.zeros(36, len(POINT_NODE_FEATURES))
    x[:, POINT_NODE_FEATURES.index("normal_z")] = torch.from_numpy(~WALL).float()
    x[:, POINT_NODE_FEATURES.index("normal_y")] = torch.from_numpy(WALL).float()
    if red_box:
        x[:, POINT_NODE_FEATURES.index("red")] = torch.from_numpy(BOX).float()
    group = torch.arange(3).repeat_interleave(torch.tensor(SIZES))
    one = (group[1:] == group[:-1]).nonzero()[:, 0]
    links = torch.tensor([[5, 5], [14, 26]])
    step = 0.05 * torch.cat([torch.arange(size) for size in SIZES])
    return Data(
        x=x,
        pos=torch.stack([step, group.float(), torch.zeros(36)], 1),  # a metre apart
        edge_index=torch.cat([torch.stack([one, one + 1]), links], 1),
        instance=group,
        mass=torch.full((36,), 10.0),
        voxel_of_point=torch.arange(360) // 10,
        name="corner",
    )


class Corners:
    """A room of instances of 140, 120 and 100 points, as far as the task looks at a dataset."""

    protocol = "rooms"

    def __init__(self, sample: Data) -> None:
        self.sample = sample

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Data:
        return self.sample

    def point_truth(self, name: str) -> tuple[np.ndarray, None]:
        return np.repeat([0, 1, 2], [140, 120, 100]), None


def groups(method: str, sample: Data | None = None, **settings: float) -> list[list[int]]:
    """Sets of parts (0 floor, 1 wall, 2 box) that a clustering puts in one instance each; all
    nodes of a part are in one."""
    label = cluster(corner() if sample is None else sample, method, settings).instance.numpy()
    parts = [np.unique(label[part]) for part in (FLOOR, WALL, BOX)]
    assert all(len(part) == 1 and part[0] >= 0 for part in parts)
    of_part = np.concatenate(parts)
    return [np.flatnonzero(of_part == k).tolist() for k in range(label.max() + 1)]


def test_components_part_where_normals_turn_or_colours_change() -> None:
    # normals of the wall are 1 apart from the others', the box's colour is
    assert groups("components", threshold=0.9, color=0.0) == [[0, 2], [1]]
    assert groups("components", threshold=1.1, color=0.0) == [[0, 1, 2]]
    assert groups("components", threshold=0.45, color=0.5) == [[0], [1], [2]]
    assert groups("components", threshold=0.5, color=0.5) == [[0, 2], [1]]
    grey = corner(red_box=False)
    assert groups("components", grey, threshold=0.1, color=0.5) == [[0, 2], [1]]


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_density_clusters_are_what_lies_together(method: str) -> None:
    pytest.importorskip("sklearn")
    alone = {"dbscan": {"radius": 0.1, "core": 2}, "hdbscan": {"smallest": 5}}[method]
    assert groups(method, normal=0.0, color=0.0, **alone) == [[0], [1], [2]]
    if method == "dbscan":
        wide = {"radius": 1.04, "core": 2}  # a metre reaches the next one
        assert groups(method, normal=0.0, color=0.0, **wide) == [[0, 1, 2]]
        # and a wall a metre and normals of 0.5 apart is out of reach, as is then the box behind
        assert groups(method, normal=0.5, color=0.0, **wide) == [[0], [1], [2]]


def test_settings_are_chosen_on_calibration_samples_and_not_on_the_scored() -> None:
    room = Corners(corner())
    task = RoomTask(room)
    found = score_baselines(room, [corner()], task, ["components"])["components"]
    # the first of the grid under which floor, wall and box fall apart
    assert found["settings"] == {"threshold": 0.1, "color": 0.5}
    for name in ("agnostic_ap50", "agnostic_mcov", "agnostic_mprec", "agnostic_mrec", "pq"):
        assert found[name] == pytest.approx(1.0), name
    grey = corner(red_box=False)
    found = score_baselines(room, [grey], task, ["components"])["components"]
    # on the grey one no colour helps, and the first settings are as good as any
    assert found["settings"] == {"threshold": 0.1, "color": 0.0}
    # floor and box are one: IoU 140 / 240 with the floor, a match, and 100 / 240 with the box
    assert found["agnostic_mcov"] == pytest.approx((14 / 24 + 1 + 10 / 24) / 3)
    assert found["agnostic_mprec"] == pytest.approx(1.0)
    assert found["agnostic_mrec"] == pytest.approx(2 / 3)
    assert found["pq"] == pytest.approx((14 / 24 + 1) / (2 + 1 / 2))
    assert found["num_objects"] == 3 and found["num_detections"] == 2


def test_the_first_of_the_best_settings_on_a_generated_room() -> None:
    rooms = SyntheticRooms(
        None, "calib", calib_rooms=1, num_points=6000, size_max=4.5, graph={"voxel": 0.15}
    )
    task, calib = make_task(rooms), rooms[0]
    found = score_baselines(rooms, [calib], task, ["components"])["components"]
    scores = []
    for settings in METHODS["components"]:
        metric = task.new_metric()
        task.update(metric, calib, cluster(calib, "components", settings))
        scores.append(metric.compute()["pq"])
    assert found["settings"] == METHODS["components"][int(np.argmax(scores))]
    assert found["pq"] == max(scores) and min(scores) < max(scores)


def test_graphs_of_other_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="graphs of voxels or superpoints"):
        cluster(Data(x=torch.zeros(3, 2)), "components", METHODS["components"][0])
    with pytest.raises(InputError, match="baseline 'kmeans' is unknown"):
        cluster(Data(x=torch.zeros(3, 2)), "kmeans", {})


def test_an_evaluation_scores_them_beside_the_model(tmp_path: Path) -> None:
    run = train(
        "synthetic-rooms",
        assignments=[
            *(f"data.{option}" for option in OPTIONS), "model.hidden_channels=8",
            "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
        ],
        max_steps=1, out=tmp_path / "run",
    )  # fmt: skip
    found = evaluate(run.best, baselines=["components"], out=tmp_path / "eval")
    config = evaluation_config(load_checkpoint(run.best), None, None)
    cls = resolve_dataset(config.dataset)
    val, calib = (build_dataset(cls, config, split) for split in ("val", "calib"))
    wanted = score_baselines(val, [calib[0]], make_task(val), ["components"])["components"]
    beside = found["baselines"]["components"]
    assert beside.keys() == wanted.keys() and beside["settings"] == wanted["settings"]
    for name in ("pq", "agnostic_ap50", "agnostic_ap25", "agnostic_mcov"):
        assert beside[name] == wanted[name] and not math.isnan(beside[name])
    assert '"baselines"' in (tmp_path / "eval" / "metrics.json").read_text()
