"""``train --dataset lines`` and the options that name its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from geoinfluencer.cli.main import main

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")


def make_charts(folder: Path, name: str, count: int, category: int) -> None:
    (folder / name).mkdir(parents=True)
    images, annotations = [], []
    for i in range(count):
        pixels = np.full((40, 60, 3), 255, np.uint8)
        for k, row in enumerate((10 + i, 25 + i)):
            pixels[row : row + 2, 5:55] = (200, 0, 0) if k else (0, 0, 200)
            annotations.append(
                {"id": 2 * i + k, "image_id": i, "category_id": category, "bbox": [5, row, 54, row]}
            )
        images.append({"id": i, "file_name": f"{i}.png", "width": 60, "height": 40})
        Image.fromarray(pixels).save(folder / name / f"{i}.png")
    (folder / f"{name}.json").write_text(json.dumps({"images": images, "annotations": annotations}))


@pytest.mark.usefixtures("no_pictures")
def test_files_are_named_by_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a: b #c"  # as YAML a mapping and a comment
    for name in ("train", "val"):
        make_charts(folder, name, 3, category=0)
    out = tmp_path / "run"
    arguments = ["train", "--dataset", "lines", "--max-steps", "2", "--out", str(out)]
    for name in ("train", "val"):
        arguments += [f"--{name}-json", str(folder / f"{name}.json")]
        arguments += [f"--{name}-img-dir", str(folder / name)]
    arguments += ["--line-category-id", "0", "--thickness", "3"]
    arguments += ["--set", "model.hidden_channels=8", "model.num_layers=1", "train.accelerator=cpu"]
    assert main(arguments) == 0
    data = yaml.safe_load((out / "config.yaml").read_text())["data"]
    assert data["train_img_dir"] == str(folder / "train") and data["line_category_id"] == 0
    assert data["thickness"] == 3
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["dataset"] == "lines" and metrics["num_truth"] == 2
    found = tmp_path / "found"
    predicted = ["predict", "--checkpoint", str(out), str(folder / "val"), "--out", str(found)]
    assert main([*predicted, "--annotations", str(folder / "val.json")]) == 0
    listed = json.loads((found / "images.json").read_text())
    assert [(each["id"], each["file_name"]) for each in listed] == [
        (k, f"{k}.png") for k in range(3)
    ]
    masks = json.loads((found / "coco_results.json").read_text())
    assert {each["category_id"] for each in masks} <= {0}
    capsys.readouterr()
    assert main([*arguments, "--line-category-id", "4"]) == 2
    said = capsys.readouterr().err
    assert "train.json: no annotation has category_id 4" in said and said.count("\n") == 1


def test_they_are_for_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--dataset", "toy-tracks", "--thickness", "2"]) == 2
    error = capsys.readouterr().err
    assert "--thickness: is for --dataset lines, not toy-tracks" in error and "--set" not in error
