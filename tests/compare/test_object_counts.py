"""``geoinfluencer compare --dataset object-counts`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from geoinfluencer.cli.main import main
from geoinfluencer.compare import object_counts
from geoinfluencer.compare.contestants import parse_losses
from geoinfluencer.compare.object_counts import INFLUENCER, LEARNED, Study, settle_study
from geoinfluencer.compare.trainings import Training
from geoinfluencer.losses.registry import MASK_LOSSES

TINY = [
    "data.num_tracks=2", "data.num_tracks_max=4", "data.train_events=8", "data.calib_events=2",
    "data.val_events=2", "model.hidden_channels=8", "model.num_layers=1", "model.query_channels=8",
    "model.decoder_layers=1", "train.batch_size=2", "train.workers=0", "train.accelerator=cpu",
    "train.val_every=2", "train.log_every=1",
]  # fmt: skip
COMMAND = "compare --dataset object-counts --losses mask-influencer:coupling=none --seeds 1"
COMMAND += " --max-steps 2 --queries 3 --particles 12"


@pytest.fixture
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a run takes far longer than these runs."""
    monkeypatch.setattr("geoinfluencer.training.scoring.reporting.draw", lambda *_, **__: None)


def test_the_two_kinds_differ_in_their_queries_alone() -> None:
    (loss,) = parse_losses("mask-influencer:coupling=none:train.warmup=0.1", MASK_LOSSES)
    study = settle_study(Study(Training("toy-tracks", preset="object-counts"), 7), [loss])
    arms = study.arms(loss)
    assert arms[LEARNED].name == f"{loss.name}:model.queries=learned:model.num_queries=7"
    configs = {kind: study.training.config(arm, 1).to_dict() for kind, arm in arms.items()}
    model = {kind: config.pop("model") for kind, config in configs.items()}
    assert configs[INFLUENCER] == configs[LEARNED]
    assert configs[LEARNED]["train"]["warmup"] == 0.1
    changed = {key for key in model[LEARNED] if model[LEARNED][key] != model[INFLUENCER][key]}
    assert changed == {"queries", "num_queries"} and model[LEARNED]["num_queries"] == 7


@pytest.mark.usefixtures("_no_pictures")
def test_killed_while_scoring_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [*COMMAND.split(), "--out", str(out), "--set", *TINY]
    real, calls = object_counts.score_count, []

    def killed(*arguments: object, **options: object) -> object:
        calls.append(options["count"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(object_counts, "score_count", killed)
    assert main([*command, "--counts", "6", "2"]) == 130
    (folder,) = out.glob("runs/*/seed-0")
    assert [path.name for path in (folder / "counts").iterdir()] == ["2.json"]

    assert main([*command, "--counts", "6", "2"]) == 0
    assert calls == [2, 6, 6, 2, 6]  # the first is not scored again
    rows = json.loads((out / "results.json").read_text())
    assert list(rows[0])[:9] == [
        "dataset", "nodes", "queries", "instances", "loss", "seed", "steps", "seconds", "kind",
    ]  # fmt: skip
    assert [(row["kind"], row["instances"], row["events"]) for row in rows] == [
        (INFLUENCER, 2, 6), (INFLUENCER, 6, 2), (LEARNED, 2, 6), (LEARNED, 6, 2),
    ]  # fmt: skip
    for row in rows:
        assert row["loss"] == "mask-influencer:coupling=none" and row["most_trained"] == 4
        assert 0 <= row["recall"] <= row["bound"] and row["steps"] == 2 and row["nodes"] > 10
        if row["kind"] == LEARNED:
            assert row["queries"] == 3 and row["bound"] == min(1.0, 3 / row["instances"])
    trained = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/metrics.json")}
    drawn = {path.stem for path in (out / "plots").iterdir()}
    assert len(trained) == 2 and drawn == {"recall", "numbers", "curves"}
    assert "initial weights of the encoder" in (out / "report.html").read_text()

    assert main([*command, "--counts", "2", "4", "6"]) == 0  # a count may be added
    assert calls[5:] == [4, 4] and trained == {path: path.stat().st_mtime_ns for path in trained}
    assert len(json.loads((out / "results.json").read_text())) == 6
    capsys.readouterr()
    assert main([*command, "--counts", "2", "--queries", "4"]) == 2
    assert "holds a comparison with queries = 3, not 4" in capsys.readouterr().err


@pytest.mark.usefixtures("_no_pictures")
def test_both_kinds_begin_with_the_same_encoder(tmp_path: Path) -> None:
    still = ["train.learning_rate=1e-30", "train.weight_decay=0"]
    command = [*COMMAND.split(), "--counts", "2", "--out", str(tmp_path / "out")]
    assert main([*command, "--set", *TINY, *still]) == 0
    paths = sorted((tmp_path / "out").glob("runs/*/seed-0/checkpoints/last.ckpt"))
    ours, theirs = (torch.load(path, weights_only=True)["state_dict"] for path in paths)
    shared = [name for name in ours if name.startswith("model.encoder")]
    assert shared
    for name in shared:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=1e-25, msg=name)


@pytest.mark.usefixtures("_no_pictures")
def test_a_run_that_fails_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = object_counts.fit
    monkeypatch.setattr(
        object_counts,
        "fit",
        lambda run, training, arm, seed: (
            "failed: logits has NaN" if "learned" in arm.name else real(run, training, arm, seed)
        ),
    )
    command = [*COMMAND.split(), "--counts", "2", "3", "--out", str(tmp_path / "out")]
    assert main([*command, "--set", *TINY]) == 0
    rows = json.loads((tmp_path / "out" / "results.json").read_text())
    good, bad = rows[:2], rows[2:]
    assert all(row["failure"] == "" and row["recall"] is not None for row in good)
    assert all(row["recall"] is row["events"] is None and row["queries"] == 3 for row in bad)
    printed = capsys.readouterr().out
    assert "failed in 1 run, the first with seed 0: failed: logits has NaN" in printed
