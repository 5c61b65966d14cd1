from __future__ import annotations

import csv
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.training import Run, evaluate, predict, train
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.data import build_dataset, declared_splits
from geoinfluencer.training.scoring.file_scores import evaluate_prediction_file

TIMED = {"ms_per_event", "ms_per_event_model", "ms_per_event_condensation", "peak_memory_mb"}

SMALL = ("model.hidden_channels=8", "model.num_layers=1", "data.num_samples=5")  # of a run on blobs

BLOBS = '''
import torch
from torch_geometric.data import Data, Dataset


class Blobs(Dataset):
    """Two Gaussian clouds per sample, fully connected; no protocol, no calib split."""

    def __init__(
        self, root=None, split: str = "train", *, num_samples: int = 6, spread: float = 0.1
    ):
        super().__init__(None)
        self.split, self.num_samples, self.spread = split, num_samples, spread

    def len(self):
        return self.num_samples

    def get(self, index):
        generator = torch.Generator().manual_seed(index + 1000 * (self.split == "val"))
        instance = torch.arange(2).repeat_interleave(8)
        pos = torch.randn(2, 2, generator=generator)[instance]
        pos = pos + self.spread * torch.randn(16, 2, generator=generator)
        edges = torch.combinations(torch.arange(16)).T
        name = f"blob-{index}"
        return Data(pos=pos, x=pos.clone(), edge_index=edges, instance=instance, name=name)
'''


@pytest.fixture
def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A dataset class of a user's own, in the current folder."""
    (tmp_path / "my_blobs.py").write_text(BLOBS)
    monkeypatch.chdir(tmp_path)
    yield "my_blobs:Blobs"
    for name in ("my_blobs", "my_variant"):
        sys.modules.pop(name, None)


def variant(folder: Path, attributes: str, truth: str, name: str = "my_variant") -> str:
    """The same class with a line of class attributes and further fields of its samples."""
    text = BLOBS.replace("    def __init__(", f"    {attributes}\n\n    def __init__(")
    if truth:
        text = text.replace("return Data(", "fields = dict(").replace(
            "name=name)", f"name=name)\n        return Data(**{{**fields, **dict({truth})}})"
        )
    (folder / f"{name}.py").write_text(text)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return f"{name}:Blobs"


def scores(metrics: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in metrics.items() if key not in TIMED}


def test_evaluation_repeats_what_training_ended_with(tiny_run: Run, tmp_path: Path) -> None:
    out = tmp_path / "eval"
    metrics = evaluate(tiny_run.best, "toy-tracks", out=out)
    shared = set(scores(metrics)) & set(tiny_run.metrics)
    assert {"dm_efficiency", "radius", "split", "seed"} <= shared
    for key in shared:
        assert metrics[key] == pytest.approx(tiny_run.metrics[key], nan_ok=True), key
    assert metrics["num_tracks"] > 0 and metrics["class_agnostic"] is True
    written = json.loads((out / "metrics.json").read_text())
    assert written["dm_efficiency"] == metrics["dm_efficiency"]


def test_predictions_score_the_same_again(tiny_run: Run, tmp_path: Path) -> None:
    # enough events, and a radius at which even an untrained model finds a few of the tracks
    found = ("data.test_events=20", "condensation.radius=1.0")
    metrics = evaluate(tiny_run.best, split="test", out=tmp_path, assignments=found)
    assert metrics["num_tracks"] > 0 and metrics["dm_efficiency"] > 0
    again = evaluate_prediction_file(
        tmp_path / "predictions.csv", tmp_path / "truth.csv", "trackml", pt_min=0.0
    )
    for key in ("dm_efficiency", "fake_rate", "duplicate_rate", "trackml_score", "num_tracks"):
        assert again[key] == pytest.approx(metrics[key]), key
    assert (again["pred"], again["truth"]) == ("predictions.csv", "truth.csv")


def test_test_split_is_other_data(tiny_run: Run) -> None:
    few = ("data.test_events=5",)
    assert evaluate(tiny_run.best, split="test", assignments=few)["num_samples"] == 5


def test_window_can_be_changed(tiny_run: Run) -> None:
    metrics = evaluate(tiny_run.best, assignments=["data.pt_min=2.0"])
    assert metrics["pt_min"] == 2.0
    assert metrics["num_particles"] < tiny_run.metrics["num_particles"]


def test_training_folder_is_not_written_over(tiny_run: Run) -> None:
    with pytest.raises(InputError, match="holds a training run"):
        evaluate(tiny_run.best, out=tiny_run.path)


