"""S3DIS as Pointcept and Mask3D store it: the same rooms as from the raw text."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_writer import write_s3dis_room
from geoinfluencer.datasets.s3dis import S3DIS
from geoinfluencer.datasets.s3dis_arrays import read_mask3d_room, read_pointcept_room
from geoinfluencer.datasets.s3dis_layout import find_rooms, layout_of, version_of
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample

NAMES = ("Area_1/copyRoom_1", "Area_1/office_2", "Area_1/office_10", "Area_5/office_1")
Write = Callable[[Room, Path], None]


def write_pointcept(room: Room, folder: Path) -> None:
    folder.mkdir(parents=True)
    arrays = {
        "coord": room.pos, "color": room.color, "segment": room.label[room.instance, None],
        "instance": room.instance[:, None], "normal": np.zeros_like(room.pos),
    }  # fmt: skip
    for name, values in arrays.items():
        small = values.astype(np.int16) if values.dtype == np.int64 else values
        np.save(folder / f"{name}.npy", small)


def mask3d_rows(room: Room) -> np.ndarray:
    truth = np.column_stack([room.label[room.instance], room.instance])
    rows = [room.pos, room.color, np.ones((len(room.pos), 4)), truth]
    return np.concatenate(rows, axis=1).astype(np.float32)


def write_mask3d(room: Room, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    np.save(folder.with_name(f"{folder.name}.npy"), mask3d_rows(room))


WRITERS: dict[str, Write] = {"Pointcept": write_pointcept, "Mask3D": write_mask3d}


@pytest.fixture(scope="module")
def room() -> Room:
    return generate_room(np.random.default_rng(4), RoomOptions(num_points=2_000, min_points=5))


@pytest.fixture(scope="module")
def folders(room: Room, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("s3dis")
    for layout, write in WRITERS.items():
        for name in NAMES:
            write(room, root / layout / name)
    return {layout: root / layout for layout in WRITERS}


def s3dis(root: Path, split: str, **options: Any) -> S3DIS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return S3DIS(root, split, **{"calib_rooms": 1, "graph": {"voxel": 0.3}, **options})


@pytest.mark.parametrize("layout", WRITERS)
def test_reading_gives_back_what_was_written(
    folders: dict[str, Path], room: Room, layout: str
) -> None:
    dataset = s3dis(folders[layout], "val")
    assert dataset.version == f"preprocessed by {layout}"
    assert dataset.event_names == ["Area_5/office_1"]
    for _ in range(2):  # parsed, and from the cache
        read = dataset.room(0)
        np.testing.assert_array_equal(read.pos, room.pos)
        np.testing.assert_array_equal(read.color, room.color)
        np.testing.assert_array_equal(read.instance, room.instance)
        np.testing.assert_array_equal(read.label, room.label)
    data = validate_sample(dataset[0])
    assert data.mass.sum() == len(room.pos) and data.name == "Area_5/office_1"


@pytest.mark.parametrize("layout", WRITERS)
def test_splits_are_those_of_the_raw_text(
    folders: dict[str, Path], room: Room, tmp_path: Path, layout: str
) -> None:
    for name in NAMES:
        write_s3dis_room(room, tmp_path / name)
    for split in ("train", "calib", "val", "all"):
        ours, raw = s3dis(folders[layout], split), s3dis(tmp_path, split)
        assert ours.event_names == raw.event_names
        assert ours.missing_rooms == raw.missing_rooms
    with pytest.warns(UserWarning, match=r"split val: 1 of 68 rooms \(Area_5 1 of 68\)"):
        S3DIS(folders[layout], "val")


@pytest.mark.parametrize("layout", WRITERS)
def test_where_rooms_are_found(folders: dict[str, Path], tmp_path: Path, layout: str) -> None:
    root = tmp_path / "above" / "processed"
    root.parent.mkdir()
    shutil.copytree(folders[layout], root, ignore=shutil.ignore_patterns("geoinfluencer-cache"))
    rooms = find_rooms(root)
    assert [f"{r.parent.name}/{r.stem}" for r in rooms] == list(NAMES)
    assert {layout_of(room) for room in rooms} == {layout}
    assert len(find_rooms(root / "Area_1")) == 3
    assert find_rooms(root.parent) == rooms
    s3dis(root, "all", cache_dir=str(root.parent / "parsed")).room(0)
    s3dis(root, "all", cache_dir=str(root)).room(1)  # parsed rooms are not taken for more rooms
    assert find_rooms(root) == rooms and find_rooms(root.parent) == rooms
    shutil.copytree(root, root.parent / "again")
    with pytest.raises(InputError, match=r"S3DIS more than once \(again, processed\)"):
        find_rooms(root.parent)


def test_one_room_of_pointcept(folders: dict[str, Path]) -> None:
    room = folders["Pointcept"] / "Area_1" / "office_2"
    assert find_rooms(room) == [room]


def test_raw_text_goes_first(room: Room, tmp_path: Path) -> None:
    write_pointcept(room, tmp_path / "Area_1" / "office_1")
    assert version_of(find_rooms(tmp_path)) == "preprocessed by Pointcept"
    write_s3dis_room(room, tmp_path / "Area_1" / "office_1")
    assert version_of(find_rooms(tmp_path)) == "aligned version"


def test_points_without_instance_or_class(room: Room, tmp_path: Path) -> None:
    rows = mask3d_rows(room)
    rows[:7, 11] = -1
    rows[rows[:, 11] == 0, 10] = -1
    np.save(tmp_path / "office_1.npy", rows)
    read = read_mask3d_room(tmp_path / "office_1.npy")
    assert (read.instance[:7] == -1).all() and (read.instance[7:] >= 0).all()
    assert read.label[0] == -1 and (read.label[1:] >= 0).all()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("coord", lambda a: a[:, :2], r"has shape \(\d+, 2\), expected \(points, 3\)"),
        ("coord", lambda a: np.where(a == a[4], np.nan, a), r"row 4: nan nan nan are no finite"),
        ("color", lambda a: a[:-1], r"has shape \(\d+, 3\), expected \(\d+, 3\) as coord"),
        ("color", lambda a: a.astype(np.int16) - 256, r"row 0: .* are no colour of 0 to 255"),
        ("segment", lambda a: a[1:], r"has shape \(\d+, 1\), expected \(\d+,\) as coord.npy has"),
        ("segment", lambda a: a + 13, r"row 0: \d+ is no class of 0 \(ceiling\) to 12"),
        ("instance", lambda a: a + 0.5, r"row 0: [\d.]+ is no whole number of an instance"),
        ("instance", lambda a: np.array(["a"]), "holds no array of numbers"),
        ("instance", lambda a: np.array([{}]), "is no whole array"),
    ],
)
def test_bad_files_of_pointcept(
    room: Room, tmp_path: Path, name: str, change: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    write_pointcept(room, tmp_path / "office_1")
    path = tmp_path / "office_1" / f"{name}.npy"
    np.save(path, change(np.load(path)))
    with pytest.raises(InputError, match=f"{name}.npy: {message}.*; preprocess or unpack"):
        read_pointcept_room(tmp_path / "office_1")


def test_files_that_are_missing_or_cut(room: Room, tmp_path: Path) -> None:
    write_pointcept(room, tmp_path / "Area_5" / "office_1")
    path = tmp_path / "Area_5" / "office_1" / "coord.npy"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"coord.npy: is no whole array .*; preprocess or unpack"):
        s3dis(tmp_path, "val")[0]
    path.unlink()  # the room is not passed over
    with pytest.raises(InputError, match=r"office_1/coord.npy: is missing; preprocess or unpack"):
        s3dis(tmp_path, "val")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:, :10], r"has shape \(\d+, 10\), expected \(points, 12\): x y z, r g b"),
        (lambda a: a[:0], r"has shape \(0, 12\)"),
        (lambda a: a * ([1] * 10 + [np.nan, 1]), "row 0: nan is no class"),
    ],
)
def test_bad_files_of_mask3d(
    room: Room, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    np.save(tmp_path / "office_1.npy", change(mask3d_rows(room)))
    with pytest.raises(InputError, match=f"office_1.npy: {message}.*; preprocess or unpack"):
        read_mask3d_room(tmp_path / "office_1.npy")


@pytest.mark.parametrize("layout", WRITERS)
def test_prepare_says_which_it_is(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str
) -> None:
    arguments = ["prepare", "--dataset", "s3dis", "--data-root", str(folders[layout])]
    assert main([*arguments, "--cache-dir", str(tmp_path)]) == 0
    printed, said = capsys.readouterr()
    assert f"s3dis, preprocessed by {layout}: rooms 4, cache {tmp_path}" in printed
    assert "4 of 272 rooms (Area_1 3 of 44" in said and "rooms: 4 read, 0 were there" in printed
