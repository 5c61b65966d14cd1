"""``geoinfluencer compare`` as it is typed."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from geoinfluencer.cli.main import main
from geoinfluencer.compare.training_rows import loss_share
from geoinfluencer.errors import InputError
from geoinfluencer.losses import HungarianCELoss
from geoinfluencer.training import Interrupted
from geoinfluencer.training.run_folder import RunFolder

TINY = [
    "data.train_events=16", "data.calib_events=2", "data.val_events=3", "data.test_events=2",
    "data.num_tracks=4", "model.hidden_channels=8", "model.num_layers=1", "train.batch_size=4",
    "train.workers=0", "train.accelerator=cpu", "train.val_every=2", "train.log_every=1",
]  # fmt: skip
FREE = "compare --dataset free-logits --losses mask-influencer,hungarian-ce --sizes 8x4 12x4"
TOYS = "compare --dataset toy-tracks --losses influencer,influencer:sharpness=1.5"


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a run takes far longer than these runs."""
    monkeypatch.setattr("geoinfluencer.training.scoring.reporting.draw", lambda *_, **__: None)


def rows_of(folder: Path) -> list[dict]:
    return json.loads((folder / "results.json").read_text())


def test_free_logits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = [*f"{FREE} --seeds 2 --max-steps 25 --threads 1 --out".split(), str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "M = 8, K = 4: hungarian-ce" in printed and f"report: {out}/report.html" in printed
    assert "The same as mask-influencer in every seed, 1.0000: hungarian-ce." in printed
    rows = rows_of(out)
    assert len(rows) == 2 * 2 * 2
    for row in rows:
        assert row["dataset"] == "free-logits" and row["nodes"] == 160 and row["steps"] == 25
        assert row["recovered"] == 1.0 and 0 < row["steps_to_99"] <= 25
        assert row["seconds"] > 0 and row["other_seconds"] > 0 and row["failure"] == ""
    drawn = {path.stem for path in (out / "plots").iterdir()}
    assert drawn == {
        "curves-M8-K4", "curves-M12-K4", "quality", "differences", "steps-to-99", "time-per-step",
    }  # fmt: skip

    (out / "runs" / "M8-K4" / "hungarian-ce" / "seed-1.json").unlink()
    assert main([*command, "--reference", "hungarian-ce"]) == 0  # goes on, another reference
    again = rows_of(out)
    changed = [a["seconds"] != b["seconds"] for a, b in zip(rows, again, strict=True)]
    assert sum(changed) == 1 and again[changed.index(True)]["loss"] == "hungarian-ce"
    assert "in every seed, 1.0000: mask-influencer." in capsys.readouterr().out

    assert main([*command, "--max-steps", "30"]) == 2
    assert "holds a comparison with steps = 25, not 30" in capsys.readouterr().err


def test_a_loss_that_fails_at_once_counts_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: HungarianCELoss, *_: object, **__: object) -> None:
        raise InputError("logits has 3 values that are NaN")

    monkeypatch.setattr(HungarianCELoss, "forward", broken)
    command = [*f"{FREE} --seeds 2 --max-steps 5 --threads 1 --out".split(), str(tmp_path / "out")]
    for _ in range(2):  # what is on record does not stand in the way
        assert main(command) == 0
        assert "hungarian-ce: step 0: logits has 3 values that are NaN" in capsys.readouterr().out
        failed = [row for row in rows_of(tmp_path / "out") if row["loss"] == "hungarian-ce"]
        assert len(failed) == 4 and all(row["failure"] for row in failed)
        assert {row["recovered"] for row in failed} == {row["steps_to_99"] for row in failed}
        assert failed[0]["recovered"] is None


def test_for_want_of_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"{FREE} --seeds 3 --max-steps 5 --max-minutes 1e-9 --out {tmp_path / 'out'}"
    assert main(command.split()) == 0
    assert "M = 8, K = 4: 6 runs, for want of time" in capsys.readouterr().out
    assert rows_of(tmp_path / "out") == []


