from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets import (
    Coco,
    Lines,
    Shapes,
    SyntheticCharts,
    SyntheticRooms,
    ToyTracks,
    TrackML,
)
from geoinfluencer.errors import InputError
from geoinfluencer.metrics import NodeMetrics, TrackMetrics
from geoinfluencer.training.data import attribute
from geoinfluencer.training.scoring.file_scores import evaluate_prediction_file
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import NodeTask, TrackTask, make_task

METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
OTHER_TOOLS = ("gnn_tracking_", "heptv2_", "acorn_", "hepattn_")
BOOKKEEPING = {"num_hits", "num_events", "num_window_tracks", "noise_tracks"}


class Plain:
    """A dataset as far as a task looks at one."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def __getitem__(self, index: int) -> int:
        return index


def part(samples: Any) -> Any:
    return Subset(Subset(samples, [0, 1, 2]), [1])


def found(labels: list[int], classes: list[int] | None = None) -> Instances:
    instance = torch.tensor(labels)
    count = int(instance.max()) + 1
    return Instances(
        instance=instance,
        ptr=torch.tensor([0, len(labels)]),
        influencer=torch.tensor([labels.index(k) for k in range(count)], dtype=torch.int64),
        score=torch.full((count,), 0.75),
        size=torch.bincount(instance[instance >= 0], minlength=count),
        batch=torch.zeros(count, dtype=torch.int64),
        label=None if classes is None else torch.tensor(classes, dtype=torch.int64),
    )


def result(name: str, predicted: Instances, **truth: list[int]) -> SampleResult:
    fields = {key: torch.tensor(value) for key, value in truth.items()}
    count = len(predicted.instance)
    sample = Data(pos=torch.zeros(count, 2), name=name, **fields)
    return SampleResult(sample, torch.zeros(count, 2), torch.zeros(count, 2), instances=predicted)


def test_attributes_are_those_of_the_whole_dataset() -> None:
    samples = Plain(event_names=["a"], dataset="not a part of one")
    assert attribute(part(samples), "event_names", ()) == ["a"]
    assert attribute(part(samples), "window", None) is None
    assert attribute(samples, "protocol", "nodes") == "nodes"


def test_a_part_has_the_task_of_its_dataset() -> None:
    window = Plain(pt_min=0.5, eta_max=2.0, min_hits=4)
    samples = Plain(protocol="trackml", primary_metric="trackml_score", window=window)
    for each in (samples, part(samples)):
        task = make_task(each)
        assert isinstance(task, TrackTask) and task.primary_metric == "trackml_score"
        assert task.window() == {"pt_min": 0.5, "eta_max": 2.0, "min_hits": 4}
    assert isinstance(make_task(Plain()), NodeTask)


@pytest.mark.parametrize(
    ("protocol", "hint"),
    [("trackm", "did you mean 'trackml'"), (3, "known here: images, lines, nodes, rooms, trackml")],
)
def test_unknown_protocol(protocol: object, hint: str) -> None:
    with pytest.raises(InputError, match=f"unknown protocol '{protocol}'; {hint}"):
        make_task(Plain(protocol=protocol))


def test_every_track_metric_is_defined_or_bookkeeping() -> None:
    own = {key for key in TrackMetrics().compute() if not key.startswith(OTHER_TOOLS)}
    assert set(TrackTask().definitions()) == own - BOOKKEEPING
    assert own >= BOOKKEEPING


@pytest.mark.parametrize("metric", [TrackMetrics(), NodeMetrics()], ids=["trackml", "nodes"])
def test_the_metrics_page_names_every_key(metric: TrackMetrics | NodeMetrics) -> None:
    named = set(re.findall(r"`(\w+)`", METRICS_PAGE.read_text(encoding="utf-8")))
    keys = {re.sub(r"^acorn_(atlas|one_way|two_way)_", "acorn_STYLE_", k) for k in metric.compute()}
    assert keys - named == set()
    assert {"atlas", "one_way", "two_way"} <= named


def test_definitions_are_of_metrics_that_exist() -> None:
    assert set(NodeTask(None).definitions()) <= set(NodeMetrics().compute())


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (("scan 7", "scan 3"), (7, 3)),
        (("a", "b"), (0, 1)),
        (("scan 7", "b"), (0, 1)),
        (("room 2/left", "room 2/right"), (0, 1)),
    ],
)
def test_events_of_nodes_are_numbered_by_their_names(
    tmp_path: Path, names: tuple[str, str], numbers: tuple[int, int]
) -> None:
    task = NodeTask(None)
    records = [task.record(result(name, found([0, -1]))) for name in names]
    (path,) = task.write_predictions(records, tmp_path)
    table = pd.read_csv(path)
    assert list(table) == ["event_id", "node_id", "instance", "score", "sample"]
    assert table["event_id"].tolist() == [numbers[0]] * 2 + [numbers[1]] * 2
    assert table["sample"].tolist() == [names[0]] * 2 + [names[1]] * 2


def test_classes_of_nodes_go_to_file_and_back(tmp_path: Path) -> None:
    results = [  # right, of the wrong class, and an instance too many; then nothing found
        result(
            "scan-4",
            found([0, 0, 1, 1, 1, 2, -1, -1], [1, 0, 1]),
            instance=[0, 0, 1, 1, 1, -1, -1, 2],
            y=[1, 1, 1, 1, 1, -1, -1, 0],
        ),
        result("scan-9", found([-1, -1, -1], []), instance=[0, 0, -1], y=[0, 0, -1]),
    ]
    task = NodeTask(None)
    pairs = [(each.sample, each.instances) for each in results]
    expected = task.score(pairs)  # type: ignore[arg-type]
    (path,) = task.write_predictions([task.record(each) for each in results], tmp_path)
    written = pd.read_csv(path)
    assert written["semantic"].tolist() == [1, 1, 0, 0, 0, 1, -1, -1, -1, -1, -1]
    rows = [
        {"event_id": number, "node_id": i, "instance": instance, "semantic": label}
        for number, each in zip((4, 9), results, strict=True)
        for i, (instance, label) in enumerate(
            zip(each.sample.instance.tolist(), each.sample.y.tolist(), strict=True)
        )
    ]
    truth = tmp_path / "truth.csv"
    pd.DataFrame(rows).to_csv(truth, index=False)
    scored = evaluate_prediction_file(path, truth, "nodes")
    assert {key: scored[key] for key in expected} == pytest.approx(expected, nan_ok=True)
    assert scored["class_agnostic"] is False and scored["num_graphs"] == 2
    pd.DataFrame(rows).drop(columns="semantic").to_csv(truth, index=False)
    blind = evaluate_prediction_file(path, truth, "nodes")
    assert blind["class_agnostic"] is True and blind["pq"] > scored["pq"]


def test_class_agnostic_says_what_was_done() -> None:
    task, labels = NodeTask(None), [0, 0, 1, -1]
    both = result("s", found(labels, [0, 1]), instance=labels, y=[0, 0, 0, -1])
    assert not task.class_agnostic(both.sample, found(labels, [0, 1]))
    assert task.class_agnostic(both.sample, found(labels))
    bare = result("s", found(labels, [0, 1]), instance=labels)
    assert task.class_agnostic(bare.sample, found(labels, [0, 1]))
    assert task.score([(both.sample, found(labels))])["pq"] == 1.0
    assert task.score([(both.sample, found(labels, [0, 0]))])["pq"] == 1.0
    assert task.score([(both.sample, found(labels, [0, 1]))])["pq"] < 1.0
    assert TrackTask().class_agnostic(both.sample, found(labels, [0, 1]))


class Own:
    """A user's class; keeps what it was opened with."""

    def __init__(self, root: str, split: str = "train", **options: Any) -> None:
        self.opened = (root, split, options)


