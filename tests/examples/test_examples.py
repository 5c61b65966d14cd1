"""The programs in examples/ run as they stand and do what they claim."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example as a module that can be imported again by name (pickling, `module:Class`)."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_a_test() -> None:
    tested = {n.removeprefix("test_") for n in globals() if n.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested


def test_loss_in_your_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    found, there = load("loss_in_your_own_model", monkeypatch).main()
    assert found == there == 6


def test_influencer_conv_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load("influencer_conv_classifier", monkeypatch).main() > 0.9


def test_read_your_own_csv_events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metrics = load("read_your_own_csv_events", monkeypatch).main(tmp_path)
    assert metrics["protocol"] == "nodes"
    assert metrics["ari"] > 0.8
    assert (tmp_path / "run" / "report.html").is_file()
    header = (tmp_path / "predicted" / "predictions.csv").read_text().splitlines()[0]
    assert header.startswith("event_id,node_id,instance,score")


def test_superpoint_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    from geoinfluencer.datasets import SyntheticRooms

    rooms = SyntheticRooms(split="calib", num_rooms=2, num_points=20_000)
    example = load("superpoint_ceilings", monkeypatch)
    fine, coarse, nested = example.main(rooms, [5, 40], 0.15, [40])
    assert (fine[0], coarse[0]) == (5, 40) and fine[1] > 2 * coarse[1]
    assert nested[0] == 40 and fine[1] > 2 * nested[1]
    assert all(
        1 > better >= worse > 0 for better, worse in zip(fine[2:5], nested[2:5], strict=True)
    )
    for better, worse in zip(fine[2:5], coarse[2:5], strict=True):
        assert 1 > better > worse > 0
    assert fine[5] > 10_000  # points a second, of anything that is not a loop over points
