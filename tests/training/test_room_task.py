"""Rooms: labels of voxels go back to the raw points, and are scored there."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Subset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets import S3DIS, SyntheticRooms
from geoinfluencer.datasets.points import Points
from geoinfluencer.errors import InputError
from geoinfluencer.metrics import CLASS_SETS, NodeMetrics
from geoinfluencer.metrics.scene_points import FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_scores import SCENE_PROTOCOLS, SceneScores
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.fitting.calibration import calibrate_scores
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import FILE_TASKS, NodeTask, RoomTask, make_task
from tests.training.room_oracle import check_rescored

METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
ROOMS = ["val_rooms=2", "num_points=6000", "size_max=4.5", "max_nodes=500", "graph.voxel=0.15"]


class Rooms:
    """Two chairs of 120 points and a floor, in voxels of ten points; a dataset as far as the task
    looks at one. The last voxel of each chair holds five points of the floor."""

    protocol = "rooms"
    class_names = ("floor", "chair")
    stuff = (0,)
    instance = np.repeat([0, -1, 1, -1], [120, 5, 120, 55])
    semantic = np.where(instance >= 0, 1, 0)

    def point_truth(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        assert name == "room"
        return self.instance, self.semantic


def sample(cut: int = 0) -> Data:
    """The room's voxels; of its points the last ``cut`` are in none."""
    voxel = np.arange(300) // 10
    instance = np.full(30, -1)
    instance[:12], instance[13:24] = 0, 1
    voxel[300 - cut :] = -1
    return Data(
        pos=torch.zeros(30, 3),
        instance=torch.from_numpy(instance),
        y=torch.from_numpy((instance >= 0).astype(np.int64)),
        voxel_of_point=torch.from_numpy(voxel),
        mass=torch.full((30,), 10.0),
        name="room",
    )


def result(data: Data, labels: torch.Tensor, classes: list[int] | None) -> SampleResult:
    count = int(labels.max()) + 1
    found = Instances(
        instance=labels,
        ptr=torch.tensor([0, len(labels)]),
        influencer=torch.zeros(count, dtype=torch.int64),
        score=torch.linspace(0.9, 0.5, count),
        size=torch.bincount(labels[labels >= 0], minlength=count),
        batch=torch.zeros(count, dtype=torch.int64),
        label=None if classes is None else torch.tensor(classes),
    )
    nodes = torch.zeros(len(labels), 2)
    return SampleResult(data, nodes, nodes, instances=found)


def scored(data: Data, labels: torch.Tensor, classes: list[int] | None) -> dict[str, Any]:
    task = make_task(Subset(Rooms(), [0]))  # type: ignore[arg-type]
    assert isinstance(task, RoomTask)
    return task.metrics_of([task.record(result(data, labels, classes))])


def test_scores_are_of_points_not_of_voxels() -> None:
    data = sample()
    found = scored(data, data.instance, [1, 1])
    # voxels 13 to 23 hold 110 of the second chair's 120 points
    assert found["cov_of_chair"] == pytest.approx((1 + 110 / 120) / 2)
    assert found["ap50"] == found["agnostic_ap50"] == 1.0
    # IoU 110 / 120 holds up to .90
    assert found["ap"] == pytest.approx(1.0) and found["coco_style_ap"] < 1
    assert found["num_objects"] == found["num_detections"] == 2 and found["min_points"] == 100
    assert found["points_cut"] == 0.0 and found["classes_without_truth"] == ""
    assert NodeTask(None).score([(data, result(data, data.instance, [1, 1]).instances)])["pq"] == 1


def test_without_classes_there_are_scores_with_no_notice_of_them() -> None:
    data = sample()
    found = scored(data, data.instance, None)
    assert found["agnostic_ap50"] == 1.0 and found["agnostic_mrec"] == 1.0
    assert not {"ap", "mcov", "miou"} & found.keys()
    wrong = scored(data, data.instance, [1, 0])  # a chair taken for the floor
    assert wrong["agnostic_ap50"] == 1.0 and wrong["ap50"] == pytest.approx(0.5)
    # the floor's 60 points are of no instance and so of no predicted class
    assert wrong["iou_of_chair"] == pytest.approx(120 / 240) and wrong["iou_of_floor"] == 0.0


