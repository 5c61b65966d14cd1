"""Parsed rooms on disk: one file per room, mapped into memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

_VERSION = 2  # raise when stored rooms change their meaning


@dataclass(frozen=True)
class RoomSource:
    """Where a room comes from.

    Attributes:
        name: Of the room, unique in its set; may hold a slash.
        files: All files that it is read from.
        read: Reads it.
        state: Options that decide what is read.
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[], Room]
    state: tuple[object, ...] = ()

    def size(self) -> int:
        """Bytes of the files."""
        return sum(path.stat().st_size for path in self.files)


def cache_folder(root: Path, dataset: str, given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of parsed rooms: the one given, else ``geoinfluencer-cache`` beside the data where
    that can be written, else below ``$XDG_CACHE_HOME`` (``~/.cache``)."""
    if given is not None:
        return Path(given)
    near = root.parent if root.is_file() else root
    beside = near / "geoinfluencer-cache"
    if os.access(beside if beside.is_dir() else near, os.W_OK):
        return beside
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "geoinfluencer" / dataset


def load_room(source: RoomSource, folder: Path) -> Room:
    """Return the room, from the cache when nothing has changed, else read and kept there.

    The name of the file holds a hash of the options and of name, size and time of change of every
    source file. A damaged file is made again; a disk that cannot be written costs the
    cache, not the run.
    """
    room = cached_room(source, folder)
    if room is None:
        room = source.read()
        try:
            store_room(source, folder, room)
        except InputError:
            return room
    return room


def cached_room(source: RoomSource, folder: Path) -> Room | None:
    """The room in the cache, mapped, or None."""
    try:
        points = np.load(_path(source, folder), mmap_mode="r", allow_pickle=False)
        pos, color = points["pos"], points["color"]
        instance, point_label = points["instance"], points["label"]
        has_segments = "segment" in points.dtype.names
        segment = points["segment"] if has_segments else np.empty(0, np.int32)
    except (OSError, ValueError, IndexError, EOFError):
        return None  # not there, or damaged
    label = np.full(int(instance.max(initial=-1)) + 1, -1, np.int64)
    known = instance >= 0
    label[instance[known]] = point_label[known]
    return Room(pos, color, instance, label, segment)


def store_room(source: RoomSource, folder: Path, room: Room) -> None:
    """Write a room, all of it or nothing.

    Raises:
        InputError: The folder cannot be written.
    """
    number = "<i2" if len(room.label) < 2**15 else "<i4"
    layout = [("pos", "<f4", 3), ("color", "u1", 3), ("label", "i1"), ("instance", number)]
    has_segments = 0 < len(room.segment) == len(room.pos)
    if has_segments:
        layout.append(("segment", "<i4"))
    points = np.empty(len(room.pos), layout)
    points["pos"], points["color"], points["instance"] = room.pos, room.color, room.instance
    if has_segments:
        points["segment"] = room.segment
    points["label"] = np.append(room.label, -1)[room.instance]
    path = _path(source, folder)
    try:
        with atomic_path(path) as temporary:
            np.save(temporary, points)
    except OSError as error:
        raise InputError(
            f"{path.parent}: cannot be written ({error.strerror}); name another folder for the "
            "parsed rooms (--cache-dir, data.cache_dir)"
        ) from error


def _path(source: RoomSource, folder: Path) -> Path:
    state = [repr((_VERSION, source.name, source.state))]
    for path in source.files:
        found = path.stat()
        state.append(f"{path.name}:{found.st_size}:{found.st_mtime_ns}")
    key = hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]
    return folder / f"{source.name}-{key}.npy"
