"""STPLS3D: files, tiles, splits and samples, on scenes that are written like it."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.catalog import CATALOG
from geoinfluencer.datasets.stpls3d import STPLS3D
from geoinfluencer.datasets.stpls3d_files import (
    STPLS3D_CLASSES,
    find_stpls3d,
    missing_scenes,
    read_stpls3d,
    tile_of_point,
    tiles_of,
)
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.metrics.scene_classes import CLASS_SETS
from geoinfluencer.training.configuration.resolve import builtin_layer, resolve_config
from geoinfluencer.training.tasks.rooms import RoomTask

COARSE = {"voxel": 2.0}
SCENES = (1, 2, 3, 5, 10)
HOUSES = ((10, 10), (50, 10), (90, 40))  # the second one stands in two tiles


def scene_rows(seed: int = 0) -> np.ndarray:
    """(P, 8) rows of 110 by 60 metres, as they stand in the files: the ground, three houses, a
    tree."""
    rng = np.random.default_rng(seed)
    ground = np.column_stack([rng.random((3000, 2)) * (110, 60), np.zeros(3000)])
    ground[:2, :2] = (0, 0), (110, 60)
    parts = [(ground, 0, -100)]
    for number, (x, y) in enumerate(HOUSES):
        parts.append((rng.random((400, 3)) * (8, 8, 5) + (x - 4, y - 4, 1), 1, 7 + number))
    parts.append((rng.random((200, 3)) * (3, 3, 6) + (30, 40, 1), 4, 2))
    rows = [
        np.column_stack([pos, rng.integers(0, 256, (len(pos), 3)), np.full((len(pos), 2), truth)])
        for pos, *truth in parts
    ]
    return rng.permutation(np.concatenate(rows))


def write_scene(path: Path, rows: np.ndarray, shift: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    moved = rows + shift * (np.arange(rows.shape[1]) < 3)
    lines = [",".join([*(f"{v:.4f}" for v in row[:3]), *(f"{v:g}" for v in row[3:])])
             for row in moved]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stpls3d")
    for number in SCENES:
        part = "validation" if number % 5 == 0 else "train"
        write_scene(root / part / f"{number}_points_GTv3.txt", scene_rows(number))
    return root


def stpls3d(root: Path, split: str, **options: Any) -> STPLS3D:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return STPLS3D(root, split, **{"calib_rooms": 1, "graph": COARSE, **options})


def test_classes_are_those_of_the_scores() -> None:
    assert CLASS_SETS["stpls3d"].names == STPLS3D_CLASSES[1:]
    assert CLASS_SETS["stpls3d"].ids == tuple(range(1, 15))


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = scene_rows()
    write_scene(tmp_path / "1_a.txt", rows, shift=400_000.0)
    room = read_stpls3d(tmp_path / "1_a.txt", None)
    np.testing.assert_allclose(room.pos, rows[:, :3] - rows[:, :3].min(0), atol=2e-4)
    np.testing.assert_array_equal(room.color, rows[:, 3:6])
    kinds, number = np.unique(rows[:, 7], return_inverse=True)  # -100 first
    assert kinds.tolist() == [-100, 2, 7, 8, 9]
    np.testing.assert_array_equal(room.instance, np.where(number == 0, 4, number - 1))
    assert room.label[:4].tolist() == [4, 1, 1, 1]


def test_points_come_tile_by_tile(tmp_path: Path) -> None:
    write_scene(tmp_path / "1_a.txt", scene_rows())
    room = read_stpls3d(tmp_path / "1_a.txt", 50.0)
    number = tile_of_point(room.pos, 50.0)
    by_hand = [2 * min(int(x // 50), 2) + min(int(y // 50), 1) for x, y, _ in room.pos.tolist()]
    assert number.tolist() == by_hand == sorted(by_hand)
    tiles = tiles_of(room, 50.0)
    assert [n for n, _ in tiles] == [0, 1, 2, 3, 4, 5]
    assert sum(points.stop - points.start for _, points in tiles) == len(room.pos)
    for n, points in tiles:
        assert (number[points] == n).all()
    assert tiles_of(room, None) == [(0, slice(0, len(room.pos)))]


def test_the_far_border_belongs_to_the_last_tile() -> None:
    corners = np.array([[0, 0, 0], [100, 0, 0], [0, 50, 0], [100, 50, 0], [50, 0, 0]], np.float32)
    assert tile_of_point(corners, 50.0).tolist() == [0, 1, 0, 1, 1]
    assert tile_of_point(np.zeros((2, 3), np.float32), 50.0).tolist() == [0, 0]


def test_where_scenes_are_found(folder: Path, tmp_path: Path) -> None:
    names = [path.name for path in find_stpls3d(folder)]
    assert names == [f"{number}_points_GTv3.txt" for number in SCENES]  # 10 after 5
    assert len(find_stpls3d(folder / "train")) == 3
    (tmp_path / "readme.txt").write_text("")
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"no file N_NAME.txt.*https://www.stpls3d.com/data"):
            find_stpls3d(root)
    for name in ("a/1_b.txt", "c/1_b.csv.gz"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=r"holds .*1_b.csv.gz and .*1_b.txt; remove one"):
        find_stpls3d(tmp_path)


def test_missing_scenes() -> None:
    files = [Path(f"{number}_points_GTv3.txt") for number in range(1, 26)]
    assert missing_scenes(files) == ""
    lost = missing_scenes(files[:9] + files[10:-1])
    assert "23 of 25 scenes (without 10, 25)" in lost and "https://www.stpls3d.com" in lost
    assert missing_scenes(files[:-1], range(1, 25)) == ""


def scenes_of(dataset: STPLS3D) -> set[str]:
    return {name.partition("_")[0] for name in dataset.event_names}


def test_splits_and_their_warnings(folder: Path) -> None:
    parts = {split: stpls3d(folder, split) for split in ("train", "calib", "val", "test", "all")}
    found = {split: scenes_of(part) for split, part in parts.items()}
    assert found["val"] == found["test"] == {"5", "10"}
    assert found["train"] | found["calib"] == {"1", "2", "3"} and len(found["calib"]) == 1
    assert not found["train"] & found["calib"] and len(found["all"]) == 5
    assert len(parts["all"]) == 30
    assert "2 of 5 scenes (without 15, 20, 25)" in parts["val"].missing_rooms
    assert parts["train"].missing_rooms == ""
    everything = [stpls3d(folder, split, all_rooms=True).event_names for split in parts]
    assert all(names == parts["all"].event_names for names in everything)
    with pytest.warns(UserWarning, match=r"split val: 2 of 5 scenes \(without 15, 20, 25\)"):
        STPLS3D(folder, "val")
    with pytest.warns(UserWarning, match=r"split train: 3 of 20 scenes \(without 4, 6, 7"):
        STPLS3D(folder, "train", calib_rooms=1)


def test_sample_contract(folder: Path) -> None:
    dataset = stpls3d(folder, "val")
    assert isinstance(dataset, Dataset) and repr(dataset) == "STPLS3D('val', 12)"
    assert (dataset.protocol, dataset.primary_metric, dataset.has_truth) == ("rooms", "pq", True)
    assert dataset.class_names == list(STPLS3D_CLASSES) and dataset.stuff == (0,)
    data = validate_sample(dataset[0])
    assert data.name == "5_points_GTv3_0" and not data.ignore.any()
    # of both houses and the tree there are points; y says ground where instance says none
    assert set(data.instance.tolist()) == {-1, 0, 1, 2} and set(data.y.tolist()) == {0, 1, 4}
    assert torch.equal(data.instance == -1, data.y == 0)
    assert data.mass.sum() == len(data.voxel_of_point) == len(dataset.room(0).pos)
    instance, label = dataset.point_truth(data.name)
    assert label is not None and set(label.tolist()) == {0, 1, 4}
    np.testing.assert_array_equal(instance == -1, label == 0)
    points = sum(len(dataset.room(i).pos) for i in range(6))
    assert points == len(scene_rows())  # nothing is lost between tiles
    (batch,) = DataLoader(stpls3d(folder, "val", max_eval_nodes=60), batch_size=12)
    assert torch.equal(batch.to_data_list()[3].x, stpls3d(folder, "val", max_eval_nodes=60)[3].x)
    assert stpls3d(folder, "val", classes=False).class_names == []


def test_scores_count_instances_of_ten_points(folder: Path) -> None:
    assert RoomTask(stpls3d(folder, "val"))._min_points == 10


def test_whole_scenes_and_single_tiles(folder: Path) -> None:
    whole = stpls3d(folder, "val", tile=None)
    assert whole.event_names == ["5_points_GTv3", "10_points_GTv3"]
    assert len(whole.room(0).pos) == len(scene_rows())
    assert stpls3d(folder, "val", tile=200.0).event_names == whole.event_names


def test_training_parts(folder: Path) -> None:
    dataset = stpls3d(folder, "train", parts_per_room=4, max_nodes=20)
    assert len(dataset) == 2 * 6 * 4
    assert dataset[0].name == dataset[3].name != dataset[4].name
    assert dataset[0].num_nodes <= 20 and "voxel_of_point" not in dataset[0]


def test_scenes_without_truth_are_predicted_alone(tmp_path: Path) -> None:
    write_scene(tmp_path / "26_points.txt", scene_rows()[:, :6])
    dataset = stpls3d(tmp_path, "all")
    assert not dataset.has_truth and bool(dataset[0].ignore.all())
    with pytest.raises(InputError, match=r"26_points.txt: has no columns of class and instance"):
        stpls3d(tmp_path, "train", all_rooms=True)


def test_packed_files(tmp_path: Path) -> None:
    rows = scene_rows()
    write_scene(tmp_path / "plain.txt", rows)
    packed = tmp_path / "5_points_GTv3.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "plain.txt").read_bytes()))
    dataset = stpls3d(tmp_path, "val", tile=None)
    assert dataset.event_names == ["5_points_GTv3"] and len(dataset.room(0).pos) == len(rows)


LINE = "1.0,2.0,3.0,10,20,30,1,4\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,z,r,g,b,sem,inst\n" + LINE, "has a header, expected lines x,y,z,r,g,b,class"),
        ("1,2,3,10,20,30,1\n", "has 7 columns, expected lines .* --dataset points"),
        (LINE + LINE.replace(",1,4", ",15,4"), r"line 2: class 15 is none of 0 \(ground\) to 14"),
        (LINE + LINE.replace(",1,4", ",1.5,4"), "line 2: column '7' is 1.5, expected a whole"),
        (LINE + LINE.replace("2.0", "inf"), "line 2: column '2' is inf"),
        (LINE + LINE.replace("3.0", "3.0.0"), r"line 2: column '3' is '3.0.0', not a number"),
        (LINE + LINE.replace(",30,", ",-3,"), "line 2: columns 4, 5, 6 are 10 20 -3"),
        (LINE + "1,2\n", "line 2"),
        ("", "holds no points|is empty"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "5_a.txt").write_text(text)
    with pytest.raises(InputError, match=f"5_a.txt: .*({message})") as caught:
        stpls3d(tmp_path, "val")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, "no split 'valid'"),
        ({"tile": 0.0}, "tile must be positive, metres, or null for whole scenes, got 0"),
        ({"calib_rooms": 3}, r"3 scene\(s\) to train on, of which 3 calibrate.*--preset overfit"),
        ({"calib_rooms": 0}, "calib_rooms must be at least 1"),
    ],
)
def test_bad_options(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stpls3d(folder, **{"split": "train", **options})


def test_no_scene_to_score(folder: Path) -> None:
    with pytest.raises(InputError, match=r"none of the scenes 5, 10.*data.all_rooms=true"):
        stpls3d(folder / "train", "val")


def test_prepare_reads_every_scene_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["prepare", "--dataset", "stpls3d", "--data-root", str(folder)]
    arguments += ["--cache-dir", str(tmp_path)]
    assert main(arguments) == 0
    printed, said = capsys.readouterr()
    assert f"stpls3d, scenes in tiles of 50 m: rooms 5, cache {tmp_path}" in printed
    assert "rooms: 5 read, 0 were there" in printed
    assert "5 of 25 scenes (without 4, 6," in said and "https://www.stpls3d.com/data" in said
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")}
    assert len(stored) == 5
    stpls3d(folder, "all", cache_dir=str(tmp_path))[0]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")} == stored


def test_the_configuration() -> None:
    assert CATALOG["stpls3d"].cls is STPLS3D and CATALOG["stpls3d"].needs_root
    presets = set(builtin_layer("stpls3d").section("presets").values)
    assert presets == {"cpu", "quick", "gpu", "gpu-small", "overfit", "compare", "full"}
    for name in presets:
        config = resolve_config("stpls3d", preset=name)
        assert config.data["tile"] == 50.0 and config.data["graph"]["voxel"] >= 0.25
