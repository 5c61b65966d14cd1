"""``geoinfluencer baseline``: both forms, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.cli.main import main

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("sklearn", reason="needs the extra geoinfluencer[baselines]")

CPU = ["--accelerator", "cpu", "--num-workers", "0", "--crop", "32"]


def write_set(folder: Path, name: str, count: int, lines: bool) -> None:
    """Images 40 x 32 of two bright squares, or of two lines, with their annotations."""
    (folder / name).mkdir(parents=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        pixels = np.full((32, 40), 255 if lines else 20, np.uint8)
        images.append({"id": number, "file_name": f"{number}.png", "width": 40, "height": 32})
        for k, y in enumerate((6, 20)):
            x = 4 + 3 * (number % 4)
            entry = {"id": 2 * number + k, "image_id": number, "category_id": 2, "iscrowd": 0}
            if lines:
                pixels[y : y + 2, 2:38] = 0
                entry["bbox"] = [2, y + 0.5, 20, y + 0.5, 37, y + 0.5]
            else:
                pixels[y : y + 8, x : x + 9] = 220
                entry["segmentation"] = [[x, y, x + 9, y, x + 9, y + 8, x, y + 8]]
            annotations.append(entry)
        Image.fromarray(pixels).save(folder / name / f"{number}.png")
    content = {"images": images, "annotations": annotations, "categories": [{"id": 2, "name": "a"}]}
    (folder / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cells")
    write_set(folder, "train", 5, lines=False)
    write_set(folder, "val", 2, lines=False)
    return folder


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The four arguments of the form on lines, with underscores."""
    folder = tmp_path_factory.mktemp("charts")
    arguments = []
    for name, count in (("train", 5), ("val", 2)):
        write_set(folder, name, count, lines=True)
        arguments += [f"--{name}_json", str(folder / f"{name}.json")]
        arguments += [f"--{name}_img_dir", str(folder / name)]
    return arguments


def test_a_set_of_images(cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = ["baseline", "--dataset", "nuclei", "--data-root", str(cells), "--out", str(out)]
    assert main([*command, *CPU, "--epochs", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    metrics = json.loads((out / "metrics.json").read_text())
    assert said[-1].startswith(f"nuclei val, unet: ap {metrics['ap']:.4f}, ap50 ")
    assert said[-1].endswith("metrics.json")
    assert metrics["num_images"] == 2 and metrics["num_objects"] == 4 and metrics["steps"] == 4
    for name in ("ckpt_last.pt", "ckpt_best.pt", "ckpt_final.pt", "coco_results.json"):
        assert (out / name).stat().st_size > 0
    last = str(out / "ckpt_last.pt")
    assert main([*command, *CPU, "--epochs", "3", "--resume", last]) == 0
    assert json.loads((out / "metrics.json").read_text())["steps"] == 6
    assert main([*command, *CPU, "--epochs", "1"]) == 0
    assert (tmp_path / "run.1" / "ckpt_final.pt").exists()
    capsys.readouterr()
    assert main(["eval", "--checkpoint", last]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_form_on_lines(
    charts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    more = (
        "--epochs 1 --batch_size 2 --lr 1e-3 --save_every 1 --eval_every 1 --num_workers 0 "
        "--thickness 2 --line_category_id 2 --max_steps 1"
    )
    arguments = ["baseline", *charts, *more.split(), "--resume", "", "--accelerator", "cpu"]
    assert main(arguments) == 0
    metrics = json.loads((tmp_path / "checkpoints" / "metrics.json").read_text())
    assert metrics["dataset"] == "lines" and metrics["steps"] == 1 and "ari" in metrics
    assert (tmp_path / "checkpoints" / "ckpt_final.pt").exists()
    assert "lines val, unet: " in capsys.readouterr().out
    assert main([*arguments, "--save_dir", "elsewhere"]) == 0
    assert (tmp_path / "elsewhere" / "ckpt_best.pt").exists()


def test_the_watershed(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("skimage", reason="needs the extra geoinfluencer[baselines]")
    command = ["baseline", "--method", "watershed", "--dataset", "nuclei"]
    assert main([*command, "--data-root", str(cells), "--out", str(tmp_path / "shed")]) == 0
    expected = "nuclei val, watershed: ap 1.0000, ap50 1.0000, ceiling_ap 1.0000; "
    assert expected in capsys.readouterr().out
    entries = json.loads((tmp_path / "shed" / "coco_results.json").read_text())
    assert len(entries) == 4
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--data-root", str(cells)]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("nuclei-baseline-")
    assert f"; runs/{folder.name}/metrics.json" in capsys.readouterr().out
    assert json.loads((folder / "metrics.json").read_text())["ap"] == 1
    assert len(json.loads((folder / "coco_results.json").read_text())) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --dataset NAME, or --train-json"),
        (["--train_json", "t.json"], "--train-img-dir: is missing"),
        (["--dataset", "toy-tracks"], "ToyTracks is no set of images"),
        (["--dataset", "nuclei", "--data-root", "nowhere"], "no such annotation file"),
        (["--dataset", "nuclei"], "--data-root: nuclei needs one"),
        (["--method", "watershed", "--dataset", "nuclei", "--lr", "1"], "--lr: is for --method"),
        (["--method", "watershed"], "give --dataset NAME"),
        (["--dataset", "shapes", "--resume", "no.pt"], "no.pt: no such checkpoint"),
        (["--dataset", "shapes", "--set", "train.seed=1"], "takes settings of data alone"),
    ],
)  # fmt: skip
def test_bad_input(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["baseline", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_other_arguments_with_the_charts_are_refused(
    charts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baseline", *charts, "--dataset", "nuclei"]) == 2
    assert "--train-json: is for --dataset lines, not nuclei" in capsys.readouterr().err