@pytest.mark.usefixtures("no_pictures")
def test_trainings_stop_and_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from geoinfluencer.compare import trainings

    out = tmp_path / "out"
    command = [*TOYS.split(), "--seeds", "2", "--max-steps", "6", "--out", str(out), "--set", *TINY]
    real, calls = trainings.train, []

    def killed(*arguments: object, **options: object) -> object:
        calls.append(options)
        if len(calls) == 3:  # half of a run is there when the signal comes
            real(*arguments, **{**options, "max_steps": 3})
            folder = RunFolder(str(options["out"]))
            folder.metrics.unlink()
            raise Interrupted(15, folder, 3)
        return real(*arguments, **options)

    monkeypatch.setattr(trainings, "train", killed)
    assert main(command) == 128 + 15
    assert "go on with the same command" in capsys.readouterr().err
    assert len(rows_of(out)) == 2  # what was finished is on record
    first = {p: p.stat().st_mtime_ns for p in out.glob("runs/*/seed-0/checkpoints/best.ckpt")}
    assert len(first) == 2

    assert main(command) == 0
    assert [options.get("resume") for options in calls[3:]] == ["auto", None]
    assert first == {p: p.stat().st_mtime_ns for p in first}  # not trained again
    rows = rows_of(out)
    assert [(row["loss"], row["seed"]) for row in rows] == [
        ("influencer", 0), ("influencer:sharpness=1.5", 0),
        ("influencer", 1), ("influencer:sharpness=1.5", 1),
    ]  # fmt: skip
    for row in rows:
        assert row["steps"] == 6 and row["seconds"] > 0 and row["nodes"] > 10
        assert row["instances"] == 4 and 0 <= row["final_dm_efficiency"] <= 1
        assert row["queries"] is None and "fake_rate" in row
    for folder in out.glob("runs/*/seed-*"):
        with (folder / "samples.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == 3
    page = (out / "report.html").read_text()
    assert "for the first time at step" in page and "order of the samples" in page

    assert main([*command, "train.batch_size=2"]) == 2
    assert "holds a comparison with set = " in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_losses_start_from_the_same_weights_and_see_the_same_samples(tmp_path: Path) -> None:
    """A step that is too short to be seen leaves the initial weights; the seeds differ."""
    command = [*TOYS.split(), "--seeds", "2", "--max-steps", "1", "--out", str(tmp_path / "out")]
    still = ["train.learning_rate=1e-30", "train.weight_decay=0"]
    assert main([*command, "--set", *TINY, *still]) == 0
    weights, terms = {}, {}
    for folder in (tmp_path / "out" / "runs").glob("*/seed-*"):
        key = (folder.parent.name, folder.name)
        weights[key] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        with (folder / "logs" / "train.csv").open(newline="") as file:
            (terms[key],) = csv.DictReader(file)
    assert len(weights) == 4
    ours, theirs = "influencer", "influencer+sharpness=1.5"
    for seed in ("seed-0", "seed-1"):
        state = weights[ours, seed]["state_dict"]
        for name, value in weights[theirs, seed]["state_dict"].items():
            torch.testing.assert_close(value, state[name], rtol=0, atol=1e-25, msg=name)
        repulsion = [terms[loss, seed]["train/repulsion"] for loss in (ours, theirs)]
        assert repulsion[0] == repulsion[1]  # which does not depend on the sharpness
    assert terms[ours, "seed-0"]["train/repulsion"] != terms[ours, "seed-1"]["train/repulsion"]


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_fails_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from geoinfluencer.losses import InfluencerLoss

    forward: Callable = InfluencerLoss.forward

    def poisoned(self: InfluencerLoss, follower: torch.Tensor, *rest: object, **more: object):
        if self.sharpness == 1.5 and self.training:
            follower = follower * float("nan")
        return forward(self, follower, *rest, **more)

    monkeypatch.setattr(InfluencerLoss, "forward", poisoned)
    out = tmp_path / "out"
    command = [*TOYS.split(), "--seeds", "1", "--max-steps", "2", "--out", str(out)]
    assert main([*command, "--set", *TINY]) == 0
    good, bad = rows_of(out)
    assert good["failure"] == "" and "follower has" in bad["failure"]
    assert bad["final_dm_efficiency"] is None and bad["steps"] == 0
    assert "influencer:sharpness=1.5 failed in 1 run" in capsys.readouterr().out


def test_the_share_of_the_loss() -> None:
    rows = [{"step": 1.0, "minutes": 1.0, "loss_seconds": 9.0}]
    rows += [{"step": 10.0 * i, "minutes": 1 + i / 60, "loss_seconds": 0.02} for i in range(1, 6)]
    assert loss_share(rows) == pytest.approx(0.2)  # of a tenth of a second
    assert (
        loss_share([{k: v for k, v in row.items() if k != "loss_seconds"} for row in rows]) is None
    )
    assert loss_share([]) is None


def test_scaling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = "compare --dataset loss-scaling --losses mask-influencer,hungarian --sizes 12x4"
    command += f" --nodes 400 100 --threads 1 --out {tmp_path / 'out'}"
    assert main(command.split()) == 0
    assert "mask-influencer, against hungarian, is" in capsys.readouterr().out
    assert [row["nodes"] for row in rows_of(tmp_path / "out")] == [100, 100, 400, 400]
    assert (tmp_path / "out" / "plots" / "scaling-M12-K4.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("", "--dataset"),
        ("--dataset free-logits --losses hungarain", "did you mean 'hungarian'"),
        ("--dataset free-logits --losses influencer", "no loss is called 'influencer'"),
        ("--dataset free-logits --losses sinkhorn:tua=0.1", "did you mean 'tau'"),
        ("--dataset free-logits --losses sinkhorn --reference hungarian", "not among --losses"),
        ("--dataset free-logits --sizes 20", "--sizes 20: expected MxK"),
        ("--dataset free-logits --sizes 0x4", "--sizes 0x4: expected MxK"),
        ("--dataset free-logits --preset quick", "--preset: has no effect"),
        ("--dataset free-logits --set train.batch_size=2", "--set: has no effect"),
        ("--dataset free-logits --nodes 100", "--nodes: has no effect"),
        ("--dataset loss-scaling --seeds 3", "--seeds: has no effect"),
        ("--dataset free-logits --seeds 0", "--seeds"),
        ("--dataset free-logits --max-steps 0", "--max-steps"),
        ("--dataset free-logits --max-minutes 0", "--max-minutes"),
        ("--dataset free-logits --max-minutes soon", "--max-minutes"),
        ("--dataset free-logits --threads 4096", "--threads 4096: this process may use"),
        ("--dataset free-logits --out {tmp}/file", "is a file"),
        ("--dataset free-logits --out {tmp}", "holds files that are no comparison"),
        ("--dataset toy-trakcs --losses influencer", "did you mean 'toy-tracks'"),
        ("--dataset toy-tracks --losses influenzer", "did you mean 'influencer'"),
        ("--dataset toy-tracks --losses influencer:sharpnes=2", "did you mean 'sharpness'"),
        ("--dataset toy-tracks --losses influencer --preset fast", "unknown preset"),
        ("--dataset toy-tracks --losses influencer --sizes 4x2", "--sizes: has no effect"),
        ("--dataset toy-tracks --losses influencer --set loss.name=x", "use --losses"),
        ("--dataset toy-tracks --losses influencer --set train.max_steps=3", "use --max-steps"),
        ("--dataset toy-tracks --losses influencer:train.seed=3", "use --seeds"),
        ("--dataset toy-tracks --losses influencer:data.num_tracks=3", "use --set data.num_tracks"),
        ("--dataset toy-tracks --losses influencer:train.warmpu=0.1", "did you mean 'warmup'"),
        ("--dataset toy-tracks --losses influencer --counts 4", "--counts: has no effect"),
        ("--dataset trackml --losses influencer", "--data-root"),
        ("--dataset free-logits --losses hungarian:model.queries=learned", "nothing is trained"),
        ("--dataset free-logits --queries 4", "--queries: has no effect"),
        ("--dataset object-counts --losses influencer", "no loss is called 'influencer'"),
        ("--dataset object-counts --reference hungarian", "--reference: has no effect"),
        ("--dataset object-counts --data-root .", "--data-root: has no effect"),
        ("--dataset object-counts --set model.queries=learned", "use --queries M"),
        ("--dataset object-counts --losses hungarian:model.num_queries=4", "use --queries M"),
        ("--dataset object-counts --losses hungarian:data.num_tracks=4", "use --set data.num"),
        ("--dataset object-counts --counts 10 501", "--counts 501: more than model.max_queries"),
        ("--dataset object-counts --counts 0", "--counts"),
        ("--dataset object-counts --queries 0", "--queries"),
    ],
)
def test_bad_input(
    arguments: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["compare", *arguments.format(tmp=tmp_path).split()])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and named in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()  # nothing is begun


def test_a_damaged_record_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"{FREE} --seeds 1 --max-steps 2 --out {tmp_path / 'out'}".split()
    assert main(command) == 0
    record = next((tmp_path / "out" / "runs").rglob("seed-0.json"))
    record.write_text("{")
    assert main(command) == 2
    assert f"{record}: damaged" in capsys.readouterr().err
    shutil.rmtree(record.parent)
    assert main(command) == 0
