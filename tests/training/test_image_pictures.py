"""Overlays and panels of image sets, from a run on generated shapes to the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.errors import InputError
from geoinfluencer.training import evaluate, predict
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.image_names import ImageNames
from geoinfluencer.training.scoring.image_pictures import painted, write_overlays
from geoinfluencer.training.scoring.reporting import draw  # before drawing is switched off

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

SMALL = [
    "data.train_images=4", "data.calib_images=2", "data.val_images=3", "data.test_images=2",
    "data.height=40", "data.width=48", "data.graph.n_segments=60", "model.hidden_channels=8",
    "model.num_layers=1", "train.batch_size=2", "train.workers=0", "train.accelerator=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes") / "run"
    arguments = ["train", "--dataset", "shapes", "--max-steps", "4", "--out", str(folder)]
    assert main([*arguments, "--set", *SMALL]) == 0
    return folder


def test_evaluation_scores_masks_and_draws_them(run_folder: Path, tmp_path: Path) -> None:
    found = evaluate(run_folder / "checkpoints" / "best.ckpt", split="test", out=tmp_path)
    assert found["ap"] <= found["ceiling_ap"] and found["ceiling_ap"] > 0.05
    draw(RunFolder(tmp_path))
    written = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert written == ["shapes-test-000000.png", "shapes-test-000001.png"]
    assert Image.open(tmp_path / "overlays" / written[0]).size == (48, 40)
    report = (tmp_path / "report.html").read_text()
    assert "Image, truth and prediction" in report
    assert (tmp_path / "plots" / "shapes-test-000000-image.png").is_file()
    with np.load(tmp_path / "plots" / "display.npz") as kept:
        image, truth = kept["0/image"], kept["0/pixel_truth"]
    shapes = Shapes(split="test", test_images=2, height=40, width=48)
    assert np.array_equal(image, shapes.image(0))
    assert np.array_equal(truth.reshape(40, 48), shapes.shapes(0).instance)


def test_prediction_of_files_draws_overlays(tmp_path: Path) -> None:
    data = Shapes(split="val", val_images=4, height=40, width=48)
    for split in ("train", "val"):
        Shapes(split=split, train_images=4, val_images=4, height=40, width=48).write_coco(tmp_path)
    paths = [f"data.{s}_{k}={s}{e}" for s in ("train", "val")
             for k, e in (("images", ""), ("annotations", ".json"))]  # fmt: skip
    settings = [*SMALL[6:], *paths, "data.calib_share=0.3"]
    run = tmp_path / "run"
    arguments = ["train", "--dataset", "coco", "--data-root", str(tmp_path), "--max-steps", "2"]
    assert main([*arguments, "--out", str(run), "--set", *settings]) == 0
    written = predict(run, [tmp_path / "val"], tmp_path / "out")
    assert tmp_path / "out" / "overlays" in written
    names = sorted(path.stem for path in (tmp_path / "out" / "overlays").iterdir())
    assert names == [data.image_name(i) for i in range(4)]


def test_every_image_of_a_name_has_its_overlay(tmp_path: Path) -> None:
    def picture(level: int) -> np.ndarray:
        return np.full((4, 6, 3), level, np.uint8)

    pictures = [
        ("x", lambda: picture(10), []),
        ("x", lambda: picture(20), []),
        ("y", None, []),
        ("", lambda: picture(30), []),
        ("a/b", lambda: picture(40), []),
        ("a-b", lambda: picture(50), []),
    ]
    written = write_overlays(pictures, tmp_path)
    assert [path.stem for path in written] == ["x", "x-1", "image-3", "a-b", "a-b-5"]
    levels = [int(np.asarray(Image.open(path).convert("L"))[0, 0]) for path in written]
    assert levels == [10, 20, 30, 40, 50]


def test_an_image_that_is_gone_costs_its_own_overlay_alone(tmp_path: Path) -> None:
    def gone() -> np.ndarray:
        raise InputError("x.png: no such image")

    pictures = [("x", gone, []), ("y", lambda: np.zeros((4, 6, 3), np.uint8), [])]
    with pytest.warns(UserWarning, match="no overlay of x: x.png: no such image"):
        written = write_overlays(pictures, tmp_path)
    assert [path.name for path in written] == ["y.png"]


def test_a_numbered_name_that_another_image_has_is_numbered_again() -> None:
    names = ImageNames()
    assert [names(name) for name in ("a", "a", "a-1", "a")] == ["a", "a-1", "a-1-2", "a-3"]


def test_the_best_scored_mask_lies_on_top() -> None:
    def entry(score: float, low: int, high: int) -> dict[str, object]:
        pixels = np.zeros((4, 6), np.uint8)
        pixels[:, low:high] = 1
        return {"score": score, "segmentation": mask.encode(np.asfortranarray(pixels))}

    found = painted((4, 6), [entry(0.2, 0, 4), entry(0.9, 3, 5), entry(0.2, 1, 3)])
    assert found[0].tolist() == [0, 0, 0, 1, 1, -1]


def test_reports_know_the_classes_of_objects(run_folder: Path) -> None:
    with np.load(run_folder / "plots" / "display.npz") as kept:
        truth, found = kept["0/truth_class"], kept["0/predicted_class"]
        instances = kept["0/representative"].shape[0]
    shapes = Shapes(split="val", val_images=3, height=40, width=48)
    expected = [shapes.class_names[k] for k in shapes.truth(0).category]
    assert truth.tolist() == expected and len(expected) > 1
    assert len(found) == instances and set(found.tolist()) <= set(shapes.class_names)
