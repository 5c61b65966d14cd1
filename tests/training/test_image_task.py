"""Masks of image datasets: COCO results on disk, AP against the annotations, its ceiling."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.nuclei import Nuclei
from geoinfluencer.metrics import CocoMetrics, NodeMetrics, score_files
from geoinfluencer.training import evaluate, predict, train
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import ImageTask, make_task

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

GRID = {"method": "grid", "stride": 4}
BOXES = ((4, 0, 8, 8), (16, 12, 4, 4))  # x, y, width, height; in step with the grid


def make_set(folder: Path, name: str, count: int, *, shift: int = 0) -> None:
    """``count`` images 24 x 16 with ids 10, 20 ... and two bright squares; the last is empty."""
    (folder / name).mkdir(parents=True)
    images, annotations = [], []
    for i in range(1, count + 1):
        pixels = np.full((16, 24), 30, np.uint8)
        images.append({"id": 10 * i, "file_name": f"cell{i}.png", "width": 24, "height": 16})
        for k, (x, y, w, h) in enumerate(BOXES if i < count else ()):
            pixels[y : y + h, x : x + w] = 200
            a, b = x + shift, x + w + shift
            annotations.append(
                {"id": len(annotations), "image_id": 10 * i, "category_id": 5 + 2 * k,
                 "segmentation": [[a, y, b, y, b, y + h, a, y + h]], "iscrowd": 0}
            )  # fmt: skip
        Image.fromarray(pixels).save(folder / name / f"cell{i}.png")
    categories = [{"id": 7, "name": "small"}, {"id": 5, "name": "large"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / f"{name}.json").write_text(json.dumps(content))


def coco(folder: Path, **options: Any) -> Coco:
    paths = {"val_images": "val", "val_annotations": "val.json"}
    return Coco(folder, "val", **{**paths, "graph": GRID, **options})


def result(sample: Data, labels: torch.Tensor, classes: torch.Tensor | None) -> SampleResult:
    count = int(labels.max()) + 1
    found = Instances(
        instance=labels,
        ptr=torch.tensor([0, len(labels)]),
        influencer=torch.zeros(count, dtype=torch.int64),
        score=torch.linspace(0.9, 0.5, count),
        size=torch.bincount(labels[labels >= 0], minlength=count),
        batch=torch.zeros(count, dtype=torch.int64),
        label=classes,
    )
    nodes = torch.zeros(len(labels), 2)
    return SampleResult(sample, nodes, nodes, instances=found)


def perfect(samples: Coco, *, classes: bool) -> list[SampleResult]:
    return [
        result(each, each.instance, torch.arange(int(each.instance.max()) + 1) if classes else None)
        for each in samples
    ]


def test_image_sets_have_this_task(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 2)
    assert isinstance(make_task(coco(tmp_path)), ImageTask)
    keys = set(NodeMetrics().compute()) | {"ceiling_ap", "ap", "ar", "max_dets", "ar10"}
    defined = set(ImageTask(None).definitions())
    assert defined >= keys - {"num_graphs"}
    page = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
    assert defined <= set(re.findall(r"`(\w+)`", page.read_text(encoding="utf-8")))


def test_perfect_masks_go_to_disk_and_back(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    samples = coco(tmp_path)
    task = make_task(samples)
    records = [task.record(each) for each in perfect(samples, classes=True)]
    written = task.write_predictions(records, tmp_path / "out")
    assert [path.name for path in written] == ["predictions.csv", "coco_results.json"]
    entries = json.loads(written[1].read_text())
    assert [(e["image_id"], e["category_id"]) for e in entries] == [
        (10, 5), (10, 7), (20, 5), (20, 7)
    ]  # fmt: skip
    assert [e["score"] for e in entries] == pytest.approx([0.9, 0.5] * 2)
    for each, (x, y, w, h) in zip(entries, BOXES * 2, strict=True):
        pixels = np.zeros((16, 24), int)
        pixels[y : y + h, x : x + w] = 1
        assert np.asarray(mask.decode(each["segmentation"])).tolist() == pixels.tolist()
    found = task.metrics_of(records)
    assert found["ap"] == found["ap50"] == found["ceiling_ap"] == pytest.approx(1.0)
    assert found["max_dets"] == 100 and found["most_objects"] == 1
    scored = score_files(written[1], tmp_path / "val.json", "coco").compute()
    assert scored["ap"] == found["ap"] and scored["num_images"] == 3


def test_the_ceiling_is_that_of_the_segments(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3, shift=1)  # objects a pixel beside the cells
    samples = coco(tmp_path)
    task = make_task(samples)
    found = task.metrics_of([task.record(each) for each in perfect(samples, classes=True)])
    assert found["ap"] == found["ceiling_ap"]
    # IoU 56 / 72 and 12 / 20: both count up to .60, the large one up to .75
    assert found["ap"] == pytest.approx((3 + 3 * 0.5) / 10) and found["ap50"] == pytest.approx(1.0)
    nothing = [
        task.record(result(each, torch.full_like(each.instance, -1), torch.arange(0)))
        for each in samples
    ]
    missed = task.metrics_of(nothing)
    assert missed["ap"] == 0 and missed["ceiling_ap"] == found["ceiling_ap"]


def test_without_classes_categories_do_not_count(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    for samples in (coco(tmp_path, class_agnostic=True), coco(tmp_path)):
        task = make_task(samples)
        records = [task.record(each) for each in perfect(samples, classes=False)]
        assert task.metrics_of(records)["ap"] == pytest.approx(1.0)
        (_, path) = task.write_predictions(records, tmp_path / "out")
        assert {each["category_id"] for each in json.loads(path.read_text())} == {5}


def test_only_the_images_of_the_split_are_scored(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    samples = coco(tmp_path, max_images=1)
    task = make_task(samples)
    records = [task.record(each) for each in perfect(samples, classes=True)]
    assert task.metrics_of(records)["ap"] == pytest.approx(1.0)
    assert "image_id" in samples[0] and int(samples[0].image_id) == 10


def test_images_without_annotations_are_numbered_by_name(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    samples = Nuclei(tmp_path / "val", "all", graph=GRID)
    task = make_task(samples)
    labels = torch.full((24,), -1)
    labels[3] = 0
    records = [task.record(result(each, labels, torch.tensor([1]))) for each in samples]
    assert task.metrics_of(records) == {}
    (_, path) = task.write_predictions(records, tmp_path / "out")
    entries = json.loads(path.read_text())
    assert [each["image_id"] for each in entries] == [1, 2, 3]
    assert {each["category_id"] for each in entries} == {2}  # class 1, no category known


def test_masks_are_put_aside(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    samples = coco(tmp_path)
    task = make_task(samples)
    (first, second, _) = (task.record(each) for each in perfect(samples, classes=True))
    assert first.spool is second.spool and first.place < second.place
    assert len(second.masks("found", 4)) == 2 and first.masks("perfect", 4)[0]["score"] == 1


def test_samples_without_pixels_have_scores_of_segments_alone(tmp_path: Path) -> None:
    sample = Data(pos=torch.zeros(2, 2), name="s")
    task = ImageTask(None)
    record = task.record(result(sample, torch.tensor([0, -1]), None))
    assert not record.has_masks and record.masks("found", 1) == []
    written = task.write_predictions([record], tmp_path)
    assert [path.name for path in written] == ["predictions.csv"]
    assert task.metrics_of([record]) == {}


def test_the_cap_is_warned_about() -> None:
    task = ImageTask(None)
    said = task.warnings({"max_dets": 100, "most_objects": 101, "most_detections": 100})
    assert len(said) == 1 and "101 true instances of one category" in said[0]
    assert len(task.warnings({"max_dets": 3, "most_objects": 4, "most_detections": 9})) == 2
    assert task.warnings({"max_dets": 3}) == task.warnings({}) == []
    assert set(CocoMetrics().window) == {"max_dets"}


SIDES = 4


class Lean:
    """Pixels of the image of :func:`make_set` that lean on the segment of their brightness."""

    device = torch.device("cpu")

    def __init__(self, image: np.ndarray, segment: torch.Tensor) -> None:
        self.bright = torch.from_numpy(image[..., 0].reshape(-1) == 200)
        self.segment = segment.long()
        self.num_pixels = len(self.segment)
        count = int(self.segment.max()) + 1
        share = torch.bincount(self.segment, self.bright.double(), count)
        self.shows = share * 2 >= torch.bincount(self.segment, minlength=count)

    def candidates(self, pixel: torch.Tensor) -> torch.Tensor:
        row, column = pixel // 24, pixel % 24
        at = [
            (row + dy).clamp(0, 15) * 24 + (column + dx).clamp(0, 23)
            for dy in (-SIDES, 0, SIDES)
            for dx in (-SIDES, 0, SIDES)
        ]
        return self.segment[torch.stack(at, dim=1)].sort(dim=1).values

    def logits(
        self, pixel: torch.Tensor, candidate: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        bright = self.bright[pixel]
        return 5.0 * (self.shows[candidate] == bright[:, None]), bright.float() - 0.5


def test_pixels_get_past_the_borders_of_segments(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 3)
    off = {"method": "grid", "stride": 5}  # cells out of step with the squares
    samples = Nuclei(tmp_path, "val", graph=off)
    task = make_task(samples)
    scores = {}
    for kind in ("segments", "pixels"):
        found = [result(each, each.instance, None) for each in samples]
        if kind == "pixels":
            for index, each in enumerate(found):
                each.pixels = Lean(samples.image(index)[..., None], each.sample.segment_map)
        scores[kind] = task.metrics_of([task.record(each) for each in found])
    assert scores["segments"]["ap"] < 0.2 and scores["segments"]["ceiling_ap"] < 0.2
    assert scores["pixels"]["ap"] == scores["pixels"]["pixel_ceiling_ap"] == pytest.approx(1.0)
    assert scores["pixels"]["ceiling_ap"] == scores["segments"]["ceiling_ap"]
    assert "pixel_ceiling_ap" not in scores["segments"]


def test_an_instance_that_loses_all_its_pixels_is_no_mask(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 2)
    samples = Nuclei(tmp_path, "val", graph=GRID)
    task = make_task(samples)
    found = result(samples[0], torch.arange(24), None)  # every cell an instance
    found.pixels = Lean(samples.image(0)[..., None], samples[0].segment_map)
    left = task.record(found).masks("found", 1)
    assert 0 < len(left) < 24
    assert all(mask.area(each["segmentation"]) > 0 for each in left)


def test_a_stem_from_training_to_results(tmp_path: Path) -> None:
    make_set(tmp_path, "train", 6)
    make_set(tmp_path, "val", 3)
    small = ("data.graph.method=grid", "data.graph.stride=5", "data.pixels=true",
             "model.stem=conv", "model.stem_channels=8", "model.hidden_channels=16",
             "model.num_layers=2", "train.workers=0", "train.accelerator=cpu",
             "train.learning_rate=0.01")  # fmt: skip
    run = train("nuclei", data_root=tmp_path, assignments=small, max_steps=150, out=tmp_path / "r")
    best = run.path / "checkpoints" / "best.ckpt"
    metrics = evaluate(best, out=tmp_path / "eval")
    assert metrics["pixel_ceiling_ap"] > metrics["ceiling_ap"] + 0.1
    assert metrics["pixel_ceiling_ap"] > 0.9
    rows = (run.path / "logs" / "train.csv").read_text().splitlines()
    column = rows[0].split(",").index("train/pixel_affinity")
    first, last = float(rows[1].split(",")[column]), float(rows[-1].split(",")[column])
    assert last < first / 4
    predict(best, [tmp_path / "val"], tmp_path / "predicted")
    masks = [tmp_path / folder / "coco_results.json" for folder in ("eval", "predicted")]
    scored, other = (json.loads(path.read_text()) for path in masks)
    assert scored and [each["segmentation"] for each in scored] == [
        each["segmentation"] for each in other
    ]


def test_a_checkpoint_from_training_to_results(tmp_path: Path) -> None:
    make_set(tmp_path, "train", 6)
    make_set(tmp_path, "val", 3)
    small = ("data.graph.method=grid", "data.graph.stride=4", "model.hidden_channels=8",
             "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
             "condensation.radius=5")  # fmt: skip
    run = train("nuclei", data_root=tmp_path, assignments=small, max_steps=4, out=tmp_path / "run")
    assert run.metrics["protocol"] == "images" and run.metrics["ceiling_ap"] > 0.9
    best = run.path / "checkpoints" / "best.ckpt"
    metrics = evaluate(best, out=tmp_path / "eval")
    assert metrics["ceiling_ap"] == pytest.approx(1.0) and 0 <= metrics["ap"] <= 1
    assert metrics["class_agnostic"] is True
    written = predict(best, [tmp_path / "val"], tmp_path / "predicted")
    masks = [tmp_path / folder / "coco_results.json" for folder in ("eval", "predicted")]
    assert written[-2:] == [masks[1], tmp_path / "predicted" / "overlays"]
    scored, other = (json.loads(path.read_text()) for path in masks)
    assert scored and len(scored) == len(other)
    assert {each["image_id"] for each in scored} <= {10, 20, 30}
    assert [each["segmentation"] for each in scored] == [each["segmentation"] for each in other]
    assert {each["category_id"] for each in other} == {5}  # known from training
