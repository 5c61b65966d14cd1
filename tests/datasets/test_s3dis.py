"""S3DIS: layout, faults of the original, splits and samples, on rooms that are written like it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_writer import S3DIS_DEFECTS, write_s3dis_room
from geoinfluencer.datasets.s3dis import S3DIS
from geoinfluencer.datasets.s3dis_layout import (
    S3DIS_ROOMS,
    annotation_files,
    find_rooms,
    is_aligned,
    missing_rooms,
    read_s3dis_room,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES
from geoinfluencer.graphs.points import POINT_NODE_FEATURES
from geoinfluencer.graphs.sample import validate_sample

COARSE = {"voxel": 0.3}
NAMES = ("Area_1/copyRoom_1", "Area_1/office_2", "Area_1/office_10", "Area_3/hall_1")


@pytest.fixture(scope="module")
def room() -> Room:
    return generate_room(np.random.default_rng(4), RoomOptions(num_points=5_000, min_points=5))


@pytest.fixture(scope="module")
def folder(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five rooms in three areas."""
    root = tmp_path_factory.mktemp("s3dis")
    for name in (*NAMES, "Area_5/office_1"):
        write_s3dis_room(room, root / name)
    return root


def s3dis(root: Path, split: str, **options: Any) -> S3DIS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return S3DIS(root, split, **{"calib_rooms": 1, "graph": COARSE, **options})


def test_reading_gives_back_what_was_written(room: Room, folder: Path) -> None:
    read = read_s3dis_room(folder / "Area_5" / "office_1")
    files = np.argsort(room.label, kind="stable")  # instances by class and number
    order = np.concatenate([np.flatnonzero(room.instance == number) for number in files])
    np.testing.assert_allclose(read.pos, room.pos[order], atol=5.1e-4)
    np.testing.assert_array_equal(read.color, room.color[order])
    np.testing.assert_array_equal(files[read.instance], room.instance[order])
    np.testing.assert_array_equal(read.label, room.label[files])


def test_faults_of_the_original_are_repaired_and_said(room: Room, tmp_path: Path) -> None:
    clean, damaged = tmp_path / "a" / "copyRoom_1", tmp_path / "b" / "copyRoom_1"
    write_s3dis_room(room, clean)
    write_s3dis_room(room, damaged, defects=set(S3DIS_DEFECTS) - {"staris"})
    with pytest.warns(UserWarning) as found:
        read = read_s3dis_room(damaged)
    said = sorted(str(warning.message) for warning in found)
    first = f"{S3DIS_CLASSES[room.label[0]]}_1"
    assert len(said) == 4
    assert sum(f"{first}.txt: line " in text and "damaged byte" in text for text in said) == 2
    assert sum(f"{first} (1).txt: left out, a copy of {first}.txt" in text for text in said) == 1
    assert sum("'stairs' is none of the 13 classes; read as clutter" in text for text in said) == 1
    whole = read_s3dis_room(clean)
    assert np.bincount(read.label).tolist() == np.bincount(whole.label).tolist()
    assert len(read.pos) == len(whole.pos)
    # the clutter that was misnamed is read in another order; it comes last
    same = whole.instance < np.flatnonzero(whole.label == 12)[0]
    np.testing.assert_array_equal(read.color[same], whole.color[same])
    changed = np.abs(read.pos[same] - whole.pos[same])
    assert (changed > 0).sum() <= 1 and changed.max() < 0.1  # one digit of one coordinate
    write_s3dis_room(room, tmp_path / "office_1", defects={"staris"})
    with pytest.warns(UserWarning, match="'staris' is none"):
        again = read_s3dis_room(tmp_path / "office_1")
    assert (again.label == 12).sum() == (room.label == 12).sum()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wal_1.txt", "class 'wal' is unknown; did you mean 'wall'"),
        ("wall.txt", "is not named CLASS_NUMBER.txt"),
    ],
)
def test_files_named_otherwise_stop(tmp_path: Path, name: str, message: str) -> None:
    annotations = tmp_path / "office_1" / "Annotations"
    annotations.mkdir(parents=True)
    with pytest.raises(InputError, match="office_1: no file in Annotations"):
        annotation_files(tmp_path / "office_1")
    (annotations / name).write_text("0 0 0 0 0 0\n")
    with pytest.raises(InputError, match=f"{name}: {message}"):
        annotation_files(tmp_path / "office_1")


