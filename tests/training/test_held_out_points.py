"""A real room learnt from four fifths of its points, and scored on the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.training import evaluate, train


@pytest.mark.filterwarnings("ignore:.*labels.combined.tsv")
def test_a_scene_that_was_seen_is_found_again(test_data: Path, tmp_path: Path) -> None:
    root = test_data / "scannet"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    settings = [f"data.cache_dir={tmp_path / 'cache'}", "train.accelerator=cpu", "train.workers=0"]
    run = train(
        "scannet", data_root=root, preset="overfit", assignments=settings, max_steps=300,
        out=tmp_path / "run",
    )  # fmt: skip
    found = evaluate(run.best, split="val")
    assert found["agnostic_ap50"] >= 0.95
    assert 0.75 < found["points_cut"] < 0.85
