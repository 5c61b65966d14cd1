"""The programs in examples/ run as they stand and do what they claim."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from geoinfluencer.errors import InputError

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
    from geoinfluencer.datasets import Shapes

    example = load("segmenters", monkeypatch)
    found = example.main([Shapes(split="calib", num_images=3)], [60, 600])
    rows = {(row.name, row.asked): row for row in found}
    for name, most in (("slic", 4), ("grid", 1.5)):  # noise splits parts off
        few, many = rows[name, 60], rows[name, 600]
        assert 40 < few.got < 60 * most and 400 < many.got < 600 * most
        assert 1 > many.asa > few.asa and 1 > many.ap > few.ap
    assert rows["grid of stride 4", 0].got == 30 * 40
    assert rows["slic", 60].asa > rows["grid", 60].asa  # follows edges
    with pytest.raises(ValueError, match="share image ids"):
        example.main([Shapes(split="calib", num_images=1)] * 2, [60])


def test_line_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
    from geoinfluencer.datasets import SyntheticCharts

    example = load("line_ceilings", monkeypatch)
    rows = example.main(SyntheticCharts(split="calib", num_charts=2), [1000])
    iou = {row.name: row.iou for row in rows}
    assert iou["pixels of ink and their fringes (ridge 0)"] > iou["slic"] > iou["grid"]
    assert iou["pixels of ink"] > iou["grid of stride 4"] > 0


@pytest.mark.parametrize(
    ("name", "default", "line", "told"),
    [
        ("segmenters", "shapes", "--max-images 3", "--data-root, or leave it out"),
        ("segmenters", "synthetic-charts", "", "examples/line_ceilings.py"),
        ("line_ceilings", "synthetic-charts", "--max-images 3", "--data-root, or leave it out"),
        ("line_ceilings", "synthetic-charts", "--splits calib val", "--splits calib alone"),
        ("line_ceilings", "shapes", "", "examples/segmenters.py"),
    ],
)
def test_what_cannot_be_cut_is_told(
    name: str, default: str, line: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = load(name, monkeypatch)
    with pytest.raises(InputError, match=told):
        example.chosen(example.arguments("An example.", default).parse_args(line.split()))


def test_segmenters_of_splits_of_one_file(monkeypatch: pytest.MonkeyPatch, test_data: Path) -> None:
    from geoinfluencer.datasets import Nuclei

    if not (test_data / "nuclei" / "train.json").is_file():
        pytest.skip(f"no {test_data}/nuclei/train.json")
    parts = [Nuclei(test_data / "nuclei", split, max_images=2) for split in ("train", "calib")]
    *_, fine = load("segmenters", monkeypatch).main(parts, [50])
    assert fine.name == "grid of stride 4" and fine.ap50 > 0.8  # no object is there twice


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
