"""Charts of pixel nodes: lines on disk, their scores, their ceiling, and the same from files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.cli.main import main
from geoinfluencer.condensation import Instances
from geoinfluencer.metrics import LineMetrics, NodeMetrics
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.scoring.file_scores import evaluate_prediction_file
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import LineTask, make_task

HEIGHTS = (20, 60)


class Charts:
    protocol = "lines"


def chart(name: str, *, truth: bool = True) -> Data:
    """Two flat strokes, 3 pixels thick, and a speck of background."""
    x, y = np.meshgrid(np.arange(10, 90), np.arange(-1, 2))
    strokes = [np.stack([x.ravel(), y.ravel() + height], axis=1) for height in HEIGHTS]
    pos = np.concatenate([*strokes, [[5, 5]]]).astype(np.float32)
    data = Data(pos=torch.from_numpy(pos), name=name, image_size=torch.tensor([[80, 100]]))
    data.instance = torch.tensor([0] * 240 + [1] * 240 + [-1])
    data.ignore = torch.full((481,), not truth)
    if truth:
        data.line_xy = torch.tensor([[x, float(y)] for y in HEIGHTS for x in (10.0, 89.0)])
        data.line_of = torch.tensor([0, 0, 1, 1])
    return data


def result(sample: Data, labels: torch.Tensor) -> SampleResult:
    count = int(labels.max()) + 1
    found = Instances(
        instance=labels,
        ptr=torch.tensor([0, len(labels)]),
        influencer=torch.zeros(count, dtype=torch.int64),
        score=torch.linspace(0.9, 0.5, count),
        size=torch.bincount(labels[labels >= 0], minlength=count),
        batch=torch.zeros(count, dtype=torch.int64),
        label=None,
    )
    nodes = torch.zeros(len(labels), 2)
    return SampleResult(sample, nodes, nodes, instances=found)


def merged(labels: torch.Tensor) -> torch.Tensor:
    return labels.clamp(max=0)


@pytest.fixture
def task() -> LineTask:
    task = make_task(Charts())
    assert isinstance(task, LineTask)
    return task


def test_scores_of_lines_beside_those_of_pixels(task: LineTask) -> None:
    samples = [chart("a"), chart("b")]
    labels = [samples[0].instance, torch.full((481,), -1)]
    records = [task.record(result(*each)) for each in zip(samples, labels, strict=True)]
    metrics = task.metrics_of(records[:1])
    assert metrics["line_6a"] == metrics["line_6b"] == pytest.approx(1, abs=0.02)
    assert metrics["line_6b_placed"] == pytest.approx(1, abs=0.03)  # ends are half a pixel short
    assert metrics["ceiling_6a"] == metrics["line_6a"] and metrics["count_exact"] == 1
    metrics = task.metrics_of(records)
    assert metrics["line_6a"] == pytest.approx(0.5, abs=0.01)
    assert metrics["ceiling_6b"] == pytest.approx(1, abs=0.02)
    assert (metrics["count_error"], metrics["num_predicted_lines"]) == (1, 2)
    assert set(task.definitions()) <= set(metrics) | set(NodeMetrics().compute())
    assert task.score([(chart("a"), result(chart("a"), labels[0]).instances)])["ari"] == 1  # type: ignore[list-item]


def test_without_true_lines_there_are_no_such_scores(task: LineTask) -> None:
    sample = chart("a", truth=False)
    record = task.record(result(sample, sample.instance))
    assert task.metrics_of([record]) == {} and task.metrics_of([]) == {}
    assert len(record.points("found")) == 2
    with pytest.raises(KeyError):
        record.points("truth")


def test_what_is_written_scores_alike(
    task: LineTask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [chart("x/a.png"), chart("x/b.png")]
    labels = [samples[0].instance, merged(samples[1].instance)]
    records = [task.record(result(*each)) for each in zip(samples, labels, strict=True)]
    written = task.write_predictions(records, tmp_path)
    assert [path.name for path in written] == ["predictions.csv", "lines.json", "lines.csv"]
    truth = tmp_path / "truth.json"
    annotations = [
        {"id": 2 * i + k, "image_id": i, "category_id": 0, "bbox": [10, y, 89, y]}
        for i in range(2) for k, y in enumerate(HEIGHTS)
    ]  # fmt: skip
    images = [{"id": i, "file_name": f"{name}.png"} for i, name in enumerate("ab")]
    truth.write_text(json.dumps({"images": images, "annotations": annotations}))
    expected = task.metrics_of(records)
    scored = evaluate_prediction_file(tmp_path / "lines.json", truth, "lines")
    for key in LineMetrics().compute():
        assert scored[key] == pytest.approx(expected[key], abs=1e-4), key
    out = tmp_path / "out"
    files = ["--pred", str(tmp_path / "lines.json"), "--truth", str(truth)]
    assert main(["eval", *files, "--protocol", "lines", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"  line_6b                  {expected['line_6b']:.4f}" in printed.splitlines()
    assert "ceiling" not in printed
    assert json.loads((out / "metrics.json").read_text())["num_lines"] == 4
    assert main(["eval", *files, "--protocol", "lines", "--line-category-id", "7"]) == 2
    assert "no annotation has category_id 7, only 0" in capsys.readouterr().err
    assert main(["eval", *files, "--protocol", "nodes", "--line-category-id", "7"]) == 2
    assert "--line-category-id: is not for --protocol nodes" in capsys.readouterr().err


def test_points_come_in_order_with_their_score(task: LineTask, tmp_path: Path) -> None:
    sample = chart("a")
    task.write_predictions([task.record(result(sample, sample.instance))], tmp_path)
    rows = pd.read_csv(tmp_path / "lines.csv")
    for number, (line, score) in enumerate(((HEIGHTS[0], 0.9), (HEIGHTS[1], 0.5))):
        mine = rows[rows["line"] == number]
        assert mine["order"].tolist() == list(range(len(mine)))
        assert (mine["x"].diff()[1:] > 0).all() and ((mine["y"] - line).abs() < 0.8).all()
        assert mine["x"].iloc[0] == pytest.approx(10, abs=1)
        assert mine["x"].iloc[-1] == pytest.approx(89, abs=1)
        assert (mine["score"] == score).all()


def test_names_that_do_not_tell_images_apart(task: LineTask, tmp_path: Path) -> None:
    samples = [chart("a"), chart("a"), chart("")]
    records = [task.record(result(each, each.instance)) for each in samples]
    task.write_predictions(records, tmp_path)
    images = json.loads((tmp_path / "lines.json").read_text())["lines"]
    assert list(images) == ["a", "a-1", "image-2"]


@pytest.mark.parametrize("truth", [True, False])
def test_pictures(task: LineTask, truth: bool) -> None:
    sample = chart("a", truth=truth)
    arrays: dict[str, Any] = task.display_arrays(result(sample, sample.instance.clone()))
    assert arrays["line_of"].max() == 1 and len(arrays["line_xy"]) == len(arrays["line_of"])
    (figure,) = task.sample_figures(arrays, "a")
    assert figure.png[:4] == b"\x89PNG"
    assert "image" not in arrays
    nothing = task.display_arrays(result(sample, torch.full((481,), -1)))
    assert nothing["line_xy"].shape == (0, 2)
    assert len(task.sample_figures(nothing, "a")) == 1


def test_pictures_begin_with_the_chart_itself() -> None:
    pixels = np.full((80, 100, 3), 255, np.uint8)

    class Painted(Charts):
        def image(self, idx: int) -> np.ndarray:
            assert idx == 3
            return pixels

    task, sample = make_task(Painted()), chart("a")
    sample.image_number = torch.tensor([3])
    labels = sample.instance.clone()
    assert "image" not in task.display_arrays(result(sample, labels))  # of a mirror image
    sample.segment_map = torch.zeros(8000, dtype=torch.int64)
    arrays = task.display_arrays(result(sample, labels))
    assert arrays["image"] is pixels
    plain = {key: value for key, value in arrays.items() if key != "image"}
    (figure,) = task.sample_figures(arrays, "a")
    shapes = [_shape(each.png) for each in (figure, *task.sample_figures(plain, "a"))]
    # two rows of three panels, one of them empty without the chart; 4 inches high, and titles
    assert shapes == [pytest.approx((2 * 4.4 * 110, 15 * 110), abs=2)] * 2
    assert "others have colours of their own" in figure.caption


def test_lines_are_masks_too(tmp_path: Path) -> None:
    coco_mask = pytest.importorskip("pycocotools.mask")
    pixels = np.full((80, 100, 3), 255, np.uint8)

    class Painted(Charts):
        category_ids = (7,)

        def image(self, idx: int) -> np.ndarray:
            return pixels

    task, sample = make_task(Painted()), chart("a")
    x, y = sample.pos.long().T
    segment = torch.full((80, 100), -1)
    segment[y, x] = torch.arange(len(x))
    sample.segment_map, sample.image_number = segment.reshape(-1), torch.tensor([0])
    sample.image_id = torch.tensor([12])
    record = task.record(result(sample, sample.instance))
    written = task.write_predictions([record], tmp_path)
    assert written[-1] == tmp_path / "coco_results.json"
    found = json.loads(written[-1].read_text())
    assert [(each["image_id"], each["category_id"]) for each in found] == [(12, 7)] * 2
    assert [each["score"] for each in found] == pytest.approx([0.9, 0.5])
    for number, each in enumerate(found):
        mask = torch.from_numpy(coco_mask.decode(each["segmentation"]).astype(bool))
        expected = torch.zeros(80, 100, dtype=torch.bool)
        mine = sample.instance == number
        expected[y[mine], x[mine]] = True
        assert torch.equal(mask, expected)
    assert task.write_pictures([record], tmp_path) == [tmp_path / "overlays"]
    shown = matplotlib.image.imread(tmp_path / "overlays/a.png")
    coloured = (shown[..., :3] < 1).any(2)
    assert coloured[20, 50] and coloured[60, 50] and not coloured[40, 50] and not coloured[5, 5]


def test_without_pycocotools_charts_have_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    settings = ["data.train_charts=4", "data.calib_charts=2", "data.val_charts=2"]
    run = train(
        "synthetic-charts", preset="quick", max_steps=1, assignments=settings, out=tmp_path / "run"
    )
    assert run.metrics["ceiling_6a"] > 0.5
    with pytest.warns(UserWarning, match="no masks of the lines and no overlays"):
        evaluate(run.best, out=tmp_path / "eval")
    assert (tmp_path / "eval/lines.json").is_file()
    assert not (tmp_path / "eval/coco_results.json").exists()


def test_without_pycocotools_images_are_trained_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    run = train(
        "shapes", preset="quick", max_steps=1, assignments=["data.train_images=3"],
        out=tmp_path / "run",
    )  # fmt: skip
    assert "pq" in run.metrics and "ap" not in run.metrics
    assert json.loads((run.path / "metrics.json").read_text())["steps"] == 1


def test_without_the_way_back_to_pixels_there_are_no_masks(task: LineTask, tmp_path: Path) -> None:
    sample = chart("a")
    record = task.record(result(sample, sample.instance))
    assert tmp_path / "coco_results.json" not in task.write_predictions([record], tmp_path)
    assert task.write_pictures([record], tmp_path) == []


def _shape(png: bytes) -> tuple[int, int]:
    return matplotlib.image.imread(io.BytesIO(png)).shape[:2]


def test_lines_are_named_by_their_file_where_annotations_do(task: LineTask, tmp_path: Path) -> None:
    samples = [chart("c0"), chart("c0")]
    samples[0].file_name, samples[1].file_name = "a/c0.png", "b/c0.png"
    records = [task.record(result(each, each.instance)) for each in samples]
    task.write_predictions(records, tmp_path)
    assert list(json.loads((tmp_path / "lines.json").read_text())["lines"]) == ["a/c0", "b/c0"]