def test_other_files_and_a_copy_without_its_original(tmp_path: Path) -> None:
    annotations = tmp_path / "office_1" / "Annotations"
    annotations.mkdir(parents=True)
    for name in ("wall_10.txt", "wall_9.txt", "floor_1 (1).txt", "._wall_1.txt", "Icon\r"):
        (annotations / name).write_text("0 0 0 0 0 0\n")
    files, remarks = annotation_files(tmp_path / "office_1")
    assert [path.name for path, _ in files] == ["floor_1 (1).txt", "wall_9.txt", "wall_10.txt"]
    assert [label for _, label in files] == [1, 2, 2] and remarks == []


def test_where_rooms_are_found(folder: Path, tmp_path: Path) -> None:
    rooms = find_rooms(folder)
    names = [f"{room.parent.name}/{room.name}" for room in rooms]
    assert names == [*NAMES, "Area_5/office_1"]
    assert find_rooms(folder.parent.joinpath(folder.name)) == rooms
    assert len(find_rooms(folder / "Area_1")) == 3
    assert find_rooms(folder / "Area_1" / "office_2") == [folder / "Area_1" / "office_2"]
    (tmp_path / "above").mkdir()
    (tmp_path / "above" / "v1.2").symlink_to(folder, target_is_directory=True)
    assert len(find_rooms(tmp_path / "above")) == 5
    (tmp_path / "above" / "v1.3").symlink_to(folder, target_is_directory=True)
    with pytest.raises(InputError, match=r"S3DIS more than once \(v1.2, v1.3\)"):
        find_rooms(tmp_path / "above")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match=r"empty: no Area_N/ROOM/Annotations.*http://buildingparser"
    ):
        find_rooms(tmp_path / "empty")


def test_which_version_is_told_by_the_angles(tmp_path: Path) -> None:
    (tmp_path / "Area_1" / "office_1" / "Annotations").mkdir(parents=True)
    assert is_aligned(find_rooms(tmp_path))
    (tmp_path / "Area_1" / "Area_1_alignmentAngle.txt").write_text("## Global alignment angle\n")
    assert not is_aligned(find_rooms(tmp_path))


def test_known_numbers_of_rooms() -> None:
    assert sum(S3DIS_ROOMS.values()) == 272
    rooms = [Path(f"Area_{a}/office_{i}") for a, n in S3DIS_ROOMS.items() for i in range(n)]
    assert missing_rooms(rooms) == ""
    lost = missing_rooms(rooms[:-1])
    assert "271 of 272 rooms (Area_6 47 of 48)" in lost and "http://buildingparser" in lost
    assert missing_rooms(rooms[:-1], [5]) == ""


def test_splits_and_their_warnings(folder: Path) -> None:
    parts = {split: s3dis(folder, split).event_names for split in ("train", "calib", "val", "test")}
    assert parts["val"] == parts["test"] == ["Area_5/office_1"]
    assert sorted(parts["train"] + parts["calib"]) == sorted(NAMES) and len(parts["calib"]) == 1
    assert s3dis(folder, "val", area=3).event_names == ["Area_3/hall_1"]
    assert "Area_5/office_1" in s3dis(folder, "train", area=3).event_names
    assert len(s3dis(folder, "all")) == 5
    everything = [s3dis(folder, split, all_rooms=True).event_names for split in parts]
    assert all(names == everything[0] and len(names) == 5 for names in everything)
    with pytest.warns(UserWarning, match=r"split val: 1 of 68 rooms \(Area_5 1 of 68\)"):
        S3DIS(folder, "val")
    with pytest.warns(UserWarning, match=r"split train: 4 of 204 rooms \(Area_1 3 of 44"):
        S3DIS(folder, "train", calib_rooms=1)


def test_sample_contract(folder: Path, room: Room) -> None:
    dataset = s3dis(folder, "val")
    assert isinstance(dataset, Dataset) and repr(dataset) == "S3DIS('val', 1)"
    assert (dataset.protocol, dataset.primary_metric, dataset.has_truth) == ("rooms", "pq", True)
    assert dataset.class_names == list(S3DIS_CLASSES) and dataset.version == "aligned version"
    data = validate_sample(dataset[0])
    assert data.name == "Area_5/office_1" and data.mass.sum() == len(room.pos)
    assert len(data.voxel_of_point) == len(room.pos) and not data.ignore.any()
    (batch,) = DataLoader(s3dis(folder, "all", max_eval_nodes=60), batch_size=5)
    one = batch.to_data_list()[3]
    assert torch.equal(one.x, s3dis(folder, "all", max_eval_nodes=60)[3].x)
    assert s3dis(folder, "val", classes=False).class_names == []
    things = s3dis(folder, "val", stuff=False)[0]
    assert torch.equal(things.instance == -1, things.y < 7)