def test_own_dataset_from_end_to_end(blobs: str, tmp_path: Path) -> None:
    settings = [*SMALL, "condensation.radius=2.0"]
    run = train(blobs, assignments=settings, max_steps=3, out=tmp_path / "run")
    assert run.metrics["protocol"] == "nodes"
    assert {"ari", "ami", "v_measure", "mean_iou", "pq"} <= set(run.metrics)
    assert run.metrics["num_samples"] == 2  # samples 1 and 3 of val; 0, 2, 4 calibrate
    metrics = evaluate(run.best, blobs, out=tmp_path / "eval")
    assert metrics["ari"] == pytest.approx(run.metrics["ari"])
    assert metrics["num_predicted"] == run.metrics["num_predicted"] > 0
    assert metrics["class_agnostic"] is run.metrics["class_agnostic"] is True
    with (tmp_path / "eval" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 16
    assert list(rows[0]) == ["event_id", "node_id", "instance", "score", "sample"]
    assert {(row["event_id"], row["sample"]) for row in rows} == {("1", "blob-1"), ("3", "blob-3")}


def test_own_dataset_with_classes(blobs: str, tmp_path: Path) -> None:
    dataset = variant(tmp_path, "class_names = ['left', 'right']", "y=instance")
    settings = [*SMALL, "condensation.radius=2.0"]
    run = train(dataset, assignments=settings, max_steps=3, out=tmp_path / "run")
    metrics = evaluate(run.best, out=tmp_path / "eval")
    assert metrics["class_agnostic"] is run.metrics["class_agnostic"] is False
    assert metrics["num_predicted"] > 0
    with (tmp_path / "eval" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["semantic"] for row in rows} <= {"-1", "0", "1"}
    truth = tmp_path / "truth.csv"
    with truth.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["event_id", "node_id", "instance", "semantic"])
        writer.writerows([event, i, i // 8, i // 8] for event in (1, 3) for i in range(16))
    again = evaluate_prediction_file(tmp_path / "eval" / "predictions.csv", truth, "nodes")
    assert again["class_agnostic"] is False
    for key in ("ari", "pq", "sq", "rq", "mean_iou", "num_predicted", "num_graphs"):
        assert again[key] == pytest.approx(metrics[key], nan_ok=key == "sq"), key


@pytest.mark.parametrize(
    ("attributes", "truth", "expected"),
    [
        ("protocol = 'trackm'", "", "unknown protocol 'trackm'; did you mean 'trackml'"),
        ("pass", "instance=None", r"first training sample: `instance` .* is missing"),
        ("class_names = ['a', 'b']", "", r"first training sample: `y` .* is missing"),
        ("class_names = ['a']", "y=instance", r"`y` holds 1, but class_names has 1"),
    ],
)
def test_own_dataset_that_cannot_be_trained_on(
    blobs: str, tmp_path: Path, attributes: str, truth: str, expected: str
) -> None:
    dataset = variant(tmp_path, attributes, truth)
    with pytest.raises(InputError, match=expected) as caught:
        train(dataset, assignments=SMALL, max_steps=1, out=tmp_path / "run")
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()


def test_scoring_needs_truth_and_prediction_does_not(blobs: str, tmp_path: Path) -> None:
    run = train(blobs, assignments=SMALL, max_steps=1, out=tmp_path / "run")
    dataset = variant(tmp_path, "pass", "instance=None")
    with pytest.raises(InputError, match="first sample of val: `instance` .* is missing"):
        evaluate(run.best, dataset, assignments=["data.num_samples=3"])
    variant(tmp_path, "pass", "instance=None", name="my_blobs")
    (tmp_path / "scan").mkdir()
    (path,) = predict(run.best, [tmp_path / "scan"], tmp_path / "out")
    assert len(path.read_text().splitlines()) == 1 + 5 * 16


def test_own_tracks_are_read_by_their_own_class(blobs: str, tmp_path: Path) -> None:
    dataset = variant(tmp_path, "protocol = 'trackml'", "")
    run = train(dataset, assignments=SMALL, max_steps=1, out=tmp_path / "run")
    (tmp_path / "my.events").write_text("no TrackML files here")
    written = predict(run.best, [tmp_path / "my.events"], tmp_path / "out")
    assert [path.name for path in written] == ["predictions.csv", "submission.csv"]
    with written[0].open() as file:
        assert {row["event_id"] for row in csv.DictReader(file)} == set("01234")


def test_val_is_divided_where_there_is_no_calib(blobs: str) -> None:
    config = resolve_config(blobs, assignments=["data.num_samples=5"])
    from my_blobs import Blobs  # type: ignore[import-not-found]

    assert declared_splits(Blobs) == ("train", "val")
    names = {
        split: [sample.name for sample in build_dataset(Blobs, config, split)]  # type: ignore[attr-defined]
        for split in ("calib", "val")
    }
    assert names == {"calib": ["blob-0", "blob-2", "blob-4"], "val": ["blob-1", "blob-3"]}
    single = resolve_config(blobs, assignments=["data.num_samples=1"])
    assert len(build_dataset(Blobs, single, "val")) == 1  # type: ignore[arg-type]
    assert len(build_dataset(Blobs, single, "calib")) == 1  # type: ignore[arg-type]


def test_own_options_are_checked(blobs: str) -> None:
    with pytest.raises(InputError, match=r"unknown key 'data.spraed'; did you mean 'spread'"):
        resolve_config(blobs, assignments=["data.spraed=0.2"])
    with pytest.raises(InputError, match=r"'data.spread'.*got 'wide'"):
        resolve_config(blobs, assignments=["data.spread=wide"])


def test_other_features_are_refused(tiny_run: Run, blobs: str) -> None:
    with pytest.raises(InputError, match=r"made for \d+ node features, this data has 2"):
        evaluate(tiny_run.best, blobs)


def write_event(folder: Path, name: str, truth: bool = False) -> None:
    """A small event in TrackML's format: straight tracks through six layers."""
    rng = np.random.default_rng(0)
    phi = np.repeat(rng.uniform(-np.pi, np.pi, 12), 6)
    layer = np.tile(np.arange(6), 12)
    r = 100.0 + 100.0 * layer
    rows = [
        f"{i + 1},{r[i] * np.cos(phi[i]):.3f},{r[i] * np.sin(phi[i]):.3f},0.0,8,{2 * layer[i]},1"
        for i in range(72)
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}-hits.csv").write_text(
        "\n".join(["hit_id,x,y,z,volume_id,layer_id,module_id", *rows]) + "\n"
    )
    if truth:
        rows = [f"{i + 1},{i // 6 + 1},0,0,0,1.0,0.0,0.0,0.01" for i in range(72)]
        header = "hit_id,particle_id,tx,ty,tz,tpx,tpy,tpz,weight"
        (folder / f"{name}-truth.csv").write_text("\n".join([header, *rows]) + "\n")


def test_prediction_needs_hits_alone(tiny_run: Run, tmp_path: Path) -> None:
    write_event(tmp_path / "in", "event000000007")
    written = predict(tiny_run.best, [tmp_path / "in"], tmp_path / "out")
    assert [path.name for path in written] == ["predictions.csv", "submission.csv"]
    with written[0].open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["hit_id"]) for row in rows] == list(range(1, 73))
    assert {row["event_id"] for row in rows} == {"7"}
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert all(float(row["score"]) == 0 for row in rows if int(row["track_id"]) == -1)


