"""Cityscapes: its layout, what counts as what, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from geoinfluencer.datasets.cityscapes import Cityscapes
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")

GRID = {"method": "grid", "stride": 4}
CAR, RIDER, ROAD, VOID, GROUP, TRAILER = 26001, 25000, 7, 4, 26, 30000


def write_frame(root: Path, split: str, name: str, ids: np.ndarray) -> None:
    city = name.split("_")[0]
    image = root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png"
    truth = root / "gtFine" / split / city / f"{name}_gtFine_instanceIds.png"
    for path in (image, truth):
        path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(int(name.split("_")[2]))
    Image.fromarray(rng.integers(0, 255, (*ids.shape, 3), np.uint8)).save(image)
    Image.fromarray(ids.astype(np.uint16)).save(truth)


def street() -> np.ndarray:
    """24 x 16 pixels in cells of 4 x 4: a car, a rider, cars in a group, void, a trailer."""
    ids = np.full((16, 24), ROAD)
    ids[0:8, 0:8] = CAR
    ids[0:4, 12:16] = RIDER
    ids[8:12, 0:8] = GROUP
    ids[12:16, 20:24] = VOID
    ids[12:16, 0:4] = TRAILER
    return ids


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        write_frame(tmp_path, "train", f"aachen_000000_00000{number}", street())
    write_frame(tmp_path, "train", "bonn_000000_000009", street())
    write_frame(tmp_path, "val", "munster_000001_000019", street())
    write_frame(tmp_path, "val", "lindau_000000_000019", np.full((16, 24), ROAD))
    return tmp_path


def test_what_counts_as_what(root: Path) -> None:
    data = Cityscapes(root, "val", graph=GRID)
    assert [data[i].name for i in range(2)] == ["lindau_000000_000019", "munster_000001_000019"]
    assert data.class_names[:3] == ("person", "rider", "car") and data.category_ids[2] == 26
    sample = validate_sample(data[1])
    instance = sample.instance.reshape(4, 6)
    assert (instance[:2, :2] == 1).all() and instance[0, 3] == 0 and (instance >= 0).sum() == 5
    assert sample.y[sample.instance == 1].unique().tolist() == [2]
    assert sample.y[sample.instance == 0].tolist() == [1]
    # the group, the void and the trailer
    assert sample.ignore.nonzero().flatten().tolist() == [12, 13, 18, 23]
    assert (data[0].instance == -1).all() and not data[0].ignore.any()
    assert sample.image_id.tolist() == [1]


def test_splits(root: Path) -> None:
    train, calib = (Cityscapes(root, split, graph=GRID) for split in ("train", "calib"))
    names = [{part.image_name(i) for i in range(len(part))} for part in (train, calib)]
    assert len(names[0]) == 3 and len(names[1]) == 1 and not names[0] & names[1]
    numbers = {part.image_id(i) for part in (train, calib) for i in range(len(part))}
    assert numbers == {0, 1, 2, 3}
    assert len(Cityscapes(root, "test", graph=GRID)) == 2
    assert len(Cityscapes(root, "val", max_images=1, graph=GRID)) == 1
    alone = Cityscapes(root / "leftImg8bit" / "val", "all", graph=GRID)
    assert not alone.has_truth and alone[1].name == "munster_000001_000019"
    # counted as the protocol counts the frames of a folder
    assert alone[1].ignore.all() and alone[1].image_id.tolist() == [1]
    assert "y" not in Cityscapes(root, "val", class_agnostic=True, graph=GRID)[0]


def test_groups_are_crowds_in_coco(root: Path) -> None:
    pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")
    content = Cityscapes(root, "val", graph=GRID).coco_content()
    assert [each["id"] for each in content["images"]] == [0, 1]
    found = [(a["image_id"], a["category_id"], a["area"], a["iscrowd"]) for a in
             content["annotations"]]  # fmt: skip
    assert found == [(1, 25, 16, 0), (1, 26, 64, 0), (1, 26, 32, 1)]
    assert content["annotations"][1]["bbox"] == [0, 0, 8, 8]


def test_samples_of_training_turn_up_in_batches(root: Path) -> None:
    data = Cityscapes(root, "train", graph=GRID)
    torch.manual_seed(1)
    places = {tuple(data[0].pos[0].tolist()) for _ in range(20)}
    assert len(places) == 2  # mirrored or not, never turned


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(InputError, match=r"train: no such folder; .*cityscapes-dataset\.com"):
        Cityscapes(root / "gtFine")
    gone = next((root / "leftImg8bit" / "val").rglob("munster_*"))
    gone.unlink()
    with pytest.raises(InputError, match=r"munster_000001_000019_leftImg8bit\.png: no such image"):
        Cityscapes(root, "val")
    with pytest.raises(InputError, match=r"holds uint8 of shape \(16, 24, 3\)"):
        ids = next((root / "gtFine" / "train").rglob("bonn_*"))
        Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(ids)
        data = Cityscapes(root, "train", calib_share=0.3)
        both = [data, Cityscapes(root, "calib", calib_share=0.3)]
        _ = [part[i] for part in both for i in range(len(part))]


def test_truth_of_another_size(root: Path) -> None:
    truth = next((root / "gtFine" / "val").rglob("munster_*"))
    Image.fromarray(np.zeros((8, 24), np.uint16)).save(truth)
    with pytest.raises(
        InputError, match=r"munster\S+: its truth has 24 x 8 pixels, its image 24 x 16"
    ):
        _ = Cityscapes(root, "val", graph=GRID)[1]


def test_bad_options(root: Path) -> None:
    for options, words in (
        ({"calib_share": 0}, "calib_share"), ({"max_images": 0}, "max_images"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            Cityscapes(root, **options)
