from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets import preparation
from geoinfluencer.datasets.preparation import prepare_rooms
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_cache import (
    RoomSource,
    cache_folder,
    cached_room,
    load_room,
    store_room,
)
from geoinfluencer.datasets.stored_rooms import spread
from geoinfluencer.errors import InputError


def numbered(path: Path) -> Room:
    """A room whose first coordinate is the number in the file."""
    value = float(path.read_text())
    pos = np.array([[value, 1, 2], [3, 4, 5], [6, 7, 8]], np.float32)
    color = np.arange(9, dtype=np.uint8).reshape(3, 3)
    return Room(pos, color, np.array([1, -1, 0]), np.array([12, -1]))


def source(path: Path, number: float = 0.5, **options: object) -> RoomSource:
    path.write_text(str(number))
    return RoomSource(f"Area_1/{path.stem}", (path,), partial(numbered, path), **options)  # type: ignore[arg-type]


def unread() -> Room:
    raise AssertionError("was in the cache")


def test_a_room_comes_back_mapped(tmp_path: Path) -> None:
    room = source(tmp_path / "a.txt")
    assert cached_room(room, tmp_path / "cache") is None
    read = load_room(room, tmp_path / "cache")
    kept = load_room(RoomSource(room.name, room.files, unread), tmp_path / "cache")
    for name in ("pos", "color", "instance", "label"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(read, name))
    assert isinstance(kept.pos, np.memmap) and kept.pos.dtype == np.float32
    (file,) = (tmp_path / "cache").rglob("*.*")
    assert file.name.startswith("a-") and file.stat().st_size == 192 + 3 * 18


def test_changed_files_and_options_do_not_meet_the_old_room(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_room(source(tmp_path / "a.txt", 0.5), cache)
    assert load_room(source(tmp_path / "a.txt", 0.25), cache).pos[0, 0] == 0.25
    os.utime(tmp_path / "a.txt", ns=(1, 1))
    assert cached_room(RoomSource("Area_1/a", (tmp_path / "a.txt",), unread), cache) is None
    room = source(tmp_path / "b.txt")
    load_room(room, cache)
    assert cached_room(RoomSource(room.name, room.files, unread, (True,)), cache) is None


def test_damaged_files_are_made_again(tmp_path: Path) -> None:
    room, cache = source(tmp_path / "a.txt"), tmp_path / "cache"
    load_room(room, cache)
    (file,) = cache.rglob("*.npy")
    whole = file.read_bytes()
    for damage in (b"", b"broken", whole[:-5]):
        file.write_bytes(damage)
        assert load_room(room, cache).pos[0, 0] == 0.5
        assert file.read_bytes() == whole


def test_more_instances_than_two_bytes_count(tmp_path: Path) -> None:
    count = 40_000
    room = Room(
        np.zeros((count, 3), np.float32), np.zeros((count, 3), np.uint8),
        np.arange(count), np.arange(count) % 13,
    )  # fmt: skip
    many = source(tmp_path / "a.txt")
    store_room(many, tmp_path, room)
    kept = cached_room(many, tmp_path)
    assert kept is not None
    np.testing.assert_array_equal(kept.instance, room.instance)
    np.testing.assert_array_equal(kept.label, room.label)


def test_own_segments_of_a_scan_are_kept(tmp_path: Path) -> None:
    plain, kept = source(tmp_path / "a.txt"), cached_room(source(tmp_path / "a.txt"), tmp_path)
    assert kept is None
    room = plain.read()
    store_room(plain, tmp_path, room)
    without = cached_room(plain, tmp_path)
    assert without is not None and len(without.segment) == 0
    store_room(plain, tmp_path, replace(room, segment=np.array([70_000, 5, 5])))
    again = cached_room(plain, tmp_path)
    assert again is not None and again.segment.tolist() == [70_000, 5, 5]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    room = source(tmp_path / "a.txt")
    (tmp_path / "file").write_text("")
    assert load_room(room, tmp_path / "file").pos[0, 0] == 0.5
    with pytest.raises(InputError, match="cannot be written.*--cache-dir"):
        list(prepare_rooms([room], tmp_path / "file"))


def test_which_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder(tmp_path, "s3dis", "here") == Path("here")
    assert cache_folder(tmp_path, "s3dis") == tmp_path / "geoinfluencer-cache"
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert cache_folder(tmp_path, "s3dis") == tmp_path / "own" / "geoinfluencer" / "s3dis"


def test_preparation_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [source(tmp_path / f"{name}.txt", i) for i, name in enumerate("abc")]
    running = prepare_rooms(rooms, tmp_path / "cache")
    first = next(running)
    assert (first.name, first.points, first.size) == ("Area_1/a", 3, 1)
    running.close()
    assert [room.size > 0 for room in prepare_rooms(rooms, tmp_path / "cache")] == [0, 1, 1]
    monkeypatch.setattr(preparation, "store_room", lambda *_: unread())
    assert [room.points for room in prepare_rooms(rooms, tmp_path / "cache")] == [3, 3, 3]


def test_calibrating_rooms_are_spread_evenly() -> None:
    assert spread([f"room_{i}" for i in range(10)], 5) == {f"room_{i}" for i in (0, 2, 4, 6, 8)}
    assert spread("ab", 5) == {"a", "b"} and spread([], 3) == set()
