from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from geoinfluencer import __version__
from geoinfluencer.cli.main import main


def test_eval_writes_and_says_where(
    best: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "eval"
    assert main(["eval", "--checkpoint", best, "--dataset", "toy-tracks", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "split val: 2 samples (the held-out samples of the data trained on)" in printed
    assert re.search(r"dm_efficiency +[01]\.\d{4}", printed)
    assert "pT >= 0 GeV" in printed and f"{out}/report.html" in printed
    names = {path.name for path in out.iterdir()}
    assert {
        "metrics.json",
        "predictions.csv",
        "submission.csv",
        "truth.csv",
        "report.html",
    } <= names


def test_files_score_like_the_model_that_wrote_them(
    best: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "eval"
    fixed = ["--set", "condensation.radius=1.0"]
    main(["eval", "--checkpoint", best, "--split", "test", "--out", str(out), *fixed])
    files = ["--pred", str(out / "predictions.csv"), "--truth", str(out / "truth.csv")]
    window = ["--protocol", "trackml", "--pt-min", "0", "--out", str(tmp_path / "files")]
    assert main(["eval", *files, *window]) == 0
    model, scored = (
        json.loads((folder / "metrics.json").read_text()) for folder in (out, tmp_path / "files")
    )
    assert scored["dm_efficiency"] == model["dm_efficiency"]
    assert scored["num_tracks"] == model["num_tracks"] > 0
    assert scored["fake_rate"] == model["fake_rate"]
    assert (tmp_path / "files" / "report.html").is_file()
    assert "dm_efficiency" in capsys.readouterr().out
    assert main(["eval", *files, "--protocol", "nodes"]) == 0


def test_masks_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
    boxes = [{"image_id": 4, "category_id": 2, "segmentation": [[x, 0, x + 4, 0, x + 4, 6, x, 6]]}
             for x in (0, 8)]  # fmt: skip
    truth = {"images": [{"id": 4, "width": 20, "height": 10}], "categories": [{"id": 2}]}
    truth["annotations"] = [{"id": k, **each} for k, each in enumerate(boxes)]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    results = [{**each, "score": 0.5} for each in boxes]
    (tmp_path / "results.json").write_text(json.dumps(results))
    names = [str(tmp_path / name) for name in ("results.json", "truth.json")]
    files = ["--pred", names[0], "--truth", names[1], "--protocol", "coco"]
    assert main(["eval", *files, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "ap                       1.0000" in printed and "warning" not in printed
    assert "ap_large                 undefined" in printed and "Accumulating" not in printed
    stored = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert stored["ap"] == pytest.approx(1.0) and stored["ap_large"] is None
    assert stored["protocol"] == "coco" and stored["max_dets"] == 100
    assert "COCO mask AP" in (tmp_path / "out" / "report.html").read_text()
    assert main(["eval", *files, "--max-dets", "1"]) == 0
    printed = capsys.readouterr().out
    assert "warning: an image has 2 true instances of one category" in printed
    assert "warning: an image has 2 predictions of one category" in printed


def test_plot_draws_again_from_the_folder_alone(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run_folder, copy)
    for path in [*copy.rglob("*.png"), copy / "report.html", *copy.rglob("*.ckpt")]:
        path.unlink()
    assert main(["plot", str(copy)]) == 0
    assert "report:" in capsys.readouterr().out
    drawn = {path.name for path in (copy / "plots").glob("*.png")}
    assert drawn == {path.name for path in (run_folder / "plots").glob("*.png")}
    assert (copy / "report.html").stat().st_size > 10_000


@pytest.mark.usefixtures("no_pictures")
def test_resume_goes_on(
    tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "run")
    assert (
        main(["train", "--dataset", "toy-tracks", "--max-steps", "2", "--out", folder, *tiny]) == 0
    )
    assert main(["train", "--out", folder, "--resume", "auto", "--max-steps", "3"]) == 0
    assert "going on from" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["steps"] == 3


@pytest.mark.usefixtures("no_pictures")
def test_resume_auto_finds_the_latest_run(
    tmp_path: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = ["train", "--dataset", "toy-tracks", "--max-steps", "1"]
    assert main([*start, *tiny]) == 0
    assert main(["train", "--dataset", "toy-tracks", "--resume", "auto", "--max-steps", "2"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"toy-tracks-\d{8}-\d{6}", folder.name)
    assert json.loads((folder / "metrics.json").read_text())["steps"] == 2


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for word in ("versions", "torch", "cuda", "influence_potential", "knn", "memory", "cores"):
        assert word in printed
    assert __version__ in printed
    extras = re.findall(r"^([\w-]+) = \[", _section("project.optional-dependencies"), re.M)
    assert {"images", "timm", "fast-coco", "baselines"} <= set(extras)
    for extra in set(extras) - {"dev"}:  # tools, which are not imported
        assert re.search(rf"^\s+{extra} ", printed, re.M), extra


def _section(name: str) -> str:
    """The lines of pyproject.toml below [name]."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    return text.split(f"[{name}]\n")[1].split("\n[")[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none ($GEOINFLUENCER_TEST_DATA is not set)"),
        ("{tmp}/nowhere", "none ($GEOINFLUENCER_TEST_DATA: no folder {tmp}/nowhere)"),
        ("{tmp}", "{tmp}"),
    ],
)
def test_doctor_takes_test_data_from_the_environment_alone(
    value: str | None,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("GEOINFLUENCER_TEST_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("GEOINFLUENCER_TEST_DATA", value.format(tmp=tmp_path))
    assert main(["doctor"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "test data" in line]
    assert line.split(maxsplit=2)[2] == expected.format(tmp=tmp_path)


def test_datasets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    printed = capsys.readouterr().out
    for word in ("toy-tracks", "trackml", "--data-root", "quick", "package.module:Class"):
        assert word in printed
    assert "    protocol trackml; needs no files; presets cpu, gpu, quick, compare" in printed
    for name in ("synthetic-rooms", "coco", "nuclei"):
        assert f"\n{name}" in printed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and __version__ in capsys.readouterr().out


@pytest.mark.parametrize("command", ["train", "eval", "predict", "plot", "doctor", "datasets"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0 and command in capsys.readouterr().out


@pytest.mark.usefixtures("no_pictures")
def test_nothing_moves_where_there_is_no_terminal(
    tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "train",
        "--dataset",
        "toy-tracks",
        "--max-steps",
        "9",
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*arguments, *tiny]) == 0
    captured = capsys.readouterr()
    assert "\r" not in captured.out + captured.err and "\x1b" not in captured.out + captured.err
    assert len(captured.err.splitlines()) <= 6
