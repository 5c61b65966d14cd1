"""Training in processes of their own: killed, terminated, two at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.fitting.log import read_rows
from geoinfluencer.training.run_folder import RunFolder

REPOSITORY = Path(__file__).resolve().parents[2]


def start(folder: Path, tiny: tuple[str, ...], *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "geoinfluencer", "train", "--dataset", "toy-tracks"]
    command += ["--out", str(folder), "--set", *tiny, *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=folder.parent, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for_rows(process: subprocess.Popen[str], folder: RunFolder, count: int) -> None:
    for _ in range(1200):
        if len(read_rows(folder.train_log)) >= count:
            return
        if process.poll() is not None:
            raise AssertionError(f"ended early: {process.communicate()}")
        time.sleep(0.1)
    process.kill()
    raise AssertionError("no progress in two minutes")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_ended_from_outside(tmp_path: Path, tiny: tuple[str, ...], how: signal.Signals) -> None:
    folder = RunFolder(tmp_path / "run")
    often = "train.save_minutes=1.0e-4"  # every few milliseconds: a kill meets a save
    process = start(folder.path, (*tiny, often), "--max-steps", "100000")
    wait_for_rows(process, folder, 20)
    process.send_signal(how)
    _, errors = process.communicate(timeout=120)
    state = load_checkpoint(folder.last).state
    assert state.step >= 10
    if how is signal.SIGTERM:
        assert process.returncode == 128 + signal.SIGTERM
        assert "--resume auto" in errors and "Traceback" not in errors
        assert state.step == load_checkpoint(folder.best).state.step
        assert state.step == read_rows(folder.train_log)[-1]["step"]


@pytest.mark.slow
def test_two_processes(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    folder = RunFolder(tmp_path / "run")
    process = start(folder.path, tiny, "--max-steps", "4", "--devices", "2")
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert output.count("report:") == 1  # one process speaks
    assert [row["step"] for row in read_rows(folder.train_log)] == [1, 2, 3, 4]
    assert load_checkpoint(folder.best).state.step == 4
    assert all(torch.isfinite(w).all() for w in load_checkpoint(folder.last).weights.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]
