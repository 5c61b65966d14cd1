"""COCO sets and nuclei: splits, truth of nodes and pixels, options."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data, Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.image_sample import attach_pixels
from geoinfluencer.datasets.nuclei import Nuclei
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.training.configuration.resolve import resolve_config

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")

GRID = {"method": "grid", "stride": 4}


def make_set(folder: Path, name: str, count: int, *, crowd: bool = False) -> None:
    """``count`` images 24 x 16: a bright square of 8 x 8 and one of 4 x 4, the last image empty."""
    (folder / name).mkdir(parents=True)
    images, annotations = [], []
    for i in range(count):
        pixels = np.full((16, 24), 30, np.uint8)
        images.append({"id": 10 * i, "file_name": f"{i:03d}.png", "width": 24, "height": 16})
        if i < count - 1:
            for k, (y, x, side) in enumerate(((0, 4, 8), (12, 16, 4))):
                pixels[y : y + side, x : x + side] = 200
                corners = [x, y, x + side, y, x + side, y + side, x, y + side]
                annotations.append(
                    {
                        "id": 2 * i + k,
                        "image_id": 10 * i,
                        "category_id": 5 + 2 * k,
                        "segmentation": [corners],
                        "iscrowd": int(crowd and k == 1),
                    }
                )
        Image.fromarray(pixels).save(folder / name / f"{i:03d}.png")
    categories = [{"id": 7, "name": "small"}, {"id": 5, "name": "large"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture
def nuclei(tmp_path: Path) -> Path:
    make_set(tmp_path, "train", 11)
    make_set(tmp_path, "val", 3)
    return tmp_path


def coco(folder: Path, split: str, **options: Any) -> Coco:
    paths = {"train_images": "train", "train_annotations": "train.json"}
    paths |= {"val_images": "val", "val_annotations": "val.json"}
    return Coco(folder, split, **{**paths, "graph": GRID, **options})


def test_truth_of_nodes(nuclei: Path) -> None:
    dataset = coco(nuclei, "val")
    assert isinstance(dataset, Dataset) and len(dataset) == 3
    assert dataset.protocol == "images" and dataset.primary_metric == "pq" and dataset.has_truth
    assert dataset.class_names == ("large", "small")
    data = validate_sample(dataset[0])
    assert data.name == "000" and data.image_size.tolist() == [[16, 24]]
    instance = data.instance.reshape(4, 6)
    assert (instance[:2, 1:3] == 0).all() and instance[3, 4] == 1
    assert (instance >= 0).sum() == 5
    assert torch.equal(data.y, data.instance)  # the large one is class 0, the small one class 1
    assert not data.ignore.any() and (data.weight == 1).all() and (data.mass == 16).all()
    empty = dataset[2]
    assert (empty.instance == -1).all() and not empty.ignore.any()


def test_crowds_are_ignored(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 2, crowd=True)
    data = coco(tmp_path, "val")[0]
    assert data.ignore.nonzero().flatten().tolist() == [22] and data.instance[22] == -1
    assert data.instance.max() == 0


def test_class_agnostic(nuclei: Path) -> None:
    assert "y" not in Nuclei(nuclei, "val", graph=GRID)[0]
    assert Nuclei(nuclei, "val").class_names == ()


def test_calib_is_carved_out_of_train(nuclei: Path) -> None:
    def names(split: str, **options: Any) -> list[str]:
        return [data.name for data in Nuclei(nuclei, split, graph=GRID, **options)]

    train, calib = names("train", calib_share=0.3), names("calib", calib_share=0.3)
    assert len(train) == 8 and len(calib) == 3 and not set(train) & set(calib)
    assert calib == names("calib", calib_share=0.3)
    assert any(calib != names("calib", calib_share=0.3, seed=s) for s in (1, 2))
    assert names("train", max_images=2) == names("train")[:2]


def test_all_images_are_every_split(nuclei: Path) -> None:
    def names(split: str, **options: Any) -> list[str]:
        dataset = coco(nuclei, split, all_images=True, mirror=False, **options)
        assert dataset.annotation_file == nuclei / "train.json"
        return [data.name for data in dataset]

    (nuclei / "val.json").unlink()
    every = [f"{i:03d}" for i in range(11)]
    for split in ("train", "calib", "val", "test"):
        assert names(split) == every
        assert names(split, max_images=3) == every[:3]
    found = coco(nuclei, "val", all_images=True)[0].instance
    assert torch.equal(found, coco(nuclei, "train", all_images=True, mirror=False)[0].instance)


def test_one_image_can_be_learned(tmp_path: Path) -> None:
    make_set(tmp_path, "train", 1)
    with pytest.raises(InputError, match="has 1 images; train and calib need one each"):
        coco(tmp_path, "train")
    assert len(coco(tmp_path, "calib", all_images=True)) == 1


def test_image_folders_may_be_in_the_folder_images(nuclei: Path) -> None:
    expected = coco(nuclei, "val")[0].x
    (nuclei / "images").mkdir()
    (nuclei / "val").rename(nuclei / "images" / "val")
    assert torch.equal(coco(nuclei, "val")[0].x, expected)
    (nuclei / "val").mkdir()  # the one that was named comes first
    with pytest.raises(InputError, match=r"val.000\.png: no such image \(missing: 3 of 3"):
        coco(nuclei, "val")


def test_one_annotation_file_is_enough(nuclei: Path) -> None:
    (nuclei / "train.json").unlink()
    assert len(Nuclei(nuclei, "val", graph=GRID)) == 3
    with pytest.raises(InputError, match="train.json: no such annotation file"):
        Nuclei(nuclei, "train")
    with pytest.raises(InputError, match="test.json: no such annotation file"):
        Nuclei(nuclei, "test")
    with pytest.raises(InputError, match="split 'test' needs test_images"):
        coco(nuclei, "test")


def test_images_alone_can_be_predicted(nuclei: Path) -> None:
    for root in (nuclei / "val", nuclei / "val" / "000.png"):
        dataset = Nuclei(root, "all", graph=GRID)
        data = validate_sample(dataset[0])
        assert not dataset.has_truth and data.name == "000"
        assert data.ignore.all() and (data.instance == -1).all()
    assert len(Nuclei(nuclei, "all")) == 14
    assert len(Nuclei(nuclei, "all", max_images=2)) == 14  # a limit of splits, not of inputs


def test_training_samples_turn_and_repeat_under_a_seed(nuclei: Path) -> None:
    dataset = Nuclei(nuclei, "train", graph=GRID)
    torch.manual_seed(5)
    first = [dataset[0].pos for _ in range(100)]
    torch.manual_seed(5)
    again = [dataset[0].pos for _ in range(100)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({tuple(pos[1].tolist()) for pos in first}) == 8
    assert "segment_map" not in dataset[0]
    still = Nuclei(nuclei, "train", mirror=False, turn=False, graph=GRID)
    assert torch.equal(still[0].pos, still[0].pos)


def test_pixels_are_kept_where_asked_for(nuclei: Path) -> None:
    data = Nuclei(nuclei, "val", pixels=True, graph=GRID)[0]
    image = data.image.reshape(16, 24, 3)
    assert image.dtype == torch.uint8 and image[0, 4].tolist() == [200] * 3
    assert image[0, 3].tolist() == [30] * 3 and data.pixel_instance.dtype == torch.int32
    instance = data.pixel_instance.reshape(16, 24)
    assert (instance[:8, 4:12] == 0).all() and (instance[12:, 16:20] == 1).all()
    assert (instance >= 0).sum() == 64 + 16 and instance.min() == -1
    empty = Nuclei(nuclei, "val", pixels=True, graph=GRID)[2]
    assert (empty.pixel_instance == -1).all()
    alone = Nuclei(nuclei / "val", "all", pixels=True, graph=GRID)[0]
    assert torch.equal(alone.image, data.image) and "pixel_instance" not in alone
    assert "image" not in Nuclei(nuclei, "val", graph=GRID)[0]


def test_pixels_of_objects_without_a_node_have_numbers_of_their_own(nuclei: Path) -> None:
    coarse = {"method": "grid", "stride": 8}  # the square of 4 x 4 is no majority there
    data = Nuclei(nuclei, "val", pixels=True, graph=coarse)[0]
    assert data.instance.max() == 0
    instance = data.pixel_instance.reshape(16, 24)
    assert (instance[:8, 4:12] == 0).all() and (instance[12:, 16:20] == 1).all()


def test_pixels_of_crowds_are_ignored(tmp_path: Path) -> None:
    make_set(tmp_path, "val", 2, crowd=True)
    instance = coco(tmp_path, "val", pixels=True)[0].pixel_instance.reshape(16, 24)
    assert (instance[12:, 16:20] == -2).all() and (instance == -2).sum() == 16


def test_pixels_of_training_samples_turn_with_them(nuclei: Path) -> None:
    dataset = Nuclei(nuclei, "train", pixels=True, graph=GRID)
    for _ in range(20):
        data = dataset[0]
        bright = data.image[:, 0] == 200
        assert torch.equal(bright, data.pixel_instance >= 0)
        of_node = data.instance[data.segment_map.long()]
        assert torch.equal(of_node, data.pixel_instance.long())


def test_levels_of_sixteen_bits_are_stretched() -> None:
    image = np.array([[1000, 1100], [1200, 1510]], np.uint16)
    data = attach_pixels(Data(), image)
    assert data.image.tolist() == [[0] * 3, [50] * 3, [100] * 3, [255] * 3]
    assert attach_pixels(Data(), np.full((2, 2), 0.3)).image.unique().tolist() == [0]


def test_batches_and_workers(nuclei: Path) -> None:
    dataset = Nuclei(nuclei, "val", graph=GRID)
    (batch,) = DataLoader(dataset, batch_size=3, num_workers=1)
    assert batch.segment_map.shape == (3 * 16 * 24,) and batch.image_size.shape == (3, 2)
    for sample, kept in zip(batch.to_data_list(), dataset, strict=True):
        assert torch.equal(sample.segment_map, kept.segment_map)
        assert torch.equal(sample.x, kept.x)


@pytest.mark.parametrize("package", ["PIL", "pycocotools"])
def test_a_missing_package_names_the_extra(
    nuclei: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest)

    dataset = Nuclei(nuclei, "val", graph=GRID)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[images\]'"):
        _ = dataset[0]


def test_a_missing_image_is_named(nuclei: Path) -> None:
    for name in ("001.png", "002.png"):
        (nuclei / "val" / name).unlink()
    assert len(Nuclei(nuclei, "val", max_images=1)) == 1  # the others are not asked for
    with pytest.raises(
        InputError, match=r"001.png: no such image \(missing: 2 of 3 of .*val.json\); is the folder"
    ):
        Nuclei(nuclei, "val")


def test_a_stated_size_that_cannot_be_is_held_against_the_image(
    nuclei: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads((nuclei / "val.json").read_text())
    content["images"][0] |= {"width": 60_000, "height": 60_000}  # as truth 14 GB
    (nuclei / "val.json").write_text(json.dumps(content))
    monkeypatch.setattr(
        "geoinfluencer.datasets.coco.pixel_truth", lambda *_: pytest.fail("its truth is painted")
    )
    with pytest.raises(InputError, match="000.png: the image is 24 x 16, its annotations are for"):
        _ = Nuclei(nuclei, "val", graph=GRID)[0]


def test_bad_options(nuclei: Path) -> None:
    with pytest.raises(InputError, match="no split 'valid'"):
        Nuclei(nuclei, "valid")
    with pytest.raises(InputError, match="calib_share must be between"):
        Nuclei(nuclei, calib_share=1.0)
    with pytest.raises(InputError, match="max_images must be at least 1"):
        Nuclei(nuclei, max_images=0)
    with pytest.raises(InputError, match="unknown option 'n_segment'; did you mean 'n_segments'"):
        Nuclei(nuclei, graph={"n_segment": 3})
    with pytest.raises(InputError, match=r"graph: n_segments must be a whole .* got 1000\.5$"):
        Nuclei(nuclei, graph={"n_segments": 1000.5})


def test_real_coco_images(test_data: Path) -> None:
    folder = test_data / "tinycoco"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.json"))
    dataset = Coco(
        folder, "val", val_images="images/val2017",
        val_annotations=next(name for name in names if "val" in name),
    )  # fmt: skip
    assert len(dataset.class_names) == 80
    for data in dataset:
        validate_sample(data)
        assert torch.equal(data.y >= 0, data.instance >= 0)
    assert dataset[0].num_nodes > 500


def test_real_coco_images_with_the_paths_of_the_configuration(test_data: Path) -> None:
    folder = test_data / "tinycoco"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    config = resolve_config("coco", preset="overfit")
    options = {**config.data, "graph": GRID | {"stride": 16}}
    eight = [Coco(folder, split, **options) for split in ("train", "calib", "val")]
    assert [len(dataset) for dataset in eight] == [8, 8, 8]
    for data, same in zip(eight[0], eight[2], strict=True):
        assert data.image_id == same.image_id and torch.equal(data.instance, same.instance)
        assert data.image.shape[0] == data.image_size.prod()
    options = {**resolve_config("coco").data, "graph": options["graph"]}
    parts = [len(Coco(folder, split, **options)) for split in ("train", "calib", "val")]
    assert parts == [29, 3, 6]
