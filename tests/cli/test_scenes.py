"""``eval --pred`` on scenes of points: the table, the files, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.cli import evaluate
from geoinfluencer.cli.main import main
from geoinfluencer.metrics.scene_scores import SCENE_PROTOCOLS

INSTANCE = np.repeat([0, 1, 2, -1], [200, 150, 150, 50])
SEMANTIC = np.repeat([8, 8, 0, 2], [200, 150, 150, 50])


def write_scenes(folder: Path, names: str, **columns: np.ndarray) -> str:
    folder.mkdir()
    for name in names:
        np.savez(folder / f"{name}.npz", **columns)
    return str(folder)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """``--pred`` with scene a, ``--truth`` with scenes a and b."""
    found = INSTANCE.copy()
    found[100:200] = 9  # a half of the first chair
    truth = write_scenes(tmp_path / "gt", "ab", instance=INSTANCE, label=SEMANTIC)
    scores = np.where(found == 9, 0.2, 0.8)
    pred = write_scenes(tmp_path / "pred", "a", instance=found, semantic=SEMANTIC, score=scores)
    return ["eval", "--pred", pred, "--truth", truth, "--truth-names", "semantic=label"]


def test_partial_is_asked_for_and_spoken_of(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    scored = [*files, "--protocol", "s3dis", "--out", str(out)]
    assert main(scored) == 2
    assert "no prediction of 1 scene(s), first b" in capsys.readouterr().err
    assert main([*scored, "--partial"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "protocol s3dis, PARTIAL: 1 scenes, 1 of the truth left out" in printed[0]
    assert "  mrec                     1.0000" in printed
    assert "  original_mrec            1.2500" in printed
    (row,) = (line for line in printed if line.startswith("  chair "))
    assert row.split() == ["chair", "0.750", "0.714", "0.667", "1.000", "1.000"]
    assert any(line.startswith("warning: no truth of floor, wall, beam") for line in printed)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["protocol"] == "s3dis" and metrics["partial"] is True
    assert metrics["scenes_missing"] == 1 and metrics["rec_of_sofa"] is None
    assert "wall" in metrics["classes_without_truth"].split(", ")
    assert "PARTIAL: 1 scenes" in (out / "report.html").read_text()


def test_protocols_are_told_apart(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {}
    for protocol in ("scannet", "scannet-literal", "panoptic"):
        out = tmp_path / protocol
        more = [] if protocol == "panoptic" else ["--classes", "s3dis", "--min-points", "50"]
        more += ["--stuff", "ceiling"] if protocol == "panoptic" else []
        assert main([*files, "--partial", "--protocol", protocol, "--out", str(out), *more]) == 0
        values[protocol] = json.loads((out / "metrics.json").read_text())
        assert values[protocol]["protocol"] == protocol
    printed = capsys.readouterr().out
    assert "(protocol scannet, instances of at least 50 points, PARTIAL" in printed
    # one chair whole (.8), halves of the other (.8 and .2) that are no match, and it is missed
    assert values["scannet"]["ap50_of_chair"] == pytest.approx(0.25 * 0.5 + 0.25 * 1.0)
    assert values["scannet"]["ap50_of_ceiling"] == 1.0
    assert values["panoptic"]["stuff"] == "ceiling" and values["panoptic"]["pq_stuff"] == 1.0
    assert values["panoptic"]["rq_of_chair"] == pytest.approx(1 / 2.5)


def test_the_commands_protocols_are_those_of_the_metrics() -> None:
    assert tuple(SCENE_PROTOCOLS) == evaluate._SCENES
