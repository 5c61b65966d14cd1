from __future__ import annotations

import json
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training import Interrupted, Run, train
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.fitting.control import RunControl
from geoinfluencer.training.fitting.log import CurveLog, read_rows
from geoinfluencer.training.fitting.schedule import learning_rate_factor
from geoinfluencer.training.run_folder import RunFolder


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """As if Ctrl-C had been pressed during this step."""
    decide = RunControl._decide

    def patched(self: RunControl, trainer: Any, module: Any, now: int) -> Any:
        if now == step:
            self._on_signal(signal.SIGINT, None)
        return decide(self, trainer, module, now)

    monkeypatch.setattr(RunControl, "_decide", patched)


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).weights


def test_run_folder_is_complete(tiny_run: Run) -> None:
    folder = RunFolder(tiny_run.path)
    for path in (folder.config, folder.metrics, folder.last, folder.best, folder.report):
        assert path.stat().st_size > 0
    assert len(read_rows(folder.train_log)) == 6
    assert [row["step"] for row in read_rows(folder.val_log)] == [6]
    assert list(folder.logs.glob("events.out.tfevents*"))
    assert list(folder.plots.glob("*.png"))
    assert [p for p in folder.path.rglob(".*") if p.name != ".lock"] == []  # nothing half-written
    assert resolve_config(config=folder.config).train.max_steps == 6


def test_metrics_are_flat_and_complete(tiny_run: Run) -> None:
    metrics = json.loads(RunFolder(tiny_run.path).metrics.read_text())
    primary = (
        "dm_efficiency perfect_efficiency lhc_efficiency fake_rate duplicate_rate trackml_score"
    )
    stated = "protocol split class_agnostic seed pt_min eta_max min_hits radius ms_per_event"
    for key in (primary + " " + stated).split():
        assert key in metrics, key
    assert all(not isinstance(value, (dict, list)) for value in metrics.values())
    assert metrics["split"] == "val" and metrics["protocol"] == "trackml"
    assert metrics["num_samples"] == 3 and metrics["steps"] == 6 and metrics["seed"] == 0


@pytest.mark.parametrize("accumulate", [1, 2])
def test_resumed_run_ends_where_the_uninterrupted_one_does(
    tmp_path: Path, tiny: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, accumulate: int
) -> None:
    settings = (*tiny, f"train.accumulate={accumulate}", "train.val_every=2")
    whole = train("toy-tracks", assignments=settings, max_steps=5, out=tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(patch, 3)
        with pytest.raises(Interrupted) as stop:
            train("toy-tracks", assignments=settings, max_steps=5, out=tmp_path / "parts")
    assert (stop.value.step, stop.value.number) == (3, signal.SIGINT)
    parts = train(out=tmp_path / "parts", resume="auto")
    expected, found = weights(RunFolder(whole.path).last), weights(RunFolder(parts.path).last)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    timed = {"ms_per_event", "ms_per_event_model", "ms_per_event_condensation", "fit_minutes"}
    timed |= {"peak_memory_mb"}
    keys = set(whole.metrics) - timed
    assert whole.metrics["num_tracks"] > 0
    assert {k: whole.metrics[k] for k in keys} == pytest.approx(
        {k: parts.metrics[k] for k in keys}, nan_ok=True
    )
    for log in ("train_log", "val_log"):
        rows = [read_rows(getattr(RunFolder(run.path), log)) for run in (whole, parts)]
        for left, right in zip(*rows, strict=True):
            for clock in ("minutes", "loss_seconds"):
                left.pop(clock, None), right.pop(clock, None)
            assert left == pytest.approx(right, nan_ok=True)


def test_interruption_leaves_both_checkpoints(
    tmp_path: Path, tiny: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 1)
    with pytest.raises(Interrupted):
        train("toy-tracks", assignments=tiny, max_steps=5, out=tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert load_checkpoint(folder.last).state.step == 1
    assert load_checkpoint(folder.best).state.calibrated == {}


def test_minutes_alone_bound_the_fitting(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    run = train("toy-tracks", assignments=tiny, max_minutes=0.02, out=tmp_path / "run")
    config = resolve_config(config=RunFolder(run.path).config)
    assert config.train.max_steps is None and config.train.max_minutes == 0.02
    assert 0.02 <= run.metrics["fit_minutes"] < 1.0
    rows = read_rows(RunFolder(run.path).train_log)
    settings = config.train
    for before, row in pairwise(rows):  # the cosine follows the clock
        factors = [
            learning_rate_factor(
                min(1.0, minutes / 0.02), settings.warmup, settings.final_learning_rate
            )
            for minutes in (before["minutes"], row["minutes"])
        ]
        if before["minutes"] / 0.02 > settings.warmup:  # it falls from here on
            rate = row["train/learning_rate"] / settings.learning_rate
            assert factors[1] - 1e-6 <= rate <= factors[0] + 1e-6


def test_seed_decides_the_weights(tmp_path: Path, tiny: tuple[str, ...], tiny_run: Run) -> None:
    same = train("toy-tracks", assignments=tiny, max_steps=6, out=tmp_path / "same")
    other = train("toy-tracks", assignments=tiny, max_steps=6, out=tmp_path / "other", seed=1)
    name = "follower.weight"
    assert torch.equal(weights(same.best)[name], weights(tiny_run.best)[name])
    assert not torch.equal(weights(other.best)[name], weights(tiny_run.best)[name])


def test_earlier_run_is_moved_aside(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    for expected in ([], ["run.1"], ["run.1", "run.2"]):
        train("toy-tracks", assignments=tiny, max_steps=1, out=tmp_path / "run")
        assert sorted(p.name for p in tmp_path.iterdir() if p.name != "run") == expected
    assert RunFolder(tmp_path / "run.1").best.is_file()


def test_foreign_folder_is_left_alone(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(InputError, match="no run of this program"):
        train("toy-tracks", assignments=tiny, max_steps=1, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_bad_settings_leave_an_earlier_run_in_place(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    train("toy-tracks", assignments=tiny, max_steps=1, out=tmp_path / "run")
    with pytest.raises(InputError):
        train("toy-tracks", assignments=[*tiny, "model.encoder=no"], out=tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"assignments": ["model.dropout=0.5"]}, r"--set model.dropout=0.5: .*only train"),
        ({"seed": 7}, r"--seed"),
        ({"preset": "quick"}, r"--preset"),
        ({"config": {"train": {}}}, r"--config"),
        ({"dataset": "trackml"}, r"is a run on toy-tracks, not on trackml"),
    ],
)
def test_resuming_changes_nothing_but_limits(
    tiny_run: Run, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InputError, match=expected):
        train(out=tiny_run.path, resume="auto", **options)


def test_finished_run_goes_on_with_a_later_end(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    run = train("toy-tracks", assignments=tiny, max_steps=2, out=tmp_path / "run")
    longer = train(resume=RunFolder(run.path).last, max_steps=4)
    assert longer.path == run.path
    assert load_checkpoint(RunFolder(run.path).last).state.step == 4


def test_curve_log_drops_what_a_resumed_run_writes_again(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CurveLog(path)
    for step in range(5):
        log.append({"step": step, "loss": 0.5})
    with path.open("a") as file:
        file.write("5,0.")  # killed in the middle of a line
    again = CurveLog(path, step=2)
    again.append({"step": 3, "loss": 0.25})
    assert [(row["step"], row["loss"]) for row in read_rows(path)] == [
        (0, 0.5), (1, 0.5), (2, 0.5), (3, 0.25),
    ]  # fmt: skip