def test_training_parts(folder: Path) -> None:
    dataset = s3dis(folder, "train", parts_per_room=4, max_nodes=50)
    assert len(dataset) == 12 and len(s3dis(folder, "val", parts_per_room=4)) == 1
    assert dataset[0].name == dataset[3].name != dataset[4].name
    assert dataset[0].num_nodes == 50 and "voxel_of_point" not in dataset[0]


def test_one_colour_is_none(room: Room, tmp_path: Path) -> None:
    grey = Room(room.pos, np.full_like(room.color, 128), room.instance, room.label)
    write_s3dis_room(grey, tmp_path / "Area_5" / "office_1")
    data = s3dis(tmp_path, "val")[0]
    assert (data.x[:, POINT_NODE_FEATURES.index("has_color")] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, "no split 'valid'"),
        ({"area": 7}, "area must be 1 to 6, got 7"),
        ({"split": "val", "area": 2}, "no room of Area_2.*data.all_rooms=true"),
        ({"calib_rooms": 4}, r"4 room\(s\) outside Area_5, of which 4 calibrate.*--preset overfit"),
        ({"calib_rooms": 0}, "calib_rooms must be at least 1"),
        ({"parts_per_room": 0}, "parts_per_room must be at least 1"),
    ],
)
def test_bad_options(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        s3dis(folder, **{"split": "train", **options})


def test_a_real_room(test_data: Path, tmp_path: Path) -> None:
    root = test_data / "s3dis_room"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    dataset = s3dis(root, "val", cache_dir=str(tmp_path), graph={"voxel": 0.1})
    data = validate_sample(dataset[0])
    assert len(data.voxel_of_point) == 321_112
    assert len(dataset.room(0).label) == 43 and len(set(dataset.room(0).label.tolist())) == 11
    assert 40 <= int(data.instance.max()) + 1 <= 43


def test_points_held_out_are_scored_and_nothing_else(folder: Path) -> None:
    options: dict[str, Any] = {"all_rooms": True, "hold_out": 0.2, "max_nodes": None}
    splits = {name: s3dis(folder, name, **options) for name in ("train", "calib", "val")}
    whole = s3dis(folder, "val", all_rooms=True)[0]
    calib, val = splits["calib"][0], splits["val"][0]
    learnt, scored = calib.voxel_of_point >= 0, val.voxel_of_point >= 0
    assert torch.equal(learnt, ~scored)
    assert 0.15 < float(scored.float().mean()) < 0.25
    assert torch.equal(calib.pos, val.pos) and torch.equal(whole.x, val.x)
    assert torch.equal(calib.mass + val.mass, whole.mass)
    assert bool(val.ignore[val.mass == 0].all()) and bool((val.mass == 0).any())
    for name, sample in (("calib", calib), ("val", val)):
        inside = sample.voxel_of_point >= 0
        truth = torch.from_numpy(splits[name].point_truth(sample.name)[0]).long()[inside]
        voxel = sample.voxel_of_point[inside]
        votes = torch.zeros(sample.num_nodes, int(truth.max()) + 1, dtype=torch.long)
        votes.index_put_((voxel, truth), torch.ones_like(voxel), accumulate=True)
        some = sample.mass > 0
        assert torch.equal(votes.sum(1), sample.mass.long())
        ids = votes.argmax(1)[some]  # of equal ones the first, as the sample's
        pairs = set(zip(ids.tolist(), sample.instance[some].tolist(), strict=True))
        assert len(pairs) == len(ids.unique()) == len(sample.instance[some].unique())


def test_a_crop_gives_no_held_out_point_back(folder: Path) -> None:
    options: dict[str, Any] = {"all_rooms": True, "hold_out": 0.2}
    whole = s3dis(folder, "val", **options)[0]
    cut = s3dis(folder, "val", **options, max_eval_nodes=len(whole.pos) // 2)[0]
    assert not bool((cut.voxel_of_point >= 0)[whole.voxel_of_point < 0].any())
    assert 0 < int((cut.voxel_of_point >= 0).sum()) < int((whole.voxel_of_point >= 0).sum())


def test_bad_shares(folder: Path) -> None:
    with pytest.raises(InputError, match="hold_out must be at least 0 and below 1, got 1"):
        s3dis(folder, "train", hold_out=1.0)
