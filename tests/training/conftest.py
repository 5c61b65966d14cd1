"""A run that takes seconds, shared by the tests that look at one."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.training import Run, train

TINY = (
    "data.train_events=24",
    "data.calib_events=3",
    "data.val_events=3",
    "data.num_tracks=4",
    "model.hidden_channels=8",
    "model.num_layers=1",
    "model.dropout=0.1",
    "train.batch_size=4",
    "train.log_every=1",
    "train.workers=0",
    "train.accelerator=cpu",
)


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Settings that make a run on toy tracks small."""
    return TINY


@pytest.fixture(scope="session")
def tiny_run(_one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of six steps; look, do not touch."""
    out: Path = tmp_path_factory.mktemp("run") / "tiny"
    return train("toy-tracks", assignments=TINY, max_steps=6, out=out)


@pytest.fixture(autouse=True)
def _no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes far longer than these runs; the shared run (made before this) does draw."""
    if "tiny_run" in request.fixturenames:
        request.getfixturevalue("tiny_run")
    monkeypatch.setattr("geoinfluencer.training.scoring.reporting.draw", lambda *_, **__: None)


@pytest.fixture(scope="session", autouse=True)
def _small_runs(_one_thread: None) -> None:
    """All of them are."""
