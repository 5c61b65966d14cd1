"""Image files through ``predict``: their ids, and what is wrong with one of many."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.nuclei import Nuclei
from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.errors import InputError
from geoinfluencer.metrics import score_files
from geoinfluencer.training import predict
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.scoring import prediction
from geoinfluencer.training.scoring.evaluation import choose_split
from geoinfluencer.training.scoring.image_inputs import check_images

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

SMALL = [
    "data.train_images=4", "data.calib_images=2", "data.val_images=2", "data.test_images=2",
    "data.height=40", "data.width=48", "data.graph.n_segments=60", "model.hidden_channels=8",
    "model.num_layers=1", "train.batch_size=2", "train.workers=0", "train.accelerator=cpu",
    "condensation.radius=5",
]  # fmt: skip
NAMES = ("b/cell.png", "b/9.png", "a/cell.png")  # their numbers have nothing to do with ids


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes") / "run"
    arguments = ["train", "--dataset", "shapes", "--max-steps", "2", "--out", str(folder)]
    assert main([*arguments, "--set", *SMALL]) == 0
    return folder


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    """Generated images as ``images/NAMES`` with the annotations ``truth.json``."""
    shapes = Shapes(split="test", test_images=3, height=40, width=48)
    content: dict[str, Any] = shapes.coco_content()
    for index, (image, name) in enumerate(zip(content["images"], NAMES, strict=True)):
        image["file_name"] = name
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(shapes.image(index)).save(path)
    (tmp_path / "truth.json").write_text(json.dumps(content))
    return tmp_path


def entries(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text()))


def test_ids_of_predict_stand_beside_its_masks(run_folder: Path, annotated: Path) -> None:
    out = annotated / "out"
    written = predict(run_folder, [annotated / "images"], out)
    assert out / "images.json" in written
    assert entries(out / "images.json") == [
        {"id": i, "file_name": name, "width": 48, "height": 40}
        for i, name in enumerate(sorted(NAMES))
    ]
    assert {each["image_id"] for each in entries(out / "coco_results.json")} <= {0, 1, 2}
    inputs = [annotated / "images" / folder for folder in "ab"]  # cell.png is in both
    predict(run_folder, inputs, out)
    named = [each["file_name"] for each in entries(out / "images.json")]
    assert named == [(annotated / "images" / name).as_posix() for name in sorted(NAMES)]


def test_annotations_give_the_ids(run_folder: Path, annotated: Path) -> None:
    truth, out = annotated / "truth.json", annotated / "out"
    predict(run_folder, [annotated / "images"], out, annotations=truth)
    ids = {each["file_name"]: each["id"] for each in entries(out / "images.json")}
    assert ids == {name: number for number, name in enumerate(NAMES, 1)}
    found = entries(out / "coco_results.json")
    assert found and {each["image_id"] for each in found} <= {1, 2, 3}
    assert score_files(out / "coco_results.json", truth, "coco").compute()["num_images"] == 3
    predict(run_folder, [annotated / "images" / "b" / "9.png"], out, annotations=truth)
    alone = entries(out / "coco_results.json")
    assert alone and alone == [each for each in found if each["image_id"] == 2]


def test_images_that_are_not_annotated(run_folder: Path, annotated: Path) -> None:
    truth, out = annotated / "truth.json", annotated / "deep" / "out"
    Image.new("RGB", (48, 40)).save(annotated / "images" / "a" / "new.png")
    with pytest.raises(InputError, match=r"truth.json: has no image with file_name a/new.png"):
        predict(run_folder, [annotated / "images"], out, annotations=truth)
    (annotated / "images" / "a" / "new.png").unlink()
    nine = annotated / "images" / "b" / "9.png"
    with pytest.raises(InputError, match=r"9.png: is image 2 of .*give each image once"):
        check_images([nine, nine], Shapes, truth)
    content = json.loads(truth.read_text())
    content["images"][1]["width"] = 47
    truth.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"9.png: the image is 48 x 40, .* are for 47 x 40"):
        predict(run_folder, [nine], out, annotations=truth)
    assert not out.parent.exists()


def test_annotations_are_for_masks(tiny_run: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--annotations a.json: .* was trained on toy-tracks"):
        predict(tiny_run.best, [tmp_path], tmp_path / "out", annotations="a.json")


def test_a_bad_image_is_known_before_work_is_done(
    run_folder: Path, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
    bad = annotated / "images" / "z.jpg"
    Image.fromarray(pixels).save(bad)
    bad.write_bytes(bad.read_bytes()[:-400])
    monkeypatch.setattr(prediction, "run_batches", None)  # computes
    with pytest.raises(InputError, match="z.jpg: cannot be read as an image"):
        predict(run_folder, [annotated / "images"], annotated / "deep" / "out")
    assert not (annotated / "deep").exists()


def test_what_fails_later_leaves_no_empty_folder(
    run_folder: Path, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise InputError("stopped")

    monkeypatch.setattr(prediction, "run_batches", stop)
    (annotated / "kept").mkdir()
    for out in ("deep/out", "kept/out", "kept"):
        with pytest.raises(InputError, match="stopped"):
            predict(run_folder, [annotated / "images"], annotated / out)
    assert not (annotated / "deep").exists() and not list((annotated / "kept").iterdir())


def test_results_inside_of_the_input_are_no_input(run_folder: Path, annotated: Path) -> None:
    source = annotated / "images"
    for _ in range(2):
        predict(run_folder, [source], source / "pred")
    assert len(entries(source / "pred" / "images.json")) == 3
    assert len(list((source / "pred" / "overlays").iterdir())) == 3


def test_ids_that_folders_share_are_replaced(run_folder: Path, annotated: Path) -> None:
    a, b = annotated / "images" / "a", annotated / "images" / "b"
    (a / "cell.png").rename(a / "cell7.png")
    (b / "cell.png").rename(b / "cell5.png")
    out = annotated / "out"
    predict(run_folder, [annotated / "images"], out)
    assert [each["id"] for each in entries(out / "images.json")] == [7, 9, 5]
    (a / "cell7.png").rename(a / "cell5.png")
    predict(run_folder, [annotated / "images"], out)
    assert [each["id"] for each in entries(out / "images.json")] == [0, 1, 2]


def test_the_option_of_the_command_line(
    run_folder: Path, annotated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", "--checkpoint", str(run_folder), str(annotated / "images")]
    arguments += ["--out", str(annotated / "out"), "--annotations"]
    assert main([*arguments, str(annotated / "none.json")]) == 2
    assert "none.json: no such annotation file" in capsys.readouterr().err
    assert main([*arguments, str(annotated / "truth.json")]) == 0
    assert {each["id"] for each in entries(annotated / "out" / "images.json")} == {1, 2, 3}


def test_why_the_split_all_was_not_taken_is_said(tmp_path: Path) -> None:
    config = resolve_config("nuclei", data_root=str(tmp_path))
    state = SimpleNamespace(config={"data_root": "elsewhere"}, data={})
    split, why = choose_split(Nuclei, config, SimpleNamespace(state=state))  # type: ignore[arg-type]
    assert split == "val" and "holds no images" in why and "no split" not in why
