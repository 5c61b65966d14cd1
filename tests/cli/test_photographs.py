"""Real photographs through train, eval and predict, with the preset that learns them by heart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.training.configuration.resolve import resolve_config

pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")


def test_what_the_preset_learns_is_what_it_scores() -> None:
    config = resolve_config("coco", preset="overfit")
    assert config.data["all_images"] and config.data["max_images"] == 8
    assert not config.data["mirror"] and not config.data["class_agnostic"]
    assert config.model["stem"] == "conv" and config.data["pixels"]
    assert config.model["dropout"] == 0 and config.train.max_steps <= 3000
    assert not resolve_config("coco", preset="cpu").data["all_images"]


@pytest.mark.usefixtures("no_pictures")
def test_photographs_through_train_eval_and_predict(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = test_data / "tinycoco"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    settings = [
        "data.max_images=2", "data.graph.n_segments=150", "model.hidden_channels=8",
        "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
    ]  # fmt: skip
    run = tmp_path / "run"
    arguments = ["train", "--dataset", "coco", "--data-root", str(root), "--preset", "overfit"]
    arguments += ["--max-steps", "2", "--out", str(run), "--set", *settings]
    assert main(arguments) == 0
    best = str(run / "checkpoints" / "best.ckpt")
    capsys.readouterr()
    assert main(["eval", "--checkpoint", best, "--out", str(tmp_path / "eval")]) == 0
    printed = capsys.readouterr().out
    for key in ("ap ", "ap50", "ceiling_ap", "pixel_ceiling_ap"):
        assert f"{key}" in printed, key
    scores = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert scores["num_graphs"] == 2 and 0 < scores["ceiling_ap"] < 1
    photographs = root / "images" / "val2017"
    out = tmp_path / "predicted"
    assert main(["predict", "--checkpoint", best, str(photographs), "--out", str(out)]) == 0
    found = {path.stem for path in (out / "overlays").iterdir()}
    assert found == {path.stem for path in photographs.iterdir()} and len(found) == 6
    entries = json.loads((out / "coco_results.json").read_text())
    assert {each["image_id"] for each in entries} <= {int(name) for name in found}
