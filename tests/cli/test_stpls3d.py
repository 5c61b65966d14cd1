"""Training on STPLS3D and scoring it, on scenes that are written like it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.cli.main import main


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes of a lawn of 60 by 30 metres with two houses."""
    folder = tmp_path_factory.mktemp("stpls3d")
    for number in (1, 2, 5):
        rng = np.random.default_rng(number)
        lawn = np.column_stack([rng.random((900, 2)) * (60, 30), np.zeros(900)])
        houses = [rng.random((300, 3)) * 8 + (x, 10, 0) for x in (10, 44)]
        pos = np.concatenate([lawn, *houses])
        truth = np.repeat([(0, -100), (1, 3), (1, 4)], (900, 300, 300), axis=0)
        rows = np.column_stack([pos, rng.integers(0, 256, (len(pos), 3)), truth])
        np.savetxt(folder / f"{number}_points_GTv3.txt", rows, "%g", ",")
    return folder


@pytest.mark.usefixtures("no_pictures")
def test_train_and_score(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [
        "data.graph.voxel=3", "data.calib_rooms=1", "model.hidden_channels=8",
        "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
        "train.normalisation_samples=2",
    ]  # fmt: skip
    arguments = ["train", "--dataset", "stpls3d", "--data-root", str(root), "--max-steps", "2"]
    assert main([*arguments, "--out", str(tmp_path / "run"), "--set", *settings]) == 0
    capsys.readouterr()
    checkpoint = str(tmp_path / "run" / "checkpoints" / "best.ckpt")
    arguments = ["eval", "--checkpoint", checkpoint, "--out", str(tmp_path / "eval")]
    arguments += ["--accelerator", "cpu"]
    assert main(arguments) == 2
    assert "1 of 5 scenes (without 10, 15, 20, 25)" in capsys.readouterr().err
    assert main([*arguments, "--partial"]) == 0
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert metrics["min_points"] == 10 and metrics["num_objects"] == 3  # one is cut by two tiles
    assert "of 5 scenes" in metrics["missing"]
