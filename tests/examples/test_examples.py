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


def test_segmenters(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
    from geoinfluencer.datasets import Shapes, SyntheticCharts

    example = load("segmenters", monkeypatch)
    found = example.main([Shapes(split="calib", num_images=3)], [60, 600])
    rows = {(name, asked): row for name, asked, *row in found}
    for name, most in (("slic", 4), ("grid", 1.5)):  # noise splits parts off
        (few, low_asa, low_ap, *_), (many, asa, ap, *_) = rows[name, 60], rows[name, 600]
        assert 40 < few < 60 * most and 400 < many < 600 * most
        assert 1 > asa > low_asa and 1 > ap > low_ap
    assert rows["grid of stride 4", 0][0] == 30 * 40
    assert rows["slic", 60][1] > rows["grid", 60][1]  # follows edges
    with pytest.raises(ValueError, match="share image ids"):
        example.main([Shapes(split="calib", num_images=1)] * 2, [60])
    pixels = example.lines(SyntheticCharts(split="calib", num_charts=2), [1000])
    iou = {name: best for name, _, _, best in pixels}
    assert iou["pixels of ink and their fringes (ridge 0)"] > iou["slic"] > iou["grid"]
    assert iou["pixels of ink"] > iou["grid of stride 4"] > 0


def test_segmenters_of_splits_of_one_file(monkeypatch: pytest.MonkeyPatch, test_data: Path) -> None:
    from geoinfluencer.datasets import Nuclei

    if not (test_data / "nuclei" / "train.json").is_file():
        pytest.skip(f"no {test_data}/nuclei/train.json")
    parts = [Nuclei(test_data / "nuclei", split, max_images=2) for split in ("train", "calib")]
    *_, fine = load("segmenters", monkeypatch).main(parts, [50])
    assert fine[0] == "grid of stride 4" and fine[5] > 0.8  # AP50: no object is there twice


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
