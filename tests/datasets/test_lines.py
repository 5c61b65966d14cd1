"""Charts with annotated lines: layouts of files, drawn truth, what is wrong by id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets.image_files import read_image
from geoinfluencer.datasets.line_sample import attach_lines, line_truth
from geoinfluencer.datasets.lines import Lines, draw_lines
from geoinfluencer.errors import InputError
from geoinfluencer.graphs import PixelGraph
from geoinfluencer.graphs.sample import validate_sample

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")

ACROSS = [5, 20, 30, 20, 54, 20]
DOWN = [30, 4, 30, 36]


def picture() -> np.ndarray:
    """A red line of three pixels across, a blue one down, and a grey stroke that is none."""
    pixels = np.full((40, 60, 3), 255, np.uint8)
    pixels[19:22, 5:55] = (220, 20, 20)
    pixels[4:37, 29:32] = (20, 20, 220)
    pixels[39, 2:50] = 90
    return pixels


def content(count: int, *, key: str = "bbox", category: int = 2) -> dict[str, Any]:
    images, annotations = [], []
    for i in range(count):
        images.append({"id": 7 * i, "file_name": f"{i:03d}.png", "width": 60, "height": 40})
        for line in (ACROSS, DOWN):
            place = {"bbox": line} if key == "bbox" else {"bbox": [5, 4, 9, 9], key: [line]}
            entry = {"image_id": 7 * i, "category_id": category, "id": len(annotations), **place}
            annotations.append(entry)
        legend = {"image_id": 7 * i, "category_id": 1, "bbox": [1, 1, 8, 8], "id": len(annotations)}
        annotations.append(legend)
    return {"images": images, "annotations": annotations}


def make_set(folder: Path, name: str, count: int, **options: Any) -> None:
    (folder / name).mkdir(parents=True)
    for i in range(count):
        Image.fromarray(picture()).save(folder / name / f"{i:03d}.png")
    (folder / f"{name}.json").write_text(json.dumps(content(count, **options)))


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    make_set(tmp_path, "train", 10)
    make_set(tmp_path, "val", 2)
    return tmp_path


def test_truth_of_pixels(charts: Path) -> None:
    dataset = Lines(charts, "val")
    assert len(dataset) == 2 and dataset.protocol == "lines" and dataset.has_truth
    data = validate_sample(dataset[1])
    assert data.name == "001" and data.image_id.tolist() == [7]
    assert data.line_xy.tolist() == [[5, 20], [30, 20], [54, 20], [30, 4], [30, 36]]
    assert data.line_of.tolist() == [0, 0, 0, 1, 1]
    x, y = data.pos.long().T
    # thickness 2: the middle row and those a pixel away
    across, down = (y - 20).abs() <= 1, (x - 30).abs() <= 1
    axis = y == 39
    assert torch.equal(data.ignore, across & down)
    assert torch.equal(data.instance == 0, across & ~down)
    assert torch.equal(data.instance == 1, down & ~across & ~axis)
    assert (data.instance[axis] == -1).all() and axis.sum() == 48


def test_thickness_and_rim(charts: Path) -> None:
    thin = Lines(charts, "val", thickness=1.0)[0]  # the outer rows of the strokes are its rim
    x, y = thin.pos.long().T
    assert torch.equal(thin.instance == 0, (y == 20) & ((x - 30).abs() > 0))
    outer = ((y - 20).abs() == 1) & ((x - 30).abs() > 2)
    assert thin.ignore[outer].all()
    bare = Lines(charts, "val", thickness=1.0, rim=0.0)[0]
    assert not bare.ignore[outer].any() and (bare.instance[outer] == -1).all()


def test_drawing_against_the_definition() -> None:
    lines = [np.array([[2.0, 3.0], [17.0, 11.0]]), np.array([[2.0, 11.0], [17.0, 3.0]])]
    truth = draw_lines([[line] for line in lines], (15, 20), thickness=3.0, rim=1.0)
    row, column = np.mgrid[:15, :20]
    pixel = np.stack([column, row], axis=-1)
    away = []
    for start, end in lines:
        way = end - start
        share = np.clip((pixel - start) @ way / (way @ way), 0, 1)
        away.append(np.linalg.norm(pixel - start - share[..., None] * way, axis=-1))
    first, second = away
    sure = np.abs(np.stack([first, second])[..., None] - [1.5, 2.5]).min(axis=(0, 3)) > 0.02
    on = (first < 1.5).astype(int) + (second < 1.5)
    rim = (on == 0) & (np.minimum(first, second) < 2.5)
    expected = np.where(on == 1, np.where(first < 1.5, 2, 3), np.where((on == 2) | rim, 1, 0))
    assert (truth.code[sure] == expected[sure]).all() and sure.mean() > 0.9
    assert truth.line_of.tolist() == [0, 0, 1, 1]


def test_pieces_are_not_joined() -> None:
    pieces = [np.array([[2.0, 5.0], [6.0, 5.0]]), np.array([[12.0, 5.0], [17.0, 5.0]])]
    truth = draw_lines([pieces], (10, 20), thickness=1.0, rim=0.0)
    assert np.flatnonzero(truth.code[5]).tolist() == [*range(2, 7), *range(12, 18)]
    assert truth.line_of.tolist() == [0] * 4


def test_lines_without_nodes_come_last() -> None:
    code = np.zeros((40, 60), np.int32)
    code[20, 5:25] = 3  # the second line; of the first and third nothing is seen
    lines = [np.array([[k, k], [k + 1, k]]) for k in range(3)]
    image = np.full((40, 60), 255, np.uint8)
    image[20, 5:25] = 0
    data = attach_lines(PixelGraph()(image), line_truth(code, lines))
    assert (data.instance == 0).all()
    assert data.line_of.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.line_xy[:, 1].tolist() == [1, 1, 0, 0, 2, 2]


@pytest.mark.parametrize("options", [{"key": "segmentation"}, {"category": 0}])
def test_other_layouts_give_the_same(charts: Path, tmp_path: Path, options: Any) -> None:
    make_set(tmp_path / "other", "val", 2, **options)
    data = Lines(tmp_path / "other", "val", line_category_id=options.get("category", 2))[0]
    assert torch.equal(data.line_xy, Lines(charts, "val")[0].line_xy)


def test_ub_pmc(charts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "annotations"
    folder.mkdir()
    points = [np.reshape(line, (-1, 2)).tolist() for line in (ACROSS, DOWN)]
    lines = [[{"x": x, "y": y} for x, y in line] for line in points]
    entry = {"task6": {"output": {"visual elements": {"lines": lines}}}}
    for i in range(2):
        (folder / f"{i:03d}.json").write_text(json.dumps(entry))
    found = Lines(charts, "val", val_json="annotations")
    assert len(found) == 2
    for name in ("instance", "ignore", "line_xy", "line_of"):
        assert torch.equal(found[1][name], Lines(charts, "val")[1][name])
    (folder / "lost.json").write_text(json.dumps(entry))
    with pytest.raises(InputError, match="lost.json: has no image of that name in .*val"):
        Lines(charts, "val", val_json="annotations")
    with pytest.raises(InputError, match="train: holds no JSON files"):
        Lines(charts, "val", val_json="train")


def test_an_image_is_read_once_for_a_sample(charts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counted(path: Path, size: tuple[int, int] | None) -> np.ndarray:
        read.append(path)
        return read_image(path, size)

    monkeypatch.setattr("geoinfluencer.datasets.lines.read_image", counted)
    dataset = Lines(charts, "val")
    data = dataset[1]
    assert read == [charts / "val" / "001.png"] and data.image_number.tolist() == [1]
    assert dataset.truth(1).code.shape == (40, 60)
    with pytest.raises(InputError, match="001: split 'all' has no truth"):
        Lines(charts / "val", "all").truth(1)


def test_paths_without_a_root(charts: Path) -> None:
    dataset = Lines(split="val", val_json=str(charts / "val.json"), val_img_dir=str(charts / "val"))
    assert len(dataset) == 2 and dataset[0].line_of.max() == 1


def test_splits(charts: Path) -> None:
    train, calib = (Lines(charts, s, calib_share=0.3) for s in ("train", "calib"))
    names = [[data.name for data in part] for part in (train, calib)]
    assert len(names[0]) == 7 and len(names[1]) == 3 and not set(names[0]) & set(names[1])
    assert len(Lines(charts, "train", max_images=2)) == 2
    assert "segment_map" not in train[0] and "segment_map" in calib[0]
    torch.manual_seed(0)
    assert len({tuple(train[0].line_xy[0].tolist()) for _ in range(40)}) == 4
    assert len({tuple(Lines(charts, "train", mirror=False)[0].line_xy[0].tolist())}) == 1


def test_the_category_of_lines(charts: Path) -> None:
    assert Lines(charts, "val").category_ids == (2,)
    assert Lines(charts / "val", "all").category_ids == ()


def test_images_alone_can_be_predicted(charts: Path) -> None:
    for root in (charts / "val", charts / "val" / "000.png"):
        dataset = Lines(root, "all")
        data = validate_sample(dataset[0])
        assert not dataset.has_truth and data.ignore.all() and "line_xy" not in data
        assert (data.segment_map >= 0).sum() == data.num_nodes


def test_batches_and_workers(charts: Path) -> None:
    dataset = Lines(charts, "val")
    (batch,) = DataLoader(dataset, batch_size=2, num_workers=1)
    for sample, kept in zip(batch.to_data_list(), dataset, strict=True):
        for name in ("segment_map", "line_xy", "line_of", "x"):
            assert torch.equal(sample[name], kept[name])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox": [1, 2, 3, 4, 5]}, "val.json: annotation 1: .*odd number"),
        ({"bbox": [1, 2, float("nan"), 4]}, "val.json: annotation 1: .*not finite"),
        ({"bbox": None}, "val.json: annotation 1: .*expected"),
        ({"image_id": 99}, "val.json: annotation 1 is of image 99"),
        ({"category_id": "2"}, "val.json: annotation.* has category_id '2'"),
    ],
)
def test_what_is_wrong_is_named(charts: Path, change: dict[str, Any], words: str) -> None:
    made = content(2)
    made["annotations"][1] |= change
    (charts / "val.json").write_text(json.dumps(made))
    with pytest.raises(InputError, match=words) as raised:
        Lines(charts, "val")
    assert "\n" not in str(raised.value)


def test_files_that_are_not_there(charts: Path) -> None:
    with pytest.raises(InputError, match="test.json: no such annotation file"):
        Lines(charts, "test")
    with pytest.raises(
        InputError, match="no annotation has category_id 5, only 1, 2; say which .*--line-cat"
    ):
        Lines(charts, "val", line_category_id=5)
    (charts / "val" / "000.png").unlink()
    with pytest.raises(InputError, match=r"000.png: no such image \(missing: 1 of 2 of .*val.json"):
        Lines(charts, "val")
    (charts / "val.json").write_text("{")
    with pytest.raises(InputError, match="val.json: cannot be read as JSON"):
        Lines(charts, "val")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "valid"}, "no split 'valid'"),
        ({"thickness": 0.0}, "thickness=0.0, rim=1.0"),
        ({"rim": -1.0}, "thickness=2.0, rim=-1.0"),
        ({"thickness": 500.0}, r"\.png: thickness=500 with rim=1 is as wide as the chart, 60 x 40"),
        ({"rim": 19.0}, "thickness=2 with rim=19 is as wide as the chart"),
        ({"calib_share": 0.0}, "calib_share must be between"),
        ({"max_images": 0}, "max_images must be at least 1"),
    ],
)
def test_bad_options(charts: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Lines(charts, **options)


def test_a_stroke_as_wide_as_a_chart_of_unstated_size(charts: Path) -> None:
    made = content(2)
    for image in made["images"]:
        del image["width"], image["height"]
    (charts / "val.json").write_text(json.dumps(made))
    assert Lines(charts, "val", thickness=37.0).truth(0).code.shape == (40, 60)
    with pytest.raises(InputError, match="000.png: thickness=38 with rim=1 is as wide") as raised:
        Lines(charts, "val", thickness=38.0).truth(0)
    assert "\n" not in str(raised.value)
