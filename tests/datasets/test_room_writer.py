from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_writer import S3DIS_DEFECTS, write_s3dis_room
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES


@pytest.fixture(scope="module")
def room() -> Room:
    return generate_room(np.random.default_rng(4), RoomOptions(num_points=10_000, min_points=5))


def test_layout_and_values(room: Room, tmp_path: Path) -> None:
    folder = tmp_path / "Area_2" / "office_7"
    write_s3dis_room(room, folder)
    whole = np.loadtxt(folder / "office_7.txt")
    assert whole.shape == (len(room.pos), 6)
    np.testing.assert_allclose(whole[:, :3], room.pos, atol=5.1e-4)
    np.testing.assert_array_equal(whole[:, 3:], room.color)
    files = sorted((folder / "Annotations").iterdir())
    assert len(files) == len(room.label)
    parts = [np.loadtxt(f, ndmin=2) for f in files]
    assert sum(map(len, parts)) == len(whole)
    counts = np.bincount(room.label, minlength=13)
    for number, name in enumerate(S3DIS_CLASSES):
        own = {f.name for f in files if f.name.split("_")[0] == name}
        assert own == {f"{name}_{i + 1}.txt" for i in range(counts[number])}
    first = int(np.flatnonzero(room.label == s3dis_class("wall"))[0])
    wall = np.loadtxt(folder / "Annotations" / "wall_1.txt")
    np.testing.assert_allclose(wall[:, :3], room.pos[room.instance == first], atol=5.1e-4)
    line = (folder / "office_7.txt").read_bytes().splitlines()[0].split(b" ")
    assert len(line) == 6 and all(len(v.split(b".")[1]) == 3 for v in line[:3])
    assert all(v.isdigit() for v in line[3:])


def test_defects_stand_where_they_are_said_to(room: Room, tmp_path: Path) -> None:
    clean, folder = tmp_path / "a" / "copyRoom_1", tmp_path / "b" / "copyRoom_1"
    write_s3dis_room(room, clean)
    write_s3dis_room(room, folder, defects=set(S3DIS_DEFECTS) - {"staris"})
    assert not (folder / "copyRoom_1.txt").exists()
    before = (clean / "copyRoom_1.txt").read_bytes().splitlines()
    after = (folder / "copy_Room_1.txt").read_bytes().splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    (a, b), (c, d) = changed
    assert b"\x16" in b and len(a) == len(b)
    assert c[: len(d)] == d and len(d) < len(c)
    names = {f.name for f in (folder / "Annotations").iterdir()}
    assert {f.name for f in (clean / "Annotations").iterdir()} - names == {
        f"clutter_{np.sum(room.label == s3dis_class('clutter'))}.txt"
    }
    assert "stairs_1.txt" in names
    first = S3DIS_CLASSES[room.label[0]]
    damaged = (folder / "Annotations" / f"{first}_1.txt").read_bytes()
    assert damaged.count(b"\x00") == 1 and damaged.count(b"\x10") == 1
    nul = next(line for line in damaged.splitlines() if b"\x00" in line)
    assert len(nul.split(b" ")) == 5
    assert (folder / "Annotations" / f"{first}_1 (1).txt").read_bytes() == damaged


def test_annotations_alone(room: Room, tmp_path: Path) -> None:
    write_s3dis_room(room, tmp_path / "hall_1", whole=False, defects={"staris"})
    assert [f.name for f in (tmp_path / "hall_1").iterdir()] == ["Annotations"]
    assert (tmp_path / "hall_1" / "Annotations" / "staris_1.txt").exists()


def test_bad_defects(room: Room, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'stair' is unknown; did you mean 'stairs'"):
        write_s3dis_room(room, tmp_path / "r", defects={"stair"})
    with pytest.raises(InputError, match="'control' is one of the room's file"):
        write_s3dis_room(room, tmp_path / "r", defects={"control"}, whole=False)