def test_scans_without_classes_are_judged_without_them() -> None:
    """Of a model with classes; their samples have a y, of voids."""
    data = sample()
    data.y = torch.full((30,), -1)
    with_classes = result(data, data.instance, [1, 1])
    found = with_classes.instances
    assert found is not None
    free = RoomTask(None)
    assert free.class_agnostic(data, found) and not RoomTask(Rooms()).class_agnostic(data, found)
    assert free.score([(data, found)])["pq"] == 1
    record = free.record(with_classes)
    assert record.semantic is None and free.metrics_of([record])["agnostic_coco_style_ap"] == 1
    settings = CondensationSection(source="embedding").at(0.5)
    fitted = calibrate_scores([sixty_voxels()], free, settings)
    assert fitted.instances == 60 and fitted.confidence is None
    assert "all 60 instances on calib are worth the same" in fitted.words


def sixty_voxels() -> SampleResult:
    """Sixty instances of a voxel each, all of a class and all of them right."""
    place = torch.arange(60.0)[:, None] * 9
    instance = torch.arange(60)
    return SampleResult(
        Data(instance=instance, y=torch.full((60,), -1)), place, place, torch.zeros(60, 2)
    )


def test_points_that_were_cut_away_do_not_count_and_are_spoken_of() -> None:
    data = sample(cut=30)
    found = scored(data, data.instance, [1, 1])
    assert found["points_cut"] == pytest.approx(0.1) and found["ap50"] == 1.0
    task = RoomTask(None)
    assert "10% of the points are not scored" in task.warnings(found)[0]
    assert task.warnings(scored(sample(), data.instance, [1, 1])) == []


def test_no_way_back_no_scores_of_points(tmp_path: Path) -> None:
    data = sample()
    del data.voxel_of_point
    task = RoomTask(Rooms())
    records = [task.record(result(data, data.instance, [1, 1]))]
    assert task.metrics_of(records) == {}
    assert [path.name for path in task.write_predictions(records, tmp_path)] == ["predictions.csv"]


def test_truth_of_a_dataset_without_points_is_that_of_its_voxels() -> None:
    data, task = sample(), RoomTask(None)
    found = task.metrics_of([task.record(result(data, data.instance, None))])
    assert found["agnostic_coco_style_ap"] == pytest.approx(1.0)


def test_every_metric_of_scenes_is_on_the_page_and_has_its_words() -> None:
    page = set(re.findall(r"`([\w.]+)`", METRICS_PAGE.read_text(encoding="utf-8")))
    instance = np.zeros(9, np.int64)
    for protocol in SCENE_PROTOCOLS:
        scores = SceneScores(protocol, CLASS_SETS["s3dis"].with_stuff(["wall"]))
        scores.update(TruthPoints(instance, instance), FoundPoints(instance, instance))
        found = scores.compute()
        keys = {re.sub(r"_of_\w+", "_of_CLASS", key) for key in found}
        assert keys | scores.window.keys() <= page, (keys | scores.window.keys()) - page
        assert set(FILE_TASKS[protocol](None).definitions()) <= found.keys()
    defined = set(RoomTask(None).definitions())
    assert defined <= page and defined > set(NodeMetrics().compute()) - {"num_graphs"}


def test_partial_scores_say_so() -> None:
    metrics = {"partial": True, "num_scenes": 5, "scenes_missing": 2, "scenes_unknown": 0}
    for protocol in SCENE_PROTOCOLS:
        task = FILE_TASKS[protocol](None)
        assert "PARTIAL: 5 scenes, 2 of the truth left out" in task.window_words(metrics)
        assert "PARTIAL" not in task.window_words({**metrics, "partial": False})


def test_single_classes_are_a_table() -> None:
    task = FILE_TASKS["s3dis"](None)
    metrics = {"mcov": 0.3, "cov_of_chair": 0.5, "rec_of_chair": math.nan, "cov_of_sofa": None}
    assert task.table(metrics) == [
        "  class     cov     rec", "  chair   0.500       -", "  sofa        -       -"
    ]  # fmt: skip
    assert FILE_TASKS["nodes"](None).table(metrics) == []


@pytest.mark.parametrize("classes", [False, True])
def test_from_training_to_scores_of_points(tmp_path: Path, classes: bool) -> None:
    options = [f"data.{option}" for option in ROOMS]
    options += ["data.train_rooms=2", "data.calib_rooms=1", f"data.classes={str(classes).lower()}"]
    options += ["model.hidden_channels=8", "model.num_layers=1", "train.workers=0"]
    run = train(
        "synthetic-rooms", assignments=[*options, "train.accelerator=cpu"], max_steps=2,
        out=tmp_path / "run",
    )  # fmt: skip
    assert run.metrics["protocol"] == "rooms"
    found = evaluate(run.best, out=tmp_path / "eval")
    assert run.metrics["agnostic_ap50"] == found["agnostic_ap50"]  # both of best.ckpt on val
    check_rescored(found, run.best, tmp_path / "eval")
    assert found["agnostic_mcov"] > 0  # something was found
    assert found["class_agnostic"] is not classes
    assert ("ap50" in found) is ("miou" in found) is classes
    assert (tmp_path / "eval" / "predictions.csv").is_file()


