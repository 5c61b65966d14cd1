"""Sets of rooms that are read from files of the user's."""

from __future__ import annotations

import os
import zlib
from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_cache import RoomSource, cache_folder, load_room
from geoinfluencer.datasets.room_set import RoomSet
from geoinfluencer.errors import InputError

_Place = TypeVar("_Place")
SPLITS = ("train", "calib", "val", "test", "all")
NO_FILES = "or take --dataset synthetic-rooms, which needs no files"


@dataclass(frozen=True)
class FoundRooms:
    """What a folder holds.

    Attributes:
        sources: The rooms.
        words: The version of the set, in words.
        missing: What is missing and where it is to be had; empty: nothing.
    """

    sources: tuple[RoomSource, ...]
    words: str
    missing: str = ""


def check_split(split: str, calib_rooms: int) -> None:
    """Raises InputError for an unknown split, or no room to calibrate on."""
    if split not in SPLITS:
        raise InputError(f"no split {split!r}; choose train, calib, val, test or all")
    if calib_rooms < 1:
        raise InputError(f"calib_rooms must be at least 1, got {calib_rooms}")


def spread(places: Sequence[_Place], count: int) -> set[_Place]:
    """``count`` of the places, evenly over their order: those that calibrate."""
    chosen = np.linspace(0, len(places), count, endpoint=False).astype(int) if places else ()
    return {places[i] for i in chosen}


class StoredRooms(RoomSet):
    """Rooms from files, parsed once (:func:`~geoinfluencer.datasets.room_cache.load_room`).

    ``missing_rooms`` says in words which rooms of a benchmark's split are not there.

    Args:
        root: Folder of the files.
        split: See :class:`~geoinfluencer.datasets.room_set.RoomSet`.
        sources: Rooms of the split.
        cache_dir: Folder of parsed rooms; ``None``: see
            :func:`~geoinfluencer.datasets.room_cache.cache_folder`.
        background: Classes that are no instances.
        view: Options of :class:`~geoinfluencer.datasets.room_view.RoomView`.
    """

    title: ClassVar[str]  # name of the set's folder in the user's cache
    how_to_get: ClassVar[str]
    missing_rooms: str = ""

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        sources: Sequence[RoomSource],
        cache_dir: str | os.PathLike[str] | None,
        *,
        background: Collection[int],
        **view: Any,
    ) -> None:
        super().__init__(split, background=background, **view)
        self.root = str(root)
        self._sources = list(sources)
        self._folder = cache_folder(Path(root), self.title, cache_dir)

    @classmethod
    @abstractmethod
    def find(cls, root: str | os.PathLike[str]) -> FoundRooms:
        """All rooms in a folder.

        Raises:
            InputError: There is none; says where they come from.
        """

    @property
    def event_names(self) -> list[str]:
        """Names of the rooms of this split."""
        return [source.name for source in self._sources]

    def room(self, idx: int) -> Room:
        """Return room ``idx``, its points without a graph."""
        return load_room(self._sources[idx], self._folder)

    def room_name(self, idx: int) -> str:
        """Name of room ``idx``, which its samples have."""
        return self._sources[idx].name

    def num_rooms(self) -> int:
        """Number of rooms of the split."""
        return len(self._sources)

    def fixed_rng(self, idx: int) -> np.random.Generator:
        """What room ``idx`` is cut with outside training: the same at every access."""
        return np.random.default_rng(zlib.crc32(self.room_name(idx).encode()))