def test_prediction_does_not_look_at_truth(tiny_run: Run, tmp_path: Path) -> None:
    write_event(tmp_path / "a", "event000000007")
    write_event(tmp_path / "b", "event000000007", truth=True)
    found = [
        predict(tiny_run.best, [tmp_path / name], tmp_path / f"out-{name}")[0].read_text()
        for name in ("a", "b")
    ]
    assert found[0] == found[1]


def test_unseen_events_are_scored_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        write_event(tmp_path / "one", f"event00000000{number}", truth=True)
        write_event(tmp_path / "two", f"event00000001{number}", truth=True)
    small = [
        "model.hidden_channels=8", "model.num_layers=1", "data.pt_min=0.0", "data.cache=false",
        "data.wedges=1", "train.batch_size=2",
    ]  # fmt: skip
    run = train(
        "trackml", data_root=tmp_path / "one", assignments=small, max_steps=2, out=tmp_path / "run"
    )
    assert run.metrics["num_samples"] == 1
    same = evaluate(run.best, data_root=tmp_path / "one")
    other = evaluate(run.best, data_root=tmp_path / "two")
    assert (same["split"], same["num_samples"]) == ("val", 1)
    assert (other["split"], other["num_samples"]) == ("all", 2)
    evaluate(run.best, data_root=tmp_path / "one", quiet=False)
    assert "warning" not in capsys.readouterr().out
    evaluate(run.best, data_root=tmp_path / "one", split="all", quiet=False)
    assert "warning: trained on event000000001" in capsys.readouterr().out