class MyTrackML(TrackML):
    """A user's class with a reader of its own below a familiar one."""

    def __init__(self, root: str, split: str = "train", **options: Any) -> None:
        self.opened = (root, split, options)


@pytest.mark.parametrize("cls", [Own, MyTrackML])
@pytest.mark.parametrize("task", [TrackTask(), NodeTask(None)], ids=lambda task: task.protocol)
def test_own_classes_open_their_input(task: Any, cls: Any, tmp_path: Path) -> None:
    samples = task.open_input(tmp_path, cls, {"graph": {"k": 3}, "mine": 1})
    assert samples.opened == (str(tmp_path), "all", {"graph": {"k": 3}, "mine": 1})


@pytest.mark.parametrize("cls", [TrackML, ToyTracks])
def test_built_in_tracks_are_opened_as_hits(cls: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no TrackML events"):
        TrackTask().open_input(tmp_path, cls, {"seed": 0})


def test_generated_samples_are_not_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}: .* SyntheticRooms generates its samples"):
        NodeTask(None).open_input(tmp_path, SyntheticRooms, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("generated", "reader", "graph"),
    [
        (SyntheticCharts, Lines, {"contrast": 9.0}),
        (Shapes, Coco, {"method": "grid", "stride": 4}),
    ],
)
def test_models_of_generated_images_read_images(
    generated: Any, reader: Any, graph: dict[str, Any], tmp_path: Path
) -> None:
    image = np.full((24, 32, 3), 255, np.uint8)
    image[10:13, 4:28] = (200, 30, 30)
    Image.fromarray(image).save(tmp_path / "one.png")
    options = {"seed": 3, "val_images": 2, "graph": graph}
    samples: Any = make_task(generated(split="val", graph=graph)).open_input(
        tmp_path / "one.png", generated, options
    )
    assert type(samples) is reader and len(samples) == 1
    sample = samples[0]
    assert sample.name == "one" and sample.image_size.tolist() == [[24, 32]]
    expected = reader(str(tmp_path / "one.png"), split="all", graph=graph)[0]
    assert torch.equal(sample.pos, expected.pos) and sample.num_nodes > 0


def test_the_window_in_words() -> None:
    window = {"pt_min": 0.9, "eta_max": 4.0, "min_hits": 3}
    words = "pT >= 0.9 GeV, |eta| <= 4, at least 3 hits in truth"
    assert TrackTask().window_words(window) == words
    assert TrackTask().window_words({}) == NodeTask(None).window_words(window) == ""