def test_truth_of_generated_points() -> None:
    samples = SyntheticRooms(None, "val", val_rooms=2, num_points=6000, classes=True, stuff=False)
    instance, semantic = samples.point_truth(samples.room_name(1))
    room = samples.room(1)
    assert len(instance) == len(room.pos) and semantic is not None
    assert (room.label[instance[instance >= 0]] >= 7).all() and (semantic < 7).any()
    assert (instance[semantic < 7] == -1).all() and samples.stuff == tuple(range(7))
    assert SyntheticRooms(None, "val", val_rooms=1).point_truth("room-val-000000")[1] is None


def test_the_real_room_with_the_truth_of_its_voxels(test_data: Path, tmp_path: Path) -> None:
    samples = S3DIS(test_data / "s3dis_room", "val", all_rooms=True, cache_dir=str(tmp_path))
    task = make_task(samples)
    data = samples[0]
    classes = [int(data.y[data.instance == k][0]) for k in range(int(data.instance.max()) + 1)]
    found = task.metrics_of([task.record(result(data, data.instance, classes))])
    assert found["agnostic_ap50"] > 0.95 and found["ap50"] > 0.95 and found["mcov"] > 0.9


def test_a_benchmark_with_missing_rooms_is_scored_on_demand_alone(
    test_data: Path, tmp_path: Path
) -> None:
    root = test_data / "s3dis_room"
    options = ["data.classes=true", *(f"data.{option}" for option in ROOMS), "train.workers=0"]
    options += ["data.train_rooms=1", "data.calib_rooms=1", "model.hidden_channels=8"]
    run = train(
        "synthetic-rooms", assignments=[*options, "train.accelerator=cpu", "model.num_layers=1"],
        max_steps=1, out=tmp_path / "run",
    )  # fmt: skip
    cache = [f"data.cache_dir={tmp_path / 'cache'}", "data.max_eval_nodes=500"]
    with (
        pytest.warns(UserWarning, match="1 of 68 rooms"),
        pytest.raises(InputError, match="split val: 1 of 68 rooms .*; or --partial scores"),
    ):
        evaluate(run.best, "s3dis", data_root=root, split="val", assignments=cache)
    with pytest.warns(UserWarning, match="1 of 68 rooms"):
        found = evaluate(
            run.best, "s3dis", data_root=root, split="val", assignments=cache, partial=True
        )
    assert found["partial"] is True
    assert RoomTask(None).window_words(found) == "PARTIAL: 1 of 68 rooms (Area_5 1 of 68)"
    with pytest.warns(UserWarning, match="1 of 68 rooms"):
        samples = S3DIS(
            root,
            "val",
            max_eval_nodes=500,
            cache_dir=str(tmp_path / "cache"),
            graph={"voxel": 0.15},
        )
    inside = samples[0].voxel_of_point.numpy() >= 0
    assert found["points_cut"] == pytest.approx(1 - inside.mean()) and 0.5 < 1 - inside.mean() < 1
    instance = samples.point_truth(samples.room_name(0))[0][inside]
    points = np.bincount(instance[instance >= 0])
    assert found["num_objects"] == (points >= 100).sum() > 1
    whole = evaluate(run.best, "s3dis", data_root=root, split="all", assignments=cache)
    assert "partial" not in whole and RoomTask(None).window_words(whole) == ""


def test_classes_of_your_own_points(tmp_path: Path) -> None:
    instance = np.repeat([3, -1, -1], [300, 200, 100])
    semantic = np.repeat([1, 0, -1], [300, 200, 100])
    pos = np.random.default_rng(0).random((600, 3)).astype(np.float32)
    np.savez(tmp_path / "scan.npz", pos=pos, instance=instance, semantic=semantic)
    samples = Points(
        tmp_path / "scan.npz", "all", semantic="semantic", class_names=["floor", "chair"],
        background=["floor"], cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    found, classes = samples.point_truth(samples.room_name(0))
    assert ((found >= 0) == (instance >= 0)).all() and classes is not None
    assert classes.tolist() == semantic.tolist() and samples.stuff == (0,)
