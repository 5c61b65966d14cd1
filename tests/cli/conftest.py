"""One small trained run for all tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.cli.main import main

TINY = [
    "data.train_events=12", "data.calib_events=2", "data.val_events=2", "data.test_events=2",
    "data.num_tracks=4", "model.hidden_channels=8", "model.num_layers=1", "train.batch_size=4",
    "train.workers=0", "train.accelerator=cpu",
]  # fmt: skip


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    """``--set`` and the settings that make a run on toy tracks small."""
    return ["--set", *TINY]


@pytest.fixture(scope="session")
def run_folder(
    _one_thread: None, tmp_path_factory: pytest.TempPathFactory, tiny: list[str]
) -> Path:
    """The folder of ``train --max-steps 5``; look, do not touch."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    arguments = ["train", "--dataset", "toy-tracks", "--max-steps", "5", "--out", str(folder)]
    assert main([*arguments, *tiny]) == 0
    return folder


@pytest.fixture(scope="session")
def best(run_folder: Path) -> str:
    """Its best checkpoint."""
    return str(run_folder / "checkpoints" / "best.ckpt")


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes far longer than these runs."""
    monkeypatch.setattr("geoinfluencer.training.scoring.reporting.draw", lambda *_, **__: None)


@pytest.fixture(scope="session", autouse=True)
def _small_runs(_one_thread: None) -> None:
    """All of them are."""
